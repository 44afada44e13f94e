-- For a shop that goes on to write its orders itself: the stock follows them, and no function is called.
SELECT inventory.attach('"Product"', '"OrderItem"', order_header => '"Order"',
    ledger_schema => 'stock',
    order_values => '{"price": "price"}',
    order_writes => 'follow',
    order_units => $$CASE WHEN header.status <> 'cancelled' THEN line.quantity END$$);
