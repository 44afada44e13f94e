
-- ---------------------------------------------------------------- advice
--
-- What attach looks at beside the columns that it binds, and the statements that it gives as
-- hints.

CREATE FUNCTION inventory.binding_arguments(binding inventory.store_binding, OUT n integer, OUT name text,
											OUT value text)
	RETURNS SETOF record
	LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp SET IntervalStyle = postgres AS $$
	VALUES
		(1, 'items', quote_nullable(binding.items::text)),
		(2, 'orders', quote_nullable(binding.orders::text)),
		(3, 'item_id', quote_nullable(binding.item_id)),
		(4, 'stock', quote_nullable(binding.stock)),
		(5, 'version', quote_literal(coalesce(binding.version, ''))),
		(6, 'stock_floor', quote_literal(coalesce(binding.stock_floor, ''))),
		(7, 'purchase_limit', quote_literal(coalesce(binding.purchase_limit, ''))),
		(8, 'order_id', quote_nullable(binding.order_id)),
		(9, 'order_user_id', quote_nullable(coalesce(binding.order_user_id,
			CASE WHEN binding.orders IS NOT NULL THEN '' END))),
		(10, 'order_item_id', quote_nullable(binding.order_item_id)),
		(11, 'order_quantity', quote_nullable(coalesce(binding.order_quantity,
			CASE WHEN binding.orders IS NOT NULL THEN '' END))),
		(12, 'order_columns', quote_literal(binding.order_columns)),
		(13, 'user_id_type', quote_literal(binding.user_type::text)),
		(14, 'api_schema', quote_literal(binding.api_schema)),
		(15, 'ledger_schema', quote_literal(binding.ledger_schema)),
		(16, 'argument_prefix', quote_literal(binding.argument_prefix)),
		(17, 'user_claim', quote_nullable(binding.user_claim)),
		(18, 'sellable', quote_nullable(binding.sellable)),
		-- a refusal that was not asked for does not refuse TRUNCATE
		(19, 'direct_writes', quote_nullable(CASE WHEN binding.direct_writes <> 'refuse' OR binding.refuses_truncate
											 THEN binding.direct_writes END)),
		(20, 'max_ttl', quote_literal(binding.max_ttl::text)),
		(21, 'store_name', quote_literal(binding.store_name)),
		(22, 'order_writes', quote_nullable(CASE WHEN binding.orders IS NOT NULL THEN binding.order_writes END)),
		(23, 'order_units', quote_nullable(binding.order_units)),
		(24, 'order_final', quote_nullable(binding.order_final)),
		(25, 'order_header', quote_nullable(binding.header::text)),
		(26, 'order_header_id', quote_nullable(binding.order_header_id)),
		(27, 'header_user_id', quote_nullable(CASE WHEN binding.header IS NOT NULL
											  THEN coalesce(binding.header_user_id, '') END)),
		(28, 'header_columns', quote_nullable(CASE WHEN binding.header IS NOT NULL THEN binding.header_columns::text END)),
		(29, 'order_values', quote_nullable(binding.order_values::text)),
		(30, 'header_values', quote_nullable(binding.header_values::text)),
		(31, 'order_prepare', quote_nullable(binding.order_prepare::text)),
		(32, 'order_limit', quote_literal(coalesce(binding.order_limit, '')))
$$;
COMMENT ON FUNCTION inventory.binding_arguments(inventory.store_binding) IS 'The arguments of attach that make a binding. An empty name stands for a column that is not bound.';

CREATE FUNCTION inventory.attach_statement(binding inventory.store_binding) RETURNS text
	LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
	SELECT format(E'SELECT %I.attach(\n%s);', 'inventory',
				  string_agg(format(E'\t%s => %s', a.name, a.value), E',\n' ORDER BY a.n))
	FROM inventory.binding_arguments(binding) AS a
