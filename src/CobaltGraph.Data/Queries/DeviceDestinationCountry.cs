using CobaltGraph.Model;

namespace CobaltGraph.Data.Queries;

/// <summary>
/// A country of destinations that a device reached. Exact as long as connections of any device agree in which country an
/// address lies; one of several countries counts for each with all its connections.
/// </summary>
/// <param name="Country">ISO 3166-1 alpha-2; null for destinations of which no connection says where they are.</param>
/// <param name="DestinationCount">Destinations of the device there.</param>
/// <param name="ConnectionCount">Connections of the device to them that were ever stored.</param>
/// <param name="ThreatCount">Threats (<see cref="ThreatScale.IsThreat"/>) among them.</param>
public sealed record DeviceDestinationCountry(string? Country, long DestinationCount, long ConnectionCount, long ThreatCount);
