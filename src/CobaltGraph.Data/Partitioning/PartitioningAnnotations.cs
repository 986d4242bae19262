namespace CobaltGraph.Data.Partitioning;

internal static class PartitioningAnnotations
{
    public const string RangeProperty = "CobaltGraph:PartitionByRangeProperty";
    public const string RangeColumn = "CobaltGraph:PartitionByRange";
    public const string DefaultPartition = "CobaltGraph:DefaultPartition";
    public const string Deferred = "CobaltGraph:InitiallyDeferred";
}
