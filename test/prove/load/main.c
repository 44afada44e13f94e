/*
 * main.c
 *		load: many clients that work in the shop of test/prove.
 *
 *		load --directory D --connect FILE [--clients 64] [--workers 8] [--seconds 6]
 *			 [--seed 1] [--mix all=0,buy_item=3,...] [--contended 4] [--abandon PERMILLE]
 *			 [--timeout MS] [--patience S] [--retry-keyless]
 *
 * FILE has the connection string of the server to work on and, in a second line, that
 * of a standby to sample.  It is read at each connect, so that clients follow a change.
 * The history/ and snapshots.jsonl are written below D.
 *
 * After the given seconds, or on SIGTERM, no new work is started.  SIGUSR1 kills a
 * worker with all its clients; a new worker replaces it.  At the end the counts are
 * printed as one JSON object.
 */
#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "load.h"

Options options = {
	.clients = 64,
	.workers = 8,
	.seconds = 6,
	.patience = 20,
	.contended = 4,
	.seed = 1,
};

static pid_t *children; /* the workers, then the sampler */
static uint64_t started;

/* Read line 1 or 2 of the file of connection strings. */
bool
read_conninfo(char *conninfo, size_t size, int line)
{
	FILE *file = fopen(options.connect_file, "r");
	bool found = false;

	if (file == NULL)
		return false;
	while (line-- > 0)
		found = fgets(conninfo, (int) size, file) != NULL;
	fclose(file);
	if (found)
		conninfo[strcspn(conninfo, "\n")] = '\0';
	return found && conninfo[0] != '\0';
}

/* ---------------------------------------------------------------- options */

static int
number(const char *text)
{
	char *end;
	long value = strtol(text, &end, 10);

	if (*end != '\0' || end == text || value < 0 || value > 1000000)
		die("not a number: %s", text);
	return (int) value;
}

static const struct option names[] = {
	{ "directory", required_argument, NULL, 'd' },
	{ "connect", required_argument, NULL, 'c' },
	{ "clients", required_argument, NULL, 'n' },
	{ "workers", required_argument, NULL, 'w' },
	{ "seconds", required_argument, NULL, 's' },
	{ "seed", required_argument, NULL, 'r' },
	{ "mix", required_argument, NULL, 'm' },
	{ "contended", required_argument, NULL, 'h' },
	{ "abandon", required_argument, NULL, 'a' },
	{ "timeout", required_argument, NULL, 't' },
	{ "patience", required_argument, NULL, 'p' },
	{ "retry-keyless", no_argument, NULL, 'k' },
	{ NULL, 0, NULL, 0 },
};

static void
check_options(void)
{
	if (options.directory == NULL || options.connect_file == NULL)
		die("needs --directory and --connect");
	if (options.workers > options.clients)
		options.workers = options.clients;
	if (options.workers < 1)
		die("needs a client");
}

static void
read_options(int argc, char **argv)
{
	int name;

	while ((name = getopt_long(argc, argv, "", names, NULL)) != -1)
	{
		switch (name)
		{
			case 'd':
				options.directory = optarg;
				break;
			case 'c':
				options.connect_file = optarg;
				break;
			case 'n':
				options.clients = number(optarg);
				break;
			case 'w':
				options.workers = number(optarg);
				break;
			case 's':
				options.seconds = number(optarg);
				break;
			case 'r':
				options.seed = strtoull(optarg, NULL, 10);
				break;
			case 'm':
				if (!set_weights(optarg))
					die("not a mix: %s", optarg);
				break;
			case 'h':
				options.contended = number(optarg);
				break;
			case 'a':
				options.abandon = number(optarg);
				break;
			case 't':
				options.timeout = number(optarg);
				break;
			case 'p':
				options.patience = number(optarg);
				break;
			case 'k':
				options.retry_keyless = true;
				break;
			default:
				exit(2);
		}
	}
	if (optind < argc)
		die("not an option: %s", argv[optind]);
	check_options();
}

/* ---------------------------------------------------------------- the shop */

