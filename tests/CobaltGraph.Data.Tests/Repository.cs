namespace CobaltGraph.Data.Tests;

internal static class Repository
{
    public static string Root { get; } = FindRoot();

    public static string PathOf(params string[] parts) => Path.Combine([Root, .. parts]);

    private static string FindRoot()
    {
        for (var folder = AppContext.BaseDirectory; folder is not null; folder = Path.GetDirectoryName(folder))
        {
            if (File.Exists(Path.Combine(folder, "CobaltGraph.sln")))
                return folder;
        }

        throw new InvalidOperationException("The tests do not lie inside the repository.");
    }
}
