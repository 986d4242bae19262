using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Text;
using CobaltGraph.Model;

namespace CobaltGraph.Data.Ingest;

/// <summary>
/// Connections in PostgreSQL's binary COPY format. Encoded once: a retry sends the same bytes, a part is a slice of them,
/// and their hash is that of the content.
/// </summary>
/// <remarks>
/// Npgsql's own importer takes a call per value, which costs several times as much as all of this, and its rows cannot be
/// sent again.
/// </remarks>
internal sealed class ConnectionBuffer : IRecordBuffer<Connection>
{
    public const string Columns =
        "\"timestamp\", src_mac, src_ip, src_port, dst_ip, dst_port, protocol, dst_country, dst_lat, dst_lon, dst_org, "
        + "dst_hostname, threat_score, threat_category, bytes_sent, bytes_received, duration, metadata";

    private const short ColumnCount = 18;

    // All values of a row but its texts and metadata, with their lengths.
    private const int FixedBytes = 256;

    private const int Null = -1;
    private const byte InetV4 = 2;
    private const byte InetV6 = 3;
    private const byte JsonbVersion = 1;

    private static readonly DateTime PostgresEpoch = new(2000, 1, 1, 0, 0, 0, DateTimeKind.Utc);

    private readonly List<Connection> _records = [];
    private readonly List<int> _ends = [];
    // Rows whose time was unset, and where in the bytes it stands.
    private readonly List<(int Row, int Offset)> _untimed = [];
    private byte[] _bytes = new byte[256 * 1024];
    private int _length;

    /// <summary>What stands before the first row: the format's signature, no flags, no extension.</summary>
    public static readonly ReadOnlyMemory<byte> Header = new byte[]
    {
        (byte)'P', (byte)'G', (byte)'C', (byte)'O', (byte)'P', (byte)'Y', (byte)'\n', 0xFF, (byte)'\r', (byte)'\n', 0,
        0, 0, 0, 0, 0, 0, 0, 0,
    };

    /// <summary>What stands after the last row.</summary>
    public static readonly ReadOnlyMemory<byte> Trailer = new byte[] { 0xFF, 0xFF };

    public int Count => _records.Count;

    public Connection this[int row] => _records[row];

    public DateTimeOffset TimeOf(int row)
    {
        var time = _records[row].Timestamp;
        if (time != default)
            return time;
        var index = _untimed.BinarySearch((row, 0), RowOrder.Instance);
        var microseconds = BinaryPrimitives.ReadInt64BigEndian(_bytes.AsSpan(_untimed[index].Offset));
        return new DateTimeOffset(PostgresEpoch.AddMicroseconds(microseconds), TimeSpan.Zero);
    }

    /// <summary>The bytes of some rows, without header and trailer.</summary>
    public ReadOnlyMemory<byte> Slice(int start, int count)
    {
        var from = start == 0 ? 0 : _ends[start - 1];
        return _bytes.AsMemory(from, (count == 0 ? from : _ends[start + count - 1]) - from);
    }

    public void Clear()
    {
        _records.Clear();
        _ends.Clear();
        _untimed.Clear();
        _length = 0;
    }

    public void AppendTo(IncrementalHash hash, int start, int count)
    {
        var bytes = Slice(start, count);
        var from = start == 0 ? 0 : _ends[start - 1];
        var done = 0;
        Span<byte> unset = stackalloc byte[sizeof(long)];
        unset.Clear();
        foreach (var (row, offset) in _untimed)
        {
            if (row < start || row >= start + count)
                continue;
            hash.AppendData(bytes.Span[done..(offset - from)]);
            hash.AppendData(unset);
            done = offset - from + sizeof(long);
        }

        hash.AppendData(bytes.Span[done..]);
    }

    public void Add(Connection record, DateTimeOffset now)
    {
        Reserve(FixedBytes);
        PutInt16(ColumnCount);

        if (record.Timestamp == default)
            _untimed.Add((_records.Count, _length + sizeof(int)));
        PutTime(record.Timestamp == default ? now : record.Timestamp);
        PutMac(record.SrcMac);
        PutAddress(record.SrcIp);
        PutInt32(record.SrcPort);
        PutAddress(record.DstIp);
        PutInt32(record.DstPort);
        PutText(record.Protocol ?? "TCP");
        PutText(record.DstCountry);
        PutReal(record.DstLat);
        PutReal(record.DstLon);
        PutText(record.DstOrg);
        PutText(record.DstHostname);
        PutReal(record.ThreatScore);
        PutText(record.ThreatCategory);
        PutInt64(record.BytesSent);
        PutInt64(record.BytesReceived);
        PutInterval(record.Duration);
        PutJson(MetadataJson.Write(record.Metadata));

        _records.Add(record);
        _ends.Add(_length);
    }

