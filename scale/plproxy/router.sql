-- The template of a router.  scale/plproxy/router fills it for a store; see doc/scale.md.
--
-- PL/Proxy's own statements know no quoted names, so {scale} and {cluster} need none.
--
-- In braces: names and types of the store, as in node.sql, and {cluster}, {mask} (the number of nodes less 1),
-- {router} (the owner of the functions), {rehearse}.

BEGIN;
SET LOCAL client_min_messages = warning;
SET LOCAL search_path = pg_catalog;
CREATE EXTENSION IF NOT EXISTS plproxy;

DO $$ BEGIN
	IF to_regrole({router_literal}) IS NULL THEN
		CREATE ROLE {router} NOLOGIN;
	END IF;
END $$;
-- The owner of a schema can replace the functions in it, which call each other with the rights of their owner.
DO $$ DECLARE
	other name;
BEGIN
	SELECT r.rolname INTO other FROM pg_namespace AS n JOIN pg_roles AS r ON r.oid = n.nspowner
	WHERE n.oid = to_regnamespace({api_literal}) AND NOT r.rolsuper AND r.rolname <> 'pg_database_owner' AND r.oid <> to_regrole({router_literal});
	IF FOUND THEN
		RAISE EXCEPTION 'schema % belongs to role %', {api_literal}, quote_ident(other)
			USING ERRCODE = '42501', HINT = format('ALTER SCHEMA %s OWNER TO %s;', {api_literal}, {router_literal});
	END IF;
END $$;
DROP SCHEMA IF EXISTS {scale} CASCADE;
-- what an earlier run has made
DO $$ DECLARE
	old regprocedure;
BEGIN
	FOR old IN SELECT oid FROM pg_proc WHERE pronamespace = to_regnamespace({api_literal}) AND proowner = to_regrole({router_literal}) LOOP
		EXECUTE 'DROP FUNCTION ' || old;
	END LOOP;
END $$;
CREATE SCHEMA {scale};
CREATE SCHEMA IF NOT EXISTS {api};
GRANT USAGE ON SCHEMA {scale} TO {router};

-- Only the owner of the functions may use the server: a role with USAGE could connect as the role of the mapping.
DROP SERVER IF EXISTS {cluster} CASCADE;
CREATE SERVER {cluster} FOREIGN DATA WRAPPER plproxy OPTIONS ({options});
GRANT USAGE ON FOREIGN SERVER {cluster} TO {router};
CREATE USER MAPPING FOR {router} SERVER {cluster} OPTIONS ({mapping});

-- ---------------------------------------------------------------- routes
--
-- Buyers may not use {scale}, and what they call runs as them where it is inlined.  The bodies are read here, and
-- not under the search_path of a buyer, who could have functions and operators of the same names.

CREATE FUNCTION {scale}.route({item}) RETURNS integer
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE RETURN {route};
COMMENT ON FUNCTION {scale}.route({item}) IS 'The route of an item: its last bits are the number of its node. An integer is its own route, of other keys it is the first 32 bits of the MD5 of the text.';

CREATE FUNCTION {scale}.route_of(id uuid) RETURNS integer
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN ('x' || left($1::text, 8))::bit(32)::integer;
COMMENT ON FUNCTION {scale}.route_of(uuid) IS 'The route that is in the id of a reservation, and the home of a cart.';

CREATE FUNCTION {api}.node_of(item_id {item}) RETURNS integer
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE RETURN ({route}) & {mask};
COMMENT ON FUNCTION {api}.node_of({item}) IS 'The number of the node that has the item, from 0.';

CREATE FUNCTION {api}.new_reservation_id(item_id {item}) RETURNS uuid
LANGUAGE sql VOLATILE STRICT PARALLEL SAFE
RETURN (lpad(to_hex({route}), 8, '0') || substr(gen_random_uuid()::text, 9))::uuid;
COMMENT ON FUNCTION {api}.new_reservation_id({item}) IS 'An id for reserve_stock that carries the route of the item.';

-- ---------------------------------------------------------------- errors

