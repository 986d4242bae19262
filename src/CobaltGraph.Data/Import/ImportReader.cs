using System.Buffers;
using System.Runtime.CompilerServices;
using System.Text.Unicode;
using CobaltGraph.Model;

namespace CobaltGraph.Data.Import;

/// <summary>
/// Reads an input, whatever its format and packing, as a sequence of records and rejections. All records of one input are
/// connections, or all are sightings, as the first one is; the others are rejected.
/// </summary>
internal static class ImportReader
{
    private const string Accepted =
        "accepted are Zeek's conn.log and dhcp.log with their headers, JSON with one object per line (Zeek's conn and dhcp, "
        + "DHCP messages, ARP, our own export), and CSV with a header that names our columns; all plain or in gzip";

    private const int PeekedBytes = 8;

    private static readonly SearchValues<byte> OfLogs = SearchValues.Create("\t{}\";|"u8);

    /// <summary>
    /// Reads line by line; the format is told by the content. Blank lines and header lines give nothing.
    /// </summary>
    /// <param name="stream">The input, plain or in gzip; read forward only, and not closed.</param>
    /// <param name="file">The name of the input in rejections.</param>
    /// <param name="options">The bounds.</param>
    /// <param name="cancellationToken">Stops the reading.</param>
    /// <exception cref="InvalidDataException">
    /// The input cannot be read on; what came before was delivered. The message is safe to print.
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
        var holdsSightings = (bool?)null;
        // What is packed ends where its checksum stands.
        var isComplete = options.AreComplete || isGzip;
        // From the line on that the end of the input cuts.
        var isCut = false;
        while (await lines.ReadAsync(cancellationToken).ConfigureAwait(false))
        {
            if (IsBlank(lines.Line.Span) && lines.TooLongBytes == 0)
            {
                lines.SkipEmptyLines();
                continue;
            }

            var isReason = lines.TooLongBytes == 0 && RejectsFile.IsReason(lines.Line.Span);
            if (isReason && parser is not CsvParser)
            {
                // What was rejected may look like any format.
                if (lines.Line.Span[0] == '{')
                    parser ??= new JsonLineParser();
                continue;
            }

            var wasCut = isCut;
            isCut |= !isComplete && !lines.HasEnd && !(parser is null or JsonLineParser && JsonLineParser.IsWhole(lines));
            parser ??= ChooseParser(lines.Line);
            var quotes = parser is CsvParser ? await CompleteQuotesAsync(lines, cancellationToken).ConfigureAwait(false) : Quotes.Even;
            // Before the record is cut back.
            isCut |= !isComplete && parser is CsvParser && (quotes == Quotes.OpenAtEnd || !lines.HasEnd);
            var record = Read(parser, lines, quotes, options, out var reason);
            if (isReason && parser is CsvParser { IsBroken: true })
            {
                isCut = wasCut;
                continue;
            }

            if (record is not null)
            {
                holdsSightings ??= record is DeviceSighting;
                if (record is DeviceSighting != holdsSightings)
                {
                    reason = record is DeviceSighting
                        ? "is a sighting among connections; accepted is one kind in one input, so put the sightings into a file of their own"
                        : "is a connection among sightings; accepted is one kind in one input, so put the connections into a file of their own";
                    record = null;
                }
            }

            if (record is null && reason is null)
                continue;
            yield return new ImportedLine
            {
                LineNumber = lines.LineNumber,
                Connection = record as Connection,
                Sighting = record as DeviceSighting,
                Rejection = reason is null
                    ? null
                    : new RejectedLine(shownFile, lines.LineNumber, reason, DisplayText.Escape(lines.Line.Span, RejectedLine.MaxExcerptLength)),
                Raw = lines.Line,
                HasEnd = lines.HasEnd,
                IsWhole = !isCut,
                IsBare = lines.TooLongBytes == 0 && parser is JsonLineParser { IsBare: true },
                IsOther = lines.TooLongBytes == 0 && parser is JsonLineParser { IsOther: true },
                RawLength = lines.TooLongBytes > 0 ? lines.TooLongBytes : lines.Line.Length,
                Header = parser.Header,
            };
        }
    }

    private static object? Read(ILineParser parser, LineReader lines, Quotes quotes, ImportOptions options, out string? reason)
    {
        if (lines.TooLongBytes > 0)
        {
            reason = $"is {lines.TooLongBytes} bytes long; accepted are at most {options.MaxLineBytes}";
            return null;
        }

        object? record;
        try
        {
            record = parser.Parse(lines.Line, out reason);
        }
        catch (InvalidDataException e)
        {
            throw new InvalidDataException($"line {lines.LineNumber}: {e.Message}", e);
        }

        if (parser is CsvParser { IsBroken: true } && reason is not null)
        {
            if (quotes != Quotes.Even)
                reason += $", and none closes it within {options.MaxLineBytes} bytes";
            else if (lines.LastLineNumber > lines.LineNumber)
                reason += $". By its quotes the record runs to line {lines.LastLineNumber}; this line is passed over, and the next one read by itself";
            lines.CutBack();
        }

        return record;
    }

    /// <summary>Extends the line until its quotes are even; where they stay odd it is as it was then.</summary>
    private static async ValueTask<Quotes> CompleteQuotesAsync(LineReader lines, CancellationToken cancellationToken)
    {
        var isOpen = false;
        for (var counted = 0; ; )
        {
            var line = lines.Line;
            isOpen ^= line.Span[counted..].Count((byte)'"') % 2 == 1;
            if (!isOpen)
                return Quotes.Even;
            counted = line.Length;
            if (!await lines.ExtendAsync(cancellationToken).ConfigureAwait(false))
            {
                var quotes = lines is { TooLongBytes: 0, IsAtEnd: true } ? Quotes.OpenAtEnd : Quotes.TooLong;
                lines.CutBack();
                return quotes;
            }
        }
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

    private static ILineParser ChooseParser(ReadOnlyMemory<byte> line)
    {
        var start = line.Span.TrimStart(" \t\r"u8);
        switch (start)
        {
            case [(byte)'{', ..]:
                return new JsonLineParser();
            case [(byte)'#', ..] when line.Span[0] == '#':
                return new ZeekTsvParser();
            case [(byte)'[', ..]:
                throw new InvalidDataException("the file is a JSON array; accepted is one object per line (jq -c '.[]' turns it)");
        }

        if (CsvParser.TryCreate(line) is { } parser)
            return parser;
        if (CsvParser.IsSeparatedOtherwise(line.Span))
        {
            throw new InvalidDataException(
                $"the header '{DisplayText.Escape(start, 40)}' names our columns, but not between commas; accepted is ',' as the separator");
        }

        throw new InvalidDataException(
            $"the file starts with '{DisplayText.Escape(start, 40)}', which is neither a header line '#…' nor a JSON object nor the "
            + $"names of our columns; {Accepted}. "
            + "A log whose header was cut off needs the lines that start with '#' (zeek-cut -c keeps them)",
            IsProse(line.Span) ? new OtherLogException() : null);
    }

    /// <summary>
    /// Whether a line is what a sensor's programs print, rather than half a line of JSON, or a row of a log without its header.
    /// </summary>
    private static bool IsProse(ReadOnlySpan<byte> line)
        => !line.ContainsAny(OfLogs) && line.Count((byte)',') < 2 && Utf8.IsValid(line);

    private enum Quotes
    {
        Even,

        /// <summary>One is open where the input ends.</summary>
        OpenAtEnd,

        /// <summary>One is open after as many bytes as a line may have.</summary>
        TooLong,
    }
}
