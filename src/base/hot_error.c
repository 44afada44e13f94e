/*
 * hot_error.c
 *		Errors about hot items and their SQLSTATEs.
 */
#include "postgres.h"

#include "utils/builtins.h"
#include "utils/lsyscache.h"

#include "base/hot_error.h"

void
inv_report_prepare(void)
{
	errcode(ERRCODE_FEATURE_NOT_SUPPORTED);
	errmsg("cannot PREPARE a transaction that has used a hot item");
	errhint("Nothing was taken. Keep the item cold with inventory.keep_cold(), or commit in one "
			"phase.");
}

/*
 * A transaction would settle or cool an item of which it has taken or given units itself, or
 * go on after the items table was changed.
 */
void
inv_report_in_flight(const char *item)
{
	errcode(ERRCODE_OBJECT_IN_USE);
	errmsg("this transaction has units of hot item \"%s\" in flight", item);
	errhint("Commit first.");
}

void
inv_report_no_hot_items(const char *message, const char *hint)
{
	errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE);
	errmsg("%s", message);
	errhint("%s", hint);
}

/* The row of an item could refuse what the counter would allow; "why" is a sentence. */
void
inv_report_cannot_be_hot(const char *item, const char *why)
{
	errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE);
	errmsg("item \"%s\" cannot be hot", item);
	errdetail("Its row could refuse to be written with what was sold. %s", why);
	errhint("A trigger that does not concern the stock can be limited with UPDATE OF. See "
			"\"Rows that could refuse\" in doc/hot-items.md.");
}

/* The owner wants an item to stay cold, so that purchases of it can be prepared. */
void
inv_report_kept_cold(const char *item, Oid items)
{
	errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE);
	errmsg("item \"%s\" is kept cold", item);
	errhint("Allow it to become hot again: SELECT inventory.keep_cold(%s, %s, false);",
			quote_literal_cstr(quote_qualified_identifier(
				get_namespace_name(get_rel_namespace(items)), get_rel_name(items))),
			quote_literal_cstr(item));
}

/* More units than a constraint on the items table allows. */
void
inv_report_above_check(const char *item, int64 most)
{
	errcode(ERRCODE_CHECK_VIOLATION);
	errmsg("stock of item \"%s\" out of range", item);
	errdetail_internal("A constraint allows at most " INT64_FORMAT ".", most);
}

void
inv_report_hot_full(int limit)
{
	errcode(ERRCODE_CONFIGURATION_LIMIT_EXCEEDED);
	errmsg("no room for another hot item");
	errdetail("%d items of this server are hot, or are being heated. The item stays as it is.",
			  limit);
	errhint("Cool other items, or increase inventory.max_hot_items.");
}
