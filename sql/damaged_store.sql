-- Tests of stores whose owner has changed what attach made: calls end in an error, and never
-- in a crash or a wrong purchase, because the owner of tables must not break the server.
\set VERBOSITY default
\set SHOW_CONTEXT never
SET client_min_messages = warning;
CREATE SCHEMA damaged;
SET search_path = damaged;
CREATE FUNCTION bind(items text, columns text, roles text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
	EXECUTE format('DROP TRIGGER inventory_binding ON %s', items);
	EXECUTE format('CREATE TRIGGER inventory_binding AFTER UPDATE OF %s ON %s FOR EACH STATEMENT
		EXECUTE FUNCTION inventory.binding(%L, %s)', columns, items, 'damaged.' || items, roles);
END
$$;
CREATE FUNCTION store(items text, columns text DEFAULT '') RETURNS void LANGUAGE plpgsql AS $$
BEGIN
	EXECUTE format('CREATE TABLE %s (id bigint PRIMARY KEY, stock bigint NOT NULL%s)', items, columns);
	EXECUTE format('INSERT INTO %s VALUES (1, 10)', items);
	EXECUTE format('CREATE SCHEMA damaged_%s', items);
	PERFORM inventory.attach(items::regclass, api_schema => ('damaged_' || items)::name);
END
$$;

-- the binding trigger has a column of items in order_columns, or one of another type as
-- the stock or the key
SELECT store('a', ', extra text');
SELECT bind('a', 'id, stock, extra', $$'item_id', 'stock', '+'$$);
SELECT damaged_a.available_stock(1);
SELECT store('b', ', fake text DEFAULT ''4096''');
SELECT bind('b', 'id, fake', $$'item_id', 'stock'$$);
SELECT inventory.available_stock('damaged.b', 1, NULL::text);
SELECT store('c', ', place point DEFAULT ''(1,1)''');
SELECT bind('c', 'place, stock', $$'item_id', 'stock'$$);
UPDATE c SET stock = 9;
DROP TRIGGER inventory_binding ON c;
SELECT damaged_c.available_stock(1);

-- the ledger has another type of order id, a table with other columns, a null
CREATE TABLE lines (id bigint PRIMARY KEY, item_id bigint NOT NULL, quantity bigint NOT NULL);
CREATE TABLE d (id bigint PRIMARY KEY, stock bigint NOT NULL);
INSERT INTO d VALUES (1, 10);
CREATE SCHEMA damaged_d;
SELECT inventory.attach('d', 'lines', order_columns => '{id}', api_schema => 'damaged_d');
ALTER TABLE d_stock.movements ALTER order_id TYPE text;
SELECT damaged_d.buy_item('u', 1, order_data => '{"id": 1}');
SELECT inventory.refresh('d');
SELECT damaged_d.buy_item('u', 1, order_data => '{"id": 1}');
SELECT store('e');
DROP TABLE e_stock.requests;
CREATE TABLE e_stock.requests (operation text, user_id text, key text, fingerprint bigint, result bigint, created_at timestamptz);
INSERT INTO e_stock.requests VALUES ('buy_item', 'u', 'k', 1, 1, now());
SELECT damaged_e.buy_item('u', 1, 1, 'k');
SELECT store('f');
SELECT damaged_f.buy_item('u', 1, 1, 'k');
ALTER TABLE f_stock.requests ALTER fingerprint DROP NOT NULL;
UPDATE f_stock.requests SET fingerprint = NULL;
SELECT damaged_f.buy_item('u', 1, 1, 'k');
SELECT status FROM damaged_f.try_buy_item('u', 1, 1, 'l');
UPDATE f_stock.requests SET result = '[]' WHERE key = 'l';
SELECT status FROM damaged_f.try_buy_item('u', 1, 1, 'l');
SELECT store('g');
SELECT damaged_g.reserve_stock('u', 1) AS hold \gset
DROP VIEW g_stock.open_reservations;
ALTER TABLE g_stock.reservations ALTER user_id TYPE bigint USING 1;
SELECT status FROM damaged_g.get_reservation(:'hold');
SELECT damaged_g.release_reservation(:'hold', 'u');

-- a result type was changed, and a caller expects another result type
SELECT store('h');
SELECT status FROM damaged_h.buy_cart('u', '[{"item_id": 1}]', 'k');
ALTER TYPE h_stock.line ALTER ATTRIBUTE item_id TYPE text;
\set VERBOSITY terse
SELECT status FROM damaged_h.buy_cart('u', '[{"item_id": 1}]', 'k');
SELECT status FROM damaged_h.try_buy_item('u', 1);
\set VERBOSITY default
CREATE TYPE mine AS (status text, item_id bigint, quantity bigint, order_id text, available bigint, replayed boolean, header_id text);
SELECT status FROM inventory.buy_cart('damaged.h', 'u'::text, '[{"item_id": 1}]', 'k', NULL, NULL::mine);

SELECT inventory.buy_cart('damaged.h', 'u'::text, '[{"item_id": 1}]', 'k', NULL, 1);
SELECT inventory.get_reservation('damaged.h', NULL, 1);
SELECT store('k');
ALTER TYPE k_stock.line DROP ATTRIBUTE quantity;
SELECT status FROM damaged_k.buy_cart('u', '[{"item_id": 1}]');
ALTER TYPE k_stock.hold DROP ATTRIBUTE status;
SELECT reservation_id FROM damaged_k.try_reserve_cart('u', '[{"item_id": 1}]');

-- the key is no longer unique: nothing is taken from either row
SELECT store('i');
ALTER TABLE i DROP CONSTRAINT i_pkey;
INSERT INTO i VALUES (1, 30);
SELECT damaged_i.buy_item('u', 1);
SELECT status FROM damaged_i.try_buy_cart('u', '[{"item_id": 1}]');
SELECT status FROM damaged_i.try_buy_cart('u', '[{"item_id": 1}, {"item_id": 2}]');
SELECT i_stock.restock_item(1, 1);
SELECT stock FROM i ORDER BY 1;

-- the view with the condition sellable was dropped: nothing is sold
CREATE TABLE j (id bigint PRIMARY KEY, stock bigint NOT NULL, live boolean NOT NULL);
INSERT INTO j VALUES (1, 10, false);
CREATE SCHEMA damaged_j;
SELECT inventory.attach('j', api_schema => 'damaged_j', sellable => 'live');
DROP VIEW j_stock.sellable;
SELECT damaged_j.buy_item('u', 1);

-- kept answers of other forms
CREATE FUNCTION try(call text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
	EXECUTE 'SELECT ' || call;
	RETURN 'done';
EXCEPTION WHEN OTHERS THEN
	RETURN SQLSTATE;
END
$$;
SELECT store('o');
CREATE TABLE keyed AS SELECT c AS call FROM unnest(ARRAY[
	'damaged_o.buy_item(''u'', 1, 1, ''k'')', 'damaged_o.reserve_stock(''u'', 1, 1, ''1 h'', ''k'')',
	'damaged_o.reserve_cart(''u'', ''[{"item_id": 1}]'', ''1 h'', ''k'')', 'damaged_o.try_reserve_cart(''u'', ''[{"item_id": 1}]'', ''1 h'', ''k'')',
	'damaged_o.buy_cart(''u'', ''[{"item_id": 1}]'', ''k'')', 'damaged_o.try_buy_cart(''u'', ''[{"item_id": 1}]'', ''k'')',
	'o_stock.restock_item(1, 1, ''k'')', 'o_stock.adjust_stock(1, 1, ''r'', idempotency_key => ''k'')', 'o_stock.count_stock(1, 9, reason => ''r'', idempotency_key => ''k'')']) AS c;
SELECT call FROM keyed WHERE try(call) <> 'done';
CREATE FUNCTION try_answer(answer jsonb) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
	UPDATE o_stock.requests SET result = answer;
	RETURN (SELECT answer::text || ' ' || string_agg(try(call), ' ') FROM keyed);
END
$$;
SELECT try_answer(a::jsonb) FROM unnest(ARRAY['null', '1', '"x"', '[]', '{}', '[1]', '{"a": 1}', '[{"item_id": 1}]', 'true',
	'{"reservation_id": null}', '{"status": "ok", "reservation_id": "00000000-0000-0000-0000-000000000000"}',
	'{"status": "out_of_stock", "short_lines": []}', '{"status": "ok", "reservation_id": [], "expires_at": {}}']) AS a;

-- orders are dropped with the function of their partition key: the store is gone
CREATE FUNCTION part(d int) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT d';
CREATE TABLE q (id bigint PRIMARY KEY, stock bigint NOT NULL);
CREATE TABLE q_orders (id bigint GENERATED ALWAYS AS IDENTITY, user_id text, item_id bigint, quantity int, d int DEFAULT 1)
	PARTITION BY RANGE (damaged.part(d));
SELECT inventory.attach('q', 'q_orders', order_id => 'id');
DROP FUNCTION part CASCADE;
SELECT count(*) FROM inventory.store WHERE items = 'q'::regclass;
