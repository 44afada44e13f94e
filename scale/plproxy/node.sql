-- Makes an attached store one of the nodes of a shop on several databases: what PL/Proxy routers call,
-- and the tables of carts whose items are on several nodes.
--
--   psql -q -d shop -v items=shop.items -v router=inventory_router -f scale/plproxy/node.sql
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
\if :{?items} \else
DO $$ BEGIN RAISE 'node.sql: no table of items is given' USING ERRCODE = '22023', HINT = 'Name it: psql -v items=shop.items'; END $$;
\endif

BEGIN;
-- the caller's search_path finds the table, and nothing else
SELECT coalesce((SELECT format('%I.%I', n.nspname, c.relname) FROM pg_catalog.pg_class AS c JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
	WHERE c.oid = pg_catalog.to_regclass(:'items')), :'items') AS items \gset
SET LOCAL client_min_messages = warning;
SET LOCAL search_path = pg_catalog;

SELECT $$DO 'BEGIN RAISE ''schema: PL/Proxy has no quoted names'' USING ERRCODE = ''22023'', HINT = ''Give a name of lower case letters, digits and _, such as psql -v schema=scale_2.''; END'$$ WHERE :'schema' !~ '^[a-z_][a-z0-9_]*$' \gexec

-- Claims of a session do not travel.
SELECT CASE WHEN count(*) = 0 THEN format('DO $$ BEGIN RAISE ''not_a_store'' USING ERRCODE = ''IV012'', DETAIL = %L, HINT = ''Attach the table first: SELECT inventory.attach(items, orders);''; END $$', format('Table "%s" is not attached to inventory.', :'items'))
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
	-- others can have made functions of the same names there
	CROSS JOIN LATERAL (SELECT p.* FROM pg_proc AS p JOIN pg_language AS l ON l.oid = p.prolang
		WHERE p.pronamespace = to_regnamespace(quote_ident(b.api_schema)) AND p.proname = 'buy_item' AND p.proowner = t.relowner
		ORDER BY l.lanname = 'inventory' DESC LIMIT 1) AS buy
	CROSS JOIN LATERAL (SELECT p.* FROM pg_proc AS p JOIN pg_language AS l ON l.oid = p.prolang
		WHERE p.pronamespace = buy.pronamespace AND p.proname = 'available_stock' AND p.proowner = t.relowner
		ORDER BY l.lanname = 'inventory' DESC LIMIT 1) AS stock
	WHERE b.items = %2$L::regclass;
	-- an integer is its own route; of any other key the text is digested, which every client can do, too
	template := regexp_replace(template, '\{on (\$\d)\}',
		CASE WHEN store.item_type IN ('smallint'::regtype, 'integer', 'bigint') THEN '\1' ELSE '{scale}.route(\1)' END, 'g');
	-- a router inlines it into what runs with its own rights, but with its caller's search_path
	route := CASE WHEN store.item_type IN ('smallint'::regtype, 'integer', 'bigint') THEN '$1::pg_catalog.int8::pg_catalog.bit(32)::pg_catalog.int4'
		ELSE '(''x'' OPERATOR(pg_catalog.||) pg_catalog.left(pg_catalog.md5($1::pg_catalog.text), 8))::pg_catalog.bit(32)::pg_catalog.int4' END;
	FOR word IN
		SELECT * FROM (VALUES
			('scale', quote_ident(%1$L)), ('store', quote_literal(store.store_name)), ('owner', quote_ident(store.owner)),
			('api', quote_ident(store.api_schema)), ('ledger', quote_ident(store.ledger_schema)),
			('items', store.items::text), ('orders', store.orders::text),
			('order_key', quote_ident(store.order_id)), ('order_item', quote_ident(store.order_item_id)),
			('item', store.item_type::text), ('user', store.user_type::text), ('order', store.order_type::text),
			('stock', store.stock_type::text), ('p', store.argument_prefix),
			('route', route),
			('reserve_part', quote_literal('reserve_part ' || store.store_name)), ('finish_part', quote_literal('finish_part ' || store.store_name)),
			('answer', 'OUT code text, OUT message text, OUT detail text, OUT hint text, OUT value text'),
			('caught', 'GET STACKED DIAGNOSTICS code = RETURNED_SQLSTATE, message = MESSAGE_TEXT, detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT; value := NULL;'))
			AS w (name, value)
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
	digest text,
	nodes integer[],
	data jsonb[],
	state text NOT NULL CHECK (state IN ('open', 'confirmed', 'aborted')),
	sold jsonb,
	last_attempt uuid,
	last_nodes integer[],
	created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
	decided_at timestamptz,
	done_at timestamptz);
