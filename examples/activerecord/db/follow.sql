SELECT inventory.attach('products', 'order_lines', order_header => 'orders',
    order_values => '{"unit_price": "price"}',
    order_writes => 'follow',
    order_units => $$CASE WHEN header.status NOT IN ('cart', 'cancelled') THEN line.quantity END$$,
    order_final => $$header.status = 'shipped'$$);
