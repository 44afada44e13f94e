-- Tests of purchase_limit and stock_floor with holds and refunds: units that a user bought
-- or holds count, units that were given back do not.
\set VERBOSITY terse
\pset format unaligned
\pset tuples_only on
\set schema hold_limits
\set limits on
\getenv abs_srcdir PG_ABS_SRCDIR
\set include :abs_srcdir '/sql/include/shop.sql'
\i :include
INSERT INTO orders VALUES (901, 'old', 1, 3);
INSERT INTO items VALUES (1, 100, 0, 4), (2, 100, 0, 2), (3, NULL, 0, 3), (4, 10, 4, NULL), (5, 0, -5, NULL), (6, 3, 0, 3);
SELECT inventory.attach('items', 'orders', ledger_schema => 'hold_limits_stock', order_columns => '{id}');
-- how many more units a user may have, found by trial
CREATE FUNCTION left_for(u text, item bigint) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
	units bigint := 0;
BEGIN
	WHILE (SELECT status FROM try_reserve_cart(u, jsonb_build_array(jsonb_build_object('item_id', item)))) = 'ok' LOOP
		units := units + 1;
	END LOOP;
	RAISE EXCEPTION USING ERRCODE = 'ZZ003', MESSAGE = units;
EXCEPTION WHEN SQLSTATE 'ZZ003' THEN
	RETURN units;
END
$$;

\echo '-- purchases, carts and holds count together'
SELECT left_for('ada', 1);
SELECT buy_item('ada', 1) IS NOT NULL, left_for('ada', 1);
SELECT reserve_stock('ada', 1) AS r \gset
SELECT left_for('ada', 1);
SELECT count(*) FROM buy_cart('ada', '[{"item_id": 1}, {"item_id": 2}]');
SELECT reserve_stock('ada', 1, 2);
SELECT buy_item('ada', 1, 2);
SELECT * FROM try_buy_cart('ada', '[{"item_id": 1}, {"item_id": 1}]');
SELECT reserve_cart('ada', '[{"item_id": 1}, {"item_id": 1}, {"item_id": 2, "quantity": 2}]');
\echo :SQLSTATE
SELECT change_reservation(:'r', 1, 3);
SELECT change_reservation(:'r', 1, 2) IS NOT NULL;
SELECT left_for('ada', 1), left_for('ada', 2), left_for('bob', 1);
\echo '-- given back by a change, a release, a refund'
SELECT change_reservation(:'r', 1, 1) IS NOT NULL;
SELECT left_for('ada', 1);
SELECT release_reservation(:'r');
SELECT left_for('ada', 1);
SELECT refund_order(1);
SELECT refund_order(2, restock => false);
SELECT left_for('ada', 1);
\echo '-- an order from before the attach did not count, so its refund gives nothing back'
SELECT refund_order(901, 1), buy_item('old', 1, 2) AS o \gset
SELECT left_for('old', 1), refund_order(901), left_for('old', 1), refund_order(:o, 1), left_for('old', 1);
\echo '-- a confirmation does not change what counts'
SELECT reserve_stock('ada', 1, 4) AS r \gset
SELECT left_for('ada', 1);
SELECT order_id AS o FROM confirm_reservation(:'r') \gset
SELECT left_for('ada', 1);
SELECT refund_order(:o, 3);
SELECT left_for('ada', 1);
SELECT buy_item('ada', 1, 3) IS NOT NULL, left_for('ada', 1);
\echo '-- an overdue hold does not count, given back or not'
SELECT reserve_stock('cid', 2, 2, '1 microsecond') IS NOT NULL;
SELECT stock FROM items WHERE id = 2;
SELECT buy_item('cid', 2, 2) > 0;
SELECT buy_item('cid', 2);
SELECT status FROM reservations WHERE user_id = 'cid';
SELECT expire_reservations();
SELECT buy_item('cid', 2);
SELECT reserve_stock('dan', 2, 1, '1 microsecond') IS NOT NULL;
SELECT count(*) FROM buy_cart('dan', '[{"item_id": 1}, {"item_id": 2, "quantity": 2}]');
SELECT reserve_cart('dan', '[{"item_id": 1}, {"item_id": 2, "quantity": 2}]');
SELECT count(*) FROM reservations WHERE status = 'held';
\echo '-- an overdue hold of the last units'
SELECT reserve_stock('eve', 6, 3, '1 microsecond') IS NOT NULL;
SELECT reserve_stock('eve', 6, 3) IS NOT NULL;
SELECT reserve_stock('eve', 6, 1);
SELECT reserve_stock('fay', 6, 1);
\echo '-- an item that is not tracked can have a limit'
SELECT reserve_stock('ada', 3, 2) AS r \gset
SELECT buy_item('ada', 3) IS NOT NULL, left_for('ada', 3);
SELECT release_reservation(:'r');
SELECT left_for('ada', 3);
SELECT reserve_stock('eve', 3, 3, '1 microsecond') IS NOT NULL, buy_item('eve', 3, 3) IS NOT NULL;
\echo '-- a limited item needs a user'
SELECT reserve_stock(NULL, 1);
SELECT status FROM try_reserve_cart(NULL, '[{"item_id": 4}, {"item_id": 1}]');
SELECT reserve_stock(NULL, 4) AS guest \gset
SELECT change_reservation(:'guest', 1, 1);
\echo :SQLSTATE
\echo '-- a hold above a limit that was lowered can be confirmed, but not grow'
SELECT reserve_stock('gus', 1, 3) AS r \gset
UPDATE items SET purchase_limit = 1 WHERE id = 1;
SELECT change_reservation(:'r', 1, 4);
SELECT change_reservation(:'r', 1, 2) IS NOT NULL;
SELECT status, quantity FROM confirm_reservation(:'r');
UPDATE items SET purchase_limit = 4 WHERE id = 1;
SELECT left_for('gus', 1);
\echo '-- a hold that is rolled back does not count'
BEGIN;
SELECT reserve_stock('hal', 1, 4) IS NOT NULL, left_for('hal', 1);
ROLLBACK;
SELECT left_for('hal', 1);

