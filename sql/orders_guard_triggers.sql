-- Tests of the guard on orders with triggers of the shop, which change lines before or after
-- the engine has inserted them, and with two stores on one table of orders.
\pset format unaligned
\pset tuples_only on
\set schema orders_triggers
\getenv abs_srcdir PG_ABS_SRCDIR
\set include :abs_srcdir '/sql/include/shop.sql'
\i :include
INSERT INTO items (id, stock) VALUES (1, 100), (2, 100);
SELECT inventory.attach('items', 'orders', ledger_schema => 'orders_triggers_stock', order_columns => '{note}');
CREATE FUNCTION changes() RETURNS SETOF text LANGUAGE sql AS $$
	SELECT concat_ws(' ', c.order_id, c.operation, concat_ws('/', c.item_before, c.quantity_before, c.user_before), '->',
					 concat_ws('/', c.item_after, c.quantity_after, c.user_after))
	FROM order_changes AS c ORDER BY c.change_id
$$;
CREATE FUNCTION shop() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	CASE TG_ARGV[0]
	WHEN 'note' THEN
		NEW.note := 'new';
	WHEN 'more' THEN
		NEW.quantity := NEW.quantity + 2;
	WHEN 'other' THEN
		NEW.item_id := 2;
		NEW.user_id := 'zoe';
	WHEN 'cut' THEN
		UPDATE orders SET quantity = 1 WHERE id = NEW.id;
	WHEN 'gift' THEN
		IF NEW.item_id = 1 THEN
			INSERT INTO orders (user_id, item_id, quantity) VALUES (NEW.user_id, 2, 1);
		END IF;
	WHEN 'buy' THEN
		IF NEW.item_id = 1 THEN
			PERFORM buy_item(NEW.user_id, 2, 1);
		END IF;
	END CASE;
	RETURN NEW;
END $$;

\echo '-- a trigger that fills another column'
CREATE TRIGGER a BEFORE INSERT ON orders FOR EACH ROW EXECUTE FUNCTION shop('note');
SELECT buy_item('ann', 1, 3), buy_item('ann', 1, 3, NULL, '{"note": "x"}');
SELECT count(*) FROM buy_cart('ann', '[{"item_id": 2, "note": "y"}, {"item_id": 1}, {"item_id": 1, "note": "z"}, {"item_id": 1, "quantity": 2, "note": "z"}]');
SELECT changes();
DROP TRIGGER a ON orders;
\echo '-- triggers that change what the engine inserts: with and without a statement'
CREATE TRIGGER a BEFORE INSERT ON orders FOR EACH ROW EXECUTE FUNCTION shop('more');
SELECT buy_item('ann', 1, 3) AS o \gset
SELECT refund_order(:o);
SELECT buy_item('ann', 1, 3, NULL, '{"note": "x"}') AS o \gset
SELECT refund_order(:o);
DROP TRIGGER a ON orders;
CREATE TRIGGER a BEFORE INSERT ON orders FOR EACH ROW EXECUTE FUNCTION shop('other');
SELECT buy_item('ann', 1, 3) AS o \gset
SELECT refund_order(:o);
SELECT order_id AS o FROM buy_cart(NULL, '[{"item_id": 1, "note": "x"}, {"item_id": 2, "note": "x"}]') LIMIT 1 \gset
SELECT refund_order(:o);
SELECT item_id, delta, kind, user_id FROM movements WHERE kind = 'refund' ORDER BY movement_id;
DROP TRIGGER a ON orders;
SELECT changes();
TRUNCATE order_changes;
\echo '-- triggers that change or insert lines afterwards, and one that calls the engine'
CREATE TRIGGER a AFTER INSERT ON orders FOR EACH ROW EXECUTE FUNCTION shop('cut');
SELECT buy_item('bob', 1, 3) AS o \gset
SELECT refund_order(:o);
DROP TRIGGER a ON orders;
CREATE TRIGGER a BEFORE INSERT ON orders FOR EACH ROW EXECUTE FUNCTION shop('gift');
SELECT buy_item('bob', 1, 3), buy_item('bob', 1, 3, NULL, '{"note": "x"}');
DROP TRIGGER a ON orders;
CREATE TRIGGER a AFTER INSERT ON orders FOR EACH ROW EXECUTE FUNCTION shop('gift');
SELECT buy_item('cid', 1, 3), buy_item('cid', 1, 3, NULL, '{"note": "x"}');
SELECT changes();
TRUNCATE order_changes;
DROP TRIGGER a ON orders;
CREATE TRIGGER a AFTER INSERT ON orders FOR EACH ROW EXECUTE FUNCTION shop('buy');
CREATE TRIGGER b BEFORE INSERT ON orders FOR EACH ROW EXECUTE FUNCTION shop('note');
SELECT buy_item('dan', 1, 3), buy_item('dan', 1, 3, NULL, '{"note": "x"}');
SELECT count(*) FROM orders WHERE user_id = 'dan';
DROP TRIGGER a ON orders;
SELECT changes();
DROP TRIGGER b ON orders;
\echo '-- a default that inserts a line'
CREATE FUNCTION gift() RETURNS text LANGUAGE plpgsql AS $$
BEGIN
	INSERT INTO orders (user_id, item_id, quantity, note) VALUES ('gift', 2, 1, 'free');
	RETURN 'x';
