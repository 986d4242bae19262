using System.Data;
using System.Globalization;
using System.Security.Cryptography;
using Microsoft.Extensions.Logging;
using Npgsql;

namespace CobaltGraph.Data.Ingest;

/// <summary>What became of a batch.</summary>
internal record BatchOutcome<T>(
    long Stored,
    long Duplicate,
    int Transactions,
    int Retries,
    IReadOnlyList<IngestRejection<T>> Rejections)
{
    /// <summary>
    /// Rows that the server refused when their batch was stored, of which it cannot be told any more which they are.
    /// </summary>
    public long RejectedBefore { get; init; }
}

/// <summary>Stores batches.</summary>
internal interface IBatchStorer<T>
{
    /// <exception cref="BatchConflictException">The key stands for other content.</exception>
    /// <exception cref="IngestException">The batch is not stored, or that is unknown.</exception>
    /// <exception cref="OperationCanceledException">Cancelled before the commit.</exception>
    Task<BatchOutcome<T>> StoreAsync(Batch<T> batch, CancellationToken cancellationToken);
}

/// <summary>
/// Stores one batch exactly once, whatever breaks on the way. The ledger decides: each try claims the same key on a new
/// connection, so that a try whose commit was lost from sight is found again instead of being repeated.
/// </summary>
internal sealed class BatchStorer<T>(
    NpgsqlDataSource dataSource,
    IRecordSink<T> sink,
    IngestRetryOptions retry,
    TimeProvider clock,
    ILogger logger) : IBatchStorer<T>
{
    private const string Savepoint = "ingest_part";

    // Many statements instead of one.
    private const int PartsTimeoutFactor = 20;

    // A batch that takes too long so often is stored in halves.
    private const int TimeoutsBeforeParts = 2;

    // Longer ones no timer has.
    private static readonly TimeSpan LongestTimeout = TimeSpan.FromDays(40);

    // Npgsql waits for an answer to its cancellation, and where it opens a connection or disposes of a reader, an importer or
    // a transaction it hears no cancellation at all.
    private static readonly TimeSpan Grace = TimeSpan.FromSeconds(3);

    /// <inheritdoc/>
    public async Task<BatchOutcome<T>> StoreAsync(Batch<T> batch, CancellationToken cancellationToken)
    {
        var started = clock.GetTimestamp();
        using var activity = IngestDiagnostics.Activities.StartActivity("cobaltgraph.ingest.batch");
        activity?.SetTag("cobaltgraph.source", batch.Source);

        var run = new Run(batch);
        var limit = Times(retry.BatchTimeout, batch);
        while (!run.IsDone)
        {
            var entry = run.NextEntry();
            var attempt = new Attempt();
            try
            {
                await AttemptAsync(run, entry, attempt, limit - clock.GetElapsedTime(started), cancellationToken).ConfigureAwait(false);
            }
            catch (Exception e) when (!run.IsSplit && Faults.CallsForParts(e))
            {
                // The next try finds the row, or makes do with shorter statements.
                cancellationToken.ThrowIfCancellationRequested();
                run.IsSplit = true;
                IngestLog.Splitting(logger, batch.Source, entry.Key, Faults.Describe(e));
            }
            catch (Exception e) when (e is not OperationCanceledException || !cancellationToken.IsCancellationRequested)
            {
                await RecoverAsync(run, entry, attempt, e, started, limit, cancellationToken).ConfigureAwait(false);
            }
        }

        var outcome = run.Outcome();
        activity?.SetTag("cobaltgraph.rows", outcome.Stored);
        IngestDiagnostics.Record(sink.Kind, batch.Source, outcome.Stored, outcome.Duplicate, outcome.Rejections.Count + outcome.RejectedBefore, clock.GetElapsedTime(started));
        return outcome;
    }

    private async Task AttemptAsync(
        Run run, LedgerEntry entry, Attempt attempt, TimeSpan left, CancellationToken cancellationToken)
    {
        var statement = Times(retry.AttemptTimeout, run.Batch);
        var timeout = statement * (run.IsSplit || run.Unclear is not null ? PartsTimeoutFactor : 1);
        timeout = new[] { timeout, left, LongestTimeout }.Min();
        if (timeout <= TimeSpan.Zero)
            throw new TimeoutException("no time is left");
        using var deadline = new CancellationTokenSource(timeout, clock);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, deadline.Token);
        attempt.Deadline = deadline.Token;
        attempt.StatementTimeout = statement < timeout ? statement : timeout;
        var work = TryAsync(run, [.. run.Stale], entry, attempt, either.Token);
        try
        {
            var learn = await work.WaitAsync(timeout + Grace, clock, CancellationToken.None).ConfigureAwait(false);
            learn?.Invoke();
        }
        catch (TimeoutException) when (!work.IsCompleted)
        {
            // Left to itself: every further step of it is cancelled, and what it may have sent is subject to the ledger.
            _ = work.ContinueWith(
                static task => task.Exception, CancellationToken.None, TaskContinuationOptions.OnlyOnFaulted, TaskScheduler.Default);
            throw new TimeoutException(
                string.Create(CultureInfo.InvariantCulture, $"no answer within {timeout.TotalSeconds:0.###} s"));
        }
        catch (OperationCanceledException e) when (deadline.IsCancellationRequested && !cancellationToken.IsCancellationRequested)
        {
            throw new TimeoutException(
                string.Create(CultureInfo.InvariantCulture, $"no answer within {timeout.TotalSeconds:0.###} s"), e);
        }
        catch (PostgresException e) when (Faults.IsStatementTimeout(e) && deadline.IsCancellationRequested)
        {
            throw new TimeoutException(
                string.Create(CultureInfo.InvariantCulture, $"not done within {timeout.TotalSeconds:0.###} s"), e);
        }
    }

    /// <summary>A time for 10,000 rows, for a batch of perhaps more.</summary>
    private static TimeSpan Times(TimeSpan time, Batch<T> batch)
        => time * Math.Max(1, batch.Rows.Count / IngestOptions<T>.DefaultBatchSize);

    /// <summary>One try. It may end long after it was given up, and therefore tells the run nothing by itself.</summary>
    /// <returns>What the run learns from it; null when whoever held the key has let go of it.</returns>
    private async Task<Action?> TryAsync(
        Run run, IReadOnlyList<Attempt> stale, LedgerEntry entry, Attempt attempt, CancellationToken cancellationToken)
    {
        var (rows, firstRow, isSplit, unclear) = (run.Batch.Rows, run.FirstRow, run.IsSplit, run.Unclear);
        var connection = await dataSource.OpenConnectionAsync(cancellationToken).ConfigureAwait(false);
        await using (connection.ConfigureAwait(false))
        {
            try
            {
                await EndStaleAsync(connection, stale, cancellationToken).ConfigureAwait(false);
                if (unclear is not null)
                {
                    var refused = await FindRefusedAsync(connection, rows, unclear, attempt, cancellationToken).ConfigureAwait(false);
                    return () => run.Cleared(unclear, refused);
                }

                if (isSplit)
                    await StorePartsAsync(connection, rows, firstRow, entry, attempt, cancellationToken).ConfigureAwait(false);
                else
                    await sink.StoreAsync(connection, entry, rows, firstRow, attempt, cancellationToken).ConfigureAwait(false);

                if (attempt.ClaimedAt is not null)
                    return () => run.Stored(entry, attempt);
                return await Ledger.FindAsync(connection, entry.Source, entry.Key, cancellationToken).ConfigureAwait(false) is { } stored
                    ? () => run.Found(entry, stored)
                    : null;
            }
            finally
            {
                // The server has heard of the end, and others of the pool get the session.
                if (connection.State == ConnectionState.Open)
                    attempt.BackendPid = 0;
            }
        }
    }

    /// <summary>
    /// Ends server processes that still work for tries whose connection is lost: one that waits for rows that never come
    /// would hold the key for as long as the network lets it.
    /// </summary>
    internal async Task EndStaleAsync(
        NpgsqlConnection connection, IReadOnlyList<Attempt> stale, CancellationToken cancellationToken)
    {
        foreach (var attempt in stale.Where(attempt => attempt.BackendPid != 0))
        {
            var command = new NpgsqlCommand(
                """
                SELECT pg_terminate_backend(pid)
                FROM pg_stat_get_activity($1)
                WHERE pid <> pg_backend_pid()
                  AND (backend_start = $2
                   OR ($2 IS NULL AND datid = (SELECT oid FROM pg_database WHERE datname = current_database())
                       AND usesysid = (SELECT usesysid FROM pg_stat_get_activity(pg_backend_pid()))
                       AND (state = 'disabled' OR query LIKE '%ingest_batches%')))
                """,
                connection);
            await using (command.ConfigureAwait(false))
            {
                command.Parameters.Add(new NpgsqlParameter<int> { TypedValue = attempt.BackendPid });
                command.Parameters.Add(new NpgsqlParameter
                {
                    Value = (object?)attempt.BackendStart ?? DBNull.Value,
                    NpgsqlDbType = NpgsqlTypes.NpgsqlDbType.TimestampTz,
                });
                try
                {
                    if (await command.ExecuteScalarAsync(cancellationToken).ConfigureAwait(false) is true)
                        IngestLog.EndedStale(logger, attempt.BackendPid);
                    // Once: the number may be another's from now on.
                    attempt.BackendPid = 0;
                }
                catch (PostgresException e) when (e.SqlState == PostgresErrorCodes.InsufficientPrivilege)
                {
                    // It runs under another role; then it is waited for.
                }
            }
        }
    }

    /// <summary>Waits before the next try, or throws when there is none.</summary>
    private async Task RecoverAsync(
        Run run, LedgerEntry entry, Attempt attempt, Exception e, long started, TimeSpan limit, CancellationToken cancellationToken)
    {
        if (e is IngestException)
            throw e;

        // Cancelled, and the server said so in its own words.
        if (e is PostgresException { SqlState: PostgresErrorCodes.QueryCanceled })
            cancellationToken.ThrowIfCancellationRequested();

        var isTransient = Faults.IsTransient(e);
        run.Failed(attempt, isTransient && e is not PostgresException, Faults.IsTimeout(e));
        var delay = Delay(run.Attempts);
        if (!isTransient || run.Attempts >= retry.MaxAttempts || clock.GetElapsedTime(started) + delay >= limit)
        {
            throw new IngestException(
                Explain(run, entry, e, isTransient, clock.GetElapsedTime(started)),
                entry.Source, entry.Key, run.IsOutcomeOpen, e);
        }

        if (Faults.AffectsPool(e))
            dataSource.Clear();
        if (run.Timeouts >= TimeoutsBeforeParts && !run.IsSplit)
        {
            run.IsSplit = true;
            IngestLog.Splitting(logger, entry.Source, entry.Key, Faults.Describe(e));
        }

        IngestLog.Retrying(logger, e, entry.Source, entry.Key, run.Attempts, retry.MaxAttempts, delay);
        IngestDiagnostics.Retries.Add(1, new KeyValuePair<string, object?>("cobaltgraph.kind", sink.Kind));
        await Task.Delay(delay, clock, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Doubles, up to the longest; half of it is left to chance, so that writers do not meet again.</summary>
    private TimeSpan Delay(int attempts)
    {
        var longest = Math.Min(retry.MaxDelay.Ticks, retry.FirstDelay.Ticks * Math.Pow(2, attempts - 1));
        return TimeSpan.FromTicks((long)(longest * (0.5 + RandomNumberGenerator.GetInt32(0, 1001) / 2000.0)));
    }

    private static string Explain(
        Run run, LedgerEntry entry, Exception e, bool isTransient, TimeSpan elapsed)
    {
        var batch = $"Batch '{Model.DisplayText.Escape(entry.Key)}' of source '{Model.DisplayText.Escape(entry.Source)}'";
        if (LedgerSource.IsForeign(e))
            return $"{batch} is not stored: {LedgerSource.Explain(entry.Source)}.";

        var tries = string.Create(CultureInfo.InvariantCulture, $"{run.Attempts} tries in {elapsed.TotalSeconds:0.#} s");
        var state = run.IsOutcomeOpen
            ? "may or may not be stored, for the connection broke during the commit; storing it again under its key settles which"
            : "is not stored";
        return isTransient
            ? $"{batch} {state}, after {tries}: {Faults.Describe(e)}"
            : $"{batch} {state}: {Faults.Describe(e)}";
    }

    /// <summary>
    /// Stores the rows in parts, halving those in which one is at fault until it stands alone; all in one transaction.
    /// </summary>
    private async Task StorePartsAsync(
        NpgsqlConnection connection, IRecordBuffer<T> rows, int firstRow, LedgerEntry entry, Attempt attempt,
        CancellationToken cancellationToken)
    {
        var transaction = await connection.BeginTransactionAsync(IsolationLevel.ReadCommitted, cancellationToken).ConfigureAwait(false);
        await using (transaction.ConfigureAwait(false))
        {
            await LedgerClaim.ClaimAsync(connection, entry, attempt, cancellationToken).ConfigureAwait(false);
            if (attempt.ClaimedAt is null)
                return;

            var refused = await StorePartsAsync(
                connection, transaction, rows, firstRow, rows.Count - firstRow, attempt, cancellationToken).ConfigureAwait(false);
            if (refused.Count > 0)
                await Ledger.CorrectAsync(connection, entry, refused.Count, cancellationToken).ConfigureAwait(false);
            attempt.Refused = refused;
            await LedgerClaim.CommitAsync(connection, attempt, cancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>Finds the rows that the server refuses, and stores none.</summary>
    private async Task<List<(int Row, string Reason)>> FindRefusedAsync(
        NpgsqlConnection connection, IRecordBuffer<T> rows, StoredPart part, Attempt attempt, CancellationToken cancellationToken)
    {
        var transaction = await connection.BeginTransactionAsync(IsolationLevel.ReadCommitted, cancellationToken).ConfigureAwait(false);
        await using (transaction.ConfigureAwait(false))
        {
            var refused = await StorePartsAsync(
                connection, transaction, rows, part.FirstRow, part.Rows, attempt, cancellationToken).ConfigureAwait(false);
            await transaction.RollbackAsync(cancellationToken).ConfigureAwait(false);
            return refused;
        }
    }

    /// <returns>The rows that the server refuses.</returns>
    private async Task<List<(int Row, string Reason)>> StorePartsAsync(
        NpgsqlConnection connection, NpgsqlTransaction transaction, IRecordBuffer<T> rows, int firstRow, int rowCount,
        Attempt attempt, CancellationToken cancellationToken)
    {
        var refused = new List<(int Row, string Reason)>();
        var parts = new Stack<(int Start, int Count)>();
        Halve(firstRow, rowCount);
        while (parts.TryPop(out var part))
        {
            await transaction.SaveAsync(Savepoint, cancellationToken).ConfigureAwait(false);
            try
            {
                await sink.StorePartAsync(connection, rows, part.Start, part.Count, attempt, cancellationToken).ConfigureAwait(false);
            }
            catch (Exception e) when (Faults.IsInPart(e))
            {
                await transaction.RollbackAsync(Savepoint, cancellationToken).ConfigureAwait(false);
                if (part.Count == 1)
                    refused.Add((part.Start, Faults.Describe(e)));
                else
                    Halve(part.Start, part.Count);
            }

            await transaction.ReleaseAsync(Savepoint, cancellationToken).ConfigureAwait(false);
        }

        return refused;

        void Halve(int start, int count)
        {
            var half = count / 2;
            if (count > half)
                parts.Push((start + half, count - half));
            if (half > 0)
                parts.Push((start, half));
        }
    }

    /// <summary>A part of a batch that was stored before, with rows that the server refused then.</summary>
    private sealed record StoredPart(int FirstRow, int Rows, int Items, long Refused);

    /// <summary>The way of one batch through its tries.</summary>
    private sealed class Run(Batch<T> batch)
    {
        // committed_at of tries whose commit was lost from sight; null for one that did not even hear that.
        private readonly List<DateTime?> _openClaims = [];
        private readonly List<Attempt> _stale = [];
        private readonly List<(int Row, string Reason)> _refused = [];
        private readonly List<(int Row, string Reason)> _refusedBefore = [];
        private int _firstItem;
        private bool _isStored;
        private long _stored;
        private long _duplicate;
        private long _rejectedBefore;
        private int _transactions;

        public Batch<T> Batch => batch;

        public int Attempts { get; private set; }

        /// <summary>Tries whose rows took too long.</summary>
        public int Timeouts { get; private set; }

        /// <summary>Whether rows are stored in parts, because one of them is refused or all together take too long.</summary>
        public bool IsSplit { get; set; }

        /// <summary>Tries whose connection is lost.</summary>
        public IReadOnlyList<Attempt> Stale => _stale;

        public int FirstRow => batch.RowsBefore(_firstItem);

        public bool IsDone => _isStored;

        /// <summary>Whether a try may have stored it, for all that is known.</summary>
        public bool IsOutcomeOpen => _openClaims.Count > 0;

        /// <summary>What is stored, and of which it has to be found out which rows are not.</summary>
        public StoredPart? Unclear { get; private set; }

        public LedgerEntry NextEntry()
        {
            var firstRow = FirstRow;
            var rows = batch.Rows.Count - firstRow;
            DateTimeOffset? first = null, last = null;
            for (var row = firstRow; row < batch.Rows.Count; row++)
            {
                var time = batch.Rows.TimeOf(row);
                if (first is null || time < first)
                    first = time;
                if (last is null || time > last)
                    last = time;
            }

            var items = batch.ItemCount - _firstItem;
            return new LedgerEntry(
                batch.Source, batch.Identity.KeyAt(_firstItem), batch.Identity.HashOf(_firstItem, items),
                items, rows, items - rows, first, last);
        }

        public void Stored(LedgerEntry entry, Attempt attempt)
        {
            Refuse(attempt);
            Stored(entry);
        }

        private void Stored(LedgerEntry entry)
        {
            _stored += entry.Stored - _refused.Count;
            _transactions++;
            _isStored = true;
        }

        private void Refuse(Attempt attempt)
        {
            _refused.Clear();
            _refused.AddRange(attempt.Refused);
        }

        /// <summary>Takes what another try, run or process stored under the key for stored, or finds that it is something else.</summary>
        public void Found(LedgerEntry entry, StoredEntry stored)
        {
            var isSame = stored.ContentHash is null || entry.ContentHash is null
                ? stored.Read == entry.Read
                : stored.Read == entry.Read && stored.ContentHash.AsSpan().SequenceEqual(entry.ContentHash);
            if (isSame)
            {
                if (_openClaims.Contains(stored.CommittedAt) || _openClaims.Contains(null))
                {
                    Stored(entry);
                    return;
                }

                _refused.Clear();
                WasStored((int)entry.Read, stored);
                return;
            }

            // What is stored may be a beginning of what is sent now.
            if (batch.Identity.CanContinue && stored.IsBeginningOf(batch.Identity, _firstItem, (int)entry.Read - 1))
            {
                WasStored((int)stored.Read, stored);
                return;
            }

            throw new BatchConflictException(
                string.Create(
                    CultureInfo.InvariantCulture,
                    $"Batch '{Model.DisplayText.Escape(entry.Key)}' of source '{Model.DisplayText.Escape(entry.Source)}' is stored already with other content ({stored.Read} rows on {stored.CommittedAt:yyyy-MM-dd HH:mm:ss}Z, now {entry.Read}). Nothing of it was stored now. {batch.Identity.OnConflict(_firstItem)}"),
                entry.Source, entry.Key);
        }

        /// <summary>Takes what was found out of a part that was stored before.</summary>
        public void Cleared(StoredPart part, List<(int Row, string Reason)> refused)
        {
            Unclear = null;
            // Otherwise the rules have changed since.
            if (refused.Count == part.Refused)
                _refusedBefore.AddRange(refused);
            else
                _rejectedBefore += part.Refused;
            WasStored(part);
        }

        private void WasStored(int items, StoredEntry stored)
        {
            var rows = batch.RowsBefore(_firstItem + items) - FirstRow;
            var part = new StoredPart(FirstRow, rows, items, Math.Clamp(stored.Rejected - (items - rows), 0, rows));
            if (part.Refused > 0)
                Unclear = part;
            else
                WasStored(part);
        }

        private void WasStored(StoredPart part)
        {
            _duplicate += part.Rows - part.Refused;
            _firstItem += part.Items;
            _isStored = _firstItem == batch.ItemCount;
        }

        public void Failed(Attempt attempt, bool isConnectionLost, bool isTimeout)
        {
            Attempts++;
            // Without a claim it waited for something else than its rows.
            if (isTimeout && (attempt.ClaimedAt is not null || attempt.IsCommitting))
                Timeouts++;
            if (isConnectionLost && attempt.BackendPid != 0)
                _stale.Add(attempt);
            // Whose own claim the server took, for him no earlier one was committed.
            if (attempt.ClaimedAt is not null)
                _openClaims.RemoveAll(claim => claim is not null);
            if (attempt.IsCommitting)
            {
                _openClaims.Add(attempt.ClaimedAt);
                Refuse(attempt);
            }
        }

        public BatchOutcome<T> Outcome()
        {
            var rejections = batch.Refused.Select(refused => (refused.Item, refused.Rejection)).ToList();
            rejections.AddRange(_refusedBefore.Concat(_refused).Select(refused =>
            {
                var item = batch.ItemOf(refused.Row);
                return (item, new IngestRejection<T>(batch.Rows[refused.Row], batch.FirstPosition + item, refused.Reason));
            }));
            rejections.Sort((x, y) => x.Item1.CompareTo(y.Item1));
            return new BatchOutcome<T>(
                _stored, _duplicate, _transactions, Attempts, [.. rejections.Select(r => r.Item2)])
            {
                RejectedBefore = _rejectedBefore,
            };
        }
    }
}
