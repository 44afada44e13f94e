/*
 * follow.c
 *		Operations in the store that follows its orders: their arguments, and their SQL.
 *
 * The shop writes its headers and lines with plain statements, through the table and straight to
 * its partitions.  Each row that an operation writes has its token.  The id of a header is the
 * token of the operation that inserted it; that of a line has a number added.
 */
#include <string.h>

#include "load.h"

static const char *const statuses[] = {
	"cart", "placed", "placed", "placed", "cancelled", "shipped"
};

#define STATUSES (int) (sizeof(statuses) / sizeof(statuses[0]))

/* What an UPDATE of a line changes */
enum Column
{
	QUANTITY,
	CANCELLED,
	ITEM,
	PLACE,
	ORDER_ID,
	COLUMNS
};

/* ---------------------------------------------------------------- arguments */

static void
choose_goods(Operation *op, int count)
{
	op->line_count = count;
	for (int i = 0; i < count; i++)
	{
		op->lines[i].item = random_item(options.goods, 40);
		op->lines[i].quantity = random_quantity();
	}
}

static void
choose_place(Operation *op)
{
	op->place = chance(30) ? random_between(0, 1) : NONE;
}

static void
choose_insert_header(Operation *op)
{
	op->kind = INSERT_HEADER;
	op->number = random_between(0, 2);
}

/* A recent header; if there is none, insert one. */
static bool
choose_header(Operation *op)
{
	if (recently_made(HEADER, op->target))
		return true;
	choose_insert_header(op);
	return false;
}

/* Lines under a recent header. */
static void
choose_insert_lines(Operation *op)
{
	if (!choose_header(op))
		return;
	op->kind = INSERT_LINES;
	choose_goods(op, random_between(1, 3));
	choose_place(op);
}

/* A recent line; if there is none, insert lines. */
static bool
choose_recent_line(Operation *op)
{
	if (recently_made(LINE, op->target))
		return true;
	choose_insert_lines(op);
	return false;
}

/* Another status, or another user. */
static void
choose_update_header(Operation *op)
{
	if (choose_header(op))
		op->number = chance(15) ? NONE : random_between(0, STATUSES - 1);
}

static void
choose_update_line(Operation *op)
{
	if (!choose_recent_line(op))
		return;
	choose_goods(op, 1);
	op->number = random_between(QUANTITY, COLUMNS - 1);
	if (op->number == CANCELLED)
		op->lines[0].quantity = random_between(0, 3);
	if (op->number == ORDER_ID && !recently_made(HEADER, op->other))
		op->number = QUANTITY;
	if (op->number != PLACE)
		choose_place(op);
}

static void
choose_delete_line(Operation *op)
{
	if (choose_recent_line(op))
		choose_place(op);
}

static void
choose_refund(Operation *op)
{
	if (!choose_recent_line(op))
		return;
	op->number = chance(40) ? NONE : random_between(1, 2);
	op->restock = chance(80);
}

static void
choose_change(Operation *op)
{
	if (choose_recent_line(op))
		op->number = random_between(0, 6);
}

/* Exchange a recent line for others. */
static void
choose_exchange(Operation *op)
{
	if (choose_recent_line(op))
		choose_goods(op, random_between(1, 2));
}

static void
choose_restock(Operation *op)
{
	choose_goods(op, 1);
	op->lines[0].quantity = random_between(1, 16);
}

/* Choose the arguments of an operation. */
void
choose_following(Operation *op)
{
	switch (op->kind)
	{
		case INSERT_HEADER:
			choose_insert_header(op);
			break;
		case UPDATE_HEADER:
			choose_update_header(op);
			break;
		case DELETE_HEADER:
			(void) choose_header(op);
			break;
		case INSERT_LINES:
			choose_insert_lines(op);
			break;
		case UPDATE_LINE:
			choose_update_line(op);
			break;
		case DELETE_LINE:
			choose_delete_line(op);
			break;
		case FOLLOW_BUY:
			choose_goods(op, random_between(1, 3));
			break;
		case FOLLOW_REFUND:
			choose_refund(op);
			break;
		case FOLLOW_CHANGE:
			choose_change(op);
			break;
		case FOLLOW_EXCHANGE:
			choose_exchange(op);
			break;
		case FOLLOW_RESTOCK:
			choose_restock(op);
			break;
		default:
			choose_goods(op, 1);
			break;
	}
}

