using System.Net;
using System.Text.Json;
using CobaltGraph.Data.Ingest;
using CobaltGraph.Model;
using Microsoft.EntityFrameworkCore;

namespace CobaltGraph.Data.Queries;

/// <summary>Conditions on devices, to be composed in LINQ. Each translates to SQL, with its values as parameters.</summary>
public static class DeviceQueryExtensions
{
    /// <summary>Devices of one of these statuses.</summary>
    public static IQueryable<Device> WithStatus(this IQueryable<Device> devices, params IEnumerable<DeviceStatus> statuses)
    {
        DeviceStatus[] wanted = [.. statuses.Distinct()];
        return wanted.Length == 1 ? devices.Where(d => d.Status == wanted[0]) : devices.Where(d => wanted.Contains(d.Status));
    }

    /// <summary>Devices whose vendor contains a text, in any letter case.</summary>
    public static IQueryable<Device> OfVendor(this IQueryable<Device> devices, string text)
    {
        var pattern = LikePattern.Contains(text);
        return devices.Where(d => EF.Functions.ILike(d.Vendor!, pattern, LikePattern.Escape));
    }

    /// <summary>Devices of a type, as it is stored.</summary>
    public static IQueryable<Device> OfType(this IQueryable<Device> devices, string type) => devices.Where(d => d.DeviceType == type);

    /// <summary>Devices whose primary address lies in a network; those without an address do not.</summary>
    public static IQueryable<Device> InNetwork(this IQueryable<Device> devices, IPNetwork network)
    {
        network = network.Unmapped();
        var address = network.BaseAddress;
        return ConnectionQueryExtensions.IsOneAddress(network)
            ? devices.Where(d => d.IpAddress == address)
            : devices.Where(d => EF.Functions.ContainedByOrEqual(d.IpAddress!, network));
    }

    /// <summary>Devices whose MAC address lies between two, both included.</summary>
    public static IQueryable<Device> InMacRange(this IQueryable<Device> devices, MacAddress first, MacAddress last)
        => first == last
            ? devices.Where(d => d.MacAddress == first)
            : devices.Where(d => d.MacAddress >= first && d.MacAddress <= last);

    /// <summary>Devices whose host name contains a text, in any letter case.</summary>
    public static IQueryable<Device> WithHostname(this IQueryable<Device> devices, string text)
    {
        var pattern = LikePattern.Contains(text);
        return devices.Where(d => EF.Functions.ILike(d.Hostname!, pattern, LikePattern.Escape));
    }

    /// <summary>Devices that have every one of these tags.</summary>
    public static IQueryable<Device> WithTags(this IQueryable<Device> devices, params IEnumerable<string> tags)
        => devices.WithMetadata(JsonSerializer.Serialize(new Dictionary<string, string[]> { ["tags"] = [.. tags] }));

    /// <summary>Devices whose metadata contains a JSON object, in the sense of PostgreSQL's <c>@&gt;</c>.</summary>
    public static IQueryable<Device> WithMetadata(this IQueryable<Device> devices, string json)
        => devices.Where(d => EF.Functions.JsonContains(d.Metadata, json));

    /// <summary>Devices that were last seen at a time or later.</summary>
    public static IQueryable<Device> SeenSince(this IQueryable<Device> devices, DateTimeOffset time)
        => devices.Where(d => d.LastSeen >= time);

    /// <summary>Devices whose threat score is in one of these levels of <see cref="DeviceThreatScale"/>.</summary>
    public static IQueryable<Device> WithThreatLevel(this IQueryable<Device> devices, params IEnumerable<DeviceThreatLevel> levels)
    {
        DeviceThreatLevel[] wanted = [.. levels];
        var (low, medium, high) = (
            wanted.Contains(DeviceThreatLevel.Low), wanted.Contains(DeviceThreatLevel.Medium), wanted.Contains(DeviceThreatLevel.High));
        return devices.Where(d => d.ThreatScore < DeviceThreatScale.MediumThreshold ? low
            : d.ThreatScore < DeviceThreatScale.HighThreshold ? medium : high);
    }

    /// <summary>Devices whose address is locally administered, as random ones are, or not.</summary>
    public static IQueryable<Device> LocallyAdministered(this IQueryable<Device> devices, bool isLocal = true)
        => devices.Where(d => d.IsLocallyAdministered == isLocal);

    /// <summary>Devices that meet every condition of a filter.</summary>
    /// <exception cref="QueryFilterException">A value of the filter is no valid condition.</exception>
    public static IQueryable<Device> Matching(this IQueryable<Device> devices, DeviceFilter filter)
    {
        ArgumentNullException.ThrowIfNull(filter);
        filter.Check();
        if (filter.Statuses is not null) devices = devices.WithStatus(filter.Statuses);
        if (filter.Vendor is not null) devices = devices.OfVendor(filter.Vendor);
        if (filter.DeviceType is not null) devices = devices.OfType(filter.DeviceType);
        if (filter.Address is { } network) devices = devices.InNetwork(network);
        if (filter.MacPrefix is not null)
        {
            var (first, last) = filter.MacRange();
            devices = devices.InMacRange(first, last);
        }

        if (filter.Hostname is not null) devices = devices.WithHostname(filter.Hostname);
        if (filter.Tags is { Count: > 0 }) devices = devices.WithTags(filter.Tags);
        if (filter.Metadata is not null) devices = devices.WithMetadata(filter.Metadata);
        if (filter.Levels is not null) devices = devices.WithThreatLevel(filter.Levels);
        if (filter.SeenSince is { } since) devices = devices.SeenSince(since);
        if (filter.IsLocallyAdministered is { } local) devices = devices.LocallyAdministered(local);
        return devices;
    }
}
