-- The store, and who may call what.  Run as the owner of the tables.

SELECT inventory.attach('products', 'order_items', order_header => 'orders',
    ledger_schema => 'stock', argument_prefix => 'p_', user_claim => 'sub',
    header_columns => '{shipping_address}',
    order_values => '{"unit_price": "price"}',
    header_values => '{"total": "sum(unit_price * quantity)", "status": "''pending''"}');

SELECT inventory.grant_api('products', 'authenticated', 'buyer');
SELECT inventory.grant_api('products', 'service_role', 'operator');
NOTIFY pgrst, 'reload schema';
