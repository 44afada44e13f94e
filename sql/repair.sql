-- Tests of repair: each kind of finding of verify is repaired, and verify is clean afterwards, or
-- it is named with the reason.  Not for a server on which the worker settles, too.
\set VERBOSITY terse
\pset format unaligned
\pset tuples_only on
\set schema repair
\set limits on
\getenv abs_srcdir PG_ABS_SRCDIR
\set include :abs_srcdir '/sql/include/shop.sql'
\i :include
INSERT INTO items (id, stock) VALUES (1, 10), (2, 20), (3, NULL), (4, 40), (5, 50), (6, 60);
SELECT inventory.attach('items', 'orders', ledger_schema => 'repair_stock');
\set include :abs_srcdir '/sql/include/no_worker.sql'
\i :include
SELECT inventory.heat('items', 5), inventory.heat('items', 6);
SELECT buy_item('u', 1, 2) > 0, buy_item('u', 5, 2) > 0;
SELECT reserve_stock('u', 2, 3, '10 hours') AS hold \gset
SELECT reserve_stock('v', 2, 3, '10 hours') AS other \gset
SELECT reserve_stock('u', 5, 5, '10 hours') AS hot_hold \gset
INSERT INTO seen SELECT max(movement_id), true FROM movements;

\echo '-- nothing to repair'
SELECT * FROM inventory.repair('items');
SELECT look();

\echo '-- the guard was off: what was missed is booked, and the triggers are there before that'
ALTER TABLE items DISABLE TRIGGER inventory_guard;
UPDATE items SET stock = stock + 1 WHERE id IN (1, 5);
UPDATE items SET stock = 7 WHERE id = 3;
UPDATE items SET stock = NULL WHERE id = 4;
DELETE FROM items WHERE id = 2;
INSERT INTO items (id, stock) VALUES (7, 7);
SELECT * FROM inventory.repair('items', '1');
SELECT look();
SELECT * FROM inventory.repair('items');
SELECT look();
SELECT * FROM inventory.repair('items');
SELECT kind, delta, reason, actor = session_user FROM movements WHERE item_id = 1 ORDER BY movement_id DESC LIMIT 1;
SELECT buy_item('u', 1) > 0, buy_item('u', 5) > 0, buy_item('u', 7) > 0;
SELECT look() !~ 'WRONG';

\echo '-- the guard is gone, or another; the one on orders'
DROP TRIGGER inventory_guard ON items;
ALTER TABLE items ENABLE TRIGGER inventory_guard_truncate;
SELECT * FROM inventory.repair('items');
ALTER TABLE orders ENABLE REPLICA TRIGGER inventory_orders_guard;
SELECT * FROM inventory.repair('items', '1');
DROP TRIGGER inventory_orders_guard ON orders;
SELECT problem, repaired FROM inventory.repair('items');
SELECT * FROM inventory.verify('items');
-- a pg_restore --disable-triggers leaves them so
ALTER TABLE items DISABLE TRIGGER ALL;
ALTER TABLE items ENABLE TRIGGER ALL;
SELECT problem, repaired FROM inventory.repair('items');
SELECT tgname, tgenabled FROM pg_trigger WHERE tgrelid IN ('items'::regclass, 'orders'::regclass) AND NOT tgisinternal ORDER BY 1;

\echo '-- holds'
DELETE FROM reservations WHERE reservation_id = :'hold';
UPDATE reservations SET quantity = 5 WHERE reservation_id = :'hot_hold';
UPDATE reservations SET status = 'released' WHERE reservation_id = :'other';
INSERT INTO reservations SELECT gen_random_uuid(), 1, 2, 'w', 'held', now() + '1 hour', NULL, now(), true;
UPDATE reservations SET quantity = 6 WHERE reservation_id = :'hot_hold';
SELECT * FROM inventory.repair('items');
SELECT look();
SELECT item_id, delta, kind, user_id, reservation_id IS NOT NULL AS of_hold FROM movements WHERE reason = 'repair' AND kind <> 'direct' ORDER BY item_id, user_id;
SELECT release_reservation(reservation_id) FROM reservations WHERE status = 'held' ORDER BY item_id;
SELECT look();

\echo '-- a ledger that was emptied, in part or whole'
DELETE FROM movements WHERE item_id = 1 AND kind = 'sale';
SELECT * FROM inventory.repair('items');
TRUNCATE movements;
SELECT item_id, problem, repaired, action FROM inventory.repair('items');
SELECT look();
UPDATE movements SET delta = delta + 1, item_id = 99 WHERE item_id = 7;
SELECT * FROM inventory.repair('items');
SELECT look() !~ 'WRONG';

