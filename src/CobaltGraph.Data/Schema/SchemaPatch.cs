using System.Text;
using CobaltGraph.Data.Schema.Catalog;

namespace CobaltGraph.Data.Schema;

/// <summary>
/// Statements that would bring a schema to what was expected, for a person to read, correct and run. What would lose data or
/// somebody else's work is commented out; what no single statement mends is told in words.
/// </summary>
internal static class SchemaPatch
{
    private const string GrantsTo = "grants to ";

    private const string Option = " with grant option";

    // Tables come before what stands on them, triggers after the functions that they call.
    private static readonly string[] Order =
    [
        "schema", "sequence", "table", "column", "constraint", "index", "function", "view", "trigger",
    ];

    /// <summary>The whole patch, as a transaction for psql.</summary>
    public static string Write(SchemaProofReport report)
    {
        var patch = new StringBuilder();
        patch.Append($"""
            {Comment($"A suggestion, from a comparison of schema {report.Found.Name(SchemaCatalog.ThisSchema)} with what its migrations make.")}-- Read it, correct it, and try it on a copy: it was not run. Lines that would lose something are commented out.
            \set ON_ERROR_STOP on
            BEGIN;
            SET LOCAL lock_timeout = '5s';
            SET LOCAL search_path = {report.Found.Name(SchemaCatalog.ThisSchema)};

            """.ReplaceLineEndings("\n"));
        foreach (var (difference, statements) in Statements(report.Expected, report.Found, report.Differences))
        {
            var property = difference.Property is null ? "" : $", {difference.Property}";
            patch.Append('\n').Append(Comment($"{difference.Kind} {difference.Name}{property}"));
            foreach (var statement in statements) patch.Append(statement).Append('\n');
        }

        return patch.Append("\nCOMMIT;\n").ToString();
    }

    /// <summary>The statements for each difference, in an order in which they can run.</summary>
    public static IEnumerable<(CatalogDifference Difference, IReadOnlyList<string> Statements)> Statements(
        SchemaCatalog expected, SchemaCatalog found, IReadOnlyList<CatalogDifference> differences)
        => differences
            .OrderBy(d => d.FoundObject is not null && d.ExpectedObject is null)
            .ThenBy(d => d.ExpectedObject is null && d.Kind is "function" or "type")
            // An identity keeps its column from another default or sequence.
            .ThenBy(d => d.Property != "identity")
            .ThenBy(d => Array.IndexOf(Order, d.Kind) is var at and >= 0 ? at : Order.Length)
            .ThenBy(d => d.Property is not ("type" or "owner"))
            .Select(d => (d, (IReadOnlyList<string>)[.. For(d, expected, differences).Select(text => found.Name(Literals(text, found)))]));

    private static IEnumerable<string> For(
        CatalogDifference d, SchemaCatalog expected, IReadOnlyList<CatalogDifference> all)
        => d switch
        {
            { ExpectedObject: null, FoundObject: { } extra } => [CommentedOut(Drop(extra))],
            { FoundObject: null, ExpectedObject: { } missing } => Create(missing, d, expected, all),
            { Property: "owner" } => [$"ALTER {Target(d)} OWNER TO {d.Expected};"],
            { Kind: "schema", Property: SchemaCatalog.NewFunctions } =>
                [$"ALTER DEFAULT PRIVILEGES FOR ROLE {SchemaCatalog.Owner} REVOKE ALL ON FUNCTIONS FROM PUBLIC;"],
            { Property: "comment" } => [$"COMMENT ON {Target(d)} IS {Literal(d.Expected)};"],
            { Property: { } property } when property.StartsWith(GrantsTo, StringComparison.Ordinal) => Grants(d, property[GrantsTo.Length..], expected),
            { Kind: "function" or "procedure", ExpectedObject.Definition: { } definition } => [$"{definition};"],
            { Kind: "view", Property: "query", ExpectedObject.Definition: { } definition } => [$"{definition};"],
            { Kind: "trigger" or "constraint trigger", Property: "state" } => [TriggerState(d)],
            { Kind: "trigger", ExpectedObject.Definition: { } definition } =>
                [$"DROP TRIGGER {Quote(Last(d))} ON {Quote(d.FoundObject!.Table!)};", $"{definition};"],
            { Kind: "rule", Property: "state" } => [$"ALTER TABLE {Quote(d.FoundObject!.Table!)} ENABLE RULE {Quote(Last(d))};"],
            { Kind: "column" } => [Column(d)],
            { Kind: "constraint", Property: "definition" } => Constraint(d),
            { Kind: "index" } => Index(d),
            { Kind: "sequence" } => [Sequence(d)],
            { Kind: "table" or "view" } => [Table(d)],
            _ => ["-- No statement is suggested; mend it by hand."],
        };

