
-- ---------------------------------------------------------------- privileges
--
-- All grants of the extension; this file comes last.

-- Take back first what the default privileges of the database gave away: who may
-- create in this schema could put a function beside an engine function, and who may
-- add a trigger to the catalog could act as whoever attaches.
DO $$
DECLARE
	given record;
BEGIN
	FOR given IN
		SELECT DISTINCT o.kind, o.name,
			   CASE a.grantee WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(a.grantee)) END AS grantee
		FROM (SELECT 'SCHEMA', quote_ident(n.nspname), n.nspowner, n.nspacl
			  FROM pg_namespace AS n WHERE n.nspname = 'inventory'
			  UNION ALL
			  SELECT 'TABLE', c.oid::regclass::text, c.relowner, c.relacl
			  FROM pg_class AS c
			  WHERE c.relnamespace = 'inventory'::regnamespace AND c.relkind IN ('r', 'v')
			  UNION ALL
			  SELECT 'FUNCTION', p.oid::regprocedure::text, p.proowner,
					 coalesce(p.proacl, acldefault('f', p.proowner))
			  FROM pg_proc AS p WHERE p.pronamespace = 'inventory'::regnamespace)
			 AS o(kind, name, owner, acl), aclexplode(o.acl) AS a
		WHERE a.grantee <> o.owner
	LOOP
		EXECUTE format('REVOKE ALL ON %s %s FROM %s CASCADE', given.kind, given.name, given.grantee);
	END LOOP;
END
$$;

GRANT USAGE ON SCHEMA inventory TO PUBLIC;

-- Owners attach, dump and restore without being superuser: the catalog's trigger
-- lets them insert no rows but their own, and each function looks whose store it
-- is.  More than INSERT would let anybody lock the catalog against all others.
GRANT SELECT, INSERT ON inventory.store TO PUBLIC;
GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA inventory TO PUBLIC;

REVOKE ALL ON FUNCTION inventory.stats_entries(), inventory.worker_last_run(),
	inventory.overdue_holds(pg_catalog.regclass), inventory.reset_stats(),
	inventory.hot_entries(), inventory.refuse_hot() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION inventory.stats_entries(), inventory.worker_last_run(),
	inventory.overdue_holds(pg_catalog.regclass), inventory.hot_entries() TO pg_monitor;
GRANT SELECT ON inventory.stats TO pg_monitor;
