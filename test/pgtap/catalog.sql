-- What the extension and attach put into the catalogs, and that it stays right
-- when the tables change: inventory.store and its dump, the guard, the triggers
-- that remember the columns, the event trigger.
BEGIN;
SET LOCAL client_min_messages = warning;
SET LOCAL search_path = public;
SELECT plan(64);

-- inventory.store
SELECT results_eq($$
	SELECT attname, format_type(atttypid, atttypmod), attnotnull FROM pg_attribute
	WHERE attrelid = 'inventory.store'::regclass AND attnum > 0 AND NOT attisdropped ORDER BY attname $$, $$ VALUES
	('api_schema'::name, 'name', true),
	('argument_prefix', 'text', true),
	('direct_writes', 'text', true),
	('has_order_units', 'boolean', true),
	('has_prepare', 'boolean', true),
	('has_sellable', 'boolean', true),
	('header', 'inventory.table_name', false),
	('header_values', 'jsonb', false),
	('items', 'inventory.table_name', true),
	('max_ttl', 'interval', true),
	('movements', 'inventory.table_name', true),
	('order_values', 'jsonb', false),
	('order_writes', 'text', true),
	('orders', 'inventory.table_name', false),
	('refuses_truncate', 'boolean', true),
	('settings', 'text[]', true),
	('store_name', 'text', true),
	('user_claim', 'text', false) $$, 'inventory.store: columns');
SELECT is_empty($$ SELECT attname FROM pg_attribute WHERE attrelid = 'inventory.store'::regclass
	AND atttypid IN ('regproc'::regtype, 'regprocedure'::regtype, 'regoper'::regtype, 'regtype'::regtype, 'regnamespace'::regtype, 'oid'::regtype) AND attnum > 0 $$,
	'inventory.store: nothing that a dump or pg_upgrade would lose');
SELECT col_is_pk('inventory', 'store', 'items', 'inventory.store: a table has one store');
SELECT is_empty($$ SELECT FROM pg_index WHERE indrelid = 'inventory.store'::regclass AND indisunique AND 1 = ANY (indkey) $$,
	'inventory.store: no role waits for the name of another one''s store');
SELECT col_is_unique('inventory', 'store', 'movements', 'inventory.store: a ledger has one store');
SELECT results_eq($$ SELECT unnest(extconfig)::regclass, unnest(extcondition) COLLATE "default" FROM pg_extension WHERE extname = 'inventory' $$,
	$$ VALUES ('inventory.store'::regclass, '') $$, 'every row of inventory.store is dumped, and of nothing else of the extension');
SELECT is((SELECT extrelocatable FROM pg_extension WHERE extname = 'inventory'), false, 'the extension stays in its schema');
SELECT ok(EXISTS (SELECT FROM pg_depend d JOIN pg_extension e ON e.oid = d.refobjid AND d.refclassid = 'pg_extension'::regclass
	WHERE e.extname = 'inventory' AND d.deptype = 'e' AND d.classid = 'pg_namespace'::regclass AND d.objid = 'inventory'::regnamespace),
	'schema inventory is a member of it, so that no dump of a shop has it');
SELECT results_eq($$ SELECT superuser, trusted FROM pg_available_extension_versions WHERE name = 'inventory' AND installed $$,
	$$ VALUES (true, false) $$, 'the extension is for superusers to install, and not trusted');
SELECT results_eq($$ SELECT tgname, tgenabled, tgtype, tgfoid::regproc::text FROM pg_trigger WHERE tgrelid = 'inventory.store'::regclass AND NOT tgisinternal $$,
	$$ VALUES ('store_changed'::name, 'A'::"char", 31::int2, 'inventory.store_changed') $$,
	'inventory.store: a trigger before each row that is written, in every mode');
