using Npgsql;
using NpgsqlTypes;

namespace CobaltGraph.Data.Ingest;

/// <summary>An entry of <c>ingest_batches</c> that is about to be written.</summary>
internal sealed record LedgerEntry(
    string Source,
    string Key,
    byte[]? ContentHash,
    long Read,
    long Stored,
    long Rejected,
    DateTimeOffset? FirstEventAt,
    DateTimeOffset? LastEventAt);

/// <summary>An entry that is there.</summary>
internal sealed record StoredEntry(byte[]? ContentHash, long Read, long Rejected, DateTime CommittedAt)
{
    /// <summary>Whether it covers the next of so many items, and the same.</summary>
    public bool IsBeginningOf(IBatchIdentity identity, int item, int items)
        => Read > 0 && Read <= items && ContentHash is { } known
            && identity.HashOf(item, (int)Read) is { } hash && known.AsSpan().SequenceEqual(hash);
}

/// <summary>
/// The ledger of batches. Claiming a key is the first statement of the transaction that stores the batch: whoever comes
/// second waits for the first one, and then knows what became of it.
/// </summary>
internal static class Ledger
{
    /// <summary>Gives committed_at, or no row when the key is taken. For READ COMMITTED only.</summary>
    public const string ClaimSql =
        """
        INSERT INTO ingest_batches
            (source, batch_key, content_hash, rows_read, rows_stored, rows_rejected, first_event_at, last_event_at)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
        ON CONFLICT (source, batch_key) DO NOTHING
        RETURNING committed_at
        """;

    public static void AddClaimParameters(NpgsqlParameterCollection parameters, LedgerEntry entry)
    {
        parameters.Add(new NpgsqlParameter<string> { TypedValue = entry.Source, NpgsqlDbType = NpgsqlDbType.Text });
        parameters.Add(new NpgsqlParameter<string> { TypedValue = entry.Key, NpgsqlDbType = NpgsqlDbType.Text });
        parameters.Add(new NpgsqlParameter
        {
            Value = (object?)entry.ContentHash ?? DBNull.Value,
            NpgsqlDbType = NpgsqlDbType.Bytea,
        });
        parameters.Add(new NpgsqlParameter<long> { TypedValue = entry.Read });
        parameters.Add(new NpgsqlParameter<long> { TypedValue = entry.Stored });
        parameters.Add(new NpgsqlParameter<long> { TypedValue = entry.Rejected });
        parameters.Add(Time(entry.FirstEventAt));
        parameters.Add(Time(entry.LastEventAt));

        static NpgsqlParameter Time(DateTimeOffset? time) => new()
        {
            Value = time is { } known ? known.UtcDateTime : DBNull.Value,
            NpgsqlDbType = NpgsqlDbType.TimestampTz,
        };
    }

    public static async Task<StoredEntry?> FindAsync(
        NpgsqlConnection connection, string source, string key, CancellationToken cancellationToken)
    {
        var command = new NpgsqlCommand(
            """
            SELECT content_hash, rows_read, rows_rejected, committed_at
            FROM ingest_batches
            WHERE source = $1 AND batch_key = $2
            """,
            connection);
        await using (command.ConfigureAwait(false))
        {
            command.Parameters.Add(new NpgsqlParameter<string> { TypedValue = source });
            command.Parameters.Add(new NpgsqlParameter<string> { TypedValue = key });
            var reader = await command.ExecuteReaderAsync(cancellationToken).ConfigureAwait(false);
            await using (reader.ConfigureAwait(false))
            {
                if (!await reader.ReadAsync(cancellationToken).ConfigureAwait(false))
                    return null;
                return new StoredEntry(
                    await reader.IsDBNullAsync(0, cancellationToken).ConfigureAwait(false)
                        ? null
                        : await reader.GetFieldValueAsync<byte[]>(0, cancellationToken).ConfigureAwait(false),
                    reader.GetInt64(1),
                    reader.GetInt64(2),
                    reader.GetDateTime(3));
            }
        }
    }

    /// <summary>Corrects what a claim said before it was known which rows the server refuses.</summary>
    public static async Task CorrectAsync(
        NpgsqlConnection connection, LedgerEntry entry, long refused, CancellationToken cancellationToken)
    {
        var command = new NpgsqlCommand(
            """
            UPDATE ingest_batches
            SET rows_stored = rows_stored - $3, rows_rejected = rows_rejected + $3
            WHERE source = $1 AND batch_key = $2
            """,
            connection);
        await using (command.ConfigureAwait(false))
        {
            command.Parameters.Add(new NpgsqlParameter<string> { TypedValue = entry.Source });
            command.Parameters.Add(new NpgsqlParameter<string> { TypedValue = entry.Key });
            command.Parameters.Add(new NpgsqlParameter<long> { TypedValue = refused });
            await command.ExecuteNonQueryAsync(cancellationToken).ConfigureAwait(false);
        }
    }
}
