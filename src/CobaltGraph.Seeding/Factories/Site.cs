using CobaltGraph.Model;
using CobaltGraph.Seeding.Catalog;
using CobaltGraph.Seeding.Factories;
using CobaltGraph.Seeding.Recipes;

namespace CobaltGraph.Seeding;

/// <summary>
/// A whole site, made from options: its devices, their changes of address, and its connections, which are made as they are
/// read and never held. Touches no database.
/// </summary>
public sealed class Site
{
    private readonly DevicePlan[] _plans;

    private Site(SeedOptions options, DateTime to)
    {
        Options = options;
        To = new DateTimeOffset(to);
        From = To.AddDays(-options.Days);
        Internet = Internet.Create(
            options.Seed,
            webSites: Math.Clamp(options.Devices * 20, 1_500, 30_000),
            threats: Math.Clamp(options.Devices / 10, 16, 600));

        var factory = new DeviceFactory(options, to);
        _plans = [.. RoleCounts(options).SelectMany(role => Enumerable.Range(0, role.Count).Select(_ => factory.Plan(role.Role)))];
        Devices = [.. _plans.Select(plan => plan.Device)];
        AddressChanges =
        [
            .. _plans
                .SelectMany(plan => plan.Renewals.Select(
                    renewal => new AddressChange(new DateTimeOffset(renewal.At), plan.Device.MacAddress, renewal.Address)))
                .OrderBy(change => change.At)
                .ThenBy(change => change.Device),
        ];
    }

    /// <summary>Beginning of the period, UTC.</summary>
    public DateTimeOffset From { get; }

    /// <summary>End of the period, the reference time, UTC.</summary>
    public DateTimeOffset To { get; }

    /// <summary>The devices, with the address that each has at the beginning.</summary>
    public IReadOnlyList<Device> Devices { get; }

    /// <summary>The changes of address, in the order of time.</summary>
    public IReadOnlyList<AddressChange> AddressChanges { get; }

    internal SeedOptions Options { get; }

    internal Internet Internet { get; }

    internal IReadOnlyList<DevicePlan> Plans => _plans;

    /// <summary>Makes the devices of a site.</summary>
    /// <param name="options">What to make; <see cref="SeedOptions.Append"/> and the batch size do not matter here.</param>
    /// <param name="timeProvider">Gives the reference time when the options name none; null for the system's clock.</param>
    /// <exception cref="ArgumentOutOfRangeException">An option is out of its range.</exception>
    public static Site Create(SeedOptions options, TimeProvider? timeProvider = null)
        => new(options, ReferenceTimeOf(options, timeProvider ?? TimeProvider.System));

    /// <summary>Makes the connections, in the order of time, each time the same ones.</summary>
    public IEnumerable<Connection> Connections()
    {
        if (Options.Connections == 0)
            yield break;

        var factory = new ConnectionFactory(this);
        List<TrafficSource> sources = [];
        if (Options.Recipe.UnderAttack)
            sources.AddRange(Attack.Plan(this, factory));
        sources.Add(new BackgroundTraffic(this, factory, Options.Connections - sources.Sum(source => source.Count)));

        while (true)
        {
            var next = sources[0];
            for (var i = 1; i < sources.Count; i++)
            {
                if (sources[i].NextAt < next.NextAt)
                    next = sources[i];
            }
            if (next.NextAt == TrafficSource.Exhausted)
                yield break;
            yield return next.Take();
        }
    }

    internal static DateTime ReferenceTimeOf(SeedOptions options, TimeProvider timeProvider)
    {
        ArgumentNullException.ThrowIfNull(options);
        options.Validate();
        var time = (options.ReferenceTime ?? timeProvider.GetUtcNow()).UtcDateTime;
        return new DateTime(time.Ticks - time.Ticks % TimeSpan.TicksPerSecond, DateTimeKind.Utc);
    }

    /// <summary>First what the site cannot be without, then shares by weight, to the exact total.</summary>
    private static (Role Role, int Count)[] RoleCounts(SeedOptions options)
    {
        var roles = options.Recipe.Roles;
        var counts = new int[roles.Length];
        var left = options.Devices;
        for (var i = 0; i < roles.Length && left > 0; i++)
        {
            counts[i] = Math.Min(roles[i].AtLeast, left);
            left -= counts[i];
        }

        var total = roles.Sum(role => role.Weight);
        var cumulative = 0.0;
        var given = 0;
        for (var i = 0; i < roles.Length; i++)
        {
            cumulative += roles[i].Weight;
            var until = i == roles.Length - 1 ? left : (int)(left * (cumulative / total) + 0.5);
            counts[i] += until - given;
            given = until;
        }
        return [.. roles.Select((role, i) => (role.Role, counts[i]))];
    }
}
