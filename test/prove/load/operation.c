/*
 * operation.c
 *		The operations of a client, and how often it does each.
 *
 * A new operation needs a row here, one in choice.c and one in wording.c.  Those of the store
 * that follows its orders are in follow.c.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "load.h"

typedef struct Kind
{
	const char *name;
	int weight;
	bool may_have_key;
} Kind;

static Kind kinds[OPERATION_KINDS] = {
	[BUY_ITEM] = { "buy_item", 30, true },
	[BUY_CART] = { "buy_cart", 10, true },
	[TRY_BUY_CART] = { "try_buy_cart", 10, true },
	[RESERVE_STOCK] = { "reserve_stock", 10, true },
	[RESERVE_CART] = { "reserve_cart", 4, true },
	[TRY_RESERVE_CART] = { "try_reserve_cart", 4, true },
	[CHANGE_RESERVATION] = { "change_reservation", 4, false },
	[EXTEND_RESERVATION] = { "extend_reservation", 3, false },
	[CONFIRM_RESERVATION] = { "confirm_reservation", 8, false },
	[RELEASE_RESERVATION] = { "release_reservation", 5, false },
	[EXPIRE_RESERVATIONS] = { "expire_reservations", 2, false },
	[REFUND_ORDER] = { "refund_order", 10, true },
	[RESTOCK_ITEM] = { "restock_item", 12, true },
	[ADJUST_STOCK] = { "adjust_stock", 4, true },
	[COUNT_STOCK] = { "count_stock", 1, true },
	[DIRECT] = { "direct", 4, false },
	[HEAT] = { "heat", 0, false },
	[COOL] = { "cool", 0, false },
	[SETTLE] = { "settle", 0, false },
	[INSERT_HEADER] = { "insert_header", 12, false },
	[UPDATE_HEADER] = { "update_header", 16, false },
	[DELETE_HEADER] = { "delete_header", 2, false },
	[INSERT_LINES] = { "insert_lines", 30, false },
	[UPDATE_LINE] = { "update_line", 24, false },
	[DELETE_LINE] = { "delete_line", 5, false },
	[FOLLOW_BUY] = { "follow_buy_cart", 6, false },
	[FOLLOW_REFUND] = { "follow_refund_order", 8, false },
	[FOLLOW_CHANGE] = { "follow_change_order", 4, false },
	[FOLLOW_EXCHANGE] = { "follow_exchange_order", 4, false },
	[FOLLOW_RESTOCK] = { "follow_restock_item", 12, false },
	[FOLLOW_HEAT] = { "follow_heat", 0, false },
	[FOLLOW_COOL] = { "follow_cool", 0, false },
	[BEGIN] = { "begin", 0, false },
	[COMMIT] = { "commit", 0, false },
	[ROLLBACK] = { "rollback", 0, false },
	[SAVEPOINT] = { "savepoint", 0, false },
	[ROLLBACK_TO] = { "rollback_to", 0, false },
};

/* How often a choice other than that of the operation is made, in percent. */
static struct
{
	const char *name;
	int percent;
} shares[] = {
	{ "transactions", 12 }, /* begin a transaction rather than send a single call */
	{ "keys", 50 },			/* pass an idempotency key */
	{ "again", 6 },			/* repeat a recent call of any client, with its key */
	{ "follow", 0 },		/* work in the store that follows its orders */
};

#define SHARES (int) (sizeof(shares) / sizeof(shares[0]))

const char *
operation_name(OperationKind kind)
{
	return kinds[kind].name;
}

int
share_of(const char *name)
{
	for (int i = 0; i < SHARES; i++)
	{
		if (strcmp(shares[i].name, name) == 0)
			return shares[i].percent;
	}
	die("no share is called %s", name);
}

/* Is it an operation in the store that follows its orders? */
bool
is_of_following(OperationKind kind)
{
	return kind >= INSERT_HEADER && kind <= FOLLOW_COOL;
}

/* Set one weight or share; `all` stands for the weights of the operations in the other store. */
static bool
set_weight(const char *name, int weight)
{
	bool found = strcmp(name, "all") == 0;

	for (int kind = 0; kind < BEGIN; kind++)
	{
		if ((strcmp(name, "all") == 0 && !is_of_following(kind)) ||
			strcmp(name, kinds[kind].name) == 0)
		{
			kinds[kind].weight = weight;
			found = true;
		}
	}
	for (int i = 0; i < SHARES; i++)
	{
		if (strcmp(name, shares[i].name) == 0)
		{
			shares[i].percent = weight;
			found = true;
		}
	}
	return found;
}

/* Set the mix, such as `all=0,buy_item=3,keys=100`; what it does not name keeps its value. */
bool
set_weights(const char *mix)
{
	char copy[1024];
	char *rest = copy;
	char *part;

	snprintf(copy, sizeof(copy), "%s", mix);
	while ((part = strsep(&rest, ", ")) != NULL)
	{
		char *equals = strchr(part, '=');

		if (part[0] == '\0')
			continue;
		if (equals == NULL)
			return false;
		*equals = '\0';
		if (!set_weight(part, atoi(equals + 1)))
			return false;
	}
	return true;
}

/* The weight of an operation in one of the stores. */
static int
weight_in(bool following, int kind)
{
	return is_of_following(kind) == following ? kinds[kind].weight : 0;
}

static OperationKind
random_kind(void)
{
	bool following = chance(share_of("follow"));
	int total = 0;
	int ticket;
	int kind = 0;

	for (int i = 0; i < BEGIN; i++)
		total += weight_in(following, i);
	if (total <= 0)
		die("nothing to do: every weight is 0");
	for (ticket = random_between(1, total); ticket > weight_in(following, kind); kind++)
		ticket -= weight_in(following, kind);
	return kind;
}

/* Choose an operation and its arguments. */
void
choose_operation(Operation *op, const char *token)
{
	Operation chosen = { .kind = random_kind(), .number = NONE, .expected = NONE, .place = NONE };

	strcpy(chosen.token, token);
	snprintf(chosen.user, sizeof(chosen.user), "u%d", random_between(1, 20));
	*op = chosen;
	if (kinds[op->kind].may_have_key && chance(share_of("keys")))
		snprintf(op->key, sizeof(op->key), "k-%s", token);
	choose_arguments(op);
}

/* Does its result contain the ids of orders? */
bool
makes_orders(OperationKind kind)
{
	return kind == BUY_ITEM || kind == BUY_CART || kind == TRY_BUY_CART ||
		   kind == CONFIRM_RESERVATION;
}

/* Is its result the id of a reservation? */
bool
makes_reservation(OperationKind kind)
{
	return kind == RESERVE_STOCK || kind == RESERVE_CART || kind == TRY_RESERVE_CART;
}
