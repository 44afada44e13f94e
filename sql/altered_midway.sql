-- Types of ids and rows that change while the engine keeps values of them: in a call, by code of the shop that it
-- runs, and in a transaction whose order lines have yet to be followed.
\set VERBOSITY terse
SET client_min_messages = warning;

\echo in a call, by prepare_order
CREATE SCHEMA midway;
CREATE TABLE midway.items (id bigint PRIMARY KEY, stock integer NOT NULL);
INSERT INTO midway.items VALUES (1, 100), (2, 100);
CREATE TABLE midway.orders (id integer PRIMARY KEY, item_id bigint, quantity integer, user_id text, note text);
CREATE FUNCTION midway.alter() RETURNS void LANGUAGE plpgsql AS $$
BEGIN
	PERFORM inventory.retype('midway.items', current_setting('midway.what'), current_setting('midway.type')::regtype);
END
$$;
CREATE FUNCTION midway.prepare(user_id text, lines jsonb, order_data jsonb) RETURNS jsonb LANGUAGE plpgsql STABLE AS $$
BEGIN
	PERFORM midway.alter();
	RETURN jsonb_build_object('lines', (SELECT jsonb_agg(jsonb_build_object('id', n)) FROM generate_series(1, jsonb_array_length(lines)) AS n));
END
$$;
SELECT inventory.attach('midway.items', 'midway.orders', ledger_schema => 'midway',
	order_prepare => 'midway.prepare(text, jsonb, jsonb)');
SELECT midway.reserve_stock('7', 2, 1) AS reservation \gset
SET midway.type = 'text';
SET midway.what = 'items.id';
SELECT midway.confirm_reservation(:'reservation');
SELECT midway.buy_item('7', 1, 1);
SELECT midway.buy_cart('7', '[{"item_id": 1}, {"item_id": 2}]');
SET midway.what = 'orders.id';
SELECT midway.confirm_reservation(:'reservation');
SELECT midway.buy_cart('7', '[{"item_id": 1}, {"item_id": 2}]');
-- of the stock no value is kept
SET midway.type = 'bigint';
SET midway.what = 'items.stock';
SELECT midway.buy_item('7', 1, 1);
SELECT * FROM midway.items ORDER BY id;
SELECT * FROM midway.orders;
SELECT * FROM inventory.verify('midway.items');

\echo before order lines are followed
CREATE SCHEMA midway_follow;
CREATE TABLE midway_follow.items (id integer PRIMARY KEY, stock integer NOT NULL);
INSERT INTO midway_follow.items VALUES (1, 100);
CREATE TABLE midway_follow.header (id integer PRIMARY KEY, status text);
CREATE TABLE midway_follow.orders (id integer PRIMARY KEY, item_id integer, quantity integer,
	header_id integer REFERENCES midway_follow.header ON DELETE CASCADE, note integer);
CREATE INDEX ON midway_follow.orders (header_id);
SELECT inventory.attach('midway_follow.items', 'midway_follow.orders', ledger_schema => 'midway_follow',
	order_columns => '{id}', order_header => 'midway_follow.header', header_columns => '{id}', order_writes => 'follow',
	order_final => $$header.status = 'sent'$$);
INSERT INTO midway_follow.header VALUES (1, NULL), (2, NULL);
-- what is noted after it waits for a trigger that was not queued
CREATE FUNCTION midway_follow.later() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	PERFORM set_config('inventory.follow_at', 'commit', true);
	RETURN NULL;
END
$$;
CREATE TRIGGER a_later AFTER INSERT ON midway_follow.orders FOR EACH ROW EXECUTE FUNCTION midway_follow.later();
CREATE TRIGGER a_later AFTER DELETE ON midway_follow.header FOR EACH ROW EXECUTE FUNCTION midway_follow.later();
BEGIN;
INSERT INTO midway_follow.orders VALUES (1, 1, 1, 1);
SELECT inventory.retype('midway_follow.items', 'orders.id', 'text');
INSERT INTO midway_follow.orders VALUES ('2', 1, 1, 1);
COMMIT;
BEGIN;
INSERT INTO midway_follow.orders VALUES (1, 1, 1, 1);
SELECT inventory.retype('midway_follow.items', 'items.id', 'bigint');
COMMIT;
BEGIN;
INSERT INTO midway_follow.orders VALUES (1, 1, 1, 1);
SELECT inventory.retype('midway_follow.items', 'orders.note', 'text');
INSERT INTO midway_follow.orders VALUES (2, 1, 1, 1);
COMMIT;
BEGIN;
DELETE FROM midway_follow.header WHERE id = 2;
SELECT inventory.retype('midway_follow.items', 'header.id', 'text');
DELETE FROM midway_follow.header WHERE id = '1';
COMMIT;
SELECT * FROM midway_follow.items;
SELECT * FROM inventory.verify('midway_follow.items');

SET client_min_messages = error;
DROP SCHEMA midway, midway_follow CASCADE;
