/*
 * sampler.c
 *		Reads all items every few milliseconds, in one snapshot, while clients work.
 */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "load.h"

#define PAUSE_MS 40

static const char sample[] =
	"SELECT json_object_agg(i.id, json_build_array(l.on_hand - coalesce(r.held, 0),"
	" i.stock_floor, coalesce(m.total, 0)))"
	" FROM shop.items AS i JOIN items_stock.levels AS l ON l.item_id = i.id"
	" LEFT JOIN (SELECT r.item_id, sum(r.quantity) AS held FROM items_stock.reservations AS r"
	" WHERE r.status = 'held' GROUP BY r.item_id) AS r ON r.item_id = i.id"
	" LEFT JOIN (SELECT m.item_id, sum(m.delta) AS total"
	" FROM items_stock.movements AS m GROUP BY m.item_id) AS m ON m.item_id = i.id";

static const char *const servers[] = { "primary", "standby" };

static void
pause_between_samples(void)
{
	struct timespec pause = { .tv_nsec = PAUSE_MS * 1000000L };

	nanosleep(&pause, NULL);
}

/* Take a sample and write it to the file; one statement has one snapshot. */
static void
take_sample(PGconn *conn, int file, const char *server)
{
	static char line[1 << 20];
	int64_t before = now_ns();
	PGresult *result = PQexec(conn, sample);
	int length;

	if (PQresultStatus(result) == PGRES_TUPLES_OK)
	{
		length = snprintf(
			line, sizeof(line), "{\"at0\":%lld,\"at1\":%lld,\"server\":\"%s\",\"items\":%s}\n",
			(long long) before, (long long) now_ns(), server, PQgetvalue(result, 0, 0));
		if ((size_t) length >= sizeof(line))
			die("a sample is too long");
		write_lines(file, line, (size_t) length);
		count_sample();
	}
	PQclear(result);
}

/* Sample the primary and, if there is one, the standby, in turn. */
void
sampler_run(void)
{
	PGconn *conns[2] = { NULL, NULL };
	int file = append_file("snapshots.jsonl");
	char conninfo[512];
	char used[2][512] = { "", "" };

	for (int turn = 0; now_ns() < end_of_work(); turn = 1 - turn)
	{
		if (!read_conninfo(conninfo, sizeof(conninfo), turn + 1))
			continue;
		pause_between_samples();
		if (conns[turn] != NULL &&
			(PQstatus(conns[turn]) != CONNECTION_OK || strcmp(conninfo, used[turn]) != 0))
		{
			PQfinish(conns[turn]);
			conns[turn] = NULL;
		}
		if (conns[turn] == NULL)
		{
			conns[turn] = PQconnectdb(conninfo);
			strcpy(used[turn], conninfo);
		}
		if (PQstatus(conns[turn]) == CONNECTION_OK)
			take_sample(conns[turn], file, servers[turn]);
	}
}
