using System.Diagnostics.CodeAnalysis;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;

namespace CobaltGraph.Model;

/// <summary>
/// A JSON object with some members that C# knows and any number of keys that it does not; the latter are kept as they
/// were read.
/// </summary>
/// <remarks>
/// A known key whose value has another JSON type than its member (<c>{"tags": "x"}</c>, <c>{"notes": null}</c>) is kept in
/// <see cref="Other"/> and written back, unless the member is set. Two records are equal when they say the same,
/// whatever the order of their keys. A copy made by <c>with</c> shares no collection with the original.
/// </remarks>
public abstract record MetadataRecord
{
    private IDictionary<string, JsonElement>? _other;

    private protected MetadataRecord()
    {
    }

    /// <summary>Copies the keys that are no members; the derived record copies its members.</summary>
    protected MetadataRecord(MetadataRecord original)
    {
        ArgumentNullException.ThrowIfNull(original);
        if (original._other is { Count: > 0 } other)
            _other = MetadataMember.CopyMap(other);
    }

    /// <summary>Every key that is no member, and every value that does not fit its member. Never null when read.</summary>
    [AllowNull]
    public IDictionary<string, JsonElement> Other
    {
        get => _other ??= new Dictionary<string, JsonElement>(StringComparer.Ordinal);
        set => _other = value;
    }

    /// <summary>Whether there is no key at all.</summary>
    internal bool IsEmpty
    {
        get
        {
            foreach (var member in Members)
            {
                if (member.IsSet(this))
                    return false;
            }
            return OtherCount() == 0;
        }
    }

    /// <summary>What <see cref="Other"/> gives, without making a dictionary where there is none.</summary>
    internal IDictionary<string, JsonElement>? OtherOrNull => _other;

    private protected abstract MetadataMember[] Members { get; }

    /// <summary>
    /// The text at a path, as PostgreSQL's <c>#>></c> gives it; in LINQ to the database it becomes just that. A string comes
    /// without quotes, a number or boolean as its JSON text, an object or array as JSON text.
    /// </summary>
    /// <param name="path">
    /// Keys from the outside inwards; in an array a number is a position from 0, a negative one counts from the end. An
    /// empty path means the whole record.
    /// </param>
    /// <returns>Null when there is nothing at the path, or a JSON null.</returns>
    /// <example><c>device.Metadata.Text("location", "rack")</c></example>
    public string? Text(params string[] path)
    {
        ArgumentNullException.ThrowIfNull(path);
        if (path.Length == 0)
            return ToJson();
        return Find(path) is not { } value ? null : value.ValueKind switch
        {
            JsonValueKind.Null or JsonValueKind.Undefined => null,
            JsonValueKind.String => value.GetString(),
            _ => value.GetRawText(),
        };
    }

    /// <summary>The value at a path, converted.</summary>
    /// <typeparam name="T">
    /// string, bool, int, long, float, double, decimal, DateTimeOffset, DateTime, TimeSpan, Guid, the nullable forms of these,
    /// <see cref="MacAddress"/>, string[], List&lt;string&gt;, <see cref="JsonElement"/> or
    /// Dictionary&lt;string, JsonElement&gt;; for any other type use the overload with a <see cref="JsonTypeInfo{T}"/>.
    /// </typeparam>
    /// <param name="path">As in <see cref="Text"/>, and not empty.</param>
    /// <returns>The default of the type when there is nothing at the path, or a JSON null.</returns>
    /// <exception cref="JsonException">The value is not of that type.</exception>
    /// <exception cref="NotSupportedException">The type is not one of those listed.</exception>
    public T? Get<T>(params string[] path) => Get(MetadataValueContext.InfoOf<T>(), path);

