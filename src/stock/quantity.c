/*
 * quantity.c
 *		What can be sold, computed from numbers alone.
 *
 * Nothing here reads or writes a table or a counter.  Stock, floor and quantity
 * are any values of bigint: no sum is formed that could overflow unnoticed.
 */
#include "postgres.h"

#include "common/int.h"

#include "base/error.h"
#include "stock/quantity.h"

/* What can be sold of a tracked item: never negative, at most the greatest bigint. */
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

/* The same with a sign: below 0 if the floor was raised above the stock. */
int64
inv_above_floor(int64 stock, int64 floor)
{
	int64 above;

	if (pg_sub_s64_overflow(stock, floor, &above))
		return floor < 0 ? PG_INT64_MAX : PG_INT64_MIN;
	return above;
}

/* How many units are missing to take a quantity; 0 if none is. */
int64
inv_missing_units(int64 stock, int64 floor, int64 quantity)
{
	int64 above = inv_above_floor(stock, floor);
	int64 missing;

	Assert(quantity > 0);
	if (above >= quantity)
		return 0;
	return pg_sub_s64_overflow(quantity, above, &missing) ? PG_INT64_MAX : missing;
}

/* Raise if a quantity is so large that stock and quantity have no sum: it can never be sold. */
void
inv_check_quantity(int64 quantity, int64 stock)
{
	int64 sum;

	if (pg_add_s64_overflow(stock, quantity, &sum))
		inv_error_value(psprintf("quantity " INT64_FORMAT " is out of range", quantity), NULL);
}

/*
 * Would this take succeed with what was read (invariant 3)?  Raises what
 * inv_check_quantity does if it would not.  Nothing bounds how often an untracked item is
 * sold; so that the sums of its movements stay in range, each take of it is bounded.
 */
InvStatus
inv_judge_take(const InvTake *take)
{
	int64 left;

	if (!take->tracked)
	{
		if (take->quantity > PG_INT32_MAX)
			inv_error_overflow("quantity");
		return INV_STATUS_OK;
	}
	if (!pg_sub_s64_overflow(take->stock, take->quantity, &left) && left >= take->floor)
		return INV_STATUS_OK;
	inv_check_quantity(take->quantity, take->stock);
	return INV_STATUS_OUT_OF_STOCK;
}

/* Does a take have this status? */
bool
inv_has_status(const InvTake *takes, int count, InvStatus status)
{
	for (int i = 0; i < count; i++)
		if (takes[i].status == status)
			return true;
	return false;
}
