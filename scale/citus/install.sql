-- inventory on Citus: what attaches the shards of two co-located tables, sells through the coordinator, and
-- verifies them all.  doc/scale-citus.md says how it is used and what it cannot do.
--
-- Run by a superuser on the coordinator and on every worker, after CREATE EXTENSION citus and inventory:
--
--     psql -X -v ON_ERROR_STOP=1 -f install.sql
--
-- Everything is in the schema inventory_citus, for the owner of the tables alone: grant it with
-- SELECT inventory_citus.grant_to('owner') on every node.

\set ON_ERROR_STOP on
BEGIN;
-- each node gets its own, or Citus would refuse the second run
SET LOCAL citus.enable_ddl_propagation = off;
-- the schema "$user" can belong to anyone, and have operators that the views below would call
SET LOCAL search_path = pg_catalog, pg_temp;
CREATE SCHEMA inventory_citus;
REVOKE ALL ON SCHEMA inventory_citus FROM PUBLIC;

-- ---------------------------------------------------------------- on every node

CREATE FUNCTION inventory_citus.grant_to(role name) RETURNS void
	LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp SET citus.enable_ddl_propagation = off AS $$
BEGIN
	EXECUTE format('GRANT USAGE ON SCHEMA inventory_citus TO %I', role);
	EXECUTE format('GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA inventory_citus TO %I', role);
	EXECUTE format('GRANT SELECT ON inventory_citus.shards, inventory_citus.attached_shards TO %I', role);
	EXECUTE format('GRANT SELECT, INSERT, UPDATE ON inventory_citus.attached TO %I', role);
END
$$;
COMMENT ON FUNCTION inventory_citus.grant_to(name) IS 'Grants the functions of this schema, on this node, to the owner of distributed tables.';

-- Shard ids are unique in a cluster, and as a name need no quotes.
CREATE FUNCTION inventory_citus.shard_schema(shard_id bigint) RETURNS text
	LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
	SELECT 'shard_' || shard_id
$$;
COMMENT ON FUNCTION inventory_citus.shard_schema(bigint) IS 'The schema of the ledger and of the functions of a shard, on its worker.';

-- The generated functions run as the owner of the tables, and look up others by the name of a schema.  Any role that
-- may create schemas could have made it before, and who can create in a schema can have other functions there.
CREATE FUNCTION inventory_citus.is_trusted_schema(schema_name name) RETURNS boolean
	LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	RETURN EXISTS (
		SELECT FROM pg_namespace AS n
		WHERE n.nspname = schema_name AND NOT EXISTS (
			SELECT FROM (SELECT n.nspowner UNION ALL SELECT a.grantee FROM aclexplode(n.nspacl) AS a WHERE a.privilege_type = 'CREATE') AS w(role)
			LEFT JOIN pg_roles AS r ON r.oid = CASE w.role WHEN 'pg_database_owner'::regrole
				THEN (SELECT d.datdba FROM pg_database AS d WHERE d.datname = current_database()) ELSE w.role END
			WHERE NOT coalesce(r.rolsuper OR r.rolname = current_user, false)));
END
$$;
COMMENT ON FUNCTION inventory_citus.is_trusted_schema(name) IS 'True if a schema exists, and only the current user and superusers can create in it.';

-- What others created before the schema could be trusted is still there.
CREATE FUNCTION inventory_citus.schema_problem(schema_name name) RETURNS text
	LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	IF to_regnamespace(quote_ident(schema_name)) IS NULL THEN
		RETURN format('schema %I does not exist', schema_name);
	ELSIF NOT inventory_citus.is_trusted_schema(schema_name) THEN
		RETURN format('other roles than %I can create functions in schema %I', current_user, schema_name);
	ELSIF EXISTS (
		SELECT FROM pg_proc AS p WHERE p.pronamespace = to_regnamespace(quote_ident(schema_name))
		AND pg_get_userbyid(p.proowner) <> current_user
		AND p.proname IN (SELECT f.name FROM inventory_citus.facade_functions() AS f UNION ALL VALUES ('buy_cart')))
	THEN
		RETURN format('schema %I has functions of these names that belong to another role than %I', schema_name, current_user);
	END IF;
	RETURN NULL;
END
$$;
COMMENT ON FUNCTION inventory_citus.schema_problem(name) IS 'Why the functions of a store cannot be in a schema on this node, null if they can.';

CREATE FUNCTION inventory_citus.check_schema(schema_name name, problem text, place text) RETURNS void
	LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	IF problem IS NOT NULL THEN
		RAISE EXCEPTION '% on %', problem, place
			USING ERRCODE = 'insufficient_privilege', DETAIL = 'Who can create functions in it could have them run with the rights of the owner of the tables.',
				  HINT = format('Look who made what is in schema %I. A superuser can drop it, or revoke CREATE on it from other roles. Or choose another schema for the functions.', schema_name);
	END IF;
END
$$;
COMMENT ON FUNCTION inventory_citus.check_schema(name, text, text) IS 'Raises 42501 for a problem that schema_problem has found.';

