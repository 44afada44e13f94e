-- Tests of the language of the generated functions.  Any role can create functions in it, and
-- change their properties later; one that differs from what attach generates is refused when
-- it is called, and one that does not differ does what its user could do with the engine.
\set schema language
\getenv abs_srcdir PG_ABS_SRCDIR
\set include :abs_srcdir '/sql/include/shop.sql'
\i :include
INSERT INTO items (id, stock) VALUES (1, 1000), (2, 1000);
SELECT inventory.attach('items', 'orders', ledger_schema => 'language_stock');
CREATE SCHEMA language_other;
CREATE TABLE language_other.items (id uuid PRIMARY KEY, stock bigint NOT NULL);
INSERT INTO language_other.items VALUES ('00000000-0000-0000-0000-000000000001', 5);
SELECT inventory.attach('language_other.items', ledger_schema => 'language_other', api_schema => 'language_other');
-- what it looks like
SELECT pg_get_functiondef('buy_item'::regproc);
SELECT count(*), l.lanname, l.lanpltrusted, p.proconfig, p.prosecdef
FROM pg_proc AS p JOIN pg_language AS l ON l.oid = p.prolang
WHERE p.prosrc LIKE '% language.items' GROUP BY 2, 3, 4, 5;
SELECT buy_item('ada', 1), * FROM buy_cart('ada', '[{"item_id": 1}, {"item_id": 2, "quantity": 2}]');
DO LANGUAGE inventory 'buy_item language.items';
SELECT inventory.language_handler();
SELECT inventory.language_validator('buy_item'::regproc);
SELECT inventory.language_validator(0);

-- ---- functions that any role can create
SET check_function_bodies = on;
CREATE SCHEMA evil;
SET search_path = evil, language, language_stock;
\set VERBOSITY terse
-- bodies
CREATE FUNCTION f() RETURNS int LANGUAGE inventory AS '';
CREATE FUNCTION f() RETURNS int LANGUAGE inventory AS 'buy_item';
CREATE FUNCTION f() RETURNS int LANGUAGE inventory AS 'buy_item ';
CREATE FUNCTION f() RETURNS int LANGUAGE inventory AS ' language.items';
CREATE FUNCTION f() RETURNS int LANGUAGE inventory AS 'detach language.items';
CREATE FUNCTION f() RETURNS int LANGUAGE inventory AS 'buy_items language.items';
CREATE FUNCTION f() RETURNS int LANGUAGE inventory AS 'a', 'b';
SET check_function_bodies = off;
CREATE FUNCTION f1() RETURNS int LANGUAGE inventory AS '';
CREATE FUNCTION f2() RETURNS int LANGUAGE inventory AS 'buy_item';
CREATE FUNCTION f3() RETURNS int LANGUAGE inventory AS 'language_handler x';
SELECT f1();
SELECT f2();
SELECT f3();

-- types of arguments: a text passed as bigint, a bigint as text, an id as a domain or an array
CREATE DOMAIN small AS bigint CHECK (VALUE < 10);
CREATE DOMAIN unit AS bigint;
CREATE FUNCTION f4(user_id text, item_id bigint, quantity text, idempotency_key text, order_data jsonb) RETURNS bigint LANGUAGE inventory AS 'buy_item language.items';
CREATE FUNCTION f5(user_id text, item_id bigint, quantity bigint, idempotency_key bigint, order_data jsonb) RETURNS bigint LANGUAGE inventory AS 'buy_item language.items';
CREATE FUNCTION f6(user_id text, item_id bigint, quantity bigint, idempotency_key text, order_data json) RETURNS bigint LANGUAGE inventory AS 'buy_item language.items';
CREATE FUNCTION f7(user_id text, item_id small, quantity bigint, idempotency_key text, order_data jsonb) RETURNS bigint LANGUAGE inventory AS 'buy_item language.items';
CREATE FUNCTION f8(user_id text, item_id bigint[], quantity bigint, idempotency_key text, order_data jsonb) RETURNS bigint LANGUAGE inventory AS 'buy_item language.items';
CREATE FUNCTION f9(user_id text, item_id uuid, quantity bigint, idempotency_key text, order_data jsonb) RETURNS bigint LANGUAGE inventory AS 'buy_item language.items';
CREATE FUNCTION f10(user_id text, item_id bigint, quantity unit, idempotency_key text, order_data jsonb) RETURNS bigint LANGUAGE inventory AS 'buy_item language.items';
SELECT f4('ada', 1, '1', NULL, NULL);
SELECT f5('ada', 1, 1, 4, NULL);
SELECT f6('ada', 1, 1, NULL, '{}');
SELECT f7('ada', 1, 1, NULL, NULL);
SELECT f8('ada', '{1}', 1, NULL, NULL);
SELECT f9('ada', '00000000-0000-0000-0000-000000000001', 1, NULL, NULL);
SELECT f10('ada', 1, 1, NULL, NULL);
-- a cstring and an "any" cannot be passed either
CREATE FUNCTION f11(item_id cstring) RETURNS bigint LANGUAGE inventory STABLE AS 'available_stock language.items';
CREATE FUNCTION f12(item_id "any") RETURNS bigint LANGUAGE inventory STABLE AS 'available_stock language.items';
SELECT f11('1');
SELECT f12(1);

