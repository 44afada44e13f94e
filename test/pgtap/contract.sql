-- Tests of the contract of the generated functions, as applications and drivers see it.  It is
-- copied from the reference, not read from the generator.  {U}, {I}, {O} and {Q} stand for the
-- types of user, item, order line and stock, and {A:...} for such a type as an argument:
-- an integer literal is no smallint, so arguments of that type are declared integer.
BEGIN;
SET LOCAL client_min_messages = warning;
SET LOCAL search_path = public;
SELECT plan(136);

CREATE TEMP TABLE signature (part text, name name, arguments text, result text, volatility "char");
INSERT INTO signature VALUES
('buyer', 'buy_item', 'user_id {A:U}, item_id {A:I}, quantity bigint DEFAULT 1, idempotency_key text DEFAULT NULL::text, order_data jsonb DEFAULT NULL::jsonb', '{O}', 'v'),
('buyer', 'try_buy_item', 'user_id {A:U}, item_id {A:I}, quantity bigint DEFAULT 1, idempotency_key text DEFAULT NULL::text, order_data jsonb DEFAULT NULL::jsonb', '{ledger}.line', 'v'),
('buyer', 'buy_cart', 'user_id {A:U}, lines jsonb, idempotency_key text DEFAULT NULL::text, order_data jsonb DEFAULT NULL::jsonb', 'SETOF {ledger}.line', 'v'),
('buyer', 'try_buy_cart', 'user_id {A:U}, lines jsonb, idempotency_key text DEFAULT NULL::text, order_data jsonb DEFAULT NULL::jsonb', 'SETOF {ledger}.line', 'v'),
('buyer', 'reserve_stock', 'user_id {A:U}, item_id {A:I}, quantity bigint DEFAULT 1, ttl interval DEFAULT NULL::interval, idempotency_key text DEFAULT NULL::text, reservation_id uuid DEFAULT NULL::uuid', 'uuid', 'v'),
('buyer', 'reserve_cart', 'user_id {A:U}, lines jsonb, ttl interval DEFAULT NULL::interval, idempotency_key text DEFAULT NULL::text, reservation_id uuid DEFAULT NULL::uuid', 'uuid', 'v'),
('buyer', 'try_reserve_cart', 'user_id {A:U}, lines jsonb, ttl interval DEFAULT NULL::interval, idempotency_key text DEFAULT NULL::text, reservation_id uuid DEFAULT NULL::uuid', '{ledger}.hold', 'v'),
('buyer', 'change_reservation', 'reservation_id uuid, item_id {A:I}, quantity bigint, user_id {A:U} DEFAULT NULL::{A:U}', 'timestamp with time zone', 'v'),
('buyer', 'extend_reservation', 'reservation_id uuid, ttl interval DEFAULT NULL::interval, user_id {A:U} DEFAULT NULL::{A:U}', 'timestamp with time zone', 'v'),
('buyer', 'confirm_reservation', 'reservation_id uuid, user_id {A:U} DEFAULT NULL::{A:U}, order_data jsonb DEFAULT NULL::jsonb', 'SETOF {ledger}.line', 'v'),
('buyer', 'release_reservation', 'reservation_id uuid, user_id {A:U} DEFAULT NULL::{A:U}', 'boolean', 'v'),
('buyer', 'get_reservation', 'reservation_id uuid', 'SETOF {ledger}.held_line', 's'),
('buyer', 'available_stock', 'item_id {A:I}', '{Q}', 's'),
('buyer', 'available_stocks', 'item_ids {A:I}[]', 'SETOF {ledger}.item_level', 's'),
('buyer', 'my_reservations', 'user_id {A:U}', 'SETOF {ledger}.open_hold', 's'),
('operator', 'refund_order', 'order_id {A:O}, quantity bigint DEFAULT NULL::bigint, restock boolean DEFAULT true, reason text DEFAULT NULL::text, idempotency_key text DEFAULT NULL::text', '{Q}', 'v'),
('operator', 'refund_orders', 'order_ids {A:O}[], restock boolean DEFAULT true, reason text DEFAULT NULL::text, idempotency_key text DEFAULT NULL::text', 'SETOF {ledger}.refunded_order', 'v'),
('operator', 'change_order', 'order_id {A:O}, quantity bigint, reason text DEFAULT NULL::text, idempotency_key text DEFAULT NULL::text', '{Q}', 'v'),
('operator', 'exchange_order', 'order_id {A:O}, lines jsonb, reason text DEFAULT NULL::text, idempotency_key text DEFAULT NULL::text', 'SETOF {ledger}.line', 'v'),
('operator', 'restock_item', 'item_id {A:I}, quantity bigint, reason text DEFAULT NULL::text, idempotency_key text DEFAULT NULL::text', '{Q}', 'v'),
('operator', 'adjust_stock', 'item_id {A:I}, delta bigint, reason text, expected bigint DEFAULT NULL::bigint, kind text DEFAULT ''adjustment''::text, idempotency_key text DEFAULT NULL::text', '{Q}', 'v'),
('operator', 'count_stock', 'item_id {A:I}, counted bigint, unshipped bigint DEFAULT 0, counted_at timestamp with time zone DEFAULT NULL::timestamp with time zone, reason text DEFAULT NULL::text, idempotency_key text DEFAULT NULL::text', '{Q}', 'v'),
('operator', 'decide_reservation', 'reservation_id uuid, user_id {A:U} DEFAULT NULL::{A:U}', 'timestamp with time zone', 'v'),
('operator', 'expire_reservations', 'max_rows integer DEFAULT 1000', 'bigint', 'v'),
('operator', 'prune', 'older_than interval', 'bigint', 'v'),
('operator', 'close_ledger', 'before timestamp with time zone', 'bigint', 'v');

