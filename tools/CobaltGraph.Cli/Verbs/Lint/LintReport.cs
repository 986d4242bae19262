using System.Text.Json;
using System.Text.Json.Serialization;

namespace CobaltGraph.Cli.Verbs.Lint;

/// <summary>What is left of the findings when those are taken away that an exception accepts.</summary>
/// <param name="Findings">What nobody has accepted.</param>
/// <param name="Accepted">How many an exception accepts.</param>
/// <param name="Problems">Exceptions that do not count, and why.</param>
internal sealed record LintReport(IReadOnlyList<LintFinding> Findings, int Accepted, IReadOnlyList<string> Problems)
{
    /// <summary>The committed exceptions.</summary>
    public const string ExceptionsFile = "Migrations.Sql/lint.json";

    // In such a script squawk saw nothing behind the error.
    private const string SyntaxError = "syntax-error";

    private static readonly JsonSerializerOptions Json = new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
    };

    public bool IsClean => Findings.Count == 0 && Problems.Count == 0;

    /// <summary>Reads exceptions.</summary>
    /// <exception cref="JsonException">The text is not a list of exceptions.</exception>
    public static IReadOnlyList<LintException> ParseExceptions(string json)
        => JsonSerializer.Deserialize<List<LintException>>(json, Json) ?? [];

    public static IReadOnlyList<LintException> ReadExceptions()
    {
        using var stream = typeof(LintReport).Assembly.GetManifestResourceStream("lint.json")!;
        using var reader = new StreamReader(stream);
        return ParseExceptions(reader.ReadToEnd());
    }

    public static LintReport Of(IReadOnlyList<LintFinding> findings, IReadOnlyList<LintException> exceptions)
    {
        var valid = exceptions.Where(exception => Problem(exception) is null).ToList();
        var open = findings.Where(finding => !valid.Exists(exception => exception.Covers(finding))).ToList();
        return new(
            open,
            findings.Count - open.Count,
            [
                .. exceptions.Select(exception => (exception, problem: Problem(exception)))
                    .Where(each => each.problem is not null)
                    .Select(each => $"{ExceptionsFile}: {each.exception}: {each.problem}"),
                .. valid.Where(exception => !findings.Any(exception.Covers))
                    .Select(exception => $"{ExceptionsFile}: {exception}: nothing is found there any more; take the exception out."),
            ]);
    }

    private static string? Problem(LintException exception) => exception switch
    {
        { Rule: null or SyntaxError } => "an exception names a rule, and there is none for a syntax error.",
        _ when string.IsNullOrWhiteSpace(exception.Reason) => "the reason is missing; say why it does no harm.",
        _ => null,
    };
}
