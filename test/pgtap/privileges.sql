-- Tests of privileges: what attach makes belongs to the owner of the tables alone, whatever the
-- default privileges of the database are; grant_api grants exactly one part of the functions;
-- the extension itself grants to PUBLIC only what owners of tables need.
BEGIN;
SET LOCAL client_min_messages = warning;
SET LOCAL search_path = public;
SELECT plan(63);

CREATE ROLE priv_owner;
CREATE ROLE priv_anon;
CREATE ROLE priv_buyer;
CREATE ROLE priv_operator;
GRANT CREATE ON DATABASE :"DBNAME" TO priv_owner;
GRANT priv_owner TO CURRENT_USER;

-- default privileges as in hosted databases, and more
CREATE FUNCTION pg_temp.give_all_to_anon(creator name) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
	kind text;
BEGIN
	FOREACH kind IN ARRAY '{TABLES,SEQUENCES,FUNCTIONS,TYPES,SCHEMAS}'::text[] LOOP
		EXECUTE format('ALTER DEFAULT PRIVILEGES FOR ROLE %I GRANT ALL ON %s TO priv_anon, PUBLIC', creator, kind);
		EXECUTE format('ALTER DEFAULT PRIVILEGES FOR ROLE %I GRANT ALL ON %s TO priv_anon WITH GRANT OPTION', creator, kind);
	END LOOP;
END
$$;
SELECT pg_temp.give_all_to_anon('priv_owner');
SELECT pg_temp.give_all_to_anon(current_user);

-- attached by the owner; attached by a superuser, with tables of the owner; made by create_store
SET LOCAL ROLE priv_owner;
CREATE SCHEMA mine;
CREATE TABLE mine.items (id bigint PRIMARY KEY, stock integer, live boolean);
CREATE TABLE mine.orders (id bigserial PRIMARY KEY, user_id text, item_id bigint, quantity integer, note text);
CREATE SCHEMA theirs;
REVOKE ALL ON SCHEMA mine, theirs FROM priv_anon, PUBLIC;
CREATE TABLE theirs.goods (id bigint PRIMARY KEY, stock integer, purchase_limit integer);
REVOKE ALL ON mine.items, mine.orders, theirs.goods FROM priv_anon, PUBLIC;
INSERT INTO mine.items VALUES (1, 10, true);
SELECT inventory.attach('mine.items', 'mine.orders', sellable => 'live', order_columns => '{note}');
SELECT inventory.create_store('made');
RESET ROLE;
SELECT inventory.attach('theirs.goods');

-- every object of a store, and every grant on it to a role other than its owner
CREATE TEMP TABLE ledger (schema name, api name);
INSERT INTO ledger VALUES ('items_stock', 'mine'), ('goods_stock', 'theirs'), ('made', 'made');
CREATE TEMP VIEW object AS
SELECT 'schema' AS kind, n.nspname::text AS object, n.nspowner AS owner, n.oid, coalesce(n.nspacl, acldefault('n', n.nspowner)) AS acl
FROM pg_namespace n JOIN ledger l ON l.schema = n.nspname
UNION ALL
SELECT 'relation ' || c.relkind::text, c.oid::regclass::text, c.relowner, c.oid,
	   coalesce(c.relacl, acldefault(CASE c.relkind WHEN 'S' THEN 's' ELSE 'r' END::"char", c.relowner))
FROM pg_class c JOIN ledger l ON l.schema::text::regnamespace = c.relnamespace WHERE c.relkind IN ('r', 'v', 'S')
UNION ALL
SELECT 'column', c.oid::regclass || '.' || a.attname, c.relowner, c.oid, a.attacl
FROM pg_class c JOIN ledger l ON l.schema::text::regnamespace = c.relnamespace JOIN pg_attribute a ON a.attrelid = c.oid
WHERE a.attacl IS NOT NULL
UNION ALL
SELECT 'type', t.oid::regtype::text, t.typowner, t.oid, coalesce(t.typacl, acldefault('T', t.typowner))
FROM pg_type t JOIN ledger l ON l.schema::text::regnamespace = t.typnamespace LEFT JOIN pg_class c ON c.oid = t.typrelid
WHERE t.typtype = 'c' AND c.relkind = 'c'
UNION ALL
SELECT 'function', p.oid::regproc::text, p.proowner, p.oid, coalesce(p.proacl, acldefault('f', p.proowner))
FROM pg_proc p JOIN ledger l ON p.pronamespace IN (l.schema::text::regnamespace, l.api::text::regnamespace);
CREATE TEMP VIEW given AS
SELECT o.kind, o.object COLLATE "default" AS object, coalesce(r.rolname, 'PUBLIC')::text COLLATE "default" AS grantee,
	   a.privilege_type COLLATE "default" AS privilege, a.is_grantable AS grantable
