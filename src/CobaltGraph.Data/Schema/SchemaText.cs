using System.Text;
using CobaltGraph.Data.Schema.Catalog;

namespace CobaltGraph.Data.Schema;

/// <summary>A schema as a person reads it in a review: tables with all that belongs to them, views, functions.</summary>
internal static class SchemaText
{
    private const string GrantsTo = "grants to ";

    /// <summary>Writes the schema that migrations make. The same on every run of one server version.</summary>
    public static string Write(SchemaCatalog catalog, string lastMigration)
    {
        var text = new StringBuilder();
        text.Append($"""
            -- What the database is after migration {lastMigration}, from the server's catalogue.
            -- Written by `cobaltgraph schema`, for reading: the scripts make it. Not here: rights and indexes that depend on the
            -- server, as the trigram indexes of destinations, and the single months of connections.

            """.ReplaceLineEndings("\n"));

        var tables = catalog.Objects.Where(o => o is { Kind: "table", Partition: null }).ToList();
        foreach (var table in tables.Where(o => o.PartitionOf is null)) Table(text, catalog, table);
        foreach (var partition in tables.Where(o => o.PartitionOf is not null))
        {
            text.Append($"\n\n-- {partition.Name}\n");
            text.Append($"CREATE TABLE {partition.Name} PARTITION OF {partition.PartitionOf} {partition.Properties["bounds"]};\n");
        }

        foreach (var view in catalog.Objects.Where(o => o.Kind == "view"))
        {
            text.Append($"\n\n-- {view.Name}\n");
            Comment(text, view, "");
            text.Append(view.Definition).Append(";\n");
        }

        text.Append("\n\n-- Functions: the file of each holds its body and its reasons.\n");
        var files = SqlObject.LoadAll().Where(o => o.Kind == SqlObjectKind.Function).ToList();
        foreach (var function in catalog.Objects.Where(o => o.Kind == "function")) Function(text, function, files);

        return catalog.Name(text.ToString().Replace(SchemaCatalog.ThisSchema, "<schema>", StringComparison.Ordinal));
    }

    private static void Table(StringBuilder text, SchemaCatalog catalog, CatalogObject table)
    {
        var parts = catalog.Objects.Where(o => o.Table == table.Name).ToList();
        text.Append($"\n\n-- {table.Name}\n");
        Comment(text, table, "");

        var columns = table.Properties["column order"].Split(", ")
            .Select(name => parts.Single(o => o.Kind == "column" && Last(o) == name.Trim('"')))
            .ToList();
        var constraints = parts.Where(o => o.Kind == "constraint").ToList();
        text.Append($"CREATE TABLE {Quote(table.Name)} (\n");
        for (var i = 0; i < columns.Count; i++)
        {
            var last = i == columns.Count - 1 && constraints.Count == 0;
            text.Append($"    {columns[i].Definition}{(last ? "" : ",")}");
            if (columns[i].Properties.TryGetValue("comment", out var comment)) text.Append($" -- {OneLine(comment)}");
            text.Append('\n');
        }

        for (var i = 0; i < constraints.Count; i++)
        {
            text.Append($"    CONSTRAINT {Last(constraints[i])} {constraints[i].Properties["definition"]}");
            text.Append(i == constraints.Count - 1 ? "\n" : ",\n");
        }

        text.Append(')');
        if (table.Properties.TryGetValue("partitioned by", out var key)) text.Append($" PARTITION BY {key}");
        if (table.Properties.TryGetValue("options", out var options)) text.Append($" WITH ({options})");
        text.Append(";\n");

        var names = constraints.Select(o => o.Name).ToHashSet(StringComparer.Ordinal);
        foreach (var index in parts.Where(o => o.Kind == "index" && !names.Contains(o.Name) && !o.Name.EndsWith("_trgm", StringComparison.Ordinal)))
            text.Append($"{index.Definition!.Replace(" ON ONLY ", " ON ", StringComparison.Ordinal)};\n");
        foreach (var trigger in parts.Where(o => o.Kind == "trigger"))
            text.Append($"{trigger.Definition};\n");
        foreach (var sequence in catalog.Objects.Where(o => o.Kind == "sequence"
            && o.Properties.GetValueOrDefault("owned by")?.StartsWith($"{Quote(table.Name)}.", StringComparison.Ordinal) == true))
        {
            text.Append($"-- {sequence.Name}: {sequence.Properties["type"]}, from {sequence.Properties["start"]} by {sequence.Properties["increment"]}, of {sequence.Properties["owned by"]}\n");
        }
    }

    private static void Function(StringBuilder text, CatalogObject function, List<SqlObject> files)
    {
        var properties = function.Properties;
        var name = function.Name[..function.Name.IndexOf('(', StringComparison.Ordinal)];
        var file = files.Where(f => f.Name == name && f.Sql.Contains(properties["body"], StringComparison.Ordinal)).MaxBy(f => f.Version);
        text.Append($"\n-- {name}({properties["arguments"]})\n");
        text.Append($"--     returns {properties["returns"]}\n");
        text.Append($"--     {properties["language"]}, {properties["volatility"]}, SECURITY {properties["security"]}, PARALLEL {properties["parallel"]}, {properties.GetValueOrDefault("settings", "no settings")}\n");
        text.Append(properties.ContainsKey($"{GrantsTo}PUBLIC") ? "--     for everyone\n" : "--     for its owner\n");
        text.Append(file is null ? "--     in no file\n" : $"--     Migrations.Sql/{file.Path}\n");
        Comment(text, function, "    ");
    }

    private static void Comment(StringBuilder text, CatalogObject commented, string indent)
    {
        if (commented.Properties.TryGetValue("comment", out var comment)) text.Append($"-- {indent}{OneLine(comment)}\n");
    }

    private static string OneLine(string text) => text.ReplaceLineEndings(" ");

    private static string Last(CatalogObject part) => part.Name[(part.Table!.Length + 1)..];

    // EF Core's own table is the only one with capitals.
    private static string Quote(string name) => name.Any(char.IsAsciiLetterUpper) ? $"\"{name}\"" : name;
}
