/*
 * made.c
 *		What a session has made: orders, reservations, headers and lines that other sessions
 *		may use once the transaction is committed.
 */
#include <stdio.h>
#include <string.h>

#include "load.h"

/* Let other sessions use what a transaction has made. */
void
share_all_made(Session *session)
{
	for (int i = 0; i < session->made_count; i++)
		share_made(session->made_kind[i], session->made[i]);
	session->made_count = 0;
}

static void
add_made(Session *session, Made kind, const char *id, size_t length)
{
	if (session->made_count == MAX_MADE || length > UUID_LENGTH)
		return;
	memcpy(session->made[session->made_count], id, length);
	session->made[session->made_count][length] = '\0';
	session->made_kind[session->made_count++] = kind;
}

/* Keep the ids that the server has made. */
static void
keep_answered(Session *session, Made kind)
{
	static const char digits[] = "0123456789abcdef-";
	const char *at = session->result;

	while (*at != '\0')
	{
		size_t length = strspn(at, digits);

		if (length == UUID_LENGTH)
			add_made(session, kind, at, length);
		at += length > 0 ? length : 1;
	}
}

/* Keep the ids of what an operation has made until the transaction is committed. */
void
keep_made(Session *session)
{
	const Operation *op = &session->op;
	char id[UUID_LENGTH + 1];

	if (makes_orders(op->kind))
		keep_answered(session, ORDER);
	else if (makes_reservation(op->kind))
		keep_answered(session, RESERVATION);
	else if (op->kind == FOLLOW_BUY || op->kind == FOLLOW_EXCHANGE)
		keep_answered(session, LINE);
	if (op->kind == INSERT_HEADER || op->kind == FOLLOW_BUY)
		add_made(session, HEADER, op->token, strlen(op->token));
	for (int i = 1; op->kind == INSERT_LINES && i <= op->line_count; i++)
	{
		snprintf(id, sizeof(id), "%s-%d", op->token, i);
		add_made(session, LINE, id, strlen(id));
	}
}
