using System.Net;
using CobaltGraph.Data.Queries;
using CobaltGraph.Model;

namespace CobaltGraph.Data.Tests.Queries;

public class FilterTests
{
    [Fact]
    public void Connection_filter_is_read_from_text()
    {
        (string, string)[] conditions =
        [
            ("from", "2026-03-01"), ("until", "2026-03-02T01:30:00+01:00"), ("device", "02:00:5E:00:00:01,02005e000002"),
            ("device", "02-00-5e-00-00-03"), ("source", "10.0.0.77/24"), ("destination", "2001:db8::1"), ("port", "443, 1000-2000"),
            ("port", "53"), ("protocol", "tcp"), ("country", "de"), ("organization", "Example"), ("hostname", "a_b"),
            ("level", "High,critical"), ("min-score", "2.5"), ("max-score", "10"), ("category", "c2"), ("metadata", """{"service": "dns"}"""),
        ];

        var filter = conditions.Aggregate(new ConnectionFilter(), (all, condition) => all.With(condition.Item1, condition.Item2));

        Assert.Equal(new DateTimeOffset(2026, 3, 1, 0, 0, 0, TimeSpan.Zero), filter.From);
        Assert.Equal(new DateTimeOffset(2026, 3, 2, 0, 30, 0, TimeSpan.Zero), filter.Until);
        Assert.Equal([ConnectionRows.Device(1), ConnectionRows.Device(2), ConnectionRows.Device(3)], filter.Devices);
        Assert.Equal(IPNetwork.Parse("10.0.0.0/24"), filter.Source);
        Assert.Equal(IPNetwork.Parse("2001:db8::1/128"), filter.Destination);
        Assert.Equal([new PortRange(443), new PortRange(1000, 2000), new PortRange(53)], filter.Ports);
        Assert.Equal([ThreatLevel.High, ThreatLevel.Critical], filter.Levels);
        Assert.Equal((2.5f, 10f), (filter.MinScore, filter.MaxScore));
        Assert.Equal(
            ("tcp", "de", "Example", "a_b", "c2"),
            (filter.Protocol, filter.Country, filter.Organization, filter.Hostname, filter.Category));
        filter.Check();
    }

    [Fact]
    public void Device_filter_is_read_from_text()
    {
        (string, string)[] conditions =
        [
            ("status", "active,Idle"), ("vendor", "Exa"), ("type", "router"), ("address", "10.0.0.0/8"), ("mac", "B8-27-EB"),
            ("hostname", "cam"), ("tag", "a, b"), ("metadata", "{}"), ("level", "high"), ("seen-since", "2026-03-01 12:00"),
            ("locally-administered", "no"),
        ];

        var filter = conditions.Aggregate(new DeviceFilter(), (all, condition) => all.With(condition.Item1, condition.Item2));

        Assert.Equal([DeviceStatus.Active, DeviceStatus.Idle], filter.Statuses);
        Assert.Equal(["a", "b"], filter.Tags);
        Assert.Equal([DeviceThreatLevel.High], filter.Levels);
        Assert.Equal(new DateTimeOffset(2026, 3, 1, 12, 0, 0, TimeSpan.Zero), filter.SeenSince);
        Assert.False(filter.IsLocallyAdministered);
        Assert.Equal((MacAddress.Parse("b8:27:eb:00:00:00"), MacAddress.Parse("b8:27:eb:ff:ff:ff")), filter.MacRange());
    }

    [Theory]
    [InlineData("0:c:29", "00:0c:29:00:00:00", "00:0c:29:ff:ff:ff")]
    [InlineData("8-0-2b", "08:00:2b:00:00:00", "08:00:2b:ff:ff:ff")]
    [InlineData("b8:2", "b8:20:00:00:00:00", "b8:2f:ff:ff:ff:ff")]
    [InlineData("b827.eb", "b8:27:eb:00:00:00", "b8:27:eb:ff:ff:ff")]
    [InlineData("b827eb:1", "b8:27:eb:10:00:00", "b8:27:eb:1f:ff:ff")]
    [InlineData("b", "b0:00:00:00:00:00", "bf:ff:ff:ff:ff:ff")]
    public void Prefix_of_a_mac_address_means_what_the_address_means(string prefix, string first, string last)
        => Assert.Equal((MacAddress.Parse(first), MacAddress.Parse(last)), new DeviceFilter { MacPrefix = prefix }.MacRange());

