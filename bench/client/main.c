/*
 * main.c
 *		Runs all buyers of a measurement in one event loop.
 *
 *		client -d CONNINFO -f SCRIPT [-c CLIENTS] [-t SECONDS | -n PURCHASES]
 *			   [-w WARM_UP] [-i ITEMS] [-x fixed|uniform|zipf] [-e STRIDE]
 *			   [-l LINES] [-b FIRST] [-s SEED] [-R REDIS_SOCKET]
 *
 * Every buyer starts the next purchase when the previous one has ended.  Purchases
 * that end between warm-up and end are measured; `total_sold` counts all purchases,
 * for checking.
 * Prints one JSON object.
 */
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "client.h"

#define MOST_TRIES 10000

typedef struct Options
{
	const char *conninfo;
	const char *script;
	const char *redis;
	int clients;
	double seconds;
	double warm_up;
	int64_t purchases; /* 0: limited by time only */
	int64_t first;
} Options;

/* Outcomes during the measurement, and in total. */
typedef struct Counts
{
	uint64_t measured[OUTCOMES];
	uint64_t total[OUTCOMES];
	Histogram times;
} Counts;

typedef struct Crowd
{
	Options options;
	Choice choice;
	Script script;
	Buyer *buyers;
	struct pollfd *polls;
	int active;
	int64_t started; /* number of purchases started */
	uint64_t begin, from, until;
	double cpu_before, cpu_after;
	Counts counts;
} Crowd;

void
die(const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	fputs("client: ", stderr);
	vfprintf(stderr, format, arguments);
	fputc('\n', stderr);
	va_end(arguments);
	exit(1);
}

static uint64_t
now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return time.tv_sec * UINT64_C(1000000) + time.tv_nsec / 1000;
}

/* ---- options ---- */

static Shape
shape_of(const char *name)
{
	static const char *const names[] = { "fixed", "uniform", "zipf" };

	for (int i = 0; i < 3; i++)
		if (strcmp(name, names[i]) == 0)
			return i;
	die("unknown choice %s", name);
}

static bool
set_choice(Choice *choice, int option, const char *value)
{
	switch (option)
	{
		case 'i':
			choice->items = atoll(value);
			break;
		case 'x':
			choice->shape = shape_of(value);
			break;
		case 'e':
			choice->stride = atoll(value);
			break;
		case 'l':
			choice->lines = atoi(value);
			break;
		case 's':
			choice->state = strtoull(value, NULL, 10);
			break;
		default:
			return false;
	}
	return true;
}

static bool
set_option(Options *options, int option, const char *value)
{
	switch (option)
	{
		case 'd':
			options->conninfo = value;
			break;
		case 'f':
			options->script = value;
			break;
		case 'R':
			options->redis = value;
			break;
		case 'c':
			options->clients = atoi(value);
			break;
		case 't':
			options->seconds = atof(value);
			break;
		case 'w':
			options->warm_up = atof(value);
			break;
		case 'n':
			options->purchases = atoll(value);
			break;
		case 'b':
			options->first = atoll(value);
			break;
		default:
			return false;
	}
	return true;
}

static void
read_options(Crowd *crowd, int argc, char **argv)
{
	int option;

	crowd->options = (Options){ .clients = 1, .seconds = 1, .first = 1 };
	crowd->choice = (Choice){ .shape = FIXED, .items = 1, .stride = 1, .lines = 1 };
	while ((option = getopt(argc, argv, "d:f:R:c:t:w:n:b:i:x:e:l:s:")) != -1)
		if (!set_choice(&crowd->choice, option, optarg) &&
			!set_option(&crowd->options, option, optarg))
			die("see the head of bench/client/main.c");
	if (crowd->options.conninfo == NULL || crowd->options.script == NULL)
		die("-d and -f are needed");
	if (crowd->choice.lines < 1 || crowd->choice.lines > MAX_LINES ||
		crowd->choice.lines > crowd->choice.items)
		die("-l must be between 1 and %d, and at most the number of items", MAX_LINES);
}

/* ---- running ---- */

static void
gather(Crowd *crowd)
{
	Options *options = &crowd->options;

	read_script(&crowd->script, options->script);
	choice_init(&crowd->choice);
	crowd->buyers = calloc(options->clients, sizeof(Buyer));
	crowd->polls = calloc(options->clients, sizeof(struct pollfd));
	if (crowd->buyers == NULL || crowd->polls == NULL)
		die("out of memory");
	for (int i = 0; i < options->clients; i++)
		buyer_open(&crowd->buyers[i], &crowd->script, options->conninfo, options->redis);
}

static double
server_cpu(Crowd *crowd)
{
	double sum = 0;

	for (int i = 0; i < crowd->options.clients; i++)
		sum += buyer_cpu(&crowd->buyers[i]);
	return sum;
}

/* Start a purchase of a buyer, unless the time or number of purchases is reached. */
static void
begin_purchase(Crowd *crowd, Buyer *buyer, uint64_t time)
{
	const Options *options = &crowd->options;

	buyer->waiting = options->purchases ? crowd->started < options->purchases : time < crowd->until;
	if (!buyer->waiting)
	{
		crowd->active--;
		return;
	}
	buyer->next = options->first + crowd->started++;
	buyer->user = choose_user(&crowd->choice);
	buyer->lines = crowd->choice.lines;
	choose_items(&crowd->choice, buyer->items);
	buyer->tries = 0;
	buyer->started = time;
	buyer_start(buyer);
}

