/*
 * scenarios.pml
 *		The scenarios: which sessions and operators run, and what they may do.
 *
 * `spin -DBUYERS escrow.pml` chooses a scenario.
 * SESSION(number, calls it may make, calls in a transaction, transactions)
 * OPERATOR(number, what it may do, how often); its numbers follow those of the sessions.
 */

/* Calls of a session. */
#define TAKE 1
#define GIVE 2		/* restock, release, expiry, refund */
#define LESS 4		/* UPDATE items SET stock = stock - n, by the owner */
#define MORE 8		/* the same with + n */
#define SAVEPOINT 16
#define PREPARE 32
#define RAISE 64	/* raise the floor by n, which is never refused; lowering it is MORE */
#define UNSEEN 128	/* LESS or MORE with the guard off; other sessions find another version of the table */

/* Actions of an operator. */
#define SETTLE 1
#define HEAT 2
#define COOL 4
#define FORGET 8	/* free the entry, so that the next touch publishes again */

#define SESSION(me, menu, calls, times) run session(me, menu, calls, times)
#define OPERATOR(me, menu, times) run operator(me, menu, times)

/* Three buyers of up to two units; no session may stop waiting, and none has to. */
#ifdef BUYERS
#define SESSIONS 3
#define UNITS 2
#define MAX_UNITS 2
#define PATIENT
#define PROCESSES 3
#define START SESSION(0, TAKE, 1, 1); SESSION(1, TAKE, 1, 1); SESSION(2, TAKE, 1, 1)
#endif

/* Several takes in a transaction, and a crash: sessions may wait in a circle. */
#ifdef CARTS
#define UNITS 2
#define MAX_UNITS 2
#define CRASHES 1
#define PROCESSES 2
#define START SESSION(0, TAKE, 2, 2); SESSION(1, TAKE, 2, 2)
#endif

/* A session does not wait for units that only it holds. */
#ifdef ALONE
#define PATIENT
#define PROCESSES 1
#define START SESSION(0, TAKE | GIVE | SAVEPOINT, 3, 1)
#endif

/* Units that are given are sold by others, and by the transaction that gave them. */
#ifdef GIVERS
#define SESSIONS 3
#define PROCESSES 3
#define START SESSION(0, TAKE, 1, 1); SESSION(1, TAKE | GIVE, 2, 1); SESSION(2, GIVE, 1, 1)
#endif

/* Takes and gives in savepoints. */
#ifdef SAVEPOINTS
#define PROCESSES 2
#define START SESSION(0, TAKE | GIVE | SAVEPOINT, 3, 1); SESSION(1, TAKE, 1, 1)
#endif

/* Two operators settle at the same time, while sessions take and give. */
#ifdef SETTLING
#define PROCESSES 4
#define START SESSION(0, TAKE, 1, 1); SESSION(1, GIVE, 1, 1); \
	OPERATOR(2, SETTLE, 1); OPERATOR(3, SETTLE, 1)
#endif

/* A transaction has records in two epochs. */
#ifdef EPOCHS_MIX
#define PROCESSES 3
#define START SESSION(0, TAKE | GIVE, 3, 1); SESSION(1, TAKE, 1, 1); OPERATOR(2, SETTLE, 2)
#endif

/* The owner updates the row of a hot item. */
#ifdef GUARD
#define PROCESSES 3
#define START SESSION(0, TAKE | LESS | MORE, 2, 1); SESSION(1, TAKE, 1, 1); OPERATOR(2, SETTLE, 1)
#endif

/* The same in savepoints, with a concurrent restock. */
#ifdef GUARD_SAVEPOINTS
#define PROCESSES 3
#define START SESSION(0, TAKE | LESS | MORE | SAVEPOINT, 2, 1); SESSION(1, GIVE, 1, 1); \
	OPERATOR(2, SETTLE, 1)
#endif

/* The owner raises the floor, even above the available units. */
#ifdef FLOOR
#define PROCESSES 3
#define START SESSION(0, TAKE | MORE | RAISE, 2, 1); SESSION(1, TAKE | GIVE, 1, 1); \
	OPERATOR(2, SETTLE | COOL | FORGET, 1)
#endif

/* Buyers and the owner on the row path while the item becomes hot. */
#ifdef HEATING
#define BEGIN COLD
#define PROCESSES 3
#define START SESSION(0, TAKE | GIVE, 2, 1); SESSION(1, TAKE | GIVE | LESS, 2, 1); \
	OPERATOR(2, HEAT, 1)
