using System.Net;
using CobaltGraph.Model;

namespace CobaltGraph.Data.Tests.Import;

public class ZeekJsonTests
{
    [Theory]
    [InlineData("id.")]
    [InlineData("id_")]
    [InlineData("\\u0069d.")]
    public async Task Object_becomes_a_connection_in_both_spellings(string prefix)
    {
        var row = await Logs.ReadOneAsync(Logs.GoodJson.Replace("id.", prefix, StringComparison.Ordinal));

        Assert.Equal(new DateTimeOffset(2020, 4, 30, 0, 6, 39, TimeSpan.Zero).AddTicks(8243700), row.Timestamp);
        Assert.Equal(0x000d3a13e369, row.SrcMac!.Value.ToInt64());
        Assert.Equal(IPAddress.Parse("10.0.1.6"), row.SrcIp);
        Assert.Equal(54243, row.SrcPort);
        Assert.Equal(IPAddress.Parse("10.0.0.4"), row.DstIp);
        Assert.Equal(53, row.DstPort);
        Assert.Equal("UDP", row.Protocol);
        Assert.Equal((39, 55), (row.BytesSent, row.BytesReceived));
        Assert.Equal(TimeSpan.FromMicroseconds(1528), row.Duration);
        Assert.Equal(new ConnectionMetadata { Service = "dns", State = "SF", Uid = "Cvf4XX17hSAgXDdGEd" }, row.Metadata);
    }

    [Fact]
    public async Task Keys_that_are_absent_or_null_are_unknown()
    {
        var row = await Logs.ReadOneAsync(
            """{"ts":0.0,"id.orig_h":"::","id.orig_p":135,"id.resp_h":"ff02::1:ffa4:e108","id.resp_p":0,"proto":"icmp","service":null,"duration":null,"orig_bytes":null}""");

        Assert.Equal(DateTimeOffset.UnixEpoch, row.Timestamp);
        Assert.Null(row.Duration);
        Assert.Null(row.BytesSent);
        Assert.Null(row.BytesReceived);
        Assert.Null(row.SrcMac);
        Assert.Equal(new ConnectionMetadata(), row.Metadata);
    }

    [Fact]
    public async Task Unknown_keys_of_any_type_are_passed_over()
        => await Logs.ReadOneAsync(Logs.Json(("\"ts\"", """ "a":[1,{"ts":2}],"b":{"id.orig_h":[]},"c":true,"d":"\ud800","vlan":5,"d":1e200000,"ts" """.Trim())));

    [Theory]
    [InlineData("\"2020-04-30T00:06:39.824370Z\"")]
    [InlineData("\"2020-04-30T02:06:39.824370+02:00\"")]
    [InlineData("\"1588205199.82437\"")]
    [InlineData("1.58820519982437e9")]
    public async Task Timestamp_may_be_a_number_or_iso_8601(string ts)
        => Assert.Equal(
            new DateTimeOffset(2020, 4, 30, 0, 6, 39, TimeSpan.Zero).AddTicks(8243700),
            (await Logs.ReadOneAsync(Logs.Json(("1588205199.82437", ts)))).Timestamp);

    [Theory]
    [InlineData("7e-06", 7)]
    [InlineData("0.001528024673461914", 1528)]
    [InlineData("1901.2162079811096", 1_901_216_208)]
    [InlineData("0", 0)]
    public async Task Duration_is_rounded_to_the_microsecond(string text, long microseconds)
        => Assert.Equal(TimeSpan.FromMicroseconds(microseconds), (await Logs.ReadOneAsync(Logs.Json(("0.001528", text)))).Duration);

    [Theory]
    [InlineData("""["http","ssl"]""", "http,ssl")]
    [InlineData("""["http"]""", "http")]
    [InlineData("[]", null)]
    [InlineData("\"\"", null)]
    [InlineData("\"gssapi,smb,krb\"", "gssapi,smb,krb")]
    [InlineData("""["\u00e9",""]""", "é,")]
    public async Task Service_may_be_a_set(string json, string? expected)
        => Assert.Equal(expected, (await Logs.ReadOneAsync(Logs.Json(("\"dns\"", json)))).Metadata.Service);

    [Theory]
    [InlineData("\"@stream\":\"conn\"")]
    [InlineData("\"_path\":\"conn\"")]
    [InlineData("\"_path\":\"co\\u006en\"")]
    public async Task Line_that_names_the_conn_log_is_read(string member)
        => await Logs.ReadOneAsync(Logs.Json(("{\"ts\"", "{" + member + ",\"ts\"")));

    [Fact]
    public async Task Hostile_text_is_stored_as_it_is()
        => Assert.Equal(
            "\u001b]0;x\u0007\u202e<script>'; DROP TABLE devices;--😀",
            (await Logs.ReadOneAsync(Logs.Json(("Cvf4XX17hSAgXDdGEd", "\\u001b]0;x\\u0007\\u202e<script>'; DROP TABLE devices;--\\ud83d\\ude00")))).Metadata.Uid);

    [Fact]
    public async Task Bytes_are_exact_beyond_what_a_double_holds()
        => Assert.Equal(9007199254740993, (await Logs.ReadOneAsync(Logs.Json((":39", ":9007199254740993")))).BytesSent);

    [Fact]
    public async Task Byte_order_mark_crlf_blank_lines_and_spaces_do_not_matter()
        => Assert.Equal(3, (await Logs.ReadAsync($"\uFEFF\r\n{Logs.GoodJson}\r\n\r\n  {Logs.GoodJson}  \n \t \n{Logs.GoodJson}")).Connections.Count);

    [Fact]
    public async Task Array_of_objects_says_what_to_do()
        => Assert.Contains("jq -c", (await Logs.ReadAsync($"[{Logs.GoodJson}]")).Error, StringComparison.Ordinal);
}
