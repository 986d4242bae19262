using System.Buffers.Binary;
using System.Globalization;
using System.Net;
using Bogus;
using CobaltGraph.Seeding.Randomness;

namespace CobaltGraph.Seeding.Catalog;

/// <summary>The internet as a site sees it: famous destinations, a long tail of small ones, and the threats.</summary>
internal sealed class Internet
{
    private static readonly string[] Trades =
        ["shop", "media", "news", "labs", "cloud", "logistics", "travel", "health", "games", "studio", "bank", "school", "systems",
         "design", "sports", "energy", "foods", "parts", "music", "homes", "tools", "consulting", "forum", "events"];

    private static readonly string[] Hosts = ["www.", "www.", "", "cdn.", "api.", "static.", "img.", "shop."];

    private readonly Destination[][] _known;
    private readonly WeightedTable[] _knownTable;
    private readonly WeightedTable _popularity;

    private Internet(Destination[] web, Destination[][] known, Destination[] threats)
    {
        Web = web;
        Threats = threats;
        _known = known;
        _knownTable = [.. known.Select(list => WeightedTable.Zipf(Math.Max(1, list.Length), offset: 2))];
        _popularity = WeightedTable.Zipf(web.Length, offset: 4);
    }

    /// <summary>Web sites by popularity.</summary>
    public Destination[] Web { get; }

    public Destination[] Threats { get; }

    public static Internet Create(long seed, int webSites, int threats)
    {
        var random = RandomStream.For(seed, "internet");
        var faker = new Faker("en") { Random = new Randomizer((int)random.Next()) };
        var used = new HashSet<IPAddress>();
        var known = new List<Destination>[Enum.GetValues<Use>().Length];
        for (var i = 0; i < known.Length; i++)
            known[i] = [];
        foreach (var famous in Networks.WellKnown)
            known[(int)famous.Use].Add(MakeFamous(famous, random, used));

        var web = new List<Destination>(webSites);
        web.AddRange(known[(int)Use.Web]);
        var hosters = new WeightedTable([.. Networks.Hosters.Select(h => h.Weight)]);
        var names = new HashSet<string>(StringComparer.Ordinal);
        while (web.Count < webSites)
            web.Add(MakeSmall(Networks.Hosters[hosters.Next(random)].Network, random, faker, used, names));

        return new Internet([.. web], [.. known.Select(list => list.ToArray())], MakeThreats(threats, random, faker));
    }

    public Destination Popular(RandomStream random) => Web[_popularity.Next(random)];

    public Destination Known(Use use, RandomStream random) => _known[(int)use][_knownTable[(int)use].Next(random)];

    public Destination[] All(Use use) => _known[(int)use];

    private static Destination MakeFamous(Famous famous, RandomStream random, HashSet<IPAddress> used) => new()
    {
        V4 = famous.Address is { } v4 ? IPAddress.Parse(v4) : NewAddress(famous.Network.V4, random, used),
        V6 = famous.Address is not null
            ? famous.AddressV6 is { } v6 ? IPAddress.Parse(v6) : null
            : famous.Network.V6 is { } prefix ? NewAddressV6(prefix, random) : null,
        Country = famous.Network.Place.Country,
        Latitude = famous.Network.Place.Latitude,
        Longitude = famous.Network.Place.Longitude,
        Organisation = famous.Network.Organisation,
        Hostname = famous.Hostname,
    };

    private static Destination MakeSmall(
        Network network, RandomStream random, Faker faker, HashSet<IPAddress> used, HashSet<string> names)
    {
        var owner = random.Chance(0.4) ? Places.Ashburn : network.Place;
        string name;
        do
            name = $"{faker.Internet.DomainWord()}-{random.Pick(Trades)}.{owner.Domain}";
        while (!names.Add(name) && !names.Add(name = $"{random.Below(100_000).ToString(CultureInfo.InvariantCulture)}-{name}"));

        // Most sites are nothing to worry about; a few have a reputation, without being threats.
        var kind = random.Below(1000);
        var (score, category) = kind switch
        {
            < 6 => (random.Between(40, 68) / 10f, random.Chance(0.5) ? "suspicious_geo" : "proxy"),
            < 40 => (random.Between(20, 39) / 10f, null),
            < 160 => (random.Between(1, 19) / 10f, (string?)null),
            _ => (0f, null),
        };
        return new Destination
        {
            V4 = NewAddress(network.V4, random, used),
            V6 = network.V6 is { } prefix && random.Chance(0.45) ? NewAddressV6(prefix, random) : null,
            Country = network.Place.Country,
            Latitude = network.Place.Latitude,
            Longitude = network.Place.Longitude,
            Organisation = network.Organisation,
            Hostname = random.Chance(0.94) ? random.Pick(Hosts) + name : null,
            Score = score,
            Category = category,
            Source = score >= 4 ? "reputation" : null,
            Reason = category switch
            {
                "suspicious_geo" => "Unusual country for this site",
                "proxy" => "Address of a commercial VPN",
                _ => null,
            },
        };
    }

