/*
 * binding.c
 *		From the catalogs to a store: which tables, which columns, whose.
 *
 * A row of inventory.store names the tables.  Their columns are remembered by the
 * binding triggers on items and orders, because a trigger's column list follows
 * renames and is dumped by name; neither a name nor a column number in a table of
 * the extension would.
 *
 * All of this is the owner's to change, and an owner of tables need not be trusted
 * with the server's memory: what the engine relies on is checked here, and raised
 * as a broken store.
 *
 * Expects the tables to be locked; writes nothing but the InvStore.
 */
#include "postgres.h"

#include "access/relation.h"
#include "access/table.h"
#include "catalog/namespace.h"
#include "catalog/pg_proc.h"
#include "catalog/pg_trigger.h"
#include "catalog/pg_type.h"
#include "commands/trigger.h"
#include "nodes/parsenodes.h"
#include "parser/parse_func.h"
#include "storage/lmgr.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"

#include "base/datum.h"
#include "base/error.h"
#include "base/store_error.h"
#include "store/binding.h"
#include "store/catalog.h"
#include "store/condition.h"
#include "store/dependency.h"
#include "store/ledger_schema.h"

/* ---- columns ---- */

static void
bind_column(InvStore *store, InvColumn *column, Relation rel, AttrNumber attnum)
{
	FormData_pg_attribute attr;
	bool filled_by_trigger = rel->trigdesc && rel->trigdesc->trig_insert_before_row;

	Assert(attnum > 0 && attnum <= RelationGetNumberOfAttributes(rel));
	attr = *TupleDescAttr(RelationGetDescr(rel), attnum - 1);
	column->attnum = attnum;
	column->type = attr.atttypid;
	column->base = inv_base_type(attr.atttypid);
	column->typmod = attr.atttypmod;
	column->collation = attr.attcollation;
	column->notnull = attr.attnotnull;
	/* a trigger may fill any column */
	column->filled = attr.atthasdef || attr.attidentity || attr.attgenerated ||
					 get_typdefault(attr.atttypid) != NULL || filled_by_trigger;
	column->key = pstrdup(NameStr(attr.attname));
	column->name = pstrdup(quote_identifier(column->key));
	/* a domain can get a default */
	if (attr.atttypid >= FirstNormalObjectId)
		inv_depend(&store->dependencies, INV_DEPENDENCY_TYPE, attr.atttypid);
}

/* Raise if a column of quantities rounds whole units, as numeric with a negative scale does. */
static void
check_scale(Relation orders, const InvColumn *quantity)
{
	int32 typmod = quantity->typmod;

	if (quantity->base != NUMERICOID)
		return;
	(void) getBaseTypeAndTypmod(quantity->type, &typmod);
	/* the lowest 11 bits are the scale, with a sign */
	if (typmod >= VARHDRSZ && ((typmod - VARHDRSZ) & 0x400) != 0)
		inv_error_rounding_column(RelationGetRelationName(orders), quantity->key);
}

/* The column of the store that has a role in items or in orders; NULL if no column has it there. */
static InvColumn *
column_of_role(InvStore *store, const char *role, bool is_orders)
{
	static const struct
	{
		const char *role;
		bool is_orders;
		size_t offset;
	} roles[] = {
		{ "item_id", false, offsetof(InvStore, item_id) },
		{ "stock", false, offsetof(InvStore, stock) },
		{ "version", false, offsetof(InvStore, version) },
		{ "stock_floor", false, offsetof(InvStore, stock_floor) },
		{ "purchase_limit", false, offsetof(InvStore, purchase_limit) },
		{ "order_id", true, offsetof(InvStore, order_id) },
		{ "order_user_id", true, offsetof(InvStore, order_user) },
		{ "order_item_id", true, offsetof(InvStore, order_item) },
		{ "order_quantity", true, offsetof(InvStore, order_quantity) },
	};

	for (size_t i = 0; i < lengthof(roles); i++)
		if (roles[i].is_orders == is_orders && strcmp(roles[i].role, role) == 0)
			return (InvColumn *) ((char *) store + roles[i].offset);
	return NULL;
}

/* Is it a binding trigger of the store?  The owner may have renamed it. */
static bool
is_binding_trigger(InvStore *store, const Trigger *trigger, Oid function)
{
	return trigger->tgfoid == function && trigger->tgnargs > 0 &&
		   strcmp(trigger->tgargs[0], store->store_name) == 0;
}

/* Of two binding triggers, the name of the one that attach did not make, as far as one can tell. */
static const char *
surplus_binding(const Trigger *one, const Trigger *other)
{
	if ((one->tgenabled == TRIGGER_DISABLED) != (other->tgenabled == TRIGGER_DISABLED))
		return one->tgenabled == TRIGGER_DISABLED ? other->tgname : one->tgname;
	return strncmp(one->tgname, "inventory_binding", strlen("inventory_binding")) == 0
			   ? other->tgname
			   : one->tgname;
}

