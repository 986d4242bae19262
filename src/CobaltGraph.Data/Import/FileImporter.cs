using System.Globalization;
using CobaltGraph.Data.Ingest;
using CobaltGraph.Model;

namespace CobaltGraph.Data.Import;

/// <summary>
/// Imports files: file by file, in blocks that are stored or not as a whole, each once. A bad line is rejected and the
/// next one read; a bad file is reported and the next one opened; only a failing database ends the import. What was cut
/// short, by whatever, goes on when the same files are imported again.
/// </summary>
internal sealed class FileImporter
{
    // A block of very long lines ends before it has all its lines.
    private const int MaxBlockBytes = 8 * 1024 * 1024;

    private readonly ImportTarget _target;
    private readonly IReadOnlyList<ImportInput> _inputs;
    private readonly ImportOptions _options;
    private readonly IProgress<ImportProgress>? _progress;
    private readonly FileState[] _states;
    private readonly List<RejectedLine> _rejections = [];
    private readonly Stack<FileBlock> _blocks = [];
    private readonly Lock _gate = new();
    private IngestException? _failure;
    private Kind<Connection>? _connections;
    private Kind<DeviceSighting>? _sightings;
    private (int File, long Read, long? Size) _at;

    private FileImporter(
        ImportTarget target, IReadOnlyList<ImportInput> inputs, ImportOptions options, IProgress<ImportProgress>? progress)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(options.BlockLines);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(options.MaxLineBytes);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(options.MaxExpansionRatio);
        _target = target;
        _inputs = inputs;
        _options = options;
        _progress = progress;
        _states = [.. inputs.Select(_ => new FileState())];
    }

    /// <summary>Imports inputs in the order given.</summary>
    /// <param name="target">Where the records go.</param>
    /// <param name="inputs">The files.</param>
    /// <param name="options">Source, writers, bounds and hooks.</param>
    /// <param name="progress">Told after every block.</param>
    /// <param name="cancellationToken">
    /// Stops after the commits that are under way; the result says so, and no exception is thrown.
    /// </param>
    public static Task<ImportResult> ImportAsync(
        ImportTarget target,
        IReadOnlyList<ImportInput> inputs,
        ImportOptions options,
        IProgress<ImportProgress>? progress,
        CancellationToken cancellationToken)
        => new FileImporter(target, inputs, options, progress).RunAsync(cancellationToken);

    private async Task<ImportResult> RunAsync(CancellationToken cancellationToken)
    {
        _connections = new Kind<Connection>(this, _target.Connections, _target.ConnectionSink, cancellationToken);
        _sightings = new Kind<DeviceSighting>(this, _target.Sightings, _target.SightingSink, cancellationToken);
        try
        {
            return await ImportFilesAsync(cancellationToken).ConfigureAwait(false);
        }
        finally
        {
            await _connections.EndAsync().ConfigureAwait(false);
            await _sightings.EndAsync().ConfigureAwait(false);
        }
    }

    private async Task<ImportResult> ImportFilesAsync(CancellationToken cancellationToken)
    {
        var visited = 0;
        for (; visited < _inputs.Count && _failure is null; visited++)
        {
            try
            {
                cancellationToken.ThrowIfCancellationRequested();
                _states[visited].Error = await ImportFileAsync(visited, cancellationToken).ConfigureAwait(false);
            }
            catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
            {
                _states[visited].WasCutShort = true;
                visited++;
                break;
            }
        }

        await _connections!.CompleteAsync().ConfigureAwait(false);
        await _sightings!.CompleteAsync().ConfigureAwait(false);
        var outcome = _failure is not null ? ImportOutcome.Failed
            : _states.Any(state => state.WasCutShort) ? ImportOutcome.Cancelled
            : ImportOutcome.Completed;
        return new ImportResult(
            outcome,
            [.. _states.Take(visited).Select((state, file) => state.Result(DisplayText.Escape(_inputs[file].Name)))],
            [.. _rejections.OrderBy(rejection => rejection.File, FileOrder.Of(_inputs)).ThenBy(rejection => rejection.LineNumber)],
            _failure);
    }

    /// <returns>Why the file was not read to its end, or null.</returns>
    private async Task<string?> ImportFileAsync(int file, CancellationToken cancellationToken)
    {
        Stream stream;
        try
        {
            stream = _inputs[file].Open();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or ArgumentException or NotSupportedException or InvalidDataException)
        {
            return DescribeFileError(e);
        }

        await using (stream.ConfigureAwait(false))
        {
            var reading = new Reading(this, file, stream);
            var error = await ReadLinesAsync(reading, cancellationToken).ConfigureAwait(false);
            // What was read before an error is good.
            await reading.FlushAsync().ConfigureAwait(false);
            return error;
        }
    }

    private async Task<string?> ReadLinesAsync(Reading reading, CancellationToken cancellationToken)
    {
        var lines = ImportReader.ReadAsync(reading.Stream, _inputs[reading.File].Name, _options, cancellationToken)
            .GetAsyncEnumerator(cancellationToken);
        await using (lines.ConfigureAwait(false))
        {
            while (true)
            {
                try
                {
                    if (!await lines.MoveNextAsync().ConfigureAwait(false))
                        return null;
                }
                catch (Exception e) when (e is InvalidDataException or IOException or UnauthorizedAccessException)
                {
                    return DescribeFileError(e);
                }

                if (!await reading.AddAsync(lines.Current).ConfigureAwait(false))
                    return null;
            }
        }
    }

    private FileBlock TakeBlock()
    {
        lock (_gate)
            return _blocks.TryPop(out var block) ? block : new FileBlock();
    }

    private void Stored<T>(FileBlock block, Batch<T> batch, BatchOutcome<T> outcome, string kind)
    {
        lock (_gate)
        {
            var state = _states[block.File];
            state.Kind ??= kind;
            state.Stored += outcome.Stored;
            state.Duplicate += outcome.Duplicate;
            state.Rejected += outcome.Rejections.Count;
            foreach (var rejection in outcome.Rejections)
            {
                var item = (int)(rejection.Position - block.FirstPosition);
                var line = block.RejectionOf(item) ?? new RejectedLine(
                    DisplayText.Escape(_inputs[block.File].Name),
                    block.LineNumberOf(item),
                    rejection.Reason,
                    DisplayText.Escape(block.LineOf(item).TrimEnd((byte)'\n'), RejectedLine.MaxExcerptLength));
                if (_rejections.Count < _options.MaxReportedRejections)
                    _rejections.Add(line);
                _options.OnRejected?.Invoke(line);
                _options.Rejects?.Add(line, block.LineOf(item), block.HeaderOf(item));
            }

            _blocks.Push(block);
            Report();
        }
    }

    private void Failed(FileBlock block, Exception e)
    {
        lock (_gate)
        {
            var state = _states[block.File];
            state.WasCutShort = true;
            if (e is OperationCanceledException)
                return;
            var lines = string.Create(
                CultureInfo.InvariantCulture, $"lines {block.LineNumberOf(0)} to {block.LineNumberOf(block.Count - 1)}");
            var ingest = e as IngestException ?? new IngestException(
                $"The database failed: {DisplayText.Escape(e.Message)}", _options.Source, block.KeyAt(0), innerException: e);
            _failure ??= ingest;
            state.Failure ??= ingest.IsOutcomeUnknown
                ? $"{lines} may or may not be stored, for the connection broke during the commit. Import the file again: what is stored is recognised."
                : ingest is BatchConflictException
                    ? $"{lines} begin like lines that were stored before, and go on otherwise: {ingest.Message}"
                    : $"{lines} are not stored. Import the file again: what is stored is recognised.";
        }
    }

    private void Report()
    {
        _progress?.Report(new ImportProgress(
            DisplayText.Escape(_inputs[_at.File].Name),
            _at.File + 1,
            _inputs.Count,
            _at.Read,
            _at.Size,
            _states.Sum(state => state.Stored),
            _states.Sum(state => state.Duplicate),
            _states.Sum(state => state.Rejected)));
    }

    private static string DescribeFileError(Exception e) => e switch
    {
        InvalidDataException => e.Message,
        FileNotFoundException or DirectoryNotFoundException => "there is no such file",
        UnauthorizedAccessException => "this account may not read it",
        ArgumentException or NotSupportedException => "is not a path of this system",
        _ => $"cannot be read: {DisplayText.Escape(e.Message)}",
    };

    private sealed class FileState
    {
        public string? Kind { get; set; }

        public long Stored { get; set; }

        public long Duplicate { get; set; }

        public long Rejected { get; set; }

        public string? Error { get; set; }

        public string? Failure { get; set; }

        /// <summary>Whether a block that was read was not stored.</summary>
        public bool WasCutShort { get; set; }

        public ImportFileResult Result(string file)
            => new(file, Kind, Stored, Duplicate, Rejected, Failure ?? Error
                ?? (WasCutShort ? "the import was cancelled here; what is counted as stored is stored" : null));
    }

    /// <summary>The lines of one file on their way into blocks.</summary>
    private sealed class Reading(FileImporter importer, int file, Stream stream)
    {
        private readonly byte[] _before = new byte[32];
        private FileBlock? _block;
        private InputHeader? _header;
        private Batch<Connection>? _connections;
        private Batch<DeviceSighting>? _sightings;
        private readonly List<IngestRejection<object>> _early = [];
        private DateTimeOffset _now;
        // Null until the first record.
        private bool? _areSightings;
        private long _position;

        public int File => file;

        public Stream Stream => stream;

        /// <returns>False when no more can be stored.</returns>
        public async ValueTask<bool> AddAsync(ImportedLine line)
        {
            if (line.Rejection is null)
                _areSightings ??= line.Sighting is not null;
            _block ??= Begin();
            var header = ReferenceEquals(line.Header, _header) ? null : line.Header;
            _header = line.Header;
            _block.Add(line, header);
            if (_areSightings is null)
                _early.Add(new IngestRejection<object>(line, _position, line.Rejection!.Reason));
            else if (_areSightings is true)
                Add(_sightings ??= Begin(importer._sightings!), line.Sighting, line.Rejection);
            else
                Add(_connections ??= Begin(importer._connections!), line.Connection, line.Rejection);
            _position++;
            return _block.Count < importer._options.BlockLines && _block.Bytes < MaxBlockBytes
                || await FlushAsync().ConfigureAwait(false);
        }

        public async ValueTask<bool> FlushAsync()
        {
            if (_block is null)
                return true;
            if (_areSightings is null)
                _connections = Begin(importer._connections!);
            _block.HashOfAll().CopyTo(_before, 0);
            var (connections, sightings) = (_connections, _sightings);
            _block = null;
            _connections = null;
            _sightings = null;
            lock (importer._gate)
                importer._at = (file, stream.CanSeek ? stream.Position : 0, stream.CanSeek ? stream.Length : null);
            if (connections is not null)
                return await importer._connections!.AddAsync(connections).ConfigureAwait(false);
            return sightings is null || await importer._sightings!.AddAsync(sightings).ConfigureAwait(false);
        }

        private void Add<T>(Batch<T> batch, T? record, RejectedLine? rejection)
            where T : class
        {
            if (record is not null)
                batch.Add(record, _now);
            else
                batch.AddRefused(new IngestRejection<T>(null!, _position, rejection!.Reason));
        }

        /// <summary>Begins a batch with what was rejected before it was known what the file holds.</summary>
        private Batch<T> Begin<T>(Kind<T> kind)
        {
            var batch = kind.Begin(_block!);
            foreach (var rejection in _early)
                batch.AddRefused(new IngestRejection<T>(default!, rejection.Position, rejection.Reason));
            _early.Clear();
            return batch;
        }

        private FileBlock Begin()
        {
            _now = importer._options.Clock.GetUtcNow();
            var block = importer.TakeBlock();
            block.Begin(file, _position, _before);
            return block;
        }
    }

    /// <summary>What stores one kind of record.</summary>
    private sealed class Kind<T>(
        FileImporter importer, IBatchStorer<T> storer, IRecordSink<T> sink, CancellationToken cancellationToken)
    {
        private BatchQueue<T>? _queue;

        public Batch<T> Begin(FileBlock block)
        {
            _queue ??= new BatchQueue<T>(
                storer, sink, new IngestOptions<T> { Writers = importer._options.Writers, MaxReportedRejections = 0 }, null,
                Microsoft.Extensions.Logging.Abstractions.NullLogger.Instance, cancellationToken)
            {
                OnStored = (batch, outcome) => importer.Stored((FileBlock)batch.Identity, batch, outcome, sink.Kind),
                OnFailed = (batch, e) => importer.Failed((FileBlock)batch.Identity, e),
            };
            return new Batch<T>(importer._options.Source, block.FirstPosition, block, _queue.TakeBuffer());
        }

        public ValueTask<bool> AddAsync(Batch<T> batch) => _queue!.AddAsync(batch);

        public async Task CompleteAsync()
        {
            if (_queue is null)
                return;
            try
            {
                await _queue.CompleteAsync().ConfigureAwait(false);
            }
#pragma warning disable CA1031 // Its batch has told it.
            catch (Exception)
#pragma warning restore CA1031
            {
                // Whatever ended it was told with its batch.
            }
        }

        public ValueTask EndAsync() => _queue?.DisposeAsync() ?? ValueTask.CompletedTask;
    }

    private sealed class FileOrder(Dictionary<string, int> places) : IComparer<string>
    {
        public static FileOrder Of(IReadOnlyList<ImportInput> inputs)
        {
            var places = new Dictionary<string, int>(StringComparer.Ordinal);
            for (var i = 0; i < inputs.Count; i++)
                places.TryAdd(DisplayText.Escape(inputs[i].Name), i);
            return new FileOrder(places);
        }

        public int Compare(string? x, string? y) => places.GetValueOrDefault(x!).CompareTo(places.GetValueOrDefault(y!));
    }
}
