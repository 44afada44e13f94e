
-- ---------------------------------------------------------------- stores
--
-- Administration: what owners of tables call.

CREATE FUNCTION inventory.unbound_roles(binding inventory.store_binding) RETURNS text
	LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
	SELECT string_agg(r.role, ', ' ORDER BY r.n) FROM (VALUES
		(1, 'version', binding.version, true), (2, 'stock_floor', binding.stock_floor, true),
		(3, 'purchase_limit', binding.purchase_limit, true),
		(4, 'order_user_id', binding.order_user_id, binding.orders IS NOT NULL),
		(5, 'order_quantity', binding.order_quantity, binding.orders IS NOT NULL),
		(6, 'header_user_id', binding.header_user_id, binding.header IS NOT NULL))
		AS r(n, role, column_name, is_looked_for)
	WHERE r.column_name IS NULL AND r.is_looked_for
$$;
COMMENT ON FUNCTION inventory.unbound_roles(inventory.store_binding) IS 'The optional columns of a store for which none is bound, null if all are.';

-- Which roles had the functions of a ledger that is continued is not known: they went with the
-- functions.  USAGE on their schemas, which grant_api grants with them, is still there.
CREATE FUNCTION inventory.lost_grants(binding inventory.store_binding) RETURNS text
	LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
	SELECT coalesce(
		E'The functions are new, and only the owner may call them. Again for each of these roles that could before:\n'
			|| string_agg(format('SELECT inventory.grant_api(%L, %L, %L);', binding.items, r.rolname, p.part),
						  E'\n' ORDER BY p.part, r.rolname),
		'The functions are new, and only the owner may call them. Call inventory.grant_api again for each role that could before.')
	FROM (VALUES ('buyer', binding.api_schema), ('operator', binding.ledger_schema)) AS p(part, schema_name)
	JOIN pg_namespace AS n ON n.nspname = p.schema_name
	CROSS JOIN aclexplode(n.nspacl) AS a
	JOIN pg_roles AS r ON r.oid = a.grantee
	WHERE a.privilege_type = 'USAGE' AND a.grantee NOT IN (n.nspowner, binding.owner)
$$;
COMMENT ON FUNCTION inventory.lost_grants(inventory.store_binding) IS 'What to say of grants where a store continues a ledger: calls of grant_api for the roles that may use the schemas of its functions.';

CREATE FUNCTION inventory.report_binding(binding inventory.store_binding, continued boolean) RETURNS void
	LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	report text := concat_ws(E'\n',
		format('items %s: key %I %s, stock in %I %s', binding.items, binding.item_id,
			   binding.item_type, binding.stock, binding.stock_type)
			|| coalesce(', version ' || quote_ident(binding.version), '')
			|| coalesce(', floor ' || quote_ident(binding.stock_floor), '')
			|| coalesce(', purchase limit ' || quote_ident(binding.purchase_limit), '')
			|| coalesce(', order limit ' || quote_ident(binding.order_limit), ''),
		CASE WHEN binding.orders IS NULL THEN 'no orders: the application inserts its own'
		ELSE format('orders %s: key %I %s, item %I', binding.orders, binding.order_id,
					binding.order_type, binding.order_item_id)
			|| coalesce(', quantity ' || quote_ident(binding.order_quantity),
						', no quantity: one unit per row')
			|| coalesce(', user ' || quote_ident(binding.order_user_id), ', no user')
			|| coalesce(', header ' || quote_ident(binding.order_header_id), '') END,
		CASE WHEN binding.header IS NOT NULL THEN
			format('header %s: key %I %s', binding.header, binding.header_id, binding.header_type)
			|| coalesce(', user ' || quote_ident(binding.header_user_id), ', no user') END,
		'callers may set: ' || (SELECT string_agg(quote_ident(c), ', ' ORDER BY n)
								FROM unnest(binding.order_columns) WITH ORDINALITY AS u(c, n)),
		'callers may set in the header: '
			|| (SELECT string_agg(quote_ident(c), ', ' ORDER BY n)
				FROM unnest(binding.header_columns) WITH ORDINALITY AS u(c, n)),
		'rows of orders made by: ' || binding.order_prepare,
		'computed: ' || (SELECT string_agg(quote_ident(c), ', ' ORDER BY n)
						 FROM unnest(binding.order_value_columns || binding.header_value_columns)
							  WITH ORDINALITY AS u(c, n)),
		'for sale where: ' || binding.sellable,
		format('user ids are %s', binding.user_type) || coalesce(', claim ' || binding.user_claim, ''),
		'not found: ' || inventory.unbound_roles(binding),
		format('functions for buyers in schema %I, ledger and functions for operators in schema %I',
			   binding.api_schema, binding.ledger_schema));
