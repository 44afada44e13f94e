/*
 * key_lookup.h
 *		Rows of the ledger found by a key of the engine's, without a statement.
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
	Relation table;
	Snapshot snapshot;
	InvLookup rows;
} InvKeyLookup;

extern bool inv_begin_key_lookup(InvKeyLookup *lookup, InvStore *store, InvKey key,
								 const Datum *values, const bool *nulls, LOCKMODE lock);
extern bool inv_next_key_row(InvKeyLookup *lookup);
extern void inv_end_key_lookup(InvKeyLookup *lookup);

#endif /* INV_KEY_LOOKUP_H */
