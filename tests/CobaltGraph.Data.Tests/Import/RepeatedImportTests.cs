using System.Text;
using CobaltGraph.Data.Import;
using CobaltGraph.Testing;

namespace CobaltGraph.Data.Tests.Import;

/// <summary>Lines are stored once, however often and in whatever form they come.</summary>
public sealed class RepeatedImportTests(PostgresServerFixture server) : ImportTest(server)
{
    private const int Lines = 250;

    private const string CsvHeader = "timestamp,dst_ip,dst_port,dst_org\n";

    private static readonly string Log = Logs.TsvHeader() + Tsv(0, Lines);

    public static TheoryData<string, byte[]> Forms() => new()
    {
        { "again", Encoding.UTF8.GetBytes(Log) },
        { "gzip", Logs.Gzip(Log) },
        { "gzip_in_members", [.. Logs.Gzip(Log[..5000]), .. Logs.Gzip(Log[5000..])] },
        { "closed", Encoding.UTF8.GetBytes(Log + "#close\t2024-04-20-00-00-00\n") },
        { "opened_later", Encoding.UTF8.GetBytes(Logs.Change(Log, ("#open\t2024-04-19", "#open\t2025-01-01"))) },
        { "crlf", Encoding.UTF8.GetBytes(Log.Replace("\n", "\r\n", StringComparison.Ordinal)) },
        { "blank_lines", Encoding.UTF8.GetBytes(Log.Replace("\n", "\n\n", StringComparison.Ordinal)) },
        { "byte_order_mark", [0xEF, 0xBB, 0xBF, .. Encoding.UTF8.GetBytes(Log)] },
    };

    [Theory]
    [MemberData(nameof(Forms))]
    public async Task Same_lines_in_another_form_are_duplicates(string name, byte[] form)
    {
        await ImportAsync(Folder.Write("conn.log", Log));
        var contents = await ContentsAsync(Database);

        var result = await ImportAsync(Folder.Write($"{name}.log", form));

        Assert.Equal((Lines, 0, Lines, 0), Counts(result));
        Assert.True(result.IsClean);
        Assert.Equal(("connections", null), (result.Files[0].Kind, result.Files[0].Error));
        Assert.Equal(contents, await ContentsAsync(Database));
    }

    [Fact]
    public async Task Same_lines_below_another_header_are_other_rows()
    {
        var rows = string.Concat(Enumerable.Range(1, Lines).Select(i => $"192.0.2.{i % 250},198.51.100.1,{i}\n"));
        await ImportAsync(Folder.Write("a.csv", "src_ip,dst_ip,dst_port\n" + rows));

        Assert.Equal((Lines, Lines, 0, 0), Counts(await ImportAsync(Folder.Write("b.csv", "dst_ip,src_ip,dst_port\n" + rows))));
        Assert.Equal((Lines, 0, Lines, 0), Counts(await ImportAsync(Folder.Write("c.csv", "src_ip,dst_ip,dst_port\n" + rows))));
    }

    [Fact]
    public async Task Stream_is_known_by_its_lines_too()
    {
        await ImportAsync(new ImportOptions(), Database, [ImportInput.Of("standard input", () => new ChunkStream(Logs.Gzip(Log), 700))]);

        Assert.Equal((Lines, 0, Lines, 0), Counts(await ImportAsync(Folder.Write("conn.log", Log))));
    }

    [Fact]
    public async Task Another_source_has_lines_of_its_own()
    {
        var path = Folder.Write("conn.log", Log);
        await ImportAsync(path);

        Assert.Equal((Lines, Lines, 0, 0), Counts(await ImportAsync(new ImportOptions { Source = "sensor-2" }, path)));
        Assert.Equal(2 * Lines, await Count("connections"));
    }

    [Theory]
    [InlineData("tsv")]
    [InlineData("json")]
    [InlineData("arp")]
    [InlineData("gzip")]
    public async Task File_that_grows_adds_what_is_new(string format)
    {
        Func<int, int, string> make = format switch { "json" => Json, "arp" => Arp, _ => Tsv };
        var header = format is "json" or "arp" ? "" : Logs.TsvHeader();
        var before = 0;
        var path = "";
        foreach (var lines in (int[])[1, 2, 50, 99, 100, 100, 101, 150, 151, 299, 300, 420])
        {
            var text = header + make(0, lines);
            path = format == "gzip" ? Folder.Write("log.gz", Logs.Gzip(text)) : Folder.Write("log", text);

            Assert.Equal((lines, lines - before, before, 0), Counts(await ImportAsync(path)));
            before = lines;
        }

        Assert.Equal((420, 0, 420, 0), Counts(await ImportAsync(path)));
        Assert.Equal(await CleanContentsAsync(path), await ContentsAsync(Database));
    }

