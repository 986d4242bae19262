namespace CobaltGraph.Data.Ingest;

/// <summary>
/// Rows that are stored in one transaction under one key of the ledger. Its items are what the sender counts: valid rows
/// and such as were refused before they came here.
/// </summary>
/// <typeparam name="T">Connection or DeviceSighting.</typeparam>
internal sealed class Batch<T>(string source, long firstPosition, IBatchIdentity identity, IRecordBuffer<T> rows)
{
    private readonly List<int> _itemOfRow = [];

    public string Source { get; } = source;

    /// <summary>Place of the first item in its stream, from 0.</summary>
    public long FirstPosition { get; } = firstPosition;

    public IBatchIdentity Identity { get; } = identity;

    public IRecordBuffer<T> Rows { get; } = rows;

    /// <summary>Valid rows and refused ones.</summary>
    public int ItemCount { get; private set; }

    /// <summary>The refused items, in order.</summary>
    public List<(int Item, IngestRejection<T> Rejection)> Refused { get; } = [];

    public void Add(T record, DateTimeOffset now)
    {
        Rows.Add(record, now);
        _itemOfRow.Add(ItemCount++);
    }

    public void AddRefused(IngestRejection<T> rejection) => Refused.Add((ItemCount++, rejection));

    /// <summary>All items as they were sent, refused ones among them.</summary>
    public IReadOnlyList<T> Records()
    {
        var records = new T[ItemCount];
        for (var row = 0; row < Rows.Count; row++)
            records[_itemOfRow[row]] = Rows[row];
        foreach (var (item, rejection) in Refused)
            records[item] = rejection.Record;
        return records;
    }

    public int ItemOf(int row) => _itemOfRow[row];

    /// <summary>How many rows stand before an item.</summary>
    public int RowsBefore(int item)
    {
        if (item >= ItemCount)
            return _itemOfRow.Count;
        var index = _itemOfRow.BinarySearch(item);
        return index < 0 ? ~index : index;
    }
}

/// <summary>How a batch, or what is left of it from some item on, is known in the ledger.</summary>
internal interface IBatchIdentity
{
    /// <summary>The key of what begins at an item, within its source.</summary>
    string KeyAt(int item);

    /// <summary>
    /// The SHA-256 of some items, of lines of a file followed by four bytes for each, or null when nobody can ever send them
    /// again. What a ledger entry covers may be less than what is sent now: a file that has grown since, a stream that goes on.
    /// </summary>
    byte[]? HashOf(int item, int count);

    /// <summary>Whether an entry that covers less than the batch is a beginning of it.</summary>
    bool CanContinue { get; }

    /// <summary>What to do when the key of an item stands for something else.</summary>
    string OnConflict(int item) => "Give it a key of its own, or send what was sent then.";
}
