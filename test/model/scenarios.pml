/*
 * scenarios.pml
 *		Who takes part, and with what; `spin -DBUYERS escrow.pml` chooses one.
 *
 * SESSION(number, calls it may make, calls in a transaction, transactions)
 * OPERATOR(number, what it may do, how often); numbers go on after the sessions.
 */

/* Calls of a session. */
#define TAKE 1
#define GIVE 2		/* restock, release, expiry, refund */
#define LESS 4		/* UPDATE items SET stock = stock - n, by the owner */
#define MORE 8		/* and + n */
#define SAVEPOINT 16
#define PREPARE 32
#define RAISE 64	/* the floor, by n, and nobody can refuse that; to lower it is MORE */

/* What an operator does. */
#define SETTLE 1
#define HEAT 2
#define COOL 4
#define FORGET 8	/* give the entry up, so that the next touch publishes again */

#define SESSION(me, menu, calls, times) run session(me, menu, calls, times)
#define OPERATOR(me, menu, times) run operator(me, menu, times)

/* Three buyers, carts of up to two units; nobody may give up waiting, and nobody has to. */
#ifdef BUYERS
#define SESSIONS 3
#define UNITS 2
#define MOST 2
#define PATIENT
#define PEOPLE 3
#define CAST SESSION(0, TAKE, 1, 1); SESSION(1, TAKE, 1, 1); SESSION(2, TAKE, 1, 1)
#endif

/* The same with several takes in a transaction, and a crash: waiting in a circle. */
#ifdef CARTS
#define UNITS 2
#define MOST 2
#define CRASHES 1
#define PEOPLE 2
#define CAST SESSION(0, TAKE, 2, 2); SESSION(1, TAKE, 2, 2)
#endif

/* Nobody waits for what is only held by oneself. */
#ifdef ALONE
#define PATIENT
#define PEOPLE 1
#define CAST SESSION(0, TAKE | GIVE | SAVEPOINT, 3, 1)
#endif

/* What is given back is sold by others, and by who gave it. */
#ifdef GIVERS
#define SESSIONS 3
#define PEOPLE 3
#define CAST SESSION(0, TAKE, 1, 1); SESSION(1, TAKE | GIVE, 2, 1); SESSION(2, GIVE, 1, 1)
#endif

#ifdef SAVEPOINTS
#define PEOPLE 2
#define CAST SESSION(0, TAKE | GIVE | SAVEPOINT, 3, 1); SESSION(1, TAKE, 1, 1)
#endif

/* Two who settle at once, while others take and give. */
#ifdef SETTLING
#define PEOPLE 4
#define CAST SESSION(0, TAKE, 1, 1); SESSION(1, GIVE, 1, 1); \
	OPERATOR(2, SETTLE, 1); OPERATOR(3, SETTLE, 1)
#endif

/* One transaction has records in two epochs. */
#ifdef EPOCHS_MIX
#define PEOPLE 3
#define CAST SESSION(0, TAKE | GIVE, 3, 1); SESSION(1, TAKE, 1, 1); OPERATOR(2, SETTLE, 2)
#endif

/* The owner updates the row of a hot item. */
#ifdef GUARD
#define PEOPLE 3
#define CAST SESSION(0, TAKE | LESS | MORE, 2, 1); SESSION(1, TAKE, 1, 1); OPERATOR(2, SETTLE, 1)
#endif

/* The same, in savepoints, against a restock. */
#ifdef GUARD_SAVEPOINTS
#define PEOPLE 3
#define CAST SESSION(0, TAKE | LESS | MORE | SAVEPOINT, 2, 1); SESSION(1, GIVE, 1, 1); \
	OPERATOR(2, SETTLE, 1)
#endif

/* The owner raises the floor, above what is there if need be. */
#ifdef FLOOR
#define PEOPLE 3
#define CAST SESSION(0, TAKE | MORE | RAISE, 2, 1); SESSION(1, TAKE | GIVE, 1, 1); \
	OPERATOR(2, SETTLE | COOL | FORGET, 1)
#endif

