using System.Data;
using System.Net;
using System.Net.NetworkInformation;
using CobaltGraph.Model;
using Npgsql;

namespace CobaltGraph.Data.Queries.Catalogue;

/// <summary>Values drawn from what a database holds, the same for the same seed.</summary>
internal sealed record QuerySamples
{
    /// <summary>Values of each kind.</summary>
    public required int Count { get; init; }

    /// <summary>Time of the first connection.</summary>
    public required DateTimeOffset From { get; init; }

    /// <summary>Just behind the last connection.</summary>
    public required DateTimeOffset Until { get; init; }

    /// <summary>Whole days in between, drawn; the last one always among them.</summary>
    public required IReadOnlyList<DateTimeOffset> Days { get; init; }

    public required SampleValues<MacAddress> Devices { get; init; }

    public required SampleValues<IPAddress> Sources { get; init; }

    public required SampleValues<IPAddress> Destinations { get; init; }

    public required SampleValues<IPNetwork> Networks { get; init; }

    public required SampleValues<int> Ports { get; init; }

    public required SampleValues<string> Protocols { get; init; }

    public required SampleValues<string> Countries { get; init; }

    public required SampleValues<string> Organizations { get; init; }

    public required SampleValues<string> Hostnames { get; init; }

    public required SampleValues<string> Categories { get; init; }

    public required SampleValues<string> Vendors { get; init; }

    public required SampleValues<string> DeviceTypes { get; init; }

    /// <summary>Single keys with their values, as JSON objects, of the latest connections.</summary>
    public required SampleValues<string> Metadata { get; init; }

    /// <summary>Devices of the most and of the fewest events.</summary>
    public required SampleValues<MacAddress> EventDevices { get; init; }

    public required SampleValues<DeviceEventType> EventTypes { get; init; }

    /// <summary>Just behind the last event.</summary>
    public required DateTimeOffset EventsUntil { get; init; }

