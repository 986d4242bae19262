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

    public override void Migrate(string? targetMigration)
    {
        if (_databaseCreator.CanConnect() && MissingSchemaSql() is { } sql)
            _currentContext.Context.Database.ExecuteSqlRaw(sql);

        base.Migrate(targetMigration);
    }

    public override async Task MigrateAsync(string? targetMigration, CancellationToken cancellationToken = default)
    {
        if (await _databaseCreator.CanConnectAsync(cancellationToken).ConfigureAwait(false)
            && MissingSchemaSql() is { } sql)
        {
            await _currentContext.Context.Database.ExecuteSqlRawAsync(sql, cancellationToken).ConfigureAwait(false);
        }

        await base.MigrateAsync(targetMigration, cancellationToken).ConfigureAwait(false);
    }

    public override string GenerateScript(
        string? fromMigration = null,
        string? toMigration = null,
        MigrationsSqlGenerationOptions options = MigrationsSqlGenerationOptions.Default)
        => ScriptText.WithoutAddedIndent(base.GenerateScript(fromMigration, toMigration, options));

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
