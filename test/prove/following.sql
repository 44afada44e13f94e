-- A shop that writes its orders itself, and whose stock follows them; README.md describes it.

CREATE SCHEMA follow;

CREATE TABLE follow.goods (
    id int PRIMARY KEY,
    stock int NOT NULL,
    stock_floor int NOT NULL DEFAULT 0,
    purchase_limit int);

CREATE TABLE follow.orders (
    id text PRIMARY KEY DEFAULT gen_random_uuid(),
    user_id text NOT NULL,
    status text NOT NULL DEFAULT 'placed',
    token text);

CREATE TABLE follow.lines (
    id text DEFAULT gen_random_uuid(),
    place int NOT NULL DEFAULT 0,
    order_id text NOT NULL REFERENCES follow.orders ON DELETE CASCADE,
    item_id int NOT NULL REFERENCES follow.goods,
    quantity int NOT NULL,
    cancelled int NOT NULL DEFAULT 0,
    token text,
    PRIMARY KEY (id, place)) PARTITION BY LIST (place);
CREATE TABLE follow.lines_0 PARTITION OF follow.lines FOR VALUES IN (0);
CREATE TABLE follow.lines_1 PARTITION OF follow.lines FOR VALUES IN (1);
CREATE INDEX ON follow.lines (order_id);

SELECT inventory.attach('follow.goods', 'follow.lines', order_id => 'id', order_columns => '{token}',
    order_header => 'follow.orders', header_columns => '{id,status,token}', order_writes => 'follow',
    order_units => $$CASE WHEN header.status NOT IN ('cart', 'cancelled')
        THEN line.quantity - line.cancelled ELSE 0 END$$,
    order_final => $$header.status = 'shipped'$$);
