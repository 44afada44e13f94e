/*
 * history.c
 *		The history of a client: its calls and their answers.
 *
 * A line is written with write(2) before the client continues, so that it is in the
 * file even if the client is killed immediately afterwards.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "load.h"

/* Open a file of the cycle for appending. */
int
append_file(const char *name)
{
	char path[1024];
	int file;

	snprintf(path, sizeof(path), "%s/%s", options.directory, name);
	file = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
	if (file < 0)
		die("%s: %s", path, strerror(errno));
	return file;
}

void
history_open(History *history, int client)
{
	char name[64];

	snprintf(name, sizeof(name), "history/%d.jsonl", client);
	history->client = client;
	history->file = append_file(name);
}

/* Write whole lines with one call. */
void
write_lines(int file, const char *lines, size_t length)
{
	if (write(file, lines, length) != (ssize_t) length)
		die("cannot write to a file of the cycle: %s", strerror(errno));
}

/* A call; iso and strategy are the session's, tx is 0 outside a transaction. */
void
write_invoke(History *history, int n, int pid, const char *iso, const char *strategy, int tx,
			 const Operation *op)
{
	Text line;

	text_start(&line);
	text_add(&line, "{\"e\":\"invoke\",\"n\":%d,\"at\":%lld,\"client\":%d,\"pid\":%d,\"op\":\"%s\"",
			 n, (long long) now_ns(), history->client, pid, operation_name(op->kind));
	text_add(&line, ",\"iso\":\"%s\",\"strategy\":\"%s\",\"tx\":", iso, strategy);
	text_add_number(&line, tx ? tx : NONE, "null");
	text_add(&line, ",\"user\":");
	text_add_json(&line, op->user);
	text_add(&line, ",\"key\":");
	text_add_json(&line, op->key);
	text_add(&line, ",\"token\":");
	text_add_json(&line, op->token);
	text_add(&line, ",\"args\":{");
	write_args(&line, op);
	text_add(&line, "}}\n");
	write_lines(history->file, line.data, line.length);
}

/* Its answer; result is JSON. */
void
write_return(History *history, int n, State state, const char *code, const char *result,
			 const char *message)
{
	Text line;

	text_start(&line);
	text_add(&line, "{\"e\":\"return\",\"n\":%d,\"at\":%lld,\"state\":\"%s\",\"code\":", n,
			 (long long) now_ns(), state_names[state]);
	text_add_json(&line, code);
	text_add(&line, ",\"result\":%s", result[0] != '\0' ? result : "null");
	if (message[0] != '\0')
	{
		text_add(&line, ",\"message\":");
		text_add_json(&line, message);
	}
	text_add(&line, "}\n");
	write_lines(history->file, line.data, line.length);
}
