/*
 * quantity.c
 *		What can be sold, computed from numbers alone.
 */
#include "postgres.h"

#include "common/int.h"

#include "base/error.h"
#include "stock/quantity.h"

/* What can be sold of a tracked item: never negative, and never an overflow. */
int64
inv_available(int64 stock, int64 floor)
{
	int64 available;

	if (stock <= floor)
		return 0;
	if (pg_sub_s64_overflow(stock, floor, &available))
		return PG_INT64_MAX;
	return available;
}

/* Would this take succeed with what was read? */
InvStatus
inv_judge_take(const InvTake *take)
{
	int64 left, sum;

	if (!take->tracked)
		return INV_STATUS_OK;
	if (!pg_sub_s64_overflow(take->stock, take->quantity, &left) && left >= take->floor)
		return INV_STATUS_OK;
	if (pg_add_s64_overflow(take->stock, take->quantity, &sum))
		inv_error_value(psprintf("quantity " INT64_FORMAT " is out of range", take->quantity),
						NULL);
	return INV_STATUS_OUT_OF_STOCK;
}

/* Does any take have this status? */
bool
inv_has_status(const InvTake *takes, int count, InvStatus status)
{
	for (int i = 0; i < count; i++)
		if (takes[i].status == status)
			return true;
	return false;
}
