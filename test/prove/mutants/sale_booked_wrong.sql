-- Once in fifty times the movement of a sale says one unit more.
--
-- rules: C7

CREATE FUNCTION shop.spoil() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.delta := NEW.delta - 1;
    RETURN NEW;
END
$$;

CREATE TRIGGER spoil BEFORE INSERT ON items_stock.movements FOR EACH ROW
    WHEN (NEW.kind = 'sale' AND random() < 0.02)
    EXECUTE FUNCTION shop.spoil();
