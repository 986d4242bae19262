-- Everything that follows from new connections: unseen devices, counters, times, status, edges, hours, categories,
-- addresses, what is said of destinations, threat events. Set-based, and in this order:
--   1. One SELECT reads the transition table into arrays, an array of rows for each table; nothing after it touches the
--      transition table.
--   2. One statement inserts unseen devices and updates the others, in MAC order. Whoever waits in it holds only devices
--      with smaller addresses, so that writers queue instead of deadlocking. From here on all that is keyed by these
--      devices belongs to this transaction.
--   3. Edges follow; which of them are new, and so count for their device, is known from their insertion.
--   4. Devices of fresh connections become active; a new one was inserted as discovered, so that both are events.
--   5. destinations comes last, in the order of its key: it alone is shared between devices, and who inserts the same row
--      meanwhile is waited for.
-- The result does not depend on how rows were batched: nothing in it is taken from "the first row" of a statement.
CREATE OR REPLACE FUNCTION connections_count()
RETURNS trigger
LANGUAGE plpgsql
VOLATILE
SECURITY DEFINER
SET search_path FROM CURRENT
AS $function$
DECLARE
    v_now timestamptz := now();
    v_active_after timestamptz := v_now - interval '30 minutes';
    v_threshold real := threat_threshold();
    v_no_bits bit(256) := pg_catalog.repeat('0', 256)::bit(256);
    -- one row per row of the table; arrays of rows are filled and read several times as fast as one array a column
    v_edges device_destinations[];
    v_hours device_activity_hourly[];
    v_categories device_threat_counts[];
    v_addresses device_addresses[];
    v_destinations destinations[];
    -- one entry per device
    d_macs macaddr[];
    d_firsts timestamptz[];
    d_lasts timestamptz[];
    d_counts bigint[];
    d_threats bigint[];
    d_scores real[];
    d_last_threats timestamptz[];
    d_points bigint[];
    -- new edges of a device
    n_macs macaddr[];
    n_counts bigint[];
    -- first threats
    t_macs macaddr[];
    t_ips inet[];
