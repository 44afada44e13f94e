/*
 * counter.pml
 *		Operations on the counter and on the records of sessions.
 */

/* ---- the counter: each of these is one spinlock section ---- */

#define DONE 0
#define SHORT 1
#define WAIT 2
#define GONE 3

inline wake()
{
#ifdef M_NO_WAKE
	skip
#else
	for (n : 0 .. SESSIONS - 1) { waits[n] = 0 }
#endif
}

/* Reference the current epoch. */
inline reference(p, l)
{
	assert(ref[AT(p, 0, epoch)] + ref[AT(p, 1, epoch)] == 0 || number[(p) * 2 + (epoch & 1)] == epoch);
	if
	:: ref[AT(p, l, epoch)] == 0 ->
		ref[AT(p, l, epoch)] = 1;
		refs[epoch & 1]++
	:: else
	fi;
	number[(p) * 2 + (epoch & 1)] = epoch
}

/* who waits for an operator: all sessions while it cools, those without a record while it drains */
#ifdef M_DRAIN_ALL
#define HELD_OFF(p) (heat == COOLING || cooler)
#else
#define HELD_OFF(p) (heat == COOLING || (cooler && SUM(ref, p) == 0))
#endif

/* units that the transaction itself gave are used first */
inline take_units(p, l, q, answer, at)
{
	sum_1 = (OWN_GIVEN(p) < q -> OWN_GIVEN(p) : q);
	reference(p, l);
	used[AT(p, l, epoch)] = used[AT(p, l, epoch)] + sum_1;
	taken[AT(p, l, epoch)] = taken[AT(p, l, epoch)] + q - sum_1;
	avail = avail - (q - sum_1);
	held = held + q - sum_1;
	at = epoch;
	answer = DONE
}

/* must the counter be counted again before it is used? Checked in the section that uses it */
#ifdef M_STALE_TRUSTED
#define MUST_COUNT(p) false
#else
#define MUST_COUNT(p) STALE(p)
#endif
#ifdef M_STALE_UNLOCKED
#define STALE_NOW(p) false
#else
#define STALE_NOW(p) MUST_COUNT(p)
#endif

/* take, or the answer that there are too few */
inline take(p, l, q, answer, at)
{
	if
	:: heat == COLD || heat == UNPUBLISHED || STALE_NOW(p) -> answer = GONE
	:: !STALE_NOW(p) && HELD_OFF(p) -> answer = WAIT
	:: heat == HOT && !STALE_NOW(p) && !HELD_OFF(p) && avail + OWN_GIVEN(p) >= q ->
		take_units(p, l, q, answer, at)
	:: else ->
#if defined(M_SHORT_IS_FINAL)
		answer = SHORT
#elif defined(M_WAIT_FOR_ONESELF)
		answer = (avail + OWN_GIVEN(p) + held < q -> SHORT : WAIT)
#else
		answer = (avail + OWN_GIVEN(p) + held - SUM(taken, p) < q -> SHORT : WAIT)
#endif
	fi;
	if
	:: answer == WAIT -> waits[p] = 1
	:: else
	fi
}

/* take the units by which the floor rises, however many there are; with the row's lock one need not
 * wait for draining, because its cooler is over */
inline take_for_floor(p, l, q, answer, at)
{
	if
	:: heat == COOLING -> answer = WAIT; waits[p] = 1
	:: STALE_NOW(p) -> answer = GONE
	:: else ->
		take_units(p, l, q, answer, at)
	fi
}

/* give */
inline give(p, l, q, answer, at)
{
	if
	:: heat == COLD || heat == UNPUBLISHED || STALE_NOW(p) -> answer = GONE
	:: !STALE_NOW(p) && HELD_OFF(p) -> answer = WAIT; waits[p] = 1
	:: else ->
#ifdef M_GIVE_WITHOUT_REFERENCE
		number[(p) * 2 + (epoch & 1)] = epoch;
#else
		reference(p, l);
#endif
		given[AT(p, l, epoch)] = given[AT(p, l, epoch)] + q;
		at = epoch;
		answer = DONE
	fi
}