FROM object o CROSS JOIN LATERAL aclexplode(o.acl) a LEFT JOIN pg_roles r ON r.oid = a.grantee WHERE a.grantee <> o.owner;

SELECT results_eq('SELECT kind, count(*) FROM object GROUP BY kind ORDER BY kind',
	$$ VALUES ('function', 78::bigint), ('relation S', 8), ('relation r', 16), ('relation v', 7), ('schema', 3), ('type', 18) $$,
	'the objects that attach makes, for three stores');
SELECT is_empty('SELECT * FROM given', 'no role but the owner has a privilege on them');
SELECT is_empty($$ SELECT kind, object, owner::regrole FROM object WHERE owner <> 'priv_owner'::regrole AND NOT (object IN ('theirs', 'mine')) $$,
	'the owner of the tables owns them, even if a superuser attached');
SELECT results_eq($$ SELECT nspacl FROM pg_namespace WHERE nspname = 'items_stock' $$, $$ SELECT '{priv_owner=UC/priv_owner}'::aclitem[] $$,
	'the owner has its privileges on the ledger schema');
-- the same by has_..._privilege, which finds a privilege however it was granted
SELECT is_empty($$ SELECT object FROM object WHERE CASE WHEN kind IN ('relation r', 'relation v')
	THEN has_table_privilege('priv_anon', oid, 'SELECT, INSERT, UPDATE, DELETE, TRUNCATE, REFERENCES, TRIGGER') END $$, 'anon: no table');
SELECT is_empty($$ SELECT object FROM object WHERE CASE WHEN kind IN ('relation r', 'relation v')
	THEN has_any_column_privilege('priv_anon', oid, 'SELECT, INSERT, UPDATE, REFERENCES') END $$, 'anon: no column');
SELECT is_empty($$ SELECT object FROM object WHERE CASE kind WHEN 'relation S' THEN has_sequence_privilege('priv_anon', oid, 'USAGE, SELECT, UPDATE') END $$, 'anon: no sequence');
SELECT is_empty($$ SELECT object FROM object WHERE CASE kind WHEN 'function' THEN has_function_privilege('priv_anon', oid, 'EXECUTE') END $$, 'anon: no function');
SELECT is_empty($$ SELECT object FROM object WHERE CASE kind WHEN 'schema' THEN has_schema_privilege('priv_anon', oid, 'USAGE, CREATE') END $$, 'anon: no schema');
SELECT is_empty($$ SELECT object FROM object WHERE CASE kind WHEN 'type' THEN has_type_privilege('priv_anon', oid, 'USAGE') END $$, 'anon: no type');

-- one part of the functions, and USAGE on their schema
SELECT inventory.grant_api('mine.items', 'priv_buyer', 'buyer');
SELECT results_eq('SELECT kind, object, privilege, grantable FROM given ORDER BY kind, object COLLATE "C"', $$ VALUES
	('function', 'mine.available_stock', 'EXECUTE', false),
	('function', 'mine.available_stocks', 'EXECUTE', false),
	('function', 'mine.buy_cart', 'EXECUTE', false),
	('function', 'mine.buy_item', 'EXECUTE', false),
	('function', 'mine.change_reservation', 'EXECUTE', false),
	('function', 'mine.confirm_reservation', 'EXECUTE', false),
	('function', 'mine.extend_reservation', 'EXECUTE', false),
	('function', 'mine.get_reservation', 'EXECUTE', false),
	('function', 'mine.my_reservations', 'EXECUTE', false),
	('function', 'mine.release_reservation', 'EXECUTE', false),
	('function', 'mine.reserve_cart', 'EXECUTE', false),
	('function', 'mine.reserve_stock', 'EXECUTE', false),
	('function', 'mine.try_buy_cart', 'EXECUTE', false),
	('function', 'mine.try_buy_item', 'EXECUTE', false),
	('function', 'mine.try_reserve_cart', 'EXECUTE', false) $$, 'grant_api buyer: EXECUTE on the buyer functions');
