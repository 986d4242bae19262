using System.Buffers.Text;
using System.Globalization;
using System.Net;
using System.Text.Json;
using System.Text.Unicode;
using CobaltGraph.Data.Ingest;
using CobaltGraph.Model;

namespace CobaltGraph.Data.Import;

/// <summary>
/// Turns values that are named by column into a connection or a sighting. It takes whatever the database may hold, so that
/// an export can be imported; a value that is absent or null becomes the column's default.
/// </summary>
internal sealed class TableRowBuilder
{
    private readonly StringPool _pool = new();
    private Connection? _connection;
    private Sighting _sighting;
    private uint _present;

    public TableKind Kind { get; private set; }

    public void Start(TableKind kind)
    {
        Kind = kind;
        _present = 0;
        _connection = kind == TableKind.Connections ? new Connection() : null;
        _sighting = default;
    }

    /// <summary>Takes one value that is not null. Gives the reason why it cannot, or null.</summary>
    public string? Set(TableColumn column, ReadOnlySpan<byte> value)
    {
        _present |= 1u << (int)column;
        return Kind == TableKind.Connections ? SetOfConnection(_connection!, column, value) : SetOfSighting(column, value);
    }

    /// <summary>Takes the metadata as the reader finds it.</summary>
    /// <exception cref="JsonException">It is not JSON.</exception>
    /// <exception cref="InvalidOperationException">A key is no text.</exception>
    public string? SetMetadata(ref Utf8JsonReader reader)
    {
        _present |= 1u << (int)TableColumn.Metadata;
        if (reader.TokenType != JsonTokenType.StartObject)
            return $"metadata is {JsonLineParser.Describe(reader.TokenType)}; accepted is a JSON object";
        var json = JsonElement.ParseValue(ref reader);
        if (json.GetPropertyCount() == 0)
            return null;
        if (_connection is not null)
            _connection.Metadata = MetadataJson.Load<ConnectionMetadata>(json);
        else
            _sighting.Metadata = MetadataJson.Load<DeviceMetadata>(json);
        return null;
    }

    /// <summary>The finished row, or the reason why there is none.</summary>
    public object? Finish(out string? reason)
    {
        reason = null;
        foreach (var column in Kind == TableKind.Connections ? [TableColumn.DstIp, TableColumn.DstPort] : (ReadOnlySpan<TableColumn>)[TableColumn.MacAddress])
        {
            if ((_present & (1u << (int)column)) == 0)
            {
                reason = $"{TableColumns.NameOf(column)} is missing; every {(Kind == TableKind.Connections ? "connection" : "sighting")} needs it";
                return null;
            }
        }

        if (_connection is not null)
        {
            reason = RecordRules.Check(_connection);
            return reason is null ? _connection : null;
        }

        var sighting = new DeviceSighting
        {
            MacAddress = _sighting.Mac,
            IpAddress = _sighting.Address,
            Hostname = _sighting.Hostname,
            Vendor = _sighting.Vendor,
            DeviceType = _sighting.DeviceType,
            SeenAt = _sighting.SeenAt,
            Source = _sighting.Source,
            ConfidenceScore = _sighting.ConfidenceScore,
            Metadata = _sighting.Metadata,
        };
        reason = RecordRules.Check(sighting);
        return reason is null ? sighting : null;
    }

    private string? SetOfConnection(Connection row, TableColumn column, ReadOnlySpan<byte> value)
    {
        string? reason = null;
        switch (column)
        {
            case TableColumn.Id:
                break;
            case TableColumn.Timestamp:
                row.Timestamp = Time(column, value, ref reason);
                break;
            case TableColumn.SrcMac:
                row.SrcMac = Mac(column, value, ref reason);
                break;
            case TableColumn.SrcIp:
                row.SrcIp = Address(column, value, ref reason);
                break;
            case TableColumn.SrcPort:
                row.SrcPort = Port(column, value, ref reason);
                break;
            case TableColumn.DstIp:
                row.DstIp = Address(column, value, ref reason);
                break;
            case TableColumn.DstPort:
                row.DstPort = Port(column, value, ref reason);
                break;
            case TableColumn.Protocol:
                row.Protocol = Text(column, value, ref reason);
                break;
            case TableColumn.DstCountry:
                row.DstCountry = Text(column, value, ref reason);
                break;
            case TableColumn.DstLat:
                row.DstLat = Real(column, value, ref reason);
                break;
            case TableColumn.DstLon:
                row.DstLon = Real(column, value, ref reason);
                break;
            case TableColumn.DstOrg:
                row.DstOrg = Text(column, value, ref reason);
                break;
            case TableColumn.DstHostname:
                row.DstHostname = Text(column, value, ref reason);
                break;
            case TableColumn.ThreatScore:
                row.ThreatScore = Real(column, value, ref reason);
                break;
            case TableColumn.ThreatCategory:
                row.ThreatCategory = Text(column, value, ref reason);
                break;
            case TableColumn.BytesSent:
                row.BytesSent = Whole(column, value, ref reason);
                break;
            case TableColumn.BytesReceived:
                row.BytesReceived = Whole(column, value, ref reason);
                break;
            case TableColumn.Duration:
                row.Duration = Duration(column, value, ref reason);
                break;
            case TableColumn.Metadata:
                reason = ParseMetadata(value);
                break;
        }

        return reason;
    }

