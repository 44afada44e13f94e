
-- ---------------------------------------------------------------- façade
--
-- The functions that applications call, generated for each store with its own types of
-- ids: those for buyers in the api schema, those for operators in the ledger schema.

-- Splits at the braces and so replaces each placeholder once, whatever a schema is called.
-- The server finds some pseudo-types in a view only by an internal error.
CREATE FUNCTION inventory.type_name(type regtype) RETURNS text
	LANGUAGE plpgsql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	IF EXISTS (SELECT FROM pg_type AS t WHERE t.oid = type AND t.typtype = 'p') THEN
		RAISE EXCEPTION 'type % cannot be that of a column', type USING ERRCODE = 'datatype_mismatch';
	END IF;
	RETURN type::text;
END
$$;
COMMENT ON FUNCTION inventory.type_name(regtype) IS 'The name of a type of a column. Raises an error for a pseudo-type.';

CREATE FUNCTION inventory.fill_types(binding inventory.store_binding, template text) RETURNS text
	LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
	SELECT string_agg(CASE piece
		WHEN 'item_id_type' THEN inventory.type_name(binding.item_type)
		WHEN 'user_id_type' THEN inventory.type_name(binding.user_type)
		WHEN 'order_id_type' THEN inventory.type_name(binding.order_type)
		WHEN 'header_id_type' THEN inventory.type_name(binding.header_type)
		WHEN 'quantity_type' THEN inventory.type_name(binding.stock_type)
		WHEN 'line_type' THEN format('%I.line', binding.ledger_schema)
		WHEN 'hold_type' THEN format('%I.hold', binding.ledger_schema)
		WHEN 'held_line_type' THEN format('%I.held_line', binding.ledger_schema)
		WHEN 'open_hold_type' THEN format('%I.open_hold', binding.ledger_schema)
		WHEN 'item_level_type' THEN format('%I.item_level', binding.ledger_schema)
		WHEN 'refunded_order_type' THEN format('%I.refunded_order', binding.ledger_schema)
		ELSE piece END, '' ORDER BY n)
	FROM regexp_split_to_table(template, '[{}]') WITH ORDINALITY AS pieces(piece, n)
$$;
COMMENT ON FUNCTION inventory.fill_types(inventory.store_binding, text) IS 'A text with the types of a store in place of {item_id_type}, {user_id_type}, {order_id_type}, {header_id_type}, {quantity_type} (the type of the stock column), and its result types in place of {line_type}, {hold_type} and the like.';

