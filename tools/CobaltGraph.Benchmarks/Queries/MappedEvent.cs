using System.Net.NetworkInformation;

namespace CobaltGraph.Benchmarks.Queries;

// What Dapper makes of a row, in the types of the driver.
#pragma warning disable CA1812 // Made by Dapper.

/// <summary>An event of the trail.</summary>
internal sealed class MappedEvent
{
    public long Id { get; set; }

    public DateTime Timestamp { get; set; }

    public PhysicalAddress? DeviceMac { get; set; }

    public string? EventType { get; set; }

    public string? OldValue { get; set; }

    public string? NewValue { get; set; }

    public string? Metadata { get; set; }
}
