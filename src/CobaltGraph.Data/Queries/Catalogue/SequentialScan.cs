namespace CobaltGraph.Data.Queries.Catalogue;

/// <summary>A table that was read from begin to end.</summary>
/// <param name="Relation">The table or partition.</param>
/// <param name="Table">The table that the partition belongs to; otherwise the same.</param>
/// <param name="Bytes">Its size without indexes.</param>
/// <param name="Rows">Rows it gave.</param>
/// <param name="Dropped">Rows that were read for nothing.</param>
internal sealed record SequentialScan(string Relation, string Table, long Bytes, double Rows, double Dropped)
{
    // A partition of a few rows is read faster than its index: the month has just begun.
    private const long SmallPartitionBytes = 1 << 20;

    /// <summary>
    /// Whether an index is missing: connections are never read as a whole, and a table above the size only by a question that
    /// wants all of its rows.
    /// </summary>
    public bool IsMissingIndex(long smallBytes)
        => Table == TableCatalogue.Connections ? Bytes > SmallPartitionBytes : Bytes > smallBytes && Dropped > 0;
}
