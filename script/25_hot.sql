
-- ---------------------------------------------------------------- hot items

CREATE FUNCTION inventory.heat(items pg_catalog.regclass, item "any") RETURNS pg_catalog.bool
	LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'inventory_heat';
COMMENT ON FUNCTION inventory.heat(pg_catalog.regclass, "any") IS 'Makes an item hot: once the transaction has committed, buyers of the item do not wait for each other. Arguments: items, the table; item, a key. Returns false if the item is hot already. See doc/hot-items.md. Errors: IV002 item_not_found, IV012 not_a_store, 55000 if the server is not configured for hot items, the stock of the item is not tracked, its row could refuse what the counter would allow, or the item is kept cold, 53400 if inventory.max_hot_items are hot, 22004, 42501.';

CREATE FUNCTION inventory.cool(items pg_catalog.regclass, item "any" DEFAULT NULL)
	RETURNS pg_catalog.int8
	LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'inventory_cool';
COMMENT ON FUNCTION inventory.cool(pg_catalog.regclass, "any") IS 'Makes an item, or every item of a store, cold: lets no other buyers begin, and waits until the transactions that have taken units have ended. Arguments: items, the table; item, a key, or null for all. Returns how many items were hot. Errors: IV014 busy if such a transaction lasts longer than inventory.hot_lock_timeout, 55006 if this transaction is one of them, IV002 item_not_found, IV012 not_a_store, 42501.';

CREATE FUNCTION inventory.keep_cold(items pg_catalog.regclass, item "any", keep pg_catalog.bool DEFAULT true)
	RETURNS pg_catalog.void
	LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'inventory_keep_cold';
COMMENT ON FUNCTION inventory.keep_cold(pg_catalog.regclass, "any", pg_catalog.bool) IS 'Keeps an item cold, so that transactions that buy it can always be prepared: a hot item is cooled as by cool(), heat() refuses the item, and inventory.hot_mode = auto leaves it alone. Arguments: items, the table; item, a key; keep, false to allow that it becomes hot again. Errors: IV014 busy and 55006 as for cool(), 55000 if the stock of the item is not tracked, IV002 item_not_found, IV012 not_a_store, 22004, 42501.';

CREATE FUNCTION inventory.settle(items pg_catalog.regclass) RETURNS pg_catalog.int8
	LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'inventory_settle';
COMMENT ON FUNCTION inventory.settle(pg_catalog.regclass) IS 'Writes the movements of hot items into their stock column, except those that a transaction in flight could still add to; the worker does this every inventory.settle_interval. Returns the number of items written. Errors: IV012 not_a_store, 55006 if this transaction has bought a hot item, 42501.';

CREATE FUNCTION inventory.hot_entries(OUT items pg_catalog.oid, OUT number pg_catalog.int8,
		OUT state pg_catalog.text, OUT available pg_catalog.int8, OUT held pg_catalog.int8,
		OUT epoch pg_catalog.int8, OUT settled_epoch pg_catalog.int8,
		OUT holders pg_catalog.int4[], OUT problem pg_catalog.text)
	RETURNS SETOF record
	LANGUAGE c VOLATILE PARALLEL RESTRICTED AS 'MODULE_PATHNAME', 'inventory_hot_entries';
COMMENT ON FUNCTION inventory.hot_entries() IS 'The counters of the hot items of this database at this instant. number identifies the row of the item in the table "hot" of the store; state is unpublished, hot or cooling; available is what can be sold above the floor and held what transactions in flight have taken, both in units; holders are the process ids of these transactions; problem is why the stock column could not be written when that was last tried, or null.';

-- The source text of functions is all that tells what they do.  Comments and strings are
-- taken out of it, and the functions that it calls are looked at, too.  Functions in C are
-- not those of shops; heat() sees them at work when it writes the row for a trial.
CREATE FUNCTION inventory.function_code(function_id pg_catalog.oid, OUT language pg_catalog.name,
										OUT code pg_catalog.text)
	LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
	SELECT l.lanname, regexp_replace(p.prosrc,
		$re$--[^\n]*|/\*([^*]|\*+[^*/])*\*+/|'([^']|'')*'$re$, ' ', 'g')
	FROM pg_proc AS p JOIN pg_language AS l ON l.oid = p.prolang WHERE p.oid = function_id
$$;
COMMENT ON FUNCTION inventory.function_code(pg_catalog.oid) IS 'The language of a function, and its source without comments and strings.';

