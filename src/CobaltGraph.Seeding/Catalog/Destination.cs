using System.Net;

namespace CobaltGraph.Seeding.Catalog;

/// <summary>An address on the internet with everything that is known of it; the same facts for every connection to it.</summary>
internal sealed class Destination
{
    public required IPAddress V4 { get; init; }

    public IPAddress? V6 { get; init; }

    public string? Country { get; init; }

    public float? Latitude { get; init; }

    public float? Longitude { get; init; }

    public string? Organisation { get; init; }

    public string? Hostname { get; init; }

    public float Score { get; init; }

    public string? Category { get; init; }

    public string? Reason { get; init; }

    public string? Source { get; init; }
}
