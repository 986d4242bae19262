using System.Net;
using System.Net.Sockets;
using CobaltGraph.Data.Ingest;
using CobaltGraph.Model;

namespace CobaltGraph.Data.Export;

/// <summary>The observations of addresses that make the bindings of a device again, and its primary address.</summary>
internal static class ExportedAddresses
{
    // The least that a database tells apart.
    private static readonly TimeSpan Moment = TimeSpan.FromMicroseconds(1);

    /// <summary>The observations, those in the family of the primary address first.</summary>
    public static IEnumerable<(DateTimeOffset At, IPAddress Address)> Observations(ExportedDevice device)
    {
        var spans = Spans(device);
        if (PrimaryOf(device) is { } primary)
        {
            if (!primary.Equals(Winner(spans, primary.AddressFamily)))
                spans = WithPrimary(spans, primary, device.LastSeen);
            spans = InFamilyOf(primary, spans, device.FirstSeen);
        }

        return spans.SelectMany(Steps);
    }

    // 0.0.0.0 and :: are none.
    private static IPAddress? PrimaryOf(ExportedDevice device)
        => device.IpAddress?.Unmapped() is { } address && !address.Equals(IPAddress.Any) && !address.Equals(IPAddress.IPv6Any) ? address : null;

    // Of what was seen of the device that there is now: bindings outlive one that is removed and discovered again.
    private static List<Span> Spans(ExportedDevice device) =>
    [
        .. device.Claims
            .Where(claim => claim.LastSeen >= device.FirstSeen && claim.FirstSeen <= device.LastSeen)
            .Select(claim => new Span(claim.IpAddress.Unmapped(), device.Within(claim.FirstSeen), device.Within(claim.LastSeen)))
            .OrderBy(span => span.First).ThenBy(span => span.Address, InetOrder),
    ];

    /// <summary>The address that these observations make the primary one: of those still held, the one that was taken last.</summary>
    private static IPAddress? Winner(List<Span> spans, AddressFamily family)
    {
        var ofFamily = spans.FindAll(span => span.Address.AddressFamily == family);
        if (ofFamily.Count == 0)
            return null;
        var last = ofFamily.Max(span => span.Last);
        return ofFamily.Where(span => last - span.Last <= DeviceAddress.Lapse)
            .OrderByDescending(span => span.First).ThenByDescending(span => span.Address, InetOrder)
            .First().Address;
    }

    // An application chose it: it is told as taken last, which it is where it was not held for as long as a claim lasts.
    private static List<Span> WithPrimary(List<Span> spans, IPAddress primary, DateTimeOffset lastSeen)
    {
        var end = lastSeen - DeviceAddress.Lapse - Moment;
        return
        [
            .. spans.Where(span => span.Address.Equals(primary)
                    ? span.First <= end
                    : span.Address.AddressFamily != primary.AddressFamily || span.First < lastSeen || InetOrder.Compare(span.Address, primary) < 0)
                .Select(span => span.Address.Equals(primary) && span.Last > end ? span with { Last = end } : span),
            new Span(primary, lastSeen, lastSeen),
        ];
    }

    // A new device takes the family of the address that it had earliest, of two that it had at once IPv4. Where a device has a
    // primary address of the other family, for its sightings were stored in another order, the times before that go.
    private static List<Span> InFamilyOf(IPAddress primary, List<Span> spans, DateTimeOffset firstSeen)
    {
        var own = spans.FindAll(span => span.Address.AddressFamily == primary.AddressFamily);
        var others = spans.FindAll(span => span.Address.AddressFamily != primary.AddressFamily);
        var from = own.Min(span => span.First);
        if (primary.AddressFamily == AddressFamily.InterNetworkV6 && others.Exists(span => span.First <= from))
        {
            var first = own.FindIndex(span => span.First == from);
            if (from > firstSeen)
                own[first] = own[first] with { First = from - Moment };
            else
                from += Moment;
        }

        return
        [
            .. own,
            .. others.Where(span => span.Last >= from).Select(span => span.First >= from ? span : span with { First = from }),
        ];
    }

    private static IEnumerable<(DateTimeOffset At, IPAddress Address)> Steps(Span span)
    {
        for (var at = span.First; at < span.Last; at += DeviceAddress.Lapse)
            yield return (at, span.Address);
        yield return (span.Last, span.Address);
    }

    // Of one family.
    private static readonly Comparer<IPAddress> InetOrder = Comparer<IPAddress>.Create(
        (a, b) => a.GetAddressBytes().AsSpan().SequenceCompareTo(b.GetAddressBytes()));

    private sealed record Span(IPAddress Address, DateTimeOffset First, DateTimeOffset Last);
}
