-- complain if the script is sourced in psql rather than run by CREATE EXTENSION
\echo Use "CREATE EXTENSION inventory" to load this file. \quit

-- The extension script is the files of script/ in the order of their names: edit those.
-- Each file calls only functions of the files before it.

-- CREATE EXTENSION sets the same path.  It is repeated here so that a static check
-- can see that no name or operator of this script is resolved in another schema.
SET LOCAL search_path = pg_catalog, pg_temp;

-- ---------------------------------------------------------------- catalog
--
-- Which tables make a store.  All data of a shop is in the shop's own schemas.

-- Created by the script and not by the control file, so that the schema is a member of
-- the extension and no dump of an owner's tables contains it.  Without IF NOT EXISTS:
-- another role may have created the schema and put functions into it.
CREATE SCHEMA inventory;
COMMENT ON SCHEMA inventory IS 'Administration and engine of stores: sells stock without overselling it.';

-- A table, as regclass; but the input of one that does not exist is 0, and no error.
CREATE TYPE inventory.table_name;
CREATE FUNCTION inventory.table_name_in(pg_catalog.cstring) RETURNS inventory.table_name
	LANGUAGE c STABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'inventory_table_name_in';
COMMENT ON FUNCTION inventory.table_name_in(pg_catalog.cstring) IS 'Input of the type table_name.';
CREATE FUNCTION inventory.table_name_out(inventory.table_name) RETURNS pg_catalog.cstring
	LANGUAGE c STABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'inventory_table_name_out';
COMMENT ON FUNCTION inventory.table_name_out(inventory.table_name) IS 'Output of the type table_name.';
CREATE FUNCTION inventory.table_name_recv(pg_catalog.internal) RETURNS inventory.table_name
	LANGUAGE internal IMMUTABLE STRICT PARALLEL SAFE AS 'regclassrecv';
COMMENT ON FUNCTION inventory.table_name_recv(pg_catalog.internal) IS 'Binary input of the type table_name.';
CREATE FUNCTION inventory.table_name_send(inventory.table_name) RETURNS pg_catalog.bytea
	LANGUAGE internal IMMUTABLE STRICT PARALLEL SAFE AS 'regclasssend';
COMMENT ON FUNCTION inventory.table_name_send(inventory.table_name) IS 'Binary output of the type table_name.';
CREATE TYPE inventory.table_name (
	INPUT = inventory.table_name_in,
	OUTPUT = inventory.table_name_out,
	RECEIVE = inventory.table_name_recv,
	SEND = inventory.table_name_send,
	LIKE = pg_catalog.regclass,
	CATEGORY = 'N'
);
COMMENT ON TYPE inventory.table_name IS 'A table, as regclass; a name without a table is 0, so that the row of one store does not keep those of others out of a restored database.';
CREATE CAST (inventory.table_name AS pg_catalog.regclass) WITHOUT FUNCTION AS IMPLICIT;
CREATE CAST (inventory.table_name AS pg_catalog.oid) WITHOUT FUNCTION AS IMPLICIT;
CREATE CAST (pg_catalog.regclass AS inventory.table_name) WITHOUT FUNCTION AS ASSIGNMENT;
CREATE CAST (pg_catalog.oid AS inventory.table_name) WITHOUT FUNCTION AS ASSIGNMENT;
COMMENT ON CAST (inventory.table_name AS pg_catalog.regclass) IS 'The table.';
COMMENT ON CAST (inventory.table_name AS pg_catalog.oid) IS 'The OID of the table.';
COMMENT ON CAST (pg_catalog.regclass AS inventory.table_name) IS 'The table.';
COMMENT ON CAST (pg_catalog.oid AS inventory.table_name) IS 'The table with this OID.';

-- The worker holds the rows of all stores, and every role may insert some: they have a limit.
CREATE TABLE inventory.store (
	store_name pg_catalog.text NOT NULL CHECK (octet_length(store_name) BETWEEN 1 AND 255),
	items inventory.table_name PRIMARY KEY,
	orders inventory.table_name CHECK (orders <> items),
	movements inventory.table_name NOT NULL UNIQUE,
	user_claim pg_catalog.text CHECK (octet_length(user_claim) BETWEEN 1 AND 255),
	direct_writes pg_catalog.text NOT NULL CHECK (direct_writes IN ('record', 'refuse', 'keep')),
	has_sellable pg_catalog.bool NOT NULL,
	max_ttl pg_catalog.interval NOT NULL CHECK (max_ttl > '0'),
	api_schema pg_catalog.name NOT NULL,
	argument_prefix pg_catalog.text NOT NULL CHECK (octet_length(argument_prefix) <= 40),
	settings pg_catalog.text[] NOT NULL DEFAULT '{}'
		CHECK (octet_length(array_to_string(settings, '', '')) + cardinality(settings) <= 10000),
	order_writes pg_catalog.text NOT NULL DEFAULT 'record' CHECK (order_writes IN ('record', 'refuse', 'follow')),
	has_order_units pg_catalog.bool NOT NULL DEFAULT false,
	header inventory.table_name CHECK (header <> items AND header <> orders),
	has_prepare pg_catalog.bool NOT NULL DEFAULT false,
	order_values pg_catalog.jsonb CHECK (octet_length(order_values::text) <= 50000),
	header_values pg_catalog.jsonb CHECK (octet_length(header_values::text) <= 50000),
	refuses_truncate pg_catalog.bool NOT NULL DEFAULT false
);
-- Not unique: a role could take a name before the owner of the tables that are called so,
-- or keep that owner waiting for its transaction.  The trigger below keeps the names of the
-- stores of one owner apart.
CREATE INDEX store_store_name_idx ON inventory.store (store_name);
CREATE INDEX store_orders_idx ON inventory.store (orders);
CREATE INDEX store_header_idx ON inventory.store (header);
COMMENT ON TABLE inventory.store IS 'The stores of this database: the tables of each and its options. The binding triggers on items and orders keep the bound columns. Written by attach, detach and refresh.';
COMMENT ON COLUMN inventory.store.store_name IS 'name by which the generated functions refer to the store; it survives renames, dumps and restores, and is unique among the stores of an owner';
COMMENT ON COLUMN inventory.store.items IS 'the table whose rows hold the stock';
COMMENT ON COLUMN inventory.store.orders IS 'the table that gets one row for each line sold; null: the application inserts its orders itself';
COMMENT ON COLUMN inventory.store.header IS 'the table that gets one row for each purchase, to which its order lines refer; null: orders have no header, or the application inserts it';
COMMENT ON COLUMN inventory.store.has_prepare IS 'true if the function "prepare_order" of the ledger schema makes the rows of orders and of their header';
COMMENT ON COLUMN inventory.store.order_values IS 'the expressions for columns of orders, as given to attach, which wrote them into "prepare_order": there they follow renames';
COMMENT ON COLUMN inventory.store.header_values IS 'the same for columns of the header';
COMMENT ON COLUMN inventory.store.movements IS 'the movements table of the ledger; its schema is the ledger schema';
COMMENT ON COLUMN inventory.store.user_claim IS 'the claim of request.jwt.claims that the user_id of a buyer must equal; null: user ids are not checked';
COMMENT ON COLUMN inventory.store.direct_writes IS 'record: a change of stock outside the engine is booked as a movement; refuse: it is an error; keep: an UPDATE that writes other columns too leaves the stock as it is, and any other is an error';
COMMENT ON COLUMN inventory.store.refuses_truncate IS 'true if direct_writes => refuse was given to attach, which then refuses TRUNCATE of the tables, too';
COMMENT ON COLUMN inventory.store.order_writes IS 'record: what others change on order lines is recorded in order_changes; refuse: it is an error where it touches units that were sold; follow: the stock and the ledger follow it';
COMMENT ON COLUMN inventory.store.has_sellable IS 'true if the view "sellable" of the ledger schema determines which items are for sale';
COMMENT ON COLUMN inventory.store.has_order_units IS 'true if the view "order_worth" of the ledger schema says what each order line is worth';
COMMENT ON COLUMN inventory.store.api_schema IS 'schema of the generated functions for buyers';
COMMENT ON COLUMN inventory.store.argument_prefix IS 'prefix of the argument names of the generated functions';
COMMENT ON COLUMN inventory.store.settings IS 'settings of the session that attached, each as name=value, under which the condition of "sellable" is evaluated';
COMMENT ON COLUMN inventory.store.max_ttl IS 'longest time from the creation of a hold to its expiry, extensions included';

SELECT pg_catalog.pg_extension_config_dump('inventory.store', '');

CREATE FUNCTION inventory.store_changed() RETURNS pg_catalog.trigger
	LANGUAGE c AS 'MODULE_PATHNAME', 'inventory_store_changed';
COMMENT ON FUNCTION inventory.store_changed() IS 'Trigger on inventory.store: refuses a row whose tables the current user does not own or that attach would not make, and makes every session reload the store.';

CREATE TRIGGER store_changed BEFORE INSERT OR UPDATE OR DELETE ON inventory.store
	FOR EACH ROW EXECUTE FUNCTION inventory.store_changed();
ALTER TABLE inventory.store ENABLE ALWAYS TRIGGER store_changed;

-- A comment is dumped and restored, it moves with its table, and only the owner of that can
-- write it.  The database is in it because a copy by CREATE DATABASE has the same OIDs.
CREATE FUNCTION inventory.table_mark(relation pg_catalog.oid) RETURNS text
	LANGUAGE c STABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'inventory_table_mark';
COMMENT ON FUNCTION inventory.table_mark(pg_catalog.oid) IS 'What identifies a table: the identifier of the database system, the OID of the database, and that of the table.';

CREATE FUNCTION inventory.ledger_mark(movements regclass) RETURNS text
	LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
	SELECT substring(col_description(a.attrelid, a.attnum) FROM '[0-9]+/[0-9]+/[0-9]+')
	FROM pg_attribute AS a WHERE a.attrelid = movements AND a.attname = 'item_id'
$$;
COMMENT ON FUNCTION inventory.ledger_mark(regclass) IS 'The table that the movements of a ledger are of, as table_mark() has it; null if that is not known.';

CREATE FUNCTION inventory.mark_ledger(movements regclass, items pg_catalog.oid) RETURNS void
	LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'inventory_mark_ledger';
COMMENT ON FUNCTION inventory.mark_ledger(regclass, pg_catalog.oid) IS 'Notes in the comment on the column item_id of movements which table they are of. For the owner of movements.';

CREATE FUNCTION inventory.forget_dropped() RETURNS pg_catalog.event_trigger
	LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	dropped oid[] := ARRAY(SELECT d.objid FROM pg_event_trigger_dropped_objects() AS d
						   WHERE d.classid = 'pg_class'::regclass AND d.objsubid = 0);
BEGIN
	IF dropped = '{}' THEN
		RETURN;
	END IF;
	-- a ledger that was restored, or copied with its database, has the mark of another table
	PERFORM inventory.mark_ledger(s.movements, s.items)
	FROM inventory.store AS s WHERE s.items::oid = ANY (dropped);
	-- one condition for each index
	DELETE FROM inventory.store AS s WHERE s.items::oid = ANY (dropped);
	DELETE FROM inventory.store AS s WHERE s.orders::oid = ANY (dropped);
	DELETE FROM inventory.store AS s WHERE s.header::oid = ANY (dropped);
	DELETE FROM inventory.store AS s WHERE s.movements::oid = ANY (dropped);
END
$$;
COMMENT ON FUNCTION inventory.forget_dropped() IS 'Event trigger function: deletes the store of a dropped table, and makes sure that its ledger is known to be of that table.';

-- For every command: with CASCADE a table can go with a function or a collation of its partition key.
CREATE EVENT TRIGGER inventory_forget_dropped ON sql_drop
	EXECUTE FUNCTION inventory.forget_dropped();
COMMENT ON EVENT TRIGGER inventory_forget_dropped IS 'Deletes the store of a dropped table.';


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

-- ---------------------------------------------------------------- hot items

CREATE FUNCTION inventory.heat(items pg_catalog.regclass, item "any") RETURNS pg_catalog.bool
	LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'inventory_heat';
COMMENT ON FUNCTION inventory.heat(pg_catalog.regclass, "any") IS 'Makes an item hot: once the transaction has committed, buyers of the item do not wait for each other. Arguments: items, the table; item, a key. Returns false if the item is hot already. See doc/hot-items.md. Errors: IV002 item_not_found, IV012 not_a_store, 55000 if the server is not configured for hot items, the stock of the item is not tracked, its row could refuse what the counter would allow, or the item is kept cold, 53400 if inventory.max_hot_items are hot, 22004, 42501.';

CREATE FUNCTION inventory.cool(items pg_catalog.regclass, item "any" DEFAULT NULL)
	RETURNS pg_catalog.int8
	LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'inventory_cool';
COMMENT ON FUNCTION inventory.cool(pg_catalog.regclass, "any") IS 'Makes an item, or every item of a store, cold: lets no other buyers begin, and waits until the transactions that have taken units have ended. Arguments: items, the table; item, a key, or null for all. Returns how many items were hot. Errors: IV014 busy if such a transaction lasts longer than inventory.hot_lock_timeout, 55006 if this transaction is one of them, IV002 item_not_found, IV012 not_a_store, 42501.';

CREATE FUNCTION inventory.keep_cold(items pg_catalog.regclass, item "any", keep pg_catalog.bool DEFAULT true)
	RETURNS pg_catalog.void
	LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'inventory_keep_cold';
COMMENT ON FUNCTION inventory.keep_cold(pg_catalog.regclass, "any", pg_catalog.bool) IS 'Keeps an item cold, so that transactions that buy it can always be prepared: a hot item is cooled as by cool(), heat() refuses the item, and inventory.hot_mode = auto leaves it alone. Arguments: items, the table; item, a key; keep, false to allow that it becomes hot again. Errors: IV014 busy and 55006 as for cool(), 55000 if the stock of the item is not tracked, IV002 item_not_found, IV012 not_a_store, 22004, 42501.';

CREATE FUNCTION inventory.settle(items pg_catalog.regclass) RETURNS pg_catalog.int8
	LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'inventory_settle';
COMMENT ON FUNCTION inventory.settle(pg_catalog.regclass) IS 'Writes the movements of hot items into their stock column, except those that a transaction in flight could still add to; the worker does this every inventory.settle_interval. Returns the number of items written. Errors: IV012 not_a_store, 55006 if this transaction has bought a hot item, 42501.';

CREATE FUNCTION inventory.hot_entries(OUT items pg_catalog.oid, OUT number pg_catalog.int8,
		OUT state pg_catalog.text, OUT available pg_catalog.int8, OUT held pg_catalog.int8,
		OUT epoch pg_catalog.int8, OUT settled_epoch pg_catalog.int8,
		OUT holders pg_catalog.int4[], OUT problem pg_catalog.text)
	RETURNS SETOF record
	LANGUAGE c VOLATILE PARALLEL RESTRICTED AS 'MODULE_PATHNAME', 'inventory_hot_entries';
COMMENT ON FUNCTION inventory.hot_entries() IS 'The counters of the hot items of this database at this instant. number identifies the row of the item in the table "hot" of the store; state is unpublished, hot or cooling; available is what can be sold above the floor and held what transactions in flight have taken, both in units; holders are the process ids of these transactions; problem is why the stock column could not be written when that was last tried, or null.';

-- The source text of functions is all that tells what they do.  Comments and strings are
-- taken out of it, and the functions that it calls are looked at, too.  Functions in C are
-- not those of shops; heat() sees them at work when it writes the row for a trial.
CREATE FUNCTION inventory.function_code(function_id pg_catalog.oid, OUT language pg_catalog.name,
										OUT code pg_catalog.text)
	LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
	SELECT l.lanname, regexp_replace(p.prosrc,
		$re$--[^\n]*|/\*([^*]|\*+[^*/])*\*+/|'([^']|'')*'$re$, ' ', 'g')
	FROM pg_proc AS p JOIN pg_language AS l ON l.oid = p.prolang WHERE p.oid = function_id
$$;
COMMENT ON FUNCTION inventory.function_code(pg_catalog.oid) IS 'The language of a function, and its source without comments and strings.';

CREATE FUNCTION inventory.refusing_trigger(relation pg_catalog.oid, columns pg_catalog.int8[])
	RETURNS pg_catalog.text
	LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
	WITH RECURSIVE fired AS (
		SELECT t.tgname, t.tgfoid, t.tgconstraint <> 0 AS is_constraint,
			   t.tgtype & 3 = 3 AS is_before_row
		FROM pg_trigger AS t
		WHERE t.tgrelid = refusing_trigger.relation AND NOT t.tgisinternal
		AND t.tgenabled IN ('O', 'A') AND t.tgtype & 16 <> 0
		AND (cardinality(t.tgattr::int2[]) = 0
			 OR t.tgattr::int2[]::int8[] && refusing_trigger.columns)
		AND t.tgfoid NOT IN ('inventory.guard()'::regprocedure, 'inventory.binding()'::regprocedure,
							 'inventory.keep_stock()'::regprocedure)
	), called AS (
		SELECT f.tgname, f.is_before_row, f.tgfoid AS function_id, c.language, c.code
		FROM fired AS f CROSS JOIN LATERAL inventory.function_code(f.tgfoid) AS c
		UNION
		SELECT s.tgname, false, p.oid, c.language, c.code
		FROM called AS s
		CROSS JOIN LATERAL regexp_matches(s.code,
			$re$([[:alpha:]_][[:alnum:]_$]*|"[^"]+")\s*\($re$, 'g') AS m(word)
		JOIN pg_proc AS p ON p.proname = CASE WHEN left(m.word[1], 1) = '"' THEN btrim(m.word[1], '"')
											  ELSE lower(m.word[1]) END
		AND p.pronamespace NOT IN ('pg_catalog'::regnamespace, 'inventory'::regnamespace)
		CROSS JOIN LATERAL inventory.function_code(p.oid) AS c
		WHERE c.language IN ('plpgsql', 'sql')
	), refusal AS (
		SELECT f.tgname, 'is a constraint trigger' AS why FROM fired AS f WHERE f.is_constraint
		UNION ALL
		SELECT s.tgname, format(CASE
			WHEN s.language NOT IN ('plpgsql', 'sql', 'c', 'internal')
				THEN 'calls %s, which is not written in plpgsql'
			WHEN s.language <> 'plpgsql' THEN NULL
			WHEN s.code ~* $re$\mraise\M(?!\s+(debug|log|info|notice|warning)\M)|\massert\M$re$
				THEN 'calls %s, which can raise an error'
			WHEN s.is_before_row AND s.code ~* $re$\mreturn\s+null\M$re$
				THEN 'calls %s, which can suppress the write'
			WHEN s.is_before_row AND EXISTS (
				SELECT FROM pg_attribute AS a
				WHERE a.attrelid = refusing_trigger.relation AND a.attnum = ANY (refusing_trigger.columns)
				AND s.code ~* format($re$(;|\m(then|else|begin|loop)\M)\s*new\s*\.\s*"?%s"?\s*:?=$re$,
									 regexp_replace(a.attname, $re$(\W)$re$, $re$\\\1$re$, 'g')))
				THEN 'calls %s, which can change what is written'
			END, s.function_id::regprocedure)
		FROM called AS s
	)
	SELECT format('"%s" %s', r.tgname, r.why) FROM refusal AS r WHERE r.why <> ''
	ORDER BY r.tgname, r.why LIMIT 1
$$;
COMMENT ON FUNCTION inventory.refusing_trigger(pg_catalog.oid, pg_catalog.int8[]) IS 'A trigger on a table that could refuse an UPDATE of these columns, or change what it writes, and why, as far as the source of its function tells; null if there is none.';

CREATE FUNCTION inventory.count_hot(items pg_catalog.regclass) RETURNS pg_catalog.int8
	LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'inventory_count_hot';
COMMENT ON FUNCTION inventory.count_hot(pg_catalog.regclass) IS 'Returns how many items of a store are hot according to its ledger, 0 if that is damaged. For the owner of the items.';

-- The stock column of a hot item lags behind, and only the engine can complete it.
CREATE FUNCTION inventory.check_cold(store inventory.store) RETURNS void
	LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	hot_items bigint := inventory.count_hot(store.items);
BEGIN
	IF hot_items > 0 THEN
		RAISE EXCEPTION 'store "%" has % hot items', store.store_name, hot_items
			USING ERRCODE = 'object_in_use',
				  HINT = format('Make them cold first: SELECT inventory.cool(%L);', store.items);
	END IF;
END
$$;
COMMENT ON FUNCTION inventory.check_cold(inventory.store) IS 'Raises an error if an item of a store is hot.';

CREATE FUNCTION inventory.refuse_hot() RETURNS void
	LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	PERFORM inventory.check_cold(s) FROM inventory.store AS s;
END
$$;
COMMENT ON FUNCTION inventory.refuse_hot() IS 'Raises an error if an item of any store is hot.';

CREATE FUNCTION inventory.before_drop() RETURNS pg_catalog.event_trigger
	LANGUAGE c AS 'MODULE_PATHNAME', 'inventory_before_drop';
COMMENT ON FUNCTION inventory.before_drop() IS 'Event trigger function: refuses to drop the extension while an item is hot.';

CREATE EVENT TRIGGER inventory_before_drop ON ddl_command_start
	WHEN TAG IN ('DROP EXTENSION', 'DROP SCHEMA') EXECUTE FUNCTION inventory.before_drop();
COMMENT ON EVENT TRIGGER inventory_before_drop IS 'Refuses to drop the extension while an item is hot.';

-- ---------------------------------------------------------------- look-ups
--
-- What the later files read from the catalogs of the server, and how attach creates
-- objects for the owner of the tables.

CREATE FUNCTION inventory.base_type(type oid) RETURNS regtype
	LANGUAGE sql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
	WITH RECURSIVE chain(oid, base) AS (
		SELECT t.oid, t.typbasetype FROM pg_type AS t WHERE t.oid = type
		UNION ALL
		SELECT t.oid, t.typbasetype FROM chain AS c JOIN pg_type AS t ON t.oid = c.base
	)
	SELECT CASE WHEN oid = 'varchar'::regtype THEN 'text'::regtype ELSE oid::regtype END
	FROM chain WHERE base = 0
$$;
COMMENT ON FUNCTION inventory.base_type(oid) IS 'The type under its domains; varchar counts as text.';

CREATE FUNCTION inventory.key_types() RETURNS regtype[]
	LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
	SELECT ARRAY['uuid', 'int2', 'int4', 'int8', 'text']::regtype[]
$$;
COMMENT ON FUNCTION inventory.key_types() IS 'The types that can identify items, users and orders.';

CREATE FUNCTION inventory.integer_types() RETURNS regtype[]
	LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
	SELECT ARRAY['int2', 'int4', 'int8']::regtype[]
$$;
COMMENT ON FUNCTION inventory.integer_types() IS 'The types that count whole units.';

CREATE FUNCTION inventory.schema_of(relation regclass) RETURNS name
	LANGUAGE sql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
	SELECT n.nspname FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
	WHERE c.oid = relation
$$;
COMMENT ON FUNCTION inventory.schema_of(regclass) IS 'The name of the schema of a relation, or null.';

CREATE FUNCTION inventory.owner_of(relation regclass) RETURNS oid
	LANGUAGE sql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
	SELECT c.relowner FROM pg_class AS c WHERE c.oid = relation
$$;
COMMENT ON FUNCTION inventory.owner_of(regclass) IS 'The owner of a relation, or null.';

CREATE FUNCTION inventory.column_of(relation regclass, column_name name) RETURNS pg_attribute
	LANGUAGE sql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
	SELECT a FROM pg_attribute AS a
	WHERE a.attrelid = relation AND a.attname = column_name AND a.attnum > 0 AND NOT a.attisdropped
$$;
COMMENT ON FUNCTION inventory.column_of(regclass, name) IS 'The row of pg_attribute of a column, or null.';

CREATE FUNCTION inventory.column_type(relation regclass, column_name name) RETURNS regtype
	LANGUAGE sql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
	SELECT inventory.base_type((inventory.column_of(relation, column_name)).atttypid)
$$;
COMMENT ON FUNCTION inventory.column_type(regclass, name) IS 'The type of a column under its domains, or null.';

CREATE FUNCTION inventory.primary_key(relation regclass) RETURNS name
	LANGUAGE sql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
	SELECT a.attname FROM pg_index AS i
	JOIN pg_attribute AS a ON a.attrelid = i.indrelid AND a.attnum = i.indkey[0]
	WHERE i.indrelid = relation AND i.indisprimary AND i.indnkeyatts = 1
$$;
COMMENT ON FUNCTION inventory.primary_key(regclass) IS 'The column of a primary key of one column, or null.';

CREATE FUNCTION inventory.is_key(relation regclass, column_name name) RETURNS boolean
	LANGUAGE sql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
	SELECT EXISTS (
		SELECT FROM pg_index AS i
		JOIN pg_attribute AS a ON a.attrelid = i.indrelid AND a.attnum = i.indkey[0]
		JOIN pg_type AS t ON t.oid = a.atttypid
		WHERE i.indrelid = relation AND a.attname = column_name AND (a.attnotnull OR t.typnotnull)
		AND i.indisunique AND i.indimmediate AND i.indisvalid AND i.indnkeyatts = 1
		AND i.indpred IS NULL AND i.indexprs IS NULL
		-- unique as the engine compares: by the collation of the column, and as its type does
		AND i.indcollation[0] = a.attcollation
		AND EXISTS (SELECT FROM pg_opclass AS c JOIN pg_opclass AS d USING (opcfamily)
					WHERE c.oid = i.indclass[0] AND d.opcdefault))
$$;
COMMENT ON FUNCTION inventory.is_key(regclass, name) IS 'True if a column is NOT NULL and has a unique index of its own, in its own collation, that is neither partial nor deferrable.';

CREATE FUNCTION inventory.clip(label text, bytes integer) RETURNS text
	LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	-- a character has at least one byte
	label := left(label, greatest(bytes, 0));
	WHILE octet_length(label) > bytes AND label <> '' LOOP
		label := left(label, -1);
	END LOOP;
	RETURN label;
END
$$;
COMMENT ON FUNCTION inventory.clip(text, integer) IS 'The beginning of a text that fits into a number of bytes, in whole characters.';

CREATE FUNCTION inventory.check_owner(relation regclass) RETURNS void
	LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	IF NOT pg_has_role(inventory.owner_of(relation), 'USAGE') THEN
		RAISE EXCEPTION 'must be owner of table %', relation
			USING ERRCODE = 'insufficient_privilege';
	END IF;
END
$$;
COMMENT ON FUNCTION inventory.check_owner(regclass) IS 'Raises an error if the current user does not have the rights of the owner of a table.';

CREATE FUNCTION inventory.check_schema_create(schema_name name) RETURNS void
	LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	IF NOT has_schema_privilege(schema_name, 'CREATE') THEN
		RAISE EXCEPTION 'permission denied for schema %', quote_ident(schema_name)
			USING ERRCODE = 'insufficient_privilege',
				  HINT = format('Choose another schema, or: GRANT USAGE, CREATE ON SCHEMA %I TO %I;',
								schema_name, current_user);
	END IF;
END
$$;
COMMENT ON FUNCTION inventory.check_schema_create(name) IS 'Raises an error if the current user cannot create objects in a schema.';

-- The default privileges of the database may have granted anything.  Object is a
-- name as the server writes it, and kind the word for it in REVOKE.
CREATE FUNCTION inventory.restrict_to_owner(kind text, object text, owner oid) RETURNS void
	LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	grantee name;
BEGIN
	EXECUTE format('REVOKE ALL ON %s %s FROM PUBLIC', kind, object);
	FOR grantee IN
		SELECT DISTINCT r.rolname
		FROM aclexplode(CASE kind
			WHEN 'SCHEMA' THEN (SELECT n.nspacl FROM pg_namespace AS n WHERE n.oid = object::regnamespace)
			WHEN 'TYPE' THEN (SELECT t.typacl FROM pg_type AS t WHERE t.oid = object::regtype)
			ELSE (SELECT c.relacl FROM pg_class AS c WHERE c.oid = object::regclass) END) AS a
		JOIN pg_roles AS r ON r.oid = a.grantee WHERE r.oid <> owner
	LOOP
		EXECUTE format('REVOKE ALL ON %s %s FROM %I CASCADE', kind, object, grantee);
	END LOOP;
END
$$;
COMMENT ON FUNCTION inventory.restrict_to_owner(text, text, oid) IS 'Revokes the rights of all roles but the owner on a schema, table, sequence or type that attach created.';

CREATE FUNCTION inventory.make_schema(schema_name name, owner oid) RETURNS void
	LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	IF to_regnamespace(quote_ident(schema_name)) IS NOT NULL THEN
		PERFORM inventory.check_schema_create(schema_name);
		RETURN;
	ELSIF NOT has_database_privilege(current_database(), 'CREATE') THEN
		RAISE EXCEPTION 'permission denied to create schema %', quote_ident(schema_name)
			USING ERRCODE = 'insufficient_privilege',
				  HINT = format('Name an existing schema in which you may create, or: GRANT CREATE ON DATABASE %I TO %I;',
								current_database(), current_user);
	END IF;
	EXECUTE format('CREATE SCHEMA %I', schema_name);
	PERFORM inventory.restrict_to_owner('SCHEMA', quote_ident(schema_name), owner);
END
$$;
COMMENT ON FUNCTION inventory.make_schema(name, oid) IS 'Creates a schema unless it exists; in an existing one the current user must be able to create objects.';

-- ---------------------------------------------------------------- binding
--
-- Which tables and columns a store can bind, and the message for each that it cannot.

CREATE TYPE inventory.store_binding AS (
	store_name pg_catalog.text,
	items pg_catalog.regclass,
	orders pg_catalog.regclass,
	owner pg_catalog.oid,
	item_id pg_catalog.name,
	stock pg_catalog.name,
	version pg_catalog.name,
	stock_floor pg_catalog.name,
	purchase_limit pg_catalog.name,
	order_id pg_catalog.name,
	order_user_id pg_catalog.name,
	order_item_id pg_catalog.name,
	order_quantity pg_catalog.name,
	order_columns pg_catalog.name[],
	item_type pg_catalog.regtype,
	stock_type pg_catalog.regtype,
	user_type pg_catalog.regtype,
	order_type pg_catalog.regtype,
	api_schema pg_catalog.name,
	ledger_schema pg_catalog.name,
	argument_prefix pg_catalog.text,
	user_claim pg_catalog.text,
	sellable pg_catalog.text,
	direct_writes pg_catalog.text,
	max_ttl pg_catalog.interval,
	settings pg_catalog.text[],
	order_writes pg_catalog.text,
	order_units pg_catalog.text,
	order_final pg_catalog.text,
	header pg_catalog.regclass,
	order_header_id pg_catalog.name,
	header_user_id pg_catalog.name,
	header_columns pg_catalog.name[],
	order_values pg_catalog.jsonb,
	header_values pg_catalog.jsonb,
	order_prepare pg_catalog.regprocedure,
	order_limit pg_catalog.name,
	header_id pg_catalog.name,
	header_type pg_catalog.regtype,
	order_value_columns pg_catalog.name[],
	header_value_columns pg_catalog.name[],
	has_order_units pg_catalog.bool,
	refuses_truncate pg_catalog.bool
);
COMMENT ON TYPE inventory.store_binding IS 'The tables, columns, types and options of a store: found by attach, read back by refresh, used to generate the objects of the store.';

CREATE FUNCTION inventory.session_settings() RETURNS text[]
	LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
	SELECT array_agg(name || '=' || current_setting(name) ORDER BY n)
	FROM unnest('{TimeZone,timezone_abbreviations,DateStyle,IntervalStyle,lc_monetary,lc_numeric,lc_time,extra_float_digits,bytea_output,default_text_search_config,array_nulls,xmlbinary,xmloption,quote_all_identifiers,standard_conforming_strings,transform_null_equals,gin_fuzzy_search_limit}'::text[])
		 WITH ORDINALITY AS s(name, n)
$$;
COMMENT ON FUNCTION inventory.session_settings() IS 'The settings of this session on which the value of an expression can depend, each as name=value.';

CREATE FUNCTION inventory.check_table(relation regclass, role text, partitioned boolean)
	RETURNS void
	LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	class pg_class;
	what text;
BEGIN
	SELECT * INTO class FROM pg_class AS c WHERE c.oid = relation;
	IF NOT FOUND THEN
		RAISE EXCEPTION 'relation % does not exist', relation USING ERRCODE = 'undefined_table';
	END IF;
	PERFORM inventory.check_owner(relation);
	what := CASE
		WHEN class.relkind = 'p' AND NOT partitioned THEN 'a partitioned table'
		WHEN class.relkind = 'v' THEN 'a view'
		WHEN class.relkind = 'm' THEN 'a materialized view'
		WHEN class.relkind = 'f' THEN 'a foreign table'
		WHEN class.relkind NOT IN ('r', 'p') THEN 'not a table'
		WHEN class.relpersistence = 't' THEN 'a temporary table'
		WHEN class.relpersistence = 'u' THEN 'an unlogged table, which a crash empties'
		-- initdb creates objects with OIDs below 16384
		WHEN class.oid < 16384 OR class.relnamespace = 'inventory'::regnamespace THEN 'a system table'
		WHEN class.relkind = 'r' AND NOT partitioned AND EXISTS (
			SELECT FROM pg_inherits AS i WHERE relation IN (i.inhparent, i.inhrelid))
			THEN 'part of an inheritance tree'
		WHEN EXISTS (SELECT FROM pg_rewrite AS r WHERE r.ev_class = relation)
			THEN 'a table with rules'
	END;
	IF what IS NOT NULL THEN
		RAISE EXCEPTION '% cannot be the % of a store: it is %', relation, role, what
			USING ERRCODE = 'wrong_object_type',
				  HINT = CASE WHEN class.relkind = 'r' AND class.relpersistence = 'u'
						 THEN format('ALTER TABLE %s SET LOGGED;', relation)
						 ELSE format('Use an ordinary, permanent table%s.',
									 CASE WHEN partitioned THEN ', partitioned or not' ELSE '' END) END;
	END IF;
	PERFORM inventory.check_engine(relation);
END
$$;
COMMENT ON FUNCTION inventory.check_table(regclass, text, boolean) IS 'Raises an error if a relation cannot be the items, orders or order_header of a store.';

CREATE FUNCTION inventory.check_owners(stock_table regclass, order_table regclass) RETURNS void
	LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	owner name := pg_get_userbyid(inventory.owner_of(stock_table));
	schema_name name;
BEGIN
	IF inventory.owner_of(stock_table) <> inventory.owner_of(order_table) THEN
		RAISE EXCEPTION '% and % have different owners', stock_table, order_table
			USING ERRCODE = 'insufficient_privilege',
				  HINT = format('ALTER TABLE %s OWNER TO %I;', order_table, owner);
	END IF;
	SELECT min(inventory.schema_of(t)) INTO schema_name
	FROM unnest(ARRAY[stock_table, order_table]) AS t
	WHERE NOT has_schema_privilege(owner, inventory.schema_of(t), 'USAGE');
	IF schema_name IS NOT NULL THEN
		RAISE EXCEPTION 'role % has no USAGE privilege on schema %, which contains its tables', owner,
						quote_ident(schema_name)
			USING ERRCODE = 'insufficient_privilege',
				  HINT = format('GRANT USAGE ON SCHEMA %I TO %I;', schema_name, owner);
	END IF;
END
$$;
COMMENT ON FUNCTION inventory.check_owners(regclass, regclass) IS 'Raises an error unless items and another table have one owner, as whom the engine acts, and that owner can use their schemas.';

-- No ALTER where the server knows no cast to the type.
CREATE FUNCTION inventory.retype_statement(relation regclass, attribute pg_attribute, new_type regtype)
	RETURNS text
	LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
	SELECT format('ALTER TABLE %s ALTER COLUMN %I TYPE %s%s;', relation, attribute.attname, new_type,
				  CASE WHEN c.castcontext IN ('a', 'i') THEN ''
				  ELSE format(' USING %I::%s', attribute.attname, new_type) END)
	FROM pg_type AS t LEFT JOIN pg_cast AS c ON c.castsource = t.oid AND c.casttarget = new_type
	WHERE t.oid = inventory.base_type(attribute.atttypid) AND new_type IS NOT NULL
	AND (c.oid IS NOT NULL OR t.typcategory = 'S')
$$;
COMMENT ON FUNCTION inventory.retype_statement(regclass, pg_attribute, regtype) IS 'The ALTER TABLE that changes the type of a column; null without a new type or a cast to it.';

-- userId, USERID and user_id are one name to those who write it in their convention.
CREATE FUNCTION inventory.plain_name(column_name name) RETURNS text
	LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
	SELECT lower(replace(column_name::text, '_', ''))
$$;
COMMENT ON FUNCTION inventory.plain_name(name) IS 'A name without what conventions differ in: case and underscores.';

CREATE FUNCTION inventory.usual_column(relation regclass, role text, usual name, types regtype[])
	RETURNS name
	LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	found name[];
BEGIN
	-- one of a wrong type only if there is no other, for the message about it
	SELECT array_agg(a.attname ORDER BY a.attnum) INTO found
	FROM (SELECT a.*, inventory.base_type(a.atttypid) = ANY (types) AS fits FROM pg_attribute AS a
		  WHERE a.attrelid = relation AND a.attnum > 0 AND NOT a.attisdropped
		  AND inventory.plain_name(a.attname) = inventory.plain_name(usual)) AS a
	GROUP BY a.fits ORDER BY a.fits DESC LIMIT 1;
	IF cardinality(found) > 1 THEN
		RAISE EXCEPTION 'both column "%" and column "%" of % could be %', found[1], found[2], relation, role
			USING ERRCODE = 'ambiguous_column', HINT = format('Name the column: %s => %L.', role, found[1]);
	END IF;
	RETURN found[1];
END
$$;
COMMENT ON FUNCTION inventory.usual_column(regclass, text, name, regtype[]) IS 'The column whose name is the usual one for a role, in any convention; null if there is none. Raises an error if two are.';

-- A cast to an integer rounds, and half a unit more is a unit that is not there.
CREATE FUNCTION inventory.has_fractions(relation regclass, attribute pg_attribute) RETURNS boolean
	LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	found boolean := false;
BEGIN
	IF inventory.base_type(attribute.atttypid) IN ('numeric', 'float4', 'float8') THEN
		EXECUTE format('SELECT EXISTS (SELECT FROM %s AS t WHERE t.%2$I <> floor(t.%2$I))', relation,
					   attribute.attname) INTO found;
	END IF;
	RETURN found;
END
$$;
COMMENT ON FUNCTION inventory.has_fractions(regclass, pg_attribute) IS 'True if a column has a value that is not a whole number.';

CREATE FUNCTION inventory.retype_hint(relation regclass, attribute pg_attribute, new_type regtype)
	RETURNS text
	LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
	SELECT CASE
		WHEN new_type IS NULL THEN NULL
		WHEN inventory.has_fractions(relation, attribute) THEN format(
			'Some values have fractions, which a cast would round up. Count in a smaller unit, or round down: ALTER TABLE %s ALTER COLUMN %I TYPE %s USING floor(%I)::%s;',
			relation, attribute.attname, new_type, attribute.attname, new_type)
		WHEN (SELECT t.typtype FROM pg_type AS t WHERE t.oid = attribute.atttypid) = 'e' THEN format(
			'An enum counts no units. Add a column that does, and name it: ALTER TABLE %s ADD COLUMN units %s NOT NULL DEFAULT 0;',
			relation, new_type)
		ELSE inventory.retype_statement(relation, attribute, new_type) END
$$;
COMMENT ON FUNCTION inventory.retype_hint(regclass, pg_attribute, regtype) IS 'What to do about a column of another type than the suggested one.';

CREATE FUNCTION inventory.resolve_column(relation regclass, role text, given name, usual name,
										 types regtype[], suggested_type regtype) RETURNS name
	LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	attribute pg_attribute := inventory.column_of(relation,
		coalesce(given, inventory.usual_column(relation, role, usual, types)));
	type text := format_type(attribute.atttypid, attribute.atttypmod);
	allowed text := format('%s can be: %s.', role, array_to_string(types, ', '));
BEGIN
	IF given = '' THEN
		RETURN NULL;
	ELSIF attribute.attname IS NULL AND given IS NOT NULL THEN
		RAISE EXCEPTION 'column "%" of % does not exist', given, relation
			USING ERRCODE = 'undefined_column', HINT = format('It was given as %s.', role);
	ELSIF attribute.attname IS NULL THEN
		RETURN NULL;
	ELSIF attribute.attgenerated <> ''
		  AND role IN ('stock', 'version', 'order_quantity', 'order_item_id', 'order_user_id',
					   'order_header_id', 'header_user_id') THEN
		-- the engine writes these
		IF given IS NULL AND role <> 'stock' THEN
			RETURN NULL;
		END IF;
		RAISE EXCEPTION 'column "%" of % is generated and cannot be %', attribute.attname, relation, role
			USING ERRCODE = 'invalid_column_reference',
				  HINT = 'Use the column that it is computed from.';
	ELSIF attribute.attgenerated = 'v' THEN
		-- the engine reads rows without computing anything
		RAISE EXCEPTION 'column "%" of % is virtual and cannot be %', attribute.attname, relation, role
			USING ERRCODE = 'invalid_column_reference',
				  HINT = 'Generate it as STORED, or use the column that it is computed from.';
	ELSIF NOT inventory.base_type(attribute.atttypid) = ANY (types) THEN
		IF given IS NULL AND suggested_type IS NULL THEN
			RAISE WARNING 'column "%" of % is not bound: it is %, which cannot be %', attribute.attname,
						  relation, type, role
				USING HINT = allowed;
			RETURN NULL;
		END IF;
		RAISE EXCEPTION 'column "%" of % is %, which cannot be %', attribute.attname, relation, type, role
			USING ERRCODE = 'datatype_mismatch',
				  HINT = concat_ws(' ', allowed, inventory.retype_hint(relation, attribute, suggested_type));
	END IF;
	RETURN attribute.attname;
END
$$;
COMMENT ON FUNCTION inventory.resolve_column(regclass, text, name, name, regtype[], regtype) IS 'The column for a role of the binding: the given one, which must exist and fit, or else the usual one if it exists and fits; null if there is none, or if an empty name was given.';

CREATE FUNCTION inventory.bind_items(INOUT binding inventory.store_binding)
	LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	items regclass := binding.items;
	integers regtype[] := inventory.integer_types();
	twice name;
BEGIN
	binding.item_id := inventory.resolve_column(items, 'item_id',
		coalesce(binding.item_id, inventory.primary_key(items)), NULL, inventory.key_types(), NULL);
	IF binding.item_id IS NULL THEN
		RAISE EXCEPTION '% has no primary key of one column', items
			USING ERRCODE = 'invalid_table_definition',
				  HINT = 'Name a NOT NULL column with a unique constraint of its own: item_id => ''...''.';
	ELSIF NOT inventory.is_key(items, binding.item_id) THEN
		RAISE EXCEPTION 'column "%" of % is not a key', binding.item_id, items
			USING ERRCODE = 'invalid_table_definition',
				  HINT = format('item_id must be NOT NULL and have a unique constraint of its own that is not deferrable: ALTER TABLE %s ALTER COLUMN %I SET NOT NULL, ADD UNIQUE (%I);',
								items, binding.item_id, binding.item_id);
	END IF;

	binding.stock := inventory.resolve_column(items, 'stock', binding.stock, 'stock', integers, 'bigint');
	IF binding.stock IS NULL THEN
		RAISE EXCEPTION '% has no column "stock"', items
			USING ERRCODE = 'undefined_column',
				  HINT = 'Name the column that counts the units for sale: stock => ''...''.';
	ELSIF binding.stock = binding.item_id THEN
		RAISE EXCEPTION 'column "%" of % cannot be both the key and the stock', binding.stock, items
			USING ERRCODE = 'invalid_column_reference';
	END IF;
	binding.version := inventory.resolve_column(items, 'version', binding.version, 'version',
												integers, NULL);
	binding.stock_floor := inventory.resolve_column(items, 'stock_floor', binding.stock_floor,
													'stock_floor', integers, NULL);
	binding.purchase_limit := inventory.resolve_column(items, 'purchase_limit', binding.purchase_limit,
													   'purchase_limit', integers, NULL);
	binding.order_limit := inventory.resolve_column(items, 'order_limit', binding.order_limit,
													'order_limit', integers, NULL);
	SELECT c INTO twice
	FROM unnest(ARRAY[binding.item_id, binding.stock, binding.version, binding.stock_floor,
					  binding.purchase_limit, binding.order_limit]) AS u(c)
	WHERE c IS NOT NULL GROUP BY c HAVING count(*) > 1 LIMIT 1;
	IF twice IS NOT NULL THEN
		RAISE EXCEPTION 'column "%" of % is bound twice', twice, items
			USING ERRCODE = 'invalid_column_reference', HINT = 'A column has one meaning in a store.';
	END IF;
	binding.item_type := inventory.column_type(items, binding.item_id);
	binding.stock_type := inventory.column_type(items, binding.stock);
END
$$;
COMMENT ON FUNCTION inventory.bind_items(inventory.store_binding) IS 'Finds and checks the columns of items.';

CREATE FUNCTION inventory.referenced_table(relation regclass, column_name name, expected regclass)
	RETURNS regclass
	LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
	SELECT min(c.confrelid)::regclass FROM pg_constraint AS c
	JOIN pg_attribute AS a ON a.attrelid = c.conrelid AND a.attnum = c.conkey[1]
	WHERE c.contype = 'f' AND c.conrelid = relation AND cardinality(c.conkey) = 1
	AND a.attname = column_name
	HAVING bool_or(c.confrelid = expected) IS NOT TRUE
$$;
COMMENT ON FUNCTION inventory.referenced_table(regclass, name, regclass) IS 'The table that a column references, null if it references none or the expected one.';

-- The key of the items can be that of the other table.
CREATE FUNCTION inventory.contradicting_table(binding inventory.store_binding, column_name name)
	RETURNS regclass
	LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
	SELECT nullif(inventory.referenced_table(binding.orders, column_name, binding.items),
				  inventory.referenced_table(binding.items, binding.item_id, NULL))
$$;
COMMENT ON FUNCTION inventory.contradicting_table(inventory.store_binding, name) IS 'The table that a column of orders references, if that says that it does not hold the key of the items; else null.';

CREATE FUNCTION inventory.resolve_order_item(binding inventory.store_binding) RETURNS name
	LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	orders regclass := binding.orders;
	resolved name := inventory.resolve_column(orders, 'order_item_id', binding.order_item_id, 'item_id',
										   inventory.key_types(), NULL);
	keys name[] := ARRAY(
		SELECT a.attname FROM pg_constraint AS c
		JOIN pg_attribute AS a ON a.attrelid = c.conrelid AND a.attnum = c.conkey[1]
		JOIN pg_attribute AS f ON f.attrelid = c.confrelid AND f.attnum = c.confkey[1]
		WHERE c.contype = 'f' AND c.conrelid = orders AND c.confrelid = binding.items
		AND cardinality(c.conkey) = 1 AND f.attname = binding.item_id
		ORDER BY a.attnum);
	elsewhere regclass;
BEGIN
	IF resolved IS NULL AND cardinality(keys) = 1 THEN
		resolved := keys[1];
	ELSIF resolved IS NULL AND keys = '{}' THEN
		resolved := inventory.resolve_column(orders, 'order_item_id', NULL, 'product_id',
											 inventory.key_types(), NULL);
	END IF;
	IF resolved IS NULL THEN
		RAISE EXCEPTION 'cannot tell which column of % holds the key of the item', orders
			USING ERRCODE = 'undefined_column',
				  HINT = CASE WHEN keys = '{}'
						 THEN 'It has no column "item_id" or "product_id" and no foreign key to items. Name the column: order_item_id => ''...''.'
						 ELSE format('Foreign keys to items: %s. Name the column: order_item_id => %L.',
									 array_to_string(keys, ', '), keys[1]) END;
	ELSIF binding.order_item_id IS NULL AND NOT resolved = ANY (keys) THEN
		-- the name alone is a guess, which a foreign key to another table contradicts
		elsewhere := inventory.contradicting_table(binding, resolved);
		IF elsewhere IS NOT NULL THEN
			RAISE EXCEPTION 'column "%" of % references %, not %', resolved, orders, elsewhere, binding.items
				USING ERRCODE = 'invalid_column_reference',
					  HINT = 'Name the column that holds the key of the item: order_item_id => ''...''.';
		END IF;
	END IF;
	RETURN resolved;
END
$$;
COMMENT ON FUNCTION inventory.resolve_order_item(inventory.store_binding) IS 'The column of orders that holds the key of the item: the given one, or "item_id", or the only foreign key to items, or "product_id".';

-- "bound" are columns that the engine fills, "taken" names that mean something else.
CREATE FUNCTION inventory.check_settable(relation regclass, columns name[], argument text, bound name[],
										 taken name[]) RETURNS void
	LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	wanted name;
	attribute pg_attribute;
	why text;
BEGIN
	IF cardinality(columns) > 63 THEN
		RAISE EXCEPTION '% may name at most 63 columns', argument
			USING ERRCODE = 'program_limit_exceeded';
	END IF;
	FOREACH wanted IN ARRAY columns LOOP
		attribute := inventory.column_of(relation, wanted);
		IF attribute.attname IS NULL THEN
			RAISE EXCEPTION 'column "%" of % does not exist', wanted, relation
				USING ERRCODE = 'undefined_column', HINT = format('It was given in %s.', argument);
		END IF;
		why := CASE
			WHEN wanted = ANY (bound) THEN 'it is an argument of its own'
			WHEN wanted = ANY (taken) THEN 'a line uses this name itself'
			WHEN attribute.attgenerated <> '' THEN 'it is generated'
			WHEN attribute.attidentity = 'a' THEN 'it is an identity column that is always generated'
			WHEN (SELECT count(*) FROM unnest(columns) AS c WHERE c = wanted) > 1
				THEN 'it is named twice'
		END;
		IF why IS NOT NULL THEN
			RAISE EXCEPTION 'column "%" of % cannot be in %: %', wanted, relation, argument, why
				USING ERRCODE = 'invalid_column_reference';
		END IF;
	END LOOP;
END
$$;
COMMENT ON FUNCTION inventory.check_settable(regclass, name[], text, name[], name[]) IS 'Raises an error if callers cannot set one of the columns that an argument of attach names.';

-- A new sequence would begin with keys that are there already.
CREATE FUNCTION inventory.identity_clause(relation regclass, column_name name) RETURNS text
	LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	last_key bigint;
BEGIN
	EXECUTE format('SELECT max(%I) FROM %s', column_name, relation) INTO last_key;
	RETURN 'ADD GENERATED BY DEFAULT AS IDENTITY' ||
		CASE WHEN last_key > 0 THEN format(' (START WITH %s)', last_key::numeric + 1) ELSE '' END;
END
$$;
COMMENT ON FUNCTION inventory.identity_clause(regclass, name) IS 'What makes an integer key an identity column, for ALTER TABLE ALTER COLUMN.';

CREATE FUNCTION inventory.check_required_columns(relation regclass, key name, filled name[],
												 settable name[], argument text, order_writes text) RETURNS void
	LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	names name[];
	numbers name[];
	alters text;
BEGIN
	SELECT array_agg(a.attname ORDER BY a.attnum),
		   array_agg(a.attname ORDER BY a.attnum) FILTER (WHERE a.attname <> key AND b.base = ANY (inventory.integer_types())
			   AND NOT EXISTS (SELECT FROM pg_constraint AS f WHERE f.conrelid = relation AND f.contype = 'f' AND a.attnum = ANY (f.conkey))),
		   string_agg(format('ALTER TABLE %s ALTER COLUMN %I %s;', relation, a.attname,
							 CASE WHEN b.base IN ('timestamp', 'timestamptz', 'date') THEN 'SET DEFAULT now()'
								  -- no random value is the key of another row
								  WHEN b.base = 'uuid'::regtype AND NOT EXISTS (
									  SELECT FROM pg_constraint AS f WHERE f.conrelid = relation
									  AND f.contype = 'f' AND a.attnum = ANY (f.conkey))
								  THEN 'SET DEFAULT gen_random_uuid()'
								  WHEN a.attname = key AND a.atttypid = ANY (inventory.integer_types())
								  THEN inventory.identity_clause(relation, a.attname)
								  ELSE 'SET DEFAULT ...' END), E'\n' ORDER BY a.attnum)
	INTO names, numbers, alters
	FROM pg_attribute AS a JOIN pg_type AS t ON t.oid = a.atttypid
	CROSS JOIN LATERAL inventory.base_type(a.atttypid) AS b(base)
	WHERE a.attrelid = relation AND a.attnum > 0 AND NOT a.attisdropped
	AND (a.attnotnull OR t.typnotnull) AND NOT a.atthasdef AND a.attidentity = ''
	AND a.attgenerated = '' AND t.typdefault IS NULL
	AND NOT a.attname = ANY (settable || array_remove(filled, NULL));
	IF names IS NULL THEN
		RETURN;
	ELSIF EXISTS (SELECT FROM pg_trigger AS g
				  WHERE g.tgrelid = relation AND g.tgenabled <> 'D' AND NOT g.tgisinternal
				  AND g.tgtype & 7 = 7) THEN
		RAISE WARNING 'only a trigger can fill NOT NULL columns of %: %', relation,
					  array_to_string(names, ', ')
			USING HINT = E'If no trigger does, every purchase fails. Let callers set them (' || argument || E'), or:\n' || alters;
	ELSIF order_writes = 'follow' THEN
		-- the shop may write all of its orders itself
		RAISE WARNING 'nothing fills NOT NULL columns of % but the shop: %', relation, array_to_string(names, ', ')
			USING HINT = format(E'For purchases by buy_item and the like let callers set them: %s => %L, or give each a default:\n',
								argument, names) || alters;
	ELSE
		RAISE EXCEPTION 'nothing fills NOT NULL columns of %: %', relation,
						array_to_string(names, ', ')
			USING ERRCODE = 'not_null_violation',
				  -- a quantity that callers set as a column would not be what is sold
				  HINT = CASE WHEN argument = 'order_columns' AND filled[3] IS NULL AND numbers IS NOT NULL
							  THEN format('If %I is the quantity of a line, name it: order_quantity => %1$L. ', numbers[1]) ELSE '' END
					  || format(E'Let callers set them: %s => %L, or give each a default:\n', argument, names) || alters;
	END IF;
END
$$;
COMMENT ON FUNCTION inventory.check_required_columns(regclass, name, name[], name[], text, text) IS 'Raises an error, with the ALTER TABLE to use, if nothing fills a NOT NULL column of orders or of their header: neither the engine, nor callers, nor a default. Where the stock follows the orders it is a warning.';

CREATE FUNCTION inventory.bind_order_columns(INOUT binding inventory.store_binding)
	LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	orders regclass := binding.orders;
	item_type regtype;
BEGIN
	binding.order_id := inventory.resolve_column(orders, 'order_id',
		coalesce(binding.order_id, inventory.primary_key(orders)), NULL, inventory.key_types(), NULL);
	IF binding.order_id IS NULL THEN
		RAISE EXCEPTION '% has no primary key of one column', orders
			USING ERRCODE = 'invalid_table_definition',
				  HINT = 'Name the column that identifies a line: order_id => ''...''.';
	ELSIF NOT inventory.is_key(orders, binding.order_id)
		  AND (SELECT c.relkind <> 'p' FROM pg_class AS c WHERE c.oid = orders) THEN
		RAISE EXCEPTION 'column "%" of % is not a key', binding.order_id, orders
			USING ERRCODE = 'invalid_table_definition',
				  HINT = 'order_id must be NOT NULL and have a unique constraint of its own; in a partitioned table it may be part of the key.';
	END IF;
	binding.order_item_id := inventory.resolve_order_item(binding);
	item_type := inventory.column_type(orders, binding.order_item_id);
	IF item_type <> binding.item_type
	   AND NOT (ARRAY[item_type, binding.item_type] <@ inventory.integer_types()) THEN
		RAISE EXCEPTION 'column "%" of % is %, but the key of the items is %', binding.order_item_id,
						orders, item_type, binding.item_type
			USING ERRCODE = 'datatype_mismatch',
				  HINT = 'Name the column that holds the key of the item: order_item_id => ''...''.';
	END IF;
	binding.order_quantity := inventory.resolve_column(orders, 'order_quantity', binding.order_quantity,
		'quantity', inventory.integer_types() || 'numeric'::regtype, 'bigint');
	binding.order_user_id := inventory.resolve_column(orders, 'order_user_id', binding.order_user_id,
		'user_id', inventory.key_types(), NULL);
	binding.order_type := inventory.column_type(orders, binding.order_id);
END
$$;
COMMENT ON FUNCTION inventory.bind_order_columns(inventory.store_binding) IS 'Finds and checks the columns of an orders table.';

-- ---------------------------------------------------------------- advice
--
-- What attach looks at beside the columns that it binds, and the statements that it gives as
-- hints.

CREATE FUNCTION inventory.binding_arguments(binding inventory.store_binding, OUT n integer, OUT name text,
											OUT value text)
	RETURNS SETOF record
	LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp SET IntervalStyle = postgres AS $$
	VALUES
		(1, 'items', quote_nullable(binding.items::text)),
		(2, 'orders', quote_nullable(binding.orders::text)),
		(3, 'item_id', quote_nullable(binding.item_id)),
		(4, 'stock', quote_nullable(binding.stock)),
		(5, 'version', quote_literal(coalesce(binding.version, ''))),
		(6, 'stock_floor', quote_literal(coalesce(binding.stock_floor, ''))),
		(7, 'purchase_limit', quote_literal(coalesce(binding.purchase_limit, ''))),
		(8, 'order_id', quote_nullable(binding.order_id)),
		(9, 'order_user_id', quote_nullable(coalesce(binding.order_user_id,
			CASE WHEN binding.orders IS NOT NULL THEN '' END))),
		(10, 'order_item_id', quote_nullable(binding.order_item_id)),
		(11, 'order_quantity', quote_nullable(coalesce(binding.order_quantity,
			CASE WHEN binding.orders IS NOT NULL THEN '' END))),
		(12, 'order_columns', quote_literal(binding.order_columns)),
		(13, 'user_id_type', quote_literal(binding.user_type::text)),
		(14, 'api_schema', quote_literal(binding.api_schema)),
		(15, 'ledger_schema', quote_literal(binding.ledger_schema)),
		(16, 'argument_prefix', quote_literal(binding.argument_prefix)),
		(17, 'user_claim', quote_nullable(binding.user_claim)),
		(18, 'sellable', quote_nullable(binding.sellable)),
		-- a refusal that was not asked for does not refuse TRUNCATE
		(19, 'direct_writes', quote_nullable(CASE WHEN binding.direct_writes <> 'refuse' OR binding.refuses_truncate
											 THEN binding.direct_writes END)),
		(20, 'max_ttl', quote_literal(binding.max_ttl::text)),
		(21, 'store_name', quote_literal(binding.store_name)),
		(22, 'order_writes', quote_nullable(CASE WHEN binding.orders IS NOT NULL THEN binding.order_writes END)),
		(23, 'order_units', quote_nullable(binding.order_units)),
		(24, 'order_final', quote_nullable(binding.order_final)),
		(25, 'order_header', quote_nullable(binding.header::text)),
		(26, 'order_header_id', quote_nullable(binding.order_header_id)),
		(27, 'header_user_id', quote_nullable(CASE WHEN binding.header IS NOT NULL
											  THEN coalesce(binding.header_user_id, '') END)),
		(28, 'header_columns', quote_nullable(CASE WHEN binding.header IS NOT NULL THEN binding.header_columns::text END)),
		(29, 'order_values', quote_nullable(binding.order_values::text)),
		(30, 'header_values', quote_nullable(binding.header_values::text)),
		(31, 'order_prepare', quote_nullable(binding.order_prepare::text)),
		(32, 'order_limit', quote_literal(coalesce(binding.order_limit, '')))
$$;
COMMENT ON FUNCTION inventory.binding_arguments(inventory.store_binding) IS 'The arguments of attach that make a binding. An empty name stands for a column that is not bound.';

CREATE FUNCTION inventory.attach_statement(binding inventory.store_binding) RETURNS text
	LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
	SELECT format(E'SELECT %I.attach(\n%s);', 'inventory',
				  string_agg(format(E'\t%s => %s', a.name, a.value), E',\n' ORDER BY a.n))
	FROM inventory.binding_arguments(binding) AS a
$$;
COMMENT ON FUNCTION inventory.attach_statement(inventory.store_binding) IS 'The call of attach that makes a binding, with every argument.';

-- In snake case, so that num_allocated, qtyReserved and onHold have the same words.
CREATE FUNCTION inventory.promising_columns(binding inventory.store_binding) RETURNS SETOF name
	LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
	SELECT a.attname FROM pg_attribute AS a
	WHERE a.attrelid = binding.items AND a.attnum > 0 AND NOT a.attisdropped
	AND inventory.base_type(a.atttypid) = ANY (inventory.integer_types())
	AND NOT coalesce(a.attname IN (binding.item_id, binding.stock, binding.version, binding.stock_floor,
								   binding.purchase_limit), false)
	AND lower(regexp_replace(a.attname::text, '([a-z0-9])([A-Z])', $re$\1_\2$re$, 'g'))
		~ '(^|_)(sold|purchased|reserved|held|allocated|on_?hold|committed)(_|$)'
	ORDER BY a.attnum
$$;
COMMENT ON FUNCTION inventory.promising_columns(inventory.store_binding) IS 'Columns of items that are not bound and, by their names, count units that the stock still contains.';

CREATE FUNCTION inventory.warn_promising_columns(binding inventory.store_binding) RETURNS void
	LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	promising name;
	cure inventory.store_binding;
BEGIN
	FOR promising IN SELECT inventory.promising_columns(binding) LOOP
		cure := binding;
		cure.stock_floor := promising;
		RAISE WARNING 'column "%" of % is not bound', promising, binding.items
			USING HINT = CASE WHEN binding.stock_floor IS NULL THEN format(
				E'If it counts units that "%s" still contains, they would be sold again. Bind it as the floor:\n%s',
				binding.stock, inventory.attach_statement(cure))
			ELSE format('If it counts units that "%s" still contains, they would be sold again, unless "%s" includes them.',
						binding.stock, binding.stock_floor) END;
	END LOOP;
END
$$;
COMMENT ON FUNCTION inventory.warn_promising_columns(inventory.store_binding) IS 'Warns of columns of items that, by their names, count units that the stock still contains.';

CREATE FUNCTION inventory.warn_below_floor(binding inventory.store_binding) RETURNS void
	LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	floor_of text := coalesce('coalesce(' || quote_ident(binding.stock_floor) || ', 0)', '0');
	below bigint;
BEGIN
	EXECUTE format('SELECT count(*) FROM ONLY %s WHERE %I < %s', binding.items, binding.stock, floor_of) INTO below;
	IF below > 0 THEN
		RAISE WARNING 'rows of % with less stock than their floor: %', binding.items, below
			USING HINT = format('Nothing of them is sold until they have more. To see them: SELECT * FROM %s WHERE %I < %s;',
								binding.items, binding.stock, floor_of);
	END IF;
END
$$;
COMMENT ON FUNCTION inventory.warn_below_floor(inventory.store_binding) IS 'Warns of items that have less stock than their floor, which is 0 where none is bound.';

CREATE FUNCTION inventory.warn_foreign_item(binding inventory.store_binding) RETURNS void
	LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	elsewhere regclass := inventory.contradicting_table(binding, binding.order_item_id);
BEGIN
	IF elsewhere IS NOT NULL THEN
		RAISE WARNING 'column "%" of % references %, not %', binding.order_item_id, binding.orders, elsewhere,
					  binding.items
			USING HINT = format('It must hold the key "%s" of %s. If it does not, name another column as order_item_id, or attach %s.',
								binding.item_id, binding.items, elsewhere);
	END IF;
END
$$;
COMMENT ON FUNCTION inventory.warn_foreign_item(inventory.store_binding) IS 'Warns if the column of orders that holds the key of the item references another table.';

-- What a trigger passes to a function, and what its WHEN calls, is up to the role that created it, which is not
-- recorded.  While the tables make a store, check_created_triggers() refuses the triggers of others; these are older.
-- Arguments that are columns of the table do no harm.
CREATE FUNCTION inventory.warn_given_triggers(binding inventory.store_binding) RETURNS void
	LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	-- gathered first, so that they are looked up one by one
	tables oid[] := ARRAY[binding.items, binding.orders, binding.header]
		|| ARRAY(SELECT relid::oid FROM pg_partition_tree(binding.orders))
		|| ARRAY(SELECT to_regclass(format('%I.%I', binding.ledger_schema, t.name))::oid
				 FROM unnest('{movements,reservations,requests,hot,order_changes}'::text[]) AS t(name));
	found text;
	creators text;
BEGIN
	SELECT string_agg(DISTINCT pg_get_triggerdef(g.oid), E'\n'),
		   string_agg(DISTINCT CASE a.grantee WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(a.grantee)) END, ', ')
	INTO found, creators
	FROM pg_class AS c
	JOIN pg_trigger AS g ON g.tgrelid = c.oid
	JOIN pg_proc AS p ON p.oid = g.tgfoid
	JOIN aclexplode(c.relacl) AS a ON a.privilege_type = 'TRIGGER' AND a.grantee <> c.relowner
	WHERE c.oid = ANY (tables)
	AND NOT g.tgisinternal AND g.tgparentid = 0 AND g.tgenabled <> 'D'
	AND p.pronamespace <> 'inventory'::regnamespace
	AND (a.grantee = 0 OR NOT pg_has_role(a.grantee, c.relowner, 'USAGE'))
	AND (g.tgqual IS NOT NULL
		 OR EXISTS (SELECT FROM unnest(string_to_array(encode(g.tgargs, 'escape'), $end$\000$end$)) AS argument
					WHERE argument <> '' AND NOT EXISTS (
						SELECT FROM pg_attribute AS t WHERE t.attrelid = c.oid AND t.attname::text = argument)));
	IF found IS NOT NULL THEN
		RAISE WARNING 'triggers of the tables of % can have been created by %', binding.items, creators
			USING DETAIL = found,
				  HINT = format('Each sale runs their conditions and arguments with the rights of %s. Drop those that the shop did not create, and revoke the privilege TRIGGER.',
								(SELECT quote_ident(pg_get_userbyid(relowner)) FROM pg_class WHERE oid = binding.items));
	END IF;
END
$$;
COMMENT ON FUNCTION inventory.warn_given_triggers(inventory.store_binding) IS 'Warns of triggers with a condition or with arguments on tables for which other roles have the privilege TRIGGER.';

CREATE FUNCTION inventory.warn_sold_lines(binding inventory.store_binding) RETURNS void
	LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	has_lines boolean := false;
BEGIN
	IF binding.orders IS NOT NULL AND binding.order_writes <> 'follow' THEN
		EXECUTE format('SELECT EXISTS (SELECT FROM %s)', binding.orders) INTO has_lines;
	END IF;
	IF has_lines THEN
		RAISE WARNING '% has lines already', binding.orders
			USING HINT = format('They count as sold, and refund_order gives their units back: "%s" must not contain these units any more.',
								binding.stock);
	END IF;
END
$$;
COMMENT ON FUNCTION inventory.warn_sold_lines(inventory.store_binding) IS 'Warns if orders has lines that were written before they were bound.';

-- Only of a new ledger: an older one knows its own sales.
CREATE FUNCTION inventory.warn_old_orders(binding inventory.store_binding, movements regclass)
	RETURNS void
	LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	has_movements boolean;
BEGIN
	EXECUTE format('SELECT EXISTS (SELECT FROM %s)', movements) INTO has_movements;
	IF NOT has_movements THEN
		PERFORM inventory.warn_sold_lines(binding);
	END IF;
END
$$;
COMMENT ON FUNCTION inventory.warn_old_orders(inventory.store_binding, regclass) IS 'Warns if orders has lines that were written before the store was attached.';

-- ---------------------------------------------------------------- headers
--
-- Orders and the table of their headers: an order of several lines has one row there, to
-- which the lines refer.

CREATE FUNCTION inventory.resolve_order_header(binding inventory.store_binding,
											   OUT order_header_id name, OUT header_id name)
	LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	keys record;
	elsewhere regclass;
BEGIN
	SELECT array_agg(a.attname ORDER BY a.attnum) AS own, array_agg(f.attname ORDER BY a.attnum) AS referenced
	INTO keys
	FROM pg_constraint AS c
	JOIN pg_attribute AS a ON a.attrelid = c.conrelid AND a.attnum = c.conkey[1]
	JOIN pg_attribute AS f ON f.attrelid = c.confrelid AND f.attnum = c.confkey[1]
	WHERE c.contype = 'f' AND c.conrelid = binding.orders AND c.confrelid = binding.header
	AND cardinality(c.conkey) = 1
	AND a.attname = coalesce(binding.order_header_id, a.attname);
	IF binding.order_header_id IS NULL AND coalesce(cardinality(keys.own), 0) <> 1 THEN
		RAISE EXCEPTION 'cannot tell which column of % refers to %', binding.orders, binding.header
			USING ERRCODE = 'undefined_column',
				  HINT = 'It has not exactly one foreign key to the header. Name the column: order_header_id => ''...''.';
	END IF;
	order_header_id := inventory.resolve_column(binding.orders, 'order_header_id',
		coalesce(binding.order_header_id, keys.own[1]), NULL, inventory.key_types(), NULL);
	SELECT c.confrelid INTO elsewhere FROM pg_constraint AS c
	JOIN pg_attribute AS a ON a.attrelid = c.conrelid AND a.attnum = c.conkey[1]
	WHERE c.contype = 'f' AND c.conrelid = binding.orders AND c.confrelid <> binding.header
	AND cardinality(c.conkey) = 1 AND a.attname = order_header_id;
	IF elsewhere IS NOT NULL THEN
		RAISE EXCEPTION 'column "%" of % references %, not %', order_header_id, binding.orders, elsewhere,
						binding.header
			USING ERRCODE = 'invalid_column_reference',
				  HINT = 'Name the column that holds the key of the header: order_header_id => ''...''.';
	ELSIF order_header_id IN (binding.order_id, binding.order_item_id, binding.order_user_id,
							  binding.order_quantity) THEN
		RAISE EXCEPTION 'column "%" of % cannot be order_header_id: it is bound as something else',
						order_header_id, binding.orders
			USING ERRCODE = 'invalid_column_reference';
	END IF;
	header_id := coalesce(keys.referenced[1], inventory.primary_key(binding.header));
	IF header_id IS NULL OR NOT inventory.is_key(binding.header, header_id) THEN
		RAISE EXCEPTION '% has no key to which "%" of % could refer', binding.header, order_header_id,
						binding.orders
			USING ERRCODE = 'invalid_table_definition',
				  HINT = 'It needs a primary key of one column, or a foreign key must refer to a NOT NULL column with a unique constraint of its own that is not deferrable.';
	END IF;
END
$$;
COMMENT ON FUNCTION inventory.resolve_order_header(inventory.store_binding) IS 'The column of orders that refers to their header: the given one, or the only foreign key to it; and the column of the header to which it refers.';

CREATE FUNCTION inventory.value_keys(object jsonb) RETURNS name[]
	LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
	SELECT coalesce(array_agg(k ORDER BY n), '{}')::name[]
	FROM jsonb_object_keys(coalesce(object, '{}')) WITH ORDINALITY AS u(k, n)
$$;
COMMENT ON FUNCTION inventory.value_keys(jsonb) IS 'The columns that order_values or header_values have expressions for.';

-- "object" is order_values or header_values, "settable" what callers may set of the table.
CREATE FUNCTION inventory.check_values(relation regclass, object jsonb, argument text, bound name[],
									   settable name[]) RETURNS void
	LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	twice name;
BEGIN
	IF object IS NULL THEN
		RETURN;
	ELSIF jsonb_typeof(object) <> 'object' THEN
		RAISE EXCEPTION '% must be a JSON object', argument
			USING ERRCODE = 'invalid_parameter_value',
				  HINT = 'Of columns and expressions: {"unit_price": "price"}.';
	ELSIF EXISTS (SELECT FROM jsonb_each(object) AS e WHERE jsonb_typeof(e.value) <> 'string') THEN
		RAISE EXCEPTION 'the values of % must be SQL expressions in strings', argument
			USING ERRCODE = 'invalid_parameter_value',
				  HINT = 'Of columns and expressions: {"unit_price": "price", "status": "''pending''"}.';
	ELSIF octet_length(object::text) > 50000 THEN
		RAISE EXCEPTION '% may have at most 50000 bytes', argument
			USING ERRCODE = 'program_limit_exceeded', HINT = 'Write the function yourself: order_prepare => ''...''.';
	ELSIF cardinality(inventory.value_keys(object)) > 50 THEN
		RAISE EXCEPTION '% may name at most 50 columns', argument
			USING ERRCODE = 'program_limit_exceeded', HINT = 'Write the function yourself: order_prepare => ''...''.';
	END IF;
	PERFORM inventory.check_settable(relation, inventory.value_keys(object), argument, bound, NULL);
	SELECT k INTO twice FROM unnest(inventory.value_keys(object)) AS k WHERE k = ANY (settable) LIMIT 1;
	IF twice IS NOT NULL THEN
		RAISE EXCEPTION 'column "%" of % is in %, and callers may set it', twice, relation, argument
			USING ERRCODE = 'invalid_column_reference',
				  HINT = 'A column is either computed or set by callers.';
	END IF;
END
$$;
COMMENT ON FUNCTION inventory.check_values(regclass, jsonb, text, name[], name[]) IS 'Raises an error if order_values or header_values are not expressions for columns that neither the engine nor callers set.';

CREATE FUNCTION inventory.bind_header(INOUT binding inventory.store_binding)
	LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	header regclass := binding.header;
	line_type regtype;
	user_type regtype;
BEGIN
	SELECT r.order_header_id, r.header_id INTO binding.order_header_id, binding.header_id
	FROM inventory.resolve_order_header(binding) AS r;
	binding.header_id := inventory.resolve_column(header, 'the key of the header', binding.header_id, NULL,
												  inventory.key_types(), NULL);
	binding.header_type := inventory.column_type(header, binding.header_id);
	line_type := inventory.column_type(binding.orders, binding.order_header_id);
	IF line_type <> binding.header_type THEN
		RAISE EXCEPTION 'column "%" of % is %, but the key of % is %', binding.order_header_id,
						binding.orders, line_type, header, binding.header_type
			USING ERRCODE = 'datatype_mismatch',
				  HINT = coalesce(inventory.retype_statement(binding.orders,
					  inventory.column_of(binding.orders, binding.order_header_id), binding.header_type),
					  'Give both columns one type.');
	END IF;
	binding.header_user_id := inventory.resolve_column(header, 'header_user_id', binding.header_user_id,
		'user_id', inventory.key_types(), NULL);
	user_type := inventory.column_type(header, binding.header_user_id);
	IF user_type <> inventory.column_type(binding.orders, binding.order_user_id) THEN
		RAISE EXCEPTION 'column "%" of % is %, but the user of % is %', binding.header_user_id, header,
						user_type, binding.orders, inventory.column_type(binding.orders, binding.order_user_id)
			USING ERRCODE = 'datatype_mismatch', HINT = 'Users have one type in a store.';
	END IF;
	PERFORM inventory.check_settable(header, binding.header_columns, 'header_columns',
									 ARRAY[binding.header_user_id], NULL);
	PERFORM inventory.check_values(header, binding.header_values, 'header_values',
								   ARRAY[binding.header_user_id], binding.header_columns);
	-- what a function of the shop returns is not known
	IF binding.order_prepare IS NULL THEN
		PERFORM inventory.check_required_columns(header, binding.header_id, ARRAY[binding.header_user_id],
			binding.header_columns || inventory.value_keys(binding.header_values), 'header_columns',
			binding.order_writes);
	END IF;
END
$$;
COMMENT ON FUNCTION inventory.bind_header(inventory.store_binding) IS 'Finds and checks the columns of the table of headers, and the column of orders that refers to it.';

-- The user of a line that has none is that of its header.
CREATE FUNCTION inventory.user_column(binding inventory.store_binding) RETURNS pg_attribute
	LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
	SELECT CASE WHEN binding.order_user_id IS NOT NULL
		   THEN inventory.column_of(binding.orders, binding.order_user_id)
		   ELSE inventory.column_of(binding.header, binding.header_user_id) END
$$;
COMMENT ON FUNCTION inventory.user_column(inventory.store_binding) IS 'The column that has the user of an order: of the line, or else of its header; null if neither has one.';

CREATE FUNCTION inventory.bind_user_type(INOUT binding inventory.store_binding, user_id_type regtype)
	LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	attribute pg_attribute := inventory.user_column(binding);
BEGIN
	-- an attached store keeps what no column says
	binding.user_type := inventory.base_type(coalesce(attribute.atttypid::regtype, user_id_type,
		(SELECT inventory.column_type(s.movements, 'user_id') FROM inventory.store AS s WHERE s.items = binding.items),
		'text'));
	IF attribute.attname IS NOT NULL AND inventory.base_type(user_id_type) <> binding.user_type THEN
		RAISE EXCEPTION 'user_id_type cannot be %: column "%" of % is %', user_id_type,
						attribute.attname, attribute.attrelid::regclass, binding.user_type
			USING ERRCODE = 'datatype_mismatch', HINT = 'Omit user_id_type.';
	ELSIF (binding.user_type = ANY (inventory.key_types())) IS NOT TRUE THEN
		RAISE EXCEPTION 'user_id_type cannot be %', user_id_type
			USING ERRCODE = 'datatype_mismatch',
				  HINT = format('user_id_type can be: %s.', array_to_string(inventory.key_types(), ', '));
	END IF;
END
$$;
COMMENT ON FUNCTION inventory.bind_user_type(inventory.store_binding, regtype) IS 'Determines the type of user ids: that of a bound column, or the given one.';

CREATE FUNCTION inventory.bind_orders(INOUT binding inventory.store_binding, user_id_type regtype)
	LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	binding.order_columns := coalesce(binding.order_columns, '{}');
	binding.header_columns := coalesce(binding.header_columns, '{}');
	IF binding.orders IS NOT NULL THEN
		binding := inventory.bind_order_columns(binding);
	ELSIF num_nonnulls(binding.order_id, binding.order_user_id, binding.order_item_id,
					   binding.order_quantity, binding.order_writes, binding.order_units,
					   binding.order_final, binding.header, binding.order_values,
					   binding.order_prepare) > 0
		  OR binding.order_columns <> '{}' THEN
		RAISE EXCEPTION 'columns or options of orders were given, but no orders table'
			USING ERRCODE = 'invalid_parameter_value', HINT = 'Name the table: orders => ''...''.';
	END IF;
	IF binding.order_prepare IS NOT NULL AND num_nonnulls(binding.order_values, binding.header_values) > 0 THEN
		RAISE EXCEPTION 'order_prepare cannot be given with order_values or header_values'
			USING ERRCODE = 'invalid_parameter_value',
				  HINT = 'The function computes all values itself.';
	END IF;
	IF binding.header IS NOT NULL THEN
		binding := inventory.bind_header(binding);
	ELSIF num_nonnulls(binding.order_header_id, binding.header_user_id, binding.header_values) > 0
		  OR binding.header_columns <> '{}' THEN
		RAISE EXCEPTION 'columns of a header were given, but no table of headers'
			USING ERRCODE = 'invalid_parameter_value', HINT = 'Name the table: order_header => ''...''.';
	END IF;
	IF binding.orders IS NOT NULL THEN
		PERFORM inventory.check_settable(binding.orders, binding.order_columns, 'order_columns',
			ARRAY[binding.order_item_id, binding.order_user_id, binding.order_quantity],
			'{item_id,quantity}'::name[] || CASE WHEN binding.header IS NOT NULL THEN 'header'::name END);
		PERFORM inventory.check_values(binding.orders, binding.order_values, 'order_values',
			ARRAY[binding.order_item_id, binding.order_user_id, binding.order_quantity, binding.order_header_id],
			binding.order_columns);
		IF binding.order_prepare IS NULL THEN
			PERFORM inventory.check_required_columns(binding.orders, binding.order_id,
				ARRAY[binding.order_item_id, binding.order_user_id, binding.order_quantity, binding.order_header_id],
				binding.order_columns || inventory.value_keys(binding.order_values), 'order_columns',
				binding.order_writes);
		END IF;
	END IF;
	binding.order_value_columns := inventory.value_keys(binding.order_values);
	binding.header_value_columns := inventory.value_keys(binding.header_values);
	binding.order_type := coalesce(binding.order_type, 'text');
	binding.header_type := coalesce(binding.header_type, 'text');
	binding.order_writes := coalesce(binding.order_writes, 'record');
	binding := inventory.bind_user_type(binding, user_id_type);
END
$$;
COMMENT ON FUNCTION inventory.bind_orders(inventory.store_binding, regtype) IS 'Finds and checks the columns of orders and of their header, if there are such tables, and the type of user ids.';

-- ---------------------------------------------------------------- ledger
--
-- The tables and triggers that attach makes for a store.  They belong to the shop and
-- are not members of the extension.

CREATE FUNCTION inventory.ledger_comment(store_name text) RETURNS text
	LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
	SELECT 'Ledger of store ' || store_name || ': one row for every change of stock, in units. Append-only.'
$$;
COMMENT ON FUNCTION inventory.ledger_comment(text) IS 'The comment on the movements of a store. attach recognizes an existing ledger of the store by it.';

-- Not by to_regclass, which requires USAGE on a schema that another role may own.
CREATE FUNCTION inventory.find_ledger(binding inventory.store_binding, schema_name name)
	RETURNS regclass
	LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
	SELECT c.oid::regclass FROM pg_class AS c
	WHERE c.relnamespace = to_regnamespace(quote_ident(schema_name)) AND c.relname = 'movements'
	AND c.relowner = binding.owner
	AND obj_description(c.oid, 'pg_class') = inventory.ledger_comment(binding.store_name)
$$;
COMMENT ON FUNCTION inventory.find_ledger(inventory.store_binding, name) IS 'The movements that an earlier store of the same name and owner left in a schema, or null.';

CREATE FUNCTION inventory.own_ledger(binding inventory.store_binding) RETURNS regclass
	LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
	SELECT c.oid::regclass FROM pg_class AS c
	WHERE c.relname = 'movements' AND c.relowner = binding.owner
	AND inventory.ledger_mark(c.oid::regclass) = inventory.table_mark(binding.items)
	AND NOT EXISTS (SELECT FROM inventory.store AS s WHERE s.movements::oid = c.oid)
	ORDER BY obj_description(c.oid, 'pg_class') = inventory.ledger_comment(binding.store_name) DESC NULLS LAST,
			 c.oid DESC
	LIMIT 1
$$;
COMMENT ON FUNCTION inventory.own_ledger(inventory.store_binding) IS 'The movements that are marked as those of the items of a binding, rather those of a store of its name, or null.';

CREATE FUNCTION inventory.bind_ledger_schema(INOUT binding inventory.store_binding)
	LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	table_name name;
	candidate name;
BEGIN
	binding.ledger_schema := coalesce(binding.ledger_schema,
		inventory.schema_of(inventory.own_ledger(binding)));
	IF binding.ledger_schema IS NOT NULL THEN
		RETURN;
	END IF;
	table_name := (SELECT c.relname FROM pg_class AS c WHERE c.oid = binding.items);
	FOREACH candidate IN ARRAY ARRAY[
		inventory.clip(table_name, 57) || '_stock',
		inventory.clip(inventory.schema_of(binding.items) || '_' || table_name, 57) || '_stock',
		inventory.clip(table_name, 48) || '_' || left(md5(binding.store_name), 8) || '_stock',
		-- any role that may create schemas could have taken the others
		inventory.clip(table_name, 40) || '_' || left(md5(gen_random_uuid()::text), 16) || '_stock']
	LOOP
		IF to_regnamespace(quote_ident(candidate)) IS NULL
		   OR inventory.find_ledger(binding, candidate) IS NOT NULL THEN
			binding.ledger_schema := candidate;
			RETURN;
		END IF;
	END LOOP;
	RAISE EXCEPTION 'schema "%" already exists', candidate
		USING ERRCODE = 'duplicate_schema', HINT = 'Choose another schema: ledger_schema => ''...''.';
END
$$;
COMMENT ON FUNCTION inventory.bind_ledger_schema(inventory.store_binding) IS 'Chooses the schema for the ledger of a store: the given one, or that of a ledger of the same table, or <items>_stock, or <schema>_<items>_stock if the first is in use, or one with a digest or random digits.';

CREATE FUNCTION inventory.collate_clause(collation_id oid, type regtype) RETURNS text
	LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
	SELECT coalesce((
		SELECT format(' COLLATE %I.%I', n.nspname, c.collname)
		FROM pg_collation AS c JOIN pg_namespace AS n ON n.oid = c.collnamespace
		JOIN pg_type AS t ON t.oid = type
		WHERE c.oid = collation_id AND c.oid <> t.typcollation), '')
$$;
COMMENT ON FUNCTION inventory.collate_clause(oid, regtype) IS 'The COLLATE clause of a column, or an empty text if its type has that collation.';

-- No CHECK on kind: the server parses constraints again for every statement, which takes
-- a tenth of a purchase.
CREATE FUNCTION inventory.ledger_columns(binding inventory.store_binding, OUT table_name name,
										 OUT column_name name, OUT type regtype,
										 OUT definition text, OUT collation_id oid)
	RETURNS SETOF record
	LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
	-- ids are compared as the columns of the shop are that they come from
	SELECT c.table_name, c.column_name, c.type, c.definition, coalesce(
			   CASE c.column_name
			   WHEN 'item_id' THEN (inventory.column_of(binding.items, binding.item_id)).attcollation
			   WHEN 'user_id' THEN (inventory.user_column(binding)).attcollation
			   WHEN 'order_id' THEN (inventory.column_of(binding.orders, binding.order_id)).attcollation
			   WHEN 'item_before' THEN (inventory.column_of(binding.orders, binding.order_item_id)).attcollation
			   WHEN 'item_after' THEN (inventory.column_of(binding.orders, binding.order_item_id)).attcollation
			   WHEN 'user_before' THEN (inventory.column_of(binding.orders, binding.order_user_id)).attcollation
			   WHEN 'user_after' THEN (inventory.column_of(binding.orders, binding.order_user_id)).attcollation END,
			   (SELECT t.typcollation FROM pg_type AS t WHERE t.oid = c.type))
	FROM (VALUES
	('movements'::name, 'movement_id'::name, 'bigint'::regtype, 'GENERATED ALWAYS AS IDENTITY PRIMARY KEY'),
	('movements', 'item_id', binding.item_type, 'NOT NULL'),
	('movements', 'delta', 'bigint', 'NOT NULL'),
	('movements', 'kind', 'text', 'NOT NULL'),
	('movements', 'user_id', binding.user_type, NULL),
	('movements', 'order_id', binding.order_type, NULL),
	('movements', 'reservation_id', 'uuid', NULL),
	('movements', 'reason', 'text', NULL),
	('movements', 'actor', 'text', 'NOT NULL'),
	('movements', 'created_at', 'timestamptz', 'NOT NULL'),
	('movements', 'epoch', 'bigint', NULL),
	('requests', 'operation', 'text', 'NOT NULL'),
	('requests', 'user_id', binding.user_type, NULL),
	('requests', 'key', 'text', 'NOT NULL'),
	('requests', 'fingerprint', 'bytea', 'NOT NULL'),
	('requests', 'result', 'jsonb', 'NOT NULL'),
	('requests', 'created_at', 'timestamptz', 'NOT NULL'),
	('requests', NULL, NULL, 'UNIQUE NULLS NOT DISTINCT (key, operation, user_id)'),
	('reservations', 'reservation_id', 'uuid', 'NOT NULL'),
	('reservations', 'item_id', binding.item_type, 'NOT NULL'),
	('reservations', 'quantity', 'bigint', 'NOT NULL CHECK (quantity > 0)'),
	('reservations', 'user_id', binding.user_type, NULL),
	('reservations', 'status', 'text', $c$NOT NULL CHECK (status IN ('held', 'confirmed', 'released', 'expired'))$c$),
	('reservations', 'expires_at', 'timestamptz', 'NOT NULL'),
	('reservations', 'order_id', binding.order_type, NULL),
	('reservations', 'created_at', 'timestamptz', 'NOT NULL'),
	('reservations', 'tracked', 'boolean', 'NOT NULL'),
	('reservations', NULL, NULL, 'PRIMARY KEY (reservation_id, item_id)'),
	('hot', 'item_id', binding.item_type, 'PRIMARY KEY'),
	('hot', 'number', 'bigint', 'GENERATED ALWAYS AS IDENTITY UNIQUE'),
	('hot', 'hot', 'boolean', 'NOT NULL'),
	('hot', 'settled_epoch', 'bigint', 'NOT NULL'),
	('hot', 'incarnation', 'bigint', 'NOT NULL'),
	('hot', 'keep_cold', 'boolean', 'NOT NULL DEFAULT false'),
	('order_changes', 'change_id', 'bigint', 'GENERATED ALWAYS AS IDENTITY PRIMARY KEY'),
	('order_changes', 'order_id', binding.order_type, 'NOT NULL'),
	('order_changes', 'operation', 'text', 'NOT NULL'),
	-- as orders have it, which can be a wider type than the key of items
	('order_changes', 'item_before', inventory.column_type(binding.orders, binding.order_item_id), NULL),
	('order_changes', 'item_after', inventory.column_type(binding.orders, binding.order_item_id), NULL),
	('order_changes', 'quantity_before', 'bigint', NULL),
	('order_changes', 'quantity_after', 'bigint', NULL),
	('order_changes', 'user_before', binding.user_type, NULL),
	('order_changes', 'user_after', binding.user_type, NULL),
	('order_changes', 'actor', 'text', 'NOT NULL'),
	('order_changes', 'created_at', 'timestamptz', 'NOT NULL'))
	AS c(table_name, column_name, type, definition)
$$;
COMMENT ON FUNCTION inventory.ledger_columns(inventory.store_binding) IS 'The columns of the tables of a ledger, in order, with their constraints and collations; a constraint on several columns has a row without column_name.';

CREATE FUNCTION inventory.check_ledger_owner(binding inventory.store_binding, ledger regclass)
	RETURNS void
	LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	IF inventory.owner_of(ledger) <> binding.owner THEN
		RAISE EXCEPTION 'ledger % and its items have different owners', ledger
			USING ERRCODE = 'insufficient_privilege',
				  HINT = format('ALTER TABLE %s OWNER TO %I;', ledger, pg_get_userbyid(binding.owner));
	END IF;
END
$$;
COMMENT ON FUNCTION inventory.check_ledger_owner(inventory.store_binding, regclass) IS 'Raises an error if a table of a ledger does not belong to the owner of the items.';

CREATE FUNCTION inventory.check_ledger(binding inventory.store_binding, ledger regclass)
	RETURNS void
	LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	wrong record;
BEGIN
	IF EXISTS (SELECT FROM inventory.store AS s WHERE s.movements = ledger) THEN
		RAISE EXCEPTION 'schema "%" contains the ledger of another store', binding.ledger_schema
			USING ERRCODE = 'duplicate_table',
				  HINT = 'Choose another schema: ledger_schema => ''...''.';
	END IF;
	FOR wrong IN
		SELECT e.column_name, e.type || inventory.collate_clause(e.collation_id, e.type) AS type,
			   format_type(a.atttypid, a.atttypmod)
				   || inventory.collate_clause(a.attcollation, a.atttypid) AS actual
		FROM inventory.ledger_columns(binding) AS e
		JOIN pg_class AS c ON c.oid = ledger AND c.relname = e.table_name
		LEFT JOIN pg_attribute AS a ON a.attrelid = ledger AND a.attname = e.column_name
		WHERE e.column_name IS NOT NULL
		AND (a.atttypid, a.attcollation) IS DISTINCT FROM (e.type::oid, e.collation_id)
		-- complete_ledger adds it
		AND NOT (a.attname IS NULL AND coalesce(e.definition, '') LIKE '%DEFAULT%')
	LOOP
		IF wrong.actual IS NULL THEN
			RAISE EXCEPTION '% is not the ledger of a store: it has no column "%"', ledger,
							wrong.column_name
				USING ERRCODE = 'duplicate_table',
					  HINT = 'Choose another schema: ledger_schema => ''...''.';
		END IF;
		RAISE EXCEPTION 'ledger % does not fit: column "%" is %, but the store needs %', ledger,
						wrong.column_name, wrong.actual, wrong.type
			USING ERRCODE = 'datatype_mismatch',
				  HINT = format('Choose another schema (ledger_schema => ''...''), or: ALTER TABLE %1$s ALTER COLUMN %2$I TYPE %3$s USING %2$I::text::%3$s;',
								ledger, wrong.column_name, wrong.type);
	END LOOP;
	PERFORM inventory.check_ledger_owner(binding, ledger);
	PERFORM inventory.check_engine(ledger);
END
$$;
COMMENT ON FUNCTION inventory.check_ledger(inventory.store_binding, regclass) IS 'Raises an error if an existing table of a ledger does not fit a store.';

-- The ledger of an earlier version can lack columns.  Those that were added have a default.
CREATE FUNCTION inventory.complete_ledger(binding inventory.store_binding) RETURNS void
	LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	missing record;
BEGIN
	FOR missing IN
		SELECT c.oid::regclass AS ledger, e.column_name, e.type, e.definition
		FROM inventory.ledger_columns(binding) AS e
		JOIN pg_class AS c ON c.relnamespace = to_regnamespace(quote_ident(binding.ledger_schema)) AND c.relname = e.table_name
		WHERE e.definition LIKE '%DEFAULT%'
		AND NOT inventory.has_column(binding.ledger_schema, e.table_name, e.column_name)
	LOOP
		EXECUTE format('ALTER TABLE %s ADD COLUMN %I %s %s', missing.ledger, missing.column_name, missing.type, missing.definition);
	END LOOP;
END
$$;
COMMENT ON FUNCTION inventory.complete_ledger(inventory.store_binding) IS 'Adds the columns that a later version has given to the tables of a ledger. Part of refresh and attach.';

-- Tables and views have a type of the same name.
CREATE FUNCTION inventory.check_ledger_names(binding inventory.store_binding) RETURNS void
	LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	taken name;
BEGIN
	SELECT t.typname INTO taken FROM pg_type AS t
	WHERE t.typnamespace = to_regnamespace(quote_ident(binding.ledger_schema))
	AND (t.typname IN ('levels', 'open_reservations', 'line', 'hold', 'held_line', 'open_hold', 'item_level', 'refunded_order')
		 OR t.typname = 'sellable' AND binding.sellable IS NOT NULL
		 OR t.typname = 'order_worth' AND binding.has_order_units)
	ORDER BY t.typname LIMIT 1;
	IF taken IS NOT NULL THEN
		RAISE EXCEPTION 'schema "%" already contains "%"', binding.ledger_schema, taken
			USING ERRCODE = 'duplicate_object',
				  HINT = 'Choose another schema: ledger_schema => ''...''.';
	END IF;
END
$$;
COMMENT ON FUNCTION inventory.check_ledger_names(inventory.store_binding) IS 'Raises an error if the ledger schema has an object of the shop with the name of a view or type of the store.';

CREATE FUNCTION inventory.make_ledger_table(binding inventory.store_binding, table_name name,
											description text) RETURNS boolean
	LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	qualified text := format('%I.%I', binding.ledger_schema, table_name);
	is_new boolean := to_regclass(qualified) IS NULL;
	sequence text;
BEGIN
	IF NOT is_new THEN
		PERFORM inventory.check_ledger(binding, qualified::regclass);
	ELSIF to_regtype(qualified) IS NOT NULL THEN
		-- a table has a type of its name
		RAISE EXCEPTION 'schema "%" already contains "%"', binding.ledger_schema, table_name
			USING ERRCODE = 'duplicate_object',
				  HINT = 'Choose another schema: ledger_schema => ''...''.';
	ELSE
		-- whatever default_table_access_method is
		EXECUTE format('CREATE TABLE %s (%s) USING heap', qualified, (
			SELECT string_agg(concat_ws(' ', quote_ident(c.column_name),
										c.type || inventory.collate_clause(c.collation_id, c.type),
										c.definition), ', ' ORDER BY c.n)
			FROM inventory.ledger_columns(binding) WITH ORDINALITY
				 AS c(table_name, column_name, type, definition, collation_id, n)
			WHERE c.table_name = make_ledger_table.table_name));
		PERFORM inventory.restrict_to_owner('TABLE', qualified, binding.owner);
		FOR sequence IN
			SELECT pg_get_serial_sequence(qualified, a.attname) FROM pg_attribute AS a
			WHERE a.attrelid = qualified::regclass AND a.attidentity <> ''
		LOOP
			PERFORM inventory.restrict_to_owner('SEQUENCE', sequence, binding.owner);
		END LOOP;
	END IF;
	-- an existing ledger may be that of a store of another name
	EXECUTE format('COMMENT ON TABLE %s IS %L', qualified, description);
	RETURN is_new;
END
$$;
COMMENT ON FUNCTION inventory.make_ledger_table(inventory.store_binding, name, text) IS 'Creates a table of a ledger for the owner of the items alone, and returns true; a table that exists must fit.';

CREATE FUNCTION inventory.make_ledger_index(binding inventory.store_binding, index_name name, definition text)
	RETURNS void
	LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	-- not IF NOT EXISTS, which raises a NOTICE
	IF to_regclass(format('%I.%I', binding.ledger_schema, index_name)) IS NULL THEN
		EXECUTE format('CREATE INDEX %I ON %I.movements %s', index_name, binding.ledger_schema, definition);
	END IF;
END
$$;
COMMENT ON FUNCTION inventory.make_ledger_index(inventory.store_binding, name, text) IS 'Creates an index on the movements of a store unless it exists.';

CREATE FUNCTION inventory.make_ledger_indexes(binding inventory.store_binding) RETURNS void
	LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	refunds regclass := to_regclass(format('%I.movements_refunds_idx', binding.ledger_schema));
BEGIN
	-- what came back of an order; the index of an earlier version has fewer kinds
	IF pg_get_indexdef(refunds) NOT LIKE '%cancellation%' THEN
		EXECUTE format('DROP INDEX %s', refunds);
	END IF;
	PERFORM inventory.make_ledger_index(binding, 'movements_refunds_idx',
		$sql$(order_id) WHERE kind IN ('refund', 'cancellation', 'write_off')$sql$);
	-- the movements of a hot item that its stock column does not contain yet
	PERFORM inventory.make_ledger_index(binding, 'movements_epochs_idx', '(item_id, epoch) WHERE epoch IS NOT NULL');
	-- sums per user are needed only where purchases are limited
	IF binding.purchase_limit IS NOT NULL THEN
		PERFORM inventory.make_ledger_index(binding, 'movements_users_idx', '(item_id, user_id) WHERE user_id IS NOT NULL');
	END IF;
	-- what order lines are worth is compared with all that is booked of them
	IF binding.order_writes = 'follow' THEN
		PERFORM inventory.make_ledger_index(binding, 'movements_orders_idx', '(order_id) WHERE order_id IS NOT NULL');
	END IF;
	-- a refund looks up the sale where no order row has the item, or the user
	IF binding.orders IS NULL OR (binding.purchase_limit IS NOT NULL AND binding.order_user_id IS NULL) THEN
		PERFORM inventory.make_ledger_index(binding, 'movements_sales_idx',
			$sql$(order_id) WHERE kind IN ('sale', 'cancellation')$sql$);
	END IF;
END
$$;
COMMENT ON FUNCTION inventory.make_ledger_indexes(inventory.store_binding) IS 'Creates the indexes on the movements of a store that do not exist.';

-- A ledger can have hot items that no counter knows: it was restored from another server,
-- or the extension was dropped by force.
CREATE FUNCTION inventory.demote_hot_items(binding inventory.store_binding) RETURNS void
	LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	EXECUTE format($sql$
		UPDATE ONLY %1$s AS i SET %3$I = i.%3$I + u.total
		FROM (SELECT m.item_id, sum(m.delta) AS total
			  FROM %2$I.hot AS h
			  JOIN %2$I.movements AS m ON m.item_id = h.item_id AND m.epoch > h.settled_epoch
			  WHERE h.hot GROUP BY m.item_id) AS u
		WHERE i.%4$I = u.item_id AND u.total <> 0$sql$,
		binding.items, binding.ledger_schema, binding.stock, binding.item_id);
	EXECUTE format($sql$
		UPDATE %1$I.hot AS h SET hot = false, settled_epoch = greatest(h.settled_epoch,
			(SELECT max(m.epoch) FROM %1$I.movements AS m WHERE m.item_id = h.item_id))
		WHERE h.hot$sql$, binding.ledger_schema);
END
$$;
COMMENT ON FUNCTION inventory.demote_hot_items(inventory.store_binding) IS 'Makes the hot items of an existing ledger cold: adds their unsettled movements to their stock column.';

-- Without an index on the path of a sale: what was sold on a line is its quantity without
-- what these changes added.
CREATE FUNCTION inventory.make_order_changes(binding inventory.store_binding) RETURNS void
	LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	IF binding.orders IS NOT NULL AND inventory.make_ledger_table(binding, 'order_changes',
		'Changes of order lines that the engine did not make, in whole units. Append-only. What was sold on a line is its quantity without what these changes added.')
	THEN
		EXECUTE format('CREATE INDEX ON %I.order_changes (order_id)', binding.ledger_schema);
	END IF;
END
$$;
COMMENT ON FUNCTION inventory.make_order_changes(inventory.store_binding) IS 'Creates the table of the changes of order lines, in the ledger of a store with orders, unless it exists.';

CREATE FUNCTION inventory.has_column(schema_name name, table_name name, column_name name) RETURNS boolean
	LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
	SELECT EXISTS (SELECT FROM pg_class AS c JOIN pg_attribute AS a ON a.attrelid = c.oid
				   WHERE c.relnamespace = to_regnamespace(quote_ident(schema_name)) AND c.relname = table_name
				   AND a.attname = column_name AND NOT a.attisdropped)
$$;
COMMENT ON FUNCTION inventory.has_column(name, name, name) IS 'True if a table has a column of this name.';

CREATE FUNCTION inventory.rename_keys(object jsonb, away text, back text) RETURNS jsonb
	LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
	SELECT CASE WHEN jsonb_typeof(object) = 'array'
		   THEN (SELECT coalesce(jsonb_agg(inventory.rename_keys(e.value, away, back) ORDER BY e.n), '[]')
				 FROM jsonb_array_elements(object) WITH ORDINALITY AS e(value, n))
		   WHEN jsonb_typeof(object) = 'object'
		   THEN object - 'order_id' - back
			   || CASE WHEN object ? 'order_id' THEN jsonb_build_object(away, object -> 'order_id') ELSE '{}' END
			   || CASE WHEN object ? back THEN jsonb_build_object('order_id', object -> back) ELSE '{}' END
		   ELSE object END
$$;
COMMENT ON FUNCTION inventory.rename_keys(jsonb, text, text) IS 'A kept answer whose key "order_id" is renamed to "away", and its key "back" to "order_id".';

CREATE FUNCTION inventory.fit_kept_answers(binding inventory.store_binding, away text, back text) RETURNS void
	LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	-- the answer of buy_item can be the id alone
	EXECUTE format('UPDATE %I.requests AS q SET result = inventory.rename_keys(
						CASE WHEN q.operation = ''buy_item'' AND jsonb_typeof(q.result) <> ''object''
						THEN jsonb_build_object(''order_id'', q.result) ELSE q.result END, $1, $2)
					WHERE q.operation = ''buy_item'' OR jsonb_typeof(q.result) IN (''object'', ''array'')',
				   binding.ledger_schema)
	USING away, coalesce(back, '');
END
$$;
COMMENT ON FUNCTION inventory.fit_kept_answers(inventory.store_binding, text, text) IS 'Moves the order ids in the answers that a ledger keeps for idempotency keys, as fit_order_ids does those of its tables.';

-- Changes of lines whose keys have another type stay in a table of their own.
CREATE FUNCTION inventory.fit_order_changes(binding inventory.store_binding) RETURNS void
	LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	t record;
BEGIN
	FOR t IN
		SELECT c.relname, inventory.base_type(a.atttypid) = binding.order_type AS fits
		FROM pg_class AS c JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attname = 'order_id'
		WHERE binding.orders IS NOT NULL AND c.relnamespace = to_regnamespace(quote_ident(binding.ledger_schema))
		AND c.relkind = 'r' AND c.relname ~ '^order_changes(_[0-9]+)?$'
		-- the one that does not fit goes before the one that does takes its place
		AND (inventory.base_type(a.atttypid) = binding.order_type) = (c.relname <> 'order_changes')
		ORDER BY c.relname
	LOOP
		EXECUTE format('ALTER TABLE %I.%I RENAME TO %I', binding.ledger_schema, t.relname, CASE WHEN t.fits THEN 'order_changes'
			ELSE (SELECT 'order_changes_' || n FROM generate_series(1, 1600) AS n
				  WHERE to_regclass(format('%I.%I', binding.ledger_schema, 'order_changes_' || n)) IS NULL
				  ORDER BY n LIMIT 1) END);
	END LOOP;
END
$$;
COMMENT ON FUNCTION inventory.fit_order_changes(inventory.store_binding) IS 'Makes the changes of order lines in a ledger those of lines with keys of the type of a binding.';

-- Without orders an order id is a text of the application's, which need not be the key of any
-- order.  Where orders are bound later, it stays in a column of its own, and so do the keys where
-- they are bound no longer: nothing is cast.
CREATE FUNCTION inventory.fit_order_ids(binding inventory.store_binding) RETURNS void
	LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	schema_name name := binding.ledger_schema;
	kept name[] := ARRAY(SELECT a.attname FROM pg_class AS c JOIN pg_attribute AS a ON a.attrelid = c.oid
						 WHERE c.relnamespace = to_regnamespace(quote_ident(schema_name)) AND c.relname = 'movements'
						 AND a.attname ~ '^order_(reference|key_[0-9]+)$' AND NOT a.attisdropped
						 -- those that can be the ids of this binding
						 AND (a.attname = 'order_reference') = (binding.orders IS NULL)
						 AND inventory.base_type(a.atttypid) = binding.order_type);
	has_keys boolean := inventory.has_column(schema_name, 'movements', 'order_reference')
		OR inventory.has_column(schema_name, 'order_changes', 'order_id')
		   AND NOT inventory.has_column(schema_name, 'movements', 'order_key_1');
	away name := CASE WHEN binding.orders IS NOT NULL THEN 'order_reference' ELSE (
		SELECT 'order_key_' || n FROM generate_series(1, 1600) AS n
		WHERE NOT inventory.has_column(schema_name, 'movements', ('order_key_' || n)::name) ORDER BY n LIMIT 1) END;
	back name := kept[1];
	t record;
BEGIN
	IF NOT inventory.has_column(schema_name, 'movements', 'order_id') OR has_keys = (binding.orders IS NOT NULL) THEN
		RETURN;
	END IF;
	FOR t IN SELECT * FROM inventory.ledger_columns(binding) AS c
			 WHERE c.column_name = 'order_id' AND c.table_name IN ('movements', 'reservations')
			 AND inventory.has_column(schema_name, c.table_name, 'order_id')
	LOOP
		EXECUTE format('ALTER TABLE %I.%I RENAME COLUMN order_id TO %I', schema_name, t.table_name, away);
		EXECUTE format(CASE WHEN inventory.has_column(schema_name, t.table_name, back)
					   THEN 'ALTER TABLE %I.%I RENAME COLUMN %I TO order_id'
					   ELSE 'ALTER TABLE %I.%I ADD COLUMN order_id %4$s' END, schema_name, t.table_name, back,
					   t.type || inventory.collate_clause(t.collation_id, t.type));
	END LOOP;
	-- the index that tells that orders were followed goes with their keys
	EXECUTE (SELECT coalesce(string_agg(format('ALTER INDEX %I.%I RENAME TO %I', schema_name, i.name, i.new_name), '; ' ORDER BY i.n), '')
			 FROM (VALUES (1, 'movements_orders_idx', 'movements_' || away || '_idx'),
						  (2, 'movements_' || back || '_idx', 'movements_orders_idx')) AS i(n, name, new_name)
			 WHERE to_regclass(quote_ident(schema_name) || '.' || quote_ident(i.name)) IS NOT NULL);
	-- of the column that was renamed
	EXECUTE (SELECT coalesce(string_agg(format('DROP INDEX %s', c.oid::regclass), '; '), '')
			 FROM pg_class AS c WHERE c.relnamespace = to_regnamespace(quote_ident(schema_name))
			 AND c.relname IN ('movements_refunds_idx', 'movements_sales_idx') AND c.relkind = 'i');
	IF inventory.has_column(schema_name, 'requests', 'result') THEN
		PERFORM inventory.fit_kept_answers(binding, away, back);
	END IF;
	PERFORM inventory.fit_order_changes(binding);
END
$$;
COMMENT ON FUNCTION inventory.fit_order_ids(inventory.store_binding) IS 'Makes the order ids of a ledger those of a store with orders, or without.';

CREATE FUNCTION inventory.make_ledger(binding inventory.store_binding) RETURNS regclass
	LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	movements regclass;
BEGIN
	PERFORM inventory.make_schema(binding.ledger_schema, binding.owner);
	PERFORM inventory.fit_order_ids(binding);
	PERFORM inventory.make_ledger_table(binding, 'movements', inventory.ledger_comment(binding.store_name));
	movements := format('%I.movements', binding.ledger_schema)::regclass;
	PERFORM inventory.check_ledger_names(binding);
	PERFORM inventory.make_ledger_indexes(binding);
	IF inventory.make_ledger_table(binding, 'requests',
		'Idempotency keys: the answer to each call that passed one, and a digest of its arguments.')
	THEN
		-- prune deletes; without a primary key, a publication FOR ALL TABLES would refuse that
		EXECUTE format('ALTER TABLE %I.requests REPLICA IDENTITY FULL', binding.ledger_schema);
	END IF;
	IF inventory.make_ledger_table(binding, 'reservations',
		'Holds: one row for each item of a reservation. After expires_at a hold has expired, whatever its status. tracked: the units were taken from the stock.')
	THEN
		-- the open holds of an item, the oldest first, those of the store, and those of a user
		EXECUTE format($sql$CREATE INDEX ON %I.reservations (item_id, expires_at, reservation_id)
						WHERE status = 'held'$sql$, binding.ledger_schema);
		EXECUTE format($sql$CREATE INDEX ON %I.reservations (expires_at, reservation_id)
						WHERE status = 'held'$sql$, binding.ledger_schema);
		EXECUTE format($sql$CREATE INDEX ON %I.reservations (user_id)
						WHERE status = 'held'$sql$, binding.ledger_schema);
	END IF;
	PERFORM inventory.make_ledger_table(binding, 'hot',
		'Items that are or were hot. While an item is hot, its movements with an epoch after settled_epoch are not in its stock column yet. Rows are never deleted and epochs never start again, so that no movement is counted twice.');
	PERFORM inventory.make_order_changes(binding);
	PERFORM inventory.complete_ledger(binding);
	PERFORM inventory.demote_hot_items(binding);
	RETURN movements;
END
$$;
COMMENT ON FUNCTION inventory.make_ledger(inventory.store_binding) IS 'Creates the tables of the ledger of a store that do not exist, and returns the movements.';

CREATE FUNCTION inventory.make_binding_trigger(relation regclass, store_name text, trigger_name name,
											   columns name[], roles text[]) RETURNS void
	LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	merged_columns name[];
	merged_roles text[];
BEGIN
	-- a column that has a role and may be set by callers is in the list once
	SELECT array_agg(c ORDER BY first), array_agg(r ORDER BY first)
	INTO merged_columns, merged_roles
	FROM (SELECT c, string_agg(r, '' ORDER BY n) AS r, min(n) AS first
		  FROM unnest(columns, roles) WITH ORDINALITY AS u(c, r, n)
		  WHERE c IS NOT NULL GROUP BY c) AS m;
	EXECUTE format('CREATE TRIGGER %I AFTER UPDATE OF %s ON %s FOR EACH STATEMENT
					EXECUTE FUNCTION inventory.binding(%s)',
				   trigger_name,
				   (SELECT string_agg(quote_ident(c), ', ' ORDER BY n)
					FROM unnest(merged_columns) WITH ORDINALITY AS u(c, n)),
				   relation,
				   (SELECT string_agg(quote_literal(r), ', ' ORDER BY n)
					FROM unnest(store_name || merged_roles) WITH ORDINALITY AS u(r, n)));
	EXECUTE format('ALTER TABLE %s DISABLE TRIGGER %I', relation, trigger_name);
END
$$;
COMMENT ON FUNCTION inventory.make_binding_trigger(regclass, text, name, name[], text[]) IS 'Creates the disabled trigger whose column list remembers the bound columns of a table. Its arguments are the name of the store and the role of each column, in which "+" marks a column that callers may set, and "=" one that prepare_order computes.';

CREATE FUNCTION inventory.orders_trigger_name(store_name text) RETURNS name
	LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
	SELECT ('inventory_binding_' || left(md5(store_name), 8))::name
$$;
COMMENT ON FUNCTION inventory.orders_trigger_name(text) IS 'The name of the binding trigger of a store on its orders or their header, which may serve several stores.';

-- Orders may serve several stores, each with its guards.
CREATE FUNCTION inventory.make_guard(relation regclass, trigger_name name, store_name text,
									 template text) RETURNS void
	LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	IF EXISTS (SELECT FROM pg_trigger AS t WHERE t.tgrelid = relation AND t.tgname = trigger_name) THEN
		trigger_name := trigger_name || '_' || left(md5(store_name), 8);
	END IF;
	EXECUTE format(template, trigger_name, relation, store_name);
	EXECUTE format('ALTER TABLE %s ENABLE ALWAYS TRIGGER %I', relation, trigger_name);
END
$$;
COMMENT ON FUNCTION inventory.make_guard(regclass, name, text, text) IS 'Creates a trigger of a store by a template, under another name if that is taken, and enables it in every mode.';

-- A statement on a partition fires no trigger of the partitioned table at its end: there, and
-- where the setting says so, the deferred trigger applies what the guard has noted.
-- After SET CONSTRAINTS IMMEDIATE it is fired for a row with the guard, by the order of their
-- names: the guard has to be the first.
CREATE FUNCTION inventory.make_follow_triggers(relation regclass, store_name text, prefix text)
	RETURNS void
	LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	PERFORM inventory.make_guard(relation, (prefix || '_begin')::name, store_name,
		'CREATE TRIGGER %I BEFORE INSERT OR UPDATE OR DELETE ON %s
		 FOR EACH STATEMENT EXECUTE FUNCTION inventory.follow_orders(%L)');
	PERFORM inventory.make_guard(relation, (prefix || '_end')::name, store_name,
		'CREATE TRIGGER %I AFTER INSERT OR UPDATE OR DELETE ON %s
		 FOR EACH STATEMENT EXECUTE FUNCTION inventory.follow_orders(%L)');
	PERFORM inventory.make_guard(relation, (prefix || '_later')::name, store_name,
		'CREATE CONSTRAINT TRIGGER %I AFTER INSERT OR UPDATE OR DELETE ON %s
		 DEFERRABLE INITIALLY DEFERRED FOR EACH ROW WHEN (inventory.must_follow_later())
		 EXECUTE FUNCTION inventory.follow_orders(%L)');
END
$$;
COMMENT ON FUNCTION inventory.make_follow_triggers(regclass, text, text) IS 'Creates the triggers that apply what the guards on orders or headers have noted.';

CREATE FUNCTION inventory.make_orders_guards(binding inventory.store_binding) RETURNS void
	LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	PERFORM inventory.make_guard(binding.orders, 'inventory_orders_guard', binding.store_name,
		'CREATE TRIGGER %I AFTER INSERT OR UPDATE OR DELETE ON %s
		 FOR EACH ROW EXECUTE FUNCTION inventory.guard_orders(%L)');
	IF binding.order_writes = 'follow' THEN
		PERFORM inventory.make_follow_triggers(binding.orders, binding.store_name, 'inventory_orders');
		IF binding.header IS NOT NULL THEN
			PERFORM inventory.make_guard(binding.header, 'inventory_headers_guard', binding.store_name,
				'CREATE TRIGGER %I AFTER INSERT OR UPDATE OR DELETE ON %s
				 FOR EACH ROW EXECUTE FUNCTION inventory.guard_headers(%L)');
			PERFORM inventory.make_follow_triggers(binding.header, binding.store_name, 'inventory_headers');
		END IF;
	END IF;
END
$$;
COMMENT ON FUNCTION inventory.make_orders_guards(inventory.store_binding) IS 'Creates the guards of a store on its orders and their headers.';

CREATE FUNCTION inventory.make_truncate_guard(relation regclass, store_name text) RETURNS void
	LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	trigger_name name := 'inventory_guard_truncate';
BEGIN
	IF EXISTS (SELECT FROM pg_trigger AS t
			   WHERE t.tgrelid = relation AND t.tgname = trigger_name) THEN
		trigger_name := trigger_name || '_' || left(md5(store_name), 8);
	END IF;
	EXECUTE format('CREATE TRIGGER %I BEFORE TRUNCATE ON %s
					FOR EACH STATEMENT EXECUTE FUNCTION inventory.guard_truncate(%L)',
				   trigger_name, relation, store_name);
	EXECUTE format('ALTER TABLE %s ENABLE ALWAYS TRIGGER %I', relation, trigger_name);
END
$$;
COMMENT ON FUNCTION inventory.make_truncate_guard(regclass, text) IS 'Creates the guard of a store against TRUNCATE of one of its tables, which may serve several stores.';

CREATE FUNCTION inventory.given_roles(settable name[], object jsonb, of_lines boolean) RETURNS text[]
	LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
	SELECT array_fill('+'::text, ARRAY[cardinality(settable)])
		|| ARRAY(SELECT CASE WHEN of_lines AND object ->> k ~ $re$(^|[^.])\mquantity\M$re$ THEN '*=' ELSE '=' END || k
				 FROM unnest(inventory.value_keys(object)) WITH ORDINALITY AS u(k, n) ORDER BY n)
$$;
COMMENT ON FUNCTION inventory.given_roles(name[], jsonb, boolean) IS 'The roles of columns that callers may set, and of those that prepare_order computes: "=" and the name that it has for the column, which stays when the column is renamed; "*" before it where a line''s quantity is in the expression.';

-- Triggers of the shop that compute something from the stock find the stock that stays: the
-- name is before theirs.  Not ALWAYS: it has nothing to do where a subscriber applies a row.
CREATE FUNCTION inventory.make_keep(binding inventory.store_binding) RETURNS void
	LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	EXECUTE format('CREATE TRIGGER _inventory_keep BEFORE UPDATE OF %I ON %s
					FOR EACH ROW EXECUTE FUNCTION inventory.keep_stock()', binding.stock, binding.items);
	EXECUTE format('CREATE TRIGGER inventory_keep_notice AFTER UPDATE OF %I ON %s
					FOR EACH STATEMENT EXECUTE FUNCTION inventory.keep_stock()', binding.stock, binding.items);
END
$$;
COMMENT ON FUNCTION inventory.make_keep(inventory.store_binding) IS 'Creates the triggers that leave the stock as it is when other code saves whole rows.';

CREATE FUNCTION inventory.make_triggers(binding inventory.store_binding) RETURNS void
	LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	EXECUTE format('CREATE TRIGGER inventory_guard AFTER INSERT OR UPDATE OR DELETE ON %s
					FOR EACH ROW EXECUTE FUNCTION inventory.guard()', binding.items);
	EXECUTE format('ALTER TABLE %s ENABLE ALWAYS TRIGGER inventory_guard', binding.items);
	PERFORM inventory.make_truncate_guard(binding.items, binding.store_name);
	IF binding.direct_writes = 'keep' THEN
		PERFORM inventory.make_keep(binding);
	END IF;
	PERFORM inventory.make_binding_trigger(binding.items, binding.store_name, 'inventory_binding',
		ARRAY[binding.item_id, binding.stock, binding.version, binding.stock_floor, binding.purchase_limit,
			  binding.order_limit],
		'{item_id,stock,version,stock_floor,purchase_limit,order_limit}');
	IF binding.orders IS NOT NULL THEN
		PERFORM inventory.make_binding_trigger(binding.orders, binding.store_name,
			inventory.orders_trigger_name(binding.store_name),
			ARRAY[binding.order_id, binding.order_user_id, binding.order_item_id, binding.order_quantity,
				  binding.order_header_id] || binding.order_columns || binding.order_value_columns,
			'{order_id,order_user_id,order_item_id,order_quantity,order_header_id}'::text[] ||
				inventory.given_roles(binding.order_columns, binding.order_values, true));
		PERFORM inventory.make_orders_guards(binding);
		PERFORM inventory.make_truncate_guard(binding.orders, binding.store_name);
	END IF;
	IF binding.header IS NOT NULL THEN
		PERFORM inventory.make_binding_trigger(binding.header, binding.store_name,
			inventory.orders_trigger_name(binding.store_name),
			ARRAY[binding.header_id, binding.header_user_id] || binding.header_columns
				|| binding.header_value_columns,
			'{header_id,header_user_id}'::text[] ||
				inventory.given_roles(binding.header_columns, binding.header_values, false));
		PERFORM inventory.make_truncate_guard(binding.header, binding.store_name);
	END IF;
END
$$;
COMMENT ON FUNCTION inventory.make_triggers(inventory.store_binding) IS 'Creates the guards and the binding triggers of a store.';

-- Recognized by their function and the name of the store, because the owner may rename them.
CREATE FUNCTION inventory.store_triggers(store inventory.store, OUT trigger_id oid,
										 OUT relation regclass, OUT trigger_name name,
										 OUT is_binding boolean)
	RETURNS SETOF record
	LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
	SELECT t.oid, t.tgrelid, t.tgname, t.tgfoid = 'inventory.binding()'::regprocedure
	FROM pg_trigger AS t
	WHERE t.tgrelid = store.items AND t.tgfoid IN ('inventory.guard()'::regprocedure, 'inventory.keep_stock()'::regprocedure)
	OR t.tgrelid IN (store.items, store.orders, store.header)
	AND t.tgfoid IN ('inventory.binding()'::regprocedure, 'inventory.guard_orders()'::regprocedure,
					 'inventory.guard_headers()'::regprocedure, 'inventory.follow_orders()'::regprocedure,
					 'inventory.guard_truncate()'::regprocedure)
	AND substring(t.tgargs FOR octet_length(convert_to(store.store_name, getdatabaseencoding())) + 1)
		= convert_to(store.store_name, getdatabaseencoding()) || E'\\x00'::bytea
$$;
COMMENT ON FUNCTION inventory.store_triggers(inventory.store) IS 'The guard triggers on the tables of a store, and the triggers that bind the columns of its tables.';

CREATE FUNCTION inventory.bound_columns(store inventory.store, OUT relation regclass, OUT n bigint,
										OUT column_name name, OUT role text)
	RETURNS SETOF record
	LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
	SELECT b.relation, u.n, a.attname,
		   -- counted from the end: the name of the store may contain anything.  A backslash is \134
		   -- there, so that \000 is the end of an argument alone.
		   convert_from(decode(split_part(replace(encode(t.tgargs, 'escape'), E'\\\\', E'\\134'), E'\\000',
										  u.n::integer - t.tgnargs - 1), 'escape'), getdatabaseencoding())
	FROM inventory.store_triggers(store) AS b JOIN pg_trigger AS t ON t.oid = b.trigger_id
	CROSS JOIN LATERAL unnest(t.tgattr::int2[]) WITH ORDINALITY AS u(attnum, n)
	JOIN pg_attribute AS a ON a.attrelid = t.tgrelid AND a.attnum = u.attnum
	-- an owner can make such a trigger with fewer roles than columns
	WHERE b.is_binding AND u.n < t.tgnargs
$$;
COMMENT ON FUNCTION inventory.bound_columns(inventory.store) IS 'The columns that the binding triggers of a store list, with their number there and their role; a role that ends with + is of a column that callers may set, one with = of a column that prepare_order computes.';

CREATE FUNCTION inventory.check_other_stores(binding inventory.store_binding) RETURNS void
	LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	other text;
BEGIN
	SELECT s.store_name INTO other
	FROM inventory.store AS s JOIN pg_class AS i ON i.oid = s.items
	CROSS JOIN LATERAL inventory.bound_columns(s) AS b
	WHERE s.orders = binding.orders AND s.items <> binding.items
	AND b.relation = binding.orders AND b.column_name = binding.order_item_id
	AND rtrim(b.role, '+') = 'order_item_id'
	LIMIT 1;
	IF FOUND THEN
		RAISE EXCEPTION 'column "%" of % is bound by store "%"', binding.order_item_id, binding.orders, other
			USING ERRCODE = 'object_in_use',
				  HINT = 'The items of another store need a column of their own: order_item_id => ''...''.';
	END IF;
END
$$;
COMMENT ON FUNCTION inventory.check_other_stores(inventory.store_binding) IS 'Raises 55006 if another store has the same column of orders for its items: an order could be refunded into both.';

CREATE FUNCTION inventory.drop_triggers(store inventory.store) RETURNS void
	LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	t record;
BEGIN
	FOR t IN SELECT s.relation, s.trigger_name FROM inventory.store_triggers(store) AS s LOOP
		EXECUTE format('DROP TRIGGER %I ON %s', t.trigger_name, t.relation);
	END LOOP;
END
$$;
COMMENT ON FUNCTION inventory.drop_triggers(inventory.store) IS 'Drops the guards and the binding triggers of a store, also such as another role made.';

-- A role with the privilege TRIGGER could otherwise create or replace a trigger that binds
-- other columns as the stock, or books each change of stock twice or not at all; or one that
-- passes its own code to a function of the owner or of a superuser, which runs as the owner.
CREATE FUNCTION inventory.check_created_triggers() RETURNS event_trigger
	LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	t record;
BEGIN
	FOR t IN
		SELECT g.tgname, c.oid::regclass AS relation, c.relnamespace AS schema,
			   p.pronamespace = 'inventory'::regnamespace AS is_ours
		FROM pg_event_trigger_ddl_commands() AS d
		JOIN pg_trigger AS g ON g.oid = d.objid
		JOIN pg_class AS c ON c.oid = g.tgrelid
		JOIN pg_proc AS p ON p.oid = g.tgfoid
		WHERE d.classid = 'pg_trigger'::regclass AND NOT pg_has_role(c.relowner, 'USAGE')
	LOOP
		IF t.is_ours OR EXISTS (
			SELECT FROM inventory.store AS s
			WHERE t.relation IN (s.items, s.orders, s.header)
			OR s.orders IN (SELECT relid FROM pg_partition_ancestors(t.relation))
			OR t.schema = (SELECT m.relnamespace FROM pg_class AS m WHERE m.oid = s.movements::regclass))
		THEN
			RAISE EXCEPTION 'must be owner of table % to create trigger "%"', t.relation, t.tgname
				USING ERRCODE = 'insufficient_privilege',
					  DETAIL = 'The tables of a store are written with the rights of their owner, and so run their triggers. The functions of inventory for triggers are for inventory.attach().',
					  HINT = 'Have the owner of the table create the trigger.';
		END IF;
	END LOOP;
END
$$;
COMMENT ON FUNCTION inventory.check_created_triggers() IS 'Event trigger function: refuses a trigger on a table of a store, or with a function of the extension, unless it is created with the rights of the table''s owner.';

CREATE EVENT TRIGGER inventory_check_created_triggers ON ddl_command_end
	WHEN TAG IN ('CREATE TRIGGER') EXECUTE FUNCTION inventory.check_created_triggers();
ALTER EVENT TRIGGER inventory_check_created_triggers ENABLE ALWAYS;
COMMENT ON EVENT TRIGGER inventory_check_created_triggers IS 'Keeps roles that are not the owner of a table of a store from creating triggers on it.';

-- ---------------------------------------------------------------- façade
--
-- The functions that applications call, generated for each store with its own types of
-- ids: those for buyers in the api schema, those for operators in the ledger schema.

-- Splits at the braces and so replaces each placeholder once, whatever a schema is called.
-- The server finds some pseudo-types in a view only by an internal error.
CREATE FUNCTION inventory.type_name(type regtype) RETURNS text
	LANGUAGE plpgsql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	IF EXISTS (SELECT FROM pg_type AS t WHERE t.oid = type AND t.typtype = 'p') THEN
		RAISE EXCEPTION 'type % cannot be that of a column', type USING ERRCODE = 'datatype_mismatch';
	END IF;
	RETURN type::text;
END
$$;
COMMENT ON FUNCTION inventory.type_name(regtype) IS 'The name of a type of a column. Raises an error for a pseudo-type.';

CREATE FUNCTION inventory.fill_types(binding inventory.store_binding, template text) RETURNS text
	LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
	SELECT string_agg(CASE piece
		WHEN 'item_id_type' THEN inventory.type_name(binding.item_type)
		WHEN 'user_id_type' THEN inventory.type_name(binding.user_type)
		WHEN 'order_id_type' THEN inventory.type_name(binding.order_type)
		WHEN 'header_id_type' THEN inventory.type_name(binding.header_type)
		WHEN 'quantity_type' THEN inventory.type_name(binding.stock_type)
		WHEN 'line_type' THEN format('%I.line', binding.ledger_schema)
		WHEN 'hold_type' THEN format('%I.hold', binding.ledger_schema)
		WHEN 'held_line_type' THEN format('%I.held_line', binding.ledger_schema)
		WHEN 'open_hold_type' THEN format('%I.open_hold', binding.ledger_schema)
		WHEN 'item_level_type' THEN format('%I.item_level', binding.ledger_schema)
		WHEN 'refunded_order_type' THEN format('%I.refunded_order', binding.ledger_schema)
		ELSE piece END, '' ORDER BY n)
	FROM regexp_split_to_table(template, '[{}]') WITH ORDINALITY AS pieces(piece, n)
$$;
COMMENT ON FUNCTION inventory.fill_types(inventory.store_binding, text) IS 'A text with the types of a store in place of {item_id_type}, {user_id_type}, {order_id_type}, {header_id_type}, {quantity_type} (the type of the stock column), and its result types in place of {line_type}, {hold_type} and the like.';

-- An argument is "name type", or "name type = default".  The default {null_with_claim} is
-- NULL in a store with a user_claim, which can stand in for the argument, and none in other
-- stores.  Types are written as the server writes them, so that stale_functions can compare.
CREATE FUNCTION inventory.facade_functions(
		OUT part text, OUT function_name name, OUT arguments text[], OUT result text,
		OUT volatility text, OUT description text)
	RETURNS SETOF record
	LANGUAGE sql IMMUTABLE PARALLEL SAFE ROWS 20 SET search_path = pg_catalog, pg_temp AS $$
	VALUES
	('buyer', 'buy_item'::name,
	 ARRAY['user_id {user_id_type} = {null_with_claim}',
		   'item_id {item_id_type} = {null_with_claim}', 'quantity bigint = 1',
		   'idempotency_key text = NULL', 'order_data jsonb = NULL'],
	 '{order_id_type}', 'VOLATILE',
	 'Sells quantity units of an item to a user: takes the stock and inserts the order row, or does nothing. An item sells while stock - quantity is at least its stock_floor. Where the store has a table of headers, a call that names none inserts one. idempotency_key: a retry with the same key and arguments gets the first answer. order_data: an object with columns of orders that callers may set, and in "header" those of the header. Returns the key of the order row; without orders, the text of order_data->>''order_id''. Errors: IV001 out_of_stock, IV002 item_not_found, IV009 idempotency_key_mismatch, IV010 purchase_limit_exceeded, IV003 order_not_found for a header of another user, IV015 already_placed, IV014 busy, 22023, 22004, 22003, 22001, 42501, 42703.'),
	('buyer', 'try_buy_item',
	 ARRAY['user_id {user_id_type} = {null_with_claim}',
		   'item_id {item_id_type} = {null_with_claim}', 'quantity bigint = 1',
		   'idempotency_key text = NULL', 'order_data jsonb = NULL'],
	 '{line_type}', 'VOLATILE',
	 'As buy_item, but a refusal is a status and not an error. Returns one row: status (ok, out_of_stock, item_not_found or purchase_limit_exceeded), item_id, quantity, order_id (the key of the order row), available (the units that can still be sold), replayed (true for the kept answer of an earlier call) and header_id (the key of the header, where the store has headers). With an idempotency_key a refusal is kept like any other answer. Errors: those of buy_item that are not such a refusal.'),
	('buyer', 'buy_cart',
	 ARRAY['user_id {user_id_type} = {null_with_claim}', 'lines jsonb = {null_with_claim}',
		   'idempotency_key text = NULL', 'order_data jsonb = NULL'],
	 'SETOF {line_type}', 'VOLATILE',
	 'Sells all lines of a cart, 1 to 1000, or none. lines: [{"item_id": ..., "quantity": 1, ...}], with columns of orders that callers may set. order_data: the same columns for every line. Returns one row for each line, in the order of the lines. Errors: those of buy_item, with every line at fault in the detail, and 54000 for too many lines.'),
	('buyer', 'try_buy_cart',
	 ARRAY['user_id {user_id_type} = {null_with_claim}', 'lines jsonb = {null_with_claim}',
		   'idempotency_key text = NULL', 'order_data jsonb = NULL'],
	 'SETOF {line_type}', 'VOLATILE',
	 'As buy_cart, but a refusal is a status and not an error: out_of_stock, item_not_found or purchase_limit_exceeded for the lines at fault, not_taken for the other lines. With an idempotency_key a refusal is kept like any other answer. Errors: those of buy_cart that are not such a refusal.'),
	('buyer', 'available_stock',
	 ARRAY['item_id {item_id_type}'],
	 '{quantity_type}', 'STABLE',
	 'Returns the units of an item that can be sold now, null if its stock is not tracked. Units of expired holds count, units below stock_floor do not. Errors: IV002 item_not_found, 22004, 22001.'),
	('buyer', 'available_stocks',
	 ARRAY['item_ids {item_id_type}[]'],
	 'SETOF {item_level_type}', 'STABLE',
	 'Returns the units of several items that can be sold now, as available_stock does: one row for each item, in the order of their keys. Items that do not exist or are not for sale have no row. Errors: 22004 for null, also in the array, 22001.'),
	('buyer', 'reserve_stock',
	 ARRAY['user_id {user_id_type} = {null_with_claim}',
		   'item_id {item_id_type} = {null_with_claim}', 'quantity bigint = 1',
		   'ttl interval = NULL', 'idempotency_key text = NULL',
		   'reservation_id uuid = NULL'],
	 'uuid', 'VOLATILE',
	 'Holds quantity units of an item for a user: they leave the stock at once and return to it when the hold is released or expires. ttl: time from now until it expires, null for inventory.reservation_ttl, at most the max_ttl of the store. reservation_id: the id that the reservation is to have, null for a new one; the same id again, with the same user and units, is the same reservation. Returns the id of the reservation. Errors: those of buy_item, IV005 reservation_expired and IV007 reservation_released for an id or a key whose reservation has ended, IV009 idempotency_key_mismatch also for an id of another reservation, 22023 for a ttl that is not positive or longer than max_ttl, and 22008 for one out of range.'),
	('buyer', 'reserve_cart',
	 ARRAY['user_id {user_id_type} = {null_with_claim}', 'lines jsonb = {null_with_claim}',
		   'ttl interval = NULL', 'idempotency_key text = NULL',
		   'reservation_id uuid = NULL'],
	 'uuid', 'VOLATILE',
	 'Holds all lines of a cart, 1 to 1000, or none. lines: [{"item_id": ..., "quantity": 1}]; lines with the same item are added up. Returns the id of the reservation. Errors: those of reserve_stock, with every line at fault in the detail, and 54000 for too many lines.'),
	('buyer', 'try_reserve_cart',
	 ARRAY['user_id {user_id_type} = {null_with_claim}', 'lines jsonb = {null_with_claim}',
		   'ttl interval = NULL', 'idempotency_key text = NULL',
		   'reservation_id uuid = NULL'],
	 '{hold_type}', 'VOLATILE',
	 'As reserve_cart, but a refusal is a status and not an error, with the lines at fault in short_lines. With an idempotency_key a refusal is kept like any other answer. Errors: those of reserve_cart that are not such a refusal.'),
	('buyer', 'change_reservation',
	 ARRAY['reservation_id uuid', 'item_id {item_id_type}', 'quantity bigint',
		   'user_id {user_id_type} = NULL'],
	 'timestamp with time zone', 'VOLATILE',
	 'Sets the units of an item that a reservation holds: more, fewer, those of a new item, or 0 to remove the line. Returns the time when the reservation expires. Errors: IV004 reservation_not_found, IV005 reservation_expired, IV006 reservation_confirmed, IV007 reservation_released, for added units IV001, IV002, IV010 and IV014, 22023, 22004, 54000.'),
	('buyer', 'extend_reservation',
	 ARRAY['reservation_id uuid', 'ttl interval = NULL', 'user_id {user_id_type} = NULL'],
	 'timestamp with time zone', 'VOLATILE',
	 'Extends a reservation until ttl from now. It never becomes shorter, and lasts at most the max_ttl of the store from its creation. A null ttl is inventory.reservation_ttl, or what max_ttl leaves of it. Returns the time when the reservation expires. Errors: IV004 reservation_not_found, IV005 reservation_expired, IV006 reservation_confirmed, IV007 reservation_released, 22023 for a ttl that exceeds max_ttl, 22004, 22008.'),
	('buyer', 'confirm_reservation',
	 ARRAY['reservation_id uuid', 'user_id {user_id_type} = NULL', 'order_data jsonb = NULL'],
	 'SETOF {line_type}', 'VOLATILE',
	 'Turns a reservation into orders: inserts one row for each line and takes no more stock. order_data: columns of orders that callers may set, as an object for every line or an array of objects with item_id. Returns one row for each line; a later call returns the same rows. Errors: IV004 reservation_not_found, IV005 reservation_expired, IV007 reservation_released, IV003 order_not_found for a header of another user, IV015 already_placed, 22023, 22004, 42501, 42703, 54000; IV006 reservation_confirmed and IV014 busy where a trigger changes the reservation at the same time.'),
	('buyer', 'release_reservation',
	 ARRAY['reservation_id uuid', 'user_id {user_id_type} = NULL'],
	 'boolean', 'VOLATILE',
	 'Gives the units that a reservation holds back to the stock. Returns false if the reservation was already released or has expired. An operator can also release an id that no reservation has: it returns false, and the id cannot be used as the reservation_id of a new one until prune deletes it. Errors: IV004 reservation_not_found, IV006 reservation_confirmed, 22004.'),
	('buyer', 'get_reservation',
	 ARRAY['reservation_id uuid'],
	 'SETOF {held_line_type}', 'STABLE',
	 'Returns the lines of a reservation and its status at this instant: held, confirmed, released or expired. Errors: IV004 reservation_not_found, 22004.'),
	('buyer', 'my_reservations',
	 ARRAY['user_id {user_id_type} = {null_with_claim}'],
	 'SETOF {open_hold_type}', 'STABLE',
	 'Returns the open holds of a user: one row for each line of a reservation that is held and has not expired, those that expire first at the top. Errors: 22004, 42501.'),
	('operator', 'refund_order',
	 ARRAY['order_id {order_id_type}', 'quantity bigint = NULL', 'restock boolean = TRUE',
		   'reason text = NULL', 'idempotency_key text = NULL'],
	 '{quantity_type}', 'VOLATILE',
	 'Refunds quantity units of an order line, null for all that remain, never more than were bought. restock: true gives them back to the stock, false writes them off. Does not change the order row. Returns the units of the line refunded so far. Errors: IV003 order_not_found, IV008 refund_exceeds_order, IV009 idempotency_key_mismatch, 22023, 22004, 22003, 22001, 21000 for an order with several rows.'),
	('operator', 'refund_orders',
	 ARRAY['order_ids {order_id_type}[]', 'restock boolean = TRUE', 'reason text = NULL',
		   'idempotency_key text = NULL'],
	 'SETOF {refunded_order_type}', 'VOLATILE',
	 'Refunds all that is left of several order lines, at most 1000, in one call, as refund_order does. Returns one row for each, in the order of their keys: status (ok, order_not_found, or refund_exceeds_order if nothing was left) and quantity, the units that this call has refunded. Errors: IV009 idempotency_key_mismatch, IV014 busy, 22004, 22003, 22001, 54000, 21000 for an order with several rows.'),
	('operator', 'change_order',
	 ARRAY['order_id {order_id_type}', 'quantity bigint', 'reason text = NULL',
		   'idempotency_key text = NULL'],
	 '{quantity_type}', 'VOLATILE',
	 'Changes the quantity of an order line, refunded units included: takes more units, or gives some back to the stock, and writes the quantity into the order row. 0 refunds all that is left and leaves the row as it is. Returns the quantity. Errors: IV001 out_of_stock, IV002 item_not_found, IV003 order_not_found, IV008 refund_exceeds_order for less than is refunded already, IV009 idempotency_key_mismatch, IV010 purchase_limit_exceeded, IV013 direct_write_refused for a final line where the stock follows the orders, IV014 busy, 22023, 22004, 22003, 22001, 21000 for an order with several rows, 09000 if a trigger keeps the row from having the quantity.'),
	('operator', 'exchange_order',
	 ARRAY['order_id {order_id_type}', 'lines jsonb', 'reason text = NULL',
		   'idempotency_key text = NULL'],
	 'SETOF {line_type}', 'VOLATILE',
	 'Exchanges an order line: refunds all that is left of it, gives it back to the stock, and sells other lines to the same user, under the same header, or does nothing. lines: as for buy_cart. Returns one row for each new line, in their order. Errors: those of buy_cart, IV003 order_not_found, IV008 refund_exceeds_order if nothing is left of the line, and 21000 for an order with several rows.'),
	('operator', 'decide_reservation',
	 ARRAY['reservation_id uuid', 'user_id {user_id_type} = NULL'],
	 'timestamp with time zone', 'VOLATILE',
	 'Makes a reservation last until it is confirmed or released: it has been paid, or a cart of which it is a part is decided. user_id: the user whose reservation it must be, null for any. Returns the time when it expires, which is infinity. prune does not delete such a reservation. Errors: IV004 reservation_not_found, IV005 reservation_expired, IV006 reservation_confirmed, IV007 reservation_released, 22004.'),
	('operator', 'expire_reservations',
	 ARRAY['max_rows integer = 1000'],
	 'bigint', 'VOLATILE',
	 'Gives the units of expired holds back to the stock, the oldest first, at most max_rows lines. Optional: an expired hold cannot be confirmed, and a call that finds too little stock first expires the holds of the item. Returns the number of lines. Errors: 22023, 22004.'),
	('operator', 'prune',
	 ARRAY['older_than interval'],
	 'bigint', 'VOLATILE',
	 'Deletes closed reservations and idempotency keys that are older, and ids of reservations that were released before they were made. Decided reservations stay. Returns the number of rows deleted. A retry with a deleted key or id is a new request. Errors: 22023, 22004.'),
	('operator', 'close_ledger',
	 ARRAY['before timestamp with time zone'],
	 'bigint', 'VOLATILE',
	 'Replaces the movements before a time by one carried movement for each item, and for each user where purchases are limited. Refunds and open holds stay. Returns the number of carried movements. Errors: IV014 busy if a line that it would close is being changed, 22023, 22004.'),
	('operator', 'restock_item',
	 ARRAY['item_id {item_id_type}', 'quantity bigint', 'reason text = NULL',
		   'idempotency_key text = NULL'],
	 '{quantity_type}', 'VOLATILE',
	 'Adds quantity units, at least 1, to the stock of an item. Returns the units available afterwards. Errors: IV002 item_not_found, IV009 idempotency_key_mismatch, 22023, 22004, 22003, 22001, 55000 for an item whose stock is not tracked.'),
	('operator', 'adjust_stock',
	 ARRAY['item_id {item_id_type}', 'delta bigint', 'reason text', 'expected bigint = NULL',
		   'kind text = ''adjustment''', 'idempotency_key text = NULL'],
	 '{quantity_type}', 'VOLATILE',
	 'Changes the stock of an item by delta units, but not to less than its stock_floor. expected: the stock that the caller saw, null for any. kind: adjustment or write_off. Returns the units available afterwards. Errors: IV001 out_of_stock, IV002 item_not_found, IV009 idempotency_key_mismatch, IV011 stock_changed if the stock is not as expected, 22023, 22004, 22003, 22001, 55000 for an item whose stock is not tracked.'),
	('operator', 'count_stock',
	 ARRAY['item_id {item_id_type}', 'counted bigint', 'unshipped bigint = 0',
		   'counted_at timestamp with time zone = NULL', 'reason text = NULL',
		   'idempotency_key text = NULL'],
	 '{quantity_type}', 'VOLATILE',
	 'Corrects the stock of an item by a stock-take: counted units were on the shelf at counted_at (null for now), unshipped of them already sold. The correction is the difference from what the ledger says was there at counted_at, so that later sales stay. Returns the units available afterwards. Errors: IV001 out_of_stock, IV002 item_not_found, IV009 idempotency_key_mismatch, 22023, 22004, 22003, 22001, 55000 for an item whose stock is not tracked.')
$$;
COMMENT ON FUNCTION inventory.facade_functions() IS 'The functions that are generated for each store: one row for each, with placeholders for the types of the store.';

CREATE FUNCTION inventory.facade_schema(binding inventory.store_binding, part text) RETURNS name
	LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
	SELECT CASE part WHEN 'buyer' THEN binding.api_schema ELSE binding.ledger_schema END
$$;
COMMENT ON FUNCTION inventory.facade_schema(inventory.store_binding, text) IS 'The schema of the generated functions for buyers or operators.';

CREATE FUNCTION inventory.facade_body(function_name name, store_name text) RETURNS text
	LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
	SELECT function_name || ' ' || store_name
$$;
COMMENT ON FUNCTION inventory.facade_body(name, text) IS 'The body of a generated function: its name, and the name of the store.';

-- Any role could write such a body, so the owner counts too: that of the items, or that of the
-- ledger, which can still be the previous one.  One in another language was generated in PL/pgSQL,
-- as all once were, or edited by the shop.
CREATE FUNCTION inventory.is_generated(function pg_proc, store inventory.store) RETURNS boolean
	LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
	SELECT function.proowner IN (inventory.owner_of(store.items), inventory.owner_of(store.movements))
	AND CASE (SELECT l.lanname FROM pg_language AS l WHERE l.oid = function.prolang)
		WHEN 'inventory' THEN function.prosrc = inventory.facade_body(function.proname, store.store_name)
		ELSE strpos(function.prosrc, format('inventory.%s(%L,', function.proname, store.store_name)) > 0 END
$$;
COMMENT ON FUNCTION inventory.is_generated(pg_proc, inventory.store) IS 'True if a function is a generated function of a store: its owner is that of the store, and its body names the store.';

-- By what depends on the schema, because pg_proc has no index on it.  ROWS, here and below, keeps
-- the planner from reading the whole of pg_proc.
CREATE FUNCTION inventory.functions_in(schema_id oid) RETURNS SETOF pg_proc
	LANGUAGE sql STABLE ROWS 20 SET search_path = pg_catalog, pg_temp AS $$
	SELECT p.* FROM pg_depend AS d JOIN pg_proc AS p ON p.oid = d.objid
	WHERE d.refclassid = 'pg_namespace'::regclass AND d.refobjid = schema_id
	AND d.classid = 'pg_proc'::regclass
	AND p.proname IN (SELECT f.function_name FROM inventory.facade_functions() AS f)
$$;
COMMENT ON FUNCTION inventory.functions_in(oid) IS 'The functions in a schema that have a name of a generated function.';

CREATE FUNCTION inventory.facade_nearby(store inventory.store) RETURNS oid[]
	LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
	SELECT ARRAY(
		SELECT p.oid FROM (
			SELECT to_regnamespace(quote_ident(store.api_schema))::oid
			UNION SELECT c.relnamespace FROM pg_class AS c WHERE c.oid IN (store.movements, store.items))
			AS n(schema_id)
		CROSS JOIN LATERAL inventory.functions_in(n.schema_id) AS p
		WHERE inventory.is_generated(p, store))
$$;
COMMENT ON FUNCTION inventory.facade_nearby(inventory.store) IS 'The generated functions of a store in its api schema, its ledger schema, and the schema of its items.';

-- Other schemas are searched only for functions that are not where they were generated: that
-- takes as long as there are stores in the database.
CREATE FUNCTION inventory.facade_of(store inventory.store, OUT part text, OUT function_name name,
									OUT function_id oid)
	RETURNS SETOF record
	LANGUAGE plpgsql STABLE ROWS 20 SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	found oid[] := inventory.facade_nearby(store);
	missing name[] := ARRAY(SELECT f.function_name FROM inventory.facade_functions() AS f
							EXCEPT SELECT p.proname FROM pg_proc AS p WHERE p.oid = ANY (found));
BEGIN
	IF missing <> '{}' THEN
		found := found || ARRAY(
			SELECT p.oid FROM pg_proc AS p
			WHERE p.proname = ANY (missing) AND inventory.is_generated(p, store)
			-- a previous owner of this store can have another one of its name
			AND NOT EXISTS (SELECT FROM inventory.store AS s
							WHERE s.store_name = facade_of.store.store_name AND s.items <> facade_of.store.items
							AND inventory.owner_of(s.items) = p.proowner));
	END IF;
	RETURN QUERY SELECT f.part, f.function_name, p.oid
				 FROM inventory.facade_functions() AS f JOIN pg_proc AS p ON p.proname = f.function_name
				 WHERE p.oid = ANY (found);
END
$$;
COMMENT ON FUNCTION inventory.facade_of(inventory.store) IS 'The generated functions of a store that exist, wherever they were moved.';

-- None while attach has not inserted the row of the store.
CREATE FUNCTION inventory.existing_facade(binding inventory.store_binding, OUT part text,
										  OUT function_name name, OUT function_id oid)
	RETURNS SETOF record
	LANGUAGE sql STABLE ROWS 20 SET search_path = pg_catalog, pg_temp AS $$
	SELECT f.part, f.function_name, f.function_id
	FROM inventory.store AS s CROSS JOIN LATERAL inventory.facade_of(s) AS f
	WHERE s.items = binding.items
$$;
COMMENT ON FUNCTION inventory.existing_facade(inventory.store_binding) IS 'The generated functions that exist of the store of a binding.';

CREATE FUNCTION inventory.drop_functions(functions oid[]) RETURNS void
	LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	function_id oid;
BEGIN
	FOR function_id IN
		SELECT p.oid FROM pg_proc AS p
		WHERE p.oid = ANY (functions) AND pg_has_role(p.proowner, 'USAGE')
	LOOP
		EXECUTE format('DROP FUNCTION %s', function_id::regprocedure);
	END LOOP;
END
$$;
COMMENT ON FUNCTION inventory.drop_functions(oid[]) IS 'Drops generated functions, except those of a previous owner whose rights the current user does not have.';

-- A second function of the same name would make calls ambiguous.
CREATE FUNCTION inventory.check_facade_names(binding inventory.store_binding) RETURNS void
	LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	others oid[] := ARRAY(
		SELECT o.oid FROM unnest('{buyer,operator}'::text[]) AS u(part)
		CROSS JOIN LATERAL inventory.functions_in(
			to_regnamespace(quote_ident(inventory.facade_schema(binding, u.part)))) AS o
		JOIN inventory.facade_functions() AS f ON f.function_name = o.proname AND f.part = u.part
		EXCEPT SELECT g.function_id FROM inventory.existing_facade(binding) AS g);
	other record;
	drops text;
BEGIN
	IF others = '{}' THEN
		RETURN;
	END IF;
	SELECT s.store_name, f.part INTO other FROM inventory.store AS s, pg_proc AS o
	JOIN inventory.facade_functions() AS f ON f.function_name = o.proname
	WHERE o.oid = ANY (others) AND s.items <> binding.items AND inventory.is_generated(o, s)
	ORDER BY s.store_name, f.part LIMIT 1;
	IF other.store_name IS NOT NULL THEN
		RAISE EXCEPTION 'schema "%" contains the functions of store "%"',
						inventory.facade_schema(binding, other.part), other.store_name
			USING ERRCODE = 'duplicate_function',
				  HINT = format('Two stores cannot have their functions in one schema. Choose another schema: %s => ''...''.',
								CASE other.part WHEN 'buyer' THEN 'api_schema' ELSE 'ledger_schema' END);
	END IF;
	SELECT string_agg(format('DROP %s %s;', CASE o.prokind WHEN 'p' THEN 'PROCEDURE'
							 WHEN 'a' THEN 'AGGREGATE' ELSE 'FUNCTION' END, o.oid::regprocedure),
					  E'\n' ORDER BY o.proname, o.oid::regprocedure::text)
	INTO drops
	FROM pg_proc AS o WHERE o.oid = ANY (others);
	RAISE EXCEPTION 'functions to be generated already exist'
		USING ERRCODE = 'duplicate_function',
			  HINT = E'To replace them:\n' || drops || E'\nTo keep them, choose other schemas: api_schema => ''...'', ledger_schema => ''...''.';
END
$$;
COMMENT ON FUNCTION inventory.check_facade_names(inventory.store_binding) IS 'Raises an error if other functions have the names of those to be generated.';

-- An integer literal cannot be passed as smallint.
CREATE FUNCTION inventory.facade_arguments(binding inventory.store_binding, arguments text[],
										   OUT n bigint, OUT name text, OUT type text,
										   OUT default_value text)
	RETURNS SETOF record
	LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
	SELECT a.n, quote_ident(binding.argument_prefix || a.parts[1]),
		   replace(inventory.fill_types(binding, a.parts[2]), 'smallint', 'integer'),
		   CASE WHEN a.parts[3] IS DISTINCT FROM '{null_with_claim}' THEN a.parts[3]
		   WHEN binding.user_claim IS NOT NULL THEN 'NULL' END
	FROM (SELECT u.n, regexp_match(u.argument, E'^(\\w+) (.*?)(?: = (.*))?$') AS parts
		  FROM unnest(arguments) WITH ORDINALITY AS u(argument, n)) AS a
$$;
COMMENT ON FUNCTION inventory.facade_arguments(inventory.store_binding, text[]) IS 'The arguments of a generated function for a store: number, name, type and default.';

CREATE FUNCTION inventory.facade_definition(binding inventory.store_binding, part text,
											function_name name, arguments text[], result text,
											volatility text) RETURNS text
	LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
	SELECT format(E'FUNCTION %I.%I(%s)\nRETURNS %s\nLANGUAGE inventory %s PARALLEL %s SECURITY DEFINER\nAS %L',
				  inventory.facade_schema(binding, part), function_name,
				  string_agg(concat_ws(' ', a.name, a.type, 'DEFAULT ' || a.default_value), ', ' ORDER BY a.n),
				  inventory.fill_types(binding, result), volatility,
				  CASE volatility WHEN 'STABLE' THEN 'RESTRICTED' ELSE 'UNSAFE' END,
				  inventory.facade_body(function_name, binding.store_name))
	FROM inventory.facade_arguments(binding, arguments) AS a
$$;
COMMENT ON FUNCTION inventory.facade_definition(inventory.store_binding, text, name, text[], text, text) IS 'The definition of a generated function, to follow CREATE or CREATE OR REPLACE.';

-- ALTER EXTENSION UPDATE leaves generated functions as they are.  Each names the version that made it in
-- its comment; one that was restored without comments names none.
CREATE FUNCTION inventory.extension_version() RETURNS text
	LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
	SELECT e.extversion FROM pg_extension AS e WHERE e.extname = 'inventory'
$$;
COMMENT ON FUNCTION inventory.extension_version() IS 'The version of the extension in this database.';

CREATE FUNCTION inventory.generated_by(function oid) RETURNS text
	LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
	SELECT substring(obj_description(function, 'pg_proc') FROM ' Generated by inventory ([^ ]+)\.$')
$$;
COMMENT ON FUNCTION inventory.generated_by(oid) IS 'The version of the extension that has generated a function, null if its comment does not name one.';

CREATE FUNCTION inventory.count_outdated(item_table regclass) RETURNS bigint
	LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
	SELECT count(*)
	FROM inventory.store AS s CROSS JOIN LATERAL inventory.facade_of(s) AS f
	WHERE s.items = item_table AND inventory.generated_by(f.function_id) <> inventory.extension_version()
$$;
COMMENT ON FUNCTION inventory.count_outdated(regclass) IS 'How many generated functions of a store another version of the extension has generated. Part of verify.';

CREATE FUNCTION inventory.stale_functions(binding inventory.store_binding) RETURNS oid[]
	LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp SET quote_all_identifiers = off AS $$
	SELECT array_agg(o.oid)
	FROM inventory.existing_facade(binding) AS g
	JOIN inventory.facade_functions() AS f USING (function_name)
	JOIN pg_proc AS o ON o.oid = g.function_id
	CROSS JOIN LATERAL (
		SELECT string_agg(a.name || ' ' || a.type, ', ' ORDER BY a.n) AS arguments,
			   count(a.default_value) AS defaults
		FROM inventory.facade_arguments(binding, f.arguments) AS a) AS w
	WHERE (o.pronamespace::oid, pg_get_function_identity_arguments(o.oid), o.pronargdefaults,
		   pg_get_function_result(o.oid)) IS DISTINCT FROM
		  (to_regnamespace(quote_ident(inventory.facade_schema(binding, f.part)))::oid, w.arguments,
		   w.defaults, inventory.fill_types(binding, f.result))
$$;
COMMENT ON FUNCTION inventory.stale_functions(inventory.store_binding) IS 'The generated functions of a store that CREATE OR REPLACE cannot replace: they are in another schema or have another signature.';

CREATE FUNCTION inventory.warn_writable_schemas(binding inventory.store_binding) RETURNS void
	LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	writable text;
	foreign_schema record;
BEGIN
	SELECT string_agg(DISTINCT quote_ident(n.nspname), ', ') INTO writable
	FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
	CROSS JOIN LATERAL aclexplode(n.nspacl) AS a
	WHERE c.oid IN (binding.items, binding.orders, binding.header)
	AND a.privilege_type = 'CREATE' AND a.grantee NOT IN (n.nspowner, binding.owner);
	IF writable IS NOT NULL THEN
		RAISE WARNING 'other roles may create objects in schema %', writable
			USING HINT = 'The generated functions run as the owner of the tables, with these schemas in their search_path. Revoke CREATE from roles that you do not trust.';
	END IF;
	FOR foreign_schema IN
		SELECT n.nspname, r.rolname FROM pg_namespace AS n JOIN pg_roles AS r ON r.oid = n.nspowner
		WHERE (n.nspname IN (binding.api_schema, binding.ledger_schema)
			   OR n.oid IN (SELECT c.relnamespace FROM pg_class AS c
							WHERE c.oid IN (binding.items, binding.orders, binding.header)))
		AND r.oid <> binding.owner AND NOT r.rolsuper AND r.rolname <> 'pg_database_owner'
		ORDER BY n.nspname
	LOOP
		RAISE WARNING 'schema % belongs to role %', quote_ident(foreign_schema.nspname), quote_ident(foreign_schema.rolname)
			USING DETAIL = 'The owner of a schema can create objects in it, and drop those of others.',
				  HINT = format('If you do not trust it: ALTER SCHEMA %I OWNER TO %s;', foreign_schema.nspname,
								CASE pg_get_userbyid(binding.owner) WHEN session_user THEN 'CURRENT_USER'
								ELSE quote_ident(pg_get_userbyid(binding.owner)) END);
	END LOOP;
END
$$;
COMMENT ON FUNCTION inventory.warn_writable_schemas(inventory.store_binding) IS 'Warns if other roles could create objects that hide what the triggers of the shop call, or drop those of the store.';

-- Not by REVOKE and COMMENT, which look for a function of this name in every schema.
CREATE FUNCTION inventory.restrict_function(function oid) RETURNS void
	LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'inventory_restrict_function';
COMMENT ON FUNCTION inventory.restrict_function(oid) IS 'Revokes the rights of all roles but the owner on a function. Part of attach and refresh.';

CREATE FUNCTION inventory.describe_function(function oid, description text) RETURNS void
	LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'inventory_describe_function';
COMMENT ON FUNCTION inventory.describe_function(oid, text) IS 'Sets the comment of a function. Part of attach and refresh.';

-- Existing functions are replaced and not dropped, because of running calls and of grants.  Bodies
-- are not checked: the server would look for functions of the same name in every schema.
CREATE FUNCTION inventory.make_facade(binding inventory.store_binding) RETURNS void
	LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp
	SET check_function_bodies = off AS $$
DECLARE
	f record;
	kept name[];
	schema_id oid;
BEGIN
	PERFORM inventory.drop_functions(inventory.stale_functions(binding));
	PERFORM inventory.check_facade_names(binding);
	PERFORM inventory.check_schema_create(binding.api_schema);
	kept := ARRAY(SELECT g.function_name FROM inventory.existing_facade(binding) AS g);
	FOR f IN SELECT * FROM inventory.facade_functions() LOOP
		EXECUTE CASE WHEN f.function_name = ANY (kept) THEN 'CREATE OR REPLACE ' ELSE 'CREATE ' END ||
			inventory.facade_definition(binding, f.part, f.function_name, f.arguments, f.result,
										f.volatility);
	END LOOP;
	FOR schema_id IN
		SELECT n.oid FROM pg_namespace AS n WHERE n.nspname IN (binding.api_schema, binding.ledger_schema)
	LOOP
		FOR f IN
			SELECT o.oid, o.proname, o.proacl, g.description
			FROM inventory.functions_in(schema_id) AS o
			JOIN inventory.facade_functions() AS g ON g.function_name = o.proname
			WHERE o.pronamespace = to_regnamespace(quote_ident(inventory.facade_schema(binding, g.part)))
		LOOP
			PERFORM inventory.describe_function(f.oid, format('%s Generated by inventory %s.', f.description,
															   inventory.extension_version()));
			-- without an ACL PUBLIC may execute it: it was restored without privileges
			IF f.proname <> ALL (kept) OR f.proacl IS NULL THEN
				PERFORM inventory.restrict_function(f.oid);
			END IF;
		END LOOP;
	END LOOP;
	PERFORM inventory.warn_writable_schemas(binding);
END
$$;
COMMENT ON FUNCTION inventory.make_facade(inventory.store_binding) IS 'Creates or replaces the generated functions of a store.';

-- ---------------------------------------------------------------- results
--
-- The views of a ledger and the result types of the generated functions.  attach and
-- refresh make them; one that fits stays, because the shop may use it in its own views and
-- running calls return it.

CREATE FUNCTION inventory.reads_relation(view oid, relation oid) RETURNS boolean
	LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
	SELECT EXISTS (
		SELECT FROM pg_rewrite AS r JOIN pg_depend AS d ON d.objid = r.oid
		WHERE r.ev_class = view AND d.classid = 'pg_rewrite'::regclass
		AND d.refclassid = 'pg_class'::regclass AND d.refobjid = relation)
$$;
COMMENT ON FUNCTION inventory.reads_relation(oid, oid) IS 'True if a view depends on a relation.';

CREATE FUNCTION inventory.is_open_reservations(view pg_class) RETURNS boolean
	LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
	SELECT view.relname = 'open_reservations' AND EXISTS (
		SELECT FROM pg_class AS r WHERE r.relnamespace = view.relnamespace AND r.relname = 'reservations'
		AND inventory.reads_relation(view.oid, r.oid))
$$;
COMMENT ON FUNCTION inventory.is_open_reservations(pg_class) IS 'True for the view open_reservations of a ledger.';

CREATE FUNCTION inventory.returned_by_store(type_id oid, store inventory.store) RETURNS boolean
	LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
	SELECT EXISTS (
		SELECT FROM pg_depend AS d JOIN pg_proc AS p ON p.oid = d.objid
		WHERE d.refclassid = 'pg_type'::regclass AND d.refobjid = type_id
		AND d.classid = 'pg_proc'::regclass AND inventory.is_generated(p, store))
$$;
COMMENT ON FUNCTION inventory.returned_by_store(oid, inventory.store) IS 'True if a generated function of a store returns a type.';

-- By what they are made of, because an owner can move the ledger into a schema that has other
-- objects with these names.  A type that the owner has changed is known by the functions that
-- return it.
CREATE FUNCTION inventory.generated_relations(store inventory.store) RETURNS SETOF pg_class
	LANGUAGE sql STABLE ROWS 5 SET search_path = pg_catalog, pg_temp AS $$
	SELECT c.* FROM pg_class AS m JOIN pg_class AS c ON c.relnamespace = m.relnamespace
	WHERE m.oid = store.movements AND c.relowner = m.relowner
	AND CASE c.relkind
	WHEN 'v' THEN c.relname IN ('levels', 'sellable') AND inventory.reads_relation(c.oid, store.items)
		OR c.relname = 'order_worth' AND inventory.reads_relation(c.oid, store.orders)
		OR inventory.is_open_reservations(c)
	WHEN 'c' THEN c.relname IN ('line', 'hold', 'held_line', 'open_hold', 'item_level', 'refunded_order') AND (
		inventory.returned_by_store(c.reltype, store)
		OR ARRAY(SELECT a.attname FROM pg_attribute AS a
				 WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum)
		IN ('{status,item_id,quantity,order_id,available,replayed,header_id}',
			'{status,reservation_id,expires_at,short_lines}',
			'{status,expires_at,item_id,quantity,order_id}',
			'{reservation_id,item_id,quantity,expires_at}', '{item_id,available}',
			'{order_id,status,quantity}'))
	ELSE false END
$$;
COMMENT ON FUNCTION inventory.generated_relations(inventory.store) IS 'The views and result types that attach made in the ledger schema of a store.';

CREATE FUNCTION inventory.existing_relations(binding inventory.store_binding, relation name)
	RETURNS oid[]
	LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
	SELECT ARRAY(SELECT c.oid FROM inventory.store AS s, inventory.generated_relations(s) AS c
				 WHERE s.items = binding.items AND c.relname = relation)
$$;
COMMENT ON FUNCTION inventory.existing_relations(inventory.store_binding, name) IS 'The view or result type of a name that attach made for the store of a binding, if there is one.';

CREATE FUNCTION inventory.check_dependents(relations oid[]) RETURNS void
	LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	views text;
	first record;
BEGIN
	-- what depends on such a view, too: it has to go first
	WITH RECURSIVE above(view, level) AS (
		SELECT r.ev_class, 1 FROM pg_depend AS d JOIN pg_rewrite AS r ON r.oid = d.objid
		WHERE d.classid = 'pg_rewrite'::regclass AND d.refclassid = 'pg_class'::regclass
		AND d.refobjid = ANY (relations) AND NOT r.ev_class = ANY (relations)
		UNION
		SELECT r.ev_class, a.level + 1 FROM above AS a JOIN pg_depend AS d ON d.refobjid = a.view
		JOIN pg_rewrite AS r ON r.oid = d.objid
		WHERE d.classid = 'pg_rewrite'::regclass AND d.refclassid = 'pg_class'::regclass AND r.ev_class <> a.view
	), deepest AS (SELECT a.view, max(a.level) AS level FROM above AS a GROUP BY a.view)
	SELECT string_agg(format('DROP %s %s;', CASE c.relkind WHEN 'm' THEN 'MATERIALIZED VIEW' WHEN 'v' THEN 'VIEW' ELSE 'TABLE' END, v.view::regclass),
					  E'\n' ORDER BY v.level DESC, v.view::regclass::text)
	INTO views FROM deepest AS v JOIN pg_class AS c ON c.oid = v.view;
	IF views IS NULL THEN
		RETURN;
	END IF;
	SELECT r.ev_class::regclass AS view, d.refobjid::regclass AS relation INTO first
	FROM pg_depend AS d JOIN pg_rewrite AS r ON r.oid = d.objid
	WHERE d.classid = 'pg_rewrite'::regclass AND d.refclassid = 'pg_class'::regclass
	AND d.refobjid = ANY (relations) AND NOT r.ev_class = ANY (relations)
	ORDER BY r.ev_class::regclass::text LIMIT 1;
	RAISE EXCEPTION '% reads %, which has to be made again', first.view, first.relation
		USING ERRCODE = 'dependent_objects_still_exist',
			  HINT = E'Keep the definitions, for example by pg_get_viewdef, drop the views, and create them afterwards:\n' || views;
END
$$;
COMMENT ON FUNCTION inventory.check_dependents(oid[]) IS 'Raises an error that names the views of the shop which keep generated views from being dropped.';

CREATE FUNCTION inventory.drop_relations(relations oid[]) RETURNS void
	LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	relation regclass;
BEGIN
	PERFORM inventory.check_dependents(relations);
	FOREACH relation IN ARRAY relations LOOP
		EXECUTE format('DROP %s %s', (SELECT CASE c.relkind WHEN 'v' THEN 'VIEW' ELSE 'TYPE' END
									  FROM pg_class AS c WHERE c.oid = relation), relation);
	END LOOP;
END
$$;
COMMENT ON FUNCTION inventory.drop_relations(oid[]) IS 'Drops views and result types.';

CREATE FUNCTION inventory.result_columns(binding inventory.store_binding, relation name)
	RETURNS text
	LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
	SELECT string_agg(format('%I %s', a.attname, format_type(a.atttypid, a.atttypmod)), ', '
					  ORDER BY a.attnum)
	FROM pg_class AS m
	JOIN pg_class AS c ON c.relnamespace = m.relnamespace AND c.relowner = m.relowner
	JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attnum > 0
	WHERE m.relnamespace = to_regnamespace(quote_ident(binding.ledger_schema))
	AND m.relname = 'movements' AND c.relname = relation AND c.relkind IN ('v', 'c')
$$;
COMMENT ON FUNCTION inventory.result_columns(inventory.store_binding, name) IS 'The columns of a view or type that belongs to the owner of the ledger, as in its definition; null if there is none.';

CREATE FUNCTION inventory.make_result_type(binding inventory.store_binding, type_name name,
										   template text, description text) RETURNS void
	LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp
	SET client_min_messages = warning SET quote_all_identifiers = off AS $$
DECLARE
	type text := format('%I.%I', binding.ledger_schema, type_name);
	columns text := inventory.fill_types(binding, template);
	fits boolean := coalesce(inventory.result_columns(binding, type_name) = columns, false);
	relations oid[];
BEGIN
	IF NOT fits THEN
		-- before its functions, by which a type is known
		relations := inventory.existing_relations(binding, type_name);
		PERFORM inventory.drop_functions(ARRAY(
			SELECT f.function_id FROM inventory.existing_facade(binding) AS f
			JOIN pg_proc AS o ON o.oid = f.function_id WHERE o.prorettype = to_regtype(type)));
		PERFORM inventory.drop_relations(relations);
		EXECUTE format('CREATE TYPE %s AS (%s)', type, columns);
	END IF;
	-- without an ACL PUBLIC may use it: it was restored without privileges
	IF NOT fits OR (SELECT t.typacl FROM pg_type AS t WHERE t.oid = to_regtype(type)) IS NULL THEN
		PERFORM inventory.restrict_to_owner('TYPE', type, binding.owner);
	END IF;
	EXECUTE format('COMMENT ON TYPE %s IS %L', type, description);
END
$$;
COMMENT ON FUNCTION inventory.make_result_type(inventory.store_binding, name, text, text) IS 'Creates a result type of the generated functions of a store. If one exists that does not fit, drops it and the functions that return it.';

CREATE FUNCTION inventory.make_levels(binding inventory.store_binding) RETURNS void
	LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp
	SET client_min_messages = warning SET quote_all_identifiers = off AS $$
DECLARE
	floor text := coalesce('coalesce(i.' || quote_ident(binding.stock_floor) || ', 0)::numeric', '0');
	max_stock text := CASE binding.stock_type WHEN 'smallint'::regtype THEN '32767'
					  WHEN 'integer'::regtype THEN '2147483647' ELSE '9223372036854775807' END;
	fits boolean := coalesce(inventory.result_columns(binding, 'levels') = inventory.fill_types(binding,
		'item_id {item_id_type}, available bigint, reserved bigint, on_hand bigint, hot boolean'), false);
BEGIN
	IF NOT fits THEN
		PERFORM inventory.drop_relations(inventory.existing_relations(binding, 'levels'));
	END IF;
	EXECUTE CASE WHEN fits THEN 'CREATE OR REPLACE' ELSE 'CREATE' END || format($sql$
		VIEW %1$I.levels AS
		SELECT i.%2$I::%6$s AS item_id,
			   CASE WHEN i.%3$I IS NOT NULL
			   THEN least(greatest(i.%3$I::numeric + coalesce(u.unsettled, 0) + coalesce(r.overdue, 0) - %4$s, 0), %5$s)::bigint END AS available,
			   least(coalesce(r.held - r.overdue, 0), 9223372036854775807)::bigint AS reserved,
			   CASE WHEN i.%3$I IS NOT NULL
			   THEN least(i.%3$I::numeric + coalesce(u.unsettled, 0) + coalesce(r.held, 0), 9223372036854775807)::bigint END AS on_hand,
			   coalesce(u.hot, false) AS hot
		FROM ONLY %7$s AS i
		LEFT JOIN (SELECT h.item_id, sum(h.quantity) AS held,
						  coalesce(sum(h.quantity) FILTER (WHERE h.expires_at <= clock_timestamp()), 0) AS overdue
				   FROM %1$I.reservations AS h WHERE h.status = 'held' AND h.tracked
				   GROUP BY h.item_id) AS r ON r.item_id = i.%2$I
		LEFT JOIN LATERAL (
			SELECT t.hot, (SELECT sum(m.delta) FROM %1$I.movements AS m
						   WHERE m.item_id = t.item_id AND m.epoch > t.settled_epoch) AS unsettled
			FROM %1$I.hot AS t WHERE t.item_id = i.%2$I AND t.hot) AS u ON true$sql$,
		binding.ledger_schema, binding.item_id, binding.stock, floor, max_stock,
		inventory.type_name(binding.item_type), binding.items);
	EXECUTE format('COMMENT ON VIEW %I.levels IS %L', binding.ledger_schema,
				   'Stock of each item, in units: available can be sold, reserved is held, on_hand is what is there, reserved units included; null where stock is not tracked.');
	IF NOT fits THEN
		PERFORM inventory.restrict_to_owner('TABLE', format('%I.levels', binding.ledger_schema),
											binding.owner);
	END IF;
END
$$;
COMMENT ON FUNCTION inventory.make_levels(inventory.store_binding) IS 'Creates or replaces the view of the stock of a store.';

CREATE FUNCTION inventory.make_open_reservations(binding inventory.store_binding) RETURNS void
	LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	qualified text := format('%I.open_reservations', binding.ledger_schema);
	fits boolean := coalesce(inventory.result_columns(binding, 'open_reservations') = inventory.fill_types(binding,
		'reservation_id uuid, item_id {item_id_type}, quantity bigint, user_id {user_id_type}, decided boolean, expires_at timestamp with time zone, created_at timestamp with time zone'), false);
BEGIN
	IF NOT fits THEN
		PERFORM inventory.drop_relations(inventory.existing_relations(binding, 'open_reservations'));
	END IF;
	EXECUTE CASE WHEN fits THEN 'CREATE OR REPLACE' ELSE 'CREATE' END || format($sql$
		VIEW %s AS
		SELECT r.reservation_id, r.item_id, r.quantity, r.user_id, r.expires_at = 'infinity' AS decided,
			   r.expires_at, r.created_at
		FROM %I.reservations AS r WHERE r.status = 'held' AND r.expires_at > clock_timestamp()$sql$,
		qualified, binding.ledger_schema);
	EXECUTE format('COMMENT ON VIEW %s IS %L', qualified,
				   'The lines of reservations that hold units now. decided: it does not expire, and waits for its confirmation or release.');
	IF NOT fits THEN
		PERFORM inventory.restrict_to_owner('TABLE', qualified, binding.owner);
	END IF;
END
$$;
COMMENT ON FUNCTION inventory.make_open_reservations(inventory.store_binding) IS 'Creates or replaces the view of the open reservations of a store.';

CREATE FUNCTION inventory.make_sellable(binding inventory.store_binding, view_name name) RETURNS void
	LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	qualified text := format('%I.%I', binding.ledger_schema, view_name);
	exists boolean := inventory.existing_relations(binding, view_name) <> '{}';
BEGIN
	BEGIN
		-- only one expression with balanced parentheses is valid in both statements.
		EXECUTE format(E'SELECT CASE WHEN (%s\n) THEN 1 END FROM ONLY %s AS i LIMIT 0',
					   binding.sellable, binding.items);
		EXECUTE format(E'%s VIEW %s AS SELECT i.%I AS item_id FROM ONLY %s AS i WHERE (%s\n)',
					   CASE WHEN exists THEN 'CREATE OR REPLACE' ELSE 'CREATE' END, qualified, binding.item_id,
					   binding.items, binding.sellable);
	EXCEPTION WHEN syntax_error_or_access_rule_violation THEN
		RAISE EXCEPTION 'sellable is not a condition on %: %', binding.items, SQLERRM
			USING ERRCODE = SQLSTATE,
				  HINT = 'Write it as after WHERE, for example status = ''live'', with the schemas of the tables and functions in it.';
	END;
	EXECUTE format('COMMENT ON VIEW %s IS %L', qualified,
				   'The items that are for sale. The engine reads the condition from this view.');
	IF NOT exists THEN
		PERFORM inventory.restrict_to_owner('TABLE', qualified, binding.owner);
	END IF;
END
$$;
COMMENT ON FUNCTION inventory.make_sellable(inventory.store_binding, name) IS 'Creates or replaces a view of the items that are for sale.';

-- In the schema of the ledger.  One that takes the rows of orders is of the store: it was made
-- by attach, and it goes with their table.
CREATE FUNCTION inventory.worth_functions(store inventory.store) RETURNS oid[]
	LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
	SELECT ARRAY(
		SELECT p.oid FROM pg_class AS m JOIN pg_proc AS p ON p.pronamespace = m.relnamespace
		JOIN pg_class AS o ON o.oid = store.orders AND p.proargtypes[0] = o.reltype
		WHERE m.oid = store.movements AND p.proowner = m.relowner
		AND p.proname IN ('order_units', 'order_final')
		-- order_final of a line calls that of its rows
		ORDER BY p.pronargs)
$$;
COMMENT ON FUNCTION inventory.worth_functions(inventory.store) IS 'The functions order_units and order_final of a store.';

CREATE FUNCTION inventory.drop_worth(store inventory.store) RETURNS void
	LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	worth_function oid;
BEGIN
	PERFORM inventory.drop_relations(ARRAY(SELECT c.oid FROM inventory.generated_relations(store) AS c
										   WHERE pg_has_role(c.relowner, 'USAGE') AND c.relname = 'order_worth'));
	FOREACH worth_function IN ARRAY inventory.worth_functions(store) LOOP
		PERFORM inventory.drop_functions(ARRAY[worth_function]);
	END LOOP;
END
$$;
COMMENT ON FUNCTION inventory.drop_worth(inventory.store) IS 'Drops the functions order_units and order_final of a store, and the view order_worth.';

-- "more" are further arguments, which tell a function that is only to be read from the store's own.
CREATE FUNCTION inventory.make_worth_function(binding inventory.store_binding, function_name name,
											  expression text, template text, more text) RETURNS oid
	LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	signature text := format('%I.%I', binding.ledger_schema, function_name);
	header text := ', ' || binding.header::text;
	made oid;
BEGIN
	BEGIN
		-- only one expression with balanced parentheses is valid in both statements
		EXECUTE format(E'SELECT CASE WHEN true THEN (%s\n) END FROM ONLY %s AS line%s LIMIT 0', expression,
					   binding.orders, coalesce(header || ' AS header', ''));
		EXECUTE format(E'CREATE FUNCTION %s(line %s%s%s) ' || template, signature, binding.orders,
					   coalesce(', header ' || binding.header::text, ''), more, expression);
	EXCEPTION WHEN syntax_error_or_access_rule_violation THEN
		RAISE EXCEPTION '% is not an expression over the rows "line" of % and "header": %', function_name,
						binding.orders, SQLERRM
			USING ERRCODE = SQLSTATE,
				  HINT = CASE WHEN binding.header IS NULL
						 THEN 'For columns of the headers name their table: order_header => ''...''.'
						 ELSE 'Write columns as line.quantity and header.status, and functions and types with their schema.' END;
	END;
	made := to_regprocedure(format('%s(%s%s%s)', signature, binding.orders, coalesce(header, ''), more));
	PERFORM inventory.check_row_expression(made, function_name);
	EXECUTE format('REVOKE ALL ON FUNCTION %s FROM PUBLIC', made::regprocedure);
	EXECUTE format('COMMENT ON FUNCTION %s IS %L', made::regprocedure, CASE function_name
		WHEN 'order_units' THEN 'What an order line is worth, in units.'
		ELSE 'True if an order line is final: what falls on it gives nothing back.' END);
	RETURN made;
END
$$;
COMMENT ON FUNCTION inventory.make_worth_function(inventory.store_binding, name, text, text, text) IS 'Creates order_units or order_final of a store from its expression.';

CREATE FUNCTION inventory.make_worth_functions(binding inventory.store_binding, more text, OUT order_units oid,
											   OUT order_final oid)
	LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	order_units := inventory.make_worth_function(binding, 'order_units',
		coalesce(binding.order_units, 'line.' || quote_ident(binding.order_quantity), '1'),
		E'RETURNS bigint LANGUAGE sql IMMUTABLE PARALLEL SAFE RETURN trunc(least(greatest(nullif((%s\n)::numeric, ''NaN''), 0), 9223372036854775807))::bigint', more);
	order_final := inventory.make_worth_function(binding, 'order_final', coalesce(binding.order_final, 'false'),
		E'RETURNS boolean LANGUAGE sql IMMUTABLE PARALLEL SAFE RETURN (%s\n)', more);
END
$$;
COMMENT ON FUNCTION inventory.make_worth_functions(inventory.store_binding, text) IS 'Creates the functions order_units and order_final of both rows.';

CREATE FUNCTION inventory.make_worth(binding inventory.store_binding) RETURNS void
	LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	view_name text := format('%I.order_worth', binding.ledger_schema);
	-- not "line": a column can be called so
	rows text := 'line.*' || CASE WHEN binding.header IS NULL THEN '' ELSE ', header.*' END;
BEGIN
	IF NOT binding.has_order_units THEN
		RETURN;
	END IF;
	PERFORM inventory.make_worth_functions(binding, '');
	IF binding.header IS NOT NULL THEN
		-- the header of a line that is deleted is looked up
		EXECUTE format($sql$
			CREATE FUNCTION %1$I.order_final(line %2$s) RETURNS boolean LANGUAGE sql STABLE PARALLEL SAFE
			RETURN coalesce((SELECT %1$I.order_final(line.*, header.*) FROM %3$s AS header WHERE header.%4$I = line.%5$I),
							%1$I.order_final(line.*, NULL::%3$s))$sql$,
			binding.ledger_schema, binding.orders, binding.header, binding.header_id,
			binding.order_header_id);
		EXECUTE format('REVOKE ALL ON FUNCTION %I.order_final(%s) FROM PUBLIC', binding.ledger_schema, binding.orders);
		EXECUTE format('COMMENT ON FUNCTION %I.order_final(%s) IS %L', binding.ledger_schema, binding.orders,
					   'True if an order line is final, by the row of its header as it is.');
	END IF;
	EXECUTE format($sql$
		CREATE VIEW %1$s AS
		SELECT line.%2$I::%3$s AS order_id, line.%4$I AS item_id,
			   CASE WHEN line.%4$I IS NULL THEN 0
			   ELSE greatest(coalesce(%5$I.order_units(%6$s), 0), 0) END AS units,
			   coalesce(%5$I.order_final(%6$s), false) AS final
		FROM %7$s AS line %8$s$sql$,
		view_name, binding.order_id, inventory.type_name(binding.order_type), binding.order_item_id, binding.ledger_schema,
		rows, binding.orders,
		CASE WHEN binding.header IS NOT NULL THEN format('LEFT JOIN %s AS header ON header.%I = line.%I', binding.header,
														 binding.header_id, binding.order_header_id) END);
	EXECUTE format('COMMENT ON VIEW %s IS %L', view_name,
				   'What each order line is worth, in units, by order_units, and whether it is final, by order_final.');
	PERFORM inventory.restrict_to_owner('TABLE', view_name, binding.owner);
END
$$;
COMMENT ON FUNCTION inventory.make_worth(inventory.store_binding) IS 'Creates the functions order_units and order_final of a store, and the view order_worth.';

CREATE FUNCTION inventory.make_results(binding inventory.store_binding) RETURNS void
	LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	PERFORM inventory.make_levels(binding);
	PERFORM inventory.make_open_reservations(binding);
	IF binding.sellable IS NOT NULL THEN
		PERFORM inventory.make_sellable(binding, 'sellable');
	END IF;
	PERFORM inventory.make_result_type(binding, 'line',
		'status text, item_id {item_id_type}, quantity {quantity_type}, order_id {order_id_type}, available {quantity_type}, replayed boolean, header_id {header_id_type}',
		'A line of the answer to a cart. status: ok, the name of the refusal, or not_taken if another line is at fault. available: units that can be sold afterwards. header_id: the key of the header of the line, where the store has headers.');
	PERFORM inventory.make_result_type(binding, 'hold',
		'status text, reservation_id uuid, expires_at timestamp with time zone, short_lines jsonb',
		'The answer of try_reserve_cart. status: ok or the name of the refusal. short_lines: the lines that were refused.');
	PERFORM inventory.make_result_type(binding, 'held_line',
		'status text, expires_at timestamp with time zone, item_id {item_id_type}, quantity {quantity_type}, order_id {order_id_type}',
		'A line of a reservation. status: held, confirmed, released or expired at the time of the call.');
	PERFORM inventory.make_result_type(binding, 'open_hold',
		'reservation_id uuid, item_id {item_id_type}, quantity {quantity_type}, expires_at timestamp with time zone',
		'A line of an open hold: the answer of my_reservations.');
	PERFORM inventory.make_result_type(binding, 'item_level',
		'item_id {item_id_type}, available {quantity_type}',
		'The answer of available_stocks. available: units that can be sold, null where the stock is not tracked.');
	PERFORM inventory.make_result_type(binding, 'refunded_order',
		'order_id {order_id_type}, status text, quantity {quantity_type}',
		'The answer of refund_orders. status: ok, or the name of the refusal. quantity: the units that the call has refunded.');
END
$$;
COMMENT ON FUNCTION inventory.make_results(inventory.store_binding) IS 'Makes the views and the result types of a store.';

-- ---------------------------------------------------------------- rows of orders
--
-- The function prepare_order of a ledger: it makes the rows of orders and of their header, so
-- that prices are the shop's and not the buyer's.  The engine finds it by its name.

CREATE FUNCTION inventory.prepare_comment(store_name text) RETURNS text
	LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
	SELECT 'Makes the rows of orders of store ' || store_name || ': {"header": {...}, "lines": [{...}, ...]}, of the user, the lines and the order_data of a purchase. User, item and quantity are the engine''s.'
$$;
COMMENT ON FUNCTION inventory.prepare_comment(text) IS 'The comment on prepare_order, by which an earlier one of the store is recognized.';

CREATE FUNCTION inventory.prepare_function(store inventory.store) RETURNS oid
	LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
	SELECT p.oid FROM pg_class AS m JOIN pg_proc AS p ON p.pronamespace = m.relnamespace
	WHERE m.oid = store.movements AND p.proname = 'prepare_order' AND p.proowner = m.relowner
	AND p.pronargs = 3 AND p.proargtypes[1] = 'jsonb'::regtype AND p.proargtypes[2] = 'jsonb'::regtype
	-- a dump can have been restored without comments
	AND (store.has_prepare IS TRUE
		 OR obj_description(p.oid, 'pg_proc') = inventory.prepare_comment(store.store_name))
$$;
COMMENT ON FUNCTION inventory.prepare_function(inventory.store) IS 'The function prepare_order that attach made for a store, or null.';

-- The row of an item has the names of its columns, except those that mean something else.
CREATE FUNCTION inventory.item_alias(binding inventory.store_binding, taken name[]) RETURNS text
	LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
	SELECT format('item (%s)', string_agg(quote_ident(CASE
			   WHEN a.attname = ANY ('{quantity,user_id,order_data}'::name[] || taken) THEN 'item_' || a.attname
			   ELSE a.attname END), ', ' ORDER BY a.attnum))
	FROM pg_attribute AS a WHERE a.attrelid = binding.items AND a.attnum > 0 AND NOT a.attisdropped
$$;
COMMENT ON FUNCTION inventory.item_alias(inventory.store_binding, name[]) IS 'The alias of items in prepare_order: a column with one of the given names, or with that of an argument, gets "item_" in front.';

CREATE FUNCTION inventory.value_list(object jsonb, template text) RETURNS text
	LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
	SELECT string_agg(format(template, e.key, e.value), ', ' ORDER BY e.n)
	FROM jsonb_each_text(coalesce(object, '{}')) WITH ORDINALITY AS e(key, value, n)
$$;
COMMENT ON FUNCTION inventory.value_list(jsonb, text) IS 'The expressions of order_values or header_values, each in a template with its column and itself, separated by commas.';

CREATE FUNCTION inventory.prepare_body(binding inventory.store_binding) RETURNS text
	LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
	SELECT format(E'SELECT jsonb_build_object(''header'', jsonb_build_object(%1$s),\n\t''lines'', jsonb_agg(to_jsonb(value.*) ORDER BY line."line number"))\nFROM jsonb_array_elements(prepare_order.lines) WITH ORDINALITY AS line ("line value", "line number")\nCROSS JOIN LATERAL (SELECT (line."line value" ->> ''item_id'')::%2$s AS "line item",\n\t(line."line value" ->> ''quantity'')::bigint AS quantity) AS call\nCROSS JOIN LATERAL (SELECT %3$s FROM (SELECT) AS one\n\tLEFT JOIN ONLY %4$s AS %5$s ON item.%7$I = call."line item") AS value\nLEFT JOIN ONLY %4$s AS %6$s ON item.%8$I = call."line item"',
		coalesce(inventory.value_list(binding.header_values, E'%1$L, (%2$s\n)'), ''), binding.item_type,
		coalesce(inventory.value_list(binding.order_values, E'(%2$s\n) AS %1$I'), ''), binding.items,
		inventory.item_alias(binding, '{}'), inventory.item_alias(binding, a.columns),
		CASE WHEN binding.item_id = ANY ('{quantity,user_id,order_data}') THEN 'item_' || binding.item_id
			 ELSE binding.item_id END,
		CASE WHEN binding.item_id = ANY ('{quantity,user_id,order_data}'::name[] || a.columns)
			 THEN 'item_' || binding.item_id ELSE binding.item_id END)
	FROM (VALUES (inventory.value_keys(binding.order_values))) AS a(columns)
$$;
COMMENT ON FUNCTION inventory.prepare_body(inventory.store_binding) IS 'The query of a prepare_order that computes order_values and header_values.';

CREATE FUNCTION inventory.check_prepare(binding inventory.store_binding) RETURNS void
	LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	p pg_proc;
BEGIN
	SELECT * INTO p FROM pg_proc AS f WHERE f.oid = binding.order_prepare;
	IF NOT FOUND THEN
		RAISE EXCEPTION 'function % does not exist', binding.order_prepare USING ERRCODE = 'undefined_function';
	ELSIF p.proowner <> binding.owner THEN
		RAISE EXCEPTION 'function % and its store have different owners', binding.order_prepare
			USING ERRCODE = 'insufficient_privilege',
				  HINT = format('ALTER FUNCTION %s OWNER TO %I;', binding.order_prepare, pg_get_userbyid(binding.owner));
	ELSIF p.pronargs <> 3 OR p.prorettype <> 'jsonb'::regtype OR p.proretset OR p.prokind <> 'f'
		  OR inventory.base_type(p.proargtypes[0]) <> binding.user_type
		  OR p.proargtypes[1] <> 'jsonb'::regtype OR p.proargtypes[2] <> 'jsonb'::regtype THEN
		RAISE EXCEPTION 'function % cannot be order_prepare', binding.order_prepare
			USING ERRCODE = 'invalid_function_definition',
				  HINT = format('Its arguments must be (user_id %s, lines jsonb, order_data jsonb), and its result jsonb.',
								binding.user_type);
	ELSIF p.provolatile = 'v' THEN
		RAISE EXCEPTION 'function % cannot be order_prepare: it is volatile', binding.order_prepare
			USING ERRCODE = 'invalid_function_definition',
				  HINT = format('It must leave nothing behind if the purchase is refused: ALTER FUNCTION %s STABLE;', binding.order_prepare);
	END IF;
END
$$;
COMMENT ON FUNCTION inventory.check_prepare(inventory.store_binding) IS 'Raises an error if a function of the shop cannot make the rows of orders.';

-- "more" are further arguments, which tell a function that is only to be read from the store's own.
CREATE FUNCTION inventory.make_prepare(binding inventory.store_binding, more text) RETURNS oid
	LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	signature text := format('%I.prepare_order(%s, jsonb, jsonb%s)', binding.ledger_schema, binding.user_type, more);
	body text;
	p pg_proc;
BEGIN
	IF binding.order_prepare IS NOT NULL THEN
		SELECT * INTO p FROM pg_proc AS f WHERE f.oid = binding.order_prepare;
		body := format('SELECT %I.%I(prepare_order.user_id::%s, prepare_order.lines, prepare_order.order_data)',
					   (SELECT n.nspname FROM pg_namespace AS n WHERE n.oid = p.pronamespace), p.proname,
					   p.proargtypes[0]::regtype);
	ELSIF num_nonnulls(binding.order_values, binding.header_values) > 0 THEN
		body := inventory.prepare_body(binding);
	ELSE
		RETURN NULL;
	END IF;
	BEGIN
		EXECUTE format(E'CREATE FUNCTION %I.prepare_order(user_id %s, lines jsonb, order_data jsonb%s) RETURNS jsonb\nLANGUAGE sql STABLE PARALLEL UNSAFE\nBEGIN ATOMIC\n%s;\nEND',
					   binding.ledger_schema, binding.user_type, more, body);
	EXCEPTION WHEN syntax_error_or_access_rule_violation OR data_exception THEN
		IF binding.order_prepare IS NOT NULL OR SQLSTATE IN ('42723', '42501') THEN
			RAISE;
		END IF;
		RAISE EXCEPTION 'order_values or header_values are not expressions: %', SQLERRM
			USING ERRCODE = SQLSTATE,
				  HINT = 'Write expressions over columns of the item, quantity, user_id and order_data, with the schemas of the tables and functions in them; in header_values aggregates over the lines.';
	END;
	PERFORM inventory.restrict_function(signature::regprocedure);
	PERFORM inventory.describe_function(signature::regprocedure, inventory.prepare_comment(binding.store_name));
	RETURN signature::regprocedure;
END
$$;
COMMENT ON FUNCTION inventory.make_prepare(inventory.store_binding, text) IS 'Creates the function prepare_order of a store that has order_prepare, order_values or header_values.';

CREATE FUNCTION inventory.warn_settable_values(items regclass) RETURNS void
	LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	named text;
BEGIN
	PERFORM inventory.check_owner(items);
	SELECT string_agg(format('%s.%I', b.relation, b.column_name), ', ' ORDER BY b.relation::text, b.n) INTO named
	FROM inventory.store AS s CROSS JOIN LATERAL inventory.bound_columns(s) AS b
	JOIN pg_attribute AS a ON a.attrelid = b.relation AND a.attname = b.column_name
	WHERE s.items = warn_settable_values.items
	AND split_part(b.role, '=', 1) LIKE '%+' AND rtrim(b.role, '+') = ''
	AND (inventory.base_type(a.atttypid) IN ('numeric'::regtype, 'money'::regtype)
		 OR lower(b.column_name) ~ '(price|amount|total|discount|tax|status|paid)');
	IF named IS NOT NULL THEN
		RAISE WARNING 'callers may set columns that look like money or state: %', named
			USING HINT = 'A buyer who may execute the functions chooses these values. Compute them: order_values, header_values or order_prepare.';
	END IF;
END
$$;
COMMENT ON FUNCTION inventory.warn_settable_values(regclass) IS 'Warns if callers of a store may set columns that look like money or state.';

-- ---------------------------------------------------------------- follow
--
-- Stores whose stock follows what the shop writes into its orders: what attach requires, books
-- and warns of.

CREATE FUNCTION inventory.has_index(relation regclass, column_name name) RETURNS boolean
	LANGUAGE sql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
	SELECT EXISTS (
		SELECT FROM pg_index AS i
		JOIN pg_class AS c ON c.oid = i.indexrelid JOIN pg_am AS m ON m.oid = c.relam
		JOIN pg_attribute AS a ON a.attrelid = i.indrelid AND a.attnum = i.indkey[0]
		WHERE i.indrelid = relation AND a.attname = column_name AND i.indisvalid AND i.indpred IS NULL
		AND m.amname = 'btree' AND i.indcollation[0] = a.attcollation)
$$;
COMMENT ON FUNCTION inventory.has_index(regclass, name) IS 'True if the rows of a table with a value of a column are found by a btree index.';

-- The item of a line must be the row whose stock it takes, and a line one row for all its life.
CREATE FUNCTION inventory.check_followed_lines(binding inventory.store_binding) RETURNS void
	LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	target regclass;
	column_name name;
BEGIN
	SELECT c.confrelid INTO target FROM pg_constraint AS c
	JOIN pg_attribute AS a ON a.attrelid = c.conrelid AND a.attnum = c.conkey[1]
	WHERE c.contype = 'f' AND c.conrelid = binding.orders AND cardinality(c.conkey) = 1
	AND a.attname = binding.order_item_id
	-- the items may have the key of that table as theirs
	AND NOT EXISTS (
		SELECT FROM pg_constraint AS i JOIN pg_attribute AS b ON b.attrelid = i.conrelid AND b.attnum = i.conkey[1]
		WHERE i.contype = 'f' AND i.conrelid = binding.items AND cardinality(i.conkey) = 1
		AND b.attname = binding.item_id AND i.confrelid = c.confrelid)
	ORDER BY c.confrelid = binding.items DESC LIMIT 1;
	IF target <> binding.items THEN
		RAISE EXCEPTION 'column "%" of % refers to %, not to %', binding.order_item_id, binding.orders, target, binding.items
			USING ERRCODE = 'invalid_column_reference',
				  DETAIL = 'It can have several rows of stock, or none: a line does not say of which it takes.',
				  HINT = 'Bind orders whose lines name the row of the stock, or choose order_writes => ''record'' or ''refuse''.';
	END IF;
	SELECT a.attname INTO column_name FROM pg_index AS i
	JOIN pg_attribute AS a ON a.attrelid = i.indrelid AND a.attnum = ANY (i.indkey)
	WHERE i.indrelid = binding.orders AND lower(a.attname) = 'version' LIMIT 1;
	IF FOUND THEN
		RAISE EXCEPTION 'the lines of % have versions', binding.orders
			USING ERRCODE = 'object_not_in_prerequisite_state',
				  DETAIL = format('Column "%s" is in an index: where a change of an order inserts its lines again, each would be taken again.', column_name),
				  HINT = 'Choose order_writes => ''record'' or ''refuse''.';
	END IF;
END
$$;
COMMENT ON FUNCTION inventory.check_followed_lines(inventory.store_binding) IS 'Raises an error if what the lines of a store take cannot be told from their rows.';

CREATE FUNCTION inventory.check_follow(binding inventory.store_binding) RETURNS void
	LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	other name;
BEGIN
	IF binding.order_writes <> 'follow' OR binding.orders IS NULL THEN
		RETURN;
	END IF;
	PERFORM inventory.check_followed_lines(binding);
	IF binding.header IS NULL THEN
		RETURN;
	END IF;
	SELECT a.attname INTO other FROM pg_constraint AS c
	JOIN pg_attribute AS a ON a.attrelid = c.conrelid AND a.attnum = c.conkey[1]
	WHERE c.contype = 'f' AND c.conrelid = binding.orders AND c.confrelid = binding.header
	AND cardinality(c.conkey) = 1 AND a.attname <> binding.order_header_id;
	IF other IS NOT NULL THEN
		RAISE EXCEPTION 'columns "%" and "%" of % both refer to %', binding.order_header_id, other,
						binding.orders, binding.header
			USING ERRCODE = 'invalid_column_reference',
				  DETAIL = 'A line of two headers cannot be followed: a change of either may change what it is worth.',
				  HINT = 'Choose order_writes => ''record'' or ''refuse''.';
	ELSIF NOT inventory.has_index(binding.orders, binding.order_header_id) THEN
		RAISE EXCEPTION 'column "%" of % has no index', binding.order_header_id, binding.orders
			USING ERRCODE = 'object_not_in_prerequisite_state',
				  DETAIL = 'Each change of a header looks up its lines.',
				  HINT = format('CREATE INDEX ON %s (%I);', binding.orders, binding.order_header_id);
	END IF;
END
$$;
COMMENT ON FUNCTION inventory.check_follow(inventory.store_binding) IS 'Raises an error if the orders of a store cannot be followed.';

-- Lines that the ledger does not know are supplied by an opening of their units, so that no
-- stock moves.  Where it knows them, and they are worth something else, so does an adjustment.
-- What they are worth is computed under the settings of the store, as it is later.
CREATE FUNCTION inventory.book_open_lines(binding inventory.store_binding, movements regclass)
	RETURNS void
	LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	rows text := 'line.*' || CASE WHEN binding.header IS NULL THEN '' ELSE ', header.*' END;
	header_join text := CASE WHEN binding.header IS NULL THEN ''
		ELSE format('LEFT JOIN %s AS header ON header.%I = line.%I', binding.header, binding.header_id,
					binding.order_header_id) END;
	line_user text := coalesce('line.' || quote_ident(binding.order_user_id),
							   'header.' || quote_ident(binding.header_user_id),
							   format('NULL::%s', inventory.type_name(binding.user_type)));
BEGIN
	IF binding.order_writes <> 'follow' OR binding.orders IS NULL THEN
		RETURN;
	END IF;
	PERFORM inventory.execute_latest(format($sql$
		WITH worth AS MATERIALIZED (
			SELECT line.%1$I AS order_id, i.%2$I AS item_id, %3$s AS user_id,
				   greatest(coalesce(%4$I.order_units(%5$s), 0), 0) AS units,
				   coalesce(%4$I.order_final(%5$s), false) AS final
			FROM %6$s AS line %7$s JOIN ONLY %8$s AS i ON i.%2$I = line.%9$I),
		-- Before the store followed its orders, close_ledger may have closed sales whose refunds and
		-- cancellations it kept, and a refund can be of another user than the sale, or of none.  A user
		-- of whom more is refunded than sold gets units of the line's others, or units that were closed.
		part AS MATERIALIZED (
			SELECT s.order_id, s.item_id, s.user_id, s.units + s.change AS units, s.refunded, s.archived, s.change
			FROM (
				SELECT r.*, (r.short - least(r.open, greatest(sum(r.short) OVER line - (sum(r.open) OVER parts - r.open), 0)))::bigint AS change
				FROM (
					SELECT k.*, greatest(k.refunded - k.units, 0) AS short, greatest(k.units - k.refunded, 0) AS open
					FROM (
						SELECT m.order_id, m.item_id, m.user_id,
							   sum(CASE m.kind WHEN 'refund' THEN 0 ELSE -m.delta END)::bigint AS units,
							   sum(CASE m.kind WHEN 'refund' THEN m.delta ELSE 0 END)::bigint AS refunded,
							   coalesce(bool_or(m.reason = 'archived'), false) AS archived
						FROM %10$s AS m WHERE m.order_id IS NOT NULL AND m.kind IN ('sale', 'cancellation', 'refund')
						GROUP BY m.order_id, m.item_id, m.user_id) AS k) AS r
				WINDOW line AS (PARTITION BY r.order_id, r.item_id), parts AS (line ORDER BY r.user_id)) AS s),
		booked AS MATERIALIZED (
			SELECT p.order_id, p.item_id, sum(p.units)::bigint AS units, sum(p.refunded)::bigint AS refunded,
				   (array_agg(p.user_id ORDER BY p.user_id) FILTER (WHERE p.units <> 0))[1] AS user_id,
				   sum(sum(p.units)) OVER (PARTITION BY p.order_id) AS of_all_items,
				   bool_or(bool_or(p.archived)) OVER (PARTITION BY p.order_id) AS archived
			FROM part AS p GROUP BY p.order_id, p.item_id),
		-- what is booked of a known line, and what it should be; a line without a user keeps that of the ledger
		target AS MATERIALIZED (
			SELECT b.order_id, b.item_id, b.units AS booked, b.refunded, b.of_all_items, coalesce(w.user_id, b.user_id) AS user_id,
				   CASE WHEN w.item_id = b.item_id THEN w.units ELSE 0 END AS units,
				   coalesce(w.item_id = b.item_id, false) AS has_item, coalesce(w.final, false) AS final
			FROM booked AS b LEFT JOIN worth AS w ON w.order_id = b.order_id
			WHERE w.order_id IS NOT NULL
			OR NOT b.archived AND NOT EXISTS (SELECT FROM %6$s AS line WHERE line.%1$I = b.order_id)
			UNION ALL
			SELECT w.order_id, w.item_id, 0, 0, k.of_all_items, coalesce(w.user_id, k.user_id), w.units, true, w.final
			FROM worth AS w JOIN LATERAL (SELECT b.of_all_items, b.user_id FROM booked AS b WHERE b.order_id = w.order_id ORDER BY b.user_id LIMIT 1) AS k ON true
			WHERE NOT EXISTS (SELECT FROM booked AS b WHERE b.order_id = w.order_id AND b.item_id = w.item_id)),
		changed AS MATERIALIZED (
			SELECT p.order_id, p.item_id, p.user_id, p.change FROM part AS p
			JOIN target AS t ON t.order_id = p.order_id AND t.item_id = p.item_id WHERE p.change <> 0),
		rise AS MATERIALIZED (
			SELECT t.order_id, t.item_id, t.user_id, t.units - t.booked AS units FROM target AS t
			WHERE t.units > t.booked AND (NOT t.final OR t.of_all_items = t.booked)),
		-- units of a part that fall: those that were refunded first
		fall AS MATERIALIZED (
			SELECT f.*, least(f.open, greatest(f.rest - f.open_before, 0)) AS units
			FROM (
				SELECT p.order_id, p.item_id, p.user_id, t.user_id AS new_user_id,
					   p.units - p.refunded AS open,
					   t.has_item AND t.user_id IS NOT NULL AND p.user_id IS DISTINCT FROM t.user_id AS is_other_user,
					   least(p.refunded, greatest(t.booked - t.units
							 - (sum(p.refunded) OVER parts - p.refunded), 0))::bigint AS refunded,
					   greatest(t.booked - t.units - t.refunded, 0) AS rest,
					   (sum(p.units - p.refunded) OVER parts - (p.units - p.refunded))::bigint AS open_before
				FROM part AS p JOIN target AS t ON t.order_id = p.order_id AND t.item_id = p.item_id
				WHERE NOT t.final
				WINDOW parts AS (PARTITION BY p.order_id, p.item_id ORDER BY p.user_id IS DISTINCT FROM t.user_id, p.user_id)) AS f),
		opened AS MATERIALIZED (
			SELECT w.order_id, w.item_id, w.user_id, w.units FROM worth AS w
			WHERE w.units > 0 AND NOT w.final
			AND NOT EXISTS (SELECT FROM booked AS b WHERE b.order_id = w.order_id))
		INSERT INTO %10$s (item_id, delta, kind, user_id, order_id, reason, actor, created_at)
		SELECT n.item_id, n.delta, n.kind, n.user_id, n.order_id, n.reason, current_user, clock_timestamp()
		FROM (
			SELECT o.item_id, -o.units AS delta, 'sale' AS kind, o.user_id, o.order_id, NULL AS reason FROM opened AS o
			UNION ALL
			SELECT o.item_id, sum(o.units)::bigint, 'opening', NULL, NULL, NULL FROM opened AS o GROUP BY o.item_id
			UNION ALL
			SELECT p.item_id, -p.change, CASE WHEN p.change > 0 THEN 'sale' ELSE 'cancellation' END, p.user_id, p.order_id, 'reattached' FROM changed AS p
			UNION ALL
			SELECT r.item_id, -r.units, 'sale', r.user_id, r.order_id, 'reattached' FROM rise AS r
			UNION ALL
			SELECT f.item_id, m.delta, m.kind, m.user_id, f.order_id, 'reattached'
			FROM fall AS f CROSS JOIN LATERAL (VALUES
				('refund', -f.refunded, f.user_id), ('cancellation', f.refunded + f.units, f.user_id),
				('cancellation', CASE WHEN f.is_other_user THEN f.open - f.units ELSE 0 END, f.user_id),
				('sale', CASE WHEN f.is_other_user THEN f.units - f.open ELSE 0 END, f.new_user_id)) AS m (kind, delta, user_id)
			WHERE m.delta <> 0
			UNION ALL
			SELECT c.item_id, sum(c.units)::bigint, 'adjustment', NULL, NULL, 'reattached'
			FROM (SELECT r.item_id, r.units FROM rise AS r UNION ALL SELECT f.item_id, -f.units FROM fall AS f
				  UNION ALL SELECT p.item_id, p.change FROM changed AS p) AS c
			GROUP BY c.item_id HAVING sum(c.units) <> 0) AS n$sql$,
		binding.order_id, binding.item_id, line_user, binding.ledger_schema, rows, binding.orders, header_join,
		binding.items, binding.order_item_id, movements), binding.settings);
END
$$;
COMMENT ON FUNCTION inventory.book_open_lines(inventory.store_binding, regclass) IS 'Books what the order lines of a store with order_writes follow are worth; no stock moves.';

-- By the text of functions: a trigger or function of the shop that counts the stock itself.
CREATE FUNCTION inventory.counting_code(binding inventory.store_binding, OUT object text, OUT drop_statement text)
	RETURNS SETOF record
	LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
	WITH names AS (
		SELECT $re$(?i)\mupdate\s+(only\s+)?("?$re$ || regexp_replace(n.nspname, $re$(\W)$re$, $re$\\\1$re$, 'g') || $re$"?\s*\.\s*)?"?$re$
			   || regexp_replace(c.relname, $re$(\W)$re$, $re$\\\1$re$, 'g') || $re$"?\M[^;]*\mset\M[^;]*"?\m$re$
			   || regexp_replace(binding.stock, $re$(\W)$re$, $re$\\\1$re$, 'g') || $re$\M"?\s*=$re$ AS pattern
		FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace WHERE c.oid = binding.items),
	counting AS (
		SELECT p.oid, p.prorettype FROM pg_proc AS p, names AS x
		JOIN pg_language AS l ON true
		WHERE l.oid = p.prolang AND l.lanname NOT IN ('internal', 'c')
		AND p.pronamespace NOT IN ('inventory'::regnamespace, 'pg_catalog'::regnamespace)
		AND (p.prosrc ~ x.pattern
			 OR p.prorettype = 'trigger'::regtype AND EXISTS (
				SELECT FROM pg_trigger AS t WHERE t.tgfoid = p.oid AND t.tgrelid = binding.items
				AND p.prosrc ~ ($re$(?i)\mnew\.\s*"?$re$ || regexp_replace(binding.stock, $re$(\W)$re$, $re$\\\1$re$, 'g') || $re$"?\s*:?=$re$))))
	SELECT format('trigger "%s" of %s', t.tgname, t.tgrelid::regclass),
		   format('DROP TRIGGER %I ON %s;', t.tgname, t.tgrelid::regclass)
	FROM counting AS c JOIN pg_trigger AS t ON t.tgfoid = c.oid
	WHERE t.tgrelid IN (binding.items, binding.orders, binding.header) AND NOT t.tgisinternal
	UNION ALL
	SELECT format('function %s', c.oid::regprocedure), format('DROP FUNCTION %s;', c.oid::regprocedure)
	FROM counting AS c WHERE c.prorettype <> 'trigger'::regtype
	ORDER BY 1
$$;
COMMENT ON FUNCTION inventory.counting_code(inventory.store_binding) IS 'Triggers and functions of the shop whose text writes the stock, and the statements that drop them.';

CREATE FUNCTION inventory.warn_follow(binding inventory.store_binding) RETURNS void
	LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	code record;
BEGIN
	IF binding.order_writes <> 'follow' THEN
		RETURN;
	END IF;
	FOR code IN SELECT c.object, c.drop_statement FROM inventory.counting_code(binding) AS c LOOP
		RAISE WARNING '% writes "%" of %', code.object, binding.stock, binding.items
			USING DETAIL = 'Each sale would count twice, and each cancellation make a unit out of nothing: the order line is the sale.',
				  HINT = code.drop_statement;
	END LOOP;
	IF binding.order_final IS NULL THEN
		RAISE WARNING 'no order line of % is final', binding.orders
			USING HINT = format('DELETE of an old line gives its units back. Say which lines do not: order_final => ''%s.status IN (...)''.',
								CASE WHEN binding.header IS NULL THEN 'line' ELSE 'header' END);
	END IF;
END
$$;
COMMENT ON FUNCTION inventory.warn_follow(inventory.store_binding) IS 'Warns of what makes the stock wrong where it follows the order lines: code of the shop that counts itself, lines that are never final.';

CREATE FUNCTION inventory.row_units(binding inventory.store_binding) RETURNS text
	LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
	SELECT CASE WHEN binding.order_quantity IS NULL THEN '1'
		-- as far as a bigint goes
		ELSE format('CASE WHEN o.%1$I::numeric <> ''NaN'' THEN trunc(least(greatest(o.%1$I::numeric, -9223372036854775807), 9223372036854775807))::bigint ELSE 0 END',
					binding.order_quantity) END
$$;
COMMENT ON FUNCTION inventory.row_units(inventory.store_binding) IS 'An expression for the whole units in the quantity of the row o of orders, 0 if it is none.';

-- What was sold is the row without what its changes added: beside those of before, one change
-- adds what the row has more, or less.
CREATE FUNCTION inventory.record_sold(binding inventory.store_binding, sold text) RETURNS void
	LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	PERFORM inventory.execute_latest(format($sql$
		WITH sold AS MATERIALIZED (%1$s),
		part AS (
			SELECT s.order_id, s.item_id, s.units, s.user_id FROM sold AS s
			UNION ALL
			SELECT o.%2$I, o.%3$I, -%4$s, NULL FROM %5$s AS o
			UNION ALL
			SELECT c.order_id, c.item_before, -c.quantity_before, NULL FROM %6$I.order_changes AS c
			WHERE c.operation <> 'INSERT'
			UNION ALL
			SELECT c.order_id, c.item_after, c.quantity_after, NULL FROM %6$I.order_changes AS c
			WHERE c.operation <> 'DELETE'),
		difference AS (
			SELECT p.order_id, p.item_id, sum(p.units)::bigint AS units, min(p.user_id) AS user_id FROM part AS p
			WHERE p.item_id IS NOT NULL AND EXISTS (SELECT FROM sold AS s WHERE s.order_id = p.order_id)
			GROUP BY p.order_id, p.item_id HAVING sum(p.units) <> 0)
		INSERT INTO %6$I.order_changes (order_id, operation, item_before, item_after, quantity_before,
										quantity_after, user_before, user_after, actor, created_at)
		SELECT d.order_id, 'UPDATE', d.item_id, d.item_id, greatest(d.units, 0), greatest(-d.units, 0),
			   d.user_id::%7$s, d.user_id::%7$s, current_user, clock_timestamp()
		FROM difference AS d ORDER BY d.order_id, d.item_id$sql$,
		sold, binding.order_id, binding.order_item_id,
		inventory.row_units(binding), binding.orders, binding.ledger_schema, inventory.type_name(binding.user_type)));
END
$$;
COMMENT ON FUNCTION inventory.record_sold(inventory.store_binding, text) IS 'Records where the rows of lines differ from what was sold on them, by a query for the columns order_id, item_id, units and user_id.';

CREATE FUNCTION inventory.is_booked(movements regclass) RETURNS text
	LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
	SELECT format($sql$EXISTS (SELECT FROM %s AS m WHERE m.order_id = l.order_id AND m.kind IN ('sale', 'cancellation'))$sql$,
				  movements)
$$;
COMMENT ON FUNCTION inventory.is_booked(regclass) IS 'A condition on a row l with an order_id: the ledger knows this line.';

-- Nothing was sold on a line that is gone and that the ledger does not know, whatever was recorded of it
-- before the store followed its orders.
CREATE FUNCTION inventory.record_followed_lines(binding inventory.store_binding, movements regclass)
	RETURNS void
	LANGUAGE sql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
	SELECT inventory.record_sold(binding, format($sql$
		SELECT m.order_id, m.item_id, sum(-m.delta) AS units, min(m.user_id::text) AS user_id
		FROM %1$s AS m WHERE m.order_id IS NOT NULL AND m.kind IN ('sale', 'cancellation')
		GROUP BY m.order_id, m.item_id
		UNION ALL
		SELECT l.order_id, NULL, 0, NULL FROM %2$I.order_changes AS l
		WHERE NOT %3$s AND NOT EXISTS (SELECT FROM %4$s AS o WHERE o.%5$I = l.order_id)$sql$,
		movements, binding.ledger_schema, inventory.is_booked(movements), binding.orders, binding.order_id))
$$;
COMMENT ON FUNCTION inventory.record_followed_lines(inventory.store_binding, regclass) IS 'Records, for a store that no longer follows its orders, where the rows of lines and the ledger differ.';

-- A line that the ledger does not know, as one of a cart or one that close_ledger has closed, was sold
-- as far as it is worth something.
CREATE FUNCTION inventory.record_unknown_lines(binding inventory.store_binding, movements regclass)
	RETURNS void
	LANGUAGE sql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
	SELECT inventory.record_sold(binding, format($sql$
		SELECT l.order_id, l.item_id, l.units, %1$s::text AS user_id
		FROM %2$I.order_worth AS l JOIN %3$s AS o ON o.%4$I = l.order_id WHERE NOT %5$s$sql$,
		coalesce('o.' || quote_ident(binding.order_user_id), 'NULL'), binding.ledger_schema, binding.orders,
		binding.order_id, inventory.is_booked(movements)))
$$;
COMMENT ON FUNCTION inventory.record_unknown_lines(inventory.store_binding, regclass) IS 'Records, for a store that is about to no longer follow its orders, where the rows of lines that its ledger does not know differ from what they are worth.';

-- Other columns say what the rows of lines have: what was sold on them stays what it was.
CREATE FUNCTION inventory.record_other_columns(old inventory.store_binding, new inventory.store_binding)
	RETURNS void
	LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	IF old.orders = new.orders
	   AND (old.order_item_id, old.order_quantity) IS DISTINCT FROM (new.order_item_id, new.order_quantity)
	THEN
		PERFORM inventory.record_sold(new, format($sql$
			SELECT o.%1$I AS order_id, o.%2$I AS item_id, %3$s AS units, %4$s::text AS user_id FROM %5$s AS o
			UNION ALL
			SELECT c.order_id, c.item_before, c.quantity_before, NULL FROM %6$I.order_changes AS c
			WHERE c.operation <> 'INSERT'
			UNION ALL
			SELECT c.order_id, c.item_after, -c.quantity_after, NULL FROM %6$I.order_changes AS c
			WHERE c.operation <> 'DELETE'$sql$,
			old.order_id, old.order_item_id, inventory.row_units(old), coalesce('o.' || quote_ident(old.order_user_id), 'NULL'),
			old.orders, new.ledger_schema));
	END IF;
END
$$;
COMMENT ON FUNCTION inventory.record_other_columns(inventory.store_binding, inventory.store_binding) IS 'Records, for a store whose item or quantity of lines is in another column, where the rows of lines differ from what was sold on them.';

-- The index of a ledger that follows orders tells that it did.
CREATE FUNCTION inventory.stop_following(binding inventory.store_binding, movements regclass) RETURNS void
	LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	of_orders regclass := to_regclass(format('%I.movements_orders_idx', binding.ledger_schema));
BEGIN
	IF of_orders IS NULL THEN
		RETURN;
	END IF;
	PERFORM inventory.record_followed_lines(binding, movements);
	EXECUTE format('DROP INDEX %s', of_orders);
END
$$;
COMMENT ON FUNCTION inventory.stop_following(inventory.store_binding, regclass) IS 'Where the ledger of a store has followed its orders before, and does so no longer: records where the rows of lines and the ledger differ.';

-- ---------------------------------------------------------------- what is in force
--
-- What is attached, as the catalogs of the server have it: columns may have been renamed
-- and objects moved.

CREATE FUNCTION inventory.lookup_owned_store(items regclass) RETURNS inventory.store
	LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	store inventory.store;
BEGIN
	IF lookup_owned_store.items IS NULL THEN
		RAISE EXCEPTION 'items must not be null' USING ERRCODE = 'null_value_not_allowed';
	END IF;
	SELECT * INTO store FROM inventory.store AS s WHERE s.items = lookup_owned_store.items;
	IF NOT FOUND THEN
		PERFORM inventory.verify(lookup_owned_store.items);	-- raises not_a_store
	END IF;
	PERFORM inventory.check_owner(store.items);
	RETURN store;
END
$$;
COMMENT ON FUNCTION inventory.lookup_owned_store(regclass) IS 'The row of a store. Raises an error if there is none or the current user does not have the rights of its owner.';

CREATE FUNCTION inventory.read_binding(store inventory.store, OUT binding inventory.store_binding)
	LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	c record;
BEGIN
	SELECT t.relation, string_agg(quote_ident(t.trigger_name), ', ' ORDER BY t.trigger_name) AS names
	INTO c FROM inventory.store_triggers(store) AS t WHERE t.is_binding
	GROUP BY t.relation HAVING count(*) > 1 LIMIT 1;
	IF FOUND THEN
		RAISE EXCEPTION 'store "%" is not intact', store.store_name
			USING ERRCODE = 'object_not_in_prerequisite_state',
				  DETAIL = format('More than one trigger of %s binds its columns: %s.', c.relation, c.names),
				  HINT = 'Drop those that inventory.attach() did not make.';
	END IF;
	binding.store_name := store.store_name;
	binding.items := store.items;
	binding.orders := store.orders;
	binding.user_claim := store.user_claim;
	binding.direct_writes := store.direct_writes;
	binding.refuses_truncate := store.refuses_truncate;
	binding.order_writes := store.order_writes;
	binding.has_order_units := store.has_order_units;
	binding.argument_prefix := store.argument_prefix;
	binding.max_ttl := store.max_ttl;
	binding.settings := store.settings;
	binding.header := store.header;
	binding.order_columns := '{}';
	binding.header_columns := '{}';
	binding.order_value_columns := '{}';
	binding.header_value_columns := '{}';
	binding.order_values := store.order_values;
	binding.header_values := store.header_values;
	binding.owner := inventory.owner_of(store.items);
	binding.ledger_schema := inventory.schema_of(store.movements);
	binding.api_schema := coalesce(
		(SELECT n.nspname FROM inventory.facade_of(store) AS f
		 JOIN pg_proc AS o ON o.oid = f.function_id JOIN pg_namespace AS n ON n.oid = o.pronamespace
		 WHERE f.part = 'buyer' LIMIT 1), store.api_schema);
	FOR c IN
		SELECT b.relation, b.column_name AS attname, b.role FROM inventory.bound_columns(store) AS b
		WHERE b.relation = CASE
			WHEN b.role IN ('item_id', 'stock', 'version', 'stock_floor', 'purchase_limit', 'order_limit')
			THEN store.items
			WHEN starts_with(b.role, 'order_') THEN store.orders
			WHEN starts_with(b.role, 'header_') THEN store.header
			ELSE nullif(b.relation, store.items) END
		ORDER BY b.n
	LOOP
		IF c.role LIKE '%=%' AND c.relation = store.header THEN
			binding.header_value_columns := binding.header_value_columns || c.attname;
		ELSIF c.role LIKE '%=%' THEN
			binding.order_value_columns := binding.order_value_columns || c.attname;
		ELSIF c.role LIKE '%+' AND c.relation = store.header THEN
			binding.header_columns := binding.header_columns || c.attname;
		ELSIF c.role LIKE '%+' THEN
			binding.order_columns := binding.order_columns || c.attname;
		END IF;
		CASE rtrim(split_part(c.role, '=', 1), '+*')
			WHEN 'item_id' THEN binding.item_id := c.attname;
			WHEN 'stock' THEN binding.stock := c.attname;
			WHEN 'version' THEN binding.version := c.attname;
			WHEN 'stock_floor' THEN binding.stock_floor := c.attname;
			WHEN 'purchase_limit' THEN binding.purchase_limit := c.attname;
			WHEN 'order_limit' THEN binding.order_limit := c.attname;
			WHEN 'order_id' THEN binding.order_id := c.attname;
			WHEN 'order_user_id' THEN binding.order_user_id := c.attname;
			WHEN 'order_item_id' THEN binding.order_item_id := c.attname;
			WHEN 'order_quantity' THEN binding.order_quantity := c.attname;
			WHEN 'order_header_id' THEN binding.order_header_id := c.attname;
			WHEN 'header_id' THEN binding.header_id := c.attname;
			WHEN 'header_user_id' THEN binding.header_user_id := c.attname;
			ELSE NULL;
		END CASE;
	END LOOP;
	IF binding.item_id IS NULL OR binding.stock IS NULL
	   OR store.orders IS NOT NULL AND (binding.order_id IS NULL OR binding.order_item_id IS NULL)
	   OR store.header IS NOT NULL AND (binding.header_id IS NULL OR binding.order_header_id IS NULL) THEN
		RAISE EXCEPTION 'store "%" is not intact', store.store_name
			USING ERRCODE = 'object_not_in_prerequisite_state',
				  DETAIL = 'A trigger that remembers the columns of its tables is missing.',
				  HINT = format('Detach the store, which keeps every table, and attach it again: SELECT inventory.detach(%L);',
								store.items);
	END IF;
	binding.item_type := inventory.column_type(store.items, binding.item_id);
	binding.stock_type := inventory.column_type(store.items, binding.stock);
	binding.user_type := inventory.column_type(store.movements, 'user_id');
	binding.order_type := inventory.column_type(store.movements, 'order_id');
	binding.header_type := coalesce(inventory.column_type(store.header, binding.header_id), 'text');
END
$$;
COMMENT ON FUNCTION inventory.read_binding(inventory.store) IS 'The binding of a store as the catalogs of the server have it now, without sellable, which stays in its view.';

-- A function is named without its arguments, because refresh may change them.
CREATE FUNCTION inventory.facade_grants(binding inventory.store_binding) RETURNS SETOF text
	LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
	SELECT format('GRANT %s ON %s %s.%I TO %s%s', a.privilege_type, o.kind, o.schema, o.name,
				  coalesce(quote_ident(r.rolname), 'PUBLIC'),
				  CASE WHEN a.is_grantable THEN ' WITH GRANT OPTION' ELSE '' END)
	FROM (SELECT 'FUNCTION' AS kind, p.pronamespace::regnamespace AS schema, p.proname AS name,
				 p.proowner AS owner, p.proacl AS acl
		  FROM inventory.existing_facade(binding) AS f JOIN pg_proc AS p ON p.oid = f.function_id
		  UNION ALL
		  SELECT 'TABLE', c.relnamespace::regnamespace, c.relname, c.relowner, c.relacl
		  FROM pg_class AS c WHERE c.oid = ANY (inventory.existing_relations(binding, 'levels')
												|| inventory.existing_relations(binding, 'open_reservations')))
		 AS o, aclexplode(o.acl) AS a LEFT JOIN pg_roles AS r ON r.oid = a.grantee
	WHERE a.grantee NOT IN (o.owner, binding.owner)
$$;
COMMENT ON FUNCTION inventory.facade_grants(inventory.store_binding) IS 'The GRANT statements for the privileges of other roles on the functions and on the views "levels" and "open_reservations" of a store.';

-- The view "levels" says which tables beside the movements are those of the store.
CREATE FUNCTION inventory.ledger_relations(store inventory.store) RETURNS SETOF oid
	LANGUAGE sql STABLE ROWS 10 SET search_path = pg_catalog, pg_temp AS $$
	WITH generated AS MATERIALIZED (SELECT * FROM inventory.generated_relations(store))
	SELECT c.oid FROM pg_class AS m JOIN pg_class AS c ON c.relnamespace = m.relnamespace
	WHERE m.oid = store.movements AND c.relowner = m.relowner AND c.relkind = 'r'
	AND (c.oid = m.oid OR c.relname IN ('requests', 'reservations', 'hot', 'order_changes') AND NOT EXISTS (
		SELECT e.column_name FROM inventory.ledger_columns(NULL) AS e
		WHERE e.table_name = c.relname AND e.column_name IS NOT NULL
		EXCEPT SELECT a.attname FROM pg_attribute AS a WHERE a.attrelid = c.oid)
		AND EXISTS (
			SELECT FROM generated AS v
			WHERE v.relname = 'levels' AND inventory.reads_relation(v.oid, m.oid)
			AND (c.relname IN ('requests', 'order_changes') OR inventory.reads_relation(v.oid, c.oid))))
	UNION ALL
	SELECT g.oid FROM generated AS g
	WHERE g.relkind = 'v' OR inventory.returned_by_store(g.reltype, store)
$$;
COMMENT ON FUNCTION inventory.ledger_relations(inventory.store) IS 'The tables, views and result types in the ledger schema of a store that are certainly of the store.';

CREATE FUNCTION inventory.insert_store_row(binding inventory.store_binding, movements regclass,
										   has_sellable boolean, has_prepare boolean) RETURNS void
	LANGUAGE sql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
	INSERT INTO inventory.store (store_name, items, orders, movements, user_claim, direct_writes,
								 order_writes, has_sellable, api_schema, argument_prefix, max_ttl,
								 settings, has_order_units, header, has_prepare, order_values, header_values,
								 refuses_truncate)
	VALUES (binding.store_name, binding.items, binding.orders, movements, binding.user_claim,
			binding.direct_writes, binding.order_writes, has_sellable, binding.api_schema,
			binding.argument_prefix, binding.max_ttl, binding.settings, binding.has_order_units,
			binding.header, has_prepare, binding.order_values, binding.header_values,
			binding.refuses_truncate)
$$;
COMMENT ON FUNCTION inventory.insert_store_row(inventory.store_binding, regclass, boolean, boolean) IS 'Inserts the row of a store into inventory.store. Part of attach and refresh.';

-- The view has a fixed form, so that what is before the condition is known.
CREATE FUNCTION inventory.view_condition(view oid) RETURNS text
	LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
	SET DateStyle = ISO SET IntervalStyle = postgres SET extra_float_digits = 1
	SET standard_conforming_strings = on SET quote_all_identifiers = off AS $$
	SELECT substring(rtrim(pg_get_viewdef(view), ';') FROM E'\n  WHERE (.*)$')
$$;
COMMENT ON FUNCTION inventory.view_condition(oid) IS 'The condition of a view "sellable", as the server writes it.';

CREATE FUNCTION inventory.sellable_condition(store inventory.store) RETURNS text
	LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
	SELECT inventory.view_condition(c.oid) FROM inventory.generated_relations(store) AS c
	WHERE store.has_sellable AND c.relname = 'sellable'
$$;
COMMENT ON FUNCTION inventory.sellable_condition(inventory.store) IS 'The condition on the items of a store that are for sale, as the server writes it; null if all are.';

-- The functions have a fixed form, too: inventory.make_worth_functions().  (line).quantity would
-- be a column called line where attach tries the expression over the tables.
CREATE FUNCTION inventory.worth_body(function oid) RETURNS text
	LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
	SET DateStyle = ISO SET IntervalStyle = postgres SET extra_float_digits = 1
	SET standard_conforming_strings = on SET quote_all_identifiers = off AS $$
	SELECT regexp_replace(CASE p.proname
		WHEN 'order_units' THEN substring(b.body
			FROM $re$^RETURN [(]trunc[(]LEAST[(]GREATEST[(]NULLIF[(](.*), 'NaN'::numeric[)], [(]0[)]::numeric[)], $re$)
		ELSE nullif(substring(b.body FROM '^RETURN (.*)$'), 'false') END,
		$re$('(?:[^']|'')*'|"(?:[^"]|"")*")|[(](line|header)[)]([.])$re$, $re$\1\2\3$re$, 'g')
	FROM pg_proc AS p CROSS JOIN LATERAL pg_get_function_sqlbody(p.oid) AS b(body) WHERE p.oid = function
$$;
COMMENT ON FUNCTION inventory.worth_body(oid) IS 'The expression of a function order_units or order_final, as the server writes it; null if there is none.';

CREATE FUNCTION inventory.worth_expression(store inventory.store, function_name name) RETURNS text
	LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
	SELECT inventory.worth_body(p.oid)
	FROM pg_proc AS p WHERE p.oid = ANY (inventory.worth_functions(store)) AND p.proname = function_name
	-- where there is a header, order_final of a line alone calls that of both rows
	ORDER BY p.pronargs DESC LIMIT 1
$$;
COMMENT ON FUNCTION inventory.worth_expression(inventory.store, name) IS 'The expression order_units or order_final of a store, as the server writes it; null if there is none.';

-- prepare_order calls it, and nothing else of the owner's: inventory.make_prepare().
CREATE FUNCTION inventory.prepared_by(store inventory.store) RETURNS regprocedure
	LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
	SELECT d.refobjid::regprocedure FROM pg_depend AS d
	WHERE d.classid = 'pg_proc'::regclass AND d.objid = inventory.prepare_function(store)
	AND d.refclassid = 'pg_proc'::regclass AND d.deptype = 'n'
	AND num_nonnulls(store.order_values, store.header_values) = 0
	LIMIT 1
$$;
COMMENT ON FUNCTION inventory.prepared_by(inventory.store) IS 'The function order_prepare of a store; null if there is none.';

-- As the server writes SQL: without comments, and with names in quotes where they need them.
CREATE FUNCTION inventory.sql_tokens(source text, OUT n bigint, OUT token text, OUT depth bigint)
	RETURNS SETOF record
	LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
	SELECT t.n, t.token, sum(CASE WHEN t.token IN ('(', '[') THEN 1 WHEN t.token IN (')', ']') THEN -1 ELSE 0 END)
		OVER (ORDER BY t.n)
	FROM (SELECT m.n, m.matched[1] FROM regexp_matches(source,
			  $re$('(?:[^']|'')*'|"(?:[^"]|"")*"|[[:alnum:]_$]+|.)$re$, 'g') WITH ORDINALITY AS m(matched, n)) AS t(n, token)
$$;
COMMENT ON FUNCTION inventory.sql_tokens(text) IS 'The tokens of an expression or query as the server writes it, spaces included, and how many brackets are open after each.';

CREATE FUNCTION inventory.sql_list(source text, OUT n bigint, OUT part text, OUT length bigint)
	RETURNS SETOF record
	LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
	WITH t AS MATERIALIZED (SELECT * FROM inventory.sql_tokens(source)),
		 l AS (SELECT t.*, count(*) FILTER (WHERE t.token = ',' AND t.depth = 0) OVER (ORDER BY t.n) AS part
			   FROM t WHERE t.n < (SELECT min(e.n) FROM t AS e WHERE e.depth < 0 OR e.depth = 0 AND e.token = 'FROM'))
	SELECT l.part + 1, btrim(string_agg(l.token, '' ORDER BY l.n) FILTER (WHERE l.token <> ',' OR l.depth > 0), E' \n'),
		   sum(sum(length(l.token))) OVER ()
	FROM l GROUP BY l.part
$$;
COMMENT ON FUNCTION inventory.sql_list(text) IS 'The parts of a list separated by commas with which a text begins, up to a closing bracket or FROM; and the length of the list.';

CREATE FUNCTION inventory.rename_columns(expression text, qualifier name, new_qualifier name, columns name[],
										 new_columns name[]) RETURNS text
	LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
	SELECT string_agg(CASE
		WHEN t.token = quote_ident(qualifier) AND t.next = '.' AND t.previous IS DISTINCT FROM '.'
		THEN quote_ident(new_qualifier)
		WHEN t.previous = '.' AND t.second = quote_ident(qualifier) AND t.third IS DISTINCT FROM '.'
		THEN coalesce((SELECT quote_ident(u.b) FROM unnest(columns, new_columns) AS u(a, b)
					   WHERE quote_ident(u.a) = t.token), t.token)
		ELSE t.token END, '' ORDER BY t.n)
	FROM (SELECT s.n, s.token, lead(s.token) OVER w AS next, lag(s.token) OVER w AS previous,
				 lag(s.token, 2) OVER w AS second, lag(s.token, 3) OVER w AS third
		  FROM inventory.sql_tokens(expression) AS s WINDOW w AS (ORDER BY s.n)) AS t
$$;
COMMENT ON FUNCTION inventory.rename_columns(text, name, name, name[], name[]) IS 'An expression as the server writes it with other names for a table and its columns.';

-- The names that prepare_order has for the columns of the item, in the order of the columns.
CREATE FUNCTION inventory.listed_names(source text) RETURNS name[]
	LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
	SELECT array_agg(CASE WHEN l.part LIKE '"%' THEN replace(substr(l.part, 2, length(l.part) - 2), '""', '"')
						  ELSE l.part END::name ORDER BY l.n)
	FROM inventory.sql_list(source) AS l
$$;
COMMENT ON FUNCTION inventory.listed_names(text) IS 'The names in a list with which a text begins.';

-- The form of the body is that of inventory.prepare_body().  There the columns of the item have
-- names of their own, and the computed ones those that they had when it was written.
CREATE FUNCTION inventory.values_of_body(binding inventory.store_binding, function oid, labels name[],
										  columns name[], header_labels name[], header_columns name[],
										  OUT order_values jsonb, OUT header_values jsonb)
	LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
	SET DateStyle = ISO SET IntervalStyle = postgres SET extra_float_digits = 1
	SET standard_conforming_strings = on SET quote_all_identifiers = off AS $$
DECLARE
	body text := pg_get_function_sqlbody(function);
	parts text[];
	computed text[];
	consumed bigint;
	names name[];
	header_names name[];
BEGIN
	body := substring(body FROM $re$^BEGIN ATOMIC\s+SELECT jsonb_build_object\('header', jsonb_build_object\((.*)$re$);
	-- an owner can replace the function, and all roles can read the view "bindings"
	IF body IS NULL OR length(body) > 500000 THEN
		RETURN;
	END IF;
	SELECT coalesce(array_agg(l.part ORDER BY l.n), '{}'), coalesce(max(l.length), 0) INTO parts, consumed
	FROM inventory.sql_list(body) AS l WHERE l.part <> '';
	-- the first sub-select is of the call, and has nothing of the shop's
	body := substring(substr(body, consumed::integer + 1)
					  FROM $re$CROSS JOIN LATERAL \( SELECT.*?CROSS JOIN LATERAL \( SELECT\s(.*)\Z$re$);
	SELECT coalesce(array_agg(regexp_replace(l.part, ' AS ("([^"]|"")*"|[[:alnum:]_$]+)$', '') ORDER BY l.n), '{}'),
		   coalesce(max(l.length), 0)
	INTO computed, consumed FROM inventory.sql_list(body) AS l WHERE l.part <> '';
	-- nor has what comes after the expressions
	body := substr(body, consumed::integer + 1);
	names := inventory.listed_names(substring(body FROM $re$ item_1\((.*)$re$));
	header_names := inventory.listed_names(substring(body FROM $re$ item\((.*)$re$));
	order_values := (SELECT jsonb_object_agg(u.column_name, inventory.rename_columns(computed[p.n], 'item_1', 'item',
						 names, inventory.listed_names(substring(inventory.item_alias(binding, '{}') FROM $re$\((.*)$re$))))
					 FROM unnest(labels, columns) AS u(label, column_name)
					 JOIN unnest(inventory.value_keys((SELECT jsonb_object_agg(k, '') FROM unnest(labels) AS k)))
						  WITH ORDINALITY AS p(label, n) USING (label));
	header_values := (SELECT jsonb_object_agg(u.column_name, inventory.rename_columns(
						  inventory.rename_columns(parts[2 * p.n], 'item', 'item',
							  header_names,
							  inventory.listed_names(substring(inventory.item_alias(binding, columns) FROM $re$\((.*)$re$))),
						  'value', 'value', labels, columns))
					  FROM unnest(header_labels, header_columns) AS u(label, column_name)
					  JOIN unnest(inventory.value_keys((SELECT jsonb_object_agg(k, '') FROM unnest(header_labels) AS k)))
						   WITH ORDINALITY AS p(label, n) USING (label));
END
$$;
COMMENT ON FUNCTION inventory.values_of_body(inventory.store_binding, oid, name[], name[], name[], name[]) IS 'The expressions order_values and header_values in a function prepare_order that attach wrote, as the server writes them. It knows the columns that they compute by "labels".';

CREATE FUNCTION inventory.computed_values(store inventory.store, OUT order_values jsonb, OUT header_values jsonb)
	LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	binding inventory.store_binding;
	c record;
BEGIN
	binding.items := store.items;
	SELECT array_agg(substr(b.role, strpos(b.role, '=') + 1)) FILTER (WHERE b.relation = store.orders) AS labels,
		   array_agg(b.column_name) FILTER (WHERE b.relation = store.orders) AS columns,
		   array_agg(substr(b.role, strpos(b.role, '=') + 1)) FILTER (WHERE b.relation = store.header) AS header_labels,
		   array_agg(b.column_name) FILTER (WHERE b.relation = store.header) AS header_columns
	INTO c FROM inventory.bound_columns(store) AS b WHERE b.role LIKE '%=%';
	SELECT v.order_values, v.header_values INTO order_values, header_values
	FROM inventory.values_of_body(binding, inventory.prepare_function(store), c.labels::name[], c.columns,
								   c.header_labels::name[], c.header_columns) AS v
	WHERE num_nonnulls(store.order_values, store.header_values) > 0;
	-- without an expression
	order_values := coalesce(order_values, CASE WHEN store.order_values = '{}' THEN '{}'::jsonb END);
	header_values := coalesce(header_values, CASE WHEN store.header_values = '{}' THEN '{}'::jsonb END);
END
$$;
COMMENT ON FUNCTION inventory.computed_values(inventory.store) IS 'The expressions order_values and header_values of a store, as the server writes them; null if there are none.';

CREATE FUNCTION inventory.lost_expression(store inventory.store, binding inventory.store_binding) RETURNS text
	LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
	SELECT CASE
		WHEN store.has_sellable AND binding.sellable IS NULL THEN 'sellable'
		WHEN store.has_order_units AND binding.order_units IS NULL THEN 'order_units'
		WHEN store.has_order_units AND EXISTS (
			SELECT FROM unnest(inventory.worth_functions(store)) AS f
			WHERE pg_get_function_sqlbody(f) ~ '^RETURN ' IS NOT TRUE) THEN 'order_final'
		WHEN store.order_values <> '{}' AND binding.order_values IS NULL THEN 'order_values'
		WHEN store.header_values <> '{}' AND binding.header_values IS NULL THEN 'header_values'
		WHEN store.has_prepare AND num_nonnulls(store.order_values, store.header_values, binding.order_prepare) = 0
			THEN 'order_prepare' END
$$;
COMMENT ON FUNCTION inventory.lost_expression(inventory.store, inventory.store_binding) IS 'What a store was attached with that its binding in force does not have, because it cannot be read back; null if there is nothing.';

-- What is made again without an expression would sell what is not for sale, or at no price.
CREATE FUNCTION inventory.check_read_back(store inventory.store, binding inventory.store_binding) RETURNS void
	LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	lost text := inventory.lost_expression(store, binding);
BEGIN
	IF lost IS NOT NULL THEN
		RAISE EXCEPTION 'store "%" is not intact', store.store_name
			USING ERRCODE = 'object_not_in_prerequisite_state',
				  DETAIL = format('What it was attached with as %s cannot be read back: another function or view has its place, or none.',
								  lost),
				  HINT = format('Detach the store, which keeps every table, and attach it again: SELECT inventory.detach(%L);',
								store.items);
	END IF;
END
$$;
COMMENT ON FUNCTION inventory.check_read_back(inventory.store, inventory.store_binding) IS 'Raises an error if an expression of a store is not known any more.';

CREATE FUNCTION inventory.binding_in_force(store inventory.store, OUT binding inventory.store_binding)
	LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	binding := inventory.read_binding(store);
	binding.sellable := inventory.sellable_condition(store);
	binding.order_units := inventory.worth_expression(store, 'order_units');
	binding.order_final := inventory.worth_expression(store, 'order_final');
	binding.order_prepare := inventory.prepared_by(store);
	SELECT v.order_values, v.header_values INTO binding.order_values, binding.header_values
	FROM inventory.computed_values(store) AS v;
END
$$;
COMMENT ON FUNCTION inventory.binding_in_force(inventory.store) IS 'The binding of a store as the catalogs of the server have it now, with its expressions.';

-- ---------------------------------------------------------------- tables made again
--
-- A ledger has the mark of its table.  One of another table of the same database is not
-- continued: what was held, and each key and refund, was of that table.

CREATE FUNCTION inventory.old_ledger(binding inventory.store_binding) RETURNS regclass
	LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
	SELECT c.oid::regclass
	FROM pg_class AS c
	CROSS JOIN LATERAL regexp_match(inventory.ledger_mark(c.oid::regclass), '^(.*)/(.*)$') AS old(mark)
	CROSS JOIN LATERAL regexp_match(inventory.table_mark(binding.items), '^(.*)/(.*)$') AS own(mark)
	WHERE c.relnamespace = to_regnamespace(quote_ident(binding.ledger_schema))
	AND c.relname = 'movements' AND c.relkind = 'r' AND c.relowner = binding.owner
	AND old.mark[1] = own.mark[1] AND old.mark[2] <> own.mark[2]
	AND NOT EXISTS (SELECT FROM inventory.store AS s WHERE s.movements::oid = c.oid)
$$;
COMMENT ON FUNCTION inventory.old_ledger(inventory.store_binding) IS 'The movements in the ledger schema of a binding that are those of another table of this database and of no store, or null.';

-- The views that attach made for the dropped table went with it, unless it was only renamed.
CREATE FUNCTION inventory.old_ledger_relations(movements regclass, OUT relation regclass, OUT kind text)
	RETURNS SETOF record
	LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
	SELECT c.oid::regclass, CASE c.relkind WHEN 'v' THEN 'VIEW' ELSE 'TABLE' END
	FROM pg_class AS m JOIN pg_class AS c ON c.relnamespace = m.relnamespace AND c.relowner = m.relowner
	WHERE m.oid = movements AND CASE c.relkind
	WHEN 'r' THEN c.relname IN (SELECT e.table_name FROM inventory.ledger_columns(NULL) AS e)
		AND NOT EXISTS (
			SELECT e.column_name FROM inventory.ledger_columns(NULL) AS e
			WHERE e.table_name = c.relname AND e.column_name IS NOT NULL
			EXCEPT SELECT a.attname FROM pg_attribute AS a WHERE a.attrelid = c.oid)
	WHEN 'v' THEN c.relname = 'levels' AND inventory.reads_relation(c.oid, movements)
		OR inventory.is_open_reservations(c)
		OR c.relname = 'sellable' AND obj_description(c.oid, 'pg_class') LIKE '%The engine reads the condition from this view.'
	ELSE false END
$$;
COMMENT ON FUNCTION inventory.old_ledger_relations(regclass) IS 'The tables of a ledger, and its views that still exist.';

CREATE FUNCTION inventory.old_schema_name(schema_name name, number bigint) RETURNS name
	LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
	SELECT (inventory.clip(schema_name, 62 - length(number::text)) || '_' || number)::name
$$;
COMMENT ON FUNCTION inventory.old_schema_name(name, bigint) IS 'The name of the schema for an old ledger of a ledger schema.';

CREATE FUNCTION inventory.make_old_schema(binding inventory.store_binding) RETURNS name
	LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	number bigint := 1;
	schema_name name;
BEGIN
	IF NOT has_database_privilege(current_database(), 'CREATE') THEN
		RAISE EXCEPTION 'schema "%" has the ledger of another table, and no schema can be created for it',
						binding.ledger_schema
			USING ERRCODE = 'insufficient_privilege',
				  HINT = format('Choose another schema (ledger_schema => ''...''), continue that ledger (adopt => true), or: GRANT CREATE ON DATABASE %I TO %I;',
								current_database(), current_user);
	END IF;
	LOOP
		schema_name := inventory.old_schema_name(binding.ledger_schema, number);
		EXIT WHEN to_regnamespace(quote_ident(schema_name)) IS NULL;
		number := number + 1;
	END LOOP;
	PERFORM inventory.make_schema(schema_name, binding.owner);
	RETURN schema_name;
END
$$;
COMMENT ON FUNCTION inventory.make_old_schema(inventory.store_binding) IS 'Creates a schema for the old ledger of a store.';

CREATE FUNCTION inventory.report_older_ledgers(binding inventory.store_binding, newest name) RETURNS void
	LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	older name;
BEGIN
	FOR older IN
		SELECT n.nspname FROM pg_namespace AS n
		JOIN pg_class AS c ON c.relnamespace = n.oid AND c.relname = 'movements'
		WHERE n.nspname ~ '_[1-9][0-9]{0,8}$' AND n.nspname <> newest AND n.nspowner = binding.owner
		AND n.nspname = inventory.old_schema_name(binding.ledger_schema, substring(n.nspname FROM '[0-9]+$')::bigint)
		AND inventory.ledger_mark(c.oid::regclass) IS NOT NULL
		AND NOT EXISTS (SELECT FROM inventory.store AS s WHERE s.movements::oid = c.oid)
		ORDER BY c.oid
	LOOP
		RAISE NOTICE 'schema "%" has an older ledger', older
			USING HINT = format('To drop it: DROP SCHEMA %I CASCADE;', older);
	END LOOP;
END
$$;
COMMENT ON FUNCTION inventory.report_older_ledgers(inventory.store_binding, name) IS 'Raises a NOTICE for each old ledger of a ledger schema but the newest.';

-- The tables and not the schema, which can be that of the shop.
CREATE FUNCTION inventory.move_old_ledger(binding inventory.store_binding) RETURNS void
	LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	movements regclass := inventory.old_ledger(binding);
	schema_name name;
	moved regclass[];
	reader regclass;
	r record;
BEGIN
	IF movements IS NULL THEN
		RETURN;
	END IF;
	schema_name := inventory.make_old_schema(binding);
	moved := ARRAY(SELECT o.relation FROM inventory.old_ledger_relations(movements) AS o);
	FOR r IN SELECT * FROM inventory.old_ledger_relations(movements) LOOP
		EXECUTE format('ALTER %s %s SET SCHEMA %I', r.kind, r.relation, schema_name);
	END LOOP;
	RAISE NOTICE 'the ledger in schema "%" is of another table, and is now in schema "%"',
				 binding.ledger_schema, schema_name
		USING DETAIL = format('%s has another OID than the table of that ledger: it was made again. It gets a new ledger, without grants.',
							  binding.items),
			  HINT = format(E'If it is needed no longer: DROP SCHEMA %1$I CASCADE;\nIf %2$s was restored, and is to continue it: SELECT inventory.detach(%2$L); and attach it with ledger_schema => %1$L, adopt => true.',
							schema_name, binding.items);
	FOR reader IN
		SELECT DISTINCT v.ev_class::regclass FROM pg_depend AS d JOIN pg_rewrite AS v ON v.oid = d.objid
		WHERE d.classid = 'pg_rewrite'::regclass AND d.refclassid = 'pg_class'::regclass
		AND d.refobjid = ANY (moved) AND NOT v.ev_class = ANY (moved) ORDER BY 1
	LOOP
		RAISE NOTICE 'view % still reads the old ledger, in schema "%"', reader, schema_name
			USING HINT = format('Create it again to read schema %I.', binding.ledger_schema);
	END LOOP;
	PERFORM inventory.report_older_ledgers(binding, schema_name);
END
$$;
COMMENT ON FUNCTION inventory.move_old_ledger(inventory.store_binding) IS 'Moves the ledger of another table out of the ledger schema of a store that is being attached, with its grants, and says so.';

-- ---------------------------------------------------------------- attach again
--
-- attach on an attached store changes its options.  It compares before it locks, so that it
-- can be part of every deployment.

CREATE FUNCTION inventory.binding_changes(old inventory.store_binding, new inventory.store_binding,
										  OUT n integer, OUT name text, OUT before text, OUT after text)
	RETURNS SETOF record
	LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
	SELECT o.n, o.name, o.value, a.value
	FROM inventory.binding_arguments(old) AS o JOIN inventory.binding_arguments(new) AS a USING (n)
	WHERE o.value <> a.value
	UNION ALL
	-- found by the foreign key
	SELECT 100, 'key of the header', quote_nullable(old.header_id), quote_nullable(new.header_id)
	WHERE old.header = new.header AND old.header_id <> new.header_id
$$;
COMMENT ON FUNCTION inventory.binding_changes(inventory.store_binding, inventory.store_binding) IS 'The arguments of attach in which two bindings differ, as attach_statement writes them.';

-- Made under other names, or with one more argument: to be taken back.
CREATE FUNCTION inventory.as_written(INOUT binding inventory.store_binding, in_force inventory.store_binding)
	LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	made record;
	scratch inventory.store_binding := binding;
BEGIN
	scratch.ledger_schema := in_force.ledger_schema;
	IF binding.sellable <> in_force.sellable THEN
		PERFORM inventory.make_sellable(scratch, 'sellable_as_given');
		binding.sellable := inventory.view_condition(format('%I.sellable_as_given', scratch.ledger_schema)::regclass);
	END IF;
	IF binding.has_order_units AND binding.orders = in_force.orders
	   AND binding.header IS NOT DISTINCT FROM in_force.header
	   AND (binding.order_units, binding.order_final) IS DISTINCT FROM (in_force.order_units, in_force.order_final)
	THEN
		SELECT * INTO made FROM inventory.make_worth_functions(scratch, ', boolean');
		binding.order_units := inventory.worth_body(made.order_units);
		binding.order_final := inventory.worth_body(made.order_final);
	END IF;
	IF num_nonnulls(binding.order_values, binding.header_values) > 0
	   AND (binding.order_values, binding.header_values) IS DISTINCT FROM (in_force.order_values, in_force.header_values)
	THEN
		SELECT coalesce(v.order_values, binding.order_values), coalesce(v.header_values, binding.header_values)
		INTO binding.order_values, binding.header_values
		FROM inventory.values_of_body(binding, inventory.make_prepare(scratch, ', boolean'),
			binding.order_value_columns, binding.order_value_columns,
			binding.header_value_columns, binding.header_value_columns) AS v;
	END IF;
	-- the order of these columns has no meaning
	IF ARRAY(SELECT unnest(binding.order_columns) ORDER BY 1) = ARRAY(SELECT unnest(in_force.order_columns) ORDER BY 1) THEN
		binding.order_columns := in_force.order_columns;
	END IF;
	IF ARRAY(SELECT unnest(binding.header_columns) ORDER BY 1) = ARRAY(SELECT unnest(in_force.header_columns) ORDER BY 1) THEN
		binding.header_columns := in_force.header_columns;
	END IF;
END
$$;
COMMENT ON FUNCTION inventory.as_written(inventory.store_binding, inventory.store_binding) IS 'A binding with its expressions as the server writes them, to compare it with the one in force.';

-- In a subtransaction that takes it all back, with the locks of the tables that expressions read.
CREATE FUNCTION inventory.compare_bindings(given inventory.store_binding, store inventory.store,
										   OUT old inventory.store_binding, OUT new inventory.store_binding)
	LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	BEGIN
		old := inventory.binding_in_force(store);
		new := inventory.as_written(given, old);
		RAISE SQLSTATE 'IV000';
	EXCEPTION WHEN SQLSTATE 'IV000' THEN
		NULL;
	END;
END
$$;
COMMENT ON FUNCTION inventory.compare_bindings(inventory.store_binding, inventory.store) IS 'The binding in force of a store, and a given one, both as the server writes them.';

-- Nothing is lost by what binds more than before, or was record.
CREATE FUNCTION inventory.check_loosened(old inventory.store_binding, new inventory.store_binding, omitted text[])
	RETURNS void
	LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	loosened text;
BEGIN
	SELECT string_agg(c.name, ', ' ORDER BY c.n) INTO loosened
	FROM inventory.binding_changes(old, new) AS c
	WHERE c.name = ANY (omitted) AND c.before NOT IN ('NULL', quote_literal(''), quote_literal('record'))
	-- one of them takes the place of the other
	AND NOT (c.name = 'order_prepare' AND num_nonnulls(new.order_values, new.header_values) > 0)
	AND NOT (c.name IN ('order_values', 'header_values') AND new.order_prepare IS NOT NULL);
	IF loosened IS NOT NULL THEN
		RAISE EXCEPTION 'attach does not name what is in force in store "%": %', old.store_name, loosened
			USING ERRCODE = 'object_not_in_prerequisite_state',
				  HINT = E'Edit the statement that is in force, or give up what it does not name: reset => true.\n'
						 || inventory.attach_statement(old);
	END IF;
END
$$;
COMMENT ON FUNCTION inventory.check_loosened(inventory.store_binding, inventory.store_binding, text[]) IS 'Raises an error if arguments that were omitted would loosen what is in force.';

CREATE FUNCTION inventory.table_column(relation regclass, column_name name) RETURNS text
	LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
	SELECT quote_ident(c.relname) || '.' || quote_ident(column_name) FROM pg_class AS c WHERE c.oid = relation
$$;
COMMENT ON FUNCTION inventory.table_column(regclass, name) IS 'A column with the name of its table, as retype takes it; null without one.';

CREATE FUNCTION inventory.check_same_ids(old inventory.store_binding, new inventory.store_binding) RETURNS void
	LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	changed record;
BEGIN
	IF old.item_id <> new.item_id OR old.orders = new.orders AND old.order_id <> new.order_id THEN
		RAISE EXCEPTION 'store "%" knows its % by column "%"', old.store_name,
						CASE WHEN old.item_id <> new.item_id THEN 'items' ELSE 'order lines' END,
						CASE WHEN old.item_id <> new.item_id THEN old.item_id ELSE old.order_id END
			USING ERRCODE = 'object_not_in_prerequisite_state',
				  HINT = 'Another key needs another ledger: detach the store, and attach with ledger_schema => ''...''.';
	END IF;
	SELECT * INTO changed FROM (VALUES
		('items', old.item_type, new.item_type, inventory.table_column(old.items, old.item_id)),
		('users', old.user_type, new.user_type, coalesce(inventory.table_column(old.orders, old.order_user_id),
			inventory.table_column(old.header, old.header_user_id), 'user_id')),
		('orders', old.order_type, CASE WHEN old.orders IS NOT NULL AND new.orders IS NOT NULL THEN new.order_type END, NULL))
		AS t(what, before, after, column_name)
	WHERE t.before <> t.after LIMIT 1;
	IF FOUND THEN
		RAISE EXCEPTION 'the ids of % would be %, but those of store "%" are %', changed.what, changed.after,
						old.store_name, changed.before
			USING ERRCODE = 'datatype_mismatch',
				  HINT = CASE WHEN changed.column_name IS NULL
						 THEN 'Attach without orders first, which keeps their keys in a column of the ledger, then with these orders.'
						 ELSE format('Change the type of the ids first: SELECT %I.retype(%L, %L, %L);', 'inventory',
									 old.items, changed.column_name, changed.after) END;
	END IF;
END
$$;
COMMENT ON FUNCTION inventory.check_same_ids(inventory.store_binding, inventory.store_binding) IS 'Raises an error if a binding has other keys than the one in force, or ids of other types.';

CREATE FUNCTION inventory.move_objects(functions oid[], relations oid[], schema_name name) RETURNS void
	LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	object text;
BEGIN
	FOR object IN
		SELECT format('FUNCTION %s', p.oid::regprocedure) FROM pg_proc AS p
		WHERE p.oid = ANY (functions) AND p.pronamespace <> quote_ident(schema_name)::regnamespace
		UNION ALL
		SELECT format('%s %s', CASE c.relkind WHEN 'c' THEN 'TYPE' WHEN 'v' THEN 'VIEW' ELSE 'TABLE' END, c.oid::regclass)
		FROM pg_class AS c
		WHERE c.oid = ANY (relations) AND c.relnamespace <> quote_ident(schema_name)::regnamespace
	LOOP
		EXECUTE format('ALTER %s SET SCHEMA %I', object, schema_name);
	END LOOP;
END
$$;
COMMENT ON FUNCTION inventory.move_objects(oid[], oid[], name) IS 'Moves functions, tables, views and types into a schema.';

CREATE FUNCTION inventory.move_store(store inventory.store, old inventory.store_binding,
									 new inventory.store_binding) RETURNS void
	LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	relations oid[];
BEGIN
	PERFORM inventory.check_facade_names(new);
	IF new.ledger_schema <> old.ledger_schema THEN
		PERFORM inventory.make_schema(new.ledger_schema, new.owner);
		relations := ARRAY(SELECT inventory.ledger_relations(store));
		PERFORM inventory.move_objects(
			ARRAY(SELECT f.function_id FROM inventory.facade_of(store) AS f WHERE f.part = 'operator')
				|| inventory.worth_functions(store) || inventory.prepare_function(store), relations, new.ledger_schema);
	END IF;
	IF new.api_schema <> old.api_schema THEN
		PERFORM inventory.move_objects(
			ARRAY(SELECT f.function_id FROM inventory.facade_of(store) AS f WHERE f.part = 'buyer'), '{}', new.api_schema);
	END IF;
END
$$;
COMMENT ON FUNCTION inventory.move_store(inventory.store, inventory.store_binding, inventory.store_binding) IS 'Moves the generated objects and the ledger of a store into the schemas of a new binding.';

-- A role that may execute the functions needs their schema.
CREATE FUNCTION inventory.grant_schemas(binding inventory.store_binding) RETURNS void
	LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	g record;
BEGIN
	FOR g IN
		SELECT DISTINCT p.pronamespace AS schema_id, coalesce(r.rolname, 'public') AS role
		FROM inventory.existing_facade(binding) AS f JOIN pg_proc AS p ON p.oid = f.function_id
		CROSS JOIN LATERAL aclexplode(p.proacl) AS a LEFT JOIN pg_roles AS r ON r.oid = a.grantee
		WHERE a.grantee <> p.proowner ORDER BY 1, 2
	LOOP
		CONTINUE WHEN has_schema_privilege(g.role, g.schema_id, 'USAGE');
		IF has_schema_privilege(g.schema_id, 'USAGE WITH GRANT OPTION') THEN
			EXECUTE format('GRANT USAGE ON SCHEMA %s TO %s', g.schema_id::regnamespace,
						   CASE g.role WHEN 'public' THEN 'PUBLIC' ELSE quote_ident(g.role) END);
		ELSE
			RAISE WARNING 'role % may execute functions in schema %, but not use the schema', g.role, g.schema_id::regnamespace
				USING HINT = format('GRANT USAGE ON SCHEMA %s TO %s;', g.schema_id::regnamespace,
									CASE g.role WHEN 'public' THEN 'PUBLIC' ELSE quote_ident(g.role) END);
		END IF;
	END LOOP;
END
$$;
COMMENT ON FUNCTION inventory.grant_schemas(inventory.store_binding) IS 'Lets the roles that may execute the functions of a store use the schemas into which they were moved.';

CREATE FUNCTION inventory.remake_expressions(store inventory.store, old inventory.store_binding,
											 new inventory.store_binding) RETURNS void
	LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	IF (old.has_order_units, old.orders, old.header, old.order_units, old.order_final, old.order_id, old.order_item_id, old.order_quantity,
		old.order_header_id, old.header_id)
	   IS DISTINCT FROM
	   (new.has_order_units, new.orders, new.header, new.order_units, new.order_final, new.order_id, new.order_item_id, new.order_quantity,
		new.order_header_id, new.header_id)
	THEN
		PERFORM inventory.drop_worth(store);
		PERFORM inventory.make_worth(new);
	END IF;
	-- whatever changed: its names for columns are those that the binding triggers get now
	PERFORM inventory.drop_functions(ARRAY[inventory.prepare_function(store)]);
	PERFORM inventory.make_prepare(new, '');
	IF new.sellable IS NULL THEN
		PERFORM inventory.drop_relations(inventory.existing_relations(old, 'sellable'));
	END IF;
END
$$;
COMMENT ON FUNCTION inventory.remake_expressions(inventory.store, inventory.store_binding, inventory.store_binding) IS 'Makes the views and functions with the expressions of a new binding; make_results makes that of sellable.';

-- Objects are replaced where possible and not dropped.
CREATE FUNCTION inventory.remake_store(store inventory.store, binding inventory.store_binding, changed boolean,
									   has_sellable boolean, has_prepare boolean) RETURNS void
	LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	grants text[] := ARRAY(SELECT inventory.facade_grants(binding));
	lost text;
BEGIN
	PERFORM inventory.drop_triggers(store);
	-- a store of an earlier version has none
	IF to_regclass(format('%I.order_changes', binding.ledger_schema)) IS NULL THEN
		PERFORM inventory.make_order_changes(binding);
	END IF;
	PERFORM inventory.complete_ledger(binding);
	PERFORM inventory.make_results(binding);
	PERFORM inventory.make_triggers(binding);
	PERFORM inventory.make_facade(binding);
	IF changed THEN
		PERFORM inventory.delete_store_row(store.items);
		PERFORM inventory.insert_store_row(binding, store.movements, has_sellable, has_prepare);
	END IF;
	-- grants on objects that had to be dropped and created again
	FOR lost IN SELECT unnest(grants) EXCEPT SELECT inventory.facade_grants(binding) ORDER BY 1 LOOP
		EXECUTE lost;
	END LOOP;
END
$$;
COMMENT ON FUNCTION inventory.remake_store(inventory.store, inventory.store_binding, boolean, boolean, boolean) IS 'Makes the functions, views, types and triggers of a store by a binding, and its row if the binding is "changed". Grants are kept. Part of refresh and of attach on an attached store.';

CREATE FUNCTION inventory.lock_exclusively(old inventory.store_binding, new inventory.store_binding) RETURNS void
	LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	relation regclass;
BEGIN
	-- in the order in which a call locks them
	FOREACH relation IN ARRAY ARRAY[new.items, old.orders, new.orders, old.header, new.header] LOOP
		CONTINUE WHEN relation IS NULL;
		EXECUTE format('LOCK TABLE ONLY %s IN ACCESS EXCLUSIVE MODE', relation);
	END LOOP;
END
$$;
COMMENT ON FUNCTION inventory.lock_exclusively(inventory.store_binding, inventory.store_binding) IS 'Locks the tables of a store before its objects are made again.';

-- A session that waits for an exclusive lock lets each later buyer wait behind it.  So it waits for a
-- moment, gives up what it has got, and tries again.
CREATE FUNCTION inventory.try_to_lock(relations regclass[]) RETURNS boolean
	LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp SET lock_timeout = '100ms' AS $$
DECLARE
	relation regclass;
BEGIN
	FOREACH relation IN ARRAY relations LOOP
		EXECUTE format('LOCK TABLE %s%s IN ACCESS EXCLUSIVE MODE',
					   CASE (SELECT c.relkind FROM pg_class AS c WHERE c.oid = relation) WHEN 'p' THEN '' ELSE 'ONLY ' END, relation);
	END LOOP;
	RETURN true;
EXCEPTION WHEN lock_not_available THEN
	RETURN false;
END
$$;
COMMENT ON FUNCTION inventory.try_to_lock(regclass[]) IS 'Locks tables exclusively, or returns false, without a lock, if another transaction has one of them for longer than a moment.';

CREATE FUNCTION inventory.lock_patiently(relations regclass[], store_name text) RETURNS void
	LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	patience interval := coalesce(nullif(current_setting('lock_timeout')::interval, '0'), '30 s');
	started timestamptz := clock_timestamp();
	users text;
BEGIN
	WHILE NOT inventory.try_to_lock(relations) LOOP
		IF clock_timestamp() - started > patience THEN
			SELECT string_agg(DISTINCT l.pid::text, ', ') INTO users
			FROM pg_locks AS l
			WHERE l.locktype = 'relation' AND l.relation = ANY (relations::oid[]) AND l.granted
			AND l.database = (SELECT d.oid FROM pg_database AS d WHERE d.datname = current_database());
			RAISE EXCEPTION 'the tables of store "%" are in use', store_name
				USING ERRCODE = 'lock_not_available',
					  DETAIL = coalesce('Transactions of these processes have used them: ' || users || '.', ''),
					  HINT = 'Nothing was changed, and buyers did not have to wait. Call it again when these transactions have ended; lock_timeout is how long it tries, instead of 30 s.';
		END IF;
		PERFORM pg_sleep(0.4);
	END LOOP;
END
$$;
COMMENT ON FUNCTION inventory.lock_patiently(regclass[], text) IS 'Locks the tables of a store exclusively when no other transaction uses them, so that buyers do not wait behind one that reads them for long. Part of refresh.';

CREATE FUNCTION inventory.alter_ledger(binding inventory.store_binding) RETURNS void
	LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	statement text;
BEGIN
	FOR statement IN
		SELECT format('ALTER TABLE %s %s', a.attrelid::regclass, string_agg(
			format('ALTER COLUMN %1$I TYPE %2$s USING %1$I::text::%3$s', a.attname,
				   e.type || inventory.collate_clause(e.collation_id, e.type), e.type), ', '))
		FROM inventory.ledger_columns(binding) AS e
		JOIN pg_class AS c ON c.relnamespace = quote_ident(binding.ledger_schema)::regnamespace AND c.relname = e.table_name
		JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attname = e.column_name
		WHERE (a.atttypid, a.attcollation) IS DISTINCT FROM (e.type::oid, e.collation_id)
		AND (e.table_name <> 'order_changes' OR binding.orders IS NOT NULL)
		GROUP BY a.attrelid
	LOOP
		EXECUTE statement;
	END LOOP;
END
$$;
COMMENT ON FUNCTION inventory.alter_ledger(inventory.store_binding) IS 'Gives the columns of a ledger the types and collations that a binding needs.';

CREATE FUNCTION inventory.change_store(store inventory.store, old inventory.store_binding,
									   new inventory.store_binding) RETURNS void
	LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	changed text[] := ARRAY(SELECT c.name FROM inventory.binding_changes(old, new) AS c);
	report text := (SELECT string_agg(format('%s: %s -> %s', c.name, c.before, c.after), E'\n' ORDER BY c.n)
					FROM inventory.binding_changes(old, new) AS c);
BEGIN
	-- counters know neither columns nor conditions
	IF changed && '{stock,version,stock_floor,purchase_limit,order_limit,sellable}' THEN
		PERFORM inventory.check_cold(store);
	END IF;
	PERFORM inventory.check_ledger_owner(old, store.movements);
	-- what lines are worth, the functions of before say
	IF old.order_writes = 'follow' AND new.order_writes <> 'follow' THEN
		PERFORM inventory.record_unknown_lines(old, store.movements);
		PERFORM inventory.stop_following(old, store.movements);
	END IF;
	PERFORM inventory.move_store(store, old, new);
	PERFORM inventory.check_schema_create(new.ledger_schema);
	PERFORM inventory.fit_order_ids(new);
	PERFORM inventory.alter_ledger(new);
	PERFORM inventory.make_ledger_indexes(new);
	PERFORM inventory.remake_expressions(store, old, new);
	PERFORM inventory.remake_store(store, new, true, new.sellable IS NOT NULL,
		num_nonnulls(new.order_prepare, new.order_values, new.header_values) > 0);
	PERFORM inventory.grant_schemas(new);
	EXECUTE format('COMMENT ON TABLE %s IS %L', store.movements::regclass, inventory.ledger_comment(new.store_name));
	IF 'stock' = ANY (changed) THEN
		PERFORM inventory.open_ledger(new.store_name);
	END IF;
	IF new.order_writes <> 'follow' THEN
		PERFORM inventory.stop_following(new, store.movements);
		PERFORM inventory.record_other_columns(old, new);
	END IF;
	IF changed && '{orders,order_item_id,order_quantity,order_user_id,order_writes,order_units,order_final,order_header,order_header_id}' THEN
		PERFORM inventory.book_open_lines(new, store.movements);
	END IF;
	RAISE NOTICE 'store "%" is changed', new.store_name USING DETAIL = coalesce(report, 'the settings of this session');
	PERFORM inventory.warn_promising_columns(new);
	IF changed && '{orders,order_header}' THEN
		PERFORM inventory.warn_given_triggers(new);
	END IF;
	IF changed && '{order_writes,order_final}' THEN
		PERFORM inventory.warn_follow(new);
	END IF;
	IF changed && '{orders,order_item_id}' THEN
		PERFORM inventory.warn_foreign_item(new);
	END IF;
	IF 'orders' = ANY (changed) THEN
		PERFORM inventory.warn_sold_lines(new);
	END IF;
	PERFORM inventory.warn_settable_values(new.items);
END
$$;
COMMENT ON FUNCTION inventory.change_store(inventory.store, inventory.store_binding, inventory.store_binding) IS 'Puts another binding of a store in force, and raises a NOTICE of what changed. The ledger and all grants stay.';

CREATE FUNCTION inventory.bind_again(binding inventory.store_binding, omitted text[], reset boolean) RETURNS void
	LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	store inventory.store;
	compared record;
	old inventory.store_binding;
	new inventory.store_binding;
BEGIN
	FOR pass IN 1..2 LOOP
		store := inventory.lookup_owned_store(binding.items);
		SELECT c.old, c.new INTO compared FROM inventory.compare_bindings(binding, store) AS c;
		old := compared.old;
		new := compared.new;
		-- they matter only to expressions; of several the condition decides
		IF num_nonnulls(new.sellable, new.order_units, new.order_final, new.order_values, new.header_values, new.order_prepare) = 0
		   OR NOT reset AND (CASE WHEN new.sellable IS NOT NULL THEN new.sellable = old.sellable
			  ELSE (new.order_units, new.order_final, new.order_values, new.header_values, new.order_prepare)
				   IS NOT DISTINCT FROM (old.order_units, old.order_final, old.order_values, old.header_values, old.order_prepare) END)
		THEN
			new.settings := old.settings;
		END IF;
		IF pass = 2 AND NOT reset THEN
			PERFORM inventory.check_read_back(store, old);
		END IF;
		IF NOT EXISTS (SELECT FROM inventory.binding_changes(old, new)) AND new.settings = old.settings
		   AND inventory.lost_expression(store, old) IS NULL THEN
			RAISE NOTICE 'store "%" is attached, nothing changed', old.store_name;
			RETURN;
		END IF;
		IF NOT reset THEN
			PERFORM inventory.check_loosened(old, new, omitted);
		END IF;
		PERFORM inventory.check_same_ids(old, new);
		IF pass = 1 THEN
			-- and look again: another session may have changed it
			PERFORM inventory.lock_exclusively(old, new);
		END IF;
	END LOOP;
	PERFORM inventory.change_store(store, old, new);
END
$$;
COMMENT ON FUNCTION inventory.bind_again(inventory.store_binding, text[], boolean) IS 'Implements attach on an attached store. "omitted" are the arguments that were not given, "reset" means their absence.';

-- ---------------------------------------------------------------- stores
--
-- Administration: what owners of tables call.

CREATE FUNCTION inventory.unbound_roles(binding inventory.store_binding) RETURNS text
	LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
	SELECT string_agg(r.role, ', ' ORDER BY r.n) FROM (VALUES
		(1, 'version', binding.version, true), (2, 'stock_floor', binding.stock_floor, true),
		(3, 'purchase_limit', binding.purchase_limit, true),
		(4, 'order_user_id', binding.order_user_id, binding.orders IS NOT NULL),
		(5, 'order_quantity', binding.order_quantity, binding.orders IS NOT NULL),
		(6, 'header_user_id', binding.header_user_id, binding.header IS NOT NULL))
		AS r(n, role, column_name, is_looked_for)
	WHERE r.column_name IS NULL AND r.is_looked_for
$$;
COMMENT ON FUNCTION inventory.unbound_roles(inventory.store_binding) IS 'The optional columns of a store for which none is bound, null if all are.';

-- Which roles had the functions of a ledger that is continued is not known: they went with the
-- functions.  USAGE on their schemas, which grant_api grants with them, is still there.
CREATE FUNCTION inventory.lost_grants(binding inventory.store_binding) RETURNS text
	LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
	SELECT coalesce(
		E'The functions are new, and only the owner may call them. Again for each of these roles that could before:\n'
			|| string_agg(format('SELECT inventory.grant_api(%L, %L, %L);', binding.items, r.rolname, p.part),
						  E'\n' ORDER BY p.part, r.rolname),
		'The functions are new, and only the owner may call them. Call inventory.grant_api again for each role that could before.')
	FROM (VALUES ('buyer', binding.api_schema), ('operator', binding.ledger_schema)) AS p(part, schema_name)
	JOIN pg_namespace AS n ON n.nspname = p.schema_name
	CROSS JOIN aclexplode(n.nspacl) AS a
	JOIN pg_roles AS r ON r.oid = a.grantee
	WHERE a.privilege_type = 'USAGE' AND a.grantee NOT IN (n.nspowner, binding.owner)
$$;
COMMENT ON FUNCTION inventory.lost_grants(inventory.store_binding) IS 'What to say of grants where a store continues a ledger: calls of grant_api for the roles that may use the schemas of its functions.';

CREATE FUNCTION inventory.report_binding(binding inventory.store_binding, continued boolean) RETURNS void
	LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	report text := concat_ws(E'\n',
		format('items %s: key %I %s, stock in %I %s', binding.items, binding.item_id,
			   binding.item_type, binding.stock, binding.stock_type)
			|| coalesce(', version ' || quote_ident(binding.version), '')
			|| coalesce(', floor ' || quote_ident(binding.stock_floor), '')
			|| coalesce(', purchase limit ' || quote_ident(binding.purchase_limit), '')
			|| coalesce(', order limit ' || quote_ident(binding.order_limit), ''),
		CASE WHEN binding.orders IS NULL THEN 'no orders: the application inserts its own'
		ELSE format('orders %s: key %I %s, item %I', binding.orders, binding.order_id,
					binding.order_type, binding.order_item_id)
			|| coalesce(', quantity ' || quote_ident(binding.order_quantity),
						', no quantity: one unit per row')
			|| coalesce(', user ' || quote_ident(binding.order_user_id), ', no user')
			|| coalesce(', header ' || quote_ident(binding.order_header_id), '') END,
		CASE WHEN binding.header IS NOT NULL THEN
			format('header %s: key %I %s', binding.header, binding.header_id, binding.header_type)
			|| coalesce(', user ' || quote_ident(binding.header_user_id), ', no user') END,
		'callers may set: ' || (SELECT string_agg(quote_ident(c), ', ' ORDER BY n)
								FROM unnest(binding.order_columns) WITH ORDINALITY AS u(c, n)),
		'callers may set in the header: '
			|| (SELECT string_agg(quote_ident(c), ', ' ORDER BY n)
				FROM unnest(binding.header_columns) WITH ORDINALITY AS u(c, n)),
		'rows of orders made by: ' || binding.order_prepare,
		'computed: ' || (SELECT string_agg(quote_ident(c), ', ' ORDER BY n)
						 FROM unnest(binding.order_value_columns || binding.header_value_columns)
							  WITH ORDINALITY AS u(c, n)),
		'for sale where: ' || binding.sellable,
		format('user ids are %s', binding.user_type) || coalesce(', claim ' || binding.user_claim, ''),
		'not found: ' || inventory.unbound_roles(binding),
		format('functions for buyers in schema %I, ledger and functions for operators in schema %I',
			   binding.api_schema, binding.ledger_schema));
BEGIN
	IF continued THEN
		RAISE NOTICE 'store "%" is attached', binding.store_name
			USING DETAIL = report, HINT = inventory.lost_grants(binding);
	ELSE
		RAISE NOTICE 'store "%" is attached', binding.store_name USING DETAIL = report;
	END IF;
END
$$;
COMMENT ON FUNCTION inventory.report_binding(inventory.store_binding, boolean) IS 'Raises a NOTICE that lists what was bound, and if a ledger is continued, says that grants are to be given again.';

CREATE FUNCTION inventory.check_options(binding inventory.store_binding) RETURNS void
	LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	taken regclass;
BEGIN
	IF binding.direct_writes NOT IN ('record', 'refuse', 'keep') THEN
		RAISE EXCEPTION 'direct_writes cannot be "%"', binding.direct_writes
			USING ERRCODE = 'invalid_parameter_value', HINT = 'It can be record, refuse or keep.';
	ELSIF binding.order_writes NOT IN ('record', 'refuse', 'follow') THEN
		RAISE EXCEPTION 'order_writes cannot be "%"', binding.order_writes
			USING ERRCODE = 'invalid_parameter_value', HINT = 'It can be record, refuse or follow.';
	ELSIF binding.order_writes = 'follow' AND binding.direct_writes = 'record' THEN
		RAISE EXCEPTION 'direct_writes cannot be "record" where order_writes is "follow"'
			USING ERRCODE = 'invalid_parameter_value',
				  DETAIL = 'A sale would count twice: by its order line, and by what the application takes from the stock.',
				  HINT = 'It can be refuse (the default there) or keep.';
	ELSIF NOT binding.max_ttl BETWEEN '1 microsecond' AND '100 years' THEN
		RAISE EXCEPTION 'max_ttl must be greater than zero and at most 100 years'
			USING ERRCODE = 'invalid_parameter_value', HINT = 'For example: max_ttl => ''1 day''.';
	ELSIF octet_length(binding.argument_prefix) > 40 THEN
		RAISE EXCEPTION 'argument_prefix is longer than 40 bytes'
			USING ERRCODE = 'name_too_long';
	ELSIF octet_length(binding.store_name) > 255 OR octet_length(binding.user_claim) > 255 THEN
		RAISE EXCEPTION 'store_name and user_claim may have at most 255 bytes'
			USING ERRCODE = 'name_too_long';
	ELSIF greatest(octet_length(binding.sellable), octet_length(binding.order_units),
				   octet_length(binding.order_final)) > 10000 THEN
		RAISE EXCEPTION 'sellable, order_units and order_final may have at most 10000 bytes'
			USING ERRCODE = 'program_limit_exceeded', HINT = 'Move it into a function, or a generated column.';
	ELSIF '' IN (binding.store_name, binding.user_claim, binding.sellable, binding.order_units, binding.order_final) THEN
		RAISE EXCEPTION 'store_name, user_claim, sellable, order_units and order_final must not be empty'
			USING ERRCODE = 'invalid_parameter_value', HINT = 'Pass null for none.';
	ELSIF to_regnamespace(quote_ident(binding.api_schema)) IS NULL THEN
		RAISE EXCEPTION 'schema "%" does not exist', binding.api_schema
			USING ERRCODE = 'invalid_schema_name', HINT = 'It was given as api_schema.';
	END IF;
	-- stores of other owners may have the same name
	SELECT s.items INTO taken FROM inventory.store AS s
	WHERE s.store_name = binding.store_name AND s.items <> binding.items AND inventory.owner_of(s.items) = binding.owner;
	IF taken IS NOT NULL THEN
		RAISE EXCEPTION 'store "%" already exists, on %', binding.store_name, taken
			USING ERRCODE = 'duplicate_object', HINT = 'Choose another name: store_name => ''...''.';
	END IF;
END
$$;
COMMENT ON FUNCTION inventory.check_options(inventory.store_binding) IS 'Raises an error if an argument of attach that is not a table or column is invalid.';

-- Tables stay.
CREATE FUNCTION inventory.drop_generated(store inventory.store, functions oid[]) RETURNS void
	LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	relations oid[] := ARRAY(SELECT c.oid FROM inventory.generated_relations(store) AS c
							 WHERE pg_has_role(c.relowner, 'USAGE') AND c.relname <> 'order_worth');
BEGIN
	PERFORM inventory.drop_functions(functions || inventory.prepare_function(store));
	PERFORM inventory.drop_worth(store);
	PERFORM inventory.drop_triggers(store);
	PERFORM inventory.drop_relations(relations);
END
$$;
COMMENT ON FUNCTION inventory.drop_generated(inventory.store, oid[]) IS 'Drops the given functions and the triggers, views and result types of a store.';

CREATE FUNCTION inventory.orphaned_store(binding inventory.store_binding, OUT store inventory.store)
	LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	store.store_name := binding.store_name;
	store.items := binding.items;
	store.orders := binding.orders;
	store.header := binding.header;
	store.api_schema := binding.api_schema;
	store.movements := inventory.find_ledger(binding, binding.ledger_schema);
	IF EXISTS (SELECT FROM inventory.store AS s WHERE s.movements = store.movements) THEN
		store.movements := NULL;
	END IF;
END
$$;
COMMENT ON FUNCTION inventory.orphaned_store(inventory.store_binding) IS 'The store that a binding may have been before: its name and tables, and its ledger if there is one that no store uses.';

-- Objects stay behind when a store loses one of its tables or the extension is dropped by force.
CREATE FUNCTION inventory.drop_orphaned(binding inventory.store_binding) RETURNS void
	LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	store inventory.store := inventory.orphaned_store(binding);
	functions oid[] := inventory.facade_nearby(store);
BEGIN
	IF store.movements IS NOT NULL OR functions <> '{}'
	   OR EXISTS (SELECT FROM inventory.store_triggers(store))
	THEN
		PERFORM inventory.drop_generated(store, functions);
	END IF;
END
$$;
COMMENT ON FUNCTION inventory.drop_orphaned(inventory.store_binding) IS 'Drops the generated objects that an earlier store of the same name left behind.';

CREATE FUNCTION inventory.lock_tables(items regclass, orders regclass, header regclass) RETURNS void
	LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	relation regclass;
BEGIN
	FOREACH relation IN ARRAY array_remove(ARRAY[items, orders, header], NULL) LOOP
		EXECUTE format('LOCK TABLE ONLY %s IN SHARE ROW EXCLUSIVE MODE', relation);
	END LOOP;
END
$$;
COMMENT ON FUNCTION inventory.lock_tables(regclass, regclass, regclass) IS 'Locks the tables of a store to be made against writers.';

CREATE FUNCTION inventory.bind_store(
		items regclass, orders regclass, item_id name, stock name, version name, stock_floor name,
		purchase_limit name, order_id name, order_user_id name, order_item_id name,
		order_quantity name, order_columns name[], user_id_type regtype, api_schema name,
		ledger_schema name, argument_prefix text, user_claim text, sellable text,
		direct_writes text, max_ttl interval, store_name text, order_writes text, order_units text,
		order_final text, order_header regclass, order_header_id name, header_user_id name,
		header_columns name[], order_values jsonb, header_values jsonb, order_prepare regprocedure,
		order_limit name, adopt boolean, reset boolean) RETURNS regclass
	LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	store inventory.store;
	binding inventory.store_binding;
	schema_name name;
	movements regclass;
	continued boolean; -- is there a ledger from before?
	omitted text[] := array_remove(ARRAY[
		CASE WHEN bind_store.orders IS NULL THEN 'orders' END,
		CASE WHEN bind_store.stock_floor IS NULL THEN 'stock_floor' END,
		CASE WHEN bind_store.purchase_limit IS NULL THEN 'purchase_limit' END,
		CASE WHEN bind_store.user_claim IS NULL THEN 'user_claim' END,
		CASE WHEN bind_store.sellable IS NULL THEN 'sellable' END,
		CASE WHEN bind_store.direct_writes IS NULL THEN 'direct_writes' END,
		CASE WHEN bind_store.order_writes IS NULL THEN 'order_writes' END,
		CASE WHEN bind_store.order_values IS NULL THEN 'order_values' END,
		CASE WHEN bind_store.header_values IS NULL THEN 'header_values' END,
		CASE WHEN bind_store.order_prepare IS NULL THEN 'order_prepare' END,
		CASE WHEN bind_store.order_limit IS NULL THEN 'order_limit' END], NULL);
BEGIN
	IF bind_store.items IS NULL THEN
		RAISE EXCEPTION 'items must not be null' USING ERRCODE = 'null_value_not_allowed';
	ELSIF bind_store.items = bind_store.orders THEN
		RAISE EXCEPTION 'items and orders cannot be the same table'
			USING ERRCODE = 'invalid_parameter_value';
	ELSIF bind_store.order_header IN (bind_store.items, bind_store.orders) THEN
		RAISE EXCEPTION 'order_header cannot be the table of items or orders'
			USING ERRCODE = 'invalid_parameter_value';
	END IF;
	SELECT * INTO store FROM inventory.store AS s WHERE s.items = bind_store.items;
	IF NOT FOUND THEN
		PERFORM inventory.check_table(bind_store.items, 'items', false);
	END IF;
	PERFORM inventory.check_owners(bind_store.items, bind_store.orders);
	PERFORM inventory.check_owners(bind_store.items, bind_store.order_header);
	IF store.items IS NULL THEN
		PERFORM inventory.lock_tables(bind_store.items, bind_store.orders, bind_store.order_header);
		-- another session may have attached it
		SELECT * INTO store FROM inventory.store AS s WHERE s.items = bind_store.items;
	END IF;
	-- those of a store are checked by each call, and here they are not even locked
	IF bind_store.orders IS DISTINCT FROM store.orders::regclass AND bind_store.orders IS NOT NULL THEN
		PERFORM inventory.check_table(bind_store.orders, 'orders', true);
	END IF;
	IF bind_store.order_header IS DISTINCT FROM store.header::regclass AND bind_store.order_header IS NOT NULL THEN
		PERFORM inventory.check_table(bind_store.order_header, 'order_header', false);
	END IF;
	schema_name := inventory.schema_of(bind_store.items);
	-- in the order of the type
	binding := ROW(
		coalesce(bind_store.store_name, store.store_name, concat_ws('.', schema_name,
			(SELECT c.relname FROM pg_class AS c WHERE c.oid = bind_store.items))),
		bind_store.items, bind_store.orders, inventory.owner_of(bind_store.items),
		bind_store.item_id, bind_store.stock, bind_store.version, bind_store.stock_floor,
		bind_store.purchase_limit, bind_store.order_id, bind_store.order_user_id,
		bind_store.order_item_id, bind_store.order_quantity, bind_store.order_columns,
		NULL, NULL, NULL, NULL, -- bind_items and bind_orders find the types
		coalesce(bind_store.api_schema, schema_name),
		coalesce(bind_store.ledger_schema, inventory.schema_of(store.movements)),
		coalesce(bind_store.argument_prefix, ''), bind_store.user_claim, bind_store.sellable,
		coalesce(bind_store.direct_writes, CASE WHEN bind_store.order_writes = 'follow' THEN 'refuse' ELSE 'record' END),
		coalesce(bind_store.max_ttl, '1 day'),
		inventory.session_settings(), bind_store.order_writes, bind_store.order_units,
		bind_store.order_final, bind_store.order_header, bind_store.order_header_id,
		bind_store.header_user_id, bind_store.header_columns, bind_store.order_values,
		bind_store.header_values, bind_store.order_prepare, bind_store.order_limit,
		NULL, NULL, NULL, NULL, -- bind_header and bind_orders find the key, its type and the values
		num_nonnulls(bind_store.order_units, bind_store.order_final) > 0
			OR bind_store.order_writes IS NOT DISTINCT FROM 'follow',
		bind_store.direct_writes IS NOT DISTINCT FROM 'refuse'
	)::inventory.store_binding;
	PERFORM inventory.check_options(binding);
	binding := inventory.bind_items(binding);
	binding := inventory.bind_orders(binding, bind_store.user_id_type);
	PERFORM inventory.check_other_stores(binding);
	PERFORM inventory.check_follow(binding);
	IF binding.order_prepare IS NOT NULL THEN
		PERFORM inventory.check_prepare(binding);
	END IF;
	IF store.items IS NOT NULL THEN
		PERFORM inventory.bind_again(binding, omitted, coalesce(bind_store.reset, false));
		RETURN binding.items;
	END IF;
	binding := inventory.bind_ledger_schema(binding);
	PERFORM inventory.drop_orphaned(binding);
	IF adopt IS NOT TRUE THEN
		PERFORM inventory.move_old_ledger(binding);
	END IF;

	continued := EXISTS (SELECT FROM pg_class AS c
						 WHERE c.relnamespace = to_regnamespace(quote_ident(binding.ledger_schema)) AND c.relname = 'movements');
	movements := inventory.make_ledger(binding);
	PERFORM inventory.mark_ledger(movements, binding.items);
	PERFORM inventory.make_results(binding);
	PERFORM inventory.make_worth(binding);
	PERFORM inventory.make_facade(binding);
	PERFORM inventory.make_prepare(binding, '');
	PERFORM inventory.insert_store_row(binding, movements, binding.sellable IS NOT NULL,
		num_nonnulls(binding.order_prepare, binding.order_values, binding.header_values) > 0);
	PERFORM inventory.make_triggers(binding);
	PERFORM inventory.warn_promising_columns(binding);
	PERFORM inventory.warn_below_floor(binding);
	PERFORM inventory.warn_foreign_item(binding);
	PERFORM inventory.warn_given_triggers(binding);
	PERFORM inventory.warn_old_orders(binding, movements);
	PERFORM inventory.warn_follow(binding);
	PERFORM inventory.open_ledger(binding.store_name);
	PERFORM inventory.book_open_lines(binding, movements);
	IF binding.order_writes <> 'follow' THEN
		PERFORM inventory.stop_following(binding, movements);
	END IF;
	-- With wal_level = minimal, a crash resets a sequence that was used in the transaction
	-- that created it, unless it is set once more.
	EXECUTE format('SELECT setval(%1$L, s.last_value, s.is_called) FROM %1$s AS s',
		pg_get_serial_sequence(format('%I.movements', binding.ledger_schema), 'movement_id'));
	PERFORM inventory.report_binding(binding, continued);
	PERFORM inventory.warn_settable_values(binding.items);
	RETURN binding.items;
END
$$;
COMMENT ON FUNCTION inventory.bind_store(regclass, regclass, name, name, name, name, name, name, name, name, name, name[], regtype, name, name, text, text, text, text, interval, text, text, text, text, regclass, name, name, name[], jsonb, jsonb, regprocedure, name, boolean, boolean) IS 'Implements attach, with the rights of the owner of the items.';

CREATE FUNCTION inventory.attach(
		items regclass, orders regclass DEFAULT NULL, item_id name DEFAULT NULL,
		stock name DEFAULT NULL, version name DEFAULT NULL, stock_floor name DEFAULT NULL,
		purchase_limit name DEFAULT NULL, order_id name DEFAULT NULL,
		order_user_id name DEFAULT NULL, order_item_id name DEFAULT NULL,
		order_quantity name DEFAULT NULL, order_columns name[] DEFAULT NULL,
		user_id_type regtype DEFAULT NULL, api_schema name DEFAULT NULL,
		ledger_schema name DEFAULT NULL, argument_prefix text DEFAULT NULL,
		user_claim text DEFAULT NULL, sellable text DEFAULT NULL,
		direct_writes text DEFAULT NULL, max_ttl interval DEFAULT NULL,
		store_name text DEFAULT NULL, order_writes text DEFAULT NULL,
		order_units text DEFAULT NULL, order_final text DEFAULT NULL,
		order_header regclass DEFAULT NULL, order_header_id name DEFAULT NULL,
		header_user_id name DEFAULT NULL, header_columns name[] DEFAULT NULL,
		order_values jsonb DEFAULT NULL, header_values jsonb DEFAULT NULL,
		order_prepare regprocedure DEFAULT NULL, order_limit name DEFAULT NULL,
		adopt boolean DEFAULT NULL, reset boolean DEFAULT NULL) RETURNS regclass
	LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'inventory_attach';
COMMENT ON FUNCTION inventory.attach(regclass, regclass, name, name, name, name, name, name, name, name, name, name[], regtype, name, name, text, text, text, text, interval, text, text, text, text, regclass, name, name, name[], jsonb, jsonb, regprocedure, name, boolean, boolean) IS 'Binds existing tables as a store, or does nothing: finds or takes the named columns, creates the ledger, the guards and the functions, and books an opening for every item. On an attached store it changes the options to those that are given, and keeps the ledger and all grants; where nothing differs it locks nothing. Returns items. Every argument except items may be null. max_ttl: longest life of a hold, null for 1 day. order_writes: what happens when others change order lines, record (null), refuse or follow. order_units, order_final: SQL expressions over the rows line and header. order_header: the table of which each purchase inserts a row, to which its lines refer. order_values and header_values: objects of columns of orders or of their header and SQL expressions that compute them; order_prepare: a function that makes these rows instead. order_limit: the column with the units of an item that one call may take. adopt: continues the ledger in the ledger schema, also if it is of another table. reset: on an attached store, an argument that is omitted is meant, even where that loosens what is in force. See doc/reference.md for each argument and each refusal. Errors: 42501 if the tables are not those of one owner, 42710 if another store has the name, 55000 if what is omitted would loosen what is in force, 55006 for what cannot change while an item is hot, 42723 if functions to be generated already exist, 42804 for a column of the wrong type, 42703, 42702, 42P10, 42809, 42P16, 42P13, 42P07, 42622, 3F000, 22004, 22023, 54000, 23502 if nothing fills a NOT NULL column of orders.';

-- A store that is not intact can be detached, too.
CREATE FUNCTION inventory.record_before_detach(store inventory.store) RETURNS void
	LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	binding inventory.store_binding;
BEGIN
	IF store.order_writes <> 'follow' THEN
		RETURN;
	END IF;
	BEGIN
		binding := inventory.read_binding(store);
		PERFORM inventory.lock_exclusively(binding, binding);
		PERFORM inventory.record_unknown_lines(binding, store.movements);
	EXCEPTION WHEN OTHERS THEN
		RAISE WARNING 'what order lines of store "%" are worth is not recorded', store.store_name
			USING DETAIL = SQLERRM,
				  HINT = 'If its orders are not followed when it is attached again, lines that its ledger does not know count as sold, by their rows.';
	END;
END
$$;
COMMENT ON FUNCTION inventory.record_before_detach(inventory.store) IS 'Records, for a store that follows its orders and is about to be detached, what only its order_units knows; a WARNING if that is not possible.';

CREATE FUNCTION inventory.unbind_store(items regclass) RETURNS void
	LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	store inventory.store := inventory.lookup_owned_store(unbind_store.items);
BEGIN
	EXECUTE format('LOCK TABLE ONLY %s IN ACCESS EXCLUSIVE MODE', store.items);
	PERFORM inventory.check_cold(store);
	PERFORM inventory.record_before_detach(store);
	PERFORM inventory.mark_ledger(store.movements, store.items);
	PERFORM inventory.drop_generated(store, ARRAY(SELECT f.function_id FROM inventory.facade_of(store) AS f));
	PERFORM inventory.delete_store_row(store.items);
END
$$;
COMMENT ON FUNCTION inventory.unbind_store(regclass) IS 'Implements detach, with the rights of the owner of the items.';

CREATE FUNCTION inventory.detach(items regclass) RETURNS void
	LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'inventory_detach';
COMMENT ON FUNCTION inventory.detach(regclass) IS 'Detaches a store from its tables: drops its functions, guards, views and binding, and keeps every table, including the ledger. Attaching the items again continues that ledger. Errors: IV012 not_a_store, 55006 while an item is hot, 2BP01 for views of the shop on levels, 22004, 42501.';

CREATE FUNCTION inventory.is_schema_of_store(store inventory.store, relations oid[], functions oid[])
	RETURNS boolean
	LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
	SELECT NOT EXISTS (
		SELECT FROM pg_class AS m
		JOIN pg_depend AS d ON d.refclassid = 'pg_namespace'::regclass AND d.refobjid = m.relnamespace
		WHERE m.oid = store.movements
		-- what only refers to the schema is not in it
		AND (pg_identify_object(d.classid, d.objid, d.objsubid)).schema IS NOT NULL
		AND NOT (d.classid = 'pg_proc'::regclass AND d.objid = ANY (functions))
		AND NOT (d.classid = 'pg_type'::regclass
				 AND d.objid IN (SELECT c.reltype FROM pg_class AS c WHERE c.oid = ANY (relations)))
		AND NOT (d.classid = 'pg_class'::regclass AND (
			d.objid = ANY (relations || store.items::oid || store.orders::oid || store.header::oid) OR EXISTS (
				SELECT FROM pg_depend AS o
				WHERE o.classid = 'pg_class'::regclass AND o.objid = d.objid
				AND o.deptype IN ('a', 'i') AND o.refclassid = 'pg_class'::regclass
				AND o.refobjid = ANY (relations || store.items::oid || store.orders::oid || store.header::oid)))))
$$;
COMMENT ON FUNCTION inventory.is_schema_of_store(inventory.store, oid[], oid[]) IS 'True if the ledger schema of a store contains nothing but the store.';

-- What has another owner than the ledger is not of the store.  Runs with the rights of the
-- caller, who needs those of both owners.
CREATE FUNCTION inventory.take_over_ledger(items regclass) RETURNS void
	LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	store inventory.store;
	old_owner oid;
	new_owner name;
	schema_name name;
	relations oid[];
	functions oid[];
	object text;
BEGIN
	SELECT * INTO STRICT store FROM inventory.store AS s WHERE s.items = take_over_ledger.items;
	old_owner := inventory.owner_of(store.movements);
	new_owner := pg_get_userbyid(inventory.owner_of(store.items));
	schema_name := inventory.schema_of(store.movements);
	relations := ARRAY(SELECT inventory.ledger_relations(store));
	functions := ARRAY(SELECT f.function_id FROM inventory.facade_of(store) AS f
					   JOIN pg_proc AS p ON p.oid = f.function_id WHERE p.proowner = old_owner)
				 || inventory.worth_functions(store)
				 || array_remove(ARRAY[inventory.prepare_function(store)], NULL);
	IF inventory.is_schema_of_store(store, relations, functions)
	   AND (SELECT n.nspowner = old_owner FROM pg_namespace AS n WHERE n.nspname = schema_name) THEN
		EXECUTE format('ALTER SCHEMA %I OWNER TO %I', schema_name, new_owner);
	END IF;
	FOR object IN
		SELECT format('FUNCTION %s', f::regprocedure) FROM unnest(functions) AS f
		UNION ALL
		SELECT format('%s %s', CASE c.relkind WHEN 'c' THEN 'TYPE' WHEN 'v' THEN 'VIEW' ELSE 'TABLE' END,
					  c.oid::regclass)
		FROM pg_class AS c WHERE c.oid = ANY (relations)
	LOOP
		EXECUTE format('ALTER %s OWNER TO %I', object, new_owner);
	END LOOP;
END
$$;
COMMENT ON FUNCTION inventory.take_over_ledger(regclass) IS 'Gives the ledger and the generated objects of a store, and a schema that contains nothing else, to the owner of its items. Part of detach and refresh.';

CREATE FUNCTION inventory.refresh_store(items regclass) RETURNS void
	LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	store inventory.store := inventory.lookup_owned_store(refresh_store.items);
	binding inventory.store_binding;
BEGIN
	PERFORM inventory.check_owners(store.items, store.orders);
	PERFORM inventory.check_owners(store.items, store.header);
	-- in the order in which a call locks them
	PERFORM inventory.lock_patiently(array_remove(ARRAY[store.items, store.orders, store.header], NULL), store.store_name);
	binding := inventory.read_binding(store);
	PERFORM inventory.check_ledger_owner(binding, store.movements);
	PERFORM inventory.check_schema_create(binding.ledger_schema);
	PERFORM inventory.mark_ledger(store.movements, store.items);
	IF store.has_prepare AND inventory.prepare_function(store) IS NULL THEN
		IF num_nonnulls(store.order_values, store.header_values) = 0 THEN
			RAISE EXCEPTION 'store "%" has lost its function prepare_order', store.store_name
				USING ERRCODE = 'object_not_in_prerequisite_state',
					  HINT = format('Detach the store, which keeps every table, and attach it again: SELECT inventory.detach(%L);',
									store.items);
		END IF;
		PERFORM inventory.make_prepare(binding, '');
	END IF;
	PERFORM inventory.remake_store(store, binding, binding.api_schema <> store.api_schema, store.has_sellable,
								   store.has_prepare);
END
$$;
COMMENT ON FUNCTION inventory.refresh_store(regclass) IS 'Implements refresh, with the rights of the owner of the items.';

CREATE FUNCTION inventory.refresh(items regclass) RETURNS void
	LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'inventory_refresh';
COMMENT ON FUNCTION inventory.refresh(regclass) IS 'Generates the functions, views and triggers of a store again from the present state of its tables: after an upgrade or a change of owner. Renamed columns, tables and schemas need no refresh. Objects are replaced where possible and not dropped, so that running calls and objects that use them continue. Grants are kept. Errors: IV012 not_a_store, 55P03 if the tables are in use, 55000 if the store is not intact, 2BP01 for views of the shop that depend on what has to be dropped, 22004, 42501.';

-- A transaction for each store, so that buyers of one do not wait for the others.  A procedure that
-- commits cannot have a search_path of its own.
CREATE PROCEDURE inventory.refresh_all()
	LANGUAGE plpgsql AS $$
DECLARE
	own pg_catalog.regclass[] := ARRAY(
		SELECT s.items FROM inventory.store AS s JOIN pg_catalog.pg_class AS c ON c.oid OPERATOR(pg_catalog.=) s.items
		WHERE pg_catalog.pg_has_role(c.relowner, 'USAGE') ORDER BY s.store_name);
	items pg_catalog.regclass;
	message pg_catalog.text;
	detail pg_catalog.text;
	hint pg_catalog.text;
	failed pg_catalog.text[] := '{}';
BEGIN
	FOREACH items IN ARRAY own LOOP
		BEGIN
			PERFORM inventory.refresh(items);
		EXCEPTION WHEN OTHERS THEN
			GET STACKED DIAGNOSTICS message = MESSAGE_TEXT, detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
			RAISE WARNING 'the store of % was not refreshed: %', items, message USING DETAIL = detail, HINT = hint;
			failed := pg_catalog.array_append(failed, items::pg_catalog.text);
		END;
		COMMIT;
	END LOOP;
	IF pg_catalog.cardinality(failed) OPERATOR(pg_catalog.>) 0 THEN
		RAISE EXCEPTION '% of % stores were not refreshed', pg_catalog.cardinality(failed), pg_catalog.cardinality(own)
			USING ERRCODE = 'object_not_in_prerequisite_state',
				  DETAIL = pg_catalog.format('Not refreshed: %s.', pg_catalog.array_to_string(failed, ', ')),
				  HINT = 'The warnings say why. The others are refreshed, and their functions sell.';
	END IF;
END
$$;
COMMENT ON PROCEDURE inventory.refresh_all() IS 'Refreshes every store whose owner''s rights the caller has, each in a transaction of its own: after ALTER EXTENSION inventory UPDATE. A store that cannot be refreshed is a warning and does not stop the others; then the call ends with an error. It cannot run in a transaction block. Errors: 55000, 2D000.';

CREATE FUNCTION inventory.grant_facade(items regclass, role name, part text) RETURNS void
	LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	store inventory.store := inventory.lookup_owned_store(grant_facade.items);
	grantee text := CASE role WHEN 'public' THEN 'PUBLIC' ELSE quote_ident(role) END;
	f record;
BEGIN
	IF role IS NULL OR part IS NULL THEN
		RAISE EXCEPTION 'role and part must not be null' USING ERRCODE = 'null_value_not_allowed';
	ELSIF part NOT IN ('buyer', 'operator') THEN
		RAISE EXCEPTION 'part cannot be "%"', part
			USING ERRCODE = 'invalid_parameter_value', HINT = 'It can be buyer or operator.';
	END IF;
	FOR f IN SELECT o.oid::regprocedure AS signature, o.pronamespace AS schema_id
			 FROM inventory.facade_of(store) AS g JOIN pg_proc AS o ON o.oid = g.function_id
			 WHERE g.part = grant_facade.part
	LOOP
		EXECUTE format('GRANT EXECUTE ON FUNCTION %s TO %s', f.signature, grantee);
		-- only where it is missing: a schema such as public has another owner
		CONTINUE WHEN has_schema_privilege(role, f.schema_id, 'USAGE');
		IF NOT has_schema_privilege(f.schema_id, 'USAGE WITH GRANT OPTION') THEN
			RAISE EXCEPTION 'permission denied for schema %', f.schema_id::regnamespace
				USING ERRCODE = 'insufficient_privilege',
					  HINT = format('GRANT USAGE ON SCHEMA %s TO %s;', f.schema_id::regnamespace, grantee);
		END IF;
		EXECUTE format('GRANT USAGE ON SCHEMA %s TO %s', f.schema_id::regnamespace, grantee);
	END LOOP;
	IF part = 'buyer' THEN
		PERFORM inventory.warn_settable_values(store.items);
	END IF;
END
$$;
COMMENT ON FUNCTION inventory.grant_facade(regclass, name, text) IS 'Implements grant_api, with the rights of the owner of the items.';

CREATE FUNCTION inventory.grant_api(items regclass, role name, part text) RETURNS void
	LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'inventory_grant_api';
COMMENT ON FUNCTION inventory.grant_api(regclass, name, text) IS 'Lets a role call the functions of a store for buyers or operators: grants EXECUTE, and USAGE on their schema. Arguments: items, the table; role, public for every role; part, buyer or operator. Errors: IV012 not_a_store, 22023, 22004, 42501, 42704.';

CREATE FUNCTION inventory.create_store(schema name, item_id_type regtype DEFAULT 'uuid',
									   user_id_type regtype DEFAULT 'uuid') RETURNS regclass
	LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	owner oid := to_regrole(quote_ident(current_user));
	items text;
	orders text;
	wrong regtype;
BEGIN
	IF create_store.schema IS NULL OR item_id_type IS NULL OR user_id_type IS NULL THEN
		RAISE EXCEPTION 'arguments of create_store must not be null'
			USING ERRCODE = 'null_value_not_allowed';
	END IF;
	SELECT t INTO wrong FROM unnest(ARRAY[item_id_type, user_id_type]) AS t
	WHERE NOT inventory.base_type(t) = ANY (inventory.key_types()) LIMIT 1;
	IF wrong IS NOT NULL THEN
		RAISE EXCEPTION 'ids cannot be %', wrong
			USING ERRCODE = 'datatype_mismatch',
				  HINT = format('They can be: %s.', array_to_string(inventory.key_types(), ', '));
	END IF;
	PERFORM inventory.make_schema(create_store.schema, owner);
	items := format('%I.items', create_store.schema);
	orders := format('%I.orders', create_store.schema);
	IF coalesce(to_regclass(items), to_regclass(orders)) IS NOT NULL THEN
		RAISE EXCEPTION '% already exists', coalesce(to_regclass(items), to_regclass(orders))
			USING ERRCODE = 'duplicate_table',
				  HINT = 'Choose another schema' || CASE WHEN to_regclass(items) IS NULL THEN '.'
						 ELSE format(', or attach the existing tables: SELECT inventory.attach(%L, %L);',
									 to_regclass(items), to_regclass(orders)) END;
	END IF;
	EXECUTE format('CREATE TABLE %s (id %s PRIMARY KEY, stock bigint NOT NULL DEFAULT 0,
					stock_floor bigint NOT NULL DEFAULT 0, purchase_limit bigint) USING heap',
				   items, item_id_type);
	EXECUTE format('CREATE TABLE %s (id uuid PRIMARY KEY DEFAULT gen_random_uuid(), user_id %s,
					item_id %s NOT NULL, quantity bigint NOT NULL,
					created_at timestamptz NOT NULL DEFAULT now()) USING heap',
				   orders, user_id_type, item_id_type);
	PERFORM inventory.restrict_to_owner('TABLE', items, owner);
	PERFORM inventory.restrict_to_owner('TABLE', orders, owner);
	RETURN inventory.attach(items::regclass, orders::regclass, ledger_schema => create_store.schema);
END
$$;
COMMENT ON FUNCTION inventory.create_store(name, regtype, regtype) IS 'Creates the tables items and orders in a schema, and the schema if it does not exist, and attaches them, with the ledger and the functions in the same schema. Arguments: schema, its name; item_id_type and user_id_type, the types of the ids. Returns items. Errors: 42P07 if a table exists, 42804 for a type that cannot be an id, 22004, 42501.';

-- ---------------------------------------------------------------- descriptions
--
-- What is attached, for people and for tools.

CREATE VIEW inventory.bindings AS
	SELECT s.store_name, s.items::regclass AS items, s.orders::regclass AS orders,
		   b.item_id, b.stock, b.version, b.stock_floor, b.purchase_limit,
		   b.order_id, b.order_user_id, b.order_item_id, b.order_quantity, b.order_columns,
		   inventory.column_type(s.movements, 'user_id') AS user_id_type,
		   s.api_schema, inventory.schema_of(s.movements) AS ledger_schema, s.argument_prefix,
		   s.user_claim, inventory.sellable_condition(s) AS sellable, s.direct_writes, s.max_ttl,
		   CASE WHEN s.orders IS NOT NULL THEN s.order_writes END AS order_writes,
		   inventory.worth_expression(s, 'order_units') AS order_units,
		   inventory.worth_expression(s, 'order_final') AS order_final,
		   s.header::regclass AS order_header, b.order_header_id, b.header_user_id, b.header_columns,
		   v.order_values, v.header_values, inventory.prepared_by(s) AS order_prepare, b.order_limit
	FROM inventory.store AS s
	CROSS JOIN LATERAL inventory.computed_values(s) AS v
	CROSS JOIN LATERAL (
		SELECT min(c.column_name::text) FILTER (WHERE c.role = 'item_id')::name AS item_id,
			   min(c.column_name::text) FILTER (WHERE c.role = 'stock')::name AS stock,
			   min(c.column_name::text) FILTER (WHERE c.role = 'version')::name AS version,
			   min(c.column_name::text) FILTER (WHERE c.role = 'stock_floor')::name AS stock_floor,
			   min(c.column_name::text) FILTER (WHERE c.role = 'purchase_limit')::name AS purchase_limit,
			   min(c.column_name::text) FILTER (WHERE c.role = 'order_id')::name AS order_id,
			   min(c.column_name::text) FILTER (WHERE c.role = 'order_user_id')::name AS order_user_id,
			   min(c.column_name::text) FILTER (WHERE c.role = 'order_item_id')::name AS order_item_id,
			   min(c.column_name::text) FILTER (WHERE c.role = 'order_quantity')::name AS order_quantity,
			   min(c.column_name::text) FILTER (WHERE c.role = 'order_header_id')::name AS order_header_id,
			   min(c.column_name::text) FILTER (WHERE c.role = 'header_user_id')::name AS header_user_id,
			   min(c.column_name::text) FILTER (WHERE c.role = 'order_limit')::name AS order_limit,
			   coalesce(array_agg(c.column_name ORDER BY c.n) FILTER (WHERE c.is_settable AND NOT c.of_header), '{}')
				   AS order_columns,
			   CASE WHEN s.header IS NOT NULL THEN
				   coalesce(array_agg(c.column_name ORDER BY c.n) FILTER (WHERE c.is_settable AND c.of_header), '{}')
			   END AS header_columns
		FROM (SELECT d.column_name, d.n, rtrim(split_part(d.role, '=', 1), '+*') AS role,
					 d.role LIKE '%+' AND d.role NOT LIKE '%=%' AS is_settable,
					 d.relation = s.header IS TRUE AS of_header
			  FROM inventory.bound_columns(s) AS d) AS c) AS b;
COMMENT ON VIEW inventory.bindings IS 'The arguments of attach that are in force for each store. A column that is not bound is null, as is one that is unknown because a trigger that remembers it is gone.';

CREATE FUNCTION inventory.describe(items regclass) RETURNS text
	LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	store inventory.store := inventory.lookup_owned_store(describe.items);
	binding inventory.store_binding := inventory.binding_in_force(store);
BEGIN
	PERFORM inventory.check_read_back(store, binding);
	RETURN inventory.attach_statement(binding);
END
$$;
COMMENT ON FUNCTION inventory.describe(regclass) IS 'Returns the call of attach that is in force for a store, with every argument; after detach it makes the same store again. An empty name stands for a column that is not bound. Errors: IV012 not_a_store, 22004, 42501, 55000 if the store is not intact.';

-- ---------------------------------------------------------------- types
--
-- The type of a bound column is also that of columns of the ledger and of arguments of the
-- functions, so it changes with them or not at all.

-- "column" can be qualified by the name of its table.
CREATE FUNCTION inventory.find_column(binding inventory.store_binding, column_name text,
									  OUT relation regclass, OUT attribute name)
	LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	names text[];
	bound name[] := ARRAY[binding.item_id, binding.stock, binding.version, binding.stock_floor, binding.purchase_limit,
						  binding.order_limit];
	order_bound name[] := ARRAY[binding.order_id, binding.order_user_id, binding.order_item_id, binding.order_quantity,
								binding.order_header_id];
BEGIN
	-- of those that are bound, if any is
	SELECT array_agg(f.name ORDER BY f.n), (array_agg(f.relation ORDER BY f.n))[1], (array_agg(f.attname ORDER BY f.n))[1]
	INTO names, relation, attribute
	FROM (SELECT t.n, t.relation, a.attname, inventory.table_column(c.oid, a.attname) AS name,
				 rank() OVER (ORDER BY (a.attname = ANY (t.bound)) IS NOT TRUE) AS rank
		  FROM (VALUES (1, binding.items, bound), (2, binding.orders, order_bound),
					   (3, binding.header, ARRAY[binding.header_id, binding.header_user_id])) AS t(n, relation, bound)
		  JOIN pg_class AS c ON c.oid = t.relation
		  JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
		  WHERE column_name IN (a.attname, c.relname || '.' || a.attname, inventory.table_column(c.oid, a.attname))) AS f
	WHERE f.rank = 1;
	IF cardinality(names) > 1 THEN
		RAISE EXCEPTION 'column "%" can be % or %', column_name, names[1], names[2]
			USING ERRCODE = 'ambiguous_column', HINT = format('Name its table: %L or %L.', names[1], names[2]);
	ELSIF names IS NULL AND (column_name <> 'user_id' OR binding.order_user_id IS NOT NULL
							 OR binding.header_user_id IS NOT NULL) THEN
		RAISE EXCEPTION 'no table of store "%" has a column "%"', binding.store_name, column_name
			USING ERRCODE = 'undefined_column',
				  HINT = 'Name a column of items, orders or the header, or "user_id" for the users of a store that binds no column of them.';
	END IF;
END
$$;
COMMENT ON FUNCTION inventory.find_column(inventory.store_binding, text) IS 'The column of a table of a store that a name means; null for the users of a store that has no column of them. Raises an error if there is none, or more than one.';

-- The columns of ids that have one type in a store.
CREATE FUNCTION inventory.columns_of_type(binding inventory.store_binding, INOUT relation regclass,
										  INOUT attribute name, new_type regtype)
	RETURNS SETOF record
	LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
	WITH ids(id, relation, attribute) AS (VALUES
		('item', binding.items, binding.item_id), ('item', binding.orders, binding.order_item_id),
		('user', binding.orders, binding.order_user_id), ('user', binding.header, binding.header_user_id),
		('header', binding.header, binding.header_id), ('header', binding.orders, binding.order_header_id))
	SELECT columns_of_type.relation, columns_of_type.attribute WHERE columns_of_type.attribute IS NOT NULL
	UNION
	SELECT o.relation, o.attribute FROM ids AS i JOIN ids AS o USING (id)
	WHERE i.relation = columns_of_type.relation AND i.attribute = columns_of_type.attribute
	AND o.attribute IS NOT NULL
	-- lines may have a wider or narrower integer than the key of their item
	AND NOT (i.id = 'item' AND ARRAY[inventory.base_type(new_type), inventory.column_type(o.relation, o.attribute)]
							   <@ inventory.integer_types())
$$;
COMMENT ON FUNCTION inventory.columns_of_type(inventory.store_binding, regclass, name, regtype) IS 'The columns that change their type with a column of a store.';

CREATE FUNCTION inventory.alter_type(relation regclass, attribute name, new_type regtype) RETURNS void
	LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	a pg_attribute := inventory.column_of(relation, attribute);
	default_value text := (SELECT pg_get_expr(d.adbin, d.adrelid) FROM pg_attrdef AS d
						   WHERE d.adrelid = relation AND d.adnum = a.attnum AND a.attgenerated = '');
	serial text := pg_get_serial_sequence(relation::text, attribute);
BEGIN
	IF inventory.base_type(new_type) = ANY (inventory.integer_types()) AND inventory.has_fractions(relation, a) THEN
		RAISE EXCEPTION 'column "%" of % has fractions, which % would round', attribute, relation, new_type
			USING ERRCODE = 'numeric_value_out_of_range',
				  HINT = format('Count in a smaller unit, or round down first: UPDATE %1$s SET %2$I = floor(%2$I) WHERE %2$I <> floor(%2$I);',
								relation, attribute);
	END IF;
	EXECUTE format('ALTER TABLE %1$s %4$s ALTER COLUMN %2$I TYPE %3$s USING %2$I::%3$s %5$s', relation, attribute, new_type,
				   'ALTER COLUMN ' || CASE WHEN default_value IS NOT NULL THEN quote_ident(attribute) END || ' DROP DEFAULT,',
				   format(', ALTER COLUMN %I SET DEFAULT ', attribute)
				   -- a number stays as it is written: tools that compare schemas know it so
				   || CASE WHEN default_value ~ '^-?[0-9]+$' THEN default_value ELSE '(' || default_value || ')::' || new_type END);
	-- an identity column does that itself
	IF serial IS NOT NULL AND a.attidentity = '' AND new_type = ANY (inventory.integer_types()) THEN
		EXECUTE format('ALTER SEQUENCE %s AS %s', serial, new_type);
	END IF;
END
$$;
COMMENT ON FUNCTION inventory.alter_type(regclass, name, regtype) IS 'Changes the type of a column, its values and its default.';

CREATE FUNCTION inventory.alter_types(relations regclass[], attributes name[], new_type regtype) RETURNS void
	LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	-- foreign keys between the columns, which would have to change at once
	keys oid[] := ARRAY(
		SELECT c.oid FROM pg_constraint AS c
		JOIN unnest(relations, attributes) AS o(relation, attribute) ON o.relation = c.conrelid
		JOIN unnest(relations, attributes) AS i(relation, attribute) ON i.relation = c.confrelid
		JOIN pg_attribute AS a ON a.attrelid = c.conrelid AND a.attname = o.attribute AND a.attnum = ANY (c.conkey)
		JOIN pg_attribute AS f ON f.attrelid = c.confrelid AND f.attname = i.attribute AND f.attnum = ANY (c.confkey)
		WHERE c.contype = 'f' AND c.conparentid = 0);
	additions text[] := ARRAY(
		SELECT format('ALTER TABLE %s ADD CONSTRAINT %I %s', c.conrelid::regclass, c.conname, pg_get_constraintdef(c.oid))
		FROM pg_constraint AS c WHERE c.oid = ANY (keys) ORDER BY c.oid);
	statement text;
BEGIN
	FOR statement IN SELECT format('ALTER TABLE %s DROP CONSTRAINT %I', c.conrelid::regclass, c.conname)
					 FROM pg_constraint AS c WHERE c.oid = ANY (keys)
	LOOP
		EXECUTE statement;
	END LOOP;
	FOR n IN 1..cardinality(relations) LOOP
		PERFORM inventory.alter_type(relations[n], attributes[n], new_type);
	END LOOP;
	FOREACH statement IN ARRAY additions LOOP
		EXECUTE statement;
	END LOOP;
END
$$;
COMMENT ON FUNCTION inventory.alter_types(regclass[], name[], regtype) IS 'Changes the type of columns and keeps the foreign keys between them.';

CREATE FUNCTION inventory.attach_quietly(binding inventory.store_binding) RETURNS void
	LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp SET client_min_messages = error
	-- those under which the expressions were written
	SET DateStyle = ISO SET IntervalStyle = postgres SET standard_conforming_strings = on SET array_nulls = on AS $$
DECLARE
	store inventory.store;
BEGIN
	EXECUTE inventory.attach_statement(binding);
	-- the settings are not those of this session
	store := inventory.lookup_owned_store(binding.items);
	IF store.settings <> binding.settings THEN
		PERFORM inventory.delete_store_row(store.items);
		PERFORM inventory.insert_store_row(
			jsonb_populate_record(inventory.read_binding(store), jsonb_build_object('settings', binding.settings)),
			store.movements, store.has_sellable, store.has_prepare);
	END IF;
END
$$;
COMMENT ON FUNCTION inventory.attach_quietly(inventory.store_binding) IS 'Makes the store of a binding, under its settings, without a NOTICE.';

-- A domain is another type, and a length or a scale is part of one.
CREATE FUNCTION inventory.has_type_already(binding inventory.store_binding, column_name text, new_type regtype)
	RETURNS boolean
	LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
	SELECT CASE WHEN f.attribute IS NULL THEN binding.user_type = new_type
		ELSE NOT EXISTS (
			SELECT FROM inventory.columns_of_type(binding, f.relation, f.attribute, new_type) AS c
			CROSS JOIN LATERAL inventory.column_of(c.relation, c.attribute) AS a
			WHERE a.atttypid <> new_type OR a.atttypmod <> -1) END
	FROM inventory.find_column(binding, column_name) AS f
$$;
COMMENT ON FUNCTION inventory.has_type_already(inventory.store_binding, text, regtype) IS 'True if a column of a store, and all that change their type with it, have a type.';

CREATE FUNCTION inventory.retype_column(items regclass, "column" name, type regtype) RETURNS void
	LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	store inventory.store := inventory.lookup_owned_store(retype_column.items);
	binding inventory.store_binding;
	found record;
	relations regclass[];
	attributes name[];
	report text;
	grants text[];
	lost text;
BEGIN
	IF "column" IS NULL OR type IS NULL THEN
		RAISE EXCEPTION 'column and type must not be null' USING ERRCODE = 'null_value_not_allowed';
	END IF;
	PERFORM inventory.type_name(type);
	binding := inventory.binding_in_force(store);
	IF inventory.has_type_already(binding, "column"::text, type) THEN
		RAISE NOTICE 'the column has type % already, nothing changed', type;
		RETURN;
	END IF;
	PERFORM inventory.lock_exclusively(binding, binding);
	store := inventory.lookup_owned_store(store.items);
	binding := inventory.binding_in_force(store);
	PERFORM inventory.check_read_back(store, binding);
	SELECT * INTO found FROM inventory.find_column(binding, "column"::text);
	SELECT coalesce(array_agg(c.relation), '{}'), coalesce(array_agg(c.attribute), '{}'),
		   coalesce(string_agg(format('column %I of %s: %s -> %s', c.attribute, c.relation,
							   format_type((inventory.column_of(c.relation, c.attribute)).atttypid, NULL), type), E'\n'),
					format('users: %s -> %s', binding.user_type, type))
	INTO relations, attributes, report
	FROM inventory.columns_of_type(binding, found.relation, found.attribute, type) AS c;
	grants := ARRAY(SELECT inventory.facade_grants(binding));
	PERFORM inventory.unbind_store(store.items);
	PERFORM inventory.alter_types(relations, attributes, type);
	binding.item_type := inventory.column_type(binding.items, binding.item_id);
	binding.order_type := coalesce(inventory.column_type(binding.orders, binding.order_id), binding.order_type);
	binding.user_type := inventory.base_type(coalesce((inventory.user_column(binding)).atttypid,
		CASE WHEN found.attribute IS NULL THEN type ELSE binding.user_type END));
	PERFORM inventory.alter_ledger(binding);
	PERFORM inventory.attach_quietly(binding);
	FOR lost IN SELECT unnest(grants) EXCEPT SELECT inventory.facade_grants(binding) ORDER BY 1 LOOP
		EXECUTE lost;
	END LOOP;
	RAISE NOTICE 'store "%" is changed', binding.store_name USING DETAIL = report;
END
$$;
COMMENT ON FUNCTION inventory.retype_column(regclass, name, regtype) IS 'Implements retype, with the rights of the owner of the items.';

CREATE FUNCTION inventory.retype(items regclass, "column" name, type regtype) RETURNS void
	LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'inventory_retype';
COMMENT ON FUNCTION inventory.retype(regclass, name, regtype) IS 'Changes the type of a column of the tables of a store, in the ledger and the functions too: detaches, alters and attaches in one transaction. The ledger and all grants stay. Arguments: items, the table; column, of items, orders or their header, with the name of its table where that is needed (orders.id), or user_id where users have no column; type, the new one. Columns of ids that must have one type change together, and foreign keys between them stay. Errors: IV012 not_a_store, 42702, 42703, 42804 for a type that the column cannot have, 55006 while an item is hot, 2BP01 for views of the shop on levels, 22003 for fractions, 22P02, 22004, 42501.';

-- ALTER TABLE would only say that a trigger or a view uses the column.
CREATE FUNCTION inventory.check_altered_column(relation regclass, column_name name, type text) RETURNS void
	LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	store inventory.store;
BEGIN
	SELECT s.* INTO store FROM inventory.store AS s
	WHERE relation IN (s.items, s.orders, s.header) AND pg_has_role(inventory.owner_of(relation), 'USAGE')
	AND EXISTS (
		SELECT FROM pg_depend AS d JOIN pg_attribute AS a ON a.attrelid = d.refobjid AND a.attnum = d.refobjsubid
		WHERE d.refclassid = 'pg_class'::regclass AND d.refobjid = relation AND a.attname = column_name
		AND (d.classid = 'pg_trigger'::regclass AND d.objid IN (SELECT t.trigger_id FROM inventory.store_triggers(s) AS t)
			 OR d.classid = 'pg_rewrite'::regclass AND EXISTS (
				 SELECT FROM pg_rewrite AS r JOIN inventory.generated_relations(s) AS g ON g.oid = r.ev_class
				 WHERE r.oid = d.objid)
			 OR d.classid = 'pg_proc'::regclass
				AND d.objid = ANY (inventory.worth_functions(s) || inventory.prepare_function(s))))
	LIMIT 1;
	IF FOUND THEN
		RAISE EXCEPTION 'cannot alter the type of column "%" of %: store "%" uses it', column_name, relation, store.store_name
			USING ERRCODE = 'feature_not_supported',
				  HINT = format('SELECT inventory.retype(%L, %L, %L);', store.items,
								inventory.table_column(relation, column_name), type);
	END IF;
END
$$;
COMMENT ON FUNCTION inventory.check_altered_column(regclass, name, text) IS 'Refuses to change the type of a column that a store uses.';

CREATE FUNCTION inventory.before_alter() RETURNS pg_catalog.event_trigger
	LANGUAGE c AS 'MODULE_PATHNAME', 'inventory_before_alter';
COMMENT ON FUNCTION inventory.before_alter() IS 'Event trigger function: refuses to change the type of a column that a store uses, and names retype.';

CREATE EVENT TRIGGER inventory_before_alter ON ddl_command_start
	WHEN TAG IN ('ALTER TABLE') EXECUTE FUNCTION inventory.before_alter();
COMMENT ON EVENT TRIGGER inventory_before_alter IS 'Names inventory.retype() where ALTER TABLE cannot change the type of a column.';

-- ---------------------------------------------------------------- statistics

CREATE FUNCTION inventory.stats_entries(OUT items pg_catalog.oid, OUT operation pg_catalog.text,
		OUT calls pg_catalog.int8, OUT units pg_catalog.int8, OUT replays pg_catalog.int8,
		OUT retries pg_catalog.int8, OUT waits pg_catalog.int8, OUT out_of_stock pg_catalog.int8,
		OUT item_not_found pg_catalog.int8, OUT purchase_limit_exceeded pg_catalog.int8,
		OUT refused_state pg_catalog.int8, OUT busy pg_catalog.int8)
	RETURNS SETOF record
	LANGUAGE c VOLATILE PARALLEL RESTRICTED AS 'MODULE_PATHNAME', 'inventory_stats_entries';
COMMENT ON FUNCTION inventory.stats_entries() IS 'The counters of this database; without shared memory, those of this session.';

CREATE FUNCTION inventory.worker_last_run() RETURNS pg_catalog.timestamptz
	LANGUAGE c VOLATILE PARALLEL RESTRICTED AS 'MODULE_PATHNAME', 'inventory_worker_last_run';
COMMENT ON FUNCTION inventory.worker_last_run() IS 'The time of the last round of the worker of this database; null if it is idle.';

CREATE FUNCTION inventory.worker_state() RETURNS pg_catalog.text
	LANGUAGE c VOLATILE PARALLEL RESTRICTED AS 'MODULE_PATHNAME', 'inventory_worker_state';
COMMENT ON FUNCTION inventory.worker_state() IS 'What the worker of this database does: running, starting, waiting (for its turn, because inventory.max_workers workers run), no slot (all background worker slots of the server are in use, or 256 other databases have work), idle (there is nothing to do), or off (inventory.max_workers is 0, or the server has no shared memory for the extension). Starts it if it has not looked for work since the server started.';

CREATE FUNCTION inventory.overdue_holds(items pg_catalog.regclass) RETURNS pg_catalog.int8
	LANGUAGE c VOLATILE PARALLEL RESTRICTED AS 'MODULE_PATHNAME', 'inventory_overdue_holds';
COMMENT ON FUNCTION inventory.overdue_holds(pg_catalog.regclass) IS 'The number of lines in expired holds of a store whose units were not back in the stock when the worker last looked; null if the worker is idle.';

CREATE FUNCTION inventory.reset_stats() RETURNS void
	LANGUAGE c VOLATILE PARALLEL RESTRICTED AS 'MODULE_PATHNAME', 'inventory_reset_stats';
COMMENT ON FUNCTION inventory.reset_stats() IS 'Sets the counters of this database to zero. For superusers.';

-- Reads shared memory and inventory.store, and no table of a store.
CREATE VIEW inventory.stats AS
	WITH entries AS MATERIALIZED (SELECT h.items, h.held, h.holders FROM inventory.hot_entries() AS h),
	hot AS (
		SELECT h.items, pg_catalog.count(*) AS hot_items,
			   LEAST(COALESCE(pg_catalog.sum(h.held), 0), 9223372036854775807)::pg_catalog.int8 AS hot_held
		FROM entries AS h GROUP BY h.items),
	holders AS (
		SELECT h.items, pg_catalog.array_agg(DISTINCT p.pid ORDER BY p.pid) AS hot_holders
		FROM entries AS h CROSS JOIN LATERAL pg_catalog.unnest(h.holders) AS p(pid)
		GROUP BY h.items)
	SELECT s.store_name, e.operation, e.calls, e.units, e.replays, e.retries, e.waits,
		   e.out_of_stock, e.item_not_found, e.purchase_limit_exceeded, e.refused_state, e.busy,
		   COALESCE(t.hot_items, 0) AS hot_items, COALESCE(t.hot_held, 0) AS hot_held,
		   COALESCE(p.hot_holders, '{}') AS hot_holders,
		   inventory.overdue_holds(s.items) AS overdue_holds, w.last_run AS worker_last_run, w.state AS worker_state
	FROM inventory.store AS s LEFT JOIN inventory.stats_entries() AS e ON e.items = s.items
	LEFT JOIN hot AS t ON t.items = s.items LEFT JOIN holders AS p ON p.items = s.items
	CROSS JOIN (SELECT inventory.worker_last_run(), inventory.worker_state()) AS w(last_run, state);
COMMENT ON VIEW inventory.stats IS 'Counters for each store and operation since the server started or reset_stats was called. units: sold, held, given back or added. replays: answers from idempotency keys. retries: after another session changed the row. waits: for an idempotency key, a purchase limit, or transactions in flight on a hot item. out_of_stock to busy: refusals by reason. Operation expiry counts lines and units of expired holds that were given back, direct_write changes of stock outside the engine, direct_ignored such changes that direct_writes => keep has left out, follow the statements that write order lines which the stock follows, with the units that the lines took and gave back. hot_items: number of hot items. hot_held: their units in flight. hot_holders: process ids of the transactions that hold these. overdue_holds: lines of expired holds not given back when the worker last looked, null if it is idle. Operation worker_timeout counts the rounds in which the worker gave up the store after inventory.worker_timeout. worker_last_run: time of the last round of the worker, null if it is idle. worker_state: what the worker does, see worker_state().';

-- ---------------------------------------------------------------- repair
--
-- What verify finds, and what can be done about it.

CREATE FUNCTION inventory.is_of_catalogs(problem text) RETURNS boolean
	LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
	SELECT problem IN ('store_not_intact', 'functions_outdated') OR problem ~ '_missing$' AND problem <> 'order_missing'
		OR problem ~ '_(disabled|not_always_enabled)$'
$$;
COMMENT ON FUNCTION inventory.is_of_catalogs(text) IS 'Is a problem that verify finds one of the triggers and views of a store, and not of its rows?';

CREATE FUNCTION inventory.has_problem_of_catalogs(found jsonb) RETURNS boolean
	LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
	SELECT EXISTS (SELECT FROM jsonb_array_elements(found) AS f WHERE inventory.is_of_catalogs(f->>'problem'))
$$;
COMMENT ON FUNCTION inventory.has_problem_of_catalogs(jsonb) IS 'Is one of these findings of verify about triggers or views?';

CREATE FUNCTION inventory.verify_quietly(items regclass, item text) RETURNS jsonb
	LANGUAGE sql VOLATILE SET search_path = pg_catalog, pg_temp SET client_min_messages = error AS $$
	SELECT coalesce(jsonb_agg(to_jsonb(v)), '[]')
	FROM inventory.verify(verify_quietly.items, verify_quietly.item) AS v
$$;
COMMENT ON FUNCTION inventory.verify_quietly(regclass, text) IS 'What verify finds, without its warning about a store that is not intact.';

CREATE FUNCTION inventory.repair_triggers(items regclass) RETURNS void
	LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	store inventory.store := inventory.lookup_owned_store(repair_triggers.items);
	binding inventory.store_binding := inventory.read_binding(store);
BEGIN
	PERFORM inventory.drop_triggers(store);
	PERFORM inventory.make_triggers(binding);
END
$$;
COMMENT ON FUNCTION inventory.repair_triggers(regclass) IS 'Creates the guards and the binding triggers of a store again. Part of repair.';

CREATE FUNCTION inventory.repair_action(problem text, expected bigint, actual bigint) RETURNS text
	LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
	SELECT CASE
		WHEN problem IN ('stock_differs_from_movements', 'untracked_item_has_balance', 'movements_of_unknown_item')
			THEN format('%s booked', coalesce(actual, 0) - expected)
		WHEN problem = 'holds_differ_from_movements'
			THEN format('%s booked as %s and %s as direct', expected - actual,
						CASE WHEN expected > actual THEN 'release' ELSE 'hold' END, actual - expected)
		WHEN problem = 'counter_differs_from_stock' THEN 'the counter is counted again from the tables'
		WHEN problem = 'functions_outdated' THEN 'functions, views and triggers generated again'
		WHEN problem = 'store_not_intact' THEN 'functions, views, triggers and the table "hot" corrected'
		ELSE 'triggers created again'
		END
$$;
COMMENT ON FUNCTION inventory.repair_action(text, bigint, bigint) IS 'What repair has done about a finding of verify.';

CREATE FUNCTION inventory.repair_refusal(item_id text, problem text, reason text) RETURNS text
	LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
	SELECT 'not repaired: ' || CASE
		WHEN problem = 'order_missing' THEN 'an order is never changed; put the line back, or call refund_order with its key if its units came back'
		WHEN problem = 'order_differs_from_sale' THEN 'an order is never changed; correct the line, or use change_order or refund_order'
		WHEN problem = 'refunds_exceed_sales' THEN 'a refund is never changed; count the units, and book that with count_stock'
		WHEN problem = 'cannot_be_settled' THEN 'the row refuses what was sold; problem of inventory.hot_entries() says why'
		WHEN problem = 'direct_after_sale' THEN 'whether the units were there is not known; count them, and book that with count_stock'
		WHEN problem = 'direct_ignored' THEN 'the ledger is right; book what was meant with restock_item, then call inventory.reset_stats()'
		WHEN reason IS NOT NULL THEN reason
		WHEN item_id IS NULL THEN 'a row has no key'
		ELSE 'it is not known what is right'
		END
$$;
COMMENT ON FUNCTION inventory.repair_refusal(text, text, text) IS 'Why repair has not repaired a finding of verify; the last argument is an error that it met, or null.';

CREATE FUNCTION inventory.repair_report(found jsonb, rest jsonb, reason text) RETURNS jsonb
	LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
	WITH finding AS (
		SELECT DISTINCT f.* FROM jsonb_to_recordset(found) AS f(item_id text, problem text, expected bigint, actual bigint)),
	result AS (
		-- a counter is counted again at the commit
		SELECT f.*, f.problem = 'counter_differs_from_stock' OR NOT EXISTS (
			SELECT FROM jsonb_to_recordset(rest) AS r(item_id text, problem text)
			WHERE r.problem = f.problem AND r.item_id IS NOT DISTINCT FROM f.item_id) AS repaired
		FROM finding AS f)
	SELECT coalesce(jsonb_agg(to_jsonb(r) || jsonb_build_object('action',
		CASE WHEN r.repaired THEN inventory.repair_action(r.problem, r.expected, r.actual)
		ELSE inventory.repair_refusal(r.item_id, r.problem, reason) END)
		ORDER BY r.item_id NULLS FIRST, r.problem, r.expected, r.actual), '[]')
	FROM result AS r
$$;
COMMENT ON FUNCTION inventory.repair_report(jsonb, jsonb, text) IS 'What verify found before a repair, what is left of it, and what was done or why nothing was.';

-- Raises nothing but for a cancelled statement: what one part cannot repair, the next may.
CREATE FUNCTION inventory.try_repair(store inventory.store, part text, item text, OUT reason text)
	LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	detail text;
BEGIN
	CASE part
		WHEN 'triggers' THEN PERFORM inventory.repair_triggers(store.items);
		WHEN 'hot' THEN PERFORM inventory.repair_hot(store.store_name);
		WHEN 'store' THEN PERFORM inventory.refresh_store(store.items);
		WHEN 'ledger' THEN PERFORM inventory.repair_ledger(store.store_name, item);
	END CASE;
EXCEPTION WHEN OTHERS THEN
	GET STACKED DIAGNOSTICS reason = MESSAGE_TEXT, detail = PG_EXCEPTION_DETAIL;
	reason := concat_ws(': ', reason, nullif(detail, ''));
END
$$;
COMMENT ON FUNCTION inventory.try_repair(inventory.store, text, text) IS 'Repairs a part of a store. Returns null, or, with nothing repaired, the error.';

-- What is wrong with triggers and views is repaired first, because changes were missed
-- until then.  The first lock is the strongest that is needed, and on the table that buyers lock
-- first: nothing is written between what is found, what is repaired, and the commit.
CREATE FUNCTION inventory.repair_store(items regclass, item text) RETURNS jsonb
	LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	store inventory.store := inventory.lookup_owned_store(repair_store.items);
	found jsonb := inventory.verify_quietly(store.items, repair_store.item);
	gone jsonb := '[]';
	reason text;
BEGIN
	EXECUTE format('LOCK TABLE ONLY %s IN %s MODE', store.items,
		CASE WHEN inventory.has_problem_of_catalogs(found) THEN 'ACCESS EXCLUSIVE' ELSE 'SHARE ROW EXCLUSIVE' END);
	IF inventory.has_problem_of_catalogs(found) THEN
		gone := (SELECT jsonb_agg(f) FROM jsonb_array_elements(found) AS f WHERE inventory.is_of_catalogs(f->>'problem'));
		IF found @> '[{"problem": "store_not_intact"}]' THEN
			PERFORM inventory.try_repair(store, 'hot', NULL);
			IF inventory.verify_quietly(store.items, NULL) @> '[{"problem": "store_not_intact"}]' THEN
				reason := inventory.try_repair(store, 'store', NULL);
			END IF;
		END IF;
		IF inventory.verify_quietly(store.items, NULL) @> '[{"problem": "functions_outdated"}]' THEN
			reason := inventory.try_repair(store, 'store', NULL);
		END IF;
		IF inventory.has_problem_of_catalogs(inventory.verify_quietly(store.items, NULL)) THEN
			reason := coalesce(reason, inventory.try_repair(store, 'triggers', NULL));
		END IF;
	END IF;
	found := inventory.verify_quietly(store.items, repair_store.item);
	IF found <> '[]' THEN
		reason := coalesce(inventory.try_repair(store, 'ledger', repair_store.item), reason);
	END IF;
	RETURN inventory.repair_report(gone || found, inventory.verify_quietly(store.items, repair_store.item), reason);
END
$$;
COMMENT ON FUNCTION inventory.repair_store(regclass, text) IS 'Implements repair, with the rights of the owner of the items.';

CREATE FUNCTION inventory.repair_as_owner(items regclass, item text) RETURNS jsonb
	LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'inventory_repair';
COMMENT ON FUNCTION inventory.repair_as_owner(regclass, text) IS 'Calls repair_store as the owner of the items.';

CREATE FUNCTION inventory.repair(items regclass, item text DEFAULT NULL, OUT item_id text, OUT problem text,
								 OUT expected bigint, OUT actual bigint, OUT repaired boolean, OUT action text)
	RETURNS SETOF record
	LANGUAGE sql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp AS $$
	SELECT * FROM jsonb_to_recordset(inventory.repair_as_owner(repair.items, repair.item))
		AS f(item_id text, problem text, expected bigint, actual bigint, repaired boolean, action text)
$$;
COMMENT ON FUNCTION inventory.repair(regclass, text) IS 'Repairs what verify finds of a store, or of one item: creates triggers again, books as direct what the movements lack to the stock, and what reservations hold, and counts the counters of hot items again. The rows of items, reservations and orders are right and are not changed. Returns each finding, whether it was repaired, and what was done or why nothing was. Arguments: items, the table; item, a key, or null for all. Writers of items wait until the transaction ends. Errors: IV012 not_a_store, 22004, 22P02 for an item that is not of the type of the key, 42501.';

-- ---------------------------------------------------------------- privileges
--
-- All grants on the objects of the extension, and so the last file.

-- The default privileges of the database may have granted more.  A role that can create in
-- this schema could overload an engine function, and one that can create a trigger on the
-- catalog could act with the rights of any role that attaches.
DO $$
DECLARE
	given record;
BEGIN
	FOR given IN
		SELECT DISTINCT o.kind, o.name,
			   CASE a.grantee WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(a.grantee)) END AS grantee
		FROM (SELECT 'SCHEMA', quote_ident(n.nspname), n.nspowner, n.nspacl
			  FROM pg_namespace AS n WHERE n.nspname = 'inventory'
			  UNION ALL
			  SELECT 'TABLE', c.oid::regclass::text, c.relowner, c.relacl
			  FROM pg_class AS c
			  WHERE c.relnamespace = 'inventory'::regnamespace AND c.relkind IN ('r', 'v')
			  UNION ALL
			  SELECT 'ROUTINE', p.oid::regprocedure::text, p.proowner,
					 coalesce(p.proacl, acldefault('f', p.proowner))
			  FROM pg_proc AS p WHERE p.pronamespace = 'inventory'::regnamespace)
			 AS o(kind, name, owner, acl), aclexplode(o.acl) AS a
		WHERE a.grantee <> o.owner
	LOOP
		EXECUTE format('REVOKE ALL ON %s %s FROM %s CASCADE', given.kind, given.name, given.grantee);
	END LOOP;
END
$$;

GRANT USAGE ON SCHEMA inventory TO PUBLIC;

-- Owners who are not superusers attach, dump and restore: the trigger on the catalog refuses
-- rows for the tables of other owners, and each function checks whose store it is.  With more
-- than INSERT any role could lock the catalog against all others.
GRANT SELECT, INSERT ON inventory.store TO PUBLIC;
GRANT SELECT ON inventory.bindings TO PUBLIC;
GRANT EXECUTE ON ALL ROUTINES IN SCHEMA inventory TO PUBLIC;

REVOKE ALL ON FUNCTION inventory.stats_entries(), inventory.worker_last_run(), inventory.worker_state(),
	inventory.overdue_holds(pg_catalog.regclass), inventory.reset_stats(),
	inventory.hot_entries(), inventory.refuse_hot() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION inventory.stats_entries(), inventory.worker_last_run(), inventory.worker_state(),
	inventory.overdue_holds(pg_catalog.regclass), inventory.hot_entries() TO pg_monitor;
GRANT SELECT ON inventory.stats TO pg_monitor;
