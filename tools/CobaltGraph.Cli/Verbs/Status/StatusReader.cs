using System.Data;
using CobaltGraph.Data.Schema;
using Npgsql;

namespace CobaltGraph.Cli.Verbs.Status;

/// <summary>A table and what is in it.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Rows">Rows, counted or estimated; null when nobody knows.</param>
/// <param name="Estimated">Whether the server estimated them, because counting would take long.</param>
/// <param name="Bytes">Size with indexes.</param>
internal sealed record TableStatus(string Name, long? Rows, bool Estimated, long Bytes);

/// <summary>A partition of connections.</summary>
/// <param name="Name">Its name.</param>
/// <param name="IsDefault">Whether it takes what no other takes.</param>
/// <param name="From">The earliest time it takes.</param>
/// <param name="To">The time from which on it takes no more.</param>
/// <param name="Rows">Rows, counted or estimated; null when nobody knows.</param>
/// <param name="Estimated">Whether the server estimated them.</param>
/// <param name="Bytes">Size with indexes.</param>
internal sealed record PartitionStatus(
    string Name, bool IsDefault, DateTimeOffset? From, DateTimeOffset? To, long? Rows, bool Estimated, long Bytes);

/// <summary>What a database holds, beyond its migrations.</summary>
internal sealed record DatabaseStatus(
    IReadOnlyList<TableStatus> Tables,
    IReadOnlyList<PartitionStatus> Partitions,
    bool HasPartitionForNow,
    (DateTime First, DateTime Last)? UnpartitionedTimes,
    long DatabaseBytes,
    MigrationLockHolder? LockHolder);

internal static class StatusReader
{
    // Counting reads the whole table: below this size that takes well under a second.
    private const long LargestCounted = 64L << 20;

    private const string TablesSql = """
        SELECT c.relname, c.relkind = 'p', c.reltuples::bigint, pg_catalog.pg_total_relation_size(c.oid)
        FROM pg_catalog.pg_class AS c
        WHERE c.relnamespace = (SELECT oid FROM pg_catalog.pg_namespace WHERE nspname = $1)
          AND c.relname IN (
              'devices', 'connections', 'destinations', 'device_activity_hourly', 'device_addresses', 'device_destinations',
              'device_events', 'device_sightings', 'device_threat_counts', 'ingest_batches')
          AND c.relkind IN ('r', 'p')
        ORDER BY c.relname
        """;

    private const string PartitionsSql = """
        SELECT c.relname,
               pg_catalog.pg_get_expr(c.relpartbound, c.oid) = 'DEFAULT',
               substring(pg_catalog.pg_get_expr(c.relpartbound, c.oid) from $r$FROM \('([^']+)'\)$r$)::timestamptz,
               substring(pg_catalog.pg_get_expr(c.relpartbound, c.oid) from $r$TO \('([^']+)'\)$r$)::timestamptz,
               c.reltuples::bigint,
               pg_catalog.pg_total_relation_size(c.oid)
        FROM pg_catalog.pg_inherits AS i
        JOIN pg_catalog.pg_class AS c ON c.oid = i.inhrelid
        JOIN pg_catalog.pg_class AS p ON p.oid = i.inhparent
        WHERE p.relname = 'connections'
          AND p.relnamespace = (SELECT oid FROM pg_catalog.pg_namespace WHERE nspname = $1)
        ORDER BY 2, 3, 1
        """;

