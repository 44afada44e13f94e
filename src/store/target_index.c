/*
 * target_index.c
 *		The indexes of a table whose rows are written without a statement.
 *
 * What the server reads from the catalogs for each statement is kept as long as the binding is
 * valid: a change of the table's list of indexes makes it invalid.  Expects the table to be
 * locked as a statement that writes it does.
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "catalog/index.h"
#include "catalog/pg_am.h"
#include "catalog/pg_index.h"
#include "executor/executor.h"
#include "optimizer/optimizer.h"
#include "utils/rel.h"

#include "store/expression.h"
#include "store/shop_code.h"
#include "store/target_index.h"

/*
 * May what the server knows of an index be kept?  An index that is being built or dropped is
 * looked at each time: whether it takes rows changes without a change of the list.  Expressions,
 * and a predicate that is not kept, are compiled for each statement, and other access methods can
 * keep memory of one.
 */
static bool
may_keep_info(Relation index, const InvTargetIndex *kept)
{
	const FormData_pg_index *form = index->rd_index;

	return index->rd_rel->relam == BTREE_AM_OID && form->indisready && form->indisvalid &&
		   form->indislive && !form->indisexclusion &&
		   heap_attisnull(index->rd_indextuple, Anum_pg_index_indexprs, NULL) &&
		   (kept->predicate || heap_attisnull(index->rd_indextuple, Anum_pg_index_indpred, NULL));
}

/*
 * List the indexes, in the current memory context.  Opening one costs more than evaluating its
 * predicate, and a sale, for instance, is never in the partial index of refunds.  The predicate
 * can tell that only if nothing changes the row after it was put together.  To simplify it can
 * run functions of the shop: expects the search_path of the store.
 */
void
inv_list_target_indexes(InvTargetIndexes *indexes, Relation table, bool row_is_final)
{
	List *relids = RelationGetIndexList(table);
	ListCell *cell;

	indexes->list = palloc0(sizeof(InvTargetIndex) * list_length(relids));
	foreach (cell, relids)
	{
		InvTargetIndex *new = &indexes->list[indexes->count++];
		Relation index = index_open(lfirst_oid(cell), AccessShareLock);
		List *predicate = RelationGetIndexPredicate(index);

		new->relid = lfirst_oid(cell);
		if (row_is_final && predicate && !inv_index_runs_shop_code(index) &&
			inv_may_keep_expression((Node *) predicate))
			new->predicate = ExecInitQual((List *) expression_planner((Expr *) predicate), NULL);
		if (may_keep_info(index, new))
		{
			new->info = BuildIndexInfo(index);
			new->info->ii_PredicateState = new->predicate;
		}
		index_close(index, NoLock);
	}
}

/* Begin to open indexes, in the current memory context; returns which are open, as yet none. */
bool *
inv_begin_target_indexes(const InvTargetIndexes *indexes, ResultRelInfo *target)
{
	target->ri_IndexRelationDescs = palloc(sizeof(Relation) * indexes->count);
	target->ri_IndexRelationInfo = palloc(sizeof(IndexInfo *) * indexes->count);
	return palloc0(sizeof(bool) * indexes->count);
}

/* Open those indexes, in the current memory context, that the row of the context belongs to. */
void
inv_open_target_indexes(const InvTargetIndexes *indexes, ResultRelInfo *target, bool *opened,
						ExprContext *context)
{
	for (int i = 0; i < indexes->count; i++)
	{
		const InvTargetIndex *index = &indexes->list[i];
		Relation relation;

		if (opened[i] || (index->predicate && !ExecQual(index->predicate, context)))
			continue;
		relation = index_open(index->relid, RowExclusiveLock);
		target->ri_IndexRelationDescs[target->ri_NumIndices] = relation;
		target->ri_IndexRelationInfo[target->ri_NumIndices++] =
			index->info ? index->info : BuildIndexInfo(relation);
		opened[i] = true;
	}
}
