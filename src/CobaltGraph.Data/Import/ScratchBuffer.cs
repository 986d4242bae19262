namespace CobaltGraph.Data.Import;

/// <summary>Room for the values of one line that are not in the line as they read, because it escapes them.</summary>
internal sealed class ScratchBuffer
{
    private byte[] _bytes = new byte[256];
    private int _used;

    /// <summary>Gives up all values.</summary>
    public void Clear() => _used = 0;

    /// <summary>Room for one value of at most this length. Values committed before stay where they are.</summary>
    public Span<byte> Reserve(int length)
    {
        if (_bytes.Length - _used < length)
        {
            _bytes = new byte[Math.Max(256, length)];
            _used = 0;
        }

        return _bytes.AsSpan(_used);
    }

    /// <summary>Keeps the start of the room that was reserved last.</summary>
    public ReadOnlySpan<byte> Commit(int length)
    {
        var value = _bytes.AsSpan(_used, length);
        _used += length;
        return value;
    }
}
