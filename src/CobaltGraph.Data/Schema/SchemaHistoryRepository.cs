using Microsoft.EntityFrameworkCore.Diagnostics;
using Microsoft.EntityFrameworkCore.Migrations;
using Microsoft.EntityFrameworkCore.Storage;
using Npgsql.EntityFrameworkCore.PostgreSQL.Migrations.Internal;

namespace CobaltGraph.Data.Schema;

// One site is one schema. The history table is looked for in the schema that is first on the search path, and there
// only: the provider's unqualified look-up would find the history of another site further down the path.
#pragma warning disable EF1001 // The provider's repository is internal; it is the documented way to change the history table.
internal sealed class SchemaHistoryRepository(HistoryRepositoryDependencies dependencies)
    : NpgsqlHistoryRepository(dependencies)
{
    protected override string ExistsSql
        => $"""
            SELECT EXISTS (
                SELECT 1
                FROM pg_catalog.pg_class AS c
                JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
                WHERE n.nspname = current_schema()
                  AND c.relname = {Dependencies.TypeMappingSource.GetMapping(typeof(string)).GenerateSqlLiteral(TableName)}
            )
            """;

    public override bool Exists()
        => Dependencies.DatabaseCreator.Exists()
            && InterpretExistsResult(
                Dependencies.RawSqlCommandBuilder.Build(ExistsSql).ExecuteScalar(CommandParameters()));

    public override async Task<bool> ExistsAsync(CancellationToken cancellationToken = default)
        => await Dependencies.DatabaseCreator.ExistsAsync(cancellationToken).ConfigureAwait(false)
            && InterpretExistsResult(
                await Dependencies.RawSqlCommandBuilder.Build(ExistsSql)
                    .ExecuteScalarAsync(CommandParameters(), cancellationToken).ConfigureAwait(false));

    public override IReadOnlyList<HistoryRow> GetAppliedMigrations()
        => Exists() ? base.GetAppliedMigrations() : [];

    public override async Task<IReadOnlyList<HistoryRow>> GetAppliedMigrationsAsync(
        CancellationToken cancellationToken = default)
        => await ExistsAsync(cancellationToken).ConfigureAwait(false)
            ? await base.GetAppliedMigrationsAsync(cancellationToken).ConfigureAwait(false)
            : [];

    private RelationalCommandParameterObject CommandParameters()
        => new(
            Dependencies.Connection,
            parameterValues: null,
            readerColumns: null,
            Dependencies.CurrentContext.Context,
            Dependencies.CommandLogger,
            CommandSource.Migrations);
}
