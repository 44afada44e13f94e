
-- ---------------------------------------------------------------- ledger
--
-- The tables, types and triggers that attach makes for a store.  They belong to
-- the shop: nothing here is a member of the extension.

-- What tells the ledger of one store from that of another.
CREATE FUNCTION inventory.ledger_comment(store_name text) RETURNS text
	LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
	SELECT 'Ledger of store ' || store_name || ': one row for every change of stock, in units. Append-only.'
$$;
COMMENT ON FUNCTION inventory.ledger_comment(text) IS 'Comment of a ledger''s movements, by which a ledger is known again.';

-- The ledger schema: the given one, or <items>_stock, or <schema>_<items>_stock
-- where another store's ledger has that name.
CREATE FUNCTION inventory.resolve_ledger_schema(p inventory.plan) RETURNS name
	LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	schema_name name;
	table_name name;
	candidate name;
	ledger regclass;
BEGIN
	IF p.ledger_schema IS NOT NULL THEN
		RETURN p.ledger_schema;
	END IF;
	SELECT n.nspname, c.relname INTO schema_name, table_name
	FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace WHERE c.oid = p.items;
	FOREACH candidate IN ARRAY ARRAY[
		inventory.clip(table_name, 57) || '_stock',
		inventory.clip(schema_name || '_' || table_name, 57) || '_stock',
		inventory.clip(table_name, 48) || '_' || left(md5(p.store_name), 8) || '_stock']
	LOOP
		-- not by to_regclass, which minds the privileges on a schema of somebody else's
		ledger := (SELECT c.oid FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
				   WHERE n.nspname = candidate AND c.relname = 'movements' AND c.relowner = p.owner);
		IF to_regnamespace(quote_ident(candidate)) IS NULL
		   OR obj_description(ledger, 'pg_class') = inventory.ledger_comment(p.store_name) THEN
			RETURN candidate;
		END IF;
	END LOOP;
	RAISE EXCEPTION 'schema "%" exists', candidate
		USING ERRCODE = 'duplicate_schema', HINT = 'Choose one: ledger_schema => ''...''.';
END
$$;
COMMENT ON FUNCTION inventory.resolve_ledger_schema(inventory.plan) IS 'The schema for a store''s ledger.';

-- A ledger that is there already must be this store's kind of ledger.
CREATE FUNCTION inventory.check_ledger(p inventory.plan, ledger regclass) RETURNS void
	LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	wrong record;
