-- CREATE EXTENSION needs a superuser, once in each database.
CREATE EXTENSION IF NOT EXISTS inventory;

-- A purchase inserts the order and its items, at the prices of the products.
SELECT inventory.attach('"Product"', '"OrderItem"', order_header => '"Order"',
    ledger_schema => 'stock',
    order_values => '{"price": "price"}');
