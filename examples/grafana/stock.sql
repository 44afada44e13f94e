-- What stock.collector.yml reads.  For the owner of the database.
--
-- The function has no rights of its own: it counts the stores whose view "levels" the caller
-- may read.  The owner of a store grants that, here to the role of the exporter:
--
--   GRANT USAGE ON SCHEMA products_stock TO exporter;
--   GRANT SELECT ON products_stock.levels TO exporter;

CREATE SCHEMA inventory_metrics;
GRANT USAGE ON SCHEMA inventory_metrics TO pg_monitor;

CREATE FUNCTION inventory_metrics.stock(low_at bigint) RETURNS TABLE (store text,
    below_zero bigint, sold_out bigint, low bigint, enough bigint, untracked bigint,
    available numeric, reserved numeric)
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    b record;
BEGIN
    FOR b IN SELECT store_name, format('%I.levels', ledger_schema) AS levels FROM inventory.bindings
        WHERE has_schema_privilege(ledger_schema, 'USAGE')
    LOOP
        CONTINUE WHEN NOT has_table_privilege(b.levels, 'SELECT');
        RETURN QUERY EXECUTE format(
            'SELECT $1,
                count(*) FILTER (WHERE on_hand < 0),
                count(*) FILTER (WHERE on_hand >= 0 AND available = 0),
                count(*) FILTER (WHERE on_hand >= 0 AND available BETWEEN 1 AND $2),
                count(*) FILTER (WHERE on_hand >= 0 AND available > $2),
                count(*) FILTER (WHERE on_hand IS NULL),
                coalesce(sum(available), 0), coalesce(sum(reserved), 0)
            FROM %s', b.levels) USING b.store_name, low_at;
    END LOOP;
END $$;
REVOKE ALL ON FUNCTION inventory_metrics.stock(bigint) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION inventory_metrics.stock(bigint) TO pg_monitor;
