-- Tests of nulls in columns of a ledger that must have none, and in the key of items, where the
-- owner has dropped NOT NULL.  Calls end in an error, and never in a crash.
\set VERBOSITY terse
\pset format unaligned
\pset tuples_only on
\set schema damaged_rows
\set item_type text
\getenv abs_srcdir PG_ABS_SRCDIR
\set include :abs_srcdir '/sql/include/shop.sql'
\i :include
INSERT INTO items (id, stock) VALUES ('a', 100), ('b', 100), ('c', 100);
SELECT inventory.attach('items', 'orders', ledger_schema => 'damaged_rows_stock');
\set include :abs_srcdir '/sql/include/no_worker.sql'
\i :include
SELECT inventory.heat('items', 'c');
SELECT reserve_stock('u', 'a', 1, '10 hours') AS hold \gset
SELECT reserve_stock('u', 'b', 1, '1 microsecond') AS overdue \gset

-- What every call says after a statement, which is rolled back.
CREATE TABLE calls (n int GENERATED ALWAYS AS IDENTITY, call text);
INSERT INTO calls (call) VALUES ('buy_item(''u'', ''a'')'), ('buy_item(''u'', ''b'', 100)'), ('buy_item(''u'', ''c'')'),
	('buy_cart(''u'', ''[{"item_id": "a"}, {"item_id": "c"}]'')'), ('restock_item(''c'', 1)'), ('count_stock(''b'', 7)'),
	('confirm_reservation(:hold)'), ('release_reservation(:hold)'), ('get_reservation(:hold)'), ('extend_reservation(:hold, ''11 hours'')'),
	('change_reservation(:hold, ''a'', 2)'), ('expire_reservations()'), ('available_stock(''b'')'), ('refund_order(:order)'),
	('inventory.settle(''items'')'), ('inventory.heat(''items'', ''a'')'), ('inventory.cool(''items'')'),
	('inventory.verify(''items'')'), ('inventory.close_ledger(''damaged_rows.items'', now())'), ('inventory.open_ledger(''damaged_rows.items'')');
CREATE FUNCTION after(damage text) RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE
	c record;
BEGIN
	EXECUTE damage;
	FOR c IN SELECT * FROM calls ORDER BY n LOOP
		c.call := replace(replace(c.call, ':hold', quote_nullable(current_setting('test.hold'))), ':order', current_setting('test.order'));
		BEGIN
			EXECUTE format('SELECT count(*) FROM %s', c.call);
			RAISE EXCEPTION 'rolled back' USING ERRCODE = 'ZZ000';
		EXCEPTION
			WHEN SQLSTATE 'ZZ000' THEN NULL;
			WHEN OTHERS THEN
				RETURN NEXT format('%s: %s %s', split_part(c.call, '(', 1), SQLSTATE, SQLERRM);
		END;
	END LOOP;
END $$;
SELECT set_config('test.hold', :'hold', false) IS NULL, set_config('test.order', buy_item('u', 'a')::text, false) IS NULL;
SELECT after('SELECT');

SET client_min_messages = error;
\echo '-- a null in each column of the ledger that must have none'
CREATE FUNCTION with_null(relation text, name text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	said text[];
	c record;
BEGIN
	FOR c IN SELECT conname FROM pg_constraint WHERE conrelid = to_regclass(relation) AND contype IN ('p', 'u') LOOP
		EXECUTE format('ALTER TABLE %s DROP CONSTRAINT %I CASCADE', relation, c.conname);
	END LOOP;
	said := ARRAY(SELECT after(format('ALTER TABLE %1$s ALTER %2$I DROP NOT NULL; UPDATE %1$s SET %2$I = NULL', relation, name)));
	RAISE EXCEPTION '%.%: %', relation, name, (SELECT coalesce(string_agg(format('%s of %s', code, calls), ', ' ORDER BY code), 'no error')
		FROM (SELECT substring(a from ': (\w{5})') AS code, string_agg(split_part(a, ':', 1), ' ') AS calls FROM unnest(said) AS a GROUP BY 1) AS s);
END $$;
SELECT with_null('hot', 'item_id');
SELECT with_null('hot', 'settled_epoch');
SELECT with_null('hot', 'hot');
SELECT with_null('reservations', 'reservation_id');
SELECT with_null('reservations', 'item_id');
SELECT with_null('reservations', 'quantity');
SELECT with_null('reservations', 'status');
SELECT with_null('reservations', 'expires_at');
SELECT with_null('reservations', 'created_at');
SELECT with_null('reservations', 'tracked');
SELECT with_null('movements', 'item_id');
SELECT with_null('movements', 'delta');
SELECT with_null('movements', 'kind');
SELECT with_null('movements', 'created_at');

\echo '-- an item without a key'
BEGIN;
ALTER TABLE items DROP CONSTRAINT items_pkey CASCADE, ADD UNIQUE (id);
ALTER TABLE items ALTER id DROP NOT NULL;
SAVEPOINT s;
INSERT INTO items (id, stock) VALUES (NULL, 5);
ROLLBACK TO s;
UPDATE items SET id = NULL WHERE id = 'a';
ROLLBACK TO s;
ALTER TABLE items DISABLE TRIGGER USER;
INSERT INTO items (id, stock) VALUES (NULL, 5);
ALTER TABLE items ENABLE ALWAYS TRIGGER inventory_guard;
SELECT after('SELECT');
DELETE FROM items WHERE id IS NULL;
ROLLBACK;
DROP SCHEMA damaged_rows, damaged_rows_stock CASCADE;
