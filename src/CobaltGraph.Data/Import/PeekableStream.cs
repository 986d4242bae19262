namespace CobaltGraph.Data.Import;

/// <summary>A stream whose next bytes can be looked at before they are read, and whose last read can be taken back.</summary>
internal sealed class PeekableStream(Stream inner) : ReadOnlyStream
{
    private readonly byte[] _buffer = new byte[64 * 1024];
    private int _start;
    private int _end;
    private int _lastRead;

    /// <summary>Bytes read so far.</summary>
    public long Consumed { get; private set; }

    /// <summary>Whether a read found the end of the stream.</summary>
    public bool HasReportedEnd { get; private set; }

    /// <summary>The next bytes, at least <paramref name="count"/> unless the stream ends before.</summary>
    public async ValueTask<ReadOnlyMemory<byte>> PeekAsync(int count, CancellationToken cancellationToken)
    {
        if (_end - _start < count && _start > 0)
        {
            _buffer.AsSpan(_start, _end - _start).CopyTo(_buffer);
            _end -= _start;
            _start = 0;
            _lastRead = 0;
        }

        while (_end - _start < count)
        {
            var read = await inner.ReadAsync(_buffer.AsMemory(_end), cancellationToken).ConfigureAwait(false);
            if (read == 0)
                break;
            _end += read;
        }

        return _buffer.AsMemory(_start, _end - _start);
    }

    public void Skip(int count)
    {
        _start += count;
        Consumed += count;
        _lastRead = 0;
    }

    /// <summary>Takes back the last read and returns how many bytes it gave.</summary>
    public int Unread()
    {
        var count = _lastRead;
        _start -= count;
        Consumed -= count;
        _lastRead = 0;
        return count;
    }

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        if (buffer.IsEmpty)
            return 0;
        if (_start == _end)
        {
            _start = 0;
            _end = await inner.ReadAsync(_buffer, cancellationToken).ConfigureAwait(false);
            if (_end == 0)
            {
                HasReportedEnd = true;
                _lastRead = 0;
                return 0;
            }
        }

        // Small enough that a read that is taken back leaves room to look beyond it.
        var count = Math.Min(Math.Min(buffer.Length, _buffer.Length / 2), _end - _start);
        _buffer.AsMemory(_start, count).CopyTo(buffer);
        _start += count;
        Consumed += count;
        _lastRead = count;
        return count;
    }
}
