/*
 * shop_code.c
 *		Can a write run code of the shop?
 *
 * A function of the shop finds its tables by the search_path, which has to be that of the
 * store and not of the caller.  To set it costs as much as a tenth of a purchase, so that is
 * left out where a row is written without a statement and nothing of the shop runs.
 *
 * Code of the shop is what was not there when the database was created: functions, and the
 * types and operators that could call some.  Where that is not certain the answer is yes.
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/table.h"
#include "catalog/namespace.h"
#include "catalog/pg_class.h"
#include "catalog/pg_index.h"
#include "commands/trigger.h"
#include "storage/lmgr.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/syscache.h"

#include "store/catalog.h"
#include "store/dependency.h"
#include "store/expression.h"
#include "store/shop_code.h"

/*
 * Has the table a trigger, enabled or not, that is neither of the extension nor of a foreign
 * key?  One of the server's functions can have a WHEN.  What the look-ups rebuild is copied
 * before.
 */
static bool
has_shop_trigger(Relation table)
{
	TriggerDesc *triggers;
	bool found = false;

	if (table->trigdesc == NULL)
		return false;
	triggers = CopyTriggerDesc(table->trigdesc);
	for (int i = 0; !found && i < triggers->numtriggers; i++)
		found =
			RI_FKey_trigger_type(triggers->triggers[i].tgfoid) == RI_TRIGGER_NONE &&
			get_func_namespace(triggers->triggers[i].tgfoid) != get_namespace_oid(INV_SCHEMA, true);
	FreeTriggerDesc(triggers);
	return found;
}

/* Does the table check or compute something by a function of the shop? */
static bool
has_shop_constraint(Relation table)
{
	TupleConstr *constraints = RelationGetDescr(table)->constr;
	bool found = false;

	if (constraints == NULL)
		return false;
	if (constraints->has_generated_stored)
		return true;
	for (int i = 0; !found && i < constraints->num_check; i++)
		found = inv_calls_shop_code(inv_check_condition(&constraints->check[i], table));
	return found;
}

/*
 * Has an index, as it was created, an expression or predicate that calls code of the shop?
 * From those of the relcache, calls with constants are gone, and are made again by whichever
 * session next reads the index.
 */
static bool
is_shop_expression(Relation index, AttrNumber attribute)
{
	bool none;
	Datum source = SysCacheGetAttr(INDEXRELID, index->rd_indextuple, attribute, &none);

	return !none && inv_calls_shop_code(stringToNode(TextDatumGetCString(source)));
}

/* Does an index compute or compare something by a function of the shop? */
bool
inv_index_runs_shop_code(Relation index)
{
	for (int i = 0; i < index->rd_index->indnkeyatts; i++)
		if (inv_is_of_shop(index->rd_opfamily[i]) ||
			inv_type_has_shop_code(TupleDescAttr(RelationGetDescr(index), i)->atttypid))
			return true;
	return index->rd_index->indisexclusion || is_shop_expression(index, Anum_pg_index_indexprs) ||
		   is_shop_expression(index, Anum_pg_index_indpred);
}

static bool
has_shop_index(Relation table)
{
	List *indexes = RelationGetIndexList(table);
	ListCell *cell;
	bool found = false;

	foreach (cell, indexes)
	{
		Relation index = index_open(lfirst_oid(cell), AccessShareLock);

		found = found || inv_index_runs_shop_code(index);
		index_close(index, NoLock);
	}
	return found;
}

/* Can planning a query of an open table, or checking its rows, run code of the shop? */
static bool
is_shop_table(Relation table)
{
	return table->rd_rel->relkind != RELKIND_RELATION || table->rd_rel->relispartition ||
		   has_shop_constraint(table) || has_shop_index(table);
}

/*
 * Can the check of a foreign key run code of the shop?  It is a query of the table that the key
 * refers to, which the extended statistics of that table are read for, too.
 */
static bool
is_shop_reference(const ForeignKeyCacheInfo *key)
{
	Relation referenced;
	bool found = false;

	for (int i = 0; !found && i < key->nkeys; i++)
		found = inv_is_of_shop(key->conpfeqop[i]) ||
				inv_is_of_shop(get_atttype(key->confrelid, key->confkey[i])) ||
				inv_is_of_shop(get_atttype(key->conrelid, key->conkey[i]));
	if (found)
		return true;
	referenced = table_open(key->confrelid, NoLock);
	found = is_shop_table(referenced) || RelationGetStatExtList(referenced) != NIL;
	table_close(referenced, NoLock);
	return found;
}

/*
 * Can the checks of the foreign keys of an open table run code of the shop?  If not, "others" has
 * the tables that they refer to and the store has not locked.  These are locked as a check locks
 * them, and the store follows their changes from now on.
 */
bool
inv_key_checks_run_shop_code(InvStore *store, Relation table, List **others)
{
	/* a copy, because a look-up can replace the relcache's */
	List *keys = copyObject(RelationGetFKeyList(table));
	ListCell *cell;

	*others = NIL;
	foreach (cell, keys)
	{
		const ForeignKeyCacheInfo *key = lfirst(cell);

		if (key->confrelid != store->items && key->confrelid != store->orders &&
			key->confrelid != store->header)
		{
			inv_depend(&store->dependencies, INV_DEPENDENCY_RELATION, key->confrelid);
			LockRelationOid(key->confrelid, RowShareLock);
			*others = list_append_unique_oid(*others, key->confrelid);
		}
		if (is_shop_reference(key))
		{
			*others = NIL;
			return true;
		}
	}
	return false;
}

/*
 * Can writing a row of an open table run code of the shop, beside the defaults of its columns,
 * the checks of its foreign keys, and the policies, which do not bind the engine?
 */
bool
inv_write_runs_shop_code(Relation table)
{
	return has_shop_trigger(table) || is_shop_table(table);
}
