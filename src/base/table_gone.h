/*
 * table_gone.h
 *		Whether a table that shared memory knows still exists.
 */
#ifndef INV_TABLE_GONE_H
#define INV_TABLE_GONE_H

extern bool inv_table_is_gone(Oid database, Oid table);

#endif /* INV_TABLE_GONE_H */
