using CobaltGraph.Data.Ingest;
using Microsoft.Extensions.DependencyInjection;

namespace CobaltGraph.Reliability.Tests.Ingest;

/// <summary>An application that stores connections, as the README tells how to make one.</summary>
internal sealed class IngestHost : IAsyncDisposable
{
    private readonly ServiceProvider _services;

    public IngestHost(string connectionString)
    {
        var services = new ServiceCollection();
        services.AddLogging();
        services.AddCobaltGraph(connectionString);
        _services = services.BuildServiceProvider();
        Ingest = _services.GetRequiredService<IIngestService>();
    }

    public IIngestService Ingest { get; }

    public ValueTask DisposeAsync() => _services.DisposeAsync();
}
