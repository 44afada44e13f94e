/*
 * worker.c
 *		A process that runs several sessions.
 */
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>

#include "load.h"

static bool
all_finished(const Session *sessions, int count)
{
	for (int i = 0; i < count; i++)
	{
		if (sessions[i].phase != FINISHED)
			return false;
	}
	return true;
}

/* Wait until a session can continue, at most 20 ms; `fds` has the events. */
static void
wait_for_sessions(Session *sessions, int count, struct pollfd *fds)
{
	int timeout = 20;
	int64_t now = now_ns();

	for (int i = 0; i < count; i++)
	{
		fds[i].revents = 0;
		if (session_waits(&sessions[i], &fds[i].fd, &fds[i].events))
			continue;
		fds[i].fd = -1;
		if (sessions[i].phase == FINISHED)
			continue;
		if (sessions[i].wake <= now)
			timeout = 0;
		else if (sessions[i].wake - now < (int64_t) timeout * 1000000)
			timeout = (int) ((sessions[i].wake - now) / 1000000);
	}
	if (poll(fds, (nfds_t) count, timeout) < 0 && errno != EINTR)
		die("poll: %s", strerror(errno));
}

/* Run `count` sessions until the end; each has a client number of its own. */
void
worker_run(int count)
{
	Session *sessions = calloc((size_t) count, sizeof(Session));
	struct pollfd *fds = calloc((size_t) count, sizeof(struct pollfd));
	int64_t patience = (int64_t) options.patience * 1000000000;

	for (int i = 0; i < count; i++)
		session_start(&sessions[i], new_client());
	wait_for_sessions(sessions, count, fds);
	while (!all_finished(sessions, count))
	{
		int64_t now = now_ns();

		for (int i = 0; i < count; i++)
		{
			if (sessions[i].phase == FINISHED)
				continue;
			if (now > end_of_work() + patience)
				session_give_up(&sessions[i]);
			else if (fds[i].fd < 0 || fds[i].revents != 0)
				session_continue(&sessions[i], now, now > end_of_work());
		}
		wait_for_sessions(sessions, count, fds);
	}
	free(fds);
	free(sessions);
}
