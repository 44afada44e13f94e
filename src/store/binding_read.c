/*
 * binding_read.c
 *		From the catalogs to a store: which tables, which columns, whose.
 *
 * A row of inventory.store names the tables.  Their columns are remembered by the
 * binding triggers on these tables, because a trigger's column list follows
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
#include "catalog/pg_proc.h"
#include "catalog/pg_rewrite.h"
#include "catalog/pg_trigger.h"
#include "catalog/pg_type.h"
#include "commands/trigger.h"
#include "nodes/parsenodes.h"
#include "parser/parse_func.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"

#include "base/datum.h"
#include "base/error.h"
#include "base/store_error.h"
#include "store/binding.h"
#include "store/binding_check.h"
#include "store/binding_read.h"
#include "store/binding_worth.h"
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

/* The tables of a store whose columns are bound. */
typedef enum BoundTable
{
	BOUND_TABLE_ITEMS,
	BOUND_TABLE_ORDERS,
	BOUND_TABLE_HEADER
} BoundTable;

/* The column of the store that has a role in a table; NULL if no column has it there. */
static InvColumn *
column_of_role(InvStore *store, const char *role, BoundTable table)
{
	static const struct
	{
		const char *role;
		BoundTable table;
		size_t offset;
	} roles[] = {
		{ "item_id", BOUND_TABLE_ITEMS, offsetof(InvStore, item_id) },
		{ "stock", BOUND_TABLE_ITEMS, offsetof(InvStore, stock) },
		{ "version", BOUND_TABLE_ITEMS, offsetof(InvStore, version) },
		{ "stock_floor", BOUND_TABLE_ITEMS, offsetof(InvStore, stock_floor) },
		{ "purchase_limit", BOUND_TABLE_ITEMS, offsetof(InvStore, purchase_limit) },
		{ "order_limit", BOUND_TABLE_ITEMS, offsetof(InvStore, order_limit) },
		{ "order_id", BOUND_TABLE_ORDERS, offsetof(InvStore, order_id) },
		{ "order_user_id", BOUND_TABLE_ORDERS, offsetof(InvStore, order_user) },
		{ "order_item_id", BOUND_TABLE_ORDERS, offsetof(InvStore, order_item) },
		{ "order_quantity", BOUND_TABLE_ORDERS, offsetof(InvStore, order_quantity) },
		{ "order_header_id", BOUND_TABLE_ORDERS, offsetof(InvStore, order_header) },
		{ "header_id", BOUND_TABLE_HEADER, offsetof(InvStore, header_id) },
		{ "header_user_id", BOUND_TABLE_HEADER, offsetof(InvStore, header_user) },
	};

	for (size_t i = 0; i < lengthof(roles); i++)
		if (roles[i].table == table && strcmp(roles[i].role, role) == 0)
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

/* Bind a column that rows can be given, in addition to what the engine fills. */
static void
add_to_list(InvStore *store, InvColumnList *list, Relation rel, AttrNumber attnum,
			const char *label)
{
	InvColumn *column = list ? &list->columns[list->count] : NULL;

	if (list == NULL || list->count >= INV_MAX_SETTABLE)
		inv_error_broken_store(store->store_name, store->items,
							   "Its binding trigger is not the generated one.");
	bind_column(store, column, rel, attnum);
	column->label = label ? pstrdup(label) : column->key;
	list->count++;
}

/*
 * Bind the columns that the store's binding trigger on the relation lists.  The
 * trigger's arguments are the store's name and then, for each column of its
 * list, the column's role.  A "+" at the end of the role, or alone, lets callers
 * set the column.  "=" and a name, likewise, is a column that prepare_order computes, and
 * what it calls the column; "*" before it: from the quantity of the line.
 */
static void
bind_columns(InvStore *store, Relation rel, BoundTable table, bool has_prepare)
{
	/* a copy, because each look-up can rebuild the relation's own */
	TriggerDesc *triggers = CopyTriggerDesc(rel->trigdesc);
	const Trigger *trigger = find_binding_trigger(store, rel, triggers);
	InvColumnList *list = table == BOUND_TABLE_ORDERS	? &store->order_columns
						  : table == BOUND_TABLE_HEADER ? &store->header_columns
														: NULL;

	if (list)
		list->columns = palloc0(sizeof(InvColumn) *
								(has_prepare ? INV_MAX_SETTABLE : Max(trigger->tgnattr, 1)));
	for (int i = 0; i < trigger->tgnattr; i++)
	{
		AttrNumber attnum = trigger->tgattr[i];
		char *role = pstrdup(trigger->tgargs[i + 1]);
		size_t length = strlen(role);
		InvColumn *column;

		if (strchr(role, '='))
			*strchr(role, '=') = '\0';
		else if (length > 0 && role[length - 1] == '+')
		{
			role[length - 1] = '\0';
			if (strcmp(role, "order_header_id") == 0 && list)
				store->header_bit = UINT64CONST(1) << list->count;
			add_to_list(store, list, rel, attnum, NULL);
			list->settable = list->count;
		}
		if ((column = column_of_role(store, role, table)) != NULL)
			bind_column(store, column, rel, attnum);
	}
	for (int i = 0; i < trigger->tgnattr; i++)
	{
		const char *computed = strchr(trigger->tgargs[i + 1], '=');

		if (computed == NULL)
			continue;
		add_to_list(store, list, rel, trigger->tgattr[i], computed + 1);
		list->columns[list->count - 1].by_quantity = trigger->tgargs[i + 1][0] == '*';
	}
	FreeTriggerDesc(triggers);
}

/* Add a column to a list of the store, whose table is locked: prepare_order gives it to a row. */
void
inv_binding_add_column(InvStore *store, InvColumnList *list, Oid table, AttrNumber attnum)
{
	MemoryContext old = MemoryContextSwitchTo(store->context);
	Relation rel = relation_open(table, NoLock);

	add_to_list(store, list, rel, attnum, NULL);
	relation_close(rel, NoLock);
	MemoryContextSwitchTo(old);
}

/* ---- names and texts ---- */

/*
 * The search_path under which statements and code of the shop run, so that its triggers
 * find their tables.
 */
static char *
pinned_path(const InvStore *store)
{
	const Oid tables[] = { store->items, store->orders, store->header };
	List *schemas = NIL;
	StringInfoData path;

	initStringInfo(&path);
	appendStringInfoString(&path, "pg_catalog");
	for (size_t i = 0; i < lengthof(tables); i++)
	{
		Oid schema = OidIsValid(tables[i]) ? get_rel_namespace(tables[i]) : InvalidOid;

		if (!OidIsValid(schema) || list_member_oid(schemas, schema))
			continue;
		schemas = lappend_oid(schemas, schema);
		appendStringInfo(&path, ", %s", quote_identifier(get_namespace_name(schema)));
	}
	appendStringInfoString(&path, ", pg_temp");
	return path.data;
}

/* ---- ids ---- */

static Oid
column_type(Relation rel, const char *name)
{
	AttrNumber attnum = get_attnum(RelationGetRelid(rel), name);

	if (attnum == InvalidAttrNumber)
		inv_error_unknown_column(name, inv_catalog_table_name(RelationGetRelid(rel)), NULL);
	return inv_base_type(get_atttype(RelationGetRelid(rel), attnum));
}

/* The types of users and orders, and how users are compared. */
static void
bind_ids(InvStore *store, Relation movements)
{
	const InvColumn *user = inv_user_column(store);

	store->user_type = column_type(movements, "user_id");
	store->order_type = column_type(movements, "order_id");
	store->header_type = OidIsValid(store->header) ? store->header_id.base : TEXTOID;
	inv_check_binding_types(store);
	inv_check_binding_collations(store);
	store->user_collation = user->attnum
								? user->collation
								: inv_column_collation(RelationGetRelid(movements), "user_id");
	store->user_ops = lookup_type_cache(store->user_type, TYPECACHE_EQ_OPR_FINFO |
															  TYPECACHE_HASH_EXTENDED_PROC_FINFO);
	store->item_ops = lookup_type_cache(
		store->item_id.base, TYPECACHE_CMP_PROC_FINFO | TYPECACHE_HASH_EXTENDED_PROC_FINFO);
}

/* ---- row security ---- */

/*
 * Do policies of one of the store's tables bind its owner, as whom the engine acts?  As
 * the catalogs are now, which can be later than the binding.
 */
bool
inv_binding_forces_policies(const InvStore *store)
{
	bool any = inv_catalog_forces_policies(store->items) ||
			   inv_catalog_forces_policies(store->orders) ||
			   inv_catalog_forces_policies(store->header);

	for (int i = INV_LEDGER_NONE + 1; !any && i < INV_LEDGER_COUNT; i++)
		any = inv_catalog_forces_policies(store->ledger[i]);
	return any;
}

/* ---- the store ---- */

/* What a store is before its columns are bound. */
static void
set_tables(InvStore *store, const InvCatalogRow *row, Relation items, Oid ledger)
{
	store->store_name = pstrdup(row->store_name);
	store->items = row->items;
	store->orders = row->orders;
	store->order_row = OidIsValid(row->orders) ? get_rel_type_id(row->orders) : InvalidOid;
	store->header = row->header;
	store->header_row = OidIsValid(row->header) ? get_rel_type_id(row->header) : InvalidOid;
	store->ledger[INV_LEDGER_MOVEMENTS] = row->movements;
	store->ledger[INV_LEDGER_RESERVATIONS] = get_relname_relid("reservations", ledger);
	store->ledger[INV_LEDGER_REQUESTS] = get_relname_relid("requests", ledger);
	store->ledger[INV_LEDGER_HOT] = get_relname_relid("hot", ledger);
	if (OidIsValid(row->orders))
		store->ledger[INV_LEDGER_ORDER_CHANGES] = get_relname_relid("order_changes", ledger);
	store->may_be_hot = true;
	store->user_claim = row->user_claim ? pstrdup(row->user_claim) : NULL;
	store->direct_writes = row->direct_writes;
	store->refuses_truncate = row->refuses_truncate;
	store->order_writes = row->order_writes;
	store->has_order_units = row->has_order_units;
	store->max_ttl = row->max_ttl;
	store->owner = items->rd_rel->relowner;
	store->items_name = inv_catalog_table_name(RelationGetRelid(items));
	store->orders_name = OidIsValid(row->orders) ? inv_catalog_table_name(row->orders) : NULL;
	store->header_name = OidIsValid(row->header) ? inv_catalog_table_name(row->header) : NULL;
	store->ledger_name = pstrdup(quote_identifier(get_namespace_name(ledger)));
	store->path = pinned_path(store);
	store->forces_policies = inv_binding_forces_policies(store);
}

/* Note which tables and schemas the store is read from. */
static void
depend_on_tables(InvStore *store, Oid ledger)
{
	InvDependencies *dependencies = &store->dependencies;
	const Oid tables[] = { store->items, store->orders, store->header };

	for (size_t i = 0; i < lengthof(tables); i++)
	{
		if (!OidIsValid(tables[i]))
			continue;
		inv_depend(dependencies, INV_DEPENDENCY_RELATION, tables[i]);
		inv_depend(dependencies, INV_DEPENDENCY_SCHEMA, get_rel_namespace(tables[i]));
	}
	/* where a table of the ledger is missing, any that is made may be the one */
	for (int i = INV_LEDGER_NONE + 1; i < INV_LEDGER_COUNT; i++)
		if (i != INV_LEDGER_ORDER_CHANGES || OidIsValid(store->orders))
			inv_depend(dependencies, INV_DEPENDENCY_RELATION, store->ledger[i]);
	inv_depend(dependencies, INV_DEPENDENCY_SCHEMA, ledger);
	/* the version of the items table contains places of their rows, which a rewrite changes */
	inv_depend(dependencies, INV_DEPENDENCY_RELATION, TriggerRelationId);
	inv_depend(dependencies, INV_DEPENDENCY_RELATION, ProcedureRelationId);
	inv_depend(dependencies, INV_DEPENDENCY_RELATION, RewriteRelationId);
}

/* The tables that a row names, open. */
typedef struct OpenTables
{
	Relation items;
	Relation orders;
	Relation header;
	Relation movements;
} OpenTables;

/* The types of the columns of orders or headers; the table may be null. */
static List *
types_of_columns(Relation table)
{
	List *types = NIL;

	for (int i = 0; table && i < RelationGetNumberOfAttributes(table); i++)
		types = lappend_oid(types, TupleDescAttr(RelationGetDescr(table), i)->atttypid);
	return types;
}

static void
fill_store(InvStore *store, const InvCatalogRow *row, const OpenTables *tables)
{
	Oid ledger = RelationGetNamespace(tables->movements);

	Assert((tables->orders != NULL) == OidIsValid(row->orders));
	set_tables(store, row, tables->items, ledger);
	depend_on_tables(store, ledger);
	bind_columns(store, tables->items, BOUND_TABLE_ITEMS, false);
	if (tables->orders)
	{
		bind_columns(store, tables->orders, BOUND_TABLE_ORDERS, row->has_prepare);
		inv_check_binding_scale(tables->orders, &store->order_quantity);
	}
	if (tables->header)
		bind_columns(store, tables->header, BOUND_TABLE_HEADER, row->has_prepare);
	inv_check_binding_owners(store);
	inv_check_binding_columns(store);
	bind_ids(store, tables->movements);
	store->line_types = types_of_columns(tables->orders);
	store->header_types = types_of_columns(tables->header);
	if (inv_follows_orders(store))
		inv_binding_find_worth(store, ledger);
	if (row->has_prepare)
		store->prepare = inv_binding_find_prepare(store, ledger);
	store->has_values = row->has_values;
	if (row->has_prepare || row->has_order_units || inv_follows_orders(store))
		store->settings = inv_recorded_settings(store->store_name, store->items, row->settings);
	if (row->has_sellable)
	{
		store->sellable_view = get_relname_relid("sellable", ledger);
		store->sellable = inv_condition_read(store->store_name, store->items, store->sellable_view,
											 row->settings);
		inv_depend_on_view(&store->dependencies, store->sellable_view);
	}
}

/* Null if the row names no table, or the table is gone. */
static Relation
open_if_named(Oid table)
{
	return OidIsValid(table) ? try_relation_open(table, NoLock) : NULL;
}

static void
close_if_open(Relation table)
{
	if (table)
		relation_close(table, NoLock);
}

/*
 * Fill a store, in the current memory context, from the locked tables that a row
 * names; false if one of them is gone.  Raises what makes it unfit to be used.
 */
bool
inv_binding_fill(InvStore *store, const InvCatalogRow *row)
{
	OpenTables tables;
	bool complete;

	Assert(store->context == CurrentMemoryContext && !store->valid);
	tables.items = open_if_named(row->items);
	tables.orders = open_if_named(row->orders);
	tables.header = open_if_named(row->header);
	tables.movements = open_if_named(row->movements);
	complete = tables.items && tables.movements && (tables.orders || !OidIsValid(row->orders)) &&
			   (tables.header || !OidIsValid(row->header));
	if (complete)
		fill_store(store, row, &tables);
	close_if_open(tables.items);
	close_if_open(tables.orders);
	close_if_open(tables.header);
	close_if_open(tables.movements);
	return complete;
}

PG_FUNCTION_INFO_V1(inventory_binding);

/* The binding trigger does nothing: its arguments and its column list are what counts. */
Datum
inventory_binding(PG_FUNCTION_ARGS pg_attribute_unused())
{
	return PointerGetDatum(NULL);
}
