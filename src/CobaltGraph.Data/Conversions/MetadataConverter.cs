using CobaltGraph.Model;
using Microsoft.EntityFrameworkCore.ChangeTracking;
using Microsoft.EntityFrameworkCore.Storage.ValueConversion;

namespace CobaltGraph.Data.Conversions;

// EF's own JSON mapping rewrites the document and drops keys that the type does not know.
internal sealed class MetadataConverter<T>() : ValueConverter<T, string>(
    value => MetadataJson.Write(value),
    json => MetadataJson.Read<T>(json))
    where T : MetadataRecord, new();

// Compares contents and keeps a copy of its own, so that an edit in place is noticed.
internal sealed class MetadataComparer<T>() : ValueComparer<T>(
    (left, right) => left == null ? right == null : left.Equals(right),
    value => value.GetHashCode(),
    value => MetadataJson.Copy(value))
    where T : MetadataRecord, new();
