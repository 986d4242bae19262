using System.Reflection;
using CobaltGraph.Cli.Terminal;

namespace CobaltGraph.Cli;

/// <summary>This program.</summary>
internal static class Tool
{
    /// <summary>Its version, without the build's source revision.</summary>
    public static string Version { get; } = typeof(Tool).Assembly
        .GetCustomAttribute<AssemblyInformationalVersionAttribute>()!
        .InformationalVersion.Split('+')[0];

    /// <summary>How this program is started from where its user is: installed, or from its source.</summary>
    public static string Command(CliHost host)
    {
        const string project = "tools/CobaltGraph.Cli";
        var program = OperatingSystem.IsWindows() ? "cobaltgraph.exe" : "cobaltgraph";
        var isInstalled = host.Environment("PATH")?.Split(Path.PathSeparator)
            .Any(folder => File.Exists(Path.Combine(folder, program))) == true;
        return !isInstalled && File.Exists(Path.Combine(host.CurrentFolder, project, "CobaltGraph.Cli.csproj"))
            ? $"dotnet run --project {project} --"
            : "cobaltgraph";
    }
}
