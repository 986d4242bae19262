using System.IO.Compression;

namespace CobaltGraph.Data.Export;

/// <summary>A file that has its name only once it is complete, so that no half of one is taken for the whole.</summary>
internal sealed class ExportFile : IAsyncDisposable
{
    private const string Unfinished = ".part";

    private readonly string _path;
    private readonly string _part;
    private readonly FileStream _file;
    private readonly GZipStream? _gzip;
    private bool _isOpen = true;

    /// <exception cref="ArgumentException">The path is none.</exception>
    /// <exception cref="IOException">The file cannot be made, or another export is writing it.</exception>
    /// <exception cref="UnauthorizedAccessException">The file may not be made, or is a folder.</exception>
    public ExportFile(string path)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        _path = Path.GetFullPath(path);
        if (Directory.Exists(_path))
            throw new UnauthorizedAccessException($"{path} is a folder; name a file.");
        if (IsDevice(_path))
            throw new UnauthorizedAccessException($"{path} is a device; write to a stream over it.");
        // The new file takes the place of what a link leads to, not of the link.
        if (new FileInfo(_path).LinkTarget is not null)
            _path = File.ResolveLinkTarget(_path, returnFinalTarget: true)!.FullName;
        _part = _path + Unfinished;
        _file = new FileStream(_part, new FileStreamOptions
        {
            Mode = FileMode.Create,
            Access = FileAccess.Write,
            Share = FileShare.Read,
            Options = FileOptions.Asynchronous,
        });
        _gzip = path.EndsWith(".gz", StringComparison.OrdinalIgnoreCase)
            ? new GZipStream(_file, CompressionLevel.Optimal, leaveOpen: true)
            : null;
    }

    /// <summary>Whether a file there would replace a device.</summary>
    public static bool IsDevice(string path)
        => !OperatingSystem.IsWindows() && path.StartsWith("/dev/", StringComparison.Ordinal)
           && !path.StartsWith("/dev/shm/", StringComparison.Ordinal);

    public Stream Stream => (Stream?)_gzip ?? _file;

    /// <summary>Gives the file its name, once the system has all of it.</summary>
    public async Task CompleteAsync(CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        if (_gzip is not null)
            await _gzip.DisposeAsync().ConfigureAwait(false);
        await _file.FlushAsync(cancellationToken).ConfigureAwait(false);
        _file.Flush(flushToDisk: true);
        await _file.DisposeAsync().ConfigureAwait(false);
        cancellationToken.ThrowIfCancellationRequested();
        File.Move(_part, _path, overwrite: true);
        _isOpen = false;
    }

    /// <summary>Removes the file unless it was completed.</summary>
    public async ValueTask DisposeAsync()
    {
        if (!_isOpen)
            return;
        _isOpen = false;
        try
        {
            if (_gzip is not null)
                await _gzip.DisposeAsync().ConfigureAwait(false);
            await _file.DisposeAsync().ConfigureAwait(false);
        }
        catch (IOException)
        {
            // What made the export fail is told already, and nothing of the file is kept.
        }

        File.Delete(_part);
    }
}
