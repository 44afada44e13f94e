-- Makes an attached store one of the nodes of a shop on several databases: what PL/Proxy routers call,
-- and the tables of carts whose items are on several nodes.
--
--   psql -d shop -v items=shop.items -v router=inventory_router -f scale/plproxy/node.sql
--
-- items    the table of the store
-- router   the role as which the routers connect.  It must exist, and gets EXECUTE on what routers need,
--          and nothing else
-- schema   where the functions and tables are made (default: scale), a name that needs no quotes.  A
--          database with several stores needs one for each
--
-- Run it as the owner of the store, who needs CREATE on the database, on every node, after attach.  Run it
-- again after an upgrade, or if the types of the store's keys have changed: tables keep their rows.
-- doc/scale.md explains what is made here.

\set ON_ERROR_STOP 1
\if :{?schema} \else \set schema scale \endif
\if :{?router} \else \set router inventory_router \endif
\if :{?items} \else \warn 'node.sql: set the table of the items: psql -v items=shop.items' \quit \endif

BEGIN;
-- the caller's search_path finds the table, and nothing else
SELECT coalesce((SELECT format('%I.%I', n.nspname, c.relname) FROM pg_catalog.pg_class AS c JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
	WHERE c.oid = pg_catalog.to_regclass(:'items')), :'items') AS items \gset
SET LOCAL client_min_messages = warning;
SET LOCAL search_path = pg_catalog;

SELECT $$DO 'BEGIN RAISE ''schema: PL/Proxy has no quoted names'' USING ERRCODE = ''22023''; END'$$ WHERE :'schema' !~ '^[a-z_][a-z0-9_]*$' \gexec

-- Claims of a session do not travel.
SELECT CASE WHEN count(*) = 0 THEN format('DO $$ BEGIN RAISE ''not_a_store'' USING ERRCODE = ''IV012'', DETAIL = %L; END $$', :'items')
	WHEN bool_or(user_claim IS NOT NULL) THEN 'DO $$ BEGIN RAISE ''a store with user_claim cannot have routers'' USING ERRCODE = ''0A000'', '
		|| 'DETAIL = ''The claims of a session do not travel to the nodes.'', HINT = ''Run the statement of inventory.describe() without user_claim and with reset => true, and let the routers check who calls.''; END $$'
	END
FROM inventory.bindings WHERE items = to_regclass(:'items') \gexec

SELECT format('CREATE SCHEMA IF NOT EXISTS %I AUTHORIZATION %I', :'schema', pg_get_userbyid(c.relowner))
FROM pg_class AS c WHERE c.oid = to_regclass(:'items') \gexec

-- Any role that may create schemas could have made it before, and the owner of a schema can replace what is in it.
SELECT format('DO %L', format('BEGIN RAISE EXCEPTION USING ERRCODE = ''42501'', MESSAGE = %L, DETAIL = %L, HINT = %L; END',
	format('schema %I belongs to role %I', n.nspname, r.rolname),
	'The owner of a schema can replace the functions in it, and those that are made here call them with the rights of the owner of the store.',
	format('ALTER SCHEMA %I OWNER TO %I;', n.nspname, pg_get_userbyid(c.relowner))))
FROM pg_class AS c JOIN inventory.bindings AS b ON b.items = c.oid
JOIN pg_namespace AS n ON n.nspname IN (:'schema', b.api_schema, b.ledger_schema)
JOIN pg_roles AS r ON r.oid = n.nspowner
WHERE c.oid = to_regclass(:'items') AND r.oid <> c.relowner AND NOT r.rolsuper AND r.rolname <> 'pg_database_owner' \gexec

-- Everything belongs to the owner of the store, also if a superuser runs this.
SELECT format('SET LOCAL ROLE %I', pg_get_userbyid(c.relowner)) FROM pg_class AS c WHERE c.oid = to_regclass(:'items') \gexec

