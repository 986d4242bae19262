using Microsoft.EntityFrameworkCore.Storage.ValueConversion;

namespace CobaltGraph.Data.Conversions;

// Npgsql refuses to write an offset other than zero; a timestamptz stores the instant, whatever offset it came in.
internal sealed class UtcConverter() : ValueConverter<DateTimeOffset, DateTimeOffset>(
    value => value.ToUniversalTime(),
    value => value);
