-- Tests of reserve_part, finish_part, sell_part and orders_may_refuse, which carts over several databases need.
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
SELECT '00000000-0000-8ca7-8000-000000000000' AS attempt, '00000000-0000-8ca7-8000-000000000002' AS part_2 \gset
CREATE TYPE answer AS (code text, message text, detail text, hint text, value text);
CREATE FUNCTION reserve(node int, lines jsonb, user_id text = 'ann') RETURNS text LANGUAGE sql AS
	$$ SELECT inventory.reserve_part('parts.items', ARRAY[node], ARRAY[lines], '{null}', '00000000-0000-8ca7-8000-000000000000', user_id, true) $$;
CREATE FUNCTION finish(node int, confirm boolean) RETURNS text LANGUAGE sql AS
	$$ SELECT inventory.finish_part('parts.items', ARRAY[node], '{null}', '00000000-0000-8ca7-8000-000000000000', confirm) $$;

\echo '-- a part is decided when it is made, and the same again is the same'
-- the parts of an attempt differ in their node, which is the end of the id
SELECT reserve(1, '[{"item_id": 1, "quantity": 2}, {"item_id": 2}]') FROM generate_series(1, 2);
SELECT item_id, quantity, decided, reservation_id FROM open_reservations ORDER BY 1;
SELECT count(*) FROM inventory.verify('items');
SELECT expire_reservations(), prune('0');
SELECT finish(1, true) FROM generate_series(1, 2);
SELECT reserve(1, '[{"item_id": 1, "quantity": 2}, {"item_id": 2}]');
SELECT item_id, quantity, user_id, note FROM orders ORDER BY id;

\echo '-- lines as elements of an array: PL/Proxy divides arrays among nodes'
SELECT inventory.reserve_part(:'store', '{258,258}', '{"{\"item_id\": 3}","{\"item_id\": 3, \"quantity\": 4}"}', '{null,null}', :'attempt', 'ann'::text, true);
SELECT inventory.finish_part(:'store', '{258,258}', '{"{\"note\": \"first\"}","{\"note\": \"second\"}"}', :'attempt', true);
SELECT quantity, note, right(reservation_id::text, 4) AS node FROM orders AS o JOIN movements AS m ON m.order_id = o.id AND m.kind = 'sale' WHERE note IS NOT NULL;

\echo '-- other lines, another user, or a hold that is not decided'
SELECT reserve(1, '[{"item_id": 1}]');
SELECT reserve(1, '[{"item_id": 1, "quantity": 2}, {"item_id": 2}]', 'bob');
BEGIN;
SELECT reserve_stock('ann', 1) AS drawn \gset
UPDATE reservations SET reservation_id = :'part_2' WHERE reservation_id = :'drawn';
SELECT reserve(2, '[{"item_id": 1}]');
ROLLBACK;
SELECT reserve(2, '[{"item_id": 1}]');

\echo '-- only the decision of its cart ends it, and no other reservation has such an id'
SELECT confirm_reservation(:'part_2');
SELECT release_reservation(:'part_2', 'ann');
SELECT extend_reservation(:'part_2');
SELECT change_reservation(:'part_2', 1, 2);
SELECT decide_reservation(:'part_2');
SELECT status, quantity FROM get_reservation(:'part_2');
SELECT reserve_stock('ann', 1, reservation_id => '00000000-0000-8ca7-8000-000000000099');
SELECT reserve_cart('ann', '[{"item_id": 1}]', reservation_id => '00000000-0000-8ca7-8000-000000000099');
SELECT inventory.reserve_part(:'store', '{1}', '{"[{\"item_id\": 1}]"}', '{null}', '00000000-0000-4000-8000-000000000000', 'ann'::text, true),
	inventory.finish_part(:'store', '{1}', '{null}', '00000000-0000-4000-8000-000000000000', true);

