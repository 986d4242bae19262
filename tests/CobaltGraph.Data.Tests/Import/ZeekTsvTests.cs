using System.Net;
using CobaltGraph.Model;

namespace CobaltGraph.Data.Tests.Import;

public class ZeekTsvTests
{
    [Fact]
    public async Task Row_becomes_a_connection_from_originator_to_responder()
    {
        var row = await Logs.ReadOneAsync(Logs.TsvHeader() + Logs.TsvRow() + "\n");

        Assert.Equal(new DateTimeOffset(2024, 4, 18, 23, 59, 44, TimeSpan.Zero).AddTicks(9626860), row.Timestamp);
        Assert.Equal(0x000d3a13e369, row.SrcMac!.Value.ToInt64());
        Assert.Equal(IPAddress.Parse("172.70.38.138"), row.SrcIp);
        Assert.Equal(21052, row.SrcPort);
        Assert.Equal(IPAddress.Parse("64.225.56.201"), row.DstIp);
        Assert.Equal(80, row.DstPort);
        Assert.Equal("TCP", row.Protocol);
        Assert.Equal(364, row.BytesSent);
        Assert.Equal(654, row.BytesReceived);
        Assert.Equal(TimeSpan.FromMicroseconds(65_022_705), row.Duration);
        Assert.Equal(new ConnectionMetadata { Service = "http", State = "SF", Uid = "Ch2ekr1Wxtgeoi4DS8" }, row.Metadata);
        Assert.Equal(0f, row.ThreatScore);
    }

    [Fact]
    public async Task Unset_fields_are_unknown()
    {
        var row = await Logs.ReadOneAsync(Logs.TsvHeader() + Logs.TsvRow(
            ("uid", "-"), ("service", "(empty)"), ("duration", "-"), ("orig_bytes", "-"), ("resp_bytes", "-"), ("conn_state", "-"), ("orig_l2_addr", "-")));

        Assert.Null(row.Duration);
        Assert.Null(row.BytesSent);
        Assert.Null(row.BytesReceived);
        Assert.Null(row.SrcMac);
        Assert.Equal(new ConnectionMetadata(), row.Metadata);
    }

    [Theory]
    [InlineData("ff:ff:ff:ff:ff:ff")]
    [InlineData("33:33:00:00:00:02")]
    [InlineData("01:00:5e:00:00:fb")]
    [InlineData("00:00:00:00:00:00")]
    public async Task Mac_that_cannot_be_a_device_is_no_device(string mac)
        => Assert.Null((await Logs.ReadOneAsync(Logs.TsvHeader() + Logs.TsvRow(("orig_l2_addr", mac)))).SrcMac);

    [Fact]
    public async Task Locally_administered_mac_is_a_device()
        => Assert.Equal(
            0x020000000001,
            (await Logs.ReadOneAsync(Logs.TsvHeader() + Logs.TsvRow(("orig_l2_addr", "02:00:00:00:00:01")))).SrcMac!.Value.ToInt64());

    [Fact]
    public async Task Icmp_type_and_code_stand_in_the_ports()
    {
        var row = await Logs.ReadOneAsync(Logs.TsvHeader() + Logs.TsvRow(("proto", "icmp"), ("id.orig_p", "3"), ("id.resp_p", "0")));

        Assert.Equal(("ICMP", 3, 0), (row.Protocol, row.SrcPort, row.DstPort));
    }