\echo '-- a trigger buys one more for the same user each time: none of the calls can go above the limit by that'
CREATE FUNCTION buy_one_more() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	IF pg_trigger_depth() = 1 THEN
		PERFORM buy_item('ivy', 1);
	END IF;
	RETURN NULL;
END
$$;
SELECT reserve_stock('ivy', 1) AS r, buy_item('ivy', 1, 2) IS NOT NULL AS bought \gset
SELECT left_for('ivy', 1);
CREATE TRIGGER buy_one_more AFTER UPDATE OF stock ON items FOR EACH ROW EXECUTE FUNCTION buy_one_more();
SELECT change_reservation(:'r', 1, 2);
SELECT reserve_stock('ivy', 1);
SELECT buy_item('ivy', 1);
DROP TRIGGER buy_one_more ON items;
SELECT left_for('ivy', 1);
SELECT change_reservation(:'r', 1, 2) IS NOT NULL, left_for('ivy', 1);

\echo '-- floors: safety stock is neither sold nor held; refunds add to the stock above it'
SELECT available_stock(4);
SELECT reserve_stock('ada', 4, 5) AS r \gset
SELECT reserve_stock('ada', 4);
SELECT * FROM levels WHERE item_id = 4;
UPDATE items SET stock_floor = 7 WHERE id = 4;
SELECT * FROM levels WHERE item_id = 4;
SELECT status, available FROM confirm_reservation(:'r');
SELECT order_id AS o FROM confirm_reservation(:'r') \gset
SELECT refund_order(:o);
SELECT available_stock(4);
\echo '-- backorders can be held, sold and refunded'
SELECT available_stock(5), reserve_stock('ada', 5, 4) AS r \gset
SELECT buy_item('bob', 5) AS o \gset
SELECT reserve_stock('ada', 5);
SELECT * FROM levels WHERE item_id = 5;
SELECT status, available FROM confirm_reservation(:'r');
SELECT * FROM levels WHERE item_id = 5;
SELECT refund_order(:o);
SELECT reserve_stock('ada', 5, 1, '1 microsecond') IS NOT NULL;
SELECT * FROM levels WHERE item_id = 5;
SELECT buy_item('bob', 5, 2);
SELECT buy_item('bob', 5) IS NOT NULL;
SELECT * FROM inventory.verify('items');
\pset tuples_only off
DROP SCHEMA hold_limits, hold_limits_stock CASCADE;
