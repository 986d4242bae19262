using CobaltGraph.Reliability.Oracle;
using CobaltGraph.Reliability.Tests.Ingest;
using CobaltGraph.Reliability.Workloads;

namespace CobaltGraph.Reliability.Tests.Import;

/// <summary>A test that imports logs it writes itself. The logs are what the oracle knows.</summary>
public abstract class ImportTest(DurableServer server) : IngestTest(server)
{
    private readonly string _folder = Directory.CreateTempSubdirectory("cobaltgraph-reliability-").FullName;
    private readonly List<string> _identities = [];

    public override async ValueTask DisposeAsync()
    {
        await base.DisposeAsync();
        Directory.Delete(_folder, recursive: true);
        GC.SuppressFinalize(this);
    }

    /// <summary>Rows of all logs so far.</summary>
    protected int Rows => _identities.Count;

    protected string WriteLog(string name, int rows)
    {
        var path = Path.Combine(_folder, $"{name}.log");
        _identities.AddRange(Workload.Identities(ConnLog.Write(path, name, rows)));
        return path;
    }

    /// <summary>The stored rows against those of the logs: each at most once, or exactly once when all must be there.</summary>
    protected async Task<OracleVerdict> JudgeLogsAsync(bool complete)
    {
        // Row by row, because only the importer knows where its batches end.
        var entries = _identities.Select(row => new OracleEntry(OracleStep.Invoke, row, [row]));
        if (complete)
            entries = entries.Concat(_identities.Select(row => new OracleEntry(OracleStep.Ok, row)));
        await using var connection = await Direct.OpenConnectionAsync(Cancel);
        return await OracleJudge.JudgeAsync([.. entries], connection, Cancel);
    }
}