BEGIN
	IF continued THEN
		RAISE NOTICE 'store "%" is attached', binding.store_name
			USING DETAIL = report, HINT = inventory.lost_grants(binding);
	ELSE
		RAISE NOTICE 'store "%" is attached', binding.store_name USING DETAIL = report;
	END IF;
END
$$;
COMMENT ON FUNCTION inventory.report_binding(inventory.store_binding, boolean) IS 'Raises a NOTICE that lists what was bound, and if a ledger is continued, says that grants are to be given again.';

CREATE FUNCTION inventory.check_options(binding inventory.store_binding) RETURNS void
	LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	taken regclass;
BEGIN
	IF binding.direct_writes NOT IN ('record', 'refuse', 'keep') THEN
		RAISE EXCEPTION 'direct_writes cannot be "%"', binding.direct_writes
			USING ERRCODE = 'invalid_parameter_value', HINT = 'It can be record, refuse or keep.';
	ELSIF binding.order_writes NOT IN ('record', 'refuse', 'follow') THEN
		RAISE EXCEPTION 'order_writes cannot be "%"', binding.order_writes
			USING ERRCODE = 'invalid_parameter_value', HINT = 'It can be record, refuse or follow.';
	ELSIF binding.order_writes = 'follow' AND binding.direct_writes = 'record' THEN
		RAISE EXCEPTION 'direct_writes cannot be "record" where order_writes is "follow"'
			USING ERRCODE = 'invalid_parameter_value',
				  DETAIL = 'A sale would count twice: by its order line, and by what the application takes from the stock.',
				  HINT = 'It can be refuse (the default there) or keep.';
	ELSIF NOT binding.max_ttl BETWEEN '1 microsecond' AND '100 years' THEN
		RAISE EXCEPTION 'max_ttl must be greater than zero and at most 100 years'
			USING ERRCODE = 'invalid_parameter_value', HINT = 'For example: max_ttl => ''1 day''.';
	ELSIF octet_length(binding.argument_prefix) > 40 THEN
		RAISE EXCEPTION 'argument_prefix is longer than 40 bytes'
			USING ERRCODE = 'name_too_long';
	ELSIF octet_length(binding.store_name) > 255 OR octet_length(binding.user_claim) > 255 THEN
		RAISE EXCEPTION 'store_name and user_claim may have at most 255 bytes'
			USING ERRCODE = 'name_too_long';
	ELSIF greatest(octet_length(binding.sellable), octet_length(binding.order_units),
				   octet_length(binding.order_final)) > 10000 THEN
		RAISE EXCEPTION 'sellable, order_units and order_final may have at most 10000 bytes'
			USING ERRCODE = 'program_limit_exceeded', HINT = 'Move it into a function, or a generated column.';
	ELSIF '' IN (binding.store_name, binding.user_claim, binding.sellable, binding.order_units, binding.order_final) THEN
		RAISE EXCEPTION 'store_name, user_claim, sellable, order_units and order_final must not be empty'
			USING ERRCODE = 'invalid_parameter_value', HINT = 'Pass null for none.';
	ELSIF to_regnamespace(quote_ident(binding.api_schema)) IS NULL THEN
		RAISE EXCEPTION 'schema "%" does not exist', binding.api_schema
			USING ERRCODE = 'invalid_schema_name', HINT = 'It was given as api_schema.';
	END IF;
	-- stores of other owners may have the same name
	SELECT s.items INTO taken FROM inventory.store AS s
	WHERE s.store_name = binding.store_name AND s.items <> binding.items AND inventory.owner_of(s.items) = binding.owner;
	IF taken IS NOT NULL THEN
		RAISE EXCEPTION 'store "%" already exists, on %', binding.store_name, taken
			USING ERRCODE = 'duplicate_object', HINT = 'Choose another name: store_name => ''...''.';
	END IF;
