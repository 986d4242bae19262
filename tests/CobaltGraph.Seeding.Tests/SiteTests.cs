using System.Net;
using System.Net.Sockets;
using CobaltGraph.Model;
using CobaltGraph.Seeding.Catalog;

namespace CobaltGraph.Seeding.Tests;

public class SiteTests
{
    private static readonly string[] KnownTypes =
    [
        "router", "switch", "access_point", "server", "nas", "desktop", "laptop", "mobile", "tablet", "printer", "phone", "camera",
        "tv", "iot", "plc", "hmi", "unknown",
    ];

    public static TheoryData<string> Names => [.. SiteRecipe.All.Select(recipe => recipe.Name)];

    [Theory]
    [MemberData(nameof(Names))]
    public void Counts_are_exact(string name)
    {
        foreach (var (devices, connections, days) in ((int, long, int)[])[(1, 0, 1), (1, 1, 1), (3, 7, 1), (37, 999, 2), (250, 20_001, 30)])
        {
            var site = Site.Create(Rows.Options(SiteRecipe.Find(name)!, devices, connections, days));
            Assert.Equal(devices, site.Devices.Count);
            Assert.Equal(connections, site.Connections().LongCount());
        }
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void Every_row_keeps_the_rules_of_the_database(string name)
    {
        var site = Site.Create(Rows.Options(SiteRecipe.Find(name)!, 400, 60_000));
        var macs = new HashSet<MacAddress>();
        var addresses = new HashSet<IPAddress>();
        foreach (var device in site.Devices)
        {
            Assert.True(device.MacAddress.IsDevice);
            Assert.True(macs.Add(device.MacAddress));
            Assert.True(addresses.Add(device.IpAddress!));
            Assert.InRange(device.ConfidenceScore, 0f, 1f);
            Assert.Contains(device.DeviceType, KnownTypes);
            Assert.True(device.FirstSeen <= device.LastSeen && device.LastSeen <= site.To);
            Assert.True(device.LastActivity <= site.To);
            Assert.True(device.Hostname?.Contains('{') != true, device.Hostname);
        }
        foreach (var change in site.AddressChanges)
        {
            Assert.Contains(change.Device, macs);
            Assert.True(addresses.Add(change.Address));
            Assert.InRange(change.At, site.From, site.To);
        }

        var last = site.From;
        var uids = new HashSet<string>();
        foreach (var c in site.Connections())
        {
            Assert.InRange(c.Timestamp, last, site.To);
            last = c.Timestamp;
            Assert.Equal(0, c.Timestamp.Ticks % 10);
            Assert.Contains(c.SrcMac!.Value, macs);
            Assert.Equal(c.SrcIp!.AddressFamily, c.DstIp.AddressFamily);
            Assert.InRange(c.SrcPort!.Value, 0, 65535);
            Assert.InRange(c.DstPort, 0, 65535);
            Assert.InRange(c.ThreatScore, 0f, 10f);
            Assert.True(c.BytesSent >= 0 && c.BytesReceived >= 0 && (c.Duration is null || c.Duration > TimeSpan.Zero));
            Assert.True(c.Protocol is "TCP" or "UDP" or "ICMP");
            Assert.True(c.DstCountry is null or { Length: 2 });
            Assert.Equal(c.DstCountry is null, c.DstLat is null || c.DstLon is null || c.DstOrg is null);
            Assert.True(ThreatScale.IsThreat(c.ThreatScore) ? c.ThreatCategory is not null && c.Metadata.Threat is not null : true);
            Assert.True(uids.Add(c.Metadata.Uid!));
            Assert.NotNull(c.Metadata.State);
            if (c.BytesSent + c.BytesReceived > 10_000_000)
                Assert.True((c.BytesSent + c.BytesReceived) / c.Duration!.Value.TotalSeconds <= 101_000_000);
        }
    }

    [Theory]
    [InlineData("small-office", 0.005, 0.02)]
    [InlineData("campus", 0.005, 0.02)]
    [InlineData("iot-plant", 0.005, 0.02)]
    [InlineData("office-under-attack", 0.02, 0.06)]
    public void Threats_are_about_one_in_a_hundred_and_more_under_attack(string name, double least, double most)
    {
        var site = Site.Create(Rows.Options(SiteRecipe.Find(name)!, 500, 100_000));
        var rows = site.Connections().ToArray();
        var threats = rows.Where(c => ThreatScale.IsThreat(c.ThreatScore)).ToArray();

        Assert.InRange(threats.Length / (double)rows.Length, least, most);
        var categories = threats.Select(c => c.ThreatCategory).ToHashSet();
        Assert.Superset(new HashSet<string?> { "malware", "c2", "proxy", "suspicious_geo", "phishing" }, categories);
        foreach (var level in Enum.GetValues<ThreatLevel>())
            Assert.Contains(rows, c => ThreatScale.LevelOf(c.ThreatScore) == level);
        // Nobody real is accused.
        Assert.All(threats, c => Assert.True(IsReserved(c.DstIp), c.DstIp.ToString()));
        Assert.All(
            threats.Where(c => c.DstCountry is not null && c.DstHostname is not null), c => Assert.EndsWith(".example", c.DstHostname));
        // A few devices cause most of it.
        var worst = threats.GroupBy(c => c.SrcMac).Select(g => g.Count()).OrderDescending().Take(25).Sum();
        Assert.True(worst > threats.Length / 2);
    }

    [Fact]
    public void V6_is_spoken_by_a_good_part_and_not_by_machines()
    {
        var rows = Site.Create(Rows.Options(SiteRecipe.Campus, 500, 60_000)).Connections().ToArray();
        var share = rows.Count(c => c.SrcIp!.AddressFamily == AddressFamily.InterNetworkV6) / (double)rows.Length;
        Assert.InRange(share, 0.08, 0.35);
        Assert.Contains(rows, c => c.DstCountry is not null && c.DstIp.AddressFamily == AddressFamily.InterNetworkV6);
        var plant = Site.Create(Rows.Options(SiteRecipe.IotPlant, 500, 60_000));
        var plcs = plant.Devices.Where(d => d.DeviceType == "plc").Select(d => d.MacAddress).ToHashSet();
        Assert.NotEmpty(plcs);
        Assert.DoesNotContain(
            plant.Connections(), c => plcs.Contains(c.SrcMac!.Value) && c.SrcIp!.AddressFamily == AddressFamily.InterNetworkV6);
    }

    [Fact]
    public void People_sleep_and_machines_do_not()
    {
        // Reference is a Wednesday; the office is an hour east of Greenwich.
        var office = Site.Create(Rows.Options(SiteRecipe.SmallOffice, 300, 80_000, days: 14));
        var types = office.Devices.ToDictionary(d => d.MacAddress, d => d.DeviceType!);
        var day = Rate(office, types, "desktop", weekend: false, 8, 16);
        Assert.True(day > 15 * Rate(office, types, "desktop", weekend: false, 23, 3), "desktops work at night");
        Assert.True(day > 5 * Rate(office, types, "desktop", weekend: true, 8, 16), "desktops work on Sundays");
        var camera = Rate(office, types, "camera", weekend: false, 8, 16);
        Assert.InRange(Rate(office, types, "camera", weekend: false, 23, 3) / camera, 0.75, 1.25);

        static double Rate(Site site, Dictionary<MacAddress, string> types, string type, bool weekend, int from, int to)
        {
            var hours = from < to ? to - from : to + 24 - from;
            var count = site.Connections().Count(c => types[c.SrcMac!.Value] == type
                && c.Timestamp.DayOfWeek is DayOfWeek.Saturday or DayOfWeek.Sunday == weekend
                && (from < to ? c.Timestamp.Hour >= from && c.Timestamp.Hour < to : c.Timestamp.Hour >= from || c.Timestamp.Hour < to));
            return (double)count / hours / (weekend ? 4 : 10);
        }
    }

    [Fact]
    public void Vendors_match_their_addresses_and_random_addresses_have_no_vendor()
    {
        var vendors = VendorsByOui();
        Assert.True(vendors.Count > 120);
        foreach (var recipe in SiteRecipe.All)
        {
            var devices = Site.Create(Rows.Options(recipe, 1000, 0)).Devices;
            foreach (var device in devices)
            {
                if (device.MacAddress.IsLocallyAdministered)
                {
                    Assert.Null(device.Vendor);
                    Assert.False(device.MacAddress.IsMulticast);
                }
                else
                {
                    Assert.Contains(device.Vendor!, vendors[(int)(device.MacAddress.ToInt64() >> 24)]);
                }
            }
            Assert.True(devices.Select(d => d.Vendor).Distinct().Count() > 15);
        }

        var campus = Site.Create(Rows.Options(SiteRecipe.Campus, 2000, 0)).Devices;
        var mobiles = campus.Where(d => d.DeviceType == "mobile").ToArray();
        Assert.InRange(mobiles.Count(d => d.MacAddress.IsLocallyAdministered) / (double)mobiles.Length, 0.5, 0.7);
        Assert.DoesNotContain(campus, d => d.DeviceType is "printer" or "server" && d.MacAddress.IsLocallyAdministered);
    }

    [Fact]
    public void No_real_vendor_has_a_locally_administered_or_group_oui()
        => Assert.All(VendorsByOui().Keys, oui => Assert.Equal(0, oui >> 16 & 3));

    [Fact]
    public void Destinations_have_a_long_tail_and_one_set_of_facts_each()
    {
        var rows = Site.Create(Rows.Options(SiteRecipe.SmallOffice, 300, 100_000)).Connections()
            .Where(c => c.DstCountry is not null).ToArray();
        var byAddress = rows.GroupBy(c => c.DstIp).ToArray();
        var counts = byAddress.Select(g => g.Count()).OrderDescending().ToArray();

        Assert.True(counts.Length > 3000);
        Assert.True(counts.Take(50).Sum() > rows.Length / 5, "nothing is popular");
        Assert.True(counts.Count(count => count <= 5) > counts.Length / 4, "there is no tail");
        Assert.All(byAddress, group => Assert.Single(
            group.Select(c => (c.DstCountry, c.DstLat, c.DstLon, c.DstOrg, c.DstHostname)).Distinct()));
        Assert.True(rows.Select(c => c.DstCountry).Distinct().Count() >= 15);
        Assert.True(rows.Select(c => c.DstOrg).Distinct().Count() >= 25);
    }

    [Fact]
    public void Renewals_change_the_address_that_traffic_comes_from()
    {
        var site = Site.Create(Rows.Options(SiteRecipe.Campus, 300, 200_000));
        Assert.InRange(site.AddressChanges.Count, 30, 300);
        Assert.Equal(site.AddressChanges.OrderBy(c => c.At).Select(c => c.At), site.AddressChanges.Select(c => c.At));

        var current = site.Devices.ToDictionary(d => d.MacAddress, d => d.IpAddress!);
        var changes = new Queue<AddressChange>(site.AddressChanges);
        var fromNewAddress = 0;
        var initial = new Dictionary<MacAddress, IPAddress>(current);
        foreach (var c in site.Connections())
        {
            while (changes.TryPeek(out var change) && change.At <= c.Timestamp)
                current[change.Device] = changes.Dequeue().Address;
            if (c.SrcIp!.AddressFamily == AddressFamily.InterNetwork)
            {
                Assert.Equal(current[c.SrcMac!.Value], c.SrcIp);
                fromNewAddress += c.SrcIp.Equals(initial[c.SrcMac.Value]) ? 0 : 1;
            }
        }
        Assert.True(fromNewAddress > 500);
    }

    [Fact]
    public void An_attack_can_be_seen()
    {
        var site = Site.Create(Rows.Options(SiteRecipe.OfficeUnderAttack, 200, 100_000));
        var rows = site.Connections().ToArray();
        var scan = rows.Where(c => c.ThreatCategory == "scan").ToArray();
        var theft = rows.Where(c => c.ThreatCategory == "exfiltration").ToArray();

        var victim = Assert.Single(scan.Select(c => c.SrcMac).Distinct());
        Assert.True(scan.Select(c => c.DstIp).Distinct().Count() > 150);
        Assert.True(scan.Max(c => c.Timestamp) - scan.Min(c => c.Timestamp) <= TimeSpan.FromHours(1));
        Assert.True(scan.Count(c => c.Metadata.State is "S0" or "REJ") > scan.Length * 0.85);

        Assert.True(theft.Length >= 10 && theft.All(c => c.BytesSent > 50 * c.BytesReceived));
        Assert.True(theft.Sum(c => c.BytesSent!.Value) > 1_000_000_000);
        Assert.All(theft, c => Assert.InRange(c.Timestamp.AddHours(1).Hour, 1, 3));

        var beacons = rows.Where(c => c.SrcMac == victim && c.ThreatCategory == "c2" && c.BytesSent < 800).Select(c => c.Timestamp).ToArray();
        Assert.True(beacons.Length > 500);
        var gaps = beacons.Zip(beacons.Skip(1), (a, b) => (b - a).TotalSeconds).Order().ToArray();
        Assert.InRange(gaps[gaps.Length * 9 / 10] / gaps[gaps.Length / 10], 1, 1.5);

        Assert.DoesNotContain(
            Site.Create(Rows.Options(SiteRecipe.SmallOffice, 200, 20_000)).Connections(), c => c.ThreatCategory is "scan" or "exfiltration");
    }

    [Fact]
    public void Factories_make_one_at_a_time()
    {
        var options = Rows.Options(SiteRecipe.IotPlant, 50, 0);
        var factory = new DeviceFactory(options);
        var devices = Enumerable.Range(0, 500).Select(_ => factory.Create()).ToArray();
        Assert.Equal(500, devices.Select(d => d.MacAddress).Distinct().Count());
        Assert.Equal(500, devices.Select(d => d.IpAddress).Distinct().Count());

        var connections = new ConnectionFactory(Site.Create(options));
        var at = Rows.Reference.AddHours(-3);
        var one = connections.Create(at);
        Assert.Equal(at, one.Timestamp);
        Assert.NotEqual(one.Metadata.Uid, connections.Create(at).Metadata.Uid);
    }

    [Theory]
    [InlineData(0, 1, 1, 1)]
    [InlineData(100_001, 1, 1, 1)]
    [InlineData(1, -1, 1, 1)]
    [InlineData(1, 1, 0, 1)]
    [InlineData(1, 1, 3651, 1)]
    [InlineData(1, 1, 1, 0)]
    public void Options_out_of_range_are_refused(int devices, long connections, int days, int batch)
    {
        var options = new SeedOptions { Devices = devices, Connections = connections, Days = days, BatchSize = batch };
        Assert.Throws<ArgumentOutOfRangeException>(() => Site.Create(options));
    }

    [Fact]
    public void Recipes_are_found_by_name()
    {
        Assert.Equal(["small-office", "campus", "iot-plant", "office-under-attack"], SiteRecipe.All.Select(recipe => recipe.Name));
        Assert.Same(SiteRecipe.Campus, SiteRecipe.Find("Campus"));
        Assert.Null(SiteRecipe.Find("moon-base"));
        Assert.All(SiteRecipe.All, recipe => Assert.NotEmpty(recipe.Description));
    }

    [Fact]
    public void Largest_site_has_room_for_every_address()
    {
        var site = Site.Create(Rows.Options(SiteRecipe.Campus, SeedOptions.MaxDevices, 10, days: 30));
        Assert.Equal(
            site.Devices.Count + site.AddressChanges.Count,
            site.Devices.Select(d => d.IpAddress).Concat(site.AddressChanges.Select(c => c.Address)).Distinct().Count());
        Assert.All(site.Devices, d => Assert.Equal(10, d.IpAddress!.GetAddressBytes()[0]));
    }

    private static bool IsReserved(IPAddress address)
    {
        string[] blocks = ["192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24", "2001:db8::/32", "10.0.0.0/8", "192.168.0.0/16"];
        return blocks.Any(block => IPNetwork.Parse(block).Contains(address));
    }

    private static Dictionary<int, HashSet<string>> VendorsByOui()
    {
        var result = new Dictionary<int, HashSet<string>>();
        foreach (var field in typeof(Vendors).GetFields())
        {
            var vendor = (Vendor)field.GetValue(null)!;
            foreach (var oui in vendor.Ouis)
            {
                if (!result.TryGetValue(oui, out var names))
                    result.Add(oui, names = []);
                names.Add(vendor.Name);
            }
        }
        Assert.All(result.Values, names => Assert.Single(names));
        return result;
    }
}