-- What is in braces in the templates of this file and of router.sql, for this store.
SELECT format($format$
CREATE OR REPLACE FUNCTION %1$I.filled(template text) RETURNS text
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $body$
DECLARE
	store record;
	word record;
	route text;
BEGIN
	SELECT b.*, pg_get_userbyid(t.relowner) AS owner, buy.proargtypes[1]::regtype AS item_type,
		   buy.proargtypes[0]::regtype AS user_type, buy.prorettype::regtype AS order_type,
		   stock.prorettype::regtype AS stock_type
	INTO STRICT store
	FROM inventory.bindings AS b
	JOIN pg_class AS t ON t.oid = b.items
	JOIN pg_proc AS buy ON buy.pronamespace = to_regnamespace(quote_ident(b.api_schema)) AND buy.proname = 'buy_item'
	JOIN pg_proc AS stock ON stock.pronamespace = buy.pronamespace AND stock.proname = 'available_stock'
	WHERE b.items = %2$L::regclass;
	-- an integer is its own route; of any other key the text is digested, which every client can do, too
	template := regexp_replace(template, '\{on (\$\d)\}',
		CASE WHEN store.item_type IN ('smallint'::regtype, 'integer', 'bigint') THEN '\1' ELSE '{scale}.route(\1)' END, 'g');
	route := CASE WHEN store.item_type IN ('smallint'::regtype, 'integer', 'bigint') THEN '$1::bigint::bit(32)::integer'
		ELSE '(''x'' || left(md5($1::text), 8))::bit(32)::integer' END;
	FOR word IN
		SELECT * FROM (VALUES
			('scale', quote_ident(%1$L)), ('owner', quote_ident(store.owner)),
			('api', quote_ident(store.api_schema)), ('ledger', quote_ident(store.ledger_schema)),
			('items', store.items::text), ('orders', store.orders::text),
			('order_key', quote_ident(store.order_id)), ('order_item', quote_ident(store.order_item_id)),
			('item', store.item_type::text), ('user', store.user_type::text), ('order', store.order_type::text),
			('stock', store.stock_type::text), ('p', store.argument_prefix),
			('route', route)) AS w (name, value)
	LOOP
		template := replace(template, '{' || word.name || '}', coalesce(word.value, 'null'));
	END LOOP;
	RETURN template;
END $body$;
$format$, :'schema', to_regclass(:'items')::text) \gexec

SELECT to_regclass(:'items') AS items, orders IS NOT NULL AS has_orders FROM inventory.bindings
WHERE items = to_regclass(:'items') \gset

-- ---------------------------------------------------------------- tables

SELECT format('SELECT %I.filled($1)', :'schema') AS fill \gset
PREPARE filled (text) AS :fill;

EXECUTE filled($template$
CREATE TABLE IF NOT EXISTS {scale}.carts (
	cart_id uuid PRIMARY KEY,
	attempt uuid NOT NULL,
	digest text NOT NULL,
	nodes integer[] NOT NULL,
	state text NOT NULL DEFAULT 'open' CHECK (state IN ('open', 'confirmed', 'aborted')),
	created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
	decided_at timestamptz,
	done_at timestamptz);
CREATE INDEX IF NOT EXISTS carts_unresolved_idx ON {scale}.carts (created_at) WHERE done_at IS NULL;
CREATE INDEX IF NOT EXISTS carts_done_idx ON {scale}.carts (done_at) WHERE done_at IS NOT NULL;
COMMENT ON TABLE {scale}.carts IS 'Carts over several nodes whose home is this node: each row says whether the cart is sold.';
COMMENT ON COLUMN {scale}.carts.attempt IS 'what the parts of this attempt are known by; a cart that was aborted can be tried again';
COMMENT ON COLUMN {scale}.carts.digest IS 'digest of the user and the lines: a repeated call must have the same';
COMMENT ON COLUMN {scale}.carts.state IS 'open, then confirmed or aborted: the first decision wins, and is never changed';
COMMENT ON COLUMN {scale}.carts.done_at IS 'when all parts were confirmed or released';

CREATE TABLE IF NOT EXISTS {scale}.parts (
	attempt uuid,
	node integer,
	cart_id uuid NOT NULL,
	state text NOT NULL CHECK (state IN ('held', 'confirmed', 'released')),
	reservation_id uuid UNIQUE,
	order_data jsonb,
	created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
	ended_at timestamptz,
	PRIMARY KEY (attempt, node));
CREATE INDEX IF NOT EXISTS parts_held_idx ON {scale}.parts (created_at) WHERE state = 'held';
CREATE INDEX IF NOT EXISTS parts_ended_idx ON {scale}.parts (ended_at) WHERE ended_at IS NOT NULL;
COMMENT ON TABLE {scale}.parts IS 'The parts of carts that are on this node, each with its reservation. A part that was released before it came is a row without a reservation: it never holds anything.';

CREATE TABLE IF NOT EXISTS {scale}.secret (only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
	secret text NOT NULL DEFAULT gen_random_uuid()::text || gen_random_uuid()::text);
COMMENT ON TABLE {scale}.secret IS 'What keeps others from computing the ids of reservations that were made with an idempotency key.';
INSERT INTO {scale}.secret DEFAULT VALUES ON CONFLICT DO NOTHING;

CREATE OR REPLACE VIEW {scale}.unresolved_carts AS
	SELECT cart_id, attempt, nodes, state, created_at, decided_at FROM {scale}.carts WHERE done_at IS NULL;
COMMENT ON VIEW {scale}.unresolved_carts IS 'Carts whose home is this node and that are not done: still open, or decided and not yet confirmed or released on all nodes.';
$template$) \gexec

