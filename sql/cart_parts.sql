-- Tests of reserve_part, release_part and orders_may_refuse, which carts over several databases need.
\set VERBOSITY terse
\set SHOW_CONTEXT never
SET client_min_messages = warning;
CREATE SCHEMA parts;
SET search_path = parts, parts_stock;
CREATE TABLE items (id bigint PRIMARY KEY, stock int);
CREATE TABLE orders (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, user_id text, item_id bigint, quantity int NOT NULL, note text);
INSERT INTO items VALUES (1, 5), (2, 5), (3, NULL);
SELECT inventory.attach('items', 'orders', order_columns => '{note}', ledger_schema => 'parts_stock');
SELECT store_name AS store FROM inventory.bindings WHERE items = 'items'::regclass \gset
SELECT '00000000-0000-4000-8000-00000000000a' AS a, '00000000-0000-4000-8000-00000000000b' AS b,
	'00000000-0000-4000-8000-00000000000c' AS c, '00000000-0000-4000-8000-00000000000d' AS d \gset

\echo '-- a part is decided when it is made, and the same again is the same'
SELECT (inventory.reserve_part(:'store', 'ann'::text, '[{"item_id": 1, "quantity": 2}, {"item_id": 2}]', :'a', NULL::hold)).* FROM generate_series(1, 2);
SELECT item_id, quantity, decided FROM open_reservations ORDER BY 1;
SELECT count(*) FROM inventory.verify('items');
SELECT expire_reservations(), prune('0');
SELECT item_id, quantity, status FROM confirm_reservation(:'a');
SELECT status FROM inventory.reserve_part(:'store', 'ann'::text, '[{"item_id": 1, "quantity": 2}, {"item_id": 2}]', :'a', NULL::hold);

\echo '-- other lines, another user, or a hold that is not decided'
SELECT inventory.reserve_part(:'store', 'ann'::text, '[{"item_id": 1}]', :'a', NULL::hold);
SELECT inventory.reserve_part(:'store', 'bob'::text, '[{"item_id": 1, "quantity": 2}, {"item_id": 2}]', :'a', NULL::hold);
SELECT reserve_stock('ann', 1, reservation_id => :'b');
SELECT inventory.reserve_part(:'store', 'ann'::text, '[{"item_id": 1}]', :'b', NULL::hold);
SELECT decide_reservation(:'b');
SELECT status, expires_at FROM inventory.reserve_part(:'store', 'ann'::text, '[{"item_id": 1}]', :'b', NULL::hold);

\echo '-- refused lines are a status'
SELECT status, reservation_id, short_lines FROM inventory.reserve_part(:'store', 'ann'::text, '[{"item_id": 1, "quantity": 9}, {"item_id": 2}]', :'c', NULL::hold);
SELECT inventory.reserve_part(:'store', 'ann'::text, NULL, :'c', NULL::hold);
SELECT inventory.reserve_part(:'store', 'ann'::text, '[{"item_id": 1}]', NULL, NULL::hold);
SELECT inventory.reserve_part(:'store', 'ann'::text, '[{"item_id": 1, "quantity": 0}]', :'c', NULL::hold);

\echo '-- a quantity that orders cannot have is refused before it is decided'
SELECT status FROM inventory.reserve_part(:'store', 'ann'::text, '[{"item_id": 3, "quantity": 2147483647}]', :'c', NULL::hold);
SELECT status FROM inventory.reserve_part(:'store', 'ann'::text, '[{"item_id": 3, "quantity": 2147483648}]', :'d', NULL::hold);

\echo '-- a part of a hot item'
SELECT inventory.heat('items', 2);
SELECT status FROM inventory.reserve_part(:'store', 'ann'::text, '[{"item_id": 2}]', '00000000-0000-4000-8000-00000000000e', NULL::hold);
SELECT inventory.release_part(:'store', '00000000-0000-4000-8000-00000000000e');
SELECT inventory.cool('items');
SELECT * FROM available_stocks('{1,2}');

\echo '-- one that is released before it comes holds nothing; a confirmed one is not released'
SELECT inventory.release_part(:'store', :'b'), inventory.release_part(:'store', :'b'), inventory.release_part(:'store', :'d');
SELECT status, short_lines FROM inventory.reserve_part(:'store', 'ann'::text, '[{"item_id": 1}]', :'d', NULL::hold);
SELECT inventory.release_part(:'store', :'a');
SELECT inventory.release_part(:'store', NULL);
SELECT count(*) FROM inventory.verify('items');

