-- Tests that a store is bound by the triggers that attach made, and by no others: a role that may
-- create triggers on its tables cannot bind other columns, nor have changes of stock booked twice.
CREATE ROLE regress_binding_owner; CREATE ROLE regress_binding_third;
CREATE SCHEMA binding_trigger AUTHORIZATION regress_binding_owner;
CREATE SCHEMA binding_trigger_stock AUTHORIZATION regress_binding_owner;
CREATE SCHEMA binding_trigger_third AUTHORIZATION regress_binding_third;
GRANT USAGE ON SCHEMA binding_trigger, binding_trigger_stock TO regress_binding_third;
SET ROLE regress_binding_owner;
\set schema binding_trigger
\set plain on
\pset format unaligned
\pset tuples_only on
\getenv abs_srcdir PG_ABS_SRCDIR
\set include :abs_srcdir '/sql/include/shop.sql'
\i :include
ALTER TABLE items ADD views integer NOT NULL DEFAULT 1000000;
ALTER TABLE orders ADD paid boolean NOT NULL DEFAULT false;
INSERT INTO items VALUES (1, 1), (2, 100);
SELECT inventory.attach('items', 'orders', ledger_schema => 'binding_trigger_stock');
INSERT INTO seen SELECT max(movement_id), true FROM movements;
SELECT inventory.grant_api('items', 'regress_binding_third', 'buyer');
GRANT TRIGGER ON items, orders, movements TO regress_binding_third;
GRANT SELECT, UPDATE ON items TO regress_binding_third;
RESET ROLE;
SELECT tgname AS orders_binding FROM pg_trigger WHERE tgrelid = 'orders'::regclass AND tgfoid = 'inventory.binding()'::regprocedure \gset

-- Triggers that the third party would like to have: a name and a definition.
CREATE TABLE wishes (n integer GENERATED ALWAYS AS IDENTITY, name text, definition text);
GRANT SELECT ON wishes TO PUBLIC;
INSERT INTO wishes (name, definition) VALUES
	('zz', $$AFTER UPDATE OF id, views ON items FOR EACH STATEMENT EXECUTE FUNCTION inventory.binding('binding_trigger.items', 'item_id', 'stock')$$),
	('aa', $$AFTER UPDATE OF id, views ON items FOR EACH STATEMENT EXECUTE FUNCTION inventory.binding('binding_trigger.items', 'item_id', 'stock')$$),
	('inventory_binding', $$AFTER UPDATE OF id, views ON items FOR EACH STATEMENT EXECUTE FUNCTION inventory.binding('binding_trigger.items', 'item_id', 'stock')$$),
	('zz', $$AFTER UPDATE OF id, item_id, quantity, user_id, paid ON orders FOR EACH STATEMENT
		EXECUTE FUNCTION inventory.binding('binding_trigger.items', 'order_id', 'order_item_id', 'order_quantity', 'order_user_id', '+')$$),
	(:'orders_binding', $$AFTER UPDATE OF id, item_id, quantity, user_id, paid ON orders FOR EACH STATEMENT
		EXECUTE FUNCTION inventory.binding('binding_trigger.items', 'order_id', 'order_item_id', 'order_quantity', 'order_user_id', '+')$$),
	('zz', 'AFTER INSERT OR UPDATE OR DELETE ON items FOR EACH ROW EXECUTE FUNCTION inventory.guard()'),
	('aa', 'AFTER UPDATE ON items FOR EACH ROW EXECUTE FUNCTION inventory.guard()'),
	('inventory_guard', 'AFTER DELETE ON items FOR EACH ROW EXECUTE FUNCTION inventory.guard()'),
	('inventory_guard', 'BEFORE UPDATE ON items FOR EACH ROW EXECUTE FUNCTION suppress_redundant_updates_trigger()'),
	('inventory_guard_truncate', 'BEFORE TRUNCATE ON items FOR EACH STATEMENT EXECUTE FUNCTION suppress_redundant_updates_trigger()'),
	('zz', 'AFTER INSERT ON orders FOR EACH ROW EXECUTE FUNCTION inventory.guard()'),
	('zz', 'AFTER INSERT ON movements FOR EACH ROW EXECUTE FUNCTION inventory.guard()'),
	('zz', 'BEFORE INSERT ON movements FOR EACH ROW EXECUTE FUNCTION inventory.store_changed()');
-- What becomes of them, and of the calls and writes that follow.  With a new name they can be dropped again.
CREATE FUNCTION grant_wishes(role name) RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE
	w wishes;
	answer text;
	command text;
BEGIN
	FOR w IN SELECT * FROM wishes WHERE role = 'regress_binding_third' OR name IN ('zz', 'aa') ORDER BY n LOOP
		EXECUTE format('SET LOCAL ROLE %I', role);
		answer := attempt(format('CREATE OR REPLACE TRIGGER %I %s', w.name, w.definition));
		RETURN NEXT concat_ws(' ', w.n, regexp_replace(w.definition, 'EACH (ROW|STATEMENT).*', ''), w.name, answer);
		SET LOCAL ROLE regress_binding_third;
		FOREACH command IN ARRAY ARRAY['SELECT buy_item(''eve'', 1, 500)', 'SELECT buy_item(''eve'', 2, 1, NULL, ''{"paid": true}'')',
				'SELECT buy_item(''eve'', 2)', 'UPDATE items SET stock = stock - 1 WHERE id = 2'] LOOP
			RETURN NEXT '      ' || attempt(command);
		END LOOP;
		SET LOCAL ROLE regress_binding_owner;
		IF role <> 'regress_binding_third' THEN
			EXECUTE format('DROP TRIGGER IF EXISTS %I ON %s', w.name, substring(w.definition FROM ' ON (\w+) '));
		END IF;
		RETURN NEXT '      ' || look();
	END LOOP;
	RESET ROLE;
