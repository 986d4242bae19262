using System.Diagnostics.CodeAnalysis;
using System.Text.Json;

namespace CobaltGraph.Model;

/// <summary>A member of a metadata record: its key, and how its value is read, written, compared and copied.</summary>
internal abstract class MetadataMember(string name)
{
    public string Name { get; } = name;

    public JsonEncodedText EncodedName { get; } = JsonEncodedText.Encode(name);

    public abstract bool IsSet(MetadataRecord record);

    /// <returns>False when the JSON type does not fit; the record is unchanged then.</returns>
    public abstract bool TryRead(MetadataRecord record, JsonElement json);

    public abstract void WriteValue(MetadataRecord record, Utf8JsonWriter writer);

    public abstract void Clear(MetadataRecord record);

    public abstract void Copy(MetadataRecord from, MetadataRecord to);

    public abstract bool SameValue(MetadataRecord left, MetadataRecord right);

    public abstract int ValueHash(MetadataRecord record);

    public static void CopyAll(MetadataMember[] members, MetadataRecord from, MetadataRecord to)
    {
        foreach (var member in members)
            member.Copy(from, to);
    }

    public static MetadataMember Text<TRecord>(string name, Func<TRecord, string?> get, Action<TRecord, string?> set)
        where TRecord : MetadataRecord
        => new TextMember<TRecord>(name, get, set);

    public static MetadataMember Texts<TRecord>(
        string name, Func<TRecord, IList<string>?> get, Action<TRecord, IList<string>?> set)
        where TRecord : MetadataRecord
        => new TextsMember<TRecord>(name, get, set);

    public static MetadataMember Map<TRecord>(
        string name, Func<TRecord, IDictionary<string, JsonElement>?> get, Action<TRecord, IDictionary<string, JsonElement>?> set)
        where TRecord : MetadataRecord
        => new MapMember<TRecord>(name, get, set);

    public static MetadataMember Record<TRecord, TPart>(string name, Func<TRecord, TPart?> get, Action<TRecord, TPart?> set)
        where TRecord : MetadataRecord
        where TPart : MetadataRecord, new()
        => new RecordMember<TRecord, TPart>(name, get, set);

    public static Dictionary<string, JsonElement> CopyMap(IDictionary<string, JsonElement> map)
        => new(map, StringComparer.Ordinal);

    private abstract class Typed<TRecord, TValue>(string name, Func<TRecord, TValue?> get, Action<TRecord, TValue?> set)
        : MetadataMember(name)
        where TRecord : MetadataRecord
        where TValue : class
    {
        public override bool IsSet(MetadataRecord record) => get((TRecord)record) is not null;

        public override bool TryRead(MetadataRecord record, JsonElement json)
        {
            if (!TryRead(json, out var value))
                return false;
            set((TRecord)record, value);
            return true;
        }

        public override void WriteValue(MetadataRecord record, Utf8JsonWriter writer) => Write(get((TRecord)record)!, writer);

        public override void Clear(MetadataRecord record) => set((TRecord)record, null);

        public override void Copy(MetadataRecord from, MetadataRecord to)
            => set((TRecord)to, get((TRecord)from) is { } value ? Copy(value) : null);

        public override bool SameValue(MetadataRecord left, MetadataRecord right)
        {
            var a = get((TRecord)left);
            var b = get((TRecord)right);
            return a is null ? b is null : b is not null && Same(a, b);
        }

        public override int ValueHash(MetadataRecord record) => Hash(get((TRecord)record)!);

        protected abstract bool TryRead(JsonElement json, [NotNullWhen(true)] out TValue? value);

        protected abstract void Write(TValue value, Utf8JsonWriter writer);

        protected abstract TValue Copy(TValue value);

        protected abstract bool Same(TValue left, TValue right);

        protected abstract int Hash(TValue value);
    }

    private sealed class TextMember<TRecord>(string name, Func<TRecord, string?> get, Action<TRecord, string?> set)
        : Typed<TRecord, string>(name, get, set)
        where TRecord : MetadataRecord
    {
        protected override bool TryRead(JsonElement json, [NotNullWhen(true)] out string? value)
            => TryReadText(json, out value);

        protected override void Write(string value, Utf8JsonWriter writer) => writer.WriteStringValue(value);

        protected override string Copy(string value) => value;

        protected override bool Same(string left, string right) => left == right;

        protected override int Hash(string value) => value.GetHashCode(StringComparison.Ordinal);
    }

