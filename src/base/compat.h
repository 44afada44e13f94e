/*
 * compat.h
 *		Every difference between the supported server versions (15 to 18), and what is
 *		known of 19.
 */
#ifndef INV_COMPAT_H
#define INV_COMPAT_H

#include "access/genam.h"
#include "access/tableam.h"
#include "catalog/pg_namespace.h"
#include "catalog/pg_proc.h"
#include "executor/executor.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "nodes/makefuncs.h"
#include "nodes/nodeFuncs.h"
#include "parser/parse_relation.h"
#include "rewrite/rewriteHandler.h"
#include "storage/lwlock.h"
#include "storage/proc.h"
#include "storage/spin.h"
#include "utils/acl.h"
#include "utils/jsonb.h"
#include "utils/wait_event.h"
#if PG_VERSION_NUM >= 160000
#include "varatt.h"
#endif
#if PG_VERSION_NUM >= 170000
#include "storage/dsm_registry.h"
#include "utils/injection_point.h"
#endif

#if PG_VERSION_NUM >= 180000
#define INV_NORETURN pg_noreturn
#else
#define INV_NORETURN pg_attribute_noreturn()
#endif

/*
 * A place where a test can stop a session, or let it fail (injection points).  There is
 * none unless the server, 17 or later, was configured with --enable-injection-points.
 *
 * After a commit an error would be a PANIC, and to look for what is attached to a point can
 * fail: there INV_POINT_LOADED() runs what INV_POINT_LOAD() has found before.  17 can only
 * look at the point itself.
 */
#if PG_VERSION_NUM < 170000 || !defined(USE_INJECTION_POINTS)
#define INV_POINT(name) ((void) 0)
#define INV_POINT_LOAD(name) ((void) 0)
#define INV_POINT_LOADED(name) ((void) 0)
#elif PG_VERSION_NUM < 180000
#define INV_POINT(name) INJECTION_POINT(name)
#define INV_POINT_LOAD(name) ((void) 0)
#define INV_POINT_LOADED(name) INJECTION_POINT(name)
#else
#define INV_POINT(name) INJECTION_POINT(name, NULL)
#define INV_POINT_LOAD(name) INJECTION_POINT_LOAD(name)
#define INV_POINT_LOADED(name) INJECTION_POINT_CACHED(name, NULL)
#endif

/*
 * The headers of 15 declare the functions that walk through a tree without parameters, which from
 * C23 on means that these have none.
 */
#if PG_VERSION_NUM < 160000
#define INV_FUNCTION(result, function) ((result(*)())(void (*)(void))(function))
#define expression_tree_walker(node, walker, context)                                              \
	(expression_tree_walker)(node, INV_FUNCTION(bool, walker), context)
#define expression_tree_mutator(node, mutator, context)                                            \
	(expression_tree_mutator)(node, INV_FUNCTION(Node *, mutator), context)
#define query_tree_mutator(query, mutator, context, flags)                                         \
	(query_tree_mutator)(query, INV_FUNCTION(Node *, mutator), context, flags)
#endif

/* May the role execute the function? */
static inline bool
inv_may_execute(Oid function, Oid role)
{
#if PG_VERSION_NUM >= 160000
	return object_aclcheck(ProcedureRelationId, function, role, ACL_EXECUTE) == ACLCHECK_OK;
#else
	return pg_proc_aclcheck(function, role, ACL_EXECUTE) == ACLCHECK_OK;
#endif
}

/* May the role use what is in the schema? */
static inline bool
inv_may_use_schema(Oid schema, Oid role)
{
#if PG_VERSION_NUM >= 160000
	return object_aclcheck(NamespaceRelationId, schema, role, ACL_USAGE) == ACLCHECK_OK;
#else
	return pg_namespace_aclcheck(schema, role, ACL_USAGE) == ACLCHECK_OK;
#endif
}

/* Begin to look up rows by an index. */
static inline IndexScanDesc
inv_index_beginscan(Relation table, Relation index, Snapshot snapshot, int key_count)
{
#if PG_VERSION_NUM >= 190000
	return index_beginscan(table, index, snapshot, NULL, key_count, 0, SO_NONE);
#elif PG_VERSION_NUM >= 180000
	return index_beginscan(table, index, snapshot, NULL, key_count, 0);
#else
	return index_beginscan(table, index, snapshot, key_count, 0);
#endif
}