-- Raises what a node has returned in place of an error.
CREATE FUNCTION {scale}.fail(code text, message text, detail text, hint text DEFAULT NULL) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
	IF coalesce(detail, '') = '' THEN
		RAISE EXCEPTION USING ERRCODE = code, MESSAGE = message;
	ELSIF coalesce(hint, '') = '' THEN
		RAISE EXCEPTION USING ERRCODE = code, MESSAGE = message, DETAIL = detail;
	END IF;
	RAISE EXCEPTION USING ERRCODE = code, MESSAGE = message, DETAIL = detail, HINT = hint;
END $$;
COMMENT ON FUNCTION {scale}.fail(text, text, text, text) IS 'Raises an error that a node has returned as a row.';

-- Raises the engine's error for a status.
CREATE FUNCTION {scale}.refuse(status text, detail text) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
	PERFORM {scale}.fail(CASE status WHEN 'out_of_stock' THEN 'IV001' WHEN 'item_not_found' THEN 'IV002'
		WHEN 'purchase_limit_exceeded' THEN 'IV010' WHEN 'reservation_expired' THEN 'IV005'
		WHEN 'reservation_released' THEN 'IV007' ELSE 'XX000' END, status, detail);
END $$;
COMMENT ON FUNCTION {scale}.refuse(text, text) IS 'Raises the error of the engine that has this name.';

-- ---------------------------------------------------------------- a sale

CREATE TYPE {scale}.sale AS (status text, order_id {order}, available {stock});

CREATE FUNCTION {scale}.sell(user_id {user}, item_id {item}, quantity bigint, idempotency_key text, order_data jsonb) RETURNS {scale}.sale
LANGUAGE plproxy AS $$
	CLUSTER '{cluster_name}';
	RUN ON {on $2};
	SELECT s.status, s.order_id, s.available FROM {api}.try_buy_item($1, $2, $3, $4, $5) AS s;
$$;

CREATE FUNCTION {api}.buy_item({p}user_id {user}, {p}item_id {item}, {p}quantity bigint DEFAULT 1, {p}idempotency_key text DEFAULT NULL,
	{p}order_data jsonb DEFAULT NULL) RETURNS {order}
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	sale {scale}.sale := {scale}.sell($1, $2, $3, $4, $5);
BEGIN
	IF sale.status <> 'ok' THEN
		PERFORM {scale}.refuse(sale.status, CASE sale.status
			WHEN 'item_not_found' THEN format('Item "%s" is not for sale.', $2)
			ELSE format('Item "%s": %s asked for, %s available.', $2, $3, sale.available) END);
	END IF;
	RETURN sale.order_id;
END $$;
COMMENT ON FUNCTION {api}.buy_item({user}, {item}, bigint, text, jsonb) IS 'Buys units of an item on its node. Returns the key of the order row. Errors are those of the engine; a refusal is stored under its key.';

CREATE FUNCTION {api}.try_buy_item({p}user_id {user}, {p}item_id {item}, {p}quantity bigint DEFAULT 1, {p}idempotency_key text DEFAULT NULL,
	{p}order_data jsonb DEFAULT NULL, OUT status text, OUT item_id {item}, OUT quantity {stock}, OUT order_id {order}, OUT available {stock},
	OUT replayed boolean, OUT header_id text) RETURNS record
LANGUAGE plproxy SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
	CLUSTER '{cluster_name}';
	RUN ON {on $2};
	SELECT s.status, s.item_id, s.quantity, s.order_id, s.available, s.replayed, s.header_id::text
		FROM {api}.try_buy_item($1, $2, $3, $4, $5) AS s;
$$;
COMMENT ON FUNCTION {api}.try_buy_item({user}, {item}, bigint, text, jsonb) IS 'Like buy_item, but a refusal is a row with its status.';

-- ---------------------------------------------------------------- stock

CREATE FUNCTION {scale}.stock_of(item_id {item}, OUT code text, OUT message text, OUT detail text, OUT hint text, OUT available {stock})
LANGUAGE plproxy AS $$
	CLUSTER '{cluster_name}';
	RUN ON {on $1};
$$;

CREATE FUNCTION {api}.available_stock({p}item_id {item}) RETURNS {stock}
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	answer record := {scale}.stock_of($1);
BEGIN
	IF answer.code <> '00000' THEN
		PERFORM {scale}.fail(answer.code, answer.message, answer.detail, answer.hint);
	END IF;
	RETURN answer.available;
