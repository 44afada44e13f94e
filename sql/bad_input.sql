-- Tests of bad input to the functions that sell and change stock: each bad value is refused
-- with the right SQLSTATE, and stock, orders, movements and keys stay as they were.
\pset format unaligned
\set schema bad_input
\set stock_type bigint
\set user_type bigint
\getenv abs_srcdir PG_ABS_SRCDIR
\set include :abs_srcdir '/sql/include/shop.sql'
\i :include
ALTER TABLE orders ALTER user_id SET NOT NULL, ALTER price SET NOT NULL, ADD paid boolean, ADD FOREIGN KEY (item_id) REFERENCES items;
INSERT INTO items (id, stock, stock_floor) VALUES (1, 100, 0), (2, -5, -10), (3, 9223372036854775000, 0), (4, NULL, 0);
SELECT inventory.attach('items', 'orders', ledger_schema => 'bad_input_stock', order_columns => '{price}');

-- outcome() notices a change
SELECT * FROM outcome($$buy_item(1, 1, 1, 'first')$$);

-- quantity
SELECT call, r.* FROM (VALUES
	($$buy_item(1, 1, 0)$$), ($$buy_item(1, 1, -1)$$), ($$buy_item(1, 1, -2147483648)$$),
	($$buy_item(1, 1, '-9223372036854775808')$$), ($$buy_item(1, 1, 9223372036854775807)$$),
	($$buy_item(1, 2, 9223372036854775807)$$),
	($$buy_item(1, 1, '9223372036854775808')$$), ($$buy_item(1, 3, 3000000000)$$),
	($$buy_item(1, 1, NULL)$$), ($$buy_item(1, 1, 'abc')$$), ($$buy_item(1, 1, '')$$),
	($$buy_item(1, 1, '1e3')$$), ($$buy_item(1, 1, '2.7')$$),
	($$buy_item(1, 4, 3000000000)$$)
) AS v(call), outcome(call) AS r;

-- item and user
SELECT call, r.* FROM (VALUES
	($$buy_item(1, NULL)$$), ($$buy_item(1, 99)$$), ($$buy_item(1, 'abc')$$), ($$buy_item(NULL, 1)$$),
	($$available_stock(NULL)$$), ($$available_stock(99)$$)
) AS v(call), outcome(call) AS r;

-- lines; a duplicate key within a line cannot be refused, because jsonb keeps only the last
SELECT lines, r.* FROM (VALUES
	(NULL), ('[]'), ('{}'), ('5'), ('"x"'), ('null'), ('{"item_id": 1}'),
	('[1]'), ('[null]'), ('["x"]'), ('[[]]'), ('[[{"item_id": 1}]]'), ('[{"item_id": 1}, 2]'),
	('[{}]'), ('[{"quantity": 1}]'), ('[{"item_id": null}]'), ('[{"item_id": true}]'), ('[{"item_id": {}}]'),
	('[{"item_id": 1.5}]'), ('[{"item_id": "abc"}]'), ('[{"item_id": 99}]'), ('[{"item_id": 1e400}]'),
	('[{"item_id": 1, "quantity": 0}]'), ('[{"item_id": 1, "quantity": -1}]'),
	('[{"item_id": 1, "quantity": 1.5}]'), ('[{"item_id": 1, "quantity": "2"}]'),
	('[{"item_id": 1, "quantity": null}]'), ('[{"item_id": 1, "quantity": true}]'),
	('[{"item_id": 1, "quantity": [2]}]'), ('[{"item_id": 1, "quantity": NaN}]'),
	('[{"item_id": 1, "quantity": 1e400}]'), ('[{"item_id": 1, "quantity": 1e-400}]'),
	('[{"item_id": 1, "quantity": 9223372036854775808}]'),
	('[{"item_id": 1, "quantity": 9223372036854775807}]'),
	('[{"item_id": 1, "quantity": 1}, {"item_id": 1, "quantity": 9223372036854775807}]'),
	('[{"item_id": 3, "quantity": 3000000000}]'),
	('[{"item_id": 1, "quantity": 2, "quantity": 0}]'),
	('[{"item_id": 1, "colour": "red"}]'), ('[{"item_id": 1, "Price": 1}]'), ('[{"item_id": 1, "": 1}]'),
	('[{"item_id": 1, "ctid": "(0,1)"}]'), ('[{"item_id": 1, "paid": true}]'),
	('[{"item_id": 1, "user_id": 2}]'), ('[{"item_id": 1, "id": 7}]'),
	('[{"item_id": 1, "price": "x"}]'), ('[{"item_id": 1, "price": null}]'), ('[{"item_id": 1, "price": 1e6}]')
) AS v(lines), outcome(format('buy_cart(1, %L)', lines)) AS r;
SELECT * FROM outcome($$buy_cart(1, (SELECT jsonb_agg('{"item_id": 1}'::jsonb) FROM generate_series(1, 1001)))$$);
SELECT * FROM outcome($$try_buy_cart(1, (SELECT jsonb_agg('{"item_id": 1}'::jsonb) FROM generate_series(1, 1001)))$$);

