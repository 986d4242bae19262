using System.Text.Json;
using System.Text.Json.Serialization;

namespace CobaltGraph.Reliability.Oracle;

/// <summary>
/// What the drivers of a test asked for and were told, in a file outside the database. Only appended to, and on disk
/// before the driver goes on, so that it also outlives the driver. Safe for use by several threads.
/// </summary>
public sealed class OracleLog : IAsyncDisposable
{
    private static readonly JsonSerializerOptions Json = new()
    {
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
        Converters = { new JsonStringEnumConverter<OracleStep>(JsonNamingPolicy.CamelCase) },
    };

    private readonly SemaphoreSlim _gate = new(1, 1);
    private readonly FileStream _stream;

    private OracleLog(FileStream stream) => _stream = stream;

    /// <summary>Opens a file, which may exist.</summary>
    /// <param name="path">The file.</param>
    public static OracleLog Open(string path)
        => new(new FileStream(path, FileMode.Append, FileAccess.Write, FileShare.Read, bufferSize: 0));

    /// <summary>Says that a batch is about to be handed over.</summary>
    /// <param name="batch">The batch; the same name again is the same batch, tried once more.</param>
    /// <param name="rows">Identities of its rows.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    public Task InvokeAsync(string batch, IEnumerable<string> rows, CancellationToken cancellationToken = default)
        => AppendAsync(new OracleEntry(OracleStep.Invoke, batch, [.. rows]), cancellationToken);

    /// <summary>Says that a batch was acknowledged.</summary>
    /// <param name="batch">The batch.</param>
    /// <param name="note">Anything that helps a reader.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    public Task OkAsync(string batch, string? note = null, CancellationToken cancellationToken = default)
        => AppendAsync(new OracleEntry(OracleStep.Ok, batch, null, note), cancellationToken);

    /// <summary>Says that a batch was refused.</summary>
    /// <inheritdoc cref="OkAsync"/>
    public Task FailAsync(string batch, string? note = null, CancellationToken cancellationToken = default)
        => AppendAsync(new OracleEntry(OracleStep.Fail, batch, null, note), cancellationToken);

    /// <summary>Says that the outcome of a batch is not known.</summary>
    /// <inheritdoc cref="OkAsync"/>
    public Task InfoAsync(string batch, string? note = null, CancellationToken cancellationToken = default)
        => AppendAsync(new OracleEntry(OracleStep.Info, batch, null, note), cancellationToken);

    /// <summary>Reads a file. A last line that was cut off by a kill is left out.</summary>
    /// <param name="path">The file.</param>
    /// <exception cref="InvalidDataException">A line before the last is broken.</exception>
    public static IReadOnlyList<OracleEntry> Read(string path)
    {
        using var stream = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite);
        using var reader = new StreamReader(stream);
        var text = reader.ReadToEnd();
        var whole = text[..(text.LastIndexOf('\n') + 1)];
        return [.. whole.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(Parse)];
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await _stream.DisposeAsync();
        _gate.Dispose();
    }

    private static OracleEntry Parse(string line)
    {
        try
        {
            return JsonSerializer.Deserialize<OracleEntry>(line, Json)!;
        }
        catch (JsonException e)
        {
            throw new InvalidDataException($"The oracle's file holds a broken line: {line}", e);
        }
    }

    private async Task AppendAsync(OracleEntry entry, CancellationToken cancellationToken)
    {
        var line = JsonSerializer.SerializeToUtf8Bytes(entry, Json);
        await _gate.WaitAsync(cancellationToken);
        try
        {
            // One write for a whole line: a reader sees it or not.
            await _stream.WriteAsync((byte[])[.. line, (byte)'\n'], CancellationToken.None);
            _stream.Flush(flushToDisk: true);
        }
        finally
        {
            _gate.Release();
        }
    }
}
