using System.Globalization;
using System.Net;
using System.Text.Json;
using CobaltGraph.Model;

namespace CobaltGraph.Cli.Terminal;

/// <summary>Text that was made harmless where it came from.</summary>
internal readonly record struct Escaped(string? Text);

/// <summary>How one value is written for a program, in a line and on a terminal.</summary>
internal static class Cell
{
    /// <summary>For tab-separated lines: no blanks added, nothing rounded, unknown is empty.</summary>
    public static string Plain(object? value) => value switch
    {
        null => "",
        string text => SafeText.Escape(text),
        Escaped escaped => escaped.Text ?? "",
        bool flag => flag ? "true" : "false",
        DateTimeOffset time => Time(time),
        TimeSpan duration => duration.TotalSeconds.ToString(CultureInfo.InvariantCulture),
        IPAddress or MacAddress => value.ToString()!,
        Enum name => Name(name),
        JsonElement json => SafeText.Escape(json.GetRawText()),
        IFormattable number => number.ToString(null, CultureInfo.InvariantCulture),
        _ => SafeText.Escape(value.ToString() ?? ""),
    };

    /// <summary>For a person.</summary>
    public static string Display(object? value) => value switch
    {
        null => "–",
        string { Length: 0 } => "–",
        Escaped { Text: null or "" } => "–",
        bool flag => flag ? "yes" : "no",
        DateTimeOffset time => time.UtcDateTime.ToString("yyyy-MM-dd HH:mm:ss", CultureInfo.InvariantCulture),
        TimeSpan duration => Duration(duration),
        int or long or decimal => ((IFormattable)value).ToString("#,0", CultureInfo.InvariantCulture),
        float or double => ((IFormattable)value).ToString("0.0##", CultureInfo.InvariantCulture),
        _ => Plain(value),
    };

    public static void WriteJson(Utf8JsonWriter json, object? value)
    {
        switch (value)
        {
            case null or Escaped { Text: null }: json.WriteNullValue(); break;
            case Escaped escaped: json.WriteStringValue(escaped.Text); break;
            case string text: json.WriteStringValue(text); break;
            case bool flag: json.WriteBooleanValue(flag); break;
            case int number: json.WriteNumberValue(number); break;
            case long number: json.WriteNumberValue(number); break;
            case decimal number: json.WriteNumberValue(number); break;
            case float number when float.IsFinite(number): json.WriteNumberValue(number); break;
            case double number when double.IsFinite(number): json.WriteNumberValue(number); break;
            case TimeSpan duration: json.WriteNumberValue(duration.TotalSeconds); break;
            case JsonElement element: element.WriteTo(json); break;
            case IEnumerable<string> texts:
                json.WriteStartArray();
                foreach (var text in texts) json.WriteStringValue(text);
                json.WriteEndArray();
                break;
            case DateTimeOffset time: json.WriteStringValue(Time(time)); break;
            case Enum name: json.WriteStringValue(Name(name)); break;
            default: json.WriteStringValue(value.ToString()); break;
        }
    }

    public static bool IsNumber(object? value) => value is int or long or decimal or float or double or TimeSpan;

    public static string Bytes(long bytes)
    {
        ReadOnlySpan<string> units = ["B", "KiB", "MiB", "GiB", "TiB", "PiB"];
        double size = bytes;
        var unit = 0;
        while (Math.Abs(size) >= 1024 && unit < units.Length - 1)
        {
            size /= 1024;
            unit++;
        }

        return string.Create(CultureInfo.InvariantCulture, $"{size:0.#} {units[unit]}");
    }

    public static string Duration(TimeSpan duration) => duration switch
    {
        { TotalMilliseconds: < 1000 } => string.Create(CultureInfo.InvariantCulture, $"{duration.TotalMilliseconds:0.#} ms"),
        { TotalSeconds: < 60 } => string.Create(CultureInfo.InvariantCulture, $"{duration.TotalSeconds:0.0} s"),
        { TotalHours: < 1 } => string.Create(CultureInfo.InvariantCulture, $"{duration:m\\:ss} min"),
        { TotalDays: < 1 } => string.Create(CultureInfo.InvariantCulture, $"{duration:h\\:mm\\:ss} h"),
        _ => string.Create(CultureInfo.InvariantCulture, $"{duration.Days} d {duration:hh\\:mm} h"),
    };

    /// <summary>An enum member as the database writes it: lower case with underscores.</summary>
    public static string Name(Enum value) => JsonNamingPolicy.SnakeCaseLower.ConvertName(value.ToString());

    private static string Time(DateTimeOffset time)
        => time.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss.FFFFFF'Z'", CultureInfo.InvariantCulture);
}
