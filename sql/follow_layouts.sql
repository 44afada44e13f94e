-- Tests of order_writes follow in the layouts of known shops: each shop's own SQL places, edits,
-- cancels, deletes and archives orders, and the stock and verify agree after each statement.
\set SHOW_CONTEXT never
\set VERBOSITY terse
\pset format unaligned
\pset tuples_only on
SET client_min_messages = error;
SET timezone = 'UTC';
CREATE SCHEMA layouts;
CREATE FUNCTION layouts.now_is(items regclass) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	stock text;
	problems text;
BEGIN
	EXECUTE $q$SELECT string_agg(coalesce(on_hand::text, '-'), ' ' ORDER BY item_id) FROM layout_ledger.levels$q$ INTO stock;
	SELECT string_agg(concat_ws(' ', v.item_id, v.problem, v.expected, v.actual), ', ') INTO problems FROM inventory.verify(items) AS v;
	RETURN stock || coalesce(', verify: ' || problems, '');
END
$$;
-- Make every item of a store hot.
CREATE PROCEDURE layouts.heat(items regclass) LANGUAGE plpgsql AS $$
DECLARE
	b inventory.bindings;
BEGIN
	SELECT * INTO b FROM inventory.bindings AS s WHERE s.items = heat.items;
	EXECUTE format('SELECT inventory.heat(%L, i.%I) FROM %s AS i WHERE i.%I IS NOT NULL', items::oid, b.item_id, items, b.stock);
END
$$;
-- Say what a step of a shop led to; where every item is hot, at the end.
CREATE TABLE layouts.said (number int GENERATED ALWAYS AS IDENTITY, words text);
CREATE PROCEDURE layouts.say(words text) LANGUAGE plpgsql AS $$
BEGIN
	IF current_setting('layouts.hot', true) THEN
		INSERT INTO layouts.said (words) VALUES (words);
	ELSE
		RAISE INFO '%', words;
	END IF;
END
$$;
-- Run statements of a shop; what stands before a colon says what they do.
CREATE PROCEDURE layouts.drive(items regclass, VARIADIC statements text[]) LANGUAGE plpgsql AS $$
DECLARE
	statement text;
	problem text;
BEGIN
	IF current_setting('layouts.hot', true) THEN
		CALL layouts.heat(items);
	END IF;
	FOREACH statement IN ARRAY statements LOOP
		problem := NULL;
		BEGIN
			EXECUTE substring(statement FROM ':(.*)');
		EXCEPTION WHEN OTHERS THEN
			problem := concat_ws(' ', '', SQLSTATE, SQLERRM);
		END;
		CALL layouts.say(format('%s:%s %s', split_part(statement, ':', 1), problem, layouts.now_is(items)));
		COMMIT;
	END LOOP;
END
$$;

\echo '-- tutorial: a row is one unit'
CREATE SCHEMA layout;
SET search_path = layout;
CREATE TABLE items (id uuid PRIMARY KEY DEFAULT gen_random_uuid(), name text NOT NULL, price numeric(10, 2) NOT NULL, stock integer NOT NULL DEFAULT 0 CHECK (stock >= 0));
CREATE TABLE orders (id uuid PRIMARY KEY DEFAULT gen_random_uuid(), user_id uuid NOT NULL, item_id uuid NOT NULL REFERENCES items (id),
	status text NOT NULL DEFAULT 'pending', created_at timestamptz NOT NULL DEFAULT now());
INSERT INTO items VALUES ('00000000-0000-0000-0000-000000000001', 'mug', 9, 3), ('00000000-0000-0000-0000-000000000002', 'cup', 8, 3);
SELECT inventory.attach('items', 'orders', order_writes => 'follow', ledger_schema => 'layout_ledger', api_schema => 'layout',
	order_units => $$CASE WHEN line.status <> 'cancelled' THEN 1 ELSE 0 END$$, order_final => $$line.status IN ('shipped', 'delivered')$$);
CALL layouts.drive('items',
	$$placed: INSERT INTO orders (user_id, item_id) SELECT gen_random_uuid(), '00000000-0000-0000-0000-000000000001' FROM generate_series(1, 3)$$,
	$$sold out: INSERT INTO orders (user_id, item_id) SELECT gen_random_uuid(), '00000000-0000-0000-0000-000000000001'$$,
	$$cancelled: UPDATE orders SET status = 'cancelled'$$,
	$$edited: UPDATE orders SET status = 'pending', item_id = '00000000-0000-0000-0000-000000000002'$$,
	$$shipped: UPDATE orders SET status = 'shipped' WHERE ctid = (SELECT min(ctid) FROM orders)$$,
	$$deleted and archived: DELETE FROM orders$$);
DROP SCHEMA layout, layout_ledger CASCADE;

