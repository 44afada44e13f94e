-- Once in fifty times the movement of a sale is another user's: every sum is right.
--
-- rules: C7

CREATE FUNCTION shop.spoil() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.user_id := 'u1';
    RETURN NEW;
END
$$;

CREATE TRIGGER spoil BEFORE INSERT ON items_stock.movements FOR EACH ROW
    WHEN (NEW.kind = 'sale' AND random() < 0.02)
    EXECUTE FUNCTION shop.spoil();
