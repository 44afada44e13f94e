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

CREATE FUNCTION {scale}.routed_id(route integer, id uuid) RETURNS uuid
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN (lpad(to_hex($1), 8, '0') || substr($2::text, 9))::uuid;
COMMENT ON FUNCTION {scale}.routed_id(integer, uuid) IS 'The id with the route as its first 32 bits.';

-- It names its arguments once, so that it is inlined although one is volatile.
CREATE FUNCTION {scale}.attempt_id(home integer, drawn uuid) RETURNS uuid
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN (left(overlay(overlay($2::text PLACING lpad(to_hex($1), 8, '0') FROM 1) PLACING '8ca7' FROM 15), 32) || '0000')::uuid;
COMMENT ON FUNCTION {scale}.attempt_id(integer, uuid) IS 'The id of an attempt to buy a cart: its home, and bits of a random uuid; as on a node.';

CREATE FUNCTION {api}.node_of(item_id {item}) RETURNS integer
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE RETURN ({route}) & {mask};
COMMENT ON FUNCTION {api}.node_of({item}) IS 'The number of the node that has the item, from 0.';

CREATE FUNCTION {api}.new_reservation_id(item_id {item}) RETURNS uuid
LANGUAGE sql VOLATILE STRICT PARALLEL SAFE
RETURN (lpad(to_hex({route}), 8, '0') || substr(gen_random_uuid()::text, 9))::uuid;
COMMENT ON FUNCTION {api}.new_reservation_id({item}) IS 'An id for reserve_stock that carries the route of the item.';

-- ---------------------------------------------------------------- answers
--
-- PL/Proxy does not prepare, so that a node parses and plans each statement.  It costs least to call a function
-- without FROM, and to return one column: rows travel as text, which the router casts to these types.

CREATE TYPE {scale}.line AS (status text, item_id {item}, quantity {stock}, order_id {order}, available {stock}, replayed boolean, header_id text);
CREATE TYPE {scale}.held_line AS (status text, expires_at timestamptz, item_id {item}, quantity {stock}, order_id {order});
CREATE TYPE {scale}.answer AS (code text, message text, detail text, hint text, value text);
CREATE TYPE {scale}.decision AS (code text, message text, detail text, hint text, value text, state text, attempt uuid, nodes integer[]);
CREATE TYPE {scale}.verdict AS (state text, nodes integer[], data jsonb[]);
COMMENT ON TYPE {scale}.line IS 'A line of the answer to a purchase, as on a node.';
COMMENT ON TYPE {scale}.answer IS 'What a node returns in place of an error, or a value.';

CREATE FUNCTION {scale}.fail(code text, message text, detail text, hint text DEFAULT NULL) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	IF coalesce(detail, '') = '' AND coalesce(hint, '') = '' THEN
		RAISE EXCEPTION USING ERRCODE = code, MESSAGE = message;
	ELSIF coalesce(detail, '') = '' THEN
		RAISE EXCEPTION USING ERRCODE = code, MESSAGE = message, HINT = hint;
	ELSIF coalesce(hint, '') = '' THEN
		RAISE EXCEPTION USING ERRCODE = code, MESSAGE = message, DETAIL = detail;
	END IF;
	RAISE EXCEPTION USING ERRCODE = code, MESSAGE = message, DETAIL = detail, HINT = hint;
END $$;
COMMENT ON FUNCTION {scale}.fail(text, text, text, text) IS 'Raises an error that a node has returned as a row.';

CREATE FUNCTION {scale}.value_of(answer text) RETURNS text
LANGUAGE plpgsql AS $$
DECLARE
	a {scale}.answer := $1::{scale}.answer;
BEGIN
	IF a.code IS NOT NULL THEN
		PERFORM {scale}.fail(a.code, a.message, a.detail, a.hint);
	END IF;
	RETURN a.value;
END $$;
COMMENT ON FUNCTION {scale}.value_of(text) IS 'The value of an answer. Raises the error if it is one.';

-- As the engine does, it raises what the lines of the first kind have in common: unknown items before limits before stock.
CREATE FUNCTION {scale}.refuse(lines {scale}.line[]) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	refusal record;
BEGIN
	SELECT k.code, k.status, k.hint, string_agg(format(k.detail, l.item_id, l.quantity, l.available), ' ' ORDER BY l.n) AS facts INTO refusal
	FROM (VALUES
		(1, 'IV002', 'item_not_found', 'Item "%s" is not for sale.', 'Check the item''s key, and that the item is for sale.'),
		(2, 'IV010', 'purchase_limit_exceeded', 'Item "%s": %s asked for, more than is left of the limit.', 'Ask for no more than what is left of the limit.'),
		(3, 'IV001', 'out_of_stock', 'Item "%s": %s asked for, %s available.', 'Ask for less, or try again after a restock.'))
		AS k (rank, code, status, detail, hint)
	JOIN unnest($1) WITH ORDINALITY AS l (status, item_id, quantity, order_id, available, replayed, header_id, n) ON l.status = k.status
	GROUP BY k.rank, k.code, k.status, k.hint ORDER BY k.rank LIMIT 1;
	PERFORM {scale}.fail(coalesce(refusal.code, 'XX000'), coalesce(refusal.status, $1[1].status), refusal.facts, refusal.hint);
