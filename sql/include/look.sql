\set ECHO none
-- Functions that look at a store and at the answers of calls.  They are created before
-- the store is attached; when they are called, they find items, orders and the tables
-- of the ledger by the search_path of the session.
SET check_function_bodies = off;

-- ---------------------------------------------------------------- the store

-- What verify finds; null if it finds nothing.
CREATE FUNCTION problems() RETURNS text LANGUAGE sql AS $$
	SELECT 'WRONG: ' || json_agg(v) FROM inventory.verify('items') AS v HAVING count(*) > 0
$$;

-- The movements since the last call, in the order in which they were written, or
-- by item where that order depends on the plan of a statement.  The test inserts
-- the row of `seen` after it has attached the items.
CREATE TABLE seen (upto bigint, by_item boolean);
CREATE FUNCTION booked() RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	last seen;
BEGIN
	SELECT * INTO STRICT last FROM seen;
	UPDATE seen SET upto = (SELECT max(movement_id) FROM movements);
	RETURN coalesce((SELECT string_agg(format('%s: %s %s', item_id, delta, kind), ', '
									   ORDER BY CASE WHEN last.by_item THEN item_id END, movement_id)
					 FROM movements WHERE movement_id > last.upto), 'nothing');
END
$$;

-- The movements since the last look, the stock of every item, and what is wrong.
CREATE FUNCTION look() RETURNS text LANGUAGE sql AS $$
	SELECT concat_ws(' | ', booked(),
		'stock ' || (SELECT string_agg(format('%s=%s', id, coalesce(stock::text, '-')), ' ' ORDER BY id) FROM items),
		problems())
$$;

-- available/reserved/on_hand of every item.
CREATE FUNCTION levels() RETURNS text LANGUAGE sql AS $$
	SELECT string_agg(concat_ws('/', available, reserved, on_hand), ' ' ORDER BY item_id) FROM levels
$$;

-- A reservation: what it holds, for whom and for how long.
CREATE FUNCTION looks(reservation uuid) RETURNS SETOF text LANGUAGE sql AS $$
	SELECT concat_ws(' ', r.status, r.item_id, r.quantity, r.user_id, 'for ' || r.expires_at - r.created_at, r.order_id,
					 CASE WHEN NOT r.tracked THEN 'untracked' END)
	FROM reservations AS r WHERE r.reservation_id = looks.reservation ORDER BY r.item_id
$$;

-- The stock, how many rows the tables have, and what is wrong.
CREATE FUNCTION state() RETURNS text LANGUAGE sql AS $$
	SELECT concat_ws(' ', concat_ws(', ',
		'stock ' || (SELECT string_agg(coalesce(stock::text, '-'), ' ' ORDER BY id) FROM items),
		(SELECT count(*) FROM orders) || ' orders',
		(SELECT count(*) FROM movements) || ' movements',
		(SELECT count(*) FROM requests) || ' keys',
		(SELECT string_agg(concat_ws(' ', status, n, units), ', ' ORDER BY status)
		 FROM (SELECT status, count(*) AS n, sum(quantity) AS units FROM reservations GROUP BY status) AS r)), problems())
$$;

-- Every row of every table, to be compared.
CREATE FUNCTION everything() RETURNS text LANGUAGE sql AS $$
	SELECT concat_ws(E'\n', (SELECT json_agg(t ORDER BY t.id) FROM items AS t),
		(SELECT json_agg(t ORDER BY t.id) FROM orders AS t),
		(SELECT json_agg(t ORDER BY t.movement_id) FROM movements AS t),
		(SELECT json_agg(t ORDER BY t.reservation_id, t.item_id) FROM reservations AS t),
		(SELECT json_agg(t ORDER BY t.key) FROM requests AS t),
		problems())
$$;

-- ---------------------------------------------------------------- calls

-- Run a statement: "ok", or the error.
CREATE FUNCTION attempt(statement text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
	EXECUTE statement;
	RETURN 'ok';
EXCEPTION WHEN OTHERS THEN
	RETURN SQLSTATE || ' ' || SQLERRM;
END
$$;

-- Run a statement: the error with its detail and hint.  Names, ids and times that
-- are not the same in every run are replaced.
CREATE FUNCTION error(statement text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	code text;
	message text;
	detail text;
	hint text;
BEGIN
	EXECUTE statement;
	RETURN 'no error';
EXCEPTION WHEN OTHERS THEN
	GET STACKED DIAGNOSTICS code := RETURNED_SQLSTATE, message := MESSAGE_TEXT,
		detail := PG_EXCEPTION_DETAIL, hint := PG_EXCEPTION_HINT;
	detail := replace(detail, session_user, '(superuser)');
	hint := replace(hint, session_user, '(superuser)');
	detail := regexp_replace(detail, '[0-9a-f]{8}-[0-9a-f-]{27}', '<id>');
	detail := regexp_replace(detail, ' at 20.*\.$', ' at <time>.');
	RETURN concat_ws(E'\n    ', code || ' ' || message, 'detail: ' || nullif(detail, ''), 'hint: ' || nullif(hint, ''));
END
$$;

-- Run a call: how it ended, and whether the tables are as they were.
CREATE FUNCTION outcome(call text, OUT code text, OUT message text, OUT tables text) LANGUAGE plpgsql AS $$
DECLARE
	before text := everything();
BEGIN
	BEGIN
		EXECUTE 'SELECT * FROM ' || call;
		code := 'none';
	EXCEPTION WHEN OTHERS THEN
		code := SQLSTATE;
		message := left(SQLERRM, 80);
	END;
	tables := CASE WHEN everything() = before THEN 'unchanged' ELSE 'CHANGED' END;
END
$$;

-- Run a call as often as told, each time in a subtransaction of its own, and roll
-- back every second of them: how many were kept, and what `state` says then.  The
-- call may use the number of the round, $1.
CREATE FUNCTION subtransactions(call text, times integer, state text DEFAULT 'state()') RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	kept integer := 0;
	answer text;
BEGIN
	FOR n IN 1 .. times LOOP
		BEGIN
			EXECUTE 'SELECT ' || call USING n;
			IF n % 2 = 0 THEN
				RAISE EXCEPTION USING ERRCODE = 'ZZ002';
			END IF;
			kept := kept + 1;
		EXCEPTION WHEN SQLSTATE 'ZZ002' THEN
		END;
	END LOOP;
	EXECUTE 'SELECT ' || state INTO answer;
	RETURN kept || ' kept: ' || answer;
END
$$;

-- Buy item 5 in subtransactions inside one another, as many as told; every third of
-- them is rolled back with all that it contains.
CREATE FUNCTION nest(depth integer) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
	PERFORM buy_item('u', 5);
	IF depth > 0 THEN
		PERFORM nest(depth - 1);
	END IF;
	IF depth % 3 = 0 THEN
		RAISE EXCEPTION USING ERRCODE = 'ZZ002';
	END IF;
EXCEPTION WHEN SQLSTATE 'ZZ002' THEN
END
$$;

RESET check_function_bodies;
\set ECHO all
