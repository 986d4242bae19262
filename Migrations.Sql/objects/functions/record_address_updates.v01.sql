-- What a client says of devices.ip_address holds until it says something else, or until sightings move the address. Closing
-- and opening go by key, whatever the caller's settings: the trigger on updates of devices has nested loops off.
-- Without jit: a loop that cannot be avoided is reckoned endlessly dear then, and each call would be compiled for it.
CREATE OR REPLACE FUNCTION record_address_updates(p_macs macaddr[], p_old_ips inet[], p_new_ips inet[], p_since timestamptz[])
RETURNS void
LANGUAGE plpgsql
VOLATILE
SECURITY DEFINER
SET search_path FROM CURRENT
SET plan_cache_mode = force_generic_plan
SET enable_nestloop = on
SET enable_seqscan = off
SET enable_bitmapscan = off
SET enable_hashjoin = off
SET enable_mergejoin = off
SET enable_material = off
SET jit = off
AS $function$
DECLARE
    v_now timestamptz := now();
    v_macs macaddr[];
    v_ips inet[];
    v_firsts timestamptz[];
BEGIN
    SELECT pg_catalog.array_agg(set_masklen(u.ip, CASE family(u.ip) WHEN 4 THEN 32 ELSE 128 END))
    INTO v_ips
    FROM pg_catalog.unnest(p_old_ips) AS u(ip);

    SELECT pg_catalog.array_agg(u.mac), pg_catalog.array_agg(u.ip), pg_catalog.array_agg(t.first_seen)
    INTO v_macs, v_ips, v_firsts
    FROM unnest(p_macs, v_ips) AS u(mac, ip)
    LEFT JOIN device_addresses AS t
        ON t.mac_address = u.mac AND t.ip_address = u.ip AND t.source::text = 'update' AND t.last_seen = 'infinity';

    -- A transaction that began later may have opened it: then it ends where it began.
    INSERT INTO device_addresses (mac_address, ip_address, source, first_seen, last_seen)
    SELECT u.mac, u.ip, 'update', u.first_at, greatest(u.first_at, v_now)
    FROM unnest(v_macs, v_ips, v_firsts) AS u(mac, ip, first_at)
    WHERE u.first_at IS NOT NULL
    ON CONFLICT (mac_address, ip_address, source, first_seen) DO UPDATE
    SET last_seen = excluded.last_seen;

    SELECT pg_catalog.array_agg(set_masklen(u.ip, CASE family(u.ip) WHEN 4 THEN 32 ELSE 128 END))
    INTO v_ips
    FROM pg_catalog.unnest(p_new_ips) AS u(ip);

    -- Set, changed and set again in one transaction: it still has the key that it had.
    INSERT INTO device_addresses (mac_address, ip_address, source, first_seen, last_seen)
    SELECT u.mac, u.ip, 'update', least(u.since, v_now), 'infinity'
    FROM unnest(p_macs, v_ips, p_since) AS u(mac, ip, since)
    WHERE host(u.ip) NOT IN ('0.0.0.0', '::')
    ON CONFLICT (mac_address, ip_address, source, first_seen) DO UPDATE
    SET last_seen = excluded.last_seen;
END
$function$;

REVOKE ALL ON FUNCTION record_address_updates(macaddr[], inet[], inet[], timestamptz[]) FROM PUBLIC;

COMMENT ON FUNCTION record_address_updates(macaddr[], inet[], inet[], timestamptz[]) IS
    'Ends in device_addresses what clients said of devices.ip_address before, and begins what they say now, since the time given '
    'or now(). Either may be NULL. For triggers on devices.';
