using Microsoft.EntityFrameworkCore.Metadata;
using Microsoft.EntityFrameworkCore.Migrations;
using Microsoft.EntityFrameworkCore.Migrations.Operations;
using Microsoft.EntityFrameworkCore.Storage;
using Npgsql.EntityFrameworkCore.PostgreSQL.Infrastructure.Internal;
using Npgsql.EntityFrameworkCore.PostgreSQL.Migrations;

namespace CobaltGraph.Data.Partitioning;

#pragma warning disable EF1001 // The provider's generator takes its internal options; it has no other constructor.
internal sealed class PartitioningSqlGenerator(
    MigrationsSqlGeneratorDependencies dependencies,
    INpgsqlSingletonOptions options)
    : NpgsqlMigrationsSqlGenerator(dependencies, options)
{
    private ISqlGenerationHelper Sql => Dependencies.SqlGenerationHelper;

    protected override void Generate(
        CreateTableOperation operation,
        IModel? model,
        MigrationCommandListBuilder builder,
        bool terminate = true)
    {
        if (operation[PartitioningAnnotations.RangeColumn] is not string column)
        {
            base.Generate(operation, model, builder, terminate);
            return;
        }

        // The base class writes comments right behind the closing parenthesis, where PARTITION BY belongs.
        var tableComment = operation.Comment;
        var columnComments = operation.Columns.ConvertAll(c => c.Comment);
        operation.Comment = null;
        operation.Columns.ForEach(c => c.Comment = null);
        try
        {
            base.Generate(operation, model, builder, terminate: false);
        }
        finally
        {
            operation.Comment = tableComment;
            for (var i = 0; i < columnComments.Count; i++)
                operation.Columns[i].Comment = columnComments[i];
        }

        var table = Sql.DelimitIdentifier(operation.Name, operation.Schema);
        builder.AppendLine().Append("PARTITION BY RANGE (").Append(Sql.DelimitIdentifier(column)).AppendLine(");");
        EndStatement(builder);

        if (operation[PartitioningAnnotations.DefaultPartition] is string partition)
        {
            builder.Append("CREATE TABLE ").Append(Sql.DelimitIdentifier(partition, operation.Schema))
                .Append(" PARTITION OF ").Append(table).AppendLine(" DEFAULT;");
            EndStatement(builder);
        }

        if (tableComment is not null)
            Comment(builder, $"TABLE {table}", tableComment);

        foreach (var commented in operation.Columns.Where(c => c.Comment is not null))
            Comment(builder, $"COLUMN {table}.{Sql.DelimitIdentifier(commented.Name)}", commented.Comment!);
    }

    protected override void ForeignKeyConstraint(
        AddForeignKeyOperation operation,
        IModel? model,
        MigrationCommandListBuilder builder)
    {
        base.ForeignKeyConstraint(operation, model, builder);

        if (operation[PartitioningAnnotations.Deferred] is true)
            builder.Append(" DEFERRABLE INITIALLY DEFERRED");
    }

    private void Comment(MigrationCommandListBuilder builder, string target, string comment)
    {
        var literal = Dependencies.TypeMappingSource.GetMapping(typeof(string)).GenerateSqlLiteral(comment);
        builder.Append("COMMENT ON ").Append(target).Append(" IS ").Append(literal).AppendLine(";");
        EndStatement(builder);
    }
}
