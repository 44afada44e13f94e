/*
 * session.pml
 *		Sessions: transactions of calls that a scenario allows.
 */

/* a session that has the row's lock has changed the row */
#ifdef M_PUBLISH_OWN
#define OWN_ROW(p) false
#else
#define OWN_ROW(p) (row_lock == (p) + 1)
#endif

/* what would be left of an item without a counter */
#if defined(M_GUARD_TRUSTS_BASE) || defined(M_BASE_ALONE)
#define LEFT(p) 0
#else
#define LEFT(p) (BASE(p) + (IS_HOT(p) -> UNSETTLED(seen) : 0) + SUM(row, p))
#endif

/* with the row's lock, a session may demote a hot item that is not published */
#if defined(M_DEMOTE_BEFORE_LOCK)
#define MAY_DEMOTE(p) (IS_HOT(p) && heat < HOT && was)
#elif defined(M_DEMOTE_PUBLISHED)
#define MAY_DEMOTE(p) IS_HOT(p)
#else
#define MAY_DEMOTE(p) (IS_HOT(p) && heat < HOT)
#endif

/* the guard has no counter to change; while the item is cooled it waits, as any take does */
#ifdef M_COOLING_UNMIRRORED
#define NO_COUNTER (heat != HOT)
#else
#define NO_COUNTER (heat < HOT)
#endif

#ifdef M_STALE_IN_FLIGHT
#define MAY_COUNT true
#else
#define MAY_COUNT UNREFERENCED
#endif

/* the lock of the table; a session that changes it waits until no other has it */
#define MAY_ENTER(p) (table_lock == 0 || table_lock == (p) + 1)
inline count_others_inside(p)
{
	sum_1 = 0;
	for (p_ : 0 .. SESSIONS - 1) { sum_1 = sum_1 + (p_ != (p) -> inside[p_] : 0) }
}

/* reset the variables of a transaction that is over, after its callback */
inline reset()
{
	inside[me] = 0;
	table_lock = (table_lock == me + 1 -> 0 : table_lock);
	altered[me] = 0;
	lock_level[me] = 0;
	level = 0; todo = 0; call = 0; q = 0; answer = 0; at = 0; guarding = 0
}

/*
 * A transaction may abort after each step before its commit record, because of an
 * error, a cancel or a lost client.
 */
