/*
 * wording.c
 *		The SQL of an operation, and its arguments in the history.
 *
 * The SQL returns one row: the result as JSON, and for a try_ form the status of
 * a refusal.
 */
#include "load.h"

/* ---------------------------------------------------------------- SQL */

static const char cart_answer[] =
	"json_agg(json_build_array(l.item_id, l.quantity, l.order_id, l.status, l.replayed))";

/* Add the idempotency key as an argument. */
static void
add_key(Text *sql, const Operation *op)
{
	if (op->key[0] != '\0')
		text_add(sql, "'%s'", op->key);
	else
		text_add(sql, "NULL");
}

static void
add_lines(Text *sql, const Operation *op)
{
	for (int i = 0; i < op->line_count; i++)
		text_add(sql, "%s{\"item_id\":%d,\"quantity\":%d}", i ? "," : "'[", op->lines[i].item,
				 op->lines[i].quantity);
	text_add(sql, "]'");
}

static void
add_ttl(Text *sql, const Operation *op)
{
	if (op->number == NONE)
		text_add(sql, "NULL");
	else
		text_add(sql, "'%d ms'", op->number);
}

static void
sql_buy_item(Text *sql, const Operation *op)
{
	text_add(sql, "SELECT to_json(shop.buy_item('%s', %d, %d, ", op->user, op->lines[0].item,
			 op->lines[0].quantity);
	add_key(sql, op);
	text_add(sql, ", '{\"token\":\"%s\"}'))", op->token);
}

static void
sql_buy_cart(Text *sql, const Operation *op)
{
	text_add(sql, "SELECT %s, min(l.status) FILTER (WHERE l.status NOT IN ('ok', 'not_taken'))",
			 cart_answer);
	text_add(sql, " FROM shop.%s('%s', ", operation_name(op->kind), op->user);
	add_lines(sql, op);
	text_add(sql, ", ");
	add_key(sql, op);
	text_add(sql, ", '{\"token\":\"%s\"}') AS l", op->token);
}

static void
sql_reserve_stock(Text *sql, const Operation *op)
{
	text_add(sql, "SELECT to_json(shop.reserve_stock('%s', %d, %d, ", op->user, op->lines[0].item,
			 op->lines[0].quantity);
	add_ttl(sql, op);
	text_add(sql, ", ");
	add_key(sql, op);
	text_add(sql, "))");
}

static void
sql_reserve_cart(Text *sql, const Operation *op)
{
	if (op->kind == TRY_RESERVE_CART)
		text_add(sql, "SELECT to_json(r.reservation_id), nullif(r.status, 'ok') FROM ");
	else
		text_add(sql, "SELECT to_json(r) FROM ");
	text_add(sql, "shop.%s('%s', ", operation_name(op->kind), op->user);
	add_lines(sql, op);
	text_add(sql, ", ");
	add_ttl(sql, op);
	text_add(sql, ", ");
	add_key(sql, op);
	text_add(sql, ") AS r");
}

static void
sql_change(Text *sql, const Operation *op)
{
	text_add(sql, "SELECT to_json(shop.change_reservation('%s', %d, %d))", op->target,
			 op->lines[0].item, op->lines[0].quantity);
}

static void
sql_extend(Text *sql, const Operation *op)
{
	text_add(sql, "SELECT to_json(shop.extend_reservation('%s', ", op->target);
	add_ttl(sql, op);
	text_add(sql, "))");
}

static void
sql_confirm(Text *sql, const Operation *op)
{
	text_add(sql,
			 "SELECT %s FROM shop.confirm_reservation('%s', "
			 "order_data => '{\"token\":\"%s\"}') AS l",
			 cart_answer, op->target, op->token);
}

static void
sql_release(Text *sql, const Operation *op)
{
	text_add(sql, "SELECT to_json(shop.release_reservation('%s'))", op->target);
}

static void
sql_expire(Text *sql, const Operation *op)
{
	text_add(sql, "SELECT to_json(items_stock.expire_reservations(%d))", op->number);
}

