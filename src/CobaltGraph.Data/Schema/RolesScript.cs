using System.Text.Json;
using System.Text.RegularExpressions;
using Npgsql;
using NpgsqlTypes;

namespace CobaltGraph.Data.Schema;

/// <summary>
/// Migrations.Sql/roles.sql without psql: its DO blocks, which read schema and names from settings of the transaction.
/// </summary>
internal static partial class RolesScript
{
    /// <summary>How the comment of a schema begins that has roles; their names follow.</summary>
    internal const string CommentPrefix = "CobaltGraph site, roles ";

    // Nothing that others have put into schemas of this database is called.
    private const string Begin = """
        SELECT pg_catalog.set_config('cobaltgraph.schema', coalesce($1, pg_catalog.current_schema()::text, ''), true),
               pg_catalog.set_config('cobaltgraph.owner', coalesce($2, ''), true),
               pg_catalog.set_config('cobaltgraph.writer', coalesce($3, ''), true),
               pg_catalog.set_config('cobaltgraph.reader', coalesce($4, ''), true),
               pg_catalog.set_config('cobaltgraph.maintainer', coalesce($5, ''), true),
               pg_catalog.set_config('cobaltgraph.search_path', pg_catalog.current_setting('search_path'), true),
               pg_catalog.set_config('search_path', 'pg_catalog, pg_temp', true)
        """;

    private const string End = "SELECT set_config('search_path', current_setting('cobaltgraph.search_path'), true)";

    private static readonly Lazy<IReadOnlyList<(string Name, string Sql)>> Blocks = new(Load);

    /// <summary>The schema and the names that hold where some are left out. Takes the lock that lets runs for one site take turns.</summary>
    /// <param name="connection">Open, in a transaction.</param>
    /// <param name="schema">The site; null for the first schema of the search path.</param>
    /// <param name="owner">Name of the owner; null for the one of the last run, or schema and <c>_owner</c>.</param>
    /// <param name="writer">Name of the writer, likewise.</param>
    /// <param name="reader">Name of the reader, likewise.</param>
    /// <param name="maintainer">Name of the maintainer, likewise.</param>
    /// <param name="cancellationToken">Ends it.</param>
    /// <exception cref="PostgresException">A name cannot be used; message and hint say why.</exception>
    public static async Task<(string Schema, RoleNames Names)> ResolveAsync(
        NpgsqlConnection connection, string? schema, string? owner, string? writer, string? reader, string? maintainer,
        CancellationToken cancellationToken)
    {
        var resolve = NewBatch(connection, schema, [owner, writer, reader, maintainer], block => block == "names");
        await using (resolve.ConfigureAwait(false))
            await resolve.ExecuteNonQueryAsync(cancellationToken).ConfigureAwait(false);

        var command = new NpgsqlCommand(
            """
            SELECT pg_catalog.current_setting('cobaltgraph.schema'), pg_catalog.current_setting('cobaltgraph.owner'),
                   pg_catalog.current_setting('cobaltgraph.writer'), pg_catalog.current_setting('cobaltgraph.reader'),
                   pg_catalog.current_setting('cobaltgraph.maintainer')
            """,
            connection);
        await using (command.ConfigureAwait(false))
        {
            var reading = await command.ExecuteReaderAsync(cancellationToken).ConfigureAwait(false);
            await using (reading.ConfigureAwait(false))
            {
                await reading.ReadAsync(cancellationToken).ConfigureAwait(false);
                return (
                    reading.GetString(0),
                    new RoleNames(reading.GetString(1), reading.GetString(2), reading.GetString(3), reading.GetString(4)));
            }
        }
    }

