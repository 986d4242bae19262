namespace CobaltGraph.Data.Queries;

/// <summary>By what a ranking of traffic is made.</summary>
public enum TrafficMeasure
{
    /// <summary>Connections.</summary>
    Connections = 0,

    /// <summary>Bytes in both directions; connections of unknown size count as 0.</summary>
    Bytes = 1,
}
