
-- ---------------------------------------------------------------- descriptions
--
-- What is attached, for people and for tools.

CREATE VIEW inventory.bindings AS
	SELECT s.store_name, s.items::regclass AS items, s.orders::regclass AS orders,
		   b.item_id, b.stock, b.version, b.stock_floor, b.purchase_limit,
		   b.order_id, b.order_user_id, b.order_item_id, b.order_quantity, b.order_columns,
		   inventory.column_type(s.movements, 'user_id') AS user_id_type,
		   s.api_schema, inventory.schema_of(s.movements) AS ledger_schema, s.argument_prefix,
		   s.user_claim, inventory.sellable_condition(s) AS sellable, s.direct_writes, s.max_ttl,
		   CASE WHEN s.orders IS NOT NULL THEN s.order_writes END AS order_writes,
		   inventory.worth_expression(s, 'order_units') AS order_units,
		   inventory.worth_expression(s, 'order_final') AS order_final,
		   s.header::regclass AS order_header, b.order_header_id, b.header_user_id, b.header_columns,
		   v.order_values, v.header_values, inventory.prepared_by(s) AS order_prepare, b.order_limit
	FROM inventory.store AS s
	CROSS JOIN LATERAL inventory.computed_values(s) AS v
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
			   min(c.column_name::text) FILTER (WHERE c.role = 'order_header_id')::name AS order_header_id,
			   min(c.column_name::text) FILTER (WHERE c.role = 'header_user_id')::name AS header_user_id,
			   min(c.column_name::text) FILTER (WHERE c.role = 'order_limit')::name AS order_limit,
			   coalesce(array_agg(c.column_name ORDER BY c.n) FILTER (WHERE c.is_settable AND NOT c.of_header), '{}')
				   AS order_columns,
			   CASE WHEN s.header IS NOT NULL THEN
				   coalesce(array_agg(c.column_name ORDER BY c.n) FILTER (WHERE c.is_settable AND c.of_header), '{}')
			   END AS header_columns
		FROM (SELECT d.column_name, d.n, rtrim(split_part(d.role, '=', 1), '+*') AS role,
					 d.role LIKE '%+' AND d.role NOT LIKE '%=%' AS is_settable,
					 d.relation = s.header IS TRUE AS of_header
			  FROM inventory.bound_columns(s) AS d) AS c) AS b;
COMMENT ON VIEW inventory.bindings IS 'The arguments of attach that are in force for each store. A column that is not bound is null, as is one that is unknown because a trigger that remembers it is gone.';

CREATE FUNCTION inventory.describe(items regclass) RETURNS text
	LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	store inventory.store := inventory.lookup_owned_store(describe.items);
	binding inventory.store_binding := inventory.binding_in_force(store);
BEGIN
	PERFORM inventory.check_read_back(store, binding);
	RETURN inventory.attach_statement(binding);
END
$$;
COMMENT ON FUNCTION inventory.describe(regclass) IS 'Returns the call of attach that is in force for a store, with every argument; after detach it makes the same store again. An empty name stands for a column that is not bound. Errors: IV012 not_a_store, 22004, 42501, 55000 if the store is not intact.';