/* ---------------------------------------------------------------- SQL */

/* Lines, or one of the partitions. */
static void
add_table(Text *sql, const Operation *op)
{
	text_add(sql, "follow.lines");
	if (op->place != NONE)
		text_add(sql, "_%d", op->place);
}

static void
sql_insert_header(Text *sql, const Operation *op)
{
	text_add(
		sql,
		"INSERT INTO follow.orders (id, user_id, status, token) VALUES ('%s', '%s', '%s', '%s')",
		op->token, op->user, statuses[op->number], op->token);
}

static void
sql_update_header(Text *sql, const Operation *op)
{
	text_add(sql, "UPDATE follow.orders SET token = '%s', ", op->token);
	if (op->number == NONE)
		text_add(sql, "user_id = '%s'", op->user);
	else
		text_add(sql, "status = '%s'", statuses[op->number]);
	text_add(sql, " WHERE id = '%s'", op->target);
}

static void
sql_insert_lines(Text *sql, const Operation *op)
{
	text_add(sql, "INSERT INTO ");
	add_table(sql, op);
	text_add(sql, " (id, place, order_id, item_id, quantity, token) VALUES ");
	for (int i = 0; i < op->line_count; i++)
		text_add(sql, "%s('%s-%d', %d, '%s', %d, %d, '%s')", i ? ", " : "", op->token, i + 1,
				 op->place != NONE ? op->place : i % 2, op->target, op->lines[i].item,
				 op->lines[i].quantity, op->token);
}

static void
sql_update_line(Text *sql, const Operation *op)
{
	text_add(sql, "UPDATE ");
	add_table(sql, op);
	text_add(sql, " SET token = '%s', ", op->token);
	switch (op->number)
	{
		case QUANTITY:
			text_add(sql, "quantity = %d", op->lines[0].quantity);
			break;
		case CANCELLED:
			text_add(sql, "cancelled = %d", op->lines[0].quantity);
			break;
		case ITEM:
			text_add(sql, "item_id = %d", op->lines[0].item);
			break;
		case PLACE:
			text_add(sql, "place = 1 - place");
			break;
		default:
			text_add(sql, "order_id = '%s'", op->other);
			break;
	}
	text_add(sql, " WHERE id = '%s'", op->target);
}

static void
sql_delete(Text *sql, const Operation *op)
{
	text_add(sql, "DELETE FROM ");
	if (op->kind == DELETE_HEADER)
		text_add(sql, "follow.orders");
	else
		add_table(sql, op);
	text_add(sql, " WHERE id = '%s'", op->target);
}

/* A cart, or an exchange: its lines cannot be given a token. */
static void
sql_sell(Text *sql, const Operation *op)
{
	text_add(sql, "SELECT json_agg(json_build_array(l.item_id, l.quantity, l.order_id, l.status, "
				  "l.replayed)) FROM ");
	if (op->kind == FOLLOW_BUY)
		text_add(sql, "follow.buy_cart('%s', '[", op->user);
	else
		text_add(sql, "goods_stock.exchange_order('%s', '[", op->target);
	for (int i = 0; i < op->line_count; i++)
		text_add(sql, "%s{\"item_id\":%d,\"quantity\":%d}", i ? "," : "", op->lines[i].item,
				 op->lines[i].quantity);
	if (op->kind == FOLLOW_EXCHANGE)
	{
		text_add(sql, "]', '%s') AS l", op->token);
		return;
	}
	text_add(sql,
			 "]', NULL, '{\"token\":\"%s\",\"header\":{\"id\":\"%s\",\"status\":\"placed\","
			 "\"token\":\"%s\"}}') AS l",
			 op->token, op->token, op->token);
}

