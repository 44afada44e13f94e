/*
 * idempotency.c
 *		Idempotency keys: a retry with the same arguments gets the first answer.
 *
 * A key is locked, looked up with the latest snapshot, and inserted with its answer
 * when the work is done, all in the caller's transaction.  So two concurrent calls
 * with one key wait for each other, and a call that is rolled back leaves the key
 * free.  The lock is the first in the order of locks and is held to the end of the
 * transaction; the unique index on requests backs it (invariant 5).
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "common/cryptohash.h"
#include "common/sha2.h"
#include "lib/stringinfo.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"

#include "base/compat.h"
#include "base/datum.h"
#include "base/error.h"
#include "base/lock.h"
#include "base/stats.h"
#include "base/store_error.h"
#include "store/binding.h"
#include "store/column.h"
#include "store/direct_insert.h"
#include "store/key_lookup.h"
#include "store/query.h"
#include "store/query_text.h"
#include "commands/argument.h"
#include "commands/header_id.h"
#include "commands/idempotency.h"

#define MAX_KEY_BYTES 255

/* ---- the digest of the arguments ---- */

/*
 * An argument as a text that no setting of the session changes.  An id is brought
 * to its type first, so that each id has one text.  Ids of headers are left out: an
 * application that tries again may have inserted another one (header.c).  Null if nothing
 * else was given.
 */
static char *
argument_text(InvStore *store, FunctionCallInfo fcinfo, int argument, Oid id_type)
{
	Oid type = get_fn_expr_argtype(fcinfo->flinfo, argument);

	if (OidIsValid(id_type))
		return inv_datum_text(id_type, inv_getarg_as(fcinfo, argument, id_type));
	if (type == INTERVALOID)
	{
		const Interval *interval = PG_GETARG_INTERVAL_P(argument);

		return psprintf("%d %d " INT64_FORMAT, interval->month, interval->day, interval->time);
	}
	if (type == TIMESTAMPTZOID)
		return psprintf(INT64_FORMAT, PG_GETARG_TIMESTAMPTZ(argument));
	if (type == JSONBOID && OidIsValid(store->header))
	{
		Jsonb *rest = inv_without_headers(store, PG_GETARG_JSONB_P(argument));

		return JB_ROOT_COUNT(rest) > 0 ? inv_datum_text(type, JsonbPGetDatum(rest)) : NULL;
	}
	return inv_datum_text(type, PG_GETARG_DATUM(argument));
}

/*
 * The arguments from number "first" on, without the key, as one text.  Each is told
 * from its neighbours by its length, and null from empty, so that no two calls have
 * the same text.  The first is an id of that type, unless it is invalid.
 */
static StringInfoData
arguments_text(InvStore *store, FunctionCallInfo fcinfo, int first, int key, Oid id_type)
{
	StringInfoData text;

	initStringInfo(&text);
	for (int i = first; i < PG_NARGS(); i++)
	{
		char *argument;

		if (i == key)
			continue;
		argument = PG_ARGISNULL(i)
					   ? NULL
					   : argument_text(store, fcinfo, i, i == first ? id_type : InvalidOid);
		if (argument == NULL)
		{
			appendStringInfoString(&text, "null ");
			continue;
		}
		appendStringInfo(&text, "%zu:%s ", strlen(argument), argument);
	}
	return text;
}

static bytea *
digest_of(const StringInfoData *text)
{
	pg_cryptohash_ctx *context = pg_cryptohash_create(PG_SHA256);
	bytea *digest = palloc(VARHDRSZ + PG_SHA256_DIGEST_LENGTH);

	SET_VARSIZE(digest, VARHDRSZ + PG_SHA256_DIGEST_LENGTH);
	if (context == NULL || pg_cryptohash_init(context) < 0 ||
		pg_cryptohash_update(context, (const uint8 *) text->data, text->len) < 0 ||
		pg_cryptohash_final(context, (uint8 *) VARDATA(digest), PG_SHA256_DIGEST_LENGTH) < 0)
		inv_error_no_digest();
	pg_cryptohash_free(context);
	return digest;
}

