/*
 * shop_code.h
 *		Can a write run code of the shop?
 */
#ifndef INV_SHOP_CODE_H
#define INV_SHOP_CODE_H

#include "utils/relcache.h"

#include "store/binding.h"

extern bool inv_index_runs_shop_code(Relation index);
extern bool inv_write_runs_shop_code(InvStore *store, Relation table);

#endif /* INV_SHOP_CODE_H */
