/*
 * operator.pml
 *		Operators: the worker, and administrators.
 */

/* conditions of actions on the entry; some mutants drop them */
#if defined(M_COOL_IN_FLIGHT)
#define MAY_COOL (heat == HOT)
#elif defined(M_COOL_ONE_EPOCH)
#define MAY_COOL (heat == HOT && refs[epoch & 1] == 0)
#elif defined(M_COOL_FORGOTTEN)
#define MAY_COOL UNREFERENCED
#else
#define MAY_COOL (heat == HOT && UNREFERENCED)
#endif
#ifdef M_DRAIN_UNBOUNDED
#define MAY_STOP_DRAINING false
#else
#define MAY_STOP_DRAINING MAY_GIVE_UP
#endif
#ifdef M_REBUILD_IN_FLIGHT
#define MAY_FORGET true
#else
#define MAY_FORGET UNREFERENCED
#endif
#ifdef M_SETTLE_OLD_SNAPSHOT
#define NOT_SETTLED true
#elif defined(M_SETTLE_OTHER_ENTRY)
#define NOT_SETTLED (seen.settled < closed)
#else
#define NOT_SETTLED (seen.settled < closed && heat == HOT && entry == generation)
#endif

/* may it end this cooling? the row is unlocked, and another operator may be cooling the item */
#ifdef M_COOLER_ENDS_ANOTHER
#define IS_COOLER(p) (heat >= HOT)
#else
#define IS_COOLER(p) (cooler == (p) + 1)
#endif

/* the end of draining */
inline end_draining()
{
#ifndef M_DRAIN_STAYS
	cooler = 0;
#endif
#ifndef M_DRAIN_NO_WAKE
	wake()
#endif
}

proctype operator(byte me; byte menu; byte runs)
{
	byte known;
	byte closed;
	byte entry;
	short on_hand;
	byte first;
	bit was;

begin:
	{
		atomic {
			closed = 0; entry = 0; on_hand = 0;
			if
			:: runs == 0 -> goto finished
			:: runs > 0 -> runs = 0; goto finished
			:: runs > 0 && (menu & SETTLE) -> runs--; goto settle
			:: runs > 0 && (menu & HEAT) -> runs--; goto heat_up
			:: runs > 0 && (menu & COOL) -> runs--; goto cool
			:: runs > 0 && (menu & FORGET) -> runs--; goto forget
			fi
		}

		/* settle: a new epoch; the old one must have no references; lock the row; sum */
settle:
		atomic {
			if
			:: heat == HOT ->
				if
#ifdef M_THIRD_EPOCH
				:: epoch < EPOCHS - 1 -> epoch++
#else
				:: refs[(epoch - 1) & 1] == 0 -> epoch++
#endif
				:: else
				fi;
				closed = epoch - 1;
				entry = generation;
#ifdef M_SETTLE_OPEN
				closed = epoch
#endif
			:: else -> goto begin
			fi
		}
#ifdef M_SETTLE_OLD_SNAPSHOT
		d_step {
			on_hand = 0;
			for (n : 1 .. EPOCHS - 1) {
				on_hand = on_hand + (n > seen.settled && n <= closed -> seen.delta[n] : 0)
			}
		}
#endif
		if
#ifdef M_SETTLE_UNREFERENCED
		:: skip
#else
		:: refs[closed & 1] == 0
#endif
#ifdef M_SETTLE_OPEN
		:: refs[closed & 1] > 0
#endif
		:: goto begin
		fi;
		atomic { row_lock == 0 -> row_lock = me + 1 }
		atomic {
			if
			:: seen.hot && NOT_SETTLED -> skip
			:: else -> row_lock = 0; goto begin
			fi;
#ifndef M_SETTLE_OLD_SNAPSHOT
			on_hand = 0;
			for (n : 1 .. EPOCHS - 1) {
				on_hand = on_hand + (n > seen.settled && n <= closed -> seen.delta[n] : 0)
			}
#endif
#ifndef M_SETTLE_NEGATIVE
			if
			:: seen.base + seen.raised + on_hand < 0 -> row_lock = 0; goto begin /* later, together with the next epoch */
			:: else
			fi
#endif
		}
		if
		:: skip
		:: row_lock = 0; goto begin /* abort: the next run settles it */
		fi;
		atomic {
			d_step {
				wal.base = wal.base + on_hand;
				wal.settled = closed;
				assert(wal.base + wal.raised >= 0); /* I3 */
				check()
			}
			flush()
		}
		d_step { seen.base = seen.base + on_hand; seen.settled = closed; row_lock = 0; check() }
		goto begin;

		/*
		 * cool: under the row lock.  Draining lets only sessions with a record continue,
		 * until nothing is in flight; it may time out at any time.
		 */
cool:
#ifndef M_COOL_WITHOUT_LOCK
		atomic { row_lock == 0 -> row_lock = me + 1 }
#endif
		atomic {
			if
			:: heat == HOT -> cooler = me + 1
			:: else -> unlock(me); goto begin
			fi
		}
		if
		:: atomic { MAY_COOL ->
				heat = COOLING;
				cooler = me + 1;
				closed = epoch;
				on_hand = 0;
				for (n : 1 .. EPOCHS - 1) {
					on_hand = on_hand + (n > seen.settled && n <= closed -> seen.delta[n] : 0)
				}
			}
		:: atomic { heat != HOT -> unlock(me); goto begin }
		:: atomic { heat == HOT && MAY_STOP_DRAINING -> d_step { end_draining() } }
			d_step { unlock(me) }
			goto begin
		:: atomic { MAY_STOP_DRAINING -> goto abort }
		fi;
		if
		:: skip
		:: goto abort
		fi;
		atomic {
			d_step {
				wal.base = wal.base + on_hand;
				wal.settled = closed;
				wal.hot = 0;
				assert(wal.base + wal.raised >= 0); /* I3 */
				check()
			}
			flush()
		}
		d_step {
			seen.base = seen.base + on_hand;
			seen.settled = closed;
			seen.hot = 0;
			unlock(me);
			check()
		}
		d_step {
			heat = COLD; generation++; cooler = 0;
			avail = 0; held = 0; epoch = 0;
#ifdef M_FREE_UNREAD
			unread = seen.hot;
#endif
			wake();
			check()
		}
		goto begin;

		/* abort of a cooling: unlocked; the callback, which ends only its own cooling */
abort:
		atomic { skip; d_step { unlock(me) } }
		d_step {
			if
			:: IS_COOLER(me) -> heat = HOT; end_draining()
			:: else -> wake()
			fi;
			check()
		}
		goto begin;

		/* heat: mark and commit; the callback, after which others read what is hot; publish */
heat_up:
		atomic { row_lock == 0 -> row_lock = me + 1 }
		atomic {
			if
			:: seen.hot -> row_lock = 0; goto begin
			:: else
			fi
		}
		atomic {
			d_step {
				wal.hot = 1;
#ifdef M_EPOCHS_RESTART
				wal.settled = 0;
#endif
				check()
			}
			flush()
		}
		d_step {
			seen.hot = 1;
#ifdef M_EPOCHS_RESTART
			seen.settled = 0;
#endif
			unread = (heat == COLD);
			row_lock = 0;
			check()
		}
		d_step { unread = 0 }
		publish(me, on_hand, first, was);
		goto begin;

		/* an entry is freed only if no session has a record of it */
forget:
		atomic { skip; d_step {
			if
			:: heat == HOT && MAY_FORGET ->
				free_entry()
			:: else
			fi
		} }
		goto begin
	} unless {
		atomic { crashes > known; known = crashes; was = 0; first = 0; goto begin }
	};

finished:
	over++
}
