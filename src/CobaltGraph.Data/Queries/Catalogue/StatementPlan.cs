using System.Globalization;
using System.Text;
using System.Text.Json;
using Npgsql;

namespace CobaltGraph.Data.Queries.Catalogue;

/// <summary>What EXPLAIN (ANALYZE, BUFFERS) says of a statement; what was never executed is left out.</summary>
internal sealed class StatementPlan
{
    private readonly TableCatalogue _tables;
    private readonly SortedSet<string> _indexes = new(StringComparer.Ordinal);
    private readonly List<SequentialScan> _sequentialScans = [];
    private readonly HashSet<string> _partitions = new(StringComparer.Ordinal);

    private StatementPlan(TableCatalogue tables, JsonElement plan)
    {
        _tables = tables;
        var root = plan.GetProperty("Plan");
        Milliseconds = plan.GetProperty("Execution Time").GetDouble() + plan.GetProperty("Planning Time").GetDouble();
        RowsReturned = Rows(root);
        Visit(root);
        Shape = Describe(root);
    }

    /// <summary>Kinds of nodes in short, with the indexes they use; what is alike for several partitions stands once.</summary>
    public string Shape { get; }

    /// <summary>Indexes in use, as connections has them; of a partition the name of its own.</summary>
    public IReadOnlyCollection<string> Indexes => _indexes;

    public IReadOnlyList<SequentialScan> SequentialScans => _sequentialScans;

    /// <summary>Partitions of connections that were read.</summary>
    public IReadOnlyCollection<string> Partitions => _partitions;

    /// <summary>Connections that were read and dropped by a condition.</summary>
    public double ConnectionsDropped { get; private set; }

    /// <summary>Rows that scans of tables gave or dropped.</summary>
    public double RowsRead { get; private set; }

    public double RowsReturned { get; }

    /// <summary>Rows of the largest sort.</summary>
    public double MostSorted { get; private set; }

    /// <summary>Blocks of 8 kB that were read, from memory or disk.</summary>
    public long Blocks { get; private set; }

    /// <summary>Planning and execution, with the cost of looking at the clock.</summary>
    public double Milliseconds { get; }

    /// <summary>Runs a statement under EXPLAIN.</summary>
    public static async Task<StatementPlan> ReadAsync(
        NpgsqlDataSource dataSource, TableCatalogue tables, Statement statement, CancellationToken cancellationToken)
    {
        var command = dataSource.CreateCommand("EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) " + statement.Sql);
        await using (command.ConfigureAwait(false))
        {
            command.CommandTimeout = 0;
            foreach (var parameter in statement.Parameters)
                command.Parameters.Add(parameter.Clone());

            using var json = JsonDocument.Parse(
                (string)(await command.ExecuteScalarAsync(cancellationToken).ConfigureAwait(false))!, new JsonDocumentOptions { MaxDepth = 1000 });
            return new StatementPlan(tables, json.RootElement[0]);
        }
    }

    private static IEnumerable<JsonElement> Children(JsonElement node)
        => node.TryGetProperty("Plans", out var plans) ? plans.EnumerateArray().Where(WasExecuted) : [];

    private static bool WasExecuted(JsonElement node) => Number(node, "Actual Loops") > 0;

    private static double Rows(JsonElement node) => Number(node, "Actual Rows") * Number(node, "Actual Loops");

    private static double Number(JsonElement node, string key) => node.TryGetProperty(key, out var value) ? value.GetDouble() : 0;

    private static string? Text(JsonElement node, string key) => node.TryGetProperty(key, out var value) ? value.GetString() : null;

    private void Visit(JsonElement node)
    {
        var loops = Number(node, "Actual Loops");
        if (Text(node, "Index Name") is { } index)
            _indexes.Add(index);
        if (Text(node, "Relation Name") is { } relation)
        {
            var dropped = (Number(node, "Rows Removed by Filter") + Number(node, "Rows Removed by Index Recheck")) * loops;
            RowsRead += Rows(node) + dropped;
            if (_tables.ParentOf(relation) == TableCatalogue.Connections)
            {
                _partitions.Add(relation);
                ConnectionsDropped += dropped;
            }

            if (Text(node, "Node Type") == "Seq Scan")
                _sequentialScans.Add(new SequentialScan(relation, _tables.ParentOf(relation), _tables.BytesOf(relation), Rows(node), dropped));
        }

        if (Text(node, "Node Type") is "Sort" or "Incremental Sort")
            MostSorted = Math.Max(MostSorted, Children(node).Sum(Rows));
        // Each node's counts hold those of the nodes below it.
        Blocks = Math.Max(Blocks, (long)(Number(node, "Shared Hit Blocks") + Number(node, "Shared Read Blocks")));
        foreach (var child in Children(node))
            Visit(child);
    }

    private string Describe(JsonElement node)
    {
        var text = new StringBuilder(Short(Text(node, "Node Type")!));
        if (Text(node, "Scan Direction") == "Backward")
            text.Append(" backward");
        if (Text(node, "Relation Name") is { } relation)
            text.Append(' ').Append(_tables.ParentOf(relation));
        if (Text(node, "Index Name") is { } index)
            text.Append(text.Length > 0 && Text(node, "Relation Name") is not null ? "." : " ").Append(_tables.ParentOfIndex(index));
        var parts = Children(node).Select(Describe).ToList();
        if (parts.Count == 0)
            return text.ToString();
        var different = parts.GroupBy(part => part).Select(part => part.Count() == 1 ? part.Key
            : string.Create(CultureInfo.InvariantCulture, $"{part.Count()} × {part.Key}"));
        return text.Append('(').AppendJoin(", ", different).Append(')').ToString();
    }

    private static string Short(string node) => node switch
    {
        "Index Scan" => "index",
        "Index Only Scan" => "index only",
        "Bitmap Heap Scan" => "bitmap",
        "Bitmap Index Scan" => "bits",
        "Seq Scan" => "SEQ SCAN",
        "Nested Loop" => "loop",
        _ => node.ToLowerInvariant(),
    };
}