$$;
COMMENT ON FUNCTION inventory.attach_statement(inventory.store_binding) IS 'The call of attach that makes a binding, with every argument.';

-- In snake case, so that num_allocated, qtyReserved and onHold have the same words.
CREATE FUNCTION inventory.promising_columns(binding inventory.store_binding) RETURNS SETOF name
	LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
	SELECT a.attname FROM pg_attribute AS a
	WHERE a.attrelid = binding.items AND a.attnum > 0 AND NOT a.attisdropped
	AND inventory.base_type(a.atttypid) = ANY (inventory.integer_types())
	AND NOT coalesce(a.attname IN (binding.item_id, binding.stock, binding.version, binding.stock_floor,
								   binding.purchase_limit), false)
	AND lower(regexp_replace(a.attname::text, '([a-z0-9])([A-Z])', $re$\1_\2$re$, 'g'))
		~ '(^|_)(sold|purchased|reserved|held|allocated|on_?hold|committed)(_|$)'
	ORDER BY a.attnum
$$;
COMMENT ON FUNCTION inventory.promising_columns(inventory.store_binding) IS 'Columns of items that are not bound and, by their names, count units that the stock still contains.';

CREATE FUNCTION inventory.warn_promising_columns(binding inventory.store_binding) RETURNS void
	LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	promising name;
	cure inventory.store_binding;
BEGIN
	FOR promising IN SELECT inventory.promising_columns(binding) LOOP
		cure := binding;
		cure.stock_floor := promising;
		RAISE WARNING 'column "%" of % is not bound', promising, binding.items
			USING HINT = CASE WHEN binding.stock_floor IS NULL THEN format(
				E'If it counts units that "%s" still contains, they would be sold again. Bind it as the floor:\n%s',
				binding.stock, inventory.attach_statement(cure))
			ELSE format('If it counts units that "%s" still contains, they would be sold again, unless "%s" includes them.',
						binding.stock, binding.stock_floor) END;
	END LOOP;
END
$$;
COMMENT ON FUNCTION inventory.warn_promising_columns(inventory.store_binding) IS 'Warns of columns of items that, by their names, count units that the stock still contains.';

CREATE FUNCTION inventory.warn_below_floor(binding inventory.store_binding) RETURNS void
	LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	floor_of text := coalesce('coalesce(' || quote_ident(binding.stock_floor) || ', 0)', '0');
	below bigint;
BEGIN
	EXECUTE format('SELECT count(*) FROM ONLY %s WHERE %I < %s', binding.items, binding.stock, floor_of) INTO below;
	IF below > 0 THEN
		RAISE WARNING 'rows of % with less stock than their floor: %', binding.items, below
			USING HINT = format('Nothing of them is sold until they have more. To see them: SELECT * FROM %s WHERE %I < %s;',
								binding.items, binding.stock, floor_of);
	END IF;
END
$$;
COMMENT ON FUNCTION inventory.warn_below_floor(inventory.store_binding) IS 'Warns of items that have less stock than their floor, which is 0 where none is bound.';

CREATE FUNCTION inventory.warn_foreign_item(binding inventory.store_binding) RETURNS void
	LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	elsewhere regclass := inventory.contradicting_table(binding, binding.order_item_id);
BEGIN
	IF elsewhere IS NOT NULL THEN
		RAISE WARNING 'column "%" of % references %, not %', binding.order_item_id, binding.orders, elsewhere,
					  binding.items
			USING HINT = format('It must hold the key "%s" of %s. If it does not, name another column as order_item_id, or attach %s.',
								binding.item_id, binding.items, elsewhere);
	END IF;
END
$$;
COMMENT ON FUNCTION inventory.warn_foreign_item(inventory.store_binding) IS 'Warns if the column of orders that holds the key of the item references another table.';

