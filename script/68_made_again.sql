
-- ---------------------------------------------------------------- tables made again
--
-- A ledger has the mark of its table.  One of another table of the same database is not
-- continued: what was held, and each key and refund, was of that table.

CREATE FUNCTION inventory.old_ledger(binding inventory.store_binding) RETURNS regclass
	LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
	SELECT c.oid::regclass
	FROM pg_class AS c
	CROSS JOIN LATERAL regexp_match(inventory.ledger_mark(c.oid::regclass), '^(.*)/(.*)$') AS old(mark)
	CROSS JOIN LATERAL regexp_match(inventory.table_mark(binding.items), '^(.*)/(.*)$') AS own(mark)
	WHERE c.relnamespace = to_regnamespace(quote_ident(binding.ledger_schema))
	AND c.relname = 'movements' AND c.relkind = 'r' AND c.relowner = binding.owner
	AND old.mark[1] = own.mark[1] AND old.mark[2] <> own.mark[2]
	AND NOT EXISTS (SELECT FROM inventory.store AS s WHERE s.movements::oid = c.oid)
$$;
COMMENT ON FUNCTION inventory.old_ledger(inventory.store_binding) IS 'The movements in the ledger schema of a binding that are those of another table of this database and of no store, or null.';

-- The views that attach made for the dropped table went with it, unless it was only renamed.
CREATE FUNCTION inventory.old_ledger_relations(movements regclass, OUT relation regclass, OUT kind text)
	RETURNS SETOF record
	LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
	SELECT c.oid::regclass, CASE c.relkind WHEN 'v' THEN 'VIEW' ELSE 'TABLE' END
	FROM pg_class AS m JOIN pg_class AS c ON c.relnamespace = m.relnamespace AND c.relowner = m.relowner
	WHERE m.oid = movements AND CASE c.relkind
	WHEN 'r' THEN c.relname IN (SELECT e.table_name FROM inventory.ledger_columns(NULL) AS e)
		AND NOT EXISTS (
			SELECT e.column_name FROM inventory.ledger_columns(NULL) AS e
			WHERE e.table_name = c.relname AND e.column_name IS NOT NULL
			EXCEPT SELECT a.attname FROM pg_attribute AS a WHERE a.attrelid = c.oid)
	WHEN 'v' THEN c.relname = 'levels' AND inventory.reads_relation(c.oid, movements)
		OR inventory.is_open_reservations(c)
		OR c.relname = 'sellable' AND obj_description(c.oid, 'pg_class') LIKE '%The engine reads the condition from this view.'
	ELSE false END
$$;
COMMENT ON FUNCTION inventory.old_ledger_relations(regclass) IS 'The tables of a ledger, and its views that still exist.';

CREATE FUNCTION inventory.old_schema_name(schema_name name, number bigint) RETURNS name
	LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
	SELECT (inventory.clip(schema_name, 62 - length(number::text)) || '_' || number)::name
$$;
COMMENT ON FUNCTION inventory.old_schema_name(name, bigint) IS 'The name of the schema for an old ledger of a ledger schema.';

CREATE FUNCTION inventory.make_old_schema(binding inventory.store_binding) RETURNS name
	LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	number bigint := 1;
	schema_name name;
BEGIN
	IF NOT has_database_privilege(current_database(), 'CREATE') THEN
		RAISE EXCEPTION 'schema "%" has the ledger of another table, and no schema can be created for it',
						binding.ledger_schema
			USING ERRCODE = 'insufficient_privilege',
				  HINT = format('Choose another schema (ledger_schema => ''...''), continue that ledger (adopt => true), or: GRANT CREATE ON DATABASE %I TO %I;',
								current_database(), current_user);
	END IF;
	LOOP
		schema_name := inventory.old_schema_name(binding.ledger_schema, number);
		EXIT WHEN to_regnamespace(quote_ident(schema_name)) IS NULL;
		number := number + 1;
	END LOOP;
	PERFORM inventory.make_schema(schema_name, binding.owner);
	RETURN schema_name;
END
$$;
COMMENT ON FUNCTION inventory.make_old_schema(inventory.store_binding) IS 'Creates a schema for the old ledger of a store.';

CREATE FUNCTION inventory.report_older_ledgers(binding inventory.store_binding, newest name) RETURNS void
	LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	older name;
BEGIN
	FOR older IN
		SELECT n.nspname FROM pg_namespace AS n
		JOIN pg_class AS c ON c.relnamespace = n.oid AND c.relname = 'movements'
		WHERE n.nspname ~ '_[1-9][0-9]{0,8}$' AND n.nspname <> newest AND n.nspowner = binding.owner
		AND n.nspname = inventory.old_schema_name(binding.ledger_schema, substring(n.nspname FROM '[0-9]+$')::bigint)
		AND inventory.ledger_mark(c.oid::regclass) IS NOT NULL
		AND NOT EXISTS (SELECT FROM inventory.store AS s WHERE s.movements::oid = c.oid)
		ORDER BY c.oid
	LOOP
		RAISE NOTICE 'schema "%" has an older ledger', older
			USING HINT = format('To drop it: DROP SCHEMA %I CASCADE;', older);
	END LOOP;
END
$$;
COMMENT ON FUNCTION inventory.report_older_ledgers(inventory.store_binding, name) IS 'Raises a NOTICE for each old ledger of a ledger schema but the newest.';

-- The tables and not the schema, which can be that of the shop.
CREATE FUNCTION inventory.move_old_ledger(binding inventory.store_binding) RETURNS void
	LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	movements regclass := inventory.old_ledger(binding);
	schema_name name;
	moved regclass[];
	reader regclass;
	r record;
BEGIN
	IF movements IS NULL THEN
		RETURN;
	END IF;
	schema_name := inventory.make_old_schema(binding);
	moved := ARRAY(SELECT o.relation FROM inventory.old_ledger_relations(movements) AS o);
	FOR r IN SELECT * FROM inventory.old_ledger_relations(movements) LOOP
		EXECUTE format('ALTER %s %s SET SCHEMA %I', r.kind, r.relation, schema_name);
	END LOOP;
	RAISE NOTICE 'the ledger in schema "%" is of another table, and is now in schema "%"',
				 binding.ledger_schema, schema_name
		USING DETAIL = format('%s has another OID than the table of that ledger: it was made again. It gets a new ledger, without grants.',
							  binding.items),
			  HINT = format(E'If it is needed no longer: DROP SCHEMA %1$I CASCADE;\nIf %2$s was restored, and is to continue it: SELECT inventory.detach(%2$L); and attach it with ledger_schema => %1$L, adopt => true.',
							schema_name, binding.items);
	FOR reader IN
		SELECT DISTINCT v.ev_class::regclass FROM pg_depend AS d JOIN pg_rewrite AS v ON v.oid = d.objid
		WHERE d.classid = 'pg_rewrite'::regclass AND d.refclassid = 'pg_class'::regclass
		AND d.refobjid = ANY (moved) AND NOT v.ev_class = ANY (moved) ORDER BY 1
	LOOP
		RAISE NOTICE 'view % still reads the old ledger, in schema "%"', reader, schema_name
			USING HINT = format('Create it again to read schema %I.', binding.ledger_schema);
	END LOOP;
	PERFORM inventory.report_older_ledgers(binding, schema_name);
END
$$;
COMMENT ON FUNCTION inventory.move_old_ledger(inventory.store_binding) IS 'Moves the ledger of another table out of the ledger schema of a store that is being attached, with its grants, and says so.';
