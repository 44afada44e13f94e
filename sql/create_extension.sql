-- Tests of CREATE EXTENSION in a database that another role has prepared.
\set SHOW_CONTEXT never
SET client_min_messages = warning;
CREATE ROLE regress_squatter;

-- refused if the schema exists, because it may contain objects of another role
BEGIN;
DROP EXTENSION inventory CASCADE;
CREATE SCHEMA inventory AUTHORIZATION regress_squatter;
CREATE EXTENSION inventory;
\echo :SQLSTATE
ROLLBACK;
-- even if it is empty and our own
BEGIN;
DROP EXTENSION inventory CASCADE;
CREATE SCHEMA inventory;
CREATE EXTENSION inventory;
\echo :SQLSTATE
ROLLBACK;

-- default privileges have no effect: a role that could create in the schema could add a
-- function there, and one that could add triggers could act with the rights of an owner
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