END
$$;
COMMENT ON FUNCTION inventory.check_options(inventory.store_binding) IS 'Raises an error if an argument of attach that is not a table or column is invalid.';

-- Tables stay.
CREATE FUNCTION inventory.drop_generated(store inventory.store, functions oid[]) RETURNS void
	LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	relations oid[] := ARRAY(SELECT c.oid FROM inventory.generated_relations(store) AS c
							 WHERE pg_has_role(c.relowner, 'USAGE') AND c.relname <> 'order_worth');
BEGIN
	PERFORM inventory.drop_functions(functions || inventory.prepare_function(store));
	PERFORM inventory.drop_worth(store);
	PERFORM inventory.drop_triggers(store);
	PERFORM inventory.drop_relations(relations);
END
$$;
COMMENT ON FUNCTION inventory.drop_generated(inventory.store, oid[]) IS 'Drops the given functions and the triggers, views and result types of a store.';

CREATE FUNCTION inventory.orphaned_store(binding inventory.store_binding, OUT store inventory.store)
	LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	store.store_name := binding.store_name;
	store.items := binding.items;
	store.orders := binding.orders;
	store.header := binding.header;
	store.api_schema := binding.api_schema;
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
	functions oid[] := inventory.facade_nearby(store);
BEGIN
	IF store.movements IS NOT NULL OR functions <> '{}'
	   OR EXISTS (SELECT FROM inventory.store_triggers(store))
	THEN
		PERFORM inventory.drop_generated(store, functions);
	END IF;
END
$$;
COMMENT ON FUNCTION inventory.drop_orphaned(inventory.store_binding) IS 'Drops the generated objects that an earlier store of the same name left behind.';

CREATE FUNCTION inventory.lock_tables(items regclass, orders regclass, header regclass) RETURNS void
	LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	relation regclass;
BEGIN
	FOREACH relation IN ARRAY array_remove(ARRAY[items, orders, header], NULL) LOOP
		EXECUTE format('LOCK TABLE ONLY %s IN SHARE ROW EXCLUSIVE MODE', relation);
	END LOOP;
END
$$;
COMMENT ON FUNCTION inventory.lock_tables(regclass, regclass, regclass) IS 'Locks the tables of a store to be made against writers.';

CREATE FUNCTION inventory.bind_store(
		items regclass, orders regclass, item_id name, stock name, version name, stock_floor name,
		purchase_limit name, order_id name, order_user_id name, order_item_id name,
		order_quantity name, order_columns name[], user_id_type regtype, api_schema name,
		ledger_schema name, argument_prefix text, user_claim text, sellable text,
		direct_writes text, max_ttl interval, store_name text, order_writes text, order_units text,
		order_final text, order_header regclass, order_header_id name, header_user_id name,
		header_columns name[], order_values jsonb, header_values jsonb, order_prepare regprocedure,
		order_limit name, adopt boolean, reset boolean) RETURNS regclass
	LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	store inventory.store;
	binding inventory.store_binding;
	schema_name name;
	movements regclass;
	continued boolean; -- is there a ledger from before?
	omitted text[] := array_remove(ARRAY[
		CASE WHEN bind_store.orders IS NULL THEN 'orders' END,
		CASE WHEN bind_store.stock_floor IS NULL THEN 'stock_floor' END,
		CASE WHEN bind_store.purchase_limit IS NULL THEN 'purchase_limit' END,
		CASE WHEN bind_store.user_claim IS NULL THEN 'user_claim' END,
		CASE WHEN bind_store.sellable IS NULL THEN 'sellable' END,
		CASE WHEN bind_store.direct_writes IS NULL THEN 'direct_writes' END,
		CASE WHEN bind_store.order_writes IS NULL THEN 'order_writes' END,
		CASE WHEN bind_store.order_values IS NULL THEN 'order_values' END,
		CASE WHEN bind_store.header_values IS NULL THEN 'header_values' END,
		CASE WHEN bind_store.order_prepare IS NULL THEN 'order_prepare' END,
		CASE WHEN bind_store.order_limit IS NULL THEN 'order_limit' END], NULL);
