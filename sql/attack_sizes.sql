-- Tests of numbers, texts and names at their limits: they are taken as they are, or refused
-- with the error that says so, and never cut off; and none stops another store.
\set SHOW_CONTEXT never
\set VERBOSITY terse
\pset format unaligned
\pset tuples_only on
\set schema attack_sizes
\set item_type text
\set stock_type bigint
\set limits on
\getenv abs_srcdir PG_ABS_SRCDIR
\set include :abs_srcdir '/sql/include/shop.sql'
\i :include
ALTER TABLE items ALTER stock_floor TYPE bigint, ALTER purchase_limit TYPE bigint;
ALTER TABLE orders ALTER quantity TYPE bigint;
\set max 9223372036854775807
-- half of what the counter of a hot item can have
\set half 4611686018427387903
INSERT INTO items (id, stock, stock_floor) VALUES ('most', :max, 0), ('low', 10, -:max), ('small', 10, 0), (repeat('i', 1024), 10, 0);
INSERT INTO items (id, stock) SELECT 'hot ' || n, :half FROM generate_series(1, 3) AS n;
INSERT INTO items (id, stock) SELECT 'line ' || n, 10 FROM generate_series(1, 1001) AS n;
SELECT inventory.attach('items', 'orders', ledger_schema => 'attack_sizes_stock', order_columns => '{note}');
\set include :abs_srcdir '/sql/include/no_worker.sql'
\i :include
INSERT INTO seen SELECT max(movement_id), true FROM movements;
-- A cart of so many lines.
CREATE FUNCTION cart(lines integer) RETURNS jsonb LANGUAGE sql AS $$ SELECT jsonb_agg(jsonb_build_object('item_id', 'line ' || n)) FROM generate_series(1, lines) AS n $$;

