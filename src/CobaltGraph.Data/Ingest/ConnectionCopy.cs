using CobaltGraph.Model;
using Npgsql;

namespace CobaltGraph.Data.Ingest;

/// <summary>Stores connections by one binary COPY: one statement, all rows or none.</summary>
internal static class ConnectionCopy
{
    // Pieces of a size that the server can parse while the next one is on its way.
    private const int ChunkBytes = 128 * 1024;

    /// <summary>
    /// Stores rows in the connection's current transaction, or in one of its own. The database assigns the ids.
    /// </summary>
    /// <param name="connection">An open connection.</param>
    /// <param name="table">The table, quoted where needed: connections, or a partition that takes all these rows.</param>
    /// <param name="rows">Where the rows stand.</param>
    /// <param name="start">The first row.</param>
    /// <param name="count">How many.</param>
    /// <param name="timeout">How long the server may take over them; null for what the connection string says.</param>
    /// <param name="cancellationToken">Ends the COPY; nothing of it is stored.</param>
    /// <exception cref="PostgresException">The database refused a row; none is stored.</exception>
    public static async Task WriteAsync(
        NpgsqlConnection connection,
        string table,
        ConnectionBuffer rows,
        int start,
        int count,
        TimeSpan? timeout,
        CancellationToken cancellationToken)
    {
        var stream = await connection.BeginRawBinaryCopyAsync(
            $"COPY {table} ({ConnectionBuffer.Columns}) FROM STDIN (FORMAT BINARY)", cancellationToken).ConfigureAwait(false);
        if (timeout is { } limit)
            stream.ReadTimeout = stream.WriteTimeout = (int)Math.Min(limit.TotalMilliseconds, int.MaxValue);
        var isWritten = false;
        try
        {
            await stream.WriteAsync(ConnectionBuffer.Header, cancellationToken).ConfigureAwait(false);
            var bytes = rows.Slice(start, count);
            while (!bytes.IsEmpty)
            {
                var chunk = bytes[..Math.Min(bytes.Length, ChunkBytes)];
                await stream.WriteAsync(chunk, cancellationToken).ConfigureAwait(false);
                bytes = bytes[chunk.Length..];
            }

            await stream.WriteAsync(ConnectionBuffer.Trailer, cancellationToken).ConfigureAwait(false);
            cancellationToken.ThrowIfCancellationRequested();
            isWritten = true;
        }
        finally
        {
            // Disposing a stream that was not written to its end would complete the COPY with what was sent.
            if (!isWritten)
                await CancelAsync(stream).ConfigureAwait(false);
        }

        await stream.DisposeAsync().ConfigureAwait(false);
    }

    /// <summary>Stores rows as they are given, in one COPY.</summary>
    /// <returns>The number of rows stored.</returns>
    public static async Task<long> WriteAsync(
        NpgsqlConnection connection,
        IEnumerable<Connection> rows,
        CancellationToken cancellationToken)
    {
        var buffer = new ConnectionBuffer();
        var now = TimeProvider.System.GetUtcNow();
        foreach (var row in rows)
            buffer.Add(row, now);
        await WriteAsync(connection, "connections", buffer, 0, buffer.Count, null, cancellationToken).ConfigureAwait(false);
        return buffer.Count;
    }

    private static async Task CancelAsync(NpgsqlRawCopyStream stream)
    {
        try
        {
            await stream.CancelAsync().ConfigureAwait(false);
            await stream.DisposeAsync().ConfigureAwait(false);
        }
        catch (Exception e) when (e is NpgsqlException or IOException or OperationCanceledException or InvalidOperationException)
        {
            // The first error is the one that counts.
        }
    }
}