-- An argument is "name type", or "name type = default".  The default {null_with_claim} is
-- NULL in a store with a user_claim, which can stand in for the argument, and none in other
-- stores.  Types are written as the server writes them, so that stale_functions can compare.
CREATE FUNCTION inventory.facade_functions(
		OUT part text, OUT function_name name, OUT arguments text[], OUT result text,
		OUT volatility text, OUT description text)
	RETURNS SETOF record
	LANGUAGE sql IMMUTABLE PARALLEL SAFE ROWS 20 SET search_path = pg_catalog, pg_temp AS $$
	VALUES
	('buyer', 'buy_item'::name,
	 ARRAY['user_id {user_id_type} = {null_with_claim}',
		   'item_id {item_id_type} = {null_with_claim}', 'quantity bigint = 1',
		   'idempotency_key text = NULL', 'order_data jsonb = NULL'],
	 '{order_id_type}', 'VOLATILE',
	 'Sells quantity units of an item to a user: takes the stock and inserts the order row, or does nothing. An item sells while stock - quantity is at least its stock_floor. Where the store has a table of headers, a call that names none inserts one. idempotency_key: a retry with the same key and arguments gets the first answer. order_data: an object with columns of orders that callers may set, and in "header" those of the header. Returns the key of the order row; without orders, the text of order_data->>''order_id''. Errors: IV001 out_of_stock, IV002 item_not_found, IV009 idempotency_key_mismatch, IV010 purchase_limit_exceeded, IV003 order_not_found for a header of another user, IV015 already_placed, IV014 busy, 22023, 22004, 22003, 22001, 42501, 42703.'),
	('buyer', 'try_buy_item',
	 ARRAY['user_id {user_id_type} = {null_with_claim}',
		   'item_id {item_id_type} = {null_with_claim}', 'quantity bigint = 1',
		   'idempotency_key text = NULL', 'order_data jsonb = NULL'],
	 '{line_type}', 'VOLATILE',
	 'As buy_item, but a refusal is a status and not an error. Returns one row: status (ok, out_of_stock, item_not_found or purchase_limit_exceeded), item_id, quantity, order_id (the key of the order row), available (the units that can still be sold), replayed (true for the kept answer of an earlier call) and header_id (the key of the header, where the store has headers). With an idempotency_key a refusal is kept like any other answer. Errors: those of buy_item that are not such a refusal.'),
	('buyer', 'buy_cart',
	 ARRAY['user_id {user_id_type} = {null_with_claim}', 'lines jsonb = {null_with_claim}',
		   'idempotency_key text = NULL', 'order_data jsonb = NULL'],
	 'SETOF {line_type}', 'VOLATILE',
	 'Sells all lines of a cart, 1 to 1000, or none. lines: [{"item_id": ..., "quantity": 1, ...}], with columns of orders that callers may set. order_data: the same columns for every line. Returns one row for each line, in the order of the lines. Errors: those of buy_item, with every line at fault in the detail, and 54000 for too many lines.'),
	('buyer', 'try_buy_cart',
	 ARRAY['user_id {user_id_type} = {null_with_claim}', 'lines jsonb = {null_with_claim}',
		   'idempotency_key text = NULL', 'order_data jsonb = NULL'],
	 'SETOF {line_type}', 'VOLATILE',
	 'As buy_cart, but a refusal is a status and not an error: out_of_stock, item_not_found or purchase_limit_exceeded for the lines at fault, not_taken for the other lines. With an idempotency_key a refusal is kept like any other answer. Errors: those of buy_cart that are not such a refusal.'),
	('buyer', 'available_stock',
	 ARRAY['item_id {item_id_type}'],
	 '{quantity_type}', 'STABLE',
	 'Returns the units of an item that can be sold now, null if its stock is not tracked. Units of expired holds count, units below stock_floor do not. Errors: IV002 item_not_found, 22004, 22001.'),
	('buyer', 'available_stocks',
	 ARRAY['item_ids {item_id_type}[]'],
	 'SETOF {item_level_type}', 'STABLE',
	 'Returns the units of several items that can be sold now, as available_stock does: one row for each item, in the order of their keys. Items that do not exist or are not for sale have no row. Errors: 22004 for null, also in the array, 22001.'),
	('buyer', 'reserve_stock',
	 ARRAY['user_id {user_id_type} = {null_with_claim}',
		   'item_id {item_id_type} = {null_with_claim}', 'quantity bigint = 1',
		   'ttl interval = NULL', 'idempotency_key text = NULL',
		   'reservation_id uuid = NULL'],
	 'uuid', 'VOLATILE',
	 'Holds quantity units of an item for a user: they leave the stock at once and return to it when the hold is released or expires. ttl: time from now until it expires, null for inventory.reservation_ttl, at most the max_ttl of the store. reservation_id: the id that the reservation is to have, null for a new one; the same id again, with the same user and units, is the same reservation. Returns the id of the reservation. Errors: those of buy_item, IV005 reservation_expired and IV007 reservation_released for an id or a key whose reservation has ended, IV009 idempotency_key_mismatch also for an id of another reservation, 22023 for a ttl that is not positive or longer than max_ttl, and 22008 for one out of range.'),
	('buyer', 'reserve_cart',
	 ARRAY['user_id {user_id_type} = {null_with_claim}', 'lines jsonb = {null_with_claim}',
		   'ttl interval = NULL', 'idempotency_key text = NULL',
		   'reservation_id uuid = NULL'],
	 'uuid', 'VOLATILE',
	 'Holds all lines of a cart, 1 to 1000, or none. lines: [{"item_id": ..., "quantity": 1}]; lines with the same item are added up. Returns the id of the reservation. Errors: those of reserve_stock, with every line at fault in the detail, and 54000 for too many lines.'),
	('buyer', 'try_reserve_cart',
	 ARRAY['user_id {user_id_type} = {null_with_claim}', 'lines jsonb = {null_with_claim}',
		   'ttl interval = NULL', 'idempotency_key text = NULL',
		   'reservation_id uuid = NULL'],
	 '{hold_type}', 'VOLATILE',
	 'As reserve_cart, but a refusal is a status and not an error, with the lines at fault in short_lines. With an idempotency_key a refusal is kept like any other answer. Errors: those of reserve_cart that are not such a refusal.'),
	('buyer', 'change_reservation',
	 ARRAY['reservation_id uuid', 'item_id {item_id_type}', 'quantity bigint',
		   'user_id {user_id_type} = NULL'],
	 'timestamp with time zone', 'VOLATILE',
	 'Sets the units of an item that a reservation holds: more, fewer, those of a new item, or 0 to remove the line. Returns the time when the reservation expires. Errors: IV004 reservation_not_found, IV005 reservation_expired, IV006 reservation_confirmed, IV007 reservation_released, for added units IV001, IV002, IV010 and IV014, 22023, 22004, 54000.'),
	('buyer', 'extend_reservation',
	 ARRAY['reservation_id uuid', 'ttl interval = NULL', 'user_id {user_id_type} = NULL'],
	 'timestamp with time zone', 'VOLATILE',
	 'Extends a reservation until ttl from now. It never becomes shorter, and lasts at most the max_ttl of the store from its creation. A null ttl is inventory.reservation_ttl, or what max_ttl leaves of it. Returns the time when the reservation expires. Errors: IV004 reservation_not_found, IV005 reservation_expired, IV006 reservation_confirmed, IV007 reservation_released, 22023 for a ttl that exceeds max_ttl, 22004, 22008.'),
	('buyer', 'confirm_reservation',
	 ARRAY['reservation_id uuid', 'user_id {user_id_type} = NULL', 'order_data jsonb = NULL'],
	 'SETOF {line_type}', 'VOLATILE',
	 'Turns a reservation into orders: inserts one row for each line and takes no more stock. order_data: columns of orders that callers may set, as an object for every line or an array of objects with item_id. Returns one row for each line; a later call returns the same rows. Errors: IV004 reservation_not_found, IV005 reservation_expired, IV007 reservation_released, IV003 order_not_found for a header of another user, IV015 already_placed, 22023, 22004, 42501, 42703, 54000; IV006 reservation_confirmed and IV014 busy where a trigger changes the reservation at the same time.'),
	('buyer', 'release_reservation',
	 ARRAY['reservation_id uuid', 'user_id {user_id_type} = NULL'],
	 'boolean', 'VOLATILE',
	 'Gives the units that a reservation holds back to the stock. Returns false if the reservation was already released or has expired. An operator can also release an id that no reservation has: it returns false, and the id cannot be used as the reservation_id of a new one until prune deletes it. Errors: IV004 reservation_not_found, IV006 reservation_confirmed, 22004.'),
	('buyer', 'get_reservation',
	 ARRAY['reservation_id uuid'],
	 'SETOF {held_line_type}', 'STABLE',
	 'Returns the lines of a reservation and its status at this instant: held, confirmed, released or expired. Errors: IV004 reservation_not_found, 22004.'),
	('buyer', 'my_reservations',
	 ARRAY['user_id {user_id_type} = {null_with_claim}'],
	 'SETOF {open_hold_type}', 'STABLE',
	 'Returns the open holds of a user: one row for each line of a reservation that is held and has not expired, those that expire first at the top. Errors: 22004, 42501.'),
	('operator', 'refund_order',
	 ARRAY['order_id {order_id_type}', 'quantity bigint = NULL', 'restock boolean = TRUE',
		   'reason text = NULL', 'idempotency_key text = NULL'],
	 '{quantity_type}', 'VOLATILE',
	 'Refunds quantity units of an order line, null for all that remain, never more than were bought. restock: true gives them back to the stock, false writes them off. Does not change the order row. Returns the units of the line refunded so far. Errors: IV003 order_not_found, IV008 refund_exceeds_order, IV009 idempotency_key_mismatch, 22023, 22004, 22003, 22001, 21000 for an order with several rows.'),
	('operator', 'refund_orders',
	 ARRAY['order_ids {order_id_type}[]', 'restock boolean = TRUE', 'reason text = NULL',
		   'idempotency_key text = NULL'],
	 'SETOF {refunded_order_type}', 'VOLATILE',
	 'Refunds all that is left of several order lines, at most 1000, in one call, as refund_order does. Returns one row for each, in the order of their keys: status (ok, order_not_found, or refund_exceeds_order if nothing was left) and quantity, the units that this call has refunded. Errors: IV009 idempotency_key_mismatch, IV014 busy, 22004, 22003, 22001, 54000, 21000 for an order with several rows.'),
	('operator', 'change_order',
	 ARRAY['order_id {order_id_type}', 'quantity bigint', 'reason text = NULL',
		   'idempotency_key text = NULL'],
	 '{quantity_type}', 'VOLATILE',
	 'Changes the quantity of an order line, refunded units included: takes more units, or gives some back to the stock, and writes the quantity into the order row. 0 refunds all that is left and leaves the row as it is. Returns the quantity. Errors: IV001 out_of_stock, IV002 item_not_found, IV003 order_not_found, IV008 refund_exceeds_order for less than is refunded already, IV009 idempotency_key_mismatch, IV010 purchase_limit_exceeded, IV013 direct_write_refused for a final line where the stock follows the orders, IV014 busy, 22023, 22004, 22003, 22001, 21000 for an order with several rows, 09000 if a trigger keeps the row from having the quantity.'),
	('operator', 'exchange_order',
	 ARRAY['order_id {order_id_type}', 'lines jsonb', 'reason text = NULL',
		   'idempotency_key text = NULL'],
	 'SETOF {line_type}', 'VOLATILE',
	 'Exchanges an order line: refunds all that is left of it, gives it back to the stock, and sells other lines to the same user, under the same header, or does nothing. lines: as for buy_cart. Returns one row for each new line, in their order. Errors: those of buy_cart, IV003 order_not_found, IV008 refund_exceeds_order if nothing is left of the line, and 21000 for an order with several rows.'),
	('operator', 'decide_reservation',
	 ARRAY['reservation_id uuid', 'user_id {user_id_type} = NULL'],
	 'timestamp with time zone', 'VOLATILE',
	 'Makes a reservation last until it is confirmed or released: it has been paid, or a cart of which it is a part is decided. user_id: the user whose reservation it must be, null for any. Returns the time when it expires, which is infinity. prune does not delete such a reservation. Errors: IV004 reservation_not_found, IV005 reservation_expired, IV006 reservation_confirmed, IV007 reservation_released, 22004.'),
	('operator', 'expire_reservations',
	 ARRAY['max_rows integer = 1000'],
	 'bigint', 'VOLATILE',
	 'Gives the units of expired holds back to the stock, the oldest first, at most max_rows lines. Optional: an expired hold cannot be confirmed, and a call that finds too little stock first expires the holds of the item. Returns the number of lines. Errors: 22023, 22004.'),
	('operator', 'prune',
	 ARRAY['older_than interval'],
	 'bigint', 'VOLATILE',
	 'Deletes closed reservations and idempotency keys that are older, and ids of reservations that were released before they were made. Decided reservations stay. Returns the number of rows deleted. A retry with a deleted key or id is a new request. Errors: 22023, 22004.'),
	('operator', 'close_ledger',
	 ARRAY['before timestamp with time zone'],
	 'bigint', 'VOLATILE',
	 'Replaces the movements before a time by one carried movement for each item, and for each user where purchases are limited. Refunds and open holds stay. Returns the number of carried movements. Errors: IV014 busy if a line that it would close is being changed, 22023, 22004.'),
	('operator', 'restock_item',
	 ARRAY['item_id {item_id_type}', 'quantity bigint', 'reason text = NULL',
		   'idempotency_key text = NULL'],
	 '{quantity_type}', 'VOLATILE',
	 'Adds quantity units, at least 1, to the stock of an item. Returns the units available afterwards. Errors: IV002 item_not_found, IV009 idempotency_key_mismatch, 22023, 22004, 22003, 22001, 55000 for an item whose stock is not tracked.'),
	('operator', 'adjust_stock',
	 ARRAY['item_id {item_id_type}', 'delta bigint', 'reason text', 'expected bigint = NULL',
		   'kind text = ''adjustment''', 'idempotency_key text = NULL'],
	 '{quantity_type}', 'VOLATILE',
	 'Changes the stock of an item by delta units, but not to less than its stock_floor. expected: the stock that the caller saw, null for any. kind: adjustment or write_off. Returns the units available afterwards. Errors: IV001 out_of_stock, IV002 item_not_found, IV009 idempotency_key_mismatch, IV011 stock_changed if the stock is not as expected, 22023, 22004, 22003, 22001, 55000 for an item whose stock is not tracked.'),
	('operator', 'count_stock',
	 ARRAY['item_id {item_id_type}', 'counted bigint', 'unshipped bigint = 0',
		   'counted_at timestamp with time zone = NULL', 'reason text = NULL',
		   'idempotency_key text = NULL'],
	 '{quantity_type}', 'VOLATILE',
	 'Corrects the stock of an item by a stock-take: counted units were on the shelf at counted_at (null for now), unshipped of them already sold. The correction is the difference from what the ledger says was there at counted_at, so that later sales stay. Returns the units available afterwards. Errors: IV001 out_of_stock, IV002 item_not_found, IV009 idempotency_key_mismatch, 22023, 22004, 22003, 22001, 55000 for an item whose stock is not tracked.')
