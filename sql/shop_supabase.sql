-- Tests of a Supabase shop: uuid keys, a users table in the auth schema, row level security
-- on all tables (here also FORCED), an owner that is not a superuser, and default privileges
-- that grant every new object to the API roles.  Laid out after the Supabase guides (Row
-- Level Security, Hardening the Data API, database functions); the names of the roles have
-- the prefix that pg_regress asks for.
\set SHOW_CONTEXT never
SET client_min_messages = warning;
DROP ROLE IF EXISTS regress_supabase_owner, regress_supabase_anon,
	regress_supabase_authenticated, regress_supabase_service;
RESET client_min_messages;
CREATE ROLE regress_supabase_owner;
CREATE ROLE regress_supabase_anon;
CREATE ROLE regress_supabase_authenticated;
CREATE ROLE regress_supabase_service BYPASSRLS;	-- not a member of the owner
SELECT current_database() AS db \gset
GRANT CREATE ON DATABASE :"db" TO regress_supabase_owner;
CREATE SCHEMA shop_supabase_auth AUTHORIZATION regress_supabase_owner;
CREATE SCHEMA shop_supabase AUTHORIZATION regress_supabase_owner;

SET ROLE regress_supabase_owner;
SET search_path = shop_supabase;
GRANT USAGE ON SCHEMA shop_supabase, shop_supabase_auth
	TO regress_supabase_anon, regress_supabase_authenticated, regress_supabase_service;
ALTER DEFAULT PRIVILEGES GRANT ALL ON SCHEMAS TO regress_supabase_anon, regress_supabase_authenticated;
ALTER DEFAULT PRIVILEGES GRANT ALL ON TABLES TO regress_supabase_anon, regress_supabase_authenticated;
ALTER DEFAULT PRIVILEGES GRANT ALL ON SEQUENCES TO regress_supabase_anon, regress_supabase_authenticated;
ALTER DEFAULT PRIVILEGES GRANT ALL ON FUNCTIONS TO regress_supabase_anon, regress_supabase_authenticated;

CREATE TABLE shop_supabase_auth.users (id uuid PRIMARY KEY, email text);
CREATE FUNCTION shop_supabase_auth.uid() RETURNS uuid STABLE LANGUAGE sql
AS $$ SELECT (nullif(current_setting('request.jwt.claims', true), '')::jsonb ->> 'sub')::uuid $$;
CREATE TABLE products (
	id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
	name text NOT NULL,
	published boolean NOT NULL DEFAULT true,
	stock integer NOT NULL DEFAULT 0,
	updated_at timestamptz
);
CREATE TABLE orders (
	id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
	user_id uuid NOT NULL DEFAULT shop_supabase_auth.uid() REFERENCES shop_supabase_auth.users ON DELETE CASCADE,
	product_id uuid NOT NULL REFERENCES products,
	quantity integer NOT NULL CHECK (quantity > 0),
	note text,
	inserted_at timestamptz NOT NULL DEFAULT timezone('utc', now())
);
CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql
AS $$ BEGIN NEW.updated_at := now(); RETURN NEW; END $$;
CREATE TRIGGER handle_updated_at BEFORE UPDATE ON products FOR EACH ROW EXECUTE FUNCTION touch();
ALTER TABLE products ENABLE ROW LEVEL SECURITY;
ALTER TABLE products FORCE ROW LEVEL SECURITY;
ALTER TABLE orders ENABLE ROW LEVEL SECURITY;
ALTER TABLE orders FORCE ROW LEVEL SECURITY;
CREATE POLICY "Published products are visible to everyone" ON products FOR SELECT
	TO regress_supabase_anon, regress_supabase_authenticated USING (published);
CREATE POLICY "Users see their own orders" ON orders FOR SELECT
	TO regress_supabase_authenticated USING (shop_supabase_auth.uid() = user_id);

RESET ROLE;
\set ada aaaaaaaa-0000-4000-8000-000000000001
\set bob aaaaaaaa-0000-4000-8000-000000000002
\set lamp bbbbbbbb-0000-4000-8000-000000000001
\set sofa bbbbbbbb-0000-4000-8000-000000000002
INSERT INTO shop_supabase_auth.users VALUES (:'ada', 'ada@example.com'), (:'bob', 'bob@example.com');
INSERT INTO products VALUES (:'lamp', 'Lamp', true, 3), (:'sofa', 'Sofa', false, 3);

SET ROLE regress_supabase_owner;
SELECT inventory.attach('products', 'orders', ledger_schema => 'shop_supabase_stock',
						user_claim => 'sub', sellable => 'published', order_columns => '{note}');
