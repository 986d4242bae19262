namespace CobaltGraph.Data.Import;

/// <summary>
/// Splits a stream into lines in memory that does not depend on their length: of a line that is too long only its start
/// is kept. A line can be extended by the lines that follow, within the same bound, and cut back.
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
    private int _firstLength;
    private int _firstSize;
    private long _linesRead;

    /// <summary>The line without its end, or the start of one that is too long; valid until the next read.</summary>
    public ReadOnlyMemory<byte> Line => _buffer.AsMemory(_lineStart, _lineLength);

    /// <summary>The number of <see cref="Line"/>, the first one where it was extended, from 1.</summary>
    public long LineNumber { get; private set; }

    /// <summary>The number of the last line in <see cref="Line"/>.</summary>
    public long LastLineNumber => _linesRead;

    /// <summary>The number of bytes of the line, or 0 when it is not too long.</summary>
    public long TooLongBytes { get; private set; }

    /// <summary>Whether a line end follows, and not the end of the stream.</summary>
    public bool HasEnd { get; private set; }

    /// <summary>Whether nothing follows the line, and whoever extends it has found that out.</summary>
    public bool IsAtEnd => _isAtEnd && _start == _end;

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

    /// <summary>Passes over line ends that follow each other, so that a file of nothing else costs no time.</summary>
    public void SkipEmptyLines()
    {
        var count = _buffer.AsSpan(_start, _end - _start).IndexOfAnyExcept((byte)'\n');
        if (count < 0)
            count = _end - _start;
        _linesRead += count;
        _start += count;
        _searched = Math.Max(_searched, _start);
    }

    /// <summary>
    /// Adds the next line to the one that was read, with the line end between them. False, and nothing is changed, when
    /// there is none or both are too long together.
    /// </summary>
    public async ValueTask<bool> ExtendAsync(CancellationToken cancellationToken)
    {
        if (TooLongBytes > 0)
            return false;
        var size = _start - _lineStart;
        if (_linesRead == LineNumber)
        {
            _firstLength = _lineLength;
            _firstSize = size;
        }

        // What was read stays in the buffer only as unread.
        _start = _lineStart;
        while (true)
        {
            var found = _buffer.AsSpan(_searched, _end - _searched).IndexOf((byte)'\n');
            _searched = found < 0 ? _end : _searched + found;
            var length = LengthWithoutReturn(_searched);
            var isTooLong = length > maxLineBytes;
            if (found < 0 && !_isAtEnd && !isTooLong)
            {
                await FillAsync(cancellationToken).ConfigureAwait(false);
                continue;
            }

            _lineStart = _start;
            if (isTooLong || (found < 0 && _end - _start == size))
            {
                _start = _searched = _lineStart + size;
                return false;
            }

            _lineLength = length;
            _start = _searched = found < 0 ? _end : _searched + 1;
            _linesRead++;
            HasEnd = found >= 0;
            return true;
        }
    }

    /// <summary>Gives back every line that the first one was extended by; they are read again.</summary>
    public void CutBack()
    {
        if (_linesRead == LineNumber)
            return;
        _lineLength = _firstLength;
        _start = _searched = _lineStart + _firstSize;
        _linesRead = LineNumber;
        HasEnd = true;
    }

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
        HasEnd = true;
        _start = _searched = lineEnd + 1;
        return true;
    }

    private void Take(int lineEnd)
    {
        _lineStart = _start;
        _lineLength = LengthWithoutReturn(lineEnd);
        TooLongBytes = 0;
        if (_lineLength > maxLineBytes)
        {
            TooLongBytes = _lineLength;
            _lineLength = Math.Min(_lineLength, KeptOfLongLine);
        }

        LineNumber = ++_linesRead;
    }

    private int LengthWithoutReturn(int lineEnd)
        => lineEnd > _start && _buffer[lineEnd - 1] == '\r' ? lineEnd - 1 - _start : lineEnd - _start;

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
                HasEnd = false;
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

        HasEnd = read > 0;
        _lineStart = 0;
        _lineLength = kept;
        TooLongBytes = length;
        LineNumber = ++_linesRead;
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
