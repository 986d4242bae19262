-- TRUNCATE has no transition table and would take devices away without a trace.
CREATE OR REPLACE FUNCTION devices_log_truncate()
RETURNS trigger
LANGUAGE plpgsql
VOLATILE
SECURITY DEFINER
SET search_path FROM CURRENT
AS $function$
BEGIN
    INSERT INTO device_events (device_mac, event_type, old_value, metadata)
    SELECT mac_address, 'removed', status, pg_catalog.jsonb_strip_nulls(pg_catalog.jsonb_build_object(
        'ip_address', abbrev(ip_address), 'hostname', hostname, 'vendor', vendor))
    FROM devices
    ORDER BY mac_address;
    RETURN NULL;
END
$function$;

REVOKE ALL ON FUNCTION devices_log_truncate() FROM PUBLIC;

COMMENT ON FUNCTION devices_log_truncate() IS
    'Trigger on devices: writes a removed event for each device before a TRUNCATE.';