-- a store of each type of key; the last two differ in their options
CREATE TEMP TABLE shop (name name, api name, ledger name, u text, i text, o text, q text);
CREATE ROLE contract_owner;
GRANT CREATE ON DATABASE :"DBNAME" TO contract_owner;
GRANT ALL ON ALL TABLES IN SCHEMA pg_temp TO contract_owner;

SET LOCAL ROLE contract_owner;
INSERT INTO shop VALUES
('uuids', 'uuids', 'uuids', 'uuid', 'uuid', 'uuid', 'bigint'),
('bigints', 'bigints', 'goods_stock', 'bigint', 'bigint', 'bigint', 'integer'),
('texts', 'texts', 'texts', 'text', 'text', 'text', 'smallint'),
('smallints', 'smallints', 'smallints', 'smallint', 'smallint', 'smallint', 'integer'),
('domains', 'domains', 'domains', 'text', 'integer', 'uuid', 'integer'),
('no_orders', 'no_orders_api', 'no_orders_ledger', 'uuid', 'integer', 'text', 'bigint');

SELECT inventory.create_store('uuids');

CREATE SCHEMA bigints;
CREATE TABLE bigints.goods (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, stock integer NOT NULL);
CREATE TABLE bigints.order_items (id bigserial PRIMARY KEY, user_id bigint, item_id bigint REFERENCES bigints.goods, quantity integer);
SELECT inventory.attach('bigints.goods', 'bigints.order_items');

CREATE SCHEMA texts;
CREATE TABLE texts.items (sku varchar(40) PRIMARY KEY, stock smallint, shown boolean);
CREATE TABLE texts.orders (id text PRIMARY KEY, user_id varchar, item_id text, quantity integer, price numeric);
SELECT inventory.attach('texts.items', 'texts.orders', ledger_schema => 'texts', order_columns => '{id,price}',
						sellable => 'shown', direct_writes => 'refuse');

CREATE SCHEMA smallints;
CREATE TABLE smallints.items (id smallint PRIMARY KEY, stock integer);
CREATE TABLE smallints.orders (id smallserial PRIMARY KEY, user_id smallint, item_id smallint, quantity integer);
SELECT inventory.attach('smallints.items', 'smallints.orders', ledger_schema => 'smallints');

CREATE SCHEMA domains;
CREATE DOMAIN domains.key AS integer CHECK (VALUE > 0);
CREATE DOMAIN domains.id AS domains.key;
CREATE DOMAIN domains.pieces AS integer CHECK (VALUE >= 0);
CREATE DOMAIN domains.email AS varchar(80);
CREATE DOMAIN domains.token AS uuid DEFAULT gen_random_uuid();
CREATE TABLE domains.items (id domains.id PRIMARY KEY, stock domains.pieces);
CREATE TABLE domains.orders (id domains.token PRIMARY KEY, user_id domains.email, item_id domains.id, quantity domains.pieces);
SELECT inventory.attach('domains.items', 'domains.orders', ledger_schema => 'domains');