BEGIN
	IF EXISTS (SELECT FROM inventory.store AS s WHERE s.movements = ledger) THEN
		RAISE EXCEPTION 'schema "%" has the ledger of another store', p.ledger_schema
			USING ERRCODE = 'duplicate_table', HINT = 'Choose another: ledger_schema => ''...''.';
	END IF;
	FOR wrong IN
		SELECT e.column_name, e.type, format_type(a.atttypid, a.atttypmod) AS actual
		FROM (VALUES ('movements', 'item_id', p.item_type), ('movements', 'delta', 'bigint'),
					 ('movements', 'kind', 'text'), ('movements', 'user_id', p.user_type),
					 ('movements', 'order_id', p.order_type), ('movements', 'reason', 'text'),
					 ('movements', 'actor', 'text'), ('movements', 'created_at', 'timestamptz'),
					 ('movements', 'epoch', 'bigint'),
					 ('requests', 'operation', 'text'), ('requests', 'user_id', p.user_type),
					 ('requests', 'key', 'text'), ('requests', 'fingerprint', 'bytea'),
					 ('requests', 'result', 'jsonb'), ('requests', 'created_at', 'timestamptz'),
					 ('reservations', 'reservation_id', 'uuid'),
					 ('reservations', 'item_id', p.item_type),
					 ('reservations', 'quantity', 'bigint'),
					 ('reservations', 'user_id', p.user_type),
					 ('reservations', 'status', 'text'),
					 ('reservations', 'expires_at', 'timestamptz'),
					 ('reservations', 'order_id', p.order_type),
					 ('reservations', 'created_at', 'timestamptz'),
					 ('reservations', 'tracked', 'boolean'),
					 ('hot', 'item_id', p.item_type), ('hot', 'number', 'bigint'),
					 ('hot', 'hot', 'boolean'), ('hot', 'settled_epoch', 'bigint'),
					 ('hot', 'incarnation', 'bigint'))
			 AS e(relation, column_name, type)
		JOIN pg_class AS c ON c.oid = ledger AND c.relname = e.relation
		LEFT JOIN pg_attribute AS a ON a.attrelid = ledger AND a.attname = e.column_name
		WHERE a.atttypid IS DISTINCT FROM e.type
	LOOP
		IF wrong.actual IS NULL THEN
			RAISE EXCEPTION '% is not the ledger of a store: it has no column "%"', ledger,
							wrong.column_name
				USING ERRCODE = 'duplicate_table',
					  HINT = 'Choose another schema: ledger_schema => ''...''.';
		END IF;
		RAISE EXCEPTION 'ledger % does not fit: its % is %, the store needs %', ledger,
						wrong.column_name, wrong.actual, wrong.type
			USING ERRCODE = 'datatype_mismatch',
				  HINT = format('ALTER TABLE %1$s ALTER COLUMN %2$I TYPE %3$s USING %2$I::text::%3$s; or choose another: ledger_schema => ''...''.',
								ledger, wrong.column_name, wrong.type);
	END LOOP;
	IF NOT EXISTS (SELECT FROM pg_class AS c WHERE c.oid = ledger AND c.relowner = p.owner) THEN
		RAISE EXCEPTION 'ledger % belongs to another role than the items', ledger
			USING ERRCODE = 'insufficient_privilege',
				  HINT = format('ALTER TABLE %s OWNER TO %I;', ledger, pg_get_userbyid(p.owner));
	END IF;
END
$$;
COMMENT ON FUNCTION inventory.check_ledger(inventory.plan, regclass) IS 'Raises what keeps an existing ledger from serving a store.';

-- What is generated anew each time must not be there as something of the shop's.
CREATE FUNCTION inventory.check_ledger_names(p inventory.plan) RETURNS void
	LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	taken name;
BEGIN
	SELECT t.typname INTO taken	-- tables and views have a type of their name
	FROM pg_type AS t JOIN pg_namespace AS n ON n.oid = t.typnamespace
	WHERE n.nspname = p.ledger_schema
	AND (t.typname IN ('levels', 'line', 'hold', 'held_line') OR t.typname = 'sellable' AND p.sellable IS NOT NULL)
	ORDER BY t.typname LIMIT 1;
	IF taken IS NOT NULL THEN
		RAISE EXCEPTION 'schema "%" has a "%" already', p.ledger_schema, taken
			USING ERRCODE = 'duplicate_object',
				  HINT = 'Choose another schema: ledger_schema => ''...''.';
	END IF;
END
$$;
COMMENT ON FUNCTION inventory.check_ledger_names(inventory.plan) IS 'Raises what stands where a store''s views and types would be.';

-- The collation of a text key, for columns that hold it.
CREATE FUNCTION inventory.key_collation(p inventory.plan) RETURNS text
	LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
	SELECT coalesce((
		SELECT format(' COLLATE %I.%I', n.nspname, c.collname)
		FROM pg_collation AS c JOIN pg_namespace AS n ON n.oid = c.collnamespace
		WHERE c.oid = (inventory.column_of(p.items, p.item_id)).attcollation
		AND c.collname <> 'default'), '')
$$;
COMMENT ON FUNCTION inventory.key_collation(inventory.plan) IS 'The COLLATE clause of a text key, or nothing.';

CREATE FUNCTION inventory.make_movements(p inventory.plan) RETURNS regclass
	LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	ledger regclass := to_regclass(format('%I.movements', p.ledger_schema));
