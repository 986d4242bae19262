using System.CommandLine;
using CobaltGraph.Cli.Database;
using CobaltGraph.Cli.Terminal;
using CobaltGraph.Data.Queries;

namespace CobaltGraph.Cli.Verbs.Paging;

/// <summary>The page that one run wants: how it is asked for, and how the answer says where to go on.</summary>
internal sealed class PageCall
{
    private readonly VerbCall _call;
    private readonly PageOptions _options;
    private readonly AgeCursor? _cursor;
    private readonly CursorSigner _signer;

    public PageCall(VerbCall call, PageOptions options)
    {
        _call = call;
        _options = options;
        _signer = new CursorSigner(call);
        if (call.Parse.GetValue(options.Cursor) is not { } text) return;
        if (_signer.Problem is { } problem)
            throw CliException.Failed($"--cursor needs the key that cursors are signed with: {problem}", CursorSigner.WhereTheKeyIs);
        _cursor = AgeCursor.Parse(text, options.Times.Count);
        for (var i = 0; i < options.Times.Count; i++)
        {
            if (_cursor.Ages[i]?.Text is { } said && said != AgeText(options.Times[i]))
            {
                throw new QueryFilterException(
                    "cursor", text, $"is of a list with {options.Times[i].Name} {said}", "the same options as for the page before or behind it");
            }
        }
    }

    public QueryOptions QueryOptions => _signer.QueryOptions;

    private bool IsSeveral => _cursor is null && (Limit == 0 || Limit > PageRequest.MaxLimit);

    private int Limit => _call.Parse.GetValue(_options.Limit);

    /// <summary>The time that an option gives. An age counts from when the first page was read.</summary>
    public DateTimeOffset? Time(Option<DateTimeOffset?> option)
        => _cursor?.Ages[IndexOf(option)] is { } age ? age.Since : _call.Parse.GetValue(option);

    /// <summary>
    /// Where the rows are read. More than one page is read at one moment: a row that is moved in the order meanwhile would be in
    /// none of them, or in two.
    /// </summary>
    public async Task<PageSource> OpenAsync(DatabaseSession database, CancellationToken cancellationToken)
        => new(database, IsSeveral ? await database.BeginSnapshotAsync(cancellationToken) : null);

    public PagedRows<T> Rows<T>(Func<PageRequest, Task<Page<T>>> read) => new(Limit, _cursor?.Query, read);

    /// <summary>Writes the rows as the answer's table, with how to go on, and ends the answer.</summary>
    public async Task WriteAsync<T>(
        Answer answer,
        string key,
        string title,
        IReadOnlyList<Column<T>> columns,
        PagedRows<T> rows,
        Func<RowCount?>? total,
        CancellationToken cancellationToken)
    {
        await answer.TableAsync(key, title, columns, _call.Host.WhileReadAsync(rows.ReadAsync(cancellationToken), cancellationToken), cancellationToken);
        var count = total?.Invoke();
        if (_call.Json)
        {
            answer.Value("has_more", "", rows.Next is not null);
            answer.Value("next", "", CursorText(rows.Next));
            answer.Value("previous", "", CursorText(rows.Previous));
            if (count is { } known)
            {
                answer.Value("total", "", known.Value);
                answer.Value("total_is_exact", "", known.IsExact);
            }
        }

        answer.End();
        if (count is { } all && (rows.Next is not null || rows.Previous is not null || _call.Host.OutputIsTerminal))
        {
            _call.Host.Notice(
                $"{Cell.Display(rows.Count)} of {(all.IsExact ? "exactly" : "about")} {Cell.Display(all.Value)}.");
        }

        SayHowToGoOn(rows.Next, rows.Previous);
    }

    private void SayHowToGoOn(string? next, string? previous)
    {
        if (next is null && previous is null) return;
        if (_signer.Problem is { } problem)
        {
            _call.Host.Notice(
                "There are more. Ask for them with a higher --limit, for all with --limit 0. " +
                $"Going on page by page needs a key to sign cursors with: {problem}");
            _call.Host.Notice(CursorSigner.WhereTheKeyIs);
            return;
        }

        if (next is not null)
        {
            var options = Limit > PageRequest.MaxLimit ? $"the same options and --limit {PageRequest.MaxLimit}" : "the same options";
            _call.Host.Notice($"There are more; --limit 0 shows all. The next page, with {options}: --cursor {CursorText(next)}");
        }

        if (previous is not null)
            _call.Host.Notice($"The page before: --cursor {CursorText(previous)}");
    }

    private string? CursorText(string? query)
        => _signer.Sign(query) is null ? null
            : new AgeCursor(query!, [.. _options.Times.Select(option => AgeText(option) is { } age ? new AgeCursor.Age(age, Time(option)!.Value) : null)])
                .ToString();

    // Null where none or an absolute time is given.
    private string? AgeText(Option<DateTimeOffset?> option)
        => _call.Parse.GetResult(option) is { Tokens: [.., { Value: var text }] } && PointInTime.IsAge(text) ? text : null;

    private int IndexOf(Option<DateTimeOffset?> option) => _options.Times.ToList().IndexOf(option);
}
