/*
 * hold.h
 *		A reservation as it stands, and what may be done to it.
 */
#ifndef INV_HOLD_H
#define INV_HOLD_H

#include "store/binding.h"
#include "store/query.h"
#include "stock/quantity.h"

typedef enum InvHoldState
{
	INV_HOLD_STATE_HELD,
	INV_HOLD_STATE_CONFIRMED,
	INV_HOLD_STATE_RELEASED,
	INV_HOLD_STATE_EXPIRED
} InvHoldState;

typedef enum InvHoldMove
{
	INV_HOLD_MOVE_CONFIRM,
	INV_HOLD_MOVE_RELEASE,
	INV_HOLD_MOVE_EXTEND,
	INV_HOLD_MOVE_CHANGE
} InvHoldMove;

typedef enum InvHoldVerdict
{
	INV_HOLD_VERDICT_PROCEED,
	INV_HOLD_VERDICT_REPLAY, /* it was done already */
	INV_HOLD_VERDICT_NOTHING,
	INV_HOLD_VERDICT_CONFIRMED,
	INV_HOLD_VERDICT_RELEASED,
	INV_HOLD_VERDICT_EXPIRED
} InvHoldVerdict;

extern const char *const inv_hold_state_names[];

typedef struct InvHoldLine
{
	Datum item;
	int64 quantity;
	InvHoldState state;
	Datum order;
	bool no_order;
	bool tracked; /* the stock was lowered for it */
} InvHoldLine;

typedef struct InvHold
{
	Datum id;
	InvUser user;
	TimestampTz created_at;
	TimestampTz expires_at;
	InvHoldState state; /* of the whole */
	InvHoldLine *lines;
	int count;
} InvHold;

extern void inv_hold_find(InvStore *store, InvHold *hold, FunctionCallInfo fcinfo, int user,
						  bool lock, InvSnapshotMode mode);
extern InvHoldVerdict inv_hold_judge(const InvHold *hold, InvHoldMove move);
extern TimestampTz inv_hold_end(InvStore *store, FunctionCallInfo fcinfo, int ttl,
								TimestampTz created_at);
extern bool inv_hold_take(InvStore *store, InvTake *takes, int count, const InvUser *user);
extern void inv_hold_book(InvStore *store, const InvTake *takes, int count, const InvUser *user,
						  Datum id, TimestampTz end);

#endif /* INV_HOLD_H */
