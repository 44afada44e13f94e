
-- ---------------------------------------------------------------- types
--
-- The type of a bound column is also that of columns of the ledger and of arguments of the
-- functions, so it changes with them or not at all.

-- "column" can be qualified by the name of its table.
CREATE FUNCTION inventory.find_column(binding inventory.store_binding, column_name text,
									  OUT relation regclass, OUT attribute name)
	LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	names text[];
	bound name[] := ARRAY[binding.item_id, binding.stock, binding.version, binding.stock_floor, binding.purchase_limit,
						  binding.order_limit];
	order_bound name[] := ARRAY[binding.order_id, binding.order_user_id, binding.order_item_id, binding.order_quantity,
								binding.order_header_id];
BEGIN
	-- of those that are bound, if any is
	SELECT array_agg(f.name ORDER BY f.n), (array_agg(f.relation ORDER BY f.n))[1], (array_agg(f.attname ORDER BY f.n))[1]
	INTO names, relation, attribute
	FROM (SELECT t.n, t.relation, a.attname, inventory.table_column(c.oid, a.attname) AS name,
				 rank() OVER (ORDER BY (a.attname = ANY (t.bound)) IS NOT TRUE) AS rank
		  FROM (VALUES (1, binding.items, bound), (2, binding.orders, order_bound),
					   (3, binding.header, ARRAY[binding.header_id, binding.header_user_id])) AS t(n, relation, bound)
		  JOIN pg_class AS c ON c.oid = t.relation
		  JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
		  WHERE column_name IN (a.attname, c.relname || '.' || a.attname, inventory.table_column(c.oid, a.attname))) AS f
	WHERE f.rank = 1;
	IF cardinality(names) > 1 THEN
		RAISE EXCEPTION 'column "%" can be % or %', column_name, names[1], names[2]
			USING ERRCODE = 'ambiguous_column', HINT = format('Name its table: %L or %L.', names[1], names[2]);
	ELSIF names IS NULL AND (column_name <> 'user_id' OR binding.order_user_id IS NOT NULL
							 OR binding.header_user_id IS NOT NULL) THEN
		RAISE EXCEPTION 'no table of store "%" has a column "%"', binding.store_name, column_name
			USING ERRCODE = 'undefined_column',
				  HINT = 'Name a column of items, orders or the header, or "user_id" for the users of a store that binds no column of them.';
	END IF;
END
$$;
COMMENT ON FUNCTION inventory.find_column(inventory.store_binding, text) IS 'The column of a table of a store that a name means; null for the users of a store that has no column of them. Raises an error if there is none, or more than one.';

-- The columns of ids that have one type in a store.
CREATE FUNCTION inventory.columns_of_type(binding inventory.store_binding, INOUT relation regclass,
										  INOUT attribute name, new_type regtype)
	RETURNS SETOF record
	LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
	WITH ids(id, relation, attribute) AS (VALUES
		('item', binding.items, binding.item_id), ('item', binding.orders, binding.order_item_id),
		('user', binding.orders, binding.order_user_id), ('user', binding.header, binding.header_user_id),
		('header', binding.header, binding.header_id), ('header', binding.orders, binding.order_header_id))
	SELECT columns_of_type.relation, columns_of_type.attribute WHERE columns_of_type.attribute IS NOT NULL
	UNION
	SELECT o.relation, o.attribute FROM ids AS i JOIN ids AS o USING (id)
	WHERE i.relation = columns_of_type.relation AND i.attribute = columns_of_type.attribute
	AND o.attribute IS NOT NULL
	-- lines may have a wider or narrower integer than the key of their item
	AND NOT (i.id = 'item' AND ARRAY[inventory.base_type(new_type), inventory.column_type(o.relation, o.attribute)]
							   <@ inventory.integer_types())
$$;
COMMENT ON FUNCTION inventory.columns_of_type(inventory.store_binding, regclass, name, regtype) IS 'The columns that change their type with a column of a store.';

