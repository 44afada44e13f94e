
-- ---------------------------------------------------------------- stores
--
-- Administration: what owners of tables call.

CREATE FUNCTION inventory.report_binding(binding inventory.store_binding) RETURNS void
	LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	RAISE NOTICE 'store "%" is attached', binding.store_name USING DETAIL = concat_ws(E'\n',
		format('items %s: key %I %s, stock in %I %s', binding.items, binding.item_id,
			   binding.item_type, binding.stock, binding.stock_type)
			|| coalesce(', version ' || quote_ident(binding.version), '')
			|| coalesce(', floor ' || quote_ident(binding.stock_floor), '')
			|| coalesce(', purchase limit ' || quote_ident(binding.purchase_limit), ''),
		CASE WHEN binding.orders IS NULL THEN 'no orders: the application inserts its own'
		ELSE format('orders %s: key %I %s, item %I', binding.orders, binding.order_id,
					binding.order_type, binding.order_item_id)
			|| coalesce(', quantity ' || quote_ident(binding.order_quantity),
						', no quantity: one unit per row')
			|| coalesce(', user ' || quote_ident(binding.order_user_id), ', no user') END,
		'callers may set: ' || (SELECT string_agg(quote_ident(c), ', ' ORDER BY n)
								FROM unnest(binding.order_columns) WITH ORDINALITY AS u(c, n)),
		'for sale where: ' || binding.sellable,
		format('user ids are %s', binding.user_type) || coalesce(', claim ' || binding.user_claim, ''),
		format('functions for buyers in schema %I, ledger and functions for operators in schema %I',
			   binding.api_schema, binding.ledger_schema));
END
$$;
COMMENT ON FUNCTION inventory.report_binding(inventory.store_binding) IS 'Raises a NOTICE that lists what was bound.';

CREATE FUNCTION inventory.check_options(binding inventory.store_binding) RETURNS void
	LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	taken regclass;
BEGIN
	IF binding.direct_writes NOT IN ('record', 'refuse') THEN
		RAISE EXCEPTION 'direct_writes cannot be "%"', binding.direct_writes
			USING ERRCODE = 'invalid_parameter_value', HINT = 'It can be record or refuse.';
	ELSIF NOT binding.max_ttl BETWEEN '1 microsecond' AND '100 years' THEN
		RAISE EXCEPTION 'max_ttl must be greater than zero and at most 100 years'
			USING ERRCODE = 'invalid_parameter_value', HINT = 'For example: max_ttl => ''1 day''.';
	ELSIF octet_length(binding.argument_prefix) > 40 THEN
		RAISE EXCEPTION 'argument_prefix is longer than 40 bytes'
			USING ERRCODE = 'name_too_long';
	ELSIF binding.store_name = '' OR binding.user_claim = '' OR binding.sellable = '' THEN
		RAISE EXCEPTION 'store_name, user_claim and sellable must not be empty'
			USING ERRCODE = 'invalid_parameter_value', HINT = 'Pass null for none.';
	ELSIF to_regnamespace(quote_ident(binding.api_schema)) IS NULL THEN
		RAISE EXCEPTION 'schema "%" does not exist', binding.api_schema
			USING ERRCODE = 'invalid_schema_name', HINT = 'It was given as api_schema.';
	END IF;
	SELECT s.items INTO taken FROM inventory.store AS s
	WHERE s.items = binding.items OR s.store_name = binding.store_name;
	IF taken = binding.items THEN
		RAISE EXCEPTION '% is already attached', binding.items
			USING ERRCODE = 'duplicate_object',
				  HINT = format('Detach it first, which keeps every table: SELECT inventory.detach(%L);',
								binding.items);
	ELSIF taken IS NOT NULL THEN
		RAISE EXCEPTION 'store "%" already exists, on %', binding.store_name, taken
			USING ERRCODE = 'duplicate_object', HINT = 'Choose another name: store_name => ''...''.';
	END IF;
END
$$;
COMMENT ON FUNCTION inventory.check_options(inventory.store_binding) IS 'Raises an error if an argument of attach that is not a table or column is invalid.';

