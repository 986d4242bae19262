using System.Globalization;

namespace CobaltGraph.Data;

/// <summary>Durations as PostgreSQL's settings write them: a number of milliseconds, or a number with a unit.</summary>
internal static class ServerDuration
{
    public static bool TryParseMilliseconds(string text, out int milliseconds)
    {
        milliseconds = 0;
        var digits = text.AsSpan().TrimEnd("abcdefghijklmnopqrstuvwxyz");
        decimal? unit = text.AsSpan(digits.Length) switch
        {
            "" or "ms" => 1,
            "us" => 0.001m,
            "s" => 1000,
            "min" => 60_000,
            "h" => 3_600_000,
            "d" => 86_400_000,
            _ => null,
        };
        if (unit is null
            || !decimal.TryParse(
                digits.TrimEnd(' '), NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var number)
            || number > int.MaxValue)
        {
            return false;
        }

        var value = Math.Round(number * unit.Value, MidpointRounding.AwayFromZero);
        // 0 switches the limit off; a limit that is only rounded to 0 must not.
        if (value > int.MaxValue || (value == 0 && number != 0)) return false;
        milliseconds = (int)value;
        return true;
    }
}
