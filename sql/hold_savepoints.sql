-- Door: savepoints, EXCEPTION blocks and isolation levels around holds, refunds and
-- housekeeping.  What was undone is undone once and whole.
\set SHOW_CONTEXT never
\set VERBOSITY terse
\pset format unaligned
\pset tuples_only on
SET client_min_messages = warning;
CREATE SCHEMA hold_savepoints;
SET search_path = hold_savepoints, hold_savepoints_stock;
CREATE TABLE items (id bigint PRIMARY KEY, stock integer, version integer, purchase_limit integer);
CREATE TABLE orders (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, user_id text, item_id bigint, quantity integer, note text);
INSERT INTO items VALUES (1, 100, 0, NULL), (2, 100, 0, 5), (3, 0, 0, NULL), (4, NULL, 0, NULL), (5, 100000, 0, NULL);
SELECT inventory.attach('items', 'orders', ledger_schema => 'hold_savepoints_stock', order_columns => '{note}');
CREATE FUNCTION state() RETURNS text LANGUAGE sql AS $$
	SELECT format('stock %s, %s orders, %s movements, %s keys, %s', (SELECT string_agg(coalesce(stock::text, '-'), ' ' ORDER BY id) FROM items),
		(SELECT count(*) FROM orders), (SELECT count(*) FROM movements), (SELECT count(*) FROM requests),
		(SELECT string_agg(concat_ws(' ', status, n, units), ', ' ORDER BY status)
		 FROM (SELECT status, count(*) AS n, sum(quantity) AS units FROM reservations GROUP BY status) AS r))
		|| (SELECT coalesce(' WRONG ' || json_agg(v), '') FROM inventory.verify('items') AS v)
$$;
SELECT reserve_cart('u', '[{"item_id": 1, "quantity": 3}, {"item_id": 2, "quantity": 2}, {"item_id": 4}]') AS r, reserve_stock('v', 1, 7) AS overdue,
	buy_item('u', 1, 4) AS o \gset
UPDATE reservations SET expires_at = now() - interval '1 d', created_at = now() - interval '2 d' WHERE reservation_id = :'overdue';
SELECT state();

\echo '-- each function, undone by ROLLBACK TO'
BEGIN;
SAVEPOINT s;
SELECT reserve_stock('u', 1, 5, NULL, 'k') IS NOT NULL, state();
ROLLBACK TO s;
SELECT reserve_cart('u', '[{"item_id": 1}, {"item_id": 2, "quantity": 3}, {"item_id": 4}]', NULL, 'k') IS NOT NULL, state();
ROLLBACK TO s;
SELECT status FROM try_reserve_cart('u', '[{"item_id": 1}, {"item_id": 3}]', NULL, 'k');
SELECT change_reservation(:'r', 1, 9) IS NOT NULL, change_reservation(:'r', 2, 0) IS NOT NULL, change_reservation(:'r', 5, 1) IS NOT NULL;
SELECT state();
ROLLBACK TO s;
SELECT extend_reservation(:'r', '1 hour') IS NOT NULL;
SELECT count(*), state() FROM confirm_reservation(:'r');
ROLLBACK TO s;
SELECT release_reservation(:'r'), state();
ROLLBACK TO s;
SELECT refund_order(:o, 2, idempotency_key => 'k'), refund_order(:o, 2, false), state();
ROLLBACK TO s;
SELECT expire_reservations(), state();
ROLLBACK TO s;
SELECT buy_item('u', 1, 90) IS NOT NULL, state();
ROLLBACK TO s;
SELECT close_ledger(clock_timestamp()), state();
ROLLBACK TO s;
SELECT release_reservation(:'r'), prune('0'), state();
ROLLBACK TO s;
COMMIT;
SELECT state();
SELECT DISTINCT expires_at - created_at FROM reservations WHERE reservation_id = :'r';

\echo '-- released, then rolled back further out; rolled back, then done again'
BEGIN;
SELECT reserve_stock('u', 2) IS NOT NULL;
SAVEPOINT a;
SELECT release_reservation(:'r');
SAVEPOINT b;
SELECT reserve_stock('u', 2, 4) IS NOT NULL;
RELEASE b;
SELECT reserve_stock('u', 2);
ROLLBACK TO a;
SELECT reserve_stock('u', 2, 2) IS NOT NULL;
SAVEPOINT c;
SELECT reserve_stock('u', 2);
ROLLBACK TO c;
SELECT status FROM confirm_reservation(:'r');
ROLLBACK TO c;
SELECT status FROM confirm_reservation(:'r');
COMMIT;
SELECT state();
\echo '-- a hold in a transaction that is rolled back was never there; its key is free'
BEGIN;
SELECT reserve_stock('u', 5, 10, NULL, 'gone') AS gone \gset
SELECT count(*) FROM confirm_reservation(:'gone');
ROLLBACK;
SELECT status FROM get_reservation(:'gone');
SELECT reserve_stock('u', 5, 10, NULL, 'gone') <> :'gone';

