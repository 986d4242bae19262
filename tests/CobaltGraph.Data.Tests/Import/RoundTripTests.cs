using System.Buffers;
using System.Net;
using System.Text;
using CobaltGraph.Data.Import;
using CobaltGraph.Data.Ingest;
using CobaltGraph.Data.Tests.Ingest;
using CobaltGraph.Model;

namespace CobaltGraph.Data.Tests.Import;

/// <summary>What is written as CSV or JSON by column is read as the same rows.</summary>
public class RoundTripTests
{
    private const int Seed = 4180;
    private const int Rows = 4_000;

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Connections_come_back_as_they_were(bool asCsv)
    {
        var records = new OddRecords(Seed);
        var rows = Enumerable.Range(0, Rows).Select(_ => records.NextConnection()).Where(r => RecordRules.Check(r) is null).ToList();
        Assert.InRange(rows.Count, Rows / 5, Rows);

        var reading = await Logs.ReadAsync(asCsv ? await WriteCsvAsync(rows) : WriteJson(rows));

        Assert.Null(reading.Error);
        Assert.Empty(reading.Rejections.Select(r => r.Reason));
        Assert.Equal(rows.Count, reading.Stored.Count);
        foreach (var (row, back) in rows.Zip(reading.Stored))
            AssertSame(row, back);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Sightings_come_back_as_they_were(bool asCsv)
    {
        var records = new OddRecords(Seed + 1);
        var rows = Enumerable.Range(0, Rows).Select(_ => records.NextSighting()).Where(r => RecordRules.Check(r) is null).ToList();
        Assert.InRange(rows.Count, Rows / 5, Rows);

        var reading = await Logs.ReadAsync(asCsv ? await WriteCsvAsync(rows) : WriteJson(rows));

        Assert.Null(reading.Error);
        Assert.Empty(reading.Rejections.Select(r => r.Reason));
        Assert.Contains(rows, r => r.ConfidenceScore is not null);
        Assert.Contains(rows, r => r.Metadata is not null);
        Assert.Equal(rows.Select(r => r with { SeenAt = Microseconds(r.SeenAt), Metadata = Read(r.Metadata?.ToJson()) }), reading.Sightings);

        // Of a key that stands twice the last one counts, and without a key there is nothing to say.
        static DeviceMetadata? Read(string? json) => json is null or "{}" ? null : DeviceMetadata.Parse(json);
    }

    [Fact]
    public async Task Rows_that_the_database_refuses_are_rejected_and_their_neighbours_read()
    {
        var records = new OddRecords(Seed + 2);
        var rows = Enumerable.Range(0, Rows).Select(_ => records.NextConnection()).Where(r => IsWritable(r)).ToList();
        foreach (var bytes in (byte[][])[WriteJson(rows), await WriteCsvAsync(rows)])
        {
            var reading = await Logs.ReadAsync(bytes);

            Assert.Null(reading.Error);
            var expected = rows.Where(r => RecordRules.Check(r) is null).ToList();
            Assert.Equal(rows.Count, reading.Lines.Count);
            Assert.Equal(expected.Count, reading.Stored.Count);
            foreach (var (row, back) in expected.Zip(reading.Stored))
                AssertSame(row, back);
        }

        // JSON has no NaN, no infinity and no half of a surrogate pair; of one time there is no finite form.
        static bool IsWritable(Connection row)
        {
            string?[] texts = [row.Protocol, row.DstCountry, row.DstOrg, row.DstHostname, row.ThreatCategory];
            try
            {
                return (row.DstLat is not { } lat || float.IsFinite(lat)) && (row.DstLon is not { } lon || float.IsFinite(lon))
                    && float.IsFinite(row.ThreatScore) && row.Timestamp != DateTimeOffset.MaxValue
                    && texts.All(t => t is null || t == Encoding.UTF8.GetString(Encoding.UTF8.GetBytes(t)))
                    && ConnectionMetadata.Parse(row.Metadata.ToJson()).ToJson() == row.Metadata.ToJson()
                    && !row.Metadata.ToJson().Contains('\ufffd', StringComparison.Ordinal);
            }
            catch (InvalidOperationException)
            {
                return false;
            }
        }
    }

    [Fact]
    public async Task Metadata_as_deep_as_the_rules_allow_comes_back()
    {
        const int depth = RecordRules.MaxMetadataDepth - 1;
        var row = new Connection { Metadata = ConnectionMetadata.Parse("{\"a\":" + new string('[', depth) + new string(']', depth) + "}") };
        foreach (var bytes in (byte[][])[WriteJson([row]), await WriteCsvAsync([row])])
            Assert.Equal(row.Metadata.ToJson(), Assert.Single((await Logs.ReadAsync(bytes)).Connections).Metadata.ToJson());

        var sighting = new DeviceSighting { MacAddress = new MacAddress(4), Metadata = DeviceMetadata.Parse(row.Metadata.ToJson()) };
        foreach (var bytes in (byte[][])[WriteJson([sighting]), await WriteCsvAsync([sighting])])
            Assert.Equal(row.Metadata.ToJson(), Assert.Single((await Logs.ReadAsync(bytes)).Sightings).Metadata?.ToJson());
    }

    [Fact]
    public void Json_line_looks_as_documented()
    {
        var row = new Connection
        {
            Id = 7, Timestamp = new DateTimeOffset(2024, 4, 19, 2, 0, 1, TimeSpan.FromHours(2)).AddMicroseconds(500), SrcMac = new MacAddress(0x020000000001),
            SrcIp = IPAddress.Parse("fe80::1%3"), DstIp = IPAddress.Loopback, DstPort = 53, Protocol = "UDP", DstLat = 52.5f, ThreatScore = 0.1f,
            Duration = TimeSpan.FromMicroseconds(1_500_000), BytesSent = -1, Metadata = new ConnectionMetadata { Service = "dns" },
        };

        Assert.Equal(
            """{"id":7,"timestamp":"2024-04-19T00:00:01.000500Z","src_mac":"02:00:00:00:00:01","src_ip":"fe80::1","dst_ip":"127.0.0.1","dst_port":53,"protocol":"UDP","dst_lat":52.5,"threat_score":0.1,"bytes_sent":-1,"duration":1.5,"metadata":{"service":"dns"}}""" + "\n",
            Encoding.UTF8.GetString(WriteJson([row])));
    }

    [Fact]
    public async Task Csv_looks_as_documented()
    {
        var row = new Connection { Id = 7, DstIp = IPAddress.Loopback, DstPort = 53, DstOrg = "", DstHostname = "a\"b,c\nd", Metadata = new ConnectionMetadata { Service = "dns" } };

        Assert.Equal(
            """
            id,timestamp,src_mac,src_ip,src_port,dst_ip,dst_port,protocol,dst_country,dst_lat,dst_lon,dst_org,dst_hostname,threat_score,threat_category,bytes_sent,bytes_received,duration,metadata
            7,,,,,127.0.0.1,53,,,,,"","a""b,c
            d",0,,,,,"{""service"":""dns""}"

            """.ReplaceLineEndings("\n"),
            Encoding.UTF8.GetString(await WriteCsvAsync([row])));
    }

    internal static byte[] WriteJson(IEnumerable<Connection> rows)
    {
        var buffer = new ArrayBufferWriter<byte>();
        using var writer = new TableJsonWriter(buffer);
        foreach (var row in rows)
            writer.Write(row);
        return buffer.WrittenSpan.ToArray();
    }

    internal static byte[] WriteJson(IEnumerable<DeviceSighting> rows)
    {
        var buffer = new ArrayBufferWriter<byte>();
        using var writer = new TableJsonWriter(buffer);
        foreach (var row in rows)
            writer.Write(row);
        return buffer.WrittenSpan.ToArray();
    }

    internal static async Task<byte[]> WriteCsvAsync(IEnumerable<Connection> rows)
    {
        using var target = new MemoryStream();
        await using (var writer = new TableCsvWriter(target, TableKind.Connections))
        {
            foreach (var row in rows)
                writer.Write(row);
            await writer.FlushAsync(TestContext.Current.CancellationToken);
        }

        return target.ToArray();
    }

    internal static async Task<byte[]> WriteCsvAsync(IEnumerable<DeviceSighting> rows)
    {
        using var target = new MemoryStream();
        await using (var writer = new TableCsvWriter(target, TableKind.Sightings))
        {
            foreach (var row in rows)
                writer.Write(row);
        }

        return target.ToArray();
    }

    internal static void AssertSame(Connection row, Connection back, bool compareTime = true)
    {
        if (compareTime)
            Assert.Equal(Microseconds(row.Timestamp), back.Timestamp);
        Assert.Equal(
            (row.SrcMac, row.SrcIp, row.SrcPort, row.DstIp, row.DstPort, row.Protocol),
            (back.SrcMac, back.SrcIp, back.SrcPort, back.DstIp, back.DstPort, back.Protocol));
        Assert.Equal(
            (row.DstCountry, row.DstLat, row.DstLon, row.DstOrg, row.DstHostname, row.ThreatScore, row.ThreatCategory),
            (back.DstCountry, back.DstLat, back.DstLon, back.DstOrg, back.DstHostname, back.ThreatScore, back.ThreatCategory));
        Assert.Equal((row.BytesSent, row.BytesReceived), (back.BytesSent, back.BytesReceived));
        Assert.Equal(row.Duration?.Ticks / 10, back.Duration?.Ticks / 10);
        // Of a key that stands twice the last one counts.
        Assert.Equal(ConnectionMetadata.Parse(row.Metadata.ToJson()), back.Metadata);
    }

    private static DateTimeOffset Microseconds(DateTimeOffset time)
        => new DateTimeOffset(time.UtcTicks - time.UtcTicks % TimeSpan.TicksPerMicrosecond, TimeSpan.Zero);
}