static void
sql_refund(Text *sql, const Operation *op)
{
	text_add(sql, "SELECT to_json(items_stock.refund_order('%s', ", op->target);
	text_add_number(sql, op->number, "NULL");
	text_add(sql, ", %s, '%s', ", op->restock ? "true" : "false", op->token);
	add_key(sql, op);
	text_add(sql, "))");
}

static void
sql_restock(Text *sql, const Operation *op)
{
	text_add(sql, "SELECT to_json(items_stock.restock_item(%d, %d, '%s', ", op->lines[0].item,
			 op->lines[0].quantity, op->token);
	add_key(sql, op);
	text_add(sql, "))");
}

static void
sql_adjust(Text *sql, const Operation *op)
{
	text_add(sql, "SELECT to_json(items_stock.adjust_stock(%d, %d, '%s', ", op->lines[0].item,
			 op->number, op->token);
	text_add_number(sql, op->expected, "NULL");
	text_add(sql, ", idempotency_key => ");
	add_key(sql, op);
	text_add(sql, "))");
}

static void
sql_count(Text *sql, const Operation *op)
{
	text_add(sql,
			 "SELECT to_json(items_stock.count_stock(%d, %d, reason => '%s', idempotency_key => ",
			 op->lines[0].item, op->number, op->token);
	add_key(sql, op);
	text_add(sql, "))");
}

static void
sql_direct(Text *sql, const Operation *op)
{
	text_add(
		sql,
		"WITH u AS (UPDATE shop.items SET stock = stock + (%d) WHERE id = %d RETURNING id, stock), "
		"d AS (INSERT INTO shop.direct SELECT '%s', u.id, %d FROM u) SELECT u.stock FROM u",
		op->number, op->lines[0].item, op->token, op->number);
}

static void
sql_heat(Text *sql, const Operation *op)
{
	text_add(sql, "SELECT to_json(inventory.heat('shop.items', %d))", op->lines[0].item);
}

static void
sql_cool(Text *sql, const Operation *op)
{
	text_add(sql, "SELECT to_json(inventory.cool('shop.items'");
	if (op->lines[0].item != NONE)
		text_add(sql, ", %d", op->lines[0].item);
	text_add(sql, "))");
}

static void
sql_settle(Text *sql, const Operation *op)
{
	(void) op;
	text_add(sql, "SELECT to_json(inventory.settle('shop.items'))");
}

static void
sql_transaction(Text *sql, const Operation *op)
{
	static const char *const statements[] = { "BEGIN", "COMMIT", "ROLLBACK", "SAVEPOINT s",
											  "ROLLBACK TO s" };

	text_add(sql, "%s", statements[op->kind - BEGIN]);
}

/* ---------------------------------------------------------------- args */

static void
args_line(Text *json, const Operation *op)
{
	text_add(json, "\"item\":%d,\"quantity\":%d", op->lines[0].item, op->lines[0].quantity);
}

static void
args_lines(Text *json, const Operation *op)
{
	text_add(json, "\"lines\":[");
	for (int i = 0; i < op->line_count; i++)
		text_add(json, "%s[%d,%d]", i ? "," : "", op->lines[i].item, op->lines[i].quantity);
	text_add(json, "]");
}

/* Add a number with a name. */
static void
add_named(Text *json, const char *name, int number)
{
	text_add(json, ",\"%s\":", name);
	text_add_number(json, number, "null");
}

static void
args_reserve_stock(Text *json, const Operation *op)
{
	args_line(json, op);
	add_named(json, "ttl_ms", op->number);
}

static void
args_reserve_cart(Text *json, const Operation *op)
{
	args_lines(json, op);
	add_named(json, "ttl_ms", op->number);
}

static void
args_reservation(Text *json, const Operation *op)
{
	text_add(json, "\"reservation\":\"%s\"", op->target);
}

static void
args_change(Text *json, const Operation *op)
{
	args_line(json, op);
	text_add(json, ",\"reservation\":\"%s\"", op->target);
}

static void
args_extend(Text *json, const Operation *op)
{
	args_reservation(json, op);
	add_named(json, "ttl_ms", op->number);
}

static void
args_expire(Text *json, const Operation *op)
{
	text_add(json, "\"max_rows\":%d", op->number);
}

