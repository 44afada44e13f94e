-- Tests of inventory.http_errors: refusals get the SQLSTATEs that PostgREST turns into HTTP
-- statuses, and errors that PostgREST already maps well keep theirs.
\pset format unaligned
\set schema http_errors
\set limits on
\getenv abs_srcdir PG_ABS_SRCDIR
\set include :abs_srcdir '/sql/include/shop.sql'
\i :include
LOAD 'inventory';
CREATE ROLE regress_http_buyer;
GRANT USAGE ON SCHEMA http_errors TO regress_http_buyer;
ALTER TABLE orders ALTER user_id SET NOT NULL, ADD paid boolean;
INSERT INTO items (id, stock, purchase_limit) VALUES (1, 5, NULL), (2, 9, 1), (3, NULL, NULL);
SELECT inventory.attach('items', 'orders', ledger_schema => 'http_errors_stock', user_claim => 'sub');
SELECT inventory.grant_api('items', 'regress_http_buyer', 'buyer');
SELECT buy_item('u', 1, 1, 'k');
CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN IF NEW.stock = 0 THEN RETURN NULL; END IF; RETURN NEW; END';
CREATE TRIGGER refuse BEFORE UPDATE ON items FOR EACH ROW EXECUTE FUNCTION refuse();

CREATE FUNCTION answer(call text, http boolean, role name, OUT code text, OUT name text, OUT facts text, OUT hint text)
LANGUAGE plpgsql AS $$
BEGIN
	PERFORM set_config('inventory.http_errors', http::text, true);
	EXECUTE format('SET LOCAL ROLE %I', role);
	EXECUTE call;
	code := 'none';
EXCEPTION WHEN OTHERS THEN
	GET STACKED DIAGNOSTICS code := RETURNED_SQLSTATE, name := MESSAGE_TEXT, facts := PG_EXCEPTION_DETAIL, hint := PG_EXCEPTION_HINT;
END
$$;
CREATE TABLE calls (n serial, call text, role name DEFAULT current_user);
INSERT INTO calls (call) VALUES
	($$SELECT buy_item('u', 1, 5)$$), ($$SELECT buy_cart('u', '[{"item_id": 1, "quantity": 5}]')$$),
	($$SELECT adjust_stock(1, -9, 'x')$$), ($$SELECT count_stock(1, 0, 1)$$), ($$UPDATE items SET stock = -1 WHERE id = 1$$),
	($$SELECT buy_item('u', 9)$$), ($$SELECT available_stock(9)$$), ($$SELECT restock_item(9, 1)$$),
	($$SELECT buy_item('u', 1, 2, 'k')$$), ($$SELECT buy_item('u', 2, 2)$$), ($$SELECT adjust_stock(1, 1, 'x', 99)$$),
	($$SELECT inventory.verify('orders')$$), ($$UPDATE items SET id = 7 WHERE id = 1$$),
	($$SELECT buy_item('u', 1, 4)$$),
	($$SELECT buy_cart('u', (SELECT jsonb_agg('{"item_id": 1}'::jsonb) FROM generate_series(0, 1000)))$$),
	($$SELECT buy_item('u', 1, 0)$$), ($$SELECT buy_item('u', 1, NULL)$$), ($$SELECT buy_item('u', 1, 1, '')$$),
	($$SELECT buy_item('u', 1, 1, repeat('k', 256))$$), ($$SELECT buy_item(NULL, 1)$$),
	($$SELECT buy_item('u', 3, 3000000000)$$), ($$SELECT restock_item(1, 3000000000)$$), ($$SELECT buy_item('u', 1, 'x')$$),
	($$SELECT buy_item('u', 1, 1, NULL, '{"x": 1}')$$), ($$SELECT buy_item('u', 1, 1, NULL, '{"paid": true}')$$),
	($$SELECT restock_item(3, 1)$$);
INSERT INTO calls (call, role) VALUES
	($$SELECT http_errors.buy_item('u', 1)$$, 'regress_http_buyer'), ($$SELECT inventory.verify('http_errors.items')$$, 'regress_http_buyer');

SELECT p.code, h.code AS http, p.name, p.name = h.name AND p.facts = h.facts AND p.hint = h.hint AS same_text
	FROM calls AS c, answer(c.call, false, c.role) AS p, answer(c.call, true, c.role) AS h ORDER BY n;

-- the status of a line is a name in either case
SET inventory.http_errors = on;
SELECT status FROM try_buy_cart('u', '[{"item_id": 1, "quantity": 5}, {"item_id": 9}, {"item_id": 2, "quantity": 2}, {"item_id": 3}]');
SELECT buy_item('u', 1, 5);
\echo :SQLSTATE
SET inventory.http_errors = off;
SELECT buy_item('u', 1, 5);
\echo :SQLSTATE
SET inventory.http_errors = 'perhaps';
SELECT * FROM inventory.verify('items');
DROP SCHEMA http_errors, http_errors_stock CASCADE;
DROP ROLE regress_http_buyer;
