using System.Net;
using System.Net.NetworkInformation;
using CobaltGraph.Data.Queries;
using CobaltGraph.Model;

namespace CobaltGraph.Benchmarks.Queries;

/// <summary>Who talks to what and who had which address, by hand.</summary>
internal static class GraphSql
{
    private const int PageSize = PageRequest.DefaultLimit;

    private const string IsNew = "NOT EXISTS (SELECT FROM device_destinations AS o WHERE o.dst_ip = e.dst_ip AND o.first_seen < $1)";

    public static HandQuery Contacts(IPAddress destination) => new HandQuery<DestinationContact, MappedDevice>(
        [
            new(
                $"""
                SELECT e.src_mac AS mac_address, d.hostname, d.vendor, e.first_seen, e.last_seen, e.connection_count, e.threat_count,
                       e.max_threat_score
                FROM device_destinations AS e
                JOIN devices AS d ON d.mac_address = e.src_mac
                WHERE e.dst_ip = $1
                ORDER BY e.first_seen, e.src_mac
                LIMIT {PageSize + 1}
                """,
                destination),
        ],
        row => new DestinationContact
        {
            MacAddress = MacAddress.FromPhysicalAddress(row.GetFieldValue<PhysicalAddress>(0)),
            Hostname = RowValue.Text(row, 1),
            Vendor = RowValue.Text(row, 2),
            FirstSeen = row.GetFieldValue<DateTimeOffset>(3),
            LastSeen = row.GetFieldValue<DateTimeOffset>(4),
            ConnectionCount = row.GetInt64(5),
            ThreatCount = row.GetInt64(6),
            MaxThreatScore = row.GetFloat(7),
        },
        row => $"{row.MacAddress}") { PageSize = PageSize };

    public static SqlQuery OriginalContacts(IPAddress destination) => new(
        $"""
        SELECT src_mac, min("timestamp"), max("timestamp"), count(*)
        FROM connections WHERE dst_ip = $1 GROUP BY src_mac ORDER BY 2 LIMIT {PageSize} OFFSET 0
        """,
        destination);

    public static HandQuery Prevalence(IPAddress[] destinations) => new HandQuery<DestinationPrevalence, MappedDevice>(
        [
            new(
                """
                SELECT a.dst_ip, count(e.src_mac) AS device_count, coalesce(sum(e.connection_count), 0)::bigint AS connection_count,
                       coalesce(sum(e.threat_count), 0)::bigint AS threat_count, min(e.first_seen) AS first_seen, max(e.last_seen) AS last_seen
                FROM unnest($1) WITH ORDINALITY AS a(dst_ip, place)
                LEFT JOIN device_destinations AS e ON e.dst_ip = a.dst_ip
                GROUP BY a.dst_ip, a.place
                ORDER BY a.place
                """,
                (object)destinations),
        ],
        row => new DestinationPrevalence
        {
            DstIp = row.GetFieldValue<IPAddress>(0),
            DeviceCount = row.GetInt64(1),
            ConnectionCount = row.GetInt64(2),
            ThreatCount = row.GetInt64(3),
            FirstSeen = RowValue.Of<DateTimeOffset>(row, 4),
            LastSeen = RowValue.Of<DateTimeOffset>(row, 5),
        },
        row => $"{row.DstIp} {row.DeviceCount} {row.ConnectionCount}");

    public static HandQuery NewDestinations(DateTimeOffset since, bool newToAll) => new HandQuery<NewDestination, MappedDevice>(
        [
            new(
                $"""
                SELECT e.src_mac AS mac_address, e.dst_ip, e.first_seen, e.last_seen, e.connection_count, e.threat_count, e.max_threat_score,
                       {(newToAll ? "true" : IsNew)} AS is_new_to_all
                FROM device_destinations AS e
                WHERE e.first_seen >= $1{(newToAll ? $" AND {IsNew}" : "")}
                ORDER BY e.first_seen DESC, e.src_mac DESC, e.dst_ip DESC
                LIMIT {PageSize + 1}
                """,
                since),
        ],
        row => new NewDestination
        {
            SrcMac = MacAddress.FromPhysicalAddress(row.GetFieldValue<PhysicalAddress>(0)),
            DstIp = row.GetFieldValue<IPAddress>(1),
            FirstSeen = row.GetFieldValue<DateTimeOffset>(2),
            LastSeen = row.GetFieldValue<DateTimeOffset>(3),
            ConnectionCount = row.GetInt64(4),
            ThreatCount = row.GetInt64(5),
            MaxThreatScore = row.GetFloat(6),
            IsNewToAll = row.GetBoolean(7),
        },
        row => $"{row.SrcMac} {row.DstIp} {row.IsNewToAll}") { PageSize = PageSize };

