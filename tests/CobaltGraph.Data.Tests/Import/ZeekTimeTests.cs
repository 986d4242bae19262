using System.Text;
using CobaltGraph.Data.Import;

namespace CobaltGraph.Data.Tests.Import;

public class ZeekTimeTests
{
    [Theory]
    [InlineData("0", 0)]
    [InlineData("0.0", 0)]
    [InlineData("-0", 0)]
    [InlineData("1", 1_000_000)]
    [InlineData("1.", 1_000_000)]
    [InlineData(".5", 500_000)]
    [InlineData("+2.25", 2_250_000)]
    [InlineData("-2.25", -2_250_000)]
    [InlineData("1713484784.962686", 1713484784962686)]
    [InlineData("1588205199.82437", 1588205199824370)]
    [InlineData("7e-06", 7)]
    [InlineData("7E-6", 7)]
    [InlineData("9.1e-05", 91)]
    [InlineData("1.5e3", 1_500_000_000)]
    [InlineData("1e+2", 100_000_000)]
    [InlineData("15e-7", 2)]
    [InlineData("4e-7", 0)]
    [InlineData("5e-7", 1)]
    [InlineData("5e-8", 0)]
    [InlineData("-5e-7", -1)]
    [InlineData("0.0000004999999999999999999999999999999999999999", 0)]
    [InlineData("0.001528024673461914", 1528)]
    [InlineData("0.9999996", 1_000_000)]
    [InlineData("0e200000", 0)]
    [InlineData("1e-200000", 0)]
    [InlineData("0000000000000000000000000000000000001.5", 1_500_000)]
    [InlineData("9007199254740993.000001e-6", 9007199254740993)]
    public void Seconds_are_read_to_the_microsecond(string text, long microseconds)
    {
        Assert.Equal(ZeekTime.Result.Done, ZeekTime.TryParseSeconds(Encoding.UTF8.GetBytes(text), out var value));
        Assert.Equal(microseconds, value);
    }

    [Theory]
    [InlineData("", ZeekTime.Result.NotANumber)]
    [InlineData("-", ZeekTime.Result.NotANumber)]
    [InlineData(".", ZeekTime.Result.NotANumber)]
    [InlineData("1.2.3", ZeekTime.Result.NotANumber)]
    [InlineData("1e", ZeekTime.Result.NotANumber)]
    [InlineData("1e+", ZeekTime.Result.NotANumber)]
    [InlineData("1e1.5", ZeekTime.Result.NotANumber)]
    [InlineData("0x10", ZeekTime.Result.NotANumber)]
    [InlineData(" 1", ZeekTime.Result.NotANumber)]
    [InlineData("1 ", ZeekTime.Result.NotANumber)]
    [InlineData("1,5", ZeekTime.Result.NotANumber)]
    [InlineData("NaN", ZeekTime.Result.NotFinite)]
    [InlineData("-nan", ZeekTime.Result.NotFinite)]
    [InlineData("inf", ZeekTime.Result.NotFinite)]
    [InlineData("-Infinity", ZeekTime.Result.NotFinite)]
    [InlineData("1e200000", ZeekTime.Result.OutOfRange)]
    [InlineData("1e99999999999999999999", ZeekTime.Result.OutOfRange)]
    [InlineData("99999999999999999999999999", ZeekTime.Result.OutOfRange)]
    [InlineData("922337203685.5", ZeekTime.Result.OutOfRange)]
    public void Seconds_that_are_no_number_or_too_many_are_refused(string text, object result)
        => Assert.Equal(result, ZeekTime.TryParseSeconds(Encoding.UTF8.GetBytes(text), out _));

    [Fact]
    public void Seconds_agree_with_decimal_arithmetic()
    {
        var random = new Random(4711);
        for (var i = 0; i < 20_000; i++)
        {
            var value = new decimal(random.Next(), random.Next(), random.Next(4), random.Next(2) == 0, (byte)random.Next(10, 21));
            if (Math.Abs(value) > 900_000_000_000m)
                continue;
            var text = value.ToString(System.Globalization.CultureInfo.InvariantCulture);
            Assert.Equal(ZeekTime.Result.Done, ZeekTime.TryParseSeconds(Encoding.UTF8.GetBytes(text), out var microseconds));
            Assert.Equal((long)Math.Round(value * 1_000_000m, MidpointRounding.AwayFromZero), microseconds);
        }
    }

    [Theory]
    [InlineData("0", "1970-01-01T00:00:00.0000000+00:00")]
    [InlineData("0.000001", "1970-01-01T00:00:00.0000010+00:00")]
    [InlineData("-1.5", "1969-12-31T23:59:58.5000000+00:00")]
    [InlineData("-62135596799.999999", "0001-01-01T00:00:00.0000010+00:00")]
    [InlineData("253402300799.999999", "9999-12-31T23:59:59.9999990+00:00")]
    [InlineData("2020-04-30T00:06:39.824370Z", "2020-04-30T00:06:39.8243700+00:00")]
    [InlineData("2020-04-30T00:06:39Z", "2020-04-30T00:06:39.0000000+00:00")]
    [InlineData("2020-04-30 02:06:39.5+02:00", "2020-04-30T00:06:39.5000000+00:00")]
    [InlineData("2020-04-29T18:36:39.5-0530", "2020-04-30T00:06:39.5000000+00:00")]
    [InlineData("2020-04-30T03:06:39+03", "2020-04-30T00:06:39.0000000+00:00")]
    [InlineData("2020-02-29T23:59:59.9999996Z", "2020-03-01T00:00:00.0000000+00:00")]
    public void Timestamp_is_utc_and_exact(string text, string expected)
    {
        Assert.Equal(ZeekTime.Result.Done, ZeekTime.TryParseTimestamp(Encoding.UTF8.GetBytes(text), out var timestamp));
        Assert.Equal(expected, timestamp.ToString("O"));
    }