\echo '-- Supabase: customers are deleted with their orders'
CREATE SCHEMA layout;
CREATE TABLE layout.users (id uuid PRIMARY KEY, email text);
CREATE TABLE products (id uuid PRIMARY KEY DEFAULT gen_random_uuid(), name text NOT NULL, published boolean NOT NULL DEFAULT true, stock integer NOT NULL DEFAULT 0, updated_at timestamptz);
CREATE TABLE orders (id uuid PRIMARY KEY DEFAULT gen_random_uuid(), user_id uuid NOT NULL REFERENCES users ON DELETE CASCADE, product_id uuid NOT NULL REFERENCES products,
	quantity integer NOT NULL CHECK (quantity > 0), note text, inserted_at timestamptz NOT NULL DEFAULT timezone('utc', now()));
INSERT INTO users VALUES ('00000000-0000-0000-0000-00000000000a', 'ada'), ('00000000-0000-0000-0000-00000000000b', 'bob');
INSERT INTO products (id, name, stock) VALUES ('00000000-0000-0000-0000-000000000001', 'mug', 5);
SELECT inventory.attach('products', 'orders', order_writes => 'follow', ledger_schema => 'layout_ledger', api_schema => 'layout', sellable => 'published', order_columns => '{note}',
	order_final => $$line.note = 'done'$$);
CALL layouts.drive('products',
	$$placed: INSERT INTO orders (user_id, product_id, quantity) SELECT id, '00000000-0000-0000-0000-000000000001', 2 FROM users$$,
	$$not for sale: UPDATE products SET published = false$$,
	$$edited, refused: UPDATE orders SET quantity = 3$$,
	$$for sale: UPDATE products SET published = true$$,
	$$edited: UPDATE orders SET quantity = 3 WHERE user_id = '00000000-0000-0000-0000-00000000000a'$$,
	$$done: UPDATE orders SET note = 'done' WHERE user_id = '00000000-0000-0000-0000-00000000000a'$$,
	$$deleted and archived: DELETE FROM users$$);
DROP SCHEMA layout, layout_ledger CASCADE;

\echo '-- partitioned by time'
CREATE SCHEMA layout;
CREATE TABLE tickets (id smallint PRIMARY KEY, title text NOT NULL, stock smallint NOT NULL, purchase_limit integer);
CREATE TABLE orders (id bigserial, created_at timestamptz NOT NULL DEFAULT now(), user_id bigint NOT NULL, ticket_id smallint NOT NULL REFERENCES tickets, quantity smallint NOT NULL DEFAULT 1,
	state text NOT NULL DEFAULT 'paid', PRIMARY KEY (id, created_at)) PARTITION BY RANGE (created_at);
CREATE TABLE orders_2024_05 PARTITION OF orders FOR VALUES FROM ('2024-05-01 UTC') TO ('2024-06-01 UTC');
CREATE TABLE orders_2024_06 (quantity smallint NOT NULL DEFAULT 1, state text NOT NULL DEFAULT 'paid', dropped text, user_id bigint NOT NULL, ticket_id smallint NOT NULL,
	created_at timestamptz NOT NULL DEFAULT now(), id bigint NOT NULL);
ALTER TABLE orders_2024_06 DROP COLUMN dropped;
ALTER TABLE orders ATTACH PARTITION orders_2024_06 FOR VALUES FROM ('2024-06-01 UTC') TO ('2024-07-01 UTC');
INSERT INTO tickets VALUES (1, 'stalls', 20, NULL), (2, 'box', 6, 4);
SELECT inventory.attach('tickets', 'orders', order_id => 'id', order_writes => 'follow', ledger_schema => 'layout_ledger', api_schema => 'layout', order_columns => '{created_at}',
	order_units => $$CASE WHEN line.state <> 'cancelled' THEN line.quantity ELSE 0 END$$, order_final => $$line.state = 'used'$$);
CALL layouts.drive('tickets',
	$$placed: INSERT INTO orders (created_at, user_id, ticket_id, quantity) VALUES ('2024-05-02', 1, 1, 2), ('2024-06-02', 1, 2, 3), ('2024-06-03', 2, 1, 1)$$,
	$$over the limit: INSERT INTO orders (created_at, user_id, ticket_id, quantity) VALUES ('2024-06-04', 1, 2, 2)$$,
	$$edited: UPDATE orders SET quantity = 4 WHERE id = 1$$,
	$$moved: UPDATE orders SET created_at = '2024-06-20' WHERE id = 1$$,
	$$cancelled: UPDATE orders SET state = 'cancelled' WHERE id = 3$$,
	$$used: UPDATE orders SET state = 'used' WHERE id IN (1, 2)$$,
	$$deleted: DELETE FROM orders WHERE id IN (1, 3)$$,
	$$archived: ALTER TABLE orders DETACH PARTITION orders_2024_06$$,
	$$closed: SELECT layout_ledger.close_ledger(now())$$,
	$$brought back: ALTER TABLE orders ATTACH PARTITION orders_2024_06 FOR VALUES FROM ('2024-06-01 UTC') TO ('2024-07-01 UTC')$$);
DROP SCHEMA layout, layout_ledger CASCADE;

