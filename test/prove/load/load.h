/*
 * load.h
 *		What the files of the load program share.
 *
 * Each worker is a process that runs several sessions with poll(); the sampler is
 * another process.  The parent starts and replaces them.  They share memory (crowd.c)
 * with the recent operations of all clients, and counters.
 */
#ifndef LOAD_H
#define LOAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <libpq-fe.h>

#define MAX_LINES 5
#define NONE INT32_MIN /* a number that is null */
#define UUID_LENGTH 36

/* ---------------------------------------------------------------- text.c */

/* A text to which parts are added; what does not fit is cut. */
typedef struct Text
{
	char data[24576];
	size_t length;
} Text;

extern void text_start(Text *text);
extern void text_add(Text *text, const char *format, ...) __attribute__((format(printf, 2, 3)));
extern void text_add_number(Text *text, int number, const char *null);
extern void text_add_json(Text *text, const char *string);

extern void random_start(uint64_t seed);
extern int random_between(int min, int max);
extern bool chance(int percent);
extern int64_t now_ns(void);
extern void die(const char *format, ...) __attribute__((format(printf, 1, 2), noreturn));

/* ---------------------------------------------------------------- operation.c */

typedef enum OperationKind
{
	BUY_ITEM,
	BUY_CART,
	TRY_BUY_CART,
	RESERVE_STOCK,
	RESERVE_CART,
	TRY_RESERVE_CART,
	CHANGE_RESERVATION,
	EXTEND_RESERVATION,
	CONFIRM_RESERVATION,
	RELEASE_RESERVATION,
	EXPIRE_RESERVATIONS,
	REFUND_ORDER,
	RESTOCK_ITEM,
	ADJUST_STOCK,
	COUNT_STOCK,
	DIRECT,
	HEAT,
	COOL,
	SETTLE,
	/* in the store that follows its orders: the shop's statements, then calls */
	INSERT_HEADER,
	UPDATE_HEADER,
	DELETE_HEADER,
	INSERT_LINES,
	UPDATE_LINE,
	DELETE_LINE,
	FOLLOW_BUY,
	FOLLOW_REFUND,
	FOLLOW_CHANGE,
	FOLLOW_EXCHANGE,
	FOLLOW_RESTOCK,
	FOLLOW_HEAT,
	FOLLOW_COOL,
	/* transaction control; these change nothing themselves */
	BEGIN,
	COMMIT,
	ROLLBACK,
	SAVEPOINT,
	ROLLBACK_TO,
	OPERATION_KINDS
} OperationKind;

typedef struct Line
{
	int item;
	int quantity;
} Line;

/* An operation, which may be sent more than once; '' and NONE are null. */
typedef struct Operation
{
	OperationKind kind;
	char token[24];
	char key[28];
	char user[24];
	char target[UUID_LENGTH + 1]; /* a reservation, an order, a header or a line */
	char other[UUID_LENGTH + 1];  /* the header to which a line moves */
	Line lines[MAX_LINES];		  /* an operation on one item uses the first */
	int line_count;
	int number; /* ttl, delta, units counted, rows */
	int expected;
	bool restock;
	int place; /* the partition that is written to; NONE: through the table */
} Operation;

extern const char *operation_name(OperationKind kind);
extern bool set_weights(const char *mix);
extern int share_of(const char *name);
extern void choose_operation(Operation *op, const char *token);
extern bool makes_orders(OperationKind kind);
extern bool makes_reservation(OperationKind kind);
extern bool is_of_following(OperationKind kind);

/* ---------------------------------------------------------------- choice.c, wording.c */

extern int random_quantity(void);
extern int random_item(int items, int contended);
extern void choose_arguments(Operation *op);
extern void write_sql(Text *sql, const Operation *op, bool with_key);
extern void write_args(Text *json, const Operation *op);

/* ---------------------------------------------------------------- follow.c */

