namespace CobaltGraph.Data.Import;

/// <summary>
/// Splits a stream into lines in memory that does not depend on their length: of a line that is too long only its start
/// is kept.
/// </summary>
internal sealed class LineReader(Stream stream, int maxLineBytes)
{
    private const int KeptOfLongLine = 1024;

    private byte[] _buffer = new byte[64 * 1024];
    private int _start;
    private int _searched;
    private int _end;
    private bool _isAtEnd;
    private int _lineStart;
    private int _lineLength;

    /// <summary>The line without its end, or the start of one that is too long; valid until the next read.</summary>
    public ReadOnlySpan<byte> Line => _buffer.AsSpan(_lineStart, _lineLength);

    /// <summary>The number of <see cref="Line"/>, from 1.</summary>
    public long LineNumber { get; private set; }

    /// <summary>The number of bytes of the line, or 0 when it is not too long.</summary>
    public long TooLongBytes { get; private set; }

    /// <summary>What is read ahead of the first line, at least <paramref name="count"/> bytes unless the stream ends.</summary>
    public async ValueTask<ReadOnlyMemory<byte>> PeekAsync(int count, CancellationToken cancellationToken)
    {
        while (_end - _start < count && !_isAtEnd)
            await FillAsync(cancellationToken).ConfigureAwait(false);
        return _buffer.AsMemory(_start, _end - _start);
    }

    /// <summary>Drops bytes that were peeked at, such as a byte order mark.</summary>
    public void Skip(int count)
    {
        _start += count;
        _searched = _start;
    }

    public ValueTask<bool> ReadAsync(CancellationToken cancellationToken)
        => TryTake() ? ValueTask.FromResult(true) : ReadSlowAsync(cancellationToken);

    private bool TryTake()
    {
        var found = _buffer.AsSpan(_searched, _end - _searched).IndexOf((byte)'\n');
        if (found < 0)
        {
            _searched = _end;
            return false;
        }

        var lineEnd = _searched + found;
        Take(lineEnd);
        _start = _searched = lineEnd + 1;
        return true;
    }

    private void Take(int lineEnd)
    {
        _lineStart = _start;
        _lineLength = lineEnd - _start;
        if (_lineLength > 0 && _buffer[lineEnd - 1] == '\r')
            _lineLength--;
        TooLongBytes = 0;
        if (_lineLength > maxLineBytes)
        {
            TooLongBytes = _lineLength;
            _lineLength = Math.Min(_lineLength, KeptOfLongLine);
        }

        LineNumber++;
    }

    private async ValueTask<bool> ReadSlowAsync(CancellationToken cancellationToken)
    {
        while (true)
        {
            if (_isAtEnd)
            {
                if (_start == _end)
                {
                    _lineLength = 0;
                    return false;
                }

                Take(_end);
                _start = _searched = _end;
                return true;
            }

            // One more byte than allowed, for a carriage return.
            if (_end - _start > (long)maxLineBytes + 1)
                return await SkipLongLineAsync(cancellationToken).ConfigureAwait(false);

            await FillAsync(cancellationToken).ConfigureAwait(false);
            if (TryTake())
                return true;
        }
    }

    private async ValueTask<bool> SkipLongLineAsync(CancellationToken cancellationToken)
    {
        var kept = Math.Min(KeptOfLongLine, _end - _start);
        long length = _end - _start;
        _buffer.AsSpan(_start, kept).CopyTo(_buffer);
        int read;
        while ((read = await stream.ReadAsync(_buffer.AsMemory(kept), cancellationToken).ConfigureAwait(false)) > 0)
        {
            var found = _buffer.AsSpan(kept, read).IndexOf((byte)'\n');
            if (found >= 0)
            {
                length += found;
                _start = _searched = kept + found + 1;
                _end = kept + read;
                break;
            }

            length += read;
        }

        if (read == 0)
        {
            _isAtEnd = true;
            _start = _searched = _end = kept;
        }

        _lineStart = 0;
        _lineLength = kept;
        TooLongBytes = length;
        LineNumber++;
        return true;
    }

    private async ValueTask FillAsync(CancellationToken cancellationToken)
    {
        if (_start > 0)
        {
            _buffer.AsSpan(_start, _end - _start).CopyTo(_buffer);
            _searched -= _start;
            _end -= _start;
            _start = 0;
        }

        if (_end == _buffer.Length)
            Array.Resize(ref _buffer, _buffer.Length * 2);

        var read = await stream.ReadAsync(_buffer.AsMemory(_end), cancellationToken).ConfigureAwait(false);
        if (read == 0)
            _isAtEnd = true;
        _end += read;
    }
}
