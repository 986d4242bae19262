using System.Net;
using System.Net.Sockets;
using CobaltGraph.Model;

namespace CobaltGraph.Data.Export;

/// <summary>The observations of addresses that make the bindings of a device again, and its primary address.</summary>
internal static class ExportedAddresses
{
    // The least that a database tells apart.
    private static readonly TimeSpan Moment = TimeSpan.FromMicroseconds(1);

    public static IEnumerable<(DateTimeOffset At, IPAddress Address)> Observations(ExportedDevice device)
    {
        var spans = Spans(device);
        if (device.IpAddress is { } primary && Winner(spans, primary.AddressFamily) is var winner && !primary.Equals(winner))
            spans.Add(new Span(primary, device.LastSeen, device.LastSeen));
        return spans.SelectMany(Steps);
    }

    /// <summary>What the claims of each address cover together.</summary>
    private static List<Span> Spans(ExportedDevice device)
    {
        var spans = new List<Span>();
        foreach (var claims in device.Claims.GroupBy(claim => claim.IpAddress))
        {
            Span? open = null;
            foreach (var claim in claims.OrderBy(claim => claim.FirstSeen))
            {
                var span = new Span(claims.Key, device.Within(claim.FirstSeen), device.Within(claim.LastSeen));
                if (open is { } before && span.First - before.Last <= DeviceAddress.Lapse)
                {
                    open = before with { Last = before.Last > span.Last ? before.Last : span.Last };
                    continue;
                }

                if (open is not null)
                    spans.Add(open);
                open = span;
            }

            if (open is not null)
                spans.Add(open);
        }

        return device.IpAddress is { } primary ? InFamilyOf(primary, spans, device.LastSeen) : spans;
    }

    // A new device takes the family of the address that it had earliest, of two that it had at once IPv4. Where a device has a
    // primary address of the other family, for its sightings were stored in another order, the times before that go.
    private static List<Span> InFamilyOf(IPAddress primary, List<Span> spans, DateTimeOffset otherwise)
    {
        var from = spans.Where(span => span.Address.AddressFamily == primary.AddressFamily)
            .Select(span => span.First).DefaultIfEmpty(otherwise).Min();
        if (primary.AddressFamily == AddressFamily.InterNetworkV6)
            from += Moment;
        return
        [
            .. spans.Where(span => span.Address.AddressFamily == primary.AddressFamily || span.Last >= from)
                .Select(span => span.Address.AddressFamily == primary.AddressFamily || span.First >= from ? span : span with { First = from }),
        ];
    }

    /// <summary>The address that these observations make the primary one: of those still held, the one that was taken last.</summary>
    private static IPAddress? Winner(List<Span> spans, AddressFamily family)
    {
        var ofFamily = spans.Where(span => span.Address.AddressFamily == family).ToList();
        if (ofFamily.Count == 0)
            return null;
        var last = ofFamily.Max(span => span.Last);
        return ofFamily.Where(span => last - span.Last <= DeviceAddress.Lapse)
            .OrderByDescending(span => span.First)
            .ThenByDescending(span => span.Address, Comparer<IPAddress>.Create(
                (a, b) => a.GetAddressBytes().AsSpan().SequenceCompareTo(b.GetAddressBytes())))
            .First().Address;
    }

    private static IEnumerable<(DateTimeOffset At, IPAddress Address)> Steps(Span span)
    {
        for (var at = span.First; at < span.Last; at += DeviceAddress.Lapse)
            yield return (at, span.Address);
        yield return (span.Last, span.Address);
    }

    private sealed record Span(IPAddress Address, DateTimeOffset First, DateTimeOffset Last);
}
