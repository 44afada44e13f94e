
-- ---------------------------------------------------------------- façade
--
-- The functions that applications call, generated for each store with its own
-- id types: the buyer half in the api schema, the operator half in the ledger
-- schema.

-- One row per generated function.  {I}, {U}, {O} and {Q} stand for the types of
-- item, user, order line and stock.  An argument is "name type", and a default
-- behind "="; "~" marks what a claim can stand in for.  Types are written as the
-- server writes them, which tells whether a function has changed.
CREATE FUNCTION inventory.facade_functions(
		OUT part text, OUT function_name name, OUT arguments text[], OUT result text,
		OUT result_type text, OUT volatility text, OUT description text)
	RETURNS SETOF record
	LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
	VALUES
	('buyer', 'buy_item'::name,
	 ARRAY['user_id {U}~', 'item_id {I}~', 'quantity bigint = 1', 'idempotency_key text = NULL',
		   'order_data jsonb = NULL'],
	 '{O}', '{O}', 'VOLATILE',
	 'Sells quantity units of an item to a user: takes the stock and inserts the order, or does nothing. Returns the key of the order row. idempotency_key: a retry with the same key and arguments gets the first answer. order_data: columns of the order that callers may set. Errors: IV001 out_of_stock, IV002 item_not_found, IV009 idempotency_key_mismatch, IV010 purchase_limit_exceeded, IV014 busy, 22023, 22004, 22003, 42501, 42703.'),
	('buyer', 'buy_cart',
	 ARRAY['user_id {U}~', 'lines jsonb~', 'idempotency_key text = NULL', 'order_data jsonb = NULL'],
	 'SETOF {L}', '{L}', 'VOLATILE',
	 'Sells all lines of a cart, at most 1000, or none. lines: [{"item_id": ..., "quantity": 1, ...}] with columns of the order that callers may set; order_data: the same for every line. Returns a row per line, in their order. Errors: those of buy_item, naming every line at fault, and 54000.'),
	('buyer', 'try_buy_cart',
	 ARRAY['user_id {U}~', 'lines jsonb~', 'idempotency_key text = NULL', 'order_data jsonb = NULL'],
	 'SETOF {L}', '{L}', 'VOLATILE',
	 'As buy_cart, but a refusal is the status of its lines and no error: out_of_stock, item_not_found, purchase_limit_exceeded, or not_taken for the lines that were not at fault. A refusal is kept under its idempotency_key.'),
	('buyer', 'available_stock',
	 ARRAY['item_id {I}'],
	 '{Q}', '{Q}', 'STABLE',
	 'Units of an item that can be sold now; null if its stock is not tracked. Errors: IV002 item_not_found, 22004.'),
	('buyer', 'reserve_stock',
	 ARRAY['user_id {U}~', 'item_id {I}~', 'quantity bigint = 1', 'ttl interval = NULL',
		   'idempotency_key text = NULL'],
	 'uuid', NULL, 'VOLATILE',
	 'Holds quantity units of an item for a user: they leave the stock at once and come back when the hold is released or expires. ttl: how long from now, null for inventory.reservation_ttl, at most the store''s max_ttl. Returns the reservation''s id. Errors: those of buy_item, and 22008 for a ttl beyond all time.'),
	('buyer', 'reserve_cart',
	 ARRAY['user_id {U}~', 'lines jsonb~', 'ttl interval = NULL', 'idempotency_key text = NULL'],
	 'uuid', NULL, 'VOLATILE',
	 'Holds all lines of a cart, at most 1000, or none: [{"item_id": ..., "quantity": 1}]. Lines of the same item become one. Returns the reservation''s id. Errors: those of reserve_stock, naming every line at fault, and 54000.'),
	('buyer', 'try_reserve_cart',
	 ARRAY['user_id {U}~', 'lines jsonb~', 'ttl interval = NULL', 'idempotency_key text = NULL'],
	 '{H}', '{H}', 'VOLATILE',
	 'As reserve_cart, but a refusal is a status and no error, with the lines at fault in short_lines. A refusal is kept under its idempotency_key.'),
	('buyer', 'change_reservation',
	 ARRAY['reservation_id uuid', 'item_id {I}', 'quantity bigint', 'user_id {U} = NULL'],
	 'timestamp with time zone', NULL, 'VOLATILE',
	 'Sets how many units of an item a reservation holds: more, fewer, or 0 to remove the line. Returns when the reservation expires. Errors: IV004 reservation_not_found, IV005 reservation_expired, IV006 reservation_confirmed, IV007 reservation_released, IV001, IV002, IV010, IV014, 22023, 22004, 54000.'),
	('buyer', 'extend_reservation',
	 ARRAY['reservation_id uuid', 'ttl interval = NULL', 'user_id {U} = NULL'],
	 'timestamp with time zone', NULL, 'VOLATILE',
	 'Lets a reservation last ttl from now, never shorter than it would, and never longer than max_ttl from its creation. Returns when it expires. Errors: IV004 reservation_not_found, IV005 reservation_expired, IV006 reservation_confirmed, IV007 reservation_released, 22023, 22004, 22008.'),
	('buyer', 'confirm_reservation',
	 ARRAY['reservation_id uuid', 'user_id {U} = NULL', 'order_data jsonb = NULL'],
	 'SETOF {L}', '{L}', 'VOLATILE',
	 'Turns a reservation into orders: inserts a row per line and takes nothing more. order_data: columns of orders that callers may set, an object for every line or an array of objects with item_id. Returns a row per line; called again, the same rows. Errors: IV004 reservation_not_found, IV005 reservation_expired, IV007 reservation_released, 22023, 22004, 42501, 42703.'),
	('buyer', 'release_reservation',
	 ARRAY['reservation_id uuid', 'user_id {U} = NULL'],
	 'boolean', NULL, 'VOLATILE',
	 'Gives back what a reservation holds. Returns false if it was released or has expired already. Errors: IV004 reservation_not_found, IV006 reservation_confirmed, 22004.'),
	('buyer', 'get_reservation',
	 ARRAY['reservation_id uuid'],
	 'SETOF {HL}', '{HL}', 'STABLE',
	 'The lines of a reservation and its state at this instant: held, confirmed, released or expired. Errors: IV004 reservation_not_found, 22004.'),
	('operator', 'refund_order',
	 ARRAY['order_id {O}', 'quantity bigint = NULL', 'restock boolean = TRUE', 'reason text = NULL',
		   'idempotency_key text = NULL'],
	 '{Q}', '{Q}', 'VOLATILE',
	 'Refunds quantity units of an order line, null for all that is left, never more than were bought; restock puts them back into the stock, otherwise they are written off. The order row is not edited. Returns the units refunded so far. Errors: IV003 order_not_found, IV008 refund_exceeds_order, IV009 idempotency_key_mismatch, 22023, 22004, 22003.'),
	('operator', 'expire_reservations',
	 ARRAY['max_rows integer = 1000'],
	 'bigint', NULL, 'VOLATILE',
	 'Gives back what overdue reservations hold, the oldest first, at most max_rows lines. Returns how many lines. Overdue holds are dead without it; it only makes their units sellable before somebody is short. Errors: 22023, 22004.'),
	('operator', 'prune',
	 ARRAY['older_than interval'],
	 'bigint', NULL, 'VOLATILE',
	 'Deletes closed reservations and idempotency keys that are older. Returns how many rows. A retry with a pruned key is a new request. Errors: 22023, 22004.'),
	('operator', 'close_ledger',
	 ARRAY['before timestamp with time zone'],
	 'bigint', NULL, 'VOLATILE',
	 'Puts one carried movement per item, and per user where purchases are limited, in the place of the movements before that time. Refunds and open holds stay. Returns how many carried movements there are. Errors: 22023, 22004.'),
	('operator', 'restock_item',
	 ARRAY['item_id {I}', 'quantity bigint', 'reason text = NULL', 'idempotency_key text = NULL'],
	 '{Q}', '{Q}', 'VOLATILE',
	 'Adds quantity units (at least 1) to the stock of an item. Returns what is available afterwards. Errors: IV002 item_not_found, IV009 idempotency_key_mismatch, 22023, 22004, 22003, 55000 for an item that is not tracked.'),
	('operator', 'adjust_stock',
	 ARRAY['item_id {I}', 'delta bigint', 'reason text', 'expected bigint = NULL',
		   'kind text = ''adjustment''', 'idempotency_key text = NULL'],
	 '{Q}', '{Q}', 'VOLATILE',
	 'Changes the stock of an item by delta units, not below its floor. expected: the stock its author saw, or null. kind: adjustment or write_off. Returns what is available afterwards. Errors: IV001 out_of_stock, IV002 item_not_found, IV009 idempotency_key_mismatch, IV011 stock_changed, 22023, 22004, 22003, 55000.'),
	('operator', 'count_stock',
	 ARRAY['item_id {I}', 'counted bigint', 'unshipped bigint = 0',
		   'counted_at timestamp with time zone = NULL', 'reason text = NULL',
		   'idempotency_key text = NULL'],
	 '{Q}', '{Q}', 'VOLATILE',
	 'A stock-take: counted units were on the shelf at counted_at (null: now), unshipped of them sold already. Corrects the stock by the difference to what the ledger says was there then, so that sales meanwhile stay. Returns what is available afterwards. Errors: IV001 out_of_stock, IV002 item_not_found, IV009 idempotency_key_mismatch, 22023, 22004, 22003, 55000.')
