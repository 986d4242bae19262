using CobaltGraph.Model;

namespace CobaltGraph.Data.Queries;

/// <summary>
/// All that is known of one device. Safe for use by several threads. <c>AddCobaltGraph</c> registers it as a singleton.
/// </summary>
public interface IDeviceDetailQueries
{
    /// <summary>
    /// Reads a device in two round trips: the device, its summary and its threats, then all lists. The cost depends on the
    /// destinations of the device and not on its connections. Each list is as of its own reading.
    /// </summary>
    /// <param name="device">The device.</param>
    /// <param name="request">How much; null for the defaults.</param>
    /// <param name="cancellationToken">Ends the call.</param>
    /// <returns>The device; null when there is none.</returns>
    /// <exception cref="QueryFilterException">A range is inverted or too long, or a number is out of bounds.</exception>
    Task<DeviceDetail?> FindAsync(
        MacAddress device, DeviceDetailRequest? request = null, CancellationToken cancellationToken = default);
}