    public static HandQuery TopDestinations() => TopOf(
        [
            new(
                """
                SELECT dst_ip, sum(connection_count)::bigint AS connection_count, sum(threat_count)::bigint AS threat_count, NULL::numeric AS bytes
                FROM device_destinations
                GROUP BY dst_ip
                ORDER BY sum(connection_count) DESC, dst_ip
                LIMIT 10
                """),
        ]);

    /// <summary>From the connections: with the bounds as they are, and with bounds that the planner does not know.</summary>
    public static HandQuery TopDestinations(DateTimeOffset from, DateTimeOffset until, bool byBytes) => TopOf(
        [
            new(TopOfRange("$1", "$2", byBytes), from, until),
            new(TopOfRange("(SELECT $1)", "(SELECT $2)", byBytes), from, until),
        ]);

    public static HandQuery Conflicts(DateTimeOffset from, DateTimeOffset until) => new HandQuery<AddressConflict, MappedConflict>(
        [
            new(
                $"""
                SELECT ip_address, mac_address_a, mac_address_b, "from", until
                FROM address_conflicts
                WHERE "from" < $2 AND until >= $1
                ORDER BY "from" DESC, ip_address DESC, mac_address_a DESC, mac_address_b DESC
                LIMIT {PageSize + 1}
                """,
                from, until),
        ],
        row => new AddressConflict
        {
            IpAddress = row.GetFieldValue<IPAddress>(0),
            First = MacAddress.FromPhysicalAddress(row.GetFieldValue<PhysicalAddress>(1)),
            Second = MacAddress.FromPhysicalAddress(row.GetFieldValue<PhysicalAddress>(2)),
            From = row.GetFieldValue<DateTimeOffset>(3),
            To = row.GetFieldValue<DateTimeOffset>(4),
        },
        row => $"{row.IpAddress} {row.First} {row.Second} {row.From:O}") { PageSize = PageSize };

    public static SqlQuery OriginalNewDestinations(DateTimeOffset since) => new(
        $"""
        SELECT src_mac, dst_ip, min("timestamp"), max("timestamp"), count(*)
        FROM connections GROUP BY src_mac, dst_ip HAVING min("timestamp") >= $1 ORDER BY 3 DESC LIMIT {PageSize} OFFSET 0
        """,
        since);

    public static HandQuery TopTalkers() => Talkers(
        """
        SELECT d.mac_address, d.hostname, d.vendor, d.connection_count, d.threat_count, h.bytes_sent, h.bytes_received
        FROM (
            SELECT mac_address, hostname, vendor, connection_count, threat_count
            FROM devices
            WHERE connection_count > 0
            ORDER BY connection_count DESC, mac_address
            LIMIT 10
        ) AS d
        CROSS JOIN LATERAL (
            SELECT coalesce(sum(bytes_sent), 0) AS bytes_sent, coalesce(sum(bytes_received), 0) AS bytes_received
            FROM device_activity_hourly
            WHERE src_mac = d.mac_address
        ) AS h
        ORDER BY d.connection_count DESC, d.mac_address
        """);

    /// <summary>Of the whole hours of a range, and the connections of the parts of hours at its ends.</summary>
    public static HandQuery TopTalkers(DateTimeOffset from, DateTimeOffset until, bool byBytes)
    {
        var hours = WholeHours.Of(from, until)!.Value;
        return Talkers(
            TopOfParts(
                """
                (
                    SELECT src_mac, connection_count, threat_count, bytes_sent, bytes_received
                    FROM device_activity_hourly
                    WHERE hour >= $3 AND hour < $4
                    UNION ALL
                    SELECT src_mac, 1, (threat_score >= 7)::integer, coalesce(bytes_sent, 0), coalesce(bytes_received, 0)
                    FROM connections
                    WHERE ("timestamp" >= $1 AND "timestamp" < $3 OR "timestamp" >= $4 AND "timestamp" < $2) AND src_mac IS NOT NULL
                ) AS parts
                """,
                byBytes),
            from, until, hours.First!, hours.End!);
    }

    /// <summary>Of all hours.</summary>
    public static HandQuery TopTalkersByBytes() => Talkers(TopOfParts("device_activity_hourly", byBytes: true));

