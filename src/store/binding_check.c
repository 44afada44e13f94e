/*
 * binding_check.c
 *		Checks of what a store is bound to: types, owners and collations of its tables.
 *
 * Each raises what makes the store unfit to be used.  Expects the tables to be locked.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "catalog/pg_proc.h"
#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/syscache.h"

#include "base/error.h"
#include "base/store_error.h"
#include "store/binding.h"
#include "store/binding_check.h"
#include "store/catalog.h"
#include "store/function_body.h"
#include "store/ledger_schema.h"

/* The collation of a column; InvalidOid if there is no such column. */
Oid
inv_column_collation(Oid table, const char *name)
{
	AttrNumber attnum = get_attnum(table, name);
	Oid type, collation = InvalidOid;
	int32 typmod;

	if (attnum != InvalidAttrNumber)
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
void
inv_check_binding_types(const InvStore *store)
{
	if (!is_id_type(store->item_id.base) || !is_id_type(store->user_type) ||
		!is_id_type(store->order_type) || !is_id_type(store->header_type) ||
		(store->order_id.attnum && store->order_id.base != store->order_type) ||
		(store->order_header.attnum && store->order_header.base != store->header_type) ||
		!is_units_column(&store->stock) || !is_units_column(&store->version) ||
		!is_units_column(&store->stock_floor) || !is_units_column(&store->purchase_limit) ||
		!is_units_column(&store->order_limit))
		inv_error_broken_store(store->store_name, store->items,
							   "A bound column or a column of the ledger has an unsupported type.");
}

/* Raise if a table of the shop, which a refresh does not give away, has another owner than items. */
static void
check_table_owner(const InvStore *store, Oid table, const char *detail)
{
	if (!OidIsValid(table) || inv_catalog_table_owner(table) == store->owner)
		return;
	inv_error_owners(store->store_name, store->items,
					 psprintf("ALTER TABLE %s OWNER TO %s; ", inv_catalog_table_name(table),
							  quote_identifier(GetUserNameFromId(store->owner, false))),
					 detail);
}

void
inv_check_binding_owners(const InvStore *store)
{
	check_table_owner(store, store->orders, "Items and orders have different owners.");
	check_table_owner(store, store->header,
					  "Items and the header of orders have different owners.");
	if (inv_catalog_table_owner(store->ledger[INV_LEDGER_MOVEMENTS]) != store->owner)
		inv_error_owners(store->store_name, store->items, "",
						 "Items and the ledger have different owners.");
}

/*
 * The tables of the ledger compare ids as the columns do that the ids come from; else
 * a statement would take two spellings of a user, an item or an order for two of them.
 */
void
inv_check_binding_collations(const InvStore *store)
{
	const struct
	{
		InvLedgerTable table;
		const char *name;
		const InvColumn *column;
	} ids[] = {
		{ INV_LEDGER_MOVEMENTS, "item_id", &store->item_id },
		{ INV_LEDGER_MOVEMENTS, "user_id", inv_user_column(store) },
		{ INV_LEDGER_MOVEMENTS, "order_id", &store->order_id },
		{ INV_LEDGER_RESERVATIONS, "item_id", &store->item_id },
		{ INV_LEDGER_RESERVATIONS, "user_id", inv_user_column(store) },
		{ INV_LEDGER_REQUESTS, "user_id", inv_user_column(store) },
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

		if (ids[i].column->attnum != InvalidAttrNumber && OidIsValid(table) &&
			get_attnum(table, ids[i].name) != InvalidAttrNumber &&
			inv_column_collation(table, ids[i].name) != ids[i].column->collation)
			inv_error_broken_store(
				store->store_name, store->items,
				psprintf("Column \"%s\" of \"%s\" has another collation than the ids of the store.",
						 ids[i].name, get_rel_name(table)));
	}
}

void
inv_check_binding_columns(const InvStore *store)
{
	if (!store->item_id.attnum || !store->stock.attnum ||
		(OidIsValid(store->orders) && (!store->order_id.attnum || !store->order_item.attnum)) ||
		(OidIsValid(store->header) && (!store->header_id.attnum || !store->order_header.attnum)))
		inv_error_broken_store(store->store_name, store->items, "A required column is not bound.");
}

/* Raise if a column of quantities rounds whole units, as numeric with a negative scale does. */
void
inv_check_binding_scale(Relation orders, const InvColumn *quantity)
{
	int32 typmod = quantity->typmod;

	if (quantity->base != NUMERICOID)
		return;
	(void) getBaseTypeAndTypmod(quantity->type, &typmod);
	/* the lowest 11 bits are the scale, with a sign */
	if (typmod >= VARHDRSZ && ((typmod - VARHDRSZ) & 0x400) != 0)
		inv_error_rounding_column(RelationGetRelationName(orders), quantity->key);
}

/*
 * Find a function of the ledger that the engine calls.  It runs as the owner, so no role without
 * the owner's rights may have written it.  The caller releases the tuple.
 */
HeapTuple
inv_binding_find_function(InvStore *store, Oid ledger, const char *name, const Oid *types,
						  int count)
{
	Oid function = inv_find_function(ledger, name, types, count);
	HeapTuple tuple = SearchSysCache1(PROCOID, ObjectIdGetDatum(function));

	if (!HeapTupleIsValid(tuple))
		inv_error_broken_store(store->store_name, store->items,
							   psprintf("The function %s of its ledger is gone.", name));
	if (!has_privs_of_role(((Form_pg_proc) GETSTRUCT(tuple))->proowner, store->owner))
		inv_error_owners(
			store->store_name, store->items, "",
			psprintf("Items and the function %s of the ledger have different owners.", name));
	inv_depend(&store->dependencies, INV_DEPENDENCY_FUNCTION, function);
	return tuple;
}

/* The function that makes the rows of orders; it must not write. */
Oid
inv_binding_find_prepare(InvStore *store, Oid ledger)
{
	Oid types[] = { store->user_type, JSONBOID, JSONBOID };
	HeapTuple tuple =
		inv_binding_find_function(store, ledger, "prepare_order", types, lengthof(types));
	Form_pg_proc form = (Form_pg_proc) GETSTRUCT(tuple);
	Oid function = form->oid;

	if (form->prorettype != JSONBOID || form->proretset ||
		form->provolatile == PROVOLATILE_VOLATILE)
		inv_error_broken_store(store->store_name, store->items,
							   "The function prepare_order of its ledger is volatile, or does not "
							   "return jsonb.");
	ReleaseSysCache(tuple);
	return function;
}
