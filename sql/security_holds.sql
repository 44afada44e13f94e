-- Tests of the security of holds, refunds and housekeeping: functions that run as the owner
-- are not misled by a caller's search_path, temporary tables, operators and types, and do
-- not run code of others with the rights of the owner.
\pset format unaligned
\pset tuples_only on
CREATE ROLE regress_sholds_owner; CREATE ROLE regress_sholds_buyer; CREATE ROLE regress_sholds_operator; CREATE ROLE regress_sholds_guest;
CREATE SCHEMA security_holds AUTHORIZATION regress_sholds_owner;
CREATE SCHEMA security_holds_stock AUTHORIZATION regress_sholds_owner;
GRANT USAGE ON SCHEMA security_holds, security_holds_stock TO PUBLIC;
SET ROLE regress_sholds_owner;
\set schema security_holds
\set item_type text
\set limits on
\getenv abs_srcdir PG_ABS_SRCDIR
\set include :abs_srcdir '/sql/include/shop.sql'
\i :include
ALTER TABLE items ADD state text DEFAULT 'live';
ALTER TABLE orders ALTER user_id SET NOT NULL;
INSERT INTO items (id, stock, stock_floor, purchase_limit) VALUES ('a', 100, 0, 50), ('b', 100, 0, NULL);
SELECT inventory.attach('security_holds.items', 'security_holds.orders', ledger_schema => 'security_holds_stock',
	sellable => 'state = ''live''', order_columns => '{note}');
SELECT inventory.grant_api('security_holds.items', 'regress_sholds_buyer', 'buyer');
SELECT inventory.grant_api('security_holds.items', 'regress_sholds_operator', 'operator');
RESET ROLE;

-- all that a caller can hide
\set evil security_holds_evil
\set include :abs_srcdir '/sql/include/spies.sql'
\i :include
SELECT security_holds_evil.hide();
-- the spies work
SELECT 'a'::pg_catalog.text = 'b'::pg_catalog.text, gen_random_uuid() IS NULL;
SELECT count(*) OPERATOR(pg_catalog.>) 1 FROM security_holds_evil.trace;
TRUNCATE security_holds_evil.trace;

\echo '-- every function'
SET ROLE regress_sholds_buyer;
SELECT security_holds.reserve_stock('u', 'a', 2, '10 min', 'k') AS one \gset
SELECT security_holds.reserve_cart('u', '[{"item_id": "a"}, {"item_id": "b", "quantity": 3}]', NULL, 'k') AS two \gset
SELECT status FROM security_holds.try_reserve_cart('u', '[{"item_id": "a", "quantity": 99}]');
SELECT security_holds.change_reservation(:'two', 'b', 5) IS NOT NULL, security_holds.extend_reservation(:'two', '1 h', 'u') IS NOT NULL;
SELECT status, quantity FROM security_holds.get_reservation(:'two');
SELECT status, quantity, order_id FROM security_holds.confirm_reservation(:'two', 'u', '[{"item_id": "a", "note": "x"}]');
SELECT security_holds.release_reservation(:'one', 'u');
SELECT security_holds.available_stock('b');
SELECT security_holds.reserve_stock('v', 'b', 95, '1 microsecond') IS NOT NULL;
SELECT security_holds.buy_item('u', 'b', 90);
SET ROLE regress_sholds_operator;
SELECT security_holds_stock.refund_order(1), security_holds_stock.refund_order(2, 4, false, 'broken', 'k');
SELECT security_holds_stock.expire_reservations(), security_holds_stock.prune('1 day'), security_holds_stock.close_ledger('2000-01-01');
SET ROLE regress_sholds_owner;
SELECT * FROM inventory.verify('security_holds.items');
SELECT (l).* FROM (SELECT l FROM security_holds_stock.levels AS l ORDER BY l.available) AS s;
RESET ROLE;
SELECT who, what, pg_catalog.count(*) FROM security_holds_evil.trace GROUP BY who, what ORDER BY 1, 2;
SELECT (SELECT count(*) FROM reservations) OPERATOR(pg_catalog.+) (SELECT count(*) FROM movements) OPERATOR(pg_catalog.+) (SELECT count(*) FROM orders)
	OPERATOR(pg_catalog.+) (SELECT count(*) FROM items) OPERATOR(pg_catalog.+) (SELECT count(*) FROM requests);
DROP TABLE items, orders, movements, reservations, requests, levels, sellable, store;
SET search_path = security_holds, security_holds_stock;

\echo '-- a trigger of a third party on the tables that are written for holds and keys'
GRANT TRIGGER, SELECT ON security_holds_stock.reservations, security_holds_stock.requests, security_holds_stock.movements TO regress_sholds_guest;
SET ROLE regress_sholds_guest;
CREATE FUNCTION security_holds_evil.spy() RETURNS trigger LANGUAGE plpgsql AS
	'BEGIN INSERT INTO security_holds_evil.trace VALUES (current_user, TG_TABLE_NAME); RETURN NEW; END';
RESET ROLE;
-- what can be done while a table has a trigger with the guest's function, and afterwards
CREATE FUNCTION with_spy(relation text, timing text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	answers text[] := '{}';
	round text;
BEGIN
	FOREACH round IN ARRAY '{spied on,alone}'::text[] LOOP
		IF round = 'spied on' THEN
			SET LOCAL ROLE regress_sholds_owner;
			EXECUTE format('CREATE TRIGGER spy %s ON security_holds_stock.%I FOR EACH ROW EXECUTE FUNCTION security_holds_evil.spy()', timing, relation);
		ELSE
			SET LOCAL ROLE regress_sholds_owner;
			EXECUTE format('DROP TRIGGER spy ON security_holds_stock.%I', relation);
		END IF;
		SET LOCAL ROLE regress_sholds_buyer;
		answers := answers || round || left(attempt('SELECT security_holds.release_reservation(security_holds.reserve_stock(''w'', ''a''))'), 5)
			|| left(attempt('SELECT security_holds.reserve_stock(''w'', ''a'', 1, NULL, ''spy ' || relation || ''')'), 5);
		SET LOCAL ROLE regress_sholds_operator;
		answers := answers || left(attempt('SELECT security_holds_stock.refund_order(3, 1)'), 5)
			|| left(attempt('SELECT security_holds_stock.expire_reservations()'), 5);
	END LOOP;
	RETURN relation || ': ' || array_to_string(answers, ' ');
END
$$;
SELECT with_spy('reservations', 'BEFORE INSERT OR UPDATE');
SELECT with_spy('movements', 'AFTER INSERT');
SELECT with_spy('requests', 'BEFORE INSERT');
RESET ROLE;
SELECT who, what FROM security_holds_evil.trace;
SET ROLE regress_sholds_owner;
SELECT * FROM inventory.verify('security_holds.items');
RESET ROLE;
\pset tuples_only off
DROP SCHEMA security_holds, security_holds_stock, security_holds_evil CASCADE;
DROP ROLE regress_sholds_owner, regress_sholds_buyer, regress_sholds_operator, regress_sholds_guest;
