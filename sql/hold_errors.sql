-- Tests of the errors of holds, refunds and housekeeping: each once, with its SQLSTATE,
-- name, detail and hint.
\pset format unaligned
\pset tuples_only on
\set schema hold_errors
\set item_type text
\set limits on
\getenv abs_srcdir PG_ABS_SRCDIR
\set include :abs_srcdir '/sql/include/shop.sql'
\i :include
ALTER TABLE orders ADD paid boolean;
INSERT INTO items (id, stock, purchase_limit) VALUES ('mug', 20, NULL), ('pen', 1, NULL), ('vip', 9, 2), ('pdf', NULL, NULL);
SELECT inventory.attach('items', 'orders', ledger_schema => 'hold_errors_stock', max_ttl => '1 hour');
SET DateStyle = ISO;
SELECT reserve_cart('ada', '[{"item_id": "mug", "quantity": 2}, {"item_id": "pdf"}]') AS held, reserve_stock('ada', 'mug') AS released,
	reserve_stock('ada', 'mug') AS confirmed, reserve_stock('ada', 'mug', 1, '1 microsecond') AS overdue \gset
SELECT release_reservation(:'released'), (confirm_reservation(:'confirmed')).order_id;

\echo '-- reserving'
SELECT error($$SELECT reserve_stock('ada', 'pen', 2)$$);
SELECT error($$SELECT reserve_stock('ada', 'vip', 3)$$);
SELECT error($$SELECT reserve_stock('ada', 'cup')$$);
SELECT error($$SELECT reserve_stock(NULL, 'vip')$$);
SELECT error($$SELECT reserve_cart('ada', '[{"item_id": "pen", "quantity": 2}, {"item_id": "mug", "quantity": 30}, {"item_id": "pdf"}]')$$);
SELECT error($$SELECT reserve_stock('ada', 'pen', 1, '61 minutes')$$);
SELECT error($$SELECT reserve_stock('ada', 'pen', 1, '0')$$);
SELECT error($$SELECT reserve_stock('ada', 'pen', 1, '300000 years')$$);
SELECT error($$SELECT reserve_stock('ada', 'pdf', 3000000000)$$);
SELECT error($$SELECT reserve_cart('ada', '[{"item_id": "pen", "price": 2}]')$$);
SELECT error($$SELECT reserve_cart('ada', '[]')$$);
\echo '-- reservations in each of their states'
SELECT error($$SELECT confirm_reservation('00000000-0000-0000-0000-000000000000')$$);
SELECT error(format('SELECT confirm_reservation(%L, %L)', :'held', 'bob'));
SELECT error(format('SELECT confirm_reservation(%L)', :'overdue'));
SELECT error(format('SELECT extend_reservation(%L)', :'overdue'));
SELECT error(format('SELECT release_reservation(%L)', :'confirmed'));
SELECT error(format('SELECT confirm_reservation(%L)', :'released'));
SELECT error(format('SELECT extend_reservation(%L, %L)', :'held', '2 hours'));
SELECT error(format('SELECT change_reservation(%L, %L, -1)', :'held', 'mug'));
SELECT error(format('SELECT change_reservation(%L, %L, 2)', :'held', 'pen'));
SELECT error(format('SELECT confirm_reservation(%L, NULL, %L)', :'held', '[{"item_id": "pen"}]'));
SELECT error(format('SELECT confirm_reservation(%L, NULL, %L)', :'held', '[{"item_id": "mug", "quantity": 1}]'));
SELECT error(format('SELECT confirm_reservation(%L, NULL, %L)', :'held', '[{"item_id": "mug"}, {"item_id": "mug"}]'));
SELECT error(format('SELECT confirm_reservation(%L, NULL, %L)', :'held', '5'));
SELECT error(format('SELECT confirm_reservation(%L, NULL, %L)', :'held', '{"paid": true}'));
SELECT error($$SELECT get_reservation(NULL)$$);
UPDATE items SET stock = 5 WHERE id = 'pdf';
SELECT error(format('SELECT change_reservation(%L, %L, 2)', :'held', 'pdf'));
\echo '-- refunds'
SELECT error($$SELECT refund_order(99)$$);
SELECT error($$SELECT refund_order(1, 2)$$);
SELECT refund_order(1);
SELECT error($$SELECT refund_order(1)$$);
SELECT error($$SELECT refund_order(1, 0)$$);
SELECT error($$SELECT refund_order(1, 1, NULL)$$);
SELECT reserve_stock('ada', 'pen', 1, NULL, 'k') IS NOT NULL;
SELECT error($$SELECT reserve_stock('ada', 'pen', 2, NULL, 'k')$$);
\echo '-- the other functions of operators'
SELECT error($$SELECT expire_reservations(0)$$);
SELECT error($$SELECT prune('-1 day')$$);
SELECT error($$SELECT close_ledger('infinity')$$);
SELECT error($$SELECT count_stock('mug', 5, counted_at => '2000-01-01')$$);
DELETE FROM items WHERE id = 'pen';
SET default_transaction_read_only = on;
SELECT error($$SELECT reserve_stock('ada', 'mug')$$);
SELECT error($$SELECT refund_order(1)$$);
SELECT error($$SELECT expire_reservations()$$);
SET default_transaction_read_only = off;

\echo '-- with the SQLSTATEs that PostgREST turns into HTTP statuses'
SET inventory.http_errors = on;
SELECT split_part(error('SELECT ' || c), E'\n', 1) FROM (VALUES
	(1, $$reserve_stock('ada', 'pen', 2)$$), (2, $$reserve_stock('ada', 'cup')$$), (3, $$refund_order(99)$$),
	(4, $$confirm_reservation('00000000-0000-0000-0000-000000000000')$$), (5, format('confirm_reservation(%L)', :'overdue')),
	(6, format('release_reservation(%L)', :'confirmed')), (7, format('extend_reservation(%L)', :'released')), (8, $$refund_order(1)$$),
	(9, $$reserve_stock('ada', 'pen', 2, NULL, 'k')$$), (10, $$reserve_stock('ada', 'vip', 3)$$), (11, $$reserve_stock('ada', 'pen', 0)$$),
	(12, $$reserve_cart('ada', (SELECT jsonb_agg('{"item_id": "mug"}'::jsonb) FROM generate_series(0, 1000)))$$)
) AS v(n, c) ORDER BY n;
-- a status is not an error and keeps its name
SELECT status FROM try_reserve_cart('ada', '[{"item_id": "vip", "quantity": 3}]');
RESET inventory.http_errors;
SELECT * FROM inventory.verify('items');
\pset tuples_only off
DROP SCHEMA hold_errors, hold_errors_stock CASCADE;
