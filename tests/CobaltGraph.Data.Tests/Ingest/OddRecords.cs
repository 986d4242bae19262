using System.Net;
using System.Text.Json;
using CobaltGraph.Model;

namespace CobaltGraph.Data.Tests.Ingest;

/// <summary>Rows at and beyond the edges of what the tables take; the same seed gives the same rows.</summary>
internal sealed class OddRecords(int seed)
{
    private static readonly float?[] Reals =
    [
        null, 0f, -0f, float.NaN, float.PositiveInfinity, float.NegativeInfinity, float.Epsilon, -float.Epsilon, float.MaxValue, float.MinValue,
        90f, 90.00001f, -90f, -90.00001f, 180f, 180.00002f, -180f, -180.00002f, 10f, 10.000001f, 6.9999995f, 7f, -1e-30f, 0.1f, 33.33333f,
    ];

    private static readonly float?[] Confidences =
        [null, 0f, -0f, 1f, 1.0000001f, -1e-30f, float.Epsilon, 0.1f, 0.33333334f, float.NaN, float.PositiveInfinity, float.NegativeInfinity];

    private static readonly int?[] Ports = [null, 0, 1, 443, 65535, 65536, -1, int.MaxValue, int.MinValue];

    private static readonly long?[] Counts = [null, 0, 1, -1, long.MaxValue, long.MinValue, 9007199254740993];

    private static readonly DateTimeOffset[] Times =
    [
        DateTimeOffset.UnixEpoch, DateTimeOffset.MinValue.AddTicks(10), DateTimeOffset.MaxValue, DateTimeOffset.MaxValue.AddTicks(-9),
        DateTimeOffset.MaxValue.AddTicks(-20), new(1, 1, 1, 0, 0, 1, TimeSpan.Zero), new(2024, 2, 29, 23, 59, 59, TimeSpan.FromHours(-11)),
        new(9999, 12, 31, 10, 0, 0, TimeSpan.FromHours(-13)), new(1999, 12, 31, 23, 59, 59, TimeSpan.FromMinutes(345)),
        new DateTimeOffset(2024, 4, 19, 0, 0, 1, TimeSpan.Zero).AddTicks(1234560),
    ];

    private static readonly TimeSpan?[] Durations =
    [
        null, TimeSpan.Zero, TimeSpan.MaxValue, TimeSpan.MinValue, TimeSpan.FromMicroseconds(1), TimeSpan.FromMicroseconds(-1), TimeSpan.FromDays(400),
        TimeSpan.FromSeconds(-90_061.5), TimeSpan.FromMicroseconds(65_022_705),
    ];

    private static readonly IPAddress[] Addresses =
    [
        .. new[]
        {
            "0.0.0.0", "255.255.255.255", "10.0.0.1", "::", "::1", "ff02::fb", "::ffff:10.1.2.3", "::1.2.3.4", "fe80::928d:78ff:fea8:e143", "1:2:3:4:5:6:7:8",
        }.Select(IPAddress.Parse),
    ];

    private static readonly long[] Macs = [0x00_00_00_00_00_00, 0xFF_FF_FF_FF_FF_FF, 0x01_00_5E_00_00_FB, 0x33_33_00_00_00_01, 1, 0x02_00_00_00_00_01, 0x00_1A_22_05_C4_2E, 0xFE_FF_FF_FF_FF_FF];

    private static readonly string[] Fragments =
    [
        "", "a", " ", "TCP", "é", "😀", "\0", "\ud800", "\udc00", "\ud83d", "\ufffd", "\ufeff", "\uffff", "\t", "\n", "\r\n", "\r", "\"", "\"\"", ",", "'", "\\", "\\u0000", "%s",
        "\u001b[2J", "\u202e", "NULL", "\\N", "\u0085", "\u2028", "#", "{", "-", "timestamp", "=1+1", "\u007f", "\u0001", "e\u0301",
    ];

    private static readonly string[] Jsons =
    [
        "1", "-0", "1e131071", "1e131072", "1e200000", "0e200000", "1e-16383", "1e-16384", "0e-16384", "0e-20000", "0.0001e131075", "0.0001e131076", "12e131071",
        "0e1073741822", "0e1073741824", "0e99999999999", "1e-99999999999", "1E+5", "123456789012345678901234567890.10", "9" + new string('9', 131071), "9" + new string('9', 131072),
        "0." + new string('0', 16383), "0." + new string('0', 16384), "1." + new string('0', 16384) + "e1", "true", "null", "\"\"", "[]", "{}",
        "\"\\u0000\"", "\"a\\u0000b\"", "\"\\ud800\"", "\"\\udc00\"", "\"\\ud83d\\ude00\"", "\"\\ud83dx\\ude00\"", "\"\\ud83d\\ud83d\\ude00\"", "\"\\ud83d\\n\"", "\"\\\\u0000\"", "\"\\u00e9\"",
        "[\"\\ud800\"]", "{\"\\u0000\":1}", "{\"a\":{\"b\":[1,{\"c\":1e200000}]}}", "{\"\\ud83d\\ude00\":\"x\",\"\":null}", "[[[[[[1.50]]]]]]", "{\"a\":1,\"a\":2}",
        new string('[', 500) + new string(']', 500), new string('[', 5000) + new string(']', 5000),
    ];

    private static readonly string[] Keys = ["", "a", "vendor key", "dns", "threat", "service", "uid", "a\0", "\ud800", "é", "😀", "notes"];

    private readonly Random _random = new(seed);