CREATE FUNCTION inventory_citus.check_schema(schema_name name) RETURNS void
	LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
	SELECT inventory_citus.check_schema(schema_name, inventory_citus.schema_problem(schema_name), 'this node')
$$;
COMMENT ON FUNCTION inventory_citus.check_schema(name) IS 'Raises 42501 unless the functions of a store can be in a schema on this node.';

-- An answer, and no error, because an error of a worker arrives without its SQLSTATE.
CREATE FUNCTION inventory_citus.make_schema(schema_name name) RETURNS text
	LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp SET citus.enable_ddl_propagation = off AS $$
BEGIN
	IF to_regnamespace(quote_ident(schema_name)) IS NULL THEN
		EXECUTE format('CREATE SCHEMA %I', schema_name);
	END IF;
	RETURN inventory_citus.schema_problem(schema_name);
END
$$;
COMMENT ON FUNCTION inventory_citus.make_schema(name) IS 'Creates a schema on this node if it is not there, and returns schema_problem for it.';

-- As another role these functions would call what belongs to the owner with rights that the owner does not have.
CREATE FUNCTION inventory_citus.check_owner(items regclass) RETURNS void
	LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	owner name := (SELECT pg_get_userbyid(c.relowner) FROM pg_class AS c WHERE c.oid = items);
BEGIN
	IF owner <> current_user THEN
		RAISE EXCEPTION 'role % is not the owner of %', quote_ident(current_user), items
			USING ERRCODE = 'insufficient_privilege', HINT = format('SET ROLE %I;', owner);
	END IF;
END
$$;
COMMENT ON FUNCTION inventory_citus.check_owner(regclass) IS 'Raises 42501 unless a table belongs to the current user. To be a superuser or a member of the role of the owner is not enough.';

-- Part of each function of the façade.  A call that Citus did not delegate runs where it was made, and one that
-- meets a move, on a worker that has no store for the shard.
CREATE FUNCTION inventory_citus.place_of(items regclass, item anyelement) RETURNS text
	LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	shard_id bigint;
	place text;
BEGIN
	IF item IS NULL THEN
		RAISE EXCEPTION 'item_id must not be null' USING ERRCODE = 'null_value_not_allowed';
	END IF;
	shard_id := get_shard_id_for_distribution_column(items, item);
	place := inventory_citus.shard_schema(shard_id);
	IF to_regproc(place || '.buy_item') IS NOT NULL AND inventory_citus.is_trusted_schema(place) THEN
		RETURN place;
	ELSIF EXISTS (SELECT FROM pg_dist_placement AS p JOIN pg_dist_local_group AS g USING (groupid) WHERE p.shardid = shard_id) THEN
		RAISE EXCEPTION 'busy' USING ERRCODE = 'IV014', DETAIL = format('Shard %s, which has item "%s", is not attached: it is being moved.', shard_id, item),
			HINT = 'Try again. If it stays so, run move_shard again, or attach_shards.';
	END IF;
	RAISE EXCEPTION 'the call was not delegated to the worker that has item "%"', item USING ERRCODE = 'feature_not_supported',
		HINT = 'Call the function on the coordinator, as the only expression of a SELECT or alone in its FROM, with constants or parameters.';
END
$$;
COMMENT ON FUNCTION inventory_citus.place_of(regclass, anyelement) IS 'The schema of the shard that has an item. Raises IV014 while it is being moved, and 0A000 on a node that does not have the shard.';

-- ---------------------------------------------------------------- on the worker that has the shard

CREATE FUNCTION inventory_citus.check_options(options jsonb) RETURNS void
	LANGUAGE plpgsql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	refused text;
BEGIN
	SELECT string_agg(k, ', ' ORDER BY k) INTO refused FROM jsonb_object_keys(options) AS k
	WHERE k IN ('items', 'orders', 'order_id', 'api_schema', 'ledger_schema', 'store_name', 'adopt', 'reset',
				'argument_prefix', 'user_claim', 'order_header', 'order_prepare');
	IF refused IS NOT NULL THEN
		RAISE EXCEPTION 'these options of attach cannot be given for shards: %', refused
			USING ERRCODE = 'invalid_parameter_value';
	END IF;
END
$$;
COMMENT ON FUNCTION inventory_citus.check_options(jsonb) IS 'Raises 22023 for options of inventory.attach that are the same for every shard, or cannot work for one.';

-- A moved ledger has the mark of the table that it was copied from, so it is adopted.
CREATE FUNCTION inventory_citus.attach_shard(items regclass, orders regclass, shard_id bigint, order_id name, options jsonb)
	RETURNS text
	LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp
	SET citus.enable_ddl_propagation = off SET citus.enable_manual_changes_to_shards = on
	SET citus.override_table_visibility = off SET client_min_messages = warning AS $$
DECLARE
	place text := inventory_citus.shard_schema(shard_id);
	more text;