    private static IEnumerable<string> Create(
        CatalogObject missing, CatalogDifference d, SchemaCatalog expected, IReadOnlyList<CatalogDifference> all)
    {
        if (missing.Kind == "index" && all.Any(other => other is { Kind: "constraint", FoundObject: null } && other.Name == d.Name))
        {
            yield return "-- Comes with the constraint.";
            yield break;
        }

        switch (missing.Kind)
        {
            case "table":
                foreach (var statement in CreateTable(missing, expected)) yield return statement;
                yield break;
            case "column":
                yield return $"ALTER TABLE {Quote(missing.Table!)} ADD COLUMN {missing.Definition};";
                break;
            case "sequence":
                yield return $"{missing.Definition};";
                // A table that is missing too takes it when it is made.
                if (missing.Properties.TryGetValue("owned by", out var column)
                    && !all.Any(other => other is { Kind: "table", FoundObject: null } && IsOf(column, other.ExpectedObject!)))
                    yield return $"ALTER SEQUENCE {Quote(missing.Name)} OWNED BY {column};";
                break;
            case var _ when missing.Definition is null:
                yield return "-- No statement is suggested; mend it by hand.";
                yield break;
            default:
                var definition = missing.Partition is null
                    ? missing.Definition
                    : missing.Definition.Replace(missing.Partition, d.Name.Split('.')[0], StringComparison.Ordinal);
                // As the server writes it, the index would be of the partitioned table alone.
                yield return $"{(missing.Kind == "index" ? definition.Replace(" ON ONLY ", " ON ", StringComparison.Ordinal) : definition)};";
                if (missing is { Kind: "index", PartitionOf: not null })
                    yield return $"-- ALTER INDEX {Quote(missing.Properties["part of"])} ATTACH PARTITION …; with the name of the new index.";
                break;
        }

        if (missing.Properties.TryGetValue("comment", out var comment))
            yield return $"COMMENT ON {Target(d)} IS {Literal(comment)};";
        if (missing.Kind is "function" or "view" or "sequence")
        {
            if (missing.Kind == "function" && !missing.Properties.ContainsKey($"{GrantsTo}PUBLIC"))
                yield return $"REVOKE ALL ON {Target(d)} FROM PUBLIC;";
            foreach (var (property, rights) in missing.Properties)
            {
                if (IsGrant(property))
                    yield return $"GRANT {rights} ON {Target(d)} TO {property[GrantsTo.Length..]};";
            }
        }
    }

