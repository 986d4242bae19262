using CobaltGraph.Model;

namespace CobaltGraph.Data.Import;

/// <summary>Understands the lines of one format, one after the other.</summary>
internal interface ILineParser
{
    /// <summary>The header that holds for the line that was parsed last; null where there is none.</summary>
    InputHeader? Header { get; }

    /// <summary>
    /// Reads one line that is not blank. Gives a <see cref="Connection"/> or <see cref="DeviceSighting"/>, or the reason
    /// why it is neither, or nothing for a line that carries no row.
    /// </summary>
    /// <exception cref="InvalidDataException">The file as a whole cannot be read on; the message is safe to print.</exception>
    object? Parse(ReadOnlyMemory<byte> line, out string? reason);
}