static void
sql_call(Text *sql, const Operation *op)
{
	text_add(sql, "SELECT to_json(");
	switch (op->kind)
	{
		case FOLLOW_REFUND:
			text_add(sql, "goods_stock.refund_order('%s', ", op->target);
			text_add_number(sql, op->number, "NULL");
			text_add(sql, ", %s, '%s')", op->restock ? "true" : "false", op->token);
			break;
		case FOLLOW_CHANGE:
			text_add(sql, "goods_stock.change_order('%s', %d, '%s')", op->target, op->number,
					 op->token);
			break;
		case FOLLOW_RESTOCK:
			text_add(sql, "goods_stock.restock_item(%d, %d, '%s')", op->lines[0].item,
					 op->lines[0].quantity, op->token);
			break;
		default:
			text_add(sql, "inventory.%s('follow.goods', %d)",
					 op->kind == FOLLOW_HEAT ? "heat" : "cool", op->lines[0].item);
			break;
	}
	text_add(sql, ")");
}

/* Write the SQL.  A statement of the shop returns the id of each row; only one is an answer. */
void
sql_following(Text *sql, const Operation *op)
{
	static void (*const statements[])(Text * sql, const Operation *op) = {
		[INSERT_HEADER] = sql_insert_header, [UPDATE_HEADER] = sql_update_header,
		[DELETE_HEADER] = sql_delete,		 [INSERT_LINES] = sql_insert_lines,
		[UPDATE_LINE] = sql_update_line,	 [DELETE_LINE] = sql_delete,
	};

	if (op->kind == FOLLOW_BUY || op->kind == FOLLOW_EXCHANGE)
		sql_sell(sql, op);
	else if (op->kind > DELETE_LINE)
		sql_call(sql, op);
	else
	{
		statements[op->kind](sql, op);
		text_add(sql, " RETURNING to_json(id)");
	}
}

/* ---------------------------------------------------------------- args */

static void
args_update_line(Text *json, const Operation *op)
{
	static const char *const columns[] = { "quantity", "cancelled", "item_id" };

	if (op->number < PLACE)
		text_add(json, ",\"column\":\"%s\",\"value\":%d", columns[op->number],
				 op->number == ITEM ? op->lines[0].item : op->lines[0].quantity);
	else if (op->number == ORDER_ID)
		text_add(json, ",\"column\":\"order_id\",\"value\":\"%s\"", op->other);
	else
		text_add(json, ",\"column\":null,\"value\":null");
}

static void
args_lines(Text *json, const Operation *op)
{
	text_add(json, ",\"lines\":[");
	for (int i = 0; i < op->line_count; i++)
		text_add(json, "%s[%d,%d]", i ? "," : "", op->lines[i].item, op->lines[i].quantity);
	text_add(json, "]");
}

/* Write the arguments: the row that is written to, and what it gets. */
void
args_following(Text *json, const Operation *op)
{
	text_add(json, "\"row\":");
	text_add_json(json, op->target);
	text_add(json, ",\"place\":");
	text_add_number(json, op->place, "null");
	if (op->kind == INSERT_HEADER || op->kind == UPDATE_HEADER)
	{
		text_add(json, ",\"status\":");
		text_add_json(json, op->number == NONE ? "" : statuses[op->number]);
	}
	else if (op->kind == UPDATE_LINE)
		args_update_line(json, op);
	else if (op->kind == FOLLOW_REFUND || op->kind == FOLLOW_CHANGE)
	{
		text_add(json, ",\"units\":");
		text_add_number(json, op->number, "null");
		text_add(json, ",\"restock\":%s", op->restock ? "true" : "false");
	}
	else if (op->line_count > 0)
		args_lines(json, op);
}
