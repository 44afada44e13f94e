
-- ---------------------------------------------------------------- stores
--
-- The administration: what owners of tables call.

-- Say what was bound.
CREATE FUNCTION inventory.report_plan(p inventory.plan) RETURNS void
	LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	RAISE NOTICE 'store "%" is attached', p.store_name USING DETAIL = concat_ws(E'\n',
		format('items %s: key %I %s, stock in %I %s', p.items, p.item_id, p.item_type, p.stock,
			   p.stock_type)
		|| coalesce(', version ' || quote_ident(p.version), '')
		|| coalesce(', floor ' || quote_ident(p.stock_floor), '')
		|| coalesce(', purchase limit ' || quote_ident(p.purchase_limit), ''),
		CASE WHEN p.orders IS NULL THEN 'no orders: the shop writes its own'
		ELSE format('orders %s: key %I %s, item %I', p.orders, p.order_id, p.order_type,
					p.order_item_id)
			|| coalesce(', quantity ' || quote_ident(p.order_quantity),
						', no quantity: one unit per row')
			|| coalesce(', user ' || quote_ident(p.order_user_id), ', no user') END,
		'callers may set: ' || (SELECT string_agg(quote_ident(c), ', ' ORDER BY n)
								FROM unnest(p.order_columns) WITH ORDINALITY AS u(c, n)),
		'for sale where: ' || p.sellable,
		format('users are %s', p.user_type) || coalesce(', claim ' || p.user_claim, ''),
		format('functions for buyers in schema %I, ledger and functions for operators in schema %I',
			   p.api_schema, p.ledger_schema));
END
$$;
COMMENT ON FUNCTION inventory.report_plan(inventory.plan) IS 'Says by NOTICE what was bound.';

-- Check what concerns neither table.
CREATE FUNCTION inventory.check_options(p inventory.plan) RETURNS void
	LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	taken regclass;
BEGIN
	IF p.direct_writes NOT IN ('record', 'refuse') THEN
		RAISE EXCEPTION 'direct_writes cannot be "%"', p.direct_writes
			USING ERRCODE = 'invalid_parameter_value', HINT = 'It is record or refuse.';
	ELSIF NOT p.max_ttl BETWEEN '1 microsecond' AND '100 years' THEN
		RAISE EXCEPTION 'max_ttl must be more than nothing, and at most 100 years'
			USING ERRCODE = 'invalid_parameter_value', HINT = 'Such as: max_ttl => ''1 day''.';
	ELSIF octet_length(p.argument_prefix) > 40 THEN
		RAISE EXCEPTION 'argument_prefix is longer than 40 bytes'
			USING ERRCODE = 'name_too_long';
	ELSIF p.store_name = '' OR p.user_claim = '' OR p.sellable = '' THEN
		RAISE EXCEPTION 'store_name, user_claim and sellable must not be empty'
			USING ERRCODE = 'invalid_parameter_value', HINT = 'Pass null for none.';
	ELSIF to_regnamespace(quote_ident(p.api_schema)) IS NULL THEN
		RAISE EXCEPTION 'schema "%" does not exist', p.api_schema
			USING ERRCODE = 'invalid_schema_name', HINT = 'It was to be the api_schema.';
	END IF;
	SELECT s.items INTO taken FROM inventory.store AS s
	WHERE s.items = p.items OR s.store_name = p.store_name;
	IF taken = p.items THEN
		RAISE EXCEPTION '% is attached already', p.items
			USING ERRCODE = 'duplicate_object',
				  HINT = format('SELECT inventory.detach(%L); keeps every table.', p.items);
	ELSIF taken IS NOT NULL THEN
		RAISE EXCEPTION 'there is a store "%" already, on %', p.store_name, taken
			USING ERRCODE = 'duplicate_object', HINT = 'Choose another name: store_name => ''...''.';
	END IF;
END
$$;
COMMENT ON FUNCTION inventory.check_options(inventory.plan) IS 'Raises what is wrong with the arguments of attach that name no column.';

CREATE FUNCTION inventory.drop_triggers(s inventory.store) RETURNS void
	LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp
	SET client_min_messages = warning AS $$
BEGIN
	EXECUTE format('DROP TRIGGER IF EXISTS inventory_guard ON %s', s.items);
	EXECUTE format('DROP TRIGGER IF EXISTS inventory_guard_truncate ON %s', s.items);
	EXECUTE format('DROP TRIGGER IF EXISTS inventory_binding ON %s', s.items);
	IF s.orders IS NOT NULL THEN
		EXECUTE format('DROP TRIGGER IF EXISTS %I ON %s', inventory.orders_trigger(s.store_name),
					   s.orders);
	END IF;
