
-- ---------------------------------------------------------------- results
--
-- The views of a ledger and the result types of the generated functions.  attach and
-- refresh make them; one that fits stays, because the shop may use it in its own views and
-- running calls return it.

CREATE FUNCTION inventory.reads_relation(view oid, relation oid) RETURNS boolean
	LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
	SELECT EXISTS (
		SELECT FROM pg_rewrite AS r JOIN pg_depend AS d ON d.objid = r.oid
		WHERE r.ev_class = view AND d.classid = 'pg_rewrite'::regclass
		AND d.refclassid = 'pg_class'::regclass AND d.refobjid = relation)
$$;
COMMENT ON FUNCTION inventory.reads_relation(oid, oid) IS 'True if a view depends on a relation.';

CREATE FUNCTION inventory.is_open_reservations(view pg_class) RETURNS boolean
	LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
	SELECT view.relname = 'open_reservations' AND EXISTS (
		SELECT FROM pg_class AS r WHERE r.relnamespace = view.relnamespace AND r.relname = 'reservations'
		AND inventory.reads_relation(view.oid, r.oid))
$$;
COMMENT ON FUNCTION inventory.is_open_reservations(pg_class) IS 'True for the view open_reservations of a ledger.';

CREATE FUNCTION inventory.returned_by_store(type_id oid, store inventory.store) RETURNS boolean
	LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
	SELECT EXISTS (
		SELECT FROM pg_depend AS d JOIN pg_proc AS p ON p.oid = d.objid
		WHERE d.refclassid = 'pg_type'::regclass AND d.refobjid = type_id
		AND d.classid = 'pg_proc'::regclass AND inventory.is_generated(p, store))
$$;
COMMENT ON FUNCTION inventory.returned_by_store(oid, inventory.store) IS 'True if a generated function of a store returns a type.';

-- By what they are made of, because an owner can move the ledger into a schema that has other
-- objects with these names.  A type that the owner has changed is known by the functions that
-- return it.
CREATE FUNCTION inventory.generated_relations(store inventory.store) RETURNS SETOF pg_class
	LANGUAGE sql STABLE ROWS 5 SET search_path = pg_catalog, pg_temp AS $$
	SELECT c.* FROM pg_class AS m JOIN pg_class AS c ON c.relnamespace = m.relnamespace
	WHERE m.oid = store.movements AND c.relowner = m.relowner
	AND CASE c.relkind
	WHEN 'v' THEN c.relname IN ('levels', 'sellable') AND inventory.reads_relation(c.oid, store.items)
		OR c.relname = 'order_worth' AND inventory.reads_relation(c.oid, store.orders)
		OR inventory.is_open_reservations(c)
	WHEN 'c' THEN c.relname IN ('line', 'hold', 'held_line', 'open_hold', 'item_level', 'refunded_order') AND (
		inventory.returned_by_store(c.reltype, store)
		OR ARRAY(SELECT a.attname FROM pg_attribute AS a
				 WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum)
		IN ('{status,item_id,quantity,order_id,available,replayed,header_id}',
			'{status,reservation_id,expires_at,short_lines}',
			'{status,expires_at,item_id,quantity,order_id}',
			'{reservation_id,item_id,quantity,expires_at}', '{item_id,available}',
			'{order_id,status,quantity}'))
	ELSE false END
$$;
COMMENT ON FUNCTION inventory.generated_relations(inventory.store) IS 'The views and result types that attach made in the ledger schema of a store.';

CREATE FUNCTION inventory.existing_relations(binding inventory.store_binding, relation name)
	RETURNS oid[]
	LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
	SELECT ARRAY(SELECT c.oid FROM inventory.store AS s, inventory.generated_relations(s) AS c
				 WHERE s.items = binding.items AND c.relname = relation)
$$;
COMMENT ON FUNCTION inventory.existing_relations(inventory.store_binding, name) IS 'The view or result type of a name that attach made for the store of a binding, if there is one.';

CREATE FUNCTION inventory.check_dependents(relations oid[]) RETURNS void
	LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	views text;
	first record;