/* Which indexes of a table need an entry for the new version of a row; 0: none. */
#if PG_VERSION_NUM >= 160000
typedef TU_UpdateIndexes InvIndexUpdate;
#else
typedef bool InvIndexUpdate;
#endif

/* Write a new version of a row. */
static inline TM_Result
inv_tuple_update(Relation table, ItemPointer tid, TupleTableSlot *slot, CommandId command,
				 Snapshot snapshot, Snapshot crosscheck, TM_FailureData *failure,
				 LockTupleMode *lock_mode, InvIndexUpdate *indexes)
{
#if PG_VERSION_NUM >= 190000
	return table_tuple_update(table, tid, slot, command, 0, snapshot, crosscheck, true, failure,
							  lock_mode, indexes);
#else
	return table_tuple_update(table, tid, slot, command, snapshot, crosscheck, true, failure,
							  lock_mode, indexes);
#endif
}

/* Insert index entries for the new version of a row. */
static inline void
inv_insert_index_entries(ResultRelInfo *target, EState *estate, TupleTableSlot *slot,
						 InvIndexUpdate indexes pg_attribute_unused())
{
#if PG_VERSION_NUM >= 190000
	(void) ExecInsertIndexTuples(
		target, estate, EIIT_IS_UPDATE | (indexes == TU_Summarizing ? EIIT_ONLY_SUMMARIZING : 0),
		slot, NIL, NULL);
#elif PG_VERSION_NUM >= 160000
	(void) ExecInsertIndexTuples(target, slot, estate, true, false, NULL, NIL,
								 indexes == TU_Summarizing);
#else
	(void) ExecInsertIndexTuples(target, slot, estate, true, false, NULL, NIL);
#endif
}

/* Insert index entries for a new row; returns the indexes whose uniqueness is to be checked later. */
static inline List *
inv_insert_new_entries(ResultRelInfo *target, EState *estate, TupleTableSlot *slot)
{
#if PG_VERSION_NUM >= 190000
	return ExecInsertIndexTuples(target, estate, 0, slot, NIL, NULL);
#elif PG_VERSION_NUM >= 160000
	return ExecInsertIndexTuples(target, slot, estate, false, false, NULL, NIL, false);
#else
	return ExecInsertIndexTuples(target, slot, estate, false, false, NULL, NIL);
#endif
}

/* Make a table the first of an execution, whose columns in "updated" change. */
static inline void
inv_set_updated_table(EState *estate, Relation table, Bitmapset *updated)
{
	RangeTblEntry *entry = makeNode(RangeTblEntry);
#if PG_VERSION_NUM >= 160000
	List *permissions = NIL;
#endif

	entry->rtekind = RTE_RELATION;
	entry->relid = RelationGetRelid(table);
	entry->relkind = table->rd_rel->relkind;
	entry->rellockmode = RowExclusiveLock;
#if PG_VERSION_NUM >= 160000
	addRTEPermissionInfo(&permissions, entry)->updatedCols = updated;
#else
	entry->updatedCols = updated;
#endif
#if PG_VERSION_NUM >= 180000
	ExecInitRangeTable(estate, list_make1(entry), permissions, bms_make_singleton(1));
#elif PG_VERSION_NUM >= 160000
	ExecInitRangeTable(estate, list_make1(entry), permissions);
#else
	ExecInitRangeTable(estate, list_make1(entry));
#endif
}

/* Put expressions in the place of the virtual generated columns of a table; there are none before 18. */
static inline Node *
inv_expand_virtual_columns(Node *expression, Relation table pg_attribute_unused())
{
#if PG_VERSION_NUM >= 180000
	return expand_generated_columns_in_expr(expression, table, 1);
#else
	return expression;
#endif
}

/* Is a CHECK of a table enforced?  Before 18 all are. */
static inline bool
inv_check_is_enforced(const ConstrCheck *check pg_attribute_unused())
{
#if PG_VERSION_NUM >= 180000
	return check->ccenforced;
#else
	return true;
#endif
}

/* The number of this session or worker among the processes of the server, below MaxBackends. */
static inline int
inv_process_number(void)
{
#if PG_VERSION_NUM >= 170000
	Assert(MyProcNumber >= 0 && MyProcNumber < MaxBackends);
	return MyProcNumber;
#else
	Assert(MyProc->pgprocno >= 0 && MyProc->pgprocno < MaxBackends);
	return MyProc->pgprocno;
#endif
}