$$;
COMMENT ON FUNCTION inventory.facade_functions() IS 'The functions that are generated for each store: one row for each, with placeholders for the types of the store.';

CREATE FUNCTION inventory.facade_schema(binding inventory.store_binding, part text) RETURNS name
	LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
	SELECT CASE part WHEN 'buyer' THEN binding.api_schema ELSE binding.ledger_schema END
$$;
COMMENT ON FUNCTION inventory.facade_schema(inventory.store_binding, text) IS 'The schema of the generated functions for buyers or operators.';

CREATE FUNCTION inventory.facade_body(function_name name, store_name text) RETURNS text
	LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
	SELECT function_name || ' ' || store_name
$$;
COMMENT ON FUNCTION inventory.facade_body(name, text) IS 'The body of a generated function: its name, and the name of the store.';

-- Any role could write such a body, so the owner counts too: that of the items, or that of the
-- ledger, which can still be the previous one.  One in another language was generated in PL/pgSQL,
-- as all once were, or edited by the shop.
CREATE FUNCTION inventory.is_generated(function pg_proc, store inventory.store) RETURNS boolean
	LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
	SELECT function.proowner IN (inventory.owner_of(store.items), inventory.owner_of(store.movements))
	AND CASE (SELECT l.lanname FROM pg_language AS l WHERE l.oid = function.prolang)
		WHEN 'inventory' THEN function.prosrc = inventory.facade_body(function.proname, store.store_name)
		ELSE strpos(function.prosrc, format('inventory.%s(%L,', function.proname, store.store_name)) > 0 END
