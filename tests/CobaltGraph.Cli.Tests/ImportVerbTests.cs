using System.IO.Compression;
using CobaltGraph.Testing;

namespace CobaltGraph.Cli.Tests;

public sealed class ImportVerbTests(PostgresServerFixture server) : IAsyncLifetime
{
    private const string Good =
        """{"ts":1704067200.5,"uid":"C1","id.orig_h":"192.168.1.2","id.orig_p":50000,"id.resp_h":"203.0.113.9","id.resp_p":443,"proto":"tcp","service":"ssl","conn_state":"SF","orig_bytes":10,"resp_bytes":20,"orig_l2_addr":"02:00:5e:00:00:02"}""";

    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("cobaltgraph-import-");
    private TestDatabase _database = null!;

    public async ValueTask InitializeAsync() => _database = await server.CreateDatabaseAsync();

    public async ValueTask DisposeAsync()
    {
        await _database.DisposeAsync();
        _folder.Delete(recursive: true);
    }

    [Fact]
    public async Task Files_are_stored_and_counted()
    {
        Write("a.log", Good + "\n" + Good.Replace("C1", "C2", StringComparison.Ordinal) + "\n");
        await using (var gzip = new GZipStream(File.Create(Path.Combine(_folder.FullName, "b.log.gz")), CompressionLevel.Fastest))
            await gzip.WriteAsync(System.Text.Encoding.UTF8.GetBytes(Good.Replace("C1", "C3", StringComparison.Ordinal) + "\n"), TestContext.Current.CancellationToken);

        var result = (await RunAsync("import", "a.log", "b.log.gz", "--json")).Should(ExitCode.Done);

        Assert.Equal("cobaltgraph.import/1", result.Json.GetProperty("schema").GetString());
        Assert.Equal(3, result.Json.GetProperty("rows_read").GetInt64());
        Assert.Equal(3, result.Json.GetProperty("rows_stored").GetInt64());
        Assert.Equal(2, result.Json.GetProperty("files").GetArrayLength());
        Assert.Equal(3, await _database.ScalarAsync<long>("SELECT count(*) FROM connections"));
    }

    [Fact]
    public async Task Bad_line_is_named_with_file_line_and_reason_and_the_rest_is_stored()
    {
        Write("a.log", Good + "\n{\"ts\":\"\\u001b[2Jnever\"}\n\e[31mnot json\n" + Good + "\n");

        var result = (await RunAsync("import", "a.log")).Should(ExitCode.NotAsWanted);

        Assert.Contains("rows_read\t4\n", result.Output, StringComparison.Ordinal);
        Assert.Contains("rows_stored\t2\n", result.Output, StringComparison.Ordinal);
        Assert.Contains("rows_rejected\t2\n", result.Output, StringComparison.Ordinal);
        Assert.Contains("a.log\t2\t", result.Output, StringComparison.Ordinal);
        Assert.Contains("a.log\t3\t", result.Output, StringComparison.Ordinal);
        Assert.Contains(@"\t\x1b[31mnot json", result.Output.Replace("\t", @"\t", StringComparison.Ordinal), StringComparison.Ordinal);
        Assert.DoesNotContain('\e', result.Output + result.Error);
    }

    [Fact]
    public async Task File_that_cannot_be_read_does_not_stop_the_others_and_fails()
    {
        Write("a.log", Good + "\n");

        var result = (await RunAsync("import", "missing.log", "a.log")).Should(ExitCode.Failed);

        Assert.Contains("no such file", result.Output, StringComparison.Ordinal);
        Assert.Contains("1 of 2 files", result.Error, StringComparison.Ordinal);
        Assert.Equal(1, await _database.ScalarAsync<long>("SELECT count(*) FROM connections"));
    }

    [Fact]
    public async Task Database_without_the_schema_fails_and_points_to_migrate()
    {
        await using var empty = await server.CreateDatabaseAsync(migrated: false);
        Write("a.log", Good + "\n");

        var result = (await RunWithAsync(empty.ConnectionString, "import", "a.log")).Should(ExitCode.Failed);

        Assert.Contains("cobaltgraph migrate", result.Error, StringComparison.Ordinal);
    }

    private void Write(string name, string text) => File.WriteAllText(Path.Combine(_folder.FullName, name), text);

    private Task<CommandResult> RunAsync(params string[] arguments)
        => RunWithAsync(_database.ConnectionString, arguments);

    private Task<CommandResult> RunWithAsync(string connection, params string[] arguments)
        => new CommandRunner
        {
            Folder = _folder.FullName,
            Environment = { ["COBALTGRAPH_CONNECTION"] = connection },
        }.RunAsync(arguments);
}
