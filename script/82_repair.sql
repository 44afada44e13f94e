
-- ---------------------------------------------------------------- repair
--
-- What verify finds, and what can be done about it.

CREATE FUNCTION inventory.is_of_catalogs(problem text) RETURNS boolean
	LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
	SELECT problem IN ('store_not_intact', 'functions_outdated') OR problem ~ '_missing$' AND problem <> 'order_missing'
		OR problem ~ '_(disabled|not_always_enabled)$'
$$;
COMMENT ON FUNCTION inventory.is_of_catalogs(text) IS 'Is a problem that verify finds one of the triggers and views of a store, and not of its rows?';

CREATE FUNCTION inventory.has_problem_of_catalogs(found jsonb) RETURNS boolean
	LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
	SELECT EXISTS (SELECT FROM jsonb_array_elements(found) AS f WHERE inventory.is_of_catalogs(f->>'problem'))
$$;
COMMENT ON FUNCTION inventory.has_problem_of_catalogs(jsonb) IS 'Is one of these findings of verify about triggers or views?';

CREATE FUNCTION inventory.verify_quietly(items regclass, item text) RETURNS jsonb
	LANGUAGE sql VOLATILE SET search_path = pg_catalog, pg_temp SET client_min_messages = error AS $$
	SELECT coalesce(jsonb_agg(to_jsonb(v)), '[]')
	FROM inventory.verify(verify_quietly.items, verify_quietly.item) AS v
$$;
COMMENT ON FUNCTION inventory.verify_quietly(regclass, text) IS 'What verify finds, without its warning about a store that is not intact.';

CREATE FUNCTION inventory.repair_triggers(items regclass) RETURNS void
	LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	store inventory.store := inventory.lookup_owned_store(repair_triggers.items);
	binding inventory.store_binding := inventory.read_binding(store);
BEGIN
	PERFORM inventory.drop_triggers(store);
	PERFORM inventory.make_triggers(binding);
END
$$;
COMMENT ON FUNCTION inventory.repair_triggers(regclass) IS 'Creates the guards and the binding triggers of a store again. Part of repair.';

CREATE FUNCTION inventory.repair_action(problem text, expected bigint, actual bigint) RETURNS text
	LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
	SELECT CASE
		WHEN problem IN ('stock_differs_from_movements', 'untracked_item_has_balance', 'movements_of_unknown_item')
			THEN format('%s booked', coalesce(actual, 0) - expected)
		WHEN problem = 'holds_differ_from_movements'
			THEN format('%s booked as %s and %s as direct', expected - actual,
						CASE WHEN expected > actual THEN 'release' ELSE 'hold' END, actual - expected)
		WHEN problem = 'counter_differs_from_stock' THEN 'the counter is counted again from the tables'
		WHEN problem = 'functions_outdated' THEN 'functions, views and triggers generated again'
		WHEN problem = 'store_not_intact' THEN 'functions, views, triggers and the table "hot" corrected'
		ELSE 'triggers created again'
		END
$$;
COMMENT ON FUNCTION inventory.repair_action(text, bigint, bigint) IS 'What repair has done about a finding of verify.';

CREATE FUNCTION inventory.repair_refusal(item_id text, problem text, reason text) RETURNS text
	LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
	SELECT 'not repaired: ' || CASE
		WHEN problem = 'order_missing' THEN 'an order is never changed; put the line back, or call refund_order with its key if its units came back'
		WHEN problem = 'order_differs_from_sale' THEN 'an order is never changed; correct the line, or use change_order or refund_order'
		WHEN problem = 'refunds_exceed_sales' THEN 'a refund is never changed; count the units, and book that with count_stock'
		WHEN problem = 'cannot_be_settled' THEN 'the row refuses what was sold; problem of inventory.hot_entries() says why'
		WHEN problem = 'direct_after_sale' THEN 'whether the units were there is not known; count them, and book that with count_stock'
		WHEN problem = 'direct_ignored' THEN 'the ledger is right; book what was meant with restock_item, then call inventory.reset_stats()'
		WHEN reason IS NOT NULL THEN reason
		WHEN item_id IS NULL THEN 'a row has no key'
		ELSE 'it is not known what is right'
		END
$$;
COMMENT ON FUNCTION inventory.repair_refusal(text, text, text) IS 'Why repair has not repaired a finding of verify; the last argument is an error that it met, or null.';

CREATE FUNCTION inventory.repair_report(found jsonb, rest jsonb, reason text) RETURNS jsonb
	LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
	WITH finding AS (
		SELECT DISTINCT f.* FROM jsonb_to_recordset(found) AS f(item_id text, problem text, expected bigint, actual bigint)),
	result AS (
		-- a counter is counted again at the commit
		SELECT f.*, f.problem = 'counter_differs_from_stock' OR NOT EXISTS (
			SELECT FROM jsonb_to_recordset(rest) AS r(item_id text, problem text)
			WHERE r.problem = f.problem AND r.item_id IS NOT DISTINCT FROM f.item_id) AS repaired
		FROM finding AS f)
	SELECT coalesce(jsonb_agg(to_jsonb(r) || jsonb_build_object('action',
		CASE WHEN r.repaired THEN inventory.repair_action(r.problem, r.expected, r.actual)
		ELSE inventory.repair_refusal(r.item_id, r.problem, reason) END)
		ORDER BY r.item_id NULLS FIRST, r.problem, r.expected, r.actual), '[]')
	FROM result AS r
