namespace CobaltGraph.Data.Queries;

/// <summary>How a page of connections was found. All ways give the same rows; they differ in cost.</summary>
public enum SearchStrategy
{
    /// <summary>One statement with all conditions: the database chooses among its indexes.</summary>
    Direct = 0,

    /// <summary>The next rows in order of time held a page of matches.</summary>
    TimeOrder = 1,

    /// <summary>The destinations that can match were looked up, then the first rows of each were merged.</summary>
    ByDestination = 2,

    /// <summary>The devices that can match were looked up, then the first rows of each were merged.</summary>
    ByDevice = 3,

    /// <summary>No destination or device can match: connections were not read.</summary>
    Empty = 4,
}
