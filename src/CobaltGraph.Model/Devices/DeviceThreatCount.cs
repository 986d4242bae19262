namespace CobaltGraph.Model;

/// <summary>
/// How many connections of one device were of one threat category. Kept by the database from the connections, and kept
/// beyond them; the view <c>device_threats</c> scores a device by it.
/// </summary>
public class DeviceThreatCount
{
    /// <summary>The device; part of the key.</summary>
    public MacAddress SrcMac { get; set; }

    /// <summary>The category as connections name it: malware, c2, proxy, suspicious_geo, …; part of the key.</summary>
    public string ThreatCategory { get; set; } = "";

    /// <summary>Connections ever stored for the pair, whatever their score.</summary>
    public long ConnectionCount { get; set; }
}