/* A number for the lightweight locks of this name, before any is made. */
static inline int
inv_new_tranche(const char *name pg_attribute_unused())
{
#if PG_VERSION_NUM >= 190000
	return LWLockNewTrancheId(name);
#else
	return LWLockNewTrancheId();
#endif
}

/* Tell this process the name of such locks, which were made by another one. */
static inline void
inv_name_tranche(int tranche pg_attribute_unused(), const char *name pg_attribute_unused())
{
#if PG_VERSION_NUM < 190000
	LWLockRegisterTranche(tranche, name);
#endif
}

/* A jsonb value under construction, all zero at first; "result" is the value at its end. */
#if PG_VERSION_NUM >= 190000
typedef JsonbInState InvJsonbState;
#else
typedef struct InvJsonbState
{
	JsonbParseState *parts;
	JsonbValue *result;
} InvJsonbState;
#endif

static inline void
inv_jsonb_push(InvJsonbState *state, JsonbIteratorToken token, JsonbValue *value)
{
#if PG_VERSION_NUM >= 190000
	pushJsonbValue(state, token, value);
#else
	state->result = pushJsonbValue(&state->parts, token, value);
#endif
}

#if PG_VERSION_NUM >= 190000
/* Fill a new segment with the function that the argument points to. */
static inline void
inv_fill_segment(void *segment, void *fill)
{
	(*(void (**)(void *)) fill)(segment);
}
#endif

/*
 * A segment of shared memory by name, which the first session that asks for it makes
 * and fills.  Null where the server has no such segments.
 */
static inline void *
inv_named_segment(const char *name pg_attribute_unused(), Size size pg_attribute_unused(),
				  void (*fill)(void *segment) pg_attribute_unused())
{
#if PG_VERSION_NUM >= 190000
	bool found;

	return GetNamedDSMSegment(name, size, inv_fill_segment, &found, &fill);
#elif PG_VERSION_NUM >= 170000
	bool found;

	return GetNamedDSMSegment(name, size, fill, &found);
#else
	return NULL;
#endif
}

/* Let values have a row type that was just described. */
static inline TupleDesc
inv_bless_new_desc(TupleDesc desc)
{
#if PG_VERSION_NUM >= 190000
	TupleDescFinalize(desc);
#endif
	return BlessTupleDesc(desc);
}

/* Give the executor the compiled CHECKs of a table, which it compiles itself if they are null. */
static inline void
inv_set_checks(ResultRelInfo *target, ExprState **checks)
{
#if PG_VERSION_NUM >= 180000
	target->ri_CheckConstraintExprs = checks;
#else
	target->ri_ConstraintExprs = checks;
#endif
}

/* The hook that the planner calls when it has read what the catalogs say of a table. */
#if PG_VERSION_NUM >= 190000
#define inv_relation_hook build_simple_rel_hook
#define INV_RELATION_HOOK_TYPE build_simple_rel_hook_type
#define INV_RELATION_HOOK_PARAMETERS PlannerInfo *root, RelOptInfo *rel, RangeTblEntry *entry
#define INV_RELATION_HOOK_ARGUMENTS root, rel, entry
#define INV_RELATION_HOOK_TABLE (entry->rtekind == RTE_RELATION ? entry->relid : InvalidOid)
#else
#define inv_relation_hook get_relation_info_hook
#define INV_RELATION_HOOK_TYPE get_relation_info_hook_type
#define INV_RELATION_HOOK_PARAMETERS                                                               \
	PlannerInfo *root, Oid relation, bool inhparent, RelOptInfo *rel
#define INV_RELATION_HOOK_ARGUMENTS root, relation, inhparent, rel
#define INV_RELATION_HOOK_TABLE relation
#endif

/* Does any process hold a spinlock?  For assertions; since 19 the server does not tell. */
static inline bool
inv_spinlock_is_held(volatile slock_t *lock pg_attribute_unused())
{
#if PG_VERSION_NUM >= 190000
	return true;
#else
	return !SpinLockFree(lock);
#endif
}

/*
 * A wait event of this name, for pg_stat_activity; kept in *event, which begins as 0.
 * Before 17 a loaded library has no names: all its waits are "Extension".
 */
static inline uint32
inv_wait_event(uint32 *event, const char *name pg_attribute_unused())
{
	if (*event == 0)
	{
#if PG_VERSION_NUM >= 170000
		*event = WaitEventExtensionNew(name);
#else
		*event = PG_WAIT_EXTENSION;
#endif
	}
	return *event;
}

#endif /* INV_COMPAT_H */
