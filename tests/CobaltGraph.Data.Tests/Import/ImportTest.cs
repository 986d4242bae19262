using CobaltGraph.Data.Import;
using CobaltGraph.Testing;

namespace CobaltGraph.Data.Tests.Import;

/// <summary>A test that imports files it makes into a database of its own, in small blocks.</summary>
public abstract class ImportTest(PostgresServerFixture server) : DatabaseTest(server), IDisposable
{
    /// <summary>Lines of a block.</summary>
    private protected const int Block = 100;

    private protected TemporaryFolder Folder { get; } = new();

    public void Dispose()
    {
        Folder.Dispose();
        GC.SuppressFinalize(this);
    }

    private protected Task<ImportResult> ImportAsync(params string[] paths) => ImportAsync(new ImportOptions(), paths);

    private protected Task<ImportResult> ImportAsync(ImportOptions options, params string[] paths)
        => ImportAsync(options, Database, [.. paths.Select(ImportInput.File)]);

    private protected static Task<ImportResult> ImportAsync(
        ImportOptions options, TestDatabase database, IReadOnlyList<ImportInput> inputs,
        IProgress<ImportProgress>? progress = null, CancellationToken? cancellationToken = null)
        => FileImporter.ImportAsync(
            ImportTarget.Database(database.DataSource), inputs, options with { BlockLines = Block }, progress,
            cancellationToken ?? Cancel);

    /// <summary>Read, stored, duplicate, rejected: of the whole, after a check that they add up.</summary>
    private protected static (long Read, long Stored, long Duplicate, long Rejected) Counts(ImportResult result)
    {
        Assert.Equal(result.Read, result.Stored + result.Duplicate + result.Rejected);
        return (result.Read, result.Stored, result.Duplicate, result.Rejected);
    }

    /// <summary>All that an import leaves, apart from ids and the time of the import.</summary>
    private protected static async Task<string> ContentsAsync(TestDatabase database)
    {
        var tables = new List<string>();
        foreach (var query in (string[])[
            """
            SELECT "timestamp", src_mac, src_ip, src_port, dst_ip, dst_port, protocol, dst_country, dst_org, dst_hostname,
                   threat_score, threat_category, bytes_sent, bytes_received, duration, metadata FROM connections
            """,
            "SELECT * FROM devices",
            "SELECT * FROM device_destinations",
            "SELECT * FROM device_sightings",
            // Of the addresses that a device had in between, a merge of sightings tells only those between two batches.
            "SELECT device_mac, event_type, old_value, new_value FROM device_events WHERE event_type <> 'ip_changed'",
        ])
        {
            tables.Add(await database.ScalarAsync<string>(
                $"SELECT coalesce(string_agg(row::text, E'\\n' ORDER BY row::text COLLATE \"C\"), '') FROM ({query}) AS row") ?? "");
        }

        return string.Join("\n--\n", tables);
    }

    /// <summary>What one undisturbed import of files leaves.</summary>
    private protected async Task<string> CleanContentsAsync(params string[] paths)
    {
        await using var clean = await Server.CreateDatabaseAsync();
        var result = await ImportAsync(new ImportOptions(), clean, [.. paths.Select(ImportInput.File)]);
        Assert.All(result.Files, file => Assert.Null(file.Error));
        return await ContentsAsync(clean);
    }

    private protected static string Tsv(int first, int count)
        => string.Concat(Enumerable.Range(first, count).Select(i => Logs.TsvRow(("uid", $"C{i}"), ("id.orig_p", $"{i % 65536}")) + "\n"));

    private protected static string Json(int first, int count)
        => string.Concat(Enumerable.Range(first, count).Select(i => Logs.Json(("Cvf4XX17hSAgXDdGEd", $"C{i}"), ("54243", $"{i % 65536}")) + "\n"));

    private protected static string Arp(int first, int count)
        => string.Concat(Enumerable.Range(first, count).Select(i => Logs.Change(
            Logs.GoodArp, ("\"ts\":1461243763.194849", $"\"ts\":{1461243763 + i}.5"), ("\"90:8d:78:a8:e1:43\",\"orig_h\"", $"\"02:00:00:00:00:{i % 50:x2}\",\"orig_h\""),
            ("192.168.0.60", $"192.168.0.{i % 250}")) + "\n"));
}
