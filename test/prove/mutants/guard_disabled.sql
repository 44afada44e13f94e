-- The guard is disabled.
--
-- rules: C7

ALTER TABLE shop.items DISABLE TRIGGER inventory_guard;
