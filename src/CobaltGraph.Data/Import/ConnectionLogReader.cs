using CobaltGraph.Model;
using System.Runtime.CompilerServices;

namespace CobaltGraph.Data.Import;

/// <summary>Reads a log, whatever its format and packing, as a sequence of connections and rejections.</summary>
internal static class ConnectionLogReader
{
    private const string Accepted =
        "accepted are Zeek's conn.log with its header and the same as JSON, one object per line, both plain or in gzip";

    private const int PeekedBytes = 8;

    /// <summary>
    /// Reads line by line; the format is told by the content. Blank lines and header lines give nothing.
    /// </summary>
    /// <param name="stream">The file, plain or in gzip; read forward only, and not closed.</param>
    /// <param name="file">The name of the file in rejections.</param>
    /// <param name="options">The bounds.</param>
    /// <param name="cancellationToken">Stops the reading.</param>
    /// <exception cref="InvalidDataException">
    /// The file cannot be read on; what came before was delivered. The message is safe to print.
    /// </exception>
    public static async IAsyncEnumerable<ImportedLine> ReadAsync(
        Stream stream,
        string file,
        ImportOptions options,
        [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var shownFile = DisplayText.Escape(file);
        var input = new PeekableStream(stream);
        await using var inputScope = input.ConfigureAwait(false);
        var isGzip = GzipReadStream.IsGzip((await input.PeekAsync(2, cancellationToken).ConfigureAwait(false)).Span);
        ReadOnlyStream content = isGzip ? new GzipReadStream(input, options.MaxExpansionRatio, options.ExpansionAllowance) : input;
        await using var contentScope = content.ConfigureAwait(false);

        var lines = new LineReader(content, options.MaxLineBytes);
        CheckStart(lines, await lines.PeekAsync(PeekedBytes, cancellationToken).ConfigureAwait(false));

        ILineParser? parser = null;
        while (await lines.ReadAsync(cancellationToken).ConfigureAwait(false))
        {
            if (IsBlank(lines.Line) && lines.TooLongBytes == 0)
                continue;
            parser ??= ChooseParser(lines.Line);
            if (Read(parser, lines, shownFile, options) is { } line)
                yield return line;
        }
    }

    private static ImportedLine? Read(ILineParser parser, LineReader lines, string file, ImportOptions options)
    {
        var line = lines.Line;
        string? reason;
        if (lines.TooLongBytes > 0)
        {
            reason = $"is {lines.TooLongBytes} bytes long; accepted are at most {options.MaxLineBytes}";
        }
        else
        {
            try
            {
                if (parser.Parse(line, out reason) is { } connection)
                    return new ImportedLine(lines.LineNumber, connection, null);
            }
            catch (InvalidDataException e)
            {
                throw new InvalidDataException($"line {lines.LineNumber}: {e.Message}", e);
            }

            if (reason is null)
                return null;
        }

        var excerpt = DisplayText.Escape(line, RejectedLine.MaxExcerptLength);
        return new ImportedLine(lines.LineNumber, null, new RejectedLine(file, lines.LineNumber, reason, excerpt));
    }

    private static bool IsBlank(ReadOnlySpan<byte> line) => line.IndexOfAnyExcept(" \t\r"u8) < 0;

    private static void CheckStart(LineReader lines, ReadOnlyMemory<byte> start)
    {
        var bytes = start.Span[..Math.Min(start.Length, PeekedBytes)];
        if (bytes.StartsWith((ReadOnlySpan<byte>)[0xEF, 0xBB, 0xBF]))
            lines.Skip(3);
        else if (bytes.StartsWith((ReadOnlySpan<byte>)[0xFF, 0xFE]) || bytes.StartsWith((ReadOnlySpan<byte>)[0xFE, 0xFF])
                 || bytes is [0, not 0, 0, not 0, ..] or [not 0, 0, not 0, 0, ..])
            throw new InvalidDataException("the file is UTF-16; accepted is UTF-8 (iconv -f UTF-16 -t UTF-8 turns it)");
        else if (bytes.StartsWith((ReadOnlySpan<byte>)[0x1F, 0x8B]))
            throw new InvalidDataException("the file is packed by gzip twice; unpack it once");
        else if (bytes.StartsWith((ReadOnlySpan<byte>)[0x28, 0xB5, 0x2F, 0xFD]))
            throw new InvalidDataException($"the file is packed by zstd; unpack it, {Accepted}");
        else if (bytes.StartsWith((ReadOnlySpan<byte>)[0xFD, 0x37, 0x7A, 0x58, 0x5A, 0x00]))
            throw new InvalidDataException($"the file is packed by xz; unpack it, {Accepted}");
        else if (bytes.StartsWith("BZh"u8))
            throw new InvalidDataException($"the file is packed by bzip2; unpack it, {Accepted}");
        else if (bytes.StartsWith("PK\u0003\u0004"u8))
            throw new InvalidDataException($"the file is a zip archive; unpack it, {Accepted}");
        else if (bytes.StartsWith((ReadOnlySpan<byte>)[0xD4, 0xC3, 0xB2, 0xA1]) || bytes.StartsWith((ReadOnlySpan<byte>)[0xA1, 0xB2, 0xC3, 0xD4])
                 || bytes.StartsWith((ReadOnlySpan<byte>)[0x0A, 0x0D, 0x0D, 0x0A]))
            throw new InvalidDataException($"the file is a packet capture; let Zeek read it (zeek -r FILE) and import the conn.log, {Accepted}");
        else if (bytes.Contains((byte)0))
            throw new InvalidDataException($"the file is binary; {Accepted}");
    }

    private static ILineParser ChooseParser(ReadOnlySpan<byte> line)
    {
        var start = line.TrimStart(" \t\r"u8);
        return start switch
        {
            [(byte)'{', ..] => new ZeekJsonParser(),
            [(byte)'#', ..] when line[0] == '#' => new ZeekTsvParser(),
            [(byte)'[', ..] => throw new InvalidDataException(
                "the file is a JSON array; accepted is one object per line (jq -c '.[]' turns it)"),
            _ => throw new InvalidDataException(
                $"the file starts with '{DisplayText.Escape(start, 40)}', which is neither a header line '#…' nor a JSON object; {Accepted}. "
                + "A log whose header was cut off needs the lines that start with '#' (zeek-cut -c keeps them)"),
        };
    }
}