    [Theory]
    [InlineData("-62135596800", ZeekTime.Result.OutOfRange)]
    [InlineData("-62135596800.0000004", ZeekTime.Result.OutOfRange)]
    [InlineData("253402300800", ZeekTime.Result.OutOfRange)]
    [InlineData("253402300799.9999996", ZeekTime.Result.OutOfRange)]
    [InlineData("1588205199824", ZeekTime.Result.OutOfRange)]
    [InlineData("0001-01-01T00:00:00+01:00", ZeekTime.Result.OutOfRange)]
    [InlineData("9999-12-31T23:59:59-01:00", ZeekTime.Result.OutOfRange)]
    [InlineData("0000-01-01T00:00:00Z", ZeekTime.Result.OutOfRange)]
    [InlineData("2021-02-29T00:00:00Z", ZeekTime.Result.NoSuchTime)]
    [InlineData("2021-13-01T00:00:00Z", ZeekTime.Result.NoSuchTime)]
    [InlineData("2021-01-01T24:00:00Z", ZeekTime.Result.NoSuchTime)]
    [InlineData("2021-01-01T23:59:60Z", ZeekTime.Result.NoSuchTime)]
    [InlineData("2021-01-01T00:00:00", ZeekTime.Result.NotANumber)]
    [InlineData("2021-01-01T00:00:00.Z", ZeekTime.Result.NotANumber)]
    [InlineData("2021-01-01T00:00:00.5.5Z", ZeekTime.Result.NotANumber)]
    [InlineData("2021-01-01T00:00:00+1", ZeekTime.Result.NotANumber)]
    [InlineData("2021-01-01T00:00:00+99:00", ZeekTime.Result.NotANumber)]
    [InlineData("2021-01-01", ZeekTime.Result.NotANumber)]
    [InlineData("yesterday", ZeekTime.Result.NotANumber)]
    public void Timestamp_that_cannot_be_stored_is_refused(string text, object result)
        => Assert.Equal(result, ZeekTime.TryParseTimestamp(Encoding.UTF8.GetBytes(text), out _));

    [Theory]
    [InlineData("00:00:00", 0)]
    [InlineData("00:00:01.5", 1_500_000)]
    [InlineData("-00:00:00.000001", -1)]
    [InlineData("26:03:04", 93_784_000_000)]
    [InlineData("2 days", 172_800_000_000)]
    [InlineData("1 day 02:03:04.000005", 93_784_000_005)]
    [InlineData("-1 days +02:00:00", -79_200_000_000)]
    [InlineData("-1 days -02:00:00", -93_600_000_000)]
    [InlineData("10675199 days 02:48:05.47758", 922_337_203_685_477_580)]
    [InlineData("-10675199 days -02:48:05.47758", -922_337_203_685_477_580)]
    public void Interval_is_read_as_postgresql_prints_it(string text, long microseconds)
    {
        Assert.Equal(ZeekTime.Result.Done, ZeekTime.TryParseInterval(Encoding.UTF8.GetBytes(text), out var value));
        Assert.Equal(microseconds, value);
    }

    [Theory]
    [InlineData("", ZeekTime.Result.NotANumber)]
    [InlineData("1", ZeekTime.Result.NotANumber)]
    [InlineData("1 mon", ZeekTime.Result.NotANumber)]
    [InlineData("1 mon 2 days", ZeekTime.Result.NotANumber)]
    [InlineData(" day", ZeekTime.Result.NotANumber)]
    [InlineData("1 daily", ZeekTime.Result.NotANumber)]
    [InlineData("1 day ", ZeekTime.Result.NotANumber)]
    [InlineData("1:2:3", ZeekTime.Result.NotANumber)]
    [InlineData("00:60:00", ZeekTime.Result.NotANumber)]
    [InlineData("00:00:60", ZeekTime.Result.NotANumber)]
    [InlineData("00:00:-1", ZeekTime.Result.NotANumber)]
    [InlineData("00:00", ZeekTime.Result.NotANumber)]
    [InlineData("10675200 days", ZeekTime.Result.OutOfRange)]
    [InlineData("10675199 days 02:48:06", ZeekTime.Result.OutOfRange)]
    [InlineData("999999999:00:00", ZeekTime.Result.OutOfRange)]
    [InlineData("99999999999 days", ZeekTime.Result.NotANumber)]
    public void Interval_that_has_no_length_is_refused(string text, object result)
        => Assert.Equal(result, ZeekTime.TryParseInterval(Encoding.UTF8.GetBytes(text), out _));
}
