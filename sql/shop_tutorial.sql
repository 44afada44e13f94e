-- Tests of the shop of tutorials: items and orders with uuid keys, and a hand-written
-- buy_item(p_user_id, p_item_id) that the client calls by RPC.  The function is replaced, and
-- the client stays as it is.  Laid out after the "last item in stock" posts on Supabase and
-- NestJS.
\set SHOW_CONTEXT never
CREATE SCHEMA shop_tutorial;
SET search_path = shop_tutorial;

CREATE TABLE items (
	id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
	name text NOT NULL,
	price numeric(10, 2) NOT NULL,
	stock integer NOT NULL DEFAULT 0 CHECK (stock >= 0)
);
CREATE TABLE orders (
	id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
	user_id uuid NOT NULL,
	item_id uuid NOT NULL REFERENCES items (id),
	status text NOT NULL DEFAULT 'pending',
	created_at timestamptz NOT NULL DEFAULT now()
);
CREATE FUNCTION buy_item(p_user_id uuid, p_item_id uuid) RETURNS uuid
LANGUAGE plpgsql AS $$
DECLARE
	placed uuid;
BEGIN
	IF (SELECT stock FROM items WHERE id = p_item_id) < 1 THEN
		RAISE EXCEPTION 'out_of_stock';
	END IF;
	UPDATE items SET stock = stock - 1 WHERE id = p_item_id;
	INSERT INTO orders (user_id, item_id) VALUES (p_user_id, p_item_id)
	RETURNING id INTO placed;
	RETURN placed;
END
$$;

\set ada '''aaaaaaaa-0000-4000-8000-000000000001'''
\set bob '''aaaaaaaa-0000-4000-8000-000000000002'''
\set watch '''bbbbbbbb-0000-4000-8000-000000000001'''
\set gone '''bbbbbbbb-0000-4000-8000-00000000dead'''
INSERT INTO items VALUES (:watch, 'Watch', 1200.00, 3);

-- a purchase by the hand-written function
SELECT buy_item(p_user_id => :ada, p_item_id => :watch) IS NOT NULL AS bought;

-- refused, because with two functions of that name the client's calls would be ambiguous
SELECT inventory.attach('items', 'orders', argument_prefix => 'p_',
						ledger_schema => 'shop_tutorial_stock');
DROP FUNCTION shop_tutorial.buy_item(uuid, uuid);
SELECT inventory.attach('items', 'orders', argument_prefix => 'p_',
						ledger_schema => 'shop_tutorial_stock');
SELECT pg_get_function_arguments(p.oid) AS arguments,
	   pg_get_function_result(p.oid) AS result
  FROM pg_proc p
 WHERE p.proname = 'buy_item' AND p.pronamespace = 'shop_tutorial'::regnamespace;

-- the client's calls as before, by name and by position
SELECT buy_item(p_user_id => :bob, p_item_id => :watch) IS NOT NULL AS bought;
SELECT buy_item(:ada, :watch) IS NOT NULL AS bought;
SELECT buy_item(p_user_id => :bob, p_item_id => :watch);
\echo :SQLSTATE
SELECT buy_item(p_user_id => :bob, p_item_id => :gone);
\echo :SQLSTATE

-- these orders have no quantity, so each row is one unit
UPDATE items SET stock = 5;
SELECT buy_item(p_user_id => :bob, p_item_id => :watch, p_quantity => 2);
\echo :SQLSTATE
SELECT available_stock(p_item_id => :watch);

SELECT i.name, i.stock, o.status, count(*) AS orders, count(DISTINCT o.user_id) AS buyers
  FROM orders o JOIN items i ON i.id = o.item_id
 GROUP BY i.name, i.stock, o.status;
SELECT kind, delta, right(user_id::text, 1) AS who, order_id IS NOT NULL AS has_order
  FROM shop_tutorial_stock.movements ORDER BY movement_id;
SELECT * FROM inventory.verify('items');
