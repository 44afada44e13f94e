
-- ---------------------------------------------------------------- ledger
--
-- The tables and triggers that attach makes for a store.  They belong to the shop and
-- are not members of the extension.

CREATE FUNCTION inventory.ledger_comment(store_name text) RETURNS text
	LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
	SELECT 'Ledger of store ' || store_name || ': one row for every change of stock, in units. Append-only.'
$$;
COMMENT ON FUNCTION inventory.ledger_comment(text) IS 'The comment on the movements of a store. attach recognizes an existing ledger of the store by it.';

-- Not by to_regclass, which requires USAGE on a schema that another role may own.
CREATE FUNCTION inventory.find_ledger(binding inventory.store_binding, schema_name name)
	RETURNS regclass
	LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
	SELECT c.oid::regclass FROM pg_class AS c
	WHERE c.relnamespace = to_regnamespace(quote_ident(schema_name)) AND c.relname = 'movements'
	AND c.relowner = binding.owner
	AND obj_description(c.oid, 'pg_class') = inventory.ledger_comment(binding.store_name)
$$;
COMMENT ON FUNCTION inventory.find_ledger(inventory.store_binding, name) IS 'The movements that an earlier store of the same name and owner left in a schema, or null.';

CREATE FUNCTION inventory.own_ledger(binding inventory.store_binding) RETURNS regclass
	LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
	SELECT c.oid::regclass FROM pg_class AS c
	WHERE c.relname = 'movements' AND c.relowner = binding.owner
	AND inventory.ledger_mark(c.oid::regclass) = inventory.table_mark(binding.items)
	AND NOT EXISTS (SELECT FROM inventory.store AS s WHERE s.movements::oid = c.oid)
	ORDER BY obj_description(c.oid, 'pg_class') = inventory.ledger_comment(binding.store_name) DESC NULLS LAST,
			 c.oid DESC
	LIMIT 1
$$;
COMMENT ON FUNCTION inventory.own_ledger(inventory.store_binding) IS 'The movements that are marked as those of the items of a binding, rather those of a store of its name, or null.';

CREATE FUNCTION inventory.bind_ledger_schema(INOUT binding inventory.store_binding)
	LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	table_name name;
	candidate name;
BEGIN
	binding.ledger_schema := coalesce(binding.ledger_schema,
		inventory.schema_of(inventory.own_ledger(binding)));
	IF binding.ledger_schema IS NOT NULL THEN
		RETURN;
	END IF;
	table_name := (SELECT c.relname FROM pg_class AS c WHERE c.oid = binding.items);
	FOREACH candidate IN ARRAY ARRAY[
		inventory.clip(table_name, 57) || '_stock',
		inventory.clip(inventory.schema_of(binding.items) || '_' || table_name, 57) || '_stock',
		inventory.clip(table_name, 48) || '_' || left(md5(binding.store_name), 8) || '_stock',
		-- any role that may create schemas could have taken the others
		inventory.clip(table_name, 40) || '_' || left(md5(gen_random_uuid()::text), 16) || '_stock']
	LOOP
		IF to_regnamespace(quote_ident(candidate)) IS NULL
		   OR inventory.find_ledger(binding, candidate) IS NOT NULL THEN
			binding.ledger_schema := candidate;
			RETURN;
		END IF;
	END LOOP;
	RAISE EXCEPTION 'schema "%" already exists', candidate
		USING ERRCODE = 'duplicate_schema', HINT = 'Choose another schema: ledger_schema => ''...''.';
END
$$;
COMMENT ON FUNCTION inventory.bind_ledger_schema(inventory.store_binding) IS 'Chooses the schema for the ledger of a store: the given one, or that of a ledger of the same table, or <items>_stock, or <schema>_<items>_stock if the first is in use, or one with a digest or random digits.';

CREATE FUNCTION inventory.collate_clause(collation_id oid, type regtype) RETURNS text
	LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
	SELECT coalesce((
		SELECT format(' COLLATE %I.%I', n.nspname, c.collname)
		FROM pg_collation AS c JOIN pg_namespace AS n ON n.oid = c.collnamespace
		JOIN pg_type AS t ON t.oid = type
		WHERE c.oid = collation_id AND c.oid <> t.typcollation), '')
$$;
COMMENT ON FUNCTION inventory.collate_clause(oid, regtype) IS 'The COLLATE clause of a column, or an empty text if its type has that collation.';

