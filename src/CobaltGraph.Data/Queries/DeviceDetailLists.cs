using System.Collections;
using System.Net;
using System.Net.NetworkInformation;
using CobaltGraph.Model;
using Npgsql;
using NpgsqlTypes;

namespace CobaltGraph.Data.Queries;

/// <summary>
/// The lists of a device's detail, in one batch of statements. EF Core sends one statement at a time, and has no way to
/// read the results of a batch.
/// </summary>
internal sealed class DeviceDetailLists(NpgsqlConnection connection, MacAddress device, DeviceDetailRequest request, int takeConnections)
{
    private const string ActivitySql =
        """
        SELECT hour, connection_count, threat_count, max_threat_score, bytes_sent, bytes_received, destination_sketch
        FROM device_activity_hourly
        WHERE src_mac = $1 AND hour >= $2 AND hour < $3
        ORDER BY hour
        """;

    // Destinations, ports and countries from one reading of the most used destinations and of what is said of them. LIMIT
    // keeps it a look-up for each: for many, all that is said of destinations would be read, which grows with those of other
    // devices. And a scan leaves a row for every port of a destination.
    private const string DestinationsSql =
        """
        WITH used AS MATERIALIZED (
            SELECT dst_ip, first_seen, last_seen, connection_count, threat_count, max_threat_score
            FROM device_destinations
            WHERE src_mac = $1
            ORDER BY connection_count DESC, dst_ip
            LIMIT greatest($2, $3)
        ),
        known AS MATERIALIZED (
            SELECT e.dst_ip, e.connection_count, e.threat_count, d.dst_port, d.protocol, d.dst_country
            FROM (SELECT dst_ip, connection_count, threat_count FROM used ORDER BY connection_count DESC, dst_ip LIMIT $3) AS e
            CROSS JOIN LATERAL (
                SELECT k.dst_port, k.protocol, k.dst_country
                FROM destinations AS k
                WHERE k.dst_ip = e.dst_ip
                LIMIT 100
            ) AS d
        ),
        ports AS (
            SELECT p.dst_port, p.protocol, count(*) AS destinations
            FROM (SELECT DISTINCT dst_ip, dst_port, protocol FROM known) AS p
            GROUP BY p.dst_port, p.protocol
            ORDER BY count(*) DESC, p.dst_port, p.protocol
            LIMIT $2
        ),
        located AS (
            SELECT dst_ip, max(connection_count) AS connections, max(threat_count) AS threats, dst_country,
                   max(dst_country) OVER (PARTITION BY dst_ip) AS greatest
            FROM known
            GROUP BY dst_ip, dst_country
        ),
        countries AS (
            SELECT c.dst_country, count(*) AS destinations, sum(c.connections)::bigint AS connections, sum(c.threats)::bigint AS threats
            FROM located AS c
            WHERE c.dst_country <> '' OR c.greatest = ''
            GROUP BY c.dst_country
            ORDER BY sum(c.connections) DESC, c.dst_country
            LIMIT $2
        ),
        shown AS (
            SELECT e.*, row_number() OVER (ORDER BY connection_count DESC, dst_ip) AS place
            FROM (SELECT * FROM used ORDER BY connection_count DESC, dst_ip LIMIT $2) AS e
        )
        SELECT NULL::integer AS dst_port, NULL::text AS name, s.place, s.connection_count, s.threat_count,
               s.dst_ip, s.first_seen, s.last_seen, s.max_threat_score, k.country, k.organization, k.hostname
        FROM shown AS s
        CROSS JOIN LATERAL (
            SELECT min(nullif(d.dst_country, '')) AS country, min(nullif(d.dst_org, '')) AS organization,
                   min(nullif(d.dst_hostname, '')) AS hostname
            FROM (SELECT dst_country, dst_org, dst_hostname FROM destinations WHERE dst_ip = s.dst_ip LIMIT 1000) AS d
        ) AS k
        UNION ALL
        SELECT dst_port, nullif(protocol, ''), destinations, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL FROM ports
        UNION ALL
        SELECT NULL, nullif(dst_country, ''), destinations, connections, threats, NULL, NULL, NULL, NULL, NULL, NULL, NULL FROM countries
        ORDER BY 3
        """;

