-- Observations of addresses become rows of device_addresses: what is no more than address_lapse() apart is one row, in
-- whatever order it is stored. The caller holds the locks of the devices.
CREATE OR REPLACE FUNCTION record_addresses(
    p_macs macaddr[],
    p_ips inet[],
    p_source text,
    p_firsts timestamptz[],
    p_lasts timestamptz[])
RETURNS void
LANGUAGE plpgsql
VOLATILE
SECURITY DEFINER
SET search_path FROM CURRENT
AS $function$
DECLARE
    v_lapse interval := address_lapse();
    v_found device_addresses[];
    v_merged device_addresses[];
BEGIN
    SELECT pg_catalog.array_agg(k) INTO v_found
    FROM (SELECT DISTINCT u.mac, u.ip FROM unnest(p_macs, p_ips) AS u(mac, ip)) AS p
    CROSS JOIN LATERAL (
        SELECT t FROM device_addresses AS t
        WHERE t.mac_address = p.mac AND t.ip_address = p.ip AND t.source::text = p_source
    ) AS l(k);

    SELECT pg_catalog.array_agg(ROW(m.mac, m.ip, p_source, m.first_at, m.last_at)::device_addresses) INTO v_merged
    FROM (
        SELECT g.mac, g.ip, min(g.first_at) AS first_at, max(g.last_at) AS last_at
        FROM (
            SELECT o.mac, o.ip, o.first_at, o.last_at, count(*) FILTER (WHERE o.starts) OVER (
                PARTITION BY o.mac, o.ip ORDER BY o.first_at, o.last_at ROWS UNBOUNDED PRECEDING) AS island
            FROM (
                SELECT a.mac, a.ip, a.first_at, a.last_at,
                       a.first_at > max(a.last_at) OVER (PARTITION BY a.mac, a.ip ORDER BY a.first_at, a.last_at
                           ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) + v_lapse AS starts
                FROM (
                    SELECT u.mac, u.ip, u.first_at, u.last_at
                    FROM unnest(p_macs, p_ips, p_firsts, p_lasts) AS u(mac, ip, first_at, last_at)
                    UNION ALL
                    SELECT f.mac_address, f.ip_address, f.first_seen, f.last_seen FROM pg_catalog.unnest(v_found) AS f
                ) AS a
            ) AS o
        ) AS g
        GROUP BY g.mac, g.ip, g.island
    ) AS m;

    DELETE FROM device_addresses AS t
    USING pg_catalog.unnest(v_found) AS f
    WHERE t.mac_address = f.mac_address AND t.ip_address = f.ip_address AND t.source::text = p_source AND t.first_seen = f.first_seen
      AND NOT EXISTS (
          SELECT 1 FROM pg_catalog.unnest(v_merged) AS m
          WHERE m.mac_address = f.mac_address AND m.ip_address = f.ip_address AND m.first_seen = f.first_seen);

    INSERT INTO device_addresses AS t (mac_address, ip_address, source, first_seen, last_seen)
    SELECT m.mac_address, m.ip_address, m.source, m.first_seen, m.last_seen
    FROM pg_catalog.unnest(v_merged) AS m
    ORDER BY m.mac_address, m.ip_address, m.first_seen
    ON CONFLICT (mac_address, ip_address, source, first_seen) DO UPDATE
    SET last_seen = excluded.last_seen
    WHERE t.last_seen < excluded.last_seen;
END
$function$;

REVOKE ALL ON FUNCTION record_addresses(macaddr[], inet[], text, timestamptz[], timestamptz[]) FROM PUBLIC;

COMMENT ON FUNCTION record_addresses(macaddr[], inet[], text, timestamptz[], timestamptz[]) IS
    'Merges observations of addresses, one per element of the arrays, into device_addresses. For triggers and functions that '
    'hold the locks of the devices.';
