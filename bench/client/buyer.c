/*
 * buyer.c
 *		One connection and its current purchase.
 *
 * A purchase consists of the steps of the script, one round trip each.  An error,
 * or a statement that returns no row, ends it; if a transaction is still open then,
 * one more round trip rolls it back.  The SQLSTATE determines the outcome:
 *
 *		out of stock, in any form			refused
 *		serialization failure, deadlock, busy	the purchase is retried
 *		anything else							the measurement is aborted
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "client.h"

/* inventory's refusal, a plain RAISE EXCEPTION, a CHECK constraint */
static const char *const refusals[] = { "IV001", "P0001", "23514", NULL };
static const char *const retries[] = { "40001", "40P01", "IV014", NULL };

static bool
is_one_of(const char *sqlstate, const char *const *list)
{
	while (*list && strcmp(*list, sqlstate) != 0)
		list++;
	return *list != NULL;
}

/* ---- values ---- */

static void
write_cart(const Buyer *buyer, char *text, bool json)
{
	char *to = text;

	*to++ = json ? '[' : '{';
	for (int i = 0; i < buyer->lines; i++)
		to += sprintf(to, json ? "%s{\"item_id\": %lld}" : "%s%lld", i > 0 ? "," : "",
					  (long long) buyer->items[i]);
	*to++ = json ? ']' : '}';
	*to = '\0';
}

static void
write_value(const Buyer *buyer, Variable variable, char *text)
{
	switch (variable)
	{
		case USER:
			sprintf(text, "%lld", (long long) buyer->user);
			break;
		case ITEM:
			sprintf(text, "%lld", (long long) buyer->items[buyer->line]);
			break;
		case NEXT:
			sprintf(text, "%lld", (long long) buyer->next);
			break;
		case LAST:
			strcpy(text, buyer->last);
			break;
		default:
			write_cart(buyer, text, variable == LINES);
	}
}

/* ---- sending ---- */

/* Send a command to Redis, with the values inserted into its text. */
static void
send_to_redis(Buyer *buyer, const Step *step)
{
	char words[VALUE_SIZE], *to = words;

	for (const char *from = step->text; *from; from++)
	{
		if (*from != '$')
			*to++ = *from;
		else
		{
			write_value(buyer, step->parameters[*++from - '1'], to);
			to += strlen(to);
		}
		if (to > words + sizeof(words) / 2)
			die("a command for Redis is too long");
	}
	*to = '\0';
	redis_send(buyer->redis, words);
}

static void
send_step(Buyer *buyer)
{
	const Step *step = &buyer->script->steps[buyer->step];
	static char text[MAX_PARAMETERS][VALUE_SIZE];
	const char *values[MAX_PARAMETERS];
	char name[16];

	buyer->failed = false;
	buyer->waiting = true;
	if (step->redis)
	{
		send_to_redis(buyer, step);
		return;
	}
	for (int i = 0; i < step->nparameters; i++)
	{
		write_value(buyer, step->parameters[i], text[i]);
		values[i] = text[i];
	}
	sprintf(name, "step%d", buyer->step);
	if (!PQsendQueryPrepared(buyer->conn, name, step->nparameters, values, NULL, NULL, 0))
		die("%s", PQerrorMessage(buyer->conn));
}

static void
send_rollback(Buyer *buyer)
{
	buyer->step = buyer->script->nsteps;
	if (!PQsendQueryPrepared(buyer->conn, "rollback", 0, NULL, NULL, NULL, 0))
		die("%s", PQerrorMessage(buyer->conn));
}

/* Start a purchase, or a retry of it, with its first step. */
void
buyer_start(Buyer *buyer)
{
	buyer->step = 0;
	buyer->line = 0;
	send_step(buyer);
}

/* ---- receiving ---- */

/* Record one result of a statement. */
static void
note_result(Buyer *buyer, PGresult *result)
{
	switch (PQresultStatus(result))
	{
		case PGRES_COMMAND_OK:
			break;
		case PGRES_TUPLES_OK:
			if (PQntuples(result) == 0)
			{
				buyer->failed = true;
				strcpy(buyer->sqlstate, refusals[0]);
			}
			else
				snprintf(buyer->last, sizeof(buyer->last), "%s", PQgetvalue(result, 0, 0));
			break;
		default:
			buyer->failed = true;
			snprintf(buyer->sqlstate, sizeof(buyer->sqlstate), "%s",
					 PQresultErrorField(result, PG_DIAG_SQLSTATE)
						 ? PQresultErrorField(result, PG_DIAG_SQLSTATE)
						 : "");
			if (!is_one_of(buyer->sqlstate, refusals) && !is_one_of(buyer->sqlstate, retries))
				die("step %d: %s", buyer->step + 1, PQresultErrorMessage(result));
	}
}

