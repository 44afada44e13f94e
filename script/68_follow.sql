
-- ---------------------------------------------------------------- follow
--
-- Stores whose stock follows what the shop writes into its orders: what attach requires, books
-- and warns of.

CREATE FUNCTION inventory.has_index(relation regclass, column_name name) RETURNS boolean
	LANGUAGE sql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
	SELECT EXISTS (
		SELECT FROM pg_index AS i
		JOIN pg_class AS c ON c.oid = i.indexrelid JOIN pg_am AS m ON m.oid = c.relam
		JOIN pg_attribute AS a ON a.attrelid = i.indrelid AND a.attnum = i.indkey[0]
		WHERE i.indrelid = relation AND a.attname = column_name AND i.indisvalid AND i.indpred IS NULL
		AND m.amname = 'btree' AND i.indcollation[0] = a.attcollation)
$$;
COMMENT ON FUNCTION inventory.has_index(regclass, name) IS 'True if the rows of a table with a value of a column are found by a btree index.';

-- The item of a line must be the row whose stock it takes, and a line one row for all its life.
CREATE FUNCTION inventory.check_followed_lines(binding inventory.store_binding) RETURNS void
	LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	target regclass;
	column_name name;
BEGIN
	SELECT c.confrelid INTO target FROM pg_constraint AS c
	JOIN pg_attribute AS a ON a.attrelid = c.conrelid AND a.attnum = c.conkey[1]
	WHERE c.contype = 'f' AND c.conrelid = binding.orders AND cardinality(c.conkey) = 1
	AND a.attname = binding.order_item_id
	-- the items may have the key of that table as theirs
	AND NOT EXISTS (
		SELECT FROM pg_constraint AS i JOIN pg_attribute AS b ON b.attrelid = i.conrelid AND b.attnum = i.conkey[1]
		WHERE i.contype = 'f' AND i.conrelid = binding.items AND cardinality(i.conkey) = 1
		AND b.attname = binding.item_id AND i.confrelid = c.confrelid)
	ORDER BY c.confrelid = binding.items DESC LIMIT 1;
	IF target <> binding.items THEN
		RAISE EXCEPTION 'column "%" of % refers to %, not to %', binding.order_item_id, binding.orders, target, binding.items
			USING ERRCODE = 'invalid_column_reference',
				  DETAIL = 'It can have several rows of stock, or none: a line does not say of which it takes.',
				  HINT = 'Bind orders whose lines name the row of the stock, or choose order_writes => ''record'' or ''refuse''.';
	END IF;
	SELECT a.attname INTO column_name FROM pg_index AS i
	JOIN pg_attribute AS a ON a.attrelid = i.indrelid AND a.attnum = ANY (i.indkey)
	WHERE i.indrelid = binding.orders AND lower(a.attname) = 'version' LIMIT 1;
	IF FOUND THEN
		RAISE EXCEPTION 'the lines of % have versions', binding.orders
			USING ERRCODE = 'object_not_in_prerequisite_state',
				  DETAIL = format('Column "%s" is in an index: where a change of an order inserts its lines again, each would be taken again.', column_name),
				  HINT = 'Choose order_writes => ''record'' or ''refuse''.';
	END IF;
END
$$;
COMMENT ON FUNCTION inventory.check_followed_lines(inventory.store_binding) IS 'Raises an error if what the lines of a store take cannot be told from their rows.';

CREATE FUNCTION inventory.check_follow(binding inventory.store_binding) RETURNS void
	LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	other name;
