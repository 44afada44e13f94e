/*
 * setting.c
 *		Definition of the inventory.* settings.
 */
#include "postgres.h"

#include <limits.h>

#include "utils/guc.h"

#include "setting.h"

int inv_strategy = INV_ATOMIC;
int inv_optimistic_retries = 10;
bool inv_http_errors = false;
bool inv_notify = false;
int inv_request_retention = 0;
int inv_reservation_ttl = 900;

static const struct config_enum_entry strategies[] = {
	{ "atomic", INV_ATOMIC, false },
	{ "pessimistic", INV_PESSIMISTIC, false },
	{ "optimistic", INV_OPTIMISTIC, false },
	{ NULL, 0, false },
};

void
inv_setting_init(void)
{
	DefineCustomEnumVariable(
		"inventory.strategy", "How a purchase of one item takes stock from its row.",
		"atomic: one conditional UPDATE; pessimistic: SELECT FOR NO KEY "
		"UPDATE first; optimistic: read, then compare and set.",
		&inv_strategy, INV_ATOMIC, strategies, PGC_USERSET, 0, NULL, NULL, NULL);
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
	MarkGUCPrefixReserved("inventory");
}
