using Npgsql;

namespace CobaltGraph.Benchmarks.Ingest;

/// <summary>What the rows take on disk, in bytes, as they were left by the run.</summary>
internal sealed record StoredSize
{
    /// <summary>connections with its partitions: rows, large values, maps.</summary>
    public required long Table { get; init; }

    /// <summary>All indexes of connections.</summary>
    public required long Indexes { get; init; }

    /// <summary>Edges of the graph with their indexes; 0 where there are none.</summary>
    public required long Destinations { get; init; }

    public static async Task<StoredSize> ReadAsync(NpgsqlDataSource dataSource, Schema schema, CancellationToken cancellationToken)
    {
        await using var command = dataSource.CreateCommand(
            """
            WITH parts AS (
                SELECT $1::regclass::oid AS oid
                UNION ALL
                SELECT inhrelid FROM pg_inherits WHERE inhparent = $1::regclass
            )
            SELECT sum(pg_table_size(oid))::bigint, sum(pg_indexes_size(oid))::bigint,
                   coalesce(pg_total_relation_size(to_regclass('device_destinations')), 0)
            FROM parts
            """);
        command.Parameters.Add(new() { Value = schema == Schema.Bare ? "bare.connections" : "connections" });
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        await reader.ReadAsync(cancellationToken);
        return new()
        {
            Table = reader.GetInt64(0),
            Indexes = reader.GetInt64(1),
            Destinations = schema == Schema.CobaltGraph ? reader.GetInt64(2) : 0,
        };
    }
}
