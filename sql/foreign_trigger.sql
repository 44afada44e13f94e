-- Tests of triggers that a third party makes: the engine's writes fire triggers with the
-- rights of the owner of the tables, and a role with only TRIGGER must not gain them.
CREATE ROLE regress_trigger_owner; CREATE ROLE regress_trigger_guest; CREATE ROLE regress_trigger_buyer;
CREATE SCHEMA foreign_trigger AUTHORIZATION regress_trigger_owner;
CREATE SCHEMA foreign_trigger_stock AUTHORIZATION regress_trigger_owner;
CREATE SCHEMA foreign_trigger_guest AUTHORIZATION regress_trigger_guest;
GRANT USAGE ON SCHEMA foreign_trigger, foreign_trigger_stock, foreign_trigger_guest TO PUBLIC;
SET ROLE regress_trigger_owner;
\set schema foreign_trigger
\set plain on
\getenv abs_srcdir PG_ABS_SRCDIR
\set include :abs_srcdir '/sql/include/shop.sql'
\i :include
INSERT INTO items VALUES (1, 100);
SELECT inventory.attach('items', 'orders', ledger_schema => 'foreign_trigger_stock');
SELECT inventory.grant_api('items', 'regress_trigger_buyer', 'buyer');
GRANT TRIGGER ON items, orders, foreign_trigger_stock.movements TO regress_trigger_guest;
GRANT UPDATE, SELECT ON items TO regress_trigger_buyer;
RESET ROLE;

-- the guest's spy records the role it ran as
SET ROLE regress_trigger_guest;
CREATE TABLE foreign_trigger_guest.trace (who name);
GRANT INSERT ON foreign_trigger_guest.trace TO PUBLIC;
CREATE FUNCTION foreign_trigger_guest.spy() RETURNS trigger LANGUAGE plpgsql AS
	'BEGIN INSERT INTO foreign_trigger_guest.trace VALUES (current_user); RETURN NEW; END';
RESET ROLE;
-- what can be done while a table has a trigger with the guest's function, and afterwards
CREATE FUNCTION with_spy(relation text, timing text) RETURNS SETOF text LANGUAGE plpgsql AS $$
BEGIN
	SET LOCAL ROLE regress_trigger_owner;
	EXECUTE format('CREATE TRIGGER spy %s ON %s FOR EACH ROW EXECUTE FUNCTION foreign_trigger_guest.spy()', timing, relation);
	SET LOCAL ROLE regress_trigger_buyer;
	RETURN NEXT attempt('SELECT buy_item(''u'', 1)');
	RETURN NEXT attempt('UPDATE items SET stock = stock - 1');
	SET LOCAL ROLE regress_trigger_owner;
	RETURN NEXT attempt('SELECT foreign_trigger_stock.restock_item(1, 1)');
	EXECUTE format('DROP TRIGGER spy ON %s', relation);
	RETURN NEXT attempt('SELECT buy_item(''u'', 1)');
END
$$;
SELECT with_spy('items', 'BEFORE UPDATE');
SELECT with_spy('orders', 'AFTER INSERT');
SELECT with_spy('foreign_trigger_stock.movements', 'BEFORE INSERT');
RESET ROLE;
SELECT who, count(*) FROM foreign_trigger_guest.trace GROUP BY who;

-- the guest itself can create none on the tables of a store, whatever function it has: it could
-- pass its own code to it
SET ROLE regress_trigger_guest;
CREATE TRIGGER spy BEFORE INSERT ON orders FOR EACH ROW EXECUTE FUNCTION foreign_trigger_guest.spy();
CREATE TRIGGER spy AFTER INSERT ON foreign_trigger_stock.movements FOR EACH ROW EXECUTE FUNCTION suppress_redundant_updates_trigger();
\echo :SQLSTATE
-- nor does code of the guest run in the WHEN of a trigger: functions, domains, and rows with columns of a domain
CREATE FUNCTION foreign_trigger_guest.look(anyelement) RETURNS boolean LANGUAGE plpgsql AS
	'BEGIN INSERT INTO foreign_trigger_guest.trace VALUES (current_user); RETURN true; END';
CREATE DOMAIN foreign_trigger_guest.looked AS integer CHECK (foreign_trigger_guest.look(VALUE));
CREATE TYPE foreign_trigger_guest.row AS (looked foreign_trigger_guest.looked);
RESET ROLE;
SET ROLE regress_trigger_owner;
CREATE FUNCTION pass() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
CREATE FUNCTION with_when(condition text, tables text[] = '{items,orders,foreign_trigger_stock.movements}') RETURNS SETOF text LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
DECLARE
	relation text;
	event text;
