-- One atomic statement: decrement if there is enough stock, and insert only then.

-- @buy
WITH taken AS (
    UPDATE items SET stock = stock - 1 WHERE id = :item AND stock >= 1 RETURNING id
)
INSERT INTO orders (user_id, item_id, quantity)
SELECT :user, id, 1 FROM taken
RETURNING id;
