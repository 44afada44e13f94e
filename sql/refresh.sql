-- Tests of refresh: functions, result types and the view that are up to date stay the same
-- objects, with their grants and dependent objects; only the others are made again.
\set SHOW_CONTEXT never
SET client_min_messages = warning;
CREATE ROLE regress_refresh_owner;
CREATE ROLE regress_refresh_heir;
CREATE ROLE regress_refresh_buyer;
CREATE ROLE regress_refresh_clerk;
CREATE SCHEMA refresh AUTHORIZATION regress_refresh_owner;
GRANT USAGE ON SCHEMA refresh TO regress_refresh_buyer, regress_refresh_clerk;
CREATE SCHEMA refresh_books AUTHORIZATION regress_refresh_owner;
SET search_path = refresh;
SET ROLE regress_refresh_owner;
CREATE TABLE items (id integer PRIMARY KEY, stock integer);
CREATE TABLE orders (id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY, item_id integer NOT NULL, quantity integer);
INSERT INTO items VALUES (1, 100), (2, NULL);
SELECT inventory.attach('items', 'orders', ledger_schema => 'refresh_books');

-- grants by the owner, and by a role that was granted them
SELECT inventory.grant_api('items', 'regress_refresh_buyer', 'buyer');
SELECT inventory.grant_api('items', 'regress_refresh_clerk', 'operator');
GRANT EXECUTE ON FUNCTION buy_item TO regress_refresh_buyer WITH GRANT OPTION;
GRANT SELECT ON refresh_books.levels TO regress_refresh_clerk;
GRANT SELECT (item_id, available) ON refresh_books.levels TO regress_refresh_buyer;
SET ROLE regress_refresh_buyer;
GRANT EXECUTE ON FUNCTION refresh.buy_item TO regress_refresh_clerk;
SET ROLE regress_refresh_owner;
-- objects of the shop that depend on them
CREATE VIEW report AS SELECT item_id, available FROM refresh_books.levels WHERE available < 1000;
CREATE VIEW now AS SELECT id, available_stock(id) AS available FROM items;
CREATE FUNCTION bought(refresh_books.line) RETURNS boolean LANGUAGE sql AS $$ SELECT $1.status = 'ok' $$;
RESET ROLE;

CREATE VIEW made AS
	SELECT 'function' AS kind, n.nspname || '.' || o.proname AS name, o.oid, o.proowner::regrole AS owner,
		   o.proacl::text AS granted, obj_description(o.oid, 'pg_proc') AS comment
	FROM pg_proc AS o JOIN pg_namespace AS n ON n.oid = o.pronamespace
	WHERE o.prosrc LIKE '% refresh.items' OR o.prosrc LIKE '%inventory.%(''refresh.items'',%'
	UNION ALL
	SELECT 'type', c.relname, c.reltype, c.relowner::regrole, t.typacl::text, obj_description(t.oid, 'pg_type')
	FROM pg_class AS c JOIN pg_type AS t ON t.oid = c.reltype
	WHERE c.relkind = 'c' AND c.relnamespace = 'refresh_books'::regnamespace
	UNION ALL
	SELECT 'view', c.relname, c.oid, c.relowner::regrole,
		   concat_ws(' ', c.relacl::text, (SELECT string_agg(a.attname || a.attacl::text, ' ' ORDER BY a.attnum)
										   FROM pg_attribute AS a WHERE a.attrelid = c.oid)),
		   obj_description(c.oid, 'pg_class')
	FROM pg_class AS c WHERE c.relkind = 'v' AND c.relnamespace = 'refresh_books'::regnamespace;
CREATE TABLE before AS TABLE made;
SELECT kind, count(*), count(comment) AS described FROM before GROUP BY kind ORDER BY kind;