BEGIN
	PERFORM inventory_citus.check_owner(items);
	PERFORM inventory_citus.check_options(options);
	PERFORM inventory_citus.check_schema(place, inventory_citus.make_schema(place), 'this node');
	EXECUTE format('CREATE UNIQUE INDEX IF NOT EXISTS %I ON %s (%I)', place || '_order_id', orders, order_id);
	SELECT string_agg(format(', %I => %L', o.key, o.value), '') INTO more FROM jsonb_each_text(options) AS o;
	EXECUTE format('SELECT inventory.attach(%L, %L, order_id => %L, api_schema => %L, ledger_schema => %L, store_name => %L, adopt => true, reset => true%s)',
				   items, orders, order_id, place, place, place, more);
	RETURN 'attached';
END
$$;
COMMENT ON FUNCTION inventory_citus.attach_shard(regclass, regclass, bigint, name, jsonb) IS 'Attaches one shard as a store. Run on its worker by attach_shards and move_shard.';

-- Where detach comes first, the calls that run have ended, and no other can begin.
CREATE FUNCTION inventory_citus.detach_shard(items regclass, shard_id bigint) RETURNS text
	LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp
	SET citus.enable_ddl_propagation = off SET citus.enable_manual_changes_to_shards = on
	SET citus.override_table_visibility = off SET client_min_messages = warning AS $$
DECLARE
	hot bigint;
BEGIN
	PERFORM inventory_citus.check_owner(items);
	IF EXISTS (SELECT FROM inventory.bindings AS b WHERE b.items = detach_shard.items) THEN
		EXECUTE format('SELECT count(*) FROM %I.hot AS h WHERE h.hot', inventory_citus.shard_schema(shard_id)) INTO hot;
		IF hot > 0 THEN
			RAISE EXCEPTION 'shard % has % hot items', shard_id, hot USING ERRCODE = 'object_in_use',
				HINT = 'Transactions are in flight on them: see inventory.hot_entries() on its worker, and try again.';
		END IF;
		PERFORM inventory.detach(items);
	END IF;
	RETURN 'detached';
END
$$;
COMMENT ON FUNCTION inventory_citus.detach_shard(regclass, bigint) IS 'Detaches one shard, and keeps its ledger. Raises 55006 while it has hot items. Run on its worker by move_shard.';

CREATE FUNCTION inventory_citus.cool_shard(items regclass) RETURNS text
	LANGUAGE sql VOLATILE SET search_path = pg_catalog, pg_temp SET citus.override_table_visibility = off AS $$
	SELECT inventory.cool(items)::text FROM inventory.bindings AS b WHERE b.items = cool_shard.items
$$;
COMMENT ON FUNCTION inventory_citus.cool_shard(regclass) IS 'Cools the hot items of one shard. Run on its worker by move_shard.';

CREATE FUNCTION inventory_citus.verify_shard(items regclass) RETURNS text
	LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp SET citus.override_table_visibility = off AS $$
BEGIN
	IF NOT EXISTS (SELECT FROM inventory.bindings AS b WHERE b.items = verify_shard.items) THEN
		RETURN '[{"problem": "not_attached"}]';
	END IF;
	RETURN coalesce((SELECT json_agg(v) FROM inventory.verify(items) AS v), '[]');
END
$$;
COMMENT ON FUNCTION inventory_citus.verify_shard(regclass) IS 'The findings of inventory.verify for one shard, as JSON. Run on its worker by verify_all.';

-- The types of the functions that attach has generated.
CREATE FUNCTION inventory_citus.shard_types(shard_id bigint) RETURNS text
	LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
	SELECT json_object_agg(t.role, format_type(t.type, NULL)) FROM pg_proc AS p
	JOIN pg_namespace AS n ON n.oid = p.pronamespace
	CROSS JOIN LATERAL (VALUES
		('buy_item', 'user', p.proargtypes[0]), ('buy_item', 'item', p.proargtypes[1]),
		('buy_item', 'order', p.prorettype), ('restock_item', 'quantity', p.prorettype)) AS t(function_name, role, type)
	WHERE n.nspname = inventory_citus.shard_schema(shard_id) AND p.proname = t.function_name
$$;
COMMENT ON FUNCTION inventory_citus.shard_types(bigint) IS 'The types of users, items, orders and quantities of a shard, as JSON. Run on its worker by attach_shards.';

-- ---------------------------------------------------------------- on the coordinator

CREATE VIEW inventory_citus.shards AS
	SELECT s.logicalrelid AS items, s.shardid AS shard_id, n.nodeid AS node_id, n.groupid AS group_id, n.nodename AS host, n.nodeport AS port
	FROM pg_catalog.pg_dist_shard AS s JOIN pg_catalog.pg_dist_placement AS p USING (shardid)
	JOIN pg_catalog.pg_dist_node AS n ON n.groupid = p.groupid AND n.noderole = 'primary';
COMMENT ON VIEW inventory_citus.shards IS 'The shards of distributed tables, and the nodes that have them.';

