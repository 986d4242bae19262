using System.Security.Cryptography;
using System.Text;
using CobaltGraph.Model;

namespace CobaltGraph.Data.Ingest;

/// <summary>Sightings as they are sent: the list itself.</summary>
internal sealed class SightingBuffer : IRecordBuffer<DeviceSighting>
{
    private readonly List<DeviceSighting> _records = [];
    private readonly List<DateTimeOffset> _times = [];

    public int Count => _records.Count;

    public DeviceSighting this[int row] => _records[row];

    public DateTimeOffset TimeOf(int row) => _times[row];

    public void Add(DeviceSighting record, DateTimeOffset now)
    {
        _records.Add(record);
        _times.Add(record.SeenAt == default ? now : record.SeenAt);
    }

    public void Clear()
    {
        _records.Clear();
        _times.Clear();
    }

    public void AppendTo(IncrementalHash hash, int start, int count)
    {
        using var bytes = new MemoryStream();
        using (var writer = new BinaryWriter(bytes, Encoding.UTF8, leaveOpen: true))
        {
            for (var row = start; row < start + count; row++)
            {
                var record = _records[row];
                writer.Write(record.MacAddress.ToInt64());
                writer.Write(record.SeenAt.UtcTicks);
                Write(record.IpAddress?.Unmapped().ToString());
                Write(record.Hostname);
                Write(record.Vendor);
                Write(record.DeviceType);
                Write(record.Source);
            }

            void Write(string? text)
            {
                writer.Write(text is not null);
                writer.Write(text ?? "");
            }
        }

        hash.AppendData(bytes.GetBuffer().AsSpan(0, (int)bytes.Length));
    }
}
