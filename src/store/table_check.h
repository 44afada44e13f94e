/*
 * table_check.h
 *		May the engine read and write the tables of a store?
 */
#ifndef INV_TABLE_CHECK_H
#define INV_TABLE_CHECK_H

#include "nodes/parsenodes.h"
#include "utils/relcache.h"

#include "store/binding.h"
#include "store/ledger_schema.h"

extern void inv_check_tables(InvStore *store);
extern void inv_check_orders_written(InvStore *store);
extern bool inv_owner_may_name(const InvStore *store, Relation table);
extern bool inv_owner_may(const InvStore *store, Oid table, AclMode rights);
extern Relation inv_ledger_table_open(InvStore *store, InvLedgerTable table);
extern bool inv_ledger_table_is_locked(const InvStore *store, InvLedgerTable table);

#endif /* INV_TABLE_CHECK_H */
