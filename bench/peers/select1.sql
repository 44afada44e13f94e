-- The limit of limits: a round trip that does nothing.

-- @buy
SELECT 1;
