using CobaltGraph.Cli.Database;
using CobaltGraph.Cli.Terminal;

namespace CobaltGraph.Cli.Verbs;

/// <summary>An answer that is one list.</summary>
internal static class Listing
{
    public static async Task<int> WriteAsync<T>(
        VerbCall call,
        string key,
        string title,
        IReadOnlyList<Column<T>> columns,
        IQueryable<T> query,
        int limit,
        CancellationToken cancellationToken)
    {
        var rows = new Limited<T>(query, limit);
        using var answer = call.BeginAnswer();
        await answer.TableAsync(key, title, columns, call.Host.WhileReadAsync(rows.ReadAsync(cancellationToken), cancellationToken), cancellationToken);
        if (call.Json) answer.Value("has_more", "", rows.HasMore);
        answer.End();
        if (rows.HasMore) call.Host.Notice($"There are more. Ask for them with a higher --limit, for all with --limit 0.");
        return ExitCode.Done;
    }
}
