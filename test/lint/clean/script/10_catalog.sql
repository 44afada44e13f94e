CREATE SCHEMA inventory;
CREATE TYPE inventory.plan AS (items pg_catalog.regclass, owner pg_catalog.oid);