    private static IEnumerable<string> CreateTable(CatalogObject table, SchemaCatalog expected)
    {
        if (table.Partition is not null)
        {
            yield return "-- No statement is suggested; mend it by hand.";
            yield break;
        }

        if (table.PartitionOf is not null)
        {
            yield return $"CREATE TABLE {Quote(table.Name)} PARTITION OF {Quote(table.PartitionOf)} {table.Properties["bounds"]};";
            yield break;
        }

        var parts = expected.Objects.Where(o => o.Table == table.Name).ToList();
        var columns = table.Properties["column order"].Split(", ")
            .Select(name => parts.Single(o => o.Kind == "column" && Quote(o.Name[(table.Name.Length + 1)..]).Trim('"') == name.Trim('"')).Definition);
        var partitioned = table.Properties.TryGetValue("partitioned by", out var key) ? $" PARTITION BY {key}" : "";
        var options = table.Properties.TryGetValue("options", out var with) ? $" WITH ({with})" : "";
        yield return $"CREATE TABLE {Quote(table.Name)} (\n    {string.Join(",\n    ", columns)}\n){partitioned}{options};";
        if (table.Properties.TryGetValue("comment", out var comment))
            yield return $"COMMENT ON TABLE {Quote(table.Name)} IS {Literal(comment)};";

        var constraints = parts.Where(o => o.Kind == "constraint").Select(o => o.Name).ToHashSet(StringComparer.Ordinal);
        foreach (var part in parts.Where(o => o.Kind is "constraint" or "index" or "trigger").OrderBy(o => Array.IndexOf(Order, o.Kind)))
        {
            if (part.Kind != "index" || !constraints.Contains(part.Name))
                yield return $"{part.Definition};";
        }

        foreach (var sequence in expected.Objects.Where(o => o.Kind == "sequence"))
        {
            if (sequence.Properties.TryGetValue("owned by", out var column) && IsOf(column, table))
                yield return $"ALTER SEQUENCE {Quote(sequence.Name)} OWNED BY {column};";
        }

        foreach (var (property, rights) in table.Properties.Where(p => IsGrant(p.Key)))
            yield return $"GRANT {rights} ON TABLE {Quote(table.Name)} TO {property[GrantsTo.Length..]};";
        foreach (var part in parts.Where(o => o.Kind == "column"))
        {
            if (part.Properties.TryGetValue("comment", out var said))
                yield return $"COMMENT ON COLUMN {Path(part)} IS {Literal(said)};";
            foreach (var (property, rights) in part.Properties.Where(p => IsGrant(p.Key)))
            {
                var each = rights.Split(", ").Select(right => $"{right} ({Quote(Last(part))})");
                yield return $"GRANT {string.Join(", ", each)} ON TABLE {Quote(table.Name)} TO {property[GrantsTo.Length..]};";
            }
        }

        if (table.Properties.ContainsKey("row security"))
            yield return $"ALTER TABLE {Quote(table.Name)} ENABLE ROW LEVEL SECURITY; -- roles.sql makes its policies";
    }

    private static bool IsGrant(string property)
        => property.StartsWith(GrantsTo, StringComparison.Ordinal) && property != $"{GrantsTo}its owner";

    // The server writes the name of the table as it must be quoted.
    private static bool IsOf(string column, CatalogObject table)
        => column.StartsWith($"{table.Name}.", StringComparison.Ordinal) || column.StartsWith($"{SqlText.Identifier(table.Name)}.", StringComparison.Ordinal);

    private static IEnumerable<string> Grants(CatalogDifference d, string grantee, SchemaCatalog expected)
    {
        var to = grantee == "its owner" ? SchemaCatalog.Owner : grantee;
        var wanted = d.Expected?.Split(", ") ?? [];
        var found = d.Found?.Split(", ") ?? [];
        var (on, of) = d.Kind switch
        {
            "column" => ($"TABLE {Quote(d.FoundObject!.Table!)}", $" ({Quote(Last(d))})"),
            "view" => ($"TABLE {Path(d.FoundObject!)}", ""),
            "default privileges" => ("", ""),
            _ => (Target(d), ""),
        };
        if (on.Length == 0)
        {
            yield return "-- No statement is suggested; mend it by hand: ALTER DEFAULT PRIVILEGES.";
            yield break;
        }

        foreach (var right in found.Except(wanted))
        {
            yield return $"REVOKE {Bare(right)}{of} ON {on} FROM {to};";
            // Taken from the table, it is taken from each column too.
            var columns = d.Kind is "table" or "view"
                ? expected.Objects
                    .Where(o => o.Kind == "column" && o.Table == d.ExpectedObject!.Name
                        && o.Properties.TryGetValue(d.Property!, out var rights) && rights.Split(", ").Select(Bare).Contains(Bare(right)))
                    .Select(o => Quote(Last(o)))
                    .ToList()
                : [];
            if (columns.Count > 0)
                yield return $"GRANT {Bare(right)} ({string.Join(", ", columns)}) ON {on} TO {to};";
        }

        foreach (var right in wanted.Except(found))
            yield return $"GRANT {Bare(right)}{of} ON {on} TO {to}{(right.Contains(Option, StringComparison.Ordinal) ? Option.ToUpperInvariant() : "")};";

        static string Bare(string right) => right.Replace(Option, "", StringComparison.Ordinal);
    }