-- No CHECK on kind: the server parses constraints again for every statement, which takes
-- a tenth of a purchase.
CREATE FUNCTION inventory.ledger_columns(binding inventory.store_binding, OUT table_name name,
										 OUT column_name name, OUT type regtype,
										 OUT definition text, OUT collation_id oid)
	RETURNS SETOF record
	LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
	-- ids are compared as the columns of the shop are that they come from
	SELECT c.table_name, c.column_name, c.type, c.definition, coalesce(
			   CASE c.column_name
			   WHEN 'item_id' THEN (inventory.column_of(binding.items, binding.item_id)).attcollation
			   WHEN 'user_id' THEN (inventory.user_column(binding)).attcollation
			   WHEN 'order_id' THEN (inventory.column_of(binding.orders, binding.order_id)).attcollation
			   WHEN 'item_before' THEN (inventory.column_of(binding.orders, binding.order_item_id)).attcollation
			   WHEN 'item_after' THEN (inventory.column_of(binding.orders, binding.order_item_id)).attcollation
			   WHEN 'user_before' THEN (inventory.column_of(binding.orders, binding.order_user_id)).attcollation
			   WHEN 'user_after' THEN (inventory.column_of(binding.orders, binding.order_user_id)).attcollation END,
			   (SELECT t.typcollation FROM pg_type AS t WHERE t.oid = c.type))
	FROM (VALUES
	('movements'::name, 'movement_id'::name, 'bigint'::regtype, 'GENERATED ALWAYS AS IDENTITY PRIMARY KEY'),
	('movements', 'item_id', binding.item_type, 'NOT NULL'),
	('movements', 'delta', 'bigint', 'NOT NULL'),
	('movements', 'kind', 'text', 'NOT NULL'),
	('movements', 'user_id', binding.user_type, NULL),
	('movements', 'order_id', binding.order_type, NULL),
	('movements', 'reservation_id', 'uuid', NULL),
	('movements', 'reason', 'text', NULL),
	('movements', 'actor', 'text', 'NOT NULL'),
	('movements', 'created_at', 'timestamptz', 'NOT NULL'),
	('movements', 'epoch', 'bigint', NULL),
	('requests', 'operation', 'text', 'NOT NULL'),
	('requests', 'user_id', binding.user_type, NULL),
	('requests', 'key', 'text', 'NOT NULL'),
	('requests', 'fingerprint', 'bytea', 'NOT NULL'),
	('requests', 'result', 'jsonb', 'NOT NULL'),
	('requests', 'created_at', 'timestamptz', 'NOT NULL'),
	('requests', NULL, NULL, 'UNIQUE NULLS NOT DISTINCT (key, operation, user_id)'),
	('reservations', 'reservation_id', 'uuid', 'NOT NULL'),
	('reservations', 'item_id', binding.item_type, 'NOT NULL'),
	('reservations', 'quantity', 'bigint', 'NOT NULL CHECK (quantity > 0)'),
	('reservations', 'user_id', binding.user_type, NULL),
	('reservations', 'status', 'text', $c$NOT NULL CHECK (status IN ('held', 'confirmed', 'released', 'expired'))$c$),
	('reservations', 'expires_at', 'timestamptz', 'NOT NULL'),
	('reservations', 'order_id', binding.order_type, NULL),
	('reservations', 'created_at', 'timestamptz', 'NOT NULL'),
	('reservations', 'tracked', 'boolean', 'NOT NULL'),
	('reservations', NULL, NULL, 'PRIMARY KEY (reservation_id, item_id)'),
	('hot', 'item_id', binding.item_type, 'PRIMARY KEY'),
	('hot', 'number', 'bigint', 'GENERATED ALWAYS AS IDENTITY UNIQUE'),
	('hot', 'hot', 'boolean', 'NOT NULL'),
	('hot', 'settled_epoch', 'bigint', 'NOT NULL'),
	('hot', 'incarnation', 'bigint', 'NOT NULL'),
	('hot', 'keep_cold', 'boolean', 'NOT NULL DEFAULT false'),
	('order_changes', 'change_id', 'bigint', 'GENERATED ALWAYS AS IDENTITY PRIMARY KEY'),
	('order_changes', 'order_id', binding.order_type, 'NOT NULL'),
	('order_changes', 'operation', 'text', 'NOT NULL'),
	-- as orders have it, which can be a wider type than the key of items
	('order_changes', 'item_before', inventory.column_type(binding.orders, binding.order_item_id), NULL),
	('order_changes', 'item_after', inventory.column_type(binding.orders, binding.order_item_id), NULL),
	('order_changes', 'quantity_before', 'bigint', NULL),
	('order_changes', 'quantity_after', 'bigint', NULL),
	('order_changes', 'user_before', binding.user_type, NULL),
	('order_changes', 'user_after', binding.user_type, NULL),
	('order_changes', 'actor', 'text', 'NOT NULL'),
	('order_changes', 'created_at', 'timestamptz', 'NOT NULL'))
	AS c(table_name, column_name, type, definition)
$$;
COMMENT ON FUNCTION inventory.ledger_columns(inventory.store_binding) IS 'The columns of the tables of a ledger, in order, with their constraints and collations; a constraint on several columns has a row without column_name.';

CREATE FUNCTION inventory.check_ledger_owner(binding inventory.store_binding, ledger regclass)
	RETURNS void
	LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	IF inventory.owner_of(ledger) <> binding.owner THEN
		RAISE EXCEPTION 'ledger % and its items have different owners', ledger
			USING ERRCODE = 'insufficient_privilege',
				  HINT = format('ALTER TABLE %s OWNER TO %I;', ledger, pg_get_userbyid(binding.owner));
	END IF;
END
$$;
COMMENT ON FUNCTION inventory.check_ledger_owner(inventory.store_binding, regclass) IS 'Raises an error if a table of a ledger does not belong to the owner of the items.';

CREATE FUNCTION inventory.check_ledger(binding inventory.store_binding, ledger regclass)
	RETURNS void
	LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	wrong record;
BEGIN
	IF EXISTS (SELECT FROM inventory.store AS s WHERE s.movements = ledger) THEN
		RAISE EXCEPTION 'schema "%" contains the ledger of another store', binding.ledger_schema
			USING ERRCODE = 'duplicate_table',
				  HINT = 'Choose another schema: ledger_schema => ''...''.';
	END IF;
	FOR wrong IN
		SELECT e.column_name, e.type || inventory.collate_clause(e.collation_id, e.type) AS type,
			   format_type(a.atttypid, a.atttypmod)
				   || inventory.collate_clause(a.attcollation, a.atttypid) AS actual
		FROM inventory.ledger_columns(binding) AS e
		JOIN pg_class AS c ON c.oid = ledger AND c.relname = e.table_name
		LEFT JOIN pg_attribute AS a ON a.attrelid = ledger AND a.attname = e.column_name
		WHERE e.column_name IS NOT NULL
		AND (a.atttypid, a.attcollation) IS DISTINCT FROM (e.type::oid, e.collation_id)
		-- complete_ledger adds it
		AND NOT (a.attname IS NULL AND coalesce(e.definition, '') LIKE '%DEFAULT%')
	LOOP
		IF wrong.actual IS NULL THEN
			RAISE EXCEPTION '% is not the ledger of a store: it has no column "%"', ledger,
							wrong.column_name
				USING ERRCODE = 'duplicate_table',
					  HINT = 'Choose another schema: ledger_schema => ''...''.';
		END IF;
		RAISE EXCEPTION 'ledger % does not fit: column "%" is %, but the store needs %', ledger,
						wrong.column_name, wrong.actual, wrong.type
			USING ERRCODE = 'datatype_mismatch',
				  HINT = format('Choose another schema (ledger_schema => ''...''), or: ALTER TABLE %1$s ALTER COLUMN %2$I TYPE %3$s USING %2$I::text::%3$s;',
								ledger, wrong.column_name, wrong.type);
	END LOOP;
	PERFORM inventory.check_ledger_owner(binding, ledger);
	PERFORM inventory.check_engine(ledger);
