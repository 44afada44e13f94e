
-- ---------------------------------------------------------------- headers
--
-- Orders and the table of their headers: an order of several lines has one row there, to
-- which the lines refer.

CREATE FUNCTION inventory.resolve_order_header(binding inventory.store_binding,
											   OUT order_header_id name, OUT header_id name)
	LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	keys record;
	elsewhere regclass;
BEGIN
	SELECT array_agg(a.attname ORDER BY a.attnum) AS own, array_agg(f.attname ORDER BY a.attnum) AS referenced
	INTO keys
	FROM pg_constraint AS c
	JOIN pg_attribute AS a ON a.attrelid = c.conrelid AND a.attnum = c.conkey[1]
	JOIN pg_attribute AS f ON f.attrelid = c.confrelid AND f.attnum = c.confkey[1]
	WHERE c.contype = 'f' AND c.conrelid = binding.orders AND c.confrelid = binding.header
	AND cardinality(c.conkey) = 1
	AND a.attname = coalesce(binding.order_header_id, a.attname);
	IF binding.order_header_id IS NULL AND coalesce(cardinality(keys.own), 0) <> 1 THEN
		RAISE EXCEPTION 'cannot tell which column of % refers to %', binding.orders, binding.header
			USING ERRCODE = 'undefined_column',
				  HINT = 'It has not exactly one foreign key to the header. Name the column: order_header_id => ''...''.';
	END IF;
	order_header_id := inventory.resolve_column(binding.orders, 'order_header_id',
		coalesce(binding.order_header_id, keys.own[1]), NULL, inventory.key_types(), NULL);
	SELECT c.confrelid INTO elsewhere FROM pg_constraint AS c
	JOIN pg_attribute AS a ON a.attrelid = c.conrelid AND a.attnum = c.conkey[1]
	WHERE c.contype = 'f' AND c.conrelid = binding.orders AND c.confrelid <> binding.header
	AND cardinality(c.conkey) = 1 AND a.attname = order_header_id;
	IF elsewhere IS NOT NULL THEN
		RAISE EXCEPTION 'column "%" of % references %, not %', order_header_id, binding.orders, elsewhere,
						binding.header
			USING ERRCODE = 'invalid_column_reference',
				  HINT = 'Name the column that holds the key of the header: order_header_id => ''...''.';
	ELSIF order_header_id IN (binding.order_id, binding.order_item_id, binding.order_user_id,
							  binding.order_quantity) THEN
		RAISE EXCEPTION 'column "%" of % cannot be order_header_id: it is bound as something else',
						order_header_id, binding.orders
			USING ERRCODE = 'invalid_column_reference';
	END IF;
	header_id := coalesce(keys.referenced[1], inventory.primary_key(binding.header));
	IF header_id IS NULL OR NOT inventory.is_key(binding.header, header_id) THEN
		RAISE EXCEPTION '% has no key to which "%" of % could refer', binding.header, order_header_id,
						binding.orders
			USING ERRCODE = 'invalid_table_definition',
				  HINT = 'It needs a primary key of one column, or a foreign key must refer to a NOT NULL column with a unique constraint of its own that is not deferrable.';
	END IF;
END
$$;
COMMENT ON FUNCTION inventory.resolve_order_header(inventory.store_binding) IS 'The column of orders that refers to their header: the given one, or the only foreign key to it; and the column of the header to which it refers.';

CREATE FUNCTION inventory.value_keys(object jsonb) RETURNS name[]
	LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
	SELECT coalesce(array_agg(k ORDER BY n), '{}')::name[]
	FROM jsonb_object_keys(coalesce(object, '{}')) WITH ORDINALITY AS u(k, n)
$$;
COMMENT ON FUNCTION inventory.value_keys(jsonb) IS 'The columns that order_values or header_values have expressions for.';

-- "object" is order_values or header_values, "settable" what callers may set of the table.
CREATE FUNCTION inventory.check_values(relation regclass, object jsonb, argument text, bound name[],
									   settable name[]) RETURNS void
	LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	twice name;
