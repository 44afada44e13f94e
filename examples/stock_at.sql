-- The stock at a time in the past, and how an item got from one stock to another.
--
-- The ledger is complete: the stock at a time is the sum of the movements until then.  A movement has
-- the time at which its call began, and appears when its transaction commits.  After close_ledger,
-- times before it have no movements of their own any more.

CREATE EXTENSION IF NOT EXISTS inventory;

CREATE TABLE products (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, name text NOT NULL, stock int NOT NULL);
CREATE TABLE order_items (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    user_id bigint NOT NULL,
    product_id bigint NOT NULL REFERENCES products,
    quantity int NOT NULL);
SELECT inventory.attach('products', 'order_items');

-- What could be sold, and what was there with the units that were held.
CREATE FUNCTION stock_at(product bigint, instant timestamptz)
RETURNS TABLE (available bigint, on_hand bigint)
LANGUAGE sql STABLE AS $$
    SELECT coalesce(sum(delta), 0)::bigint,
        coalesce(sum(delta) FILTER (WHERE kind NOT IN ('hold', 'release', 'expiry')), 0)::bigint
    FROM products_stock.movements WHERE item_id = product AND created_at <= instant
$$;

-- A report: units by day and kind.
CREATE FUNCTION stock_report(product bigint, first_day date, last_day date)
RETURNS TABLE (day date, kind text, units bigint)
LANGUAGE sql STABLE AS $$
    SELECT created_at::date, kind, sum(delta)::bigint
    FROM products_stock.movements
    WHERE item_id = product AND created_at >= first_day AND created_at < last_day + 1
    GROUP BY 1, 2 ORDER BY 1, 2
$$;

-- Small, and enough where the table is read from a time on.
CREATE INDEX ON products_stock.movements USING brin (created_at);
