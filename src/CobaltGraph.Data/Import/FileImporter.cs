using System.Globalization;
using System.Security.Cryptography;
using CobaltGraph.Data.Ingest;
using CobaltGraph.Model;
using Microsoft.Extensions.Logging.Abstractions;

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

    // So many blocks per writer may be done before an earlier one is; their rejected lines wait for its.
    private const int BlocksAhead = 8;

    private readonly ImportTarget _target;
    private readonly IReadOnlyList<ImportInput> _inputs;
    private readonly ImportOptions _options;
    private readonly FileState[] _states;
    private readonly List<RejectedLine> _rejections = [];
    private readonly Stack<FileBlock> _blocks = [];
    private readonly HashSet<string> _keysUnderWay = [];
    // What is known of blocks behind one that is still under way.
    private readonly Dictionary<long, Settled?> _settled = [];
    private readonly Lock _gate = new();
    private long _blocksBegun;
    private long _blocksTold;
    private IProgress<ImportProgress>? _progress;
    private Action<RejectedLine>? _onRejected;
    private IngestException? _failure;
    private Exception? _rejectsFailure;
    private Exception? _callbackFailure;
    private bool _isRejectsRenewed;
    private Kind<Connection>? _connections;
    private Kind<DeviceSighting>? _sightings;
    private (int File, long Read, long? Size) _at;

    private FileImporter(
        ImportTarget target, IReadOnlyList<ImportInput> inputs, ImportOptions options, IProgress<ImportProgress>? progress)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(options.BlockLines);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(options.MaxLineBytes);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(options.MaxExpansionRatio);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(options.Writers);
        _target = target;
        _inputs = inputs;
        _options = options;
        _progress = progress;
        _onRejected = options.OnRejected;
        _states = [.. inputs.Select(_ => new FileState())];
    }

    private bool HasFailed
    {
        get
        {
            lock (_gate)
                return _failure is not null || _rejectsFailure is not null;
        }
    }

    /// <summary>Whether no more of a file can be stored.</summary>
    private bool HasFailedIn(int file)
    {
        lock (_gate)
            return HasFailed || _states[file].Conflict is not null;
    }

    /// <summary>Imports inputs in the order given.</summary>
    /// <param name="target">Where the records go.</param>
    /// <param name="inputs">The files.</param>
    /// <param name="options">Source, writers, bounds and hooks.</param>
    /// <param name="progress">Told after every block.</param>
    /// <param name="cancellationToken">
    /// Stops after the commits that are under way; the result says so, and no exception is thrown.
    /// </param>
    public static async Task<ImportResult> ImportAsync(
        ImportTarget target,
        IReadOnlyList<ImportInput> inputs,
        ImportOptions options,
        IProgress<ImportProgress>? progress,
        CancellationToken cancellationToken)
        => await new FileImporter(target, inputs, options, progress).RunAsync(cancellationToken).ConfigureAwait(false);

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
            foreach (var block in _blocks)
                block.Dispose();
        }
    }

    private async Task<ImportResult> ImportFilesAsync(CancellationToken cancellationToken)
    {
        var visited = 0;
        while (visited < _inputs.Count && !HasFailed && !cancellationToken.IsCancellationRequested)
        {
            try
            {
                _states[visited].Error = await ImportFileAsync(visited, cancellationToken).ConfigureAwait(false);
            }
            catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
            {
                // Its state says that it was not read to its end.
            }

            visited++;
        }

        await _connections!.CompleteAsync().ConfigureAwait(false);
        await _sightings!.CompleteAsync().ConfigureAwait(false);
        lock (_gate)
        {
            foreach (var block in _settled.OrderBy(block => block.Key))
                Tell(block.Value);
            _settled.Clear();
        }

        var isCancelled = visited < _inputs.Count || _states.Any(state => state.WasCancelled);
        lock (_gate)
        {
            if (!HasFailed && !isCancelled)
                RenewRejects();
        }

        var outcome = HasFailed ? ImportOutcome.Failed
            : isCancelled ? ImportOutcome.Cancelled
            : ImportOutcome.Completed;
        return new ImportResult(
            outcome,
            [.. _states.Take(visited).Select((state, file) => state.Result(DisplayText.Escape(_inputs[file].Name), outcome))],
            _rejections,
            _failure,
            _rejectsFailure,
            _callbackFailure);
    }

    /// <returns>Why the file was not read to its end, or null.</returns>
    private async Task<string?> ImportFileAsync(int file, CancellationToken cancellationToken)
    {
        Stream stream;
        try
        {
            // A named pipe opens when somebody writes to it.
            stream = await Task.Run(_inputs[file].Open, CancellationToken.None).WaitAsync(cancellationToken).ConfigureAwait(false);
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException && _inputs[file].IsFound)
        {
            // Logs are moved at every full hour; where to is looked at too, by now or the next time.
            _states[file].LeftOut = "is gone since the folder was read";
            _states[file].IsRead = true;
            return null;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or ArgumentException or NotSupportedException or InvalidDataException)
        {
            return DescribeFileError(e);
        }

        await using (stream.ConfigureAwait(false))
        {
            using var reading = new Reading(this, file, stream, cancellationToken);
            var (isRead, error) = await ReadLinesAsync(reading, cancellationToken).ConfigureAwait(false);
            // What was read before an error is good.
            _states[file].IsRead = await reading.FlushAsync().ConfigureAwait(false) && isRead;
            return error;
        }
    }

    private async Task<(bool IsRead, string? Error)> ReadLinesAsync(Reading reading, CancellationToken cancellationToken)
    {
        var lines = ImportReader.ReadAsync(reading.Stream, _inputs[reading.File].Name, _options, cancellationToken)
            .GetAsyncEnumerator(cancellationToken);
        await using (lines.ConfigureAwait(false))
        {
            for (var isFirst = true; ; isFirst = false)
            {
                try
                {
                    if (!await lines.MoveNextAsync().ConfigureAwait(false))
                        return (true, null);
                    if (isFirst && _inputs[reading.File].IsFound
                        && await FindOtherLogAsync(reading.File, lines.Current, cancellationToken).ConfigureAwait(false) is { } why)
                    {
                        _states[reading.File].LeftOut = why;
                        return (true, null);
                    }
                }
                catch (InvalidDataException e) when (_inputs[reading.File].IsFound && OtherLogException.IsIn(e))
                {
                    // Zeek keeps all its logs in one folder.
                    _states[reading.File].LeftOut = e.Message;
                    return (true, null);
                }
                catch (Exception e) when (e is InvalidDataException or IOException or UnauthorizedAccessException)
                {
                    return (false, DescribeFileError(e));
                }

                if (!await reading.AddAsync(lines.Current).ConfigureAwait(false))
                    return (_states[reading.File].HeldBack is not null, null);
            }
        }
    }

    /// <summary>
    /// Why a file of JSON that was found in a folder is none of the logs that are read; null when it may be. Other logs tell of a
    /// connection too, some with the same keys.
    /// </summary>
    private async Task<string?> FindOtherLogAsync(int file, ImportedLine first, CancellationToken cancellationToken)
    {
        if (first.IsOther)
        {
            return await HoldsOthersAloneAsync(file, cancellationToken).ConfigureAwait(false)
                ? $"no line is of a log that is imported; {Lines(first.LineNumber, first.LineNumber)}: {first.Rejection!.Reason}"
                : null;
        }

        if (!first.Raw.Span.StartsWith("{"u8))
            return null;
        if (_inputs[file].IsInterim)
            return "by its name it tells of connections that still last; conn.log has them once they end";
        return first.IsBare && !_inputs[file].IsNamedConn
            ? "it has no key that only conn has (conn_state, orig_bytes, resp_bytes, orig_l2_addr), and another name"
            : null;
    }

    /// <summary>Whether all lines are of other logs; where all logs are in one file, one that is not is looked for.</summary>
    private async Task<bool> HoldsOthersAloneAsync(int file, CancellationToken cancellationToken)
    {
        Stream stream;
        try
        {
            stream = _inputs[file].Open();
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            // It was moved away, and is looked at where it is now, by now or the next time.
            return true;
        }

        await using var streamScope = stream.ConfigureAwait(false);
        await foreach (var line in ImportReader.ReadAsync(stream, _inputs[file].Name, _options, cancellationToken).ConfigureAwait(false))
        {
            // What is still being written tells nothing.
            if (!line.IsOther && line.IsWhole)
                return false;
        }

        return true;
    }

    /// <summary>
    /// What the ledger knows of a block. There is a conflict when it knows the block's first line after the same lines, but not
    /// those that follow it.
    /// </summary>
    /// <remarks>
    /// The storing finds a conflict too. But by then another writer may have stored the block behind it, whose lines may be
    /// stored already; here blocks come one after the other.
    /// </remarks>
    private async Task<Known> LookUpAsync(FileBlock block, CancellationToken cancellationToken)
    {
        for (var item = 0; item < block.Count;)
        {
            var stored = await _target.FindStored!(_options.Source, block.KeyAt(item), cancellationToken).ConfigureAwait(false);
            if (stored is null)
                return new(item, null, null);
            if (block.IsHeldBy(stored, item))
            {
                item += (int)stored.Read;
                continue;
            }

            var isWithin = stored.Read > block.Count - item ? block.IsWithin(stored, 0, item) : false;
            if (isWithin is true)
                return new(item, stored, null);
            var lines = Lines(block.LineNumberOf(item), block.LineNumberOf(block.Count - 1));
            return new(item, null, isWithin is null
                ? string.Create(CultureInfo.InvariantCulture,
                    $"{lines} begin like {stored.Read} lines that were stored on {Time(stored)}, and end before them; whether they are stored cannot be told. This may be an older copy of that file. If it is another file that begins alike, import it with a --source of its own")
                : $"{lines} begin like {GoesOnOtherwise(stored)}");
        }

        return new(block.Count, null, null);
    }

    private static string GoesOnOtherwise(StoredEntry stored)
        => $"lines that were stored on {Time(stored)}, and go on otherwise; nothing from there on is stored. "
           + "Has the file been changed since? If it is another file that begins alike, import it with a --source of its own";

    private static string Time(StoredEntry stored)
        => stored.CommittedAt.ToString("yyyy-MM-dd HH:mm:ss'Z'", CultureInfo.InvariantCulture);

    private FileBlock TakeBlock()
    {
        lock (_gate)
            return _blocks.TryPop(out var block) ? block : new FileBlock();
    }

    /// <summary>Whether blocks are so far ahead of one under way that it is waited for.</summary>
    private bool IsFarAhead()
    {
        lock (_gate)
            return _blocksBegun - _blocksTold > BlocksAhead * _options.Writers;
    }

    private bool IsUnderWay(FileBlock block)
    {
        lock (_gate)
            return _keysUnderWay.Contains(block.KeyAt(0));
    }

    private void HandedOver(FileBlock block)
    {
        lock (_gate)
        {
            _states[block.File].Open++;
            _keysUnderWay.Add(block.KeyAt(0));
        }
    }

    /// <summary>Nothing of the block is stored, and nothing of its file behind it will be.</summary>
    private void Conflicts(FileBlock block, string reason)
    {
        lock (_gate)
        {
            var state = _states[block.File];
            if (block.Number < (state.Conflict?.Block ?? long.MaxValue))
                state.Conflict = (block.Number, reason);
            Settle(block, null);
        }
    }

    /// <summary>Where within an entry the lines before end; null where they end with one. Not so for a block that comes before them.</summary>
    private (StoredEntry Entry, long Lines)? EndedWithin(int file, long block)
    {
        lock (_gate)
            return _states[file].Within is { } within && within.Block < block ? (within.Entry, within.Lines) : null;
    }

    private void EndsWithin(FileBlock block, StoredEntry entry, long lines)
    {
        lock (_gate)
            _states[block.File].Within = (block.Number, entry, lines);
    }

    private bool IsBehindConflict(FileBlock block)
    {
        lock (_gate)
            return block.Number > (_states[block.File].Conflict?.Block ?? long.MaxValue);
    }

    private void Stored<T>(FileBlock block, BatchOutcome<T> outcome, string kind)
    {
        lock (_gate)
        {
            if (outcome is ConflictOutcome<T> conflict)
            {
                Conflicts(block, conflict.Explanation);
                return;
            }

            RenewRejects();
            var state = _states[block.File];
            state.Open--;
            state.Read += block.Count;
            state.Stored += outcome.Stored;
            state.Duplicate += outcome.Duplicate;
            state.Rejected += outcome.Rejections.Count + outcome.RejectedBefore;
            if (outcome.Stored + outcome.Duplicate > 0)
                state.Kind ??= kind;
            Settle(block, new Settled(
                block,
                state.Kind,
                [.. outcome.Rejections.Select(rejection => ((int)(rejection.Position - block.FirstPosition), rejection.Reason))],
                outcome.RejectedBefore));
            Report();
        }
    }

    private void Failed(FileBlock block, Exception e)
    {
        lock (_gate)
        {
            if (e is not OperationCanceledException)
            {
                var lines = Lines(block.LineNumberOf(0), block.LineNumberOf(block.Count - 1));
                var ingest = e as IngestException ?? new IngestException(
                    $"The database failed: {Faults.Describe(e)}", _options.Source, block.KeyAt(0), innerException: e);
                _failure ??= ingest;
                _states[block.File].Failure ??= ingest.IsOutcomeUnknown
                    ? $"{lines}: may or may not be stored, for the connection broke during the commit"
                    : $"{lines}: not stored";
            }

            Settle(block, null);
        }
    }

    /// <summary>Tells the rejected lines of a block once all blocks before it are told.</summary>
    private void Settle(FileBlock block, Settled? settled)
    {
        _keysUnderWay.Remove(block.KeyAt(0));
        if (settled is null or { Rejections.Count: 0, RejectedBefore: 0 })
        {
            _blocks.Push(block);
            settled = null;
        }

        _settled.Add(block.Number, settled);
        while (_settled.Remove(_blocksTold, out var next))
        {
            _blocksTold++;
            Tell(next);
        }
    }

    private void Tell(Settled? settled)
    {
        if (settled is null)
            return;
        var block = settled.Block;
        var file = DisplayText.Escape(_inputs[block.File].Name);
        foreach (var (item, reason) in settled.Rejections)
        {
            var line = block.RejectionOf(item) ?? new RejectedLine(
                file, block.LineNumberOf(item), reason,
                DisplayText.Escape(block.LineOf(item).TrimEnd((byte)'\n'), RejectedLine.MaxExcerptLength));
            Tell(line);
            Write(rejects => rejects.Add(line, block.LineOf(item), block.HeaderOf(item), settled.Kind));
        }

        if (settled.RejectedBefore > 0)
        {
            Tell(new RejectedLine(
                file, block.LineNumberOf(0),
                string.Create(
                    CultureInfo.InvariantCulture,
                    $"{settled.RejectedBefore} of lines {block.LineNumberOf(0)} to {block.LineNumberOf(block.Count - 1)} were refused by the database when the others were stored; which ones cannot be told any more"),
                ""));
        }

        Write(rejects => rejects.Flush());
        _blocks.Push(block);

        void Tell(RejectedLine line)
        {
            if (_rejections.Count < _options.MaxReportedRejections)
                _rejections.Add(line);
            _onRejected = CallOut(_onRejected, call => call(line));
        }
    }

    /// <summary>
    /// Calls what the caller gave. What is stored is stored, whatever comes of it; so who throws is not called again.
    /// </summary>
    private T? CallOut<T>(T? callback, Action<T> call)
        where T : class
    {
        if (callback is null)
            return null;
        try
        {
            call(callback);
            return callback;
        }
#pragma warning disable CA1031 // It is in the result.
        catch (Exception e)
#pragma warning restore CA1031
        {
            _callbackFailure ??= e;
            return null;
        }
    }

    /// <summary>Removes the rejected lines of earlier runs, once it is certain that this one runs.</summary>
    private void RenewRejects()
    {
        if (_isRejectsRenewed)
            return;
        _isRejectsRenewed = true;
        Write(rejects => rejects.RemoveOld());
    }

    private void Write(Action<RejectsFile> write)
    {
        if (_options.Rejects is null || _rejectsFailure is not null)
            return;
        try
        {
            write(_options.Rejects);
        }
#pragma warning disable CA1031 // It is in the result.
        catch (Exception e)
#pragma warning restore CA1031
        {
            // The lines themselves are safe: they are rejected again when their file is imported again.
            _rejectsFailure = e;
        }
    }

    private void Report()
        => _progress = CallOut(_progress, progress => progress.Report(new ImportProgress(
            DisplayText.Escape(_inputs[_at.File].Name),
            _at.File + 1,
            _inputs.Count,
            _at.Read,
            _at.Size,
            _states.Sum(state => state.Stored),
            _states.Sum(state => state.Duplicate),
            _states.Sum(state => state.Rejected))));

    private static string Lines(long first, long last)
        => first == last
            ? string.Create(CultureInfo.InvariantCulture, $"line {first}")
            : string.Create(CultureInfo.InvariantCulture, $"lines {first} to {last}");

    private static string DescribeFileError(Exception e) => e switch
    {
        InvalidDataException => e.Message,
        FileNotFoundException or DirectoryNotFoundException => "there is no such file",
        UnauthorizedAccessException => "this account may not read it",
        ArgumentException or NotSupportedException => "is not a path of this system",
        _ => $"cannot be read: {DisplayText.Escape(e.Message)}",
    };

    /// <summary>A block that is done with, and what was rejected in it.</summary>
    private sealed record Settled(
        FileBlock Block, string? Kind, IReadOnlyList<(int Item, string Reason)> Rejections, long RejectedBefore);

    /// <summary>What the ledger knows of a block.</summary>
    /// <param name="Items">How many of its first lines have entries.</param>
    /// <param name="Longer">An entry that begins with all the others.</param>
    /// <param name="Conflict">Why the others cannot be stored.</param>
    private sealed record Known(int Items, StoredEntry? Longer, string? Conflict);

    /// <summary>Nothing was stored, for the ledger holds something else.</summary>
    private sealed record ConflictOutcome<T>(string Explanation) : BatchOutcome<T>(0, 0, 0, 0, []);

    private sealed class FileState
    {
        public string? Kind { get; set; }

        public long Read { get; set; }

        public long Stored { get; set; }

        public long Duplicate { get; set; }

        public long Rejected { get; set; }

        /// <summary>Blocks that were read and of which no good end is known.</summary>
        public int Open { get; set; }

        /// <summary>Why it was not read to its end.</summary>
        public string? Error { get; set; }

        /// <summary>Why nothing of it was taken, though nobody is to be told of an error.</summary>
        public string? LeftOut { get; set; }

        /// <summary>What of it is not stored, because the database failed.</summary>
        public string? Failure { get; set; }

        /// <summary>From where on it is not stored, because the ledger holds something else.</summary>
        public (long Block, string Reason)? Conflict { get; set; }

        /// <summary>The entry within which its lines ended so far, and how many of the entry's lines they are.</summary>
        public (long Block, StoredEntry Entry, long Lines)? Within { get; set; }

        /// <summary>Whether all of it was read and handed over, save what is held back.</summary>
        public bool IsRead { get; set; }

        /// <summary>The line from which on it is held back.</summary>
        public long? HeldBack { get; set; }

        public bool IsCutShort => Open > 0 || !IsRead;

        public bool WasCancelled => Conflict is null && (Open > 0 || (!IsRead && Failure is null && Error is null));

        public ImportFileResult Result(string file, ImportOutcome outcome)
        {
            var error = Conflict?.Reason ?? Failure ?? Error;
            if (error is null && IsCutShort)
            {
                error = outcome == ImportOutcome.Cancelled
                    ? "cancelled before all of it was stored"
                    : "the import ended before all of it was stored";
            }

            return new(file, Kind, Read, Stored, Duplicate, Rejected, error, HeldBack, LeftOut);
        }
    }

    /// <summary>The lines of one file on their way into blocks.</summary>
    private sealed class Reading(FileImporter importer, int file, Stream stream, CancellationToken cancellationToken) : IDisposable
    {
        private readonly IncrementalHash _before = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
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

        /// <returns>False when no more of the file can be stored.</returns>
        public async ValueTask<bool> AddAsync(ImportedLine line)
        {
            // A line without its end may be half of one, whatever was said of it. As a block of its own it is in nobody's way
            // when it is whole.
            if (!line.HasEnd || !line.IsWhole)
            {
                if (!await FlushAsync().ConfigureAwait(false))
                    return false;
                // What came before may end within what is stored, and then the line may be stored with it.
                await importer._connections!.DrainAsync().ConfigureAwait(false);
                await importer._sightings!.DrainAsync().ConfigureAwait(false);
                if (importer.HasFailedIn(file))
                    return false;
                if (!line.IsWhole && !await IsStoredAsync(line).ConfigureAwait(false))
                {
                    importer._states[file].HeldBack = line.LineNumber;
                    return false;
                }
            }

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
            return (_block.Count < importer._options.BlockLines && _block.Bytes < MaxBlockBytes)
                || (await FlushAsync().ConfigureAwait(false) && !importer.HasFailedIn(file));
        }

        /// <returns>False when no more of the file can be stored.</returns>
        public async ValueTask<bool> FlushAsync()
        {
            if (_block is not { } block)
                return true;
            if (_areSightings is null)
                _connections = Begin(importer._connections!);
            block.AppendTo(_before);
            var (connections, sightings) = (_connections, _sightings);
            _block = null;
            _connections = null;
            _sightings = null;
            lock (importer._gate)
                importer._at = (file, stream.CanSeek ? stream.Position : 0, stream.CanSeek ? stream.Length : null);
            return connections is not null
                ? await HandOverAsync(importer._connections!, importer._sightings!, connections, block).ConfigureAwait(false)
                : await HandOverAsync(importer._sightings!, importer._connections!, sightings!, block).ConfigureAwait(false);
        }

        public void Dispose() => _before.Dispose();

        private async ValueTask<bool> HandOverAsync<T, TOther>(Kind<T> kind, Kind<TOther> other, Batch<T> batch, FileBlock block)
        {
            // Of all writers together there are no more than were asked for.
            await other.DrainAsync().ConfigureAwait(false);
            if (importer.IsFarAhead() || importer.IsUnderWay(block))
                await kind.DrainAsync().ConfigureAwait(false);
            if (importer._target.FindStored is not null)
            {
                try
                {
                    if ((await importer.LookUpAsync(block, cancellationToken).ConfigureAwait(false)).Conflict is { } conflict)
                    {
                        importer.Conflicts(block, conflict);
                        return false;
                    }
                }
                catch (Exception e) when (e is Npgsql.NpgsqlException or TimeoutException)
                {
                    // The storing meets the same fault, and knows what to do. Then no block may be under way beside it.
                    await kind.DrainAsync().ConfigureAwait(false);
                }
            }

            importer.HandedOver(block);
            return await kind.AddAsync(batch).ConfigureAwait(false);
        }

        /// <summary>Whether the ledger knows the line, after all that came before it.</summary>
        private async ValueTask<bool> IsStoredAsync(ImportedLine line)
        {
            if (importer._target.FindStored is not { } find)
                return false;
            using var block = new FileBlock();
            block.Begin(file, -1, _position, _before);
            block.Add(line, ReferenceEquals(line.Header, _header) ? null : line.Header);
            if (importer.EndedWithin(file, importer._blocksBegun) is { } before)
                return block.IsWithin(before.Entry, before.Lines, 0) is true;
            try
            {
                return await find(importer._options.Source, block.KeyAt(0), cancellationToken).ConfigureAwait(false) is not null;
            }
            catch (Exception e) when (e is Npgsql.NpgsqlException or TimeoutException)
            {
                return false;
            }
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
            block.Begin(file, importer._blocksBegun++, _position, _before);
            return block;
        }
    }

    /// <summary>What stores one kind of record.</summary>
    private sealed class Kind<T>(
        FileImporter importer, IBatchStorer<T> storer, IRecordSink<T> sink, CancellationToken cancellationToken) : IBatchStorer<T>
    {
        // Of looking up, in a row, each behind a storing that outlived its own.
        private const int MaxFaults = 10;

        private BatchQueue<T>? _queue;

        /// <summary>Stores a batch. A conflict ends only its file.</summary>
        public async Task<BatchOutcome<T>> StoreAsync(Batch<T> batch, CancellationToken cancellationToken)
        {
            var block = (FileBlock)batch.Identity;
            if (importer.IsBehindConflict(block))
                return new ConflictOutcome<T>("");
            if (importer.EndedWithin(block.File, block.Number) is { } before)
                return Within(batch, 0, before.Entry, before.Lines);
            for (var (isFirst, faults) = (true, 0); ;)
            {
                try
                {
                    return await storer.StoreAsync(batch, cancellationToken).ConfigureAwait(false);
                }
                catch (BatchConflictException e)
                {
                    var lines = Lines(block.LineNumberOf(0), block.LineNumberOf(block.Count - 1));
                    if (importer._target.FindStored is null)
                        return new ConflictOutcome<T>($"{lines}: {e.Message}");
                    Known known;
                    try
                    {
                        known = await importer.LookUpAsync(block, cancellationToken).ConfigureAwait(false);
                    }
                    catch (Exception fault) when (Faults.IsTransient(fault) && faults++ < MaxFaults)
                    {
                        // The storing waits until that has passed, and comes to the same conflict.
                        continue;
                    }

                    if (known.Longer is { } longer)
                        return await StoreBeforeAsync(batch, known.Items, longer, cancellationToken).ConfigureAwait(false);
                    // Without a conflict it was an older entry, which the block knows from now on.
                    if (known.Conflict is not null || !isFirst)
                        return new ConflictOutcome<T>(known.Conflict ?? $"{lines}: {e.Message}");
                    isFirst = false;
                }
            }
        }

        /// <summary>What becomes of a batch that ends within an entry.</summary>
        private async Task<BatchOutcome<T>> StoreBeforeAsync(
            Batch<T> batch, int items, StoredEntry longer, CancellationToken cancellationToken)
        {
            var rest = Within(batch, items, longer, 0);
            if (items == 0)
                return rest;
            var first = await storer.StoreAsync(FirstOf(batch, items), cancellationToken).ConfigureAwait(false);
            return first with { Duplicate = first.Duplicate + rest.Duplicate, Rejections = [.. first.Rejections, .. rest.Rejections] };
        }

        /// <summary>What becomes of the items of a batch from one on, when they are to be found at a place within an entry.</summary>
        private BatchOutcome<T> Within(Batch<T> batch, int item, StoredEntry entry, long place)
        {
            var block = (FileBlock)batch.Identity;
            if (block.IsWithin(entry, place, item) is not true)
            {
                return new ConflictOutcome<T>(
                    $"{Lines(block.LineNumberOf(item), block.LineNumberOf(block.Count - 1))} follow {GoesOnOtherwise(entry)}");
            }

            importer.EndsWithin(block, entry, place + block.Count - item);
            // Of those that the server refused when they were stored it is not known which they were.
            var rejections = batch.Refused.Where(refused => refused.Item >= item).Select(refused => refused.Rejection).ToList();
            return new BatchOutcome<T>(0, block.Count - item - rejections.Count, 0, 0, rejections);
        }

        private Batch<T> FirstOf(Batch<T> batch, int items)
        {
            var first = new Batch<T>(batch.Source, batch.FirstPosition, batch.Identity, sink.NewBuffer());
            var (row, refused) = (0, 0);
            while (first.ItemCount < items)
            {
                if (refused < batch.Refused.Count && batch.Refused[refused].Item == first.ItemCount)
                    first.AddRefused(batch.Refused[refused++].Rejection);
                else
                    first.Add(batch.Rows[row], batch.Rows.TimeOf(row++));
            }

            return first;
        }

        public Batch<T> Begin(FileBlock block)
        {
            _queue ??= new BatchQueue<T>(
                this, sink, new IngestOptions<T> { Writers = importer._options.Writers, MaxReportedRejections = 0 }, null,
                NullLogger.Instance, cancellationToken)
            {
                OnStored = (batch, outcome) => importer.Stored((FileBlock)batch.Identity, outcome, sink.Kind),
                OnFailed = (batch, e) => importer.Failed((FileBlock)batch.Identity, e),
            };
            return new Batch<T>(importer._options.Source, block.FirstPosition, block, _queue.TakeBuffer());
        }

        public ValueTask<bool> AddAsync(Batch<T> batch) => _queue!.AddAsync(batch);

        public Task DrainAsync() => _queue?.DrainAsync() ?? Task.CompletedTask;

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
}