CREATE TABLE inventory_citus.attached (
	items regclass PRIMARY KEY, orders regclass NOT NULL, order_id name NOT NULL, options jsonb NOT NULL,
	api_schema name NOT NULL, operator_schema name NOT NULL);
COMMENT ON TABLE inventory_citus.attached IS 'What attach_shards was called with.';
-- The options have expressions, which move_shard has attached for the owner of the tables.
ALTER TABLE inventory_citus.attached ENABLE ROW LEVEL SECURITY;
CREATE POLICY of_owner ON inventory_citus.attached
	USING (pg_has_role((SELECT c.relowner FROM pg_class AS c WHERE c.oid = items), 'USAGE'));

CREATE VIEW inventory_citus.attached_shards AS
	SELECT s.*, a.orders, a.order_id, a.options, a.api_schema, a.operator_schema,
		   shard_name(s.items, s.shard_id, false) AS items_shard, shard_name(a.orders, o.shardid, false) AS orders_shard
	FROM inventory_citus.attached AS a JOIN inventory_citus.shards AS s USING (items)
	JOIN pg_catalog.pg_dist_shard AS i ON i.shardid = s.shard_id
	JOIN pg_catalog.pg_dist_shard AS o ON o.logicalrelid = a.orders AND o.shardminvalue = i.shardminvalue;
COMMENT ON VIEW inventory_citus.attached_shards IS 'The shards that are stores, the table of each on its worker, and what they are attached with.';

CREATE FUNCTION inventory_citus.check_tables(items regclass, orders regclass) RETURNS void
	LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	tables integer;
	colocations integer;
BEGIN
	PERFORM inventory_citus.check_owner(items);
	SELECT count(*), count(DISTINCT p.colocationid) INTO tables, colocations
	FROM pg_dist_partition AS p WHERE p.logicalrelid IN (items, orders) AND p.partmethod = 'h';
	IF (SELECT g.groupid FROM pg_dist_local_group AS g) <> 0 THEN
		RAISE EXCEPTION 'this is not the coordinator' USING ERRCODE = 'object_not_in_prerequisite_state';
	ELSIF tables <> 2 OR colocations <> 1 THEN
		RAISE EXCEPTION '% and % are not co-located distributed tables', items, orders
			USING ERRCODE = 'wrong_object_type',
				  HINT = format('SELECT create_distributed_table(%L, ''id''), create_distributed_table(%L, ''item_id'', colocate_with => %L);', items, orders, items);
	ELSIF EXISTS (SELECT FROM inventory_citus.shards AS s WHERE s.items = check_tables.items AND s.group_id = 0) THEN
		RAISE EXCEPTION 'the coordinator has shards of %', items USING ERRCODE = 'object_not_in_prerequisite_state',
			HINT = 'Functions are not delegated to it. SELECT citus_set_node_property(host, port, ''shouldhaveshards'', false), and move them to workers before they are attached.';
	ELSIF EXISTS (SELECT FROM inventory_citus.shards AS s WHERE s.items = check_tables.items GROUP BY s.shard_id HAVING count(*) > 1) THEN
		RAISE EXCEPTION 'shards of % have more than one placement', items USING ERRCODE = 'object_not_in_prerequisite_state',
			HINT = 'Set citus.shard_replication_factor to 1, and let PostgreSQL replicate the workers.';
	END IF;
END
$$;
COMMENT ON FUNCTION inventory_citus.check_tables(regclass, regclass) IS 'Raises an error unless the tables are distributed, co-located, with one placement of each shard, on workers, and items belongs to the current user.';

