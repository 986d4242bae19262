using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace CobaltGraph.Data.Migrations
{
    // What a database of 001 holds becomes what it would hold had this migration been there from the start, as far as
    // its connections, edges and events still tell.
    public partial class ThreatScoring
    {
        // A row that is stored between the back-fill and the new trigger would be counted twice, or not at all.
        private static void LockWritersOut(MigrationBuilder migrationBuilder)
            => migrationBuilder.Sql("""
                DO $lock$
                BEGIN
                    LOCK TABLE connections, devices IN SHARE ROW EXCLUSIVE MODE;
                END
                $lock$;

                """);

        private static void EnsureTextSearch(MigrationBuilder migrationBuilder)
            => migrationBuilder.Sql("""
                DO $text$
                BEGIN
                    PERFORM ensure_text_search();
                END
                $text$;

                """);

        private static void BackFill(MigrationBuilder migrationBuilder)
        {
            // Edges are kept beyond the connections, and tell more than these do.
            migrationBuilder.Sql("""
                UPDATE devices AS t
                SET max_threat_score = e.score, unique_destinations = e.destinations, last_connection = e.last_connection
                FROM (
                    SELECT src_mac, max(max_threat_score) AS score, count(*) AS destinations, max(last_seen) AS last_connection
                    FROM device_destinations
                    GROUP BY src_mac
                ) AS e
                WHERE t.mac_address = e.src_mac;

                """);

            migrationBuilder.Sql("""
                DO $connections$
                DECLARE
                    v_from timestamptz;
                BEGIN
                    -- Where the migration was prepared, what lies before is read.
                    SELECT done_until INTO v_from FROM back_fill;

                    UPDATE devices AS t
                    SET last_threat = least(c.last_threat, now())
                    FROM (
                        SELECT k.src_mac, max(k.last_threat) AS last_threat
                        FROM (
                            SELECT src_mac, max("timestamp") AS last_threat
                            FROM connections
                            WHERE "timestamp" >= v_from AND threat_score >= threat_threshold()
                            GROUP BY src_mac
                            UNION ALL
                            SELECT src_mac, last_threat FROM back_fill_hours WHERE last_threat IS NOT NULL
                        ) AS k
                        GROUP BY k.src_mac
                    ) AS c
                    WHERE t.mac_address = c.src_mac;

                    INSERT INTO device_threat_counts (src_mac, threat_category, connection_count)
                    SELECT k.src_mac, k.threat_category, sum(k.connection_count)
                    FROM (
                        SELECT src_mac, threat_category, count(*) AS connection_count
                        FROM connections
                        WHERE "timestamp" >= v_from AND src_mac IS NOT NULL AND threat_category IS NOT NULL
                        GROUP BY src_mac, threat_category
                        UNION ALL
                        SELECT src_mac, threat_category, connection_count FROM back_fill_categories
                    ) AS k
                    GROUP BY k.src_mac, k.threat_category;

                    UPDATE devices AS t
                    SET threat_score = k.points
                    FROM (
                        SELECT src_mac, sum(connection_count * threat_category_weight(threat_category))::bigint AS points
                        FROM device_threat_counts
                        GROUP BY src_mac
                    ) AS k
                    WHERE t.mac_address = k.src_mac AND k.points > 0;

                    -- Whole hours are read beforehand, so that no hour is in both.
                    INSERT INTO device_activity_hourly
                        (src_mac, hour, connection_count, threat_count, max_threat_score, bytes_sent, bytes_received, destination_sketch)
                    SELECT src_mac, date_trunc('hour', "timestamp", 'UTC'), count(*), count(*) FILTER (WHERE threat_score >= threat_threshold()),
                           max(threat_score), coalesce(sum(bytes_sent), 0), coalesce(sum(bytes_received), 0),
                           bit_or(set_bit(repeat('0', 256)::bit(256), hashinet(dst_ip) & 255, 1))
                    FROM connections
                    WHERE "timestamp" >= v_from AND src_mac IS NOT NULL
                    GROUP BY 1, 2;

                    INSERT INTO device_activity_hourly
                        (src_mac, hour, connection_count, threat_count, max_threat_score, bytes_sent, bytes_received, destination_sketch)
                    SELECT src_mac, hour, connection_count, threat_count, max_threat_score, bytes_sent, bytes_received, destination_sketch
                    FROM back_fill_hours;

                    INSERT INTO destinations (dst_ip, dst_port, protocol, dst_country, dst_org, dst_hostname)
                    SELECT dst_ip, dst_port, coalesce(protocol, ''), coalesce(dst_country, ''), coalesce(dst_org, ''),
                           coalesce(dst_hostname, '')
                    FROM connections
                    WHERE "timestamp" >= v_from
                    UNION
                    SELECT dst_ip, dst_port, protocol, dst_country, dst_org, dst_hostname
                    FROM back_fill_destinations;
                END
                $connections$;

                """);
        }
    }
}
