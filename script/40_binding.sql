
-- ---------------------------------------------------------------- columns
--
-- Which tables and columns can be bound, and the message for each that cannot.

-- A store's binding, as attach finds it and refresh reads it back.
CREATE TYPE inventory.plan AS (
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
	max_ttl pg_catalog.interval
);
COMMENT ON TYPE inventory.plan IS 'A store''s binding on its way from attach to the objects that are made of it.';

-- The column for a role: the given one, which must exist and fit, or the usual
-- one if it is there and fits.
CREATE FUNCTION inventory.resolve_column(relation regclass, role text, given name, usual name,
									  types regtype[], retype text) RETURNS name
	LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	picked pg_attribute := inventory.column_of(relation, coalesce(given, usual));
BEGIN
	IF picked.attname IS NULL AND given IS NOT NULL THEN
		RAISE EXCEPTION 'column "%" of % does not exist', given, relation
			USING ERRCODE = 'undefined_column', HINT = format('It was to be %s.', role);
	ELSIF picked.attname IS NULL THEN
		RETURN NULL;
	ELSIF NOT inventory.base_type(picked.atttypid) = ANY (types) THEN
		IF given IS NULL AND retype IS NULL THEN
			RAISE WARNING 'column "%" of % is not bound: it is %, which cannot be %', picked.attname,
						  relation, format_type(picked.atttypid, picked.atttypmod), role
				USING HINT = format('%s can be: %s.', role, array_to_string(types, ', '));
			RETURN NULL;
		END IF;
		RAISE EXCEPTION 'column "%" of % is %, which cannot be %', picked.attname, relation,
						format_type(picked.atttypid, picked.atttypmod), role
			USING ERRCODE = 'datatype_mismatch',
				  HINT = format('%s can be: %s.', role, array_to_string(types, ', ')) ||
						 CASE WHEN retype IS NULL THEN ''
						 ELSE format(' ALTER TABLE %s ALTER COLUMN %I TYPE %s;', relation,
									 picked.attname, retype) END;
	ELSIF picked.attgenerated <> ''
		  AND role IN ('stock', 'version', 'order_quantity', 'order_item_id', 'order_user_id') THEN
		-- these are written
		IF given IS NULL AND role <> 'stock' THEN
			RETURN NULL;
		END IF;
		RAISE EXCEPTION 'column "%" of % is generated, it cannot be %', picked.attname, relation, role
			USING ERRCODE = 'invalid_column_reference',
				  HINT = 'Bind the column that it is computed from.';
	END IF;
	RETURN picked.attname;
END
$$;
COMMENT ON FUNCTION inventory.resolve_column(regclass, text, name, name, regtype[], text) IS 'The column that fills a role of the binding: the given one, or the usual one if it is there and fits; null if there is none.';

-- Refuse what can be no table of a store.
CREATE FUNCTION inventory.check_table(relation regclass, role text, partitioned boolean)
	RETURNS void
	LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	c pg_class;
	what text;