END
$$;
COMMENT ON FUNCTION inventory.check_ledger(inventory.store_binding, regclass) IS 'Raises an error if an existing table of a ledger does not fit a store.';

-- The ledger of an earlier version can lack columns.  Those that were added have a default.
CREATE FUNCTION inventory.complete_ledger(binding inventory.store_binding) RETURNS void
	LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	missing record;
BEGIN
	FOR missing IN
		SELECT c.oid::regclass AS ledger, e.column_name, e.type, e.definition
		FROM inventory.ledger_columns(binding) AS e
		JOIN pg_class AS c ON c.relnamespace = to_regnamespace(quote_ident(binding.ledger_schema)) AND c.relname = e.table_name
		WHERE e.definition LIKE '%DEFAULT%'
		AND NOT inventory.has_column(binding.ledger_schema, e.table_name, e.column_name)
	LOOP
		EXECUTE format('ALTER TABLE %s ADD COLUMN %I %s %s', missing.ledger, missing.column_name, missing.type, missing.definition);
	END LOOP;
END
$$;
COMMENT ON FUNCTION inventory.complete_ledger(inventory.store_binding) IS 'Adds the columns that a later version has given to the tables of a ledger. Part of refresh and attach.';

-- Tables and views have a type of the same name.
CREATE FUNCTION inventory.check_ledger_names(binding inventory.store_binding) RETURNS void
	LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	taken name;
BEGIN
	SELECT t.typname INTO taken FROM pg_type AS t
	WHERE t.typnamespace = to_regnamespace(quote_ident(binding.ledger_schema))
	AND (t.typname IN ('levels', 'open_reservations', 'line', 'hold', 'held_line', 'open_hold', 'item_level', 'refunded_order')
		 OR t.typname = 'sellable' AND binding.sellable IS NOT NULL
		 OR t.typname = 'order_worth' AND binding.has_order_units)
	ORDER BY t.typname LIMIT 1;
	IF taken IS NOT NULL THEN
		RAISE EXCEPTION 'schema "%" already contains "%"', binding.ledger_schema, taken
			USING ERRCODE = 'duplicate_object',
				  HINT = 'Choose another schema: ledger_schema => ''...''.';
	END IF;
END
$$;
COMMENT ON FUNCTION inventory.check_ledger_names(inventory.store_binding) IS 'Raises an error if the ledger schema has an object of the shop with the name of a view or type of the store.';

CREATE FUNCTION inventory.make_ledger_table(binding inventory.store_binding, table_name name,
											description text) RETURNS boolean
	LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	qualified text := format('%I.%I', binding.ledger_schema, table_name);
	is_new boolean := to_regclass(qualified) IS NULL;
	sequence text;
BEGIN
	IF NOT is_new THEN
		PERFORM inventory.check_ledger(binding, qualified::regclass);
	ELSIF to_regtype(qualified) IS NOT NULL THEN
		-- a table has a type of its name
		RAISE EXCEPTION 'schema "%" already contains "%"', binding.ledger_schema, table_name
			USING ERRCODE = 'duplicate_object',
				  HINT = 'Choose another schema: ledger_schema => ''...''.';
	ELSE
		-- whatever default_table_access_method is
		EXECUTE format('CREATE TABLE %s (%s) USING heap', qualified, (
			SELECT string_agg(concat_ws(' ', quote_ident(c.column_name),
										c.type || inventory.collate_clause(c.collation_id, c.type),
										c.definition), ', ' ORDER BY c.n)
			FROM inventory.ledger_columns(binding) WITH ORDINALITY
				 AS c(table_name, column_name, type, definition, collation_id, n)
			WHERE c.table_name = make_ledger_table.table_name));
		PERFORM inventory.restrict_to_owner('TABLE', qualified, binding.owner);
		FOR sequence IN
			SELECT pg_get_serial_sequence(qualified, a.attname) FROM pg_attribute AS a
			WHERE a.attrelid = qualified::regclass AND a.attidentity <> ''
		LOOP
			PERFORM inventory.restrict_to_owner('SEQUENCE', sequence, binding.owner);
		END LOOP;
	END IF;
	-- an existing ledger may be that of a store of another name
	EXECUTE format('COMMENT ON TABLE %s IS %L', qualified, description);
	RETURN is_new;
END
$$;
COMMENT ON FUNCTION inventory.make_ledger_table(inventory.store_binding, name, text) IS 'Creates a table of a ledger for the owner of the items alone, and returns true; a table that exists must fit.';

CREATE FUNCTION inventory.make_ledger_index(binding inventory.store_binding, index_name name, definition text)
	RETURNS void
	LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	-- not IF NOT EXISTS, which raises a NOTICE
	IF to_regclass(format('%I.%I', binding.ledger_schema, index_name)) IS NULL THEN
		EXECUTE format('CREATE INDEX %I ON %I.movements %s', index_name, binding.ledger_schema, definition);
	END IF;
END
$$;
COMMENT ON FUNCTION inventory.make_ledger_index(inventory.store_binding, name, text) IS 'Creates an index on the movements of a store unless it exists.';

CREATE FUNCTION inventory.make_ledger_indexes(binding inventory.store_binding) RETURNS void
	LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	refunds regclass := to_regclass(format('%I.movements_refunds_idx', binding.ledger_schema));
