/*
 * hold.h
 *		A reservation: its state, and what may be done to it.
 */
#ifndef INV_HOLD_H
#define INV_HOLD_H

#include "base/fact.h"
#include "store/binding.h"
#include "store/query.h"
#include "stock/quantity.h"
#include "commands/hold_row.h"

/* What a caller wants to do to a reservation. */
typedef enum InvHoldMove
{
	INV_MOVE_CONFIRM,
	INV_MOVE_RELEASE,
	INV_MOVE_EXTEND,
	INV_MOVE_CHANGE,
	INV_MOVE_REPEAT /* make it once more, with the same id */
} InvHoldMove;

/* What a reservation is looked for. */
typedef enum InvHoldUse
{
	INV_HOLD_TO_READ,	 /* by the snapshot of the calling query */
	INV_HOLD_TO_CHANGE,	 /* locked, as it is then */
	INV_HOLD_TO_RELEASE, /* the same, and an operator can release an id without a reservation, too */
	INV_HOLD_TO_FORBID	 /* the same, called by a function of the owner, for any session */
} InvHoldUse;

/* What the state of the reservation says to that. */
typedef enum InvHoldVerdict
{
	INV_VERDICT_PROCEED,
	INV_VERDICT_REPLAY,	   /* it was done already: give the same answer */
	INV_VERDICT_NOTHING,   /* there is nothing left to do */
	INV_VERDICT_CONFIRMED, /* refuse it, because the reservation is confirmed */
	INV_VERDICT_RELEASED,
	INV_VERDICT_EXPIRED
} InvHoldVerdict;

extern bool inv_is_part_id(Datum id);
extern void inv_hold_find(InvStore *store, InvHold *hold, FunctionCallInfo fcinfo, int user,
						  InvHoldUse use);
extern void inv_hold_find_id(InvStore *store, InvHold *hold, Datum id, InvHoldUse use);
extern bool inv_hold_find_given(InvStore *store, InvHold *hold, Datum id);
extern InvFacts *inv_reservation_facts(InvStore *store, Datum id);
extern bool inv_hold_has_ended(InvStore *store, Datum id);
extern InvHoldVerdict inv_hold_judge(InvStore *store, const InvHold *hold, InvHoldMove move);
extern void inv_hold_check_unchanged(InvStore *store, const InvHold *hold);
extern TimestampTz inv_hold_end(InvStore *store, FunctionCallInfo fcinfo, int ttl,
								TimestampTz created_at);
extern bool inv_hold_take(InvStore *store, InvTake *takes, int count, const InvUser *user);
extern void inv_hold_book(InvStore *store, const InvTake *takes, int count, const InvUser *user,
						  Datum id, TimestampTz end);

#endif /* INV_HOLD_H */