CREATE FUNCTION inventory.alter_type(relation regclass, attribute name, new_type regtype) RETURNS void
	LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	a pg_attribute := inventory.column_of(relation, attribute);
	default_value text := (SELECT pg_get_expr(d.adbin, d.adrelid) FROM pg_attrdef AS d
						   WHERE d.adrelid = relation AND d.adnum = a.attnum AND a.attgenerated = '');
	serial text := pg_get_serial_sequence(relation::text, attribute);
BEGIN
	IF inventory.base_type(new_type) = ANY (inventory.integer_types()) AND inventory.has_fractions(relation, a) THEN
		RAISE EXCEPTION 'column "%" of % has fractions, which % would round', attribute, relation, new_type
			USING ERRCODE = 'numeric_value_out_of_range',
				  HINT = format('Count in a smaller unit, or round down first: UPDATE %1$s SET %2$I = floor(%2$I) WHERE %2$I <> floor(%2$I);',
								relation, attribute);
	END IF;
	EXECUTE format('ALTER TABLE %1$s %4$s ALTER COLUMN %2$I TYPE %3$s USING %2$I::%3$s %5$s', relation, attribute, new_type,
				   'ALTER COLUMN ' || CASE WHEN default_value IS NOT NULL THEN quote_ident(attribute) END || ' DROP DEFAULT,',
				   format(', ALTER COLUMN %I SET DEFAULT ', attribute)
				   -- a number stays as it is written: tools that compare schemas know it so
				   || CASE WHEN default_value ~ '^-?[0-9]+$' THEN default_value ELSE '(' || default_value || ')::' || new_type END);
	-- an identity column does that itself
	IF serial IS NOT NULL AND a.attidentity = '' AND new_type = ANY (inventory.integer_types()) THEN
		EXECUTE format('ALTER SEQUENCE %s AS %s', serial, new_type);
	END IF;
END
$$;
COMMENT ON FUNCTION inventory.alter_type(regclass, name, regtype) IS 'Changes the type of a column, its values and its default.';

CREATE FUNCTION inventory.alter_types(relations regclass[], attributes name[], new_type regtype) RETURNS void
	LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	-- foreign keys between the columns, which would have to change at once
	keys oid[] := ARRAY(
		SELECT c.oid FROM pg_constraint AS c
		JOIN unnest(relations, attributes) AS o(relation, attribute) ON o.relation = c.conrelid
		JOIN unnest(relations, attributes) AS i(relation, attribute) ON i.relation = c.confrelid
		JOIN pg_attribute AS a ON a.attrelid = c.conrelid AND a.attname = o.attribute AND a.attnum = ANY (c.conkey)
		JOIN pg_attribute AS f ON f.attrelid = c.confrelid AND f.attname = i.attribute AND f.attnum = ANY (c.confkey)
		WHERE c.contype = 'f' AND c.conparentid = 0);
	additions text[] := ARRAY(
		SELECT format('ALTER TABLE %s ADD CONSTRAINT %I %s', c.conrelid::regclass, c.conname, pg_get_constraintdef(c.oid))
		FROM pg_constraint AS c WHERE c.oid = ANY (keys) ORDER BY c.oid);
	statement text;
BEGIN
	FOR statement IN SELECT format('ALTER TABLE %s DROP CONSTRAINT %I', c.conrelid::regclass, c.conname)
					 FROM pg_constraint AS c WHERE c.oid = ANY (keys)
	LOOP
		EXECUTE statement;
	END LOOP;
	FOR n IN 1..cardinality(relations) LOOP
		PERFORM inventory.alter_type(relations[n], attributes[n], new_type);
	END LOOP;
	FOREACH statement IN ARRAY additions LOOP
		EXECUTE statement;
	END LOOP;
END
$$;
COMMENT ON FUNCTION inventory.alter_types(regclass[], name[], regtype) IS 'Changes the type of columns and keeps the foreign keys between them.';

