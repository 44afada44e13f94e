/*
 * guc.c
 *		Definitions of the inventory.* settings.
 *
 * The server writes the variables; other files only read them.
 */
#include "postgres.h"

#include <limits.h>

#include "executor/executor.h"
#include "miscadmin.h"
#include "utils/guc.h"

#include "base/guc.h"

int inv_strategy = INV_STRATEGY_ATOMIC;
int inv_optimistic_retries = 10;
bool inv_http_errors = false;
int inv_error_format = INV_ERROR_FORMAT_TEXT;
bool inv_log_refusals = true;
bool inv_notify = false;
bool inv_direct_access = true;
int inv_follow_at = INV_FOLLOW_AT_STATEMENT;
int inv_request_retention = 0;
int inv_reservation_ttl = 900;
int inv_hot_mode = INV_HOT_MODE_MANUAL;
int inv_hot_lock_timeout = 10000;
int inv_prepared_timeout = 0;
int inv_max_hot_items = 1024;
int inv_max_stats_entries = 32768;
int inv_settle_interval = 1000;
int inv_hot_queue_threshold = 4;
int inv_hot_idle_timeout = 60;
int inv_max_workers = 2;
int inv_worker_timeout = 10000;

static const struct config_enum_entry strategies[] = {
	{ "atomic", INV_STRATEGY_ATOMIC, false },
	{ "pessimistic", INV_STRATEGY_PESSIMISTIC, false },
	{ "optimistic", INV_STRATEGY_OPTIMISTIC, false },
	{ NULL, 0, false },
};

static const struct config_enum_entry error_formats[] = {
	{ "text", INV_ERROR_FORMAT_TEXT, false },
	{ "json", INV_ERROR_FORMAT_JSON, false },
	{ NULL, 0, false },
};

static const struct config_enum_entry follow_times[] = {
	{ "statement", INV_FOLLOW_AT_STATEMENT, false },
	{ "commit", INV_FOLLOW_AT_COMMIT, false },
	{ NULL, 0, false },
};

static const struct config_enum_entry hot_modes[] = {
	{ "off", INV_HOT_MODE_OFF, false },
	{ "manual", INV_HOT_MODE_MANUAL, false },
	{ "auto", INV_HOT_MODE_AUTO, false },
	{ NULL, 0, false },
};

static void
define_row_settings(void)
{
	DefineCustomEnumVariable(
		"inventory.strategy", "Sets how a purchase of one item takes stock from its row.",
		"atomic: one conditional UPDATE; pessimistic: SELECT FOR NO KEY "
		"UPDATE first; optimistic: read, then compare and set.",
		&inv_strategy, INV_STRATEGY_ATOMIC, strategies, PGC_USERSET, 0, NULL, NULL, NULL);
	DefineCustomIntVariable("inventory.optimistic_retries",
							"Sets the maximum number of retries of the optimistic strategy.", NULL,
							&inv_optimistic_retries, 10, 0, 10000, PGC_USERSET, 0, NULL, NULL,
							NULL);
}

static void
define_call_settings(void)
{
	DefineCustomBoolVariable("inventory.http_errors",
							 "Raises refusals with SQLSTATEs that PostgREST turns into HTTP "
							 "statuses.",
							 "Set it for the login role of the API.", &inv_http_errors, false,
							 PGC_USERSET, 0, NULL, NULL, NULL);
	DefineCustomEnumVariable(
		"inventory.error_format", "Sets the format of the detail of a refusal.",
		"text: sentences; json: an object with the facts.", &inv_error_format,
		INV_ERROR_FORMAT_TEXT, error_formats, PGC_USERSET, 0, NULL, NULL, NULL);
	DefineCustomBoolVariable("inventory.log_refusals", "Writes refusals into the server's log.",
							 "Without effect on what the client gets.", &inv_log_refusals, true,
							 PGC_SUSET, 0, NULL, NULL, NULL);
	DefineCustomBoolVariable("inventory.notify",
							 "Notifies channel \"inventory\" when an item runs out or comes back.",
							 NULL, &inv_notify, false, PGC_USERSET, 0, NULL, NULL, NULL);
	DefineCustomBoolVariable(
		"inventory.direct_access",
		"Reads and writes rows without a statement, where the tables allow it.",
		"Without effect where an extension checks or records the permissions "
		"of statements.",
		&inv_direct_access, true, PGC_SUSET, 0, NULL, NULL, NULL);
	DefineCustomEnumVariable(
		"inventory.follow_at",
		"Sets when stock follows the order lines of stores with order_writes "
		"follow.",
		"statement: at the end of each statement; commit: once for all lines of the transaction.",
		&inv_follow_at, INV_FOLLOW_AT_STATEMENT, follow_times, PGC_USERSET, 0, NULL, NULL, NULL);
	DefineCustomIntVariable("inventory.reservation_ttl",
							"Sets how long a reservation lasts if its caller does not say.", NULL,
							&inv_reservation_ttl, 900, 1, INT_MAX, PGC_USERSET, GUC_UNIT_S, NULL,
							NULL, NULL);
}

