-- The stores to fuzz, one of each kind that behaves differently, all of one owner; roles for
-- buyers, operators and outsiders; and relations that are no stores.
SET client_min_messages = warning;

SELECT format('CREATE ROLE %I LOGIN', r) FROM unnest('{fuzz_owner,fuzz_operator,fuzz_buyer,fuzz_outsider}'::name[]) AS r
WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = r) \gexec
CREATE EXTENSION inventory;
SELECT format('GRANT CREATE ON DATABASE %I TO fuzz_owner', current_database()) \gexec
SET SESSION AUTHORIZATION fuzz_owner;

-- uuid ids, floor and limit: made by create_store
SELECT inventory.create_store('f_uuid');
INSERT INTO f_uuid.items
SELECT md5(n::text)::uuid, 100, CASE n WHEN 2 THEN 20 WHEN 3 THEN -50 ELSE 0 END, CASE n WHEN 4 THEN 30 END
FROM generate_series(1, 8) AS n;

-- integers, a version, columns that callers may set, lines under a header
CREATE SCHEMA f_int;
CREATE TABLE f_int.items (id integer PRIMARY KEY, stock integer, version smallint NOT NULL DEFAULT 0);
CREATE TABLE f_int.orders (id bigserial PRIMARY KEY, user_id integer, item_id integer REFERENCES f_int.items,
	quantity integer NOT NULL, price numeric(12, 2), note varchar(20), ordered date, tags text[]);
INSERT INTO f_int.items SELECT n, CASE WHEN n < 8 THEN 100 END FROM generate_series(1, 8) AS n;
SELECT inventory.attach('f_int.items', 'f_int.orders', order_columns => '{price,note,ordered,tags,id}',
	ledger_schema => 'f_int_stock');

-- text ids under domains, limits, one unit per order row
CREATE SCHEMA f_text;
CREATE DOMAIN f_text.sku AS varchar(60) CHECK (value <> '');
CREATE TABLE f_text.items (id f_text.sku PRIMARY KEY, stock bigint, purchase_limit smallint);
CREATE TABLE f_text.orders (id f_text.sku PRIMARY KEY, user_id text NOT NULL, item_id text NOT NULL);
INSERT INTO f_text.items SELECT 'a''b"c\' || n, 100, n FROM generate_series(1, 6) AS n;
SELECT inventory.attach('f_text.items', 'f_text.orders', order_columns => '{id}', ledger_schema => 'f_text_stock');

-- no orders
CREATE SCHEMA f_bare;
CREATE TABLE f_bare.items (id bigint PRIMARY KEY, stock bigint NOT NULL);
INSERT INTO f_bare.items SELECT n, 100 FROM generate_series(1, 6) AS n;
SELECT inventory.attach('f_bare.items', user_id_type => 'uuid', ledger_schema => 'f_bare_stock');

-- the user comes from the token
CREATE SCHEMA f_claim;
CREATE TABLE f_claim.items (id bigint PRIMARY KEY, stock integer, purchase_limit integer);
CREATE TABLE f_claim.orders (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, user_id bigint, item_id bigint,
	quantity integer);
INSERT INTO f_claim.items SELECT n, 100, CASE n WHEN 1 THEN 40 END FROM generate_series(1, 6) AS n;
SELECT inventory.attach('f_claim.items', 'f_claim.orders', user_claim => 'sub', ledger_schema => 'f_claim_stock');

-- partitioned orders, small integers
CREATE SCHEMA f_part;
CREATE TABLE f_part.items (id smallint PRIMARY KEY, stock smallint NOT NULL, purchase_limit integer);
CREATE TABLE f_part.orders (id bigserial, created_at timestamptz NOT NULL DEFAULT now(), user_id smallint,
	item_id smallint NOT NULL, quantity smallint NOT NULL DEFAULT 1, PRIMARY KEY (id, created_at))
	PARTITION BY RANGE (created_at);
CREATE TABLE f_part.orders_old PARTITION OF f_part.orders FOR VALUES FROM ('2024-01-01') TO ('2025-01-01');
CREATE TABLE f_part.orders_new (quantity smallint NOT NULL, gone text, user_id smallint, item_id smallint NOT NULL,
	created_at timestamptz NOT NULL, id bigint NOT NULL);
ALTER TABLE f_part.orders_new DROP COLUMN gone;
ALTER TABLE f_part.orders ATTACH PARTITION f_part.orders_new FOR VALUES FROM ('2025-01-01') TO ('2100-01-01');
INSERT INTO f_part.items SELECT n, 100, NULLIF(n, 5) * 10 FROM generate_series(1, 6) AS n;
SELECT inventory.attach('f_part.items', 'f_part.orders', order_id => 'id', order_columns => '{created_at}',
	ledger_schema => 'f_part_stock');

-- a condition on what is sellable, no direct writes, prefixed arguments, a numeric quantity
CREATE SCHEMA f_sell;
CREATE TABLE f_sell.items (id uuid PRIMARY KEY, stock bigint, version bigint NOT NULL DEFAULT 0,
	status text NOT NULL DEFAULT 'live');
