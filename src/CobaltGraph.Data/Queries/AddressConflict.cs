using System.Net;
using CobaltGraph.Model;

namespace CobaltGraph.Data.Queries;

/// <summary>Two devices that claimed one address at a time, as far as claims that reach into the range tell.</summary>
public sealed record AddressConflict
{
    /// <summary>The address.</summary>
    public IPAddress IpAddress { get; init; } = IPAddress.None;

    /// <summary>The device with the smaller MAC address.</summary>
    public MacAddress First { get; init; }

    /// <summary>The other device.</summary>
    public MacAddress Second { get; init; }

    /// <summary>From when on both claimed it, UTC.</summary>
    public DateTimeOffset From { get; init; }

    /// <summary>
    /// The last instant of which it is known that both claimed it, UTC; <see cref="DateTimeOffset.MaxValue"/> while both claims
    /// still stand.
    /// </summary>
    public DateTimeOffset To { get; init; }
}
