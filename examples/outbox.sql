-- An outbox: every change of stock as an event that other systems read exactly once.
--
-- Readers must not go by movement_id or by a time: numbers are given when rows are inserted, and rows
-- appear when their transaction commits, so a reader that has seen event 12 would miss event 11 of a
-- slower transaction.  Events carry the id of their transaction here, and a reader takes only those of
-- transactions before the oldest one that is still running: no event can appear among them any more.

CREATE EXTENSION IF NOT EXISTS inventory;

CREATE TABLE products (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, name text NOT NULL, stock int NOT NULL);
CREATE TABLE order_items (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    user_id bigint NOT NULL,
    product_id bigint NOT NULL REFERENCES products,
    quantity int NOT NULL);
SELECT inventory.attach('products', 'order_items');

CREATE TABLE outbox (
    xid xid8 NOT NULL DEFAULT pg_current_xact_id(),
    event_id bigint GENERATED ALWAYS AS IDENTITY,
    event jsonb NOT NULL,
    PRIMARY KEY (xid, event_id));

CREATE FUNCTION write_event() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO outbox (event) VALUES (to_jsonb(NEW));
    RETURN NULL;
END $$;
CREATE TRIGGER write_event AFTER INSERT ON products_stock.movements
    FOR EACH ROW EXECUTE FUNCTION write_event();

-- One row for each reader: how far it has read.
CREATE TABLE outbox_reader (
    reader text PRIMARY KEY,
    xid xid8 NOT NULL DEFAULT '0',
    event_id bigint NOT NULL DEFAULT 0);

-- The next events of a reader.  The caller handles them and commits: then they are read.  If it fails
-- and rolls back, they come again.  A second process that reads for the same reader waits.
CREATE FUNCTION read_events(name text, max_events int DEFAULT 100) RETURNS SETOF outbox
LANGUAGE plpgsql AS $$
DECLARE
    place outbox_reader;
    event outbox;
BEGIN
    SELECT * INTO STRICT place FROM outbox_reader WHERE reader = name FOR UPDATE;
    FOR event IN
        SELECT * FROM outbox AS o
        WHERE (o.xid, o.event_id) > (place.xid, place.event_id)
        AND o.xid < pg_snapshot_xmin(pg_current_snapshot())
        ORDER BY o.xid, o.event_id LIMIT max_events
    LOOP
        RETURN NEXT event;
        UPDATE outbox_reader SET xid = event.xid, event_id = event.event_id WHERE reader = name;
    END LOOP;
END $$;

INSERT INTO outbox_reader (reader) VALUES ('warehouse');

-- The reader, in a loop:      BEGIN; SELECT * FROM read_events('warehouse'); …handle them…; COMMIT;
-- Events that all have read:  DELETE FROM outbox AS o USING (SELECT min(xid) AS xid FROM outbox_reader) AS r
--                             WHERE o.xid < r.xid;
