CREATE OR REPLACE FUNCTION devices_log_insert()
RETURNS trigger
LANGUAGE plpgsql
VOLATILE
SECURITY DEFINER
SET search_path FROM CURRENT
AS $function$
DECLARE
    v_macs macaddr[];
    v_statuses text[];
BEGIN
    SELECT pg_catalog.array_agg(n.mac_address), pg_catalog.array_agg(n.status)
    INTO v_macs, v_statuses
    FROM (SELECT mac_address, status FROM new_rows ORDER BY mac_address) AS n;

    IF v_macs IS NULL THEN
        RETURN NULL;
    END IF;

    INSERT INTO device_events (device_mac, event_type, new_value)
    SELECT e.mac, 'discovered', e.status
    FROM unnest(v_macs, v_statuses) AS e(mac, status);
    RETURN NULL;
END
$function$;

REVOKE ALL ON FUNCTION devices_log_insert() FROM PUBLIC;

COMMENT ON FUNCTION devices_log_insert() IS
    'Trigger on devices: writes one discovered event for each new device.';
