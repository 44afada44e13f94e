-- A store whose items have another owner now, and another store of the same name that the previous owner has: what is
-- done to one takes nothing of the other.
\set VERBOSITY terse
SET client_min_messages = warning;
CREATE ROLE namesake_vic;
CREATE ROLE namesake_mal;
CREATE SCHEMA namesake_a AUTHORIZATION namesake_vic;
CREATE SCHEMA namesake_l AUTHORIZATION namesake_vic;
CREATE SCHEMA namesake_b AUTHORIZATION namesake_vic;
SET ROLE namesake_vic;
CREATE TABLE namesake_a.items (id integer PRIMARY KEY, stock integer NOT NULL);
INSERT INTO namesake_a.items VALUES (1, 5);
SELECT inventory.attach('namesake_a.items', store_name => 'namesake', ledger_schema => 'namesake_l');
RESET ROLE;
ALTER TABLE namesake_a.items OWNER TO namesake_mal;
ALTER SCHEMA namesake_a OWNER TO namesake_mal;
SET ROLE namesake_vic;
CREATE TABLE namesake_b.items (id integer PRIMARY KEY, stock integer NOT NULL);
INSERT INTO namesake_b.items VALUES (1, 5);
SELECT inventory.attach('namesake_b.items', store_name => 'namesake', ledger_schema => 'namesake_b');
GRANT USAGE ON SCHEMA namesake_b TO PUBLIC;
RESET ROLE;

\echo functions that the new owner has dropped are not looked for among those of the other store
SET ROLE namesake_mal;
DROP FUNCTION namesake_a.buy_item;
DROP FUNCTION namesake_a.available_stock;
RESET ROLE;
SELECT inventory.refresh('namesake_a.items');
SELECT n.nspname, pg_get_userbyid(p.proowner) AS owner, count(*) > 5 AS several, count(*) FILTER (WHERE p.proname = 'buy_item') AS buy_item
FROM pg_proc AS p JOIN pg_namespace AS n ON n.oid = p.pronamespace
WHERE n.nspname LIKE 'namesake%' GROUP BY 1, 2 ORDER BY 1, 2;
SET ROLE namesake_vic;
SELECT namesake_b.buy_item('ann', 1, 1, order_data => '{"order_id": "1"}');
SET ROLE namesake_mal;
SELECT namesake_a.buy_item('ann', 1, 2, order_data => '{"order_id": "1"}');
DROP FUNCTION namesake_a.available_stock;
SELECT inventory.detach('namesake_a.items');
RESET ROLE;
SET ROLE namesake_vic;
SELECT namesake_b.available_stock(1);
RESET ROLE;
SELECT * FROM namesake_a.items;

SET client_min_messages = error;
DROP SCHEMA namesake_a, namesake_l, namesake_b CASCADE;
DROP ROLE namesake_vic, namesake_mal;
