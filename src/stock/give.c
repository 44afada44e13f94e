/*
 * give.c
 *		Give units back to items.
 */
#include "postgres.h"

#include "store/binding.h"
#include "store/query.h"
#include "stock/give.h"
#include "stock/hot_publish.h"
#include "stock/hot_stock.h"
#include "stock/item_row.h"
#include "stock/quantity.h"

/*
 * Give units back to items, in key order and each item once.  tracked says of
 * each whether its stock has them now.
 */
void
inv_give(InvStore *store, InvGive *gives, int count, InvSnapshotMode mode)
{
	Assert(count > 0);
	for (int i = 0; i < count; i++)
		gives[i].hot = inv_hot_find_counter(store, gives[i].item, &gives[i].counter);
	inv_item_row_give_many(store, gives, count, mode);
	for (int i = 0; i < count; i++)
		while (gives[i].hot && !inv_hot_stock_give(store, &gives[i]))
		{
			gives[i].hot = inv_hot_find_counter(store, gives[i].item, &gives[i].counter);
			inv_item_row_give_many(store, &gives[i], 1, mode);
		}
}