\echo '-- odd names'
CREATE SCHEMA layout;
CREATE TABLE "select" ("user" text PRIMARY KEY, "it's" integer, "v""n" integer NOT NULL DEFAULT 0, "$body$" boolean NOT NULL DEFAULT true);
CREATE TABLE "order" ("group" serial PRIMARY KEY, "default" text NOT NULL, "table" text NOT NULL REFERENCES "select", "end" integer NOT NULL, "a\b" text, "c,d}" text);
INSERT INTO "select" VALUES ('x''y', 5), ('%s', 5);
SELECT inventory.attach('"select"', '"order"', item_id => 'user', stock => 'it''s', version => 'v"n', order_user_id => 'default', order_item_id => 'table', order_quantity => 'end',
	ledger_schema => 'layout_ledger', store_name => 'it''s a "store" $inventory$ \ %s', order_writes => 'follow', api_schema => 'layout',
	order_units => $$CASE WHEN line."a\b" IS NULL THEN line."end" ELSE 0 END$$, order_final => $$line."c,d}" = '$inventory$'$$);
CALL layouts.drive('"select"',
	$$placed: INSERT INTO "order" ("default", "table", "end") VALUES ('O''Hara', 'x''y', 2), ('$', '%s', 1)$$,
	$$edited: UPDATE "order" SET "end" = 3$$,
	$$cancelled: UPDATE "order" SET "a\b" = '\' WHERE "group" = 1$$,
	$$shipped: UPDATE "order" SET "c,d}" = '$inventory$' WHERE "group" = 2$$,
	$$deleted and archived: DELETE FROM "order"$$);
DROP SCHEMA layout, layout_ledger CASCADE;

\echo '-- Rails: optimistic locks, soft deletes'
CREATE SCHEMA layout;
CREATE TABLE products (id bigserial PRIMARY KEY, name character varying, price numeric(8, 2), stock integer DEFAULT 0 NOT NULL, lock_version integer DEFAULT 0 NOT NULL,
	created_at timestamp(6) without time zone NOT NULL, updated_at timestamp(6) without time zone NOT NULL);
CREATE TABLE orders (id bigserial PRIMARY KEY, user_id bigint NOT NULL, product_id bigint NOT NULL REFERENCES products (id), quantity integer DEFAULT 1 NOT NULL, discarded_at timestamp(6), shipped_at timestamp(6),
	created_at timestamp(6) without time zone NOT NULL DEFAULT now(), updated_at timestamp(6) without time zone NOT NULL DEFAULT now());
INSERT INTO products VALUES (1, 'mug', 9, 5, 0, now(), now());
SELECT inventory.attach('products', 'orders', version => 'lock_version', ledger_schema => 'layout_ledger', order_writes => 'follow', api_schema => 'layout',
	order_units => $$CASE WHEN line.discarded_at IS NULL THEN line.quantity ELSE 0 END$$, order_final => $$line.shipped_at IS NOT NULL$$);
CALL layouts.drive('products',
	$$placed: INSERT INTO orders (user_id, product_id, quantity) VALUES (1, 1, 2) RETURNING id$$,
	$$counted by the shop too: UPDATE products SET stock = 3, lock_version = 1, updated_at = now() WHERE id = 1$$,
	$$edited: UPDATE orders SET quantity = 4, updated_at = now() WHERE orders.id = 1$$,
	$$discarded: UPDATE orders SET discarded_at = '2024-05-02' WHERE orders.id = 1$$,
	$$kept: UPDATE orders SET discarded_at = NULL WHERE orders.id = 1$$,
	$$shipped: UPDATE orders SET shipped_at = '2024-05-03' WHERE orders.id = 1$$,
	$$archived: DELETE FROM orders WHERE orders.id = 1$$);
SELECT lock_version FROM products;
DROP SCHEMA layout, layout_ledger CASCADE;

\echo '-- Prisma: a header, enums, keys of the application'
CREATE SCHEMA layout;
CREATE TYPE "OrderStatus" AS ENUM ('PENDING', 'PAID', 'SHIPPED', 'CANCELLED');
CREATE TABLE "Product" ("id" TEXT NOT NULL PRIMARY KEY, "name" TEXT NOT NULL, "price" DECIMAL(65, 30) NOT NULL, "stock" INTEGER NOT NULL DEFAULT 0, "updatedAt" TIMESTAMP(3) NOT NULL);
CREATE TABLE "Order" ("id" TEXT NOT NULL PRIMARY KEY, "userId" TEXT NOT NULL, "status" "OrderStatus" NOT NULL DEFAULT 'PENDING', "updatedAt" TIMESTAMP(3) NOT NULL DEFAULT now());
CREATE TABLE "OrderItem" ("id" TEXT NOT NULL PRIMARY KEY, "orderId" TEXT NOT NULL REFERENCES "Order" ("id") ON DELETE RESTRICT ON UPDATE CASCADE,
	"productId" TEXT NOT NULL REFERENCES "Product" ("id") ON DELETE RESTRICT ON UPDATE CASCADE, "quantity" INTEGER NOT NULL, "price" DECIMAL(65, 30) NOT NULL);