    [Theory]
    [InlineData("from", "yesterday", "from: 'yesterday' is not a time. Accepted: ISO 8601, such as 2026-03-01, 2026-03-01T12:00:00Z or 2026-03-01T12:00:00+01:00; without an offset it is UTC.")]
    [InlineData("until", "2026-02-30", "until: '2026-02-30' is not a time. Accepted: ISO 8601, such as")]
    [InlineData("device", "aa:bb", "device: 'aa:bb' is not a MAC address. Accepted: six octets, such as aa:bb:cc:dd:ee:ff.")]
    [InlineData("source", "10.0.0", "source: '10.0.0' is not an address. Accepted: an address or a network, such as 10.0.0.5, 10.0.0.0/24, 2001:db8::1 or 2001:db8::/32.")]
    [InlineData("destination", "10.0.0.0/33", "destination: '10.0.0.0/33' has no prefix length of 0 to 32. Accepted: an address or a network")]
    [InlineData("destination", "fe80::1%eth0", "destination: 'fe80::1%eth0' is not an address.")]
    [InlineData("destination", "10.0.0.0/-1", "destination: '10.0.0.0/-1' has no prefix length of 0 to 32.")]
    [InlineData("port", "65536", "port: '65536' is not a port or a range of ports. Accepted: a port from 0 to 65535 or a range such as 1000-2000; several with commas between.")]
    [InlineData("port", "20-10", "port: '20-10' is an inverted range. Accepted: ports from 0 to 65535, the smaller first.")]
    [InlineData("port", "1,,2", "port: '' is not a port or a range of ports.")]
    [InlineData("protocol", "", "protocol: '' cannot be searched. Accepted: 1 to 10 characters, none of them NUL.")]
    [InlineData("country", "Germany", "country: 'Germany' is not a country. Accepted: two letters of ISO 3166-1, such as DE.")]
    [InlineData("organization", "a\0b", "organization: 'a\\x00b' cannot be searched. Accepted: 1 to 255 characters, none of them NUL.")]
    [InlineData("level", "severe", "level: 'severe' is not a threat level. Accepted: low, medium, high, critical.")]
    [InlineData("min-score", "11", "min-score: '11' is not a threat score. Accepted: a number from 0 to 10.")]
    [InlineData("max-score", "NaN", "max-score: 'NaN' is not a threat score.")]
    [InlineData("metadata", "[1]", "metadata: '[1]' is not a JSON object that can be stored. Accepted: a JSON object of what the metadata must contain, such as {\"service\": \"dns\"}.")]
    [InlineData("metadata", "{", "metadata: '{' is not a JSON object that can be stored.")]
    [InlineData("metadata", "{\"a\": \"\\u0000\"}", "metadata: '{\"a\": \"\\u0000\"}' is not a JSON object that can be stored.")]
    [InlineData("metadata", "{\"a\": \"\\ud800\"}", "metadata: '{\"a\": \"\\ud800\"}' is not a JSON object that can be stored.")]
    [InlineData("metadata", "{\"a\": 1e999999}", "metadata: '{\"a\": 1e999999}' is not a JSON object that can be stored.")]
    [InlineData("metadata", "{\"a\": 1e-20000}", "metadata: '{\"a\": 1e-20000}' is not a JSON object that can be stored.")]
    [InlineData("contry", "DE", "filter: 'contry' is not a field; perhaps 'country' is meant. Accepted: from, until, device,")]
    [InlineData("Country", "DE", "filter: 'Country' is not a field; perhaps 'country' is meant.")]
    [InlineData("; DROP TABLE connections", "1", "filter: '; DROP TABLE connections' is not a field. Accepted:")]
    public void Bad_condition_on_connections_is_refused_by_name(string field, string value, string message)
        => Assert.StartsWith(
            message, Assert.Throws<QueryFilterException>(() => new ConnectionFilter().With(field, value)).Message, StringComparison.Ordinal);

