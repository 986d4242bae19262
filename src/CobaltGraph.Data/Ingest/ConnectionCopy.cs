using CobaltGraph.Model;
using Npgsql;

namespace CobaltGraph.Data.Ingest;

/// <summary>Stores connections by one binary COPY: one statement, all rows or none.</summary>
internal static class ConnectionCopy
{
    public static Task<long> WriteAsync(
        NpgsqlConnection connection,
        IEnumerable<Connection> rows,
        CancellationToken cancellationToken)
        => throw new NotSupportedException();
}