-- ---------------------------------------------------------------- routes

EXECUTE filled($template$
CREATE OR REPLACE FUNCTION {scale}.route({item}) RETURNS integer
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE RETURN {route};
COMMENT ON FUNCTION {scale}.route({item}) IS 'The route of an item: its last bits are the number of its node. An integer is its own route, of other keys it is the first 32 bits of the MD5 of the text.';

-- The route is the beginning of the reservation's id, so that calls with only that id find their node.
CREATE OR REPLACE FUNCTION {scale}.routed_id(route integer, id uuid) RETURNS uuid
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN (lpad(to_hex($1), 8, '0') || substr($2::text, 9))::uuid;
COMMENT ON FUNCTION {scale}.routed_id(integer, uuid) IS 'The id with the route as its first 32 bits.';

CREATE OR REPLACE FUNCTION {scale}.route_of(id uuid) RETURNS integer
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN ('x' || left($1::text, 8))::bit(32)::integer;
COMMENT ON FUNCTION {scale}.route_of(uuid) IS 'The route that is in the id of a reservation.';
$template$) \gexec

-- ---------------------------------------------------------------- calls of one item
--
-- An error would end the router's connection, and the next call would have to make a new one.  So errors
-- are caught and travel as rows: `code` is 00000 or the SQLSTATE.