    [Theory]
    [InlineData("status", "gone", "status: 'gone' is not a device status. Accepted: discovered, active, idle, offline.")]
    [InlineData("address", "::1/129", "address: '::1/129' has no prefix length of 0 to 128.")]
    [InlineData("mac", "b82:7", "mac: 'b82:7' is neither a MAC address nor the beginning of one.")]
    [InlineData("mac", "b8::27", "mac: 'b8::27' is neither a MAC address nor the beginning of one.")]
    [InlineData("mac", "-1", "mac: '-1' is neither a MAC address nor the beginning of one.")]
    [InlineData("mac", "b8:27:zz", "mac: 'b8:27:zz' is neither a MAC address nor the beginning of one. Accepted: 1 to 12 hexadecimal digits, such as b8:27:eb, in groups of 2, 4 or 6 if any.")]
    [InlineData("mac", "", "mac: '' is neither a MAC address nor the beginning of one.")]
    [InlineData("tag", "a,,b", "tag: '' cannot be searched.")]
    [InlineData("level", "critical", "level: 'critical' is not a threat level of a device. Accepted: low, medium, high.")]
    [InlineData("seen-since", "now", "seen-since: 'now' is not a time.")]
    [InlineData("locally-administered", "perhaps", "locally-administered: 'perhaps' is neither yes nor no. Accepted: yes, no, true or false.")]
    [InlineData("vendr", "x", "filter: 'vendr' is not a field; perhaps 'vendor' is meant.")]
    public void Bad_condition_on_devices_is_refused_by_name(string field, string value, string? message)
    {
        if (message is null)
        {
            Assert.Equal(MacAddress.Parse("10:00:00:00:00:00"), new DeviceFilter().With(field, value).MacRange().First);
            return;
        }

        Assert.StartsWith(
            message, Assert.Throws<QueryFilterException>(() => new DeviceFilter().With(field, value)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Half_of_a_character_is_refused()
    {
        foreach (var half in (string[])["a\ud800", "\udc00a", "\ud800\ud800\udc00"])
            Assert.Throws<QueryFilterException>(() => new ConnectionFilter { Hostname = half }.Check());
        new ConnectionFilter { Hostname = "\ud83d\ude00" }.Check();
    }

    [Fact]
    public void Inverted_ranges_are_refused()
    {
        var time = new DateTimeOffset(2026, 3, 1, 0, 0, 0, TimeSpan.Zero);

        Assert.Equal(
            "until: '2026-03-01T00:00:00Z' is not after from, 2026-03-01T00:00:00Z. "
            + "Accepted: a time after from; the range is from ≤ time < until.",
            Assert.Throws<QueryFilterException>(() => new ConnectionFilter { From = time, Until = time }.Check()).Message);
        Assert.Equal(
            "max-score: '1' is below min-score, 2. Accepted: a score not below min-score.",
            Assert.Throws<QueryFilterException>(() => new ConnectionFilter { MinScore = 2, MaxScore = 1 }.Check()).Message);
        Assert.Equal("port", Field(new ConnectionFilter { Ports = [new PortRange(2, 1)] }));
        Assert.Equal("level", Field(new ConnectionFilter { Levels = [(ThreatLevel)9] }));
        Assert.Equal("device", Field(new ConnectionFilter { Devices = new MacAddress[1001] }));

        static string Field(ConnectionFilter filter) => Assert.Throws<QueryFilterException>(filter.Check).Field;
    }

    [Theory]
    [InlineData("-last-seen", DeviceSortColumn.LastSeen, true)]
    [InlineData("MAC", DeviceSortColumn.MacAddress, false)]
    public void Sort_order_is_read(string text, DeviceSortColumn column, bool descending)
        => Assert.Equal(new DeviceSort(column, descending), DeviceSort.Parse(text));

    [Fact]
    public void Unknown_sort_column_is_refused()
        => Assert.StartsWith(
            "sort: 'colour' is not a column to sort by; a minus sign before it sorts the greatest first. Accepted: mac, address,",
            Assert.Throws<QueryFilterException>(() => DeviceSort.Parse("colour")).Message, StringComparison.Ordinal);
}
