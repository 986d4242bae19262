using System.Data;
using System.Text.Json;
using Npgsql;

namespace CobaltGraph.Data.Schema.Catalog;

/// <summary>
/// What one schema is: its objects as the server's catalogue tells of them. The schema's own name and its owner's are left out,
/// so that two schemas of one server, or of two servers of one version, can be compared.
/// </summary>
internal sealed class SchemaCatalog
{
    /// <summary>Stands for the schema's name.</summary>
    public const string ThisSchema = "{schema}";

    /// <summary>Stands for the role that owns most of the schema's objects.</summary>
    public const string Owner = "{owner}";

    /// <summary>What of the schema says that everybody may call functions that its owner will make.</summary>
    public const string NewFunctions = "new functions";

    private SchemaCatalog(string schema, string ownerName, IReadOnlyList<CatalogObject> objects)
    {
        Schema = schema;
        OwnerName = ownerName;
        Objects = objects;
    }

    /// <summary>The schema.</summary>
    public string Schema { get; }

    /// <summary>The role that owns most of the schema's objects; of an empty schema, its owner.</summary>
    public string OwnerName { get; }

    /// <summary>The objects, by kind and name.</summary>
    public IReadOnlyList<CatalogObject> Objects { get; }

    /// <summary>Reads a schema, in a transaction of its own unless the connection has one.</summary>
    /// <param name="connection">An open connection.</param>
    /// <param name="schema">The schema.</param>
    /// <param name="alsoVisible">
    /// A schema whose name is left out of texts too: that of the extensions, when those lie in the schema that a copy is
    /// compared with.
    /// </param>
    /// <param name="cancellationToken">Stops the reading.</param>
    /// <exception cref="InvalidOperationException">There is no such schema.</exception>
    public static async Task<SchemaCatalog> ReadAsync(
        NpgsqlConnection connection,
        string schema,
        string? alsoVisible = null,
        CancellationToken cancellationToken = default)
    {
        // The settings last as long as the transaction, and end with this reading in one that goes on.
        const string mark = "schema_catalog";
        var transaction = await TryBeginAsync(connection, cancellationToken).ConfigureAwait(false);
        try
        {
            if (transaction is null)
                await RunAsync(connection, $"SAVEPOINT {mark}", cancellationToken).ConfigureAwait(false);

            var path = alsoVisible is null ? SqlText.Identifier(schema) : $"{SqlText.Identifier(schema)}, {SqlText.Identifier(alsoVisible)}";
            await SetAsync(connection, path, cancellationToken).ConfigureAwait(false);
            var catalog = await ReadObjectsAsync(connection, schema, cancellationToken).ConfigureAwait(false);

            if (transaction is null)
                await RunAsync(connection, $"ROLLBACK TO SAVEPOINT {mark}; RELEASE SAVEPOINT {mark}", cancellationToken).ConfigureAwait(false);
            return catalog;
        }
        finally
        {
            if (transaction is not null) await transaction.DisposeAsync().ConfigureAwait(false);
        }
    }

    /// <summary>
    /// What is not as expected, by object. Monthly partitions must each be as any expected one is, however many there are; of
    /// what is missing or too many as a whole, the parts are not told.
    /// </summary>
    public static IReadOnlyList<CatalogDifference> Compare(SchemaCatalog expected, SchemaCatalog found)
        => CatalogComparison.Run(expected, found);

    /// <summary>
    /// What is as expected by neither of two spellings. The server does not read every text that it writes as what it was written
    /// from, so a schema that was dumped and restored has other texts of the same meaning.
    /// </summary>
    public static IReadOnlyList<CatalogDifference> Compare(SchemaCatalog expected, SchemaCatalog respelled, SchemaCatalog found)
    {
        var also = Compare(respelled, found).Select(d => (d.Kind, d.Name, d.Property)).ToHashSet();
        return [.. Compare(expected, found).Where(d => also.Contains((d.Kind, d.Name, d.Property)))];
    }

    /// <summary>A text with the names that stand for schema and owner put in.</summary>
    public string Name(string text)
        => text.Replace(ThisSchema, SqlText.Identifier(Schema), StringComparison.Ordinal)
            .Replace(Owner, SqlText.Identifier(OwnerName), StringComparison.Ordinal);

    /// <summary>One line per object and property, to compare or to print.</summary>
    public IReadOnlyList<string> ToLines()
        => [.. Objects.SelectMany(o => o.Properties
            .Select(p => $"{o.Kind} {o.Name} | {p.Key}: {p.Value}")
            .Prepend($"{o.Kind} {o.Name}"))];

    private static async Task<SchemaCatalog> ReadObjectsAsync(
        NpgsqlConnection connection, string schema, CancellationToken cancellationToken)
    {
        var command = new NpgsqlCommand(CatalogSql.Objects, connection) { CommandTimeout = 0 };
        await using var openCommand = command.ConfigureAwait(false);
        command.Parameters.Add(new() { Value = schema, NpgsqlDbType = NpgsqlTypes.NpgsqlDbType.Text });
        var reader = await command.ExecuteReaderAsync(CommandBehavior.Default, cancellationToken).ConfigureAwait(false);
        await using var openReader = reader.ConfigureAwait(false);

        var owner = "";
        var objects = new List<CatalogObject>();
        while (await reader.ReadAsync(cancellationToken).ConfigureAwait(false))
        {
            var kind = reader.GetString(0);
            var definition = Text(6);
            if (kind == "schema")
            {
                owner = definition ?? "";
                definition = null;
            }

            var read = new CatalogObject(kind, reader.GetString(1), Text(2), Text(3), Text(4), [], definition);
            using var document = JsonDocument.Parse(Text(5) ?? "{}");
            foreach (var property in document.RootElement.EnumerateObject())
            {
                if (property.Value.GetString() is { } value) read.Properties.Add(property.Name, read.Generic(value));
            }

            objects.Add(read);
        }

        if (objects.Count == 0) throw new InvalidOperationException($"There is no schema \"{schema}\".");

        return new(schema, owner, [.. objects.OrderBy(o => o.Kind, StringComparer.Ordinal).ThenBy(o => o.Name, StringComparer.Ordinal)]);

        string? Text(int column) => reader.IsDBNull(column) ? null : reader.GetString(column);
    }

    private static async Task<NpgsqlTransaction?> TryBeginAsync(
        NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        try
        {
            return await connection.BeginTransactionAsync(IsolationLevel.ReadCommitted, cancellationToken).ConfigureAwait(false);
        }
        catch (InvalidOperationException)
        {
            // Npgsql: a transaction is in progress already.
            return null;
        }
    }

    private static async Task SetAsync(NpgsqlConnection connection, string path, CancellationToken cancellationToken)
    {
        var command = new NpgsqlCommand(CatalogSql.Settings, connection);
        await using var _ = command.ConfigureAwait(false);
        command.Parameters.Add(new() { Value = path });
        await command.ExecuteNonQueryAsync(cancellationToken).ConfigureAwait(false);
    }

    private static async Task RunAsync(NpgsqlConnection connection, string sql, CancellationToken cancellationToken)
    {
        var command = new NpgsqlCommand(sql, connection);
        await using var _ = command.ConfigureAwait(false);
        await command.ExecuteNonQueryAsync(cancellationToken).ConfigureAwait(false);
    }
}
