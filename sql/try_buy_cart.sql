-- Tests of try_buy_cart: it sells as buy_cart does, but a refusal is the status of the
-- lines and no error, so the transaction can continue.
\set schema try_buy_cart
\set limits on
\getenv abs_srcdir PG_ABS_SRCDIR
\set include :abs_srcdir '/sql/include/shop.sql'
\i :include
ALTER TABLE orders ADD FOREIGN KEY (item_id) REFERENCES items;
INSERT INTO items (id, stock, purchase_limit) VALUES (1, 10, NULL), (2, 2, NULL), (3, 0, NULL), (4, 10, 2), (5, NULL, NULL), (6, 10, NULL);
UPDATE items SET live = false WHERE id = 6;
SELECT inventory.attach('items', 'orders', ledger_schema => 'try_buy_cart_stock', sellable => 'live');
CREATE VIEW state AS
	SELECT (SELECT string_agg(concat_ws(':', id, coalesce(stock::text, '-')), ' ' ORDER BY id) FROM items) AS stock,
		   (SELECT count(*) FROM orders) AS orders,
		   (SELECT count(*) FROM try_buy_cart_stock.movements) AS movements,
		   (SELECT count(*) FROM try_buy_cart_stock.requests) AS requests;
SELECT * FROM state;

-- a cart that can be sold is sold
SELECT * FROM try_buy_cart('ada', '[{"item_id": 4, "quantity": 2}, {"item_id": 5}, {"item_id": 1}]');
SELECT * FROM state;

-- a cart that cannot be sold: each line has its status, and not_taken if it was not at fault
SELECT * FROM try_buy_cart('ada', '[{"item_id": 1}, {"item_id": 2, "quantity": 2}, {"item_id": 2}, {"item_id": 5}]');
-- each line has its own fault, while the error of buy_cart names only the first kind
SELECT * FROM try_buy_cart('ada', '[{"item_id": 3}, {"item_id": 99}, {"item_id": 4}, {"item_id": 1}, {"item_id": 6}]');
SELECT * FROM try_buy_cart('ada', '[{"item_id": 4}, {"item_id": 3}]');
-- carts of one item
SELECT * FROM try_buy_cart('ada', '[{"item_id": 3}]');
SELECT * FROM try_buy_cart('ada', '[{"item_id": 99}]');
SELECT * FROM try_buy_cart('ada', '[{"item_id": 4}]');
SELECT * FROM try_buy_cart('bob', '[{"item_id": 4, "quantity": 2}, {"item_id": 4}]');
SELECT * FROM state;

-- a refusal takes no row lock and no transaction id, and leaves the transaction usable
BEGIN;
SELECT status FROM try_buy_cart('ada', '[{"item_id": 1}, {"item_id": 3}]');
SELECT status FROM try_buy_cart('ada', '[{"item_id": 3}]');
SELECT status FROM try_buy_cart('ada', '[{"item_id": 4}]');
SELECT pg_current_xact_id_if_assigned() IS NULL AS no_transaction_id;
SELECT status, order_id FROM try_buy_cart('ada', '[{"item_id": 1}]');
SELECT status FROM try_buy_cart('ada', '[{"item_id": 1, "quantity": 9}]');
COMMIT;
SELECT * FROM state;

-- a refusal is kept under its key, and is the answer again even when there is stock
SELECT * FROM try_buy_cart('ada', '[{"item_id": 1}, {"item_id": 3}]', 'k1');
UPDATE items SET stock = 5 WHERE id = 3;
SELECT * FROM try_buy_cart('ada', '[{"item_id": 1}, {"item_id": 3}]', 'k1');
SELECT * FROM try_buy_cart('ada', '[{"item_id": 1}, {"item_id": 3}]', 'k2');
SELECT * FROM try_buy_cart('ada', '[{"item_id": 1}, {"item_id": 3}]', 'k2');
SELECT * FROM try_buy_cart('ada', '[{"item_id": 1}]', 'k2');
\echo :SQLSTATE
SELECT * FROM state;

-- bad arguments are errors, as in buy_cart
SELECT * FROM try_buy_cart('ada', '[]');
\echo :SQLSTATE
SELECT * FROM try_buy_cart('ada', '[{"item_id": 1, "quantity": 0}]');
\echo :SQLSTATE
SELECT * FROM try_buy_cart(NULL, '[{"item_id": 4}]');
\echo :SQLSTATE
SELECT * FROM state;
SELECT * FROM inventory.verify('items');

DROP SCHEMA try_buy_cart, try_buy_cart_stock CASCADE;
