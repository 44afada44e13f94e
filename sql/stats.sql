-- Tests of inventory.stats and reset_stats: calls are counted by operation and result, with
-- the units they moved, in shared memory or, without it, in the session.
\set VERBOSITY terse
\pset format unaligned
\set schema stats
\set limits on
\getenv abs_srcdir PG_ABS_SRCDIR
\set include :abs_srcdir '/sql/include/shop.sql'
\i :include
INSERT INTO items (id, stock, purchase_limit) VALUES (1, 100, NULL), (2, 5, NULL), (3, 9, 2);
SELECT inventory.attach('items', 'orders', ledger_schema => 'stats_stock');
\set include :abs_srcdir '/sql/include/no_worker.sql'
\i :include
SELECT inventory.reset_stats();
CREATE VIEW counted AS SELECT operation, calls, units, replays, out_of_stock AS out, item_not_found AS missing, purchase_limit_exceeded AS "limit",
	refused_state AS state, busy, retries + waits AS lost
	FROM inventory.stats WHERE store_name = 'stats.items' AND calls > 0 AND operation <> 'worker' ORDER BY operation COLLATE "C";
TABLE counted;

-- purchases: sold, replayed, refused; several units in several lines
SELECT buy_item('ada', 1, 3), buy_item('ada', 2, 5, 'k');
SELECT buy_item('ada', 2, 5, 'k');
SELECT buy_item('ada', 2);
SELECT buy_item('ada', 99);
SELECT buy_item('ada', 3, 3);
SELECT buy_item('ada', 1, 1, 'k');
SELECT buy_item('ada', 1, 0);
SELECT count(*) FROM buy_cart('ada', '[{"item_id": 1, "quantity": 4}, {"item_id": 3}]');
SELECT buy_cart('ada', '[{"item_id": 1}, {"item_id": 2}]');
SELECT status FROM try_buy_cart('ada', '[{"item_id": 1}, {"item_id": 2}, {"item_id": 98}, {"item_id": 3, "quantity": 2}]');
SELECT available_stock(1);
TABLE counted;

-- reservations, refunds, stock
SELECT inventory.reset_stats();
TABLE counted;
SELECT reserve_stock('ada', 1, 2) AS r, reserve_cart('ada', '[{"item_id": 1}, {"item_id": 3}]') AS c, reserve_stock('bob', 1, 7, '1 microsecond') AS overdue \gset
SELECT status FROM try_reserve_cart('ada', '[{"item_id": 2}, {"item_id": 3}]');
SELECT change_reservation(:'r', 1, 6) IS NOT NULL, extend_reservation(:'r', '1 h') IS NOT NULL;
SELECT status FROM confirm_reservation(:'r');
SELECT status FROM confirm_reservation(:'r');
SELECT release_reservation(:'r');
SELECT release_reservation(:'c'), release_reservation(:'c');
SELECT confirm_reservation(:'c');
SELECT status FROM get_reservation(:'c');
SELECT refund_order(1, 2);
SELECT refund_order(1, 2);
SELECT refund_order(1000);
DELETE FROM items WHERE id = 1; -- refused by the guard, and no call of a function
SELECT restock_item(1, 10), adjust_stock(1, -4, 'damp'), count_stock(1, 100);
SELECT expire_reservations();
SELECT prune('1 day'), close_ledger('2000-01-01');
UPDATE items SET stock = stock - 3 WHERE id = 1;
UPDATE items SET stock = stock + 1;
UPDATE items SET stock = -1 WHERE id = 1;
TABLE counted;

-- a call inside a call: both are counted
SELECT inventory.reset_stats();
CREATE FUNCTION gift() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	IF NEW.quantity > 1 THEN
		PERFORM stats.reserve_stock(NEW.user_id, 1, 1);
	END IF;
	RETURN NEW;
END
$$;
CREATE TRIGGER gift BEFORE INSERT ON orders FOR EACH ROW EXECUTE FUNCTION gift();
SELECT count(*) FROM buy_cart('ada', '[{"item_id": 1, "quantity": 2}]', 'nested');
SELECT count(*) FROM buy_cart('ada', '[{"item_id": 1, "quantity": 2}]', 'nested');
SELECT buy_item('ada', 1, 1000);
TABLE counted;
-- a call that is rolled back counts as a call
BEGIN;
SELECT buy_item('ada', 1, 5) IS NOT NULL AS bought;
ROLLBACK;
SELECT calls, units FROM counted WHERE operation = 'buy_item';
-- an inner call that is refused, and whose error is caught: what follows counts for the outer call
CREATE FUNCTION ask_too_much() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	PERFORM stats.reserve_stock('bob', 2, 1000);
EXCEPTION WHEN SQLSTATE 'IV001' THEN
	RETURN NEW;
