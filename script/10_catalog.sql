-- complain if the script is sourced in psql rather than run by CREATE EXTENSION
\echo Use "CREATE EXTENSION inventory" to load this file. \quit

-- The extension script is the files of script/ in the order of their names: edit those.
-- Each file calls only functions of the files before it.

-- CREATE EXTENSION sets the same path.  It is repeated here so that a static check
-- can see that no name or operator of this script is resolved in another schema.
SET LOCAL search_path = pg_catalog, pg_temp;

-- ---------------------------------------------------------------- catalog
--
-- Which tables make a store.  All data of a shop is in the shop's own schemas.

-- Created by the script and not by the control file, so that the schema is a member of
-- the extension and no dump of an owner's tables contains it.  Without IF NOT EXISTS:
-- another role may have created the schema and put functions into it.
CREATE SCHEMA inventory;
COMMENT ON SCHEMA inventory IS 'Administration and engine of stores: sells stock without overselling it.';

-- A table, as regclass; but the input of one that does not exist is 0, and no error.
CREATE TYPE inventory.table_name;
CREATE FUNCTION inventory.table_name_in(pg_catalog.cstring) RETURNS inventory.table_name
	LANGUAGE c STABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'inventory_table_name_in';
COMMENT ON FUNCTION inventory.table_name_in(pg_catalog.cstring) IS 'Input of the type table_name.';
CREATE FUNCTION inventory.table_name_out(inventory.table_name) RETURNS pg_catalog.cstring
	LANGUAGE c STABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'inventory_table_name_out';
COMMENT ON FUNCTION inventory.table_name_out(inventory.table_name) IS 'Output of the type table_name.';
CREATE FUNCTION inventory.table_name_recv(pg_catalog.internal) RETURNS inventory.table_name
	LANGUAGE internal IMMUTABLE STRICT PARALLEL SAFE AS 'regclassrecv';
COMMENT ON FUNCTION inventory.table_name_recv(pg_catalog.internal) IS 'Binary input of the type table_name.';
CREATE FUNCTION inventory.table_name_send(inventory.table_name) RETURNS pg_catalog.bytea
	LANGUAGE internal IMMUTABLE STRICT PARALLEL SAFE AS 'regclasssend';
COMMENT ON FUNCTION inventory.table_name_send(inventory.table_name) IS 'Binary output of the type table_name.';
CREATE TYPE inventory.table_name (
	INPUT = inventory.table_name_in,
	OUTPUT = inventory.table_name_out,
	RECEIVE = inventory.table_name_recv,
	SEND = inventory.table_name_send,
	LIKE = pg_catalog.regclass,
	CATEGORY = 'N'
);
COMMENT ON TYPE inventory.table_name IS 'A table, as regclass; a name without a table is 0, so that the row of one store does not keep those of others out of a restored database.';
CREATE CAST (inventory.table_name AS pg_catalog.regclass) WITHOUT FUNCTION AS IMPLICIT;
CREATE CAST (inventory.table_name AS pg_catalog.oid) WITHOUT FUNCTION AS IMPLICIT;
CREATE CAST (pg_catalog.regclass AS inventory.table_name) WITHOUT FUNCTION AS ASSIGNMENT;
CREATE CAST (pg_catalog.oid AS inventory.table_name) WITHOUT FUNCTION AS ASSIGNMENT;
COMMENT ON CAST (inventory.table_name AS pg_catalog.regclass) IS 'The table.';
COMMENT ON CAST (inventory.table_name AS pg_catalog.oid) IS 'The OID of the table.';
COMMENT ON CAST (pg_catalog.regclass AS inventory.table_name) IS 'The table.';
COMMENT ON CAST (pg_catalog.oid AS inventory.table_name) IS 'The table with this OID.';

