using System.Net.NetworkInformation;
using CobaltGraph.Data.Queries;
using CobaltGraph.Data.Queries.Catalogue;
using CobaltGraph.Model;
using Npgsql;

namespace CobaltGraph.Benchmarks.Queries;

/// <summary>Pages of the trail, by hand.</summary>
internal static class EventSql
{
    private const int PageSize = PageRequest.DefaultLimit;

    public static HandQuery Of(EventArguments events)
    {
        var values = new SqlQuery.Builder();
        List<string> conditions = ["true"];
        if (events.Filter.Device is { } device)
            conditions.Add($"device_mac = {values.Add(device)}");
        if (events.Filter.Types is [var type])
            conditions.Add($"event_type = {values.Add(EnumText.ToText(type))}");
        if (events.Filter.From is { } from)
            conditions.Add($"\"timestamp\" >= {values.Add(from)}");
        if (events.Filter.Until is { } until)
            conditions.Add($"\"timestamp\" < {values.Add(until)}");
        if (events.After is { } after)
            conditions.Add($"(\"timestamp\", id) < ({values.Add(after.Timestamp)}, {values.Add(after.Id)})");
        var query = values.Build(
            $"""
            SELECT id, "timestamp", device_mac, event_type, old_value, new_value, metadata::text AS metadata
            FROM device_events
            WHERE {string.Join(" AND ", conditions)}
            ORDER BY "timestamp" DESC, id DESC
            LIMIT {PageSize + 1}
            """);
        return new HandQuery<DeviceEvent, MappedEvent>([query], Map, row => $"{row.Id}") { PageSize = PageSize };
    }

    private static DeviceEvent Map(NpgsqlDataReader row) => new()
    {
        Id = row.GetInt64(0),
        Timestamp = row.GetFieldValue<DateTimeOffset>(1),
        DeviceMac = MacAddress.FromPhysicalAddress(row.GetFieldValue<PhysicalAddress>(2)),
        EventType = EnumText.ParseEventType(row.GetString(3)),
        OldValue = RowValue.Text(row, 4),
        NewValue = RowValue.Text(row, 5),
        Metadata = MetadataJson.Read<DeviceEventMetadata>(row.GetString(6)),
    };
}
