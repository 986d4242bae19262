-- Everything that follows from new connections: unseen devices, counters, times, status, edges, threat events.
-- Set-based, and in this order:
--   1. One SELECT reads the transition table into arrays; nothing after it touches that table.
--   2. One statement inserts unseen devices and updates the others, in MAC order. Whoever waits in it holds only devices
--      with smaller addresses, so that writers queue instead of deadlocking. From here on the edges of these devices
--      belong to this transaction.
--   3. Devices of fresh connections become active; a new one was inserted as discovered, so that both are events.
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
    -- one entry per device and destination; arrays of rows are filled and read several times as fast as one of each column
    v_edges device_destinations[];
    -- one entry per device
    d_macs macaddr[];
    d_firsts timestamptz[];
    d_lasts timestamptz[];
    d_counts bigint[];
    d_threats bigint[];
    -- first threats
    t_macs macaddr[];
    t_ips inet[];
BEGIN
    SELECT pg_catalog.array_agg(ROW(
        e.src_mac, e.dst_ip, e.first_at, e.last_at, e.connections, e.threats, e.score)::device_destinations)
    INTO v_edges
    FROM (
        SELECT src_mac, dst_ip,
               least(min("timestamp"), v_now) AS first_at,
               least(max("timestamp"), v_now) AS last_at,
               count(*) AS connections,
               count(*) FILTER (WHERE threat_score >= v_threshold) AS threats,
               max(threat_score) AS score
        FROM new_rows
        WHERE src_mac IS NOT NULL
        GROUP BY src_mac, dst_ip
        ORDER BY src_mac, dst_ip
    ) AS e;

    IF v_edges IS NULL THEN
        RETURN NULL;
    END IF;

    SELECT pg_catalog.array_agg(d.mac), pg_catalog.array_agg(d.first_at), pg_catalog.array_agg(d.last_at),
           pg_catalog.array_agg(d.connections), pg_catalog.array_agg(d.threats)
    INTO d_macs, d_firsts, d_lasts, d_counts, d_threats
    FROM (
        SELECT u.src_mac AS mac, min(u.first_seen) AS first_at, max(u.last_seen) AS last_at,
               sum(u.connection_count)::bigint AS connections, sum(u.threat_count)::bigint AS threats
        FROM pg_catalog.unnest(v_edges) AS u
        GROUP BY u.src_mac
        ORDER BY u.src_mac
    ) AS d;

    INSERT INTO devices AS t
        (mac_address, first_seen, last_seen, last_activity, connection_count, threat_count)
    SELECT u.mac, u.first_at, u.last_at, u.last_at, u.connections, u.threats
    FROM unnest(d_macs, d_firsts, d_lasts, d_counts, d_threats)
        AS u(mac, first_at, last_at, connections, threats)
    ORDER BY u.mac
    ON CONFLICT (mac_address) DO UPDATE
    SET first_seen = least(t.first_seen, excluded.first_seen),
        last_seen = greatest(t.last_seen, excluded.last_seen),
        last_activity = greatest(t.last_activity, excluded.last_activity),
        connection_count = t.connection_count + excluded.connection_count,
        threat_count = t.threat_count + excluded.threat_count;

    UPDATE devices AS t
    SET status = 'active'
    FROM unnest(d_macs, d_lasts) AS u(mac, last_at)
    WHERE t.mac_address = u.mac AND u.last_at > v_active_after AND t.status::text <> 'active';

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
        max_threat_score = greatest(t.max_threat_score, excluded.max_threat_score);

    IF t_macs IS NOT NULL THEN
        INSERT INTO device_events (device_mac, event_type, new_value)
        SELECT u.mac, 'threat_detected', abbrev(u.ip)
        FROM unnest(t_macs, t_ips) AS u(mac, ip);
    END IF;

    RETURN NULL;
END
$function$;

REVOKE ALL ON FUNCTION connections_count() FROM PUBLIC;

COMMENT ON FUNCTION connections_count() IS
    'Trigger on connections: creates unseen devices, keeps counters, times, status and device_destinations, '
    'writes threat_detected once per device and destination. Locks devices in MAC order.';
