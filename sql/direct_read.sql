-- Tests of what is read and written without a statement where the tables have changed: the
-- owner lacks a right that the statement needs, or a column gets another type during the
-- call.  It ends as with inventory.direct_access off.
\set VERBOSITY sqlstate
\pset format unaligned
\pset tuples_only on
CREATE ROLE direct_read_owner;
CREATE SCHEMA direct_read AUTHORIZATION direct_read_owner;
CREATE SCHEMA direct_read_stock AUTHORIZATION direct_read_owner;
CREATE SCHEMA direct_read_api AUTHORIZATION direct_read_owner;
SET ROLE direct_read_owner;
\set schema direct_read
\getenv abs_srcdir PG_ABS_SRCDIR
\set include :abs_srcdir '/sql/include/shop.sql'
\i :include
INSERT INTO items (id, stock) VALUES (1, 10), (2, 0);
SELECT inventory.attach('items', 'orders', ledger_schema => 'direct_read_stock', api_schema => 'direct_read_api');
RESET ROLE;
SET search_path = direct_read, direct_read_stock, direct_read_api;

-- How calls end after DDL, directly and by statements: a sale, one that is refused, a hold.
CREATE FUNCTION attempts(ddl text, OUT access text, OUT sold text, OUT refused text, OUT held text) RETURNS SETOF record LANGUAGE plpgsql AS $$
BEGIN
	FOREACH access IN ARRAY '{on,off}'::text[]
	LOOP
		PERFORM set_config('inventory.direct_access', access, true);
		BEGIN
			PERFORM buy_item('ada', 1, 1);
			EXECUTE ddl;
			BEGIN
				PERFORM buy_item('ada', 1, 1);
				sold := 'done';
			EXCEPTION WHEN OTHERS THEN
				sold := SQLSTATE;
			END;
			BEGIN
				PERFORM buy_item('ada', 2, 1);
			EXCEPTION WHEN OTHERS THEN
				refused := SQLSTATE;
			END;
			BEGIN
				PERFORM reserve_stock('ada', 1, 1);
				held := 'done';
			EXCEPTION WHEN OTHERS THEN
				held := SQLSTATE;
			END;
			RAISE SQLSTATE 'UNDO0';
		EXCEPTION WHEN SQLSTATE 'UNDO0' THEN
			RETURN NEXT;
		END;
	END LOOP;
END
$$;
\echo '-- rights that the owner has lost'
SELECT * FROM attempts('SELECT');
SELECT * FROM attempts('REVOKE SELECT ON items FROM direct_read_owner');
SELECT * FROM attempts('REVOKE UPDATE ON items FROM direct_read_owner');
SELECT * FROM attempts('REVOKE SELECT ON reservations FROM direct_read_owner');
SELECT * FROM attempts('REVOKE INSERT ON reservations FROM direct_read_owner');
SELECT * FROM attempts('REVOKE SELECT ON orders FROM direct_read_owner');
SELECT * FROM attempts('REVOKE SELECT ON orders FROM direct_read_owner; GRANT SELECT (id) ON orders TO direct_read_owner');
SELECT * FROM attempts('REVOKE INSERT ON orders FROM direct_read_owner');
SELECT * FROM attempts('REVOKE SELECT ON movements FROM direct_read_owner');
SELECT * FROM attempts('REVOKE INSERT ON movements FROM direct_read_owner');
SELECT * FROM attempts('REVOKE USAGE ON SCHEMA direct_read FROM direct_read_owner');
SELECT * FROM attempts('REVOKE USAGE ON SCHEMA direct_read_stock FROM direct_read_owner');

\echo '-- while a hold is given back for a sale, its trigger changes the type of a column'
SELECT reserve_stock('bob', 1, 5) IS NOT NULL;
UPDATE items SET stock = 0, stock_floor = 0 WHERE id = 1;
UPDATE reservations SET created_at = now() - interval '2 days', expires_at = now() - interval '1 day';
SET ROLE direct_read_owner;
CREATE FUNCTION retype() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
	binding text := (SELECT pg_get_triggerdef(oid) FROM pg_trigger WHERE tgrelid = 'direct_read.items'::regclass AND tgname = 'inventory_binding');
BEGIN
	DROP TRIGGER inventory_binding ON direct_read.items;
	DROP VIEW direct_read_stock.levels;
	ALTER TABLE direct_read.items ALTER stock_floor TYPE bigint USING 4294967296;
	EXECUTE binding;
	RETURN NULL;
END
$$;
CREATE TRIGGER retype AFTER UPDATE OR DELETE ON reservations FOR EACH STATEMENT EXECUTE FUNCTION retype();
RESET ROLE;
-- with 5 on hand and a floor beyond that, nothing can be sold
CREATE FUNCTION sell_overdue(access text, item bigint, quantity integer) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	result text;
BEGIN
	PERFORM set_config('inventory.direct_access', access, true);
	BEGIN
		PERFORM buy_item('ada', item, quantity);
		result := 'SOLD';
	EXCEPTION WHEN OTHERS THEN
		result := SQLSTATE;
	END;
	RETURN result || (SELECT format(', stock %s, floor %s', stock, stock_floor) FROM items WHERE id = item);
END
$$;
BEGIN;
SELECT sell_overdue('on', 1, 3);
ROLLBACK;
SELECT sell_overdue('off', 1, 3);
