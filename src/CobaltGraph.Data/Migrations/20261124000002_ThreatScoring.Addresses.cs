using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace CobaltGraph.Data.Migrations
{
    // What cannot be known any more: of sightings, 001 kept the last of each family only, so where an address was first seen
    // by them, and which others were, is lost; of ip_changed events it did not say whether a client or a sighting made them.
    public partial class ThreatScoring
    {
        private static void BackFillAddresses(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.Sql("""
                INSERT INTO device_addresses (mac_address, ip_address, source, first_seen, last_seen)
                SELECT k.mac_address, set_masklen(k.ip, CASE family(k.ip) WHEN 4 THEN 32 ELSE 128 END), 'sighting', k.seen_at, k.seen_at
                FROM (
                    SELECT mac_address, ipv4 AS ip, ipv4_seen_at AS seen_at FROM device_sightings WHERE ipv4 IS NOT NULL
                    UNION ALL
                    SELECT mac_address, ipv6, ipv6_seen_at FROM device_sightings WHERE ipv6 IS NOT NULL
                ) AS k;

                """);

            // Observations of one day are less than address_lapse() apart, so that each day is one observation with a begin and
            // an end: the windows then sort days, and hours of what was read beforehand, instead of connections.
            migrationBuilder.Sql("""
                DO $traffic$
                DECLARE
                    v_from timestamptz;
                BEGIN
                    SELECT done_until INTO v_from FROM back_fill;

                    INSERT INTO device_addresses (mac_address, ip_address, source, first_seen, last_seen, latest_connection)
                    SELECT g.src_mac, g.src_ip, 'traffic', min(g.first_at), max(g.last_at),
                           least(max(g.latest_at), '9999-12-31 23:59:59.999999Z')
                    FROM (
                        SELECT o.src_mac, o.src_ip, o.first_at, o.last_at, o.latest_at, count(*) FILTER (WHERE o.starts) OVER (
                            PARTITION BY o.src_mac, o.src_ip ORDER BY o.first_at ROWS UNBOUNDED PRECEDING) AS run
                        FROM (
                            SELECT c.src_mac, c.src_ip, c.first_at, c.last_at, c.latest_at,
                                   c.first_at > lag(c.last_at) OVER (PARTITION BY c.src_mac, c.src_ip ORDER BY c.first_at) + address_lapse() AS starts
                            FROM (
                                SELECT src_mac, set_masklen(src_ip, CASE family(src_ip) WHEN 4 THEN 32 ELSE 128 END) AS src_ip,
                                       least(min("timestamp"), now()) AS first_at, least(max("timestamp"), now()) AS last_at,
                                       max("timestamp") AS latest_at
                                FROM connections
                                WHERE "timestamp" >= v_from AND src_mac IS NOT NULL AND src_ip IS NOT NULL
                                GROUP BY 1, 2, date_trunc('day', "timestamp", 'UTC')
                                UNION ALL
                                SELECT src_mac, src_ip, least(first_at, now()), least(last_at, now()), last_at FROM back_fill_addresses
                            ) AS c
                            WHERE c.src_ip NOT IN ('0.0.0.0', '::')
                        ) AS o
                    ) AS g
                    GROUP BY g.src_mac, g.src_ip, g.run;
                END
                $traffic$;

                """);

            // An address that no sighting is known for was said by a client: since the event that tells of it, else since the
            // device is known. What the device was reached by before ends with the next event. Clients may write events of
            // their own: what is no address in one is passed over.
            migrationBuilder.Sql("""
                DO $updates$
                DECLARE
                    v_text text;
                    v_texts text[];
                    v_ips inet[];
                BEGIN
                    FOR v_text IN
                        SELECT old_value FROM device_events WHERE event_type = 'ip_changed' AND old_value IS NOT NULL
                        UNION
                        SELECT new_value FROM device_events WHERE event_type = 'ip_changed' AND new_value IS NOT NULL
                    LOOP
                        BEGIN
                            v_ips := v_ips || set_masklen(v_text::inet, CASE family(v_text::inet) WHEN 4 THEN 32 ELSE 128 END);
                            v_texts := v_texts || v_text;
                        EXCEPTION
                            WHEN invalid_text_representation THEN
                                CONTINUE;
                        END;
                    END LOOP;

                    WITH said AS (
                        SELECT d.mac_address AS mac, d.first_seen,
                               (SELECT max(r."timestamp") FROM device_events AS r
                                WHERE r.device_mac = d.mac_address AND r.event_type = 'removed' AND isfinite(r."timestamp")) AS removed_at,
                               set_masklen(d.ip_address, CASE family(d.ip_address) WHEN 4 THEN 32 ELSE 128 END) AS ip
                        FROM devices AS d
                        LEFT JOIN device_sightings AS k ON k.mac_address = d.mac_address
                        WHERE host(d.ip_address) NOT IN ('0.0.0.0', '::')
                          AND host(d.ip_address) IS DISTINCT FROM host(k.ipv4) AND host(d.ip_address) IS DISTINCT FROM host(k.ipv6)
                    ),
                    told AS (
                        SELECT s.mac, s.ip, s.first_seen, e.event_type, e."timestamp" AS at, o.ip AS old_ip, n.ip AS new_ip,
                               lead(e."timestamp") OVER device AS until_at, lag(e."timestamp") OVER device AS previous_at,
                               coalesce(lag(e.event_type) OVER device, 'removed') = 'removed' AS is_first
                        FROM said AS s
                        JOIN device_events AS e
                            ON e.device_mac = s.mac AND e.event_type IN ('ip_changed', 'removed') AND isfinite(e."timestamp")
                        LEFT JOIN unnest(v_texts, v_ips) AS o(text, ip) ON o.text = e.old_value AND e.event_type = 'ip_changed'
                        LEFT JOIN unnest(v_texts, v_ips) AS n(text, ip) ON n.text = e.new_value AND e.event_type = 'ip_changed'
                        WINDOW device AS (PARTITION BY s.mac ORDER BY e."timestamp", e.id)
                    )
                    INSERT INTO device_addresses (mac_address, ip_address, source, first_seen, last_seen)
                    SELECT u.mac, u.ip, 'update', u.since, max(u.until_at)
                    FROM (
                        SELECT s.mac, s.ip, coalesce(max(t.at), s.first_seen) AS since, 'infinity'::timestamptz AS until_at
                        FROM said AS s
                        LEFT JOIN told AS t ON t.mac = s.mac AND t.new_ip = s.ip AND (s.removed_at IS NULL OR t.at >= s.removed_at)
                        GROUP BY s.mac, s.ip, s.first_seen
                        UNION ALL
                        SELECT t.mac, t.new_ip, t.at, t.until_at FROM told AS t WHERE t.until_at IS NOT NULL
                        UNION ALL
                        SELECT t.mac, t.old_ip, least(t.at, greatest(t.first_seen, t.previous_at)), t.at FROM told AS t WHERE t.is_first
                    ) AS u
                    WHERE host(u.ip) NOT IN ('0.0.0.0', '::')
                    GROUP BY u.mac, u.ip, u.since;
                END
                $updates$;

                """);
        }
    }
}
