using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace CobaltGraph.Data.Queries;

/// <summary>What a cursor is bound to: the query, its order and every value of its filter.</summary>
internal sealed class QueryShape(string query)
{
    private readonly StringBuilder _text = new(query);

    /// <summary>Adds a value that the rows depend on; null adds nothing.</summary>
    public QueryShape Add(string name, object? value)
    {
        if (value is null)
            return this;
        var text = value switch
        {
            DateTimeOffset time => time.UtcTicks.ToString(CultureInfo.InvariantCulture),
            IFormattable formattable => formattable.ToString(null, CultureInfo.InvariantCulture),
            _ => value.ToString()!,
        };
        // With its length, no value can pass for another name.
        _text.Append(CultureInfo.InvariantCulture, $"\n{name}={text.Length}:{text}");
        return this;
    }

    /// <summary>Adds values whose order does not matter; null adds nothing, which is not the same as none.</summary>
    public QueryShape AddSet<T>(string name, IEnumerable<T>? values)
    {
        if (values is null)
            return this;
        var sorted = values.Distinct().Order().ToList();
        Add(name, sorted.Count);
        foreach (var value in sorted)
            Add(name, value);
        return this;
    }

    public byte[] Hash() => SHA256.HashData(Encoding.UTF8.GetBytes(_text.ToString()));
}
