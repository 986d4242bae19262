using System.Net.NetworkInformation;
using CobaltGraph.Model;
using Microsoft.EntityFrameworkCore.Storage.ValueConversion;

namespace CobaltGraph.Data.Conversions;

// PhysicalAddress, Npgsql's type for macaddr, is not comparable and cannot be a key.
internal sealed class MacAddressConverter() : ValueConverter<MacAddress, PhysicalAddress>(
    value => ToPhysicalAddress(value),
    value => FromPhysicalAddress(value))
{
    internal static PhysicalAddress ToPhysicalAddress(MacAddress value)
    {
        var bytes = new byte[6];
        var number = value.ToInt64();
        for (var i = 5; i >= 0; i--)
        {
            bytes[i] = (byte)number;
            number >>= 8;
        }

        return new PhysicalAddress(bytes);
    }

    private static MacAddress FromPhysicalAddress(PhysicalAddress value)
    {
        long number = 0;
        foreach (var octet in value.GetAddressBytes())
            number = (number << 8) | octet;

        return new MacAddress(number);
    }
}
