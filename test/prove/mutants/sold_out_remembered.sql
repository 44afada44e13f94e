-- Remembers for 300 ms that an item is sold out, and refuses it so long, though a delivery has
-- come.
--
-- rules: C5
-- mix: all=0 buy_item=3 restock_item=1 keys=0

CREATE UNLOGGED TABLE shop.sold_out (id integer PRIMARY KEY, at timestamptz NOT NULL);

CREATE OR REPLACE FUNCTION shop.buy_item(user_id text, item_id integer, quantity bigint DEFAULT 1,
    idempotency_key text DEFAULT NULL, order_data jsonb DEFAULT NULL)
RETURNS uuid
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, shop, pg_temp AS $$
#variable_conflict use_column
DECLARE
    made uuid;
BEGIN
    IF EXISTS (SELECT FROM shop.sold_out AS s WHERE s.id = buy_item.item_id
               AND s.at > clock_timestamp() - interval '300 ms') THEN
        RAISE EXCEPTION 'out_of_stock' USING ERRCODE = 'IV001';
    END IF;
    made := inventory.buy_item('shop.items', buy_item.user_id, buy_item.item_id,
        buy_item.quantity, buy_item.idempotency_key, buy_item.order_data, NULL::uuid);
    INSERT INTO shop.sold_out AS s (id, at)
    SELECT i.id, clock_timestamp() FROM shop.items AS i
    WHERE i.id = buy_item.item_id AND i.stock <= i.stock_floor
    ON CONFLICT (id) DO UPDATE SET at = EXCLUDED.at;
    RETURN made;
END
$$;
