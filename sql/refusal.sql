-- Tests of refusals: they take no transaction id and no row lock, and are the same whether
-- the engine reads by the indexes or, where no index fits, by a query.
\set VERBOSITY terse
\set schema refusal
\set item_type text
\set stock_type smallint
\set limits on
\getenv abs_srcdir PG_ABS_SRCDIR
\set include :abs_srcdir '/sql/include/shop.sql'
\i :include
RESET client_min_messages;
ALTER TABLE items ALTER purchase_limit TYPE bigint;
INSERT INTO items VALUES
	('gone', 0, NULL, NULL), ('floor', 5, 5, NULL), ('debt', -2, -3, NULL), ('free', NULL, NULL, NULL),
	('held', 2, 0, NULL), ('limited', 9, 0, 1);
SELECT inventory.attach('items', 'orders', ledger_schema => 'refusal_ledger');

-- every call twice, because after a refusal the next call reads before it writes;
-- `untouched` if there is still no transaction id and no row lock
CREATE FUNCTION answers() RETURNS TABLE (call text, first text, second text, untouched boolean)
LANGUAGE plpgsql AS $$
BEGIN
	FOREACH call IN ARRAY ARRAY[
		$c$SELECT status, available FROM try_buy_cart('ada', '[{"item_id": "gone"}]')$c$,
		$c$SELECT status, available FROM try_buy_cart('ada', '[{"item_id": "floor"}]')$c$,
		$c$SELECT status, available FROM try_buy_cart('ada', '[{"item_id": "debt", "quantity": 2}]')$c$,
		$c$SELECT status, available FROM try_buy_cart('ada', '[{"item_id": "nothing"}]')$c$,
		$c$SELECT status, available FROM try_buy_cart('ada', '[{"item_id": "held", "quantity": 3}]')$c$,
		$c$SELECT status, available FROM try_buy_cart('ada', '[{"item_id": "limited", "quantity": 2}]')$c$]
	LOOP
		EXECUTE format('SELECT q::text FROM (%s) AS q', call) INTO first;
		EXECUTE format('SELECT q::text FROM (%s) AS q', call) INTO second;
		untouched := pg_current_xact_id_if_assigned() IS NULL
			AND NOT EXISTS (SELECT FROM items WHERE xmax <> '0');
		RETURN NEXT;
	END LOOP;
END $$;
VACUUM FREEZE items;
\set calls 'SELECT * FROM answers();'
:calls
SET inventory.strategy = 'pessimistic';
:calls
SET inventory.strategy = 'optimistic';
:calls
RESET inventory.strategy;

-- refused, then restocked, then sold
SELECT buy_item('ada', 'gone');
UPDATE items SET stock = 1 WHERE id = 'gone';
SELECT buy_item('ada', 'gone') AS sold;
SELECT buy_item('ada', 'gone');

-- units of overdue holds are sold, and a call that reads first sees them
SELECT reserve_stock('bob', 'held', 2) IS NOT NULL AS held;
SELECT buy_item('ada', 'held');
SELECT status, available FROM try_buy_cart('ada', '[{"item_id": "held"}]');
UPDATE refusal_ledger.reservations SET created_at = now() - interval '2 days', expires_at = now() - interval '1 day';
SELECT status, available FROM try_buy_cart('ada', '[{"item_id": "held", "quantity": 3}]');
SELECT buy_item('ada', 'held') AS sold;
SELECT stock FROM items WHERE id = 'held';

-- without an index that fits, the answers are the same
CREATE TABLE before AS SELECT * FROM answers();
CREATE FUNCTION same() RETURNS boolean LANGUAGE sql AS $$
	SELECT count(*) = 0 FROM (SELECT call, first, second FROM answers() EXCEPT SELECT call, first, second FROM before) AS x $$;
SELECT reserve_stock('bob', 'held', 1) IS NOT NULL AS held;
UPDATE refusal_ledger.reservations SET created_at = now() - interval '2 days', expires_at = now() - interval '1 day'
	WHERE status = 'held';
UPDATE before SET (first, second, untouched) = (a.first, a.second, a.untouched) FROM answers() AS a WHERE a.call = before.call;
SELECT first FROM before WHERE call LIKE '%held%';
DO $$
DECLARE
	name text;
BEGIN
	FOR name IN SELECT indexrelid::regclass FROM pg_index
		WHERE indrelid = 'refusal_ledger.reservations'::regclass AND NOT indisprimary LOOP
		EXECUTE format('DROP INDEX %s', name);
	END LOOP;
END $$;
SELECT same();
CREATE INDEX ON refusal_ledger.reservations (item_id, expires_at) WHERE status = 'held' AND quantity > 1;
SELECT same();
CREATE INDEX ON refusal_ledger.reservations (item_id COLLATE "C", expires_at) WHERE status = 'held';
SELECT same();
CREATE INDEX ON refusal_ledger.reservations (item_id, expires_at DESC) WHERE status IN ('held', 'confirmed');
SELECT same();
SELECT buy_item('ada', 'held') AS sold;
ALTER TABLE items DROP CONSTRAINT items_pkey;
CREATE UNIQUE INDEX ON items (id COLLATE "C");
SELECT buy_item('ada', 'gone');
CREATE UNIQUE INDEX ON items (id) WHERE live;
SELECT buy_item('ada', 'gone');
SELECT * FROM inventory.verify('items');

SELECT inventory.detach('items');
SET client_min_messages = warning;
DROP SCHEMA refusal_ledger, refusal CASCADE;