END
$$;
COMMENT ON FUNCTION inventory.drop_triggers(inventory.store) IS 'Drops the guard and the binding triggers of a store.';

-- The objects that attach generated and detach takes away; tables stay.
CREATE FUNCTION inventory.drop_generated(s inventory.store) RETURNS void
	LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp
	SET client_min_messages = warning AS $$
DECLARE
	ledger name := (SELECT n.nspname FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
					WHERE c.oid = s.movements);
BEGIN
	PERFORM inventory.drop_functions(ARRAY(SELECT f.function_id FROM inventory.facade_of(s) AS f));
	PERFORM inventory.drop_triggers(s);
	IF ledger IS NOT NULL THEN
		EXECUTE format('DROP VIEW IF EXISTS %I.levels', ledger);
		EXECUTE format('DROP TYPE IF EXISTS %1$I.line, %1$I.hold, %1$I.held_line', ledger);
	END IF;
END
$$;
COMMENT ON FUNCTION inventory.drop_generated(inventory.store) IS 'Drops what attach generated for a store, without its tables.';

-- A store that lost a table, or the extension under it, leaves behind what was
-- generated.  attach starts without that.
CREATE FUNCTION inventory.drop_leftovers(p inventory.plan) RETURNS void
	LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	s inventory.store;
BEGIN
	s.store_name := p.store_name;
	s.items := p.items;
	s.orders := p.orders;
	s.movements := (SELECT c.oid FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
					WHERE n.nspname = p.ledger_schema AND c.relname = 'movements'
					AND c.relowner = p.owner
					AND obj_description(c.oid, 'pg_class') = inventory.ledger_comment(p.store_name)
					AND NOT EXISTS (SELECT FROM inventory.store AS t WHERE t.movements = c.oid));
	IF s.movements IS NOT NULL OR EXISTS (SELECT FROM inventory.facade_of(s))
	   OR EXISTS (SELECT FROM pg_trigger AS t WHERE t.tgrelid = p.items AND t.tgname = 'inventory_guard')
	THEN
		PERFORM inventory.drop_generated(s);
	END IF;
	IF s.movements IS NOT NULL AND to_regclass(format('%I.sellable', p.ledger_schema)) IS NOT NULL THEN
		EXECUTE format('DROP VIEW %I.sellable', p.ledger_schema);
	END IF;
END
$$;
COMMENT ON FUNCTION inventory.drop_leftovers(inventory.plan) IS 'Drops what an earlier store of this name left.';

CREATE FUNCTION inventory.attach(
		items regclass, orders regclass DEFAULT NULL, item_id name DEFAULT NULL,
		stock name DEFAULT NULL, version name DEFAULT NULL, stock_floor name DEFAULT NULL,
		purchase_limit name DEFAULT NULL, order_id name DEFAULT NULL,
		order_user_id name DEFAULT NULL, order_item_id name DEFAULT NULL,
		order_quantity name DEFAULT NULL, order_columns name[] DEFAULT NULL,
		user_id_type regtype DEFAULT NULL, api_schema name DEFAULT NULL,
		ledger_schema name DEFAULT NULL, argument_prefix text DEFAULT NULL,
		user_claim text DEFAULT NULL, sellable text DEFAULT NULL,
		direct_writes text DEFAULT NULL, max_ttl interval DEFAULT NULL,
		store_name text DEFAULT NULL) RETURNS regclass
	LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	p inventory.plan;
	schema_name name;
	table_name name;
