using System.Net.NetworkInformation;
using System.Text.Json;
using CobaltGraph.Data.Queries;
using CobaltGraph.Data.Queries.Catalogue;
using CobaltGraph.Model;
using Npgsql;

namespace CobaltGraph.Benchmarks.Queries;

/// <summary>Devices, their lists and their totals, by hand.</summary>
internal static class DeviceSql
{
    private const int PageSize = PageRequest.DefaultLimit;

    public static SqlQuery Summary { get; } = new(
        """
        SELECT mac_address, ip_address, vendor, device_type, status, first_seen, last_seen, connection_count, threat_count,
               unique_destinations, last_connection
        FROM device_summary
        """);

    /// <summary>The same of one device, by the original's view.</summary>
    public static SqlQuery OriginalSummaryOf(MacAddress mac) => new(Summary.Text + " WHERE mac_address = $1", mac.ToString());

    /// <summary>A page of devices.</summary>
    public static HandQuery List(ListArguments list)
    {
        var values = new SqlQuery.Builder();
        var filter = string.Join(" AND ", Conditions(list.Filter, values));
        var counted = $"SELECT FROM devices AS d WHERE {filter} LIMIT {IDeviceQueries.CountCap + 1}";
        var (page, order) = Place(list, values);
        var query = values.Build(
            $"""
            SELECT d.mac_address, d.ip_address, d.vendor, d.device_type, d.hostname, d.status, d.first_seen, d.last_seen, d.connection_count,
                   d.threat_count, d.threat_score, d.max_threat_score, d.last_threat, d.is_locally_administered,
                   d.metadata::text AS metadata, d.last_activity, d.confidence_score, (SELECT count(*) FROM ({counted}) AS n) AS total
            FROM devices AS d
            WHERE {filter} AND {page}
            ORDER BY {order}
            LIMIT {PageSize + 1}
            """);
        return new HandQuery<DeviceListItem, MappedDevice>([query], Map, row => $"{row.MacAddress}") { PageSize = PageSize };
    }

    // Where the page begins, and in which order: devices without a value come last in either.
    private static (string Page, string Order) Place(ListArguments list, SqlQuery.Builder values)
    {
        if (list.Sort.Column == DeviceSortColumn.MacAddress)
            return (list.After is null ? "true" : $"d.mac_address > {values.Add(list.After.MacAddress)}", "d.mac_address");

        var (column, last) = list.Sort.Column switch
        {
            DeviceSortColumn.IpAddress => ("d.ip_address", (object?)list.After?.IpAddress),
            DeviceSortColumn.Vendor => ("d.vendor", list.After?.Vendor),
            DeviceSortColumn.DeviceType => ("d.device_type", list.After?.DeviceType),
            DeviceSortColumn.Hostname => ("d.hostname", list.After?.Hostname),
            DeviceSortColumn.Status => (
                "CASE d.status WHEN 'discovered' THEN 0 WHEN 'active' THEN 1 WHEN 'idle' THEN 2 ELSE 3 END", (int?)list.After?.Status),
            DeviceSortColumn.FirstSeen => ("d.first_seen", list.After?.FirstSeen),
            DeviceSortColumn.LastSeen => ("d.last_seen", list.After?.LastSeen),
            DeviceSortColumn.ConnectionCount => ("d.connection_count", list.After?.ConnectionCount),
            DeviceSortColumn.ThreatCount => ("d.threat_count", list.After?.ThreatCount),
            DeviceSortColumn.ThreatScore => ("d.threat_score", list.After?.ThreatScore),
            DeviceSortColumn.MaxThreatScore => ("d.max_threat_score", list.After?.MaxThreatScore),
            DeviceSortColumn.LastThreat => ("d.last_threat", list.After?.LastThreat),
            DeviceSortColumn.LastActivity => ("d.last_activity", list.After?.LastActivity),
            DeviceSortColumn.ConfidenceScore => ("d.confidence_score", list.After?.ConfidenceScore),
            _ => throw new BenchmarkException($"Nobody sorts by {list.Sort.Column} by hand."),
        };
        var mayBeNull = list.Sort.Column is DeviceSortColumn.IpAddress or DeviceSortColumn.Vendor or DeviceSortColumn.DeviceType
            or DeviceSortColumn.Hostname or DeviceSortColumn.LastThreat;
        var order = $"{column} {(list.Sort.Descending ? "DESC NULLS LAST" : "ASC")}, d.mac_address";
        if (!mayBeNull && list.Sort.Descending)
            order = $"{column} DESC, d.mac_address";
        if (list.After is not { } after)
            return ("true", order);
        var mac = values.Add(after.MacAddress);
        if (last is null)
            return ($"{column} IS NULL AND d.mac_address > {mac}", order);
        var place = values.Add(last);
        var (from, beyond) = list.Sort.Descending ? ("<=", "<") : (">=", ">");
        var page = $"{column} {from} {place} AND ({column} {beyond} {place} OR d.mac_address > {mac})";
        return (mayBeNull ? $"({page} OR {column} IS NULL)" : page, order);
    }