    // Threats live in the address blocks and names that are reserved for documentation, so that nobody is accused.
    private static Destination[] MakeThreats(int count, RandomStream random, Faker faker)
    {
        (string Category, double Weight, int Low, int High, string Source, string Reason)[] kinds =
        [
            ("c2", 28, 85, 99, "blocklist", "Known command and control server"),
            ("malware", 30, 80, 97, "blocklist", "Address that spreads malware"),
            ("phishing", 12, 75, 90, "dns-sinkhole", "Imitates a log-in page"),
            ("proxy", 14, 70, 82, "reputation", "Open proxy used for abuse"),
            ("suspicious_geo", 12, 70, 78, "heuristic", "Hosting network and country never seen at this site"),
        ];
        string[] blocks = ["192.0.2.", "198.51.100.", "203.0.113."];
        string[] words = ["update", "secure", "login", "cdn", "sync", "telemetry", "mail", "files", "pay", "portal"];
        var table = new WeightedTable([.. kinds.Select(k => k.Weight)]);
        var addresses = Enumerable.Range(0, blocks.Length * 254).ToArray();
        random.Shuffle(addresses);

        var threats = new Destination[Math.Min(count, addresses.Length)];
        for (var i = 0; i < threats.Length; i++)
        {
            // The first few cover the categories, so that the smallest site has them all.
            var kind = kinds[i < kinds.Length ? i : table.Next(random)];
            var place = random.Pick(Networks.ThreatPlaces);
            threats[i] = new Destination
            {
                V4 = IPAddress.Parse(string.Create(
                    CultureInfo.InvariantCulture, $"{blocks[addresses[i] / 254]}{addresses[i] % 254 + 1}")),
                V6 = random.Chance(0.15) ? NewAddressV6("2001:0db8:0bad", random) : null,
                Country = place.Country,
                Latitude = place.Latitude,
                Longitude = place.Longitude,
                Organisation = $"{faker.Name.LastName()} Hosting",
                Hostname = random.Chance(0.6)
                    ? $"{random.Pick(words)}-{faker.Internet.DomainWord()}.example"
                    : null,
                Score = random.Between(kind.Low, kind.High) / 10f,
                Category = kind.Category,
                Source = kind.Source,
                Reason = kind.Reason,
            };
        }
        return threats;
    }

    private static IPAddress NewAddress(string block, RandomStream random, HashSet<IPAddress> used)
    {
        var network = IPNetwork.Parse(block);
        var first = BinaryPrimitives.ReadUInt32BigEndian(network.BaseAddress.GetAddressBytes());
        Span<byte> octets = stackalloc byte[4];
        while (true)
        {
            var address = first + (uint)random.Below(1L << 32 - network.PrefixLength);
            if ((byte)address is 0 or 255)
                continue;
            BinaryPrimitives.WriteUInt32BigEndian(octets, address);
            var result = new IPAddress(octets);
            if (used.Add(result))
                return result;
        }
    }

    private static IPAddress NewAddressV6(string prefix, RandomStream random)
    {
        Span<byte> octets = stackalloc byte[16];
        octets.Clear();
        Convert.FromHexString(prefix.Replace(":", "", StringComparison.Ordinal), octets, out _, out var length);
        BinaryPrimitives.WriteUInt16BigEndian(octets[length..], (ushort)random.Below(0x1000));
        BinaryPrimitives.WriteUInt32BigEndian(octets[12..], (uint)random.Next());
        return new IPAddress(octets);
    }
}
