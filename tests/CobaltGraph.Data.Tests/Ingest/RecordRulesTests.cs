using System.Net;
using System.Text;
using System.Text.Json;
using CobaltGraph.Data.Ingest;
using CobaltGraph.Model;
using CobaltGraph.Testing;
using Npgsql;
using NpgsqlTypes;

namespace CobaltGraph.Data.Tests.Ingest;

/// <summary>The rules in C# and those of the server are the same, both ways.</summary>
public class RecordRulesTests(PostgresServerFixture server) : DatabaseTest(server)
{
    private const int Seed = 20261124;
    private const int Rows = 1_500;

    [Fact]
    public async Task Connection_passes_exactly_when_the_server_takes_it_as_it_is()
    {
        var records = new OddRecords(Seed);
        int passed = 0, refused = 0;
        await using var connection = await Database.DataSource.OpenConnectionAsync(Cancel);
        for (var i = 0; i < Rows; i++)
        {
            var row = records.NextConnection();
            var reason = RecordRules.Check(row);
            var fault = await InsertAsync(connection, row);
            if ((reason is null) != (fault is null))
                Assert.Fail($"Row {i}: the rules say '{reason}', the server '{fault}'.");
            AssertPrintable(reason);
            _ = reason is null ? passed++ : refused++;
        }

        Assert.InRange(passed, Rows / 5, Rows);
        Assert.InRange(refused, Rows / 5, Rows);
    }

    [Fact]
    public async Task Sighting_passes_exactly_when_the_server_takes_it_as_it_is()
    {
        var records = new OddRecords(Seed + 1);
        int passed = 0, refused = 0;
        await using var connection = await Database.DataSource.OpenConnectionAsync(Cancel);
        await using (var create = new NpgsqlCommand("CREATE TEMPORARY TABLE sources (source varchar(50))", connection))
            await create.ExecuteNonQueryAsync(Cancel);
        for (var i = 0; i < Rows; i++)
        {
            var sighting = records.NextSighting();
            // The table brings a time that is not finite back to now(): not what was given.
            if (sighting.SeenAt == DateTimeOffset.MaxValue)
                continue;
            var reason = RecordRules.Check(sighting);
            var fault = await InsertAsync(connection, sighting);
            if ((reason is null) != (fault is null))
                Assert.Fail($"Sighting {i}: the rules say '{reason}', the server '{fault}'.");
            AssertPrintable(reason);
            _ = reason is null ? passed++ : refused++;
        }

        Assert.InRange(passed, Rows / 5, Rows);
        Assert.InRange(refused, Rows / 5, Rows);
    }

    [Fact]
    public void Reason_names_the_field_and_what_is_accepted()
    {
        Assert.Equal("src_port 65536 is not a port; accepted are whole numbers from 0 to 65535", RecordRules.Check(new Connection { SrcPort = 65536 }));
        Assert.Equal(
            "src_mac 'ff:ff:ff:ff:ff:ff' is the broadcast address, which no device has; accepted are unicast addresses",
            RecordRules.Check(new Connection { SrcMac = MacAddress.Broadcast }));
        Assert.Equal("dst_lat NaN is out of range; accepted are degrees from -90 to 90", RecordRules.Check(new Connection { DstLat = float.NaN }));
        Assert.Equal("dst_country 'DEU' has 3 characters; accepted are at most 2", RecordRules.Check(new Connection { DstCountry = "DEU" }));
        Assert.Equal("dst_ip is missing; every connection needs it", RecordRules.Check(new Connection { DstIp = null! }));
        Assert.StartsWith("metadata is missing", RecordRules.Check(new Connection { Metadata = null! }), StringComparison.Ordinal);
        Assert.Equal(
            @"metadata 'service' 'a\x00' contains NUL, which PostgreSQL cannot store; accepted is any other text",
            RecordRules.Check(new Connection { Metadata = new ConnectionMetadata { Service = "a\0" } }));
        Assert.Equal("confidence_score 1.5 is out of range; accepted are numbers from 0 to 1", RecordRules.Check(Sighting() with { ConfidenceScore = 1.5f }));
        Assert.Equal("confidence_score NaN is out of range; accepted are numbers from 0 to 1", RecordRules.Check(Sighting() with { ConfidenceScore = float.NaN }));
        Assert.Equal(
            @"metadata 'tags' 'a\x00' contains NUL, which PostgreSQL cannot store; accepted is any other text",
            RecordRules.Check(Sighting() with { Metadata = new DeviceMetadata { Tags = ["a\0"] } }));
        Assert.Contains(
            "metadata 'rack' has the text",
            RecordRules.Check(Sighting() with { Metadata = DeviceMetadata.Parse("""{"custom":{"rack":["\u0000"]}}""") }), StringComparison.Ordinal);
        Assert.StartsWith("seen_at is the last instant", RecordRules.Check(Sighting() with { SeenAt = DateTimeOffset.MaxValue }), StringComparison.Ordinal);
        Assert.StartsWith("mac_address '00:00:00:00:00:00' is all zero", RecordRules.Check(Sighting() with { MacAddress = default }), StringComparison.Ordinal);
    }

