-- Door: CREATE EXTENSION where somebody prepared for it.
\set SHOW_CONTEXT never
SET client_min_messages = warning;
CREATE ROLE regress_squatter;

-- the schema is there: somebody may have left anything in it
BEGIN;
DROP EXTENSION inventory CASCADE;
CREATE SCHEMA inventory AUTHORIZATION regress_squatter;
CREATE EXTENSION inventory;
\echo :SQLSTATE
ROLLBACK;
-- also if it is empty, and ours
BEGIN;
DROP EXTENSION inventory CASCADE;
CREATE SCHEMA inventory;
CREATE EXTENSION inventory;
\echo :SQLSTATE
ROLLBACK;

-- whatever default privileges give away, or keep: who may create in the schema
-- could put a function beside ours, who may add triggers could act as an owner
BEGIN;
DROP EXTENSION inventory CASCADE;
ALTER DEFAULT PRIVILEGES GRANT ALL ON TABLES TO PUBLIC, regress_squatter;
ALTER DEFAULT PRIVILEGES GRANT ALL ON SCHEMAS TO PUBLIC, regress_squatter;
ALTER DEFAULT PRIVILEGES GRANT ALL ON FUNCTIONS TO regress_squatter WITH GRANT OPTION;
ALTER DEFAULT PRIVILEGES REVOKE ALL ON FUNCTIONS FROM PUBLIC;
CREATE EXTENSION inventory;
SELECT 'schema' AS object, coalesce(nullif(a.grantee, 0)::regrole::text, 'public') AS grantee, a.privilege_type, a.is_grantable
	FROM pg_namespace AS n, aclexplode(n.nspacl) AS a WHERE n.nspname = 'inventory' AND a.grantee <> n.nspowner
UNION ALL
SELECT c.relname, coalesce(nullif(a.grantee, 0)::regrole::text, 'public'), a.privilege_type, a.is_grantable
	FROM pg_class AS c, aclexplode(c.relacl) AS a
	WHERE c.relnamespace = 'inventory'::regnamespace AND c.relkind IN ('r', 'v') AND a.grantee <> c.relowner
UNION ALL
SELECT DISTINCT 'functions', coalesce(nullif(a.grantee, 0)::regrole::text, 'public'), a.privilege_type, a.is_grantable
	FROM pg_proc AS p, aclexplode(p.proacl) AS a WHERE p.pronamespace = 'inventory'::regnamespace AND a.grantee <> p.proowner
ORDER BY 1, 2, 3;
SELECT p.oid::regprocedure FROM pg_proc AS p WHERE p.pronamespace = 'inventory'::regnamespace
	AND NOT has_function_privilege('regress_squatter', p.oid, 'EXECUTE') ORDER BY p.proname;
ROLLBACK;
DROP ROLE regress_squatter;
