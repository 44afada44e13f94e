
-- ---------------------------------------------------------------- binding
--
-- Which tables and columns a store can bind, and the message for each that it cannot.

CREATE TYPE inventory.store_binding AS (
	store_name pg_catalog.text,
	items pg_catalog.regclass,
	orders pg_catalog.regclass,
	owner pg_catalog.oid,
	item_id pg_catalog.name,
	stock pg_catalog.name,
	version pg_catalog.name,
	stock_floor pg_catalog.name,
	purchase_limit pg_catalog.name,
	order_id pg_catalog.name,
	order_user_id pg_catalog.name,
	order_item_id pg_catalog.name,
	order_quantity pg_catalog.name,
	order_columns pg_catalog.name[],
	item_type pg_catalog.regtype,
	stock_type pg_catalog.regtype,
	user_type pg_catalog.regtype,
	order_type pg_catalog.regtype,
	api_schema pg_catalog.name,
	ledger_schema pg_catalog.name,
	argument_prefix pg_catalog.text,
	user_claim pg_catalog.text,
	sellable pg_catalog.text,
	direct_writes pg_catalog.text,
	max_ttl pg_catalog.interval,
	settings pg_catalog.text[],
	order_writes pg_catalog.text,
	order_units pg_catalog.text,
	order_final pg_catalog.text,
	header pg_catalog.regclass,
	order_header_id pg_catalog.name,
	header_user_id pg_catalog.name,
	header_columns pg_catalog.name[],
	order_values pg_catalog.jsonb,
	header_values pg_catalog.jsonb,
	order_prepare pg_catalog.regprocedure,
	order_limit pg_catalog.name,
	header_id pg_catalog.name,
	header_type pg_catalog.regtype,
	order_value_columns pg_catalog.name[],
	header_value_columns pg_catalog.name[],
	has_order_units pg_catalog.bool,
	refuses_truncate pg_catalog.bool
);
COMMENT ON TYPE inventory.store_binding IS 'The tables, columns, types and options of a store: found by attach, read back by refresh, used to generate the objects of the store.';

CREATE FUNCTION inventory.session_settings() RETURNS text[]
	LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
	SELECT array_agg(name || '=' || current_setting(name) ORDER BY n)
	FROM unnest('{TimeZone,timezone_abbreviations,DateStyle,IntervalStyle,lc_monetary,lc_numeric,lc_time,extra_float_digits,bytea_output,default_text_search_config,array_nulls,xmlbinary,xmloption,quote_all_identifiers,standard_conforming_strings,transform_null_equals,gin_fuzzy_search_limit}'::text[])
		 WITH ORDINALITY AS s(name, n)
$$;
COMMENT ON FUNCTION inventory.session_settings() IS 'The settings of this session on which the value of an expression can depend, each as name=value.';

CREATE FUNCTION inventory.check_table(relation regclass, role text, partitioned boolean)
	RETURNS void
	LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	class pg_class;
	what text;
BEGIN
	SELECT * INTO class FROM pg_class AS c WHERE c.oid = relation;
	IF NOT FOUND THEN
		RAISE EXCEPTION 'relation % does not exist', relation USING ERRCODE = 'undefined_table';
	END IF;
	PERFORM inventory.check_owner(relation);
	what := CASE
		WHEN class.relkind = 'p' AND NOT partitioned THEN 'a partitioned table'
		WHEN class.relkind = 'v' THEN 'a view'
		WHEN class.relkind = 'm' THEN 'a materialized view'
		WHEN class.relkind = 'f' THEN 'a foreign table'
		WHEN class.relkind NOT IN ('r', 'p') THEN 'not a table'
		WHEN class.relpersistence = 't' THEN 'a temporary table'
		WHEN class.relpersistence = 'u' THEN 'an unlogged table, which a crash empties'
		-- initdb creates objects with OIDs below 16384
		WHEN class.oid < 16384 OR class.relnamespace = 'inventory'::regnamespace THEN 'a system table'
		WHEN class.relkind = 'r' AND NOT partitioned AND EXISTS (
			SELECT FROM pg_inherits AS i WHERE relation IN (i.inhparent, i.inhrelid))
			THEN 'part of an inheritance tree'
		WHEN EXISTS (SELECT FROM pg_rewrite AS r WHERE r.ev_class = relation)
			THEN 'a table with rules'
	END;
	IF what IS NOT NULL THEN
		RAISE EXCEPTION '% cannot be the % of a store: it is %', relation, role, what
			USING ERRCODE = 'wrong_object_type',
				  HINT = CASE WHEN class.relkind = 'r' AND class.relpersistence = 'u'
						 THEN format('ALTER TABLE %s SET LOGGED;', relation)
						 ELSE format('Use an ordinary, permanent table%s.',
									 CASE WHEN partitioned THEN ', partitioned or not' ELSE '' END) END;
	END IF;
	PERFORM inventory.check_engine(relation);