/*
 * The store's binding trigger among the triggers of a relation.  There must be one: of
 * two, either could have been made by a role that is not to choose the columns.
 */
static const Trigger *
find_binding_trigger(InvStore *store, Relation rel, const TriggerDesc *triggers)
{
	Oid function =
		LookupFuncName(list_make2(makeString(INV_SCHEMA), makeString("binding")), 0, NULL, false);
	const Trigger *found = NULL;

	for (int i = 0; triggers && i < triggers->numtriggers; i++)
	{
		const Trigger *trigger = &triggers->triggers[i];

		if (!is_binding_trigger(store, trigger, function))
			continue;
		if (found)
			inv_error_surplus_trigger(store->store_name, surplus_binding(found, trigger),
									  inv_catalog_table_name(RelationGetRelid(rel)));
		found = trigger;
	}
	if (found == NULL || found->tgnattr != found->tgnargs - 1)
		inv_error_broken_store(store->store_name, store->items,
							   psprintf("The trigger that remembers the columns of "
										"\"%s\" is gone.",
										RelationGetRelationName(rel)));
	return found;
}

/*
 * Bind the columns that the store's binding trigger on the relation lists.  The
 * trigger's arguments are the store's name and then, for each column of its
 * list, the column's role.  A "+" at the end of the role, or alone, lets callers
 * set the column.
 */
static void
bind_columns(InvStore *store, Relation rel, bool is_orders)
{
	/* a copy, because each look-up can rebuild the relation's own */
	TriggerDesc *triggers = CopyTriggerDesc(rel->trigdesc);
	const Trigger *trigger = find_binding_trigger(store, rel, triggers);

	Assert(store->nsettable == 0);
	if (is_orders)
		store->settable = palloc0(sizeof(InvColumn) * Max(trigger->tgnattr, 1));
	for (int i = 0; i < trigger->tgnattr; i++)
	{
		AttrNumber attnum = trigger->tgattr[i];
		char *role = trigger->tgargs[i + 1];
		size_t length = strlen(role);
		InvColumn *column;

		if (length > 0 && role[length - 1] == '+')
		{
			if (!is_orders || store->nsettable >= INV_MAX_SETTABLE)
				inv_error_broken_store(store->store_name, store->items,
									   "Its binding trigger is not the generated one.");
			role[length - 1] = '\0';
			bind_column(store, &store->settable[store->nsettable++], rel, attnum);
		}
		if ((column = column_of_role(store, role, is_orders)) != NULL)
			bind_column(store, column, rel, attnum);
	}
	FreeTriggerDesc(triggers);
}

/* ---- names and texts ---- */

/*
 * The search_path under which statements and code of the shop run, so that its triggers
 * find their tables.
 */
static char *
pinned_path(Relation items, Relation orders)
{
	StringInfoData path;

	initStringInfo(&path);
	appendStringInfo(&path, "pg_catalog, %s",
					 quote_identifier(get_namespace_name(RelationGetNamespace(items))));
	if (orders && RelationGetNamespace(orders) != RelationGetNamespace(items))
		appendStringInfo(&path, ", %s",
						 quote_identifier(get_namespace_name(RelationGetNamespace(orders))));
	appendStringInfoString(&path, ", pg_temp");
	return path.data;
}

/* ---- checks ---- */

static Oid
column_type(Relation rel, const char *name)
{
	AttrNumber attnum = get_attnum(RelationGetRelid(rel), name);

	if (attnum == InvalidAttrNumber)
		inv_error_unknown_column(name, inv_catalog_table_name(RelationGetRelid(rel)), NULL);
	return inv_base_type(get_atttype(RelationGetRelid(rel), attnum));
}

static Oid
column_collation(Oid table, AttrNumber attnum)
{
	Oid type, collation;
	int32 typmod;

	get_atttypetypmodcoll(table, attnum, &type, &typmod, &collation);
	return collation;
}

static bool
is_units_column(const InvColumn *column)
{
	return column->attnum == InvalidAttrNumber || column->base == INT2OID ||
		   column->base == INT4OID || column->base == INT8OID;
}

static bool
is_id_type(Oid type)
{
	return type == UUIDOID || type == INT2OID || type == INT4OID || type == INT8OID ||
		   type == TEXTOID;
}

/*
 * The engine reads a datum as the type that the binding says.  attach has checked
 * the types, but the owner can change them.
 */
static void
check_types(InvStore *store)
{
	if (!is_id_type(store->item_id.base) || !is_id_type(store->user_type) ||
		!is_id_type(store->order_type) ||
		(store->order_id.attnum && store->order_id.base != store->order_type) ||
		!is_units_column(&store->stock) || !is_units_column(&store->version) ||
		!is_units_column(&store->stock_floor) || !is_units_column(&store->purchase_limit))
		inv_error_broken_store(store->store_name, store->items,
							   "A bound column or a column of the ledger has an unsupported type.");
}