END $$;
COMMENT ON FUNCTION {scale}.refuse({scale}.line[]) IS 'Raises the error of the engine for lines that were refused.';

-- ---------------------------------------------------------------- a sale
--
-- These two set no search_path, which would cost more than the rest of them: they name a schema wherever a name is looked
-- for, so that whatever search_path the caller has, they mean the same.

CREATE FUNCTION {scale}.sell(user_id {user}, item_id {item}, quantity bigint, idempotency_key text, order_data jsonb) RETURNS text
LANGUAGE plproxy AS $$
	CLUSTER '{cluster_name}';
	RUN ON {on $2};
	SELECT {api}.try_buy_item($1, $2, $3, $4, $5)::pg_catalog.text;
$$;

CREATE FUNCTION {api}.buy_item({p}user_id {user}, {p}item_id {item}, {p}quantity bigint DEFAULT 1, {p}idempotency_key text DEFAULT NULL,
	{p}order_data jsonb DEFAULT NULL) RETURNS {order}
LANGUAGE plpgsql SECURITY DEFINER AS $$
DECLARE
	sale {scale}.line := {scale}.sell($1, $2, $3, $4, $5)::{scale}.line;
BEGIN
	IF sale.status OPERATOR(pg_catalog.<>) 'ok' THEN
		PERFORM {scale}.refuse(ARRAY[sale]);
	END IF;
	RETURN sale.order_id;
END $$;
COMMENT ON FUNCTION {api}.buy_item({user}, {item}, bigint, text, jsonb) IS 'Buys units of an item on its node. Returns the key of the order row. Errors are those of the engine; a refusal is stored under its key.';

CREATE FUNCTION {api}.try_buy_item({p}user_id {user}, {p}item_id {item}, {p}quantity bigint DEFAULT 1, {p}idempotency_key text DEFAULT NULL,
	{p}order_data jsonb DEFAULT NULL) RETURNS {scale}.line
LANGUAGE plpgsql SECURITY DEFINER AS $$
BEGIN
	RETURN {scale}.sell($1, $2, $3, $4, $5)::{scale}.line;
END $$;
COMMENT ON FUNCTION {api}.try_buy_item({user}, {item}, bigint, text, jsonb) IS 'Like buy_item, but a refusal is a row with its status.';

-- ---------------------------------------------------------------- stock

CREATE FUNCTION {scale}.stock_of(item_id {item}) RETURNS text
LANGUAGE plproxy AS $$
	CLUSTER '{cluster_name}';
	RUN ON {on $1};
	SELECT {scale}.stock_of($1)::pg_catalog.text;
$$;

CREATE FUNCTION {api}.available_stock({p}item_id {item}) RETURNS {stock}
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	RETURN {scale}.value_of({scale}.stock_of($1));
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

CREATE FUNCTION {scale}.hold(user_id {user}, item_id {item}, quantity bigint, ttl interval, idempotency_key text, reservation_id uuid) RETURNS text
LANGUAGE plproxy AS $$
	CLUSTER '{cluster_name}';
	RUN ON {on $2};
	SELECT {scale}.hold($1, $2, $3, $4, $5, $6)::pg_catalog.text;
$$;

CREATE FUNCTION {api}.reserve_stock({p}user_id {user}, {p}item_id {item}, {p}quantity bigint DEFAULT 1, {p}ttl interval DEFAULT NULL,
	{p}idempotency_key text DEFAULT NULL, {p}reservation_id uuid DEFAULT NULL) RETURNS uuid
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	RETURN {scale}.value_of({scale}.hold($1, $2, $3, $4, $5, $6));
END $$;
COMMENT ON FUNCTION {api}.reserve_stock({user}, {item}, bigint, interval, text, uuid) IS 'Holds units of an item on its node. The id of the reservation carries the route of the item.';

CREATE FUNCTION {scale}.confirm_hold(reservation_id uuid, user_id {user}, order_data jsonb) RETURNS text
LANGUAGE plproxy AS $$
	CLUSTER '{cluster_name}';
	RUN ON {scale}.route_of($1);
	SELECT {scale}.confirm_hold($1, $2, $3)::pg_catalog.text;
$$;

CREATE FUNCTION {api}.confirm_reservation({p}reservation_id uuid, {p}user_id {user} DEFAULT NULL, {p}order_data jsonb DEFAULT NULL) RETURNS SETOF {scale}.line
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	RETURN QUERY SELECT * FROM unnest({scale}.value_of({scale}.confirm_hold($1, $2, $3))::{scale}.line[]);
END $$;
COMMENT ON FUNCTION {api}.confirm_reservation(uuid, {user}, jsonb) IS 'Makes a reservation an order, on the node that its id names.';

CREATE FUNCTION {scale}.end_hold(reservation_id uuid, user_id {user}, extend boolean, ttl interval) RETURNS text
LANGUAGE plproxy AS $$
	CLUSTER '{cluster_name}';
	RUN ON {scale}.route_of($1);
	SELECT {scale}.end_hold($1, $2, $3, $4)::pg_catalog.text;
$$;

