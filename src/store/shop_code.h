/*
 * shop_code.h
 *		Can a write run code of the shop?
 */
#ifndef INV_SHOP_CODE_H
#define INV_SHOP_CODE_H

#include "nodes/pg_list.h"
#include "utils/relcache.h"

#include "store/binding.h"

extern bool inv_index_runs_shop_code(Relation index);
extern bool inv_key_checks_run_shop_code(InvStore *store, Relation table, List **others);
extern bool inv_write_runs_shop_code(Relation table);

#endif /* INV_SHOP_CODE_H */