END $$;
COMMENT ON FUNCTION {api}.available_stock({item}) IS 'What can be sold of an item now, from its node.';

CREATE FUNCTION {api}.available_stocks(item_ids {item}[]) RETURNS TABLE (item_id {item}, available {stock})
LANGUAGE plproxy SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
	CLUSTER '{cluster_name}';
	SPLIT item_ids;
	RUN ON {scale}.route(item_ids);
$$;
COMMENT ON FUNCTION {api}.available_stocks({item}[]) IS 'What can be sold of several items now, from their nodes in parallel; the order of the rows is that of the answers.';

-- ---------------------------------------------------------------- reservations: their ids carry the route

CREATE FUNCTION {scale}.hold(user_id {user}, item_id {item}, quantity bigint, ttl interval, idempotency_key text, reservation_id uuid,
	OUT code text, OUT message text, OUT detail text, OUT hint text, OUT id uuid)
LANGUAGE plproxy AS $$
	CLUSTER '{cluster_name}';
	RUN ON {on $2};
$$;

CREATE FUNCTION {api}.reserve_stock({p}user_id {user}, {p}item_id {item}, {p}quantity bigint DEFAULT 1, {p}ttl interval DEFAULT NULL,
	{p}idempotency_key text DEFAULT NULL, {p}reservation_id uuid DEFAULT NULL) RETURNS uuid
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	answer record := {scale}.hold($1, $2, $3, $4, $5, $6);
BEGIN
	IF answer.code <> '00000' THEN
		PERFORM {scale}.fail(answer.code, answer.message, answer.detail, answer.hint);
	END IF;
	RETURN answer.id;
END $$;
COMMENT ON FUNCTION {api}.reserve_stock({user}, {item}, bigint, interval, text, uuid) IS 'Holds units of an item on its node. The id of the reservation carries the route of the item.';

CREATE FUNCTION {scale}.confirm_hold(reservation_id uuid, user_id {user}, order_data jsonb)
RETURNS TABLE (code text, message text, detail text, hint text, status text, item_id {item}, quantity {stock}, order_id {order},
	available {stock}, replayed boolean, header_id text)
LANGUAGE plproxy AS $$
	CLUSTER '{cluster_name}';
	RUN ON {scale}.route_of($1);
$$;

CREATE FUNCTION {api}.confirm_reservation({p}reservation_id uuid, {p}user_id {user} DEFAULT NULL, {p}order_data jsonb DEFAULT NULL)
RETURNS TABLE (status text, item_id {item}, quantity {stock}, order_id {order}, available {stock}, replayed boolean, header_id text)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	answer record;
BEGIN
	FOR answer IN SELECT * FROM {scale}.confirm_hold($1, $2, $3) LOOP
		IF answer.code <> '00000' THEN
			PERFORM {scale}.fail(answer.code, answer.message, answer.detail, answer.hint);
		END IF;
		status := answer.status;
		item_id := answer.item_id;
		quantity := answer.quantity;
		order_id := answer.order_id;
		available := answer.available;
		replayed := answer.replayed;
		header_id := answer.header_id;
		RETURN NEXT;
	END LOOP;
END $$;
COMMENT ON FUNCTION {api}.confirm_reservation(uuid, {user}, jsonb) IS 'Makes a reservation an order, on the node that its id names.';

CREATE FUNCTION {scale}.end_hold(reservation_id uuid, user_id {user}, extend boolean, ttl interval,
	OUT code text, OUT message text, OUT detail text, OUT hint text, OUT released boolean, OUT expires_at timestamptz)
LANGUAGE plproxy AS $$
	CLUSTER '{cluster_name}';
	RUN ON {scale}.route_of($1);
$$;

CREATE FUNCTION {api}.release_reservation({p}reservation_id uuid, {p}user_id {user} DEFAULT NULL) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	answer record := {scale}.end_hold($1, $2, false, NULL);
BEGIN
	IF answer.code <> '00000' THEN
		PERFORM {scale}.fail(answer.code, answer.message, answer.detail, answer.hint);
	END IF;
	RETURN answer.released;