-- What a trigger passes to a function, and what its WHEN calls, is up to the role that created it, which is not
-- recorded.  While the tables make a store, check_created_triggers() refuses the triggers of others; these are older.
-- Arguments that are columns of the table do no harm.
CREATE FUNCTION inventory.warn_given_triggers(binding inventory.store_binding) RETURNS void
	LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	-- gathered first, so that they are looked up one by one
	tables oid[] := ARRAY[binding.items, binding.orders, binding.header]
		|| ARRAY(SELECT relid::oid FROM pg_partition_tree(binding.orders))
		|| ARRAY(SELECT to_regclass(format('%I.%I', binding.ledger_schema, t.name))::oid
				 FROM unnest('{movements,reservations,requests,hot,order_changes}'::text[]) AS t(name));
	found text;
	creators text;
BEGIN
	SELECT string_agg(DISTINCT pg_get_triggerdef(g.oid), E'\n'),
		   string_agg(DISTINCT CASE a.grantee WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(a.grantee)) END, ', ')
	INTO found, creators
	FROM pg_class AS c
	JOIN pg_trigger AS g ON g.tgrelid = c.oid
	JOIN pg_proc AS p ON p.oid = g.tgfoid
	JOIN aclexplode(c.relacl) AS a ON a.privilege_type = 'TRIGGER' AND a.grantee <> c.relowner
	WHERE c.oid = ANY (tables)
	AND NOT g.tgisinternal AND g.tgparentid = 0 AND g.tgenabled <> 'D'
	AND p.pronamespace <> 'inventory'::regnamespace
	AND (a.grantee = 0 OR NOT pg_has_role(a.grantee, c.relowner, 'USAGE'))
	AND (g.tgqual IS NOT NULL
		 OR EXISTS (SELECT FROM unnest(string_to_array(encode(g.tgargs, 'escape'), $end$\000$end$)) AS argument
					WHERE argument <> '' AND NOT EXISTS (
						SELECT FROM pg_attribute AS t WHERE t.attrelid = c.oid AND t.attname::text = argument)));
	IF found IS NOT NULL THEN
		RAISE WARNING 'triggers of the tables of % can have been created by %', binding.items, creators
			USING DETAIL = found,
				  HINT = format('Each sale runs their conditions and arguments with the rights of %s. Drop those that the shop did not create, and revoke the privilege TRIGGER.',
								(SELECT quote_ident(pg_get_userbyid(relowner)) FROM pg_class WHERE oid = binding.items));
	END IF;
END
$$;
COMMENT ON FUNCTION inventory.warn_given_triggers(inventory.store_binding) IS 'Warns of triggers with a condition or with arguments on tables for which other roles have the privilege TRIGGER.';

CREATE FUNCTION inventory.warn_sold_lines(binding inventory.store_binding) RETURNS void
	LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	has_lines boolean := false;
BEGIN
	IF binding.orders IS NOT NULL AND binding.order_writes <> 'follow' THEN
		EXECUTE format('SELECT EXISTS (SELECT FROM %s)', binding.orders) INTO has_lines;
	END IF;
	IF has_lines THEN
		RAISE WARNING '% has lines already', binding.orders
			USING HINT = format('They count as sold, and refund_order gives their units back: "%s" must not contain these units any more.',
								binding.stock);
	END IF;
END
$$;
COMMENT ON FUNCTION inventory.warn_sold_lines(inventory.store_binding) IS 'Warns if orders has lines that were written before they were bound.';

-- Only of a new ledger: an older one knows its own sales.
CREATE FUNCTION inventory.warn_old_orders(binding inventory.store_binding, movements regclass)
	RETURNS void
	LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	has_movements boolean;
BEGIN
	EXECUTE format('SELECT EXISTS (SELECT FROM %s)', movements) INTO has_movements;
	IF NOT has_movements THEN
		PERFORM inventory.warn_sold_lines(binding);
	END IF;
END
$$;
COMMENT ON FUNCTION inventory.warn_old_orders(inventory.store_binding, regclass) IS 'Warns if orders has lines that were written before the store was attached.';
