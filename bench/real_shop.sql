-- What most shops have in addition: a CHECK on the stock, orders that are lines of a header,
-- and foreign keys.

ALTER TABLE items ADD CHECK (stock >= 0);
CREATE TABLE headers (id bigint PRIMARY KEY);
INSERT INTO headers SELECT generate_series(1, 100000);
CREATE SEQUENCE next_header MAXVALUE 100000 CYCLE;
ALTER TABLE orders
    ADD header_id bigint NOT NULL DEFAULT nextval('next_header') REFERENCES headers,
    ADD FOREIGN KEY (item_id) REFERENCES items;
