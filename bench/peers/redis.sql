-- A script decrements the stock in Redis; then the order is inserted in PostgreSQL.
-- The two steps are not atomic: if the client dies between them, or Redis restarts,
-- units are lost or oversold.

-- @buy
\redis EVALSHA {redis_take} 1 :item 1;
INSERT INTO orders (user_id, item_id, quantity) VALUES (:user, :item, 1) RETURNING id;
