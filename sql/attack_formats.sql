-- Tests of the time zone, the formats and the ways to write literals of the session: whatever
-- they are, each call succeeds, and has the same effect.
\set SHOW_CONTEXT never
\set VERBOSITY terse
\pset format unaligned
\pset tuples_only on
SET TimeZone = 'UTC';
SET DateStyle = 'ISO, MDY';
\set schema attack_formats
\set item_type text
\getenv abs_srcdir PG_ABS_SRCDIR
\set include :abs_srcdir '/sql/include/shop.sql'
\i :include
ALTER TABLE items ADD opens timestamp DEFAULT now(), ADD secret bytea DEFAULT '\x01';
INSERT INTO items (id, stock) VALUES ('now', 1000), ('\', 1000), ('refuses', 1000);
INSERT INTO items (id, stock, opens) VALUES ('later', 1000, now() + interval '2 hours');
CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN IF NEW.stock = 517 THEN RAISE EXCEPTION 'refused'; END IF; RETURN NEW; END $$;
\set options 'ledger_schema => ''attack_formats_stock'', order_columns => ''{note}'', sellable => $$opens <= now() AND secret::text = ''\\x01''$$'
SELECT inventory.attach('items', 'orders', :options);
INSERT INTO seen SELECT max(movement_id), true FROM movements;
-- what the store is: its row and its functions
CREATE VIEW made AS SELECT md5(concat_ws(' ', s.settings, s.max_ttl, (SELECT string_agg(format('%s %s', p.oid::regprocedure, translate(p.proconfig::text, '"\\', '')), ' ' ORDER BY p.proname COLLATE "C") FROM pg_proc AS p
	WHERE p.pronamespace IN ('attack_formats_stock'::regnamespace, 'attack_formats'::regnamespace) AND p.prosecdef))) AS digest FROM inventory.store AS s WHERE s.items = 'attack_formats.items'::regclass;
SELECT digest AS made FROM made \gset
SELECT reserve_stock('w', 'now', 1, '20 hours') IS NOT NULL;
-- a session of another country, another client and another century
-- since PostgreSQL 19 there is no other value than on
SELECT CASE WHEN current_setting('server_version_num')::int < 190000 THEN 'off' ELSE 'on' END AS off \gset
\set odd 'SET TimeZone = ''<x>-20''; SET DateStyle = ''SQL, DMY''; SET IntervalStyle = sql_standard; SET extra_float_digits = -15; SET bytea_output = escape; SET standard_conforming_strings = ' :off '; DO $x$BEGIN PERFORM set_config(name, ''off'', false) FROM pg_settings WHERE name = ''escape_string_warning''; END$x$; SET backslash_quote = off; SET quote_all_identifiers = on; SET array_nulls = off; SET xmlbinary = hex; SET lc_monetary = ''C''; SET lc_numeric = ''C''; SET transform_null_equals = on;'
\set usual 'RESET standard_conforming_strings; DO $x$BEGIN PERFORM set_config(name, ''on'', false) FROM pg_settings WHERE name = ''escape_string_warning''; END$x$; RESET backslash_quote; RESET quote_all_identifiers; RESET array_nulls; RESET xmlbinary; RESET transform_null_equals; RESET bytea_output; RESET extra_float_digits; RESET IntervalStyle; RESET lc_monetary; RESET lc_numeric; SET TimeZone = ''UTC''; SET DateStyle = ''ISO, MDY'';'

\echo '-- buyer'
:odd
SELECT attempt('SELECT buy_item(''u'', ''now'')'), attempt('SELECT buy_item(''u'', ''later'')');
SELECT buy_item('u', 'now', 1, 'k', E'{"note": "a\\\\b"}') AS placed \gset
SELECT available_stock('now'), status FROM try_buy_cart('u', '[{"item_id": "later"}]');
SELECT item_id, status FROM buy_cart('u', jsonb_build_array(jsonb_build_object('item_id', E'\\'), jsonb_build_object('item_id', 'now')), E'\\');
SELECT reserve_stock('u', 'now', 2, '1 day'::interval, 'k') AS one, reserve_cart('u', '[{"item_id": "now"}]', '90 minutes', E'\\') AS two \gset
SELECT extend_reservation(:'two', '10:00:00') = expires_at, change_reservation(:'two', 'now', 3) = expires_at FROM get_reservation(:'two');
:usual
SELECT buy_item('u', 'now', 1, 'k', '{"note": "a\\b"}')  = :placed;
SELECT reserve_stock('u', 'now', 2, '1 day', 'k') = :'one', release_reservation(:'two');
SELECT expires_at - created_at FROM reservations WHERE reservation_id = :'one';
SELECT look();
\echo '-- operator'
:odd
SELECT restock_item(E'\\', 5, E'\\', E'\\'), adjust_stock('now', -5, E'\\', NULL, 'write_off'), count_stock('now', 900, counted_at => clock_timestamp());
SELECT count_stock('now', 900, counted_at => (SELECT created_at FROM movements WHERE kind = 'write_off') - interval '1 microsecond');
SELECT refund_order(max(id), 1) FROM orders;
SELECT expire_reservations(), prune('30 days'), close_ledger('2000-01-01 00:00:00+00');
CREATE TRIGGER refuse BEFORE UPDATE ON items FOR EACH ROW EXECUTE FUNCTION refuse();
SELECT attempt('SELECT inventory.heat(''items'', ''refuses''::text)');
DROP TRIGGER refuse ON items;
SELECT inventory.heat('items', E'\\'), buy_item('u', E'\\'), inventory.settle('items') IS NOT NULL, inventory.cool('items');
:usual
SELECT look();
\echo '-- verify'
:odd
SELECT * FROM inventory.verify('items');
SELECT * FROM inventory.verify('items', E'\\'::text);
ALTER TABLE items DISABLE TRIGGER inventory_guard;
UPDATE items SET stock = 1 WHERE id = E'\\';
SELECT * FROM inventory.verify('items', E'\\'::text);
ALTER TABLE items ENABLE ALWAYS TRIGGER inventory_guard;
:usual
UPDATE items SET stock = (SELECT sum(delta) FROM movements AS m WHERE m.item_id = id) WHERE id = '\' AND set_config('session_replication_role', 'replica', true) <> '';
\echo '-- stats'
:odd
SELECT operation, calls > 0 FROM inventory.stats WHERE store_name = 'attack_formats.items' AND operation = 'refund_order';
SELECT coalesce(inventory.overdue_holds('items'), 0), inventory.worker_state() IS NOT NULL, coalesce(inventory.worker_last_run(), now()) > now() - interval '1 h', count(*) FROM inventory.hot_entries();
SELECT item_id, on_hand > 0 FROM levels ORDER BY item_id COLLATE "C";
:usual
\echo '-- attach'
:odd
SELECT inventory.refresh('items');
:usual
SELECT digest = :'made' FROM made;
:odd
SELECT inventory.detach('items');
SELECT inventory.attach('items', 'orders', ledger_schema => 'attack_formats_stock', order_columns => '{note}', sellable => $$opens <= now()$$);
SELECT attempt('SELECT buy_item(''u'', ''now'')'), attempt('SELECT buy_item(''u'', ''later'')');
SELECT inventory.refresh('items');
:usual
-- this attach recorded the zone of its session, twenty hours ahead
SELECT settings[1] FROM inventory.store WHERE items = 'items'::regclass;
SELECT attempt('SELECT buy_item(''u'', ''now'')'), attempt('SELECT buy_item(''u'', ''later'')');
SELECT inventory.detach('items');
SELECT inventory.attach('items', 'orders', :options);
SELECT digest = :'made' FROM made;
:odd
SELECT inventory.create_store('attack_formats_made', 'text', 'text');
:usual
\echo '-- the end'
\pset tuples_only off
DROP SCHEMA attack_formats, attack_formats_stock, attack_formats_made CASCADE;
