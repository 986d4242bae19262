using CobaltGraph.Model;

namespace CobaltGraph.Data.Import;

/// <summary>Understands the lines of one format, one after the other.</summary>
internal interface ILineParser
{
    /// <summary>
    /// Reads one line that is not blank. Gives a connection, or the reason why it is none, or neither for a line that
    /// carries no row.
    /// </summary>
    /// <exception cref="InvalidDataException">The file as a whole cannot be read on; the message is safe to print.</exception>
    Connection? Parse(ReadOnlySpan<byte> line, out string? reason);
}
