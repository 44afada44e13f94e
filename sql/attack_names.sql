-- Tests of names that a caller shadows: operators, functions, aggregates, types and temporary
-- tables of another schema, which the caller's search_path finds first, are used by nothing
-- that the extension runs.
\pset format unaligned
\pset tuples_only on
CREATE ROLE regress_names_owner; CREATE ROLE regress_names_web;
CREATE SCHEMA attack_names AUTHORIZATION regress_names_owner;
CREATE SCHEMA attack_names_stock AUTHORIZATION regress_names_owner;
GRANT USAGE ON SCHEMA attack_names, attack_names_stock TO PUBLIC;
SET ROLE regress_names_owner;
\set schema attack_names
\set item_type text
\set limits on
\getenv abs_srcdir PG_ABS_SRCDIR
\set include :abs_srcdir '/sql/include/shop.sql'
\i :include
ALTER TABLE items ADD state text DEFAULT 'live';
INSERT INTO items (id, stock, stock_floor, purchase_limit) VALUES ('a', 100, 0, 90), ('b', 100, 0, NULL);
\set options 'ledger_schema => ''attack_names_stock'', sellable => ''state = ''''live'''''', order_columns => ''{note}'''
SELECT inventory.attach('attack_names.items', 'attack_names.orders', :options);
SELECT inventory.grant_api('attack_names.items', 'regress_names_web', 'buyer');
SELECT inventory.grant_api('attack_names.items', 'regress_names_web', 'operator');
RESET ROLE;
\set evil attack_names_evil
\set include :abs_srcdir '/sql/include/spies.sql'
\i :include
-- what attach and its like compare and count
CREATE FUNCTION attack_names_evil.spy_oid(oid, oid) RETURNS boolean LANGUAGE plpgsql AS $$ BEGIN INSERT INTO attack_names_evil.trace VALUES (current_user, 'oid'); RETURN $1 OPERATOR(pg_catalog.=) $2; END $$;
CREATE OPERATOR attack_names_evil.= (FUNCTION = attack_names_evil.spy_oid, LEFTARG = oid, RIGHTARG = oid);
CREATE FUNCTION attack_names_evil.spy_name(name, name) RETURNS boolean LANGUAGE plpgsql AS $$ BEGIN INSERT INTO attack_names_evil.trace VALUES (current_user, 'name'); RETURN $1 OPERATOR(pg_catalog.=) $2; END $$;
CREATE OPERATOR attack_names_evil.= (FUNCTION = attack_names_evil.spy_name, LEFTARG = name, RIGHTARG = name);
GRANT CREATE, TEMP ON DATABASE :DBNAME TO PUBLIC;
SELECT attack_names_evil.hide();
\set look 'RESET ROLE; SELECT DISTINCT who, what FROM attack_names_evil.trace ORDER BY 1, 2; TRUNCATE attack_names_evil.trace;'

