/*
 * store_error.c
 *		Errors about stores as a whole: their names, their rows in inventory.store, and
 *		whether they are intact.
 *
 * As in error.c, each inv_report_X() is called by ereport() and describes the error.
 */
#include "postgres.h"

#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/regproc.h"

#include "base/store_error.h"

void
inv_report_ambiguous_store(const char *store_name, Oid user)
{
	errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE);
	errmsg("store name \"%s\" is ambiguous", store_name);
	errdetail("Role \"%s\" has the rights of the owners of several stores of this name.",
			  GetUserNameFromId(user, true));
	errhint("Detach a store, and attach it again with another store_name.");
}

static void
report_not_intact(const char *store_name)
{
	errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE);
	errmsg("store \"%s\" is not intact", store_name);
}

void
inv_report_broken_store(const char *store_name, Oid items, const char *detail)
{
	report_not_intact(store_name);
	errdetail_internal("%s", detail);
	errhint("To recreate what is missing: %s", inv_call_text("refresh", items, NULL));
}

void
inv_report_kept_rows(const char *store_name, const char *table)
{
	report_not_intact(store_name);
	errdetail("A trigger or rule keeps rows of \"%s\" from being written.", table);
	errhint("The function of a BEFORE trigger must return NEW.");
}

void
inv_report_rounding_column(const char *relation, const char *column)
{
	errcode(ERRCODE_DATATYPE_MISMATCH);
	errmsg("column \"%s\" of \"%s\" rounds whole units", column, relation);
	errhint("Give it the type numeric, or numeric with a scale that is not negative.");
}

/* The same text as check_options() of script/70_attach.sql has. */
void
inv_report_duplicate_store(const char *store_name, const char *items)
{
	errcode(ERRCODE_DUPLICATE_OBJECT);
	errmsg("store \"%s\" already exists, on %s", store_name, items);
	errhint("Choose another name: store_name => '...'.");
}

void
inv_report_unfit_row(const char *store_name, const char *detail)
{
	errcode(ERRCODE_WRONG_OBJECT_TYPE);
	errmsg("tables of store \"%s\" do not make a store", store_name);
	errdetail_internal("%s", detail);
	errhint("Rows of inventory.store are made by inventory.attach().");
}

/* "before": statements that come before the refresh, or an empty text. */
void
inv_report_owners(const char *store_name, Oid items, const char *before, const char *detail)
{
	errcode(ERRCODE_INSUFFICIENT_PRIVILEGE);
	errmsg("permission denied for store \"%s\"", store_name);
	errdetail_internal("%s", detail);
	errhint("To give all objects of the store to the owner of its items: %s%s", before,
			inv_call_text("refresh", items, NULL));
}

void
inv_report_order_not_unique(const char *relation, const char *order, uint64 rows)
{
	errcode(ERRCODE_CARDINALITY_VIOLATION);
	errmsg("order \"%s\" has " UINT64_FORMAT " rows in table %s", order, rows, relation);
	errdetail("A refund needs to know the line that it refunds.");
	errhint("Attach the table with an order_id that is unique.");
}

/* A trigger has a function of the extension, but is not one of those that attach makes. */
void
inv_report_surplus_trigger(const char *store_name, const char *trigger, const char *relation)
{
	report_not_intact(store_name);
	errdetail("Trigger \"%s\" of %s uses a function of the extension, but was not made by "
			  "inventory.attach().",
			  trigger, relation);
	errhint("DROP TRIGGER %s ON %s;", quote_identifier(trigger), relation);
}

/* A foreign key of "referencing", a table of the role, to "relation"; both names are qualified. */
void
inv_report_foreign_reference(const char *store_name, const char *relation, const char *referencing,
							 Oid role, Oid owner)
{
	errcode(ERRCODE_INSUFFICIENT_PRIVILEGE);
	errmsg("a foreign key of %s to %s would give role \"%s\" the rights of role \"%s\"",
		   referencing, relation, GetUserNameFromId(role, true), GetUserNameFromId(owner, true));
	errdetail("What store \"%s\" deletes there changes rows of the other table, and fires the "
			  "triggers of that table with the rights of the owner.",
			  store_name);
	errhint("Drop the foreign key, make it without ON DELETE and ON UPDATE, or give its table to "
			"the owner.");
}

/* Another engine has the rows of a table of the store, or of one that is to be attached (null). */
void
inv_report_foreign_engine(const char *store_name, const char *relation, const char *what,
						  const char *hint)
{
	if (store_name)
	{
		report_not_intact(store_name);
		errdetail("%s is %s. A store can use only permanent tables of this server with access "
				  "method \"heap\".",
				  relation, what);
	}
	else
	{
		errcode(ERRCODE_WRONG_OBJECT_TYPE);
		errmsg("%s cannot belong to a store: it is %s", relation, what);
		errdetail("A store can use only permanent tables of this server with access method "
				  "\"heap\".");
	}
	errhint("%s", hint);
}

void
inv_warn_row_without_table(const char *store_name)
{
	ereport(WARNING, (errcode(ERRCODE_UNDEFINED_TABLE),
					  errmsg("store \"%s\" is left out: one of its tables does not exist",
							 store_name ? store_name : ""),
					  errhint("Restore its tables, and attach them again.")));
}

/* What shared memory has of a store goes with the store, at the end of the transaction. */
void
inv_report_prepare_store(void)
{
	errcode(ERRCODE_FEATURE_NOT_SUPPORTED);
	errmsg("cannot PREPARE a transaction that has attached, refreshed, detached or dropped a "
		   "store");
	errhint("Commit in one phase.");
}

