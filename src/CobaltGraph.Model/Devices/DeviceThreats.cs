namespace CobaltGraph.Model;

/// <summary>
/// A row of the view <c>device_threats</c>: one device with its connections by threat category and what they make of it.
/// Reading it costs by device and category, not by stored connection.
/// </summary>
public class DeviceThreats
{
    /// <summary>The device.</summary>
    public MacAddress MacAddress { get; private set; }

    /// <summary>Connections of category malware.</summary>
    public long MalwareCount { get; private set; }

    /// <summary>Connections of category c2 (command and control).</summary>
    public long C2Count { get; private set; }

    /// <summary>Connections of category suspicious_geo.</summary>
    public long SuspiciousGeoCount { get; private set; }

    /// <summary>Connections of category proxy.</summary>
    public long ProxyCount { get; private set; }

    /// <summary>Connections of any other category.</summary>
    public long OtherCount { get; private set; }

    /// <summary>
    /// malware × 10 + c2 × 10 + suspicious_geo × 5 + proxy × 3, see <see cref="DeviceThreatScale.WeightOf"/>; 0 or more.
    /// </summary>
    public long ThreatScore { get; private set; }

    /// <summary>Band of <see cref="ThreatScore"/>.</summary>
    public DeviceThreatLevel ThreatLevel { get; private set; }

    /// <summary>Highest threat score of a single connection, 0 to 10.</summary>
    public float MaxThreatScore { get; private set; }

    /// <summary>Threats (<see cref="ThreatScale.IsThreat"/>) ever stored for this device.</summary>
    public long ThreatCount { get; private set; }

    /// <summary>Time of the latest threat, UTC; null without one.</summary>
    public DateTimeOffset? LastThreat { get; private set; }
}
