using System.CommandLine;
using CobaltGraph.Data.Queries;

namespace CobaltGraph.Cli.Verbs.Paging;

/// <summary>The options that say which page of a list is wanted.</summary>
/// <param name="times">The times of the verb that its cursors belong to.</param>
internal sealed class PageOptions(params IReadOnlyList<Option<DateTimeOffset?>> times)
{
    public Option<int> Limit { get; } = CommonOptions.Limit(PageRequest.DefaultLimit);

    public Option<string?> Cursor { get; } = new("--cursor")
    {
        HelpName = "cursor",
        Description = "Go on where an earlier run with the same options left off: what it said on stderr, or next or previous " +
            $"of its JSON. Then --limit is from 1 to {PageRequest.MaxLimit}.",
    };

    public IReadOnlyList<Option<DateTimeOffset?>> Times => times;

    public void AddTo(Command verb)
    {
        verb.Add(Limit);
        verb.Add(Cursor);
    }

    /// <summary>The page that this run wants.</summary>
    /// <exception cref="CliException">A cursor was given, and there is no key to check it with.</exception>
    /// <exception cref="QueryFilterException">What was given is no cursor.</exception>
    public PageCall Begin(VerbCall call) => new(call, this);
}
