/*
 * session.c
 *		One client session: what it does next, and the outcome of what it did.
 *
 * A session never blocks: worker.c waits for its socket or for `wake` and then calls
 * it.  Each operation is in the history before it is sent, and its outcome is before
 * the next is sent.  An outcome is certain only when the server is ready for the next
 * query, or has reported that the statement failed.
 */
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "load.h"

static void ask(Session *session, const Operation *op);

static int64_t
in_ms(int min, int max)
{
	return now_ns() + (int64_t) random_between(min, max) * 1000000;
}

/* ---------------------------------------------------------------- connecting */

/* Notice the warning that a commit may not have reached the standby: it may be lost. */
static void
receive_notice(void *argument, const PGresult *result)
{
	Session *session = argument;
	const char *message = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);

	if (message != NULL && strstr(message, "synchronous replication") != NULL)
	{
		session->unreplicated = true;
		snprintf(session->message, sizeof(session->message), "%s", message);
	}
}

/*
 * Start to connect, with a random isolation level, strategy, direct access,
 * time at which the ledger follows, and timeouts.
 */
static void
connect_server(Session *session)
{
	static const char *const isos[] = { "rc", "rr", "ser" };
	static const char *const levels[] = { "read\\\\ committed", "repeatable\\\\ read",
										  "serializable" };
	static const char *const strategies[] = { "atomic", "pessimistic", "optimistic" };
	static const int waits[] = { 50, 500, 5000 }; /* hot_lock_timeout, ms */
	int iso = chance(70) ? 0 : random_between(1, 2);
	char server[512];
	char conninfo[1024];

	session->iso = isos[iso];
	session->strategy = strategies[random_between(0, 2)];
	if (!read_conninfo(server, sizeof(server), 1))
	{
		session->wake = in_ms(50, 100);
		return;
	}
	snprintf(
		conninfo, sizeof(conninfo),
		"%s application_name=load-%d options='-c default_transaction_isolation=%s "
		"-c inventory.strategy=%s -c inventory.direct_access=%s "
		"-c inventory.follow_at=%s "
		"-c inventory.hot_lock_timeout=%d -c statement_timeout=%d'",
		server, session->history.client, levels[iso], session->strategy, chance(25) ? "off" : "on",
		chance(50) ? "commit" : "statement", waits[random_between(0, 2)],
		options.timeout > 0 && chance(20) ? random_between(options.timeout / 4, options.timeout)
										  : 0);
	session->conn = PQconnectStart(conninfo);
	session->polling = PGRES_POLLING_WRITING;
	session->phase = CONNECTING;
}

static void
disconnect(Session *session)
{
	if (session->conn != NULL)
		PQfinish(session->conn);
	session->conn = NULL;
	session->phase = DISCONNECTED;
	session->wake = in_ms(10, 100);
	session->tx = 0;
	session->made_count = 0;
}

static void
continue_connecting(Session *session)
{
	session->polling = PQstatus(session->conn) == CONNECTION_BAD ? PGRES_POLLING_FAILED
																 : PQconnectPoll(session->conn);
	if (session->polling == PGRES_POLLING_FAILED)
		disconnect(session);
	else if (session->polling == PGRES_POLLING_OK)
	{
		PQsetNoticeReceiver(session->conn, receive_notice, session);
		PQsetnonblocking(session->conn, 1);
		session->phase = RESTING;
		session->wake = 0;
	}
}

/* ---------------------------------------------------------------- what to do next */

static Operation
control(OperationKind kind)
{
	Operation op = { .kind = kind, .number = NONE, .expected = NONE };

	return op;
}

/* A retry of a call without a certain outcome, a call of another client, or a new one. */
static Operation
next_operation(Session *session)
{
	char token[24];
	Operation op;

	if (session->has_retry && session->tx == 0)
	{
		session->has_retry = false;
		session->keyless = options.retry_keyless;
		return session->retry;
	}
	if (chance(share_of("again")) && recent_operation(&op))
		return op;
	snprintf(token, sizeof(token), "%d-%d", session->history.client, session->n + 1);
	choose_operation(&op, token);
	return op;
}

static Operation
next_in_transaction(Session *session)
{
	if (session->aborted)
		return control(session->savepoint && chance(80) ? ROLLBACK_TO : ROLLBACK);
	if (session->operations_left <= 0)
		return control(chance(85) ? COMMIT : ROLLBACK);
	if (!session->savepoint && chance(25))
		return control(SAVEPOINT);
	if (session->savepoint && chance(15))
		return control(ROLLBACK_TO);
	session->operations_left--;
	return next_operation(session);
}

