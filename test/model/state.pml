/*
 * state.pml
 *		What there is: durable, shared, and of each transaction; the invariants.
 */

/* ---- what is durable, and what is seen ---- */

#define EPOCHS 7

/* The item's row, its row in "hot", its movements with an epoch. */
typedef Store
{
	short base;
	bit hot;
	byte settled;
	short delta[EPOCHS];
	byte raised; /* ghost: the floor, above what it was */
	short truth; /* ghost: what was put in minus what was taken out, by all commits */
};

Store wal;		/* after every commit record written so far */
Store seen;		/* a snapshot taken now */
#ifdef ASYNC
Store disk;		/* after every commit record flushed so far */
#endif

#define OPEN(s, e) (s.settled < (e) -> s.delta[e] : 0)
#define UNSETTLED(s) (OPEN(s, 1) + OPEN(s, 2) + OPEN(s, 3) + OPEN(s, 4) + OPEN(s, 5) + OPEN(s, 6))
#define ON_HAND(s) (s.base + (s.hot -> UNSETTLED(s) : 0))

inline copy(to, from)
{
	to.base = from.base;
	to.hot = from.hot;
	to.settled = from.settled;
	to.raised = from.raised;
	to.truth = from.truth;
	for (n : 1 .. EPOCHS - 1) { to.delta[n] = from.delta[n] }
	n = 0
}

/* ---- shared memory ---- */

#define COLD 0			/* there is no entry */
#define UNPUBLISHED 1
#define HOT 2
#define COOLING 3		/* takers wait */

byte heat;
byte cooler;			/* of the entry, plus one: while it drains, and then cools; newcomers wait */
bit unread;				/* what is hot has changed, and nobody knows but its transaction */
short avail;
short held;
byte epoch;				/* of movements from now on */
byte generation;		/* of the entry: another one when it is made anew */
byte refs[2];			/* records of the open epochs, by the lowest bit */

byte row_lock;			/* of the item's row: who has it, plus one */
bit waits[SESSIONS];	/* on the condition variable */

/* ---- transactions ---- */

/* Records: by session, level (0, or 1 in a savepoint) and epoch. */
#define AT(p, l, e) ((p) * 4 + (l) * 2 + ((e) & 1))
byte taken[SESSIONS * 4];
byte used[SESSIONS * 4];
byte given[SESSIONS * 4];
bit ref[SESSIONS * 4];
short row[SESSIONS * 4];		/* movements inserted, not committed */
byte number[SESSIONS * 2];		/* the epoch, in full */
short change[SESSIONS * 2];		/* of the item's row, by level, not committed */
byte lift[SESSIONS * 2];		/* ghost: of the floor, by level */
byte folded[SESSIONS * 2];		/* by level: what is not settled is in the base, the item is not hot */
short fold[SESSIONS];			/* what that was, */
byte fold_to[SESSIONS];			/* up to this epoch; not committed */
byte lock_level[SESSIONS];		/* the level that locked the row */
byte stage[SESSIONS];			/* of the commit */

#define RUNNING 0
#define WRITTEN 1		/* the commit record is in the WAL: waits for the disk, or a standby */
#define VISIBLE 2		/* it is over, and its row is free; the callback has not run */
#define PREPARED 3

#define SUM(a, p) (a[AT(p, 0, 0)] + a[AT(p, 0, 1)] + a[AT(p, 1, 0)] + a[AT(p, 1, 1)])
#define OWN_CHANGE(p) (change[(p) * 2] + change[(p) * 2 + 1])
/* what on hand changes by with its commit */
#define NET(p) (OWN_CHANGE(p) + SUM(row, p))
/* the item as its own transaction sees it */
#define FOLDED(p) (folded[(p) * 2] + folded[(p) * 2 + 1] > 0)
#define IS_HOT(p) (seen.hot && !(unread && heat == COLD) && !FOLDED(p))
#define BASE(p) (seen.base + fold[p] + OWN_CHANGE(p))
/* units that this transaction gave and has not used */
#define OWN_GIVEN(p) (SUM(given, p) - SUM(used, p))
/* whether anything has to be committed */
#define WROTE(p) \
	(OWN_CHANGE(p) != 0 || FOLDED(p) || SUM(row, p) != 0 || SUM(ref, p) != 0 || SUM(given, p) != 0)

short certain;			/* ghost: on hand, by the sales that are over and the gives whose callback has run */
byte crashes;
byte over;

/* scratch within a step */
hidden byte n;
hidden byte p_;
hidden short sum_1, sum_2, sum_3, sum_4, sum_5;

/* ---- invariants ---- */

inline check()
{
	/* I1: never below the floor, in any prefix of the WAL and in any snapshot; but the floor itself may rise */
	assert(ON_HAND(wal) + wal.raised >= 0);
	assert(ON_HAND(seen) + seen.raised >= 0);
	/* I2: every delta counts once */
	assert(ON_HAND(wal) == wal.truth);
	assert(ON_HAND(seen) == seen.truth);
	assert(wal.hot || UNSETTLED(wal) == 0);
	if
	:: heat == HOT || heat == COOLING ->
		sum_1 = 0;
		sum_2 = 0;
		sum_3 = 0;
		sum_4 = 0;
		sum_5 = wal.raised;
		for (p_ : 0 .. SESSIONS - 1) {
			sum_3 = sum_3 + SUM(taken, p_);
			sum_4 = sum_4 + SUM(ref, p_);
			assert(ref[AT(p_, 0, 0)] + ref[AT(p_, 1, 0)] == 0 || number[p_ * 2] > wal.settled);
			assert(ref[AT(p_, 0, 1)] + ref[AT(p_, 1, 1)] == 0 || number[p_ * 2 + 1] > wal.settled);
			if
			:: stage[p_] == RUNNING || stage[p_] == PREPARED ->
				sum_1 = sum_1 + SUM(taken, p_);
				sum_5 = sum_5 + lift[p_ * 2] + lift[p_ * 2 + 1];
				sum_2 = sum_2 + SUM(taken, p_)
			:: stage[p_] == WRITTEN -> sum_2 = sum_2 + SUM(taken, p_)
			:: else
			fi
		}
		/* I4: what can be sold is there, whatever still commits or is lost */
		assert(avail + sum_5 >= 0);
		assert(avail <= ON_HAND(wal) - sum_1);
		assert(avail <= ON_HAND(seen) - sum_2);
		/* I5: the entry knows its records */
		assert(held == sum_3);
		assert(refs[0] + refs[1] == sum_4);
		/* I6: nothing is settled that somebody may still add to, and nothing is ahead */
		assert(heat == COOLING || epoch > wal.settled);
		for (n : epoch + 1 .. EPOCHS - 1) { assert(wal.delta[n] == 0) }
	:: else
	fi
}

/* I7: whoever is refused could not have bought, whatever becomes of the others. */
inline refused(p, q)
{
	assert(certain + NET(p) < q);
#ifdef SNAPSHOT_JUSTIFIES
	assert(seen.truth + NET(p) < q)
#endif
}
