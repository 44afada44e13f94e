-- Tests of try_buy_item: it sells as buy_item does, but a refusal is the status of its row and
-- no error, so the transaction can continue.
\set schema try_buy_item
\set limits on
\getenv abs_srcdir PG_ABS_SRCDIR
\set include :abs_srcdir '/sql/include/shop.sql'
\i :include
ALTER TABLE orders ADD FOREIGN KEY (item_id) REFERENCES items;
INSERT INTO items (id, stock, purchase_limit, stock_floor) VALUES (1, 10, NULL, NULL), (2, 2, NULL, 1), (3, 0, NULL, NULL),
	(4, 10, 2, NULL), (5, NULL, NULL, NULL), (6, 10, NULL, NULL), (7, 3, NULL, NULL);
UPDATE items SET live = false WHERE id = 6;
SELECT inventory.attach('items', 'orders', ledger_schema => 'try_buy_item_stock', sellable => 'live', order_columns => '{note}');
CREATE VIEW state AS
	SELECT (SELECT string_agg(concat_ws(':', id, coalesce(stock::text, '-')), ' ' ORDER BY id) FROM items) AS stock,
		   (SELECT count(*) FROM orders) AS orders,
		   (SELECT count(*) FROM try_buy_item_stock.movements) AS movements,
		   (SELECT count(*) FROM try_buy_item_stock.requests) AS requests;
SELECT * FROM state;

-- a sale, with and without arguments that have defaults
SELECT * FROM try_buy_item('ada', 1);
SELECT * FROM try_buy_item('ada', 1, 3, NULL, '{"note": "gift"}');
SELECT * FROM try_buy_item('ada', 5, 2);
SELECT * FROM try_buy_item('ada', 4, 2);
SELECT try_buy_item(user_id => 'ada', item_id => 2);
SELECT user_id, item_id, quantity, note FROM orders ORDER BY id;
SELECT * FROM state;

-- refusals
SELECT * FROM try_buy_item('ada', 3);
SELECT * FROM try_buy_item('ada', 1, 7);
SELECT * FROM try_buy_item('ada', 2);
SELECT * FROM try_buy_item('ada', 99);
SELECT * FROM try_buy_item('ada', 6);
SELECT * FROM try_buy_item('ada', 4);
SELECT * FROM try_buy_item('bob', 4, 3);
-- more units than the columns take are an error, as in buy_item
SELECT * FROM try_buy_item('bob', 1, 9223372036854775807);
\echo :SQLSTATE
SELECT * FROM state;

-- with every strategy, and with everything as a statement
SET inventory.strategy = pessimistic;
SELECT status, available FROM try_buy_item('ada', 1);
SELECT status, available FROM try_buy_item('ada', 3);
SET inventory.strategy = optimistic;
SELECT status, available FROM try_buy_item('ada', 1);
SELECT status, available FROM try_buy_item('ada', 3);
RESET inventory.strategy;
SET inventory.direct_access = off;
SELECT status, available FROM try_buy_item('ada', 1);
SELECT status, available FROM try_buy_item('ada', 3);
SELECT status, available FROM try_buy_item('ada', 99);
RESET inventory.direct_access;

-- a refusal takes no row lock and no transaction id, and leaves the transaction usable
BEGIN;
SELECT status FROM try_buy_item('ada', 3);
SELECT status FROM try_buy_item('ada', 4);
SELECT status FROM try_buy_item('ada', 99);
SELECT pg_current_xact_id_if_assigned() IS NULL AS no_transaction_id;
SELECT status FROM try_buy_item('ada', 1);
SELECT status FROM try_buy_item('ada', 1, 9);
COMMIT;
SELECT * FROM state;

-- an answer is kept under its key, a refusal too, also when there is stock again
SELECT * FROM try_buy_item('ada', 1, 1, 'k1', '{"note": "k"}');
SELECT * FROM try_buy_item('ada', 1, 1, 'k1', '{"note": "k"}');
SELECT * FROM try_buy_item('ada', 5, 1, 'k2');
SELECT * FROM try_buy_item('ada', 5, 1, 'k2');
SELECT * FROM try_buy_item('ada', 3, 1, 'k3');
UPDATE items SET stock = 5 WHERE id = 3;
SELECT * FROM try_buy_item('ada', 3, 1, 'k3');
SELECT * FROM try_buy_item('ada', 3, 1, 'k4');
SELECT * FROM try_buy_item('ada', 99, 1, 'k5');
SELECT * FROM try_buy_item('ada', 99, 1, 'k5');
-- the key belongs to the operation, the user and the arguments
SELECT status, replayed FROM try_buy_item('bob', 3, 1, 'k3');
SELECT buy_item('ada', 3, 1, 'k3') > 0 AS sold;
SELECT * FROM try_buy_item('ada', 3, 2, 'k3');
\echo :SQLSTATE
SELECT operation, user_id, key, result FROM try_buy_item_stock.requests WHERE operation = 'try_buy_item' ORDER BY user_id, key;
SELECT * FROM state;