static void
ask_next(Session *session)
{
	Operation op;

	if (session->tx != 0)
		op = next_in_transaction(session);
	else if (!session->has_retry && chance(share_of("transactions")))
	{
		op = control(BEGIN);
		session->tx = ++session->last_tx;
		session->operations_left = random_between(1, 4);
		session->savepoint = false;
		session->aborted = false;
	}
	else
		op = next_operation(session);
	ask(session, &op);
}

/* ---------------------------------------------------------------- asking */

/* Close the connection as a client does that crashes after it sent a call. */
static void
abandon(Session *session)
{
	write_return(&session->history, session->n, UNKNOWN, "", "", "given up by the client");
	count_return(session->op.kind, UNKNOWN, "");
	shutdown(PQsocket(session->conn), SHUT_RDWR);
	if (session->op.key[0] != '\0')
	{
		session->retry = session->op;
		session->has_retry = true;
	}
	disconnect(session);
}

static void
ask(Session *session, const Operation *op)
{
	Text sql;

	session->op = *op;
	session->n++;
	session->answered = session->failed = session->fatal = session->unreplicated = false;
	session->code[0] = session->status[0] = session->result[0] = session->message[0] = '\0';
	text_start(&sql);
	write_sql(&sql, op, !session->keyless);
	session->keyless = false;
	if (op->key[0] != '\0')
		share_operation(op);
	write_invoke(&session->history, session->n, PQbackendPID(session->conn), session->iso,
				 session->strategy, session->tx, op);
	session->phase = ASKING;
	/* a failure is reported later, as a lost connection */
	(void) PQsendQuery(session->conn, sql.data);
	if (PQflush(session->conn) == 0 && (session->tx == 0 || op->kind == COMMIT) &&
		random_between(1, 1000) <= options.abandon)
		abandon(session);
}

/* ---------------------------------------------------------------- answers */

/* Store one result. */
static void
take_result(Session *session, const PGresult *result)
{
	ExecStatusType status = PQresultStatus(result);
	const char *code;
	const char *severity;
	const char *detail;

	if (status == PGRES_TUPLES_OK || status == PGRES_COMMAND_OK)
	{
		session->answered = true;
		if (PQntuples(result) == 1 && !PQgetisnull(result, 0, 0))
			snprintf(session->result, sizeof(session->result), "%s", PQgetvalue(result, 0, 0));
		if (PQntuples(result) == 1 && PQnfields(result) == 2 && !PQgetisnull(result, 0, 1))
			snprintf(session->status, sizeof(session->status), "%s", PQgetvalue(result, 0, 1));
		/* a commit may end a transaction that cannot be committed */
		if (session->op.kind == COMMIT && strcmp(PQcmdStatus((PGresult *) result), "COMMIT") != 0)
			session->failed = true;
		return;
	}
	/* keep the server's error, not that of libpq about the end of the connection */
	if (session->failed && session->code[0] != '\0')
		return;
	code = PQresultErrorField(result, PG_DIAG_SQLSTATE);
	severity = PQresultErrorField(result, PG_DIAG_SEVERITY_NONLOCALIZED);
	detail = PQresultErrorField(result, PG_DIAG_MESSAGE_DETAIL);
	snprintf(session->message, sizeof(session->message), "%s%s%s",
			 code != NULL ? PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY) : "connection lost",
			 detail != NULL ? ": " : "", detail != NULL ? detail : "");
	snprintf(session->code, sizeof(session->code), "%s", code != NULL ? code : "");
	session->failed = true;
	session->fatal = code == NULL || severity == NULL || strcmp(severity, "ERROR") != 0;
}

/* The SQLSTATE for the status of a try_ form. */
static const char *
code_of_status(const char *status)
{
	static const char *const codes[][2] = {
		{ "out_of_stock", "IV001" },
		{ "item_not_found", "IV002" },
		{ "reservation_expired", "IV005" },
		{ "purchase_limit_exceeded", "IV010" },
		{ "busy", "IV014" },
	};

	for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++)
	{
		if (strcmp(status, codes[i][0]) == 0)
			return codes[i][1];
	}
	return "IV000";
}

/*
 * The outcome of the operation, when no more results will arrive.  A session that was
 * ended on request (57P01) has been rolled back; any other end may follow a commit.
 */
