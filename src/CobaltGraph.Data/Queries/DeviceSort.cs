namespace CobaltGraph.Data.Queries;

/// <summary>
/// The order of a list of devices. Devices without a value come last in either direction; those of one value follow their MAC
/// address.
/// </summary>
/// <param name="Column">What is compared; text as the database's collation has it.</param>
/// <param name="Descending">Whether the greatest comes first.</param>
public readonly record struct DeviceSort(DeviceSortColumn Column, bool Descending = false)
{
    /// <summary>Reads an order: the name of a column, behind a minus sign for the greatest first.</summary>
    /// <exception cref="QueryFilterException">There is no such column.</exception>
    public static DeviceSort Parse(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        var trimmed = text.Trim();
        var descending = trimmed.StartsWith('-');
        var column = FilterInput.ParseWord(
            "sort", descending ? trimmed[1..] : trimmed, "is not a column to sort by; a minus sign before it sorts the greatest first",
            ("mac", DeviceSortColumn.MacAddress), ("address", DeviceSortColumn.IpAddress), ("vendor", DeviceSortColumn.Vendor),
            ("type", DeviceSortColumn.DeviceType), ("hostname", DeviceSortColumn.Hostname), ("status", DeviceSortColumn.Status),
            ("first-seen", DeviceSortColumn.FirstSeen), ("last-seen", DeviceSortColumn.LastSeen),
            ("connections", DeviceSortColumn.ConnectionCount), ("threats", DeviceSortColumn.ThreatCount),
            ("threat-score", DeviceSortColumn.ThreatScore), ("max-score", DeviceSortColumn.MaxThreatScore),
            ("last-threat", DeviceSortColumn.LastThreat), ("last-activity", DeviceSortColumn.LastActivity),
            ("confidence", DeviceSortColumn.ConfidenceScore));
        return new DeviceSort(column, descending);
    }
}
