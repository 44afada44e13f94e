
-- ---------------------------------------------------------------- look-ups
--
-- What the later files ask the catalogs of the server, and how generated objects
-- are given to the owner of the tables.

-- The type under its domains; varchar counts as text.
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

-- The row of pg_attribute of a column, or nothing.
CREATE FUNCTION inventory.column_of(relation regclass, column_name name) RETURNS pg_attribute
	LANGUAGE sql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
	SELECT a FROM pg_attribute AS a
	WHERE a.attrelid = relation AND a.attname = column_name AND a.attnum > 0 AND NOT a.attisdropped
$$;
COMMENT ON FUNCTION inventory.column_of(regclass, name) IS 'The row of pg_attribute of a column, or null.';

CREATE FUNCTION inventory.key_types() RETURNS regtype[]
	LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
	SELECT ARRAY['uuid', 'int2', 'int4', 'int8', 'text']::regtype[]
$$;
COMMENT ON FUNCTION inventory.key_types() IS 'Types that can identify items, users and orders.';

CREATE FUNCTION inventory.integer_types() RETURNS regtype[]
	LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
	SELECT ARRAY['int2', 'int4', 'int8']::regtype[]
$$;
COMMENT ON FUNCTION inventory.integer_types() IS 'Types that count whole units.';

CREATE FUNCTION inventory.primary_key(relation regclass) RETURNS name
	LANGUAGE sql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
	SELECT a.attname FROM pg_index AS i
	JOIN pg_attribute AS a ON a.attrelid = i.indrelid AND a.attnum = i.indkey[0]
	WHERE i.indrelid = relation AND i.indisprimary AND i.indnkeyatts = 1
$$;
COMMENT ON FUNCTION inventory.primary_key(regclass) IS 'The primary key if it is one column, or null.';

-- Is the column, alone, NOT NULL and unique at every instant?
CREATE FUNCTION inventory.is_key(relation regclass, column_name name) RETURNS boolean
	LANGUAGE sql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
	SELECT EXISTS (
		SELECT FROM pg_index AS i
		JOIN pg_attribute AS a ON a.attrelid = i.indrelid AND a.attnum = i.indkey[0]
		JOIN pg_type AS t ON t.oid = a.atttypid
		WHERE i.indrelid = relation AND a.attname = column_name AND (a.attnotnull OR t.typnotnull)
		AND i.indisunique AND i.indimmediate AND i.indisvalid AND i.indnkeyatts = 1
		AND i.indpred IS NULL AND i.indexprs IS NULL)
$$;
COMMENT ON FUNCTION inventory.is_key(regclass, name) IS 'Whether a column alone is NOT NULL and unique at every instant.';

-- As much of a name as fits into n bytes, in whole characters.
CREATE FUNCTION inventory.clip(label text, bytes integer) RETURNS text
	LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	-- a character has at least a byte
	label := left(label, greatest(bytes, 0));
	WHILE octet_length(label) > bytes AND label <> '' LOOP
		label := left(label, -1);
	END LOOP;
	RETURN label;
END
$$;
COMMENT ON FUNCTION inventory.clip(text, integer) IS 'As much of a text as fits into so many bytes, in whole characters.';

-- Give an object that attach made to the owner of the tables, and to nobody else,
-- whatever the default privileges of the database are.
CREATE FUNCTION inventory.restrict_to_owner(kind text, object text, owner oid, acl_of text)
	RETURNS void
	LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	other record;
BEGIN
	-- the sequence of an identity column changes owner with its table
	IF kind <> 'SEQUENCE' AND owner <> (SELECT r.oid FROM pg_roles AS r WHERE r.rolname = current_user) THEN
		EXECUTE format('ALTER %s %s OWNER TO %I', kind, object, pg_get_userbyid(owner));
	END IF;
	EXECUTE format('REVOKE ALL ON %s %s FROM PUBLIC', kind, object);
	FOR other IN EXECUTE format('SELECT DISTINCT r.rolname FROM (%s) AS o(acl), aclexplode(o.acl) AS a
								 JOIN pg_roles AS r ON r.oid = a.grantee WHERE r.oid <> $1', acl_of)
		USING owner
	LOOP
		EXECUTE format('REVOKE ALL ON %s %s FROM %I CASCADE', kind, object, other.rolname);
	END LOOP;
END
$$;
COMMENT ON FUNCTION inventory.restrict_to_owner(text, text, oid, text) IS 'Makes a generated object the owner''s alone.';

CREATE FUNCTION inventory.restrict_relation_to_owner(kind text, schema_name name, relation name,
												owner oid) RETURNS void
	LANGUAGE sql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
	SELECT inventory.restrict_to_owner(kind, format('%I.%I', schema_name, relation), owner,
		format('SELECT c.relacl FROM pg_class AS c WHERE c.oid = %L::regclass',
			   format('%I.%I', schema_name, relation)))
$$;
COMMENT ON FUNCTION inventory.restrict_relation_to_owner(text, name, name, oid) IS 'Makes a generated table, view or sequence the owner''s alone.';

CREATE FUNCTION inventory.make_schema(schema_name name, owner oid) RETURNS void
	LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	IF to_regnamespace(quote_ident(schema_name)) IS NOT NULL THEN
		IF NOT has_schema_privilege(schema_name, 'CREATE') THEN
			RAISE EXCEPTION 'permission denied for schema %', quote_ident(schema_name)
				USING ERRCODE = 'insufficient_privilege',
					  HINT = format('GRANT CREATE ON SCHEMA %I TO %I; or choose another.',
									schema_name, current_user);
		END IF;
		RETURN;
	ELSIF NOT has_database_privilege(current_database(), 'CREATE') THEN
		RAISE EXCEPTION 'permission denied to create schema %', quote_ident(schema_name)
			USING ERRCODE = 'insufficient_privilege',
				  HINT = format('GRANT CREATE ON DATABASE %I TO %I; or have an empty schema made for you and name it.',
								current_database(), current_user);
	END IF;
	EXECUTE format('CREATE SCHEMA %I', schema_name);
	PERFORM inventory.restrict_to_owner('SCHEMA', quote_ident(schema_name), owner,
		format('SELECT n.nspacl FROM pg_namespace AS n WHERE n.nspname = %L', schema_name));
END
$$;
COMMENT ON FUNCTION inventory.make_schema(name, oid) IS 'Makes a schema if there is none; one that is there must let us create in it.';
