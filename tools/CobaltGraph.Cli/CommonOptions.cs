using System.CommandLine;
using System.Globalization;
using System.Numerics;
using CobaltGraph.Cli.Terminal;
using CobaltGraph.Data;

namespace CobaltGraph.Cli;

/// <summary>Options that mean the same on every verb.</summary>
internal static class CommonOptions
{
    public static readonly Option<string?> Connection = new("--connection")
    {
        HelpName = "connection",
        Description = "The database: Host=…;Database=… or postgresql://user@host/database. Without it " +
            $"{DatabaseSettings.ConnectionVariable}, {DatabaseSettings.ConfigFile}, or the server of `cobaltgraph up`.",
    };

    public static readonly Option<bool> Json = new("--json")
    {
        Description = "Answer with one JSON object; its keys are stable.",
    };

    public static readonly Option<bool> Yes = new("--yes", "-y")
    {
        Description = "Do not ask.",
    };

    public static readonly Option<bool> Verbose = new("--verbose")
    {
        Description = "Show where an unexpected error came from.",
        Recursive = true,
    };

    public static Option<int> Limit(int fallback)
        => Number("--limit", "rows", fallback, 0, int.MaxValue, "Show at most this many; 0 shows all.");

    /// <summary>A whole number within bounds.</summary>
    public static Option<T> Number<T>(
        string name, string helpName, T fallback, T lowest, T highest, string description)
        where T : struct, IBinaryInteger<T>, IMinMaxValue<T>
        => new(name)
        {
            HelpName = helpName,
            Description = description,
            DefaultValueFactory = _ => fallback,
            CustomParser = result =>
            {
                var text = result.Tokens[^1].Value;
                if (T.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var number)
                    && number >= lowest && number <= highest)
                {
                    return number;
                }

                var range = highest == T.MaxValue ? $"of {lowest} or more" : $"from {lowest} to {highest}";
                result.AddError($"{name}: '{text}' is not a whole number {range}.");
                return fallback;
            },
        };

    /// <summary>A time: ISO 8601, or so long before now.</summary>
    public static Option<DateTimeOffset?> Time(CliHost host, string name, string description)
        => new(name)
        {
            HelpName = "time",
            Description = $"{description} ISO 8601 (UTC unless it says otherwise), or an age such as 90m, 24h or 7d.",
            CustomParser = result =>
            {
                var text = result.Tokens[^1].Value;
                if (PointInTime.TryParse(text, host.Clock.GetUtcNow(), out var time)) return time;
                result.AddError(
                    $"{name}: '{text}' is not a time. Write 2026-01-31T12:00Z, 2026-01-31, or an age such as 24h.");
                return null;
            },
        };
}