\echo '-- a refusal says what is at fault'
SELECT reserve(3, '[{"item_id": 1, "quantity": 9}, {"item_id": 2}, {"item_id": 7}]');
SELECT ((('{' || (reserve(3, '[{"item_id": 1, "quantity": 9}, {"item_id": 2}]')::answer).value || '}')::parts_stock.line[])[1]).*;

\echo '-- a quantity that orders cannot have is refused before it is decided'
SELECT reserve(3, '[{"item_id": 3, "quantity": 2147483647}]'), reserve(4, '[{"item_id": 3, "quantity": 2147483648}]');

\echo '-- bad arguments are refusals, too'
SELECT reserve(5, '[{"item_id": 1, "quantity": 0}]'), reserve(5, '{"a": 1}'), reserve(5, '[]'), reserve(5, '1'), reserve(5, NULL), reserve(NULL, '[]'), reserve(65536, '[]'), reserve(-1, '[]');
SELECT (inventory.reserve_part(:'store', n, l, d, :'attempt', 'ann'::text, r)::answer).* FROM (VALUES
	(NULL::int[], '{"[]"}'::jsonb[], '{null}'::jsonb[], true), ('{}', '{"[]"}', '{null}', true), ('{1,2}', '{"[]"}', '{null}', true), ('{5,NULL}', '{"[]"}', '{null}', true),
	('{5}', NULL, '{null}', true), ('{5}', '{}', '{null}', true), ('{5}', '{"[]","[]"}', '{null}', true), ('{5}', '{null,"{}"}', '{null}', true),
	('{5}', '{"[{\"item_id\": 1}]"}', NULL, true), ('{5}', '{"[{\"item_id\": 1}]"}', '{}', true), ('{5}', '{"[{\"item_id\": 1}]"}', '{null}', NULL)) AS v (n, l, d, r);
SELECT inventory.reserve_part(:'store', '{5}', '{"[{\"item_id\": 1}]"}', '{null}', NULL, 'ann'::text, true);
SELECT inventory.reserve_part(:'store', '{5}', '{"[{\"item_id\": 1}]"}', '{null}', :'attempt', 7, false);
SELECT inventory.finish_part(:'store', '{5}', '{null}', :'attempt', NULL), inventory.finish_part(:'store', NULL, '{null}', :'attempt', true), inventory.finish_part(:'store', '{5}', '{null}', NULL, true);
SELECT inventory.finish_part(:'store', '{5}', '{null}', :'attempt', false), inventory.finish_part('none', '{5}', '{null}', :'attempt', true);
SELECT inventory.reserve_part(NULL, '{5}', '{"[]"}', '{null}', :'attempt', 'ann'::text, true), finish(9, true);

\echo '-- a part of a hot item'
SELECT inventory.heat('items', 2);
SELECT reserve(14, '[{"item_id": 2}]'), finish(14, false);
SELECT inventory.cool('items');
SELECT * FROM available_stocks('{1,2}');

\echo '-- one that is released before it comes holds nothing; a confirmed one is not released; prune() deletes what was released'
SELECT finish(2, false), finish(2, false), finish(6, false);
SELECT reserve(2, '[{"item_id": 1}]'), reserve(6, '[{"item_id": 1}]');
SELECT finish(1, false), finish(2, true);
SELECT count(*) FROM reservations WHERE reservation_id = :'part_2' AND expires_at < 'infinity';
SELECT count(*) FROM inventory.verify('items');

\echo '-- an order that is refused at its end keeps the part from being held'
CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'no % "today"', NEW.quantity USING ERRCODE = 'SH001', DETAIL = 'back\slash', HINT = 'tomorrow'; END $$;
CREATE CONSTRAINT TRIGGER refuse AFTER INSERT ON orders DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION refuse();
SELECT reserve(7, '[{"item_id": 1}]');
SELECT (reserve(7, '[{"item_id": 1}]')::answer).*;
SELECT inventory.reserve_part(:'store', '{7}', '{"[{\"item_id\": 1}]"}', '{null}', :'attempt', 'ann'::text, false);
SELECT finish(7, false);
DROP TRIGGER refuse ON orders;
SELECT inventory.reserve_part(:'store', '{12}', '{"[{\"item_id\": 1}]"}', '{"{\"none\": 1}"}', :'attempt', 'ann'::text, true);
SELECT * FROM available_stocks('{1,2}');