CREATE UNIQUE INDEX IF NOT EXISTS carts_attempt_idx ON {scale}.carts (attempt) WHERE attempt <> cart_id;
CREATE INDEX IF NOT EXISTS carts_unresolved_idx ON {scale}.carts (created_at) WHERE done_at IS NULL;
CREATE INDEX IF NOT EXISTS carts_done_idx ON {scale}.carts (done_at) WHERE done_at IS NOT NULL;
COMMENT ON TABLE {scale}.carts IS 'Carts over several nodes whose home is this node: each row says whether the cart is sold. What other nodes have of a cart are reservations there.';
COMMENT ON COLUMN {scale}.carts.attempt IS 'what the parts of this attempt are known by, the cart itself if it has no key; a cart that was aborted can be tried again';
COMMENT ON COLUMN {scale}.carts.digest IS 'digest of the lines of a cart with a key: a repeated call must have the same';
COMMENT ON COLUMN {scale}.carts.nodes IS 'the other nodes, which have parts of the cart; one can be there for each of its lines';
COMMENT ON COLUMN {scale}.carts.data IS 'what the orders of these parts get, null for a cart that is not confirmed or whose parts get nothing';
COMMENT ON COLUMN {scale}.carts.state IS 'open, then confirmed or aborted: the first decision wins, and is never changed. A cart without a key is never open';
COMMENT ON COLUMN {scale}.carts.sold IS 'the lines of a cart with a key that this node has sold with the decision';
COMMENT ON COLUMN {scale}.carts.last_attempt IS 'the attempt that was aborted before this one; parts of it can still be held on last_nodes';
COMMENT ON COLUMN {scale}.carts.done_at IS 'when resolve has found that all parts are confirmed; an aborted cart is done at once';

CREATE TABLE IF NOT EXISTS {scale}.secret (only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
	secret text NOT NULL DEFAULT gen_random_uuid()::text || gen_random_uuid()::text);
COMMENT ON TABLE {scale}.secret IS 'What keeps others from computing the ids of reservations that were made with an idempotency key.';
INSERT INTO {scale}.secret DEFAULT VALUES ON CONFLICT DO NOTHING;

CREATE OR REPLACE VIEW {scale}.unresolved_carts AS
	SELECT cart_id, attempt, nodes, state, created_at, decided_at FROM {scale}.carts WHERE done_at IS NULL;
COMMENT ON VIEW {scale}.unresolved_carts IS 'Carts whose home is this node and that are not known to be done: still open, or confirmed, and resolve has not yet found that all parts are.';
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

-- The id of an attempt, and so of its parts, begins with the number of the home, and has the number of the
-- part's node at its end.  It is a UUID of version 8 with a mark, which the engine gives no other reservation.
CREATE OR REPLACE FUNCTION {scale}.attempt_id(home integer, drawn uuid) RETURNS uuid
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN (left(overlay(overlay($2::text PLACING lpad(to_hex($1), 8, '0') FROM 1) PLACING '8ca7' FROM 15), 32) || '0000')::uuid;
COMMENT ON FUNCTION {scale}.attempt_id(integer, uuid) IS 'The id of an attempt to buy a cart: its home, and bits of a random uuid.';

CREATE OR REPLACE FUNCTION {scale}.part_id(attempt uuid, node integer) RETURNS uuid
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN (left($1::text, 32) || lpad(to_hex($2), 4, '0'))::uuid;
COMMENT ON FUNCTION {scale}.part_id(uuid, integer) IS 'The id of the reservation that is the part of an attempt on a node; on node 0 it is the attempt itself.';

