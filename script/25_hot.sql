
-- ---------------------------------------------------------------- hot items

CREATE FUNCTION inventory.heat(items pg_catalog.regclass, item "any") RETURNS pg_catalog.bool
	LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'inventory_heat';
COMMENT ON FUNCTION inventory.heat(pg_catalog.regclass, "any") IS 'Makes an item hot: once the transaction has committed, buyers of the item do not wait for each other. Arguments: items, the table; item, a key. Returns false if the item is hot already. See doc/hot-items.md. Errors: IV002 item_not_found, IV012 not_a_store, 55000 if the server is not configured for hot items or the stock of the item is not tracked, 53400 if inventory.max_hot_items are hot, 42501.';

CREATE FUNCTION inventory.cool(items pg_catalog.regclass, item "any" DEFAULT NULL)
	RETURNS pg_catalog.int8
	LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'inventory_cool';
COMMENT ON FUNCTION inventory.cool(pg_catalog.regclass, "any") IS 'Makes an item, or every item of a store, cold: lets no other buyers begin, and waits until the transactions that have taken units have ended. Arguments: items, the table; item, a key, or null for all. Returns how many items were hot. Errors: IV014 busy if such a transaction lasts longer than inventory.hot_lock_timeout, 55006 if this transaction is one of them, IV002 item_not_found, IV012 not_a_store, 42501.';

CREATE FUNCTION inventory.settle(items pg_catalog.regclass) RETURNS pg_catalog.int8
	LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'inventory_settle';
COMMENT ON FUNCTION inventory.settle(pg_catalog.regclass) IS 'Writes the movements of hot items into their stock column, except those that a transaction in flight could still add to; the worker does this every inventory.settle_interval. Returns the number of items written. Errors: IV012 not_a_store, 55006 if this transaction has bought a hot item, 42501.';

CREATE FUNCTION inventory.hot_entries(OUT items pg_catalog.oid, OUT number pg_catalog.int8,
		OUT state pg_catalog.text, OUT available pg_catalog.int8, OUT held pg_catalog.int8,
		OUT epoch pg_catalog.int8, OUT settled_epoch pg_catalog.int8,
		OUT holders pg_catalog.int4[])
	RETURNS SETOF record
	LANGUAGE c VOLATILE PARALLEL RESTRICTED AS 'MODULE_PATHNAME', 'inventory_hot_entries';
COMMENT ON FUNCTION inventory.hot_entries() IS 'The counters of the hot items of this database at this instant. number identifies the row of the item in the table "hot" of the store; state is unpublished, hot or cooling; available is what can be sold above the floor and held what transactions in flight have taken, both in units; holders are the process ids of these transactions.';

CREATE FUNCTION inventory.count_hot(items pg_catalog.regclass) RETURNS pg_catalog.int8
	LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'inventory_count_hot';
COMMENT ON FUNCTION inventory.count_hot(pg_catalog.regclass) IS 'Returns how many items of a store are hot according to its ledger, 0 if that is damaged. For the owner of the items.';

-- The stock column of a hot item lags behind, and only the engine can complete it.
CREATE FUNCTION inventory.check_cold(store inventory.store) RETURNS void
	LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	hot_items bigint := inventory.count_hot(store.items);
BEGIN
	IF hot_items > 0 THEN
		RAISE EXCEPTION 'store "%" has % hot items', store.store_name, hot_items
			USING ERRCODE = 'object_in_use',
				  HINT = format('Make them cold first: SELECT inventory.cool(%L);', store.items);
	END IF;
END
$$;
COMMENT ON FUNCTION inventory.check_cold(inventory.store) IS 'Raises an error if an item of a store is hot.';

CREATE FUNCTION inventory.refuse_hot() RETURNS void
	LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	PERFORM inventory.check_cold(s) FROM inventory.store AS s;
END
$$;
COMMENT ON FUNCTION inventory.refuse_hot() IS 'Raises an error if an item of any store is hot.';

CREATE FUNCTION inventory.before_drop() RETURNS pg_catalog.event_trigger
	LANGUAGE c AS 'MODULE_PATHNAME', 'inventory_before_drop';
COMMENT ON FUNCTION inventory.before_drop() IS 'Event trigger function: refuses to drop the extension while an item is hot.';

CREATE EVENT TRIGGER inventory_before_drop ON ddl_command_start
	WHEN TAG IN ('DROP EXTENSION', 'DROP SCHEMA') EXECUTE FUNCTION inventory.before_drop();
COMMENT ON EVENT TRIGGER inventory_before_drop IS 'Refuses to drop the extension while an item is hot.';
