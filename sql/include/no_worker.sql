\set ECHO none
-- Keeps the background worker from expiring the holds of a store, whose reservations
-- the search_path finds: it gets an error and tries again later.
CREATE FUNCTION refuse_worker() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	IF (SELECT backend_type FROM pg_stat_activity WHERE pid = pg_backend_pid()) <> 'client backend' THEN
		RAISE EXCEPTION 'a test does without the worker';
	END IF;
	RETURN NULL;
END
$$;
CREATE TRIGGER refuse_worker BEFORE UPDATE ON reservations FOR EACH STATEMENT EXECUTE FUNCTION refuse_worker();
\set ECHO all
