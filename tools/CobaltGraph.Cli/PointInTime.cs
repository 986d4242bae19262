using System.Globalization;

namespace CobaltGraph.Cli;

/// <summary>Reads a point in time as people give it: ISO 8601, or an age such as <c>24h</c>.</summary>
internal static class PointInTime
{
    private static readonly string[] Formats =
    [
        "yyyy-MM-dd", "yyyy-MM-dd'T'HH:mmK", "yyyy-MM-dd'T'HH:mm:ssK", "yyyy-MM-dd'T'HH:mm:ss.FFFFFFFK",
        "yyyy-MM-dd HH:mmK", "yyyy-MM-dd HH:mm:ssK",
    ];

    /// <summary>Whether a text that is read as a time is an age.</summary>
    public static bool IsAge(string text) => text.Length > 0 && char.IsAsciiLetterLower(text[^1]);

    public static bool TryParse(string text, DateTimeOffset now, out DateTimeOffset time)
    {
        if (DateTimeOffset.TryParseExact(
            text, Formats, CultureInfo.InvariantCulture,
            DateTimeStyles.AssumeUniversal | DateTimeStyles.AdjustToUniversal, out time))
        {
            return true;
        }

        double? seconds = text.Length == 0 ? null : text[^1] switch
        {
            's' => 1,
            'm' => 60,
            'h' => 3600,
            'd' => 86_400,
            'w' => 604_800,
            _ => null,
        };
        if (seconds is null
            || !int.TryParse(text.AsSpan(0, text.Length - 1), NumberStyles.None, CultureInfo.InvariantCulture, out var count)
            || count * seconds.Value > (now - DateTimeOffset.UnixEpoch).TotalSeconds)
        {
            return false;
        }

        time = now.AddSeconds(-count * seconds.Value);
        return true;
    }
}