SELECT is_empty($$ SELECT * FROM given WHERE grantee <> 'priv_buyer' $$, 'grant_api buyer: to that role alone');
SELECT ok(has_schema_privilege('priv_buyer', 'mine', 'USAGE'), 'grant_api buyer: USAGE on the schema of the buyer functions');
SELECT ok(NOT has_schema_privilege('priv_buyer', 'mine', 'CREATE'), 'grant_api buyer: no CREATE on it');
SELECT ok(NOT has_schema_privilege('priv_buyer', 'items_stock', 'USAGE'), 'grant_api buyer: nothing on the ledger');
SELECT inventory.grant_api('mine.items', 'priv_operator', 'operator');
SELECT results_eq($$ SELECT kind, object, privilege, grantable FROM given WHERE grantee <> 'priv_buyer' ORDER BY kind, object COLLATE "C" $$, $$ VALUES
	('function', 'items_stock.adjust_stock', 'EXECUTE', false),
	('function', 'items_stock.change_order', 'EXECUTE', false),
	('function', 'items_stock.close_ledger', 'EXECUTE', false),
	('function', 'items_stock.count_stock', 'EXECUTE', false),
	('function', 'items_stock.decide_reservation', 'EXECUTE', false),
	('function', 'items_stock.exchange_order', 'EXECUTE', false),
	('function', 'items_stock.expire_reservations', 'EXECUTE', false),
	('function', 'items_stock.prune', 'EXECUTE', false),
	('function', 'items_stock.refund_order', 'EXECUTE', false),
	('function', 'items_stock.refund_orders', 'EXECUTE', false),
	('function', 'items_stock.restock_item', 'EXECUTE', false),
	('schema', 'items_stock', 'USAGE', false) $$, 'grant_api operator: EXECUTE on the operator functions, USAGE on the ledger schema');
SELECT is_empty($$ SELECT * FROM given WHERE grantee NOT IN ('priv_buyer', 'priv_operator') $$, 'grant_api operator: to that role alone');
SELECT ok(NOT has_schema_privilege('priv_operator', 'mine', 'USAGE'), 'grant_api operator: nothing on the schema of the buyer functions');