CREATE FUNCTION inventory.attach_quietly(binding inventory.store_binding) RETURNS void
	LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp SET client_min_messages = error
	-- those under which the expressions were written
	SET DateStyle = ISO SET IntervalStyle = postgres SET standard_conforming_strings = on SET array_nulls = on AS $$
DECLARE
	store inventory.store;
BEGIN
	EXECUTE inventory.attach_statement(binding);
	-- the settings are not those of this session
	store := inventory.lookup_owned_store(binding.items);
	IF store.settings <> binding.settings THEN
		PERFORM inventory.delete_store_row(store.items);
		PERFORM inventory.insert_store_row(
			jsonb_populate_record(inventory.read_binding(store), jsonb_build_object('settings', binding.settings)),
			store.movements, store.has_sellable, store.has_prepare);
	END IF;
END
$$;
COMMENT ON FUNCTION inventory.attach_quietly(inventory.store_binding) IS 'Makes the store of a binding, under its settings, without a NOTICE.';

-- A domain is another type, and a length or a scale is part of one.
CREATE FUNCTION inventory.has_type_already(binding inventory.store_binding, column_name text, new_type regtype)
	RETURNS boolean
	LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
	SELECT CASE WHEN f.attribute IS NULL THEN binding.user_type = new_type
		ELSE NOT EXISTS (
			SELECT FROM inventory.columns_of_type(binding, f.relation, f.attribute, new_type) AS c
			CROSS JOIN LATERAL inventory.column_of(c.relation, c.attribute) AS a
			WHERE a.atttypid <> new_type OR a.atttypmod <> -1) END
	FROM inventory.find_column(binding, column_name) AS f
$$;
COMMENT ON FUNCTION inventory.has_type_already(inventory.store_binding, text, regtype) IS 'True if a column of a store, and all that change their type with it, have a type.';

CREATE FUNCTION inventory.retype_column(items regclass, "column" name, type regtype) RETURNS void
	LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	store inventory.store := inventory.lookup_owned_store(retype_column.items);
	binding inventory.store_binding;
	found record;
	relations regclass[];
	attributes name[];
	report text;
	grants text[];
	lost text;
BEGIN
	IF "column" IS NULL OR type IS NULL THEN
		RAISE EXCEPTION 'column and type must not be null' USING ERRCODE = 'null_value_not_allowed';
	END IF;
	PERFORM inventory.type_name(type);
	binding := inventory.binding_in_force(store);
	IF inventory.has_type_already(binding, "column"::text, type) THEN
		RAISE NOTICE 'the column has type % already, nothing changed', type;
		RETURN;
	END IF;
	PERFORM inventory.lock_exclusively(binding, binding);
	store := inventory.lookup_owned_store(store.items);
	binding := inventory.binding_in_force(store);
	PERFORM inventory.check_read_back(store, binding);
	SELECT * INTO found FROM inventory.find_column(binding, "column"::text);
	SELECT coalesce(array_agg(c.relation), '{}'), coalesce(array_agg(c.attribute), '{}'),
		   coalesce(string_agg(format('column %I of %s: %s -> %s', c.attribute, c.relation,
							   format_type((inventory.column_of(c.relation, c.attribute)).atttypid, NULL), type), E'\n'),
					format('users: %s -> %s', binding.user_type, type))
	INTO relations, attributes, report
	FROM inventory.columns_of_type(binding, found.relation, found.attribute, type) AS c;
	grants := ARRAY(SELECT inventory.facade_grants(binding));
	PERFORM inventory.unbind_store(store.items);
	PERFORM inventory.alter_types(relations, attributes, type);
	binding.item_type := inventory.column_type(binding.items, binding.item_id);
	binding.order_type := coalesce(inventory.column_type(binding.orders, binding.order_id), binding.order_type);
	binding.user_type := inventory.base_type(coalesce((inventory.user_column(binding)).atttypid,
		CASE WHEN found.attribute IS NULL THEN type ELSE binding.user_type END));
	PERFORM inventory.alter_ledger(binding);
	PERFORM inventory.attach_quietly(binding);
	FOR lost IN SELECT unnest(grants) EXCEPT SELECT inventory.facade_grants(binding) ORDER BY 1 LOOP
		EXECUTE lost;
	END LOOP;
	RAISE NOTICE 'store "%" is changed', binding.store_name USING DETAIL = report;
