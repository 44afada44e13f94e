/*
 * store_name.h
 *		Which store a name means.
 */
#ifndef INV_STORE_NAME_H
#define INV_STORE_NAME_H

extern void inv_store_name_init(void);
extern uint64 inv_store_name_changes(void);
extern Oid inv_store_name_resolve(const char *store_name, size_t length);

#endif /* INV_STORE_NAME_H */
