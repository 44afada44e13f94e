
-- ---------------------------------------------------------------- statistics

CREATE FUNCTION inventory.stats_entries(OUT items pg_catalog.oid, OUT operation pg_catalog.text,
		OUT calls pg_catalog.int8, OUT units pg_catalog.int8, OUT replays pg_catalog.int8,
		OUT retries pg_catalog.int8, OUT waits pg_catalog.int8, OUT out_of_stock pg_catalog.int8,
		OUT item_not_found pg_catalog.int8, OUT purchase_limit_exceeded pg_catalog.int8,
		OUT refused_state pg_catalog.int8, OUT busy pg_catalog.int8)
	RETURNS SETOF record
	LANGUAGE c VOLATILE PARALLEL RESTRICTED AS 'MODULE_PATHNAME', 'inventory_stats_entries';
COMMENT ON FUNCTION inventory.stats_entries() IS 'The counters of this database; without shared memory, those of this session.';

CREATE FUNCTION inventory.worker_last_run() RETURNS pg_catalog.timestamptz
	LANGUAGE c VOLATILE PARALLEL RESTRICTED AS 'MODULE_PATHNAME', 'inventory_worker_last_run';
COMMENT ON FUNCTION inventory.worker_last_run() IS 'The time of the last round of the worker of this database; null if it is idle.';

CREATE FUNCTION inventory.worker_state() RETURNS pg_catalog.text
	LANGUAGE c VOLATILE PARALLEL RESTRICTED AS 'MODULE_PATHNAME', 'inventory_worker_state';
COMMENT ON FUNCTION inventory.worker_state() IS 'What the worker of this database does: running, starting, waiting (for its turn, because inventory.max_workers workers run), no slot (all background worker slots of the server are in use, or 256 other databases have work), idle (there is nothing to do), or off (inventory.max_workers is 0, or the server has no shared memory for the extension). Starts it if it has not looked for work since the server started.';

CREATE FUNCTION inventory.overdue_holds(items pg_catalog.regclass) RETURNS pg_catalog.int8
	LANGUAGE c VOLATILE PARALLEL RESTRICTED AS 'MODULE_PATHNAME', 'inventory_overdue_holds';
COMMENT ON FUNCTION inventory.overdue_holds(pg_catalog.regclass) IS 'The number of lines in expired holds of a store whose units were not back in the stock when the worker last looked; null if the worker is idle.';

CREATE FUNCTION inventory.reset_stats() RETURNS void
	LANGUAGE c VOLATILE PARALLEL RESTRICTED AS 'MODULE_PATHNAME', 'inventory_reset_stats';
COMMENT ON FUNCTION inventory.reset_stats() IS 'Sets the counters of this database to zero. For superusers.';

-- Reads shared memory and inventory.store, and no table of a store.
CREATE VIEW inventory.stats AS
	WITH entries AS MATERIALIZED (SELECT h.items, h.held, h.holders FROM inventory.hot_entries() AS h),
	hot AS (
		SELECT h.items, pg_catalog.count(*) AS hot_items,
			   LEAST(COALESCE(pg_catalog.sum(h.held), 0), 9223372036854775807)::pg_catalog.int8 AS hot_held
		FROM entries AS h GROUP BY h.items),
	holders AS (
		SELECT h.items, pg_catalog.array_agg(DISTINCT p.pid ORDER BY p.pid) AS hot_holders
		FROM entries AS h CROSS JOIN LATERAL pg_catalog.unnest(h.holders) AS p(pid)
		GROUP BY h.items)
	SELECT s.store_name, e.operation, e.calls, e.units, e.replays, e.retries, e.waits,
		   e.out_of_stock, e.item_not_found, e.purchase_limit_exceeded, e.refused_state, e.busy,
		   COALESCE(t.hot_items, 0) AS hot_items, COALESCE(t.hot_held, 0) AS hot_held,
		   COALESCE(p.hot_holders, '{}') AS hot_holders,
		   inventory.overdue_holds(s.items) AS overdue_holds, w.last_run AS worker_last_run, w.state AS worker_state
	FROM inventory.store AS s LEFT JOIN inventory.stats_entries() AS e ON e.items = s.items
	LEFT JOIN hot AS t ON t.items = s.items LEFT JOIN holders AS p ON p.items = s.items
	CROSS JOIN (SELECT inventory.worker_last_run(), inventory.worker_state()) AS w(last_run, state);
COMMENT ON VIEW inventory.stats IS 'Counters for each store and operation since the server started or reset_stats was called. units: sold, held, given back or added. replays: answers from idempotency keys. retries: after another session changed the row. waits: for an idempotency key, a purchase limit, or transactions in flight on a hot item. out_of_stock to busy: refusals by reason. Operation expiry counts lines and units of expired holds that were given back, direct_write changes of stock outside the engine, direct_ignored such changes that direct_writes => keep has left out, follow the statements that write order lines which the stock follows, with the units that the lines took and gave back. hot_items: number of hot items. hot_held: their units in flight. hot_holders: process ids of the transactions that hold these. overdue_holds: lines of expired holds not given back when the worker last looked, null if it is idle. Operation worker_timeout counts the rounds in which the worker gave up the store after inventory.worker_timeout. worker_last_run: time of the last round of the worker, null if it is idle. worker_state: what the worker does, see worker_state().';