BEGIN
	IF binding.order_writes <> 'follow' OR binding.orders IS NULL THEN
		RETURN;
	END IF;
	PERFORM inventory.check_followed_lines(binding);
	IF binding.header IS NULL THEN
		RETURN;
	END IF;
	SELECT a.attname INTO other FROM pg_constraint AS c
	JOIN pg_attribute AS a ON a.attrelid = c.conrelid AND a.attnum = c.conkey[1]
	WHERE c.contype = 'f' AND c.conrelid = binding.orders AND c.confrelid = binding.header
	AND cardinality(c.conkey) = 1 AND a.attname <> binding.order_header_id;
	IF other IS NOT NULL THEN
		RAISE EXCEPTION 'columns "%" and "%" of % both refer to %', binding.order_header_id, other,
						binding.orders, binding.header
			USING ERRCODE = 'invalid_column_reference',
				  DETAIL = 'A line of two headers cannot be followed: a change of either may change what it is worth.',
				  HINT = 'Choose order_writes => ''record'' or ''refuse''.';
	ELSIF NOT inventory.has_index(binding.orders, binding.order_header_id) THEN
		RAISE EXCEPTION 'column "%" of % has no index', binding.order_header_id, binding.orders
			USING ERRCODE = 'object_not_in_prerequisite_state',
				  DETAIL = 'Each change of a header looks up its lines.',
				  HINT = format('CREATE INDEX ON %s (%I);', binding.orders, binding.order_header_id);
	END IF;
END
$$;
COMMENT ON FUNCTION inventory.check_follow(inventory.store_binding) IS 'Raises an error if the orders of a store cannot be followed.';

-- Lines that the ledger does not know are supplied by an opening of their units, so that no
-- stock moves.  Where it knows them, and they are worth something else, so does an adjustment.
-- What they are worth is computed under the settings of the store, as it is later.
CREATE FUNCTION inventory.book_open_lines(binding inventory.store_binding, movements regclass)
	RETURNS void
	LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	rows text := 'line.*' || CASE WHEN binding.header IS NULL THEN '' ELSE ', header.*' END;
	header_join text := CASE WHEN binding.header IS NULL THEN ''
		ELSE format('LEFT JOIN %s AS header ON header.%I = line.%I', binding.header, binding.header_id,
					binding.order_header_id) END;
	line_user text := coalesce('line.' || quote_ident(binding.order_user_id),
							   'header.' || quote_ident(binding.header_user_id),
							   format('NULL::%s', inventory.type_name(binding.user_type)));
