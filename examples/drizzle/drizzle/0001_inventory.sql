-- Made by drizzle-kit generate --custom.  CREATE EXTENSION needs a superuser, once in each database.
CREATE EXTENSION IF NOT EXISTS inventory;
--> statement-breakpoint
SELECT inventory.attach('products', 'order_items', order_header => 'orders', ledger_schema => 'stock',
    order_values => '{"price": "price"}');
