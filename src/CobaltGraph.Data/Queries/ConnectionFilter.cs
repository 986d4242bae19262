using System.Globalization;
using System.Net;
using CobaltGraph.Data.Ingest;
using CobaltGraph.Model;

namespace CobaltGraph.Data.Queries;

/// <summary>
/// Which connections are wanted: those that meet every condition that is set. Nothing set means all.
/// </summary>
public sealed record ConnectionFilter
{
    /// <summary>Most devices of a filter.</summary>
    public const int MaxDevices = 1000;

    /// <summary>Most ranges of ports.</summary>
    public const int MaxPorts = 100;

    private static readonly string[] Fields =
    [
        "from", "until", "device", "source", "destination", "port", "protocol", "country", "organization", "hostname",
        "level", "min-score", "max-score", "category", "metadata",
    ];

    /// <summary>Earliest time, itself included. Field <c>from</c>.</summary>
    public DateTimeOffset? From { get; init; }

    /// <summary>Latest time, itself excluded; after <see cref="From"/>. Field <c>until</c>.</summary>
    public DateTimeOffset? Until { get; init; }

    /// <summary>Devices that opened the connection; an empty list means none. Field <c>device</c>.</summary>
    public IReadOnlyList<MacAddress>? Devices { get; init; }

    /// <summary>Network of the source address; one address is a network of 32 or 128 bits. Field <c>source</c>.</summary>
    public IPNetwork? Source
    {
        get;
        init => field = value?.Unmapped();
    }

    /// <summary>Network of the destination address; one address is a network of 32 or 128 bits. Field <c>destination</c>.</summary>
    public IPNetwork? Destination
    {
        get;
        init => field = value?.Unmapped();
    }

    /// <summary>Destination ports; an empty list means none. Field <c>port</c>.</summary>
    public IReadOnlyList<PortRange>? Ports { get; init; }

    /// <summary>Protocol, in capital or in small letters. Field <c>protocol</c>.</summary>
    public string? Protocol { get; init; }

    /// <summary>ISO 3166-1 alpha-2 code of the destination's country, in capital or in small letters. Field <c>country</c>.</summary>
    public string? Country { get; init; }

    /// <summary>Text that the destination's organisation contains, in any letter case. Field <c>organization</c>.</summary>
    public string? Organization { get; init; }

    /// <summary>Text that the destination's host name contains, in any letter case. Field <c>hostname</c>.</summary>
    public string? Hostname { get; init; }

    /// <summary>Levels of the threat score; an empty list means none. Field <c>level</c>.</summary>
    public IReadOnlyList<ThreatLevel>? Levels { get; init; }

    /// <summary>Lowest threat score, 0 to 10. Field <c>min-score</c>.</summary>
    public float? MinScore { get; init; }

    /// <summary>Highest threat score, itself included, not below <see cref="MinScore"/>. Field <c>max-score</c>.</summary>
    public float? MaxScore { get; init; }

    /// <summary>Threat category as it is stored, such as malware. Field <c>category</c>.</summary>
    public string? Category { get; init; }

    /// <summary>
    /// A JSON object that the metadata contains, in the sense of PostgreSQL's <c>@&gt;</c>. Field <c>metadata</c>.
    /// </summary>
    public string? Metadata { get; init; }

    /// <summary>
    /// The filter with one more condition, read from text. <c>device</c>, <c>port</c> and <c>level</c> take several values with
    /// commas between and may be given again; any other field replaces its value.
    /// </summary>
    /// <param name="field">Name of the field, as the properties name it, in small letters.</param>
    /// <param name="value">The value.</param>
    /// <exception cref="QueryFilterException">The field is not known, or the value is not in its form.</exception>
    public ConnectionFilter With(string field, string value)
    {
        ArgumentNullException.ThrowIfNull(field);
        ArgumentNullException.ThrowIfNull(value);
        var filter = field switch
        {
            "from" => this with { From = FilterInput.ParseTime(field, value) },
            "until" => this with { Until = FilterInput.ParseTime(field, value) },
            "device" => this with
            {
                Devices = [.. Devices ?? [], .. FilterInput.Parts(value).Select(part => FilterInput.ParseMac(field, part))],
            },
            "source" => this with { Source = FilterInput.ParseNetwork(field, value) },
            "destination" => this with { Destination = FilterInput.ParseNetwork(field, value) },
            "port" => this with
            {
                Ports = [.. Ports ?? [], .. FilterInput.Parts(value).Select(part => FilterInput.ParsePorts(field, part))],
            },
            "protocol" => this with { Protocol = value },
            "country" => this with { Country = value },
            "organization" => this with { Organization = value },
            "hostname" => this with { Hostname = value },
            "level" => this with
            {
                Levels = [.. Levels ?? [], .. FilterInput.Parts(value).Select(part => ParseLevel(field, part))],
            },
            "min-score" => this with { MinScore = FilterInput.ParseScore(field, value) },
            "max-score" => this with { MaxScore = FilterInput.ParseScore(field, value) },
            "category" => this with { Category = value },
            "metadata" => this with { Metadata = value },
            _ => throw FilterInput.UnknownField(field, Fields),
        };
        filter.CheckValues();
        return filter;
    }

    /// <summary>Checks every value and what belongs together; queries do it themselves.</summary>
    /// <exception cref="QueryFilterException">A value is not in its form, or a range is inverted.</exception>
    public void Check()
    {
        CheckValues();
        FilterInput.CheckRange(From, Until);
        FilterInput.CheckScores(MinScore, MaxScore);
    }

    /// <summary>The query that cursors are bound to.</summary>
    internal QueryShape Shape(string query) => new QueryShape(query)
        .Add("from", From)
        .Add("until", Until)
        .AddSet("device", Devices)
        .Add("source", Source)
        .Add("destination", Destination)
        .AddSet("port", Ports)
        .Add("protocol", Protocol?.ToUpperInvariant())
        .Add("country", Country?.ToUpperInvariant())
        .Add("organization", Organization)
        .Add("hostname", Hostname)
        .AddSet("level", Levels)
        .Add("min-score", MinScore?.ToString("R", CultureInfo.InvariantCulture))
        .Add("max-score", MaxScore?.ToString("R", CultureInfo.InvariantCulture))
        .Add("category", Category)
        .Add("metadata", Metadata);

    private void CheckValues()
    {
        FilterInput.CheckCount("device", Devices, MaxDevices);
        FilterInput.CheckCount("port", Ports, MaxPorts);
        foreach (var range in Ports ?? [])
            FilterInput.CheckPorts("port", range);
        FilterInput.CheckText("protocol", Protocol, 10);
        FilterInput.CheckCountry("country", Country);
        FilterInput.CheckText("organization", Organization);
        FilterInput.CheckText("hostname", Hostname);
        foreach (var level in Levels ?? [])
        {
            if (!Enum.IsDefined(level))
                _ = ParseLevel("level", level.ToString());
        }

        FilterInput.CheckScore("min-score", MinScore);
        FilterInput.CheckScore("max-score", MaxScore);
        FilterInput.CheckText("category", Category, 50);
        FilterInput.CheckMetadata("metadata", Metadata);
    }

    private static ThreatLevel ParseLevel(string field, string text) => FilterInput.ParseWord(
        field, text, "is not a threat level",
        ("low", ThreatLevel.Low), ("medium", ThreatLevel.Medium), ("high", ThreatLevel.High), ("critical", ThreatLevel.Critical));
}
