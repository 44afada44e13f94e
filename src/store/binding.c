/*
 * binding.c
 *		From the catalogs to a store: which tables, which columns, whose.
 *
 * A row of inventory.store names the tables; the columns are remembered by the
 * binding triggers on items and orders, because a trigger's column list follows
 * renames and is dumped by name, which neither a name nor a column number in a
 * table of ours would do.  All of this is the owner's to change, and the owner of
 * tables need not be trusted with the server's memory: types are checked here.
 *
 * Expects the tables to be locked.
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/heapam.h"
#include "access/htup_details.h"
#include "access/relation.h"
#include "access/table.h"
#include "access/xact.h"
#include "catalog/namespace.h"
#include "catalog/pg_class.h"
#include "catalog/pg_inherits.h"
#include "catalog/pg_proc.h"
#include "catalog/pg_type.h"
#include "commands/trigger.h"
#include "miscadmin.h"
#include "nodes/parsenodes.h"
#include "parser/parse_func.h"
#include "parser/parsetree.h"
#include "optimizer/clauses.h"
#include "optimizer/optimizer.h"
#include "rewrite/rewriteHandler.h"
#include "rewrite/rewriteManip.h"
#include "storage/lmgr.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/guc.h"
#include "utils/inval.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/ruleutils.h"
#include "utils/syscache.h"

#include "base/datum.h"
#include "base/error.h"
#include "store/binding.h"

/* columns of inventory.store, in order of creation */
enum
{
	STORE_NAME = 1,
	STORE_ITEMS,
	STORE_ORDERS,
	STORE_MOVEMENTS,
	STORE_USER_CLAIM,
	STORE_DIRECT_WRITES,
	STORE_HAS_SELLABLE,
	STORE_MAX_TTL,
	STORE_COLUMNS_READ = STORE_MAX_TTL
};

/* Find the row of a store by its label, or by its items table where label is null. */
bool
inv_binding_read(const char *store_name, Oid items, InvBinding *binding)
{
	Oid catalog = get_relname_relid("store", get_namespace_oid(INV_SCHEMA, false));
	Relation rel = table_open(catalog, AccessShareLock);
	SysScanDesc scan = systable_beginscan(rel, InvalidOid, false, NULL, 0, NULL);
	HeapTuple tuple;
	bool found = false;

	while (!found && HeapTupleIsValid(tuple = systable_getnext(scan)))
	{
		Datum values[STORE_COLUMNS_READ];
		bool nulls[STORE_COLUMNS_READ];
		char *name;

		for (int i = 0; i < STORE_COLUMNS_READ; i++)
			values[i] = heap_getattr(tuple, i + 1, RelationGetDescr(rel), &nulls[i]);
		name = TextDatumGetCString(values[STORE_NAME - 1]);
		if (store_name ? strcmp(store_name, name) != 0
					   : DatumGetObjectId(values[STORE_ITEMS - 1]) != items)
			continue;
		found = true;
		binding->store_name = name;
		binding->items = DatumGetObjectId(values[STORE_ITEMS - 1]);
		binding->orders =
			nulls[STORE_ORDERS - 1] ? InvalidOid : DatumGetObjectId(values[STORE_ORDERS - 1]);
		binding->movements = DatumGetObjectId(values[STORE_MOVEMENTS - 1]);
		binding->user_claim =
			nulls[STORE_USER_CLAIM - 1] ? NULL : TextDatumGetCString(values[STORE_USER_CLAIM - 1]);
		binding->refuse_direct =
			strcmp(TextDatumGetCString(values[STORE_DIRECT_WRITES - 1]), "refuse") == 0;
		binding->has_sellable = DatumGetBool(values[STORE_HAS_SELLABLE - 1]);
		binding->max_ttl = *DatumGetIntervalP(values[STORE_MAX_TTL - 1]);
	}
	systable_endscan(scan);
	table_close(rel, AccessShareLock);
	return found;
}

