using CobaltGraph.Model;
using CobaltGraph.Testing;
using Npgsql;

namespace CobaltGraph.Seeding.Tests;

public class SiteSeederTests(PostgresServerFixture server)
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    private static SeedOptions Options(SiteRecipe recipe, int devices = 60, long connections = 12_345) => new()
    {
        Recipe = recipe,
        Devices = devices,
        Connections = connections,
        Days = 3,
        BatchSize = 2_000,
    };

    [Theory]
    [InlineData("small-office")]
    [InlineData("office-under-attack")]
    public async Task Seed_stores_every_row_with_exact_counters(string recipe)
    {
        await using var database = await server.CreateDatabaseAsync();
        var options = Options(SiteRecipe.Find(recipe)!);
        var seen = new List<SeedProgress>();

        var result = await new SiteSeeder().SeedAsync(database.DataSource, options, new Collect(seen), Token);

        Assert.Equal((60, 0, 12_345), (result.DevicesInserted, result.DevicesMerged, result.Connections));
        Assert.Equal(60L, await Scalar(database, "SELECT count(*) FROM devices"));
        Assert.Equal(12_345L, await Scalar(database, "SELECT count(*) FROM connections"));
        Assert.Equal(0L, await Scalar(database, "SELECT count(*) FROM connections_default"));
        await AssertCountersAreExact(database);

        var site = Site.Create(options with { ReferenceTime = result.To });
        Assert.Equal(
            site.Connections().Count(c => ThreatScale.IsThreat(c.ThreatScore)), (int)await Scalar(database, "SELECT sum(threat_count) FROM devices"));
        Assert.Equal(60L, await Scalar(database, "SELECT count(*) FROM device_events WHERE event_type = 'discovered'"));
        Assert.Equal(
            site.AddressChanges.Count, (int)await Scalar(database, "SELECT count(*) FROM device_events WHERE event_type = 'ip_changed'"));
        Assert.Equal(result.AddressChanges, site.AddressChanges.Count);

        // The statuses look right: the sweep left no device where it began, and those that never sleep are active.
        Assert.Equal(0L, await Scalar(database, "SELECT count(*) FROM devices WHERE status = 'discovered'"));
        Assert.Equal(0L, await Scalar(database, "SELECT count(*) FROM devices WHERE device_type = 'server' AND status <> 'active'"));
        Assert.Equal(0L, await Scalar(database, "SELECT count(*) FROM devices WHERE last_seen > now()"));

        Assert.Equal(
            [SeedPhase.Preparing, SeedPhase.Devices, SeedPhase.Connections, SeedPhase.Finishing], seen.Select(p => p.Phase).Distinct());
        Assert.Equal(
            [0L, 2_000, 4_000, 6_000, 8_000, 10_000, 12_000, 12_345],
            seen.Where(p => p.Phase == SeedPhase.Connections).Select(p => p.Done));
    }

    [Fact]
    public async Task Stored_rows_are_those_of_the_site_in_its_order()
    {
        await using var database = await server.CreateDatabaseAsync();
        var options = Options(SiteRecipe.Campus, 40, 3_000);
        var result = await new SiteSeeder().SeedAsync(database.DataSource, options, null, Token);

        var stored = new List<string>();
        await using (var command = database.DataSource.CreateCommand(
            """
            SELECT concat_ws('|', (extract(epoch FROM date_trunc('second', "timestamp"))::numeric + (extract(microseconds FROM "timestamp")::bigint % 1000000)::numeric / 1000000)::numeric(30,6)::text, src_mac, host(src_ip), src_port, host(dst_ip), dst_port, protocol,
                             dst_country, dst_org, dst_hostname, threat_category, bytes_sent, bytes_received, metadata ->> 'uid')
            FROM connections ORDER BY id
            """))
        await using (var reader = await command.ExecuteReaderAsync(Token))
        {
            while (await reader.ReadAsync(Token))
                stored.Add(reader.GetString(0));
        }

        var expected = Site.Create(options with { ReferenceTime = result.To }).Connections().Select(c => string.Join('|', ((object?[])
        [
            $"{(c.Timestamp - DateTimeOffset.UnixEpoch).Ticks / 10 / 1_000_000}.{(c.Timestamp - DateTimeOffset.UnixEpoch).Ticks / 10 % 1_000_000:000000}",
            c.SrcMac, c.SrcIp, c.SrcPort, c.DstIp, c.DstPort, c.Protocol, c.DstCountry, c.DstOrg, c.DstHostname, c.ThreatCategory,
            c.BytesSent, c.BytesReceived, c.Metadata.Uid,
        ]).Where(field => field is not null)));
        Assert.Equal(expected, stored);
    }

    [Fact]
    public async Task Seed_refuses_a_database_that_has_data_and_leaves_it_alone()
    {
        await using var database = await server.CreateDatabaseAsync();
        var options = Options(SiteRecipe.SmallOffice, 20, 500);
        var seeder = new SiteSeeder();
        await seeder.SeedAsync(database.DataSource, options, null, Token);

        var exception = await Assert.ThrowsAsync<DatabaseNotEmptyException>(
            () => seeder.SeedAsync(database.DataSource, options with { Seed = 7 }, null, Token));

        Assert.Contains("--append", exception.Message);
        Assert.Equal(20L, await Scalar(database, "SELECT count(*) FROM devices"));
        Assert.Equal(500L, await Scalar(database, "SELECT count(*) FROM connections"));
    }

    [Fact]
    public async Task Two_seeders_at_once_leave_one_site()
    {
        await using var database = await server.CreateDatabaseAsync();
        var options = Options(SiteRecipe.SmallOffice, 20, 500);

        var tasks = Enumerable.Range(0, 2)
            .Select(seed => new SiteSeeder().SeedAsync(database.DataSource, options with { Seed = seed }, null, Token)).ToArray();
        await Task.WhenAll(tasks.Select(task => task.ContinueWith(_ => { }, TaskScheduler.Default)));

        Assert.Equal(1, tasks.Count(task => task.IsCompletedSuccessfully));
        Assert.IsType<DatabaseNotEmptyException>(tasks.Single(task => task.IsFaulted).Exception!.InnerException);
        Assert.Equal(500L, await Scalar(database, "SELECT count(*) FROM connections"));
    }

    [Fact]
    public async Task Append_merges_devices_and_adds_connections()
    {
        await using var database = await server.CreateDatabaseAsync();
        var options = Options(SiteRecipe.SmallOffice, 50, 2_000);
        var seeder = new SiteSeeder();
        await seeder.SeedAsync(database.DataSource, options, null, Token);
        await Execute(database, "UPDATE devices SET hostname = 'kept', metadata = metadata || '{\"notes\": \"mine\"}' WHERE device_type = 'router'");

        var again = await seeder.SeedAsync(database.DataSource, options with { Append = true }, null, Token);
        var other = await seeder.SeedAsync(database.DataSource, options with { Append = true, Seed = 7 }, null, Token);

        Assert.Equal((0L, 50L), (again.DevicesInserted, again.DevicesMerged));
        Assert.Equal((50L, 0L), (other.DevicesInserted, other.DevicesMerged));
        Assert.Equal(100L, await Scalar(database, "SELECT count(*) FROM devices"));
        Assert.Equal(6_000L, await Scalar(database, "SELECT count(*) FROM connections"));
        Assert.Equal(100L, await Scalar(database, "SELECT count(*) FROM device_events WHERE event_type = 'discovered'"));
        Assert.Equal(1L, await Scalar(database, "SELECT count(*) FROM devices WHERE hostname = 'kept' AND metadata ->> 'notes' = 'mine' AND metadata ? 'tags'"));
        await AssertCountersAreExact(database);
    }

    [Fact]
    public async Task Cancel_in_the_middle_leaves_complete_batches_and_exact_counters()
    {
        await using var database = await server.CreateDatabaseAsync();
        var options = Options(SiteRecipe.SmallOffice, 50, 50_000) with { BatchSize = 1_000 };
        using var cancellation = CancellationTokenSource.CreateLinkedTokenSource(Token);
        var reported = 0L;
        var progress = new Act(p =>
        {
            if (p.Phase == SeedPhase.Connections)
                reported = p.Done;
            // Later, so that it falls into the middle of a batch.
            if (p.Done == 5_000)
                cancellation.CancelAfter(TimeSpan.FromMilliseconds(15));
        });

        await Assert.ThrowsAnyAsync<OperationCanceledException>(
            () => new SiteSeeder().SeedAsync(database.DataSource, options, progress, cancellation.Token));

        var stored = await Scalar(database, "SELECT count(*) FROM connections");
        Assert.InRange(stored, 5_000, 49_000);
        Assert.Equal(0, stored % 1_000);
        Assert.Equal(reported, stored);
        await AssertCountersAreExact(database);
    }

    [Fact]
    public async Task Devices_alone_and_the_past_can_be_seeded()
    {
        await using var database = await server.CreateDatabaseAsync();
        var options = Options(SiteRecipe.IotPlant, 30, 0) with { ReferenceTime = new DateTimeOffset(2019, 5, 1, 0, 0, 0, TimeSpan.Zero) };

        var result = await new SiteSeeder().SeedAsync(database.DataSource, options, null, Token);

        Assert.Equal((30L, 0L), (result.DevicesInserted, result.Connections));
        Assert.Equal(30L, await Scalar(database, "SELECT count(*) FROM devices WHERE status = 'offline' AND last_seen < '2019-05-02'"));
    }

    [Fact]
    public async Task A_future_reference_time_makes_no_device_newer_than_now()
    {
        await using var database = await server.CreateDatabaseAsync();
        var options = Options(SiteRecipe.SmallOffice, 30, 1_000) with { ReferenceTime = DateTimeOffset.UtcNow.AddDays(2) };

        await new SiteSeeder().SeedAsync(database.DataSource, options, null, Token);

        Assert.Equal(0L, await Scalar(database, "SELECT count(*) FROM devices WHERE last_seen > now() OR last_activity > now()"));
        await AssertCountersAreExact(database);
    }

    [Fact]
    public async Task A_database_without_the_schema_is_the_server_s_own_error()
    {
        await using var database = await server.CreateDatabaseAsync(migrated: false);
        var exception = await Assert.ThrowsAsync<PostgresException>(
            () => new SiteSeeder().SeedAsync(database.DataSource, Options(SiteRecipe.SmallOffice), null, Token));
        Assert.Equal(PostgresErrorCodes.UndefinedTable, exception.SqlState);
    }

    private static async Task AssertCountersAreExact(TestDatabase database)
        => Assert.Equal(0L, await Scalar(
            database,
            """
            SELECT count(*)
            FROM devices AS d
            LEFT JOIN (
                SELECT src_mac, count(*) AS total, count(*) FILTER (WHERE threat_score >= 7) AS threats, count(DISTINCT dst_ip) AS destinations
                FROM connections GROUP BY src_mac) AS c ON c.src_mac = d.mac_address
            LEFT JOIN (
                SELECT src_mac, count(*) AS destinations, sum(connection_count) AS total
                FROM device_destinations GROUP BY src_mac) AS e ON e.src_mac = d.mac_address
            WHERE (d.connection_count, d.threat_count) IS DISTINCT FROM (coalesce(c.total, 0), coalesce(c.threats, 0))
               OR (coalesce(e.total, 0), coalesce(e.destinations, 0)) IS DISTINCT FROM (coalesce(c.total, 0), coalesce(c.destinations, 0))
            """));

    private static async Task<long> Scalar(TestDatabase database, string sql)
    {
        await using var command = database.DataSource.CreateCommand(sql);
        return Convert.ToInt64(await command.ExecuteScalarAsync(Token), null);
    }

    private static async Task Execute(TestDatabase database, string sql)
    {
        await using var command = database.DataSource.CreateCommand(sql);
        await command.ExecuteNonQueryAsync(Token);
    }

    private sealed class Collect(List<SeedProgress> seen) : IProgress<SeedProgress>
    {
        public void Report(SeedProgress value) => seen.Add(value);
    }

    private sealed class Act(Action<SeedProgress> action) : IProgress<SeedProgress>
    {
        public void Report(SeedProgress value) => action(value);
    }
}
