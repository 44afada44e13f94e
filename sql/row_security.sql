-- Tests of FORCE ROW LEVEL SECURITY: policies of the store's tables do not bind the engine,
-- and policies of other tables bind what the shop runs inside a call as if the owner had
-- written directly.
\pset format unaligned
\pset tuples_only on
CREATE ROLE regress_rls_owner; CREATE ROLE regress_rls_buyer;
CREATE SCHEMA row_security AUTHORIZATION regress_rls_owner;
CREATE SCHEMA row_security_stock AUTHORIZATION regress_rls_owner;
GRANT USAGE ON SCHEMA row_security TO regress_rls_buyer;
SET ROLE regress_rls_owner;
\set schema row_security
\getenv abs_srcdir PG_ABS_SRCDIR
\set include :abs_srcdir '/sql/include/shop.sql'
\i :include
-- rows of which the owner sees the first, and what sees more than that
CREATE TABLE secrets (id int, tenant text);
INSERT INTO secrets VALUES (1, 'ours'), (2, 'theirs');
ALTER TABLE secrets ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY ours ON secrets USING (tenant = 'ours');
CREATE FUNCTION secrets() RETURNS bigint LANGUAGE sql AS 'SELECT count(*) FROM row_security.secrets';
CREATE TABLE spied (spy text, rows bigint);
CREATE FUNCTION spy() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	INSERT INTO row_security.spied VALUES (format('%s %s %s', TG_WHEN, TG_OP, TG_TABLE_NAME), row_security.secrets());
	RETURN coalesce(NEW, OLD);
END
$$;
CREATE FUNCTION for_sale(item bigint) RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
	INSERT INTO row_security.spied VALUES ('sellable', row_security.secrets());
	RETURN true;
END
$$;
CREATE VIEW seen_by_spies AS SELECT string_agg(format('%s=%s', spy, rows), ', ' ORDER BY spy COLLATE "C") FROM (SELECT DISTINCT * FROM spied) AS s;

-- Triggers on every table, before and after, a default, a CHECK and the condition.
INSERT INTO items (id, stock) SELECT n, 100 FROM generate_series(1, 3) AS n;
ALTER TABLE orders ADD counted bigint DEFAULT secrets(), ADD CHECK (secrets() > 0 AND id > 0), ADD source text;
CREATE FUNCTION spies(tables regclass[]) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
	t regclass;
BEGIN
	FOREACH t IN ARRAY tables LOOP
		EXECUTE format('CREATE TRIGGER spy_before BEFORE INSERT OR UPDATE ON %s FOR EACH ROW EXECUTE FUNCTION row_security.spy()', t);
		EXECUTE format('CREATE TRIGGER spy_after AFTER INSERT OR UPDATE ON %s FOR EACH ROW EXECUTE FUNCTION row_security.spy()', t);
	END LOOP;
END
$$;
SELECT spies('{items,orders}');
SELECT inventory.attach('items', 'orders', ledger_schema => 'row_security_stock', sellable => 'row_security.for_sale(id)', order_columns => '{source}');
SELECT inventory.grant_api('items', 'regress_rls_buyer', 'buyer');
SELECT spies('{movements,reservations,requests}');
INSERT INTO seen SELECT max(movement_id), true FROM movements;

-- Call everything: what the spies have seen.
CREATE FUNCTION all_calls(key text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	hold uuid;
	placed bigint;
BEGIN
	DELETE FROM spied;
	placed := buy_item('u', 1, 1, key);
	ASSERT placed = buy_item('u', 1, 1, key), 'not replayed';
	PERFORM buy_item('u', 1, 1, NULL, '{"source": "web"}');
	PERFORM buy_cart('u', '[{"item_id": 1}, {"item_id": 2}]');
	hold := reserve_stock('u', 1, 2, '1 hour', key);
	ASSERT hold = reserve_stock('u', 1, 2, '1 hour', key), 'not replayed';
	PERFORM change_reservation(hold, 2, 2);
	PERFORM confirm_reservation(hold);
	PERFORM release_reservation(reserve_cart('u', '[{"item_id": 3}]'));
	PERFORM refund_order(placed), restock_item(1, 5), adjust_stock(1, -1, 'broken'), count_stock(3, 100), available_stock(1);
	RETURN (SELECT * FROM seen_by_spies);
END
$$;
SELECT all_calls('key 1');
SELECT look();
SELECT DISTINCT counted FROM orders;
-- as the owner who writes directly
DELETE FROM spied;
UPDATE items SET stock = stock + 1 WHERE id = 1;
INSERT INTO orders (item_id) VALUES (1) RETURNING counted;
SELECT * FROM seen_by_spies;

-- policies that hide every row of the store, forced while plans are kept
CREATE FUNCTION force_policies(what text) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
	t regclass;
BEGIN
	FOREACH t IN ARRAY '{items,orders,movements,reservations,requests,hot}'::regclass[] LOOP
		EXECUTE format('ALTER TABLE %s ENABLE ROW LEVEL SECURITY, %s ROW LEVEL SECURITY', t, what);
	END LOOP;
END
$$;
SELECT force_policies('FORCE');
SELECT count(*) FROM items;
CREATE FUNCTION see_items() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	INSERT INTO row_security.spied SELECT 'own items', count(*) FROM row_security.items;
	RETURN NEW;
END
$$;
CREATE TRIGGER see_items BEFORE INSERT ON orders FOR EACH ROW EXECUTE FUNCTION see_items();
SELECT all_calls('key 2');
-- plans are made again
ALTER TABLE items ADD more int; ALTER TABLE orders ADD more int;
SELECT all_calls('key 3');
CREATE OR REPLACE FUNCTION for_sale(item bigint) RETURNS boolean LANGUAGE sql STABLE AS 'SELECT row_security.secrets() = 1';
SELECT all_calls('key 4');
SELECT close_ledger(now()) > 0;
SELECT force_policies('NO FORCE');
DROP TRIGGER see_items ON orders;
SELECT count(*) FROM movements WHERE kind = 'carried';
SELECT look();
SELECT all_calls('key 5');

-- hot items
SELECT inventory.heat('items', 1), inventory.heat('items', 2);
SELECT all_calls('key 6');
SELECT force_policies('FORCE');
SELECT all_calls('key 7');
SELECT inventory.settle('items') > 0, inventory.cool('items');
SELECT force_policies('NO FORCE');
SELECT look();

-- a sub-select of the condition
SELECT inventory.detach('items');
SELECT inventory.attach('items', 'orders', ledger_schema => 'row_security_stock', sellable => 'id IN (SELECT s.id FROM row_security.secrets AS s)');
SELECT inventory.grant_api('items', 'regress_rls_buyer', 'buyer');
SELECT attempt('SELECT buy_item(''u'', 1)'), attempt('SELECT buy_item(''u'', 2)');

-- a buyer who turns row security off
RESET ROLE;
SET ROLE regress_rls_buyer;
SET row_security = off;
SELECT row_security.buy_item('u', 1) IS NOT NULL;
SELECT row_security.buy_item('u', 2);
SHOW row_security;
RESET row_security;
RESET ROLE;
SELECT DISTINCT counted FROM orders;
SELECT string_agg(DISTINCT format('%s=%s', spy, rows), ', ') FROM spied WHERE rows <> 1;
DROP SCHEMA row_security, row_security_stock CASCADE;
DROP ROLE regress_rls_owner, regress_rls_buyer;