    /// <summary>A row that is plain but for up to three of its columns.</summary>
    public Connection NextConnection()
    {
        var row = new Connection
        {
            Timestamp = new DateTimeOffset(2024, 4, 19, 0, 0, 0, TimeSpan.Zero).AddMicroseconds(_random.NextInt64(86_400_000_000)),
            SrcMac = new MacAddress(_random.Next(1, int.MaxValue) * 4L),
            SrcIp = new IPAddress(_random.NextInt64(uint.MaxValue)),
            SrcPort = _random.Next(65536),
            DstIp = new IPAddress(_random.NextInt64(uint.MaxValue)),
            DstPort = _random.Next(65536),
            Protocol = "UDP",
        };
        for (var odd = _random.Next(4); odd > 0; odd--)
        {
            switch (_random.Next(19))
            {
                case 0: row.Timestamp = Pick(Times); break;
                case 1: row.SrcMac = new MacAddress(Pick(Macs)); break;
                case 2: row.SrcMac = null; break;
                case 3: row.SrcIp = _random.Next(4) == 0 ? null : Pick(Addresses); break;
                case 4: row.SrcPort = Pick(Ports); break;
                case 5: row.DstIp = Pick(Addresses); break;
                case 6: row.DstPort = Pick(Ports) ?? 0; break;
                case 7: row.Protocol = Text(10); break;
                case 8: row.DstCountry = Text(2); break;
                case 9: row.DstLat = Pick(Reals); break;
                case 10: row.DstLon = Pick(Reals); break;
                case 11: row.DstOrg = Text(255); break;
                case 12: row.DstHostname = Text(255); break;
                case 13: row.ThreatScore = Pick(Reals) ?? 0; break;
                case 14: row.ThreatCategory = Text(50); break;
                case 15: row.BytesSent = Pick(Counts); break;
                case 16: row.BytesReceived = Pick(Counts); break;
                case 17: row.Duration = Pick(Durations); break;
                default: row.Metadata = Metadata(); break;
            }
        }

        return row;
    }

    /// <summary>A sighting that is plain but for up to three of its members.</summary>
    public DeviceSighting NextSighting()
    {
        var sighting = new DeviceSighting
        {
            MacAddress = new MacAddress(_random.Next(1, int.MaxValue) * 4L),
            IpAddress = new IPAddress(_random.NextInt64(uint.MaxValue)),
            SeenAt = new DateTimeOffset(2024, 4, 19, 0, 0, 0, TimeSpan.Zero).AddMicroseconds(_random.NextInt64(86_400_000_000)),
        };
        for (var odd = _random.Next(4); odd > 0; odd--)
        {
            sighting = _random.Next(9) switch
            {
                0 => sighting with { MacAddress = new MacAddress(Pick(Macs)) },
                1 => sighting with { IpAddress = _random.Next(4) == 0 ? null : Pick(Addresses) },
                2 => sighting with { Hostname = Text(255) },
                3 => sighting with { Vendor = Text(255) },
                4 => sighting with { DeviceType = Text(50) },
                5 => sighting with { Source = Text(50) },
                6 => sighting with { ConfidenceScore = Pick(Confidences) },
                7 => sighting with { Metadata = DeviceMetadata() },
                _ => sighting with { SeenAt = Pick(Times) },
            };
        }

        return sighting;
    }

    private T Pick<T>(T[] values) => values[_random.Next(values.Length)];

    /// <summary>Null, odd, or about as long as the column: counted in code points, and sometimes with spaces behind.</summary>
    private string? Text(int length) => _random.Next(6) switch
    {
        0 => null,
        1 => new string('x', length + _random.Next(-1, 2)),
        2 => string.Concat(Enumerable.Repeat("😀", Math.Max(0, length + _random.Next(-1, 2)))),
        3 => new string('x', length) + new string(' ', _random.Next(3)),
        _ => Pick(Fragments) + Pick(Fragments) + (length > 2 ? Pick(Fragments) : ""),
    };

    private ConnectionMetadata Metadata()
    {
        var metadata = new ConnectionMetadata();
        for (var parts = _random.Next(1, 4); parts > 0; parts--)
        {
            switch (_random.Next(10))
            {
                case 0: metadata.Service = Text(10); break;
                case 1: metadata.State = Text(10); break;
                case 2: metadata.Uid = Text(1500); break;
                case 3: metadata.Dns = new DnsMetadata { Query = Text(20), Type = Text(2), Answers = [Text(3) ?? "", Text(3) ?? ""] }; break;
                case 4: (metadata.Dns ??= new DnsMetadata()).Other[Pick(Keys)] = Json(); break;
                case 5: metadata.Threat = new ThreatMetadata { Source = Text(9), Reason = Text(9), Indicator = Text(9) }; break;
                case 6: (metadata.Threat ??= new ThreatMetadata()).Other[Pick(Keys)] = Json(); break;
                default: metadata.Other[Pick(Keys)] = Json(); break;
            }
        }

        return metadata;
    }

    private DeviceMetadata DeviceMetadata()
    {
        var metadata = new DeviceMetadata();
        for (var parts = _random.Next(4); parts > 0; parts--)
        {
            switch (_random.Next(6))
            {
                case 0: metadata.Notes = Text(1500); break;
                case 1: metadata.Tags = [.. Enumerable.Range(0, _random.Next(3)).Select(_ => Text(9) ?? "")]; break;
                case 2: (metadata.Custom ??= new Dictionary<string, JsonElement>())[Pick(Keys)] = Json(); break;
                default: metadata.Other[Pick(Keys)] = Json(); break;
            }
        }

        return metadata;
    }

    private JsonElement Json() => JsonElement.Parse(Pick(Jsons), new JsonDocumentOptions { MaxDepth = 100_000 });
}