$$;
COMMENT ON FUNCTION inventory.facade_functions() IS 'What is generated for each store.';

CREATE FUNCTION inventory.facade_schema(p inventory.plan, part text) RETURNS name
	LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
	SELECT CASE part WHEN 'buyer' THEN p.api_schema ELSE p.ledger_schema END
$$;
COMMENT ON FUNCTION inventory.facade_schema(inventory.plan, text) IS 'The schema of a half of the generated functions.';

-- The generated functions of a store that are there: those that call the engine
-- with its name, wherever they were moved, and are its owner's; the ledger's
-- owner may still be the one before.  Anybody could write such a call.
CREATE FUNCTION inventory.facade_of(s inventory.store, OUT part text, OUT function_name name,
									OUT function_id oid)
	RETURNS SETOF record
	LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
	SELECT f.part, f.function_name, p.oid
	FROM inventory.facade_functions() AS f
	JOIN pg_proc AS p ON p.proname = f.function_name
	WHERE strpos(p.prosrc, format('inventory.%s(%L,', f.function_name, s.store_name)) > 0
	AND p.proowner IN (SELECT c.relowner FROM pg_class AS c WHERE c.oid IN (s.items, s.movements))
$$;
COMMENT ON FUNCTION inventory.facade_of(inventory.store) IS 'The generated functions of a store that exist.';