-- only the owner has rights on what attach made, whatever the default privileges are
SELECT r.rolname AS unwanted, o.name
  FROM pg_roles r
 CROSS JOIN LATERAL (
	SELECT oid::regprocedure::text FROM pg_proc
	 WHERE (pronamespace = 'shop_supabase_stock'::regnamespace
			OR pronamespace = 'shop_supabase'::regnamespace AND proname <> 'touch')
	   AND has_function_privilege(r.oid, oid, 'EXECUTE')
	UNION ALL
	SELECT oid::regclass::text FROM pg_class
	 WHERE relnamespace = 'shop_supabase_stock'::regnamespace AND relkind IN ('r', 'v')
	   AND has_table_privilege(r.oid, oid, 'SELECT, INSERT, UPDATE, DELETE, TRUNCATE, REFERENCES, TRIGGER')
	UNION ALL
	SELECT nspname FROM pg_namespace
	 WHERE nspname = 'shop_supabase_stock' AND has_schema_privilege(r.oid, oid, 'USAGE, CREATE')) AS o (name)
 WHERE r.rolname ~ '^regress_supabase_(anon|auth|service)'
 ORDER BY 1, 2;
SELECT inventory.grant_api('products', 'regress_supabase_authenticated', 'buyer');
SELECT inventory.grant_api('products', 'regress_supabase_service', 'operator');
RESET ROLE;

-- supabase.rpc('buy_item', { item_id, quantity }) as a signed-in user
BEGIN;
SET LOCAL ROLE regress_supabase_authenticated;
SET LOCAL request.jwt.claims = '{"sub": "aaaaaaaa-0000-4000-8000-000000000001", "role": "authenticated"}';
SELECT buy_item(item_id => :'lamp', quantity => 2, order_data => '{"note": "ring twice"}') IS NOT NULL AS bought;
SELECT quantity, note FROM orders;
SELECT name, stock FROM products;
COMMIT;

-- another user: one lamp is left, and the sofa is not for sale
SET ROLE regress_supabase_authenticated;
SET request.jwt.claims = '{"sub": "aaaaaaaa-0000-4000-8000-000000000002", "role": "authenticated"}';
SELECT buy_item(item_id => :'lamp', quantity => 2);
\echo :SQLSTATE
SELECT buy_item(item_id => :'sofa');
\echo :SQLSTATE
-- for another user; for oneself; without a claim; by an operator function; by a direct write
SELECT buy_item(user_id => :'ada', item_id => :'lamp');
\echo :SQLSTATE
SELECT status, quantity, available FROM buy_cart(:'bob', jsonb_build_array(jsonb_build_object('item_id', :'lamp')));
SET request.jwt.claims = '';
SELECT buy_item(item_id => :'lamp');
\echo :SQLSTATE
SELECT shop_supabase_stock.restock_item(:'lamp', 5);
\echo :SQLSTATE
UPDATE products SET stock = 100 RETURNING name;
SET ROLE regress_supabase_anon;
SELECT buy_item(item_id => :'lamp');
\echo :SQLSTATE

-- the payment webhook restocks without claims
SET ROLE regress_supabase_service;
SELECT shop_supabase_stock.restock_item(:'lamp', 5, 'delivery');

-- an owner to which policies apply by FORCE sees no rows, even in the view levels; sales and
-- the ledger do not depend on policies
SET ROLE regress_supabase_owner;
SELECT count(*) AS policies_hide FROM products;
SELECT available_stock(:'lamp');
SELECT count(*) FROM shop_supabase_stock.levels;
SELECT * FROM inventory.verify('products');
RESET ROLE;
RESET request.jwt.claims;
SELECT name, stock, updated_at IS NOT NULL AS touched FROM products ORDER BY name;
SELECT delta, kind, right(user_id::text, 1) AS who, reason, actor
  FROM shop_supabase_stock.movements ORDER BY movement_id;
SELECT * FROM inventory.verify('products');

SET client_min_messages = warning;
DROP OWNED BY regress_supabase_anon;
DROP OWNED BY regress_supabase_authenticated;
DROP OWNED BY regress_supabase_service;
DROP OWNED BY regress_supabase_owner CASCADE;
SELECT count(*) AS stores FROM inventory.store WHERE store_name LIKE 'shop_supabase%';
DROP ROLE regress_supabase_owner, regress_supabase_anon,
	regress_supabase_authenticated, regress_supabase_service;
