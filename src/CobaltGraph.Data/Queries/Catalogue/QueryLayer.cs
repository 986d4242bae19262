using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;

namespace CobaltGraph.Data.Queries.Catalogue;

/// <summary>Everything that answers questions, as an application gets it.</summary>
internal sealed record QueryLayer(
    IConnectionQueries Connections,
    IDeviceQueries Devices,
    IDeviceDetailQueries Details,
    IDestinationQueries Destinations,
    IAddressQueries Addresses,
    IEventQueries Events,
    IDbContextFactory<CobaltGraphContext> Contexts)
{
    public static QueryLayer Of(IServiceProvider services) => new(
        services.GetRequiredService<IConnectionQueries>(),
        services.GetRequiredService<IDeviceQueries>(),
        services.GetRequiredService<IDeviceDetailQueries>(),
        services.GetRequiredService<IDestinationQueries>(),
        services.GetRequiredService<IAddressQueries>(),
        services.GetRequiredService<IEventQueries>(),
        services.GetRequiredService<IDbContextFactory<CobaltGraphContext>>());
}
