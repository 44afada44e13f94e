-- Tests of bad input to holds, refunds and housekeeping: each bad value is refused with the
-- right SQLSTATE, and every table stays as it was.
\pset format unaligned
\pset tuples_only on
\set schema hold_bad_input
\set stock_type bigint
\set user_type bigint
\set limits on
\getenv abs_srcdir PG_ABS_SRCDIR
\set include :abs_srcdir '/sql/include/shop.sql'
\i :include
ALTER TABLE orders ALTER user_id SET NOT NULL, ALTER price SET NOT NULL, ADD paid boolean, ADD FOREIGN KEY (item_id) REFERENCES items;
INSERT INTO items VALUES (1, 100, 0, NULL), (2, -5, -10, NULL), (3, 9223372036854775000, 0, NULL), (4, NULL, 0, NULL), (5, 9, 0, 2), (6, 0, 0, NULL);
SELECT inventory.attach('items', 'orders', ledger_schema => 'hold_bad_input_stock', order_columns => '{price}');
\set include :abs_srcdir '/sql/include/no_worker.sql'
\i :include

-- the reservations that the calls below name
CREATE TABLE named (name text PRIMARY KEY, id uuid);
INSERT INTO named VALUES ('held', reserve_cart(1, '[{"item_id": 1, "quantity": 2}, {"item_id": 4}]')), ('released', reserve_stock(1, 1)),
	('confirmed', reserve_stock(1, 1)), ('overdue', reserve_stock(1, 1, 1, '1 microsecond')), ('expired', reserve_stock(1, 1, 1, '1 microsecond')),
	('unknown', '00000000-0000-0000-0000-000000000000');
CREATE FUNCTION r(of text) RETURNS uuid STABLE LANGUAGE sql AS 'SELECT id FROM hold_bad_input.named WHERE name = of';
SELECT release_reservation(r('released')), (confirm_reservation(r('confirmed'))).order_id;
UPDATE reservations SET expires_at = created_at - interval '1 s' WHERE reservation_id = r('expired');
SELECT expire_reservations(1), reserve_stock(1, 1, 1, NULL, 'first') IS NOT NULL;
CREATE FUNCTION refused(call text) RETURNS text LANGUAGE sql AS $$
	SELECT concat_ws('|', left(call, 100), o.code, o.message, nullif(o.tables, 'unchanged')) FROM outcome(call) AS o
$$;
-- outcome() notices a change
SELECT refused($$reserve_stock(1, 1, 1, NULL, 'second')$$);

\echo '-- quantity, item, user'
SELECT refused('reserve_stock(1, ' || a || ')') FROM unnest('{"1, 0","1, -1","1, -2147483648","1, ''-9223372036854775808''","1, 9223372036854775807",
	"2, 9223372036854775807","1, ''9223372036854775808''","1, NULL","1, ''abc''","1, ''''","1, ''1e3''","1, ''2.7''","1, 101","3, 3000000000","4, 3000000000","6","99","NULL","''abc''"}'::text[]) AS a;
SELECT refused(c) FROM unnest('{"reserve_stock(NULL, 1)","reserve_stock(NULL, 5)","reserve_stock(1, 5, 3)","reserve_stock(''x'', 1)"}'::text[]) AS c;
\echo '-- ttl: zero, negative, beyond max_ttl, out of the range of times'
SELECT refused(format('reserve_stock(1, 1, 1, %L)', ttl)) FROM unnest('{0,-1 second,-1 month,1 month -31 days,1 day 1 second,26 hours,300000 years,-300000 years,178000000 years,
	soon,""}'::text[]) AS ttl;