/* Read the available input; true when the step's answer is complete. */
static bool
receive(Buyer *buyer)
{
	PGresult *result;

	if (buyer->step < buyer->script->nsteps && buyer->script->steps[buyer->step].redis)
	{
		char answer[256];

		if (!redis_receive(buyer->redis, answer, sizeof(answer)))
		{
			buyer->failed = true;
			strcpy(buyer->sqlstate, refusals[0]);
		}
		return true;
	}
	if (!PQconsumeInput(buyer->conn))
		die("%s", PQerrorMessage(buyer->conn));
	while (!PQisBusy(buyer->conn))
	{
		if ((result = PQgetResult(buyer->conn)) == NULL)
			return true;
		note_result(buyer, result);
		PQclear(result);
	}
	return false;
}

/* Go to the next step; false if there is none. */
static bool
advance(Buyer *buyer)
{
	if (buyer->script->steps[buyer->step].each && ++buyer->line < buyer->lines)
		return true;
	buyer->line = 0;
	return ++buyer->step < buyer->script->nsteps;
}

/* Process input for this buyer; returns the state of the purchase. */
Outcome
buyer_read(Buyer *buyer)
{
	if (!receive(buyer))
		return RUNNING;
	if (buyer->step == buyer->script->nsteps) /* rolled back */
		return buyer->outcome;
	if (!buyer->failed)
	{
		if (!advance(buyer))
			return SOLD;
		send_step(buyer);
		return RUNNING;
	}
	buyer->outcome = is_one_of(buyer->sqlstate, refusals) ? REFUSED : RETRY;
	if (PQtransactionStatus(buyer->conn) == PQTRANS_IDLE)
		return buyer->outcome;
	send_rollback(buyer);
	return RUNNING;
}

/* The socket on which the next answer will arrive. */
int
buyer_socket(const Buyer *buyer)
{
	if (buyer->step < buyer->script->nsteps && buyer->script->steps[buyer->step].redis)
		return buyer->redis;
	return PQsocket(buyer->conn);
}

/* ---- connecting ---- */

static void
ignore_notice(void *argument, const PGresult *result)
{
}

static void
prepare(Buyer *buyer, const char *name, const char *text)
{
	PGresult *result = PQprepare(buyer->conn, name, text, 0, NULL);

	if (PQresultStatus(result) != PGRES_COMMAND_OK)
		die("%s: %s", text, PQerrorMessage(buyer->conn));
	PQclear(result);
}

void
buyer_open(Buyer *buyer, const Script *script, const char *conninfo, const char *redis)
{
	buyer->script = script;
	buyer->redis = -1;
	buyer->conn = PQconnectdb(conninfo);
	if (PQstatus(buyer->conn) != CONNECTION_OK)
		die("%s", PQerrorMessage(buyer->conn));
	PQsetNoticeReceiver(buyer->conn, ignore_notice, NULL);
	prepare(buyer, "rollback", "ROLLBACK");
	for (int i = 0; i < script->nsteps; i++)
	{
		char name[16];

		sprintf(name, "step%d", i);
		if (!script->steps[i].redis)
			prepare(buyer, name, script->steps[i].text);
		else if (redis == NULL)
			die("the script needs Redis");
		else if (buyer->redis < 0)
			buyer->redis = redis_connect(redis);
	}
}

/* Seconds of processor time used by the server process; 0 if unknown. */
double
buyer_cpu(const Buyer *buyer)
{
	char path[64];
	unsigned long long nanoseconds = 0;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/schedstat", PQbackendPID(buyer->conn));
	if ((file = fopen(path, "r")) == NULL)
		return 0;
	if (fscanf(file, "%llu", &nanoseconds) != 1)
		nanoseconds = 0;
	fclose(file);
	return nanoseconds / 1e9;
}