BEGIN
	IF attach.items IS NULL THEN
		RAISE EXCEPTION 'items must not be null' USING ERRCODE = 'null_value_not_allowed';
	ELSIF attach.items = attach.orders THEN
		RAISE EXCEPTION 'items and orders cannot be the same table'
			USING ERRCODE = 'invalid_parameter_value';
	END IF;
	PERFORM inventory.check_table(attach.items, 'items', false);
	EXECUTE format('LOCK TABLE ONLY %s IN SHARE ROW EXCLUSIVE MODE', attach.items);
	IF attach.orders IS NOT NULL THEN
		PERFORM inventory.check_table(attach.orders, 'orders', true);
		EXECUTE format('LOCK TABLE ONLY %s IN SHARE ROW EXCLUSIVE MODE', attach.orders);
	END IF;
	SELECT n.nspname, c.relname, c.relowner INTO schema_name, table_name, p.owner
	FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
	WHERE c.oid = attach.items;
	p.items := attach.items;
	p.orders := attach.orders;
	PERFORM inventory.check_owners(p);
	p.item_id := attach.item_id;
	p.stock := attach.stock;
	p.version := attach.version;
	p.stock_floor := attach.stock_floor;
	p.purchase_limit := attach.purchase_limit;
	p.order_id := attach.order_id;
	p.order_user_id := attach.order_user_id;
	p.order_item_id := attach.order_item_id;
	p.order_quantity := attach.order_quantity;
	p.order_columns := attach.order_columns;
	p.api_schema := coalesce(attach.api_schema, schema_name);
	p.ledger_schema := attach.ledger_schema;
	p.argument_prefix := coalesce(attach.argument_prefix, '');
	p.user_claim := attach.user_claim;
	p.sellable := attach.sellable;
	p.direct_writes := coalesce(attach.direct_writes, 'record');
	p.max_ttl := coalesce(attach.max_ttl, '1 day');
	p.store_name := coalesce(attach.store_name, schema_name || '.' || table_name);
	PERFORM inventory.check_options(p);
	p := inventory.plan_items(p);
	p := inventory.plan_orders(p, attach.user_id_type);
	p.ledger_schema := inventory.resolve_ledger_schema(p);
	PERFORM inventory.drop_leftovers(p);

	INSERT INTO inventory.store (store_name, items, orders, movements, user_claim, direct_writes,
								 has_sellable, api_schema, argument_prefix, max_ttl)
	VALUES (p.store_name, p.items, p.orders, inventory.make_ledger(p), p.user_claim,
			p.direct_writes, p.sellable IS NOT NULL, p.api_schema, p.argument_prefix, p.max_ttl);
	PERFORM inventory.make_views(p);
	PERFORM inventory.make_triggers(p);
	PERFORM inventory.open_ledger(p.store_name);
	-- a sequence that is used in the transaction which makes it falls back in a crash
	-- under wal_level = minimal, unless it is set once more
	EXECUTE format('SELECT setval(%1$L, s.last_value, s.is_called) FROM %1$s AS s',
		pg_get_serial_sequence(format('%I.movements', p.ledger_schema), 'movement_id'));
	PERFORM inventory.make_facade(p);
	PERFORM inventory.report_plan(p);
	RETURN p.items;
END
$$;
COMMENT ON FUNCTION inventory.attach(regclass, regclass, name, name, name, name, name, name, name, name, name, name[], regtype, name, name, text, text, text, text, interval, text) IS 'Binds existing tables as a store: finds or takes the named columns, makes the ledger, the guard and the functions, and books an opening for every item. Returns items. All or nothing; every argument but items may be null. max_ttl: longest life of a hold (1 day). See doc/reference.md for each argument and each refusal.';

-- The row of a store, for its owner.
CREATE FUNCTION inventory.lookup_owned_store(items regclass) RETURNS inventory.store
	LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	s inventory.store;
BEGIN
	IF lookup_owned_store.items IS NULL THEN
		RAISE EXCEPTION 'items must not be null' USING ERRCODE = 'null_value_not_allowed';
	END IF;
	SELECT * INTO s FROM inventory.store AS t WHERE t.items = lookup_owned_store.items;
	IF NOT FOUND THEN
		PERFORM inventory.verify(lookup_owned_store.items);	-- raises not_a_store
	END IF;
	IF NOT pg_has_role((SELECT c.relowner FROM pg_class AS c WHERE c.oid = s.items), 'USAGE') THEN
		RAISE EXCEPTION 'must be owner of table %', s.items
			USING ERRCODE = 'insufficient_privilege';
	END IF;
	RETURN s;
END
$$;
COMMENT ON FUNCTION inventory.lookup_owned_store(regclass) IS 'The row of a store, if the caller owns it.';

CREATE FUNCTION inventory.detach(items regclass) RETURNS void
	LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	s inventory.store := inventory.lookup_owned_store(detach.items);
BEGIN
	EXECUTE format('LOCK TABLE ONLY %s IN ACCESS EXCLUSIVE MODE', s.items);
	PERFORM inventory.check_cold(s);
	PERFORM inventory.drop_generated(s);
	IF s.has_sellable THEN
		EXECUTE format('DROP VIEW %I.sellable', (SELECT n.nspname FROM pg_class AS c
			JOIN pg_namespace AS n ON n.oid = c.relnamespace WHERE c.oid = s.movements));
	END IF;
	PERFORM inventory.delete_store_row(s.items);