-- Tables stay.
CREATE FUNCTION inventory.drop_generated(store inventory.store) RETURNS void
	LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp
	SET client_min_messages = warning AS $$
DECLARE
	ledger_schema name := inventory.schema_of(store.movements);
BEGIN
	PERFORM inventory.drop_functions(ARRAY(SELECT f.function_id FROM inventory.facade_of(store) AS f));
	PERFORM inventory.drop_triggers(store);
	IF ledger_schema IS NOT NULL THEN
		EXECUTE format('DROP VIEW IF EXISTS %I.levels', ledger_schema);
		EXECUTE format('DROP TYPE IF EXISTS %1$I.line, %1$I.hold, %1$I.held_line', ledger_schema);
	END IF;
END
$$;
COMMENT ON FUNCTION inventory.drop_generated(inventory.store) IS 'Drops the functions, triggers, types and the view "levels" of a store.';

CREATE FUNCTION inventory.orphaned_store(binding inventory.store_binding, OUT store inventory.store)
	LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	store.store_name := binding.store_name;
	store.items := binding.items;
	store.orders := binding.orders;
	store.movements := inventory.find_ledger(binding, binding.ledger_schema);
	IF EXISTS (SELECT FROM inventory.store AS s WHERE s.movements = store.movements) THEN
		store.movements := NULL;
	END IF;
END
$$;
COMMENT ON FUNCTION inventory.orphaned_store(inventory.store_binding) IS 'The store that a binding may have been before: its name and tables, and its ledger if there is one that no store uses.';

-- Objects stay behind when a store loses one of its tables or the extension is dropped by force.
CREATE FUNCTION inventory.drop_orphaned(binding inventory.store_binding) RETURNS void
	LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	store inventory.store := inventory.orphaned_store(binding);
BEGIN
	IF store.movements IS NOT NULL OR EXISTS (SELECT FROM inventory.facade_of(store))
	   OR EXISTS (SELECT FROM inventory.store_triggers(store))
	THEN
		PERFORM inventory.drop_generated(store);
	END IF;
	IF store.movements IS NOT NULL
	   AND to_regclass(format('%I.sellable', binding.ledger_schema)) IS NOT NULL THEN
		EXECUTE format('DROP VIEW %I.sellable', binding.ledger_schema);
	END IF;
END
$$;
COMMENT ON FUNCTION inventory.drop_orphaned(inventory.store_binding) IS 'Drops the generated objects that an earlier store of the same name left behind.';

CREATE FUNCTION inventory.insert_store_row(binding inventory.store_binding, movements regclass,
										   has_sellable boolean) RETURNS void
	LANGUAGE sql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
	INSERT INTO inventory.store (store_name, items, orders, movements, user_claim, direct_writes,
								 has_sellable, api_schema, argument_prefix, max_ttl, settings)
	VALUES (binding.store_name, binding.items, binding.orders, movements, binding.user_claim,
			binding.direct_writes, has_sellable, binding.api_schema, binding.argument_prefix,
			binding.max_ttl, binding.settings)
