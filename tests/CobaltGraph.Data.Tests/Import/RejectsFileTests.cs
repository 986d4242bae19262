using CobaltGraph.Data.Import;
using CobaltGraph.Testing;

namespace CobaltGraph.Data.Tests.Import;

/// <summary>What was rejected can be mended and imported.</summary>
public sealed class RejectsFileTests(PostgresServerFixture server) : ImportTest(server)
{
    private const string CsvHeader = "timestamp,src_mac,dst_ip,dst_port,dst_org\n";

    private string RejectsPath => Path.Combine(Folder.Path, "rejected");

    [Theory]
    [InlineData("tsv")]
    [InlineData("json")]
    [InlineData("csv")]
    [InlineData("arp")]
    public async Task Rejected_lines_that_are_mended_are_what_was_missing(string format)
    {
        const string mistake = "mistake", right = "4711";
        var good = format switch
        {
            "tsv" => Logs.TsvHeader() + Tsv(0, 120) + Logs.TsvRow(("uid", "C1000"), ("id.orig_p", right)) + "\n"
                // The header changes in the middle.
                + Logs.TsvHeader(Logs.TsvFields.Append("history")) + Logs.TsvRow(("uid", "C1001"), ("id.orig_p", right)) + "\tShADad\n",
            "json" => Json(0, 120) + Logs.Json(("Cvf4XX17hSAgXDdGEd", "C1000"), ("54243", right)) + "\n" + Json(500, 30),
            "csv" => CsvHeader + string.Concat(Enumerable.Range(0, 120).Select(i =>
                $"2026-01-31T12:00:00Z,02:00:00:00:00:01,192.0.2.1,{(i % 50 == 9 ? right : "443")},\"{i}: two\nlines, \"\"quoted\"\"\"\n")),
            _ => Arp(0, 120) + Logs.Change(Logs.GoodArp, ("1461243763.194849", $"{right}.5")) + "\n",
        };
        var bad = good.Replace(right, mistake, StringComparison.Ordinal);
        var count = bad.Split(mistake).Length - 1;

        var first = await ImportWithRejectsAsync(Folder.Write("bad.log", bad));
        Assert.Equal(count, Counts(first).Rejected);
        var rejected = await File.ReadAllTextAsync(RejectsPath, Cancel);
        // What sed does, in the reasons too.
        var mended = Folder.Write("mended.log", rejected.Replace(mistake, right, StringComparison.Ordinal));
        var second = await ImportWithRejectsAsync(mended);

        Assert.Equal((count, count, 0, 0), Counts(second));
        Assert.Equal((count, 0, count, 0), Counts(await ImportWithRejectsAsync(mended)));
        Assert.Equal(await CleanContentsAsync(Folder.Write("good.log", good)), await ContentsAsync(Database));
        // Nothing was rejected now.
        Assert.False(File.Exists(RejectsPath));

        // As it is, everything is rejected again, for the same reasons.
        var again = await ImportAsync(Folder.Write("again.log", rejected));
        Assert.Equal((count, 0, 0, count), Counts(again));
        Assert.Equal(first.Rejections.Select(r => r.Reason), again.Rejections.Select(r => r.Reason));
    }

    [Fact]
    public async Task Reason_stands_above_the_line_and_the_header_in_force_first()
    {
        var path = Folder.Write("a.csv", CsvHeader + "2026-01-31T12:00:00Z,,192.0.2.1,443,\n2026-01-31T12:00:00Z,,192.0.2.1,70000,a\n2026-01-31T12:00:00Z,,nowhere,1,b\n");
        await ImportWithRejectsAsync(path);

        Assert.Equal(
            $"{CsvHeader}"
            + $"#rejected {path}, line 3: dst_port '70000' is not a port; accepted are whole numbers from 0 to 65535\n2026-01-31T12:00:00Z,,192.0.2.1,70000,a\n"
            + $"#rejected {path}, line 4: dst_ip 'nowhere' is not an IP address; accepted are IPv4 and IPv6 without a prefix length\n2026-01-31T12:00:00Z,,nowhere,1,b\n",
            await File.ReadAllTextAsync(RejectsPath, Cancel));
    }

