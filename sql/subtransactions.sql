-- Tests of ten thousand subtransactions in one transaction, committed, rolled back, and
-- released into one that is rolled back: units return exactly once.
\pset format unaligned
\pset tuples_only on
\set schema subtransactions
\set plain on
\getenv abs_srcdir PG_ABS_SRCDIR
\set include :abs_srcdir '/sql/include/shop.sql'
\i :include
INSERT INTO items VALUES (1, 20000), (2, 20000);
SELECT inventory.attach('items', 'orders', ledger_schema => 'subtransactions_stock');
-- in units instead of rows
CREATE OR REPLACE FUNCTION state() RETURNS text LANGUAGE sql AS $$
	SELECT format('stock %s, %s sold, %s held, %s movements', (SELECT string_agg(stock::text, ' ' ORDER BY id) FROM items),
		(SELECT coalesce(sum(quantity), 0) FROM orders), (SELECT coalesce(sum(quantity), 0) FROM reservations WHERE status = 'held'),
		(SELECT count(*) FROM movements)) || coalesce(' ' || problems(), '')
$$;
SELECT state();

-- 10,000 in one transaction, half of them rolled back, and then all of them; 2,000 that commit
CREATE FUNCTION blocks(count integer) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
	FOR n IN 1 .. count LOOP
		BEGIN
			IF n % 4 < 2 THEN
				PERFORM buy_item('u', 1 + n % 3 % 2);
			ELSE
				PERFORM reserve_stock('u', 1 + n % 3 % 2);
			END IF;
			IF n % 2 = 0 THEN
				RAISE EXCEPTION USING ERRCODE = 'ZZ002';
			END IF;
		EXCEPTION WHEN SQLSTATE 'ZZ002' THEN
		END;
	END LOOP;
END
$$;
BEGIN;
SELECT blocks(10000);
SELECT state();
ROLLBACK;
SELECT state();
BEGIN;
SAVEPOINT a;
SELECT blocks(2000);
RELEASE a;
COMMIT;
SELECT state();

-- nested savepoints: released into one that is rolled back, rolled back in one that is released
BEGIN;
SAVEPOINT a;
SELECT buy_item('u', 1, 10) > 0;
SAVEPOINT b;
SELECT release_reservation(reserve_stock('u', 1, 20)), reserve_stock('u', 2, 30) IS NOT NULL;
RELEASE b;
SAVEPOINT c;
SELECT buy_item('u', 2, 40) > 0;
ROLLBACK TO c;
SELECT buy_item('u', 2, 50) > 0;
RELEASE c;
SELECT state();
ROLLBACK TO a;
SELECT state();
SELECT buy_item('u', 1) > 0;
ROLLBACK TO a;
RELEASE a;
SELECT buy_item('u', 2) > 0;
COMMIT;
SELECT state();

-- a hundred blocks inside one another, ten times: the inner 40 are rolled back, or all of them
CREATE FUNCTION deep(depth integer, undone integer) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
	PERFORM buy_item('u', 1);
	IF depth > 1 THEN
		PERFORM deep(depth - 1, undone);
	END IF;
	IF depth = undone THEN
		RAISE EXCEPTION USING ERRCODE = 'ZZ002';
	END IF;
EXCEPTION WHEN SQLSTATE 'ZZ002' THEN
END
$$;
BEGIN;
SELECT count(deep(100, 40)) FROM generate_series(1, 10);
SELECT state();
ROLLBACK;
SELECT count(deep(100, 100)) FROM generate_series(1, 10);
SELECT state();
\pset tuples_only off
DROP SCHEMA subtransactions, subtransactions_stock CASCADE;
