/*
 * choice.c
 *		The arguments of an operation: items, quantities, times, and reservations
 *		and orders of other clients.
 */
#include <stdio.h>
#include <string.h>

#include "load.h"

/* A random item: in `contended` percent of the calls one of the contended items. */
int
random_item(int items, int contended)
{
	return random_between(1, chance(contended) ? options.contended : items);
}

int
random_quantity(void)
{
	return chance(10) ? random_between(4, 9) : random_between(1, 3);
}

static void
choose_line(Operation *op)
{
	op->line_count = 1;
	op->lines[0].item = random_item(options.items, 50);
	op->lines[0].quantity = random_quantity();
}

/* Lines in any order; an item may occur twice. */
static void
choose_lines(Operation *op)
{
	op->line_count = random_between(1, MAX_LINES);
	for (int i = 0; i < op->line_count; i++)
	{
		op->lines[i].item = random_item(options.items, 25);
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
 * The user of a reservation is its token, by which the checker finds it.  An item with
 * a purchase limit needs users who buy more than once; then the key serves instead.
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

/* A recent reservation of any client; if there is none, reserve instead. */
static void
choose_reservation(Operation *op)
{
	if (recently_made(RESERVATION, op->target))
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

/* Refund a recent order or part of it, with or without restock; if there is none, buy. */
static void
choose_refund(Operation *op)
{
	if (recently_made(ORDER, op->target))
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
random_delta(void)
{
	int delta = random_between(1, 6);

	return chance(50) ? delta : -delta;
}

static void
choose_adjust(Operation *op)
{
	op->user[0] = '\0';
	choose_line(op);
	op->number = random_delta();
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
	op->number = random_delta();
}

static void
choose_heat(Operation *op)
{
	op->user[0] = '\0';
	choose_line(op);
}

/* One item, or all hot items. */
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
	[INSERT_HEADER] = choose_following,
	[UPDATE_HEADER] = choose_following,
	[DELETE_HEADER] = choose_following,
	[INSERT_LINES] = choose_following,
	[UPDATE_LINE] = choose_following,
	[DELETE_LINE] = choose_following,
	[FOLLOW_BUY] = choose_following,
	[FOLLOW_REFUND] = choose_following,
	[FOLLOW_CHANGE] = choose_following,
	[FOLLOW_EXCHANGE] = choose_following,
	[FOLLOW_RESTOCK] = choose_following,
	[FOLLOW_HEAT] = choose_following,
	[FOLLOW_COOL] = choose_following,
};

/* Choose the arguments; an operation without a user argument loses its user. */
void
choose_arguments(Operation *op)
{
	choices[op->kind](op);
}