    [Fact]
    public void Metadata_deeper_than_any_export_is_refused()
    {
        Assert.Null(RecordRules.Check(Nested(RecordRules.MaxMetadataDepth)));
        Assert.Contains("nested too deeply", RecordRules.Check(Nested(RecordRules.MaxMetadataDepth + 1)), StringComparison.Ordinal);

        static Connection Nested(int depth) => new()
        {
            Metadata = ConnectionMetadata.Parse("{\"a\":" + new string('[', depth - 1) + new string(']', depth - 1) + "}"),
        };
    }

    [Fact]
    public async Task Deepest_metadata_is_taken_by_the_server()
    {
        const int depth = RecordRules.MaxMetadataDepth - 1;
        await using var command = Database.DataSource.CreateCommand("INSERT INTO connections (dst_ip, dst_port, metadata) VALUES ('10.0.0.1', 1, $1)");
        command.Parameters.Add(new NpgsqlParameter { Value = "{\"a\":" + new string('[', depth) + new string(']', depth) + "}", NpgsqlDbType = NpgsqlDbType.Jsonb });

        Assert.Equal(1, await command.ExecuteNonQueryAsync(Cancel));
    }

    [Fact]
    public void Metadata_of_a_disposed_document_is_refused()
    {
        var document = JsonDocument.Parse("{\"a\":1}");
        var row = new Connection();
        row.Metadata.Other["a"] = document.RootElement;
        document.Dispose();

        Assert.Contains("disposed", RecordRules.Check(row), StringComparison.Ordinal);
    }

    [Fact]
    public void Plain_row_is_checked_without_allocation()
    {
        var row = new Connection
        {
            Timestamp = DateTimeOffset.UnixEpoch, SrcMac = new MacAddress(4), SrcIp = IPAddress.Loopback, DstIp = IPAddress.Loopback, Protocol = "TCP",
            DstCountry = "DE", DstOrg = "Example GmbH", DstHostname = "www.example.com", ThreatCategory = "malware",
        };
        var withMetadata = new Connection { Metadata = new ConnectionMetadata { Service = "http", State = "SF", Uid = "C1" } };
        // Code that is not optimised yet allocates; after a while all of it is.
        long allocated = 1;
        for (var round = 0; round < 2_000 && allocated > 0; round++)
        {
            Thread.Sleep(20);
            var before = GC.GetAllocatedBytesForCurrentThread();
            var refused = CheckAll();
            allocated = GC.GetAllocatedBytesForCurrentThread() - before;
            Assert.Equal(0, refused);
        }

        Assert.Equal(0, allocated);

        int CheckAll()
        {
            var count = 0;
            for (var i = 0; i < 1000; i++)
                count += (RecordRules.Check(row) ?? RecordRules.Check(withMetadata) ?? RecordRules.Check(Known)) is null ? 0 : 1;
            return count;
        }
    }

    private static readonly DeviceSighting Known = Sighting();

    private static DeviceSighting Sighting() => new() { MacAddress = new MacAddress(4), Hostname = "printer", Source = "arp" };

    private static void AssertPrintable(string? reason)
    {
        if (reason is null)
            return;
        Assert.DoesNotContain(reason, char.IsControl);
        Assert.Equal(reason, System.Text.Encoding.UTF8.GetString(System.Text.Encoding.UTF8.GetBytes(reason)));
        Assert.InRange(reason.Length, 10, 400);
    }

