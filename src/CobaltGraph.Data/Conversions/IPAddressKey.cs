using System.Net;
using Microsoft.EntityFrameworkCore.ChangeTracking.Internal;
using Microsoft.EntityFrameworkCore.Metadata;
using Microsoft.EntityFrameworkCore.Metadata.Builders;
using Microsoft.EntityFrameworkCore.Metadata.Internal;

namespace CobaltGraph.Data.Conversions;

// EF Core wants to sort keys, and IPAddress has no order (efcore #23775). This gives it the order of PostgreSQL's inet:
// IPv4 before IPv6, then by octet.
internal static class IPAddressKey
{
    public static PropertyBuilder<IPAddress> IsOrdered(this PropertyBuilder<IPAddress> property)
    {
#pragma warning disable EF1001 // No public API sets the comparer; the alternative is a wrapper type in the public model.
        ((PropertyBase)property.Metadata).SetCurrentValueComparer(
            new EntryCurrentValueComparer((IProperty)property.Metadata, new InetOrder()));
#pragma warning restore EF1001
        return property;
    }

    internal sealed class InetOrder : Comparer<IPAddress>
    {
        public override int Compare(IPAddress? x, IPAddress? y)
        {
            if (x is null || y is null)
                return (x is null ? 0 : 1) - (y is null ? 0 : 1);

            var left = x.GetAddressBytes();
            var right = y.GetAddressBytes();
            return left.Length != right.Length
                ? left.Length.CompareTo(right.Length)
                : left.AsSpan().SequenceCompareTo(right);
        }
    }
}
