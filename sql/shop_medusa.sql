-- Tests of a Medusa 2 shop: inventory_level per inventory item and location, text keys with a
-- prefix made by the application, quantities as numeric and again as raw jsonb, soft
-- deletes.  A placed order gets a reservation_item per line: this is the row that a sale
-- inserts, and its foreign key refers to inventory_item, not to the level.
-- Laid out after Medusa's Inventory Module reference.
\set SHOW_CONTEXT never
CREATE SCHEMA shop_medusa;
SET search_path = shop_medusa;

CREATE TABLE inventory_item (
	id text PRIMARY KEY,
	sku text,
	title text,
	created_at timestamptz NOT NULL DEFAULT now(),
	updated_at timestamptz NOT NULL DEFAULT now(),
	deleted_at timestamptz
);
CREATE TABLE inventory_level (
	id text PRIMARY KEY,
	inventory_item_id text NOT NULL REFERENCES inventory_item ON UPDATE CASCADE ON DELETE CASCADE,
	location_id text NOT NULL,
	stocked_quantity numeric NOT NULL DEFAULT 0,
	reserved_quantity numeric NOT NULL DEFAULT 0,
	raw_stocked_quantity jsonb,
	created_at timestamptz NOT NULL DEFAULT now(),
	updated_at timestamptz NOT NULL DEFAULT now(),
	deleted_at timestamptz
);
CREATE UNIQUE INDEX "IDX_inventory_level_location_id_inventory_item_id"
	ON inventory_level (inventory_item_id, location_id) WHERE deleted_at IS NULL;
CREATE TABLE reservation_item (
	id text PRIMARY KEY,
	line_item_id text,
	location_id text NOT NULL,
	inventory_item_id text NOT NULL REFERENCES inventory_item ON UPDATE CASCADE ON DELETE CASCADE,
	quantity numeric NOT NULL,
	raw_quantity jsonb NOT NULL,
	allow_backorder boolean DEFAULT false,
	metadata jsonb,
	created_at timestamptz NOT NULL DEFAULT now(),
	updated_at timestamptz NOT NULL DEFAULT now(),
	deleted_at timestamptz
);
INSERT INTO inventory_item (id, sku) VALUES ('iitem_01SHIRT', 'SHIRT-M'), ('iitem_01PANTS', 'PANTS-L');
INSERT INTO inventory_level (id, inventory_item_id, location_id, stocked_quantity, deleted_at)
VALUES ('ilev_01SHIRT', 'iitem_01SHIRT', 'sloc_01', 4, NULL), ('ilev_01PANTS', 'iitem_01PANTS', 'sloc_01', 2, '2024-01-01');

-- each error says what to do next: add a key, change the type of the stock, name the item
-- column of the reservation, fill columns; the quantity of a reservation may stay numeric
SELECT inventory.attach('inventory_level', 'reservation_item', item_id => 'inventory_item_id', stock => 'stocked_quantity');
ALTER TABLE inventory_level ADD UNIQUE (inventory_item_id);
SELECT inventory.attach('inventory_level', 'reservation_item', item_id => 'inventory_item_id', stock => 'stocked_quantity');
ALTER TABLE inventory_level ALTER COLUMN stocked_quantity TYPE bigint;
SELECT inventory.attach('inventory_level', 'reservation_item', item_id => 'inventory_item_id', stock => 'stocked_quantity');
SELECT inventory.attach('inventory_level', 'reservation_item', item_id => 'inventory_item_id', stock => 'stocked_quantity',
						order_item_id => 'inventory_item_id');
SELECT inventory.attach('inventory_level', 'reservation_item', item_id => 'inventory_item_id', stock => 'stocked_quantity',
						order_item_id => 'inventory_item_id', sellable => 'deleted_at IS NULL',
						order_columns => '{id,line_item_id,location_id,raw_quantity,metadata}');

-- completeCartWorkflow, step reserveInventory
SELECT * FROM buy_cart('cus_01ADA',
	'[{"id": "resitem_01", "item_id": "iitem_01SHIRT", "quantity": 1, "line_item_id": "ordli_1", "raw_quantity": {"value": "1", "precision": 20}},
	  {"id": "resitem_02", "item_id": "iitem_01SHIRT", "quantity": 2, "line_item_id": "ordli_2", "raw_quantity": {"value": "2", "precision": 20}, "metadata": {"print": "Ada"}}]',
	'cart_01', '{"location_id": "sloc_01"}');
-- one shirt is left, and the cart has two lines of one
SELECT * FROM buy_cart('cus_01BOB',
	'[{"id": "resitem_03", "item_id": "iitem_01SHIRT", "raw_quantity": {"value": "1"}},
	  {"id": "resitem_04", "item_id": "iitem_01SHIRT", "raw_quantity": {"value": "1"}}]',
	'cart_02', '{"location_id": "sloc_01"}');
\echo :SQLSTATE
-- the level of the pants was soft-deleted
SELECT buy_item('cus_01BOB', 'iitem_01PANTS', 1, 'cart_03', '{"id": "resitem_05", "location_id": "sloc_01", "raw_quantity": {}}');
\echo :SQLSTATE
-- a duplicate key is refused by the shop's table, and nothing is taken
SELECT buy_item('cus_01BOB', 'iitem_01SHIRT', 1, 'cart_04', '{"id": "resitem_01", "location_id": "sloc_01", "raw_quantity": {}}');
\echo :SQLSTATE

SELECT id, line_item_id, inventory_item_id, quantity, raw_quantity, metadata FROM reservation_item ORDER BY id;
SELECT id, stocked_quantity FROM inventory_level ORDER BY id;
SELECT item_id, delta, kind, user_id, order_id FROM inventory_level_stock.movements WHERE kind <> 'opening' ORDER BY movement_id;
SELECT * FROM inventory.verify('inventory_level');
