namespace CobaltGraph.Data.Import;

/// <summary>Something to import: a file or a stream.</summary>
internal sealed class ImportInput
{
    private static readonly EnumerationOptions Visible = new()
    {
        AttributesToSkip = FileAttributes.Hidden | FileAttributes.System,
        // A folder that may not be read is reported.
        IgnoreInaccessible = false,
    };

    private readonly Func<Stream> _open;

    private ImportInput(string name, string? fullPath, Func<Stream> open, bool isFound = false)
    {
        IsFound = isFound;
        Name = name;
        FullPath = fullPath;
        _open = open;
    }

    /// <summary>The path as it was given, or what stands for it.</summary>
    public string Name { get; }

    /// <summary>Whether nobody named it: it was found in a folder.</summary>
    public bool IsFound { get; }

    /// <summary>
    /// Whether it was found and is, by its name, a log of connections that still last: of packages for Zeek, with conn's keys.
    /// Only its name tells it, as JSON.
    /// </summary>
    public bool IsInterim => IsFound && Path.GetFileName(FullPath) is { } file
        && (file.StartsWith("conn_long.", StringComparison.Ordinal) || file.StartsWith("open_conn.", StringComparison.Ordinal));

    /// <summary>Whether its name says conn.</summary>
    public bool IsNamedConn => Path.GetFileName(FullPath)?.Contains("conn", StringComparison.OrdinalIgnoreCase) == true;

    /// <summary>Where the file is; null for a stream and for what is no path.</summary>
    public string? FullPath { get; }

    /// <summary>A file.</summary>
    public static ImportInput File(string path) => File(path, Directory.GetCurrentDirectory());

    /// <summary>A stream, read once and forward only.</summary>
    public static ImportInput Of(string name, Func<Stream> open) => new(name, null, open);

    /// <summary>Opens it.</summary>
    /// <exception cref="InvalidDataException">It is a folder.</exception>
    /// <exception cref="IOException">It cannot be read.</exception>
    /// <exception cref="UnauthorizedAccessException">It may not be read.</exception>
    /// <exception cref="ArgumentException">It is no path.</exception>
    public Stream Open() => _open();

    /// <summary>
    /// A file as it is given; of a folder all files in it and in its folders, in the order of their names. What is hidden is
    /// left out.
    /// </summary>
    /// <param name="path">A file or folder; what cannot be read is one input, whose opening says why.</param>
    /// <param name="currentFolder">Where relative paths begin.</param>
    public static IReadOnlyList<ImportInput> FilesOf(string path, string currentFolder)
    {
        var input = File(path, currentFolder);
        if (input.FullPath is null || !Directory.Exists(input.FullPath))
            return [input];
        var files = new List<ImportInput>();
        AddFiles(path, new DirectoryInfo(input.FullPath), files, []);
        return files;
    }

    private static ImportInput File(string path, string currentFolder)
    {
        try
        {
            ArgumentException.ThrowIfNullOrEmpty(path);
            var fullPath = Path.GetFullPath(path, currentFolder);
            return new(path, fullPath, () => OpenFile(fullPath));
        }
        catch (ArgumentException e)
        {
            return new(path, null, () => throw e);
        }
    }

    /// <param name="name">The folder, as it is shown.</param>
    /// <param name="folder">The folder.</param>
    /// <param name="files">Gets the files.</param>
    /// <param name="above">The folders that lead here, by where they really are: a link may lead back.</param>
    private static void AddFiles(string name, DirectoryInfo folder, List<ImportInput> files, HashSet<string> above)
    {
        try
        {
            var place = folder.ResolveLinkTarget(returnFinalTarget: true)?.FullName ?? folder.FullName;
            if (!above.Add(place))
                return;
            foreach (var entry in folder.EnumerateFileSystemInfos("*", Visible).OrderBy(entry => entry.Name, StringComparer.Ordinal))
            {
                var path = Path.Combine(name, entry.Name);
                if (entry is DirectoryInfo inner)
                    AddFiles(path, inner, files, above);
                else
                    files.Add(new(path, entry.FullName, () => OpenFile(entry.FullName), isFound: true));
            }

            above.Remove(place);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            files.Add(new(name, folder.FullName, () => throw e));
        }
    }

    private static FileStream OpenFile(string path)
    {
        if (Directory.Exists(path))
            throw new InvalidDataException("is a folder; name the files in it");
        return new FileStream(path, new FileStreamOptions
        {
            Access = FileAccess.Read,
            // A sensor may still be writing.
            Share = FileShare.ReadWrite | FileShare.Delete,
            BufferSize = 0,
            Options = FileOptions.Asynchronous | FileOptions.SequentialScan,
        });
    }
}