    [Fact]
    public async Task Reason_among_json_lines_is_a_json_object()
    {
        await ImportWithRejectsAsync(Folder.Write("a.log", "{\"ts\":\"\\u001b[2J\\\"\"}\n"));

        var lines = await File.ReadAllLinesAsync(RejectsPath, Cancel);
        using var reason = System.Text.Json.JsonDocument.Parse(lines[0]);
        Assert.Equal(1, reason.RootElement.GetProperty("line").GetInt32());
        Assert.Equal(Path.Combine(Folder.Path, "a.log"), reason.RootElement.GetProperty("file").GetString());
        Assert.NotEmpty(reason.RootElement.GetProperty("#rejected").GetString()!);
        Assert.Equal(["{\"ts\":\"\\u001b[2J\\\"\"}"], lines[1..]);
    }

    [Fact]
    public async Task Nothing_rejected_leaves_no_file()
    {
        await ImportWithRejectsAsync(Folder.Write("a.log", Json(0, 10)));

        Assert.False(File.Exists(RejectsPath));
    }

    [Fact]
    public async Task What_earlier_runs_rejected_is_gone_and_what_others_wrote_is_not()
    {
        var path = Path.Combine(Folder.Path, "rejected.log");
        string[] bad = [Folder.Write("a.log", Json(0, 5) + "{}\n"), Folder.Write("b.csv", CsvHeader + "bad,,,,\n"), Folder.Write("c.log", Logs.TsvHeader() + Tsv(0, 1) + "bad\n")];
        string[] parts = [path, Path.Combine(Folder.Path, "rejected.2.log"), Path.Combine(Folder.Path, "rejected.3.log")];
        await ImportAsync(bad);
        Assert.All(parts, part => Assert.True(File.Exists(part)));
        var other = Folder.Write("rejected.4.log", Logs.TsvHeader() + Tsv(0, 1));

        await ImportAsync(bad[0]);
        Assert.Equal([true, false, false], parts.Select(File.Exists));
        await ImportAsync(Folder.Write("good.log", Json(100, 250)));

        Assert.All(parts, part => Assert.False(File.Exists(part)));
        Assert.True(File.Exists(other));

        async Task ImportAsync(params string[] paths)
        {
            using var rejects = new RejectsFile(path);
            await this.ImportAsync(new ImportOptions { Rejects = rejects }, paths);
        }
    }

    [Fact]
    public async Task Run_that_cannot_start_leaves_what_was_rejected_before()
    {
        await ImportWithRejectsAsync(Folder.Write("a.log", Json(0, 5) + "{}\n"));
        await using var empty = await Server.CreateDatabaseAsync(migrated: false);
        using (var rejects = new RejectsFile(RejectsPath))
            Assert.Equal(ImportOutcome.Failed, (await ImportAsync(new ImportOptions { Rejects = rejects }, empty, [ImportInput.File(Folder.Write("b.log", Json(10, 5)))])).Outcome);

        Assert.True(File.Exists(RejectsPath));
    }

    [Theory]
    [InlineData("{\"#rejected\":\"a\",\"file\":\"b\",\"line\":3}\n{}\n", true)]
    [InlineData("#rejected a.log, line 3: b\nx\n", true)]
    [InlineData("mac_address,hostname\n#rejected a.csv, line 3: b,\nx,y\n", true)]
    [InlineData("#separator \\x09\n#fields\tts\n#rejected a.log, line 3: b\nx\n", true)]
    [InlineData("", true)]
    [InlineData("{\"#rejected\":\"a\"}\n", false)]
    [InlineData("#rejected my notes\n", false)]
    [InlineData("notes\n#rejected a.log, line 3: b\n", false)]
    [InlineData("mac_address,hostname\n02:00:5e:00:00:01,a\n#rejected a.log, line 3: b\n", false)]
    [InlineData("#separator \\x09\n#fields\tts\n1\n", false)]
    public void File_of_rejected_lines_is_known_by_its_start(string text, bool isOne)
        => Assert.Equal(isOne, RejectsFile.MayReplace(Folder.Write("file", text)));