CREATE OR REPLACE FUNCTION {scale}.node_of_part(id uuid) RETURNS integer
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN ('x' || right($1::text, 4))::bit(16)::integer;
COMMENT ON FUNCTION {scale}.node_of_part(uuid) IS 'The node that is in the id of a part.';

CREATE OR REPLACE FUNCTION {scale}.is_part(id uuid) RETURNS boolean
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN substr($1::text, 15, 4) = '8ca7';
COMMENT ON FUNCTION {scale}.is_part(uuid) IS 'Is it the id of a part of a cart?';
$template$) \gexec

-- ---------------------------------------------------------------- calls of one item
--
-- An error would end the router's connection, and the next call would have to make a new one.  So errors
-- are caught and travel as rows: `code` is null or the SQLSTATE, `value` the result as text.  A router
-- reads the row as one text, which costs the node less than columns.

EXECUTE filled($template$
CREATE OR REPLACE FUNCTION {scale}.hold(user_id {user}, item_id {item}, quantity bigint, ttl interval, idempotency_key text,
	reservation_id uuid, {answer})
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	id uuid := reservation_id;
BEGIN
	IF id IS NULL AND idempotency_key IS NOT NULL THEN
		-- of version 4, lest it have the mark of a part; a null user is no length
		SELECT overlay(left(encode(sha256(convert_to(concat_ws(' ', s.secret, coalesce(length(user_id::text), -1), user_id, idempotency_key), 'UTF8')), 'hex'), 32)
			PLACING '4' FROM 13)::uuid
		INTO STRICT id FROM {scale}.secret AS s;
		id := {scale}.routed_id({scale}.route(item_id), id);
	ELSIF id IS NULL THEN
		id := {scale}.routed_id({scale}.route(item_id), gen_random_uuid());
	ELSIF {scale}.route_of(id) <> {scale}.route(item_id) THEN
		RAISE 'a reservation id must carry the route of its item' USING ERRCODE = '22023', HINT = 'Make it with new_reservation_id.';
	END IF;
	value := {api}.reserve_stock(user_id, item_id, quantity, ttl, idempotency_key, id);
EXCEPTION WHEN OTHERS THEN
	{caught}
END $$;
COMMENT ON FUNCTION {scale}.hold({user}, {item}, bigint, interval, text, uuid) IS 'reserve_stock for routers.';

CREATE OR REPLACE FUNCTION {scale}.confirm_hold(reservation_id uuid, user_id {user}, order_data jsonb, {answer})
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	value := ARRAY(SELECT l FROM {api}.confirm_reservation($1, $2, $3) AS l);
EXCEPTION WHEN OTHERS THEN
	{caught}
END $$;
COMMENT ON FUNCTION {scale}.confirm_hold(uuid, {user}, jsonb) IS 'confirm_reservation for routers.';

-- Times travel as text, which the router reads by its own DateStyle: that of ISO 8601 is the same for each.
CREATE OR REPLACE FUNCTION {scale}.end_hold(reservation_id uuid, user_id {user}, extend boolean, ttl interval, {answer})
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET DateStyle = 'ISO' AS $$
BEGIN
	IF extend THEN
		value := {api}.extend_reservation($1, ttl, user_id);
	ELSE
		value := {api}.release_reservation($1, user_id);
	END IF;
EXCEPTION WHEN OTHERS THEN
	{caught}
END $$;
COMMENT ON FUNCTION {scale}.end_hold(uuid, {user}, boolean, interval) IS 'release_reservation and extend_reservation for routers.';

CREATE OR REPLACE FUNCTION {scale}.show_hold(reservation_id uuid, {answer})
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET DateStyle = 'ISO' AS $$
BEGIN
	value := ARRAY(SELECT h FROM {api}.get_reservation($1) AS h);
EXCEPTION WHEN OTHERS THEN
	{caught}
END $$;
COMMENT ON FUNCTION {scale}.show_hold(uuid) IS 'get_reservation for routers.';

CREATE OR REPLACE FUNCTION {scale}.stock_of(item_id {item}, {answer})
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	value := {api}.available_stock(item_id);
EXCEPTION WHEN OTHERS THEN
	{caught}
END $$;
COMMENT ON FUNCTION {scale}.stock_of({item}) IS 'available_stock for routers.';

CREATE OR REPLACE FUNCTION {scale}.refund(order_id {order}, item_id {item}, quantity bigint, restock boolean, reason text, idempotency_key text, {answer})
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	IF {wrong_item} THEN
		RAISE 'order_not_found' USING ERRCODE = 'IV003', DETAIL = format('Order "%s" is not of item "%s".', order_id, item_id);
	END IF;
	value := {ledger}.refund_order(order_id, quantity, restock, reason, idempotency_key);
EXCEPTION WHEN OTHERS THEN
	{caught}
END $$;
COMMENT ON FUNCTION {scale}.refund({order}, {item}, bigint, boolean, text, text) IS 'refund_order for routers.';
$template$) \gset refund_
\if :has_orders
SELECT 'EXISTS (SELECT FROM {orders} AS o WHERE o.{order_key} = $1 AND o.{order_item} IS DISTINCT FROM $2)' AS wrong_item \gset
\else
SELECT 'NOT EXISTS (SELECT FROM {ledger}.movements AS m WHERE m.order_id = $1 AND m.item_id = $2)' AS wrong_item \gset
\endif
EXECUTE filled(replace(:'refund_filled', '{wrong_item}', :'wrong_item')) \gexec

