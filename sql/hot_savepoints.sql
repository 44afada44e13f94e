-- Tests of savepoints and EXCEPTION blocks with hot items: what is rolled back returns to
-- the counter completely and once; other sessions see changes after the commit.
\set VERBOSITY terse
\pset format unaligned
\pset tuples_only on
\set schema hot_savepoints
\set limits on
\getenv abs_srcdir PG_ABS_SRCDIR
\set include :abs_srcdir '/sql/include/shop.sql'
\i :include
INSERT INTO items (id, stock, purchase_limit) VALUES (1, 100, NULL), (2, 100, 5), (3, 0, NULL), (4, NULL, NULL), (5, 100000, NULL), (6, 100, NULL);
SELECT inventory.attach('items', 'orders', ledger_schema => 'hot_savepoints_stock', order_columns => '{note}');
SELECT count(*) FROM unnest('{1,2,3,5}'::int[]) AS id WHERE inventory.heat('items', id);
SELECT count(buy_item('first', id)) FROM unnest('{1,2,5}'::int[]) AS id;
SELECT restock_item(3, 1), adjust_stock(3, -1, 'published');

-- The counters as all sessions see them, with what is in flight in brackets.
CREATE FUNCTION counters() RETURNS text LANGUAGE sql AS $$
	SELECT string_agg(format('%s=%s', h.item_id, e.available) || CASE WHEN e.held <> 0 THEN format(' (%s)', e.held) ELSE '' END, ' ' ORDER BY h.item_id)
	FROM hot AS h JOIN inventory.hot_entries() AS e ON e.items = 'items'::regclass AND e.number = h.number
$$;
-- The counters, then what this transaction sees.
CREATE OR REPLACE FUNCTION state() RETURNS text LANGUAGE sql AS $$
	SELECT format('%s | available %s | %s orders, %s keys', counters(), (SELECT string_agg(available_stock(id)::text, ' ' ORDER BY id) FROM items WHERE id <> 4),
		(SELECT count(*) FROM orders), (SELECT count(*) FROM requests)) || coalesce(' ' || problems(), '')
$$;
SELECT state();

\echo '-- each function, undone by ROLLBACK TO'
BEGIN;
SAVEPOINT s;
SELECT buy_item('u', 1, 5, 'k');
SELECT counters();
ROLLBACK TO s;
SELECT counters();
SELECT count(*) FROM buy_cart('u', '[{"item_id": 1}, {"item_id": 2, "quantity": 4}, {"item_id": 4}, {"item_id": 6}]', 'k');
SELECT counters();
ROLLBACK TO s;
SELECT count(*) FROM try_buy_cart('u', '[{"item_id": 1}, {"item_id": 3}]', 'k');
SELECT counters();
ROLLBACK TO s;
SELECT restock_item(1, 5, 'x', 'k') > 0;
SELECT adjust_stock(1, -5, 'x', idempotency_key => 'k') > 0;
SELECT counters();
ROLLBACK TO s;
SELECT reserve_stock('u', 1, 10) IS NOT NULL;
SELECT counters();
ROLLBACK TO s;
SELECT release_reservation(r) FROM (SELECT reserve_cart('u', '[{"item_id": 1, "quantity": 3}, {"item_id": 5}]') AS r OFFSET 0) AS x;
SELECT counters();
ROLLBACK TO s;
SELECT refund_order(1);
SELECT counters();
ROLLBACK TO s;
UPDATE items SET stock = stock - 1 WHERE stock > 0;
SELECT counters();
ROLLBACK TO s;
UPDATE items SET stock = stock + 1;
SELECT counters();
ROLLBACK TO s;
SELECT counters();
COMMIT;
SELECT state();

\echo '-- released and then rolled back by an outer savepoint; rolled back and then repeated; released and committed'
BEGIN;
SELECT buy_item('u', 1) > 0;
SAVEPOINT a;
SELECT buy_item('u', 1) > 0;
SAVEPOINT b;
SELECT buy_item('u', 1) > 0;
RELEASE b;
SELECT counters();
SAVEPOINT c;
SELECT buy_item('u', 2, 5) > 0;
ROLLBACK TO c;
SELECT buy_item('u', 2, 4, 'k') > 0;
RELEASE c;
SELECT counters();
ROLLBACK TO a;
SELECT counters();
SELECT buy_item('u', 2, 5, 'k') > 0;
RELEASE a;
SELECT counters();
COMMIT;
SELECT state();

