-- Tests of my_reservations: the lines of a user's open holds, and of no other user's.
\pset format unaligned
\pset tuples_only on
\set schema my_reservations
\set item_type smallint
\set stock_type smallint
\getenv abs_srcdir PG_ABS_SRCDIR
\set include :abs_srcdir '/sql/include/shop.sql'
\i :include
CREATE ROLE regress_my_buyer; CREATE ROLE regress_my_operator;
INSERT INTO items (id, stock) VALUES (1, 100), (2, 100), (3, NULL), (4, 100);
SELECT inventory.attach('items', 'orders', ledger_schema => 'my_reservations_stock');
\set include :abs_srcdir '/sql/include/no_worker.sql'
\i :include
SELECT inventory.heat('items', 2);
SELECT reserve_stock('ada', 1, 3, '30 minutes') AS one \gset
SELECT reserve_cart('ada', '[{"item_id": 2, "quantity": 2}, {"item_id": 1}, {"item_id": 3}]', '20 minutes') AS two \gset
SELECT reserve_stock('ada', 1, 4, '1 microsecond') AS overdue \gset
SELECT reserve_stock('ada', 1, 5) AS released \gset
SELECT reserve_stock('ada', 1, 6) AS confirmed \gset
SELECT reserve_stock('ben', 1, 7) AS other \gset
SELECT reserve_stock(NULL, 1, 8) AS guest \gset
SELECT release_reservation(:'released'), (SELECT status FROM confirm_reservation(:'confirmed'));

CREATE VIEW named AS SELECT * FROM (VALUES (:'one'::uuid, 'one'), (:'two', 'two'), (:'overdue', 'overdue'), (:'other', 'other'), (:'guest', 'guest')) AS n(id, name);
SELECT n.name, m.item_id, m.quantity, (SELECT max(g.expires_at) FROM get_reservation(m.reservation_id) AS g) = m.expires_at AS same_end
	FROM my_reservations('ada') AS m JOIN named AS n ON n.id = m.reservation_id;
SELECT n.name, m.item_id, m.quantity FROM my_reservations(user_id => 'ben') AS m JOIN named AS n ON n.id = m.reservation_id;
SELECT count(*) FROM my_reservations('nobody');
SELECT count(*) FROM my_reservations('');
-- guests have reservation ids and nothing else
SELECT my_reservations(NULL);
\echo :SQLSTATE
SELECT pg_typeof(reservation_id), pg_typeof(item_id), pg_typeof(quantity), pg_typeof(expires_at) FROM my_reservations('ben');

-- it follows changes of a hold, also those of this transaction, and forgets a line that was removed
SELECT change_reservation(:'two', 1, 0) IS NOT NULL, change_reservation(:'two', 4, 9) IS NOT NULL, extend_reservation(:'one', '10 hours') IS NOT NULL;
BEGIN;
SELECT release_reservation(:'one');
SELECT n.name, m.item_id, m.quantity FROM my_reservations('ada') AS m JOIN named AS n ON n.id = m.reservation_id;
ROLLBACK;
SELECT n.name, m.item_id, m.quantity FROM my_reservations('ada') AS m JOIN named AS n ON n.id = m.reservation_id;

-- rights; without user_claim a role with the grant for buyers asks for any user, as the application does
SELECT inventory.grant_api('items', 'regress_my_buyer', 'buyer'), inventory.grant_api('items', 'regress_my_operator', 'operator');
GRANT USAGE ON SCHEMA my_reservations TO regress_my_operator;
SET ROLE regress_my_operator;
SELECT count(*) FROM my_reservations('ada');
\echo :SQLSTATE
SET ROLE regress_my_buyer;
SELECT count(*) FROM my_reservations('ada');
SELECT count(*) FROM inventory.my_reservations('my_reservations.items', 'ada'::text, NULL::my_reservations_stock.open_hold);
\echo :SQLSTATE
RESET ROLE;
BEGIN READ ONLY;
SELECT count(*) FROM my_reservations('ada');
COMMIT;
SELECT * FROM inventory.verify('items');
SELECT inventory.cool('items', 2);
SELECT inventory.detach('items');

-- with user_claim, a buyer sees what his token says; an operator names a user
SELECT inventory.attach('items', 'orders', ledger_schema => 'my_reservations_stock', user_claim => 'sub');
SELECT inventory.grant_api('items', 'regress_my_buyer', 'buyer'), inventory.grant_api('items', 'regress_my_operator', 'operator'),
	inventory.grant_api('items', 'regress_my_operator', 'buyer');
SET ROLE regress_my_buyer;
SELECT count(*) FROM my_reservations();
\echo :SQLSTATE
SET request.jwt.claims = '{"sub": "ada"}';
SELECT count(*) FROM my_reservations();
SELECT count(*) FROM my_reservations('ada');
SELECT count(*) FROM my_reservations('ben');
\echo :SQLSTATE
SET ROLE regress_my_operator;
SELECT count(*) FROM my_reservations('ben');
SELECT count(*) FROM my_reservations();
\echo :SQLSTATE
RESET ROLE;
RESET request.jwt.claims;
SET client_min_messages = warning;
DROP SCHEMA my_reservations, my_reservations_stock CASCADE;
DROP ROLE regress_my_buyer, regress_my_operator;
