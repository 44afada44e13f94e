
-- ---------------------------------------------------------------- rows of orders
--
-- The function prepare_order of a ledger: it makes the rows of orders and of their header, so
-- that prices are the shop's and not the buyer's.  The engine finds it by its name.

CREATE FUNCTION inventory.prepare_comment(store_name text) RETURNS text
	LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
	SELECT 'Makes the rows of orders of store ' || store_name || ': {"header": {...}, "lines": [{...}, ...]}, of the user, the lines and the order_data of a purchase. User, item and quantity are the engine''s.'
$$;
COMMENT ON FUNCTION inventory.prepare_comment(text) IS 'The comment on prepare_order, by which an earlier one of the store is recognized.';

CREATE FUNCTION inventory.prepare_function(store inventory.store) RETURNS oid
	LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
	SELECT p.oid FROM pg_class AS m JOIN pg_proc AS p ON p.pronamespace = m.relnamespace
	WHERE m.oid = store.movements AND p.proname = 'prepare_order' AND p.proowner = m.relowner
	AND p.pronargs = 3 AND p.proargtypes[1] = 'jsonb'::regtype AND p.proargtypes[2] = 'jsonb'::regtype
	-- a dump can have been restored without comments
	AND (store.has_prepare IS TRUE
		 OR obj_description(p.oid, 'pg_proc') = inventory.prepare_comment(store.store_name))
$$;
COMMENT ON FUNCTION inventory.prepare_function(inventory.store) IS 'The function prepare_order that attach made for a store, or null.';

-- The row of an item has the names of its columns, except those that mean something else.
CREATE FUNCTION inventory.item_alias(binding inventory.store_binding, taken name[]) RETURNS text
	LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
	SELECT format('item (%s)', string_agg(quote_ident(CASE
			   WHEN a.attname = ANY ('{quantity,user_id,order_data}'::name[] || taken) THEN 'item_' || a.attname
			   ELSE a.attname END), ', ' ORDER BY a.attnum))
	FROM pg_attribute AS a WHERE a.attrelid = binding.items AND a.attnum > 0 AND NOT a.attisdropped
$$;
COMMENT ON FUNCTION inventory.item_alias(inventory.store_binding, name[]) IS 'The alias of items in prepare_order: a column with one of the given names, or with that of an argument, gets "item_" in front.';

CREATE FUNCTION inventory.value_list(object jsonb, template text) RETURNS text
	LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
	SELECT string_agg(format(template, e.key, e.value), ', ' ORDER BY e.n)
	FROM jsonb_each_text(coalesce(object, '{}')) WITH ORDINALITY AS e(key, value, n)
$$;
COMMENT ON FUNCTION inventory.value_list(jsonb, text) IS 'The expressions of order_values or header_values, each in a template with its column and itself, separated by commas.';

CREATE FUNCTION inventory.prepare_body(binding inventory.store_binding) RETURNS text
	LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
	SELECT format(E'SELECT jsonb_build_object(''header'', jsonb_build_object(%1$s),\n\t''lines'', jsonb_agg(to_jsonb(value.*) ORDER BY line."line number"))\nFROM jsonb_array_elements(prepare_order.lines) WITH ORDINALITY AS line ("line value", "line number")\nCROSS JOIN LATERAL (SELECT (line."line value" ->> ''item_id'')::%2$s AS "line item",\n\t(line."line value" ->> ''quantity'')::bigint AS quantity) AS call\nCROSS JOIN LATERAL (SELECT %3$s FROM (SELECT) AS one\n\tLEFT JOIN ONLY %4$s AS %5$s ON item.%7$I = call."line item") AS value\nLEFT JOIN ONLY %4$s AS %6$s ON item.%8$I = call."line item"',
		coalesce(inventory.value_list(binding.header_values, E'%1$L, (%2$s\n)'), ''), binding.item_type,
		coalesce(inventory.value_list(binding.order_values, E'(%2$s\n) AS %1$I'), ''), binding.items,
		inventory.item_alias(binding, '{}'), inventory.item_alias(binding, a.columns),
		CASE WHEN binding.item_id = ANY ('{quantity,user_id,order_data}') THEN 'item_' || binding.item_id
			 ELSE binding.item_id END,
		CASE WHEN binding.item_id = ANY ('{quantity,user_id,order_data}'::name[] || a.columns)
			 THEN 'item_' || binding.item_id ELSE binding.item_id END)
	FROM (VALUES (inventory.value_keys(binding.order_values))) AS a(columns)
$$;
COMMENT ON FUNCTION inventory.prepare_body(inventory.store_binding) IS 'The query of a prepare_order that computes order_values and header_values.';

CREATE FUNCTION inventory.check_prepare(binding inventory.store_binding) RETURNS void
	LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	p pg_proc;
