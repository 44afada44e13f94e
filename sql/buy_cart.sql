-- Tests of buy_cart: all lines are sold or none, each line gets an order row, and the
-- answer keeps the order of the lines.
\set schema buy_cart
\getenv abs_srcdir PG_ABS_SRCDIR
\set include :abs_srcdir '/sql/include/shop.sql'
\i :include
ALTER TABLE orders ALTER user_id SET NOT NULL, ADD FOREIGN KEY (item_id) REFERENCES items;
INSERT INTO items (id, stock, stock_floor) VALUES (1, 10, 0), (2, 10, 0), (3, 0, 0), (4, 5, 3), (5, NULL, NULL);
INSERT INTO items (id, stock) SELECT n, 1 FROM generate_series(1001, 2001) AS n;
SELECT inventory.attach('items', 'orders', ledger_schema => 'buy_cart_stock',
						order_columns => '{id,price,note}');
CREATE VIEW ledger AS
	SELECT item_id, delta, kind, user_id, order_id, reason FROM movements WHERE kind <> 'opening' ORDER BY movement_id;

-- lines in any order; the quantity defaults to 1; an item is given as a number or a string
SELECT * FROM buy_cart('ada', '[{"item_id": 2, "quantity": 3}, {"item_id": "1"}]');
-- lines of the same item are summed before the stock is checked; each is an order
SELECT * FROM buy_cart('ada', '[{"item_id": 2, "quantity": 2}, {"item_id": 4}, {"item_id": 2, "quantity": 4.0}]');
SELECT * FROM orders ORDER BY id;
SELECT * FROM ledger;

-- order_data sets columns of all lines; a line's own value takes precedence
SELECT order_id, status FROM buy_cart('ada',
	'[{"item_id": 1, "price": 1.5}, {"item_id": 1, "id": 900, "note": null}, {"item_id": 1}]',
	order_data => '{"price": 2.5, "note": "gift"}');
SELECT id, price, note FROM orders WHERE id > 5 ORDER BY id;
-- lines that set different columns, in turn: each is answered with the key of its own order
CREATE TABLE answer AS SELECT * FROM buy_cart('ada', '[{"item_id": 5}, {"item_id": 5, "quantity": 2,
	"note": "two"}, {"item_id": 5}, {"item_id": 5, "quantity": 2, "note": "two"}]');
SELECT a.order_id, a.quantity, o.quantity, o.note, a.available
FROM answer AS a JOIN orders AS o ON o.id = a.order_id ORDER BY a.ctid;
SELECT * FROM ledger WHERE item_id = 5;

-- all or nothing: the error names every item that is short, with its lines summed
SELECT * FROM buy_cart('ada', '[{"item_id": 1}, {"item_id": 3}, {"item_id": 2}, {"item_id": 4, "quantity": 2}]');
\echo :SQLSTATE
SELECT * FROM buy_cart('ada', '[{"item_id": 1, "quantity": 4}, {"item_id": 1, "quantity": 3}]');
-- items that do not exist are reported before items that are short
SELECT * FROM buy_cart('ada', '[{"item_id": 3}, {"item_id": 98}, {"item_id": 1}, {"item_id": 99}]');
\echo :SQLSTATE
-- if the order of one line cannot be written, no line is sold
SELECT * FROM buy_cart('ada', '[{"item_id": 1}, {"item_id": 2, "id": 900}]');
\echo :SQLSTATE
SELECT id, stock FROM items WHERE id < 1000 ORDER BY id;
SELECT count(*) AS orders, sum(quantity) AS units FROM orders;

-- at most 1000 lines
SELECT status, count(*) AS lines, count(DISTINCT order_id) AS orders, sum(quantity) AS units
FROM buy_cart('ada', (SELECT jsonb_agg(jsonb_build_object('item_id', n)) FROM generate_series(1001, 2000) AS n))
GROUP BY status;
SELECT * FROM buy_cart('ada', (SELECT jsonb_agg(jsonb_build_object('item_id', n)) FROM generate_series(1001, 2001) AS n));
\echo :SQLSTATE
SELECT sum(stock) AS left FROM items WHERE id > 1000;
SELECT * FROM inventory.verify('items');

-- order_data that is copied into many lines: not more than 256 MB
SELECT error($$ SELECT buy_cart('ada', jsonb_agg(jsonb_build_object('item_id', 1000000 + n, 'note', 'own')), NULL,
	jsonb_build_object('note', repeat('x', 300000))) FROM generate_series(1, 1000) AS n $$);
SELECT status, count(*) FROM try_buy_cart('ada', (SELECT jsonb_agg(jsonb_build_object('item_id', 1000000 + n)) FROM generate_series(1, 1000) AS n),
	NULL, jsonb_build_object('note', repeat('x', 300000))) GROUP BY status;

-- an orders table without a quantity: one unit a row, and the application makes the keys
CREATE SCHEMA buy_cart_unit;
CREATE TABLE buy_cart_unit.items (sku varchar(10) PRIMARY KEY, stock smallint);
CREATE TABLE buy_cart_unit.tickets (code text PRIMARY KEY, item_id varchar(10), seat text);
INSERT INTO buy_cart_unit.items VALUES ('show', 3);
SELECT inventory.attach('buy_cart_unit.items', 'buy_cart_unit.tickets', user_id_type => 'bigint',
						order_columns => '{code,seat}', ledger_schema => 'buy_cart_unit_stock');
SELECT * FROM buy_cart_unit.buy_cart(1, '[{"item_id": "show", "code": "b", "seat": "1b"},
	{"item_id": "show", "code": "a", "seat": "1a"}]');
SELECT * FROM buy_cart_unit.buy_cart(1, '[{"item_id": "show", "code": "c", "quantity": 2}]');
\echo :SQLSTATE
SELECT * FROM buy_cart_unit.buy_cart(1, '[{"item_id": "show", "seat": "1c"}]');
\echo :SQLSTATE
SELECT * FROM buy_cart_unit.buy_cart(1, '[{"item_id": "show", "code": null}]');
\echo :SQLSTATE
SELECT * FROM buy_cart_unit.tickets ORDER BY code;
SELECT item_id, delta, user_id, order_id FROM buy_cart_unit_stock.movements ORDER BY movement_id;
SELECT * FROM inventory.verify('buy_cart_unit.items');

DROP SCHEMA buy_cart, buy_cart_stock, buy_cart_unit, buy_cart_unit_stock CASCADE;
