-- complain if the script is sourced in psql rather than run by CREATE EXTENSION
\echo Use "CREATE EXTENSION inventory" to load this file. \quit

-- ---------------------------------------------------------------- catalog
--
-- Everything a shop owns is in its own schemas; here is only which tables
-- make a store.

-- Made here, not by the control file, so that it is a member of the extension and
-- no dump of an owner's tables has it; and plainly, so that a schema which somebody
-- prepared, and could put a function into, is an error.
CREATE SCHEMA inventory;
COMMENT ON SCHEMA inventory IS 'Sells stock without ever overselling it: administration and engine of the stores.';

CREATE TABLE inventory.store (
	store_name pg_catalog.text PRIMARY KEY CHECK (store_name <> ''),
	items pg_catalog.regclass NOT NULL UNIQUE,
	orders pg_catalog.regclass CHECK (orders <> items),
	movements pg_catalog.regclass NOT NULL UNIQUE,
	user_claim pg_catalog.text CHECK (user_claim <> ''),
	direct_writes pg_catalog.text NOT NULL CHECK (direct_writes IN ('record', 'refuse')),
	has_sellable pg_catalog.bool NOT NULL,
	max_ttl pg_catalog.interval NOT NULL CHECK (max_ttl > '0'),
	api_schema pg_catalog.name NOT NULL,
	argument_prefix pg_catalog.text NOT NULL
);
COMMENT ON TABLE inventory.store IS 'The stores of this database: which tables, and how they are bound. Columns are kept by the binding triggers on items and orders. Written by attach, detach and refresh.';
COMMENT ON COLUMN inventory.store.store_name IS 'label under which the generated functions know the store; survives renames, dumps and restores';
COMMENT ON COLUMN inventory.store.items IS 'the table whose rows have the stock';
COMMENT ON COLUMN inventory.store.orders IS 'the table that gets one row per line sold; null: the shop writes its orders itself';
COMMENT ON COLUMN inventory.store.movements IS 'the ledger; the schema it is in is the ledger schema';
COMMENT ON COLUMN inventory.store.user_claim IS 'claim of request.jwt.claims that a buyer''s user_id must equal';
COMMENT ON COLUMN inventory.store.direct_writes IS 'record: a change of stock outside the engine is booked; refuse: it is an error';
COMMENT ON COLUMN inventory.store.has_sellable IS 'whether the ledger''s view "sellable" says which items are for sale';
COMMENT ON COLUMN inventory.store.api_schema IS 'schema of the buyer half of the generated functions';
COMMENT ON COLUMN inventory.store.argument_prefix IS 'prefix of the generated functions'' argument names';
COMMENT ON COLUMN inventory.store.max_ttl IS 'longest time from the creation of a hold to its last expiry';

SELECT pg_catalog.pg_extension_config_dump('inventory.store', '');

CREATE FUNCTION inventory.store_changed() RETURNS pg_catalog.trigger
	LANGUAGE c AS 'MODULE_PATHNAME', 'inventory_store_changed';
COMMENT ON FUNCTION inventory.store_changed() IS 'Trigger of inventory.store: lets an owner write the rows of their own tables, and makes every session read the store anew.';

CREATE TRIGGER store_changed BEFORE INSERT OR UPDATE OR DELETE ON inventory.store
	FOR EACH ROW EXECUTE FUNCTION inventory.store_changed();
ALTER TABLE inventory.store ENABLE ALWAYS TRIGGER store_changed;

-- A dropped table takes its store with it.
CREATE FUNCTION inventory.forget_dropped() RETURNS pg_catalog.event_trigger
	LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	DELETE FROM inventory.store AS s
	USING pg_event_trigger_dropped_objects() AS d
	WHERE d.classid = 'pg_class'::regclass AND d.objsubid = 0
	AND d.objid IN (s.items, s.orders, s.movements);
END
$$;
COMMENT ON FUNCTION inventory.forget_dropped() IS 'Event trigger: removes the store of a dropped table.';

CREATE EVENT TRIGGER inventory_forget_dropped ON sql_drop
	WHEN TAG IN ('DROP TABLE', 'DROP SCHEMA', 'DROP OWNED', 'DROP TYPE', 'DROP EXTENSION')
	EXECUTE FUNCTION inventory.forget_dropped();
COMMENT ON EVENT TRIGGER inventory_forget_dropped IS 'Removes the store of a dropped table.';

