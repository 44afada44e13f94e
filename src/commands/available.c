/*
 * available.c
 *		What can be sold: available_stock, available_stocks.
 */
#include "postgres.h"

#include "fmgr.h"
#include "funcapi.h"
#include "utils/tuplestore.h"

#include "base/error.h"
#include "store/binding.h"
#include "store/column.h"
#include "store/enter.h"
#include "stock/ledger.h"
#include "stock/level.h"
#include "stock/quantity.h"
#include "commands/answer.h"
#include "commands/argument.h"
#include "commands/call.h"
#include "commands/refusal.h"

PG_FUNCTION_INFO_V1(inventory_available_stock);
PG_FUNCTION_INFO_V1(inventory_available_stocks);

/*
 * available_stock(store_name, item_id, result_type): how many units can be sold now;
 * null for an untracked item.
 */
Datum
inventory_available_stock(PG_FUNCTION_ARGS)
{
	InvCall call;
	InvTake take = { 0 };
	int64 available;

	inv_call_enter(&call, inv_getarg_store_name(fcinfo), NULL);
	inv_check_result(call.store, fcinfo, call.store->stock.base);
	take.item = inv_getarg_item(call.store, fcinfo, 1);
	available = inv_level_read(call.store, take.item, &take.status, &take.tracked);
	if (take.status == INV_STATUS_ITEM_NOT_FOUND)
		inv_refuse(call.store, &take, &inv_no_user);
	inv_store_leave(&call);
	if (!take.tracked)
		PG_RETURN_NULL();
	return inv_quantity_datum(call.store, available);
}

/*
 * available_stocks(store_name, item_ids, result_type): the same of several items, a row for
 * each that is for sale.
 */
Datum
inventory_available_stocks(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	InvCall call;
	InvStore *store;
	Oid types[2];
	InvLevel *levels;
	uint64 count;

	inv_call_enter(&call, inv_getarg_store_name(fcinfo), NULL);
	inv_begin_rows(fcinfo);
	store = call.store;
	types[0] = store->item_id.base;
	types[1] = store->stock.base;
	inv_check_row_type(store, result->setDesc, types, 2);
	levels = inv_level_read_items(store, inv_getarg_ids(fcinfo, 1, store->item_id.base, "item_ids"),
								  &count);
	for (uint64 i = 0; i < count; i++)
	{
		Datum values[] = { levels[i].item, inv_quantity_datum(store, levels[i].available) };
		bool nulls[] = { false, !levels[i].tracked };

		tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
	}
	inv_store_leave(&call);
	return (Datum) 0;
}
