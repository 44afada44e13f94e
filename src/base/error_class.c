/*
 * error_class.c
 *		What an error says about its cause: other transactions and the server, the row of an
 *		item, or a store.
 */
#include "postgres.h"

#include "base/error.h"
#include "base/error_class.h"

/* Does an error come from other transactions, or from the server's state? */
static bool
is_error_of_others(int sqlstate)
{
	int category = ERRCODE_TO_CATEGORY(sqlstate);

	return category == ERRCODE_OPERATOR_INTERVENTION || category == ERRCODE_TRANSACTION_ROLLBACK ||
		   category == ERRCODE_INSUFFICIENT_RESOURCES || sqlstate == ERRCODE_LOCK_NOT_AVAILABLE;
}

/* Could it come from what the row of an item refuses? */
bool
inv_error_is_of_row(int sqlstate)
{
	return !is_error_of_others(sqlstate) && sqlstate != ERRCODE_OBJECT_IN_USE;
}

/*
 * The same, and not from what other rows of the store would refuse as well?  A trigger can raise
 * any error; one that the engine or the server could have raised is not counted as the row's.
 */
bool
inv_error_is_of_one_row(int sqlstate)
{
	int category = ERRCODE_TO_CATEGORY(sqlstate);

	return inv_error_is_of_row(sqlstate) && sqlstate != ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE &&
		   sqlstate != ERRCODE_INSUFFICIENT_PRIVILEGE && category != ERRCODE_SYSTEM_ERROR &&
		   category != ERRCODE_INTERNAL_ERROR;
}

/*
 * Does an error that came up in work on a store say something about the store?  Not
 * one of the server, or of other transactions.
 */
bool
inv_is_error_of_store(const ErrorData *error)
{
	int category = ERRCODE_TO_CATEGORY(error->sqlerrcode);

	return error->elevel == ERROR && !is_error_of_others(error->sqlerrcode) &&
		   category != ERRCODE_INVALID_TRANSACTION_STATE && category != ERRCODE_SYSTEM_ERROR;
}

/* What an error says: its message, and with an error of the engine, which may be only a name, the facts. */
const char *
inv_error_reason(const ErrorData *error)
{
	if (error->detail == NULL || error->domain == NULL ||
		strcmp(error->domain, INV_ERROR_DOMAIN) != 0)
		return error->message;
	return psprintf("%s: %s", error->message, error->detail);
}
