
-- ---------------------------------------------------------------- engine
--
-- What the generated functions call.  Every role may execute them, because an owner of
-- tables who is not a superuser has to attach, dump and restore; each function first
-- checks that the current user has the rights of the owner of the tables.  Ids are
-- passed as "any"; result_type is a null of the type of the result.

CREATE FUNCTION inventory.guard() RETURNS pg_catalog.trigger
	LANGUAGE c AS 'MODULE_PATHNAME', 'inventory_guard';
COMMENT ON FUNCTION inventory.guard() IS 'Trigger on the items of a store: books or refuses changes of stock made outside the engine.';

CREATE FUNCTION inventory.keep_stock() RETURNS pg_catalog.trigger
	LANGUAGE c AS 'MODULE_PATHNAME', 'inventory_keep_stock';
COMMENT ON FUNCTION inventory.keep_stock() IS 'Trigger on the items of a store with direct_writes => keep: an UPDATE that writes the stock among other columns leaves it as it is.';

CREATE FUNCTION inventory.guard_truncate() RETURNS pg_catalog.trigger
	LANGUAGE c AS 'MODULE_PATHNAME', 'inventory_guard_truncate';
COMMENT ON FUNCTION inventory.guard_truncate() IS 'Trigger on the items and orders of a store, and on their header: before TRUNCATE ends what the rows were, or refuses it. Argument: the name of the store.';

CREATE FUNCTION inventory.guard_orders() RETURNS pg_catalog.trigger
	LANGUAGE c AS 'MODULE_PATHNAME', 'inventory_guard_orders';
COMMENT ON FUNCTION inventory.guard_orders() IS 'Trigger on the orders of a store: records or refuses changes of order lines made outside the engine. Argument: the name of the store.';

CREATE FUNCTION inventory.guard_headers() RETURNS pg_catalog.trigger
	LANGUAGE c AS 'MODULE_PATHNAME', 'inventory_guard_headers';
COMMENT ON FUNCTION inventory.guard_headers() IS 'Trigger on the headers of a store with order_writes follow: notes changes by which order lines may be worth something else. Argument: the name of the store.';

CREATE FUNCTION inventory.follow_orders() RETURNS pg_catalog.trigger
	LANGUAGE c AS 'MODULE_PATHNAME', 'inventory_follow_orders';
COMMENT ON FUNCTION inventory.follow_orders() IS 'Triggers on the orders and headers of a store with order_writes follow: before and after each statement, and deferred after each row. They take from the stock, or give back, by what order lines are worth. Argument: the name of the store. Errors: IV001, IV002, IV010, IV013, IV014, 40001, 22003.';

CREATE FUNCTION inventory.must_follow_later() RETURNS pg_catalog.bool
	LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'inventory_must_follow_later';
COMMENT ON FUNCTION inventory.must_follow_later() IS 'The condition of the deferred trigger of a store with order_writes follow: true if no trigger at the end of the statement applies a change.';

CREATE FUNCTION inventory.binding() RETURNS pg_catalog.trigger
	LANGUAGE c AS 'MODULE_PATHNAME', 'inventory_binding';
COMMENT ON FUNCTION inventory.binding() IS 'Disabled trigger on items and orders. Its column list follows renames of the bound columns. Arguments: the name of the store, then the role of each column.';

CREATE FUNCTION inventory.check_engine(relation pg_catalog.regclass) RETURNS void
	LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'inventory_check_engine';
COMMENT ON FUNCTION inventory.check_engine(pg_catalog.regclass) IS 'Raises an error if the rows of a table, or of one of its partitions, are not in a heap of this server: tables of Citus, foreign tables, other access methods. Errors: 42809.';

CREATE FUNCTION inventory.check_row_expression(function pg_catalog.regprocedure, argument pg_catalog.text) RETURNS void
	LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'inventory_check_row_expression';
COMMENT ON FUNCTION inventory.check_row_expression(pg_catalog.regprocedure, pg_catalog.text) IS 'Raises an error unless the body of an SQL function is an immutable expression over its arguments. argument: what the expression was given as. Errors: 0A000, 42P17.';

CREATE FUNCTION inventory.delete_store_row(items pg_catalog.regclass) RETURNS void
	LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'inventory_delete_store_row';
COMMENT ON FUNCTION inventory.delete_store_row(pg_catalog.regclass) IS 'Deletes the row of a store, for the owner of its items. Part of detach and refresh.';