-- ---------------------------------------------------------------- carts over several nodes

-- what an earlier version of this file has made with another result
SELECT format('DROP FUNCTION %s', p.oid::regprocedure) FROM pg_proc AS p
WHERE p.pronamespace = to_regnamespace(:'schema') AND p.proname = 'confirm_cart' AND p.prorettype <> 'text'::regtype \gexec

EXECUTE filled($template$
-- Begins a cart with a key, or says what became of it.  An aborted cart begins again, as a new attempt:
-- nothing of the old one can be confirmed, because the decision is for one attempt.  Then value and decided_nodes
-- are the old one and its nodes, where it is to be released first.
CREATE OR REPLACE FUNCTION {scale}.begin_cart(home integer, cart_id uuid, digest text, nodes integer[], {answer},
	OUT state text, OUT attempt uuid, OUT decided_nodes integer[])
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	new uuid := {scale}.attempt_id(home, gen_random_uuid());
BEGIN
	INSERT INTO {scale}.carts AS c (cart_id, attempt, digest, nodes, state) VALUES ($2, new, $3, $4, 'open')
	ON CONFLICT ON CONSTRAINT carts_pkey DO UPDATE
		SET last_attempt = c.attempt, last_nodes = c.nodes, attempt = new, digest = $3, nodes = $4, state = 'open',
			created_at = clock_timestamp(), decided_at = NULL, done_at = NULL
		WHERE c.state = 'aborted'
	RETURNING c.state, c.attempt, c.last_attempt, c.last_nodes INTO state, attempt, value, decided_nodes;
	IF NOT FOUND THEN
		SELECT k.* INTO code, message, detail, value, state, attempt, decided_nodes FROM {scale}.known_cart($2, $3) AS k;
		hint := CASE code WHEN 'IV009' THEN 'Use a new key for a new request, and the same arguments for a retry.' END;
	END IF;
END $$;
COMMENT ON FUNCTION {scale}.begin_cart(integer, uuid, text, integer[]) IS 'Begins a cart on its home, or returns what became of it.';

CREATE OR REPLACE FUNCTION {scale}.known_cart(cart_id uuid, digest text, OUT code text, OUT message text, OUT detail text, OUT value text,
	OUT state text, OUT attempt uuid, OUT nodes integer[])
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	cart {scale}.carts;
BEGIN
	SELECT c.* INTO cart FROM {scale}.carts AS c WHERE c.cart_id = $1;
	IF cart.digest <> $2 THEN
		code := 'IV009';
		message := 'idempotency_key_mismatch';
		detail := 'The key was used for another cart.';
	END IF;
	state := cart.state;
	attempt := cart.attempt;
	IF state = 'confirmed' THEN
		nodes := cart.nodes;
		value := nullif(btrim(ARRAY(SELECT l FROM jsonb_populate_recordset(NULL::{ledger}.line,
			(SELECT jsonb_agg(s.line || '{"replayed": true}') FROM jsonb_array_elements(cart.sold) AS s (line))) AS l)::text, '{}'), '');
	END IF;
END $$;
COMMENT ON FUNCTION {scale}.known_cart(uuid, text) IS 'What this home knows of a cart, and the lines that it has sold. IV009 if the cart had other lines.';

-- Holds the part of a cart that is on this node, decided, so that it does not expire: only the cart's
-- decision ends it.  Where something could refuse the order, it is written and rolled back first, so that no part can
-- be refused after the cart is confirmed.
CREATE OR REPLACE FUNCTION {scale}.reserve_part(nodes integer[], lines jsonb[], data jsonb[], attempt uuid, user_id {user}, rehearse boolean) RETURNS text
LANGUAGE inventory SECURITY DEFINER AS {reserve_part};
COMMENT ON FUNCTION {scale}.reserve_part(integer[], jsonb[], jsonb[], uuid, {user}, boolean) IS 'Holds the part of a cart that is on this node. The arrays have one element. Returns null, or why it is not held, as the text of a row.';

-- Decides a cart at its home, and sells the lines that the home has of it in the same transaction.  The first
-- decision wins.  `held`: all other parts are held.
--
-- A cart without a key has no digest, and was not begun: no other call can confirm it, so that nothing is
-- written if it is refused here.  Only resolve can have aborted it.  The limit of 15 days is for a router that was stopped
-- in between: prune_carts keeps what resolve has aborted for 30 days.  `begun` is in seconds since 1970, because a time would
-- travel as text in the DateStyle of the router's caller.
CREATE OR REPLACE FUNCTION {scale}.confirm_cart(cart_id uuid, attempt uuid, held boolean, digest text, nodes integer[], node_data jsonb[], begun double precision,
	user_id {user}, lines jsonb, data jsonb) RETURNS text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	taken text;
	code text;
	message text;
	detail text;
	hint text;
	value text;
	state text;
	decided_attempt uuid;
	decided_nodes integer[];
BEGIN
	BEGIN
		taken := inventory.sell_part({store}, user_id, lines, data);
		IF taken NOT LIKE '"(ok,%' OR NOT held OR (digest IS NULL AND begun < date_part('epoch', clock_timestamp()) - 15 * 86400) THEN
			IF taken NOT LIKE '"(ok,%' THEN
				code := 'short';
				value := taken;
			END IF;
			RAISE SQLSTATE 'SC001';
		ELSIF digest IS NULL THEN
			INSERT INTO {scale}.carts (cart_id, attempt, nodes, data, state, decided_at) VALUES ($1, $2, $5, $6, 'confirmed', clock_timestamp())
			ON CONFLICT DO NOTHING;
		ELSE
			UPDATE {scale}.carts AS c SET state = 'confirmed', data = $6, sold = to_jsonb(('{' || taken || '}')::{ledger}.line[]), decided_at = clock_timestamp()
			WHERE c.cart_id = $1 AND c.attempt = $2 AND c.state = 'open';
		END IF;
		IF FOUND THEN
			RETURN taken;
		END IF;
		RAISE SQLSTATE 'SC001';
	EXCEPTION
		WHEN SQLSTATE 'SC001' THEN
			NULL;
		WHEN OTHERS THEN
			{caught}
	END;
	IF digest IS NULL THEN
		state := 'aborted';
	ELSE
		SELECT a.state INTO state FROM {scale}.abort_cart($2) AS a;
	END IF;
	IF state = 'confirmed' THEN
		-- by another session
		SELECT k.* INTO code, message, detail, value, state, decided_attempt, decided_nodes FROM {scale}.known_cart($1, $4) AS k;
	END IF;
	RETURN ROW(code, message, detail, hint, value, state, decided_attempt, decided_nodes)::text;
END $$;
COMMENT ON FUNCTION {scale}.confirm_cart(uuid, uuid, boolean, text, integer[], jsonb[], double precision, {user}, jsonb, jsonb) IS 'Decides a cart at its home, and sells the lines of the home with it. Returns these lines if this call has confirmed it, else the text of a row, as begin_cart returns it: state is confirmed or aborted, value the lines that were sold here, or those that were refused.';

-- What this node does not know, because it was not decided, because it was begun again or because this node has
-- lost it, was not confirmed, and cannot be any more.
CREATE OR REPLACE FUNCTION {scale}.abort_cart(attempt uuid, OUT state text, OUT nodes integer[], OUT data jsonb[])
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	UPDATE {scale}.carts AS c SET state = 'aborted', decided_at = clock_timestamp(), done_at = clock_timestamp()
	WHERE (c.cart_id = $1 OR (c.attempt = $1 AND c.attempt <> c.cart_id)) AND c.state = 'open';
	IF NOT FOUND THEN
		INSERT INTO {scale}.carts (cart_id, attempt, state, decided_at, done_at)
		SELECT $1, $1, 'aborted', clock_timestamp(), clock_timestamp()
		WHERE NOT EXISTS (SELECT FROM {scale}.carts AS c WHERE c.attempt = $1 AND c.attempt <> c.cart_id)
		ON CONFLICT DO NOTHING;
	END IF;
	SELECT c.state, c.nodes, c.data INTO state, nodes, data
	FROM {scale}.carts AS c WHERE c.cart_id = $1 OR (c.attempt = $1 AND c.attempt <> c.cart_id);
	state := coalesce(state, 'aborted');
END $$;
COMMENT ON FUNCTION {scale}.abort_cart(uuid) IS 'Aborts an attempt to buy a cart at its home, unless it is confirmed. Returns the decision that is in force, and what the orders of confirmed parts get.';

-- Confirms or releases the part of a decided cart.  After it was released, also before it came, a late reserve_part
-- holds nothing.
CREATE OR REPLACE FUNCTION {scale}.finish_part(nodes integer[], data jsonb[], attempt uuid, confirm boolean) RETURNS text
LANGUAGE inventory SECURITY DEFINER AS {finish_part};
COMMENT ON FUNCTION {scale}.finish_part(integer[], jsonb[], uuid, boolean) IS 'Confirms or releases the part of a decided cart that is on this node. The arrays have one element. Returns the lines of a confirmed one, or an error as the text of a row.';

-- ---------------------------------------------------------------- resolve

-- decided reservations are found by their end, which is infinity
CREATE OR REPLACE FUNCTION {scale}.work(older_than interval)
RETURNS TABLE (cart_id uuid, attempt uuid, nodes integer[], state text, age interval)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
	SELECT c.cart_id, c.attempt, c.nodes, c.state, clock_timestamp() - c.created_at FROM {scale}.carts AS c
	WHERE c.done_at IS NULL AND c.created_at <= clock_timestamp() - $1
	UNION ALL
	SELECT NULL, {scale}.part_id(r.reservation_id, 0), ARRAY[{scale}.node_of_part(r.reservation_id)], 'held', clock_timestamp() - min(r.created_at)
	FROM {ledger}.reservations AS r
	WHERE r.status = 'held' AND r.expires_at = 'infinity' AND {scale}.is_part(r.reservation_id) AND r.created_at <= clock_timestamp() - $1
	GROUP BY r.reservation_id $$;
COMMENT ON FUNCTION {scale}.work(interval) IS 'What resolve has to do for this node: carts of this home, open or confirmed, that are not known to be done, and parts that are held, that are older.';

CREATE OR REPLACE FUNCTION {scale}.missing_parts(nodes integer[], carts uuid[], attempts uuid[]) RETURNS SETOF uuid
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
	SELECT a.cart_id FROM unnest($1, $2, $3) AS a (node, cart_id, attempt)
	WHERE NOT EXISTS (SELECT FROM {ledger}.reservations AS r WHERE r.reservation_id = {scale}.part_id(a.attempt, a.node) AND r.status = 'confirmed') $$;
COMMENT ON FUNCTION {scale}.missing_parts(integer[], uuid[], uuid[]) IS 'Those of the carts whose part on this node is not confirmed.';

CREATE OR REPLACE FUNCTION {scale}.end_carts(carts uuid[]) RETURNS bigint
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
	WITH ended AS (
		UPDATE {scale}.carts AS c SET done_at = clock_timestamp() WHERE c.cart_id = ANY ($1) AND c.state = 'confirmed' AND c.done_at IS NULL RETURNING 1)
	SELECT count(*) FROM ended $$;
COMMENT ON FUNCTION {scale}.end_carts(uuid[]) IS 'Notes that all parts of these carts are confirmed.';

-- Confirmed parts stay as long as their cart: prune() keeps decided reservations.
CREATE OR REPLACE FUNCTION {scale}.old_carts(older_than interval) RETURNS TABLE (cart_id uuid, attempt uuid, nodes integer[])
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
	SELECT c.cart_id, c.attempt, c.nodes FROM {scale}.carts AS c
	WHERE c.done_at <= clock_timestamp() - $1 AND (c.state = 'confirmed' OR c.digest IS NOT NULL OR c.done_at <= clock_timestamp() - interval '30 days')
	LIMIT 10000 $$;
COMMENT ON FUNCTION {scale}.old_carts(interval) IS 'Carts of this home that are done for longer, and those that were aborted without having been begun after 30 days at least.';

CREATE OR REPLACE FUNCTION {scale}.prune_parts(nodes integer[], attempts uuid[]) RETURNS bigint
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
	WITH pruned AS (
		DELETE FROM {ledger}.reservations AS r WHERE r.status <> 'held' AND {scale}.is_part(r.reservation_id)
			AND r.reservation_id = ANY (ARRAY(SELECT {scale}.part_id(a.attempt, a.node) FROM unnest($1, $2) AS a (node, attempt))) RETURNING 1)
	SELECT count(*) FROM pruned $$;
COMMENT ON FUNCTION {scale}.prune_parts(integer[], uuid[]) IS 'Deletes the reservations of these parts, which have ended.';

CREATE OR REPLACE FUNCTION {scale}.prune_carts(carts uuid[]) RETURNS bigint
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
	WITH pruned AS (
		DELETE FROM {scale}.carts AS c WHERE c.cart_id = ANY ($1) AND c.done_at IS NOT NULL RETURNING 1)
	SELECT count(*) FROM pruned $$;
COMMENT ON FUNCTION {scale}.prune_carts(uuid[]) IS 'Deletes these carts, which are done.';
$template$) \gexec

