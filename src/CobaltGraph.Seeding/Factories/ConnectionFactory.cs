using System.Net;
using CobaltGraph.Model;
using CobaltGraph.Seeding.Catalog;
using CobaltGraph.Seeding.Factories;
using CobaltGraph.Seeding.Randomness;
using CobaltGraph.Seeding.Recipes;
using Destination = CobaltGraph.Seeding.Catalog.Destination;

namespace CobaltGraph.Seeding;

/// <summary>
/// Makes believable connections of a site's devices, one at a time: who is awake at that hour, what such a device does, and
/// what that costs in bytes and time. Touches no database.
/// </summary>
public sealed class ConnectionFactory
{
    private const double ThreatShare = 0.0105;
    private const string Base62 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

    private static readonly IPAddress MulticastDnsGroup = IPAddress.Parse("224.0.0.251");
    private static readonly IPAddress MulticastDnsGroupV6 = IPAddress.Parse("ff02::fb");
    private static readonly IPAddress SsdpGroup = IPAddress.Parse("239.255.255.250");

    private static readonly int[] ControlPorts = [443, 443, 8443, 4444, 8080];
    private static readonly int[] DownloadPorts = [80, 80, 443];
    private static readonly int[] ProxyPorts = [1080, 3128, 8080, 443];
    private static readonly int[] OtherPorts = [443, 22, 80];

    private readonly Site _site;
    private readonly RandomStream _random;
    private readonly Group[] _groups;
    private readonly WeightedTable[] _groupTables = new WeightedTable[48];
    private readonly long[] _activity = new long[48];
    private readonly WeightedTable _ownFavourite = WeightedTable.Zipf(30, offset: 3);
    private readonly DevicePlan[] _infected;
    private readonly DevicePlan _gateway;
    private readonly DevicePlan[] _servers;
    private readonly DevicePlan[] _storage;
    private readonly DevicePlan[] _printers;
    private readonly DevicePlan[] _controllers;
    private readonly DevicePlan[] _infrastructure;
    private readonly Dictionary<string, Destination> _clouds;
    private readonly Destination[] _cloudList;

    /// <summary>Creates a factory for the connections of a site.</summary>
    public ConnectionFactory(Site site)
    {
        ArgumentNullException.ThrowIfNull(site);
        _site = site;
        _random = RandomStream.For(site.Options.Seed, "connections");
        _groups = [.. site.Plans.GroupBy(plan => plan.Role).Select(group => new Group(group.Key, [.. group]))];
        for (var i = 0; i < 48; i++)
        {
            var weights = Array.ConvertAll(_groups, group => group.Rate * group.Role.Rhythm.Weight(i >= 24, i % 24));
            _groupTables[i] = new WeightedTable(weights);
            var activity = 0.0;
            foreach (var weight in weights)
                activity += weight;
            _activity[i] = (long)(activity * 16) + 1;
        }

        _gateway = site.Plans[0];
        _servers = Of(role => role.DeviceType == "server", _gateway);
        _storage = Of(role => role.DeviceType == "nas", _servers[0]);
        _printers = Of(role => role.DeviceType == "printer", _servers[0]);
        _controllers = Of(role => role.DeviceType == "plc", _servers[0]);
        _infrastructure = Of(role => role.Vlan == 1, _gateway);
        _cloudList = site.Internet.All(Use.IotCloud);
        _clouds = _cloudList.ToDictionary(cloud => cloud.Hostname!, StringComparer.Ordinal);

        var candidates = site.Plans.Where(plan => plan.Role.Vlan > 2 && plan.Role.Visiting == 0).ToArray();
        if (candidates.Length == 0)
            candidates = [.. site.Plans];
        RandomStream.For(site.Options.Seed, "infected").Shuffle(candidates);
        _infected = candidates[..Math.Clamp(site.Plans.Count / 60, 1, candidates.Length)];
    }

    /// <summary>The next connection.</summary>
    /// <param name="at">Its time.</param>
    public Connection Create(DateTimeOffset at) => Create(at.UtcDateTime);

    internal IReadOnlyList<DevicePlan> Servers => _servers;

    internal long Activity(DateTime at) => _activity[Slot(at)];

    internal Connection Create(DateTime at)
    {
        if (_random.Chance(ThreatShare))
            return CreateThreat(at);
        var device = Draw(at);
        return Create(device, device.Flow(_random), at);
    }

    /// <summary>A connection to a threat, as its category suggests.</summary>
    internal Connection ToThreat(DevicePlan device, Destination threat, DateTime at)
    {
        var (port, sent, received, milliseconds) = threat.Category switch
        {
            "c2" => (_random.Pick(ControlPorts), new Spread(900, 1.2), new Spread(700, 1.4), new Spread(1_200, 2.0)),
            "malware" => (_random.Pick(DownloadPorts), new Spread(700, 1.0), new Spread(900_000, 2.4), new Spread(4_000, 2.0)),
            "phishing" => (443, new Spread(3_500, 1.2), new Spread(120_000, 1.8), new Spread(30_000, 2.0)),
            "proxy" => (_random.Pick(ProxyPorts), new Spread(40_000, 2.6), new Spread(180_000, 2.6), new Spread(60_000, 2.4)),
            _ => (_random.Pick(OtherPorts), new Spread(2_400, 2.0), new Spread(9_000, 2.4), new Spread(8_000, 2.2)),
        };
        var service = port switch
        {
            22 => "ssh",
            80 or 3128 or 8080 => "http",
            1080 => "socks",
            4444 => null,
            _ => "ssl",
        };
        return ToInternet(device, threat, "TCP", port, service, sent, received, milliseconds, failure: 0.08, at);
    }

