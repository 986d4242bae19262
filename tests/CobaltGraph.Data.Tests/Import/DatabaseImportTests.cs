using System.Text;
using CobaltGraph.Data.Import;
using CobaltGraph.Testing;
using Npgsql;

namespace CobaltGraph.Data.Tests.Import;

public sealed class DatabaseImportTests(PostgresServerFixture server) : IAsyncLifetime
{
    private readonly TemporaryFolder _folder = new();
    private TestDatabase _database = null!;

    public async ValueTask InitializeAsync() => _database = await server.CreateDatabaseAsync();

    public async ValueTask DisposeAsync()
    {
        _folder.Dispose();
        await _database.DisposeAsync();
    }

    [Fact]
    public async Task Every_field_arrives_in_its_column()
    {
        await ImportAsync(Logs.TsvHeader() + Logs.TsvRow(("id.resp_h", "fe80::1%eth0"), ("proto", "icmp"), ("id.orig_p", "3"), ("id.resp_p", "1")) + "\n");

        var row = Assert.Single(await _database.QueryAsync(
            """
            SELECT to_char("timestamp" AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS.US'), src_mac::text, src_ip::text, src_port, dst_ip::text, dst_port,
                   protocol, bytes_sent, bytes_received, extract(epoch FROM duration)::text, metadata::text, threat_score
            FROM connections
            """));
        Assert.Equal(
            [
                "2024-04-18 23:59:44.962686", "00:0d:3a:13:e3:69", "172.70.38.138/32", 3, "fe80::1/128", 1, "ICMP", 364L, 654L, "65.022705",
                """{"uid": "Ch2ekr1Wxtgeoi4DS8", "state": "SF", "service": "http"}""", 0f,
            ],
            row);
    }

    [Fact]
    public async Task Devices_are_the_source_macs_that_can_be_devices()
    {
        var result = await ImportAsync(Logs.TsvHeader() + string.Join('\n',
            Logs.TsvRow(("orig_l2_addr", "00:0d:3a:13:e3:69")), Logs.TsvRow(("orig_l2_addr", "02:00:00:00:00:01")),
            Logs.TsvRow(("orig_l2_addr", "00:0d:3a:13:e3:69")), Logs.TsvRow(("orig_l2_addr", "ff:ff:ff:ff:ff:ff")),
            Logs.TsvRow(("orig_l2_addr", "33:33:00:00:00:02")), Logs.TsvRow(("orig_l2_addr", "00:00:00:00:00:00")), Logs.TsvRow(("orig_l2_addr", "-")), ""));

        Assert.Equal(7, result.Stored);
        Assert.Equal(
            [["00:0d:3a:13:e3:69", 2L], ["02:00:00:00:00:01", 1L]],
            await _database.QueryAsync("SELECT mac_address::text, connection_count FROM devices ORDER BY 1"));
        Assert.Equal(4, await _database.ScalarAsync<long>("SELECT count(*) FROM connections WHERE src_mac IS NULL"));
    }

    [Fact]
    public async Task Extreme_values_are_stored_exactly()
    {
        var result = await ImportAsync(string.Join('\n',
            Logs.Json(("1588205199.82437", "-62135596799.999999"), ("0.001528", "922337203685.477579")),
            Logs.Json(("1588205199.82437", "253402300799.999999"), (":39", ":9223372036854775807")),
            Logs.Json(("1588205199.82437", "0.0"), ("54243", "0"), (":53", ":65535")),
            Logs.Json(("Cvf4XX17hSAgXDdGEd", "\\u001b]0;x\\u0007\\u202e\\ud83d\\ude00'\\\\"))));

        Assert.Equal((4, 4), (result.Read, result.Stored));
        Assert.Equal(
            [
                ["0001-01-01 00:00:00.000001", "922337203685.477579"], ["1970-01-01 00:00:00.000000", "0.001528"],
                ["2020-04-30 00:06:39.824370", "0.001528"], ["9999-12-31 23:59:59.999999", "0.001528"],
            ],
            await _database.QueryAsync(
                """
                SELECT to_char("timestamp" AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS.US'), (extract(epoch FROM date_trunc('second', duration))::numeric + (extract(microseconds FROM duration)::bigint % 1000000)::numeric / 1000000)::numeric(30,6)::text
                FROM connections ORDER BY "timestamp"
                """));
        Assert.Equal(long.MaxValue, await _database.ScalarAsync<long>("SELECT max(bytes_sent) FROM connections"));
        Assert.Equal(
            "\u001b]0;x\u0007\u202e😀'\\",
            await _database.ScalarAsync<string>("SELECT metadata->>'uid' FROM connections WHERE metadata->>'uid' LIKE '%x%' ORDER BY length(metadata->>'uid') LIMIT 1"));
    }