-- bad arguments are errors, as in buy_item
SELECT arguments, r.*, r = outcome(format('buy_item(%s)', arguments)) AS same
FROM unnest(ARRAY[$$'ada', NULL$$, $$'ada', 1, 0$$, $$'ada', 1, -1$$, $$'ada', 1, NULL$$, $$NULL, 4$$, $$'ada', 1, 1, ''$$,
	$$'ada', 1, 1, repeat('k', 256)$$, $$'ada', 1, 1, NULL, '[]'$$, $$'ada', 1, 1, NULL, '{"price": 1}'$$,
	$$'ada', 1, 1, NULL, '{"nothing": 1}'$$, $$'ada', 3, 0$$, $$'ada', 99, 1, NULL, '{"price": 1}'$$]) AS v(arguments),
	outcome(format('try_buy_item(%s)', arguments)) AS r;
BEGIN READ ONLY;
SELECT status FROM try_buy_item('ada', 3);
\echo :SQLSTATE
ROLLBACK;
SELECT * FROM state;

-- hot
SELECT inventory.heat('items', 7);
SELECT * FROM try_buy_item('ada', 7, 2);
SELECT * FROM try_buy_item('ada', 7, 2);
BEGIN;
SELECT status, available FROM try_buy_item('bob', 7);
SELECT status, available FROM try_buy_item('bob', 7);
SELECT status, available FROM try_buy_item('bob', 7, 1, 'hot');
ROLLBACK;
SELECT status, available, replayed FROM try_buy_item('bob', 7, 1, 'hot');
SELECT status, available, replayed FROM try_buy_item('bob', 7, 1, 'hot');
SELECT status, available, replayed FROM try_buy_item('bob', 7);
SELECT inventory.cool('items');

-- units of an overdue hold are given back to the buyer that needs them
UPDATE items SET stock = 1 WHERE id = 7;
SELECT reserve_stock('cleo', 7, 1, '1 hour') AS held \gset
SELECT status, available FROM try_buy_item('ada', 7);
UPDATE try_buy_item_stock.reservations SET expires_at = created_at;
SELECT status, available FROM try_buy_item('ada', 7);

-- counted like a call of buy_item
SELECT calls, units, replays, out_of_stock, item_not_found, purchase_limit_exceeded FROM inventory.stats
WHERE store_name = 'try_buy_item.items' AND operation = 'try_buy_item';
SELECT * FROM inventory.verify('items');

-- a buyer may call it, and refresh makes it where it is missing, without a grant
CREATE ROLE try_buy_item_buyer;
SELECT inventory.grant_api('items', 'try_buy_item_buyer', 'buyer');
SET ROLE try_buy_item_buyer;
SELECT status FROM try_buy_item('ada', 1);
SELECT inventory.try_buy_item('try_buy_item.items', 'ada'::text, 1::bigint, 1, NULL, NULL, NULL::text);
RESET ROLE;
DROP FUNCTION try_buy_item;
SELECT inventory.refresh('items');
SELECT status FROM try_buy_item('ada', 1);
SELECT has_function_privilege('try_buy_item_buyer', 'try_buy_item(text, bigint, bigint, text, jsonb)', 'EXECUTE') AS granted,
	   has_function_privilege('try_buy_item_buyer', 'buy_item(text, bigint, bigint, text, jsonb)', 'EXECUTE') AS kept;
-- result types that are not that of the store
SELECT inventory.try_buy_item('try_buy_item.items', 'ada'::text, 1::bigint, 1, NULL, NULL, 1);
SELECT inventory.try_buy_item('try_buy_item.items', 'ada'::text, 1::bigint, 1, NULL, NULL, NULL::try_buy_item_stock.hold);
SELECT inventory.try_buy_item('try_buy_item.items', 'ada'::text, 1::bigint, 1, NULL, NULL, NULL::record);

DROP OWNED BY try_buy_item_buyer;
DROP ROLE try_buy_item_buyer;
DROP SCHEMA try_buy_item, try_buy_item_stock CASCADE;
