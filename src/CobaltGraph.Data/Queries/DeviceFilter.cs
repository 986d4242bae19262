using System.Globalization;
using System.Net;
using CobaltGraph.Data.Ingest;
using CobaltGraph.Model;

namespace CobaltGraph.Data.Queries;

/// <summary>Which devices are wanted: those that meet every condition that is set. Nothing set means all.</summary>
public sealed record DeviceFilter
{
    /// <summary>Most values of a list.</summary>
    public const int MaxValues = 100;

    private static readonly string[] Fields =
    [
        "status", "vendor", "type", "address", "mac", "hostname", "tag", "metadata", "level", "seen-since", "locally-administered",
    ];

    /// <summary>Presence; an empty list means none. Field <c>status</c>.</summary>
    public IReadOnlyList<DeviceStatus>? Statuses { get; init; }

    /// <summary>Text that the vendor contains, in any letter case. Field <c>vendor</c>.</summary>
    public string? Vendor { get; init; }

    /// <summary>Type as it is stored, such as router. Field <c>type</c>.</summary>
    public string? DeviceType { get; init; }

    /// <summary>
    /// Network of the current primary address; one address is a network of 32 or 128 bits. Field <c>address</c>.
    /// </summary>
    public IPNetwork? Address
    {
        get;
        init => field = value?.Unmapped();
    }

    /// <summary>
    /// First digits of the MAC address: 1 to 12 hexadecimal digits, in any case, with <c>:</c>, <c>-</c> or <c>.</c> between if at
    /// all, then after every two, four or six. Six are the OUI, twelve one device; an address in any notation of
    /// <see cref="MacAddress"/> is that device too, as <c>8:0:2b:1:2:3</c>. Field <c>mac</c>.
    /// </summary>
    public string? MacPrefix { get; init; }

    /// <summary>Text that the device's host name contains, in any letter case. Field <c>hostname</c>.</summary>
    public string? Hostname { get; init; }

    /// <summary>Tags, all of which the metadata has. Field <c>tag</c>.</summary>
    public IReadOnlyList<string>? Tags { get; init; }

    /// <summary>
    /// A JSON object that the metadata contains, in the sense of PostgreSQL's <c>@&gt;</c>. Field <c>metadata</c>.
    /// </summary>
    public string? Metadata { get; init; }

    /// <summary>Levels of <see cref="DeviceThreatScale"/>; an empty list means none. Field <c>level</c>.</summary>
    public IReadOnlyList<DeviceThreatLevel>? Levels { get; init; }

    /// <summary>Earliest time of the last sight of the device, itself included. Field <c>seen-since</c>.</summary>
    public DateTimeOffset? SeenSince { get; init; }

    /// <summary>Whether the MAC address is locally administered, as randomised ones are. Field <c>locally-administered</c>.</summary>
    public bool? IsLocallyAdministered { get; init; }

    /// <summary>
    /// The filter with one more condition, read from text. <c>status</c>, <c>tag</c> and <c>level</c> take several values with
    /// commas between and may be given again; any other field replaces its value.
    /// </summary>
    /// <param name="field">Name of the field, as the properties name it, in small letters.</param>
    /// <param name="value">The value.</param>
    /// <exception cref="QueryFilterException">The field is not known, or the value is not in its form.</exception>
    public DeviceFilter With(string field, string value)
    {
        ArgumentNullException.ThrowIfNull(field);
        ArgumentNullException.ThrowIfNull(value);
        var filter = field switch
        {
            "status" => this with
            {
                Statuses = [.. Statuses ?? [], .. FilterInput.Parts(value).Select(part => ParseStatus(field, part))],
            },
            "vendor" => this with { Vendor = value },
            "type" => this with { DeviceType = value },
            "address" => this with { Address = FilterInput.ParseNetwork(field, value) },
            "mac" => this with { MacPrefix = value },
            "hostname" => this with { Hostname = value },
            "tag" => this with { Tags = [.. Tags ?? [], .. FilterInput.Parts(value).Select(part => part.Trim())] },
            "metadata" => this with { Metadata = value },
            "level" => this with
            {
                Levels = [.. Levels ?? [], .. FilterInput.Parts(value).Select(part => ParseLevel(field, part))],
            },
            "seen-since" => this with { SeenSince = FilterInput.ParseTime(field, value) },
            "locally-administered" => this with { IsLocallyAdministered = FilterInput.ParseBoolean(field, value) },
            _ => throw FilterInput.UnknownField(field, Fields),
        };
        filter.Check();
        return filter;
    }

