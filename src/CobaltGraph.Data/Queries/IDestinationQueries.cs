using System.Net;
using CobaltGraph.Model;

namespace CobaltGraph.Data.Queries;

/// <summary>
/// Who talks to what: from what is kept for each device and destination and for each device and hour, so that answers
/// reach back beyond the connections that retention dropped. Connections without a known device do not count. Safe for use
/// by several threads. <c>AddCobaltGraph</c> registers it as a singleton.
/// </summary>
public interface IDestinationQueries
{
    /// <summary>Most destinations that <see cref="GetPrevalenceAsync"/> takes at once.</summary>
    const int MaxDestinations = 1000;

    /// <summary>The devices that ever talked to a destination, the first contact first.</summary>
    /// <param name="destination">The destination address.</param>
    /// <param name="page">Which page; null for the first.</param>
    /// <param name="cancellationToken">Ends the call.</param>
    /// <exception cref="QueryFilterException">The limit or the cursor is not in its form.</exception>
    Task<Page<DestinationContact>> GetContactsAsync(
        IPAddress destination, PageRequest? page = null, CancellationToken cancellationToken = default);

    /// <summary>How many devices share each of some destinations.</summary>
    /// <param name="destinations">The destination addresses, at most <see cref="MaxDestinations"/>.</param>
    /// <param name="cancellationToken">Ends the call.</param>
    /// <returns>One entry for each different address, in the order given; for one that no device reached it has 0 devices.</returns>
    /// <exception cref="QueryFilterException">There are too many addresses.</exception>
    Task<IReadOnlyList<DestinationPrevalence>> GetPrevalenceAsync(
        IReadOnlyCollection<IPAddress> destinations, CancellationToken cancellationToken = default);

    /// <summary>First contacts since a time, the latest first.</summary>
    /// <param name="since">The earliest first contact, itself included.</param>
    /// <param name="newToAll">Whether to leave out destinations that any device had reached before.</param>
    /// <param name="device">Only first contacts of this device; null for those of all.</param>
    /// <param name="page">Which page; null for the first.</param>
    /// <param name="cancellationToken">Ends the call.</param>
    /// <exception cref="QueryFilterException">The limit or the cursor is not in its form.</exception>
    Task<Page<NewDestination>> GetNewAsync(
        DateTimeOffset since,
        bool newToAll = false,
        MacAddress? device = null,
        PageRequest? page = null,
        CancellationToken cancellationToken = default);

    /// <summary>
    /// The devices with the most traffic of a range. Connections over everything come from the devices' counters
    /// (<see cref="QueryTier.Device"/>). Hours that lie in the range as a whole count as kept
    /// (<see cref="QueryTier.Hour"/>), connections that retention dropped included; a range without one, and the parts of
    /// hours at its ends, are counted from the connections.
    /// </summary>
    /// <param name="from">Begin of the range, itself included; null for the earliest.</param>
    /// <param name="until">End of the range, itself excluded; null for the latest.</param>
    /// <param name="measure">What counts.</param>
    /// <param name="limit">Places, 1 to <see cref="PageRequest.MaxLimit"/>.</param>
    /// <param name="cancellationToken">Ends the call.</param>
    /// <exception cref="QueryFilterException">The range is inverted, or the limit is out of bounds.</exception>
    Task<TrafficRanking<TopTalker>> GetTopTalkersAsync(
        DateTimeOffset? from,
        DateTimeOffset? until,
        TrafficMeasure measure = TrafficMeasure.Connections,
        int limit = 10,
        CancellationToken cancellationToken = default);

    /// <summary>
    /// The destinations with the most traffic of a range. Connections over everything come from what is kept for each
    /// destination (<see cref="QueryTier.Edge"/>); a range with an end, and bytes, are counted from the connections, which
    /// costs by connection of the range.
    /// </summary>
    /// <inheritdoc cref="GetTopTalkersAsync"/>
    Task<TrafficRanking<TopDestination>> GetTopDestinationsAsync(
        DateTimeOffset? from,
        DateTimeOffset? until,
        TrafficMeasure measure = TrafficMeasure.Connections,
        int limit = 10,
        CancellationToken cancellationToken = default);
}
