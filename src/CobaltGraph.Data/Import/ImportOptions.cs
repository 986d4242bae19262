namespace CobaltGraph.Data.Import;

/// <summary>Bounds and hooks of an import.</summary>
internal sealed record ImportOptions
{
    /// <summary>Connections stored by one COPY in one transaction.</summary>
    public int BatchSize { get; init; } = 10_000;

    /// <summary>How many rejected lines <see cref="ImportResult.Rejections"/> keeps; all are counted.</summary>
    public int MaxReportedRejections { get; init; } = 100;

    /// <summary>Called for every rejected line, in file order except for lines that only the server refused.</summary>
    public Action<RejectedLine>? OnRejected { get; init; }

    /// <summary>Longest line in bytes; a longer one is rejected and its rest skipped unread.</summary>
    public int MaxLineBytes { get; init; } = 1024 * 1024;

    /// <summary>
    /// Unpacked bytes per packed byte that are still believed. Log lines differ in time and uid and stay below 30;
    /// what a compression bomb is made of reaches 1,000.
    /// </summary>
    public int MaxExpansionRatio { get; init; } = 200;

    /// <summary>Unpacked bytes before <see cref="MaxExpansionRatio"/> applies.</summary>
    public long ExpansionAllowance { get; init; } = 64L * 1024 * 1024;
}
