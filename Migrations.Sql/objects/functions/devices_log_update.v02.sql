-- The plan of the join is made once per session, and a first statement that updates one row would settle it on a
-- nested loop; a later one that updates many would then take quadratic time.
-- Without jit: a loop that cannot be avoided is reckoned endlessly dear then, and each call would be compiled for it.
CREATE OR REPLACE FUNCTION devices_log_update()
RETURNS trigger
LANGUAGE plpgsql
VOLATILE
SECURITY DEFINER
SET search_path FROM CURRENT
SET enable_nestloop = off
SET jit = off
AS $function$
DECLARE
    v_merging boolean := coalesce(current_setting('cobaltgraph.merging', true), '') = 'on';
    v_macs macaddr[];
    v_old_statuses text[];
    v_new_statuses text[];
    v_old_ips inet[];
    v_new_ips inet[];
    -- those whose address changes
    a_macs macaddr[];
    a_old_ips inet[];
    a_new_ips inet[];
BEGIN
    SELECT pg_catalog.array_agg(n.mac_address),
           pg_catalog.array_agg(o.status::text), pg_catalog.array_agg(n.status::text),
           pg_catalog.array_agg(o.ip_address), pg_catalog.array_agg(n.ip_address)
    INTO v_macs, v_old_statuses, v_new_statuses, v_old_ips, v_new_ips
    FROM new_rows AS n
    JOIN old_rows AS o ON o.mac_address = n.mac_address
    WHERE n.status::text IS DISTINCT FROM o.status::text OR n.ip_address IS DISTINCT FROM o.ip_address;

    IF v_macs IS NULL THEN
        RETURN NULL;
    END IF;

    INSERT INTO device_events (device_mac, event_type, old_value, new_value)
    SELECT e.mac, e.event_type, e.old_value, e.new_value
    FROM (
        SELECT u.mac, 1 AS position, u.new_status AS event_type, u.old_status AS old_value, u.new_status AS new_value
        FROM unnest(v_macs, v_old_statuses, v_new_statuses) AS u(mac, old_status, new_status)
        WHERE u.new_status IS DISTINCT FROM u.old_status AND u.new_status <> 'discovered'
        UNION ALL
        SELECT u.mac, 2, 'ip_changed', abbrev(u.old_ip), abbrev(u.new_ip)
        FROM unnest(v_macs, v_old_ips, v_new_ips) AS u(mac, old_ip, new_ip)
        WHERE u.new_ip IS DISTINCT FROM u.old_ip
    ) AS e
    ORDER BY e.mac, e.position;

    -- Where sightings move the address, they end what a client said and say nothing in its place.
    SELECT pg_catalog.array_agg(u.mac), pg_catalog.array_agg(u.old_ip),
           pg_catalog.array_agg(CASE WHEN NOT v_merging THEN u.new_ip END)
    INTO a_macs, a_old_ips, a_new_ips
    FROM unnest(v_macs, v_old_ips, v_new_ips) AS u(mac, old_ip, new_ip)
    WHERE u.new_ip IS DISTINCT FROM u.old_ip;

    IF a_macs IS NOT NULL THEN
        PERFORM record_address_updates(a_macs, a_old_ips, a_new_ips, NULL);
    END IF;

    RETURN NULL;
END
$function$;

REVOKE ALL ON FUNCTION devices_log_update() FROM PUBLIC;

COMMENT ON FUNCTION devices_log_update() IS
    'Trigger on devices: writes active, idle, offline and ip_changed events, one for each real change, and keeps in '
    'device_addresses which address clients said.';
