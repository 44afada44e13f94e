
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

CREATE FUNCTION inventory.check_follow(binding inventory.store_binding) RETURNS void
	LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	other name;
BEGIN
	IF binding.order_writes <> 'follow' OR binding.orders IS NULL THEN
		RETURN;
	END IF;
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
CREATE FUNCTION inventory.book_open_lines(binding inventory.store_binding, movements regclass)
	RETURNS void
	LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	rows text := 'line' || CASE WHEN binding.header IS NULL THEN '' ELSE ', header' END;
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
	EXECUTE format($sql$
		WITH worth AS MATERIALIZED (
			SELECT line.%1$I AS order_id, i.%2$I AS item_id, %3$s AS user_id,
				   greatest(coalesce(%4$I.order_units(%5$s), 0), 0) AS units,
				   coalesce(%4$I.order_final(%5$s), false) AS final
			FROM %6$s AS line %7$s JOIN ONLY %8$s AS i ON i.%2$I = line.%9$I),
		known AS MATERIALIZED (
			SELECT m.order_id, m.item_id, sum(-m.delta) AS units FROM %10$s AS m
			WHERE m.order_id IS NOT NULL AND m.kind IN ('sale', 'cancellation', 'refund')
			GROUP BY m.order_id, m.item_id),
		booked AS MATERIALIZED (
			SELECT m.order_id, m.item_id, sum(-m.delta) AS units FROM %10$s AS m
			WHERE m.order_id IS NOT NULL AND m.kind IN ('sale', 'cancellation')
			GROUP BY m.order_id, m.item_id),
		change AS MATERIALIZED (
			SELECT w.order_id, w.item_id, w.user_id, w.units, false AS known FROM worth AS w
			WHERE w.units > 0 AND NOT w.final
			AND NOT EXISTS (SELECT FROM known AS k WHERE k.order_id = w.order_id)
			UNION ALL
			SELECT w.order_id, w.item_id, w.user_id, (w.units - coalesce(b.units, 0))::bigint, true
			FROM worth AS w LEFT JOIN booked AS b ON b.order_id = w.order_id AND b.item_id = w.item_id
			WHERE NOT w.final AND w.units <> coalesce(b.units, 0)
			AND EXISTS (SELECT FROM known AS k WHERE k.order_id = w.order_id))
		INSERT INTO %10$s (item_id, delta, kind, user_id, order_id, reason, actor, created_at)
		SELECT n.item_id, n.delta, n.kind, n.user_id, n.order_id, n.reason, current_user, clock_timestamp()
		FROM (
			SELECT c.item_id, -c.units AS delta, CASE WHEN c.units > 0 THEN 'sale' ELSE 'cancellation' END AS kind,
				   c.user_id, c.order_id, CASE WHEN c.known THEN 'reattached' END AS reason
			FROM change AS c
			UNION ALL
			SELECT c.item_id, sum(c.units)::bigint, CASE WHEN c.known THEN 'adjustment' ELSE 'opening' END,
				   NULL, NULL, CASE WHEN c.known THEN 'reattached' END
			FROM change AS c GROUP BY c.item_id, c.known) AS n$sql$,
		binding.order_id, binding.item_id, line_user, binding.ledger_schema, rows, binding.orders, header_join,
		binding.items, binding.order_item_id, movements);
END
$$;
COMMENT ON FUNCTION inventory.book_open_lines(inventory.store_binding, regclass) IS 'Books what the order lines of a store with order_writes follow are worth; no stock moves.';

-- By the text of functions: a trigger or function of the shop that counts the stock itself.
CREATE FUNCTION inventory.counting_code(binding inventory.store_binding, OUT object text, OUT drop_statement text)
	RETURNS SETOF record
	LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
	WITH names AS (
		SELECT '(?i)\mupdate\s+(only\s+)?("?' || regexp_replace(n.nspname, '(\W)', '\\\1', 'g') || '"?\s*\.\s*)?"?'
			   || regexp_replace(c.relname, '(\W)', '\\\1', 'g') || '"?\M[^;]*\mset\M[^;]*"?\m'
			   || regexp_replace(binding.stock, '(\W)', '\\\1', 'g') || '\M"?\s*=' AS pattern
		FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace WHERE c.oid = binding.items),
	counting AS (
		SELECT p.oid, p.prorettype FROM pg_proc AS p, names AS x
		JOIN pg_language AS l ON true
		WHERE l.oid = p.prolang AND l.lanname NOT IN ('internal', 'c')
		AND p.pronamespace NOT IN ('inventory'::regnamespace, 'pg_catalog'::regnamespace)
		AND (p.prosrc ~ x.pattern
			 OR p.prorettype = 'trigger'::regtype AND EXISTS (
				SELECT FROM pg_trigger AS t WHERE t.tgfoid = p.oid AND t.tgrelid = binding.items
				AND p.prosrc ~ ('(?i)\mnew\.\s*"?' || regexp_replace(binding.stock, '(\W)', '\\\1', 'g') || '"?\s*:?='))))
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
			USING HINT = 'DELETE of an old line gives its units back. Say which lines do not: order_final => ''header.status IN (...)''.';
	END IF;
END
$$;
COMMENT ON FUNCTION inventory.warn_follow(inventory.store_binding) IS 'Warns of what makes the stock wrong where it follows the order lines: code of the shop that counts itself, lines that are never final.';
