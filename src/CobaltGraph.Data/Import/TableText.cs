using System.Buffers;
using System.Globalization;
using System.Net;
using System.Text.Json;
using CobaltGraph.Model;
using CsvHelper;

namespace CobaltGraph.Data.Import;

/// <summary>How the export writes values; what it writes, <see cref="TableRowBuilder"/> reads as the same.</summary>
internal static class TableText
{
    public const string TimeFormat = "yyyy-MM-dd'T'HH:mm:ss.ffffff'Z'";

    /// <summary>ISO 8601, UTC, with microseconds, which is what the database keeps.</summary>
    public static string? Time(DateTimeOffset time)
        => time == default ? null : time.UtcDateTime.ToString(TimeFormat, CultureInfo.InvariantCulture);

    /// <summary>Seconds with up to six decimals.</summary>
    public static decimal? Seconds(TimeSpan? duration)
        => duration is { } value ? value.Ticks / TimeSpan.TicksPerMicrosecond / 1_000_000m : null;

    /// <summary>Without the zone of a link-local address, for which the database has no place.</summary>
    public static string? Address(IPAddress? address)
    {
        var text = address?.ToString();
        var zone = text?.IndexOf('%') ?? -1;
        return zone < 0 ? text : text![..zone];
    }
}

/// <summary>Writes rows as JSON, one object per line, whose keys are the columns; a null is left out.</summary>
internal sealed class TableJsonWriter(IBufferWriter<byte> target) : IDisposable
{
    private readonly Utf8JsonWriter _json = new(target, MetadataJson.WriterOptions);

    public void Write(Connection row)
    {
        _json.WriteStartObject();
        if (row.Id != 0)
            _json.WriteNumber(Name(TableColumn.Id), row.Id);
        Text(TableColumn.Timestamp, TableText.Time(row.Timestamp));
        Text(TableColumn.SrcMac, row.SrcMac?.ToString());
        Text(TableColumn.SrcIp, TableText.Address(row.SrcIp));
        if (row.SrcPort is { } port)
            _json.WriteNumber(Name(TableColumn.SrcPort), port);
        Text(TableColumn.DstIp, TableText.Address(row.DstIp));
        _json.WriteNumber(Name(TableColumn.DstPort), row.DstPort);
        Text(TableColumn.Protocol, row.Protocol);
        Text(TableColumn.DstCountry, row.DstCountry);
        if (row.DstLat is { } lat)
            _json.WriteNumber(Name(TableColumn.DstLat), lat);
        if (row.DstLon is { } lon)
            _json.WriteNumber(Name(TableColumn.DstLon), lon);
        Text(TableColumn.DstOrg, row.DstOrg);
        Text(TableColumn.DstHostname, row.DstHostname);
        _json.WriteNumber(Name(TableColumn.ThreatScore), row.ThreatScore);
        Text(TableColumn.ThreatCategory, row.ThreatCategory);
        if (row.BytesSent is { } sent)
            _json.WriteNumber(Name(TableColumn.BytesSent), sent);
        if (row.BytesReceived is { } received)
            _json.WriteNumber(Name(TableColumn.BytesReceived), received);
        if (TableText.Seconds(row.Duration) is { } seconds)
            _json.WriteNumber(Name(TableColumn.Duration), seconds);
        Metadata(row.Metadata);
        EndLine();
    }

    public void Write(DeviceSighting sighting)
    {
        _json.WriteStartObject();
        Text(TableColumn.MacAddress, sighting.MacAddress.ToString());
        Text(TableColumn.IpAddress, TableText.Address(sighting.IpAddress));
        Text(TableColumn.Hostname, sighting.Hostname);
        Text(TableColumn.Vendor, sighting.Vendor);
        Text(TableColumn.DeviceType, sighting.DeviceType);
        Text(TableColumn.SeenAt, TableText.Time(sighting.SeenAt));
        Text(TableColumn.Source, sighting.Source);
        if (sighting.ConfidenceScore is { } score)
            _json.WriteNumber(Name(TableColumn.ConfidenceScore), score);
        Metadata(sighting.Metadata);
        EndLine();
    }

    public void Dispose() => _json.Dispose();

    private static string Name(TableColumn column) => TableColumns.NameOf(column);

    private void Text(TableColumn column, string? value)
    {
        if (value is not null)
            _json.WriteString(Name(column), value);
    }

    private void Metadata(MetadataRecord? metadata)
    {
        if (metadata is null or { IsEmpty: true })
            return;
        _json.WritePropertyName(Name(TableColumn.Metadata));
        metadata.WriteTo(_json);
    }

    private void EndLine()
    {
        _json.WriteEndObject();
        _json.Flush();
        _json.Reset();
        target.Write("\n"u8);
    }
}

/// <summary>Writes rows as CSV under a header of all columns; null is an empty field, an empty text is quoted.</summary>
internal sealed class TableCsvWriter : IAsyncDisposable
{
    private readonly CsvWriter _csv;

    /// <param name="target">Left open.</param>
    /// <param name="kind">Which of the two kinds of rows will be written.</param>
    public TableCsvWriter(Stream target, TableKind kind)
    {
        _csv = CsvWriter.Create(target, CsvWriterOptions.Default with { NewLine = "\n" }, leaveOpen: true);
        foreach (var column in kind == TableKind.Sightings ? TableColumns.OfSightings : TableColumns.OfConnections)
            _csv.WriteField(TableColumns.NameOf(column));
        _csv.EndRecord();
    }

    public void Write(Connection row)
    {
        Text(row.Id == 0 ? null : Whole(row.Id));
        Text(TableText.Time(row.Timestamp));
        Text(row.SrcMac?.ToString());
        Text(TableText.Address(row.SrcIp));
        Text(Whole(row.SrcPort));
        Text(TableText.Address(row.DstIp));
        Text(Whole(row.DstPort));
        Text(row.Protocol);
        Text(row.DstCountry);
        Text(Real(row.DstLat));
        Text(Real(row.DstLon));
        Text(row.DstOrg);
        Text(row.DstHostname);
        Text(Real(row.ThreatScore));
        Text(row.ThreatCategory);
        Text(Whole(row.BytesSent));
        Text(Whole(row.BytesReceived));
        Text(TableText.Seconds(row.Duration)?.ToString(CultureInfo.InvariantCulture));
        Text(Metadata(row.Metadata));
        _csv.EndRecord();
    }

    public void Write(DeviceSighting sighting)
    {
        Text(sighting.MacAddress.ToString());
        Text(TableText.Address(sighting.IpAddress));
        Text(sighting.Hostname);
        Text(sighting.Vendor);
        Text(sighting.DeviceType);
        Text(TableText.Time(sighting.SeenAt));
        Text(sighting.Source);
        Text(Real(sighting.ConfidenceScore));
        Text(Metadata(sighting.Metadata));
        _csv.EndRecord();
    }

    public ValueTask FlushAsync(CancellationToken cancellationToken) => _csv.FlushAsync(cancellationToken);

    public ValueTask DisposeAsync() => _csv.DisposeAsync();

    private static string? Metadata(MetadataRecord? metadata)
        => metadata is { IsEmpty: false } ? MetadataJson.WriteRecord(metadata) : null;

    private static string? Whole(long? value) => value?.ToString(CultureInfo.InvariantCulture);

    private static string? Real(float? value) => value?.ToString(CultureInfo.InvariantCulture);

    private void Text(string? value) => _csv.WriteField(value, value is "" ? CsvQuoting.Always : CsvQuoting.WhenNeeded);
}
