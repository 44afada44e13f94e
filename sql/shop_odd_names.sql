-- Tests of names that could break generated SQL: quotes of both kinds, backslashes, dollar
-- quotes, percent signs, blanks, key words, and names of the full 63 bytes.
-- Each was found in a project, though not all in one.
\set SHOW_CONTEXT never
CREATE SCHEMA "shop ""odd"" it's %s $$ \n";
SET search_path = "shop ""odd"" it's %s $$ \n";

CREATE DOMAIN "text" AS pg_catalog.text CHECK (VALUE <> '');
CREATE DOMAIN "integer" AS pg_catalog.int8 CHECK (VALUE < 1000000);
CREATE TABLE "select" (
	"user" "text" PRIMARY KEY,
	"it's" "integer",
	"v""n" integer NOT NULL DEFAULT 0,
	"$body$" boolean NOT NULL DEFAULT true,
	"%d" integer
);
CREATE TABLE "order" (
	"group" serial PRIMARY KEY,
	"default" "text" NOT NULL,
	"table" "text" NOT NULL REFERENCES "select",
	"end" "integer" NOT NULL,
	"a\b" "text",
	"c,d}" "text",
	"item_id" pg_catalog.text DEFAULT 'not the item'
);
INSERT INTO "select" VALUES ('x''y', 3), ('"; DROP TABLE "select"; --', 1), ('%n\', NULL);

SELECT inventory.attach('"select"', '"order"', item_id => 'user', stock => 'it''s', version => 'v"n',
	order_user_id => 'default', order_item_id => 'table', order_quantity => 'end',
	order_columns => ARRAY['a\b', 'c,d}'], sellable => '"$body$" AND coalesce("%d", 0) % 2 = 0',
	ledger_schema => 'led"ger $body$ %s', store_name => 'it''s a "store" $inventory$ \ %s',
	argument_prefix => 'the "');

SELECT buy_item('O''Hara', 'x''y', 2, 'key ''"\ $$', '{"a\\b": "back\\slash", "c,d}": "{\"x\": 1}"}');
SELECT * FROM buy_cart('bob', '[{"item_id": "\"; DROP TABLE \"select\"; --", "c,d}": "$$ || 1"}, {"item_id": "%n\\", "quantity": 9}]');
SELECT buy_item("the ""user_id" => 'bob', "the ""item_id" => 'x''y', "the ""quantity" => 2);
\echo :SQLSTATE
SELECT buy_item('bob', 'no ''such'' "item" %s');
\echo :SQLSTATE
SELECT buy_item('bob', 'x''y', 1, NULL, '{"a\"b": 1}');
\echo :SQLSTATE
UPDATE "select" SET "%d" = 1 WHERE "user" = 'x''y';
SELECT buy_item('bob', 'x''y');
SELECT inventory.refresh('"select"');
SELECT "led""ger $body$ %s".restock_item('x''y', 4, 'it''s "back"');

SELECT * FROM "order" ORDER BY "group";
SELECT * FROM "select" ORDER BY "user" COLLATE "C";
SELECT item_id, delta, kind, user_id, order_id, reason FROM "led""ger $body$ %s".movements WHERE kind <> 'opening' ORDER BY movement_id;
SELECT * FROM inventory.verify('"select"');
-- a hint is right when it is pasted
DO $do$
DECLARE
	hint text;
BEGIN
	DROP TRIGGER inventory_binding ON "select";
	PERFORM "led""ger $body$ %s".restock_item('x''y', 4);
EXCEPTION WHEN object_not_in_prerequisite_state THEN
	GET STACKED DIAGNOSTICS hint = PG_EXCEPTION_HINT;
	RAISE WARNING '%', hint;
	EXECUTE substring(hint FROM 'SELECT .*;');
END
$do$;
SELECT inventory.detach('"select"');
SELECT count(*) FROM pg_proc WHERE prosrc LIKE '%it''''s a "store"%';

-- a header, and stock that follows the lines
CREATE TABLE "%I head""er's %1$s" ("%" "integer" PRIMARY KEY, "end" "text" NOT NULL);
INSERT INTO "%I head""er's %1$s" VALUES (1, 'paid');
ALTER TABLE "order" ADD "%L ""of" "integer" REFERENCES "%I head""er's %1$s" DEFAULT 1;
CREATE INDEX ON "order" ("%L ""of");
SELECT inventory.attach('"select"', '"order"', item_id => 'user', stock => 'it''s', order_user_id => 'default', order_item_id => 'table',
	order_quantity => 'end', order_header => '"%I head""er''s %1$s"', order_columns => ARRAY['%L "of'], ledger_schema => '%2$I head"er',
	order_writes => 'follow', order_units => $$CASE WHEN header."end" = 'paid' THEN line."end" ELSE 0 END$$, order_final => $$header."end" = '%s'$$);
SELECT buy_item('bob', 'x''y', 1, order_data => '{"%L \"of": 1}');
UPDATE "%I head""er's %1$s" SET "end" = 'cancelled';
SELECT inventory.refresh('"select"');
SELECT sum(delta) FROM "%2$I head""er".movements WHERE kind IN ('sale', 'cancellation');
SELECT * FROM inventory.verify('"select"');
SELECT inventory.detach('"select"');

-- names of 63 bytes: three ledgers would get the same default name, and each gets another;
-- one schema can have only one buy_item
SELECT 'shop_odd_' || repeat('s', 54) AS s, repeat('t', 62) AS t, repeat('c', 62) AS c \gset
CREATE SCHEMA :"s";
SET search_path = :"s";
CREATE SCHEMA shop_odd_2;
CREATE SCHEMA shop_odd_3;
SELECT format('CREATE TABLE %I (%I integer PRIMARY KEY, %I integer NOT NULL)', :'t' || n, :'c' || 1, :'c' || 2),
	   format('INSERT INTO %I VALUES (1, 2)', :'t' || n)
  FROM generate_series(1, 3) n \gexec
SELECT inventory.attach(format('%I', :'t' || 1)::regclass, stock => (:'c' || 2)::name);
SELECT inventory.attach(format('%I', :'t' || 2)::regclass, stock => (:'c' || 2)::name);
SET client_min_messages = warning;
SELECT inventory.attach(format('%I', :'t' || n)::regclass, stock => (:'c' || 2)::name,
						api_schema => ('shop_odd_' || n)::name) FROM generate_series(2, 3) n;
SELECT movements FROM inventory.store WHERE items::text ~ 't{62}\d' ORDER BY items::text;
SELECT buy_item('ann', 1, 2);
SELECT buy_item('ann', 1);
SELECT shop_odd_2.buy_item('ann', 1);
SELECT available_stock(1) AS first, shop_odd_2.available_stock(1) AS second, shop_odd_3.available_stock(1) AS third;
SELECT * FROM generate_series(1, 3) n, inventory.verify(format('%I', :'t' || n)::regclass);