END $$;
COMMENT ON FUNCTION {api}.release_reservation(uuid, {user}) IS 'Gives back what a reservation holds, on the node that its id names.';

CREATE FUNCTION {api}.extend_reservation({p}reservation_id uuid, {p}ttl interval DEFAULT NULL, {p}user_id {user} DEFAULT NULL) RETURNS timestamptz
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	answer record := {scale}.end_hold($1, $3, true, $2);
BEGIN
	IF answer.code <> '00000' THEN
		PERFORM {scale}.fail(answer.code, answer.message, answer.detail, answer.hint);
	END IF;
	RETURN answer.expires_at;
END $$;
COMMENT ON FUNCTION {api}.extend_reservation(uuid, interval, {user}) IS 'Lets a reservation last longer, on the node that its id names.';

CREATE FUNCTION {scale}.show_hold(reservation_id uuid)
RETURNS TABLE (code text, message text, detail text, hint text, status text, expires_at timestamptz, item_id {item}, quantity {stock}, order_id {order})
LANGUAGE plproxy AS $$
	CLUSTER '{cluster_name}';
	RUN ON {scale}.route_of($1);
$$;

CREATE FUNCTION {api}.get_reservation({p}reservation_id uuid)
RETURNS TABLE (status text, expires_at timestamptz, item_id {item}, quantity {stock}, order_id {order})
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	answer record;
BEGIN
	FOR answer IN SELECT * FROM {scale}.show_hold($1) LOOP
		IF answer.code <> '00000' THEN
			PERFORM {scale}.fail(answer.code, answer.message, answer.detail, answer.hint);
		END IF;
		status := answer.status;
		expires_at := answer.expires_at;
		item_id := answer.item_id;
		quantity := answer.quantity;
		order_id := answer.order_id;
		RETURN NEXT;
	END LOOP;
END $$;
COMMENT ON FUNCTION {api}.get_reservation(uuid) IS 'The lines of a reservation, from the node that its id names.';

-- ---------------------------------------------------------------- refunds, for operators

CREATE FUNCTION {scale}.refund(order_id {order}, item_id {item}, quantity bigint, restock boolean, reason text, idempotency_key text,
	OUT code text, OUT message text, OUT detail text, OUT hint text, OUT refunded {stock})
LANGUAGE plproxy AS $$
	CLUSTER '{cluster_name}';
	RUN ON {on $2};
$$;

CREATE FUNCTION {api}.refund_order({p}order_id {order}, {p}item_id {item}, {p}quantity bigint DEFAULT NULL, {p}restock boolean DEFAULT true,
	{p}reason text DEFAULT NULL, {p}idempotency_key text DEFAULT NULL) RETURNS {stock}
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	answer record := {scale}.refund($1, $2, $3, $4, $5, $6);
BEGIN
	IF answer.code <> '00000' THEN
		PERFORM {scale}.fail(answer.code, answer.message, answer.detail, answer.hint);
	END IF;
	RETURN answer.refunded;
END $$;
COMMENT ON FUNCTION {api}.refund_order({order}, {item}, bigint, boolean, text, text) IS 'Refunds units of an order line; the item is the route to it. IV003 if the line is of another item.';

-- ---------------------------------------------------------------- carts: the steps

CREATE FUNCTION {scale}.buy_on_node(node integer, user_id {user}, lines jsonb, idempotency_key text, order_data jsonb)
RETURNS TABLE (status text, item_id {item}, quantity {stock}, order_id {order}, available {stock}, replayed boolean, header_id text)
LANGUAGE plproxy AS $$
	CLUSTER '{cluster_name}';
	RUN ON node;
	SELECT l.status, l.item_id, l.quantity, l.order_id, l.available, l.replayed, l.header_id::text
		FROM {api}.try_buy_cart(user_id, lines, idempotency_key, order_data) AS l;
$$;

CREATE FUNCTION {scale}.begin_cart(home integer, cart_id uuid, digest text, nodes integer[],
	OUT attempt uuid, OUT state text, OUT done boolean, OUT same boolean, OUT old_nodes integer[])
LANGUAGE plproxy AS $$
	CLUSTER '{cluster_name}';
	RUN ON home;
	SELECT * FROM {scale}.begin_cart(cart_id, digest, nodes);
