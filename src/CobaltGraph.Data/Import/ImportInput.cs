namespace CobaltGraph.Data.Import;

/// <summary>Something to import: a file or a stream.</summary>
internal sealed class ImportInput
{
    private readonly Func<Stream> _open;

    private ImportInput(string name, Func<Stream> open)
    {
        Name = name;
        _open = open;
    }

    /// <summary>The path as it was given, or what stands for it.</summary>
    public string Name { get; }

    /// <summary>A file.</summary>
    public static ImportInput File(string path) => new(path, () => OpenFile(path));

    /// <summary>A stream, read once and forward only.</summary>
    public static ImportInput Of(string name, Func<Stream> open) => new(name, open);

    /// <summary>Opens it.</summary>
    /// <exception cref="InvalidDataException">It is a folder.</exception>
    /// <exception cref="IOException">It cannot be read.</exception>
    public Stream Open() => _open();

    /// <summary>Files as they are given, and those of folders with all their folders, in the order of their names.</summary>
    public static IEnumerable<ImportInput> FilesOf(IEnumerable<string> paths)
    {
        foreach (var path in paths)
        {
            if (!Directory.Exists(path))
            {
                yield return File(path);
                continue;
            }

            var files = Directory.EnumerateFiles(path, "*", new EnumerationOptions
            {
                RecurseSubdirectories = true,
                AttributesToSkip = FileAttributes.Hidden | FileAttributes.System,
            });
            foreach (var file in files.Order(StringComparer.Ordinal))
                yield return File(file);
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
