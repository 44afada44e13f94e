-- The attached shop that README.md describes.
--
-- It has no items: each cycle inserts its own.

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

-- Direct writes of clients to items.stock.  The table is not bound.
CREATE TABLE shop.direct (
    token text PRIMARY KEY,
    item_id int NOT NULL,
    delta int NOT NULL);

SELECT inventory.attach('shop.items', 'shop.orders', order_columns => '{token,id}');

\ir following.sql
