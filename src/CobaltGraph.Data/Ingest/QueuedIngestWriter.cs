using System.Threading.Channels;

namespace CobaltGraph.Data.Ingest;

/// <summary>The writer that <see cref="IngestService"/> opens: a channel, read by one loop that cuts batches by size or age.</summary>
internal sealed class QueuedIngestWriter<T> : IngestWriter<T>
{
    private readonly BatchQueue<T> _queue;
    private readonly IngestWriterOptions<T> _options;
    private readonly TimeProvider _clock;
    private readonly CancellationTokenSource _cancel;
    private readonly BatchBuilder<T> _builder;
    private readonly Channel<Item> _channel;
    // Flushes that were taken from the channel and not answered yet.
    private readonly List<TaskCompletionSource> _flushes = [];
    private readonly Task _loop;
    private readonly Lazy<Task<IngestResult<T>>> _completion;
    private bool _isFailureThrown;
    private bool _isDisposed;

    public QueuedIngestWriter(
        BatchQueue<T> queue, IRecordSink<T> sink, IngestWriterOptions<T> options, TimeProvider clock, CancellationTokenSource cancel)
    {
        _queue = queue;
        _options = options;
        _clock = clock;
        _cancel = cancel;
        _builder = new BatchBuilder<T>(queue, sink, options, clock);
        _channel = Channel.CreateBounded<Item>(new BoundedChannelOptions(options.Capacity) { SingleReader = true });
        _completion = new Lazy<Task<IngestResult<T>>>(EndAsync);
        _loop = Task.Run(RunAsync);
    }

    public override IReadOnlyList<UnstoredBatch<T>> Unstored
        => _completion is { IsValueCreated: true, Value.IsCompleted: true }
            ? [.. _queue.Unstored.Select(batch => new UnstoredBatch<T>(batch.Source, batch.Identity.KeyAt(0), batch.Records()))]
            : throw new InvalidOperationException("What is not stored is known once CompleteAsync or DisposeAsync has ended.");

    public override async ValueTask WriteAsync(T record, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(record);
        try
        {
            await _channel.Writer.WriteAsync(new Item(record, null), cancellationToken).ConfigureAwait(false);
        }
        catch (ChannelClosedException)
        {
            if (_queue.Failure is not OperationCanceledException)
                ThrowFailure();
            throw new InvalidOperationException("The writer is completed and takes no more rows.");
        }
    }

    public override bool TryWrite(T record)
    {
        ArgumentNullException.ThrowIfNull(record);
        return _channel.Writer.TryWrite(new Item(record, null));
    }

    public override async Task FlushAsync(CancellationToken cancellationToken = default)
    {
        var flushed = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        try
        {
            await _channel.Writer.WriteAsync(new Item(default, flushed), cancellationToken).ConfigureAwait(false);
        }
        catch (ChannelClosedException)
        {
            await _loop.WaitAsync(cancellationToken).ConfigureAwait(false);
            await _queue.DrainAsync().WaitAsync(cancellationToken).ConfigureAwait(false);
            ThrowFailure();
            return;
        }

        await flushed.Task.WaitAsync(cancellationToken).ConfigureAwait(false);
        ThrowFailure();
    }

    public override async Task<IngestResult<T>> CompleteAsync(CancellationToken cancellationToken = default)
    {
        try
        {
            if (_completion is { IsValueCreated: true, Value.IsCompleted: true })
                return await _completion.Value.ConfigureAwait(false);
            using var registration = cancellationToken.Register(static cancel => ((CancellationTokenSource)cancel!).Cancel(), _cancel);
            return await _completion.Value.ConfigureAwait(false);
        }
        catch (OperationCanceledException e)
        {
            _isFailureThrown = true;
            throw new OperationCanceledException(e.Message, e, cancellationToken);
        }
        catch (Exception)
        {
            _isFailureThrown = true;
            throw;
        }
    }