$$;
COMMENT ON FUNCTION inventory.insert_store_row(inventory.store_binding, regclass, boolean) IS 'Inserts the row of a store into inventory.store. Part of attach and refresh.';

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
	binding inventory.store_binding;
	schema_name name;
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
	schema_name := inventory.schema_of(attach.items);
	-- in the order of the type
	binding := ROW(
		coalesce(attach.store_name, concat_ws('.', schema_name,
			(SELECT c.relname FROM pg_class AS c WHERE c.oid = attach.items))),
		attach.items, attach.orders, inventory.owner_of(attach.items), attach.item_id, attach.stock,
		attach.version, attach.stock_floor, attach.purchase_limit, attach.order_id,
		attach.order_user_id, attach.order_item_id, attach.order_quantity, attach.order_columns,
		NULL, NULL, NULL, NULL, -- bind_items and bind_orders find the types
		coalesce(attach.api_schema, schema_name), attach.ledger_schema,
		coalesce(attach.argument_prefix, ''), attach.user_claim, attach.sellable,
		coalesce(attach.direct_writes, 'record'), coalesce(attach.max_ttl, '1 day'),
		inventory.session_settings()
	)::inventory.store_binding;
	PERFORM inventory.check_owners(binding);
	PERFORM inventory.check_options(binding);
	binding := inventory.bind_items(binding);
	binding := inventory.bind_orders(binding, attach.user_id_type);
	binding := inventory.bind_ledger_schema(binding);
	PERFORM inventory.drop_orphaned(binding);

	PERFORM inventory.insert_store_row(binding, inventory.make_ledger(binding),
									   binding.sellable IS NOT NULL);
	PERFORM inventory.make_results(binding);
	PERFORM inventory.make_triggers(binding);
	PERFORM inventory.open_ledger(binding.store_name);
	-- With wal_level = minimal, a crash resets a sequence that was used in the transaction
	-- that created it, unless it is set once more.
	EXECUTE format('SELECT setval(%1$L, s.last_value, s.is_called) FROM %1$s AS s',
		pg_get_serial_sequence(format('%I.movements', binding.ledger_schema), 'movement_id'));
	PERFORM inventory.make_facade(binding);
	PERFORM inventory.report_binding(binding);
	RETURN binding.items;
END
$$;
COMMENT ON FUNCTION inventory.attach(regclass, regclass, name, name, name, name, name, name, name, name, name, name[], regtype, name, name, text, text, text, text, interval, text) IS 'Binds existing tables as a store, or does nothing: finds or takes the named columns, creates the ledger, the guard and the functions, and books an opening for every item. Returns items. Every argument except items may be null. max_ttl: longest life of a hold, null for 1 day. See doc/reference.md for each argument and each refusal. Errors: 42501 if the tables are not those of one owner, 42710 if items is already attached, 42723 if functions to be generated already exist, 42804 for a column of the wrong type, 42703, 42809, 42P16, 22004, 22023, 23502 if nothing fills a NOT NULL column of orders.';

CREATE FUNCTION inventory.lookup_owned_store(items regclass) RETURNS inventory.store
	LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	store inventory.store;
BEGIN
	IF lookup_owned_store.items IS NULL THEN
		RAISE EXCEPTION 'items must not be null' USING ERRCODE = 'null_value_not_allowed';
	END IF;
	SELECT * INTO store FROM inventory.store AS s WHERE s.items = lookup_owned_store.items;
	IF NOT FOUND THEN
		PERFORM inventory.verify(lookup_owned_store.items);	-- raises not_a_store
	END IF;
	PERFORM inventory.check_owner(store.items);
	RETURN store;
END
$$;
COMMENT ON FUNCTION inventory.lookup_owned_store(regclass) IS 'The row of a store. Raises an error if there is none or the current user does not have the rights of its owner.';

CREATE FUNCTION inventory.detach(items regclass) RETURNS void
	LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	store inventory.store := inventory.lookup_owned_store(detach.items);
BEGIN
	EXECUTE format('LOCK TABLE ONLY %s IN ACCESS EXCLUSIVE MODE', store.items);
	PERFORM inventory.check_cold(store);
	PERFORM inventory.drop_generated(store);
	IF store.has_sellable THEN
		EXECUTE format('DROP VIEW %I.sellable', inventory.schema_of(store.movements));
	END IF;
	PERFORM inventory.delete_store_row(store.items);
END
$$;
COMMENT ON FUNCTION inventory.detach(regclass) IS 'Detaches a store from its tables: drops its functions, guard, views and binding, and keeps every table, including the ledger. Attaching the items again continues that ledger. Errors: IV012 not_a_store, 55006 while an item is hot, 22004, 42501.';

CREATE FUNCTION inventory.read_binding(store inventory.store, OUT binding inventory.store_binding)
	LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	c record;