-- number, modes and names of arguments
CREATE FUNCTION g1() RETURNS integer LANGUAGE inventory STABLE AS 'available_stock language.items';
CREATE FUNCTION g2(item_id bigint, more bigint) RETURNS integer LANGUAGE inventory STABLE AS 'available_stock language.items';
CREATE FUNCTION g3(bigint) RETURNS integer LANGUAGE inventory STABLE AS 'available_stock language.items';
CREATE FUNCTION g4(item bigint) RETURNS integer LANGUAGE inventory STABLE AS 'available_stock language.items';
CREATE FUNCTION g5(INOUT item_id bigint) LANGUAGE inventory STABLE AS 'available_stock language.items';
CREATE FUNCTION g6(item_id bigint, OUT n integer) LANGUAGE inventory STABLE AS 'available_stock language.items';
CREATE FUNCTION g7(VARIADIC item_id bigint[]) RETURNS integer LANGUAGE inventory STABLE AS 'available_stock language.items';
CREATE FUNCTION g8(item_id anyelement) RETURNS anyelement LANGUAGE inventory STABLE AS 'available_stock language.items';
CREATE FUNCTION g9(reservation_id uuid) RETURNS TABLE (n integer) LANGUAGE inventory STABLE AS 'get_reservation language.items';
CREATE FUNCTION g10(x_reservation_id uuid, y_user_id text) RETURNS boolean LANGUAGE inventory AS 'release_reservation language.items';
CREATE FUNCTION g11(user_id text, reservation_id uuid) RETURNS boolean LANGUAGE inventory AS 'release_reservation language.items';
SELECT g1();
SELECT g2(1, 2);
SELECT g3(1);
SELECT g4(1);
SELECT g5(1);
SELECT g6(1);
SELECT g7(1, 2);
SELECT g8(1);
SELECT * FROM g9('00000000-0000-0000-0000-000000000001');
SELECT g10('00000000-0000-0000-0000-000000000001', 'ada');
SELECT g11('ada', '00000000-0000-0000-0000-000000000001');
-- a common prefix is fine, and so are defaults
CREATE FUNCTION g12(p_item_id bigint DEFAULT 1) RETURNS integer LANGUAGE inventory STABLE AS 'available_stock language.items';
SELECT g12(), g12(2), g12(p_item_id => 2);
ALTER FUNCTION g12(bigint) RENAME TO g13;
SELECT g13();

