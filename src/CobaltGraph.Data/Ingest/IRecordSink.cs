using Npgsql;

namespace CobaltGraph.Data.Ingest;

/// <summary>How records of one kind get into the database.</summary>
/// <typeparam name="T">Connection or DeviceSighting.</typeparam>
internal interface IRecordSink<T>
{
    /// <summary>What the records are called in logs and metrics.</summary>
    string Kind { get; }

    IRecordBuffer<T> NewBuffer();

    /// <summary>Field, what is wrong and what is accepted; null for a row that the database takes.</summary>
    string? Check(T record);

    /// <summary>
    /// Claims the entry and stores the rows from one on, in one transaction. Says in the attempt how far it got; without a
    /// claim there, the key was taken and nothing is stored.
    /// </summary>
    Task StoreAsync(
        NpgsqlConnection connection, LedgerEntry entry, IRecordBuffer<T> rows, int firstRow, Attempt attempt,
        CancellationToken cancellationToken);

    /// <summary>Stores some rows in the transaction that is open, deferred constraints included.</summary>
    Task StorePartAsync(
        NpgsqlConnection connection, IRecordBuffer<T> rows, int start, int count, Attempt attempt,
        CancellationToken cancellationToken);
}

/// <summary>How far one try to store a batch got.</summary>
internal sealed class Attempt
{
    /// <summary>Ends the wait for a server that does not answer; for the commit nothing else does.</summary>
    public CancellationToken Deadline { get; set; }

    /// <summary>How long one of its statements may take.</summary>
    public TimeSpan StatementTimeout { get; set; }

    /// <summary>The same as the driver counts it.</summary>
    public int TimeoutSeconds => (int)Math.Ceiling(StatementTimeout.TotalSeconds);

    /// <summary>The server process that works for it, to be ended should the connection to it break.</summary>
    public int BackendPid { get; set; }

    /// <summary>When that process began, for its number may be used again; null while the server has not said it.</summary>
    public DateTime? BackendStart { get; set; }

    /// <summary>committed_at of the claimed entry; null when the key was taken, or nothing is known yet.</summary>
    public DateTime? ClaimedAt { get; set; }

    /// <summary>Rows that the server refused, of a batch that is stored in parts.</summary>
    public IReadOnlyList<(int Row, string Reason)> Refused { get; set; } = [];

    /// <summary>Whether the commit was sent and no answer to it came, so that its outcome is open.</summary>
    public bool IsCommitting { get; private set; }

    /// <summary>Runs what commits. Its outcome is open from here on, until it succeeds or the server refuses it.</summary>
    public async Task<T> CommitAsync<T>(Func<Task<T>> commit)
    {
        IsCommitting = true;
        try
        {
            var result = await commit().ConfigureAwait(false);
            IsCommitting = false;
            return result;
        }
        catch (Exception e) when (Faults.IsRefusal(e))
        {
            IsCommitting = false;
            throw;
        }
    }
}
