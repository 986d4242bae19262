using CobaltGraph.Data.Queries;
using CobaltGraph.Model;
using Npgsql;

namespace CobaltGraph.Benchmarks.Queries;

/// <summary>A device's detail without EF Core: its head by hand, and the lists as the query layer itself reads them.</summary>
internal sealed class DetailByHand(NpgsqlDataSource dataSource, MacAddress mac, DeviceDetailRequest request)
{
    private readonly SqlQuery _head = new(
        """
        SELECT d.mac_address, d.ip_address, d.vendor, d.device_type, d.hostname, d.status, d.first_seen, d.last_seen, d.last_activity,
               d.confidence_score, d.connection_count, d.threat_count, d.max_threat_score, d.last_threat, d.metadata::text,
               s.unique_destinations, s.last_connection,
               t.malware_count, t.c2_count, t.suspicious_geo_count, t.proxy_count, t.other_count, t.threat_score, t.threat_level
        FROM devices AS d
        JOIN device_summary AS s ON s.mac_address = d.mac_address
        JOIN device_threats AS t ON t.mac_address = d.mac_address
        WHERE d.mac_address = $1
        """,
        mac);

    /// <summary>Reads everything.</summary>
    /// <returns>Connections of the page; null without the device.</returns>
    public async Task<int?> ReadAsync(CancellationToken cancellationToken)
    {
        await using var connection = await dataSource.OpenConnectionAsync(cancellationToken);
        await using (var command = _head.CreateCommand(connection))
        {
            await using var reader = await command.ExecuteReaderAsync(cancellationToken);
            if (!await reader.ReadAsync(cancellationToken))
                return null;
            var values = new object[reader.FieldCount];
            reader.GetValues(values);
            _ = MetadataJson.Read<DeviceMetadata>((string)values[14]);
        }

        var until = request.Until!.Value;
        var lists = new DeviceDetailLists(connection, mac, request, request.Connections + 1);
        await lists.ReadAsync(WholeHours.Begin(until - DeviceDetailRequest.DefaultRange), until, cancellationToken);
        return Math.Min(lists.Connections.Count, request.Connections);
    }
}