CREATE FUNCTION inventory.existing_facade(p inventory.plan, OUT part text, OUT function_name name,
									   OUT function_id oid)
	RETURNS SETOF record
	LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
	SELECT f.part, f.function_name, f.function_id
	FROM inventory.store AS s CROSS JOIN LATERAL inventory.facade_of(s) AS f
	WHERE s.store_name = p.store_name
$$;
COMMENT ON FUNCTION inventory.existing_facade(inventory.plan) IS 'The generated functions that exist, of a store as it is planned.';

CREATE FUNCTION inventory.drop_functions(functions oid[]) RETURNS void
	LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	function_id oid;
BEGIN
	FOREACH function_id IN ARRAY coalesce(functions, '{}') LOOP
		EXECUTE format('DROP FUNCTION %s', function_id::regprocedure);
	END LOOP;
END
$$;
COMMENT ON FUNCTION inventory.drop_functions(oid[]) IS 'Drops generated functions.';

-- The schemas in which a shop's own triggers find their tables, and no others.
CREATE FUNCTION inventory.facade_path(p inventory.plan) RETURNS text
	LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
	SELECT 'pg_catalog, ' || string_agg(quote_ident(n.nspname), ', ' ORDER BY n.first) || ', pg_temp'
	FROM (SELECT n.nspname, min(u.n) AS first
		  FROM unnest(ARRAY[p.items, p.orders]) WITH ORDINALITY AS u(relation, n)
		  JOIN pg_class AS c ON c.oid = u.relation JOIN pg_namespace AS n ON n.oid = c.relnamespace
		  GROUP BY n.nspname) AS n
$$;
COMMENT ON FUNCTION inventory.facade_path(inventory.plan) IS 'The search_path that the generated functions pin.';

-- Refuse where another function, not the store's own, would make calls ambiguous.
CREATE FUNCTION inventory.check_facade(p inventory.plan) RETURNS void
	LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	drops text;
	other text;
