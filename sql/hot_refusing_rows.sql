-- Tests of items whose row could refuse what the counter allows: they cannot become hot, and
-- one that is hot shows what its row refuses, and loses nothing.
\set VERBOSITY terse
\pset format unaligned
\pset tuples_only on
\set schema hot_refusing
\getenv abs_srcdir PG_ABS_SRCDIR
\set include :abs_srcdir '/sql/include/shop.sql'
\i :include
ALTER TABLE items ADD reserve integer NOT NULL DEFAULT 0, ADD capacity integer NOT NULL DEFAULT 1000, ADD updated_at timestamptz;
INSERT INTO items (id, stock) VALUES (1, 10), (2, 10), (3, 10);
UPDATE items SET stock_floor = -5 WHERE id = 3;
SELECT inventory.attach('items', 'orders', ledger_schema => 'hot_refusing_stock');

-- Why item 1 cannot become hot with some DDL, which is undone; or that it can.
CREATE FUNCTION heated(ddl text, item integer DEFAULT 1) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	detail text;
BEGIN
	EXECUTE ddl;
	BEGIN
		RAISE SQLSTATE 'ZZ003' USING MESSAGE = inventory.heat('hot_refusing.items', item);
	EXCEPTION WHEN SQLSTATE '55000' THEN
		GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL;
		RAISE SQLSTATE 'ZZ003' USING MESSAGE = SQLSTATE || regexp_replace(detail, '^.*sold\.', '');
	END;
EXCEPTION WHEN SQLSTATE 'ZZ003' THEN
	RETURN SQLERRM;
END
$$;
-- A trigger function with this body, and a trigger that calls it.
CREATE FUNCTION trigger_with(body text, at text DEFAULT 'BEFORE UPDATE ON items FOR EACH ROW') RETURNS text LANGUAGE sql AS $$
	SELECT format('CREATE FUNCTION trig() RETURNS trigger LANGUAGE plpgsql AS %L; CREATE %s TRIGGER t %s EXECUTE FUNCTION trig();',
		body, CASE WHEN at ~ 'DEFER' THEN 'CONSTRAINT' END, at)
$$;

\echo '-- CHECKs: those that follow from the floor are fine, with whatever the row has else'
UPDATE items SET reserve = 6;
ALTER TABLE items ADD CONSTRAINT c CHECK (stock >= reserve);
SELECT error($$ SELECT inventory.heat('items', 1) $$ );
ALTER TABLE items DROP CONSTRAINT c;
SELECT condition, heated(format('ALTER TABLE items ADD CONSTRAINT c CHECK (%s)', condition))
FROM unnest(ARRAY['stock >= 0', 'stock > -1', 'stock >= 0::bigint', 'stock >= 0 AND stock <= capacity', 'stock BETWEEN 0 AND 50',
	'stock >= 0 OR name = ''backorder''', 'reserve >= 0', 'stock IS NOT NULL', 'stock >= stock_floor', 'stock >= reserve', 'stock >= coalesce(stock_floor, 0)', 'stock <> 5',
	'stock % 2 = 0', 'stock >= 0 AND version >= 0', 'version < 3', 'stock + reserve >= 6', 'length(stock::text) < 3', 'stock < 50 OR stock > 60', 'stock <= 5 OR stock >= 0', 'items.* IS NOT NULL OR live', 'stock < 10000']) AS condition;
SELECT condition, heated(format('ALTER TABLE items ADD CONSTRAINT c CHECK (%s)', condition), 3)
FROM unnest(ARRAY['stock >= 0', 'stock >= -5', 'stock >= stock_floor', 'stock >= -4']) AS condition;

\echo '-- types, generated columns, indexes, rules, the guard'
SELECT ddl, heated(ddl) FROM unnest(ARRAY[
	'ALTER TABLE items ADD sold_out boolean GENERATED ALWAYS AS (stock <= 0) STORED',
	'ALTER TABLE items ADD sold_out boolean GENERATED ALWAYS AS (stock <= 0) STORED, ADD CHECK (NOT sold_out)',
	'ALTER TABLE items ADD share integer GENERATED ALWAYS AS (100 / stock) STORED',
	'CREATE INDEX ON items (stock)',
	'CREATE INDEX ON items ((100 / stock))',
	'UPDATE items SET stock = stock + id; CREATE UNIQUE INDEX one ON items (stock)',
	'UPDATE items SET reserve = id; CREATE UNIQUE INDEX one ON items (reserve) WHERE stock > 0',
	'CREATE UNIQUE INDEX one ON items (id, reserve)',
	'UPDATE items SET version = id; ALTER TABLE items ADD CONSTRAINT one EXCLUDE (version WITH =)',
	'CREATE RULE r AS ON UPDATE TO items WHERE NEW.stock < 3 DO INSTEAD NOTHING',
	'ALTER TABLE items DISABLE TRIGGER inventory_guard',
	'ALTER TABLE items ENABLE TRIGGER inventory_guard',
	'ALTER TABLE items FORCE ROW LEVEL SECURITY, ENABLE ROW LEVEL SECURITY']) AS ddl;