-- results
CREATE FUNCTION h1(item_id bigint) RETURNS text LANGUAGE inventory STABLE AS 'available_stock language.items';
CREATE FUNCTION h2(item_id bigint) RETURNS small LANGUAGE inventory STABLE AS 'available_stock language.items';
CREATE FUNCTION h3(item_id bigint) RETURNS SETOF integer LANGUAGE inventory STABLE AS 'available_stock language.items';
CREATE FUNCTION h4(item_id bigint) RETURNS bigint LANGUAGE inventory STABLE AS 'available_stock language.items';
CREATE FUNCTION h5(item_id bigint) RETURNS void LANGUAGE inventory STABLE AS 'available_stock language.items';
CREATE FUNCTION h6(reservation_id uuid) RETURNS held_line LANGUAGE inventory STABLE AS 'get_reservation language.items';
CREATE FUNCTION h7(reservation_id uuid) RETURNS SETOF record LANGUAGE inventory STABLE AS 'get_reservation language.items';
CREATE FUNCTION h8(reservation_id uuid) RETURNS SETOF text LANGUAGE inventory STABLE AS 'get_reservation language.items';
CREATE FUNCTION h9(reservation_id uuid) RETURNS SETOF line LANGUAGE inventory STABLE AS 'get_reservation language.items';
CREATE FUNCTION h10(user_id text, lines jsonb, ttl interval, idempotency_key text, reservation_id uuid) RETURNS text LANGUAGE inventory AS 'try_reserve_cart language.items';
CREATE FUNCTION h11(user_id text, lines jsonb, ttl interval, idempotency_key text, reservation_id uuid) RETURNS items LANGUAGE inventory AS 'try_reserve_cart language.items';
SELECT h1(1);
SELECT h2(1);
SELECT * FROM h3(1);
SELECT h4(1);
SELECT h5(1);
SELECT h6('00000000-0000-0000-0000-000000000001');
SELECT * FROM h7('00000000-0000-0000-0000-000000000001') AS t(a text);
SELECT * FROM h8('00000000-0000-0000-0000-000000000001');
SELECT * FROM h9('00000000-0000-0000-0000-000000000001');
SELECT h10('ada', '[{"item_id": 1}]', NULL, NULL, NULL);
SELECT h11('ada', '[{"item_id": 1}]', NULL, NULL, NULL);
-- a row type with a domain, or over one
CREATE DOMAIN word AS text CHECK (VALUE <> 'ok');
CREATE TYPE hold2 AS (status word, reservation_id uuid, expires_at timestamptz, short_lines jsonb);
CREATE FUNCTION h12(user_id text, lines jsonb, ttl interval, idempotency_key text, reservation_id uuid) RETURNS hold2 LANGUAGE inventory AS 'try_reserve_cart language.items';
SELECT h12('ada', '[{"item_id": 1}]', NULL, NULL, NULL);
CREATE DOMAIN held AS hold CHECK ((VALUE).status <> 'ok');
CREATE FUNCTION h13(user_id text, lines jsonb, ttl interval, idempotency_key text, reservation_id uuid) RETURNS held LANGUAGE inventory AS 'try_reserve_cart language.items';
SELECT h13('ada', '[{"item_id": 1}]', NULL, NULL, NULL);
-- a row type that changes between two calls of one prepared statement
CREATE TYPE hold3 AS (status text, reservation_id uuid, expires_at timestamptz, short_lines jsonb);
CREATE FUNCTION h14(user_id text, lines jsonb, ttl interval, idempotency_key text, reservation_id uuid) RETURNS hold3 LANGUAGE inventory AS 'try_reserve_cart language.items';
PREPARE again AS SELECT (h14('ada', '[{"item_id": 1}]', NULL, NULL, NULL)).status;
EXECUTE again;
ALTER TYPE hold3 DROP ATTRIBUTE short_lines;
EXECUTE again;
ALTER TYPE hold3 ADD ATTRIBUTE short_lines jsonb;
EXECUTE again;
DROP TYPE hold3 CASCADE;
CREATE TYPE hold3 AS (status int, reservation_id uuid, expires_at timestamptz, short_lines jsonb);
CREATE FUNCTION h14(user_id text, lines jsonb, ttl interval, idempotency_key text, reservation_id uuid) RETURNS hold3 LANGUAGE inventory AS 'try_reserve_cart language.items';
EXECUTE again;
SELECT h14('ada', '[{"item_id": 1}]', NULL, NULL, NULL);

-- kinds of functions
CREATE PROCEDURE p1(reservation_id uuid, user_id text) LANGUAGE inventory AS 'release_reservation language.items';
CALL p1('00000000-0000-0000-0000-000000000001', 'ada');
CREATE FUNCTION p2() RETURNS trigger LANGUAGE inventory AS 'buy_item language.items';
CREATE TABLE t (a int);
CREATE TRIGGER p2 BEFORE INSERT ON t FOR EACH ROW EXECUTE FUNCTION p2();
INSERT INTO t VALUES (1);
CREATE FUNCTION p3(reservation_id uuid, user_id text) RETURNS boolean WINDOW LANGUAGE inventory AS 'release_reservation language.items';
SELECT p3('00000000-0000-0000-0000-000000000001', 'ada') OVER ();
CREATE FUNCTION p4() RETURNS event_trigger LANGUAGE inventory AS 'buy_item language.items';
-- an aggregate, whose transition function is called with the state as its first argument
CREATE FUNCTION p5(reservation_id uuid, user_id text) RETURNS uuid LANGUAGE inventory AS 'release_reservation language.items';
CREATE AGGREGATE p6(text) (SFUNC = p5, STYPE = uuid);
SELECT p6('ada');

