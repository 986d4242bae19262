using System.Linq.Expressions;
using System.Net;
using System.Net.Sockets;
using CobaltGraph.Data.Ingest;
using CobaltGraph.Model;
using Microsoft.EntityFrameworkCore;

namespace CobaltGraph.Data.Queries;

/// <summary>Conditions on connections, to be composed in LINQ. Each translates to SQL, with its values as parameters.</summary>
public static class ConnectionQueryExtensions
{
    /// <summary>Connections of a time: from ≤ timestamp &lt; until; null leaves an end open.</summary>
    public static IQueryable<Connection> Between(
        this IQueryable<Connection> connections, DateTimeOffset? from, DateTimeOffset? until)
    {
        ArgumentNullException.ThrowIfNull(connections);
        if (from is { } first)
            connections = connections.Where(c => c.Timestamp >= first);
        if (until is { } end)
            connections = connections.Where(c => c.Timestamp < end);
        return connections;
    }

    /// <summary>Connections of a filter whose times .NET has: the server has times before year 1 and after 9999 too.</summary>
    internal static IQueryable<Connection> Readable(this IQueryable<Connection> connections, ConnectionFilter filter)
    {
        // The first and the last time of .NET are infinity to the server.
        if (!(filter.From > DateTimeOffset.MinValue))
            connections = connections.FromEarliest();
        if (!(filter.Until < DateTimeOffset.MaxValue))
            connections = connections.UntilLatest();
        return connections.Matching(filter);
    }

    internal static IQueryable<Connection> FromEarliest(this IQueryable<Connection> connections)
        => connections.Where(c => c.Timestamp >= Earliest);

    internal static IQueryable<Connection> UntilLatest(this IQueryable<Connection> connections)
        => connections.Where(c => c.Timestamp <= Latest);

    /// <summary>Connections that one device opened.</summary>
    public static IQueryable<Connection> FromDevice(this IQueryable<Connection> connections, MacAddress device)
        => connections.Where(c => c.SrcMac == device);

    /// <summary>Connections that one of these devices opened.</summary>
    public static IQueryable<Connection> FromDevices(this IQueryable<Connection> connections, IEnumerable<MacAddress> devices)
    {
        MacAddress?[] macs = [.. devices.Distinct().Select(device => (MacAddress?)device)];
        return macs.Length == 1 ? connections.Where(c => c.SrcMac == macs[0]) : connections.Where(c => macs.Contains(c.SrcMac));
    }

    /// <summary>Connections whose source address lies in a network; those without a source address do not.</summary>
    public static IQueryable<Connection> FromNetwork(this IQueryable<Connection> connections, IPNetwork network)
    {
        network = network.Unmapped();
        var address = network.BaseAddress;
        return IsOneAddress(network)
            ? connections.Where(c => c.SrcIp == address)
            : connections.Where(c => EF.Functions.ContainedByOrEqual(c.SrcIp!, network));
    }

    /// <summary>Connections whose destination address lies in a network.</summary>
    public static IQueryable<Connection> ToNetwork(this IQueryable<Connection> connections, IPNetwork network)
    {
        network = network.Unmapped();
        var address = network.BaseAddress;
        return IsOneAddress(network)
            ? connections.Where(c => c.DstIp == address)
            : connections.Where(c => EF.Functions.ContainedByOrEqual(c.DstIp, network));
    }

    /// <summary>Connections to one destination address.</summary>
    public static IQueryable<Connection> ToAddress(this IQueryable<Connection> connections, IPAddress address)
    {
        ArgumentNullException.ThrowIfNull(address);
        var stored = address.Unmapped();
        return connections.Where(c => c.DstIp == stored);
    }

    /// <summary>Connections to a destination port within one of the ranges.</summary>
    public static IQueryable<Connection> ToPorts(this IQueryable<Connection> connections, params IEnumerable<PortRange> ports)
    {
        PortRange[] wanted = [.. ports];
        if (AreIndexed(wanted))
            connections = connections.Where(IndexedPort);
        return connections.Where(InPorts<Connection>(c => c.DstPort, wanted));
    }

    /// <summary>Connections of a protocol, stored in capital letters, as logs are, or in small ones.</summary>
    public static IQueryable<Connection> OverProtocol(this IQueryable<Connection> connections, string protocol)
    {
        var (capital, small) = BothCases(protocol);
        return connections.Where(c => c.Protocol == capital || c.Protocol == small);
    }

    /// <summary>Connections to a country, ISO 3166-1 alpha-2, stored in capital or in small letters.</summary>
    public static IQueryable<Connection> ToCountry(this IQueryable<Connection> connections, string country)
    {
        var (capital, small) = BothCases(country);
        return connections.Where(c => c.DstCountry == capital || c.DstCountry == small);
    }

