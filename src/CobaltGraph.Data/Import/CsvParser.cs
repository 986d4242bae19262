using CobaltGraph.Model;
using CsvHelper;

namespace CobaltGraph.Data.Import;

/// <summary>
/// CSV (RFC 4180, comma) with a header that names our columns, in any order and number. An empty field is null, unless it
/// is quoted text. A header may come again, as it does in files that were put together, and may then differ.
/// </summary>
/// <remarks>
/// CsvHelper splits one record at a time, which <see cref="ImportReader"/> delimits by counting quotes: where quotes are
/// broken, reading goes on with the next line and not behind the next quote, wherever that is.
/// </remarks>
internal sealed class CsvParser : ILineParser
{
    private static readonly byte[] ByteOrderMark = [0xEF, 0xBB, 0xBF];

    private readonly TableRowBuilder _row = new();
    private readonly CsvReaderOptions _options;
    private TableColumn[] _columns = [];
    private TableKind _kind;
    private CsvMalformedReason? _fault;
    private InputHeader? _header;

    private CsvParser()
    {
        _options = CsvReaderOptions.Default with
        {
            Separator = ',',
            HasHeader = false,
            SkipEmptyLines = false,
            MalformedData = CsvMalformedDataHandling.Skip,
            OnMalformedRecord = record => _fault ??= record.Reason,
        };
    }

    public InputHeader? Header => _header;

    /// <summary>
    /// Whether the record that was parsed last may end where it does not seem to, because its quotes or their number are
    /// broken.
    /// </summary>
    public bool IsBroken { get; private set; }

    /// <summary>A parser, when the line is a header that names columns of ours; otherwise null.</summary>
    /// <exception cref="InvalidDataException">Some columns are ours and others are not.</exception>
    public static CsvParser? TryCreate(ReadOnlyMemory<byte> header)
    {
        var parser = new CsvParser();
        return parser.TryReadHeader(header) ? parser : null;
    }

    /// <summary>Whether the line names columns of ours, but is separated by something else than commas.</summary>
    public static bool IsSeparatedOtherwise(ReadOnlySpan<byte> line)
    {
        foreach (var separator in ";\t|"u8)
        {
            foreach (var part in line.Split(separator))
            {
                if (line.Contains(separator) && TableColumns.Find(line[part].Trim((byte)'"')) != TableColumn.None)
                    return true;
            }
        }

        return false;
    }

    public object? Parse(ReadOnlyMemory<byte> line, out string? reason)
    {
        IsBroken = false;
        using var reader = Open(line, out reason);
        if (reader is null)
            return null;
        var row = ReadRow(reader, out reason);
        // Only what is no row may be a header, so that no text of a row passes for one.
        if (row is null && TryReadHeader(line))
        {
            IsBroken = false;
            reason = null;
        }

        return row;
    }

    private object? ReadRow(CsvReader reader, out string? reason)
    {
        if (reader.FieldCount != _columns.Length)
        {
            IsBroken = true;
            reason = $"has {reader.FieldCount} fields where the header names {_columns.Length}";
            return null;
        }

        _row.Start(_kind);
        for (var i = 0; i < _columns.Length; i++)
        {
            var value = reader.GetSpan(i);
            // Some writers quote every field, so that only for text an empty one says something.
            if (value.IsEmpty && (!IsText(_columns[i]) || reader.GetRawSpan(i).IsEmpty))
                continue;
            reason = _row.Set(_columns[i], value);
            if (reason is not null)
                return null;
        }

        return _row.Finish(out reason);
    }