    private string? SetOfSighting(TableColumn column, ReadOnlySpan<byte> value)
    {
        string? reason = null;
        switch (column)
        {
            case TableColumn.MacAddress:
                _sighting.Mac = Mac(column, value, ref reason);
                break;
            case TableColumn.IpAddress:
                _sighting.Address = Address(column, value, ref reason);
                break;
            case TableColumn.Hostname:
                _sighting.Hostname = Text(column, value, ref reason);
                break;
            case TableColumn.Vendor:
                _sighting.Vendor = Text(column, value, ref reason);
                break;
            case TableColumn.DeviceType:
                _sighting.DeviceType = Text(column, value, ref reason);
                break;
            case TableColumn.SeenAt:
                _sighting.SeenAt = Time(column, value, ref reason);
                break;
            case TableColumn.Source:
                _sighting.Source = Text(column, value, ref reason);
                break;
            case TableColumn.ConfidenceScore:
                _sighting.ConfidenceScore = Real(column, value, ref reason);
                break;
            case TableColumn.Metadata:
                reason = ParseMetadata(value);
                break;
        }

        return reason;
    }

    private string? ParseMetadata(ReadOnlySpan<byte> value)
    {
        try
        {
            var reader = new Utf8JsonReader(value, new JsonReaderOptions { MaxDepth = RecordRules.MaxMetadataDepth });
            reader.Read();
            var reason = SetMetadata(ref reader);
            // Finds what follows the object.
            if (reason is null)
                reader.Read();
            return reason;
        }
        catch (JsonException e)
        {
            return $"metadata is not valid JSON near its byte {e.BytePositionInLine + 1}; accepted is an object, at most "
                   + $"{RecordRules.MaxMetadataDepth} levels deep";
        }
        catch (InvalidOperationException)
        {
            return "metadata has a key with half a surrogate pair; accepted is Unicode text";
        }
    }

    private static DateTimeOffset Time(TableColumn column, ReadOnlySpan<byte> value, ref string? reason)
    {
        var result = ZeekTime.TryParseTimestamp(value, out var time);
        if (result != ZeekTime.Result.Done)
            reason = InputValue.DescribeTimestamp(TableColumns.NameOf(column), result, value);
        return time;
    }

    private static MacAddress Mac(TableColumn column, ReadOnlySpan<byte> value, ref string? reason)
    {
        if (!MacAddress.TryParse(value, out var mac))
            reason = InputValue.DescribeMac(TableColumns.NameOf(column), value);
        return mac;
    }

    private static IPAddress Address(TableColumn column, ReadOnlySpan<byte> value, ref string? reason)
    {
        if (!InputValue.TryParseAddress(value, out var address))
            reason = InputValue.DescribeAddress(TableColumns.NameOf(column), value);
        return address;
    }

    private static int Port(TableColumn column, ReadOnlySpan<byte> value, ref string? reason)
    {
        if (!InputValue.TryParsePort(value, out var port))
            reason = InputValue.DescribePort(TableColumns.NameOf(column), value);
        return port;
    }

    private static long Whole(TableColumn column, ReadOnlySpan<byte> value, ref string? reason)
    {
        if (!Utf8Parser.TryParse(value, out long number, out var consumed) || consumed != value.Length || value[0] == '+')
            reason = $"{TableColumns.NameOf(column)} '{InputValue.Show(value)}' is not a number of bytes; accepted are whole numbers of 64 bits";
        return number;
    }

    private static float Real(TableColumn column, ReadOnlySpan<byte> value, ref string? reason)
    {
        const NumberStyles styles = NumberStyles.AllowDecimalPoint | NumberStyles.AllowExponent | NumberStyles.AllowLeadingSign;
        if (!float.TryParse(value, styles, CultureInfo.InvariantCulture, out var number))
            reason = $"{TableColumns.NameOf(column)} '{InputValue.Show(value)}' is not a number; accepted are decimal numbers, for example 4.5";
        return number;
    }

    private static TimeSpan Duration(TableColumn column, ReadOnlySpan<byte> value, ref string? reason)
    {
        var result = ZeekTime.TryParseSeconds(value, out var microseconds);
        if (result == ZeekTime.Result.NotANumber)
            result = ZeekTime.TryParseInterval(value, out microseconds);
        if (result != ZeekTime.Result.Done || Math.Abs(microseconds) > TimeSpan.MaxValue.Ticks / TimeSpan.TicksPerMicrosecond)
        {
            reason = $"{TableColumns.NameOf(column)} '{InputValue.Show(value)}' is not a length of time; accepted are seconds, "
                     + "at most 922337203685, with or without a fraction, or '1 day 02:03:04.5'";
            return default;
        }

        return new TimeSpan(microseconds * TimeSpan.TicksPerMicrosecond);
    }

    private string? Text(TableColumn column, ReadOnlySpan<byte> value, ref string? reason)
    {
        if (!Utf8.IsValid(value))
        {
            reason = $"{TableColumns.NameOf(column)} '{InputValue.Show(value)}' is not UTF-8; accepted is UTF-8 text";
            return null;
        }

        return _pool.Get(value);
    }

    private struct Sighting
    {
        public MacAddress Mac;
        public IPAddress? Address;
        public string? Hostname;
        public string? Vendor;
        public string? DeviceType;
        public DateTimeOffset SeenAt;
        public string? Source;
        public float? ConfidenceScore;
        public DeviceMetadata? Metadata;
    }
}
