using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Metadata;
using Npgsql.EntityFrameworkCore.PostgreSQL.Metadata.Internal;

namespace CobaltGraph.Data.Partitioning;

#pragma warning disable EF1001 // No public extension point carries a model annotation into a migration.
internal sealed class PartitioningAnnotationProvider(RelationalAnnotationProviderDependencies dependencies)
    : NpgsqlAnnotationProvider(dependencies)
{
    public override IEnumerable<IAnnotation> For(ITable table, bool designTime)
    {
        foreach (var annotation in base.For(table, designTime))
            yield return annotation;

        if (!designTime)
            yield break;

        foreach (var mapping in table.EntityTypeMappings)
        {
            var entity = (IEntityType)mapping.TypeBase;
            if (entity.FindAnnotation(PartitioningAnnotations.RangeProperty)?.Value is not string property)
                continue;

            var column = entity.FindProperty(property)!
                .GetColumnName(StoreObjectIdentifier.Table(table.Name, table.Schema));
            yield return new Annotation(PartitioningAnnotations.RangeColumn, column);
            yield return new Annotation(
                PartitioningAnnotations.DefaultPartition,
                entity[PartitioningAnnotations.DefaultPartition]);
        }
    }

    public override IEnumerable<IAnnotation> For(IForeignKeyConstraint foreignKey, bool designTime)
    {
        foreach (var annotation in base.For(foreignKey, designTime))
            yield return annotation;

        if (designTime && foreignKey.MappedForeignKeys.Any(key => key[PartitioningAnnotations.Deferred] is true))
            yield return new Annotation(PartitioningAnnotations.Deferred, true);
    }
}
