SELECT inventory.attach('products', 'order_lines', order_header => 'orders',
    order_values => '{"unit_price": "price"}');