#endif

/* The same while it cools. */
#ifdef COOLING_DOWN
#define PATIENT
#define PROCESSES 3
#define START SESSION(0, TAKE | LESS, 1, 1); SESSION(1, TAKE | GIVE, 1, 1); \
	OPERATOR(2, COOL | SETTLE, 2)
#endif

/* Two operators cool, one after the other or before the callback of the other; one may heat instead. */
#ifdef COOLING_TWICE
#define PATIENT
#define PROCESSES 4
#define START SESSION(0, TAKE, 1, 1); SESSION(1, TAKE | LESS, 1, 1); \
	OPERATOR(2, COOL | SETTLE, 1); OPERATOR(3, COOL | HEAT, 1)
#endif

/* A session with a record needs the row that the cooler has; the entry may be freed while it drains. */
#ifdef DRAINING
#define PATIENT
#define PROCESSES 4
#define START SESSION(0, TAKE | LESS, 2, 1); SESSION(1, TAKE, 1, 1); \
	OPERATOR(2, COOL, 1); OPERATOR(3, SETTLE | FORGET, 1)
#endif

/* Draining ends without a limit if no session with a record waits for the row. */
#ifdef STUBBORN
#define PATIENT
#define MAY_GIVE_UP false
#define PROCESSES 3
#define START SESSION(0, TAKE | SAVEPOINT, 2, 1); SESSION(1, TAKE | GIVE, 1, 1); \
	OPERATOR(2, COOL | SETTLE, 2)
#endif

/* The item is cooled and heated again. */
#ifdef REHEATING
#define PROCESSES 3
#define START SESSION(0, TAKE, 1, 1); SESSION(1, TAKE | GIVE, 1, 1); \
	OPERATOR(2, HEAT | COOL | SETTLE, 3)
#endif

/* The first touch after a crash, with movements in both open epochs. */
#ifdef FIRST_TOUCH
#define MAY_BE_FULL true
#define BEGIN UNPUBLISHED
#define OLD_1 1
#define OLD_2 -1
#define PROCESSES 3
#define START SESSION(0, TAKE | LESS | MORE, 2, 1); SESSION(1, TAKE | GIVE, 1, 1); \
	OPERATOR(2, SETTLE, 1)
#endif

/* Hot, not published, all units sold but not settled; a transaction writes the row before it buys. */
#ifdef LEFT_OVER
#define MAY_BE_FULL true
#define BEGIN UNPUBLISHED
#define UNITS 0
#define OLD_1 -1
#define PROCESSES 2
#define START SESSION(0, TAKE | LESS | MORE, 2, 1); SESSION(1, TAKE | GIVE, 1, 1)
#endif

/* A session with the row's lock demotes, also in a savepoint; the item is heated again. */
#ifdef DEMOTING
#define MAY_BE_FULL true
#define BEGIN UNPUBLISHED
#define OLD_1 -1
#define PROCESSES 3
#define START SESSION(0, TAKE | MORE | SAVEPOINT, 3, 1); SESSION(1, TAKE | GIVE, 1, 1); \
	OPERATOR(2, HEAT | FORGET, 1)
#endif

/* The same, in a prepared transaction, and across a crash. */
#ifdef DEMOTING_CRASH
#define MAY_BE_FULL true
#define BEGIN UNPUBLISHED
#define OLD_1 1
#define OLD_2 -1
#define CRASHES 1
#define PROCESSES 3
#define START SESSION(0, TAKE | LESS | PREPARE, 1, 1); SESSION(1, TAKE | GIVE, 1, 1); \
	OPERATOR(2, HEAT, 1)
#endif

/* A crash at any instant. */
#ifdef CRASH
#define CRASHES 1
#define PROCESSES 3
#define START SESSION(0, TAKE | LESS, 1, 2); SESSION(1, GIVE, 1, 1); OPERATOR(2, SETTLE, 1)
#endif

/* A crash while the item is cooled, heated or published. */
#ifdef CRASH_HEAT
#define BEGIN COLD
#define CRASHES 1
#define PROCESSES 3
#define START SESSION(0, TAKE, 1, 1); SESSION(1, TAKE | GIVE, 1, 1); OPERATOR(2, HEAT | COOL, 2)
#endif