INSERT INTO "Product" VALUES ('ckp-1', 'mug', 9, 5, now()), ('ckp-2', 'cup', 9, 5, now());
\if :{?hot}
\else
SELECT inventory.attach('"Product"', '"OrderItem"', ledger_schema => 'layout_ledger', api_schema => 'layout', order_writes => 'follow', order_header => '"Order"',
	order_columns => '{id,price}', header_columns => '{id,status,updatedAt}');
\endif
CREATE INDEX ON "OrderItem" ("orderId");
SELECT inventory.attach('"Product"', '"OrderItem"', ledger_schema => 'layout_ledger', api_schema => 'layout', order_writes => 'follow', order_header => '"Order"',
	order_columns => '{id,price}', header_columns => '{id,status,updatedAt}',
	order_units => $$CASE WHEN header.status <> 'CANCELLED' THEN line.quantity ELSE 0 END$$, order_final => $$header.status = 'SHIPPED'$$);
CALL layouts.drive('"Product"',
	$$order: INSERT INTO "Order" ("id", "userId") VALUES ('cko-1', 'cku-ada'), ('cko-2', 'cku-bob')$$,
	$$placed: INSERT INTO "OrderItem" VALUES ('cki-1', 'cko-1', 'ckp-1', 2, 9), ('cki-2', 'cko-1', 'ckp-2', 1, 9), ('cki-3', 'cko-2', 'ckp-1', 1, 9)$$,
	$$edited: UPDATE "OrderItem" SET "quantity" = "quantity" + 1 WHERE "orderId" = 'cko-1'$$,
	$$cancelled: UPDATE "Order" SET "status" = 'CANCELLED' WHERE "id" = 'cko-1'$$,
	$$another key: UPDATE "Order" SET "id" = 'cko-3' WHERE "id" = 'cko-2'$$,
	$$shipped: UPDATE "Order" SET "status" = 'SHIPPED' WHERE "id" = 'cko-3'$$,
	$$deleted and archived: DELETE FROM "OrderItem"$$);
DROP SCHEMA layout, layout_ledger CASCADE;

\echo '-- Drizzle: drafts, generated columns, two items'
CREATE SCHEMA layout;
CREATE TYPE order_status AS ENUM ('draft', 'placed', 'refused');
CREATE TABLE products (id integer PRIMARY KEY GENERATED ALWAYS AS IDENTITY, name varchar(255) NOT NULL, stock integer DEFAULT 0 NOT NULL);
CREATE TABLE orders (id serial PRIMARY KEY NOT NULL, user_id integer NOT NULL, status order_status DEFAULT 'draft' NOT NULL, closed boolean DEFAULT false NOT NULL);
CREATE TABLE order_items (id integer PRIMARY KEY GENERATED ALWAYS AS IDENTITY, order_id integer NOT NULL REFERENCES orders (id) ON DELETE CASCADE, product_id integer NOT NULL REFERENCES products (id),
	substitute_id integer REFERENCES products (id), quantity integer NOT NULL, unit_price numeric(10, 2) NOT NULL, line_total numeric(12, 2) GENERATED ALWAYS AS (quantity * unit_price) STORED);
CREATE INDEX ON order_items (order_id);
INSERT INTO products (name, stock) VALUES ('mug', 5), ('cup', 5);
SELECT inventory.attach('products', 'order_items', order_item_id => 'product_id', ledger_schema => 'layout_ledger', api_schema => 'layout', order_writes => 'follow', order_header => 'orders',
	order_columns => '{unit_price,substitute_id}', header_columns => '{status}',
	order_units => $$CASE WHEN header.status = 'placed' THEN line.quantity ELSE 0 END$$, order_final => $$header.closed$$);
CALL layouts.drive('products',
	$$draft: WITH o AS (INSERT INTO orders (user_id) VALUES (7), (8) RETURNING id) INSERT INTO order_items (order_id, product_id, quantity, unit_price) SELECT o.id, p.id, 2, 3 FROM o, products AS p$$,
	$$placed: UPDATE orders SET status = 'placed'$$,
	$$edited: UPDATE order_items SET quantity = 1, unit_price = 4 WHERE order_id = 1$$,
	$$refused: UPDATE orders SET status = 'refused' WHERE id = 2$$,
	$$closed: UPDATE orders SET closed = true WHERE id = 1$$,
	$$deleted and archived: DELETE FROM orders$$);
DROP SCHEMA layout, layout_ledger CASCADE;

\echo '-- Lunar: lines that are no products, drafts, backorders'
CREATE SCHEMA layout;
CREATE TABLE lunar_product_variants (id bigserial PRIMARY KEY, sku varchar(255), stock integer NOT NULL DEFAULT 0, backorder integer NOT NULL DEFAULT 0, purchasable varchar(255) NOT NULL DEFAULT 'always', deleted_at timestamp(0),
	stock_floor integer GENERATED ALWAYS AS (CASE purchasable WHEN 'in_stock_or_on_backorder' THEN -backorder ELSE 0 END) STORED);
