using System.Globalization;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace CobaltGraph.Data.Import;

/// <summary>
/// Rejected lines in the format of their input: each as it stood there, below a line with the reason, which an import
/// passes over. Once the lines are mended, the file can be imported. Lines that cannot share a file, as those of CSV and
/// JSON, or of connections and sightings, go to files of their own beside it.
/// </summary>
internal sealed class RejectsFile(string path) : IDisposable
{
    // Connections, sightings, and what is not known.
    private const int Kinds = 3;

    // What is written is safe to print already.
    private static readonly JsonSerializerOptions Readable = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    private readonly List<Part> _parts = [];

    /// <summary>Begins a line with a reason, in formats of lines.</summary>
    public static ReadOnlySpan<byte> LineMark => "#rejected "u8;

    /// <summary>Begins a line with a reason among JSON objects.</summary>
    public static ReadOnlySpan<byte> JsonMark => "{\"#rejected\":"u8;

    /// <summary>Where the first lines go.</summary>
    public string Path => path;

    /// <summary>All files that may be written: one for each format and kind.</summary>
    public IEnumerable<string> Paths => Enumerable.Range(0, Enum.GetValues<Format>().Length * Kinds).Select(PathOf);

    /// <summary>The files that were written, each with its number of lines.</summary>
    public IReadOnlyList<(string Path, long Lines)> Written => [.. _parts.Select(part => (part.Path, part.Lines))];

    /// <summary>
    /// Whether a line is a reason. In CSV a row may look like one, whose first field is any text; but no reason has as many
    /// fields as its header.
    /// </summary>
    public static bool IsReason(ReadOnlySpan<byte> line)
        => line.StartsWith(LineMark) ? IsLineReason(line[LineMark.Length..]) : line.StartsWith(JsonMark) && IsJsonReason(line);

    /// <summary>Whether a file holds rejected lines, or nothing, so that others may take their place.</summary>
    /// <exception cref="IOException">It cannot be read.</exception>
    /// <exception cref="UnauthorizedAccessException">It cannot be read.</exception>
    public static bool MayReplace(string path) => !File.Exists(path) || new FileInfo(path).Length == 0 || HoldsRejects(path);

    /// <summary>Removes what earlier runs have left, apart from the files that this one has begun.</summary>
    /// <exception cref="IOException">It cannot be removed.</exception>
    /// <exception cref="UnauthorizedAccessException">It cannot be removed.</exception>
    public void RemoveOld()
    {
        foreach (var old in Paths.Except(_parts.Select(part => part.Path)))
        {
            if (File.Exists(old) && new FileInfo(old).Length > 0 && HoldsRejects(old))
                File.Delete(old);
        }
    }

    /// <summary>Adds a line.</summary>
    /// <param name="line">Where it stood, and why it was rejected.</param>
    /// <param name="raw">Its bytes with a line feed; none when it was too long to keep.</param>
    /// <param name="header">The header that holds for it; null in formats that have none.</param>
    /// <param name="kind">What the lines around it are; null when that is not known.</param>
    /// <exception cref="IOException">It cannot be written.</exception>
    /// <exception cref="UnauthorizedAccessException">It cannot be written.</exception>
    public void Add(RejectedLine line, ReadOnlySpan<byte> raw, InputHeader? header, string? kind)
    {
        var format = header is null ? Format.Json
            : header.Bytes.Span is [(byte)'#', ..] or [] ? Format.Tsv
            : Format.Csv;
        var part = _parts.Find(p => p.Format == format && p.Kind == kind);
        if (part is null)
        {
            part = new Part(PathOf(_parts.Count), format, kind);
            _parts.Add(part);
        }

        part.Add(line, raw, header);
    }

    /// <summary>Hands to the system what was added, so that it outlives this process.</summary>
    /// <exception cref="IOException">It cannot be written.</exception>
    public void Flush()
    {
        foreach (var part in _parts)
            part.Flush();
    }

    public void Dispose()
    {
        foreach (var part in _parts)
            part.Dispose();
    }

    /// <summary>FILE, line N: reason.</summary>
    private static bool IsLineReason(ReadOnlySpan<byte> text)
    {
        var place = ", line "u8;
        for (var found = text.IndexOf(place); found >= 0; found = text.IndexOf(place))
        {
            text = text[(found + place.Length)..];
            var digits = text.IndexOfAnyExceptInRange((byte)'0', (byte)'9');
            if (digits > 0 && text[digits..].StartsWith(": "u8))
                return true;
        }

        return false;
    }

