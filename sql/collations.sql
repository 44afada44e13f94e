-- Tests of ids under collations that take several spellings for one id: users, items and
-- orders are compared as their columns are, in limits, keys, claims, holds and refunds.
\pset format unaligned
\pset tuples_only on
CREATE ROLE regress_collations_buyer;
CREATE SCHEMA collations;
CREATE COLLATION collations.caseless (provider = icu, locale = 'und-u-ks-level2', deterministic = false);
\set schema collations
\set item_type 'text COLLATE collations.caseless'
\set user_type 'text COLLATE collations.caseless'
\set limits on
\getenv abs_srcdir PG_ABS_SRCDIR
\set include :abs_srcdir '/sql/include/shop.sql'
\i :include
CREATE SEQUENCE numbers;
ALTER TABLE orders DROP id, ADD id text COLLATE caseless PRIMARY KEY DEFAULT 'O-' || nextval('numbers');
INSERT INTO items (id, stock, purchase_limit) VALUES ('Mug', 100, 2), ('Hat', 100, NULL), ('Tea', 1, 5);
SELECT inventory.attach('items', 'orders', ledger_schema => 'collations_stock', user_claim => 'sub');
SELECT inventory.grant_api('items', 'regress_collations_buyer', 'buyer');
GRANT USAGE ON SCHEMA collations TO regress_collations_buyer;
INSERT INTO seen SELECT max(movement_id), true FROM movements;
SELECT table_name, column_name, collation_name FROM information_schema.columns
WHERE table_schema = 'collations_stock' AND collation_name IS NOT NULL AND column_name <> 'key'
ORDER BY table_name COLLATE "C", column_name COLLATE "C";

-- a limit: one user, whatever the spelling, in purchases, carts and holds
SELECT buy_item('ann', 'Mug', 1);
SELECT attempt($$SELECT buy_item('ANN', 'mug', 2)$$);
SELECT attempt($$SELECT buy_cart('Ann', '[{"item_id": "MUG"}, {"item_id": "mug"}]')$$);
SELECT attempt($$SELECT reserve_stock('aNN', 'mug', 2)$$);
SELECT reserve_stock('aNN', 'mug', 1, '1 hour') AS hold \gset
SELECT attempt($$SELECT buy_item('ann', 'Mug')$$);
SELECT attempt($$SELECT buy_item('bob', 'Mug')$$);
SELECT look();

-- a hold is its user's
SELECT attempt(format('SELECT extend_reservation(%L, NULL, %L)', :'hold', 'bob'));
SELECT attempt(format('SELECT extend_reservation(%L, NULL, %L)', :'hold', 'ANN'));
SELECT release_reservation(:'hold', 'ann');
-- an overdue hold does not count against the limit
SELECT reserve_stock('ANN', 'mug', 1, '1 hour') AS hold \gset
UPDATE reservations SET expires_at = now() - interval '1 second' WHERE reservation_id = :'hold';
SELECT buy_item('ann', 'Mug');
SELECT expire_reservations();
SELECT look();

-- a key is its user's
SELECT buy_item('ann', 'Hat', 1, 'k'), buy_item('ANN', 'Hat', 1, 'k'), buy_item('bob', 'Hat', 1, 'k');
SELECT replayed, order_id FROM buy_cart('ann', '[{"item_id": "Hat"}]', 'k');
SELECT replayed, order_id FROM buy_cart('aNN', '[{"item_id": "Hat"}]', 'k');
SELECT user_id, operation, key FROM requests ORDER BY user_id, operation;

-- the user of a token
SET ROLE regress_collations_buyer;
SET request.jwt.claims = '{"sub": "CLEO"}';
SELECT collations.buy_item('cleo', 'Hat') IS NOT NULL;
SELECT collations.buy_item('dan', 'Hat');
RESET ROLE;
RESET request.jwt.claims;

-- refunds of one order, by several spellings of its key
SELECT buy_item('eve', 'Hat', 3) AS placed \gset
SELECT attempt(format('SELECT refund_order(%L, 2)', lower(:'placed')));
SELECT attempt(format('SELECT refund_order(%L, 2)', :'placed'));
SELECT attempt(format('SELECT refund_order(%L)', lower(:'placed')));
SELECT attempt(format('SELECT refund_order(%L)', :'placed'));
SELECT look();

-- overdue holds of an item, lines of one item in a cart and in a reservation, hot or cold
SELECT reserve_cart('eve', '[{"item_id": "tea"}]') AS hold \gset
SELECT attempt(format('SELECT change_reservation(%L, %L, 2)', :'hold', 'TEA'));
SELECT change_reservation(:'hold', 'TEA', 0) IS NOT NULL;
SELECT status, item_id, quantity FROM try_buy_cart('eve', '[{"item_id": "tea"}, {"item_id": "TEA"}]');
SELECT look();

-- a key that is unique in another way than its column compares is none
CREATE TABLE spellings (id text COLLATE caseless NOT NULL, code text NOT NULL, other varchar NOT NULL, stock integer);
CREATE UNIQUE INDEX ON spellings (id COLLATE "C");
CREATE UNIQUE INDEX ON spellings (code COLLATE caseless);
CREATE UNIQUE INDEX ON spellings (other text_pattern_ops);
INSERT INTO spellings VALUES ('abc', 'a', 'a', 10), ('ABC', 'b', 'b', 5);
SELECT attempt(format($$SELECT inventory.attach('spellings', item_id => %L)$$, name)) FROM unnest('{id,code,other}'::text[]) AS name;
CREATE UNIQUE INDEX ON spellings (other varchar_ops);
SELECT inventory.attach('spellings', item_id => 'other', api_schema => 'collations_stock');
SELECT inventory.detach('spellings');

-- the ledger of another store does not fit
SELECT inventory.detach('items');
ALTER TABLE orders ALTER user_id TYPE text COLLATE "C";
SELECT error($$SELECT inventory.attach('items', 'orders', ledger_schema => 'collations_stock')$$);
ALTER TABLE movements ALTER user_id TYPE text COLLATE "C";
ALTER TABLE reservations ALTER user_id TYPE text COLLATE "C";
ALTER TABLE requests ALTER user_id TYPE text COLLATE "C";
ALTER TABLE order_changes ALTER user_before TYPE text COLLATE "C", ALTER user_after TYPE text COLLATE "C";
SELECT inventory.attach('items', 'orders', ledger_schema => 'collations_stock');
SELECT attempt($$SELECT buy_item('Eve', 'Hat', 1, 'k')$$);
-- its owner changes a column of it
ALTER TABLE requests ALTER user_id TYPE text;
SELECT error($$SELECT buy_item('Eve', 'Hat', 1, 'k')$$);
ALTER TABLE requests ALTER user_id TYPE text COLLATE "C";
SELECT attempt($$SELECT buy_item('Eve', 'Hat', 1, 'k')$$);
SELECT look();
DROP SCHEMA collations, collations_stock CASCADE;
DROP ROLE regress_collations_buyer;