proctype session(byte me; byte menu; byte calls; byte transactions)
{
	byte todo;		/* calls left */
	byte level;
	byte call;
	byte q;
	byte answer;
	byte at;		/* the epoch of the movement */
	byte known;		/* crashes seen so far */
	short on_hand;
	byte first;
	bit was;
	bit guarding;	/* the row is changed, the counter not yet */

begin:
	{
		atomic {
			if
			:: transactions == 0 -> goto finished
			:: else -> transactions--; todo = calls; goto next_call
			fi
		}

next_call:
		atomic {
			answer = 0; at = 0; call = 0; q = 0;
			if
			:: todo > 0 && (menu & TAKE) -> call = TAKE
			:: todo > 0 && (menu & GIVE) -> call = GIVE
			:: todo > 0 && (menu & LESS) -> call = LESS
			:: todo > 0 && (menu & MORE) -> call = MORE
			:: todo > 0 && (menu & RAISE) -> call = RAISE
			:: todo > 0 && (menu & UNSEEN) -> call = UNSEEN
			:: todo > 0 && (menu & SAVEPOINT) && level == 0 -> level = 1; goto next_call
			:: todo < calls && level == 1 -> goto rollback_to
			:: todo < calls && level == 1 -> merge(me); level = 0; goto next_call
			:: todo < calls -> goto commit
			:: todo < calls && MAY_ABORT -> goto abort
			:: todo < calls && (menu & PREPARE) -> goto prepare
			fi;
			todo--;
			if
			:: q = 1
			:: MAX_UNITS > 1 -> q = MAX_UNITS
			fi
		}

		/* take and give of the engine: in the counter or in the row? */
again:
		atomic {
			MAY_ENTER(me);
			inside[me] = 1;
			if
			:: call == UNSEEN -> goto unseen
			:: call != UNSEEN && MUST_COUNT(me) -> goto count_again
			:: else
			fi;
			if
			:: call == LESS || call == MORE || call == RAISE -> goto update
			:: (call == TAKE || call == GIVE) && heat >= HOT -> skip
			:: (call == TAKE || call == GIVE) && heat < HOT && IS_HOT(me) && !OWN_ROW(me) ->
				if
				:: goto first_touch
				:: MAY_BE_FULL -> goto demote_it /* no room for the entry */
				fi
			:: (call == TAKE || call == GIVE) && heat < HOT && (!IS_HOT(me) || OWN_ROW(me)) ->
				if
				:: IS_HOT(me) -> goto demote_it
				:: else -> goto update
				fi
			fi
		}
		atomic {
			d_step {
				if
				:: call == TAKE -> take(me, level, q, answer, at)
				:: else -> give(me, level, q, answer, at)
				fi;
				if
				:: answer == SHORT -> refused(me, q)
				:: else
				fi;
				check()
			}
			if
			:: answer == WAIT -> goto wait
			:: answer == GONE -> goto again
			:: else
			fi
		}
		if
		:: answer == DONE ->
			d_step {
				if
				:: call == TAKE -> row[AT(me, level, at)] = row[AT(me, level, at)] - q
				:: else -> row[AT(me, level, at)] = row[AT(me, level, at)] + q
				fi
			}
			goto next_call
		:: answer == DONE && MAY_ABORT -> goto abort /* before the movement is inserted */
		:: answer == SHORT -> goto next_call
		fi;

wait:
		if
		:: atomic { waits[me] == 0 ->
				if
				:: guarding -> goto guard
				:: else -> goto again
				fi
			}
#ifndef PATIENT
		:: atomic { waits[me] == 1 -> waits[me] = 0; goto abort } /* busy */
#endif
		fi;

		/*
		 * The table was changed since the counter was counted: give it up, if nothing is
		 * in flight; only this transaction's own can be.
		 */
count_again:
		atomic {
			if
			:: MUST_COUNT(me) && MAY_COUNT ->
				free_entry();
				if
				:: guarding -> goto guard
				:: else -> goto again
				fi
			:: MUST_COUNT(me) && !MAY_COUNT ->
				assert(refs[0] + refs[1] == SUM(ref, me));
				goto abort
			:: else ->
				if
				:: guarding -> goto guard
				:: else -> goto again
				fi
			fi
		}

		/* the owner changes the row without the guard: the table is its own until the end */
unseen:
		atomic {
			count_others_inside(me);
			if
			:: sum_1 > 0 -> inside[me] = (SUM(ref, me) > 0 || row_lock == me + 1 -> 1 : 0); goto unseen_wait
			:: else
			fi;
			table_lock = me + 1;
			row_lock == 0 || row_lock == me + 1;
			row_lock = me + 1;
			lock_level[me] = level;
			if
			:: LEFT(me) >= q -> change[me * 2 + level] = change[me * 2 + level] - q
			:: change[me * 2 + level] = change[me * 2 + level] + q
			fi;
			versions++;
			altered[me] = versions
		}
		goto next_call;

unseen_wait:
		if
		:: goto again
		:: goto abort
		fi;

first_touch:
		publish(me, on_hand, first, was);
		goto again;

		/* demote: lock the row, check again, then the row path */
demote_it:
#ifdef M_DEMOTE_BEFORE_LOCK
		atomic { skip; d_step { count_unsettled(me); was = 1 } }
#endif
		atomic {
			row_lock == 0 || row_lock == me + 1;
			if
			:: MAY_DEMOTE(me) ->
				if
				:: row_lock == 0 -> row_lock = me + 1; lock_level[me] = level
				:: else
				fi;
#ifndef M_DEMOTE_BEFORE_LOCK
				count_unsettled(me);
#endif
				demoted[me * 2 + level] = 1
			:: else -> goto again
			fi;
			was = 0
		}
		if
		:: skip
		:: MAY_ABORT -> goto abort
		fi;

		/*
		 * Row path of the engine, and UPDATE by the owner: lock the row, then check
		 * the condition on its current version.  If the item is hot and not
		 * published, unsettled movements count, too.
		 */
update:
		atomic {
			row_lock == 0 || row_lock == me + 1;
			if
			:: IS_HOT(me) && heat < HOT -> goto demote_it
			:: skip /* or not demoting it */
			fi;
			sum_1 = BASE(me);
#ifndef M_BASE_ALONE
			if
			:: IS_HOT(me) && heat != HOT -> sum_1 = sum_1 + UNSETTLED(seen) + SUM(row, me)
			:: else
			fi;
#endif
			if
			:: call == TAKE && sum_1 < q ->
				if
#ifndef M_REFUSED_BY_BASE
				:: heat == HOT -> goto again /* it has become hot */
				:: heat != HOT && IS_HOT(me) && !OWN_ROW(me) -> goto again
#endif
				:: else -> d_step { refused(me, q) }; goto next_call
				fi
			:: call == LESS && sum_1 < q && heat != HOT -> goto abort
			:: else ->
				if
				:: row_lock == 0 -> row_lock = me + 1; lock_level[me] = level
				:: else
				fi;
				if
				:: call == TAKE || call == LESS || call == RAISE ->
					change[me * 2 + level] = change[me * 2 + level] - q
				:: else -> change[me * 2 + level] = change[me * 2 + level] + q
				fi;
				if
				:: call == RAISE -> lift[me * 2 + level] = lift[me * 2 + level] + q
				:: else
				fi;
				guarding = 1
			fi
		}

		/*
		 * guard: a change of the row of a hot item is a take or a give.  If the item is
		 * hot and not published, or no longer hot, the sum decides.  A transaction that
		 * was cooling it is over, because the row was unlocked; its callback says
		 * whether the item is cold.
		 */
guard:
		atomic {
			if
			:: MUST_COUNT(me) -> goto count_again
			:: else
			fi;
			d_step {
				answer = DONE;
				if
#ifdef M_DIRECT_LESS_NOT_MIRRORED
				:: heat == HOT && call == LESS
#endif
#ifdef M_QUEUED_NOT_MIRRORED
				:: heat == HOT && (call == TAKE || call == GIVE)
#endif
#ifdef M_DIRECT_MORE_AT_ONCE
				:: heat == HOT && call == MORE -> avail = avail + q
#endif
#ifdef M_FLOOR_NOT_MIRRORED
				:: heat == HOT && call == RAISE
#endif
				:: NO_COUNTER && (call == TAKE || call == LESS) && LEFT(me) < 0 -> answer = SHORT
				:: NO_COUNTER && !((call == TAKE || call == LESS) && LEFT(me) < 0)
				:: else ->
					if
					:: call == TAKE || call == LESS -> take(me, level, q, answer, at)
					:: call == RAISE -> take_for_floor(me, level, q, answer, at)
					:: else -> give(me, level, q, answer, at)
					fi
				fi;
				check()
			}
			if
			:: answer == WAIT -> goto wait
			:: answer == GONE -> goto guard
			:: else -> guarding = 0
			fi
		}
		if
		:: answer == DONE -> goto next_call
		:: answer == SHORT -> goto abort
		fi;

		/* ROLLBACK TO: release the locks of the savepoint, then the callback */
rollback_to:
		atomic {
			skip;
			d_step {
				if
				:: row_lock == me + 1 && lock_level[me] == 1 -> row_lock = 0; lock_level[me] = 0
				:: else
				fi
			}
		}
		d_step {
#ifdef M_DEMOTE_REMEMBERED
			sum_3 = demoted[me * 2 + 1];
#endif
			give_back(me, 1);
#ifdef M_DEMOTE_REMEMBERED
			demoted[me * 2] = (sum_3 == 1 -> 2 : demoted[me * 2]);	/* the session still takes the item for demoted */
#endif
			level = 0;
			check()
		}
		goto next_call;

		/*
		 * PREPARE is refused if there is a record.  Changes on the row path alone
		 * remain, with their lock, across crashes.
		 */
prepare:
		atomic {
			merge(me);
			level = 0;
			if
#if !defined(M_PREPARE) && !defined(M_PREPARE_FORGETS)
			:: SUM(ref, me) > 0 -> goto abort
#endif
			:: else -> stage[me] = PREPARED
			fi
		}
#ifdef M_PREPARE_FORGETS
		d_step { /* the local list ends with the transaction, and its units are given back */
			sum_1 = SUM(taken, me);
			held = held - sum_1;
			avail = avail + sum_1;
			sum_2 = 0;
			for (n : 0 .. 1) {
				drop_reference(me, 0, n);
				taken[AT(me, 0, n)] = 0
			}
			check()
		}
#endif
resolve:
		if
		:: goto commit
		:: goto abort
		fi;

		/* commit: the record; the flush or the standby; visible and unlocked; the callback */
commit:
		atomic {
			merge(me);
			level = 0;
			if
			:: WROTE(me)
			:: else -> goto abort
			fi
		}
#ifdef M_CREDIT_BEFORE_COMMIT
		d_step { credit(me); check() }
#endif
#ifdef M_REFERENCE_ENDS_EARLY
		d_step { drop_reference(me, 0, 0); drop_reference(me, 0, 1) }
#endif
		atomic {
			d_step {
				apply(wal, me);
				stage[me] = WRITTEN;
				check()
			}
			flush()
		}
#ifdef M_CREDIT_BEFORE_VISIBLE
		d_step { credit(me); check() }
#endif
		d_step {
			apply(seen, me);
			stage[me] = VISIBLE;
			unlock(me);
			certain = certain + (NET(me) < 0 -> NET(me) : 0);
			check()
		}
#ifdef M_GIVEN_BEFORE_USED
		d_step { avail = avail + SUM(given, me); check() }
#endif
		d_step {
#if defined(M_GIVEN_BEFORE_USED)
			avail = avail - SUM(used, me);
#elif !defined(M_CREDIT_BEFORE_COMMIT) && !defined(M_CREDIT_BEFORE_VISIBLE)
			credit(me);
#endif
			held = held - SUM(taken, me);
			certain = certain + (NET(me) > 0 -> NET(me) : 0);
			forget_records(me, 0);
			stage[me] = RUNNING;
			wake();
			reset();
			check()
		}
		goto begin;

		/* abort: unlocked; the callback */
abort:
		atomic { skip; d_step { waits[me] = 0; unlock(me); stage[me] = RUNNING } }
		d_step {
			give_back(me, 1);
			give_back(me, 0);
			reset();
			check()
		}
		goto begin
	} unless {
		atomic {
			crashes > known;
			known = crashes;
			reset();
			on_hand = 0; first = 0; was = 0;
			if
			:: stage[me] == PREPARED -> goto resolve
			:: else -> goto begin
			fi
		}
	};

finished:
	over++
}