$$;
COMMENT ON FUNCTION inventory.is_generated(pg_proc, inventory.store) IS 'True if a function is a generated function of a store: its owner is that of the store, and its body names the store.';

-- By what depends on the schema, because pg_proc has no index on it.  ROWS, here and below, keeps
-- the planner from reading the whole of pg_proc.
CREATE FUNCTION inventory.functions_in(schema_id oid) RETURNS SETOF pg_proc
	LANGUAGE sql STABLE ROWS 20 SET search_path = pg_catalog, pg_temp AS $$
	SELECT p.* FROM pg_depend AS d JOIN pg_proc AS p ON p.oid = d.objid
	WHERE d.refclassid = 'pg_namespace'::regclass AND d.refobjid = schema_id
	AND d.classid = 'pg_proc'::regclass
	AND p.proname IN (SELECT f.function_name FROM inventory.facade_functions() AS f)
$$;
COMMENT ON FUNCTION inventory.functions_in(oid) IS 'The functions in a schema that have a name of a generated function.';

CREATE FUNCTION inventory.facade_nearby(store inventory.store) RETURNS oid[]
	LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
	SELECT ARRAY(
		SELECT p.oid FROM (
			SELECT to_regnamespace(quote_ident(store.api_schema))::oid
			UNION SELECT c.relnamespace FROM pg_class AS c WHERE c.oid IN (store.movements, store.items))
			AS n(schema_id)
		CROSS JOIN LATERAL inventory.functions_in(n.schema_id) AS p
		WHERE inventory.is_generated(p, store))