CREATE FUNCTION {api}.release_reservation({p}reservation_id uuid, {p}user_id {user} DEFAULT NULL) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	RETURN {scale}.value_of({scale}.end_hold($1, $2, false, NULL));
END $$;
COMMENT ON FUNCTION {api}.release_reservation(uuid, {user}) IS 'Gives back what a reservation holds, on the node that its id names.';

CREATE FUNCTION {api}.extend_reservation({p}reservation_id uuid, {p}ttl interval DEFAULT NULL, {p}user_id {user} DEFAULT NULL) RETURNS timestamptz
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	RETURN {scale}.value_of({scale}.end_hold($1, $3, true, $2));
END $$;
COMMENT ON FUNCTION {api}.extend_reservation(uuid, interval, {user}) IS 'Lets a reservation last longer, on the node that its id names.';

CREATE FUNCTION {scale}.show_hold(reservation_id uuid) RETURNS text
LANGUAGE plproxy AS $$
	CLUSTER '{cluster_name}';
	RUN ON {scale}.route_of($1);
	SELECT {scale}.show_hold($1)::pg_catalog.text;
$$;

CREATE FUNCTION {api}.get_reservation({p}reservation_id uuid) RETURNS SETOF {scale}.held_line
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	RETURN QUERY SELECT * FROM unnest({scale}.value_of({scale}.show_hold($1))::{scale}.held_line[]);
END $$;
COMMENT ON FUNCTION {api}.get_reservation(uuid) IS 'The lines of a reservation, from the node that its id names.';

-- ---------------------------------------------------------------- refunds, for operators

CREATE FUNCTION {scale}.refund(order_id {order}, item_id {item}, quantity bigint, restock boolean, reason text, idempotency_key text) RETURNS text
LANGUAGE plproxy AS $$
	CLUSTER '{cluster_name}';
	RUN ON {on $2};
	SELECT {scale}.refund($1, $2, $3, $4, $5, $6)::pg_catalog.text;
$$;

CREATE FUNCTION {api}.refund_order({p}order_id {order}, {p}item_id {item}, {p}quantity bigint DEFAULT NULL, {p}restock boolean DEFAULT true,
	{p}reason text DEFAULT NULL, {p}idempotency_key text DEFAULT NULL) RETURNS {stock}
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	RETURN {scale}.value_of({scale}.refund($1, $2, $3, $4, $5, $6));
END $$;
COMMENT ON FUNCTION {api}.refund_order({order}, {item}, bigint, boolean, text, text) IS 'Refunds units of an order line; the item is the route to it. IV003 if the line is of another item.';

-- ---------------------------------------------------------------- carts: the steps

CREATE FUNCTION {scale}.buy_on_node(node integer, user_id {user}, lines jsonb, idempotency_key text, order_data jsonb) RETURNS {scale}.line[]
LANGUAGE plproxy AS $$
	CLUSTER '{cluster_name}';
	RUN ON node;
	SELECT pg_catalog.array_agg(l) FROM {api}.try_buy_cart($2, $3, $4, $5) AS l;
$$;

CREATE FUNCTION {scale}.begin_cart(home integer, cart_id uuid, digest text, nodes integer[]) RETURNS text
LANGUAGE plproxy AS $$
	CLUSTER '{cluster_name}';
	RUN ON home;
	SELECT {scale}.begin_cart($1, $2, $3, $4)::pg_catalog.text;
$$;

CREATE FUNCTION {scale}.reserve_part(nodes integer[], lines jsonb[], data jsonb[], attempt uuid, user_id {user}, rehearse boolean) RETURNS SETOF text
LANGUAGE plproxy AS $$
	CLUSTER '{cluster_name}';
	SPLIT nodes, lines, data;
	RUN ON nodes;
	SELECT {scale}.reserve_part($1, $2, $3, $4, $5, $6);
$$;

CREATE FUNCTION {scale}.confirm_cart(home integer, cart_id uuid, attempt uuid, held boolean, digest text, nodes integer[], node_data jsonb[],
	begun double precision, user_id {user}, lines jsonb, data jsonb) RETURNS text
LANGUAGE plproxy AS $$
	CLUSTER '{cluster_name}';
	RUN ON home;
	SELECT {scale}.confirm_cart($2, $3, $4, $5, $6, $7, $8, $9, $10, $11);
$$;

CREATE FUNCTION {scale}.abort_cart(home integer, attempt uuid) RETURNS text
LANGUAGE plproxy AS $$
	CLUSTER '{cluster_name}';
	RUN ON home;
	SELECT {scale}.abort_cart($2)::pg_catalog.text;
$$;

CREATE FUNCTION {scale}.finish_part(nodes integer[], data jsonb[], attempt uuid, confirm boolean) RETURNS SETOF text
LANGUAGE plproxy AS $$
	CLUSTER '{cluster_name}';
	SPLIT nodes, data;
	RUN ON nodes;
	SELECT {scale}.finish_part($1, $2, $3, $4);
$$;

CREATE FUNCTION {scale}.work(node integer, older_than interval)
RETURNS TABLE (cart_id uuid, attempt uuid, nodes integer[], state text, age interval)
LANGUAGE plproxy AS $$
	CLUSTER '{cluster_name}';
	RUN ON node;
	SELECT * FROM {scale}.work(older_than);
