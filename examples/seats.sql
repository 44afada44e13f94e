-- Numbered seats: each seat is an item with one unit.  Seats that are chosen together are one cart:
-- the customer gets all of them or none, and two customers with overlapping choices never deadlock.

CREATE EXTENSION IF NOT EXISTS inventory;

CREATE TABLE seats (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    event_id bigint NOT NULL,
    seat_row text NOT NULL,
    number int NOT NULL,
    price numeric(10, 2) NOT NULL,
    stock int NOT NULL DEFAULT 1 CHECK (stock IN (0, 1)),
    UNIQUE (event_id, seat_row, number));
CREATE TABLE tickets (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    user_id bigint NOT NULL,
    seat_id bigint NOT NULL REFERENCES seats,
    price numeric(10, 2) NOT NULL);
SELECT inventory.attach('seats', 'tickets', order_values => '{"price": "price"}');

-- Holds seats for the time of the payment.  A status other than ok names the seats that are gone.
CREATE FUNCTION hold_seats(customer bigint, event bigint, seat_in_row text, numbers int[])
RETURNS TABLE (status text, reservation_id uuid, expires_at timestamptz, gone text[])
LANGUAGE sql AS $$
    WITH choice AS (
        SELECT jsonb_agg(jsonb_build_object('item_id', s.id)) AS lines
        FROM seats AS s
        WHERE s.event_id = event AND s.seat_row = seat_in_row AND s.number = ANY (numbers)
        HAVING count(*) = cardinality(numbers)
    )
    SELECT a.status, a.reservation_id, a.expires_at,
        (SELECT array_agg(s.seat_row || s.number ORDER BY s.number)
         FROM jsonb_array_elements(a.short_lines) AS l JOIN seats AS s ON s.id = (l->>'item_id')::bigint)
    FROM choice, try_reserve_cart(customer, choice.lines, '10 minutes') AS a
$$;

-- The plan of the hall:
CREATE VIEW seat_plan AS
SELECT s.event_id, s.seat_row, s.number, s.price, l.available = 1 AS free
FROM seats AS s JOIN seats_stock.levels AS l ON l.item_id = s.id;
