using CobaltGraph.Model;

namespace CobaltGraph.Data.Queries;

/// <summary>One device with all that is known of it, none of it tracked.</summary>
public sealed record DeviceDetail
{
    /// <summary>The device.</summary>
    public required Device Device { get; init; }

    /// <summary>Its totals.</summary>
    public required DeviceSummary Summary { get; init; }

    /// <summary>Its threats by category, its score and its level.</summary>
    public required DeviceThreats Threats { get; init; }

    /// <summary>What it did in each hour of the range; hours in which it did nothing are left out. Exact.</summary>
    public required IReadOnlyList<DeviceActivityHour> Activity { get; init; }

    /// <summary>The destinations it reached by most connections, over everything that was ever stored. Exact.</summary>
    public required IReadOnlyList<DeviceDestinationName> Destinations { get; init; }

    /// <summary>
    /// Ports of the destinations it ever reached, of the <see cref="DeviceDetailRequest.CountedDestinations"/> with most
    /// connections; those of most destinations first. Of a destination no more than 100 count: a scan reaches all.
    /// </summary>
    public required IReadOnlyList<DeviceDestinationPort> Ports { get; init; }

    /// <summary>
    /// Countries of the destinations it ever reached, of the <see cref="DeviceDetailRequest.CountedDestinations"/> with most
    /// connections; those of most connections first. They are told by the same 100 ports at most of a destination.
    /// </summary>
    public required IReadOnlyList<DeviceDestinationCountry> Countries { get; init; }

    /// <summary>The addresses it held, those seen last first.</summary>
    public required IReadOnlyList<DeviceAddress> Addresses { get; init; }

    /// <summary>Its newest events, the newest first.</summary>
    public required IReadOnlyList<DeviceEvent> Events { get; init; }

    /// <summary>
    /// The first page of its connections, the latest first. <see cref="Page{T}.Next"/> goes on in
    /// <see cref="IConnectionQueries.SearchAsync"/> with a filter of this device alone.
    /// </summary>
    public required Page<Connection> Connections { get; init; }
}
