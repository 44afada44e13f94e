/*
 * trigger_check.h
 *		Whose triggers fire when the engine writes a table.
 */
#ifndef INV_TRIGGER_CHECK_H
#define INV_TRIGGER_CHECK_H

#include "utils/relcache.h"

#include "store/binding.h"
#include "store/ledger_schema.h"

extern void inv_check_triggers(InvStore *store, Relation rel);
extern void inv_check_orders_written(InvStore *store);
extern Relation inv_ledger_table_open(InvStore *store, InvLedgerTable table);

#endif /* INV_TRIGGER_CHECK_H */
