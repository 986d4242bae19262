using System.Text;
using CobaltGraph.Data.Ingest;
using CobaltGraph.Data.Tests.Ingest;
using CobaltGraph.Model;
using CobaltGraph.Testing;

namespace CobaltGraph.Data.Tests.Import;

/// <summary>CSV that PostgreSQL wrote by COPY is read as what is stored.</summary>
public class ServerCsvTests(PostgresServerFixture server) : DatabaseTest(server)
{
    [Fact]
    public async Task Connections_that_the_server_wrote_come_back_as_they_were()
    {
        var records = new OddRecords(77);
        var rows = Enumerable.Range(0, 3000).Select(_ => records.NextConnection())
            .Where(r => RecordRules.Check(r) is null && r.Metadata.ToJson().Length < 1000).ToList();
        await using var connection = await Database.DataSource.OpenConnectionAsync(Cancel);
        await ConnectionCopy.WriteAsync(connection, rows, Cancel);
        await using (var zone = new Npgsql.NpgsqlCommand("SET TimeZone = 'UTC'", connection))
            await zone.ExecuteNonQueryAsync(Cancel);

        var csv = new StringBuilder();
        using (var reader = await connection.BeginTextExportAsync("COPY (SELECT * FROM connections ORDER BY id) TO STDOUT (FORMAT csv, HEADER)", Cancel))
            csv.Append(await reader.ReadToEndAsync(Cancel));
        var reading = await Logs.ReadAsync(csv.ToString());

        Assert.Null(reading.Error);
        Assert.Empty(reading.Rejections.Select(r => r.Reason));
        Assert.Equal(rows.Count, reading.Stored.Count);
        foreach (var (row, back) in rows.Zip(reading.Stored))
        {
            // COPY in gives a row without protocol the column's default.
            row.Protocol ??= "TCP";
            (row.SrcIp, row.DstIp) = (row.SrcIp?.Unmapped(), row.DstIp.Unmapped());
            Assert.InRange(Math.Abs((row.Timestamp - back.Timestamp).Ticks), 0, 9);
            row.Metadata = ConnectionMetadata.Parse(row.Metadata.ToJson());
            RoundTripTests.AssertSame(row, back, compareTime: false);
        }
    }

    [Fact]
    public async Task Devices_that_the_server_wrote_are_sightings()
    {
        await Run("INSERT INTO devices (mac_address, ip_address, hostname, vendor, last_seen) VALUES ('02:00:00:00:00:01', 'fe80::1', E'a\"b\nc', '', '2024-04-19 02:00:01.5+02'), ('02:00:00:00:00:02', NULL, NULL, NULL, '2024-04-19 00:00:01+00')");
        await using var connection = await Database.DataSource.OpenConnectionAsync(Cancel);
        string csv;
        using (var reader = await connection.BeginTextExportAsync(
            "COPY (SELECT mac_address, ip_address, hostname, vendor, device_type, last_seen FROM devices ORDER BY 1) TO STDOUT (FORMAT csv, HEADER)", Cancel))
        {
            csv = await reader.ReadToEndAsync(Cancel);
        }

        Assert.Equal(
            [
                new DeviceSighting
                {
                    MacAddress = new MacAddress(0x020000000001), IpAddress = System.Net.IPAddress.Parse("fe80::1"), Hostname = "a\"b\nc", Vendor = "",
                    SeenAt = new DateTimeOffset(2024, 4, 19, 0, 0, 1, 500, TimeSpan.Zero),
                },
                new DeviceSighting { MacAddress = new MacAddress(0x020000000002), SeenAt = new DateTimeOffset(2024, 4, 19, 0, 0, 1, TimeSpan.Zero) },
            ],
            (await Logs.ReadAsync(csv)).Sightings);
    }
}
