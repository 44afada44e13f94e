-- what inventory.attach() calls
CREATE FUNCTION inventory.take() RETURNS pg_catalog.int4
	LANGUAGE c AS 'MODULE_PATHNAME', 'inventory_take';
COMMENT ON FUNCTION inventory.take() IS 'Part of inventory.attach().';
