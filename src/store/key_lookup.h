/*
 * key_lookup.h
 *		Rows of the ledger and orders found by a key of the engine's, without a statement.
 */
#ifndef INV_KEY_LOOKUP_H
#define INV_KEY_LOOKUP_H

#include "utils/relcache.h"
#include "utils/snapshot.h"

#include "store/binding.h"
#include "store/index_lookup.h"

/* A look-up that has begun, and its current row. */
typedef struct InvKeyLookup
{
	InvKey key;
	const InvKeyPlan *plan;
	Relation table;
	Snapshot snapshot;
	InvLookup rows;
} InvKeyLookup;

extern bool inv_begin_key_lookup(InvKeyLookup *lookup, InvStore *store, InvKey key,
								 const Datum *values, const bool *nulls, int count);
extern bool inv_next_key_row(InvKeyLookup *lookup);
extern bool inv_lock_key_row(InvKeyLookup *lookup);
extern bool inv_read_key_row(InvKeyLookup *lookup, Datum *values, bool *nulls);
extern void inv_end_key_lookup(InvKeyLookup *lookup);

#endif /* INV_KEY_LOOKUP_H */