\echo '-- buyer'
SELECT attempt(format('SELECT buy_item(''u'', ''most'', %s)', quantity)) FROM unnest('{0,-1,-9223372036854775808,9223372036854775807,9223372036854775807,9223372036854775808}'::text[]) AS quantity;
SELECT attempt(format('SELECT buy_item(''u'', ''low'', %s)', :max));
SELECT attempt(format('SELECT buy_cart(''u'', ''[{"item_id": "low", "quantity": %1$s}, {"item_id": "low", "quantity": %1$s}]'')', :half + 1));
SELECT attempt('SELECT count(*) FROM buy_cart(''u'', cart(1000))'), attempt('SELECT buy_cart(''u'', cart(1001))'), attempt('SELECT reserve_cart(''u'', cart(1001))');
SELECT key, attempt(format('SELECT buy_item(''u'', ''small'', 1, repeat(''k'', %s))', key)) FROM unnest('{255,256,3000000}'::int[]) AS key;
SELECT item, attempt(format('SELECT buy_item(''u'', repeat(''i'', %s))', item)) FROM unnest('{1024,1025,30000000}'::int[]) AS item;
SELECT length, attempt(format('SELECT buy_item(repeat(''u'', %s), ''small'')', length)) FROM unnest('{1024,1025,30000000}'::int[]) AS length;
SELECT buy_item('u', 'small', 1, NULL, jsonb_build_object('note', repeat('n', 30000000))) AS long \gset
SELECT length(note) FROM orders WHERE id = :long;
SELECT attempt('SELECT reserve_stock(''u'', ''small'', 1, ''178000000 years'')');
SELECT string_agg(concat_ws(' ', left(item_id, 8), delta), ', ' ORDER BY movement_id) FROM movements WHERE item_id !~ 'line' AND kind = 'sale';
SELECT problems();
\echo '-- operator'
SELECT restock_item('most', :max);
SELECT attempt('SELECT restock_item(''most'', 1)'), attempt('SELECT adjust_stock(''most'', 1, ''x'')');
SELECT attempt(format('SELECT adjust_stock(''small'', %s, ''x'')', delta)) FROM unnest('{9223372036854775807,-9223372036854775807,-9223372036854775808}'::text[]) AS delta;
SELECT attempt(format('SELECT count_stock(''low'', %s)', :max)), attempt(format('SELECT count_stock(''small'', %s)', :max)), count_stock('small', 8);
SELECT attempt(format('SELECT restock_item(''small'', 1, repeat(''r'', 30000000))')), length(reason) FROM movements WHERE kind = 'restock' ORDER BY length(reason) DESC NULLS LAST LIMIT 1;
SELECT length(reason) FROM movements WHERE length(reason) > 1000;
SELECT attempt(format('SELECT restock_item(''small'', 1, NULL, repeat(''k'', 256))'));
SELECT attempt(format('SELECT refund_order(%s, %s)', :long, :max));
SELECT inventory.heat('items', 'hot 1'::text), attempt('SELECT buy_item(''u'', ''hot 1'', 4611686018427387903)');
SELECT attempt(format('SELECT restock_item(''hot 1'', %s)', :max)), attempt('SELECT restock_item(''hot 1'', 1)');
SELECT inventory.settle('items') IS NOT NULL, inventory.cool('items');
SELECT id, stock FROM items WHERE id !~ '^(line|i)' ORDER BY id COLLATE "C";
SELECT problems();
-- holds of one item that no bigint can add up
SELECT reserve_stock('u', 'line 1', 9) IS NOT NULL, restock_item('line 1', :max), reserve_stock('u', 'line 1', :max) IS NOT NULL;
UPDATE reservations SET expires_at = created_at WHERE item_id = 'line 1';
SELECT attempt('SELECT expire_reservations()');
SELECT stock, attempt('SELECT buy_item(''u'', ''line 1'', 9)') FROM items WHERE id = 'line 1';
SELECT expire_reservations(), attempt('SELECT buy_item(''u'', ''line 1'', 9223372036854775807)');
SELECT stock, problems() FROM items WHERE id = 'line 1';
\echo '-- stats'
-- what is in flight, of several items
SELECT count(inventory.heat('items', id)) FROM items WHERE id ~ 'hot';
SELECT count_stock('hot 1', :half);
BEGIN;
SELECT count(buy_item('u', id, :half)) FROM items WHERE id ~ 'hot';
SELECT DISTINCT hot_items, hot_held, cardinality(hot_holders) FROM inventory.stats WHERE store_name = 'attack_sizes.items';
SELECT sum(held) FROM inventory.hot_entries();
ROLLBACK;
-- what was sold and restocked altogether
SELECT operation, units FROM inventory.stats
WHERE store_name = 'attack_sizes.items' AND (units < 0 OR units > :half) ORDER BY operation COLLATE "C";
SELECT item_id, on_hand, available FROM levels WHERE item_id ~ 'hot|most|low' ORDER BY 1;
SELECT inventory.cool('items') > 0;
\echo '-- verify'
ALTER TABLE items DISABLE TRIGGER inventory_guard;
UPDATE items SET stock = :half WHERE id = 'low';
ALTER TABLE items ENABLE ALWAYS TRIGGER inventory_guard;
SELECT problem, expected, actual FROM inventory.verify('items');
SELECT problem, expected, actual FROM inventory.verify('items', 'low'::text);
-- movements that no bigint can add up are reported, and not an error
INSERT INTO movements (item_id, delta, kind, actor, created_at) SELECT 'low', :max, 'adjustment', 'x', now() FROM generate_series(1, 3);
SELECT problem, expected, actual FROM inventory.verify('items');
SELECT attempt($$SELECT inventory.verify('items', repeat('i', 1025))$$), attempt($$SELECT inventory.verify('items', 'small'::text)$$);
DELETE FROM movements WHERE kind = 'adjustment' AND item_id = 'low' AND actor = 'x';
ALTER TABLE items DISABLE TRIGGER inventory_guard;
UPDATE items SET stock = 10 - :max WHERE id = 'low';
ALTER TABLE items ENABLE ALWAYS TRIGGER inventory_guard;
SELECT problems();
\echo '-- attach'
SELECT inventory.detach('items');
SELECT attempt(format($$SELECT inventory.attach('items', 'orders', argument_prefix => repeat('p', 41), ledger_schema => 'attack_sizes_stock')$$));
SELECT inventory.attach('items', 'orders', argument_prefix => repeat('ü', 20), ledger_schema => 'attack_sizes_stock', store_name => repeat('s', 255),
	user_claim => repeat('c', 255), sellable => 'id <> ''' || repeat('x', 9000) || '''');
SELECT length(store_name), length(user_claim) FROM inventory.store WHERE items = 'items'::regclass;
SELECT inventory.refresh('items');
SELECT inventory.detach('items');
SELECT attempt($$SELECT inventory.attach('items', 'orders', ledger_schema => 'attack_sizes_stock', store_name => (SELECT string_agg(md5(n::text), '') FROM generate_series(1, 1000) AS n))$$);
-- names of 63 bytes that differ in the last only
SELECT repeat('ä', 31) || 'a' AS items, repeat('ä', 31) || 'b' AS orders, repeat('ä', 31) || 'l' AS ledger \gset
CREATE TABLE :"items" (:"items" bigint PRIMARY KEY, :"orders" bigint);
CREATE TABLE :"orders" (:"orders" bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, :"items" bigint);
INSERT INTO :"items" VALUES (1, 5);
SELECT inventory.attach(quote_ident(:'items'), quote_ident(:'orders'), stock => :'orders', order_item_id => :'items', ledger_schema => :'ledger', user_id_type => 'text') IS NOT NULL;
SELECT attempt(format('SELECT inventory.refresh(%L)', :'items'));
SELECT attack_sizes.buy_item('u', 1::bigint);
SELECT * FROM inventory.verify(quote_ident(:'items'));
SELECT inventory.detach(quote_ident(:'items'));
\echo '-- the end'
\pset tuples_only off
DROP SCHEMA attack_sizes, attack_sizes_stock, :"ledger" CASCADE;
