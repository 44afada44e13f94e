-- Tests of the settings of a caller: none that a buyer can change changes what is for sale,
-- for how long, or which call is a retry, whether the item is cold or hot; but triggers and
-- defaults of the shop have them.
\pset format unaligned
\pset tuples_only on
-- since PostgreSQL 19 there is no other value than on
SELECT CASE WHEN current_setting('server_version_num')::int < 190000 THEN 'off' ELSE 'on' END AS off \gset
SET TimeZone = 'UTC';
SET DateStyle = 'ISO, MDY';
SET IntervalStyle = postgres;
SET default_text_search_config = 'pg_catalog.simple';
\set schema caller_settings
\set item_type text
\getenv abs_srcdir PG_ABS_SRCDIR
\set include :abs_srcdir '/sql/include/shop.sql'
\i :include

-- the body of a function is read under the settings of the call that reads it
CREATE FUNCTION has_digit(name text) RETURNS boolean LANGUAGE sql IMMUTABLE AS $$ SELECT name ~ '\d' $$;
CREATE FUNCTION equals_null(name text) RETURNS boolean LANGUAGE sql IMMUTABLE AS $$ SELECT coalesce(name = NULL, false) $$;
-- Each kind of item becomes for sale under a setting other than that of the attach.
ALTER TABLE items ADD opens timestamp, ADD day date, ADD size float8, ADD secret bytea, ADD tags text[];
INSERT INTO items (id, stock, name, opens, day, size, secret, tags) VALUES
	('zone', 9, NULL, now() + interval '2 hours', NULL, NULL, NULL, NULL),
	('abbreviation', 9, to_char(now() - interval '3 hours', 'YYYY-MM-DD HH24:MI "EST"'), NULL, NULL, NULL, NULL, NULL),
	('order', 9, '05/02/2026', NULL, NULL, NULL, NULL, NULL),
	('constant', 9, NULL, NULL, '2026-03-20', NULL, NULL, NULL),
	('interval', 9, '-1 2:00', NULL, NULL, NULL, NULL, NULL),
	('digits', 9, NULL, NULL, NULL, 0.1::float8 + 0.2::float8, NULL, NULL),
	('bytes', 9, NULL, NULL, NULL, NULL, '\x01', NULL),
	('nulls', 9, NULL, NULL, NULL, NULL, NULL, '{a,"NULL"}'),
	('words', 9, 'many cats', NULL, NULL, NULL, NULL, NULL),
	('backslash', 9, 'code', NULL, NULL, NULL, NULL, NULL),
	('is null', 9, NULL, NULL, NULL, NULL, NULL, NULL),
	('xml', 9, NULL, '2026-01-01 00:00', NULL, NULL, NULL, NULL),
	('quoted', 9, 'name', NULL, NULL, NULL, NULL, NULL),
	('sold', 10000, 'always for sale', NULL, NULL, NULL, NULL, NULL);
SELECT inventory.attach('items', 'orders', ledger_schema => 'caller_settings_stock', sellable => $$
	CASE id
	WHEN 'zone' THEN opens <= now()
	WHEN 'abbreviation' THEN name::timestamptz <= now()
	WHEN 'order' THEN name::date < '2026-03-01'
	WHEN 'constant' THEN day < '03/04/2026'
	WHEN 'interval' THEN name::interval < '-24 hours'
	WHEN 'digits' THEN size::text = '0.3'
	WHEN 'bytes' THEN secret::text = '\001'
	WHEN 'nulls' THEN tags = '{a,NULL}'
	WHEN 'words' THEN to_tsvector(name) @@ 'cat'::tsquery
	WHEN 'backslash' THEN caller_settings.has_digit(name)
	WHEN 'is null' THEN caller_settings.equals_null(name)
	WHEN 'xml' THEN false
	WHEN 'quoted' THEN quote_ident(name) <> name
	ELSE true END $$);
SELECT settings @> '{TimeZone=UTC,IntervalStyle=postgres,bytea_output=hex}' FROM inventory.store WHERE items = 'items'::regclass;

CREATE FUNCTION calls(item text) RETURNS SETOF text LANGUAGE sql AS $$
	SELECT format(call, item, jsonb_build_array(jsonb_build_object('item_id', item), jsonb_build_object('item_id', 'sold')))
	FROM unnest('{"buy_item(''u'', %1$L)", "buy_cart(''u'', %2$L)", "reserve_stock(''u'', %1$L)", "reserve_cart(''u'', %2$L)",
		"available_stock(%1$L)"}'::text[]) AS call