END
$$;
CREATE TRIGGER ask_too_much BEFORE UPDATE ON items FOR EACH ROW EXECUTE FUNCTION ask_too_much();
SELECT inventory.reset_stats();
SELECT buy_item('ada', 1, 1) IS NOT NULL AS bought;
DROP TRIGGER ask_too_much ON items;
TABLE counted;

-- the stock follows the orders: units that lines took and gave back, by statement, and in a call that applies what waited
CREATE TABLE goods (id integer PRIMARY KEY, stock integer NOT NULL);
CREATE TABLE lines (id integer PRIMARY KEY, item_id integer NOT NULL REFERENCES goods, quantity integer NOT NULL);
INSERT INTO goods VALUES (1, 50), (2, 50);
CREATE SCHEMA stats_api;
SELECT inventory.attach('goods', 'lines', ledger_schema => 'stats_goods', api_schema => 'stats_api', order_writes => 'follow') IS NOT NULL AS attached;
CREATE VIEW followed AS SELECT operation, calls, units, out_of_stock AS out FROM inventory.stats
	WHERE store_name = 'stats.goods' AND calls > 0 AND operation <> 'worker' ORDER BY operation COLLATE "C";
INSERT INTO lines VALUES (1, 1, 2), (2, 2, 3);
TABLE followed;
UPDATE lines SET quantity = quantity - 1;
TABLE followed;
INSERT INTO lines VALUES (3, 1, 60);
DELETE FROM lines WHERE id = 1;
TABLE followed;
BEGIN;
SET LOCAL inventory.follow_at = 'commit';
UPDATE lines SET quantity = 6 WHERE id = 2;
SELECT operation, units FROM followed WHERE operation = 'follow';
SELECT stats_goods.refund_order(2, 1);
COMMIT;
TABLE followed;
-- movements that move no stock are no units: what is there for another user, a sale that an opening supplies, a line that is closed
CREATE TABLE heads (id integer PRIMARY KEY, user_id integer);
CREATE TABLE parts (id integer PRIMARY KEY, head_id integer REFERENCES heads, item_id integer NOT NULL REFERENCES goods, quantity integer NOT NULL, sent boolean NOT NULL DEFAULT false);
CREATE INDEX ON parts (head_id);
INSERT INTO heads VALUES (1, 7);
INSERT INTO parts VALUES (1, 1, 1, 5, true), (3, 1, 1, 5, true);
SELECT inventory.detach('goods');
SELECT inventory.attach('goods', 'parts', order_header => 'heads', ledger_schema => 'stats_parts', api_schema => 'stats_api', order_writes => 'follow',
	order_final => 'line.sent') IS NOT NULL AS attached;
INSERT INTO parts VALUES (2, 1, 2, 4);
SELECT operation, units FROM followed WHERE operation = 'follow';
UPDATE heads SET user_id = 8;
SELECT operation, units FROM followed WHERE operation = 'follow';
UPDATE parts SET quantity = 6 WHERE id = 1;
SELECT operation, units FROM followed WHERE operation = 'follow';
SELECT stats_parts.refund_order(2, 1);
UPDATE parts SET sent = true WHERE id = 2;
DELETE FROM parts WHERE id = 2;
INSERT INTO parts VALUES (2, 1, 2, 2);
SELECT operation, units FROM followed WHERE operation = 'follow';
SELECT * FROM inventory.verify('goods');

-- which roles may read and reset the counters
CREATE ROLE regress_stats_monitor IN ROLE pg_monitor;
CREATE ROLE regress_stats_nobody;
SET ROLE regress_stats_monitor;
SELECT count(*) > 0 AS rows FROM inventory.stats WHERE store_name = 'stats.items';
SELECT inventory.reset_stats();
SET ROLE regress_stats_nobody;
SELECT count(*) FROM inventory.stats;
SELECT count(*) FROM inventory.stats_entries();
SELECT inventory.overdue_holds('stats.items');
SELECT inventory.worker_last_run();
SELECT inventory.reset_stats();
RESET ROLE;
SELECT inventory.overdue_holds('stats.orders'), inventory.overdue_holds(NULL); -- what the worker saw of others: TAP 025_many_stores
-- the row of a store is inserted again, which is refused: the counters stay
INSERT INTO inventory.store SELECT * FROM inventory.store WHERE items = 'items'::regclass;
SELECT calls > 0 AS counted FROM inventory.stats WHERE store_name = 'stats.items' AND operation = 'buy_item';
-- a store without calls is listed, a detached one is not
SELECT inventory.detach('items');
SELECT count(*) FROM inventory.stats WHERE store_name = 'stats.items';
SELECT inventory.attach('items', 'orders', ledger_schema => 'stats_stock');
SELECT count(*) > 0 AS there FROM inventory.stats WHERE store_name = 'stats.items';
SELECT * FROM inventory.verify('items');
DROP SCHEMA stats, stats_stock, stats_goods, stats_api CASCADE;
DROP ROLE regress_stats_monitor, regress_stats_nobody;