CREATE FUNCTION inventory.execute_latest(statement pg_catalog.text, settings pg_catalog.text[] DEFAULT NULL)
	RETURNS pg_catalog.int8
	LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'inventory_execute_latest';
COMMENT ON FUNCTION inventory.execute_latest(pg_catalog.text, pg_catalog.text[]) IS 'Executes a statement with the rights of the caller and the latest snapshot, which has what others have committed by now, at any isolation level, under the settings that a store has recorded if they are given. Policies that are forced on the owner of a table do not hide its rows. Returns the number of rows. Part of attach.';

CREATE FUNCTION inventory.open_ledger(store_name pg_catalog.text) RETURNS pg_catalog.int8
	LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'inventory_open_ledger';
COMMENT ON FUNCTION inventory.open_ledger(pg_catalog.text) IS 'Books an opening for each tracked item that has no movements, and the difference where the movements of an existing ledger do not add up to the stock. Returns the number of movements booked. Errors: IV012 not_a_store, 22004, 42501.';

CREATE FUNCTION inventory.repair_hot(store_name pg_catalog.text) RETURNS pg_catalog.int8
	LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'inventory_repair_hot';
COMMENT ON FUNCTION inventory.repair_hot(pg_catalog.text) IS 'Deletes rows of the table "hot", where an item has several, that its movements and its stock contradict. Returns how many. Part of repair.';

CREATE FUNCTION inventory.repair_ledger(store_name pg_catalog.text, item "any") RETURNS void
	LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'inventory_repair_ledger';
COMMENT ON FUNCTION inventory.repair_ledger(pg_catalog.text, "any") IS 'Books what the movements of an item, or of all, lack to its stock and to what reservations hold, and has wrong counters counted again. Part of repair.';

CREATE FUNCTION inventory.verify(items pg_catalog.regclass, item "any" DEFAULT NULL,
								 OUT item_id pg_catalog.text, OUT problem pg_catalog.text,
								 OUT expected pg_catalog.int8, OUT actual pg_catalog.int8)
	RETURNS SETOF record
	LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'inventory_verify';
COMMENT ON FUNCTION inventory.verify(pg_catalog.regclass, "any") IS 'Returns a row for each invariant of a store that does not hold; no rows if all hold. Arguments: items, the table; item, one key, or null for all. Problems: stock_differs_from_movements, untracked_item_has_balance, movements_of_unknown_item, holds_differ_from_movements, counter_differs_from_stock, cannot_be_settled, order_differs_from_sale, order_missing, refunds_exceed_sales, guard_missing, guard_disabled, guard_not_always_enabled, the same with orders_guard, keep_missing, keep_disabled, direct_ignored (how often direct_writes => keep has left the stock as it is, since reset_stats), direct_after_sale (units that were sold, and taken again by a direct write of the same transaction, where direct_writes is not record), functions_outdated (how many generated functions another version of the extension has made: call refresh), store_not_intact (a warning says what is damaged). expected and actual are in units: what the movements, or for a counter the tables, add up to, and what was found. Errors: IV012 not_a_store, 22004, 22P02 for an item that is not of the type of the key, 42501.';

CREATE FUNCTION inventory.oversold(items pg_catalog.regclass, since pg_catalog.timestamptz DEFAULT NULL,
								   OUT item_id pg_catalog.text, OUT ordered pg_catalog.int8,
								   OUT supplied pg_catalog.int8, OUT oversold pg_catalog.int8,
								   OUT first_order pg_catalog.text, OUT at pg_catalog.timestamptz)
	RETURNS SETOF record
	LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'inventory_oversold';
COMMENT ON FUNCTION inventory.oversold(pg_catalog.regclass, pg_catalog.timestamptz) IS 'Returns a row for each item of which more units were on order lines than were there. Arguments: items, the table; since, the time from which lines count, null for all. ordered: units of lines written since, by order_units if given, without what was refunded; supplied: units that were there, and that came in since; oversold: the most by which lines exceeded them; first_order and at: the first line that did. Errors: IV012 not_a_store, 22023 without orders, 22004, 42501.';

CREATE FUNCTION inventory.buy_item(store_name pg_catalog.text, user_id "any", item_id "any",
								   quantity pg_catalog.int8, idempotency_key pg_catalog.text,
								   order_data pg_catalog.jsonb, result_type pg_catalog.anyelement)
	RETURNS pg_catalog.anyelement
	LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'inventory_buy_item';