CREATE SCHEMA no_orders;
CREATE SCHEMA no_orders_api;
CREATE TABLE no_orders.items (id integer PRIMARY KEY, stock bigint);
SELECT inventory.attach('no_orders.items', user_id_type => 'uuid', api_schema => 'no_orders_api', ledger_schema => 'no_orders_ledger');
RESET ROLE;

-- the functions that are there, and those that should be
CREATE FUNCTION pg_temp.as_argument(type text) RETURNS text LANGUAGE sql
	AS $$ SELECT CASE type WHEN 'smallint' THEN 'integer' ELSE type END $$;
CREATE FUNCTION pg_temp.typed(template text, s shop) RETURNS text LANGUAGE sql AS $$
	SELECT replace(replace(replace(replace(replace(replace(template,
		'{A:U}', pg_temp.as_argument(s.u)), '{A:I}', pg_temp.as_argument(s.i)), '{A:O}', pg_temp.as_argument(s.o)),
		'{O}', s.o), '{Q}', s.q), '{ledger}', s.ledger)
$$;
CREATE TEMP VIEW promised AS
SELECT s.name AS shop, CASE f.part WHEN 'buyer' THEN s.api ELSE s.ledger END AS schema, f.name,
	   pg_temp.typed(f.arguments, s) AS arguments, pg_temp.typed(f.result, s) AS result, f.volatility
FROM shop s CROSS JOIN signature f;
CREATE TEMP VIEW generated AS
SELECT s.name AS shop, n.nspname AS schema, p.proname AS name, pg_get_function_arguments(p.oid) AS arguments,
	   pg_get_function_result(p.oid) AS result, p.provolatile AS volatility, p.oid, p AS f
FROM shop s JOIN pg_namespace n ON n.nspname IN (s.api, s.ledger) JOIN pg_proc p ON p.pronamespace = n.oid;

SELECT results_eq(
	format('SELECT schema, name, arguments, result, volatility FROM generated WHERE shop = %L ORDER BY 1, 2', s.name),
	format('SELECT schema, name, arguments, result, volatility FROM promised WHERE shop = %L ORDER BY 1, 2', s.name),
	'the functions of store ' || s.name || ': names, arguments, defaults, results, volatility')
FROM shop s;

-- argument_prefix, to replace a hand-written function: exactly its argument names
CREATE SCHEMA prefixed;
CREATE TABLE prefixed.items (id uuid PRIMARY KEY, stock integer);
CREATE TABLE prefixed.orders (id uuid PRIMARY KEY DEFAULT gen_random_uuid(), user_id uuid NOT NULL, item_id uuid NOT NULL);
SELECT inventory.attach('prefixed.items', 'prefixed.orders', ledger_schema => 'prefixed', argument_prefix => 'p_');
SELECT is(pg_get_function_arguments('prefixed.buy_item'::regproc),
	'p_user_id uuid, p_item_id uuid, p_quantity bigint DEFAULT 1, p_idempotency_key text DEFAULT NULL::text, p_order_data jsonb DEFAULT NULL::jsonb',
	'argument_prefix p_: arguments of buy_item');
SELECT function_returns('prefixed', 'buy_item', 'uuid', 'argument_prefix p_: buy_item returns uuid');
SELECT is_empty($$
	SELECT p.proname, a FROM pg_proc p, unnest(p.proargnames) AS a
	WHERE p.pronamespace = 'prefixed'::regnamespace AND a NOT LIKE 'p\_%' $$,
	'argument_prefix p_: on every argument of every function');
INSERT INTO prefixed.items VALUES ('00000000-0000-4000-8000-000000000001', 1);
SELECT isnt(prefixed.buy_item(p_user_id => gen_random_uuid(), p_item_id => '00000000-0000-4000-8000-000000000001'), NULL,
	'argument_prefix p_: called by name');
SELECT throws_ok($$ SELECT prefixed.buy_item(gen_random_uuid(), '00000000-0000-4000-8000-000000000001') $$,
	'IV001', 'out_of_stock', 'argument_prefix p_: called by position, raises out_of_stock');

