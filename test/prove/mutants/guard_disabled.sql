-- The guard trigger is disabled: direct writes have no movements.
--
-- rules: C7

ALTER TABLE shop.items DISABLE TRIGGER inventory_guard;
