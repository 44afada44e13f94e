
-- ---------------------------------------------------------------- results
--
-- The views of a ledger and the result types of the generated functions.

-- What a view or a type of the ledger's owner consists of, as its maker writes it;
-- null if there is none.
CREATE FUNCTION inventory.ledger_columns(p inventory.plan, relation name) RETURNS text
	LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
	SELECT string_agg(format('%I %s', a.attname, format_type(a.atttypid, a.atttypmod)), ', '
					  ORDER BY a.attnum)
	FROM pg_namespace AS n
	JOIN pg_class AS m ON m.relnamespace = n.oid AND m.relname = 'movements'
	JOIN pg_class AS c ON c.relnamespace = n.oid AND c.relowner = m.relowner
	JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attnum > 0
	WHERE n.nspname = p.ledger_schema AND c.relname = relation AND c.relkind IN ('v', 'c')
$$;
COMMENT ON FUNCTION inventory.ledger_columns(inventory.plan, name) IS 'The columns of a view or type in a ledger, to see whether it can stay.';

-- A result type of the generated functions.  One that fits stays, because calls
-- are under way that return it; another goes, and the functions that return it.
CREATE FUNCTION inventory.make_type(p inventory.plan, type_name name, columns text, description text)
	RETURNS void
	LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp
	SET client_min_messages = warning AS $$
DECLARE
	type text := format('%I.%I', p.ledger_schema, type_name);
	fits boolean := coalesce(inventory.ledger_columns(p, type_name) = columns, false);
BEGIN
	IF NOT fits THEN
		PERFORM inventory.drop_functions(ARRAY(
			SELECT f.function_id FROM inventory.existing_facade(p) AS f
			JOIN pg_proc AS o ON o.oid = f.function_id WHERE o.prorettype = to_regtype(type)));
		EXECUTE format('DROP TYPE IF EXISTS %s', type);
		EXECUTE format('CREATE TYPE %s AS (%s)', type, columns);
	END IF;
	-- everybody's, unless somebody said otherwise: restored without privileges
	IF NOT fits OR (SELECT t.typacl FROM pg_type AS t WHERE t.oid = to_regtype(type)) IS NULL THEN
		PERFORM inventory.restrict_to_owner('TYPE', type, p.owner,
			format('SELECT t.typacl FROM pg_type AS t WHERE t.oid = %L::regtype', type));
	END IF;
	EXECUTE format('COMMENT ON TYPE %s IS %L', type, description);
END
$$;
COMMENT ON FUNCTION inventory.make_type(inventory.plan, name, text, text) IS 'Makes a result type of a store''s functions, or keeps the one that is there and fits.';

-- Stock of each item.  The view is replaced where it can be: the shop may have
-- views of its own on it.
CREATE FUNCTION inventory.make_levels(p inventory.plan) RETURNS void
	LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp
	SET client_min_messages = warning AS $$
DECLARE
	floor text := coalesce('coalesce(i.' || quote_ident(p.stock_floor) || ', 0)::numeric', '0');
	most text := CASE p.stock_type WHEN 'smallint'::regtype THEN '32767'
					WHEN 'integer'::regtype THEN '2147483647' ELSE '9223372036854775807' END;
	fits boolean := coalesce(inventory.ledger_columns(p, 'levels') =
		format('item_id %s, available %s, reserved bigint, on_hand bigint, hot boolean',
			   p.item_type, p.stock_type), false);
