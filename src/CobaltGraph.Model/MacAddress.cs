using System.ComponentModel;
using System.Diagnostics.CodeAnalysis;
using System.Net.NetworkInformation;
using System.Numerics;
using System.Text.Json.Serialization;

namespace CobaltGraph.Model;

/// <summary>A 48-bit MAC address (EUI-48): an immutable value, compared and ordered as PostgreSQL orders macaddr.</summary>
/// <remarks>
/// <para>
/// Parsing accepts, in any letter case and with white space around: six octets of one or two digits
/// (<c>aa:bb:cc:dd:ee:ff</c>, <c>8:0:2b:1:2:3</c>, <c>aa-bb-cc-dd-ee-ff</c>), three groups of four digits
/// (<c>aabb.ccdd.eeff</c>, <c>aabb-ccdd-eeff</c>), two groups of six (<c>aabbcc:ddeeff</c>, <c>aabbcc-ddeeff</c>), and twelve
/// digits (<c>aabbccddeeff</c>). PostgreSQL reads each of these as the same address. What only PostgreSQL's scanner
/// tolerates, such as a digit that is missing at the end, is refused.
/// </para>
/// <para>
/// Formatting takes one letter; its case is the case of the digits. <c>c</c>: colons, <c>aa:bb:cc:dd:ee:ff</c>, also the
/// default (null, empty, or <c>G</c>), as PostgreSQL prints it. <c>d</c>: dashes, <c>aa-bb-cc-dd-ee-ff</c>. <c>p</c>:
/// points, <c>aabb.ccdd.eeff</c>. <c>n</c>: bare, <c>aabbccddeeff</c>. <c>C</c>, <c>D</c>, <c>P</c>, <c>N</c>: the same with
/// digits <c>A</c> to <c>F</c>. The culture is never used.
/// </para>
/// </remarks>
[JsonConverter(typeof(MacAddressJsonConverter))]
[TypeConverter(typeof(MacAddressTypeConverter))]
public readonly struct MacAddress :
    IEquatable<MacAddress>,
    IComparable<MacAddress>,
    IComparable,
    IComparisonOperators<MacAddress, MacAddress, bool>,
    ISpanParsable<MacAddress>,
    IUtf8SpanParsable<MacAddress>,
    ISpanFormattable,
    IUtf8SpanFormattable
{
    private const int Length = 6;
    private const long Maximum = 0xFFFF_FFFF_FFFF;
    private const ulong GroupBit = 0x0100_0000_0000;
    private const ulong LocalBit = 0x0200_0000_0000;

    private readonly ulong _value;

    /// <summary>Creates an address from a number, most significant octet first.</summary>
    /// <param name="value">0 to 0xFFFFFFFFFFFF.</param>
    /// <exception cref="ArgumentOutOfRangeException">The number is negative or needs more than 48 bits.</exception>
    public MacAddress(long value)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(value);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(value, Maximum);
        _value = (ulong)value;
    }

    /// <summary>Creates an address from its six octets, in the order in which they are written.</summary>
    /// <exception cref="ArgumentException">There are not exactly six octets.</exception>
    public MacAddress(ReadOnlySpan<byte> octets)
    {
        if (octets.Length != Length)
            throw new ArgumentException($"A MAC address has {Length} octets, not {octets.Length}.", nameof(octets));
        foreach (var octet in octets)
            _value = _value << 8 | octet;
    }

    private MacAddress(ulong value) => _value = value;

    /// <summary>All bits zero: 00:00:00:00:00:00. Also the default value.</summary>
    public static MacAddress Zero => default;

    /// <summary>All bits one: ff:ff:ff:ff:ff:ff.</summary>
    public static MacAddress Broadcast => new((ulong)Maximum);

    /// <summary>
    /// The organisationally unique identifier: the first three octets as they are, written like the address itself, for
    /// example <c>b8:27:eb</c>. It names a manufacturer only when <see cref="IsLocallyAdministered"/> is false.
    /// </summary>
    public string Oui => string.Create(
        8, _value, static (text, value) => Notation.Of("c").Write(value, text, digits: 6));

    /// <summary>
    /// Whether the address was chosen by software or an administrator rather than taken from a manufacturer's block
    /// (U/L bit). Randomised addresses of phones and laptops are; so is the broadcast address.
    /// </summary>
    public bool IsLocallyAdministered => (_value & LocalBit) != 0;

    /// <summary>Whether the address belongs to a group of receivers (I/G bit), broadcast included.</summary>
    public bool IsMulticast => (_value & GroupBit) != 0;

    /// <summary>Whether the address is <see cref="Broadcast"/>.</summary>
    public bool IsBroadcast => _value == (ulong)Maximum;

    /// <summary>Whether the address is <see cref="Zero"/>.</summary>
    public bool IsZero => _value == 0;

    /// <summary>Whether the address can identify a device: unicast and not all-zero.</summary>
    public bool IsDevice => !IsMulticast && !IsZero;

    /// <summary>The address as a number, most significant octet first.</summary>
    public long ToInt64() => (long)_value;

    /// <summary>The six octets, in the order in which they are written.</summary>
    public byte[] ToByteArray()
    {
        var octets = new byte[Length];
        TryWriteBytes(octets);
        return octets;
    }

    /// <summary>Writes the six octets, in the order in which they are written.</summary>
    /// <returns>False when the destination is shorter than six octets; nothing is written then.</returns>
    public bool TryWriteBytes(Span<byte> destination)
    {
        if (destination.Length < Length)
            return false;
        for (var i = 0; i < Length; i++)
            destination[i] = (byte)(_value >> 8 * (Length - 1 - i));
        return true;
    }

    /// <summary>The same address as the type of the .NET networking classes.</summary>
    public PhysicalAddress ToPhysicalAddress() => new(ToByteArray());

    /// <summary>The same address from the type of the .NET networking classes.</summary>
    /// <exception cref="ArgumentException">It does not have exactly six octets.</exception>
    public static MacAddress FromPhysicalAddress(PhysicalAddress address)
    {
        ArgumentNullException.ThrowIfNull(address);
        return new MacAddress(address.GetAddressBytes());
    }

    /// <summary>Reads an address in any of the notations that <see cref="MacAddress"/> lists.</summary>
    /// <exception cref="FormatException">The text is not a MAC address.</exception>
    public static MacAddress Parse(string s)
    {
        ArgumentNullException.ThrowIfNull(s);
        return Parse(s.AsSpan());
    }

    /// <summary>Reads an address in any of the notations that <see cref="MacAddress"/> lists.</summary>
    /// <exception cref="FormatException">The text is not a MAC address.</exception>
    public static MacAddress Parse(ReadOnlySpan<char> s)
        => TryParse(s, out var result) ? result : throw NotAnAddress(DisplayText.Quote(s));

    /// <summary>Reads an address in any of the notations that <see cref="MacAddress"/> lists, from UTF-8.</summary>
    /// <exception cref="FormatException">The text is not a MAC address.</exception>
    public static MacAddress Parse(ReadOnlySpan<byte> utf8Text)
        => TryParse(utf8Text, out var result) ? result : throw NotAnAddress(DisplayText.Quote(utf8Text));

    /// <inheritdoc cref="Parse(string)"/>
    public static MacAddress Parse(string s, IFormatProvider? provider) => Parse(s);

    /// <inheritdoc cref="Parse(ReadOnlySpan{char})"/>
    public static MacAddress Parse(ReadOnlySpan<char> s, IFormatProvider? provider) => Parse(s);

    /// <inheritdoc cref="Parse(ReadOnlySpan{byte})"/>
    public static MacAddress Parse(ReadOnlySpan<byte> utf8Text, IFormatProvider? provider) => Parse(utf8Text);

    /// <summary>Reads an address in any of the notations that <see cref="MacAddress"/> lists.</summary>
    /// <returns>False when the text is null or not a MAC address.</returns>
    public static bool TryParse([NotNullWhen(true)] string? s, out MacAddress result)
        => TryParse(s.AsSpan(), out result);

    /// <summary>Reads an address in any of the notations that <see cref="MacAddress"/> lists.</summary>
    /// <returns>False when the text is not a MAC address.</returns>
    public static bool TryParse(ReadOnlySpan<char> s, out MacAddress result)
    {
        var parsed = TryScan(s, out var value);
        result = new MacAddress(value);
        return parsed;
    }

    /// <summary>Reads an address in any of the notations that <see cref="MacAddress"/> lists, from UTF-8.</summary>
    /// <returns>False when the text is not a MAC address.</returns>
    public static bool TryParse(ReadOnlySpan<byte> utf8Text, out MacAddress result)
    {
        var parsed = TryScan(utf8Text, out var value);
        result = new MacAddress(value);
        return parsed;
    }

    /// <inheritdoc cref="TryParse(string?, out MacAddress)"/>
    public static bool TryParse([NotNullWhen(true)] string? s, IFormatProvider? provider, out MacAddress result)
        => TryParse(s.AsSpan(), out result);

    /// <inheritdoc cref="TryParse(ReadOnlySpan{char}, out MacAddress)"/>
    public static bool TryParse(ReadOnlySpan<char> s, IFormatProvider? provider, out MacAddress result)
        => TryParse(s, out result);

    /// <inheritdoc cref="TryParse(ReadOnlySpan{byte}, out MacAddress)"/>
    public static bool TryParse(ReadOnlySpan<byte> utf8Text, IFormatProvider? provider, out MacAddress result)
        => TryParse(utf8Text, out result);

    /// <summary>The address as PostgreSQL prints it, for example <c>aa:bb:cc:dd:ee:ff</c>.</summary>
    public override string ToString() => ToString(null);

    /// <summary>The address in one of the notations that <see cref="MacAddress"/> lists.</summary>
    /// <param name="format">c, d, p or n, in either case; null or empty for c.</param>
    /// <exception cref="FormatException">The format is none of these.</exception>
    public string ToString(string? format)
    {
        var notation = Notation.Of(format);
        return string.Create(
            notation.Length, (notation, _value), static (text, state) => state.notation.Write(state._value, text));
    }

    /// <inheritdoc cref="ToString(string?)"/>
    public string ToString(string? format, IFormatProvider? formatProvider) => ToString(format);

    /// <summary>Writes the address in one of the notations that <see cref="MacAddress"/> lists.</summary>
    /// <returns>False when the destination is too short; nothing is written then. 17 characters always suffice.</returns>
    /// <exception cref="FormatException">The format is none of those listed.</exception>
    public bool TryFormat(
        Span<char> destination, out int charsWritten, ReadOnlySpan<char> format = default, IFormatProvider? provider = null)
        => TryWrite(destination, out charsWritten, format);

    /// <summary>Writes the address in one of the notations that <see cref="MacAddress"/> lists, as UTF-8.</summary>
    /// <returns>False when the destination is too short; nothing is written then. 17 bytes always suffice.</returns>
    /// <exception cref="FormatException">The format is none of those listed.</exception>
    public bool TryFormat(
        Span<byte> utf8Destination, out int bytesWritten, ReadOnlySpan<char> format = default, IFormatProvider? provider = null)
        => TryWrite(utf8Destination, out bytesWritten, format);

    /// <summary>Orders by octets, most significant first, as PostgreSQL does.</summary>
    public int CompareTo(MacAddress other) => _value.CompareTo(other._value);

    /// <summary>Orders by octets, most significant first; everything comes after null.</summary>
    /// <exception cref="ArgumentException">The object is not a <see cref="MacAddress"/>.</exception>
    public int CompareTo(object? obj) => obj switch
    {
        null => 1,
        MacAddress other => CompareTo(other),
        _ => throw new ArgumentException($"A MacAddress cannot be compared with a {obj.GetType()}.", nameof(obj)),
    };

    /// <inheritdoc/>
    public bool Equals(MacAddress other) => _value == other._value;

    /// <inheritdoc/>
    public override bool Equals([NotNullWhen(true)] object? obj) => obj is MacAddress other && Equals(other);

    /// <inheritdoc/>
    public override int GetHashCode() => _value.GetHashCode();

    /// <summary>Whether both are the same address.</summary>
    public static bool operator ==(MacAddress left, MacAddress right) => left._value == right._value;

    /// <summary>Whether the addresses differ.</summary>
    public static bool operator !=(MacAddress left, MacAddress right) => left._value != right._value;

    /// <summary>Whether the left address comes before the right one.</summary>
    public static bool operator <(MacAddress left, MacAddress right) => left._value < right._value;

    /// <summary>Whether the left address comes before the right one or is the same.</summary>
    public static bool operator <=(MacAddress left, MacAddress right) => left._value <= right._value;

    /// <summary>Whether the left address comes after the right one.</summary>
    public static bool operator >(MacAddress left, MacAddress right) => left._value > right._value;

    /// <summary>Whether the left address comes after the right one or is the same.</summary>
    public static bool operator >=(MacAddress left, MacAddress right) => left._value >= right._value;

    /// <summary>Longest formatted address, in characters.</summary>
    internal const int MaxTextLength = 17;

    internal static FormatException NotAnAddress(string quoted) => new(
        $"{quoted} is not a MAC address. Write twelve hexadecimal digits as aa:bb:cc:dd:ee:ff, aa-bb-cc-dd-ee-ff, "
        + "aabb.ccdd.eeff, aabb-ccdd-eeff, aabbcc:ddeeff, aabbcc-ddeeff or aabbccddeeff; with six groups, a leading zero may be left out.");

    private bool TryWrite<TChar>(Span<TChar> destination, out int written, ReadOnlySpan<char> format)
        where TChar : unmanaged, IBinaryInteger<TChar>
    {
        var notation = Notation.Of(format);
        if (destination.Length < notation.Length)
        {
            written = 0;
            return false;
        }
        notation.Write(_value, destination);
        written = notation.Length;
        return true;
    }

    // The first group's length decides the notation: 1-2 digits mean six octets, 4 three words, 6 two halves, 12 no groups.
    private static bool TryScan<TChar>(ReadOnlySpan<TChar> text, out ulong result)
        where TChar : unmanaged, IBinaryInteger<TChar>
    {
        result = 0;
        while (!text.IsEmpty && IsWhiteSpace(text[0]))
            text = text[1..];
        while (!text.IsEmpty && IsWhiteSpace(text[^1]))
            text = text[..^1];

        ulong value = 0, group = 0;
        int digits = 0, groups = 0, groupLength = 0, separator = 0;
        for (var i = 0; i <= text.Length; i++)
        {
            var c = i < text.Length ? int.CreateTruncating(text[i]) : -1;
            if (c >= 0 && HexDigit(c) is var digit and >= 0)
            {
                if (++digits > 12)
                    return false;
                group = group << 4 | (uint)digit;
                continue;
            }

            if (groups == 0)
            {
                groupLength = digits == 1 ? 2 : digits;
                separator = c;
            }
            if (c >= 0 && c != separator
                || digits != groupLength && (groupLength != 2 || digits != 1))
            {
                return false;
            }
            value = value << 4 * groupLength | group;
            groups++;
            group = 0;
            digits = 0;
        }

        if (groups * groupLength != 12 || !IsNotation(groupLength, separator))
            return false;
        result = value;
        return true;
    }

    private static bool IsNotation(int groupLength, int separator) => groupLength switch
    {
        2 or 6 => separator is ':' or '-',
        4 => separator is '.' or '-',
        12 => true,
        _ => false,
    };

    private static bool IsWhiteSpace<TChar>(TChar c) where TChar : unmanaged, IBinaryInteger<TChar>
        => int.CreateTruncating(c) is ' ' or (>= '\t' and <= '\r');

    private static int HexDigit(int c) => c switch
    {
        >= '0' and <= '9' => c - '0',
        >= 'a' and <= 'f' => c - 'a' + 10,
        >= 'A' and <= 'F' => c - 'A' + 10,
        _ => -1,
    };

    private readonly struct Notation(char separator, int groupLength, bool lower)
    {
        public int Length => 12 + (12 / groupLength - 1);

        public static Notation Of(ReadOnlySpan<char> format) => format switch
        {
            "" or "c" or "g" or "G" => new Notation(':', 2, lower: true),
            "C" => new Notation(':', 2, lower: false),
            "d" => new Notation('-', 2, lower: true),
            "D" => new Notation('-', 2, lower: false),
            "p" => new Notation('.', 4, lower: true),
            "P" => new Notation('.', 4, lower: false),
            "n" => new Notation('\0', 12, lower: true),
            "N" => new Notation('\0', 12, lower: false),
            _ => throw new FormatException(
                $"{DisplayText.Quote(format)} is not a format of MacAddress. Use c (aa:bb:cc:dd:ee:ff), d (aa-bb-cc-dd-ee-ff), "
                + "p (aabb.ccdd.eeff) or n (aabbccddeeff), or the capital letter for capital digits."),
        };

        public void Write<TChar>(ulong value, Span<TChar> destination, int digits = 12)
            where TChar : unmanaged, IBinaryInteger<TChar>
        {
            var letter = lower ? 'a' : 'A';
            var position = 0;
            for (var i = 0; i < digits; i++)
            {
                if (i > 0 && i % groupLength == 0)
                    destination[position++] = TChar.CreateTruncating((ushort)separator);
                var digit = (int)(value >> 44 - 4 * i) & 0xF;
                destination[position++] = TChar.CreateTruncating((ushort)(digit < 10 ? '0' + digit : letter + digit - 10));
            }
        }
    }
}
