-- Test of hot items whose keys have a collation in which several spellings are one key.
\getenv abs_srcdir PG_ABS_SRCDIR
\set VERBOSITY terse
\pset format unaligned
\pset tuples_only on
CREATE SCHEMA hot_collation;
CREATE COLLATION hot_collation.caseless (provider = icu, locale = 'und-u-ks-level2', deterministic = false);
\set schema hot_collation
\set item_type 'text COLLATE hot_collation.caseless'
\set plain on
\set include :abs_srcdir '/sql/include/shop.sql'
\i :include
INSERT INTO items VALUES ('shirt', 100), ('shoe', 100);
SELECT inventory.attach('items', 'orders', ledger_schema => 'hot_collation_stock');
SELECT inventory.heat('items', 'shirt');
SELECT buy_item('u', 'shirt', 2) IS NOT NULL, buy_item('u', 'SHIRT', 3) IS NOT NULL;
SELECT count(*) FROM movements WHERE epoch IS NOT NULL;
SELECT inventory.heat('items', 'SHIRT');
SELECT status, item_id, quantity, available FROM buy_cart('u', '[{"item_id": "Shirt"}, {"item_id": "SHOE"}, {"item_id": "sHirt"}]');
SELECT item_id, available, hot FROM levels ORDER BY item_id;
SELECT inventory.cool('items', 'ShIrT');
SELECT item_id, available, hot FROM levels ORDER BY item_id;
SELECT * FROM inventory.verify('items');
DROP SCHEMA hot_collation, hot_collation_stock CASCADE;
