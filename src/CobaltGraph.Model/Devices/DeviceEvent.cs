namespace CobaltGraph.Model;

/// <summary>
/// One entry of the immutable trail of device events. The database writes these itself and refuses every change to
/// them; an application may add its own.
/// </summary>
public class DeviceEvent
{
    /// <summary>Key, from a sequence; left at 0, the database assigns it. Gaps carry no meaning.</summary>
    public long Id { get; set; }

    /// <summary>When it was recorded, UTC; left at its default, the database sets its own time.</summary>
    public DateTimeOffset Timestamp { get; set; }

    /// <summary>The device. It may no longer exist: the trail outlives it.</summary>
    public MacAddress DeviceMac { get; set; }

    /// <summary>What happened.</summary>
    public DeviceEventType EventType { get; set; }

    /// <summary>The value before, for example the old status or address.</summary>
    public string? OldValue { get; set; }

    /// <summary>The value after, for example the new status or address.</summary>
    public string? NewValue { get; set; }

    /// <summary>Anything else that is known of the event.</summary>
    public DeviceEventMetadata Metadata { get; set; } = new();
}
