-- Tests that every function of the extension and of a store can be called: its answers on cold
-- and hot items.  tools/memcheck --discard runs it on a server that forgets its caches at each look-up.
\set VERBOSITY terse
\pset format unaligned
\pset tuples_only on
\set schema every_function
\set item_type text
\set limits on
\getenv abs_srcdir PG_ABS_SRCDIR
\set include :abs_srcdir '/sql/include/shop.sql'
\i :include
SET track_functions = 'all';
-- what attach looks at: a domain, an index on an expression, a partial one, a trigger, a foreign key
CREATE DOMAIN amount AS integer CHECK (VALUE > 0) DEFAULT 1;
ALTER TABLE items ALTER stock SET NOT NULL;
ALTER TABLE orders ALTER quantity TYPE amount, ADD FOREIGN KEY (item_id) REFERENCES items;
CREATE INDEX ON orders (upper(user_id)) WHERE quantity > 1;
CREATE FUNCTION stamp() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.note := coalesce(NEW.note, 'stamped'); RETURN NEW; END $$;
CREATE TRIGGER stamp BEFORE INSERT ON orders FOR EACH ROW EXECUTE FUNCTION stamp();
CREATE FUNCTION shown(live boolean) RETURNS boolean LANGUAGE sql STABLE AS 'SELECT $1';
INSERT INTO items (id, stock, stock_floor, purchase_limit) VALUES ('cold', 100, 1, 50), ('hot', 100, 1, 50);
CREATE ROLE regress_every_function;

\echo '-- the owner'
SELECT inventory.attach('items', 'orders', order_columns => '{note,price}', order_final => 'false', sellable => 'every_function.shown(live)',
	ledger_schema => 'every_function_stock');
\set include :abs_srcdir '/sql/include/no_worker.sql'
\i :include
SELECT inventory.grant_api('items', 'regress_every_function', 'buyer');
SELECT inventory.grant_api('items', 'regress_every_function', 'operator');
SELECT inventory.heat('items', 'hot');
SELECT inventory.keep_cold('items', 'cold'), inventory.keep_cold('items', 'cold', false);
INSERT INTO seen SELECT max(movement_id), true FROM movements;

\echo '-- buyers'
SELECT buy_item('u', 'cold', 2, 'k1', '{"note": "x"}'), buy_item('u', 'hot', 2, 'k2', '{"note": "x"}');
SELECT buy_item('u', 'cold', 2, 'k1', '{"note": "x"}'), buy_item('u', 'hot', 2, 'k2', '{"note": "x"}');
SELECT buy_item('u', 'cold', 60);
SELECT buy_cart('u', '[{"item_id": "cold"}, {"item_id": "hot", "quantity": 3, "price": 1}]');
SELECT try_buy_item('u', 'cold', 60, 'k3') FROM generate_series(1, 2);
SELECT item_id, status FROM try_buy_item('u', 'hot', 1, NULL, '{"note": "y"}');
SELECT item_id, status FROM try_buy_cart('u', '[{"item_id": "cold"}, {"item_id": "hot"}, {"item_id": "none"}]');
SELECT available_stock('cold'), available_stock('hot');
SELECT reserve_stock('u', 'cold', 3) AS one \gset
SELECT reserve_cart('u', '[{"item_id": "cold"}, {"item_id": "hot"}]', '2 hours', 'k3') AS two \gset
SELECT reserve_stock('u', 'hot', 1, '1 microsecond') AS three \gset
SELECT status FROM try_reserve_cart('u', '[{"item_id": "cold"}, {"item_id": "none"}]');
SELECT change_reservation(:'one', 'cold', 4) IS NOT NULL, extend_reservation(:'one', '3 hours') IS NOT NULL;
SELECT item_id, quantity, status FROM get_reservation(:'two') ORDER BY item_id;
SELECT item_id, quantity FROM my_reservations('u') ORDER BY item_id, quantity;
SELECT * FROM available_stocks('{cold,hot,none}');
SELECT status, order_id IS NOT NULL FROM confirm_reservation(:'two', 'u') ORDER BY item_id;
SELECT release_reservation(:'one', 'u');
SELECT reserve_stock('u', 'hot', reservation_id => '00000000-0000-4000-8000-000000000001'), decide_reservation('00000000-0000-4000-8000-000000000001');
SELECT inventory.reserve_part('every_function.items', '{2}', '{"[{\"item_id\": \"cold\"}]"}', '{null}', '00000000-0000-8ca7-8000-000000000000', 'u'::text, true), inventory.finish_part('every_function.items', '{2}', '{null}', '00000000-0000-8ca7-8000-000000000000', false);
SELECT inventory.sell_part('every_function.items', 'u'::text, '[{"item_id": "none"}]', NULL), inventory.orders_may_refuse('every_function.items');
SELECT release_reservation('00000000-0000-4000-8000-000000000001');
SELECT inventory.settle('items') IS NOT NULL, inventory.table_mark('items'::regclass) IS NOT NULL;
SELECT look();

