using CobaltGraph.Model;

namespace CobaltGraph.Data.Import;

/// <summary>
/// One line of an input, or one record where a quoted field of CSV spans several: a connection, a sighting, or the reason
/// why it is neither.
/// </summary>
internal readonly record struct ImportedLine
{
    /// <summary>The first line of the record in the (unpacked) input, from 1.</summary>
    public required long LineNumber { get; init; }

    public Connection? Connection { get; init; }

    public DeviceSighting? Sighting { get; init; }

    public RejectedLine? Rejection { get; init; }

    /// <summary>
    /// The bytes as they stood in the input, without the line end; valid until the next line is read. Of a line that is
    /// too long only the start.
    /// </summary>
    public required ReadOnlyMemory<byte> Raw { get; init; }

    /// <summary>The length of the line in the input, in bytes: more than that of <see cref="Raw"/> when it was too long.</summary>
    public required long RawLength { get; init; }

    /// <summary>Whether a line end follows.</summary>
    public bool HasEnd { get; init; }

    /// <summary>
    /// Whether nothing that the input may get later belongs to the line. Otherwise its writer may not be done with it, and it
    /// is not what it seems to be.
    /// </summary>
    public bool IsWhole { get; init; }

    /// <summary>Whether it is JSON that may be of conn or of another log with the same keys.</summary>
    public bool IsBare { get; init; }

    /// <summary>Whether it is JSON of a log that is not read, rather than a bad line.</summary>
    public bool IsOther { get; init; }

    /// <summary>The header in force, the same object until it changes; null in formats that have none.</summary>
    public InputHeader? Header { get; init; }
}

/// <summary>The lines of a header that say what the lines below them mean. Put before such lines, they make a file of their own.</summary>
internal sealed class InputHeader
{
    private readonly byte[] _bytes;

    private InputHeader(byte[] bytes) => _bytes = bytes;

    /// <summary>The lines as they stood in the input, each with a line feed.</summary>
    public ReadOnlyMemory<byte> Bytes => _bytes;

    /// <summary>A header of these lines: the last one, when it says the same.</summary>
    public static InputHeader Of(IEnumerable<byte[]> lines, ref InputHeader? last)
    {
        byte[] bytes = [.. lines.SelectMany(line => line.Append((byte)'\n'))];
        return last is not null && bytes.AsSpan().SequenceEqual(last._bytes) ? last : last = new InputHeader(bytes);
    }
}

/// <summary>A line that was not stored. Every text in it is safe to print.</summary>
/// <param name="File">The path as it was given.</param>
/// <param name="LineNumber">The line in the (unpacked) file, from 1.</param>
/// <param name="Reason">The field and the accepted form.</param>
/// <param name="Excerpt">The start of the line.</param>
internal sealed record RejectedLine(string File, long LineNumber, string Reason, string Excerpt)
{
    public const int MaxExcerptLength = 160;
}