\echo '-- a query that is cancelled is cancelled'
CREATE FUNCTION cancel() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'cancelled' USING ERRCODE = '57014'; END $$;
CREATE TRIGGER cancel BEFORE INSERT ON orders FOR EACH ROW EXECUTE FUNCTION cancel();
SELECT reserve(8, '[{"item_id": 1}]');
DROP TRIGGER cancel ON orders;

\echo '-- what the home sells'
SELECT inventory.sell_part(:'store', 'ann'::text, '[{"item_id": 1}, {"item_id": 3, "note": "own"}]', NULL);
SELECT inventory.sell_part(:'store', 'ann'::text, '[{"item_id": 1, "quantity": 9}, {"item_id": 3}]', '{"note": "x"}');
SELECT inventory.sell_part(:'store', 'ann'::text, NULL, NULL) IS NULL;
SELECT inventory.sell_part(:'store', 'ann'::text, '[]', NULL);
SELECT inventory.sell_part('none', 'ann'::text, '[{"item_id": 1}]', NULL);

\echo '-- functions in the language of the extension, for a role that may do nothing else'
CREATE ROLE parts_router;
GRANT USAGE ON SCHEMA parts, parts_stock TO parts_router;
CREATE FUNCTION hold(nodes int[], lines jsonb[], data jsonb[], attempt uuid, user_id text, rehearse boolean) RETURNS text LANGUAGE inventory SECURITY DEFINER AS 'reserve_part parts.items';
CREATE FUNCTION settle(nodes int[], data jsonb[], attempt uuid, confirm boolean) RETURNS text LANGUAGE inventory SECURITY DEFINER AS 'finish_part parts.items';
CREATE FUNCTION wrong(nodes int[], data jsonb[], attempt uuid, confirm boolean) RETURNS int LANGUAGE inventory SECURITY DEFINER AS 'finish_part parts.items';
CREATE FUNCTION wrong(nodes text[], data jsonb[], attempt uuid, confirm boolean) RETURNS text LANGUAGE inventory SECURITY DEFINER AS 'finish_part parts.items';
CREATE FUNCTION wrong(nodes int[], data jsonb[], attempt uuid) RETURNS text LANGUAGE inventory SECURITY DEFINER AS 'finish_part parts.items';
CREATE FUNCTION other(nodes int[], data jsonb[], attempt uuid, confirm boolean) RETURNS text LANGUAGE inventory SECURITY DEFINER AS 'finish_part others.items';
CREATE FUNCTION invoker(nodes int[], data jsonb[], attempt uuid, confirm boolean) RETURNS text LANGUAGE inventory AS 'finish_part parts.items';
SET ROLE parts_router;
SELECT inventory.reserve_part(:'store', '{1}', '{"[]"}', '{null}', :'attempt', 'ann'::text, true), inventory.finish_part(:'store', '{1}', '{null}', :'attempt', false);
SELECT inventory.sell_part(:'store', 'ann'::text, '[{"item_id": 1}]', NULL);
SELECT inventory.orders_may_refuse(:'store');
SELECT hold('{10}', '{"[{\"item_id\": 3}]"}', '{null}', :'attempt', 'ann', true), settle('{10}', '{null}', :'attempt', true), settle('{11}', '{null}', :'attempt', false);
SELECT other('{10}', '{null}', :'attempt', true), invoker('{10}', '{null}', :'attempt', true);
RESET ROLE;
SELECT reserve(11, '[{"item_id": 1}]');

