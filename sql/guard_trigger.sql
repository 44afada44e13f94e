-- Tests of the guard with triggers of the shop: what they do to stock during a sale is
-- booked separately from the sale.
\pset format unaligned
\pset tuples_only on
\set schema guard_trigger
\getenv abs_srcdir PG_ABS_SRCDIR
\set include :abs_srcdir '/sql/include/shop.sql'
\i :include
ALTER TABLE orders ADD FOREIGN KEY (item_id) REFERENCES items;
INSERT INTO items (id, stock, name) VALUES (1, 10, 'kit'), (2, 20, 'part');
SELECT inventory.attach('items', 'orders', ledger_schema => 'guard_trigger_stock');
INSERT INTO seen SELECT max(movement_id), false FROM movements;

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

-- the sale of a kit takes its parts
CREATE TRIGGER a AFTER UPDATE ON items FOR EACH ROW EXECUTE FUNCTION shop('part');
SELECT buy_item(NULL, 1, 2);
SELECT look();
SELECT count(*) FROM buy_cart(NULL, '[{"item_id": 1}, {"item_id": 2}]');
SELECT look();
UPDATE items SET stock = stock - 1 WHERE id = 1;
SELECT look();
SELECT buy_item(NULL, 1, 6);
\echo :SQLSTATE

-- triggers that add units, keep the old stock, or skip the update
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

-- a trigger that takes another unit of the same item, and one whose write is rolled back
CREATE TRIGGER a AFTER UPDATE ON items FOR EACH ROW EXECUTE FUNCTION shop('self');
SELECT buy_item(NULL, 2);
SELECT look();
DROP TRIGGER a ON items;
CREATE TRIGGER a AFTER UPDATE ON items FOR EACH ROW EXECUTE FUNCTION shop('self undone');
SELECT buy_item(NULL, 2);
SELECT look();
DROP TRIGGER a ON items;

-- a trigger on orders that takes the stock itself, left from before the attach
CREATE TRIGGER a AFTER INSERT ON orders FOR EACH ROW EXECUTE FUNCTION shop('order');
SELECT buy_item(NULL, 2);
SELECT look();
DROP TRIGGER a ON orders;

-- a trigger on orders that calls buy_item to sell an accessory too
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
