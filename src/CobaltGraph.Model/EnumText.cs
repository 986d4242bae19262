namespace CobaltGraph.Model;

/// <summary>The text under which the database holds the values of enumerations.</summary>
internal static class EnumText
{
    public static string ToText(DeviceStatus value) => value switch
    {
        DeviceStatus.Discovered => "discovered",
        DeviceStatus.Active => "active",
        DeviceStatus.Idle => "idle",
        DeviceStatus.Offline => "offline",
        _ => throw new ArgumentOutOfRangeException(nameof(value), value, "Not a device status."),
    };

    public static string ToText(DeviceEventType value) => value switch
    {
        DeviceEventType.Discovered => "discovered",
        DeviceEventType.Active => "active",
        DeviceEventType.Idle => "idle",
        DeviceEventType.Offline => "offline",
        DeviceEventType.IpChanged => "ip_changed",
        DeviceEventType.ThreatDetected => "threat_detected",
        DeviceEventType.Removed => "removed",
        _ => throw new ArgumentOutOfRangeException(nameof(value), value, "Not a type of device event."),
    };

    public static string ToText(AddressSource value) => value switch
    {
        AddressSource.Sighting => "sighting",
        AddressSource.Update => "update",
        AddressSource.Traffic => "traffic",
        _ => throw new ArgumentOutOfRangeException(nameof(value), value, "Not a source of an address."),
    };

    public static string ToText(DeviceThreatLevel value) => value switch
    {
        DeviceThreatLevel.Low => "low",
        DeviceThreatLevel.Medium => "medium",
        DeviceThreatLevel.High => "high",
        _ => throw new ArgumentOutOfRangeException(nameof(value), value, "Not a threat level of a device."),
    };

    public static DeviceStatus ParseStatus(string text) => text switch
    {
        "discovered" => DeviceStatus.Discovered,
        "active" => DeviceStatus.Active,
        "idle" => DeviceStatus.Idle,
        "offline" => DeviceStatus.Offline,
        _ => throw Unknown("device status", text),
    };

    public static DeviceEventType ParseEventType(string text) => text switch
    {
        "discovered" => DeviceEventType.Discovered,
        "active" => DeviceEventType.Active,
        "idle" => DeviceEventType.Idle,
        "offline" => DeviceEventType.Offline,
        "ip_changed" => DeviceEventType.IpChanged,
        "threat_detected" => DeviceEventType.ThreatDetected,
        "removed" => DeviceEventType.Removed,
        _ => throw Unknown("type of device event", text),
    };

    public static AddressSource ParseAddressSource(string text) => text switch
    {
        "sighting" => AddressSource.Sighting,
        "update" => AddressSource.Update,
        "traffic" => AddressSource.Traffic,
        _ => throw Unknown("source of an address", text),
    };

    public static DeviceThreatLevel ParseDeviceThreatLevel(string text) => text switch
    {
        "low" => DeviceThreatLevel.Low,
        "medium" => DeviceThreatLevel.Medium,
        "high" => DeviceThreatLevel.High,
        _ => throw Unknown("threat level of a device", text),
    };

    private static FormatException Unknown(string what, string text) => new(
        $"{DisplayText.Quote(text)} is not a {what} that this version of CobaltGraph knows. "
        + "If a newer version wrote it, update this application.");
}
