/*
 * store_rest.h
 *		Stores with which the worker had errors, and owners whose stores ended it, rest.
 */
#ifndef INV_STORE_REST_H
#define INV_STORE_REST_H

extern bool inv_store_rests(Oid items, bool *had_errors);
extern void inv_store_rest_note_error(Oid items);
extern void inv_store_rest_note_success(Oid items);
extern bool inv_owner_rests(Oid owner);
extern void inv_owner_rest_begin(Oid owner);

#endif /* INV_STORE_REST_H */
