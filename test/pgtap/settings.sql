-- Tests of the settings: names, types, defaults, ranges and contexts, and that there are no
-- others.
BEGIN;
SET LOCAL client_min_messages = warning;
LOAD 'inventory';
SELECT plan(26);

SELECT results_eq($$
	SELECT substr(name, 11) COLLATE "C", vartype, boot_val, context, unit, min_val, max_val, enumvals
	FROM pg_settings WHERE name LIKE 'inventory.%' ORDER BY 1 $$, $$ VALUES
	('direct_access' COLLATE "C", 'bool', 'on', 'superuser', NULL, NULL, NULL, NULL::text[]),
	('error_format', 'enum', 'text', 'user', NULL, NULL, NULL, '{text,json}'),
	('follow_at', 'enum', 'statement', 'user', NULL, NULL, NULL, '{statement,commit}'),
	('hot_idle_timeout', 'integer', '60', 'sighup', 's', '1', '2147483647', NULL),
	('hot_lock_timeout', 'integer', '10000', 'user', 'ms', '0', '2147483647', NULL),
	('hot_mode', 'enum', 'manual', 'sighup', NULL, NULL, NULL, '{off,manual,auto}'),
	('hot_queue_threshold', 'integer', '4', 'sighup', NULL, '1', '2147483647', NULL),
	('http_errors', 'bool', 'off', 'user', NULL, NULL, NULL, NULL),
	('log_refusals', 'bool', 'on', 'superuser', NULL, NULL, NULL, NULL),
	('max_hot_items', 'integer', '1024',
	 CASE WHEN current_setting('shared_preload_libraries') LIKE '%inventory%' THEN 'postmaster' ELSE 'internal' END, NULL, '1', '1000000', NULL),
	('max_stats_entries', 'integer', '32768',
	 CASE WHEN current_setting('shared_preload_libraries') LIKE '%inventory%' THEN 'postmaster' ELSE 'internal' END, NULL, '100', '10000000', NULL),
	('max_workers', 'integer', '2', 'sighup', NULL, '0', '256', NULL),
	('notify', 'bool', 'off', 'user', NULL, NULL, NULL, NULL),
	('optimistic_retries', 'integer', '10', 'user', NULL, '0', '10000', NULL),
	('prepared_timeout', 'integer', '0', 'user', 'ms', '0', '2147483647', NULL),
	('request_retention', 'integer', '0', 'sighup', 's', '0', '2147483647', NULL),
	('reservation_ttl', 'integer', '900', 'user', 's', '1', '2147483647', NULL),
	('settle_interval', 'integer', '1000', 'sighup', 'ms', '10', '3600000', NULL),
	('strategy', 'enum', 'atomic', 'user', NULL, NULL, NULL, '{atomic,pessimistic,optimistic}'),
	('worker_timeout', 'integer', '10000', 'sighup', 'ms', '0', '2147483647', NULL) $$,
	'all settings: type, default, context, unit, range, values');
SELECT is_empty($$ SELECT name FROM pg_settings WHERE name LIKE 'inventory.%' AND coalesce(short_desc, '') = '' $$, 'each has a description');
SELECT is_empty($$ SELECT name FROM pg_settings WHERE name LIKE 'inventory.%' AND source <> 'configuration file' AND setting <> boot_val $$, 'each that is not configured has its default at the start');

SELECT lives_ok(format('SET LOCAL inventory.strategy = %L', strategy), 'strategy ' || strategy)
FROM unnest('{pessimistic,optimistic,atomic}'::text[]) AS strategy;
SELECT throws_ok($$ SET LOCAL inventory.strategy = 'hopeful' $$, '22023', NULL, 'an unknown strategy is refused');
SELECT throws_ok($$ SET LOCAL inventory.strategy = '' $$, '22023', NULL, 'an empty strategy is refused');
SELECT lives_ok($$ SET LOCAL inventory.optimistic_retries = 0 $$, 'optimistic_retries may be 0');
SELECT throws_ok($$ SET LOCAL inventory.optimistic_retries = -1 $$, '22023', NULL, 'optimistic_retries must not be negative');
SELECT throws_ok($$ SET LOCAL inventory.optimistic_retries = 10001 $$, '22023', NULL, 'optimistic_retries is at most 10000');
SELECT lives_ok($$ SET LOCAL inventory.reservation_ttl = '2h' $$, 'reservation_ttl takes units');
SELECT is(current_setting('inventory.reservation_ttl'), '2h', 'reservation_ttl is shown with its unit');
SELECT throws_ok($$ SET LOCAL inventory.reservation_ttl = 0 $$, '22023', NULL, 'reservation_ttl must be positive');
SELECT throws_ok($$ SET LOCAL inventory.request_retention = '1d' $$, '55P02', NULL, 'request_retention cannot be set in a session');
SELECT lives_ok($$ SET LOCAL inventory.http_errors = on $$, 'http_errors can be set in a session');
SELECT lives_ok($$ SET LOCAL inventory.hot_lock_timeout = '2s' $$, 'hot_lock_timeout can be set in a session, and takes units');
SELECT throws_ok($$ SET LOCAL inventory.hot_mode = 'auto' $$, '55P02', NULL, 'hot_mode cannot be set in a session');
SELECT throws_ok($$ SET LOCAL inventory.max_hot_items = 2 $$, '55P02', NULL, 'max_hot_items cannot be set in a session');

-- a misspelt setting is an error, and not a new setting
SELECT throws_ok($$ SET LOCAL inventory.stratgy = 'atomic' $$, '42602', NULL, 'the prefix is reserved: stratgy');
SELECT throws_ok($$ SET LOCAL inventory.hot_mod = 'auto' $$, '42602', NULL, 'the prefix is reserved: hot_mod');

-- set for a role, as for the login role of an API
CREATE ROLE settings_api;
SELECT lives_ok($$ SET LOCAL inventory.direct_access = off $$, 'a superuser can set direct_access');
RESET inventory.direct_access;
SELECT lives_ok($$ SET LOCAL inventory.log_refusals = off $$, 'a superuser can set log_refusals');
RESET inventory.log_refusals;
SET LOCAL ROLE settings_api;
SELECT throws_ok($$ SET LOCAL inventory.direct_access = off $$, '42501', NULL, 'a buyer cannot set direct_access');
SELECT throws_ok($$ SET LOCAL inventory.log_refusals = off $$, '42501', NULL, 'a buyer cannot set log_refusals');
RESET ROLE;
SELECT lives_ok($$ ALTER ROLE settings_api SET inventory.http_errors = on $$, 'http_errors can be set for a role');

SELECT * FROM finish();
ROLLBACK;
