using Microsoft.Extensions.Hosting;
using Npgsql;

namespace CobaltGraph.Data.Schema;

/// <summary>Ends an application's start when the schema is not of its version.</summary>
internal sealed class SchemaGuard(NpgsqlDataSource dataSource) : IHostedService
{
    public async Task StartAsync(CancellationToken cancellationToken)
    {
        var state = await new SchemaMigrator(dataSource).ReadStateAsync(cancellationToken).ConfigureAwait(false);
        if (!state.IsCurrent) throw new SchemaMismatchException(state);
    }

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
}
