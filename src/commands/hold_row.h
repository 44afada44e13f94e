/*
 * hold_row.h
 *		The rows of a reservation: read, locked, confirmed and released.
 */
#ifndef INV_HOLD_ROW_H
#define INV_HOLD_ROW_H

#include "storage/itemptr.h"

#include "store/binding.h"
#include "store/query.h"
#include "commands/cart.h"

typedef enum InvHoldState
{
	INV_HOLD_HELD,
	INV_HOLD_CONFIRMED,
	INV_HOLD_RELEASED,
	INV_HOLD_EXPIRED
} InvHoldState;

typedef struct InvHoldLine
{
	Datum item;
	int64 quantity;
	InvHoldState state;
	Datum order;
	bool no_order;
	bool tracked;		 /* its units were taken from the stock */
	ItemPointerData tid; /* where its row was locked; invalid if a statement has locked it */
} InvHoldLine;

typedef struct InvHold
{
	Datum id;
	InvUser user;
	TimestampTz created_at;
	TimestampTz expires_at;
	InvHoldState state; /* of all lines together */
	InvHoldLine *lines;
	int count;
} InvHold;

extern const char *const inv_hold_state_names[];

extern void inv_hold_read_rows(InvStore *store, InvHold *hold, InvSnapshotMode mode);
extern void inv_hold_lock_rows(InvStore *store, InvHold *hold);
extern bool inv_hold_mark_confirmed(InvStore *store, const InvHold *hold, const InvCart *cart);
extern void inv_hold_mark_released(InvStore *store, const InvHold *hold);
extern uint64 inv_hold_count_held(const InvHold *hold);

#endif /* INV_HOLD_ROW_H */