$$;

CREATE FUNCTION {scale}.reserve_parts(nodes integer[], lines jsonb[], data jsonb[], attempt uuid, cart_id uuid, user_id {user}, rehearse boolean)
RETURNS TABLE (node integer, code text, message text, detail text, hint text, short_lines jsonb)
LANGUAGE plproxy AS $$
	CLUSTER '{cluster_name}';
	SPLIT nodes, lines, data;
	RUN ON nodes;
$$;

CREATE FUNCTION {scale}.decide_cart(home integer, cart_id uuid, attempt uuid, decision text) RETURNS text
LANGUAGE plproxy AS $$
	CLUSTER '{cluster_name}';
	RUN ON home;
	SELECT * FROM {scale}.decide_cart(cart_id, attempt, decision);
$$;

CREATE FUNCTION {scale}.finish_parts(nodes integer[], attempt uuid, cart_id uuid, confirm boolean)
RETURNS TABLE (node integer, code text, message text, detail text, hint text, status text, item_id {item}, quantity {stock}, order_id {order},
	available {stock}, replayed boolean, header_id text)
LANGUAGE plproxy AS $$
	CLUSTER '{cluster_name}';
	SPLIT nodes;
	RUN ON nodes;
$$;

CREATE FUNCTION {scale}.end_cart(home integer, cart_id uuid, attempt uuid) RETURNS boolean
LANGUAGE plproxy AS $$
	CLUSTER '{cluster_name}';
	RUN ON home;
	SELECT * FROM {scale}.end_cart(cart_id, attempt);
$$;

CREATE FUNCTION {scale}.work(node integer, older_than interval)
RETURNS TABLE (cart_id uuid, attempt uuid, nodes integer[], state text, age interval)
LANGUAGE plproxy AS $$
	CLUSTER '{cluster_name}';
	RUN ON node;
	SELECT * FROM {scale}.work(older_than);
$$;

CREATE FUNCTION {scale}.prune_carts(node integer, older_than interval) RETURNS bigint
LANGUAGE plproxy AS $$
	CLUSTER '{cluster_name}';
	RUN ON node;
	SELECT * FROM {scale}.prune_carts(older_than);
$$;

CREATE FUNCTION {scale}.unresolved(older_than interval)
RETURNS TABLE (cart_id uuid, attempt uuid, nodes integer[], state text, age interval)
LANGUAGE plproxy SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
	CLUSTER '{cluster_name}';
	RUN ON ALL;
	SELECT * FROM {scale}.work(older_than);
$$;
COMMENT ON FUNCTION {scale}.unresolved(interval) IS 'Carts that are not done and parts that are held for longer than that, on all nodes.';
CREATE VIEW {scale}.unresolved_carts AS SELECT * FROM {scale}.unresolved('0');
COMMENT ON VIEW {scale}.unresolved_carts IS 'Carts that are not done and parts that are held, on all nodes; carts that are being bought are among them.';

-- ---------------------------------------------------------------- carts: buying

-- The lines of a cart by node: each item once, and what its order gets.  In PL/pgSQL, which keeps the plan.
CREATE FUNCTION {scale}.divide(lines jsonb, order_data jsonb, OUT nodes integer[], OUT parts jsonb[], OUT data jsonb[], OUT digest text)
LANGUAGE plpgsql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
	mixed boolean;
