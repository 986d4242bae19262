using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace CobaltGraph.Seeding.Tests;

/// <summary>Every field of every row of a site, as one hash.</summary>
internal static class Rows
{
    public static readonly DateTimeOffset Reference = new(2026, 3, 18, 15, 0, 0, TimeSpan.Zero);

    public static SeedOptions Options(SiteRecipe recipe, int devices, long connections, int days = 7, long seed = 42) => new()
    {
        Recipe = recipe,
        Devices = devices,
        Connections = connections,
        Days = days,
        Seed = seed,
        ReferenceTime = Reference,
    };

    public static string Hash(SeedOptions options)
    {
        var site = Site.Create(options);
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach (var d in site.Devices)
        {
            Add(
                d.MacAddress, d.IpAddress, d.Vendor, d.DeviceType, d.Hostname, d.FirstSeen.UtcTicks, d.LastSeen.UtcTicks,
                d.LastActivity.UtcTicks, d.Status, BitConverter.SingleToInt32Bits(d.ConfidenceScore), d.Metadata.ToJson());
        }
        foreach (var change in site.AddressChanges)
            Add(change.At.UtcTicks, change.Device, change.Address);
        foreach (var c in site.Connections())
        {
            Add(
                c.Id, c.Timestamp.UtcTicks, c.SrcMac, c.SrcIp, c.SrcPort, c.DstIp, c.DstPort, c.Protocol, c.DstCountry,
                Bits(c.DstLat), Bits(c.DstLon), c.DstOrg, c.DstHostname, Bits(c.ThreatScore), c.ThreatCategory, c.BytesSent,
                c.BytesReceived, c.Duration?.Ticks, c.Metadata.ToJson());
        }
        return Convert.ToHexStringLower(hash.GetHashAndReset());

        void Add(params object?[] fields)
        {
            foreach (var field in fields)
                hash.AppendData(Encoding.UTF8.GetBytes(Convert.ToString(field, CultureInfo.InvariantCulture) + "\u001f"));
            hash.AppendData("\n"u8);
        }

        static int? Bits(float? value) => value is { } v ? BitConverter.SingleToInt32Bits(v) : null;
    }
}
