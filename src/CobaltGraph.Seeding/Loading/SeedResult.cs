namespace CobaltGraph.Seeding;

/// <summary>What the seeder stored.</summary>
public sealed record SeedResult
{
    /// <summary>Devices that were new.</summary>
    public required long DevicesInserted { get; init; }

    /// <summary>Devices that were there before and were merged.</summary>
    public required long DevicesMerged { get; init; }

    /// <summary>Connections.</summary>
    public required long Connections { get; init; }

    /// <summary>Changes of a device's address.</summary>
    public required long AddressChanges { get; init; }

    /// <summary>Beginning of the period, UTC.</summary>
    public required DateTimeOffset From { get; init; }

    /// <summary>The reference time, UTC: with it and the options the same rows can be made again.</summary>
    public required DateTimeOffset To { get; init; }

    /// <summary>How long it took.</summary>
    public required TimeSpan Elapsed { get; init; }
}
