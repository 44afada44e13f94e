#include "postgres.h"

#include "fmgr.h"

#include "stock/take.h"

PG_MODULE_MAGIC;

PG_FUNCTION_INFO_V1(inventory_take);

void _PG_init(void);

void
_PG_init(void)
{
}

Datum
inventory_take(PG_FUNCTION_ARGS)
{
	PG_RETURN_INT32(inv_take(INV_TAKE_ROWS));
}
