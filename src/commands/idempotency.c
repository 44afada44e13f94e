/*
 * idempotency.c
 *		Idempotency: the same key and arguments give the first answer again.
 *
 * A key is locked, looked up with the latest snapshot, and its answer inserted
 * when the work is done, all in the caller's transaction: two calls at once wait
 * for each other, and a first try that is rolled back leaves the key free.  The
 * lock is the first of the lock order and is held to the end of the transaction.
 * The unique index on requests backs it.
 */
#include "postgres.h"

#include "common/cryptohash.h"
#include "common/hashfn.h"
#include "common/sha2.h"
#include "miscadmin.h"
#include "storage/lock.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"

#include "base/datum.h"
#include "base/error.h"
#include "base/lock.h"
#include "base/stats.h"
#include "store/binding.h"
#include "store/query.h"
#include "store/query_text.h"
#include "commands/argument.h"
#include "commands/idempotency.h"

#define MAX_KEY_BYTES 255

/* Read the row of the key, if there is one. */
static void
lookup_request(InvStore *store, InvRequest *request)
{
	Datum values[] = { CStringGetTextDatum(request->operation), request->user.value,
					   CStringGetTextDatum(request->key) };
	char nulls[] = { ' ', request->user.isnull ? 'n' : ' ', ' ' };
	bytea *fingerprint;
	Datum value;
	bool isnull, no_answer;

	if (inv_execute(store, INV_STMT_FIND_REQUEST, values, nulls, INV_SNAPSHOT_LATEST) == 0)
		return;
	(void) inv_result(0, 2, &no_answer);
	value = inv_result(0, 1, &isnull);
	if (isnull || no_answer)
		inv_error_broken_store(store->store_name, "A kept request is null.");
	fingerprint = DatumGetByteaPP(value);
	if (VARSIZE_ANY_EXHDR(fingerprint) != VARSIZE_ANY_EXHDR(request->fingerprint) ||
		memcmp(VARDATA_ANY(fingerprint), VARDATA_ANY(request->fingerprint),
			   VARSIZE_ANY_EXHDR(fingerprint)) != 0)
		inv_error_key_mismatch(request->key, request->operation);
	request->replay = DatumGetJsonbP(inv_result(0, 2, &isnull));
}

/* Read the key of a call, argument number "key".  user may be null. */
void
inv_request_init(InvRequest *request, const char *operation, const InvUser *user,
				 FunctionCallInfo fcinfo, int key)
{
	memset(request, 0, sizeof(*request));
	request->operation = operation;
	request->user.isnull = user == NULL || user->isnull;
	request->user.value = request->user.isnull ? (Datum) 0 : user->value;
	request->key = inv_getarg_text(fcinfo, key);
	if (request->key == NULL)
		return;
	if (request->key[0] == '\0')
		inv_error_value("idempotency_key must not be empty", "Pass null for none.");
	if (strlen(request->key) > MAX_KEY_BYTES)
		inv_error_too_long("idempotency_key", MAX_KEY_BYTES);
}

/*
 * Digest the arguments of a call but user and key, as texts.  Each is told from
 * its neighbours by its length, and null from empty, so that no two calls have
 * the same text.
 */
void
inv_request_arguments(InvRequest *request, const char *const *arguments, int count)
{
	pg_cryptohash_ctx *context = pg_cryptohash_create(PG_SHA256);
	StringInfoData text;

	initStringInfo(&text);
	for (int i = 0; i < count; i++)
		if (arguments[i])
			appendStringInfo(&text, "%zu:%s ", strlen(arguments[i]), arguments[i]);
		else
			appendStringInfoString(&text, "null ");
	request->fingerprint = palloc(VARHDRSZ + PG_SHA256_DIGEST_LENGTH);
	SET_VARSIZE(request->fingerprint, VARHDRSZ + PG_SHA256_DIGEST_LENGTH);
	if (context == NULL || pg_cryptohash_init(context) < 0 ||
		pg_cryptohash_update(context, (const uint8 *) text.data, text.len) < 0 ||
		pg_cryptohash_final(context, (uint8 *) VARDATA(request->fingerprint),
							PG_SHA256_DIGEST_LENGTH) < 0)
		inv_error_no_digest();
	pg_cryptohash_free(context);
}

/*
 * Begin the work of a call.  True: its key was used before with these arguments,
 * and request->replay is the answer.
 */
bool
inv_request_begin(InvStore *store, InvRequest *request)
{
	char *user;

	if (request->key == NULL)
		return false;
	user = request->user.isnull ? "" : inv_datum_text(store->user_type, request->user.value);
	inv_lock_name(store->items, INV_LOCKTAG_REQUEST,
				  psprintf("%s %s %s", request->operation, user, request->key));
	lookup_request(store, request);
	if (request->replay == NULL)
		return false;
	inv_stats_count(INV_STATS_REPLAYS, 1);
	return true;
}

/* A field of a kept answer as text; JSON text for anything but a string or number. */
char *
inv_json_field(Jsonb *object, const char *name)
{
	JsonbValue *value = getKeyJsonValueFromContainer(&object->root, name, strlen(name), NULL);
	Jsonb *nested;

	if (value == NULL || value->type == jbvNull)
		return NULL;
	if (value->type != jbvBinary)
		return inv_json_text(value);
	nested = JsonbValueToJsonb(value);
	return JsonbToCString(NULL, &nested->root, VARSIZE(nested));
}

/* The kept answer of an operation that returns one value; null for null. */
char *
inv_request_scalar(InvRequest *request)
{
	JsonbValue value;

	if (!JsonbExtractScalar(&request->replay->root, &value))
		return NULL;
	return inv_json_text(&value);
}

/* Keep the answer, a JSON text. */
void
inv_request_end(InvStore *store, InvRequest *request, const char *answer)
{
	Datum values[6];
	char nulls[] = { ' ', request->user.isnull ? 'n' : ' ', ' ', ' ', ' ', ' ' };

	if (request->key == NULL)
		return;
	values[0] = CStringGetTextDatum(request->operation);
	values[1] = request->user.value;
	values[2] = CStringGetTextDatum(request->key);
	values[3] = PointerGetDatum(request->fingerprint);
	values[4] = DirectFunctionCall1(jsonb_in, CStringGetDatum(answer));
	values[5] = TimestampTzGetDatum(GetCurrentTimestamp());
	inv_execute(store, INV_STMT_KEEP_REQUEST, values, nulls, INV_SNAPSHOT_TRANSACTION);
}
