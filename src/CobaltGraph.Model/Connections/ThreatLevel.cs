namespace CobaltGraph.Model;

/// <summary>Band of a connection's threat score; see <see cref="ThreatScale.LevelOf"/>.</summary>
public enum ThreatLevel
{
    /// <summary>Score below 2.</summary>
    Low = 0,

    /// <summary>Score from 2 to below 4.</summary>
    Medium = 1,

    /// <summary>Score from 4 to below 7.</summary>
    High = 2,

    /// <summary>Score of 7 and above: a threat.</summary>
    Critical = 3,
}
