using System.Text.RegularExpressions;
using Microsoft.EntityFrameworkCore.Migrations.Operations;

namespace CobaltGraph.Data.Schema.Scripts;

/// <summary>Says in words what the operations of a migration do.</summary>
internal static partial class MigrationEffects
{
    public static IReadOnlyList<string> Describe(IEnumerable<MigrationOperation> operations)
    {
        var effects = operations.SelectMany(Effects).Distinct().ToList();
        return
        [
            .. effects.GroupBy(effect => effect.Does, effect => effect.What)
                .Select(group => $"{(group.Skip(1).Any() ? Plural(group.Key) : group.Key)} {string.Join(", ", group)}"),
        ];
    }

    private static string Plural(string does) => Kind().Replace(does, match => match.Value + (match.Value == "index" ? "es" : "s"));

    private static IEnumerable<(string Does, string What)> Effects(MigrationOperation operation) => operation switch
    {
        CreateTableOperation create => [("creates table", create.Name)],
        DropTableOperation drop => [("drops with all rows table", drop.Name)],
        AddColumnOperation add => [("adds column", $"{add.Table}.{add.Name}")],
        DropColumnOperation drop => [("drops with all values column", $"{drop.Table}.{drop.Name}")],
        AlterColumnOperation alter => [("alters column", $"{alter.Table}.{alter.Name}")],
        AlterTableOperation table => [("alters table", table.Name)],
        AddPrimaryKeyOperation add => [("adds primary key", add.Name)],
        AddForeignKeyOperation add => [("adds foreign key", add.Name)],
        CreateIndexOperation create => [("creates index", create.Name)],
        DropIndexOperation drop => [("drops index", drop.Name)],
        SqlOperation sql => Effects(sql.Sql),
        _ => [("runs", OperationSuffix().Replace(operation.GetType().Name, ""))],
    };

    private static IEnumerable<(string Does, string What)> Effects(string sql)
    {
        var objects = ObjectStatement().Matches(sql);
        if (objects.Count > 0)
        {
            return objects.Select(match => (
                $"{(match.Groups["verb"].Value == "DROP" ? "drops" : "creates or replaces")} {match.Groups["kind"].Value.ToLowerInvariant()}",
                match.Groups["name"].Value));
        }

        var effects = new List<(string, string)>();
        foreach (Match match in LockStatement().Matches(sql))
            effects.Add(("until its end locks out writers of", match.Groups["tables"].Value));
        foreach (Match match in RowStatement().Matches(sql))
            effects.Add(("writes rows of", match.Groups["table"].Value));
        foreach (Match match in CallStatement().Matches(sql))
            effects.Add(("calls", match.Groups["name"].Value));
        return effects;
    }

    [GeneratedRegex("(table|column|key|index|function|trigger|view)$")]
    private static partial Regex Kind();

    [GeneratedRegex("Operation$")]
    private static partial Regex OperationSuffix();

    [GeneratedRegex(@"^(?<verb>CREATE|DROP)( OR REPLACE)? (?<kind>FUNCTION|TRIGGER|VIEW) (?<name>\w+)", RegexOptions.Multiline)]
    private static partial Regex ObjectStatement();

    [GeneratedRegex(@"^\s*LOCK TABLE (?<tables>[\w, ]+) IN ", RegexOptions.Multiline)]
    private static partial Regex LockStatement();

    // Tables of a preparation are gone at the end.
    [GeneratedRegex(@"^\s*(INSERT INTO|UPDATE|DELETE FROM) (?!back_fill)(?<table>\w+)", RegexOptions.Multiline)]
    private static partial Regex RowStatement();

    [GeneratedRegex(@"^\s*PERFORM (?!back_fill|set_config)(?<name>\w+)\(", RegexOptions.Multiline)]
    private static partial Regex CallStatement();
}
