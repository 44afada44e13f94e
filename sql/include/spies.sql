\set ECHO none
-- Everything of a caller that can hide what the engine means, in a schema of an
-- attacker.  A test sets this variable before it includes this file:
--
--   evil   the schema, which all roles may use and write
--
-- Each spy leaves a trace of the role it ran as.  hide() makes temporary tables
-- with the names of the store's and sets a search_path that leads to all of it.
-- Lines in here are not echoed.
CREATE SCHEMA :"evil";
GRANT ALL ON SCHEMA :"evil" TO PUBLIC;
CREATE TABLE :"evil".trace (who name, what text);
GRANT ALL ON :"evil".trace TO PUBLIC;
SELECT set_config('spies.schema', :'evil', false) AS evil \gset
DO $$
DECLARE
	evil text := current_setting('spies.schema');
	spy text := format('LANGUAGE plpgsql AS $f$BEGIN INSERT INTO %I.trace VALUES (current_user, %%L); RETURN %%s; END$f$', evil);
	t text;
	o record;
BEGIN
	PERFORM set_config('search_path', quote_ident(evil), true);
	FOREACH t IN ARRAY '{bigint,integer,text,numeric,uuid,interval,timestamptz}'::text[] LOOP
		FOR o IN SELECT * FROM unnest('{=,<>,>=,<=,<,>,+,-}'::text[]) WITH ORDINALITY AS u(name, n) LOOP
			EXECUTE format('CREATE FUNCTION %I.spy_%s(%s, %s) RETURNS %s ' || spy, evil, o.n, t, t,
				CASE WHEN o.n > 6 THEN t ELSE 'boolean' END, o.name, CASE WHEN o.n > 6 THEN '$1' ELSE 'true' END);
			EXECUTE format('CREATE OPERATOR %I.%s (FUNCTION = %I.spy_%s, LEFTARG = %s, RIGHTARG = %s)', evil, o.name, evil, o.n, t, t);
		END LOOP;
	END LOOP;
	EXECUTE format('CREATE FUNCTION %I.unnest(anyarray) RETURNS SETOF anyelement ' || replace(spy, 'RETURN %s;', ''), evil, 'unnest');
	EXECUTE format('CREATE FUNCTION %I.now() RETURNS timestamptz ' || spy, evil, 'now', 'NULL');
	EXECUTE format('CREATE FUNCTION %I.clock_timestamp() RETURNS timestamptz ' || spy, evil, 'clock', 'NULL');
	EXECUTE format('CREATE FUNCTION %I.gen_random_uuid() RETURNS uuid ' || spy, evil, 'uuid', 'NULL');
	EXECUTE format('CREATE FUNCTION %I.jsonb_to_record(jsonb) RETURNS record ' || spy, evil, 'record', 'NULL');
	EXECUTE format('CREATE FUNCTION %I.buy_item(text, text, text, bigint, text, jsonb, bigint) RETURNS bigint ' || spy, evil, 'buy', '1');
	EXECUTE format('CREATE FUNCTION %I.reserve_stock(text, text, text, bigint, interval, text) RETURNS uuid ' || spy, evil, 'reserve', 'NULL');
	EXECUTE format('CREATE AGGREGATE %I.sum(bigint) (SFUNC = %I.spy_7, STYPE = bigint, INITCOND = ''0'')', evil, evil);
	EXECUTE format('CREATE AGGREGATE %I.sum(integer) (SFUNC = %I.spy_7, STYPE = integer, INITCOND = ''0'')', evil, evil);
END
$$;
CREATE FUNCTION :"evil".hide() RETURNS void LANGUAGE plpgsql AS $$
DECLARE
	evil pg_catalog.text := pg_catalog.current_setting('spies.schema');
	hidden name;
BEGIN
	FOREACH hidden IN ARRAY '{items,orders,movements,reservations,requests,levels,sellable,store}'::name[] LOOP
		EXECUTE format('CREATE TEMP TABLE %I (id pg_catalog.text, item_id pg_catalog.text, key pg_catalog.text, stock integer, quantity integer, state pg_catalog.text)', hidden);
		EXECUTE format('GRANT ALL ON %I TO PUBLIC', hidden);
	END LOOP;
	PERFORM set_config('search_path', format('pg_temp, %I, pg_catalog', evil), false);
END
$$;
CREATE DOMAIN :"evil".int8 AS text;
CREATE DOMAIN :"evil".uuid AS pg_catalog.text;
CREATE DOMAIN :"evil".timestamptz AS pg_catalog.text;
CREATE DOMAIN :"evil".text AS pg_catalog.int4;
CREATE TYPE :"evil".line AS (x integer);
CREATE TYPE :"evil".held_line AS (x integer);
\set ECHO all
