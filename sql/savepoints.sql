-- Tests of savepoints and EXCEPTION blocks: what a subtransaction did is undone completely
-- and once, in the stock, orders, movements, keys, limits and the memory of the engine.
\pset format unaligned
\pset tuples_only on
\set schema savepoints
\set limits on
\getenv abs_srcdir PG_ABS_SRCDIR
\set include :abs_srcdir '/sql/include/shop.sql'
\i :include
INSERT INTO items (id, stock, purchase_limit) VALUES (1, 100, NULL), (2, 100, 5), (3, 0, NULL), (4, NULL, NULL), (5, 100000, NULL);
SELECT inventory.attach('items', 'orders', ledger_schema => 'savepoints_stock', order_columns => '{note}');
SELECT state();

-- each function, undone by ROLLBACK TO
BEGIN;
SAVEPOINT s;
SELECT buy_item('u', 1, 5, 'k');
ROLLBACK TO s;
SELECT count(*) FROM buy_cart('u', '[{"item_id": 1}, {"item_id": 2, "quantity": 5}, {"item_id": 4}]', 'k');
ROLLBACK TO s;
SELECT count(*) FROM try_buy_cart('u', '[{"item_id": 1}, {"item_id": 3}]', 'k');
ROLLBACK TO s;
SELECT restock_item(1, 5, 'x', 'k'), adjust_stock(1, -5, 'x', idempotency_key => 'k'), count_stock(1, 7, idempotency_key => 'k');
ROLLBACK TO s;
UPDATE items SET stock = stock - 1 WHERE stock > 0;
DELETE FROM items WHERE id = 1;
ROLLBACK TO s;
COMMIT;
SELECT state();

-- released and then rolled back by an outer savepoint; rolled back and then repeated
BEGIN;
SELECT buy_item('u', 1);
SAVEPOINT a;
SELECT buy_item('u', 1);
SAVEPOINT b;
SELECT buy_item('u', 1);
RELEASE b;
SAVEPOINT c;
SELECT buy_item('u', 2, 5);
ROLLBACK TO c;
SELECT buy_item('u', 2, 4, 'k');
ROLLBACK TO a;
SELECT buy_item('u', 2, 5, 'k');
COMMIT;
SELECT state();

-- an error in the middle of a call does not affect the next calls
CREATE FUNCTION object() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	IF to_jsonb(NEW) ->> 'note' = 'object' OR to_jsonb(NEW) ->> 'stock' = '90' THEN
		RAISE EXCEPTION 'the shop objects, in %', TG_NAME;
	END IF;
	RETURN NEW;
END
$$;
CREATE TRIGGER inserted AFTER INSERT ON orders FOR EACH ROW EXECUTE FUNCTION object();
CREATE TRIGGER before BEFORE UPDATE ON items FOR EACH ROW EXECUTE FUNCTION object();
CREATE TRIGGER a_after AFTER UPDATE ON items FOR EACH ROW EXECUTE FUNCTION object();
BEGIN;
SAVEPOINT s;
SELECT buy_item('u', 1, 1, 'k2', '{"note": "object"}');
ROLLBACK TO s;
UPDATE items SET stock = stock - 1 WHERE id = 1;
ROLLBACK TO s;
SELECT * FROM buy_cart('u', '[{"item_id": 1}, {"item_id": 4, "note": "object"}]', 'k2');
ROLLBACK TO s;
SELECT buy_item('u', 1, 9);
ROLLBACK TO s;
ALTER TABLE items DISABLE TRIGGER before;
SELECT count(*) FROM buy_cart('u', '[{"item_id": 1, "quantity": 9}, {"item_id": 5}]');
ROLLBACK TO s;
UPDATE items SET stock = stock + 1 WHERE id IN (1, 5);
COMMIT;
SELECT state();
SELECT item_id, delta, kind FROM movements WHERE kind = 'direct';
DROP TRIGGER before ON items;
DROP TRIGGER a_after ON items;
DROP TRIGGER inserted ON orders;

-- each function in a thousand subtransactions, every second one rolled back
SELECT subtransactions($$buy_item('u', 5)$$, 1000);
SELECT subtransactions($$buy_item('u', 5, 1, $1::text)$$, 1000);
SELECT subtransactions($$buy_cart('u', '[{"item_id": 5}, {"item_id": 4}, {"item_id": 5}]')$$, 1000);
SELECT subtransactions($$try_buy_cart('u', '[{"item_id": 5}, {"item_id": 3}]', $1::text)$$, 1000);
SELECT subtransactions($$buy_item($1::text, 2, 1 - $1 % 2 + 5 * ($1 % 2)) WHERE $1 <= 10$$, 1000);
SELECT subtransactions($$restock_item(5, 2)$$, 1000);
SELECT subtransactions($$adjust_stock(5, -1, 'x')$$, 1000);
SELECT subtransactions($$count_stock(3, $1)$$, 1000);
SELECT subtransactions($$available_stock(5)$$, 1000);
-- subtransactions inside one another, all rolled back at the end
BEGIN;
SELECT nest(100);
SELECT state();
ROLLBACK;
SELECT state();
\pset tuples_only off
DROP SCHEMA savepoints, savepoints_stock CASCADE;
