namespace CobaltGraph.Testing;

/// <summary>The checkout that the tests were built in.</summary>
public static class Repository
{
    /// <summary>Its root.</summary>
    /// <exception cref="InvalidOperationException">The tests do not lie inside a checkout.</exception>
    public static string Root
        => TryFindRoot() ?? throw new InvalidOperationException("The tests do not lie inside the repository.");

    /// <summary>A path below the root.</summary>
    public static string PathOf(params string[] parts) => Path.Combine([Root, .. parts]);

    /// <summary>The root, or null when the tests do not lie inside a checkout.</summary>
    public static string? TryFindRoot()
    {
        for (var folder = AppContext.BaseDirectory; folder is not null; folder = Path.GetDirectoryName(folder))
        {
            if (File.Exists(Path.Combine(folder, "CobaltGraph.sln")))
                return folder;
        }

        return null;
    }
}
