using System.Net;
using CobaltGraph.Model;

namespace CobaltGraph.Data.Export;

/// <summary>What an export takes of a device, and the sightings that make it again.</summary>
internal sealed class ExportedDevice
{
    public MacAddress MacAddress { get; init; }

    public IPAddress? IpAddress { get; init; }

    public string? Hostname { get; init; }

    public string? Vendor { get; init; }

    public string? DeviceType { get; init; }

    public DateTimeOffset FirstSeen { get; init; }

    public DateTimeOffset LastSeen { get; init; }

    public float ConfidenceScore { get; init; }

    public required DeviceMetadata Metadata { get; init; }

    /// <summary>As of when the values are known; null where no sighting told any.</summary>
    public SightedDevice? Sighted { get; init; }

    /// <summary>The addresses that sightings say it held, from when to when.</summary>
    public IReadOnlyList<DeviceAddress> Claims { get; set; } = [];

    /// <summary>
    /// One sighting for each time at which something was told, in the order of time: when the device was seen first and last,
    /// each address at both ends of the time for which it was held and often enough between them, and each value as of when
    /// it was told. What an application set counts as older than anything seen, and so it is told first.
    /// </summary>
    public IEnumerable<DeviceSighting> Sightings()
    {
        var told = new SortedDictionary<DateTimeOffset, DeviceSighting>();
        Tell(FirstSeen, s => s);
        Tell(LastSeen, s => s);
        if (Hostname is not null)
            Tell(Sighted?.HostnameSeenAt, s => s with { Hostname = Hostname });
        if (Vendor is not null)
            Tell(Sighted?.VendorSeenAt, s => s with { Vendor = Vendor });
        if (DeviceType is not null)
            Tell(Sighted?.DeviceTypeSeenAt, s => s with { DeviceType = DeviceType });
        if (Sighted?.Source is { } source)
            Tell(Sighted.SourceSeenAt, s => s with { Source = source });
        if (ConfidenceScore != 0 || Sighted?.ConfidenceSeenAt is not null)
            Tell(Sighted?.ConfidenceSeenAt, s => s with { ConfidenceScore = ConfidenceScore });
        foreach (var (at, part) in MetadataRecord.Split(Metadata, key => Within(TimeOf(key))))
            Tell(at, s => s with { Metadata = part });

        // One sighting has one address.
        var further = new List<DeviceSighting>();
        foreach (var (at, address) in ExportedAddresses.Observations(this))
        {
            if (told.TryGetValue(at, out var sighting) && sighting.IpAddress is not null)
                further.Add(new DeviceSighting { MacAddress = MacAddress, SeenAt = at, IpAddress = address });
            else
                Tell(at, s => s with { IpAddress = address });
        }

        return told.Values.Concat(further).OrderBy(sighting => sighting.SeenAt);

        void Tell(DateTimeOffset? time, Func<DeviceSighting, DeviceSighting> add)
        {
            var at = Within(time);
            told[at] = add(told.GetValueOrDefault(at) ?? new DeviceSighting { MacAddress = MacAddress, SeenAt = at });
        }
    }

    /// <summary>A time at which the device was seen: none would make it seen earlier or later than it was.</summary>
    internal DateTimeOffset Within(DateTimeOffset? time)
        => time is not { } at || at < FirstSeen ? FirstSeen : at > LastSeen ? LastSeen : at;

    private DateTimeOffset? TimeOf(string key)
        => Sighted?.MetadataSeenAt is { } times && times.TryGetValue(key, out var at) ? at : null;
}
