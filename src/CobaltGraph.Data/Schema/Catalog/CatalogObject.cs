namespace CobaltGraph.Data.Schema.Catalog;

/// <summary>An object of a schema, in the server's own words.</summary>
/// <param name="Kind">What it is: table, column, constraint, index, trigger, function, view, …</param>
/// <param name="Name">Its name; what belongs to a table begins with the table's name and a dot.</param>
/// <param name="Table">The table or view that it belongs to; null when it stands for itself.</param>
/// <param name="Partition">The partition that it is or belongs to; null for the default partition, which is one of a kind.</param>
/// <param name="PartitionOf">The partitioned table, for a partition and what belongs to one, the default partition included.</param>
/// <param name="Properties">What is said of it, by name; what it does not have is left out.</param>
/// <param name="Definition">
/// The statement that makes it, without a semicolon, for a search path that begins with the schema; null for a table, which
/// its columns and constraints tell of, and for what no migration makes.
/// </param>
internal sealed record CatalogObject(
    string Kind,
    string Name,
    string? Table,
    string? Partition,
    string? PartitionOf,
    SortedDictionary<string, string> Properties,
    string? Definition)
{
    /// <summary>Stands for the name of a partition where all partitions of a table are to be alike.</summary>
    public const string AnyPartition = "{partition}";

    /// <summary>The name; of partitions, the same for all of them.</summary>
    public string Shape => Generic(Name);

    /// <summary>A property as it is for every partition.</summary>
    public string Generic(string text)
        => Partition is null ? text : text.Replace(Partition, AnyPartition, StringComparison.Ordinal);

    /// <summary>The object for a person: kind and name.</summary>
    public override string ToString() => $"{Kind} {Name}";
}
