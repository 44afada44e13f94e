-- Tests of foreign keys that a third party makes: what they cascade to fires the triggers of the
-- third party with the rights of the role that deletes, and the engine deletes as the owner.
CREATE ROLE regress_reference_owner; CREATE ROLE regress_reference_guest;
CREATE SCHEMA hostile_reference AUTHORIZATION regress_reference_owner;
CREATE SCHEMA hostile_reference_stock AUTHORIZATION regress_reference_owner;
CREATE SCHEMA hostile_reference_guest AUTHORIZATION regress_reference_guest;
GRANT USAGE ON SCHEMA hostile_reference, hostile_reference_stock, hostile_reference_guest TO PUBLIC;
SET ROLE regress_reference_owner;
\set schema hostile_reference
\set plain on
\getenv abs_srcdir PG_ABS_SRCDIR
\set include :abs_srcdir '/sql/include/shop.sql'
\i :include
INSERT INTO items VALUES (1, 100);
SELECT inventory.attach('items', 'orders', ledger_schema => 'hostile_reference_stock');
GRANT REFERENCES ON items, hostile_reference_stock.movements, hostile_reference_stock.reservations TO regress_reference_guest;
SELECT release_reservation(reserve_stock('u', 1));
UPDATE hostile_reference_stock.reservations SET expires_at = now() - interval '1 day', created_at = now() - interval '1 day';

\set trace 'CREATE TABLE trace (who name); GRANT INSERT ON trace TO PUBLIC; CREATE FUNCTION spy() RETURNS trigger LANGUAGE plpgsql AS ''BEGIN INSERT INTO hostile_reference_guest.trace VALUES (current_user); RETURN NULL; END'';'
SET ROLE regress_reference_guest;
SET search_path = hostile_reference_guest;
:trace
CREATE TABLE held (reservation_id uuid, item_id bigint, FOREIGN KEY (reservation_id, item_id) REFERENCES hostile_reference_stock.reservations (reservation_id, item_id) ON DELETE CASCADE);
CREATE TABLE bought (item_id bigint REFERENCES hostile_reference.items ON DELETE CASCADE ON UPDATE CASCADE);
CREATE TRIGGER spy AFTER DELETE OR UPDATE ON held FOR EACH ROW EXECUTE FUNCTION spy();
CREATE TRIGGER spy AFTER DELETE OR UPDATE ON bought FOR EACH ROW EXECUTE FUNCTION spy();
INSERT INTO bought VALUES (1);
RESET ROLE;
INSERT INTO held SELECT reservation_id, item_id FROM hostile_reference_stock.reservations;
SET ROLE regress_reference_owner;
SET search_path = hostile_reference, hostile_reference_stock;

\echo '-- a reservation that is deleted'
SELECT prune('0');
\echo :SQLSTATE
\echo '-- sales delete nothing'
SELECT buy_item('u', 1) > 0 AS bought;
SELECT inventory.heat('items', 1), buy_item('u', 1) > 0 AS bought, inventory.cool('items', 1);
SELECT release_reservation(reserve_stock('u', 1));
RESET ROLE;
TABLE hostile_reference_guest.trace;
\echo '-- the table is the owner''s, or the foreign key is gone, or does not change the table'
ALTER TABLE hostile_reference_guest.held OWNER TO regress_reference_owner;
SET ROLE regress_reference_owner;
BEGIN;
SELECT prune('0');
ROLLBACK;
RESET ROLE;
ALTER TABLE hostile_reference_guest.held OWNER TO regress_reference_guest;
ALTER TABLE hostile_reference_guest.held DROP CONSTRAINT held_reservation_id_item_id_fkey;
TRUNCATE hostile_reference_guest.held;
ALTER TABLE hostile_reference_guest.held ADD FOREIGN KEY (reservation_id, item_id) REFERENCES hostile_reference_stock.reservations (reservation_id, item_id);
SET ROLE regress_reference_owner;
SELECT prune('0');
SELECT * FROM inventory.verify('items');
RESET ROLE;
DROP SCHEMA hostile_reference_guest, hostile_reference, hostile_reference_stock CASCADE;
DROP ROLE regress_reference_owner, regress_reference_guest;