BEGIN
	SELECT t.relation, string_agg(quote_ident(t.trigger_name), ', ' ORDER BY t.trigger_name) AS names
	INTO c FROM inventory.store_triggers(store) AS t WHERE t.is_binding
	GROUP BY t.relation HAVING count(*) > 1 LIMIT 1;
	IF FOUND THEN
		RAISE EXCEPTION 'store "%" is not intact', store.store_name
			USING ERRCODE = 'object_not_in_prerequisite_state',
				  DETAIL = format('More than one trigger of %s binds its columns: %s.', c.relation, c.names),
				  HINT = 'Drop those that inventory.attach() did not make.';
	END IF;
	binding.store_name := store.store_name;
	binding.items := store.items;
	binding.orders := store.orders;
	binding.user_claim := store.user_claim;
	binding.direct_writes := store.direct_writes;
	binding.argument_prefix := store.argument_prefix;
	binding.max_ttl := store.max_ttl;
	binding.settings := store.settings;
	binding.order_columns := '{}';
	binding.owner := inventory.owner_of(store.items);
	binding.ledger_schema := inventory.schema_of(store.movements);
	binding.api_schema := coalesce(
		(SELECT n.nspname FROM inventory.facade_of(store) AS f
		 JOIN pg_proc AS o ON o.oid = f.function_id JOIN pg_namespace AS n ON n.oid = o.pronamespace
		 WHERE f.part = 'buyer' LIMIT 1), store.api_schema);
	FOR c IN
		SELECT a.attname, r.role
		FROM inventory.store_triggers(store) AS b JOIN pg_trigger AS t ON t.oid = b.trigger_id
		CROSS JOIN LATERAL unnest(t.tgattr::int2[]) WITH ORDINALITY AS u(attnum, n)
		JOIN pg_attribute AS a ON a.attrelid = t.tgrelid AND a.attnum = u.attnum
		-- counted from the end: the name of the store may contain anything
		CROSS JOIN LATERAL split_part(encode(t.tgargs, 'escape'), '\000',
									  u.n::integer - t.tgnargs - 1) AS r(role)
		WHERE b.is_binding
		AND (b.relation = store.items)
			= (r.role IN ('item_id', 'stock', 'version', 'stock_floor', 'purchase_limit'))
		ORDER BY u.n
	LOOP
		IF c.role LIKE '%+' THEN
			binding.order_columns := binding.order_columns || c.attname;
		END IF;
		CASE rtrim(c.role, '+')
			WHEN 'item_id' THEN binding.item_id := c.attname;
			WHEN 'stock' THEN binding.stock := c.attname;
			WHEN 'version' THEN binding.version := c.attname;
			WHEN 'stock_floor' THEN binding.stock_floor := c.attname;
			WHEN 'purchase_limit' THEN binding.purchase_limit := c.attname;
			WHEN 'order_id' THEN binding.order_id := c.attname;
			WHEN 'order_user_id' THEN binding.order_user_id := c.attname;
			WHEN 'order_item_id' THEN binding.order_item_id := c.attname;
			WHEN 'order_quantity' THEN binding.order_quantity := c.attname;
			ELSE NULL;
		END CASE;
	END LOOP;
	IF binding.item_id IS NULL OR binding.stock IS NULL
	   OR store.orders IS NOT NULL AND (binding.order_id IS NULL OR binding.order_item_id IS NULL) THEN
		RAISE EXCEPTION 'store "%" is not intact', store.store_name
			USING ERRCODE = 'object_not_in_prerequisite_state',
				  DETAIL = 'A trigger that remembers the columns of its tables is missing.',
				  HINT = format('Detach the store, which keeps every table, and attach it again: SELECT inventory.detach(%L);',
								store.items);
	END IF;
	binding.item_type := inventory.column_type(store.items, binding.item_id);
	binding.stock_type := inventory.column_type(store.items, binding.stock);
	binding.user_type := inventory.column_type(store.movements, 'user_id');
	binding.order_type := inventory.column_type(store.movements, 'order_id');
END
$$;
COMMENT ON FUNCTION inventory.read_binding(inventory.store) IS 'The binding of a store as the catalogs of the server have it now, without sellable, which stays in its view.';