    [Fact]
    public async Task File_that_grows_at_random_is_stored_as_the_last_one()
    {
        var random = new Random(7);
        var lines = 0;
        while (lines < 2_000)
        {
            var more = random.Next(0, 2) == 0 ? random.Next(1, 8) : random.Next(1, 350);
            var result = await ImportAsync(
                new ImportOptions { Writers = random.Next(1, 4) }, Folder.Write("log", Json(0, lines += more)));
            Assert.Equal((lines, more, lines - more, 0), Counts(result));
        }

        Assert.Equal(await CleanContentsAsync(Folder.Write("log", Json(0, lines))), await ContentsAsync(Database));
    }

    [Theory]
    [InlineData(30)]
    [InlineData(Block - 1)]
    [InlineData(Block)]
    public async Task Line_that_is_half_written_is_stored_once_it_is_whole(int before)
    {
        var whole = Json(0, before + 50);
        var half = await ImportAsync(Folder.Write("log", Json(0, before) + Json(before, 1)[..60]));

        Assert.Equal((before, before, 0, 0), Counts(half));
        Assert.Equal((before + 1, null), (half.Files[0].HeldBack, half.Files[0].Error));
        Assert.False(half.IsClean);

        var path = Folder.Write("log", whole);
        Assert.Equal((before + 50, 50, before, 0), Counts(await ImportAsync(path)));
        Assert.Equal((before + 50, 0, before + 50, 0), Counts(await ImportAsync(path)));
        Assert.Equal(await CleanContentsAsync(path), await ContentsAsync(Database));
    }

    [Theory]
    [InlineData("tsv", 1, 1)]
    [InlineData("tsv", Block - 1, 23)]
    [InlineData("json", 1, 1)]
    [InlineData("csv", 1, 1)]
    [InlineData("csv", Block - 1, 17)]
    [InlineData("crlf", 1, 3)]
    public async Task File_cut_anywhere_in_its_last_two_lines_and_then_whole_is_stored_as_the_whole_one(string format, int before, int step)
    {
        var (start, end) = format switch
        {
            "tsv" => (Logs.TsvHeader() + Tsv(0, before), Tsv(before, 2)),
            "json" => (Json(0, before), Json(before, 2)),
            "csv" => (CsvHeader + Csv(0, before), Csv(before, 2)),
            _ => ((CsvHeader + Csv(0, before)).Replace("\n", "\r\n", StringComparison.Ordinal), Csv(before, 2).Replace("\n", "\r\n", StringComparison.Ordinal)),
        };
        var whole = Folder.Write("log", start + end);
        var cuts = 0;
        for (var length = 0; length <= end.Length; length += step, cuts++)
        {
            var options = new ImportOptions { Source = $"cut at {length}" };
            var first = await ImportAsync(options, Folder.Write("cut.log", start + end[..length]));
            var second = await ImportAsync(options, whole);

            Assert.All([first, second], result => Assert.Null(result.Files[0].Error));
            Assert.Equal((length, before + 2, before + 2, 0), (length, first.Stored + second.Stored, Counts(second).Read, first.Rejected + second.Rejected));
            Assert.Null(second.Files[0].HeldBack);
        }

        Assert.Equal(
            [[(long)before + 2, (long)cuts, (long)cuts]],
            await Database.QueryAsync("SELECT count(*), min(n), max(n) FROM (SELECT count(*) AS n FROM connections c GROUP BY to_jsonb(c) - 'id') AS rows"));
    }