BEGIN
	SELECT min(s.store_name) INTO other FROM inventory.store AS s
	CROSS JOIN LATERAL inventory.facade_of(s) AS f
	JOIN pg_proc AS o ON o.oid = f.function_id JOIN pg_namespace AS n ON n.oid = o.pronamespace
	WHERE s.store_name <> p.store_name AND n.nspname = inventory.facade_schema(p, f.part);
	IF other IS NOT NULL THEN
		RAISE EXCEPTION 'schema "%" has the functions of store "%"', p.api_schema, other
			USING ERRCODE = 'duplicate_function',
				  HINT = 'A name can have one signature only. Choose another schema: api_schema => ''...''.';
	END IF;
	SELECT string_agg(format('DROP %s %s;', CASE o.prokind WHEN 'p' THEN 'PROCEDURE'
							 WHEN 'a' THEN 'AGGREGATE' ELSE 'FUNCTION' END, o.oid::regprocedure),
					  E'\n' ORDER BY o.proname, o.oid::regprocedure::text)
	INTO drops
	FROM inventory.facade_functions() AS f
	JOIN pg_proc AS o ON o.proname = f.function_name
	JOIN pg_namespace AS n ON n.oid = o.pronamespace AND n.nspname = inventory.facade_schema(p, f.part)
	WHERE o.oid NOT IN (SELECT g.function_id FROM inventory.existing_facade(p) AS g);
	IF drops IS NOT NULL THEN
		RAISE EXCEPTION 'functions that would be generated exist already'
			USING ERRCODE = 'duplicate_function',
				  HINT = E'To replace them:\n' || drops || E'\nor choose other schemas: api_schema => ''...'', ledger_schema => ''...''.';
	END IF;
END
$$;
COMMENT ON FUNCTION inventory.check_facade(inventory.plan) IS 'Raises the functions that stand where generated ones would.';

-- What a placeholder of a type stands for.
CREATE FUNCTION inventory.facade_type(p inventory.plan, type text) RETURNS text
	LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
	SELECT replace(replace(replace(replace(replace(type,
		'{L}', format('%I.line', p.ledger_schema)), '{HL}', format('%I.held_line', p.ledger_schema)),
		'{H}', format('%I.hold', p.ledger_schema)), '{O}', p.order_type::text),
		'{Q}', p.stock_type::text)
$$;
COMMENT ON FUNCTION inventory.facade_type(inventory.plan, text) IS 'A type of the generated functions, for a store.';

-- The arguments of a generated function, for a store.  With a claim the user may
-- be left out, and so must be all behind it; smallint as an argument would not
-- take an integer literal.
CREATE FUNCTION inventory.facade_arguments(p inventory.plan, arguments text[], OUT n bigint,
										   OUT name text, OUT type text, OUT text_default text)
	RETURNS SETOF record
	LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
	SELECT a.n, quote_ident(p.argument_prefix || split_part(a.declared, ' ', 1)),
		   replace(CASE a.type WHEN '{U}' THEN p.user_type::text WHEN '{I}' THEN p.item_type::text
				   WHEN '{O}' THEN p.order_type::text ELSE a.type END, 'smallint', 'integer'),
		   CASE WHEN a.declared NOT LIKE '%~' THEN substring(a.argument FROM ' = (.*)$')
		   WHEN p.user_claim IS NOT NULL THEN 'NULL' END
	FROM (SELECT u.n, u.argument, u.declared,
				 rtrim(substr(u.declared, strpos(u.declared, ' ') + 1), '~') AS type
		  FROM (SELECT v.n, v.argument, split_part(v.argument, ' = ', 1) AS declared
				FROM unnest(arguments) WITH ORDINALITY AS v(argument, n)) AS u) AS a
$$;
COMMENT ON FUNCTION inventory.facade_arguments(inventory.plan, text[]) IS 'The arguments of a generated function: name, type, default.';

-- The declaration and the body of one function.
CREATE FUNCTION inventory.facade_text(p inventory.plan, part text, function_name name,
									  arguments text[], result text, result_type text,
									  volatility text) RETURNS text
	LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	declared text;
	passed text;
	call text;
	body text;
BEGIN
	SELECT string_agg(concat_ws(' ', a.name, a.type, 'DEFAULT ' || a.text_default), ', ' ORDER BY a.n),
		   string_agg(format('%I.%s', function_name, a.name), ', ' ORDER BY a.n)
	INTO declared, passed
	FROM inventory.facade_arguments(p, arguments) AS a;
	call := format('inventory.%s(%s)', function_name,
				   concat_ws(', ', quote_literal(p.store_name), passed,
							 'NULL::' || inventory.facade_type(p, result_type)));
	result := inventory.facade_type(p, result);
	body := format(E'\nBEGIN\n\tRETURN %s%s;\nEND\n',
				   CASE WHEN result LIKE 'SETOF %' THEN 'QUERY SELECT * FROM ' ELSE '' END, call);
	RETURN format(E'FUNCTION %I.%I(%s)\nRETURNS %s\nLANGUAGE plpgsql %s PARALLEL %s SECURITY DEFINER\nSET search_path = %s AS %L',
				  inventory.facade_schema(p, part), function_name, declared,
				  result, volatility, CASE volatility WHEN 'STABLE' THEN 'RESTRICTED' ELSE 'UNSAFE' END,
				  inventory.facade_path(p), body);