    internal Connection ToInternet(
        DevicePlan device, Destination destination, string protocol, int port, string? service,
        Spread sent, Spread received, Spread milliseconds, double failure, DateTime at)
    {
        var v6 = device.V6 is not null && destination.V6 is not null && _random.Chance(0.6);
        var connection = Start(device, v6, v6 ? destination.V6! : destination.V4, protocol, port, at);
        connection.DstCountry = destination.Country;
        connection.DstLat = destination.Latitude;
        connection.DstLon = destination.Longitude;
        connection.DstOrg = destination.Organisation;
        connection.DstHostname = destination.Hostname;
        connection.ThreatScore = destination.Score;
        connection.ThreatCategory = destination.Category;
        if (destination.Source is not null)
        {
            connection.Metadata.Threat = new ThreatMetadata
            {
                Source = destination.Source,
                Reason = destination.Reason,
                Indicator = destination.Hostname ?? connection.DstIp.ToString(),
            };
        }
        Finish(connection, service, sent, received, milliseconds, failure);
        return connection;
    }

    internal Connection ToInside(
        DevicePlan device, IPAddress address, string? hostname, string protocol, int port, string? service,
        Spread sent, Spread received, Spread milliseconds, double failure, DateTime at)
    {
        var v6 = address.AddressFamily == System.Net.Sockets.AddressFamily.InterNetworkV6;
        var connection = Start(device, v6, address, protocol, port, at);
        connection.DstHostname = hostname;
        Finish(connection, service, sent, received, milliseconds, failure);
        return connection;
    }

    private Connection CreateThreat(DateTime at)
    {
        // Two in three come from a few infected devices, which do not sleep; the rest from people who click.
        var device = _random.Below(3) > 0 ? _random.Pick(_infected) : null;
        if (device is null || !device.IsPresent(at))
            device = Draw(at).Plan;
        var threats = _site.Internet.Threats;
        // A device keeps to a few threats of its own.
        var index = (int)((device.Taste + (ulong)_random.Below(4)) % (ulong)threats.Length);
        return ToThreat(device, threats[index], at);
    }

    private Connection Create(DrawnDevice drawn, Flow flow, DateTime at)
    {
        var device = drawn.Plan;
        switch (flow.Peer)
        {
            case Peer.Web:
                return Outside(Favourite(device));
            case Peer.Known:
                return Outside(_site.Internet.Known(flow.Use, _random));
            case Peer.OwnCloud:
                return Outside(device.CloudHost is { } host && _clouds.TryGetValue(host, out var cloud)
                    ? cloud
                    : _cloudList[(int)(device.Taste % (ulong)_cloudList.Length)]);
            case Peer.Gateway:
                return Inside(_gateway);
            case Peer.Server:
                return Inside(Usual(_servers));
            case Peer.Storage or Peer.Recorder:
                return Inside(Usual(_storage));
            case Peer.Printer:
                return Inside(Usual(_printers));
            case Peer.Controller:
                return Inside(Usual(_controllers));
            case Peer.Infrastructure:
                return Inside(_random.Pick(_infrastructure));
            case Peer.MulticastDns:
                var group = device.V6 is not null && _random.Chance(0.4) ? MulticastDnsGroupV6 : MulticastDnsGroup;
                return ToInside(device, group, null, flow.Protocol, flow.Port, flow.Service, flow.Sent, flow.Received, flow.Milliseconds, flow.Failure, at);
            default:
                return ToInside(device, SsdpGroup, null, flow.Protocol, flow.Port, flow.Service, flow.Sent, flow.Received, flow.Milliseconds, flow.Failure, at);
        }

        Connection Outside(Destination destination)
        {
            var connection = ToInternet(
                device, destination, flow.Protocol, Port(), flow.Service, flow.Sent, flow.Received, flow.Milliseconds, flow.Failure, at);
            if (flow.Service == "dns")
                connection.Metadata.Dns = Lookup(device);
            return connection;
        }

        Connection Inside(DevicePlan peer)
        {
            var connection = ToInside(
                device, peer.Device.IpAddress!, peer.Device.Hostname, flow.Protocol, Port(), flow.Service,
                flow.Sent, flow.Received, flow.Milliseconds, flow.Failure, at);
            if (flow.Service == "dns")
                connection.Metadata.Dns = Lookup(device);
            return connection;
        }

        int Port() => flow.PortSpan == 0 ? flow.Port : flow.Port + _random.Below(flow.PortSpan);

        // A device has its own server and printer, and goes to another one now and then.
        DevicePlan Usual(DevicePlan[] peers)
            => _random.Below(8) > 0 ? peers[(int)(device.Taste % (ulong)peers.Length)] : _random.Pick(peers);
    }

