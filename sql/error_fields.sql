-- Tests of what callers are told: the fields of an error, its DETAIL as JSON, JSON arguments of a wrong
-- shape, replays of reservations that have ended, and one's own hold of the last unit.
\pset format unaligned
\pset tuples_only on
\set schema error_fields
\set limits on
\getenv abs_srcdir PG_ABS_SRCDIR
\set include :abs_srcdir '/sql/include/shop.sql'
\i :include
INSERT INTO items (id, stock, stock_floor, purchase_limit) VALUES (1, 10, 2, NULL), (2, 10, NULL, 3), (3, 1, NULL, NULL), (4, 1, NULL, NULL), (5, 10, NULL, NULL);
SELECT inventory.attach('items', 'orders', ledger_schema => 'error_fields_stock', sellable => 'live', order_columns => '{id,note}');
\set include :abs_srcdir '/sql/include/no_worker.sql'
\i :include
SELECT inventory.heat('items', 4);
-- Run a statement: what it raises, in every field that a driver shows.
CREATE FUNCTION told(statement text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	s text; m text; d text; h text; sn text; tn text; cn text; cs text;
BEGIN
	EXECUTE statement;
	RETURN 'nothing';
EXCEPTION WHEN OTHERS THEN
	GET STACKED DIAGNOSTICS s = RETURNED_SQLSTATE, m = MESSAGE_TEXT, d = PG_EXCEPTION_DETAIL, h = PG_EXCEPTION_HINT,
		sn = SCHEMA_NAME, tn = TABLE_NAME, cn = COLUMN_NAME, cs = CONSTRAINT_NAME;
	d := regexp_replace(regexp_replace(d, '[0-9a-f]{8}-[0-9a-f-]{27}', 'uuid', 'g'), '2[0-9]{3}-[-0-9]*[ T][^".]*[.]?[0-9]*[^".]*', 'when', 'g');
	RETURN concat_ws(' | ', s, m, d, h, concat_ws('.', sn, tn, cn), cs);
END
$$;
SELECT reserve_stock('u', 5, 1) AS confirmed, reserve_stock('u', 5, 1) AS released, reserve_stock('u', 5, 1, '1 us') AS expired, buy_item('u', 5, 2, 'k', '{"id": 100}') \gset
SELECT status, quantity FROM confirm_reservation(:'confirmed');
SELECT release_reservation(:'released');
CREATE VIEW refusals AS SELECT n, statement FROM unnest(ARRAY[
	$$SELECT buy_item('u', 1, 9)$$,
	$$SELECT buy_item('u', 4, 2)$$,
	$$SELECT buy_item('u', 99)$$,
	$$SELECT buy_item('u', 2, 4)$$,
	$$SELECT buy_cart('u', '[{"item_id": 1, "quantity": 9}, {"item_id": 3, "quantity": 7}, {"item_id": 5}]')$$,
	$$SELECT buy_cart('u', '[{"item_id": 2, "quantity": 9}]')$$,
	$$SELECT reserve_cart('u', '[{"item_id": 98}, {"item_id": 99}]')$$,
	$$SELECT available_stock(99)$$,
	$$SELECT buy_item('u', 1, 1, 'k')$$,
	$$SELECT refund_order(99)$$,
	$$SELECT refund_order(100, 3)$$,
	$$SELECT get_reservation('00000000-0000-4000-8000-000000000000')$$,
	format($$SELECT release_reservation(%L)$$, :'confirmed'),
	format($$SELECT confirm_reservation(%L)$$, :'released'),
	format($$SELECT confirm_reservation(%L)$$, :'expired'),
	$$SELECT adjust_stock(1, 1, 'x', 4711)$$,
	$$SELECT adjust_stock(1, -9, 'x')$$,
	$$SELECT adjust_stock(4, -9, 'x')$$,
	$$SELECT restock_item(99, 1)$$,
	$$SELECT inventory.heat('items', 99)$$,
	$$UPDATE items SET stock = 1 WHERE id = 1$$,
	$$UPDATE items SET id = 11 WHERE id = 1$$,
	$$UPDATE items SET stock = NULL WHERE id = 4$$,
	$$SELECT inventory.verify('orders')$$,
	$$SELECT inventory.buy_item('nothing', 'u', 1, 1, NULL, NULL, NULL::bigint)$$]) WITH ORDINALITY AS u(statement, n);

\echo '-- in words'
SELECT told(statement) FROM refusals ORDER BY n;
\echo '-- as JSON'
SET inventory.error_format = json;
SELECT told(statement) FROM refusals ORDER BY n;
-- it is JSON whatever an id contains, and everything else stays as it is
SELECT told($$SELECT buy_item('u', 1, 1, E'k"\\\n')$$), told($$SELECT buy_item('u', 5, 1, E'k"\\\n', '{"id": 2}')$$), told($$SELECT buy_item('u', 1, 1, E'k"\\\n')$$);
SELECT told($$SELECT buy_item('u', 1, 0)$$);
SELECT told($$SELECT 1 / 0$$);
SELECT count(*) FROM try_buy_cart('u', '[{"item_id": 1, "quantity": 9}]');
SET inventory.error_format = xml;
\echo :SQLSTATE
RESET inventory.error_format;
SET inventory.http_errors = on;
SELECT told($$SELECT buy_item('u', 1, 9)$$);
RESET inventory.http_errors;

\echo '-- wrong shapes'
SELECT call, told(format('SELECT %s', call)) FROM unnest(ARRAY[
	$$buy_cart('u', '"[{\"item_id\": 1}]"')$$,
	$$buy_cart('u', '" {\"item_id\": 1}"')$$,
	$$buy_cart('u', '"item 1"')$$,
	$$buy_cart('u', '{"item_id": 1}')$$,
	$$buy_cart('u', '["{\"item_id\": 1}"]')$$,
	$$buy_cart('u', '[1]')$$,
	$$buy_cart('u', '[{"itemId": 1}]')$$,
	$$buy_cart('u', '[{"ItemID": 1, "quantity": 1}]')$$,
	$$buy_cart('u', '[{"item_id": 1, "Quantity": 1}]')$$,
	$$buy_cart('u', '[{"item_id": 1, "Note": 1}]')$$,
	$$buy_cart('u', '[{"item_id": 1, "nothing": 1}]')$$,
	$$buy_cart('u', '[{"quantity": 1, "price": 1}]')$$,
	$$buy_cart('u', '[{"quantity": 1}]')$$,
	$$reserve_cart('u', '[{"itemid": 1}]')$$,
	$$reserve_cart('u', '[{"item_id": 1, "note": "x"}]')$$,
	$$buy_item('u', 1, 1, NULL, '"{\"note\": \"x\"}"')$$,
	$$buy_item('u', 1, 1, NULL, '{"NOTE": "x"}')$$,
	$$buy_item('u', 1, 1, NULL, '{"itemId": "x"}')$$,
	$$buy_item('u', 1, 1, NULL, '[1]')$$]) AS call;

\echo '-- a key whose reservation has expired or was released'
SELECT reserve_stock('u', 5, 1, NULL, 'r1') AS r1, reserve_cart('u', '[{"item_id": 5}]', NULL, 'r2') AS r2, (SELECT reservation_id FROM try_reserve_cart('u', '[{"item_id": 5}]', NULL, 'r3')) AS r3 \gset
SELECT reserve_stock('u', 5, 1, NULL, 'r1') = :'r1', reserve_cart('u', '[{"item_id": 5}]', NULL, 'r2') = :'r2', status, reservation_id = :'r3' FROM try_reserve_cart('u', '[{"item_id": 5}]', NULL, 'r3');
SELECT release_reservation(:'r1'), release_reservation(:'r2'), release_reservation(:'r3');
SELECT told($$SELECT reserve_stock('u', 5, 1, NULL, 'r1')$$);
SELECT told($$SELECT reserve_cart('u', '[{"item_id": 5}]', NULL, 'r2')$$);
SELECT * FROM try_reserve_cart('u', '[{"item_id": 5}]', NULL, 'r3');
SET inventory.error_format = json;
SELECT told($$SELECT reserve_stock('u', 5, 1, NULL, 'r1')$$);
RESET inventory.error_format;
SELECT count(reserve_stock('u', 5, 1, '1 us', 'r4')), min(status) FROM try_reserve_cart('u', '[{"item_id": 5}]', '1 us', 'r5');
SELECT told($$SELECT reserve_stock('u', 5, 1, '1 us', 'r4')$$), status, reservation_id FROM try_reserve_cart('u', '[{"item_id": 5}]', '1 us', 'r5');
-- one that became an order is the same as before
SELECT reserve_stock('u', 5, 1, NULL, 'r6') AS r6 \gset
SELECT status FROM confirm_reservation(:'r6');
SELECT reserve_stock('u', 5, 1, NULL, 'r6') = :'r6';
-- nor does a reservation come back that prune has deleted
DELETE FROM reservations WHERE reservation_id = :'r3';
SELECT status FROM try_reserve_cart('u', '[{"item_id": 5}]', NULL, 'r3');

\echo '-- one''s own hold of the last unit, cold and hot'
SELECT count(reserve_stock('ada', 3)), count(reserve_stock('ada', 4));
SELECT told($$SELECT buy_item('ada', 3)$$);
SELECT told($$SELECT reserve_stock('ada', 4)$$);
SELECT told($$SELECT buy_cart('ada', '[{"item_id": 3}, {"item_id": 4}]')$$);
SELECT told($$SELECT buy_item('ben', 3)$$);
SELECT told($$SELECT buy_item(NULL, 3)$$);
SET inventory.error_format = json;
SELECT told($$SELECT buy_item('ada', 3)$$);
SELECT told($$SELECT buy_cart('ada', '[{"item_id": 3}, {"item_id": 4}]')$$);
RESET inventory.error_format;

\echo '-- levels has one type for all of its numbers'
SELECT attname, format_type(atttypid, atttypmod) FROM pg_attribute WHERE attrelid = 'levels'::regclass ORDER BY attnum;
SELECT * FROM inventory.verify('items');
SET client_min_messages = warning;
SELECT inventory.cool('items', 4);
DROP SCHEMA error_fields, error_fields_stock CASCADE;
