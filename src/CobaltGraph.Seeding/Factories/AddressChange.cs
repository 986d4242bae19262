using System.Net;
using CobaltGraph.Model;

namespace CobaltGraph.Seeding;

/// <summary>A DHCP renewal that gave a device another address.</summary>
/// <param name="At">When, UTC.</param>
/// <param name="Device">The device.</param>
/// <param name="Address">Its address from then on.</param>
public sealed record AddressChange(DateTimeOffset At, MacAddress Device, IPAddress Address);
