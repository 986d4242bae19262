using System.Text.Json;
using CobaltGraph.Data.Ingest;
using CobaltGraph.Model;

namespace CobaltGraph.Data.Import;

/// <summary>
/// Connections and sightings as the export writes them: one JSON object per line, whose keys are the columns. An unknown
/// key is an error, as nothing may be lost unnoticed.
/// </summary>
internal sealed class ColumnJsonParser
{
    /// <summary>Deepest nesting: metadata as deep as the database takes it, in the object of the line.</summary>
    public const int MaxDepth = RecordRules.MaxMetadataDepth + 1;

    private readonly TableRowBuilder _row = new();
    private byte[] _text = new byte[256];

    /// <inheritdoc cref="ZeekJsonParser.Parse"/>
    public object? Parse(ReadOnlySpan<byte> line, ref bool isKnown, out string? reason)
    {
        reason = null;
        var options = new JsonReaderOptions { MaxDepth = MaxDepth };
        var kind = Tell(new Utf8JsonReader(line, options));
        if (kind == TableKind.Unknown)
        {
            reason = $"has none of the keys by which a line is told: {JsonLineParser.Marks}";
            return null;
        }

        isKnown = true;
        _row.Start(kind);
        uint named = 0;
        var reader = new Utf8JsonReader(line, options);
        reader.Read();
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            var name = JsonLineParser.NameOf(ref reader);
            var column = TableColumns.Find(name);
            if (!TableColumns.IsOf(column, kind))
            {
                reason = $"has the key {DisplayText.Quote(name)}, which is no column; accepted are {TableColumns.Known(kind)}";
                return null;
            }

            if ((named & (1u << (int)column)) != 0)
            {
                reason = $"names {TableColumns.NameOf(column)} twice; which one holds cannot be told";
                return null;
            }

            named |= 1u << (int)column;
            reader.Read();
            if (reader.TokenType == JsonTokenType.Null)
                continue;
            if (column == TableColumn.Id)
                reader.Skip();
            else if (column == TableColumn.Metadata)
                reason = _row.SetMetadata(ref reader);
            else if (reader.TokenType == JsonTokenType.String && IsText(column))
                reason = _row.Set(column, reader.ValueIsEscaped ? Copy(ref reader) : reader.ValueSpan);
            else if (reader.TokenType == JsonTokenType.Number && IsNumber(column))
                reason = _row.Set(column, reader.ValueSpan);
            else
                reason = $"{TableColumns.NameOf(column)} is {JsonLineParser.Describe(reader.TokenType)}; accepted is "
                         + (IsNumber(column) ? IsText(column) ? "a number or a text" : "a number" : "a text");
            if (reason is not null)
                return null;
        }

        // Finds what follows the object.
        reader.Read();
        return _row.Finish(out reason);
    }

    /// <summary>Finds the key that no line of its kind is without.</summary>
    private static TableKind Tell(Utf8JsonReader reader)
    {
        reader.Read();
        if (reader.TokenType != JsonTokenType.StartObject)
            return TableKind.Unknown;
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            var column = TableColumns.Find(reader.ValueSpan);
            if (column is TableColumn.DstIp or TableColumn.DstPort or TableColumn.MacAddress)
                return TableColumns.KindOf(column);
            reader.Skip();
        }

        return TableKind.Unknown;
    }

    private static bool IsNumber(TableColumn column) => column is TableColumn.Timestamp or TableColumn.SrcPort
        or TableColumn.DstPort or TableColumn.DstLat or TableColumn.DstLon or TableColumn.ThreatScore or TableColumn.BytesSent
        or TableColumn.BytesReceived or TableColumn.Duration or TableColumn.SeenAt or TableColumn.ConfidenceScore;

    private static bool IsText(TableColumn column)
        => column is TableColumn.Timestamp or TableColumn.SeenAt || !IsNumber(column);

    private ReadOnlySpan<byte> Copy(scoped ref Utf8JsonReader reader)
    {
        if (_text.Length < reader.ValueSpan.Length)
            _text = new byte[reader.ValueSpan.Length];
        return _text.AsSpan(0, reader.CopyString(_text));
    }
}