    private static string TriggerState(CatalogDifference d)
    {
        var how = d.Expected switch
        {
            "disabled" => "DISABLE",
            "enabled always" => "ENABLE ALWAYS",
            "enabled on replicas only" => "ENABLE REPLICA",
            _ => "ENABLE",
        };
        return d.Kind == "trigger"
            ? $"ALTER TABLE {Quote(d.FoundObject!.Table!)} {how} TRIGGER {Quote(Last(d))};"
            : $"ALTER TABLE {Quote(d.FoundObject!.Table!)} ENABLE TRIGGER ALL; -- as a superuser: these keep the foreign key";
    }

    private static string Column(CatalogDifference d)
    {
        var alter = $"ALTER TABLE {Quote(d.FoundObject!.Table!)} ALTER COLUMN {Quote(Last(d))}";
        return d.Property switch
        {
            "type" => $"{alter} TYPE {d.Expected}; -- may rewrite the table, and fails where a value does not fit",
            "default" => d.Expected is null ? $"{alter} DROP DEFAULT;" : $"{alter} SET DEFAULT {d.Expected};",
            "null" => d.Expected is null ? $"{alter} DROP NOT NULL;" : $"{alter} SET NOT NULL; -- reads the whole table",
            "statistics target" => $"{alter} SET STATISTICS {d.Expected ?? "-1"};",
            "options" when d.Expected is null => $"{alter} RESET ({Names(d.Found!)});",
            "identity" when d.Expected is null => $"{alter} DROP IDENTITY;",
            _ => "-- No statement is suggested; mend it by hand.",
        };
    }

    private static IEnumerable<string> Constraint(CatalogDifference d)
    {
        var table = Quote(d.FoundObject!.Table!);
        var name = Quote(Last(d));
        if (d.Found == $"{d.Expected} NOT VALID") return [$"ALTER TABLE {table} VALIDATE CONSTRAINT {name};"];
        return [$"ALTER TABLE {table} DROP CONSTRAINT {name};", $"ALTER TABLE {table} ADD CONSTRAINT {name} {d.Expected};"];
    }

    private static IEnumerable<string> Index(CatalogDifference d)
    {
        var name = Quote(Last(d));
        return d.Property switch
        {
            "state" => [$"REINDEX INDEX {name};"],
            "definition" when d.FoundObject!.PartitionOf is null => [$"DROP INDEX {name};", $"{d.ExpectedObject!.Definition};"],
            _ => ["-- No statement is suggested; mend it by hand."],
        };
    }

    private static string Sequence(CatalogDifference d)
    {
        var alter = $"ALTER SEQUENCE {Path(d.FoundObject!)}";
        return d.Property switch
        {
            "increment" => $"{alter} INCREMENT BY {d.Expected};",
            "minimum" => $"{alter} MINVALUE {d.Expected};",
            "maximum" => $"{alter} MAXVALUE {d.Expected};",
            "start" => $"{alter} START WITH {d.Expected};",
            "cache" => $"{alter} CACHE {d.Expected};",
            "type" => $"{alter} AS {d.Expected};",
            "cycle" => $"{alter} {(d.Expected is null ? "NO CYCLE" : "CYCLE")};",
            "owned by" => $"{alter} OWNED BY {d.Expected ?? "NONE"};",
            _ => "-- No statement is suggested; mend it by hand.",
        };
    }

    private static string Table(CatalogDifference d)
    {
        var alter = $"ALTER {Target(d)}";
        return d.Property switch
        {
            "persistence" when d.Expected is null => $"{alter} SET LOGGED; -- rewrites the table",
            "options" => string.Join(' ', Options(d, alter)),
            "row security" when d.Expected is null => $"{alter} DISABLE ROW LEVEL SECURITY, NO FORCE ROW LEVEL SECURITY;",
            "replica identity" when d.Expected is null => $"{alter} REPLICA IDENTITY DEFAULT;",
            "inherits" when d.Expected is null => $"{alter} NO INHERIT {d.Found};",
            "partition of" or "bounds" => $"-- Detach and attach it with the bounds that it must have: {d.FoundObject!.PartitionOf ?? d.ExpectedObject!.PartitionOf}.",
            _ => "-- No statement is suggested; mend it by hand.",
        };
    }

