-- TRUNCATE has no transition table and would take devices away without a trace.
CREATE OR REPLACE FUNCTION devices_log_truncate()
RETURNS trigger
LANGUAGE plpgsql
VOLATILE
SECURITY DEFINER
SET search_path FROM CURRENT
AS $function$
DECLARE
    v_now timestamptz := now();
BEGIN
    INSERT INTO device_events (device_mac, event_type, old_value, metadata)
    SELECT mac_address, 'removed', status, pg_catalog.jsonb_strip_nulls(pg_catalog.jsonb_build_object(
        'ip_address', abbrev(ip_address), 'hostname', hostname, 'vendor', vendor))
    FROM devices
    ORDER BY mac_address;

    UPDATE device_addresses
    SET last_seen = greatest(first_seen, v_now)
    WHERE source::text = 'update' AND last_seen = 'infinity';
    RETURN NULL;
END
$function$;

REVOKE ALL ON FUNCTION devices_log_truncate() FROM PUBLIC;

COMMENT ON FUNCTION devices_log_truncate() IS
    'Trigger on devices: writes a removed event for each device before a TRUNCATE, and ends in device_addresses what clients said '
    'of their addresses.';
