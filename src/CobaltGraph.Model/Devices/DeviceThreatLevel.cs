namespace CobaltGraph.Model;

/// <summary>Band of a device's threat score; see <see cref="DeviceThreatScale.LevelOf"/>.</summary>
public enum DeviceThreatLevel
{
    /// <summary>Score below 5.</summary>
    Low = 0,

    /// <summary>Score from 5 to below 20.</summary>
    Medium = 1,

    /// <summary>Score of 20 and above.</summary>
    High = 2,
}