static void
bind_column(InvColumn *column, Relation rel, AttrNumber attnum)
{
	Form_pg_attribute attr = TupleDescAttr(RelationGetDescr(rel), attnum - 1);

	column->attnum = attnum;
	column->type = attr->atttypid;
	column->base = inv_base_type(attr->atttypid);
	column->typmod = attr->atttypmod;
	column->collation = attr->attcollation;
	column->notnull = attr->attnotnull;
	/* a trigger may fill anything */
	column->filled = attr->atthasdef || attr->attidentity || attr->attgenerated ||
					 get_typdefault(attr->atttypid) != NULL ||
					 (rel->trigdesc && rel->trigdesc->trig_insert_before_row);
	column->key = pstrdup(NameStr(attr->attname));
	column->name = pstrdup(quote_identifier(column->key));
}

/* The column of the store that a role of the binding trigger stands for. */
static InvColumn *
column_of_role(InvStore *store, const char *role)
{
	static const struct
	{
		const char *role;
		size_t offset;
	} roles[] = {
		{ "item_id", offsetof(InvStore, item_id) },
		{ "stock", offsetof(InvStore, stock) },
		{ "version", offsetof(InvStore, version) },
		{ "stock_floor", offsetof(InvStore, stock_floor) },
		{ "purchase_limit", offsetof(InvStore, purchase_limit) },
		{ "order_id", offsetof(InvStore, order_id) },
		{ "order_user_id", offsetof(InvStore, order_user) },
		{ "order_item_id", offsetof(InvStore, order_item) },
		{ "order_quantity", offsetof(InvStore, order_quantity) },
	};

	for (size_t i = 0; i < lengthof(roles); i++)
		if (strcmp(roles[i].role, role) == 0)
			return (InvColumn *) ((char *) store + roles[i].offset);
	return NULL;
}

/*
 * Bind the columns that the store's binding trigger on the relation lists.  The
 * trigger's arguments are the store's label and then, for each column of its
 * list, the column's role; "+" behind the role, or alone, lets callers set it.
 */
static void
bind_columns(InvStore *store, Relation rel, bool is_orders)
{
	Oid binding =
		LookupFuncName(list_make2(makeString(INV_SCHEMA), makeString("binding")), 0, NULL, false);
	Trigger *trigger = NULL;

	for (int i = 0; rel->trigdesc && i < rel->trigdesc->numtriggers; i++)
	{
		Trigger *candidate = &rel->trigdesc->triggers[i];

		if (candidate->tgfoid == binding && candidate->tgnargs > 0 &&
			strcmp(candidate->tgargs[0], store->store_name) == 0)
			trigger = candidate;
	}
	if (trigger == NULL || trigger->tgnattr != trigger->tgnargs - 1)
		inv_error_broken_store(store->store_name,
							   psprintf("The trigger that remembers the columns of "
										"\"%s\" is gone.",
										RelationGetRelationName(rel)));

	if (is_orders)
		store->settable = palloc0(sizeof(InvColumn) * Max(trigger->tgnattr, 1));
	for (int i = 0; i < trigger->tgnattr; i++)
	{
		char *role = pstrdup(trigger->tgargs[i + 1]);
		size_t length = strlen(role);
		bool settable = length > 0 && role[length - 1] == '+';
		InvColumn *column;

		if (settable)
		{
			if (!is_orders || store->nsettable >= INV_MAX_SETTABLE)
				inv_error_broken_store(store->store_name,
									   "Its binding trigger is not the generated one.");
			role[length - 1] = '\0';
			bind_column(&store->settable[store->nsettable++], rel, trigger->tgattr[i]);
		}
		if ((column = column_of_role(store, role)) != NULL)
			bind_column(column, rel, trigger->tgattr[i]);
	}
}

static char *
qualified_name(Relation rel)
{
	return quote_qualified_identifier(get_namespace_name(RelationGetNamespace(rel)),
									  RelationGetRelationName(rel));
}

/*
 * The condition of the ledger's view "sellable", as SQL over items AS i.  The
 * view keeps it, so that it follows renames as every view does.
 */
