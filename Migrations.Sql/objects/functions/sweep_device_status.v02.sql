-- The only place where time alone changes a status. Another time than the present, which would write what never happened into the
-- trail for good, is the owner's alone to give.
CREATE OR REPLACE FUNCTION sweep_device_status(
    p_now timestamptz DEFAULT now(),
    OUT became_active bigint,
    OUT became_idle bigint,
    OUT became_offline bigint)
RETURNS record
LANGUAGE plpgsql
VOLATILE
SECURITY DEFINER
SET search_path FROM CURRENT
AS $function$
DECLARE
    v_clock timestamptz := clock_timestamp();
    v_active_after timestamptz := p_now - interval '30 minutes';
    v_idle_after timestamptz := p_now - interval '60 minutes';
    v_macs macaddr[];
BEGIN
    IF p_now IS NULL OR NOT isfinite(p_now) THEN
        RAISE EXCEPTION 'sweep_device_status: p_now is %, expected a finite time', coalesce(p_now::text, 'NULL')
            USING ERRCODE = 'invalid_parameter_value';
    END IF;
    IF p_now NOT BETWEEN now() - interval '1 minute' AND v_clock + interval '1 minute'
        AND NOT pg_has_role(session_user, current_user, 'MEMBER')
    THEN
        RAISE EXCEPTION 'sweep_device_status: p_now is %, which is not the present', p_now
            USING ERRCODE = 'insufficient_privilege', HINT = 'Leave it out. Only the owner may sweep for another time.';
    END IF;

    -- A last_seen ahead of the clock was stored while the clock ran ahead; the update brings it back.
    SELECT pg_catalog.array_agg(d.mac_address)
    INTO v_macs
    FROM (
        SELECT mac_address FROM devices
        WHERE last_seen > v_clock
           OR status::text <> CASE
                  WHEN last_seen > v_active_after THEN 'active'
                  WHEN last_seen >= v_idle_after THEN 'idle'
                  ELSE 'offline'
              END
        ORDER BY mac_address
        FOR NO KEY UPDATE
    ) AS d;

    WITH swept AS (
        UPDATE devices
        SET status = CASE
                WHEN last_seen > v_active_after THEN 'active'
                WHEN last_seen >= v_idle_after THEN 'idle'
                ELSE 'offline'
            END
        WHERE mac_address = ANY (v_macs)
        RETURNING status
    )
    SELECT count(*) FILTER (WHERE status::text = 'active'),
           count(*) FILTER (WHERE status::text = 'idle'),
           count(*) FILTER (WHERE status::text = 'offline')
    INTO became_active, became_idle, became_offline
    FROM swept;
END
$function$;

REVOKE ALL ON FUNCTION sweep_device_status(timestamptz) FROM PUBLIC;

COMMENT ON FUNCTION sweep_device_status(timestamptz) IS
    'Sets the status of every device from last_seen: active below 30 minutes, idle to 60 minutes, then offline. '
    'Returns how many devices became each. Run it every minute or so; p_now is for tests, and for nobody but the owner.';