BEGIN
	WITH line AS (
		SELECT (l.line ->> 'item_id')::{item} AS item, coalesce((l.line ->> 'quantity')::numeric, 1) AS quantity,
			   l.line - 'item_id' - 'quantity' AS extra, l.n
		FROM jsonb_array_elements($1) WITH ORDINALITY AS l (line, n)
	), item AS (
		SELECT l.item, {scale}.route(l.item) & {mask} AS node, sum(l.quantity) AS quantity, min(l.n) AS n,
			   min(l.extra::text)::jsonb AS extra, min(l.extra::text) <> max(l.extra::text) AS mixed
		FROM line AS l GROUP BY l.item
	), part AS (
		SELECT i.node, jsonb_agg(jsonb_build_object('item_id', i.item, 'quantity', i.quantity) ORDER BY i.n) AS lines,
			   CASE WHEN bool_and(i.extra = '{}') THEN $2
					ELSE jsonb_agg(coalesce($2, '{}') || i.extra || jsonb_build_object('item_id', i.item) ORDER BY i.n) END AS data,
			   bool_or(i.mixed) AS mixed
		FROM item AS i GROUP BY i.node
	)
	SELECT array_agg(p.node ORDER BY p.node), array_agg(p.lines ORDER BY p.node), array_agg(p.data ORDER BY p.node),
		   md5(jsonb_agg(jsonb_build_array(p.node, p.lines, p.data) ORDER BY p.node)::text), bool_or(p.mixed)
	INTO nodes, parts, data, digest, mixed
	FROM part AS p;
	IF mixed AND cardinality(nodes) > 1 THEN
		RAISE 'lines of the same item must have the same columns in a cart over several nodes' USING ERRCODE = '22023';
	END IF;
END $$;

-- Confirms or releases parts of a decided cart.  Returns the lines of a confirmed one.
CREATE FUNCTION {scale}.settle_parts(cart_id uuid, attempt uuid, nodes integer[], decision text) RETURNS jsonb
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	part record;
	sold jsonb := '[]';
BEGIN
	FOR part IN SELECT * FROM {scale}.finish_parts(nodes, attempt, cart_id, decision = 'confirmed') LOOP
		IF part.code <> '00000' THEN
			PERFORM {scale}.fail(part.code, part.message, part.detail, part.hint);
		END IF;
		sold := sold || jsonb_build_object('item_id', part.item_id, 'quantity', part.quantity, 'order_id', part.order_id,
			'available', part.available, 'replayed', part.replayed, 'header_id', part.header_id);
	END LOOP;
	RETURN sold;
END $$;

-- Buys a cart over several nodes.  Each step is committed on the nodes before the next begins; if this
-- function, its session or a node ends in between, resolve finishes the cart.
CREATE FUNCTION {scale}.buy_divided(user_id {user}, cart_id uuid, digest text, part_nodes integer[], part_lines jsonb[], part_data jsonb[],
	OUT code text, OUT message text, OUT detail text, OUT hint text, OUT short_lines jsonb, OUT sold jsonb)
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	home integer := {scale}.route_of(cart_id);
	cart record;
	decision text;
	part record;
	failed boolean := false;
	bad record;
BEGIN
	cart := {scale}.begin_cart(home, cart_id, digest, part_nodes);
	IF cart.state = 'aborted' THEN
		-- another session is ending it: help, and begin again
		PERFORM {scale}.settle_parts(cart_id, cart.attempt, cart.old_nodes, 'aborted');
		PERFORM {scale}.end_cart(home, cart_id, cart.attempt);
		cart := {scale}.begin_cart(home, cart_id, digest, part_nodes);
	END IF;
	code := '00000';
	IF NOT cart.same THEN
		code := 'IV009';
		message := 'idempotency_key_mismatch';
		detail := 'The key was used for another cart.';
		RETURN;
	END IF;
	decision := cart.state;
	IF decision = 'open' THEN
		FOR part IN SELECT * FROM {scale}.reserve_parts(part_nodes, part_lines, part_data, cart.attempt, cart_id, user_id, {rehearse}) LOOP
			IF part.code = 'short' THEN
				short_lines := coalesce(short_lines, '[]') || part.short_lines;
			ELSIF part.code <> '00000' AND NOT failed THEN
				failed := true;
				bad := part;
			END IF;
		END LOOP;
		decision := {scale}.decide_cart(home, cart_id, cart.attempt,
			CASE WHEN short_lines IS NULL AND NOT failed THEN 'confirmed' ELSE 'aborted' END);
	END IF;
	sold := {scale}.settle_parts(cart_id, cart.attempt, part_nodes, decision);
	PERFORM {scale}.end_cart(home, cart_id, cart.attempt);
	IF decision = 'confirmed' THEN
		short_lines := NULL;
	ELSIF short_lines IS NOT NULL THEN
		code := 'short';
	ELSE
		code := 'IV014';
		message := 'busy';
		detail := 'Another session has aborted the cart. It is safe to try again with the same key.';
		IF failed THEN
			-- a part that another session has released is no other reason
			IF bad.code <> 'IV007' THEN
				code := bad.code;
				message := bad.message;
				detail := bad.detail;
				hint := bad.hint;
			END IF;
		END IF;
	END IF;
