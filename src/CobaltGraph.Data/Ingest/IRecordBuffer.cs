using System.Security.Cryptography;

namespace CobaltGraph.Data.Ingest;

/// <summary>The valid rows of a batch, ready to be sent as often as it takes.</summary>
/// <typeparam name="T">Connection or DeviceSighting.</typeparam>
internal interface IRecordBuffer<T>
{
    int Count { get; }

    T this[int row] { get; }

    /// <summary>Event time of a row.</summary>
    DateTimeOffset TimeOf(int row);

    /// <param name="record">A row that <see cref="RecordRules"/> accepts.</param>
    /// <param name="now">Event time of a row that has none.</param>
    void Add(T record, DateTimeOffset now);

    void Clear();

    /// <summary>Adds what the rows say to a hash; a row without a time of its own says so whenever it is stored.</summary>
    void AppendTo(IncrementalHash hash, int start, int count);
}
