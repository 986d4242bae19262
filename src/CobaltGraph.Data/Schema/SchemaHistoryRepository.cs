using Microsoft.EntityFrameworkCore.Migrations;
using Microsoft.EntityFrameworkCore.Storage;
using Npgsql.EntityFrameworkCore.PostgreSQL.Migrations.Internal;

namespace CobaltGraph.Data.Schema;

// The provider looks for an unqualified history table in "public"; one site is one schema, so ours lives in the
// schema that is first on the search path, like every other object.
#pragma warning disable EF1001 // The provider's repository is internal; it is the documented way to change the history table.
internal sealed class SchemaHistoryRepository(HistoryRepositoryDependencies dependencies)
    : NpgsqlHistoryRepository(dependencies)
{
    protected override string ExistsSql
        => $"""
            SELECT EXISTS (
                SELECT 1 FROM pg_catalog.pg_class AS c
                WHERE c.relnamespace = (SELECT oid FROM pg_catalog.pg_namespace WHERE nspname = current_schema())
                  AND c.relname = {Dependencies.TypeMappingSource.GetMapping(typeof(string)).GenerateSqlLiteral(TableName)}
            )
            """;

    // Without a look first, the very first "database update" logs a failed command.
    public override IReadOnlyList<HistoryRow> GetAppliedMigrations()
        => Exists() ? base.GetAppliedMigrations() : [];

    public override async Task<IReadOnlyList<HistoryRow>> GetAppliedMigrationsAsync(
        CancellationToken cancellationToken = default)
        => await ExistsAsync(cancellationToken).ConfigureAwait(false)
            ? await base.GetAppliedMigrationsAsync(cancellationToken).ConfigureAwait(false)
            : [];
}