COMMENT ON FUNCTION inventory.buy_item(pg_catalog.text, "any", "any", pg_catalog.int8, pg_catalog.text, pg_catalog.jsonb, pg_catalog.anyelement) IS 'Implements the generated function buy_item.';

CREATE FUNCTION inventory.try_buy_item(store_name pg_catalog.text, user_id "any", item_id "any",
									   quantity pg_catalog.int8, idempotency_key pg_catalog.text,
									   order_data pg_catalog.jsonb,
									   result_type pg_catalog.anyelement)
	RETURNS pg_catalog.anyelement
	LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'inventory_try_buy_item';
COMMENT ON FUNCTION inventory.try_buy_item(pg_catalog.text, "any", "any", pg_catalog.int8, pg_catalog.text, pg_catalog.jsonb, pg_catalog.anyelement) IS 'Implements the generated function try_buy_item.';

CREATE FUNCTION inventory.buy_cart(store_name pg_catalog.text, user_id "any",
								   lines pg_catalog.jsonb, idempotency_key pg_catalog.text,
								   order_data pg_catalog.jsonb, result_type pg_catalog.anyelement)
	RETURNS SETOF pg_catalog.anyelement
	LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'inventory_buy_cart';
COMMENT ON FUNCTION inventory.buy_cart(pg_catalog.text, "any", pg_catalog.jsonb, pg_catalog.text, pg_catalog.jsonb, pg_catalog.anyelement) IS 'Implements the generated function buy_cart.';

CREATE FUNCTION inventory.try_buy_cart(store_name pg_catalog.text, user_id "any",
									   lines pg_catalog.jsonb, idempotency_key pg_catalog.text,
									   order_data pg_catalog.jsonb,
									   result_type pg_catalog.anyelement)
	RETURNS SETOF pg_catalog.anyelement
	LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'inventory_try_buy_cart';
COMMENT ON FUNCTION inventory.try_buy_cart(pg_catalog.text, "any", pg_catalog.jsonb, pg_catalog.text, pg_catalog.jsonb, pg_catalog.anyelement) IS 'Implements the generated function try_buy_cart.';

CREATE FUNCTION inventory.available_stock(store_name pg_catalog.text, item_id "any",
										  result_type pg_catalog.anyelement)
	RETURNS pg_catalog.anyelement
	LANGUAGE c STABLE PARALLEL RESTRICTED AS 'MODULE_PATHNAME', 'inventory_available_stock';
COMMENT ON FUNCTION inventory.available_stock(pg_catalog.text, "any", pg_catalog.anyelement) IS 'Implements the generated function available_stock.';

CREATE FUNCTION inventory.available_stocks(store_name pg_catalog.text, item_ids "any",
										   result_type pg_catalog.anyelement)
	RETURNS SETOF pg_catalog.anyelement
	LANGUAGE c STABLE PARALLEL RESTRICTED AS 'MODULE_PATHNAME', 'inventory_available_stocks';
COMMENT ON FUNCTION inventory.available_stocks(pg_catalog.text, "any", pg_catalog.anyelement) IS 'Implements the generated function available_stocks.';

CREATE FUNCTION inventory.restock_item(store_name pg_catalog.text, item_id "any",
									   quantity pg_catalog.int8, reason pg_catalog.text,
									   idempotency_key pg_catalog.text,
									   result_type pg_catalog.anyelement)
	RETURNS pg_catalog.anyelement
	LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'inventory_restock_item';
COMMENT ON FUNCTION inventory.restock_item(pg_catalog.text, "any", pg_catalog.int8, pg_catalog.text, pg_catalog.text, pg_catalog.anyelement) IS 'Implements the generated function restock_item.';

CREATE FUNCTION inventory.adjust_stock(store_name pg_catalog.text, item_id "any",
									   delta pg_catalog.int8, reason pg_catalog.text,
									   expected pg_catalog.int8, kind pg_catalog.text,
									   idempotency_key pg_catalog.text,
									   result_type pg_catalog.anyelement)
	RETURNS pg_catalog.anyelement
	LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'inventory_adjust_stock';
COMMENT ON FUNCTION inventory.adjust_stock(pg_catalog.text, "any", pg_catalog.int8, pg_catalog.text, pg_catalog.int8, pg_catalog.text, pg_catalog.text, pg_catalog.anyelement) IS 'Implements the generated function adjust_stock.';

