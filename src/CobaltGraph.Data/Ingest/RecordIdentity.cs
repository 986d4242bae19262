using System.Globalization;
using System.Security.Cryptography;

namespace CobaltGraph.Data.Ingest;

/// <summary>The identity of a batch of records, by a key that was given or by their place in a stream.</summary>
internal sealed class RecordIdentity<T> : IBatchIdentity
{
    private readonly string _key;
    private readonly long? _position;
    private readonly bool _isRepeatable;

    private RecordIdentity(string key, long? position, bool isRepeatable)
    {
        _key = key;
        _position = position;
        _isRepeatable = isRepeatable;
    }

    /// <summary>Set once the batch is there.</summary>
    public Batch<T> Batch { get; set; } = null!;

    public bool CanContinue => _position is not null;

    /// <summary>A batch that its sender named.</summary>
    public static RecordIdentity<T> Named(string key) => new(key, null, isRepeatable: true);

    /// <summary>A batch of a stream that can be sent again.</summary>
    public static RecordIdentity<T> InStream(string stream, long position) => new(stream, position, isRepeatable: true);

    /// <summary>A batch that only this call can send again.</summary>
    public static RecordIdentity<T> Once(Guid call, long position) => new(call.ToString("N"), position, isRepeatable: false);

    public string KeyAt(int item)
        => _position is { } start ? string.Create(CultureInfo.InvariantCulture, $"{_key}@{start + item}") : _key;

    public string OnConflict(int item) => (_position + item) switch
    {
        null => "Give it a key of its own, or send what was sent then.",
        0 => "Send what was sent then, or give the stream a StreamKey of its own.",
        { } before => string.Create(
            CultureInfo.InvariantCulture,
            $"Send what was sent then; or, if these are other rows, store the first {before} under this StreamKey and the others under one of their own."),
    };

    public byte[]? HashOf(int item, int count)
    {
        if (!_isRepeatable)
            return null;
        var row = Batch.RowsBefore(item);
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        Batch.Rows.AppendTo(hash, row, Batch.RowsBefore(item + count) - row);
        return hash.GetHashAndReset();
    }
}
