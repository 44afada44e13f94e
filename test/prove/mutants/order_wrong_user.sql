-- Once in fifty times an order row is another user's.
--
-- rules: C2

CREATE FUNCTION shop.spoil() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.user_id := 'u1';
    RETURN NEW;
END
$$;

CREATE TRIGGER spoil BEFORE INSERT ON shop.orders FOR EACH ROW
    WHEN (random() < 0.02)
    EXECUTE FUNCTION shop.spoil();