static void
count(Crowd *crowd, Outcome outcome, const Buyer *buyer, uint64_t time)
{
	Counts *counts = &crowd->counts;

	counts->total[outcome]++;
	if (time < crowd->from || time > crowd->until)
		return;
	counts->measured[outcome]++;
	if (outcome != RETRY)
		histogram_add(&counts->times, time - buyer->started);
}

/* Process input for a buyer. */
static void
serve(Crowd *crowd, Buyer *buyer)
{
	Outcome outcome = buyer_read(buyer);
	uint64_t time;

	if (outcome == RUNNING)
		return;
	time = now();
	count(crowd, outcome, buyer, time);
	if (outcome == RETRY && ++buyer->tries < MOST_TRIES)
	{
		buyer_start(buyer);
		return;
	}
	if (outcome == RETRY)
		count(crowd, GAVE_UP, buyer, time);
	begin_purchase(crowd, buyer, time);
}

/* Wait for input, and process it for all buyers that have some. */
static void
serve_all(Crowd *crowd)
{
	int count = crowd->options.clients;

	for (int i = 0; i < count; i++)
	{
		crowd->polls[i].fd = crowd->buyers[i].waiting ? buyer_socket(&crowd->buyers[i]) : -1;
		crowd->polls[i].events = POLLIN;
	}
	if (poll(crowd->polls, count, 100) < 0)
		die("poll: %m");
	for (int i = 0; i < count; i++)
		if (crowd->polls[i].revents)
			serve(crowd, &crowd->buyers[i]);
}

static void
run(Crowd *crowd)
{
	bool warm = false, over = false;

	crowd->begin = now();
	crowd->from = crowd->begin + (uint64_t) (crowd->options.warm_up * 1e6);
	crowd->until = crowd->options.purchases
					   ? UINT64_MAX
					   : crowd->from + (uint64_t) (crowd->options.seconds * 1e6);
	crowd->active = crowd->options.clients;
	for (int i = 0; i < crowd->options.clients; i++)
		begin_purchase(crowd, &crowd->buyers[i], crowd->begin);
	while (crowd->active > 0)
	{
		uint64_t time = now();

		if (!warm && time >= crowd->from)
		{
			crowd->cpu_before = server_cpu(crowd);
			warm = true;
		}
		if (!over && time >= crowd->until)
		{
			crowd->cpu_after = server_cpu(crowd);
			over = true;
		}
		serve_all(crowd);
	}
	if (!over)
	{
		crowd->cpu_after = server_cpu(crowd);
		crowd->until = now();
	}
}

/* ---- the report ---- */

/* Bytes in the memory contexts of the first buyer's server process. */
static double
session_memory(Crowd *crowd)
{
	PGresult *result =
		PQexec(crowd->buyers[0].conn, "SELECT pg_catalog.sum(total_bytes) "
									  "FROM pg_catalog.pg_get_backend_memory_contexts()");
	double bytes;

	if (PQresultStatus(result) != PGRES_TUPLES_OK)
		die("%s", PQerrorMessage(crowd->buyers[0].conn));
	bytes = atof(PQgetvalue(result, 0, 0));
	PQclear(result);
	return bytes;
}

static void
report(Crowd *crowd)
{
	const Counts *counts = &crowd->counts;
	const Histogram *times = &counts->times;
	struct rusage own;

	getrusage(RUSAGE_SELF, &own);
	printf("{\"seconds\": %.6f, \"sold\": %lu, \"refused\": %lu, \"retried\": %lu, "
		   "\"gave_up\": %lu, \"total_sold\": %lu, \"total_ended\": %lu, ",
		   (crowd->until - crowd->from) / 1e6, counts->measured[SOLD], counts->measured[REFUSED],
		   counts->measured[RETRY], counts->measured[GAVE_UP], counts->total[SOLD],
		   counts->total[SOLD] + counts->total[REFUSED] + counts->total[GAVE_UP]);
	printf("\"mean_us\": %.1f, \"p50_us\": %lu, \"p95_us\": %lu, \"p99_us\": %lu, ",
		   times->total ? times->sum / times->total : 0, histogram_percentile(times, 0.50),
		   histogram_percentile(times, 0.95), histogram_percentile(times, 0.99));
	printf(
		"\"server_cpu_s\": %.6f, \"client_cpu_s\": %.3f, \"session_bytes\": %.0f, \"pid\": %d}\n",
		crowd->cpu_after - crowd->cpu_before,
		own.ru_utime.tv_sec + own.ru_stime.tv_sec +
			(own.ru_utime.tv_usec + own.ru_stime.tv_usec) / 1e6,
		session_memory(crowd), PQbackendPID(crowd->buyers[0].conn));
}

int
main(int argc, char **argv)
{
	static Crowd crowd;

	read_options(&crowd, argc, argv);
	gather(&crowd);
	run(&crowd);
	report(&crowd);
	for (int i = 0; i < crowd.options.clients; i++)
		PQfinish(crowd.buyers[i].conn);
	return 0;
}