/* Buyers and the owner on the row path while the item becomes hot. */
#ifdef HEATING
#define BEGIN COLD
#define PEOPLE 3
#define CAST SESSION(0, TAKE | GIVE, 2, 1); SESSION(1, TAKE | GIVE | LESS, 2, 1); \
	OPERATOR(2, HEAT, 1)
#endif

/* And while it cools. */
#ifdef COOLING_DOWN
#define PATIENT
#define PEOPLE 3
#define CAST SESSION(0, TAKE | LESS, 1, 1); SESSION(1, TAKE | GIVE, 1, 1); \
	OPERATOR(2, COOL | SETTLE, 2)
#endif

/* Two who cool, one after the other or before the callback of the other; one may heat instead. */
#ifdef COOLING_TWICE
#define PATIENT
#define PEOPLE 4
#define CAST SESSION(0, TAKE, 1, 1); SESSION(1, TAKE | LESS, 1, 1); \
	OPERATOR(2, COOL | SETTLE, 1); OPERATOR(3, COOL | HEAT, 1)
#endif

/* Who has a record wants the row that the cooler has; the entry is given up while it drains. */
#ifdef DRAINING
#define PATIENT
#define PEOPLE 4
#define CAST SESSION(0, TAKE | LESS, 2, 1); SESSION(1, TAKE, 1, 1); \
	OPERATOR(2, COOL, 1); OPERATOR(3, SETTLE | FORGET, 1)
#endif

/* Draining ends of itself where nobody who has a record waits for the row. */
#ifdef STUBBORN
#define PATIENT
#define MAY_GIVE_UP false
#define PEOPLE 3
#define CAST SESSION(0, TAKE | SAVEPOINT, 2, 1); SESSION(1, TAKE | GIVE, 1, 1); \
	OPERATOR(2, COOL | SETTLE, 2)
#endif

/* Cooled and heated again. */
#ifdef REHEATING
#define PEOPLE 3
#define CAST SESSION(0, TAKE, 1, 1); SESSION(1, TAKE | GIVE, 1, 1); \
	OPERATOR(2, HEAT | COOL | SETTLE, 3)
#endif

/* After a crash in the past, with movements in both open epochs; whoever comes first publishes. */
#ifdef FIRST_TOUCH
#define MAY_BE_FULL true
#define BEGIN UNPUBLISHED
#define OLD_1 1
#define OLD_2 -1
#define PEOPLE 3
#define CAST SESSION(0, TAKE | LESS | MORE, 2, 1); SESSION(1, TAKE | GIVE, 1, 1); \
	OPERATOR(2, SETTLE, 1)
#endif

/* Hot, not published, everything sold but not settled; a transaction wrote the row before it buys. */
#ifdef LEFT_OVER
#define MAY_BE_FULL true
#define BEGIN UNPUBLISHED
#define UNITS 0
#define OLD_1 -1
#define PEOPLE 2
#define CAST SESSION(0, TAKE | LESS | MORE, 2, 1); SESSION(1, TAKE | GIVE, 1, 1)
#endif

/* Whoever has the row folds, in a savepoint too; and the item is heated again. */
#ifdef FOLDING
#define MAY_BE_FULL true
#define BEGIN UNPUBLISHED
#define OLD_1 -1
#define PEOPLE 3
#define CAST SESSION(0, TAKE | MORE | SAVEPOINT, 3, 1); SESSION(1, TAKE | GIVE, 1, 1); \
	OPERATOR(2, HEAT | FORGET, 1)
#endif

/* The same, prepared, and across a crash. */
#ifdef FOLDING_CRASH
#define MAY_BE_FULL true
#define BEGIN UNPUBLISHED
#define OLD_1 1
#define OLD_2 -1
#define CRASHES 1
#define PEOPLE 3
#define CAST SESSION(0, TAKE | LESS | PREPARE, 1, 1); SESSION(1, TAKE | GIVE, 1, 1); \
	OPERATOR(2, HEAT, 1)
#endif

/* A crash at any instant. */
#ifdef CRASH
#define CRASHES 1
#define PEOPLE 3
#define CAST SESSION(0, TAKE | LESS, 1, 2); SESSION(1, GIVE, 1, 1); OPERATOR(2, SETTLE, 1)
#endif

