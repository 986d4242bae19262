using CobaltGraph.Data.DependencyInjection;
using CobaltGraph.Data.Partitioning;
using CobaltGraph.Data.Schema;
using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Metadata;
using Microsoft.EntityFrameworkCore.Migrations;
using Npgsql;
using Npgsql.EntityFrameworkCore.PostgreSQL.Infrastructure;

#pragma warning disable IDE0130 // Where every other Use… of EF Core is found.
namespace Microsoft.EntityFrameworkCore;

/// <summary>Configures a context for CobaltGraph on PostgreSQL.</summary>
public static class CobaltGraphDbContextOptionsBuilderExtensions
{
    private static readonly Version OldestServer = new(12, 0);

    /// <summary>
    /// Uses CobaltGraph on PostgreSQL with a connection that is set later, or not needed, as for
    /// <c>dotnet ef migrations add</c>.
    /// </summary>
    /// <param name="options">The options to configure.</param>
    /// <param name="npgsql">Further options of the Npgsql provider, applied last.</param>
    public static DbContextOptionsBuilder UseCobaltGraph(
        this DbContextOptionsBuilder options,
        Action<NpgsqlDbContextOptionsBuilder>? npgsql = null)
    {
        ArgumentNullException.ThrowIfNull(options);
        return options.UseNpgsql(builder => Configure(builder, npgsql)).UseCobaltGraphServices();
    }

    /// <summary>Uses CobaltGraph on PostgreSQL.</summary>
    /// <param name="options">The options to configure.</param>
    /// <param name="connectionString">
    /// An Npgsql connection string. Its <c>Search Path</c> names the schema of the site; without one it is the
    /// role's default, usually <c>public</c>.
    /// </param>
    /// <param name="npgsql">Further options of the Npgsql provider, applied last.</param>
    public static DbContextOptionsBuilder UseCobaltGraph(
        this DbContextOptionsBuilder options,
        string connectionString,
        Action<NpgsqlDbContextOptionsBuilder>? npgsql = null)
    {
        ArgumentNullException.ThrowIfNull(options);
        ArgumentException.ThrowIfNullOrWhiteSpace(connectionString);
        return options.UseNpgsql(connectionString, builder => Configure(builder, npgsql)).UseCobaltGraphServices();
    }

    /// <summary>Uses CobaltGraph on PostgreSQL through a data source of the application.</summary>
    /// <param name="options">The options to configure.</param>
    /// <param name="dataSource">The data source; it stays the caller's to dispose.</param>
    /// <param name="npgsql">Further options of the Npgsql provider, applied last.</param>
    public static DbContextOptionsBuilder UseCobaltGraph(
        this DbContextOptionsBuilder options,
        NpgsqlDataSource dataSource,
        Action<NpgsqlDbContextOptionsBuilder>? npgsql = null)
    {
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(dataSource);
        return options.UseNpgsql(dataSource, builder => Configure(builder, npgsql)).UseCobaltGraphServices();
    }

    /// <inheritdoc cref="UseCobaltGraph(DbContextOptionsBuilder, Action{NpgsqlDbContextOptionsBuilder}?)"/>
    public static DbContextOptionsBuilder<TContext> UseCobaltGraph<TContext>(
        this DbContextOptionsBuilder<TContext> options,
        Action<NpgsqlDbContextOptionsBuilder>? npgsql = null)
        where TContext : DbContext
    {
        UseCobaltGraph((DbContextOptionsBuilder)options, npgsql);
        return options;
    }

    /// <inheritdoc cref="UseCobaltGraph(DbContextOptionsBuilder, string, Action{NpgsqlDbContextOptionsBuilder}?)"/>
    public static DbContextOptionsBuilder<TContext> UseCobaltGraph<TContext>(
        this DbContextOptionsBuilder<TContext> options,
        string connectionString,
        Action<NpgsqlDbContextOptionsBuilder>? npgsql = null)
        where TContext : DbContext
    {
        UseCobaltGraph((DbContextOptionsBuilder)options, connectionString, npgsql);
        return options;
    }

    /// <inheritdoc cref="UseCobaltGraph(DbContextOptionsBuilder, NpgsqlDataSource, Action{NpgsqlDbContextOptionsBuilder}?)"/>
    public static DbContextOptionsBuilder<TContext> UseCobaltGraph<TContext>(
        this DbContextOptionsBuilder<TContext> options,
        NpgsqlDataSource dataSource,
        Action<NpgsqlDbContextOptionsBuilder>? npgsql = null)
        where TContext : DbContext
    {
        UseCobaltGraph((DbContextOptionsBuilder)options, dataSource, npgsql);
        return options;
    }

    private static void Configure(NpgsqlDbContextOptionsBuilder builder, Action<NpgsqlDbContextOptionsBuilder>? npgsql)
    {
        builder.SetPostgresVersion(OldestServer);
        builder.EnableRetryOnFailure();
        npgsql?.Invoke(builder);
    }

    private static DbContextOptionsBuilder UseCobaltGraphServices(this DbContextOptionsBuilder options)
    {
        ((IDbContextOptionsBuilderInfrastructure)options).AddOrUpdateExtension(new CobaltGraphOptionsExtension());
        return options
            .UseSnakeCaseNamingConvention()
            .ReplaceService<IRelationalAnnotationProvider, PartitioningAnnotationProvider>()
            .ReplaceService<IMigrationsSqlGenerator, PartitioningSqlGenerator>()
            .ReplaceService<IHistoryRepository, SchemaHistoryRepository>()
            .ReplaceService<IMigrator, SiteMigrator>();
    }
}
