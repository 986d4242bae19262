namespace CobaltGraph.Model;

internal static class EnumText
{
    public static string ToText(DeviceStatus value) => value.ToString().ToLowerInvariant();

    public static DeviceStatus ParseStatus(string text) => Enum.Parse<DeviceStatus>(text, true);

    public static string ToText(DeviceEventType value) => value switch
    {
        DeviceEventType.IpChanged => "ip_changed",
        DeviceEventType.ThreatDetected => "threat_detected",
        _ => value.ToString().ToLowerInvariant(),
    };

    public static DeviceEventType ParseEventType(string text) => Enum.Parse<DeviceEventType>(text.Replace("_", "", StringComparison.Ordinal), true);
}
