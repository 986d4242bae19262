using System.Net;
using CobaltGraph.Model;
using CobaltGraph.Seeding.Factories;
using CobaltGraph.Seeding.Randomness;

namespace CobaltGraph.Seeding.Recipes;

/// <summary>
/// An attack on an office, from the phishing mail to the stolen files. About one connection in forty belongs to it.
/// </summary>
internal static class Attack
{
    private static readonly int[] ScannedPorts = [22, 23, 80, 135, 139, 443, 445, 1433, 3389, 5900, 8080, 9100];

    public static IEnumerable<TrafficSource> Plan(Site site, ConnectionFactory factory)
    {
        var total = site.Options.Connections;
        var random = RandomStream.For(site.Options.Seed, "attack");
        var from = site.From.UtcDateTime;
        var to = site.To.UtcDateTime;
        var period = to - from;

        // Somebody opens the mail in the morning of the day in the middle of the period.
        var offset = site.Options.Recipe.UtcOffsetHours;
        var start = (from + period * 0.4).Date.AddHours(9 - offset).AddMinutes(random.Below(120));
        if (start < from || start > to.AddHours(-6))
            start = from + period / 4;
        var left = to - start;

        var victim = site.Plans.FirstOrDefault(plan => plan.Role.DeviceType == "desktop" && plan.IsPresent(start) && plan.IsPresent(to))
            ?? site.Plans[^1];
        var server = factory.Servers[0];
        var threats = site.Internet.Threats;
        var phishing = threats.First(threat => threat.Category == "phishing");
        var malware = threats.First(threat => threat.Category == "malware");
        var control = threats.First(threat => threat.Category == "c2");
        var drop = threats.First(threat => threat.Category == "proxy");

        yield return Make(Share(0.0002, 1), start, start.AddMinutes(6), 1, (_, at) => factory.ToThreat(victim, phishing, at));
        yield return Make(Share(0.0002, 1), start.AddMinutes(6), start.AddMinutes(12), 1, (_, at) => factory.ToThreat(victim, malware, at));

        // The beacon: small, and regular as a clock.
        yield return Make(Share(0.009, 4), start.AddMinutes(12), to, 0.1, (_, at) => Beacon(victim, at));

        // The scan: everything inside, port by port, in an hour.
        var scanStart = start + left * 0.1;
        yield return Make(Share(0.010, 4), scanStart, scanStart + Shorter(TimeSpan.FromHours(1), left * 0.1), 1, Scan);

        // From then on the server beacons too.
        yield return Make(Share(0.004, 2), start + left * 0.25, to, 0.1, (_, at) => Beacon(server, at));

        // The files leave in the last nights.
        var perNight = Share(0.0004, 1);
        for (var night = 2; night > 0; night--)
        {
            var begin = to.AddDays(-night).Date.AddHours(25 - offset);
            if (begin < start || begin.AddHours(3) > to)
                begin = to - Shorter(TimeSpan.FromHours(4 * night), left * 0.2 * night);
            yield return Make(perNight, begin, begin + Shorter(TimeSpan.FromHours(3), left * 0.1), 1, (_, at) => Steal(at));
        }

        long Share(double share, long least) => total < 60 ? 0 : Math.Max((long)(total * share), least);

        Episode Make(long count, DateTime begin, DateTime end, double jitter, Func<long, DateTime, Connection> make)
            => new(count, begin, end, jitter, random, make);

        Connection Beacon(DevicePlan device, DateTime at)
            => factory.ToInternet(
                device, control, "TCP", 443, "ssl", new Spread(480, 0.2), new Spread(320, 0.3), new Spread(350, 0.6), 0.01, at);

        Connection Scan(long index, DateTime at)
        {
            var plans = site.Plans;
            var target = plans[(int)(index % plans.Count)];
            var port = ScannedPorts[(int)(index / plans.Count % ScannedPorts.Length)];
            var connection = factory.ToInside(
                victim, target.AddressAt(at), target.Device.Hostname, "TCP", port, null,
                new Spread(60, 0.5), new Spread(40, 0.5), new Spread(3, 1), 0.93, at);
            Mark(connection, 7.4f, "scan", "One device tries many addresses and ports", target.AddressAt(at));
            return connection;
        }

        Connection Steal(DateTime at)
        {
            var connection = factory.ToInternet(
                server, drop, "TCP", 443, "ssl", new Spread(260_000_000, 1.0), new Spread(160_000, 1.0), new Spread(420_000, 1.0), 0, at);
            Mark(connection, 9.4f, "exfiltration", "Far more is sent than received, by night", connection.DstIp);
            return connection;
        }
    }

    private static void Mark(Connection connection, float score, string category, string reason, IPAddress indicator)
    {
        connection.ThreatScore = score;
        connection.ThreatCategory = category;
        connection.Metadata.Threat = new ThreatMetadata { Source = "heuristic", Reason = reason, Indicator = indicator.ToString() };
    }

    private static TimeSpan Shorter(TimeSpan one, TimeSpan other) => one < other ? one : other;
}