extern void choose_following(Operation *op);
extern void sql_following(Text *sql, const Operation *op);
extern void args_following(Text *json, const Operation *op);

/* ---------------------------------------------------------------- crowd.c */

/* What other sessions may use. */
typedef enum Made
{
	RESERVATION,
	ORDER,
	HEADER,
	LINE,
	MADE_KINDS
} Made;

typedef enum State
{
	OK,
	REFUSED,
	ERROR,
	UNKNOWN,
	STATES
} State;

extern const char *const state_names[STATES];

extern void crowd_start(void);
extern void set_end_of_work(int64_t at);
extern int64_t end_of_work(void);
extern int new_client(void);
extern void share_made(Made kind, const char *id);
extern void share_operation(const Operation *op);
extern bool recently_made(Made kind, char *id);
extern bool recent_operation(Operation *op);
extern void count_return(OperationKind kind, State state, const char *code);
extern void count_sample(void);
extern void print_counts(void);

/* ---------------------------------------------------------------- history.c */

typedef struct History
{
	int file;
	int client;
} History;

extern void history_open(History *history, int client);
extern int append_file(const char *name);
extern void write_lines(int file, const char *lines, size_t length);
extern void write_invoke(History *history, int n, int pid, const char *iso, const char *strategy,
						 int tx, const Operation *op);
extern void write_return(History *history, int n, State state, const char *code, const char *result,
						 const char *message);

/* ---------------------------------------------------------------- session.c */

typedef enum Phase
{
	DISCONNECTED, /* until `wake` */
	CONNECTING,
	RESTING, /* until `wake` */
	ASKING,
	FINISHED
} Phase;

#define MAX_MADE 16

typedef struct Session
{
	Phase phase;
	History history;
	PGconn *conn;
	int64_t wake; /* when to continue without an event */
	PostgresPollingStatusType polling;
	const char *iso;
	const char *strategy;

	/* the current operation and its outcome */
	int n;
	Operation op;
	bool answered;	   /* a result that is not an error has arrived */
	bool failed;	   /* an error has arrived */
	bool fatal;		   /* and it ended the connection */
	bool unreplicated; /* the server warned that the commit may be lost */
	char code[6];
	char status[32]; /* how a try_ form was refused */
	char result[4096];
	char message[4096]; /* the checker reads the whole DETAIL of a deadlock, which is long */

	/* the transaction */
	int tx; /* 0: none */
	int last_tx;
	int operations_left;
	bool savepoint;
	bool aborted;

	/* ids that the transaction has made, to be shared at its commit */
	char made[MAX_MADE][UUID_LENGTH + 1];
	Made made_kind[MAX_MADE];
	int made_count;

	/* a call with a key whose outcome is unknown or an error */
	Operation retry;
	bool has_retry;
	bool keyless; /* send the next call without its key */
} Session;

extern void session_start(Session *session, int client);
extern void session_continue(Session *session, int64_t now, bool stop);
extern bool session_waits(const Session *session, int *fd, short *events);
extern void session_give_up(Session *session);

/* ---------------------------------------------------------------- made.c */

extern void keep_made(Session *session);
extern void share_all_made(Session *session);

/* ---------------------------------------------------------------- main.c, worker.c, sampler.c */

typedef struct Options
{
	const char *directory;
	const char *connect_file;
	int clients;
	int workers;
	int seconds;  /* at most */
	int patience; /* seconds after the end in which an answer may still come */
	int contended;
	int abandon;		/* per 1,000 statements or commits, how many are not waited for */
	int timeout;		/* statement_timeout of some sessions, ms; 0: none */
	bool retry_keyless; /* a client's mistake: retries go without the key */
	uint64_t seed;

	/* read from the shop */
	int items;
	bool *limited; /* by item */
	int goods;	   /* items of the store that follows */
} Options;

extern Options options;

extern bool read_conninfo(char *conninfo, size_t size, int line);
extern void worker_run(int clients);
extern void sampler_run(void);

#endif
