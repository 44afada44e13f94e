-- Door: a trigger of a third party.  What the engine writes fires triggers as the
-- owner of the tables; who was only granted TRIGGER does not become the owner by it.
\set SHOW_CONTEXT never
SET client_min_messages = warning;
CREATE ROLE regress_trigger_owner; CREATE ROLE regress_trigger_guest; CREATE ROLE regress_trigger_buyer;
CREATE SCHEMA foreign_trigger AUTHORIZATION regress_trigger_owner;
CREATE SCHEMA foreign_trigger_stock AUTHORIZATION regress_trigger_owner;
CREATE SCHEMA foreign_trigger_guest AUTHORIZATION regress_trigger_guest;
GRANT USAGE ON SCHEMA foreign_trigger, foreign_trigger_stock, foreign_trigger_guest TO PUBLIC;
SET ROLE regress_trigger_owner;
SET search_path = foreign_trigger;
CREATE TABLE items (id bigint PRIMARY KEY, stock integer);
CREATE TABLE orders (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, item_id bigint, quantity integer, user_id text);
INSERT INTO items VALUES (1, 100);
SELECT inventory.attach('items', 'orders', ledger_schema => 'foreign_trigger_stock');
SELECT inventory.grant_api('items', 'regress_trigger_buyer', 'buyer');
GRANT TRIGGER ON items, orders, foreign_trigger_stock.movements TO regress_trigger_guest;
GRANT UPDATE, SELECT ON items TO regress_trigger_buyer;
RESET ROLE;

-- the guest's spy tells whom it ran as
SET ROLE regress_trigger_guest;
CREATE TABLE foreign_trigger_guest.trace (who name);
GRANT INSERT ON foreign_trigger_guest.trace TO PUBLIC;
CREATE FUNCTION foreign_trigger_guest.spy() RETURNS trigger LANGUAGE plpgsql AS
	'BEGIN INSERT INTO foreign_trigger_guest.trace VALUES (current_user); RETURN NEW; END';
RESET ROLE;
CREATE FUNCTION attempt(call text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
	EXECUTE call;
	RETURN 'ok';
EXCEPTION WHEN OTHERS THEN
	RETURN SQLSTATE || ' ' || SQLERRM;
END
$$;
-- a trigger of the guest's on a table, and what then can be done
CREATE FUNCTION with_spy(relation text, timing text) RETURNS SETOF text LANGUAGE plpgsql AS $$
BEGIN
	SET LOCAL ROLE regress_trigger_guest;
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

-- the whole message; what makes it good
SET ROLE regress_trigger_guest;
CREATE TRIGGER spy BEFORE INSERT ON orders FOR EACH ROW EXECUTE FUNCTION foreign_trigger_guest.spy();
SET ROLE regress_trigger_buyer;
SELECT buy_item('u', 1);
\echo :SQLSTATE
RESET ROLE;
-- its definer could make it run as its caller at any time
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
-- attach sees it as well
SELECT inventory.detach('items');
ALTER TABLE orders ENABLE TRIGGER spy;
SELECT inventory.attach('items', 'orders', ledger_schema => 'foreign_trigger_stock');
\echo :SQLSTATE

DROP SCHEMA foreign_trigger, foreign_trigger_stock, foreign_trigger_guest CASCADE;
DROP ROLE regress_trigger_owner, regress_trigger_guest, regress_trigger_buyer;
