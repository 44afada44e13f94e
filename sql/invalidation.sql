-- Tests of what a session remembers of a store: it reads the store again when something changes that
-- the store depends on, and only then; what it has read before is freed.
\pset format unaligned
\pset tuples_only on
\set schema invalidation
\getenv abs_srcdir PG_ABS_SRCDIR
\set include :abs_srcdir '/sql/include/shop.sql'
\i :include
CREATE ROLE regress_invalidation_owner; CREATE ROLE regress_invalidation_admin; CREATE ROLE regress_invalidation_other;
GRANT regress_invalidation_owner TO regress_invalidation_admin;
SELECT current_database() AS db \gset
GRANT CREATE ON DATABASE :"db" TO regress_invalidation_owner; -- for the schema of the ledger
-- what the condition uses: a function, an operator, a type, a collation and a table, each in another schema
CREATE SCHEMA invalidation_used;
CREATE FUNCTION invalidation_used.shown(boolean) RETURNS boolean LANGUAGE sql IMMUTABLE AS 'SELECT $1';
CREATE FUNCTION invalidation_used.same(text, text) RETURNS boolean LANGUAGE sql IMMUTABLE AS 'SELECT $1 = $2';
CREATE OPERATOR invalidation_used.=== (FUNCTION = invalidation_used.same, LEFTARG = text, RIGHTARG = text);
CREATE TYPE invalidation_used.mood AS ENUM ('good');
CREATE TABLE invalidation_used.closed (item bigint);
CREATE COLLATION invalidation_used.bytes (locale = 'C');
CREATE DOMAIN pieces AS integer;
CREATE DOMAIN note AS text;
ALTER TABLE items ADD mood invalidation_used.mood DEFAULT 'good';
ALTER TABLE orders ALTER note TYPE note, ALTER note DROP DEFAULT;
INSERT INTO items VALUES (1, 1000000);
-- triggers: of the owner, and of a role that has the owner's rights
CREATE FUNCTION owners() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
CREATE FUNCTION admins() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
CREATE FUNCTION unused() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
GRANT ALL ON SCHEMA invalidation, invalidation_used TO regress_invalidation_owner, regress_invalidation_admin;
GRANT SELECT ON invalidation_used.closed TO regress_invalidation_owner;
ALTER FUNCTION owners() OWNER TO regress_invalidation_owner;
ALTER FUNCTION admins() OWNER TO regress_invalidation_admin;
ALTER TABLE items OWNER TO regress_invalidation_owner;
ALTER TABLE orders OWNER TO regress_invalidation_owner;
CREATE TRIGGER owners AFTER INSERT ON orders FOR EACH ROW EXECUTE FUNCTION owners();
CREATE TRIGGER admins AFTER INSERT ON orders FOR EACH ROW EXECUTE FUNCTION admins();
CREATE TRIGGER unused AFTER INSERT ON orders FOR EACH ROW EXECUTE FUNCTION unused();
ALTER TABLE orders DISABLE TRIGGER unused;
SELECT inventory.attach('items', 'orders', ledger_schema => 'invalidation_stock', order_columns => '{note}', sellable => $$
	invalidation_used.shown(live) AND coalesce(name, 'x') OPERATOR(invalidation_used.===) coalesce(name, 'x')
	AND mood = 'good'::invalidation_used.mood AND coalesce(name, 'x') COLLATE invalidation_used.bytes < 'z'
	AND NOT EXISTS (SELECT FROM invalidation_used.closed AS c WHERE c.item = id)$$);

-- The first writing call after the store was read looks for work of the worker: it scans the reservations.
CREATE FUNCTION scans() RETURNS bigint LANGUAGE sql VOLATILE AS $$
	SELECT sum(pg_stat_get_xact_numscans(c.oid)) FROM pg_class AS c
	WHERE c.oid = 'reservations'::regclass OR c.oid IN (SELECT indexrelid FROM pg_index WHERE indrelid = 'reservations'::regclass)
$$;
-- How often is the store read in a sale, after commands?
CREATE FUNCTION reads(VARIADIC commands text[]) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	before bigint;
	command text;
BEGIN
	PERFORM buy_item('u', 1);
	PERFORM buy_item('u', 1);
	before := scans();
	FOREACH command IN ARRAY commands LOOP
		EXECUTE command;
	END LOOP;
	PERFORM buy_item('u', 1);
	RETURN scans() - before || ' ' || commands[cardinality(commands)];
END
$$;

\echo '-- what other roles do costs the store nothing'
SELECT reads('SELECT 1');
SELECT reads('CREATE FUNCTION pg_temp.f() RETURNS integer LANGUAGE sql AS ''SELECT 1''', 'DROP FUNCTION pg_temp.f()');
SELECT reads('CREATE OR REPLACE FUNCTION unused() RETURNS trigger LANGUAGE plpgsql AS ''BEGIN RETURN NULL; END''');
SELECT reads('CREATE TEMP TABLE t (id bigint PRIMARY KEY)', 'ANALYZE t', 'ALTER TABLE t ADD note text');
SELECT reads('CREATE SCHEMA invalidation_other', 'ALTER SCHEMA invalidation_other RENAME TO invalidation_more', 'DROP SCHEMA invalidation_more');
SELECT reads('CREATE TYPE other AS ENUM ()', 'CREATE DOMAIN another AS text', 'DROP TYPE other, another');
SELECT reads('CREATE OPERATOR public.=== (FUNCTION = invalidation_used.same, LEFTARG = text, RIGHTARG = text)', 'DROP OPERATOR public.=== (text, text)');
SELECT reads('ALTER ROLE regress_invalidation_other CONNECTION LIMIT 5');