    /// <summary>The record, split; null with the reason when it is none.</summary>
    private CsvReader? Open(ReadOnlyMemory<byte> line, out string? reason)
    {
        reason = null;
        // The reader would take the line for another encoding.
        if (line.Span is [0xFF, 0xFE, ..] or [0xFE, 0xFF, ..] or [0, 0, 0xFE, 0xFF, ..])
        {
            IsBroken = true;
            reason = "is not UTF-8; accepted is UTF-8 text";
            return null;
        }

        // The reader drops one, which here is not the start of the file but text.
        if (line.Span.StartsWith(ByteOrderMark))
            line = (byte[])[.. ByteOrderMark, .. line.Span];
        _fault = null;
        var reader = CsvReader.Create(line, _options);
        // A carriage return ends a record too, and then there is more.
        if (reader.Read() && line.Span.EndsWith(reader.RawRecord)
            && line.Length - reader.RawRecord.Length is var rest && (rest == 0 || line.Span[..rest].SequenceEqual(ByteOrderMark)))
        {
            return reader;
        }

        reader.Dispose();
        IsBroken = true;
        reason = _fault switch
        {
            CsvMalformedReason.UnterminatedQuote => "opens a quoted field that does not end; accepted is a quote at both ends, and \"\" for one within",
            CsvMalformedReason.TextAfterClosingQuote => "has text behind a quoted field; accepted is \"\" for a quote within",
            CsvMalformedReason.StrayQuote => "has a quote within a field that is not quoted; accepted is a quoted field with \"\" for a quote within",
            _ => "has a carriage return outside of quotes; accepted is one within a quoted field, and LF or CRLF at the end of a line",
        };
        return null;
    }

    private bool TryReadHeader(ReadOnlyMemory<byte> line)
    {
        if (line.Span.StartsWith(ByteOrderMark))
            line = line[ByteOrderMark.Length..];
        using var reader = Open(line, out _);
        if (reader is null)
            return false;
        var columns = new TableColumn[reader.FieldCount];
        for (var i = 0; i < columns.Length; i++)
            columns[i] = TableColumns.Find(reader.GetSpan(i));
        var known = columns.Count(c => c != TableColumn.None);
        if (known == 0)
            return false;
        // In the middle of a file a name may stand in a bad row, but hardly nothing else or those that every row needs.
        var hasNeeded = columns.Contains(TableColumn.MacAddress) || (columns.Contains(TableColumn.DstIp) && columns.Contains(TableColumn.DstPort));
        if (_columns.Length > 0 && (known * 2 < columns.Length || (!hasNeeded && (known < columns.Length || known == 1))))
            return false;

        var kind = columns.Contains(TableColumn.MacAddress) ? TableKind.Sightings
            : columns.Select(TableColumns.KindOf).FirstOrDefault(k => k != TableKind.Unknown, TableKind.Connections);
        var unknown = new List<string>();
        for (var i = 0; i < columns.Length; i++)
        {
            if (!TableColumns.IsOf(columns[i], kind))
                unknown.Add(DisplayText.Quote(reader.GetSpan(i)));
            else if (Array.IndexOf(columns, columns[i]) < i)
                throw new InvalidDataException($"the header names the column {TableColumns.NameOf(columns[i])} twice");
        }

        if (unknown.Count > 0)
        {
            throw new InvalidDataException(
                $"the header names {string.Join(", ", unknown.Take(10))}{(unknown.Count > 10 ? ", …" : "")}, which "
                + $"{(unknown.Count == 1 ? "is no column" : "are no columns")} of {(kind == TableKind.Sightings ? "sightings" : "connections")}; "
                + $"accepted are {TableColumns.Known(kind)}");
        }

        foreach (var needed in kind == TableKind.Connections ? [TableColumn.DstIp, TableColumn.DstPort] : (TableColumn[])[TableColumn.MacAddress])
        {
            if (!columns.Contains(needed))
                throw new InvalidDataException($"the header does not name {TableColumns.NameOf(needed)}, which every row needs");
        }

        _columns = columns;
        _kind = kind;
        _header = InputHeader.Of([line.ToArray()], ref _header);
        return true;
    }

    private static bool IsText(TableColumn column) => column is TableColumn.Protocol or TableColumn.DstCountry or TableColumn.DstOrg
        or TableColumn.DstHostname or TableColumn.ThreatCategory or TableColumn.Hostname or TableColumn.Vendor
        or TableColumn.DeviceType or TableColumn.Source;
}