\echo '-- both are for the owner, also in a function that others call'
CREATE ROLE parts_router;
GRANT USAGE ON SCHEMA parts, parts_stock TO parts_router;
CREATE FUNCTION forbid(id uuid) RETURNS boolean LANGUAGE plpgsql SECURITY DEFINER AS $$ BEGIN RETURN inventory.release_part('parts.items', id); END $$;
SET ROLE parts_router;
SELECT inventory.reserve_part(:'store', 'ann'::text, '[{"item_id": 1}]', :'d', NULL::hold);
SELECT inventory.release_part(:'store', :'c');
SELECT inventory.orders_may_refuse(:'store');
SELECT forbid('00000000-0000-4000-8000-00000000000f');
RESET ROLE;
SELECT status FROM inventory.reserve_part(:'store', 'ann'::text, '[{"item_id": 1}]', '00000000-0000-4000-8000-00000000000f', NULL::hold);

\echo '-- what can refuse an order'
CREATE FUNCTION may_refuse(change text, back text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	answer boolean;
BEGIN
	EXECUTE change;
	answer := inventory.orders_may_refuse('parts.items');
	EXECUTE back;
	RETURN answer || CASE WHEN inventory.orders_may_refuse('parts.items') THEN ', and then' ELSE '' END;
END $$;
CREATE FUNCTION nothing() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NEW; END $$;
CREATE FUNCTION tenant() RETURNS text LANGUAGE sql AS $$ SELECT 'a' $$;
CREATE TABLE others (id text PRIMARY KEY);
CREATE DOMAIN short AS text CHECK (length(VALUE) < 10);
SELECT inventory.orders_may_refuse(:'store');
SELECT change, may_refuse('ALTER TABLE orders ' || change, 'ALTER TABLE orders ' || back) FROM (VALUES
	('ADD CONSTRAINT c CHECK (quantity < 100)', 'DROP CONSTRAINT c'),
	('ADD CONSTRAINT c CHECK (quantity < 100) NOT VALID', 'DROP CONSTRAINT c'),
	('ADD CONSTRAINT c FOREIGN KEY (item_id) REFERENCES items', 'DROP CONSTRAINT c'),
	('ADD CONSTRAINT c FOREIGN KEY (note) REFERENCES others DEFERRABLE INITIALLY DEFERRED', 'DROP CONSTRAINT c'),
	('ADD CONSTRAINT c UNIQUE (user_id, item_id, id)', 'DROP CONSTRAINT c'),
	('ADD CONSTRAINT c EXCLUDE USING btree (note WITH =)', 'DROP CONSTRAINT c'),
	('ADD c text NOT NULL DEFAULT ''x''', 'DROP c'),
	('ADD c timestamptz NOT NULL DEFAULT now()', 'DROP c'),
	('ADD c uuid NOT NULL DEFAULT gen_random_uuid()', 'DROP c'),
	('ADD c serial', 'DROP c'),
	('ADD c text DEFAULT parts.tenant()', 'DROP c'),
	('ADD c text DEFAULT current_setting(''app.tenant'', true)', 'DROP c'),
	('ADD c short', 'DROP c'),
	('ADD c int GENERATED ALWAYS AS (10 / quantity) STORED', 'DROP c'),
	('ADD c text', 'DROP c'),
	('ALTER item_id SET NOT NULL', 'ALTER item_id DROP NOT NULL'),
	('ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY', 'NO FORCE ROW LEVEL SECURITY, DISABLE ROW LEVEL SECURITY')) AS v (change, back);
SELECT change, may_refuse(change, back) FROM (VALUES
	('CREATE TRIGGER t BEFORE INSERT ON orders FOR EACH ROW EXECUTE FUNCTION parts.nothing()', 'DROP TRIGGER t ON orders'),
	('CREATE TRIGGER t AFTER INSERT ON orders EXECUTE FUNCTION parts.nothing()', 'DROP TRIGGER t ON orders'),
	('CREATE CONSTRAINT TRIGGER t AFTER INSERT ON orders DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION parts.nothing()', 'DROP TRIGGER t ON orders'),
	('CREATE TRIGGER t BEFORE UPDATE ON orders FOR EACH ROW EXECUTE FUNCTION parts.nothing()', 'DROP TRIGGER t ON orders'),
	('CREATE INDEX i ON orders (user_id)', 'DROP INDEX i'),
	('CREATE INDEX i ON orders ((10 / quantity))', 'DROP INDEX i'),
	('CREATE INDEX i ON orders (user_id) WHERE 10 / quantity > 1', 'DROP INDEX i'),
	('CREATE UNIQUE INDEX i ON orders (note)', 'DROP INDEX i')) AS v (change, back);
-- a column that must be given
ALTER TABLE orders ADD required text NOT NULL DEFAULT 'x';
SELECT inventory.orders_may_refuse(:'store');
ALTER TABLE orders ALTER required DROP DEFAULT;
SELECT inventory.orders_may_refuse(:'store');
DROP SCHEMA parts, parts_stock CASCADE;
DROP ROLE parts_router;