BEGIN
	IF ledger IS NOT NULL THEN
		PERFORM inventory.check_ledger(p, ledger);
		-- the store may have had another name
		EXECUTE format('COMMENT ON TABLE %s IS %L', ledger, inventory.ledger_comment(p.store_name));
		RETURN ledger;
	END IF;
	-- no CHECK on kind: the server parses constraints anew for every statement, a
	-- tenth of a purchase
	EXECUTE format($sql$
		CREATE TABLE %1$I.movements (
			movement_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
			item_id %2$s%5$s NOT NULL,
			delta bigint NOT NULL,
			kind text NOT NULL,
			user_id %3$s,
			order_id %4$s,
			reservation_id uuid,
			reason text,
			actor text NOT NULL,
			created_at timestamptz NOT NULL,
			epoch bigint)$sql$,
		p.ledger_schema, p.item_type, p.user_type, p.order_type, inventory.key_collation(p));
	ledger := format('%I.movements', p.ledger_schema)::regclass;
	EXECUTE format('COMMENT ON TABLE %s IS %L', ledger, inventory.ledger_comment(p.store_name));
	PERFORM inventory.restrict_relation_to_owner('TABLE', p.ledger_schema, 'movements', p.owner);
	PERFORM inventory.restrict_relation_to_owner('SEQUENCE', p.ledger_schema,
											'movements_movement_id_seq', p.owner);
	RETURN ledger;
END
$$;
COMMENT ON FUNCTION inventory.make_movements(inventory.plan) IS 'Makes a store''s movements, or takes those that are there and fit.';

-- Idempotency keys.
CREATE FUNCTION inventory.make_requests(p inventory.plan) RETURNS void
	LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	requests regclass := to_regclass(format('%I.requests', p.ledger_schema));
BEGIN
	IF requests IS NOT NULL THEN
		PERFORM inventory.check_ledger(p, requests);
		RETURN;
	END IF;
	EXECUTE format($sql$
		CREATE TABLE %1$I.requests (
			operation text NOT NULL,
			user_id %2$s,
			key text NOT NULL,
			fingerprint bytea NOT NULL,
			result jsonb NOT NULL,
			created_at timestamptz NOT NULL,
			UNIQUE NULLS NOT DISTINCT (key, operation, user_id))$sql$,
		p.ledger_schema, p.user_type);
	EXECUTE format('COMMENT ON TABLE %I.requests IS %L', p.ledger_schema,
				   'Idempotency keys: the answer of each call that carried one, and a digest of its arguments.');
	PERFORM inventory.restrict_relation_to_owner('TABLE', p.ledger_schema, 'requests', p.owner);
END
$$;
COMMENT ON FUNCTION inventory.make_requests(inventory.plan) IS 'Makes the table of a store''s idempotency keys.';

-- Holds: a row per item of a reservation.
CREATE FUNCTION inventory.make_reservations(p inventory.plan) RETURNS void
	LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	reservations regclass := to_regclass(format('%I.reservations', p.ledger_schema));
BEGIN
	IF reservations IS NOT NULL THEN
		PERFORM inventory.check_ledger(p, reservations);
		RETURN;
	END IF;
	EXECUTE format($sql$
		CREATE TABLE %1$I.reservations (
			reservation_id uuid NOT NULL,
			item_id %2$s%5$s NOT NULL,
			quantity bigint NOT NULL CHECK (quantity > 0),
			user_id %3$s,
			status text NOT NULL CHECK (status IN ('held', 'confirmed', 'released', 'expired')),
			expires_at timestamptz NOT NULL,
			order_id %4$s,
			created_at timestamptz NOT NULL,
			tracked boolean NOT NULL,
			PRIMARY KEY (reservation_id, item_id))$sql$,
		p.ledger_schema, p.item_type, p.user_type, p.order_type, inventory.key_collation(p));
	-- open holds of an item, the oldest first; and of the store
	EXECUTE format($sql$CREATE INDEX ON %I.reservations (item_id, expires_at, reservation_id)
					WHERE status = 'held'$sql$, p.ledger_schema);
	EXECUTE format($sql$CREATE INDEX ON %I.reservations (expires_at, reservation_id)
					WHERE status = 'held'$sql$, p.ledger_schema);
	EXECUTE format('COMMENT ON TABLE %I.reservations IS %L', p.ledger_schema,
				   'Holds: a row per item of a reservation. Past expires_at a hold is dead, whatever its status says. tracked: the stock was lowered for it.');
	PERFORM inventory.restrict_relation_to_owner('TABLE', p.ledger_schema, 'reservations', p.owner);
