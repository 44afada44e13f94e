-- Door: savepoints and EXCEPTION blocks.  What a subtransaction did is undone once
-- and whole: stock, order, movement, key, limit, and what the engine remembers.
\set SHOW_CONTEXT never
\pset format unaligned
\pset tuples_only on
SET client_min_messages = warning;
CREATE SCHEMA savepoints;
SET search_path = savepoints, savepoints_stock;
CREATE TABLE items (id bigint PRIMARY KEY, stock integer, version integer, purchase_limit integer);
CREATE TABLE orders (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, user_id text, item_id bigint, quantity integer, note text);
INSERT INTO items VALUES (1, 100, 0, NULL), (2, 100, 0, 5), (3, 0, 0, NULL), (4, NULL, 0, NULL), (5, 100000, 0, NULL);
SELECT inventory.attach('items', 'orders', ledger_schema => 'savepoints_stock', order_columns => '{note}');
CREATE FUNCTION state() RETURNS text LANGUAGE sql AS $$
	SELECT format('stock %s, %s orders, %s movements, %s keys', (SELECT string_agg(coalesce(stock::text, '-'), ' ' ORDER BY id) FROM items),
		(SELECT count(*) FROM orders), (SELECT count(*) FROM movements), (SELECT count(*) FROM requests))
		|| (SELECT coalesce(' WRONG ' || json_agg(v), '') FROM inventory.verify('items') AS v)
$$;
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

-- released, then rolled back further out; rolled back, then done again
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

-- after an error in the middle of a call the next calls are as good as ever
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

-- a thousand subtransactions around each function, every second one undone
CREATE FUNCTION thousand(call text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	kept integer := 0;
BEGIN
	FOR n IN 1 .. 1000 LOOP
		BEGIN
			EXECUTE 'SELECT ' || call USING n;
			IF n % 2 = 0 THEN
				RAISE EXCEPTION USING ERRCODE = 'ZZ002';
			END IF;
			kept := kept + 1;
		EXCEPTION WHEN SQLSTATE 'ZZ002' THEN
		END;
	END LOOP;
	RETURN kept || ' kept: ' || state();
END
$$;
SELECT thousand($$buy_item('u', 5)$$);
SELECT thousand($$buy_item('u', 5, 1, $1::text)$$);
SELECT thousand($$buy_cart('u', '[{"item_id": 5}, {"item_id": 4}, {"item_id": 5}]')$$);
SELECT thousand($$try_buy_cart('u', '[{"item_id": 5}, {"item_id": 3}]', $1::text)$$);
SELECT thousand($$buy_item($1::text, 2, 1 - $1 % 2 + 5 * ($1 % 2)) WHERE $1 <= 10$$);
SELECT thousand($$restock_item(5, 2)$$);
SELECT thousand($$adjust_stock(5, -1, 'x')$$);
SELECT thousand($$count_stock(3, $1)$$);
SELECT thousand($$available_stock(5)$$);
-- nested one in another, all undone at the end
CREATE FUNCTION nest(depth integer) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
	PERFORM buy_item('u', 5);
	IF depth > 0 THEN
		PERFORM nest(depth - 1);
	END IF;
	IF depth % 3 = 0 THEN
		RAISE EXCEPTION USING ERRCODE = 'ZZ002';
	END IF;
EXCEPTION WHEN SQLSTATE 'ZZ002' THEN
END
$$;
BEGIN;
SELECT nest(100);
SELECT state();
ROLLBACK;
SELECT state();
\pset tuples_only off
DROP SCHEMA savepoints, savepoints_stock CASCADE;
