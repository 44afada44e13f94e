-- Triggers that see each order, movement and idempotency key that is written, and change nothing.

CREATE FUNCTION shop.see_row() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    CASE TG_NAME
        WHEN 'before_order' THEN
        WHEN 'before_movement' THEN
        WHEN 'after_movement' THEN
        WHEN 'before_key' THEN
    END CASE;
    RETURN NEW;
END
$$;

CREATE TRIGGER before_order BEFORE INSERT ON shop.orders
    FOR EACH ROW EXECUTE FUNCTION shop.see_row();
CREATE TRIGGER before_movement BEFORE INSERT ON items_stock.movements
    FOR EACH ROW EXECUTE FUNCTION shop.see_row();
CREATE TRIGGER after_movement AFTER INSERT ON items_stock.movements
    FOR EACH ROW EXECUTE FUNCTION shop.see_row();
CREATE TRIGGER before_key BEFORE INSERT ON items_stock.requests
    FOR EACH ROW EXECUTE FUNCTION shop.see_row();