    [Theory]
    [InlineData("tsv")]
    [InlineData("csv")]
    public async Task Complete_file_without_a_last_line_end_is_imported_whole_and_is_the_same_when_it_gets_one(string format)
    {
        var text = format == "tsv" ? Log : CsvHeader + Csv(0, Lines);
        var path = Folder.Write("a.log", text.TrimEnd('\n'));

        var held = await ImportAsync(path);
        Assert.Equal((Lines - 1, Lines - 1, 0, 0), Counts(held));
        // A record of CSV has two lines.
        var last = text.Count(c => c == '\n') - (format == "tsv" ? 0 : 1);
        Assert.Equal((last, null, false), (held.Files[0].HeldBack!.Value, held.Files[0].Error, held.IsClean));

        Assert.Equal((Lines, 1, Lines - 1, 0), Counts(await ImportAsync(new ImportOptions { AreComplete = true }, path)));
        foreach (var again in (string[])[path, Folder.Write("b.log", text)])
        {
            var result = await ImportAsync(again);
            Assert.Equal((Lines, 0, Lines, 0), Counts(result));
            Assert.True(result.IsClean);
        }

        Assert.Equal(await CleanContentsAsync(Folder.Write("b.log", text)), await ContentsAsync(Database));
    }

    [Fact]
    public async Task Last_line_without_an_end_is_whole_in_gzip_and_not_in_a_stream()
    {
        var text = Log.TrimEnd('\n');
        var pipe = ImportInput.Of("standard input", () => new ChunkStream(Encoding.UTF8.GetBytes(text), 700));
        Assert.Equal(Lines - 1, Counts(await ImportAsync(new ImportOptions { Source = "pipe" }, Database, [pipe])).Stored);

        var packed = await ImportAsync(Folder.Write("log.gz", Logs.Gzip(text)));

        Assert.Equal((Lines, Lines, 0, 0), Counts(packed));
        Assert.True(packed.IsClean);
    }

    [Fact]
    public async Task Quote_that_nothing_closes_holds_back_what_follows_until_the_file_is_complete()
    {
        var path = Folder.Write("a.csv", CsvHeader + Csv(0, 10) + "2026-01-31T12:00:00Z,192.0.2.1,443,\"open\n2026-01-31T12:00:00Z,192.0.2.1,444,\n");

        var first = await ImportAsync(path);
        Assert.Equal((10, 10, 0, 0), Counts(first));
        Assert.Equal(22, first.Files[0].HeldBack);

        var second = await ImportAsync(new ImportOptions { AreComplete = true }, path);
        Assert.Equal((12, 1, 10, 1), Counts(second));
        Assert.Equal(22, Assert.Single(second.Rejections).LineNumber);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(30)]
    [InlineData(Block)]
    [InlineData(Block + 1)]
    public async Task Last_line_without_an_end_is_the_same_line_when_it_gets_one(int lines)
    {
        await ImportAsync(Folder.Write("log", Json(0, lines).TrimEnd('\n')));

        Assert.Equal((lines, 0, lines, 0), Counts(await ImportAsync(Folder.Write("log", Json(0, lines).TrimEnd('\n')))));
        Assert.Equal((lines, 0, lines, 0), Counts(await ImportAsync(Folder.Write("log", Json(0, lines)))));
        Assert.Equal((lines + 9, 9, lines, 0), Counts(await ImportAsync(Folder.Write("log", Json(0, lines + 9).TrimEnd('\n')))));
        Assert.Equal(lines + 9, await Count("connections"));
    }

    [Fact]
    public async Task Cut_gzip_is_completed_by_the_whole_one()
    {
        var whole = Logs.Gzip(Json(0, 900));
        foreach (var length in (int[])[whole.Length / 4, whole.Length / 2, whole.Length - 9])
        {
            var cut = await ImportAsync(Folder.Write("log.gz", whole[..length]));
            Assert.Contains("cut", Assert.Single(cut.Files).Error, StringComparison.Ordinal);
            Assert.True(cut.Stored > 0);
            Assert.Equal(Counts(cut).Read, await Count("connections"));
        }

        var stored = await Count("connections");
        var path = Folder.Write("log.gz", whole);
        Assert.Equal((900, 900 - stored, stored, 0), Counts(await ImportAsync(path)));
        Assert.Equal(await CleanContentsAsync(path), await ContentsAsync(Database));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(4)]
    public async Task File_that_goes_on_otherwise_is_a_conflict_that_stores_nothing(int writers)
    {
        await ImportAsync(Folder.Write("a.log", Json(0, 1000)));
        var contents = await ContentsAsync(Database);
        var other = Logs.Change(Json(0, 1000), ("\"C342\"", "\"X342\""));

        var result = await ImportAsync(new ImportOptions { Writers = writers }, Folder.Write("b.log", other));

        Assert.Equal((300, 0, 300, 0), Counts(result));
        Assert.Equal(ImportOutcome.Completed, result.Outcome);
        Assert.False(result.IsClean);
        Assert.StartsWith("lines 301 to 400 begin like lines that were stored on ", result.Files[0].Error, StringComparison.Ordinal);
        Assert.Contains("and go on otherwise; nothing from there on is stored", result.Files[0].Error, StringComparison.Ordinal);
        Assert.Equal(contents, await ContentsAsync(Database));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(4)]
    public async Task Conflict_ends_its_file_and_no_other(int writers)
    {
        string[] paths =
        [
            Folder.Write("a.log", Json(0, 150)),
            Folder.Write("b.log", Json(0, 1) + Json(500, 800)),
            Folder.Write("c.log", Json(2000, 150)),
        ];
        var result = await ImportAsync(new ImportOptions { Writers = writers }, paths);

        Assert.Equal((300, 300, 0, 0), Counts(result));
        Assert.Equal([null, true, null], result.Files.Select(f => f.Error?.StartsWith("lines 1 to 100 begin like lines", StringComparison.Ordinal)));
        Assert.Equal(300, await Count("connections"));
    }