    /// <summary>The original's way; null for what its tables do not know.</summary>
    public static SqlQuery? OriginalList(ListArguments list)
    {
        var values = new SqlQuery.Builder();
        var column = list.Sort.Column switch
        {
            DeviceSortColumn.MacAddress or DeviceSortColumn.LastSeen => "last_seen",
            DeviceSortColumn.ConnectionCount => "connection_count",
            DeviceSortColumn.ThreatCount => "threat_count",
            DeviceSortColumn.IpAddress => "ip_address",
            DeviceSortColumn.Vendor => "vendor",
            DeviceSortColumn.DeviceType => "device_type",
            DeviceSortColumn.Hostname => "hostname",
            DeviceSortColumn.Status => "status",
            DeviceSortColumn.FirstSeen => "first_seen",
            _ => null,
        };
        if (column is null || list.Filter is not { Levels: null, MacPrefix: null, Tags: null, Metadata: null, IsLocallyAdministered: null })
            return null;
        var conditions = Conditions(list.Filter, values);
        return values.Build(
            $"""
            SELECT d.*, (SELECT count(*) FROM devices AS d WHERE {string.Join(" AND ", conditions)}) AS total
            FROM devices AS d
            WHERE {string.Join(" AND ", conditions)}
            ORDER BY {column} DESC
            LIMIT {PageSize} OFFSET {(list.After is null ? 0 : PageSize)}
            """);
    }

    /// <summary>The totals of all devices.</summary>
    public static HandQuery SummaryOfAll() => new HandQuery<MappedDevice, MappedDevice>(
        [Summary],
        row => new MappedDevice
        {
            MacAddress = row.GetFieldValue<PhysicalAddress>(0),
            IpAddress = RowValue.Address(row, 1),
            Vendor = RowValue.Text(row, 2),
            DeviceType = RowValue.Text(row, 3),
            Status = row.GetString(4),
            FirstSeen = row.GetDateTime(5),
            LastSeen = row.GetDateTime(6),
            ConnectionCount = row.GetInt64(7),
            ThreatCount = row.GetInt64(8),
            UniqueDestinations = row.GetInt64(9),
            LastConnection = RowValue.Of<DateTime>(row, 10),
        },
        row => $"{MacAddress.FromPhysicalAddress(row.MacAddress!)} {row.ConnectionCount} {row.UniqueDestinations}") { IsInOrder = false };

    /// <summary>The threats of all devices.</summary>
    public static HandQuery ThreatsOfAll() => new HandQuery<MappedDevice, MappedDevice>(
        [
            new(
                """
                SELECT mac_address, malware_count, c2_count, suspicious_geo_count, proxy_count, other_count, threat_score, threat_level,
                       max_threat_score, threat_count, last_threat
                FROM device_threats
                """),
        ],
        row => new MappedDevice
        {
            MacAddress = row.GetFieldValue<PhysicalAddress>(0),
            MalwareCount = row.GetInt64(1),
            C2Count = row.GetInt64(2),
            SuspiciousGeoCount = row.GetInt64(3),
            ProxyCount = row.GetInt64(4),
            OtherCount = row.GetInt64(5),
            ThreatScore = row.GetInt64(6),
            ThreatLevel = row.GetString(7),
            MaxThreatScore = row.GetFloat(8),
            ThreatCount = row.GetInt64(9),
            LastThreat = RowValue.Of<DateTime>(row, 10),
        },
        row => $"{MacAddress.FromPhysicalAddress(row.MacAddress!)} {row.ThreatScore} {row.OtherCount}") { IsInOrder = false };