    /// <summary>The value at a path, converted as the type information says.</summary>
    /// <param name="typeInfo">From a source-generated JsonSerializerContext.</param>
    /// <param name="path">As in <see cref="Text"/>, and not empty.</param>
    /// <returns>The default of the type when there is nothing at the path, or a JSON null.</returns>
    /// <exception cref="JsonException">The value is not of that type.</exception>
    public T? Get<T>(JsonTypeInfo<T> typeInfo, params string[] path)
    {
        ArgumentNullException.ThrowIfNull(typeInfo);
        CheckPath(path);
        if (Find(path) is not { ValueKind: not (JsonValueKind.Null or JsonValueKind.Undefined) } value)
            return default;
        try
        {
            return value.Deserialize(typeInfo);
        }
        catch (JsonException exception)
        {
            throw new JsonException(
                $"The metadata value at {PathText(path)} is a JSON {Name(value.ValueKind)}, which cannot be read as {typeof(T)}.", exception);
        }
    }

    /// <summary>Sets a key, whether a known one or not.</summary>
    /// <typeparam name="T">One of the types of <see cref="Get{T}(string[])"/>.</typeparam>
    /// <exception cref="NotSupportedException">The type is not one of those listed there.</exception>
    public void Set<T>(string key, T value)
    {
        ArgumentNullException.ThrowIfNull(key);
        Set([key], value);
    }

    /// <summary>Sets the value at a path; objects on the way are made where there is nothing or a JSON null.</summary>
    /// <typeparam name="T">One of the types of <see cref="Get{T}(string[])"/>.</typeparam>
    /// <param name="path">As in <see cref="Text"/>, and not empty; one position past the end of an array appends.</param>
    /// <param name="value">The value; null stores a JSON null.</param>
    /// <exception cref="InvalidOperationException">On the way there is something that is neither object nor array.</exception>
    /// <exception cref="NotSupportedException">The type is not one of those listed there.</exception>
    public void Set<T>(string[] path, T value) => Set(path, value, MetadataValueContext.InfoOf<T>());

    /// <summary>Sets the value at a path; objects on the way are made where there is nothing or a JSON null.</summary>
    /// <param name="path">As in <see cref="Text"/>, and not empty; one position past the end of an array appends.</param>
    /// <param name="value">The value; null stores a JSON null.</param>
    /// <param name="typeInfo">From a source-generated JsonSerializerContext.</param>
    /// <exception cref="InvalidOperationException">On the way there is something that is neither object nor array.</exception>
    public void Set<T>(string[] path, T value, JsonTypeInfo<T> typeInfo)
    {
        ArgumentNullException.ThrowIfNull(typeInfo);
        CheckPath(path);
        Replace(path, JsonSerializer.SerializeToElement(value, typeInfo));
    }

    /// <summary>Removes the value at a path.</summary>
    /// <param name="path">As in <see cref="Text"/>, and not empty.</param>
    /// <returns>False when there was nothing.</returns>
    public bool Remove(params string[] path)
    {
        CheckPath(path);
        if (Find(path) is null)
            return false;
        Replace(path, null);
        return true;
    }

    /// <summary>The record as a JSON object.</summary>
    public string ToJson() => MetadataJson.WriteRecord(this);

    /// <summary>The record as a JSON object.</summary>
    public sealed override string ToString() => ToJson();

    /// <summary>Whether both say the same, whatever the order of their keys.</summary>
    public virtual bool Equals(MetadataRecord? other)
    {
        if (ReferenceEquals(this, other))
            return true;
        if (other is null || other.EqualityContract != EqualityContract)
            return false;
        foreach (var member in Members)
        {
            if (!member.SameValue(this, other))
                return false;
        }

        var count = OtherCount();
        if (count != other.OtherCount())
            return false;
        if (count == 0)
            return true;
        foreach (var (key, value) in _other!)
        {
            if (IsWritten(key, value)
                && !(other._other!.TryGetValue(key, out var counterpart)
                    && other.IsWritten(key, counterpart)
                    && JsonValue.DeepEquals(value, counterpart)))
            {
                return false;
            }
        }
        return true;
    }

    /// <inheritdoc/>
    public override int GetHashCode()
    {
        // Numbers are equal in many spellings, objects in many orders: the names and the plain texts must do.
        var hash = 0;
        foreach (var member in Members)
        {
            if (member.IsSet(this))
                hash += HashCode.Combine(member.Name, member.ValueHash(this));
        }
        if (_other is not null)
        {
            foreach (var (key, value) in _other)
            {
                if (IsWritten(key, value))
                    hash += HashCode.Combine(key, value.ValueKind);
            }
        }
        return hash;
    }

