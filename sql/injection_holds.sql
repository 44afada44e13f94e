-- Tests of SQL injection in holds, refunds, housekeeping and verify: names and texts with
-- SQL in them are treated as data.
\set SHOW_CONTEXT never
\set VERBOSITY terse
\pset format unaligned
\pset tuples_only on
SET client_min_messages = warning;
CREATE SCHEMA injection_holds;
CREATE TABLE injection_holds.victim (x integer PRIMARY KEY);
INSERT INTO injection_holds.victim VALUES (1);

CREATE SCHEMA "sch'""; DROP TABLE injection_holds.victim; --";
SET search_path = "sch'""; DROP TABLE injection_holds.victim; --";
CREATE TABLE "it'""); DROP TABLE injection_holds.victim; --" (
	"id'"", 1); DROP TABLE injection_holds.victim; --" text PRIMARY KEY,
	"st\'"" = 0; DROP TABLE injection_holds.victim; --" integer,
	"ve %I%L{=}$1 $sql$" smallint,
	"fl{stock}" integer,
	"li$$" integer,
	"select" text DEFAULT 'where'
);
CREATE TABLE "or'""; DROP TABLE injection_holds.victim; --" (
	"key$1'" text PRIMARY KEY,
	"us er'""" text,
	"it{id}" text,
	"qu%s" integer,
	"no'"", $1::text" text
);
SELECT inventory.attach('"it''""); DROP TABLE injection_holds.victim; --"', '"or''""; DROP TABLE injection_holds.victim; --"',
	stock => 'st\''" = 0; DROP TABLE injection_holds.victim; --', version => 've %I%L{=}$1 $sql$', stock_floor => 'fl{stock}',
	purchase_limit => 'li$$', order_user_id => 'us er''"', order_item_id => 'it{id}', order_quantity => 'qu%s',
	order_columns => '{"no''\", $1::text","key$1''"}', ledger_schema => 'le''"; DROP TABLE injection_holds.victim; --',
	sellable => $$"select" = 'where' AND "select" <> ') OR true; --' AND "select" <> '\'' {id}'$$,
	argument_prefix => 'p''"; --', store_name => 'st''\; DROP TABLE injection_holds.victim; --');
SET search_path = "sch'""; DROP TABLE injection_holds.victim; --", "le'""; DROP TABLE injection_holds.victim; --";
\getenv abs_srcdir PG_ABS_SRCDIR
\set include :abs_srcdir '/sql/include/no_worker.sql'
\i :include
\set v '\'; DROP TABLE injection_holds.victim; --'
\set w '{id} %s $1 \\ \' "'
INSERT INTO "it'""); DROP TABLE injection_holds.victim; --" VALUES (:'v', 9, 0, 0, 9), (:'w', 9, 0, 0, NULL);
CREATE FUNCTION data(note text, key text) RETURNS jsonb LANGUAGE sql AS 'SELECT jsonb_build_object(''no''''", $1::text'', note, ''key$1'''''', key)';

SELECT reserve_stock(:'v', :'v', 2, '1 h', :'v') AS one \gset
SELECT reserve_stock(:'v', :'v', 2, '1 h', :'v') = :'one' AS replayed;
SELECT reserve_cart(:'w', jsonb_build_array(jsonb_build_object('item_id', :'v'), jsonb_build_object('item_id', :'w', 'quantity', 2)), NULL, '\') AS two \gset
SELECT status, short_lines FROM try_reserve_cart(:'v', jsonb_build_array(jsonb_build_object('item_id', :'w', 'quantity', 99)), NULL, :'w');
SELECT change_reservation(:'two', :'w', 3) IS NOT NULL, change_reservation(:'one', :'w', 1, :'v') IS NOT NULL, extend_reservation(:'one', NULL, :'v') IS NOT NULL;
SELECT status, item_id, quantity FROM get_reservation(:'one') ORDER BY quantity;
SELECT status, item_id, order_id FROM confirm_reservation(:'two', :'w', jsonb_build_array(
	data(:'v', '1''; --') || jsonb_build_object('item_id', :'v'), data('\', '\ "$$') || jsonb_build_object('item_id', :'w'))) ORDER BY order_id COLLATE "C";
SELECT release_reservation(:'one', :'v');
SELECT refund_order('1''; --', 1, true, :'v', :'v'), refund_order('\ "$$', 2, false, :'w', :'w');
SELECT refund_order('1''; --', 1, true, :'v', :'v'), expire_reservations(), available_stock(:'v'), available_stock(:'w');
SELECT reserve_stock(:'v', :'w', 1, '1 microsecond') IS NOT NULL;
SELECT expire_reservations();

\echo '-- refused, with messages that quote the text'
\set VERBOSITY default
SELECT reserve_stock(:'v', '''; DROP TABLE x; --');
SELECT reserve_stock(:'w', :'w', 99);
SELECT reserve_stock(:'v', :'v', 99);
SELECT reserve_stock(:'v', :'v', 1, '1 h', :'v');
SELECT reserve_cart(:'v', jsonb_build_array(jsonb_build_object(:'v', 1)));
SELECT confirm_reservation(reserve_stock(:'w', :'w'), NULL, jsonb_build_object(:'v', 1));
SELECT refund_order(:'v');
SELECT refund_order('1''; --', 7);
\set VERBOSITY terse
SELECT change_reservation(:'two', :'v', 1);

\echo '-- stored as they were given'
SELECT * FROM "or'""; DROP TABLE injection_holds.victim; --" ORDER BY "key$1'" COLLATE "C";
SELECT item_id, quantity, user_id, status, order_id FROM reservations ORDER BY user_id COLLATE "C", item_id COLLATE "C", status;
SELECT item_id, delta, kind, user_id, order_id, reason FROM movements WHERE reason IS NOT NULL ORDER BY movement_id;
SELECT operation, user_id, key FROM requests ORDER BY operation, key COLLATE "C";
SELECT * FROM levels ORDER BY item_id COLLATE "C";
SELECT * FROM inventory.verify('"it''""); DROP TABLE injection_holds.victim; --"', :'v'::text);
ALTER TABLE "it'""); DROP TABLE injection_holds.victim; --" DISABLE TRIGGER inventory_guard;
UPDATE "it'""); DROP TABLE injection_holds.victim; --" SET "st\'"" = 0; DROP TABLE injection_holds.victim; --" = 3;
ALTER TABLE "it'""); DROP TABLE injection_holds.victim; --" ENABLE ALWAYS TRIGGER inventory_guard;
SELECT * FROM inventory.verify('"it''""); DROP TABLE injection_holds.victim; --"', :'w'::text);
SELECT close_ledger(clock_timestamp()), prune('0');
SELECT * FROM injection_holds.victim;
\pset tuples_only off
RESET search_path;
DROP SCHEMA "sch'""; DROP TABLE injection_holds.victim; --", "le'""; DROP TABLE injection_holds.victim; --" CASCADE;
DROP SCHEMA injection_holds CASCADE;