-- A function is named without its arguments, because refresh may change them.
CREATE FUNCTION inventory.facade_grants(binding inventory.store_binding) RETURNS SETOF text
	LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
	SELECT format('GRANT %s ON %s %s.%I TO %s%s', a.privilege_type, o.kind, o.schema, o.name,
				  coalesce(quote_ident(r.rolname), 'PUBLIC'),
				  CASE WHEN a.is_grantable THEN ' WITH GRANT OPTION' ELSE '' END)
	FROM (SELECT 'FUNCTION' AS kind, p.pronamespace::regnamespace AS schema, p.proname AS name,
				 p.proowner AS owner, p.proacl AS acl
		  FROM inventory.existing_facade(binding) AS f JOIN pg_proc AS p ON p.oid = f.function_id
		  UNION ALL
		  SELECT 'TABLE', c.relnamespace::regnamespace, c.relname, c.relowner, c.relacl
		  FROM pg_class AS c
		  WHERE c.relnamespace = to_regnamespace(quote_ident(binding.ledger_schema))
		  AND c.relname = 'levels' AND c.relkind = 'v')
		 AS o, aclexplode(o.acl) AS a LEFT JOIN pg_roles AS r ON r.oid = a.grantee
	WHERE a.grantee NOT IN (o.owner, binding.owner)
$$;
COMMENT ON FUNCTION inventory.facade_grants(inventory.store_binding) IS 'The GRANT statements for the privileges of other roles on the functions and the view "levels" of a store.';

CREATE FUNCTION inventory.change_ledger_owner(binding inventory.store_binding) RETURNS void
	LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	object text;
BEGIN
	FOR object IN
		SELECT format('FUNCTION %s', p.oid::regprocedure)
		FROM inventory.existing_facade(binding) AS f JOIN pg_proc AS p ON p.oid = f.function_id
		WHERE p.proowner <> binding.owner
		UNION ALL
		SELECT format('%s %I.%I', CASE c.relkind WHEN 'c' THEN 'TYPE' ELSE 'TABLE' END,
					  binding.ledger_schema, c.relname)
		FROM pg_class AS c
		WHERE c.relnamespace = to_regnamespace(quote_ident(binding.ledger_schema))
		AND c.relowner <> binding.owner
		AND c.relname IN ('movements', 'requests', 'reservations', 'hot', 'sellable', 'levels',
						  'line', 'hold', 'held_line')
	LOOP
		EXECUTE format('ALTER %s OWNER TO %I', object, pg_get_userbyid(binding.owner));
	END LOOP;
END
$$;
COMMENT ON FUNCTION inventory.change_ledger_owner(inventory.store_binding) IS 'Gives the ledger and the generated objects of a store to the owner of its items.';

CREATE FUNCTION inventory.refresh(items regclass) RETURNS void
	LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	store inventory.store := inventory.lookup_owned_store(refresh.items);
	binding inventory.store_binding;
	grants text[];
	lost text;
BEGIN
	EXECUTE format('LOCK TABLE ONLY %s IN ACCESS EXCLUSIVE MODE', store.items);
	binding := inventory.read_binding(store);
	PERFORM inventory.check_owners(binding);
	grants := ARRAY(SELECT inventory.facade_grants(binding));
	IF NOT has_schema_privilege(binding.owner, binding.ledger_schema, 'CREATE') THEN
		EXECUTE format('ALTER SCHEMA %I OWNER TO %I', binding.ledger_schema,
					   pg_get_userbyid(binding.owner));
	END IF;
	PERFORM inventory.drop_triggers(store);
	PERFORM inventory.make_results(binding);
	PERFORM inventory.make_triggers(binding);
	PERFORM inventory.make_facade(binding);
	PERFORM inventory.change_ledger_owner(binding);
	IF binding.api_schema <> store.api_schema THEN
		PERFORM inventory.delete_store_row(store.items);
		PERFORM inventory.insert_store_row(binding, store.movements, store.has_sellable);
	END IF;
	-- grants on objects that had to be dropped and created again
	FOR lost IN SELECT unnest(grants) EXCEPT SELECT inventory.facade_grants(binding) ORDER BY 1 LOOP
		EXECUTE lost;
	END LOOP;
END
$$;
COMMENT ON FUNCTION inventory.refresh(regclass) IS 'Generates the functions, views and triggers of a store again from the present state of its tables: after an upgrade, a renamed column or schema, or a change of owner. Objects are replaced where possible and not dropped, so that running calls and objects that use them continue. Grants are kept. Errors: IV012 not_a_store, 22004, 42501.';

