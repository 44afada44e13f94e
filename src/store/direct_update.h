/*
 * direct_update.h
 *		Rows updated without a statement, where their table allows it.
 */
#ifndef INV_DIRECT_UPDATE_H
#define INV_DIRECT_UPDATE_H

#include "executor/tuptable.h"

#include "store/binding.h"
#include "store/query.h"
#include "store/update_plan.h"

/* Rows of a table that are being updated, one after the other. */
typedef struct InvRowUpdate
{
	const InvUpdatePlan *plan;
	Relation table;
	TupleTableSlot *old; /* the version that is replaced, set by the caller */
	TupleTableSlot *new;
	Snapshot crosscheck; /* to write a version that this does not see is a conflict, if valid */
	CommandId command;
} InvRowUpdate;

typedef enum InvUpdateOutcome
{
	INV_UPDATE_NOT_POSSIBLE, /* nothing was done: that needs a statement */
	INV_UPDATE_GONE,		 /* another transaction has deleted the row */
	INV_UPDATE_CHANGED,		 /* or changed it: its last version is locked, and is the old one now */
	INV_UPDATE_DONE
} InvUpdateOutcome;

extern bool inv_begin_row_update(InvRowUpdate *update, InvStore *store, const InvUpdatePlan *plan,
								 Relation table, InvSnapshotMode mode);
extern void inv_begin_new_version(InvRowUpdate *update);
extern void inv_set_new_value(InvRowUpdate *update, AttrNumber attnum, Datum value, bool isnull);
extern InvUpdateOutcome inv_update_row(InvRowUpdate *update);
extern void inv_end_row_update(InvRowUpdate *update);

#endif /* INV_DIRECT_UPDATE_H */
