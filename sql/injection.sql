-- Tests of SQL injection in sales and stock changes: names and texts with SQL in them are
-- treated as data.
\set SHOW_CONTEXT never
\pset format unaligned
SET client_min_messages = warning;
CREATE SCHEMA injection;
CREATE TABLE injection.victim (x integer PRIMARY KEY);
INSERT INTO injection.victim VALUES (1);

-- hostile names of schemas, tables, columns, and of every option of attach
CREATE SCHEMA "sch'""; DROP TABLE injection.victim; --";
SET search_path = "sch'""; DROP TABLE injection.victim; --";
CREATE TABLE "it'""); DROP TABLE injection.victim; --" (
	"id'"", 1); DROP TABLE injection.victim; --" text PRIMARY KEY,
	"st\'"" = 0; DROP TABLE injection.victim; --" integer,
	"ve %I%L{=}$1 $sql$" smallint,
	"fl{stock}" integer,
	"li$$" integer,
	"select" text DEFAULT 'where'
);
CREATE TABLE "or'""; DROP TABLE injection.victim; --" (
	"key$1'" bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	"us er'""" text,
	"it{id}" text,
	"qu%s" integer,
	"no'"", $1::text" text
);
SELECT inventory.attach('"it''""); DROP TABLE injection.victim; --"', '"or''""; DROP TABLE injection.victim; --"',
	stock => 'st\''" = 0; DROP TABLE injection.victim; --', version => 've %I%L{=}$1 $sql$', stock_floor => 'fl{stock}',
	purchase_limit => 'li$$', order_user_id => 'us er''"', order_item_id => 'it{id}', order_quantity => 'qu%s',
	order_columns => '{"no''\", $1::text"}', ledger_schema => 'le''"; DROP TABLE injection.victim; --',
	sellable => $$"select" = 'where' AND "select" <> ') OR true; --' AND "select" <> '\'' {id}'$$,
	argument_prefix => 'p''"; --', store_name => 'st''\; DROP TABLE injection.victim; --', user_claim => 'cl''"; --');
SET search_path = "sch'""; DROP TABLE injection.victim; --", "le'""; DROP TABLE injection.victim; --";
\set v '\'; DROP TABLE injection.victim; --'
INSERT INTO "it'""); DROP TABLE injection.victim; --" VALUES (:'v', 9), ('{id} %s $1 \ '' "', 9);

SELECT buy_item(:'v', :'v', 2, :'v', jsonb_build_object('no''", $1::text', :'v'));
SELECT buy_item(:'v', :'v', 2, :'v', jsonb_build_object('no''", $1::text', :'v'));
SELECT buy_item(:'v', '{id} %s $1 \ '' "', 1, '%s');
SELECT * FROM buy_cart(:'v', jsonb_build_array(jsonb_build_object('item_id', :'v', 'no''", $1::text', '$1 \'),
	jsonb_build_object('item_id', '{id} %s $1 \ '' "')), '\');
SELECT * FROM buy_cart(:'v', jsonb_build_array(jsonb_build_object('item_id', :'v', 'no''", $1::text', '$1 \'),
	jsonb_build_object('item_id', '{id} %s $1 \ '' "')), '\');
SELECT status FROM try_buy_cart(:'v', jsonb_build_array(jsonb_build_object('item_id', :'v', 'quantity', 99)), :'v');
SELECT restock_item(:'v', 1, :'v', :'v'), adjust_stock(:'v', -1, :'v', NULL, 'write_off', :'v'),
	count_stock(:'v', 6, 0, NULL, :'v', :'v'), available_stock(:'v');
UPDATE "it'""); DROP TABLE injection.victim; --" SET "st\'"" = 0; DROP TABLE injection.victim; --" = 5;

-- refused, with messages that quote the text
SELECT buy_item('u', '''; DROP TABLE x; --');
SELECT buy_item('u', :'v', 99);
SELECT buy_item('u', :'v', 1, NULL, jsonb_build_object(:'v', 1));
SELECT buy_item(:'v', :'v', 3, :'v');
SELECT adjust_stock(:'v', 1, 'x', NULL, :'v');
SELECT * FROM inventory.verify(:'v');
SELECT inventory.buy_item(:'v', 'u'::text, 'i'::text, 1, NULL, NULL, NULL::bigint);
SELECT inventory.grant_api('"it''""); DROP TABLE injection.victim; --"', :'v', 'buyer');
SELECT inventory.grant_api('"it''""); DROP TABLE injection.victim; --"', 'public', :'v');
SELECT inventory.attach('injection.victim', stock => :'v');

-- stored as they were given
SELECT * FROM "or'""; DROP TABLE injection.victim; --" ORDER BY "key$1'";
SELECT item_id, delta, kind, user_id, order_id, reason FROM movements WHERE reason IS NOT NULL ORDER BY movement_id;
SELECT operation, user_id, key FROM requests ORDER BY key COLLATE "C", operation;
SELECT * FROM levels ORDER BY item_id COLLATE "C";
SELECT * FROM inventory.verify('"it''""); DROP TABLE injection.victim; --"');
SELECT inventory.refresh('"it''""); DROP TABLE injection.victim; --"');
SELECT buy_item(:'v', :'v', 1, 'after refresh') > 0 AS bought;
SELECT inventory.detach('"it''""); DROP TABLE injection.victim; --"');
SELECT inventory.create_store(:'v', 'text', 'text');
SELECT :"v".restock_item('no item', 1);
SELECT store_name FROM inventory.store WHERE items = (quote_ident(:'v') || '.items')::regclass;
DROP SCHEMA :"v" CASCADE;
SELECT * FROM injection.victim;
RESET search_path;
DROP SCHEMA "sch'""; DROP TABLE injection.victim; --", "le'""; DROP TABLE injection.victim; --" CASCADE;
DROP SCHEMA injection CASCADE;