BEGIN
	SELECT * INTO p FROM pg_proc AS f WHERE f.oid = binding.order_prepare;
	IF NOT FOUND THEN
		RAISE EXCEPTION 'function % does not exist', binding.order_prepare USING ERRCODE = 'undefined_function';
	ELSIF p.proowner <> binding.owner THEN
		RAISE EXCEPTION 'function % and its store have different owners', binding.order_prepare
			USING ERRCODE = 'insufficient_privilege',
				  HINT = format('ALTER FUNCTION %s OWNER TO %I;', binding.order_prepare, pg_get_userbyid(binding.owner));
	ELSIF p.pronargs <> 3 OR p.prorettype <> 'jsonb'::regtype OR p.proretset OR p.prokind <> 'f'
		  OR inventory.base_type(p.proargtypes[0]) <> binding.user_type
		  OR p.proargtypes[1] <> 'jsonb'::regtype OR p.proargtypes[2] <> 'jsonb'::regtype THEN
		RAISE EXCEPTION 'function % cannot be order_prepare', binding.order_prepare
			USING ERRCODE = 'invalid_function_definition',
				  HINT = format('Its arguments must be (user_id %s, lines jsonb, order_data jsonb), and its result jsonb.',
								binding.user_type);
	ELSIF p.provolatile = 'v' THEN
		RAISE EXCEPTION 'function % cannot be order_prepare: it is volatile', binding.order_prepare
			USING ERRCODE = 'invalid_function_definition',
				  HINT = format('It must leave nothing behind if the purchase is refused: ALTER FUNCTION %s STABLE;', binding.order_prepare);
	END IF;
END
$$;
COMMENT ON FUNCTION inventory.check_prepare(inventory.store_binding) IS 'Raises an error if a function of the shop cannot make the rows of orders.';

-- "more" are further arguments, which tell a function that is only to be read from the store's own.
CREATE FUNCTION inventory.make_prepare(binding inventory.store_binding, more text) RETURNS oid
	LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	signature text := format('%I.prepare_order(%s, jsonb, jsonb%s)', binding.ledger_schema, binding.user_type, more);
	body text;
	p pg_proc;
BEGIN
	IF binding.order_prepare IS NOT NULL THEN
		SELECT * INTO p FROM pg_proc AS f WHERE f.oid = binding.order_prepare;
		body := format('SELECT %I.%I(prepare_order.user_id::%s, prepare_order.lines, prepare_order.order_data)',
					   (SELECT n.nspname FROM pg_namespace AS n WHERE n.oid = p.pronamespace), p.proname,
					   p.proargtypes[0]::regtype);
	ELSIF num_nonnulls(binding.order_values, binding.header_values) > 0 THEN
		body := inventory.prepare_body(binding);
	ELSE
		RETURN NULL;
	END IF;
	BEGIN
		EXECUTE format(E'CREATE FUNCTION %I.prepare_order(user_id %s, lines jsonb, order_data jsonb%s) RETURNS jsonb\nLANGUAGE sql STABLE PARALLEL UNSAFE\nBEGIN ATOMIC\n%s;\nEND',
					   binding.ledger_schema, binding.user_type, more, body);
	EXCEPTION WHEN syntax_error_or_access_rule_violation OR data_exception THEN
		IF binding.order_prepare IS NOT NULL OR SQLSTATE IN ('42723', '42501') THEN
			RAISE;
		END IF;
		RAISE EXCEPTION 'order_values or header_values are not expressions: %', SQLERRM
			USING ERRCODE = SQLSTATE,
				  HINT = 'Write expressions over columns of the item, quantity, user_id and order_data, with the schemas of the tables and functions in them; in header_values aggregates over the lines.';
	END;
	PERFORM inventory.restrict_function(signature::regprocedure);
	PERFORM inventory.describe_function(signature::regprocedure, inventory.prepare_comment(binding.store_name));
	RETURN signature::regprocedure;
END
$$;
COMMENT ON FUNCTION inventory.make_prepare(inventory.store_binding, text) IS 'Creates the function prepare_order of a store that has order_prepare, order_values or header_values.';

CREATE FUNCTION inventory.warn_settable_values(items regclass) RETURNS void
	LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	named text;
BEGIN
	PERFORM inventory.check_owner(items);
	SELECT string_agg(format('%s.%I', b.relation, b.column_name), ', ' ORDER BY b.relation::text, b.n) INTO named
	FROM inventory.store AS s CROSS JOIN LATERAL inventory.bound_columns(s) AS b
	JOIN pg_attribute AS a ON a.attrelid = b.relation AND a.attname = b.column_name
	WHERE s.items = warn_settable_values.items
	AND split_part(b.role, '=', 1) LIKE '%+' AND rtrim(b.role, '+') = ''
	AND (inventory.base_type(a.atttypid) IN ('numeric'::regtype, 'money'::regtype)
		 OR lower(b.column_name) ~ '(price|amount|total|discount|tax|status|paid)');
	IF named IS NOT NULL THEN
		RAISE WARNING 'callers may set columns that look like money or state: %', named
			USING HINT = 'A buyer who may execute the functions chooses these values. Compute them: order_values, header_values or order_prepare.';
	END IF;
END
$$;
COMMENT ON FUNCTION inventory.warn_settable_values(regclass) IS 'Warns if callers of a store may set columns that look like money or state.';
