using System.Security.Cryptography;
using CobaltGraph.Data.Adoption;
using CobaltGraph.Data.Schema.Catalog;
using Npgsql;

namespace CobaltGraph.Data.Schema;

/// <summary>
/// Compares a schema with what its recorded migrations must have made: they run again in a schema of their own, in a
/// transaction that is rolled back, and the server's catalogue is asked about both.
/// </summary>
/// <param name="dataSource">The database; the schema is the first one on its search path.</param>
/// <param name="alsoExpected">
/// Runs after the migrations, on the connection whose search path begins with the made schema, the owner's role set where
/// that can be: what else belongs to the schema, as the grants of its roles. Null when nothing does.
/// </param>
internal sealed class SchemaProof(
    NpgsqlDataSource dataSource, Func<NpgsqlConnection, CancellationToken, Task>? alsoExpected = null)
{
    private const string TextSearchIndex = "_trgm";

    private const string BeforeMore = "cobaltgraph_expected";

    /// <summary>Compares. Leaves nothing behind.</summary>
    /// <exception cref="SchemaProofException">
    /// There is nothing to compare, the right to make the other schema is missing, or what is also expected ends the transaction or
    /// turns to another schema.
    /// </exception>
    /// <exception cref="MigrationRefusedException">Recorded migrations are unknown: the database is newer than this library.</exception>
    public async Task<SchemaProofReport> RunAsync(CancellationToken cancellationToken)
    {
        var state = await new SchemaMigrator(dataSource).ReadStateAsync(cancellationToken).ConfigureAwait(false);
        if (!state.SchemaExists)
            throw new SchemaProofException($"There is no schema \"{state.Schema}\". `cobaltgraph migrate` makes it.", isNotOurs: true);
        if (state.Unknown.Count > 0)
        {
            throw new MigrationRefusedException(
                $"Schema \"{state.Schema}\" has migrations that this version does not know: {string.Join(", ", state.Unknown)}. " +
                "It was migrated by a newer version; use that one.");
        }

        var connection = await dataSource.OpenConnectionAsync(cancellationToken).ConfigureAwait(false);
        await using var openConnection = connection.ConfigureAwait(false);
        var found = await ReadFoundAsync(connection, state.Schema, cancellationToken).ConfigureAwait(false);
        if (state.Applied.Count == 0)
        {
            throw new SchemaProofException(
                found.Objects.Count == 1
                    ? $"Schema \"{state.Schema}\" is empty. `cobaltgraph migrate` makes the tables."
                    : $"Schema \"{state.Schema}\" has no record of migrations, so there is nothing to compare its {found.Objects.Count(o => o.Table is null) - 1} objects with. " +
                      "Is it the right schema? Name it in the connection (Search Path=…).",
                isNotOurs: true);
        }

        var (expected, respelled) = await ReadExpectedAsync(connection, state, state.Applied, found.OwnerName, cancellationToken).ConfigureAwait(false);
        var (differences, notes) = WithoutTextSearch(SchemaCatalog.Compare(expected, respelled, found));
        (differences, var aside) = WithoutSetAside(differences, found);
        // Objects are compared with whoever owns most of them; that this is the owner, only the roles of the site say.
        if (await RolesScript.FindAsync(connection, state.Schema, cancellationToken).ConfigureAwait(false) is { } roles && roles.Owner != found.OwnerName)
            differences = [OtherOwner(expected, found, roles.Owner), .. differences];
        return new(state, expected, respelled, found, differences, [.. notes, .. aside]);
    }

    /// <summary>What all migrations of this version make, for reading. Leaves nothing behind, and needs no schema.</summary>
    /// <exception cref="SchemaProofException">The right to make a schema is missing.</exception>
    public async Task<string> DescribeAsync(CancellationToken cancellationToken)
    {
        var state = await new SchemaMigrator(dataSource).ReadStateAsync(cancellationToken).ConfigureAwait(false);
        var all = state.Applied.Concat(state.Pending).Order(StringComparer.Ordinal).ToList();
        var connection = await dataSource.OpenConnectionAsync(cancellationToken).ConfigureAwait(false);
        await using var openConnection = connection.ConfigureAwait(false);
        var (expected, _) = await ReadExpectedAsync(connection, state, all, owner: null, cancellationToken).ConfigureAwait(false);
        return SchemaText.Write(expected, all[^1]);
    }

    /// <summary>What migrations make, in a schema of their own that is gone afterwards.</summary>
    /// <param name="connection">A connection without a transaction.</param>
    /// <param name="state">Which migrations there are.</param>
    /// <param name="ids">Those wanted, oldest first.</param>
    /// <param name="owner">
    /// The role that is to own what they make, if the connection's may act as that role, and the roles of the schema with their
    /// rights; null for the connection's role and no others.
    /// </param>
    /// <param name="cancellationToken">Stops the work.</param>
    public async Task<(SchemaCatalog Expected, SchemaCatalog Respelled)> ReadExpectedAsync(
        NpgsqlConnection connection,
        SchemaState state,
        IReadOnlyList<string> ids,
        string? owner,
        CancellationToken cancellationToken)
    {
        var name = $"cobaltgraph_expected_{Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(8))}";
        var transaction = await connection.BeginTransactionAsync(cancellationToken).ConfigureAwait(false);
        await using var openTransaction = transaction.ConfigureAwait(false);

        if (!await AskAsync(
            "SELECT pg_catalog.has_database_privilege(pg_catalog.current_database(), 'CREATE')", null).ConfigureAwait(false))
        {
            throw new SchemaProofException(
                "The migrations are made anew in a schema of their own, which is rolled back, and this user may not create schemas. " +
                $"Connect as a role that may, such as the owner of the database, or let an administrator run: GRANT CREATE ON DATABASE … TO \"{new NpgsqlConnectionStringBuilder(connection.ConnectionString).Username}\".",
                isNotOurs: false);
        }

        // 16 tells apart a member that may act as the role from one that only inherits its rights.
        var right = connection.PostgreSqlVersion.Major >= 16 ? "SET" : "MEMBER";
        var asOwner = owner is not null && await AskAsync($"SELECT pg_catalog.pg_has_role($1, '{right}')", owner).ConfigureAwait(false);
        var quoted = SqlText.Identifier(owner ?? "");
        await RunAsync(
            "SET LOCAL statement_timeout = 0; SET LOCAL lock_timeout = '5s'; SET LOCAL client_min_messages = 'warning'; " +
            (asOwner ? $"CREATE SCHEMA {name} AUTHORIZATION {quoted}; SET LOCAL ROLE {quoted}; " : $"CREATE SCHEMA {name}; ") +
            $"SET LOCAL search_path = {name}").ConfigureAwait(false);
        foreach (var script in SchemaMigrator.PlainScripts(state, ids))
            await RunAsync(script).ConfigureAwait(false);
        if (owner is not null && await RolesScript.FindAsync(connection, state.Schema, cancellationToken).ConfigureAwait(false) is { } roles)
            await RolesScript.GrantAsync(connection, name, roles, cancellationToken).ConfigureAwait(false);
        if (alsoExpected is not null)
        {
            await RunAsync($"SAVEPOINT {BeforeMore}").ConfigureAwait(false);
            try
            {
                await alsoExpected(connection, cancellationToken).ConfigureAwait(false);
            }
            catch (Exception e) when (e is not OperationCanceledException)
            {
                await RunAsync($"ROLLBACK TO SAVEPOINT {BeforeMore}", EndedAsync).ConfigureAwait(false);
                throw;
            }

            await StillThereAsync().ConfigureAwait(false);
        }

        var expected = await SchemaCatalog.ReadAsync(connection, name, state.Schema, cancellationToken).ConfigureAwait(false);
        await RunAsync(Respell(name)).ConfigureAwait(false);
        return (expected, await SchemaCatalog.ReadAsync(connection, name, state.Schema, cancellationToken).ConfigureAwait(false));

        // A COMMIT in it would keep the schema, and what follows would be done to the site itself.
        async Task StillThereAsync()
        {
            await RunAsync($"RELEASE SAVEPOINT {BeforeMore}", EndedAsync).ConfigureAwait(false);
            if (!await AskAsync("SELECT pg_catalog.current_schema()::text = $1", name).ConfigureAwait(false))
            {
                throw new SchemaProofException(
                    "What is also expected turns to another schema: leave out SET search_path, and name objects without a schema.",
                    isNotOurs: false);
            }
        }

        async Task EndedAsync()
        {
            await RunAsync("ROLLBACK").ConfigureAwait(false);
            await RunAsync(
                (asOwner ? $"SET ROLE {quoted}; " : "") + $"DROP SCHEMA IF EXISTS {name} CASCADE" + (asOwner ? "; RESET ROLE" : "")).ConfigureAwait(false);
            throw new SchemaProofException(
                "What is also expected ends the transaction of the comparison: leave out BEGIN, COMMIT and ROLLBACK. The schema of " +
                "the comparison is gone; what else was committed by it stays.",
                isNotOurs: false);
        }

        async Task RunAsync(string sql, Func<Task>? whenNoTransaction = null)
        {
            var command = new NpgsqlCommand(sql, connection) { CommandTimeout = 0 };
            await using var _ = command.ConfigureAwait(false);
            try
            {
                await command.ExecuteNonQueryAsync(cancellationToken).ConfigureAwait(false);
            }
            catch (PostgresException e) when (whenNoTransaction is not null
                && e.SqlState is PostgresErrorCodes.InvalidSavepointSpecification or PostgresErrorCodes.NoActiveSqlTransaction)
            {
                await whenNoTransaction().ConfigureAwait(false);
            }
        }

        async Task<bool> AskAsync(string sql, string? argument)
        {
            var command = new NpgsqlCommand(sql, connection);
            await using var _ = command.ConfigureAwait(false);
            if (argument is not null) command.Parameters.Add(new() { Value = argument });
            return await command.ExecuteScalarAsync(cancellationToken).ConfigureAwait(false) is true;
        }
    }

    /// <summary>Does to texts that hold expressions what a dump and its restoration do.</summary>
    internal static string Respell(string schema)
        => $"""
            DO $respell$
            DECLARE
                v_site oid := (SELECT oid FROM pg_catalog.pg_namespace WHERE nspname = {SqlText.Literal(schema)});
                v_sql text;
            BEGIN
                FOR v_sql IN
                    SELECT pg_catalog.format('ALTER TABLE %1$s DROP CONSTRAINT %2$I; ALTER TABLE %1$s ADD CONSTRAINT %2$I %3$s',
                        c.conrelid::regclass, c.conname, pg_catalog.pg_get_constraintdef(c.oid))
                    FROM pg_catalog.pg_constraint AS c
                    WHERE c.connamespace = v_site AND c.contype = 'c' AND c.conrelid <> 0 AND c.coninhcount = 0
                    UNION ALL
                    SELECT pg_catalog.format('CREATE OR REPLACE VIEW %s AS %s', c.oid::regclass, pg_catalog.pg_get_viewdef(c.oid))
                    FROM pg_catalog.pg_class AS c
                    WHERE c.relnamespace = v_site AND c.relkind = 'v'
                    UNION ALL
                    SELECT pg_catalog.format('DROP INDEX %s; %s', i.indexrelid::regclass,
                        pg_catalog.replace(pg_catalog.pg_get_indexdef(i.indexrelid), ' ON ONLY ', ' ON '))
                    FROM pg_catalog.pg_index AS i
                    JOIN pg_catalog.pg_class AS c ON c.oid = i.indexrelid
                    WHERE c.relnamespace = v_site AND NOT c.relispartition AND (i.indpred IS NOT NULL OR i.indexprs IS NOT NULL)
                LOOP
                    EXECUTE v_sql;
                END LOOP;
            END
            $respell$;
            """;

    private static CatalogDifference OtherOwner(SchemaCatalog expected, SchemaCatalog found, string owner)
        => new(
            "schema", SchemaCatalog.ThisSchema, "owner of what is in it", SqlText.Identifier(owner), SqlText.Identifier(found.OwnerName),
            expected.Objects.First(o => o.Kind == "schema"), found.Objects.First(o => o.Kind == "schema"));

    // What adopt has set aside lies beside the tables until it is dropped.
    private static (IReadOnlyList<CatalogDifference> Differences, IReadOnlyList<string> Notes) WithoutSetAside(
        IReadOnlyList<CatalogDifference> differences, SchemaCatalog found)
    {
        var aside = found.Objects
            .Where(o => o is { Table: null, Kind: "table" or "view" or "function" } && OldObjects.IsAside(o.Name)
                && o.Properties.TryGetValue("comment", out var comment)
                && (comment.StartsWith(OldObjects.AsideComment, StringComparison.Ordinal)
                    || (o.Kind == "table" && comment.StartsWith(OldObjects.LeftOutComment, StringComparison.Ordinal))))
            .Select(o => (o.Kind, o.Name))
            .ToHashSet();
        var rest = differences.Where(d => d.Expected is not null || d.Property is not null || !IsAside(d)).ToList();
        return rest.Count == differences.Count
            ? (differences, [])
            : (rest, [$"Set aside by `cobaltgraph adopt`: {string.Join(", ", aside.Select(o => $"{o.Kind} {o.Name}").Order(StringComparer.Ordinal))}."]);

        bool IsAside(CatalogDifference difference)
            => aside.Contains((difference.Kind, difference.Name))
               || (difference.FoundObject!.Properties.TryGetValue("owned by", out var owner)
                   && aside.Any(table => owner.StartsWith($"{table.Name}.", StringComparison.Ordinal)));
    }

    // A table that is dropped while it is read is missed by the server's functions, which say so in their own way.
    private static async Task<SchemaCatalog> ReadFoundAsync(
        NpgsqlConnection connection, string schema, CancellationToken cancellationToken)
    {
        const int attempts = 3;
        for (var attempt = 1; ; attempt++)
        {
            try
            {
                return await SchemaCatalog.ReadAsync(connection, schema, null, cancellationToken).ConfigureAwait(false);
            }
            catch (PostgresException e) when (
                e.SqlState is PostgresErrorCodes.InternalError or PostgresErrorCodes.UndefinedTable && attempt < attempts)
            {
            }
        }
    }

    // pg_trgm may have been installed after the migrations; that alone is no reason to distrust a database.
    private static (IReadOnlyList<CatalogDifference> Differences, IReadOnlyList<string> Notes) WithoutTextSearch(
        IReadOnlyList<CatalogDifference> differences)
    {
        var missing = differences
            .Where(d => d is { Kind: "index", Property: null, Found: null } && d.Name.EndsWith(TextSearchIndex, StringComparison.Ordinal))
            .ToList();
        const int indexes = 2;
        return missing.Count < indexes
            ? (differences, [])
            : ([.. differences.Except(missing)], ["pg_trgm is installed and not used: SELECT ensure_text_search() makes its indexes."]);
    }
}