CREATE FUNCTION inventory.count_stock(store_name pg_catalog.text, item_id "any",
									  counted pg_catalog.int8, unshipped pg_catalog.int8,
									  counted_at pg_catalog.timestamptz, reason pg_catalog.text,
									  idempotency_key pg_catalog.text,
									  result_type pg_catalog.anyelement)
	RETURNS pg_catalog.anyelement
	LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'inventory_count_stock';
COMMENT ON FUNCTION inventory.count_stock(pg_catalog.text, "any", pg_catalog.int8, pg_catalog.int8, pg_catalog.timestamptz, pg_catalog.text, pg_catalog.text, pg_catalog.anyelement) IS 'Implements the generated function count_stock.';

CREATE FUNCTION inventory.reserve_stock(store_name pg_catalog.text, user_id "any", item_id "any",
										quantity pg_catalog.int8, ttl pg_catalog.interval,
										idempotency_key pg_catalog.text,
										reservation_id pg_catalog.uuid)
	RETURNS pg_catalog.uuid
	LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'inventory_reserve_stock';
COMMENT ON FUNCTION inventory.reserve_stock(pg_catalog.text, "any", "any", pg_catalog.int8, pg_catalog.interval, pg_catalog.text, pg_catalog.uuid) IS 'Implements the generated function reserve_stock.';

CREATE FUNCTION inventory.reserve_cart(store_name pg_catalog.text, user_id "any",
										lines pg_catalog.jsonb, ttl pg_catalog.interval,
										idempotency_key pg_catalog.text,
										reservation_id pg_catalog.uuid)
	RETURNS pg_catalog.uuid
	LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'inventory_reserve_cart';
COMMENT ON FUNCTION inventory.reserve_cart(pg_catalog.text, "any", pg_catalog.jsonb, pg_catalog.interval, pg_catalog.text, pg_catalog.uuid) IS 'Implements the generated function reserve_cart.';

CREATE FUNCTION inventory.try_reserve_cart(store_name pg_catalog.text, user_id "any",
											lines pg_catalog.jsonb, ttl pg_catalog.interval,
											idempotency_key pg_catalog.text,
											reservation_id pg_catalog.uuid,
											result_type pg_catalog.anyelement)
	RETURNS pg_catalog.anyelement
	LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'inventory_try_reserve_cart';
COMMENT ON FUNCTION inventory.try_reserve_cart(pg_catalog.text, "any", pg_catalog.jsonb, pg_catalog.interval, pg_catalog.text, pg_catalog.uuid, pg_catalog.anyelement) IS 'Implements the generated function try_reserve_cart.';

CREATE FUNCTION inventory.change_reservation(store_name pg_catalog.text,
												reservation_id pg_catalog.uuid, item_id "any",
												quantity pg_catalog.int8, user_id "any")
	RETURNS pg_catalog.timestamptz
	LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'inventory_change_reservation';
COMMENT ON FUNCTION inventory.change_reservation(pg_catalog.text, pg_catalog.uuid, "any", pg_catalog.int8, "any") IS 'Implements the generated function change_reservation.';

CREATE FUNCTION inventory.extend_reservation(store_name pg_catalog.text,
												reservation_id pg_catalog.uuid,
												ttl pg_catalog.interval, user_id "any")
	RETURNS pg_catalog.timestamptz
	LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'inventory_extend_reservation';
COMMENT ON FUNCTION inventory.extend_reservation(pg_catalog.text, pg_catalog.uuid, pg_catalog.interval, "any") IS 'Implements the generated function extend_reservation.';

CREATE FUNCTION inventory.decide_reservation(store_name pg_catalog.text,
												reservation_id pg_catalog.uuid, user_id "any")
	RETURNS pg_catalog.timestamptz
	LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'inventory_decide_reservation';
COMMENT ON FUNCTION inventory.decide_reservation(pg_catalog.text, pg_catalog.uuid, "any") IS 'Implements the generated function decide_reservation.';

CREATE FUNCTION inventory.confirm_reservation(store_name pg_catalog.text,
												reservation_id pg_catalog.uuid, user_id "any",
												order_data pg_catalog.jsonb,
												result_type pg_catalog.anyelement)
	RETURNS SETOF pg_catalog.anyelement
	LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'inventory_confirm_reservation';