BEGIN
	-- what came back of an order; the index of an earlier version has fewer kinds
	IF pg_get_indexdef(refunds) NOT LIKE '%cancellation%' THEN
		EXECUTE format('DROP INDEX %s', refunds);
	END IF;
	PERFORM inventory.make_ledger_index(binding, 'movements_refunds_idx',
		$sql$(order_id) WHERE kind IN ('refund', 'cancellation', 'write_off')$sql$);
	-- the movements of a hot item that its stock column does not contain yet
	PERFORM inventory.make_ledger_index(binding, 'movements_epochs_idx', '(item_id, epoch) WHERE epoch IS NOT NULL');
	-- sums per user are needed only where purchases are limited
	IF binding.purchase_limit IS NOT NULL THEN
		PERFORM inventory.make_ledger_index(binding, 'movements_users_idx', '(item_id, user_id) WHERE user_id IS NOT NULL');
	END IF;
	-- what order lines are worth is compared with all that is booked of them
	IF binding.order_writes = 'follow' THEN
		PERFORM inventory.make_ledger_index(binding, 'movements_orders_idx', '(order_id) WHERE order_id IS NOT NULL');
	END IF;
	-- a refund looks up the sale where no order row has the item, or the user
	IF binding.orders IS NULL OR (binding.purchase_limit IS NOT NULL AND binding.order_user_id IS NULL) THEN
		PERFORM inventory.make_ledger_index(binding, 'movements_sales_idx',
			$sql$(order_id) WHERE kind IN ('sale', 'cancellation')$sql$);
	END IF;
END
$$;
COMMENT ON FUNCTION inventory.make_ledger_indexes(inventory.store_binding) IS 'Creates the indexes on the movements of a store that do not exist.';

-- A ledger can have hot items that no counter knows: it was restored from another server,
-- or the extension was dropped by force.
CREATE FUNCTION inventory.demote_hot_items(binding inventory.store_binding) RETURNS void
	LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	EXECUTE format($sql$
		UPDATE ONLY %1$s AS i SET %3$I = i.%3$I + u.total
		FROM (SELECT m.item_id, sum(m.delta) AS total
			  FROM %2$I.hot AS h
			  JOIN %2$I.movements AS m ON m.item_id = h.item_id AND m.epoch > h.settled_epoch
			  WHERE h.hot GROUP BY m.item_id) AS u
		WHERE i.%4$I = u.item_id AND u.total <> 0$sql$,
		binding.items, binding.ledger_schema, binding.stock, binding.item_id);
	EXECUTE format($sql$
		UPDATE %1$I.hot AS h SET hot = false, settled_epoch = greatest(h.settled_epoch,
			(SELECT max(m.epoch) FROM %1$I.movements AS m WHERE m.item_id = h.item_id))
		WHERE h.hot$sql$, binding.ledger_schema);
END
$$;
COMMENT ON FUNCTION inventory.demote_hot_items(inventory.store_binding) IS 'Makes the hot items of an existing ledger cold: adds their unsettled movements to their stock column.';

-- Without an index on the path of a sale: what was sold on a line is its quantity without
-- what these changes added.
CREATE FUNCTION inventory.make_order_changes(binding inventory.store_binding) RETURNS void
	LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	IF binding.orders IS NOT NULL AND inventory.make_ledger_table(binding, 'order_changes',
		'Changes of order lines that the engine did not make, in whole units. Append-only. What was sold on a line is its quantity without what these changes added.')
	THEN
		EXECUTE format('CREATE INDEX ON %I.order_changes (order_id)', binding.ledger_schema);
	END IF;
END
$$;
COMMENT ON FUNCTION inventory.make_order_changes(inventory.store_binding) IS 'Creates the table of the changes of order lines, in the ledger of a store with orders, unless it exists.';

CREATE FUNCTION inventory.has_column(schema_name name, table_name name, column_name name) RETURNS boolean
	LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
	SELECT EXISTS (SELECT FROM pg_class AS c JOIN pg_attribute AS a ON a.attrelid = c.oid
				   WHERE c.relnamespace = to_regnamespace(quote_ident(schema_name)) AND c.relname = table_name
				   AND a.attname = column_name AND NOT a.attisdropped)
$$;
COMMENT ON FUNCTION inventory.has_column(name, name, name) IS 'True if a table has a column of this name.';

CREATE FUNCTION inventory.rename_keys(object jsonb, away text, back text) RETURNS jsonb
	LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
	SELECT CASE WHEN jsonb_typeof(object) = 'array'
		   THEN (SELECT coalesce(jsonb_agg(inventory.rename_keys(e.value, away, back) ORDER BY e.n), '[]')
				 FROM jsonb_array_elements(object) WITH ORDINALITY AS e(value, n))
		   WHEN jsonb_typeof(object) = 'object'
		   THEN object - 'order_id' - back
			   || CASE WHEN object ? 'order_id' THEN jsonb_build_object(away, object -> 'order_id') ELSE '{}' END
			   || CASE WHEN object ? back THEN jsonb_build_object('order_id', object -> back) ELSE '{}' END
		   ELSE object END
$$;
COMMENT ON FUNCTION inventory.rename_keys(jsonb, text, text) IS 'A kept answer whose key "order_id" is renamed to "away", and its key "back" to "order_id".';

CREATE FUNCTION inventory.fit_kept_answers(binding inventory.store_binding, away text, back text) RETURNS void
	LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	-- the answer of buy_item can be the id alone
	EXECUTE format('UPDATE %I.requests AS q SET result = inventory.rename_keys(
						CASE WHEN q.operation = ''buy_item'' AND jsonb_typeof(q.result) <> ''object''
						THEN jsonb_build_object(''order_id'', q.result) ELSE q.result END, $1, $2)
					WHERE q.operation = ''buy_item'' OR jsonb_typeof(q.result) IN (''object'', ''array'')',
				   binding.ledger_schema)
	USING away, coalesce(back, '');
END
$$;
COMMENT ON FUNCTION inventory.fit_kept_answers(inventory.store_binding, text, text) IS 'Moves the order ids in the answers that a ledger keeps for idempotency keys, as fit_order_ids does those of its tables.';

-- Changes of lines whose keys have another type stay in a table of their own.
CREATE FUNCTION inventory.fit_order_changes(binding inventory.store_binding) RETURNS void
	LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	t record;
