using System.Net;
using CobaltGraph.Model;

namespace CobaltGraph.Data.Queries;

/// <summary>
/// Which device held which address. Safe for use by several threads. <c>AddCobaltGraph</c> registers it as a singleton.
/// </summary>
public interface IAddressQueries
{
    /// <summary>
    /// Who held an address at a time: the devices whose bindings cover it and, unless a device was sighted with it before and
    /// after the time, others whose bindings ended no more than <see cref="DeviceAddress.Lapse"/> before it: what an application
    /// set may be out of date, and traffic is no claim. Claims (<see cref="AddressSource.Sighting"/>,
    /// <see cref="AddressSource.Update"/>) come before <see cref="AddressSource.Traffic"/>, and among each the binding that
    /// began last comes first. A device that held it by more than one source is there once for each. Reads the bindings of the
    /// address that began before the time.
    /// </summary>
    /// <param name="address">The address, IPv4 or IPv6.</param>
    /// <param name="at">The time.</param>
    /// <param name="cancellationToken">Ends the call.</param>
    /// <returns>The holders; none when nobody is known to have held it.</returns>
    Task<IReadOnlyList<AddressHolder>> WhoHadAsync(
        IPAddress address, DateTimeOffset at, CancellationToken cancellationToken = default);

    /// <summary>
    /// Addresses that two devices claimed at a time: claims of both overlap at some time of the range. Traffic is no claim.
    /// Three devices on one address are three conflicts. Reads all claims, which are as many as devices times the addresses that
    /// each had, however many connections there are.
    /// </summary>
    /// <param name="from">Begin of the range, itself included; null for the earliest.</param>
    /// <param name="until">End of the range, itself excluded; null for the latest.</param>
    /// <param name="page">The page, the latest to begin first; null for the first one.</param>
    /// <param name="cancellationToken">Ends the call.</param>
    /// <exception cref="QueryFilterException">The range is inverted, the limit is out of bounds, or the cursor is not one of this query.</exception>
    Task<Page<AddressConflict>> GetConflictsAsync(
        DateTimeOffset? from = null,
        DateTimeOffset? until = null,
        PageRequest? page = null,
        CancellationToken cancellationToken = default);
}
