using System.Globalization;
using System.Text.Json;
using CobaltGraph.Model;
using CobaltGraph.Reliability.Workloads;

namespace CobaltGraph.Reliability.Tests.Import;

/// <summary>A Zeek conn.log as JSON lines, whose rows can be told apart by their uid.</summary>
internal static class ConnLog
{
    /// <returns>The rows, as far as the log tells of them.</returns>
    public static IReadOnlyList<Connection> Write(string path, string name, int rows)
    {
        // Zeek gives no scores.
        var connections = new Workload(Seed.Random($"log {name}"), new() { Devices = 200, Destinations = 300, Threats = 0 }).Batch(name, rows);
        using var stream = File.Create(path);
        using var writer = new Utf8JsonWriter(stream, new() { SkipValidation = true });
        foreach (var row in connections)
        {
            writer.WriteStartObject();
            writer.WritePropertyName("ts");
            writer.WriteRawValue(Seconds(row.Timestamp - DateTimeOffset.UnixEpoch));
            writer.WriteString("uid", row.Metadata.Uid);
            writer.WriteString("id.orig_h", (row.SrcIp ?? System.Net.IPAddress.Parse("10.0.0.1")).ToString());
            writer.WriteNumber("id.orig_p", row.SrcPort ?? 1);
            writer.WriteString("id.resp_h", row.DstIp.ToString());
            writer.WriteNumber("id.resp_p", row.DstPort);
            writer.WriteString("proto", (row.Protocol ?? "TCP").ToLowerInvariant());
            if (row.Duration is { } duration)
            {
                writer.WritePropertyName("duration");
                writer.WriteRawValue(Seconds(duration));
            }

            if (row.BytesSent is { } sent)
                writer.WriteNumber("orig_bytes", sent);
            if (row.BytesReceived is { } received)
                writer.WriteNumber("resp_bytes", received);
            if (row.SrcMac is { } mac)
                writer.WriteString("orig_l2_addr", mac.ToString());
            writer.WriteEndObject();
            writer.Flush();
            stream.WriteByte((byte)'\n');
            writer.Reset();
        }

        return connections;
    }

    private static string Seconds(TimeSpan span)
        => ((decimal)span.Ticks / TimeSpan.TicksPerSecond).ToString("0.000000", CultureInfo.InvariantCulture);
}
