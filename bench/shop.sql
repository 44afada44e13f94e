-- The tables of every peer, one pair per schema, with the same contents.

CREATE TABLE items (
    id     bigint PRIMARY KEY,
    name   text NOT NULL,
    price  numeric(10, 2) NOT NULL,
    stock  integer NOT NULL
);
CREATE TABLE orders (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    user_id     bigint NOT NULL,
    item_id     bigint NOT NULL,
    quantity    integer NOT NULL,
    created_at  timestamptz NOT NULL DEFAULT now()
);
INSERT INTO items
SELECT i, 'item ' || i, i % 1000 + 0.99, :stock
FROM generate_series(1, :items) AS i;
