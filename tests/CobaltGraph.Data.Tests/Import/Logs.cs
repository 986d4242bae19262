using System.IO.Compression;
using System.Text;
using CobaltGraph.Data.Import;
using CobaltGraph.Model;

namespace CobaltGraph.Data.Tests.Import;

/// <summary>Small logs made by the tests themselves, and the reading of them.</summary>
internal static class Logs
{
    public static readonly string[] TsvFields =
    [
        "ts", "uid", "id.orig_h", "id.orig_p", "id.resp_h", "id.resp_p", "proto", "service", "duration", "orig_bytes",
        "resp_bytes", "conn_state", "orig_l2_addr", "resp_l2_addr",
    ];

    public static readonly string[] GoodValues =
    [
        "1713484784.962686", "Ch2ekr1Wxtgeoi4DS8", "172.70.38.138", "21052", "64.225.56.201", "80", "tcp", "http", "65.022705",
        "364", "654", "SF", "00:0d:3a:13:e3:69", "12:34:56:78:9a:bc",
    ];

    public const string GoodArp =
        """{"ts":1461243763.194849,"operation":"request","src_mac":"90:8d:78:a8:e1:43","dst_mac":"ff:ff:ff:ff:ff:ff","orig_hw":"90:8d:78:a8:e1:43","orig_h":"192.168.0.60","resp_hw":"00:00:00:00:00:00","resp_h":"192.168.0.80"}""";

    public const string GoodDhcp =
        """{"ts":1461243775.328845,"src_mac":"00:b5:6d:06:08:ba","op":"BOOTREPLY","xid":"62a9ef03","mac":"90:8d:78:a8:e1:43","assigned_addr":"10.10.10.72","msg_type":"ACK","lease_time":86400,"host_name":"DCH-S150","vendor_class":"udhcp 1.21","param_req_list":[1,3,6]}""";

    public const string GoodJson =
        """{"ts":1588205199.82437,"uid":"Cvf4XX17hSAgXDdGEd","id.orig_h":"10.0.1.6","id.orig_p":54243,"id.resp_h":"10.0.0.4","id.resp_p":53,"proto":"udp","service":"dns","duration":0.001528,"orig_bytes":39,"resp_bytes":55,"conn_state":"SF","orig_l2_addr":"00:0d:3a:13:e3:69","resp_l2_addr":"12:34:56:78:9a:bc"}""";

    public static string TsvHeader(IEnumerable<string>? fields = null, string path = "conn")
        => "#separator \\x09\n#set_separator\t,\n#empty_field\t(empty)\n#unset_field\t-\n#path\t" + path
           + "\n#open\t2024-04-19-00-00-01\n#fields\t" + string.Join('\t', fields ?? TsvFields) + "\n";

    /// <summary>A good row in which single fields have other values.</summary>
    public static string TsvRow(params (string Field, string Value)[] changes)
    {
        var values = (string[])GoodValues.Clone();
        foreach (var (field, value) in changes)
            values[Array.IndexOf(TsvFields, field)] = value;
        return string.Join('\t', values);
    }

    /// <summary>A good object in which the text of single members, key and value, is replaced.</summary>
    public static string Json(params (string Old, string New)[] changes) => Change(GoodJson, changes);

    /// <summary>A text in which parts are replaced, all of which must be there.</summary>
    public static string Change(string json, params (string Old, string New)[] changes)
    {
        foreach (var (old, @new) in changes)
        {
            Assert.Contains(old, json, StringComparison.Ordinal);
            json = json.Replace(old, @new, StringComparison.Ordinal);
        }

        return json;
    }

    public static byte[] Gzip(byte[] data, CompressionLevel level = CompressionLevel.Optimal)
    {
        using var target = new MemoryStream();
        using (var gzip = new GZipStream(target, level, leaveOpen: true))
            gzip.Write(data);
        return target.ToArray();
    }

    public static byte[] Gzip(string text) => Gzip(Encoding.UTF8.GetBytes(text));

    public static Task<Reading> ReadAsync(string text, ImportOptions? options = null)
        => ReadAsync(Encoding.UTF8.GetBytes(text), options);

    public static Task<Reading> ReadAsync(byte[] bytes, ImportOptions? options = null)
        => ReadAsync(new MemoryStream(bytes), options);

    public static async Task<Reading> ReadAsync(Stream stream, ImportOptions? options = null)
    {
        var lines = new List<ImportedLine>();
        try
        {
            await foreach (var line in ImportReader.ReadAsync(
                stream, "test.log", options ?? new ImportOptions(), TestContext.Current.CancellationToken))
            {
                Assert.Equal(1, (line.Connection is null ? 0 : 1) + (line.Sighting is null ? 0 : 1) + (line.Rejection is null ? 0 : 1));
                // The bytes are good only until the next line.
                lines.Add(line with { Raw = line.Raw.ToArray() });
            }
        }
        catch (InvalidDataException e)
        {
            return new Reading(lines, e.Message);
        }

        return new Reading(lines, null);
    }

    /// <summary>Reads a log that holds one good sighting.</summary>
    public static async Task<DeviceSighting> ReadSightingAsync(string text)
    {
        var reading = await ReadAsync(text);
        Assert.Null(reading.Error);
        Assert.Empty(reading.Rejections);
        return Assert.Single(reading.Sightings);
    }

    /// <summary>Reads a log that holds one good row.</summary>
    public static async Task<Connection> ReadOneAsync(string text)
    {
        var reading = await ReadAsync(text);
        Assert.Null(reading.Error);
        return Assert.Single(reading.Connections);
    }
}

internal sealed record Reading(IReadOnlyList<ImportedLine> Lines, string? Error)
{
    public List<Connection> Connections
    {
        get
        {
            Assert.Empty(Rejections);
            return Stored;
        }
    }

    public List<Connection> Stored => [.. Lines.Where(l => l.Connection is not null).Select(l => l.Connection!)];

    public List<DeviceSighting> Sightings => [.. Lines.Where(l => l.Sighting is not null).Select(l => l.Sighting!)];

    public List<RejectedLine> Rejections => [.. Lines.Where(l => l.Rejection is not null).Select(l => l.Rejection!)];
}
