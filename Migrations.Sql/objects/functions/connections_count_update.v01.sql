-- Columns of a stored connection may be enriched. What was derived from them follows: categories and bytes by the
-- difference, addresses and destinations by what is new. A row whose device was deleted has nothing left to follow.
-- Without nested loops for the reason that devices_log_update gives.
-- Without jit: a loop that cannot be avoided is reckoned endlessly dear then, and each call would be compiled for it.
CREATE OR REPLACE FUNCTION connections_count_update()
RETURNS trigger
LANGUAGE plpgsql
VOLATILE
SECURITY DEFINER
SET search_path FROM CURRENT
SET enable_nestloop = off
SET jit = off
AS $function$
DECLARE
    v_now timestamptz := now();
    v_no_bits bit(256) := pg_catalog.repeat('0', 256)::bit(256);
    v_macs macaddr[];
    v_categories device_threat_counts[];
    v_addresses device_addresses[];
    v_destinations destinations[];
    -- differences of bytes
    h_macs macaddr[];
    h_hours timestamptz[];
    h_sent numeric[];
    h_received numeric[];
BEGIN
    WITH changed AS MATERIALIZED (
        SELECT n.src_mac, n."timestamp" AS at, n.dst_ip, n.dst_port, n.protocol, n.dst_country, n.dst_org, n.dst_hostname,
               n.src_ip, n.src_ip IS DISTINCT FROM o.src_ip AS other_address,
               o.threat_category AS old_category, n.threat_category AS new_category,
               n.threat_category IS DISTINCT FROM o.threat_category AS other_category,
               coalesce(n.bytes_sent, 0)::numeric - coalesce(o.bytes_sent, 0) AS sent,
               coalesce(n.bytes_received, 0)::numeric - coalesce(o.bytes_received, 0) AS received
        FROM new_rows AS n
        JOIN old_rows AS o ON o.id = n.id AND o."timestamp" = n."timestamp"
        WHERE (n.dst_port, n.protocol::text, n.dst_country::text, n.dst_org::text, n.dst_hostname::text,
               n.src_ip, n.threat_category::text, n.bytes_sent, n.bytes_received)
            IS DISTINCT FROM
              (o.dst_port, o.protocol::text, o.dst_country::text, o.dst_org::text, o.dst_hostname::text,
               o.src_ip, o.threat_category::text, o.bytes_sent, o.bytes_received)
    ),
    differences AS (
        SELECT pg_catalog.array_agg(b.src_mac) AS macs, pg_catalog.array_agg(b.hour) AS hours,
               pg_catalog.array_agg(b.sent) AS sent, pg_catalog.array_agg(b.received) AS received
        FROM (
            SELECT src_mac, date_trunc('hour', at, 'UTC') AS hour, sum(sent) AS sent, sum(received) AS received
            FROM changed
            WHERE src_mac IS NOT NULL
            GROUP BY 1, 2
            HAVING sum(sent) <> 0 OR sum(received) <> 0
        ) AS b
    )
    SELECT
        -- Of these something is kept. Who says more of destinations alone keeps no device from its writers.
        (
            SELECT pg_catalog.array_agg(DISTINCT c.src_mac)
            FROM changed AS c
            WHERE c.src_mac IS NOT NULL AND (c.other_address OR c.other_category OR c.sent <> 0 OR c.received <> 0)
        ),
        d.macs, d.hours, d.sent, d.received,
        (
            SELECT pg_catalog.array_agg(ROW(g.src_mac, g.category, g.difference)::device_threat_counts)
            FROM (
                SELECT c.src_mac, v.category, sum(v.difference)::bigint AS difference
                FROM changed AS c
                CROSS JOIN LATERAL (VALUES (c.old_category, -1), (c.new_category, 1)) AS v(category, difference)
                WHERE c.src_mac IS NOT NULL AND v.category IS NOT NULL
                GROUP BY c.src_mac, v.category
                HAVING sum(v.difference) <> 0
            ) AS g
        ),
        (
            SELECT pg_catalog.array_agg(ROW(
                c.src_mac, c.src_ip, 'traffic', least(c.at, v_now), least(c.at, v_now), least(c.at, '9999-12-31 23:59:59.999999Z'))::device_addresses)
            FROM changed AS c
            WHERE c.src_mac IS NOT NULL AND c.src_ip IS NOT NULL AND c.other_address
        ),
        (
            SELECT pg_catalog.array_agg(ROW(g.dst_ip, g.dst_port, g.protocol, g.country, g.org, g.hostname)::destinations)
            FROM (
                SELECT dst_ip, dst_port, coalesce(protocol, '') AS protocol, coalesce(dst_country, '') AS country,
                       coalesce(dst_org, '') AS org, coalesce(dst_hostname, '') AS hostname
                FROM changed
                GROUP BY 1, 2, 3, 4, 5, 6
                ORDER BY 1, 2, 3, 4, 5, 6
            ) AS g
        )
    INTO v_macs, h_macs, h_hours, h_sent, h_received, v_categories, v_addresses, v_destinations
    FROM differences AS d;

    IF v_macs IS NOT NULL THEN
        -- A device that is being deleted takes what is derived for it along.
        SELECT pg_catalog.array_agg(k.mac_address) INTO v_macs
        FROM (
            SELECT mac_address FROM devices
            WHERE mac_address = ANY (v_macs)
            ORDER BY mac_address
            FOR NO KEY UPDATE
        ) AS k;

        -- The hours are there since their connections are. ON CONFLICT finds them by key, where UPDATE … FROM without nested
        -- loops would read every hour ever kept.
        INSERT INTO device_activity_hourly AS t
            (src_mac, hour, connection_count, threat_count, max_threat_score, bytes_sent, bytes_received, destination_sketch)
        SELECT u.mac, u.hour, 0, 0, 0, u.sent, u.received, v_no_bits
        FROM unnest(h_macs, h_hours, h_sent, h_received) AS u(mac, hour, sent, received)
        WHERE u.mac = ANY (v_macs)
        ORDER BY u.mac, u.hour
        ON CONFLICT (src_mac, hour) DO UPDATE
        SET bytes_sent = t.bytes_sent + excluded.bytes_sent,
            bytes_received = t.bytes_received + excluded.bytes_received;

        INSERT INTO device_threat_counts AS t (src_mac, threat_category, connection_count)
        SELECT u.src_mac, u.threat_category, u.connection_count
        FROM pg_catalog.unnest(v_categories) AS u
        WHERE u.src_mac = ANY (v_macs)
        ORDER BY u.src_mac, u.threat_category
        ON CONFLICT (src_mac, threat_category) DO UPDATE
        SET connection_count = t.connection_count + excluded.connection_count;

        DELETE FROM device_threat_counts
        WHERE src_mac = ANY (v_macs) AND connection_count = 0;

        UPDATE devices AS t
        SET threat_score = t.threat_score + u.points
        FROM (
            SELECT c.src_mac, sum(c.connection_count * threat_category_weight(c.threat_category))::bigint AS points
            FROM pg_catalog.unnest(v_categories) AS c
            GROUP BY c.src_mac
        ) AS u
        WHERE t.mac_address = u.src_mac AND u.points <> 0;

        IF v_addresses IS NOT NULL THEN
            PERFORM record_addresses(
                pg_catalog.array_agg(u.mac_address), pg_catalog.array_agg(u.ip_address), 'traffic',
                pg_catalog.array_agg(u.first_seen), pg_catalog.array_agg(u.last_seen), pg_catalog.array_agg(u.latest_connection))
            FROM pg_catalog.unnest(v_addresses) AS u
            WHERE u.mac_address = ANY (v_macs);
        END IF;
    END IF;

    INSERT INTO destinations (dst_ip, dst_port, protocol, dst_country, dst_org, dst_hostname)
    SELECT u.dst_ip, u.dst_port, u.protocol, u.dst_country, u.dst_org, u.dst_hostname
    FROM pg_catalog.unnest(v_destinations) AS u
    ON CONFLICT DO NOTHING;

    RETURN NULL;
END
$function$;

REVOKE ALL ON FUNCTION connections_count_update() FROM PUBLIC;

COMMENT ON FUNCTION connections_count_update() IS
    'Trigger on connections: what was derived from columns that may be enriched follows them.';