    [Theory]
    [InlineData("tsv")]
    [InlineData("json")]
    [InlineData("arp")]
    public async Task Older_copy_of_a_file_that_has_grown_is_stored_before(string format)
    {
        Func<int, int, string> make = format switch { "json" => Json, "arp" => Arp, _ => Tsv };
        var header = format is "json" or "arp" ? "" : Logs.TsvHeader();
        // Grown once, so that blocks have several entries.
        await ImportAsync(Folder.Write("new.log", header + make(0, 137)));
        await ImportAsync(Folder.Write("new.log", header + make(0, 290)));
        var contents = await ContentsAsync(Database);

        foreach (var lines in (int[])[1, 50, 99, 100, 101, 120, 137, 138, 199, 201, 289])
        {
            var old = header + make(0, lines);
            foreach (var text in (string[])[old, old.TrimEnd('\n')])
            {
                var result = await ImportAsync(new ImportOptions { Writers = 1 + lines % 3 }, Folder.Write("old.log", text));
                Assert.Equal((lines, 0, lines, 0), Counts(result));
                Assert.True(result.IsClean, result.Files[0].Error);
            }

            var cut = await ImportAsync(Folder.Write("old.log", old[..^20]));
            Assert.Equal((lines - 1, 0, lines - 1, 0), Counts(cut));
            Assert.NotNull(cut.Files[0].HeldBack);
            Assert.Null(cut.Files[0].Error);
        }

        Assert.Equal(contents, await ContentsAsync(Database));
    }

    [Theory]
    [InlineData(102)]
    [InlineData(119)]
    [InlineData(120)]
    public async Task Shorter_file_that_begins_alike_and_goes_on_otherwise_is_a_conflict(int changed)
    {
        await ImportAsync(Folder.Write("a.log", Json(0, 150)));
        var other = Logs.Change(Json(0, 120), ($"\"C{changed - 1}\"", "\"other\""));

        foreach (var text in (string[])[other, other.TrimEnd('\n')])
        {
            var result = await ImportAsync(Folder.Write("b.log", text));

            Assert.InRange(Counts(result).Duplicate, 100, 119);
            Assert.Equal((0, 0), (result.Stored, result.Rejected));
            Assert.Contains("go on otherwise; nothing from there on is stored", result.Files[0].Error, StringComparison.Ordinal);
            Assert.Equal(150, await Count("connections"));
        }
    }

    [Fact]
    public async Task Older_copy_has_its_rejected_lines_rejected_again()
    {
        string Log(int lines) => string.Concat(Json(0, lines).Split('\n')[..^1].Select((line, i) => (i % 50 == 7 ? "{}" : line) + "\n"));
        await ImportAsync(Folder.Write("new.log", Log(190)));

        var result = await ImportAsync(Folder.Write("old.log", Log(160)));

        Assert.Equal((160, 0, 156, 4), Counts(result));
        Assert.Equal([8, 58, 108, 158], result.Rejections.Select(r => r.LineNumber));
        Assert.Null(result.Files[0].Error);
    }