    /// <summary>Connections to an organisation whose name contains a text, in any letter case.</summary>
    public static IQueryable<Connection> ToOrganization(this IQueryable<Connection> connections, string text)
    {
        var pattern = LikePattern.Contains(text);
        return connections.Where(c => EF.Functions.ILike(c.DstOrg!, pattern, LikePattern.Escape));
    }

    /// <summary>Connections to a host whose name contains a text, in any letter case.</summary>
    public static IQueryable<Connection> ToHostname(this IQueryable<Connection> connections, string text)
    {
        var pattern = LikePattern.Contains(text);
        return connections.Where(c => EF.Functions.ILike(c.DstHostname!, pattern, LikePattern.Escape));
    }

    /// <summary>Connections whose threat score is of one of the levels.</summary>
    public static IQueryable<Connection> AtLevel(this IQueryable<Connection> connections, params IEnumerable<ThreatLevel> levels)
    {
        var wanted = levels.ToHashSet();
        if (wanted.Count == Enum.GetValues<ThreatLevel>().Length)
            return connections;
        if (!wanted.Contains(ThreatLevel.Low))
            connections = connections.Where(Scored);

        // Neighbours make one range.
        var ranges = new List<Expression<Func<Connection, bool>>>();
        for (var level = ThreatLevel.Low; level <= ThreatLevel.Critical; level++)
        {
            if (!wanted.Contains(level))
                continue;
            var from = Lowest(level);
            while (wanted.Contains(level + 1))
                level++;
            var until = level == ThreatLevel.Critical ? float.PositiveInfinity : Lowest(level + 1);
            ranges.Add(c => c.ThreatScore >= from && c.ThreatScore < until);
        }

        return connections.Where(Any(ranges));
    }

    /// <summary>Connections whose threat score lies between two, both included; null leaves an end open.</summary>
    public static IQueryable<Connection> WithScore(this IQueryable<Connection> connections, float? minimum, float? maximum)
    {
        if (minimum is { } lowest)
        {
            if (lowest >= ThreatScale.MediumThreshold)
                connections = connections.Where(Scored);
            connections = connections.Where(c => c.ThreatScore >= lowest);
        }

        if (maximum is { } highest)
            connections = connections.Where(c => c.ThreatScore <= highest);
        return connections;
    }

    /// <summary>Connections of a threat category, as it is stored.</summary>
    public static IQueryable<Connection> InCategory(this IQueryable<Connection> connections, string category)
        => connections.Where(c => c.ThreatCategory == category);

    /// <summary>Connections whose metadata contains a JSON object, in the sense of PostgreSQL's <c>@&gt;</c>.</summary>
    public static IQueryable<Connection> WithMetadata(this IQueryable<Connection> connections, string json)
        => connections.Where(c => EF.Functions.JsonContains(c.Metadata, json));

    /// <summary>Connections that meet every condition of a filter.</summary>
    /// <exception cref="QueryFilterException">A value of the filter is not in its form.</exception>
    public static IQueryable<Connection> Matching(this IQueryable<Connection> connections, ConnectionFilter filter)
    {
        ArgumentNullException.ThrowIfNull(filter);
        filter.Check();
        connections = connections.Between(filter.From, filter.Until);
        if (filter.Devices is not null) connections = connections.FromDevices(filter.Devices);
        if (filter.Source is { } source) connections = connections.FromNetwork(source);
        if (filter.Destination is { } destination) connections = connections.ToNetwork(destination);
        if (filter.Ports is not null) connections = connections.ToPorts(filter.Ports);
        if (filter.Protocol is not null) connections = connections.OverProtocol(filter.Protocol);
        if (filter.Country is not null) connections = connections.ToCountry(filter.Country);
        if (filter.Organization is not null) connections = connections.ToOrganization(filter.Organization);
        if (filter.Hostname is not null) connections = connections.ToHostname(filter.Hostname);
        if (filter.Levels is not null) connections = connections.AtLevel(filter.Levels);
        connections = connections.WithScore(filter.MinScore, filter.MaxScore);
        if (filter.Category is not null) connections = connections.InCategory(filter.Category);
        if (filter.Metadata is not null) connections = connections.WithMetadata(filter.Metadata);
        return connections;
    }

