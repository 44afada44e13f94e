
-- ---------------------------------------------------------------- what is in force
--
-- What is attached, as the catalogs of the server have it: columns may have been renamed
-- and objects moved.

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
	binding.refuses_truncate := store.refuses_truncate;
	binding.order_writes := store.order_writes;
	binding.has_order_units := store.has_order_units;
	binding.argument_prefix := store.argument_prefix;
	binding.max_ttl := store.max_ttl;
	binding.settings := store.settings;
	binding.header := store.header;
	binding.order_columns := '{}';
	binding.header_columns := '{}';
	binding.order_value_columns := '{}';
	binding.header_value_columns := '{}';
	binding.order_values := store.order_values;
	binding.header_values := store.header_values;
	binding.owner := inventory.owner_of(store.items);
	binding.ledger_schema := inventory.schema_of(store.movements);
	binding.api_schema := coalesce(
		(SELECT n.nspname FROM inventory.facade_of(store) AS f
		 JOIN pg_proc AS o ON o.oid = f.function_id JOIN pg_namespace AS n ON n.oid = o.pronamespace
		 WHERE f.part = 'buyer' LIMIT 1), store.api_schema);
	FOR c IN
		SELECT b.relation, b.column_name AS attname, b.role FROM inventory.bound_columns(store) AS b
		WHERE b.relation = CASE
			WHEN b.role IN ('item_id', 'stock', 'version', 'stock_floor', 'purchase_limit', 'order_limit')
			THEN store.items
			WHEN starts_with(b.role, 'order_') THEN store.orders
			WHEN starts_with(b.role, 'header_') THEN store.header
			ELSE nullif(b.relation, store.items) END
		ORDER BY b.n
	LOOP
		IF c.role LIKE '%=%' AND c.relation = store.header THEN
			binding.header_value_columns := binding.header_value_columns || c.attname;
		ELSIF c.role LIKE '%=%' THEN
			binding.order_value_columns := binding.order_value_columns || c.attname;
		ELSIF c.role LIKE '%+' AND c.relation = store.header THEN
			binding.header_columns := binding.header_columns || c.attname;
		ELSIF c.role LIKE '%+' THEN
			binding.order_columns := binding.order_columns || c.attname;
		END IF;
		CASE rtrim(split_part(c.role, '=', 1), '+*')
			WHEN 'item_id' THEN binding.item_id := c.attname;
			WHEN 'stock' THEN binding.stock := c.attname;
			WHEN 'version' THEN binding.version := c.attname;
			WHEN 'stock_floor' THEN binding.stock_floor := c.attname;
			WHEN 'purchase_limit' THEN binding.purchase_limit := c.attname;
			WHEN 'order_limit' THEN binding.order_limit := c.attname;
			WHEN 'order_id' THEN binding.order_id := c.attname;
			WHEN 'order_user_id' THEN binding.order_user_id := c.attname;
			WHEN 'order_item_id' THEN binding.order_item_id := c.attname;
			WHEN 'order_quantity' THEN binding.order_quantity := c.attname;
			WHEN 'order_header_id' THEN binding.order_header_id := c.attname;
			WHEN 'header_id' THEN binding.header_id := c.attname;
			WHEN 'header_user_id' THEN binding.header_user_id := c.attname;
			ELSE NULL;
		END CASE;
	END LOOP;
	IF binding.item_id IS NULL OR binding.stock IS NULL
	   OR store.orders IS NOT NULL AND (binding.order_id IS NULL OR binding.order_item_id IS NULL)
	   OR store.header IS NOT NULL AND (binding.header_id IS NULL OR binding.order_header_id IS NULL) THEN
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
	binding.header_type := coalesce(inventory.column_type(store.header, binding.header_id), 'text');
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
		  FROM pg_class AS c WHERE c.oid = ANY (inventory.existing_relations(binding, 'levels')
												|| inventory.existing_relations(binding, 'open_reservations')))
		 AS o, aclexplode(o.acl) AS a LEFT JOIN pg_roles AS r ON r.oid = a.grantee
	WHERE a.grantee NOT IN (o.owner, binding.owner)
$$;
COMMENT ON FUNCTION inventory.facade_grants(inventory.store_binding) IS 'The GRANT statements for the privileges of other roles on the functions and on the views "levels" and "open_reservations" of a store.';

