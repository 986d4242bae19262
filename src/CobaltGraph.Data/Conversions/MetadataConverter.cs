using CobaltGraph.Model;
using Microsoft.EntityFrameworkCore.ChangeTracking;
using Microsoft.EntityFrameworkCore.Storage.ValueConversion;

namespace CobaltGraph.Data.Conversions;

// EF's own JSON mapping rewrites the document and drops keys that the type does not know.
internal sealed class MetadataConverter<T>() : ValueConverter<T, string>(
    value => MetadataJson.Write(value),
    json => MetadataJson.Read<T>(json))
    where T : class;

// Compares contents and keeps a copy of its own, so that an edit in place is noticed.
internal sealed class MetadataComparer<T>() : ValueComparer<T>(
    (left, right) => Equals(left, right),
    value => value.GetHashCode(),
    value => MetadataJson.Read<T>(MetadataJson.Write(value)))
    where T : class
{
    private static new bool Equals(T? left, T? right)
        => left is null || right is null
            ? left is null && right is null
            : MetadataJson.Write(left) == MetadataJson.Write(right);
}
