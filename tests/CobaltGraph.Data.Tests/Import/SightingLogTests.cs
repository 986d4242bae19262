using System.Net;
using CobaltGraph.Model;

namespace CobaltGraph.Data.Tests.Import;

/// <summary>What ARP and DHCP logs say of devices.</summary>
public class SightingLogTests
{
    private static readonly MacAddress Sensor = MacAddress.Parse("90:8d:78:a8:e1:43");

    [Fact]
    public async Task Arp_line_is_the_claim_of_its_sender()
        => Assert.Equal(
            new DeviceSighting
            {
                MacAddress = Sensor,
                IpAddress = IPAddress.Parse("192.168.0.60"),
                SeenAt = new DateTimeOffset(2016, 4, 21, 13, 2, 43, TimeSpan.Zero).AddTicks(1948490),
                Source = "arp",
            },
            await Logs.ReadSightingAsync(Logs.GoodArp));

    [Theory]
    [InlineData("\"0.0.0.0\"")]
    [InlineData("\"::\"")]
    [InlineData("null")]
    [InlineData("\"\"")]
    public async Task Arp_sender_without_address_is_seen_without_address(string address)
        => Assert.Null((await Logs.ReadSightingAsync(Logs.Change(Logs.GoodArp, ("\"192.168.0.60\"", address)))).IpAddress);

    [Fact]
    public async Task Frame_that_carries_another_mac_does_not_matter()
        => Assert.Equal(Sensor, (await Logs.ReadSightingAsync(Logs.Change(Logs.GoodArp, ("\"src_mac\":\"90:8d:78:a8:e1:43\"", "\"src_mac\":\"02:00:00:00:00:01\"")))).MacAddress);

    [Fact]
    public async Task Dhcp_acknowledgement_gives_address_and_host_name_and_no_vendor()
        => Assert.Equal(
            new DeviceSighting
            {
                MacAddress = Sensor,
                IpAddress = IPAddress.Parse("10.10.10.72"),
                Hostname = "DCH-S150",
                SeenAt = new DateTimeOffset(2016, 4, 21, 13, 2, 55, TimeSpan.Zero).AddTicks(3288450),
                Source = "dhcp",
            },
            await Logs.ReadSightingAsync(Logs.GoodDhcp));

    [Theory]
    [InlineData("\"DISCOVER\"", false)]
    [InlineData("\"OFFER\"", false)]
    [InlineData("\"REQUEST\"", false)]
    [InlineData("\"NAK\"", false)]
    [InlineData("\"RELEASE\"", false)]
    [InlineData("106", false)]
    [InlineData("null", false)]
    [InlineData("[\"DISCOVER\",\"OFFER\"]", false)]
    [InlineData("[]", false)]
    [InlineData("[\"REQUEST\",\"ACK\"]", true)]
    [InlineData("\"ack\"", true)]
    public async Task Address_is_held_only_once_it_is_acknowledged(string type, bool isHeld)
        => Assert.Equal(isHeld, (await Logs.ReadSightingAsync(Logs.Change(Logs.GoodDhcp, ("\"ACK\"", type)))).IpAddress is not null);

    [Theory]
    [InlineData("\"host_name\":\"a\",\"client_fqdn\":\"a.example\"", "a")]
    [InlineData("\"client_fqdn\":\"d002465.\"", "d002465")]
    [InlineData("\"host_name\":\"\",\"client_fqdn\":\"b\"", "b")]
    [InlineData("\"host_name\":\"old\\u0000\\u0000\"", "old")]
    [InlineData("\"host_name\":\"caf\\u00e9\"", "café")]
    [InlineData("\"host_name\":null", null)]
    [InlineData("\"x\":1", null)]
    public async Task Host_name_is_the_one_that_the_device_gave(string members, string? expected)
        => Assert.Equal(expected, (await Logs.ReadSightingAsync(Logs.Change(Logs.GoodDhcp, ("\"host_name\":\"DCH-S150\"", members)))).Hostname);

