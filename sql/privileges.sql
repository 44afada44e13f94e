-- Tests of privileges: buyers and operators can call their own functions and nothing else,
-- and need no right on any table.
\set SHOW_CONTEXT never
\pset format unaligned
SET client_min_messages = warning;
CREATE ROLE regress_privileges_owner; CREATE ROLE regress_privileges_buyer; CREATE ROLE regress_privileges_operator;
CREATE ROLE regress_privileges_stranger; CREATE ROLE regress_privileges_clerk; CREATE ROLE regress_privileges_heir;
CREATE SCHEMA privileges AUTHORIZATION regress_privileges_owner;
SELECT current_database() AS db \gset
GRANT CREATE ON DATABASE :"db" TO regress_privileges_owner;
-- Run a statement as the current role: "ok", or the error.
CREATE FUNCTION privileges.attempt(call text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
	EXECUTE call;
	RETURN 'ok';
EXCEPTION WHEN OTHERS THEN
	RETURN SQLSTATE || ' ' || SQLERRM;
END
$$;
GRANT USAGE ON SCHEMA privileges TO PUBLIC;

-- an ordinary owner, in a database whose default privileges grant everything
SET ROLE regress_privileges_owner;
SET search_path = privileges;
ALTER DEFAULT PRIVILEGES GRANT ALL ON TABLES TO PUBLIC, regress_privileges_stranger;
ALTER DEFAULT PRIVILEGES GRANT ALL ON SEQUENCES TO PUBLIC, regress_privileges_stranger;
ALTER DEFAULT PRIVILEGES GRANT ALL ON FUNCTIONS TO regress_privileges_stranger WITH GRANT OPTION;
ALTER DEFAULT PRIVILEGES GRANT ALL ON TYPES TO regress_privileges_stranger;
ALTER DEFAULT PRIVILEGES GRANT ALL ON SCHEMAS TO PUBLIC, regress_privileges_stranger;
CREATE TABLE items (id bigint PRIMARY KEY, stock integer, live boolean);
CREATE TABLE orders (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, user_id text, item_id bigint, quantity integer);
REVOKE ALL ON items, orders FROM PUBLIC, regress_privileges_stranger;
INSERT INTO items VALUES (1, 100, true);
SELECT inventory.attach('items', 'orders', ledger_schema => 'privileges_stock', sellable => 'live');
SELECT inventory.create_store('privileges_made', 'bigint', 'bigint');
RESET ROLE;

-- only the owner has rights on what was made
CREATE VIEW made AS
	SELECT 'relation' AS kind, relname AS name, relowner AS owner, relacl AS acl FROM pg_class
	WHERE relnamespace IN ('privileges_stock'::regnamespace, 'privileges_made'::regnamespace) AND relkind IN ('r', 'v', 'S')
	UNION ALL
	SELECT 'function', proname, proowner, proacl FROM pg_proc
	WHERE pronamespace IN ('privileges_stock'::regnamespace, 'privileges_made'::regnamespace, 'privileges'::regnamespace)
	AND proname <> 'attempt'
	UNION ALL
	SELECT 'type', typname, typowner, typacl FROM pg_type
	WHERE typnamespace IN ('privileges_stock'::regnamespace, 'privileges_made'::regnamespace) AND typtype = 'c'
	AND typrelid IN (SELECT oid FROM pg_class WHERE relkind = 'c')
	UNION ALL
	SELECT 'schema', nspname, nspowner, nspacl FROM pg_namespace WHERE nspname IN ('privileges_stock', 'privileges_made');
SELECT kind, count(*) > 1 AS found, bool_and(owner = 'regress_privileges_owner'::regrole) AS the_owners,
	bool_or(acl IS NULL AND kind IN ('function', 'type')) AS left_to_public
FROM made GROUP BY kind ORDER BY kind;
SELECT m.kind, m.name, a.grantee::regrole, a.privilege_type FROM made AS m, aclexplode(m.acl) AS a
	WHERE a.grantee <> m.owner;

-- so another role can do nothing
SET ROLE regress_privileges_stranger;
SET search_path = privileges, privileges_stock;
SELECT call, attempt(call) FROM (VALUES
	($$SELECT privileges.buy_item('x', 1)$$), ($$SELECT privileges.available_stock(1)$$),
	($$SELECT privileges_stock.restock_item(1, 1)$$), ($$SELECT * FROM privileges_stock.movements$$),
	($$SELECT * FROM privileges.items$$),
	($$SELECT inventory.attach('privileges.orders')$$)
) AS v(call);
-- nor with any function of the extension that works on a store
CREATE TEMP TABLE tried AS
	SELECT p.proname, attempt(format('SELECT inventory.%I(%s)', p.proname, (
		SELECT string_agg(CASE WHEN n = 1 THEN '''privileges.items''' WHEN t = '"any"'::regtype THEN 'NULL::text'
			WHEN t = 'anyelement'::regtype THEN 'NULL::inventory.store_binding' ELSE 'NULL::' || t::regtype END, ', ' ORDER BY n)
		FROM unnest(p.proargtypes) WITH ORDINALITY AS u(t, n))))
	FROM pg_proc AS p WHERE p.pronamespace = 'inventory'::regnamespace AND p.provolatile <> 'i'
	AND p.proargnames[1] IN ('store_name', 'items') AND p.proname NOT IN ('reserve_part', 'finish_part');
SELECT count(*) > 20 AS many FROM tried;
SELECT * FROM tried WHERE attempt NOT LIKE '42501 %';
DROP TABLE tried;
-- these return their errors
SELECT inventory.reserve_part('privileges.items', '{1}', '{"[]"}', '{null}', gen_random_uuid(), 'x'::text, true) AS reserves,
	inventory.finish_part('privileges.items', '{1}', '{null}', gen_random_uuid(), true) AS finishes;

-- nor add itself to the catalog, nor remove others from it
SELECT call, attempt(call) FROM (VALUES
	($$UPDATE inventory.store SET direct_writes = 'record' WHERE store_name = 'privileges.items'$$),
	($$UPDATE inventory.store SET user_claim = NULL$$),
	($$DELETE FROM inventory.store WHERE store_name = 'privileges.items'$$),
	($$TRUNCATE inventory.store$$),
	($$INSERT INTO inventory.store (store_name, items, movements, direct_writes, has_sellable, api_schema, argument_prefix, max_ttl)
		SELECT 'mine', 'privileges.orders', 'privileges.items', 'record', false, 'public', '', '1 day'$$),
	($$INSERT INTO inventory.store (store_name, items, movements, direct_writes, has_sellable, api_schema, argument_prefix, max_ttl)
		SELECT 'taken.name', 4294967295::oid, 4294967294::oid, 'record', false, 'public', '', '1 day'$$)
) AS v(call);
RESET ROLE;

-- each role gets its part of the functions; the other part and the tables stay closed
SET ROLE regress_privileges_owner;
SELECT inventory.grant_api('items', 'regress_privileges_buyer', 'buyer');
SELECT inventory.grant_api('items', 'regress_privileges_operator', 'operator');
SELECT args, attempt(format('SELECT inventory.grant_api(%s)', args)) FROM (VALUES
	($$'items', 'regress_privileges_buyer', 'seller'$$), ($$'items', 'regress_privileges_nobody', 'buyer'$$),
	($$'items', NULL, 'buyer'$$), ($$'items', 'regress_privileges_buyer', NULL$$), ($$'orders', 'regress_privileges_buyer', 'buyer'$$)
) AS v(args);
RESET ROLE;
CREATE VIEW calls AS SELECT * FROM (VALUES
	(1, $$SELECT privileges.buy_item('x', 1)$$), (2, $$SELECT privileges.buy_cart('x', '[{"item_id": 1}, {"item_id": 1}]')$$),
	(3, $$SELECT privileges.try_buy_cart('x', '[{"item_id": 1}]')$$), (4, $$SELECT privileges.available_stock(1)$$),
	(5, $$SELECT privileges_stock.restock_item(1, 5)$$), (6, $$SELECT privileges_stock.adjust_stock(1, -1, 'x')$$),
	(7, $$SELECT privileges_stock.count_stock(1, 50)$$), (8, $$SELECT * FROM privileges_stock.movements$$),
	(9, $$UPDATE privileges.items SET stock = 9$$), (10, $$INSERT INTO privileges.orders (item_id) VALUES (1)$$),
	(11, $$SELECT inventory.buy_item('privileges.items', 'x'::text, 1, 1, NULL, NULL, NULL::bigint)$$),
	(12, $$SELECT privileges.try_buy_item('x', 1)$$)
) AS v(n, call);
GRANT SELECT ON calls TO PUBLIC;
SET ROLE regress_privileges_buyer;
SELECT n, attempt(call) AS buyer FROM calls ORDER BY n;
SET ROLE regress_privileges_operator;
SELECT n, attempt(call) AS operator FROM calls ORDER BY n;
RESET ROLE;
SELECT kind, sum(delta) AS delta, actor FROM privileges_stock.movements GROUP BY kind, actor ORDER BY min(movement_id);

-- the guard books the writes of a role that has no right but to write items
GRANT SELECT, UPDATE, INSERT, DELETE ON privileges.items TO regress_privileges_clerk;
SET ROLE regress_privileges_clerk;
UPDATE items SET stock = stock - 2 WHERE id = 1;
INSERT INTO items VALUES (2, 7, true), (3, 1, true);
DELETE FROM items WHERE id = 3;
SELECT attempt($$SELECT inventory.restock_item('privileges.items', 1, 1, NULL, NULL, NULL::integer)$$);
RESET ROLE;
SELECT item_id, delta, kind, actor FROM privileges_stock.movements WHERE actor = 'regress_privileges_clerk' ORDER BY movement_id;

-- a member of the owner can do what the owner can; row security, even if forced, does not
-- hide the stock from the functions
GRANT regress_privileges_owner TO regress_privileges_heir;
ALTER TABLE items ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
ALTER TABLE orders ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
SET ROLE regress_privileges_heir;
SELECT inventory.buy_item('privileges.items', 'x'::text, 2, 1, NULL, NULL, NULL::bigint) > 0 AS bought;
SELECT * FROM inventory.verify('items');
SELECT inventory.grant_api('items', 'public', 'buyer');
SET ROLE regress_privileges_stranger;
SELECT privileges.buy_item('x', 1) > 0 AS bought;
SELECT privileges.available_stock(1);
SELECT * FROM buy_cart('x', '[{"item_id": 2, "quantity": 2}, {"item_id": 1, "quantity": 99}]');
RESET ROLE;
UPDATE items SET stock = stock + 1 WHERE id = 2;
SELECT * FROM inventory.verify('items');

-- a new owner has to call refresh; grants stay
ALTER TABLE items OWNER TO regress_privileges_heir;
ALTER TABLE orders OWNER TO regress_privileges_heir;
SET ROLE regress_privileges_buyer;
SELECT attempt('SELECT privileges.buy_item(''x'', 1)');
RESET ROLE;
SELECT inventory.refresh('items');
SET ROLE regress_privileges_buyer;
SELECT privileges.buy_item('x', 1) > 0 AS bought;
SET ROLE regress_privileges_operator;
SELECT privileges_stock.restock_item(1, 1) > 0 AS restocked;
RESET ROLE;
SELECT DISTINCT tableowner FROM pg_tables WHERE schemaname IN ('privileges', 'privileges_stock');
SELECT * FROM inventory.verify('items');

RESET search_path;
DROP SCHEMA privileges, privileges_stock, privileges_made CASCADE;
DROP OWNED BY regress_privileges_owner;
DROP OWNED BY regress_privileges_heir, regress_privileges_buyer, regress_privileges_operator, regress_privileges_stranger, regress_privileges_clerk;
DROP ROLE regress_privileges_owner, regress_privileges_buyer, regress_privileges_operator, regress_privileges_stranger, regress_privileges_clerk, regress_privileges_heir;
