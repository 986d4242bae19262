using System.Net;

namespace CobaltGraph.Data.Ingest;

internal static class Addresses
{
    /// <summary>
    /// The address as it is stored. A dual-stack socket gives those of IPv4 as ::ffff:a.b.c.d, and as two addresses one host
    /// would be two.
    /// </summary>
    public static IPAddress Unmapped(this IPAddress address) => address.IsIPv4MappedToIPv6 ? address.MapToIPv4() : address;
}