SELECT results_eq($$ SELECT evtname, evtevent, evtenabled, evtfoid::regproc::text, evttags COLLATE "default" FROM pg_event_trigger WHERE evtname LIKE 'inventory%' ORDER BY evtname $$,
	$$ VALUES ('inventory_before_alter'::name, 'ddl_command_start'::name, 'O'::"char", 'inventory.before_alter', '{ALTER TABLE}'::text[]),
			  ('inventory_before_drop', 'ddl_command_start', 'O', 'inventory.before_drop', '{DROP EXTENSION,DROP SCHEMA}'),
			  ('inventory_check_created_triggers', 'ddl_command_end', 'A', 'inventory.check_created_triggers', '{CREATE TRIGGER}'),
			  ('inventory_forget_dropped'::name, 'sql_drop'::name, 'O'::"char", 'inventory.forget_dropped', NULL) $$, 'the event triggers');

-- a store with every column bound, its roles in any order
CREATE SCHEMA shop;
CREATE SCHEMA ledger;
CREATE TABLE shop.items (version integer, "max" integer, "Floor" smallint, junk text, "On Hand" integer, id bigint PRIMARY KEY, live boolean);
CREATE TABLE shop.orders (note text, amount integer, buyer text, what bigint, id bigint PRIMARY KEY, paid numeric);
ALTER TABLE shop.items DROP COLUMN junk;
SELECT inventory.attach('shop.items', 'shop.orders', stock => 'On Hand', stock_floor => 'Floor', purchase_limit => 'max',
	order_user_id => 'buyer', order_item_id => 'what', order_quantity => 'amount', order_columns => '{paid,id,note}',
	ledger_schema => 'ledger', user_claim => 'sub', sellable => 'live', direct_writes => 'refuse', max_ttl => '2 hours',
	argument_prefix => '_', store_name => 'The "shop"', order_writes => 'refuse');
SELECT results_eq($$ SELECT store_name, items::regclass, orders::regclass, movements::regclass, user_claim, direct_writes, has_sellable, max_ttl, api_schema, argument_prefix FROM inventory.store $$,
	$$ VALUES ('The "shop"', 'shop.items'::regclass, 'shop.orders'::regclass, 'ledger.movements'::regclass, 'sub', 'refuse', true,
			   interval '2 hours', 'shop'::name, '_') $$, 'attach: the row in inventory.store');

CREATE FUNCTION pg_temp.roles(trigger_of regclass) RETURNS TABLE (columns name[], roles text[]) LANGUAGE sql AS $$
	SELECT array_agg(a.attname ORDER BY u.n),
		   (SELECT array_agg(r ORDER BY n) FROM regexp_split_to_table(rtrim(encode(t.tgargs, 'escape'), '\000'), '\\000') WITH ORDINALITY AS s (r, n))
	FROM pg_trigger AS t CROSS JOIN LATERAL unnest(t.tgattr::int2[]) WITH ORDINALITY AS u (attnum, n)
	JOIN pg_attribute AS a ON a.attrelid = t.tgrelid AND a.attnum = u.attnum
	WHERE t.tgrelid = trigger_of AND t.tgfoid = 'inventory.binding'::regproc GROUP BY t.oid
$$;
SELECT results_eq($$ SELECT * FROM pg_temp.roles('shop.items') $$,
	$$ VALUES ('{id,"On Hand",version,Floor,max}'::name[], '{"The \"shop\"",item_id,stock,version,stock_floor,purchase_limit}'::text[]) $$,
	'attach: the trigger on items that remembers the columns');
SELECT results_eq($$ SELECT * FROM pg_temp.roles('shop.orders') $$,
	$$ VALUES ('{id,buyer,what,amount,paid,note}'::name[], '{"The \"shop\"",order_id+,order_user_id,order_item_id,order_quantity,+,+}'::text[]) $$,
	'attach: the trigger on orders, with what callers may set');
