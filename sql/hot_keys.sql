-- Tests of hot items with every type of key and of stock: only the item with exactly that
-- key is hot, and no restock exceeds what the stock column can hold.
\set SHOW_CONTEXT never
\set VERBOSITY terse
\pset format unaligned
\pset tuples_only on
SET client_min_messages = warning;
CREATE SCHEMA hot_keys;

-- A shop with keys of one type, of which the first is heated; then sales, settle and cool.
CREATE FUNCTION hot_keys.look(shop name) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	answer text;
BEGIN
	EXECUTE format($f$SELECT string_agg(format('%%s=%%s%%s', item_id, available, CASE WHEN hot THEN ' hot' END), ', ' ORDER BY item_id)
		|| (SELECT coalesce(' WRONG ' || json_agg(v), '') FROM inventory.verify('%1$s.items') AS v) FROM %1$s.levels$f$, shop) INTO answer;
	RETURN answer;
END
$$;
CREATE FUNCTION hot_keys.try(shop name, key_type text, stock_type text, keys text[]) RETURNS SETOF text LANGUAGE plpgsql AS $$
BEGIN
	EXECUTE format('CREATE SCHEMA %I', shop);
	EXECUTE format('CREATE TABLE %I.items (id %s PRIMARY KEY, stock %s)', shop, key_type, stock_type);
	EXECUTE format('INSERT INTO %I.items SELECT k::%s, 100 FROM unnest($1) AS k', shop, key_type) USING keys;
	EXECUTE format('SELECT inventory.attach(%L, ledger_schema => %L, user_id_type => %L)', shop || '.items', shop, 'text');
	EXECUTE format('SELECT inventory.heat(%L, %L::%s)', shop || '.items', keys[1], key_type);
	RETURN NEXT hot_keys.look(shop);
END
$$;
CREATE FUNCTION hot_keys.sell(shop name, key_type text, keys text[]) RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE
	key text;