\echo '-- counters'
SELECT buy_item('u', 5) > 0;
BEGIN;
ALTER TABLE items DISABLE TRIGGER inventory_guard;
UPDATE items SET stock = stock - 10 WHERE id = 6;
UPDATE items SET stock = stock + 10 WHERE id = 5;
ALTER TABLE items ENABLE ALWAYS TRIGGER inventory_guard;
COMMIT;
SELECT * FROM inventory.repair('items', '6');
SELECT * FROM inventory.repair('items');
SELECT * FROM inventory.verify('items');
SELECT buy_item('u', 6, 51);
SELECT buy_item('u', 6, 50) > 0;
SELECT inventory.settle('items') > 0;
SELECT look() !~ 'WRONG';

\echo '-- what cannot be repaired is named: orders are never changed, and some things need a person'
SELECT buy_item('u', 1) AS line \gset
SELECT buy_item('u', 1, 2) AS gone \gset
SELECT buy_item('u', 1, 2) AS twice \gset
SELECT refund_order(:twice);
ALTER TABLE orders DISABLE TRIGGER inventory_orders_guard;
DELETE FROM orders WHERE id = :gone;
ALTER TABLE orders ENABLE ALWAYS TRIGGER inventory_orders_guard;
UPDATE orders SET quantity = 9 WHERE id = :line;
UPDATE movements SET delta = 3 WHERE order_id = :twice AND kind = 'refund';
SELECT item_id, problem, expected, actual, repaired, action FROM inventory.repair('items');
UPDATE orders SET quantity = 1 WHERE id = :line;
INSERT INTO orders (id, user_id, item_id, quantity) VALUES (:gone, 'u', 1, 2);
SELECT problem, repaired, action FROM inventory.repair('items', '1');
UPDATE movements SET delta = 2 WHERE order_id = :twice AND kind = 'refund';
DELETE FROM orders WHERE id = :gone;
DELETE FROM movements WHERE order_id = :gone;
SELECT problem, repaired, action FROM inventory.repair('items');
SELECT look() !~ 'WRONG';
-- a row of a hot item that refuses what was sold
CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM 1 / (NEW.stock - OLD.stock + 10); RETURN NEW; END $$;
CREATE TRIGGER refuse BEFORE UPDATE ON items FOR EACH ROW EXECUTE FUNCTION refuse();
SELECT buy_item('u', 5, 10) > 0;
SET client_min_messages = error;
SELECT inventory.settle('items');
SELECT item_id, problem, repaired, action FROM inventory.repair('items');
SET client_min_messages = warning;
DROP TRIGGER refuse ON items;
SELECT inventory.settle('items');
-- two rows of one item: which stock is right is not known
BEGIN;
ALTER TABLE items DROP CONSTRAINT items_pkey;
INSERT INTO items (id, stock) VALUES (1, 30);
SELECT item_id, problem, repaired, action FROM inventory.repair('items');
ROLLBACK;

\echo '-- a store that is not intact'
-- an item has two rows in "hot": that stays by which the movements add up to the stock
SELECT restock_item(6, 20);
SELECT buy_item('u', 5, 3) > 0, buy_item('u', 6, 3) > 0;
SELECT inventory.cool('items', 6);
SELECT buy_item('u', 5, 3) > 0;
ALTER TABLE hot DROP CONSTRAINT hot_pkey CASCADE;
INSERT INTO hot (item_id, hot, settled_epoch, incarnation) VALUES (5, false, 1000, 0), (6, true, 0, 0);
SELECT buy_item('u', 5);
SELECT item_id, problem, repaired, action FROM inventory.repair('items');
SELECT count(*), count(DISTINCT item_id) FROM hot WHERE item_id IN (5, 6);
ALTER TABLE hot ADD PRIMARY KEY (item_id);
SELECT buy_item('u', 5) > 0, buy_item('u', 6) > 0;
SELECT inventory.settle('items') > 0, inventory.cool('items');
SELECT look() !~ 'WRONG';
-- none does
ALTER TABLE hot DROP CONSTRAINT hot_pkey CASCADE;
BEGIN;
ALTER TABLE items DISABLE TRIGGER inventory_guard;
UPDATE items SET stock = stock + 1 WHERE id = 5;
ALTER TABLE items ENABLE ALWAYS TRIGGER inventory_guard;
INSERT INTO hot (item_id, hot, settled_epoch, incarnation) VALUES (5, true, 0, 0);
SELECT item_id, problem, repaired, action FROM inventory.repair('items');
ROLLBACK;
-- the binding triggers: a column of another kind among those that are bound; none
DROP TRIGGER inventory_binding ON items;
CREATE TRIGGER inventory_binding AFTER UPDATE OF id, stock, name ON items FOR EACH STATEMENT
	EXECUTE FUNCTION inventory.binding('repair.items', 'item_id', 'stock', '+');
