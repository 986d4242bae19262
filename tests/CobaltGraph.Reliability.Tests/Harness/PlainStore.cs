using System.Net.NetworkInformation;
using CobaltGraph.Model;
using Npgsql;
using NpgsqlTypes;

namespace CobaltGraph.Reliability.Tests.Harness;

/// <summary>
/// The shortest writer that stores a batch once, and ways of getting it wrong: what the harness must tell apart. Shares
/// no code with the product.
/// </summary>
internal sealed class PlainStore(string connectionString)
{
    private readonly string _connectionString = new NpgsqlConnectionStringBuilder(connectionString)
    {
        Pooling = false,
        Timeout = 5,
        CommandTimeout = 2,
        CancellationTimeout = -1,
    }.ConnectionString;

    /// <summary>Writes the key and the rows in one transaction; a key that is there already ends it.</summary>
    /// <returns>Whether this call stored the rows.</returns>
    public async Task<bool> StoreAsync(string key, IReadOnlyList<Connection> rows, CancellationToken cancellationToken)
    {
        await using var connection = new NpgsqlConnection(_connectionString);
        await connection.OpenAsync(cancellationToken);
        await using var transaction = await connection.BeginTransactionAsync(cancellationToken);
        await using (var ledger = new NpgsqlCommand(
            "INSERT INTO ingest_batches (source, batch_key, rows_read, rows_stored) VALUES ('plain', $1, $2, $2) ON CONFLICT DO NOTHING",
            connection,
            transaction))
        {
            ledger.Parameters.Add(new NpgsqlParameter { Value = key });
            ledger.Parameters.Add(new NpgsqlParameter { Value = (long)rows.Count });
            if (await ledger.ExecuteNonQueryAsync(cancellationToken) == 0)
                return false;
        }

        await CopyAsync(connection, rows, cancellationToken);
        await transaction.CommitAsync(cancellationToken);
        return true;
    }

    /// <summary>Writes the rows and no key.</summary>
    public async Task StoreBlindlyAsync(IReadOnlyList<Connection> rows, CancellationToken cancellationToken)
    {
        await using var connection = new NpgsqlConnection(_connectionString);
        await connection.OpenAsync(cancellationToken);
        await using var transaction = await connection.BeginTransactionAsync(cancellationToken);
        await CopyAsync(connection, rows, cancellationToken);
        await transaction.CommitAsync(cancellationToken);
    }

    private static async Task CopyAsync(NpgsqlConnection connection, IReadOnlyList<Connection> rows, CancellationToken cancellationToken)
    {
        await using var writer = await connection.BeginBinaryImportAsync(
            """COPY connections ("timestamp", src_mac, dst_ip, dst_port, threat_score, metadata) FROM STDIN (FORMAT BINARY)""",
            cancellationToken);
        foreach (var row in rows)
        {
            await writer.StartRowAsync(cancellationToken);
            await writer.WriteAsync(row.Timestamp.UtcDateTime, NpgsqlDbType.TimestampTz, cancellationToken);
            if (row.SrcMac is { } mac)
                await writer.WriteAsync(PhysicalAddress.Parse(mac.ToString("N")), NpgsqlDbType.MacAddr, cancellationToken);
            else
                await writer.WriteNullAsync(cancellationToken);
            await writer.WriteAsync(row.DstIp, NpgsqlDbType.Inet, cancellationToken);
            await writer.WriteAsync(row.DstPort, NpgsqlDbType.Integer, cancellationToken);
            await writer.WriteAsync(row.ThreatScore, NpgsqlDbType.Real, cancellationToken);
            await writer.WriteAsync($$"""{"uid": "{{row.Metadata.Uid}}"}""", NpgsqlDbType.Jsonb, cancellationToken);
        }

        await writer.CompleteAsync(cancellationToken);
    }
}
