-- Keeps a key without its user, and looks for it with: a retry meets its own row.
--
-- rules: C0 C3
-- mix: keys=100 again=30

CREATE FUNCTION shop.spoil() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.user_id := NULL;
    RETURN NEW;
END
$$;

CREATE TRIGGER spoil BEFORE INSERT ON items_stock.requests FOR EACH ROW
    WHEN (NEW.operation = 'buy_item')
    EXECUTE FUNCTION shop.spoil();
