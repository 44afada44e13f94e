/*
 * guc.c
 *		Definition of the inventory.* settings.
 */
#include "postgres.h"

#include <limits.h>

#include "miscadmin.h"
#include "utils/guc.h"

#include "base/guc.h"

int inv_strategy = INV_STRATEGY_ATOMIC;
int inv_optimistic_retries = 10;
bool inv_http_errors = false;
bool inv_notify = false;
int inv_request_retention = 0;
int inv_reservation_ttl = 900;
int inv_hot_mode = INV_HOT_MODE_MANUAL;
int inv_hot_lock_timeout = 10000;
int inv_max_hot_items = 1024;
int inv_settle_interval = 1000;
int inv_hot_queue_threshold = 4;
int inv_hot_idle_timeout = 60;

static const struct config_enum_entry strategies[] = {
	{ "atomic", INV_STRATEGY_ATOMIC, false },
	{ "pessimistic", INV_STRATEGY_PESSIMISTIC, false },
	{ "optimistic", INV_STRATEGY_OPTIMISTIC, false },
	{ NULL, 0, false },
};

static const struct config_enum_entry hot_modes[] = {
	{ "off", INV_HOT_MODE_OFF, false },
	{ "manual", INV_HOT_MODE_MANUAL, false },
	{ "auto", INV_HOT_MODE_AUTO, false },
	{ NULL, 0, false },
};

static void
define_hot_settings(void)
{
	/* the table is made at the server's start; else, by a session, and as all others know it */
	GucContext context =
		process_shared_preload_libraries_in_progress ? PGC_POSTMASTER : PGC_INTERNAL;

	DefineCustomEnumVariable("inventory.hot_mode", "Which items become hot.",
							 "off: none, and those that are cool down; manual: those of heat(); "
							 "auto: also those whose rows are waited for.",
							 &inv_hot_mode, INV_HOT_MODE_MANUAL, hot_modes, PGC_SIGHUP, 0, NULL,
							 NULL, NULL);
	DefineCustomIntVariable("inventory.hot_lock_timeout",
							"How long a buyer of a hot item waits for others in flight.",
							"Then it is busy.", &inv_hot_lock_timeout, 10000, 0, INT_MAX,
							PGC_USERSET, GUC_UNIT_MS, NULL, NULL, NULL);
	DefineCustomIntVariable("inventory.max_hot_items",
							"How many items of the server can be hot at once.", NULL,
							&inv_max_hot_items, 1024, 1, 1000000, context, 0, NULL, NULL, NULL);
	DefineCustomIntVariable(
		"inventory.settle_interval", "How far the stock column of a hot item may lag.", NULL,
		&inv_settle_interval, 1000, 10, 3600000, PGC_SIGHUP, GUC_UNIT_MS, NULL, NULL, NULL);
	DefineCustomIntVariable("inventory.hot_queue_threshold",
							"How many sessions that queue for an item's row make it hot.",
							"With hot_mode auto.", &inv_hot_queue_threshold, 4, 1, INT_MAX,
							PGC_SIGHUP, 0, NULL, NULL, NULL);
	DefineCustomIntVariable("inventory.hot_idle_timeout",
							"How long nobody buys a hot item before it cools.",
							"With hot_mode auto.", &inv_hot_idle_timeout, 60, 1, INT_MAX,
							PGC_SIGHUP, GUC_UNIT_S, NULL, NULL, NULL);
}

void
inv_guc_init(void)
{
	DefineCustomEnumVariable(
		"inventory.strategy", "How a purchase of one item takes stock from its row.",
		"atomic: one conditional UPDATE; pessimistic: SELECT FOR NO KEY "
		"UPDATE first; optimistic: read, then compare and set.",
		&inv_strategy, INV_STRATEGY_ATOMIC, strategies, PGC_USERSET, 0, NULL, NULL, NULL);
	DefineCustomIntVariable("inventory.optimistic_retries",
							"How often the optimistic strategy tries again before it gives up.",
							NULL, &inv_optimistic_retries, 10, 0, 10000, PGC_USERSET, 0, NULL, NULL,
							NULL);
	DefineCustomBoolVariable("inventory.http_errors",
							 "Raises refusals with SQLSTATEs that PostgREST turns into HTTP "
							 "statuses.",
							 "Set it on the login role of the API.", &inv_http_errors, false,
							 PGC_USERSET, 0, NULL, NULL, NULL);
	DefineCustomBoolVariable("inventory.notify",
							 "Notifies channel inventory when an item runs out or comes back.",
							 NULL, &inv_notify, false, PGC_USERSET, 0, NULL, NULL, NULL);
	DefineCustomIntVariable(
		"inventory.reservation_ttl", "How long a hold lasts when its caller does not say.", NULL,
		&inv_reservation_ttl, 900, 1, INT_MAX, PGC_USERSET, GUC_UNIT_S, NULL, NULL, NULL);
	DefineCustomIntVariable("inventory.request_retention",
							"How long the worker keeps closed reservations and idempotency keys.",
							"0 keeps them for ever.", &inv_request_retention, 0, 0, INT_MAX,
							PGC_SIGHUP, GUC_UNIT_S, NULL, NULL, NULL);
	define_hot_settings();
	MarkGUCPrefixReserved("inventory");
}