BEGIN
	IF binding.order_writes <> 'follow' OR binding.orders IS NULL THEN
		RETURN;
	END IF;
	PERFORM inventory.execute_latest(format($sql$
		WITH worth AS MATERIALIZED (
			SELECT line.%1$I AS order_id, i.%2$I AS item_id, %3$s AS user_id,
				   greatest(coalesce(%4$I.order_units(%5$s), 0), 0) AS units,
				   coalesce(%4$I.order_final(%5$s), false) AS final
			FROM %6$s AS line %7$s JOIN ONLY %8$s AS i ON i.%2$I = line.%9$I),
		-- Before the store followed its orders, close_ledger may have closed sales whose refunds and
		-- cancellations it kept, and a refund can be of another user than the sale, or of none.  A user
		-- of whom more is refunded than sold gets units of the line's others, or units that were closed.
		part AS MATERIALIZED (
			SELECT s.order_id, s.item_id, s.user_id, s.units + s.change AS units, s.refunded, s.archived, s.change
			FROM (
				SELECT r.*, (r.short - least(r.open, greatest(sum(r.short) OVER line - (sum(r.open) OVER parts - r.open), 0)))::bigint AS change
				FROM (
					SELECT k.*, greatest(k.refunded - k.units, 0) AS short, greatest(k.units - k.refunded, 0) AS open
					FROM (
						SELECT m.order_id, m.item_id, m.user_id,
							   sum(CASE m.kind WHEN 'refund' THEN 0 ELSE -m.delta END)::bigint AS units,
							   sum(CASE m.kind WHEN 'refund' THEN m.delta ELSE 0 END)::bigint AS refunded,
							   coalesce(bool_or(m.reason = 'archived'), false) AS archived
						FROM %10$s AS m WHERE m.order_id IS NOT NULL AND m.kind IN ('sale', 'cancellation', 'refund')
						GROUP BY m.order_id, m.item_id, m.user_id) AS k) AS r
				WINDOW line AS (PARTITION BY r.order_id, r.item_id), parts AS (line ORDER BY r.user_id)) AS s),
		booked AS MATERIALIZED (
			SELECT p.order_id, p.item_id, sum(p.units)::bigint AS units, sum(p.refunded)::bigint AS refunded,
				   (array_agg(p.user_id ORDER BY p.user_id) FILTER (WHERE p.units <> 0))[1] AS user_id,
				   sum(sum(p.units)) OVER (PARTITION BY p.order_id) AS of_all_items,
				   bool_or(bool_or(p.archived)) OVER (PARTITION BY p.order_id) AS archived
			FROM part AS p GROUP BY p.order_id, p.item_id),
		-- what is booked of a known line, and what it should be; a line without a user keeps that of the ledger
		target AS MATERIALIZED (
			SELECT b.order_id, b.item_id, b.units AS booked, b.refunded, b.of_all_items, coalesce(w.user_id, b.user_id) AS user_id,
				   CASE WHEN w.item_id = b.item_id THEN w.units ELSE 0 END AS units,
				   coalesce(w.item_id = b.item_id, false) AS has_item, coalesce(w.final, false) AS final
			FROM booked AS b LEFT JOIN worth AS w ON w.order_id = b.order_id
			WHERE w.order_id IS NOT NULL
			OR NOT b.archived AND NOT EXISTS (SELECT FROM %6$s AS line WHERE line.%1$I = b.order_id)
			UNION ALL
			SELECT w.order_id, w.item_id, 0, 0, k.of_all_items, coalesce(w.user_id, k.user_id), w.units, true, w.final
			FROM worth AS w JOIN LATERAL (SELECT b.of_all_items, b.user_id FROM booked AS b WHERE b.order_id = w.order_id ORDER BY b.user_id LIMIT 1) AS k ON true
			WHERE NOT EXISTS (SELECT FROM booked AS b WHERE b.order_id = w.order_id AND b.item_id = w.item_id)),
		changed AS MATERIALIZED (
			SELECT p.order_id, p.item_id, p.user_id, p.change FROM part AS p
			JOIN target AS t ON t.order_id = p.order_id AND t.item_id = p.item_id WHERE p.change <> 0),
		rise AS MATERIALIZED (
			SELECT t.order_id, t.item_id, t.user_id, t.units - t.booked AS units FROM target AS t
			WHERE t.units > t.booked AND (NOT t.final OR t.of_all_items = t.booked)),
		-- units of a part that fall: those that were refunded first
		fall AS MATERIALIZED (
			SELECT f.*, least(f.open, greatest(f.rest - f.open_before, 0)) AS units
			FROM (
				SELECT p.order_id, p.item_id, p.user_id, t.user_id AS new_user_id,
					   p.units - p.refunded AS open,
					   t.has_item AND t.user_id IS NOT NULL AND p.user_id IS DISTINCT FROM t.user_id AS is_other_user,
					   least(p.refunded, greatest(t.booked - t.units
							 - (sum(p.refunded) OVER parts - p.refunded), 0))::bigint AS refunded,
					   greatest(t.booked - t.units - t.refunded, 0) AS rest,
					   (sum(p.units - p.refunded) OVER parts - (p.units - p.refunded))::bigint AS open_before
				FROM part AS p JOIN target AS t ON t.order_id = p.order_id AND t.item_id = p.item_id
				WHERE NOT t.final
				WINDOW parts AS (PARTITION BY p.order_id, p.item_id ORDER BY p.user_id IS DISTINCT FROM t.user_id, p.user_id)) AS f),
		opened AS MATERIALIZED (
			SELECT w.order_id, w.item_id, w.user_id, w.units FROM worth AS w
			WHERE w.units > 0 AND NOT w.final
			AND NOT EXISTS (SELECT FROM booked AS b WHERE b.order_id = w.order_id))
		INSERT INTO %10$s (item_id, delta, kind, user_id, order_id, reason, actor, created_at)
		SELECT n.item_id, n.delta, n.kind, n.user_id, n.order_id, n.reason, current_user, clock_timestamp()
		FROM (
			SELECT o.item_id, -o.units AS delta, 'sale' AS kind, o.user_id, o.order_id, NULL AS reason FROM opened AS o
			UNION ALL
			SELECT o.item_id, sum(o.units)::bigint, 'opening', NULL, NULL, NULL FROM opened AS o GROUP BY o.item_id
			UNION ALL
			SELECT p.item_id, -p.change, CASE WHEN p.change > 0 THEN 'sale' ELSE 'cancellation' END, p.user_id, p.order_id, 'reattached' FROM changed AS p
			UNION ALL
			SELECT r.item_id, -r.units, 'sale', r.user_id, r.order_id, 'reattached' FROM rise AS r
			UNION ALL
			SELECT f.item_id, m.delta, m.kind, m.user_id, f.order_id, 'reattached'
			FROM fall AS f CROSS JOIN LATERAL (VALUES
				('refund', -f.refunded, f.user_id), ('cancellation', f.refunded + f.units, f.user_id),
				('cancellation', CASE WHEN f.is_other_user THEN f.open - f.units ELSE 0 END, f.user_id),
				('sale', CASE WHEN f.is_other_user THEN f.units - f.open ELSE 0 END, f.new_user_id)) AS m (kind, delta, user_id)
			WHERE m.delta <> 0
			UNION ALL
			SELECT c.item_id, sum(c.units)::bigint, 'adjustment', NULL, NULL, 'reattached'
			FROM (SELECT r.item_id, r.units FROM rise AS r UNION ALL SELECT f.item_id, -f.units FROM fall AS f
				  UNION ALL SELECT p.item_id, p.change FROM changed AS p) AS c
			GROUP BY c.item_id HAVING sum(c.units) <> 0) AS n$sql$,
		binding.order_id, binding.item_id, line_user, binding.ledger_schema, rows, binding.orders, header_join,
		binding.items, binding.order_item_id, movements), binding.settings);