END $$;
ALTER TABLE orders ADD gift text DEFAULT 'none';
ALTER TABLE orders ALTER note SET DEFAULT gift();
SELECT buy_item('eve', 1, 3) AS o \gset
SELECT count(*) FROM buy_cart('eve', '[{"item_id": 1, "note": "x"}, {"item_id": 2}]');
CREATE TRIGGER a BEFORE INSERT ON orders FOR EACH ROW EXECUTE FUNCTION shop('more');
SELECT buy_item('fay', 1, 3);
DROP TRIGGER a ON orders;
SELECT refund_order(:o);
SELECT changes();
SELECT refund_order(order_id) FROM order_changes WHERE operation = 'INSERT' ORDER BY 1 LIMIT 1;
ALTER TABLE orders ALTER note DROP DEFAULT;
SELECT * FROM inventory.verify('items') WHERE problem NOT LIKE 'order%';
TRUNCATE order_changes;

\echo '-- two stores on one table of orders, each with its guard'
CREATE TABLE tickets (id int PRIMARY KEY, stock int);
INSERT INTO tickets VALUES (7, 50);
ALTER TABLE orders ADD ticket_id int;
SELECT inventory.attach('tickets', 'orders', order_item_id => 'ticket_id', api_schema => 'orders_triggers_stock', ledger_schema => 'orders_tickets');
SELECT t.tgname FROM pg_trigger AS t WHERE t.tgrelid = 'orders'::regclass AND t.tgfoid = 'inventory.guard_orders()'::regprocedure ORDER BY 1;
SELECT orders_triggers.buy_item('ann', 1, 2) AS item, orders_triggers_stock.buy_item('ann', 7, 3) AS ticket \gset
UPDATE orders SET quantity = 9 WHERE id IN (:item, :ticket);
SELECT quantity_before, quantity_after FROM orders_triggers_stock.order_changes;
SELECT quantity_before, quantity_after FROM orders_tickets.order_changes;
SELECT orders_triggers_stock.refund_order(:item), orders_tickets.refund_order(:ticket);
SELECT * FROM inventory.verify('tickets');
SELECT inventory.detach('items');
SELECT t.tgname FROM pg_trigger AS t WHERE t.tgrelid = 'orders'::regclass AND t.tgfoid = 'inventory.guard_orders()'::regprocedure ORDER BY 1;
SELECT orders_triggers_stock.buy_item('ann', 7, 3);
SELECT inventory.refresh('tickets');
SELECT inventory.attach('items', 'orders', ledger_schema => 'orders_triggers_stock');
SELECT count(*) FROM pg_trigger AS t WHERE t.tgrelid = 'orders'::regclass AND t.tgfoid = 'inventory.guard_orders()'::regprocedure;
\pset tuples_only off
DROP SCHEMA orders_triggers, orders_triggers_stock, orders_tickets CASCADE;