static void
define_wait_settings(void)
{
	DefineCustomIntVariable("inventory.prepared_timeout",
							"Sets the maximum time a call waits for a lock that a prepared "
							"transaction holds.",
							"Then the call fails as busy. A value of 0 turns the timeout off.",
							&inv_prepared_timeout, 0, 0, INT_MAX, PGC_USERSET, GUC_UNIT_MS, NULL,
							NULL, NULL);
}

static void
define_worker_settings(void)
{
	DefineCustomIntVariable("inventory.request_retention",
							"Sets how long the worker keeps closed reservations and idempotency "
							"keys.",
							"A value of 0 keeps them indefinitely.", &inv_request_retention, 0, 0,
							INT_MAX, PGC_SIGHUP, GUC_UNIT_S, NULL, NULL, NULL);
	DefineCustomIntVariable("inventory.max_workers",
							"Sets the maximum number of workers that run at the same time.",
							"If more databases have work for a worker, they take turns. A value "
							"of 0 turns workers off.",
							&inv_max_workers, 2, 0, 256, PGC_SIGHUP, 0, NULL, NULL, NULL);
	DefineCustomIntVariable("inventory.worker_timeout",
							"Sets the maximum time that the worker spends on a store in a round.",
							"Then it goes on to the next store, and leaves this one alone for a "
							"while. A value of 0 turns the timeout off.",
							&inv_worker_timeout, 10000, 0, INT_MAX, PGC_SIGHUP, GUC_UNIT_MS, NULL,
							NULL, NULL);
}

/*
 * With preloading, the server makes the tables in shared memory when it starts, in the
 * configured sizes.  Without it a session does, and the sizes are always the defaults,
 * because all sessions must agree on them.
 */
static void
define_size_settings(void)
{
	GucContext context =
		process_shared_preload_libraries_in_progress ? PGC_POSTMASTER : PGC_INTERNAL;

	DefineCustomIntVariable("inventory.max_hot_items",
							"Sets the maximum number of hot items in the server.", NULL,
							&inv_max_hot_items, 1024, 1, 1000000, context, 0, NULL, NULL, NULL);
	DefineCustomIntVariable("inventory.max_stats_entries",
							"Sets the maximum number of entries in the statistics of the server.",
							"Each operation of each store has an entry.", &inv_max_stats_entries,
							32768, 100, 10000000, context, 0, NULL, NULL, NULL);
}

static void
define_hot_settings(void)
{
	DefineCustomEnumVariable("inventory.hot_mode", "Sets which items become hot.",
							 "off: none, and hot items cool; manual: those of inventory.heat(); "
							 "auto: also those whose rows sessions queue for.",
							 &inv_hot_mode, INV_HOT_MODE_MANUAL, hot_modes, PGC_SIGHUP, 0, NULL,
							 NULL, NULL);
	DefineCustomIntVariable("inventory.hot_lock_timeout",
							"Sets the maximum time a call waits for other transactions that use "
							"the same hot item.",
							"Then the call fails as busy. A value of 0 turns waiting off.",
							&inv_hot_lock_timeout, 10000, 0, INT_MAX, PGC_USERSET, GUC_UNIT_MS,
							NULL, NULL, NULL);
	DefineCustomIntVariable("inventory.settle_interval",
							"Sets the time between updates of the stock column of hot items.", NULL,
							&inv_settle_interval, 1000, 10, 3600000, PGC_SIGHUP, GUC_UNIT_MS, NULL,
							NULL, NULL);
	DefineCustomIntVariable("inventory.hot_queue_threshold",
							"Sets the number of sessions in the queue for an item's row that makes "
							"the item hot.",
							"Used only if inventory.hot_mode is auto.", &inv_hot_queue_threshold, 4,
							1, INT_MAX, PGC_SIGHUP, 0, NULL, NULL, NULL);
	DefineCustomIntVariable("inventory.hot_idle_timeout",
							"Sets the time without purchases after which a hot item cools.",
							"Used only if inventory.hot_mode is auto.", &inv_hot_idle_timeout, 60,
							1, INT_MAX, PGC_SIGHUP, GUC_UNIT_S, NULL, NULL, NULL);
}

/*
 * May rows be read and written without a statement?  Not past an extension that checks or
 * records what statements access, as pgaudit and sepgsql do.
 */
bool
inv_may_access_directly(void)
{
	return inv_direct_access && ExecutorCheckPerms_hook == NULL;
}

void
inv_guc_init(void)
{
	define_row_settings();
	define_call_settings();
	define_wait_settings();
	define_worker_settings();
	define_size_settings();
	define_hot_settings();
	MarkGUCPrefixReserved("inventory");
}
