namespace CobaltGraph.Data.Import;

/// <summary>The columns by which CSV and the export's JSON name their values.</summary>
internal enum TableColumn
{
    None = -1,
    Id,
    Timestamp,
    SrcMac,
    SrcIp,
    SrcPort,
    DstIp,
    DstPort,
    Protocol,
    DstCountry,
    DstLat,
    DstLon,
    DstOrg,
    DstHostname,
    ThreatScore,
    ThreatCategory,
    BytesSent,
    BytesReceived,
    Duration,
    Metadata,

    MacAddress,
    IpAddress,
    Hostname,
    Vendor,
    DeviceType,
    SeenAt,
    Source,
    ConfidenceScore,
}

/// <summary>What the rows of a table are.</summary>
internal enum TableKind
{
    Unknown,
    Connections,
    Sightings,
}

internal static class TableColumns
{
    /// <summary>Another name of <see cref="TableColumn.SeenAt"/>: that of the device's column.</summary>
    private const string LastSeen = "last_seen";

    private static readonly string[] Names =
    [
        "id", "timestamp", "src_mac", "src_ip", "src_port", "dst_ip", "dst_port", "protocol", "dst_country", "dst_lat",
        "dst_lon", "dst_org", "dst_hostname", "threat_score", "threat_category", "bytes_sent", "bytes_received", "duration",
        "metadata",
        "mac_address", "ip_address", "hostname", "vendor", "device_type", "seen_at", "source",
        "confidence_score",
    ];

    private static readonly byte[][] Utf8Names = [.. Names.Select(System.Text.Encoding.ASCII.GetBytes)];

    /// <summary>Of connections, in the order of the table; then of sightings, which have <see cref="TableColumn.Metadata"/> too.</summary>
    public static readonly TableColumn[] OfConnections = [.. Enum.GetValues<TableColumn>().Where(c => c is >= TableColumn.Id and <= TableColumn.Metadata)];

    public static readonly TableColumn[] OfSightings = [.. Enum.GetValues<TableColumn>().Where(c => c >= TableColumn.MacAddress), TableColumn.Metadata];

    public static string NameOf(TableColumn column) => Names[(int)column];

    /// <summary>Whether rows of a kind have a column.</summary>
    public static bool IsOf(TableColumn column, TableKind kind)
        => column == TableColumn.Metadata ? kind != TableKind.Unknown : column != TableColumn.None && KindOf(column) == kind;

    /// <summary>The rows that have a column; unknown when it tells nothing, because both have it.</summary>
    public static TableKind KindOf(TableColumn column)
        => column is >= TableColumn.Id and < TableColumn.Metadata ? TableKind.Connections
            : column >= TableColumn.MacAddress ? TableKind.Sightings
            : TableKind.Unknown;

    /// <summary>The names of a table's columns, for a message.</summary>
    public static string Known(TableKind kind) => kind switch
    {
        TableKind.Connections => string.Join(", ", OfConnections.Select(NameOf)),
        TableKind.Sightings => $"{string.Join(", ", OfSightings.Select(NameOf))} (or {LastSeen} for seen_at)",
        _ => $"{Known(TableKind.Connections)} of connections, and {Known(TableKind.Sightings)} of sightings",
    };

    /// <summary>Finds a column by its name, in any letter case, as in SQL.</summary>
    public static TableColumn Find(ReadOnlySpan<byte> name)
    {
        for (var i = 0; i < Utf8Names.Length; i++)
        {
            if (name.Length == Utf8Names[i].Length && System.Text.Ascii.EqualsIgnoreCase(name, Utf8Names[i]))
                return (TableColumn)i;
        }

        return System.Text.Ascii.EqualsIgnoreCase(name, LastSeen) ? TableColumn.SeenAt : TableColumn.None;
    }
}
