using System.Net;
using System.Net.NetworkInformation;

namespace CobaltGraph.Benchmarks.Queries;

// What Dapper makes of a row, in the types of the driver.
#pragma warning disable CA1812 // Made by Dapper.

/// <summary>Two devices with one address.</summary>
internal sealed class MappedConflict
{
    public IPAddress? IpAddress { get; set; }

    public PhysicalAddress? MacAddressA { get; set; }

    public PhysicalAddress? MacAddressB { get; set; }

    public DateTime From { get; set; }

    public DateTime Until { get; set; }
}
