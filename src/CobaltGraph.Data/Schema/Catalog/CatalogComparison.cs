namespace CobaltGraph.Data.Schema.Catalog;

internal static class CatalogComparison
{
    private const string ColumnOrder = "column order";

    public static IReadOnlyList<CatalogDifference> Run(SchemaCatalog expected, SchemaCatalog found)
    {
        var whole = Compare(
            [.. expected.Objects.Where(o => o.Partition is null)], [.. found.Objects.Where(o => o.Partition is null)], partition: "");

        // Every partition of a table must be as any other; the first one expected stands for all.
        var templates = expected.Objects.Where(o => o.Partition is not null)
            .GroupBy(o => (o.PartitionOf, o.Partition))
            .GroupBy(partition => partition.Key.PartitionOf!, partition => partition.ToList(), StringComparer.Ordinal)
            .ToDictionary(table => table.Key, table => table.First(), StringComparer.Ordinal);
        var partitions = found.Objects.Where(o => o.Partition is not null)
            .GroupBy(o => (o.PartitionOf, o.Partition))
            .SelectMany(partition => Compare(
                templates.GetValueOrDefault(partition.Key.PartitionOf!, []), [.. partition], partition.Key.Partition!));

        // What is said of a partitioned table holds for its partitions, and need not be said again.
        var said = whole.Where(d => Object(d) is { Table: not null, PartitionOf: null })
            .Select(d => (Object(d).Table, d.Kind, Part(Object(d)), d.Property))
            .ToHashSet();
        return
        [
            .. whole.Concat(partitions)
                .Where(d => Object(d) is not { Table: not null, PartitionOf: { } table } part
                    || !said.Contains((table, d.Kind, Part(part), d.Property)))
                .Select(d => d with { Expected = Text(d.Expected), Found = Text(d.Found), Name = found.Name(d.Name) })
                .OrderBy(d => d.Kind, StringComparer.Ordinal)
                .ThenBy(d => d.Name, StringComparer.Ordinal)
                .ThenBy(d => d.Property, StringComparer.Ordinal),
        ];

        string? Text(string? text) => text is null ? null : found.Name(text);
    }

    private static List<CatalogDifference> Compare(List<CatalogObject> expected, List<CatalogObject> found, string partition)
    {
        var wanted = expected.ToDictionary(o => (o.Kind, o.Shape));
        var present = found.ToDictionary(o => (o.Kind, o.Shape));
        var differences = new List<CatalogDifference>();
        foreach (var (key, want) in wanted)
        {
            if (present.TryGetValue(key, out var have))
                differences.AddRange(Compare(want, have, Actual));
            else if (IsOfItsOwn(want, found))
                differences.Add(new(want.Kind, Actual(want.Shape)!, null, "there", null, want, null));
        }

        foreach (var (key, have) in present)
        {
            if (!wanted.ContainsKey(key) && IsOfItsOwn(have, expected))
                differences.Add(new(have.Kind, have.Name, null, null, "there", null, have));
        }

        return differences;

        string? Actual(string? text)
            => partition.Length == 0 ? text : text?.Replace(CatalogObject.AnyPartition, partition, StringComparison.Ordinal);
    }

    private static IEnumerable<CatalogDifference> Compare(CatalogObject want, CatalogObject have, Func<string?, string?> actual)
    {
        foreach (var property in want.Properties.Keys.Union(have.Properties.Keys))
        {
            var expected = want.Properties.GetValueOrDefault(property);
            var found = have.Properties.GetValueOrDefault(property);
            if (expected == found || (property == ColumnOrder && OfBoth(expected, found) == OfBoth(found, expected))) continue;

            yield return new(have.Kind, have.Name, property, actual(expected), actual(found), want, have);
        }

        static string OfBoth(string? columns, string? others)
            => string.Join(", ", Columns(columns).Intersect(Columns(others)));

        static string[] Columns(string? text) => text?.Split(", ") ?? [];
    }

    // The parts of a table that is not in the other schema go without saying, as does what enforces a constraint.
    private static bool IsOfItsOwn(CatalogObject part, List<CatalogObject> others)
        => part.Kind != "constraint trigger"
            && (part.Table is null || others.Exists(o => o.Table is null && o.Generic(o.Name) == part.Generic(part.Table)));

    private static CatalogObject Object(CatalogDifference difference)
        => (difference.FoundObject ?? difference.ExpectedObject)!;

    private static string Part(CatalogObject part) => part.Name[part.Table!.Length..];
}