SELECT item_id, problem, repaired, action FROM inventory.repair('items');
SELECT buy_item('u', 1) > 0;
BEGIN;
DROP TRIGGER inventory_binding ON items;
SELECT item_id, problem, repaired, action FROM inventory.repair('items');
ROLLBACK;
-- rows without a key in the ledger
ALTER TABLE movements ALTER item_id DROP NOT NULL;
UPDATE movements SET item_id = NULL WHERE item_id = 7;
SELECT item_id, problem, repaired, action FROM inventory.repair('items');
DELETE FROM movements WHERE item_id IS NULL;
SELECT look() !~ 'WRONG';

\echo '-- functions and grants stay, as the shop has changed them'
CREATE ROLE regress_repair_buyer;
SELECT inventory.grant_api('items', 'regress_repair_buyer', 'buyer');
SELECT proacl::text ~ 'regress_repair_buyer' FROM pg_proc WHERE oid = 'buy_item'::regproc;
ALTER FUNCTION buy_item SET work_mem = '5MB';
DROP TRIGGER inventory_guard ON items;
SELECT problem, repaired FROM inventory.repair('items');
SELECT proacl::text ~ 'regress_repair_buyer', proconfig::text ~ 'work_mem' FROM pg_proc WHERE oid = 'buy_item'::regproc;

\echo '-- the owner''s; a superuser does it with the owner''s rights'
SET ROLE regress_repair_buyer;
SELECT inventory.repair('items');
SELECT inventory.repair_as_owner('items', NULL);
SELECT inventory.repair_store('items', NULL);
SELECT inventory.repair_ledger('repair.items', NULL::text);
SELECT inventory.repair_hot('repair.items');
RESET ROLE;
SELECT inventory.repair(NULL);
SELECT inventory.repair('pg_class');
SELECT inventory.repair('items', '{"no key"}');
DROP OWNED BY regress_repair_buyer;
DROP ROLE regress_repair_buyer;
CREATE ROLE regress_repair_owner;
CREATE SCHEMA repair_owned AUTHORIZATION regress_repair_owner;
SET ROLE regress_repair_owner;
CREATE TABLE repair_owned.items (id bigint PRIMARY KEY, stock bigint);
CREATE FUNCTION repair_owned.who() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.reason := current_user; RETURN NEW; END $$;
INSERT INTO repair_owned.items VALUES (1, 1);
SELECT inventory.attach('repair_owned.items', ledger_schema => 'repair_owned');
CREATE TRIGGER who BEFORE INSERT ON repair_owned.movements FOR EACH ROW EXECUTE FUNCTION repair_owned.who();
DROP TRIGGER inventory_guard ON repair_owned.items;
UPDATE repair_owned.items SET stock = 2;
RESET ROLE;
SELECT * FROM inventory.repair('repair_owned.items');
SELECT delta, kind, reason, actor = session_user FROM repair_owned.movements ORDER BY movement_id;
SELECT current_user = session_user, * FROM inventory.repair('repair_owned.items');
SET client_min_messages = error;
DROP OWNED BY regress_repair_owner CASCADE;
DROP ROLE regress_repair_owner;
SET client_min_messages = warning;

\echo '-- a store that keeps its stock'
SELECT inventory.detach('items');
SELECT inventory.attach('items', 'orders', ledger_schema => 'repair_stock', direct_writes => 'keep');
SET client_min_messages = notice;
UPDATE items SET stock = 1000, name = 'x' WHERE id = 1;
DROP TRIGGER _inventory_keep ON items;
SELECT problem, repaired, action FROM inventory.repair('items');
UPDATE items SET stock = 1000, name = 'x' WHERE id = 1;
ALTER TABLE items DISABLE TRIGGER inventory_keep_notice;
SELECT problem, repaired FROM inventory.repair('items');
SET client_min_messages = warning;
DROP SCHEMA repair, repair_stock CASCADE;
