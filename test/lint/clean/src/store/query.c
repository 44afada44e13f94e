#include "postgres.h"

#include "base/guc.h"
#include "store/query.h"

int
inv_query(int rows, InvVisit visit)
{
	/* not inv_take() */
	return visit(rows + inv_rows);
}
