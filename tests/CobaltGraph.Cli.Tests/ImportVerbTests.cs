using System.IO.Compression;
using CobaltGraph.Data.Import;
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
        Assert.Contains("The same command goes on", result.Error, StringComparison.Ordinal);
        Assert.Contains("a.log\t\t0\t0\t0\t0\tline 1: not stored\t\t\n", result.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Folder_is_imported_with_all_its_files_and_a_second_time_for_nothing()
    {
        Directory.CreateDirectory(Path.Combine(_folder.FullName, "logs", "old"));
        Write("logs/b.log", Line("C1"));
        Write("logs/old/a.log", Line("C2"));
        Write("logs/.c.log", Line("C3"));

        var first = (await RunAsync("import", "logs", "--parallel", "3")).Should(ExitCode.Done);
        var second = (await RunAsync("import", "logs", "--json")).Should(ExitCode.Done);

        Assert.Contains("logs/b.log\tconnections\t1\t1\t0\t0\t\t\t\n", first.Output, StringComparison.Ordinal);
        Assert.Contains("logs/old/a.log\tconnections\t1\t1\t0\t0\t\t\t\n", first.Output, StringComparison.Ordinal);
        Assert.Equal(
            (2, 0, 2),
            (second.Json.GetProperty("rows_read").GetInt64(), second.Json.GetProperty("rows_stored").GetInt64(), second.Json.GetProperty("rows_duplicate").GetInt64()));
        Assert.Equal(2, await _database.ScalarAsync<long>("SELECT count(*) FROM connections"));
    }

    [Fact]
    public async Task Other_logs_of_a_folder_are_left_out_and_named_ones_are_an_error()
    {
        const string conn = "#separator \\x09\n#path\tconn\n#fields\tts\tuid\tid.orig_h\tid.orig_p\tid.resp_h\tid.resp_p\tproto\n";
        const string dns = "#separator \\x09\n#path\tdns\n#fields\tts\tuid\n1\tC1\n";
        Directory.CreateDirectory(Path.Combine(_folder.FullName, "zeek"));
        Write("zeek/conn.log", Line("C1"));
        Write("zeek/dns.log", dns);

        var folder = (await RunAsync("import", "zeek")).Should(ExitCode.Done);
        var named = (await RunAsync("import", "zeek/dns.log")).Should(ExitCode.Failed);
        Directory.CreateDirectory(Path.Combine(_folder.FullName, "others"));
        Write("others/dns.log", dns);
        var others = (await RunAsync("import", "others")).Should(ExitCode.Failed);
        Write("others/all.log", conn + "1\tC7\t10.0.0.1\t1\t10.0.0.2\t53\tudp\n" + dns + conn + "1\tC8\t10.0.0.1\t1\t10.0.0.2\t53\tudp\n");
        var together = (await RunAsync("import", "others")).Should(ExitCode.Failed);

        Assert.Contains("None of the files found is a log", others.Error, StringComparison.Ordinal);
        // What was put together is no other log: what follows is not left out without a word.
        Assert.Contains("others/all.log\tconnections\t1\t1\t0\t0\tline 6: this is the log 'dns'", together.Output, StringComparison.Ordinal);
        Assert.Contains("zeek/dns.log\t\t0\t0\t0\t0\t\t\tline 2: this is the log 'dns' ('#path'); accepted are", folder.Output, StringComparison.Ordinal);
        Assert.Contains("1 of 2 files, found in a folder, are no logs that are imported", folder.Error, StringComparison.Ordinal);
        Assert.Contains("this is the log 'dns'", named.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Other_logs_as_json_tell_of_a_connection_that_is_counted_once()
    {
        const string id = "\"ts\":1713484800.1,\"uid\":\"C1\",\"id.orig_h\":\"10.0.0.5\",\"id.orig_p\":53211,\"id.resp_h\":\"10.0.0.8\",\"id.resp_p\":53";
        const string conn = "{" + id + ",\"proto\":\"udp\",\"conn_state\":\"SF\"}\n";
        const string dns = "{" + id + ",\"proto\":\"udp\",\"trans_id\":7,\"query\":\"example.com\"}\n";
        Directory.CreateDirectory(Path.Combine(_folder.FullName, "zeek"));
        Directory.CreateDirectory(Path.Combine(_folder.FullName, "bare"));
        Write("zeek/conn.log", conn);
        // Its last line is being written.
        Write("zeek/dns.log", dns + dns + "{" + id);
        Write("zeek/http.log", "{" + id + ",\"method\":\"GET\"}\n");
        Write("zeek/json_streaming_ssl.log", "{\"_path\":\"ssl\"," + id + "}\n");
        Write("zeek/radius.log", "{" + id + ",\"mac\":\"00:0a:95:9d:68:16\",\"username\":\"a\"}\n");
        Write("zeek/weird.log", "{\"ts\":1713484800.1,\"name\":\"truncated_header\"}\n");
        Write("zeek/loaded_scripts.log", "{\"name\":\"/share/zeek/base/init-bare.zeek\"}\n");
        Write("zeek/conn_long.log", conn);
        Write("zeek/bestguess.log", "{" + id + ",\"proto\":\"udp\",\"name\":\"x\"}\n");
        Write("bare/conn.json", "{" + id.Replace("C1", "C3", StringComparison.Ordinal) + ",\"proto\":\"udp\"}\n");
        Write("zeek/stdout.log", "listening on eth0, capture length 9216 bytes\n");
        Write("all.log", (dns + conn).Replace("C1", "C2", StringComparison.Ordinal));

        var folder = (await RunAsync("import", "zeek")).Should(ExitCode.Done);
        Directory.CreateDirectory(Path.Combine(_folder.FullName, "together"));
        File.Copy(Path.Combine(_folder.FullName, "all.log"), Path.Combine(_folder.FullName, "together", "all.log"));
        var together = (await RunAsync("import", "together")).Should(ExitCode.NotAsWanted);
        var named = (await RunAsync("import", "zeek/dns.log")).Should(ExitCode.NotAsWanted);

        Assert.Contains("zeek/conn.log\tconnections\t1\t1\t0\t0\t\t\t\n", folder.Output, StringComparison.Ordinal);
        Assert.Contains("9 of 10 files, found in a folder, are no logs that are imported", folder.Error, StringComparison.Ordinal);
        Assert.Contains(
            "zeek/dns.log\t\t0\t0\t0\t0\t\t\tno line is of a log that is imported; line 1: has the key 'query', by which it is of another log of Zeek",
            folder.Output, StringComparison.Ordinal);
        // Where all logs are in one file, each line counts.
        Assert.Contains("together/all.log\tconnections\t2\t1\t0\t1\t", together.Output, StringComparison.Ordinal);
        Assert.Contains("has the key 'query'", named.Output, StringComparison.Ordinal);
        Assert.Contains("bare/conn.json\tconnections\t1\t1\t0\t0\t", (await RunAsync("import", "bare")).Should(ExitCode.Done).Output, StringComparison.Ordinal);
        Assert.Equal(3, await _database.ScalarAsync<long>("SELECT count(*) FROM connections"));
        Assert.Equal(0, await _database.ScalarAsync<long>("SELECT count(*) FROM devices"));
    }

    [Fact]
    public async Task Rejected_lines_in_the_folder_that_is_imported_are_no_input()
    {
        Directory.CreateDirectory(Path.Combine(_folder.FullName, "zeek"));
        Write("zeek/conn.log", Line("C1") + Line("C2").Replace("\"id.resp_h\":\"", "\"id.resp_h\":\"x", StringComparison.Ordinal));

        (await RunAsync("import", "zeek", "--rejects", "zeek/rejected.log")).Should(ExitCode.NotAsWanted);
        Write("zeek/more.log", Line("C3"));
        var again = (await RunAsync("import", "zeek", "--rejects", "zeek/rejected.log")).Should(ExitCode.NotAsWanted);

        Assert.Contains("zeek/more.log\tconnections\t1\t1\t0\t0\t", again.Output, StringComparison.Ordinal);
        Assert.DoesNotContain("zeek/rejected.log\t\t", again.Output, StringComparison.Ordinal);
        Assert.Contains("IP address", File.ReadAllText(Path.Combine(_folder.FullName, "zeek", "rejected.log")), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Rejected_json_is_imported_again_even_if_it_begins_with_half_a_line()
    {
        const string good = "{\"ts\":1713484800.1,\"uid\":\"C1\",\"id.orig_h\":\"10.0.0.5\",\"id.orig_p\":1,\"id.resp_h\":\"10.0.0.8\",\"id.resp_p\":53,\"proto\":\"udp\"}\n";
        Write("a.log", good + good[40..] + good.Replace(":53,", ":\"domain\",", StringComparison.Ordinal));
        (await RunAsync("import", "a.log", "--rejects", "rejected.log")).Should(ExitCode.NotAsWanted);
        Write("mended.log", File.ReadAllText(Path.Combine(_folder.FullName, "rejected.log")).Replace(":\"domain\",", ":54,", StringComparison.Ordinal));

        var mended = (await RunAsync("import", "mended.log")).Should(ExitCode.NotAsWanted);

        Assert.Contains("mended.log\tconnections\t2\t1\t0\t1\t", mended.Output, StringComparison.Ordinal);
    }

    // Whatever looks like a log in pieces is no text of a program.
    [Theory]
    [InlineData("_h\":\"10.0.0.5\",\"proto\":\"udp\"}\n")]
    [InlineData("1713484800.1\tC1\t10.0.0.5\n")]
    [InlineData("MAC Address,IP,Host\n")]
    public async Task File_of_a_folder_that_may_be_a_log_is_an_error(string text)
    {
        Directory.CreateDirectory(Path.Combine(_folder.FullName, "logs"));
        Write("logs/a.log", Line("C1"));
        Write("logs/part.log", text);

        Assert.Contains("logs/part.log\t\t0\t0\t0\t0\tthe file starts with", (await RunAsync("import", "logs")).Should(ExitCode.Failed).Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Folder_without_a_file_fails()
    {
        Directory.CreateDirectory(Path.Combine(_folder.FullName, "logs"));

        Assert.Contains("There is no file in logs.", (await RunAsync("import", "logs")).Should(ExitCode.Failed).Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Standard_input_is_read_beside_files()
    {
        Write("a.log", Line("C1"));
        var runner = Runner(Line("C1") + Line("C2"));

        var result = (await runner.RunAsync("import", "a.log", "-")).Should(ExitCode.Done);

        Assert.Contains("standard input\tconnections\t2\t1\t1\t0\t\t\t\n", result.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Interrupt_while_standard_input_waits_ends_with_130_and_says_how_to_go_on()
    {
        using var interrupt = new CancellationTokenSource();
        using var waiting = new WaitingStream(async () =>
        {
            while (await _database.ScalarAsync<long>("SELECT count(*) FROM connections") == 0)
                await Task.Delay(20, TestContext.Current.CancellationToken);
            await interrupt.CancelAsync();
        });
        var runner = new CommandRunner
        {
            Folder = _folder.FullName,
            Environment = { ["COBALTGRAPH_CONNECTION"] = _database.ConnectionString },
            InputBytes = waiting,
            CancellationToken = interrupt.Token,
        };
        Write("a.log", Line("C1"));

        var result = (await runner.RunAsync("import", "a.log", "-", "b.log")).Should(ExitCode.Interrupted);

        Assert.Contains("a.log\tconnections\t1\t1\t0\t0\t\t\t\n", result.Output, StringComparison.Ordinal);
        Assert.Contains("standard input\t\t0\t0\t0\t0\tcancelled before all of it was stored\t\t\n", result.Output, StringComparison.Ordinal);
        Assert.Contains("1 of 3 files were not begun", result.Error, StringComparison.Ordinal);
        Assert.Contains("The same command goes on", result.Error, StringComparison.Ordinal);
        Assert.Contains("Interrupted.", result.Error, StringComparison.Ordinal);
        Assert.Equal(1, await _database.ScalarAsync<long>("SELECT count(*) FROM connections"));
    }

    [Fact]
    public async Task Source_tells_lines_apart()
    {
        Write("a.log", Line("C1"));
        await RunAsync("import", "a.log");

        Assert.Contains("rows_duplicate\t1\n", (await RunAsync("import", "a.log")).Should(ExitCode.Done).Output, StringComparison.Ordinal);
        Assert.Contains("rows_stored\t1\n", (await RunAsync("import", "a.log", "--source", "north")).Should(ExitCode.Done).Output, StringComparison.Ordinal);
        Assert.Equal(1, await _database.ScalarAsync<long>("SELECT count(*) FROM ingest_batches WHERE source = 'north'"));
    }

    [Fact]
    public async Task Conflict_fails_and_names_file_and_lines()
    {
        Write("a.log", Line("C1") + Line("C2"));
        Write("b.log", Line("C1") + Line("C3"));
        Write("c.log", Line("C4"));

        var result = (await RunAsync("import", "a.log", "b.log", "c.log")).Should(ExitCode.Failed);

        Assert.Contains("b.log\t\t0\t0\t0\t0\tlines 1 to 2 begin like lines that were stored on ", result.Output, StringComparison.Ordinal);
        Assert.Contains("1 of 3 files could not be read or stored to the end", result.Error, StringComparison.Ordinal);
        Assert.Equal(3, await _database.ScalarAsync<long>("SELECT count(*) FROM connections"));
    }

    [Fact]
    public async Task Last_line_without_an_end_is_held_back_unless_the_file_is_complete()
    {
        Write("a.csv", "mac_address,hostname\n02:00:5e:00:00:01,printer\n02:00:5e:00:00:02,pri");

        var held = (await RunAsync("import", "a.csv", "--json")).Should(ExitCode.NotAsWanted);
        var complete = (await RunAsync("import", "a.csv", "--complete")).Should(ExitCode.Done);
        var again = (await RunAsync("import", "a.csv")).Should(ExitCode.Done);

        Assert.Equal(3, held.Json.GetProperty("files")[0].GetProperty("held_back").GetInt64());
        Assert.Equal(1, held.Json.GetProperty("rows_stored").GetInt64());
        Assert.Contains("a.csv: line 3 is held back", held.Error, StringComparison.Ordinal);
        Assert.Contains("--complete", held.Error, StringComparison.Ordinal);
        Assert.Contains("a.csv\tsightings\t2\t1\t1\t0\t\t\t\n", complete.Output, StringComparison.Ordinal);
        Assert.Contains("rows_duplicate\t2\n", again.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Rejected_lines_are_written_mended_and_imported()
    {
        var bad = Line("C2").Replace("\"id.resp_p\":443", "\"id.resp_p\":\"https\"", StringComparison.Ordinal);
        Write("a.log", Line("C1") + bad + Line("C3"));

        var result = (await RunAsync("import", "a.log", "--rejects", "bad.log")).Should(ExitCode.NotAsWanted);

        Assert.Contains($"rejects\t{Path.Combine(_folder.FullName, "bad.log")}\n", result.Output, StringComparison.Ordinal);
        var lines = await File.ReadAllLinesAsync(Path.Combine(_folder.FullName, "bad.log"), TestContext.Current.CancellationToken);
        Assert.Equal(2, lines.Length);
        Assert.StartsWith("{\"#rejected\":\"id.resp_p ", lines[0], StringComparison.Ordinal);
        Assert.Equal(bad, lines[1] + "\n");

        Write("mended.log", string.Join('\n', lines).Replace("\"https\"", "443", StringComparison.Ordinal));
        Assert.Contains("rows_stored\t1\n", (await RunAsync("import", "mended.log", "--rejects", "none.log")).Should(ExitCode.Done).Output, StringComparison.Ordinal);
        Assert.False(File.Exists(Path.Combine(_folder.FullName, "none.log")));
        Assert.Equal(3, await _database.ScalarAsync<long>("SELECT count(*) FROM connections"));
    }

    [Fact]
    public async Task Rejects_never_overwrite_an_input()
    {
        Write("a.log", Line("C1") + "{}\n");
        Write("a.2.log", Line("C2"));
        var text = await File.ReadAllTextAsync(Path.Combine(_folder.FullName, "a.log"), TestContext.Current.CancellationToken);
        string[][] commands =
        [
            ["import", "a.log", "--rejects", "a.log"], ["import", "a.log", "--rejects", "./x/../a.log"], ["import", ".", "--rejects", "a.log"],
            ["import", "a.2.log", "--rejects", "a.log"], ["import", "a.log", "--rejects", "."], ["import", "a.log", "--rejects", "missing/a.log"],
            ["import", "a.log", "--rejects", ""],
        ];
        foreach (var arguments in commands)
            (await RunAsync(arguments)).Should(ExitCode.Usage);
        if (!OperatingSystem.IsWindows())
        {
            File.CreateSymbolicLink(Path.Combine(_folder.FullName, "link.log"), Path.Combine(_folder.FullName, "a.log"));
            (await RunAsync("import", "a.log", "--rejects", "link.log")).Should(ExitCode.Usage);
            (await RunAsync("import", "link.log", "--rejects", "a.log")).Should(ExitCode.Usage);
        }

        Assert.Equal(text, await File.ReadAllTextAsync(Path.Combine(_folder.FullName, "a.log"), TestContext.Current.CancellationToken));
        Assert.Equal(0, await _database.ScalarAsync<long>("SELECT count(*) FROM connections"));
    }

    [Theory]
    [InlineData("notes.log")]
    [InlineData("notes.2.log")]
    public async Task Rejects_never_overwrite_what_is_no_file_of_rejected_lines(string other)
    {
        Write("a.json", Line("C1") + "{}\n");
        Write(other, "notes\n");

        Assert.Contains(other, (await RunAsync("import", "a.json", "--rejects", "notes.log")).Should(ExitCode.Usage).Error, StringComparison.Ordinal);

        File.Delete(Path.Combine(_folder.FullName, other));
        (await RunAsync("import", "a.json", "--rejects", "notes.log")).Should(ExitCode.NotAsWanted);
        (await RunAsync("import", "a.json", "--rejects", "notes.log")).Should(ExitCode.NotAsWanted);
        Assert.True(File.Exists(Path.Combine(_folder.FullName, "notes.log")));
        Write("b.json", Line("C2"));
        (await RunAsync("import", "b.json", "--rejects", "notes.log")).Should(ExitCode.Done);
        Assert.False(File.Exists(Path.Combine(_folder.FullName, "notes.log")));
    }

    [Fact]
    public async Task Rejects_that_cannot_be_written_fail_with_a_way_out()
    {
        Assert.SkipUnless(File.Exists("/dev/full"), "There is no /dev/full here.");
        Write("a.log", Line("C1") + "{}\n");

        var result = (await RunAsync("import", "a.log", "--rejects", "/dev/full")).Should(ExitCode.Failed);

        Assert.Contains("Rejected lines cannot be written to /dev/full: ", result.Error, StringComparison.Ordinal);
        Assert.Contains("name another file with --rejects", result.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Dry_run_needs_no_database_and_says_what_would_be_stored()
    {
        Write("a.log", Line("C1") + "{}\n");
        Write("b.csv", "mac_address,hostname\n02:00:5e:00:00:01,printer\n");

        var result = (await RunWithAsync("Host=127.0.0.1;Port=1;Username=u", "import", ".", "--dry-run", "--json", "--rejects", "../bad.log"))
            .Should(ExitCode.NotAsWanted);

        var answer = result.Json;
        Assert.True(answer.GetProperty("dry_run").GetBoolean());
        Assert.Equal((3, 2, 1), (answer.GetProperty("rows_read").GetInt64(), answer.GetProperty("rows_stored").GetInt64(), answer.GetProperty("rows_rejected").GetInt64()));
        Assert.Equal("sightings", answer.GetProperty("files")[1].GetProperty("kind").GetString());
        var rejects = Assert.Single(answer.GetProperty("rejects").EnumerateArray()).GetString()!;
        Assert.EndsWith("\n{}\n", await File.ReadAllTextAsync(rejects, TestContext.Current.CancellationToken), StringComparison.Ordinal);
        File.Delete(rejects);
    }

    [Theory]
    [InlineData("a.log", "--parallel", "0")]
    [InlineData("a.log", "--parallel", "33")]
    [InlineData("a.log", "--source", "")]
    [InlineData("-", "-")]
    [InlineData("--dry-run")]
    public async Task Wrong_command_line_is_told_before_anything_is_read(params string[] arguments)
        => (await RunWithAsync("Host=127.0.0.1;Port=1;Username=u", ["import", .. arguments])).Should(ExitCode.Usage);

    private void Write(string name, string text) => File.WriteAllText(Path.Combine(_folder.FullName, name), text);

    private static string Line(string uid) => Good.Replace("C1", uid, StringComparison.Ordinal) + "\n";

    private CommandRunner Runner(string input) => new()
    {
        Folder = _folder.FullName,
        Environment = { ["COBALTGRAPH_CONNECTION"] = _database.ConnectionString },
        InputBytes = new MemoryStream(System.Text.Encoding.UTF8.GetBytes(input)),
    };

    private Task<CommandResult> RunAsync(params string[] arguments)
        => RunWithAsync(_database.ConnectionString, arguments);

    private Task<CommandResult> RunWithAsync(string connection, params string[] arguments)
        => new CommandRunner
        {
            Folder = _folder.FullName,
            Environment = { ["COBALTGRAPH_CONNECTION"] = connection },
        }.RunAsync(arguments);

    /// <summary>A pipe into which nobody writes.</summary>
    private sealed class WaitingStream(Func<Task> onRead) : ReadOnlyStream
    {
        public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
        {
            await onRead();
            await Task.Delay(Timeout.Infinite, cancellationToken);
            return 0;
        }
    }
}