\echo '-- triggers'
SELECT body, heated(trigger_with('BEGIN ' || body || ' END')) FROM unnest(ARRAY[
	'NEW.updated_at := now(); RETURN NEW;',
	'IF NEW.stock < 3 THEN RAISE EXCEPTION ''no''; END IF; RETURN NEW;',
	'IF NEW.name = ''locked'' THEN RAISE ''locked''; END IF; RETURN NEW;',
	'RAISE NOTICE ''raise exception''; RAISE LOG ''x''; /* RAISE */ -- RAISE' || E'\n' || 'RETURN NEW;',
	'ASSERT NEW.stock > 3; RETURN NEW;',
	'IF NEW.name = ''locked'' THEN RETURN NULL; END IF; RETURN NEW;',
	'NEW.stock := greatest(NEW.stock, 4); RETURN NEW;',
	'IF NEW.name = ''odd'' THEN new.stock = 7; END IF; RETURN NEW;',
	'NEW := jsonb_populate_record(NEW, ''{"stock": 8}''); RETURN NEW;',
	'PERFORM 1 / NEW.stock; RETURN NEW;',
	'IF TG_OP = ''DELETE'' THEN RETURN OLD; END IF; RETURN NEW;']) AS body;
SELECT at, heated(trigger_with('BEGIN RAISE EXCEPTION ''no''; END', at)) FROM unnest(ARRAY[
	'AFTER UPDATE ON items FOR EACH ROW', 'BEFORE UPDATE ON items', 'AFTER UPDATE OF stock ON items FOR EACH ROW', 'AFTER UPDATE OF version ON items FOR EACH ROW',
	'AFTER UPDATE OF name, updated_at ON items FOR EACH ROW', 'AFTER INSERT OR DELETE ON items FOR EACH ROW']) AS at;
SELECT heated(trigger_with('BEGIN RETURN NEW; END', 'AFTER UPDATE ON items DEFERRABLE INITIALLY DEFERRED FOR EACH ROW'));
SELECT heated(trigger_with('BEGIN RAISE EXCEPTION ''no''; END') || 'ALTER TABLE items DISABLE TRIGGER t');
SELECT heated('CREATE FUNCTION refuse(integer) RETURNS void LANGUAGE plpgsql AS $f$BEGIN IF $1 = 5 THEN RAISE EXCEPTION ''no''; END IF; END$f$;'
	|| trigger_with('BEGIN PERFORM "refuse" (NEW.stock); RETURN NEW; END'));
SELECT heated('CREATE TABLE log (left_over integer CHECK (left_over > 2));' || trigger_with('BEGIN INSERT INTO log VALUES (NEW.stock); RETURN NEW; END'));
-- the reason is kept with the store
CREATE FUNCTION object() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN IF NEW.stock = -5 THEN RAISE EXCEPTION ''no''; END IF; RETURN NEW; END';
CREATE TRIGGER t BEFORE UPDATE ON items FOR EACH ROW EXECUTE FUNCTION object();
SELECT error('SELECT inventory.heat(''items'', 1)'), buy_item('u', 1, 1) > 0, restock_item(1, 1);
SELECT length(string_agg(md5(n::text), '')) FROM generate_series(1, 200000) AS n;
SELECT error('SELECT inventory.heat(''items'', 1)');
DROP TRIGGER t ON items;
DROP FUNCTION object;
-- a trial leaves nothing behind
SELECT look_at.* FROM (SELECT stock, version FROM items WHERE id = 1) AS look_at;
SELECT problems();

\echo '-- a constraint that reads a generated column, which is virtual where the server has that'
SELECT CASE WHEN current_setting('server_version_num')::integer >= 180000 THEN 'VIRTUAL' ELSE 'STORED' END AS kind \gset
ALTER TABLE items ADD room integer GENERATED ALWAYS AS (capacity - 990) :kind, ADD CONSTRAINT c CHECK (stock <= room);
SELECT inventory.heat('items', 1);
SELECT restock_item(1, 1);
\echo :SQLSTATE
SELECT inventory.cool('items');
ALTER TABLE items DROP room;
SELECT heated('ALTER TABLE items ADD left_over integer GENERATED ALWAYS AS (stock - 3) ' || :'kind' || ', ADD CHECK (left_over >= 0)');
SELECT problems();

\echo '-- a constraint that limits the stock from above limits what is given'
ALTER TABLE items ADD CONSTRAINT c CHECK (stock >= 0 AND stock <= capacity);
UPDATE items SET capacity = 12;
SELECT restock_item(2, 3);
\echo :SQLSTATE
SELECT inventory.heat('items', 2);
SELECT restock_item(2, 3);
\echo :SQLSTATE
SELECT restock_item(2, 2);
SELECT buy_item('u', 2, 5) > 0;
SELECT restock_item(2, 5);
-- what such a constraint reads cannot change while the item is hot, nor can the floor go below it
UPDATE items SET capacity = 20 WHERE id = 2;
\echo :SQLSTATE
UPDATE items SET stock_floor = -1 WHERE id = 2;
\echo :SQLSTATE
UPDATE items SET stock_floor = 1, name = 'a name' WHERE id = 2;
SELECT inventory.cool('items');
UPDATE items SET capacity = 20, stock_floor = 0 WHERE id = 2;
SELECT problems();