-- Each function takes the key of an item, by which Citus finds the worker.  It calls the function of the same
-- name of the shard: {n} stands for the arguments of that.
CREATE FUNCTION inventory_citus.facade_functions(OUT part text, OUT name name, OUT arguments text, OUT result text, OUT volatility text, OUT call text)
	RETURNS SETOF record
	LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
	VALUES
	('buyer', 'buy_item'::name, 'user_id {user}, item_id {item}, quantity bigint DEFAULT 1, idempotency_key text DEFAULT NULL, order_data jsonb DEFAULT NULL',
	 '{order}', 'VOLATILE', 'buy_item($1, $2, $3, $4, $5)'),
	('buyer', 'try_buy_item', 'user_id {user}, item_id {item}, quantity bigint DEFAULT 1, idempotency_key text DEFAULT NULL, order_data jsonb DEFAULT NULL',
	 '{line}', 'VOLATILE', 'try_buy_item($1, $2, $3, $4, $5)'),
	('buyer', 'available_stock', 'item_id {item}', '{quantity}', 'VOLATILE', 'available_stock($1)'),
	('buyer', 'reserve_stock', 'user_id {user}, item_id {item}, quantity bigint DEFAULT 1, ttl interval DEFAULT NULL, idempotency_key text DEFAULT NULL, reservation_id uuid DEFAULT NULL',
	 'uuid', 'VOLATILE', 'reserve_stock($1, $2, $3, $4, $5, $6)'),
	('buyer', 'extend_reservation', 'item_id {item}, reservation_id uuid, ttl interval DEFAULT NULL, user_id {user} DEFAULT NULL',
	 'timestamp with time zone', 'VOLATILE', 'extend_reservation($2, $3, $4)'),
	('buyer', 'confirm_reservation', 'item_id {item}, reservation_id uuid, user_id {user} DEFAULT NULL, order_data jsonb DEFAULT NULL',
	 'SETOF {line}', 'VOLATILE', 'confirm_reservation($2, $3, $4)'),
	('buyer', 'release_reservation', 'item_id {item}, reservation_id uuid, user_id {user} DEFAULT NULL',
	 'boolean', 'VOLATILE', 'release_reservation($2, $3)'),
	('buyer', 'get_reservation', 'item_id {item}, reservation_id uuid', 'SETOF {held_line}', 'VOLATILE', 'get_reservation($2)'),
	('operator', 'buy_lines', 'item_id {item}, user_id {user}, lines jsonb, idempotency_key text DEFAULT NULL, order_data jsonb DEFAULT NULL',
	 'SETOF {line}', 'VOLATILE', 'buy_cart($2, $3, $4, $5)'),
	('operator', 'decide_reservation', 'item_id {item}, reservation_id uuid, user_id {user} DEFAULT NULL',
	 'timestamp with time zone', 'VOLATILE', 'decide_reservation($2, $3)'),
	('operator', 'refund_order', 'item_id {item}, order_id {order}, quantity bigint DEFAULT NULL, restock boolean DEFAULT true, reason text DEFAULT NULL, idempotency_key text DEFAULT NULL',
	 '{quantity}', 'VOLATILE', 'refund_order($2, $3, $4, $5, $6)'),
	('operator', 'restock_item', 'item_id {item}, quantity bigint, reason text DEFAULT NULL, idempotency_key text DEFAULT NULL',
	 '{quantity}', 'VOLATILE', 'restock_item($1, $2, $3, $4)'),
	('operator', 'adjust_stock', 'item_id {item}, delta bigint, reason text, expected bigint DEFAULT NULL, kind text DEFAULT ''adjustment'', idempotency_key text DEFAULT NULL',
	 '{quantity}', 'VOLATILE', 'adjust_stock($1, $2, $3, $4, $5, $6)'),
	('operator', 'heat_item', 'item_id {item}', 'boolean', 'VOLATILE', NULL),
	('operator', 'cool_item', 'item_id {item}', 'boolean', 'VOLATILE', NULL)
$$;
COMMENT ON FUNCTION inventory_citus.facade_functions() IS 'The functions that attach_shards makes.';

CREATE FUNCTION inventory_citus.fill_types(template text, types jsonb) RETURNS text
	LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
	SELECT string_agg(coalesce(types ->> piece, piece), '' ORDER BY n)
	FROM regexp_split_to_table(template, '[{}]') WITH ORDINALITY AS pieces(piece, n)
$$;
COMMENT ON FUNCTION inventory_citus.fill_types(text, jsonb) IS 'A text with types in place of {user} and the like.';

CREATE FUNCTION inventory_citus.facade_body(items regclass, function_name name, result text, result_type text, call text, argument_count bigint)
	RETURNS text
	LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	place text := format('inventory_citus.place_of(%L, item_id)', items);
	given text := (SELECT string_agg('$' || n, ', ' ORDER BY n) FROM generate_series(1, argument_count) AS n);
	columns text := CASE
		WHEN result LIKE '%{line}' THEN 'x.status, x.item_id, x.quantity, x.order_id, x.available, x.replayed'
		WHEN result LIKE '%{held_line}' THEN 'x.status, x.expires_at, x.item_id, x.quantity, x.order_id'
		ELSE 'x' END;
	query text := format('format(%L, %s)', 'SELECT ' || columns || ' FROM %I.' || call || ' AS x', place);
BEGIN
	RETURN CASE
		-- heat_item and cool_item name the table of the shard
		WHEN call IS NULL THEN format(E'\nBEGIN\n\tPERFORM %s;\n\tRETURN inventory.%s(shard_name(%L, get_shard_id_for_distribution_column(%3$L, item_id), false)::regclass, item_id);\nEND\n',
									  place, split_part(function_name, '_', 1), items)
		WHEN result LIKE 'SETOF %' THEN format(E'\nBEGIN\n\tRETURN QUERY EXECUTE %s USING %s;\nEND\n', query, given)
		ELSE format(E'\nDECLARE\n\tanswer %s;\nBEGIN\n\tEXECUTE %s INTO answer USING %s;\n\tRETURN answer;\nEND\n', result_type, query, given) END;
END
$$;
COMMENT ON FUNCTION inventory_citus.facade_body(regclass, name, text, text, text, bigint) IS 'The body of a function that attach_shards makes.';