/* Drop the reference of session p at a level. */
inline drop_reference(p, l, e)
{
	if
	:: ref[AT(p, l, e)] -> ref[AT(p, l, e)] = 0; refs[e]--
	:: else
	fi
}

/* Drop the records of session p at a level. */
inline forget_records(p, l)
{
	for (n : 0 .. 1) {
		drop_reference(p, l, n);
		taken[AT(p, l, n)] = 0;
		used[AT(p, l, n)] = 0;
		given[AT(p, l, n)] = 0;
		row[AT(p, l, n)] = 0;
		if
		:: !ref[AT(p, 0, n)] && !ref[AT(p, 1, n)] && row[AT(p, 0, n)] == 0 -> number[(p) * 2 + n] = 0
		:: else
		fi
	}
	change[(p) * 2 + l] = 0;
	lift[(p) * 2 + l] = 0;
	demoted[(p) * 2 + l] = 0;
	if
	:: !DEMOTED(p) -> demote[p] = 0; demote_to[p] = 0
	:: else
	fi
}

/* subtransaction commit: the records move to the outer level */
inline merge(p)
{
	for (n : 0 .. 1) {
		taken[AT(p, 0, n)] = taken[AT(p, 0, n)] + taken[AT(p, 1, n)];
		used[AT(p, 0, n)] = used[AT(p, 0, n)] + used[AT(p, 1, n)];
		given[AT(p, 0, n)] = given[AT(p, 0, n)] + given[AT(p, 1, n)];
		row[AT(p, 0, n)] = row[AT(p, 0, n)] + row[AT(p, 1, n)];
		if
		:: ref[AT(p, 1, n)] && !ref[AT(p, 0, n)] -> ref[AT(p, 0, n)] = 1; ref[AT(p, 1, n)] = 0
		:: else
		fi
	}
	change[(p) * 2] = change[(p) * 2] + change[(p) * 2 + 1];
	lift[(p) * 2] = lift[(p) * 2] + lift[(p) * 2 + 1];
	demoted[(p) * 2] = demoted[(p) * 2] + demoted[(p) * 2 + 1];
	lock_level[p] = 0;
	forget_records(p, 1)
}

/* abort or subtransaction abort, of one level */
inline give_back(p, l)
{
	sum_1 = taken[AT(p, l, 0)] + taken[AT(p, l, 1)];
	sum_2 = used[AT(p, l, 0)] + used[AT(p, l, 1)];
	held = held - sum_1;
#ifdef M_NO_RETURN
	sum_1 = 0;
#endif
#ifdef M_USED_RETURNS
	sum_1 = sum_1 + sum_2;
#endif
	avail = avail + sum_1;
#ifdef M_RETURN_TWICE
	/* the records of the savepoint remain, as records of the transaction */
	if
	:: l == 1 ->
		taken[AT(p, 0, epoch)] = taken[AT(p, 0, epoch)] + sum_1;
		held = held + sum_1;
	:: else
	fi;
#endif
#ifdef M_USED_STAYS
	if
	:: l == 1 -> used[AT(p, 0, epoch)] = used[AT(p, 0, epoch)] + sum_2
	:: else
	fi;
#endif
	forget_records(p, l);
	wake()
}

/* The change of the counter when p commits. */
inline credit(p)
{
	avail = avail + SUM(given, p) - SUM(used, p)
}

#define UNREFERENCED (refs[0] == 0 && refs[1] == 0)

/* Free the entry; records of an entry that was freed mean nothing. */
inline free_entry()
{
	heat = COLD; generation++; cooler = 0;
	avail = 0; held = 0; epoch = 0; counted_by = 0;
	refs[0] = 0; refs[1] = 0;
	for (n : 0 .. SESSIONS * 4 - 1) {
		taken[n] = 0; used[n] = 0; given[n] = 0; ref[n] = 0
	}
	wake()
}

