using System.Diagnostics;
using System.Text.RegularExpressions;
using CobaltGraph.Testing;

namespace CobaltGraph.Data.Tests.Schema.Scripts;

// The commands of Migrations.Sql/README.md are run as they stand there.
public partial class DbaPageTests(PostgresServerFixture server) : ScriptTest(server)
{
    private const string Owner = "zurich_owner";

    private static readonly string Page = File.ReadAllText(Repository.PathOf("Migrations.Sql", "README.md"));

    [Fact]
    public async Task Commands_of_the_page_do_what_it_says()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "The commands of the page are for a POSIX shell.");
        await Database.ExecuteAsync($"DROP ROLE IF EXISTS {Owner}");
        try
        {
            var commands = Commands();
            var down = Assert.Single(commands, command => command.Contains(".down.sql", StringComparison.Ordinal));
            foreach (var command in commands)
            {
                await RunShell(command);
                if (command == down)
                    Assert.Equal(Migrations.Count - 1, await Database.ScalarAsync<long>("SELECT count(*) FROM zurich.\"__EFMigrationsHistory\""));
            }

            Assert.Equal(Migrations.Count, await Database.ScalarAsync<long>("SELECT count(*) FROM \"Genève 2\".\"__EFMigrationsHistory\""));
            Assert.Equal(Owner, await Database.ScalarAsync<string>("SELECT tableowner::text FROM pg_tables WHERE schemaname = 'zurich' AND tablename = 'devices'"));
            Assert.Empty(await Catalogue.ReadAsync(Database));
        }
        finally
        {
            await Database.ExecuteAsync($"DROP SCHEMA IF EXISTS zurich, \"Genève 2\" CASCADE; DROP ROLE IF EXISTS {Owner}");
        }
    }

    [Fact]
    public void Every_migration_is_on_the_page_with_its_script()
        => Assert.All(
            Migrations,
            migration => Assert.Contains($"| `{migration.Id}` | `{migration.FileName}.up.sql` |\n", Page, StringComparison.Ordinal));

    [Fact]
    public void Every_script_that_the_page_names_exists()
        => Assert.All(
            ScriptName().Matches(Page).Select(match => match.Value),
            name => Assert.True(File.Exists(Repository.PathOf("Migrations.Sql", "scripts", name)), name));

    private static List<string> Commands()
        => [.. ShellBlock().Matches(Page).SelectMany(block => block.Groups["commands"].Value.TrimEnd().Split('\n'))];

    private async Task RunShell(string command)
    {
        using var process = Process.Start(Psql.StartInfo("/bin/sh", Database.ConnectionString, ["-c", command]))!;
        var result = await Psql.FinishAsync(process, "", Cancel);
        Assert.True(result.ExitCode == 0, $"{command}\nended with {result.ExitCode}: {result.Error}{result.Output}");
    }

    [GeneratedRegex("```sh\n(?<commands>.*?)```", RegexOptions.Singleline)]
    private static partial Regex ShellBlock();

    [GeneratedRegex(@"\b\d{4}_\w+\.(up|down)\.sql|cobaltgraph\.idempotent\.sql")]
    private static partial Regex ScriptName();
}
