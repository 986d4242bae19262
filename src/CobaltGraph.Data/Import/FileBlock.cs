using System.Globalization;
using System.Security.Cryptography;
using CobaltGraph.Data.Ingest;

namespace CobaltGraph.Data.Import;

/// <summary>
/// A stretch of a file that is stored in one transaction. The ledger knows it by a hash of all lines from the file's first
/// one to its own first one, and by what it holds itself: the same lines are the same batch under whatever name, packed or
/// not, and a file that has grown goes on where it ended.
/// </summary>
/// <remarks>
/// What it holds itself is a SHA-256 of its lines, and behind it four bytes of the SHA-256 of each line, in order: those tell
/// whether fewer lines are the first ones of them. Older entries have the first part only.
/// </remarks>
internal sealed class FileBlock : IBatchIdentity, IDisposable
{
    private const int KeyBytes = 16;
    private const int LineHashBytes = 4;

    private readonly List<Item> _items = [];
    private readonly Dictionary<int, RejectedLine> _rejections = [];
    // Stretches whose entries are older ones.
    private readonly HashSet<(int Item, int Count)> _olderEntries = [];
    private IncrementalHash? _before;
    private byte[] _bytes = new byte[256 * 1024];
    private int _length;

    /// <summary>The file, by its place among the files.</summary>
    public int File { get; private set; }

    /// <summary>The block, by its place among the blocks of the import.</summary>
    public long Number { get; private set; }

    /// <summary>Place of the first line with content in its file, from 0.</summary>
    public long FirstPosition { get; private set; }

    public int Count => _items.Count;

    public int Bytes => _length;

    public bool CanContinue => true;

    /// <param name="file">The file, by its place among the files.</param>
    /// <param name="number">The block, by its place among the blocks of the import.</param>
    /// <param name="firstPosition">Place of the first line in its file.</param>
    /// <param name="before">Hash of all that came before it.</param>
    public void Begin(int file, long number, long firstPosition, IncrementalHash before)
    {
        File = file;
        Number = number;
        FirstPosition = firstPosition;
        _before?.Dispose();
        _before = before.Clone();
        _items.Clear();
        _rejections.Clear();
        _olderEntries.Clear();
        _length = 0;
    }

    /// <param name="line">The line.</param>
    /// <param name="header">Its header, when it is another one than that of the line before.</param>
    public void Add(in ImportedLine line, InputHeader? header)
    {
        if (header is not null)
            Append(header.Bytes.Span);
        var start = _length;
        Append(line.Raw.Span);
        // Of a line that is too long only the start is kept; its length stands for the rest.
        var isCut = line.RawLength > line.Raw.Length;
        Append(isCut
            ? System.Text.Encoding.ASCII.GetBytes(string.Create(CultureInfo.InvariantCulture, $"\0{line.RawLength}\n"))
            : "\n"u8);
        if (line.Rejection is not null)
            _rejections.Add(_items.Count, line.Rejection);
        _items.Add(new Item(start, _length, line.LineNumber, line.Header, isCut));
    }

    public long LineNumberOf(int item) => _items[item].LineNumber;

    /// <summary>The header that holds for a line; null in formats that have none.</summary>
    public InputHeader? HeaderOf(int item) => _items[item].Header;

    public RejectedLine? RejectionOf(int item) => _rejections.GetValueOrDefault(item);

    /// <summary>The line as it stood in the input, with a line feed; empty when it was too long.</summary>
    public ReadOnlySpan<byte> LineOf(int item)
        => _items[item].IsCut ? [] : _bytes.AsSpan(_items[item].Start.._items[item].End);

    /// <summary>Adds what the block holds to a hash.</summary>
    public void AppendTo(IncrementalHash hash) => hash.AppendData(_bytes, 0, _length);

    public string KeyAt(int item)
    {
        using var hash = _before!.Clone();
        hash.AppendData(_bytes, 0, _items[item].End);
        var beginning = Convert.ToHexStringLower(hash.GetCurrentHash(), 0, KeyBytes);
        return string.Create(CultureInfo.InvariantCulture, $"{beginning}@{FirstPosition + item}");
    }

    public byte[]? HashOf(int item, int count)
    {
        var whole = SHA256.HashData(Span(item, count));
        if (_olderEntries.Contains((item, count)))
            return whole;
        var hash = new byte[SHA256.HashSizeInBytes + (count * LineHashBytes)];
        whole.CopyTo(hash, 0);
        for (var i = 0; i < count; i++)
            AppendLineHash(item + i, hash.AsSpan(SHA256.HashSizeInBytes + (i * LineHashBytes)));
        return hash;
    }

    /// <summary>Whether an entry holds exactly the lines from one on that it is long.</summary>
    public bool IsHeldBy(StoredEntry entry, int item)
    {
        if (entry.ContentHash is not { } hash || entry.Read <= 0 || entry.Read > Count - item)
            return false;
        var count = (int)entry.Read;
        if (hash.Length == SHA256.HashSizeInBytes)
        {
            if (!hash.AsSpan().SequenceEqual(SHA256.HashData(Span(item, count))))
                return false;
            _olderEntries.Add((item, count));
            return true;
        }

        return hash.AsSpan().SequenceEqual(HashOf(item, count));
    }

    /// <summary>
    /// Whether an entry holds all lines from one on, at a place among more lines of its own; null when it does not say.
    /// </summary>
    public bool? IsWithin(StoredEntry entry, long place, int item)
    {
        if (entry.ContentHash is not { } hash || hash.Length != SHA256.HashSizeInBytes + (entry.Read * LineHashBytes))
            return null;
        if (place + Count - item > entry.Read)
            return false;
        Span<byte> line = stackalloc byte[LineHashBytes];
        for (var i = item; i < Count; i++)
        {
            AppendLineHash(i, line);
            if (!line.SequenceEqual(hash.AsSpan(SHA256.HashSizeInBytes + ((int)(place + i - item) * LineHashBytes), LineHashBytes)))
                return false;
        }

        return true;
    }

    public void Dispose() => _before?.Dispose();

    /// <summary>Some lines, each with a header that came before it.</summary>
    private ReadOnlySpan<byte> Span(int item, int count)
    {
        var start = item == 0 ? 0 : _items[item - 1].End;
        return _bytes.AsSpan(start, (count == 0 ? start : _items[item + count - 1].End) - start);
    }

    private void AppendLineHash(int item, Span<byte> target)
    {
        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(Span(item, 1), hash);
        hash[..LineHashBytes].CopyTo(target);
    }

    private void Append(ReadOnlySpan<byte> bytes)
    {
        if (_bytes.Length - _length < bytes.Length)
            Array.Resize(ref _bytes, Math.Max(_bytes.Length * 2, _length + bytes.Length));
        bytes.CopyTo(_bytes.AsSpan(_length));
        _length += bytes.Length;
    }

    /// <summary>A line: from where it begins, after a header that came before it, to behind its line feed.</summary>
    private readonly record struct Item(int Start, int End, long LineNumber, InputHeader? Header, bool IsCut);
}
