-- Door: security of holds, refunds and housekeeping.  Whatever a caller's search_path,
-- temporary tables, operators and types hide, the functions that run as the owner
-- find their own; and what others may write is not run as the owner.
\set SHOW_CONTEXT never
\pset format unaligned
\pset tuples_only on
SET client_min_messages = warning;
CREATE ROLE regress_sholds_owner; CREATE ROLE regress_sholds_buyer; CREATE ROLE regress_sholds_operator; CREATE ROLE regress_sholds_guest;
CREATE SCHEMA security_holds AUTHORIZATION regress_sholds_owner;
CREATE SCHEMA security_holds_stock AUTHORIZATION regress_sholds_owner;
GRANT USAGE ON SCHEMA security_holds, security_holds_stock TO PUBLIC;
SET ROLE regress_sholds_owner;
CREATE TABLE security_holds.items (id text PRIMARY KEY, stock integer, version integer DEFAULT 0, stock_floor integer, purchase_limit integer,
	state text DEFAULT 'live');
CREATE TABLE security_holds.orders (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, user_id text NOT NULL, item_id text, quantity integer, note text);
INSERT INTO security_holds.items VALUES ('a', 100, 0, 0, 50), ('b', 100, 0, 0, NULL);
SELECT inventory.attach('security_holds.items', 'security_holds.orders', ledger_schema => 'security_holds_stock',
	sellable => 'state = ''live''', order_columns => '{note}');
SELECT inventory.grant_api('security_holds.items', 'regress_sholds_buyer', 'buyer');
SELECT inventory.grant_api('security_holds.items', 'regress_sholds_operator', 'operator');
RESET ROLE;

-- Everything that can be shadowed, in a schema of the attacker's: each spy leaves a trace of whom it ran as.
CREATE SCHEMA security_holds_evil;
GRANT ALL ON SCHEMA security_holds_evil TO PUBLIC;
CREATE TABLE security_holds_evil.trace (who name, what text);
GRANT ALL ON security_holds_evil.trace TO PUBLIC;
DO $$
DECLARE
	spy text := 'LANGUAGE plpgsql AS $f$BEGIN INSERT INTO security_holds_evil.trace VALUES (current_user, %L); RETURN %s; END$f$';
	t text;
	o record;
BEGIN
	FOREACH t IN ARRAY '{bigint,integer,text,uuid,interval,timestamptz}'::text[] LOOP
		FOR o IN SELECT * FROM unnest('{=,<>,>=,<=,<,>,+,-}'::text[]) WITH ORDINALITY AS u(name, n) LOOP
			EXECUTE format('CREATE FUNCTION security_holds_evil.spy_%s(%s, %s) RETURNS %s ' || spy, o.n, t, t,
				CASE WHEN o.n > 6 THEN t ELSE 'boolean' END, o.name, CASE WHEN o.n > 6 THEN '$1' ELSE 'true' END);
			EXECUTE format('CREATE OPERATOR security_holds_evil.%s (FUNCTION = security_holds_evil.spy_%s, LEFTARG = %s, RIGHTARG = %s)', o.name, o.n, t, t);
		END LOOP;
	END LOOP;
	EXECUTE format('CREATE FUNCTION security_holds_evil.gen_random_uuid() RETURNS uuid ' || spy, 'uuid', 'NULL');
	EXECUTE format('CREATE FUNCTION security_holds_evil.now() RETURNS timestamptz ' || spy, 'now', 'NULL');
	EXECUTE format('CREATE FUNCTION security_holds_evil.clock_timestamp() RETURNS timestamptz ' || spy, 'clock', 'NULL');
	EXECUTE format('CREATE FUNCTION security_holds_evil.unnest(anyarray) RETURNS SETOF anyelement ' || replace(spy, 'RETURN %s;', ''), 'unnest');
	EXECUTE format('CREATE FUNCTION security_holds_evil.reserve_stock(text, text, text, bigint, interval, text) RETURNS uuid ' || spy, 'reserve', 'NULL');
	EXECUTE format('CREATE AGGREGATE security_holds_evil.sum(bigint) (SFUNC = security_holds_evil.spy_7, STYPE = bigint, INITCOND = ''0'')');
	EXECUTE format('CREATE AGGREGATE security_holds_evil.sum(integer) (SFUNC = security_holds_evil.spy_7, STYPE = integer, INITCOND = ''0'')');
END
$$;
CREATE DOMAIN security_holds_evil.int8 AS text;
CREATE DOMAIN security_holds_evil.uuid AS pg_catalog.text;
CREATE DOMAIN security_holds_evil.timestamptz AS pg_catalog.text;
CREATE DOMAIN security_holds_evil.text AS pg_catalog.int4;
CREATE TYPE security_holds_evil.held_line AS (x integer);
CREATE FUNCTION hide() RETURNS void LANGUAGE plpgsql AS $$
DECLARE
	hidden name;
BEGIN
	FOREACH hidden IN ARRAY '{items,orders,movements,reservations,requests,levels,sellable,store}'::name[] LOOP
		EXECUTE format('CREATE TEMP TABLE %I (id pg_catalog.text, item_id pg_catalog.text, stock integer, quantity integer, state pg_catalog.text)', hidden);
		EXECUTE format('GRANT ALL ON %I TO PUBLIC', hidden);
	END LOOP;
	PERFORM pg_catalog.set_config('search_path', 'pg_temp, security_holds_evil, pg_catalog', false);
END
$$;
ALTER FUNCTION hide() SET SCHEMA security_holds_evil;
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
RESET search_path;

\echo '-- a third party''s trigger on what is written for holds and keys'
GRANT TRIGGER, SELECT ON security_holds_stock.reservations, security_holds_stock.requests, security_holds_stock.movements TO regress_sholds_guest;
SET ROLE regress_sholds_guest;
CREATE FUNCTION security_holds_evil.spy() RETURNS trigger LANGUAGE plpgsql AS
	'BEGIN INSERT INTO security_holds_evil.trace VALUES (current_user, TG_TABLE_NAME); RETURN NEW; END';
RESET ROLE;
CREATE FUNCTION attempt(call text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
	EXECUTE 'SELECT ' || call;
	RETURN 'ok';
EXCEPTION WHEN OTHERS THEN
	RETURN SQLSTATE;
END
$$;
CREATE FUNCTION with_spy(relation text, timing text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	answers text[] := '{}';
	round text;
BEGIN
	FOREACH round IN ARRAY '{spied on,alone}'::text[] LOOP
		IF round = 'spied on' THEN
			SET LOCAL ROLE regress_sholds_guest;
			EXECUTE format('CREATE TRIGGER spy %s ON security_holds_stock.%I FOR EACH ROW EXECUTE FUNCTION security_holds_evil.spy()', timing, relation);
		ELSE
			SET LOCAL ROLE regress_sholds_owner;
			EXECUTE format('DROP TRIGGER spy ON security_holds_stock.%I', relation);
		END IF;
		SET LOCAL ROLE regress_sholds_buyer;
		answers := answers || round || attempt('security_holds.release_reservation(security_holds.reserve_stock(''w'', ''a''))')
			|| attempt('security_holds.reserve_stock(''w'', ''a'', 1, NULL, ''spy ' || relation || ''')');
		SET LOCAL ROLE regress_sholds_operator;
		answers := answers || attempt('security_holds_stock.refund_order(3, 1)') || attempt('security_holds_stock.expire_reservations()');
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
DROP FUNCTION attempt, with_spy;
DROP ROLE regress_sholds_owner, regress_sholds_buyer, regress_sholds_operator, regress_sholds_guest;