$$;
COMMENT ON FUNCTION inventory.facade_nearby(inventory.store) IS 'The generated functions of a store in its api schema, its ledger schema, and the schema of its items.';

-- Other schemas are searched only for functions that are not where they were generated: that
-- takes as long as there are stores in the database.
CREATE FUNCTION inventory.facade_of(store inventory.store, OUT part text, OUT function_name name,
									OUT function_id oid)
	RETURNS SETOF record
	LANGUAGE plpgsql STABLE ROWS 20 SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	found oid[] := inventory.facade_nearby(store);
	missing name[] := ARRAY(SELECT f.function_name FROM inventory.facade_functions() AS f
							EXCEPT SELECT p.proname FROM pg_proc AS p WHERE p.oid = ANY (found));
BEGIN
	IF missing <> '{}' THEN
		found := found || ARRAY(
			SELECT p.oid FROM pg_proc AS p
			WHERE p.proname = ANY (missing) AND inventory.is_generated(p, store)
			-- a previous owner of this store can have another one of its name
			AND NOT EXISTS (SELECT FROM inventory.store AS s
							WHERE s.store_name = facade_of.store.store_name AND s.items <> facade_of.store.items
							AND inventory.owner_of(s.items) = p.proowner));
	END IF;
	RETURN QUERY SELECT f.part, f.function_name, p.oid
				 FROM inventory.facade_functions() AS f JOIN pg_proc AS p ON p.proname = f.function_name
				 WHERE p.oid = ANY (found);