BEGIN
    WITH rows AS MATERIALIZED (
        SELECT src_mac, src_ip, dst_ip, dst_port, protocol, dst_country, dst_org, dst_hostname, threat_category,
               "timestamp" AS at, threat_score AS score, bytes_sent, bytes_received
        FROM new_rows
    ),
    hours AS MATERIALIZED (
        SELECT src_mac, date_trunc('hour', at, 'UTC') AS hour, src_ip,
               count(*) AS connections, count(*) FILTER (WHERE score >= v_threshold) AS threats, max(score) AS score,
               least(min(at), v_now) AS first_at, least(max(at), v_now) AS last_at,
               least(max(at), '9999-12-31 23:59:59.999999Z') AS latest_at,
               CASE WHEN max(score) >= v_threshold THEN least(max(at) FILTER (WHERE score >= v_threshold), v_now) END AS last_threat,
               coalesce(sum(bytes_sent), 0) AS sent, coalesce(sum(bytes_received), 0) AS received,
               bit_or(set_bit(v_no_bits, hashinet(dst_ip) & 255, 1)) AS sketch
        FROM rows
        WHERE src_mac IS NOT NULL
        GROUP BY 1, 2, 3
    ),
    categories AS MATERIALIZED (
        SELECT src_mac, threat_category, count(*) AS connections
        FROM rows
        WHERE src_mac IS NOT NULL AND threat_category IS NOT NULL
        GROUP BY src_mac, threat_category
    ),
    per_device AS (
        SELECT pg_catalog.array_agg(d.src_mac) AS macs, pg_catalog.array_agg(d.first_at) AS firsts,
               pg_catalog.array_agg(d.last_at) AS lasts, pg_catalog.array_agg(d.connections) AS counts,
               pg_catalog.array_agg(d.threats) AS threats, pg_catalog.array_agg(d.score) AS scores,
               pg_catalog.array_agg(d.last_threat) AS last_threats, pg_catalog.array_agg(d.points) AS points
        FROM (
            SELECT src_mac, min(first_at) AS first_at, max(last_at) AS last_at, sum(connections)::bigint AS connections,
                   sum(threats)::bigint AS threats, max(score) AS score, max(last_threat) AS last_threat, sum(points)::bigint AS points
            FROM (
                SELECT src_mac, first_at, last_at, connections, threats, score, last_threat, 0 AS points
                FROM hours
                UNION ALL
                SELECT src_mac, NULL, NULL, 0, 0, NULL, NULL, connections * threat_category_weight(threat_category)
                FROM categories
            ) AS parts
            GROUP BY src_mac
            ORDER BY src_mac
        ) AS d
    )
    SELECT p.macs, p.firsts, p.lasts, p.counts, p.threats, p.scores, p.last_threats, p.points,
        (
            SELECT pg_catalog.array_agg(ROW(
                e.src_mac, e.dst_ip, e.first_at, e.last_at, e.connections, e.threats, e.score)::device_destinations)
            FROM (
                SELECT src_mac, dst_ip, least(min(at), v_now) AS first_at, least(max(at), v_now) AS last_at,
                       count(*) AS connections, count(*) FILTER (WHERE score >= v_threshold) AS threats, max(score) AS score
                FROM rows
                WHERE src_mac IS NOT NULL
                GROUP BY src_mac, dst_ip
                ORDER BY src_mac, dst_ip
            ) AS e
        ),
        (
            SELECT pg_catalog.array_agg(ROW(
                h.src_mac, h.hour, h.connections, h.threats, h.score, h.sent, h.received, h.sketch)::device_activity_hourly)
            FROM (
                SELECT src_mac, hour, sum(connections)::bigint AS connections, sum(threats)::bigint AS threats, max(score) AS score,
                       sum(sent) AS sent, sum(received) AS received, bit_or(sketch) AS sketch
                FROM hours
                GROUP BY src_mac, hour
                ORDER BY src_mac, hour
            ) AS h
        ),
        (
            SELECT pg_catalog.array_agg(ROW(c.src_mac, c.threat_category, c.connections)::device_threat_counts)
            FROM (SELECT src_mac, threat_category, connections FROM categories ORDER BY src_mac, threat_category) AS c
        ),
        (
            SELECT pg_catalog.array_agg(ROW(a.src_mac, a.src_ip, 'traffic', a.first_at, a.last_at, a.latest_at)::device_addresses)
            FROM hours AS a
            WHERE a.src_ip IS NOT NULL
        ),
        (
            SELECT pg_catalog.array_agg(ROW(
                d.dst_ip, d.dst_port, d.protocol, d.country, d.org, d.hostname)::destinations)
            FROM (
                SELECT dst_ip, dst_port, coalesce(protocol, '') AS protocol, coalesce(dst_country, '') AS country,
                       coalesce(dst_org, '') AS org, coalesce(dst_hostname, '') AS hostname
                FROM rows
                GROUP BY 1, 2, 3, 4, 5, 6
                ORDER BY 1, 2, 3, 4, 5, 6
            ) AS d
        )
    INTO d_macs, d_firsts, d_lasts, d_counts, d_threats, d_scores, d_last_threats, d_points,
         v_edges, v_hours, v_categories, v_addresses, v_destinations
    FROM per_device AS p;

    IF d_macs IS NOT NULL THEN
        INSERT INTO devices AS t
            (mac_address, first_seen, last_seen, last_activity, last_connection, connection_count, threat_count, max_threat_score,
             last_threat, threat_score)
        SELECT u.mac, u.first_at, u.last_at, u.last_at, u.last_at, u.connections, u.threats, u.score, u.last_threat, u.points
        FROM unnest(d_macs, d_firsts, d_lasts, d_counts, d_threats, d_scores, d_last_threats, d_points)
            AS u(mac, first_at, last_at, connections, threats, score, last_threat, points)
        ORDER BY u.mac
        ON CONFLICT (mac_address) DO UPDATE
        SET first_seen = least(t.first_seen, excluded.first_seen),
            last_seen = greatest(t.last_seen, excluded.last_seen),
            last_activity = greatest(t.last_activity, excluded.last_activity),
            last_connection = greatest(t.last_connection, excluded.last_connection),
            connection_count = t.connection_count + excluded.connection_count,
            threat_count = t.threat_count + excluded.threat_count,
            max_threat_score = greatest(t.max_threat_score, excluded.max_threat_score),
            last_threat = greatest(t.last_threat, excluded.last_threat),
            threat_score = t.threat_score + excluded.threat_score;

        -- Threats are few: with them alone in arrays, the look-up goes by key and does not grow with what is stored.
        SELECT pg_catalog.array_agg(u.src_mac), pg_catalog.array_agg(u.dst_ip)
        INTO t_macs, t_ips
        FROM pg_catalog.unnest(v_edges) AS u
        WHERE u.threat_count > 0;

        IF t_macs IS NOT NULL THEN
            SELECT pg_catalog.array_agg(n.mac), pg_catalog.array_agg(n.ip)
            INTO t_macs, t_ips
            FROM (
                SELECT u.mac, u.ip
                FROM unnest(t_macs, t_ips) AS u(mac, ip)
                LEFT JOIN device_destinations AS k ON k.src_mac = u.mac AND k.dst_ip = u.ip
                WHERE k.threat_count IS NULL OR k.threat_count = 0
                ORDER BY u.mac, u.ip
            ) AS n;
        END IF;

        -- xmax is 0 in a row that was inserted, and never in one that ON CONFLICT found and so locked.
        WITH stored AS (
            INSERT INTO device_destinations AS t
                (src_mac, dst_ip, first_seen, last_seen, connection_count, threat_count, max_threat_score)
            SELECT u.src_mac, u.dst_ip, u.first_seen, u.last_seen, u.connection_count, u.threat_count, u.max_threat_score
            FROM pg_catalog.unnest(v_edges) AS u
            ORDER BY u.src_mac, u.dst_ip
            ON CONFLICT (src_mac, dst_ip) DO UPDATE
            SET first_seen = least(t.first_seen, excluded.first_seen),
                last_seen = greatest(t.last_seen, excluded.last_seen),
                connection_count = t.connection_count + excluded.connection_count,
                threat_count = t.threat_count + excluded.threat_count,
                max_threat_score = greatest(t.max_threat_score, excluded.max_threat_score)
            RETURNING t.src_mac, t.xmax = 0 AS is_new
        )
        SELECT pg_catalog.array_agg(n.src_mac), pg_catalog.array_agg(n.destinations)
        INTO n_macs, n_counts
        FROM (
            SELECT src_mac, count(*) AS destinations
            FROM stored
            WHERE is_new
            GROUP BY src_mac
        ) AS n;

        UPDATE devices AS t
        SET status = CASE WHEN u.last_at > v_active_after THEN 'active' ELSE t.status END,
            unique_destinations = t.unique_destinations + u.destinations
        FROM (
            SELECT parts.mac, max(parts.last_at) AS last_at, sum(parts.destinations)::bigint AS destinations
            FROM (
                SELECT a.mac, a.last_at, 0 AS destinations
                FROM unnest(d_macs, d_lasts) AS a(mac, last_at)
                UNION ALL
                SELECT n.mac, NULL, n.destinations
                FROM unnest(n_macs, n_counts) AS n(mac, destinations)
            ) AS parts
            GROUP BY parts.mac
        ) AS u
        WHERE t.mac_address = u.mac
            AND (u.destinations > 0 OR u.last_at > v_active_after AND t.status::text <> 'active');

        INSERT INTO device_activity_hourly AS t
            (src_mac, hour, connection_count, threat_count, max_threat_score, bytes_sent, bytes_received, destination_sketch)
        SELECT u.src_mac, u.hour, u.connection_count, u.threat_count, u.max_threat_score, u.bytes_sent, u.bytes_received,
               u.destination_sketch
        FROM pg_catalog.unnest(v_hours) AS u
        ON CONFLICT (src_mac, hour) DO UPDATE
        SET connection_count = t.connection_count + excluded.connection_count,
            threat_count = t.threat_count + excluded.threat_count,
            max_threat_score = greatest(t.max_threat_score, excluded.max_threat_score),
            bytes_sent = t.bytes_sent + excluded.bytes_sent,
            bytes_received = t.bytes_received + excluded.bytes_received,
            destination_sketch = t.destination_sketch | excluded.destination_sketch;

        IF v_categories IS NOT NULL THEN
            INSERT INTO device_threat_counts AS t (src_mac, threat_category, connection_count)
            SELECT u.src_mac, u.threat_category, u.connection_count
            FROM pg_catalog.unnest(v_categories) AS u
            ON CONFLICT (src_mac, threat_category) DO UPDATE
            SET connection_count = t.connection_count + excluded.connection_count;
        END IF;

        IF v_addresses IS NOT NULL THEN
            PERFORM record_addresses(
                pg_catalog.array_agg(u.mac_address), pg_catalog.array_agg(u.ip_address), 'traffic',
                pg_catalog.array_agg(u.first_seen), pg_catalog.array_agg(u.last_seen), pg_catalog.array_agg(u.latest_connection))
            FROM pg_catalog.unnest(v_addresses) AS u;
        END IF;

        IF t_macs IS NOT NULL THEN
            INSERT INTO device_events (device_mac, event_type, new_value)
            SELECT u.mac, 'threat_detected', abbrev(u.ip)
            FROM unnest(t_macs, t_ips) AS u(mac, ip);
        END IF;
    END IF;

    INSERT INTO destinations (dst_ip, dst_port, protocol, dst_country, dst_org, dst_hostname)
    SELECT u.dst_ip, u.dst_port, u.protocol, u.dst_country, u.dst_org, u.dst_hostname
    FROM pg_catalog.unnest(v_destinations) AS u
    ON CONFLICT DO NOTHING;

    RETURN NULL;
END
$function$;

REVOKE ALL ON FUNCTION connections_count() FROM PUBLIC;

COMMENT ON FUNCTION connections_count() IS
    'Trigger on connections: creates unseen devices, keeps counters, times, status, device_destinations, device_activity_hourly, '
    'device_threat_counts, device_addresses and destinations, writes threat_detected once per device and destination. '
    'Locks devices in MAC order.';