$$;
-- What can be had under a setting: each strategy has another statement.
CREATE FUNCTION sold(setting text, new_value text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	old_value text := current_setting(setting);
	had text[] := '{}';
	strategy text;
	item text;
	call text;
BEGIN
	FOREACH strategy IN ARRAY '{atomic,pessimistic,optimistic}'::text[] LOOP
		FOR item IN SELECT id FROM items WHERE id <> 'sold' ORDER BY id LOOP
			FOR call IN SELECT calls(item) LOOP
				PERFORM set_config('inventory.strategy', strategy, true), set_config(setting, new_value, false);
				IF attempt('SELECT ' || call) <> 'IV002 item_not_found' THEN
					had := had || (strategy || ' ' || call);
				END IF;
				PERFORM set_config(setting, old_value, false);
			END LOOP;
		END LOOP;
		PERFORM set_config(setting, new_value, false);
		PERFORM buy_item('u', 'sold'), buy_cart('u', '[{"item_id": "sold"}]'), reserve_stock('u', 'sold');
		PERFORM set_config(setting, old_value, false);
	END LOOP;
	RETURN setting || ': ' || coalesce(array_to_string(nullif(had, '{}'), ', '), 'nothing');
END
$$;
CREATE VIEW all_sold AS SELECT sold(setting, value) AS had FROM (VALUES
	('TimeZone', 'UTC'), ('TimeZone', 'Etc/GMT-14'), ('TimeZone', '<x>-20'), ('timezone_abbreviations', 'Australia'), ('DateStyle', 'SQL, DMY'),
	('IntervalStyle', 'sql_standard'), ('extra_float_digits', '-5'), ('bytea_output', 'escape'), ('array_nulls', 'off'),
	('standard_conforming_strings', :'off'), ('default_text_search_config', 'pg_catalog.english'), ('lc_time', 'POSIX'),
	('xmloption', 'document'), ('transform_null_equals', 'on'), ('quote_all_identifiers', 'on'), ('row_security', 'off'), ('plan_cache_mode', 'force_custom_plan')) AS s(setting, value);
SELECT had FROM all_sold;
-- the condition is read under one setting, and its statements are prepared under another
SET DateStyle = 'SQL, MDY';
ALTER TABLE items SET (fillfactor = 90);
SELECT attempt($$SELECT buy_item('u', 'constant')$$);
SELECT sold('DateStyle', 'SQL, DMY');
SET standard_conforming_strings = :off;
ALTER TABLE items SET (fillfactor = 80);
SELECT attempt('SELECT buy_item(''u'', ''bytes'')');
SELECT sold('bytea_output', 'escape');
RESET standard_conforming_strings;
SET DateStyle = 'ISO, MDY';
-- hot items
SELECT count(inventory.heat('items', id)) FROM items;
SELECT had FROM all_sold;
SELECT count(*) FROM levels WHERE hot;
SELECT inventory.cool('items') > 0;
SELECT problems();
-- a condition that looks as if it depended on the row alone; a server without XML does not sell that item
CREATE FUNCTION has_xml() RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
	RETURN xmlelement(name a) IS NOT NULL;
EXCEPTION WHEN feature_not_supported THEN
	RETURN false;
END $$;
SELECT CASE WHEN has_xml() THEN $$xmlserialize(content xmlelement(name a, opens AT TIME ZONE 'UTC') AS text) NOT LIKE '%2026-01-01T00%'$$
	ELSE 'false' END AS is_open \gset
SELECT inventory.detach('items');
SELECT inventory.attach('items', 'orders', ledger_schema => 'caller_settings_stock', sellable => format($$
	CASE id
	WHEN 'backslash' THEN caller_settings.has_digit(name)
	WHEN 'is null' THEN caller_settings.equals_null(name)
	WHEN 'digits' THEN size::text = '0.3'
	WHEN 'bytes' THEN secret::text = '\001'
	WHEN 'quoted' THEN quote_ident(name) <> name
	WHEN 'xml' THEN %s
	ELSE id = 'sold' END $$, :'is_open'));
SELECT had FROM all_sold;
SELECT count(inventory.heat('items', id)) FROM items;
SELECT had FROM all_sold;
SELECT inventory.cool('items') > 0;
SELECT problems();

-- what the shop itself runs has the settings of the caller, and so has the caller afterwards
ALTER TABLE orders ADD zone text DEFAULT current_setting('TimeZone'), ADD style text;
ALTER TABLE items ADD zone text;
CREATE FUNCTION note_settings() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	IF TG_TABLE_NAME = 'items' THEN
		NEW.zone := current_setting('TimeZone');
	ELSE
		NEW.style := current_setting('DateStyle');
	END IF;
	RETURN NEW;
END
$$;
CREATE TRIGGER notes BEFORE UPDATE ON items FOR EACH ROW EXECUTE FUNCTION note_settings();
CREATE TRIGGER notes BEFORE INSERT ON orders FOR EACH ROW EXECUTE FUNCTION note_settings();
SET TimeZone = 'Asia/Tokyo';
SET DateStyle = 'German';
SELECT buy_item('zoe', 'sold') IS NOT NULL;
SELECT i.zone, o.zone, style, current_setting('TimeZone') FROM orders AS o JOIN items AS i ON i.id = item_id WHERE user_id = 'zoe';
SET TimeZone = 'Asia/Kolkata';
SET inventory.strategy = optimistic;
SELECT status FROM buy_cart('zack', '[{"item_id": "sold"}, {"item_id": "sold"}]');
SELECT i.zone, o.zone, style, current_setting('TimeZone') FROM orders AS o JOIN items AS i ON i.id = item_id WHERE user_id = 'zack';

-- a day of a hold has 24 hours, also in a zone where it is as long as its caller likes
SELECT set_config('TimeZone', format('AAA0BBB24,%s/0,%s/0', tomorrow, (tomorrow + 200) % 365), false) IS NOT NULL
FROM CAST(extract(doy FROM (now() AT TIME ZONE 'UTC')::date + 1) - 1 AS int) AS tomorrow;
SELECT extract(epoch FROM now() + '1 day' - now()) / 3600 AS hours;
SELECT attempt($$SELECT reserve_stock('u', 'sold', 1, '1 day')$$), attempt($$SELECT reserve_stock('u', 'sold', 1, '24:00:01')$$);
SELECT DISTINCT extract(epoch FROM expires_at - created_at) FROM reservations WHERE expires_at > now() + interval '23 hours';

-- a retry under other settings is a retry
SET TimeZone = 'UTC';
SELECT reserve_stock('u', 'sold', 1, '90 minutes', 'k') AS hold \gset
SELECT status, reservation_id, expires_at FROM try_reserve_cart('u', '[{"item_id": "sold", "quantity": 2}]', '2 days -25 hours', 'k') \gset try_
SET TimeZone = 'Asia/Tokyo'; SET DateStyle = 'SQL, DMY'; SET IntervalStyle = iso_8601; SET extra_float_digits = -15;
SET bytea_output = escape; SET standard_conforming_strings = :off;
SELECT reserve_stock('u', 'sold', 1, '90 minutes', 'k') = :'hold';
SELECT status, reservation_id = :'try_reservation_id', expires_at = :'try_expires_at'
FROM try_reserve_cart('u', '[{"item_id": "sold", "quantity": 2}]', '2 days -25 hours', 'k');
SELECT count_stock('sold', 500, counted_at => now(), idempotency_key => 'k') IS NOT NULL;

RESET standard_conforming_strings;

-- a constant is converted under the recorded settings, also where its expression is kept
SET IntervalStyle = postgres;
CREATE SCHEMA caller_settings_api;
CREATE TABLE spans (id int PRIMARY KEY, stock int NOT NULL, span text CHECK (span <> ('2 days'::interval)::text));
INSERT INTO spans VALUES (1, 10, '1 day'), (2, 10, 'P1D'), (3, 10, 'P2D');
SELECT inventory.attach('spans', ledger_schema => 'caller_settings_spans', api_schema => 'caller_settings_api', sellable => $$span = ('1 day'::interval)::text OR id = 3$$);
SET IntervalStyle = iso_8601;
SELECT attempt(format('SELECT caller_settings_api.buy_item(''u'', %s)', id)) FROM generate_series(1, 3) AS id;
SET IntervalStyle = postgres;
SELECT attempt(format('SELECT caller_settings_api.buy_item(''u'', %s)', id)) FROM generate_series(1, 3) AS id;
SET IntervalStyle = iso_8601;
SELECT attempt(format('SELECT caller_settings_api.buy_item(''u'', %s)', id)) FROM generate_series(1, 3) AS id;
RESET IntervalStyle;
SELECT id, stock FROM spans ORDER BY id;
DROP TABLE spans CASCADE;
DROP SCHEMA caller_settings_spans, caller_settings_api CASCADE;

-- what this server does not know of what another one recorded
UPDATE inventory.store SET settings = '{TimeZone=Middle/Earth}' WHERE items = 'items'::regclass;
SELECT error($$SELECT buy_item('u', 'sold')$$);
UPDATE inventory.store SET settings = '{TimeZone=UTC,lc_time=no_such_locale,work_mem=1TB}' WHERE items = 'items'::regclass;
SELECT attempt($$SELECT buy_item('u', 'sold')$$), attempt($$SELECT buy_item('u', 'zone')$$);
SELECT problems();
\c -
SET client_min_messages = warning;
DROP SCHEMA caller_settings, caller_settings_stock CASCADE;