END
$$;

\echo '-- with the privilege TRIGGER alone: refused, and the shop sells on'
SELECT grant_wishes('regress_binding_third');
SELECT count(*) FILTER (WHERE paid), max(quantity) FROM orders;
\echo '-- a superuser, or the owner, is not kept from creating them, but the next call is refused'
SELECT grant_wishes(current_user);
SELECT count(*) FILTER (WHERE paid), max(quantity) FROM orders;

\echo '-- the message says which trigger to drop'
CREATE TRIGGER zz AFTER UPDATE OF id, views ON items FOR EACH STATEMENT EXECUTE FUNCTION inventory.binding('binding_trigger.items', 'item_id', 'stock');
SELECT buy_item('eve', 2);
SELECT inventory.refresh('items');
DROP TRIGGER zz ON items;
CREATE TRIGGER "A guard" AFTER UPDATE ON items FOR EACH ROW EXECUTE FUNCTION inventory.guard();
UPDATE items SET stock = stock - 1 WHERE id = 2;
\echo '-- refresh drops it'
SELECT inventory.refresh('items');
UPDATE items SET stock = stock - 1 WHERE id = 2;
SELECT look();

\echo '-- elsewhere the functions do nothing, and only an owner can use them'
CREATE TABLE binding_trigger_third.own (id bigint PRIMARY KEY, stock integer);
ALTER TABLE binding_trigger_third.own OWNER TO regress_binding_third;
SET ROLE regress_binding_third;
CREATE TRIGGER zz AFTER INSERT ON binding_trigger_third.own FOR EACH ROW EXECUTE FUNCTION inventory.guard();
INSERT INTO binding_trigger_third.own VALUES (1, 1);
RESET ROLE;

\echo '-- the roles of items are found on items only'
SELECT 'DROP TRIGGER ' || quote_ident(:'orders_binding') || ' ON orders' \gexec
CREATE TRIGGER mixed AFTER UPDATE OF id, item_id, quantity ON orders FOR EACH STATEMENT
	EXECUTE FUNCTION inventory.binding('binding_trigger.items', 'order_id', 'order_item_id', 'stock');
SELECT buy_item('eve', 2, 5);
SELECT look();
SELECT inventory.refresh('items');

\echo '-- the owner renames the triggers: the store is the same, and refresh names them again'
SET ROLE regress_binding_owner;
ALTER TRIGGER inventory_binding ON items RENAME TO "b 1";
SELECT format('ALTER TRIGGER %I ON orders RENAME TO "b 2"', tgname) FROM pg_trigger
	WHERE tgrelid = 'orders'::regclass AND tgfoid = 'inventory.binding()'::regprocedure \gexec
ALTER TRIGGER inventory_guard ON items RENAME TO "g 1";
ALTER TRIGGER inventory_guard_truncate ON items RENAME TO "g 2";
SELECT buy_item('eve', 2);
UPDATE items SET stock = stock - 1 WHERE id = 2;
SELECT look();
-- a role that may create triggers cannot replace these either
SET ROLE regress_binding_third;
CREATE OR REPLACE TRIGGER "b 1" AFTER UPDATE OF id, views ON items FOR EACH STATEMENT
	EXECUTE FUNCTION inventory.binding('binding_trigger.items', 'item_id', 'stock');
CREATE OR REPLACE TRIGGER "b 2" AFTER UPDATE OF id ON orders FOR EACH STATEMENT EXECUTE FUNCTION suppress_redundant_updates_trigger();
CREATE OR REPLACE TRIGGER "g 1" BEFORE UPDATE ON items FOR EACH ROW EXECUTE FUNCTION suppress_redundant_updates_trigger();
-- nor create others
CREATE TRIGGER harmless BEFORE UPDATE ON items FOR EACH ROW EXECUTE FUNCTION suppress_redundant_updates_trigger();
SELECT buy_item('eve', 2);
SET ROLE regress_binding_owner;
SELECT inventory.refresh('items');
SELECT tgname FROM pg_trigger WHERE tgrelid IN ('items'::regclass, 'orders'::regclass) AND tgfoid IN
	('inventory.binding()'::regprocedure, 'inventory.guard()'::regprocedure, 'inventory.guard_truncate()'::regprocedure) ORDER BY 1;

\echo '-- triggers that were there before attach'
SELECT inventory.detach('items');
CREATE TRIGGER early AFTER INSERT OR UPDATE OR DELETE ON items FOR EACH ROW EXECUTE FUNCTION inventory.guard();
CREATE TRIGGER early_binding AFTER UPDATE OF id, views ON items FOR EACH STATEMENT EXECUTE FUNCTION inventory.binding('binding_trigger.items', 'item_id', 'stock');
CREATE TRIGGER early_binding AFTER UPDATE OF paid ON orders FOR EACH STATEMENT EXECUTE FUNCTION inventory.binding('binding_trigger.items', '+');
CREATE TRIGGER other AFTER UPDATE OF paid ON orders FOR EACH STATEMENT EXECUTE FUNCTION inventory.binding('binding_trigger.item', '+');
SELECT inventory.attach('items', 'orders', ledger_schema => 'binding_trigger_stock');
SELECT buy_item('eve', 2, 2);
UPDATE items SET stock = stock - 1 WHERE id = 2;
SELECT look();
SELECT tgname FROM pg_trigger WHERE tgrelid IN ('items'::regclass, 'orders'::regclass) AND NOT tgisinternal ORDER BY 1;
RESET ROLE;
DROP SCHEMA binding_trigger, binding_trigger_stock, binding_trigger_third CASCADE;
DROP OWNED BY regress_binding_owner, regress_binding_third;
DROP ROLE regress_binding_owner, regress_binding_third;