END
$$;
COMMENT ON FUNCTION inventory.check_table(regclass, text, boolean) IS 'Raises an error if a relation cannot be the items, orders or order_header of a store.';

CREATE FUNCTION inventory.check_owners(stock_table regclass, order_table regclass) RETURNS void
	LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	owner name := pg_get_userbyid(inventory.owner_of(stock_table));
	schema_name name;
BEGIN
	IF inventory.owner_of(stock_table) <> inventory.owner_of(order_table) THEN
		RAISE EXCEPTION '% and % have different owners', stock_table, order_table
			USING ERRCODE = 'insufficient_privilege',
				  HINT = format('ALTER TABLE %s OWNER TO %I;', order_table, owner);
	END IF;
	SELECT min(inventory.schema_of(t)) INTO schema_name
	FROM unnest(ARRAY[stock_table, order_table]) AS t
	WHERE NOT has_schema_privilege(owner, inventory.schema_of(t), 'USAGE');
	IF schema_name IS NOT NULL THEN
		RAISE EXCEPTION 'role % has no USAGE privilege on schema %, which contains its tables', owner,
						quote_ident(schema_name)
			USING ERRCODE = 'insufficient_privilege',
				  HINT = format('GRANT USAGE ON SCHEMA %I TO %I;', schema_name, owner);
	END IF;
END
$$;
COMMENT ON FUNCTION inventory.check_owners(regclass, regclass) IS 'Raises an error unless items and another table have one owner, as whom the engine acts, and that owner can use their schemas.';

-- No ALTER where the server knows no cast to the type.
CREATE FUNCTION inventory.retype_statement(relation regclass, attribute pg_attribute, new_type regtype)
	RETURNS text
	LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
	SELECT format('ALTER TABLE %s ALTER COLUMN %I TYPE %s%s;', relation, attribute.attname, new_type,
				  CASE WHEN c.castcontext IN ('a', 'i') THEN ''
				  ELSE format(' USING %I::%s', attribute.attname, new_type) END)
	FROM pg_type AS t LEFT JOIN pg_cast AS c ON c.castsource = t.oid AND c.casttarget = new_type
	WHERE t.oid = inventory.base_type(attribute.atttypid) AND new_type IS NOT NULL
	AND (c.oid IS NOT NULL OR t.typcategory = 'S')
$$;
COMMENT ON FUNCTION inventory.retype_statement(regclass, pg_attribute, regtype) IS 'The ALTER TABLE that changes the type of a column; null without a new type or a cast to it.';

-- userId, USERID and user_id are one name to those who write it in their convention.
CREATE FUNCTION inventory.plain_name(column_name name) RETURNS text
	LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
	SELECT lower(replace(column_name::text, '_', ''))
$$;
COMMENT ON FUNCTION inventory.plain_name(name) IS 'A name without what conventions differ in: case and underscores.';

CREATE FUNCTION inventory.usual_column(relation regclass, role text, usual name, types regtype[])
	RETURNS name
	LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	found name[];
