-- Tests of order_writes follow: every way in which lines and headers can be written, in both modes
-- of inventory.follow_at.
\set SHOW_CONTEXT never
\set VERBOSITY terse
\pset format unaligned
\pset tuples_only on
SET client_min_messages = warning;
CREATE SCHEMA follow_ways;
SET search_path = follow_ways;
CREATE TABLE items (sku text PRIMARY KEY, stock integer, version integer NOT NULL DEFAULT 0);
CREATE SEQUENCE ids START 50;
CREATE TABLE lines (id integer DEFAULT nextval('follow_ways.ids'), day date NOT NULL DEFAULT '2026-01-01', sku text REFERENCES items ON DELETE CASCADE, quantity integer DEFAULT 1,
	user_id integer, status text NOT NULL DEFAULT 'paid', PRIMARY KEY (id, day)) PARTITION BY RANGE (day);
CREATE TABLE lines_a PARTITION OF lines FOR VALUES FROM ('2026-01-01') TO ('2026-02-01');
CREATE TABLE lines_b (status text NOT NULL DEFAULT 'paid', gone integer, user_id integer, quantity integer DEFAULT 1, sku text, day date NOT NULL DEFAULT '2026-01-01', id integer NOT NULL DEFAULT nextval('follow_ways.ids'));
ALTER TABLE lines_b DROP gone;
ALTER TABLE lines ATTACH PARTITION lines_b FOR VALUES FROM ('2026-02-01') TO ('2026-03-01');
INSERT INTO items (sku, stock) VALUES ('a', 10), ('b', 10), ('c', NULL), ('d', 5);
SELECT inventory.attach('items', 'lines', order_id => 'id', order_item_id => 'sku', order_writes => 'follow', api_schema => 'follow_ways',
	order_units => $$CASE WHEN line.status <> 'cancelled' THEN line.quantity ELSE 0 END$$, order_final => $$line.status = 'shipped'$$);
CREATE FUNCTION now_is() RETURNS text LANGUAGE sql SET search_path = follow_ways AS $$
	SELECT concat_ws('; ', (SELECT string_agg(sku || ': ' || coalesce(stock::text, '-'), ', ' ORDER BY sku) FROM items),
		(SELECT 'line ' || string_agg(format('%s %s/%s', order_id, item_id, b), ', ' ORDER BY order_id, item_id)
		 FROM (SELECT order_id, item_id, sum(-delta) AS b FROM items_stock.movements
			   WHERE order_id IS NOT NULL AND kind IN ('sale', 'cancellation') GROUP BY 1, 2 HAVING sum(delta) <> 0) AS s),
		(SELECT 'verify: ' || string_agg(concat_ws(' ', item_id, problem, expected, actual), ', ') FROM inventory.verify('items')))
$$;
CREATE TABLE script (n integer GENERATED ALWAYS AS IDENTITY, statement text, setting text);
INSERT INTO script (statement) VALUES
	($$INSERT INTO lines (id, sku) VALUES (1, 'a'), (2, 'b'), (3, 'c')$$),
	($$COPY lines (id, sku, quantity) FROM PROGRAM 'printf "4\ta\t2\n5\tb\t2\n"'$$),
	($$INSERT INTO lines (id, sku, quantity) VALUES (4, 'a', 9) ON CONFLICT (id, day) DO UPDATE SET quantity = 3$$),
	($$MERGE INTO lines AS l USING (VALUES (1, 'a', 4), (6, 'b', 1)) AS v(id, sku, quantity) ON l.id = v.id
	   WHEN MATCHED THEN UPDATE SET quantity = v.quantity WHEN NOT MATCHED THEN INSERT (id, sku, quantity) VALUES (v.id, v.sku, v.quantity)$$),
	($$UPDATE lines SET quantity = v.q FROM (VALUES (1, 1), (6, 2)) AS v(id, q) WHERE lines.id = v.id$$),
	($$WITH x AS (UPDATE lines SET sku = 'b' WHERE id = 1), y AS (INSERT INTO lines (id, sku) VALUES (7, 'a')) SELECT 1$$),
	($$UPDATE lines SET day = '2026-02-02' WHERE id IN (1, 2)$$),
	($$UPDATE lines SET day = '2026-01-02', quantity = 3 WHERE id = 1$$),
	($$INSERT INTO lines_b (id, day, sku, quantity) VALUES (8, '2026-02-01', 'a', 2)$$),
	($$UPDATE lines_b SET quantity = 1 WHERE id = 8$$),
	($$UPDATE lines SET user_id = 5 WHERE id = 8$$),
	($$UPDATE lines SET sku = NULL WHERE id = 8$$),
	($$UPDATE lines SET sku = 'a', quantity = quantity + 1 WHERE id = 8$$),
	($$UPDATE lines SET quantity = 0 WHERE id = 8$$),
	($$UPDATE lines SET quantity = NULL WHERE id = 7$$),
	($$UPDATE lines SET id = 77 WHERE id = 7$$),
	($$UPDATE lines SET id = 70 WHERE id = 1$$),
	($$UPDATE lines SET quantity = 100 WHERE id = 2$$),
	($$DELETE FROM lines WHERE id = 77$$),
	($$DELETE FROM lines_b WHERE id = 8$$),
	($$UPDATE lines SET status = 'cancelled' WHERE id IN (2, 4)$$),
	($$INSERT INTO lines (id, sku, quantity) VALUES (20, 'd', 5)$$),
	($$DELETE FROM items WHERE sku = 'd'$$),
	($$DELETE FROM lines$$);