$$;

CREATE FUNCTION {scale}.missing_parts(nodes integer[], carts uuid[], attempts uuid[]) RETURNS SETOF uuid
LANGUAGE plproxy AS $$
	CLUSTER '{cluster_name}';
	SPLIT nodes, carts, attempts;
	RUN ON nodes;
	SELECT {scale}.missing_parts($1, $2, $3);
$$;

CREATE FUNCTION {scale}.end_carts(homes integer[], carts uuid[]) RETURNS SETOF bigint
LANGUAGE plproxy AS $$
	CLUSTER '{cluster_name}';
	SPLIT homes, carts;
	RUN ON homes;
	SELECT {scale}.end_carts($2);
$$;

CREATE FUNCTION {scale}.old_carts(node integer, older_than interval) RETURNS TABLE (cart_id uuid, attempt uuid, nodes integer[])
LANGUAGE plproxy AS $$
	CLUSTER '{cluster_name}';
	RUN ON node;
	SELECT * FROM {scale}.old_carts(older_than);
$$;

CREATE FUNCTION {scale}.prune_parts(nodes integer[], attempts uuid[]) RETURNS SETOF bigint
LANGUAGE plproxy AS $$
	CLUSTER '{cluster_name}';
	SPLIT nodes, attempts;
	RUN ON nodes;
	SELECT {scale}.prune_parts($1, $2);
$$;

CREATE FUNCTION {scale}.prune_carts(node integer, carts uuid[]) RETURNS bigint
LANGUAGE plproxy AS $$
	CLUSTER '{cluster_name}';
	RUN ON node;
	SELECT {scale}.prune_carts($2);
$$;

CREATE FUNCTION {scale}.unresolved(older_than interval)
RETURNS TABLE (cart_id uuid, attempt uuid, nodes integer[], state text, age interval)
LANGUAGE plproxy SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
	CLUSTER '{cluster_name}';
	RUN ON ALL;
	SELECT * FROM {scale}.work(older_than);
$$;
COMMENT ON FUNCTION {scale}.unresolved(interval) IS 'Carts, open or confirmed, that are not known to be done, and parts that are held, that are older, on all nodes.';
CREATE VIEW {scale}.unresolved_carts AS SELECT * FROM {scale}.unresolved('0');
COMMENT ON VIEW {scale}.unresolved_carts IS 'Carts that are not known to be done and parts that are held, on all nodes; carts that are being bought, and those that were confirmed since resolve was called, are among them.';

-- ---------------------------------------------------------------- carts: buying
--
-- Only functions that set a search_path call these, so that they need none of their own.

-- Each expression of PL/pgSQL is set up again in each transaction, which costs more than to evaluate it, and a query
-- costs several of them.  So what most carts need is written with few expressions, and the rest is in functions of its own.
--
-- A node answers about a part with null, with lines, or with a refusal: the text of {scale}.answer.  Lines are written as
-- the elements of an array, so they begin with a quotation mark, and a refusal with a parenthesis, which comes after it in "C".

-- A cart, divided: its items; the lines of the home, as JSON, and what their orders get; and the other nodes with theirs.
CREATE TYPE {scale}.cart AS (items {item}[], own jsonb, own_data jsonb, nodes integer[], lines jsonb[], data jsonb[]);

-- Divides a cart in which lines have the same item, or columns of their own.
CREATE FUNCTION {scale}.divide(lines jsonb, order_data jsonb, home integer) RETURNS {scale}.cart
LANGUAGE plpgsql IMMUTABLE AS $$
DECLARE
	cart {scale}.cart;
	line jsonb;
	item {item};
	quantity numeric;
	quantities numeric[] := '{}';
	extra jsonb;
	extras jsonb[] := '{}';
	own_columns boolean := false;
	node integer;
	n integer;
BEGIN
	cart.items := '{}';
	cart.nodes := '{}';
	FOR i IN 0 .. jsonb_array_length($1) - 1 LOOP
		line := $1 -> i;
		item := (line ->> 'item_id')::{item};
		IF item IS NULL THEN
			RAISE 'every line must be an object with an item_id' USING ERRCODE = '22023';
		ELSIF jsonb_typeof(line -> 'quantity') = 'null' THEN
			RAISE 'quantity of a line must not be null' USING ERRCODE = '22004';
		ELSIF jsonb_typeof(line -> 'quantity') <> 'number' THEN
			RAISE 'quantity of a line must be a number' USING ERRCODE = '22023';
		END IF;
		-- each of them, as a node does, and not their sum
		quantity := coalesce((line ->> 'quantity')::numeric, 1);
		IF quantity < 1 OR quantity <> trunc(quantity) THEN
			RAISE 'quantity of a line must be a whole number greater than zero, not %', quantity USING ERRCODE = '22023';
		END IF;
		extra := line - 'item_id' - 'quantity';
		n := array_position(cart.items, item);
		IF n IS NULL THEN
			cart.items := array_append(cart.items, item);
			quantities := array_append(quantities, quantity);
			extras := array_append(extras, extra);
			own_columns := own_columns OR extra <> '{}';
		ELSIF extras[n] <> extra THEN
			RAISE 'lines of the same item must have the same columns in a cart over several nodes' USING ERRCODE = '22023';
		ELSE
			quantities[n] := quantities[n] + quantity;
		END IF;
	END LOOP;
	IF own_columns AND $2 ? 'header' THEN
		RAISE 'order_data.header cannot be combined with columns in lines in a cart over several nodes'
			USING ERRCODE = '22023', HINT = 'Give the columns in order_data, for all lines.';
	ELSIF NOT own_columns THEN
		cart.own_data := $2;
	END IF;
	FOR i IN 1 .. cardinality(cart.items) LOOP
		node := {scale}.route(cart.items[i]) & {mask};
		line := jsonb_build_object('item_id', cart.items[i], 'quantity', quantities[i]);
		extra := coalesce($2, '{}') || extras[i];
		IF node = home THEN
			cart.own := coalesce(cart.own, '[]') || CASE WHEN own_columns THEN extra || line ELSE line END;
			CONTINUE;
		END IF;
		n := coalesce(array_position(cart.nodes, node), cardinality(cart.nodes) + 1);
		cart.nodes[n] := node;
		cart.lines[n] := coalesce(cart.lines[n], '[]') || line;
		cart.data[n] := CASE WHEN own_columns THEN coalesce(cart.data[n], '[]') || (extra || jsonb_build_object('item_id', cart.items[i])) ELSE $2 END;
	END LOOP;
	RETURN cart;
