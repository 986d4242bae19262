namespace CobaltGraph.Model;

/// <summary>
/// The scale of <see cref="Connection.ThreatScore"/>: 0 to 10, in four levels.
/// </summary>
public static class ThreatScale
{
    /// <summary>Lowest score.</summary>
    public const float Minimum = 0f;

    /// <summary>Highest score.</summary>
    public const float Maximum = 10f;

    /// <summary>Lowest score of <see cref="ThreatLevel.Medium"/>.</summary>
    public const float MediumThreshold = 2f;

    /// <summary>Lowest score of <see cref="ThreatLevel.High"/>.</summary>
    public const float HighThreshold = 4f;

    /// <summary>
    /// Lowest score of <see cref="ThreatLevel.Critical"/>; a connection with this score or more is a threat.
    /// The database holds the same number in its function <c>threat_threshold()</c>.
    /// </summary>
    public const float ThreatThreshold = 7f;

    /// <summary>Whether a connection with this score counts as a threat.</summary>
    /// <param name="score">A threat score, 0 to 10.</param>
    public static bool IsThreat(float score) => score >= ThreatThreshold;

    /// <summary>The level of a score.</summary>
    /// <param name="score">A threat score, 0 to 10.</param>
    /// <exception cref="ArgumentOutOfRangeException">The score is not a number from 0 to 10.</exception>
    public static ThreatLevel LevelOf(float score) => score switch
    {
        >= Minimum and < MediumThreshold => ThreatLevel.Low,
        >= MediumThreshold and < HighThreshold => ThreatLevel.Medium,
        >= HighThreshold and < ThreatThreshold => ThreatLevel.High,
        >= ThreatThreshold and <= Maximum => ThreatLevel.Critical,
        _ => throw new ArgumentOutOfRangeException(nameof(score), score, "A threat score is a number from 0 to 10."),
    };
}