CREATE TABLE lunar_orders (id bigserial PRIMARY KEY, user_id bigint, status varchar(255) NOT NULL, placed_at timestamp(0), dispatched_at timestamp(0));
CREATE TABLE lunar_order_lines (id bigserial PRIMARY KEY, order_id bigint NOT NULL REFERENCES lunar_orders, purchasable_type varchar(255) NOT NULL, purchasable_id bigint NOT NULL,
	unit_quantity smallint NOT NULL DEFAULT 1, quantity integer NOT NULL);
CREATE INDEX ON lunar_order_lines (order_id);
INSERT INTO lunar_product_variants (sku, stock, backorder, purchasable) VALUES ('mug', 2, 3, 'in_stock_or_on_backorder'), ('cup', 2, 3, 'always');
SELECT inventory.attach('lunar_product_variants', 'lunar_order_lines', order_item_id => 'purchasable_id', ledger_schema => 'layout_ledger', api_schema => 'layout', sellable => 'deleted_at IS NULL',
	order_writes => 'follow', order_header => 'lunar_orders', order_columns => '{purchasable_type}', header_columns => '{status}',
	order_units => $$CASE WHEN header.placed_at IS NOT NULL AND line.purchasable_type = 'product_variant' THEN line.quantity ELSE 0 END$$, order_final => $$header.dispatched_at IS NOT NULL$$);
CALL layouts.drive('lunar_product_variants',
	$$draft: INSERT INTO lunar_orders (user_id, status) VALUES (1, 'awaiting-payment')$$,
	$$lines: INSERT INTO lunar_order_lines (order_id, purchasable_type, purchasable_id, quantity) VALUES (1, 'product_variant', 1, 4), (1, 'shipping', 1, 1), (1, 'product_variant', 2, 3)$$,
	$$placed, too many: UPDATE lunar_orders SET placed_at = '2024-05-02'$$,
	$$edited: UPDATE lunar_order_lines SET quantity = 1 WHERE purchasable_id = 2$$,
	$$placed: UPDATE lunar_orders SET placed_at = '2024-05-02'$$,
	$$dispatched: UPDATE lunar_orders SET dispatched_at = '2024-05-03'$$,
	$$archived: DELETE FROM lunar_order_lines$$);
DROP SCHEMA layout, layout_ledger CASCADE;

\echo '-- django-oscar: deferred foreign keys, one INSERT for each line'
CREATE SCHEMA layout;
CREATE TABLE partner_stockrecord (id bigint GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY, partner_sku varchar(128) NOT NULL, num_in_stock integer CHECK (num_in_stock >= 0), num_allocated integer);
CREATE TABLE order_order (id bigint GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY, number varchar(128) NOT NULL UNIQUE, user_id integer, status varchar(100) NOT NULL);
CREATE TABLE order_line (id bigint GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY, order_id bigint NOT NULL REFERENCES order_order DEFERRABLE INITIALLY DEFERRED,
	stockrecord_id bigint REFERENCES partner_stockrecord DEFERRABLE INITIALLY DEFERRED, quantity integer NOT NULL CHECK (quantity >= 0), status varchar(255) NOT NULL);
CREATE INDEX ON order_line (order_id);
INSERT INTO partner_stockrecord (partner_sku, num_in_stock) VALUES ('mug', 5), ('cup', 5), ('download', NULL);
SELECT inventory.attach('partner_stockrecord', 'order_line', stock => 'num_in_stock', ledger_schema => 'layout_ledger', api_schema => 'layout', order_writes => 'follow', order_header => 'order_order',
	order_columns => '{status}', header_columns => '{number,status}',
	order_units => $$CASE WHEN header.status <> 'Cancelled' AND line.status <> 'Cancelled' THEN line.quantity ELSE 0 END$$, order_final => $$header.status = 'Complete'$$);
CREATE FUNCTION place_order(number text) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
	header bigint;
BEGIN
	INSERT INTO order_line (order_id, stockrecord_id, quantity, status) VALUES (currval(pg_get_serial_sequence('order_order', 'id')) + 1, 1, 2, '') RETURNING order_id INTO header;
	INSERT INTO order_line (order_id, stockrecord_id, quantity, status) VALUES (header, 2, 1, '');
	INSERT INTO order_line (order_id, stockrecord_id, quantity, status) VALUES (header, 3, 9, '');
	INSERT INTO order_order (number, user_id, status) VALUES (place_order.number, 1, 'Pending');