END
$$;
COMMENT ON FUNCTION inventory.book_open_lines(inventory.store_binding, regclass) IS 'Books what the order lines of a store with order_writes follow are worth; no stock moves.';

-- By the text of functions: a trigger or function of the shop that counts the stock itself.
CREATE FUNCTION inventory.counting_code(binding inventory.store_binding, OUT object text, OUT drop_statement text)
	RETURNS SETOF record
	LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
	WITH names AS (
		SELECT $re$(?i)\mupdate\s+(only\s+)?("?$re$ || regexp_replace(n.nspname, $re$(\W)$re$, $re$\\\1$re$, 'g') || $re$"?\s*\.\s*)?"?$re$
			   || regexp_replace(c.relname, $re$(\W)$re$, $re$\\\1$re$, 'g') || $re$"?\M[^;]*\mset\M[^;]*"?\m$re$
			   || regexp_replace(binding.stock, $re$(\W)$re$, $re$\\\1$re$, 'g') || $re$\M"?\s*=$re$ AS pattern
		FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace WHERE c.oid = binding.items),
	counting AS (
		SELECT p.oid, p.prorettype FROM pg_proc AS p, names AS x
		JOIN pg_language AS l ON true
		WHERE l.oid = p.prolang AND l.lanname NOT IN ('internal', 'c')
		AND p.pronamespace NOT IN ('inventory'::regnamespace, 'pg_catalog'::regnamespace)
		AND (p.prosrc ~ x.pattern
			 OR p.prorettype = 'trigger'::regtype AND EXISTS (
				SELECT FROM pg_trigger AS t WHERE t.tgfoid = p.oid AND t.tgrelid = binding.items
				AND p.prosrc ~ ($re$(?i)\mnew\.\s*"?$re$ || regexp_replace(binding.stock, $re$(\W)$re$, $re$\\\1$re$, 'g') || $re$"?\s*:?=$re$))))
	SELECT format('trigger "%s" of %s', t.tgname, t.tgrelid::regclass),
		   format('DROP TRIGGER %I ON %s;', t.tgname, t.tgrelid::regclass)
	FROM counting AS c JOIN pg_trigger AS t ON t.tgfoid = c.oid
	WHERE t.tgrelid IN (binding.items, binding.orders, binding.header) AND NOT t.tgisinternal
	UNION ALL
	SELECT format('function %s', c.oid::regprocedure), format('DROP FUNCTION %s;', c.oid::regprocedure)
	FROM counting AS c WHERE c.prorettype <> 'trigger'::regtype
	ORDER BY 1
$$;
COMMENT ON FUNCTION inventory.counting_code(inventory.store_binding) IS 'Triggers and functions of the shop whose text writes the stock, and the statements that drop them.';

CREATE FUNCTION inventory.warn_follow(binding inventory.store_binding) RETURNS void
	LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	code record;