END $$;

CREATE FUNCTION {api}.cart_id(user_id {user}, idempotency_key text) RETURNS uuid
LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp
AS $$ SELECT left(encode(sha256(convert_to(concat_ws(' ', length($1::text), $1, $2), 'UTF8')), 'hex'), 32)::uuid $$;
COMMENT ON FUNCTION {api}.cart_id({user}, text) IS 'The id of a cart over several nodes: a digest of the user and the idempotency key.';

CREATE FUNCTION {api}.try_buy_cart({p}user_id {user}, {p}lines jsonb, {p}idempotency_key text DEFAULT NULL, {p}order_data jsonb DEFAULT NULL)
RETURNS TABLE (status text, item_id {item}, quantity {stock}, order_id {order}, available {stock}, replayed boolean, header_id text)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
	cart record;
	answer record;
BEGIN
	IF jsonb_typeof($2) IS DISTINCT FROM 'array' OR jsonb_array_length($2) = 0 THEN
		RAISE 'lines must be an array of at least one object' USING ERRCODE = '22023';
	ELSIF jsonb_array_length($2) > 1000 THEN
		RAISE 'a cart has at most 1000 lines' USING ERRCODE = '54000';
	ELSIF EXISTS (SELECT FROM jsonb_array_elements($2) AS l (line) WHERE l.line ->> 'item_id' IS NULL) THEN
		RAISE 'every line must be an object with an item_id' USING ERRCODE = '22023';
	ELSIF octet_length($3) NOT BETWEEN 1 AND 255 THEN
		RAISE 'an idempotency key has 1 to 255 bytes' USING ERRCODE = CASE WHEN $3 = '' THEN '22023' ELSE '22001' END;
	END IF;
	cart := {scale}.divide($2, $4);
	IF cardinality(cart.nodes) = 1 THEN
		RETURN QUERY SELECT * FROM {scale}.buy_on_node(cart.nodes[1], $1, $2, $3, $4);
		RETURN;
	END IF;
	answer := {scale}.buy_divided($1, CASE WHEN $3 IS NULL THEN gen_random_uuid() ELSE {api}.cart_id($1, $3) END,
		cart.digest, cart.nodes, cart.parts, cart.data);
	IF answer.code NOT IN ('00000', 'short') THEN
		PERFORM {scale}.fail(answer.code, answer.message, answer.detail, answer.hint);
	END IF;
	RETURN QUERY
		WITH line AS (
			SELECT (l.line ->> 'item_id')::{item} AS item, sum(coalesce((l.line ->> 'quantity')::numeric, 1)) AS quantity, min(l.n) AS n
			FROM jsonb_array_elements($2) WITH ORDINALITY AS l (line, n) GROUP BY 1)
		SELECT coalesce(a.answer ->> 'status', CASE answer.code WHEN 'short' THEN 'not_taken' ELSE 'ok' END), l.item, l.quantity::{stock},
			(a.answer ->> 'order_id')::{order}, (a.answer ->> 'available')::{stock}, coalesce((a.answer ->> 'replayed')::boolean, false),
			a.answer ->> 'header_id'
		FROM line AS l
		LEFT JOIN jsonb_array_elements(CASE answer.code WHEN 'short' THEN answer.short_lines ELSE answer.sold END) AS a (answer)
			ON (a.answer ->> 'item_id')::{item} = l.item
		ORDER BY l.n;
END $$;
COMMENT ON FUNCTION {api}.try_buy_cart({user}, jsonb, text, jsonb) IS 'Buys all lines of a cart or none, on one node or several. A refusal is a row for each line with its status. Over several nodes, lines of the same item become one.';

CREATE FUNCTION {api}.buy_cart({p}user_id {user}, {p}lines jsonb, {p}idempotency_key text DEFAULT NULL, {p}order_data jsonb DEFAULT NULL)
RETURNS TABLE (status text, item_id {item}, quantity {stock}, order_id {order}, available {stock}, replayed boolean, header_id text)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	line record;
	refused text;
	facts text;
