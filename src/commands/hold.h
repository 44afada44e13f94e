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
	INV_IS_HELD,
	INV_IS_CONFIRMED,
	INV_IS_RELEASED,
	INV_IS_EXPIRED
} InvHoldState;

typedef enum InvHoldMove
{
	INV_TO_CONFIRM,
	INV_TO_RELEASE,
	INV_TO_EXTEND,
	INV_TO_CHANGE
} InvHoldMove;

typedef enum InvHoldVerdict
{
	INV_GO_ON,
	INV_ANSWER_AGAIN, /* it was done already */
	INV_NOTHING_TO_DO,
	INV_REFUSE_CONFIRMED,
	INV_REFUSE_RELEASED,
	INV_REFUSE_EXPIRED
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
						  bool lock, InvView view);
extern InvHoldVerdict inv_hold_judge(const InvHold *hold, InvHoldMove move);
extern TimestampTz inv_hold_end(InvStore *store, FunctionCallInfo fcinfo, int ttl,
								TimestampTz created_at);
extern bool inv_hold_take(InvStore *store, InvTake *takes, int count, const InvUser *user);
extern void inv_hold_book(InvStore *store, const InvTake *takes, int count, const InvUser *user,
						  Datum id, TimestampTz end);

#endif /* INV_HOLD_H */