BEGIN
	-- what depends on such a view, too: it has to go first
	WITH RECURSIVE above(view, level) AS (
		SELECT r.ev_class, 1 FROM pg_depend AS d JOIN pg_rewrite AS r ON r.oid = d.objid
		WHERE d.classid = 'pg_rewrite'::regclass AND d.refclassid = 'pg_class'::regclass
		AND d.refobjid = ANY (relations) AND NOT r.ev_class = ANY (relations)
		UNION
		SELECT r.ev_class, a.level + 1 FROM above AS a JOIN pg_depend AS d ON d.refobjid = a.view
		JOIN pg_rewrite AS r ON r.oid = d.objid
		WHERE d.classid = 'pg_rewrite'::regclass AND d.refclassid = 'pg_class'::regclass AND r.ev_class <> a.view
	), deepest AS (SELECT a.view, max(a.level) AS level FROM above AS a GROUP BY a.view)
	SELECT string_agg(format('DROP %s %s;', CASE c.relkind WHEN 'm' THEN 'MATERIALIZED VIEW' WHEN 'v' THEN 'VIEW' ELSE 'TABLE' END, v.view::regclass),
					  E'\n' ORDER BY v.level DESC, v.view::regclass::text)
	INTO views FROM deepest AS v JOIN pg_class AS c ON c.oid = v.view;
	IF views IS NULL THEN
		RETURN;
	END IF;
	SELECT r.ev_class::regclass AS view, d.refobjid::regclass AS relation INTO first
	FROM pg_depend AS d JOIN pg_rewrite AS r ON r.oid = d.objid
	WHERE d.classid = 'pg_rewrite'::regclass AND d.refclassid = 'pg_class'::regclass
	AND d.refobjid = ANY (relations) AND NOT r.ev_class = ANY (relations)
	ORDER BY r.ev_class::regclass::text LIMIT 1;
	RAISE EXCEPTION '% reads %, which has to be made again', first.view, first.relation
		USING ERRCODE = 'dependent_objects_still_exist',
			  HINT = E'Keep the definitions, for example by pg_get_viewdef, drop the views, and create them afterwards:\n' || views;
END
$$;
COMMENT ON FUNCTION inventory.check_dependents(oid[]) IS 'Raises an error that names the views of the shop which keep generated views from being dropped.';

CREATE FUNCTION inventory.drop_relations(relations oid[]) RETURNS void
	LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	relation regclass;
BEGIN
	PERFORM inventory.check_dependents(relations);
	FOREACH relation IN ARRAY relations LOOP
		EXECUTE format('DROP %s %s', (SELECT CASE c.relkind WHEN 'v' THEN 'VIEW' ELSE 'TYPE' END
									  FROM pg_class AS c WHERE c.oid = relation), relation);
	END LOOP;
END
$$;
COMMENT ON FUNCTION inventory.drop_relations(oid[]) IS 'Drops views and result types.';

CREATE FUNCTION inventory.result_columns(binding inventory.store_binding, relation name)
	RETURNS text
	LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
	SELECT string_agg(format('%I %s', a.attname, format_type(a.atttypid, a.atttypmod)), ', '
					  ORDER BY a.attnum)
	FROM pg_class AS m
	JOIN pg_class AS c ON c.relnamespace = m.relnamespace AND c.relowner = m.relowner
	JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attnum > 0
	WHERE m.relnamespace = to_regnamespace(quote_ident(binding.ledger_schema))
	AND m.relname = 'movements' AND c.relname = relation AND c.relkind IN ('v', 'c')
$$;
COMMENT ON FUNCTION inventory.result_columns(inventory.store_binding, name) IS 'The columns of a view or type that belongs to the owner of the ledger, as in its definition; null if there is none.';

CREATE FUNCTION inventory.make_result_type(binding inventory.store_binding, type_name name,
										   template text, description text) RETURNS void
	LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp
	SET client_min_messages = warning SET quote_all_identifiers = off AS $$
DECLARE
	type text := format('%I.%I', binding.ledger_schema, type_name);
	columns text := inventory.fill_types(binding, template);
	fits boolean := coalesce(inventory.result_columns(binding, type_name) = columns, false);
	relations oid[];