    private Destination Favourite(DevicePlan device)
    {
        if (_random.Below(10) < 6)
            return _site.Internet.Popular(_random);
        var web = _site.Internet.Web;
        return web[(int)(RandomStream.Mix(device.Taste + (ulong)_ownFavourite.Next(_random)) % (ulong)web.Length)];
    }

    private DnsMetadata Lookup(DevicePlan device)
    {
        var destination = Favourite(device);
        var v6 = destination.V6 is not null && _random.Chance(0.4);
        return new DnsMetadata
        {
            Query = destination.Hostname ?? "localhost.localdomain",
            Type = v6 ? "AAAA" : "A",
            Answers = destination.Hostname is null ? [] : [(v6 ? destination.V6! : destination.V4).ToString()],
        };
    }

    private Connection Start(DevicePlan device, bool v6, IPAddress destination, string protocol, int port, DateTime at) => new()
    {
        Timestamp = new DateTimeOffset(at),
        SrcMac = device.Device.MacAddress,
        SrcIp = v6 ? device.V6! : device.AddressAt(at),
        // For ICMP the type stands in for a port: 8 is an echo request.
        SrcPort = protocol == "ICMP" ? 8 : _random.Between(32_768, 60_999),
        DstIp = destination,
        DstPort = port,
        Protocol = protocol,
    };

    private void Finish(Connection connection, string? service, Spread sent, Spread received, Spread milliseconds, double failure)
    {
        var metadata = connection.Metadata;
        metadata.Uid = NewUid();
        var tcp = connection.Protocol == "TCP";
        if (_random.Chance(failure))
        {
            var refused = tcp && _random.Below(3) == 0;
            metadata.State = refused ? "REJ" : "S0";
            // A call that nobody takes ends after a few packets.
            connection.BytesSent = tcp ? 0 : Math.Min(sent.Next(_random), 4_000);
            connection.BytesReceived = 0;
            connection.Duration = refused ? TimeSpan.FromMicroseconds(_random.Between(200, 90_000)) : null;
            // Who sends without an answer (syslog, multicast) still speaks a protocol.
            metadata.Service = tcp ? null : service;
            return;
        }
        metadata.Service = service;
        metadata.State = !tcp ? "SF" : _random.Below(100) switch
        {
            < 88 => "SF",
            < 93 => "RSTO",
            < 96 => "RSTR",
            < 98 => "S1",
            _ => "OTH",
        };
        connection.BytesSent = sent.Next(_random);
        connection.BytesReceived = received.Next(_random);
        // Nothing goes faster than 100 MB/s.
        var least = (connection.BytesSent.Value + connection.BytesReceived.Value) / 100;
        connection.Duration = TimeSpan.FromMicroseconds(Math.Max(least, milliseconds.Next(_random) * 1000 + _random.Below(1000)));
    }

    private string NewUid() => string.Create(18, _random, static (text, random) =>
    {
        text[0] = 'C';
        var number = 0UL;
        for (var i = 1; i < text.Length; i++)
        {
            // Ten characters of base 62 fit into 64 bits.
            if (i % 9 == 1)
                number = random.Next();
            text[i] = Base62[(int)(number % 62)];
            number /= 62;
        }
    });

    private int Slot(DateTime at)
    {
        var local = at.AddHours(_site.Options.Recipe.UtcOffsetHours);
        return (local.DayOfWeek is DayOfWeek.Saturday or DayOfWeek.Sunday ? 24 : 0) + local.Hour;
    }

    private DrawnDevice Draw(DateTime at)
    {
        var table = _groupTables[Slot(at)];
        // Who is not there is drawn again; a site where nobody is left still has its gateway.
        for (var attempt = 0; attempt < 12; attempt++)
        {
            var group = _groups[table.Next(_random)];
            var plan = group.Plans[group.Table.Next(_random)];
            if (plan.IsPresent(at))
                return new DrawnDevice(group, plan);
        }
        return new DrawnDevice(_groups[0], _gateway);
    }

    private DevicePlan[] Of(Func<Role, bool> predicate, DevicePlan otherwise)
    {
        var plans = _site.Plans.Where(plan => predicate(plan.Role)).ToArray();
        return plans.Length > 0 ? plans : [otherwise];
    }

    private readonly record struct DrawnDevice(Group Group, DevicePlan Plan)
    {
        public Flow Flow(RandomStream random) => Group.Role.Flows[Group.FlowTable.Next(random)].Flow;
    }

    private sealed class Group
    {
        public Group(Role role, DevicePlan[] plans)
        {
            Role = role;
            Plans = plans;
            Table = new WeightedTable(Array.ConvertAll(plans, plan => plan.Weight));
            FlowTable = new WeightedTable(Array.ConvertAll(role.Flows, flow => flow.Weight));
            Rate = role.Rate * plans.Length;
        }

        public Role Role { get; }

        public DevicePlan[] Plans { get; }

        public WeightedTable Table { get; }

        public WeightedTable FlowTable { get; }

        public double Rate { get; }
    }
}