END
$$;
COMMENT ON FUNCTION inventory.facade_of(inventory.store) IS 'The generated functions of a store that exist, wherever they were moved.';

-- None while attach has not inserted the row of the store.
CREATE FUNCTION inventory.existing_facade(binding inventory.store_binding, OUT part text,
										  OUT function_name name, OUT function_id oid)
	RETURNS SETOF record
	LANGUAGE sql STABLE ROWS 20 SET search_path = pg_catalog, pg_temp AS $$
	SELECT f.part, f.function_name, f.function_id
	FROM inventory.store AS s CROSS JOIN LATERAL inventory.facade_of(s) AS f
	WHERE s.items = binding.items
$$;
COMMENT ON FUNCTION inventory.existing_facade(inventory.store_binding) IS 'The generated functions that exist of the store of a binding.';

CREATE FUNCTION inventory.drop_functions(functions oid[]) RETURNS void
	LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	function_id oid;
BEGIN
	FOR function_id IN
		SELECT p.oid FROM pg_proc AS p
		WHERE p.oid = ANY (functions) AND pg_has_role(p.proowner, 'USAGE')
	LOOP
		EXECUTE format('DROP FUNCTION %s', function_id::regprocedure);
	END LOOP;
END
$$;
COMMENT ON FUNCTION inventory.drop_functions(oid[]) IS 'Drops generated functions, except those of a previous owner whose rights the current user does not have.';

-- A second function of the same name would make calls ambiguous.
CREATE FUNCTION inventory.check_facade_names(binding inventory.store_binding) RETURNS void
	LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	others oid[] := ARRAY(
		SELECT o.oid FROM unnest('{buyer,operator}'::text[]) AS u(part)
		CROSS JOIN LATERAL inventory.functions_in(
			to_regnamespace(quote_ident(inventory.facade_schema(binding, u.part)))) AS o
		JOIN inventory.facade_functions() AS f ON f.function_name = o.proname AND f.part = u.part
		EXCEPT SELECT g.function_id FROM inventory.existing_facade(binding) AS g);
	other record;
	drops text;
BEGIN
	IF others = '{}' THEN
		RETURN;
	END IF;
	SELECT s.store_name, f.part INTO other FROM inventory.store AS s, pg_proc AS o
	JOIN inventory.facade_functions() AS f ON f.function_name = o.proname
	WHERE o.oid = ANY (others) AND s.items <> binding.items AND inventory.is_generated(o, s)
	ORDER BY s.store_name, f.part LIMIT 1;
	IF other.store_name IS NOT NULL THEN
		RAISE EXCEPTION 'schema "%" contains the functions of store "%"',
						inventory.facade_schema(binding, other.part), other.store_name
			USING ERRCODE = 'duplicate_function',
				  HINT = format('Two stores cannot have their functions in one schema. Choose another schema: %s => ''...''.',
								CASE other.part WHEN 'buyer' THEN 'api_schema' ELSE 'ledger_schema' END);
	END IF;
	SELECT string_agg(format('DROP %s %s;', CASE o.prokind WHEN 'p' THEN 'PROCEDURE'
							 WHEN 'a' THEN 'AGGREGATE' ELSE 'FUNCTION' END, o.oid::regprocedure),
					  E'\n' ORDER BY o.proname, o.oid::regprocedure::text)
	INTO drops
	FROM pg_proc AS o WHERE o.oid = ANY (others);
	RAISE EXCEPTION 'functions to be generated already exist'
		USING ERRCODE = 'duplicate_function',
			  HINT = E'To replace them:\n' || drops || E'\nTo keep them, choose other schemas: api_schema => ''...'', ledger_schema => ''...''.';
END
$$;
COMMENT ON FUNCTION inventory.check_facade_names(inventory.store_binding) IS 'Raises an error if other functions have the names of those to be generated.';

-- An integer literal cannot be passed as smallint.
CREATE FUNCTION inventory.facade_arguments(binding inventory.store_binding, arguments text[],
										   OUT n bigint, OUT name text, OUT type text,
										   OUT default_value text)
	RETURNS SETOF record
	LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
	SELECT a.n, quote_ident(binding.argument_prefix || a.parts[1]),
		   replace(inventory.fill_types(binding, a.parts[2]), 'smallint', 'integer'),
		   CASE WHEN a.parts[3] IS DISTINCT FROM '{null_with_claim}' THEN a.parts[3]
		   WHEN binding.user_claim IS NOT NULL THEN 'NULL' END
	FROM (SELECT u.n, regexp_match(u.argument, E'^(\\w+) (.*?)(?: = (.*))?$') AS parts
		  FROM unnest(arguments) WITH ORDINALITY AS u(argument, n)) AS a