BEGIN
	FOR t IN
		SELECT c.relname, inventory.base_type(a.atttypid) = binding.order_type AS fits
		FROM pg_class AS c JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attname = 'order_id'
		WHERE binding.orders IS NOT NULL AND c.relnamespace = to_regnamespace(quote_ident(binding.ledger_schema))
		AND c.relkind = 'r' AND c.relname ~ '^order_changes(_[0-9]+)?$'
		-- the one that does not fit goes before the one that does takes its place
		AND (inventory.base_type(a.atttypid) = binding.order_type) = (c.relname <> 'order_changes')
		ORDER BY c.relname
	LOOP
		EXECUTE format('ALTER TABLE %I.%I RENAME TO %I', binding.ledger_schema, t.relname, CASE WHEN t.fits THEN 'order_changes'
			ELSE (SELECT 'order_changes_' || n FROM generate_series(1, 1600) AS n
				  WHERE to_regclass(format('%I.%I', binding.ledger_schema, 'order_changes_' || n)) IS NULL
				  ORDER BY n LIMIT 1) END);
	END LOOP;
END
$$;
COMMENT ON FUNCTION inventory.fit_order_changes(inventory.store_binding) IS 'Makes the changes of order lines in a ledger those of lines with keys of the type of a binding.';

-- Without orders an order id is a text of the application's, which need not be the key of any
-- order.  Where orders are bound later, it stays in a column of its own, and so do the keys where
-- they are bound no longer: nothing is cast.
CREATE FUNCTION inventory.fit_order_ids(binding inventory.store_binding) RETURNS void
	LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	schema_name name := binding.ledger_schema;
	kept name[] := ARRAY(SELECT a.attname FROM pg_class AS c JOIN pg_attribute AS a ON a.attrelid = c.oid
						 WHERE c.relnamespace = to_regnamespace(quote_ident(schema_name)) AND c.relname = 'movements'
						 AND a.attname ~ '^order_(reference|key_[0-9]+)$' AND NOT a.attisdropped
						 -- those that can be the ids of this binding
						 AND (a.attname = 'order_reference') = (binding.orders IS NULL)
						 AND inventory.base_type(a.atttypid) = binding.order_type);
	has_keys boolean := inventory.has_column(schema_name, 'movements', 'order_reference')
		OR inventory.has_column(schema_name, 'order_changes', 'order_id')
		   AND NOT inventory.has_column(schema_name, 'movements', 'order_key_1');
	away name := CASE WHEN binding.orders IS NOT NULL THEN 'order_reference' ELSE (
		SELECT 'order_key_' || n FROM generate_series(1, 1600) AS n
		WHERE NOT inventory.has_column(schema_name, 'movements', ('order_key_' || n)::name) ORDER BY n LIMIT 1) END;
	back name := kept[1];
	t record;
BEGIN
	IF NOT inventory.has_column(schema_name, 'movements', 'order_id') OR has_keys = (binding.orders IS NOT NULL) THEN
		RETURN;
	END IF;
	FOR t IN SELECT * FROM inventory.ledger_columns(binding) AS c
			 WHERE c.column_name = 'order_id' AND c.table_name IN ('movements', 'reservations')
			 AND inventory.has_column(schema_name, c.table_name, 'order_id')
	LOOP
		EXECUTE format('ALTER TABLE %I.%I RENAME COLUMN order_id TO %I', schema_name, t.table_name, away);
		EXECUTE format(CASE WHEN inventory.has_column(schema_name, t.table_name, back)
					   THEN 'ALTER TABLE %I.%I RENAME COLUMN %I TO order_id'
					   ELSE 'ALTER TABLE %I.%I ADD COLUMN order_id %4$s' END, schema_name, t.table_name, back,
					   t.type || inventory.collate_clause(t.collation_id, t.type));
	END LOOP;
	-- the index that tells that orders were followed goes with their keys
	EXECUTE (SELECT coalesce(string_agg(format('ALTER INDEX %I.%I RENAME TO %I', schema_name, i.name, i.new_name), '; ' ORDER BY i.n), '')
			 FROM (VALUES (1, 'movements_orders_idx', 'movements_' || away || '_idx'),
						  (2, 'movements_' || back || '_idx', 'movements_orders_idx')) AS i(n, name, new_name)
			 WHERE to_regclass(quote_ident(schema_name) || '.' || quote_ident(i.name)) IS NOT NULL);
	-- of the column that was renamed
	EXECUTE (SELECT coalesce(string_agg(format('DROP INDEX %s', c.oid::regclass), '; '), '')
			 FROM pg_class AS c WHERE c.relnamespace = to_regnamespace(quote_ident(schema_name))
			 AND c.relname IN ('movements_refunds_idx', 'movements_sales_idx') AND c.relkind = 'i');
	IF inventory.has_column(schema_name, 'requests', 'result') THEN
		PERFORM inventory.fit_kept_answers(binding, away, back);
	END IF;
	PERFORM inventory.fit_order_changes(binding);
END
$$;
COMMENT ON FUNCTION inventory.fit_order_ids(inventory.store_binding) IS 'Makes the order ids of a ledger those of a store with orders, or without.';

CREATE FUNCTION inventory.make_ledger(binding inventory.store_binding) RETURNS regclass
	LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	movements regclass;
BEGIN
	PERFORM inventory.make_schema(binding.ledger_schema, binding.owner);
	PERFORM inventory.fit_order_ids(binding);
	PERFORM inventory.make_ledger_table(binding, 'movements', inventory.ledger_comment(binding.store_name));
	movements := format('%I.movements', binding.ledger_schema)::regclass;
	PERFORM inventory.check_ledger_names(binding);
	PERFORM inventory.make_ledger_indexes(binding);
	IF inventory.make_ledger_table(binding, 'requests',
		'Idempotency keys: the answer to each call that passed one, and a digest of its arguments.')
	THEN
		-- prune deletes; without a primary key, a publication FOR ALL TABLES would refuse that
		EXECUTE format('ALTER TABLE %I.requests REPLICA IDENTITY FULL', binding.ledger_schema);
	END IF;
	IF inventory.make_ledger_table(binding, 'reservations',
		'Holds: one row for each item of a reservation. After expires_at a hold has expired, whatever its status. tracked: the units were taken from the stock.')
	THEN
		-- the open holds of an item, the oldest first, those of the store, and those of a user
		EXECUTE format($sql$CREATE INDEX ON %I.reservations (item_id, expires_at, reservation_id)
						WHERE status = 'held'$sql$, binding.ledger_schema);
		EXECUTE format($sql$CREATE INDEX ON %I.reservations (expires_at, reservation_id)
						WHERE status = 'held'$sql$, binding.ledger_schema);
		EXECUTE format($sql$CREATE INDEX ON %I.reservations (user_id)
						WHERE status = 'held'$sql$, binding.ledger_schema);
	END IF;
	PERFORM inventory.make_ledger_table(binding, 'hot',
		'Items that are or were hot. While an item is hot, its movements with an epoch after settled_epoch are not in its stock column yet. Rows are never deleted and epochs never start again, so that no movement is counted twice.');
	PERFORM inventory.make_order_changes(binding);
	PERFORM inventory.complete_ledger(binding);
	PERFORM inventory.demote_hot_items(binding);
	RETURN movements;
