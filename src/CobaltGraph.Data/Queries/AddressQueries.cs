using System.Net;
using CobaltGraph.Data.Ingest;
using CobaltGraph.Model;
using Microsoft.EntityFrameworkCore;

namespace CobaltGraph.Data.Queries;

internal sealed class AddressQueries(IDbContextFactory<CobaltGraphContext> contexts) : IAddressQueries
{
    public async Task<IReadOnlyList<AddressHolder>> WhoHadAsync(
        IPAddress address, DateTimeOffset at, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(address);
        address = address.Unmapped();
        var lapsed = at.UtcTicks < DeviceAddress.Lapse.Ticks ? DateTimeOffset.MinValue : at - DeviceAddress.Lapse;
        var context = await contexts.CreateDbContextAsync(cancellationToken).ConfigureAwait(false);
        await using (context.ConfigureAwait(false))
        {
            var bindings = await context.DeviceAddresses.AsNoTracking()
                .Where(b => b.IpAddress == address && b.FirstSeen <= at && b.LastSeen >= lapsed)
                .ToListAsync(cancellationToken).ConfigureAwait(false);
            var covers = bindings.Exists(b => b.LastSeen >= at);
            return
            [
                .. bindings.Where(b => !covers || b.LastSeen >= at)
                    .OrderBy(b => b.Source == AddressSource.Traffic)
                    .ThenByDescending(b => b.FirstSeen).ThenBy(b => b.MacAddress).ThenBy(b => b.Source)
                    .Select(b => new AddressHolder
                    {
                        MacAddress = b.MacAddress,
                        IpAddress = b.IpAddress,
                        Source = b.Source,
                        FirstSeen = b.FirstSeen,
                        LastSeen = b.LastSeen,
                        Covers = covers,
                    }),
            ];
        }
    }

    public async Task<AddressConflicts> GetConflictsAsync(
        DateTimeOffset? from = null,
        DateTimeOffset? until = null,
        int limit = 100,
        CancellationToken cancellationToken = default)
    {
        FilterInput.CheckRange(from, until);
        new PageRequest { Limit = limit }.Check();
        var context = await contexts.CreateDbContextAsync(cancellationToken).ConfigureAwait(false);
        await using (context.ConfigureAwait(false))
        {
            var claims = context.DeviceAddresses.AsNoTracking().Where(b => b.Source != AddressSource.Traffic);
            // Of two claims that overlap each other and the range, the overlap lies in the range too.
            if (from is { } begin)
                claims = claims.Where(b => b.LastSeen >= begin);
            if (until is { } end)
                claims = claims.Where(b => b.FirstSeen < end);
            var overlaps = from first in claims
                           join second in claims on first.IpAddress equals second.IpAddress
                           where first.MacAddress < second.MacAddress
                                 && first.FirstSeen <= second.LastSeen && second.FirstSeen <= first.LastSeen
                           orderby first.IpAddress, first.MacAddress, second.MacAddress
                           select new AddressConflict
                           {
                               IpAddress = first.IpAddress,
                               First = first.MacAddress,
                               Second = second.MacAddress,
                               From = first.FirstSeen > second.FirstSeen ? first.FirstSeen : second.FirstSeen,
                               To = first.LastSeen < second.LastSeen ? first.LastSeen : second.LastSeen,
                           };
            var conflicts = Merge(await overlaps.ToListAsync(cancellationToken).ConfigureAwait(false))
                .OrderByDescending(c => c.From).ThenBy(c => c.First).ThenBy(c => c.Second).ToList();
            return new AddressConflicts { Items = [.. conflicts.Take(limit)], HasMore = conflicts.Count > limit };
        }
    }

    /// <summary>A device may claim an address by a sighting and by an update at once: what overlaps of a pair is one.</summary>
    private static IEnumerable<AddressConflict> Merge(List<AddressConflict> overlaps)
    {
        foreach (var pair in overlaps.GroupBy(o => (o.IpAddress, o.First, o.Second)))
        {
            AddressConflict? current = null;
            foreach (var overlap in pair.OrderBy(o => o.From))
            {
                if (current is not null && overlap.From <= current.To)
                {
                    current = current with { To = overlap.To > current.To ? overlap.To : current.To };
                    continue;
                }

                if (current is not null)
                    yield return current;
                current = overlap;
            }

            yield return current!;
        }
    }
}