BEGIN
	SELECT * INTO c FROM pg_class AS p WHERE p.oid = relation;
	IF NOT FOUND THEN
		RAISE EXCEPTION 'relation % does not exist', relation USING ERRCODE = 'undefined_table';
	ELSIF NOT pg_has_role(c.relowner, 'USAGE') THEN
		RAISE EXCEPTION 'must be owner of table %', relation
			USING ERRCODE = 'insufficient_privilege';
	END IF;
	what := CASE
		WHEN c.relkind = 'p' AND NOT partitioned THEN 'a partitioned table'
		WHEN c.relkind = 'v' THEN 'a view'
		WHEN c.relkind = 'm' THEN 'a materialized view'
		WHEN c.relkind = 'f' THEN 'a foreign table'
		WHEN c.relkind NOT IN ('r', 'p') THEN 'no table'
		WHEN c.relpersistence = 't' THEN 'a temporary table'
		WHEN c.relpersistence = 'u' THEN 'an unlogged table, which a crash empties'
		-- below 16384 is what initdb made
		WHEN c.oid < 16384 OR c.relnamespace = 'inventory'::regnamespace THEN 'a system table'
		WHEN c.relkind = 'r' AND NOT partitioned AND EXISTS (
			SELECT FROM pg_inherits AS i WHERE relation IN (i.inhparent, i.inhrelid))
			THEN 'part of an inheritance tree'
		WHEN EXISTS (SELECT FROM pg_rewrite AS r WHERE r.ev_class = relation)
			THEN 'a table with rules'
	END;
	IF what IS NOT NULL THEN
		RAISE EXCEPTION '% cannot be the % of a store: it is %', relation, role, what
			USING ERRCODE = 'wrong_object_type',
				  HINT = CASE WHEN c.relkind = 'r' AND c.relpersistence = 'u'
						 THEN format('ALTER TABLE %s SET LOGGED;', relation)
						 ELSE format('Give an ordinary, permanent table%s.',
									 CASE WHEN partitioned THEN ', partitioned or not' ELSE '' END) END;
	END IF;
END
$$;
COMMENT ON FUNCTION inventory.check_table(regclass, text, boolean) IS 'Raises what makes a relation unfit to be the items or orders of a store.';

-- The engine acts as the tables' one owner.
CREATE FUNCTION inventory.check_owners(p inventory.plan) RETURNS void
	LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	closed name;
BEGIN
	IF p.owner <> (SELECT c.relowner FROM pg_class AS c WHERE c.oid = p.orders) THEN
		RAISE EXCEPTION '% and % have different owners', p.items, p.orders
			USING ERRCODE = 'insufficient_privilege',
				  HINT = format('ALTER TABLE %s OWNER TO %I;', p.orders, pg_get_userbyid(p.owner));
	END IF;
	SELECT n.nspname INTO closed FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
	WHERE c.oid IN (p.items, p.orders) AND NOT has_schema_privilege(p.owner, n.oid, 'USAGE')
	ORDER BY n.nspname LIMIT 1;
	IF closed IS NOT NULL THEN
		RAISE EXCEPTION '% may not use schema %, where its tables are', pg_get_userbyid(p.owner),
						quote_ident(closed)
			USING ERRCODE = 'insufficient_privilege',
				  HINT = format('GRANT USAGE ON SCHEMA %I TO %I;', closed, pg_get_userbyid(p.owner));
	END IF;
END
$$;
COMMENT ON FUNCTION inventory.check_owners(inventory.plan) IS 'Refuses tables of different owners, or of one who cannot reach them.';

-- Find and check the columns of items.
CREATE FUNCTION inventory.plan_items(INOUT p inventory.plan)
	LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	given name := p.item_id;
	integers regtype[] := inventory.integer_types();
BEGIN
	p.item_id := inventory.resolve_column(p.items, 'item_id', coalesce(given,
									   inventory.primary_key(p.items)), NULL,
									   inventory.key_types(), NULL);
	IF p.item_id IS NULL THEN
		RAISE EXCEPTION '% has no primary key of one column', p.items
			USING ERRCODE = 'invalid_table_definition',
				  HINT = 'Name a NOT NULL column with a unique constraint of its own: item_id => ''...''.';
	ELSIF NOT inventory.is_key(p.items, p.item_id) THEN
		RAISE EXCEPTION 'column "%" of % is not a key', p.item_id, p.items
			USING ERRCODE = 'invalid_table_definition',
				  HINT = format('item_id must be NOT NULL and unique by itself, not partially and not deferrably. ALTER TABLE %s ALTER COLUMN %I SET NOT NULL, ADD UNIQUE (%I);',
								p.items, p.item_id, p.item_id);
	END IF;

	p.stock := inventory.resolve_column(p.items, 'stock', p.stock, 'stock', integers, 'bigint');
	IF p.stock IS NULL THEN
		RAISE EXCEPTION '% has no column "stock"', p.items
			USING ERRCODE = 'undefined_column',
				  HINT = 'Name the column that counts what can be sold: stock => ''...''.';
	ELSIF p.stock = p.item_id THEN
		RAISE EXCEPTION 'column "%" of % cannot be both the key and the stock', p.stock, p.items
			USING ERRCODE = 'invalid_column_reference';
	END IF;
	p.version := inventory.resolve_column(p.items, 'version', p.version, 'version', integers, NULL);
	p.stock_floor := inventory.resolve_column(p.items, 'stock_floor', p.stock_floor, 'stock_floor',
										   integers, NULL);
	p.purchase_limit := inventory.resolve_column(p.items, 'purchase_limit', p.purchase_limit,
											  'purchase_limit', integers, NULL);
	p.item_type := inventory.base_type((inventory.column_of(p.items, p.item_id)).atttypid);
	p.stock_type := inventory.base_type((inventory.column_of(p.items, p.stock)).atttypid);
