-- The shop's own tables, as one would write them without inventory.
CREATE SCHEMA shop;

CREATE TABLE shop.products (
    id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name text NOT NULL,
    description text NOT NULL,
    price numeric(10, 2) NOT NULL CHECK (price >= 0),
    stock integer NOT NULL DEFAULT 0,
    purchase_limit integer
);

CREATE TABLE shop.orders (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    user_id text NOT NULL,
    product_id integer NOT NULL REFERENCES shop.products,
    quantity integer NOT NULL CHECK (quantity > 0),
    unit_price numeric(10, 2) NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX ON shop.orders (user_id);

INSERT INTO shop.products (name, description, price, stock) VALUES
    ('Hollow-body guitar', 'Made in 1962, restored in 2026. There is only one.', 1200, 1),
    ('Tour poster', 'Screen print in two colours, numbered and signed.', 35, 10);
