using CobaltGraph.Data.Queries;

namespace CobaltGraph.Data.Export;

/// <summary>
/// Writes what is stored as CSV or JSON lines, for other programs and for an import into another database. An export is one
/// snapshot, whatever is stored meanwhile, and is streamed: its memory does not grow with its rows. Safe for use by several
/// threads. <c>AddCobaltGraph</c> registers it as a singleton.
/// </summary>
public interface IExportService
{
    /// <summary>Writes connections in the order of time, with their ids, to a stream.</summary>
    /// <param name="target">Where to; left open.</param>
    /// <param name="format">How.</param>
    /// <param name="filter">Which connections; null for all.</param>
    /// <param name="progress">Told the rows so far, now and then.</param>
    /// <param name="cancellationToken">Ends the export; what was written before stays written.</param>
    /// <returns>How many rows were written.</returns>
    /// <exception cref="Npgsql.NpgsqlException">The database failed; an export does not go on after that.</exception>
    /// <exception cref="QueryFilterException">A value of the filter is not in its form.</exception>
    /// <exception cref="IOException">The target cannot be written.</exception>
    /// <exception cref="OperationCanceledException">The export was cancelled.</exception>
    Task<ExportResult> ExportConnectionsAsync(
        Stream target,
        ExportFormat format,
        ConnectionFilter? filter = null,
        IProgress<long>? progress = null,
        CancellationToken cancellationToken = default);

    /// <summary>
    /// Writes connections in the order of time, with their ids, to a file: gzip when its name ends in <c>.gz</c>. The file has
    /// its name only once it is complete; until then it is <c>….part</c>, which an export that fails or is cancelled removes.
    /// A file of that name is replaced.
    /// </summary>
    /// <param name="path">The file. Its folder must be there.</param>
    /// <param name="format">How.</param>
    /// <param name="filter">Which connections; null for all.</param>
    /// <param name="progress">Told the rows so far, now and then.</param>
    /// <param name="cancellationToken">Ends the export without a file.</param>
    /// <inheritdoc cref="ExportConnectionsAsync(Stream, ExportFormat, ConnectionFilter?, IProgress{long}?, CancellationToken)"/>
    /// <exception cref="UnauthorizedAccessException">The file may not be written, or is a folder.</exception>
    Task<ExportResult> ExportConnectionsAsync(
        string path,
        ExportFormat format,
        ConnectionFilter? filter = null,
        IProgress<long>? progress = null,
        CancellationToken cancellationToken = default);

    /// <summary>
    /// Writes devices in the order of their MAC addresses to a stream, as the sightings that make them: for each device, in the
    /// order of time, when it was seen first and last, each value as of when it was told, and each address at both ends of the
    /// time for which it was held and once in every <see cref="Model.DeviceAddress.Lapse"/> between them. Status and counters
    /// follow again from time and connections.
    /// </summary>
    /// <inheritdoc cref="ExportConnectionsAsync(Stream, ExportFormat, ConnectionFilter?, IProgress{long}?, CancellationToken)"/>
    Task<ExportResult> ExportDevicesAsync(
        Stream target,
        ExportFormat format,
        IProgress<long>? progress = null,
        CancellationToken cancellationToken = default);

    /// <summary>Writes devices as the sightings that make them to a file, as connections are written to one.</summary>
    /// <inheritdoc cref="ExportConnectionsAsync(string, ExportFormat, ConnectionFilter?, IProgress{long}?, CancellationToken)"/>
    Task<ExportResult> ExportDevicesAsync(
        string path,
        ExportFormat format,
        IProgress<long>? progress = null,
        CancellationToken cancellationToken = default);
}
