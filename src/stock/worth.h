/*
 * worth.h
 *		What order lines are worth, by order_units and order_final.
 */
#ifndef INV_WORTH_H
#define INV_WORTH_H

#include "store/binding.h"

/* A line as its row is. */
typedef struct InvLineWorth
{
	Datum order;
	bool exists;
	Datum item; /* as items have it */
	bool no_item;
	InvUser user;
	int64 units; /* at least 0; of a line without an item, what it would be worth with one */
	bool final;
	Datum header;
	bool no_header;
} InvLineWorth;

extern void inv_lock_headers(InvStore *store, Datum *headers, int count);
extern Datum *inv_lines_of_headers(InvStore *store, Datum *headers, int count, int *line_count);
extern void inv_read_worth(InvStore *store, InvLineWorth *lines, int count);
extern void inv_worth_of_row(InvStore *store, Datum row, Datum header, int64 *units, bool *final);
extern int64 inv_worth_under_header(InvStore *store, Datum order, Datum header);
extern bool inv_final_under_header(InvStore *store, Datum order, Datum header);
extern Datum inv_read_header(InvStore *store, Datum key);
extern Datum inv_read_header_before(InvStore *store, Datum key);

#endif /* INV_WORTH_H */
