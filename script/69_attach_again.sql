
-- ---------------------------------------------------------------- attach again
--
-- attach on an attached store changes its options.  It compares before it locks, so that it
-- can be part of every deployment.

CREATE FUNCTION inventory.binding_changes(old inventory.store_binding, new inventory.store_binding,
										  OUT n integer, OUT name text, OUT before text, OUT after text)
	RETURNS SETOF record
	LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
	SELECT o.n, o.name, o.value, a.value
	FROM inventory.binding_arguments(old) AS o JOIN inventory.binding_arguments(new) AS a USING (n)
	WHERE o.value <> a.value
	UNION ALL
	-- found by the foreign key
	SELECT 100, 'key of the header', quote_nullable(old.header_id), quote_nullable(new.header_id)
	WHERE old.header = new.header AND old.header_id <> new.header_id
$$;
COMMENT ON FUNCTION inventory.binding_changes(inventory.store_binding, inventory.store_binding) IS 'The arguments of attach in which two bindings differ, as attach_statement writes them.';

-- Made under other names, or with one more argument: to be taken back.
CREATE FUNCTION inventory.as_written(INOUT binding inventory.store_binding, in_force inventory.store_binding)
	LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	made record;
	scratch inventory.store_binding := binding;
BEGIN
	scratch.ledger_schema := in_force.ledger_schema;
	IF binding.sellable <> in_force.sellable THEN
		PERFORM inventory.make_sellable(scratch, 'sellable_as_given');
		binding.sellable := inventory.view_condition(format('%I.sellable_as_given', scratch.ledger_schema)::regclass);
	END IF;
	IF binding.has_order_units AND binding.orders = in_force.orders
	   AND binding.header IS NOT DISTINCT FROM in_force.header
	   AND (binding.order_units, binding.order_final) IS DISTINCT FROM (in_force.order_units, in_force.order_final)
	THEN
		SELECT * INTO made FROM inventory.make_worth_functions(scratch, ', boolean');
		binding.order_units := inventory.worth_body(made.order_units);
		binding.order_final := inventory.worth_body(made.order_final);
	END IF;
	IF num_nonnulls(binding.order_values, binding.header_values) > 0
	   AND (binding.order_values, binding.header_values) IS DISTINCT FROM (in_force.order_values, in_force.header_values)
	THEN
		SELECT coalesce(v.order_values, binding.order_values), coalesce(v.header_values, binding.header_values)
		INTO binding.order_values, binding.header_values
		FROM inventory.values_of_body(binding, inventory.make_prepare(scratch, ', boolean'),
			binding.order_value_columns, binding.order_value_columns,
			binding.header_value_columns, binding.header_value_columns) AS v;
	END IF;
	-- the order of these columns has no meaning
	IF ARRAY(SELECT unnest(binding.order_columns) ORDER BY 1) = ARRAY(SELECT unnest(in_force.order_columns) ORDER BY 1) THEN
		binding.order_columns := in_force.order_columns;
	END IF;
	IF ARRAY(SELECT unnest(binding.header_columns) ORDER BY 1) = ARRAY(SELECT unnest(in_force.header_columns) ORDER BY 1) THEN
		binding.header_columns := in_force.header_columns;
	END IF;
END
$$;
COMMENT ON FUNCTION inventory.as_written(inventory.store_binding, inventory.store_binding) IS 'A binding with its expressions as the server writes them, to compare it with the one in force.';

-- In a subtransaction that takes it all back, with the locks of the tables that expressions read.
CREATE FUNCTION inventory.compare_bindings(given inventory.store_binding, store inventory.store,
										   OUT old inventory.store_binding, OUT new inventory.store_binding)
	LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	BEGIN
		old := inventory.binding_in_force(store);
		new := inventory.as_written(given, old);
		RAISE SQLSTATE 'IV000';
	EXCEPTION WHEN SQLSTATE 'IV000' THEN
		NULL;
	END;
END
$$;
COMMENT ON FUNCTION inventory.compare_bindings(inventory.store_binding, inventory.store) IS 'The binding in force of a store, and a given one, both as the server writes them.';

