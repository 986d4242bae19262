using CobaltGraph.Data.Import;

namespace CobaltGraph.Data.Tests.Import;

/// <summary>Gives its bytes in small pieces, as a pipe does.</summary>
internal sealed class ChunkStream(byte[] bytes, int chunk, bool isAsynchronous = false) : ReadOnlyStream
{
    private int _position;

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        if (isAsynchronous)
            await Task.Yield();
        var count = Math.Min(Math.Min(chunk, buffer.Length), bytes.Length - _position);
        bytes.AsMemory(_position, count).CopyTo(buffer);
        _position += count;
        return count;
    }
}
