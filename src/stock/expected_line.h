/*
 * expected_line.h
 *		The order lines that the engine announces before it writes them.
 */
#ifndef INV_EXPECTED_LINE_H
#define INV_EXPECTED_LINE_H

#include "access/htup.h"

#include "store/binding.h"

/* A line that the engine is about to insert or to update. */
typedef struct InvExpectedLine
{
	Oid items;	/* of the store: orders can serve several */
	Datum item; /* valid until the statement ends */
	int64 quantity;
	InvUser user;
	bool seen;		   /* the guard has fired for it */
	CommandId command; /* that writes it */
	int nesting;	   /* level of the (sub)transaction that announced it */
} InvExpectedLine;

extern void inv_expected_line_init(void);

/*
 * Around every statement of the engine that writes orders:
 *
 *		base = inv_expect_lines_begin();
 *		inv_expect_line(store, item, quantity, user);		for each row
 *		... the statement ...
 *		inv_expect_lines_end(base);
 *
 * quantity and user are what the row will have.  Nothing else may be written in between.
 */
extern int inv_expect_lines_begin(void);
extern void inv_expect_line(InvStore *store, Datum item, int64 quantity, const InvUser *user);
extern void inv_expect_lines_end(int base);

/* for the guard */
extern const InvExpectedLine *inv_expected_line_match(InvStore *store, HeapTuple row);

#endif /* INV_EXPECTED_LINE_H */
