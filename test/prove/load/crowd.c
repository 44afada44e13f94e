/*
 * crowd.c
 *		What the processes share: recently made reservations, orders and lines, calls with a key,
 *		which any session may use, counters, and the time of the end.
 *
 * A worker may be killed while it holds the lock.  The lock is robust, and a
 * half-written id is harmless, because the server does not know it.
 */
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

#include "load.h"

#define RECENT 128
#define MAX_CODES 64

const char *const state_names[STATES] = { "ok", "refused", "error", "unknown" };

typedef struct Code
{
	char code[6];
	long count;
} Code;

/* A ring of the last ids */
typedef struct RecentIds
{
	char ids[RECENT][UUID_LENGTH + 1];
	unsigned count; /* of all that were ever added */
} RecentIds;

typedef struct Crowd
{
	pthread_mutex_t lock;
	volatile int64_t end; /* after which no new work is started; read without the lock */
	int clients;
	RecentIds made[MADE_KINDS];
	Operation operations[RECENT];
	unsigned operation_count;
	long returns[OPERATION_KINDS][STATES];
	long samples;
	Code codes[MAX_CODES];
} Crowd;

static Crowd *crowd;

void
crowd_start(void)
{
	pthread_mutexattr_t attributes;

	crowd = mmap(NULL, sizeof(Crowd), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (crowd == MAP_FAILED)
		die("no shared memory: %s", strerror(errno));
	pthread_mutexattr_init(&attributes);
	pthread_mutexattr_setpshared(&attributes, PTHREAD_PROCESS_SHARED);
	pthread_mutexattr_setrobust(&attributes, PTHREAD_MUTEX_ROBUST);
	pthread_mutex_init(&crowd->lock, &attributes);
}

static void
lock(void)
{
	if (pthread_mutex_lock(&crowd->lock) == EOWNERDEAD)
		pthread_mutex_consistent(&crowd->lock);
}

static void
unlock(void)
{
	pthread_mutex_unlock(&crowd->lock);
}

void
set_end_of_work(int64_t at)
{
	crowd->end = at;
}

int64_t
end_of_work(void)
{
	return crowd->end;
}

/* The next client number. */
int
new_client(void)
{
	int client;

	lock();
	client = ++crowd->clients;
	unlock();
	return client;
}

/* ---------------------------------------------------------------- recent ids and calls */

/* One of the last 128, mostly one of the last 12, so that sessions contend for these. */
static unsigned
recent_slot(unsigned count)
{
	unsigned back = count < RECENT ? count : RECENT;

	if (chance(70) && back > 12)
		back = 12;
	return (count - (unsigned) random_between(1, (int) back)) % RECENT;
}

void
share_made(Made kind, const char *id)
{
	RecentIds *recent = &crowd->made[kind];

	lock();
	strcpy(recent->ids[recent->count++ % RECENT], id);
	unlock();
}

bool
recently_made(Made kind, char *id)
{
	const RecentIds *recent = &crowd->made[kind];
	bool found;

	lock();
	found = recent->count > 0;
	if (found)
		strcpy(id, recent->ids[recent_slot(recent->count)]);
	unlock();
	return found;
}

void
share_operation(const Operation *op)
{
	lock();
	crowd->operations[crowd->operation_count++ % RECENT] = *op;
	unlock();
}

bool
recent_operation(Operation *op)
{
	bool found;

	lock();
	found = crowd->operation_count > 0;
	if (found)
		*op = crowd->operations[recent_slot(crowd->operation_count)];
	unlock();
	return found && op->key[0] != '\0';
}

/* ---------------------------------------------------------------- counting */

void
count_return(OperationKind kind, State state, const char *code)
{
	lock();
	crowd->returns[kind][state]++;
	for (int i = 0; i < MAX_CODES && code[0] != '\0'; i++)
	{
		if (crowd->codes[i].count > 0 && strcmp(crowd->codes[i].code, code) != 0)
			continue;
		strcpy(crowd->codes[i].code, code);
		crowd->codes[i].count++;
		break;
	}
	unlock();
}

void
count_sample(void)
{
	lock();
	crowd->samples++;
	unlock();
}

/* One JSON object: operations by kind and state, SQLSTATEs, samples. */
void
print_counts(void)
{
	const char *comma = "";

	printf("{\"operations\":{");
	for (int kind = 0; kind < OPERATION_KINDS; kind++)
	{
		printf("%s\"%s\":{", comma, operation_name(kind));
		for (int state = 0; state < STATES; state++)
			printf("%s\"%s\":%ld", state ? "," : "", state_names[state],
				   crowd->returns[kind][state]);
		printf("}");
		comma = ",";
	}
	printf("},\"codes\":{");
	for (int i = 0; i < MAX_CODES && crowd->codes[i].count > 0; i++)
		printf("%s\"%s\":%ld", i ? "," : "", crowd->codes[i].code, crowd->codes[i].count);
	printf("},\"clients\":%d,\"samples\":%ld}\n", crowd->clients, crowd->samples);
}