/* A crash loses asynchronous commits that were not flushed; no transaction aborts. */
#ifdef ASYNCHRONOUS
#define ASYNC
#define MAY_ABORT false
#define CRASHES 1
#define PROCESSES 3
#define START SESSION(0, GIVE, 1, 1); SESSION(1, TAKE, 1, 2); OPERATOR(2, SETTLE, 1)
#endif

/* The entry is freed and published again while commits wait for a standby. */
#ifdef STANDBY
#define MAY_BE_FULL true
#define PROCESSES 4
#define START SESSION(0, TAKE, 1, 1); SESSION(1, TAKE | GIVE, 1, 1); OPERATOR(2, FORGET, 1); \
	OPERATOR(3, SETTLE, 1)
#endif

/* The entry is freed while the owner, who has changed the row, waits. */
#ifdef FORGOTTEN
#define MAY_BE_FULL true
#define PROCESSES 3
#define START SESSION(0, TAKE, 1, 1); SESSION(1, LESS, 1, 1); OPERATOR(2, FORGET, 1)
#endif

/* The entry is freed, and no transaction aborts: only commits wait. */
#ifdef STANDBY_ONLY
#define MAY_BE_FULL true
#define MAY_ABORT false
#define PROCESSES 3
#define START SESSION(0, TAKE, 1, 1); SESSION(1, TAKE, 1, 1); OPERATOR(2, FORGET, 1)
#endif

/* PREPARE TRANSACTION after a purchase on the row path. */
#ifdef PREPARING
#define BEGIN COLD
#define CRASHES 1
#define PROCESSES 3
#define START SESSION(0, TAKE | LESS | PREPARE, 1, 1); SESSION(1, TAKE, 1, 2); OPERATOR(2, HEAT, 1)
#endif

/* PREPARE TRANSACTION after a purchase of a hot item, which is refused. */
#ifdef PREPARING_HOT
#define CRASHES 1
#define PROCESSES 2
#define START SESSION(0, TAKE | PREPARE, 1, 1); SESSION(1, TAKE, 1, 2)
#endif

/* A little of everything. */
#ifdef EVERYTHING
#define CRASHES 1
#define PROCESSES 3
#define START SESSION(0, TAKE | GIVE, 1, 1); SESSION(1, TAKE | LESS, 1, 1); \
	OPERATOR(2, SETTLE | COOL | FORGET, 1)
#endif

/* The row changes unseen by the guard: the counter is counted again before a session uses it. */
#ifdef UNSEEN_CHANGES
#define PROCESSES 3
#define START SESSION(0, TAKE | UNSEEN, 2, 1); SESSION(1, TAKE | GIVE | LESS, 1, 1); \
	OPERATOR(2, SETTLE | COOL | HEAT, 1)
#endif

/* The same, and a crash; the session that changed the table may buy before its commit. */
#ifdef UNSEEN_CRASH
#define UNITS 2
#define CRASHES 1
#define PROCESSES 2
#define START SESSION(0, TAKE | UNSEEN, 3, 1); SESSION(1, TAKE | LESS, 2, 1)
#endif

/* A sale, a restock, and an UPDATE that takes the restocked unit: the sale settled alone would put the row below
 * the floor. */
#ifdef OVERTAKEN
#define SESSIONS 3
#define PROCESSES 4
#define START SESSION(0, TAKE, 1, 1); SESSION(1, GIVE, 1, 1); SESSION(2, LESS, 1, 1); \
	OPERATOR(3, SETTLE, 1)
#endif

#ifndef MAY_ABORT
#define MAY_ABORT true
#endif
#ifndef MAY_GIVE_UP
#define MAY_GIVE_UP true /* a cooler may stop before the entry is drained */
#endif
#ifndef MAY_BE_FULL
#define MAY_BE_FULL false /* shared memory may have no room for an entry */
#endif
#ifndef SESSIONS
#define SESSIONS 2
#endif
#ifndef UNITS
#define UNITS 1 /* on hand at the start, above the floor */
#endif
#ifndef MAX_UNITS
#define MAX_UNITS 1 /* the maximum that a call takes or gives */
#endif
#ifndef OLD_1
#define OLD_1 0 /* sum of the movements at the start, in epoch 1 */
#endif
#ifndef OLD_2
#define OLD_2 0 /* the same, in epoch 2 */
#endif
#ifndef CRASHES
#define CRASHES 0
#endif
#ifndef BEGIN
#define BEGIN HOT /* COLD; UNPUBLISHED: hot, as after a restart; HOT */
#endif