END
$$;
CALL layouts.drive('partner_stockrecord',
	$$an order without lines: INSERT INTO order_order (number, status) VALUES ('1', 'Pending')$$,
	$$lines before their order: SELECT place_order('2')$$,
	$$a line is cancelled: UPDATE order_line SET status = 'Cancelled' WHERE stockrecord_id = 1$$,
	$$edited: UPDATE order_line SET quantity = 0 WHERE stockrecord_id = 2$$,
	$$and back: UPDATE order_line SET quantity = 2, status = ''$$,
	$$cancelled: UPDATE order_order SET status = 'Cancelled'$$,
	$$pending: UPDATE order_order SET status = 'Pending'$$,
	$$complete: UPDATE order_order SET status = 'Complete'$$,
	$$archived: WITH l AS (DELETE FROM order_line) DELETE FROM order_order$$);
DROP SCHEMA layout, layout_ledger CASCADE;

\echo '-- Medusa: reservations, soft deletes, restored'
CREATE SCHEMA layout;
CREATE TABLE inventory_level (id text PRIMARY KEY, inventory_item_id text NOT NULL UNIQUE, location_id text NOT NULL, stocked_quantity bigint NOT NULL DEFAULT 0, deleted_at timestamptz);
CREATE TABLE reservation_item (id text PRIMARY KEY, line_item_id text, location_id text NOT NULL, inventory_item_id text NOT NULL, quantity numeric NOT NULL, deleted_at timestamptz);
INSERT INTO inventory_level VALUES ('lev-1', 'item-1', 'here', 5);
SELECT inventory.attach('inventory_level', 'reservation_item', item_id => 'inventory_item_id', stock => 'stocked_quantity', order_item_id => 'inventory_item_id', sellable => 'deleted_at IS NULL',
	ledger_schema => 'layout_ledger', api_schema => 'layout', order_columns => '{id,location_id}', order_writes => 'follow',
	order_units => $$CASE WHEN line.deleted_at IS NULL THEN line.quantity ELSE 0 END$$);
CALL layouts.drive('inventory_level',
	$$reserved: INSERT INTO reservation_item VALUES ('res-1', 'li-1', 'here', 'item-1', 2), ('res-2', 'li-2', 'here', 'item-1', 3)$$,
	$$edited: UPDATE reservation_item SET quantity = 1 WHERE id = 'res-2'$$,
	$$deleted by line item: UPDATE reservation_item SET deleted_at = now() WHERE line_item_id = 'li-1'$$,
	$$restored: UPDATE reservation_item SET deleted_at = NULL WHERE line_item_id = 'li-1'$$,
	$$deleted: DELETE FROM reservation_item$$);
DROP SCHEMA layout, layout_ledger CASCADE;

\echo '-- Spree: carts in the same tables; stock for each location is refused'
CREATE SCHEMA layout;
CREATE TABLE spree_stock_items (id serial PRIMARY KEY, stock_location_id integer, variant_id integer NOT NULL, count_on_hand integer DEFAULT 0 NOT NULL, deleted_at timestamp(6));
CREATE TABLE spree_orders (id serial PRIMARY KEY, number varchar(32), state varchar, user_id integer, completed_at timestamp(6), shipment_state varchar);
CREATE TABLE spree_line_items (id serial PRIMARY KEY, variant_id integer, order_id integer REFERENCES spree_orders, quantity integer NOT NULL, price numeric(10, 2) NOT NULL);
CREATE INDEX ON spree_line_items (order_id);
INSERT INTO spree_stock_items (stock_location_id, variant_id, count_on_hand) VALUES (1, 10, 5), (1, 11, 5);
\if :{?hot}
\else
SELECT inventory.attach('spree_stock_items', 'spree_line_items', item_id => 'variant_id', stock => 'count_on_hand', order_item_id => 'variant_id', order_header => 'spree_orders',
	ledger_schema => 'layout_ledger', api_schema => 'layout', order_columns => '{price}', order_writes => 'follow');
\endif
ALTER TABLE spree_stock_items ADD UNIQUE (variant_id);
SELECT inventory.attach('spree_stock_items', 'spree_line_items', item_id => 'variant_id', stock => 'count_on_hand', order_item_id => 'variant_id', order_header => 'spree_orders',
	ledger_schema => 'layout_ledger', api_schema => 'layout', order_columns => '{price}', header_columns => '{state}', order_writes => 'follow',
	order_units => $$CASE WHEN header.completed_at IS NOT NULL AND header.state <> 'canceled' THEN line.quantity ELSE 0 END$$, order_final => $$header.shipment_state = 'shipped'$$);
CALL layouts.drive('spree_stock_items',
	$$cart: INSERT INTO spree_orders (number, state, user_id) VALUES ('R1', 'cart', 1), ('R2', 'cart', NULL)$$,
	$$lines: INSERT INTO spree_line_items (variant_id, order_id, quantity, price) VALUES (10, 1, 2, 9), (11, 1, 1, 9), (10, 2, 1, 9)$$,
	$$completed: UPDATE spree_orders SET state = 'complete', completed_at = now()$$,
	$$edited: UPDATE spree_line_items SET quantity = 3 WHERE variant_id = 11$$,
	$$canceled: UPDATE spree_orders SET state = 'canceled' WHERE number = 'R2'$$,
	$$shipped: UPDATE spree_orders SET shipment_state = 'shipped' WHERE number = 'R1'$$,
	$$deleted and archived: WITH l AS (DELETE FROM spree_line_items) DELETE FROM spree_orders$$);