    [Theory]
    [InlineData("fe80::928d:78ff:fea8:e143", "fe80::928d:78ff:fea8:e143")]
    [InlineData("fe80::1%eth0", "fe80::1")]
    [InlineData("FE80::1%nonexistent-interface-7", "fe80::1")]
    [InlineData("::", "::")]
    [InlineData("::ffff:10.1.2.3", "::ffff:10.1.2.3")]
    [InlineData("1:2:3:4:5:6:7:8", "1:2:3:4:5:6:7:8")]
    [InlineData("0.0.0.0", "0.0.0.0")]
    [InlineData("255.255.255.255", "255.255.255.255")]
    public async Task Address_is_read_without_its_zone(string text, string expected)
    {
        var row = await Logs.ReadOneAsync(Logs.TsvHeader() + Logs.TsvRow(("id.orig_h", text), ("id.resp_h", text)));

        Assert.Equal(expected, row.SrcIp!.ToString());
        Assert.Equal(expected, row.DstIp.ToString());
        if (row.DstIp.AddressFamily == System.Net.Sockets.AddressFamily.InterNetworkV6)
            Assert.Equal(0, row.DstIp.ScopeId);
    }

    [Theory]
    [InlineData("udp", "UDP")]
    [InlineData("unknown_transport", "UNKNOWN")]
    [InlineData("Ipv6-icmp", "IPV6-ICMP")]
    [InlineData("abcdefghij", "ABCDEFGHIJ")]
    public async Task Protocol_is_upper_case_and_fits_its_column(string text, string expected)
        => Assert.Equal(expected, (await Logs.ReadOneAsync(Logs.TsvHeader() + Logs.TsvRow(("proto", text)))).Protocol);

    [Fact]
    public async Task Escapes_are_undone()
    {
        var row = await Logs.ReadOneAsync(Logs.TsvHeader() + Logs.TsvRow(
            ("uid", @"a\x09b\\x41\xc3\xa9"), ("service", @"\x2d"), ("conn_state", @"\x1b[31m\q\x4")));

        Assert.Equal("a\tb\\x41é", row.Metadata.Uid);
        Assert.Equal("-", row.Metadata.Service);
        Assert.Equal("\u001b[31m\\q\\x4", row.Metadata.State);
    }

    [Fact]
    public async Task Header_names_the_separators()
    {
        string[] fields = ["ts", "uid", "id.orig_h", "id.orig_p", "id.resp_h", "id.resp_p", "proto", "service"];
        var text = "#separator \\x7c\\x7c\n#set_separator||;\n#empty_field||EMPTY\n#unset_field||NONE\n#path||conn\n#fields||"
                   + string.Join("||", fields) + "\n#types||time||string||addr||port||addr||port||enum||set[string]\n"
                   + "1||NONE||1.2.3.4||1||5.6.7.8||2||tcp||http;ssl\n2||C-||1.2.3.4||1||5.6.7.8||2||tcp||EMPTY\n";
        var rows = (await Logs.ReadAsync(text)).Connections;

        Assert.Equal((null, "http,ssl"), (rows[0].Metadata.Uid, rows[0].Metadata.Service));
        Assert.Equal(("C-", null), (rows[1].Metadata.Uid, rows[1].Metadata.Service));
    }

    [Fact]
    public async Task Column_order_underscored_names_and_unknown_columns_do_not_matter()
    {
        string[] fields = ["_node_name", "proto", "id_resp_p", "id_resp_h", "id_orig_p", "id_orig_h", "local_orig", "ts"];
        var row = await Logs.ReadOneAsync(Logs.TsvHeader(fields) + "worker\tudp\t53\t10.0.0.4\t5353\t10.0.1.6\tT\t1.5\n");

        Assert.Equal((53, 5353, "UDP"), (row.DstPort, row.SrcPort, row.Protocol));
        Assert.Null(row.BytesSent);
    }

    [Fact]
    public async Task Header_that_changes_in_the_middle_is_followed()
    {
        string[] other = ["id.orig_h", "id.orig_p", "id.resp_h", "id.resp_p", "proto", "ts"];
        var rows = (await Logs.ReadAsync(
            Logs.TsvHeader() + Logs.TsvRow() + "\n#close\t2024-04-20-00-00-00\n"
            + Logs.TsvHeader(other) + "10.0.0.1\t1\t10.0.0.2\t2\tudp\t7\n"
            + "#separator ,\n#unset_field,NIL\n#path,conn\n#fields," + string.Join(',', other) + ",uid\n10.0.0.3,3,10.0.0.4,4,tcp,8,NIL\n")).Connections;

        Assert.Equal([80, 2, 4], rows.Select(r => r.DstPort));
        Assert.Null(rows[2].Metadata.Uid);
    }

