-- A refused cart that is tried again with its key is done, though the first answer was no.
--
-- rules: C3
-- mix: keys=100 again=30

CREATE FUNCTION shop.spoil() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RETURN NULL;
END
$$;

CREATE TRIGGER spoil BEFORE INSERT ON items_stock.requests FOR EACH ROW
    WHEN (NEW.operation = 'try_buy_cart' AND NEW.result->0->>'status' <> 'ok')
    EXECUTE FUNCTION shop.spoil();
