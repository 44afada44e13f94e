/*
 * state.pml
 *		The state: durable, shared, and of each transaction; the invariants.
 */

/* ---- durable state, and what snapshots see ---- */

#define EPOCHS 7

/* The item's row, its row in "hot", its movements with an epoch. */
typedef Store
{
	short base;
	bit hot;
	byte settled;
	short delta[EPOCHS];
	byte version; /* of the definition of the table */
	byte raised; /* ghost: by how much the floor was raised */
	short truth; /* ghost: units put in minus units taken out, by all commits */
};

Store wal;		/* with every commit record that is written */
Store seen;		/* what a new snapshot sees */
#ifdef ASYNC
Store disk;		/* with every commit record that is flushed */
#endif

#define OPEN(s, e) (s.settled < (e) -> s.delta[e] : 0)
#define UNSETTLED(s) (OPEN(s, 1) + OPEN(s, 2) + OPEN(s, 3) + OPEN(s, 4) + OPEN(s, 5) + OPEN(s, 6))
#define ON_HAND(s) (s.base + (s.hot -> UNSETTLED(s) : 0))

inline copy(to, from)
{
	to.base = from.base;
	to.hot = from.hot;
	to.settled = from.settled;
	to.version = from.version;
	to.raised = from.raised;
	to.truth = from.truth;
	for (n : 1 .. EPOCHS - 1) { to.delta[n] = from.delta[n] }
	n = 0
}

/* ---- shared memory ---- */

#define COLD 0			/* no entry */
#define UNPUBLISHED 1
#define HOT 2
#define COOLING 3		/* takers wait */

byte heat;
byte cooler;			/* the operator that drains and then cools the entry, plus one; new takers wait */
bit unread;				/* a commit changed what is hot, and its callback has not told others */
short avail;
short held;
byte epoch;				/* of new movements */
byte generation;		/* of the entry; it changes when the entry is made again */
byte refs[2];			/* number of records of the open epochs, by the lowest bit of the epoch */

byte counted_by;		/* the version of the table that the counter was counted with */

byte row_lock;			/* the process that has the lock of the item's row, plus one */
byte table_lock;		/* the session that changes the definition of the table, plus one */
bit inside[SESSIONS];	/* has it the lock of the table that sessions have that sell or write? */
bit waits[SESSIONS];	/* does it wait on the condition variable? */

/* ---- transactions ---- */

/* Records: by session, level (0, or 1 in a savepoint) and epoch. */
#define AT(p, l, e) ((p) * 4 + (l) * 2 + ((e) & 1))
byte taken[SESSIONS * 4];
byte used[SESSIONS * 4];
byte given[SESSIONS * 4];
bit ref[SESSIONS * 4];
short row[SESSIONS * 4];		/* movements inserted, not yet committed */
byte number[SESSIONS * 2];		/* the full number of the epoch */
short change[SESSIONS * 2];		/* of the item's row, by level, not yet committed */
byte lift[SESSIONS * 2];		/* ghost: of the floor, by level */
byte demoted[SESSIONS * 2];		/* by level: unsettled movements are in the base, the item is not hot */
short demote[SESSIONS];			/* the sum of these movements, */
byte demote_to[SESSIONS];			/* up to this epoch; not yet committed */
byte lock_level[SESSIONS];		/* the level that locked the row */
byte stage[SESSIONS];			/* of the commit */
byte altered[SESSIONS];			/* the definition of the table, not committed: its version */

#define RUNNING 0
#define WRITTEN 1		/* the commit record is in the WAL; the commit waits for the disk, or a standby */
#define VISIBLE 2		/* the transaction is over, and its row is unlocked; the callback has not run */
#define PREPARED 3

/* the definition of the table, and whether the counter is of an earlier one, as p sees it */
#define VERSION(p) (altered[p] -> altered[p] : seen.version)
#define STALE(p) (heat == HOT && counted_by != VERSION(p))

#define SUM(a, p) (a[AT(p, 0, 0)] + a[AT(p, 0, 1)] + a[AT(p, 1, 0)] + a[AT(p, 1, 1)])
#define OWN_CHANGE(p) (change[(p) * 2] + change[(p) * 2 + 1])
/* by how much its commit changes the units on hand */
#define NET(p) (OWN_CHANGE(p) + SUM(row, p))
/* the item as the transaction itself sees it */
#define DEMOTED(p) (demoted[(p) * 2] + demoted[(p) * 2 + 1] > 0)
#define IS_HOT(p) (seen.hot && !(unread && heat == COLD) && !DEMOTED(p))
#define BASE(p) (seen.base + demote[p] + OWN_CHANGE(p))
/* units that the transaction gave and has not used */
#define OWN_GIVEN(p) (SUM(given, p) - SUM(used, p))
/* has it anything to commit? */
#define WROTE(p) \
	(OWN_CHANGE(p) != 0 || DEMOTED(p) || SUM(row, p) != 0 || SUM(ref, p) != 0 || SUM(given, p) != 0)

short certain;			/* ghost: on hand, by sales that are over and gives whose callback has run */
byte versions;			/* ghost: the last version of the table */
byte crashes;
byte over;

/* scratch within a step */
hidden byte n;
hidden byte p_;
hidden short sum_1, sum_2, sum_3, sum_4, sum_5;

/* ---- invariants ---- */

inline check()
{
	/* I1: not below the floor in any prefix of the WAL and any snapshot, unless the floor was raised */
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
		/* I4: available units exist, whatever still commits or is lost; not of a counter of another version */
		assert(avail + sum_5 >= 0);
		assert(avail <= ON_HAND(wal) - sum_1 || counted_by != wal.version);
		assert(avail <= ON_HAND(seen) - sum_2 || counted_by != seen.version);
		/* I5: the entry agrees with the records */
		assert(held == sum_3);
		assert(refs[0] + refs[1] == sum_4);
		/* I6: no epoch is settled that has references, and none is in the future */
		assert(heat == COOLING || epoch > wal.settled);
		for (n : epoch + 1 .. EPOCHS - 1) { assert(wal.delta[n] == 0) }
	:: else
	fi
}

/* I7: a refused call could not have succeeded, even if all other transactions aborted. */
inline refused(p, q)
{
	assert(certain + NET(p) < q);
#ifdef SNAPSHOT_JUSTIFIES
	assert(seen.truth + NET(p) < q)
#endif
}