    [Theory]
    [InlineData("#rejected x")]
    [InlineData("#rejected a.csv")]
    [InlineData("#rejected a.csv, line 3: b", "\"#rejected a.csv, line 3: b\"")]
    public async Task Device_with_the_name_of_a_reason_is_stored(string name, string? field = null)
    {
        var result = await ImportAsync(Folder.Write("a.csv", $"hostname,mac_address\n{field ?? name},02:00:5e:00:00:01\n"));

        Assert.Equal((1, 1, 0, 0), Counts(result));
        Assert.Equal(name, await Scalar<string>("SELECT hostname FROM devices"));
    }

    [Fact]
    public async Task Row_that_looks_like_a_reason_is_a_row_or_rejected()
    {
        // What is chosen by a device, over two columns.
        var result = await ImportAsync(Folder.Write(
            "a.csv", "hostname,vendor,mac_address\n#rejected a.csv, line 3: x,02:00:5e:00:00:01\n#rejected a.csv, line 4: x,nonsense\n#rejected a.csv, line 5: x\nb,,02:00:5e:00:00:02\n"));

        Assert.Equal((3, 2, 0, 1), Counts(result));
        Assert.Equal(3, Assert.Single(result.Rejections).LineNumber);

        Assert.Equal((2, 1, 0, 1), Counts(await ImportAsync(Folder.Write("b.log", "{\"#rejected\":\"x\"}\n" + Json(0, 1)))));
        Assert.Equal((2, 1, 0, 1), Counts(await ImportAsync(Folder.Write("c.log", Logs.TsvHeader() + "#rejected x\n" + Tsv(5, 1)))));
    }

    [Fact]
    public async Task Reason_is_passed_over_whatever_its_quotes_and_commas()
    {
        // As many commas as the header, with and without a quote.
        var header = "mac_address,hostname\n";
        var first = await ImportWithRejectsAsync(Folder.Write("a.csv", header + "\"no\"\"mac\",a\nbad,b\n02:00:5e:00:00:01,good\n"));
        Assert.Equal((3, 1, 0, 2), Counts(first));

        Assert.Equal((2, 0, 0, 2), Counts(await ImportAsync(Folder.Write("again.csv", await File.ReadAllTextAsync(RejectsPath, Cancel)))));
        Assert.Equal(
            (2, 2, 0, 0),
            Counts(await ImportAsync(Folder.Write("old.csv", header + "#rejected a.csv, line 2: a \"quote, open\n02:00:5e:00:00:02,a\n02:00:5e:00:00:03,b\n"))));
    }

    [Fact]
    public async Task Row_that_only_the_server_refuses_lands_there_whenever_it_is_imported()
    {
        await Run("ALTER TABLE connections ADD CONSTRAINT no_evil_port CHECK (dst_port <> 666)");
        var evil = Logs.Json((":53,", ":666,"), ("Cvf4XX17hSAgXDdGEd", "evil"));
        var path = Folder.Write("a.log", Json(0, 150) + evil + "\n" + Json(200, 20));
        await ImportWithRejectsAsync(path);
        var rejected = await File.ReadAllTextAsync(RejectsPath, Cancel);
        File.Delete(RejectsPath);

        // As after a kill between the commit and the writing.
        Assert.Equal((171, 0, 170, 1), Counts(await ImportWithRejectsAsync(path)));

        Assert.EndsWith($"\n{evil}\n", rejected, StringComparison.Ordinal);
        Assert.Contains("no_evil_port", rejected, StringComparison.Ordinal);
        Assert.Equal(rejected, await File.ReadAllTextAsync(RejectsPath, Cancel));
    }