-- A cart of several shards is one statement for each of them, in one order, so that carts do not deadlock.
-- Citus commits what they did together.
CREATE FUNCTION inventory_citus.cart_body(items regclass, operator_schema name, item_type text) RETURNS text
	LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
	SELECT format($body$
DECLARE
	part record;
BEGIN
	IF jsonb_typeof(lines) IS DISTINCT FROM 'array' OR jsonb_array_length(lines) = 0 THEN
		RAISE EXCEPTION 'lines must be a JSON array of at least one line' USING ERRCODE = 'invalid_parameter_value';
	END IF;
	FOR part IN
		SELECT (array_agg(l.item))[1] AS item, jsonb_agg(l.line ORDER BY l.n) AS lines
		FROM (SELECT (u.line ->> 'item_id')::%3$s AS item, u.line, u.n FROM jsonb_array_elements(lines) WITH ORDINALITY AS u(line, n)) AS l
		GROUP BY get_shard_id_for_distribution_column(%1$L, l.item) ORDER BY get_shard_id_for_distribution_column(%1$L, l.item)
	LOOP
		RETURN QUERY EXECUTE 'SELECT * FROM %2$I.buy_lines($1, $2, $3, $4, $5)' USING part.item, user_id, part.lines, idempotency_key, order_data;
	END LOOP;
END
$body$, items, operator_schema, item_type)
$$;
COMMENT ON FUNCTION inventory_citus.cart_body(regclass, name, text) IS 'The body of buy_cart, which is not delegated, but calls buy_lines for each shard.';

CREATE FUNCTION inventory_citus.make_on_workers(schema_name name) RETURNS void
	LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	worker record;
BEGIN
	FOR worker IN SELECT * FROM run_command_on_workers(format('SELECT inventory_citus.make_schema(%L)', schema_name)) LOOP
		IF NOT worker.success THEN
			RAISE EXCEPTION '%:% failed', worker.nodename, worker.nodeport USING DETAIL = worker.result, ERRCODE = 'external_routine_exception';
		END IF;
		PERFORM inventory_citus.check_schema(schema_name, nullif(worker.result, ''), format('%s:%s', worker.nodename, worker.nodeport));
	END LOOP;
END
$$;
COMMENT ON FUNCTION inventory_citus.make_on_workers(name) IS 'Creates a schema on each worker where it is not there, and raises 42501 where it cannot be used. Citus would take it as it is.';

CREATE FUNCTION inventory_citus.function_in(schema_name name, function_name name) RETURNS regprocedure
	LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	functions regprocedure[] := ARRAY(SELECT p.oid FROM pg_proc AS p
		WHERE p.proname = function_name AND p.pronamespace = to_regnamespace(quote_ident(schema_name)));
BEGIN
	IF cardinality(functions) > 1 THEN
		RAISE EXCEPTION 'there are several functions %.%', schema_name, function_name USING ERRCODE = 'ambiguous_function';
	END IF;
	RETURN functions[1];
END
$$;
COMMENT ON FUNCTION inventory_citus.function_in(name, name) IS 'The only function of a name in a schema, null if there is none.';

-- By REVOKE, which Citus sends to the workers, where it checks who may execute what is delegated.  From PUBLIC always:
-- a worker that made the function has granted it.
CREATE FUNCTION inventory_citus.restrict_function(signature regprocedure, from_all boolean) RETURNS void
	LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	roles text;
BEGIN
	SELECT string_agg(DISTINCT quote_ident(r.rolname), ', ') INTO roles
	FROM pg_proc AS p CROSS JOIN LATERAL aclexplode(p.proacl) AS a JOIN pg_roles AS r ON r.oid = a.grantee
	WHERE p.oid = signature AND a.grantee <> p.proowner AND from_all;
	EXECUTE format('REVOKE ALL ON FUNCTION %s FROM %s', signature, concat_ws(', ', 'PUBLIC', roles));
END
$$;
COMMENT ON FUNCTION inventory_citus.restrict_function(regprocedure, boolean) IS 'Revokes EXECUTE on a function from PUBLIC, and from all roles but the owner.';

-- Only the owner may execute what is made, whatever the default privileges are.  All is made again by each call, with its grants.
CREATE FUNCTION inventory_citus.make_facade(items regclass, types jsonb, api_schema name, operator_schema name) RETURNS void
	LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp
	SET check_function_bodies = off SET client_min_messages = warning AS $$
DECLARE
	all_types jsonb := types || jsonb_build_object('line', format('%I.line', operator_schema), 'held_line', format('%I.held_line', operator_schema));
	f record;
	is_new boolean;
	signature regprocedure;