    [Fact]
    public async Task Rows_that_the_server_refuses_stand_alone()
    {
        await _database.ExecuteAsync("ALTER TABLE connections ADD CONSTRAINT no_evil_port CHECK (dst_port <> 666)");
        var bad = new HashSet<int> { 0, 17, 499, 500, 999, 1000, 1999 };
        var log = string.Concat(Enumerable.Range(0, 2000).Select(i => Logs.Json((":53", bad.Contains(i) ? ":666" : ":53"), ("54243", $"{i}")) + "\n"));
        var result = await ImportAsync(log, new ImportOptions { BlockLines = 1000 });

        Assert.Equal((2000, 1993, 7), (result.Read, result.Stored, result.Rejected));
        Assert.Equal(bad.Select(i => i + 1L).Order(), result.Rejections.Select(r => r.LineNumber).Order());
        Assert.All(result.Rejections, r => Assert.Contains("SQLSTATE 23514, no_evil_port", r.Reason, StringComparison.Ordinal));
        Assert.Equal(1993, await _database.ScalarAsync<long>("SELECT count(*) FROM connections"));
        Assert.Equal(1993, await _database.ScalarAsync<long>("SELECT connection_count FROM devices"));
    }

    [Fact]
    public async Task Row_that_fails_at_the_commit_stands_alone()
    {
        await _database.ExecuteAsync(
            """
            CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
              IF NEW.dst_port = 666 THEN RAISE EXCEPTION 'late' USING ERRCODE = '23503'; END IF; RETURN NULL; END $$;
            CREATE CONSTRAINT TRIGGER refuse_late AFTER INSERT ON connections_default DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION refuse();
            """);
        var log = string.Concat(Enumerable.Range(0, 100).Select(
            i => Logs.Json((":53", i == 42 ? ":666" : ":53"), ("1588205199.82437", $"{i}")) + "\n"));
        var result = await ImportAsync(log);

        Assert.Equal((99, 1), (result.Stored, result.Rejected));
        Assert.Equal(43, Assert.Single(result.Rejections).LineNumber);
        Assert.Equal(99, await _database.ScalarAsync<long>("SELECT count(*) FROM connections"));
    }

    [Fact]
    public async Task Whatever_a_damaged_log_still_yields_the_server_takes()
    {
        var mutator = new LogMutator(7);
        var good = Encoding.UTF8.GetBytes(Logs.GoodJson);
        var file = new List<byte>(good) { (byte)'\n' };
        for (var i = 0; i < 20_000; i++)
            file.AddRange([.. mutator.Mutate(good, good), (byte)'\n']);
        var path = _folder.Write("mutated.log", [.. file]);
        var refused = new List<RejectedLine>();
        var result = await FileImporter.ImportAsync(
            ImportTarget.Database(_database.DataSource), Inputs([path]),
            new ImportOptions { OnRejected = r => { if (r.Reason.Contains("SQLSTATE", StringComparison.Ordinal)) refused.Add(r); } },
            null, TestContext.Current.CancellationToken);

        Assert.Empty(refused);
        Assert.Equal(ImportOutcome.Completed, result.Outcome);
        Assert.Equal(result.Read, result.Stored + result.Rejected);
        Assert.Equal(result.Stored, await _database.ScalarAsync<long>("SELECT count(*) FROM connections"));
    }

    [Fact]
    public async Task Cancellation_keeps_whole_batches_and_counts_them()
    {
        using var source = new CancellationTokenSource();
        var log = string.Concat(Enumerable.Range(0, 1000).Select(i => Logs.Json(("54243", $"{i}")) + "\n"));
        var result = await FileImporter.ImportAsync(
            ImportTarget.Database(_database.DataSource), Inputs([_folder.Write("a.log", log)]), new ImportOptions { BlockLines = 100 },
            new CancelAfter(3, source), source.Token);

        Assert.Equal(ImportOutcome.Cancelled, result.Outcome);
        Assert.Equal(300, result.Stored);
        Assert.Equal(300, await _database.ScalarAsync<long>("SELECT count(*) FROM connections"));
    }

    [Fact]
    public async Task Cancellation_inside_a_batch_rolls_it_back()
    {
        using var source = new CancellationTokenSource();
        await using var blocker = await _database.DataSource.OpenConnectionAsync(TestContext.Current.CancellationToken);
        await using var transaction = await LockAsync(blocker);
        var import = FileImporter.ImportAsync(
            ImportTarget.Database(_database.DataSource), Inputs([_folder.Write("a.log", Logs.GoodJson)]), new ImportOptions(), null, source.Token);
        await WaitForBlockedCopyAsync();
        await source.CancelAsync();
        var result = await import;
        await transaction.RollbackAsync(TestContext.Current.CancellationToken);

        Assert.Equal((ImportOutcome.Cancelled, 0L, 0L), (result.Outcome, result.Read, result.Stored));
        Assert.Equal(0, await _database.ScalarAsync<long>("SELECT count(*) FROM connections"));
    }