    /// <summary>
    /// Creates the roles, makes schema and database theirs, and grants. In a transaction of the caller's, which may take it
    /// back, or in one of its own.
    /// </summary>
    /// <param name="connection">Open; a role with CREATEROLE that owns the database.</param>
    /// <param name="schema">The site.</param>
    /// <param name="names">The roles.</param>
    /// <param name="cancellationToken">Ends it; nothing is changed.</param>
    /// <exception cref="PostgresException">A name cannot be used or a right is missing; the hint says what to do.</exception>
    public static async Task ApplyAsync(
        NpgsqlConnection connection, string schema, RoleNames names, CancellationToken cancellationToken)
    {
        var batch = NewBatch(connection, schema, names.All, _ => true);
        await using (batch.ConfigureAwait(false))
        {
            batch.BatchCommands.Insert(0, new("SELECT pg_catalog.set_config('lock_timeout', '5s', true)"));
            await batch.ExecuteNonQueryAsync(cancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>
    /// Only the rights on a schema and all in it, for roles that exist: given by the schema's owner, whom the session is or may
    /// become. In a transaction of the caller's, which may take it back, or in one of its own.
    /// </summary>
    public static async Task GrantAsync(
        NpgsqlConnection connection, string schema, RoleNames names, CancellationToken cancellationToken)
    {
        var batch = NewGrants(connection, schema, names);
        await using (batch.ConfigureAwait(false))
            await batch.ExecuteNonQueryAsync(cancellationToken).ConfigureAwait(false);
    }

    /// <summary>The roles of a site; null where none were made.</summary>
    public static async Task<RoleNames?> FindAsync(NpgsqlConnection connection, string schema, CancellationToken cancellationToken)
    {
        var command = NewFind(connection, schema);
        await using (command.ConfigureAwait(false))
            return Parse(await command.ExecuteScalarAsync(cancellationToken).ConfigureAwait(false) as string);
    }

    /// <summary>Grants again what a site's roles have, if it has roles: what a migration has made or replaced is theirs too.</summary>
    public static async Task RenewAsync(NpgsqlConnection connection, string schema, CancellationToken cancellationToken)
    {
        if (await FindAsync(connection, schema, cancellationToken).ConfigureAwait(false) is { } names)
            await GrantAsync(connection, schema, names, cancellationToken).ConfigureAwait(false);
    }

    /// <inheritdoc cref="RenewAsync"/>
    public static void Renew(NpgsqlConnection connection, string schema)
    {
        using var find = NewFind(connection, schema);
        if (Parse(find.ExecuteScalar() as string) is not { } names)
            return;

        using var batch = NewGrants(connection, schema, names);
        batch.ExecuteNonQuery();
    }

    private static NpgsqlBatch NewGrants(NpgsqlConnection connection, string schema, RoleNames names)
        => NewBatch(connection, schema, names.All, block => block == "grants");

    // Statements of a batch are one transaction where none is open.
    private static NpgsqlBatch NewBatch(
        NpgsqlConnection connection, string? schema, IReadOnlyList<string?> names, Func<string, bool> isWanted)
    {
        var begin = new NpgsqlBatchCommand(Begin);
        foreach (var name in (string?[])[schema, .. names])
            begin.Parameters.Add(new() { Value = (object?)name ?? DBNull.Value, NpgsqlDbType = NpgsqlDbType.Text });

        var batch = new NpgsqlBatch(connection) { BatchCommands = { begin } };
        foreach (var (name, sql) in Blocks.Value.Where(block => isWanted(block.Name)))
            batch.BatchCommands.Add(new(sql));
        batch.BatchCommands.Add(new(End));
        return batch;
    }

    private static NpgsqlCommand NewFind(NpgsqlConnection connection, string schema)
        => new(
            """
            SELECT d.description
            FROM pg_catalog.pg_namespace AS n
            JOIN pg_catalog.pg_description AS d
                ON d.objoid = n.oid AND d.classoid = 'pg_catalog.pg_namespace'::regclass::oid AND d.objsubid = 0
            WHERE n.nspname = $1
            """,
            connection)
        {
            Parameters = { new() { Value = schema, NpgsqlDbType = NpgsqlDbType.Text } },
        };

    private static RoleNames? Parse(string? comment)
    {
        if (comment is null || !comment.StartsWith(CommentPrefix, StringComparison.Ordinal))
            return null;

        using var json = JsonDocument.Parse(comment[CommentPrefix.Length..]);
        return new RoleNames(Name("owner"), Name("writer"), Name("reader"), Name("maintainer"));

        string Name(string part) => json.RootElement.GetProperty(part).GetString()!;
    }

    private static IReadOnlyList<(string Name, string Sql)> Load()
    {
        using var stream = typeof(RolesScript).Assembly.GetManifestResourceStream("roles.sql")!;
        using var reader = new StreamReader(stream);
        return [.. Block().Matches(reader.ReadToEnd()).Select(match => (match.Groups["name"].Value, match.Value))];
    }

    [GeneratedRegex(@"^DO \$(?<name>\w+)\$$.*?^\$\k<name>\$;$", RegexOptions.Multiline | RegexOptions.Singleline)]
    private static partial Regex Block();
}