static char *
sellable_condition(InvStore *store, Oid ledger)
{
	Oid view = get_relname_relid("sellable", ledger);
	Relation rel;
	Query *query;
	Node *condition;
	RangeTblRef *from;
	char *text;
	int nest;

	if (!OidIsValid(view))
		inv_error_broken_store(store->store_name, "The view \"sellable\" of its ledger is gone.");
	store->sellable_view = view;
	rel = relation_open(view, AccessShareLock);
	if (rel->rd_rel->relkind != RELKIND_VIEW || rel->rd_rules == NULL)
		inv_error_broken_store(store->store_name,
							   "The view \"sellable\" of its ledger is no view.");
	query = copyObject(get_view_query(rel));
	condition = query->jointree->quals;
	if (list_length(query->jointree->fromlist) != 1 ||
		!IsA(linitial(query->jointree->fromlist), RangeTblRef) || condition == NULL)
		inv_error_broken_store(store->store_name,
							   "The view \"sellable\" is not the generated one.");
	from = linitial_node(RangeTblRef, query->jointree->fromlist);
	if (rt_fetch(from->rtindex, query->rtable)->relid != store->items)
		inv_error_broken_store(store->store_name,
							   "The view \"sellable\" is not on the items table.");
	store->sellable_is_volatile =
		contain_mutable_functions(condition) || contain_subplans(condition);
	ChangeVarNodes(condition, from->rtindex, 1, 0);

	/* names are printed qualified unless the path finds them: let it find nothing */
	nest = NewGUCNestLevel();
	(void) set_config_option("search_path", "pg_catalog, pg_temp", PGC_USERSET, PGC_S_SESSION,
							 GUC_ACTION_SAVE, true, 0, false);
	text = deparse_expression(condition, deparse_context_for("i", store->items), true, false);
	AtEOXact_GUC(true, nest);
	relation_close(rel, NoLock);
	return text;
}

/*
 * The search_path under which everything of the store runs: that of the generated
 * functions, in which its own triggers find their tables.
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

static Oid
column_type(Relation rel, const char *name)
{
	AttrNumber attnum = get_attnum(RelationGetRelid(rel), name);

	if (attnum == InvalidAttrNumber)
		inv_error_unknown_column(name, qualified_name(rel));
	return inv_base_type(get_atttype(RelationGetRelid(rel), attnum));
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
 * the types, but binding triggers and ledger are the owner's to change, and an
 * owner of tables need not be trusted with the server's memory.
 */
static void
check_types(InvStore *store)
{
	if (!is_id_type(store->item_id.base) || !is_id_type(store->user_type) ||
		!is_id_type(store->order_type) ||
		(store->order_id.attnum && store->order_id.base != store->order_type) ||
		!is_units_column(&store->stock) || !is_units_column(&store->version) ||
		!is_units_column(&store->stock_floor) || !is_units_column(&store->purchase_limit))
		inv_error_broken_store(store->store_name,
							   "A bound column, or its column of the ledger, has an unfit type.");
}

/*
 * The triggers of a store's tables run with the owner's rights whenever the engine
 * writes.  That is as it should be for functions of the owner, or of somebody who
 * has those rights anyway; who was only granted TRIGGER shall not gain them here.
 * A function that runs as its definer is no better: its owner can change that.
 */
static void
check_triggers(InvStore *store, Relation rel)
{
	for (int i = 0; rel && rel->trigdesc && i < rel->trigdesc->numtriggers; i++)
	{
		Trigger *trigger = &rel->trigdesc->triggers[i];
		HeapTuple tuple = SearchSysCache1(PROCOID, ObjectIdGetDatum(trigger->tgfoid));
		Form_pg_proc function;

		if (!HeapTupleIsValid(tuple))
			continue;
		function = (Form_pg_proc) GETSTRUCT(tuple);
		if (trigger->tgenabled != TRIGGER_DISABLED &&
			!has_privs_of_role(function->proowner, store->owner))
			inv_error_foreign_trigger(store->store_name, trigger->tgname, qualified_name(rel),
									  function->proowner, store->owner);
		ReleaseSysCache(tuple);
	}
}

/*
 * The triggers of a table that is about to be written: of a partitioned one also
 * those of its parts, which nobody tells us of.
 */
void
inv_binding_check_written(InvStore *store, Relation rel)
{
	ListCell *cell;

	if (rel->rd_rel->relkind != RELKIND_PARTITIONED_TABLE)
	{
		check_triggers(store, rel);
		return;
	}
	/* the table itself is the first of them */
	foreach (cell, find_all_inheritors(RelationGetRelid(rel), RowExclusiveLock, NULL))
	{
		Relation part = table_open(lfirst_oid(cell), NoLock);

		check_triggers(store, part);
		table_close(part, NoLock);
	}
}

