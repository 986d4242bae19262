using Npgsql;

namespace CobaltGraph.Data.Ingest;

/// <summary>
/// Hands the batches of a stream that has a key to several writers, and none over behind one whose key stands for other
/// rows: whoever then takes another key for the rest would store it a second time.
/// </summary>
/// <remarks>
/// The storing finds a conflict too, but by then another writer may be at the batch behind it. Where somebody else commits
/// other rows in between, that still happens; what is stored behind the conflict is then told.
/// </remarks>
internal sealed class StreamGuard<T>(
    NpgsqlDataSource dataSource, BatchQueue<T> queue, IngestRetryOptions retry, TimeProvider clock, CancellationToken cancellationToken)
{
    // In order, apart from each other.
    private readonly List<(long First, long End)> _stored = [];
    private Batch<T>? _conflict;

    /// <summary>Hands a batch over.</summary>
    /// <returns>False when the queue takes no more.</returns>
    public async ValueTask<bool> AddAsync(Batch<T> batch)
    {
        if (await IsFreeOfConflictAsync(batch).ConfigureAwait(false))
            return await queue.AddAsync(batch).ConfigureAwait(false);
        // The storer finds the conflict, or what else is wrong; nobody else may be at work then.
        await queue.DrainAsync().ConfigureAwait(false);
        var isTaken = await queue.AddAsync(batch).ConfigureAwait(false);
        await queue.DrainAsync().ConfigureAwait(false);
        return isTaken && queue.Failure is null;
    }

    /// <summary>Takes note of a batch that is stored, now or before.</summary>
    public void Stored(Batch<T> batch)
    {
        var (first, end) = (batch.FirstPosition, batch.FirstPosition + batch.ItemCount);
        var at = _stored.FindIndex(range => range.End >= first);
        if (at < 0)
            at = _stored.Count;
        while (at < _stored.Count && _stored[at].First <= end)
        {
            (first, end) = (Math.Min(first, _stored[at].First), Math.Max(end, _stored[at].End));
            _stored.RemoveAt(at);
        }

        _stored.Insert(at, (first, end));
    }

    /// <summary>Takes note of a batch that is not stored.</summary>
    public void Failed(Batch<T> batch, Exception e)
    {
        if (e is BatchConflictException)
            _conflict ??= batch;
    }

    /// <summary>The conflict with what is stored behind it, if anything is.</summary>
    public BatchConflictException Explain(BatchConflictException e)
    {
        var behind = _stored.Where(range => range.First > _conflict?.FirstPosition)
            .Select(range => FormattableString.Invariant($"{range.First} to {range.End - 1}")).ToArray();
        return behind.Length == 0
            ? e
            : new BatchConflictException(
                $"{e.Message} Of the rows behind it, numbers {string.Join(", ", behind)} are stored under this StreamKey: leave them out.",
                e.BatchSource, e.BatchKey);
    }

    private async Task<bool> IsFreeOfConflictAsync(Batch<T> batch)
    {
        using var deadline = new CancellationTokenSource(retry.AttemptTimeout, clock);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, deadline.Token);
        try
        {
            var connection = await dataSource.OpenConnectionAsync(either.Token).ConfigureAwait(false);
            await using (connection.ConfigureAwait(false))
            {
                for (var item = 0; item < batch.ItemCount;)
                {
                    var stored = await Ledger.FindAsync(connection, batch.Source, batch.Identity.KeyAt(item), either.Token)
                        .ConfigureAwait(false);
                    if (stored is null)
                        return true;
                    if (!stored.IsBeginningOf(batch.Identity, item, batch.ItemCount - item))
                        return false;
                    item += (int)stored.Read;
                }
            }

            return true;
        }
        catch (Exception e) when (e is NpgsqlException or TimeoutException or OperationCanceledException)
        {
            cancellationToken.ThrowIfCancellationRequested();
            return false;
        }
    }
}
