-- Tests of attach with order_writes follow where columns of lines and headers are NOT NULL and the
-- shop alone fills them: the shop's own orders are followed, and attach warns that calls cannot.
\set SHOW_CONTEXT never
SET client_min_messages = warning;
CREATE SCHEMA follow_required;
SET search_path = follow_required, pg_catalog;
CREATE TABLE "Product" (id text PRIMARY KEY, stock int NOT NULL);
CREATE TABLE "Order" (id text PRIMARY KEY, "userId" text NOT NULL, "updatedAt" timestamp(3) NOT NULL);
CREATE TABLE "OrderItem" (id text PRIMARY KEY, "orderId" text NOT NULL REFERENCES "Order" ON DELETE CASCADE,
	"productId" text NOT NULL REFERENCES "Product", quantity int NOT NULL, price numeric NOT NULL);
CREATE INDEX ON "OrderItem" ("orderId");
INSERT INTO "Product" VALUES ('mug', 3);
\echo '-- without follow it is refused'
SELECT inventory.attach('"Product"', '"OrderItem"', order_header => '"Order"', ledger_schema => 'follow_required_stock');
\echo '-- with follow one call is enough'
SELECT inventory.attach('"Product"', '"OrderItem"', order_header => '"Order"', order_writes => 'follow', order_final => 'false',
	ledger_schema => 'follow_required_stock');
INSERT INTO "Order" VALUES ('o1', 'ann', now());
INSERT INTO "OrderItem" VALUES ('i1', 'o1', 'mug', 2, 9);
INSERT INTO "OrderItem" VALUES ('i2', 'o1', 'mug', 2, 9);
UPDATE "OrderItem" SET quantity = 1;
SELECT stock FROM "Product";
\echo '-- a purchase by call says what is missing, and takes nothing'
SELECT buy_item('bob', 'mug');
SELECT stock FROM "Product";
SELECT * FROM inventory.verify('"Product"');
\echo '-- the way out of follow names them again'
SELECT inventory.attach('"Product"', '"OrderItem"', order_header => '"Order"', order_writes => 'record', reset => true,
	ledger_schema => 'follow_required_stock');
SELECT inventory.detach('"Product"');
DROP SCHEMA follow_required, follow_required_stock CASCADE;
