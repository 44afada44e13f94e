/* What "inv_take();" would read, were there no comments. */
#ifndef INV_QUERY_H
#define INV_QUERY_H

#define INV_QUERY_ROWS 10

typedef int (*InvVisit)(int row);

extern int inv_query(int rows, InvVisit visit);

static inline bool
inv_query_is_empty(int rows)
{
	return rows == 0;
}

#endif
