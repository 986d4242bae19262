using CobaltGraph.Model;

namespace CobaltGraph.Data.Import;

/// <summary>One line of a log: a connection, or the reason why it is none.</summary>
internal readonly record struct ImportedLine(long LineNumber, Connection? Connection, RejectedLine? Rejection);

/// <summary>A line that was not stored. Every text in it is safe to print.</summary>
/// <param name="File">The path as it was given.</param>
/// <param name="LineNumber">The line in the (unpacked) file, from 1.</param>
/// <param name="Reason">The field and the accepted form.</param>
/// <param name="Excerpt">The start of the line.</param>
internal sealed record RejectedLine(string File, long LineNumber, string Reason, string Excerpt)
{
    public const int MaxExcerptLength = 160;
}
