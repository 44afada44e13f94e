-- Tests of long ids of type text: one limit for items, users and orders, cold and hot alike.
\pset format unaligned
\pset tuples_only on
\set schema long_ids
\set item_type text
\set limits on
\getenv abs_srcdir PG_ABS_SRCDIR
\set include :abs_srcdir '/sql/include/shop.sql'
\i :include
-- a text of so many bytes that no compression makes shorter
CREATE FUNCTION id_of(bytes integer) RETURNS text LANGUAGE sql AS $$
	SELECT left(string_agg(md5(bytes::text || n), ''), bytes) FROM generate_series(1, bytes / 32 + 1) AS n
$$;
INSERT INTO items (id, stock, purchase_limit) SELECT id_of(bytes), 100, 50 FROM unnest(ARRAY[1024, 1025, 2690]) AS bytes;
SELECT inventory.attach('items', 'orders', ledger_schema => 'long_ids_stock');
-- what calls with an item and a user of so many bytes answer
CREATE FUNCTION answers(item integer, usr integer) RETURNS text LANGUAGE sql AS $$
	SELECT string_agg(coalesce(substring(attempt('SELECT ' || format(call, item, usr)) from '^(?:ok|[^ ]+ .* bytes)'), '?'), ', ' ORDER BY n)
	FROM unnest(ARRAY[
		'buy_item(id_of(%2$s), id_of(%1$s), 1, left(id_of(255), 200) || clock_timestamp())',
		'(SELECT count(*) FROM buy_cart(id_of(%2$s), jsonb_build_array(jsonb_build_object(''item_id'', id_of(%1$s)))))',
		'(SELECT min(status) FROM try_buy_cart(id_of(%2$s), jsonb_build_array(jsonb_build_object(''item_id'', id_of(%1$s)))))',
		'release_reservation(reserve_stock(id_of(%2$s), id_of(%1$s), 2), id_of(%2$s))',
		'restock_item(id_of(%1$s), 1)',
		'available_stock(id_of(%1$s)) > 0']) WITH ORDINALITY AS c(call, n)
$$;
CREATE TABLE cold AS SELECT item, usr, answers(item, usr) AS answers FROM (VALUES (1024, 1024), (1025, 10), (2690, 10), (1024, 1025)) AS v(item, usr);
SELECT * FROM cold;
SELECT attempt(format('SELECT inventory.heat(''items'', id_of(%s))', bytes)) FROM unnest(ARRAY[1024, 1025, 2690]) AS bytes;
SELECT item, usr, answers(item, usr) = answers FROM cold;
SELECT item_id = id_of(1024), hot FROM hot;
SELECT count(*) FROM movements WHERE epoch IS NOT NULL;
SELECT inventory.cool('items'), problems();

\echo '-- a claim, and orders that the shop keeps itself'
SELECT inventory.detach('items');
UPDATE items SET purchase_limit = NULL;
DROP SCHEMA long_ids_stock CASCADE;
SELECT inventory.attach('items', ledger_schema => 'long_ids_stock', user_claim => 'sub');
SELECT set_config('request.jwt.claims', json_build_object('sub', id_of(1025))::text, false) IS NOT NULL;
CREATE ROLE long_ids_buyer;
GRANT USAGE ON SCHEMA long_ids TO long_ids_buyer;
SELECT inventory.grant_api('items', 'long_ids_buyer', 'buyer');
SET ROLE long_ids_buyer;
SELECT buy_item(NULL, id_of(1024));
\echo :SQLSTATE
RESET ROLE;
RESET request.jwt.claims;
SELECT attempt(format('SELECT buy_item(''u'', id_of(1024), 1, NULL, jsonb_build_object(''order_id'', id_of(%s)))', bytes)) FROM unnest(ARRAY[1024, 1025, 100000]) AS bytes;
SELECT problems();
DROP OWNED BY long_ids_buyer;
DROP ROLE long_ids_buyer;
SELECT inventory.detach('items');
DROP SCHEMA long_ids, long_ids_stock CASCADE;
