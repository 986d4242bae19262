using System.Net.NetworkInformation;
using CobaltGraph.Model;
using Npgsql;
using NpgsqlTypes;

namespace CobaltGraph.Data.Ingest;

/// <summary>Stores connections by one binary COPY: one statement, all rows or none.</summary>
internal static class ConnectionCopy
{
    private const string Command =
        "COPY connections (\"timestamp\", src_mac, src_ip, src_port, dst_ip, dst_port, protocol, dst_country, dst_lat, "
        + "dst_lon, dst_org, dst_hostname, threat_score, threat_category, bytes_sent, bytes_received, duration, metadata) "
        + "FROM STDIN (FORMAT BINARY)";

    /// <summary>
    /// Stores the rows in the connection's current transaction, or in one of its own. The database assigns the ids;
    /// <see cref="Connection.Id"/> is not read.
    /// </summary>
    /// <returns>The number of rows stored.</returns>
    /// <exception cref="PostgresException">The database refused a row; none is stored.</exception>
    public static async Task<long> WriteAsync(
        NpgsqlConnection connection,
        IEnumerable<Connection> rows,
        CancellationToken cancellationToken)
    {
        var unset = TimeProvider.System.GetUtcNow();
        var macs = new Dictionary<MacAddress, PhysicalAddress>();

        var writer = await connection.BeginBinaryImportAsync(Command, cancellationToken).ConfigureAwait(false);
        await using (writer.ConfigureAwait(false))
        {
            foreach (var row in rows)
            {
                cancellationToken.ThrowIfCancellationRequested();
                await writer.StartRowAsync(cancellationToken).ConfigureAwait(false);
                var timestamp = row.Timestamp == default ? unset : row.Timestamp;
                await writer.WriteAsync(timestamp.UtcDateTime, NpgsqlDbType.TimestampTz, cancellationToken).ConfigureAwait(false);
                await WriteReference(Mac(row.SrcMac), NpgsqlDbType.MacAddr).ConfigureAwait(false);
                await WriteReference(row.SrcIp, NpgsqlDbType.Inet).ConfigureAwait(false);
                await WriteValue(row.SrcPort, NpgsqlDbType.Integer).ConfigureAwait(false);
                await writer.WriteAsync(row.DstIp, NpgsqlDbType.Inet, cancellationToken).ConfigureAwait(false);
                await writer.WriteAsync(row.DstPort, NpgsqlDbType.Integer, cancellationToken).ConfigureAwait(false);
                await writer.WriteAsync(row.Protocol ?? "TCP", NpgsqlDbType.Varchar, cancellationToken).ConfigureAwait(false);
                await WriteReference(row.DstCountry, NpgsqlDbType.Varchar).ConfigureAwait(false);
                await WriteValue(row.DstLat, NpgsqlDbType.Real).ConfigureAwait(false);
                await WriteValue(row.DstLon, NpgsqlDbType.Real).ConfigureAwait(false);
                await WriteReference(row.DstOrg, NpgsqlDbType.Varchar).ConfigureAwait(false);
                await WriteReference(row.DstHostname, NpgsqlDbType.Varchar).ConfigureAwait(false);
                await writer.WriteAsync(row.ThreatScore, NpgsqlDbType.Real, cancellationToken).ConfigureAwait(false);
                await WriteReference(row.ThreatCategory, NpgsqlDbType.Varchar).ConfigureAwait(false);
                await WriteValue(row.BytesSent, NpgsqlDbType.Bigint).ConfigureAwait(false);
                await WriteValue(row.BytesReceived, NpgsqlDbType.Bigint).ConfigureAwait(false);
                await WriteValue(row.Duration, NpgsqlDbType.Interval).ConfigureAwait(false);
                await writer.WriteAsync(MetadataJson.Write(row.Metadata), NpgsqlDbType.Jsonb, cancellationToken).ConfigureAwait(false);
            }

            return (long)await writer.CompleteAsync(cancellationToken).ConfigureAwait(false);
        }

        Task WriteReference<T>(T? value, NpgsqlDbType type) where T : class
            => value is null
                ? writer.WriteNullAsync(cancellationToken)
                : writer.WriteAsync(value, type, cancellationToken);

        Task WriteValue<T>(T? value, NpgsqlDbType type) where T : struct
            => value is null
                ? writer.WriteNullAsync(cancellationToken)
                : writer.WriteAsync(value.Value, type, cancellationToken);

        PhysicalAddress? Mac(MacAddress? mac)
        {
            if (mac is not { } known)
                return null;

            if (!macs.TryGetValue(known, out var address))
                macs.Add(known, address = known.ToPhysicalAddress());

            return address;
        }
    }
}