-- with a claim the user may be left out: every argument of a purchase has a default
CREATE SCHEMA claimed;
CREATE TABLE claimed.items (id bigint PRIMARY KEY, stock integer);
SELECT inventory.attach('claimed.items', user_id_type => 'uuid', ledger_schema => 'claimed', user_claim => 'sub');
SELECT is(pg_get_function_arguments('claimed.buy_item'::regproc),
	'user_id uuid DEFAULT NULL::uuid, item_id bigint DEFAULT NULL::bigint, quantity bigint DEFAULT 1, idempotency_key text DEFAULT NULL::text, order_data jsonb DEFAULT NULL::jsonb',
	'user_claim: arguments of buy_item');
SELECT is(pg_get_function_arguments('claimed.buy_cart'::regproc),
	'user_id uuid DEFAULT NULL::uuid, lines jsonb DEFAULT NULL::jsonb, idempotency_key text DEFAULT NULL::text, order_data jsonb DEFAULT NULL::jsonb',
	'user_claim: arguments of buy_cart');

-- rights, search_path and other properties of the functions
SELECT is_empty($$ SELECT schema, name FROM generated WHERE NOT (f).prosecdef $$, 'all are SECURITY DEFINER');
SELECT is_empty($$ SELECT schema, name, pg_get_userbyid((f).proowner) FROM generated WHERE (f).proowner <> 'contract_owner'::regrole $$,
	'all belong to the owner of the tables');
SELECT is_empty($$ SELECT schema, name FROM generated WHERE (f).proisstrict $$, 'none is STRICT: a null is an error, and not ignored');
SELECT is_empty($$ SELECT schema, name, count(*) FROM generated GROUP BY schema, name HAVING count(*) > 1 $$, 'one signature for each name');
SELECT is_empty($$ SELECT schema, name FROM generated g JOIN pg_language l ON l.oid = (g.f).prolang WHERE l.lanname <> 'inventory' $$,
	'all are in the language inventory, which their owner can use');
SELECT is_empty($$ SELECT schema, name FROM generated WHERE (f).proparallel = 's' $$, 'none is PARALLEL SAFE');
SELECT is_empty($$ SELECT schema, name FROM generated WHERE (f).proconfig IS NOT NULL $$, 'none sets a setting: the engine pins the search_path');
SELECT is_empty($$ SELECT schema, name FROM generated WHERE coalesce(obj_description(oid, 'pg_proc'), '') = '' $$, 'each has a comment');
SELECT is_empty($$ SELECT g.schema, g.name, (g.f).prosrc FROM generated g JOIN shop s ON s.name = g.shop
	WHERE NOT EXISTS (SELECT FROM inventory.store AS t WHERE t.store_name = substr((g.f).prosrc, length(g.name) + 2)
					  AND starts_with((g.f).prosrc, g.name || ' ')) $$, 'each body is the name of the function and of a store');

-- keys of type smallint can be given as integer literals
INSERT INTO smallints.items VALUES (1, 5);
SELECT is(smallints.buy_item(7, 1), 1::smallint, 'smallint keys: literals as arguments, smallint as the result');
SELECT is(smallints.refund_order(1), 1, 'smallint keys: refund_order takes a literal');
SELECT throws_ok('SELECT smallints.buy_item(7, 40000)', '22003', NULL, 'smallint keys: a literal beyond smallint is out of range');

-- the ledger
CREATE TEMP VIEW ledger_column AS
SELECT s.name AS shop, c.relname AS relation, a.attnum, a.attname AS name, format_type(a.atttypid, a.atttypmod) AS type, a.attnotnull AS required
FROM shop s JOIN pg_namespace n ON n.nspname = s.ledger
JOIN pg_class c ON c.relnamespace = n.oid JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped;