BEGIN
	IF object IS NULL THEN
		RETURN;
	ELSIF jsonb_typeof(object) <> 'object' THEN
		RAISE EXCEPTION '% must be a JSON object', argument
			USING ERRCODE = 'invalid_parameter_value',
				  HINT = 'Of columns and expressions: {"unit_price": "price"}.';
	ELSIF EXISTS (SELECT FROM jsonb_each(object) AS e WHERE jsonb_typeof(e.value) <> 'string') THEN
		RAISE EXCEPTION 'the values of % must be SQL expressions in strings', argument
			USING ERRCODE = 'invalid_parameter_value',
				  HINT = 'Of columns and expressions: {"unit_price": "price", "status": "''pending''"}.';
	ELSIF octet_length(object::text) > 50000 THEN
		RAISE EXCEPTION '% may have at most 50000 bytes', argument
			USING ERRCODE = 'program_limit_exceeded', HINT = 'Write the function yourself: order_prepare => ''...''.';
	ELSIF cardinality(inventory.value_keys(object)) > 50 THEN
		RAISE EXCEPTION '% may name at most 50 columns', argument
			USING ERRCODE = 'program_limit_exceeded', HINT = 'Write the function yourself: order_prepare => ''...''.';
	END IF;
	PERFORM inventory.check_settable(relation, inventory.value_keys(object), argument, bound, NULL);
	SELECT k INTO twice FROM unnest(inventory.value_keys(object)) AS k WHERE k = ANY (settable) LIMIT 1;
	IF twice IS NOT NULL THEN
		RAISE EXCEPTION 'column "%" of % is in %, and callers may set it', twice, relation, argument
			USING ERRCODE = 'invalid_column_reference',
				  HINT = 'A column is either computed or set by callers.';
	END IF;
END
$$;
COMMENT ON FUNCTION inventory.check_values(regclass, jsonb, text, name[], name[]) IS 'Raises an error if order_values or header_values are not expressions for columns that neither the engine nor callers set.';

CREATE FUNCTION inventory.bind_header(INOUT binding inventory.store_binding)
	LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	header regclass := binding.header;
	line_type regtype;
	user_type regtype;
BEGIN
	SELECT r.order_header_id, r.header_id INTO binding.order_header_id, binding.header_id
	FROM inventory.resolve_order_header(binding) AS r;
	binding.header_id := inventory.resolve_column(header, 'the key of the header', binding.header_id, NULL,
												  inventory.key_types(), NULL);
	binding.header_type := inventory.column_type(header, binding.header_id);
	line_type := inventory.column_type(binding.orders, binding.order_header_id);
	IF line_type <> binding.header_type THEN
		RAISE EXCEPTION 'column "%" of % is %, but the key of % is %', binding.order_header_id,
						binding.orders, line_type, header, binding.header_type
			USING ERRCODE = 'datatype_mismatch',
				  HINT = coalesce(inventory.retype_statement(binding.orders,
					  inventory.column_of(binding.orders, binding.order_header_id), binding.header_type),
					  'Give both columns one type.');
	END IF;
	binding.header_user_id := inventory.resolve_column(header, 'header_user_id', binding.header_user_id,
		'user_id', inventory.key_types(), NULL);
	user_type := inventory.column_type(header, binding.header_user_id);
	IF user_type <> inventory.column_type(binding.orders, binding.order_user_id) THEN
		RAISE EXCEPTION 'column "%" of % is %, but the user of % is %', binding.header_user_id, header,
						user_type, binding.orders, inventory.column_type(binding.orders, binding.order_user_id)
			USING ERRCODE = 'datatype_mismatch', HINT = 'Users have one type in a store.';
	END IF;
	PERFORM inventory.check_settable(header, binding.header_columns, 'header_columns',
									 ARRAY[binding.header_user_id], NULL);
	PERFORM inventory.check_values(header, binding.header_values, 'header_values',
								   ARRAY[binding.header_user_id], binding.header_columns);
	-- what a function of the shop returns is not known
	IF binding.order_prepare IS NULL THEN
		PERFORM inventory.check_required_columns(header, binding.header_id, ARRAY[binding.header_user_id],
			binding.header_columns || inventory.value_keys(binding.header_values), 'header_columns',
			binding.order_writes);
	END IF;
END
$$;
COMMENT ON FUNCTION inventory.bind_header(inventory.store_binding) IS 'Finds and checks the columns of the table of headers, and the column of orders that refers to it.';

-- The user of a line that has none is that of its header.
CREATE FUNCTION inventory.user_column(binding inventory.store_binding) RETURNS pg_attribute
	LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
	SELECT CASE WHEN binding.order_user_id IS NOT NULL
		   THEN inventory.column_of(binding.orders, binding.order_user_id)
		   ELSE inventory.column_of(binding.header, binding.header_user_id) END
$$;
COMMENT ON FUNCTION inventory.user_column(inventory.store_binding) IS 'The column that has the user of an order: of the line, or else of its header; null if neither has one.';