\echo '-- after an error in the middle of a call the next calls are as good as ever'
CREATE FUNCTION object() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	RAISE EXCEPTION 'the shop objects, to %', TG_OP;
END
$$;
SELECT reserve_cart('w', '[{"item_id": 1}, {"item_id": 5, "quantity": 2}]') AS r \gset
CREATE TRIGGER inserted AFTER INSERT ON orders FOR EACH ROW WHEN (NEW.note = 'object') EXECUTE FUNCTION object();
CREATE TRIGGER updated BEFORE UPDATE ON items FOR EACH ROW WHEN (NEW.id = 5) EXECUTE FUNCTION object();
SELECT confirm_reservation(:'r', order_data => '{"note": "object"}');
SELECT release_reservation(:'r');
SELECT change_reservation(:'r', 5, 1);
SELECT change_reservation(:'r', 5, 3);
SELECT reserve_cart('w', '[{"item_id": 1}, {"item_id": 5}]');
SELECT status, item_id, quantity FROM get_reservation(:'r');
DROP TRIGGER updated ON items;
SELECT release_reservation(:'r'), state();
\echo '-- a deferred constraint that fails at the commit'
CREATE CONSTRAINT TRIGGER deferred AFTER INSERT ON orders DEFERRABLE INITIALLY DEFERRED FOR EACH ROW WHEN (NEW.note = 'late') EXECUTE FUNCTION object();
SELECT reserve_stock('w', 5, 2) AS r \gset
BEGIN;
SELECT status FROM confirm_reservation(:'r', order_data => '{"note": "late"}');
COMMIT;
SELECT status FROM get_reservation(:'r');
SELECT release_reservation(:'r'), state();

\echo '-- five hundred subtransactions around each function, every second one undone'
CREATE FUNCTION many(call text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	kept integer := 0;
BEGIN
	FOR n IN 1 .. 500 LOOP
		BEGIN
			EXECUTE 'SELECT ' || call USING n;
			IF n % 2 = 0 THEN
				RAISE EXCEPTION USING ERRCODE = 'ZZ002';
			END IF;
			kept := kept + 1;
		EXCEPTION WHEN SQLSTATE 'ZZ002' THEN
		END;
	END LOOP;
	RETURN kept || ' kept: ' || state();
END
$$;
SELECT expire_reservations() IN (0, 1); -- a worker may have been faster
SELECT many($$reserve_stock('u', 5)$$);
SELECT many($$reserve_cart('u', '[{"item_id": 5}, {"item_id": 4}]', NULL, $1::text)$$);
SELECT many($$status FROM try_reserve_cart('u', '[{"item_id": 5}, {"item_id": 3}]', NULL, $1::text)$$);
SELECT many($$release_reservation(reserve_stock('u', 5))$$);
SELECT many($$confirm_reservation(reserve_stock('u', 5))$$);
SELECT many($$change_reservation(reserve_stock('u', 5, 2), 5, 1)$$);
SELECT many($$refund_order(buy_item('u', 5, 2), 1)$$);
SELECT many($$expire_reservations() FROM reserve_stock('u', 5, 1, '1 microsecond')$$);

\echo '-- old snapshots, alone in the database: as in READ COMMITTED'
BEGIN ISOLATION LEVEL REPEATABLE READ;
SELECT reserve_cart('x', '[{"item_id": 1}, {"item_id": 5}]') AS r \gset
SELECT change_reservation(:'r', 5, 3) IS NOT NULL, change_reservation(:'r', 1, 0) IS NOT NULL, extend_reservation(:'r', '1 h') IS NOT NULL;
SELECT status, quantity, order_id AS o FROM confirm_reservation(:'r') \gset
SELECT refund_order(:o, 1), refund_order(:o), release_reservation(reserve_stock('x', 5)), expire_reservations();
COMMIT;
BEGIN ISOLATION LEVEL SERIALIZABLE;
SELECT status FROM confirm_reservation(reserve_cart('x', '[{"item_id": 1}, {"item_id": 5}]'));
SELECT close_ledger(clock_timestamp()) > 0, prune('0') > 0;
COMMIT;
SELECT state();
\pset tuples_only off
DROP SCHEMA hold_savepoints, hold_savepoints_stock CASCADE;