BEGIN
	-- one of a wrong type only if there is no other, for the message about it
	SELECT array_agg(a.attname ORDER BY a.attnum) INTO found
	FROM (SELECT a.*, inventory.base_type(a.atttypid) = ANY (types) AS fits FROM pg_attribute AS a
		  WHERE a.attrelid = relation AND a.attnum > 0 AND NOT a.attisdropped
		  AND inventory.plain_name(a.attname) = inventory.plain_name(usual)) AS a
	GROUP BY a.fits ORDER BY a.fits DESC LIMIT 1;
	IF cardinality(found) > 1 THEN
		RAISE EXCEPTION 'both column "%" and column "%" of % could be %', found[1], found[2], relation, role
			USING ERRCODE = 'ambiguous_column', HINT = format('Name the column: %s => %L.', role, found[1]);
	END IF;
	RETURN found[1];
END
$$;
COMMENT ON FUNCTION inventory.usual_column(regclass, text, name, regtype[]) IS 'The column whose name is the usual one for a role, in any convention; null if there is none. Raises an error if two are.';

-- A cast to an integer rounds, and half a unit more is a unit that is not there.
CREATE FUNCTION inventory.has_fractions(relation regclass, attribute pg_attribute) RETURNS boolean
	LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	found boolean := false;
BEGIN
	IF inventory.base_type(attribute.atttypid) IN ('numeric', 'float4', 'float8') THEN
		EXECUTE format('SELECT EXISTS (SELECT FROM %s AS t WHERE t.%2$I <> floor(t.%2$I))', relation,
					   attribute.attname) INTO found;
	END IF;
	RETURN found;
END
$$;
COMMENT ON FUNCTION inventory.has_fractions(regclass, pg_attribute) IS 'True if a column has a value that is not a whole number.';

CREATE FUNCTION inventory.retype_hint(relation regclass, attribute pg_attribute, new_type regtype)
	RETURNS text
	LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
	SELECT CASE
		WHEN new_type IS NULL THEN NULL
		WHEN inventory.has_fractions(relation, attribute) THEN format(
			'Some values have fractions, which a cast would round up. Count in a smaller unit, or round down: ALTER TABLE %s ALTER COLUMN %I TYPE %s USING floor(%I)::%s;',
			relation, attribute.attname, new_type, attribute.attname, new_type)
		WHEN (SELECT t.typtype FROM pg_type AS t WHERE t.oid = attribute.atttypid) = 'e' THEN format(
			'An enum counts no units. Add a column that does, and name it: ALTER TABLE %s ADD COLUMN units %s NOT NULL DEFAULT 0;',
			relation, new_type)
		ELSE inventory.retype_statement(relation, attribute, new_type) END
$$;
COMMENT ON FUNCTION inventory.retype_hint(regclass, pg_attribute, regtype) IS 'What to do about a column of another type than the suggested one.';

CREATE FUNCTION inventory.resolve_column(relation regclass, role text, given name, usual name,
										 types regtype[], suggested_type regtype) RETURNS name
	LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	attribute pg_attribute := inventory.column_of(relation,
		coalesce(given, inventory.usual_column(relation, role, usual, types)));
	type text := format_type(attribute.atttypid, attribute.atttypmod);
	allowed text := format('%s can be: %s.', role, array_to_string(types, ', '));
BEGIN
	IF given = '' THEN
		RETURN NULL;
	ELSIF attribute.attname IS NULL AND given IS NOT NULL THEN
		RAISE EXCEPTION 'column "%" of % does not exist', given, relation
			USING ERRCODE = 'undefined_column', HINT = format('It was given as %s.', role);
	ELSIF attribute.attname IS NULL THEN
		RETURN NULL;
	ELSIF attribute.attgenerated <> ''
		  AND role IN ('stock', 'version', 'order_quantity', 'order_item_id', 'order_user_id',
					   'order_header_id', 'header_user_id') THEN
		-- the engine writes these
		IF given IS NULL AND role <> 'stock' THEN
			RETURN NULL;
		END IF;
		RAISE EXCEPTION 'column "%" of % is generated and cannot be %', attribute.attname, relation, role
			USING ERRCODE = 'invalid_column_reference',
				  HINT = 'Use the column that it is computed from.';
	ELSIF attribute.attgenerated = 'v' THEN
		-- the engine reads rows without computing anything
		RAISE EXCEPTION 'column "%" of % is virtual and cannot be %', attribute.attname, relation, role
			USING ERRCODE = 'invalid_column_reference',
				  HINT = 'Generate it as STORED, or use the column that it is computed from.';
	ELSIF NOT inventory.base_type(attribute.atttypid) = ANY (types) THEN
		IF given IS NULL AND suggested_type IS NULL THEN
			RAISE WARNING 'column "%" of % is not bound: it is %, which cannot be %', attribute.attname,
						  relation, type, role
				USING HINT = allowed;
			RETURN NULL;
		END IF;
		RAISE EXCEPTION 'column "%" of % is %, which cannot be %', attribute.attname, relation, type, role
			USING ERRCODE = 'datatype_mismatch',
				  HINT = concat_ws(' ', allowed, inventory.retype_hint(relation, attribute, suggested_type));
	END IF;
	RETURN attribute.attname;