BEGIN
	IF bind_store.items IS NULL THEN
		RAISE EXCEPTION 'items must not be null' USING ERRCODE = 'null_value_not_allowed';
	ELSIF bind_store.items = bind_store.orders THEN
		RAISE EXCEPTION 'items and orders cannot be the same table'
			USING ERRCODE = 'invalid_parameter_value';
	ELSIF bind_store.order_header IN (bind_store.items, bind_store.orders) THEN
		RAISE EXCEPTION 'order_header cannot be the table of items or orders'
			USING ERRCODE = 'invalid_parameter_value';
	END IF;
	SELECT * INTO store FROM inventory.store AS s WHERE s.items = bind_store.items;
	IF NOT FOUND THEN
		PERFORM inventory.check_table(bind_store.items, 'items', false);
	END IF;
	PERFORM inventory.check_owners(bind_store.items, bind_store.orders);
	PERFORM inventory.check_owners(bind_store.items, bind_store.order_header);
	IF store.items IS NULL THEN
		PERFORM inventory.lock_tables(bind_store.items, bind_store.orders, bind_store.order_header);
		-- another session may have attached it
		SELECT * INTO store FROM inventory.store AS s WHERE s.items = bind_store.items;
	END IF;
	-- those of a store are checked by each call, and here they are not even locked
	IF bind_store.orders IS DISTINCT FROM store.orders::regclass AND bind_store.orders IS NOT NULL THEN
		PERFORM inventory.check_table(bind_store.orders, 'orders', true);
	END IF;
	IF bind_store.order_header IS DISTINCT FROM store.header::regclass AND bind_store.order_header IS NOT NULL THEN
		PERFORM inventory.check_table(bind_store.order_header, 'order_header', false);
	END IF;
	schema_name := inventory.schema_of(bind_store.items);
	-- in the order of the type
	binding := ROW(
		coalesce(bind_store.store_name, store.store_name, concat_ws('.', schema_name,
			(SELECT c.relname FROM pg_class AS c WHERE c.oid = bind_store.items))),
		bind_store.items, bind_store.orders, inventory.owner_of(bind_store.items),
		bind_store.item_id, bind_store.stock, bind_store.version, bind_store.stock_floor,
		bind_store.purchase_limit, bind_store.order_id, bind_store.order_user_id,
		bind_store.order_item_id, bind_store.order_quantity, bind_store.order_columns,
		NULL, NULL, NULL, NULL, -- bind_items and bind_orders find the types
		coalesce(bind_store.api_schema, schema_name),
		coalesce(bind_store.ledger_schema, inventory.schema_of(store.movements)),
		coalesce(bind_store.argument_prefix, ''), bind_store.user_claim, bind_store.sellable,
		coalesce(bind_store.direct_writes, CASE WHEN bind_store.order_writes = 'follow' THEN 'refuse' ELSE 'record' END),
		coalesce(bind_store.max_ttl, '1 day'),
		inventory.session_settings(), bind_store.order_writes, bind_store.order_units,
		bind_store.order_final, bind_store.order_header, bind_store.order_header_id,
		bind_store.header_user_id, bind_store.header_columns, bind_store.order_values,
		bind_store.header_values, bind_store.order_prepare, bind_store.order_limit,
		NULL, NULL, NULL, NULL, -- bind_header and bind_orders find the key, its type and the values
		num_nonnulls(bind_store.order_units, bind_store.order_final) > 0
			OR bind_store.order_writes IS NOT DISTINCT FROM 'follow',
		bind_store.direct_writes IS NOT DISTINCT FROM 'refuse'
	)::inventory.store_binding;
	PERFORM inventory.check_options(binding);
	binding := inventory.bind_items(binding);
	binding := inventory.bind_orders(binding, bind_store.user_id_type);
	PERFORM inventory.check_other_stores(binding);
	PERFORM inventory.check_follow(binding);
	IF binding.order_prepare IS NOT NULL THEN
		PERFORM inventory.check_prepare(binding);
	END IF;
	IF store.items IS NOT NULL THEN
		PERFORM inventory.bind_again(binding, omitted, coalesce(bind_store.reset, false));
		RETURN binding.items;
	END IF;
	binding := inventory.bind_ledger_schema(binding);
	PERFORM inventory.drop_orphaned(binding);
	IF adopt IS NOT TRUE THEN
		PERFORM inventory.move_old_ledger(binding);
	END IF;

	continued := EXISTS (SELECT FROM pg_class AS c
						 WHERE c.relnamespace = to_regnamespace(quote_ident(binding.ledger_schema)) AND c.relname = 'movements');
	movements := inventory.make_ledger(binding);
	PERFORM inventory.mark_ledger(movements, binding.items);
	PERFORM inventory.make_results(binding);
	PERFORM inventory.make_worth(binding);
	PERFORM inventory.make_facade(binding);
	PERFORM inventory.make_prepare(binding, '');
	PERFORM inventory.insert_store_row(binding, movements, binding.sellable IS NOT NULL,
		num_nonnulls(binding.order_prepare, binding.order_values, binding.header_values) > 0);
	PERFORM inventory.make_triggers(binding);
	PERFORM inventory.warn_promising_columns(binding);
	PERFORM inventory.warn_below_floor(binding);
	PERFORM inventory.warn_foreign_item(binding);
	PERFORM inventory.warn_given_triggers(binding);
	PERFORM inventory.warn_old_orders(binding, movements);
	PERFORM inventory.warn_follow(binding);
	PERFORM inventory.open_ledger(binding.store_name);
	PERFORM inventory.book_open_lines(binding, movements);
	IF binding.order_writes <> 'follow' THEN
		PERFORM inventory.stop_following(binding, movements);
	END IF;
	-- With wal_level = minimal, a crash resets a sequence that was used in the transaction
	-- that created it, unless it is set once more.
	EXECUTE format('SELECT setval(%1$L, s.last_value, s.is_called) FROM %1$s AS s',
		pg_get_serial_sequence(format('%I.movements', binding.ledger_schema), 'movement_id'));
	PERFORM inventory.report_binding(binding, continued);
	PERFORM inventory.warn_settable_values(binding.items);
	RETURN binding.items;
