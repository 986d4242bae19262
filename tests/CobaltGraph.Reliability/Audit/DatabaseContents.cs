using System.Data;
using Npgsql;

namespace CobaltGraph.Reliability.Audit;

/// <summary>Reads everything that a batch leaves behind.</summary>
public static class DatabaseContents
{
    private static readonly string[] Queries =
    [
        """
        SELECT 'connection', metadata->>'uid', "timestamp", src_mac::text, src_ip, src_port, dst_ip, dst_port, protocol,
               dst_country, dst_lat, dst_lon, dst_org, dst_hostname, threat_score, threat_category, bytes_sent, bytes_received,
               duration, metadata->>'service', (metadata - 'uid' - 'service')::text
        FROM connections
        """,
        """
        SELECT 'device', mac_address::text, ip_address, vendor, device_type, hostname, first_seen, last_seen, last_activity,
               status, confidence_score, metadata::text, connection_count, threat_count
        FROM devices
        """,
        """
        SELECT 'destination', src_mac::text, dst_ip, first_seen, last_seen, connection_count, threat_count, max_threat_score
        FROM device_destinations
        """,
        "SELECT 'event', device_mac::text, event_type, old_value, new_value, metadata::text FROM device_events",
    ];

    /// <summary>Reads the contents in one snapshot.</summary>
    /// <param name="dataSource">The database.</param>
    /// <param name="cancellationToken">Ends the reading.</param>
    public static async Task<ContentLines> ReadAsync(NpgsqlDataSource dataSource, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(dataSource);
        var lines = new ContentLines();
        await using var connection = await dataSource.OpenConnectionAsync(cancellationToken);
        await using var transaction = await connection.BeginTransactionAsync(IsolationLevel.RepeatableRead, cancellationToken);
        foreach (var query in Queries)
        {
            await using var command = new NpgsqlCommand(query, connection, transaction);
            await using var reader = await command.ExecuteReaderAsync(cancellationToken);
            var values = new object?[reader.FieldCount];
            while (await reader.ReadAsync(cancellationToken))
            {
                reader.GetValues(values!);
                lines.Add(values);
            }
        }

        return lines;
    }
}