CREATE FUNCTION pg_temp.columns_are(wanted_relation name, columns text) RETURNS SETOF text LANGUAGE sql AS $$
	SELECT results_eq(
		format('SELECT name::text COLLATE "default" || '' '' || type || CASE WHEN required THEN '' not null'' ELSE '''' END FROM ledger_column
				WHERE shop = %L AND relation = %L ORDER BY attnum', s.name, wanted_relation),
		format('SELECT unnest(%L::text[])', string_to_array(replace(replace(replace(replace(columns,
			'{I}', s.i), '{U}', s.u), '{O}', s.o), '{Q}', s.q), ', ')),
		'columns of ' || wanted_relation || ' of store ' || s.name)
	FROM shop s
$$;
SELECT pg_temp.columns_are('movements', 'movement_id bigint not null, item_id {I} not null, delta bigint not null, kind text not null, user_id {U}, order_id {O}, reservation_id uuid, reason text, actor text not null, created_at timestamp with time zone not null, epoch bigint');
SELECT pg_temp.columns_are('requests', 'operation text not null, user_id {U}, key text not null, fingerprint bytea not null, result jsonb not null, created_at timestamp with time zone not null');
SELECT pg_temp.columns_are('reservations', 'reservation_id uuid not null, item_id {I} not null, quantity bigint not null, user_id {U}, status text not null, expires_at timestamp with time zone not null, order_id {O}, created_at timestamp with time zone not null, tracked boolean not null');
SELECT pg_temp.columns_are('hot', 'item_id {I} not null, number bigint not null, hot boolean not null, settled_epoch bigint not null, incarnation bigint not null, keep_cold boolean not null');
SELECT pg_temp.columns_are('levels', 'item_id {I}, available bigint, reserved bigint, on_hand bigint, hot boolean');
SELECT pg_temp.columns_are('open_reservations', 'reservation_id uuid, item_id {I}, quantity bigint, user_id {U}, decided boolean, expires_at timestamp with time zone, created_at timestamp with time zone');
SELECT pg_temp.columns_are('line', 'status text, item_id {I}, quantity {Q}, order_id {O}, available {Q}, replayed boolean, header_id text');
SELECT pg_temp.columns_are('hold', 'status text, reservation_id uuid, expires_at timestamp with time zone, short_lines jsonb');
SELECT pg_temp.columns_are('held_line', 'status text, expires_at timestamp with time zone, item_id {I}, quantity {Q}, order_id {O}');
SELECT pg_temp.columns_are('open_hold', 'reservation_id uuid, item_id {I}, quantity {Q}, expires_at timestamp with time zone');
SELECT pg_temp.columns_are('item_level', 'item_id {I}, available {Q}');
SELECT pg_temp.columns_are('refunded_order', 'order_id {O}, status text, quantity {Q}');

SELECT col_is_pk('goods_stock', 'movements', 'movement_id', 'movements: primary key');
SELECT col_is_pk('goods_stock', 'hot', 'item_id', 'hot: primary key');
SELECT col_is_pk('goods_stock', 'order_changes', 'change_id', 'order_changes: primary key');
SELECT hasnt_table('no_orders_ledger', 'order_changes', 'order_changes: not without orders');
SELECT col_is_pk('goods_stock', 'reservations', ARRAY['reservation_id', 'item_id'], 'reservations: primary key');
SELECT is((SELECT attidentity FROM pg_attribute WHERE attrelid = 'goods_stock.movements'::regclass AND attname = 'movement_id'), 'a',
	'movement_id is always generated');
SELECT results_eq($$
	SELECT i.indnullsnotdistinct, array_agg(a.attname ORDER BY u.n) FROM pg_index i
	CROSS JOIN LATERAL unnest(i.indkey::int2[]) WITH ORDINALITY AS u (attnum, n)
	JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = u.attnum
	WHERE i.indrelid = 'goods_stock.requests'::regclass AND i.indisunique GROUP BY i.indexrelid, i.indnullsnotdistinct $$,
	$$ VALUES (true, '{key,operation,user_id}'::name[]) $$, 'requests: a key is unique for operation and user, and for no user too');
SELECT lives_ok(format('INSERT INTO goods_stock.reservations VALUES (gen_random_uuid(), 1, 1, NULL, %L, now(), NULL, now(), true)', status), 'a status of a reservation: ' || status)
FROM unnest('{held,confirmed,released,expired}'::text[]) AS status;
SELECT throws_ok($$ INSERT INTO goods_stock.reservations VALUES (gen_random_uuid(), 1, 1, NULL, 'lost', now(), NULL, now(), true) $$, '23514', NULL,
	'another status of a reservation is refused');
SELECT throws_ok($$ INSERT INTO goods_stock.reservations VALUES (gen_random_uuid(), 1, 0, NULL, 'held', now(), NULL, now(), true) $$, '23514', NULL,
	'a reservation of 0 units is refused');
SELECT is_empty($$
	SELECT c.conrelid::regclass, c.conname FROM pg_constraint c JOIN pg_class r ON r.oid = c.conrelid JOIN shop s ON r.relnamespace = s.ledger::regnamespace
	WHERE c.contype = 'f' AND r.relname IN ('movements', 'requests', 'reservations', 'order_changes') $$,
	'no foreign key of a ledger refers to the shop''s tables, whose rows may be deleted');

-- every object has a comment
SELECT is_empty($$
	SELECT c.oid::regclass FROM pg_class c JOIN shop s ON c.relnamespace = s.ledger::regnamespace
	WHERE c.relname IN ('movements', 'requests', 'reservations', 'order_changes', 'levels', 'open_reservations', 'sellable')
	AND coalesce(obj_description(c.oid, 'pg_class'), '') = '' $$, 'each table and view of a ledger has a comment');
SELECT is_empty($$
	SELECT t.oid::regtype FROM pg_type t JOIN shop s ON t.typnamespace = s.ledger::regnamespace
	WHERE t.typname IN ('line', 'hold', 'held_line', 'open_hold', 'item_level', 'refunded_order') AND coalesce(obj_description(t.oid, 'pg_type'), '') = '' $$, 'each result type has a comment');
SELECT has_view('texts', 'sellable', 'a store with a condition has a view of what is for sale');
SELECT hasnt_view('bigints', 'sellable', 'a store without a condition has no such view');
SELECT is((SELECT array_agg(t.tgname ORDER BY t.tgname) FROM pg_trigger t WHERE t.tgrelid = 'bigints.goods'::regclass AND NOT t.tgisinternal),
	'{inventory_binding,inventory_guard,inventory_guard_truncate}'::name[], 'items get three triggers');

-- the extension itself
CREATE TEMP VIEW member AS
SELECT d.classid, d.objid FROM pg_depend d JOIN pg_extension e ON e.oid = d.refobjid
WHERE d.refclassid = 'pg_extension'::regclass AND d.deptype = 'e' AND e.extname = 'inventory';
SELECT cmp_ok((SELECT count(*) FROM member WHERE classid = 'pg_proc'::regclass), '>=', 50::bigint, 'the extension has its functions');
SELECT is_empty($$ SELECT p.oid::regprocedure FROM pg_proc p WHERE p.pronamespace = 'inventory'::regnamespace
	AND NOT EXISTS (SELECT FROM member m WHERE m.classid = 'pg_proc'::regclass AND m.objid = p.oid) $$,
	'attach leaves nothing in the extension''s schema');
SELECT is_empty($$ SELECT objid::regprocedure FROM member WHERE classid = 'pg_proc'::regclass AND coalesce(obj_description(objid, 'pg_proc'), '') = '' $$,
	'each function of the extension has a comment');
SELECT is_empty($$ SELECT pg_describe_object(m.classid, m.objid, 0) FROM member m LEFT JOIN pg_type t ON m.classid = 'pg_type'::regclass AND t.oid = m.objid
	WHERE m.classid <> 'pg_proc'::regclass AND coalesce(t.typtype, 'c') = 'c' AND coalesce(t.typelem, 0) = 0
	AND NOT EXISTS (SELECT FROM pg_class c WHERE c.oid = t.typrelid AND c.relkind <> 'c')
	AND coalesce(obj_description(m.objid, (SELECT relname FROM pg_class WHERE oid = m.classid)), '') = '' $$,
	'each other object of the extension has a comment');
SELECT is_empty($$ SELECT a.attname FROM pg_attribute a WHERE a.attrelid = 'inventory.store'::regclass AND a.attnum > 0 AND NOT a.attisdropped
	AND coalesce(col_description(a.attrelid, a.attnum), '') = '' $$, 'each column of inventory.store has a comment');
SELECT is_empty($$ SELECT p.oid::regprocedure FROM pg_proc p JOIN pg_language l ON l.oid = p.prolang
	WHERE p.pronamespace = 'inventory'::regnamespace AND l.lanname IN ('sql', 'plpgsql')
	AND p.prokind = 'f' -- a procedure that commits cannot
	AND NOT coalesce('search_path=pg_catalog, pg_temp' = ANY (p.proconfig), false) $$, 'each SQL and PL/pgSQL body has its search_path pinned');
SELECT is_empty($$ SELECT p.oid::regprocedure FROM pg_proc p WHERE p.pronamespace = 'inventory'::regnamespace AND p.proisstrict
	AND p.proname !~ '^table_name_' $$, 'no function of the extension is STRICT, except those of a type');
SELECT results_eq($$ SELECT p.proname FROM pg_proc p WHERE p.pronamespace = 'inventory'::regnamespace AND p.prosecdef ORDER BY 1 $$,
	ARRAY['forget_dropped']::name[], 'only the event trigger is SECURITY DEFINER');
SELECT is_empty($$ SELECT p.proname FROM pg_proc p WHERE p.pronamespace = 'inventory'::regnamespace GROUP BY p.proname HAVING count(*) > 1 $$,
	'one signature for each name');
SELECT is_empty($$ SELECT p.oid::regprocedure FROM pg_proc p JOIN signature f ON f.name = p.proname
	WHERE p.pronamespace = 'inventory'::regnamespace AND p.provolatile <> f.volatility $$, 'the engine''s functions have the volatility of the generated ones');

-- the functions of administration
CREATE FUNCTION pg_temp.declared(function text) RETURNS text LANGUAGE sql
	AS $$ SELECT pg_get_function_arguments(function::regproc) || ' -> ' || pg_get_function_result(function::regproc) $$;
SELECT is(pg_temp.declared('inventory.create_store'),
	'schema name, item_id_type regtype DEFAULT ''uuid''::regtype, user_id_type regtype DEFAULT ''uuid''::regtype -> regclass', 'create_store');
SELECT is(pg_temp.declared('inventory.attach'),
	'items regclass, orders regclass DEFAULT NULL::regclass, item_id name DEFAULT NULL::name, stock name DEFAULT NULL::name, version name DEFAULT NULL::name, '
	'stock_floor name DEFAULT NULL::name, purchase_limit name DEFAULT NULL::name, order_id name DEFAULT NULL::name, order_user_id name DEFAULT NULL::name, '
	'order_item_id name DEFAULT NULL::name, order_quantity name DEFAULT NULL::name, order_columns name[] DEFAULT NULL::name[], '
	'user_id_type regtype DEFAULT NULL::regtype, api_schema name DEFAULT NULL::name, ledger_schema name DEFAULT NULL::name, '
	'argument_prefix text DEFAULT NULL::text, user_claim text DEFAULT NULL::text, sellable text DEFAULT NULL::text, direct_writes text DEFAULT NULL::text, '
	'max_ttl interval DEFAULT NULL::interval, store_name text DEFAULT NULL::text, order_writes text DEFAULT NULL::text, '
	'order_units text DEFAULT NULL::text, order_final text DEFAULT NULL::text, order_header regclass DEFAULT NULL::regclass, '
	'order_header_id name DEFAULT NULL::name, header_user_id name DEFAULT NULL::name, '
	'header_columns name[] DEFAULT NULL::name[], order_values jsonb DEFAULT NULL::jsonb, header_values jsonb DEFAULT NULL::jsonb, '
	'order_prepare regprocedure DEFAULT NULL::regprocedure, order_limit name DEFAULT NULL::name, '
	'adopt boolean DEFAULT NULL::boolean, reset boolean DEFAULT NULL::boolean -> regclass', 'attach');
SELECT is(pg_temp.declared('inventory.detach'), 'items regclass -> void', 'detach');
SELECT is(pg_temp.declared('inventory.refresh'), 'items regclass -> void', 'refresh');
SELECT is(pg_temp.declared('inventory.retype'), 'items regclass, "column" name, type regtype -> void', 'retype');
SELECT is(pg_temp.declared('inventory.grant_api'), 'items regclass, role name, part text -> void', 'grant_api');
SELECT is(pg_temp.declared('inventory.repair'),
	'items regclass, item text DEFAULT NULL::text, OUT item_id text, OUT problem text, OUT expected bigint, OUT actual bigint, OUT repaired boolean, OUT action text -> SETOF record', 'repair');
SELECT is(pg_temp.declared('inventory.oversold'),
	'items regclass, since timestamp with time zone DEFAULT NULL::timestamp with time zone, OUT item_id text, OUT ordered bigint, OUT supplied bigint, OUT oversold bigint, OUT first_order text, OUT at timestamp with time zone -> SETOF record', 'oversold');
SELECT is(pg_temp.declared('inventory.verify'),
	'items regclass, item "any" DEFAULT NULL::unknown, OUT item_id text, OUT problem text, OUT expected bigint, OUT actual bigint -> SETOF record', 'verify');
SELECT is(pg_temp.declared('inventory.reset_stats'), ' -> void', 'reset_stats');

SELECT * FROM finish();
ROLLBACK;
