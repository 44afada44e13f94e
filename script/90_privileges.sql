
-- ---------------------------------------------------------------- privileges
--
-- All grants on the objects of the extension, and so the last file.

-- The default privileges of the database may have granted more.  A role that can create in
-- this schema could overload an engine function, and one that can create a trigger on the
-- catalog could act with the rights of any role that attaches.
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
			  SELECT 'ROUTINE', p.oid::regprocedure::text, p.proowner,
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

-- Owners who are not superusers attach, dump and restore: the trigger on the catalog refuses
-- rows for the tables of other owners, and each function checks whose store it is.  With more
-- than INSERT any role could lock the catalog against all others.
GRANT SELECT, INSERT ON inventory.store TO PUBLIC;
GRANT SELECT ON inventory.bindings TO PUBLIC;
GRANT EXECUTE ON ALL ROUTINES IN SCHEMA inventory TO PUBLIC;

REVOKE ALL ON FUNCTION inventory.stats_entries(), inventory.worker_last_run(), inventory.worker_state(),
	inventory.overdue_holds(pg_catalog.regclass), inventory.reset_stats(),
	inventory.hot_entries(), inventory.refuse_hot() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION inventory.stats_entries(), inventory.worker_last_run(), inventory.worker_state(),
	inventory.overdue_holds(pg_catalog.regclass), inventory.hot_entries() TO pg_monitor;
GRANT SELECT ON inventory.stats TO pg_monitor;