\echo '-- deferred triggers fire as the owner, when a part is tried and when it is confirmed; those of the caller do not'
CREATE TABLE seen (quantity int, by name);
CREATE FUNCTION see() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN INSERT INTO parts.seen VALUES (NEW.quantity, current_user); RETURN NULL; END $$;
CREATE CONSTRAINT TRIGGER see AFTER INSERT ON orders DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION see();
SET ROLE parts_router;
SELECT hold('{15}', '{"[{\"item_id\": 3, \"quantity\": 15}]"}', '{null}', :'attempt', 'ann', true);
SELECT settle('{15}', '{null}', :'attempt', true);
RESET ROLE;
SELECT quantity, by = session_user FROM seen;
SET ROLE parts_router;
CREATE TEMP TABLE theirs (a int);
CREATE FUNCTION pg_temp.theirs() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'as the owner: %', current_user <> 'parts_router'; END $$;
CREATE CONSTRAINT TRIGGER theirs AFTER INSERT ON theirs DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION pg_temp.theirs();
BEGIN;
INSERT INTO theirs VALUES (1);
SELECT hold('{16}', '{"[{\"item_id\": 3}]"}', '{null}', :'attempt', 'ann', true);
SELECT hold('{16}', '{"[{\"item_id\": 3}]"}', '{null}', :'attempt', 'ann', false);
SELECT settle('{16}', '{null}', :'attempt', true);
ROLLBACK;
RESET ROLE;
DROP TRIGGER see ON orders;
SET ROLE parts_router;
-- where nothing is to be fired, the transaction may have written before
BEGIN;
INSERT INTO theirs VALUES (1);
SELECT hold('{16}', '{"[{\"item_id\": 3}]"}', '{"{\"note\": \"x\"}"}', :'attempt', 'ann', true), settle('{16}', '{null}', :'attempt', true);
COMMIT;
RESET ROLE;
DROP TABLE theirs;
DROP FUNCTION pg_temp.theirs();
BEGIN READ ONLY;
SELECT settle('{10}', '{null}', :'attempt', true);
ROLLBACK;

\echo '-- what can refuse an order'
UPDATE orders SET note = NULL;
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
	('CREATE UNIQUE INDEX i ON orders (note)', 'DROP INDEX i'),
	('CREATE TRIGGER t BEFORE INSERT ON movements FOR EACH ROW EXECUTE FUNCTION parts.nothing()', 'DROP TRIGGER t ON movements'),
	('CREATE TRIGGER t BEFORE DELETE ON movements FOR EACH ROW EXECUTE FUNCTION parts.nothing()', 'DROP TRIGGER t ON movements'),
	('ALTER TABLE movements ADD CONSTRAINT c CHECK (kind <> ''rent'')', 'ALTER TABLE movements DROP CONSTRAINT c'),
	('CREATE TRIGGER t AFTER UPDATE ON reservations EXECUTE FUNCTION parts.nothing()', 'DROP TRIGGER t ON reservations'),
	('ALTER TABLE reservations ADD CONSTRAINT c CHECK (status <> ''lost'')', 'ALTER TABLE reservations DROP CONSTRAINT c'),
	('SELECT inventory.retype(''parts.items'', ''orders.item_id'', ''integer'')', 'SELECT inventory.retype(''parts.items'', ''orders.item_id'', ''bigint'')')) AS v (change, back);
-- a column that must be given
ALTER TABLE orders ALTER user_id SET NOT NULL;
SELECT inventory.orders_may_refuse(:'store');
SELECT reserve(12, '[{"item_id": 1}]', NULL);
ALTER TABLE orders ALTER user_id DROP NOT NULL;
ALTER TABLE orders ADD required text NOT NULL DEFAULT 'x';
SELECT inventory.orders_may_refuse(:'store');
ALTER TABLE orders ALTER required DROP DEFAULT;
SELECT inventory.orders_may_refuse(:'store');
DROP SCHEMA parts, parts_stock CASCADE;
DROP ROLE parts_router;
