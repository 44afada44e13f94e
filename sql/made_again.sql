-- Tests of a table that is dropped and made again: its store begins with a new ledger, and the old
-- one is kept apart; the same table goes on with its ledger whatever happens around it.
\pset format unaligned
\pset tuples_only on
\set SHOW_CONTEXT never
SET client_min_messages = warning;
CREATE ROLE regress_again_owner;
CREATE ROLE regress_again_reader;
SELECT format('GRANT CREATE ON DATABASE %I TO regress_again_owner', current_database()) \gexec
SET ROLE regress_again_owner;
CREATE SCHEMA again;
SET search_path = again, items_stock;
CREATE FUNCTION make() RETURNS void LANGUAGE plpgsql AS $$
BEGIN
	CREATE TABLE again.items (id int PRIMARY KEY, stock int NOT NULL);
	CREATE TABLE again.orders (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, user_id text,
							   item_id int, quantity int NOT NULL);
	INSERT INTO again.items VALUES (1, 1);
END
$$;
CREATE FUNCTION look() RETURNS text LANGUAGE plpgsql AS $$
BEGIN
	RETURN concat_ws(' | ',
		'stock ' || (SELECT string_agg(format('%s=%s', item_id, on_hand), ' ' ORDER BY item_id) FROM levels),
		'held ' || (SELECT count(*) FROM reservations WHERE status = 'held'),
		'keys ' || (SELECT count(*) FROM requests), 'sum ' || (SELECT sum(delta) FROM movements),
		(SELECT 'PROBLEMS ' || string_agg(problem, ', ') FROM inventory.verify('again.items')));
END
$$;
-- The schemas with a ledger.
CREATE FUNCTION ledgers() RETURNS SETOF text LANGUAGE sql AS $$
	SELECT format('%s: %s', n.nspname, string_agg(c.relname, ' ' ORDER BY c.relname))
	FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
	WHERE c.relkind IN ('r', 'v') AND c.relowner = 'regress_again_owner'::regrole AND c.relname NOT IN ('items', 'orders')
	GROUP BY n.nspname ORDER BY n.nspname
$$;
-- A mark, with the OIDs of this database by name.
CREATE FUNCTION mark(movements regclass) RETURNS text LANGUAGE sql AS $$
	SELECT regexp_replace(col_description(movements, 2), '[0-9]+/[0-9]+/([0-9]+)', CASE
		WHEN col_description(movements, 2) LIKE '%/' || d.oid || '/' || coalesce(to_regclass('again.items')::oid, 0) THEN 'this table' ELSE 'another' END)
	FROM pg_database AS d WHERE d.datname = current_database()
$$;

\echo '-- a store in use'
SELECT make();
SELECT inventory.attach('items', 'orders');
SELECT mark('items_stock.movements');
UPDATE items SET stock = 10;
SELECT buy_item('ann', 1, 2, 'k'), reserve_stock('ann', 1, 5) IS NOT NULL, refund_order(1, 1);
SELECT inventory.grant_api('items', 'regress_again_reader', 'buyer');
GRANT SELECT ON movements, levels TO regress_again_reader;
SELECT look();

\echo '-- the same table goes on: detach, another name, another schema, a rewrite, a lost extension'
SELECT inventory.detach('items');
ALTER TABLE items RENAME TO goods;
VACUUM FULL goods;
SELECT inventory.attach('goods', 'orders');
SELECT held, keys FROM (SELECT count(*) FROM reservations WHERE status = 'held') AS r(held), (SELECT count(*) FROM requests) AS k(keys);
SELECT inventory.detach('goods');
ALTER TABLE goods RENAME TO items;
SELECT inventory.attach('items', 'orders');
SELECT look();
SELECT ledgers();

\echo '-- dropped and made again: a new ledger, and the old one is kept apart'
DROP TABLE items, orders CASCADE;
SELECT mark('items_stock.movements');
SELECT make();
SET client_min_messages = notice;
SELECT inventory.attach('items', 'orders');
SET client_min_messages = warning;
SELECT mark('items_stock.movements'), mark('items_stock_1.movements');
SELECT look();
SELECT ledgers();
SELECT buy_item('ann', 1, 1, 'k');
SELECT refund_order(1);
SELECT look();
SELECT count(*), sum(delta) FROM items_stock_1.movements;
-- grants go with the old tables
SELECT has_table_privilege('regress_again_reader', 'items_stock.movements', 'SELECT'),
	has_table_privilege('regress_again_reader', 'items_stock_1.movements', 'SELECT'),
	has_table_privilege('regress_again_reader', 'items_stock.levels', 'SELECT'),
	has_function_privilege('regress_again_reader', 'buy_item(text,int,bigint,text,jsonb)', 'EXECUTE');

\echo '-- once more: an older one is named'
DROP TABLE items, orders CASCADE;
SELECT make();
SET client_min_messages = notice;
SELECT inventory.attach('items', 'orders');
SET client_min_messages = warning;
SELECT ledgers();
DROP SCHEMA items_stock_1 CASCADE;

\echo '-- with its schema, and by CASCADE, as reset by a framework; the ledger is in a schema of its own'
SELECT buy_item('ann', 1, 1, 'k');
SET search_path = public;
DROP TABLE again.items, again.orders CASCADE;
SET search_path = again, items_stock;
SELECT make();
SELECT inventory.attach('items', 'orders');
SELECT look();
SELECT ledgers();
DROP SCHEMA items_stock_1, items_stock_2 CASCADE;