    [Fact]
    public async Task Lines_of_arp_and_dhcp_may_be_mixed()
    {
        var reading = await Logs.ReadAsync($"{Logs.GoodArp}\n{Logs.GoodDhcp}\n{Logs.GoodArp}\n");

        Assert.Empty(reading.Rejections);
        Assert.Equal(["arp", "dhcp", "arp"], reading.Sightings.Select(s => s.Source));
    }

    [Fact]
    public async Task Zeek_dhcp_as_json_is_read()
    {
        var sighting = await Logs.ReadSightingAsync(
            """{"ts":1610645141.5,"uids":["C35eXU"],"client_addr":"192.168.0.15","server_addr":"192.168.0.1","mac":"f4:8e:38:8b:b6:03","host_name":"pc","assigned_addr":"192.168.0.15","lease_time":0.0,"msg_types":["REQUEST","ACK"],"duration":0.1}""");

        Assert.Equal(("192.168.0.15", "pc", "dhcp"), (sighting.IpAddress?.ToString(), sighting.Hostname, sighting.Source));
    }

    [Theory]
    [InlineData("assigned_addr", "REQUEST,ACK", "192.168.0.15")]
    [InlineData("assigned_addr", "DISCOVER,OFFER", null)]
    [InlineData("assigned_addr", "-", null)]
    [InlineData("assigned_ip", "-", "192.168.0.15")]
    public async Task Zeek_dhcp_as_tsv_is_read_in_its_old_and_new_form(string column, string messages, string? expected)
    {
        var sighting = await Logs.ReadSightingAsync(
            Logs.TsvHeader(["ts", "uid", "id.orig_h", "id.orig_p", "id.resp_h", "id.resp_p", "mac", column, "host_name", "msg_types"], "dhcp")
            + "#types\ttime\tstring\taddr\tport\taddr\tport\tstring\taddr\tstring\tvector[string]\n"
            + $"1610645141.523272\tC35\t192.168.0.15\t68\t192.168.0.1\t67\tf4:8e:38:8b:b6:03\t192.168.0.15\t-\t{messages}\n#close\tx\n");

        Assert.Equal((expected, null), (sighting.IpAddress?.ToString(), sighting.Hostname));
    }

    [Fact]
    public async Task Dhcp_log_is_told_by_its_columns_where_the_path_is_missing()
        => Assert.Equal("dhcp", (await Logs.ReadSightingAsync("#fields\tts\tmac\tassigned_ip\n1\tf4:8e:38:8b:b6:03\t10.0.0.1\n")).Source);

    [Fact]
    public async Task Path_that_changes_without_its_columns_is_an_error()
        => Assert.Contains(
            "before the header line '#fields'",
            (await Logs.ReadAsync(Logs.TsvHeader() + Logs.TsvRow() + "\n#path\tdhcp\n" + Logs.TsvRow())).Error,
            StringComparison.Ordinal);

    [Fact]
    public async Task Connection_and_dhcp_lines_in_one_file_are_read_as_the_first_and_rejected_as_the_others()
    {
        var reading = await Logs.ReadAsync(
            Logs.TsvHeader() + Logs.TsvRow() + "\n" + Logs.TsvHeader(["ts", "mac"], "dhcp") + "1\tf4:8e:38:8b:b6:03\n" + Logs.TsvHeader() + Logs.TsvRow() + "\n");

        Assert.Null(reading.Error);
        Assert.Equal(2, reading.Stored.Count);
        Assert.Contains("is a sighting among connections", Assert.Single(reading.Rejections).Reason, StringComparison.Ordinal);

        reading = await Logs.ReadAsync($"{Logs.GoodArp}\n{Logs.GoodJson}\n{Logs.GoodDhcp}\n");

        Assert.Equal(2, reading.Sightings.Count);
        Assert.Contains("is a connection among sightings", Assert.Single(reading.Rejections).Reason, StringComparison.Ordinal);
    }
}
