/*
 * escrow.pml
 *		Model of hot items: one item, a few sessions, operators, at most one crash.
 *
 * `run` searches each scenario and each mutant exhaustively.  README.md explains the
 * invariants (I1 to I9), and what is left out and why.  A scenario is a -D switch.  A
 * mutant is a scenario with a switch M_...: the protocol without one rule, which must
 * violate an assertion.  This file has the crash, and the start and the end of a
 * scenario.
 *
 * A d_step or atomic is one spinlock section, one statement under the row lock, or
 * one instant of the server: a commit record; the end of a transaction, which is then
 * visible and has no lock; a callback.  Between two of them any other process may run.
 */

#include "scenarios.pml"
#include "state.pml"
#include "counter.pml"
#include "session.pml"
#include "operator.pml"

/* A crash: shared memory and locks are lost, and what was flushed remains. */
proctype crash()
{
	byte left = CRASHES;

	do
	:: left == 0 -> break
	:: left > 0 -> left = 0
	:: left > 0 ->
		d_step {
			left--;
#ifdef ASYNC
			copy(wal, disk);
#endif
			copy(seen, wal);
			certain = seen.truth;
			heat = COLD; cooler = 0; unread = 0; counted_by = 0; table_lock = 0;
			avail = 0; held = 0; epoch = 0;
			refs[0] = 0; refs[1] = 0;
			row_lock = 0;
			for (p_ : 0 .. SESSIONS - 1) {
				if
				:: stage[p_] == PREPARED ->
					for (n : 0 .. 3) {
						taken[p_ * 4 + n] = 0; used[p_ * 4 + n] = 0;
						given[p_ * 4 + n] = 0; ref[p_ * 4 + n] = 0
					}
					if
					:: OWN_CHANGE(p_) != 0 || DEMOTED(p_) -> row_lock = p_ + 1
					:: else
					fi
				:: else ->
					forget_records(p_, 0);
					forget_records(p_, 1);
					refs[0] = 0; refs[1] = 0;
					stage[p_] = RUNNING
				fi;
				waits[p_] = 0;
				inside[p_] = 0; altered[p_] = 0;
				lock_level[p_] = 0
			}
			crashes++;
			check()
		}
	od;
	over++
}

init
{
	atomic {
		d_step {
			wal.base = UNITS - (OLD_1) - (OLD_2);
			wal.delta[1] = OLD_1;
			wal.delta[2] = OLD_2;
			wal.hot = (BEGIN != COLD);
			wal.truth = UNITS;
			copy(seen, wal);
#ifdef ASYNC
			copy(disk, wal);
#endif
			certain = UNITS;
			heat = (BEGIN == HOT -> HOT : COLD);
			if
			:: heat == HOT -> avail = UNITS; epoch = 1
			:: else
			fi;
			check()
		}
		run crash();
		START
	}

	/* no process can continue */
	timeout;
	d_step {
		assert(over == PROCESSES + 1);		/* I8: no process waits indefinitely */
		assert(row_lock == 0 && table_lock == 0);
		assert(refs[0] == 0 && refs[1] == 0);
		assert(wal.truth == seen.truth && certain == seen.truth);
		if
		:: heat == HOT && counted_by == seen.version -> assert(avail == ON_HAND(seen) && held == 0)	/* I9 */
		:: else
		fi;
		assert(heat != COOLING && !cooler && !unread)
	}
}
