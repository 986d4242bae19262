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

                UPDATE devices AS t
                SET last_threat = least(c.last_threat, now())
                FROM (
                    SELECT src_mac, max("timestamp") AS last_threat
                    FROM connections
                    WHERE threat_score >= threat_threshold()
                    GROUP BY src_mac
                ) AS c
                WHERE t.mac_address = c.src_mac;

                """);

            migrationBuilder.Sql("""
                INSERT INTO device_threat_counts (src_mac, threat_category, connection_count)
                SELECT src_mac, threat_category, count(*)
                FROM connections
                WHERE src_mac IS NOT NULL AND threat_category IS NOT NULL
                GROUP BY src_mac, threat_category;

                UPDATE devices AS t
                SET threat_score = k.points
                FROM (
                    SELECT src_mac, sum(connection_count * threat_category_weight(threat_category))::bigint AS points
                    FROM device_threat_counts
                    GROUP BY src_mac
                ) AS k
                WHERE t.mac_address = k.src_mac AND k.points > 0;

                """);

            migrationBuilder.Sql("""
                INSERT INTO device_activity_hourly
                    (src_mac, hour, connection_count, threat_count, max_threat_score, bytes_sent, bytes_received, destination_sketch)
                SELECT src_mac, date_trunc('hour', "timestamp", 'UTC'), count(*), count(*) FILTER (WHERE threat_score >= threat_threshold()),
                       max(threat_score), coalesce(sum(bytes_sent), 0), coalesce(sum(bytes_received), 0),
                       bit_or(set_bit(repeat('0', 256)::bit(256), hashinet(dst_ip) & 255, 1))
                FROM connections
                WHERE src_mac IS NOT NULL
                GROUP BY 1, 2;

                """);

            migrationBuilder.Sql("""
                INSERT INTO destinations (dst_ip, dst_port, protocol, dst_country, dst_org, dst_hostname)
                SELECT DISTINCT dst_ip, dst_port, coalesce(protocol, ''), coalesce(dst_country, ''), coalesce(dst_org, ''),
                       coalesce(dst_hostname, '')
                FROM connections;

                """);
        }
    }
}