CREATE FUNCTION inventory.bind_user_type(INOUT binding inventory.store_binding, user_id_type regtype)
	LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	attribute pg_attribute := inventory.user_column(binding);
BEGIN
	-- an attached store keeps what no column says
	binding.user_type := inventory.base_type(coalesce(attribute.atttypid::regtype, user_id_type,
		(SELECT inventory.column_type(s.movements, 'user_id') FROM inventory.store AS s WHERE s.items = binding.items),
		'text'));
	IF attribute.attname IS NOT NULL AND inventory.base_type(user_id_type) <> binding.user_type THEN
		RAISE EXCEPTION 'user_id_type cannot be %: column "%" of % is %', user_id_type,
						attribute.attname, attribute.attrelid::regclass, binding.user_type
			USING ERRCODE = 'datatype_mismatch', HINT = 'Omit user_id_type.';
	ELSIF (binding.user_type = ANY (inventory.key_types())) IS NOT TRUE THEN
		RAISE EXCEPTION 'user_id_type cannot be %', user_id_type
			USING ERRCODE = 'datatype_mismatch',
				  HINT = format('user_id_type can be: %s.', array_to_string(inventory.key_types(), ', '));
	END IF;
END
$$;
COMMENT ON FUNCTION inventory.bind_user_type(inventory.store_binding, regtype) IS 'Determines the type of user ids: that of a bound column, or the given one.';

CREATE FUNCTION inventory.bind_orders(INOUT binding inventory.store_binding, user_id_type regtype)
	LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	binding.order_columns := coalesce(binding.order_columns, '{}');
	binding.header_columns := coalesce(binding.header_columns, '{}');
	IF binding.orders IS NOT NULL THEN
		binding := inventory.bind_order_columns(binding);
	ELSIF num_nonnulls(binding.order_id, binding.order_user_id, binding.order_item_id,
					   binding.order_quantity, binding.order_writes, binding.order_units,
					   binding.order_final, binding.header, binding.order_values,
					   binding.order_prepare) > 0
		  OR binding.order_columns <> '{}' THEN
		RAISE EXCEPTION 'columns or options of orders were given, but no orders table'
			USING ERRCODE = 'invalid_parameter_value', HINT = 'Name the table: orders => ''...''.';
	END IF;
	IF binding.order_prepare IS NOT NULL AND num_nonnulls(binding.order_values, binding.header_values) > 0 THEN
		RAISE EXCEPTION 'order_prepare cannot be given with order_values or header_values'
			USING ERRCODE = 'invalid_parameter_value',
				  HINT = 'The function computes all values itself.';
	END IF;
	IF binding.header IS NOT NULL THEN
		binding := inventory.bind_header(binding);
	ELSIF num_nonnulls(binding.order_header_id, binding.header_user_id, binding.header_values) > 0
		  OR binding.header_columns <> '{}' THEN
		RAISE EXCEPTION 'columns of a header were given, but no table of headers'
			USING ERRCODE = 'invalid_parameter_value', HINT = 'Name the table: order_header => ''...''.';
	END IF;
	IF binding.orders IS NOT NULL THEN
		PERFORM inventory.check_settable(binding.orders, binding.order_columns, 'order_columns',
			ARRAY[binding.order_item_id, binding.order_user_id, binding.order_quantity],
			'{item_id,quantity}'::name[] || CASE WHEN binding.header IS NOT NULL THEN 'header'::name END);
		PERFORM inventory.check_values(binding.orders, binding.order_values, 'order_values',
			ARRAY[binding.order_item_id, binding.order_user_id, binding.order_quantity, binding.order_header_id],
			binding.order_columns);
		IF binding.order_prepare IS NULL THEN
			PERFORM inventory.check_required_columns(binding.orders, binding.order_id,
				ARRAY[binding.order_item_id, binding.order_user_id, binding.order_quantity, binding.order_header_id],
				binding.order_columns || inventory.value_keys(binding.order_values), 'order_columns',
				binding.order_writes);
		END IF;
	END IF;
	binding.order_value_columns := inventory.value_keys(binding.order_values);
	binding.header_value_columns := inventory.value_keys(binding.header_values);
	binding.order_type := coalesce(binding.order_type, 'text');
	binding.header_type := coalesce(binding.header_type, 'text');
	binding.order_writes := coalesce(binding.order_writes, 'record');
	binding := inventory.bind_user_type(binding, user_id_type);
END
$$;
COMMENT ON FUNCTION inventory.bind_orders(inventory.store_binding, regtype) IS 'Finds and checks the columns of orders and of their header, if there are such tables, and the type of user ids.';