static bool
same_digest(const bytea *a, const bytea *b)
{
	return VARSIZE_ANY_EXHDR(a) == VARSIZE_ANY_EXHDR(b) &&
		   memcmp(VARDATA_ANY(a), VARDATA_ANY(b), VARSIZE_ANY_EXHDR(a)) == 0;
}

/* ---- the key ---- */

static char *
checked_key(FunctionCallInfo fcinfo, int argument)
{
	char *key = inv_getarg_text(fcinfo, argument);

	if (key == NULL)
		return NULL;
	if (key[0] == '\0')
		inv_error_value("idempotency_key must not be empty", "Pass null for none.");
	if (strlen(key) > MAX_KEY_BYTES)
		inv_error_too_long("idempotency_key", MAX_KEY_BYTES);
	return key;
}

static void
lock_key(InvStore *store, const InvRequest *request)
{
	inv_lock_name(store->items, INV_LOCKTAG_REQUEST,
				  psprintf("%s " UINT64_FORMAT " %s", request->operation,
						   inv_user_hash(store, &request->user), request->key));
}

/*
 * Is the key, whose lock is held, known to be new?  That is read by its index; a statement
 * reads a kept answer, because it locks the row (query_text.c).
 */
static bool
is_new_key(InvStore *store, const InvRequest *request)
{
	/* in the order of the index */
	Datum values[] = { CStringGetTextDatum(request->key), CStringGetTextDatum(request->operation),
					   request->user.value };
	bool nulls[] = { false, false, request->user.isnull };
	InvKeyLookup lookup;
	bool is_new;

	if (!inv_begin_key_lookup(&lookup, store, INV_KEY_REQUEST, values, nulls, lengthof(values)))
		return false;
	is_new = !inv_next_key_row(&lookup);
	inv_end_key_lookup(&lookup);
	return is_new;
}

/* Raise because the key was used with other arguments (IV009). */
INV_NORETURN static void
error_key_mismatch(InvStore *store, const InvRequest *request)
{
	InvFacts *facts = inv_facts(store->ledger[INV_LEDGER_REQUESTS], "key");

	facts->name = request->key;
	inv_fact_text(facts, "idempotency_key", request->key);
	inv_fact_text(facts, "operation", request->operation);
	inv_error_key_mismatch(facts, request->operation);
}

/* Read the kept answer of the key, whose lock is held; null if there is none. */
static Jsonb *
kept_answer(InvStore *store, const InvRequest *request)
{
	Datum values[] = { CStringGetTextDatum(request->operation), request->user.value,
					   CStringGetTextDatum(request->key) };
	char nulls[] = { ' ', request->user.isnull ? 'n' : ' ', ' ' };
	InvStatement statement =
		request->user.isnull ? INV_STMT_FIND_GUEST_REQUEST : INV_STMT_FIND_REQUEST;
	Datum digest, answer;
	bool no_digest, no_answer;

	Assert(request->digest != NULL);
	if (is_new_key(store, request) ||
		inv_execute(store, statement, values, nulls, INV_SNAPSHOT_LATEST) == 0)
		return NULL;
	digest = inv_result(0, 1, &no_digest);
	answer = inv_result(0, 2, &no_answer);
	if (no_digest || no_answer)
		inv_error_broken_store(store->store_name, store->items, "A kept request is null.");
	if (!same_digest(DatumGetByteaPP(digest), request->digest))
		error_key_mismatch(store, request);
	return DatumGetJsonbP(answer);
}

/*
 * Begin the work of a call whose argument number "key" is its idempotency key.  The
 * digest covers what follows the store and the user, if there is one; the first of
 * these is an id of type id_type, or InvalidOid for a call without an id.
 *
 * True: the key was used before with these arguments, and request->replay is the
 * answer.  Raises IV009 if it was used with others, and 22023 or 22001 for a key
 * that cannot be one.  Without a key nothing is done and the result is false.
 */
