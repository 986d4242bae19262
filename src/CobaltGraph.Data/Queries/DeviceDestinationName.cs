using CobaltGraph.Model;

namespace CobaltGraph.Data.Queries;

/// <summary>A destination of a device, and what connections of any device say of it.</summary>
public sealed record DeviceDestinationName
{
    /// <summary>The device's contact with the destination.</summary>
    public required DeviceDestination Contact { get; init; }

    /// <summary>ISO 3166-1 alpha-2 code of its country; the first in the order of letters when there are several; null when unknown.</summary>
    public string? Country { get; init; }

    /// <summary>Its organisation; the first in the order of letters when there are several; null when unknown.</summary>
    public string? Organization { get; init; }

    /// <summary>Its host name; the first in the order of letters when there are several; null when unknown.</summary>
    public string? Hostname { get; init; }
}
