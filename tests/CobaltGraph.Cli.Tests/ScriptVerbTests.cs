using CobaltGraph.Data.Schema.Scripts;
using CobaltGraph.Testing;

namespace CobaltGraph.Cli.Tests;

public sealed class ScriptVerbTests : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("cobaltgraph-script-");

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public void Dispose() => _folder.Delete(recursive: true);

    [Fact]
    public async Task Script_is_the_committed_one_of_all_migrations()
    {
        var script = (await RunAsync("script")).Should(ExitCode.Done);

        Assert.Equal(
            await File.ReadAllTextAsync(Repository.PathOf("Migrations.Sql", "scripts", "cobaltgraph.idempotent.sql"), Cancel),
            script.Output);
        Assert.Empty(script.Error);
    }

    [Fact]
    public async Task Script_for_a_schema_names_it()
    {
        var script = (await RunAsync("script", "--schema", "it's")).Should(ExitCode.Done);

        Assert.Equal(MigrationScripts.Idempotent(MigrationScripts.Read(), "it's"), script.Output);
        Assert.Contains("\n\\set schema 'it''s'\n", script.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Script_goes_to_the_file_asked_for()
    {
        var written = (await RunAsync("script", "-o", "all.sql")).Should(ExitCode.Done);
        var printed = (await RunAsync("script")).Should(ExitCode.Done);

        Assert.Empty(written.Output);
        Assert.Equal(printed.Output, await File.ReadAllTextAsync(PathOf("all.sql"), Cancel));
    }

    [Fact]
    public async Task Scripts_of_each_migration_go_into_the_folder_asked_for()
    {
        var written = (await RunAsync("script", "--output-folder", "new/scripts")).Should(ExitCode.Done);

        Assert.Empty(written.Output);
        Assert.Equal(
            Contents(Repository.PathOf("Migrations.Sql", "scripts")),
            Contents(PathOf(Path.Combine("new", "scripts"))));
    }

    [Fact]
    public async Task Folder_loses_scripts_of_migrations_that_are_gone_and_nothing_else()
    {
        await File.WriteAllTextAsync(PathOf("0003_Gone.up.sql"), $"-- CobaltGraph: gone, up.\n{MigrationScripts.Origin}\n", Cancel);
        await File.WriteAllTextAsync(PathOf("0004_Mine.up.sql"), "-- mine\nSELECT 1;\n", Cancel);
        await File.WriteAllTextAsync(PathOf("empty.sql"), "", Cancel);

        (await RunAsync("script", "--output-folder", ".")).Should(ExitCode.Done);

        Assert.False(File.Exists(PathOf("0003_Gone.up.sql")));
        Assert.True(File.Exists(PathOf("0004_Mine.up.sql")));
        Assert.True(File.Exists(PathOf("empty.sql")));
    }

    [Theory]
    [InlineData("--output", "all.sql")]
    [InlineData("--schema", "site")]
    public async Task Folder_goes_with_no_option_for_one_script(string option, string value)
    {
        var refused = (await RunAsync("script", "--output-folder", "scripts", option, value)).Should(ExitCode.Usage);

        Assert.Contains("--output-folder", refused.Error, StringComparison.Ordinal);
        Assert.Empty(_folder.EnumerateFileSystemInfos());
    }

    private string PathOf(string name) => Path.Combine(_folder.FullName, name);

    private static SortedDictionary<string, string> Contents(string folder)
        => new(
            Directory.EnumerateFiles(folder).ToDictionary(path => Path.GetFileName(path), File.ReadAllText),
            StringComparer.Ordinal);

    private Task<CommandResult> RunAsync(params string[] arguments)
        => new CommandRunner { Folder = _folder.FullName }.RunAsync(arguments);
}