\echo '-- the spies work'
SELECT 'a'::pg_catalog.text = 'b'::pg_catalog.text, sum(1::pg_catalog.int8) IS NULL, 'items'::regclass = 'items'::regclass;
SELECT DISTINCT what FROM attack_names_evil.trace ORDER BY 1;
TRUNCATE attack_names_evil.trace;
\echo '-- buyer'
SET ROLE regress_names_web;
SELECT attack_names.buy_item('u', 'a', 2, 'k', '{"note": "x"}'), attack_names.buy_item('u', 'a', 2, 'k', '{"note": "x"}');
SELECT order_id FROM attack_names.buy_cart('u', '[{"item_id": "a", "note": "y"}, {"item_id": "b"}]', 'k');
SELECT status FROM attack_names.try_buy_cart('u', '[{"item_id": "a", "quantity": 99}, {"item_id": "b"}]');
SELECT attack_names.available_stock('a');
SELECT attack_names.reserve_stock('u', 'a', 2, '10 min', 'k') AS one \gset
SELECT attack_names.reserve_cart('u', '[{"item_id": "a"}, {"item_id": "b", "quantity": 3}]', NULL, 'k') AS two \gset
SELECT status FROM attack_names.try_reserve_cart('u', '[{"item_id": "a", "quantity": 99}]');
SELECT attack_names.change_reservation(:'two', 'b', 5) IS NOT NULL, attack_names.extend_reservation(:'two', '1 h', 'u') IS NOT NULL;
SELECT status, quantity FROM attack_names.get_reservation(:'two');
SELECT status, quantity, order_id FROM attack_names.confirm_reservation(:'two', 'u');
SELECT attack_names.release_reservation(:'one', 'u');
SET inventory.strategy = optimistic;
SELECT attack_names.buy_item('u', 'b');
RESET inventory.strategy;
-- the engine itself, called by the owner
SET ROLE regress_names_owner;
SELECT inventory.buy_item('attack_names.items', 'u'::pg_catalog.text, 'a'::pg_catalog.text, 1, NULL, NULL, NULL::pg_catalog.int8);
:look
\echo '-- operator'
SET ROLE regress_names_web;
SELECT attack_names_stock.restock_item('a', 5), attack_names_stock.adjust_stock('a', -1, 'x'), attack_names_stock.count_stock('a', 90, 0, pg_catalog.now());
SELECT attack_names_stock.refund_order(1), attack_names_stock.refund_order(3, 1, false, 'broken', 'k');
SELECT attack_names.reserve_stock('v', 'b', 5, '1 microsecond') IS NOT NULL;
SELECT attack_names_stock.expire_reservations() OPERATOR(pg_catalog.>=) 0::pg_catalog.int8, attack_names_stock.prune('1 day'), attack_names_stock.close_ledger('2000-01-01');
SET ROLE regress_names_owner;
SELECT inventory.heat('attack_names.items', 'a'::pg_catalog.text), attack_names.buy_item('u', 'a'), inventory.settle('attack_names.items'), inventory.cool('attack_names.items');
SELECT inventory.restock_item('attack_names.items', 'a'::pg_catalog.text, 1, NULL, NULL, NULL::pg_catalog.int4);
UPDATE attack_names.items SET stock = 80 WHERE id OPERATOR(pg_catalog.=) 'a'::pg_catalog.text;
:look
\echo '-- verify'
SET ROLE regress_names_owner;
SELECT * FROM inventory.verify('attack_names.items');
SELECT * FROM inventory.verify('attack_names.items', 'a'::pg_catalog.text);
RESET ROLE;
SELECT * FROM inventory.verify('attack_names.items');
:look
\echo '-- stats'
SELECT DISTINCT store_name::pg_catalog.text COLLATE pg_catalog."C" FROM inventory.stats WHERE store_name OPERATOR(pg_catalog.~) '^attack_names'::pg_catalog.text;
SELECT COALESCE(inventory.overdue_holds('attack_names.items'), 0::pg_catalog.int8), inventory.worker_state() IS NOT NULL, pg_catalog.isfinite(COALESCE(inventory.worker_last_run(), pg_catalog.now()));
SELECT pg_catalog.count(*) FROM inventory.hot_entries();
SELECT (l).* FROM (SELECT l FROM attack_names_stock.levels AS l ORDER BY l.available) AS s;
:look
\echo '-- attach'
SET ROLE regress_names_owner;
SELECT inventory.refresh('attack_names.items');
SELECT inventory.grant_api('attack_names.items', 'regress_names_web', 'buyer');
SELECT inventory.detach('attack_names.items');
:look
-- by a superuser; and by the owner again
SELECT inventory.attach('attack_names.items', 'attack_names.orders', ledger_schema => 'attack_names_stock');
SELECT inventory.refresh('attack_names.items');
SELECT inventory.detach('attack_names.items');
:look
SET ROLE regress_names_owner;
SELECT inventory.attach('attack_names.items', 'attack_names.orders', ledger_schema => 'attack_names_stock');
SELECT inventory.create_store('attack_names_made', 'pg_catalog.text', 'pg_catalog.text');
:look
\echo '-- the end'
SELECT (SELECT count(*) FROM items) OPERATOR(pg_catalog.+) (SELECT count(*) FROM orders) OPERATOR(pg_catalog.+) (SELECT count(*) FROM movements)
	OPERATOR(pg_catalog.+) (SELECT count(*) FROM requests) OPERATOR(pg_catalog.+) (SELECT count(*) FROM store) AS in_temporary_tables;
\pset tuples_only off
RESET search_path;
REVOKE CREATE, TEMP ON DATABASE :DBNAME FROM PUBLIC;
GRANT TEMP ON DATABASE :DBNAME TO PUBLIC;
DROP SCHEMA attack_names, attack_names_stock, attack_names_made, attack_names_evil CASCADE;
DROP ROLE regress_names_owner, regress_names_web;