    private void Reserve(int bytes)
    {
        if (_bytes.Length - _length < bytes)
            Array.Resize(ref _bytes, Math.Max((int)Math.Min(_bytes.Length * 2L, Array.MaxLength), checked(_length + bytes)));
    }

    private void PutInt16(short value)
    {
        BinaryPrimitives.WriteInt16BigEndian(_bytes.AsSpan(_length), value);
        _length += sizeof(short);
    }

    private void PutLength(int value)
    {
        BinaryPrimitives.WriteInt32BigEndian(_bytes.AsSpan(_length), value);
        _length += sizeof(int);
    }

    private void PutInt32(int? value)
    {
        if (value is not { } number)
        {
            PutLength(Null);
            return;
        }

        PutLength(sizeof(int));
        PutLength(number);
    }

    private void PutInt64(long? value)
    {
        if (value is not { } number)
        {
            PutLength(Null);
            return;
        }

        PutLength(sizeof(long));
        BinaryPrimitives.WriteInt64BigEndian(_bytes.AsSpan(_length), number);
        _length += sizeof(long);
    }

    private void PutReal(float? value)
    {
        if (value is not { } number)
        {
            PutLength(Null);
            return;
        }

        PutLength(sizeof(float));
        BinaryPrimitives.WriteSingleBigEndian(_bytes.AsSpan(_length), number);
        _length += sizeof(float);
    }

    private void PutTime(DateTimeOffset value)
        => PutInt64((value.UtcTicks - PostgresEpoch.Ticks) / TimeSpan.TicksPerMicrosecond);

    private void PutInterval(TimeSpan? value)
    {
        if (value is not { } span)
        {
            PutLength(Null);
            return;
        }

        // Days apart from the time of day, as Npgsql writes a TimeSpan.
        PutLength(16);
        BinaryPrimitives.WriteInt64BigEndian(
            _bytes.AsSpan(_length), (span.Ticks - span.Days * TimeSpan.TicksPerDay) / TimeSpan.TicksPerMicrosecond);
        BinaryPrimitives.WriteInt32BigEndian(_bytes.AsSpan(_length + 8), span.Days);
        BinaryPrimitives.WriteInt32BigEndian(_bytes.AsSpan(_length + 12), 0);
        _length += 16;
    }

    private void PutMac(MacAddress? value)
    {
        if (value is not { } mac)
        {
            PutLength(Null);
            return;
        }

        PutLength(6);
        mac.TryWriteBytes(_bytes.AsSpan(_length));
        _length += 6;
    }

    private void PutAddress(IPAddress? value)
    {
        if (value is null)
        {
            PutLength(Null);
            return;
        }

        value = value.Unmapped();
        var isV4 = value.AddressFamily == AddressFamily.InterNetwork;
        var length = isV4 ? 4 : 16;
        PutLength(4 + length);
        _bytes[_length] = isV4 ? InetV4 : InetV6;
        _bytes[_length + 1] = (byte)(length * 8);
        _bytes[_length + 2] = 0;
        _bytes[_length + 3] = (byte)length;
        value.TryWriteBytes(_bytes.AsSpan(_length + 4), out _);
        _length += 4 + length;
    }

    private void PutText(string? value)
    {
        if (value is null)
        {
            PutLength(Null);
            return;
        }

        // What follows it in the row needs the rest of the reserve.
        Reserve(value.Length * 3 + FixedBytes);
        var written = Encoding.UTF8.GetBytes(value, _bytes.AsSpan(_length + sizeof(int)));
        PutLength(written);
        _length += written;
    }

    private void PutJson(string value)
    {
        Reserve(value.Length * 3 + FixedBytes);
        _bytes[_length + sizeof(int)] = JsonbVersion;
        var written = Encoding.UTF8.GetBytes(value, _bytes.AsSpan(_length + sizeof(int) + 1));
        PutLength(written + 1);
        _length += written + 1;
    }

    private sealed class RowOrder : IComparer<(int Row, int Offset)>
    {
        public static readonly RowOrder Instance = new();

        public int Compare((int Row, int Offset) x, (int Row, int Offset) y) => x.Row.CompareTo(y.Row);
    }
}
