-- The shop of test/prove: what README.md calls the shop, attached.
--
-- It has no items yet: they come with the seed of the cycle.

CREATE EXTENSION IF NOT EXISTS inventory;
CREATE EXTENSION IF NOT EXISTS amcheck;

CREATE SCHEMA shop;

CREATE TABLE shop.items (
    id int PRIMARY KEY,
    stock int NOT NULL,
    version int NOT NULL DEFAULT 0,
    stock_floor int NOT NULL DEFAULT 0,
    purchase_limit int);

CREATE TABLE shop.orders (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    user_id text NOT NULL,
    item_id int NOT NULL REFERENCES shop.items,
    quantity int NOT NULL,
    token text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now());

-- What clients wrote to items.stock themselves; not bound.
CREATE TABLE shop.direct (
    token text PRIMARY KEY,
    item_id int NOT NULL,
    delta int NOT NULL);

SELECT inventory.attach('shop.items', 'shop.orders', order_columns => '{token,id}');
