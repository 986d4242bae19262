using Npgsql;

namespace CobaltGraph.Reliability.Oracle;

/// <summary>What an audit of the rows against the oracle found.</summary>
public sealed record OracleVerdict
{
    /// <summary>Batches that were handed over.</summary>
    public required int Batches { get; init; }

    /// <summary>Batches whose last word was ok.</summary>
    public required int Acknowledged { get; init; }

    /// <summary>Batches whose last word was fail.</summary>
    public required int Failed { get; init; }

    /// <summary>Batches that nobody knows the outcome of, to the end.</summary>
    public required int Unknown { get; init; }

    /// <summary>Batches that were unknown at some time.</summary>
    public required int OnceUnknown { get; init; }

    /// <summary>Rows that were acknowledged, or whose neighbours are stored, and are not there.</summary>
    public required long Lost { get; init; }

    /// <summary>Rows that are stored beyond the first time.</summary>
    public required long Duplicate { get; init; }

    /// <summary>Rows of refused batches that are stored.</summary>
    public required long Resurrected { get; init; }

    /// <summary>Rows that are stored and belong to no batch.</summary>
    public required long Foreign { get; init; }

    /// <summary>What is wrong, batch by batch; the first hundred.</summary>
    public required IReadOnlyList<string> Findings { get; init; }

    /// <summary>Whether nothing is wrong.</summary>
    public bool IsClean => Lost == 0 && Duplicate == 0 && Resurrected == 0 && Foreign == 0 && Findings.Count == 0;
}

/// <summary>Holds the stored rows against what the oracle's file says must be there.</summary>
public static class OracleJudge
{
    private const int MaxFindings = 100;

    /// <summary>
    /// Counts the rows of <c>connections</c> by the <c>uid</c> of their metadata, which is their identity, and compares.
    /// </summary>
    /// <param name="entries">The oracle's file.</param>
    /// <param name="connection">A connection to the database.</param>
    /// <param name="cancellationToken">Ends the reading.</param>
    public static async Task<OracleVerdict> JudgeAsync(
        IReadOnlyList<OracleEntry> entries, NpgsqlConnection connection, CancellationToken cancellationToken = default)
    {
        var stored = new Dictionary<string, long>(StringComparer.Ordinal);
        await using var command = new NpgsqlCommand(
            "SELECT coalesce(metadata->>'uid', '(none)'), count(*) FROM connections GROUP BY 1", connection);
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        while (await reader.ReadAsync(cancellationToken))
            stored.Add(reader.GetString(0), reader.GetInt64(1));
        return Judge(entries, stored);
    }

    /// <summary>Compares counted rows with the oracle's file.</summary>
    /// <param name="entries">The oracle's file.</param>
    /// <param name="stored">How often each identity is stored.</param>
    public static OracleVerdict Judge(IReadOnlyList<OracleEntry> entries, IReadOnlyDictionary<string, long> stored)
    {
        ArgumentNullException.ThrowIfNull(entries);
        ArgumentNullException.ThrowIfNull(stored);
        var batches = new Dictionary<string, (IReadOnlyList<string> Rows, BatchFate Fate, bool OnceUnknown)>(StringComparer.Ordinal);
        var findings = new List<string>();
        foreach (var entry in entries)
        {
            var known = batches.TryGetValue(entry.Batch, out var batch);
            switch (entry.Step)
            {
                case OracleStep.Invoke:
                    if (entry.Rows is null)
                        Find($"batch {entry.Batch} was handed over without rows");
                    else if (known && !batch.Rows.SequenceEqual(entry.Rows))
                        Find($"batch {entry.Batch} was handed over again with other rows");
                    // Until it is answered it may be stored; what was acknowledged once stays stored.
                    batches[entry.Batch] = known && batch.Fate == BatchFate.Stored ? batch
                        : (entry.Rows ?? [], BatchFate.Either, batch.OnceUnknown);
                    break;
                case var answer when !known:
                    Find($"batch {entry.Batch} was answered ({answer}) and never handed over");
                    break;
                case OracleStep.Ok:
                    batches[entry.Batch] = batch with { Fate = BatchFate.Stored };
                    break;
                case OracleStep.Fail:
                    if (batch.Fate == BatchFate.Stored)
                        Find($"batch {entry.Batch} was refused after it had been acknowledged");
                    else if (!batch.OnceUnknown)
                        batches[entry.Batch] = batch with { Fate = BatchFate.Absent };
                    break;
                case OracleStep.Info:
                    batches[entry.Batch] = batch with { OnceUnknown = true };
                    break;
            }
        }

        long lost = 0, duplicate = 0, resurrected = 0;
        var owned = new HashSet<string>(StringComparer.Ordinal);
        foreach (var (name, (rows, fate, _)) in batches)
        {
            long missing = 0, present = 0, more = 0;
            foreach (var row in rows)
            {
                if (!owned.Add(row))
                    Find($"row {row} belongs to two batches, {name} the second");
                var count = stored.GetValueOrDefault(row);
                if (count == 0)
                    missing++;
                else
                    present++;
                more += Math.Max(0, count - 1);
            }

            duplicate += more;
            if (more > 0)
                Find($"batch {name}: {more} rows stored more than once");
            switch (fate)
            {
                case BatchFate.Stored when missing > 0:
                    lost += missing;
                    Find($"batch {name}: acknowledged, and {missing} of {rows.Count} rows are missing");
                    break;
                case BatchFate.Either when missing > 0 && present > 0:
                    lost += missing;
                    Find($"batch {name}: torn, {present} of {rows.Count} rows are stored");
                    break;
                case BatchFate.Absent when present > 0:
                    resurrected += present;
                    Find($"batch {name}: refused, and {present} of {rows.Count} rows are stored");
                    break;
            }
        }

        var foreign = stored.Where(pair => !owned.Contains(pair.Key)).Sum(pair => pair.Value);
        if (foreign > 0)
            Find($"{foreign} rows belong to no batch");

        return new OracleVerdict
        {
            Batches = batches.Count,
            Acknowledged = batches.Values.Count(b => b.Fate == BatchFate.Stored),
            Failed = batches.Values.Count(b => b.Fate == BatchFate.Absent),
            Unknown = batches.Values.Count(b => b.Fate == BatchFate.Either),
            OnceUnknown = batches.Values.Count(b => b.OnceUnknown),
            Lost = lost,
            Duplicate = duplicate,
            Resurrected = resurrected,
            Foreign = foreign,
            Findings = findings,
        };

        void Find(string what)
        {
            if (findings.Count < MaxFindings)
                findings.Add(what);
        }
    }
}
