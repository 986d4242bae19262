using CobaltGraph.Model;
using Npgsql;
using NpgsqlTypes;

namespace CobaltGraph.Benchmarks.Ingest.Methods;

/// <summary>The original's way: one INSERT and one commit per row, prepared once.</summary>
internal sealed class RowInserts : IngestMethod
{
    public override string Key => "d";

    public override string Title => "the original's way: one INSERT and one commit per row";

    public override Schema Schema => Schema.Original;

    public override int MaxRows => 10_000;

    public override int WarmUpRows => 500;

    public override async Task StoreAsync(
        NpgsqlDataSource dataSource, Connection[] rows, int batchSize, CancellationToken cancellationToken)
    {
        await using var connection = await dataSource.OpenConnectionAsync(cancellationToken);
        await using var command = new NpgsqlCommand(
            """
            INSERT INTO connections
                ("timestamp", src_mac, src_ip, dst_ip, dst_port, protocol, dst_country, dst_lat, dst_lon, dst_org, dst_hostname,
                 threat_score, threat_category, metadata)
            VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)
            """,
            connection);
        NpgsqlDbType[] types =
        [
            NpgsqlDbType.TimestampTz, NpgsqlDbType.Varchar, NpgsqlDbType.Inet, NpgsqlDbType.Inet, NpgsqlDbType.Integer,
            NpgsqlDbType.Varchar, NpgsqlDbType.Varchar, NpgsqlDbType.Real, NpgsqlDbType.Real, NpgsqlDbType.Varchar,
            NpgsqlDbType.Varchar, NpgsqlDbType.Real, NpgsqlDbType.Varchar, NpgsqlDbType.Jsonb,
        ];
        foreach (var type in types)
            command.Parameters.Add(new() { NpgsqlDbType = type });
        await command.PrepareAsync(cancellationToken);

        foreach (var row in rows)
        {
            object?[] values =
            [
                row.Timestamp.UtcDateTime, row.SrcMac?.ToString(), row.SrcIp, row.DstIp, row.DstPort,
                row.Protocol, row.DstCountry, row.DstLat, row.DstLon, row.DstOrg,
                row.DstHostname, row.ThreatScore, row.ThreatCategory, row.Metadata.ToJson(),
            ];
            for (var i = 0; i < values.Length; i++)
                command.Parameters[i].Value = values[i] ?? DBNull.Value;
            await command.ExecuteNonQueryAsync(cancellationToken);
        }
    }
}