EXECUTE filled($template$
CREATE OR REPLACE FUNCTION {scale}.hold(user_id {user}, item_id {item}, quantity bigint, ttl interval, idempotency_key text,
	reservation_id uuid, OUT code text, OUT message text, OUT detail text, OUT hint text, OUT id uuid)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	id := reservation_id;
	IF id IS NULL AND idempotency_key IS NOT NULL THEN
		SELECT left(encode(sha256(convert_to(concat_ws(' ', s.secret, length(user_id::text), user_id, idempotency_key), 'UTF8')), 'hex'), 32)::uuid
		INTO STRICT id FROM {scale}.secret AS s;
		id := {scale}.routed_id({scale}.route(item_id), id);
	ELSIF id IS NULL THEN
		id := {scale}.routed_id({scale}.route(item_id), gen_random_uuid());
	ELSIF {scale}.route_of(id) <> {scale}.route(item_id) THEN
		RAISE 'a reservation id must carry the route of its item' USING ERRCODE = '22023', HINT = 'Make it with new_reservation_id.';
	END IF;
	id := {api}.reserve_stock(user_id, item_id, quantity, ttl, idempotency_key, id);
	code := '00000';
EXCEPTION WHEN OTHERS THEN
	GET STACKED DIAGNOSTICS code = RETURNED_SQLSTATE, message = MESSAGE_TEXT, detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
	id := NULL;
END $$;
COMMENT ON FUNCTION {scale}.hold({user}, {item}, bigint, interval, text, uuid) IS 'reserve_stock for routers.';

CREATE OR REPLACE FUNCTION {scale}.confirm_hold(reservation_id uuid, user_id {user}, order_data jsonb)
RETURNS TABLE (code text, message text, detail text, hint text, status text, item_id {item}, quantity {stock}, order_id {order},
	available {stock}, replayed boolean, header_id text)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
BEGIN
	code := '00000';
	IF EXISTS (SELECT FROM {scale}.parts AS p WHERE p.reservation_id = $1) THEN
		RAISE 'reservation_not_found' USING ERRCODE = 'IV004', DETAIL = 'It is a part of a cart.';
	END IF;
	RETURN QUERY SELECT '00000', NULL::text, NULL::text, NULL::text, l.status, l.item_id, l.quantity, l.order_id, l.available, l.replayed,
		l.header_id::text FROM {api}.confirm_reservation($1, $2, $3) AS l;
EXCEPTION WHEN OTHERS THEN
	GET STACKED DIAGNOSTICS code = RETURNED_SQLSTATE, message = MESSAGE_TEXT, detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
	RETURN NEXT;
END $$;
COMMENT ON FUNCTION {scale}.confirm_hold(uuid, {user}, jsonb) IS 'confirm_reservation for routers.';

CREATE OR REPLACE FUNCTION {scale}.end_hold(reservation_id uuid, user_id {user}, extend boolean, ttl interval,
	OUT code text, OUT message text, OUT detail text, OUT hint text, OUT released boolean, OUT expires_at timestamptz)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	IF EXISTS (SELECT FROM {scale}.parts AS p WHERE p.reservation_id = $1) THEN
		RAISE 'reservation_not_found' USING ERRCODE = 'IV004', DETAIL = 'It is a part of a cart.';
	ELSIF extend THEN
		expires_at := {api}.extend_reservation($1, ttl, user_id);
	ELSE
		released := {api}.release_reservation($1, user_id);
	END IF;
	code := '00000';
EXCEPTION WHEN OTHERS THEN
	GET STACKED DIAGNOSTICS code = RETURNED_SQLSTATE, message = MESSAGE_TEXT, detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
END $$;
COMMENT ON FUNCTION {scale}.end_hold(uuid, {user}, boolean, interval) IS 'release_reservation and extend_reservation for routers.';

CREATE OR REPLACE FUNCTION {scale}.show_hold(reservation_id uuid)
RETURNS TABLE (code text, message text, detail text, hint text, status text, expires_at timestamptz, item_id {item}, quantity {stock}, order_id {order})
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
BEGIN
	RETURN QUERY SELECT '00000', NULL::text, NULL::text, NULL::text, h.* FROM {api}.get_reservation($1) AS h;
EXCEPTION WHEN OTHERS THEN
	GET STACKED DIAGNOSTICS code = RETURNED_SQLSTATE, message = MESSAGE_TEXT, detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
	RETURN NEXT;
END $$;
COMMENT ON FUNCTION {scale}.show_hold(uuid) IS 'get_reservation for routers.';

CREATE OR REPLACE FUNCTION {scale}.stock_of(item_id {item}, OUT code text, OUT message text, OUT detail text, OUT hint text, OUT available {stock})
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	available := {api}.available_stock(item_id);
	code := '00000';
EXCEPTION WHEN OTHERS THEN
	GET STACKED DIAGNOSTICS code = RETURNED_SQLSTATE, message = MESSAGE_TEXT, detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
END $$;
COMMENT ON FUNCTION {scale}.stock_of({item}) IS 'available_stock for routers.';

CREATE OR REPLACE FUNCTION {scale}.refund(order_id {order}, item_id {item}, quantity bigint, restock boolean, reason text, idempotency_key text,
	OUT code text, OUT message text, OUT detail text, OUT hint text, OUT refunded {stock})
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	IF {wrong_item} THEN
		RAISE 'order_not_found' USING ERRCODE = 'IV003', DETAIL = format('Order "%s" is not of item "%s".', order_id, item_id);
	END IF;
	refunded := {ledger}.refund_order(order_id, quantity, restock, reason, idempotency_key);
	code := '00000';
EXCEPTION WHEN OTHERS THEN
	GET STACKED DIAGNOSTICS code = RETURNED_SQLSTATE, message = MESSAGE_TEXT, detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
END $$;
$template$) \gset refund_
\if :has_orders
SELECT 'EXISTS (SELECT FROM {orders} AS o WHERE o.{order_key} = $1 AND o.{order_item} IS DISTINCT FROM $2)' AS wrong_item \gset
\else
SELECT 'NOT EXISTS (SELECT FROM {ledger}.movements AS m WHERE m.order_id = $1 AND m.item_id = $2)' AS wrong_item \gset
\endif
EXECUTE filled(replace(:'refund_filled', '{wrong_item}', :'wrong_item')) \gexec