-- Nothing is lost by what binds more than before, or was record.
CREATE FUNCTION inventory.check_loosened(old inventory.store_binding, new inventory.store_binding, omitted text[])
	RETURNS void
	LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	loosened text;
BEGIN
	SELECT string_agg(c.name, ', ' ORDER BY c.n) INTO loosened
	FROM inventory.binding_changes(old, new) AS c
	WHERE c.name = ANY (omitted) AND c.before NOT IN ('NULL', quote_literal(''), quote_literal('record'))
	-- one of them takes the place of the other
	AND NOT (c.name = 'order_prepare' AND num_nonnulls(new.order_values, new.header_values) > 0)
	AND NOT (c.name IN ('order_values', 'header_values') AND new.order_prepare IS NOT NULL);
	IF loosened IS NOT NULL THEN
		RAISE EXCEPTION 'attach does not name what is in force in store "%": %', old.store_name, loosened
			USING ERRCODE = 'object_not_in_prerequisite_state',
				  HINT = E'Edit the statement that is in force, or give up what it does not name: reset => true.\n'
						 || inventory.attach_statement(old);
	END IF;
END
$$;
COMMENT ON FUNCTION inventory.check_loosened(inventory.store_binding, inventory.store_binding, text[]) IS 'Raises an error if arguments that were omitted would loosen what is in force.';

CREATE FUNCTION inventory.table_column(relation regclass, column_name name) RETURNS text
	LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
	SELECT quote_ident(c.relname) || '.' || quote_ident(column_name) FROM pg_class AS c WHERE c.oid = relation
$$;
COMMENT ON FUNCTION inventory.table_column(regclass, name) IS 'A column with the name of its table, as retype takes it; null without one.';

CREATE FUNCTION inventory.check_same_ids(old inventory.store_binding, new inventory.store_binding) RETURNS void
	LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	changed record;
BEGIN
	IF old.item_id <> new.item_id OR old.orders = new.orders AND old.order_id <> new.order_id THEN
		RAISE EXCEPTION 'store "%" knows its % by column "%"', old.store_name,
						CASE WHEN old.item_id <> new.item_id THEN 'items' ELSE 'order lines' END,
						CASE WHEN old.item_id <> new.item_id THEN old.item_id ELSE old.order_id END
			USING ERRCODE = 'object_not_in_prerequisite_state',
				  HINT = 'Another key needs another ledger: detach the store, and attach with ledger_schema => ''...''.';
	END IF;
	SELECT * INTO changed FROM (VALUES
		('items', old.item_type, new.item_type, inventory.table_column(old.items, old.item_id)),
		('users', old.user_type, new.user_type, coalesce(inventory.table_column(old.orders, old.order_user_id),
			inventory.table_column(old.header, old.header_user_id), 'user_id')),
		('orders', old.order_type, CASE WHEN old.orders IS NOT NULL AND new.orders IS NOT NULL THEN new.order_type END, NULL))
		AS t(what, before, after, column_name)
	WHERE t.before <> t.after LIMIT 1;
	IF FOUND THEN
		RAISE EXCEPTION 'the ids of % would be %, but those of store "%" are %', changed.what, changed.after,
						old.store_name, changed.before
			USING ERRCODE = 'datatype_mismatch',
				  HINT = CASE WHEN changed.column_name IS NULL
						 THEN 'Attach without orders first, which keeps their keys in a column of the ledger, then with these orders.'
						 ELSE format('Change the type of the ids first: SELECT %I.retype(%L, %L, %L);', 'inventory',
									 old.items, changed.column_name, changed.after) END;
	END IF;
END
$$;
COMMENT ON FUNCTION inventory.check_same_ids(inventory.store_binding, inventory.store_binding) IS 'Raises an error if a binding has other keys than the one in force, or ids of other types.';

CREATE FUNCTION inventory.move_objects(functions oid[], relations oid[], schema_name name) RETURNS void
	LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	object text;