    [Fact]
    public async Task Entries_without_a_hash_of_each_line_are_known_too()
    {
        await ImportAsync(Folder.Write("log", Json(0, 150)));
        await Run("UPDATE ingest_batches SET content_hash = substring(content_hash FOR 32)");

        var older = await ImportAsync(Folder.Write("log", Json(0, 120)));
        Assert.Equal((100, 0, 100, 0), Counts(older));
        Assert.StartsWith("lines 101 to 120 begin like 50 lines that were stored on ", older.Files[0].Error, StringComparison.Ordinal);
        Assert.Contains("cannot be told", older.Files[0].Error, StringComparison.Ordinal);

        Assert.Equal((150, 0, 150, 0), Counts(await ImportAsync(Folder.Write("log", Json(0, 150)))));
        Assert.Equal((320, 170, 150, 0), Counts(await ImportAsync(Folder.Write("log", Json(0, 320)))));
        Assert.Equal((290, 0, 290, 0), Counts(await ImportAsync(Folder.Write("log", Json(0, 290)))));
        Assert.Equal(320, await Count("connections"));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Importers_of_a_growing_file_at_the_same_moment_store_every_line_once(bool isShorterFirst)
    {
        await using var blocker = await Database.DataSource.OpenConnectionAsync(Cancel);
        await using var transaction = await blocker.BeginTransactionAsync(Cancel);
        await using (var claim = new Npgsql.NpgsqlCommand("LOCK TABLE connections IN SHARE MODE", blocker, transaction))
            await claim.ExecuteNonQueryAsync(Cancel);
        string[] paths = [Folder.Write("long.log", Json(0, 90)), Folder.Write("short.log", Json(0, 60).TrimEnd('\n'))];
        // The first one holds its key and waits to store; the second one cannot see it yet.
        var first = ImportAsync(paths[isShorterFirst ? 1 : 0]);
        await WaitForLockAsync(1);
        var second = ImportAsync(paths[isShorterFirst ? 0 : 1]);
        await WaitForLockAsync(2);
        await transaction.RollbackAsync(Cancel);

        foreach (var result in (ImportResult[])[await first, await second])
            Assert.True(result.IsClean, result.Files[0].Error);
        Assert.Equal((150, 90), ((await first).Read + (await second).Read, (await first).Stored + (await second).Stored));
        Assert.Equal(await CleanContentsAsync(paths[0]), await ContentsAsync(Database));
    }

    [Fact]
    public async Task Conflict_with_another_import_at_the_same_moment_ends_the_file()
    {
        await using var blocker = await Database.DataSource.OpenConnectionAsync(Cancel);
        await using var transaction = await blocker.BeginTransactionAsync(Cancel);
        await using (var claim = new Npgsql.NpgsqlCommand("LOCK TABLE connections IN SHARE MODE", blocker, transaction))
            await claim.ExecuteNonQueryAsync(Cancel);
        // The first one holds its key and waits to store; the second one cannot see it yet.
        var first = ImportAsync(Folder.Write("a.log", Json(0, 50)));
        await WaitForLockAsync(1);
        var second = ImportAsync(Folder.Write("b.log", Json(0, 1) + Json(100, 250)), Folder.Write("c.log", Json(1000, 10)));
        await WaitForLockAsync(2);
        await transaction.RollbackAsync(Cancel);

        Assert.Equal((50, 50, 0, 0), Counts(await first));
        Assert.Equal((10, 10, 0, 0), Counts(await second));
        Assert.StartsWith("lines 1 to 100 begin like lines", (await second).Files[0].Error, StringComparison.Ordinal);
        Assert.Equal(60, await Count("connections"));
    }

    [Fact]
    public async Task File_given_twice_is_stored_once()
    {
        var path = Folder.Write("a.log", Json(0, 350));

        Assert.Equal((1050, 350, 700, 0), Counts(await ImportAsync(new ImportOptions { Writers = 4 }, path, path, path)));
        Assert.Equal(350, await Count("connections"));
    }

    [Theory]
    [InlineData("connections")]
    [InlineData("sightings")]
    public async Task Importers_of_one_file_at_once_store_every_line_once(string kind)
    {
        var path = Folder.Write("log", kind == "connections" ? Json(0, 3_000) : Arp(0, 3_000));
        var results = await Task.WhenAll(new[] { 1, 3, 2 }.Select(
            writers => Task.Run(() => ImportAsync(new ImportOptions { Writers = writers }, path), Cancel)));

        Assert.All(results, result => Assert.True(result.IsClean, string.Join(", ", result.Files.Select(f => f.Error))));
        Assert.All(results, result => Assert.Equal(3_000, Counts(result).Read));
        Assert.Equal(3_000, results.Sum(result => result.Stored));
        Assert.Equal(await CleanContentsAsync(path), await ContentsAsync(Database));
    }

    [Fact]
    public async Task Import_that_was_cancelled_at_random_places_goes_on_to_the_same_end()
    {
        string[] paths =
        [
            Folder.Write("a.log", Json(0, 1_234)), Folder.Write("b.log", Logs.Gzip(Logs.TsvHeader() + Tsv(5_000, 777))),
            Folder.Write("arp.log", Arp(0, 640)), Folder.Write("c.log", "{}\n" + Json(9_000, 333)),
        ];
        var random = new Random(11);
        var stored = 0L;
        var cancelled = 0;
        for (var run = 0; ; run++)
        {
            Assert.True(run < 100);
            using var source = new CancellationTokenSource();
            var options = new ImportOptions { Writers = random.Next(1, 4) };
            if (random.Next(2) == 0)
                source.CancelAfter(random.Next(1, 60));
            var reports = random.Next(1, 6);
            var result = await ImportAsync(
                options, Database, [.. paths.Select(ImportInput.File)], new Report(() => { if (--reports == 0 && cancelled < 15) source.Cancel(); }), source.Token);
            Counts(result);
            stored += result.Stored;
            Assert.Equal(stored, await Scalar<long>("SELECT coalesce(sum(rows_stored), 0)::bigint FROM ingest_batches"));
            if (result.Outcome == ImportOutcome.Completed)
                break;
            Assert.Equal(ImportOutcome.Cancelled, result.Outcome);
            cancelled++;
        }

        Assert.True(cancelled > 5);
        Assert.Equal(1_234 + 777 + 640 + 333, stored);
        Assert.Equal(await CleanContentsAsync(paths), await ContentsAsync(Database));
    }

    [Fact]
    public async Task Lines_that_the_server_refused_are_rejected_again()
    {
        await Run("ALTER TABLE connections ADD CONSTRAINT no_evil_port CHECK (dst_port <> 666)");
        var lines = Json(0, 250).Split('\n')[..250].Select((line, i) => i % 60 == 7 ? Logs.Change(line, (":53,", ":666,")) : line).ToList();
        lines[3] = "{}";
        var first = await ImportAsync(Folder.Write("log", string.Join('\n', lines[..200]) + "\n"));
        Assert.Equal((200, 195, 0, 5), Counts(first));

        // Grown, so that what is stored is once a whole block and once the beginning of one.
        var path = Folder.Write("log", string.Join('\n', lines) + "\n");
        var second = await ImportAsync(path);
        var third = await ImportAsync(path);

        Assert.Equal((250, 49, 195, 6), Counts(second));
        Assert.Equal((250, 0, 244, 6), Counts(third));
        Assert.Equal([4, 8, 68, 128, 188, 248], third.Rejections.Select(r => r.LineNumber));
        Assert.Equal(second.Rejections, third.Rejections);
        Assert.Equal(244, await Count("connections"));

        await Run("ALTER TABLE connections DROP CONSTRAINT no_evil_port");
        var fourth = await ImportAsync(path);
        Assert.Equal((250, 0, 244, 6), Counts(fourth));
        Assert.Contains("cannot be told any more", fourth.Rejections[^1].Reason, StringComparison.Ordinal);
    }

    /// <summary>Records of two lines.</summary>
    private static string Csv(int first, int count)
        => string.Concat(Enumerable.Range(first, count).Select(i => $"2026-01-31T12:00:00Z,192.0.2.1,{4430 + i},\"a \"\"{i}\"\"\nb\"\n"));

    private async Task WaitForLockAsync(int waiting)
    {
        for (var i = 0; i < 400; i++)
        {
            if (await Count("pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'") >= waiting)
                return;
            await Task.Delay(25, Cancel);
        }

        Assert.Fail("The importers did not come to wait.");
    }

    private sealed class Report(Action report) : IProgress<ImportProgress>
    {
        void IProgress<ImportProgress>.Report(ImportProgress value) => report();
    }
}
