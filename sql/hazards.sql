-- Tests of changes that affect rows written and read without a statement: of domains,
-- savepoints, partitions, indexes, names, and triggers of a third party.
\set VERBOSITY terse
CREATE ROLE hazards_owner; CREATE ROLE hazards_guest;
CREATE SCHEMA hazards AUTHORIZATION hazards_owner;
CREATE SCHEMA hazards_stock AUTHORIZATION hazards_owner;
GRANT USAGE ON SCHEMA hazards, hazards_stock TO PUBLIC;
GRANT CREATE ON SCHEMA hazards TO hazards_guest;
SET ROLE hazards_owner;
\set schema hazards
\set item_type integer
\set plain on
\getenv abs_srcdir PG_ABS_SRCDIR
\set include :abs_srcdir '/sql/include/shop.sql'
\i :include
INSERT INTO items SELECT n, 100 FROM generate_series(1, 5) n;
SELECT inventory.attach('items', 'orders', ledger_schema => 'hazards_stock');

-- a changed domain does not invalidate what a session knows
CREATE DOMAIN code AS text;
ALTER TABLE orders ADD COLUMN c text DEFAULT 'abc'::text::code, ADD COLUMN d code DEFAULT 'abc';
SELECT buy_item('ann', 1) > 0 AS sold;
ALTER DOMAIN code ADD CHECK (VALUE <> 'abc') NOT VALID;
SELECT buy_item('ann', 1);
ALTER TABLE orders DROP COLUMN d;
SELECT buy_item('ann', 1);
ALTER DOMAIN code DROP CONSTRAINT code_check;
SELECT buy_item('ann', 1) > 0 AS sold;
ALTER DOMAIN code ADD CHECK (VALUE <> 'abc') NOT VALID;
SELECT buy_item('ann', 1);
ALTER TABLE orders DROP COLUMN c;

-- constraints and generated columns that read tableoid
ALTER TABLE orders ADD COLUMN tab regclass GENERATED ALWAYS AS (tableoid::regclass) STORED, ADD CHECK (tableoid = 'orders'::regclass);
SELECT buy_item('ann', 1) > 0 AS sold;
SELECT tab FROM orders ORDER BY id DESC LIMIT 1;

-- a lock that a rollback to a savepoint released is taken again before the sale is booked
CREATE FUNCTION buys_and_undoes() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	IF NEW.user_id = 'ann' THEN
		BEGIN
			PERFORM buy_item('bob', 2);
			RAISE EXCEPTION 'undo';
		EXCEPTION WHEN raise_exception THEN NULL;
		END;
	END IF;
	RETURN NEW;
END $$;
CREATE FUNCTION shows_locks() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	RAISE INFO '% is locked in %', TG_TABLE_NAME, (SELECT string_agg(mode, ', ') FROM pg_locks
		WHERE pid = pg_backend_pid() AND relation = TG_RELID AND mode <> 'AccessShareLock');
	RETURN NULL;
END $$;
CREATE TRIGGER buys_and_undoes BEFORE INSERT ON orders FOR EACH ROW EXECUTE FUNCTION buys_and_undoes();
CREATE TRIGGER shows_locks AFTER INSERT ON hazards_stock.movements FOR EACH ROW EXECUTE FUNCTION shows_locks();
SELECT buy_item('ann', 1) > 0 AS sold;
DROP TRIGGER buys_and_undoes ON orders;
DROP TRIGGER shows_locks ON hazards_stock.movements;

-- a default of the ledger sees the change that is being booked
CREATE FUNCTION total() RETURNS bigint STABLE LANGUAGE sql AS 'SELECT sum(stock) FROM hazards.items';
ALTER TABLE hazards_stock.movements ADD COLUMN total bigint DEFAULT total();
UPDATE items SET stock = 7 WHERE id = 5;
SELECT buy_item('ann', 5, 2) > 0 AS sold;
SELECT m.delta, m.kind, m.total - total() AS sold_since FROM hazards_stock.movements AS m ORDER BY m.movement_id DESC LIMIT 2;
ALTER TABLE hazards_stock.movements DROP COLUMN total;

-- with only an index that contains closed reservations too
SELECT release_reservation(reserve_stock('ann', 2, 40));
UPDATE hazards_stock.reservations SET created_at = created_at - interval '2 days', expires_at = expires_at - interval '2 days';
CREATE INDEX wide ON hazards_stock.reservations (item_id, expires_at) WHERE status IS NOT NULL;
DO $$
DECLARE
	name text;
BEGIN
	FOR name IN SELECT x.indexrelid::regclass FROM pg_index AS x WHERE x.indrelid = 'hazards_stock.reservations'::regclass
		AND x.indpred IS NOT NULL AND x.indexrelid <> 'hazards_stock.wide'::regclass LOOP
		EXECUTE 'DROP INDEX ' || name;
	END LOOP;
END $$;
SELECT buy_item('bob', 2, 120);
SELECT status, available FROM try_buy_cart('bob', '[{"item_id": 2, "quantity": 120}]');

