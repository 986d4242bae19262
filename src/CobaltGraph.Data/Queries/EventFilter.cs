using CobaltGraph.Model;

namespace CobaltGraph.Data.Queries;

/// <summary>Which device events are wanted: those that meet every condition that is set. Nothing set means all.</summary>
public sealed record EventFilter
{
    private static readonly string[] Fields = ["from", "until", "device", "type"];

    private static readonly (string Word, DeviceEventType Value)[] TypeNames =
        [.. Enum.GetValues<DeviceEventType>().Select(type => (EnumText.ToText(type), type))];

    /// <summary>Earliest time, itself included. Field <c>from</c>.</summary>
    public DateTimeOffset? From { get; init; }

    /// <summary>Latest time, itself excluded; after <see cref="From"/>. Field <c>until</c>.</summary>
    public DateTimeOffset? Until { get; init; }

    /// <summary>The device, which may have been removed since. Field <c>device</c>.</summary>
    public MacAddress? Device { get; init; }

    /// <summary>What happened; an empty list means none. Field <c>type</c>.</summary>
    public IReadOnlyList<DeviceEventType>? Types { get; init; }

    /// <summary>
    /// The filter with one more condition, read from text. <c>type</c> takes several values with commas between, such as
    /// <c>threat_detected,ip_changed</c>, and may be given again; any other field replaces its value.
    /// </summary>
    /// <param name="field">Name of the field: <c>from</c>, <c>until</c>, <c>device</c> or <c>type</c>.</param>
    /// <param name="value">The value.</param>
    /// <exception cref="QueryFilterException">The field is not known, or the value is not in its form.</exception>
    public EventFilter With(string field, string value)
    {
        ArgumentNullException.ThrowIfNull(field);
        ArgumentNullException.ThrowIfNull(value);
        return field switch
        {
            "from" => this with { From = FilterInput.ParseTime(field, value) },
            "until" => this with { Until = FilterInput.ParseTime(field, value) },
            "device" => this with { Device = FilterInput.ParseMac(field, value) },
            "type" => this with { Types = [.. Types ?? [], .. FilterInput.Parts(value).Select(part => ParseType(field, part))] },
            _ => throw FilterInput.UnknownField(field, Fields),
        };
    }

    /// <summary>Checks every value and what belongs together; queries do it themselves.</summary>
    /// <exception cref="QueryFilterException">A type is not one, or the range is inverted.</exception>
    public void Check()
    {
        FilterInput.CheckRange(From, Until);
        foreach (var type in Types ?? [])
        {
            if (!Enum.IsDefined(type))
                _ = ParseType("type", type.ToString());
        }
    }

    /// <summary>The query that cursors are bound to.</summary>
    internal QueryShape Shape(string query) => new QueryShape(query)
        .Add("from", From)
        .Add("until", Until)
        .Add("device", Device)
        .AddSet("type", Types);

    private static DeviceEventType ParseType(string field, string text)
        => FilterInput.ParseWord(field, text, "is not a type of device event", TypeNames);
}
