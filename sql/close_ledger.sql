-- Tests of close_ledger on many movements: it reads the ledger a few times and not
-- for each hold, closes it in batches, shows how far it is, and can be cancelled.
\pset format unaligned
\pset tuples_only on
\set schema close_ledger
\set limits yes
\getenv abs_srcdir PG_ABS_SRCDIR
\set include :abs_srcdir '/sql/include/shop.sql'
\i :include
INSERT INTO items SELECT g, 1000000 FROM generate_series(1, 4) AS g;
SELECT inventory.attach('items', 'orders', ledger_schema => 'close_ledger_stock');

-- Insert movements of holds that were released, n days ago: 2 per hold.
CREATE FUNCTION old_holds(holds int, days int) RETURNS void LANGUAGE sql AS $$
	INSERT INTO movements (item_id, delta, kind, user_id, reservation_id, actor, created_at)
	SELECT 1 + g % 4, d, CASE d WHEN 1 THEN 'release' ELSE 'hold' END, 'user ' || g % 3, md5(days || ' ' || g)::uuid, 'test', now() - days * interval '1 day'
	FROM generate_series(1, holds) AS g, unnest('{-1,1}'::int[]) AS d
$$;
-- The reads of the movements in this transaction, as the server counts them.
CREATE FUNCTION scans() RETURNS bigint LANGUAGE sql AS $$ SELECT seq_scan FROM pg_stat_xact_user_tables WHERE relname = 'movements' AND schemaname = 'close_ledger_stock' $$;

\echo '-- with so little memory that a sorted or hashed list of the holds does not fit'
SET work_mem = '64kB';
SELECT old_holds(15000, 1), old_holds(100, 90);
ANALYZE movements, reservations, hot;
BEGIN;
SELECT scans() AS before \gset
SELECT close_ledger(now() - interval '60 days');
SELECT scans() - :before < 4;
ROLLBACK;
RESET work_mem;

\echo '-- in batches: what is shown after each of them'
CREATE TABLE shown (n int GENERATED ALWAYS AS IDENTITY, activity text, left_over bigint);
CREATE FUNCTION show() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	PERFORM pg_stat_clear_snapshot();
	INSERT INTO close_ledger.shown (activity, left_over) SELECT a.query, (SELECT count(*) FROM close_ledger_stock.movements AS m WHERE m.created_at < now() - interval '60 days')
		FROM pg_stat_activity AS a WHERE a.pid = pg_backend_pid();
	RETURN NULL;
END
$$;
CREATE TRIGGER show AFTER DELETE ON movements FOR EACH STATEMENT EXECUTE FUNCTION show();
-- of one item and user more than a batch has; others bought and gave back the same
INSERT INTO movements (item_id, delta, kind, user_id, actor, created_at)
	SELECT 1, -2, 'sale', 'user 1', 'test', now() - interval '70 days' FROM generate_series(1, 30000);
INSERT INTO movements (item_id, delta, kind, user_id, actor, created_at)
	SELECT 4, -1, 'sale', 'user ' || g, 'test', now() - interval '70 days' FROM generate_series(1, 15000) AS g;
INSERT INTO movements (item_id, delta, kind, user_id, actor, created_at) VALUES (2, -5, 'sale', NULL, 'test', now() - interval '70 days');
SELECT count(*), sum(delta) FROM movements;
SELECT close_ledger(now() - interval '60 days');
SELECT activity, left_over FROM shown ORDER BY n;
SELECT query FROM pg_stat_activity WHERE pid = pg_backend_pid();
SELECT count(*), sum(delta) FROM movements;
SELECT item_id, user_id, delta FROM movements WHERE kind = 'carried' AND item_id < 4 ORDER BY 1, 2;
SELECT count(*), count(DISTINCT user_id), sum(delta) FROM movements WHERE kind = 'carried' AND item_id = 4;
SELECT close_ledger(now() - interval '60 days');

\echo '-- cancelled after a batch: nothing is changed'
SELECT old_holds(15000, 80);
CREATE OR REPLACE FUNCTION show() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM pg_cancel_backend(pg_backend_pid()), pg_sleep(10); RETURN NULL; END $$;
SELECT close_ledger(now() - interval '60 days');
SELECT count(*) FROM movements WHERE created_at < now() - interval '60 days' AND kind <> 'carried';
\pset tuples_only off
DROP SCHEMA close_ledger, close_ledger_stock CASCADE;
