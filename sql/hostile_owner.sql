-- Tests of a superuser who reads, verifies, refreshes, detaches and drops the stores of an owner
-- that is not to be trusted: no code of that owner runs with other rights than the owner's, at
-- once or at commit, nothing of other roles changes hands, and no store stops another one.
\set SHOW_CONTEXT never
\set VERBOSITY terse
\pset format unaligned
\pset tuples_only on
SET client_min_messages = warning;
CREATE ROLE regress_hostile_mallory; CREATE ROLE regress_hostile_victim; CREATE ROLE regress_hostile_web;
CREATE SCHEMA hostile AUTHORIZATION regress_hostile_mallory;
CREATE SCHEMA hostile_books AUTHORIZATION regress_hostile_mallory;
CREATE SCHEMA hostile_victim AUTHORIZATION regress_hostile_victim;
CREATE SCHEMA hostile_more AUTHORIZATION regress_hostile_mallory;
CREATE SCHEMA hostile_private AUTHORIZATION regress_hostile_victim;
CREATE SCHEMA hostile_common;
GRANT USAGE, CREATE ON SCHEMA hostile_common TO regress_hostile_mallory, regress_hostile_victim;
-- Run a statement: "ok", or the error.
CREATE FUNCTION attempt(call text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
	EXECUTE call;
	RETURN 'ok';
EXCEPTION WHEN OTHERS THEN
	RETURN SQLSTATE;
END
$$;
-- whose rights the code of the owner had, other than the owner's
CREATE TABLE hostile.bites (who name, place text);
GRANT INSERT ON hostile.bites TO PUBLIC;
GRANT USAGE ON SCHEMA hostile TO PUBLIC;
ALTER TABLE hostile.bites OWNER TO regress_hostile_mallory;

SET ROLE regress_hostile_mallory;
CREATE TABLE hostile.items (id integer PRIMARY KEY, stock integer);
CREATE TABLE hostile.orders (id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY, item_id integer, quantity integer);
INSERT INTO hostile.items VALUES (1, 10), (2, 10);
SELECT inventory.attach('hostile.items', 'hostile.orders', ledger_schema => 'hostile_books');
CREATE FUNCTION hostile.bite() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	IF current_user <> 'regress_hostile_mallory' THEN
		INSERT INTO hostile.bites VALUES (current_user, TG_ARGV[0]);
	END IF;
	RETURN NULL;
END
$$;
CREATE TABLE hostile.mine (i integer);
CREATE CONSTRAINT TRIGGER later AFTER INSERT ON hostile.mine DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION hostile.bite('deferred');
-- bites at once, and at commit, and leaves a setting; or only raises an error
CREATE FUNCTION hostile.bait(place text) RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
	IF current_user <> 'regress_hostile_mallory' THEN
		INSERT INTO hostile.bites VALUES (current_user, place);
	END IF;
	PERFORM set_config('search_path', 'hostile', false);
	INSERT INTO hostile.mine VALUES (1);
	RETURN true;
END
$$;
CREATE FUNCTION hostile.fail() RETURNS boolean LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'stopped by the owner'; END $$;
-- put a view, which calls a function, where a table of the ledger was
CREATE FUNCTION hostile.swap(name text, call text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
	EXECUTE format('ALTER TABLE hostile_books.%I RENAME TO %I', name, name || '_table');
	EXECUTE format('CREATE VIEW hostile_books.%I AS SELECT * FROM hostile_books.%I WHERE %s', name, name || '_table', call);
END
$$;
CREATE FUNCTION hostile.swap_back(name text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
	EXECUTE format('DROP VIEW hostile_books.%I', name);
	EXECUTE format('ALTER TABLE hostile_books.%I RENAME TO %I', name || '_table', name);
END
$$;
SELECT hostile_books.restock_item(1, 1);
-- another store, which is intact
SET ROLE regress_hostile_victim;
CREATE TABLE hostile_victim.items (id integer PRIMARY KEY, stock integer);
INSERT INTO hostile_victim.items VALUES (1, 5);
SELECT inventory.attach('hostile_victim.items', ledger_schema => 'hostile_victim');
RESET ROLE;
CREATE VIEW verified AS SELECT s.store_name, v.item_id, v.problem FROM inventory.store AS s
	CROSS JOIN LATERAL inventory.verify(s.items) AS v WHERE s.store_name LIKE 'hostile%' ORDER BY 1, 2, 3;
TABLE verified;

\echo '-- the tables of the ledger are views that call functions'
SELECT count(*) FROM unnest('{reservations,hot,movements}'::text[]) AS name, hostile.swap(name, format('hostile.bait(%L)', name));
SELECT DISTINCT store_name FROM inventory.stats WHERE store_name LIKE 'hostile%' ORDER BY 1;
SELECT coalesce(inventory.overdue_holds('hostile.items'), 0), count(*) FROM inventory.hot_entries();
TABLE verified;
SHOW search_path;
TABLE hostile.bites;
\echo '-- they raise errors'
SELECT count(*) FROM unnest('{reservations,hot,movements}'::text[]) AS name, hostile.swap_back(name), hostile.swap(name, 'hostile.fail()');
SELECT DISTINCT store_name FROM inventory.stats WHERE store_name LIKE 'hostile%' ORDER BY 1;
TABLE verified;
\echo '-- the extension is dropped; no item is hot'
BEGIN;
DROP EXTENSION inventory CASCADE;
ROLLBACK;
BEGIN;
DROP SCHEMA inventory CASCADE;
ROLLBACK;
SELECT count(*) FROM unnest('{reservations,hot,movements}'::text[]) AS name, hostile.swap_back(name);
TABLE verified;
\echo '-- a table is gone, has a rule, another owner, another type; a table is dropped behind the extension'
BEGIN;
DROP TABLE hostile_books.reservations CASCADE;
TABLE verified;
ROLLBACK;
BEGIN;
CREATE RULE r AS ON INSERT TO hostile_books.reservations DO ALSO SELECT hostile.bait('rule');
TABLE verified;
ROLLBACK;
BEGIN;
ALTER TABLE hostile_books.hot OWNER TO regress_hostile_victim;
TABLE verified;
ROLLBACK;
BEGIN;
ALTER TABLE hostile.orders OWNER TO regress_hostile_victim;
TABLE verified;
ROLLBACK;
BEGIN;
ALTER TABLE hostile_books.movements RENAME delta TO difference;
TABLE verified;
ROLLBACK;
BEGIN;
INSERT INTO inventory.store SELECT 'hostile.nothing', 4294967295::oid, NULL, 4294967294::oid, NULL, 'record', false, '1 day', 'nowhere', '';
TABLE verified;
SELECT DISTINCT store_name FROM inventory.stats WHERE store_name LIKE 'hostile%' ORDER BY 1;
DROP EXTENSION inventory CASCADE;
ROLLBACK;
\echo '-- errors of the caller stay errors'
SELECT * FROM inventory.verify('hostile.items', 'x'::text); \echo :LAST_ERROR_SQLSTATE
SELECT * FROM inventory.verify('hostile.orders'); \echo :LAST_ERROR_SQLSTATE
SET ROLE regress_hostile_victim;
SELECT * FROM inventory.verify('hostile.items'); \echo :LAST_ERROR_SQLSTATE
RESET ROLE;

\echo '-- functions of the engine, called by a superuser: what the owner leaves for the commit is refused'
SET ROLE regress_hostile_mallory;
CREATE CONSTRAINT TRIGGER later AFTER INSERT ON hostile.orders DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION hostile.bite('order');
CREATE FUNCTION hostile.leave() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	PERFORM set_config('search_path', 'hostile', false);
	RETURN NULL;
END
$$;
CREATE TRIGGER leave AFTER INSERT ON hostile_books.movements FOR EACH ROW EXECUTE FUNCTION hostile.leave();
RESET ROLE;
SELECT inventory.buy_item('hostile.items', 'x'::text, 1, 1, NULL, NULL, NULL::integer); \echo :LAST_ERROR_SQLSTATE
SELECT inventory.restock_item('hostile.items', 1, 1, NULL, NULL, NULL::integer);
SHOW search_path;
SET ROLE regress_hostile_mallory;
SELECT inventory.buy_item('hostile.items', 'x'::text, 1, 1, NULL, NULL, NULL::integer);
DROP TRIGGER later ON hostile.orders;
DROP TRIGGER leave ON hostile_books.movements;
RESET ROLE;
RESET search_path;
TABLE hostile.bites;

\echo '-- the ledger is moved to a schema where another role has tables and types of the same names'
SET ROLE regress_hostile_victim;
CREATE TABLE hostile_common.requests AS SELECT 'secret' AS body;
CREATE TABLE hostile_common.hot (item_id integer, number bigint, hot boolean, settled_epoch bigint, incarnation bigint, keep_cold boolean);
CREATE TYPE hostile_common.line AS (status text, item_id integer, quantity integer, order_id integer, available integer, replayed boolean);
CREATE VIEW hostile_common.levels AS SELECT * FROM hostile_victim.levels;
RESET ROLE;
CREATE VIEW others AS
	SELECT c.relname AS name, pg_get_userbyid(c.relowner) AS owner FROM pg_class AS c WHERE c.relnamespace = 'hostile_common'::regnamespace AND c.relkind IN ('r', 'v', 'c') AND pg_get_userbyid(c.relowner) <> 'regress_hostile_mallory'
	UNION ALL SELECT n.nspname, pg_get_userbyid(n.nspowner) FROM pg_namespace AS n WHERE n.nspname = 'hostile_common' ORDER BY 1;
BEGIN;
SET LOCAL ROLE regress_hostile_mallory;
ALTER TABLE hostile_books.movements SET SCHEMA hostile_common;
ALTER TABLE hostile_books.reservations SET SCHEMA hostile_common;
RESET ROLE;
TABLE others;
SELECT attempt($$SELECT inventory.refresh('hostile.items')$$);
TABLE others;
SELECT inventory.detach('hostile.items');
TABLE others;
ROLLBACK;
\echo '-- and has another owner there: only the store goes to the owner of its items'
BEGIN;
ALTER TABLE hostile_books.movements SET SCHEMA hostile_common;
ALTER TABLE hostile_common.movements OWNER TO regress_hostile_victim;
SELECT attempt($$SELECT inventory.refresh('hostile.items')$$);
SELECT inventory.detach('hostile.items');
TABLE others;
SELECT relowner::regrole FROM pg_class WHERE oid = 'hostile_common.movements'::regclass;
ROLLBACK;

\echo '-- a schema in which the owner may not create gets no functions'
BEGIN;
UPDATE inventory.store SET api_schema = 'hostile_private' WHERE store_name = 'hostile.items';
DROP FUNCTION hostile.buy_item, hostile.buy_cart, hostile.try_buy_item, hostile.try_buy_cart, hostile.available_stock, hostile.reserve_stock, hostile.reserve_cart,
	hostile.try_reserve_cart, hostile.change_reservation, hostile.extend_reservation, hostile.confirm_reservation, hostile.release_reservation, hostile.get_reservation, hostile.my_reservations, hostile.available_stocks;
SELECT inventory.refresh('hostile.items'); \echo :LAST_ERROR_SQLSTATE
ROLLBACK;
SET ROLE regress_hostile_mallory;
CREATE TABLE hostile.more (id integer PRIMARY KEY, stock integer);
RESET ROLE;
SELECT inventory.attach('hostile.more', api_schema => 'hostile_private', ledger_schema => 'hostile_more'); \echo :LAST_ERROR_SQLSTATE
SELECT inventory.attach('hostile.more'); \echo :LAST_ERROR_SQLSTATE
\echo '-- attached by a superuser, all of it is the owner''s, and the owner''s code runs as the owner'
SET ROLE regress_hostile_mallory;
SELECT inventory.detach('hostile.items');
CREATE FUNCTION hostile.spy() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM hostile.bait('attach'); RETURN NULL; END $$;
CREATE TRIGGER spy AFTER INSERT ON hostile_books.movements FOR EACH ROW EXECUTE FUNCTION hostile.spy();
UPDATE hostile.items SET stock = stock + 1;
RESET ROLE;
SELECT inventory.attach('hostile.items', 'hostile.orders', ledger_schema => 'hostile_books'); \echo :LAST_ERROR_SQLSTATE
SET ROLE regress_hostile_mallory;
DROP TRIGGER spy ON hostile_books.movements;
RESET ROLE;
SELECT inventory.attach('hostile.items', 'hostile.orders', ledger_schema => 'hostile_books');
SELECT DISTINCT o FROM (SELECT relowner::regrole AS o FROM pg_class WHERE relnamespace = 'hostile_books'::regnamespace
	UNION ALL SELECT proowner::regrole FROM pg_proc WHERE pronamespace IN ('hostile'::regnamespace, 'hostile_books'::regnamespace)) AS owners;
TABLE verified;
\echo '-- grant_api grants no more than the owner can'
SET ROLE regress_hostile_mallory;
SELECT inventory.detach('hostile.items');
SELECT inventory.attach('hostile.items', 'hostile.orders', ledger_schema => 'hostile_books', api_schema => 'hostile_common');
RESET ROLE;
SELECT inventory.grant_api('hostile.items', 'regress_hostile_web', 'buyer'); \echo :LAST_ERROR_SQLSTATE
SELECT has_schema_privilege('regress_hostile_web', 'hostile_common', 'USAGE');
SELECT inventory.grant_api('hostile.items', 'regress_hostile_web', 'operator');
SELECT has_schema_privilege('regress_hostile_web', 'hostile_books', 'USAGE');

\echo '-- no code of the owner had other rights'
TABLE hostile.bites;
\pset tuples_only off
DROP VIEW verified, others;
DROP FUNCTION attempt;
DROP OWNED BY regress_hostile_mallory, regress_hostile_victim, regress_hostile_web CASCADE;
DROP SCHEMA hostile_common CASCADE;
DROP ROLE regress_hostile_mallory, regress_hostile_victim, regress_hostile_web;
SELECT count(*) AS stores FROM inventory.store WHERE store_name LIKE 'hostile%';
