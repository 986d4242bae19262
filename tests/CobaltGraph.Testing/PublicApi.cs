using System.Reflection;
using PublicApiGenerator;

namespace CobaltGraph.Testing;

/// <summary>
/// Holds the public API of an assembly against the text that was last reviewed. COBALTGRAPH_UPDATE_API=1 rewrites the
/// text, so that the change shows in the review.
/// </summary>
public static class PublicApi
{
    private static readonly ApiGeneratorOptions Options = new()
    {
        ExcludeAttributes =
        [
            "System.Reflection.AssemblyMetadataAttribute",
            "System.Runtime.CompilerServices.InternalsVisibleToAttribute",
            "System.Runtime.Versioning.TargetFrameworkAttribute",
        ],
    };

    /// <summary>The reviewed text and that of the assembly now.</summary>
    /// <param name="assembly">The assembly.</param>
    /// <param name="path">The file that holds the reviewed text.</param>
    public static (string Reviewed, string Now) Compare(Assembly assembly, string path)
    {
        var now = assembly.GeneratePublicApi(Options).ReplaceLineEndings("\n") + "\n";
        if (Environment.GetEnvironmentVariable("COBALTGRAPH_UPDATE_API") == "1")
            File.WriteAllText(path, now);

        return (File.Exists(path) ? File.ReadAllText(path).ReplaceLineEndings("\n") : "", now);
    }
}