-- ---------------------------------------------------------------- carts over several nodes

EXECUTE filled($template$
-- Begins a cart, or says what became of it.  An aborted cart that is done begins again, as a new attempt:
-- nothing of the old one can be confirmed, because the decision is for one attempt.
CREATE OR REPLACE FUNCTION {scale}.begin_cart(cart_id uuid, digest text, nodes integer[],
	OUT attempt uuid, OUT state text, OUT done boolean, OUT same boolean, OUT old_nodes integer[])
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	INSERT INTO {scale}.carts AS c (cart_id, attempt, digest, nodes) VALUES ($1, gen_random_uuid(), $2, $3)
	ON CONFLICT ON CONSTRAINT carts_pkey DO UPDATE
		SET attempt = gen_random_uuid(), digest = $2, nodes = $3, state = 'open', created_at = clock_timestamp(), decided_at = NULL, done_at = NULL
		WHERE c.state = 'aborted' AND c.done_at IS NOT NULL
	RETURNING c.attempt, c.state, false, true, c.nodes INTO attempt, state, done, same, old_nodes;
	IF NOT FOUND THEN
		SELECT c.attempt, c.state, c.done_at IS NOT NULL, c.digest = $2, c.nodes
		INTO STRICT attempt, state, done, same, old_nodes
		FROM {scale}.carts AS c WHERE c.cart_id = $1;
	END IF;
END $$;
COMMENT ON FUNCTION {scale}.begin_cart(uuid, text, integer[]) IS 'Begins a cart on its home, or returns what became of it.';

-- Decides a cart.  The first decision wins.  What this node does not know, because it was not begun, because
-- it was begun again or because this node has lost it, was not confirmed.
CREATE OR REPLACE FUNCTION {scale}.decide_cart(cart_id uuid, attempt uuid, decision text) RETURNS text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	decided text;
BEGIN
	UPDATE {scale}.carts AS c SET state = $3, decided_at = clock_timestamp()
	WHERE c.cart_id = $1 AND c.attempt = $2 AND c.state = 'open' RETURNING c.state INTO decided;
	IF NOT FOUND THEN
		SELECT c.state INTO decided FROM {scale}.carts AS c WHERE c.cart_id = $1 AND c.attempt = $2;
	END IF;
	RETURN coalesce(decided, 'aborted');
END $$;
COMMENT ON FUNCTION {scale}.decide_cart(uuid, uuid, text) IS 'Decides a cart on its home: confirmed or aborted. Returns the decision that is in force.';

CREATE OR REPLACE FUNCTION {scale}.end_cart(cart_id uuid, attempt uuid) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	UPDATE {scale}.carts AS c SET done_at = clock_timestamp()
	WHERE c.cart_id = $1 AND c.attempt = $2 AND c.state <> 'open' AND c.done_at IS NULL;
	RETURN FOUND;
END $$;
COMMENT ON FUNCTION {scale}.end_cart(uuid, uuid) IS 'Notes that all parts of a decided cart are confirmed or released.';

-- Holds the parts of a cart that are on this node, decided, so that they do not expire: only the cart's
-- decision ends them.  The order is written and rolled back first, so that no part can be refused after the
-- cart is confirmed.
CREATE OR REPLACE FUNCTION {scale}.reserve_parts(nodes integer[], lines jsonb[], data jsonb[], attempt uuid, cart_id uuid, user_id {user}, rehearse boolean)
RETURNS TABLE (node integer, code text, message text, detail text, hint text, short_lines jsonb)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	part {scale}.parts;
	held record;
BEGIN
	FOR i IN 1 .. cardinality(nodes) LOOP
		node := nodes[i];
		code := '00000';
		message := NULL;
		detail := NULL;
		hint := NULL;
		short_lines := NULL;
		INSERT INTO {scale}.parts AS p (attempt, node, cart_id, state, reservation_id, order_data)
		VALUES ($4, nodes[i], $5, 'held', gen_random_uuid(), data[i])
		ON CONFLICT DO NOTHING RETURNING p.* INTO part;
		IF NOT FOUND THEN
			SELECT p.* INTO STRICT part FROM {scale}.parts AS p WHERE p.attempt = $4 AND p.node = nodes[i];
			IF part.state = 'released' THEN
				code := 'IV007';
				message := 'reservation_released';
			END IF;
			RETURN NEXT;
			CONTINUE;
		END IF;
		BEGIN
			SELECT h.* INTO STRICT held FROM {api}.try_reserve_cart(user_id, lines[i], NULL, NULL, part.reservation_id) AS h;
			IF held.status <> 'ok' THEN
				code := 'short';
				message := held.status;
				short_lines := held.short_lines;
				RAISE SQLSTATE 'SC001';
			END IF;
			PERFORM {ledger}.decide_reservation(part.reservation_id);
			IF rehearse THEN
				BEGIN
					PERFORM {api}.confirm_reservation(part.reservation_id, NULL, data[i]);
					SET CONSTRAINTS ALL IMMEDIATE;
					RAISE SQLSTATE 'SC000';
				EXCEPTION WHEN SQLSTATE 'SC000' THEN
					NULL;
				END;
			END IF;
		EXCEPTION WHEN OTHERS THEN
			IF SQLSTATE <> 'SC001' THEN
				GET STACKED DIAGNOSTICS code = RETURNED_SQLSTATE, message = MESSAGE_TEXT, detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
			END IF;
			UPDATE {scale}.parts AS p SET state = 'released', reservation_id = NULL, ended_at = clock_timestamp()
			WHERE p.attempt = $4 AND p.node = nodes[i];
		END;
		RETURN NEXT;
	END LOOP;
END $$;
COMMENT ON FUNCTION {scale}.reserve_parts(integer[], jsonb[], jsonb[], uuid, uuid, {user}, boolean) IS 'Holds the parts of a cart that are on this node. Returns 00000 for each, or why it is not held.';

-- Confirms or releases the parts of a decided cart.  A part that is released before it came leaves a row,
-- which keeps a late reserve_parts from holding anything.
CREATE OR REPLACE FUNCTION {scale}.finish_parts(nodes integer[], attempt uuid, cart_id uuid, confirm boolean)
RETURNS TABLE (node integer, code text, message text, detail text, hint text, status text, item_id {item}, quantity {stock}, order_id {order},
	available {stock}, replayed boolean, header_id text)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	part {scale}.parts;
	line record;
BEGIN
	FOREACH node IN ARRAY nodes LOOP
		code := '00000';
		IF NOT confirm THEN
			INSERT INTO {scale}.parts (attempt, node, cart_id, state, ended_at) VALUES ($2, node, $3, 'released', clock_timestamp())
			ON CONFLICT DO NOTHING;
		END IF;
		SELECT p.* INTO part FROM {scale}.parts AS p WHERE p.attempt = $2 AND p.node = finish_parts.node FOR UPDATE;
		BEGIN
			IF confirm AND (part.attempt IS NULL OR part.state = 'released') THEN
				RAISE 'reservation_released' USING ERRCODE = 'IV007', DETAIL = 'The cart is confirmed, but its part on this node is not held.';
			ELSIF confirm THEN
				FOR line IN SELECT l.* FROM {api}.confirm_reservation(part.reservation_id, NULL, part.order_data) AS l LOOP
					status := line.status;
					item_id := line.item_id;
					quantity := line.quantity;
					order_id := line.order_id;
					available := line.available;
					replayed := line.replayed;
					header_id := line.header_id;
					RETURN NEXT;
				END LOOP;
			ELSIF part.state = 'confirmed' THEN
				RAISE 'reservation_confirmed' USING ERRCODE = 'IV006', DETAIL = 'The cart is aborted, but its part on this node is confirmed.';
			ELSIF part.state = 'held' THEN
				PERFORM {api}.release_reservation(part.reservation_id);
			END IF;
			IF part.state = 'held' THEN
				UPDATE {scale}.parts AS p SET state = CASE WHEN confirm THEN 'confirmed' ELSE 'released' END, ended_at = clock_timestamp()
				WHERE p.attempt = $2 AND p.node = finish_parts.node;
			END IF;
		EXCEPTION WHEN OTHERS THEN
			GET STACKED DIAGNOSTICS code = RETURNED_SQLSTATE, message = MESSAGE_TEXT, detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
			RETURN NEXT;
		END;
	END LOOP;
END $$;
COMMENT ON FUNCTION {scale}.finish_parts(integer[], uuid, uuid, boolean) IS 'Confirms or releases the parts of a decided cart that are on this node.';

-- The work of resolve: carts of this home that are not done, and parts that are held here, older than that.
CREATE OR REPLACE FUNCTION {scale}.work(older_than interval)
RETURNS TABLE (cart_id uuid, attempt uuid, nodes integer[], state text, age interval)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
	SELECT c.cart_id, c.attempt, c.nodes, c.state, clock_timestamp() - c.created_at FROM {scale}.carts AS c
	WHERE c.done_at IS NULL AND (c.state <> 'open' OR c.created_at <= clock_timestamp() - $1)
	UNION ALL
	SELECT p.cart_id, p.attempt, ARRAY[p.node], 'held', clock_timestamp() - p.created_at FROM {scale}.parts AS p
	WHERE p.state = 'held' AND p.created_at <= clock_timestamp() - $1 $$;
COMMENT ON FUNCTION {scale}.work(interval) IS 'What resolve has to do for this node: carts that are decided and not done, and carts and parts that are open for longer than that.';

CREATE OR REPLACE FUNCTION {scale}.prune_carts(older_than interval) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	parts bigint;
	carts bigint;
BEGIN
	-- prune() keeps decided reservations
	WITH ended AS (DELETE FROM {scale}.parts AS p WHERE p.ended_at <= clock_timestamp() - $1 RETURNING p.reservation_id),
		reservations AS (DELETE FROM {ledger}.reservations AS r USING ended AS e WHERE r.reservation_id = e.reservation_id AND r.status <> 'held')
	SELECT count(*) INTO parts FROM ended;
	DELETE FROM {scale}.carts AS c WHERE c.done_at <= clock_timestamp() - $1;
	GET DIAGNOSTICS carts = ROW_COUNT;
	RETURN parts + carts;
END $$;
COMMENT ON FUNCTION {scale}.prune_carts(interval) IS 'Deletes carts that ended longer ago, and parts with their reservations. Returns the number of carts and parts.';
$template$) \gexec

-- ---------------------------------------------------------------- rights

SELECT replace($template$
REVOKE ALL ON ALL FUNCTIONS IN SCHEMA {scale} FROM PUBLIC;
REVOKE ALL ON ALL TABLES IN SCHEMA {scale} FROM PUBLIC;
GRANT USAGE ON SCHEMA {scale}, {api} TO {router};
GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA {scale} TO {router};
REVOKE EXECUTE ON FUNCTION {scale}.filled(text) FROM {router};
GRANT EXECUTE ON FUNCTION {api}.try_buy_item({user}, {item}, bigint, text, jsonb), {api}.try_buy_cart({user}, jsonb, text, jsonb),
	{api}.available_stocks({item}[]) TO {router};
GRANT SELECT ON {scale}.unresolved_carts TO {router};
$template$, '{router}', quote_ident(:'router')) AS rights \gset
EXECUTE filled(:'rights') \gexec
DEALLOCATE filled;
COMMIT;