    private static bool IsJsonReason(ReadOnlySpan<byte> line)
    {
        var reader = new Utf8JsonReader(line);
        try
        {
            return reader.Read()
                && IsNext(ref reader, "#rejected"u8, JsonTokenType.String)
                && IsNext(ref reader, "file"u8, JsonTokenType.String)
                && IsNext(ref reader, "line"u8, JsonTokenType.Number)
                && reader.Read() && reader.TokenType == JsonTokenType.EndObject && !reader.Read();
        }
        catch (JsonException)
        {
            return false;
        }

        static bool IsNext(ref Utf8JsonReader reader, ReadOnlySpan<byte> name, JsonTokenType type)
            => reader.Read() && reader.TokenType == JsonTokenType.PropertyName && reader.ValueTextEquals(name)
                && reader.Read() && reader.TokenType == type;
    }

    /// <summary>Whether a reason is the first that stands in a file, below a header where there is one.</summary>
    private static bool HoldsRejects(string path)
    {
        using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
        var buffer = new byte[256 * 1024];
        var rest = buffer.AsSpan(0, file.ReadAtLeast(buffer, buffer.Length, throwOnEndOfStream: false));
        for (var isFirst = true; !rest.IsEmpty; isFirst = false)
        {
            var end = rest.IndexOf((byte)'\n');
            var line = end < 0 ? rest : rest[..end];
            if (IsReason(line))
                return true;
            if (!line.StartsWith("#"u8) && !(isFirst && IsCsvHeader(line)))
                return false;
            rest = end < 0 ? [] : rest[(end + 1)..];
        }

        return false;
    }

    private static bool IsCsvHeader(ReadOnlySpan<byte> line)
    {
        try
        {
            return CsvParser.TryCreate(line.ToArray()) is not null;
        }
        catch (InvalidDataException)
        {
            return false;
        }
    }

    private string PathOf(int number)
        => number == 0
            ? path
            : System.IO.Path.Combine(
                System.IO.Path.GetDirectoryName(path) ?? "",
                string.Create(
                    CultureInfo.InvariantCulture,
                    $"{System.IO.Path.GetFileNameWithoutExtension(path)}.{number + 1}{System.IO.Path.GetExtension(path)}"));

    private enum Format
    {
        Tsv,
        Csv,
        Json,
    }

    private sealed class Part : IDisposable
    {
        // Its own buffer, so that what the disk refuses is not written again on closing.
        private readonly MemoryStream _buffer = new();
        private readonly FileStream _file;
        private InputHeader? _header;

        public Part(string path, Format format, string? kind)
        {
            Path = path;
            Format = format;
            Kind = kind;
            _file = new FileStream(path, FileMode.Create, FileAccess.Write, FileShare.Read, bufferSize: 0);
        }

        public string Path { get; }

        public Format Format { get; }

        public string? Kind { get; }

        public long Lines { get; private set; }

        public void Add(RejectedLine line, ReadOnlySpan<byte> raw, InputHeader? header)
        {
            if (header is not null && !ReferenceEquals(header, _header))
            {
                _buffer.Write(header.Bytes.Span);
                _header = header;
            }

            if (header is not null)
            {
                _buffer.Write(LineMark);
                _buffer.Write(Encoding.UTF8.GetBytes(Reason(line, header)));
            }
            else
            {
                _buffer.Write(JsonMark);
                _buffer.Write(JsonSerializer.SerializeToUtf8Bytes(line.Reason, Readable));
                _buffer.Write(",\"file\":"u8);
                _buffer.Write(JsonSerializer.SerializeToUtf8Bytes(line.File, Readable));
                _buffer.Write(Encoding.UTF8.GetBytes(string.Create(CultureInfo.InvariantCulture, $",\"line\":{line.LineNumber}}}\n")));
            }

            _buffer.Write(raw);
            Lines++;
            if (_buffer.Length > 64 * 1024)
                Flush();
        }

        private string Reason(RejectedLine line, InputHeader header)
        {
            var reason = string.Create(CultureInfo.InvariantCulture, $"{line.File}, line {line.LineNumber}: {line.Reason}");
            if (Format != Format.Csv)
                return reason + "\n";
            // No row, neither by its quotes nor by its fields.
            reason = reason.Replace('"', '\'');
            return reason.Count(c => c == ',') == header.Bytes.Span.Count((byte)',') ? reason + ",\n" : reason + "\n";
        }

        public void Flush()
        {
            _file.Write(_buffer.GetBuffer().AsSpan(0, (int)_buffer.Length));
            _buffer.SetLength(0);
        }

        public void Dispose()
        {
            _buffer.Dispose();
            _file.Dispose();
        }
    }
}
