using CobaltGraph.Data.Import;

namespace CobaltGraph.Cli.Terminal;

/// <summary>
/// Standard input, whose reads wait for a terminal or a pipe and cannot be cancelled: one that is given up is left alone.
/// </summary>
internal sealed class CancellableStream(Stream stream) : ReadOnlyStream
{
    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
        => await Task.Run(() => stream.Read(buffer.Span), CancellationToken.None).WaitAsync(cancellationToken);

    protected override void Dispose(bool disposing)
    {
        if (disposing) stream.Dispose();
        base.Dispose(disposing);
    }
}