END
$$;
COMMENT ON FUNCTION inventory.resolve_column(regclass, text, name, name, regtype[], regtype) IS 'The column for a role of the binding: the given one, which must exist and fit, or else the usual one if it exists and fits; null if there is none, or if an empty name was given.';

CREATE FUNCTION inventory.bind_items(INOUT binding inventory.store_binding)
	LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	items regclass := binding.items;
	integers regtype[] := inventory.integer_types();
	twice name;
BEGIN
	binding.item_id := inventory.resolve_column(items, 'item_id',
		coalesce(binding.item_id, inventory.primary_key(items)), NULL, inventory.key_types(), NULL);
	IF binding.item_id IS NULL THEN
		RAISE EXCEPTION '% has no primary key of one column', items
			USING ERRCODE = 'invalid_table_definition',
				  HINT = 'Name a NOT NULL column with a unique constraint of its own: item_id => ''...''.';
	ELSIF NOT inventory.is_key(items, binding.item_id) THEN
		RAISE EXCEPTION 'column "%" of % is not a key', binding.item_id, items
			USING ERRCODE = 'invalid_table_definition',
				  HINT = format('item_id must be NOT NULL and have a unique constraint of its own that is not deferrable: ALTER TABLE %s ALTER COLUMN %I SET NOT NULL, ADD UNIQUE (%I);',
								items, binding.item_id, binding.item_id);
	END IF;

	binding.stock := inventory.resolve_column(items, 'stock', binding.stock, 'stock', integers, 'bigint');
	IF binding.stock IS NULL THEN
		RAISE EXCEPTION '% has no column "stock"', items
			USING ERRCODE = 'undefined_column',
				  HINT = 'Name the column that counts the units for sale: stock => ''...''.';
	ELSIF binding.stock = binding.item_id THEN
		RAISE EXCEPTION 'column "%" of % cannot be both the key and the stock', binding.stock, items
			USING ERRCODE = 'invalid_column_reference';
	END IF;
	binding.version := inventory.resolve_column(items, 'version', binding.version, 'version',
												integers, NULL);
	binding.stock_floor := inventory.resolve_column(items, 'stock_floor', binding.stock_floor,
													'stock_floor', integers, NULL);
	binding.purchase_limit := inventory.resolve_column(items, 'purchase_limit', binding.purchase_limit,
													   'purchase_limit', integers, NULL);
	binding.order_limit := inventory.resolve_column(items, 'order_limit', binding.order_limit,
													'order_limit', integers, NULL);
	SELECT c INTO twice
	FROM unnest(ARRAY[binding.item_id, binding.stock, binding.version, binding.stock_floor,
					  binding.purchase_limit, binding.order_limit]) AS u(c)
	WHERE c IS NOT NULL GROUP BY c HAVING count(*) > 1 LIMIT 1;
	IF twice IS NOT NULL THEN
		RAISE EXCEPTION 'column "%" of % is bound twice', twice, items
			USING ERRCODE = 'invalid_column_reference', HINT = 'A column has one meaning in a store.';
	END IF;
	binding.item_type := inventory.column_type(items, binding.item_id);
	binding.stock_type := inventory.column_type(items, binding.stock);
