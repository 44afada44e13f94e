/*
 * crowd.c
 *		What the processes share: recent reservations, orders and calls with a key,
 *		so that sessions meddle with each other's, counters, and when it is time to end.
 *
 * A worker may be killed while it holds the lock: the lock is robust, and a
 * half-written entry does no harm: the server knows no such id.
 */
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

#include "load.h"

#define RECENT 128
#define MOST_CODES 64

const char *const state_names[STATES] = { "ok", "refused", "error", "unknown" };

typedef struct Code
{
	char code[6];
	long count;
} Code;

typedef struct Crowd
{
	pthread_mutex_t lock;
	volatile int64_t end; /* when no new work is begun; read without the lock */
	int clients;
	char reservations[RECENT][UUID_LENGTH + 1];
	char orders[RECENT][UUID_LENGTH + 1];
	Operation operations[RECENT];
	unsigned reservation_count;
	unsigned order_count;
	unsigned operation_count;
	long returns[OPERATION_KINDS][STATES];
	long samples;
	Code codes[MOST_CODES];
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

/* The number of a client that has not been. */
int
new_client(void)
{
	int client;

	lock();
	client = ++crowd->clients;
	unlock();
	return client;
}

/* ---------------------------------------------------------------- what is recent */

/* One of the last, most often one of the very last: those are fought over. */
static unsigned
recent_slot(unsigned count)
{
	unsigned back = count < RECENT ? count : RECENT;

	if (chance(70) && back > 12)
		back = 12;
	return (count - (unsigned) random_between(1, (int) back)) % RECENT;
}

void
share_reservation(const char *id)
{
	lock();
	strcpy(crowd->reservations[crowd->reservation_count++ % RECENT], id);
	unlock();
}

void
share_order(const char *id)
{
	lock();
	strcpy(crowd->orders[crowd->order_count++ % RECENT], id);
	unlock();
}

void
share_operation(const Operation *op)
{
	lock();
	crowd->operations[crowd->operation_count++ % RECENT] = *op;
	unlock();
}

bool
recent_reservation(char *id)
{
	bool found;

	lock();
	found = crowd->reservation_count > 0;
	if (found)
		strcpy(id, crowd->reservations[recent_slot(crowd->reservation_count)]);
	unlock();
	return found;
}

bool
recent_order(char *id)
{
	bool found;

	lock();
	found = crowd->order_count > 0;
	if (found)
		strcpy(id, crowd->orders[recent_slot(crowd->order_count)]);
	unlock();
	return found;
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
	for (int i = 0; i < MOST_CODES && code[0] != '\0'; i++)
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
	for (int i = 0; i < MOST_CODES && crowd->codes[i].count > 0; i++)
		printf("%s\"%s\":%ld", i ? "," : "", crowd->codes[i].code, crowd->codes[i].count);
	printf("},\"clients\":%d,\"samples\":%ld}\n", crowd->clients, crowd->samples);
}