CREATE FUNCTION inventory.grant_api(items regclass, role name, part text) RETURNS void
	LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	store inventory.store := inventory.lookup_owned_store(grant_api.items);
	grantee text := CASE role WHEN 'public' THEN 'PUBLIC' ELSE quote_ident(role) END;
	f record;
BEGIN
	IF role IS NULL OR part IS NULL THEN
		RAISE EXCEPTION 'role and part must not be null' USING ERRCODE = 'null_value_not_allowed';
	ELSIF part NOT IN ('buyer', 'operator') THEN
		RAISE EXCEPTION 'part cannot be "%"', part
			USING ERRCODE = 'invalid_parameter_value', HINT = 'It can be buyer or operator.';
	END IF;
	FOR f IN SELECT o.oid::regprocedure AS signature, o.pronamespace AS schema_id
			 FROM inventory.facade_of(store) AS g JOIN pg_proc AS o ON o.oid = g.function_id
			 WHERE g.part = grant_api.part
	LOOP
		EXECUTE format('GRANT EXECUTE ON FUNCTION %s TO %s', f.signature, grantee);
		-- only where it is missing: a schema such as public has another owner
		IF grantee = 'PUBLIC' OR NOT has_schema_privilege(role, f.schema_id, 'USAGE') THEN
			EXECUTE format('GRANT USAGE ON SCHEMA %s TO %s', f.schema_id::regnamespace, grantee);
		END IF;
	END LOOP;
END
$$;
COMMENT ON FUNCTION inventory.grant_api(regclass, name, text) IS 'Lets a role call the functions of a store for buyers or operators: grants EXECUTE, and USAGE on their schema. Arguments: items, the table; role, public for every role; part, buyer or operator. Errors: IV012 not_a_store, 22023, 22004, 42501, 42704.';

CREATE FUNCTION inventory.create_store(schema name, item_id_type regtype DEFAULT 'uuid',
									   user_id_type regtype DEFAULT 'uuid') RETURNS regclass
	LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	owner oid := to_regrole(quote_ident(current_user));
	items text;
	orders text;
	wrong regtype;
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
	items := format('%I.items', create_store.schema);
	orders := format('%I.orders', create_store.schema);
	IF coalesce(to_regclass(items), to_regclass(orders)) IS NOT NULL THEN
		RAISE EXCEPTION '% already exists', coalesce(to_regclass(items), to_regclass(orders))
			USING ERRCODE = 'duplicate_table',
				  HINT = 'Choose another schema' || CASE WHEN to_regclass(items) IS NULL THEN '.'
						 ELSE format(', or attach the existing tables: SELECT inventory.attach(%L, %L);',
									 to_regclass(items), to_regclass(orders)) END;
	END IF;
	EXECUTE format('CREATE TABLE %s (id %s PRIMARY KEY, stock bigint NOT NULL DEFAULT 0,
					stock_floor bigint NOT NULL DEFAULT 0, purchase_limit bigint) USING heap',
				   items, item_id_type);
	EXECUTE format('CREATE TABLE %s (id uuid PRIMARY KEY DEFAULT gen_random_uuid(), user_id %s,
					item_id %s NOT NULL, quantity bigint NOT NULL,
					created_at timestamptz NOT NULL DEFAULT now()) USING heap',
				   orders, user_id_type, item_id_type);
	PERFORM inventory.restrict_to_owner('TABLE', items, owner);
	PERFORM inventory.restrict_to_owner('TABLE', orders, owner);
	RETURN inventory.attach(items::regclass, orders::regclass, ledger_schema => create_store.schema);
END
$$;
COMMENT ON FUNCTION inventory.create_store(name, regtype, regtype) IS 'Creates the tables items and orders in a schema, and the schema if it does not exist, and attaches them, with the ledger and the functions in the same schema. Arguments: schema, its name; item_id_type and user_id_type, the types of the ids. Returns items. Errors: 42P07 if a table exists, 42804 for a type that cannot be an id, 22004, 42501.';
