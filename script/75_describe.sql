
-- ---------------------------------------------------------------- descriptions
--
-- What is attached, for people and for tools.

-- The view has a fixed form, so that what is before the condition is known.
CREATE FUNCTION inventory.sellable_condition(store inventory.store) RETURNS text
	LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
	SET DateStyle = ISO SET IntervalStyle = postgres AS $$
	SELECT substring(rtrim(pg_get_viewdef(c.oid), ';') FROM E'\n  WHERE (.*)$')
	FROM inventory.generated_relations(store) AS c
	WHERE store.has_sellable AND c.relname = 'sellable'
$$;
COMMENT ON FUNCTION inventory.sellable_condition(inventory.store) IS 'The condition on the items of a store that are for sale, as the server writes it; null if all are.';

CREATE VIEW inventory.bindings AS
	SELECT s.store_name, s.items::regclass AS items, s.orders::regclass AS orders,
		   b.item_id, b.stock, b.version, b.stock_floor, b.purchase_limit,
		   b.order_id, b.order_user_id, b.order_item_id, b.order_quantity, b.order_columns,
		   inventory.column_type(s.movements, 'user_id') AS user_id_type,
		   s.api_schema, inventory.schema_of(s.movements) AS ledger_schema, s.argument_prefix,
		   s.user_claim, inventory.sellable_condition(s) AS sellable, s.direct_writes, s.max_ttl
	FROM inventory.store AS s
	CROSS JOIN LATERAL (
		SELECT min(c.column_name::text) FILTER (WHERE c.role = 'item_id')::name AS item_id,
			   min(c.column_name::text) FILTER (WHERE c.role = 'stock')::name AS stock,
			   min(c.column_name::text) FILTER (WHERE c.role = 'version')::name AS version,
			   min(c.column_name::text) FILTER (WHERE c.role = 'stock_floor')::name AS stock_floor,
			   min(c.column_name::text) FILTER (WHERE c.role = 'purchase_limit')::name AS purchase_limit,
			   min(c.column_name::text) FILTER (WHERE c.role = 'order_id')::name AS order_id,
			   min(c.column_name::text) FILTER (WHERE c.role = 'order_user_id')::name AS order_user_id,
			   min(c.column_name::text) FILTER (WHERE c.role = 'order_item_id')::name AS order_item_id,
			   min(c.column_name::text) FILTER (WHERE c.role = 'order_quantity')::name AS order_quantity,
			   coalesce(array_agg(c.column_name ORDER BY c.n) FILTER (WHERE c.is_settable), '{}') AS order_columns
		FROM (SELECT d.column_name, d.n, rtrim(d.role, '+') AS role, d.role LIKE '%+' AS is_settable
			  FROM inventory.bound_columns(s) AS d) AS c) AS b;
COMMENT ON VIEW inventory.bindings IS 'The arguments of attach that are in force for each store. A column that is not bound is null, as is one that is unknown because a trigger that remembers it is gone.';

CREATE FUNCTION inventory.describe(items regclass) RETURNS text
	LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	store inventory.store := inventory.lookup_owned_store(describe.items);
	binding inventory.store_binding := inventory.read_binding(store);
BEGIN
	binding.sellable := inventory.sellable_condition(store);
	RETURN inventory.attach_statement(binding);
END
$$;
COMMENT ON FUNCTION inventory.describe(regclass) IS 'Returns the call of attach that is in force for a store, with every argument; after detach it makes the same store again. An empty name stands for a column that is not bound. Errors: IV012 not_a_store, 22004, 42501, 55000 if the store is not intact.';