BEGIN
	FOR object IN
		SELECT format('FUNCTION %s', p.oid::regprocedure) FROM pg_proc AS p
		WHERE p.oid = ANY (functions) AND p.pronamespace <> quote_ident(schema_name)::regnamespace
		UNION ALL
		SELECT format('%s %s', CASE c.relkind WHEN 'c' THEN 'TYPE' WHEN 'v' THEN 'VIEW' ELSE 'TABLE' END, c.oid::regclass)
		FROM pg_class AS c
		WHERE c.oid = ANY (relations) AND c.relnamespace <> quote_ident(schema_name)::regnamespace
	LOOP
		EXECUTE format('ALTER %s SET SCHEMA %I', object, schema_name);
	END LOOP;
END
$$;
COMMENT ON FUNCTION inventory.move_objects(oid[], oid[], name) IS 'Moves functions, tables, views and types into a schema.';

CREATE FUNCTION inventory.move_store(store inventory.store, old inventory.store_binding,
									 new inventory.store_binding) RETURNS void
	LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	relations oid[];
BEGIN
	PERFORM inventory.check_facade_names(new);
	IF new.ledger_schema <> old.ledger_schema THEN
		PERFORM inventory.make_schema(new.ledger_schema, new.owner);
		relations := ARRAY(SELECT inventory.ledger_relations(store));
		PERFORM inventory.move_objects(
			ARRAY(SELECT f.function_id FROM inventory.facade_of(store) AS f WHERE f.part = 'operator')
				|| inventory.worth_functions(store) || inventory.prepare_function(store), relations, new.ledger_schema);
	END IF;
	IF new.api_schema <> old.api_schema THEN
		PERFORM inventory.move_objects(
			ARRAY(SELECT f.function_id FROM inventory.facade_of(store) AS f WHERE f.part = 'buyer'), '{}', new.api_schema);
	END IF;
END
$$;
COMMENT ON FUNCTION inventory.move_store(inventory.store, inventory.store_binding, inventory.store_binding) IS 'Moves the generated objects and the ledger of a store into the schemas of a new binding.';

-- A role that may execute the functions needs their schema.
CREATE FUNCTION inventory.grant_schemas(binding inventory.store_binding) RETURNS void
	LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	g record;
BEGIN
	FOR g IN
		SELECT DISTINCT p.pronamespace AS schema_id, coalesce(r.rolname, 'public') AS role
		FROM inventory.existing_facade(binding) AS f JOIN pg_proc AS p ON p.oid = f.function_id
		CROSS JOIN LATERAL aclexplode(p.proacl) AS a LEFT JOIN pg_roles AS r ON r.oid = a.grantee
		WHERE a.grantee <> p.proowner ORDER BY 1, 2
	LOOP
		CONTINUE WHEN has_schema_privilege(g.role, g.schema_id, 'USAGE');
		IF has_schema_privilege(g.schema_id, 'USAGE WITH GRANT OPTION') THEN
			EXECUTE format('GRANT USAGE ON SCHEMA %s TO %s', g.schema_id::regnamespace,
						   CASE g.role WHEN 'public' THEN 'PUBLIC' ELSE quote_ident(g.role) END);
		ELSE
			RAISE WARNING 'role % may execute functions in schema %, but not use the schema', g.role, g.schema_id::regnamespace
				USING HINT = format('GRANT USAGE ON SCHEMA %s TO %s;', g.schema_id::regnamespace,
									CASE g.role WHEN 'public' THEN 'PUBLIC' ELSE quote_ident(g.role) END);
		END IF;
	END LOOP;
END
$$;
COMMENT ON FUNCTION inventory.grant_schemas(inventory.store_binding) IS 'Lets the roles that may execute the functions of a store use the schemas into which they were moved.';

