CREATE OR REPLACE FUNCTION devices_log_delete()
RETURNS trigger
LANGUAGE plpgsql
VOLATILE
SECURITY DEFINER
SET search_path FROM CURRENT
AS $function$
DECLARE
    v_macs macaddr[];
    v_statuses text[];
    v_ips inet[];
    v_details jsonb[];
BEGIN
    SELECT pg_catalog.array_agg(o.mac_address), pg_catalog.array_agg(o.status), pg_catalog.array_agg(o.ip_address),
           pg_catalog.array_agg(o.detail)
    INTO v_macs, v_statuses, v_ips, v_details
    FROM (
        SELECT mac_address, status, ip_address, pg_catalog.jsonb_strip_nulls(pg_catalog.jsonb_build_object(
            'ip_address', abbrev(ip_address), 'hostname', hostname, 'vendor', vendor)) AS detail
        FROM old_rows
        ORDER BY mac_address
    ) AS o;

    IF v_macs IS NULL THEN
        RETURN NULL;
    END IF;

    INSERT INTO device_events (device_mac, event_type, old_value, metadata)
    SELECT e.mac, 'removed', e.status, e.detail
    FROM unnest(v_macs, v_statuses, v_details) AS e(mac, status, detail);

    PERFORM record_address_updates(v_macs, v_ips, NULL, NULL);
    RETURN NULL;
END
$function$;

REVOKE ALL ON FUNCTION devices_log_delete() FROM PUBLIC;

COMMENT ON FUNCTION devices_log_delete() IS
    'Trigger on devices: writes a removed event for each deleted device, with what was known of it, and ends in device_addresses '
    'what clients said of its address.';