END
$$;
COMMENT ON FUNCTION inventory.make_ledger(inventory.store_binding) IS 'Creates the tables of the ledger of a store that do not exist, and returns the movements.';

CREATE FUNCTION inventory.make_binding_trigger(relation regclass, store_name text, trigger_name name,
											   columns name[], roles text[]) RETURNS void
	LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	merged_columns name[];
	merged_roles text[];
BEGIN
	-- a column that has a role and may be set by callers is in the list once
	SELECT array_agg(c ORDER BY first), array_agg(r ORDER BY first)
	INTO merged_columns, merged_roles
	FROM (SELECT c, string_agg(r, '' ORDER BY n) AS r, min(n) AS first
		  FROM unnest(columns, roles) WITH ORDINALITY AS u(c, r, n)
		  WHERE c IS NOT NULL GROUP BY c) AS m;
	EXECUTE format('CREATE TRIGGER %I AFTER UPDATE OF %s ON %s FOR EACH STATEMENT
					EXECUTE FUNCTION inventory.binding(%s)',
				   trigger_name,
				   (SELECT string_agg(quote_ident(c), ', ' ORDER BY n)
					FROM unnest(merged_columns) WITH ORDINALITY AS u(c, n)),
				   relation,
				   (SELECT string_agg(quote_literal(r), ', ' ORDER BY n)
					FROM unnest(store_name || merged_roles) WITH ORDINALITY AS u(r, n)));
	EXECUTE format('ALTER TABLE %s DISABLE TRIGGER %I', relation, trigger_name);
END
$$;
COMMENT ON FUNCTION inventory.make_binding_trigger(regclass, text, name, name[], text[]) IS 'Creates the disabled trigger whose column list remembers the bound columns of a table. Its arguments are the name of the store and the role of each column, in which "+" marks a column that callers may set, and "=" one that prepare_order computes.';

CREATE FUNCTION inventory.orders_trigger_name(store_name text) RETURNS name
	LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
	SELECT ('inventory_binding_' || left(md5(store_name), 8))::name
$$;
COMMENT ON FUNCTION inventory.orders_trigger_name(text) IS 'The name of the binding trigger of a store on its orders or their header, which may serve several stores.';

-- Orders may serve several stores, each with its guards.
CREATE FUNCTION inventory.make_guard(relation regclass, trigger_name name, store_name text,
									 template text) RETURNS void
	LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	IF EXISTS (SELECT FROM pg_trigger AS t WHERE t.tgrelid = relation AND t.tgname = trigger_name) THEN
		trigger_name := trigger_name || '_' || left(md5(store_name), 8);
	END IF;
	EXECUTE format(template, trigger_name, relation, store_name);
	EXECUTE format('ALTER TABLE %s ENABLE ALWAYS TRIGGER %I', relation, trigger_name);
END
$$;
COMMENT ON FUNCTION inventory.make_guard(regclass, name, text, text) IS 'Creates a trigger of a store by a template, under another name if that is taken, and enables it in every mode.';