BEGIN
	IF binding.order_writes <> 'follow' THEN
		RETURN;
	END IF;
	FOR code IN SELECT c.object, c.drop_statement FROM inventory.counting_code(binding) AS c LOOP
		RAISE WARNING '% writes "%" of %', code.object, binding.stock, binding.items
			USING DETAIL = 'Each sale would count twice, and each cancellation make a unit out of nothing: the order line is the sale.',
				  HINT = code.drop_statement;
	END LOOP;
	IF binding.order_final IS NULL THEN
		RAISE WARNING 'no order line of % is final', binding.orders
			USING HINT = format('DELETE of an old line gives its units back. Say which lines do not: order_final => ''%s.status IN (...)''.',
								CASE WHEN binding.header IS NULL THEN 'line' ELSE 'header' END);
	END IF;
END
$$;
COMMENT ON FUNCTION inventory.warn_follow(inventory.store_binding) IS 'Warns of what makes the stock wrong where it follows the order lines: code of the shop that counts itself, lines that are never final.';

CREATE FUNCTION inventory.row_units(binding inventory.store_binding) RETURNS text
	LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
	SELECT CASE WHEN binding.order_quantity IS NULL THEN '1'
		-- as far as a bigint goes
		ELSE format('CASE WHEN o.%1$I::numeric <> ''NaN'' THEN trunc(least(greatest(o.%1$I::numeric, -9223372036854775807), 9223372036854775807))::bigint ELSE 0 END',
					binding.order_quantity) END
$$;
COMMENT ON FUNCTION inventory.row_units(inventory.store_binding) IS 'An expression for the whole units in the quantity of the row o of orders, 0 if it is none.';

-- What was sold is the row without what its changes added: beside those of before, one change
-- adds what the row has more, or less.
CREATE FUNCTION inventory.record_sold(binding inventory.store_binding, sold text) RETURNS void
	LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	PERFORM inventory.execute_latest(format($sql$
		WITH sold AS MATERIALIZED (%1$s),
		part AS (
			SELECT s.order_id, s.item_id, s.units, s.user_id FROM sold AS s
			UNION ALL
			SELECT o.%2$I, o.%3$I, -%4$s, NULL FROM %5$s AS o
			UNION ALL
			SELECT c.order_id, c.item_before, -c.quantity_before, NULL FROM %6$I.order_changes AS c
			WHERE c.operation <> 'INSERT'
			UNION ALL
			SELECT c.order_id, c.item_after, c.quantity_after, NULL FROM %6$I.order_changes AS c
			WHERE c.operation <> 'DELETE'),
		difference AS (
			SELECT p.order_id, p.item_id, sum(p.units)::bigint AS units, min(p.user_id) AS user_id FROM part AS p
			WHERE p.item_id IS NOT NULL AND EXISTS (SELECT FROM sold AS s WHERE s.order_id = p.order_id)
			GROUP BY p.order_id, p.item_id HAVING sum(p.units) <> 0)
		INSERT INTO %6$I.order_changes (order_id, operation, item_before, item_after, quantity_before,
										quantity_after, user_before, user_after, actor, created_at)
		SELECT d.order_id, 'UPDATE', d.item_id, d.item_id, greatest(d.units, 0), greatest(-d.units, 0),
			   d.user_id::%7$s, d.user_id::%7$s, current_user, clock_timestamp()
		FROM difference AS d ORDER BY d.order_id, d.item_id$sql$,
		sold, binding.order_id, binding.order_item_id,
		inventory.row_units(binding), binding.orders, binding.ledger_schema, inventory.type_name(binding.user_type)));
END
$$;
COMMENT ON FUNCTION inventory.record_sold(inventory.store_binding, text) IS 'Records where the rows of lines differ from what was sold on them, by a query for the columns order_id, item_id, units and user_id.';

CREATE FUNCTION inventory.is_booked(movements regclass) RETURNS text
	LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
	SELECT format($sql$EXISTS (SELECT FROM %s AS m WHERE m.order_id = l.order_id AND m.kind IN ('sale', 'cancellation'))$sql$,
				  movements)
$$;
COMMENT ON FUNCTION inventory.is_booked(regclass) IS 'A condition on a row l with an order_id: the ledger knows this line.';

