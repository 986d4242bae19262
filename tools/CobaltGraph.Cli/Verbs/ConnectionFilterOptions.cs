using System.CommandLine;
using CobaltGraph.Cli.Terminal;
using CobaltGraph.Data.Queries;

namespace CobaltGraph.Cli.Verbs;

/// <summary>The options that say which connections are wanted.</summary>
internal sealed class ConnectionFilterOptions
{
    private static readonly (string Field, string HelpName, string Description, bool Several)[] Fields =
    [
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
        ("metadata", "json", "Only connections whose metadata contains this JSON object.", false),
    ];

    private readonly Option<DateTimeOffset?> _since;
    private readonly Option<DateTimeOffset?> _until;
    private readonly List<(string Field, Option<string[]> Option)> _options = [];

    public ConnectionFilterOptions(CliHost host)
    {
        _since = CommonOptions.Time(host, "--since", "Only connections from this time on.");
        _until = CommonOptions.Time(host, "--until", "Only connections before this time.");
        foreach (var (field, helpName, description, several) in Fields)
        {
            var option = new Option<string[]>($"--{field}")
            {
                HelpName = helpName,
                Description = several ? $"{description} Several with commas between, or given again." : description,
                Arity = ArgumentArity.OneOrMore,
            };
            option.Validators.Add(result =>
            {
                try
                {
                    _ = result.Tokens.Aggregate(new ConnectionFilter(), (filter, token) => filter.With(field, token.Value));
                }
                catch (QueryFilterException e)
                {
                    result.AddError($"--{e.Message}");
                }
            });
            _options.Add((field, option));
        }
    }

    private IEnumerable<Option> All => [_since, _until, .. _options.Select(o => o.Option)];

    public void AddTo(Command verb)
    {
        foreach (var option in All) verb.Add(option);
    }

    /// <summary>The name of a filter that was given; null when none was.</summary>
    public string? FirstGiven(ParseResult parse)
        => All.FirstOrDefault(option => parse.GetResult(option) is { Implicit: false })?.Name;

    /// <exception cref="CliException">What belongs together does not fit.</exception>
    public ConnectionFilter Read(ParseResult parse)
    {
        var filter = new ConnectionFilter { From = parse.GetValue(_since), Until = parse.GetValue(_until) };
        foreach (var (field, option) in _options)
        {
            filter = (parse.GetValue(option) ?? []).Aggregate(filter, (f, value) => f.With(field, value));
        }

        try
        {
            filter.Check();
            return filter;
        }
        catch (QueryFilterException e)
        {
            throw CliException.Usage($"--{e.Message}");
        }
    }
}
