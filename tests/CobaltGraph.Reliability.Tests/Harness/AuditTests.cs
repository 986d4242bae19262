using CobaltGraph.Model;
using CobaltGraph.Reliability.Audit;
using CobaltGraph.Reliability.Workloads;
using CobaltGraph.Testing;

namespace CobaltGraph.Reliability.Tests.Harness;

// An audit that finds nothing is worth what it can find.
public sealed class AuditTests(PostgresServerFixture server) : IAsyncLifetime
{
    private readonly NetworkModel _model = new();
    private TestDatabase _database = null!;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        _database = await server.CreateDatabaseAsync();
        var workload = new Workload(Seed.Random("audit"), new() { Devices = 12, Destinations = 8, Threats = 0.2 });
        var store = new PlainStore(_database.ConnectionString);
        for (var batch = 0; batch < 3; batch++)
        {
            var rows = workload.Batch($"b{batch}", 150);
            await store.StoreAsync($"b{batch}", rows, Cancel);
            _model.Add(rows.Select(Reduced));
        }
    }

    public ValueTask DisposeAsync() => _database.DisposeAsync();

    [Fact]
    public async Task Sound_database_passes_and_is_what_the_model_says()
    {
        var report = await AuditAsync();

        Assert.Empty(report.Findings);
        Assert.Equal(450, report.Connections);
        Assert.True(report.Devices > 3);
        var contents = await DatabaseContents.ReadAsync(_database.DataSource, Cancel);
        Assert.Equal("", _model.Contents().DifferenceFrom(contents));
        Assert.Equal(_model.Contents().Hash(), contents.Hash());
        Assert.True((await SumAsync()).IsConsistent);
    }

    // Each with triggers and keys switched off, as only a broken writer or a broken trigger could leave it.
    [Theory]
    [InlineData("device", "UPDATE devices SET connection_count = connection_count + 1 WHERE mac_address = (SELECT mac_address FROM devices ORDER BY mac_address DESC LIMIT 1)")]
    [InlineData("device", "UPDATE devices SET threat_count = threat_count - 1 WHERE mac_address = (SELECT mac_address FROM devices ORDER BY mac_address DESC LIMIT 1)")]
    [InlineData("device", "UPDATE devices SET first_seen = first_seen - interval '1 microsecond' WHERE mac_address = (SELECT mac_address FROM devices ORDER BY mac_address DESC LIMIT 1)")]
    [InlineData("device", "UPDATE devices SET last_seen = last_seen + interval '1 microsecond' WHERE mac_address = (SELECT mac_address FROM devices ORDER BY mac_address DESC LIMIT 1)")]
    [InlineData("device", "UPDATE devices SET last_activity = last_activity + interval '1 microsecond' WHERE mac_address = (SELECT mac_address FROM devices ORDER BY mac_address DESC LIMIT 1)")]
    [InlineData("device", "DELETE FROM devices WHERE mac_address = (SELECT mac_address FROM devices ORDER BY mac_address DESC LIMIT 1)")]
    [InlineData("device", "INSERT INTO devices (mac_address) VALUES ('02:99:00:00:00:01')")]
    [InlineData("destination", "UPDATE device_destinations SET connection_count = connection_count + 1 WHERE ctid = (SELECT ctid FROM device_destinations LIMIT 1)")]
    [InlineData("destination", "UPDATE device_destinations SET threat_count = threat_count + 1 WHERE ctid = (SELECT ctid FROM device_destinations LIMIT 1)")]
    [InlineData("destination", "UPDATE device_destinations SET max_threat_score = 9.99 WHERE ctid = (SELECT ctid FROM device_destinations LIMIT 1)")]
    [InlineData("destination", "UPDATE device_destinations SET first_seen = first_seen - interval '1 microsecond' WHERE ctid = (SELECT ctid FROM device_destinations LIMIT 1)")]
    [InlineData("destination", "UPDATE device_destinations SET last_seen = last_seen + interval '1 microsecond' WHERE ctid = (SELECT ctid FROM device_destinations LIMIT 1)")]
    [InlineData("destination", "DELETE FROM device_destinations WHERE ctid = (SELECT ctid FROM device_destinations LIMIT 1)")]
    [InlineData("destination", "INSERT INTO device_destinations SELECT src_mac, '203.0.113.99', first_seen, last_seen, 1, 0, 0 FROM device_destinations LIMIT 1")]
    [InlineData("device's threats", "UPDATE devices SET max_threat_score = max_threat_score + 0.5 WHERE mac_address = (SELECT mac_address FROM devices WHERE connection_count > 0 ORDER BY mac_address DESC LIMIT 1)")]
    [InlineData("device's threats", "UPDATE devices SET threat_score = threat_score + 1 WHERE mac_address = (SELECT mac_address FROM devices WHERE connection_count > 0 ORDER BY mac_address DESC LIMIT 1)")]
    [InlineData("device's destinations", "UPDATE devices SET unique_destinations = unique_destinations + 1 WHERE mac_address = (SELECT mac_address FROM devices WHERE connection_count > 0 ORDER BY mac_address DESC LIMIT 1)")]
    [InlineData("device's threats", "UPDATE devices SET last_threat = '2020-01-01Z' WHERE mac_address = (SELECT mac_address FROM devices WHERE connection_count > 0 ORDER BY mac_address DESC LIMIT 1)")]
    [InlineData("category", "INSERT INTO device_threat_counts SELECT mac_address, 'never', 1 FROM devices LIMIT 1")]
    [InlineData("hour", "UPDATE device_activity_hourly SET bytes_sent = bytes_sent + 1 WHERE ctid = (SELECT ctid FROM device_activity_hourly LIMIT 1)")]
    [InlineData("hour", "DELETE FROM device_activity_hourly WHERE ctid = (SELECT ctid FROM device_activity_hourly LIMIT 1)")]
    [InlineData("address", "INSERT INTO device_addresses SELECT mac_address, '203.0.113.99', 'traffic', first_seen, last_seen FROM devices LIMIT 1")]
    [InlineData("said of a destination", "DELETE FROM destinations WHERE ctid = (SELECT ctid FROM destinations LIMIT 1)")]
    [InlineData("said of a destination", "INSERT INTO destinations VALUES ('203.0.113.99', 1, '', '', '', '')")]
    [InlineData("discovered event", "DELETE FROM device_events WHERE id = (SELECT min(id) FROM device_events WHERE event_type = 'discovered')")]
    [InlineData("discovered event", "INSERT INTO device_events (device_mac, event_type) SELECT device_mac, 'discovered' FROM device_events LIMIT 1")]
    [InlineData("discovered event", "INSERT INTO device_events (device_mac, event_type) VALUES ('02:99:00:00:00:01', 'discovered')")]
    [InlineData("threat event", "DELETE FROM device_events WHERE id = (SELECT min(id) FROM device_events WHERE event_type = 'threat_detected')")]
    [InlineData("threat event", "INSERT INTO device_events (device_mac, event_type, new_value) SELECT device_mac, event_type, new_value FROM device_events WHERE event_type = 'threat_detected' LIMIT 1")]
    [InlineData("threat event", "INSERT INTO device_events (device_mac, event_type, new_value) SELECT device_mac, 'threat_detected', '203.0.113.99' FROM device_events LIMIT 1")]
    [InlineData("other event", "INSERT INTO device_events (device_mac, event_type) SELECT device_mac, 'active' FROM device_events LIMIT 1")]
    [InlineData("status", "UPDATE devices SET status = 'active' WHERE mac_address = (SELECT mac_address FROM devices ORDER BY mac_address DESC LIMIT 1)")]
    [InlineData("ledger", "UPDATE ingest_batches SET rows_stored = rows_stored + 1 WHERE batch_key = 'b0'")]
    [InlineData("ledger", "UPDATE ingest_batches SET rows_read = rows_read - 1, rows_stored = rows_stored - 1 WHERE batch_key = 'b0'")]
    [InlineData("device", "DELETE FROM connections WHERE id = (SELECT max(id) FROM connections WHERE src_mac IS NOT NULL)")]
    [InlineData("ledger", "DELETE FROM connections WHERE id = (SELECT max(id) FROM connections)")]
    [InlineData("device", """INSERT INTO connections ("timestamp", src_mac, dst_ip, dst_port, metadata) SELECT "timestamp", src_mac, dst_ip, dst_port, metadata FROM connections WHERE src_mac IS NOT NULL LIMIT 1""")]
    public async Task Whatever_was_changed_is_found(string what, string change)
    {
        await _database.ExecuteAsync($"SET session_replication_role = replica; {change}; RESET session_replication_role");

        var report = await AuditAsync();

        Assert.Contains(report.Findings, finding => finding.StartsWith(what + ":", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("UPDATE devices SET connection_count = connection_count + 1 WHERE mac_address = (SELECT mac_address FROM devices ORDER BY mac_address DESC LIMIT 1)")]
    [InlineData("UPDATE devices SET threat_count = threat_count + 1 WHERE mac_address = (SELECT mac_address FROM devices ORDER BY mac_address DESC LIMIT 1)")]
    [InlineData("DELETE FROM connections WHERE id = (SELECT max(id) FROM connections WHERE src_mac IS NOT NULL)")]
    [InlineData("DELETE FROM device_destinations WHERE ctid = (SELECT ctid FROM device_destinations LIMIT 1)")]
    public async Task Sums_that_disagree_are_seen(string change)
    {
        await _database.ExecuteAsync($"SET session_replication_role = replica; {change}; RESET session_replication_role");

        Assert.False((await SumAsync()).IsConsistent);
    }

    [Fact]
    public async Task Index_that_lost_its_table_is_found()
    {
        Assert.SkipUnless(
            await _database.ScalarAsync<bool>("SELECT EXISTS (SELECT FROM pg_available_extensions WHERE name = 'amcheck')"),
            "This server has no amcheck, and indexes are not checked.");
        Assert.True((await AuditAsync(indexes: true)).Indexes > 50);

        // The function is not what it was when the index was built.
        await _database.ExecuteAsync(
            """
            CREATE FUNCTION wrong(n int) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT n';
            CREATE TABLE numbers AS SELECT n FROM generate_series(1, 100) AS n;
            CREATE INDEX numbers_wrong ON numbers (wrong(n));
            CREATE OR REPLACE FUNCTION wrong(n int) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT n + 1'
            """);

        Assert.Contains(
            (await AuditAsync(indexes: true)).Findings, finding => finding.StartsWith("index: numbers_wrong", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("UPDATE connections SET dst_port = (dst_port + 1) % 65536 WHERE id = (SELECT max(id) FROM connections)")]
    [InlineData("UPDATE connections SET metadata = metadata || '{\"x\": 1}' WHERE id = (SELECT max(id) FROM connections)")]
    [InlineData("UPDATE connections SET dst_org = '' WHERE id = (SELECT max(id) FROM connections)")]
    [InlineData("UPDATE devices SET vendor = 'x' WHERE mac_address = (SELECT mac_address FROM devices ORDER BY mac_address DESC LIMIT 1)")]
    public async Task Contents_differ_from_the_model_when_anything_does(string change)
    {
        await _database.ExecuteAsync(change);

        var contents = await DatabaseContents.ReadAsync(_database.DataSource, Cancel);

        Assert.NotEqual(_model.Contents().Hash(), contents.Hash());
        Assert.NotEqual("", _model.Contents().DifferenceFrom(contents));
    }

    private Task<AuditReport> AuditAsync(bool indexes = false)
        => DatabaseAudit.RunAsync(_database.DataSource, everyRowByLedger: true, indexes, Cancel);

    private async Task<SnapshotSums> SumAsync()
    {
        await using var connection = await _database.DataSource.OpenConnectionAsync(Cancel);
        return await DatabaseAudit.SumAsync(connection, Cancel);
    }

    // What the plain store writes of a row.
    private static Connection Reduced(Connection row) => new()
    {
        Timestamp = row.Timestamp,
        SrcMac = row.SrcMac,
        DstIp = row.DstIp,
        DstPort = row.DstPort,
        ThreatScore = row.ThreatScore,
        Metadata = new() { Uid = row.Metadata.Uid },
    };
}