bool
inv_request_begin(InvRequest *request, InvStore *store, const char *operation, const InvUser *user,
				  FunctionCallInfo fcinfo, int key, Oid id_type)
{
	int first = user ? 2 : 1;
	StringInfoData arguments;

	memset(request, 0, sizeof(*request));
	request->key = checked_key(fcinfo, key);
	if (request->key == NULL)
		return false;
	request->operation = operation;
	request->user = user ? *user : (InvUser){ .isnull = true };
	arguments = arguments_text(store, fcinfo, first, key, id_type);
	request->digest = digest_of(&arguments);
	lock_key(store, request);
	request->replay = kept_answer(store, request);
	if (request->replay == NULL)
		return false;
	inv_stats_count(INV_STATS_REPLAYS, 1);
	return true;
}

/*
 * Read what is kept of an operation under a key that no user and no arguments belong to, and
 * which is locked; false if nothing is.  Then inv_request_end() can keep it.
 */
bool
inv_request_find(InvRequest *request, InvStore *store, const char *operation, char *key)
{
	StringInfoData nothing;

	initStringInfo(&nothing);
	memset(request, 0, sizeof(*request));
	request->key = key;
	request->operation = operation;
	request->user.isnull = true;
	request->digest = digest_of(&nothing);
	request->replay = kept_answer(store, request);
	return request->replay != NULL;
}

/* ---- answers ---- */

/*
 * A field of a kept answer: a string or number as text, an object or array as JSON text.  Null
 * if there is none, as in what the owner of the tables has put there.
 */
char *
inv_json_field(Jsonb *object, const char *name)
{
	JsonbValue *value;
	Jsonb *nested;

	if (!JB_ROOT_IS_OBJECT(object))
		return NULL;
	value = getKeyJsonValueFromContainer(&object->root, name, strlen(name), NULL);
	if (value == NULL || value->type == jbvNull)
		return NULL;
	if (value->type != jbvBinary)
		return inv_json_text(value);
	nested = JsonbValueToJsonb(value);
	return JsonbToCString(NULL, &nested->root, VARSIZE(nested));
}

/* The kept answer of an operation that returns one value, as text; null for null. */
char *
inv_request_scalar(InvRequest *request)
{
	JsonbValue value;

	if (!JsonbExtractScalar(&request->replay->root, &value))
		return NULL;
	return inv_json_text(&value);
}

/* The owner of the ledger has changed an answer that was kept in it. */
void
inv_error_kept_answer(InvStore *store)
{
	inv_error_broken_store(store->store_name, store->items,
						   "An answer kept in its requests is not one of the function called.");
}

/* The kept answer of an operation that returns one value that is not null. */
Datum
inv_request_value(InvStore *store, InvRequest *request, Oid type)
{
	char *text = inv_request_scalar(request);

	if (text == NULL)
		inv_error_kept_answer(store);
	return inv_from_text(type, text);
}

/* Keep the answer, a JSON text, under the key of a call that has one. */
void
inv_request_end(InvStore *store, InvRequest *request, const char *answer)
{
	InvDirectRow row = { 0 };
	char nulls[] = { ' ', request->user.isnull ? 'n' : ' ', ' ', ' ', ' ', ' ' };

	if (request->key == NULL)
		return;
	/* the parameters of the statement are in the same order */
	row.values[INV_REQUEST_OPERATION] = CStringGetTextDatum(request->operation);
	row.values[INV_REQUEST_USER] = request->user.value;
	row.nulls[INV_REQUEST_USER] = request->user.isnull;
	row.values[INV_REQUEST_KEY] = CStringGetTextDatum(request->key);
	row.values[INV_REQUEST_FINGERPRINT] = PointerGetDatum(request->digest);
	row.values[INV_REQUEST_RESULT] = DirectFunctionCall1(jsonb_in, CStringGetDatum(answer));
	row.values[INV_REQUEST_CREATED_AT] = TimestampTzGetDatum(GetCurrentTimestamp());
	if (!inv_direct_insert(store, INV_TARGET_REQUESTS, &row, 1, false))
		inv_execute_write(store, INV_STMT_KEEP_REQUEST, row.values, nulls, INV_SNAPSHOT_TRANSACTION,
						  1);
	else if (!row.written)
		inv_error_rows_not_written(store, INV_STMT_KEEP_REQUEST);
}
