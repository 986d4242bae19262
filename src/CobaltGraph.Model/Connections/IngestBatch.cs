namespace CobaltGraph.Model;

/// <summary>
/// An entry of the ledger of bulk loads, written in the transaction that stores the rows, so that a repeated batch is
/// recognised and stored once.
/// </summary>
public class IngestBatch
{
    /// <summary>Who delivered the batch: a sensor or a file; part of the key.</summary>
    public string Source { get; set; } = "";

    /// <summary>The batch within its source; part of the key.</summary>
    public string BatchKey { get; set; } = "";

    /// <summary>
    /// SHA-256 of the batch's content, followed by four bytes for each line where it comes from a file, so that other content
    /// under the same key is noticed and an older copy of a file recognised; null when its writer gave none.
    /// </summary>
    public byte[]? ContentHash { get; set; }

    /// <summary>Rows the batch held.</summary>
    public long RowsRead { get; set; }

    /// <summary>Rows that were stored.</summary>
    public long RowsStored { get; set; }

    /// <summary>Rows that were stored before.</summary>
    public long RowsDuplicate { get; set; }

    /// <summary>Rows that were refused, each with a reason to its sender.</summary>
    public long RowsRejected { get; set; }

    /// <summary>Earliest event time in the batch, UTC; null for an empty batch.</summary>
    public DateTimeOffset? FirstEventAt { get; set; }

    /// <summary>Latest event time in the batch, UTC; null for an empty batch.</summary>
    public DateTimeOffset? LastEventAt { get; set; }

    /// <summary>When the batch was stored, UTC; left at its default, the database sets its own time.</summary>
    public DateTimeOffset CommittedAt { get; set; }
}