    private static IEnumerable<string> Options(CatalogDifference d, string alter)
    {
        if (d.Found is not null) yield return $"{alter} RESET ({Names(d.Found)});";
        if (d.Expected is not null) yield return $"{alter} SET ({d.Expected});";
    }

    private static string Names(string options)
        => string.Join(", ", options.Split(", ").Select(option => option.Split('=')[0]));

    private static string Drop(CatalogObject extra) => extra.Kind switch
    {
        "column" => $"ALTER TABLE {Quote(extra.Table!)} DROP COLUMN {Quote(Last(extra))}",
        "constraint" => $"ALTER TABLE {Quote(extra.Table!)} DROP CONSTRAINT {Quote(Last(extra))}",
        // An identity's goes with it.
        "sequence" => $"DROP SEQUENCE IF EXISTS {Path(extra)}",
        "default privileges" => "ALTER DEFAULT PRIVILEGES … REVOKE …",
        _ => $"DROP {Target(extra.Kind, extra)}",
    };

    private static string Target(CatalogDifference d)
        => d.FoundObject is null && d.ExpectedObject is { Partition: { } of } missing
            ? Target(d.Kind, missing).Replace(of, d.Name.Split('.')[0], StringComparison.Ordinal)
            : Target(d.Kind, (d.FoundObject ?? d.ExpectedObject)!);

    private static string Target(string kind, CatalogObject target) => kind switch
    {
        "schema" => $"SCHEMA {SchemaCatalog.ThisSchema}",
        "constraint" or "trigger" or "rule" or "policy" =>
            $"{kind.ToUpperInvariant()} {Quote(Last(target))} ON {Quote(target.Table!)}",
        "function" or "procedure" or "aggregate" =>
            $"{kind.ToUpperInvariant()} {Quote(target.Name[..target.Name.IndexOf('(', StringComparison.Ordinal)])}{target.Name[target.Name.IndexOf('(', StringComparison.Ordinal)..]}",
        "operator" => $"OPERATOR {target.Name.Replace("(", " (", StringComparison.Ordinal)}",
        "index" => $"INDEX {Quote(Last(target))}",
        _ => $"{kind.ToUpperInvariant()} {Path(target)}",
    };

    private static string Path(CatalogObject target)
        => target.Table is null ? Quote(target.Name) : $"{Quote(target.Table)}.{Quote(Last(target))}";

    private static string Last(CatalogDifference d) => Last((d.FoundObject ?? d.ExpectedObject)!);

    private static string Last(CatalogObject part) => part.Table is null ? part.Name : part.Name[(part.Table.Length + 1)..];

    // No keyword has an underscore, but for CURRENT_DATE and its like.
    private static string Quote(string name)
        => name.Contains('_', StringComparison.Ordinal) && name.All(c => c is '_' or (>= 'a' and <= 'z') or (>= '0' and <= '9'))
            && !char.IsAsciiDigit(name[0]) && !name.StartsWith("current_", StringComparison.Ordinal) && !name.EndsWith("_user", StringComparison.Ordinal)
            ? name
            : SqlText.Identifier(name);

    private static string Literal(string? text)
        => text is null ? "NULL" : SqlText.Literal(text);

    // The one place where the schema is a literal and not a name.
    private static string Literals(string text, SchemaCatalog found)
        => text.Replace(
            $" SET search_path TO {SchemaCatalog.ThisSchema},", $" SET search_path TO {Literal(found.Schema)},", StringComparison.Ordinal);

    // A line break in a name would end the comment, and what follows would be run.
    private static string CommentedOut(string statement)
        => statement == statement.ReplaceLineEndings(" ")
            ? $"-- {statement};"
            : "-- Its name has a line break: drop it by hand.";

    private static string Comment(string text) => $"-- {text.ReplaceLineEndings(" ")}\n";
}
