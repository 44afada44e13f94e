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

#include "access/htup_details.h"
#include "access/genam.h"
#include "access/transam.h"
#include "catalog/namespace.h"
#include "commands/trigger.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"

#include "base/compat.h"
#include "store/catalog.h"
#include "store/expression.h"
#include "store/shop_code.h"

/*
 * Has the table a trigger, enabled or not, that is neither of the extension nor of a foreign
 * key?  What the look-ups rebuild is copied before.
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
			inv_is_of_shop(triggers->triggers[i].tgfoid) &&
			get_func_namespace(triggers->triggers[i].tgfoid) != get_namespace_oid(INV_SCHEMA, true);
	FreeTriggerDesc(triggers);
	return found;
}

/* Does the check of a foreign key compare other types than those of the server? */
static bool
has_shop_foreign_key(Relation table)
{
	List *keys = copyObject(RelationGetFKeyList(table));
	ListCell *cell;

	foreach (cell, keys)
	{
		ForeignKeyCacheInfo *key = lfirst(cell);

		for (int i = 0; i < key->nkeys; i++)
			if (inv_is_of_shop(key->conpfeqop[i]) ||
				inv_is_of_shop(get_atttype(key->confrelid, key->confkey[i])) ||
				inv_is_of_shop(get_atttype(key->conrelid, key->conkey[i])))
				return true;
	}
	return false;
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
		found = inv_calls_shop_code(stringToNode(constraints->check[i].ccbin));
	return found;
}

/* Does an index compute or compare something by a function of the shop? */
static bool
is_shop_index(Relation index)
{
	for (int i = 0; i < index->rd_index->indnkeyatts; i++)
		if (inv_is_of_shop(index->rd_opfamily[i]) ||
			inv_type_has_shop_code(TupleDescAttr(RelationGetDescr(index), i)->atttypid))
			return true;
	return index->rd_index->indisexclusion ||
		   inv_calls_shop_code((Node *) RelationGetIndexExpressions(index)) ||
		   inv_calls_shop_code((Node *) RelationGetIndexPredicate(index));
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

		found = found || is_shop_index(index);
		index_close(index, NoLock);
	}
	return found;
}

/*
 * Can writing a row of an open table run code of the shop, beside the defaults of its columns
 * and the policies, which do not bind the engine?
 */
bool
inv_write_runs_shop_code(Relation table)
{
	return has_shop_trigger(table) || has_shop_foreign_key(table) || has_shop_constraint(table) ||
		   has_shop_index(table);
}
