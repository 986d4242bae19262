-- Dropping a partition locks everybody out of connections, of the default partition and of itself; devices is not locked.
-- connections is waited for first: whoever comes to a partition by way of it holds it. Who reads a partition by its own
-- name may want connections next: while connections is held, the others are waited for only briefly, all of them together
-- shorter than deadlock_timeout, then all is let go and tried again. That goes for the drops too, as a partition may have
-- a foreign key of its own to any table.
-- Nothing is locked when there is nothing to drop. Callers under load set lock_timeout and try again.
-- Without CASCADE: what others have built on a partition is not ours to drop.
CREATE OR REPLACE FUNCTION drop_connection_partitions(p_before timestamptz)
RETURNS SETOF text
LANGUAGE plpgsql
VOLATILE
SECURITY DEFINER
SET search_path FROM CURRENT
SET timezone = 'UTC'
SET datestyle = 'ISO'
AS $function$
DECLARE
    -- DEFAULT and MAXVALUE have no time in quotes. A bound names no column, so pg_get_expr needs no relation, which newer
    -- servers would lock.
    v_query CONSTANT text := $query$
        SELECT pg_catalog.array_agg(p.name ORDER BY p.upper_bound)
        FROM (
            SELECT c.oid::regclass::text AS name,
                   substring(pg_get_expr(c.relpartbound, 0::oid) FROM ' TO \(''([^'']+)''\)$')::timestamptz AS upper_bound
            FROM pg_catalog.pg_inherits AS i
            JOIN pg_catalog.pg_class AS c ON c.oid = i.inhrelid
            WHERE i.inhparent = 'connections'::regclass::oid
        ) AS p
        WHERE p.upper_bound <= $1
        $query$;
    v_names text[];
    v_name text;
    v_default regclass;
    v_alone boolean;
    v_let_go timestamptz;
    v_lock_timeout text := current_setting('lock_timeout');
    v_deadline timestamptz := clock_timestamp() + v_lock_timeout::interval;
BEGIN
    IF p_before IS NULL OR NOT isfinite(p_before) OR p_before > now() THEN
        RAISE EXCEPTION 'drop_connection_partitions: % is not a finite time up to now', coalesce(p_before::text, 'NULL')
            USING ERRCODE = 'invalid_parameter_value',
                  HINT = 'Name a time that has passed, such as now() - interval ''1 year''.';
    END IF;

    EXECUTE v_query INTO v_names USING p_before;
    IF v_names IS NULL THEN
        RETURN;
    END IF;

    -- Rows of this very transaction must have passed the foreign key before their table can be dropped.
    SET CONSTRAINTS fk_connections_devices_src_mac IMMEDIATE;
    LOOP
        v_alone := false;
        BEGIN
            LOCK TABLE ONLY connections IN ACCESS EXCLUSIVE MODE;
            v_alone := true;
            v_let_go := clock_timestamp() + interval '200 milliseconds';
            -- Another session may have dropped, attached or detached partitions while this one waited.
            EXECUTE v_query INTO v_names USING p_before;
            SELECT NULLIF(partdefid, 0::oid)::regclass INTO v_default
            FROM pg_catalog.pg_partitioned_table WHERE partrelid = 'connections'::regclass::oid;

            PERFORM set_config('lock_timeout', '200ms', true);
            IF v_default IS NOT NULL AND v_names IS NOT NULL THEN
                EXECUTE pg_catalog.format('LOCK TABLE ONLY %s IN ACCESS EXCLUSIVE MODE', v_default);
            END IF;
            FOREACH v_name IN ARRAY coalesce(v_names, '{}') LOOP
                PERFORM set_config('lock_timeout',
                    greatest(extract(milliseconds FROM v_let_go - clock_timestamp())::integer, 1)::text, true);
                EXECUTE pg_catalog.format('LOCK TABLE %s IN ACCESS EXCLUSIVE MODE', v_name);
            END LOOP;

            PERFORM set_config('lock_timeout', '200ms', true);
            FOREACH v_name IN ARRAY coalesce(v_names, '{}') LOOP
                EXECUTE pg_catalog.format('DROP TABLE %s', v_name);
            END LOOP;
            PERFORM set_config('lock_timeout', v_lock_timeout, true);
            EXIT;
        EXCEPTION WHEN lock_not_available THEN
            IF NOT v_alone OR (v_lock_timeout <> '0' AND clock_timestamp() > v_deadline) THEN
                RAISE;
            END IF;
        END;
        PERFORM pg_sleep(0.05::double precision + random() * 0.1::double precision);
    END LOOP;
    SET CONSTRAINTS fk_connections_devices_src_mac DEFERRED;

    RETURN QUERY SELECT n.name FROM pg_catalog.unnest(v_names) AS n(name);
END
$function$;

REVOKE ALL ON FUNCTION drop_connection_partitions(timestamptz) FROM PUBLIC;

COMMENT ON FUNCTION drop_connection_partitions(timestamptz) IS
    'Drops the partitions of connections that end at or before p_before, oldest first, and returns their names; the default '
    'partition stays, and so does all that was derived from the rows: counters, edges, hours and events.';
