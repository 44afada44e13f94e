-- The absolute limit: a round trip that does nothing.

-- @buy
SELECT 1;