-- nothing to change
SET ROLE regress_refresh_owner;
SELECT inventory.refresh('items');
RESET ROLE;
(TABLE before EXCEPT TABLE made) UNION ALL (TABLE made EXCEPT TABLE before);
-- after renames all stay the same objects; the search_path of the functions and the view
-- follow; a function that the shop edited is restored, and one of an earlier version replaced
ALTER TABLE items RENAME stock TO units;
ALTER TABLE items RENAME id TO key;
ALTER TABLE items RENAME TO things;
CREATE OR REPLACE FUNCTION available_stock(item_id integer) RETURNS integer LANGUAGE sql
	AS $$ SELECT 7; -- inventory.available_stock('refresh.items',
	$$;
COMMENT ON FUNCTION available_stock IS 'edited';
CREATE OR REPLACE FUNCTION refresh_books.prune(older_than interval) RETURNS bigint LANGUAGE plpgsql SECURITY DEFINER
	SET search_path = pg_catalog, refresh, pg_temp
	AS $$ BEGIN RETURN inventory.prune('refresh.items', prune.older_than); END $$;
SELECT refresh_books.prune('1 day');
SELECT available_stock(1);
SELECT inventory.refresh('things');
(TABLE before EXCEPT TABLE made) UNION ALL (TABLE made EXCEPT TABLE before);
SELECT * FROM report;
SELECT * FROM now ORDER BY id;
SELECT bought(line), line FROM buy_cart('ann', '[{"item_id": 1}]') AS line;
ALTER SCHEMA refresh RENAME TO refresh_moved;
SET search_path = refresh_moved;
SELECT inventory.refresh('things');
SELECT kind, name, oid FROM before WHERE kind <> 'function' EXCEPT SELECT kind, name, oid FROM made;
SELECT count(*) FROM before AS b JOIN made AS m USING (kind, oid, granted);
SELECT l.lanname, o.proconfig, count(*) FROM pg_proc AS o JOIN pg_language AS l ON l.oid = o.prolang
	WHERE o.oid IN (SELECT oid FROM made) GROUP BY l.lanname, o.proconfig;
ALTER SCHEMA refresh_moved RENAME TO refresh;
SET search_path = refresh;
SELECT inventory.refresh('things');
(TABLE before EXCEPT TABLE made) UNION ALL (TABLE made EXCEPT TABLE before);

-- only what is missing, in another schema, or different is made again
DROP FUNCTION get_reservation;
ALTER FUNCTION refresh_books.prune SET SCHEMA refresh;
DROP FUNCTION refresh_books.expire_reservations;
CREATE FUNCTION refresh_books.expire_reservations(rows integer = 1000) RETURNS bigint LANGUAGE sql
	AS $$ SELECT 0::bigint; -- inventory.expire_reservations('refresh.items',
	$$;
ALTER FUNCTION refresh_books.expire_reservations OWNER TO regress_refresh_owner;
DROP FUNCTION refresh_books.close_ledger;
CREATE FUNCTION refresh_books.close_ledger(before timestamptz = NULL) RETURNS bigint LANGUAGE sql
	AS $$ SELECT 0::bigint; -- inventory.close_ledger('refresh.items',
	$$;
ALTER FUNCTION refresh_books.close_ledger OWNER TO regress_refresh_owner;
REVOKE ALL ON FUNCTION prune FROM regress_refresh_clerk;
-- a function and a type that were restored without privileges
SELECT pg_get_functiondef('release_reservation'::regproc) AS definition \gset
DROP FUNCTION release_reservation;
:definition;
ALTER FUNCTION release_reservation OWNER TO regress_refresh_owner;
UPDATE pg_type SET typacl = NULL WHERE oid = 'refresh_books.hold'::regtype;
SELECT has_function_privilege('regress_refresh_clerk', 'release_reservation(uuid, text)', 'EXECUTE') AS open,
	   has_type_privilege('regress_refresh_clerk', 'refresh_books.hold', 'USAGE') AS type_open;
SELECT inventory.refresh('things');
SELECT has_function_privilege('regress_refresh_clerk', 'release_reservation(uuid, text)', 'EXECUTE') AS open,
	   has_type_privilege('regress_refresh_clerk', 'refresh_books.hold', 'USAGE') AS type_open;
SELECT m.kind, m.name, pg_get_function_arguments(m.oid) AS arguments FROM made AS m
WHERE NOT EXISTS (SELECT FROM before AS b WHERE b.oid = m.oid) ORDER BY m.name;
SELECT kind, name FROM before EXCEPT SELECT kind, name FROM made;

-- users of another type: the functions with a user change, and their grants do not
TRUNCATE before;
INSERT INTO before TABLE made;
DROP VIEW refresh_books.open_reservations;
ALTER TABLE refresh_books.movements ALTER user_id TYPE bigint USING NULL;
ALTER TABLE refresh_books.reservations ALTER user_id TYPE bigint USING NULL;
ALTER TABLE refresh_books.requests ALTER user_id TYPE bigint USING NULL;
ALTER TABLE refresh_books.order_changes ALTER user_before TYPE bigint USING NULL, ALTER user_after TYPE bigint USING NULL;
SELECT inventory.refresh('things');
SELECT m.name, pg_get_function_arguments(m.oid) AS arguments FROM made AS m
WHERE NOT EXISTS (SELECT FROM before AS b WHERE b.oid = m.oid) ORDER BY m.name;
SELECT count(*) AS functions FROM made WHERE kind = 'function';
SELECT name, granted FROM made WHERE name IN ('refresh.buy_item', 'refresh.reserve_stock') ORDER BY name;
SET ROLE regress_refresh_buyer;
SELECT status, available FROM refresh.buy_cart(5, '[{"item_id": 1}]');
RESET ROLE;

-- a result type is replaced with its functions, unless an object of the shop depends on it
TRUNCATE before;
INSERT INTO before TABLE made;
BEGIN;
ALTER TYPE refresh_books.line DROP ATTRIBUTE replayed;
\set VERBOSITY terse
SAVEPOINT s;
SELECT inventory.refresh('things');
ROLLBACK TO s;
\set VERBOSITY default
DROP FUNCTION bought;
SELECT inventory.refresh('things');
SELECT m.kind, m.name FROM made AS m
WHERE NOT EXISTS (SELECT FROM before AS b WHERE b.oid = m.oid) ORDER BY 1, 2;
SELECT kind, name, owner, granted, comment FROM before EXCEPT SELECT kind, name, owner, granted, comment FROM made;
SELECT status, available, replayed FROM buy_cart(5, '[{"item_id": 1}]');
ROLLBACK;
-- and so is the view
ALTER VIEW refresh_books.levels RENAME COLUMN hot TO cold;
\set VERBOSITY terse
SELECT inventory.refresh('things');
\set VERBOSITY default
DROP VIEW report;
SELECT inventory.refresh('things');
SELECT m.kind, m.name, m.owner, m.granted LIKE '%,regress_refresh_clerk=r/regress_refresh_owner}' AS kept FROM made AS m
WHERE NOT EXISTS (SELECT FROM before AS b WHERE b.oid = m.oid);
SET ROLE regress_refresh_clerk;
SELECT * FROM refresh_books.levels ORDER BY item_id;
RESET ROLE;

-- after a change of the owner they are the same objects and belong to the new owner
TRUNCATE before;
INSERT INTO before TABLE made;
ALTER SCHEMA refresh OWNER TO regress_refresh_heir;
ALTER TABLE things OWNER TO regress_refresh_heir;
ALTER TABLE orders OWNER TO regress_refresh_heir;
SELECT inventory.refresh('things');
SELECT kind, name, oid FROM before EXCEPT SELECT kind, name, oid FROM made;
SELECT owner, count(*) FROM made GROUP BY owner;
SELECT kind, name FROM before AS b JOIN made AS m USING (kind, name)
WHERE m.granted <> replace(b.granted, 'regress_refresh_owner', 'regress_refresh_heir');
SELECT count(*) AS not_the_heirs FROM pg_class
WHERE relnamespace = 'refresh_books'::regnamespace AND relowner <> 'regress_refresh_heir'::regrole;
SET ROLE regress_refresh_buyer;
SELECT status, available FROM refresh.buy_cart(5, '[{"item_id": 1}]');
SET ROLE regress_refresh_heir;
SELECT inventory.refresh('things');
SELECT * FROM inventory.verify('things');

\echo '-- a binding with a type that no column has: the error of the server for it would be an internal one'
RESET ROLE;
CREATE TABLE named (id text PRIMARY KEY, stock integer);
CREATE SCHEMA named;
SELECT inventory.attach('named', api_schema => 'named');
SELECT inventory.make_levels(jsonb_populate_record(inventory.read_binding(s), '{"item_type": "unknown"}'::jsonb))
FROM inventory.store AS s WHERE s.items = 'named'::regclass;
RESET search_path;
DROP SCHEMA refresh, refresh_books, named, named_stock CASCADE;
DROP ROLE regress_refresh_owner, regress_refresh_heir, regress_refresh_buyer, regress_refresh_clerk;
