using System.Data;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Diagnostics;
using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Metadata;
using Microsoft.EntityFrameworkCore.Migrations;
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
    private readonly ICurrentDbContext _currentContext = currentContext;
    private readonly IRelationalConnection _connection = connection;

    // "CBLM". Not the lock of MigrationLock, whose holder comes here too.
    internal const int LockClass = 0x43424C4D;

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

            while (_connection.DbConnection is NpgsqlConnection session && !TryLock(session))
                Thread.Sleep(Pause);
            try
            {
                base.Migrate(targetMigration);
            }
            finally
            {
                if (_connection.DbConnection is NpgsqlConnection { State: ConnectionState.Open } session)
                    Unlock(session);
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

            while (_connection.DbConnection is NpgsqlConnection session && !TryLock(session))
                await Task.Delay(Pause, cancellationToken).ConfigureAwait(false);
            try
            {
                await base.MigrateAsync(targetMigration, cancellationToken).ConfigureAwait(false);
            }
            finally
            {
                if (_connection.DbConnection is NpgsqlConnection { State: ConnectionState.Open } session)
                    Unlock(session);
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

    // EF Core locks the history for one migration at a time, and believes between two of them what it read before the
    // first: two migrators at once would both apply the second. So the session has a lock for the whole run, which is tried
    // for and not waited for inside the server, where a waiting session would hold back CREATE INDEX CONCURRENTLY.
    private static bool TryLock(NpgsqlConnection session) => Call(session, "pg_try_advisory_lock");

    private static void Unlock(NpgsqlConnection session) => Call(session, "pg_advisory_unlock");

    private static bool Call(NpgsqlConnection session, string function)
    {
        using var command = new NpgsqlCommand($"SELECT {function}($1, hashtext(coalesce(current_schema(), '')))", session);
        command.Parameters.Add(new NpgsqlParameter<int> { TypedValue = LockClass });
        return command.ExecuteScalar() is true;
    }

    // Asked for before it is created: CREATE SCHEMA IF NOT EXISTS wants a right that an ordinary owner of the schema
    // does not have.
    private string? MissingSchemaSql()
    {
        var schema = SearchPath.First(new NpgsqlConnectionStringBuilder(_connection.ConnectionString).SearchPath);
        if (schema is null)
            return null;

        var literal = schema.Replace("'", "''", StringComparison.Ordinal);
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
