using System.Data;
using System.Diagnostics;
using System.Text;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Migrations;
using Npgsql;

namespace CobaltGraph.Data.Schema;

/// <summary>
/// Brings one schema to a wanted migration, one run at a time, and says what it did. Everything else about migrating is
/// EF Core's and <see cref="SiteMigrator"/>'s.
/// </summary>
internal sealed class SchemaMigrator(NpgsqlDataSource dataSource, TimeProvider? clock = null)
{
    // DDL that waits for a lock makes every later statement on the table wait behind it. EF Core tries again after
    // the timeout, with a growing pause.
    // The session waits for its turn, which must not end it where servers have that setting, since 14.
    private const string SessionSettings = """
        SET statement_timeout = 0;
        SET lock_timeout = '5s';
        SELECT set_config(name, '0', false) FROM pg_catalog.pg_settings WHERE name = 'idle_session_timeout'
        """;

    private const int MonthsAhead = 3;

    private readonly TimeProvider _clock = clock ?? TimeProvider.System;

    /// <summary>Told what a preparation says of how far it is.</summary>
    public Action<string>? Preparing { get; init; }

    /// <summary>Reads what is there. Writes nothing, and leaves the session as it was.</summary>
    public async Task<SchemaState> ReadStateAsync(CancellationToken cancellationToken)
    {
        var session = await MigrationSession.OpenAsync(dataSource, cancellationToken, isForReading: true).ConfigureAwait(false);
        await using (session.ConfigureAwait(false))
            return await ReadStateAsync(session, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>The steps to a target.</summary>
    /// <param name="state">The state to start from.</param>
    /// <param name="target">
    /// Id or name of the last migration wanted; <c>0</c> for none; null for every migration there is.
    /// </param>
    /// <exception cref="UnknownMigrationException">There is no such migration.</exception>
    public static MigrationPlan Plan(SchemaState state, string? target)
    {
        var all = state.Applied.Concat(state.Pending).Order(StringComparer.Ordinal).ToList();
        var last = target switch
        {
            null => all.LastOrDefault(),
            Migration.InitialDatabase => null,
            _ => FindMigration(all, target),
        };
        return new(
            last,
            [.. state.Pending.Where(id => last is not null && StringComparer.Ordinal.Compare(id, last) <= 0)],
            [.. state.Applied.Where(id => last is null || StringComparer.Ordinal.Compare(id, last) > 0).Reverse()]);
    }

    /// <summary>
    /// The SQL of a plan, for psql: what <see cref="MigrateAsync"/> would run on this very database. Writes nothing.
    /// </summary>
    public async Task<string> ScriptAsync(
        SchemaState state, MigrationPlan plan, CancellationToken cancellationToken)
    {
        if (plan.IsEmpty) return "";

        var session = await MigrationSession.OpenAsync(dataSource, cancellationToken).ConfigureAwait(false);
        await using (session.ConfigureAwait(false))
        {
            var migrator = session.Context.GetService<IMigrator>();
            var script = new StringBuilder("\\set ON_ERROR_STOP on\n");
            var schema = SqlText.Identifier(state.Schema);
            if (!state.SchemaExists) script.Append($"CREATE SCHEMA {schema};\n");
            // As the connection says it, which is not always how SET would have to.
            script.Append($"SELECT pg_catalog.set_config('search_path', {SqlText.Literal(session.SearchPath ?? schema)}, false);\n");
            if (session.Role is { } role) script.Append($"SET ROLE {SqlText.Identifier(role)};\n");
            script.Append('\n');

            if (plan.ToRevert.Count > 0)
            {
                script.Append(migrator.GenerateScript(
                    plan.ToRevert[0], plan.Target ?? Migration.InitialDatabase));
            }

            if (plan.ToApply.Count > 0
                && ((SiteMigrator)migrator).PreparationOf([.. state.Applied.Select(id => new HistoryRow(id, ""))], plan.Target) is { } preparation)
            {
                script.Append(preparation.ReplaceLineEndings("\n"));
            }

            // One by one: a pending migration may lie between applied ones.
            var all = state.Applied.Concat(state.Pending).Order(StringComparer.Ordinal).ToList();
            foreach (var id in plan.ToApply)
            {
                var index = all.IndexOf(id);
                script.Append(migrator.GenerateScript(index == 0 ? Migration.InitialDatabase : all[index - 1], id));
            }

            return script.ToString();
        }
    }

    /// <summary>
    /// The SQL of migrations for a schema that has none and is first on the search path, each with the entry in the history,
    /// without transactions of its own. Needs no database.
    /// </summary>
    /// <param name="state">The state that has them.</param>
    /// <param name="ids">The migrations, oldest first.</param>
    public static IReadOnlyList<string> PlainScripts(SchemaState state, IEnumerable<string> ids)
    {
        var all = state.Applied.Concat(state.Pending).Order(StringComparer.Ordinal).ToList();
        return
        [
            .. ids.Select(id => PlainScript(all.IndexOf(id) is var index and > 0 ? all[index - 1] : Migration.InitialDatabase, id)),
        ];
    }

    /// <summary>The SQL of the migrations after one and up to another, likewise.</summary>
    /// <param name="from">The last migration that is there; <see cref="Migration.InitialDatabase"/> for none.</param>
    /// <param name="to">The last wanted; null for the newest.</param>
    public static string PlainScript(string from, string? to)
    {
        var options = new DbContextOptionsBuilder<CobaltGraphContext>();
        options.UseCobaltGraph();
        using var context = new CobaltGraphContext(options.Options);
        return context.GetService<IMigrator>().GenerateScript(from, to, MigrationsSqlGenerationOptions.NoTransactions);
    }

    /// <summary>Migrates, and makes sure that connections has partitions for this month and the next ones.</summary>
    /// <param name="target">As in <see cref="Plan"/>.</param>
    /// <param name="mayRevert">
    /// The migrations that were agreed to be reverted, which drops what they created. One that another run applied in
    /// the meantime is not among them.
    /// </param>
    /// <param name="lockTimeout">How long to wait for another run.</param>
    /// <param name="waiting">Told now and then for whom this run waits.</param>
    /// <param name="step">Told of each migration that is done.</param>
    /// <param name="cancellationToken">Stops the run; the migration under way is rolled back.</param>
    /// <exception cref="MigrationLockedException">Another run did not end in time.</exception>
    /// <exception cref="MigrationRefusedException">The database is newer, or a revert was not allowed.</exception>
    public async Task<MigrationReport> MigrateAsync(
        string? target,
        IReadOnlyCollection<string> mayRevert,
        TimeSpan lockTimeout,
        Action<MigrationLockHolder> waiting,
        Action<MigrationStep> step,
        CancellationToken cancellationToken)
    {
        var session = await MigrationSession.OpenAsync(dataSource, cancellationToken).ConfigureAwait(false);
        await using var openSession = session.ConfigureAwait(false);
        var first = await ReadStateAsync(session, cancellationToken).ConfigureAwait(false);

        var taken = await MigrationLock
            .AcquireAsync(dataSource, first.Schema, session.Connection, lockTimeout, _clock, waiting, cancellationToken)
            .ConfigureAwait(false);
        await using var heldLock = taken.ConfigureAwait(false);

        // Read again even without a wait: a run that ended between the first look and the lock may have gone further than
        // the target, and applying a plan made before it would revert what it did.
        var state = await ReadStateAsync(session, cancellationToken).ConfigureAwait(false);
        var plan = Plan(state, target);
        Guard(state, plan, mayRevert);

        if (Preparing is not null)
        {
            session.Connection.Notice += (_, e) =>
            {
                if (e.Notice.SqlState == IPreparedMigration.NoticeCode)
                    Preparing(e.Notice.MessageText);
            };
        }

        var steps = new List<MigrationStep>();
        var migrator = session.Context.GetService<IMigrator>();
        foreach (var (id, revert) in plan.ToRevert.Select(id => (id, true)).Concat(plan.ToApply.Select(id => (id, false))))
        {
            await taken.VerifyAsync(cancellationToken).ConfigureAwait(false);
            var started = Stopwatch.GetTimestamp();
            await migrator.MigrateAsync(revert ? Before(state, id) : id, cancellationToken).ConfigureAwait(false);
            var done = new MigrationStep(id, revert, Stopwatch.GetElapsedTime(started));
            steps.Add(done);
            step(done);
        }

        if (steps.Count > 0)
            await dataSource.ReloadTypesAsync(cancellationToken).ConfigureAwait(false);
        var partitions = await session.EnsurePartitionsAsync(MonthsAhead, cancellationToken).ConfigureAwait(false);
        if (steps.Count == 0)
            await session.RenewRolesAsync(state.Schema, cancellationToken).ConfigureAwait(false);
        return new(
            state,
            steps,
            [.. state.Applied.Concat(state.Unknown).Except(first.Applied.Concat(first.Unknown))],
            taken.WaitedFor,
            partitions);
    }

    private static void Guard(SchemaState state, MigrationPlan plan, IReadOnlyCollection<string> mayRevert)
    {
        if (!plan.IsEmpty && state.Unknown.Count > 0)
        {
            throw new MigrationRefusedException(
                $"Schema \"{state.Schema}\" has migrations that this version does not know: " +
                $"{string.Join(", ", state.Unknown)}. It was migrated by a newer version; use that one.");
        }

        var unforeseen = plan.ToRevert.Except(mayRevert).ToList();
        if (unforeseen.Count > 0)
        {
            throw new MigrationRefusedException(
                $"That reverts {string.Join(", ", unforeseen)}, and drops what they created with all data in it.");
        }
    }

    private static string Before(SchemaState state, string id)
        => state.Applied.LastOrDefault(other => StringComparer.Ordinal.Compare(other, id) < 0)
            ?? Migration.InitialDatabase;

    private static async Task<SchemaState> ReadStateAsync(
        MigrationSession session, CancellationToken cancellationToken)
    {
        var (schema, exists) = await session.FindSchemaAsync(cancellationToken).ConfigureAwait(false);
        var known = session.Context.Database.GetMigrations().ToList();

        // Without the schema the history of the next one on the search path would be read.
        var history = exists
            ? (await session.Context.Database.GetAppliedMigrationsAsync(cancellationToken).ConfigureAwait(false)).ToList()
            : [];
        return new(
            schema,
            exists,
            [.. known.Where(history.Contains)],
            [.. known.Where(id => !history.Contains(id))],
            [.. history.Where(id => !known.Contains(id))]);
    }

    private static string FindMigration(List<string> all, string target)
    {
        // An id is its timestamp, an underscore and its name.
        var matches = all.Where(id =>
            id.Equals(target, StringComparison.OrdinalIgnoreCase)
            || id[(id.IndexOf('_', StringComparison.Ordinal) + 1)..].Equals(target, StringComparison.OrdinalIgnoreCase)).ToList();
        return matches.Count == 1 ? matches[0] : throw new UnknownMigrationException(target, all);
    }

    /// <summary>A context on one session that the settings above hold for.</summary>
    private sealed class MigrationSession : IAsyncDisposable
    {
        private readonly string? _roleBefore;

        private MigrationSession(NpgsqlConnection connection, CobaltGraphContext context, string? roleBefore, string? role)
        {
            Connection = connection;
            _roleBefore = roleBefore;
            Context = context;
            Role = role;
        }

        public NpgsqlConnection Connection { get; }

        public CobaltGraphContext Context { get; }

        /// <summary>The owner of the site, if the session had to become it.</summary>
        public string? Role { get; }

        public string? SearchPath => new NpgsqlConnectionStringBuilder(Connection.ConnectionString).SearchPath is { Length: > 0 } path ? path : null;

        public static async Task<MigrationSession> OpenAsync(
            NpgsqlDataSource dataSource, CancellationToken cancellationToken, bool isForReading = false)
        {
            var connection = await dataSource.OpenConnectionAsync(cancellationToken).ConfigureAwait(false);
            try
            {
                // Behind a pool that resets nothing, an application would keep them.
                if (!isForReading)
                {
                    var command = new NpgsqlCommand(SessionSettings, connection);
                    await using (command.ConfigureAwait(false))
                        await command.ExecuteNonQueryAsync(cancellationToken).ConfigureAwait(false);
                }

                var options = new DbContextOptionsBuilder<CobaltGraphContext>();
                options.UseCobaltGraph();
                var context = new CobaltGraphContext(options.Options);
                context.Database.SetDbConnection(connection);
                context.Database.SetCommandTimeout(0);

                var named = Schema.SearchPath.First(new NpgsqlConnectionStringBuilder(connection.ConnectionString).SearchPath);
                var before = await SiteOwner.BecomeAsync(connection, named, cancellationToken).ConfigureAwait(false);
                return new(connection, context, before, before is null ? null : await RoleAsync(connection, cancellationToken).ConfigureAwait(false));
            }
            catch
            {
                await connection.DisposeAsync().ConfigureAwait(false);
                throw;
            }
        }

        public async Task<(string Schema, bool Exists)> FindSchemaAsync(CancellationToken cancellationToken)
        {
            var named = Schema.SearchPath.First(SearchPath);
            var command = new NpgsqlCommand(
                """
                SELECT coalesce($1, current_schema()),
                       EXISTS (SELECT 1 FROM pg_catalog.pg_namespace WHERE nspname = coalesce($1, current_schema()))
                """,
                Connection);
            await using (command.ConfigureAwait(false))
            {
                command.Parameters.Add(new() { Value = (object?)named ?? DBNull.Value, NpgsqlDbType = NpgsqlTypes.NpgsqlDbType.Text });
                var reader = await command.ExecuteReaderAsync(cancellationToken).ConfigureAwait(false);
                await using (reader.ConfigureAwait(false))
                {
                    await reader.ReadAsync(cancellationToken).ConfigureAwait(false);
                    if (reader.IsDBNull(0))
                    {
                        throw new MigrationRefusedException(
                            "The search path names no schema that exists. Name one in the connection (Search Path=…, or schema in the configuration file).");
                    }

                    return (reader.GetString(0), reader.GetBoolean(1));
                }
            }
        }

        public Task<IReadOnlyList<string>> EnsurePartitionsAsync(int monthsAhead, CancellationToken cancellationToken)
            => RetryAsync(() => TryEnsurePartitionsAsync(monthsAhead, cancellationToken), cancellationToken);

        /// <summary>
        /// Grants again what the site's roles have, as a migration does at its end: one that was stopped in between, or that
        /// waited in vain for a lock, is applied and has not.
        /// </summary>
        public async Task RenewRolesAsync(string schema, CancellationToken cancellationToken)
        {
            var command = new NpgsqlCommand(
                "SELECT EXISTS (SELECT 1 FROM pg_catalog.pg_namespace WHERE nspname = $1 AND pg_catalog.pg_get_userbyid(nspowner) = current_user)",
                Connection) { Parameters = { new() { Value = schema, NpgsqlDbType = NpgsqlTypes.NpgsqlDbType.Text } } };
            await using (command.ConfigureAwait(false))
            {
                if (await command.ExecuteScalarAsync(cancellationToken).ConfigureAwait(false) is not true)
                    return;
            }

            await RetryAsync(
                async () =>
                {
                    await RolesScript.RenewAsync(Connection, schema, cancellationToken).ConfigureAwait(false);
                    return true;
                },
                cancellationToken).ConfigureAwait(false);
        }

        private static async Task<T> RetryAsync<T>(Func<Task<T>> work, CancellationToken cancellationToken)
        {
            const int attempts = 5;
            for (var attempt = 1; ; attempt++)
            {
                try
                {
                    return await work().ConfigureAwait(false);
                }
                catch (PostgresException e) when (
                    e.SqlState is PostgresErrorCodes.LockNotAvailable or PostgresErrorCodes.DeadlockDetected
                    && attempt < attempts)
                {
                    var pause = TimeSpan.FromMilliseconds(200 * attempt * (0.5 + Random.Shared.NextDouble()));
                    await Task.Delay(pause, cancellationToken).ConfigureAwait(false);
                }
            }
        }

        public async ValueTask DisposeAsync()
        {
            await Context.DisposeAsync().ConfigureAwait(false);
            if (Connection.State == ConnectionState.Open) SiteOwner.Restore(Connection, _roleBefore);
            await Connection.DisposeAsync().ConfigureAwait(false);
        }

        private static async Task<string?> RoleAsync(NpgsqlConnection connection, CancellationToken cancellationToken)
        {
            var command = new NpgsqlCommand("SELECT current_user::text", connection);
            await using (command.ConfigureAwait(false))
                return (string?)await command.ExecuteScalarAsync(cancellationToken).ConfigureAwait(false);
        }

        private async Task<IReadOnlyList<string>> TryEnsurePartitionsAsync(
            int monthsAhead, CancellationToken cancellationToken)
        {
            var exists = new NpgsqlCommand(
                "SELECT to_regprocedure('ensure_connection_partitions(timestamptz, timestamptz)') IS NOT NULL", Connection);
            await using (exists.ConfigureAwait(false))
            {
                if (await exists.ExecuteScalarAsync(cancellationToken).ConfigureAwait(false) is not true) return [];
            }

            var names = new List<string>();
            var ensure = new NpgsqlCommand(
                // Months are UTC's: at the end of one, elsewhere is another.
                "SELECT name FROM ensure_connection_partitions(now(), (now() AT TIME ZONE 'UTC' + make_interval(months => $1)) AT TIME ZONE 'UTC') AS name",
                Connection);
            await using (ensure.ConfigureAwait(false))
            {
                ensure.Parameters.Add(new() { Value = monthsAhead });
                var reader = await ensure.ExecuteReaderAsync(cancellationToken).ConfigureAwait(false);
                await using (reader.ConfigureAwait(false))
                {
                    while (await reader.ReadAsync(cancellationToken).ConfigureAwait(false))
                        names.Add(reader.GetString(0));
                }
            }

            return names;
        }
    }
}

/// <summary>A guard refused to migrate.</summary>
internal sealed class MigrationRefusedException(string message) : Exception(message);

/// <summary>A migration was asked for that there is none of.</summary>
internal sealed class UnknownMigrationException(string name, IReadOnlyList<string> known)
    : Exception($"There is no migration \"{name}\". There are: {string.Join(", ", known)}.");