BEGIN
	PERFORM inventory_citus.check_owner(items);
	IF quote_ident(api_schema) <> api_schema OR quote_ident(operator_schema) <> operator_schema THEN
		RAISE EXCEPTION 'schemas % and % must have names that need no quotes', quote_ident(api_schema), quote_ident(operator_schema)
			USING ERRCODE = 'feature_not_supported', DETAIL = 'Citus does not quote them when it sends privileges of functions to workers.',
				  HINT = 'Name others: api_schema => ''...'', operator_schema => ''...''.';
	END IF;
	IF to_regnamespace(api_schema) IS NULL THEN
		RAISE EXCEPTION 'schema "%" does not exist', api_schema USING ERRCODE = 'invalid_schema_name';
	END IF;
	PERFORM inventory_citus.make_on_workers(s.name) FROM unnest(ARRAY[api_schema, operator_schema]) AS s(name);
	EXECUTE format('CREATE SCHEMA IF NOT EXISTS %I', operator_schema);
	PERFORM inventory_citus.check_schema(s.name) FROM unnest(ARRAY[api_schema, operator_schema]) AS s(name);
	IF to_regtype(format('%I.line', operator_schema)) IS NULL THEN
		EXECUTE format('CREATE TYPE %I.line AS (', operator_schema)
			|| inventory_citus.fill_types('status text, item_id {item}, quantity {quantity}, order_id {order}, available {quantity}, replayed boolean)', types);
		EXECUTE format('CREATE TYPE %I.held_line AS (', operator_schema)
			|| inventory_citus.fill_types('status text, expires_at timestamptz, item_id {item}, quantity {quantity}, order_id {order})', types);
	ELSIF EXISTS (SELECT FROM pg_type AS t WHERE t.oid IN (to_regtype(all_types ->> 'line'), to_regtype(all_types ->> 'held_line')) AND pg_get_userbyid(t.typowner) <> current_user) THEN
		RAISE EXCEPTION 'the types in schema % belong to another role', operator_schema USING ERRCODE = 'insufficient_privilege';
	END IF;
	FOR f IN
		SELECT g.*, CASE g.part WHEN 'buyer' THEN api_schema ELSE operator_schema END AS schema,
			   cardinality(string_to_array(g.arguments, ',')) AS argument_count
		FROM inventory_citus.facade_functions() AS g
	LOOP
		is_new := inventory_citus.function_in(f.schema, f.name) IS NULL;
		EXECUTE format(E'CREATE OR REPLACE FUNCTION %I.%I(%s) RETURNS %s LANGUAGE plpgsql %s SECURITY DEFINER\nSET search_path = pg_catalog, pg_temp AS %L',
			f.schema, f.name, inventory_citus.fill_types(f.arguments, all_types), inventory_citus.fill_types(f.result, all_types), f.volatility,
			inventory_citus.facade_body(items, f.name, f.result, inventory_citus.fill_types(f.result, all_types), f.call, f.argument_count));
		signature := inventory_citus.function_in(f.schema, f.name);
		PERFORM inventory_citus.restrict_function(signature, is_new);
		-- which takes the privileges with it
		PERFORM create_distributed_function(signature, 'item_id', colocate_with => items::text, force_delegation => true);
	END LOOP;
	is_new := inventory_citus.function_in(api_schema, 'buy_cart') IS NULL;
	EXECUTE format(E'CREATE OR REPLACE FUNCTION %I.buy_cart(user_id %s, lines jsonb, idempotency_key text DEFAULT NULL, order_data jsonb DEFAULT NULL) RETURNS SETOF %I.line LANGUAGE plpgsql VOLATILE SECURITY DEFINER\nSET search_path = pg_catalog, pg_temp AS %L',
		api_schema, types ->> 'user', operator_schema, inventory_citus.cart_body(items, operator_schema, types ->> 'item'));
	PERFORM inventory_citus.restrict_function(inventory_citus.function_in(api_schema, 'buy_cart'), is_new);
END
$$;
COMMENT ON FUNCTION inventory_citus.make_facade(regclass, jsonb, name, name) IS 'Makes the functions that sell through the coordinator, on all nodes. Part of attach_shards.';

CREATE FUNCTION inventory_citus.shard_id_in_command(n integer) RETURNS text
	LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
	SELECT format('substring(%%%s$L FROM ''([0-9]+)"?$'')::bigint', n)
$$;
COMMENT ON FUNCTION inventory_citus.shard_id_in_command(integer) IS 'An expression for the id of the shard of the first or second table, in a command that is run for each shard.';

-- In a command for shards: the shard of the first or second table.  Citus leaves out the schema public, which is
-- not the one that the search_path of a worker finds first.
CREATE FUNCTION inventory_citus.shard_in_command(distributed regclass, n integer) RETURNS text
	LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
	SELECT replace(format('pg_catalog.shard_name(%L, ', distributed), '%', '%%') || inventory_citus.shard_id_in_command(n) || ', false)::pg_catalog.regclass'
$$;
COMMENT ON FUNCTION inventory_citus.shard_in_command(regclass, integer) IS 'An expression for the shard of a table, in a command that is run for each shard.';

-- The answers of workers, which must have succeeded.
CREATE FUNCTION inventory_citus.on_shards(items regclass, orders regclass, command text)
	RETURNS TABLE (shard_id bigint, place text, answer text)
	LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	a record;