END
$$;
COMMENT ON FUNCTION inventory.plan_items(inventory.plan) IS 'Finds and checks the columns of items.';

-- The column of orders that says which item: a given one, "item_id", or the only
-- foreign key to items.
CREATE FUNCTION inventory.resolve_order_item(p inventory.plan) RETURNS name
	LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	picked name := inventory.resolve_column(p.orders, 'order_item_id', p.order_item_id, 'item_id',
										 inventory.key_types(), NULL);
	keys name[] := ARRAY(
		SELECT a.attname FROM pg_constraint AS c
		JOIN pg_attribute AS a ON a.attrelid = c.conrelid AND a.attnum = c.conkey[1]
		JOIN pg_attribute AS f ON f.attrelid = c.confrelid AND f.attnum = c.confkey[1]
		WHERE c.contype = 'f' AND c.conrelid = p.orders AND c.confrelid = p.items
		AND cardinality(c.conkey) = 1 AND f.attname = p.item_id
		ORDER BY a.attnum);
	elsewhere regclass;
BEGIN
	IF picked IS NOT NULL AND p.order_item_id IS NULL AND NOT picked = ANY (keys) THEN
		-- a name is a guess: a foreign key to another table says otherwise
		SELECT c.confrelid INTO elsewhere FROM pg_constraint AS c
		JOIN pg_attribute AS a ON a.attrelid = c.conrelid AND a.attnum = c.conkey[1]
		WHERE c.contype = 'f' AND c.conrelid = p.orders AND c.confrelid <> p.items
		AND cardinality(c.conkey) = 1 AND a.attname = picked;
		IF elsewhere IS NOT NULL THEN
			RAISE EXCEPTION 'column "%" of % refers to %, not to %', picked, p.orders, elsewhere,
							p.items
				USING ERRCODE = 'invalid_column_reference',
					  HINT = 'Name the column that says which item was bought: order_item_id => ''...''.';
		END IF;
	END IF;
	IF picked IS NULL AND cardinality(keys) = 1 THEN
		picked := keys[1];
	END IF;
	IF picked IS NULL THEN
		RAISE EXCEPTION 'which column of % says what item was bought?', p.orders
			USING ERRCODE = 'undefined_column',
				  HINT = 'It has no "item_id" and not exactly one foreign key to items. Name it: order_item_id => ''...''.';
	END IF;
	RETURN picked;
END
$$;
COMMENT ON FUNCTION inventory.resolve_order_item(inventory.plan) IS 'The column of orders that says which item was bought.';

-- Refuse columns that callers cannot set.
CREATE FUNCTION inventory.check_order_columns(p inventory.plan) RETURNS void
	LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	wanted name;
	a pg_attribute;
	why text;