/* Fill a store from its open tables. */
static void
fill_store(InvStore *store, const InvBinding *binding, Relation items, Relation orders,
		   Relation movements)
{
	Oid ledger = RelationGetNamespace(movements);

	store->store_name = pstrdup(binding->store_name);
	store->items = binding->items;
	store->orders = binding->orders;
	store->ledger[INV_LEDGER_MOVEMENTS] = binding->movements;
	store->ledger[INV_LEDGER_RESERVATIONS] = get_relname_relid("reservations", ledger);
	store->ledger[INV_LEDGER_REQUESTS] = get_relname_relid("requests", ledger);
	store->ledger[INV_LEDGER_HOT] = get_relname_relid("hot", ledger);
	store->may_be_hot = true;
	store->user_claim = binding->user_claim ? pstrdup(binding->user_claim) : NULL;
	store->refuse_direct = binding->refuse_direct;
	store->max_ttl = binding->max_ttl;
	store->owner = items->rd_rel->relowner;
	store->items_name = qualified_name(items);
	store->path = pinned_path(items, orders);
	store->ledger_name = pstrdup(quote_identifier(get_namespace_name(ledger)));
	bind_columns(store, items, false);
	if (orders)
	{
		store->orders_name = qualified_name(orders);
		bind_columns(store, orders, true);
		if (orders->rd_rel->relowner != store->owner)
			inv_error_owners(store->store_name, "Items and orders have different owners.");
	}
	if (movements->rd_rel->relowner != store->owner)
		inv_error_owners(store->store_name, "Items and the ledger have different owners.");
	check_triggers(store, items);
	check_triggers(store, orders);
	check_triggers(store, movements);
	if (!store->item_id.attnum || !store->stock.attnum ||
		(orders && (!store->order_id.attnum || !store->order_item.attnum)))
		inv_error_broken_store(store->store_name, "A column it needs is not bound.");
	store->user_type = column_type(movements, "user_id");
	store->order_type = column_type(movements, "order_id");
	check_types(store);
	if (binding->has_sellable)
		store->sellable = sellable_condition(store, ledger);
	store->item_ops = lookup_type_cache(
		store->item_id.base, TYPECACHE_CMP_PROC_FINFO | TYPECACHE_HASH_EXTENDED_PROC_FINFO);
}

/* Wait for whoever changes the tables of a store, and keep others from it. */
void
inv_binding_lock(const InvBinding *binding, LOCKMODE lock)
{
	LockRelationOid(binding->items, lock);
	if (OidIsValid(binding->orders))
		LockRelationOid(binding->orders, lock);
	LockRelationOid(binding->movements, AccessShareLock);
}

/* Open the locked tables of a store and fill it; false if one of them is gone. */
bool
inv_binding_fill(InvStore *store, const InvBinding *binding)
{
	Relation items, orders = NULL, movements;
	bool complete;

	items = try_relation_open(binding->items, NoLock);
	if (OidIsValid(binding->orders))
		orders = try_relation_open(binding->orders, NoLock);
	movements = try_relation_open(binding->movements, NoLock);

	complete = items && movements && (orders || !OidIsValid(binding->orders));
	if (complete)
		fill_store(store, binding, items, orders, movements);
	if (items)
		relation_close(items, NoLock);
	if (orders)
		relation_close(orders, NoLock);
	if (movements)
		relation_close(movements, NoLock);
	return complete;
}

/* ---- SQL functions ---- */

PG_FUNCTION_INFO_V1(inventory_store_changed);
PG_FUNCTION_INFO_V1(inventory_binding);
PG_FUNCTION_INFO_V1(inventory_delete_store_row);

/*
 * Trigger on inventory.store, before each row: whoever writes a row must own
 * the tables it names, and every backend must read the store anew.
 */