END
$$;
COMMENT ON FUNCTION inventory.bind_items(inventory.store_binding) IS 'Finds and checks the columns of items.';

CREATE FUNCTION inventory.referenced_table(relation regclass, column_name name, expected regclass)
	RETURNS regclass
	LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
	SELECT min(c.confrelid)::regclass FROM pg_constraint AS c
	JOIN pg_attribute AS a ON a.attrelid = c.conrelid AND a.attnum = c.conkey[1]
	WHERE c.contype = 'f' AND c.conrelid = relation AND cardinality(c.conkey) = 1
	AND a.attname = column_name
	HAVING bool_or(c.confrelid = expected) IS NOT TRUE
$$;
COMMENT ON FUNCTION inventory.referenced_table(regclass, name, regclass) IS 'The table that a column references, null if it references none or the expected one.';

-- The key of the items can be that of the other table.
CREATE FUNCTION inventory.contradicting_table(binding inventory.store_binding, column_name name)
	RETURNS regclass
	LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
	SELECT nullif(inventory.referenced_table(binding.orders, column_name, binding.items),
				  inventory.referenced_table(binding.items, binding.item_id, NULL))
$$;
COMMENT ON FUNCTION inventory.contradicting_table(inventory.store_binding, name) IS 'The table that a column of orders references, if that says that it does not hold the key of the items; else null.';

CREATE FUNCTION inventory.resolve_order_item(binding inventory.store_binding) RETURNS name
	LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	orders regclass := binding.orders;
	resolved name := inventory.resolve_column(orders, 'order_item_id', binding.order_item_id, 'item_id',
										   inventory.key_types(), NULL);
	keys name[] := ARRAY(
		SELECT a.attname FROM pg_constraint AS c
		JOIN pg_attribute AS a ON a.attrelid = c.conrelid AND a.attnum = c.conkey[1]
		JOIN pg_attribute AS f ON f.attrelid = c.confrelid AND f.attnum = c.confkey[1]
		WHERE c.contype = 'f' AND c.conrelid = orders AND c.confrelid = binding.items
		AND cardinality(c.conkey) = 1 AND f.attname = binding.item_id
		ORDER BY a.attnum);
	elsewhere regclass;
BEGIN
	IF resolved IS NULL AND cardinality(keys) = 1 THEN
		resolved := keys[1];
	ELSIF resolved IS NULL AND keys = '{}' THEN
		resolved := inventory.resolve_column(orders, 'order_item_id', NULL, 'product_id',
											 inventory.key_types(), NULL);
	END IF;
	IF resolved IS NULL THEN
		RAISE EXCEPTION 'cannot tell which column of % holds the key of the item', orders
			USING ERRCODE = 'undefined_column',
				  HINT = CASE WHEN keys = '{}'
						 THEN 'It has no column "item_id" or "product_id" and no foreign key to items. Name the column: order_item_id => ''...''.'
						 ELSE format('Foreign keys to items: %s. Name the column: order_item_id => %L.',
									 array_to_string(keys, ', '), keys[1]) END;
	ELSIF binding.order_item_id IS NULL AND NOT resolved = ANY (keys) THEN
		-- the name alone is a guess, which a foreign key to another table contradicts
		elsewhere := inventory.contradicting_table(binding, resolved);
		IF elsewhere IS NOT NULL THEN
			RAISE EXCEPTION 'column "%" of % references %, not %', resolved, orders, elsewhere, binding.items
				USING ERRCODE = 'invalid_column_reference',
					  HINT = 'Name the column that holds the key of the item: order_item_id => ''...''.';
		END IF;
	END IF;
	RETURN resolved;
END
$$;
COMMENT ON FUNCTION inventory.resolve_order_item(inventory.store_binding) IS 'The column of orders that holds the key of the item: the given one, or "item_id", or the only foreign key to items, or "product_id".';

-- "bound" are columns that the engine fills, "taken" names that mean something else.
CREATE FUNCTION inventory.check_settable(relation regclass, columns name[], argument text, bound name[],
										 taken name[]) RETURNS void
	LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	wanted name;
	attribute pg_attribute;
	why text;
