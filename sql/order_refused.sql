-- Tests of orders that the shop refuses: if its trigger or constraint raises an error, at
-- once or at the end of the transaction, nothing is taken or booked and the key is free.
\set VERBOSITY terse
\pset format unaligned
\pset tuples_only on
\set schema order_refused
\set user_type bigint
\set limits on
\getenv abs_srcdir PG_ABS_SRCDIR
\set include :abs_srcdir '/sql/include/shop.sql'
\i :include
ALTER TABLE orders ALTER user_id SET NOT NULL, ALTER note SET DEFAULT 'object', ADD seat integer DEFAULT 1;
INSERT INTO items (id, stock, purchase_limit) VALUES (1, 100, 50), (2, 100, NULL), (3, NULL, NULL);
SELECT inventory.attach('items', 'orders', ledger_schema => 'order_refused_stock', order_columns => '{note,seat}');
CREATE FUNCTION object() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	IF TG_ARGV[0] = 'nothing' THEN
		RETURN NULL;
	END IF;
	RAISE EXCEPTION 'the shop objects, in %', TG_ARGV[0] USING ERRCODE = 'ZZ001';
END
$$;
-- the reservation that will be confirmed
SELECT reserve_cart(1, '[{"item_id": 1, "quantity": 3}, {"item_id": 2}]') AS held \gset
SELECT set_config('test.held', :'held', false) IS NOT NULL;

-- Make orders in each way and check the constraints: how it ended, and whether it left anything.
CREATE PROCEDURE attempts(of text) LANGUAGE plpgsql AS $$
DECLARE
	before text := everything();
	call text;
	answer text;
	answers text[] := '{}';
BEGIN
	FOREACH call IN ARRAY ARRAY['buy_item(1, 1, 2, ''item'', ''{"note": "object", "seat": 1}'')',
		'buy_cart(1, ''[{"item_id": 2, "seat": 2, "note": "x"}, {"item_id": 1, "note": "object", "seat": 1}, {"item_id": 3, "seat": 3, "note": "x"}]'', ''cart'')',
		'try_buy_cart(1, ''[{"item_id": 1, "seat": 1}, {"item_id": 2, "seat": 2}]'', ''try'', ''{"note": "object"}'')',
		format('confirm_reservation(%L, NULL, ''[{"item_id": 1, "note": "object", "seat": 1}, {"item_id": 2, "note": "x", "seat": 2}]'')', current_setting('test.held')),
		-- with the defaults of the table
		'buy_item(1, 1, 2, ''item'')', 'buy_item(1, 3)', 'buy_cart(1, ''[{"item_id": 2}, {"item_id": 3}]'', ''cart'')',
		'try_buy_cart(1, ''[{"item_id": 2}]'')', format('confirm_reservation(%L)', current_setting('test.held'))]
	LOOP
		answer := 'none';
		BEGIN
			EXECUTE 'SELECT * FROM ' || call;
			SET CONSTRAINTS ALL IMMEDIATE;
		EXCEPTION WHEN OTHERS THEN
			answer := SQLSTATE;
		END;
		SET CONSTRAINTS ALL DEFERRED;
		answers := answers || (answer || CASE WHEN everything() = before THEN '' ELSE ' CHANGED' END);
		ROLLBACK;
	END LOOP;
	RAISE INFO '%: %', of, array_to_string(answers, ', ');
END
$$;
-- the procedure notices a change
CALL attempts('nothing objects');

