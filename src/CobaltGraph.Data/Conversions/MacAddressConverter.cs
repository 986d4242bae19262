using System.Net.NetworkInformation;
using CobaltGraph.Model;
using Microsoft.EntityFrameworkCore.Storage.ValueConversion;

namespace CobaltGraph.Data.Conversions;

// PhysicalAddress, Npgsql's type for macaddr, is not comparable and cannot be a key.
internal sealed class MacAddressConverter() : ValueConverter<MacAddress, PhysicalAddress>(
    value => value.ToPhysicalAddress(),
    value => MacAddress.FromPhysicalAddress(value));
