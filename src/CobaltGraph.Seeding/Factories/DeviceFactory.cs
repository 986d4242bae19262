using System.Buffers.Binary;
using System.Globalization;
using System.Net;
using System.Text;
using Bogus;
using CobaltGraph.Model;
using CobaltGraph.Seeding.Factories;
using CobaltGraph.Seeding.Randomness;
using CobaltGraph.Seeding.Recipes;

namespace CobaltGraph.Seeding;

/// <summary>
/// Makes believable devices, one at a time: vendor and OUI belong together, addresses and MACs are never given twice.
/// Touches no database.
/// </summary>
public sealed class DeviceFactory
{
    private const string Alphanumeric = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";

    private readonly SiteRecipe _recipe;
    private readonly RandomStream _random;
    private readonly Faker _faker;
    private readonly WeightedTable _roles;
    private readonly Dictionary<Role, WeightedTable> _vendors = [];
    private readonly Dictionary<int, int> _hosts = [];
    private readonly HashSet<long> _macs = [];
    private readonly DateTime _from;
    private readonly DateTime _to;
    private readonly bool _small;

    /// <summary>Creates a factory for the devices of one site.</summary>
    /// <exception cref="ArgumentOutOfRangeException">An option is out of its range.</exception>
    public DeviceFactory(SeedOptions options)
        : this(options, Site.ReferenceTimeOf(options, TimeProvider.System))
    {
    }

    internal DeviceFactory(SeedOptions options, DateTime referenceTime)
    {
        _recipe = options.Recipe;
        _random = RandomStream.For(options.Seed, "devices");
        _faker = new Faker("en") { Random = new Randomizer((int)RandomStream.For(options.Seed, "names").Next()) };
        _roles = new WeightedTable([.. _recipe.Roles.Select(role => role.Weight)]);
        _to = referenceTime;
        _from = referenceTime.AddDays(-options.Days);
        _small = options.Devices <= 200;
    }

    /// <summary>The next device, of a kind that the recipe draws.</summary>
    public Device Create() => Plan(_recipe.Roles[_roles.Next(_random)].Role).Device;

    internal DevicePlan Plan(Role role)
    {
        if (!_vendors.TryGetValue(role, out var vendors))
            _vendors.Add(role, vendors = new WeightedTable([.. role.Vendors.Select(v => v.Weight)]));
        var vendor = role.Vendors[vendors.Next(_random)].Vendor;
        var randomised = _random.Chance(role.Randomised);
        var unrecognised = _random.Chance(role.Unrecognised);
        var mac = NewMac(randomised ? null : _random.Pick(vendor.Ouis));
        var (from, to) = Presence(role);
        var lastSeen = LastSeen(role, from, to);
        var named = _random.Chance(randomised ? 0.55 : 0.9);
        var hostname = Hostname(_random.Pick(vendor.Hostnames), mac);
        var firstSeen = from > _from ? from : _from.AddSeconds(-_random.Below(200 * 86_400L));

        var device = new Device
        {
            MacAddress = mac,
            IpAddress = NewAddress(role.Vlan),
            Vendor = randomised ? null : vendor.Name,
            DeviceType = unrecognised ? "unknown" : role.DeviceType,
            Hostname = named ? hostname : null,
            FirstSeen = new DateTimeOffset(firstSeen),
            LastSeen = new DateTimeOffset(lastSeen < firstSeen ? firstSeen : lastSeen),
            LastActivity = new DateTimeOffset(firstSeen),
            ConfidenceScore = (unrecognised ? _random.Between(5, 30) : randomised ? _random.Between(30, 65) : _random.Between(70, 99)) / 100f,
            Metadata = Describe(role, randomised),
        };
        var renewals = Renewals(role, from, to);
        return new DevicePlan
        {
            Device = device,
            Role = role,
            CloudHost = vendor.CloudHost,
            V6 = role.SpeaksV6 && _random.Chance(0.8) ? NewAddressV6(role.Vlan) : null,
            // One in eight is several times as busy as the rest.
            Weight = (0.4 + _random.Unit()) * (_random.Chance(0.125) ? 4 : 1),
            Taste = _random.Next(),
            PresentFrom = from,
            PresentTo = to,
            Renewals = renewals,
        };
    }

    private MacAddress NewMac(int? oui)
    {
        while (true)
        {
            var low = _random.Below(1L << 24);
            // A randomised address: locally administered, not a group.
            var high = oui ?? (long)((_random.Next() & 0xFC_FFFF) | 0x02_0000);
            var number = high << 24 | low;
            if (_macs.Add(number))
                return new MacAddress(number);
        }
    }