$$;
COMMENT ON FUNCTION inventory.facade_arguments(inventory.store_binding, text[]) IS 'The arguments of a generated function for a store: number, name, type and default.';

CREATE FUNCTION inventory.facade_definition(binding inventory.store_binding, part text,
											function_name name, arguments text[], result text,
											volatility text) RETURNS text
	LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
	SELECT format(E'FUNCTION %I.%I(%s)\nRETURNS %s\nLANGUAGE inventory %s PARALLEL %s SECURITY DEFINER\nAS %L',
				  inventory.facade_schema(binding, part), function_name,
				  string_agg(concat_ws(' ', a.name, a.type, 'DEFAULT ' || a.default_value), ', ' ORDER BY a.n),
				  inventory.fill_types(binding, result), volatility,
				  CASE volatility WHEN 'STABLE' THEN 'RESTRICTED' ELSE 'UNSAFE' END,
				  inventory.facade_body(function_name, binding.store_name))
	FROM inventory.facade_arguments(binding, arguments) AS a
$$;
COMMENT ON FUNCTION inventory.facade_definition(inventory.store_binding, text, name, text[], text, text) IS 'The definition of a generated function, to follow CREATE or CREATE OR REPLACE.';

-- ALTER EXTENSION UPDATE leaves generated functions as they are.  Each names the version that made it in
-- its comment; one that was restored without comments names none.
CREATE FUNCTION inventory.extension_version() RETURNS text
	LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
	SELECT e.extversion FROM pg_extension AS e WHERE e.extname = 'inventory'
$$;
COMMENT ON FUNCTION inventory.extension_version() IS 'The version of the extension in this database.';

CREATE FUNCTION inventory.generated_by(function oid) RETURNS text
	LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
	SELECT substring(obj_description(function, 'pg_proc') FROM ' Generated by inventory ([^ ]+)\.$')
$$;
COMMENT ON FUNCTION inventory.generated_by(oid) IS 'The version of the extension that has generated a function, null if its comment does not name one.';

CREATE FUNCTION inventory.count_outdated(item_table regclass) RETURNS bigint
	LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
	SELECT count(*)
	FROM inventory.store AS s CROSS JOIN LATERAL inventory.facade_of(s) AS f
	WHERE s.items = item_table AND inventory.generated_by(f.function_id) <> inventory.extension_version()
$$;
COMMENT ON FUNCTION inventory.count_outdated(regclass) IS 'How many generated functions of a store another version of the extension has generated. Part of verify.';

CREATE FUNCTION inventory.stale_functions(binding inventory.store_binding) RETURNS oid[]
	LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp SET quote_all_identifiers = off AS $$
	SELECT array_agg(o.oid)
	FROM inventory.existing_facade(binding) AS g
	JOIN inventory.facade_functions() AS f USING (function_name)
	JOIN pg_proc AS o ON o.oid = g.function_id
	CROSS JOIN LATERAL (
		SELECT string_agg(a.name || ' ' || a.type, ', ' ORDER BY a.n) AS arguments,
			   count(a.default_value) AS defaults
		FROM inventory.facade_arguments(binding, f.arguments) AS a) AS w
	WHERE (o.pronamespace::oid, pg_get_function_identity_arguments(o.oid), o.pronargdefaults,
		   pg_get_function_result(o.oid)) IS DISTINCT FROM
		  (to_regnamespace(quote_ident(inventory.facade_schema(binding, f.part)))::oid, w.arguments,
		   w.defaults, inventory.fill_types(binding, f.result))
$$;
COMMENT ON FUNCTION inventory.stale_functions(inventory.store_binding) IS 'The generated functions of a store that CREATE OR REPLACE cannot replace: they are in another schema or have another signature.';

CREATE FUNCTION inventory.warn_writable_schemas(binding inventory.store_binding) RETURNS void
	LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	writable text;
	foreign_schema record;