    private sealed class TextsMember<TRecord>(string name, Func<TRecord, IList<string>?> get, Action<TRecord, IList<string>?> set)
        : Typed<TRecord, IList<string>>(name, get, set)
        where TRecord : MetadataRecord
    {
        protected override bool TryRead(JsonElement json, [NotNullWhen(true)] out IList<string>? value)
        {
            value = null;
            if (json.ValueKind != JsonValueKind.Array)
                return false;
            var texts = new List<string>(json.GetArrayLength());
            foreach (var element in json.EnumerateArray())
            {
                if (!TryReadText(element, out var text))
                    return false;
                texts.Add(text);
            }
            value = texts;
            return true;
        }

        protected override void Write(IList<string> value, Utf8JsonWriter writer)
        {
            writer.WriteStartArray();
            foreach (var text in value)
                writer.WriteStringValue(text);
            writer.WriteEndArray();
        }

        protected override IList<string> Copy(IList<string> value) => new List<string>(value);

        protected override bool Same(IList<string> left, IList<string> right) => left.SequenceEqual(right, StringComparer.Ordinal);

        protected override int Hash(IList<string> value) => value.Count;
    }

    private sealed class MapMember<TRecord>(
        string name, Func<TRecord, IDictionary<string, JsonElement>?> get, Action<TRecord, IDictionary<string, JsonElement>?> set)
        : Typed<TRecord, IDictionary<string, JsonElement>>(name, get, set)
        where TRecord : MetadataRecord
    {
        protected override bool TryRead(JsonElement json, [NotNullWhen(true)] out IDictionary<string, JsonElement>? value)
        {
            value = null;
            if (json.ValueKind != JsonValueKind.Object)
                return false;
            value = new Dictionary<string, JsonElement>(StringComparer.Ordinal);
            foreach (var property in json.EnumerateObject())
                value[property.Name] = property.Value;
            return true;
        }

        protected override void Write(IDictionary<string, JsonElement> value, Utf8JsonWriter writer)
        {
            writer.WriteStartObject();
            foreach (var (key, element) in value)
            {
                if (element.ValueKind == JsonValueKind.Undefined)
                    continue;
                writer.WritePropertyName(key);
                element.WriteTo(writer);
            }
            writer.WriteEndObject();
        }

        protected override IDictionary<string, JsonElement> Copy(IDictionary<string, JsonElement> value) => CopyMap(value);

        protected override bool Same(IDictionary<string, JsonElement> left, IDictionary<string, JsonElement> right)
        {
            if (Hash(left) != Hash(right))
                return false;
            foreach (var (key, element) in left)
            {
                if (element.ValueKind != JsonValueKind.Undefined
                    && !(right.TryGetValue(key, out var counterpart) && JsonValue.DeepEquals(element, counterpart)))
                {
                    return false;
                }
            }
            return true;
        }

        protected override int Hash(IDictionary<string, JsonElement> value)
        {
            var count = 0;
            foreach (var (_, element) in value)
                count += element.ValueKind == JsonValueKind.Undefined ? 0 : 1;
            return count;
        }
    }

    private sealed class RecordMember<TRecord, TPart>(string name, Func<TRecord, TPart?> get, Action<TRecord, TPart?> set)
        : Typed<TRecord, TPart>(name, get, set)
        where TRecord : MetadataRecord
        where TPart : MetadataRecord, new()
    {
        protected override bool TryRead(JsonElement json, [NotNullWhen(true)] out TPart? value)
        {
            value = null;
            if (json.ValueKind != JsonValueKind.Object)
                return false;
            value = new TPart();
            value.Load(json);
            return true;
        }

        protected override void Write(TPart value, Utf8JsonWriter writer) => value.WriteTo(writer);

        protected override TPart Copy(TPart value) => value with { };

        protected override bool Same(TPart left, TPart right) => left.Equals(right);

        protected override int Hash(TPart value) => value.GetHashCode();
    }

    private static bool TryReadText(JsonElement json, [NotNullWhen(true)] out string? text)
    {
        text = null;
        if (json.ValueKind != JsonValueKind.String)
            return false;
        try
        {
            text = json.GetString()!;
            return true;
        }
        catch (InvalidOperationException)
        {
            // An escaped half of a surrogate pair is a JSON string, but no .NET text.
            return false;
        }
    }
}