\echo '-- what the store depends on is seen at once'
SELECT reads('ALTER TABLE items SET (fillfactor = 90)');
SELECT reads('ALTER TABLE orders SET (fillfactor = 90)');
SELECT reads('ALTER TABLE movements SET (fillfactor = 90)');
SELECT reads('ALTER TABLE hot SET (fillfactor = 90)');
SELECT reads('ALTER TABLE requests SET (fillfactor = 90)');
SELECT reads('CREATE INDEX ON orders (note)');
SELECT reads('ALTER VIEW sellable SET (security_barrier)');
SELECT reads('UPDATE inventory.store SET max_ttl = ''2 days'' WHERE items = ''items''::regclass');
SELECT reads('ALTER SCHEMA invalidation_used RENAME TO invalidation_utensils', 'ALTER SCHEMA invalidation_utensils RENAME TO invalidation_used');
SELECT reads('ALTER FUNCTION invalidation_used.shown(boolean) STABLE');
SELECT reads('ALTER FUNCTION invalidation_used.same(text, text) STABLE');
SELECT reads('ALTER OPERATOR invalidation_used.=== (text, text) SET (RESTRICT = NONE)');
SELECT reads('ALTER TYPE invalidation_used.mood RENAME TO humour');
SELECT reads('ALTER COLLATION invalidation_used.bytes SET SCHEMA invalidation', 'ALTER SCHEMA invalidation RENAME TO i', 'ALTER SCHEMA i RENAME TO invalidation');
SELECT reads('ALTER TABLE invalidation_used.closed RENAME TO shut');
SELECT reads('ALTER DOMAIN note SET DEFAULT ''by its type''');
SELECT reads('ALTER FUNCTION owners() COST 10');
SELECT reads('ALTER FUNCTION admins() COST 10');
SELECT reads('ALTER ROLE regress_invalidation_admin CONNECTION LIMIT 5');
SELECT reads('GRANT regress_invalidation_owner TO regress_invalidation_other');
\echo '-- without that trigger no membership matters'
ALTER TABLE orders DISABLE TRIGGER admins;
SELECT reads('REVOKE regress_invalidation_owner FROM regress_invalidation_other');
SELECT reads('ALTER FUNCTION admins() COST 20');
ALTER TABLE orders ENABLE TRIGGER admins;
\echo '-- the role loses the rights of the owner, or its superuser attribute'
SELECT buy_item('u', 1) > 0;
REVOKE regress_invalidation_owner FROM regress_invalidation_admin;
SELECT buy_item('u', 1) > 0;
ALTER ROLE regress_invalidation_admin SUPERUSER;
SELECT buy_item('u', 1) > 0;
ALTER ROLE regress_invalidation_admin NOSUPERUSER;
SELECT buy_item('u', 1) > 0;
DROP TRIGGER admins ON orders;
SELECT problems();

\echo '-- what was read before is freed, also within the transaction'
CREATE FUNCTION remembered() RETURNS bigint LANGUAGE sql AS $$
	SELECT count(*) FROM pg_backend_memory_contexts WHERE name = 'inventory store'
$$;
SELECT remembered();
DO $$
BEGIN
	FOR n IN 1 .. 300 LOOP
		EXECUTE 'ALTER TABLE items SET (fillfactor = ' || 10 + n % 90 || ')';
		PERFORM buy_item('u', 1);
	END LOOP;
	RAISE WARNING '% remembered', remembered();
END
$$;
\echo '-- a call that is being executed keeps what it uses, also when calls inside it read the store again, and fail'
CREATE FUNCTION again() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	IF NEW.quantity > 1 THEN
		EXECUTE 'ALTER FUNCTION invalidation_used.shown(boolean) COST ' || 1 + NEW.id % 50;
		PERFORM buy_item('u', 1, NEW.quantity - 1);
		BEGIN
			EXECUTE 'ALTER FUNCTION invalidation_used.shown(boolean) COST ' || 51 + NEW.id % 50;
			PERFORM buy_item('u', 1, 1), 1 / (NEW.quantity - NEW.quantity);
		EXCEPTION WHEN division_by_zero THEN
			PERFORM buy_item('u', 1, 1);
		END;
	END IF;
	RETURN NULL;
END
$$;
CREATE TRIGGER again AFTER INSERT ON orders FOR EACH ROW EXECUTE FUNCTION again();
ALTER FUNCTION again() OWNER TO regress_invalidation_owner;
ALTER FUNCTION invalidation_used.shown(boolean) OWNER TO regress_invalidation_owner;
DO $$
DECLARE
	sold bigint;
BEGIN
	SELECT sum(quantity) INTO sold FROM orders;
	FOR n IN 1 .. 30 LOOP
		PERFORM buy_item('u', 1, 4);
	END LOOP;
	RAISE WARNING '% sold, % remembered', (SELECT sum(quantity) FROM orders) - sold, remembered() <= 5;
END
$$;
SELECT remembered();
SELECT problems();
DROP SCHEMA invalidation, invalidation_used, invalidation_stock CASCADE;
DROP OWNED BY regress_invalidation_owner, regress_invalidation_admin, regress_invalidation_other;
DROP ROLE regress_invalidation_owner, regress_invalidation_admin, regress_invalidation_other;
