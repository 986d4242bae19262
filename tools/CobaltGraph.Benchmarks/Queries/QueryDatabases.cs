using System.Globalization;
using CobaltGraph.Benchmarks.Ingest;
using CobaltGraph.Benchmarks.Ingest.Methods;
using CobaltGraph.Data.Ingest;
using CobaltGraph.Model;
using CobaltGraph.Seeding;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;

namespace CobaltGraph.Benchmarks.Queries;

/// <summary>Makes the databases that are asked: ours, and one with the original's tables, with the same rows.</summary>
internal sealed class QueryDatabases(BenchmarkServer server, QueriesSetup setup, bool keep, Action<string> say)
{
    private const int Writers = 2;

    // As the original has them, with all devices counted over all of their connections each time.
    private const string OriginalViews =
        """
        CREATE VIEW device_summary AS
        SELECT d.mac_address, d.ip_address, d.vendor, d.device_type, d.status, d.first_seen, d.last_seen, d.connection_count, d.threat_count,
               COUNT(DISTINCT c.dst_ip) AS unique_destinations, MAX(c."timestamp") AS last_connection
        FROM devices d
        LEFT JOIN connections c ON d.mac_address = c.src_mac
        GROUP BY d.mac_address
        ORDER BY d.last_seen DESC;
        """;

    private const string OriginalCounters =
        """
        UPDATE devices AS d
        SET connection_count = c.connections, threat_count = c.threats, first_seen = c.first, last_seen = c.last, last_activity = c.last,
            status = 'offline'
        FROM (
            SELECT src_mac, count(*) AS connections, count(*) FILTER (WHERE threat_score >= 7) AS threats,
                   min("timestamp") AS first, max("timestamp") AS last
            FROM connections GROUP BY src_mac
        ) AS c
        WHERE c.src_mac = d.mac_address
        """;

    private readonly RowSource _source = new(RowTable.Campus, setup.Seed, setup.Devices, setup.Connections, setup.Days, setup.ReferenceTime);
    private readonly List<string> _made = [];

    /// <summary>Our database, loaded by our ingest: sightings, then connections.</summary>
    public Task<string> CreateOursAsync(CancellationToken cancellationToken) => CreateAsync("ours", LoadOursAsync, cancellationToken);

    /// <summary>The original's tables, indexes and views.</summary>
    public Task<string> CreateOriginalAsync(CancellationToken cancellationToken) => CreateAsync("original", LoadOriginalAsync, cancellationToken);

    public async Task<long> SizeAsync(string database, CancellationToken cancellationToken)
    {
        await using var dataSource = NpgsqlDataSource.Create(server.ConnectionTo(database));
        await using var command = dataSource.CreateCommand("SELECT pg_database_size(current_database())");
        return (long)(await command.ExecuteScalarAsync(cancellationToken))!;
    }

    /// <summary>Drops what was made, unless it is kept.</summary>
    public async Task DropAsync()
    {
        if (keep)
            return;
        foreach (var database in _made)
            await server.DropDatabaseAsync(database);
    }

    private async Task<string> CreateAsync(string kind, Func<NpgsqlDataSource, CancellationToken, Task> load, CancellationToken cancellationToken)
    {
        // A kept one is found again by what is in it.
        var name = keep
            ? string.Create(
                CultureInfo.InvariantCulture, $"cobaltgraph_queries_{kind}_{setup.Connections}_{setup.Devices}_{setup.Days}_{Math.Abs(setup.Seed)}")
            : null;
        if (name is not null && await server.HasDatabaseAsync(name, cancellationToken))
        {
            say($"{kind}: {name} is there");
            return name;
        }

        // It has its name when it is complete.
        var database = await server.CreateDatabaseAsync(cancellationToken);
        _made.Add(database);
        var started = TimeProvider.System.GetTimestamp();
        await using (var dataSource = NpgsqlDataSource.Create(server.ConnectionTo(database)))
        {
            await load(dataSource, cancellationToken);
            await using var command = dataSource.CreateCommand("VACUUM (ANALYZE)");
            await command.ExecuteNonQueryAsync(cancellationToken);
            await using var checkpoint = dataSource.CreateCommand("CHECKPOINT");
            await checkpoint.ExecuteNonQueryAsync(cancellationToken);
        }

        say($"{kind}: {Figure.Count(setup.Connections)} rows loaded in {Figure.Seconds(TimeProvider.System.GetElapsedTime(started).TotalSeconds)} s");
        if (name is null)
            return database;
        await server.RenameDatabaseAsync(database, name, cancellationToken);
        return name;
    }

    private async Task LoadOursAsync(NpgsqlDataSource dataSource, CancellationToken cancellationToken)
    {
        var site = _source.CreateSite();
        await InstallTrigramsAsync(dataSource, cancellationToken);
        await Databases.MigrateAsync(dataSource, site.From, site.To, cancellationToken);
        await using (var services = new ServiceCollection().AddCobaltGraph(dataSource).BuildServiceProvider())
        {
            await services.GetRequiredService<IIngestService>().StoreAsync(
                Sightings(site).ToAsyncEnumerable(), new IngestOptions<DeviceSighting> { Source = "benchmark" }, progress: null, cancellationToken);
        }

        await OurIngest.StoreAsync(
            dataSource, _source.Read(site), IngestOptions<Connection>.DefaultBatchSize, Writers, cancellationToken);
        await using var sweep = dataSource.CreateCommand("SELECT sweep_device_status()");
        await sweep.ExecuteNonQueryAsync(cancellationToken);
    }

    /// <summary>As a user would who searches text: not every server has the extension.</summary>
    private async Task InstallTrigramsAsync(NpgsqlDataSource dataSource, CancellationToken cancellationToken)
    {
        await using var available = dataSource.CreateCommand("SELECT EXISTS (SELECT FROM pg_available_extensions WHERE name = 'pg_trgm')");
        if (!(bool)(await available.ExecuteScalarAsync(cancellationToken))!)
        {
            say("ours: the server has no pg_trgm; text is found without an index");
            return;
        }

        await using var install = dataSource.CreateCommand("CREATE EXTENSION IF NOT EXISTS pg_trgm");
        await install.ExecuteNonQueryAsync(cancellationToken);
    }

    private async Task LoadOriginalAsync(NpgsqlDataSource dataSource, CancellationToken cancellationToken)
    {
        var site = _source.CreateSite();
        await Databases.PrepareAsync(dataSource, new BareCopy(original: true), site, cancellationToken);
        await BareCopy.OriginalAsync(dataSource, _source.Read(site), cancellationToken);
        foreach (var sql in (string[])[OriginalCounters, OriginalViews])
        {
            await using var command = dataSource.CreateCommand(sql);
            await command.ExecuteNonQueryAsync(cancellationToken);
        }
    }

    /// <summary>Every device at the begin, and every new lease.</summary>
    private static IEnumerable<DeviceSighting> Sightings(Site site)
        => site.Devices.Select(device => new DeviceSighting
        {
            MacAddress = device.MacAddress,
            IpAddress = device.IpAddress,
            Hostname = device.Hostname,
            Vendor = device.Vendor,
            DeviceType = device.DeviceType,
            SeenAt = device.FirstSeen,
            Source = "dhcp",
        }).Concat(site.AddressChanges.Select(change => new DeviceSighting
        {
            MacAddress = change.Device,
            IpAddress = change.Address,
            SeenAt = change.At,
            Source = "dhcp",
        }));
}
