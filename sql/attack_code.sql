-- Tests of an owner's code in calls of another role that has more rights: triggers, defaults,
-- checks, indexes, policies, casts and conditions run with the owner's rights, at once and at
-- commit, and leave nothing in the session of the caller.
\set SHOW_CONTEXT never
\set VERBOSITY terse
\pset format unaligned
\pset tuples_only on
SET client_min_messages = warning;
CREATE ROLE regress_code_owner; CREATE ROLE regress_code_web;
CREATE SCHEMA attack_code AUTHORIZATION regress_code_owner;
CREATE SCHEMA attack_code_stock AUTHORIZATION regress_code_owner;
GRANT USAGE ON SCHEMA attack_code TO PUBLIC;
CREATE TABLE attack_code.bites (place text);
GRANT INSERT ON attack_code.bites TO PUBLIC;
-- What a session keeps, and what ran with other rights than the owner's.
CREATE VIEW attack_code.found AS SELECT concat_ws(', ',
	(SELECT count(*) FROM pg_cursors WHERE is_holdable) || ' cursors',
	(SELECT count(*) FROM pg_prepared_statements WHERE from_sql) || ' statements',
	(SELECT count(*) FROM pg_class WHERE relnamespace = pg_my_temp_schema()) || ' temporary',
	(SELECT count(*) FROM pg_listening_channels()) || ' channels',
	'path ' || current_setting('search_path'), 'setting ' || nullif(current_setting('attack.setting', true), ''),
	'bites: ' || coalesce((SELECT string_agg(DISTINCT place, ' ' ORDER BY place) FROM attack_code.bites), 'none')) AS found;
\set look 'SELECT found FROM attack_code.found; TRUNCATE attack_code.bites; DISCARD ALL; SET client_min_messages = warning;'
-- Run calls: each with "ok", or the error.
CREATE FUNCTION attack_code.attempt(VARIADIC calls text[]) RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE
	call text;
BEGIN
	FOREACH call IN ARRAY calls LOOP
		BEGIN
			EXECUTE 'SELECT * FROM ' || call;
			RETURN NEXT left(call, strpos(call, '(') - 1) || ' ok';
		EXCEPTION WHEN OTHERS THEN
			RETURN NEXT left(call, strpos(call, '(') - 1) || ' ' || SQLSTATE;
		END;
	END LOOP;
END
$$;

