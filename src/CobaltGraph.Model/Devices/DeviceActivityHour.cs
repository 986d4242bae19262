using System.Collections;

namespace CobaltGraph.Model;

/// <summary>
/// What one device did in one hour. Kept by the database from the connections, and kept beyond them, so that a year of
/// activity can be read after the connections themselves were dropped.
/// </summary>
public class DeviceActivityHour
{
    /// <summary>The device; part of the key.</summary>
    public MacAddress SrcMac { get; set; }

    /// <summary>Begin of the hour, UTC; part of the key.</summary>
    public DateTimeOffset Hour { get; set; }

    /// <summary>Connections stored for the hour.</summary>
    public long ConnectionCount { get; set; }

    /// <summary>Threats (<see cref="ThreatScale.IsThreat"/>) among them.</summary>
    public long ThreatCount { get; set; }

    /// <summary>Highest threat score among them, 0 to 10.</summary>
    public float MaxThreatScore { get; set; }

    /// <summary>Bytes from the device; connections of unknown size count as 0.</summary>
    public decimal BytesSent { get; set; }

    /// <summary>Bytes to the device; connections of unknown size count as 0.</summary>
    public decimal BytesReceived { get; set; }

    /// <summary>
    /// One bit of 256 for each destination address, by its hash: the bits that are set are at least that many different
    /// destinations, and <see cref="DestinationEstimate"/> says how many are likely.
    /// </summary>
    public BitArray DestinationSketch { get; set; } = new(SketchBits);

    /// <summary>Bits of <see cref="DestinationSketch"/>.</summary>
    public const int SketchBits = 256;

    /// <summary>The number of different destination addresses is this or more: the bits set in the sketch.</summary>
    public int DestinationsAtLeast => DestinationSketch.Cast<bool>().Count(bit => bit);

    /// <summary>
    /// The likely number of different destination addresses, by linear counting: with a standard error of 5 % up to 100 of them
    /// and of 10 % up to 600; never more than <see cref="ConnectionCount"/>. Where every bit is set, at about 1,500 of them and more, it
    /// is 1,420, which only says that there are many.
    /// </summary>
    public long DestinationEstimate
    {
        get
        {
            var empty = Math.Max(SketchBits - DestinationsAtLeast, 1);
            var estimate = (long)Math.Round(-SketchBits * Math.Log((double)empty / SketchBits));
            return Math.Min(Math.Max(estimate, DestinationsAtLeast), ConnectionCount);
        }
    }
}