BEGIN
	IF cardinality(columns) > 63 THEN
		RAISE EXCEPTION '% may name at most 63 columns', argument
			USING ERRCODE = 'program_limit_exceeded';
	END IF;
	FOREACH wanted IN ARRAY columns LOOP
		attribute := inventory.column_of(relation, wanted);
		IF attribute.attname IS NULL THEN
			RAISE EXCEPTION 'column "%" of % does not exist', wanted, relation
				USING ERRCODE = 'undefined_column', HINT = format('It was given in %s.', argument);
		END IF;
		why := CASE
			WHEN wanted = ANY (bound) THEN 'it is an argument of its own'
			WHEN wanted = ANY (taken) THEN 'a line uses this name itself'
			WHEN attribute.attgenerated <> '' THEN 'it is generated'
			WHEN attribute.attidentity = 'a' THEN 'it is an identity column that is always generated'
			WHEN (SELECT count(*) FROM unnest(columns) AS c WHERE c = wanted) > 1
				THEN 'it is named twice'
		END;
		IF why IS NOT NULL THEN
			RAISE EXCEPTION 'column "%" of % cannot be in %: %', wanted, relation, argument, why
				USING ERRCODE = 'invalid_column_reference';
		END IF;
	END LOOP;
END
$$;
COMMENT ON FUNCTION inventory.check_settable(regclass, name[], text, name[], name[]) IS 'Raises an error if callers cannot set one of the columns that an argument of attach names.';

-- A new sequence would begin with keys that are there already.
CREATE FUNCTION inventory.identity_clause(relation regclass, column_name name) RETURNS text
	LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	last_key bigint;
BEGIN
	EXECUTE format('SELECT max(%I) FROM %s', column_name, relation) INTO last_key;
	RETURN 'ADD GENERATED BY DEFAULT AS IDENTITY' ||
		CASE WHEN last_key > 0 THEN format(' (START WITH %s)', last_key::numeric + 1) ELSE '' END;
END
$$;
COMMENT ON FUNCTION inventory.identity_clause(regclass, name) IS 'What makes an integer key an identity column, for ALTER TABLE ALTER COLUMN.';

CREATE FUNCTION inventory.check_required_columns(relation regclass, key name, filled name[],
												 settable name[], argument text, order_writes text) RETURNS void
	LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	names name[];
	numbers name[];
	alters text;
BEGIN
	SELECT array_agg(a.attname ORDER BY a.attnum),
		   array_agg(a.attname ORDER BY a.attnum) FILTER (WHERE a.attname <> key AND b.base = ANY (inventory.integer_types())
			   AND NOT EXISTS (SELECT FROM pg_constraint AS f WHERE f.conrelid = relation AND f.contype = 'f' AND a.attnum = ANY (f.conkey))),
		   string_agg(format('ALTER TABLE %s ALTER COLUMN %I %s;', relation, a.attname,
							 CASE WHEN b.base IN ('timestamp', 'timestamptz', 'date') THEN 'SET DEFAULT now()'
								  -- no random value is the key of another row
								  WHEN b.base = 'uuid'::regtype AND NOT EXISTS (
									  SELECT FROM pg_constraint AS f WHERE f.conrelid = relation
									  AND f.contype = 'f' AND a.attnum = ANY (f.conkey))
								  THEN 'SET DEFAULT gen_random_uuid()'
								  WHEN a.attname = key AND a.atttypid = ANY (inventory.integer_types())
								  THEN inventory.identity_clause(relation, a.attname)
								  ELSE 'SET DEFAULT ...' END), E'\n' ORDER BY a.attnum)
	INTO names, numbers, alters
	FROM pg_attribute AS a JOIN pg_type AS t ON t.oid = a.atttypid
	CROSS JOIN LATERAL inventory.base_type(a.atttypid) AS b(base)
	WHERE a.attrelid = relation AND a.attnum > 0 AND NOT a.attisdropped
	AND (a.attnotnull OR t.typnotnull) AND NOT a.atthasdef AND a.attidentity = ''
	AND a.attgenerated = '' AND t.typdefault IS NULL
	AND NOT a.attname = ANY (settable || array_remove(filled, NULL));
	IF names IS NULL THEN
		RETURN;
	ELSIF EXISTS (SELECT FROM pg_trigger AS g
				  WHERE g.tgrelid = relation AND g.tgenabled <> 'D' AND NOT g.tgisinternal
				  AND g.tgtype & 7 = 7) THEN
		RAISE WARNING 'only a trigger can fill NOT NULL columns of %: %', relation,
					  array_to_string(names, ', ')
			USING HINT = E'If no trigger does, every purchase fails. Let callers set them (' || argument || E'), or:\n' || alters;
	ELSIF order_writes = 'follow' THEN
		-- the shop may write all of its orders itself
		RAISE WARNING 'nothing fills NOT NULL columns of % but the shop: %', relation, array_to_string(names, ', ')
			USING HINT = format(E'For purchases by buy_item and the like let callers set them: %s => %L, or give each a default:\n',
								argument, names) || alters;
	ELSE
		RAISE EXCEPTION 'nothing fills NOT NULL columns of %: %', relation,
						array_to_string(names, ', ')
			USING ERRCODE = 'not_null_violation',
				  -- a quantity that callers set as a column would not be what is sold
				  HINT = CASE WHEN argument = 'order_columns' AND filled[3] IS NULL AND numbers IS NOT NULL
							  THEN format('If %I is the quantity of a line, name it: order_quantity => %1$L. ', numbers[1]) ELSE '' END
					  || format(E'Let callers set them: %s => %L, or give each a default:\n', argument, names) || alters;
	END IF;
