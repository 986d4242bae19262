using System.CommandLine;
using CobaltGraph.Cli.Terminal;
using CobaltGraph.Data.Queries;

namespace CobaltGraph.Cli.Verbs;

/// <summary>The options that say which connections are wanted.</summary>
internal sealed class ConnectionFilterOptions
{
    private readonly Option<DateTimeOffset?> _since;
    private readonly Option<DateTimeOffset?> _until;
    private readonly FilterFields<ConnectionFilter> _fields = new(
        (filter, field, value) => filter.With(field, value),
        ("device", "MAC", "Only connections of these devices.", true),
        ("source", "network", "Only connections from this address or network: 10.0.0.5, 10.0.0.0/8.", false),
        ("destination", "network", "Only connections to this address or network.", false),
        ("port", "port", "Only connections to these destination ports: 443, or 8000-8999.", true),
        ("protocol", "name", "Only connections of this protocol: TCP, UDP, ….", false),
        ("country", "code", "Only connections to this country: two letters, ISO 3166-1.", false),
        ("organization", "text", "Only connections to organisations whose name contains this text, in any case.", false),
        ("hostname", "text", "Only connections to hosts whose name contains this text, in any case.", false),
        ("level", "level", "Only connections of these threat levels: low, medium, high, critical.", true),
        ("min-score", "score", "Only connections of this threat score or more, 0 to 10.", false),
        ("max-score", "score", "Only connections of this threat score or less, 0 to 10.", false),
        ("category", "name", "Only connections of this threat category: malware, c2, ….", false),
        ("metadata", "json", "Only connections whose metadata contains this JSON object.", false));

    public ConnectionFilterOptions(CliHost host)
    {
        _since = CommonOptions.Time(host, "--since", "Only connections from this time on.");
        _until = CommonOptions.Time(host, "--until", "Only connections before this time.");
    }

    /// <summary>The options that are times.</summary>
    public IReadOnlyList<Option<DateTimeOffset?>> Times => [_since, _until];

    private IEnumerable<Option> All => [.. Times, .. _fields.Options];

    public void AddTo(Command verb)
    {
        foreach (var option in All) verb.Add(option);
    }

    /// <summary>The name of a filter that was given; null when none was.</summary>
    public string? FirstGiven(ParseResult parse) => parse.FirstGiven(All);

    /// <summary>The filter that was given.</summary>
    /// <param name="parse">The command line.</param>
    /// <param name="time">The time that an option gives; null for what the command line says.</param>
    /// <exception cref="QueryFilterException">What belongs together does not fit.</exception>
    public ConnectionFilter Read(ParseResult parse, Func<Option<DateTimeOffset?>, DateTimeOffset?>? time = null)
    {
        time ??= parse.GetValue;
        var filter = _fields.AddTo(new ConnectionFilter { From = time(_since), Until = time(_until) }, parse);
        filter.Check();
        return filter;
    }
}