static void
check_owners(InvStore *store, Relation orders, Relation movements)
{
	if (orders && orders->rd_rel->relowner != store->owner)
		inv_error_owners(store->store_name, store->items,
						 "Items and orders have different owners.");
	if (movements->rd_rel->relowner != store->owner)
		inv_error_owners(store->store_name, store->items,
						 "Items and the ledger have different owners.");
}

/*
 * The tables of the ledger compare ids as the columns do that the ids come from; else
 * a statement would take two spellings of a user, an item or an order for two of them.
 */
static void
check_collations(InvStore *store)
{
	const struct
	{
		InvLedgerTable table;
		const char *name;
		const InvColumn *column;
	} ids[] = {
		{ INV_LEDGER_MOVEMENTS, "item_id", &store->item_id },
		{ INV_LEDGER_MOVEMENTS, "user_id", &store->order_user },
		{ INV_LEDGER_MOVEMENTS, "order_id", &store->order_id },
		{ INV_LEDGER_RESERVATIONS, "item_id", &store->item_id },
		{ INV_LEDGER_RESERVATIONS, "user_id", &store->order_user },
		{ INV_LEDGER_REQUESTS, "user_id", &store->order_user },
		{ INV_LEDGER_HOT, "item_id", &store->item_id },
		{ INV_LEDGER_ORDER_CHANGES, "order_id", &store->order_id },
		{ INV_LEDGER_ORDER_CHANGES, "item_before", &store->order_item },
		{ INV_LEDGER_ORDER_CHANGES, "item_after", &store->order_item },
		{ INV_LEDGER_ORDER_CHANGES, "user_before", &store->order_user },
		{ INV_LEDGER_ORDER_CHANGES, "user_after", &store->order_user },
	};

	for (size_t i = 0; i < lengthof(ids); i++)
	{
		Oid table = store->ledger[ids[i].table];
		AttrNumber attnum = OidIsValid(table) ? get_attnum(table, ids[i].name) : InvalidAttrNumber;

		if (ids[i].column->attnum != InvalidAttrNumber && attnum != InvalidAttrNumber &&
			column_collation(table, attnum) != ids[i].column->collation)
			inv_error_broken_store(
				store->store_name, store->items,
				psprintf("Column \"%s\" of \"%s\" has another collation than the ids of the store.",
						 ids[i].name, get_rel_name(table)));
	}
}

/* The types of users and orders, and how users are compared. */
static void
bind_ids(InvStore *store, Relation movements)
{
	store->user_type = column_type(movements, "user_id");
	store->order_type = column_type(movements, "order_id");
	check_types(store);
	check_collations(store);
	store->user_collation =
		store->order_user.attnum
			? store->order_user.collation
			: column_collation(RelationGetRelid(movements),
							   get_attnum(RelationGetRelid(movements), "user_id"));
	store->user_ops = lookup_type_cache(store->user_type, TYPECACHE_EQ_OPR_FINFO |
															  TYPECACHE_HASH_EXTENDED_PROC_FINFO);
	store->item_ops = lookup_type_cache(
		store->item_id.base, TYPECACHE_CMP_PROC_FINFO | TYPECACHE_HASH_EXTENDED_PROC_FINFO);
}

static void
check_required_columns(InvStore *store)
{
	if (!store->item_id.attnum || !store->stock.attnum ||
		(OidIsValid(store->orders) && (!store->order_id.attnum || !store->order_item.attnum)))
		inv_error_broken_store(store->store_name, store->items, "A required column is not bound.");
}

/* ---- row security ---- */

/*
 * Do policies of one of the store's tables bind its owner, as whom the engine acts?  As
 * the catalogs are now, which can be later than the binding.
 */
bool
inv_binding_forces_policies(const InvStore *store)
{
	bool any =
		inv_catalog_forces_policies(store->items) || inv_catalog_forces_policies(store->orders);

	for (int i = INV_LEDGER_NONE + 1; !any && i < INV_LEDGER_COUNT; i++)
		any = inv_catalog_forces_policies(store->ledger[i]);
	return any;
}

/* ---- the store ---- */