    /// <summary>By connections: the original does not store bytes.</summary>
    public static SqlQuery OriginalTopTalkers() => new(
        "SELECT src_mac, count(*) FROM connections GROUP BY src_mac ORDER BY 2 DESC LIMIT 10");

    public static HandQuery Holders(IPAddress address, DateTimeOffset at) => new HandQuery<AddressHolder, MappedDevice>(
        [
            new(
                """
                WITH held AS (
                    SELECT mac_address, ip_address, source, first_seen, last_seen, last_seen >= $2 AS covers
                    FROM device_addresses
                    WHERE ip_address = $1 AND first_seen <= $2 AND last_seen >= $3
                )
                SELECT mac_address, ip_address, source, first_seen, last_seen, covers
                FROM held
                WHERE covers OR NOT EXISTS (SELECT FROM held AS h WHERE h.covers AND (h.source = 'sighting' OR h.mac_address = held.mac_address))
                ORDER BY source = 'traffic', first_seen DESC, mac_address, source
                """,
                address, at, at - DeviceAddress.Lapse),
        ],
        row => new AddressHolder
        {
            MacAddress = MacAddress.FromPhysicalAddress(row.GetFieldValue<PhysicalAddress>(0)),
            IpAddress = row.GetFieldValue<IPAddress>(1),
            Source = EnumText.ParseAddressSource(row.GetString(2)),
            FirstSeen = row.GetFieldValue<DateTimeOffset>(3),
            LastSeen = row.GetFieldValue<DateTimeOffset>(4),
            Covers = row.GetBoolean(5),
        },
        row => $"{row.MacAddress} {row.Source} {row.FirstSeen:O}");

    private static HandQuery<TopTalker, MappedDevice> Talkers(string sql, params IReadOnlyList<object> values) => new(
        [new(sql, values)],
        row => new TopTalker
        {
            MacAddress = MacAddress.FromPhysicalAddress(row.GetFieldValue<PhysicalAddress>(0)),
            Hostname = RowValue.Text(row, 1),
            Vendor = RowValue.Text(row, 2),
            ConnectionCount = row.GetInt64(3),
            ThreatCount = row.GetInt64(4),
            BytesSent = row.GetDecimal(5),
            BytesReceived = row.GetDecimal(6),
        },
        row => $"{row.MacAddress} {row.BytesSent} {row.BytesReceived}");

    private static string TopOfParts(string parts, bool byBytes) =>
        $"""
        SELECT t.src_mac AS mac_address, d.hostname, d.vendor, t.connection_count, t.threat_count, t.bytes_sent, t.bytes_received
        FROM (
            SELECT src_mac, sum(connection_count)::bigint AS connection_count, sum(threat_count)::bigint AS threat_count,
                   sum(bytes_sent) AS bytes_sent, sum(bytes_received) AS bytes_received
            FROM {parts}
            GROUP BY src_mac
            ORDER BY {(byBytes ? "sum(bytes_sent) + sum(bytes_received)" : "sum(connection_count)")} DESC, src_mac
            LIMIT 10
        ) AS t
        JOIN devices AS d ON d.mac_address = t.src_mac
        ORDER BY {(byBytes ? "t.bytes_sent + t.bytes_received" : "t.connection_count")} DESC, t.src_mac
        """;

    private static HandQuery<TopDestination, MappedDevice> TopOf(IReadOnlyList<SqlQuery> shapes) => new(
        shapes,
        row => new TopDestination
        {
            DstIp = row.GetFieldValue<IPAddress>(0),
            ConnectionCount = row.GetInt64(1),
            ThreatCount = row.GetInt64(2),
            Bytes = RowValue.Of<decimal>(row, 3),
        },
        row => $"{row.DstIp} {row.ConnectionCount} {row.Bytes}");

    private static string TopOfRange(string from, string until, bool byBytes) =>
        $"""
        SELECT dst_ip, count(*) AS connection_count, count(*) FILTER (WHERE threat_score >= 7) AS threat_count,
               coalesce(sum(bytes_sent), 0) + coalesce(sum(bytes_received), 0) AS bytes
        FROM connections
        WHERE "timestamp" >= {from} AND "timestamp" < {until} AND src_mac IS NOT NULL
        GROUP BY dst_ip
        ORDER BY {(byBytes ? "4" : "2")} DESC, dst_ip
        LIMIT 10
        """;
}
