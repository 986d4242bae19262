using System.Diagnostics.CodeAnalysis;

namespace CobaltGraph.Model;

/// <summary>A 48-bit MAC address.</summary>
public readonly struct MacAddress : IEquatable<MacAddress>, IComparable<MacAddress>
{
    private readonly ulong _value;

    /// <summary>Creates an address from the low 48 bits of a number, most significant octet first.</summary>
    public MacAddress(long value)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(value);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(value, 0xFFFF_FFFF_FFFF);
        _value = (ulong)value;
    }

    /// <summary>The address as a number, most significant octet first.</summary>
    public long ToInt64() => (long)_value;

    /// <summary>Whether the address belongs to a group of receivers (I/G bit), broadcast included.</summary>
    public bool IsMulticast => (_value & 0x0100_0000_0000) != 0;

    /// <summary>Whether the address is all-zero.</summary>
    public bool IsZero => _value == 0;

    /// <summary>Whether the address can identify a device: unicast and not all-zero.</summary>
    public bool IsDevice => !IsMulticast && !IsZero;

    /// <inheritdoc/>
    public int CompareTo(MacAddress other) => _value.CompareTo(other._value);

    /// <inheritdoc/>
    public bool Equals(MacAddress other) => _value == other._value;

    /// <inheritdoc/>
    public override bool Equals([NotNullWhen(true)] object? obj) => obj is MacAddress other && Equals(other);

    /// <inheritdoc/>
    public override int GetHashCode() => _value.GetHashCode();
    /// <summary>Equality.</summary>
    public static bool operator ==(MacAddress left, MacAddress right) => left.Equals(right);
    /// <summary>Inequality.</summary>
    public static bool operator !=(MacAddress left, MacAddress right) => !left.Equals(right);
    /// <summary>Order.</summary>
    public static bool operator <(MacAddress left, MacAddress right) => left.CompareTo(right) < 0;
    /// <summary>Order.</summary>
    public static bool operator <=(MacAddress left, MacAddress right) => left.CompareTo(right) <= 0;
    /// <summary>Order.</summary>
    public static bool operator >(MacAddress left, MacAddress right) => left.CompareTo(right) > 0;
    /// <summary>Order.</summary>
    public static bool operator >=(MacAddress left, MacAddress right) => left.CompareTo(right) >= 0;
}
