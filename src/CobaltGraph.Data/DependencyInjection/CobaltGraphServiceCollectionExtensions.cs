using CobaltGraph.Data;
using CobaltGraph.Data.Export;
using CobaltGraph.Data.Ingest;
using CobaltGraph.Data.Queries;
using CobaltGraph.Data.Schema;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Npgsql;
using Npgsql.EntityFrameworkCore.PostgreSQL.Infrastructure;

#pragma warning disable IDE0130 // Where every other Add… is found.
namespace Microsoft.Extensions.DependencyInjection;

/// <summary>Adds CobaltGraph to an application's services.</summary>
public static class CobaltGraphServiceCollectionExtensions
{
    // Without a key, a data source that the application has for another database would be taken for CobaltGraph's.
    private static readonly object DataSourceKey = typeof(CobaltGraphContext);

    /// <summary>
    /// Adds a pooled <see cref="CobaltGraphContext"/> (scoped), its <see cref="IDbContextFactory{TContext}"/>, the
    /// <see cref="IIngestService"/>, the <see cref="IExportService"/> and the queries (<see cref="IConnectionQueries"/>,
    /// <see cref="IDeviceQueries"/>, <see cref="IDeviceDetailQueries"/>, <see cref="IDestinationQueries"/>,
    /// <see cref="IAddressQueries"/>, <see cref="IEventQueries"/>; all singletons), and the <see cref="NpgsqlDataSource"/> that
    /// all share. A data source that the application registered for a database of its own stays what it is, and is not used
    /// for CobaltGraph. A second call changes nothing.
    /// </summary>
    /// <param name="services">The services to add to.</param>
    /// <param name="connectionString">
    /// An Npgsql connection string. Its <c>Search Path</c> names the schema of the site.
    /// </param>
    /// <param name="npgsql">Further options of the Npgsql provider.</param>
    public static IServiceCollection AddCobaltGraph(
        this IServiceCollection services,
        string connectionString,
        Action<NpgsqlDbContextOptionsBuilder>? npgsql = null)
    {
        ArgumentNullException.ThrowIfNull(services);
        ArgumentException.ThrowIfNullOrWhiteSpace(connectionString);

        services.TryAddKeyedSingleton(DataSourceKey, (_, _) => NpgsqlDataSource.Create(connectionString));
        services.TryAddSingleton(provider => provider.GetRequiredKeyedService<NpgsqlDataSource>(DataSourceKey));
        return services.AddContext(npgsql);
    }

    /// <summary>
    /// Adds a pooled <see cref="CobaltGraphContext"/> (scoped), its <see cref="IDbContextFactory{TContext}"/>, the
    /// <see cref="IIngestService"/>, the <see cref="IExportService"/> and the queries (singletons) over a data source of the
    /// application. A second call changes nothing.
    /// </summary>
    /// <param name="services">The services to add to.</param>
    /// <param name="dataSource">The data source; it stays the caller's to dispose.</param>
    /// <param name="npgsql">Further options of the Npgsql provider.</param>
    public static IServiceCollection AddCobaltGraph(
        this IServiceCollection services,
        NpgsqlDataSource dataSource,
        Action<NpgsqlDbContextOptionsBuilder>? npgsql = null)
    {
        ArgumentNullException.ThrowIfNull(services);
        ArgumentNullException.ThrowIfNull(dataSource);

        services.TryAddKeyedSingleton(DataSourceKey, dataSource);
        services.TryAddSingleton(dataSource);
        return services.AddContext(npgsql);
    }

    /// <summary>
    /// Lets the application start only on a schema that has exactly the migrations of this version of the library: otherwise
    /// its host fails to start with a <see cref="SchemaMismatchException"/> that names what is pending or unknown. Services that
    /// were added before this call start before the check. Call it after <c>AddCobaltGraph</c>; a second call changes nothing.
    /// </summary>
    /// <param name="services">The services that CobaltGraph was added to.</param>
    public static IServiceCollection RequireCurrentSchema(this IServiceCollection services)
    {
        ArgumentNullException.ThrowIfNull(services);

        services.TryAddEnumerable(ServiceDescriptor.Singleton<IHostedService, SchemaGuard>(provider =>
            new SchemaGuard(provider.GetRequiredKeyedService<NpgsqlDataSource>(DataSourceKey))));
        return services;
    }

    private static IServiceCollection AddContext(
        this IServiceCollection services,
        Action<NpgsqlDbContextOptionsBuilder>? npgsql)
    {
        if (services.All(service => service.ServiceType != typeof(IDbContextFactory<CobaltGraphContext>)))
        {
            services.AddPooledDbContextFactory<CobaltGraphContext>((provider, options) =>
                options.UseCobaltGraph(provider.GetRequiredKeyedService<NpgsqlDataSource>(DataSourceKey), npgsql));
            services.TryAddScoped(provider =>
                provider.GetRequiredService<IDbContextFactory<CobaltGraphContext>>().CreateDbContext());
        }

        services.TryAddSingleton<IIngestService>(provider => new IngestService(
            provider.GetRequiredKeyedService<NpgsqlDataSource>(DataSourceKey),
            provider.GetService<ILoggerFactory>(),
            provider.GetService<TimeProvider>()));
        services.TryAddSingleton<IExportService>(provider =>
            new ExportService(provider.GetRequiredKeyedService<NpgsqlDataSource>(DataSourceKey)));
        services.TryAddSingleton<QueryOptions>();
        services.TryAddSingleton<IDeviceDetailQueries>(provider => new DeviceDetailQueries(
            provider.GetRequiredService<IDbContextFactory<CobaltGraphContext>>(),
            provider.GetRequiredService<QueryOptions>(),
            provider.GetService<TimeProvider>() ?? TimeProvider.System));
        services.TryAddSingleton<IDestinationQueries>(provider => new DestinationQueries(
            provider.GetRequiredService<IDbContextFactory<CobaltGraphContext>>(),
            provider.GetRequiredService<QueryOptions>()));
        services.TryAddSingleton<IAddressQueries>(provider => new AddressQueries(
            provider.GetRequiredService<IDbContextFactory<CobaltGraphContext>>(),
            provider.GetRequiredService<QueryOptions>()));
        services.TryAddSingleton<IEventQueries>(provider => new EventQueries(
            provider.GetRequiredService<IDbContextFactory<CobaltGraphContext>>(),
            provider.GetRequiredService<QueryOptions>()));
        services.TryAddSingleton<IConnectionQueries>(provider => new ConnectionQueries(
            provider.GetRequiredService<IDbContextFactory<CobaltGraphContext>>(),
            provider.GetRequiredService<QueryOptions>()));
        services.TryAddSingleton<IDeviceQueries>(provider => new DeviceQueries(
            provider.GetRequiredService<IDbContextFactory<CobaltGraphContext>>(),
            provider.GetRequiredService<QueryOptions>()));

        return services;
    }
}