CREATE PROCEDURE run(mode text) LANGUAGE plpgsql AS $$
DECLARE
	s record;
	problem text;
BEGIN
	FOR s IN SELECT * FROM script ORDER BY n LOOP
		EXECUTE format('SET inventory.follow_at = %L', mode);
		problem := NULL;
		BEGIN
			EXECUTE s.statement;
			IF mode = 'commit' THEN
				SET CONSTRAINTS ALL IMMEDIATE;
				SET CONSTRAINTS ALL DEFERRED;
			END IF;
		EXCEPTION WHEN OTHERS THEN
			problem := concat_ws(' ', SQLSTATE, SQLERRM);
		END;
		RAISE WARNING '% %: %', s.n, coalesce(problem, 'ok'), now_is();
		COMMIT;
	END LOOP;
END
$$;
CALL run('statement');
\echo '-- the same at the end of transactions'
SET session_replication_role = replica;
TRUNCATE items_stock.movements, lines;
UPDATE items SET stock = 10 WHERE sku IN ('a', 'b');
RESET session_replication_role;
SELECT inventory.detach('items');
INSERT INTO items VALUES ('d', 5);
TRUNCATE items_stock.movements, items_stock.order_changes;
SELECT inventory.attach('items', 'lines', order_id => 'id', order_item_id => 'sku', order_writes => 'follow', api_schema => 'follow_ways',
	order_units => $$CASE WHEN line.status <> 'cancelled' THEN line.quantity ELSE 0 END$$, order_final => $$line.status = 'shipped'$$);
CALL run('commit');
RESET inventory.follow_at;

\echo '-- in a transaction: the new line before the old one is deleted, savepoints, ALTER TABLE'
SELECT now_is();
INSERT INTO lines (id, sku, quantity) VALUES (30, 'a', 10);
BEGIN;
SET LOCAL inventory.follow_at = 'commit';
INSERT INTO lines (id, sku, quantity) VALUES (31, 'a', 8);
SAVEPOINT one;
SET CONSTRAINTS ALL IMMEDIATE;
ROLLBACK TO one;
DELETE FROM lines WHERE id = 30;
SAVEPOINT two;
SET CONSTRAINTS ALL IMMEDIATE;
SELECT now_is();
ROLLBACK TO two;
SELECT now_is();
COMMIT;
SELECT now_is();
BEGIN;
INSERT INTO lines (id, sku, quantity) VALUES (32, 'a', 1);
SAVEPOINT one;
INSERT INTO lines (id, sku, quantity) VALUES (33, 'a', 1);
RELEASE one;
SAVEPOINT two;
INSERT INTO lines (id, sku, quantity) VALUES (34, 'b', 1);
ROLLBACK TO two;
ALTER TABLE lines ADD remark text;
COMMIT;
SELECT now_is();
BEGIN;
SET LOCAL inventory.follow_at = 'commit';
INSERT INTO lines (id, sku, quantity) VALUES (35, 'a', 1);
ALTER TABLE lines ADD remark2 text;
ROLLBACK;
BEGIN;
SET LOCAL inventory.follow_at = 'commit';
INSERT INTO lines (id, sku, quantity) VALUES (35, 'a', 90);
COMMIT;
SELECT now_is();

