namespace CobaltGraph.Data.Queries;

/// <summary>Lists devices. Safe for use by several threads. <c>AddCobaltGraph</c> registers it as a singleton.</summary>
public interface IDeviceQueries
{
    /// <summary>Up to how many devices are counted.</summary>
    const int CountCap = 10_000;

    /// <summary>A page of the devices that match.</summary>
    /// <param name="filter">Which devices; null for all.</param>
    /// <param name="sort">The order; a cursor belongs to one. By default the MAC address.</param>
    /// <param name="page">Which page; null for the first.</param>
    /// <param name="cancellationToken">Ends the call.</param>
    /// <exception cref="QueryFilterException">A value of the filter, the order, the limit or the cursor is not in its form.</exception>
    Task<DevicePage> ListAsync(
        DeviceFilter? filter = null,
        DeviceSort sort = default,
        PageRequest? page = null,
        CancellationToken cancellationToken = default);
}