END
$$;
COMMENT ON FUNCTION inventory.bind_store(regclass, regclass, name, name, name, name, name, name, name, name, name, name[], regtype, name, name, text, text, text, text, interval, text, text, text, text, regclass, name, name, name[], jsonb, jsonb, regprocedure, name, boolean, boolean) IS 'Implements attach, with the rights of the owner of the items.';

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
		store_name text DEFAULT NULL, order_writes text DEFAULT NULL,
		order_units text DEFAULT NULL, order_final text DEFAULT NULL,
		order_header regclass DEFAULT NULL, order_header_id name DEFAULT NULL,
		header_user_id name DEFAULT NULL, header_columns name[] DEFAULT NULL,
		order_values jsonb DEFAULT NULL, header_values jsonb DEFAULT NULL,
		order_prepare regprocedure DEFAULT NULL, order_limit name DEFAULT NULL,
		adopt boolean DEFAULT NULL, reset boolean DEFAULT NULL) RETURNS regclass
	LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'inventory_attach';
COMMENT ON FUNCTION inventory.attach(regclass, regclass, name, name, name, name, name, name, name, name, name, name[], regtype, name, name, text, text, text, text, interval, text, text, text, text, regclass, name, name, name[], jsonb, jsonb, regprocedure, name, boolean, boolean) IS 'Binds existing tables as a store, or does nothing: finds or takes the named columns, creates the ledger, the guards and the functions, and books an opening for every item. On an attached store it changes the options to those that are given, and keeps the ledger and all grants; where nothing differs it locks nothing. Returns items. Every argument except items may be null. max_ttl: longest life of a hold, null for 1 day. order_writes: what happens when others change order lines, record (null), refuse or follow. order_units, order_final: SQL expressions over the rows line and header. order_header: the table of which each purchase inserts a row, to which its lines refer. order_values and header_values: objects of columns of orders or of their header and SQL expressions that compute them; order_prepare: a function that makes these rows instead. order_limit: the column with the units of an item that one call may take. adopt: continues the ledger in the ledger schema, also if it is of another table. reset: on an attached store, an argument that is omitted is meant, even where that loosens what is in force. See doc/reference.md for each argument and each refusal. Errors: 42501 if the tables are not those of one owner, 42710 if another store has the name, 55000 if what is omitted would loosen what is in force, 55006 for what cannot change while an item is hot, 42723 if functions to be generated already exist, 42804 for a column of the wrong type, 42703, 42702, 42P10, 42809, 42P16, 42P13, 42P07, 42622, 3F000, 22004, 22023, 54000, 23502 if nothing fills a NOT NULL column of orders.';

