using System.Net;
using System.Text;
using CobaltGraph.Data.Import;
using CobaltGraph.Model;

namespace CobaltGraph.Data.Tests.Import;

public class CsvTests
{
    private const string Header = "timestamp,src_mac,src_ip,src_port,dst_ip,dst_port,protocol,dst_org,threat_score,bytes_sent,duration,metadata\n";

    private const string Row = "2024-04-19T00:00:01.5Z,00:0d:3a:13:e3:69,10.0.1.6,54243,10.0.0.4,53,UDP,\"Example, Inc.\",1.5,39,0.001528,\"{\"\"service\"\":\"\"dns\"\"}\"\n";

    [Fact]
    public async Task Row_becomes_a_connection()
    {
        var row = await Logs.ReadOneAsync(Header + Row);

        Assert.Equal(new DateTimeOffset(2024, 4, 19, 0, 0, 1, 500, TimeSpan.Zero), row.Timestamp);
        Assert.Equal(0x000d3a13e369, row.SrcMac!.Value.ToInt64());
        Assert.Equal((IPAddress.Parse("10.0.1.6"), 54243, IPAddress.Parse("10.0.0.4"), 53), (row.SrcIp, row.SrcPort, row.DstIp, row.DstPort));
        Assert.Equal(("UDP", "Example, Inc.", 1.5f, 39L), (row.Protocol, row.DstOrg, row.ThreatScore, row.BytesSent));
        Assert.Equal(TimeSpan.FromMicroseconds(1528), row.Duration);
        Assert.Equal(new ConnectionMetadata { Service = "dns" }, row.Metadata);
    }

    [Fact]
    public async Task Few_columns_in_any_order_and_case_are_enough_and_the_id_is_not_read()
    {
        var row = await Logs.ReadOneAsync("DST_PORT,id,Dst_Ip\n53,not a number,10.0.0.4\n");

        Assert.Equal((53, 0L, null, null), (row.DstPort, row.Id, row.Protocol, row.SrcIp));
        Assert.Equal(default, row.Timestamp);
    }

    [Fact]
    public async Task Row_becomes_a_sighting()
        => Assert.Equal(
            new DeviceSighting
            {
                MacAddress = MacAddress.Parse("00:0d:3a:13:e3:69"), IpAddress = IPAddress.Parse("fe80::1"), Hostname = "a\nb", Vendor = "Example, Inc.",
                DeviceType = "router", SeenAt = DateTimeOffset.UnixEpoch.AddSeconds(1.5), Source = "mdns", ConfidenceScore = 0.25f,
                Metadata = DeviceMetadata.Parse("""{"tags":["a","b"],"rack":{"unit":4.0}}"""),
            },
            await Logs.ReadSightingAsync(
                "metadata,source,last_seen,device_type,vendor,hostname,ip_address,mac_address,confidence_score\n"
                + "\"{\"\"rack\"\":{\"\"unit\"\":4.0},\"\"tags\"\":[\"\"a\"\",\"\"b\"\"]}\",mdns,1.5,router,\"Example, Inc.\",\"a\nb\",fe80::1,000d.3a13.e369,0.25\n"));

    [Theory]
    [InlineData("", null)]
    [InlineData("\"\"", "")]
    [InlineData(" ", " ")]
    [InlineData("NULL", "NULL")]
    [InlineData("\"a\"\"b\"", "a\"b")]
    [InlineData("\"a\nb\"", "a\nb")]
    [InlineData("\"a\r\nb\"", "a\r\nb")]
    [InlineData("\"a\rb\"", "a\rb")]
    [InlineData("\"\n\n\n\"", "\n\n\n")]
    [InlineData("\uFEFFa", "\uFEFFa")]
    public async Task Text_is_null_empty_or_as_it_is(string field, string? expected)
    {
        foreach (var lineEnd in (string[])["\n", "\r\n", ""])
        {
            Assert.Equal(expected, (await Logs.ReadOneAsync($"dst_ip,dst_port,dst_org\n10.0.0.4,53,{field}{lineEnd}")).DstOrg);
            Assert.Equal(expected, (await Logs.ReadOneAsync($"dst_org,dst_ip,dst_port\n{field},10.0.0.4,53{lineEnd}")).DstOrg);
        }
    }

