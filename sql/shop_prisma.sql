-- Tests of a Prisma shop: tables and columns in quoted mixed case, text keys (cuid) made by
-- the client, "updatedAt" NOT NULL without a default, an enum, TIMESTAMP(3).  Laid out after
-- the SQL that Prisma Migrate writes for Product, Order and OrderItem models.  The order is
-- inserted first, in the same transaction.
\set SHOW_CONTEXT never
CREATE SCHEMA shop_prisma;
SET search_path = shop_prisma;

CREATE TYPE "OrderStatus" AS ENUM ('PENDING', 'PAID', 'CANCELLED');
CREATE TABLE "Product" (
	"id" TEXT NOT NULL,
	"name" TEXT NOT NULL,
	"price" DECIMAL(65, 30) NOT NULL,
	"stock" INTEGER NOT NULL DEFAULT 0,
	"createdAt" TIMESTAMP(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
	"updatedAt" TIMESTAMP(3) NOT NULL,
	CONSTRAINT "Product_pkey" PRIMARY KEY ("id")
);
CREATE TABLE "Order" (
	"id" TEXT NOT NULL,
	"userId" TEXT NOT NULL,
	"status" "OrderStatus" NOT NULL DEFAULT 'PENDING',
	"createdAt" TIMESTAMP(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
	"updatedAt" TIMESTAMP(3) NOT NULL,
	CONSTRAINT "Order_pkey" PRIMARY KEY ("id")
);
CREATE TABLE "OrderItem" (
	"id" TEXT NOT NULL,
	"orderId" TEXT NOT NULL,
	"productId" TEXT NOT NULL,
	"quantity" INTEGER NOT NULL,
	"price" DECIMAL(65, 30) NOT NULL,
	"status" "OrderStatus" NOT NULL DEFAULT 'PENDING',
	"updatedAt" TIMESTAMP(3) NOT NULL,
	CONSTRAINT "OrderItem_pkey" PRIMARY KEY ("id")
);
ALTER TABLE "OrderItem" ADD CONSTRAINT "OrderItem_orderId_fkey" FOREIGN KEY ("orderId")
	REFERENCES "Order" ("id") ON DELETE RESTRICT ON UPDATE CASCADE;
ALTER TABLE "OrderItem" ADD CONSTRAINT "OrderItem_productId_fkey" FOREIGN KEY ("productId")
	REFERENCES "Product" ("id") ON DELETE RESTRICT ON UPDATE CASCADE;

INSERT INTO "Product" ("id", "name", "price", "stock", "updatedAt")
VALUES ('ckp-cap', 'Cap', 19.90, 3, '2024-05-01'), ('ckp-tee', 'Tee', 29.90, 5, '2024-05-01');

SELECT inventory.attach('"Product"', '"OrderItem"');
SELECT inventory.attach('"Product"', '"OrderItem"',
						order_columns => '{id,orderId,price,status,updatedAt}');

-- prisma.$transaction: order.create, then $queryRaw of buy_cart
BEGIN;
INSERT INTO "Order" ("id", "userId", "updatedAt") VALUES ('cko-1', 'cku-ada', '2024-05-02');
SELECT * FROM buy_cart('cku-ada',
	'[{"id": "cki-2", "item_id": "ckp-tee", "quantity": 2, "price": 29.9},
	  {"id": "cki-1", "item_id": "ckp-cap", "quantity": 2, "price": 19.90, "status": "PAID"}]',
	'cko-1', '{"orderId": "cko-1", "updatedAt": "2024-05-02T09:30:00.250Z"}');
COMMIT;
-- the answer was lost, and the client retries with its key
SELECT item_id, quantity, order_id, replayed FROM buy_cart('cku-ada',
	'[{"id": "cki-2", "item_id": "ckp-tee", "quantity": 2, "price": 29.9},
	  {"id": "cki-1", "item_id": "ckp-cap", "quantity": 2, "price": 19.90, "status": "PAID"}]',
	'cko-1', '{"orderId": "cko-1", "updatedAt": "2024-05-02T09:30:00.250Z"}');

-- one cap is left: the second cart is refused, and its order is rolled back
BEGIN;
INSERT INTO "Order" ("id", "userId", "updatedAt") VALUES ('cko-2', 'cku-bob', '2024-05-02');
SELECT * FROM buy_cart('cku-bob',
	'[{"id": "cki-3", "item_id": "ckp-tee", "price": 29.9},
	  {"id": "cki-4", "item_id": "ckp-cap", "price": 19.9, "quantity": 2}]',
	order_data => '{"orderId": "cko-2", "updatedAt": "2024-05-02"}');
\echo :SQLSTATE
ROLLBACK;
-- the application must give the key
SELECT buy_item('cku-bob', 'ckp-tee', 1, NULL,
	'{"orderId": "cko-1", "price": 29.9, "updatedAt": "2024-05-02"}');
\echo :SQLSTATE

SELECT "id", "userId", "status" FROM "Order";
SELECT "id", "orderId", "productId", "quantity", "price"::numeric(8, 2), "status", "updatedAt"
  FROM "OrderItem" ORDER BY "id";
SELECT "id", "stock" FROM "Product" ORDER BY "id";
SELECT item_id, delta, kind, user_id, order_id FROM "Product_stock".movements WHERE kind <> 'opening' ORDER BY movement_id;
SELECT * FROM inventory.verify('"Product"');