-- Nothing was sold on a line that is gone and that the ledger does not know, whatever was recorded of it
-- before the store followed its orders.
CREATE FUNCTION inventory.record_followed_lines(binding inventory.store_binding, movements regclass)
	RETURNS void
	LANGUAGE sql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
	SELECT inventory.record_sold(binding, format($sql$
		SELECT m.order_id, m.item_id, sum(-m.delta) AS units, min(m.user_id::text) AS user_id
		FROM %1$s AS m WHERE m.order_id IS NOT NULL AND m.kind IN ('sale', 'cancellation')
		GROUP BY m.order_id, m.item_id
		UNION ALL
		SELECT l.order_id, NULL, 0, NULL FROM %2$I.order_changes AS l
		WHERE NOT %3$s AND NOT EXISTS (SELECT FROM %4$s AS o WHERE o.%5$I = l.order_id)$sql$,
		movements, binding.ledger_schema, inventory.is_booked(movements), binding.orders, binding.order_id))
$$;
COMMENT ON FUNCTION inventory.record_followed_lines(inventory.store_binding, regclass) IS 'Records, for a store that no longer follows its orders, where the rows of lines and the ledger differ.';

-- A line that the ledger does not know, as one of a cart or one that close_ledger has closed, was sold
-- as far as it is worth something.
CREATE FUNCTION inventory.record_unknown_lines(binding inventory.store_binding, movements regclass)
	RETURNS void
	LANGUAGE sql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
	SELECT inventory.record_sold(binding, format($sql$
		SELECT l.order_id, l.item_id, l.units, %1$s::text AS user_id
		FROM %2$I.order_worth AS l JOIN %3$s AS o ON o.%4$I = l.order_id WHERE NOT %5$s$sql$,
		coalesce('o.' || quote_ident(binding.order_user_id), 'NULL'), binding.ledger_schema, binding.orders,
		binding.order_id, inventory.is_booked(movements)))
$$;
COMMENT ON FUNCTION inventory.record_unknown_lines(inventory.store_binding, regclass) IS 'Records, for a store that is about to no longer follow its orders, where the rows of lines that its ledger does not know differ from what they are worth.';

-- Other columns say what the rows of lines have: what was sold on them stays what it was.
CREATE FUNCTION inventory.record_other_columns(old inventory.store_binding, new inventory.store_binding)
	RETURNS void
	LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	IF old.orders = new.orders
	   AND (old.order_item_id, old.order_quantity) IS DISTINCT FROM (new.order_item_id, new.order_quantity)
	THEN
		PERFORM inventory.record_sold(new, format($sql$
			SELECT o.%1$I AS order_id, o.%2$I AS item_id, %3$s AS units, %4$s::text AS user_id FROM %5$s AS o
			UNION ALL
			SELECT c.order_id, c.item_before, c.quantity_before, NULL FROM %6$I.order_changes AS c
			WHERE c.operation <> 'INSERT'
			UNION ALL
			SELECT c.order_id, c.item_after, -c.quantity_after, NULL FROM %6$I.order_changes AS c
			WHERE c.operation <> 'DELETE'$sql$,
			old.order_id, old.order_item_id, inventory.row_units(old), coalesce('o.' || quote_ident(old.order_user_id), 'NULL'),
			old.orders, new.ledger_schema));
	END IF;
END
$$;
COMMENT ON FUNCTION inventory.record_other_columns(inventory.store_binding, inventory.store_binding) IS 'Records, for a store whose item or quantity of lines is in another column, where the rows of lines differ from what was sold on them.';

-- The index of a ledger that follows orders tells that it did.
CREATE FUNCTION inventory.stop_following(binding inventory.store_binding, movements regclass) RETURNS void
	LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	of_orders regclass := to_regclass(format('%I.movements_orders_idx', binding.ledger_schema));
BEGIN
	IF of_orders IS NULL THEN
		RETURN;
	END IF;
	PERFORM inventory.record_followed_lines(binding, movements);
	EXECUTE format('DROP INDEX %s', of_orders);
END
$$;
COMMENT ON FUNCTION inventory.stop_following(inventory.store_binding, regclass) IS 'Where the ledger of a store has followed its orders before, and does so no longer: records where the rows of lines and the ledger differ.';