    public override async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref _isDisposed, true))
            return;
        try
        {
            await CompleteOnceAsync().ConfigureAwait(false);
        }
        finally
        {
            await _queue.DisposeAsync().ConfigureAwait(false);
            _cancel.Dispose();
        }
    }

    private async Task CompleteOnceAsync()
    {
        try
        {
            await _completion.Value.ConfigureAwait(false);
        }
        catch (Exception) when (_isFailureThrown)
        {
            // Its caller knows.
        }
    }

    private async Task<IngestResult<T>> EndAsync()
    {
        _channel.Writer.TryComplete();
        await _loop.ConfigureAwait(false);
        return await _queue.CompleteAsync().ConfigureAwait(false);
    }

    private async Task RunAsync()
    {
        var reader = _channel.Reader;
        var began = 0L;
        try
        {
            while (true)
            {
                while (reader.TryRead(out var item))
                {
                    if (item.Flushed is { } flushed)
                    {
                        _flushes.Add(flushed);
                        await _builder.FlushAsync().ConfigureAwait(false);
                        await _queue.DrainAsync().ConfigureAwait(false);
                        AnswerFlushes();
                    }
                    else
                    {
                        if (_builder.Count == 0)
                            began = _clock.GetTimestamp();
                        _builder.Add(item.Record!);
                        if (_builder.IsFull || _clock.GetElapsedTime(began) >= _options.FlushInterval)
                            await _builder.FlushAsync().ConfigureAwait(false);
                    }

                    if (_queue.Failure is not null)
                        return;
                }

                if (_builder.Count > 0)
                {
                    var left = _options.FlushInterval - _clock.GetElapsedTime(began);
                    if (left > TimeSpan.Zero && await IsMoreWithinAsync(reader, left).ConfigureAwait(false) is { } isMore)
                    {
                        if (!isMore)
                            break;
                    }
                    else
                    {
                        await _builder.FlushAsync().ConfigureAwait(false);
                    }
                }
                else if (!await reader.WaitToReadAsync(_cancel.Token).ConfigureAwait(false))
                {
                    break;
                }
            }

            await _builder.FlushAsync().ConfigureAwait(false);
        }
        catch (OperationCanceledException)
        {
            // CompleteAsync was given up.
        }
#pragma warning disable CA1031 // Whatever it is, it ends the work, and is thrown to the caller.
        catch (Exception e)
#pragma warning restore CA1031
        {
            _queue.Fail(e);
        }
        finally
        {
            await SetAsideAsync().ConfigureAwait(false);
        }
    }

    /// <summary>Gives up what is left, if anything is, and answers whoever waits for it.</summary>
    private async Task SetAsideAsync()
    {
        _channel.Writer.TryComplete();
        try
        {
            while (_channel.Reader.TryRead(out var item))
            {
                if (item.Flushed is { } flushed)
                {
                    _flushes.Add(flushed);
                    continue;
                }

                _builder.Add(item.Record!);
                if (_builder.IsFull)
                    _queue.GiveUp(_builder.Take()!);
            }

            if (_builder.Take() is { } rest)
                _queue.GiveUp(rest);
            // What is still under way may fail.
            await _queue.DrainAsync().ConfigureAwait(false);
        }
#pragma warning disable CA1031 // Whatever it is, it is thrown to the caller.
        catch (Exception e)
#pragma warning restore CA1031
        {
            _queue.Fail(e);
        }
        finally
        {
            AnswerFlushes();
        }
    }

    private void AnswerFlushes()
    {
        foreach (var flushed in _flushes)
            flushed.SetResult();
        _flushes.Clear();
    }

    /// <returns>Null when the time is over, false when the channel is completed.</returns>
    private async Task<bool?> IsMoreWithinAsync(ChannelReader<Item> reader, TimeSpan time)
    {
        using var deadline = new CancellationTokenSource(time, _clock);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(deadline.Token, _cancel.Token);
        try
        {
            return await reader.WaitToReadAsync(either.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (!_cancel.IsCancellationRequested)
        {
            return null;
        }
    }

    private void ThrowFailure()
    {
        if (_queue.Failure is { } failure)
        {
            _isFailureThrown = true;
            System.Runtime.ExceptionServices.ExceptionDispatchInfo.Throw(failure);
        }
    }

    private readonly record struct Item(T? Record, TaskCompletionSource? Flushed);
}
