-- A writer that has routed a row to the default partition fails if a partition for that row appears before the row is
-- stored. So writers wait: connections is locked against them before anything is made, and devices, to which a partition
-- gets a foreign key. Some writers come to connections first and by its trigger to devices, others upsert a device and
-- then store its connection. So the two are tried in either order by turns, and what comes second is waited for only
-- briefly, shorter than deadlock_timeout, then all is let go and tried again: in the one order or the other everybody
-- passes. Making an empty partition takes milliseconds; moving rows out of the default partition takes as long as it takes.
-- Nothing is locked when nothing is missing. Callers under load set lock_timeout and try again.
CREATE OR REPLACE FUNCTION ensure_connection_partitions(p_from timestamptz, p_to timestamptz)
RETURNS SETOF text
LANGUAGE plpgsql
VOLATILE
SECURITY DEFINER
SET search_path FROM CURRENT
SET timezone = 'UTC'
AS $function$
DECLARE
    v_month timestamptz;
    v_next timestamptz;
    v_name text;
    v_default regclass;
    v_locked boolean := false;
    v_alone boolean;
    v_devices_first boolean := false;
    v_lock_timeout text := current_setting('lock_timeout');
    v_deadline timestamptz := clock_timestamp() + v_lock_timeout::interval;
BEGIN
    IF p_from IS NULL OR p_to IS NULL OR NOT isfinite(p_from) OR NOT isfinite(p_to) OR p_from > p_to
       OR p_from < timestamptz '0001-01-01 00:00:00+00' OR p_to >= timestamptz '9999-12-01 00:00:00+00' THEN
        RAISE EXCEPTION 'ensure_connection_partitions: % to % is not a range of finite times from year 1 to 9999',
            coalesce(p_from::text, 'NULL'), coalesce(p_to::text, 'NULL')
            USING ERRCODE = 'invalid_parameter_value';
    END IF;

    IF p_to > p_from + interval '100 years' THEN
        RAISE EXCEPTION 'ensure_connection_partitions: % to % asks for more than 1200 monthly partitions', p_from, p_to
            USING ERRCODE = 'invalid_parameter_value',
                  HINT = 'Times far from the present can stay in the default partition.';
    END IF;

    v_month := date_trunc('month', p_from);
    WHILE v_month <= p_to LOOP
        v_next := v_month + interval '1 month';
        v_name := 'connections_' || to_char(v_month, '"y"YYYY"m"MM');

        IF NOT EXISTS (
            SELECT 1
            FROM pg_catalog.pg_inherits AS i
            JOIN pg_catalog.pg_class AS c ON c.oid = i.inhrelid
            WHERE i.inhparent = 'connections'::regclass::oid AND c.relname = v_name)
        THEN
            IF NOT v_locked THEN
                -- Rows of this very transaction must have passed the foreign key before a table can be attached.
                SET CONSTRAINTS fk_connections_devices_src_mac IMMEDIATE;
                LOOP
                    v_alone := false;
                    BEGIN
                        IF v_devices_first THEN
                            LOCK TABLE devices IN SHARE ROW EXCLUSIVE MODE;
                        ELSE
                            LOCK TABLE ONLY connections IN SHARE ROW EXCLUSIVE MODE;
                        END IF;
                        v_alone := true;
                        PERFORM set_config('lock_timeout', '200ms', true);
                        LOCK TABLE ONLY connections IN SHARE ROW EXCLUSIVE MODE;
                        LOCK TABLE devices IN SHARE ROW EXCLUSIVE MODE;
                        SELECT NULLIF(partdefid, 0::oid)::regclass INTO v_default
                        FROM pg_catalog.pg_partitioned_table WHERE partrelid = 'connections'::regclass::oid;
                        IF v_default IS NOT NULL THEN
                            EXECUTE pg_catalog.format('LOCK TABLE %s IN ACCESS EXCLUSIVE MODE', v_default);
                        END IF;
                        PERFORM set_config('lock_timeout', v_lock_timeout, true);
                        EXIT;
                    EXCEPTION WHEN lock_not_available THEN
                        IF NOT v_alone OR (v_lock_timeout <> '0' AND clock_timestamp() > v_deadline) THEN
                            RAISE;
                        END IF;
                    END;
                    v_devices_first := NOT v_devices_first;
                    PERFORM pg_sleep(0.05::double precision + random() * 0.1::double precision);
                END LOOP;
                v_locked := true;
                -- Another session may have made partitions while this one waited.
                CONTINUE;
            END IF;

            EXECUTE pg_catalog.format(
                'CREATE TABLE %I (LIKE connections INCLUDING DEFAULTS INCLUDING CONSTRAINTS)', v_name);
            IF v_default IS NOT NULL THEN
                EXECUTE pg_catalog.format(
                    'WITH moved AS (DELETE FROM %s WHERE "timestamp" >= %L AND "timestamp" < %L RETURNING *)
                     INSERT INTO %I SELECT * FROM moved',
                    v_default, v_month, v_next, v_name);
            END IF;
            EXECUTE pg_catalog.format('ALTER TABLE connections ATTACH PARTITION %I FOR VALUES FROM (%L) TO (%L)',
                v_name, v_month, v_next);
            EXECUTE pg_catalog.format('COMMENT ON TABLE %I IS %L', v_name,
                'Connections of ' || to_char(v_month, 'YYYY-MM') || ', UTC.');
            RETURN NEXT v_name;
        END IF;

        v_month := v_next;
    END LOOP;

    IF v_locked THEN
        SET CONSTRAINTS fk_connections_devices_src_mac DEFERRED;
    END IF;
END
$function$;

REVOKE ALL ON FUNCTION ensure_connection_partitions(timestamptz, timestamptz) FROM PUBLIC;

COMMENT ON FUNCTION ensure_connection_partitions(timestamptz, timestamptz) IS
    'Creates the missing monthly partitions of connections from the month of p_from to the month of p_to (UTC), '
    'moves rows that wait in the default partition into them, and returns the names of the new ones.';