\echo '-- triggers'
CREATE TRIGGER t BEFORE INSERT ON orders FOR EACH ROW WHEN (NEW.note = 'object') EXECUTE FUNCTION object('BEFORE');
CALL attempts('BEFORE ROW');
DROP TRIGGER t ON orders;
CREATE TRIGGER t BEFORE INSERT ON orders FOR EACH ROW WHEN (NEW.note = 'object') EXECUTE FUNCTION object('nothing');
CALL attempts('BEFORE ROW, no row');
DROP TRIGGER t ON orders;
CREATE TRIGGER t AFTER INSERT ON orders FOR EACH ROW WHEN (NEW.note = 'object') EXECUTE FUNCTION object('AFTER');
CALL attempts('AFTER ROW');
DROP TRIGGER t ON orders;
CREATE TRIGGER t BEFORE INSERT ON orders EXECUTE FUNCTION object('BEFORE STATEMENT');
CALL attempts('BEFORE STATEMENT');
DROP TRIGGER t ON orders;
CREATE TRIGGER t AFTER INSERT ON orders EXECUTE FUNCTION object('AFTER STATEMENT');
CALL attempts('AFTER STATEMENT');
DROP TRIGGER t ON orders;
CREATE CONSTRAINT TRIGGER t AFTER INSERT ON orders DEFERRABLE INITIALLY DEFERRED FOR EACH ROW WHEN (NEW.note = 'object') EXECUTE FUNCTION object('the end');
CALL attempts('deferred trigger');
DROP TRIGGER t ON orders;
CREATE CONSTRAINT TRIGGER t AFTER INSERT ON movements DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION object('the end');
CALL attempts('deferred trigger on the ledger');
DROP TRIGGER t ON movements;
CREATE CONSTRAINT TRIGGER t AFTER UPDATE ON items DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION object('the end');
CALL attempts('deferred trigger on items, not for what is held or not tracked');
DROP TRIGGER t ON items;

\echo '-- constraints'
ALTER TABLE orders ADD CONSTRAINT c CHECK (note <> 'object');
CALL attempts('CHECK');
ALTER TABLE orders DROP CONSTRAINT c;
INSERT INTO orders (user_id, item_id, quantity) VALUES (1, 1, 0);
ALTER TABLE orders ADD CONSTRAINT c UNIQUE (seat);
CALL attempts('UNIQUE');
ALTER TABLE orders DROP CONSTRAINT c, ADD CONSTRAINT c UNIQUE (seat) DEFERRABLE INITIALLY DEFERRED;
CALL attempts('UNIQUE, deferred');
ALTER TABLE orders DROP CONSTRAINT c, ADD CONSTRAINT c EXCLUDE (seat WITH =) DEFERRABLE INITIALLY DEFERRED;
CALL attempts('EXCLUDE, deferred');
ALTER TABLE orders DROP CONSTRAINT c;
DELETE FROM orders;
CREATE TABLE shelves (id integer PRIMARY KEY);
ALTER TABLE orders ADD CONSTRAINT c FOREIGN KEY (seat) REFERENCES shelves (id);
CALL attempts('FOREIGN KEY');
ALTER TABLE orders DROP CONSTRAINT c, ADD CONSTRAINT c FOREIGN KEY (seat) REFERENCES shelves (id) DEFERRABLE INITIALLY DEFERRED;
CALL attempts('FOREIGN KEY, deferred');
ALTER TABLE orders DROP CONSTRAINT c;
-- a CHECK that reads a generated column, which is virtual where the server has that
SELECT CASE WHEN current_setting('server_version_num')::integer >= 180000 THEN 'VIRTUAL' ELSE 'STORED' END AS kind \gset
ALTER TABLE orders ADD doubled integer GENERATED ALWAYS AS (quantity * 2) :kind, ADD CONSTRAINT c CHECK (doubled <= 6);
SELECT split_part(error('SELECT buy_item(1, 1, 4)'), ' ', 1), buy_item(1, 1, 3) > 0;
ALTER TABLE orders DROP doubled;

\echo '-- at an explicit COMMIT'
CREATE CONSTRAINT TRIGGER t AFTER INSERT ON orders DEFERRABLE INITIALLY DEFERRED FOR EACH ROW WHEN (NEW.note = 'object') EXECUTE FUNCTION object('the end');
SELECT md5(everything()) AS before \gset
SELECT buy_item(1, 1, 2, 'item', '{"note": "object"}');
\echo :SQLSTATE
BEGIN;
SELECT buy_item(1, 2, 2, 'other') > 0, count(*) FROM buy_cart(1, '[{"item_id": 2}, {"item_id": 1, "note": "object"}]', 'cart');
COMMIT;
\echo :SQLSTATE
SELECT md5(everything()) = :'before' AS unchanged;
DROP TRIGGER t ON orders;

\echo '-- without the trigger the same keys succeed'
SELECT buy_item(1, 1, 2, 'item', '{"note": "object", "seat": 1}') > 0;
SELECT status FROM buy_cart(1, '[{"item_id": 2}, {"item_id": 1, "note": "object"}]', 'cart');
SELECT status FROM confirm_reservation(:'held');
SELECT id, stock FROM items ORDER BY id;
SELECT * FROM inventory.verify('items');
\pset tuples_only off
DROP SCHEMA order_refused, order_refused_stock CASCADE;
