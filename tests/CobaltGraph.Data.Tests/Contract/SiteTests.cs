using CobaltGraph.Testing;
using Microsoft.EntityFrameworkCore;
using Npgsql;

namespace CobaltGraph.Data.Tests.Contract;

// CONTRACT.md §2, end: one site is one schema, several in one database.
public class SiteTests(PostgresServerFixture server) : IAsyncLifetime
{
    private TestDatabase _database = null!;

    public async ValueTask InitializeAsync() => _database = await server.CreateDatabaseAsync(migrated: false);

    public async ValueTask DisposeAsync()
    {
        await _database.DisposeAsync();
        GC.SuppressFinalize(this);
    }

    [Theory]
    [InlineData("site_a", "site_b")]
    [InlineData("\"Site A\"", "\"a\"\";drop--\"")]
    [InlineData("site_a,public", "public")]
    public async Task Two_sites_live_side_by_side(string first, string second)
    {
        foreach (var site in (string[])[first, second])
            await MigrateAsync(site);

        await using var a = NpgsqlDataSource.Create(Site(first));
        await using var b = NpgsqlDataSource.Create(Site(second));
        await ExecuteAsync(a, """
            INSERT INTO connections (src_mac, dst_ip, dst_port, threat_score) VALUES ('02:00:5e:00:00:01', '192.0.2.1', 443, 9);
            SELECT ensure_connection_partitions('2031-01-01', '2031-02-01');
            SELECT sweep_device_status()
            """);

        Assert.Equal("1 1 1 3", await ScalarAsync(a, Totals));
        Assert.Equal("0 0 0 0", await ScalarAsync(b, Totals));
        Assert.Equal("7", await ScalarAsync(a, Partitions));
        Assert.Equal("5", await ScalarAsync(b, Partitions));
        Assert.Equal("2", await ScalarAsync(a, """SELECT count(*)::text FROM "__EFMigrationsHistory" """));

        await MigrateAsync(first, "0");
        Assert.Equal("0 0 0 0", await ScalarAsync(b, Totals));
        Assert.Equal("0", await ScalarAsync(a, "SELECT count(*)::text FROM pg_proc WHERE pronamespace = quote_ident(current_schema())::regnamespace"));
    }

    [Fact]
    public async Task Schema_that_does_not_exist_is_created_and_public_stays_empty()
    {
        await MigrateAsync("site_new,public");

        Assert.Equal(0, await _database.ScalarAsync<long>(
            "SELECT count(*) FROM pg_class WHERE relnamespace = 'public'::regnamespace"));
        Assert.True(await _database.ScalarAsync<long>(
            "SELECT count(*) FROM pg_class WHERE relnamespace = 'site_new'::regnamespace") > 20);
    }

    [Fact]
    public async Task Nothing_of_a_site_names_another_schema()
    {
        await MigrateAsync("site_a");

        Assert.Empty(await _database.QueryAsync("""
            SELECT pg_get_functiondef(oid) FROM pg_proc
            WHERE pronamespace = 'site_a'::regnamespace AND pg_get_functiondef(oid) ~ 'public'
            UNION ALL
            SELECT pg_get_viewdef(oid) FROM pg_class
            WHERE relnamespace = 'site_a'::regnamespace AND relkind = 'v' AND pg_get_viewdef(oid) ~ 'public'
            """));
    }

    private const string Totals = """
        SELECT concat_ws(' ', (SELECT count(*) FROM connections), (SELECT count(*) FROM devices),
            (SELECT count(*) FROM device_destinations), (SELECT count(*) FROM device_events))
        """;

    private const string Partitions =
        "SELECT count(*)::text FROM pg_inherits WHERE inhparent = 'connections'::regclass";

    private string Site(string searchPath) => _database.ConnectionStringWith(c => c.SearchPath = searchPath);

    private async Task MigrateAsync(string searchPath, string? target = null)
    {
        var options = new DbContextOptionsBuilder<CobaltGraphContext>();
        options.UseCobaltGraph(Site(searchPath));
        await using var context = new CobaltGraphContext(options.Options);
        await context.Database.MigrateAsync(target, TestContext.Current.CancellationToken);
    }

    private static async Task ExecuteAsync(NpgsqlDataSource site, string sql)
    {
        await using var command = site.CreateCommand(sql);
        await command.ExecuteNonQueryAsync(TestContext.Current.CancellationToken);
    }

    private static async Task<string?> ScalarAsync(NpgsqlDataSource site, string sql)
    {
        await using var command = site.CreateCommand(sql);
        return (string?)await command.ExecuteScalarAsync(TestContext.Current.CancellationToken);
    }
}
