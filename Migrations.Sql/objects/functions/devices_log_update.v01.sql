CREATE OR REPLACE FUNCTION devices_log_update()
RETURNS trigger
LANGUAGE plpgsql
VOLATILE
SECURITY DEFINER
SET search_path FROM CURRENT
AS $function$
DECLARE
    v_macs macaddr[];
    v_types text[];
    v_old text[];
    v_new text[];
BEGIN
    SELECT array_agg(c.mac_address), array_agg(c.event_type), array_agg(c.old_value), array_agg(c.new_value)
    INTO v_macs, v_types, v_old, v_new
    FROM (
        SELECT n.mac_address, e.event_type, e.old_value, e.new_value
        FROM new_rows AS n
        JOIN old_rows AS o ON o.mac_address = n.mac_address
        CROSS JOIN LATERAL (VALUES
            (1, n.status::text, o.status::text, n.status::text,
                n.status IS DISTINCT FROM o.status AND n.status <> 'discovered'),
            (2, 'ip_changed', abbrev(o.ip_address), abbrev(n.ip_address),
                n.ip_address IS DISTINCT FROM o.ip_address)
        ) AS e(position, event_type, old_value, new_value, happened)
        WHERE e.happened
        ORDER BY n.mac_address, e.position
    ) AS c;

    IF v_macs IS NULL THEN
        RETURN NULL;
    END IF;

    INSERT INTO device_events (device_mac, event_type, old_value, new_value)
    SELECT e.mac, e.event_type, e.old_value, e.new_value
    FROM unnest(v_macs, v_types, v_old, v_new) AS e(mac, event_type, old_value, new_value);
    RETURN NULL;
END
$function$;

REVOKE ALL ON FUNCTION devices_log_update() FROM PUBLIC;

COMMENT ON FUNCTION devices_log_update() IS
    'Trigger on devices: writes active, idle, offline and ip_changed events, one for each real change.';