END $$;

-- Confirms or releases parts of a decided cart.  Returns the lines of a confirmed one.
CREATE FUNCTION {scale}.settle_parts(nodes integer[], data jsonb[], attempt uuid, confirm boolean) RETURNS text[]
LANGUAGE plpgsql AS $$
DECLARE
	told text[] := ARRAY(SELECT {scale}.finish_part($1, $2, $3, $4));
	part text;
BEGIN
	IF '(' COLLATE "C" <= ANY (told) THEN
		FOREACH part IN ARRAY told LOOP
			IF '(' COLLATE "C" <= part THEN
				PERFORM {scale}.value_of(part);
			END IF;
		END LOOP;
	END IF;
	RETURN told;
END $$;

-- What the buyer is told of a refused cart: each item in its order, those that were not at fault, too.
CREATE FUNCTION {scale}.refused_lines(lines jsonb, short {scale}.line[]) RETURNS {scale}.line[]
LANGUAGE plpgsql IMMUTABLE AS $$
BEGIN
	RETURN ARRAY(
		SELECT CASE WHEN s.status IS NULL THEN ROW('not_taken', i.item, i.quantity, NULL, NULL, false, NULL)::{scale}.line
			ELSE ROW(s.status, s.item_id, s.quantity, s.order_id, s.available, false, s.header_id)::{scale}.line END
		FROM (
			SELECT (l.line ->> 'item_id')::{item} AS item, sum(coalesce((l.line ->> 'quantity')::numeric, 1)) AS quantity, min(l.n) AS n
			FROM jsonb_array_elements($1) WITH ORDINALITY AS l (line, n) GROUP BY 1) AS i
		LEFT JOIN unnest($2) AS s ON s.item_id = i.item
		ORDER BY i.n);
END $$;

-- Ends a cart that this call has not sold: it was aborted, or the key is that of another cart.  `told`: why parts are not held.
CREATE FUNCTION {scale}.refuse_cart(lines jsonb, nodes integer[], data jsonb[], attempt uuid, told text[], decision {scale}.decision) RETURNS {scale}.line[]
LANGUAGE plpgsql AS $$
DECLARE
	part text;
	answer {scale}.answer;
	failure {scale}.answer;
	short text;
BEGIN
	IF decision.state = 'aborted' THEN
		PERFORM {scale}.settle_parts($2, $3, $4, false);
		FOREACH part IN ARRAY told LOOP
			answer := part::{scale}.answer;
			IF answer.code = 'short' THEN
				short := concat_ws(',', short, answer.value);
			ELSIF answer.code IS NOT NULL AND coalesce(failure.code, 'IV007') = 'IV007' THEN
				-- that it was released only if there is no other reason
				failure := answer;
			END IF;
		END LOOP;
		IF decision.code = 'short' THEN
			short := concat_ws(',', short, decision.value);
		ELSIF decision.code IS NOT NULL AND coalesce(failure.code, 'IV007') = 'IV007' THEN
			failure := ROW(decision.code, decision.message, decision.detail, decision.hint, NULL);
		END IF;
		-- as on one server, where arguments are checked first
		IF short IS NOT NULL AND (left(failure.code, 2) IN ('22', '42', '54')) IS NOT TRUE THEN
			RETURN {scale}.refused_lines($1, ('{' || short || '}')::{scale}.line[]);
		ELSIF failure.code <> 'IV007' THEN
			PERFORM {scale}.fail(failure.code, failure.message, failure.detail, failure.hint);
		END IF;
		PERFORM {scale}.fail('IV014', 'busy', 'Another session has aborted the cart. It is safe to try again with the same key.');
	END IF;
	PERFORM {scale}.fail(decision.code, decision.message, decision.detail, decision.hint);
	RETURN NULL;
END $$;

