
-- ---------------------------------------------------------------- look-ups
--
-- What the later files read from the catalogs of the server, and how attach creates
-- objects for the owner of the tables.

CREATE FUNCTION inventory.base_type(type oid) RETURNS regtype
	LANGUAGE sql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
	WITH RECURSIVE chain(oid, base) AS (
		SELECT t.oid, t.typbasetype FROM pg_type AS t WHERE t.oid = type
		UNION ALL
		SELECT t.oid, t.typbasetype FROM chain AS c JOIN pg_type AS t ON t.oid = c.base
	)
	SELECT CASE WHEN oid = 'varchar'::regtype THEN 'text'::regtype ELSE oid::regtype END
	FROM chain WHERE base = 0
$$;
COMMENT ON FUNCTION inventory.base_type(oid) IS 'The type under its domains; varchar counts as text.';

CREATE FUNCTION inventory.key_types() RETURNS regtype[]
	LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
	SELECT ARRAY['uuid', 'int2', 'int4', 'int8', 'text']::regtype[]
$$;
COMMENT ON FUNCTION inventory.key_types() IS 'The types that can identify items, users and orders.';

CREATE FUNCTION inventory.integer_types() RETURNS regtype[]
	LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
	SELECT ARRAY['int2', 'int4', 'int8']::regtype[]
$$;
COMMENT ON FUNCTION inventory.integer_types() IS 'The types that count whole units.';

CREATE FUNCTION inventory.schema_of(relation regclass) RETURNS name
	LANGUAGE sql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
	SELECT n.nspname FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
	WHERE c.oid = relation
$$;
COMMENT ON FUNCTION inventory.schema_of(regclass) IS 'The name of the schema of a relation, or null.';

CREATE FUNCTION inventory.owner_of(relation regclass) RETURNS oid
	LANGUAGE sql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
	SELECT c.relowner FROM pg_class AS c WHERE c.oid = relation
$$;
COMMENT ON FUNCTION inventory.owner_of(regclass) IS 'The owner of a relation, or null.';

CREATE FUNCTION inventory.column_of(relation regclass, column_name name) RETURNS pg_attribute
	LANGUAGE sql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
	SELECT a FROM pg_attribute AS a
	WHERE a.attrelid = relation AND a.attname = column_name AND a.attnum > 0 AND NOT a.attisdropped
$$;
COMMENT ON FUNCTION inventory.column_of(regclass, name) IS 'The row of pg_attribute of a column, or null.';

CREATE FUNCTION inventory.column_type(relation regclass, column_name name) RETURNS regtype
	LANGUAGE sql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
	SELECT inventory.base_type((inventory.column_of(relation, column_name)).atttypid)
$$;
COMMENT ON FUNCTION inventory.column_type(regclass, name) IS 'The type of a column under its domains, or null.';

CREATE FUNCTION inventory.primary_key(relation regclass) RETURNS name
	LANGUAGE sql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
	SELECT a.attname FROM pg_index AS i
	JOIN pg_attribute AS a ON a.attrelid = i.indrelid AND a.attnum = i.indkey[0]
	WHERE i.indrelid = relation AND i.indisprimary AND i.indnkeyatts = 1
$$;
COMMENT ON FUNCTION inventory.primary_key(regclass) IS 'The column of a primary key of one column, or null.';

CREATE FUNCTION inventory.is_key(relation regclass, column_name name) RETURNS boolean
	LANGUAGE sql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
	SELECT EXISTS (
		SELECT FROM pg_index AS i
		JOIN pg_attribute AS a ON a.attrelid = i.indrelid AND a.attnum = i.indkey[0]
		JOIN pg_type AS t ON t.oid = a.atttypid
		WHERE i.indrelid = relation AND a.attname = column_name AND (a.attnotnull OR t.typnotnull)
		AND i.indisunique AND i.indimmediate AND i.indisvalid AND i.indnkeyatts = 1
		AND i.indpred IS NULL AND i.indexprs IS NULL
		-- unique as the engine compares: by the collation of the column, and as its type does
		AND i.indcollation[0] = a.attcollation
		AND EXISTS (SELECT FROM pg_opclass AS c JOIN pg_opclass AS d USING (opcfamily)
					WHERE c.oid = i.indclass[0] AND d.opcdefault))