void
inv_report_not_followed(void)
{
	errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE);
	errmsg("order lines have changed, and no trigger has told the ledger");
	errhint("Triggers of a store were dropped or disabled in this transaction: see "
			"inventory.verify(), and recreate them by inventory.refresh().");
}

void
inv_report_worth_differs(const InvFacts *facts, int64 sold, int64 worth)
{
	errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE);
	errmsg("order line is not worth what was sold on it");
	inv_report_facts(facts, NULL,
					 psprintf("Order \"%s\": " INT64_FORMAT " sold, worth " INT64_FORMAT
							  " by order_units.",
							  facts->name, sold, worth));
	errhint("Give the order a state that order_units counts, in order_data or by order_values and "
			"header_values.");
}

void
inv_report_early_refund(const InvFacts *facts)
{
	errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE);
	errmsg("order line was refunded before it was booked");
	inv_report_facts(
		facts, NULL,
		psprintf("A trigger has refunded or exchanged order \"%s\" in the statement that "
				 "inserts it.",
				 facts->name));
	errhint("Do it after the statement: in a deferred constraint trigger, for example.");
}

void
inv_report_hot_stores_full(int limit)
{
	errcode(ERRCODE_CONFIGURATION_LIMIT_EXCEEDED);
	errmsg("no room for another store with hot items");
	errdetail(
		"Shared memory has room for %d stores of this server that have hot items, or had some.",
		limit);
	errhint("Detach stores that had hot items and need none any more, or drop their tables.");
}

void
inv_report_not_verified(const char *store_name, const ErrorData *error)
{
	errcode(error->sqlerrcode);
	errmsg("store \"%s\" cannot be verified: %s", store_name, error->message);
	if (error->detail)
		errdetail_internal("%s", error->detail);
	if (error->hint)
		errhint("%s", error->hint);
}

void
inv_log_no_worker_slot(void)
{
	ereport(LOG, (errmsg("could not start an inventory worker"),
				  errdetail("All background worker slots of the server are in use. Until one is "
							"free, the stock columns of hot items lag, and expired holds are given "
							"back only when their units are needed."),
				  errhint("Increase max_worker_processes.")));
}

/* Once a session: as long as it is so, each of its transactions asks again. */
void
inv_log_many_databases(int limit)
{
	static bool logged = false;

	if (logged)
		return;
	logged = true;
	ereport(LOG,
			(errmsg("no inventory worker can be started for this database"),
			 errdetail("%d databases of this server have holds or hot items.", limit),
			 errhint("Call expire_reservations() and inventory.settle(items) from a scheduler.")));
}

void
inv_report_no_function(Oid function)
{
	errcode(ERRCODE_UNDEFINED_FUNCTION);
	errmsg("function with OID %u does not exist", function);
}

/* An expression over the rows of a line and its header; code: why it cannot be one. */
void
inv_report_row_expression(int code, const char *argument, const char *detail)
{
	errcode(code);
	errmsg("%s may depend on nothing but the rows of the line and its header", argument);
	errdetail_internal("%s", detail);
	errhint("What a line is worth is looked at when one of these rows changes.");
}

void
inv_report_no_result_type(void)
{
	errcode(ERRCODE_UNDEFINED_OBJECT);
	errmsg("the type of the result has been dropped");
}

/* A function in the language of the extension differs from those that attach generates. */
void
inv_report_not_generated(Oid function, const char *detail)
{
	errcode(ERRCODE_INVALID_FUNCTION_DEFINITION);
	errmsg("function %s is not as inventory.attach() generates it", format_procedure(function));
	errdetail_internal("%s", detail);
	errhint("inventory.refresh(items) generates the functions of a store again.");
}

void
inv_log_worker_timeout(const char *store_name, int timeout)
{
	ereport(LOG,
			(errmsg("the inventory worker gave up store \"%s\" after %d ms", store_name, timeout),
			 errhint("Look for triggers on its tables that wait, or increase "
					 "inventory.worker_timeout.")));
}

void
inv_report_untracked(const char *item)
{
	errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE);
	errmsg("stock of item \"%s\" is not tracked", item);
	errdetail("Its stock is NULL, so it sells without limit.");
	errhint("To track it, set its stock to a number.");
}

void
inv_report_order_kept(const char *relation, const char *order)
{
	errcode(ERRCODE_TRIGGERED_ACTION_EXCEPTION);
	errmsg("the quantity of order \"%s\" could not be written", order);
	errdetail("A trigger on %s keeps the row as it is, or writes another quantity.", relation);
}

void
inv_report_order_rows(const char *relation, uint64 wanted, uint64 got)
{
	errcode(ERRCODE_TRIGGERED_ACTION_EXCEPTION);
	errmsg("INSERT into %s returned " UINT64_FORMAT " rows instead of " UINT64_FORMAT, relation,
		   got, wanted);
	errhint("A trigger or a rule on the table suppresses orders; nothing was sold.");
}

void
inv_report_not_first(const char *store_name)
{
	errcode(ERRCODE_ACTIVE_SQL_TRANSACTION);
	errmsg("a part of a cart must be the first that its transaction writes");
	errdetail("Deferred triggers are fired with the rights of the owner of store \"%s\".",
			  store_name);
	errhint("Hold or confirm each part in a transaction of its own.");
}
