using System.Globalization;
using System.Security.Cryptography;
using CobaltGraph.Data.Ingest;

namespace CobaltGraph.Data.Import;

/// <summary>
/// A stretch of a file that is stored in one transaction. The ledger knows it by what the file holds up to its first line,
/// and by what it holds itself: the same lines are the same batch under whatever name, packed or not, and a file that has
/// grown goes on where it ended. Where a block ends follows from the content alone, so that every import of a file cuts it
/// alike.
/// </summary>
internal sealed class FileBlock : IBatchIdentity
{
    private const int HashBytes = 32;
    private const int KeyBytes = 16;

    private readonly List<int> _ends = [];
    private readonly List<long> _lineNumbers = [];
    private readonly List<InputHeader?> _headers = [];
    private readonly Dictionary<int, RejectedLine> _rejections = [];
    // Where the line itself begins, after a header that came before it.
    private readonly List<int> _starts = [];
    private readonly byte[] _before = new byte[HashBytes];
    private byte[] _bytes = new byte[1024 * 1024];
    private int _length;

    /// <summary>The file, by its place among the files.</summary>
    public int File { get; private set; }

    /// <summary>Place of the first line with content in its file, from 0.</summary>
    public long FirstPosition { get; private set; }

    public int Count => _ends.Count;

    public int Bytes => _length;

    public bool CanContinue => true;

    /// <param name="file">The file, by its place among the files.</param>
    /// <param name="firstPosition">Place of the first line in its file.</param>
    /// <param name="before">Hash of all that came before it.</param>
    public void Begin(int file, long firstPosition, ReadOnlySpan<byte> before)
    {
        File = file;
        FirstPosition = firstPosition;
        before.CopyTo(_before);
        _ends.Clear();
        _starts.Clear();
        _lineNumbers.Clear();
        _headers.Clear();
        _rejections.Clear();
        _length = 0;
    }

    /// <param name="line">The line.</param>
    /// <param name="header">Its header, when it is another one than that of the line before.</param>
    public void Add(in ImportedLine line, InputHeader? header)
    {
        if (header is not null)
            Append(header.Bytes.Span);
        _starts.Add(_length);
        Append(line.Raw.Span);
        // Of a line that is too long only the start is kept; its length stands for the rest.
        Append(line.RawLength > line.Raw.Length
            ? System.Text.Encoding.ASCII.GetBytes(string.Create(CultureInfo.InvariantCulture, $"…{line.RawLength}\n"))
            : "\n"u8);
        _ends.Add(_length);
        _lineNumbers.Add(line.LineNumber);
        _headers.Add(line.Header);
        if (line.Rejection is not null)
            _rejections.Add(_ends.Count - 1, line.Rejection);
    }

    public long LineNumberOf(int item) => _lineNumbers[item];

    public InputHeader? HeaderOf(int item) => _headers[item];

    public RejectedLine? RejectionOf(int item) => _rejections.GetValueOrDefault(item);

    /// <summary>The line as it stood in the input, with a line feed.</summary>
    public ReadOnlySpan<byte> LineOf(int item) => _bytes.AsSpan(_starts[item].._ends[item]);

    /// <summary>The hash of all up to the end of this block.</summary>
    public byte[] HashOfAll()
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        hash.AppendData(_before);
        hash.AppendData(SHA256.HashData(_bytes.AsSpan(0, _length)));
        return hash.GetHashAndReset();
    }

    public string KeyAt(int item)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        hash.AppendData(_before);
        hash.AppendData(_bytes, 0, _ends[item]);
        var beginning = Convert.ToHexStringLower(hash.GetHashAndReset(), 0, KeyBytes);
        return string.Create(CultureInfo.InvariantCulture, $"{beginning}@{FirstPosition + item}");
    }

    public byte[]? HashOf(int item, int count)
    {
        var start = item == 0 ? 0 : _ends[item - 1];
        return SHA256.HashData(_bytes.AsSpan(start, (count == 0 ? start : _ends[item + count - 1]) - start));
    }

    private void Append(ReadOnlySpan<byte> bytes)
    {
        if (_bytes.Length - _length < bytes.Length)
            Array.Resize(ref _bytes, Math.Max(_bytes.Length * 2, _length + bytes.Length));
        bytes.CopyTo(_bytes.AsSpan(_length));
        _length += bytes.Length;
    }
}