SELECT results_eq($$ SELECT tgname, tgenabled, tgtype, tgattr::text <> '', tgqual IS NULL FROM pg_trigger
		WHERE tgrelid = 'shop.items'::regclass AND NOT tgisinternal ORDER BY tgname $$, $$ VALUES
	('inventory_binding'::name, 'D'::"char", 16::int2, true, true),
	('inventory_guard', 'A', 29::int2, false, true),
	('inventory_guard_truncate', 'A', 34::int2, false, true) $$,
	'attach: the guard after each row and before TRUNCATE, ALWAYS and without condition; the memory disabled');
SELECT results_eq($$ SELECT tgname ~ '^inventory_(binding_[0-9a-f]{8}|orders_guard|guard_truncate)$', tgenabled, tgtype, tgattr::text <> '', tgqual IS NULL FROM pg_trigger
		WHERE tgrelid = 'shop.orders'::regclass AND NOT tgisinternal ORDER BY tgname $$, $$ VALUES
	(true, 'D'::"char", 16::int2, true, true),
	(true, 'A', 34::int2, false, true),
	(true, 'A', 29::int2, false, true) $$,
	'attach: on orders the guard after each row and before TRUNCATE, ALWAYS and without condition; the memory disabled');
SELECT is((SELECT order_writes FROM inventory.store), 'refuse', 'attach: order_writes');

-- it guards: in every mode, and what is bound cannot be lost in passing
INSERT INTO shop.items (id, "On Hand", live) VALUES (1, 0, true);
SELECT is(ledger.restock_item(1, 5), 5, 'it works');
SELECT throws_ok($$ UPDATE shop.items SET "On Hand" = 7 $$, 'IV013', 'direct_write_refused', 'guard: a direct write is refused');
SELECT throws_ok($$ UPDATE shop.items SET id = 2 $$, 'IV013', 'direct_write_refused', 'guard: the key does not change');
SELECT throws_ok($$ TRUNCATE shop.items $$, 'IV013', 'direct_write_refused', 'guard: no TRUNCATE');
SELECT throws_ok($$ INSERT INTO shop.orders (id, what, amount) VALUES (7, 1, 1); UPDATE shop.orders SET id = 8 $$, 'IV013', 'direct_write_refused', 'guard on orders: the key does not change');
SELECT throws_ok($$ ALTER TABLE shop.items DROP COLUMN "On Hand" $$, '2BP01', NULL, 'the bound column of items cannot be dropped in passing');
SELECT throws_ok($$ ALTER TABLE shop.items DROP COLUMN live $$, '2BP01', NULL, 'nor what decides whether an item is for sale');
SELECT throws_ok($$ ALTER TABLE shop.items ALTER COLUMN "On Hand" TYPE bigint $$, NULL, NULL, 'nor retyped');
SELECT throws_ok($$ ALTER TABLE shop.orders DROP COLUMN paid $$, '2BP01', NULL, 'nor a column of orders that callers may set');
SET LOCAL session_replication_role = replica;
SELECT throws_ok($$ UPDATE shop.items SET id = 2 $$, 'IV013', 'direct_write_refused', 'guard: fires for a replica too');
SET LOCAL session_replication_role = origin;

-- renamed, it is still the same
ALTER TABLE shop.items RENAME TO goods;
ALTER TABLE shop.goods RENAME "On Hand" TO pieces;
ALTER TABLE shop.orders RENAME paid TO payed;
ALTER SCHEMA shop RENAME TO market;
SELECT results_eq('SELECT store_name, items::regclass, orders::regclass FROM inventory.store',
	$$ VALUES ('The "shop"', 'market.goods'::regclass, 'market.orders'::regclass) $$, 'renamed: inventory.store follows, its label stays');
SELECT results_eq($$ SELECT columns FROM pg_temp.roles('market.goods') $$, $$ VALUES ('{id,pieces,version,Floor,max}'::name[]) $$,
	'renamed: the columns of items are remembered');
