/*
 * take.h
 *		Take and give: the only way to change quantities.
 */
#ifndef INV_TAKE_H
#define INV_TAKE_H

#include "base/error.h"
#include "stock/guard.h"
#include "shmem/hot_table.h"

/* One item of a purchase, its lines summed. */
typedef struct InvTake
{
	Datum item;
	int64 quantity;
	InvStatus status;
	bool tracked; /* false: stock is null, sells without limit */
	int64 stock;  /* as last seen, or left after the take */
	int64 floor;
	bool limited;
	int64 limit; /* units one user may have */
	int64 used;	 /* units this user has */
	int64 version;
	int64 overdue; /* units of holds that are overdue and not given back yet */
	bool hot;
	InvEscrow escrow; /* of a hot item */
	int64 epoch;	  /* that its movement has to carry; 0: none */
} InvTake;

/* Units of one item that come back. */
typedef struct InvGive
{
	Datum item;
	int64 quantity;
	bool tracked; /* false: there is no number to add to, or no such item */
	bool hot;
	InvEscrow escrow;
	int64 epoch;
} InvGive;

/* The stock of an item after a change. */
typedef struct InvStock
{
	bool tracked;
	int64 stock;
	int64 floor;
	bool hot;
	InvEscrow escrow;
	int64 epoch;
} InvStock;

extern bool inv_take(InvStore *store, InvTake *takes, int count, const InvUser *user);
extern void inv_give(InvStore *store, InvGive *gives, int count, InvView view);
INV_NORETURN extern void inv_refuse(InvStore *store, const InvTake *takes, int count);
extern void inv_check_limits(InvStore *store, const InvTake *takes, int count, const InvUser *user);
extern void inv_count_refusals(const InvTake *takes, int count);
extern int64 inv_available(int64 stock, int64 floor);

extern InvStock inv_stock_lock(InvStore *store, Datum item);
extern bool inv_stock_change(InvStore *store, Datum item, InvStock *stock, int64 delta,
							 int64 least);
extern void inv_read_levels(InvStore *store, InvTake *takes, int count);
extern int64 inv_stock_level(InvStore *store, Datum item, InvStatus *status, bool *tracked);

/* item_row.c */
extern void inv_row_read(InvStore *store, InvTake *take);
extern void inv_row_level(InvStore *store, InvTake *take);
extern void inv_row_take(InvStore *store, InvTake *take);
extern void inv_row_read_many(InvStore *store, InvTake *takes, int count, bool lock);
extern void inv_row_take_many(InvStore *store, InvTake *takes, int count);
extern void inv_row_give_many(InvStore *store, InvGive *gives, int count, InvView view);
extern InvLevel inv_row_change(InvStore *store, Datum item, int64 delta, bool settling,
							   InvView view);
extern InvStatus inv_row_judge(InvStore *store, const InvTake *take);

#endif /* INV_TAKE_H */