-- Buys a cart over several nodes.  Each step is committed on the nodes before the next begins; if this
-- function, its session or a node ends in between, resolve finishes the cart.
--
-- The home of a cart decides it, and sells its own lines with the decision; the other nodes hold theirs before.
-- With a key the home is that of the key, so that each call with it finds the cart, which is begun there.
-- Without a key no other call can know the cart: any of its nodes is the home, and begins nothing.
CREATE FUNCTION {scale}.buy_divided(user_id {user}, cart_lines jsonb, idempotency_key text, order_data jsonb) RETURNS {scale}.line[]
LANGUAGE plpgsql AS $$
DECLARE
	cart_id uuid;
	home integer;
	digest text;
	attempt uuid;
	line jsonb;
	item {item};
	items {item}[];
	own jsonb;
	own_data jsonb;
	node integer;
	nodes integer[];
	lines jsonb[];
	data jsonb[];
	told text[];
	outcome text;
	decision {scale}.decision;
	sold {scale}.line[];
	answer {scale}.line[];
BEGIN
	IF $3 IS NULL THEN
		home := {scale}.route(($2 -> floor(random() * jsonb_array_length($2))::integer ->> 'item_id')::{item}) & {mask};
		attempt := {scale}.attempt_id(home, gen_random_uuid());
		cart_id := attempt;
	ELSE
		cart_id := {api}.cart_id($1, $3);
		home := {scale}.route_of(cart_id) & {mask};
	END IF;
	FOR i IN 0 .. jsonb_array_length($2) - 1 LOOP
		line := $2 -> i;
		item := (line ->> 'item_id')::{item};
		IF item IS NULL OR item = ANY (items) OR line - '{item_id,quantity}'::text[] <> '{}' THEN
			SELECT d.* INTO items, own, own_data, nodes, lines, data FROM {scale}.divide($2, $4, home) AS d;
			EXIT;
		END IF;
		items := array_append(items, item);
		node := {scale}.route(item) & {mask};
		IF node = home THEN
			own := coalesce(own, '[]') || line;
		ELSE
			nodes := array_append(nodes, node);
			lines := array_append(lines, line);
		END IF;
	END LOOP;
	IF data IS NULL THEN
		IF pg_column_size($4) > 4096 THEN
			-- once for each node, and not for each line
			SELECT d.* INTO items, own, own_data, nodes, lines, data FROM {scale}.divide($2, $4, home) AS d;
		ELSE
			own_data := $4;
			data := array_fill($4, ARRAY[cardinality(nodes)]);
		END IF;
	END IF;
	IF $3 IS NOT NULL THEN
		digest := md5(concat_ws(' ', $2, $4));
		decision := {scale}.begin_cart(home, cart_id, digest, nodes)::{scale}.decision;
		attempt := decision.attempt;
		IF decision.code IS NOT NULL THEN
			PERFORM {scale}.fail(decision.code, decision.message, decision.detail, decision.hint);
		ELSIF decision.state = 'confirmed' THEN
			outcome := decision.value;
		ELSIF decision.nodes IS NOT NULL THEN
			PERFORM {scale}.settle_parts(decision.nodes, array_fill(NULL::jsonb, ARRAY[cardinality(decision.nodes)]), decision.value::uuid, false);
		END IF;
	END IF;
	IF decision.state IS DISTINCT FROM 'confirmed' THEN
		told := ARRAY(SELECT {scale}.reserve_part(nodes, lines, data, attempt, $1, {rehearse}));
		outcome := {scale}.confirm_cart(home, cart_id, attempt, ('(' COLLATE "C" <= ANY (told)) IS NOT TRUE, digest, nodes,
			CASE WHEN data[1] IS NOT NULL THEN data END, date_part('epoch', statement_timestamp()), $1, own, own_data);
		IF '(' COLLATE "C" <= outcome THEN
			decision := outcome::{scale}.decision;
			IF decision.state = 'aborted' OR decision.code IS NOT NULL THEN
				RETURN {scale}.refuse_cart($2, nodes, data, attempt, told, decision);
			END IF;
			-- by another session
			outcome := decision.value;
			attempt := decision.attempt;
		END IF;
	END IF;
	sold := ('{' || array_to_string(array_append({scale}.settle_parts(nodes, data, attempt, true), outcome), ',') || '}')::{scale}.line[];
	FOR i IN 1 .. cardinality(sold) LOOP
		answer[array_position(items, (sold[i]).item_id)] := sold[i];
	END LOOP;
	-- a node can have sold one item for two spellings of its key
	RETURN array_remove(answer, NULL);
END $$;

-- stable, as convert_to is: otherwise it would not be inlined
CREATE FUNCTION {api}.cart_id(user_id {user}, idempotency_key text) RETURNS uuid
LANGUAGE sql STABLE PARALLEL SAFE
RETURN left(encode(sha256(convert_to(concat_ws(' ', coalesce(length($1::text), -1), $1, $2), 'UTF8')), 'hex'), 32)::uuid;
COMMENT ON FUNCTION {api}.cart_id({user}, text) IS 'The id of a cart over several nodes: a digest of the user and the idempotency key.';

