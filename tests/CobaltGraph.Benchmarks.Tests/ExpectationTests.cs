using CobaltGraph.Benchmarks.Ingest;
using CobaltGraph.Benchmarks.Ingest.Methods;
using CobaltGraph.Model;
using CobaltGraph.Testing;

namespace CobaltGraph.Benchmarks.Tests;

public sealed class ExpectationTests(PostgresServerFixture server)
{
    private static readonly RowSource Source =
        new(RowTable.Campus, Seed: 3, Devices: 20, Rows: 400, Days: 2, new(2026, 3, 2, 12, 0, 0, TimeSpan.Zero));

    [Theory]
    [InlineData(null, null)]
    [InlineData("DELETE FROM connections WHERE id = (SELECT min(id) FROM connections)", "connections: 399 instead of 400")]
    [InlineData("UPDATE devices SET connection_count = connection_count + 1 WHERE mac_address = (SELECT mac_address FROM devices LIMIT 1)", "sum of the devices' connections: 401 instead of 400")]
    [InlineData("DELETE FROM device_destinations WHERE ctid = (SELECT min(ctid) FROM device_destinations)", "edges: ")]
    [InlineData("UPDATE connections SET dst_org = NULL", "connections with an organisation: 0")]
    [InlineData("UPDATE connections SET metadata = '{}'", "connections with metadata: 0")]
    [InlineData("UPDATE connections SET bytes_sent = NULL", "sum of bytes sent: 0")]
    public async Task Verification_finds_what_a_run_left_out(string? sabotage, string? finding)
    {
        await using var database = await server.CreateDatabaseAsync(migrated: false);
        var method = new OurIngest(writers: 1);
        var site = Source.CreateSite();
        Connection[] rows = [.. Source.Read(site)];
        await Databases.PrepareAsync(database.DataSource, method, site, TestContext.Current.CancellationToken);
        await method.StoreAsync(database.DataSource, rows, batchSize: 100, TestContext.Current.CancellationToken);
        if (sabotage is not null)
            await database.ExecuteAsync($"SET session_replication_role = replica; {sabotage}; RESET session_replication_role");

        var verification = new Expectation(rows).VerifyAsync(
            database.DataSource, method.Schema, TestContext.Current.CancellationToken);

        if (finding is null)
            await verification;
        else
            Assert.Contains(finding, (await Assert.ThrowsAsync<BenchmarkException>(() => verification)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Rows_are_the_same_each_time_and_uniform_ones_differ_in_the_destination_only()
    {
        var campus = Source.Read(Source.CreateSite()).Select(Text).ToList();
        var uniform = Source with { Table = RowTable.Uniform };
        var first = uniform.Read(uniform.CreateSite()).ToList();

        Assert.Equal(campus, Source.Read(Source.CreateSite()).Select(Text));
        Assert.Equal(first.Select(row => row.DstIp), uniform.Read(uniform.CreateSite()).Select(row => row.DstIp));
        Assert.Equal(campus, first.Select(Text));
        Assert.InRange(first.Select(row => row.DstIp).Distinct().Count(), 395, 400);

        static string Text(Connection row) => $"{row.Timestamp:O} {row.SrcMac} {row.DstPort} {row.DstHostname} {row.BytesSent} {row.Metadata}";
    }
}
