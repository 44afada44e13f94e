-- Forgets every key: a retry is done again.
--
-- rules: C3
-- mix: keys=100 again=30

CREATE FUNCTION shop.spoil() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RETURN NULL;
END
$$;

CREATE TRIGGER spoil BEFORE INSERT ON items_stock.requests FOR EACH ROW
    EXECUTE FUNCTION shop.spoil();
