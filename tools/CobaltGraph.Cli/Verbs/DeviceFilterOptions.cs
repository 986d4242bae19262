using System.CommandLine;
using CobaltGraph.Cli.Terminal;
using CobaltGraph.Data.Queries;

namespace CobaltGraph.Cli.Verbs;

/// <summary>The options that say which devices are wanted.</summary>
internal sealed class DeviceFilterOptions(CliHost host)
{
    private readonly Option<DateTimeOffset?> _seenSince =
        CommonOptions.Time(host, "--seen-since", "Only devices seen at this time or later.");

    private readonly FilterFields<DeviceFilter> _fields = new(
        (filter, field, value) => filter.With(field, value),
        ("status", "status", "Only devices with this status: discovered, active, idle, offline.", true),
        ("vendor", "text", "Only devices whose vendor contains this text, in any case.", false),
        ("type", "type", "Only devices of this type: router, desktop, mobile, iot, server, ….", false),
        ("address", "network", "Only devices whose primary address is this, or in this network: 10.0.0.5, 10.0.0.0/8.", false),
        ("mac", "MAC", "Only devices whose MAC address begins so: b8:27:eb is an OUI.", false),
        ("hostname", "text", "Only devices whose host name contains this text, in any case.", false),
        ("tag", "tag", "Only devices with these tags.", true),
        ("metadata", "json", "Only devices whose metadata contains this JSON object.", false),
        ("level", "level", "Only devices of this threat level: low, medium, high.", true),
        ("locally-administered", "yes|no", "Only devices whose MAC address is, or is not, locally administered, as randomised ones are.", false));

    /// <summary>The options that are times.</summary>
    public IReadOnlyList<Option<DateTimeOffset?>> Times => [_seenSince];

    public void AddTo(Command verb)
    {
        foreach (var option in _fields.Options) verb.Add(option);
        verb.Add(_seenSince);
    }

    /// <summary>The filter that was given.</summary>
    /// <param name="parse">The command line.</param>
    /// <param name="time">The time that an option gives.</param>
    /// <exception cref="QueryFilterException">What belongs together does not fit.</exception>
    public DeviceFilter Read(ParseResult parse, Func<Option<DateTimeOffset?>, DateTimeOffset?> time)
    {
        var filter = _fields.AddTo(new DeviceFilter { SeenSince = time(_seenSince) }, parse);
        filter.Check();
        return filter;
    }
}