BEGIN
	FOREACH key IN ARRAY keys LOOP
		EXECUTE format('SELECT %I.buy_item(%L, %L::%s, 2)', shop, 'u', key, CASE key_type WHEN 'smallint' THEN 'integer' ELSE key_type END);
	END LOOP;
	EXECUTE format('SELECT count(*) FROM %I.try_buy_cart(%L, (SELECT jsonb_agg(jsonb_build_object(%L, k)) FROM unnest($1) AS k))', shop, 'u', 'item_id') USING keys;
	RETURN NEXT hot_keys.look(shop);
	EXECUTE format('SELECT %I.release_reservation(%I.reserve_stock(%L, %L::%s, 50))', shop, shop, 'u', keys[1], CASE key_type WHEN 'smallint' THEN 'integer' ELSE key_type END);
	EXECUTE format('SELECT %I.restock_item(%L::%s, 10)', shop, keys[1], CASE key_type WHEN 'smallint' THEN 'integer' ELSE key_type END);
	RETURN NEXT hot_keys.look(shop);
	RETURN QUERY EXECUTE format('SELECT ''movements with an epoch: '' || string_agg(n || '' of '' || item_id, '', '' ORDER BY item_id)
		FROM (SELECT item_id, count(*) AS n FROM %I.movements WHERE epoch IS NOT NULL GROUP BY item_id) AS m', shop);
END
$$;
CREATE FUNCTION hot_keys.done(shop name, key_type text, keys text[]) RETURNS SETOF text LANGUAGE plpgsql AS $$
BEGIN
	PERFORM inventory.settle(format('%I.items', shop));
	RETURN QUERY EXECUTE format('SELECT string_agg(id || '' '' || stock, '', '' ORDER BY id) FROM %I.items', shop);
	RETURN QUERY EXECUTE format('SELECT ''cooled '' || inventory.cool(%L, %L::%s)', shop || '.items', keys[1], key_type);
	RETURN NEXT hot_keys.look(shop);
END
$$;

\echo '-- smallint'
SELECT hot_keys.try('hot_keys_smallint', 'smallint', 'smallint', '{7,-7,0,32767,-32768}');
SELECT hot_keys.sell('hot_keys_smallint', 'smallint', '{7,-7,0,32767,-32768}');
SELECT hot_keys.done('hot_keys_smallint', 'smallint', '{7}');
\echo '-- integer'
SELECT hot_keys.try('hot_keys_integer', 'integer', 'bigint', '{-1,1,65535,2147483647,-2147483648}');
SELECT hot_keys.sell('hot_keys_integer', 'integer', '{-1,1,65535,2147483647,-2147483648}');
SELECT hot_keys.done('hot_keys_integer', 'integer', '{-1}');
\echo '-- bigint'
SELECT hot_keys.try('hot_keys_bigint', 'bigint', 'bigint', '{4294967297,1,4294967296,-1,9223372036854775807}');
SELECT hot_keys.sell('hot_keys_bigint', 'bigint', '{4294967297,1,4294967296,-1,9223372036854775807}');
SELECT hot_keys.done('hot_keys_bigint', 'bigint', '{4294967297}');
\echo '-- uuid'
SELECT hot_keys.try('hot_keys_uuid', 'uuid', 'integer', '{00000000-0000-4000-8000-000000000001,00000000-0000-4000-8000-000000000002,10000000-0000-4000-8000-000000000001}');
SELECT hot_keys.sell('hot_keys_uuid', 'uuid', '{00000000-0000-4000-8000-000000000001,00000000-0000-4000-8000-000000000002,10000000-0000-4000-8000-000000000001}');
SELECT hot_keys.done('hot_keys_uuid', 'uuid', '{00000000-0000-4000-8000-000000000001}');
\echo '-- text, varchar, domains'
SELECT hot_keys.try('hot_keys_text', 'text', 'integer', '{shirt,Shirt,"shirt ","","''; DROP TABLE"}');
SELECT hot_keys.sell('hot_keys_text', 'text', '{shirt,Shirt,"shirt ","","''; DROP TABLE"}');
SELECT hot_keys.done('hot_keys_text', 'text', '{shirt}');
SELECT hot_keys.try('hot_keys_varchar', 'varchar(40)', 'integer', '{größe,große}');
SELECT hot_keys.sell('hot_keys_varchar', 'varchar(40)', '{größe,große}');
SELECT hot_keys.done('hot_keys_varchar', 'varchar(40)', '{größe}');
CREATE DOMAIN hot_keys.sku AS text CHECK (VALUE <> '');
CREATE DOMAIN hot_keys.pieces AS smallint CHECK (VALUE <= 1000);
SELECT hot_keys.try('hot_keys_domain', 'hot_keys.sku', 'hot_keys.pieces', '{a,b}');
SELECT hot_keys.sell('hot_keys_domain', 'hot_keys.sku', '{a,b}');
SELECT hot_keys.done('hot_keys_domain', 'hot_keys.sku', '{a}');

\echo '-- never more than the stock column can hold, whichever transactions in flight commit'
SELECT inventory.heat('hot_keys_smallint.items', 7);
SELECT hot_keys_smallint.restock_item(7, 32767 - hot_keys_smallint.available_stock(7));
SELECT hot_keys_smallint.restock_item(7, 1);
\echo :SQLSTATE
SELECT hot_keys_smallint.adjust_stock(7, 1, 'x');
\echo :SQLSTATE
SELECT hot_keys_smallint.count_stock(7, 32768);
\echo :SQLSTATE
SELECT hot_keys_smallint.buy_item('u', 7, 5);
-- a sale in flight may still be rolled back
BEGIN;
SELECT hot_keys_smallint.restock_item(7, 5);
SAVEPOINT s;
SELECT hot_keys_smallint.restock_item(7, 1);
\echo :SQLSTATE
ROLLBACK TO s;
SELECT hot_keys_smallint.buy_item('u', 7, 10);
SELECT hot_keys_smallint.restock_item(7, 10);
\echo :SQLSTATE
ROLLBACK;
SELECT hot_keys_smallint.available_stock(7);
SELECT hot_keys_smallint.restock_item(7, 5);
SELECT inventory.settle('hot_keys_smallint.items') >= 0;
SELECT stock FROM hot_keys_smallint.items WHERE id = 7;
SELECT hot_keys.look('hot_keys_smallint');
-- the largest bigint
SELECT inventory.heat('hot_keys_bigint.items', 1);
SELECT hot_keys_bigint.restock_item(1, 9223372036854775807 - hot_keys_bigint.available_stock(1));
SELECT hot_keys_bigint.restock_item(1, 1);
\echo :SQLSTATE
SELECT hot_keys_bigint.buy_item('u', 1, 9223372036854775807);
SELECT hot_keys_bigint.available_stock(1);
SELECT hot_keys_bigint.restock_item(1, 9223372036854775807);
SELECT hot_keys_bigint.buy_item('u', 1) IS NULL, hot_keys_bigint.available_stock(1);
SELECT inventory.settle('hot_keys_bigint.items') >= 0;
SELECT hot_keys.look('hot_keys_bigint');
SELECT inventory.cool('hot_keys_bigint.items');
SELECT stock FROM hot_keys_bigint.items WHERE id = 1;
-- a domain that allows less than its type: more is refused, as for a cold item
SELECT hot_keys_domain.restock_item('b', 1000);
\echo :SQLSTATE
SELECT inventory.heat('hot_keys_domain.items', 'b');
SELECT hot_keys_domain.restock_item('b', 1000);
\echo :SQLSTATE
SELECT hot_keys_domain.restock_item('b', 903);
SELECT hot_keys_domain.buy_item('u', 'b', 100) IS NULL;
SELECT hot_keys_domain.restock_item('b', 101);
\echo :SQLSTATE
SELECT inventory.settle('hot_keys_domain.items') >= 0;
SELECT stock FROM hot_keys_domain.items WHERE id = 'b';
SELECT hot_keys.look('hot_keys_domain');
SELECT inventory.cool('hot_keys_domain.items');
DROP SCHEMA hot_keys_smallint, hot_keys_integer, hot_keys_bigint, hot_keys_uuid, hot_keys_text, hot_keys_varchar, hot_keys_domain,
	hot_keys CASCADE;
