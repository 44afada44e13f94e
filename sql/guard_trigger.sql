-- Door: the guard, meeting the triggers a shop has of its own.  What they do to
-- stock while the engine sells is booked beside the sale.
\set SHOW_CONTEXT never
\pset format unaligned
\pset tuples_only on
SET client_min_messages = warning;
CREATE SCHEMA guard_trigger;
SET search_path = guard_trigger;

CREATE TABLE items (id bigint PRIMARY KEY, stock integer, stock_floor integer DEFAULT 0, name text);
CREATE TABLE orders (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, item_id bigint REFERENCES items, quantity integer);
INSERT INTO items VALUES (1, 10, 0, 'kit'), (2, 20, 0, 'part');
SELECT inventory.attach('items', 'orders', ledger_schema => 'guard_trigger_stock');

-- What was booked since the last look, the stock, and what verify says.
CREATE TABLE seen AS SELECT max(movement_id) AS upto FROM guard_trigger_stock.movements;
CREATE FUNCTION look() RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	answer text := concat_ws(' | ',
		coalesce((SELECT string_agg(format('%s: %s %s', item_id, delta, kind), ', ' ORDER BY movement_id)
		 FROM guard_trigger_stock.movements WHERE movement_id > (SELECT upto FROM seen)), 'nothing'),
		'stock ' || (SELECT string_agg(format('%s=%s', id, coalesce(stock::text, '-')), ' ' ORDER BY id) FROM items),
		(SELECT 'WRONG: ' || json_agg(v) FROM inventory.verify('items') AS v HAVING count(*) > 0));
BEGIN
	UPDATE seen SET upto = (SELECT max(movement_id) FROM guard_trigger_stock.movements);
	RETURN answer;
END
$$;

CREATE FUNCTION shop() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	CASE TG_ARGV[0]
	WHEN 'part' THEN
		UPDATE items SET stock = stock + (NEW.stock - OLD.stock) * 2 WHERE id = 2 AND NEW.id = 1;
	WHEN 'more' THEN
		NEW.stock := NEW.stock + 3;
	WHEN 'keep' THEN
		NEW.stock := OLD.stock;
	WHEN 'self' THEN
		UPDATE items SET stock = stock - 1 WHERE id = NEW.id AND pg_trigger_depth() < 2;
	WHEN 'self undone' THEN
		BEGIN
			UPDATE items SET stock = stock - 1 WHERE id = NEW.id AND pg_trigger_depth() < 2;
			RAISE division_by_zero;
		EXCEPTION WHEN division_by_zero THEN
		END;
	WHEN 'skip' THEN
		RETURN NULL;
	WHEN 'order' THEN
		UPDATE items SET stock = stock - NEW.quantity WHERE id = NEW.item_id;
	END CASE;
	RETURN NEW;
END
$$;

-- a kit takes its parts along
CREATE TRIGGER a AFTER UPDATE ON items FOR EACH ROW EXECUTE FUNCTION shop('part');
SELECT buy_item(NULL, 1, 2);
SELECT look();
SELECT count(*) FROM buy_cart(NULL, '[{"item_id": 1}, {"item_id": 2}]');
SELECT look();
UPDATE items SET stock = stock - 1 WHERE id = 1;
SELECT look();
SELECT buy_item(NULL, 1, 6);
\echo :SQLSTATE

-- a gift is added; the number stays; the write is swallowed
DROP TRIGGER a ON items;
CREATE TRIGGER a BEFORE UPDATE ON items FOR EACH ROW EXECUTE FUNCTION shop('more');
SELECT buy_item(NULL, 2);
SELECT look();
SELECT guard_trigger_stock.restock_item(2, 5);
SELECT look();
DROP TRIGGER a ON items;
CREATE TRIGGER a BEFORE UPDATE ON items FOR EACH ROW EXECUTE FUNCTION shop('keep');
SELECT buy_item(NULL, 2);
SELECT look();
DROP TRIGGER a ON items;
CREATE TRIGGER a BEFORE UPDATE ON items FOR EACH ROW EXECUTE FUNCTION shop('skip');
SELECT buy_item(NULL, 2);
\echo :SQLSTATE
SELECT * FROM buy_cart(NULL, '[{"item_id": 1}, {"item_id": 2}]');
\echo :SQLSTATE
SELECT guard_trigger_stock.adjust_stock(2, 1, 'x');
\echo :SQLSTATE
DROP TRIGGER a ON items;
SELECT look();

-- a trigger that takes another unit of the same item, and one that fails to
CREATE TRIGGER a AFTER UPDATE ON items FOR EACH ROW EXECUTE FUNCTION shop('self');
SELECT buy_item(NULL, 2);
SELECT look();
DROP TRIGGER a ON items;
CREATE TRIGGER a AFTER UPDATE ON items FOR EACH ROW EXECUTE FUNCTION shop('self undone');
SELECT buy_item(NULL, 2);
SELECT look();
DROP TRIGGER a ON items;

-- a trigger on orders that has always taken the stock, and was forgotten
CREATE TRIGGER a AFTER INSERT ON orders FOR EACH ROW EXECUTE FUNCTION shop('order');
SELECT buy_item(NULL, 2);
SELECT look();
DROP TRIGGER a ON orders;

-- the engine, called by a trigger: what is sold takes its accessory along
CREATE FUNCTION with_accessory() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	IF NEW.item_id = 1 THEN
		PERFORM buy_item(NULL, 2);
	END IF;
	RETURN NEW;
END
$$;
CREATE TRIGGER a AFTER INSERT ON orders FOR EACH ROW EXECUTE FUNCTION with_accessory();
SELECT buy_item(NULL, 1);
SELECT look();
SELECT count(*) FROM orders;

\pset tuples_only off
DROP SCHEMA guard_trigger, guard_trigger_stock CASCADE;
