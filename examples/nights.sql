-- Hotel nights: each night of a room type is an item, and a stay is a cart of its nights.
-- A stay is booked whole or not at all.  Stays that overlap are safe, and never deadlock.

CREATE EXTENSION IF NOT EXISTS inventory;

CREATE TABLE room_nights (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    room_type text NOT NULL,
    night date NOT NULL,
    price numeric(10, 2) NOT NULL,
    stock int NOT NULL CHECK (stock >= 0),          -- rooms that are free that night
    UNIQUE (room_type, night));
CREATE TABLE stays (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    user_id bigint NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now());
CREATE TABLE booked_nights (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    stay_id bigint NOT NULL REFERENCES stays,
    room_night_id bigint NOT NULL REFERENCES room_nights,
    quantity int NOT NULL,
    price numeric(10, 2) NOT NULL);
SELECT inventory.attach('room_nights', 'booked_nights', order_header => 'stays',
    order_values => '{"price": "price * quantity"}');

-- Books rooms of a type from the day of arrival to the day of departure; returns the key of the stay.
CREATE FUNCTION book_stay(guest bigint, type text, arrival date, departure date, rooms int DEFAULT 1,
    idempotency_key text DEFAULT NULL) RETURNS bigint
LANGUAGE plpgsql AS $$
DECLARE
    nights jsonb;
    stay bigint;
BEGIN
    SELECT jsonb_agg(jsonb_build_object('item_id', n.id, 'quantity', rooms) ORDER BY n.night) INTO nights
    FROM room_nights AS n
    WHERE n.room_type = type AND n.night >= arrival AND n.night < departure;
    IF jsonb_array_length(nights) IS DISTINCT FROM departure - arrival THEN
        RAISE '% cannot be booked from % to %', type, arrival, departure;
    END IF;
    SELECT header_id INTO stay FROM buy_cart(guest, nights, idempotency_key) LIMIT 1;
    RETURN stay;
END $$;

-- Free rooms for every night of a stay:
CREATE FUNCTION free_rooms(type text, arrival date, departure date) RETURNS bigint
LANGUAGE sql STABLE AS $$
    SELECT CASE WHEN count(*) = departure - arrival THEN min(l.available) ELSE 0 END
    FROM room_nights AS n JOIN room_nights_stock.levels AS l ON l.item_id = n.id
    WHERE n.room_type = type AND n.night >= arrival AND n.night < departure
$$;
