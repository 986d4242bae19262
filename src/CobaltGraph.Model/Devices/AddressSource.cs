namespace CobaltGraph.Model;

/// <summary>What says that a device held an address.</summary>
public enum AddressSource
{
    /// <summary>ARP or DHCP saw the device claim it.</summary>
    Sighting = 0,

    /// <summary>A client set <see cref="Device.IpAddress"/>: held until a client or a sighting sets another.</summary>
    Update = 1,

    /// <summary>
    /// The device sent connections from it. No claim: a router forwards connections from addresses that it does not hold.
    /// </summary>
    Traffic = 2,
}
