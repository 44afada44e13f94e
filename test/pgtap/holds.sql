-- Tests of holds: the objects that a store has for them, and what each function does in each
-- state of a reservation.  contract.sql has the declarations for stores of one type of key;
-- here they are those of a store of mixed types.
BEGIN;
SET LOCAL client_min_messages = warning;
SET LOCAL search_path = public;
LOAD 'inventory';
SELECT plan(75);

CREATE SCHEMA shop;
CREATE TABLE shop.items (sku text PRIMARY KEY, stock integer, live boolean NOT NULL DEFAULT true, stock_floor integer, purchase_limit integer);
CREATE TABLE shop.orders (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, user_id uuid NOT NULL, item_id text NOT NULL,
						  quantity integer NOT NULL, note text);
INSERT INTO shop.items (sku, stock) VALUES ('lamp', 10), ('vase', 10), ('gift', NULL);
SELECT inventory.attach('shop.items', 'shop.orders', order_columns => '{note}', sellable => 'live', max_ttl => '2 hours');
CREATE FUNCTION pg_temp.ann() RETURNS uuid LANGUAGE sql AS $$ SELECT '00000000-0000-0000-0000-00000000000a'::uuid $$;
CREATE FUNCTION pg_temp.bob() RETURNS uuid LANGUAGE sql AS $$ SELECT '00000000-0000-0000-0000-00000000000b'::uuid $$;

-- ---- declarations
CREATE TEMP VIEW made AS
SELECT n.nspname, p.proname, p.oid, pg_get_function_arguments(p.oid) AS arguments, pg_get_function_result(p.oid) AS result,
	   p.provolatile, p.proparallel, p.prosecdef, p.proisstrict, p.proconfig, pg_get_userbyid(p.proowner) AS owner
FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
WHERE p.proname ~ 'reserv|^refund_order$|^prune$|^close_ledger$' AND n.nspname IN ('shop', 'items_stock');
SELECT results_eq($$ SELECT nspname, proname, arguments, result, provolatile FROM made ORDER BY nspname, proname $$, $$ VALUES
	('items_stock'::name, 'close_ledger'::name, 'before timestamp with time zone', 'bigint', 'v'::"char"),
	('items_stock', 'decide_reservation', 'reservation_id uuid, user_id uuid DEFAULT NULL::uuid', 'timestamp with time zone', 'v'),
	('items_stock', 'expire_reservations', 'max_rows integer DEFAULT 1000', 'bigint', 'v'),
	('items_stock', 'prune', 'older_than interval', 'bigint', 'v'),
	('items_stock', 'refund_order', 'order_id bigint, quantity bigint DEFAULT NULL::bigint, restock boolean DEFAULT true, reason text DEFAULT NULL::text, idempotency_key text DEFAULT NULL::text', 'integer', 'v'),
	('shop', 'change_reservation', 'reservation_id uuid, item_id text, quantity bigint, user_id uuid DEFAULT NULL::uuid', 'timestamp with time zone', 'v'),
	('shop', 'confirm_reservation', 'reservation_id uuid, user_id uuid DEFAULT NULL::uuid, order_data jsonb DEFAULT NULL::jsonb', 'SETOF items_stock.line', 'v'),
	('shop', 'extend_reservation', 'reservation_id uuid, ttl interval DEFAULT NULL::interval, user_id uuid DEFAULT NULL::uuid', 'timestamp with time zone', 'v'),
	('shop', 'get_reservation', 'reservation_id uuid', 'SETOF items_stock.held_line', 's'),
	('shop', 'my_reservations', 'user_id uuid', 'SETOF items_stock.open_hold', 's'),
	('shop', 'release_reservation', 'reservation_id uuid, user_id uuid DEFAULT NULL::uuid', 'boolean', 'v'),
	('shop', 'reserve_cart', 'user_id uuid, lines jsonb, ttl interval DEFAULT NULL::interval, idempotency_key text DEFAULT NULL::text, reservation_id uuid DEFAULT NULL::uuid', 'uuid', 'v'),
	('shop', 'reserve_stock', 'user_id uuid, item_id text, quantity bigint DEFAULT 1, ttl interval DEFAULT NULL::interval, idempotency_key text DEFAULT NULL::text, reservation_id uuid DEFAULT NULL::uuid', 'uuid', 'v'),
	('shop', 'try_reserve_cart', 'user_id uuid, lines jsonb, ttl interval DEFAULT NULL::interval, idempotency_key text DEFAULT NULL::text, reservation_id uuid DEFAULT NULL::uuid', 'items_stock.hold', 'v') $$,
	'one signature per name: arguments, defaults, results, volatility');
