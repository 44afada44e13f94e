-- Tests of inventory.keep_cold: the item does not become hot, and what buys it can be prepared.
\set VERBOSITY default
\set SHOW_CONTEXT never
SET client_min_messages = warning;
CREATE SCHEMA keep_cold;
SET search_path = keep_cold, keep_cold_stock;
CREATE TABLE items (id text PRIMARY KEY, stock int);
CREATE TABLE orders (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, user_id text, item_id text, quantity int NOT NULL);
INSERT INTO items VALUES ('a', 10), ('b''s', 10), ('pdf', NULL);
SELECT inventory.attach('items', 'orders', ledger_schema => 'keep_cold_stock');
CREATE VIEW state AS SELECT i.id, i.stock, h.hot, h.incarnation, h.keep_cold FROM items AS i LEFT JOIN hot AS h ON h.item_id = i.id;

\echo '-- an item that is hot is cooled, and can be prepared at every level'
SELECT inventory.heat('items', 'a');
SELECT buy_item('ann', 'a');
SELECT inventory.keep_cold('items', 'a');
SELECT inventory.keep_cold('items', 'a');
SELECT * FROM state ORDER BY id;
BEGIN ISOLATION LEVEL SERIALIZABLE;
SELECT buy_item('ann', 'a', 2);
PREPARE TRANSACTION 'keep_cold_1';
COMMIT PREPARED 'keep_cold_1';
SELECT inventory.heat('items', 'a');
BEGIN;
SELECT reserve_stock('ann', 'a', 2) IS NOT NULL AS held;
PREPARE TRANSACTION 'keep_cold_2';
ROLLBACK PREPARED 'keep_cold_2';

\echo '-- one that was never hot; allowed again'
SELECT inventory.keep_cold('items', 'b''s');
SELECT inventory.heat('items', 'b''s');
SELECT inventory.keep_cold('keep_cold.items', 'b''s', false);
SELECT inventory.heat('items', 'b''s');
SELECT buy_item('ann', 'b''s');
BEGIN;
SELECT buy_item('ann', 'b''s');
PREPARE TRANSACTION 'keep_cold_3';
BEGIN;
SELECT buy_item('ann', 'b''s');
SELECT inventory.keep_cold('items', 'b''s');
ROLLBACK;
BEGIN;
SELECT inventory.keep_cold('items', 'a', false), inventory.heat('items', 'a');
ROLLBACK;
SELECT inventory.cool('items');
SELECT * FROM state ORDER BY id;

\echo '-- a hot item whose counter is counted again is sold by the counter after keep_cold(..., false)'
INSERT INTO items VALUES ('c', 10);
SELECT inventory.heat('items', 'c');
SELECT buy_item('ann', 'c', 9) > 0 AS sold;
ALTER TABLE items SET (fillfactor = 90);
BEGIN;
SELECT inventory.keep_cold('items', 'c', false);
SELECT buy_item('ann', 'c', 5);
ROLLBACK;
SELECT inventory.cool('items', 'c');

\echo '-- it stays so when the store is attached again'
SELECT inventory.detach('items');
SELECT inventory.attach('items', 'orders', ledger_schema => 'keep_cold_stock');
SELECT inventory.refresh('items');
\set VERBOSITY terse
SELECT inventory.heat('items', 'a');

\echo '-- a ledger that an earlier version made, without the column, is completed by refresh, and by attach'
ALTER TABLE hot DROP COLUMN keep_cold CASCADE;
SELECT inventory.refresh('items');
SELECT inventory.heat('items', 'a');
SELECT inventory.keep_cold('items', 'a');
SELECT inventory.detach('items');
ALTER TABLE hot DROP COLUMN keep_cold;
SELECT inventory.attach('items', 'orders', ledger_schema => 'keep_cold_stock');
CREATE VIEW state AS SELECT i.id, i.stock, h.hot, h.incarnation, h.keep_cold FROM items AS i LEFT JOIN hot AS h ON h.item_id = i.id;
SELECT * FROM state ORDER BY id;
SELECT inventory.keep_cold('items', 'a');
SELECT inventory.heat('items', 'a');

\echo '-- wrong arguments'
SELECT inventory.keep_cold('items', 'none');
SELECT inventory.keep_cold('items', 'none', false);
SELECT inventory.keep_cold('items', 'pdf');
SELECT inventory.keep_cold('items', NULL);
SELECT inventory.keep_cold('items', 'a', NULL);
SELECT inventory.keep_cold('orders', 'a');
SELECT inventory.keep_cold(NULL, 'a');
BEGIN READ ONLY;
SELECT inventory.keep_cold('items', 'a');
ROLLBACK;
CREATE ROLE keep_cold_buyer;
SELECT inventory.grant_api('items', 'keep_cold_buyer', 'buyer');
GRANT USAGE ON SCHEMA keep_cold TO keep_cold_buyer;
SET ROLE keep_cold_buyer;
SELECT inventory.keep_cold('keep_cold.items', 'a', false);
RESET ROLE;
SELECT * FROM state ORDER BY id;
SELECT * FROM inventory.verify('items');
DROP SCHEMA keep_cold, keep_cold_stock CASCADE;
DROP ROLE keep_cold_buyer;
