using CobaltGraph.Data.Schema.Scripts;
using CobaltGraph.Testing;

namespace CobaltGraph.Data.Tests.Schema.Scripts;

public class MigrationScriptsTests
{
    private const string Rewrite = "dotnet run --project tools/CobaltGraph.Cli -- script --output-folder Migrations.Sql/scripts";

    private static readonly ScriptedDirection Nothing = new([], [], "SELECT 1;\n");

    [Fact]
    public void Committed_scripts_are_what_the_migrations_give()
    {
        var expected = MigrationScripts.Files(MigrationScripts.Read());
        var actual = Directory.EnumerateFiles(Repository.PathOf("Migrations.Sql", "scripts"))
            .ToDictionary(path => Path.GetFileName(path), File.ReadAllBytes);

        var differing = expected.Keys.Union(actual.Keys).Order(StringComparer.Ordinal)
            .Where(name => !expected.TryGetValue(name, out var script)
                || !actual.TryGetValue(name, out var bytes)
                || !bytes.AsSpan().SequenceEqual(System.Text.Encoding.UTF8.GetBytes(script)));

        Assert.True(!differing.Any(), $"Not what the migrations give: {string.Join(", ", differing)}. Run: {Rewrite}");
    }

    [Fact]
    public void Scripts_are_the_same_bytes_each_time_with_line_feeds_only()
    {
        var files = MigrationScripts.Files(MigrationScripts.Read());

        Assert.Equal(files, MigrationScripts.Files(MigrationScripts.Read()));
        Assert.All(files.Values, script => Assert.DoesNotContain('\r', script));
        Assert.All(files.Values, script => Assert.Matches(@"(;| \\gset)\n\z", script));
    }

    [Fact]
    public void Every_migration_has_a_script_up_and_a_script_down()
    {
        var migrations = MigrationScripts.Read();

        Assert.Equal(Enumerable.Range(1, migrations.Count), migrations.Select(migration => migration.Number));
        Assert.Equal(
            migrations.SelectMany(migration => new[] { $"{migration.FileName}.down.sql", $"{migration.FileName}.up.sql" })
                .Append("0002_ThreatScoring.prepare.sql").Append("cobaltgraph.idempotent.sql").Order(StringComparer.Ordinal),
            MigrationScripts.Files(migrations).Keys);
        Assert.Equal("0001_DeviceInventory", migrations[0].FileName);
    }

    [Fact]
    public void Head_says_what_the_script_does()
    {
        var script = MigrationScripts.Files(MigrationScripts.Read())["0002_ThreatScoring.down.sql"];
        var head = script[..script.IndexOf("\n\n", StringComparison.Ordinal)].Replace("\n--       ", "", StringComparison.Ordinal);

        Assert.All(head.Split('\n'), line => Assert.StartsWith("--", line, StringComparison.Ordinal));
        Assert.Contains("drops with all rows tables destinations, ", head, StringComparison.Ordinal);
        Assert.Contains("drops with all values columns devices.", head, StringComparison.Ordinal);
        Assert.Contains("PostgreSQL 12 or later", head, StringComparison.Ordinal);
    }

    [Fact]
    public void Statement_that_cannot_run_in_a_transaction_is_refused_beside_another()
    {
        var refused = Assert.Throws<InvalidOperationException>(() => Scripts(
            new ScriptedCommand("CREATE INDEX CONCURRENTLY IF NOT EXISTS ix ON devices (vendor);\n", OutsideTransaction: true),
            new ScriptedCommand("ALTER TABLE devices ADD room text;\n")));

        Assert.Contains("20990101000000_Alone", refused.Message, StringComparison.Ordinal);
        Assert.Contains("alone in its migration", refused.Message, StringComparison.Ordinal);
        Assert.Contains("CREATE INDEX CONCURRENTLY", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Statement_that_cannot_run_in_a_transaction_is_refused_when_it_cannot_be_repeated()
    {
        var refused = Assert.Throws<InvalidOperationException>(
            () => Scripts(new ScriptedCommand("CREATE INDEX CONCURRENTLY ix ON devices (vendor);\n", OutsideTransaction: true)));

        Assert.Contains("IF NOT EXISTS", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Plain_form_has_no_command_of_psql()
        => Assert.All(
            MigrationScripts.Read().SelectMany(migration => new[] { migration.Up, migration.Down }),
            direction => Assert.DoesNotContain("\n\\", MigrationScripts.Plain(direction), StringComparison.Ordinal));

    private static SortedDictionary<string, string> Scripts(params ScriptedCommand[] commands)
        => MigrationScripts.Files([new(1, "20990101000000_Alone", new([], commands, "SELECT 1;\n"), Nothing)]);
}