    [Fact]
    public async Task Header_without_the_optional_lines_is_enough()
        => await Logs.ReadOneAsync("#fields\t" + string.Join('\t', Logs.TsvFields) + "\n" + Logs.TsvRow());

    [Theory]
    [InlineData("\uFEFF", "\n", true)]
    [InlineData("", "\r\n", true)]
    [InlineData("\n \n", "\n", false)]
    public async Task Byte_order_mark_crlf_and_blank_lines_do_not_matter(string start, string lineEnd, bool endsWithLine)
    {
        var text = start + (Logs.TsvHeader() + Logs.TsvRow() + "\n\n" + Logs.TsvRow() + (endsWithLine ? "\n" : ""))
            .Replace("\n", lineEnd, StringComparison.Ordinal);

        Assert.Equal(2, (await Logs.ReadAsync(text)).Connections.Count);
    }

    [Fact]
    public async Task Metadata_text_of_the_greatest_length_is_kept()
    {
        var uid = string.Concat(Enumerable.Repeat("é", 1000));

        Assert.Equal(uid, (await Logs.ReadOneAsync(Logs.TsvHeader() + Logs.TsvRow(("uid", uid)))).Metadata.Uid);
    }

    [Theory]
    [InlineData("ts")]
    [InlineData("id.orig_h")]
    [InlineData("id.orig_p")]
    [InlineData("id.resp_h")]
    [InlineData("id.resp_p")]
    [InlineData("proto")]
    public async Task Header_without_a_required_field_names_it(string missing)
    {
        var reading = await Logs.ReadAsync(Logs.TsvHeader(Logs.TsvFields.Where(f => f != missing)) + "x\n");

        Assert.Contains($"line 7: the header line '#fields' does not name {missing},", reading.Error, StringComparison.Ordinal);
        Assert.Empty(reading.Lines);
    }

    [Fact]
    public async Task Header_that_becomes_unusable_ends_the_file_after_the_rows_before()
    {
        var reading = await Logs.ReadAsync(Logs.TsvHeader() + Logs.TsvRow() + "\n#fields\tts\tuid\n1\tC\n");

        Assert.Single(reading.Stored);
        Assert.Contains("line 9:", reading.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Other_log_is_named()
        => Assert.Contains("log 'dns'", (await Logs.ReadAsync(Logs.TsvHeader(path: "dns") + Logs.TsvRow())).Error, StringComparison.Ordinal);

    [Fact]
    public async Task Log_without_a_path_that_has_all_that_conn_needs_is_told_by_the_columns_of_another()
        => Assert.Contains(
            "names columns of another log",
            (await Logs.ReadAsync(
                "#fields\tts\tid.orig_h\tid.orig_p\tid.resp_h\tid.resp_p\tproto\tquery\trcode\n1\t10.0.0.1\t1\t10.0.0.2\t53\tudp\tx\t0\n")).Error,
            StringComparison.Ordinal);

    [Fact]
    public async Task Row_before_the_header_says_what_to_do()
        => Assert.Contains("zeek-cut -c", (await Logs.ReadAsync("#separator \\x09\n" + Logs.TsvRow())).Error, StringComparison.Ordinal);

    [Fact]
    public async Task Log_without_header_says_what_to_do()
        => Assert.Contains("zeek-cut -c", (await Logs.ReadAsync(Logs.TsvRow())).Error, StringComparison.Ordinal);

    [Fact]
    public async Task Field_named_twice_in_the_header_is_an_error()
        => Assert.Contains(
            "names id.orig_h twice",
            (await Logs.ReadAsync(Logs.TsvHeader([.. Logs.TsvFields, "id_orig_h"]) + "x\n")).Error,
            StringComparison.Ordinal);
}