BEGIN
	IF NOT fits THEN
		EXECUTE format('DROP VIEW IF EXISTS %I.levels', p.ledger_schema);
	END IF;
	EXECUTE CASE WHEN fits THEN 'CREATE OR REPLACE' ELSE 'CREATE' END || format($sql$
		VIEW %1$I.levels AS
		SELECT i.%2$I::%7$s AS item_id,
			   CASE WHEN i.%3$I IS NOT NULL
			   THEN least(greatest(i.%3$I::numeric + coalesce(u.unsettled, 0) + coalesce(r.overdue, 0) - %4$s, 0), %5$s)::%6$s END AS available,
			   coalesce(r.held - r.overdue, 0)::bigint AS reserved,
			   (i.%3$I + coalesce(u.unsettled, 0) + coalesce(r.held, 0))::bigint AS on_hand,
			   coalesce(u.hot, false) AS hot
		FROM ONLY %8$s AS i
		LEFT JOIN (SELECT h.item_id, sum(h.quantity) AS held,
						  coalesce(sum(h.quantity) FILTER (WHERE h.expires_at <= clock_timestamp()), 0) AS overdue
				   FROM %1$I.reservations AS h WHERE h.status = 'held' AND h.tracked
				   GROUP BY h.item_id) AS r ON r.item_id = i.%2$I
		LEFT JOIN LATERAL (
			SELECT t.hot, (SELECT sum(m.delta) FROM %1$I.movements AS m
						   WHERE m.item_id = t.item_id AND m.epoch > t.settled_epoch) AS unsettled
			FROM %1$I.hot AS t WHERE t.item_id = i.%2$I AND t.hot) AS u ON true$sql$,
		p.ledger_schema, p.item_id, p.stock, floor, most, p.stock_type, p.item_type, p.items);
	EXECUTE format('COMMENT ON VIEW %I.levels IS %L', p.ledger_schema,
				   'Stock of each item, in units: available can be sold, reserved is held, on_hand is both; null where stock is not tracked.');
	IF NOT fits THEN
		PERFORM inventory.restrict_relation_to_owner('TABLE', p.ledger_schema, 'levels', p.owner);
	END IF;
END
$$;
COMMENT ON FUNCTION inventory.make_levels(inventory.plan) IS 'Makes the view of a store''s stock, or replaces it.';

-- The views and the result types: by each attach and refresh.
CREATE FUNCTION inventory.make_views(p inventory.plan) RETURNS void
	LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	PERFORM inventory.make_levels(p);
	IF p.sellable IS NOT NULL THEN
		BEGIN
			-- one expression, whose parentheses do not close ours: in two places, no other fits
			EXECUTE format(E'SELECT CASE WHEN (%s\n) THEN 1 END FROM ONLY %s AS i LIMIT 0',
						   p.sellable, p.items);
			EXECUTE format(E'CREATE VIEW %I.sellable AS SELECT i.%I AS item_id FROM ONLY %s AS i WHERE (%s\n)',
						   p.ledger_schema, p.item_id, p.items, p.sellable);
		EXCEPTION WHEN syntax_error_or_access_rule_violation THEN
			RAISE EXCEPTION 'sellable is not a condition on %: %', p.items, SQLERRM
				USING ERRCODE = SQLSTATE,
					  HINT = 'Give what could stand behind WHERE, such as: status = ''live''. Tables and functions in it are named with their schemas.';
		END;
		EXECUTE format('COMMENT ON VIEW %I.sellable IS %L', p.ledger_schema,
					   'The items that are for sale. The engine reads the condition from here.');
		PERFORM inventory.restrict_relation_to_owner('TABLE', p.ledger_schema, 'sellable', p.owner);
	END IF;

	PERFORM inventory.make_type(p, 'line', format(
		'status text, item_id %s, quantity %s, order_id %s, available %s, replayed boolean',
		p.item_type, p.stock_type, p.order_type, p.stock_type),
		'A line of a cart''s answer: status is ok or the name of the refusal, not_taken where another line was at fault; available is what can be sold afterwards.');
	PERFORM inventory.make_type(p, 'hold',
		'status text, reservation_id uuid, expires_at timestamp with time zone, short_lines jsonb',
		'The answer of try_reserve_cart: status is ok or the name of the refusal, short_lines the lines that were refused.');
	PERFORM inventory.make_type(p, 'held_line', format(
		'status text, expires_at timestamp with time zone, item_id %s, quantity %s, order_id %s',
		p.item_type, p.stock_type, p.order_type),
		'A line of a reservation: status is held, confirmed, released or expired, as it is at the instant of looking.');
END
$$;
COMMENT ON FUNCTION inventory.make_views(inventory.plan) IS 'Makes the views and the result types of a store.';