END
$$;
COMMENT ON FUNCTION inventory.detach(regclass) IS 'Takes a store apart: drops its functions, guard, views and binding, and keeps every table, the ledger too. Attaching again goes on with that ledger. Errors: IV012 not_a_store, 55006 while an item is hot, 42501.';

-- Read a store's binding back from the catalogs.
CREATE FUNCTION inventory.read_plan(s inventory.store) RETURNS inventory.plan
	LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	p inventory.plan;
	c record;
BEGIN
	p.store_name := s.store_name;
	p.items := s.items;
	p.orders := s.orders;
	p.user_claim := s.user_claim;
	p.direct_writes := s.direct_writes;
	p.argument_prefix := s.argument_prefix;
	p.max_ttl := s.max_ttl;
	p.order_columns := '{}';
	SELECT k.relowner INTO p.owner FROM pg_class AS k WHERE k.oid = s.items;
	SELECT n.nspname INTO p.ledger_schema
	FROM pg_class AS k JOIN pg_namespace AS n ON n.oid = k.relnamespace WHERE k.oid = s.movements;
	p.api_schema := coalesce(
		(SELECT n.nspname FROM inventory.facade_of(s) AS f
		 JOIN pg_proc AS o ON o.oid = f.function_id JOIN pg_namespace AS n ON n.oid = o.pronamespace
		 WHERE f.part = 'buyer' LIMIT 1), s.api_schema);
	FOR c IN
		SELECT a.attname, -- from the end: the store's name before them may contain anything
			   split_part(encode(t.tgargs, 'escape'), '\000',
						  u.n::integer - t.tgnargs - 1) AS role
		FROM pg_trigger AS t
		CROSS JOIN LATERAL unnest(t.tgattr::int2[]) WITH ORDINALITY AS u(attnum, n)
		JOIN pg_attribute AS a ON a.attrelid = t.tgrelid AND a.attnum = u.attnum
		WHERE t.tgrelid IN (s.items, s.orders) AND t.tgfoid = 'inventory.binding()'::regprocedure
		AND t.tgname IN ('inventory_binding', inventory.orders_trigger(s.store_name))
		ORDER BY u.n
	LOOP
		IF c.role LIKE '%+' THEN
			p.order_columns := p.order_columns || c.attname;
		END IF;
		CASE rtrim(c.role, '+')
			WHEN 'item_id' THEN p.item_id := c.attname;
			WHEN 'stock' THEN p.stock := c.attname;
			WHEN 'version' THEN p.version := c.attname;
			WHEN 'stock_floor' THEN p.stock_floor := c.attname;
			WHEN 'purchase_limit' THEN p.purchase_limit := c.attname;
			WHEN 'order_id' THEN p.order_id := c.attname;
			WHEN 'order_user_id' THEN p.order_user_id := c.attname;
			WHEN 'order_item_id' THEN p.order_item_id := c.attname;
			WHEN 'order_quantity' THEN p.order_quantity := c.attname;
			ELSE NULL;
		END CASE;
	END LOOP;
	IF p.item_id IS NULL OR p.stock IS NULL
	   OR p.orders IS NOT NULL AND (p.order_id IS NULL OR p.order_item_id IS NULL) THEN
		RAISE EXCEPTION 'store "%" is not intact', s.store_name
			USING ERRCODE = 'object_not_in_prerequisite_state',
				  DETAIL = 'A trigger that remembers the columns of its tables is gone.',
				  HINT = format('SELECT inventory.detach(%L); and attach again: every table stays.', s.items);
	END IF;
	p.item_type := inventory.base_type((inventory.column_of(p.items, p.item_id)).atttypid);
	p.stock_type := inventory.base_type((inventory.column_of(p.items, p.stock)).atttypid);
	p.user_type := (inventory.column_of(s.movements, 'user_id')).atttypid;
	p.order_type := (inventory.column_of(s.movements, 'order_id')).atttypid;
	RETURN p;
END
$$;
COMMENT ON FUNCTION inventory.read_plan(inventory.store) IS 'A store''s binding as the catalogs have it now, but for sellable, which its view keeps.';

