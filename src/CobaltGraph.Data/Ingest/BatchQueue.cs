using System.Threading.Channels;
using Microsoft.Extensions.Logging;

namespace CobaltGraph.Data.Ingest;

/// <summary>
/// Hands batches to a number of writers and adds up what became of them. The first failure ends it: batches under way are
/// finished, no other is begun.
/// </summary>
internal sealed class BatchQueue<T> : IAsyncDisposable
{
    private readonly IBatchStorer<T> _storer;
    private readonly IRecordSink<T> _sink;
    private readonly IngestOptions<T> _options;
    private readonly IProgress<IngestProgress>? _progress;
    private readonly ILogger _logger;
    private readonly CancellationToken _caller;
    private readonly CancellationTokenSource _cancel;
    private readonly CancellationTokenSource _ended = new();
    private readonly Channel<Batch<T>> _channel;
    private readonly Task[] _writers;
    private readonly Lock _gate = new();
    private readonly Stack<IRecordBuffer<T>> _buffers = [];
    private readonly List<IngestRejection<T>> _rejections = [];
    private readonly List<Batch<T>> _unstored = [];
    private TaskCompletionSource? _idle;
    private Exception? _failure;
    private Task _ending = Task.CompletedTask;
    private int _pending;
    private long _stored;
    private long _duplicate;
    private long _rejected;
    private long _batches;
    private long _retries;

    public BatchQueue(
        IBatchStorer<T> storer,
        IRecordSink<T> sink,
        IngestOptions<T> options,
        IProgress<IngestProgress>? progress,
        ILogger logger,
        CancellationToken cancellationToken)
    {
        _storer = storer;
        _sink = sink;
        _options = options;
        _progress = progress;
        _logger = logger;
        _caller = cancellationToken;
        _cancel = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        // One batch ready for each writer: while it stores one, the next is made.
        _channel = Channel.CreateBounded<Batch<T>>(options.Writers);
        _writers = [.. Enumerable.Range(0, options.Writers).Select(_ => Task.Run(WriteAsync, CancellationToken.None))];
    }

    /// <summary>
    /// Told of every batch that is stored, by one thread at a time, while its rows are still there. What it throws ends the
    /// work; the batch is stored all the same.
    /// </summary>
    public Action<Batch<T>, BatchOutcome<T>>? OnStored { get; set; }

    /// <summary>Told of every batch that is not stored, by one thread at a time.</summary>
    public Action<Batch<T>, Exception>? OnFailed { get; set; }

    /// <summary>Cancelled once no more is stored, so that nobody waits for rows in vain.</summary>
    public CancellationToken Ended => _ended.Token;

    /// <summary>What ended the work, or null.</summary>
    public Exception? Failure
    {
        get
        {
            lock (_gate)
                return _failure;
        }
    }

    /// <summary>
    /// Batches that were handed over and are not surely stored, in their order; all of them once the work has ended.
    /// </summary>
    public IReadOnlyList<Batch<T>> Unstored
    {
        get
        {
            lock (_gate)
                return [.. _unstored.OrderBy(batch => batch.FirstPosition)];
        }
    }

    public IRecordBuffer<T> TakeBuffer()
    {
        lock (_gate)
        {
            if (_buffers.TryPop(out var buffer))
                return buffer;
        }

        return _sink.NewBuffer();
    }

    /// <summary>Hands a batch over; waits while every writer has one to store and one in waiting.</summary>
    /// <returns>False when a batch failed and no more are taken.</returns>
    public async ValueTask<bool> AddAsync(Batch<T> batch)
    {
        lock (_gate)
        {
            if (_failure is not null)
            {
                _unstored.Add(batch);
                return false;
            }

            _pending++;
        }

        try
        {
            await _channel.Writer.WriteAsync(batch, _cancel.Token).ConfigureAwait(false);
            return true;
        }
        catch (Exception e) when (e is OperationCanceledException or ChannelClosedException)
        {
            lock (_gate)
            {
                _unstored.Add(batch);
                if (_cancel.IsCancellationRequested)
                    EndWith(e);
            }

            Done();
            _caller.ThrowIfCancellationRequested();
            _cancel.Token.ThrowIfCancellationRequested();
            return false;
        }
    }

    /// <summary>Takes a batch that nobody stores any more, for its sender gave up.</summary>
    public void GiveUp(Batch<T> batch)
    {
        lock (_gate)
        {
            _unstored.Add(batch);
            EndWith(new OperationCanceledException(
                "Given up before all rows were committed; Unstored of the writer has those that are not."));
        }
    }

