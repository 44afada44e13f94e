-- Tests of the security of sales: the generated functions run with the rights of the owner
-- of the tables, and no caller gains more from that than a purchase.
\pset format unaligned
CREATE ROLE regress_security_owner; CREATE ROLE regress_security_buyer; CREATE ROLE regress_security_operator;
CREATE ROLE regress_security_clerk;
CREATE SCHEMA security AUTHORIZATION regress_security_owner;
CREATE SCHEMA security_stock AUTHORIZATION regress_security_owner;
GRANT USAGE ON SCHEMA security TO PUBLIC;
SET ROLE regress_security_owner;
\set schema security
\set item_type text
\set limits on
\getenv abs_srcdir PG_ABS_SRCDIR
\set include :abs_srcdir '/sql/include/shop.sql'
\i :include
ALTER TABLE items ADD state text DEFAULT 'live';
ALTER TABLE orders ALTER user_id SET NOT NULL;
INSERT INTO items (id, stock, stock_floor, purchase_limit) VALUES ('a', 100, 0, 50);
SELECT inventory.attach('security.items', 'security.orders', ledger_schema => 'security_stock',
	sellable => 'state = ''live''', order_columns => '{note}');
SELECT inventory.grant_api('security.items', 'regress_security_buyer', 'buyer');
SELECT inventory.grant_api('security.items', 'regress_security_operator', 'operator');
GRANT SELECT, UPDATE ON security.items TO regress_security_clerk;
RESET ROLE;

-- all that a caller can hide
\set evil security_evil
\set include :abs_srcdir '/sql/include/spies.sql'
\i :include
SELECT security_evil.hide();
CREATE TEMP TABLE heard (item_id pg_catalog.text, who name);
GRANT ALL ON heard TO PUBLIC;

-- a trigger of the shop on its ledger, which relies on its search_path
CREATE TABLE security.heard (item_id pg_catalog.text, who name);
CREATE FUNCTION security.hear() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN INSERT INTO heard VALUES (NEW.item_id, current_user); RETURN NULL; END';
CREATE TRIGGER hear AFTER INSERT ON security_stock.movements FOR EACH ROW EXECUTE FUNCTION security.hear();
ALTER TABLE security.heard OWNER TO regress_security_owner;

-- the spies work
SELECT 'a'::pg_catalog.text = 'b'::pg_catalog.text AS fooled;
SELECT count(*) OPERATOR(pg_catalog.>) 0 AS traced FROM security_evil.trace;
TRUNCATE security_evil.trace;

SET ROLE regress_security_buyer;
SELECT security.buy_item('u', 'a', 2, 'k', '{"note": "x"}');
SELECT * FROM security.buy_cart('u', '[{"item_id": "a", "note": "y"}, {"item_id": "a"}]', 'k');
SELECT * FROM security.buy_cart('u', '[{"item_id": "a", "note": "y"}, {"item_id": "a"}]', 'k');
SELECT status FROM security.try_buy_item('u', 'a', 99);
SELECT status FROM security.try_buy_cart('u', '[{"item_id": "a", "quantity": 99}, {"item_id": "b"}]');
SELECT security.available_stock('a');
SET inventory.strategy = pessimistic;
SELECT security.buy_item('u', 'a');
SET inventory.strategy = optimistic;
SELECT security.buy_item('u', 'a');
RESET inventory.strategy;
SET ROLE regress_security_operator;
SELECT security_stock.restock_item('a', 5), security_stock.adjust_stock('a', -1, 'x'), security_stock.count_stock('a', 90, 0, pg_catalog.now());
SET ROLE regress_security_clerk;
UPDATE security.items SET stock = 80;
SET ROLE regress_security_owner;
SELECT * FROM inventory.verify('security.items');
SELECT * FROM inventory.verify('security.items', 'a');
SELECT inventory.buy_item('security.items', 'u'::pg_catalog.text, 'a', 1, NULL, NULL, NULL::bigint);
SELECT inventory.refresh('security.items');
SELECT inventory.detach('security.items');
SELECT inventory.attach('security.items', 'security.orders', ledger_schema => 'security_stock');
RESET ROLE;
SELECT who, what, pg_catalog.count(*) FROM security_evil.trace GROUP BY who, what ORDER BY 1, 2;
RESET search_path;
SELECT kind, sum(delta), actor FROM security_stock.movements GROUP BY kind, actor ORDER BY min(movement_id);
SELECT id, stock FROM security.items;
SELECT count(*), sum(quantity) FROM security.orders;
SELECT count(*) FROM security_stock.movements;
SELECT who, count(*) FROM security.heard GROUP BY who;
SELECT (SELECT count(*) FROM items) + (SELECT count(*) FROM orders) + (SELECT count(*) FROM movements)
	+ (SELECT count(*) FROM requests) + (SELECT count(*) FROM store) + (SELECT count(*) FROM heard) AS in_temporary_tables;
DROP TABLE items, orders, movements, reservations, requests, levels, sellable, store, heard;

-- the guard on a table of a third party books nothing for the store
SET ROLE regress_security_clerk;
CREATE TABLE security_evil.items (id text PRIMARY KEY, stock integer);
CREATE TRIGGER inventory_guard AFTER INSERT ON security_evil.items FOR EACH ROW EXECUTE FUNCTION inventory.guard();
INSERT INTO security_evil.items VALUES ('a', 1);
CREATE TRIGGER inventory_binding AFTER UPDATE OF id, stock ON security_evil.items FOR EACH STATEMENT
	EXECUTE FUNCTION inventory.binding('security.items', 'item_id', 'stock');
UPDATE security_evil.items SET stock = 9;
-- a function that looks like one of the store is left alone
CREATE FUNCTION security_evil.buy_cart() RETURNS text LANGUAGE sql AS $$
	SELECT 'inventory.buy_cart(''security.items'', '
$$;
RESET ROLE;
SELECT inventory.refresh('security.items');
SELECT inventory.grant_api('security.items', 'regress_security_buyer', 'buyer');
SELECT inventory.detach('security.items');
SELECT security_evil.buy_cart();
SELECT count(*) FROM security_stock.movements;

DROP SCHEMA security, security_stock, security_evil CASCADE;
DROP ROLE regress_security_owner, regress_security_buyer, regress_security_operator, regress_security_clerk;
