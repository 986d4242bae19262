using CobaltGraph.Data.Import;
using CobaltGraph.Testing;

namespace CobaltGraph.Data.Tests.Import;

/// <summary>Imports of the real logs that <see cref="RealDataTests"/> finds.</summary>
public sealed class RealImportTests(PostgresServerFixture server)
{
    [Fact]
    public async Task Devices_are_discovered_from_arp_and_dhcp()
    {
        var folder = Folder();
        string[] paths = [.. new[] { "derived-arp-iot_sentinel.jsonl.gz", "derived-dhcp-iot_sentinel.jsonl.gz" }.Select(f => Path.Combine(folder, f))];
        var truth = (await File.ReadAllLinesAsync(Path.Combine(folder, "iot_sentinel-device-truth.csv"), Cancel))
            .Skip(1).Select(line => line.Split(',')[1]).ToList();
        Assert.Equal(20, truth.Count);

        await using var database = await server.CreateDatabaseAsync();
        var result = await ImportAsync(database, paths);

        Assert.True(result.IsClean, string.Join('\n', result.Rejections.Select(r => $"{r.LineNumber}: {r.Reason}")));
        Assert.All(result.Files, file => Assert.Equal("sightings", file.Kind));
        var devices = (await database.QueryAsync("SELECT mac_address::text FROM devices")).Select(row => (string)row[0]!).ToHashSet();
        Assert.Empty(truth.Except(devices));
    }

    [Fact]
    public async Task Everything_imported_twice_is_there_once()
    {
        var folder = Folder();
        string[] paths =
        [
            .. Directory.GetFiles(folder, "zeek-conn*").Concat(Directory.GetFiles(folder, "derived-*")).Concat(Directory.GetFiles(folder, "zeek-dhcp*"))
                .Order(StringComparer.Ordinal),
        ];
        Assert.True(paths.Length >= 14);

        await using var database = await server.CreateDatabaseAsync();
        var first = await ImportAsync(database, paths, writers: 2);
        var contents = await SumsAsync();
        var second = await ImportAsync(database, [.. paths.Reverse()], writers: 3);

        Assert.All(first.Files, file => Assert.Null(file.Error));
        Assert.All(second.Files, file => Assert.Null(file.Error));
        Assert.Equal((first.Read, first.Stored, first.Rejected), (second.Read, second.Duplicate, second.Rejected));
        Assert.Equal((0, 0), (first.Duplicate, second.Stored));
        Assert.Equal(contents, await SumsAsync());
        Assert.Equal(first.Files.Where(f => f.Kind == "connections").Sum(f => f.Stored), await database.ScalarAsync<long>("SELECT count(*) FROM connections"));
        Assert.Equal(first.Stored, await database.ScalarAsync<long>("SELECT sum(rows_stored)::bigint FROM ingest_batches"));

        async Task<object?[]> SumsAsync() => Assert.Single(await database.QueryAsync(
            """
            SELECT (SELECT count(*) FROM connections), (SELECT sum(hashtext(c.metadata::text || c.timestamp || c.dst_ip))::text FROM connections c),
                   (SELECT md5(string_agg(d::text, '|' ORDER BY mac_address)) FROM devices d),
                   (SELECT md5(string_agg(s::text, '|' ORDER BY mac_address)) FROM device_sightings s),
                   (SELECT md5(string_agg(e::text, '|' ORDER BY src_mac, dst_ip)) FROM device_destinations e), (SELECT count(*) FROM device_events)
            """));
    }

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    private static Task<ImportResult> ImportAsync(TestDatabase database, IEnumerable<string> paths, int writers = 1)
        => FileImporter.ImportAsync(
            ImportTarget.Database(database.DataSource), [.. paths.Select(ImportInput.File)], new ImportOptions { Writers = writers }, null, Cancel);

    private static string Folder()
    {
        var folder = RealDataTests.FindFolder();
        Assert.SkipWhen(folder is null, RealDataTests.Absent);
        return folder;
    }
}
