-- The stock in Redis, decremented by a script there; then the order here.  The two
-- are not atomic: a client that dies between them, or a Redis that restarts, loses
-- units or sells them twice.

-- @buy
\redis EVALSHA {redis_take} 1 :item 1;
INSERT INTO orders (user_id, item_id, quantity) VALUES (:user, :item, 1) RETURNING id;