CREATE TABLE f_sell.orders (id uuid PRIMARY KEY, user_id uuid, item_id uuid, quantity numeric(6, 2) CHECK (quantity < 50),
	placed timestamp);
INSERT INTO f_sell.items SELECT md5(n::text)::uuid, 100, 9223372036854775800, CASE n WHEN 1 THEN 'draft' ELSE 'live' END
FROM generate_series(1, 6) AS n;
SELECT inventory.attach('f_sell.items', 'f_sell.orders', order_columns => '{id,placed}', sellable => 'status = ''live''',
	direct_writes => 'refuse', argument_prefix => 'p_', max_ttl => '100 years', ledger_schema => 'f_sell_stock');

-- names that need quotes, and triggers that call the functions, write the stock, and fail
CREATE SCHEMA "f ""odd'";
CREATE TABLE "f ""odd'"."it%s'ems" ("%I""d" text PRIMARY KEY, "st'ock" integer, "stock_floor" smallint);
CREATE TABLE "f ""odd'"."or""ders" ("k'ey" uuid PRIMARY KEY DEFAULT gen_random_uuid(), "us er" text, "it em" text,
	"q$1" bigint, "n ote" jsonb);
INSERT INTO "f ""odd'"."it%s'ems" SELECT 'i' || n, 100, n FROM generate_series(1, 6) AS n;
SELECT inventory.attach('"f ""odd''"."it%s''ems"', '"f ""odd''"."or""ders"', stock => 'st''ock', order_user_id => 'us er',
	order_item_id => 'it em', order_quantity => 'q$1', order_columns => '{"n ote"}', ledger_schema => 'f "odd''_stock',
	store_name => 'st"o''re %s $1');
CREATE FUNCTION "f ""odd'".meddle() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	IF pg_trigger_depth() < 4 THEN
		CASE floor(random() * 12)
			WHEN 0 THEN PERFORM "f ""odd'".buy_item('meddler', 'i1');
			WHEN 1 THEN PERFORM "f ""odd'".reserve_stock('meddler', 'i2', 1, '1 ms');
			WHEN 2 THEN PERFORM "f ""odd'".try_buy_cart('meddler', '[{"item_id": "i3"}, {"item_id": "i1"}]');
			WHEN 3 THEN PERFORM f_int.buy_item(1, 1);
			WHEN 4 THEN UPDATE "f ""odd'"."it%s'ems" SET "st'ock" = "st'ock" + 1 WHERE "%I""d" = 'i4';
			WHEN 5 THEN BEGIN
				UPDATE "f ""odd'"."it%s'ems" SET "st'ock" = -1000;
			EXCEPTION WHEN SQLSTATE 'IV001' OR SQLSTATE 'PT409' THEN NULL;
			END;
			WHEN 6 THEN RAISE 'meddler' USING ERRCODE = 'ZZ001';
			WHEN 7 THEN RETURN NULL;
			ELSE NULL;
		END CASE;
	END IF;
	RETURN NEW;
END
$$;
CREATE TRIGGER meddle_before BEFORE INSERT ON "f ""odd'"."or""ders" FOR EACH ROW EXECUTE FUNCTION "f ""odd'".meddle();
CREATE TRIGGER meddle_after AFTER INSERT ON "f ""odd'"."or""ders" FOR EACH ROW EXECUTE FUNCTION "f ""odd'".meddle();
CREATE TRIGGER meddle_items BEFORE UPDATE ON "f ""odd'"."it%s'ems" FOR EACH ROW EXECUTE FUNCTION "f ""odd'".meddle();
CREATE CONSTRAINT TRIGGER meddle_late AFTER INSERT ON "f ""odd'"."or""ders" DEFERRABLE INITIALLY DEFERRED
	FOR EACH ROW EXECUTE FUNCTION "f ""odd'".meddle();

SELECT inventory.grant_api(items, 'fuzz_buyer', 'buyer'), inventory.grant_api(items, 'fuzz_operator', 'operator')
FROM inventory.store;
-- the operator is also a buyer
SELECT inventory.grant_api(items, 'fuzz_operator', 'buyer') FROM inventory.store;

-- relations that are no stores
CREATE SCHEMA other;
CREATE TABLE other.plain (id bigint PRIMARY KEY, stock bigint NOT NULL DEFAULT 0);
CREATE TABLE other.lines (id bigserial PRIMARY KEY, user_id uuid, item_id bigint REFERENCES other.plain, quantity int);
CREATE TABLE other.keyless (stock numeric, "a b" text);
CREATE TABLE other.parted (id int, stock int) PARTITION BY LIST (id);
CREATE UNLOGGED TABLE other.unlogged (id int PRIMARY KEY, stock int);
CREATE VIEW other.view AS SELECT * FROM other.plain;
CREATE MATERIALIZED VIEW other.matview AS SELECT * FROM other.plain;
CREATE SEQUENCE other.sequence;
CREATE TYPE other.pair AS (a int, b text);
CREATE TABLE other.heirs () INHERITS (other.plain);
INSERT INTO other.plain SELECT n, 50 FROM generate_series(1, 5) AS n;
