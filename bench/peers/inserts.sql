-- The limit: inserts the same order row and the same movement into copies of the
-- tables with primary keys only.  It takes no stock, checks nothing and never refuses.

-- @setup
SELECT inventory.attach('items', 'orders', ledger_schema => current_schema() || '_ledger');
CREATE TABLE order_copy (LIKE orders INCLUDING DEFAULTS INCLUDING IDENTITY, PRIMARY KEY (id));
CREATE TABLE movement_copy (
    LIKE {schema}_ledger.movements INCLUDING DEFAULTS INCLUDING IDENTITY,
    PRIMARY KEY (movement_id)
);

-- @buy
WITH ordered AS (
    INSERT INTO order_copy (user_id, item_id, quantity) VALUES (:user, :item, 1)
    RETURNING id, user_id, item_id
)
INSERT INTO movement_copy (item_id, delta, kind, user_id, order_id, actor, created_at)
SELECT item_id, -1, 'sale', user_id, id, current_user, now() FROM ordered
RETURNING order_id;

-- @cart
WITH ordered AS (
    INSERT INTO order_copy (user_id, item_id, quantity)
    SELECT :user, i, 1 FROM unnest(:items::bigint[]) AS i
    RETURNING id, user_id, item_id
)
INSERT INTO movement_copy (item_id, delta, kind, user_id, order_id, actor, created_at)
SELECT item_id, -1, 'sale', user_id, id, current_user, now() FROM ordered
RETURNING order_id;