-- The view "levels" says which tables beside the movements are those of the store.
CREATE FUNCTION inventory.ledger_relations(store inventory.store) RETURNS SETOF oid
	LANGUAGE sql STABLE ROWS 10 SET search_path = pg_catalog, pg_temp AS $$
	WITH generated AS MATERIALIZED (SELECT * FROM inventory.generated_relations(store))
	SELECT c.oid FROM pg_class AS m JOIN pg_class AS c ON c.relnamespace = m.relnamespace
	WHERE m.oid = store.movements AND c.relowner = m.relowner AND c.relkind = 'r'
	AND (c.oid = m.oid OR c.relname IN ('requests', 'reservations', 'hot', 'order_changes') AND NOT EXISTS (
		SELECT e.column_name FROM inventory.ledger_columns(NULL) AS e
		WHERE e.table_name = c.relname AND e.column_name IS NOT NULL
		EXCEPT SELECT a.attname FROM pg_attribute AS a WHERE a.attrelid = c.oid)
		AND EXISTS (
			SELECT FROM generated AS v
			WHERE v.relname = 'levels' AND inventory.reads_relation(v.oid, m.oid)
			AND (c.relname IN ('requests', 'order_changes') OR inventory.reads_relation(v.oid, c.oid))))
	UNION ALL
	SELECT g.oid FROM generated AS g
	WHERE g.relkind = 'v' OR inventory.returned_by_store(g.reltype, store)
$$;
COMMENT ON FUNCTION inventory.ledger_relations(inventory.store) IS 'The tables, views and result types in the ledger schema of a store that are certainly of the store.';

CREATE FUNCTION inventory.insert_store_row(binding inventory.store_binding, movements regclass,
										   has_sellable boolean, has_prepare boolean) RETURNS void
	LANGUAGE sql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
	INSERT INTO inventory.store (store_name, items, orders, movements, user_claim, direct_writes,
								 order_writes, has_sellable, api_schema, argument_prefix, max_ttl,
								 settings, has_order_units, header, has_prepare, order_values, header_values,
								 refuses_truncate)
	VALUES (binding.store_name, binding.items, binding.orders, movements, binding.user_claim,
			binding.direct_writes, binding.order_writes, has_sellable, binding.api_schema,
			binding.argument_prefix, binding.max_ttl, binding.settings, binding.has_order_units,
			binding.header, has_prepare, binding.order_values, binding.header_values,
			binding.refuses_truncate)
$$;
COMMENT ON FUNCTION inventory.insert_store_row(inventory.store_binding, regclass, boolean, boolean) IS 'Inserts the row of a store into inventory.store. Part of attach and refresh.';

-- The view has a fixed form, so that what is before the condition is known.
CREATE FUNCTION inventory.view_condition(view oid) RETURNS text
	LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
	SET DateStyle = ISO SET IntervalStyle = postgres SET extra_float_digits = 1
	SET standard_conforming_strings = on SET quote_all_identifiers = off AS $$
	SELECT substring(rtrim(pg_get_viewdef(view), ';') FROM E'\n  WHERE (.*)$')
$$;
COMMENT ON FUNCTION inventory.view_condition(oid) IS 'The condition of a view "sellable", as the server writes it.';

CREATE FUNCTION inventory.sellable_condition(store inventory.store) RETURNS text
	LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
	SELECT inventory.view_condition(c.oid) FROM inventory.generated_relations(store) AS c
	WHERE store.has_sellable AND c.relname = 'sellable'
$$;
COMMENT ON FUNCTION inventory.sellable_condition(inventory.store) IS 'The condition on the items of a store that are for sale, as the server writes it; null if all are.';

