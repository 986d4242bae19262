using System.Text;
using CobaltGraph.Data.Schema;
using CobaltGraph.Testing;

namespace CobaltGraph.Data.Tests.Roles;

// docs/roles.md shows what the catalogue says. COBALTGRAPH_UPDATE_DOCS=1 rewrites the generated block.
public sealed class MatrixTests(TwoSites sites) : IClassFixture<TwoSites>
{
    private const string Begin = "<!-- generated: rights -->\n";
    private const string End = "<!-- end -->\n";

    private static readonly string PagePath = Repository.PathOf("docs", "roles.md");

    [Theory]
    [InlineData(TwoSites.First)]
    [InlineData(TwoSites.Second)]
    public async Task Page_shows_every_right_of_every_role_on_every_object(string schema)
    {
        var names = schema == TwoSites.First ? sites.FirstNames : sites.SecondNames;
        await using var connection = await sites.Roles.Database.DataSource.OpenConnectionAsync(TestContext.Current.CancellationToken);
        var rights = await RightsMatrix.ReadAsync(connection, schema, names.All, TestContext.Current.CancellationToken);
        var table = Table(rights, names, await ObjectsAsync(schema));

        var page = await File.ReadAllTextAsync(PagePath, TestContext.Current.CancellationToken);
        var (from, to) = (page.IndexOf(Begin, StringComparison.Ordinal) + Begin.Length, page.IndexOf(End, StringComparison.Ordinal));
        if (Environment.GetEnvironmentVariable("COBALTGRAPH_UPDATE_DOCS") == "1")
        {
            await File.WriteAllTextAsync(PagePath, page[..from] + table + page[to..], TestContext.Current.CancellationToken);
            return;
        }

        Assert.Equal(table, page[from..to], ignoreLineEndingDifferences: true);
    }

    // An object that nobody has a right on would be in no row otherwise.
    private async Task<IReadOnlyList<(string Kind, string Object)>> ObjectsAsync(string schema)
        => [.. (await sites.Roles.Database.QueryAsync($"""
            SELECT 'table', relname::text FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
            WHERE n.nspname = '{schema}' AND relkind IN ('r', 'p') AND NOT relispartition
            UNION ALL
            SELECT 'function', proname || '(' || pg_get_function_identity_arguments(p.oid) || ')'
            FROM pg_proc AS p JOIN pg_namespace AS n ON n.oid = p.pronamespace
            WHERE n.nspname = '{schema}'
            """)).Select(row => ((string)row[0]!, (string)row[1]!))];

    private static string Table(IReadOnlyList<Right> rights, RoleNames names, IReadOnlyList<(string Kind, string Object)> objects)
    {
        var rows = rights.Select(right => (right.Kind, right.Object)).Distinct().ToList();
        Assert.Empty(objects.Except(rows));

        var text = new StringBuilder("| | | owner | writer | reader | maintainer | PUBLIC |\n|---|---|---|---|---|---|---|\n");
        foreach (var (kind, name) in rows)
        {
            var shown = kind switch
            {
                "database" or "schema" => "",
                "function" => Function(name),
                _ => $"`{name}`",
            };
            text.Append($"| {kind} | {shown} |");
            foreach (var role in (string[])[.. names.All, RightsMatrix.Everybody])
            {
                var cell = string.Join("<br>", rights
                    .Where(right => (right.Kind, right.Object, right.Role) == (kind, name, role))
                    .Select(right => right.Verb == "OWNER" ? "all" : right.Columns is { } columns ? $"{right.Verb} ({columns})" : right.Verb));
                text.Append($" {cell} |");
            }

            text.Append('\n');
        }

        return text.ToString();
    }

    // Arguments only tell overloads apart, and there are none.
    private static string Function(string signature) => $"`{signature[..signature.IndexOf('(', StringComparison.Ordinal)]}`";
}