BEGIN
	IF NOT fits THEN
		-- before its functions, by which a type is known
		relations := inventory.existing_relations(binding, type_name);
		PERFORM inventory.drop_functions(ARRAY(
			SELECT f.function_id FROM inventory.existing_facade(binding) AS f
			JOIN pg_proc AS o ON o.oid = f.function_id WHERE o.prorettype = to_regtype(type)));
		PERFORM inventory.drop_relations(relations);
		EXECUTE format('CREATE TYPE %s AS (%s)', type, columns);
	END IF;
	-- without an ACL PUBLIC may use it: it was restored without privileges
	IF NOT fits OR (SELECT t.typacl FROM pg_type AS t WHERE t.oid = to_regtype(type)) IS NULL THEN
		PERFORM inventory.restrict_to_owner('TYPE', type, binding.owner);
	END IF;
	EXECUTE format('COMMENT ON TYPE %s IS %L', type, description);
END
$$;
COMMENT ON FUNCTION inventory.make_result_type(inventory.store_binding, name, text, text) IS 'Creates a result type of the generated functions of a store. If one exists that does not fit, drops it and the functions that return it.';

CREATE FUNCTION inventory.make_levels(binding inventory.store_binding) RETURNS void
	LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp
	SET client_min_messages = warning SET quote_all_identifiers = off AS $$
DECLARE
	floor text := coalesce('coalesce(i.' || quote_ident(binding.stock_floor) || ', 0)::numeric', '0');
	max_stock text := CASE binding.stock_type WHEN 'smallint'::regtype THEN '32767'
					  WHEN 'integer'::regtype THEN '2147483647' ELSE '9223372036854775807' END;
	fits boolean := coalesce(inventory.result_columns(binding, 'levels') = inventory.fill_types(binding,
		'item_id {item_id_type}, available bigint, reserved bigint, on_hand bigint, hot boolean'), false);
BEGIN
	IF NOT fits THEN
		PERFORM inventory.drop_relations(inventory.existing_relations(binding, 'levels'));
	END IF;
	EXECUTE CASE WHEN fits THEN 'CREATE OR REPLACE' ELSE 'CREATE' END || format($sql$
		VIEW %1$I.levels AS
		SELECT i.%2$I::%6$s AS item_id,
			   CASE WHEN i.%3$I IS NOT NULL
			   THEN least(greatest(i.%3$I::numeric + coalesce(u.unsettled, 0) + coalesce(r.overdue, 0) - %4$s, 0), %5$s)::bigint END AS available,
			   least(coalesce(r.held - r.overdue, 0), 9223372036854775807)::bigint AS reserved,
			   CASE WHEN i.%3$I IS NOT NULL
			   THEN least(i.%3$I::numeric + coalesce(u.unsettled, 0) + coalesce(r.held, 0), 9223372036854775807)::bigint END AS on_hand,
			   coalesce(u.hot, false) AS hot
		FROM ONLY %7$s AS i
		LEFT JOIN (SELECT h.item_id, sum(h.quantity) AS held,
						  coalesce(sum(h.quantity) FILTER (WHERE h.expires_at <= clock_timestamp()), 0) AS overdue
				   FROM %1$I.reservations AS h WHERE h.status = 'held' AND h.tracked
				   GROUP BY h.item_id) AS r ON r.item_id = i.%2$I
		LEFT JOIN LATERAL (
			SELECT t.hot, (SELECT sum(m.delta) FROM %1$I.movements AS m
						   WHERE m.item_id = t.item_id AND m.epoch > t.settled_epoch) AS unsettled
			FROM %1$I.hot AS t WHERE t.item_id = i.%2$I AND t.hot) AS u ON true$sql$,
		binding.ledger_schema, binding.item_id, binding.stock, floor, max_stock,
		inventory.type_name(binding.item_type), binding.items);
	EXECUTE format('COMMENT ON VIEW %I.levels IS %L', binding.ledger_schema,
				   'Stock of each item, in units: available can be sold, reserved is held, on_hand is what is there, reserved units included; null where stock is not tracked.');
	IF NOT fits THEN
		PERFORM inventory.restrict_to_owner('TABLE', format('%I.levels', binding.ledger_schema),
											binding.owner);
	END IF;
END
$$;
COMMENT ON FUNCTION inventory.make_levels(inventory.store_binding) IS 'Creates or replaces the view of the stock of a store.';

