using System.Net.NetworkInformation;
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

    /// <summary>A page of devices; null for an order or a condition that this does not write.</summary>
    public static HandQuery? List(ListArguments list)
    {
        var values = new SqlQuery.Builder();
        var column = list.Sort.Column switch
        {
            DeviceSortColumn.MacAddress => "d.mac_address",
            DeviceSortColumn.ThreatScore => "d.threat_score",
            DeviceSortColumn.ConnectionCount => "d.connection_count",
            DeviceSortColumn.LastSeen => "d.last_seen",
            _ => null,
        };
        if (column is null || Conditions(list.Filter, values) is not { } conditions)
            return null;
        var filter = string.Join(" AND ", conditions);
        var counted = $"SELECT FROM devices AS d WHERE {filter} LIMIT {IDeviceQueries.CountCap + 1}";
        var page = "true";
        if (list.After is { } after)
        {
            object? last = list.Sort.Column switch
            {
                DeviceSortColumn.ThreatScore => after.ThreatScore,
                DeviceSortColumn.ConnectionCount => after.ConnectionCount,
                DeviceSortColumn.LastSeen => after.LastSeen,
                _ => null,
            };
            var mac = values.Add(after.MacAddress);
            page = last is null ? $"d.mac_address > {mac}"
                : values.Add(last) is var place ? $"{column} <= {place} AND ({column} < {place} OR d.mac_address > {mac})" : "";
        }

        var order = list.Sort.Column == DeviceSortColumn.MacAddress ? column : $"{column} {(list.Sort.Descending ? "DESC" : "ASC")}, d.mac_address";
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
        if (column is null || list.Filter.Levels is not null || list.Filter.MacPrefix is not null || Conditions(list.Filter, values) is not { } conditions)
            return null;
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
        row => $"{MacAddress.FromPhysicalAddress(row.MacAddress!)} {row.ConnectionCount} {row.UniqueDestinations}");

    private static List<string>? Conditions(DeviceFilter filter, SqlQuery.Builder values)
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
        return filter.Tags is null && filter.Metadata is null && filter.IsLocallyAdministered is null ? conditions : null;
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