DROP SCHEMA layout, layout_ledger CASCADE;

\echo '-- Saleor: allocations'
CREATE SCHEMA layout;
CREATE TABLE warehouse_stock (id serial PRIMARY KEY, quantity integer, product_variant_id integer NOT NULL);
CREATE TABLE warehouse_allocation (id serial PRIMARY KEY, order_line_id uuid NOT NULL, stock_id integer NOT NULL REFERENCES warehouse_stock DEFERRABLE INITIALLY DEFERRED,
	quantity_allocated integer NOT NULL CHECK (quantity_allocated >= 0), UNIQUE (order_line_id, stock_id));
INSERT INTO warehouse_stock (quantity, product_variant_id) VALUES (5, 1), (NULL, 2);
SELECT inventory.attach('warehouse_stock', 'warehouse_allocation', stock => 'quantity', order_item_id => 'stock_id', order_quantity => 'quantity_allocated',
	ledger_schema => 'layout_ledger', api_schema => 'layout', order_columns => '{order_line_id}', order_writes => 'follow');
CALL layouts.drive('warehouse_stock',
	$$allocated: INSERT INTO warehouse_allocation (order_line_id, stock_id, quantity_allocated) VALUES ('00000000-0000-0000-0000-000000000001', 1, 3), ('00000000-0000-0000-0000-000000000001', 2, 30)$$,
	$$increased: UPDATE warehouse_allocation SET quantity_allocated = quantity_allocated + 1$$,
	$$deallocated: UPDATE warehouse_allocation SET quantity_allocated = 0 WHERE stock_id = 1$$,
	$$again: UPDATE warehouse_allocation SET quantity_allocated = 5 WHERE stock_id = 1$$,
	$$deleted: DELETE FROM warehouse_allocation$$);
DROP SCHEMA layout, layout_ledger CASCADE;

\if :{?hot}
\else
\echo '-- lines of product variants, and of versions, are refused'
CREATE SCHEMA layout;
CREATE TABLE product_productvariant (id serial PRIMARY KEY);
CREATE TABLE warehouse_stock (id serial PRIMARY KEY, quantity integer, product_variant_id integer NOT NULL REFERENCES product_productvariant, warehouse_id integer);
CREATE TABLE order_orderline (id serial PRIMARY KEY, variant_id integer REFERENCES product_productvariant, quantity integer NOT NULL);
\set VERBOSITY default
SELECT inventory.attach('warehouse_stock', 'order_orderline', stock => 'quantity', order_item_id => 'variant_id', ledger_schema => 'layout_ledger', order_writes => 'follow');
CREATE TABLE order_item (id text PRIMARY KEY DEFAULT gen_random_uuid(), order_id text, version integer NOT NULL DEFAULT 1, item_id integer, quantity integer NOT NULL);
CREATE INDEX ON order_item (order_id, version);
SELECT inventory.attach('warehouse_stock', 'order_item', stock => 'quantity', ledger_schema => 'layout_ledger', order_writes => 'follow');
\set VERBOSITY terse
DROP SCHEMA layout CASCADE;
\endif

\echo '-- Vendure: states, quantity 0 before it is cancelled'
CREATE SCHEMA layout;
CREATE TABLE stock_level (id serial PRIMARY KEY, "stockOnHand" integer, "productVariantId" integer NOT NULL UNIQUE, "customFieldsThreshold" integer NOT NULL DEFAULT 0);
CREATE TABLE "order" (id serial PRIMARY KEY, code varchar NOT NULL, state varchar NOT NULL, "customerId" integer);
CREATE TABLE order_line (id serial PRIMARY KEY, quantity integer NOT NULL, "orderId" integer REFERENCES "order" ON DELETE CASCADE, "productVariantId" integer NOT NULL);
CREATE INDEX ON order_line ("orderId");
INSERT INTO stock_level ("stockOnHand", "productVariantId", "customFieldsThreshold") VALUES (5, 10, -2), (5, 11, 0);
SELECT inventory.attach('stock_level', 'order_line', item_id => 'productVariantId', stock => 'stockOnHand', stock_floor => 'customFieldsThreshold', order_item_id => 'productVariantId',
	order_header => '"order"', header_user_id => 'customerId', ledger_schema => 'layout_ledger', api_schema => 'layout', header_columns => '{code,state}', order_writes => 'follow',
	order_units => $$CASE WHEN header.state NOT IN ('Draft', 'Created', 'AddingItems', 'ArrangingPayment', 'Cancelled') THEN line.quantity ELSE 0 END$$,
	order_final => $$header.state IN ('Shipped', 'Delivered')$$);
