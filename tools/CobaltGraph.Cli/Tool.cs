using System.Reflection;

namespace CobaltGraph.Cli;

/// <summary>This program.</summary>
internal static class Tool
{
    /// <summary>Its version, without the build's source revision.</summary>
    public static string Version { get; } = typeof(Tool).Assembly
        .GetCustomAttribute<AssemblyInformationalVersionAttribute>()!
        .InformationalVersion.Split('+')[0];
}