-- A statement on a partition fires no trigger of the partitioned table at its end: there, and
-- where the setting says so, the deferred trigger applies what the guard has noted.
-- After SET CONSTRAINTS IMMEDIATE it is fired for a row with the guard, by the order of their
-- names: the guard has to be the first.
CREATE FUNCTION inventory.make_follow_triggers(relation regclass, store_name text, prefix text)
	RETURNS void
	LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	PERFORM inventory.make_guard(relation, (prefix || '_begin')::name, store_name,
		'CREATE TRIGGER %I BEFORE INSERT OR UPDATE OR DELETE ON %s
		 FOR EACH STATEMENT EXECUTE FUNCTION inventory.follow_orders(%L)');
	PERFORM inventory.make_guard(relation, (prefix || '_end')::name, store_name,
		'CREATE TRIGGER %I AFTER INSERT OR UPDATE OR DELETE ON %s
		 FOR EACH STATEMENT EXECUTE FUNCTION inventory.follow_orders(%L)');
	PERFORM inventory.make_guard(relation, (prefix || '_later')::name, store_name,
		'CREATE CONSTRAINT TRIGGER %I AFTER INSERT OR UPDATE OR DELETE ON %s
		 DEFERRABLE INITIALLY DEFERRED FOR EACH ROW WHEN (inventory.must_follow_later())
		 EXECUTE FUNCTION inventory.follow_orders(%L)');
END
$$;
COMMENT ON FUNCTION inventory.make_follow_triggers(regclass, text, text) IS 'Creates the triggers that apply what the guards on orders or headers have noted.';

CREATE FUNCTION inventory.make_orders_guards(binding inventory.store_binding) RETURNS void
	LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	PERFORM inventory.make_guard(binding.orders, 'inventory_orders_guard', binding.store_name,
		'CREATE TRIGGER %I AFTER INSERT OR UPDATE OR DELETE ON %s
		 FOR EACH ROW EXECUTE FUNCTION inventory.guard_orders(%L)');
	IF binding.order_writes = 'follow' THEN
		PERFORM inventory.make_follow_triggers(binding.orders, binding.store_name, 'inventory_orders');
		IF binding.header IS NOT NULL THEN
			PERFORM inventory.make_guard(binding.header, 'inventory_headers_guard', binding.store_name,
				'CREATE TRIGGER %I AFTER INSERT OR UPDATE OR DELETE ON %s
				 FOR EACH ROW EXECUTE FUNCTION inventory.guard_headers(%L)');
			PERFORM inventory.make_follow_triggers(binding.header, binding.store_name, 'inventory_headers');
		END IF;
	END IF;
END
$$;
COMMENT ON FUNCTION inventory.make_orders_guards(inventory.store_binding) IS 'Creates the guards of a store on its orders and their headers.';

CREATE FUNCTION inventory.make_truncate_guard(relation regclass, store_name text) RETURNS void
	LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	trigger_name name := 'inventory_guard_truncate';
BEGIN
	IF EXISTS (SELECT FROM pg_trigger AS t
			   WHERE t.tgrelid = relation AND t.tgname = trigger_name) THEN
		trigger_name := trigger_name || '_' || left(md5(store_name), 8);
	END IF;
	EXECUTE format('CREATE TRIGGER %I BEFORE TRUNCATE ON %s
					FOR EACH STATEMENT EXECUTE FUNCTION inventory.guard_truncate(%L)',
				   trigger_name, relation, store_name);
	EXECUTE format('ALTER TABLE %s ENABLE ALWAYS TRIGGER %I', relation, trigger_name);
END
$$;
COMMENT ON FUNCTION inventory.make_truncate_guard(regclass, text) IS 'Creates the guard of a store against TRUNCATE of one of its tables, which may serve several stores.';

CREATE FUNCTION inventory.given_roles(settable name[], object jsonb, of_lines boolean) RETURNS text[]
	LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
	SELECT array_fill('+'::text, ARRAY[cardinality(settable)])
		|| ARRAY(SELECT CASE WHEN of_lines AND object ->> k ~ $re$(^|[^.])\mquantity\M$re$ THEN '*=' ELSE '=' END || k
				 FROM unnest(inventory.value_keys(object)) WITH ORDINALITY AS u(k, n) ORDER BY n)
$$;
COMMENT ON FUNCTION inventory.given_roles(name[], jsonb, boolean) IS 'The roles of columns that callers may set, and of those that prepare_order computes: "=" and the name that it has for the column, which stays when the column is renamed; "*" before it where a line''s quantity is in the expression.';

-- Triggers of the shop that compute something from the stock find the stock that stays: the
-- name is before theirs.  Not ALWAYS: it has nothing to do where a subscriber applies a row.
CREATE FUNCTION inventory.make_keep(binding inventory.store_binding) RETURNS void
	LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	EXECUTE format('CREATE TRIGGER _inventory_keep BEFORE UPDATE OF %I ON %s
					FOR EACH ROW EXECUTE FUNCTION inventory.keep_stock()', binding.stock, binding.items);
	EXECUTE format('CREATE TRIGGER inventory_keep_notice AFTER UPDATE OF %I ON %s
					FOR EACH STATEMENT EXECUTE FUNCTION inventory.keep_stock()', binding.stock, binding.items);
END
$$;
COMMENT ON FUNCTION inventory.make_keep(inventory.store_binding) IS 'Creates the triggers that leave the stock as it is when other code saves whole rows.';

CREATE FUNCTION inventory.make_triggers(binding inventory.store_binding) RETURNS void
	LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	EXECUTE format('CREATE TRIGGER inventory_guard AFTER INSERT OR UPDATE OR DELETE ON %s
					FOR EACH ROW EXECUTE FUNCTION inventory.guard()', binding.items);
	EXECUTE format('ALTER TABLE %s ENABLE ALWAYS TRIGGER inventory_guard', binding.items);
	PERFORM inventory.make_truncate_guard(binding.items, binding.store_name);
	IF binding.direct_writes = 'keep' THEN
		PERFORM inventory.make_keep(binding);
	END IF;
	PERFORM inventory.make_binding_trigger(binding.items, binding.store_name, 'inventory_binding',
		ARRAY[binding.item_id, binding.stock, binding.version, binding.stock_floor, binding.purchase_limit,
			  binding.order_limit],
		'{item_id,stock,version,stock_floor,purchase_limit,order_limit}');
	IF binding.orders IS NOT NULL THEN
		PERFORM inventory.make_binding_trigger(binding.orders, binding.store_name,
			inventory.orders_trigger_name(binding.store_name),
			ARRAY[binding.order_id, binding.order_user_id, binding.order_item_id, binding.order_quantity,
				  binding.order_header_id] || binding.order_columns || binding.order_value_columns,
			'{order_id,order_user_id,order_item_id,order_quantity,order_header_id}'::text[] ||
				inventory.given_roles(binding.order_columns, binding.order_values, true));
		PERFORM inventory.make_orders_guards(binding);
		PERFORM inventory.make_truncate_guard(binding.orders, binding.store_name);
	END IF;
	IF binding.header IS NOT NULL THEN
		PERFORM inventory.make_binding_trigger(binding.header, binding.store_name,
			inventory.orders_trigger_name(binding.store_name),
			ARRAY[binding.header_id, binding.header_user_id] || binding.header_columns
				|| binding.header_value_columns,
			'{header_id,header_user_id}'::text[] ||
				inventory.given_roles(binding.header_columns, binding.header_values, false));
		PERFORM inventory.make_truncate_guard(binding.header, binding.store_name);
	END IF;
END
$$;
COMMENT ON FUNCTION inventory.make_triggers(inventory.store_binding) IS 'Creates the guards and the binding triggers of a store.';

-- Recognized by their function and the name of the store, because the owner may rename them.
CREATE FUNCTION inventory.store_triggers(store inventory.store, OUT trigger_id oid,
										 OUT relation regclass, OUT trigger_name name,
										 OUT is_binding boolean)
	RETURNS SETOF record
	LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
	SELECT t.oid, t.tgrelid, t.tgname, t.tgfoid = 'inventory.binding()'::regprocedure
	FROM pg_trigger AS t
	WHERE t.tgrelid = store.items AND t.tgfoid IN ('inventory.guard()'::regprocedure, 'inventory.keep_stock()'::regprocedure)
	OR t.tgrelid IN (store.items, store.orders, store.header)
	AND t.tgfoid IN ('inventory.binding()'::regprocedure, 'inventory.guard_orders()'::regprocedure,
					 'inventory.guard_headers()'::regprocedure, 'inventory.follow_orders()'::regprocedure,
					 'inventory.guard_truncate()'::regprocedure)
	AND substring(t.tgargs FOR octet_length(convert_to(store.store_name, getdatabaseencoding())) + 1)
		= convert_to(store.store_name, getdatabaseencoding()) || E'\\x00'::bytea
$$;
COMMENT ON FUNCTION inventory.store_triggers(inventory.store) IS 'The guard triggers on the tables of a store, and the triggers that bind the columns of its tables.';

CREATE FUNCTION inventory.bound_columns(store inventory.store, OUT relation regclass, OUT n bigint,
										OUT column_name name, OUT role text)
	RETURNS SETOF record
	LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
	SELECT b.relation, u.n, a.attname,
		   -- counted from the end: the name of the store may contain anything.  A backslash is \134
		   -- there, so that \000 is the end of an argument alone.
		   convert_from(decode(split_part(replace(encode(t.tgargs, 'escape'), E'\\\\', E'\\134'), E'\\000',
										  u.n::integer - t.tgnargs - 1), 'escape'), getdatabaseencoding())
	FROM inventory.store_triggers(store) AS b JOIN pg_trigger AS t ON t.oid = b.trigger_id
	CROSS JOIN LATERAL unnest(t.tgattr::int2[]) WITH ORDINALITY AS u(attnum, n)
	JOIN pg_attribute AS a ON a.attrelid = t.tgrelid AND a.attnum = u.attnum
	-- an owner can make such a trigger with fewer roles than columns
	WHERE b.is_binding AND u.n < t.tgnargs
$$;
COMMENT ON FUNCTION inventory.bound_columns(inventory.store) IS 'The columns that the binding triggers of a store list, with their number there and their role; a role that ends with + is of a column that callers may set, one with = of a column that prepare_order computes.';

CREATE FUNCTION inventory.check_other_stores(binding inventory.store_binding) RETURNS void
	LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	other text;
BEGIN
	SELECT s.store_name INTO other
	FROM inventory.store AS s JOIN pg_class AS i ON i.oid = s.items
	CROSS JOIN LATERAL inventory.bound_columns(s) AS b
	WHERE s.orders = binding.orders AND s.items <> binding.items
	AND b.relation = binding.orders AND b.column_name = binding.order_item_id
	AND rtrim(b.role, '+') = 'order_item_id'
	LIMIT 1;
	IF FOUND THEN
		RAISE EXCEPTION 'column "%" of % is bound by store "%"', binding.order_item_id, binding.orders, other
			USING ERRCODE = 'object_in_use',
				  HINT = 'The items of another store need a column of their own: order_item_id => ''...''.';
	END IF;
END
$$;
COMMENT ON FUNCTION inventory.check_other_stores(inventory.store_binding) IS 'Raises 55006 if another store has the same column of orders for its items: an order could be refunded into both.';

CREATE FUNCTION inventory.drop_triggers(store inventory.store) RETURNS void
	LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	t record;
BEGIN
	FOR t IN SELECT s.relation, s.trigger_name FROM inventory.store_triggers(store) AS s LOOP
		EXECUTE format('DROP TRIGGER %I ON %s', t.trigger_name, t.relation);
	END LOOP;
END
$$;
COMMENT ON FUNCTION inventory.drop_triggers(inventory.store) IS 'Drops the guards and the binding triggers of a store, also such as another role made.';

-- A role with the privilege TRIGGER could otherwise create or replace a trigger that binds
-- other columns as the stock, or books each change of stock twice or not at all; or one that
-- passes its own code to a function of the owner or of a superuser, which runs as the owner.
CREATE FUNCTION inventory.check_created_triggers() RETURNS event_trigger
	LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	t record;
BEGIN
	FOR t IN
		SELECT g.tgname, c.oid::regclass AS relation, c.relnamespace AS schema,
			   p.pronamespace = 'inventory'::regnamespace AS is_ours
		FROM pg_event_trigger_ddl_commands() AS d
		JOIN pg_trigger AS g ON g.oid = d.objid
		JOIN pg_class AS c ON c.oid = g.tgrelid
		JOIN pg_proc AS p ON p.oid = g.tgfoid
		WHERE d.classid = 'pg_trigger'::regclass AND NOT pg_has_role(c.relowner, 'USAGE')
	LOOP
		IF t.is_ours OR EXISTS (
			SELECT FROM inventory.store AS s
			WHERE t.relation IN (s.items, s.orders, s.header)
			OR s.orders IN (SELECT relid FROM pg_partition_ancestors(t.relation))
			OR t.schema = (SELECT m.relnamespace FROM pg_class AS m WHERE m.oid = s.movements::regclass))
		THEN
			RAISE EXCEPTION 'must be owner of table % to create trigger "%"', t.relation, t.tgname
				USING ERRCODE = 'insufficient_privilege',
					  DETAIL = 'The tables of a store are written with the rights of their owner, and so run their triggers. The functions of inventory for triggers are for inventory.attach().',
					  HINT = 'Have the owner of the table create the trigger.';
		END IF;
	END LOOP;
END
$$;
COMMENT ON FUNCTION inventory.check_created_triggers() IS 'Event trigger function: refuses a trigger on a table of a store, or with a function of the extension, unless it is created with the rights of the table''s owner.';

CREATE EVENT TRIGGER inventory_check_created_triggers ON ddl_command_end
	WHEN TAG IN ('CREATE TRIGGER') EXECUTE FUNCTION inventory.check_created_triggers();
ALTER EVENT TRIGGER inventory_check_created_triggers ENABLE ALWAYS;
COMMENT ON EVENT TRIGGER inventory_check_created_triggers IS 'Keeps roles that are not the owner of a table of a store from creating triggers on it.';
