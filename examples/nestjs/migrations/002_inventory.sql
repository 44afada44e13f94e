-- CREATE EXTENSION needs a superuser, once in each database; IF NOT EXISTS lets the owner of the tables run the rest.
CREATE EXTENSION IF NOT EXISTS inventory;

-- The price of an order is that of the product, and not what a caller says.
SELECT inventory.attach('shop.products', 'shop.orders',
    ledger_schema => 'shop_stock',
    order_values => '{"unit_price": "price"}');