    /// <summary>Destinations that can have connections of a filter: what it says of the destination, and no more.</summary>
    internal static IQueryable<Destination> Matching(this IQueryable<Destination> destinations, ConnectionFilter filter)
    {
        if (filter.Destination is { } network)
        {
            var address = network.BaseAddress;
            destinations = IsOneAddress(network)
                ? destinations.Where(d => d.DstIp == address)
                : destinations.Where(d => EF.Functions.ContainedByOrEqual(d.DstIp, network));
        }

        if (filter.Ports is not null)
            destinations = destinations.Where(InPorts<Destination>(d => d.DstPort, filter.Ports));
        if (filter.Protocol is not null)
        {
            var (capital, small) = BothCases(filter.Protocol);
            destinations = destinations.Where(d => d.Protocol == capital || d.Protocol == small);
        }

        if (filter.Country is not null)
        {
            var (capital, small) = BothCases(filter.Country);
            destinations = destinations.Where(d => d.DstCountry == capital || d.DstCountry == small);
        }

        if (filter.Organization is not null)
        {
            var pattern = LikePattern.Contains(filter.Organization);
            destinations = destinations.Where(d => EF.Functions.ILike(d.DstOrg, pattern, LikePattern.Escape));
        }

        if (filter.Hostname is not null)
        {
            var pattern = LikePattern.Contains(filter.Hostname);
            destinations = destinations.Where(d => EF.Functions.ILike(d.DstHostname, pattern, LikePattern.Escape));
        }

        return destinations;
    }

    /// <summary>Whether an index of connections has all of these ports; it leaves out those of most rows.</summary>
    internal static bool AreIndexed(IEnumerable<PortRange> ports)
        => ports.All(range => !UnindexedPorts.Any(port => port >= range.First && port <= range.Last));

    private static (string Capital, string Small) BothCases(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
#pragma warning disable CA1308 // Not to compare by: the other of two forms that are stored.
        return (text.ToUpperInvariant(), text.ToLowerInvariant());
#pragma warning restore CA1308
    }

    internal static bool IsOneAddress(IPNetwork network)
        => network.PrefixLength == (network.BaseAddress.AddressFamily == AddressFamily.InterNetwork ? 32 : 128);

    // The very first time, and the very last, are -infinity and infinity to Npgsql.
    internal static readonly DateTimeOffset Earliest = DateTimeOffset.MinValue.AddMicroseconds(1);

    internal static readonly DateTimeOffset Latest = new(9999, 12, 31, 23, 59, 59, 999, 999, TimeSpan.Zero);

    private static readonly int[] UnindexedPorts = [53, 80, 443];

    // The condition of the index on ports, as that on scores below.
    private static readonly Expression<Func<Connection, bool>> IndexedPort = c => c.DstPort != 53 && c.DstPort != 80 && c.DstPort != 443;

    // The condition of the index on scores, word for word: the planner proves it from a constant, not from a parameter.
    private static readonly Expression<Func<Connection, bool>> Scored = c => c.ThreatScore >= ThreatScale.MediumThreshold;

    private static float Lowest(ThreatLevel level) => level switch
    {
        ThreatLevel.Medium => ThreatScale.MediumThreshold,
        ThreatLevel.High => ThreatScale.HighThreshold,
        ThreatLevel.Critical => ThreatScale.ThreatThreshold,
        _ => ThreatScale.Minimum,
    };

    private static Expression<Func<T, bool>> InPorts<T>(Expression<Func<T, int>> port, IEnumerable<PortRange> ports)
    {
        var conditions = new List<Expression<Func<T, bool>>>();
        int[] single = [.. ports.Where(range => range.First == range.Last).Select(range => range.First).Distinct()];
        if (single.Length == 1)
            conditions.Add(Compose(port, value => value == single[0]));
        else if (single.Length > 1)
            conditions.Add(Compose(port, value => single.Contains(value)));
        foreach (var (first, last) in ports.Where(range => range.First != range.Last).Distinct())
            conditions.Add(Compose(port, value => value >= first && value <= last));
        return Any(conditions);
    }

    /// <summary>Whether any condition holds; with none, never.</summary>
    private static Expression<Func<T, bool>> Any<T>(List<Expression<Func<T, bool>>> conditions)
    {
        if (conditions.Count == 0)
            return _ => false;
        var row = conditions[0].Parameters[0];
        var body = conditions[0].Body;
        foreach (var condition in conditions.Skip(1))
            body = Expression.OrElse(body, new Substitution(condition.Parameters, [row]).Visit(condition.Body));
        return Expression.Lambda<Func<T, bool>>(body, row);
    }

    private static Expression<Func<T, bool>> Compose<T>(Expression<Func<T, int>> value, Expression<Func<int, bool>> condition)
        => Expression.Lambda<Func<T, bool>>(
            new Substitution(condition.Parameters, [value.Body]).Visit(condition.Body), value.Parameters);
}