-- order_data
SELECT data, r.*, c.code AS of_cart FROM (VALUES
	('[]'), ('5'), ('null'), ('"price"'), ('{"colour": 1}'), ('{"paid": true}'), ('{"item_id": 1}'),
	('{"quantity": 2}'), ('{"price": "x"}'), ('{"price": null}'), ('{"price": [1]}')
) AS v(data), outcome(format('buy_item(1, 1, order_data => %L)', data)) AS r,
	outcome(format('try_buy_cart(1, ''[{"item_id": 1}]'', order_data => %L)', data)) AS c;

-- keys
SELECT left(call, 40) AS call, r.* FROM (VALUES
	($$buy_item(1, 1, 1, '')$$), ($$buy_item(1, 1, 1, repeat('k', 256))$$), ($$buy_item(1, 1, 1, repeat('ä', 128))$$),
	($$buy_cart(1, '[{"item_id": 1}]', '')$$), ($$buy_item(1, 1, 2, 'first')$$),
	($$buy_item(1, 3, 0, 'first')$$), ($$buy_item(1, 1, NULL, 'first')$$), ($$buy_item(1, NULL, 1, 'first')$$)
) AS v(call), outcome(call) AS r;

-- operators
SELECT call, r.* FROM (VALUES
	($$restock_item(1, 0)$$), ($$restock_item(1, -1)$$), ($$restock_item(1, NULL)$$), ($$restock_item(NULL, 1)$$),
	($$restock_item(99, 1)$$), ($$restock_item(3, 808)$$), ($$restock_item(4, 1)$$), ($$restock_item(1, 1, NULL, '')$$),
	($$adjust_stock(1, 0, 'x')$$), ($$adjust_stock(1, NULL, 'x')$$), ($$adjust_stock(1, -100, 'x')$$),
	($$adjust_stock(2, -6, 'x')$$), ($$adjust_stock(2, '-9223372036854775808', 'x')$$), ($$adjust_stock(3, 808, 'x')$$),
	($$adjust_stock(1, 1, NULL)$$), ($$adjust_stock(1, 1, '')$$), ($$adjust_stock(1, 1, 'x', 100)$$),
	($$adjust_stock(1, 1, 'x', kind => 'sale')$$), ($$adjust_stock(1, 1, 'x', kind => NULL)$$),
	($$adjust_stock(1, 1, 'x', kind => 'write_off')$$), ($$adjust_stock(99, 1, 'x')$$), ($$adjust_stock(4, 1, 'x')$$),
	($$count_stock(1, -1)$$), ($$count_stock(1, NULL)$$), ($$count_stock(1, 5, -1)$$), ($$count_stock(1, 5, NULL)$$),
	($$count_stock(1, 5, 6)$$), ($$count_stock(2, 5, 16)$$), ($$count_stock(2, 9223372036854775807)$$),
	($$count_stock(1, 5, counted_at => 'infinity')$$), ($$count_stock(1, 5, counted_at => '-infinity')$$),
	($$count_stock(1, 5, counted_at => '1999-12-31')$$), ($$count_stock(1, 5, counted_at => 'soon')$$),
	($$count_stock(99, 1)$$), ($$count_stock(4, 1)$$),
	($$inventory.verify('orders')$$), ($$inventory.verify(NULL)$$), ($$inventory.verify('items', 'x')$$),
	($$inventory.buy_item('no_store', 1, 1, 1, NULL, NULL, NULL::bigint)$$),
	($$inventory.buy_item(NULL, 1, 1, 1, NULL, NULL, NULL::bigint)$$),
	($$inventory.buy_item('bad_input.items', 1, 1, 1, NULL, NULL, NULL::text)$$),
	($$inventory.clip('x', -1)$$), ($$inventory.clip('ßß', 3)$$), ($$inventory.clip(repeat('x', 1000000), 7)$$)
) AS v(call), outcome(call) AS r;

-- the store still works
SELECT buy_item(1, 1);
SELECT id, stock FROM items ORDER BY id;
SELECT * FROM inventory.verify('items');
DROP SCHEMA bad_input, bad_input_stock CASCADE;