-- What others may do with the generated functions and the view, as GRANTs.  A
-- function stands there without its arguments, which may become others.
CREATE FUNCTION inventory.facade_grants(p inventory.plan) RETURNS SETOF text
	LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
	SELECT format('GRANT %s ON %s %s TO %s%s', a.privilege_type, o.kind, o.name,
				  coalesce(quote_ident(r.rolname), 'PUBLIC'),
				  CASE WHEN a.is_grantable THEN ' WITH GRANT OPTION' ELSE '' END)
	FROM (SELECT 'FUNCTION' AS kind, format('%I.%I', n.nspname, q.proname) AS name,
				 q.proowner AS owner, q.proacl AS acl
		  FROM inventory.existing_facade(p) AS f JOIN pg_proc AS q ON q.oid = f.function_id
		  JOIN pg_namespace AS n ON n.oid = q.pronamespace
		  UNION ALL
		  SELECT 'TABLE', format('%I.%I', n.nspname, c.relname), c.relowner, c.relacl
		  FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
		  WHERE n.nspname = p.ledger_schema AND c.relname = 'levels' AND c.relkind = 'v')
		 AS o, aclexplode(o.acl) AS a LEFT JOIN pg_roles AS r ON r.oid = a.grantee
	WHERE a.grantee NOT IN (o.owner, p.owner)
$$;
COMMENT ON FUNCTION inventory.facade_grants(inventory.plan) IS 'The grants on what is generated for a store.';

-- A new owner of the tables gets all that goes with them.
CREATE FUNCTION inventory.change_ledger_owner(p inventory.plan) RETURNS void
	LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	object text;
BEGIN
	FOR object IN
		SELECT format('FUNCTION %s', o.oid::regprocedure)
		FROM inventory.existing_facade(p) AS f JOIN pg_proc AS o ON o.oid = f.function_id
		WHERE o.proowner <> p.owner
		UNION ALL
		SELECT format('%s %I.%I', CASE c.relkind WHEN 'c' THEN 'TYPE' ELSE 'TABLE' END, n.nspname,
					  c.relname)
		FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
		WHERE n.nspname = p.ledger_schema AND c.relowner <> p.owner
		AND c.relname IN ('movements', 'requests', 'reservations', 'hot', 'sellable', 'levels',
						  'line', 'hold', 'held_line')
	LOOP
		EXECUTE format('ALTER %s OWNER TO %I', object, pg_get_userbyid(p.owner));
	END LOOP;
END
$$;
COMMENT ON FUNCTION inventory.change_ledger_owner(inventory.plan) IS 'Gives a store''s ledger and functions to the owner of its tables.';

CREATE FUNCTION inventory.refresh(items regclass) RETURNS void
	LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	s inventory.store := inventory.lookup_owned_store(refresh.items);
	p inventory.plan;
	grants text[];
	lost text;
BEGIN
	EXECUTE format('LOCK TABLE ONLY %s IN ACCESS EXCLUSIVE MODE', s.items);
	p := inventory.read_plan(s);
	PERFORM inventory.check_owners(p);
	grants := ARRAY(SELECT inventory.facade_grants(p));
	IF NOT has_schema_privilege(p.owner, to_regnamespace(quote_ident(p.ledger_schema)), 'CREATE') THEN
		EXECUTE format('ALTER SCHEMA %I OWNER TO %I', p.ledger_schema, pg_get_userbyid(p.owner));
	END IF;
	PERFORM inventory.drop_triggers(s);
	PERFORM inventory.make_views(p);
	PERFORM inventory.make_triggers(p);
	PERFORM inventory.make_facade(p);
	PERFORM inventory.change_ledger_owner(p);
	IF p.api_schema <> s.api_schema THEN
		PERFORM inventory.delete_store_row(s.items);
		s.api_schema := p.api_schema;
		INSERT INTO inventory.store SELECT s.*;
	END IF;
	-- what was granted stays granted, also on what had to be made anew
	FOR lost IN SELECT unnest(grants) EXCEPT SELECT inventory.facade_grants(p) ORDER BY 1 LOOP
		EXECUTE lost;
	END LOOP;
END
$$;
COMMENT ON FUNCTION inventory.refresh(regclass) IS 'Generates the functions, views and triggers of a store anew, as its tables are now: after an upgrade, a renamed column or schema, or a change of owner. What can be replaced is not dropped: calls under way, and what the shop built on it, go on. Grants are kept. Errors: IV012 not_a_store, 42501.';

CREATE FUNCTION inventory.grant_api(items regclass, role name, part text) RETURNS void
	LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	s inventory.store := inventory.lookup_owned_store(grant_api.items);
	grantee text := CASE role WHEN 'public' THEN 'PUBLIC' ELSE quote_ident(role) END;
	f record;