\echo '-- adopt: the old ledger is continued'
SELECT buy_item('ann', 1, 1, 'k');
DROP TABLE items CASCADE;
CREATE TABLE items (id int PRIMARY KEY, stock int NOT NULL);
INSERT INTO items VALUES (1, 0);
SELECT inventory.attach('items', 'orders', adopt => true);
SELECT buy_item('ann', 1, 1, 'k');
SELECT refund_order(1);
SELECT mark('items_stock.movements');
SELECT look();
SELECT ledgers();
-- also one that was put aside
DROP TABLE items, orders CASCADE;
SELECT make();
SELECT inventory.attach('items', 'orders');
SELECT inventory.detach('items');
SELECT inventory.attach('items', 'orders', ledger_schema => 'items_stock_1', adopt => true);
SELECT ledgers();
SELECT kind, sum(delta) FROM items_stock_1.movements GROUP BY kind ORDER BY kind;
SELECT inventory.detach('items');
SELECT inventory.attach('items', 'orders', ledger_schema => 'items_stock', adopt => false);
SELECT look();

\echo '-- only renamed: what the shop reads follows the old ledger'
SELECT inventory.detach('items');
DROP SCHEMA items_stock, items_stock_1 CASCADE;
SELECT inventory.attach('items', 'orders', sellable => 'stock > 0');
CREATE VIEW shelf AS SELECT * FROM items_stock.levels;
RESET ROLE;
SET client_min_messages = error;
DELETE FROM inventory.store WHERE items = 'again.items'::regclass;	-- as DROP EXTENSION leaves it
SET client_min_messages = warning;
SET ROLE regress_again_owner;
ALTER TABLE items RENAME TO old_items;
ALTER TABLE orders RENAME TO old_orders;
ALTER TABLE old_items RENAME CONSTRAINT items_pkey TO old_items_pkey;
ALTER TABLE old_orders RENAME CONSTRAINT orders_pkey TO old_orders_pkey;
ALTER SEQUENCE orders_id_seq RENAME TO old_orders_id_seq;
SELECT make();
SET client_min_messages = notice;
SELECT inventory.attach('items', 'orders', sellable => 'stock > 0');
SET client_min_messages = warning;
SELECT pg_get_viewdef('shelf') ~ 'items_stock_1.levels';
SELECT look();
SELECT ledgers();
-- and that table finds its ledger again
SELECT inventory.detach('items');
DROP VIEW shelf;
DROP VIEW items_stock_1.levels, items_stock_1.sellable;
SELECT inventory.attach('old_items', 'old_orders', store_name => 'again.items');
SELECT ledger_schema FROM inventory.bindings WHERE items = 'old_items'::regclass;
SELECT inventory.detach('old_items');
DROP TABLE items, orders, old_items, old_orders CASCADE;
DROP SCHEMA items_stock, items_stock_1 CASCADE;

\echo '-- a ledger in the schema of the shop: its own tables stay, whatever their names'
CREATE SCHEMA again_shop;
SELECT inventory.create_store('again_shop', 'int', 'text');
CREATE TABLE again_shop.notes (id int);
SELECT count(*) FROM again_shop.items;
DROP TABLE again_shop.items, again_shop.orders CASCADE;
SELECT inventory.create_store('again_shop', 'int', 'text');
SELECT ledgers();
SELECT inventory.detach('again_shop.items');

\echo '-- of another database or system, and without a mark: by name'
DROP TABLE again_shop.items, again_shop.orders CASCADE;
DROP SCHEMA again_shop_1 CASCADE;
COMMENT ON COLUMN again_shop.movements.item_id IS 'Key of the item. Its table (system/database/OID): 1/2/3';
SELECT inventory.create_store('again_shop', 'int', 'text');
SELECT ledgers();
SELECT inventory.refresh('again_shop.items');
SELECT inventory.detach('again_shop.items');
DROP TABLE again_shop.items, again_shop.orders CASCADE;
COMMENT ON COLUMN again_shop.movements.item_id IS NULL;
SELECT inventory.create_store('again_shop', 'int', 'text');
SELECT ledgers();
-- a restored store has the mark of where it was dumped until its table is dropped
COMMENT ON COLUMN again_shop.movements.item_id IS 'Key of the item. Its table (system/database/OID): 1/2/3';
DROP TABLE again_shop.items, again_shop.orders CASCADE;
SELECT inventory.create_store('again_shop', 'int', 'text');
SELECT ledgers();
-- and its detach, its refresh and a change of the mark by hand are those of its owner
COMMENT ON COLUMN again_shop.movements.item_id IS NULL;
SELECT inventory.refresh('again_shop.items');
SELECT col_description('again_shop.movements'::regclass, 2) = 'Key of the item. Its table (system/database/OID): ' || inventory.table_mark('again_shop.items'::regclass);
SET ROLE regress_again_reader;
COMMENT ON COLUMN again_shop.movements.item_id IS NULL;
SELECT inventory.mark_ledger((SELECT c.oid FROM pg_class AS c WHERE c.relname = 'movements' AND c.relnamespace = 'again_shop'::regnamespace), 1);
SET ROLE regress_again_owner;

\echo '-- without the right to create a schema'
RESET ROLE;
SELECT format('REVOKE CREATE ON DATABASE %I FROM regress_again_owner', current_database()) \gexec
SET ROLE regress_again_owner;
DROP TABLE again_shop.items, again_shop.orders CASCADE;
SELECT inventory.create_store('again_shop', 'int', 'text');
SELECT to_regclass('again_shop.items');

RESET ROLE;
DROP OWNED BY regress_again_owner, regress_again_reader CASCADE;
DROP ROLE regress_again_owner, regress_again_reader;