CREATE FUNCTION inventory.make_open_reservations(binding inventory.store_binding) RETURNS void
	LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	qualified text := format('%I.open_reservations', binding.ledger_schema);
	fits boolean := coalesce(inventory.result_columns(binding, 'open_reservations') = inventory.fill_types(binding,
		'reservation_id uuid, item_id {item_id_type}, quantity bigint, user_id {user_id_type}, decided boolean, expires_at timestamp with time zone, created_at timestamp with time zone'), false);
BEGIN
	IF NOT fits THEN
		PERFORM inventory.drop_relations(inventory.existing_relations(binding, 'open_reservations'));
	END IF;
	EXECUTE CASE WHEN fits THEN 'CREATE OR REPLACE' ELSE 'CREATE' END || format($sql$
		VIEW %s AS
		SELECT r.reservation_id, r.item_id, r.quantity, r.user_id, r.expires_at = 'infinity' AS decided,
			   r.expires_at, r.created_at
		FROM %I.reservations AS r WHERE r.status = 'held' AND r.expires_at > clock_timestamp()$sql$,
		qualified, binding.ledger_schema);
	EXECUTE format('COMMENT ON VIEW %s IS %L', qualified,
				   'The lines of reservations that hold units now. decided: it does not expire, and waits for its confirmation or release.');
	IF NOT fits THEN
		PERFORM inventory.restrict_to_owner('TABLE', qualified, binding.owner);
	END IF;
END
$$;
COMMENT ON FUNCTION inventory.make_open_reservations(inventory.store_binding) IS 'Creates or replaces the view of the open reservations of a store.';

CREATE FUNCTION inventory.make_sellable(binding inventory.store_binding, view_name name) RETURNS void
	LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	qualified text := format('%I.%I', binding.ledger_schema, view_name);
	exists boolean := inventory.existing_relations(binding, view_name) <> '{}';
BEGIN
	BEGIN
		-- only one expression with balanced parentheses is valid in both statements.
		EXECUTE format(E'SELECT CASE WHEN (%s\n) THEN 1 END FROM ONLY %s AS i LIMIT 0',
					   binding.sellable, binding.items);
		EXECUTE format(E'%s VIEW %s AS SELECT i.%I AS item_id FROM ONLY %s AS i WHERE (%s\n)',
					   CASE WHEN exists THEN 'CREATE OR REPLACE' ELSE 'CREATE' END, qualified, binding.item_id,
					   binding.items, binding.sellable);
	EXCEPTION WHEN syntax_error_or_access_rule_violation THEN
		RAISE EXCEPTION 'sellable is not a condition on %: %', binding.items, SQLERRM
			USING ERRCODE = SQLSTATE,
				  HINT = 'Write it as after WHERE, for example status = ''live'', with the schemas of the tables and functions in it.';
	END;
	EXECUTE format('COMMENT ON VIEW %s IS %L', qualified,
				   'The items that are for sale. The engine reads the condition from this view.');
	IF NOT exists THEN
		PERFORM inventory.restrict_to_owner('TABLE', qualified, binding.owner);
	END IF;
END
$$;
COMMENT ON FUNCTION inventory.make_sellable(inventory.store_binding, name) IS 'Creates or replaces a view of the items that are for sale.';

-- In the schema of the ledger.  One that takes the rows of orders is of the store: it was made
-- by attach, and it goes with their table.
CREATE FUNCTION inventory.worth_functions(store inventory.store) RETURNS oid[]
	LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
	SELECT ARRAY(
		SELECT p.oid FROM pg_class AS m JOIN pg_proc AS p ON p.pronamespace = m.relnamespace
		JOIN pg_class AS o ON o.oid = store.orders AND p.proargtypes[0] = o.reltype
		WHERE m.oid = store.movements AND p.proowner = m.relowner
		AND p.proname IN ('order_units', 'order_final')
		-- order_final of a line calls that of its rows
		ORDER BY p.pronargs)
$$;
COMMENT ON FUNCTION inventory.worth_functions(inventory.store) IS 'The functions order_units and order_final of a store.';

CREATE FUNCTION inventory.drop_worth(store inventory.store) RETURNS void
	LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	worth_function oid;
