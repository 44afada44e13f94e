-- Tests of idempotency keys: a repeated key with the same arguments gets the first answer
-- and changes nothing; with other arguments it is refused.
\pset format unaligned
\set schema idempotency
\set item_type text
\getenv abs_srcdir PG_ABS_SRCDIR
\set include :abs_srcdir '/sql/include/shop.sql'
\i :include
ALTER TABLE orders ADD gift boolean;
INSERT INTO items VALUES ('a', 10), ('b', 10), ('a|1', 10);
SELECT inventory.attach('items', 'orders', ledger_schema => 'idempotency_stock', sellable => 'live',
						order_columns => '{note,gift}');
CREATE OR REPLACE FUNCTION state() RETURNS text LANGUAGE sql AS $$
	SELECT format('%s units left, %s orders, %s movements, %s keys', (SELECT sum(stock) FROM items),
		(SELECT count(*) FROM orders), (SELECT count(*) FROM movements), (SELECT count(*) FROM requests))
$$;

-- a retry, with the arguments written in another way
SELECT buy_item('ada', 'a', 2, 'k1', '{"note": "x", "gift": true}');
SELECT buy_item('ada', 'a', 2, 'k1', '{"note": "x", "gift": true}');
SELECT buy_item(idempotency_key => 'k1', order_data => '{"gift":true,"note":"x"}', quantity => '2',
				item_id => 'a', user_id => 'ada');
SELECT state();
SELECT buy_item('ada', 'a', idempotency_key => 'k2'), buy_item('ada', 'a', 1, 'k2');

-- other arguments
SELECT buy_item('ada', 'a', 3, 'k1', '{"note": "x", "gift": true}');
\echo :SQLSTATE
SELECT buy_item('ada', 'b', 2, 'k1', '{"note": "x", "gift": true}');
SELECT buy_item('ada', 'a', 2, 'k1', '{"note": "x"}');
SELECT buy_item('ada', 'a', 2, 'k1');
SELECT buy_item('ada', 'a', NULL, 'k1');
SELECT state();

-- a key belongs to one user, or to none, and to one operation
SELECT buy_item('bob', 'a', 1, 'k1');
SELECT buy_item(NULL, 'a', 1, 'k1'), buy_item(NULL, 'a', 1, 'k1');
SELECT buy_item('', 'a', 1, 'k1');
SELECT order_id, replayed FROM buy_cart('ada', '[{"item_id": "a"}]', 'k1');
SELECT order_id, replayed FROM try_buy_cart('ada', '[{"item_id": "a"}]', 'k1');
SELECT state();

-- the key is looked up first, so the item may be gone
UPDATE items SET live = false WHERE id = 'a';
SELECT buy_item('ada', 'a', 1, 'k2');
DELETE FROM items WHERE id = 'a';
SELECT buy_item('ada', 'a', 1, 'k2');
SELECT buy_item('ada', 'a', 0, 'k2');
\echo :SQLSTATE
SELECT buy_item('ada', 'a', 1, 'k3');
\echo :SQLSTATE

-- a first try that is rolled back or refused leaves the key free
BEGIN;
SELECT buy_item('ada', 'b', 1, 'k4') > 0 AS bought;
ROLLBACK;
BEGIN;
SAVEPOINT s;
SELECT buy_item('ada', 'b', 1, 'k4') > 0 AS bought;
ROLLBACK TO s;
SELECT state();
SELECT buy_item('ada', 'b', 2, 'k4') > 0 AS bought;
COMMIT;
SELECT buy_item('ada', 'b', 1, 'k4');
SELECT buy_item('ada', 'b', 99, 'k5');
\echo :SQLSTATE
SELECT * FROM buy_cart('ada', '[{"item_id": "b"}, {"item_id": "a"}]', 'k5');
\echo :SQLSTATE
SELECT buy_item('ada', 'b', 1, 'k5') > 0 AS bought;
SELECT state();

-- carts: the same lines get the same answer, with the available stock of then
CREATE TABLE answer AS
	SELECT * FROM buy_cart('ada', '[{"item_id": "b"}, {"item_id": "a|1", "quantity": 2}, {"item_id": "b"}]', 'k6', '{"note": "y"}');
SELECT restock_item('b', 90);
CREATE TABLE again AS
	SELECT * FROM buy_cart('ada', '[{"item_id": "b"}, {"quantity": 2, "item_id": "a|1"}, {"item_id": "b"}]', 'k6', '{"note": "y"}');
SELECT * FROM again ORDER BY ctid;
SELECT count(*) AS the_same FROM answer AS a JOIN again AS g USING (status, item_id, quantity, order_id, available);
SELECT * FROM buy_cart('ada', '[{"item_id": "b"}, {"item_id": "b"}, {"item_id": "a|1", "quantity": 2}]', 'k6', '{"note": "y"}');
\echo :SQLSTATE
SELECT * FROM buy_cart('ada', '[{"item_id": "b"}, {"item_id": "a|1", "quantity": 2}, {"item_id": "b"}]', 'k6');
\echo :SQLSTATE

-- keys of operators belong to no user
SELECT restock_item('b', 5, 'x', 'k1'), restock_item('b', 5, 'x', 'k1');
SELECT adjust_stock('b', -5, 'x', NULL, 'write_off', 'k1'), adjust_stock('b', -5, 'x', NULL, 'write_off', 'k1');
SELECT count_stock('b', 50, 0, NULL, 'x', 'k1'), count_stock('b', 50, 0, NULL, 'x', 'k1');
SELECT restock_item('b', 6, 'x', 'k1');
SELECT adjust_stock('b', -5, 'x', NULL, 'adjustment', 'k1');
SELECT count_stock('b', 50, 1, NULL, 'x', 'k1');
-- null differs from empty, and arguments cannot be shifted into one another
SELECT restock_item('a|1', 2, 'x', 'k2');
SELECT restock_item('a', 1, '2|x', 'k2');
SELECT restock_item('a|1', 2, NULL, 'k3');
SELECT restock_item('a|1', 2, '', 'k3');
SELECT adjust_stock('a|1', 2, 'x', 12, 'adjustment', 'k4');
SELECT adjust_stock('a', 1, 'x', 2, '12|adjustment', 'k4');
SELECT item_id, kind, sum(delta) FROM movements WHERE kind NOT IN ('opening', 'sale', 'direct')
	GROUP BY 1, 2 ORDER BY 1, 2;

-- the rows of requests
SELECT buy_item('ada', 'b', 1, repeat('ä', 127) || 'k') = buy_item('ada', 'b', 1, repeat('ä', 127) || 'k') AS same;
SELECT operation, user_id, CASE WHEN length(key) > 9 THEN '(long)' ELSE key END AS key, length(fingerprint) AS digest, jsonb_typeof(result) AS result
	FROM requests ORDER BY requests.key COLLATE "C", operation, user_id;

-- a name that another store uses is never locked, whatever its hash is: the lock has the store
BEGIN;
SELECT buy_item('ada', 'b', 1, 'lock') IS NOT NULL AS sold;
SELECT DISTINCT classid::regclass AS store, objsubid FROM pg_locks
	WHERE locktype = 'advisory' AND pid = pg_backend_pid() AND objsubid = 3;
ROLLBACK;
SELECT * FROM inventory.verify('items');
DROP SCHEMA idempotency, idempotency_stock CASCADE;