SET ROLE regress_code_owner;
CREATE FUNCTION attack_code.note(place text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
	IF current_user <> 'regress_code_owner' THEN
		INSERT INTO attack_code.bites VALUES (place);
	END IF;
END
$$;
-- declared immutable, for indexes and checks; it runs nothing but a query
CREATE FUNCTION attack_code.bite(i bigint, place text) RETURNS bigint LANGUAGE plpgsql IMMUTABLE AS $$
BEGIN
	PERFORM attack_code.note(place);
	RETURN i;
END
$$;
CREATE FUNCTION attack_code.leave() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
	statement text;
BEGIN
	PERFORM attack_code.note('trigger ' || TG_TABLE_NAME);
	FOREACH statement IN ARRAY '{CREATE TEMP TABLE left_table (),DECLARE left_open CURSOR WITH HOLD FOR SELECT 1,PREPARE left_over AS SELECT 1,LISTEN left_channel}'::text[] LOOP
		BEGIN
			EXECUTE statement;
		EXCEPTION WHEN OTHERS THEN
			NULL;
		END;
	END LOOP;
	PERFORM set_config('search_path', 'attack_code', false), set_config('attack.setting', 'left', false);
	RETURN NULL;
END
$$;
CREATE FUNCTION attack_code.later() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	PERFORM attack_code.note('deferred');
	RETURN NULL;
END
$$;
CREATE TABLE attack_code.items (id bigint PRIMARY KEY, stock bigint CHECK (attack_code.bite(stock, 'check') IS NOT NULL));
CREATE DOMAIN attack_code.units AS bigint CHECK (attack_code.bite(VALUE, 'domain') > 0);
CREATE TABLE attack_code.orders (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, user_id text, item_id bigint, quantity attack_code.units,
	noted bigint DEFAULT attack_code.bite(1, 'default'), twice bigint GENERATED ALWAYS AS (attack_code.bite(item_id, 'generated')) STORED);
INSERT INTO attack_code.items VALUES (1, 1000), (2, 1000);
SELECT inventory.attach('attack_code.items', 'attack_code.orders', ledger_schema => 'attack_code_stock', sellable => 'attack_code.bite(id, ''sellable'') > 0');
CREATE INDEX ON attack_code.items (attack_code.bite(stock, 'index'));
CREATE INDEX ON attack_code.orders (attack_code.bite(item_id, 'index')) WHERE attack_code.bite(item_id, 'predicate') > 0;
CREATE INDEX ON attack_code_stock.movements (attack_code.bite(item_id, 'index'));
CREATE INDEX ON attack_code_stock.reservations (attack_code.bite(item_id, 'index'));
-- the planner evaluates what has only constants
CREATE INDEX ON attack_code.items (id) WHERE attack_code.bite(1, 'folded') > 0;
CREATE INDEX ON attack_code_stock.movements (item_id) WHERE attack_code.bite(1, 'folded') > 0;
CREATE INDEX ON attack_code_stock.reservations (item_id) WHERE attack_code.bite(1, 'folded') > 0;
CREATE INDEX ON attack_code_stock.hot (item_id) WHERE attack_code.bite(1, 'folded') > 0;
ALTER TABLE attack_code.items ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY bite ON attack_code.items USING (attack_code.bite(id, 'policy') > 0);
CREATE TRIGGER leave AFTER UPDATE ON attack_code.items FOR EACH ROW EXECUTE FUNCTION attack_code.leave();
CREATE TRIGGER leave AFTER INSERT ON attack_code.orders FOR EACH ROW EXECUTE FUNCTION attack_code.leave();
CREATE TRIGGER leave AFTER INSERT ON attack_code_stock.movements FOR EACH ROW EXECUTE FUNCTION attack_code.leave();
CREATE TRIGGER leave AFTER INSERT OR UPDATE ON attack_code_stock.reservations FOR EACH ROW EXECUTE FUNCTION attack_code.leave();
RESET ROLE;
\set later 'SET ROLE regress_code_owner; CREATE CONSTRAINT TRIGGER later AFTER INSERT ON attack_code_stock.movements DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION attack_code.later(); RESET ROLE;'
\set not_later 'SET ROLE regress_code_owner; DROP TRIGGER later ON attack_code_stock.movements; RESET ROLE;'

\echo '-- the bait works'
INSERT INTO attack_code.orders (user_id, item_id, quantity) VALUES ('u', 1, 1);
UPDATE attack_code.items SET stock = stock - 1 WHERE id = 1;
SELECT count(*) FROM attack_code_stock.hot;
:look
\echo '-- buyer'
SELECT inventory.reserve_stock('attack_code.items', 'u'::text, 1::bigint, 2, NULL, NULL, NULL) AS one,
	inventory.reserve_cart('attack_code.items', 'u'::text, '[{"item_id": 1}, {"item_id": 2}]', NULL, NULL, NULL) AS two \gset
SELECT attack_code.attempt(
	$$inventory.buy_item('attack_code.items', 'u'::text, 1::bigint, 1, 'k', NULL, NULL::bigint)$$,
	$$inventory.try_buy_item('attack_code.items', 'u'::text, 1::bigint, 1, 'k', NULL, NULL::attack_code_stock.line)$$,
	$$inventory.buy_cart('attack_code.items', 'u'::text, '[{"item_id": 1}, {"item_id": 2}]', NULL, NULL, NULL::attack_code_stock.line)$$,
	$$inventory.try_buy_cart('attack_code.items', 'u'::text, '[{"item_id": 1}]', NULL, NULL, NULL::attack_code_stock.line)$$,
	$$inventory.available_stock('attack_code.items', 1::bigint, NULL::bigint)$$,
	$$inventory.try_reserve_cart('attack_code.items', 'u'::text, '[{"item_id": 1}]', NULL, NULL, NULL, NULL::attack_code_stock.hold)$$,
	format($$inventory.change_reservation('attack_code.items', %L, 1::bigint, 3, 'u'::text)$$, :'one'),
	format($$inventory.extend_reservation('attack_code.items', %L, NULL, 'u'::text)$$, :'one'),
	format($$inventory.get_reservation('attack_code.items', %L, NULL::attack_code_stock.held_line)$$, :'one'),
	format($$inventory.release_reservation('attack_code.items', %L, 'u'::text)$$, :'one'),
	format($$inventory.confirm_reservation('attack_code.items', %L, 'u'::text, NULL, NULL::attack_code_stock.line)$$, :'two'));
:look
-- what the owner leaves for the commit is refused
:later
SELECT attack_code.attempt($$inventory.buy_item('attack_code.items', 'u'::text, 1::bigint, 1, NULL, NULL, NULL::bigint)$$);
:not_later
:look
\echo '-- operator'
SELECT inventory.reserve_stock('attack_code.items', 'u'::text, 1::bigint, 1, '1 microsecond', NULL, NULL) IS NOT NULL;
SELECT attack_code.attempt(
	$$inventory.restock_item('attack_code.items', 1::bigint, 5, NULL, NULL, NULL::bigint)$$,
	$$inventory.adjust_stock('attack_code.items', 1::bigint, -1, 'damp', NULL, 'write_off', NULL, NULL::bigint)$$,
	$$inventory.count_stock('attack_code.items', 2::bigint, 900, 0, NULL, NULL, NULL, NULL::bigint)$$,
	$$inventory.refund_order('attack_code.items', 2::bigint, 1, true, NULL, NULL, NULL::bigint)$$,
	$$inventory.expire_reservations('attack_code.items', 10)$$, $$inventory.prune('attack_code.items', '1 day')$$,
	$$inventory.close_ledger('attack_code.items', now())$$, $$inventory.open_ledger('attack_code.items')$$,
	$$inventory.heat('attack_code.items', 1::bigint)$$, $$inventory.settle('attack_code.items')$$, $$inventory.cool('attack_code.items')$$);
:look
:later
SELECT attack_code.attempt($$inventory.restock_item('attack_code.items', 1::bigint, 5, NULL, NULL, NULL::bigint)$$);
:not_later
:look
\echo '-- verify'
-- a view where a table of the ledger was, and a rule, call functions of the owner
SELECT count(*) FROM inventory.verify('attack_code.items');
SELECT count(*) FROM inventory.verify('attack_code.items', 1::bigint);
SET ROLE regress_code_owner;
ALTER TABLE attack_code_stock.reservations RENAME TO reservations_table;
CREATE VIEW attack_code_stock.reservations AS SELECT * FROM attack_code_stock.reservations_table WHERE attack_code.bite(item_id, 'view') > 0;
RESET ROLE;
SELECT problem FROM inventory.verify('attack_code.items');
:look
\echo '-- stats'
SELECT DISTINCT store_name FROM inventory.stats WHERE store_name LIKE 'attack_code%';
SELECT count(*) FROM inventory.hot_entries() WHERE problem IS NOT NULL;
SELECT coalesce(inventory.overdue_holds('attack_code.items'), 0), inventory.count_hot('attack_code.items'), inventory.worker_state() IS NOT NULL;
SET ROLE regress_code_owner;
DROP VIEW attack_code_stock.reservations;
ALTER TABLE attack_code_stock.reservations_table RENAME TO reservations;
RESET ROLE;
:look
\echo '-- attach'
SELECT inventory.refresh('attack_code.items');
SELECT inventory.grant_api('attack_code.items', 'regress_code_web', 'operator');
SELECT inventory.detach('attack_code.items');
-- the opening of an item is a movement
SET ROLE regress_code_owner;
UPDATE attack_code.items SET stock = stock + 1;
RESET ROLE;
DISCARD ALL;
SET client_min_messages = warning;
SELECT inventory.attach('attack_code.items', 'attack_code.orders', ledger_schema => 'attack_code_stock', sellable => 'attack_code.bite(id, ''sellable'') > 0');
SELECT DISTINCT owner FROM (SELECT relowner::regrole AS owner FROM pg_class WHERE relnamespace IN ('attack_code'::regnamespace, 'attack_code_stock'::regnamespace) AND relname NOT IN ('bites', 'found')
	UNION ALL SELECT proowner::regrole FROM pg_proc WHERE pronamespace IN ('attack_code'::regnamespace, 'attack_code_stock'::regnamespace) AND proname <> 'attempt') AS owners;
:look
SELECT inventory.detach('attack_code.items');
SET ROLE regress_code_owner;
UPDATE attack_code.items SET stock = stock + 1;
RESET ROLE;
DISCARD ALL;
SET client_min_messages = warning;
:later
SELECT attack_code.attempt($$inventory.attach('attack_code.items', 'attack_code.orders', ledger_schema => 'attack_code_stock')$$);
:not_later
:look
\echo '-- the end'
\pset tuples_only off
DROP OWNED BY regress_code_owner, regress_code_web CASCADE;
DROP SCHEMA IF EXISTS attack_code, attack_code_stock CASCADE;
DROP ROLE regress_code_owner, regress_code_web;
