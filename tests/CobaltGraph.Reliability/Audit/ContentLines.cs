using System.Globalization;
using System.Net;
using System.Security.Cryptography;
using System.Text;

namespace CobaltGraph.Reliability.Audit;

/// <summary>
/// What a database holds, as lines in order: no ids, no times of recording, nothing that depends on how rows were
/// batched. One column, one way to write it, for the database as for the model that is held against it.
/// </summary>
public sealed class ContentLines
{
    private readonly List<string> _lines = [];

    /// <summary>The lines, in order.</summary>
    public IReadOnlyList<string> Lines
    {
        get
        {
            _lines.Sort(StringComparer.Ordinal);
            return _lines;
        }
    }

    /// <summary>One number for all of them.</summary>
    public string Hash()
        => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(string.Join('\n', Lines))));

    /// <summary>The first lines that only one of two has, for a person to read.</summary>
    /// <param name="other">What to hold against this.</param>
    /// <param name="count">How many lines of each.</param>
    public string DifferenceFrom(ContentLines other, int count = 5)
    {
        ArgumentNullException.ThrowIfNull(other);
        return string.Join('\n', [.. Only(this, other).Select(line => "< " + line), .. Only(other, this).Select(line => "> " + line)]);

        IEnumerable<string> Only(ContentLines one, ContentLines two)
        {
            var left = two.Lines.GroupBy(line => line).ToDictionary(group => group.Key, group => group.Count());
            return one.Lines.Where(line =>
            {
                var here = left.GetValueOrDefault(line);
                left[line] = here - 1;
                return here < 1;
            }).Take(count);
        }
    }

    internal void Add(params ReadOnlySpan<object?> values)
    {
        var line = new StringBuilder();
        foreach (var value in values)
            line.Append(line.Length == 0 ? "" : "|").Append(Text(value));
        _lines.Add(line.ToString());
    }

    private static string Text(object? value) => value switch
    {
        null or DBNull => "∅",
        DateTimeOffset time => time.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss.ffffff", CultureInfo.InvariantCulture),
        DateTime time => time.ToString("yyyy-MM-dd'T'HH:mm:ss.ffffff", CultureInfo.InvariantCulture),
        TimeSpan span => span.Ticks.ToString(CultureInfo.InvariantCulture),
        float number => number.ToString("R", CultureInfo.InvariantCulture),
        IPAddress address => address.ToString(),
        IFormattable other => other.ToString(null, CultureInfo.InvariantCulture),
        _ => value.ToString()!,
    };
}