-- The worker holds the rows of all stores, and every role may insert some: they have a limit.
CREATE TABLE inventory.store (
	store_name pg_catalog.text NOT NULL CHECK (octet_length(store_name) BETWEEN 1 AND 255),
	items inventory.table_name PRIMARY KEY,
	orders inventory.table_name CHECK (orders <> items),
	movements inventory.table_name NOT NULL UNIQUE,
	user_claim pg_catalog.text CHECK (octet_length(user_claim) BETWEEN 1 AND 255),
	direct_writes pg_catalog.text NOT NULL CHECK (direct_writes IN ('record', 'refuse', 'keep')),
	has_sellable pg_catalog.bool NOT NULL,
	max_ttl pg_catalog.interval NOT NULL CHECK (max_ttl > '0'),
	api_schema pg_catalog.name NOT NULL,
	argument_prefix pg_catalog.text NOT NULL CHECK (octet_length(argument_prefix) <= 40),
	settings pg_catalog.text[] NOT NULL DEFAULT '{}'
		CHECK (octet_length(array_to_string(settings, '', '')) + cardinality(settings) <= 10000),
	order_writes pg_catalog.text NOT NULL DEFAULT 'record' CHECK (order_writes IN ('record', 'refuse', 'follow')),
	has_order_units pg_catalog.bool NOT NULL DEFAULT false,
	header inventory.table_name CHECK (header <> items AND header <> orders),
	has_prepare pg_catalog.bool NOT NULL DEFAULT false,
	order_values pg_catalog.jsonb CHECK (octet_length(order_values::text) <= 50000),
	header_values pg_catalog.jsonb CHECK (octet_length(header_values::text) <= 50000),
	refuses_truncate pg_catalog.bool NOT NULL DEFAULT false
);
-- Not unique: a role could take a name before the owner of the tables that are called so,
-- or keep that owner waiting for its transaction.  The trigger below keeps the names of the
-- stores of one owner apart.
CREATE INDEX store_store_name_idx ON inventory.store (store_name);
CREATE INDEX store_orders_idx ON inventory.store (orders);
CREATE INDEX store_header_idx ON inventory.store (header);
COMMENT ON TABLE inventory.store IS 'The stores of this database: the tables of each and its options. The binding triggers on items and orders keep the bound columns. Written by attach, detach and refresh.';
COMMENT ON COLUMN inventory.store.store_name IS 'name by which the generated functions refer to the store; it survives renames, dumps and restores, and is unique among the stores of an owner';
COMMENT ON COLUMN inventory.store.items IS 'the table whose rows hold the stock';
COMMENT ON COLUMN inventory.store.orders IS 'the table that gets one row for each line sold; null: the application inserts its orders itself';
COMMENT ON COLUMN inventory.store.header IS 'the table that gets one row for each purchase, to which its order lines refer; null: orders have no header, or the application inserts it';
COMMENT ON COLUMN inventory.store.has_prepare IS 'true if the function "prepare_order" of the ledger schema makes the rows of orders and of their header';
COMMENT ON COLUMN inventory.store.order_values IS 'the expressions for columns of orders, as given to attach, which wrote them into "prepare_order": there they follow renames';
COMMENT ON COLUMN inventory.store.header_values IS 'the same for columns of the header';
COMMENT ON COLUMN inventory.store.movements IS 'the movements table of the ledger; its schema is the ledger schema';
COMMENT ON COLUMN inventory.store.user_claim IS 'the claim of request.jwt.claims that the user_id of a buyer must equal; null: user ids are not checked';
COMMENT ON COLUMN inventory.store.direct_writes IS 'record: a change of stock outside the engine is booked as a movement; refuse: it is an error; keep: an UPDATE that writes other columns too leaves the stock as it is, and any other is an error';
COMMENT ON COLUMN inventory.store.refuses_truncate IS 'true if direct_writes => refuse was given to attach, which then refuses TRUNCATE of the tables, too';
COMMENT ON COLUMN inventory.store.order_writes IS 'record: what others change on order lines is recorded in order_changes; refuse: it is an error where it touches units that were sold; follow: the stock and the ledger follow it';
COMMENT ON COLUMN inventory.store.has_sellable IS 'true if the view "sellable" of the ledger schema determines which items are for sale';
COMMENT ON COLUMN inventory.store.has_order_units IS 'true if the view "order_worth" of the ledger schema says what each order line is worth';
COMMENT ON COLUMN inventory.store.api_schema IS 'schema of the generated functions for buyers';
COMMENT ON COLUMN inventory.store.argument_prefix IS 'prefix of the argument names of the generated functions';
COMMENT ON COLUMN inventory.store.settings IS 'settings of the session that attached, each as name=value, under which the condition of "sellable" is evaluated';
COMMENT ON COLUMN inventory.store.max_ttl IS 'longest time from the creation of a hold to its expiry, extensions included';

