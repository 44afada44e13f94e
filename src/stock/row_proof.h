/*
 * row_proof.h
 *		Could the row of an item refuse what its counter allows?
 */
#ifndef INV_ROW_PROOF_H
#define INV_ROW_PROOF_H

#include "executor/tuptable.h"

#include "store/binding.h"

extern const char *inv_row_refusal(InvStore *store, Datum item, int64 least, TupleTableSlot *row,
								   int64 *max_stock);

#endif /* INV_ROW_PROOF_H */
