-- Tests of a shop whose orders are partitioned by month.  A unique key of such a table
-- contains the partition key, so no single column is unique.  Laid out after the PostgreSQL
-- chapter on partitioning.
\set SHOW_CONTEXT never
CREATE SCHEMA shop_partitioned;
SET search_path = shop_partitioned;

CREATE TABLE tickets (
	id smallint PRIMARY KEY,
	title text NOT NULL,
	stock smallint NOT NULL,
	purchase_limit integer
);
CREATE TABLE orders (
	id bigserial,
	created_at timestamptz NOT NULL DEFAULT now(),
	user_id bigint NOT NULL,
	ticket_id smallint NOT NULL REFERENCES tickets,
	quantity smallint NOT NULL DEFAULT 1,
	PRIMARY KEY (id, created_at)
) PARTITION BY RANGE (created_at);
CREATE TABLE orders_2024_05 PARTITION OF orders FOR VALUES FROM ('2024-05-01 UTC') TO ('2024-06-01 UTC');
-- a partition with its columns in another order, as from a restored archive
CREATE TABLE orders_2024_06 (
	quantity smallint NOT NULL DEFAULT 1,
	dropped text,
	user_id bigint NOT NULL,
	ticket_id smallint NOT NULL,
	created_at timestamptz NOT NULL DEFAULT now(),
	id bigint NOT NULL
);
ALTER TABLE orders_2024_06 DROP COLUMN dropped;
ALTER TABLE orders ATTACH PARTITION orders_2024_06 FOR VALUES FROM ('2024-06-01 UTC') TO ('2024-07-01 UTC');

INSERT INTO tickets VALUES (1, 'Opera', 5, NULL), (2, 'Derby', 10, 2);
SELECT inventory.attach('tickets', 'orders', ledger_schema => 'shop_partitioned_stock');
SELECT inventory.attach('tickets', 'orders', order_id => 'id', order_columns => '{created_at}',
						ledger_schema => 'shop_partitioned_stock');

SELECT buy_item(1, 1, 2, 'a', '{"created_at": "2024-05-09T12:00:00Z"}');
SELECT buy_item(2, 1, 2, 'b', '{"created_at": "2024-06-09T12:00:00Z"}');
SELECT * FROM buy_cart(3, '[{"item_id": 2, "created_at": "2024-06-01T00:00:00Z"},
							{"item_id": 2, "created_at": "2024-05-31T23:59:59Z"}]', 'c');
-- no partition for that month, so nothing is sold
SELECT buy_item(3, 1, 1, 'd', '{"created_at": "2031-01-01T00:00:00Z"}');
\echo :SQLSTATE
SELECT buy_item(3, 1, 2, 'd', '{"created_at": "2024-06-30T00:00:00Z"}');
\echo :SQLSTATE
-- the limit is two
SELECT buy_item(3, 2, 1, 'e', '{"created_at": "2024-06-30T00:00:00Z"}');
\echo :SQLSTATE

-- a partition for a new month; an old one is detached
CREATE TABLE orders_2024_07 PARTITION OF orders FOR VALUES FROM ('2024-07-01 UTC') TO ('2024-08-01 UTC');
ALTER TABLE orders DETACH PARTITION orders_2024_05;
SELECT buy_item(4, 1, 1, 'f', '{"created_at": "2024-07-14T00:00:00Z"}');
SELECT buy_item(4, 2, 1, 'g', '{"created_at": "2024-05-14T00:00:00Z"}');
\echo :SQLSTATE
-- the key of a call that failed can be used again; a retry does not sell twice
SELECT buy_item(4, 2, 1, 'g', '{"created_at": "2024-07-14T00:00:00Z"}');
SELECT buy_item(4, 2, 1, 'g', '{"created_at": "2024-07-14T00:00:00Z"}');
-- the argument is integer, and a value out of the range of smallint is not found
SELECT buy_item(4, 70000, 1);
\echo :SQLSTATE

SELECT tableoid::regclass, id, user_id, ticket_id, quantity, created_at AT TIME ZONE 'UTC' AS created_at
  FROM orders ORDER BY id;
SELECT id, stock FROM tickets ORDER BY id;
SELECT item_id, delta, kind, user_id, order_id FROM shop_partitioned_stock.movements WHERE kind <> 'opening' ORDER BY movement_id;
SELECT * FROM inventory.verify('tickets');
