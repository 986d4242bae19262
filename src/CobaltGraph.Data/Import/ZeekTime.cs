namespace CobaltGraph.Data.Import;

/// <summary>
/// Times and durations of a log as whole microseconds, the precision of PostgreSQL, from decimal digits: a double would
/// lose the last one. Finer digits are rounded, half away from zero.
/// </summary>
internal static class ZeekTime
{
    private const long MicrosecondsPerSecond = 1_000_000;

    // What a TimeSpan holds; ten times as much still fits a long.
    private const long MaxMicroseconds = 922_337_203_685_477_580;

    public enum Result
    {
        Done,
        NotANumber,
        NotFinite,
        OutOfRange,

        /// <summary>A day or a time of day that there is not.</summary>
        NoSuchTime,
    }

    /// <summary>Reads seconds as a decimal number, with or without fraction and exponent.</summary>
    public static Result TryParseSeconds(ReadOnlySpan<byte> text, out long microseconds)
    {
        microseconds = 0;
        var isNegative = text is [(byte)'-', ..];
        if (text is [(byte)'-' or (byte)'+', ..])
            text = text[1..];

        var point = -1;
        var digits = 0;
        var length = 0;
        for (; length < text.Length; length++)
        {
            if (text[length] is >= (byte)'0' and <= (byte)'9')
                digits++;
            else if (text[length] == '.' && point < 0)
                point = digits;
            else
                break;
        }

        if (digits == 0)
            return IsNotFinite(text) ? Result.NotFinite : Result.NotANumber;

        var exponent = 0;
        if (length < text.Length && !TryParseExponent(text[length..], out exponent))
            return Result.NotANumber;

        // The number of leading digits that make up whole microseconds; the digit after them rounds.
        var whole = (point < 0 ? digits : point) + (long)exponent + 6;
        long value = 0;
        long position = 0;
        for (var i = 0; i < length; i++)
        {
            if (text[i] == '.')
                continue;
            var digit = text[i] - '0';
            if (position < whole)
            {
                if (value > MaxMicroseconds / 10)
                    return Result.OutOfRange;
                value = value * 10 + digit;
                if (value > MaxMicroseconds)
                    return Result.OutOfRange;
            }
            else
            {
                if (position == whole && digit >= 5)
                    value++;
                break;
            }

            position++;
        }

        for (; value != 0 && position < whole; position++)
        {
            value *= 10;
            if (value > MaxMicroseconds)
                return Result.OutOfRange;
        }

        microseconds = isNegative ? -value : value;
        return Result.Done;
    }

    /// <summary>Seconds since 1970 or ISO 8601 with an offset, as a UTC time that PostgreSQL and .NET can hold.</summary>
    public static Result TryParseTimestamp(ReadOnlySpan<byte> text, out DateTimeOffset timestamp)
    {
        timestamp = default;
        var result = TryParseSeconds(text, out var microseconds);
        if (result == Result.NotANumber)
            result = TryParseIso(text, out microseconds);
        if (result != Result.Done)
            return result;

        var range = DateTimeOffset.MaxValue.Ticks - DateTimeOffset.UnixEpoch.Ticks;
        // The very first instant of the calendar stands for "not set" in .NET, and becomes -infinity in PostgreSQL.
        if (microseconds > range / TimeSpan.TicksPerMicrosecond
            || microseconds <= -DateTimeOffset.UnixEpoch.Ticks / TimeSpan.TicksPerMicrosecond)
        {
            return Result.OutOfRange;
        }

        timestamp = DateTimeOffset.UnixEpoch.AddTicks(microseconds * TimeSpan.TicksPerMicrosecond);
        return Result.Done;
    }

    /// <summary>
    /// An interval as PostgreSQL prints it by default: <c>00:00:01.5</c>, <c>-1 days +02:03:04</c>, <c>2 days</c>. Months have
    /// no length.
    /// </summary>
    public static Result TryParseInterval(ReadOnlySpan<byte> text, out long microseconds)
    {
        microseconds = 0;
        var days = text.IndexOf(" day"u8);
        if (days >= 0)
        {
            if (!System.Buffers.Text.Utf8Parser.TryParse(text[..days], out int count, out var consumed) || consumed != days)
                return Result.NotANumber;
            if (Math.Abs((long)count) > TimeSpan.MaxValue.Days)
                return Result.OutOfRange;
            microseconds = count * (TimeSpan.TicksPerDay / TimeSpan.TicksPerMicrosecond);
            text = text[(days + 4)..];
            if (text is [(byte)'s', ..])
                text = text[1..];
            if (text.IsEmpty)
                return Result.Done;
            if (text[0] != ' ')
                return Result.NotANumber;
            text = text[1..];
        }

        var isNegative = text is [(byte)'-', ..];
        if (text is [(byte)'-' or (byte)'+', ..])
            text = text[1..];
        var colon = text.IndexOf((byte)':');
        // At most a billion hours, so that nothing overflows.
        if (colon is < 2 or > 9 || text.Length < colon + 6 || text[colon + 3] != ':' || text[colon + 4] is < (byte)'0' or > (byte)'9'
            || !TryParseDigits(text[..colon], out var hours) || !TryParseDigits(text.Slice(colon + 1, 2), out var minutes)
            || TryParseSeconds(text[(colon + 4)..], out var seconds) != Result.Done
            || minutes > 59 || seconds >= 60 * MicrosecondsPerSecond)
        {
            return Result.NotANumber;
        }

        var time = (hours * 60L + minutes) * 60 * MicrosecondsPerSecond + seconds;
        microseconds += isNegative ? -time : time;
        return Math.Abs(microseconds) > MaxMicroseconds ? Result.OutOfRange : Result.Done;
    }