    [Fact]
    public async Task Quoted_empty_values_that_are_no_text_are_null()
    {
        var row = await Logs.ReadOneAsync("timestamp,src_mac,src_ip,src_port,dst_ip,dst_port,dst_lat,bytes_sent,duration,metadata\n\"\",\"\",\"\",\"\",\"10.0.0.4\",\"53\",\"\",\"\",\"\",\"\"");

        Assert.Equal((null, null, null, null, null, null), (row.SrcMac, row.SrcIp, row.SrcPort, row.DstLat, row.BytesSent, row.Duration));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(5)]
    [InlineData(100_000)]
    public async Task Quoted_line_ends_count_as_lines_however_the_bytes_come(int chunk)
    {
        var text = "dst_ip,dst_port,dst_org\r\n10.0.0.4,1,\"a\r\nb\"\r\n\r\n10.0.0.4,x,\"c\nd\ne\"\n10.0.0.4,3,last";
        var reading = await Logs.ReadAsync(new ChunkStream(Encoding.UTF8.GetBytes(text), chunk, isAsynchronous: true));

        Assert.Equal([2L, 5L, 8L], reading.Lines.Select(l => l.LineNumber));
        Assert.Equal("10.0.0.4,1,\"a\r\nb\"", Encoding.UTF8.GetString(reading.Lines[0].Raw.Span));
        Assert.Equal("10.0.0.4,x,\"c\nd\ne\"", Encoding.UTF8.GetString(reading.Lines[1].Raw.Span));
        Assert.StartsWith("dst_port 'x' is not a port", reading.Lines[1].Rejection!.Reason, StringComparison.Ordinal);
        Assert.Equal([1, 3], reading.Stored.Select(r => r.DstPort));
    }

    [Fact]
    public async Task Quote_that_is_never_closed_costs_its_line_only()
    {
        var text = "dst_ip,dst_port,dst_org\n10.0.0.4,1,\"open\n" + string.Concat(Enumerable.Range(2, 1000).Select(i => $"10.0.0.4,{i},x\n"));
        var reading = await Logs.ReadAsync(text);

        Assert.Equal(Enumerable.Range(2, 1000), reading.Stored.Select(r => r.DstPort));
        Assert.Contains("opens a quoted field that does not end", Assert.Single(reading.Rejections).Reason, StringComparison.Ordinal);
        Assert.Equal(2, reading.Rejections[0].LineNumber);
    }

    [Fact]
    public async Task Two_stray_quotes_far_apart_cost_their_lines_only()
    {
        var rows = Enumerable.Range(0, 1000).Select(i => $"10.0.0.4,{i},{(i is 100 or 800 ? "5\" disk" : "x")}\n");
        var reading = await Logs.ReadAsync("dst_ip,dst_port,dst_org\n" + string.Concat(rows));

