using System.Globalization;
using System.Security.Cryptography;
using CobaltGraph.Data.Ingest;

namespace CobaltGraph.Data.Import;

/// <summary>
/// A stretch of a file that is stored in one transaction. The ledger knows it by a hash of all lines from the file's first
/// one to its own first one, and by what it holds itself: the same lines are the same batch under whatever name, packed or
/// not, and a file that has grown goes on where it ended.
/// </summary>
internal sealed class FileBlock : IBatchIdentity, IDisposable
{
    private const int KeyBytes = 16;

    private readonly List<Item> _items = [];
    private readonly Dictionary<int, RejectedLine> _rejections = [];
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
        var start = item == 0 ? 0 : _items[item - 1].End;
        return SHA256.HashData(_bytes.AsSpan(start, (count == 0 ? start : _items[item + count - 1].End) - start));
    }

    public void Dispose() => _before?.Dispose();

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
