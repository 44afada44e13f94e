-- A role that the application logs in as, through PgBouncer.  Run as a superuser.

CREATE EXTENSION inventory;
CREATE TABLE tickets (id bigint PRIMARY KEY, stock integer NOT NULL);
CREATE TABLE orders (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, user_id text,
    item_id bigint REFERENCES tickets, quantity integer);
SELECT inventory.attach('tickets', 'orders');

CREATE ROLE shop LOGIN;
SELECT inventory.grant_api('tickets', 'shop', 'buyer');
-- settings of a login role are those of the server connections
ALTER ROLE shop SET inventory.http_errors = on;