    /// <summary>Ends the work for a fault of its sender.</summary>
    public void Fail(Exception e)
    {
        lock (_gate)
            EndWith(e);
    }

    /// <summary>Waits until every batch that was handed over is done with.</summary>
    public Task DrainAsync()
    {
        lock (_gate)
        {
            if (_pending == 0)
                return Task.CompletedTask;
            _idle ??= new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            return _idle.Task;
        }
    }

    /// <summary>Waits for the end of all work and gives its sum, or throws what ended it.</summary>
    public async Task<IngestResult<T>> CompleteAsync()
    {
        _channel.Writer.TryComplete();
        await Task.WhenAll(_writers).ConfigureAwait(false);
        lock (_gate)
        {
            if (_failure is OperationCanceledException && _caller.IsCancellationRequested)
                throw new OperationCanceledException(_failure.Message, _failure, _caller);
            if (_failure is not null)
                System.Runtime.ExceptionServices.ExceptionDispatchInfo.Throw(_failure);
            return new IngestResult<T>
            {
                Stored = _stored,
                Duplicate = _duplicate,
                Rejected = _rejected,
                Batches = _batches,
                Retries = _retries,
                Rejections = [.. _rejections.OrderBy(rejection => rejection.Position)],
            };
        }
    }

    /// <summary>Ends the work; a commit under way is waited for.</summary>
    public async ValueTask DisposeAsync()
    {
        _channel.Writer.TryComplete();
        await _cancel.CancelAsync().ConfigureAwait(false);
        await Task.WhenAll(_writers).ConfigureAwait(false);
        _cancel.Dispose();
        // What a source does when it is cancelled is not what ended the work.
        await _ending.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _ended.Dispose();
    }

    // The caller holds the gate; what the cancellation calls does not.
    private void EndWith(Exception e)
    {
        if (_failure is not null)
            return;
        _failure = e;
        _ending = _ended.CancelAsync();
    }

    private async Task WriteAsync()
    {
        await foreach (var batch in _channel.Reader.ReadAllAsync(CancellationToken.None).ConfigureAwait(false))
        {
            try
            {
                if (!IsSkipped(batch))
                    await StoreAsync(batch).ConfigureAwait(false);
            }
            finally
            {
                Done();
            }
        }
    }

    private async Task StoreAsync(Batch<T> batch)
    {
        BatchOutcome<T> outcome;
        try
        {
            outcome = await _storer.StoreAsync(batch, _cancel.Token).ConfigureAwait(false);
        }
#pragma warning disable CA1031 // Whatever it is, it ends the work, and is thrown to the caller.
        catch (Exception e)
#pragma warning restore CA1031
        {
            if (e is not OperationCanceledException)
                IngestLog.Failed(_logger, e, Faults.Describe(e));
            lock (_gate)
            {
                _unstored.Add(batch);
                EndWith(e);
                Tell(() => OnFailed?.Invoke(batch, e));
            }

            return;
        }

        Add(outcome, batch);
    }

    /// <summary>Calls the caller back. What that throws ends the work, and changes nothing of what is stored.</summary>
    private void Tell(Action call)
    {
        try
        {
            call();
        }
#pragma warning disable CA1031 // It is the caller's, and thrown to him.
        catch (Exception e)
#pragma warning restore CA1031
        {
            IngestLog.CallbackFailed(_logger, e);
            EndWith(e);
        }
    }

    private bool IsSkipped(Batch<T> batch)
    {
        lock (_gate)
        {
            if (_failure is null)
                return false;
            _unstored.Add(batch);
            return true;
        }
    }

    private void Add(BatchOutcome<T> outcome, Batch<T> batch)
    {
        lock (_gate)
        {
            _stored += outcome.Stored;
            _duplicate += outcome.Duplicate;
            _rejected += outcome.Rejections.Count + outcome.RejectedBefore;
            _batches += outcome.Transactions;
            _retries += outcome.Retries;
            foreach (var rejection in outcome.Rejections)
            {
                if (_rejections.Count < _options.MaxReportedRejections)
                    _rejections.Add(rejection);
                Tell(() => _options.OnRejected?.Invoke(rejection));
            }

            Tell(() => OnStored?.Invoke(batch, outcome));
            batch.Rows.Clear();
            _buffers.Push(batch.Rows);
            Tell(() => _progress?.Report(new IngestProgress(_stored, _duplicate, _rejected, _retries)));
        }
    }

    private void Done()
    {
        lock (_gate)
        {
            if (--_pending > 0 || _idle is null)
                return;
            _idle.SetResult();
            _idle = null;
        }
    }
}