CREATE FUNCTION inventory.remake_expressions(store inventory.store, old inventory.store_binding,
											 new inventory.store_binding) RETURNS void
	LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	IF (old.has_order_units, old.orders, old.header, old.order_units, old.order_final, old.order_id, old.order_item_id, old.order_quantity,
		old.order_header_id, old.header_id)
	   IS DISTINCT FROM
	   (new.has_order_units, new.orders, new.header, new.order_units, new.order_final, new.order_id, new.order_item_id, new.order_quantity,
		new.order_header_id, new.header_id)
	THEN
		PERFORM inventory.drop_worth(store);
		PERFORM inventory.make_worth(new);
	END IF;
	-- whatever changed: its names for columns are those that the binding triggers get now
	PERFORM inventory.drop_functions(ARRAY[inventory.prepare_function(store)]);
	PERFORM inventory.make_prepare(new, '');
	IF new.sellable IS NULL THEN
		PERFORM inventory.drop_relations(inventory.existing_relations(old, 'sellable'));
	END IF;
END
$$;
COMMENT ON FUNCTION inventory.remake_expressions(inventory.store, inventory.store_binding, inventory.store_binding) IS 'Makes the views and functions with the expressions of a new binding; make_results makes that of sellable.';

-- Objects are replaced where possible and not dropped.
CREATE FUNCTION inventory.remake_store(store inventory.store, binding inventory.store_binding, changed boolean,
									   has_sellable boolean, has_prepare boolean) RETURNS void
	LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	grants text[] := ARRAY(SELECT inventory.facade_grants(binding));
	lost text;
BEGIN
	PERFORM inventory.drop_triggers(store);
	-- a store of an earlier version has none
	IF to_regclass(format('%I.order_changes', binding.ledger_schema)) IS NULL THEN
		PERFORM inventory.make_order_changes(binding);
	END IF;
	PERFORM inventory.complete_ledger(binding);
	PERFORM inventory.make_results(binding);
	PERFORM inventory.make_triggers(binding);
	PERFORM inventory.make_facade(binding);
	IF changed THEN
		PERFORM inventory.delete_store_row(store.items);
		PERFORM inventory.insert_store_row(binding, store.movements, has_sellable, has_prepare);
	END IF;
	-- grants on objects that had to be dropped and created again
	FOR lost IN SELECT unnest(grants) EXCEPT SELECT inventory.facade_grants(binding) ORDER BY 1 LOOP
		EXECUTE lost;
	END LOOP;
END
$$;
COMMENT ON FUNCTION inventory.remake_store(inventory.store, inventory.store_binding, boolean, boolean, boolean) IS 'Makes the functions, views, types and triggers of a store by a binding, and its row if the binding is "changed". Grants are kept. Part of refresh and of attach on an attached store.';

CREATE FUNCTION inventory.lock_exclusively(old inventory.store_binding, new inventory.store_binding) RETURNS void
	LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	relation regclass;
BEGIN
	-- in the order in which a call locks them
	FOREACH relation IN ARRAY ARRAY[new.items, old.orders, new.orders, old.header, new.header] LOOP
		CONTINUE WHEN relation IS NULL;
		EXECUTE format('LOCK TABLE ONLY %s IN ACCESS EXCLUSIVE MODE', relation);
	END LOOP;
END
$$;
COMMENT ON FUNCTION inventory.lock_exclusively(inventory.store_binding, inventory.store_binding) IS 'Locks the tables of a store before its objects are made again.';

-- A session that waits for an exclusive lock lets each later buyer wait behind it.  So it waits for a
-- moment, gives up what it has got, and tries again.
CREATE FUNCTION inventory.try_to_lock(relations regclass[]) RETURNS boolean
	LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp SET lock_timeout = '100ms' AS $$
DECLARE
	relation regclass;
BEGIN
	FOREACH relation IN ARRAY relations LOOP
		EXECUTE format('LOCK TABLE %s%s IN ACCESS EXCLUSIVE MODE',
					   CASE (SELECT c.relkind FROM pg_class AS c WHERE c.oid = relation) WHEN 'p' THEN '' ELSE 'ONLY ' END, relation);
	END LOOP;
	RETURN true;
EXCEPTION WHEN lock_not_available THEN
	RETURN false;
