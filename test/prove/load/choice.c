/*
 * choice.c
 *		What an operation is asked for with: items, quantities, times, other
 *		people's reservations and orders.
 */
#include <stdio.h>
#include <string.h>

#include "load.h"

/* So often, in percent, one of those that are fought over. */
static int
any_item(int contended)
{
	return random_between(1, chance(contended) ? options.contended : options.items);
}

static int
any_quantity(void)
{
	return chance(10) ? random_between(4, 9) : random_between(1, 3);
}

static void
choose_line(Operation *op)
{
	op->line_count = 1;
	op->lines[0].item = any_item(50);
	op->lines[0].quantity = any_quantity();
}

/* In any order; an item may come twice. */
static void
choose_lines(Operation *op)
{
	op->line_count = random_between(1, MAX_LINES);
	for (int i = 0; i < op->line_count; i++)
	{
		op->lines[i].item = any_item(25);
		op->lines[i].quantity = random_between(1, 3);
	}
}

static void
choose_ttl(Operation *op)
{
	int how = random_between(0, 99);

	op->number = how < 45 ? random_between(5, 300) : how < 80 ? 600000 : NONE;
}

/*
 * The user of a reservation is its token, so that it is found again.  Where there
 * is a limit, users have to meet; then a key leads to it.
 */
static void
choose_holder(Operation *op)
{
	for (int i = 0; i < op->line_count; i++)
	{
		if (options.limited[op->lines[i].item])
		{
			snprintf(op->key, sizeof(op->key), "k-%s", op->token);
			return;
		}
	}
	strcpy(op->user, op->token);
}

static void
choose_reserve_stock(Operation *op)
{
	choose_line(op);
	choose_ttl(op);
	choose_holder(op);
}

static void
choose_reserve_cart(Operation *op)
{
	choose_lines(op);
	choose_ttl(op);
	choose_holder(op);
}

/* Any reservation that somebody made lately; if there is none, one is made. */
static void
choose_reservation(Operation *op)
{
	if (recent_reservation(op->target))
	{
		op->user[0] = '\0';
		return;
	}
	op->kind = RESERVE_STOCK;
	choose_reserve_stock(op);
}

static void
choose_change(Operation *op)
{
	choose_line(op);
	op->lines[0].quantity = random_between(0, 4);
	choose_reservation(op);
}

static void
choose_extend(Operation *op)
{
	choose_ttl(op);
	choose_reservation(op);
}

static void
choose_expire(Operation *op)
{
	op->user[0] = '\0';
	op->number = random_between(1, 20);
}

/* Part of an order or all of it, back to the shelf or lost. */
static void
choose_refund(Operation *op)
{
	if (recent_order(op->target))
	{
		op->user[0] = '\0';
		op->number = chance(40) ? NONE : random_between(1, 2);
		op->restock = chance(80);
		return;
	}
	op->kind = BUY_ITEM;
	choose_line(op);
}

static void
choose_restock(Operation *op)
{
	op->user[0] = '\0';
	choose_line(op);
	op->lines[0].quantity = random_between(1, 16);
}

static int
any_delta(void)
{
	int delta = random_between(1, 6);

	return chance(50) ? delta : -delta;
}

static void
choose_adjust(Operation *op)
{
	op->user[0] = '\0';
	choose_line(op);
	op->number = any_delta();
	op->expected = chance(15) ? random_between(0, 30) : NONE;
}

static void
choose_count(Operation *op)
{
	op->user[0] = '\0';
	choose_line(op);
	op->number = random_between(10, 40);
}

static void
choose_direct(Operation *op)
{
	op->user[0] = '\0';
	choose_line(op);
	op->number = any_delta();
}

static void
choose_heat(Operation *op)
{
	op->user[0] = '\0';
	choose_line(op);
}

/* One item, or all that are hot. */
static void
choose_cool(Operation *op)
{
	choose_heat(op);
	if (chance(10))
		op->lines[0].item = NONE;
}

static void
choose_settle(Operation *op)
{
	op->user[0] = '\0';
}

/* ---------------------------------------------------------------- the table */

static void (*const choices[BEGIN])(Operation *op) = {
	[BUY_ITEM] = choose_line,
	[BUY_CART] = choose_lines,
	[TRY_BUY_CART] = choose_lines,
	[RESERVE_STOCK] = choose_reserve_stock,
	[RESERVE_CART] = choose_reserve_cart,
	[TRY_RESERVE_CART] = choose_reserve_cart,
	[CHANGE_RESERVATION] = choose_change,
	[EXTEND_RESERVATION] = choose_extend,
	[CONFIRM_RESERVATION] = choose_reservation,
	[RELEASE_RESERVATION] = choose_reservation,
	[EXPIRE_RESERVATIONS] = choose_expire,
	[REFUND_ORDER] = choose_refund,
	[RESTOCK_ITEM] = choose_restock,
	[ADJUST_STOCK] = choose_adjust,
	[COUNT_STOCK] = choose_count,
	[DIRECT] = choose_direct,
	[HEAT] = choose_heat,
	[COOL] = choose_cool,
	[SETTLE] = choose_settle,
};

/* Choose what it is asked for with; what has no use for a user loses the one it has. */
void
choose_arguments(Operation *op)
{
	choices[op->kind](op);
}
