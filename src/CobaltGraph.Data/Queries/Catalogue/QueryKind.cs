namespace CobaltGraph.Data.Queries.Catalogue;

/// <summary>What is promised of a query's time.</summary>
internal enum QueryKind
{
    /// <summary>A page of the list of devices.</summary>
    DeviceList,

    /// <summary>A page of connections by one condition, alone or with a range of time.</summary>
    Search,

    /// <summary>A page of connections by a part of a name, or by metadata, over everything.</summary>
    Text,

    /// <summary>A page of connections by a part of a name, or by metadata, within a day.</summary>
    TextOfDay,

    /// <summary>A page of connections by two conditions, over everything.</summary>
    Pair,

    /// <summary>A page of connections by two conditions within a day.</summary>
    PairOfDay,

    /// <summary>One device with all that is known of it.</summary>
    Detail,

    /// <summary>The totals of all devices.</summary>
    Summary,

    /// <summary>Who had an address at a time.</summary>
    Holder,

    /// <summary>Anything else.</summary>
    Other,
}
