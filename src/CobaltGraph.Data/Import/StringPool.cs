using System.Text;

namespace CobaltGraph.Data.Import;

/// <summary>Gives equal short ASCII texts the same string, in bounded memory.</summary>
internal sealed class StringPool
{
    private const int MaxPooledLength = 32;

    private readonly string?[] _strings = new string?[256];

    /// <param name="utf8">Valid UTF-8.</param>
    public string Get(ReadOnlySpan<byte> utf8)
    {
        if (utf8.Length > MaxPooledLength)
            return Encoding.UTF8.GetString(utf8);
        var hash = 0u;
        foreach (var value in utf8)
            hash = hash * 31 + value;
        ref var slot = ref _strings[(hash ^ (hash >> 8)) & 0xFF];
        return slot is not null && Ascii.Equals(utf8, slot) ? slot : slot = Encoding.UTF8.GetString(utf8);
    }
}
