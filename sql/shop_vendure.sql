-- Tests of a Vendure shop: a stock_level row for each variant and location, quoted camelCase
-- from TypeORM, custom fields as prefixed columns.  Order lines exist while the cart is
-- filled, so the sale is the allocation and orders are not bound.  There is one location, so
-- the key of the stock row is its foreign key to the variant, and callers name variants.
-- Laid out after Vendure's entity reference.
\set SHOW_CONTEXT never
CREATE SCHEMA shop_vendure;
SET search_path = shop_vendure;

CREATE TABLE stock_location (id serial PRIMARY KEY, name varchar NOT NULL, description varchar NOT NULL);
CREATE TABLE product_variant (
	"createdAt" timestamp(6) NOT NULL DEFAULT now(),
	"updatedAt" timestamp(6) NOT NULL DEFAULT now(),
	"deletedAt" timestamp,
	enabled boolean NOT NULL DEFAULT true,
	sku varchar NOT NULL,
	"outOfStockThreshold" integer NOT NULL DEFAULT 0,
	"trackInventory" varchar NOT NULL DEFAULT 'INHERIT',
	id serial PRIMARY KEY
);
CREATE TABLE stock_level (
	"createdAt" timestamp(6) NOT NULL DEFAULT now(),
	"updatedAt" timestamp(6) NOT NULL DEFAULT now(),
	"stockOnHand" integer,
	"stockAllocated" integer NOT NULL DEFAULT 0,
	id serial PRIMARY KEY,
	"productVariantId" integer NOT NULL REFERENCES product_variant ON DELETE CASCADE,
	"stockLocationId" integer NOT NULL REFERENCES stock_location ON DELETE CASCADE,
	"customFieldsThreshold" integer NOT NULL DEFAULT 0,
	"customFieldsEnabled" boolean NOT NULL DEFAULT true,
	"customFieldsDeletedat" timestamp(6)
);
CREATE UNIQUE INDEX "IDX_stock_level_variant_location" ON stock_level ("productVariantId", "stockLocationId");
CREATE TABLE allocation (
	id serial PRIMARY KEY,
	"productVariantId" integer NOT NULL REFERENCES product_variant,
	"orderCode" varchar NOT NULL,
	quantity integer NOT NULL
);
-- a trigger copies what a sale needs to know to the stock row
CREATE FUNCTION mirror() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	UPDATE stock_level SET "customFieldsThreshold" = NEW."outOfStockThreshold",
		"customFieldsEnabled" = NEW.enabled, "customFieldsDeletedat" = NEW."deletedAt",
		"stockOnHand" = CASE WHEN NEW."trackInventory" <> 'FALSE' THEN coalesce("stockOnHand", 0) END
	 WHERE "productVariantId" = NEW.id;
	RETURN NULL;
END $$;
CREATE TRIGGER mirror AFTER UPDATE ON product_variant FOR EACH ROW EXECUTE FUNCTION mirror();

INSERT INTO stock_location (name, description) VALUES ('Default', '');
INSERT INTO product_variant (id, sku) VALUES (101, 'DESK'), (102, 'CHAIR'), (103, 'PDF'), (104, 'LAMP');
INSERT INTO stock_level ("productVariantId", "stockLocationId", "stockOnHand")
VALUES (101, 1, 5), (102, 1, 5), (103, 1, 0), (104, 1, 5);
UPDATE product_variant SET "outOfStockThreshold" = 2 WHERE id = 102;	-- safety stock
UPDATE product_variant SET "trackInventory" = 'FALSE' WHERE id = 103;
UPDATE product_variant SET enabled = false WHERE id = 104;

-- not a key while there may be a second location
SELECT inventory.attach('stock_level', item_id => 'productVariantId', stock => 'stockOnHand');
ALTER TABLE stock_level ADD CONSTRAINT one_location UNIQUE ("productVariantId");
SELECT inventory.attach('stock_level', item_id => 'productVariantId', stock => 'stockOnHand',
	stock_floor => 'customFieldsThreshold', sellable => '"customFieldsDeletedat" IS NULL AND "customFieldsEnabled"');

-- PaymentAuthorized: StockMovementService.createAllocationsForOrder
BEGIN;
INSERT INTO allocation ("productVariantId", "orderCode", quantity)
SELECT item_id, order_id, quantity
  FROM buy_cart('7', '[{"item_id": 103, "quantity": 50}, {"item_id": 102, "quantity": 3}, {"item_id": 101}]',
				'T_1', '{"order_id": "DK3F9A"}')
RETURNING "productVariantId", "orderCode", quantity;
COMMIT;
-- two chairs are safety stock, the lamp is disabled
SELECT * FROM try_buy_cart('8', '[{"item_id": 101}, {"item_id": 102}, {"item_id": 104}]');
SELECT buy_item('8', 102);
\echo :SQLSTATE
SELECT buy_item('8', 104);
\echo :SQLSTATE
-- the admin UI lowers the threshold
UPDATE product_variant SET "outOfStockThreshold" = 0 WHERE id = 102;
SELECT available_stock(102) AS chairs, available_stock(103) AS pdfs;	-- pdfs are not tracked
SELECT available_stock(104);
SELECT buy_item('8', 102, 2, order_data => '{"order_id": "ZZ81QK"}');
-- the admin UI deletes a variant
UPDATE product_variant SET "deletedAt" = now() WHERE id = 101;
SELECT buy_item('8', 101);
\echo :SQLSTATE
-- a variant becomes tracked: NULL is replaced by a number
UPDATE product_variant SET "trackInventory" = 'TRUE' WHERE id = 103;
SELECT stock_level_stock.restock_item(103, 2);

SELECT "productVariantId", "stockOnHand" FROM stock_level ORDER BY 1;
SELECT item_id, delta, kind, user_id, order_id FROM stock_level_stock.movements WHERE kind <> 'opening' ORDER BY movement_id;
SELECT * FROM inventory.verify('stock_level');
