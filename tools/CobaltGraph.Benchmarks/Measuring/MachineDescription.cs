using System.Reflection;
using System.Runtime.InteropServices;

namespace CobaltGraph.Benchmarks.Measuring;

/// <summary>The machine and program of a benchmark, for its report. Names no machine.</summary>
internal sealed record MachineDescription
{
    public required string Processor { get; init; }

    public required int Processors { get; init; }

    public required long MemoryBytes { get; init; }

    public required string System { get; init; }

    public required string Runtime { get; init; }

    /// <summary>Version and commit of this program.</summary>
    public required string Program { get; init; }

    public static MachineDescription Read() => new()
    {
        Processor = ProcessorName() ?? RuntimeInformation.ProcessArchitecture.ToString(),
        Processors = Environment.ProcessorCount,
        MemoryBytes = GC.GetGCMemoryInfo().TotalAvailableMemoryBytes,
        System = RuntimeInformation.OSDescription,
        Runtime = RuntimeInformation.FrameworkDescription,
        Program = typeof(MachineDescription).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()!.InformationalVersion,
    };

    private static string? ProcessorName()
        => OperatingSystem.IsLinux()
            ? File.ReadLines("/proc/cpuinfo")
                .FirstOrDefault(line => line.StartsWith("model name", StringComparison.Ordinal))?.Split(": ", 2)[1]
            : null;
}