-- a table of the ledger that is renamed and renamed back, and one that is partitioned
ALTER TABLE hazards_stock.reservations RENAME TO elsewhere;
SELECT reserve_stock('ann', 1);
ALTER TABLE hazards_stock.elsewhere RENAME TO reservations;
SELECT buy_item('ann', 1) > 0 AS sold;
SELECT reserve_stock('ann', 1) IS NOT NULL AS held;
ALTER TABLE hazards_stock.reservations RENAME TO elsewhere;
CREATE TABLE hazards_stock.reservations (LIKE hazards_stock.elsewhere INCLUDING DEFAULTS, PRIMARY KEY (reservation_id, item_id)) PARTITION BY HASH (item_id);
CREATE TABLE hazards_stock.part PARTITION OF hazards_stock.reservations FOR VALUES WITH (MODULUS 1, REMAINDER 0);
CREATE INDEX ON hazards_stock.reservations (item_id, expires_at) WHERE status = 'held';
SELECT buy_item('bob', 3, 1000);
SELECT reserve_stock('bob', 3, 1000);
SELECT release_reservation(reserve_stock('bob', 3, 1)) AS released;
DROP TABLE hazards_stock.reservations;
ALTER TABLE hazards_stock.elsewhere RENAME TO reservations;

-- ---------------------------------------------------------------- triggers of a third party
RESET ROLE;
SET ROLE hazards_guest;
CREATE FUNCTION spy() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	RAISE INFO 'the spy sees a % on % as %', TG_OP, TG_TABLE_NAME, current_user;
	RETURN NEW;
END $$;
RESET ROLE;
SET ROLE hazards_owner;

-- on reservations: every write to them is refused
SELECT reserve_stock('ann', 1) AS r \gset
SELECT reserve_stock('ann', 1) AS late \gset
UPDATE hazards_stock.reservations SET created_at = now() - interval '2 days', expires_at = now() - interval '1 day' WHERE reservation_id = :'late';
CREATE TRIGGER spy BEFORE UPDATE ON hazards_stock.reservations FOR EACH ROW EXECUTE FUNCTION spy();
SELECT extend_reservation(:'r', '20 minutes');
SELECT change_reservation(:'r', 1, 2);
SELECT status FROM confirm_reservation(:'r');
SELECT release_reservation(:'r');
SELECT hazards_stock.expire_reservations();
RESET ROLE;
SELECT count(*) > 0 AS stats FROM inventory.stats WHERE store_name = 'hazards.items';
SET ROLE hazards_owner;
SELECT buy_item('ann', 1) > 0 AS sold;
DROP TRIGGER spy ON hazards_stock.reservations;

-- on orders, by a role that had the rights of the owner and lost them
RESET ROLE;
GRANT hazards_owner TO hazards_guest;
SET ROLE hazards_owner;
GRANT TRIGGER ON orders TO hazards_guest;
RESET ROLE;
SET ROLE hazards_guest;
CREATE TRIGGER spy BEFORE INSERT ON orders FOR EACH ROW EXECUTE FUNCTION spy();
RESET ROLE;
SET ROLE hazards_owner;
SELECT buy_item('ann', 1) > 0 AS sold;
RESET ROLE;
REVOKE hazards_owner FROM hazards_guest;
SET ROLE hazards_owner;
SELECT buy_item('ann', 1);
RESET ROLE;
ALTER FUNCTION spy() OWNER TO hazards_owner;
SET ROLE hazards_owner;
SELECT buy_item('ann', 1) > 0 AS sold;
RESET ROLE;
ALTER FUNCTION spy() OWNER TO hazards_guest;
SET ROLE hazards_owner;
SELECT buy_item('ann', 1);
DROP TRIGGER spy ON orders;
SELECT * FROM inventory.verify('items');

-- on a partition of orders
SELECT inventory.detach('items');
DROP TABLE orders;
CREATE TABLE orders (id bigint GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY, user_id text, item_id int, quantity int) PARTITION BY RANGE (id);
CREATE TABLE orders_1 PARTITION OF orders FOR VALUES FROM (0) TO (1000000);
SELECT inventory.attach('items', 'orders', ledger_schema => 'hazards_stock');
SELECT buy_item('ann', 1) > 0 AS sold;
GRANT TRIGGER ON orders_1 TO hazards_guest;
RESET ROLE;
SET ROLE hazards_guest;
CREATE TRIGGER spy BEFORE INSERT ON orders_1 FOR EACH ROW EXECUTE FUNCTION spy();
RESET ROLE;
SET ROLE hazards_owner;
CREATE TRIGGER spy BEFORE INSERT ON orders_1 FOR EACH ROW EXECUTE FUNCTION spy();
RESET ROLE;
SET ROLE hazards_owner;
SELECT buy_item('ann', 1);
DROP TRIGGER spy ON orders_1;
SELECT buy_item('ann', 1) > 0 AS sold;
SELECT * FROM inventory.verify('items');

RESET ROLE;
DROP SCHEMA hazards, hazards_stock CASCADE;
DROP ROLE hazards_owner, hazards_guest;