END
$$;
COMMENT ON FUNCTION inventory.check_required_columns(regclass, name, name[], name[], text, text) IS 'Raises an error, with the ALTER TABLE to use, if nothing fills a NOT NULL column of orders or of their header: neither the engine, nor callers, nor a default. Where the stock follows the orders it is a warning.';

CREATE FUNCTION inventory.bind_order_columns(INOUT binding inventory.store_binding)
	LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	orders regclass := binding.orders;
	item_type regtype;
BEGIN
	binding.order_id := inventory.resolve_column(orders, 'order_id',
		coalesce(binding.order_id, inventory.primary_key(orders)), NULL, inventory.key_types(), NULL);
	IF binding.order_id IS NULL THEN
		RAISE EXCEPTION '% has no primary key of one column', orders
			USING ERRCODE = 'invalid_table_definition',
				  HINT = 'Name the column that identifies a line: order_id => ''...''.';
	ELSIF NOT inventory.is_key(orders, binding.order_id)
		  AND (SELECT c.relkind <> 'p' FROM pg_class AS c WHERE c.oid = orders) THEN
		RAISE EXCEPTION 'column "%" of % is not a key', binding.order_id, orders
			USING ERRCODE = 'invalid_table_definition',
				  HINT = 'order_id must be NOT NULL and have a unique constraint of its own; in a partitioned table it may be part of the key.';
	END IF;
	binding.order_item_id := inventory.resolve_order_item(binding);
	item_type := inventory.column_type(orders, binding.order_item_id);
	IF item_type <> binding.item_type
	   AND NOT (ARRAY[item_type, binding.item_type] <@ inventory.integer_types()) THEN
		RAISE EXCEPTION 'column "%" of % is %, but the key of the items is %', binding.order_item_id,
						orders, item_type, binding.item_type
			USING ERRCODE = 'datatype_mismatch',
				  HINT = 'Name the column that holds the key of the item: order_item_id => ''...''.';
	END IF;
	binding.order_quantity := inventory.resolve_column(orders, 'order_quantity', binding.order_quantity,
		'quantity', inventory.integer_types() || 'numeric'::regtype, 'bigint');
	binding.order_user_id := inventory.resolve_column(orders, 'order_user_id', binding.order_user_id,
		'user_id', inventory.key_types(), NULL);
	binding.order_type := inventory.column_type(orders, binding.order_id);
END
$$;
COMMENT ON FUNCTION inventory.bind_order_columns(inventory.store_binding) IS 'Finds and checks the columns of an orders table.';