    private static bool IsNotFinite(ReadOnlySpan<byte> text)
        => text.Length <= 8 && System.Text.Encoding.Latin1.GetString(text).ToUpperInvariant() is "NAN" or "INF" or "INFINITY";

    private static bool TryParseExponent(ReadOnlySpan<byte> text, out int exponent)
    {
        exponent = 0;
        if (text[0] is not ((byte)'e' or (byte)'E'))
            return false;
        text = text[1..];
        var isNegative = text is [(byte)'-', ..];
        if (text is [(byte)'-' or (byte)'+', ..])
            text = text[1..];
        if (text.IsEmpty)
            return false;
        foreach (var digit in text)
        {
            if (digit is < (byte)'0' or > (byte)'9')
                return false;
            // No line is long enough for a greater exponent to be outweighed by digits.
            exponent = Math.Min(exponent * 10 + (digit - '0'), 100_000_000);
        }

        if (isNegative)
            exponent = -exponent;
        return true;
    }

    /// <summary><c>2024-04-19T00:00:01.5Z</c>, <c>+02:00</c>, <c>+0200</c>; the offset is required.</summary>
    private static Result TryParseIso(ReadOnlySpan<byte> text, out long microseconds)
    {
        microseconds = 0;
        if (text.Length < 20
            || text[4] != '-' || text[7] != '-' || text[10] is not ((byte)'T' or (byte)' ') || text[13] != ':' || text[16] != ':'
            || !TryParseDigits(text[..4], out var year)
            || !TryParseDigits(text[5..7], out var month)
            || !TryParseDigits(text[8..10], out var day)
            || !TryParseDigits(text[11..13], out var hour)
            || !TryParseDigits(text[14..16], out var minute)
            || !TryParseDigits(text[17..19], out var second))
        {
            return Result.NotANumber;
        }

        var rest = text[19..];
        long fraction = 0;
        if (rest[0] == '.')
        {
            var length = 1;
            while (length < rest.Length && rest[length] is >= (byte)'0' and <= (byte)'9')
                length++;
            if (length == 1 || TryParseSeconds(rest[..length], out fraction) != Result.Done)
                return Result.NotANumber;
            rest = rest[length..];
        }

        if (!TryParseOffset(rest, out var offsetMinutes))
            return Result.NotANumber;
        if (year == 0)
            return Result.OutOfRange;
        if (month is 0 or > 12 || day == 0 || day > DateTime.DaysInMonth(year, month) || hour > 23 || minute > 59 || second > 59)
            return Result.NoSuchTime;

        var ticks = new DateTime(year, month, day, hour, minute, second, DateTimeKind.Utc).Ticks - DateTime.UnixEpoch.Ticks;
        microseconds = ticks / TimeSpan.TicksPerMicrosecond + fraction - offsetMinutes * 60L * MicrosecondsPerSecond;
        return Result.Done;
    }

    private static bool TryParseOffset(ReadOnlySpan<byte> text, out int minutes)
    {
        minutes = 0;
        if (text is [(byte)'Z' or (byte)'z'])
            return true;
        if (text is not [(byte)'+' or (byte)'-', ..])
            return false;
        var isNegative = text[0] == '-';
        text = text[1..];
        var minutePart = text.Length switch
        {
            5 when text[2] == ':' => text[3..],
            4 => text[2..],
            2 => "00"u8,
            _ => default,
        };
        if (minutePart.IsEmpty || !TryParseDigits(text[..2], out var hours) || !TryParseDigits(minutePart, out var rest)
            || hours > 18 || rest > 59)
        {
            return false;
        }

        minutes = (hours * 60 + rest) * (isNegative ? -1 : 1);
        return true;
    }

    private static bool TryParseDigits(ReadOnlySpan<byte> text, out int value)
    {
        value = 0;
        foreach (var digit in text)
        {
            if (digit is < (byte)'0' or > (byte)'9')
                return false;
            value = value * 10 + (digit - '0');
        }

        return true;
    }
}