END
$$;
COMMENT ON FUNCTION inventory.make_reservations(inventory.plan) IS 'Makes the table of a store''s holds.';

-- Which items are hot, or were.
CREATE FUNCTION inventory.make_hot(p inventory.plan) RETURNS void
	LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	hot regclass := to_regclass(format('%I.hot', p.ledger_schema));
BEGIN
	IF hot IS NOT NULL THEN
		PERFORM inventory.check_ledger(p, hot);
		RETURN;
	END IF;
	EXECUTE format($sql$
		CREATE TABLE %1$I.hot (
			item_id %2$s%3$s PRIMARY KEY,
			number bigint GENERATED ALWAYS AS IDENTITY UNIQUE,
			hot boolean NOT NULL,
			settled_epoch bigint NOT NULL,
			incarnation bigint NOT NULL)$sql$,
		p.ledger_schema, p.item_type, inventory.key_collation(p));
	EXECUTE format('COMMENT ON TABLE %I.hot IS %L', p.ledger_schema,
				   'Items that are hot, or were. Movements of a hot item with an epoch after settled_epoch are not in its stock column yet. Rows stay, and epochs go on, so that none counts twice.');
	PERFORM inventory.restrict_relation_to_owner('TABLE', p.ledger_schema, 'hot', p.owner);
	PERFORM inventory.restrict_relation_to_owner('SEQUENCE', p.ledger_schema, 'hot_number_seq', p.owner);
END
$$;
COMMENT ON FUNCTION inventory.make_hot(inventory.plan) IS 'Makes the table of a store''s hot items.';

-- Hot items of a ledger that another server wrote, or this one before the store was
-- taken apart by force, become cold: their stock gets what is not in it yet.
CREATE FUNCTION inventory.fold_hot(p inventory.plan) RETURNS void
	LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	EXECUTE format($sql$
		UPDATE ONLY %1$s AS i SET %3$I = i.%3$I + u.total
		FROM (SELECT m.item_id, sum(m.delta) AS total
			  FROM %2$I.hot AS h
			  JOIN %2$I.movements AS m ON m.item_id = h.item_id AND m.epoch > h.settled_epoch
			  WHERE h.hot GROUP BY m.item_id) AS u
		WHERE i.%4$I = u.item_id AND u.total <> 0$sql$,
		p.items, p.ledger_schema, p.stock, p.item_id);
	EXECUTE format($sql$
		UPDATE %1$I.hot AS h SET hot = false, settled_epoch = greatest(h.settled_epoch,
			(SELECT max(m.epoch) FROM %1$I.movements AS m WHERE m.item_id = h.item_id))
		WHERE h.hot$sql$, p.ledger_schema);
END
$$;
COMMENT ON FUNCTION inventory.fold_hot(inventory.plan) IS 'Makes the hot items of an older ledger cold.';

-- The ledger's tables; what is there and fits is taken as it is.
CREATE FUNCTION inventory.make_ledger(p inventory.plan) RETURNS regclass
	LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	ledger regclass;