COMMENT ON FUNCTION inventory.confirm_reservation(pg_catalog.text, pg_catalog.uuid, "any", pg_catalog.jsonb, pg_catalog.anyelement) IS 'Implements the generated function confirm_reservation.';

CREATE FUNCTION inventory.release_reservation(store_name pg_catalog.text,
												reservation_id pg_catalog.uuid, user_id "any")
	RETURNS pg_catalog.bool
	LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'inventory_release_reservation';
COMMENT ON FUNCTION inventory.release_reservation(pg_catalog.text, pg_catalog.uuid, "any") IS 'Implements the generated function release_reservation.';

-- Parts of carts over several databases, for functions of the owner of the store that routers call.

CREATE FUNCTION inventory.reserve_part(store_name pg_catalog.text, nodes pg_catalog.int4[],
										lines pg_catalog.jsonb[], data pg_catalog.jsonb[],
										attempt pg_catalog.uuid, user_id "any",
										rehearse pg_catalog.bool)
	RETURNS pg_catalog.text
	LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'inventory_reserve_part';
COMMENT ON FUNCTION inventory.reserve_part(pg_catalog.text, pg_catalog.int4[], pg_catalog.jsonb[], pg_catalog.jsonb[], pg_catalog.uuid, "any", pg_catalog.bool) IS 'Holds all lines of a part of a cart or none, until finish_part. The arrays have an element for each line, or one. rehearse: writes the order and rolls it back, if something could refuse it. Returns null, or a refusal as text: (code,message,detail,hint,lines). For the owner of the store.';

CREATE FUNCTION inventory.finish_part(store_name pg_catalog.text, nodes pg_catalog.int4[],
									   data pg_catalog.jsonb[], attempt pg_catalog.uuid,
									   confirm pg_catalog.bool)
	RETURNS pg_catalog.text
	LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'inventory_finish_part';
COMMENT ON FUNCTION inventory.finish_part(pg_catalog.text, pg_catalog.int4[], pg_catalog.jsonb[], pg_catalog.uuid, pg_catalog.bool) IS 'Makes a part of a cart an order, or releases it, also before it is made: then it cannot be made any more, until prune deletes its id. The arrays are as those of reserve_part. Returns the lines of an order as text, null for a released part, or a refusal as text: (code,message,detail,hint,). For the owner of the store.';

CREATE FUNCTION inventory.sell_part(store_name pg_catalog.text, user_id "any", lines pg_catalog.jsonb,
									 order_data pg_catalog.jsonb)
	RETURNS pg_catalog.text
	LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'inventory_sell_part';
COMMENT ON FUNCTION inventory.sell_part(pg_catalog.text, "any", pg_catalog.jsonb, pg_catalog.jsonb) IS 'As the generated function try_buy_cart, for the home of a cart over several databases. Returns the lines as text, those at fault if it is refused. For the owner of the store. Errors: those of try_buy_cart, IV012, 42501.';

CREATE FUNCTION inventory.orders_may_refuse(store_name pg_catalog.text) RETURNS pg_catalog.bool
	LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'inventory_orders_may_refuse';
COMMENT ON FUNCTION inventory.orders_may_refuse(pg_catalog.text) IS 'True if something of the shop could refuse an order line that sets no columns: a trigger, a constraint, an index, a default, a header. False only if nothing can. For the owner of the store. Errors: IV012, 22004, 42501.';

CREATE FUNCTION inventory.get_reservation(store_name pg_catalog.text,
											reservation_id pg_catalog.uuid,
											result_type pg_catalog.anyelement)
	RETURNS SETOF pg_catalog.anyelement
	LANGUAGE c STABLE PARALLEL RESTRICTED AS 'MODULE_PATHNAME', 'inventory_get_reservation';
COMMENT ON FUNCTION inventory.get_reservation(pg_catalog.text, pg_catalog.uuid, pg_catalog.anyelement) IS 'Implements the generated function get_reservation.';

CREATE FUNCTION inventory.my_reservations(store_name pg_catalog.text, user_id "any",
											result_type pg_catalog.anyelement)
	RETURNS SETOF pg_catalog.anyelement
	LANGUAGE c STABLE PARALLEL RESTRICTED AS 'MODULE_PATHNAME', 'inventory_my_reservations';
COMMENT ON FUNCTION inventory.my_reservations(pg_catalog.text, "any", pg_catalog.anyelement) IS 'Implements the generated function my_reservations.';

