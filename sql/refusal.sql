-- A refusal costs a look: no transaction id and no row lock; and it is the same
-- whether the look is by the indexes or, where there is none that fits, by a query.
\set VERBOSITY terse
CREATE SCHEMA refusal;
SET search_path = refusal;
CREATE TABLE items (
	id text PRIMARY KEY, stock smallint, stock_floor int, purchase_limit bigint, version int NOT NULL DEFAULT 0,
	live boolean NOT NULL DEFAULT true);
CREATE TABLE orders (
	id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, user_id text, item_id text NOT NULL, quantity int NOT NULL);
INSERT INTO items VALUES
	('gone', 0, NULL, NULL), ('floor', 5, 5, NULL), ('debt', -2, -3, NULL), ('free', NULL, NULL, NULL),
	('held', 2, 0, NULL), ('limited', 9, 0, 1);
SELECT inventory.attach('items', 'orders', ledger_schema => 'refusal_ledger');

-- every call twice, because who was refused looks first; then the transaction is as if
-- nothing had been called
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

-- refused, then supplied, then sold
SELECT buy_item('ada', 'gone');
UPDATE items SET stock = 1 WHERE id = 'gone';
SELECT buy_item('ada', 'gone') AS sold;
SELECT buy_item('ada', 'gone');

-- overdue holds are there for who is short, and are seen by who looks first
SELECT reserve_stock('bob', 'held', 2) IS NOT NULL AS held;
SELECT buy_item('ada', 'held');
SELECT status, available FROM try_buy_cart('ada', '[{"item_id": "held"}]');
UPDATE refusal_ledger.reservations SET created_at = now() - interval '2 days', expires_at = now() - interval '1 day';
SELECT status, available FROM try_buy_cart('ada', '[{"item_id": "held", "quantity": 3}]');
SELECT buy_item('ada', 'held') AS sold;
SELECT stock FROM items WHERE id = 'held';

-- without an index that fits
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