/* What a store is before its columns are bound. */
static void
set_tables(InvStore *store, const InvCatalogRow *row, Relation items, Relation orders, Oid ledger)
{
	store->store_name = pstrdup(row->store_name);
	store->items = row->items;
	store->orders = row->orders;
	store->order_row = orders ? orders->rd_rel->reltype : InvalidOid;
	store->ledger[INV_LEDGER_MOVEMENTS] = row->movements;
	store->ledger[INV_LEDGER_RESERVATIONS] = get_relname_relid("reservations", ledger);
	store->ledger[INV_LEDGER_REQUESTS] = get_relname_relid("requests", ledger);
	store->ledger[INV_LEDGER_HOT] = get_relname_relid("hot", ledger);
	if (orders)
		store->ledger[INV_LEDGER_ORDER_CHANGES] = get_relname_relid("order_changes", ledger);
	store->may_be_hot = true;
	store->user_claim = row->user_claim ? pstrdup(row->user_claim) : NULL;
	store->refuse_direct = row->refuse_direct;
	store->order_writes = row->order_writes;
	store->has_order_units = row->has_order_units;
	store->max_ttl = row->max_ttl;
	store->owner = items->rd_rel->relowner;
	store->items_name = inv_catalog_table_name(RelationGetRelid(items));
	store->orders_name = orders ? inv_catalog_table_name(RelationGetRelid(orders)) : NULL;
	store->ledger_name = pstrdup(quote_identifier(get_namespace_name(ledger)));
	store->path = pinned_path(items, orders);
	store->forces_policies = inv_binding_forces_policies(store);
}

/* Note which tables and schemas the store is read from. */
static void
depend_on_tables(InvStore *store, Oid ledger)
{
	InvDependencies *dependencies = &store->dependencies;

	inv_depend(dependencies, INV_DEPENDENCY_RELATION, store->items);
	inv_depend(dependencies, INV_DEPENDENCY_SCHEMA, get_rel_namespace(store->items));
	if (OidIsValid(store->orders))
	{
		inv_depend(dependencies, INV_DEPENDENCY_RELATION, store->orders);
		inv_depend(dependencies, INV_DEPENDENCY_SCHEMA, get_rel_namespace(store->orders));
	}
	/* where a table of the ledger is missing, any that is made may be the one */
	for (int i = INV_LEDGER_NONE + 1; i < INV_LEDGER_COUNT; i++)
		if (i != INV_LEDGER_ORDER_CHANGES || OidIsValid(store->orders))
			inv_depend(dependencies, INV_DEPENDENCY_RELATION, store->ledger[i]);
	inv_depend(dependencies, INV_DEPENDENCY_SCHEMA, ledger);
	/* the version of the items table contains places of their rows, which a rewrite changes */
	inv_depend(dependencies, INV_DEPENDENCY_RELATION, TriggerRelationId);
	inv_depend(dependencies, INV_DEPENDENCY_RELATION, ProcedureRelationId);
}

static void
fill_store(InvStore *store, const InvCatalogRow *row, Relation items, Relation orders,
		   Relation movements)
{
	Oid ledger = RelationGetNamespace(movements);

	Assert((orders != NULL) == OidIsValid(row->orders));
	set_tables(store, row, items, orders, ledger);
	depend_on_tables(store, ledger);
	bind_columns(store, items, false);
	if (orders)
	{
		bind_columns(store, orders, true);
		check_scale(orders, &store->order_quantity);
	}
	check_owners(store, orders, movements);
	check_required_columns(store);
	bind_ids(store, movements);
	if (row->has_sellable)
	{
		store->sellable_view = get_relname_relid("sellable", ledger);
		store->sellable = inv_condition_read(store->store_name, store->items, store->sellable_view,
											 row->settings);
		inv_depend_on_view(&store->dependencies, store->sellable_view);
	}
}

/*
 * Lock the tables that a row names: this waits for a session that changes one of
 * them, and keeps others from doing so.
 */
void
inv_binding_lock(const InvCatalogRow *row, LOCKMODE lock)
{
	LockRelationOid(row->items, lock);
	if (OidIsValid(row->orders))
		LockRelationOid(row->orders, lock);
	LockRelationOid(row->movements, AccessShareLock);
}

/*
 * Fill a store, in the current memory context, from the locked tables that a row
 * names; false if one of them is gone.  Raises what makes it unfit to be used.
 */
bool
inv_binding_fill(InvStore *store, const InvCatalogRow *row)
{
	Relation items, orders = NULL, movements;
	bool complete;

	Assert(store->context == CurrentMemoryContext && !store->valid);
	items = try_relation_open(row->items, NoLock);
	if (OidIsValid(row->orders))
		orders = try_relation_open(row->orders, NoLock);
	movements = try_relation_open(row->movements, NoLock);

	complete = items && movements && (orders || !OidIsValid(row->orders));
	if (complete)
		fill_store(store, row, items, orders, movements);
	if (items)
		relation_close(items, NoLock);
	if (orders)
		relation_close(orders, NoLock);
	if (movements)
		relation_close(movements, NoLock);
	return complete;
}

PG_FUNCTION_INFO_V1(inventory_binding);

/* The binding trigger does nothing: its arguments and its column list are what counts. */
Datum
inventory_binding(PG_FUNCTION_ARGS pg_attribute_unused())
{
	return PointerGetDatum(NULL);
}