BEGIN
	FOR line IN SELECT * FROM {api}.try_buy_cart($1, $2, $3, $4) LOOP
		IF line.status NOT IN ('ok', 'not_taken') THEN
			refused := coalesce(refused, line.status);
			facts := concat_ws(E'\n', facts, CASE line.status WHEN 'item_not_found' THEN format('Item "%s" is not for sale.', line.item_id)
				ELSE format('Item "%s": %s asked for, %s available.', line.item_id, line.quantity, line.available) END);
		END IF;
		status := line.status;
		item_id := line.item_id;
		quantity := line.quantity;
		order_id := line.order_id;
		available := line.available;
		replayed := line.replayed;
		header_id := line.header_id;
		RETURN NEXT;
	END LOOP;
	IF refused IS NOT NULL THEN
		PERFORM {scale}.refuse(refused, facts);
	END IF;
END $$;
COMMENT ON FUNCTION {api}.buy_cart({user}, jsonb, text, jsonb) IS 'Like try_buy_cart, but a refusal is the error of the engine.';

-- ---------------------------------------------------------------- resolve

-- A node that cannot be reached does not keep the carts of others from being finished.
CREATE FUNCTION {scale}.resolve(open_for interval DEFAULT '1 minute', keep_for interval DEFAULT '1 day',
	OUT finished integer, OUT left_over integer, OUT unreachable integer, OUT pruned bigint, OUT last_error text)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	cart record;
	decision text;
BEGIN
	finished := 0;
	left_over := 0;
	unreachable := 0;
	pruned := 0;
	FOR node IN 0 .. {mask} LOOP
		BEGIN
			FOR cart IN SELECT * FROM {scale}.work(node, open_for) LOOP
				BEGIN
					decision := {scale}.decide_cart({scale}.route_of(cart.cart_id), cart.cart_id, cart.attempt, 'aborted');
					PERFORM {scale}.settle_parts(cart.cart_id, cart.attempt, cart.nodes, decision);
					-- one part alone does not end its cart
					IF cart.state <> 'held' THEN
						PERFORM {scale}.end_cart({scale}.route_of(cart.cart_id), cart.cart_id, cart.attempt);
					END IF;
					finished := finished + 1;
				EXCEPTION WHEN OTHERS THEN
					left_over := left_over + 1;
					last_error := SQLERRM;
				END;
			END LOOP;
			pruned := pruned + {scale}.prune_carts(node, keep_for);
		EXCEPTION WHEN OTHERS THEN
			unreachable := unreachable + 1;
			last_error := SQLERRM;
		END;
	END LOOP;
END $$;
COMMENT ON FUNCTION {scale}.resolve(interval, interval) IS 'Finishes carts that are decided, aborts those that are open for longer than open_for, and deletes what ended longer ago than keep_for. Returns how many were finished and left, how many nodes could not be reached, and the last error. Any number of sessions may call it.';

-- ---------------------------------------------------------------- rights

DO $$ DECLARE
	made regprocedure;
BEGIN
	FOR made IN
		SELECT p.oid FROM pg_proc AS p
		WHERE p.pronamespace = to_regnamespace({scale_literal})
		   OR p.pronamespace = to_regnamespace({api_literal}) AND p.proowner = current_user::regrole
			  AND p.proname IN ('node_of', 'new_reservation_id', 'buy_item', 'try_buy_item', 'available_stock', 'available_stocks', 'reserve_stock',
				  'confirm_reservation', 'release_reservation', 'extend_reservation', 'get_reservation', 'refund_order', 'cart_id', 'try_buy_cart', 'buy_cart')
	LOOP
		EXECUTE format('REVOKE ALL ON FUNCTION %s FROM PUBLIC', made);
		EXECUTE format('ALTER FUNCTION %s OWNER TO %s', made, {router_literal});
	END LOOP;
END $$;
ALTER TYPE {scale}.sale OWNER TO {router};
ALTER VIEW {scale}.unresolved_carts OWNER TO {router};
REVOKE ALL ON {scale}.unresolved_carts FROM PUBLIC;
GRANT USAGE ON SCHEMA {api} TO {router};
{grants}
COMMIT;