BEGIN
	FOREACH relation IN ARRAY tables LOOP
		event := CASE WHEN relation = 'items' THEN 'UPDATE' ELSE 'INSERT' END;
		EXECUTE format('CREATE TRIGGER pass BEFORE %s ON %s FOR EACH ROW WHEN (%s) EXECUTE FUNCTION pass()', event, relation, condition);
		RETURN NEXT attempt('SELECT buy_item(''u'', 1)');
		EXECUTE format('DROP TRIGGER pass ON %s', relation);
	END LOOP;
END
$$;
SELECT with_when('NEW.item_id > 0 AND NEW IS DISTINCT FROM NULL AND NEW.*::text IS NOT NULL', '{orders}');
SELECT with_when('foreign_trigger_guest.look(NEW.*)');
SELECT with_when('1::foreign_trigger_guest.looked > 0', '{items}');
SELECT with_when('(''('' || NEW.item_id || '')'')::foreign_trigger_guest.row IS NOT NULL', '{orders}');
SELECT with_when('''{1}''::text[]::foreign_trigger_guest.looked[] IS NOT NULL', '{foreign_trigger_stock.movements}');
RESET ROLE;
SELECT who FROM foreign_trigger_guest.trace WHERE who = 'regress_trigger_owner' GROUP BY who;

-- the whole message, and each way to make the trigger harmless
SET ROLE regress_trigger_owner;
CREATE TRIGGER spy BEFORE INSERT ON orders FOR EACH ROW EXECUTE FUNCTION foreign_trigger_guest.spy();
SET ROLE regress_trigger_buyer;
SELECT buy_item('u', 1);
\echo :SQLSTATE
RESET ROLE;
-- SECURITY DEFINER is not enough: the guest could change the function back at any time
ALTER FUNCTION foreign_trigger_guest.spy() SECURITY DEFINER;
SELECT inventory.refresh('items');
SET ROLE regress_trigger_buyer;
SELECT buy_item('u', 1) > 0 AS bought;
RESET ROLE;
ALTER FUNCTION foreign_trigger_guest.spy() SECURITY INVOKER;
ALTER FUNCTION foreign_trigger_guest.spy() OWNER TO regress_trigger_owner;
SELECT inventory.refresh('items');
SET ROLE regress_trigger_buyer;
SELECT buy_item('u', 1) > 0 AS bought;
RESET ROLE;
ALTER FUNCTION foreign_trigger_guest.spy() OWNER TO regress_trigger_guest;
GRANT regress_trigger_owner TO regress_trigger_guest;
SELECT inventory.refresh('items');
SET ROLE regress_trigger_buyer;
SELECT buy_item('u', 1) > 0 AS bought;
RESET ROLE;
REVOKE regress_trigger_owner FROM regress_trigger_guest;
ALTER TABLE orders DISABLE TRIGGER spy;
SET ROLE regress_trigger_buyer;
SELECT buy_item('u', 1) > 0 AS bought;
RESET ROLE;
SELECT who, count(*) FROM foreign_trigger_guest.trace GROUP BY who ORDER BY who;
-- attach refuses it as well
SELECT inventory.detach('items');
ALTER TABLE orders ENABLE TRIGGER spy;
SELECT inventory.attach('items', 'orders', ledger_schema => 'foreign_trigger_stock');
\echo :SQLSTATE

-- who created a trigger before attach is not known: attach warns of those that could be the guest's
DROP TRIGGER spy ON orders;
CREATE FUNCTION run() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN EXECUTE TG_ARGV[0]; RETURN NEW; END';
ALTER FUNCTION run OWNER TO regress_trigger_owner;
SET ROLE regress_trigger_guest;
CREATE TRIGGER asks BEFORE INSERT ON orders FOR EACH ROW WHEN (query_to_xml('SELECT foreign_trigger_guest.look(1)', true, true, '') IS NULL) EXECUTE FUNCTION pass();
CREATE TRIGGER runs BEFORE UPDATE ON items FOR EACH ROW EXECUTE FUNCTION run('SELECT foreign_trigger_guest.look(1)');
CREATE TRIGGER names_columns BEFORE UPDATE ON items FOR EACH ROW EXECUTE FUNCTION run('id', 'stock');
CREATE TRIGGER has_neither BEFORE UPDATE ON items FOR EACH ROW EXECUTE FUNCTION pass();
RESET ROLE;
SELECT inventory.attach('items', 'orders', ledger_schema => 'foreign_trigger_stock');
SELECT inventory.detach('items');
SELECT inventory.attach('items', ledger_schema => 'foreign_trigger_stock');
SELECT inventory.attach('items', 'orders', ledger_schema => 'foreign_trigger_stock');
SELECT inventory.detach('items');
REVOKE TRIGGER ON items, orders FROM regress_trigger_guest;
SELECT inventory.attach('items', 'orders', ledger_schema => 'foreign_trigger_stock');

DROP SCHEMA foreign_trigger, foreign_trigger_stock, foreign_trigger_guest CASCADE;
DROP ROLE regress_trigger_owner, regress_trigger_guest, regress_trigger_buyer;