-- A store that is not intact can be detached, too.
CREATE FUNCTION inventory.record_before_detach(store inventory.store) RETURNS void
	LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	binding inventory.store_binding;
BEGIN
	IF store.order_writes <> 'follow' THEN
		RETURN;
	END IF;
	BEGIN
		binding := inventory.read_binding(store);
		PERFORM inventory.lock_exclusively(binding, binding);
		PERFORM inventory.record_unknown_lines(binding, store.movements);
	EXCEPTION WHEN OTHERS THEN
		RAISE WARNING 'what order lines of store "%" are worth is not recorded', store.store_name
			USING DETAIL = SQLERRM,
				  HINT = 'If its orders are not followed when it is attached again, lines that its ledger does not know count as sold, by their rows.';
	END;
END
$$;
COMMENT ON FUNCTION inventory.record_before_detach(inventory.store) IS 'Records, for a store that follows its orders and is about to be detached, what only its order_units knows; a WARNING if that is not possible.';

CREATE FUNCTION inventory.unbind_store(items regclass) RETURNS void
	LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	store inventory.store := inventory.lookup_owned_store(unbind_store.items);
BEGIN
	EXECUTE format('LOCK TABLE ONLY %s IN ACCESS EXCLUSIVE MODE', store.items);
	PERFORM inventory.check_cold(store);
	PERFORM inventory.record_before_detach(store);
	PERFORM inventory.mark_ledger(store.movements, store.items);
	PERFORM inventory.drop_generated(store, ARRAY(SELECT f.function_id FROM inventory.facade_of(store) AS f));
	PERFORM inventory.delete_store_row(store.items);
END
$$;
COMMENT ON FUNCTION inventory.unbind_store(regclass) IS 'Implements detach, with the rights of the owner of the items.';

CREATE FUNCTION inventory.detach(items regclass) RETURNS void
	LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'inventory_detach';
COMMENT ON FUNCTION inventory.detach(regclass) IS 'Detaches a store from its tables: drops its functions, guards, views and binding, and keeps every table, including the ledger. Attaching the items again continues that ledger. Errors: IV012 not_a_store, 55006 while an item is hot, 2BP01 for views of the shop on levels, 22004, 42501.';

CREATE FUNCTION inventory.is_schema_of_store(store inventory.store, relations oid[], functions oid[])
	RETURNS boolean
	LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
	SELECT NOT EXISTS (
		SELECT FROM pg_class AS m
		JOIN pg_depend AS d ON d.refclassid = 'pg_namespace'::regclass AND d.refobjid = m.relnamespace
		WHERE m.oid = store.movements
		-- what only refers to the schema is not in it
		AND (pg_identify_object(d.classid, d.objid, d.objsubid)).schema IS NOT NULL
		AND NOT (d.classid = 'pg_proc'::regclass AND d.objid = ANY (functions))
		AND NOT (d.classid = 'pg_type'::regclass
				 AND d.objid IN (SELECT c.reltype FROM pg_class AS c WHERE c.oid = ANY (relations)))
		AND NOT (d.classid = 'pg_class'::regclass AND (
			d.objid = ANY (relations || store.items::oid || store.orders::oid || store.header::oid) OR EXISTS (
				SELECT FROM pg_depend AS o
				WHERE o.classid = 'pg_class'::regclass AND o.objid = d.objid
				AND o.deptype IN ('a', 'i') AND o.refclassid = 'pg_class'::regclass
				AND o.refobjid = ANY (relations || store.items::oid || store.orders::oid || store.header::oid)))))
