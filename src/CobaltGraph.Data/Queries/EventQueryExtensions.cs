using CobaltGraph.Model;

namespace CobaltGraph.Data.Queries;

/// <summary>Conditions on device events, to be composed in LINQ. Each translates to SQL, with its values as parameters.</summary>
public static class EventQueryExtensions
{
    /// <summary>Events of a time: from ≤ timestamp &lt; until; null leaves an end open.</summary>
    public static IQueryable<DeviceEvent> Between(
        this IQueryable<DeviceEvent> events, DateTimeOffset? from, DateTimeOffset? until)
    {
        ArgumentNullException.ThrowIfNull(events);
        if (from is { } first)
            events = events.Where(e => e.Timestamp >= first);
        if (until is { } end)
            events = events.Where(e => e.Timestamp < end);
        return events;
    }

    /// <summary>Events of one device, which may have been removed since.</summary>
    public static IQueryable<DeviceEvent> OfDevice(this IQueryable<DeviceEvent> events, MacAddress device)
        => events.Where(e => e.DeviceMac == device);

    /// <summary>Events of one of these types.</summary>
    public static IQueryable<DeviceEvent> OfTypes(this IQueryable<DeviceEvent> events, params IEnumerable<DeviceEventType> types)
    {
        DeviceEventType[] wanted = [.. types.Distinct()];
        return wanted.Length == 1 ? events.Where(e => e.EventType == wanted[0]) : events.Where(e => wanted.Contains(e.EventType));
    }

    /// <summary>Events that meet every condition of a filter.</summary>
    /// <exception cref="QueryFilterException">A value of the filter is not in its form.</exception>
    public static IQueryable<DeviceEvent> Matching(this IQueryable<DeviceEvent> events, EventFilter filter)
    {
        ArgumentNullException.ThrowIfNull(filter);
        filter.Check();
        events = events.Between(filter.From, filter.Until);
        if (filter.Device is { } device) events = events.OfDevice(device);
        if (filter.Types is not null) events = events.OfTypes(filter.Types);
        return events;
    }
}
