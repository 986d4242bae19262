using CobaltGraph.Model;
using Npgsql;
using NpgsqlTypes;

namespace CobaltGraph.Benchmarks.Ingest.Methods;

/// <summary>One COPY of all rows, as a careful user of Npgsql writes it: nothing but rows and indexes, or not even those.</summary>
/// <param name="original">Whether into the original's tables; otherwise into our columns without any index.</param>
internal sealed class BareCopy(bool original) : IngestMethod
{
    public override string Key => original ? "b" : "g";

    public override string Title => original
        ? "one bare COPY into the original's tables, no trigger, no foreign key"
        : "one bare COPY into our columns without any index: the limit";

    public override Schema Schema => original ? Schema.OriginalTables : Schema.Bare;

    public override Task StoreAsync(
        NpgsqlDataSource dataSource, Connection[] rows, int batchSize, CancellationToken cancellationToken)
        => original ? OriginalAsync(dataSource, rows, cancellationToken) : BareAsync(dataSource, rows, cancellationToken);

    /// <summary>One COPY into the original's connections. What it has no column for is left out.</summary>
    public static async Task OriginalAsync(
        NpgsqlDataSource dataSource, IEnumerable<Connection> rows, CancellationToken cancellationToken)
    {
        await using var connection = await dataSource.OpenConnectionAsync(cancellationToken);
        await using var writer = await connection.BeginBinaryImportAsync(
            "COPY connections (\"timestamp\", src_mac, src_ip, dst_ip, dst_port, protocol, dst_country, dst_lat, dst_lon, "
            + "dst_org, dst_hostname, threat_score, threat_category, metadata) FROM STDIN (FORMAT BINARY)",
            cancellationToken);
        foreach (var row in rows)
        {
            await writer.StartRowAsync(cancellationToken);
            await writer.WriteAsync(row.Timestamp.UtcDateTime, NpgsqlDbType.TimestampTz, cancellationToken);
            await writer.WriteAsync(row.SrcMac?.ToString(), NpgsqlDbType.Varchar, cancellationToken);
            await writer.WriteAsync(row.SrcIp, NpgsqlDbType.Inet, cancellationToken);
            await writer.WriteAsync(row.DstIp, NpgsqlDbType.Inet, cancellationToken);
            await writer.WriteAsync(row.DstPort, NpgsqlDbType.Integer, cancellationToken);
            await writer.WriteAsync(row.Protocol, NpgsqlDbType.Varchar, cancellationToken);
            await writer.WriteAsync(row.DstCountry, NpgsqlDbType.Varchar, cancellationToken);
            await writer.WriteAsync(row.DstLat, NpgsqlDbType.Real, cancellationToken);
            await writer.WriteAsync(row.DstLon, NpgsqlDbType.Real, cancellationToken);
            await writer.WriteAsync(row.DstOrg, NpgsqlDbType.Varchar, cancellationToken);
            await writer.WriteAsync(row.DstHostname, NpgsqlDbType.Varchar, cancellationToken);
            await writer.WriteAsync(row.ThreatScore, NpgsqlDbType.Real, cancellationToken);
            await writer.WriteAsync(row.ThreatCategory, NpgsqlDbType.Varchar, cancellationToken);
            await writer.WriteAsync(row.Metadata.ToJson(), NpgsqlDbType.Jsonb, cancellationToken);
        }

        await writer.CompleteAsync(cancellationToken);
    }

    private static async Task BareAsync(
        NpgsqlDataSource dataSource, IEnumerable<Connection> rows, CancellationToken cancellationToken)
    {
        await using var connection = await dataSource.OpenConnectionAsync(cancellationToken);
        await using var writer = await connection.BeginBinaryImportAsync(
            "COPY bare.connections (\"timestamp\", src_mac, src_ip, src_port, dst_ip, dst_port, protocol, dst_country, dst_lat, "
            + "dst_lon, dst_org, dst_hostname, threat_score, threat_category, bytes_sent, bytes_received, duration, metadata) "
            + "FROM STDIN (FORMAT BINARY)",
            cancellationToken);
        foreach (var row in rows)
        {
            await writer.StartRowAsync(cancellationToken);
            await writer.WriteAsync(row.Timestamp.UtcDateTime, NpgsqlDbType.TimestampTz, cancellationToken);
            await writer.WriteAsync(row.SrcMac?.ToPhysicalAddress(), NpgsqlDbType.MacAddr, cancellationToken);
            await writer.WriteAsync(row.SrcIp, NpgsqlDbType.Inet, cancellationToken);
            await writer.WriteAsync(row.SrcPort, NpgsqlDbType.Integer, cancellationToken);
            await writer.WriteAsync(row.DstIp, NpgsqlDbType.Inet, cancellationToken);
            await writer.WriteAsync(row.DstPort, NpgsqlDbType.Integer, cancellationToken);
            await writer.WriteAsync(row.Protocol, NpgsqlDbType.Varchar, cancellationToken);
            await writer.WriteAsync(row.DstCountry, NpgsqlDbType.Varchar, cancellationToken);
            await writer.WriteAsync(row.DstLat, NpgsqlDbType.Real, cancellationToken);
            await writer.WriteAsync(row.DstLon, NpgsqlDbType.Real, cancellationToken);
            await writer.WriteAsync(row.DstOrg, NpgsqlDbType.Varchar, cancellationToken);
            await writer.WriteAsync(row.DstHostname, NpgsqlDbType.Varchar, cancellationToken);
            await writer.WriteAsync(row.ThreatScore, NpgsqlDbType.Real, cancellationToken);
            await writer.WriteAsync(row.ThreatCategory, NpgsqlDbType.Varchar, cancellationToken);
            await writer.WriteAsync(row.BytesSent, NpgsqlDbType.Bigint, cancellationToken);
            await writer.WriteAsync(row.BytesReceived, NpgsqlDbType.Bigint, cancellationToken);
            await writer.WriteAsync(row.Duration, NpgsqlDbType.Interval, cancellationToken);
            await writer.WriteAsync(row.Metadata.ToJson(), NpgsqlDbType.Jsonb, cancellationToken);
        }

        await writer.CompleteAsync(cancellationToken);
    }
}
