using System.Net;
using System.Security.Cryptography;
using CobaltGraph.Data.Ingest;
using CobaltGraph.Model;

namespace CobaltGraph.Data.Tests.Ingest;

// The hash of a batch stands in the ledger: what was stored by an older release must be known again.
public class SightingBufferTests
{
    private static readonly DeviceSighting Plain = new()
    {
        MacAddress = MacAddress.Parse("02:00:5e:00:00:01"),
        IpAddress = IPAddress.Parse("192.0.2.1"),
        Hostname = "printer",
        Vendor = "Example Inc.",
        DeviceType = "iot",
        SeenAt = new DateTimeOffset(2026, 3, 5, 12, 0, 0, TimeSpan.Zero),
        Source = "dhcp",
    };

    [Fact]
    public void Hash_of_plain_sightings_is_that_of_earlier_releases()
        => Assert.Equal(
            "cfa75f1da8ed569a41ab480e3c24654bb63793cad8e6a340e039eca9d889a1ec",
            Hash(Plain, new DeviceSighting { MacAddress = MacAddress.Parse("02:00:5e:00:00:02") }));

    [Fact]
    public void Hash_is_that_of_what_is_said()
    {
        var other = new DeviceSighting { MacAddress = MacAddress.Parse("02:00:5e:00:00:02") };
        string[] hashes =
        [
            Hash(Plain, other),
            Hash(Plain with { ConfidenceScore = 0 }, other),
            Hash(Plain with { ConfidenceScore = 0.5f }, other),
            Hash(Plain, other with { ConfidenceScore = 0.5f }),
            Hash(Plain with { Metadata = DeviceMetadata.Parse("""{"a":1}""") }, other),
            Hash(Plain with { Metadata = DeviceMetadata.Parse("""{"a":1.0}""") }, other),
            Hash(Plain, other with { Metadata = DeviceMetadata.Parse("""{"a":1}""") }),
            Hash(Plain with { ConfidenceScore = 0.5f, Metadata = DeviceMetadata.Parse("""{"a":1}""") }, other),
        ];

        Assert.Equal(hashes.Length, hashes.Distinct().Count());
        Assert.Equal(hashes[0], Hash(Plain with { Metadata = new DeviceMetadata() }, other));
    }

    // A retry sends what was given, whatever became of it.
    [Fact]
    public void Metadata_is_that_of_the_moment_it_is_given()
    {
        var metadata = new DeviceMetadata { Notes = "given" };
        var buffer = new SightingBuffer();
        buffer.Add(Plain with { Metadata = metadata }, DateTimeOffset.UtcNow);

        metadata.Notes = "changed";

        Assert.Equal("""{"notes":"given"}""", buffer.MetadataOf(0));
    }

    private static string Hash(params DeviceSighting[] sightings)
    {
        var buffer = new SightingBuffer();
        foreach (var sighting in sightings)
            buffer.Add(sighting, DateTimeOffset.UtcNow);
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        buffer.AppendTo(hash, 0, buffer.Count);
        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }
}
