using CobaltGraph.Data.Ingest;

namespace CobaltGraph.Data.Import;

/// <summary>How an import ended.</summary>
internal enum ImportOutcome
{
    /// <summary>Every file was visited; single files and lines may still have errors.</summary>
    Completed,

    /// <summary>Cancelled: finished blocks are stored, the running ones are not.</summary>
    Cancelled,

    /// <summary>
    /// The database failed, or the file of rejects: finished blocks are stored, see <see cref="ImportResult.Failure"/> and
    /// <see cref="ImportResult.RejectsFailure"/>.
    /// </summary>
    Failed,
}

/// <summary>
/// What an import did. A line counts as read once its fate is known. Those are counted as they come from the files, and the
/// others as the database answers; read = stored + duplicate + rejected, also after a cancellation or a failure.
/// </summary>
/// <param name="Outcome">How it ended.</param>
/// <param name="Files">The files that were begun, in their order.</param>
/// <param name="Rejections">The first rejected lines, in their order.</param>
/// <param name="Failure">Why the database ended it, or null.</param>
/// <param name="RejectsFailure">Why the rejected lines could not be written, or null.</param>
/// <param name="CallbackFailure">What a callback threw, which was not called again; null when none did.</param>
internal sealed record ImportResult(
    ImportOutcome Outcome,
    IReadOnlyList<ImportFileResult> Files,
    IReadOnlyList<RejectedLine> Rejections,
    IngestException? Failure,
    Exception? RejectsFailure = null,
    Exception? CallbackFailure = null)
{
    public long Read => Files.Sum(f => f.Read);

    public long Stored => Files.Sum(f => f.Stored);

    public long Duplicate => Files.Sum(f => f.Duplicate);

    public long Rejected => Files.Sum(f => f.Rejected);

    /// <summary>Whether every line of every file is stored, now or before.</summary>
    public bool IsClean => Outcome == ImportOutcome.Completed && Rejected == 0 && Files.All(f => f is { Error: null, HeldBack: null });
}

/// <summary>What became of one file.</summary>
/// <param name="File">The path as it was given.</param>
/// <param name="Kind">connections or sightings; null when there was neither.</param>
/// <param name="Read">Lines with content whose fate is known, header lines aside; those of the blocks that are done with.</param>
/// <param name="Stored">Lines stored.</param>
/// <param name="Duplicate">Lines that were stored before.</param>
/// <param name="Rejected">Lines refused, each with a reason.</param>
/// <param name="Error">Why the file was not read or stored to its end, safe to print; null when it was.</param>
/// <param name="HeldBack">
/// The line from which on nothing was taken, because the file ends within it and it may be half written; null when there is none.
/// </param>
/// <param name="LeftOut">Why it was passed over: it was found in a folder, and is none of the logs that are read. Null when it was not.</param>
internal sealed record ImportFileResult(
    string File, string? Kind, long Read, long Stored, long Duplicate, long Rejected, string? Error, long? HeldBack, string? LeftOut);

/// <summary>A state of a running import.</summary>
/// <param name="File">The file being read.</param>
/// <param name="FileNumber">Its place among the files, from 1.</param>
/// <param name="FileCount">How many files there are.</param>
/// <param name="FileBytesRead">Bytes of the file taken so far, as they are on disk.</param>
/// <param name="FileBytes">Size of the file, or null when it has none (a pipe).</param>
/// <param name="Stored">Lines stored, over all files.</param>
/// <param name="Duplicate">Lines that were stored before, over all files.</param>
/// <param name="Rejected">Lines rejected, over all files.</param>
internal readonly record struct ImportProgress(
    string File,
    int FileNumber,
    int FileCount,
    long FileBytesRead,
    long? FileBytes,
    long Stored,
    long Duplicate,
    long Rejected)
{
    /// <summary>Lines whose fate is known, over all files.</summary>
    public long Read => Stored + Duplicate + Rejected;
}