SELECT is(market.available_stock(_item_id => 1), 5, 'renamed: the functions work');
SELECT inventory.refresh('market.goods');
SELECT results_eq($$ SELECT * FROM pg_temp.roles('market.goods') $$,
	$$ VALUES ('{id,pieces,version,Floor,max}'::name[], '{"The \"shop\"",item_id,stock,version,stock_floor,purchase_limit}'::text[]) $$,
	'refresh: items as they were');
SELECT results_eq($$ SELECT * FROM pg_temp.roles('market.orders') $$,
	$$ VALUES ('{id,buyer,what,amount,payed,note}'::name[], '{"The \"shop\"",order_id+,order_user_id,order_item_id,order_quantity,+,+}'::text[]) $$,
	'refresh: orders as they were, what callers may set too');
SELECT results_eq($$ SELECT store_name, user_claim, direct_writes, order_writes, has_sellable, max_ttl, api_schema, argument_prefix FROM inventory.store $$,
	$$ VALUES ('The "shop"', 'sub', 'refuse', 'refuse', true, interval '2 hours', 'market'::name, '_') $$, 'refresh: options as they were, the schema by its new name');

-- who writes inventory.store must own what the row names
CREATE ROLE catalog_other;
CREATE ROLE catalog_owner;
GRANT CREATE ON DATABASE :"DBNAME" TO catalog_owner;
SET LOCAL ROLE catalog_other;
SELECT throws_ok($$ UPDATE inventory.store SET direct_writes = 'record' $$, '42501', NULL, 'another role does not change a store''s row');
SELECT throws_ok($$ DELETE FROM inventory.store $$, '42501', NULL, 'nor delete it');
SELECT throws_ok($$ UPDATE inventory.store SET items = 'pg_class'::regclass $$, '42501', NULL, 'nor point it elsewhere');
SELECT throws_ok($$ INSERT INTO inventory.store SELECT 'mine', 'pg_class', NULL, 'pg_class', NULL, 'record', false, '1 day', 'public', '' $$, '42501', NULL,
	'nor make one of tables that are not its own');
SELECT throws_ok($$ TRUNCATE inventory.store $$, '42501', NULL, 'nor empty it');
SELECT throws_ok($$ CREATE TRIGGER t BEFORE INSERT ON inventory.store EXECUTE FUNCTION inventory.store_changed() $$, '42501', NULL, 'nor put a trigger on it');
SELECT throws_ok($$ CREATE FUNCTION inventory.f() RETURNS int LANGUAGE sql AS 'SELECT 1' $$, '42501', NULL, 'nor anything into the extension''s schema');
SET LOCAL ROLE catalog_owner;
SELECT lives_ok($$ SELECT inventory.create_store('owned') $$, 'who owns the tables makes a row');
SELECT throws_ok($$ UPDATE inventory.store SET direct_writes = 'refuse' WHERE items = 'owned.items'::regclass $$, '42501', NULL,
	'and does not change it but by attach, detach and refresh');
SELECT throws_ok($$ DELETE FROM inventory.store WHERE items = 'owned.items'::regclass $$, '42501', NULL, 'nor delete it');
RESET ROLE;
SELECT throws_ok($$ UPDATE inventory.store SET store_name = '' WHERE items = 'owned.items'::regclass $$, '23514', NULL, 'a store has a name');
SELECT throws_ok($$ UPDATE inventory.store SET direct_writes = 'ignore' WHERE items = 'owned.items'::regclass $$, '23514', NULL, 'direct writes are recorded, refused or left out');
SELECT throws_ok($$ UPDATE inventory.store SET order_writes = 'ignore' WHERE items = 'owned.items'::regclass $$, '23514', NULL, 'and so are writes of orders');
SELECT throws_ok($$ UPDATE inventory.store SET max_ttl = '0' WHERE items = 'owned.items'::regclass $$, '23514', NULL, 'holds last some time');
SET LOCAL ROLE catalog_owner;
SELECT lives_ok($$ DROP TABLE owned.orders $$, 'an owner drops a table');
RESET ROLE;
SELECT results_eq('SELECT store_name FROM inventory.store', $$ VALUES ('The "shop"') $$, 'event trigger: the store went with its orders');
SELECT inventory.create_store('again');
SELECT lives_ok($$ DROP TABLE again.movements CASCADE $$, 'a ledger is dropped');
SELECT results_eq('SELECT store_name FROM inventory.store', $$ VALUES ('The "shop"') $$, 'event trigger: the store went with its ledger');
SELECT inventory.create_store('third');
DROP SCHEMA third CASCADE;
SELECT results_eq('SELECT store_name FROM inventory.store', $$ VALUES ('The "shop"') $$, 'event trigger: the store went with its schema');

