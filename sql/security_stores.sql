-- Tests of the security between stores and between users: ids of another store or user are
-- not found, and no user can withhold the stock from the others for long.
\set SHOW_CONTEXT never
\set VERBOSITY terse
\pset format unaligned
\pset tuples_only on
SET client_min_messages = warning;
CREATE ROLE regress_stores_ada; CREATE ROLE regress_stores_bob; CREATE ROLE regress_stores_buyer;
CREATE SCHEMA stores_ada AUTHORIZATION regress_stores_ada;
CREATE SCHEMA stores_bob AUTHORIZATION regress_stores_bob;
CREATE SCHEMA stores_ada_stock AUTHORIZATION regress_stores_ada;
CREATE SCHEMA stores_bob_stock AUTHORIZATION regress_stores_bob;
GRANT USAGE ON SCHEMA stores_ada, stores_bob, stores_ada_stock, stores_bob_stock TO PUBLIC;
-- two stores of two owners; their items and orders have the same keys
CREATE FUNCTION open(schema text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
	EXECUTE format('CREATE TABLE %1$I.items (id bigint PRIMARY KEY, stock integer, purchase_limit integer);
		CREATE TABLE %1$I.orders (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, user_id text, item_id bigint, quantity integer);
		INSERT INTO %1$I.items VALUES (1, 10, NULL), (2, 100, 3);', schema);
	PERFORM inventory.attach(format('%I.items', schema), format('%I.orders', schema), ledger_schema => (schema || '_stock')::name, max_ttl => '1 hour');
	PERFORM inventory.grant_api(format('%I.items', schema), 'regress_stores_buyer', 'buyer');
END
$$;
GRANT EXECUTE ON FUNCTION open TO PUBLIC;
SET ROLE regress_stores_ada;
SELECT open('stores_ada');
SET ROLE regress_stores_bob;
SELECT open('stores_bob');
RESET ROLE;
CREATE FUNCTION attempt(call text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	answer text;
BEGIN
	EXECUTE 'SELECT ' || call INTO answer;
	RETURN coalesce(answer, 'null');
EXCEPTION WHEN OTHERS THEN
	RETURN SQLSTATE;
END
$$;
CREATE FUNCTION look(schema text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	answer text;
BEGIN
	EXECUTE format('SELECT concat_ws('' | '', (SELECT string_agg(stock::text, '' '' ORDER BY id) FROM %1$I.items),
		(SELECT string_agg(concat_ws('' '', user_id, item_id, quantity), '', '' ORDER BY id) FROM %1$I.orders),
		(SELECT string_agg(concat_ws('' '', user_id, item_id, quantity, status), '', '' ORDER BY user_id, item_id, status) FROM %2$I.reservations),
		(SELECT json_agg(v) FROM inventory.verify(''%1$I.items'') AS v))', schema, schema || '_stock') INTO answer;
	RETURN answer;
END
$$;

\echo '-- a reservation, order or key of another store'
SET ROLE regress_stores_buyer;
SELECT stores_ada.reserve_stock('u', 1, 2) AS held, stores_ada.buy_item('u', 1, 1, 'key') AS sold \gset
SELECT call, attempt(format('stores_bob.' || call, :'held')) FROM unnest('{get_reservation(%L),"change_reservation(%L, 1, 5)","change_reservation(%L, 1, 0)",
	extend_reservation(%L),confirm_reservation(%L),"confirm_reservation(%L, ''u'')",release_reservation(%L)}'::text[]) AS call;
SELECT stores_bob.buy_item('u', 1, 1, 'key') AS own;
SET ROLE regress_stores_bob;
SELECT attempt('stores_bob_stock.refund_order(1, 2)');
SELECT attempt('stores_ada_stock.refund_order(1)'), attempt('stores_ada_stock.restock_item(1, 1)');
\echo '-- functions of the engine, called by the owner of the other store'
SELECT call, attempt(format('inventory.' || call, 'stores_ada.items', :'held')) FROM unnest('{"buy_item(%1$L, ''u''::text, 1, 1, NULL, NULL, NULL::bigint)",
	"try_buy_item(%1$L, ''u''::text, 1, 1, NULL, NULL, NULL::stores_bob_stock.line)",
	"release_reservation(%1$L, %2$L, NULL::text)","refund_order(%1$L, 1, 1, true, NULL, NULL, NULL::integer)","restock_item(%1$L, 1, 1, NULL, NULL, NULL::integer)",
	"expire_reservations(%1$L, 10)","prune(%1$L, ''0'')","close_ledger(%1$L, now())","available_stock(%1$L, 1, NULL::integer)"}'::text[]) AS call;
SELECT call, attempt(call) FROM unnest('{"inventory.detach(''stores_ada.items'')","inventory.refresh(''stores_ada.items'')","inventory.verify(''stores_ada.items'')",
	"inventory.grant_api(''stores_ada.items'', ''regress_stores_bob'', ''operator'')","inventory.attach(''stores_ada.orders'')"}'::text[]) AS call;
-- attach of one's own items with the orders, ledger or schema of the other store
CREATE TABLE stores_bob.more (id bigint PRIMARY KEY, stock integer);
SELECT args, attempt('inventory.attach(''stores_bob.more'', ' || args || ')') FROM unnest('{"''stores_ada.orders''","ledger_schema => ''stores_ada_stock''",
	"api_schema => ''stores_ada''"}'::text[]) AS args;
RESET ROLE;
SELECT look('stores_ada');
SELECT look('stores_bob');

\echo '-- a reservation of another user: without user_claim, user_id must match it'
SET ROLE regress_stores_buyer;
SELECT call, attempt(format('stores_ada.' || call, :'held')) FROM unnest('{"change_reservation(%L, 1, 5, ''v'')","extend_reservation(%L, NULL, ''v'')",
	"confirm_reservation(%L, ''v'')","release_reservation(%L, ''v'')","release_reservation(%L, '''')","get_reservation(%L) IS NOT NULL"}'::text[]) AS call;
SELECT attempt(format('stores_ada.release_reservation(%L, ''u'')', :'held'));

\echo '-- denial of inventory: a hold for a century, and one that is extended again and again'
SELECT ttl, attempt(format('stores_ada.reserve_stock(''x'', 1, 9, %L)', ttl)) ~ '^22' AS refused FROM unnest('{100 years,1 hour 1 second,1 mon,infinity,2026-01-01,P100Y}'::text[]) AS ttl;
SET inventory.reservation_ttl = '7 d';
SELECT stores_ada.reserve_stock('x', 1, 9) AS greedy \gset
RESET inventory.reservation_ttl;
SELECT expires_at <= now() + '1 hour' AS no_longer_by_a_setting FROM stores_ada.get_reservation(:'greedy');
SELECT stores_ada.release_reservation(:'greedy');
SELECT stores_ada.reserve_stock('x', 1, 9, '10 min') AS greedy \gset
SELECT attempt(format('stores_ada.extend_reservation(%L, ''50 min'') IS NOT NULL', :'greedy'));
SELECT ttl, attempt(format('stores_ada.extend_reservation(%L, %L)', :'greedy', ttl)) ~ '^22' AS refused FROM unnest('{2 hours,100 years,infinity}'::text[]) AS ttl;
SELECT bool_and(stores_ada.extend_reservation(:'greedy') IS NOT NULL) FROM generate_series(1, 100);
SELECT stores_ada.extend_reservation(:'greedy') <= now() + '1 hour' AS no_longer_than_it_may;
SELECT stores_ada.change_reservation(:'greedy', 1, 8) <= now() + '1 hour' AS nor_by_changing_it;
SELECT attempt('stores_ada.buy_item(''y'', 1, 2)') AS while_it_lasts;
RESET ROLE;
UPDATE stores_ada_stock.reservations SET created_at = created_at - interval '1 hour', expires_at = expires_at - interval '1 hour' WHERE reservation_id = :'greedy';
SET ROLE regress_stores_buyer;
SELECT attempt(format('stores_ada.extend_reservation(%L)', :'greedy')), attempt(format('stores_ada.confirm_reservation(%L)', :'greedy')),
	attempt(format('stores_ada.change_reservation(%L, 1, 9)', :'greedy'));
SELECT stores_ada.buy_item('y', 1, 9) > 0 AS afterwards;
\echo '-- denial of inventory by many holds: purchase_limit counts held units'
SELECT attempt('stores_ada.reserve_stock(''x'', 2, 3) IS NOT NULL'), attempt('stores_ada.reserve_stock(''x'', 2)'), attempt('stores_ada.buy_item(''x'', 2)'),
	attempt('stores_ada.reserve_cart(''x'', ''[{"item_id": 2}]'')'), attempt('stores_ada.buy_item(''y'', 2) > 0');
RESET ROLE;
SELECT look('stores_ada');
SELECT look('stores_bob');
\pset tuples_only off
DROP SCHEMA stores_ada, stores_bob, stores_ada_stock, stores_bob_stock CASCADE;
DROP FUNCTION open, attempt, look;
DROP ROLE regress_stores_ada, regress_stores_bob, regress_stores_buyer;
