/*
 * client.h
 *		Declarations shared by the files of the benchmark's client.
 */
#ifndef CLIENT_H
#define CLIENT_H

#include <stdbool.h>
#include <stdint.h>

#include <libpq-fe.h>

#define MAX_STEPS 16
#define MAX_PARAMETERS 8
#define MAX_LINES 1000 /* in a cart */
#define VALUE_SIZE (MAX_LINES * 64)

/* ---- script.c: the round trips of one purchase ---- */

/* The variables of a step: :user, :item, ... */
typedef enum Variable
{
	USER,  /* a random buyer */
	ITEM,  /* the chosen item; in an \each step, each item of the cart */
	ITEMS, /* the cart as an array */
	LINES, /* the cart as JSON */
	LAST,  /* first column of the last answer */
	NEXT,  /* a unique number: first, first + 1, ... */
	VARIABLES
} Variable;

typedef struct Step
{
	bool each;	/* once for each item of the cart */
	bool redis; /* a command for Redis, not a statement */
	char *text; /* with $1, $2, ... for variables */
	int nparameters;
	Variable parameters[MAX_PARAMETERS];
} Step;

typedef struct Script
{
	int nsteps;
	Step steps[MAX_STEPS];
} Script;

extern void read_script(Script *script, const char *path);

/* ---- choice.c: who buys what ---- */

typedef enum Shape
{
	FIXED,
	UNIFORM,
	ZIPF
} Shape;

typedef struct Choice
{
	Shape shape;
	int64_t items;	/* number of items to choose from */
	int64_t stride; /* distance between them: 1, 1 + stride, ... */
	int lines;		/* items in a cart, all different, in ascending order */
	double *below;	/* zipf: the share of the first n items */
	uint64_t state; /* of the random number generator */
} Choice;

extern void choice_init(Choice *choice);
extern int64_t choose_user(Choice *choice);
extern void choose_items(Choice *choice, int64_t *items);

/* ---- histogram.c: times ---- */

#define SUB_BUCKETS 64 /* per power of two: within 1.6 % */
#define BUCKETS (40 * SUB_BUCKETS)

typedef struct Histogram
{
	uint64_t count[BUCKETS];
	uint64_t total;
	double sum; /* in microseconds */
} Histogram;

extern void histogram_add(Histogram *histogram, uint64_t microseconds);
extern uint64_t histogram_percentile(const Histogram *histogram, double share);

/* ---- redis.c: the connection to Redis ---- */

extern int redis_connect(const char *path);
extern void redis_send(int fd, char *words);
extern bool redis_receive(int fd, char *answer, int size);

/* ---- buyer.c: one connection ---- */

typedef enum Outcome
{
	RUNNING,
	SOLD,
	REFUSED,
	RETRY,
	GAVE_UP,
	OUTCOMES
} Outcome;

typedef struct Buyer
{
	PGconn *conn;
	int redis; /* socket, or -1 */
	const Script *script;
	int step; /* nsteps while rolling back */
	int line; /* of an \each step */
	bool waiting;
	int tries;
	uint64_t started; /* first try of the purchase, in microseconds */
	bool failed;	  /* did the last statement fail? */
	char sqlstate[6];
	Outcome outcome; /* after the rollback */
	int64_t user;
	int64_t next;
	int64_t items[MAX_LINES];
	int lines;
	char last[64];
} Buyer;

extern void buyer_open(Buyer *buyer, const Script *script, const char *conninfo, const char *redis);
extern void buyer_start(Buyer *buyer);
extern Outcome buyer_read(Buyer *buyer);
extern int buyer_socket(const Buyer *buyer);
extern double buyer_cpu(const Buyer *buyer);

/* ---- main.c ---- */

extern void die(const char *format, ...) __attribute__((format(printf, 1, 2), noreturn));

#endif