CREATE FUNCTION inventory.refund_order(store_name pg_catalog.text, order_id "any",
										quantity pg_catalog.int8, restock pg_catalog.bool,
										reason pg_catalog.text, idempotency_key pg_catalog.text,
										result_type pg_catalog.anyelement)
	RETURNS pg_catalog.anyelement
	LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'inventory_refund_order';
COMMENT ON FUNCTION inventory.refund_order(pg_catalog.text, "any", pg_catalog.int8, pg_catalog.bool, pg_catalog.text, pg_catalog.text, pg_catalog.anyelement) IS 'Implements the generated function refund_order.';

CREATE FUNCTION inventory.refund_orders(store_name pg_catalog.text, order_ids "any",
										restock pg_catalog.bool, reason pg_catalog.text,
										idempotency_key pg_catalog.text,
										result_type pg_catalog.anyelement)
	RETURNS SETOF pg_catalog.anyelement
	LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'inventory_refund_orders';
COMMENT ON FUNCTION inventory.refund_orders(pg_catalog.text, "any", pg_catalog.bool, pg_catalog.text, pg_catalog.text, pg_catalog.anyelement) IS 'Implements the generated function refund_orders.';

CREATE FUNCTION inventory.change_order(store_name pg_catalog.text, order_id "any",
									   quantity pg_catalog.int8, reason pg_catalog.text,
									   idempotency_key pg_catalog.text,
									   result_type pg_catalog.anyelement)
	RETURNS pg_catalog.anyelement
	LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'inventory_change_order';
COMMENT ON FUNCTION inventory.change_order(pg_catalog.text, "any", pg_catalog.int8, pg_catalog.text, pg_catalog.text, pg_catalog.anyelement) IS 'Implements the generated function change_order.';

CREATE FUNCTION inventory.exchange_order(store_name pg_catalog.text, order_id "any",
										 lines pg_catalog.jsonb, reason pg_catalog.text,
										 idempotency_key pg_catalog.text,
										 result_type pg_catalog.anyelement)
	RETURNS SETOF pg_catalog.anyelement
	LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'inventory_exchange_order';
COMMENT ON FUNCTION inventory.exchange_order(pg_catalog.text, "any", pg_catalog.jsonb, pg_catalog.text, pg_catalog.text, pg_catalog.anyelement) IS 'Implements the generated function exchange_order.';

CREATE FUNCTION inventory.expire_reservations(store_name pg_catalog.text,
												max_rows pg_catalog.int4)
	RETURNS pg_catalog.int8
	LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'inventory_expire_reservations';
COMMENT ON FUNCTION inventory.expire_reservations(pg_catalog.text, pg_catalog.int4) IS 'Implements the generated function expire_reservations.';

CREATE FUNCTION inventory.prune(store_name pg_catalog.text, older_than pg_catalog.interval)
	RETURNS pg_catalog.int8
	LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'inventory_prune';
COMMENT ON FUNCTION inventory.prune(pg_catalog.text, pg_catalog.interval) IS 'Implements the generated function prune.';

CREATE FUNCTION inventory.close_ledger(store_name pg_catalog.text, before pg_catalog.timestamptz)
	RETURNS pg_catalog.int8
	LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'inventory_close_ledger';
COMMENT ON FUNCTION inventory.close_ledger(pg_catalog.text, pg_catalog.timestamptz) IS 'Implements the generated function close_ledger.';


-- Trusted, so that owners who are not superusers create, dump and restore functions in it.
-- The handler checks a function when it is called: a role gains nothing by creating one.
CREATE FUNCTION inventory.language_handler() RETURNS pg_catalog.language_handler
	LANGUAGE c AS 'MODULE_PATHNAME', 'inventory_language_handler';
COMMENT ON FUNCTION inventory.language_handler() IS 'Calls functions in the language inventory.';

CREATE FUNCTION inventory.language_validator(function pg_catalog.oid) RETURNS void
	LANGUAGE c AS 'MODULE_PATHNAME', 'inventory_language_validator';
COMMENT ON FUNCTION inventory.language_validator(pg_catalog.oid) IS 'Raises an error if a new function in the language inventory could not be called.';

CREATE TRUSTED LANGUAGE inventory HANDLER inventory.language_handler
	VALIDATOR inventory.language_validator;
COMMENT ON LANGUAGE inventory IS 'The language of the generated functions. The body is the name of a function and of a store: ''buy_item shop.items''.';
