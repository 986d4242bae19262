using System.Globalization;
using CobaltGraph.Model;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Npgsql;

namespace CobaltGraph.Data.Ingest;

/// <inheritdoc cref="IIngestService"/>
public sealed class IngestService : IIngestService
{
    private const int MaxBatchSize = 1_000_000;
    private const int MaxKeyLength = 200;
    private const int MaxStreamKeyLength = 150;

    private readonly NpgsqlDataSource _dataSource;
    private readonly TimeProvider _clock;
    private readonly ILogger _logger;
    private readonly ConnectionSink _connections = new();
    private readonly SightingSink _sightings = new();

    /// <summary>Creates the service over a data source; <c>AddCobaltGraph</c> does it from an application's services.</summary>
    /// <param name="dataSource">The database, with all migrations applied; its search path names the site. The caller's to dispose.</param>
    /// <param name="loggerFactory">Gets the retries and failures; null for none.</param>
    /// <param name="timeProvider">Times batches and waits; null for the system's clock.</param>
    public IngestService(
        NpgsqlDataSource dataSource, ILoggerFactory? loggerFactory = null, TimeProvider? timeProvider = null)
    {
        ArgumentNullException.ThrowIfNull(dataSource);
        _dataSource = dataSource;
        _clock = timeProvider ?? TimeProvider.System;
        _logger = (loggerFactory ?? NullLoggerFactory.Instance).CreateLogger("CobaltGraph.Ingest");
    }

    /// <inheritdoc/>
    public Task<IngestResult<Connection>> StoreAsync(
        IAsyncEnumerable<Connection> connections,
        IngestOptions<Connection>? options = null,
        IProgress<IngestProgress>? progress = null,
        CancellationToken cancellationToken = default)
        => StoreStreamAsync(_connections, connections, options, progress, cancellationToken);

    /// <inheritdoc/>
    public Task<IngestResult<DeviceSighting>> StoreAsync(
        IAsyncEnumerable<DeviceSighting> sightings,
        IngestOptions<DeviceSighting>? options = null,
        IProgress<IngestProgress>? progress = null,
        CancellationToken cancellationToken = default)
        => StoreStreamAsync(_sightings, sightings, options, progress, cancellationToken);

    /// <inheritdoc/>
    public Task<IngestResult<Connection>> StoreBatchAsync(
        string source,
        string batchKey,
        IReadOnlyList<Connection> connections,
        CancellationToken cancellationToken = default)
        => StoreOneAsync(_connections, source, batchKey, connections, cancellationToken);

    /// <inheritdoc/>
    public Task<IngestResult<DeviceSighting>> StoreBatchAsync(
        string source,
        string batchKey,
        IReadOnlyList<DeviceSighting> sightings,
        CancellationToken cancellationToken = default)
        => StoreOneAsync(_sightings, source, batchKey, sightings, cancellationToken);

    /// <inheritdoc/>
    public IngestWriter<Connection> OpenConnectionWriter(IngestWriterOptions<Connection>? options = null)
        => OpenWriter(_connections, options);

    /// <inheritdoc/>
    public IngestWriter<DeviceSighting> OpenSightingWriter(IngestWriterOptions<DeviceSighting>? options = null)
        => OpenWriter(_sightings, options);

    /// <summary>What stores connections, for whoever makes batches of his own.</summary>
    internal BatchStorer<Connection> ConnectionStorer(IngestRetryOptions retry)
        => new(_dataSource, _connections, retry, _clock, _logger);

    /// <summary>What stores sightings, for whoever makes batches of his own.</summary>
    internal BatchStorer<DeviceSighting> SightingStorer(IngestRetryOptions retry)
        => new(_dataSource, _sightings, retry, _clock, _logger);

    private BatchQueue<T> OpenQueue<T>(
        IRecordSink<T> sink, IngestOptions<T> options, IProgress<IngestProgress>? progress, CancellationToken cancellationToken)
        => new(
            new BatchStorer<T>(_dataSource, sink, options.Retry, _clock, _logger), sink, options, progress, _logger, cancellationToken);

