// For a shop that goes on to write its orders itself: the stock follows them, and no function is called.
import { sql } from 'drizzle-orm';

export const FOLLOW = sql`SELECT inventory.attach('products', 'order_items', order_header => 'orders', ledger_schema => 'stock',
    order_values => '{"price": "price"}',
    order_writes => 'follow',
    order_units => $$CASE WHEN header.status <> 'cancelled' THEN line.quantity END$$)`;