-- ---------------------------------------------------------------- rights

-- functions of this file that it has not made now: of an earlier version, or for keys of other types
SELECT format('DROP FUNCTION %s', p.oid::regprocedure) FROM pg_proc AS p
WHERE p.pronamespace = to_regnamespace(:'schema') AND p.xmin <> pg_current_xact_id()::xid
	AND (p.proname IN ('reserve_parts', 'finish_parts')
		OR EXISTS (SELECT FROM pg_proc AS made WHERE made.pronamespace = p.pronamespace AND made.proname = p.proname AND made.xmin = pg_current_xact_id()::xid)) \gexec

-- what the default privileges of the owner give to others
SELECT format('REVOKE ALL ON %s %I FROM %s', o.kind, :'schema', CASE a.grantee WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(a.grantee)) END)
FROM pg_default_acl AS d
JOIN (VALUES ('f'::"char", 'ALL FUNCTIONS IN SCHEMA'), ('r', 'ALL TABLES IN SCHEMA'), ('n', 'SCHEMA')) AS o (type, kind) ON o.type = d.defaclobjtype
CROSS JOIN aclexplode(d.defaclacl) AS a
WHERE d.defaclrole = current_user::regrole AND d.defaclnamespace IN (0, to_regnamespace(:'schema')) AND a.grantee <> d.defaclrole \gexec

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
