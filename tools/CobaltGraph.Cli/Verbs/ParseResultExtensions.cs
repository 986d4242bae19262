using System.CommandLine;

namespace CobaltGraph.Cli.Verbs;

/// <summary>What of a verb's options was given.</summary>
internal static class ParseResultExtensions
{
    public static bool IsGiven(this ParseResult parse, Option option) => parse.GetResult(option) is { Implicit: false };

    /// <summary>The name of the first that was given; null when none was.</summary>
    public static string? FirstGiven(this ParseResult parse, params IEnumerable<Option> options)
        => options.FirstOrDefault(parse.IsGiven)?.Name;
}
