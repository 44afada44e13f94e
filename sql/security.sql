-- Door: security.  The generated functions run as the owner of the tables; nobody
-- gets more out of that than a purchase.
\set SHOW_CONTEXT never
\pset format unaligned
SET client_min_messages = warning;
CREATE ROLE regress_security_owner; CREATE ROLE regress_security_buyer; CREATE ROLE regress_security_operator;
CREATE ROLE regress_security_clerk;
CREATE SCHEMA security AUTHORIZATION regress_security_owner;
CREATE SCHEMA security_stock AUTHORIZATION regress_security_owner;
GRANT USAGE ON SCHEMA security TO PUBLIC;
SET ROLE regress_security_owner;
CREATE TABLE security.items (id text PRIMARY KEY, stock integer, version integer DEFAULT 0, stock_floor integer,
	purchase_limit integer, state text DEFAULT 'live');
CREATE TABLE security.orders (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, user_id text NOT NULL, item_id text,
	quantity integer, note text);
INSERT INTO security.items VALUES ('a', 100, 0, 0, 50);
SELECT inventory.attach('security.items', 'security.orders', ledger_schema => 'security_stock',
	sellable => 'state = ''live''', order_columns => '{note}');
SELECT inventory.grant_api('security.items', 'regress_security_buyer', 'buyer');
SELECT inventory.grant_api('security.items', 'regress_security_operator', 'operator');
GRANT SELECT, UPDATE ON security.items TO regress_security_clerk;
RESET ROLE;

-- Everything that can be shadowed, in a schema of the attacker's: each spy leaves
-- a trace of whom it ran as.
CREATE SCHEMA security_evil;
GRANT ALL ON SCHEMA security_evil TO PUBLIC;
CREATE TABLE security_evil.trace (who name, what text);
GRANT ALL ON security_evil.trace TO PUBLIC;
DO $$
DECLARE
	spy text := 'LANGUAGE plpgsql AS $f$BEGIN INSERT INTO security_evil.trace VALUES (current_user, %L); RETURN %s; END$f$';
	t text;
	o record;
BEGIN
	FOREACH t IN ARRAY '{bigint,integer,text,numeric}'::text[] LOOP
		FOR o IN SELECT * FROM unnest('{=,<>,>=,<=,<,>,+,-}'::text[]) WITH ORDINALITY AS u(name, n) LOOP
			EXECUTE format('CREATE FUNCTION security_evil.spy_%s(%s, %s) RETURNS %s ' || spy, o.n, t, t,
				CASE WHEN o.n > 6 THEN t ELSE 'boolean' END, o.name, CASE WHEN o.n > 6 THEN '$1' ELSE 'true' END);
			EXECUTE format('CREATE OPERATOR security_evil.%s (FUNCTION = security_evil.spy_%s, LEFTARG = %s, RIGHTARG = %s)',
				o.name, o.n, t, t);
		END LOOP;
	END LOOP;
	EXECUTE format('CREATE FUNCTION security_evil.unnest(anyarray) RETURNS SETOF anyelement ' || replace(spy, 'RETURN %s;', ''), 'unnest');
	EXECUTE format('CREATE FUNCTION security_evil.now() RETURNS timestamptz ' || spy, 'now', 'NULL');
	EXECUTE format('CREATE FUNCTION security_evil.jsonb_to_record(jsonb) RETURNS record ' || spy, 'record', 'NULL');
	EXECUTE format('CREATE FUNCTION security_evil.buy_item(text, text, text, bigint, text, jsonb, bigint) RETURNS bigint ' || spy, 'buy', '1');
	EXECUTE format('CREATE AGGREGATE security_evil.sum(bigint) (SFUNC = security_evil.spy_7, STYPE = bigint, INITCOND = ''0'')');
END
$$;
CREATE DOMAIN security_evil.int8 AS text;
CREATE DOMAIN security_evil.text AS pg_catalog.int4;
CREATE TYPE security_evil.line AS (x integer);
CREATE FUNCTION hide() RETURNS void LANGUAGE plpgsql AS $$
BEGIN
	CREATE TEMP TABLE items (id pg_catalog.text, stock integer);
	CREATE TEMP TABLE orders (id bigint);
	CREATE TEMP TABLE movements (item_id pg_catalog.text);
	CREATE TEMP TABLE requests (key pg_catalog.text);
	CREATE TEMP TABLE store (store_name pg_catalog.text);
	CREATE TEMP TABLE heard (item_id pg_catalog.text, who name);
	PERFORM pg_catalog.set_config('search_path', 'pg_temp, security_evil, pg_catalog', false);
END
$$;
ALTER FUNCTION hide() SET SCHEMA security_evil;
SELECT security_evil.hide();
GRANT ALL ON items, orders, movements, requests, store, heard TO PUBLIC;

-- the shop listens to its ledger, trusting its path
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
DROP TABLE items, orders, movements, requests, store, heard;

-- a third party's guard: it books for the store, with the store's rights, only what
-- the store's own table saw
SET ROLE regress_security_clerk;
CREATE TABLE security_evil.items (id text PRIMARY KEY, stock integer);
CREATE TRIGGER inventory_guard AFTER INSERT ON security_evil.items FOR EACH ROW EXECUTE FUNCTION inventory.guard();
INSERT INTO security_evil.items VALUES ('a', 1);
CREATE TRIGGER inventory_binding AFTER UPDATE OF id, stock ON security_evil.items FOR EACH STATEMENT
	EXECUTE FUNCTION inventory.binding('security.items', 'item_id', 'stock');
UPDATE security_evil.items SET stock = 9;
-- a function that looks like one of the store's
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