SELECT is_empty($$ SELECT proname FROM made WHERE NOT prosecdef OR proisstrict OR owner <> current_user $$, 'SECURITY DEFINER, owned by the owner of the tables, and not STRICT');
SELECT is_empty($$ SELECT proname FROM made WHERE proconfig <> '{"search_path=pg_catalog, shop, pg_temp"}' $$, 'search_path is pinned');
SELECT is_empty($$ SELECT proname FROM made WHERE proparallel <> CASE provolatile WHEN 's' THEN 'r' ELSE 'u' END::"char" $$, 'parallel labels');
SELECT is_empty($$ SELECT proname FROM made WHERE coalesce(obj_description(oid, 'pg_proc'), '') !~ CASE WHEN proname ~ '^try_' THEN 'refusal is a status' ELSE 'Errors: ' END $$, 'each comment names its errors');

-- ---- types, tables
CREATE FUNCTION pg_temp.columns(relation text) RETURNS text LANGUAGE sql AS $$
	SELECT string_agg(concat_ws(' ', attname, format_type(atttypid, atttypmod), CASE WHEN attnotnull THEN 'not null' END), ', ' ORDER BY attnum)
	FROM pg_attribute WHERE attrelid = relation::regclass AND attnum > 0 $$;
SELECT is(pg_temp.columns('items_stock.line'), 'status text, item_id text, quantity integer, order_id bigint, available integer, replayed boolean, header_id text', 'type line');
SELECT is(pg_temp.columns('items_stock.hold'), 'status text, reservation_id uuid, expires_at timestamp with time zone, short_lines jsonb', 'type hold');
SELECT is(pg_temp.columns('items_stock.held_line'), 'status text, expires_at timestamp with time zone, item_id text, quantity integer, order_id bigint', 'type held_line');
SELECT is(pg_temp.columns('items_stock.levels'), 'item_id text, available bigint, reserved bigint, on_hand bigint, hot boolean', 'view levels');
SELECT is(pg_temp.columns('items_stock.reservations'), 'reservation_id uuid not null, item_id text not null, quantity bigint not null, user_id uuid, status text not null, '
	'expires_at timestamp with time zone not null, order_id bigint, created_at timestamp with time zone not null, tracked boolean not null', 'table reservations');
SELECT results_eq($$ SELECT contype, pg_get_constraintdef(oid) FROM pg_constraint WHERE conrelid = 'items_stock.reservations'::regclass AND contype <> 'n' ORDER BY 1, 2 $$, $$ VALUES
	('c'::"char", 'CHECK ((quantity > 0))'),
	('c', 'CHECK ((status = ANY (ARRAY[''held''::text, ''confirmed''::text, ''released''::text, ''expired''::text])))'),
	('p', 'PRIMARY KEY (reservation_id, item_id)') $$, 'reservations: constraints');
SELECT results_eq($$ SELECT regexp_replace(pg_get_indexdef(indexrelid), '^.* USING ', '') FROM pg_index WHERE indrelid = 'items_stock.reservations'::regclass ORDER BY 1 $$, $$ VALUES
	('btree (expires_at, reservation_id) WHERE (status = ''held''::text)'),
	('btree (item_id, expires_at, reservation_id) WHERE (status = ''held''::text)'),
	('btree (reservation_id, item_id)'),
	('btree (user_id) WHERE (status = ''held''::text)') $$, 'reservations: indexes, of open holds by time, by item, and by user');
SELECT isnt(obj_description('items_stock.reservations'::regclass, 'pg_class'), NULL, 'reservations: a comment');

