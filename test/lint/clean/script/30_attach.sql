CREATE FUNCTION inventory.attach() RETURNS void
	LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	p inventory.plan;
BEGIN
	p.owner := inventory.take();
END
$$;