BEGIN
	SELECT string_agg(DISTINCT quote_ident(n.nspname), ', ') INTO writable
	FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
	CROSS JOIN LATERAL aclexplode(n.nspacl) AS a
	WHERE c.oid IN (binding.items, binding.orders, binding.header)
	AND a.privilege_type = 'CREATE' AND a.grantee NOT IN (n.nspowner, binding.owner);
	IF writable IS NOT NULL THEN
		RAISE WARNING 'other roles may create objects in schema %', writable
			USING HINT = 'The generated functions run as the owner of the tables, with these schemas in their search_path. Revoke CREATE from roles that you do not trust.';
	END IF;
	FOR foreign_schema IN
		SELECT n.nspname, r.rolname FROM pg_namespace AS n JOIN pg_roles AS r ON r.oid = n.nspowner
		WHERE (n.nspname IN (binding.api_schema, binding.ledger_schema)
			   OR n.oid IN (SELECT c.relnamespace FROM pg_class AS c
							WHERE c.oid IN (binding.items, binding.orders, binding.header)))
		AND r.oid <> binding.owner AND NOT r.rolsuper AND r.rolname <> 'pg_database_owner'
		ORDER BY n.nspname
	LOOP
		RAISE WARNING 'schema % belongs to role %', quote_ident(foreign_schema.nspname), quote_ident(foreign_schema.rolname)
			USING DETAIL = 'The owner of a schema can create objects in it, and drop those of others.',
				  HINT = format('If you do not trust it: ALTER SCHEMA %I OWNER TO %s;', foreign_schema.nspname,
								CASE pg_get_userbyid(binding.owner) WHEN session_user THEN 'CURRENT_USER'
								ELSE quote_ident(pg_get_userbyid(binding.owner)) END);
	END LOOP;
END
$$;
COMMENT ON FUNCTION inventory.warn_writable_schemas(inventory.store_binding) IS 'Warns if other roles could create objects that hide what the triggers of the shop call, or drop those of the store.';

-- Not by REVOKE and COMMENT, which look for a function of this name in every schema.
CREATE FUNCTION inventory.restrict_function(function oid) RETURNS void
	LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'inventory_restrict_function';
COMMENT ON FUNCTION inventory.restrict_function(oid) IS 'Revokes the rights of all roles but the owner on a function. Part of attach and refresh.';

CREATE FUNCTION inventory.describe_function(function oid, description text) RETURNS void
	LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'inventory_describe_function';
COMMENT ON FUNCTION inventory.describe_function(oid, text) IS 'Sets the comment of a function. Part of attach and refresh.';

-- Existing functions are replaced and not dropped, because of running calls and of grants.  Bodies
-- are not checked: the server would look for functions of the same name in every schema.
CREATE FUNCTION inventory.make_facade(binding inventory.store_binding) RETURNS void
	LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp
	SET check_function_bodies = off AS $$
DECLARE
	f record;
	kept name[];
	schema_id oid;
BEGIN
	PERFORM inventory.drop_functions(inventory.stale_functions(binding));
	PERFORM inventory.check_facade_names(binding);
	PERFORM inventory.check_schema_create(binding.api_schema);
	kept := ARRAY(SELECT g.function_name FROM inventory.existing_facade(binding) AS g);
	FOR f IN SELECT * FROM inventory.facade_functions() LOOP
		EXECUTE CASE WHEN f.function_name = ANY (kept) THEN 'CREATE OR REPLACE ' ELSE 'CREATE ' END ||
			inventory.facade_definition(binding, f.part, f.function_name, f.arguments, f.result,
										f.volatility);
	END LOOP;
	FOR schema_id IN
		SELECT n.oid FROM pg_namespace AS n WHERE n.nspname IN (binding.api_schema, binding.ledger_schema)
	LOOP
		FOR f IN
			SELECT o.oid, o.proname, o.proacl, g.description
			FROM inventory.functions_in(schema_id) AS o
			JOIN inventory.facade_functions() AS g ON g.function_name = o.proname
			WHERE o.pronamespace = to_regnamespace(quote_ident(inventory.facade_schema(binding, g.part)))
		LOOP
			PERFORM inventory.describe_function(f.oid, format('%s Generated by inventory %s.', f.description,
															   inventory.extension_version()));
			-- without an ACL PUBLIC may execute it: it was restored without privileges
			IF f.proname <> ALL (kept) OR f.proacl IS NULL THEN
				PERFORM inventory.restrict_function(f.oid);
			END IF;
		END LOOP;
	END LOOP;
	PERFORM inventory.warn_writable_schemas(binding);
END
$$;
COMMENT ON FUNCTION inventory.make_facade(inventory.store_binding) IS 'Creates or replaces the generated functions of a store.';
