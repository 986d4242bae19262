using CobaltGraph.Cli.Database;
using CobaltGraph.Data;
using CobaltGraph.Data.Queries;

namespace CobaltGraph.Cli.Verbs.Paging;

/// <summary>The key of this user's cursors; or why there is none.</summary>
internal sealed class CursorSigner
{
    public CursorSigner(VerbCall call)
    {
        try
        {
            QueryOptions = new QueryOptions { CursorKey = CursorKey.ReadOrCreate(call.Home) };
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or CliException)
        {
            Problem = e.Message;
        }
    }

    /// <summary>What signs the cursors. Without a key of this user, the key of this run, which is good for no other.</summary>
    public QueryOptions QueryOptions { get; } = new();

    /// <summary>Why there is no key; null when there is one.</summary>
    public string? Problem { get; }

    public static string WhereTheKeyIs
        => $"It is kept as {CursorKey.FileName} in the folder that {CobaltGraphHome.Variable} names.";

    /// <summary>A cursor that another run can use; null when there is no key for that.</summary>
    public string? Sign(string? cursor) => Problem is null ? cursor : null;
}
