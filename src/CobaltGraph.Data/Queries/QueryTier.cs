namespace CobaltGraph.Data.Queries;

/// <summary>What a ranking was made from.</summary>
public enum QueryTier
{
    /// <summary>The connections themselves, those that retention dropped excluded. Costs by connection of the range.</summary>
    Raw = 0,

    /// <summary>
    /// What is kept for each device and hour; for hours that lie in the range in part only, the connections themselves.
    /// </summary>
    Hour = 1,

    /// <summary>What is kept for each device and destination, those of connections that retention dropped included.</summary>
    Edge = 2,

    /// <summary>
    /// What is kept for each device, those of connections that retention dropped included, and the bytes of its hours.
    /// </summary>
    Device = 3,
}
