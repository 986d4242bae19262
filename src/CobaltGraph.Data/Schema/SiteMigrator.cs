using System.Data;
using System.Transactions;
using CobaltGraph.Data.Schema.Scripts;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Diagnostics;
using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Metadata;
using Microsoft.EntityFrameworkCore.Migrations;
using Microsoft.EntityFrameworkCore.Migrations.Operations;
using Microsoft.EntityFrameworkCore.Storage;
using Npgsql;
using Npgsql.EntityFrameworkCore.PostgreSQL.Migrations.Internal;

namespace CobaltGraph.Data.Schema;

/// <summary>
/// Migrates the schema that the connection's search path names first, creating it when it is missing, and writes
/// scripts that leave exactly what a migration leaves.
/// </summary>
#pragma warning disable EF1001 // The migrator has no public base class.
internal sealed class SiteMigrator(
    IMigrationsAssembly migrationsAssembly,
    IHistoryRepository historyRepository,
    IDatabaseCreator databaseCreator,
    IMigrationsSqlGenerator migrationsSqlGenerator,
    IRawSqlCommandBuilder rawSqlCommandBuilder,
    IMigrationCommandExecutor migrationCommandExecutor,
    IRelationalConnection connection,
    ISqlGenerationHelper sqlGenerationHelper,
    ICurrentDbContext currentContext,
    IModelRuntimeInitializer modelRuntimeInitializer,
    IDiagnosticsLogger<DbLoggerCategory.Migrations> logger,
    IRelationalCommandDiagnosticsLogger commandLogger,
    IDatabaseProvider databaseProvider,
    IMigrationsModelDiffer migrationsModelDiffer,
    IDesignTimeModel designTimeModel,
    IDbContextOptions contextOptions,
    IExecutionStrategy executionStrategy)
    : NpgsqlMigrator(
        migrationsAssembly,
        historyRepository,
        databaseCreator,
        migrationsSqlGenerator,
        rawSqlCommandBuilder,
        migrationCommandExecutor,
        connection,
        sqlGenerationHelper,
        currentContext,
        modelRuntimeInitializer,
        logger,
        commandLogger,
        databaseProvider,
        migrationsModelDiffer,
        designTimeModel,
        contextOptions,
        executionStrategy)
{
    private readonly IDatabaseCreator _databaseCreator = databaseCreator;
    private readonly IHistoryRepository _historyRepository = historyRepository;
    private readonly ICurrentDbContext _currentContext = currentContext;
    private readonly IMigrationsAssembly _migrationsAssembly = migrationsAssembly;
    private readonly IRelationalConnection _connection = connection;

    /// <summary>"CBLM". Not the lock of MigrationLock, whose holder comes here too.</summary>
    public const int LockClass = 0x43424C4D;

    private const int PreparationAttempts = 10;

    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(100);

    public override void Migrate(string? targetMigration)
    {
        if (!_databaseCreator.CanConnect())
        {
            base.Migrate(targetMigration);
            return;
        }

        _connection.Open();
        try
        {
            if (MissingSchemaSql() is { } sql)
                _currentContext.Context.Database.ExecuteSqlRaw(sql);

            var session = (NpgsqlConnection)_connection.DbConnection;
            var role = SiteOwner.Become(session, NamedSchema);
            var isLocked = false;
            try
            {
                while (!(isLocked = TryLock(session)))
                    Thread.Sleep(Pause);
                var before = _historyRepository.GetAppliedMigrations();
                if (!IsInTransaction && PreparationOf(before, targetMigration) is { } preparation)
                    Prepare(session, preparation);
                base.Migrate(targetMigration);
                if (IsOther(before, _historyRepository.GetAppliedMigrations()))
                    RolesScript.Renew(session, Schema(session));
            }
            finally
            {
                if (session.State == ConnectionState.Open)
                {
                    if (isLocked)
                        Unlock(session);
                    SiteOwner.Restore(session, role);
                }
            }
        }
        finally
        {
            _connection.Close();
        }
    }

    public override async Task MigrateAsync(string? targetMigration, CancellationToken cancellationToken = default)
    {
        if (!await _databaseCreator.CanConnectAsync(cancellationToken).ConfigureAwait(false))
        {
            await base.MigrateAsync(targetMigration, cancellationToken).ConfigureAwait(false);
            return;
        }

        await _connection.OpenAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            if (MissingSchemaSql() is { } sql)
                await _currentContext.Context.Database.ExecuteSqlRawAsync(sql, cancellationToken).ConfigureAwait(false);

            var session = (NpgsqlConnection)_connection.DbConnection;
            var role = await SiteOwner.BecomeAsync(session, NamedSchema, cancellationToken).ConfigureAwait(false);
            var isLocked = false;
            try
            {
                while (!(isLocked = TryLock(session)))
                    await Task.Delay(Pause, cancellationToken).ConfigureAwait(false);
                var before = await _historyRepository.GetAppliedMigrationsAsync(cancellationToken).ConfigureAwait(false);
                if (!IsInTransaction && PreparationOf(before, targetMigration) is { } preparation)
                    await PrepareAsync(session, preparation, cancellationToken).ConfigureAwait(false);
                await base.MigrateAsync(targetMigration, cancellationToken).ConfigureAwait(false);
                if (IsOther(before, await _historyRepository.GetAppliedMigrationsAsync(cancellationToken).ConfigureAwait(false)))
                    await RolesScript.RenewAsync(session, Schema(session), cancellationToken).ConfigureAwait(false);
            }
            finally
            {
                if (session.State == ConnectionState.Open)
                {
                    if (isLocked)
                        Unlock(session);
                    SiteOwner.Restore(session, role);
                }
            }
        }
        finally
        {
            await _connection.CloseAsync().ConfigureAwait(false);
        }
    }

    public override string GenerateScript(
        string? fromMigration = null,
        string? toMigration = null,
        MigrationsSqlGenerationOptions options = MigrationsSqlGenerationOptions.Default)
        => ScriptText.WithoutAddedIndent(base.GenerateScript(fromMigration, toMigration, options));

    /// <summary>Every migration as its scripts need it.</summary>
    public IReadOnlyList<ScriptedMigration> ReadForScripts()
    {
        var migrations = new List<ScriptedMigration>();
        Migration? previous = null;
        foreach (var (id, type) in _migrationsAssembly.Migrations)
        {
            var migration = _migrationsAssembly.CreateMigration(type, _currentContext.Context.Database.ProviderName!);
            migrations.Add(new(
                migrations.Count + 1,
                id,
                Direction(migration.UpOperations, GenerateUpSql(migration, MigrationsSqlGenerationOptions.Script)),
                Direction(migration.DownOperations, GenerateDownSql(migration, previous, MigrationsSqlGenerationOptions.Script)),
                migration as IPreparedMigration));
            previous = migration;
        }

        return migrations;

        // The last command is the one for the history.
        static ScriptedDirection Direction(IReadOnlyList<MigrationOperation> operations, IReadOnlyList<MigrationCommand> commands)
            => new(
                MigrationEffects.Describe(operations),
                [.. commands.SkipLast(1).Select(command => new ScriptedCommand(Text(command), command.TransactionSuppressed))],
                Text(commands[^1]));

        static string Text(MigrationCommand command) => command.CommandText.ReplaceLineEndings("\n").TrimEnd() + "\n";
    }

    /// <summary>What is better done before the migrations up to a target are applied; null when there is nothing.</summary>
    /// <param name="applied">Those that are.</param>
    /// <param name="target">Id or name of the last wanted; null for all.</param>
    public string? PreparationOf(IReadOnlyList<HistoryRow> applied, string? target)
    {
        // It reads what the migration before it made.
        var next = _migrationsAssembly.Migrations.Keys.FirstOrDefault(id => applied.All(row => row.MigrationId != id));
        if (next is null || applied.Count == 0 || target == Migration.InitialDatabase
            || (target is not null && string.CompareOrdinal(next, _migrationsAssembly.GetMigrationId(target)) > 0))
        {
            return null;
        }

        var migration = _migrationsAssembly.CreateMigration(
            _migrationsAssembly.Migrations[next], _currentContext.Context.Database.ProviderName!);
        return (migration as IPreparedMigration)?.Preparation;
    }

    private bool IsInTransaction => _connection.CurrentTransaction is not null || Transaction.Current is not null;

    private static void Prepare(NpgsqlConnection session, string preparation)
    {
        var timeout = WithoutTimeout(session);
        try
        {
            for (var attempt = 1; ; attempt++)
            {
                try
                {
                    using var command = new NpgsqlCommand(preparation, session) { CommandTimeout = 0 };
                    command.ExecuteNonQuery();
                    return;
                }
                catch (PostgresException e) when (MayGoOn(e, attempt))
                {
                    Thread.Sleep(attempt * Pause);
                }
            }
        }
        finally
        {
            WithTimeout(session, timeout);
        }
    }

    private static async Task PrepareAsync(NpgsqlConnection session, string preparation, CancellationToken cancellationToken)
    {
        var timeout = WithoutTimeout(session);
        try
        {
            for (var attempt = 1; ; attempt++)
            {
                try
                {
                    var command = new NpgsqlCommand(preparation, session) { CommandTimeout = 0 };
                    await using (command.ConfigureAwait(false))
                        await command.ExecuteNonQueryAsync(cancellationToken).ConfigureAwait(false);
                    return;
                }
                catch (PostgresException e) when (MayGoOn(e, attempt))
                {
                    await Task.Delay(attempt * Pause, cancellationToken).ConfigureAwait(false);
                }
            }
        }
        finally
        {
            WithTimeout(session, timeout);
        }
    }

    private static bool MayGoOn(PostgresException error, int attempt)
        => error.SqlState is PostgresErrorCodes.LockNotAvailable or PostgresErrorCodes.DeadlockDetected && attempt < PreparationAttempts;

    // It is one statement for the server, however many transactions it has, and takes as long as there are connections.
    private static string WithoutTimeout(NpgsqlConnection session)
    {
        using var read = new NpgsqlCommand("SELECT current_setting('statement_timeout')", session);
        var timeout = (string)read.ExecuteScalar()!;
        WithTimeout(session, "0");
        return timeout;
    }

    private static void WithTimeout(NpgsqlConnection session, string timeout)
    {
        if (session.State != ConnectionState.Open)
            return;
        using var command = new NpgsqlCommand("SELECT set_config('statement_timeout', $1, false)", session) { Parameters = { new() { Value = timeout } } };
        command.ExecuteNonQuery();
    }

    // EF Core locks the history for one migration at a time, and believes between two of them what it read before the
    // first: two migrators at once would both apply the second. So the session has a lock for the whole run, which is tried
    // for and not waited for inside the server, where a waiting session would hold back CREATE INDEX CONCURRENTLY.
    private static bool TryLock(NpgsqlConnection session) => Call(session, "pg_try_advisory_lock");

    private static void Unlock(NpgsqlConnection session) => Call(session, "pg_advisory_unlock");

    /// <summary>Tries for that lock, which a session may have several times, before the migrator does.</summary>
    public static Task<bool> TryLockAsync(NpgsqlConnection session, string schema, CancellationToken cancellationToken)
        => CallAsync(session, "pg_try_advisory_lock", schema, cancellationToken);

    /// <summary>Gives it back once.</summary>
    public static Task UnlockAsync(NpgsqlConnection session, string schema)
        => CallAsync(session, "pg_advisory_unlock", schema, CancellationToken.None);

    private static bool IsOther(IReadOnlyList<HistoryRow> before, IReadOnlyList<HistoryRow> after)
        => !before.Select(row => row.MigrationId).SequenceEqual(after.Select(row => row.MigrationId));

    private string? NamedSchema => SearchPath.First(new NpgsqlConnectionStringBuilder(_connection.ConnectionString).SearchPath);

    private string Schema(NpgsqlConnection session)
    {
        if (NamedSchema is { } schema)
            return schema;

        using var command = new NpgsqlCommand("SELECT current_schema()::text", session);
        return (string)command.ExecuteScalar()!;
    }

    private static bool Call(NpgsqlConnection session, string function)
    {
        using var command = NewCall(session, function, null);
        return command.ExecuteScalar() is true;
    }

    private static async Task<bool> CallAsync(
        NpgsqlConnection session, string function, string schema, CancellationToken cancellationToken)
    {
        var command = NewCall(session, function, schema);
        await using (command.ConfigureAwait(false))
            return await command.ExecuteScalarAsync(cancellationToken).ConfigureAwait(false) is true;
    }

    private static NpgsqlCommand NewCall(NpgsqlConnection session, string function, string? schema)
        => new($"SELECT {function}($1, hashtext(coalesce($2, current_schema(), '')))", session)
        {
            Parameters =
            {
                new NpgsqlParameter<int> { TypedValue = LockClass },
                new() { Value = (object?)schema ?? DBNull.Value, NpgsqlDbType = NpgsqlTypes.NpgsqlDbType.Text },
            },
        };

    // Asked for before it is created: CREATE SCHEMA IF NOT EXISTS wants a right that an ordinary owner of the schema
    // does not have.
    private string? MissingSchemaSql()
    {
        if (NamedSchema is not { } schema)
            return null;

        var literal = SqlText.Escaped(schema);
        return $$"""
            DO $site$
            BEGIN
                IF NOT EXISTS (SELECT 1 FROM pg_catalog.pg_namespace WHERE nspname = '{{Braces(literal)}}') THEN
                    EXECUTE format('CREATE SCHEMA %I', '{{Braces(literal)}}');
                END IF;
            END
            $site$;
            """;

        // ExecuteSqlRaw reads single braces as parameters.
        static string Braces(string text)
            => text.Replace("{", "{{", StringComparison.Ordinal).Replace("}", "}}", StringComparison.Ordinal);
    }
}