END
$$;
COMMENT ON FUNCTION inventory.try_to_lock(regclass[]) IS 'Locks tables exclusively, or returns false, without a lock, if another transaction has one of them for longer than a moment.';

CREATE FUNCTION inventory.lock_patiently(relations regclass[], store_name text) RETURNS void
	LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	patience interval := coalesce(nullif(current_setting('lock_timeout')::interval, '0'), '30 s');
	started timestamptz := clock_timestamp();
	users text;
BEGIN
	WHILE NOT inventory.try_to_lock(relations) LOOP
		IF clock_timestamp() - started > patience THEN
			SELECT string_agg(DISTINCT l.pid::text, ', ') INTO users
			FROM pg_locks AS l
			WHERE l.locktype = 'relation' AND l.relation = ANY (relations::oid[]) AND l.granted
			AND l.database = (SELECT d.oid FROM pg_database AS d WHERE d.datname = current_database());
			RAISE EXCEPTION 'the tables of store "%" are in use', store_name
				USING ERRCODE = 'lock_not_available',
					  DETAIL = coalesce('Transactions of these processes have used them: ' || users || '.', ''),
					  HINT = 'Nothing was changed, and buyers did not have to wait. Call it again when these transactions have ended; lock_timeout is how long it tries, instead of 30 s.';
		END IF;
		PERFORM pg_sleep(0.4);
	END LOOP;
END
$$;
COMMENT ON FUNCTION inventory.lock_patiently(regclass[], text) IS 'Locks the tables of a store exclusively when no other transaction uses them, so that buyers do not wait behind one that reads them for long. Part of refresh.';

CREATE FUNCTION inventory.alter_ledger(binding inventory.store_binding) RETURNS void
	LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	statement text;
BEGIN
	FOR statement IN
		SELECT format('ALTER TABLE %s %s', a.attrelid::regclass, string_agg(
			format('ALTER COLUMN %1$I TYPE %2$s USING %1$I::text::%3$s', a.attname,
				   e.type || inventory.collate_clause(e.collation_id, e.type), e.type), ', '))
		FROM inventory.ledger_columns(binding) AS e
		JOIN pg_class AS c ON c.relnamespace = quote_ident(binding.ledger_schema)::regnamespace AND c.relname = e.table_name
		JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attname = e.column_name
		WHERE (a.atttypid, a.attcollation) IS DISTINCT FROM (e.type::oid, e.collation_id)
		AND (e.table_name <> 'order_changes' OR binding.orders IS NOT NULL)
		GROUP BY a.attrelid
	LOOP
		EXECUTE statement;
	END LOOP;
END
$$;
COMMENT ON FUNCTION inventory.alter_ledger(inventory.store_binding) IS 'Gives the columns of a ledger the types and collations that a binding needs.';

CREATE FUNCTION inventory.change_store(store inventory.store, old inventory.store_binding,
									   new inventory.store_binding) RETURNS void
	LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	changed text[] := ARRAY(SELECT c.name FROM inventory.binding_changes(old, new) AS c);
	report text := (SELECT string_agg(format('%s: %s -> %s', c.name, c.before, c.after), E'\n' ORDER BY c.n)
					FROM inventory.binding_changes(old, new) AS c);