-- while an item is hot its stock column is not all of it: neither store nor extension may go
INSERT INTO ledger.hot (item_id, hot, settled_epoch, incarnation) SELECT id, true, 0, 1 FROM market.goods LIMIT 1;
SELECT throws_ok($$ SELECT inventory.detach('market.goods') $$, '55006', NULL, 'an item is hot: no detach');
SELECT throws_ok($$ DROP EXTENSION inventory CASCADE $$, '55006', NULL, 'an item is hot: the extension stays');
SELECT throws_ok($$ DROP SCHEMA inventory CASCADE $$, '55006', NULL, 'an item is hot: so does its schema');
UPDATE ledger.hot SET hot = false;

-- detach leaves the tables, and nothing else
SELECT inventory.detach('market.goods');
SELECT is_empty('SELECT store_name FROM inventory.store', 'detach: no row');
SELECT is_empty($$ SELECT tgname FROM pg_trigger WHERE tgrelid IN ('market.goods'::regclass, 'market.orders'::regclass) AND NOT tgisinternal $$, 'detach: no trigger');
SELECT is_empty($$ SELECT oid::regprocedure FROM pg_proc WHERE pronamespace IN ('market'::regnamespace, 'ledger'::regnamespace) $$, 'detach: no function');
SELECT results_eq($$ SELECT relname FROM pg_class WHERE relnamespace = 'ledger'::regnamespace AND relkind IN ('r', 'v', 'c', 'p') ORDER BY 1 $$,
	'{hot,movements,order_changes,requests,reservations}'::name[], 'detach: of the ledger the tables, no view and no type');
SELECT lives_ok($$ UPDATE market.goods SET pieces = 7, id = 3 $$, 'detach: nobody guards');
SELECT is((SELECT array_agg(kind || ' ' || delta ORDER BY movement_id) FROM ledger.movements), '{opening 0,restock 5}', 'detach: the ledger is kept as it was');

-- a store that keeps its stock has two triggers more
CREATE TABLE market.kept (id bigint PRIMARY KEY, stock integer, name text);
SELECT inventory.attach('market.kept', direct_writes => 'keep');
SELECT results_eq($$ SELECT tgname, tgenabled, tgtype, tgattr::text FROM pg_trigger
		WHERE tgrelid = 'market.kept'::regclass AND tgfoid = 'inventory.keep_stock'::regproc ORDER BY tgname $$, $$ VALUES
	('_inventory_keep'::name, 'O'::"char", 19::int2, '2'), ('inventory_keep_notice', 'O', 16::int2, '2') $$,
	'keep: before each row and after the statement, of the stock, not for a replica');
INSERT INTO market.kept VALUES (1, 5, 'a');
UPDATE market.kept SET stock = 9, name = 'b';
SELECT results_eq('SELECT stock, name FROM market.kept', $$ VALUES (5, 'b') $$, 'keep: the stock stays, the rest changes');
SELECT throws_ok('UPDATE market.kept SET stock = 9', 'IV013', 'direct_write_refused', 'keep: an UPDATE of the stock alone is refused');

SELECT * FROM finish();
ROLLBACK;