    internal void Load(JsonElement json)
    {
        foreach (var property in json.EnumerateObject())
            LoadKey(property.Name, property.Value);
    }

    internal void WriteTo(Utf8JsonWriter writer)
    {
        writer.WriteStartObject();
        foreach (var member in Members)
        {
            if (member.IsSet(this))
            {
                writer.WritePropertyName(member.EncodedName);
                member.WriteValue(this, writer);
            }
        }
        if (_other is not null)
        {
            foreach (var (key, value) in _other)
            {
                if (IsWritten(key, value))
                {
                    writer.WritePropertyName(key);
                    value.WriteTo(writer);
                }
            }
        }
        writer.WriteEndObject();
    }

    /// <summary>
    /// The record in parts, each with the keys of one place in an order.
    /// </summary>
    internal static IEnumerable<(TOrder Order, T Part)> Split<T, TOrder>(T record, Func<string, TOrder> order)
        where T : MetadataRecord, new()
        where TOrder : notnull
    {
        var parts = new SortedDictionary<TOrder, T>();
        foreach (var member in record.Members)
        {
            if (member.IsSet(record))
                Part(member.Name).LoadKey(member.Name, JsonValue.From(record, member));
        }

        if (record._other is not null)
        {
            foreach (var (key, value) in record._other)
            {
                if (record.IsWritten(key, value))
                    Part(key).LoadKey(key, value);
            }
        }

        return parts.Select(part => (part.Key, part.Value));

        T Part(string key)
        {
            if (!parts.TryGetValue(order(key), out var part))
                parts.Add(order(key), part = new T());
            return part;
        }
    }

    private MetadataMember? MemberOf(string key)
    {
        foreach (var member in Members)
        {
            if (member.Name == key)
                return member;
        }
        return null;
    }

    private void LoadKey(string key, JsonElement value)
    {
        // A key that comes twice counts once, the last time, as in jsonb.
        if (MemberOf(key) is { } member)
        {
            _other?.Remove(key);
            if (member.TryRead(this, value))
                return;
            member.Clear(this);
        }
        Other[key] = value;
    }

    /// <summary>Whether a key of <see cref="Other"/> is part of the JSON: it has a value, and no member takes its place.</summary>
    internal bool IsWritten(string key, JsonElement value)
        => value.ValueKind != JsonValueKind.Undefined && !(MemberOf(key)?.IsSet(this) ?? false);

    private int OtherCount()
    {
        var count = 0;
        if (_other is { Count: > 0 })
        {
            foreach (var (key, value) in _other)
                count += IsWritten(key, value) ? 1 : 0;
        }
        return count;
    }

    private JsonElement? Find(ReadOnlySpan<string> path)
        => path[0] is { } key && Current(key) is { } value ? JsonValue.Find(value, path[1..]) : null;

    private JsonElement? Current(string key)
    {
        if (MemberOf(key) is { } member && member.IsSet(this))
            return JsonValue.From(this, member);
        return _other is not null && _other.TryGetValue(key, out var value) && value.ValueKind != JsonValueKind.Undefined
            ? value
            : null;
    }

    private void Replace(string[] path, JsonElement? value)
    {
        var replaced = path.Length == 1 ? value : JsonValue.With(Current(path[0]), path, 1, value);
        if (replaced is { } element)
        {
            LoadKey(path[0], element);
            return;
        }
        MemberOf(path[0])?.Clear(this);
        _other?.Remove(path[0]);
    }

    private static void CheckPath(string[] path)
    {
        ArgumentNullException.ThrowIfNull(path);
        if (path.Length == 0)
            throw new ArgumentException("Name at least one key.", nameof(path));
        if (Array.IndexOf(path, null) >= 0)
            throw new ArgumentException("A key is null.", nameof(path));
    }

    internal static string PathText(ReadOnlySpan<string> path) => DisplayText.Quote(string.Join('.', path!));

    internal static string Name(JsonValueKind kind) => kind switch
    {
        JsonValueKind.True or JsonValueKind.False => "boolean",
        _ => kind.ToString().ToLowerInvariant(),
    };
}
