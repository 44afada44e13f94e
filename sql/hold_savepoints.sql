-- Tests of holds, refunds and housekeeping with savepoints, EXCEPTION blocks and isolation
-- levels: what is rolled back is undone completely, and once.
\set VERBOSITY terse
\pset format unaligned
\pset tuples_only on
\set schema hold_savepoints
\set limits on
\getenv abs_srcdir PG_ABS_SRCDIR
\set include :abs_srcdir '/sql/include/shop.sql'
\i :include
INSERT INTO items (id, stock, purchase_limit) VALUES (1, 100, NULL), (2, 100, 5), (3, 0, NULL), (4, NULL, NULL), (5, 100000, NULL);
SELECT inventory.attach('items', 'orders', ledger_schema => 'hold_savepoints_stock', order_columns => '{note}');
\set include :abs_srcdir '/sql/include/no_worker.sql'
\i :include
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

\echo '-- released and then rolled back by an outer savepoint; rolled back and then repeated'
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
\echo '-- a hold that is rolled back does not exist, and its key can be used again'
BEGIN;
SELECT reserve_stock('u', 5, 10, NULL, 'gone') AS gone \gset
SELECT count(*) FROM confirm_reservation(:'gone');
ROLLBACK;
SELECT status FROM get_reservation(:'gone');
SELECT reserve_stock('u', 5, 10, NULL, 'gone') <> :'gone';

\echo '-- an error in the middle of a call does not affect the next calls'
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

\echo '-- each function in five hundred subtransactions, every second one rolled back'
SELECT expire_reservations() IN (0, 1); -- a worker may have expired it already
SELECT subtransactions($$reserve_stock('u', 5)$$, 500);
SELECT subtransactions($$reserve_cart('u', '[{"item_id": 5}, {"item_id": 4}]', NULL, $1::text)$$, 500);
SELECT subtransactions($$status FROM try_reserve_cart('u', '[{"item_id": 5}, {"item_id": 3}]', NULL, $1::text)$$, 500);
SELECT subtransactions($$release_reservation(reserve_stock('u', 5))$$, 500);
SELECT subtransactions($$confirm_reservation(reserve_stock('u', 5))$$, 500);
SELECT subtransactions($$change_reservation(reserve_stock('u', 5, 2), 5, 1)$$, 500);
SELECT subtransactions($$refund_order(buy_item('u', 5, 2), 1)$$, 500);
SELECT subtransactions($$expire_reservations() FROM reserve_stock('u', 5, 1, '1 microsecond')$$, 500);

\echo '-- other isolation levels without concurrent sessions: as in READ COMMITTED'
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