END
$$;
COMMENT ON FUNCTION inventory.facade_text(inventory.plan, text, name, text[], text, text, text) IS 'What follows CREATE, or CREATE OR REPLACE, for one generated function.';

-- The generated functions that CREATE OR REPLACE would not replace by what is to
-- be made: they are elsewhere, or have another signature.
CREATE FUNCTION inventory.stale_functions(p inventory.plan) RETURNS oid[]
	LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
	SELECT array_agg(o.oid)
	FROM inventory.existing_facade(p) AS g
	JOIN inventory.facade_functions() AS f USING (function_name)
	JOIN pg_proc AS o ON o.oid = g.function_id JOIN pg_namespace AS n ON n.oid = o.pronamespace
	CROSS JOIN LATERAL (
		SELECT string_agg(a.name || ' ' || a.type, ', ' ORDER BY a.n) AS arguments,
			   count(a.text_default) AS defaults
		FROM inventory.facade_arguments(p, f.arguments) AS a) AS w
	WHERE (n.nspname, pg_get_function_identity_arguments(o.oid), o.pronargdefaults,
		   pg_get_function_result(o.oid)) IS DISTINCT FROM
		  (inventory.facade_schema(p, f.part), w.arguments, w.defaults, inventory.facade_type(p, f.result))
$$;
COMMENT ON FUNCTION inventory.stale_functions(inventory.plan) IS 'The generated functions of a store that must be dropped to be made anew.';

-- Generate the façade.  Functions that are there already are replaced, because
-- calls of them are under way, and grants are on them.
CREATE FUNCTION inventory.make_facade(p inventory.plan) RETURNS void
	LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	f record;
	kept name[];
	made text;
	is_open boolean;
	writable text;
BEGIN
	PERFORM inventory.drop_functions(inventory.stale_functions(p));
	PERFORM inventory.check_facade(p);
	kept := ARRAY(SELECT g.function_name FROM inventory.existing_facade(p) AS g);
	IF NOT has_schema_privilege(p.api_schema, 'CREATE') THEN
		RAISE EXCEPTION 'permission denied for schema %', p.api_schema
			USING ERRCODE = 'insufficient_privilege',
				  HINT = format('GRANT CREATE ON SCHEMA %I TO %I; or choose another: api_schema => ''...''.',
								p.api_schema, current_user);
	END IF;
	FOR f IN SELECT * FROM inventory.facade_functions() LOOP
		EXECUTE CASE WHEN f.function_name = ANY (kept) THEN 'CREATE OR REPLACE ' ELSE 'CREATE ' END ||
			inventory.facade_text(p, f.part, f.function_name, f.arguments, f.result, f.result_type,
								  f.volatility);
		SELECT o.oid::regprocedure::text, o.proacl IS NULL INTO made, is_open FROM pg_proc AS o
		WHERE o.proname = f.function_name
		AND o.pronamespace = to_regnamespace(quote_ident(inventory.facade_schema(p, f.part)));
		EXECUTE format('COMMENT ON FUNCTION %s IS %L', made, f.description);
		-- everybody's, unless somebody said otherwise: restored without privileges
		IF f.function_name <> ALL (kept) OR is_open THEN
			PERFORM inventory.restrict_to_owner('FUNCTION', made, p.owner,
				format('SELECT o.proacl FROM pg_proc AS o WHERE o.oid = %L::regprocedure', made));
		END IF;
	END LOOP;
	-- who may create in a schema of the path could shadow what the shop's triggers call
	SELECT string_agg(DISTINCT quote_ident(n.nspname), ', ') INTO writable
	FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace,
		 aclexplode(n.nspacl) AS a
	WHERE c.oid IN (p.items, p.orders) AND a.privilege_type = 'CREATE'
	AND a.grantee NOT IN (n.nspowner, p.owner);
	IF writable IS NOT NULL THEN
		RAISE WARNING 'other roles may create objects in schema %', writable
			USING HINT = 'The generated functions run as the owner with these schemas in their search_path. REVOKE CREATE from whom you do not trust.';
	END IF;
END
$$;
COMMENT ON FUNCTION inventory.make_facade(inventory.plan) IS 'Generates the functions of a store, in the place of those that are there.';