BEGIN
	IF cardinality(p.order_columns) > 63 THEN
		RAISE EXCEPTION 'order_columns may name at most 63 columns'
			USING ERRCODE = 'program_limit_exceeded';
	END IF;
	FOREACH wanted IN ARRAY p.order_columns LOOP
		a := inventory.column_of(p.orders, wanted);
		IF a.attname IS NULL THEN
			RAISE EXCEPTION 'column "%" of % does not exist', wanted, p.orders
				USING ERRCODE = 'undefined_column', HINT = 'It was named in order_columns.';
		END IF;
		why := CASE
			WHEN wanted IN (p.order_item_id, p.order_user_id, p.order_quantity)
				THEN 'it is an argument of its own'
			WHEN wanted IN ('item_id', 'quantity') THEN 'a line uses that name for itself'
			WHEN a.attgenerated <> '' THEN 'it is generated'
			WHEN a.attidentity = 'a' THEN 'it is an identity that is always generated'
			WHEN (SELECT count(*) FROM unnest(p.order_columns) AS c WHERE c = wanted) > 1
				THEN 'it is named twice'
		END;
		IF why IS NOT NULL THEN
			RAISE EXCEPTION 'column "%" of % cannot be in order_columns: %', wanted, p.orders, why
				USING ERRCODE = 'invalid_column_reference';
		END IF;
	END LOOP;
END
$$;
COMMENT ON FUNCTION inventory.check_order_columns(inventory.plan) IS 'Raises what makes a column unfit to be set by callers.';

-- Columns of orders that must have a value and would get none.
CREATE FUNCTION inventory.check_unfilled(p inventory.plan) RETURNS void
	LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	names name[];
	alters text;
BEGIN
	SELECT array_agg(a.attname ORDER BY a.attnum),
		   string_agg(format('ALTER TABLE %s ALTER COLUMN %I %s;', p.orders, a.attname,
							 CASE WHEN b.base IN ('timestamp', 'timestamptz', 'date') THEN 'SET DEFAULT now()'
								  WHEN b.base = 'uuid'::regtype THEN 'SET DEFAULT gen_random_uuid()'
								  WHEN a.attname = p.order_id AND a.atttypid = ANY (inventory.integer_types())
								  THEN 'ADD GENERATED BY DEFAULT AS IDENTITY'
								  ELSE 'SET DEFAULT ...' END), E'\n' ORDER BY a.attnum)
	INTO names, alters
	FROM pg_attribute AS a JOIN pg_type AS t ON t.oid = a.atttypid
	CROSS JOIN LATERAL inventory.base_type(a.atttypid) AS b(base)
	WHERE a.attrelid = p.orders AND a.attnum > 0 AND NOT a.attisdropped
	AND (a.attnotnull OR t.typnotnull) AND NOT a.atthasdef AND a.attidentity = ''
	AND a.attgenerated = '' AND t.typdefault IS NULL
	AND NOT a.attname = ANY (p.order_columns || array_remove(
		ARRAY[p.order_item_id, p.order_user_id, p.order_quantity], NULL));
	IF names IS NULL THEN
		RETURN;
	ELSIF EXISTS (SELECT FROM pg_trigger AS g
				  WHERE g.tgrelid = p.orders AND g.tgenabled <> 'D' AND NOT g.tgisinternal
				  AND g.tgtype & 7 = 7) THEN
		RAISE WARNING 'nothing but a trigger fills NOT NULL columns of %: %', p.orders,
					  array_to_string(names, ', ')
			USING HINT = E'If no trigger does, buying fails. Let callers set them (order_columns), or:\n' || alters;
	ELSE
		RAISE EXCEPTION 'nothing fills NOT NULL columns of %: %', p.orders,
						array_to_string(names, ', ')
			USING ERRCODE = 'not_null_violation',
				  HINT = format(E'Let callers set them: order_columns => %L, or give each a default:\n',
								names) || alters;
	END IF;
END
$$;
COMMENT ON FUNCTION inventory.check_unfilled(inventory.plan) IS 'Raises the NOT NULL columns of orders that nothing fills, with the ALTER to paste.';