$$;
COMMENT ON FUNCTION inventory.is_schema_of_store(inventory.store, oid[], oid[]) IS 'True if the ledger schema of a store contains nothing but the store.';

-- What has another owner than the ledger is not of the store.  Runs with the rights of the
-- caller, who needs those of both owners.
CREATE FUNCTION inventory.take_over_ledger(items regclass) RETURNS void
	LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	store inventory.store;
	old_owner oid;
	new_owner name;
	schema_name name;
	relations oid[];
	functions oid[];
	object text;
BEGIN
	SELECT * INTO STRICT store FROM inventory.store AS s WHERE s.items = take_over_ledger.items;
	old_owner := inventory.owner_of(store.movements);
	new_owner := pg_get_userbyid(inventory.owner_of(store.items));
	schema_name := inventory.schema_of(store.movements);
	relations := ARRAY(SELECT inventory.ledger_relations(store));
	functions := ARRAY(SELECT f.function_id FROM inventory.facade_of(store) AS f
					   JOIN pg_proc AS p ON p.oid = f.function_id WHERE p.proowner = old_owner)
				 || inventory.worth_functions(store)
				 || array_remove(ARRAY[inventory.prepare_function(store)], NULL);
	IF inventory.is_schema_of_store(store, relations, functions)
	   AND (SELECT n.nspowner = old_owner FROM pg_namespace AS n WHERE n.nspname = schema_name) THEN
		EXECUTE format('ALTER SCHEMA %I OWNER TO %I', schema_name, new_owner);
	END IF;
	FOR object IN
		SELECT format('FUNCTION %s', f::regprocedure) FROM unnest(functions) AS f
		UNION ALL
		SELECT format('%s %s', CASE c.relkind WHEN 'c' THEN 'TYPE' WHEN 'v' THEN 'VIEW' ELSE 'TABLE' END,
					  c.oid::regclass)
		FROM pg_class AS c WHERE c.oid = ANY (relations)
	LOOP
		EXECUTE format('ALTER %s OWNER TO %I', object, new_owner);
	END LOOP;
END
$$;
COMMENT ON FUNCTION inventory.take_over_ledger(regclass) IS 'Gives the ledger and the generated objects of a store, and a schema that contains nothing else, to the owner of its items. Part of detach and refresh.';

CREATE FUNCTION inventory.refresh_store(items regclass) RETURNS void
	LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	store inventory.store := inventory.lookup_owned_store(refresh_store.items);
	binding inventory.store_binding;
BEGIN
	PERFORM inventory.check_owners(store.items, store.orders);
	PERFORM inventory.check_owners(store.items, store.header);
	-- in the order in which a call locks them
	PERFORM inventory.lock_patiently(array_remove(ARRAY[store.items, store.orders, store.header], NULL), store.store_name);
	binding := inventory.read_binding(store);
	PERFORM inventory.check_ledger_owner(binding, store.movements);
	PERFORM inventory.check_schema_create(binding.ledger_schema);
	PERFORM inventory.mark_ledger(store.movements, store.items);
	IF store.has_prepare AND inventory.prepare_function(store) IS NULL THEN
		IF num_nonnulls(store.order_values, store.header_values) = 0 THEN
			RAISE EXCEPTION 'store "%" has lost its function prepare_order', store.store_name
				USING ERRCODE = 'object_not_in_prerequisite_state',
					  HINT = format('Detach the store, which keeps every table, and attach it again: SELECT inventory.detach(%L);',
									store.items);
		END IF;
		PERFORM inventory.make_prepare(binding, '');
	END IF;
	PERFORM inventory.remake_store(store, binding, binding.api_schema <> store.api_schema, store.has_sellable,
								   store.has_prepare);
END
$$;
COMMENT ON FUNCTION inventory.refresh_store(regclass) IS 'Implements refresh, with the rights of the owner of the items.';

CREATE FUNCTION inventory.refresh(items regclass) RETURNS void
	LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'inventory_refresh';