$$;
COMMENT ON FUNCTION inventory.is_key(regclass, name) IS 'True if a column is NOT NULL and has a unique index of its own, in its own collation, that is neither partial nor deferrable.';

CREATE FUNCTION inventory.clip(label text, bytes integer) RETURNS text
	LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	-- a character has at least one byte
	label := left(label, greatest(bytes, 0));
	WHILE octet_length(label) > bytes AND label <> '' LOOP
		label := left(label, -1);
	END LOOP;
	RETURN label;
END
$$;
COMMENT ON FUNCTION inventory.clip(text, integer) IS 'The beginning of a text that fits into a number of bytes, in whole characters.';

CREATE FUNCTION inventory.check_owner(relation regclass) RETURNS void
	LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	IF NOT pg_has_role(inventory.owner_of(relation), 'USAGE') THEN
		RAISE EXCEPTION 'must be owner of table %', relation
			USING ERRCODE = 'insufficient_privilege';
	END IF;
END
$$;
COMMENT ON FUNCTION inventory.check_owner(regclass) IS 'Raises an error if the current user does not have the rights of the owner of a table.';

CREATE FUNCTION inventory.check_schema_create(schema_name name) RETURNS void
	LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	IF NOT has_schema_privilege(schema_name, 'CREATE') THEN
		RAISE EXCEPTION 'permission denied for schema %', quote_ident(schema_name)
			USING ERRCODE = 'insufficient_privilege',
				  HINT = format('Choose another schema, or: GRANT USAGE, CREATE ON SCHEMA %I TO %I;',
								schema_name, current_user);
	END IF;
END
$$;
COMMENT ON FUNCTION inventory.check_schema_create(name) IS 'Raises an error if the current user cannot create objects in a schema.';

-- The default privileges of the database may have granted anything.  Object is a
-- name as the server writes it, and kind the word for it in REVOKE.
CREATE FUNCTION inventory.restrict_to_owner(kind text, object text, owner oid) RETURNS void
	LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	grantee name;
BEGIN
	EXECUTE format('REVOKE ALL ON %s %s FROM PUBLIC', kind, object);
	FOR grantee IN
		SELECT DISTINCT r.rolname
		FROM aclexplode(CASE kind
			WHEN 'SCHEMA' THEN (SELECT n.nspacl FROM pg_namespace AS n WHERE n.oid = object::regnamespace)
			WHEN 'TYPE' THEN (SELECT t.typacl FROM pg_type AS t WHERE t.oid = object::regtype)
			ELSE (SELECT c.relacl FROM pg_class AS c WHERE c.oid = object::regclass) END) AS a
		JOIN pg_roles AS r ON r.oid = a.grantee WHERE r.oid <> owner
	LOOP
		EXECUTE format('REVOKE ALL ON %s %s FROM %I CASCADE', kind, object, grantee);
	END LOOP;
END
$$;
COMMENT ON FUNCTION inventory.restrict_to_owner(text, text, oid) IS 'Revokes the rights of all roles but the owner on a schema, table, sequence or type that attach created.';

CREATE FUNCTION inventory.make_schema(schema_name name, owner oid) RETURNS void
	LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	IF to_regnamespace(quote_ident(schema_name)) IS NOT NULL THEN
		PERFORM inventory.check_schema_create(schema_name);
		RETURN;
	ELSIF NOT has_database_privilege(current_database(), 'CREATE') THEN
		RAISE EXCEPTION 'permission denied to create schema %', quote_ident(schema_name)
			USING ERRCODE = 'insufficient_privilege',
				  HINT = format('Name an existing schema in which you may create, or: GRANT CREATE ON DATABASE %I TO %I;',
								current_database(), current_user);
	END IF;
	EXECUTE format('CREATE SCHEMA %I', schema_name);
	PERFORM inventory.restrict_to_owner('SCHEMA', quote_ident(schema_name), owner);
END
$$;
COMMENT ON FUNCTION inventory.make_schema(name, oid) IS 'Creates a schema unless it exists; in an existing one the current user must be able to create objects.';