-- The functions have a fixed form, too: inventory.make_worth_functions().  (line).quantity would
-- be a column called line where attach tries the expression over the tables.
CREATE FUNCTION inventory.worth_body(function oid) RETURNS text
	LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
	SET DateStyle = ISO SET IntervalStyle = postgres SET extra_float_digits = 1
	SET standard_conforming_strings = on SET quote_all_identifiers = off AS $$
	SELECT regexp_replace(CASE p.proname
		WHEN 'order_units' THEN substring(b.body
			FROM $re$^RETURN [(]trunc[(]LEAST[(]GREATEST[(]NULLIF[(](.*), 'NaN'::numeric[)], [(]0[)]::numeric[)], $re$)
		ELSE nullif(substring(b.body FROM '^RETURN (.*)$'), 'false') END,
		$re$('(?:[^']|'')*'|"(?:[^"]|"")*")|[(](line|header)[)]([.])$re$, $re$\1\2\3$re$, 'g')
	FROM pg_proc AS p CROSS JOIN LATERAL pg_get_function_sqlbody(p.oid) AS b(body) WHERE p.oid = function
$$;
COMMENT ON FUNCTION inventory.worth_body(oid) IS 'The expression of a function order_units or order_final, as the server writes it; null if there is none.';

CREATE FUNCTION inventory.worth_expression(store inventory.store, function_name name) RETURNS text
	LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
	SELECT inventory.worth_body(p.oid)
	FROM pg_proc AS p WHERE p.oid = ANY (inventory.worth_functions(store)) AND p.proname = function_name
	-- where there is a header, order_final of a line alone calls that of both rows
	ORDER BY p.pronargs DESC LIMIT 1
$$;
COMMENT ON FUNCTION inventory.worth_expression(inventory.store, name) IS 'The expression order_units or order_final of a store, as the server writes it; null if there is none.';

-- prepare_order calls it, and nothing else of the owner's: inventory.make_prepare().
CREATE FUNCTION inventory.prepared_by(store inventory.store) RETURNS regprocedure
	LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
	SELECT d.refobjid::regprocedure FROM pg_depend AS d
	WHERE d.classid = 'pg_proc'::regclass AND d.objid = inventory.prepare_function(store)
	AND d.refclassid = 'pg_proc'::regclass AND d.deptype = 'n'
	AND num_nonnulls(store.order_values, store.header_values) = 0
	LIMIT 1
$$;
COMMENT ON FUNCTION inventory.prepared_by(inventory.store) IS 'The function order_prepare of a store; null if there is none.';

-- As the server writes SQL: without comments, and with names in quotes where they need them.
CREATE FUNCTION inventory.sql_tokens(source text, OUT n bigint, OUT token text, OUT depth bigint)
	RETURNS SETOF record
	LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
	SELECT t.n, t.token, sum(CASE WHEN t.token IN ('(', '[') THEN 1 WHEN t.token IN (')', ']') THEN -1 ELSE 0 END)
		OVER (ORDER BY t.n)
	FROM (SELECT m.n, m.matched[1] FROM regexp_matches(source,
			  $re$('(?:[^']|'')*'|"(?:[^"]|"")*"|[[:alnum:]_$]+|.)$re$, 'g') WITH ORDINALITY AS m(matched, n)) AS t(n, token)
$$;
COMMENT ON FUNCTION inventory.sql_tokens(text) IS 'The tokens of an expression or query as the server writes it, spaces included, and how many brackets are open after each.';

CREATE FUNCTION inventory.sql_list(source text, OUT n bigint, OUT part text, OUT length bigint)
	RETURNS SETOF record
	LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
	WITH t AS MATERIALIZED (SELECT * FROM inventory.sql_tokens(source)),
		 l AS (SELECT t.*, count(*) FILTER (WHERE t.token = ',' AND t.depth = 0) OVER (ORDER BY t.n) AS part
			   FROM t WHERE t.n < (SELECT min(e.n) FROM t AS e WHERE e.depth < 0 OR e.depth = 0 AND e.token = 'FROM'))
	SELECT l.part + 1, btrim(string_agg(l.token, '' ORDER BY l.n) FILTER (WHERE l.token <> ',' OR l.depth > 0), E' \n'),
		   sum(sum(length(l.token))) OVER ()
	FROM l GROUP BY l.part
$$;
COMMENT ON FUNCTION inventory.sql_list(text) IS 'The parts of a list separated by commas with which a text begins, up to a closing bracket or FROM; and the length of the list.';

CREATE FUNCTION inventory.rename_columns(expression text, qualifier name, new_qualifier name, columns name[],
										 new_columns name[]) RETURNS text
	LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
	SELECT string_agg(CASE
		WHEN t.token = quote_ident(qualifier) AND t.next = '.' AND t.previous IS DISTINCT FROM '.'
		THEN quote_ident(new_qualifier)
		WHEN t.previous = '.' AND t.second = quote_ident(qualifier) AND t.third IS DISTINCT FROM '.'
		THEN coalesce((SELECT quote_ident(u.b) FROM unnest(columns, new_columns) AS u(a, b)
					   WHERE quote_ident(u.a) = t.token), t.token)
		ELSE t.token END, '' ORDER BY t.n)
	FROM (SELECT s.n, s.token, lead(s.token) OVER w AS next, lag(s.token) OVER w AS previous,
				 lag(s.token, 2) OVER w AS second, lag(s.token, 3) OVER w AS third
		  FROM inventory.sql_tokens(expression) AS s WINDOW w AS (ORDER BY s.n)) AS t
$$;
COMMENT ON FUNCTION inventory.rename_columns(text, name, name, name[], name[]) IS 'An expression as the server writes it with other names for a table and its columns.';

-- The names that prepare_order has for the columns of the item, in the order of the columns.
CREATE FUNCTION inventory.listed_names(source text) RETURNS name[]
	LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
	SELECT array_agg(CASE WHEN l.part LIKE '"%' THEN replace(substr(l.part, 2, length(l.part) - 2), '""', '"')
						  ELSE l.part END::name ORDER BY l.n)
	FROM inventory.sql_list(source) AS l
$$;
COMMENT ON FUNCTION inventory.listed_names(text) IS 'The names in a list with which a text begins.';

-- The form of the body is that of inventory.prepare_body().  There the columns of the item have
-- names of their own, and the computed ones those that they had when it was written.
CREATE FUNCTION inventory.values_of_body(binding inventory.store_binding, function oid, labels name[],
										  columns name[], header_labels name[], header_columns name[],
										  OUT order_values jsonb, OUT header_values jsonb)
	LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
	SET DateStyle = ISO SET IntervalStyle = postgres SET extra_float_digits = 1
	SET standard_conforming_strings = on SET quote_all_identifiers = off AS $$
DECLARE
	body text := pg_get_function_sqlbody(function);
	parts text[];
	computed text[];
	consumed bigint;
	names name[];
	header_names name[];
BEGIN
	body := substring(body FROM $re$^BEGIN ATOMIC\s+SELECT jsonb_build_object\('header', jsonb_build_object\((.*)$re$);
	-- an owner can replace the function, and all roles can read the view "bindings"
	IF body IS NULL OR length(body) > 500000 THEN
		RETURN;
	END IF;
	SELECT coalesce(array_agg(l.part ORDER BY l.n), '{}'), coalesce(max(l.length), 0) INTO parts, consumed
	FROM inventory.sql_list(body) AS l WHERE l.part <> '';
	-- the first sub-select is of the call, and has nothing of the shop's
	body := substring(substr(body, consumed::integer + 1)
					  FROM $re$CROSS JOIN LATERAL \( SELECT.*?CROSS JOIN LATERAL \( SELECT\s(.*)\Z$re$);
	SELECT coalesce(array_agg(regexp_replace(l.part, ' AS ("([^"]|"")*"|[[:alnum:]_$]+)$', '') ORDER BY l.n), '{}'),
		   coalesce(max(l.length), 0)
	INTO computed, consumed FROM inventory.sql_list(body) AS l WHERE l.part <> '';
	-- nor has what comes after the expressions
	body := substr(body, consumed::integer + 1);
	names := inventory.listed_names(substring(body FROM $re$ item_1\((.*)$re$));
	header_names := inventory.listed_names(substring(body FROM $re$ item\((.*)$re$));
	order_values := (SELECT jsonb_object_agg(u.column_name, inventory.rename_columns(computed[p.n], 'item_1', 'item',
						 names, inventory.listed_names(substring(inventory.item_alias(binding, '{}') FROM $re$\((.*)$re$))))
					 FROM unnest(labels, columns) AS u(label, column_name)
					 JOIN unnest(inventory.value_keys((SELECT jsonb_object_agg(k, '') FROM unnest(labels) AS k)))
						  WITH ORDINALITY AS p(label, n) USING (label));
	header_values := (SELECT jsonb_object_agg(u.column_name, inventory.rename_columns(
						  inventory.rename_columns(parts[2 * p.n], 'item', 'item',
							  header_names,
							  inventory.listed_names(substring(inventory.item_alias(binding, columns) FROM $re$\((.*)$re$))),
						  'value', 'value', labels, columns))
					  FROM unnest(header_labels, header_columns) AS u(label, column_name)
					  JOIN unnest(inventory.value_keys((SELECT jsonb_object_agg(k, '') FROM unnest(header_labels) AS k)))
						   WITH ORDINALITY AS p(label, n) USING (label));
END
$$;
COMMENT ON FUNCTION inventory.values_of_body(inventory.store_binding, oid, name[], name[], name[], name[]) IS 'The expressions order_values and header_values in a function prepare_order that attach wrote, as the server writes them. It knows the columns that they compute by "labels".';

CREATE FUNCTION inventory.computed_values(store inventory.store, OUT order_values jsonb, OUT header_values jsonb)
	LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	binding inventory.store_binding;
	c record;
BEGIN
	binding.items := store.items;
	SELECT array_agg(substr(b.role, strpos(b.role, '=') + 1)) FILTER (WHERE b.relation = store.orders) AS labels,
		   array_agg(b.column_name) FILTER (WHERE b.relation = store.orders) AS columns,
		   array_agg(substr(b.role, strpos(b.role, '=') + 1)) FILTER (WHERE b.relation = store.header) AS header_labels,
		   array_agg(b.column_name) FILTER (WHERE b.relation = store.header) AS header_columns
	INTO c FROM inventory.bound_columns(store) AS b WHERE b.role LIKE '%=%';
	SELECT v.order_values, v.header_values INTO order_values, header_values
	FROM inventory.values_of_body(binding, inventory.prepare_function(store), c.labels::name[], c.columns,
								   c.header_labels::name[], c.header_columns) AS v
	WHERE num_nonnulls(store.order_values, store.header_values) > 0;
	-- without an expression
	order_values := coalesce(order_values, CASE WHEN store.order_values = '{}' THEN '{}'::jsonb END);
	header_values := coalesce(header_values, CASE WHEN store.header_values = '{}' THEN '{}'::jsonb END);
END
$$;
COMMENT ON FUNCTION inventory.computed_values(inventory.store) IS 'The expressions order_values and header_values of a store, as the server writes them; null if there are none.';

CREATE FUNCTION inventory.lost_expression(store inventory.store, binding inventory.store_binding) RETURNS text
	LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
	SELECT CASE
		WHEN store.has_sellable AND binding.sellable IS NULL THEN 'sellable'
		WHEN store.has_order_units AND binding.order_units IS NULL THEN 'order_units'
		WHEN store.has_order_units AND EXISTS (
			SELECT FROM unnest(inventory.worth_functions(store)) AS f
			WHERE pg_get_function_sqlbody(f) ~ '^RETURN ' IS NOT TRUE) THEN 'order_final'
		WHEN store.order_values <> '{}' AND binding.order_values IS NULL THEN 'order_values'
		WHEN store.header_values <> '{}' AND binding.header_values IS NULL THEN 'header_values'
		WHEN store.has_prepare AND num_nonnulls(store.order_values, store.header_values, binding.order_prepare) = 0
			THEN 'order_prepare' END
$$;
COMMENT ON FUNCTION inventory.lost_expression(inventory.store, inventory.store_binding) IS 'What a store was attached with that its binding in force does not have, because it cannot be read back; null if there is nothing.';

-- What is made again without an expression would sell what is not for sale, or at no price.
CREATE FUNCTION inventory.check_read_back(store inventory.store, binding inventory.store_binding) RETURNS void
	LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	lost text := inventory.lost_expression(store, binding);
BEGIN
	IF lost IS NOT NULL THEN
		RAISE EXCEPTION 'store "%" is not intact', store.store_name
			USING ERRCODE = 'object_not_in_prerequisite_state',
				  DETAIL = format('What it was attached with as %s cannot be read back: another function or view has its place, or none.',
								  lost),
				  HINT = format('Detach the store, which keeps every table, and attach it again: SELECT inventory.detach(%L);',
								store.items);
	END IF;
END
$$;
COMMENT ON FUNCTION inventory.check_read_back(inventory.store, inventory.store_binding) IS 'Raises an error if an expression of a store is not known any more.';

CREATE FUNCTION inventory.binding_in_force(store inventory.store, OUT binding inventory.store_binding)
	LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	binding := inventory.read_binding(store);
	binding.sellable := inventory.sellable_condition(store);
	binding.order_units := inventory.worth_expression(store, 'order_units');
	binding.order_final := inventory.worth_expression(store, 'order_final');
	binding.order_prepare := inventory.prepared_by(store);
	SELECT v.order_values, v.header_values INTO binding.order_values, binding.header_values
	FROM inventory.computed_values(store) AS v;
END
$$;
COMMENT ON FUNCTION inventory.binding_in_force(inventory.store) IS 'The binding of a store as the catalogs of the server have it now, with its expressions.';
