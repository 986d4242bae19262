using Npgsql;

namespace CobaltGraph.Data.Ingest;

/// <summary>Beginning and end of a transaction that stores a batch.</summary>
internal static class LedgerClaim
{
    /// <summary>Whose transaction it is; named like the claim, by which a session that is lost is known.</summary>
    public const string SessionSql =
        "SELECT pg_backend_pid(), (SELECT backend_start FROM pg_stat_get_activity(pg_backend_pid())) /* ingest_batches */";

    /// <summary>Claims an entry as the transaction's first statement, and notes whose transaction it is.</summary>
    public static async Task ClaimAsync(
        NpgsqlConnection connection, LedgerEntry entry, Attempt attempt, CancellationToken cancellationToken)
    {
        // Known before the server answers; what it answers is exact behind a pooler too.
        attempt.BackendPid = connection.ProcessID;
        var claim = new NpgsqlBatchCommand(Ledger.ClaimSql);
        Ledger.AddClaimParameters(claim.Parameters, entry);
        var batch = new NpgsqlBatch(connection)
        {
            Timeout = attempt.TimeoutSeconds,
            BatchCommands =
            {
                claim,
                new(SessionSql),
            },
        };
        await using (batch.ConfigureAwait(false))
        {
            var reader = await batch.ExecuteReaderAsync(cancellationToken).ConfigureAwait(false);
            await using (reader.ConfigureAwait(false))
            {
                if (await reader.ReadAsync(cancellationToken).ConfigureAwait(false))
                    attempt.ClaimedAt = reader.GetDateTime(0);
                await reader.NextResultAsync(cancellationToken).ConfigureAwait(false);
                await reader.ReadAsync(cancellationToken).ConfigureAwait(false);
                attempt.BackendPid = reader.GetInt32(0);
                // Hidden where the session acts as another role than its login.
                attempt.BackendStart = await reader.IsDBNullAsync(1, cancellationToken).ConfigureAwait(false) ? null : reader.GetDateTime(1);
            }
        }
    }

    /// <summary>
    /// Commits. A caller who gives up is not heard any more: a commit that was sent is not taken back, and whoever breaks
    /// it off cannot know whether it happened.
    /// </summary>
    /// <param name="connection">The connection in the transaction.</param>
    /// <param name="attempt">Told that the outcome is open until this returns.</param>
    /// <param name="cancellationToken">Heard before the commit is sent.</param>
    public static async Task CommitAsync(NpgsqlConnection connection, Attempt attempt, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        // The transaction's own method has the timeout of the connection string, and deferred constraints take their time.
        var commit = new NpgsqlCommand("COMMIT", connection) { CommandTimeout = attempt.TimeoutSeconds };
        await using (commit.ConfigureAwait(false))
            await attempt.CommitAsync(() => commit.ExecuteNonQueryAsync(attempt.Deadline)).ConfigureAwait(false);
    }
}
