-- Tests of several stores in one database: tables of one name in two schemas, two stores in
-- one schema, orders of two stores in one table; and of create_store with every type of id.
\set SHOW_CONTEXT never
SET client_min_messages = warning;
CREATE SCHEMA several;
CREATE SCHEMA several_b;
CREATE TABLE several.goods (id integer PRIMARY KEY, stock integer);
CREATE TABLE several_b.goods (id integer PRIMARY KEY, stock integer);
INSERT INTO several.goods VALUES (1, 5);
INSERT INTO several_b.goods VALUES (1, 50);

-- tables of one name: the name of the second ledger contains the schema
SELECT inventory.attach('several.goods');
SELECT inventory.attach('several_b.goods');
SELECT store_name, movements FROM inventory.store WHERE store_name LIKE 'several%' ORDER BY store_name;
SELECT several.buy_item('ann', 1), several_b.buy_item('ann', 1);
SELECT several.available_stock(1), several_b.available_stock(1);
SELECT goods_stock.restock_item(1, 1), several_b_goods_stock.restock_item(1, 1);
-- attached again, each finds its own ledger
SELECT inventory.detach('several.goods');
SELECT inventory.detach('several_b.goods');
SELECT inventory.attach('several_b.goods');
SELECT inventory.attach('several.goods');
SELECT store_name, movements FROM inventory.store WHERE store_name LIKE 'several%' ORDER BY store_name;
SELECT inventory.detach('several.goods');

-- two stores in one schema need another schema for the functions of one of them; one
-- table of orders can have the lines of both
SET search_path = several;
CREATE TABLE tickets (id text PRIMARY KEY, seats smallint NOT NULL);
INSERT INTO tickets VALUES ('opera', 2);
CREATE TABLE lines (
	id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	good_id integer REFERENCES goods,
	ticket_id varchar(20) REFERENCES tickets,
	quantity integer NOT NULL,
	note text,
	CHECK (num_nonnulls(good_id, ticket_id) = 1));
SELECT inventory.attach('goods', 'lines', order_columns => '{note}', ledger_schema => 'several_goods_books');
SELECT inventory.attach('tickets', 'lines', stock => 'seats'); \echo :LAST_ERROR_SQLSTATE
CREATE SCHEMA several_tickets;
SELECT inventory.attach('tickets', 'lines', stock => 'seats', api_schema => 'several_tickets');
SELECT buy_item('ann', 1, 2, order_data => '{"note": "blue"}');
SELECT several_tickets.buy_item('ann', 'opera', 1);
SELECT * FROM several_tickets.buy_cart('ann', '[{"item_id": "opera", "quantity": 2}]');
SELECT * FROM several_tickets.buy_cart('ann', '[{"item_id": "opera", "note": "left"}]'); \echo :LAST_ERROR_SQLSTATE
SELECT * FROM lines ORDER BY id;
ALTER TABLE lines RENAME quantity TO units;
SELECT inventory.refresh('tickets');
SELECT inventory.detach('goods');	-- does not change the other store
SELECT several_tickets.buy_item('bob', 'opera');
SELECT * FROM inventory.verify('tickets');
SELECT item_id, delta, kind, user_id, order_id FROM tickets_stock.movements ORDER BY movement_id;
DROP TABLE lines CASCADE;
SELECT count(*) AS stores FROM inventory.store WHERE store_name = 'several.tickets';

-- create_store
SELECT inventory.create_store('several_uuid');
SELECT inventory.create_store('several_int2', 'smallint', 'smallint');
SELECT inventory.create_store('several_int4', 'integer', 'integer');
SELECT inventory.create_store('several_int8', 'bigint', 'bigint');
SELECT inventory.create_store('several_text', 'text', 'text');
SELECT inventory.create_store('several_char', 'varchar', 'text');
SELECT p.oid::regprocedure FROM pg_proc p JOIN pg_namespace n ON n.oid = pronamespace
 WHERE proname = 'buy_item' AND nspname ~ '^several_(uuid|int.|text|char)$' ORDER BY nspname;
INSERT INTO several_uuid.items VALUES ('aaaaaaaa-0000-4000-8000-000000000001', 3, 1, 1);
INSERT INTO several_int2.items VALUES (1, 3);
INSERT INTO several_int4.items VALUES (1, 3);
INSERT INTO several_int8.items VALUES (1, 3);
INSERT INTO several_text.items VALUES ('a', 3);
INSERT INTO several_char.items VALUES ('a', 3);
SELECT several_uuid.buy_item('bbbbbbbb-0000-4000-8000-000000000001', 'aaaaaaaa-0000-4000-8000-000000000001') IS NOT NULL AS "uuid",
	   several_int2.buy_item(1, 1, 1) IS NOT NULL AS "int2", several_int4.buy_item(1, 1, 2) IS NOT NULL AS "int4",
	   several_int8.buy_item(1, 1, 3) IS NOT NULL AS "int8", several_text.buy_item('u', 'a') IS NOT NULL AS "text",
	   several_char.buy_item('u', 'a', 2) IS NOT NULL AS "varchar";
SELECT several_uuid.available_stock('aaaaaaaa-0000-4000-8000-000000000001') AS "uuid", several_int2.available_stock(1) AS "int2",
	   several_int4.available_stock(1) AS "int4", several_int8.available_stock(1) AS "int8",
	   several_text.available_stock('a') AS "text", several_char.available_stock('a') AS "varchar";
SELECT several_uuid.buy_item('bbbbbbbb-0000-4000-8000-000000000001', 'aaaaaaaa-0000-4000-8000-000000000001'); \echo :LAST_ERROR_SQLSTATE
SELECT several_int8.restock_item(1, 9), several_text.adjust_stock('a', -2, 'moths');
SELECT * FROM inventory.verify('several_uuid.items') UNION ALL SELECT * FROM inventory.verify('several_int2.items')
UNION ALL SELECT * FROM inventory.verify('several_int4.items') UNION ALL SELECT * FROM inventory.verify('several_int8.items')
UNION ALL SELECT * FROM inventory.verify('several_text.items') UNION ALL SELECT * FROM inventory.verify('several_char.items');
SELECT user_id, item_id, quantity FROM several_int8.orders;

-- two stores cannot have the same column of orders for their items
CREATE SCHEMA several_shared; CREATE SCHEMA several_parts;
CREATE TABLE several_shared.goods (id int PRIMARY KEY, stock int);
CREATE TABLE several_shared.parts (id int PRIMARY KEY, stock int);
CREATE TABLE several_shared.orders (id serial PRIMARY KEY, item_id int, part_id int, quantity int);
SELECT inventory.attach('several_shared.goods', 'several_shared.orders', ledger_schema => 'several_goods');
SELECT inventory.attach('several_shared.parts', 'several_shared.orders', ledger_schema => 'several_parts_stock', api_schema => 'several_parts'); \echo :LAST_ERROR_SQLSTATE
SELECT inventory.attach('several_shared.parts', 'several_shared.orders', order_item_id => 'part_id',
						ledger_schema => 'several_parts_stock', api_schema => 'several_parts');
SELECT inventory.refresh('several_shared.parts');
DROP SCHEMA several_shared, several_goods, several_parts, several_parts_stock CASCADE;
DROP SCHEMA several_uuid, several_int2, several_int4, several_int8, several_text, several_char CASCADE;
SELECT count(*) AS stores FROM inventory.store WHERE store_name ~ '^several_(uuid|int|text|char)';
