namespace CobaltGraph.Model;

/// <summary>
/// What happened to a device. Stored as lower-case text with underscores, for example <c>ip_changed</c>.
/// </summary>
public enum DeviceEventType
{
    /// <summary>The device was seen for the first time. Written once, when the device is inserted.</summary>
    Discovered = 0,

    /// <summary>The status changed to <see cref="DeviceStatus.Active"/>.</summary>
    Active = 1,

    /// <summary>The status changed to <see cref="DeviceStatus.Idle"/>.</summary>
    Idle = 2,

    /// <summary>The status changed to <see cref="DeviceStatus.Offline"/>.</summary>
    Offline = 3,

    /// <summary>The primary address changed; old and new value hold the addresses.</summary>
    IpChanged = 4,

    /// <summary>The first threat between this device and one destination address; the new value holds the address.</summary>
    ThreatDetected = 5,

    /// <summary>The device was deleted. Its trail stays.</summary>
    Removed = 6,
}