CREATE FUNCTION {scale}.refuse_arguments(lines jsonb, idempotency_key text) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
	IF jsonb_typeof($1) IS DISTINCT FROM 'array' OR jsonb_array_length($1) = 0 THEN
		RAISE 'lines must be an array of at least one object' USING ERRCODE = '22023';
	ELSIF jsonb_array_length($1) > 1000 THEN
		RAISE 'a cart has at most 1000 lines' USING ERRCODE = '54000';
	END IF;
	RAISE 'an idempotency key has 1 to 255 bytes' USING ERRCODE = CASE WHEN $2 = '' THEN '22023' ELSE '22001' END;
END $$;

CREATE FUNCTION {scale}.buy_lines(user_id {user}, lines jsonb, idempotency_key text, order_data jsonb) RETURNS {scale}.line[]
LANGUAGE plpgsql AS $$
DECLARE
	node integer;
	first_node integer;
BEGIN
	IF (CASE jsonb_typeof($2) WHEN 'array' THEN jsonb_array_length($2) NOT BETWEEN 1 AND 1000 ELSE true END) OR octet_length($3) NOT BETWEEN 1 AND 255 THEN
		PERFORM {scale}.refuse_arguments($2, $3);
	END IF;
	FOR i IN 0 .. jsonb_array_length($2) - 1 LOOP
		node := {scale}.route(($2 -> i ->> 'item_id')::{item}) & {mask};
		IF node IS NULL THEN
			RAISE 'every line must be an object with an item_id' USING ERRCODE = '22023';
		ELSIF node <> first_node THEN
			RETURN {scale}.buy_divided($1, $2, $3, $4);
		END IF;
		first_node := node;
	END LOOP;
	RETURN {scale}.buy_on_node(node, $1, $2, $3, $4);
END $$;

CREATE FUNCTION {api}.try_buy_cart({p}user_id {user}, {p}lines jsonb, {p}idempotency_key text DEFAULT NULL, {p}order_data jsonb DEFAULT NULL)
RETURNS SETOF {scale}.line
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	line {scale}.line;
BEGIN
	FOREACH line IN ARRAY {scale}.buy_lines($1, $2, $3, $4) LOOP
		RETURN NEXT line;
	END LOOP;
END $$;
COMMENT ON FUNCTION {api}.try_buy_cart({user}, jsonb, text, jsonb) IS 'Buys all lines of a cart or none, on one node or several. A refusal is a row for each line with its status. Over several nodes, lines of the same item become one.';

CREATE FUNCTION {api}.buy_cart({p}user_id {user}, {p}lines jsonb, {p}idempotency_key text DEFAULT NULL, {p}order_data jsonb DEFAULT NULL)
RETURNS SETOF {scale}.line
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	sold {scale}.line[] := {scale}.buy_lines($1, $2, $3, $4);
	line {scale}.line;
BEGIN
	-- if a line is at fault, none is ok
	IF sold[1].status <> 'ok' THEN
		PERFORM {scale}.refuse(sold);
	END IF;
	FOREACH line IN ARRAY sold LOOP
		RETURN NEXT line;
	END LOOP;
END $$;
COMMENT ON FUNCTION {api}.buy_cart({user}, jsonb, text, jsonb) IS 'Like try_buy_cart, but a refusal is the error of the engine.';

-- ---------------------------------------------------------------- resolve

-- Deletes carts whose home is a node, after their parts: what is not known to be done needs them.
CREATE FUNCTION {scale}.prune_node(node integer, older_than interval) RETURNS bigint
LANGUAGE plpgsql AS $$
DECLARE
	cart record;
	carts uuid[] := '{}';
	part_nodes integer[] := '{}';
	part_attempts uuid[] := '{}';
BEGIN
	FOR cart IN SELECT * FROM {scale}.old_carts(node, older_than) LOOP
		carts := carts || cart.cart_id;
		part_nodes := part_nodes || cart.nodes;
		part_attempts := part_attempts || array_fill(cart.attempt, ARRAY[coalesce(cardinality(cart.nodes), 0)]);
	END LOOP;
	IF carts = '{}' THEN
		RETURN 0;
	END IF;
	PERFORM {scale}.prune_parts(part_nodes, part_attempts);
	RETURN {scale}.prune_carts(node, carts);
END $$;

-- Ends what was left of carts.  Parts that are held for too long are confirmed or released, as their home has
-- decided, which aborts what it has not; then carts are noted as done of which all parts are confirmed.  A node that
-- cannot be reached does not keep the carts of others from being finished.
CREATE FUNCTION {scale}.resolve(open_for interval DEFAULT '1 minute', keep_for interval DEFAULT '1 day',
	OUT finished integer, OUT left_over integer, OUT unreachable integer, OUT pruned bigint, OUT last_error text)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	begun timestamptz := clock_timestamp();
	cart record;
	verdict {scale}.verdict;
	homes integer[] := '{}';
	carts uuid[] := '{}';
	part_nodes integer[] := '{}';
	part_carts uuid[] := '{}';
	part_attempts uuid[] := '{}';
	down integer[] := '{}';
	missing uuid[];
