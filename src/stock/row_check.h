/*
 * row_check.h
 *		What could refuse a write of the stock: the definition of the items table.
 */
#ifndef INV_ROW_CHECK_H
#define INV_ROW_CHECK_H

#include "access/sysattr.h"
#include "nodes/bitmapset.h"
#include "nodes/nodes.h"

#include "store/binding.h"

/* A CHECK that reads what a settling writes. */
typedef struct InvRowCheck
{
	char *name;
	Node *condition; /* over a row that is Var number 1; the value of a domain is its stock */
	bool reads_row;	 /* it reads other columns */
} InvRowCheck;

/* What is known of the items table, as long as the store is valid. */
struct InvRowChecks
{
	const char *refusal; /* why no item can be hot, or null */
	Bitmapset *written;	 /* columns that a settling writes; as pull_varattnos numbers them */
	InvRowCheck *checks;
	int count;
	bool read_row; /* one of them reads other columns */
};

/* The number of a column in a set of pull_varattnos. */
static inline int
inv_column_bit(AttrNumber attnum)
{
	return attnum - FirstLowInvalidHeapAttributeNumber;
}

extern const InvRowChecks *inv_row_checks(InvStore *store);

#endif /* INV_ROW_CHECK_H */