\echo '-- triggers of the shop: before, after, on the same lines'
CREATE FUNCTION less() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.quantity := NEW.quantity - 1; RETURN NEW; END $$;
CREATE TRIGGER less BEFORE INSERT ON lines FOR EACH ROW WHEN (NEW.status = 'less') EXECUTE FUNCTION less();
CREATE FUNCTION more() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN UPDATE follow_ways.lines SET quantity = quantity + 1 WHERE id = NEW.id; RETURN NULL; END $$;
CREATE TRIGGER more AFTER INSERT ON lines FOR EACH ROW WHEN (NEW.status = 'more') EXECUTE FUNCTION more();
INSERT INTO lines (id, sku, quantity, status) VALUES (40, 'b', 3, 'less'), (41, 'b', 1, 'more');
SELECT now_is();
\echo '-- and lines of the engine that triggers change'
DROP TRIGGER less ON lines;
DROP TRIGGER more ON lines;
SELECT buy_item(7, 'b', 2);
SELECT now_is();
CREATE TRIGGER more AFTER INSERT ON lines FOR EACH ROW EXECUTE FUNCTION more();
SELECT buy_item(7, 'b', 2);
DROP TRIGGER more ON lines;
SELECT now_is();

\echo '-- hot items'
SELECT items_stock.restock_item('a', 9), items_stock.restock_item('b', 9);
SELECT inventory.heat('items', 'b'::text);
INSERT INTO lines (id, sku, quantity) VALUES (60, 'b', 1), (61, 'a', 1);
UPDATE lines SET quantity = 2 WHERE id = 60;
UPDATE lines SET sku = 'a' WHERE id = 60;
UPDATE lines SET sku = 'b' WHERE id = 60;
INSERT INTO lines (id, sku, quantity) VALUES (62, 'b', 99);
SELECT inventory.cool('items');
SELECT now_is();

\echo '-- replicas follow nothing'
SET session_replication_role = replica;
INSERT INTO lines (id, sku, quantity) VALUES (63, 'b', 1);
RESET session_replication_role;
SELECT now_is();
UPDATE lines SET quantity = 2 WHERE id = 63;
SELECT now_is();
\echo '-- REPEATABLE READ'
BEGIN ISOLATION LEVEL REPEATABLE READ;
UPDATE lines SET quantity = 1 WHERE id = 63;
INSERT INTO lines (id, sku) VALUES (64, 'a');
COMMIT;
SELECT now_is();

\echo '-- a trigger writes into a partition of the orders of another store'
CREATE TABLE parts (id integer PRIMARY KEY, stock integer NOT NULL);
INSERT INTO parts VALUES (1, 10);
CREATE TABLE uses (id integer NOT NULL, item_id integer NOT NULL, quantity integer NOT NULL, PRIMARY KEY (id)) PARTITION BY RANGE (id);
CREATE TABLE uses_1 PARTITION OF uses FOR VALUES FROM (0) TO (1000);
CREATE SCHEMA follow_parts;
SELECT inventory.attach('parts', 'uses', ledger_schema => 'follow_parts', api_schema => 'follow_parts', order_writes => 'follow');
CREATE FUNCTION use_part() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN INSERT INTO follow_ways.uses_1 VALUES (NEW.id, 1, NEW.quantity); RETURN NULL; END $$;
CREATE TRIGGER use_part AFTER INSERT ON lines FOR EACH ROW EXECUTE FUNCTION use_part();
INSERT INTO lines (id, sku, quantity) VALUES (70, 'a', 2);
SELECT now_is(), (SELECT stock FROM parts);
BEGIN;
SET LOCAL inventory.follow_at = 'commit';
INSERT INTO lines (id, sku, quantity) VALUES (71, 'a', 1);
SELECT now_is(), (SELECT stock FROM parts);
COMMIT;
SELECT now_is(), (SELECT stock FROM parts);
-- more than there is of the other
SELECT follow_parts.adjust_stock(1, 1 - stock, 'lost') FROM parts;
INSERT INTO lines (id, sku, quantity) VALUES (72, 'a', 2);
SELECT now_is(), (SELECT stock FROM parts), (SELECT count(*) FROM inventory.verify('parts'));
DROP SCHEMA follow_ways, items_stock, follow_parts CASCADE;