        Assert.Equal([102L, 802L], reading.Rejections.Select(r => r.LineNumber));
        Assert.Equal(998, reading.Stored.Count);
    }

    [Fact]
    public async Task Stray_quotes_beside_broken_utf8_cost_their_lines_only()
    {
        var rows = Enumerable.Range(0, 100).Select(i => i is 10 or 80 ? $"10.0.0.4,{i},\u00ff5\" disk\n" : $"10.0.0.4,{i},x\n");
        var reading = await Logs.ReadAsync(Encoding.Latin1.GetBytes("dst_ip,dst_port,dst_org\n" + string.Concat(rows)));

        Assert.Equal(98, reading.Stored.Count);
        Assert.Equal([12L, 82L], reading.Rejections.Select(r => r.LineNumber));
    }

    [Theory]
    [InlineData("\u00ff\u00fe1\0,\0\"\0\n\0")]
    [InlineData("\u00fe\u00ff\0a\0,\0b")]
    [InlineData("\0\0\u00fe\u00ff\0\0\0a")]
    public async Task Mark_of_another_encoding_within_a_file_does_not_change_it(string line)
    {
        var reading = await Logs.ReadAsync(Encoding.Latin1.GetBytes($"dst_ip,dst_port,dst_org\n10.0.0.4,1,x\n{line}\n10.0.0.4,2,x\n"));

        Assert.Equal([1, 2], reading.Stored.Select(r => r.DstPort));
        Assert.Contains(reading.Rejections, r => r.Reason.StartsWith("is not UTF-8", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Quotes_that_pair_up_over_many_lines_cost_no_row_between_them()
    {
        // As one record it has well-formed quotes and the wrong number of fields.
        var rows = Enumerable.Range(0, 100).Select(i => i switch { 10 => "10.0.0.4,10,\"open\n", 90 => "10.0.0.4,90,x\",y\n", _ => $"10.0.0.4,{i},x\n" });
        var reading = await Logs.ReadAsync("dst_ip,dst_port,dst_org\n" + string.Concat(rows));

        Assert.Equal(98, reading.Stored.Count);
        Assert.Equal([12L, 92L], reading.Rejections.Select(r => r.LineNumber));
        Assert.Contains("runs to line 92", reading.Rejections[0].Reason, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Endless_quoted_field_is_bounded()
    {
        var reading = await Logs.ReadAsync(
            Encoding.UTF8.GetBytes("dst_ip,dst_port,dst_org\n10.0.0.4,1,\"" + string.Concat(Enumerable.Repeat("line\n", 2000)) + "10.0.0.4,3,x\n"),
            new ImportOptions { MaxLineBytes = 1000 });

        Assert.Equal(3, Assert.Single(reading.Stored).DstPort);
        Assert.Equal(2000, reading.Rejections.Count);
        Assert.Contains("none closes it within 1000 bytes", reading.Rejections[0].Reason, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Header_that_comes_again_or_changes_is_followed()
    {
        var reading = await Logs.ReadAsync(
            "dst_ip,dst_port\n10.0.0.1,1\ndst_ip,dst_port\n10.0.0.2,2\n\uFEFFdst_port,\"dst_ip\",protocol\n3,10.0.0.3,TCP\n");

        Assert.Empty(reading.Rejections);
        Assert.Equal([1, 2, 3], reading.Stored.Select(r => r.DstPort));
        Assert.Same(reading.Lines[0].Header, reading.Lines[1].Header);
        Assert.Equal("dst_port,\"dst_ip\",protocol\n", Encoding.UTF8.GetString(reading.Lines[2].Header!.Bytes.Span));
    }

    [Fact]
    public async Task Header_of_the_other_kind_in_the_middle_begins_rows_that_are_rejected()
    {
        var reading = await Logs.ReadAsync("dst_ip,dst_port\n10.0.0.1,1\nmac_address,hostname\n02:00:00:00:00:01,a\ndst_ip,dst_port\n10.0.0.2,2\n");

        Assert.Equal([1, 2], reading.Stored.Select(r => r.DstPort));
        Assert.Contains("sighting among connections", Assert.Single(reading.Rejections).Reason, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Names_of_columns_are_no_header_where_they_are_values()
        => Assert.Equal("dst_hostname", (await Logs.ReadOneAsync("dst_hostname,dst_org,dst_ip,dst_port\ndst_hostname,dst_org,10.0.0.1,1\n")).DstHostname);

    [Theory]
    [InlineData("mac_address,hostname\n02:00:00:00:00:01,a\n01:00:5e:00:00:01,source\n02:00:00:00:00:02,b\n")]
    [InlineData("mac_address,hostname\n02:00:00:00:00:01,a\nsource\n02:00:00:00:00:02,b\n")]
    [InlineData("dst_ip,dst_port\n10.0.0.1,1\nduration\n10.0.0.2,2\n")]
    public async Task Names_of_columns_in_a_bad_row_make_no_header_of_it(string text)
    {
        var reading = await Logs.ReadAsync(text);

        Assert.Null(reading.Error);
        Assert.Equal(2, reading.Lines.Count - reading.Rejections.Count);
        Assert.Equal(3, Assert.Single(reading.Rejections).LineNumber);
    }

    [Theory]
    [InlineData("dst_ip,dst_port,colour,size\n", "the header names 'colour', 'size', which are no columns of connections; accepted are id, timestamp,")]
    [InlineData("mac_address,dst_ip\n", "the header names 'dst_ip', which is no column of sightings; accepted are mac_address,")]
    [InlineData("mac_address,seen_at,last_seen\n", "names the column seen_at twice")]
    [InlineData("dst_ip,dst_port,DST_IP\n", "names the column dst_ip twice")]
    [InlineData("dst_ip,protocol\n", "does not name dst_port")]
    [InlineData("hostname,vendor\n", "does not name mac_address")]
    [InlineData("metadata,hostname\n", "does not name mac_address")]
    [InlineData("metadata,protocol\n", "does not name dst_ip")]
    [InlineData("metadata\n", "does not name dst_ip")]
    [InlineData("metadata,dst_ip,dst_port,confidence_score\n", "names 'confidence_score', which is no column of connections")]
    [InlineData("dst_ip;dst_port\n", "names our columns, but not between commas")]
    [InlineData("dst_ip\tdst_port\n", "names our columns, but not between commas")]
    [InlineData("\"dst_ip\n", "starts with '\"dst_ip'")]
    [InlineData("10.0.0.1,53\n", "nor the names of our columns")]
    [InlineData("dst_ip,dst_port\n1.2.3.4,5\ndst_ip,dst_port,colour\n", "line 3: the header names 'colour'")]
    [InlineData("dst_ip,dst_port\n1.2.3.4,5\nsrc_ip,src_port\n1.2.3.5,6\n", "line 3: the header does not name dst_ip")]
    public async Task Header_that_cannot_be_used_is_an_error(string text, string expected)
        => Assert.Contains(expected, (await Logs.ReadAsync(text)).Error, StringComparison.Ordinal);

    [Fact]
    public async Task Plain_and_packed_csv_are_told_by_content()
        => Assert.Single((await Logs.ReadAsync(Logs.Gzip("\uFEFF" + Header + Row))).Connections);
}
