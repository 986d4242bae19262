using System.Net;
using CobaltGraph.Model;
using CobaltGraph.Reliability.Proxy;
using Npgsql;

namespace CobaltGraph.Reliability.Tests.Ingest;

public sealed class RoundTripTests(DurableServer server) : IngestTest(server)
{
    private const int Devices = 10_000;

    [Fact]
    public async Task Ten_thousand_sightings_of_known_devices_take_one_round_trip()
    {
        await using var proxy = ChaosProxy.Start(Server.Port);
        // Npgsql's own reset of a pooled connection would be one more.
        var through = new NpgsqlConnectionStringBuilder(proxy.ConnectionStringOf(ConnectionString)) { NoResetOnClose = true };
        await using var host = new IngestHost(through.ConnectionString);
        await host.Ingest.StoreBatchAsync("arp", "1", Sightings(0), Cancel);

        proxy.BeginTrace();
        var result = await host.Ingest.StoreBatchAsync("arp", "2", Sightings(1), Cancel);
        var trace = proxy.EndTrace();

        Assert.Equal(Devices, result.Stored);
        Assert.Empty(proxy.Problems);
        Assert.Equal(1, proxy.Connections);
        // Each question ends with Q or S, each answer with Z.
        Assert.Single(trace, m => m.Direction == Direction.ToServer && m.Type is 'Q' or 'S');
        Assert.Single(trace, m => m.Direction == Direction.ToClient && m.Type == 'Z');
        Assert.Equal(Devices, await Direct.ScalarAsync<long>("SELECT count(*) FROM devices WHERE last_seen = '2026-11-01 00:01Z'"));
    }

    private static DeviceSighting[] Sightings(int minute)
        => [.. Enumerable.Range(0, Devices).Select(i => new DeviceSighting
        {
            MacAddress = new MacAddress(0x0200_0000_0000 + i),
            IpAddress = new IPAddress([10, 1, (byte)(i / 256), (byte)i]),
            SeenAt = new DateTimeOffset(2026, 11, 1, 0, minute, 0, TimeSpan.Zero),
        })];
}
