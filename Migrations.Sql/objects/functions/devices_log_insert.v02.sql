-- An address that comes with the device is a client's word, unless sightings are being merged: these are stored as such.
CREATE OR REPLACE FUNCTION devices_log_insert()
RETURNS trigger
LANGUAGE plpgsql
VOLATILE
SECURITY DEFINER
SET search_path FROM CURRENT
AS $function$
DECLARE
    v_merging boolean := coalesce(current_setting('cobaltgraph.merging', true), '') = 'on';
    v_macs macaddr[];
    v_statuses text[];
    -- those with an address
    a_macs macaddr[];
    a_ips inet[];
    a_lasts timestamptz[];
BEGIN
    SELECT pg_catalog.array_agg(n.mac_address), pg_catalog.array_agg(n.status),
           pg_catalog.array_agg(n.mac_address) FILTER (WHERE n.ip_address IS NOT NULL),
           pg_catalog.array_agg(n.ip_address) FILTER (WHERE n.ip_address IS NOT NULL),
           pg_catalog.array_agg(n.last_seen) FILTER (WHERE n.ip_address IS NOT NULL)
    INTO v_macs, v_statuses, a_macs, a_ips, a_lasts
    FROM (SELECT mac_address, status, ip_address, last_seen FROM new_rows ORDER BY mac_address) AS n;

    IF v_macs IS NULL THEN
        RETURN NULL;
    END IF;

    INSERT INTO device_events (device_mac, event_type, new_value)
    SELECT e.mac, 'discovered', e.status
    FROM unnest(v_macs, v_statuses) AS e(mac, status);

    IF a_macs IS NOT NULL AND NOT v_merging THEN
        PERFORM record_address_updates(a_macs, NULL, a_ips, a_lasts);
    END IF;

    RETURN NULL;
END
$function$;

REVOKE ALL ON FUNCTION devices_log_insert() FROM PUBLIC;

COMMENT ON FUNCTION devices_log_insert() IS
    'Trigger on devices: writes one discovered event for each new device, and begins an update in device_addresses for its address.';
