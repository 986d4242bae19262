using System.Net;
using CobaltGraph.Model;
using Npgsql;

namespace CobaltGraph.Benchmarks.Ingest;

/// <summary>What must be in the database after a run, so that no method wins by leaving work out.</summary>
internal sealed record Expectation
{
    private readonly long _rows;
    private readonly long _ports;
    private readonly long _seconds;
    private readonly long _organisations;
    private readonly long _withMetadata;
    private readonly long _bytesSent;
    private readonly long _ofDevices;
    private readonly long _threats;
    private readonly long _devices;
    private readonly long _pairs;
    private readonly long _threatPairs;

    public Expectation(IReadOnlyCollection<Connection> rows)
    {
        var devices = new HashSet<MacAddress>();
        var pairs = new HashSet<(MacAddress, IPAddress)>();
        var threatPairs = new HashSet<(MacAddress, IPAddress)>();
        _rows = rows.Count;
        foreach (var row in rows)
        {
            _ports += row.DstPort;
            _seconds += row.Timestamp.ToUnixTimeSeconds();
            _organisations += row.DstOrg is null ? 0 : 1;
            _withMetadata += row.Metadata.ToJson() == "{}" ? 0 : 1;
            _bytesSent += row.BytesSent ?? 0;
            if (row.SrcMac is not { } mac)
                continue;
            _ofDevices++;
            devices.Add(mac);
            pairs.Add((mac, row.DstIp));
            if (row.ThreatScore < ThreatScale.ThreatThreshold)
                continue;
            _threats++;
            threatPairs.Add((mac, row.DstIp));
        }

        _devices = devices.Count;
        _pairs = pairs.Count;
        _threatPairs = threatPairs.Count;
    }

    /// <summary>Compares the database with it.</summary>
    /// <exception cref="BenchmarkException">Something is missing or too much; the message names it.</exception>
    public async Task VerifyAsync(NpgsqlDataSource dataSource, Schema schema, CancellationToken cancellationToken)
    {
        var table = schema == Schema.Bare ? "bare.connections" : "connections";
        List<(string What, string Sql, long Expected)> checks =
        [
            ("connections", $"SELECT count(*) FROM {table}", _rows),
            ("sum of destination ports", $"SELECT sum(dst_port) FROM {table}", _ports),
            ("sum of times", $"SELECT sum(extract(epoch FROM date_trunc('second', \"timestamp\"))) FROM {table}", _seconds),
            ("connections with an organisation", $"SELECT count(dst_org) FROM {table}", _organisations),
            ("connections with metadata", $"SELECT count(*) FROM {table} WHERE metadata <> '{{}}'", _withMetadata),
        ];
        if (schema is Schema.CobaltGraph or Schema.Stripped or Schema.Bare)
            checks.Add(("sum of bytes sent", $"SELECT sum(bytes_sent) FROM {table}", _bytesSent));
        if (schema is Schema.Original or Schema.CobaltGraph)
            checks.Add(("sum of the devices' connections", "SELECT sum(connection_count) FROM devices", _ofDevices));
        if (schema == Schema.CobaltGraph)
        {
            checks.AddRange(
            [
                ("devices", "SELECT count(*) FROM devices", _devices),
                ("sum of the devices' threats", "SELECT sum(threat_count) FROM devices", _threats),
                ("edges", "SELECT count(*) FROM device_destinations", _pairs),
                ("sum of the edges' connections", "SELECT sum(connection_count) FROM device_destinations", _ofDevices),
                ("sum of the edges' threats", "SELECT sum(threat_count) FROM device_destinations", _threats),
                ("discovered events", "SELECT count(*) FROM device_events WHERE event_type = 'discovered'", _devices),
                ("threat events", "SELECT count(*) FROM device_events WHERE event_type = 'threat_detected'", _threatPairs),
            ]);
        }

        foreach (var (what, sql, expected) in checks)
        {
            await using var command = dataSource.CreateCommand($"SELECT coalesce(({sql}), 0)::bigint");
            var found = (long)(await command.ExecuteScalarAsync(cancellationToken))!;
            if (found != expected)
                throw new BenchmarkException($"The run did not do its work: {what}: {found} instead of {expected}.");
        }
    }
}
