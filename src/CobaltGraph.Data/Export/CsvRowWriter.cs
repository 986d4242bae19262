using CobaltGraph.Data.Import;
using CobaltGraph.Model;

namespace CobaltGraph.Data.Export;

/// <param name="target">Left open.</param>
/// <param name="kind">Which of the two kinds of rows will be written.</param>
internal sealed class CsvRowWriter(Stream target, TableKind kind) : IRowWriter
{
    // The CSV writer writes what it still holds when it is disposed, also after a failure.
    private readonly MemoryStream _buffer = new(64 * 1024);
    private TableCsvWriter? _csv;

    private TableCsvWriter Csv => _csv ??= new TableCsvWriter(_buffer, kind);

    public void Write(Connection row) => Csv.Write(row);

    public void Write(DeviceSighting row) => Csv.Write(row);

    public async ValueTask FlushAsync(CancellationToken cancellationToken)
    {
        await Csv.FlushAsync(cancellationToken).ConfigureAwait(false);
        await target.WriteAsync(_buffer.GetBuffer().AsMemory(0, (int)_buffer.Length), cancellationToken).ConfigureAwait(false);
        _buffer.SetLength(0);
    }

    public async ValueTask DisposeAsync()
    {
        if (_csv is not null)
            await _csv.DisposeAsync().ConfigureAwait(false);
        await _buffer.DisposeAsync().ConfigureAwait(false);
    }
}