SELECT refused(format('extend_reservation(r(''held''), %L)', ttl)) FROM unnest('{0,-1 second,1 day 1 hour,300000 years,x}'::text[]) AS ttl;
SELECT refused(format('reserve_cart(1, ''[{"item_id": 1}]'', %L)', ttl)) FROM unnest('{0,300000 years}'::text[]) AS ttl;
SELECT refused(format('try_reserve_cart(1, ''[{"item_id": 1}]'', %L)', ttl)) FROM unnest('{0,300000 years}'::text[]) AS ttl;
\echo '-- lines'
SELECT refused(format('reserve_cart(1, %L)', lines)) FROM (VALUES
	(NULL), ('[]'), ('{}'), ('5'), ('"x"'), ('null'), ('{"item_id": 1}'), ('[1]'), ('[null]'), ('[[{"item_id": 1}]]'), ('[{"item_id": 1}, 2]'),
	('[{}]'), ('[{"quantity": 1}]'), ('[{"item_id": null}]'), ('[{"item_id": true}]'), ('[{"item_id": 1.5}]'), ('[{"item_id": "abc"}]'),
	('[{"item_id": 99}]'), ('[{"item_id": 1e400}]'), ('[{"item_id": 1, "quantity": 0}]'), ('[{"item_id": 1, "quantity": -1}]'),
	('[{"item_id": 1, "quantity": 1.5}]'), ('[{"item_id": 1, "quantity": "2"}]'), ('[{"item_id": 1, "quantity": null}]'),
	('[{"item_id": 1, "quantity": NaN}]'), ('[{"item_id": 1, "quantity": 1e400}]'), ('[{"item_id": 1, "quantity": 9223372036854775808}]'),
	('[{"item_id": 1, "quantity": 1}, {"item_id": 1, "quantity": 9223372036854775807}]'), ('[{"item_id": 1, "quantity": 2, "quantity": 0}]'),
	('[{"item_id": 1, "colour": "red"}]'), ('[{"item_id": 1, "price": 1}]'), ('[{"item_id": 1, "user_id": 2}]'), ('[{"item_id": 1, "": 1}]'),
	('[{"item_id": 1, "ttl": "1 day"}]'), ('[{"item_id": 1}, {"item_id": 6}]'), ('[{"item_id": 5, "quantity": 3}]')
) AS v(lines);
SELECT refused($$reserve_cart(1, (SELECT jsonb_agg('{"item_id": 1}'::jsonb) FROM generate_series(1, 1001)))$$);
SELECT refused($$try_reserve_cart(1, (SELECT jsonb_agg('{"item_id": 1}'::jsonb) FROM generate_series(1, 1001)))$$);
SELECT refused(format('try_reserve_cart(1, %L)', lines)) FROM (VALUES (NULL), ('{}'), ('[{"item_id": 1, "quantity": 0}]'), ('[{"item_id": 1, "price": 1}]')) AS v(lines);
\echo '-- keys'
SELECT refused(c) FROM (VALUES ($$reserve_stock(1, 1, 1, NULL, '')$$), ($$reserve_stock(1, 1, 1, NULL, repeat('k', 256))$$),
	($$reserve_stock(1, 1, 2, NULL, 'first')$$), ($$reserve_stock(1, 99, 1, NULL, 'first')$$), ($$reserve_stock(1, 1, 0, NULL, 'first')$$),
	($$reserve_stock(1, 1, 1, '-1 s', 'first')$$), ($$reserve_stock(1, 1, 1, NULL, 'first')$$), ($$reserve_cart(1, '[]', NULL, '')$$),
	($$try_reserve_cart(1, '[]', NULL, repeat('k', 256))$$), ($$refund_order(1, idempotency_key => '')$$), ($$refund_order(1, idempotency_key => repeat('ä', 128))$$)) AS v(c);
-- an operator can release an unknown one: given_reservation
\echo '-- reservations that are unknown, closed or null; first with bad arguments'
SELECT refused(format(c, n)) FROM unnest('{unknown,released,confirmed,overdue,expired,held,none}'::text[]) WITH ORDINALITY AS u(n, i),
	unnest('{"change_reservation(r(%L), 1, 3, 2)","change_reservation(r(%L), 6, 1)","extend_reservation(r(%L), NULL, 2)","confirm_reservation(r(%L), 2)","release_reservation(r(%L), 2)"}'::text[])
	WITH ORDINALITY AS v(c, j) WHERE n <> 'unknown' OR c NOT LIKE 'release%' ORDER BY i, j;