    /// <summary>The devices seen in the last half hour.</summary>
    public static HandQuery Active() => new HandQuery<MappedDevice, MappedDevice>(
        [
            new(
                """
                SELECT mac_address, ip_address, vendor, device_type, hostname, last_seen, connection_count, threat_count, status
                FROM active_devices
                """),
        ],
        row => new MappedDevice
        {
            MacAddress = row.GetFieldValue<PhysicalAddress>(0),
            IpAddress = RowValue.Address(row, 1),
            Vendor = RowValue.Text(row, 2),
            DeviceType = RowValue.Text(row, 3),
            Hostname = RowValue.Text(row, 4),
            LastSeen = row.GetDateTime(5),
            ConnectionCount = row.GetInt64(6),
            ThreatCount = row.GetInt64(7),
            Status = row.GetString(8),
        },
        row => $"{MacAddress.FromPhysicalAddress(row.MacAddress!)} {row.Status}") { IsInOrder = false };

    private static List<string> Conditions(DeviceFilter filter, SqlQuery.Builder values)
    {
        List<string> conditions = ["true"];
        if (filter.Statuses is [var status])
            conditions.Add($"d.status = {values.Add(EnumText.ToText(status))}");
        if (filter.Vendor is { } vendor)
            conditions.Add($"d.vendor ILIKE {values.Add($"%{vendor}%")}");
        if (filter.DeviceType is { } type)
            conditions.Add($"d.device_type = {values.Add(type)}");
        if (filter.Address is { } address)
            conditions.Add($"d.ip_address = {values.Add(address.BaseAddress)}");
        if (filter.MacPrefix is not null)
        {
            var (first, last) = filter.MacRange();
            conditions.Add($"d.mac_address >= {values.Add(first)} AND d.mac_address <= {values.Add(last)}");
        }

        if (filter.Hostname is { } hostname)
            conditions.Add($"d.hostname ILIKE {values.Add($"%{hostname}%")}");
        if (filter.Levels is [var level])
            conditions.Add(level switch
            {
                DeviceThreatLevel.Low => $"d.threat_score < {DeviceThreatScale.MediumThreshold}",
                DeviceThreatLevel.Medium =>
                    $"d.threat_score >= {DeviceThreatScale.MediumThreshold} AND d.threat_score < {DeviceThreatScale.HighThreshold}",
                _ => $"d.threat_score >= {DeviceThreatScale.HighThreshold}",
            });
        if (filter.SeenSince is { } since)
            conditions.Add($"d.last_seen >= {values.Add(since)}");
        if (filter.Tags is { } tags)
            conditions.Add($"d.metadata -> 'tags' @> {values.Add(JsonSerializer.Serialize(tags))}::text::jsonb");
        if (filter.Metadata is { } metadata)
            conditions.Add($"d.metadata @> {values.Add(metadata)}::text::jsonb");
        if (filter.IsLocallyAdministered is { } local)
            conditions.Add(local ? "d.is_locally_administered" : "NOT d.is_locally_administered");
        return conditions;
    }

    private static DeviceListItem Map(NpgsqlDataReader row) => new()
    {
        MacAddress = MacAddress.FromPhysicalAddress(row.GetFieldValue<PhysicalAddress>(0)),
        IpAddress = RowValue.Address(row, 1),
        Vendor = RowValue.Text(row, 2),
        DeviceType = RowValue.Text(row, 3),
        Hostname = RowValue.Text(row, 4),
        Status = EnumText.ParseStatus(row.GetString(5)),
        FirstSeen = row.GetFieldValue<DateTimeOffset>(6),
        LastSeen = row.GetFieldValue<DateTimeOffset>(7),
        ConnectionCount = row.GetInt64(8),
        ThreatCount = row.GetInt64(9),
        ThreatScore = row.GetInt64(10),
        MaxThreatScore = row.GetFloat(11),
        LastThreat = RowValue.Of<DateTimeOffset>(row, 12),
        IsLocallyAdministered = row.GetBoolean(13),
        Metadata = MetadataJson.Read<DeviceMetadata>(row.GetString(14)),
        LastActivity = row.GetFieldValue<DateTimeOffset>(15),
        ConfidenceScore = row.GetFloat(16),
    };
}
