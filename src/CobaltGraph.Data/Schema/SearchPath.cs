using System.Text;

namespace CobaltGraph.Data.Schema;

internal static class SearchPath
{
    /// <summary>
    /// The schema that a search path names first, or null when it names none or leaves it to the role
    /// (<c>"$user"</c>).
    /// </summary>
    public static string? First(string? searchPath)
    {
        var path = searchPath.AsSpan().TrimStart();
        if (path.IsEmpty)
            return null;

        var name = path[0] == '"' ? Quoted(path[1..]) : Unquoted(path);
        return name is "" or "$user" ? null : name;
    }

    private static string Quoted(ReadOnlySpan<char> path)
    {
        var name = new StringBuilder();
        for (var i = 0; i < path.Length; i++)
        {
            if (path[i] == '"')
            {
                if (i + 1 == path.Length || path[i + 1] != '"')
                    break;

                i++;
            }

            name.Append(path[i]);
        }

        return name.ToString();
    }

    private static string Unquoted(ReadOnlySpan<char> path)
    {
        var end = path.IndexOf(',');
        // Like the server, which folds unquoted names.
        return path[..(end < 0 ? path.Length : end)].Trim().ToString().ToLowerInvariant();
    }
}
