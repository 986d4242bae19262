namespace CobaltGraph.Data.Queries.Catalogue;

/// <summary>Which values a query is asked with.</summary>
internal enum QueryValues
{
    /// <summary>Those of the most connections.</summary>
    Common,

    /// <summary>Those of the fewest.</summary>
    Rare,

    /// <summary>Some that nothing has.</summary>
    Absent,
}