static State
outcome(Session *session)
{
	bool lost = PQstatus(session->conn) != CONNECTION_OK || session->fatal;

	if (lost)
	{
		if (session->failed && !session->answered && strcmp(session->code, "57P01") == 0)
			return ERROR;
		session->code[0] = '\0';
		return UNKNOWN;
	}
	if (session->unreplicated && !session->failed)
		return UNKNOWN;
	if (session->failed)
		return strncmp(session->code, "IV", 2) == 0 ? REFUSED : ERROR;
	if (session->status[0] != '\0')
	{
		strcpy(session->code, code_of_status(session->status));
		return REFUSED;
	}
	return session->answered ? OK : UNKNOWN;
}

/* ---------------------------------------------------------------- after an answer */

/* Mostly retry, with its key, a call that failed or has no certain outcome. */
static void
remember_for_retry(Session *session, State state)
{
	if (session->op.key[0] != '\0')
		session->retry = session->op;
	else if (session->op.kind != COMMIT)
		return;
	session->has_retry =
		(state == ERROR || state == UNKNOWN) && session->retry.key[0] != '\0' && chance(80);
}

/* Follow the state of the transaction. */
static void
move_transaction(Session *session, State state)
{
	switch (session->op.kind)
	{
		case SAVEPOINT:
			session->savepoint = state == OK;
			break;
		case ROLLBACK_TO:
			session->made_count = 0;
			session->aborted = false;
			break;
		case COMMIT:
		case ROLLBACK:
			/* if the statement was cancelled, the transaction still exists, aborted */
			if (PQtransactionStatus(session->conn) == PQTRANS_INERROR)
			{
				session->savepoint = false;
				session->aborted = true;
				break;
			}
			session->tx = 0;
			if (session->op.kind == COMMIT && state == OK)
				share_all_made(session);
			session->made_count = 0;
			break;
		default:
			break;
	}
	if (session->failed && session->op.kind != COMMIT)
		session->aborted = true;
	if (session->op.kind == BEGIN && PQtransactionStatus(session->conn) == PQTRANS_IDLE)
		session->tx = 0;
}

static void
finish(Session *session)
{
	State state = outcome(session);
	bool lost = PQstatus(session->conn) != CONNECTION_OK || session->fatal;

	write_return(&session->history, session->n, state, session->code, session->result,
				 session->message);
	count_return(session->op.kind, state, session->code);
	if (state == OK)
		keep_made(session);
	remember_for_retry(session, state);
	if (lost)
	{
		disconnect(session);
		return;
	}
	if (session->tx == 0)
		share_all_made(session);
	else
		move_transaction(session, state);
	session->phase = RESTING;
	session->wake = session->tx == 0 && chance(5) ? in_ms(1, 20) : 0;
}

static void
continue_asking(Session *session)
{
	PGresult *result;

	(void) PQflush(session->conn);
	if (!PQconsumeInput(session->conn))
	{
		/* results that arrived before the end still count */
		while (!PQisBusy(session->conn) && (result = PQgetResult(session->conn)) != NULL)
		{
			take_result(session, result);
			PQclear(result);
		}
		session->fatal = true;
		finish(session);
		return;
	}
	while (!PQisBusy(session->conn))
	{
		result = PQgetResult(session->conn);
		if (result == NULL)
		{
			finish(session);
			return;
		}
		take_result(session, result);
		PQclear(result);
	}
}

/* ---------------------------------------------------------------- for worker.c */

void
session_start(Session *session, int client)
{
	memset(session, 0, sizeof(Session));
	session->phase = DISCONNECTED;
	history_open(&session->history, client);
}

/* Do what is possible now; start nothing new after the end of work. */
void
session_continue(Session *session, int64_t now, bool stop)
{
	if (session->phase == CONNECTING)
		continue_connecting(session);
	else if (session->phase == ASKING)
		continue_asking(session);
	if (stop && session->phase != ASKING && session->tx == 0)
	{
		disconnect(session);
		session->phase = FINISHED;
	}
	else if (session->phase == DISCONNECTED && session->wake <= now)
		connect_server(session);
	else if (session->phase == RESTING && session->wake <= now)
		ask_next(session);
}

/* Does it wait for its socket, and for which events? */
bool
session_waits(const Session *session, int *fd, short *events)
{
	if (session->phase != CONNECTING && session->phase != ASKING)
		return false;
	*fd = PQsocket(session->conn);
	*events = POLLIN;
	if (session->phase == CONNECTING && session->polling != PGRES_POLLING_READING)
		*events = POLLOUT;
	return *fd >= 0;
}

/* Stop waiting: the outcome of the call stays unknown. */
void
session_give_up(Session *session)
{
	if (session->phase == ASKING)
	{
		write_return(&session->history, session->n, UNKNOWN, "", "", "no answer in time");
		count_return(session->op.kind, UNKNOWN, "");
	}
	disconnect(session);
	session->phase = FINISHED;
}