    [Fact]
    public async Task Lost_connection_is_tried_again()
    {
        await using var blocker = await _database.DataSource.OpenConnectionAsync(TestContext.Current.CancellationToken);
        await using var transaction = await LockAsync(blocker);
        var import = ImportAsync(Logs.GoodJson + "\n" + Logs.GoodJson);
        var backend = await WaitForBlockedCopyAsync();
        await _database.ScalarAsync<bool>($"SELECT pg_terminate_backend({backend})");
        await WaitForBlockedCopyAsync(except: backend);
        await transaction.RollbackAsync(TestContext.Current.CancellationToken);
        var result = await import;

        Assert.Equal((ImportOutcome.Completed, 2L, 2L), (result.Outcome, result.Read, result.Stored));
        Assert.Equal(2, await _database.ScalarAsync<long>("SELECT count(*) FROM connections"));
    }

    [Fact]
    public async Task Connection_that_stays_lost_ends_the_import_and_names_the_lines()
    {
        await using var blocker = await _database.DataSource.OpenConnectionAsync(TestContext.Current.CancellationToken);
        await using var transaction = await LockAsync(blocker);
        string[] paths = [_folder.Write("a.log", Logs.GoodJson + "\n" + Logs.GoodJson), _folder.Write("b.log", Logs.GoodJson)];
        var import = FileImporter.ImportAsync(
            ImportTarget.Database(_database.DataSource, retry: new() { MaxAttempts = 1 }), Inputs(paths), new ImportOptions(), null,
            TestContext.Current.CancellationToken);
        var backend = await WaitForBlockedCopyAsync();
        await _database.ScalarAsync<bool>($"SELECT pg_terminate_backend({backend})");
        var result = await import;
        await transaction.RollbackAsync(TestContext.Current.CancellationToken);

        Assert.Equal((ImportOutcome.Failed, 0L), (result.Outcome, result.Read));
        Assert.False(result.Failure!.IsOutcomeUnknown);
        Assert.StartsWith("line 1", result.Files[0].Error, StringComparison.Ordinal);
        Assert.Equal(0, await _database.ScalarAsync<long>("SELECT count(*) FROM connections"));
    }

    [Fact]
    public async Task Database_without_the_schema_is_a_failure_not_a_rejection()
    {
        await using var empty = await server.CreateDatabaseAsync(migrated: false);
        var result = await FileImporter.ImportAsync(
            ImportTarget.Database(empty.DataSource), Inputs([_folder.Write("a.log", Logs.GoodJson)]), new ImportOptions(), null, TestContext.Current.CancellationToken);

        Assert.Equal(ImportOutcome.Failed, result.Outcome);
        Assert.Equal((0, 0), (result.Read, result.Rejected));
        Assert.Contains("SQLSTATE 42P01", result.Failure!.Message, StringComparison.Ordinal);
    }

    private Task<ImportResult> ImportAsync(string log, ImportOptions? options = null)
        => FileImporter.ImportAsync(
            ImportTarget.Database(_database.DataSource), Inputs([_folder.Write("a.log", log)]), options ?? new ImportOptions(), null, TestContext.Current.CancellationToken);

    private static IReadOnlyList<ImportInput> Inputs(IEnumerable<string> paths) => [.. paths.Select(ImportInput.File)];

    private sealed class CancelAfter(int reports, CancellationTokenSource source) : IProgress<ImportProgress>
    {
        private int _left = reports;

        public void Report(ImportProgress value)
        {
            if (--_left == 0)
                source.Cancel();
        }
    }

    private static async Task<NpgsqlTransaction> LockAsync(NpgsqlConnection connection)
    {
        var transaction = await connection.BeginTransactionAsync(TestContext.Current.CancellationToken);
        await using var command = new NpgsqlCommand("LOCK TABLE connections", connection, transaction);
        await command.ExecuteNonQueryAsync(TestContext.Current.CancellationToken);
        return transaction;
    }

    /// <returns>The process that waits.</returns>
    private async Task<int> WaitForBlockedCopyAsync(int except = 0)
    {
        for (var i = 0; i < 200; i++)
        {
            var backend = await _database.ScalarAsync<int>(
                $"SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock' AND query LIKE 'COPY%' AND pid <> {except}");
            if (backend != 0)
                return backend;
            await Task.Delay(50, TestContext.Current.CancellationToken);
        }

        throw new TimeoutException("The import did not come to wait for the lock.");
    }
}