-- properties, at creation and after a call that passed
CREATE FUNCTION q1(reservation_id uuid, user_id text) RETURNS boolean STRICT LANGUAGE inventory AS 'release_reservation language.items';
SELECT q1('00000000-0000-0000-0000-000000000001', 'ada');
PREPARE sell AS SELECT buy_item('ada', 1) > 0;
EXECUTE sell;
ALTER FUNCTION buy_item STABLE;
EXECUTE sell;
ALTER FUNCTION buy_item IMMUTABLE;
EXECUTE sell;
ALTER FUNCTION buy_item VOLATILE STRICT;
SELECT buy_item('ada', 1, 1, 'key', '{}');
ALTER FUNCTION buy_item CALLED ON NULL INPUT PARALLEL SAFE;
EXECUTE sell;
ALTER FUNCTION buy_item PARALLEL UNSAFE;
EXECUTE sell;
ALTER FUNCTION available_stock VOLATILE PARALLEL UNSAFE;
SELECT available_stock(1) > 0;
ALTER FUNCTION available_stock STABLE PARALLEL SAFE;
SELECT available_stock(1);
ALTER FUNCTION available_stock PARALLEL RESTRICTED IMMUTABLE;
SELECT available_stock(1);
ALTER FUNCTION available_stock STABLE;
-- replaced by another body, in the same transaction and with a savepoint
BEGIN;
SELECT available_stock(1) > 0;
SAVEPOINT s;
CREATE OR REPLACE FUNCTION language.available_stock(item_id bigint) RETURNS integer STABLE LANGUAGE inventory AS 'available_stock nowhere';
SELECT available_stock(1);
ROLLBACK TO s;
SELECT available_stock(1) > 0;
ROLLBACK;

-- another store of the owner
SELECT language_other.available_stock('00000000-0000-0000-0000-000000000001');
CREATE FUNCTION r1(item_id bigint) RETURNS integer STABLE LANGUAGE inventory AS 'available_stock language_other.items';
SELECT r1(1);

-- called as an operator and in a constraint
CREATE OPERATOR ~!~ (PROCEDURE = language.available_stock, RIGHTARG = bigint);
SELECT ~!~ 1::bigint > 0;
ALTER FUNCTION available_stock IMMUTABLE;
CREATE TABLE u (a bigint CHECK (available_stock(a) > 0));
INSERT INTO u VALUES (1);
ALTER FUNCTION available_stock STABLE;

-- another role can create such functions, but has not the rights of the owner
CREATE ROLE language_stranger;
GRANT USAGE ON SCHEMA language, language_stock TO language_stranger;
GRANT ALL ON SCHEMA evil TO language_stranger;
SET ROLE language_stranger;
CREATE FUNCTION s1(item_id bigint) RETURNS integer STABLE SECURITY DEFINER LANGUAGE inventory AS 'available_stock language.items';
CREATE FUNCTION s2(item_id bigint) RETURNS integer STABLE LANGUAGE inventory AS 'available_stock language.items';
CREATE FUNCTION s3(item_id text) RETURNS integer STABLE LANGUAGE inventory AS 'available_stock language.items';
SELECT s1(1);
SELECT s2(1);
SELECT s3('1');
RESET ROLE;
SELECT s1(1);
-- the caller's rights count, as with any function
SELECT s2(1) > 0;
-- the owner changes
ALTER FUNCTION s1 OWNER TO current_user;
SELECT s1(1) > 0;
ALTER FUNCTION buy_item OWNER TO language_stranger;
EXECUTE sell;
\set VERBOSITY default
SELECT inventory.refresh('language.items');

-- a function that a call further up replaces while it runs
ALTER FUNCTION buy_item OWNER TO current_user;
SELECT inventory.refresh('language.items');
CREATE FUNCTION language.replace() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	IF NEW.user_id = 'ada' THEN
		ALTER FUNCTION language.buy_item SET work_mem = '1MB';
		PERFORM language.buy_item('bob', 2);
		ALTER FUNCTION language.buy_item RESET ALL;
	END IF;
	RETURN NEW;
END
$$;
CREATE TRIGGER replace BEFORE INSERT ON orders FOR EACH ROW EXECUTE FUNCTION language.replace();
SELECT buy_item('ada', 1, 3, 'key') > 0;
SELECT user_id, item_id, quantity FROM orders ORDER BY id DESC LIMIT 2;
DROP TRIGGER replace ON orders;

SELECT * FROM inventory.verify('items');
\set VERBOSITY terse
SET client_min_messages = error;
DROP OWNED BY language_stranger CASCADE;
DROP ROLE language_stranger;
DROP SCHEMA evil CASCADE;