\echo '-- added while the item is hot: it is cold from the next call on, and refuses as a cold one'
SELECT inventory.heat('items', 2);
SELECT buy_item('u', 2, 2) > 0;
ALTER TABLE items ADD CONSTRAINT d CHECK (stock >= reserve);
SELECT buy_item('u', 2, 2) > 0;
SELECT hot FROM hot WHERE item_id = 2;
SELECT buy_item('u', 2, 3);
\echo :SQLSTATE
ALTER TABLE items DROP CONSTRAINT d;
SELECT inventory.heat('items', 2);
SELECT buy_item('u', 2, 1) > 0;
DO $do$ BEGIN EXECUTE trigger_with('BEGIN IF NEW.stock < 5 THEN RAISE EXCEPTION ''too few''; END IF; RETURN NEW; END'); END $do$;
SELECT buy_item('u', 2, 2) > 0;
SELECT hot FROM hot WHERE item_id = 2;
SELECT buy_item('u', 2, 1);
\echo :SQLSTATE
-- and a trigger function that is replaced
CREATE OR REPLACE FUNCTION trig() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NEW; END $$;
SELECT inventory.heat('items', 2);
SELECT buy_item('u', 2, 1) > 0;
CREATE OR REPLACE FUNCTION trig() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN IF NEW.stock < 4 THEN RAISE EXCEPTION 'too few'; END IF; RETURN NEW; END $$;
SELECT buy_item('u', 2, 1);
\echo :SQLSTATE
SELECT inventory.cool('items'), problems();

\echo '-- a row that refuses what no definition tells: the others are settled, and it is shown'
DROP TRIGGER t ON items;
CREATE TABLE frozen (item_id integer);
CREATE FUNCTION check_frozen() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN EXECUTE format('SELECT 1 / (SELECT CASE WHEN count(*) = 0 THEN 1 ELSE 0 END FROM frozen WHERE item_id = %s)', NEW.id); RETURN NEW; END $$;
CREATE TRIGGER t BEFORE UPDATE ON items FOR EACH ROW EXECUTE FUNCTION check_frozen();
UPDATE items SET stock_floor = 0;
SELECT inventory.heat('items', id) FROM items ORDER BY id;
SELECT buy_item('u', id, 1) > 0 FROM items ORDER BY id;
INSERT INTO frozen VALUES (2);
SELECT buy_item('u', id, 1) > 0 FROM items ORDER BY id;
SELECT inventory.settle('items');
SELECT id, stock FROM items ORDER BY id;
SELECT h.item_id, e.state, e.available, e.problem FROM inventory.hot_entries() AS e JOIN hot AS h USING (number) WHERE e.items = 'items'::regclass ORDER BY h.item_id;
SELECT * FROM inventory.verify('items');
SELECT * FROM inventory.verify('items', 1);
SELECT available, on_hand, hot FROM levels WHERE item_id = 2;
SELECT inventory.cool('items', 1), inventory.cool('items', 3);
SELECT inventory.cool('items', 2);
\echo :SQLSTATE
SELECT inventory.detach('items');
\echo :SQLSTATE
SELECT buy_item('u', 2, 1) > 0;
SELECT available FROM levels WHERE item_id = 2;
-- without a counter, because its row could refuse what is sold: the problem stays
ALTER TABLE items ADD CONSTRAINT d CHECK (stock % 5 < 5);
SELECT buy_item('u', 2, 1);
\echo :SQLSTATE
SELECT inventory.settle('items');
SELECT problems();
SELECT problems(), e.state, e.problem FROM inventory.hot_entries() AS e WHERE e.items = 'items'::regclass;
ALTER TABLE items DROP CONSTRAINT d;
-- what the owner does: let the row be written, and cool
ALTER TABLE items DISABLE TRIGGER t;
SELECT inventory.settle('items');
SELECT problem FROM inventory.hot_entries() WHERE items = 'items'::regclass;
SELECT problems();
SELECT inventory.cool('items');
SELECT stock, problems() FROM items WHERE id = 2;
SELECT inventory.detach('items');

\echo '-- a condition on what is for sale must not read what is sold: it is read from the row'
CREATE FUNCTION heated_if(condition text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	answer text;
BEGIN
	PERFORM inventory.attach('items', 'orders', ledger_schema => 'hot_refusing_stock', sellable => condition);
	answer := heated('SELECT');
	PERFORM inventory.detach('items');
	RETURN answer;
END
$$;
SELECT condition, heated_if(condition) FROM unnest(ARRAY['live', 'live AND stock > 3', 'version < 1000',
	'EXISTS (SELECT FROM hot_refusing.frozen AS f WHERE f.item_id <> stock)', 'EXISTS (SELECT FROM hot_refusing.frozen AS f WHERE f.item_id <> id)']) AS condition;
DROP SCHEMA hot_refusing, hot_refusing_stock CASCADE;
