using CobaltGraph.Model;

namespace CobaltGraph.Data.Queries;

/// <summary>
/// A filter, a sort order, a limit or a cursor cannot be used. The message names the field, shows what was given and the
/// accepted form, and is safe to print.
/// </summary>
public sealed class QueryFilterException : ArgumentException
{
    /// <summary>Creates the exception.</summary>
    /// <param name="field">The field at fault, as <c>With</c> of the filters names it.</param>
    /// <param name="value">What was given; shown escaped and shortened.</param>
    /// <param name="problem">What is wrong with it, to be read after the value: "is not a port".</param>
    /// <param name="accepted">The accepted form, to be read after "Accepted:".</param>
    public QueryFilterException(string field, string value, string problem, string accepted)
        : base($"{field}: {DisplayText.Quote(value)} {problem}. Accepted: {accepted}.")
    {
        Field = field;
        Value = value;
        Accepted = accepted;
    }

    /// <summary>The field at fault.</summary>
    public string Field { get; }

    /// <summary>What was given, as it was: not safe to print.</summary>
    public string Value { get; }

    /// <summary>The accepted form.</summary>
    public string Accepted { get; }
}
