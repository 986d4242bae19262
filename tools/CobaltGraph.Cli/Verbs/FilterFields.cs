using System.CommandLine;
using CobaltGraph.Data.Queries;

namespace CobaltGraph.Cli.Verbs;

/// <summary>Options that are the fields of a filter, read and checked by the filter itself.</summary>
/// <param name="with">The filter with one more condition: field and value.</param>
/// <param name="fields">The fields; several values of one have commas between, or the option is given again.</param>
internal sealed class FilterFields<T>(
    Func<T, string, string, T> with,
    params IEnumerable<(string Field, string HelpName, string Description, bool Several)> fields)
    where T : new()
{
    private readonly List<(string Field, Option<string[]> Option)> _options =
        [.. fields.Select(f => (f.Field, Create(with, f.Field, f.HelpName, f.Description, f.Several)))];

    public IEnumerable<Option> Options => _options.Select(o => o.Option);

    public T AddTo(T filter, ParseResult parse)
        => _options.Aggregate(filter, (all, o) => (parse.GetValue(o.Option) ?? []).Aggregate(all, (f, value) => with(f, o.Field, value)));

    private static Option<string[]> Create(
        Func<T, string, string, T> with, string field, string helpName, string description, bool several)
    {
        var option = new Option<string[]>($"--{field}")
        {
            HelpName = helpName,
            Description = several ? $"{description} Several with commas between, or given again." : description,
            Arity = ArgumentArity.OneOrMore,
        };
        option.Validators.Add(result =>
        {
            if (!several && result.Tokens.Count > 1)
            {
                result.AddError($"--{field} is given {result.Tokens.Count} times, and only one value of it can hold; give it once.");
                return;
            }

            try
            {
                _ = result.Tokens.Aggregate(new T(), (filter, token) => with(filter, field, token.Value));
            }
            catch (QueryFilterException e)
            {
                result.AddError($"--{e.Message}");
            }
        });
        return option;
    }
}