-- ---- states.  A reservation of one lamp in each state
CREATE TEMP TABLE r (state text PRIMARY KEY, id uuid);
INSERT INTO r SELECT state, shop.reserve_stock(pg_temp.ann(), 'lamp', 1, '1 hour') FROM unnest('{held,overdue,expired,confirmed,released}'::text[]) AS state;
CREATE FUNCTION pg_temp.r(state text) RETURNS uuid LANGUAGE sql AS $$ SELECT id FROM r WHERE r.state = $1 $$;
UPDATE items_stock.reservations SET expires_at = clock_timestamp() - interval '1 second' WHERE reservation_id = pg_temp.r('expired');
SELECT is(items_stock.expire_reservations(), 1::bigint, 'expire_reservations: returns the number of lines');
UPDATE items_stock.reservations SET expires_at = clock_timestamp() - interval '1 second' WHERE reservation_id = pg_temp.r('overdue');
SELECT results_eq($$ SELECT status, item_id, quantity, order_id > 0, available, replayed FROM shop.confirm_reservation(pg_temp.r('confirmed'), order_data => '{"note": "n"}') $$,
	$$ VALUES ('ok', 'lamp', 1, true, 6, false) $$, 'confirm: returns the line and its order');
SELECT results_eq($$ SELECT user_id, item_id, quantity, note FROM shop.orders $$, $$ VALUES (pg_temp.ann(), 'lamp', 1, 'n') $$, 'confirm: the order row');
SELECT is(shop.release_reservation(pg_temp.r('released')), true, 'release: true for the call that gives it back');

SELECT is((SELECT string_agg(status, ' ') FROM shop.get_reservation(pg_temp.r(s.state))), s.seen, 'get: ' || s.state)
FROM (VALUES ('held', 'held'), ('overdue', 'expired'), ('expired', 'expired'), ('confirmed', 'confirmed'), ('released', 'released')) AS s (state, seen);

