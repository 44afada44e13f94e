-- Once in fifty times a sale has no movement.
--
-- rules: C7

CREATE FUNCTION shop.spoil() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    DELETE FROM items_stock.movements AS m WHERE m.movement_id = NEW.movement_id;
    RETURN NULL;
END
$$;

CREATE TRIGGER spoil AFTER INSERT ON items_stock.movements FOR EACH ROW
    WHEN (NEW.kind = 'sale' AND random() < 0.02) EXECUTE FUNCTION shop.spoil();
