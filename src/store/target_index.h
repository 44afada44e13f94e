/*
 * target_index.h
 *		The indexes of a table whose rows are written without a statement.
 */
#ifndef INV_TARGET_INDEX_H
#define INV_TARGET_INDEX_H

#include "nodes/execnodes.h"
#include "utils/relcache.h"

/* An index, and which rows it has. */
typedef struct InvTargetIndex
{
	Oid relid;
	ExprState *predicate; /* null: it may have any row */
	IndexInfo *info;	  /* null: to be made each time the index is opened */
} InvTargetIndex;

typedef struct InvTargetIndexes
{
	InvTargetIndex *list;
	int count;
} InvTargetIndexes;

extern void inv_list_target_indexes(InvTargetIndexes *indexes, Relation table, bool row_is_final);
extern bool *inv_begin_target_indexes(const InvTargetIndexes *indexes, ResultRelInfo *target);
extern void inv_open_target_indexes(const InvTargetIndexes *indexes, ResultRelInfo *target,
									bool *opened, ExprContext *context);

#endif /* INV_TARGET_INDEX_H */