    [Fact]
    public async Task Order_is_that_of_the_files_whatever_the_number_of_writers()
    {
        string[] paths =
        [
            .. Enumerable.Range(0, 6).Select(file => Folder.Write(
                $"{file}.log", string.Concat(Enumerable.Range(0, 500).Select(i => (i % 7 == file ? $"{{\"bad\":{i}}}\n" : Json((file * 1000) + i, 1)))))),
        ];
        await ImportWithRejectsAsync(paths);
        var rejected = await File.ReadAllTextAsync(RejectsPath, Cancel);
        await using var other = await Server.CreateDatabaseAsync();

        var told = new List<(string, long)>();
        using (var file = new RejectsFile(RejectsPath))
        {
            await ImportAsync(
                new ImportOptions { Rejects = file, Writers = 8, OnRejected = r => told.Add((r.File, r.LineNumber)) }, other,
                [.. paths.Select(ImportInput.File)]);
        }

        Assert.Equal(rejected, await File.ReadAllTextAsync(RejectsPath, Cancel));
        Assert.Equal(429, told.Count);
        Assert.Equal(told.Order(), told);
    }

    [Fact]
    public async Task Lines_that_cannot_share_a_file_have_files_of_their_own()
    {
        var path = Path.Combine(Folder.Path, "rejected.log");
        using var rejects = new RejectsFile(path);
        await ImportAsync(
            new ImportOptions { Rejects = rejects },
            Folder.Write("a.log", Json(0, 5) + "{\"a\":1}\n"), Folder.Write("b.csv", CsvHeader + "2026-01-31T12:00:00Z,,192.0.2.1,443,\nbad,,,,\n"),
            Folder.Write("c.log", Arp(0, 5) + "{\"a\":2}\n"), Folder.Write("d.log", Json(10, 5) + "{\"a\":3}\n"));

        Assert.Equal(
            [(path, 2), (Path.Combine(Folder.Path, "rejected.2.log"), 1), (Path.Combine(Folder.Path, "rejected.3.log"), 1)],
            rejects.Written);
        Assert.Empty(rejects.Written.Select(w => w.Path).Except(rejects.Paths));
        Assert.Contains("{\"a\":1}\n", await ReadAsync(rejects.Written[0].Path), StringComparison.Ordinal);
        Assert.EndsWith("{\"a\":3}\n", await ReadAsync(rejects.Written[0].Path), StringComparison.Ordinal);
        Assert.StartsWith(CsvHeader, await ReadAsync(rejects.Written[1].Path), StringComparison.Ordinal);
        Assert.EndsWith("{\"a\":2}\n", await ReadAsync(rejects.Written[2].Path), StringComparison.Ordinal);

        static async Task<string> ReadAsync(string path)
        {
            await using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite);
            using var reader = new StreamReader(file);
            return await reader.ReadToEndAsync(Cancel);
        }
    }

    [Fact]
    public async Task Line_that_is_too_long_leaves_its_reason_only()
    {
        await ImportWithRejectsAsync(Folder.Write("a.log", Json(0, 1) + "{\"a\":\"" + new string('x', 1024 * 1024) + "\"}\n" + Json(1, 1)));

        Assert.StartsWith("{\"#rejected\":\"is 1048", Assert.Single(await File.ReadAllLinesAsync(RejectsPath, Cancel)), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Disk_that_is_full_ends_the_import_and_loses_nothing()
    {
        Assert.SkipUnless(File.Exists("/dev/full"), "There is no /dev/full here.");
        var path = Folder.Write("a.log", Json(0, 50) + "{}\n" + Json(50, 500));
        using var rejects = new RejectsFile("/dev/full");

        var result = await ImportAsync(new ImportOptions { Rejects = rejects }, path, Folder.Write("b.log", Json(9_000, 5)));

        Assert.Equal(ImportOutcome.Failed, result.Outcome);
        Assert.Null(result.Failure);
        Assert.IsType<IOException>(result.RejectsFailure);
        Assert.Single(result.Files);
        Assert.Equal(Counts(result).Stored, await Count("connections"));

        Assert.Equal((551, 1), (Counts(await ImportWithRejectsAsync(path)).Read, result.Rejected));
        Assert.EndsWith("\n{}\n", await File.ReadAllTextAsync(RejectsPath, Cancel), StringComparison.Ordinal);
        Assert.Equal(550, await Count("connections"));
    }

    private async Task<ImportResult> ImportWithRejectsAsync(params string[] paths)
    {
        using var rejects = new RejectsFile(RejectsPath);
        return await ImportAsync(new ImportOptions { Rejects = rejects }, paths);
    }
}