-- each role can call its functions and do nothing else
SET LOCAL ROLE priv_buyer;
SELECT is(mine.buy_item('ann', 1), 1::bigint, 'a buyer buys');
SELECT is((SELECT status FROM mine.buy_cart('ann', '[{"item_id": 1, "note": "gift"}]')), 'ok', 'a buyer buys a cart and reads its lines');
SELECT is(mine.available_stock(1), 8, 'a buyer calls available_stock');
SELECT throws_ok('SELECT * FROM mine.items', '42501', NULL, 'a buyer cannot read items');
SELECT throws_ok('UPDATE mine.items SET stock = 100', '42501', NULL, 'a buyer cannot write items');
SELECT throws_ok('INSERT INTO mine.orders (item_id, quantity) VALUES (1, 1)', '42501', NULL, 'a buyer cannot insert orders');
SELECT throws_ok('SELECT * FROM items_stock.movements', '42501', NULL, 'a buyer cannot read the ledger');
SELECT throws_ok('SELECT items_stock.restock_item(1, 5)', '42501', NULL, 'a buyer cannot restock');
SELECT throws_ok($$ SELECT inventory.buy_item('mine.items', 'ann'::text, 1, 1, NULL, NULL, NULL::bigint) $$, '42501', NULL, 'a buyer cannot call the engine''s buy_item');
SELECT throws_ok($$ SELECT inventory.restock_item('mine.items', 1, 5, NULL, NULL, NULL::integer) $$, '42501', NULL, 'a buyer cannot call the engine''s restock_item');
SELECT throws_ok($$ SELECT inventory.available_stock('mine.items', 1, NULL::integer) $$, '42501', NULL, 'a buyer cannot call the engine''s available_stock');
SELECT throws_ok($$ SELECT inventory.open_ledger('mine.items') $$, '42501', NULL, 'a buyer cannot open the ledger');
SELECT throws_ok($$ SELECT * FROM inventory.verify('mine.items') $$, '42501', NULL, 'a buyer cannot call verify');
SELECT throws_ok($$ SELECT * FROM inventory.oversold('mine.items') $$, '42501', NULL, 'nor oversold');
SELECT throws_ok($$ SELECT * FROM inventory.repair('mine.items') $$, '42501', NULL, 'nor repair it');
SELECT throws_ok($$ SELECT inventory.detach('mine.items') $$, '42501', NULL, 'a buyer cannot detach');
SELECT throws_ok($$ SELECT inventory.refresh('mine.items') $$, '42501', NULL, 'a buyer cannot refresh');
SELECT throws_ok($$ SELECT inventory.grant_api('mine.items', 'priv_buyer', 'operator') $$, '42501', NULL, 'a buyer cannot grant itself the operator functions');
SELECT throws_ok($$ SELECT inventory.attach('mine.orders') $$, '42501', NULL, 'a buyer cannot attach tables of another owner');
SELECT throws_ok($$ SELECT inventory.reset_stats() $$, '42501', NULL, 'a buyer cannot reset the counters');
SELECT throws_ok($$ SELECT inventory.heat('mine.items', 1) $$, '42501', NULL, 'a buyer cannot heat an item');
SELECT throws_ok($$ SELECT inventory.cool('mine.items') $$, '42501', NULL, 'a buyer cannot cool items');
SELECT throws_ok($$ SELECT inventory.settle('mine.items') $$, '42501', NULL, 'a buyer cannot settle');
SELECT throws_ok($$ SELECT * FROM inventory.hot_entries() $$, '42501', NULL, 'a buyer cannot read the counters');
SELECT throws_ok($$ SELECT inventory.refuse_hot() $$, '42501', NULL, 'a buyer cannot call refuse_hot');
SET LOCAL ROLE priv_operator;
SELECT is(items_stock.restock_item(1, 5), 13, 'an operator restocks');
SELECT is(items_stock.refund_order(1), 1, 'an operator refunds');
SELECT throws_ok($$ SELECT mine.buy_item('ann', 1) $$, '42501', NULL, 'an operator cannot buy');
SELECT throws_ok('SELECT * FROM items_stock.movements', '42501', NULL, 'an operator cannot read the ledger');
SELECT throws_ok('DELETE FROM items_stock.movements', '42501', NULL, 'an operator cannot write the ledger');
SET LOCAL ROLE priv_anon;
SELECT throws_ok($$ SELECT mine.buy_item('ann', 1) $$, '42501', NULL, 'anon cannot buy');
RESET ROLE;
SELECT results_eq($$ SELECT kind, delta, actor FROM items_stock.movements ORDER BY movement_id $$, $$ VALUES
	('opening', 10::bigint, 'priv_owner'), ('sale', -1, 'priv_buyer'), ('sale', -1, 'priv_buyer'),
	('restock', 5, 'priv_operator'), ('refund', 1, 'priv_operator') $$, 'the ledger has the role of each caller');

-- refresh keeps the grants, and adds none
CREATE TEMP TABLE given_before AS TABLE given;
SELECT inventory.refresh('mine.items');
SELECT set_eq('SELECT * FROM given', 'SELECT * FROM given_before', 'refresh: the grants are the same');

