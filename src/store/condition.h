/*
 * condition.h
 *		The condition on what is for sale.
 */
#ifndef INV_CONDITION_H
#define INV_CONDITION_H

#include "nodes/bitmapset.h"
#include "nodes/nodes.h"
#include "utils/relcache.h"

#include "base/settings.h"

/*
 * The number of the first parameter that stands for a constant of the condition.  A
 * statement with the condition has fewer parameters of its own.
 */
#define INV_FIRST_CONSTANT 4

typedef struct InvCondition
{
	Node *expression;	   /* over the items row, which is the relation 1 */
	char *text;			   /* SQL over the items row "i", with a parameter for some constants */
	bool is_volatile;	   /* it may depend on more than the row: on the time, tables, other code */
	InvSettings *settings; /* under which it runs; NULL if none matters */
	Bitmapset *columns;	   /* of the row that it reads, as pull_varattnos numbers them */
	int constant_count;
	Oid *constant_types;
	Datum *constants;
} InvCondition;

extern InvSettings *inv_recorded_settings(const char *store_name, Oid items, List *recorded);
extern InvCondition *inv_condition_read(const char *store_name, Oid items, Oid view,
										List *settings);
extern bool inv_condition_settings_are_current(const InvCondition *condition);

#endif /* INV_CONDITION_H */