\echo '-- units that this transaction added are sold, and either is rolled back'
BEGIN;
SAVEPOINT a;
SELECT restock_item(3, 10);
SELECT counters();
SAVEPOINT b;
SELECT buy_item('u', 3, 8) > 0;
SELECT counters();
SELECT buy_item('u', 3, 3);
ROLLBACK TO b;
SELECT buy_item('u', 3, 10) > 0;
SELECT buy_item('u', 3);
ROLLBACK TO b;
SELECT buy_item('u', 3, 4) > 0;
RELEASE b;
SAVEPOINT d;
SELECT buy_item('u', 3, 6) > 0;
ROLLBACK TO d;
SELECT buy_item('u', 3, 7);
ROLLBACK TO a;
SELECT buy_item('u', 3);
ROLLBACK TO a;
SELECT counters();
SELECT restock_item(3, 2);
SELECT buy_item('u', 3) > 0;
COMMIT;
SELECT state();
BEGIN;
SELECT buy_item('u', 3) > 0;
SAVEPOINT a;
SELECT refund_order(max(id)) FROM orders;
SAVEPOINT b;
SELECT buy_item('v', 3) > 0;
RELEASE b;
SELECT counters();
ROLLBACK TO a;
SELECT counters();
SELECT refund_order(max(id)) FROM orders;
COMMIT;
SELECT state();

\echo '-- an error in the middle of a call'
CREATE FUNCTION object() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	IF NEW.note IN ('object', TG_WHEN) THEN
		RAISE EXCEPTION 'the shop objects, in %', TG_NAME;
	END IF;
	RETURN NEW;
END
$$;
CREATE TRIGGER before BEFORE INSERT ON orders FOR EACH ROW EXECUTE FUNCTION object();
CREATE CONSTRAINT TRIGGER late AFTER INSERT ON orders DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION object();
SELECT buy_item('u', 1, 1, 'k2', '{"note": "object"}');
SELECT buy_item('u', 1, 1, 'k2', '{"note": "AFTER"}');
SELECT counters();
BEGIN;
SELECT buy_item('u', 1) > 0;
SAVEPOINT s;
SELECT buy_item('u', 1, 1, 'k2', '{"note": "object"}');
ROLLBACK TO s;
SELECT counters();
SELECT * FROM buy_cart('u', '[{"item_id": 1}, {"item_id": 6}, {"item_id": 4, "note": "object"}]', 'k2');
ROLLBACK TO s;
SELECT counters();
SELECT restock_item(1, 1) > 0;
SELECT buy_item('u', 1, 1, 'k2', '{"note": "AFTER"}') > 0;
COMMIT;
SELECT state();
DROP TRIGGER before ON orders;
DROP TRIGGER late ON orders;

\echo '-- each function in a thousand subtransactions, every second one rolled back'
SELECT subtransactions($$buy_item('u', 5)$$, 1000, 'counters()');
SELECT subtransactions($$buy_cart('u', '[{"item_id": 5}, {"item_id": 4}, {"item_id": 5}, {"item_id": 1, "quantity": 0}]') WHERE false$$, 10, 'counters()');
SELECT subtransactions($$buy_cart('u', '[{"item_id": 5}, {"item_id": 4}, {"item_id": 5}]')$$, 1000, 'counters()');
SELECT subtransactions($$try_buy_cart('u', '[{"item_id": 5}, {"item_id": 3, "quantity": 100}]')$$, 1000, 'counters()');
SELECT subtransactions($$restock_item(5, 2)$$, 1000, 'counters()');
SELECT subtransactions($$adjust_stock(5, -1, 'x')$$, 1000, 'counters()');
SELECT subtransactions($$release_reservation(reserve_stock('u', 5))$$, 200, 'counters()');
SELECT state();

\echo '-- subtransactions inside one another'
BEGIN;
SELECT nest(100);
SELECT counters();
ROLLBACK;
SELECT state();

\echo '-- ten thousand subtransactions, every second one rolled back: committed, and rolled back'
BEGIN;
SELECT subtransactions($$buy_item('u', 5)$$, 10000, 'counters()');
COMMIT;
SELECT state();
BEGIN;
SELECT subtransactions($$buy_item('u', 5)$$, 10000, 'counters()');
SELECT restock_item(5, 7) > 0;
ROLLBACK;
SELECT state();

\echo '-- REPEATABLE READ and SERIALIZABLE: no serialization failure'
BEGIN ISOLATION LEVEL REPEATABLE READ;
SELECT buy_item('u', 1) > 0;
SAVEPOINT s;
SELECT buy_item('u', 1) > 0;
ROLLBACK TO s;
SELECT restock_item(1, 3) > 0;
COMMIT;
BEGIN ISOLATION LEVEL SERIALIZABLE;
SELECT available_stock(1);
SELECT buy_item('u', 1) > 0;
SELECT available_stock(1);
COMMIT;
SELECT state();
SELECT inventory.cool('items');
SELECT state();
SELECT id, stock FROM items ORDER BY id;
DROP SCHEMA hot_savepoints, hot_savepoints_stock CASCADE;