BEGIN
	-- counters know neither columns nor conditions
	IF changed && '{stock,version,stock_floor,purchase_limit,order_limit,sellable}' THEN
		PERFORM inventory.check_cold(store);
	END IF;
	PERFORM inventory.check_ledger_owner(old, store.movements);
	-- what lines are worth, the functions of before say
	IF old.order_writes = 'follow' AND new.order_writes <> 'follow' THEN
		PERFORM inventory.record_unknown_lines(old, store.movements);
		PERFORM inventory.stop_following(old, store.movements);
	END IF;
	PERFORM inventory.move_store(store, old, new);
	PERFORM inventory.check_schema_create(new.ledger_schema);
	PERFORM inventory.fit_order_ids(new);
	PERFORM inventory.alter_ledger(new);
	PERFORM inventory.make_ledger_indexes(new);
	PERFORM inventory.remake_expressions(store, old, new);
	PERFORM inventory.remake_store(store, new, true, new.sellable IS NOT NULL,
		num_nonnulls(new.order_prepare, new.order_values, new.header_values) > 0);
	PERFORM inventory.grant_schemas(new);
	EXECUTE format('COMMENT ON TABLE %s IS %L', store.movements::regclass, inventory.ledger_comment(new.store_name));
	IF 'stock' = ANY (changed) THEN
		PERFORM inventory.open_ledger(new.store_name);
	END IF;
	IF new.order_writes <> 'follow' THEN
		PERFORM inventory.stop_following(new, store.movements);
		PERFORM inventory.record_other_columns(old, new);
	END IF;
	IF changed && '{orders,order_item_id,order_quantity,order_user_id,order_writes,order_units,order_final,order_header,order_header_id}' THEN
		PERFORM inventory.book_open_lines(new, store.movements);
	END IF;
	RAISE NOTICE 'store "%" is changed', new.store_name USING DETAIL = coalesce(report, 'the settings of this session');
	PERFORM inventory.warn_promising_columns(new);
	IF changed && '{orders,order_header}' THEN
		PERFORM inventory.warn_given_triggers(new);
	END IF;
	IF changed && '{order_writes,order_final}' THEN
		PERFORM inventory.warn_follow(new);
	END IF;
	IF changed && '{orders,order_item_id}' THEN
		PERFORM inventory.warn_foreign_item(new);
	END IF;
	IF 'orders' = ANY (changed) THEN
		PERFORM inventory.warn_sold_lines(new);
	END IF;
	PERFORM inventory.warn_settable_values(new.items);
END
$$;
COMMENT ON FUNCTION inventory.change_store(inventory.store, inventory.store_binding, inventory.store_binding) IS 'Puts another binding of a store in force, and raises a NOTICE of what changed. The ledger and all grants stay.';

CREATE FUNCTION inventory.bind_again(binding inventory.store_binding, omitted text[], reset boolean) RETURNS void
	LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	store inventory.store;
	compared record;
	old inventory.store_binding;
	new inventory.store_binding;
BEGIN
	FOR pass IN 1..2 LOOP
		store := inventory.lookup_owned_store(binding.items);
		SELECT c.old, c.new INTO compared FROM inventory.compare_bindings(binding, store) AS c;
		old := compared.old;
		new := compared.new;
		-- they matter only to expressions; of several the condition decides
		IF num_nonnulls(new.sellable, new.order_units, new.order_final, new.order_values, new.header_values, new.order_prepare) = 0
		   OR NOT reset AND (CASE WHEN new.sellable IS NOT NULL THEN new.sellable = old.sellable
			  ELSE (new.order_units, new.order_final, new.order_values, new.header_values, new.order_prepare)
				   IS NOT DISTINCT FROM (old.order_units, old.order_final, old.order_values, old.header_values, old.order_prepare) END)
		THEN
			new.settings := old.settings;
		END IF;
		IF pass = 2 AND NOT reset THEN
			PERFORM inventory.check_read_back(store, old);
		END IF;
		IF NOT EXISTS (SELECT FROM inventory.binding_changes(old, new)) AND new.settings = old.settings
		   AND inventory.lost_expression(store, old) IS NULL THEN
			RAISE NOTICE 'store "%" is attached, nothing changed', old.store_name;
			RETURN;
		END IF;
		IF NOT reset THEN
			PERFORM inventory.check_loosened(old, new, omitted);
		END IF;
		PERFORM inventory.check_same_ids(old, new);
		IF pass = 1 THEN
			-- and look again: another session may have changed it
			PERFORM inventory.lock_exclusively(old, new);
		END IF;
	END LOOP;
	PERFORM inventory.change_store(store, old, new);
END
$$;
COMMENT ON FUNCTION inventory.bind_again(inventory.store_binding, text[], boolean) IS 'Implements attach on an attached store. "omitted" are the arguments that were not given, "reset" means their absence.';
