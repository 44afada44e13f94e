-- Tests of holds of items that are not tracked, or that become tracked or untracked while
-- they are held: the ledger always explains the stock.
\set VERBOSITY terse
\pset format unaligned
\pset tuples_only on
\set schema hold_untracked
\set item_type text
\set plain on
\getenv abs_srcdir PG_ABS_SRCDIR
\set include :abs_srcdir '/sql/include/shop.sql'
\i :include
SELECT inventory.attach('items', 'orders', ledger_schema => 'hold_untracked_stock');
CREATE FUNCTION state(item text) RETURNS text LANGUAGE sql AS $$
	SELECT format('stock %s, reserved %s, on hand %s, available %s, sum %s, %s', coalesce(i.stock::text, '-'), l.reserved, coalesce(l.on_hand::text, '-'),
		coalesce(available_stock(i.id)::text, '-'), (SELECT sum(m.delta) FROM movements AS m WHERE m.item_id = i.id),
		coalesce('WRONG: ' || (SELECT json_agg(v) FROM inventory.verify('items', i.id) AS v), 'right'))
	FROM items AS i JOIN levels AS l ON l.item_id = i.id WHERE i.id = item
$$;

\echo '-- an item that is not tracked: held without limit, changed, confirmed, refunded, released, expired'
INSERT INTO items VALUES ('pdf', NULL);
SELECT reserve_stock('ada', 'pdf', 1000) AS r \gset
SELECT state('pdf');
SELECT change_reservation(:'r', 'pdf', 10) IS NOT NULL, state('pdf');
SELECT status, quantity, available FROM confirm_reservation(:'r');
SELECT refund_order(1, 4), refund_order(1, 1, false);
SELECT state('pdf');
SELECT reserve_stock('ada', 'pdf', 5) AS r \gset
SELECT release_reservation(:'r');
SELECT reserve_stock('ada', 'pdf', 5, '1 microsecond') IS NOT NULL, expire_reservations();
SELECT state('pdf');

-- each way to end or change a hold, after the stock was changed from `before` to `after`
CREATE FUNCTION life(item text, before integer, after integer, way text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	r uuid;
	answer text;
BEGIN
	INSERT INTO items VALUES (item, before);
	r := reserve_stock('ada', item, 4);
	UPDATE items SET stock = after WHERE id = item;
	answer := state(item);
	CASE way
		WHEN 'release' THEN PERFORM release_reservation(r);
		WHEN 'less' THEN PERFORM change_reservation(r, item, 1);
		WHEN 'more' THEN
			BEGIN
				PERFORM change_reservation(r, item, 6);
			EXCEPTION WHEN invalid_parameter_value THEN
				answer := answer || E'\n' || SQLERRM;
			END;
		WHEN 'confirm' THEN PERFORM confirm_reservation(r);
		WHEN 'refund' THEN PERFORM refund_order((c).order_id) FROM confirm_reservation(r) AS c;
		WHEN 'expire' THEN
			UPDATE reservations SET expires_at = created_at WHERE reservation_id = r;
			answer := answer || E'\n' || state(item);
			PERFORM expire_reservations();
		WHEN 'short' THEN
			UPDATE reservations SET expires_at = created_at WHERE reservation_id = r;
			PERFORM buy_item('bob', item, 8);
	END CASE;
	RETURN concat_ws(E'\n', answer, state(item));
END
$$;
\echo '-- not tracked when it was held, tracked now: nothing is added to the stock'
SELECT life('a' || way, NULL, 8, way) FROM unnest('{release,less,more,confirm,refund,expire,short}'::text[]) AS way;
\echo '-- tracked when it was held, not tracked now'
SELECT life('b' || way, 20, NULL, way) FROM unnest('{release,less,more,confirm,refund,expire,short}'::text[]) AS way;
\echo '-- tracked all the time, and the stock changed directly'
SELECT life('c' || way, 20, 8, way) FROM unnest('{release,less,more,confirm,refund,expire,short}'::text[]) AS way;

\echo '-- tracked, not tracked, and tracked again'
INSERT INTO items VALUES ('mug', 10);
SELECT reserve_stock('ada', 'mug', 4) AS r \gset
UPDATE items SET stock = NULL WHERE id = 'mug';
SELECT reserve_stock('bob', 'mug', 3) AS s \gset
UPDATE items SET stock = 6 WHERE id = 'mug';
SELECT state('mug');
SELECT release_reservation(:'r'), release_reservation(:'s');
SELECT state('mug');
\echo '-- a cart of both kinds'
SELECT reserve_cart('ada', '[{"item_id": "pdf", "quantity": 3}, {"item_id": "mug", "quantity": 3}]') AS r \gset
UPDATE items SET stock = CASE id WHEN 'pdf' THEN 5 END WHERE id IN ('pdf', 'mug');
SELECT state('mug'), state('pdf');
SELECT release_reservation(:'r');
SELECT state('mug'), state('pdf');
\echo '-- a stock-take: held units are still on the shelf'
UPDATE items SET stock = 10 WHERE id = 'mug';
SELECT reserve_stock('ada', 'mug', 4) IS NOT NULL, count_stock('mug', 9);
SELECT state('mug');
\echo '-- overdue holds from when the item was not tracked add nothing to what is available'
INSERT INTO items VALUES ('cd', NULL);
SELECT reserve_stock('ada', 'cd', 4, '1 microsecond') IS NOT NULL;
UPDATE items SET stock = 1 WHERE id = 'cd';
SELECT state('cd');
SELECT buy_item('bob', 'cd', 2);
SELECT * FROM inventory.verify('items');
\pset tuples_only off
DROP SCHEMA hold_untracked, hold_untracked_stock CASCADE;