COMMENT ON FUNCTION inventory.refresh(regclass) IS 'Generates the functions, views and triggers of a store again from the present state of its tables: after an upgrade or a change of owner. Renamed columns, tables and schemas need no refresh. Objects are replaced where possible and not dropped, so that running calls and objects that use them continue. Grants are kept. Errors: IV012 not_a_store, 55P03 if the tables are in use, 55000 if the store is not intact, 2BP01 for views of the shop that depend on what has to be dropped, 22004, 42501.';

-- A transaction for each store, so that buyers of one do not wait for the others.  A procedure that
-- commits cannot have a search_path of its own.
CREATE PROCEDURE inventory.refresh_all()
	LANGUAGE plpgsql AS $$
DECLARE
	own pg_catalog.regclass[] := ARRAY(
		SELECT s.items FROM inventory.store AS s JOIN pg_catalog.pg_class AS c ON c.oid OPERATOR(pg_catalog.=) s.items
		WHERE pg_catalog.pg_has_role(c.relowner, 'USAGE') ORDER BY s.store_name);
	items pg_catalog.regclass;
	message pg_catalog.text;
	detail pg_catalog.text;
	hint pg_catalog.text;
	failed pg_catalog.text[] := '{}';
BEGIN
	FOREACH items IN ARRAY own LOOP
		BEGIN
			PERFORM inventory.refresh(items);
		EXCEPTION WHEN OTHERS THEN
			GET STACKED DIAGNOSTICS message = MESSAGE_TEXT, detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
			RAISE WARNING 'the store of % was not refreshed: %', items, message USING DETAIL = detail, HINT = hint;
			failed := pg_catalog.array_append(failed, items::pg_catalog.text);
		END;
		COMMIT;
	END LOOP;
	IF pg_catalog.cardinality(failed) OPERATOR(pg_catalog.>) 0 THEN
		RAISE EXCEPTION '% of % stores were not refreshed', pg_catalog.cardinality(failed), pg_catalog.cardinality(own)
			USING ERRCODE = 'object_not_in_prerequisite_state',
				  DETAIL = pg_catalog.format('Not refreshed: %s.', pg_catalog.array_to_string(failed, ', ')),
				  HINT = 'The warnings say why. The others are refreshed, and their functions sell.';
	END IF;
END
$$;
COMMENT ON PROCEDURE inventory.refresh_all() IS 'Refreshes every store whose owner''s rights the caller has, each in a transaction of its own: after ALTER EXTENSION inventory UPDATE. A store that cannot be refreshed is a warning and does not stop the others; then the call ends with an error. It cannot run in a transaction block. Errors: 55000, 2D000.';

CREATE FUNCTION inventory.grant_facade(items regclass, role name, part text) RETURNS void
	LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	store inventory.store := inventory.lookup_owned_store(grant_facade.items);
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
			 WHERE g.part = grant_facade.part
	LOOP
		EXECUTE format('GRANT EXECUTE ON FUNCTION %s TO %s', f.signature, grantee);
		-- only where it is missing: a schema such as public has another owner
		CONTINUE WHEN has_schema_privilege(role, f.schema_id, 'USAGE');
		IF NOT has_schema_privilege(f.schema_id, 'USAGE WITH GRANT OPTION') THEN
			RAISE EXCEPTION 'permission denied for schema %', f.schema_id::regnamespace
				USING ERRCODE = 'insufficient_privilege',
					  HINT = format('GRANT USAGE ON SCHEMA %s TO %s;', f.schema_id::regnamespace, grantee);
		END IF;
		EXECUTE format('GRANT USAGE ON SCHEMA %s TO %s', f.schema_id::regnamespace, grantee);
	END LOOP;
	IF part = 'buyer' THEN
		PERFORM inventory.warn_settable_values(store.items);
	END IF;
END
$$;
COMMENT ON FUNCTION inventory.grant_facade(regclass, name, text) IS 'Implements grant_api, with the rights of the owner of the items.';

CREATE FUNCTION inventory.grant_api(items regclass, role name, part text) RETURNS void
	LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'inventory_grant_api';
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