static PGresult *
query(PGconn *conn, const char *sql)
{
	PGresult *result = PQexec(conn, sql);

	if (PQresultStatus(result) != PGRES_TUPLES_OK)
		die("%s", PQerrorMessage(conn));
	return result;
}

/* Count the items, which are numbered from 1, and see which have a purchase limit. */
static void
read_shop(void)
{
	char conninfo[512];
	PGconn *conn;
	PGresult *result;

	if (!read_conninfo(conninfo, sizeof(conninfo), 1))
		die("%s: %s", options.connect_file, strerror(errno));
	conn = PQconnectdb(conninfo);
	result = query(conn, "SELECT purchase_limit IS NOT NULL FROM shop.items ORDER BY id");
	options.items = PQntuples(result);
	if (options.items < options.contended)
		die("the shop has %d items only", options.items);
	options.limited = calloc((size_t) options.items + 1, sizeof(bool));
	for (int i = 0; i < options.items; i++)
		options.limited[i + 1] = PQgetvalue(result, i, 0)[0] == 't';
	PQclear(result);
	result = query(conn, "SELECT id FROM follow.goods");
	options.goods = PQntuples(result);
	PQclear(result);
	PQfinish(conn);
}

/* ---------------------------------------------------------------- processes */

/* Start a worker or, as the last child, the sampler. */
static void
start_child(int child)
{
	pid_t parent = getpid();
	pid_t pid = fork();
	sigset_t none;

	if (pid < 0)
		die("fork: %s", strerror(errno));
	started++;
	if (pid > 0)
	{
		children[child] = pid;
		return;
	}
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		_exit(1);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	signal(SIGPIPE, SIG_IGN);
	random_start(options.seed * 1000 + started);
	if (child == options.workers)
		sampler_run();
	else
		worker_run(options.clients / options.workers +
				   (child < options.clients % options.workers ? 1 : 0));
	_exit(0);
}

/* Replace children that were killed; returns how many ended otherwise. */
static int
reap(void)
{
	int ended = 0;
	int status;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0)
	{
		for (int child = 0; child <= options.workers; child++)
		{
			if (children[child] != pid)
				continue;
			if (WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL && now_ns() < end_of_work())
				start_child(child);
			else if (status != 0 && !WIFSIGNALED(status))
				exit(1); /* the child has printed why */
			else if (WIFSIGNALED(status) && WTERMSIG(status) != SIGKILL)
				die("a worker was ended by signal %d", WTERMSIG(status));
			else
				ended++;
		}
	}
	return ended;
}

/* Wait for all children; kill one on each SIGUSR1, start no new work after SIGTERM. */
static void
supervise(const sigset_t *signals)
{
	int running = options.workers + 1;

	while (running > 0)
	{
		int arrived = sigwaitinfo(signals, NULL);

		if (arrived == SIGUSR1 && now_ns() < end_of_work())
			kill(children[random_between(0, options.workers - 1)], SIGKILL);
		else if (arrived == SIGTERM)
			set_end_of_work(now_ns());
		running -= reap();
	}
}

int
main(int argc, char **argv)
{
	char path[1024];
	sigset_t signals;

	read_options(argc, argv);
	snprintf(path, sizeof(path), "%s/history", options.directory);
	if (mkdir(path, 0755) < 0 && errno != EEXIST)
		die("%s: %s", path, strerror(errno));
	read_shop();
	crowd_start();
	random_start(options.seed);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	sigemptyset(&signals);
	sigaddset(&signals, SIGCHLD);
	sigaddset(&signals, SIGUSR1);
	sigaddset(&signals, SIGTERM);
	sigprocmask(SIG_BLOCK, &signals, NULL);
	set_end_of_work(now_ns() + (int64_t) options.seconds * 1000000000);
	children = calloc((size_t) options.workers + 1, sizeof(pid_t));
	for (int child = 0; child <= options.workers; child++)
		start_child(child);
	supervise(&signals);
	print_counts();
	return 0;
}