$$;
COMMENT ON FUNCTION inventory.repair_report(jsonb, jsonb, text) IS 'What verify found before a repair, what is left of it, and what was done or why nothing was.';

-- Raises nothing but for a cancelled statement: what one part cannot repair, the next may.
CREATE FUNCTION inventory.try_repair(store inventory.store, part text, item text, OUT reason text)
	LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	detail text;
BEGIN
	CASE part
		WHEN 'triggers' THEN PERFORM inventory.repair_triggers(store.items);
		WHEN 'hot' THEN PERFORM inventory.repair_hot(store.store_name);
		WHEN 'store' THEN PERFORM inventory.refresh_store(store.items);
		WHEN 'ledger' THEN PERFORM inventory.repair_ledger(store.store_name, item);
	END CASE;
EXCEPTION WHEN OTHERS THEN
	GET STACKED DIAGNOSTICS reason = MESSAGE_TEXT, detail = PG_EXCEPTION_DETAIL;
	reason := concat_ws(': ', reason, nullif(detail, ''));
END
$$;
COMMENT ON FUNCTION inventory.try_repair(inventory.store, text, text) IS 'Repairs a part of a store. Returns null, or, with nothing repaired, the error.';

-- What is wrong with triggers and views is repaired first, because changes were missed
-- until then.  The first lock is the strongest that is needed, and on the table that buyers lock
-- first: nothing is written between what is found, what is repaired, and the commit.
CREATE FUNCTION inventory.repair_store(items regclass, item text) RETURNS jsonb
	LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	store inventory.store := inventory.lookup_owned_store(repair_store.items);
	found jsonb := inventory.verify_quietly(store.items, repair_store.item);
	gone jsonb := '[]';
	reason text;
BEGIN
	EXECUTE format('LOCK TABLE ONLY %s IN %s MODE', store.items,
		CASE WHEN inventory.has_problem_of_catalogs(found) THEN 'ACCESS EXCLUSIVE' ELSE 'SHARE ROW EXCLUSIVE' END);
	IF inventory.has_problem_of_catalogs(found) THEN
		gone := (SELECT jsonb_agg(f) FROM jsonb_array_elements(found) AS f WHERE inventory.is_of_catalogs(f->>'problem'));
		IF found @> '[{"problem": "store_not_intact"}]' THEN
			PERFORM inventory.try_repair(store, 'hot', NULL);
			IF inventory.verify_quietly(store.items, NULL) @> '[{"problem": "store_not_intact"}]' THEN
				reason := inventory.try_repair(store, 'store', NULL);
			END IF;
		END IF;
		IF inventory.verify_quietly(store.items, NULL) @> '[{"problem": "functions_outdated"}]' THEN
			reason := inventory.try_repair(store, 'store', NULL);
		END IF;
		IF inventory.has_problem_of_catalogs(inventory.verify_quietly(store.items, NULL)) THEN
			reason := coalesce(reason, inventory.try_repair(store, 'triggers', NULL));
		END IF;
	END IF;
	found := inventory.verify_quietly(store.items, repair_store.item);
	IF found <> '[]' THEN
		reason := coalesce(inventory.try_repair(store, 'ledger', repair_store.item), reason);
	END IF;
	RETURN inventory.repair_report(gone || found, inventory.verify_quietly(store.items, repair_store.item), reason);
END
$$;
COMMENT ON FUNCTION inventory.repair_store(regclass, text) IS 'Implements repair, with the rights of the owner of the items.';

CREATE FUNCTION inventory.repair_as_owner(items regclass, item text) RETURNS jsonb
	LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'inventory_repair';
COMMENT ON FUNCTION inventory.repair_as_owner(regclass, text) IS 'Calls repair_store as the owner of the items.';

CREATE FUNCTION inventory.repair(items regclass, item text DEFAULT NULL, OUT item_id text, OUT problem text,
								 OUT expected bigint, OUT actual bigint, OUT repaired boolean, OUT action text)
	RETURNS SETOF record
	LANGUAGE sql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp AS $$
	SELECT * FROM jsonb_to_recordset(inventory.repair_as_owner(repair.items, repair.item))
		AS f(item_id text, problem text, expected bigint, actual bigint, repaired boolean, action text)
$$;
COMMENT ON FUNCTION inventory.repair(regclass, text) IS 'Repairs what verify finds of a store, or of one item: creates triggers again, books as direct what the movements lack to the stock, and what reservations hold, and counts the counters of hot items again. The rows of items, reservations and orders are right and are not changed. Returns each finding, whether it was repaired, and what was done or why nothing was. Arguments: items, the table; item, a key, or null for all. Writers of items wait until the transaction ends. Errors: IV012 not_a_store, 22004, 22P02 for an item that is not of the type of the key, 42501.';
