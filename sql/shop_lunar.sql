-- Tests of a Lunar shop (Laravel): stock and backorder in product_variants, order_lines that
-- refer to the item by a morph pair (purchasable_type, purchasable_id) without a foreign key,
-- many NOT NULL columns, nullable timestamps(0), soft deletes.  Laid out after the table
-- descriptions in Lunar's documentation.
\set SHOW_CONTEXT never
CREATE SCHEMA shop_lunar;
SET search_path = shop_lunar;

CREATE TABLE lunar_product_variants (
	id bigserial PRIMARY KEY,
	product_id bigint NOT NULL,
	tax_class_id bigint NOT NULL,
	sku varchar(255),
	unit_quantity integer NOT NULL DEFAULT 1,
	shippable boolean NOT NULL DEFAULT true,
	stock integer NOT NULL DEFAULT 0,
	backorder integer NOT NULL DEFAULT 0,
	purchasable varchar(255) NOT NULL DEFAULT 'always',
	created_at timestamp(0),
	updated_at timestamp(0),
	deleted_at timestamp(0)
);
CREATE TABLE lunar_orders (
	id bigserial PRIMARY KEY,
	user_id bigint,
	status varchar(255) NOT NULL,
	reference varchar(255) UNIQUE,
	total bigint NOT NULL,
	created_at timestamp(0),
	updated_at timestamp(0)
);
CREATE TABLE lunar_order_lines (
	id bigserial PRIMARY KEY,
	order_id bigint NOT NULL REFERENCES lunar_orders,
	purchasable_type varchar(255) NOT NULL,
	purchasable_id bigint NOT NULL,
	type varchar(255) NOT NULL,
	description varchar(255) NOT NULL,
	option varchar(255),
	identifier varchar(255) NOT NULL,
	unit_price bigint NOT NULL,
	unit_quantity smallint NOT NULL DEFAULT 1,
	quantity integer NOT NULL,
	sub_total bigint NOT NULL,
	discount_total bigint NOT NULL DEFAULT 0,
	tax_breakdown json NOT NULL,
	tax_total bigint NOT NULL,
	total bigint NOT NULL,
	notes text,
	meta json,
	created_at timestamp(0),
	updated_at timestamp(0)
);
CREATE INDEX ON lunar_order_lines (purchasable_type, purchasable_id);
INSERT INTO lunar_product_variants (product_id, tax_class_id, sku, stock, backorder, purchasable, deleted_at)
VALUES (1, 1, 'BOOT-42', 4, 0, 'in_stock', NULL), (1, 1, 'BOOT-43', 1, 2, 'in_stock_or_on_backorder', NULL),
	   (2, 1, 'SANDAL', 9, 0, 'in_stock', '2024-01-01');

-- attach cannot tell which column of the lines is the variant
SELECT inventory.attach('lunar_product_variants', 'lunar_order_lines', ledger_schema => 'shop_lunar_stock');
-- a generated column stock_floor says how far below zero a variant may go
ALTER TABLE lunar_product_variants ADD COLUMN stock_floor integer
	GENERATED ALWAYS AS (CASE purchasable WHEN 'in_stock_or_on_backorder' THEN -backorder ELSE 0 END) STORED;
SELECT inventory.attach('lunar_product_variants', 'lunar_order_lines', order_item_id => 'purchasable_id',
	ledger_schema => 'shop_lunar_stock', user_id_type => 'bigint', sellable => 'deleted_at IS NULL',
	order_columns => '{order_id,purchasable_type,type,description,option,identifier,unit_price,sub_total,
		tax_breakdown,tax_total,total,meta,created_at,updated_at}');

-- CreateOrder: inserts the order, then a line per cart line, in DB::transaction
\set line '"purchasable_type": "product_variant", "type": "physical", "tax_breakdown": [{"rate": 20.0, "name": "VAT"}]'
BEGIN;
INSERT INTO lunar_orders (user_id, status, reference, total) VALUES (5, 'awaiting-payment', 'R-1', 30000) RETURNING id \gset
SELECT * FROM buy_cart(5, ('[
	{"item_id": 1, "quantity": 1, "description": "Boot", "option": "42", "identifier": "BOOT-42",
	 "unit_price": 10000, "sub_total": 10000, "tax_total": 0, "total": 10000, "meta": {"gift": true}},
	{"item_id": 2, "quantity": 2, "description": "Boot", "option": "43", "identifier": "BOOT-43",
	 "unit_price": 10000, "sub_total": 20000, "tax_total": 0, "total": 20000}]')::jsonb,
	order_data => format('{"order_id": %s, "created_at": "2024-05-02 10:00:00", "updated_at": "2024-05-02 10:00:00", %s}', :id, :'line')::jsonb);
COMMIT;
-- size 43 can be backordered once more, not twice; the sandal was deleted
SELECT * FROM try_buy_cart(NULL, '[{"item_id": 2, "quantity": 2}, {"item_id": 1}, {"item_id": 3}]',
	order_data => '{"order_id": 1, "purchasable_type": "product_variant", "type": "physical", "tax_breakdown": [],
		"description": "", "identifier": "", "unit_price": 0, "sub_total": 0, "tax_total": 0, "total": 0}');
SELECT buy_item(5, 2, 2, NULL, ('{"order_id": 1, "description": "Boot", "identifier": "BOOT-43",
	"unit_price": 10000, "sub_total": 20000, "tax_total": 0, "total": 20000, ' || :'line' || '}')::jsonb);
\echo :SQLSTATE

SELECT order_id, purchasable_type, purchasable_id, quantity, identifier, option, total, discount_total,
	   tax_breakdown, meta, created_at FROM lunar_order_lines ORDER BY id;
SELECT sku, stock, backorder, stock_floor FROM lunar_product_variants ORDER BY id;
SELECT item_id, delta, kind, user_id, order_id FROM shop_lunar_stock.movements WHERE kind <> 'opening' ORDER BY movement_id;
SELECT * FROM inventory.verify('lunar_product_variants');