BEGIN
	finished := 0;
	left_over := 0;
	pruned := 0;
	FOR node IN 0 .. {mask} LOOP
		BEGIN
			FOR cart IN SELECT * FROM {scale}.work(node, open_for) LOOP
				IF cart.state = 'confirmed' THEN
					homes := homes || node;
					carts := carts || cart.cart_id;
					FOR i IN 1 .. cardinality(cart.nodes) LOOP
						part_nodes := part_nodes || cart.nodes[i];
						part_carts := part_carts || cart.cart_id;
						part_attempts := part_attempts || cart.attempt;
					END LOOP;
					CONTINUE;
				END IF;
				BEGIN
					verdict := {scale}.abort_cart({scale}.route_of(cart.attempt), cart.attempt)::{scale}.verdict;
					PERFORM {scale}.settle_parts(cart.nodes, ARRAY(
						SELECT verdict.data[array_position(verdict.nodes, c.of_node)] FROM unnest(cart.nodes) WITH ORDINALITY AS c (of_node, n) ORDER BY c.n),
						cart.attempt, verdict.state = 'confirmed');
					finished := finished + 1;
				EXCEPTION WHEN OTHERS THEN
					left_over := left_over + 1;
					last_error := SQLERRM;
				END;
			END LOOP;
		EXCEPTION WHEN OTHERS THEN
			down := down || node;
			last_error := SQLERRM;
		END;
	END LOOP;
	unreachable := cardinality(down);
	BEGIN
		-- a cart is done when all its parts are confirmed
		missing := ARRAY(SELECT p.cart FROM unnest(part_nodes, part_carts) AS p (node, cart) WHERE p.node = ANY (down));
		SELECT array_agg(p.node), array_agg(p.cart), array_agg(p.attempt) INTO part_nodes, part_carts, part_attempts
		FROM unnest(part_nodes, part_carts, part_attempts) AS p (node, cart, attempt) WHERE p.node <> ALL (down);
		missing := missing || ARRAY(SELECT * FROM {scale}.missing_parts(part_nodes, part_carts, part_attempts));
		SELECT array_agg(c.home), array_agg(c.cart) INTO homes, carts
		FROM unnest(homes, carts) AS c (home, cart) WHERE c.cart <> ALL (missing);
		PERFORM {scale}.end_carts(homes, carts);
		IF missing <> '{}' THEN
			left_over := left_over + (SELECT count(DISTINCT m) FROM unnest(missing) AS m);
			last_error := coalesce(last_error, format('cart %s is confirmed, but a part of it is not', missing[1]));
		END IF;
		FOR node IN 0 .. CASE unreachable WHEN 0 THEN {mask} ELSE -1 END LOOP
			pruned := pruned + {scale}.prune_node(node, greatest(keep_for, open_for) + (clock_timestamp() - begun));
		END LOOP;
	EXCEPTION WHEN OTHERS THEN
		unreachable := greatest(unreachable, 1);
		last_error := SQLERRM;
	END;
END $$;
COMMENT ON FUNCTION {scale}.resolve(interval, interval) IS 'Finishes carts that are decided, aborts those that are open for longer than open_for, and deletes what ended longer ago than keep_for. Returns how many were finished and left, how many nodes could not be reached, and the last error. Any number of sessions may call it.';

-- ---------------------------------------------------------------- rights

DO $$ DECLARE
	made record;
	names name[] := '{node_of,new_reservation_id,buy_item,try_buy_item,available_stock,available_stocks,reserve_stock,confirm_reservation,release_reservation,extend_reservation,get_reservation,refund_order,cart_id,try_buy_cart,buy_cart}';
BEGIN
	-- to PUBLIC, and what default privileges give to others
	FOR made IN
		SELECT o.name, a.grantee
		FROM (
			SELECT 'SCHEMA ' || {scale_literal}, n.nspowner, n.nspacl FROM pg_namespace AS n WHERE n.oid = to_regnamespace({scale_literal})
			UNION ALL SELECT 'TABLE ' || c.oid::regclass, c.relowner, c.relacl FROM pg_class AS c WHERE c.relnamespace = to_regnamespace({scale_literal}) AND c.relkind = 'v'
			UNION ALL SELECT 'FUNCTION ' || p.oid::regprocedure, p.proowner, coalesce(p.proacl, acldefault('f', p.proowner)) FROM pg_proc AS p
			WHERE p.pronamespace = to_regnamespace({scale_literal})
			   OR p.pronamespace = to_regnamespace({api_literal}) AND p.proowner = current_user::regrole AND p.proname = ANY (names)
		) AS o (name, owner, acl), aclexplode(o.acl) AS a WHERE a.grantee <> o.owner
	LOOP
		EXECUTE format('REVOKE ALL ON %s FROM %s', made.name, CASE made.grantee WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(made.grantee)) END);
	END LOOP;
	FOR made IN
		SELECT p.oid::regprocedure AS name FROM pg_proc AS p
		WHERE p.pronamespace = to_regnamespace({scale_literal})
		   OR p.pronamespace = to_regnamespace({api_literal}) AND p.proowner = current_user::regrole AND p.proname = ANY (names)
	LOOP
		EXECUTE format('ALTER FUNCTION %s OWNER TO %s', made.name, {router_literal});
	END LOOP;
END $$;
ALTER VIEW {scale}.unresolved_carts OWNER TO {router};
GRANT USAGE ON SCHEMA {scale}, {api} TO {router};
{grants}
COMMIT;
