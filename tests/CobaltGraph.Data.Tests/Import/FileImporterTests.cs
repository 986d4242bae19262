using CobaltGraph.Data.Import;
using CobaltGraph.Data.Ingest;

namespace CobaltGraph.Data.Tests.Import;

public sealed class FileImporterTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly MemoryStore _store = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task Files_are_stored_in_order_and_in_batches()
    {
        string[] paths =
        [
            _folder.Write("a.log", Logs.TsvHeader() + Rows(0, 250)),
            _folder.Write("b.log", Logs.Gzip(Logs.TsvHeader() + Rows(250, 100))),
            _folder.Write("c.log", Json(350, 7)),
        ];
        var result = await ImportAsync(paths, new ImportOptions { BlockLines = 100 });

        Assert.Equal([100, 100, 50, 100, 7], _store.BatchSizes);
        Assert.Equal(Enumerable.Range(0, 357), _store.Connections.Select(r => r.SrcPort!.Value));
        Assert.Equal((357, 357, 0), (result.Read, result.Stored, result.Rejected));
        Assert.Equal(paths, result.Files.Select(f => f.File));
        Assert.True(result.IsClean);
    }

    [Fact]
    public async Task Bad_files_do_not_stop_the_others()
    {
        string[] paths =
        [
            Path.Combine(_folder.Path, "missing.log"),
            _folder.Path,
            "",
            "nul\0name",
            _folder.Write("dns.log", Logs.TsvHeader(path: "dns")),
            _folder.Write("cut.log.gz", Logs.Gzip(Json(0, 5000))[..2000]),
            _folder.Write("junk.log.gz", [.. Logs.Gzip(Json(0, 3)), .. "junk"u8]),
            _folder.Write("empty.log", ""),
            _folder.Write("good.log", Json(0, 5)),
        ];
        var result = await ImportAsync(paths);

        Assert.Equal(ImportOutcome.Completed, result.Outcome);
        Assert.False(result.IsClean);
        Assert.Equal("there is no such file", result.Files[0].Error);
        Assert.Contains("is a folder", result.Files[1].Error, StringComparison.Ordinal);
        Assert.Contains("not a path", result.Files[2].Error, StringComparison.Ordinal);
        Assert.Contains("not a path", result.Files[3].Error, StringComparison.Ordinal);
        Assert.Equal(@"nul\x00name", result.Files[3].File);
        Assert.Contains("'dns'", result.Files[4].Error, StringComparison.Ordinal);
        Assert.Contains("cut", result.Files[5].Error, StringComparison.Ordinal);
        Assert.True(result.Files[5].Stored > 0);
        Assert.Contains("something else follows", result.Files[6].Error, StringComparison.Ordinal);
        Assert.Equal(3, result.Files[6].Stored);
        Assert.Equal((0, null), (result.Files[7].Read, result.Files[7].Error));
        Assert.Equal((5, null), (result.Files[8].Stored, result.Files[8].Error));
        Assert.Equal(result.Read, result.Stored + result.Rejected);
        Assert.Equal(result.Stored, _store.Connections.Count);
    }

    [Fact]
    public async Task Unreadable_file_is_reported()
    {
        var path = _folder.Write("secret.log", Json(0, 1));
        if (OperatingSystem.IsWindows() || Environment.IsPrivilegedProcess)
        {
            Assert.Skip("This account may read every file.");
            return;
        }

        File.SetUnixFileMode(path, UnixFileMode.None);

        Assert.Equal("this account may not read it", Assert.Single((await ImportAsync([path])).Files).Error);
    }

    [Fact]
    public async Task Rejections_are_counted_all_and_kept_up_to_the_limit()
    {
        var called = new List<RejectedLine>();
        var path = _folder.Write("a.log", Logs.TsvHeader() + string.Concat(Enumerable.Repeat(Logs.TsvRow() + "\nbad\u001b[2J\n", 500)));
        var result = await ImportAsync([path], new ImportOptions { MaxReportedRejections = 3, OnRejected = called.Add });

        Assert.Equal((1000, 500, 500), (result.Read, result.Stored, result.Rejected));
        Assert.Equal([9, 11, 13], result.Rejections.Select(r => r.LineNumber));
        Assert.Equal(500, called.Count);
        Assert.Equal(@"bad\x1b[2J", called[0].Excerpt);
        Assert.Equal(path, called[0].File);
    }

    [Fact]
    public async Task Rows_that_the_server_refuses_are_rejected_with_their_line()
    {
        var store = new MemoryStore { Refuse = row => row.SrcPort == 17 ? "the database refused it" : null };
        var path = _folder.Write("a.log", Json(0, 100));
        var result = await FileImporter.ImportAsync(
            store.Target, Inputs([path]), new ImportOptions { BlockLines = 30 }, null, TestContext.Current.CancellationToken);

        Assert.Equal((100, 99, 1), (result.Read, result.Stored, result.Rejected));
        var rejection = Assert.Single(result.Rejections);
        Assert.Equal((18, "the database refused it"), (rejection.LineNumber, rejection.Reason));
        Assert.Contains("\"id.orig_p\":17,", rejection.Excerpt, StringComparison.Ordinal);
    }

    // Zeek moves its logs at every full hour.
    [Fact]
    public async Task File_that_is_moved_away_after_its_folder_was_read_is_left_out()
    {
        _folder.Write("a.log", Json(0, 10));
        var moved = _folder.Write("b.log", Json(10, 10));
        var inputs = ImportInput.FilesOf(_folder.Path, Directory.GetCurrentDirectory());
        File.Delete(moved);

        var result = await FileImporter.ImportAsync(
            new MemoryStore().Target, inputs, new ImportOptions(), null, TestContext.Current.CancellationToken);

        Assert.Equal(ImportOutcome.Completed, result.Outcome);
        Assert.Equal((10, 10), (result.Read, result.Stored));
        Assert.Equal([null, "is gone since the folder was read"], result.Files.Select(file => file.LeftOut));
        Assert.True(result.IsClean);
    }

    [Fact]
    public async Task Named_pipe_that_nobody_writes_to_keeps_nobody_from_cancelling()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "Pipes of Unix.");
        var pipe = Path.Combine(_folder.Path, "pipe");
        using var make = System.Diagnostics.Process.Start("mkfifo", [pipe]);
        await make.WaitForExitAsync(TestContext.Current.CancellationToken);
        using var source = new CancellationTokenSource(TimeSpan.FromMilliseconds(200));

        var result = await FileImporter.ImportAsync(
            new MemoryStore().Target, Inputs([pipe]), new ImportOptions(), null, source.Token)
            .WaitAsync(TimeSpan.FromSeconds(30), TestContext.Current.CancellationToken);

        Assert.Equal(ImportOutcome.Cancelled, result.Outcome);
        // Lets the thread go that waits for it.
        await File.WriteAllTextAsync(pipe, "", TestContext.Current.CancellationToken);
    }

    [Fact]
    public async Task Cancelled_import_keeps_and_counts_what_is_stored()
    {
        using var source = new CancellationTokenSource();
        var store = new MemoryStore { BeforeBatch = batch => { if (batch == 3) source.Cancel(); } };
        string[] paths = [_folder.Write("a.log", Json(0, 1000)), _folder.Write("b.log", Json(0, 10))];
        var result = await FileImporter.ImportAsync(
            store.Target, Inputs(paths), new ImportOptions { BlockLines = 100 }, null, source.Token);

        Assert.Equal(ImportOutcome.Cancelled, result.Outcome);
        Assert.Equal((200, 200, 0), (result.Read, result.Stored, result.Rejected));
        Assert.Equal(200, store.Connections.Count);
        Assert.Single(result.Files);
    }

    [Fact]
    public async Task Failed_database_ends_the_import_with_exact_counts()
    {
        var failure = new IngestException("the server is gone", "import", "key");
        var store = new MemoryStore { BeforeBatch = batch => { if (batch == 3) throw failure; } };
        string[] paths = [_folder.Write("a.log", "{}\n" + Json(0, 1000)), _folder.Write("b.log", Json(0, 10))];
        var result = await FileImporter.ImportAsync(
            store.Target, Inputs(paths), new ImportOptions { BlockLines = 100 }, null, TestContext.Current.CancellationToken);

        Assert.Equal(ImportOutcome.Failed, result.Outcome);
        Assert.Same(failure, result.Failure);
        Assert.Equal((200, 199, 1), (result.Read, result.Stored, result.Rejected));
        Assert.Equal("lines 201 to 300: not stored", Assert.Single(result.Files).Error);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    public async Task Callback_that_throws_changes_nothing_and_is_not_called_again(int writers)
    {
        var (reports, rejections) = (0, 0);
        var path = _folder.Write("a.log", string.Concat(Enumerable.Range(0, 10).Select(i => "{}\n" + Json(i * 100, 99))));
        var result = await FileImporter.ImportAsync(
            _store.Target, Inputs([path]),
            new ImportOptions
            {
                BlockLines = 100,
                Writers = writers,
                OnRejected = _ => throw new InvalidOperationException($"rejection {++rejections}"),
            },
            new Thrower(() => reports++), TestContext.Current.CancellationToken);

        Assert.Equal(ImportOutcome.Completed, result.Outcome);
        Assert.Null(result.Failure);
        Assert.Equal((1000, 990, 10, null), (result.Read, result.Stored, result.Rejected, result.Files[0].Error));
        Assert.Equal(990, _store.Connections.Count);
        Assert.Equal((1, 1, 10), (reports, rejections, result.Rejections.Count));
        Assert.NotNull(result.CallbackFailure);
    }

    [Fact]
    public async Task Failure_counts_exactly_what_is_stored_with_many_writers()
    {
        for (var failing = 1; failing <= 12; failing += 3)
        {
            var store = new MemoryStore { BeforeBatch = batch => { if (batch == failing) throw new IngestException("gone", "import", "key"); } };
            string[] paths = [_folder.Write("a.log", Bad(Json(0, 700))), _folder.Write("b.log", "{}\n" + Json(1000, 10)), _folder.Write("c.log", Bad(Json(2000, 500)))];
            var told = new List<(string, long)>();
            var result = await FileImporter.ImportAsync(
                store.Target, Inputs(paths),
                new ImportOptions { BlockLines = 100, Writers = 3, OnRejected = r => told.Add((r.File, r.LineNumber)) }, null,
                TestContext.Current.CancellationToken);

            Assert.Equal(ImportOutcome.Failed, result.Outcome);
            Assert.Equal(result.Rejected, told.Count);
            Assert.Equal(told.Order(), told);
            Assert.Equal(store.Connections.Count, result.Stored);
            Assert.Equal(result.Read, result.Stored + result.Rejected);
            // Every file that is not all stored says so.
            Assert.All(result.Files.Zip(new[] { 700, 11, 500 }), pair => Assert.Equal(pair.First.Read == pair.Second, pair.First.Error is null));
            Assert.Contains(result.Files, file => file.Error is not null);
        }

        // Every block has one.
        static string Bad(string log) => string.Concat(log.Split('\n')[..^1].Select((line, i) => (i % 50 == 7 ? "{}" : line) + "\n"));
    }

    [Fact]
    public async Task Writers_of_both_kinds_together_are_no_more_than_were_asked_for()
    {
        var store = new MemoryStore { Delay = TimeSpan.FromMilliseconds(20) };
        string[] paths =
        [
            .. Enumerable.Range(0, 12).Select(file => _folder.Write($"{file}.log", file % 2 == 0 ? Json(file, 25) : string.Concat(Enumerable.Repeat(Logs.GoodArp + "\n", 25)))),
        ];
        var result = await FileImporter.ImportAsync(
            store.Target, Inputs(paths), new ImportOptions { BlockLines = 10, Writers = 3 }, null, TestContext.Current.CancellationToken);

        Assert.Equal(12 * 25, result.Stored);
        Assert.Equal(3, store.MostAtOnce);
    }

    [Fact]
    public async Task Lines_before_the_first_good_one_are_counted_with_it()
    {
        string[] paths = [_folder.Write("a.log", "{}\n{}\n" + Logs.GoodArp + "\n"), _folder.Write("b.log", "{}\n"), _folder.Write("c.log", "{}\n" + Json(0, 1))];
        var result = await ImportAsync(paths);

        Assert.Equal([("sightings", 1L, 2L), (null, 0L, 1L), ("connections", 1L, 1L)], result.Files.Select(f => (f.Kind, f.Stored, f.Rejected)));
        Assert.Equal([1, 2, 1, 1], result.Rejections.Select(r => r.LineNumber));
        Assert.Single(_store.Sightings);
    }

    [Fact]
    public async Task Nothing_is_stored_nowhere()
    {
        string[] paths = [_folder.Write("a.log", Json(0, 250) + "{}\n"), _folder.Write("arp.log", Logs.GoodArp)];
        var result = await FileImporter.ImportAsync(
            ImportTarget.Nowhere, Inputs(paths), new ImportOptions { BlockLines = 100, Writers = 2 }, null, TestContext.Current.CancellationToken);

        Assert.Equal((252, 251, 1), (result.Read, result.Stored, result.Rejected));
        Assert.Equal(["connections", "sightings"], result.Files.Select(f => f.Kind));
    }

    [Fact]
    public async Task Progress_rises_to_the_whole()
    {
        var path = _folder.Write("a.log", Json(0, 1000));
        var seen = new List<ImportProgress>();
        await FileImporter.ImportAsync(
            _store.Target, Inputs([path]), new ImportOptions { BlockLines = 100 }, new Recorder(seen), TestContext.Current.CancellationToken);

        Assert.Equal(seen.OrderBy(p => p.Stored), seen);
        Assert.Equal(1000, seen[^1].Stored);
        Assert.Equal(new FileInfo(path).Length, seen[^1].FileBytesRead);
        Assert.Equal(new FileInfo(path).Length, seen[^1].FileBytes);
        Assert.All(seen, p => Assert.Equal(p.Read, p.Stored + p.Rejected));
    }

    private Task<ImportResult> ImportAsync(IReadOnlyList<string> paths, ImportOptions? options = null)
        => FileImporter.ImportAsync(
            _store.Target, Inputs(paths), options ?? new ImportOptions(), null, TestContext.Current.CancellationToken);

    private static IReadOnlyList<ImportInput> Inputs(IEnumerable<string> paths) => [.. paths.Select(ImportInput.File)];

    private static string Rows(int first, int count)
        => string.Concat(Enumerable.Range(first, count).Select(i => Logs.TsvRow(("id.orig_p", $"{i}")) + "\n"));

    private static string Json(int first, int count)
        => string.Concat(Enumerable.Range(first, count).Select(i => Logs.Json(("54243", $"{i}")) + "\n"));

    private sealed class Thrower(Action called) : IProgress<ImportProgress>
    {
        public void Report(ImportProgress value)
        {
            called();
            throw new IOException("no space left on device");
        }
    }

    private sealed class Recorder(List<ImportProgress> seen) : IProgress<ImportProgress>
    {
        public void Report(ImportProgress value) => seen.Add(value);
    }
}
