namespace CobaltGraph.Model;

/// <summary>
/// The scale of <see cref="DeviceThreats.ThreatScore"/>: the sum over a device's connections of the weight of their
/// category, in three levels.
/// </summary>
public static class DeviceThreatScale
{
    /// <summary>Lowest score of <see cref="DeviceThreatLevel.Medium"/>.</summary>
    public const long MediumThreshold = 5;

    /// <summary>Lowest score of <see cref="DeviceThreatLevel.High"/>.</summary>
    public const long HighThreshold = 20;

    /// <summary>
    /// What one connection of a category adds to its device's score: malware 10, c2 10, suspicious_geo 5, proxy 3, any
    /// other 0. The database holds the same numbers in its function <c>threat_category_weight()</c>.
    /// </summary>
    /// <param name="category">A threat category, in lower case; null for none.</param>
    public static int WeightOf(string? category) => category switch
    {
        "malware" or "c2" => 10,
        "suspicious_geo" => 5,
        "proxy" => 3,
        _ => 0,
    };

    /// <summary>The level of a score.</summary>
    /// <param name="score">A device's threat score, 0 or more.</param>
    /// <exception cref="ArgumentOutOfRangeException">The score is negative.</exception>
    public static DeviceThreatLevel LevelOf(long score)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(score);
        return score switch
        {
            < MediumThreshold => DeviceThreatLevel.Low,
            < HighThreshold => DeviceThreatLevel.Medium,
            _ => DeviceThreatLevel.High,
        };
    }
}