-- Find and check the columns of orders.
CREATE FUNCTION inventory.plan_orders(INOUT p inventory.plan, user_id_type regtype)
	LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	partitioned boolean := (SELECT c.relkind = 'p' FROM pg_class AS c WHERE c.oid = p.orders);
	item_type regtype;
BEGIN
	p.order_columns := coalesce(p.order_columns, '{}');
	IF p.orders IS NOT NULL THEN
		p.order_id := inventory.resolve_column(p.orders, 'order_id',
											coalesce(p.order_id, inventory.primary_key(p.orders)),
											NULL, inventory.key_types(), NULL);
		IF p.order_id IS NULL THEN
			RAISE EXCEPTION '% has no primary key of one column', p.orders
				USING ERRCODE = 'invalid_table_definition',
					  HINT = 'Name the column that identifies a line: order_id => ''...''.';
		ELSIF NOT partitioned AND NOT inventory.is_key(p.orders, p.order_id) THEN
			RAISE EXCEPTION 'column "%" of % is not a key', p.order_id, p.orders
				USING ERRCODE = 'invalid_table_definition',
					  HINT = 'order_id must be NOT NULL and unique by itself; of a partitioned table it may be part of the key.';
		END IF;
		p.order_item_id := inventory.resolve_order_item(p);
		item_type := inventory.base_type((inventory.column_of(p.orders, p.order_item_id)).atttypid);
		IF item_type <> p.item_type AND NOT (ARRAY[item_type, p.item_type] <@ inventory.integer_types()) THEN
			RAISE EXCEPTION 'column "%" of % is %, the items have %', p.order_item_id, p.orders,
							item_type, p.item_type
				USING ERRCODE = 'datatype_mismatch',
					  HINT = 'Name the column that has the key of the item: order_item_id => ''...''.';
		END IF;
		p.order_quantity := inventory.resolve_column(p.orders, 'order_quantity', p.order_quantity,
												  'quantity',
												  inventory.integer_types() || 'numeric'::regtype,
												  'bigint');
		p.order_user_id := inventory.resolve_column(p.orders, 'order_user_id', p.order_user_id,
												 'user_id', inventory.key_types(), NULL);
		p.order_type := inventory.base_type((inventory.column_of(p.orders, p.order_id)).atttypid);
		PERFORM inventory.check_order_columns(p);
		PERFORM inventory.check_unfilled(p);
	ELSIF num_nonnulls(p.order_id, p.order_user_id, p.order_item_id, p.order_quantity) > 0
		  OR p.order_columns <> '{}' THEN
		RAISE EXCEPTION 'columns of orders were named, but no orders table'
			USING ERRCODE = 'invalid_parameter_value', HINT = 'Name it: orders => ''...''.';
	END IF;
	p.order_type := coalesce(p.order_type, 'text'::regtype);
	p.user_type := inventory.base_type(coalesce((inventory.column_of(p.orders, p.order_user_id)).atttypid,
												user_id_type, 'text'::regtype));
	IF p.order_user_id IS NOT NULL AND inventory.base_type(user_id_type) <> p.user_type THEN
		RAISE EXCEPTION 'user_id_type cannot be %: column "%" of % is %', user_id_type,
						p.order_user_id, p.orders, p.user_type
			USING ERRCODE = 'datatype_mismatch', HINT = 'Leave it out.';
	ELSIF NOT p.user_type = ANY (inventory.key_types()) THEN
		RAISE EXCEPTION 'user_id_type cannot be %', user_id_type
			USING ERRCODE = 'datatype_mismatch',
				  HINT = format('It can be: %s.', array_to_string(inventory.key_types(), ', '));
	END IF;
END
$$;
COMMENT ON FUNCTION inventory.plan_orders(inventory.plan, regtype) IS 'Finds and checks the columns of orders.';