    /// <returns>Why the server did not take the row, or not as it is.</returns>
    private static async Task<string?> InsertAsync(NpgsqlConnection connection, Connection row)
    {
        await using var command = new NpgsqlCommand(
            """
            INSERT INTO connections ("timestamp", src_mac, src_ip, src_port, dst_ip, dst_port, protocol, dst_country, dst_lat, dst_lon, dst_org,
                dst_hostname, threat_score, threat_category, bytes_sent, bytes_received, duration, metadata)
            VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18)
            RETURNING src_mac, src_ip, src_port, dst_ip, dst_port, protocol, dst_country, dst_lat, dst_lon, dst_org, dst_hostname, threat_score, threat_category,
                bytes_sent, bytes_received, metadata::text, "timestamp", duration
            """,
            connection);
        object?[] values =
        [
            row.SrcMac?.ToPhysicalAddress(), row.SrcIp, row.SrcPort, row.DstIp, row.DstPort, row.Protocol, row.DstCountry, row.DstLat, row.DstLon, row.DstOrg,
            row.DstHostname, row.ThreatScore, row.ThreatCategory, row.BytesSent, row.BytesReceived,
        ];
        try
        {
            Add(command, NpgsqlDbType.TimestampTz, row.Timestamp.UtcDateTime);
            NpgsqlDbType[] types =
            [
                NpgsqlDbType.MacAddr, NpgsqlDbType.Inet, NpgsqlDbType.Integer, NpgsqlDbType.Inet, NpgsqlDbType.Integer, NpgsqlDbType.Text, NpgsqlDbType.Text,
                NpgsqlDbType.Real, NpgsqlDbType.Real, NpgsqlDbType.Text, NpgsqlDbType.Text, NpgsqlDbType.Real, NpgsqlDbType.Text, NpgsqlDbType.Bigint, NpgsqlDbType.Bigint,
            ];
            for (var i = 0; i < types.Length; i++)
                Add(command, types[i], values[i]);
            Add(command, NpgsqlDbType.Interval, row.Duration);
            Add(command, NpgsqlDbType.Jsonb, row.Metadata.ToJson());

            await using var reader = await command.ExecuteReaderAsync(Cancel);
            Assert.True(await reader.ReadAsync(Cancel));
            for (var i = 0; i < values.Length; i++)
            {
                var stored = await reader.IsDBNullAsync(i, Cancel) ? null : reader.GetValue(i);
                if (!Equals(stored, values[i]))
                    return $"column {i} became {stored}";
            }

            if (!ConnectionMetadata.Parse(reader.GetString(15)).Equals(row.Metadata))
                return "metadata became other";
            if ((reader.GetDateTime(16) - row.Timestamp.UtcDateTime).Duration() >= TimeSpan.FromMicroseconds(1))
                return "timestamp became other";
            if (row.Duration is { } duration && (reader.GetTimeSpan(17) - duration).Duration() >= TimeSpan.FromMicroseconds(1))
                return "duration became other";
            return null;
        }
        catch (Exception e) when (e is PostgresException or ArgumentException or InvalidOperationException or JsonException)
        {
            return e.Message;
        }
    }

    private static async Task<string?> InsertAsync(NpgsqlConnection connection, DeviceSighting sighting)
    {
        await using var command = new NpgsqlCommand(
            """
            WITH told AS (INSERT INTO sources VALUES ($7) RETURNING source)
            INSERT INTO devices (mac_address, ip_address, hostname, vendor, device_type, first_seen, last_seen, confidence_score, metadata)
            VALUES ($1, $2, $3, $4, $5, $6, $6, $8, $9)
            ON CONFLICT (mac_address) DO UPDATE SET ip_address = $2, hostname = $3, vendor = $4, device_type = $5, confidence_score = $8, metadata = $9
            RETURNING mac_address, ip_address, hostname, vendor, device_type, (SELECT source FROM told), confidence_score, metadata
            """,
            connection);
        object?[] values =
            [sighting.MacAddress.ToPhysicalAddress(), sighting.IpAddress, sighting.Hostname, sighting.Vendor, sighting.DeviceType, sighting.Source, sighting.ConfidenceScore ?? 0];
        try
        {
            Add(command, NpgsqlDbType.MacAddr, values[0]);
            Add(command, NpgsqlDbType.Inet, values[1]);
            for (var i = 2; i < 5; i++)
                Add(command, NpgsqlDbType.Text, values[i]);
            Add(command, NpgsqlDbType.TimestampTz, sighting.SeenAt.UtcDateTime);
            Add(command, NpgsqlDbType.Text, values[5]);
            Add(command, NpgsqlDbType.Real, values[6]);
            Add(command, NpgsqlDbType.Jsonb, sighting.Metadata?.ToJson() ?? "{}");
            await using var reader = await command.ExecuteReaderAsync(Cancel);
            Assert.True(await reader.ReadAsync(Cancel));
            for (var i = 0; i < values.Length; i++)
            {
                var stored = await reader.IsDBNullAsync(i, Cancel) ? null : reader.GetValue(i);
                if (!Equals(stored, values[i]))
                    return $"column {i} became {stored}";
            }

            if (sighting.Metadata is not { } metadata)
                return null;
            string?[] texts = [metadata.Notes, .. metadata.Tags ?? [], .. metadata.Other.Keys, .. metadata.Custom?.Keys ?? []];
            if (texts.Any(text => text is not null && text != Encoding.UTF8.GetString(Encoding.UTF8.GetBytes(text))))
                return "half a surrogate pair became another character";
            // Of a key that stands twice the last one counts.
            var json = metadata.ToJson().Replace("{\"a\":1,\"a\":2}", "{\"a\":2}", StringComparison.Ordinal);
            var became = reader.GetString(values.Length);
            return DeviceMetadata.Parse(became).Equals(DeviceMetadata.Parse(json)) ? null : $"metadata {json} became {became}";
        }
        catch (Exception e) when (e is PostgresException or ArgumentException or InvalidOperationException or JsonException)
        {
            return e.Message;
        }
    }

    private static void Add(NpgsqlCommand command, NpgsqlDbType type, object? value)
        => command.Parameters.Add(new NpgsqlParameter { Value = value ?? DBNull.Value, NpgsqlDbType = type });
}