BEGIN
	FOR a IN SELECT * FROM run_command_on_colocated_placements(items, orders, command) ORDER BY shardid1 LOOP
		shard_id := a.shardid1;
		place := format('%s:%s', a.nodename, a.nodeport);
		answer := a.result;
		IF NOT a.success THEN
			RAISE EXCEPTION 'shard % on % failed', shard_id, place USING DETAIL = answer, ERRCODE = 'external_routine_exception';
		END IF;
		RETURN NEXT;
	END LOOP;
END
$$;
COMMENT ON FUNCTION inventory_citus.on_shards(regclass, regclass, text) IS 'Runs a command for each pair of co-located shards, named by %s in it. Raises 38000 for the first that fails.';

CREATE FUNCTION inventory_citus.attach_shards(items regclass, orders regclass, order_id name DEFAULT 'id', options jsonb DEFAULT '{}',
											  api_schema name DEFAULT NULL, operator_schema name DEFAULT NULL) RETURNS bigint
	LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	shards bigint;
	types jsonb;
	own_schema name;
	own_name name;
BEGIN
	PERFORM inventory_citus.check_tables(items, orders);
	PERFORM inventory_citus.check_options(options);
	SELECT n.nspname, c.relname INTO own_schema, own_name FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace WHERE c.oid = items;
	api_schema := coalesce(api_schema, own_schema);
	operator_schema := coalesce(operator_schema, own_name || '_stock');
	PERFORM inventory_citus.check_schema(inventory_citus.shard_schema(a.shard_id), nullif(a.answer, ''), a.place)
	FROM inventory_citus.on_shards(items, orders, format('SELECT inventory_citus.make_schema(inventory_citus.shard_schema(%s))', inventory_citus.shard_id_in_command(1))) AS a;
	-- format() of Citus fills in the two shards; a literal % is doubled
	SELECT count(*) INTO shards FROM inventory_citus.on_shards(items, orders,
		format('SELECT inventory_citus.attach_shard(%s, %s, %s, %s)',
			   inventory_citus.shard_in_command(items, 1), inventory_citus.shard_in_command(orders, 2), inventory_citus.shard_id_in_command(1),
			   replace(format('%L, %L', order_id, options), '%', '%%')));
	INSERT INTO inventory_citus.attached AS a VALUES (items, orders, order_id, options, api_schema, operator_schema)
		ON CONFLICT ON CONSTRAINT attached_pkey DO UPDATE SET orders = excluded.orders, order_id = excluded.order_id,
			options = excluded.options, api_schema = excluded.api_schema, operator_schema = excluded.operator_schema;
	SELECT a.answer::jsonb INTO STRICT types FROM inventory_citus.on_shards(items, orders,
		format('SELECT inventory_citus.shard_types(%s)', inventory_citus.shard_id_in_command(1))) AS a LIMIT 1;
	PERFORM inventory_citus.make_facade(items, types, api_schema, operator_schema);
	RETURN shards;
END
$$;
COMMENT ON FUNCTION inventory_citus.attach_shards(regclass, regclass, name, jsonb, name, name) IS 'Attaches every shard of two co-located distributed tables as a store on its worker, and makes the functions that sell through the coordinator. order_id: the key of an order line. options: further arguments of inventory.attach, the same for every shard. api_schema: of the functions for buyers, null for the schema of items. operator_schema: of those for operators, null for <items>_stock. Called again, it attaches what is not attached, and changes the options. Returns the number of shards. Errors: 42809, 55000, 22023, 42501 for tables of another role and schemas that other roles can create functions in, 0A000 for schemas whose names need quotes, 38000 with the answer of a worker.';

CREATE FUNCTION inventory_citus.verify_all(items regclass)
	RETURNS TABLE (shard_id bigint, node text, item_id text, problem text, expected bigint, actual bigint)
	LANGUAGE sql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
	SELECT r.shardid, format('%s:%s', r.nodename, r.nodeport), v.item_id, v.problem, v.expected, v.actual
	FROM run_command_on_placements(items, format('SELECT inventory_citus.verify_shard(%s)', inventory_citus.shard_in_command(items, 1))) AS r
	CROSS JOIN LATERAL jsonb_to_recordset(CASE WHEN r.success THEN r.result::jsonb
		ELSE jsonb_build_array(jsonb_build_object('problem', 'unreachable: ' || r.result)) END)
		AS v(item_id text, problem text, expected bigint, actual bigint)
$$;
COMMENT ON FUNCTION inventory_citus.verify_all(regclass) IS 'Returns the findings of inventory.verify for every shard, with its node: no rows where all agree. not_attached: the shard has no store, as after a move. unreachable: its node does not answer.';

-- ---------------------------------------------------------------- rights

REVOKE ALL ON ALL FUNCTIONS IN SCHEMA inventory_citus FROM PUBLIC;
REVOKE ALL ON ALL TABLES IN SCHEMA inventory_citus FROM PUBLIC;
COMMIT;
