-- Tests of a Solidus or Spree shop: count_on_hand in spree_stock_items, one row per stock
-- location and variant, backorderable or not, soft deleted.  Spree writes line items and
-- inventory units itself, so orders are not bound.  Laid out after the inventory chapters of
-- the Solidus and Spree guides.
\set SHOW_CONTEXT never
CREATE SCHEMA shop_spree;
SET search_path = shop_spree;

CREATE TABLE spree_variants (id serial PRIMARY KEY, sku varchar DEFAULT '' NOT NULL, track_inventory boolean DEFAULT true);
CREATE TABLE spree_stock_items (
	id serial PRIMARY KEY,
	stock_location_id integer,
	variant_id integer,
	count_on_hand integer DEFAULT 0 NOT NULL,
	backorderable boolean DEFAULT false,
	deleted_at timestamp(6),
	created_at timestamp(6),
	updated_at timestamp(6)
);
CREATE INDEX index_spree_stock_items_on_stock_location_id ON spree_stock_items (stock_location_id);
CREATE INDEX stock_item_by_loc_and_var_id ON spree_stock_items (stock_location_id, variant_id);
CREATE UNIQUE INDEX index_spree_stock_items_on_variant_id_and_stock_location_id
	ON spree_stock_items (variant_id, stock_location_id) WHERE deleted_at IS NULL;
CREATE UNIQUE INDEX one_location_only ON spree_stock_items (variant_id) WHERE deleted_at IS NULL;
CREATE TABLE spree_orders (id serial PRIMARY KEY, number varchar(32), state varchar, user_id integer);
CREATE TABLE spree_line_items (id serial PRIMARY KEY, variant_id integer, order_id integer, quantity integer NOT NULL, price numeric(10, 2) NOT NULL);
CREATE TABLE spree_inventory_units (id serial PRIMARY KEY, state varchar, variant_id integer, order_id integer, line_item_id integer);

INSERT INTO spree_variants (sku) VALUES ('TOTE'), ('RING'), ('OLD');
INSERT INTO spree_stock_items (stock_location_id, variant_id, count_on_hand, backorderable, deleted_at)
VALUES (1, 1, 3, false, NULL), (1, 2, 1, true, NULL), (1, 3, 8, false, '2023-12-31');

-- not a key, because it is nullable, and unique only among rows that are not deleted
SELECT inventory.attach('spree_stock_items', item_id => 'variant_id', stock => 'count_on_hand');
-- backorderable means that the count may go below zero, here down to -100
ALTER TABLE spree_stock_items ADD COLUMN stock_floor integer
	GENERATED ALWAYS AS (CASE WHEN backorderable THEN -100 ELSE 0 END) STORED;
SELECT inventory.attach('spree_stock_items', stock => 'count_on_hand', user_id_type => 'integer',
						sellable => 'deleted_at IS NULL');

-- order.complete!: Spree's rows, and buy_cart in place of its unstock.  The stock rows are
-- locked until the commit, so the count below zero is what must be backordered
BEGIN;
INSERT INTO spree_orders (number, state, user_id) VALUES ('R123456789', 'complete', 4) RETURNING id \gset
INSERT INTO spree_line_items (variant_id, order_id, quantity, price) VALUES (1, :id, 2, 15.99), (2, :id, 3, 99);
SELECT * FROM buy_cart(4, '[{"item_id": 1, "quantity": 2}, {"item_id": 2, "quantity": 3}]',
					   'R123456789', '{"order_id": "R123456789"}');
INSERT INTO spree_inventory_units (state, variant_id, order_id, line_item_id)
SELECT CASE WHEN unit > l.quantity + s.count_on_hand THEN 'backordered' ELSE 'on_hand' END, s.variant_id, :id, l.id
  FROM spree_line_items l JOIN spree_stock_items s ON s.variant_id = l.variant_id AND s.deleted_at IS NULL
 CROSS JOIN generate_series(1, l.quantity) unit WHERE l.order_id = :id;
COMMIT;
-- the tote is not backorderable: the transition fails, and all its rows are rolled back
BEGIN;
INSERT INTO spree_orders (number, state, user_id) VALUES ('R987654321', 'complete', 5) RETURNING id \gset
SELECT * FROM buy_cart(5, '[{"item_id": 2}, {"item_id": 1, "quantity": 2}]', 'R987654321', '{"order_id": "R987654321"}');
\echo :SQLSTATE
ROLLBACK;
SELECT buy_item(5, 3);
\echo :SQLSTATE

-- the admin page: count_on_hand may be set, but not below the floor
UPDATE spree_stock_items SET count_on_hand = count_on_hand + 10 WHERE variant_id = 2 RETURNING count_on_hand;
UPDATE spree_stock_items SET count_on_hand = -1 WHERE variant_id = 1;
\echo :SQLSTATE
-- soft delete: deleting a variant is an update
UPDATE spree_stock_items SET deleted_at = '2024-05-02' WHERE variant_id = 1;
SELECT buy_item(5, 1);

SELECT number, state FROM spree_orders;
SELECT variant_id, state, count(*) FROM spree_inventory_units GROUP BY variant_id, state ORDER BY variant_id, state;
SELECT variant_id, count_on_hand, stock_floor FROM spree_stock_items ORDER BY id;
SELECT item_id, delta, kind, user_id, order_id FROM spree_stock_items_stock.movements WHERE kind <> 'opening' ORDER BY movement_id;
SELECT * FROM inventory.verify('spree_stock_items');
