#include "postgres.h"

#include "stock/take.h"
#include "store/query.h"

static int
visit_row(int row)
{
	return row;
}

int
inv_take(int rows)
{
	return inv_query_is_empty(rows) ? 0 : inv_query(rows, visit_row);
}

StaticAssertDecl(sizeof(int) >= 4, "an int holds a quantity");
