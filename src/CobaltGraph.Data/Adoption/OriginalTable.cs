namespace CobaltGraph.Data.Adoption;

/// <summary>A table of the original, as it is in the database.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Columns">Its columns, by name.</param>
/// <param name="Bytes">Its size, indexes included.</param>
internal sealed record OriginalTable(string Name, IReadOnlyDictionary<string, OriginalColumn> Columns, long Bytes)
{
    public const string Devices = "devices";
    public const string Connections = "connections";
    public const string DeviceEvents = "device_events";
    public const string SchemaMigrations = "schema_migrations";

    private static readonly string[] Text = ["varchar", "text", "bpchar"];
    private static readonly string[] Address = ["inet"];
    private static readonly string[] Time = ["timestamptz"];
    private static readonly string[] Number = ["float4", "float8", "numeric"];
    private static readonly string[] Integer = ["int2", "int4", "int8"];
    private static readonly string[] Json = ["jsonb"];

    /// <summary>The columns that make a table one of the original's, each with the types that can be read.</summary>
    public static IReadOnlyDictionary<string, IReadOnlyDictionary<string, string[]>> Known { get; } =
        new Dictionary<string, IReadOnlyDictionary<string, string[]>>
        {
            [Devices] = new Dictionary<string, string[]>
            {
                ["mac_address"] = Text,
                ["ip_address"] = Address,
                ["vendor"] = Text,
                ["device_type"] = Text,
                ["hostname"] = Text,
                ["first_seen"] = Time,
                ["last_seen"] = Time,
                ["last_activity"] = Time,
                ["status"] = Text,
                ["confidence_score"] = Number,
                ["metadata"] = Json,
                ["connection_count"] = Integer,
                ["threat_count"] = Integer,
            },
            [Connections] = new Dictionary<string, string[]>
            {
                ["id"] = Integer,
                ["timestamp"] = Time,
                ["src_mac"] = Text,
                ["src_ip"] = Address,
                ["dst_ip"] = Address,
                ["dst_port"] = Integer,
                ["protocol"] = Text,
                ["dst_country"] = Text,
                ["dst_lat"] = Number,
                ["dst_lon"] = Number,
                ["dst_org"] = Text,
                ["dst_hostname"] = Text,
                ["threat_score"] = Number,
                ["threat_category"] = Text,
                ["metadata"] = Json,
            },
            [DeviceEvents] = new Dictionary<string, string[]>
            {
                ["id"] = Integer,
                ["timestamp"] = Time,
                ["device_mac"] = Text,
                ["event_type"] = Text,
                ["old_value"] = Text,
                ["new_value"] = Text,
                ["metadata"] = Json,
            },
        };

    /// <summary>Columns that the original does not have.</summary>
    public IEnumerable<OriginalColumn> Added => Columns.Values.Where(column => !Known[Name].ContainsKey(column.Name));
}
