namespace CobaltGraph.Data.Queries;

/// <summary>
/// A port of destinations that a device reached. Which device used which port of a destination is not kept: this counts
/// the destinations that are known by the port, whoever used it there, and no connections.
/// </summary>
/// <param name="Port">The port.</param>
/// <param name="Protocol">The protocol; null when unknown.</param>
/// <param name="DestinationCount">Destinations of the device that are known by it; one of several ports counts for each.</param>
public sealed record DeviceDestinationPort(int Port, string? Protocol, long DestinationCount);
