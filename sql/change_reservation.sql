-- Tests of change_reservation: it holds more or fewer units, or another item, or it is
-- refused and the hold stays as it was.
\pset format unaligned
\pset tuples_only on
\set schema change_reservation
\set item_type text
\set limits on
\getenv abs_srcdir PG_ABS_SRCDIR
\set include :abs_srcdir '/sql/include/shop.sql'
\i :include
INSERT INTO items (id, stock, purchase_limit, stock_floor) VALUES ('mug', 10, NULL, 0), ('pen', 3, NULL, 0), ('vip', 9, 4, 0), ('safe', 5, NULL, 3),
	('pdf', NULL, NULL, 0), ('gone', 0, NULL, 0);
SELECT inventory.attach('items', 'orders', ledger_schema => 'change_reservation_stock');
\set VERBOSITY terse
CREATE VIEW looks AS
	SELECT concat_ws(' ', h.status, h.item_id, h.quantity, h.user_id, 'for ' || h.expires_at - h.created_at) AS line
	FROM reservations AS h ORDER BY h.item_id;
-- the items of which units are held
CREATE VIEW moved AS SELECT item_id, available, reserved, on_hand FROM levels WHERE reserved <> 0 ORDER BY item_id;

SELECT reserve_cart('ada', '[{"item_id": "mug", "quantity": 2}, {"item_id": "vip"}]', '30 minutes') AS r \gset
TABLE looks;
\echo '-- more units'
SELECT change_reservation(:'r', 'mug', 5) = expires_at FROM get_reservation(:'r') LIMIT 1;
TABLE looks;
TABLE moved;
SELECT item_id, delta, kind, user_id FROM movements WHERE reservation_id = :'r' ORDER BY movement_id;
\echo '-- the same number: nothing is written'
SELECT change_reservation(:'r', 'mug', 5) IS NOT NULL;
SELECT count(*) FROM movements WHERE reservation_id = :'r';
\echo '-- fewer units'
SELECT change_reservation(:'r', 'mug', 1) IS NOT NULL;
\echo '-- an additional item'
SELECT change_reservation(:'r', 'pen', 2) IS NOT NULL;
TABLE looks;
TABLE moved;
\echo '-- quantity 0 releases a line; the reservation stays open'
SELECT change_reservation(:'r', 'mug', 0) IS NOT NULL;
TABLE looks;
SELECT status, item_id, quantity FROM get_reservation(:'r');
SELECT change_reservation(:'r', 'mug', 0) IS NOT NULL, change_reservation(:'r', 'cup', 0) IS NOT NULL;
TABLE moved;
\echo '-- the released line is held again'
SELECT change_reservation(:'r', 'mug', 3) IS NOT NULL;
SELECT status, item_id, quantity FROM get_reservation(:'r');
SELECT item_id, delta, kind, user_id FROM movements WHERE reservation_id = :'r' AND item_id = 'mug' ORDER BY movement_id;
TABLE moved;

\echo '-- what is refused changes nothing'
SELECT change_reservation(:'r', 'pen', 4);
SELECT change_reservation(:'r', 'gone', 1);
SELECT change_reservation(:'r', 'vip', 5);
SELECT change_reservation(:'r', 'safe', 3);
SELECT change_reservation(:'r', 'cup', 1);
\echo :SQLSTATE
SELECT change_reservation(:'r', 'mug', -1);
SELECT change_reservation(:'r', 'mug', NULL);
SELECT change_reservation(:'r', NULL, 1);
SELECT change_reservation(NULL, 'mug', 1);
SELECT change_reservation(:'r', 'mug', 9223372036854775807);
SELECT change_reservation('00000000-0000-0000-0000-000000000000', 'mug', 1);
TABLE looks;
TABLE moved;
\echo '-- up to what is available, and to the purchase limit'
SELECT change_reservation(:'r', 'pen', 3) IS NOT NULL, change_reservation(:'r', 'vip', 4) IS NOT NULL,
	change_reservation(:'r', 'safe', 2) IS NOT NULL, change_reservation(:'r', 'pdf', 100) IS NOT NULL;
SELECT change_reservation(:'r', 'pdf', 7) IS NOT NULL;
TABLE looks;
TABLE moved;
SELECT item_id, delta, kind, reason FROM movements WHERE item_id = 'pdf' ORDER BY movement_id;

\echo '-- user_id, if given, must be the user of the reservation'
SELECT change_reservation(:'r', 'mug', 1, 'bob');
SELECT change_reservation(:'r', 'mug', 4, 'ada') IS NOT NULL;
\echo '-- units of overdue holds are available'
SELECT reserve_stock('eve', 'mug', 6) AS overdue \gset
SELECT change_reservation(:'r', 'mug', 6);
UPDATE reservations SET expires_at = now(), created_at = now() - interval '1 h' WHERE reservation_id = :'overdue';
SELECT change_reservation(:'r', 'mug', 6) IS NOT NULL;
TABLE moved;

\echo '-- releasing the last line releases the reservation'
SELECT count(*) FROM (SELECT change_reservation(:'r', h.item_id, 0) FROM get_reservation(:'r') AS h) AS c;
SELECT status, item_id, quantity FROM get_reservation(:'r');
TABLE moved;
SELECT change_reservation(:'r', 'mug', 1);
SELECT confirm_reservation(:'r');
SELECT release_reservation(:'r');

\echo '-- a reservation that is confirmed, and one that has expired'
SELECT reserve_cart('ada', '[{"item_id": "mug"}, {"item_id": "pen"}]') AS r \gset
SELECT change_reservation(:'r', 'pen', 0) IS NOT NULL, change_reservation(:'r', 'mug', 2) IS NOT NULL;
SELECT status, item_id, quantity, order_id FROM confirm_reservation(:'r');
SELECT id, user_id, item_id, quantity FROM orders;
SELECT change_reservation(:'r', 'mug', 3);
SELECT reserve_stock('ada', 'mug', 1, '1 microsecond') AS r \gset
SELECT change_reservation(:'r', 'mug', 1);
\echo :SQLSTATE
SELECT change_reservation(:'r', 'mug', 0);
SELECT * FROM inventory.verify('items');
\pset tuples_only off
DROP SCHEMA change_reservation, change_reservation_stock CASCADE;
