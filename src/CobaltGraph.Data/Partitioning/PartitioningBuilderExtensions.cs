using System.Linq.Expressions;
using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Metadata.Builders;

namespace CobaltGraph.Data.Partitioning;

// What PostgreSQL's tables can do and EF Core has no word for: efcore.pg #1035.
internal static class PartitioningBuilderExtensions
{
    /// <summary>
    /// Declares the table <c>PARTITION BY RANGE</c> of one property, with a default partition. The primary key must
    /// hold that property.
    /// </summary>
    public static EntityTypeBuilder<TEntity> IsPartitionedByRange<TEntity, TProperty>(
        this EntityTypeBuilder<TEntity> entity,
        Expression<Func<TEntity, TProperty>> property,
        string defaultPartition)
        where TEntity : class
    {
        entity.HasAnnotation(PartitioningAnnotations.RangeProperty, property.GetMemberAccess().Name);
        entity.HasAnnotation(PartitioningAnnotations.DefaultPartition, defaultPartition);
        return entity;
    }

    /// <summary>Declares the foreign key <c>DEFERRABLE INITIALLY DEFERRED</c>.</summary>
    public static ReferenceCollectionBuilder<TPrincipal, TDependent> IsInitiallyDeferred<TPrincipal, TDependent>(
        this ReferenceCollectionBuilder<TPrincipal, TDependent> reference)
        where TPrincipal : class
        where TDependent : class
        => reference.HasAnnotation(PartitioningAnnotations.Deferred, true);
}