CREATE FUNCTION pg_temp.moves(state text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	move text;
	answer text;
	answers text[] := '{}';
BEGIN
	FOREACH move IN ARRAY '{confirm_reservation(%L),extend_reservation(%L),"change_reservation(%L, ''lamp'', 2)","change_reservation(%L, ''vase'', 1)",release_reservation(%L)}'::text[] LOOP
		BEGIN
			EXECUTE format('SELECT (NOT s IS NULL)::text FROM shop.' || move || ' AS s', pg_temp.r(state)) INTO answer;
			IF move LIKE 'release%' THEN
				EXECUTE format('SELECT shop.' || move, pg_temp.r(state)) INTO answer;
			END IF;
			RAISE SQLSTATE 'UNDO0';	-- each call starts from the same state
		EXCEPTION
			WHEN SQLSTATE 'UNDO0' THEN answers := answers || answer;
			WHEN OTHERS THEN answers := answers || SQLSTATE;
		END;
	END LOOP;
	RETURN array_to_string(answers, ' ');
END $$;
--                                          confirm extend more add release (and again)
SELECT is(pg_temp.moves('held'),      'true true true true false',        'held: every call succeeds; the second release returns false');
SELECT is(pg_temp.moves('overdue'),   'IV005 IV005 IV005 IV005 false',    'overdue: as expired, although its row says held');
SELECT is(pg_temp.moves('expired'),   'IV005 IV005 IV005 IV005 false',    'expired');
SELECT is(pg_temp.moves('confirmed'), 'true IV006 IV006 IV006 IV006',     'confirmed: confirm again, and nothing else');
SELECT is(pg_temp.moves('released'),  'IV007 IV007 IV007 IV007 false',    'released');
SELECT results_eq($$ SELECT status, order_id, replayed FROM shop.confirm_reservation(pg_temp.r('confirmed')) $$,
	$$ SELECT 'ok', max(id), true FROM shop.orders $$, 'confirmed again: returns the same order');
SELECT is((SELECT count(*) FROM shop.orders), 1::bigint, 'confirmed again: makes no other order');

-- reservations that are unknown, null, or of another user
SELECT throws_ok(format('SELECT shop.%s', call), 'IV004', 'reservation_not_found', 'unknown: ' || call)
FROM unnest('{confirm_reservation(gen_random_uuid()),extend_reservation(gen_random_uuid()),"change_reservation(gen_random_uuid(), ''lamp'', 1)",get_reservation(gen_random_uuid())}'::text[]) AS call;
SELECT is(shop.release_reservation(gen_random_uuid()), false, 'unknown: release_reservation of an operator leaves a tombstone');
SELECT throws_ok(format('SELECT shop.%s', call), '22004', NULL, 'null: ' || call)
FROM unnest('{confirm_reservation(NULL),extend_reservation(NULL),"change_reservation(NULL, ''lamp'', 1)","change_reservation(pg_temp.r(''held''), ''lamp'', NULL)","change_reservation(pg_temp.r(''held''), NULL, 1)",release_reservation(NULL),get_reservation(NULL)}'::text[]) AS call;
SELECT throws_ok(format('SELECT shop.%s', call), 'IV004', 'reservation_not_found', 'of another user: ' || call)
FROM unnest('{"confirm_reservation(pg_temp.r(''held''), pg_temp.bob())","extend_reservation(pg_temp.r(''held''), NULL, pg_temp.bob())","change_reservation(pg_temp.r(''held''), ''lamp'', 2, pg_temp.bob())","release_reservation(pg_temp.r(''held''), pg_temp.bob())"}'::text[]) AS call;

-- ---- ttl, reservation_ttl and max_ttl
CREATE FUNCTION pg_temp.lasts(id uuid) RETURNS interval LANGUAGE sql AS $$
	SELECT date_trunc('minute', max(r.expires_at - r.created_at) + interval '1 second') FROM items_stock.reservations r WHERE r.reservation_id = $1 $$;
SELECT is(pg_temp.lasts(shop.reserve_stock(pg_temp.ann(), 'gift')), interval '15 minutes', 'reservation_ttl: 15 minutes by default');
SET LOCAL inventory.reservation_ttl = '5min';
SELECT is(pg_temp.lasts(shop.reserve_stock(pg_temp.ann(), 'gift')), interval '5 minutes', 'reservation_ttl: as it is set');
SET LOCAL inventory.reservation_ttl = '3h';
SELECT is(pg_temp.lasts(shop.reserve_stock(pg_temp.ann(), 'gift')), interval '2 hours', 'reservation_ttl: not beyond max_ttl');
SELECT is(pg_temp.lasts(shop.reserve_stock(pg_temp.ann(), 'gift', 1, '2 hours')), interval '2 hours', 'ttl may be max_ttl');
SELECT throws_ok($$ SELECT shop.reserve_stock(pg_temp.ann(), 'gift', 1, '2 hours 1 second') $$, '22023', NULL, 'ttl must not exceed max_ttl');
SELECT throws_ok($$ SELECT shop.reserve_stock(pg_temp.ann(), 'gift', 1, '0') $$, '22023', NULL, 'ttl must not be 0');
SELECT throws_ok($$ SELECT shop.reserve_stock(pg_temp.ann(), 'gift', 1, '-1 day') $$, '22023', NULL, 'ttl must not be negative');
SELECT throws_ok($$ SELECT shop.reserve_stock(pg_temp.ann(), 'gift', 1, '300000 years') $$, '22008', NULL, 'ttl out of the range of times');
SELECT is(shop.extend_reservation(pg_temp.r('held'), '1 minute'), (SELECT expires_at FROM items_stock.reservations WHERE reservation_id = pg_temp.r('held')), 'extend never shortens');
SELECT throws_ok($$ SELECT shop.extend_reservation(pg_temp.r('held'), '3 hours') $$, '22023', NULL, 'extend: max_ttl counts from the creation');
SELECT lives_ok($$ SELECT shop.extend_reservation(pg_temp.r('held')) $$, 'extend without ttl: as long as possible');
SELECT is(pg_temp.lasts(pg_temp.r('held')), interval '2 hours', 'extend without ttl: up to max_ttl');

-- ---- the view levels and the answers of functions.  10 lamps: 1 held, 1 overdue, 1 sold
SELECT results_eq($$ SELECT available, reserved, on_hand FROM items_stock.levels WHERE item_id = 'lamp' $$, $$ VALUES (8::bigint, 1::bigint, 9::bigint) $$,
	'levels: an overdue hold is available');
SELECT is(shop.available_stock('lamp'), 8, 'available_stock: the same number');
SELECT results_eq($$ SELECT available, reserved, on_hand FROM items_stock.levels WHERE item_id = 'gift' $$, $$ VALUES (NULL::bigint, 0::bigint, NULL::bigint) $$,
	'levels: null for an item that is not tracked');
SELECT results_eq($$ SELECT status, reservation_id IS NULL, expires_at IS NULL, short_lines FROM shop.try_reserve_cart(pg_temp.ann(), '[{"item_id": "lamp", "quantity": 9}, {"item_id": "vase"}, {"item_id": "none"}]') $$,
	$$ VALUES ('item_not_found', true, true, '[{"status": "out_of_stock", "item_id": "lamp", "quantity": 9, "available": 8}, {"status": "item_not_found", "item_id": "none", "quantity": 1}]'::jsonb) $$,
	'try_reserve_cart: the lines at fault');
SELECT results_eq($$ SELECT status, reservation_id IS NULL, expires_at > now(), short_lines FROM shop.try_reserve_cart(pg_temp.ann(), '[{"item_id": "vase"}]') $$,
	$$ VALUES ('ok', false, true, NULL::jsonb) $$, 'try_reserve_cart: held');

-- an item that is no longer for sale: its holds can be confirmed, and no more can be held
UPDATE shop.items SET live = false WHERE sku = 'lamp';
SELECT throws_ok($$ SELECT shop.change_reservation(pg_temp.r('held'), 'lamp', 2) $$, 'IV002', 'item_not_found', 'no longer for sale: no more can be held');
SELECT results_eq($$ SELECT status, quantity, order_id IS NOT NULL, available FROM shop.confirm_reservation(pg_temp.r('held')) $$, $$ VALUES ('ok', 1, true, NULL::int) $$,
	'no longer for sale: the hold can be confirmed');
SELECT is_empty($$ SELECT * FROM inventory.verify('shop.items') $$, 'verify finds nothing');

-- ---- privileges
CREATE ROLE holds_buyer;
CREATE ROLE holds_operator;
SELECT inventory.grant_api('shop.items', 'holds_buyer', 'buyer');
SELECT inventory.grant_api('shop.items', 'holds_operator', 'operator');
SELECT is_empty($$ SELECT proname FROM made WHERE has_function_privilege('holds_buyer', oid, 'EXECUTE') <> (nspname = 'shop') $$, 'buyer: the functions of the api schema');
SELECT is_empty($$ SELECT proname FROM made WHERE has_function_privilege('holds_operator', oid, 'EXECUTE') <> (nspname = 'items_stock') $$, 'operator: the functions of the ledger schema');
SELECT ok(NOT has_schema_privilege('holds_buyer', 'items_stock', 'USAGE'), 'buyer: no USAGE on the ledger schema');
SELECT is_empty($$ SELECT r, p FROM unnest('{holds_buyer,holds_operator,public}'::text[]) r, unnest('{SELECT,INSERT,UPDATE,DELETE}'::text[]) p
	WHERE has_table_privilege(r, 'items_stock.reservations', p) OR has_table_privilege(r, 'items_stock.levels', p) $$, 'only the owner has rights on reservations and levels');

-- ---- counters
SELECT ok(has_table_privilege('pg_monitor', 'inventory.stats', 'SELECT'), 'stats: pg_monitor may read it');
SELECT ok(NOT has_table_privilege('holds_operator', 'inventory.stats', 'SELECT'), 'stats: an operator may not');
SELECT ok(NOT has_function_privilege('pg_monitor', 'inventory.reset_stats()', 'EXECUTE'), 'reset_stats: pg_monitor may not call it');
SELECT is((SELECT overdue_holds FROM inventory.stats WHERE store_name = 'shop.items' LIMIT 1), NULL::bigint, 'stats: without a worker the number of overdue holds is not known');
SELECT results_eq($$ SELECT operation FROM inventory.stats WHERE store_name = 'shop.items' AND calls > 0 AND units > 0 ORDER BY operation COLLATE "C" $$, $$ VALUES
	('change_reservation'), ('confirm_reservation'), ('expiry'), ('release_reservation'), ('reserve_stock'), ('try_reserve_cart') $$, 'stats: the operations that moved units');

-- ---- settings
SELECT results_eq($$ SELECT name COLLATE "C", boot_val, unit, context FROM pg_settings WHERE name IN ('inventory.reservation_ttl', 'inventory.notify', 'inventory.request_retention') ORDER BY 1 $$, $$ VALUES
	('inventory.notify' COLLATE "C", 'off', NULL, 'user'),
	('inventory.request_retention', '0', 's', 'sighup'),
	('inventory.reservation_ttl', '900', 's', 'user') $$, 'settings');

SELECT * FROM finish();
ROLLBACK;
