-- Tests of rows that are found and updated without a statement: idempotency keys, reservations,
-- carts and what is given back.  On each layout of the tables a call answers, and leaves, what it
-- does with inventory.direct_access off.
\set VERBOSITY terse
\pset format unaligned
\pset tuples_only on
CREATE ROLE direct_ledger_owner;
GRANT SET ON PARAMETER inventory.direct_access TO direct_ledger_owner;
CREATE SCHEMA direct_ledger AUTHORIZATION direct_ledger_owner;
CREATE SCHEMA direct_ledger_stock AUTHORIZATION direct_ledger_owner;
SET ROLE direct_ledger_owner;
\set schema direct_ledger
\getenv abs_srcdir PG_ABS_SRCDIR
\set include :abs_srcdir '/sql/include/shop.sql'
\i :include
INSERT INTO items (id, stock) VALUES (1, 1000), (2, 1000);
SELECT inventory.attach('items', 'orders', ledger_schema => 'direct_ledger_stock', sellable => 'live');

-- What a program answers, or its error, in a transaction of its own that is rolled back.
CREATE FUNCTION answer(program text, access text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	report text;
BEGIN
	PERFORM pg_catalog.set_config('inventory.direct_access', access, true);
	BEGIN
		EXECUTE program INTO report;
		RAISE EXCEPTION USING ERRCODE = 'ZZ000';
	EXCEPTION WHEN SQLSTATE 'ZZ000' THEN
		RETURN report;
	WHEN OTHERS THEN
		RETURN SQLSTATE || ' ' || SQLERRM;
	END;
END
$$;
-- The same with statements and without, and whether the answers are the same.
CREATE FUNCTION answers(program text) RETURNS text LANGUAGE sql VOLATILE AS $$
	SELECT CASE WHEN a.direct IS NOT DISTINCT FROM a.by_statement THEN a.direct
		   ELSE format('DIFFERENT: %s, %s by a statement', a.direct, a.by_statement) END
	FROM (SELECT answer(program, 'on') AS direct, answer(program, 'off') AS by_statement) AS a
$$;
-- For each user: is a call the first with the key, a retry, and what is one with other arguments?
CREATE FUNCTION keys() RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	who text;
	report text := '';
BEGIN
	FOREACH who IN ARRAY ARRAY['ada', NULL, 'bob', 'Ada', ''] LOOP
		report := report || concat_ws(' ', who, (try_buy_item(who, 1, 1, 'k')).replayed, (try_buy_item(who, 1, 1, 'k')).replayed,
			(try_buy_item(who, 1, 1, 'K')).replayed, (buy_item(who, 1, 1, 'k') = buy_item(who, 1, 1, 'k')) || '; ');
	END LOOP;
	PERFORM buy_item('ada', 1, 2, 'k');
	RETURN report;
EXCEPTION WHEN SQLSTATE 'IV009' THEN
	RETURN report || SQLERRM;
END
$$;

\echo '-- idempotency keys'
SELECT answers('SELECT keys()');
-- a key of the statement that makes the call, and one that was kept and removed
SELECT answers($$WITH kept AS (INSERT INTO requests SELECT 'buy_item', 'ada', 'k', '', '1', now() RETURNING 1) SELECT buy_item('ada', 1, 1, 'k') FROM kept$$);
SELECT answers($$WITH kept AS (SELECT buy_item('ada', 1, 1, 'k') AS id), gone AS (DELETE FROM requests RETURNING 1) SELECT count(*) FROM kept$$);

\echo '-- without the index, with one on other columns, with a partial one, with one of another order'
ALTER TABLE requests DROP CONSTRAINT requests_key_operation_user_id_key;
SELECT answers('SELECT keys()');
CREATE UNIQUE INDEX other ON requests (key, user_id, operation) NULLS NOT DISTINCT;
SELECT answers('SELECT keys()');
DROP INDEX other;
CREATE UNIQUE INDEX other ON requests (key, operation, user_id) NULLS NOT DISTINCT WHERE user_id <> 'ada';
SELECT answers('SELECT keys()');
DROP INDEX other;
CREATE INDEX other ON requests (key COLLATE "C" text_pattern_ops, operation, user_id);
SELECT answers('SELECT keys()');
DROP INDEX other;
CREATE INDEX other ON requests (lower(key), operation, user_id);
SELECT answers('SELECT keys()');
DROP INDEX other;
CREATE INDEX other ON requests (key DESC NULLS LAST, operation, user_id DESC, created_at);
SELECT answers('SELECT keys()');
DROP INDEX other;
ALTER TABLE requests ADD UNIQUE NULLS NOT DISTINCT (key, operation, user_id);

\echo '-- other types, a child, forced policies, privileges'
BEGIN;
ALTER TABLE requests ALTER key TYPE varchar(255);
SELECT answers('SELECT keys()');
ROLLBACK;
BEGIN;
CREATE TABLE child () INHERITS (requests);
INSERT INTO child SELECT 'buy_item', 'ada', 'k', '', '1', now();
SELECT answers($$SELECT buy_item('ada', 1, 1, 'k')$$);
ROLLBACK;
BEGIN;
ALTER TABLE requests ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
SELECT answers('SELECT keys()');
ROLLBACK;
BEGIN;
REVOKE SELECT ON requests FROM CURRENT_USER;
SELECT answers('SELECT keys()');
ROLLBACK;
BEGIN;
REVOKE UPDATE ON requests FROM CURRENT_USER;
SELECT answers('SELECT keys()');
ROLLBACK;
SELECT answers('SELECT keys()');


-- What confirming and releasing reservations of two items leaves, and what each call answers.
CREATE FUNCTION holds() RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	h uuid[] := ARRAY[reserve_cart('ada', '[{"item_id": 2, "quantity": 3}, {"item_id": 1}]'), reserve_stock('bob', 1, 2), reserve_cart('ada', '[{"item_id": 2, "quantity": 5}, {"item_id": 1, "quantity": 4}]')];
	report text := '';
	line record;
BEGIN
	PERFORM change_reservation(h[3], 1, 0);
	FOR line IN SELECT c.* FROM unnest(h) AS r(id), confirm_reservation(r.id) AS c WHERE r.id <> h[2] LOOP
		report := report || format('%s %s %s; ', line.item_id, line.quantity, line.available);
	END LOOP;
	report := report || format('%s %s %s', release_reservation(h[2]), release_reservation(h[2]), (SELECT count(*) FROM confirm_reservation(h[1]) WHERE replayed));
	RETURN report || ' | ' || (SELECT string_agg(format('%s: %s %s %s', r.item_id, r.quantity, r.status, r.order_id = o.id AND r.quantity = o.quantity), ', ' ORDER BY r.item_id, r.quantity)
		FROM reservations AS r LEFT JOIN orders AS o ON o.id = r.order_id) || ' | ' || (SELECT string_agg(stock::text, ' ' ORDER BY id) FROM items)
		|| ' | ' || (SELECT string_agg(delta || ' ' || kind, ', ' ORDER BY movement_id) FROM movements WHERE kind IN ('sale', 'release') AND reservation_id IS NOT NULL)
		|| ' | ' || (SELECT count(*) FROM inventory.verify('items')) || coalesce(' | ' || (SELECT string_agg(what, ', ') FROM log), '');
END
$$;
CREATE TABLE log (what text);
CREATE FUNCTION log_row() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	INSERT INTO log VALUES (format('%s %s %s', TG_OP, TG_WHEN, NEW.status));
	RETURN NEW;
END
$$;
CREATE FUNCTION is_state(t text) RETURNS boolean LANGUAGE sql IMMUTABLE AS $$ SELECT t <> 'lost' $$;
-- Is a hold released by a single look-up of its row?  Statements look it up again and again.
CREATE FUNCTION direct() RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
	h uuid := reserve_stock('ada', 1);
	before bigint := pg_stat_get_xact_numscans('reservations_pkey'::regclass) + pg_stat_get_xact_numscans('reservations'::regclass);
BEGIN
	PERFORM release_reservation(h);
	RETURN pg_stat_get_xact_numscans('reservations_pkey'::regclass) + pg_stat_get_xact_numscans('reservations'::regclass) - before = 1;
END
$$;

\echo '-- reservations'
SELECT answers('SELECT holds()'), answer('SELECT direct()', 'on') AS direct, answer('SELECT direct()', 'off') AS off;
\echo '-- constraints, indexes, and triggers that do not fire; triggers, rules and functions of the shop'
ALTER TABLE reservations ADD CONSTRAINT known CHECK (status <> 'lost' AND (order_id IS NULL OR status = 'confirmed')), ADD note text DEFAULT 'n', ADD gone text;
ALTER TABLE reservations DROP COLUMN gone;
CREATE INDEX ON reservations (status, (lower(status)));
CREATE UNIQUE INDEX ON reservations (order_id) WHERE order_id IS NOT NULL;
CREATE TRIGGER never AFTER UPDATE OF note ON reservations FOR EACH ROW EXECUTE FUNCTION log_row();
SELECT answers('SELECT holds()'), answer('SELECT direct()', 'on') AS direct;
BEGIN;
ALTER TABLE reservations ADD CONSTRAINT none CHECK (status NOT IN ('released', 'confirmed')) NOT VALID;
SELECT answers('SELECT holds()');
ROLLBACK;
BEGIN;
ALTER TABLE reservations ADD CONSTRAINT state CHECK (is_state(status));
SELECT answers('SELECT holds()'), answer('SELECT direct()', 'on') AS direct;
ROLLBACK;
BEGIN;
CREATE TRIGGER log_row AFTER UPDATE ON reservations FOR EACH ROW EXECUTE FUNCTION log_row();
SELECT answers('SELECT holds()'), answer('SELECT direct()', 'on') AS direct;
ALTER TABLE reservations DISABLE TRIGGER log_row;
SELECT answers('SELECT holds()'), answer('SELECT direct()', 'on') AS direct;
ROLLBACK;
BEGIN;
CREATE RULE logged AS ON UPDATE TO reservations DO ALSO INSERT INTO log VALUES (NEW.status);
SELECT answers('SELECT holds()');
ROLLBACK;
BEGIN;
ALTER TABLE reservations ADD CONSTRAINT sold FOREIGN KEY (order_id) REFERENCES orders;
SELECT answers('SELECT holds()'), answer('SELECT direct()', 'on') AS direct;
ROLLBACK;
BEGIN;
ALTER TABLE reservations ADD COLUMN shown text GENERATED ALWAYS AS (upper(status)) STORED;
SELECT answers('SELECT holds()'), answer('SELECT direct()', 'on') AS direct;
ROLLBACK;
BEGIN;
ALTER TABLE reservations ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY readable ON reservations FOR SELECT USING (true);
SELECT answers('SELECT holds()'), answer('SELECT direct()', 'on') AS direct;
ROLLBACK;
BEGIN;
CREATE TABLE child () INHERITS (reservations);
SELECT answers('SELECT holds()'), answer('SELECT direct()', 'on') AS direct;
ROLLBACK;
BEGIN;
ALTER TABLE reservations DROP CONSTRAINT reservations_pkey, ADD CONSTRAINT reservations_pkey PRIMARY KEY (item_id, reservation_id);
SELECT answers('SELECT holds()'), answer('SELECT direct()', 'on') AS direct;
ROLLBACK;
BEGIN;
REVOKE UPDATE ON reservations FROM CURRENT_USER;
SELECT answers('SELECT holds()');
ROLLBACK;
-- a trigger on orders releases what is being confirmed, or writes its row
CREATE FUNCTION meddle() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
	IF NEW.quantity = 7 THEN
		PERFORM release_reservation(r.reservation_id) FROM reservations AS r WHERE r.quantity = 7;
	ELSIF NEW.quantity = 8 THEN
		UPDATE reservations SET note = 'written' WHERE quantity = 8;
	ELSIF NEW.quantity = 9 THEN
		UPDATE reservations SET quantity = 10 WHERE quantity = 9;
	END IF;
	RETURN NEW;
END
$$;
CREATE TRIGGER meddle BEFORE INSERT ON orders FOR EACH ROW EXECUTE FUNCTION meddle();
SELECT n, answers(format($$SELECT concat_ws(' ', c.status, c.quantity, c.available, (SELECT note FROM reservations)) FROM confirm_reservation(reserve_stock('ada', 1, %s)) AS c$$, n)) FROM unnest('{6, 7, 8, 9}'::int[]) AS n;
DROP TRIGGER meddle ON orders;

\echo '-- refunds and releases give to rows that a trigger, a rule or the floor of the shop concerns'
CREATE FUNCTION refund() RETURNS text LANGUAGE sql AS $$
	SELECT concat_ws(' ', refund_order(buy_item('ada', 1, 5), 2), release_reservation(reserve_stock('ada', 2)))
$$;
CREATE FUNCTION left_after(program text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	answer text;
BEGIN
	EXECUTE 'SELECT ' || program INTO answer;
	RETURN concat_ws(' | ', answer, (SELECT string_agg(format('%s %s', stock, version), ', ' ORDER BY id) FROM items WHERE id < 3), (SELECT count(*) FROM inventory.verify('items')), (SELECT string_agg(what, ', ') FROM log));
END
$$;
SELECT answers($$SELECT left_after('refund()')$$);
UPDATE items SET stock = 2147483647 - 1 WHERE id = 1;
SELECT answers($$SELECT left_after('refund()')$$);
BEGIN;
SELECT buy_item('ada', 1, 5) AS sold \gset
UPDATE items SET stock = 2147483647 - 1 WHERE id = 1;
SELECT answers($$SELECT left_after('refund_order($$ || :'sold' || $$, 2)')$$);
UPDATE items SET stock = NULL WHERE id = 1;
SELECT answers($$SELECT left_after('refund_order($$ || :'sold' || $$, 2)')$$);
DELETE FROM items WHERE id = 1;
SELECT answers($$SELECT left_after('refund_order($$ || :'sold' || $$, 2)')$$);
ROLLBACK;
BEGIN;
CREATE FUNCTION log_item() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN INSERT INTO log VALUES (format('%s %s', NEW.id, NEW.stock)); RETURN NEW; END $$;
CREATE TRIGGER log_item AFTER UPDATE ON items FOR EACH ROW EXECUTE FUNCTION log_item();
SELECT answers($$SELECT left_after('refund()')$$);
ROLLBACK;


\echo '-- refunds: rows of orders of every layout, and indexes of refunds'
CREATE FUNCTION refunds() RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	o bigint := buy_item('ada', 2, 5);
	report text := concat_ws(' ', refund_order(o, 1), refund_order(o, 2, false, 'lost'));
BEGIN
	BEGIN
		PERFORM refund_order(o, 3);
	EXCEPTION WHEN SQLSTATE 'IV008' THEN
		report := concat_ws(' ', report, SQLERRM);
	END;
	report := concat_ws(' ', report, refund_order(o));
	BEGIN
		PERFORM refund_order(o);
	EXCEPTION WHEN SQLSTATE 'IV008' THEN
		report := concat_ws(' ', report, SQLERRM);
	END;
	PERFORM refund_order(-1);
EXCEPTION WHEN OTHERS THEN
	RETURN concat_ws(' ', report, SQLSTATE, SQLERRM, (SELECT string_agg(concat_ws(' ', delta, kind, user_id, order_id = o), ', ' ORDER BY movement_id) FROM movements WHERE order_id = o));
END
$$;
SELECT answers('SELECT refunds()');
BEGIN;
ALTER TABLE orders DROP CONSTRAINT orders_pkey;
SELECT answers('SELECT refunds()');
CREATE INDEX twice ON orders (id, item_id);
INSERT INTO orders SELECT 77, 'ada', 2, q FROM unnest('{1,2}'::int[]) AS q;
SELECT answers('SELECT refunds()'), answers('SELECT refund_order(77)');
UPDATE orders SET quantity = NULL WHERE quantity = 2;
DELETE FROM orders WHERE quantity = 1 AND id = 77;
SELECT answers('SELECT refund_order(77)');
UPDATE orders SET item_id = NULL, quantity = 1 WHERE id = 77;
SELECT answers('SELECT refund_order(77)');
ROLLBACK;
BEGIN;
ALTER TABLE orders ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY added ON orders FOR INSERT WITH CHECK (true);
SELECT answers('SELECT refunds()');
ROLLBACK;
BEGIN;
REVOKE UPDATE, DELETE ON movements FROM CURRENT_USER;
SELECT answers('SELECT refunds()');
REVOKE UPDATE ON orders FROM CURRENT_USER;
SELECT answers('SELECT refunds()');
ROLLBACK;
BEGIN;
DROP INDEX movements_refunds_idx;
SELECT answers('SELECT refunds()');
CREATE INDEX other ON movements (order_id) WHERE kind = 'write_off';
SELECT answers('SELECT refunds()');
CREATE INDEX another ON movements (order_id) WHERE kind IN ('refund', 'write_off') AND delta > 1;
SELECT answers('SELECT refunds()');
CREATE INDEX whole ON movements (order_id, created_at);
SELECT answers('SELECT refunds()');
ROLLBACK;

\echo '-- carts: items for sale or not, missing, untracked, and hot'
INSERT INTO items (id, stock, live) VALUES (3, 5, false), (4, NULL, true), (5, 9, true), (6, 0, true);
CREATE FUNCTION cart(ids text) RETURNS text LANGUAGE sql AS $$
	SELECT string_agg(concat_ws(' ', c.status, c.item_id, c.quantity, c.available), ', ')
	FROM try_buy_cart('ada', (SELECT jsonb_agg(jsonb_build_object('item_id', i, 'quantity', 2)) FROM unnest(ids::int[]) AS i)) AS c
$$;
SELECT ids, answers(format($$SELECT left_after('cart(''%s'')')$$, ids)) FROM unnest(ARRAY['{5,1}', '{2,4}', '{1,3}', '{1,6}', '{99,5}', '{1,2,4,5}']) AS ids;
SELECT inventory.heat('items', 5);
SELECT ids, answers(format($$SELECT left_after('cart(''%s'')')$$, ids)) FROM unnest(ARRAY['{5,1}', '{99,5}', '{1,2,4,5}']) AS ids;
SELECT inventory.cool('items', 5);
\pset tuples_only off
DROP SCHEMA direct_ledger, direct_ledger_stock CASCADE;
RESET ROLE;
REVOKE ALL ON PARAMETER inventory.direct_access FROM direct_ledger_owner;
DROP ROLE direct_ledger_owner;
