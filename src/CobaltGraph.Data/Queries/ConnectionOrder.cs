namespace CobaltGraph.Data.Queries;

/// <summary>In which order connections are shown; those of one instant follow their id.</summary>
public enum ConnectionOrder
{
    /// <summary>Latest first.</summary>
    NewestFirst = 0,

    /// <summary>Earliest first.</summary>
    OldestFirst = 1,
}