BEGIN
	PERFORM inventory.make_schema(p.ledger_schema, p.owner);
	ledger := inventory.make_movements(p);
	PERFORM inventory.check_ledger_names(p);
	-- refunds of an order
	EXECUTE format($sql$CREATE INDEX IF NOT EXISTS movements_refunds_idx ON %s (order_id)
					WHERE kind IN ('refund', 'write_off')$sql$, ledger);
	-- what of a hot item is not in its stock column
	EXECUTE format('CREATE INDEX IF NOT EXISTS movements_epochs_idx ON %s (item_id, epoch)
					WHERE epoch IS NOT NULL', ledger);
	-- sums per user are needed where purchases are limited, and only there
	IF p.purchase_limit IS NOT NULL THEN
		EXECUTE format('CREATE INDEX IF NOT EXISTS movements_users_idx ON %s (item_id, user_id)
						WHERE user_id IS NOT NULL', ledger);
	END IF;
	-- a refund looks for the sale where no order row says what was bought, or by whom
	IF p.orders IS NULL OR (p.purchase_limit IS NOT NULL AND p.order_user_id IS NULL) THEN
		EXECUTE format($sql$CREATE INDEX IF NOT EXISTS movements_sales_idx ON %s (order_id)
						WHERE kind = 'sale'$sql$, ledger);
	END IF;
	PERFORM inventory.make_requests(p);
	PERFORM inventory.make_reservations(p);
	PERFORM inventory.make_hot(p);
	PERFORM inventory.fold_hot(p);
	RETURN ledger;
END
$$;
COMMENT ON FUNCTION inventory.make_ledger(inventory.plan) IS 'Makes the tables of a store''s ledger.';

-- A disabled trigger whose column list remembers a binding: roles are its
-- arguments, "+" marks what callers may set.
CREATE FUNCTION inventory.make_binding(relation regclass, store_name text, trigger_name name,
									   columns name[], roles text[]) RETURNS void
	LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	merged_columns name[];
	merged_roles text[];
BEGIN
	-- a column that callers may set besides its role stands in the list once
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
COMMENT ON FUNCTION inventory.make_binding(regclass, text, name, name[], text[]) IS 'Makes the trigger that remembers the bound columns of a table.';

CREATE FUNCTION inventory.orders_trigger(store_name text) RETURNS name
	LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
	SELECT ('inventory_binding_' || left(md5(store_name), 8))::name
$$;
COMMENT ON FUNCTION inventory.orders_trigger(text) IS 'Name of a store''s binding trigger on orders, which may serve several stores.';

CREATE FUNCTION inventory.make_triggers(p inventory.plan) RETURNS void
	LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	EXECUTE format('CREATE TRIGGER inventory_guard AFTER INSERT OR UPDATE OR DELETE ON %s
					FOR EACH ROW EXECUTE FUNCTION inventory.guard()', p.items);
	EXECUTE format('CREATE TRIGGER inventory_guard_truncate BEFORE TRUNCATE ON %s
					FOR EACH STATEMENT EXECUTE FUNCTION inventory.guard()', p.items);
	EXECUTE format('ALTER TABLE %s ENABLE ALWAYS TRIGGER inventory_guard,
					ENABLE ALWAYS TRIGGER inventory_guard_truncate', p.items);
	PERFORM inventory.make_binding(p.items, p.store_name, 'inventory_binding',
		ARRAY[p.item_id, p.stock, p.version, p.stock_floor, p.purchase_limit],
		'{item_id,stock,version,stock_floor,purchase_limit}');
	IF p.orders IS NOT NULL THEN
		PERFORM inventory.make_binding(p.orders, p.store_name,
			inventory.orders_trigger(p.store_name),
			ARRAY[p.order_id, p.order_user_id, p.order_item_id, p.order_quantity] || p.order_columns,
			'{order_id,order_user_id,order_item_id,order_quantity}'::text[] ||
			array_fill('+'::text, ARRAY[cardinality(p.order_columns)]));
	END IF;
END
$$;
COMMENT ON FUNCTION inventory.make_triggers(inventory.plan) IS 'Makes the guard and the binding triggers of a store.';