SELECT pg_catalog.pg_extension_config_dump('inventory.store', '');

CREATE FUNCTION inventory.store_changed() RETURNS pg_catalog.trigger
	LANGUAGE c AS 'MODULE_PATHNAME', 'inventory_store_changed';
COMMENT ON FUNCTION inventory.store_changed() IS 'Trigger on inventory.store: refuses a row whose tables the current user does not own or that attach would not make, and makes every session reload the store.';

CREATE TRIGGER store_changed BEFORE INSERT OR UPDATE OR DELETE ON inventory.store
	FOR EACH ROW EXECUTE FUNCTION inventory.store_changed();
ALTER TABLE inventory.store ENABLE ALWAYS TRIGGER store_changed;

-- A comment is dumped and restored, it moves with its table, and only the owner of that can
-- write it.  The database is in it because a copy by CREATE DATABASE has the same OIDs.
CREATE FUNCTION inventory.table_mark(relation pg_catalog.oid) RETURNS text
	LANGUAGE c STABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'inventory_table_mark';
COMMENT ON FUNCTION inventory.table_mark(pg_catalog.oid) IS 'What identifies a table: the identifier of the database system, the OID of the database, and that of the table.';

CREATE FUNCTION inventory.ledger_mark(movements regclass) RETURNS text
	LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
	SELECT substring(col_description(a.attrelid, a.attnum) FROM '[0-9]+/[0-9]+/[0-9]+')
	FROM pg_attribute AS a WHERE a.attrelid = movements AND a.attname = 'item_id'
$$;
COMMENT ON FUNCTION inventory.ledger_mark(regclass) IS 'The table that the movements of a ledger are of, as table_mark() has it; null if that is not known.';

CREATE FUNCTION inventory.mark_ledger(movements regclass, items pg_catalog.oid) RETURNS void
	LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'inventory_mark_ledger';
COMMENT ON FUNCTION inventory.mark_ledger(regclass, pg_catalog.oid) IS 'Notes in the comment on the column item_id of movements which table they are of. For the owner of movements.';

CREATE FUNCTION inventory.forget_dropped() RETURNS pg_catalog.event_trigger
	LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	dropped oid[] := ARRAY(SELECT d.objid FROM pg_event_trigger_dropped_objects() AS d
						   WHERE d.classid = 'pg_class'::regclass AND d.objsubid = 0);
BEGIN
	IF dropped = '{}' THEN
		RETURN;
	END IF;
	-- a ledger that was restored, or copied with its database, has the mark of another table
	PERFORM inventory.mark_ledger(s.movements, s.items)
	FROM inventory.store AS s WHERE s.items::oid = ANY (dropped);
	-- one condition for each index
	DELETE FROM inventory.store AS s WHERE s.items::oid = ANY (dropped);
	DELETE FROM inventory.store AS s WHERE s.orders::oid = ANY (dropped);
	DELETE FROM inventory.store AS s WHERE s.header::oid = ANY (dropped);
	DELETE FROM inventory.store AS s WHERE s.movements::oid = ANY (dropped);
END
$$;
COMMENT ON FUNCTION inventory.forget_dropped() IS 'Event trigger function: deletes the store of a dropped table, and makes sure that its ledger is known to be of that table.';

-- For every command: with CASCADE a table can go with a function or a collation of its partition key.
CREATE EVENT TRIGGER inventory_forget_dropped ON sql_drop
	EXECUTE FUNCTION inventory.forget_dropped();
COMMENT ON EVENT TRIGGER inventory_forget_dropped IS 'Deletes the store of a dropped table.';