    /// <summary>Checks every value; queries do it themselves.</summary>
    /// <exception cref="QueryFilterException">A value is not in its form.</exception>
    public void Check()
    {
        foreach (var status in Statuses ?? [])
        {
            if (!Enum.IsDefined(status))
                _ = ParseStatus("status", status.ToString());
        }

        FilterInput.CheckText("vendor", Vendor);
        FilterInput.CheckText("type", DeviceType, 50);
        if (MacPrefix is not null)
            _ = MacRange();
        FilterInput.CheckText("hostname", Hostname);
        FilterInput.CheckCount("tag", Tags, MaxValues);
        foreach (var tag in Tags ?? [])
            FilterInput.CheckText("tag", tag);
        FilterInput.CheckMetadata("metadata", Metadata);
        foreach (var level in Levels ?? [])
        {
            if (!Enum.IsDefined(level))
                _ = ParseLevel("level", level.ToString());
        }
    }

    /// <summary>The first and the last address that begin with <see cref="MacPrefix"/>.</summary>
    /// <exception cref="QueryFilterException">The prefix is not in its form.</exception>
    internal (MacAddress First, MacAddress Last) MacRange()
    {
        const int digitsOfMac = 12;
        var text = MacPrefix!.Trim();
        // Octets with one digit are an address, and no prefix that could be told from another.
        if (MacAddress.TryParse(text, out var mac))
            return (mac, mac);
        var digits = DigitsOf(text);
        if (digits.Length is 0 or > digitsOfMac || !long.TryParse(digits, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var value))
        {
            throw new QueryFilterException(
                "mac", MacPrefix, "is neither a MAC address nor the beginning of one", "1 to 12 hexadecimal digits, such as b8:27:eb, in groups of 2, 4 or 6 if any");
        }

        var open = 4 * (digitsOfMac - digits.Length);
        return (new MacAddress(value << open), new MacAddress((value << open) | ((1L << open) - 1)));
    }

    /// <summary>
    /// The digits of a prefix; none where it is not told which they are. Groups before the last one are whole; of octets, as in an
    /// address, a leading zero may be left out.
    /// </summary>
    private static string DigitsOf(string text)
    {
        var groups = text.Split(':', '-', '.');
        // What follows a separator may still be to come.
        var whole = groups[..^1];
        if (whole.Length == 0)
            return text;
        var width = whole.Max(group => group.Length);
        if (width is 1)
            width = 2;
        if (width is not (2 or 4 or 6) || groups[^1].Length > width || !Array.TrueForAll(whole, group => group.Length == width || (width == 2 && group.Length == 1)))
            return "";
        return string.Concat(whole.Select(group => group.PadLeft(width, '0'))) + groups[^1];
    }

    /// <summary>The query that cursors are bound to.</summary>
    internal QueryShape Shape(string query) => new QueryShape(query)
        .AddSet("status", Statuses)
        .Add("vendor", Vendor)
        .Add("type", DeviceType)
        .Add("address", Address)
        .Add("mac", MacPrefix)
        .Add("hostname", Hostname)
        .AddSet("tag", Tags)
        .Add("metadata", Metadata)
        .AddSet("level", Levels)
        .Add("seen-since", SeenSince)
        .Add("locally-administered", IsLocallyAdministered);

    private static DeviceStatus ParseStatus(string field, string text) => FilterInput.ParseWord(
        field, text, "is not a device status",
        ("discovered", DeviceStatus.Discovered), ("active", DeviceStatus.Active), ("idle", DeviceStatus.Idle),
        ("offline", DeviceStatus.Offline));

    private static DeviceThreatLevel ParseLevel(string field, string text) => FilterInput.ParseWord(
        field, text, "is not a threat level of a device",
        ("low", DeviceThreatLevel.Low), ("medium", DeviceThreatLevel.Medium), ("high", DeviceThreatLevel.High));
}