    private const string AddressesSql =
        """
        SELECT ip_address, source, first_seen, last_seen
        FROM device_addresses
        WHERE mac_address = $1
        ORDER BY last_seen DESC, first_seen DESC, ip_address, source
        LIMIT $2
        """;

    // The times that a list of events or a search reads: another, which .NET does not have, would end the reading.
    private const string EventsSql =
        """
        SELECT id, "timestamp", event_type, old_value, new_value, metadata::text
        FROM device_events
        WHERE device_mac = $1 AND "timestamp" > '0001-01-01Z' AND "timestamp" < '10000-01-01Z'
        ORDER BY "timestamp" DESC, id DESC
        LIMIT $2
        """;

    private const string ConnectionsSql =
        """
        SELECT id, "timestamp", src_ip, src_port, dst_ip, dst_port, protocol, dst_country, dst_lat, dst_lon, dst_org, dst_hostname,
               threat_score, threat_category, bytes_sent, bytes_received, duration, metadata::text
        FROM connections
        WHERE src_mac = $1 AND "timestamp" > '0001-01-01Z' AND "timestamp" < '10000-01-01Z'
        ORDER BY "timestamp" DESC, id DESC
        LIMIT $2
        """;

    public List<DeviceActivityHour> Activity { get; } = [];

    public List<DeviceDestinationName> Destinations { get; } = [];

    public List<DeviceDestinationPort> Ports { get; } = [];

    public List<DeviceDestinationCountry> Countries { get; } = [];

    public List<DeviceAddress> Addresses { get; } = [];

    public List<DeviceEvent> Events { get; } = [];

    public List<Connection> Connections { get; } = [];

    /// <summary>Reads all lists in one round trip.</summary>
    /// <param name="from">Begin of the first hour of activity.</param>
    /// <param name="until">The first hour that is not wanted begins here or later.</param>
    /// <param name="cancellationToken">Ends the reading.</param>
    public async Task ReadAsync(DateTimeOffset from, DateTimeOffset until, CancellationToken cancellationToken)
    {
        var batch = new NpgsqlBatch(connection);
        await using (batch.ConfigureAwait(false))
        {
            var activity = Add(batch, ActivitySql);
            activity.Parameters.Add(new NpgsqlParameter<DateTimeOffset> { TypedValue = from.ToUniversalTime() });
            activity.Parameters.Add(new NpgsqlParameter<DateTimeOffset> { TypedValue = until.ToUniversalTime() });
            Add(batch, DestinationsSql, request.Top).Parameters.Add(new NpgsqlParameter<int> { TypedValue = request.CountedDestinations });
            Add(batch, AddressesSql, request.Addresses);
            Add(batch, EventsSql, request.Events);
            Add(batch, ConnectionsSql, takeConnections);

            var reader = await batch.ExecuteReaderAsync(cancellationToken).ConfigureAwait(false);
            await using (reader.ConfigureAwait(false))
            {
                Action<NpgsqlDataReader>[] lists =
                    [AddActivity, AddDestinationPortOrCountry, AddAddress, AddEvent, AddConnection];
                foreach (var add in lists)
                {
                    while (await reader.ReadAsync(cancellationToken).ConfigureAwait(false))
                        add(reader);
                    await reader.NextResultAsync(cancellationToken).ConfigureAwait(false);
                }
            }

            Ports.Sort((x, y) => (-x.DestinationCount, x.Port).CompareTo((-y.DestinationCount, y.Port)) is not 0 and var order
                ? order : string.CompareOrdinal(x.Protocol, y.Protocol));
            Countries.Sort((x, y) => (-x.ConnectionCount).CompareTo(-y.ConnectionCount) is not 0 and var order
                ? order : string.CompareOrdinal(x.Country, y.Country));
        }
    }

    private NpgsqlBatchCommand Add(NpgsqlBatch batch, string sql, int? limit = null)
    {
        var command = new NpgsqlBatchCommand(sql);
        command.Parameters.Add(new NpgsqlParameter<PhysicalAddress>
        {
            TypedValue = device.ToPhysicalAddress(),
            NpgsqlDbType = NpgsqlDbType.MacAddr,
        });
        if (limit is { } rows)
            command.Parameters.Add(new NpgsqlParameter<int> { TypedValue = rows });
        batch.BatchCommands.Add(command);
        return command;
    }