\echo '-- operators'
SELECT restock_item('cold', 5), restock_item('hot', 5), adjust_stock('cold', -1, 'damp'), adjust_stock('hot', -1, 'damp');
SELECT count_stock('cold', 100), count_stock('hot', 100);
SELECT refund_order(1, 1), refund_order(2, 1, false, 'broken', 'k4');
SELECT change_order(1, 3), change_order(2, 1);
SELECT item_id, quantity, status FROM exchange_order(1, '[{"item_id": "hot"}]', 'wrong colour');
SELECT * FROM refund_orders('{1,2,3}', idempotency_key => 'k5');
SELECT expire_reservations(), prune('1 day'), close_ledger('2000-01-01');
TABLE levels ORDER BY item_id;
UPDATE items SET stock = stock - 1;
DELETE FROM items WHERE id = 'hot' AND stock < 0;
BEGIN;
TRUNCATE items CASCADE;
ROLLBACK;
SELECT inventory.settle('items') IS NOT NULL;
SELECT look();

\echo '-- the owner again'
SELECT inventory.settle('items') IS NOT NULL, problem FROM inventory.verify('items') RIGHT JOIN (VALUES (1)) AS v ON true;
SELECT count(*) FROM inventory.hot_entries() WHERE items = 'items'::regclass;
SELECT operation, calls FROM inventory.stats WHERE store_name = 'every_function.items' AND operation IN ('buy_cart', 'buy_item') ORDER BY 1;
SELECT inventory.worker_last_run() <= clock_timestamp() IS NOT FALSE, coalesce(inventory.overdue_holds('items'), 0), inventory.reset_stats();
SELECT count(*) FROM inventory.oversold('items');
SELECT count(*) FROM inventory.repair('items');
SELECT inventory.repair_hot('every_function.items'), inventory.repair_ledger('every_function.items', NULL::text);
SELECT inventory.count_hot(store_name) FROM inventory.store WHERE items = 'items'::regclass;
SELECT inventory.refresh('items');
SELECT buy_item('u', 'cold'), buy_item('u', 'hot');
SELECT inventory.cool('items'), inventory.open_ledger('every_function.items');
SELECT inventory.settle('items') IS NOT NULL;
SELECT look();

\echo '-- what was not called; binding() never is'
-- the generated functions call those of the engine without the server, which calls the handler and the validator uncounted
SELECT pg_stat_force_next_flush();
CREATE TEMP TABLE generated AS SELECT split_part(p.prosrc, ' ', 1) AS name
	FROM pg_stat_user_functions AS s JOIN pg_proc AS p ON p.oid = s.funcid
	WHERE p.prosrc LIKE '% every_function.items';
SELECT inventory.retype('items', 'stock', 'bigint');
SELECT inventory.detach('items');
CREATE TABLE headers (id integer PRIMARY KEY, status text);
CREATE TABLE followed (id bigint PRIMARY KEY, header_id integer REFERENCES headers, item_id text REFERENCES items, user_id text);
CREATE INDEX ON followed (header_id);
SELECT inventory.attach('items', 'followed', order_header => 'headers', order_writes => 'follow', header_columns => '{id}', order_columns => '{id}');
INSERT INTO headers VALUES (1);
INSERT INTO followed VALUES (1, 1, 'cold', 'u');
SELECT inventory.detach('items');
SELECT inventory.create_store('every_function_made');
CREATE TRIGGER keep AFTER UPDATE ON every_function_made.items FOR EACH STATEMENT EXECUTE FUNCTION inventory.keep_stock();
UPDATE every_function_made.items SET stock = stock;
DROP SCHEMA every_function_made CASCADE;
SELECT pg_stat_force_next_flush();
SELECT DISTINCT p.proname FROM pg_proc AS p
	WHERE p.pronamespace = 'inventory'::regnamespace AND p.prolang = (SELECT oid FROM pg_language WHERE lanname = 'c')
	AND p.proname NOT IN (SELECT g.name FROM generated AS g)
	AND NOT EXISTS (SELECT FROM pg_stat_user_functions AS s WHERE s.funcid = p.oid)
	ORDER BY 1;
DROP SCHEMA every_function, every_function_stock CASCADE;
DROP OWNED BY regress_every_function;
DROP ROLE regress_every_function;
