namespace CobaltGraph.Data.Queries;

/// <summary>A page of a list of devices.</summary>
public sealed record DevicePage : Page<DeviceListItem>
{
    /// <summary>How many devices match: counted up to <see cref="IDeviceQueries.CountCap"/>, beyond it estimated.</summary>
    public required RowCount Total { get; init; }
}