    private void AddActivity(NpgsqlDataReader row) => Activity.Add(new DeviceActivityHour
    {
        SrcMac = device,
        Hour = Time(row, 0),
        ConnectionCount = row.GetInt64(1),
        ThreatCount = row.GetInt64(2),
        MaxThreatScore = row.GetFloat(3),
        BytesSent = row.GetDecimal(4),
        BytesReceived = row.GetDecimal(5),
        DestinationSketch = row.GetFieldValue<BitArray>(6),
    });

    private void AddDestinationPortOrCountry(NpgsqlDataReader row)
    {
        if (!row.IsDBNull(0))
        {
            Ports.Add(new DeviceDestinationPort(row.GetInt32(0), Text(row, 1), row.GetInt64(2)));
        }
        else if (row.IsDBNull(5))
        {
            Countries.Add(new DeviceDestinationCountry(Text(row, 1), row.GetInt64(2), row.GetInt64(3), row.GetInt64(4)));
        }
        else
        {
            Destinations.Add(new DeviceDestinationName
            {
                Contact = new DeviceDestination
                {
                    SrcMac = device,
                    DstIp = row.GetFieldValue<IPAddress>(5),
                    FirstSeen = Time(row, 6),
                    LastSeen = Time(row, 7),
                    ConnectionCount = row.GetInt64(3),
                    ThreatCount = row.GetInt64(4),
                    MaxThreatScore = row.GetFloat(8),
                },
                Country = Text(row, 9),
                Organization = Text(row, 10),
                Hostname = Text(row, 11),
            });
        }
    }

    private void AddAddress(NpgsqlDataReader row) => Addresses.Add(new DeviceAddress
    {
        MacAddress = device,
        IpAddress = row.GetFieldValue<IPAddress>(0),
        Source = EnumText.ParseAddressSource(row.GetString(1)),
        FirstSeen = Time(row, 2),
        LastSeen = Time(row, 3),
    });

    private void AddEvent(NpgsqlDataReader row) => Events.Add(new DeviceEvent
    {
        Id = row.GetInt64(0),
        Timestamp = Time(row, 1),
        DeviceMac = device,
        EventType = EnumText.ParseEventType(row.GetString(2)),
        OldValue = Text(row, 3),
        NewValue = Text(row, 4),
        Metadata = MetadataJson.Read<DeviceEventMetadata>(row.GetString(5)),
    });

    private void AddConnection(NpgsqlDataReader row) => Connections.Add(new Connection
    {
        Id = row.GetInt64(0),
        Timestamp = Time(row, 1),
        SrcMac = device,
        SrcIp = row.IsDBNull(2) ? null : row.GetFieldValue<IPAddress>(2),
        SrcPort = Value<int>(row, 3),
        DstIp = row.GetFieldValue<IPAddress>(4),
        DstPort = row.GetInt32(5),
        Protocol = Text(row, 6),
        DstCountry = Text(row, 7),
        DstLat = Value<float>(row, 8),
        DstLon = Value<float>(row, 9),
        DstOrg = Text(row, 10),
        DstHostname = Text(row, 11),
        ThreatScore = row.GetFloat(12),
        ThreatCategory = Text(row, 13),
        BytesSent = Value<long>(row, 14),
        BytesReceived = Value<long>(row, 15),
        Duration = Value<TimeSpan>(row, 16),
        Metadata = MetadataJson.Read<ConnectionMetadata>(row.GetString(17)),
    });

    private static DateTimeOffset Time(NpgsqlDataReader row, int column) => row.GetFieldValue<DateTimeOffset>(column);

    private static string? Text(NpgsqlDataReader row, int column) => row.IsDBNull(column) ? null : row.GetString(column);

    private static T? Value<T>(NpgsqlDataReader row, int column)
        where T : struct
        => row.IsDBNull(column) ? null : row.GetFieldValue<T>(column);
}
