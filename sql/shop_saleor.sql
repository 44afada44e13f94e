-- Tests of a Saleor shop: a row of warehouse_stock per warehouse and variant.  Saleor writes
-- the order, its lines and their allocations itself, so only the stock is bound, and the
-- ledger has Saleor's reference of the order.  Laid out after Saleor's documentation of
-- stock, warehouses and allocations.
\set SHOW_CONTEXT never
CREATE SCHEMA shop_saleor;
SET search_path = shop_saleor;

CREATE TABLE warehouse_warehouse (id uuid PRIMARY KEY, name varchar(250) NOT NULL, slug varchar(255) NOT NULL UNIQUE);
CREATE TABLE product_productvariant (id serial PRIMARY KEY, sku varchar(255) UNIQUE, track_inventory boolean NOT NULL);
CREATE TABLE warehouse_stock (
	id serial PRIMARY KEY,
	quantity integer NOT NULL,
	quantity_allocated integer NOT NULL DEFAULT 0,
	product_variant_id integer NOT NULL REFERENCES product_productvariant DEFERRABLE INITIALLY DEFERRED,
	warehouse_id uuid NOT NULL REFERENCES warehouse_warehouse DEFERRABLE INITIALLY DEFERRED,
	UNIQUE (warehouse_id, product_variant_id)
);
CREATE TABLE order_order (id uuid PRIMARY KEY, number integer NOT NULL UNIQUE, user_id integer, status varchar(32) NOT NULL);
CREATE TABLE order_orderline (
	id uuid PRIMARY KEY,
	order_id uuid NOT NULL REFERENCES order_order DEFERRABLE INITIALLY DEFERRED,
	variant_id integer REFERENCES product_productvariant DEFERRABLE INITIALLY DEFERRED,
	quantity integer NOT NULL CHECK (quantity > 0)
);
CREATE TABLE warehouse_allocation (
	id serial PRIMARY KEY,
	order_line_id uuid NOT NULL REFERENCES order_orderline DEFERRABLE INITIALLY DEFERRED,
	stock_id integer NOT NULL REFERENCES warehouse_stock DEFERRABLE INITIALLY DEFERRED,
	quantity_allocated integer NOT NULL CHECK (quantity_allocated >= 0),
	UNIQUE (order_line_id, stock_id)
);
\set oslo 11111111-0000-4000-8000-000000000001
\set riga 11111111-0000-4000-8000-000000000002
INSERT INTO warehouse_warehouse VALUES (:'oslo', 'Oslo', 'oslo'), (:'riga', 'Riga', 'riga');
INSERT INTO product_productvariant (sku, track_inventory) VALUES ('JUICE', true), ('VOUCHER', false);
INSERT INTO warehouse_stock (product_variant_id, warehouse_id, quantity)
VALUES (1, :'oslo', 2), (1, :'riga', 10), (2, :'oslo', 0);

-- the key must be one column: the id, instead of the pair of warehouse and variant
SELECT inventory.attach('warehouse_stock', item_id => 'product_variant_id', stock => 'quantity');
SELECT inventory.attach('warehouse_stock', stock => 'quantity', user_id_type => 'integer');
-- variants that are not tracked get NULL as quantity
ALTER TABLE warehouse_stock ALTER COLUMN quantity DROP NOT NULL;
UPDATE warehouse_stock s SET quantity = NULL FROM product_productvariant v
 WHERE v.id = s.product_variant_id AND NOT v.track_inventory;

-- allocate_stocks: five bottles, two from Oslo and three from Riga
BEGIN;
INSERT INTO order_order VALUES ('22222222-0000-4000-8000-000000000001', 1, 9, 'unfulfilled');
INSERT INTO order_orderline VALUES ('33333333-0000-4000-8000-000000000001', '22222222-0000-4000-8000-000000000001', 1, 5);
INSERT INTO warehouse_allocation (order_line_id, stock_id, quantity_allocated)
SELECT order_id::uuid, item_id, quantity
  FROM buy_cart(9, '[{"item_id": 2, "quantity": 3}, {"item_id": 1, "quantity": 2}, {"item_id": 3, "quantity": 4}]',
				'checkout-77', '{"order_id": "33333333-0000-4000-8000-000000000001"}')
RETURNING stock_id, quantity_allocated;
COMMIT;

-- Oslo is sold out: the checkout sees that and buys from Riga
SELECT * FROM try_buy_cart(9, '[{"item_id": 1}, {"item_id": 2}]', order_data => '{"order_id": "line-2"}');
SELECT buy_item(9, 1, 1, 'checkout-78', '{"order_id": "line-2"}');
\echo :SQLSTATE
SELECT buy_item(9, 2, 1, 'checkout-79', '{"order_id": "line-2"}');
-- without orders order_data can only have the reference
SELECT buy_item(9, 2, 1, 'checkout-80', '{"order_id": "line-3", "unit_price": 3}');
\echo :SQLSTATE

-- the dashboard's "update stock" mutation
UPDATE warehouse_stock SET quantity = 20 WHERE id = 1;
SELECT warehouse_stock_stock.count_stock(2, 5, reason => 'stock-take');

SELECT id, quantity FROM warehouse_stock ORDER BY id;
SELECT item_id, delta, kind, user_id, order_id, reason FROM warehouse_stock_stock.movements WHERE kind <> 'opening' ORDER BY movement_id;
SELECT * FROM inventory.verify('warehouse_stock');
