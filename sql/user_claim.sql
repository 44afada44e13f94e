-- Tests of user_claim: a role with only the buyer grant buys as the user of its token and
-- as no other user.
\pset format unaligned
\pset tuples_only on
CREATE ROLE regress_claim_owner; CREATE ROLE regress_claim_buyer; CREATE ROLE regress_claim_hook; CREATE ROLE regress_claim_both;
CREATE SCHEMA user_claim;
CREATE SCHEMA user_claim_stock;
GRANT ALL ON SCHEMA user_claim, user_claim_stock TO regress_claim_owner;
GRANT USAGE ON SCHEMA user_claim, user_claim_stock TO PUBLIC;
SET ROLE regress_claim_owner;
\set schema user_claim
\set user_type bigint
\set limits on
\getenv abs_srcdir PG_ABS_SRCDIR
\set include :abs_srcdir '/sql/include/shop.sql'
\i :include
INSERT INTO items (id, stock, purchase_limit) VALUES (1, 100, NULL), (2, 100, 2);
SELECT inventory.attach('items', 'orders', ledger_schema => 'user_claim_stock', user_claim => 'sub');
SELECT inventory.grant_api('items', 'regress_claim_buyer', 'buyer');
SELECT inventory.grant_api('items', 'regress_claim_hook', 'operator');
SELECT inventory.grant_api('items', 'regress_claim_both', 'buyer');
SELECT inventory.grant_api('items', 'regress_claim_both', 'operator');
RESET ROLE;
CREATE FUNCTION attempt(claims text, call text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	answer text;
BEGIN
	PERFORM set_config('request.jwt.claims', claims, true);
	EXECUTE 'SELECT ' || call INTO answer;
	RETURN 'order of ' || coalesce((SELECT o.user_id::text FROM orders AS o WHERE o.id = answer::bigint), 'nobody');
EXCEPTION WHEN OTHERS THEN
	RETURN SQLSTATE || ' ' || SQLERRM;
END
$$;
GRANT SELECT ON orders TO PUBLIC;

-- tokens that are missing, malformed, or without the claim
SET ROLE regress_claim_buyer;
SELECT claims, attempt(claims, 'buy_item(7, 1)') FROM (VALUES
	(''), ('{}'), ('{"sub": "7"}'), ('{"sub": 7}'), ('{"sub": "8"}'), ('{"sub": null}'), ('{"sub": ["7"]}'), ('{"sub": {"x": 7}}'),
	('{"sub": true}'), ('{"sub": "x"}'), ('{"sub": ""}'), ('{"SUB": "7"}'), ('{"a": {"sub": "7"}}'), ('["sub", "7"]'), ('"sub"'), ('7'),
	('null'), ('{"sub": "8", "sub": "7"}'), ('{"sub": "7"'), ('{"sub": " 7 "}'), ('{"sub": "7; DROP TABLE items"}'), ('{"sub": 7.0}')
) AS v(claims);
-- the claim is the default of user_id
SELECT attempt('{"sub": "7"}', 'buy_item(item_id => 1)');
SELECT attempt('{"sub": "7"}', 'buy_item(NULL, 1)');
SELECT attempt('{"sub": "7"}', 'buy_item(7)');
SELECT attempt('', 'buy_item(item_id => 1)');
SELECT attempt('{"sub": "7"}', 'order_id FROM buy_cart(lines => ''[{"item_id": 1}]'')');
SELECT attempt('{"sub": "7"}', 'order_id FROM try_buy_cart(7, ''[{"item_id": 1}]'')');
SELECT attempt('{"sub": "7"}', 'order_id FROM try_buy_item(item_id => 1)');
SELECT attempt('{"sub": "7"}', 'order_id FROM try_buy_item(8, 1)');
SELECT attempt('{"sub": "7"}', 'order_id FROM buy_cart(8, ''[{"item_id": 1}]'')');
SELECT attempt('{"sub": "7"}', 'order_id FROM try_buy_cart(8, ''[{"item_id": 1}]'')');
-- reading needs no user
SELECT available_stock(1) > 0;
-- limits and keys are those of the claimed user
SELECT attempt('{"sub": "7"}', 'buy_item(7, 2, 2)');
SELECT attempt('{"sub": "7"}', 'buy_item(NULL, 2)');
SELECT attempt('{"sub": "7"}', 'buy_item(NULL, 1, 1, ''k'')');
SELECT attempt('{"sub": "7"}', 'buy_item(7, 1, 1, ''k'')');
SELECT attempt('{"sub": "8"}', 'buy_item(NULL, 1, 1, ''k'')');
SELECT attempt('{"sub": "8"}', 'buy_item(7, 1, 1, ''k'')');

-- operators are exempt, because a webhook has no token, or one of its own
SET ROLE regress_claim_hook;
SELECT attempt('{"sub": "7"}', 'buy_item(9, 1)');
SET ROLE regress_claim_both;
SELECT attempt('', 'buy_item(9, 1)');
SELECT attempt('{"sub": "7"}', 'buy_item(9, 1)');
SELECT attempt('{"sub": "7"}', 'buy_item(NULL, 1)');
SELECT attempt('', 'buy_item(item_id => 1)');
SET ROLE regress_claim_owner;
SELECT attempt('', 'buy_item(9, 1)');
RESET ROLE;

-- a SECURITY DEFINER function of the owner does not exempt the buyer that calls it
CREATE FUNCTION on_behalf(u bigint) RETURNS bigint LANGUAGE plpgsql SECURITY DEFINER SET search_path = user_claim, pg_temp
	AS 'BEGIN RETURN buy_item(u, 1); END';
-- nor does a function that has the name of an operator function
CREATE FUNCTION user_claim_stock.restock_item(bigint) RETURNS integer LANGUAGE sql AS 'SELECT 1';
SET ROLE regress_claim_buyer;
SELECT attempt('{"sub": "7"}', 'on_behalf(8)');
SELECT attempt('{"sub": "7"}', 'on_behalf(7)');
RESET ROLE;
SELECT user_id, count(*), string_agg(DISTINCT actor, ', ' ORDER BY actor) FROM user_claim_stock.movements
	WHERE kind = 'sale' GROUP BY user_id ORDER BY user_id;

\pset tuples_only off
SELECT * FROM inventory.verify('items');
DROP SCHEMA user_claim, user_claim_stock CASCADE;
DROP ROLE regress_claim_owner, regress_claim_buyer, regress_claim_hook, regress_claim_both;
