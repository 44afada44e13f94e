-- Door: errors of holds, refunds and housekeeping.  Each condition once, with all
-- that a client gets: the code, the stable name, the facts, the way out.
\pset format unaligned
\pset tuples_only on
SET client_min_messages = warning;
CREATE SCHEMA hold_errors;
SET search_path = hold_errors, hold_errors_stock;
CREATE TABLE items (id text PRIMARY KEY, stock integer, purchase_limit integer);
CREATE TABLE orders (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, user_id text, item_id text, quantity integer, paid boolean);
INSERT INTO items VALUES ('mug', 20, NULL), ('pen', 1, NULL), ('vip', 9, 2), ('pdf', NULL, NULL);
SELECT inventory.attach('items', 'orders', ledger_schema => 'hold_errors_stock', max_ttl => '1 hour');
-- ids and times are not the same twice
CREATE FUNCTION error(call text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	code text;
	message text;
	detail text;
	hint text;
BEGIN
	EXECUTE 'SELECT ' || call;
	RETURN 'no error';
EXCEPTION WHEN OTHERS THEN
	GET STACKED DIAGNOSTICS code := RETURNED_SQLSTATE, message := MESSAGE_TEXT,
		detail := PG_EXCEPTION_DETAIL, hint := PG_EXCEPTION_HINT;
	detail := regexp_replace(regexp_replace(detail, '[0-9a-f]{8}-[0-9a-f-]{27}', '<id>'), ' at 20.*\.$', ' at <time>.');
	RETURN concat_ws(E'\n    ', code || ' ' || message, 'detail: ' || nullif(detail, ''), 'hint: ' || nullif(hint, ''));
END
$$;
SET DateStyle = ISO;
SELECT reserve_cart('ada', '[{"item_id": "mug", "quantity": 2}, {"item_id": "pdf"}]') AS held, reserve_stock('ada', 'mug') AS released,
	reserve_stock('ada', 'mug') AS confirmed, reserve_stock('ada', 'mug', 1, '1 microsecond') AS overdue \gset
SELECT release_reservation(:'released'), (confirm_reservation(:'confirmed')).order_id;

\echo '-- reserving'
SELECT error($$reserve_stock('ada', 'pen', 2)$$);
SELECT error($$reserve_stock('ada', 'vip', 3)$$);
SELECT error($$reserve_stock('ada', 'cup')$$);
SELECT error($$reserve_stock(NULL, 'vip')$$);
SELECT error($$reserve_cart('ada', '[{"item_id": "pen", "quantity": 2}, {"item_id": "mug", "quantity": 30}, {"item_id": "pdf"}]')$$);
SELECT error($$reserve_stock('ada', 'pen', 1, '61 minutes')$$);
SELECT error($$reserve_stock('ada', 'pen', 1, '0')$$);
SELECT error($$reserve_stock('ada', 'pen', 1, '300000 years')$$);
SELECT error($$reserve_stock('ada', 'pdf', 3000000000)$$);
SELECT error($$reserve_cart('ada', '[{"item_id": "pen", "price": 2}]')$$);
SELECT error($$reserve_cart('ada', '[]')$$);
\echo '-- the whole life of a reservation'
SELECT error($$confirm_reservation('00000000-0000-0000-0000-000000000000')$$);
SELECT error(format('confirm_reservation(%L, %L)', :'held', 'bob'));
SELECT error(format('confirm_reservation(%L)', :'overdue'));
SELECT error(format('extend_reservation(%L)', :'overdue'));
SELECT error(format('release_reservation(%L)', :'confirmed'));
SELECT error(format('confirm_reservation(%L)', :'released'));
SELECT error(format('extend_reservation(%L, %L)', :'held', '2 hours'));
SELECT error(format('change_reservation(%L, %L, -1)', :'held', 'mug'));
SELECT error(format('change_reservation(%L, %L, 2)', :'held', 'pen'));
SELECT error(format('confirm_reservation(%L, NULL, %L)', :'held', '[{"item_id": "pen"}]'));
SELECT error(format('confirm_reservation(%L, NULL, %L)', :'held', '[{"item_id": "mug", "quantity": 1}]'));
SELECT error(format('confirm_reservation(%L, NULL, %L)', :'held', '[{"item_id": "mug"}, {"item_id": "mug"}]'));
SELECT error(format('confirm_reservation(%L, NULL, %L)', :'held', '5'));
SELECT error(format('confirm_reservation(%L, NULL, %L)', :'held', '{"paid": true}'));
SELECT error($$get_reservation(NULL)$$);
UPDATE items SET stock = 5 WHERE id = 'pdf';
SELECT error(format('change_reservation(%L, %L, 2)', :'held', 'pdf'));
\echo '-- refunds'
SELECT error($$refund_order(99)$$);
SELECT error($$refund_order(1, 2)$$);
SELECT refund_order(1);
SELECT error($$refund_order(1)$$);
SELECT error($$refund_order(1, 0)$$);
SELECT error($$refund_order(1, 1, NULL)$$);
SELECT reserve_stock('ada', 'pen', 1, NULL, 'k') IS NOT NULL;
SELECT error($$reserve_stock('ada', 'pen', 2, NULL, 'k')$$);
\echo '-- the operator''s other doors'
SELECT error($$expire_reservations(0)$$);
SELECT error($$prune('-1 day')$$);
SELECT error($$close_ledger('infinity')$$);
SELECT error($$count_stock('mug', 5, counted_at => '2000-01-01')$$);
DELETE FROM items WHERE id = 'pen';
SET default_transaction_read_only = on;
SELECT error($$reserve_stock('ada', 'mug')$$);
SELECT error($$refund_order(1)$$);
SELECT error($$expire_reservations()$$);
SET default_transaction_read_only = off;

\echo '-- with the codes that PostgREST turns into HTTP'
SET inventory.http_errors = on;
SELECT split_part(error(c), E'\n', 1) FROM (VALUES
	(1, $$reserve_stock('ada', 'pen', 2)$$), (2, $$reserve_stock('ada', 'cup')$$), (3, $$refund_order(99)$$),
	(4, $$confirm_reservation('00000000-0000-0000-0000-000000000000')$$), (5, format('confirm_reservation(%L)', :'overdue')),
	(6, format('release_reservation(%L)', :'confirmed')), (7, format('extend_reservation(%L)', :'released')), (8, $$refund_order(1)$$),
	(9, $$reserve_stock('ada', 'pen', 2, NULL, 'k')$$), (10, $$reserve_stock('ada', 'vip', 3)$$), (11, $$reserve_stock('ada', 'pen', 0)$$),
	(12, $$reserve_cart('ada', (SELECT jsonb_agg('{"item_id": "mug"}'::jsonb) FROM generate_series(0, 1000)))$$)
) AS v(n, c) ORDER BY n;
-- a status is no error, and keeps its name
SELECT status FROM try_reserve_cart('ada', '[{"item_id": "vip", "quantity": 3}]');
RESET inventory.http_errors;
SELECT * FROM inventory.verify('items');
\pset tuples_only off
DROP SCHEMA hold_errors, hold_errors_stock CASCADE;