    private async Task<IngestResult<T>> StoreStreamAsync<T>(
        IRecordSink<T> sink,
        IAsyncEnumerable<T> records,
        IngestOptions<T>? options,
        IProgress<IngestProgress>? progress,
        CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(records);
        options ??= new IngestOptions<T>();
        Validate(options);

        var queue = OpenQueue(sink, options, progress, cancellationToken);
        await using (queue.ConfigureAwait(false))
        {
            // One writer alone ends at the conflict itself.
            var guard = options is { StreamKey: not null, Writers: > 1 }
                ? new StreamGuard<T>(_dataSource, queue, options.Retry, _clock, cancellationToken)
                : null;
            if (guard is not null)
            {
                queue.OnStored = (batch, _) => guard.Stored(batch);
                queue.OnFailed = guard.Failed;
            }

            var builder = new BatchBuilder<T>(queue, sink, options, _clock) { HandOver = guard is null ? null : guard.AddAsync };
            using var reading = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, queue.Ended);
            try
            {
                await foreach (var record in records.WithCancellation(reading.Token).ConfigureAwait(false))
                {
                    builder.Add(record);
                    if (builder.IsFull && !await builder.FlushAsync().ConfigureAwait(false))
                        break;
                }
            }
            catch (OperationCanceledException e) when (cancellationToken.IsCancellationRequested)
            {
                throw new OperationCanceledException(e.Message, e, cancellationToken);
            }
            catch (Exception) when (queue.Failure is not null && !cancellationToken.IsCancellationRequested)
            {
                // However the source answers its cancellation: what ended the work is thrown below.
            }

            if (queue.Failure is null)
                await builder.FlushAsync().ConfigureAwait(false);
            try
            {
                return await queue.CompleteAsync().ConfigureAwait(false);
            }
            catch (BatchConflictException e) when (guard is not null)
            {
                throw guard.Explain(e);
            }
        }
    }

    private async Task<IngestResult<T>> StoreOneAsync<T>(
        IRecordSink<T> sink, string source, string batchKey, IReadOnlyList<T> records, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(records);
        CheckText(source, MaxKeyLength, nameof(source));
        CheckText(batchKey, MaxKeyLength, nameof(batchKey));
        if (records.Count > MaxBatchSize)
        {
            throw new ArgumentException(
                string.Create(CultureInfo.InvariantCulture, $"A batch has at most {MaxBatchSize} rows, not {records.Count}."),
                nameof(records));
        }

        var identity = RecordIdentity<T>.Named(batchKey);
        var batch = identity.Batch = new Batch<T>(source, 0, identity, sink.NewBuffer());
        var now = _clock.GetUtcNow();
        for (var i = 0; i < records.Count; i++)
        {
            if (sink.Check(records[i]) is { } reason)
                batch.AddRefused(new IngestRejection<T>(records[i], i, reason));
            else
                batch.Add(records[i], now);
        }

        var options = new IngestOptions<T> { Source = source, MaxReportedRejections = int.MaxValue };
        var queue = OpenQueue(sink, options, null, cancellationToken);
        await using (queue.ConfigureAwait(false))
        {
            await queue.AddAsync(batch).ConfigureAwait(false);
            return await queue.CompleteAsync().ConfigureAwait(false);
        }
    }

    private QueuedIngestWriter<T> OpenWriter<T>(IRecordSink<T> sink, IngestWriterOptions<T>? options)
    {
        options ??= new IngestWriterOptions<T>();
        Validate(options);
        if (options.StreamKey is not null)
        {
            throw new ArgumentException(
                "A writer cuts batches by time, so that a stream cannot be repeated alike. Leave StreamKey out, or store batches under keys of your own with StoreBatchAsync.",
                nameof(options));
        }

        CheckRange(options.Capacity, 1, 10_000_000, nameof(options.Capacity));
        CheckTime(options.FlushInterval, TimeSpan.FromDays(1), nameof(options.FlushInterval));
        var cancel = new CancellationTokenSource();
        return new QueuedIngestWriter<T>(OpenQueue(sink, options, null, cancel.Token), sink, options, _clock, cancel);
    }

    private static void Validate<T>(IngestOptions<T> options)
    {
        CheckText(options.Source, MaxKeyLength, nameof(options.Source));
        if (options.StreamKey is not null)
            CheckText(options.StreamKey, MaxStreamKeyLength, nameof(options.StreamKey));
        CheckRange(options.BatchSize, 1, MaxBatchSize, nameof(options.BatchSize));
        if (options.StreamKey is not null && options.BatchSize != IngestOptions<T>.DefaultBatchSize)
        {
            throw new ArgumentException(
                string.Create(
                    CultureInfo.InvariantCulture,
                    $"BatchSize of a stream with a key is {IngestOptions<T>.DefaultBatchSize}, so that a repetition is split alike; leave it out."),
                nameof(options));
        }

        CheckRange(options.Writers, 1, 32, nameof(options.Writers));
        CheckRange(options.MaxReportedRejections, 0, int.MaxValue, nameof(options.MaxReportedRejections));
        var retry = options.Retry;
        CheckRange(retry.MaxAttempts, 1, 100, nameof(retry.MaxAttempts));
        CheckTime(retry.FirstDelay, TimeSpan.FromDays(1), nameof(retry.FirstDelay));
        CheckTime(retry.MaxDelay, TimeSpan.FromDays(1), nameof(retry.MaxDelay));
        CheckTime(retry.AttemptTimeout, TimeSpan.FromDays(1), nameof(retry.AttemptTimeout));
        CheckTime(retry.BatchTimeout, TimeSpan.FromDays(1), nameof(retry.BatchTimeout));
    }

    private static void CheckText(string value, int longest, string name)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(value, name);
        if (value.Length > longest || value.Contains('\0', StringComparison.Ordinal))
        {
            throw new ArgumentException(
                string.Create(CultureInfo.InvariantCulture, $"{name} is a text of 1 to {longest} characters without NUL."), name);
        }
    }

    private static void CheckRange(int value, int least, int most, string name)
    {
        if (value < least || value > most)
        {
            throw new ArgumentOutOfRangeException(
                name, value, string.Create(CultureInfo.InvariantCulture, $"{name} is a number from {least} to {most}."));
        }
    }

    private static void CheckTime(TimeSpan value, TimeSpan most, string name)
    {
        if (value <= TimeSpan.Zero || value > most)
            throw new ArgumentOutOfRangeException(name, value, $"{name} is a time above zero, at most {most}.");
    }
}