-- grants to PUBLIC, and grants that are refused
SELECT inventory.grant_api('theirs.goods', 'public', 'buyer');
SELECT results_eq($$ SELECT kind, grantee, count(*) FROM given WHERE object LIKE 'theirs.%' GROUP BY 1, 2 $$, $$ VALUES ('function', 'PUBLIC', 15::bigint) $$, 'grant_api to public');
SELECT ok(has_schema_privilege('priv_anon', 'theirs', 'USAGE'), 'grant_api to public: with the schema');
SELECT throws_ok($$ SELECT inventory.grant_api('mine.items', 'priv_nobody', 'buyer') $$, '42704', NULL, 'grant_api: unknown role');
SELECT throws_ok($$ SELECT inventory.grant_api('mine.items', 'priv_buyer', 'all') $$, '22023', NULL, 'grant_api: unknown part');
SELECT throws_ok($$ SELECT inventory.grant_api('mine.items', NULL, 'buyer') $$, '22004', NULL, 'grant_api: null role');
SELECT throws_ok($$ SELECT inventory.grant_api('mine.items', 'priv_buyer', NULL) $$, '22004', NULL, 'grant_api: null part');
SELECT throws_ok($$ SELECT inventory.grant_api(NULL, 'priv_buyer', 'buyer') $$, '22004', NULL, 'grant_api: null items');
SELECT throws_ok($$ SELECT inventory.grant_api('mine.orders', 'priv_buyer', 'buyer') $$, 'IV012', 'not_a_store', 'grant_api: not a store');

-- the extension, created under such default privileges
SELECT inventory.detach('mine.items');
SELECT inventory.detach('theirs.goods');
SELECT inventory.detach('made.items');
DROP EXTENSION inventory;
CREATE EXTENSION inventory;
CREATE TEMP VIEW extension_given AS
SELECT o.kind, o.object COLLATE "default" AS object, coalesce(r.rolname, 'PUBLIC')::text COLLATE "default" AS grantee,
	   a.privilege_type COLLATE "default" AS privilege
FROM (SELECT 'schema' AS kind, nspname::text AS object, nspowner AS owner, nspacl AS acl FROM pg_namespace WHERE nspname = 'inventory'
	  UNION ALL SELECT 'relation', relname, relowner, coalesce(relacl, acldefault('r', relowner)) FROM pg_class
	  WHERE relnamespace = 'inventory'::regnamespace AND relkind IN ('r', 'v')
	  UNION ALL SELECT 'function', proname, proowner, coalesce(proacl, acldefault('f', proowner)) FROM pg_proc WHERE pronamespace = 'inventory'::regnamespace) AS o
CROSS JOIN LATERAL aclexplode(o.acl) a LEFT JOIN pg_roles r ON r.oid = a.grantee WHERE a.grantee <> o.owner;
SELECT is_empty($$ SELECT * FROM extension_given WHERE grantee NOT IN ('PUBLIC', 'pg_monitor') $$, 'extension: default privileges grant nothing');
SELECT results_eq($$ SELECT kind, object, privilege FROM extension_given WHERE grantee = 'PUBLIC' AND kind <> 'function' ORDER BY 1, 2, 3 $$, $$ VALUES
	('relation', 'bindings', 'SELECT'), ('relation', 'store', 'INSERT'), ('relation', 'store', 'SELECT'), ('schema', 'inventory', 'USAGE') $$, 'extension: privileges of PUBLIC');
SELECT results_eq($$ SELECT kind, object, privilege FROM extension_given WHERE grantee = 'pg_monitor' ORDER BY 1, 2, 3 $$, $$ VALUES
	('function', 'hot_entries', 'EXECUTE'), ('function', 'overdue_holds', 'EXECUTE'), ('function', 'stats_entries', 'EXECUTE'),
	('function', 'worker_last_run', 'EXECUTE'), ('function', 'worker_state', 'EXECUTE'),
	('relation', 'stats', 'SELECT') $$, 'extension: privileges of pg_monitor');
SELECT is_empty($$ SELECT * FROM extension_given WHERE grantee = 'PUBLIC' AND object IN ('reset_stats', 'stats_entries', 'overdue_holds', 'worker_last_run', 'worker_state', 'hot_entries', 'refuse_hot', 'stats') $$,
	'extension: PUBLIC has no privilege on the counters');

SELECT * FROM finish();
ROLLBACK;