    public static async Task<QuerySamples> DrawAsync(NpgsqlDataSource dataSource, int count, int seed, CancellationToken cancellationToken)
    {
        var random = new Random(seed);
        var connection = await dataSource.OpenConnectionAsync(cancellationToken).ConfigureAwait(false);
        await using (connection.ConfigureAwait(false))
        {
            var times = await ReadAsync<DateTime?>(
                """
                SELECT min(hour) FROM device_activity_hourly WHERE hour >= '0001-01-01Z'
                UNION ALL
                SELECT max(hour) + interval '1 hour' FROM device_activity_hourly WHERE hour < '9999-12-31Z'
                """)
                .ConfigureAwait(false);
            var (from, until) = (Time(times[0] ?? DateTime.UnixEpoch), Time(times[1] ?? DateTime.UnixEpoch.AddDays(1)));
            var devices = await ReadAsync<PhysicalAddress>(
                "SELECT mac_address FROM devices WHERE connection_count > 0 ORDER BY connection_count DESC, mac_address").ConfigureAwait(false);
            var destinations = await ReadAsync<IPAddress>(
                "SELECT dst_ip FROM device_destinations GROUP BY dst_ip ORDER BY sum(connection_count) DESC, dst_ip").ConfigureAwait(false);
            var eventDevices = await ReadAsync<PhysicalAddress>(
                "SELECT device_mac FROM device_events GROUP BY device_mac ORDER BY count(*) DESC, device_mac").ConfigureAwait(false);
            var eventTypes = (await ReadAsync<string>("SELECT event_type FROM device_events GROUP BY event_type ORDER BY count(*) DESC, event_type")
                .ConfigureAwait(false)).ConvertAll(EnumText.ParseEventType);
            var lastEvent = await ReadAsync<DateTime?>(
                "SELECT max(\"timestamp\") FROM device_events WHERE \"timestamp\" >= '0001-01-03Z' AND \"timestamp\" < '9999-12-31Z'").ConfigureAwait(false);
            var drawn = SampleValues<IPAddress>.Draw(destinations, [IPAddress.Parse("240.0.0.1")], count, random);
            return new QuerySamples
            {
                Count = count,
                From = from,
                Until = until,
                Days = [.. Enumerable.Range(0, count).Select(i => until.AddDays(-1 - (i == 0 ? 0 : random.Next(Math.Max((until - from).Days - 1, 1)))))],
                Devices = SampleValues<MacAddress>.Draw(
                    devices.ConvertAll(MacAddress.FromPhysicalAddress), [MacAddress.Parse("02:de:ad:00:00:01")], count, random),
                Sources = SampleValues<IPAddress>.Draw(
                    await ReadAsync<IPAddress>(
                        """
                        SELECT a.ip_address FROM device_addresses AS a JOIN devices AS d ON d.mac_address = a.mac_address
                        WHERE a.source = 'traffic' GROUP BY a.ip_address ORDER BY max(d.connection_count) DESC, a.ip_address
                        """).ConfigureAwait(false),
                    [IPAddress.Parse("240.0.0.2")], count, random),
                Destinations = drawn,
                Networks = new(
                    [.. drawn.Common.Select(address => Network(address, 24))],
                    [.. drawn.Rare.Select((address, i) => Network(address, i % 2 == 0 ? 24 : 16))],
                    [IPNetwork.Parse("240.0.0.0/8")]),
                Ports = SampleValues<int>.Draw(await SaidAsync<int>("dst_port", "true").ConfigureAwait(false), [64_999], count, random),
                Protocols = SampleValues<string>.Draw(await SaidAsync<string>("protocol", "protocol <> ''").ConfigureAwait(false), ["NONE"], count, random),
                Countries = SampleValues<string>.Draw(await SaidAsync<string>("dst_country", "dst_country <> ''").ConfigureAwait(false), ["ZZ"], count, random),
                Organizations = Texts(await SaidAsync<string>("dst_org", "dst_org <> ''").ConfigureAwait(false)),
                Hostnames = Texts(await SaidAsync<string>("dst_hostname", "dst_hostname <> ''").ConfigureAwait(false)),
                Categories = SampleValues<string>.Draw(
                    await ReadAsync<string>(
                        "SELECT threat_category FROM device_threat_counts GROUP BY threat_category ORDER BY sum(connection_count) DESC, threat_category")
                        .ConfigureAwait(false),
                    ["nonesuch"], count, random),
                Vendors = SampleValues<string>.Draw(await OfDevicesAsync("vendor").ConfigureAwait(false), ["No such vendor"], count, random),
                DeviceTypes = SampleValues<string>.Draw(await OfDevicesAsync("device_type").ConfigureAwait(false), ["nonesuch"], count, random),
                EventDevices = SampleValues<MacAddress>.Draw(
                    eventDevices.ConvertAll(MacAddress.FromPhysicalAddress), [MacAddress.Parse("02:de:ad:00:00:01")], count, random),
                EventTypes = SampleValues<DeviceEventType>.Draw(
                    eventTypes, [.. Enum.GetValues<DeviceEventType>().Except(eventTypes)], count, random),
                Metadata = SampleValues<string>.Draw(
                    await ReadAsync<string>(
                        """
                        SELECT jsonb_build_object(m.key, m.value)::text
                        FROM (SELECT metadata FROM connections ORDER BY "timestamp" DESC LIMIT 10000) AS c, jsonb_each(c.metadata) AS m
                        WHERE length(m.value::text) <= 1000
                        GROUP BY m.key, m.value
                        ORDER BY count(*) DESC, m.key, m.value
                        """).ConfigureAwait(false),
                    ["""{"service": "nonesuch"}"""], count, random),
                EventsUntil = Time(lastEvent[0] ?? DateTime.UnixEpoch).AddMicroseconds(1),
            };

            // What destinations say, weighed by the connections of their address.
            Task<List<T>> SaidAsync<T>(string column, string condition) => ReadAsync<T>(
                $"""
                SELECT d.{column}
                FROM (SELECT DISTINCT dst_ip, {column} FROM destinations WHERE {condition}) AS d
                JOIN (SELECT dst_ip, sum(connection_count) AS connections FROM device_destinations GROUP BY dst_ip) AS e ON e.dst_ip = d.dst_ip
                GROUP BY d.{column}
                ORDER BY sum(e.connections) DESC, d.{column}
                """);

            Task<List<string>> OfDevicesAsync(string column)
                => ReadAsync<string>($"SELECT {column} FROM devices WHERE {column} IS NOT NULL GROUP BY {column} ORDER BY count(*) DESC, {column}");

            async Task<List<T>> ReadAsync<T>(string sql)
            {
                var command = new NpgsqlCommand(sql, connection) { CommandTimeout = 0 };
                await using (command.ConfigureAwait(false))
                {
                    var reader = await command.ExecuteReaderAsync(CommandBehavior.Default, cancellationToken).ConfigureAwait(false);
                    await using (reader.ConfigureAwait(false))
                    {
                        var values = new List<T>();
                        while (await reader.ReadAsync(cancellationToken).ConfigureAwait(false))
                            values.Add(reader.IsDBNull(0) ? default! : reader.GetFieldValue<T>(0));
                        return values;
                    }
                }
            }
        }

        // A part of the text, as people type it.
        SampleValues<string> Texts(List<string> sorted)
        {
            var texts = SampleValues<string>.Draw(sorted, ["no such text"], count, random);
            return texts with { Common = [.. texts.Common.Select(Part)], Rare = [.. texts.Rare.Select(text => text.ToUpperInvariant())] };
        }

        static string Part(string text) => text.Length <= 6 ? text : text[..6];
    }

    private static DateTimeOffset Time(DateTime time) => new(DateTime.SpecifyKind(time, DateTimeKind.Utc));

    internal static IPNetwork Network(IPAddress address, int bits)
    {
        var octets = address.GetAddressBytes();
        if (octets.Length == 16)
            bits *= 2;
        for (var i = 0; i < octets.Length; i++)
        {
            var kept = Math.Clamp(bits - i * 8, 0, 8);
            octets[i] &= (byte)(0xff << (8 - kept));
        }

        return new IPNetwork(new IPAddress(octets), bits);
    }
}