/* A crash while the item cools, is heated, is published. */
#ifdef CRASH_HEAT
#define BEGIN COLD
#define CRASHES 1
#define PEOPLE 3
#define CAST SESSION(0, TAKE, 1, 1); SESSION(1, TAKE | GIVE, 1, 1); OPERATOR(2, HEAT | COOL, 2)
#endif

/* A crash loses what was committed asynchronously and not flushed; nobody aborts. */
#ifdef ASYNCHRONOUS
#define ASYNC
#define MAY_ABORT false
#define CRASHES 1
#define PEOPLE 3
#define CAST SESSION(0, GIVE, 1, 1); SESSION(1, TAKE, 1, 2); OPERATOR(2, SETTLE, 1)
#endif

/* The entry is given up and made anew while commits wait for a standby. */
#ifdef STANDBY
#define MAY_BE_FULL true
#define PEOPLE 4
#define CAST SESSION(0, TAKE, 1, 1); SESSION(1, TAKE | GIVE, 1, 1); OPERATOR(2, FORGET, 1); \
	OPERATOR(3, SETTLE, 1)
#endif

/* It is given up while the owner waits with the row changed. */
#ifdef FORGOTTEN
#define MAY_BE_FULL true
#define PEOPLE 3
#define CAST SESSION(0, TAKE, 1, 1); SESSION(1, LESS, 1, 1); OPERATOR(2, FORGET, 1)
#endif

/* The same, and nobody aborts: what goes wrong is the commit that waits. */
#ifdef STANDBY_ONLY
#define MAY_BE_FULL true
#define MAY_ABORT false
#define PEOPLE 3
#define CAST SESSION(0, TAKE, 1, 1); SESSION(1, TAKE, 1, 1); OPERATOR(2, FORGET, 1)
#endif

/* PREPARE TRANSACTION, of a purchase on the row path and of one that is refused. */
#ifdef PREPARING
#define BEGIN COLD
#define CRASHES 1
#define PEOPLE 3
#define CAST SESSION(0, TAKE | LESS | PREPARE, 1, 1); SESSION(1, TAKE, 1, 2); OPERATOR(2, HEAT, 1)
#endif
#ifdef PREPARING_HOT
#define CRASHES 1
#define PEOPLE 2
#define CAST SESSION(0, TAKE | PREPARE, 1, 1); SESSION(1, TAKE, 1, 2)
#endif

/* All of it at once, each a little. */
#ifdef EVERYTHING
#define CRASHES 1
#define PEOPLE 3
#define CAST SESSION(0, TAKE | GIVE, 1, 1); SESSION(1, TAKE | LESS, 1, 1); \
	OPERATOR(2, SETTLE | COOL | FORGET, 1)
#endif

/* A sale, then a restock that the owner takes away again: settled one by one, the row would go below the floor. */
#ifdef OVERTAKEN
#define SESSIONS 3
#define PEOPLE 4
#define CAST SESSION(0, TAKE, 1, 1); SESSION(1, GIVE, 1, 1); SESSION(2, LESS, 1, 1); \
	OPERATOR(3, SETTLE, 1)
#endif

#ifndef MAY_ABORT
#define MAY_ABORT true
#endif
#ifndef MAY_GIVE_UP
#define MAY_GIVE_UP true /* a cooler that has not drained the entry yet */
#endif
#ifndef MAY_BE_FULL
#define MAY_BE_FULL false /* shared memory has no room for an entry */
#endif
#ifndef SESSIONS
#define SESSIONS 2
#endif
#ifndef UNITS
#define UNITS 1 /* on hand at the beginning, above the floor */
#endif
#ifndef MOST
#define MOST 1 /* units that a call takes or gives, at most */
#endif
#ifndef OLD_1
#define OLD_1 0 /* sum of the movements that are there at the beginning */
#endif
#ifndef OLD_2
#define OLD_2 0 /* the same, of the epoch after it */
#endif
#ifndef CRASHES
#define CRASHES 0
#endif
#ifndef BEGIN
#define BEGIN HOT /* COLD; UNPUBLISHED: hot, as after a restart; HOT */
#endif