    public static async Task<DatabaseStatus> ReadAsync(
        NpgsqlDataSource dataSource, string schema, CancellationToken cancellationToken)
    {
        await using var connection = await dataSource.OpenConnectionAsync(cancellationToken);
        // Month bounds are UTC; this is how the server will write them.
        await using (var utc = new NpgsqlCommand("SET timezone = 'UTC'", connection))
            await utc.ExecuteNonQueryAsync(cancellationToken);

        var partitions = new List<PartitionStatus>();
        foreach (var (partition, estimate) in await ReadAsync(
            connection, PartitionsSql, schema,
            row => (
                new PartitionStatus(
                    row.GetString(0), row.GetBoolean(1), Time(row, 2), Time(row, 3), null, false, row.GetInt64(5)),
                row.GetInt64(4)),
            cancellationToken))
        {
            var (rows, estimated) = await CountAsync(
                connection, schema, partition.Name, estimate, partition.Bytes, cancellationToken);
            partitions.Add(partition with { Rows = rows, Estimated = estimated });
        }

        var tables = new List<TableStatus>();
        foreach (var (name, isPartitioned, estimate, bytes) in await ReadAsync(
            connection, TablesSql, schema,
            row => (row.GetString(0), row.GetBoolean(1), row.GetInt64(2), row.GetInt64(3)), cancellationToken))
        {
            if (isPartitioned)
            {
                var known = partitions.All(partition => partition.Rows is not null);
                tables.Add(new(
                    name,
                    known ? partitions.Sum(partition => partition.Rows) : null,
                    partitions.Any(partition => partition.Estimated),
                    partitions.Sum(partition => partition.Bytes)));
                continue;
            }

            var (rows, estimated) = await CountAsync(connection, schema, name, estimate, bytes, cancellationToken);
            tables.Add(new(name, rows, estimated, bytes));
        }

        var now = (await ReadAsync(
            connection,
            """
            SELECT 'connections_' || to_char(now() AT TIME ZONE 'UTC', '"y"YYYY"m"MM'),
                   pg_catalog.pg_database_size(current_database())
            WHERE $1 IS NOT NULL
            """,
            schema, row => (Partition: row.GetString(0), Bytes: row.GetInt64(1)), cancellationToken))[0];
        (DateTime, DateTime)? times = null;
        if (partitions.SingleOrDefault(partition => partition.IsDefault) is { Rows: not 0 } rest)
        {
            try
            {
                var quote = new NpgsqlCommandBuilder();
                times = (await ReadAsync(
                    connection,
                    // Other times .NET does not have.
                    $"SELECT min(timestamp), max(timestamp) FROM {quote.QuoteIdentifier(schema)}.{quote.QuoteIdentifier(rest.Name)} WHERE $1 IS NOT NULL AND timestamp >= '0002-01-01Z' AND timestamp < '9999-01-01Z'",
                    schema,
                    row => row.IsDBNull(0) ? ((DateTime, DateTime)?)null : (row.GetDateTime(0), row.GetDateTime(1)),
                    cancellationToken))[0];
            }
            catch (PostgresException e) when (e.SqlState == PostgresErrorCodes.InsufficientPrivilege)
            {
                // A maintainer may read no data.
            }
        }

        return new(
            tables,
            partitions,
            partitions.Any(partition => partition.Name == now.Partition),
            times,
            now.Bytes,
            await MigrationLock.FindHolderAsync(connection, schema, cancellationToken));
    }

    private static DateTimeOffset? Time(NpgsqlDataReader row, int column)
        => row.IsDBNull(column) ? null : new DateTimeOffset(row.GetDateTime(column));

    private static async Task<(long? Rows, bool Estimated)> CountAsync(
        NpgsqlConnection connection,
        string schema,
        string table,
        long estimate,
        long bytes,
        CancellationToken cancellationToken)
    {
        if (bytes <= LargestCounted)
        {
            try
            {
                var quote = new NpgsqlCommandBuilder();
                await using var command = new NpgsqlCommand(
                    $"SELECT count(*) FROM {quote.QuoteIdentifier(schema)}.{quote.QuoteIdentifier(table)}", connection);
                return ((long)(await command.ExecuteScalarAsync(cancellationToken))!, false);
            }
            catch (PostgresException e) when (e.SqlState == PostgresErrorCodes.InsufficientPrivilege)
            {
                // A maintainer may read no data.
            }
        }

        // Never analysed: below zero, and before PostgreSQL 14 zero.
        return (estimate < 0 || (estimate == 0 && bytes > 0) ? null : estimate, true);
    }

    private static async Task<List<T>> ReadAsync<T>(
        NpgsqlConnection connection,
        string sql,
        string schema,
        Func<NpgsqlDataReader, T> map,
        CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand(sql, connection);
        command.Parameters.Add(new() { Value = schema, NpgsqlDbType = NpgsqlTypes.NpgsqlDbType.Text });
        await using var reader = await command.ExecuteReaderAsync(CommandBehavior.Default, cancellationToken);
        var rows = new List<T>();
        while (await reader.ReadAsync(cancellationToken)) rows.Add(map(reader));
        return rows;
    }
}
