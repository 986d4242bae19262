using System.Net;
using CobaltGraph.Model;
using CobaltGraph.Seeding.Recipes;

namespace CobaltGraph.Seeding.Factories;

/// <summary>A device, and what the traffic needs to know of it.</summary>
internal sealed class DevicePlan
{
    public required Device Device { get; init; }

    public required Role Role { get; init; }

    /// <summary>The host name of the service that the device reports to, or null.</summary>
    public string? CloudHost { get; init; }

    public IPAddress? V6 { get; init; }

    /// <summary>How busy it is among its kind.</summary>
    public double Weight { get; init; }

    /// <summary>Scatters the device's own favourites over the internet.</summary>
    public ulong Taste { get; init; }

    public required DateTime PresentFrom { get; init; }

    public required DateTime PresentTo { get; init; }

    public (DateTime At, IPAddress Address)[] Renewals { get; init; } = [];

    public bool IsPresent(DateTime at) => at >= PresentFrom && at < PresentTo;

    public IPAddress AddressAt(DateTime at)
    {
        var address = Device.IpAddress!;
        foreach (var renewal in Renewals)
        {
            if (renewal.At > at)
                break;
            address = renewal.Address;
        }
        return address;
    }
}
