using System.Buffers;
using CobaltGraph.Data.Import;
using CobaltGraph.Model;

namespace CobaltGraph.Data.Export;

internal sealed class JsonRowWriter : IRowWriter
{
    private readonly Stream _target;
    private readonly ArrayBufferWriter<byte> _buffer = new(64 * 1024);
    private readonly TableJsonWriter _json;

    public JsonRowWriter(Stream target)
    {
        _target = target;
        _json = new TableJsonWriter(_buffer);
    }

    public void Write(Connection row) => _json.Write(row);

    public void Write(DeviceSighting row) => _json.Write(row);

    public async ValueTask FlushAsync(CancellationToken cancellationToken)
    {
        await _target.WriteAsync(_buffer.WrittenMemory, cancellationToken).ConfigureAwait(false);
        _buffer.ResetWrittenCount();
    }

    public ValueTask DisposeAsync()
    {
        _json.Dispose();
        return ValueTask.CompletedTask;
    }
}
