using System.Security.Cryptography;
using System.Text;
using CobaltGraph.Model;

namespace CobaltGraph.Data.Ingest;

/// <summary>Sightings as they are sent: the list itself, and what could change in it as text.</summary>
internal sealed class SightingBuffer : IRecordBuffer<DeviceSighting>
{
    private readonly List<DeviceSighting> _records = [];
    private readonly List<DateTimeOffset> _times = [];
    private readonly List<string?> _metadata = [];

    public int Count => _records.Count;

    public DeviceSighting this[int row] => _records[row];

    public DateTimeOffset TimeOf(int row) => _times[row];

    /// <summary>Metadata of a row as JSON; null where it has no key.</summary>
    public string? MetadataOf(int row) => _metadata[row];

    public void Add(DeviceSighting record, DateTimeOffset now)
    {
        _records.Add(record);
        _times.Add(record.SeenAt == default ? now : record.SeenAt);
        _metadata.Add(record.Metadata is { IsEmpty: false } metadata ? MetadataJson.Write(metadata) : null);
    }

    public void Clear()
    {
        _records.Clear();
        _times.Clear();
        _metadata.Clear();
    }

    public void AppendTo(IncrementalHash hash, int start, int count)
    {
        using var bytes = new MemoryStream();
        using (var writer = new BinaryWriter(bytes, Encoding.UTF8, leaveOpen: true))
        {
            for (var row = start; row < start + count; row++)
            {
                bytes.SetLength(0);
                var record = _records[row];
                writer.Write(record.MacAddress.ToInt64());
                writer.Write(record.SeenAt.UtcTicks);
                Write(record.IpAddress?.Unmapped().ToString());
                Write(record.Hostname);
                Write(record.Vendor);
                Write(record.DeviceType);
                Write(record.Source);
                // Nothing for what is not said, as before there were these: where a row begins there is no negative number.
                if (_metadata[row] is { } metadata)
                {
                    writer.Write(-1L);
                    writer.Write(metadata);
                }

                if (record.ConfidenceScore is { } score)
                {
                    writer.Write(-2L);
                    writer.Write(score);
                }

                writer.Flush();
                hash.AppendData(bytes.GetBuffer().AsSpan(0, (int)bytes.Length));
            }

            void Write(string? text)
            {
                writer.Write(text is not null);
                writer.Write(text ?? "");
            }
        }
    }
}
