
-- ---------------------------------------------------------------- hot items

CREATE FUNCTION inventory.heat(items pg_catalog.regclass, item "any") RETURNS pg_catalog.bool
	LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'inventory_heat';
COMMENT ON FUNCTION inventory.heat(pg_catalog.regclass, "any") IS 'Makes an item hot: from the commit on its buyers do not wait for each other. Arguments: items, the table; item, a key. Returns false if it is hot already. See doc/hot-items.md. Errors: IV002 item_not_found, IV012 not_a_store, 55000 where the server is not configured for it, 53400 if inventory.max_hot_items are hot, 22023 for an item whose stock is not tracked, 42501.';

CREATE FUNCTION inventory.cool(items pg_catalog.regclass, item "any" DEFAULT NULL)
	RETURNS pg_catalog.int8
	LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'inventory_cool';
COMMENT ON FUNCTION inventory.cool(pg_catalog.regclass, "any") IS 'Makes an item cold, or all of a store: waits for buyers in flight, and lets no others begin meanwhile. Arguments: items, the table; item, a key, or null for all. Returns how many were hot. Errors: IV014 busy if a buyer is in flight for longer than inventory.hot_lock_timeout, 55006 if this transaction is one, IV002 item_not_found, IV012 not_a_store, 42501.';

CREATE FUNCTION inventory.settle(items pg_catalog.regclass) RETURNS pg_catalog.int8
	LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'inventory_settle';
COMMENT ON FUNCTION inventory.settle(pg_catalog.regclass) IS 'Brings the stock column of hot items up to date, as far as no buyer is in flight; the worker does it every inventory.settle_interval. Returns of how many. Errors: IV012 not_a_store, 55006 if this transaction has bought a hot item, 42501.';

CREATE FUNCTION inventory.hot_entries(OUT items pg_catalog.oid, OUT number pg_catalog.int8,
		OUT state pg_catalog.text, OUT available pg_catalog.int8, OUT held pg_catalog.int8,
		OUT epoch pg_catalog.int8, OUT settled_epoch pg_catalog.int8,
		OUT holders pg_catalog.int4[])
	RETURNS SETOF record
	LANGUAGE c VOLATILE PARALLEL RESTRICTED AS 'MODULE_PATHNAME', 'inventory_hot_entries';
COMMENT ON FUNCTION inventory.hot_entries() IS 'The counters of this database''s hot items as they are at this instant: number is that of the item''s row in the store''s table "hot"; state is unpublished, hot or cooling; available is above the floor, held taken by transactions in flight, both in units; holders are the processes of these.';

CREATE FUNCTION inventory.count_hot(items pg_catalog.regclass) RETURNS pg_catalog.int8
	LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'inventory_count_hot';
COMMENT ON FUNCTION inventory.count_hot(pg_catalog.regclass) IS 'How many items of a store are hot, for its owner.';

-- Without the engine the stock column is all there is: it has to be all of it.
CREATE FUNCTION inventory.check_cold(s inventory.store) RETURNS void
	LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	hot_items bigint;
BEGIN
	BEGIN
		hot_items := inventory.count_hot(s.items);
	EXCEPTION WHEN object_not_in_prerequisite_state OR SQLSTATE 'IV012' THEN
		RETURN; -- of a store that is not intact nobody can tell; attach makes up for it
	END;
	IF hot_items > 0 THEN
		RAISE EXCEPTION 'store "%" has % hot items', s.store_name, hot_items
			USING ERRCODE = 'object_in_use',
				  HINT = format('SELECT inventory.cool(%L); makes them cold.', s.items);
	END IF;
END
$$;
COMMENT ON FUNCTION inventory.check_cold(inventory.store) IS 'Raises an error if an item of a store is hot.';

-- Before the engine goes, every stock column has to have all of its stock.
CREATE FUNCTION inventory.refuse_hot() RETURNS void
	LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	PERFORM inventory.check_cold(s) FROM inventory.store AS s;
END
$$;
COMMENT ON FUNCTION inventory.refuse_hot() IS 'Raises an error if an item of any store is hot.';

CREATE FUNCTION inventory.before_drop() RETURNS pg_catalog.event_trigger
	LANGUAGE c AS 'MODULE_PATHNAME', 'inventory_before_drop';
COMMENT ON FUNCTION inventory.before_drop() IS 'Event trigger: keeps the extension from being dropped while an item is hot.';

CREATE EVENT TRIGGER inventory_before_drop ON ddl_command_start
	WHEN TAG IN ('DROP EXTENSION', 'DROP SCHEMA') EXECUTE FUNCTION inventory.before_drop();
COMMENT ON EVENT TRIGGER inventory_before_drop IS 'Keeps the extension from being dropped while an item is hot.';