    private (DateTime From, DateTime To) Presence(Role role)
    {
        if (_random.Chance(role.Visiting))
        {
            var day = _random.Below((int)(_to - _from).TotalDays);
            var arrival = _from.AddDays(day).Date.AddHours(_random.Between(8, 14) - _recipe.UtcOffsetHours).AddMinutes(_random.Below(60));
            if (arrival < _from)
                arrival = arrival.AddDays(1);
            var departure = arrival.AddMinutes(_random.Between(40, 420));
            if (departure < _to)
                return (arrival, departure);
        }
        return _random.Below(100) switch
        {
            // New within the period.
            < 8 => (_from.AddSeconds(_random.Below((long)(_to - _from).TotalSeconds)), DateTime.MaxValue),
            // Gone within the period.
            < 11 when !role.NeverSleeps => (DateTime.MinValue, _from.AddSeconds(_random.Below((long)(_to - _from).TotalSeconds))),
            _ => (DateTime.MinValue, DateTime.MaxValue),
        };
    }

    /// <summary>The latest ARP: minutes ago for what never sleeps, in a busy hour for the rest.</summary>
    private DateTime LastSeen(Role role, DateTime from, DateTime to)
    {
        var end = to < _to ? to : _to;
        if (end < _to)
            return end.AddSeconds(-_random.Below(600));
        var hour = end;
        for (var i = role.NeverSleeps ? 72 : 0; i < 72 && hour > _from && hour > from; i++, hour = hour.AddHours(-1))
        {
            var local = hour.AddHours(_recipe.UtcOffsetHours);
            var weight = role.Rhythm.Weight(local.DayOfWeek is DayOfWeek.Saturday or DayOfWeek.Sunday, local.Hour);
            if (_random.Below(100) < weight)
                break;
        }
        return hour.AddSeconds(-_random.Below(1500));
    }

    private (DateTime, IPAddress)[] Renewals(Role role, DateTime from, DateTime to)
    {
        var first = (from > _from ? from : _from).AddHours(1);
        var seconds = (long)((to < _to ? to : _to).AddHours(-1) - first).TotalSeconds;
        var days = (_to - _from).TotalDays;
        var chance = role.Renewing * (days < 7 ? days / 7 : 1);
        if (!_random.Chance(chance) || seconds < 3600)
            return [];
        var times = new SortedSet<long>();
        for (var i = _random.Between(1, 2); i > 0; i--)
            times.Add(_random.Below(seconds));
        return [.. times.Select(time => (first.AddSeconds(time), NewAddress(role.Vlan)))];
    }

    private IPAddress NewAddress(int vlan)
    {
        if (!_hosts.TryGetValue(vlan, out var host))
            host = vlan == 1 ? 0 : 9;
        _hosts[vlan] = host + 1;
        Span<byte> octets = _small && host < 3 * 245
            ? [192, 168, (byte)(vlan + 100 * (host / 245)), (byte)(host % 245 + 1)]
            : [10, (byte)(4 * vlan + host / 62_500), (byte)(host % 62_500 / 250), (byte)(host % 250 + 1)];
        return new IPAddress(octets);
    }

    private IPAddress NewAddressV6(int vlan)
    {
        Span<byte> octets = [0x20, 0x01, 0x0D, 0xB8, 0x00, 0x10, 0x00, (byte)vlan, 0, 0, 0, 0, 0, 0, 0, 0];
        BinaryPrimitives.WriteUInt64BigEndian(octets[8..], _random.Next());
        return new IPAddress(octets);
    }

    private string Hostname(string pattern, MacAddress mac)
    {
        var name = new StringBuilder(pattern);
        if (pattern.Contains("{first}", StringComparison.Ordinal))
        {
            var first = _faker.Name.FirstName();
            name.Replace("{first}s-", first + "s-").Replace("{first}", first.ToUpperInvariant());
        }
        if (pattern.Contains("{n}", StringComparison.Ordinal))
            name.Replace("{n}", _random.Between(1, 99).ToString("00", CultureInfo.InvariantCulture));
        if (pattern.Contains("{d}", StringComparison.Ordinal))
            name.Replace("{d}", _random.Between(1, 9).ToString(CultureInfo.InvariantCulture));
        if (pattern.Contains("{win}", StringComparison.Ordinal))
        {
            Span<char> letters = stackalloc char[7];
            foreach (ref var letter in letters)
                letter = Alphanumeric[_random.Below(Alphanumeric.Length)];
            name.Replace("{win}", letters.ToString());
        }
        if (pattern.Contains("{mac}", StringComparison.Ordinal))
            name.Replace("{mac}", mac.ToString("N")[6..]);
        return name.ToString();
    }

    private DeviceMetadata Describe(Role role, bool randomised)
    {
        var metadata = new DeviceMetadata
        {
            Tags = [string.Create(CultureInfo.InvariantCulture, $"vlan-{role.Vlan}")],
        };
        if (role.Vlan <= 2)
            metadata.Tags.Add("infrastructure");
        if (randomised)
            metadata.Tags.Add("randomised-mac");
        else if (role.Vlan != Roles.Mobile.Vlan && _random.Chance(0.6))
        {
            metadata.Set(
                ["custom", "asset_tag"], string.Create(CultureInfo.InvariantCulture, $"IT-{_random.Between(1, 99_999):00000}"));
        }
        if (_random.Chance(0.04))
            metadata.Notes = _random.Pick(["Replaced under warranty", "Lent to the reception", "Waits for a firmware update", "Ask before unplugging"]);
        return metadata;
    }
}
