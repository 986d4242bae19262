using System.Text;
using System.Text.Json;

namespace CobaltGraph.Data.Import;

/// <summary>
/// Rejected lines in the format of their input: each as it stood there, below a line with the reason, which an import
/// passes over. Once the lines are mended, the file can be imported.
/// </summary>
internal sealed class RejectsFile(string path) : IDisposable
{
    /// <summary>Begins a line with a reason, in formats of lines.</summary>
    public static ReadOnlySpan<byte> LineMark => "#rejected "u8;

    /// <summary>Begins a line with a reason among JSON objects.</summary>
    public static ReadOnlySpan<byte> JsonMark => "{\"#rejected\":"u8;

    private FileStream? _file;
    private InputHeader? _header;

    /// <summary>Where it is.</summary>
    public string Path { get; } = path;

    /// <summary>How many lines it holds.</summary>
    public long Count { get; private set; }

    public static bool IsReason(ReadOnlySpan<byte> line) => line.StartsWith(LineMark) || line.StartsWith(JsonMark);

    public void Add(RejectedLine line, ReadOnlySpan<byte> raw, InputHeader? header)
    {
        // Made with the first line, and then anew.
        _file ??= new FileStream(Path, FileMode.Create, FileAccess.Write, FileShare.Read, 64 * 1024);
        if (header is not null && !ReferenceEquals(header, _header))
        {
            _file.Write(header.Bytes.Span);
            _header = header;
        }

        if (header is not null)
        {
            _file.Write(LineMark);
            _file.Write(Encoding.UTF8.GetBytes($"{line.File}, line {line.LineNumber}: {line.Reason}\n"));
        }
        else
        {
            _file.Write(JsonMark);
            _file.Write(JsonSerializer.SerializeToUtf8Bytes(line.Reason));
            _file.Write(",\"file\":"u8);
            _file.Write(JsonSerializer.SerializeToUtf8Bytes(line.File));
            _file.Write(Encoding.UTF8.GetBytes($",\"line\":{line.LineNumber}}}\n"));
        }

        _file.Write(raw);
        Count++;
    }

    public void Dispose() => _file?.Dispose();
}