BEGIN
	IF role IS NULL OR part IS NULL THEN
		RAISE EXCEPTION 'role and part must not be null' USING ERRCODE = 'null_value_not_allowed';
	ELSIF part NOT IN ('buyer', 'operator') THEN
		RAISE EXCEPTION 'part cannot be "%"', part
			USING ERRCODE = 'invalid_parameter_value', HINT = 'It is buyer or operator.';
	END IF;
	FOR f IN SELECT g.function_id, n.oid AS schema_id, quote_ident(n.nspname) AS schema_name
			 FROM inventory.facade_of(s) AS g
			 JOIN pg_proc AS o ON o.oid = g.function_id
			 JOIN pg_namespace AS n ON n.oid = o.pronamespace WHERE g.part = grant_api.part
	LOOP
		EXECUTE format('GRANT EXECUTE ON FUNCTION %s TO %s', f.function_id::regprocedure, grantee);
		-- a schema of somebody else's, such as public, is usable already or must be made so
		IF grantee = 'PUBLIC' OR NOT has_schema_privilege(role, f.schema_id, 'USAGE') THEN
			EXECUTE format('GRANT USAGE ON SCHEMA %s TO %s', f.schema_name, grantee);
		END IF;
	END LOOP;
END
$$;
COMMENT ON FUNCTION inventory.grant_api(regclass, name, text) IS 'Lets a role call half of a store''s functions: part is buyer or operator. Grants EXECUTE, and the USAGE it needs; role public means everybody. Errors: IV012 not_a_store, 22023, 22004, 42501, 42704.';

CREATE FUNCTION inventory.create_store(schema name, item_id_type regtype DEFAULT 'uuid',
									   user_id_type regtype DEFAULT 'uuid') RETURNS regclass
	LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	owner oid := (SELECT r.oid FROM pg_roles AS r WHERE r.rolname = current_user);
	wrong regtype;
	taken regclass;
BEGIN
	IF create_store.schema IS NULL OR item_id_type IS NULL OR user_id_type IS NULL THEN
		RAISE EXCEPTION 'arguments of create_store must not be null'
			USING ERRCODE = 'null_value_not_allowed';
	END IF;
	SELECT t INTO wrong FROM unnest(ARRAY[item_id_type, user_id_type]) AS t
	WHERE NOT inventory.base_type(t) = ANY (inventory.key_types()) LIMIT 1;
	IF wrong IS NOT NULL THEN
		RAISE EXCEPTION 'ids cannot be %', wrong
			USING ERRCODE = 'datatype_mismatch',
				  HINT = format('They can be: %s.', array_to_string(inventory.key_types(), ', '));
	END IF;
	PERFORM inventory.make_schema(create_store.schema, owner);
	SELECT c.oid INTO taken FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
	WHERE n.nspname = create_store.schema AND c.relname IN ('items', 'orders') ORDER BY c.relname LIMIT 1;
	IF taken IS NOT NULL THEN
		RAISE EXCEPTION '% exists already', taken
			USING ERRCODE = 'duplicate_table', HINT = 'Bind existing tables with inventory.attach().';
	END IF;
	EXECUTE format('CREATE TABLE %I.items (id %s PRIMARY KEY, stock bigint NOT NULL DEFAULT 0,
					stock_floor bigint NOT NULL DEFAULT 0, purchase_limit bigint)',
				   create_store.schema, item_id_type);
	EXECUTE format('CREATE TABLE %I.orders (id uuid PRIMARY KEY DEFAULT gen_random_uuid(), user_id %s,
					item_id %s NOT NULL, quantity bigint NOT NULL,
					created_at timestamptz NOT NULL DEFAULT now())',
				   create_store.schema, user_id_type, item_id_type);
	PERFORM inventory.restrict_relation_to_owner('TABLE', create_store.schema, 'items', owner);
	PERFORM inventory.restrict_relation_to_owner('TABLE', create_store.schema, 'orders', owner);
	RETURN inventory.attach(format('%I.items', create_store.schema)::regclass,
							format('%I.orders', create_store.schema)::regclass,
							ledger_schema => create_store.schema);
END
$$;
COMMENT ON FUNCTION inventory.create_store(name, regtype, regtype) IS 'Makes tables items and orders in a schema, and the schema if it is missing, and attaches them, with ledger and functions in the same schema. Returns items. Errors: 42P07 if the tables exist, 42804, 22004, 42501.';