BEGIN
	PERFORM inventory.drop_relations(ARRAY(SELECT c.oid FROM inventory.generated_relations(store) AS c
										   WHERE pg_has_role(c.relowner, 'USAGE') AND c.relname = 'order_worth'));
	FOREACH worth_function IN ARRAY inventory.worth_functions(store) LOOP
		PERFORM inventory.drop_functions(ARRAY[worth_function]);
	END LOOP;
END
$$;
COMMENT ON FUNCTION inventory.drop_worth(inventory.store) IS 'Drops the functions order_units and order_final of a store, and the view order_worth.';

-- "more" are further arguments, which tell a function that is only to be read from the store's own.
CREATE FUNCTION inventory.make_worth_function(binding inventory.store_binding, function_name name,
											  expression text, template text, more text) RETURNS oid
	LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	signature text := format('%I.%I', binding.ledger_schema, function_name);
	header text := ', ' || binding.header::text;
	made oid;
BEGIN
	BEGIN
		-- only one expression with balanced parentheses is valid in both statements
		EXECUTE format(E'SELECT CASE WHEN true THEN (%s\n) END FROM ONLY %s AS line%s LIMIT 0', expression,
					   binding.orders, coalesce(header || ' AS header', ''));
		EXECUTE format(E'CREATE FUNCTION %s(line %s%s%s) ' || template, signature, binding.orders,
					   coalesce(', header ' || binding.header::text, ''), more, expression);
	EXCEPTION WHEN syntax_error_or_access_rule_violation THEN
		RAISE EXCEPTION '% is not an expression over the rows "line" of % and "header": %', function_name,
						binding.orders, SQLERRM
			USING ERRCODE = SQLSTATE,
				  HINT = CASE WHEN binding.header IS NULL
						 THEN 'For columns of the headers name their table: order_header => ''...''.'
						 ELSE 'Write columns as line.quantity and header.status, and functions and types with their schema.' END;
	END;
	made := to_regprocedure(format('%s(%s%s%s)', signature, binding.orders, coalesce(header, ''), more));
	PERFORM inventory.check_row_expression(made, function_name);
	EXECUTE format('REVOKE ALL ON FUNCTION %s FROM PUBLIC', made::regprocedure);
	EXECUTE format('COMMENT ON FUNCTION %s IS %L', made::regprocedure, CASE function_name
		WHEN 'order_units' THEN 'What an order line is worth, in units.'
		ELSE 'True if an order line is final: what falls on it gives nothing back.' END);
	RETURN made;
END
$$;
COMMENT ON FUNCTION inventory.make_worth_function(inventory.store_binding, name, text, text, text) IS 'Creates order_units or order_final of a store from its expression.';

CREATE FUNCTION inventory.make_worth_functions(binding inventory.store_binding, more text, OUT order_units oid,
											   OUT order_final oid)
	LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	order_units := inventory.make_worth_function(binding, 'order_units',
		coalesce(binding.order_units, 'line.' || quote_ident(binding.order_quantity), '1'),
		E'RETURNS bigint LANGUAGE sql IMMUTABLE PARALLEL SAFE RETURN trunc(least(greatest(nullif((%s\n)::numeric, ''NaN''), 0), 9223372036854775807))::bigint', more);
	order_final := inventory.make_worth_function(binding, 'order_final', coalesce(binding.order_final, 'false'),
		E'RETURNS boolean LANGUAGE sql IMMUTABLE PARALLEL SAFE RETURN (%s\n)', more);
END
$$;
COMMENT ON FUNCTION inventory.make_worth_functions(inventory.store_binding, text) IS 'Creates the functions order_units and order_final of both rows.';

CREATE FUNCTION inventory.make_worth(binding inventory.store_binding) RETURNS void
	LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	view_name text := format('%I.order_worth', binding.ledger_schema);
	-- not "line": a column can be called so
	rows text := 'line.*' || CASE WHEN binding.header IS NULL THEN '' ELSE ', header.*' END;