/* Unlock the row; this is at the instant at which a transaction is over. */
inline unlock(p)
{
	if
	:: row_lock == (p) + 1 -> row_lock = 0
	:: else
	fi
}

/* ---- commit records ---- */

inline apply(s, p)
{
	s.base = s.base + demote[p] + OWN_CHANGE(p);
	if
	:: demoted[(p) * 2] == 1 -> s.hot = 0; s.settled = demote_to[p]
	:: else
	fi;
	s.version = (altered[p] -> altered[p] : s.version);
	for (n : 0 .. 1) {
		s.delta[number[(p) * 2 + n]] = s.delta[number[(p) * 2 + n]] + row[AT(p, 0, n)]
	}
	s.raised = s.raised + lift[(p) * 2];
	s.truth = s.truth + NET(p)
}

/* A synchronous commit is flushed before it is visible, an asynchronous one at any time. */
inline flush()
{
#ifdef ASYNC
	if
	:: d_step { copy(disk, wal) }
	:: skip
	fi
#else
	skip
#endif
}

/* ---- demote ---- */

/* Under the row lock: all unsettled movements go into the base, and the item is no longer hot. */
inline count_unsettled(p)
{
#ifndef M_DEMOTE_FORGETS
	demote[p] = UNSETTLED(seen);
#endif
	demote_to[p] = seen.settled;
#ifndef M_DEMOTE_STAYS_OPEN
	for (n : 1 .. EPOCHS - 1) {
		demote_to[p] = (n > demote_to[p] && seen.delta[n] != 0 -> n : demote_to[p])
	}
#endif
}

/* ---- publish ---- */

/* The units on hand by a snapshot of p, which has its own changes of the row, and the open epoch. */
inline count(p, on_hand, first)
{
	on_hand = ON_HAND(seen);
#ifdef M_PUBLISH_OWN
	if
	:: (p) < SESSIONS -> on_hand = on_hand + OWN_CHANGE(p)
	:: else
	fi;
#endif
	/* the last unsettled epoch: a crash can leave several */
	first = seen.settled + 1;
#ifdef M_SECOND_EPOCH_LOST
	on_hand = seen.base + OPEN(seen, seen.settled + 1)
#else
	for (n : 1 .. EPOCHS - 1) {
		first = (n > first && seen.delta[n] != 0 -> n : first)
	}
#endif
}

/*
 * Lock the row, check the state again, count with the latest snapshot, set HOT, and
 * unlock the row.  "was" is scratch: whether p had the lock before.
 */
inline publish(p, on_hand, first, was)
{
	atomic {
		if
		:: heat == COLD -> heat = UNPUBLISHED
		:: else
		fi
	}
#ifdef M_PUBLISH_BEFORE_LOCK
	d_step { count(p, on_hand, first) };
#endif
	atomic {
		row_lock == 0 || row_lock == (p) + 1;
		was = (row_lock == (p) + 1);
		row_lock = (p) + 1
	}
	if
	:: atomic { heat == UNPUBLISHED && seen.hot ->
#ifndef M_PUBLISH_BEFORE_LOCK
			count(p, on_hand, first)
#endif
			}
		d_step {
			if
			:: heat == UNPUBLISHED ->
				heat = HOT;
				counted_by = ((p) < SESSIONS -> VERSION(p) : seen.version);
				avail = on_hand;
				held = 0;
				epoch = first
			:: else
			fi;
			on_hand = 0;
			first = 0;
			check()
		}
	:: d_step { heat == UNPUBLISHED && !seen.hot -> heat = COLD }
	:: else
	fi;
	d_step {
		if
		:: !was -> row_lock = 0
		:: else
		fi;
		was = 0;
		on_hand = 0;
		first = 0
	}
}