END
$$;
COMMENT ON FUNCTION inventory.retype_column(regclass, name, regtype) IS 'Implements retype, with the rights of the owner of the items.';

CREATE FUNCTION inventory.retype(items regclass, "column" name, type regtype) RETURNS void
	LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'inventory_retype';
COMMENT ON FUNCTION inventory.retype(regclass, name, regtype) IS 'Changes the type of a column of the tables of a store, in the ledger and the functions too: detaches, alters and attaches in one transaction. The ledger and all grants stay. Arguments: items, the table; column, of items, orders or their header, with the name of its table where that is needed (orders.id), or user_id where users have no column; type, the new one. Columns of ids that must have one type change together, and foreign keys between them stay. Errors: IV012 not_a_store, 42702, 42703, 42804 for a type that the column cannot have, 55006 while an item is hot, 2BP01 for views of the shop on levels, 22003 for fractions, 22P02, 22004, 42501.';

-- ALTER TABLE would only say that a trigger or a view uses the column.
CREATE FUNCTION inventory.check_altered_column(relation regclass, column_name name, type text) RETURNS void
	LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	store inventory.store;
BEGIN
	SELECT s.* INTO store FROM inventory.store AS s
	WHERE relation IN (s.items, s.orders, s.header) AND pg_has_role(inventory.owner_of(relation), 'USAGE')
	AND EXISTS (
		SELECT FROM pg_depend AS d JOIN pg_attribute AS a ON a.attrelid = d.refobjid AND a.attnum = d.refobjsubid
		WHERE d.refclassid = 'pg_class'::regclass AND d.refobjid = relation AND a.attname = column_name
		AND (d.classid = 'pg_trigger'::regclass AND d.objid IN (SELECT t.trigger_id FROM inventory.store_triggers(s) AS t)
			 OR d.classid = 'pg_rewrite'::regclass AND EXISTS (
				 SELECT FROM pg_rewrite AS r JOIN inventory.generated_relations(s) AS g ON g.oid = r.ev_class
				 WHERE r.oid = d.objid)
			 OR d.classid = 'pg_proc'::regclass
				AND d.objid = ANY (inventory.worth_functions(s) || inventory.prepare_function(s))))
	LIMIT 1;
	IF FOUND THEN
		RAISE EXCEPTION 'cannot alter the type of column "%" of %: store "%" uses it', column_name, relation, store.store_name
			USING ERRCODE = 'feature_not_supported',
				  HINT = format('SELECT inventory.retype(%L, %L, %L);', store.items,
								inventory.table_column(relation, column_name), type);
	END IF;
END
$$;
COMMENT ON FUNCTION inventory.check_altered_column(regclass, name, text) IS 'Refuses to change the type of a column that a store uses.';

CREATE FUNCTION inventory.before_alter() RETURNS pg_catalog.event_trigger
	LANGUAGE c AS 'MODULE_PATHNAME', 'inventory_before_alter';
COMMENT ON FUNCTION inventory.before_alter() IS 'Event trigger function: refuses to change the type of a column that a store uses, and names retype.';

CREATE EVENT TRIGGER inventory_before_alter ON ddl_command_start
	WHEN TAG IN ('ALTER TABLE') EXECUTE FUNCTION inventory.before_alter();
COMMENT ON EVENT TRIGGER inventory_before_alter IS 'Names inventory.retype() where ALTER TABLE cannot change the type of a column.';