static void
args_refund(Text *json, const Operation *op)
{
	text_add(json, "\"order\":\"%s\"", op->target);
	add_named(json, "quantity", op->number);
	text_add(json, ",\"restock\":%s", op->restock ? "true" : "false");
}

static void
args_adjust(Text *json, const Operation *op)
{
	text_add(json, "\"item\":%d", op->lines[0].item);
	add_named(json, "delta", op->number);
	add_named(json, "expected", op->expected);
}

static void
args_count(Text *json, const Operation *op)
{
	text_add(json, "\"item\":%d", op->lines[0].item);
	add_named(json, "counted", op->number);
}

static void
args_direct(Text *json, const Operation *op)
{
	text_add(json, "\"item\":%d", op->lines[0].item);
	add_named(json, "delta", op->number);
}

static void
args_item(Text *json, const Operation *op)
{
	text_add(json, "\"item\":");
	text_add_number(json, op->lines[0].item, "null");
}

static void
args_none(Text *json, const Operation *op)
{
	(void) json;
	(void) op;
}

/* ---------------------------------------------------------------- the table */

static const struct
{
	void (*sql)(Text *sql, const Operation *op);
	void (*args)(Text *json, const Operation *op);
} wordings[OPERATION_KINDS] = {
	[BUY_ITEM] = { sql_buy_item, args_line },
	[BUY_CART] = { sql_buy_cart, args_lines },
	[TRY_BUY_CART] = { sql_buy_cart, args_lines },
	[RESERVE_STOCK] = { sql_reserve_stock, args_reserve_stock },
	[RESERVE_CART] = { sql_reserve_cart, args_reserve_cart },
	[TRY_RESERVE_CART] = { sql_reserve_cart, args_reserve_cart },
	[CHANGE_RESERVATION] = { sql_change, args_change },
	[EXTEND_RESERVATION] = { sql_extend, args_extend },
	[CONFIRM_RESERVATION] = { sql_confirm, args_reservation },
	[RELEASE_RESERVATION] = { sql_release, args_reservation },
	[EXPIRE_RESERVATIONS] = { sql_expire, args_expire },
	[REFUND_ORDER] = { sql_refund, args_refund },
	[RESTOCK_ITEM] = { sql_restock, args_line },
	[ADJUST_STOCK] = { sql_adjust, args_adjust },
	[COUNT_STOCK] = { sql_count, args_count },
	[DIRECT] = { sql_direct, args_direct },
	[HEAT] = { sql_heat, args_item },
	[COOL] = { sql_cool, args_item },
	[SETTLE] = { sql_settle, args_none },
	[INSERT_HEADER] = { sql_following, args_following },
	[UPDATE_HEADER] = { sql_following, args_following },
	[DELETE_HEADER] = { sql_following, args_following },
	[INSERT_LINES] = { sql_following, args_following },
	[UPDATE_LINE] = { sql_following, args_following },
	[DELETE_LINE] = { sql_following, args_following },
	[FOLLOW_BUY] = { sql_following, args_following },
	[FOLLOW_REFUND] = { sql_following, args_following },
	[FOLLOW_CHANGE] = { sql_following, args_following },
	[FOLLOW_EXCHANGE] = { sql_following, args_following },
	[FOLLOW_RESTOCK] = { sql_following, args_following },
	[FOLLOW_HEAT] = { sql_following, args_following },
	[FOLLOW_COOL] = { sql_following, args_following },
	[BEGIN] = { sql_transaction, args_none },
	[COMMIT] = { sql_transaction, args_none },
	[ROLLBACK] = { sql_transaction, args_none },
	[SAVEPOINT] = { sql_transaction, args_none },
	[ROLLBACK_TO] = { sql_transaction, args_none },
};

void
write_sql(Text *sql, const Operation *op, bool with_key)
{
	Operation asked = *op;

	if (!with_key)
		asked.key[0] = '\0';
	wordings[op->kind].sql(sql, &asked);
}

void
write_args(Text *json, const Operation *op)
{
	wordings[op->kind].args(json, op);
}
