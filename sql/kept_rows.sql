-- Tests of triggers that keep rows from being written, as a forgotten RETURN NEW does: the call
-- that writes them is refused as a whole, so that no hold gives its units back a second time.
\set VERBOSITY terse
\pset format unaligned
\pset tuples_only on
\set schema kept_rows
\getenv abs_srcdir PG_ABS_SRCDIR
\set include :abs_srcdir '/sql/include/shop.sql'
\i :include
INSERT INTO items (id, stock) VALUES (1, 100), (2, 100);
SELECT inventory.attach('items', 'orders', ledger_schema => 'kept_rows_stock');
\set include :abs_srcdir '/sql/include/no_worker.sql'
\i :include

CREATE FUNCTION forgets() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';
-- What becomes of a call while a table has the trigger, and what a second call finds then.
CREATE FUNCTION kept(name text, event text, call text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	result text;
	before text := everything();
BEGIN
	EXECUTE format('CREATE TRIGGER forgets BEFORE %s ON %I FOR EACH ROW EXECUTE FUNCTION forgets()', event, name);
	result := format('%s of %s, %s: %s', event, name, split_part(call, '(', 1),
					 -- a statement inserts all rows of a cart, and the engine otherwise one after the other
					 regexp_replace(error('SELECT ' || call), 'instead of \d', 'instead of all'));
	EXECUTE format('DROP TRIGGER forgets ON %I', name);
	RETURN concat(result, CASE WHEN everything() <> before THEN ' CHANGED' END, problems());
END $$;
SELECT reserve_stock('u', 1, 5, '10 hours') AS hold \gset
PREPARE calls AS SELECT kept(c.name, c.event, format(c.call, :'hold')) FROM (VALUES
	('orders', 'INSERT', 'buy_item(''u'', 1)'),
	('orders', 'INSERT', 'buy_cart(''u'', ''[{"item_id": 1}, {"item_id": 2}]'')'),
	('movements', 'INSERT', 'buy_item(''u'', 1)'),
	('movements', 'INSERT', 'restock_item(1, 5)'),
	('requests', 'INSERT', 'buy_item(''u'', 1, 1, ''k'')'),
	('requests', 'INSERT', 'restock_item(1, 5, ''r'', ''k'')'),
	('reservations', 'INSERT', 'reserve_stock(''u'', 1)'),
	('reservations', 'INSERT', 'reserve_cart(''u'', ''[{"item_id": 1}, {"item_id": 2}]'')'),
	('reservations', 'INSERT', 'change_reservation(%L, 2, 3)'),
	('reservations', 'UPDATE', 'change_reservation(%L, 1, 7)'),
	('reservations', 'UPDATE', 'change_reservation(%L, 1, 3)'),
	('reservations', 'UPDATE', 'change_reservation(%L, 1, 0)'),
	('reservations', 'UPDATE', 'extend_reservation(%L, ''20 hours'')'),
	('reservations', 'UPDATE', 'release_reservation(%L)'),
	('reservations', 'UPDATE', 'confirm_reservation(%L)')) AS c(name, event, call);
EXECUTE calls;
SELECT inventory.heat('items', 1), inventory.heat('items', 2);
EXECUTE calls;

-- overdue holds
UPDATE reservations SET expires_at = created_at + interval '1 microsecond';
SELECT kept('reservations', 'UPDATE', 'expire_reservations()');
SELECT kept('reservations', 'UPDATE', 'buy_item(''u'', 1, 98)');
SELECT inventory.cool('items');
SELECT kept('reservations', 'UPDATE', 'expire_reservations()');
SELECT kept('reservations', 'UPDATE', 'buy_item(''u'', 1, 98)');


-- a row of hot
SELECT kept('hot', 'INSERT OR UPDATE', 'inventory.heat(''items'', 1)');

-- without the trigger all goes on
SELECT expire_reservations();
SELECT levels(), problems();
DROP SCHEMA kept_rows, kept_rows_stock CASCADE;
