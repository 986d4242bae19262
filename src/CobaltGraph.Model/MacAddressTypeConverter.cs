using System.ComponentModel;
using System.Globalization;
using System.Net.NetworkInformation;

namespace CobaltGraph.Model;

/// <summary>
/// Converts a MAC address from and to text for configuration binding and other component model users, and from and to
/// <see cref="PhysicalAddress"/>.
/// </summary>
public sealed class MacAddressTypeConverter : TypeConverter
{
    /// <inheritdoc/>
    public override bool CanConvertFrom(ITypeDescriptorContext? context, Type sourceType)
        => sourceType == typeof(string) || sourceType == typeof(PhysicalAddress) || base.CanConvertFrom(context, sourceType);

    /// <inheritdoc/>
    public override bool CanConvertTo(ITypeDescriptorContext? context, Type? destinationType)
        => destinationType == typeof(PhysicalAddress) || base.CanConvertTo(context, destinationType);

    /// <inheritdoc/>
    public override object? ConvertFrom(ITypeDescriptorContext? context, CultureInfo? culture, object value) => value switch
    {
        string text => MacAddress.Parse(text),
        PhysicalAddress address => MacAddress.FromPhysicalAddress(address),
        _ => base.ConvertFrom(context, culture, value),
    };

    /// <inheritdoc/>
    public override object? ConvertTo(ITypeDescriptorContext? context, CultureInfo? culture, object? value, Type destinationType)
        => value is MacAddress mac
            ? destinationType == typeof(string) ? mac.ToString()
                : destinationType == typeof(PhysicalAddress) ? mac.ToPhysicalAddress()
                : base.ConvertTo(context, culture, value, destinationType)
            : base.ConvertTo(context, culture, value, destinationType);
}
