using CobaltGraph.Model;

namespace CobaltGraph.Data.Queries;

/// <summary>
/// Reads the trail of device events. Safe for use by several threads. <c>AddCobaltGraph</c> registers it as a singleton.
/// </summary>
public interface IEventQueries
{
    /// <summary>
    /// A page of the events that match, the latest first, of one time the one recorded last first. The rows are not tracked.
    /// Events of times that .NET does not have (infinity, up to the first instant of year 1, after 9999) are left out.
    /// </summary>
    /// <remarks>
    /// Indexes lead to a device, to a type and to a range of time, so that a page costs the same however long the trail is; of an
    /// instant with many events, as of a sweep over many devices, all are read, and for a rare type of one device the trail of
    /// that device.
    /// </remarks>
    /// <param name="filter">Which events; null for all.</param>
    /// <param name="page">Which page; null for the first.</param>
    /// <param name="cancellationToken">Ends the call.</param>
    /// <exception cref="QueryFilterException">
    /// The range is inverted, a type is not one, the limit is out of bounds, or the cursor is not one of this query and filter.
    /// </exception>
    Task<Page<DeviceEvent>> GetEventsAsync(
        EventFilter? filter = null, PageRequest? page = null, CancellationToken cancellationToken = default);
}
