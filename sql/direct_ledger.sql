-- Tests of rows of the ledger that are found without a statement: on each layout of the tables a
-- call answers as with inventory.direct_access off.
\set VERBOSITY terse
\pset format unaligned
\pset tuples_only on
CREATE ROLE direct_ledger_owner;
GRANT SET ON PARAMETER inventory.direct_access TO direct_ledger_owner;
CREATE SCHEMA direct_ledger AUTHORIZATION direct_ledger_owner;
CREATE SCHEMA direct_ledger_stock AUTHORIZATION direct_ledger_owner;
SET ROLE direct_ledger_owner;
\set schema direct_ledger
\getenv abs_srcdir PG_ABS_SRCDIR
\set include :abs_srcdir '/sql/include/shop.sql'
\i :include
INSERT INTO items (id, stock) VALUES (1, 1000), (2, 1000);
SELECT inventory.attach('items', 'orders', ledger_schema => 'direct_ledger_stock');

-- What a program answers, or its error, in a transaction of its own that is rolled back.
CREATE FUNCTION answer(program text, access text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	report text;
BEGIN
	PERFORM pg_catalog.set_config('inventory.direct_access', access, true);
	BEGIN
		EXECUTE program INTO report;
		RAISE EXCEPTION USING ERRCODE = 'ZZ000';
	EXCEPTION WHEN SQLSTATE 'ZZ000' THEN
		RETURN report;
	WHEN OTHERS THEN
		RETURN SQLSTATE || ' ' || SQLERRM;
	END;
END
$$;
-- The same with statements and without, and whether the answers are the same.
CREATE FUNCTION answers(program text) RETURNS text LANGUAGE sql VOLATILE AS $$
	SELECT CASE WHEN a.direct IS NOT DISTINCT FROM a.by_statement THEN a.direct
		   ELSE format('DIFFERENT: %s, %s by a statement', a.direct, a.by_statement) END
	FROM (SELECT answer(program, 'on') AS direct, answer(program, 'off') AS by_statement) AS a
$$;
-- For each user: is a call the first with the key, a retry, and what is one with other arguments?
CREATE FUNCTION keys() RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	who text;
	report text := '';
BEGIN
	FOREACH who IN ARRAY ARRAY['ada', NULL, 'bob', 'Ada', ''] LOOP
		report := report || concat_ws(' ', who, (try_buy_item(who, 1, 1, 'k')).replayed, (try_buy_item(who, 1, 1, 'k')).replayed,
			(try_buy_item(who, 1, 1, 'K')).replayed, (buy_item(who, 1, 1, 'k') = buy_item(who, 1, 1, 'k')) || '; ');
	END LOOP;
	PERFORM buy_item('ada', 1, 2, 'k');
	RETURN report;
EXCEPTION WHEN SQLSTATE 'IV009' THEN
	RETURN report || SQLERRM;
END
$$;

\echo '-- idempotency keys'
SELECT answers('SELECT keys()');
-- a key of the statement that makes the call, and one that was kept and removed
SELECT answers($$WITH kept AS (INSERT INTO requests SELECT 'buy_item', 'ada', 'k', '', '1', now() RETURNING 1) SELECT buy_item('ada', 1, 1, 'k') FROM kept$$);
SELECT answers($$WITH kept AS (SELECT buy_item('ada', 1, 1, 'k') AS id), gone AS (DELETE FROM requests RETURNING 1) SELECT count(*) FROM kept$$);

\echo '-- without the index, with one on other columns, with a partial one, with one of another order'
ALTER TABLE requests DROP CONSTRAINT requests_key_operation_user_id_key;
SELECT answers('SELECT keys()');
CREATE UNIQUE INDEX other ON requests (key, user_id, operation) NULLS NOT DISTINCT;
SELECT answers('SELECT keys()');
DROP INDEX other;
CREATE UNIQUE INDEX other ON requests (key, operation, user_id) NULLS NOT DISTINCT WHERE user_id <> 'ada';
SELECT answers('SELECT keys()');
DROP INDEX other;
CREATE INDEX other ON requests (key COLLATE "C" text_pattern_ops, operation, user_id);
SELECT answers('SELECT keys()');
DROP INDEX other;
CREATE INDEX other ON requests (lower(key), operation, user_id);
SELECT answers('SELECT keys()');
DROP INDEX other;
CREATE INDEX other ON requests (key DESC NULLS LAST, operation, user_id DESC, created_at);
SELECT answers('SELECT keys()');
DROP INDEX other;
ALTER TABLE requests ADD UNIQUE NULLS NOT DISTINCT (key, operation, user_id);

\echo '-- other types, a child, forced policies, privileges'
BEGIN;
ALTER TABLE requests ALTER key TYPE varchar(255);
SELECT answers('SELECT keys()');
ROLLBACK;
BEGIN;
CREATE TABLE child () INHERITS (requests);
INSERT INTO child SELECT 'buy_item', 'ada', 'k', '', '1', now();
SELECT answers($$SELECT buy_item('ada', 1, 1, 'k')$$);
ROLLBACK;
BEGIN;
ALTER TABLE requests ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
SELECT answers('SELECT keys()');
ROLLBACK;
BEGIN;
REVOKE SELECT ON requests FROM CURRENT_USER;
SELECT answers('SELECT keys()');
ROLLBACK;
BEGIN;
REVOKE UPDATE ON requests FROM CURRENT_USER;
SELECT answers('SELECT keys()');
ROLLBACK;
SELECT answers('SELECT keys()');

\pset tuples_only off
DROP SCHEMA direct_ledger, direct_ledger_stock CASCADE;
RESET ROLE;
REVOKE ALL ON PARAMETER inventory.direct_access FROM direct_ledger_owner;
DROP ROLE direct_ledger_owner;
