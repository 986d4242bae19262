using System.Globalization;

namespace CobaltGraph.Data.Queries;

/// <summary>Ports from one to another, both included.</summary>
/// <param name="First">First port, 0 to 65535.</param>
/// <param name="Last">Last port, <paramref name="First"/> to 65535.</param>
public readonly record struct PortRange(int First, int Last) : IComparable<PortRange>
{
    /// <summary>One port.</summary>
    public PortRange(int port)
        : this(port, port)
    {
    }

    /// <summary>Orders by first port, then by last.</summary>
    public int CompareTo(PortRange other) => (First, Last).CompareTo((other.First, other.Last));

    /// <summary>The port, or both ends with a dash between.</summary>
    public override string ToString() => First == Last
        ? First.ToString(CultureInfo.InvariantCulture)
        : string.Create(CultureInfo.InvariantCulture, $"{First}-{Last}");

    /// <summary>Whether the left range comes before the right one.</summary>
    public static bool operator <(PortRange left, PortRange right) => left.CompareTo(right) < 0;

    /// <summary>Whether the left range comes after the right one.</summary>
    public static bool operator >(PortRange left, PortRange right) => left.CompareTo(right) > 0;

    /// <summary>Whether the left range comes before the right one or is the same.</summary>
    public static bool operator <=(PortRange left, PortRange right) => left.CompareTo(right) <= 0;

    /// <summary>Whether the left range comes after the right one or is the same.</summary>
    public static bool operator >=(PortRange left, PortRange right) => left.CompareTo(right) >= 0;
}
