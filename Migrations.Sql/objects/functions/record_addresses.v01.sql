-- A row of device_addresses is a maximal run of observations of one device, address and source that are no more than
-- address_lapse() apart. So what is stored is a function of the observations, whatever their order and batches: a late one
-- that lies between two rows makes them one. The caller holds the locks of the devices.
--   1. One statement looks up what each run touches, by key alone, whatever the caller's settings: plans that read the whole
--      table are ruled out, for here no trigger inherits the settings. An outer join, because an inner one could be turned
--      round while the table is small.
--   2. Runs and rows of a pair that touch each other become one.
--   3. Rows that begin later than what they become a part of go; they are few. The others only end later.
-- Without jit: a loop that cannot be avoided is reckoned endlessly dear then, and each call would be compiled for it.
CREATE OR REPLACE FUNCTION record_addresses(
    p_macs macaddr[],
    p_ips inet[],
    p_source text,
    p_firsts timestamptz[],
    p_lasts timestamptz[],
    p_latests timestamptz[] DEFAULT NULL)
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
    v_lapse interval := address_lapse();
    v_absorbed bigint;
    -- runs, from and until when a row touches each, and later the rows that they touch
    r_macs macaddr[];
    r_ips inet[];
    r_firsts timestamptz[];
    r_lasts timestamptz[];
    r_latests timestamptz[];
    r_froms timestamptz[];
    r_untils timestamptz[];
    r_keys timestamptz[];
    r_ends timestamptz[];
    r_tops timestamptz[];
    -- what they become, and whether rows with a later begin are in it
    m_macs macaddr[];
    m_ips inet[];
    m_firsts timestamptz[];
    m_lasts timestamptz[];
    m_latests timestamptz[];
    m_absorbed boolean[];
BEGIN
    -- 0.0.0.0 and :: are no address; a prefix length is no part of one.
    SELECT pg_catalog.array_agg(u.mac), pg_catalog.array_agg(u.ip),
           pg_catalog.array_agg(u.first_at), pg_catalog.array_agg(u.last_at), pg_catalog.array_agg(u.latest_at),
           pg_catalog.array_agg(u.first_at - v_lapse), pg_catalog.array_agg(u.last_at + v_lapse)
    INTO r_macs, r_ips, r_firsts, r_lasts, r_latests, r_froms, r_untils
    FROM (
        SELECT a.mac, set_masklen(a.ip, CASE family(a.ip) WHEN 4 THEN 32 ELSE 128 END) AS ip,
               least(a.first_at, v_now) AS first_at, least(a.last_at, v_now) AS last_at, a.latest_at
        FROM unnest(p_macs, p_ips, p_firsts, p_lasts, p_latests) AS a(mac, ip, first_at, last_at, latest_at)
        WHERE a.mac IS NOT NULL AND a.ip IS NOT NULL AND host(a.ip) NOT IN ('0.0.0.0', '::')
    ) AS u;

    IF r_macs IS NULL THEN
        RETURN;
    END IF;

    SELECT pg_catalog.array_agg(u.mac), pg_catalog.array_agg(u.ip),
           pg_catalog.array_agg(least(u.first_at, t.first_seen)), pg_catalog.array_agg(greatest(u.last_at, t.last_seen)),
           pg_catalog.array_agg(greatest(u.latest_at, t.latest_connection)),
           pg_catalog.array_agg(t.first_seen), pg_catalog.array_agg(t.last_seen), pg_catalog.array_agg(t.latest_connection)
    INTO r_macs, r_ips, r_firsts, r_lasts, r_latests, r_keys, r_ends, r_tops
    FROM unnest(r_macs, r_ips, r_firsts, r_lasts, r_latests, r_froms, r_untils)
        AS u(mac, ip, first_at, last_at, latest_at, from_at, until_at)
    LEFT JOIN device_addresses AS t
        ON t.mac_address = u.mac AND t.ip_address = u.ip AND t.source::text = p_source
        AND t.first_seen <= u.until_at AND t.last_seen >= u.from_at;

    SELECT pg_catalog.array_agg(m.mac), pg_catalog.array_agg(m.ip),
           pg_catalog.array_agg(m.first_at), pg_catalog.array_agg(m.last_at), pg_catalog.array_agg(m.latest_at),
           pg_catalog.array_agg(m.last_key > m.first_at), count(*) FILTER (WHERE m.last_key > m.first_at)
    INTO m_macs, m_ips, m_firsts, m_lasts, m_latests, m_absorbed, v_absorbed
    FROM (
        SELECT g.mac, g.ip, min(g.key) AS key, max(g.key) AS last_key, min(g.key_end) AS key_end,
               max(g.key_top) AS key_top, min(g.first_at) AS first_at, max(g.last_at) AS last_at, max(g.latest_at) AS latest_at
        FROM (
            SELECT o.mac, o.ip, o.key, o.key_end, o.key_top, o.first_at, o.last_at, o.latest_at,
                   count(*) FILTER (WHERE o.starts) OVER (
                       PARTITION BY o.mac, o.ip ORDER BY o.first_at ROWS UNBOUNDED PRECEDING) AS run
            FROM (
                SELECT u.mac, u.ip, u.key, u.key_end, u.key_top, u.first_at, u.last_at, u.latest_at,
                       u.first_at > max(u.last_at) OVER (
                           PARTITION BY u.mac, u.ip ORDER BY u.first_at
                           ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) + v_lapse AS starts
                FROM unnest(r_macs, r_ips, r_firsts, r_lasts, r_latests, r_keys, r_ends, r_tops)
                    AS u(mac, ip, first_at, last_at, latest_at, key, key_end, key_top)
            ) AS o
        ) AS g
        GROUP BY g.mac, g.ip, g.run
    ) AS m
    WHERE m.key IS NULL OR m.last_key > m.key OR m.first_at < m.key OR m.last_at > m.key_end OR m.latest_at > m.key_top;

    IF m_macs IS NULL THEN
        RETURN;
    END IF;

    IF v_absorbed > 0 THEN
        FOR i IN 1 .. pg_catalog.cardinality(m_macs) LOOP
            IF m_absorbed[i] THEN
                DELETE FROM device_addresses AS t
                WHERE t.mac_address = m_macs[i] AND t.ip_address = m_ips[i] AND t.source::text = p_source
                  AND t.first_seen > m_firsts[i] AND t.first_seen <= m_lasts[i];
            END IF;
        END LOOP;
    END IF;

    INSERT INTO device_addresses (mac_address, ip_address, source, first_seen, last_seen, latest_connection)
    SELECT u.mac, u.ip, p_source, u.first_at, u.last_at, u.latest_at
    FROM unnest(m_macs, m_ips, m_firsts, m_lasts, m_latests) AS u(mac, ip, first_at, last_at, latest_at)
    ON CONFLICT (mac_address, ip_address, source, first_seen) DO UPDATE
    SET last_seen = excluded.last_seen,
        latest_connection = excluded.latest_connection;
END
$function$;

REVOKE ALL ON FUNCTION record_addresses(macaddr[], inet[], text, timestamptz[], timestamptz[], timestamptz[]) FROM PUBLIC;

COMMENT ON FUNCTION record_addresses(macaddr[], inet[], text, timestamptz[], timestamptz[], timestamptz[]) IS
    'Merges observations of addresses, one run per element of the arrays, into device_addresses; p_latests are the latest event times '
    'of connections, which may lie ahead. For triggers and functions that hold the locks of the devices.';