Datum
inventory_store_changed(PG_FUNCTION_ARGS)
{
	TriggerData *trigdata = (TriggerData *) fcinfo->context;
	Relation rel;
	HeapTuple tuples[2];

	if (!CALLED_AS_TRIGGER(fcinfo))
		inv_error_value("store_changed is a trigger function", NULL);
	rel = trigdata->tg_relation;
	if (!TRIGGER_FIRED_FOR_ROW(trigdata->tg_event) ||
		RelationGetRelid(rel) != get_relname_relid("store", get_namespace_oid(INV_SCHEMA, false)))
		inv_error_value("store_changed is the trigger of inventory.store", NULL);
	tuples[0] = trigdata->tg_trigtuple;
	tuples[1] = TRIGGER_FIRED_BY_UPDATE(trigdata->tg_event) ? trigdata->tg_newtuple : NULL;
	for (int i = 0; i < 2; i++)
		for (int attnum = STORE_ITEMS; tuples[i] && attnum <= STORE_MOVEMENTS; attnum++)
		{
			bool isnull;
			Oid table =
				DatumGetObjectId(heap_getattr(tuples[i], attnum, RelationGetDescr(rel), &isnull));
			HeapTuple class;

			if (isnull)
				continue;
			class = SearchSysCache1(RELOID, ObjectIdGetDatum(table));
			if (!HeapTupleIsValid(class))
			{
				/* a row whose table was dropped may go, but nobody makes such a row */
				if ((i == 1 || TRIGGER_FIRED_BY_INSERT(trigdata->tg_event)) && !superuser())
					inv_error_no_table(table);
				continue;
			}
			if (!has_privs_of_role(GetUserId(), ((Form_pg_class) GETSTRUCT(class))->relowner))
				aclcheck_error(ACLCHECK_NOT_OWNER, OBJECT_TABLE, get_rel_name(table));
			CacheInvalidateRelcacheByTuple(class);
			ReleaseSysCache(class);
		}
	return PointerGetDatum(tuples[1] ? tuples[1] : tuples[0]);
}

/* Trigger that never has anything to do: its column list is what counts. */
Datum
inventory_binding(PG_FUNCTION_ARGS)
{
	return PointerGetDatum(NULL);
}

/*
 * delete_store_row(items): remove the row of a store, for the owner of its items.  It
 * asks nothing else of the store, which may be broken.
 */
Datum
inventory_delete_store_row(PG_FUNCTION_ARGS)
{
	Oid items = PG_ARGISNULL(0) ? InvalidOid : PG_GETARG_OID(0);
	Relation rel;
	SysScanDesc scan;
	HeapTuple tuple;
	HeapTuple class = SearchSysCache1(RELOID, ObjectIdGetDatum(items));

	PreventCommandIfReadOnly("delete_store_row()");
	if (!HeapTupleIsValid(class))
		inv_error_no_table(items);
	if (!has_privs_of_role(GetUserId(), ((Form_pg_class) GETSTRUCT(class))->relowner))
		aclcheck_error(ACLCHECK_NOT_OWNER, OBJECT_TABLE, get_rel_name(items));
	CacheInvalidateRelcacheByTuple(class);
	ReleaseSysCache(class);
	rel = table_open(get_relname_relid("store", get_namespace_oid(INV_SCHEMA, false)),
					 RowExclusiveLock);
	scan = systable_beginscan(rel, InvalidOid, false, NULL, 0, NULL);
	while (HeapTupleIsValid(tuple = systable_getnext(scan)))
	{
		bool isnull;

		if (DatumGetObjectId(heap_getattr(tuple, STORE_ITEMS, RelationGetDescr(rel), &isnull)) ==
			items)
			simple_heap_delete(rel, &tuple->t_self);
	}
	systable_endscan(scan);
	table_close(rel, RowExclusiveLock);
	CommandCounterIncrement();
	PG_RETURN_VOID();
}

/* Before a write to orders: it is locked and was looked at, but not the parts that it may have. */
void
inv_check_orders_written(InvStore *store)
{
	Relation orders = table_open(store->orders, NoLock);

	if (orders->rd_rel->relkind == RELKIND_PARTITIONED_TABLE)
		inv_binding_check_written(store, orders);
	table_close(orders, NoLock);
}

/*
 * Before a write to a table of the ledger: lock it as a write does, and see that no
 * trigger there is somebody else's.  Items and orders are locked from the start, and
 * were looked at when the store was read.  It is done each time: what an earlier call
 * locked, a savepoint that was rolled back has unlocked.  The table is returned open.
 */
Relation
inv_ledger_table_open(InvStore *store, InvLedgerTable which)
{
	Relation table = try_table_open(store->ledger[which], RowExclusiveLock);

	if (table == NULL)
		inv_error_broken_store(store->store_name, "A table of its ledger is gone.");
	inv_binding_check_written(store, table);
	return table;
}