CREATE FUNCTION inventory.refusing_trigger(relation pg_catalog.oid, columns pg_catalog.int8[])
	RETURNS pg_catalog.text
	LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
	WITH RECURSIVE fired AS (
		SELECT t.tgname, t.tgfoid, t.tgconstraint <> 0 AS is_constraint,
			   t.tgtype & 3 = 3 AS is_before_row
		FROM pg_trigger AS t
		WHERE t.tgrelid = refusing_trigger.relation AND NOT t.tgisinternal
		AND t.tgenabled IN ('O', 'A') AND t.tgtype & 16 <> 0
		AND (cardinality(t.tgattr::int2[]) = 0
			 OR t.tgattr::int2[]::int8[] && refusing_trigger.columns)
		AND t.tgfoid NOT IN ('inventory.guard()'::regprocedure, 'inventory.binding()'::regprocedure,
							 'inventory.keep_stock()'::regprocedure)
	), called AS (
		SELECT f.tgname, f.is_before_row, f.tgfoid AS function_id, c.language, c.code
		FROM fired AS f CROSS JOIN LATERAL inventory.function_code(f.tgfoid) AS c
		UNION
		SELECT s.tgname, false, p.oid, c.language, c.code
		FROM called AS s
		CROSS JOIN LATERAL regexp_matches(s.code,
			$re$([[:alpha:]_][[:alnum:]_$]*|"[^"]+")\s*\($re$, 'g') AS m(word)
		JOIN pg_proc AS p ON p.proname = CASE WHEN left(m.word[1], 1) = '"' THEN btrim(m.word[1], '"')
											  ELSE lower(m.word[1]) END
		AND p.pronamespace NOT IN ('pg_catalog'::regnamespace, 'inventory'::regnamespace)
		CROSS JOIN LATERAL inventory.function_code(p.oid) AS c
		WHERE c.language IN ('plpgsql', 'sql')
	), refusal AS (
		SELECT f.tgname, 'is a constraint trigger' AS why FROM fired AS f WHERE f.is_constraint
		UNION ALL
		SELECT s.tgname, format(CASE
			WHEN s.language NOT IN ('plpgsql', 'sql', 'c', 'internal')
				THEN 'calls %s, which is not written in plpgsql'
			WHEN s.language <> 'plpgsql' THEN NULL
			WHEN s.code ~* $re$\mraise\M(?!\s+(debug|log|info|notice|warning)\M)|\massert\M$re$
				THEN 'calls %s, which can raise an error'
			WHEN s.is_before_row AND s.code ~* $re$\mreturn\s+null\M$re$
				THEN 'calls %s, which can suppress the write'
			WHEN s.is_before_row AND EXISTS (
				SELECT FROM pg_attribute AS a
				WHERE a.attrelid = refusing_trigger.relation AND a.attnum = ANY (refusing_trigger.columns)
				AND s.code ~* format($re$(;|\m(then|else|begin|loop)\M)\s*new\s*\.\s*"?%s"?\s*:?=$re$,
									 regexp_replace(a.attname, $re$(\W)$re$, $re$\\\1$re$, 'g')))
				THEN 'calls %s, which can change what is written'
			END, s.function_id::regprocedure)
		FROM called AS s
	)
	SELECT format('"%s" %s', r.tgname, r.why) FROM refusal AS r WHERE r.why <> ''
	ORDER BY r.tgname, r.why LIMIT 1
$$;
COMMENT ON FUNCTION inventory.refusing_trigger(pg_catalog.oid, pg_catalog.int8[]) IS 'A trigger on a table that could refuse an UPDATE of these columns, or change what it writes, and why, as far as the source of its function tells; null if there is none.';

CREATE FUNCTION inventory.count_hot(items pg_catalog.regclass) RETURNS pg_catalog.int8
	LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'inventory_count_hot';
COMMENT ON FUNCTION inventory.count_hot(pg_catalog.regclass) IS 'Returns how many items of a store are hot according to its ledger, 0 if that is damaged. For the owner of the items.';

-- The stock column of a hot item lags behind, and only the engine can complete it.
CREATE FUNCTION inventory.check_cold(store inventory.store) RETURNS void
	LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	hot_items bigint := inventory.count_hot(store.items);
BEGIN
	IF hot_items > 0 THEN
		RAISE EXCEPTION 'store "%" has % hot items', store.store_name, hot_items
			USING ERRCODE = 'object_in_use',
				  HINT = format('Make them cold first: SELECT inventory.cool(%L);', store.items);
	END IF;
END
$$;
COMMENT ON FUNCTION inventory.check_cold(inventory.store) IS 'Raises an error if an item of a store is hot.';

CREATE FUNCTION inventory.refuse_hot() RETURNS void
	LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	PERFORM inventory.check_cold(s) FROM inventory.store AS s;
END
$$;
COMMENT ON FUNCTION inventory.refuse_hot() IS 'Raises an error if an item of any store is hot.';

CREATE FUNCTION inventory.before_drop() RETURNS pg_catalog.event_trigger
	LANGUAGE c AS 'MODULE_PATHNAME', 'inventory_before_drop';
COMMENT ON FUNCTION inventory.before_drop() IS 'Event trigger function: refuses to drop the extension while an item is hot.';

CREATE EVENT TRIGGER inventory_before_drop ON ddl_command_start
	WHEN TAG IN ('DROP EXTENSION', 'DROP SCHEMA') EXECUTE FUNCTION inventory.before_drop();
COMMENT ON EVENT TRIGGER inventory_before_drop IS 'Refuses to drop the extension while an item is hot.';