CALL layouts.drive('stock_level',
	$$cart: INSERT INTO "order" (code, state, "customerId") VALUES ('A', 'AddingItems', 1)$$,
	$$lines: INSERT INTO order_line (quantity, "orderId", "productVariantId") VALUES (7, 1, 10), (2, 1, 11)$$,
	$$arranging: UPDATE "order" SET state = 'ArrangingPayment'$$,
	$$authorized: UPDATE "order" SET state = 'PaymentAuthorized'$$,
	$$modified: UPDATE order_line SET quantity = 1 WHERE "productVariantId" = 11$$,
	$$lines are cancelled: UPDATE order_line SET quantity = 0 WHERE "productVariantId" = 10$$,
	$$shipped: UPDATE "order" SET state = 'Shipped'$$,
	$$archived: DELETE FROM "order"$$);
DROP SCHEMA layout, layout_ledger CASCADE;

\echo '-- Bagisto: what is cancelled is beside what was ordered'
CREATE SCHEMA layout;
CREATE TABLE products (id serial PRIMARY KEY, qty integer NOT NULL);
CREATE TABLE order_items (id serial PRIMARY KEY, product_id integer REFERENCES products ON DELETE SET NULL, qty_ordered integer, qty_canceled integer DEFAULT 0, qty_shipped integer DEFAULT 0);
INSERT INTO products (qty) VALUES (5), (0);
SELECT inventory.attach('products', 'order_items', stock => 'qty', order_quantity => 'qty_ordered', ledger_schema => 'layout_ledger', api_schema => 'layout', order_writes => 'follow',
	order_units => $$line.qty_ordered - line.qty_canceled$$, order_final => $$line.qty_shipped > 0$$);
CALL layouts.drive('products',
	$$placed: INSERT INTO order_items (product_id, qty_ordered) VALUES (1, 3), (1, 2)$$,
	$$canceled: UPDATE order_items SET qty_canceled = 2 WHERE id = 1$$,
	$$shipped: UPDATE order_items SET qty_shipped = 1 WHERE id = 1$$,
	$$what is shipped is canceled: UPDATE order_items SET qty_canceled = 3 WHERE id = 1$$,
	$$deleted and archived: DELETE FROM order_items$$);
DROP SCHEMA layout, layout_ledger CASCADE;

\echo '-- shops that count by triggers: attach names them'
CREATE SCHEMA layout;
CREATE TABLE products (id serial PRIMARY KEY, stock integer NOT NULL);
CREATE TABLE orders (id serial PRIMARY KEY, user_id integer, status text NOT NULL DEFAULT 'paid');
CREATE TABLE order_items (id serial PRIMARY KEY, order_id integer REFERENCES orders ON DELETE CASCADE, product_id integer REFERENCES products, quantity integer NOT NULL);
CREATE INDEX ON order_items (order_id);
CREATE FUNCTION take_stock() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN UPDATE layout.products SET stock = stock - NEW.quantity WHERE id = NEW.product_id; RETURN NULL; END $$;
CREATE FUNCTION give_stock() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN UPDATE products p SET stock = p.stock + i.quantity FROM order_items i WHERE i.order_id = NEW.id AND p.id = i.product_id; RETURN NULL; END $$;
CREATE TRIGGER take_stock AFTER INSERT ON order_items FOR EACH ROW EXECUTE FUNCTION take_stock();
CREATE TRIGGER give_stock AFTER UPDATE ON orders FOR EACH ROW WHEN (NEW.status = 'cancelled' AND OLD.status <> 'cancelled') EXECUTE FUNCTION give_stock();
INSERT INTO products (stock) VALUES (5);
SET client_min_messages = warning;
SELECT inventory.attach('products', 'order_items', order_header => 'orders', header_columns => '{status}', ledger_schema => 'layout_ledger', api_schema => 'layout', order_writes => 'follow',
	order_units => $$CASE WHEN header.status <> 'cancelled' THEN line.quantity ELSE 0 END$$, order_final => $$header.status = 'shipped'$$);
SET client_min_messages = error;
CALL layouts.drive('products',
	$$with its triggers: WITH o AS (INSERT INTO orders (user_id) VALUES (1) RETURNING id) INSERT INTO order_items (order_id, product_id, quantity) SELECT id, 1, 2 FROM o$$,
	$$without the first: DROP TRIGGER take_stock ON order_items$$,
	$$and the second: DROP TRIGGER give_stock ON orders$$,
	$$placed: WITH o AS (INSERT INTO orders (user_id) VALUES (1) RETURNING id) INSERT INTO order_items (order_id, product_id, quantity) SELECT id, 1, 2 FROM o$$,
	$$cancelled: UPDATE orders SET status = 'cancelled'$$,
	$$placed again: UPDATE orders SET status = 'paid'$$,
	$$deleted: DELETE FROM orders$$);
SELECT words FROM layouts.said ORDER BY number;
DROP SCHEMA layout, layout_ledger, layouts CASCADE;
