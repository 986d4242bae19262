namespace CobaltGraph.Data.Import;

/// <summary>Bounds and hooks of an import.</summary>
internal sealed record ImportOptions
{
    /// <summary>Who delivers the files; part of every batch's key.</summary>
    public string Source { get; init; } = "import";

    /// <summary>
    /// Lines of a block, which is stored in one transaction. The ledger knows blocks by where they begin, so that a file
    /// whose import was cut short must be cut alike the next time; other numbers are for tests.
    /// </summary>
    public int BlockLines { get; init; } = 10_000;

    /// <summary>Connections to the server that store blocks side by side, 1 to 32.</summary>
    public int Writers { get; init; } = 1;

    /// <summary>Gets rejected lines as they stood in the input; null for none.</summary>
    public RejectsFile? Rejects { get; init; }

    /// <summary>
    /// Whether nobody writes to the files any more, so that a last line without an end is whole. Otherwise it is held back,
    /// unless it shows itself that nothing is missing.
    /// </summary>
    public bool AreComplete { get; init; }

    /// <summary>Gives the time of records that have none.</summary>
    public TimeProvider Clock { get; init; } = TimeProvider.System;

    /// <summary>How many rejected lines <see cref="ImportResult.Rejections"/> keeps; all are counted.</summary>
    public int MaxReportedRejections { get; init; } = 100;

    /// <summary>Called for every rejected line whose block is stored, in the order of files and lines.</summary>
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
