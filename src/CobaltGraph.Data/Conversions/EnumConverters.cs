using CobaltGraph.Model;
using Microsoft.EntityFrameworkCore.Storage.ValueConversion;

namespace CobaltGraph.Data.Conversions;

internal sealed class DeviceStatusConverter() : ValueConverter<DeviceStatus, string>(
    value => EnumText.ToText(value),
    text => EnumText.ParseStatus(text));

internal sealed class DeviceEventTypeConverter() : ValueConverter<DeviceEventType, string>(
    value => EnumText.ToText(value),
    text => EnumText.ParseEventType(text));

internal sealed class AddressSourceConverter() : ValueConverter<AddressSource, string>(
    value => EnumText.ToText(value),
    text => EnumText.ParseAddressSource(text));

internal sealed class DeviceThreatLevelConverter() : ValueConverter<DeviceThreatLevel, string>(
    value => EnumText.ToText(value),
    text => EnumText.ParseDeviceThreatLevel(text));
