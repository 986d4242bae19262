using System.Globalization;
using CobaltGraph.Model;
using Npgsql;

namespace CobaltGraph.Data.Import;

/// <summary>
/// Imports connection logs: file by file, in batches that are stored or not as a whole. A bad line is rejected and the
/// next one read; a bad file is reported and the next one opened; only a failing database ends the import.
/// </summary>
internal sealed class ConnectionFileImporter
{
    private readonly IConnectionSink _sink;
    private readonly IReadOnlyList<string> _paths;
    private readonly ImportOptions _options;
    private readonly IProgress<ImportProgress>? _progress;
    private readonly List<ImportFileResult> _files = [];
    private readonly List<RejectedLine> _rejections = [];
    private readonly List<Connection> _rows;
    private readonly List<long> _lineNumbers;
    private string _file = "";
    private long _read;
    private long _stored;
    private long _rejected;

    private ConnectionFileImporter(
        IConnectionSink sink,
        IReadOnlyList<string> paths,
        ImportOptions options,
        IProgress<ImportProgress>? progress)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(options.BatchSize);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(options.MaxLineBytes);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(options.MaxExpansionRatio);
        _sink = sink;
        _paths = paths;
        _options = options;
        _progress = progress;
        _rows = new List<Connection>(Math.Min(options.BatchSize, 10_000));
        _lineNumbers = new List<long>(Math.Min(options.BatchSize, 10_000));
    }

    /// <summary>Imports files into the database in the order given.</summary>
    /// <param name="dataSource">The database, migrated.</param>
    /// <param name="paths">The files.</param>
    /// <param name="options">Batch size, bounds and hooks.</param>
    /// <param name="progress">Told after every batch.</param>
    /// <param name="cancellationToken">
    /// Stops after the batches that are finished; the result says so, and no exception is thrown.
    /// </param>
    public static Task<ImportResult> ImportAsync(
        NpgsqlDataSource dataSource,
        IReadOnlyList<string> paths,
        ImportOptions options,
        IProgress<ImportProgress>? progress,
        CancellationToken cancellationToken)
        => ImportAsync(new PostgresConnectionSink(dataSource), paths, options, progress, cancellationToken);

    public static Task<ImportResult> ImportAsync(
        IConnectionSink sink,
        IReadOnlyList<string> paths,
        ImportOptions options,
        IProgress<ImportProgress>? progress,
        CancellationToken cancellationToken)
        => new ConnectionFileImporter(sink, paths, options, progress).RunAsync(cancellationToken);

    private async Task<ImportResult> RunAsync(CancellationToken cancellationToken)
    {
        foreach (var path in _paths)
        {
            _file = path;
            _read = _stored = _rejected = 0;
            string? error = null;
            ImportOutcome? ended = null;
            BatchStoreException? failure = null;
            try
            {
                cancellationToken.ThrowIfCancellationRequested();
                error = await ImportFileAsync(path, cancellationToken).ConfigureAwait(false);
            }
            catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
            {
                ended = ImportOutcome.Cancelled;
                error = "the import was cancelled here; what is counted as stored is stored";
            }
            catch (BatchStoreException e)
            {
                ended = ImportOutcome.Failed;
                failure = e;
                error = DescribeFailure(e);
            }

            _rows.Clear();
            _lineNumbers.Clear();
            _files.Add(new ImportFileResult(DisplayText.Escape(path), _read, _stored, _rejected, error));
            if (ended is { } outcome)
                return new ImportResult(outcome, _files, _rejections, failure);
        }

        return new ImportResult(ImportOutcome.Completed, _files, _rejections, null);
    }

    /// <returns>Why the file was not read to its end, or null.</returns>
    private async Task<string?> ImportFileAsync(string path, CancellationToken cancellationToken)
    {
        FileStream stream;
        try
        {
            if (Directory.Exists(path))
                return "is a folder; name the files in it";
            stream = new FileStream(path, new FileStreamOptions
            {
                Access = FileAccess.Read,
                // A sensor may still be writing.
                Share = FileShare.ReadWrite | FileShare.Delete,
                BufferSize = 0,
                Options = FileOptions.Asynchronous | FileOptions.SequentialScan,
            });
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or ArgumentException or NotSupportedException)
        {
            return DescribeFileError(e);
        }

        await using (stream.ConfigureAwait(false))
        {
            var error = await ReadLinesAsync(stream, cancellationToken).ConfigureAwait(false);
            // What was read before an error is good.
            await StoreBatchAsync(cancellationToken).ConfigureAwait(false);
            Report(stream);
            return error;
        }
    }

    private async Task<string?> ReadLinesAsync(FileStream stream, CancellationToken cancellationToken)
    {
        var lines = ImportReader.ReadAsync(stream, _file, _options, cancellationToken).GetAsyncEnumerator(cancellationToken);
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

                var line = lines.Current;
                if (line.Connection is not null)
                {
                    _rows.Add(line.Connection);
                    _lineNumbers.Add(line.LineNumber);
                    if (_rows.Count < _options.BatchSize)
                        continue;
                    await StoreBatchAsync(cancellationToken).ConfigureAwait(false);
                    Report(stream);
                }
                else
                {
                    Reject(line.Rejection ?? new RejectedLine(
                        DisplayText.Escape(_file), line.LineNumber, "is a sighting; accepted are connections",
                        DisplayText.Escape(line.Raw.Span, RejectedLine.MaxExcerptLength)));
                    if (_rejected % 10_000 == 0)
                    {
                        cancellationToken.ThrowIfCancellationRequested();
                        Report(stream);
                    }
                }
            }
        }
    }

    private async Task StoreBatchAsync(CancellationToken cancellationToken)
    {
        if (_rows.Count == 0)
            return;
        var refused = await _sink.StoreAsync(_rows, cancellationToken).ConfigureAwait(false);
        _stored += _rows.Count - refused.Count;
        _read += _rows.Count - refused.Count;
        foreach (var row in refused)
        {
            Reject(new RejectedLine(
                DisplayText.Escape(_file), _lineNumbers[row.Index], row.Reason, Summarize(_rows[row.Index])));
        }

        _rows.Clear();
        _lineNumbers.Clear();
    }

    private void Reject(RejectedLine line)
    {
        _read++;
        _rejected++;
        if (_rejections.Count < _options.MaxReportedRejections)
            _rejections.Add(line);
        _options.OnRejected?.Invoke(line);
    }

    private void Report(FileStream stream)
    {
        if (_progress is null)
            return;
        long? size = stream.CanSeek ? stream.Length : null;
        _progress.Report(new ImportProgress(
            DisplayText.Escape(_file),
            _files.Count + 1,
            _paths.Count,
            stream.CanSeek ? stream.Position : 0,
            size,
            _files.Sum(f => f.Read) + _read,
            _files.Sum(f => f.Stored) + _stored,
            _files.Sum(f => f.Rejected) + _rejected));
    }

    private string DescribeFailure(BatchStoreException e)
    {
        var lines = string.Create(CultureInfo.InvariantCulture, $"lines {_lineNumbers[0]} to {_lineNumbers[^1]}");
        return e.IsOutcomeUnknown
            ? $"{lines} may or may not be stored, for the connection broke during the commit: {e.Message}"
            : $"{lines} and what follows are not stored: {e.Message}";
    }

    private static string Summarize(Connection row)
        => DisplayText.Escape(
            string.Create(
                CultureInfo.InvariantCulture,
                $"{row.Timestamp.UtcDateTime:O} {row.Protocol} {row.SrcIp} {row.SrcPort} → {row.DstIp} {row.DstPort}"),
            RejectedLine.MaxExcerptLength);

    private static string DescribeFileError(Exception e) => e switch
    {
        InvalidDataException => e.Message,
        FileNotFoundException or DirectoryNotFoundException => "there is no such file",
        UnauthorizedAccessException => "this account may not read it",
        ArgumentException or NotSupportedException => "is not a path of this system",
        _ => $"cannot be read: {DisplayText.Escape(e.Message)}",
    };
}
