-- Tests of user_claim with reservations: a role with only the buyer grant sees and changes
-- the reservations of its own user, a role with the operator grant those of all users.
\pset format unaligned
\pset tuples_only on
CREATE ROLE regress_holds_owner; CREATE ROLE regress_holds_buyer; CREATE ROLE regress_holds_hook; CREATE ROLE regress_holds_both; CREATE ROLE regress_holds_none;
CREATE SCHEMA hold_claims;
CREATE SCHEMA hold_claims_stock;
GRANT ALL ON SCHEMA hold_claims, hold_claims_stock TO regress_holds_owner;
GRANT USAGE ON SCHEMA hold_claims, hold_claims_stock TO PUBLIC;
SET ROLE regress_holds_owner;
\set schema hold_claims
\set user_type bigint
\set limits on
\getenv abs_srcdir PG_ABS_SRCDIR
\set include :abs_srcdir '/sql/include/shop.sql'
\i :include
INSERT INTO items (id, stock, purchase_limit) VALUES (1, 100, NULL), (2, 100, 2);
SELECT inventory.attach('items', 'orders', ledger_schema => 'hold_claims_stock', user_claim => 'sub');
SELECT inventory.grant_api('items', 'regress_holds_buyer', 'buyer');
SELECT inventory.grant_api('items', 'regress_holds_hook', 'operator');
SELECT inventory.grant_api('items', 'regress_holds_both', 'buyer');
SELECT inventory.grant_api('items', 'regress_holds_both', 'operator');
RESET ROLE;
CREATE FUNCTION attempt(claims text, call text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	answer text;
BEGIN
	PERFORM set_config('request.jwt.claims', claims, true);
	EXECUTE 'SELECT ' || call INTO answer;
	RETURN CASE WHEN answer ~ '^[0-9a-f]{8}-' THEN 'a reservation' WHEN answer ~ '^\w{3} \w{3} \d' THEN 'a time' ELSE answer END;
EXCEPTION WHEN OTHERS THEN
	RETURN SQLSTATE || ' ' || regexp_replace(SQLERRM, '[0-9a-f-]{36}', '<id>');
END
$$;
-- a reservation of user 7, and one without a user, which only operators can make here
SET ROLE regress_holds_both;
SELECT reserve_cart(7, '[{"item_id": 1, "quantity": 2}]') AS of_7, reserve_stock(NULL, 1) AS of_nobody \gset

\echo '-- a new reservation belongs to the user of the token'
SET ROLE regress_holds_buyer;
SELECT attempt('{"sub": "8"}', 'reserve_stock(8, 1)');
SELECT attempt('{"sub": "8"}', 'reserve_stock(item_id => 1)');
SELECT attempt('{"sub": "8"}', 'reserve_stock(7, 1)');
SELECT attempt('', 'reserve_stock(8, 1)');
SELECT attempt('{"sub": "8"}', 'reserve_cart(lines => ''[{"item_id": 1}]'')');
SELECT attempt('{"sub": "8"}', 'reserve_cart(7, ''[{"item_id": 1}]'')');
SELECT attempt('{"sub": "8"}', 'status FROM try_reserve_cart(lines => ''[{"item_id": 1}]'')');
SELECT attempt('{"sub": "8"}', 'status FROM try_reserve_cart(7, ''[{"item_id": 1}]'')');
SELECT attempt('{"sub": "8"}', 'status FROM try_reserve_cart(lines => ''[{"item_id": 2, "quantity": 3}]'')');
SELECT attempt('{"sub": "8"}', 'reserve_stock(item_id => 2, quantity => 2)');
SELECT attempt('{"sub": "8"}', 'reserve_stock(item_id => 2)');
SELECT attempt('{"sub": "8"}', 'reserve_stock(user_id => 9, item_id => 2)');

\echo '-- reservations of another user, and without a user, are not found'
SELECT claims, template, attempt(claims, format(template, :'of_7')), attempt(claims, format(template, :'of_nobody')) FROM (VALUES
	(1, 'get_reservation(%L)'), (2, 'change_reservation(%L, 1, 5)'), (3, 'change_reservation(%L, 1, 0)'), (4, 'extend_reservation(%L)'),
	(5, 'confirm_reservation(%L)'), (6, 'release_reservation(%L)'), (7, 'release_reservation(%L, 7)'), (8, 'confirm_reservation(%L, 8)')
) AS c(n, template), (VALUES ('{"sub": "8"}'), ('')) AS u(claims) ORDER BY claims DESC, n;
\echo '-- the answer to an unknown reservation is the same'
SELECT attempt('{"sub": "8"}', 'get_reservation(''00000000-0000-0000-0000-000000000000'')');
\echo '-- the user''s own reservation'
SELECT template, attempt('{"sub": "7"}', format(template, :'of_7')) FROM (VALUES
	(1, 'status || item_id || quantity FROM get_reservation(%L)'), (2, 'change_reservation(%L, 1, 3)'), (3, 'change_reservation(%L, 1, 4, 7)'),
	(4, 'extend_reservation(%L, ''1 h'')'), (5, 'extend_reservation(%L, NULL, 8)'), (6, 'status FROM confirm_reservation(%L, 7)'),
	(7, 'status FROM confirm_reservation(%L)'), (8, 'release_reservation(%L)')
) AS c(n, template) ORDER BY n;
SELECT attempt('{"sub": "7"}', 'reserve_stock(7, 1)');
RESET ROLE;
SELECT reservation_id AS of_7 FROM reservations WHERE user_id = 7 AND status = 'held' \gset
SET ROLE regress_holds_buyer;
SELECT attempt('{"sub": "7"}', format('release_reservation(%L)', :'of_7')), attempt('{"sub": "7"}', format('release_reservation(%L)', :'of_7'));

\echo '-- operators reach all reservations, with or without a token; user_id, if given, must match'
SET ROLE regress_holds_both;
SELECT reserve_stock(7, 1) AS of_7 \gset
SELECT attempt('', format('status FROM get_reservation(%L)', :'of_7'));
SELECT attempt('{"sub": "8"}', format('extend_reservation(%L)', :'of_7'));
SELECT attempt('', format('change_reservation(%L, 1, 2, 8)', :'of_7'));
SELECT attempt('', format('change_reservation(%L, 1, 2, 7)', :'of_7'));
SELECT attempt('{"sub": "8"}', format('status FROM confirm_reservation(%L)', :'of_7'));
SELECT attempt('', format('status FROM confirm_reservation(%L)', :'of_nobody'));
SELECT attempt('', 'refund_order(1, 1)');

\echo '-- each grant covers its own functions'
SET ROLE regress_holds_buyer;
SELECT attempt('{"sub": "7"}', 'refund_order(1)');
SELECT attempt('{"sub": "7"}', 'expire_reservations()');
SELECT attempt('{"sub": "7"}', 'prune(''1 day'')');
SELECT attempt('{"sub": "7"}', 'close_ledger(now())');
SELECT attempt('{"sub": "7"}', 'count(*) FROM reservations');
SET ROLE regress_holds_hook;
SELECT attempt('', format('confirm_reservation(%L)', :'of_7'));
SELECT attempt('', 'refund_order(1)');
SELECT attempt('', 'expire_reservations()');
SELECT attempt('', 'prune(''1 day'')');
SELECT attempt('', 'close_ledger(''2000-01-01'')');
SELECT attempt('', 'count(*) FROM reservations');
SET ROLE regress_holds_none;
SELECT attempt('{"sub": "7"}', 'reserve_stock(7, 1)');
SELECT attempt('{"sub": "7"}', format('get_reservation(%L)', :'of_7'));
\echo '-- only the owner can call the functions of the engine'
SELECT attempt('{"sub": "7"}', 'inventory.reserve_stock(''hold_claims.items'', 7::bigint, 1::bigint, 1, NULL, NULL, NULL)');
SELECT attempt('{"sub": "7"}', format('inventory.release_reservation(''hold_claims.items'', %L, 7)', :'of_7'));
SELECT attempt('{"sub": "7"}', 'inventory.refund_order(''hold_claims.items'', 1, 1, true, NULL, NULL, 1)');
SELECT attempt('{"sub": "7"}', 'inventory.close_ledger(''hold_claims.items'', now())');
RESET ROLE;
SELECT kind, user_id, string_agg(DISTINCT actor, ' ' ORDER BY actor) FROM movements WHERE kind <> 'opening' GROUP BY 1, 2 ORDER BY 1, 2;
SELECT * FROM inventory.verify('items');
\pset tuples_only off
DROP SCHEMA hold_claims, hold_claims_stock CASCADE;
DROP ROLE regress_holds_owner, regress_holds_buyer, regress_holds_hook, regress_holds_both, regress_holds_none;