BEGIN
	IF NOT binding.has_order_units THEN
		RETURN;
	END IF;
	PERFORM inventory.make_worth_functions(binding, '');
	IF binding.header IS NOT NULL THEN
		-- the header of a line that is deleted is looked up
		EXECUTE format($sql$
			CREATE FUNCTION %1$I.order_final(line %2$s) RETURNS boolean LANGUAGE sql STABLE PARALLEL SAFE
			RETURN coalesce((SELECT %1$I.order_final(line.*, header.*) FROM %3$s AS header WHERE header.%4$I = line.%5$I),
							%1$I.order_final(line.*, NULL::%3$s))$sql$,
			binding.ledger_schema, binding.orders, binding.header, binding.header_id,
			binding.order_header_id);
		EXECUTE format('REVOKE ALL ON FUNCTION %I.order_final(%s) FROM PUBLIC', binding.ledger_schema, binding.orders);
		EXECUTE format('COMMENT ON FUNCTION %I.order_final(%s) IS %L', binding.ledger_schema, binding.orders,
					   'True if an order line is final, by the row of its header as it is.');
	END IF;
	EXECUTE format($sql$
		CREATE VIEW %1$s AS
		SELECT line.%2$I::%3$s AS order_id, line.%4$I AS item_id,
			   CASE WHEN line.%4$I IS NULL THEN 0
			   ELSE greatest(coalesce(%5$I.order_units(%6$s), 0), 0) END AS units,
			   coalesce(%5$I.order_final(%6$s), false) AS final
		FROM %7$s AS line %8$s$sql$,
		view_name, binding.order_id, inventory.type_name(binding.order_type), binding.order_item_id, binding.ledger_schema,
		rows, binding.orders,
		CASE WHEN binding.header IS NOT NULL THEN format('LEFT JOIN %s AS header ON header.%I = line.%I', binding.header,
														 binding.header_id, binding.order_header_id) END);
	EXECUTE format('COMMENT ON VIEW %s IS %L', view_name,
				   'What each order line is worth, in units, by order_units, and whether it is final, by order_final.');
	PERFORM inventory.restrict_to_owner('TABLE', view_name, binding.owner);
END
$$;
COMMENT ON FUNCTION inventory.make_worth(inventory.store_binding) IS 'Creates the functions order_units and order_final of a store, and the view order_worth.';

CREATE FUNCTION inventory.make_results(binding inventory.store_binding) RETURNS void
	LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	PERFORM inventory.make_levels(binding);
	PERFORM inventory.make_open_reservations(binding);
	IF binding.sellable IS NOT NULL THEN
		PERFORM inventory.make_sellable(binding, 'sellable');
	END IF;
	PERFORM inventory.make_result_type(binding, 'line',
		'status text, item_id {item_id_type}, quantity {quantity_type}, order_id {order_id_type}, available {quantity_type}, replayed boolean, header_id {header_id_type}',
		'A line of the answer to a cart. status: ok, the name of the refusal, or not_taken if another line is at fault. available: units that can be sold afterwards. header_id: the key of the header of the line, where the store has headers.');
	PERFORM inventory.make_result_type(binding, 'hold',
		'status text, reservation_id uuid, expires_at timestamp with time zone, short_lines jsonb',
		'The answer of try_reserve_cart. status: ok or the name of the refusal. short_lines: the lines that were refused.');
	PERFORM inventory.make_result_type(binding, 'held_line',
		'status text, expires_at timestamp with time zone, item_id {item_id_type}, quantity {quantity_type}, order_id {order_id_type}',
		'A line of a reservation. status: held, confirmed, released or expired at the time of the call.');
	PERFORM inventory.make_result_type(binding, 'open_hold',
		'reservation_id uuid, item_id {item_id_type}, quantity {quantity_type}, expires_at timestamp with time zone',
		'A line of an open hold: the answer of my_reservations.');
	PERFORM inventory.make_result_type(binding, 'item_level',
		'item_id {item_id_type}, available {quantity_type}',
		'The answer of available_stocks. available: units that can be sold, null where the stock is not tracked.');
	PERFORM inventory.make_result_type(binding, 'refunded_order',
		'order_id {order_id_type}, status text, quantity {quantity_type}',
		'The answer of refund_orders. status: ok, or the name of the refusal. quantity: the units that the call has refunded.');
END
$$;
COMMENT ON FUNCTION inventory.make_results(inventory.store_binding) IS 'Makes the views and the result types of a store.';