SELECT refused(format(c, n)) FROM unnest('{unknown,released,confirmed,overdue,expired}'::text[]) WITH ORDINALITY AS u(n, i),
	unnest('{"change_reservation(r(%L), 1, 3)","extend_reservation(r(%L))","confirm_reservation(r(%L))","release_reservation(r(%L))","get_reservation(r(%L))"}'::text[])
	WITH ORDINALITY AS v(c, j) WHERE n <> 'unknown' OR c NOT LIKE 'release%' ORDER BY i, j;
SELECT refused(c) FROM (VALUES ($$change_reservation(r('held'), 1, -1)$$), ($$change_reservation(r('held'), 1, NULL)$$), ($$change_reservation(r('held'), NULL, 1)$$),
	($$change_reservation(r('held'), 99, 1)$$), ($$change_reservation(r('held'), 99, 0)$$), ($$change_reservation(r('held'), 1, 9223372036854775807)$$),
	($$change_reservation(r('held'), 4, '9223372036854775808')$$), ($$change_reservation(r('held'), 4, 3000000000)$$), ($$change_reservation(r('held'), 'abc', 1)$$), ($$change_reservation(r('held'), 6, 1)$$),
	($$change_reservation(r('held'), 5, 3)$$), ($$confirm_reservation('abc')$$), ($$release_reservation('')$$), ($$get_reservation(NULL)$$)) AS v(c);
\echo '-- order_data'
SELECT refused(format('confirm_reservation(r(''held''), NULL, %L)', data)) FROM unnest(ARRAY['5', '"x"', 'null', '[5]', '[null]', '[[]]', '[{}]', '[{"item_id": 2}]',
	'[{"item_id": 1}, {"item_id": 1}]', '[{"item_id": 1, "quantity": 2}]', '[{"item_id": "x"}]', '{"colour": 1}', '{"paid": true}', '{"item_id": 1}', '{"quantity": 2}',
	'{"user_id": 2}', '{"price": "x"}', '{"price": null}', '{"price": 1e6}', '[{"item_id": 1, "colour": 1}]', '[{"item_id": 1, "paid": true}]']) AS data;
\echo '-- refunds'
SELECT refused('refund_order(' || a || ')') FROM unnest('{"NULL","99","''abc''","1, 0","1, -1","1, 2","1, 9223372036854775807","1, ''9223372036854775808''","1, ''1.5''","1, NULL, NULL"}'::text[]) AS a;
\echo '-- housekeeping'
SELECT refused(c) FROM unnest(ARRAY['expire_reservations(0)', 'expire_reservations(-1)', 'expire_reservations(NULL)', 'expire_reservations(2147483648)', 'prune(NULL)',
	'prune(''-1 second'')', 'prune(''300000 years'')', 'prune(''x'')', 'close_ledger(NULL)', 'close_ledger(''infinity'')', 'close_ledger(''-infinity'')', 'close_ledger(''tomorrow'')']) AS c;
\echo '-- the functions of the engine: no store of that name, another type'
SELECT refused(c) FROM unnest(ARRAY['inventory.reserve_stock(''none'', 1, 1, 1, NULL, NULL, NULL)', 'inventory.reserve_stock(NULL, 1, 1, 1, NULL, NULL, NULL)', 'inventory.release_reservation(''none'', r(''held''), 1)',
	'inventory.refund_order(''hold_bad_input.items'', 1, 1, true, NULL, NULL, NULL::text)', 'inventory.get_reservation(''hold_bad_input.items'', r(''held''), NULL::items)',
	'inventory.try_reserve_cart(''hold_bad_input.items'', 1, ''[{"item_id": 1}]'', NULL, NULL, NULL, NULL::integer)']) AS c;
\echo '-- the store still works'
SELECT status, item_id FROM confirm_reservation(r('held'));
SELECT * FROM levels ORDER BY item_id;
SELECT * FROM inventory.verify('items');
\pset tuples_only off
DROP SCHEMA hold_bad_input, hold_bad_input_stock CASCADE;
