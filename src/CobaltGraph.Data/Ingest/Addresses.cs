using System.Net;

namespace CobaltGraph.Data.Ingest;

internal static class Addresses
{
    // ::ffff:0:0/96 has all of IPv4.
    private const int MappedPrefix = 96;

    /// <summary>
    /// The address as it is stored. A dual-stack socket gives those of IPv4 as ::ffff:a.b.c.d, and as two addresses one host
    /// would be two.
    /// </summary>
    public static IPAddress Unmapped(this IPAddress address) => address.IsIPv4MappedToIPv6 ? address.MapToIPv4() : address;

    /// <summary>The network as the addresses in it are stored.</summary>
    public static IPNetwork Unmapped(this IPNetwork network)
        => network.BaseAddress.IsIPv4MappedToIPv6 && network.PrefixLength >= MappedPrefix
            ? new IPNetwork(network.BaseAddress.MapToIPv4(), network.PrefixLength - MappedPrefix)
            : network;
}
