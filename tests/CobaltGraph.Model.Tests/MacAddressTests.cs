using System.ComponentModel;
using System.Globalization;
using System.Net.NetworkInformation;
using System.Text;
using System.Text.Json;

namespace CobaltGraph.Model.Tests;

public class MacAddressTests
{
    private static readonly MacAddress Sample = new(0x08002B_0102AF);

    // What PostgreSQL 15 answers to the same literals: the same address.
    [Theory]
    [InlineData("08:00:2b:01:02:af")]
    [InlineData("08:00:2B:01:02:AF")]
    [InlineData("08-00-2b-01-02-af")]
    [InlineData("0800.2b01.02af")]
    [InlineData("0800-2b01-02af")]
    [InlineData("08002b:0102af")]
    [InlineData("08002b-0102af")]
    [InlineData("08002b0102af")]
    [InlineData("08002B0102AF")]
    [InlineData("8:0:2b:1:2:af")]
    [InlineData("8-0-2B-1-2-AF")]
    [InlineData("8:00:2b:1:02:af")]
    [InlineData(" 08:00:2b:01:02:af\t\r\n")]
    public void Parse_every_notation_gives_the_address(string text)
    {
        Assert.Equal(Sample, MacAddress.Parse(text));
        Assert.Equal(Sample, MacAddress.Parse(text.AsSpan()));
        Assert.Equal(Sample, MacAddress.Parse(Encoding.UTF8.GetBytes(text)));
        Assert.Equal(Sample, Generic<MacAddress>(text));
        Assert.Equal(Sample, GenericSpan<MacAddress>(text));
        Assert.Equal(Sample, GenericUtf8<MacAddress>(Encoding.UTF8.GetBytes(text)));
        Assert.True(MacAddress.TryParse(text, CultureInfo.GetCultureInfo(""), out var result) && result == Sample);
    }

    [Theory]
    [InlineData("")]
    [InlineData(" ")]
    [InlineData("aa:bb:cc:dd:ee")]
    [InlineData("aa:bb:cc:dd:ee:")]
    [InlineData(":aa:bb:cc:dd:ee:ff")]
    [InlineData("aa:bb:cc:dd:ee:ff:")]
    [InlineData("aa:bb:cc:dd:ee:ff:00")]
    [InlineData("aa::cc:dd:ee:ff")]
    [InlineData("aa:bb:cc:dd:ee-ff")]
    [InlineData("aa-bb:cc-dd:ee-ff")]
    [InlineData("aabb.ccdd-eeff")]
    [InlineData("aabb:ccdd:eeff")]
    [InlineData("aabbcc.ddeeff")]
    [InlineData("aa.bb.cc.dd.ee.ff")]
    [InlineData("8.0.2b.1.2.3")]
    [InlineData("aa bb cc dd ee ff")]
    [InlineData("aa: bb:cc:dd:ee:ff")]
    [InlineData("aabbccddeef")]
    [InlineData("aabbccddeeff0")]
    [InlineData("0aa:bb:cc:dd:ee:ff")]
    [InlineData("1aa:bb:cc:dd:ee:ff")]
    [InlineData("0x8:0:2b:1:2:3")]
    [InlineData("gg:bb:cc:dd:ee:ff")]
    [InlineData("aabb.ccdd.eef")]
    [InlineData("abb.ccdd.eeff")]
    [InlineData("aabbcc-ddeef")]
    [InlineData("-8:0:2b:1:2:3")]
    [InlineData("aa:bb:cc:dd:ee:ff x")]
    [InlineData("aa:bb:cc:dd:ee:ff\0")]
    [InlineData("aa/bb/cc/dd/ee/ff")]
    [InlineData("aabb")]
    [InlineData("aabbcc")]
    [InlineData("١٢:bb:cc:dd:ee:ff")]
    [InlineData("ａａ:bb:cc:dd:ee:ff")]
    [InlineData("\u0161\u0161:bb:cc:dd:ee:ff")]
    public void Parse_anything_else_fails(string text)
    {
        Assert.False(MacAddress.TryParse(text, out var result));
        Assert.Equal(default, result);
        Assert.False(MacAddress.TryParse(text.AsSpan(), null, out _));
        Assert.False(MacAddress.TryParse(Encoding.UTF8.GetBytes(text), null, out _));
        var fromText = Assert.Throws<FormatException>(() => MacAddress.Parse(text));
        var fromUtf8 = Assert.Throws<FormatException>(() => MacAddress.Parse(Encoding.UTF8.GetBytes(text)));
        Assert.Equal(fromText.Message, fromUtf8.Message);
    }

    [Fact]
    public void Parse_null_is_told_apart_from_bad_text()
    {
        Assert.False(MacAddress.TryParse((string?)null, out _));
        Assert.False(MacAddress.TryParse((string?)null, null, out _));
        Assert.Throws<ArgumentNullException>(() => MacAddress.Parse((string)null!));
    }

    [Fact]
    public void Parse_error_shows_the_input_bounded_and_escaped_and_what_is_accepted()
    {
        var message = Assert.Throws<FormatException>(
            () => MacAddress.Parse("\u001b[31mred\u202egnp\n\0" + new string('x', 5000))).Message;

        Assert.StartsWith("'\\x1b[31mred\\u202egnp\\n\\x00xxx", message);
        Assert.Contains("…' (5014 characters)", message);
        Assert.Contains("aabb.ccdd.eeff", message);
        Assert.DoesNotContain(message, c => char.IsControl(c) || c == '\u202e');
        Assert.InRange(message.Length, 1, 400);
    }

    [Fact]
    public void Random_addresses_survive_every_notation()
    {
        var random = new Random(20_260_401);
        string[] formats = ["c", "C", "d", "D", "p", "P", "n", "N", "g", "G", ""];
        for (var i = 0; i < 20_000; i++)
        {
            var mac = new MacAddress(random.NextInt64(0x1_0000_0000_0000) >> random.Next(48));
            var bare = mac.ToInt64().ToString("x12");
            foreach (var format in formats)
            {
                var text = mac.ToString(format);
                Assert.Equal(mac, MacAddress.Parse(text));
                Assert.Equal(bare, new string([.. text.Where(char.IsAsciiHexDigit)]).ToLowerInvariant());
            }
            foreach (var separator in ":-")
            {
                Assert.Equal(mac, MacAddress.Parse($"{bare[..6]}{separator}{bare[6..]}"));
                Assert.Equal(mac, MacAddress.Parse(
                    string.Join(separator, mac.ToByteArray().Select(octet => octet.ToString("X")))));
            }
            Assert.Equal(mac, MacAddress.Parse($"{bare[..4]}-{bare[4..8]}-{bare[8..]}"));
            Assert.Equal(mac, MacAddress.FromPhysicalAddress(mac.ToPhysicalAddress()));
            Assert.Equal(mac, new MacAddress(mac.ToByteArray()));
        }
    }

    [Fact]
    public void Random_text_never_parses_to_something_else_than_its_digits()
    {
        var random = new Random(7);
        const string alphabet = "0aF9:-. g";
        for (var i = 0; i < 200_000; i++)
        {
            var text = random.GetString(alphabet, random.Next(10, 19));
            if (!MacAddress.TryParse(text, out var mac))
                continue;
            var groups = text.Trim().Split(':', '-', '.');
            var digits = groups.Length == 6 ? string.Concat(groups.Select(g => g.PadLeft(2, '0'))) : string.Concat(groups);
            Assert.Equal(digits.ToLowerInvariant(), mac.ToString("n"));
        }
    }

    [Theory]
    [InlineData(null, "08:00:2b:01:02:af")]
    [InlineData("", "08:00:2b:01:02:af")]
    [InlineData("G", "08:00:2b:01:02:af")]
    [InlineData("c", "08:00:2b:01:02:af")]
    [InlineData("C", "08:00:2B:01:02:AF")]
    [InlineData("d", "08-00-2b-01-02-af")]
    [InlineData("D", "08-00-2B-01-02-AF")]
    [InlineData("p", "0800.2b01.02af")]
    [InlineData("P", "0800.2B01.02AF")]
    [InlineData("n", "08002b0102af")]
    [InlineData("N", "08002B0102AF")]
    public void Format_gives_the_documented_notation(string? format, string expected)
    {
        Assert.Equal(expected, Sample.ToString(format));
        Assert.Equal(expected, ((IFormattable)Sample).ToString(format, CultureInfo.InvariantCulture));
        Assert.Equal(expected, string.Format(CultureInfo.InvariantCulture, $"{{0:{format}}}", Sample));

        Span<char> chars = stackalloc char[17];
        Assert.True(Sample.TryFormat(chars, out var written, format));
        Assert.Equal(expected, chars[..written].ToString());
        Assert.True(Sample.TryFormat(chars[..expected.Length], out _, format));
        Assert.False(Sample.TryFormat(chars[..(expected.Length - 1)], out written, format));
        Assert.Equal(0, written);

        Span<byte> bytes = stackalloc byte[17];
        Assert.True(Sample.TryFormat(bytes, out written, format));
        Assert.Equal(expected, Encoding.UTF8.GetString(bytes[..written]));
        Assert.False(Sample.TryFormat(bytes[..(expected.Length - 1)], out _, format));
    }

    [Fact]
    public void Format_unknown_is_refused_with_the_known_ones()
    {
        var exception = Assert.Throws<FormatException>(() => Sample.ToString("x"));
        Assert.Contains("'x'", exception.Message);
        Assert.Contains("aabb.ccdd.eeff", exception.Message);
        Assert.Equal("08:00:2b:01:02:af", Sample.ToString());
        Assert.Equal("08:00:2b:01:02:af", $"{Sample}");
    }

    [Fact]
    public void Parse_compare_and_format_to_a_span_allocate_nothing()
    {
        string[] texts = ["8:0:2b:1:2:3", "AABB.CCDD.EEFF", "aabbccddeeff", "no address at all", " aa-bb-cc-dd-ee-ff "];
        var utf8 = texts.Select(Encoding.UTF8.GetBytes).ToArray();
        var comparer = Comparer<MacAddress>.Default;
        var equality = EqualityComparer<MacAddress>.Default;
        Span<char> chars = stackalloc char[17];
        Span<byte> bytes = stackalloc byte[17];

        var checksum = 0L;
        var before = 0L;
        for (var round = 0; round < 1000; round++)
        {
            if (round == 500)
                before = GC.GetAllocatedBytesForCurrentThread();
            for (var i = 0; i < texts.Length; i++)
            {
                checksum += MacAddress.TryParse(texts[i], out var fromText) ? 1 : 0;
                checksum += MacAddress.TryParse(texts[i].AsSpan(), null, out var fromSpan) ? 1 : 0;
                checksum += MacAddress.TryParse(utf8[i], null, out var fromUtf8) ? 1 : 0;
                checksum += comparer.Compare(fromText, fromSpan) + (equality.Equals(fromSpan, fromUtf8) ? 1 : 0);
                checksum += fromText.GetHashCode() + (fromText < fromUtf8 ? 1 : 0) + fromText.ToInt64();
                fromText.TryFormat(chars, out var written);
                fromText.TryFormat(bytes, out written, "P");
                fromText.TryWriteBytes(bytes);
                checksum += written + MacAddress.Parse("aa:bb:cc:dd:ee:ff").CompareTo(fromText);
            }
        }
        var allocated = GC.GetAllocatedBytesForCurrentThread() - before;

        Assert.Equal(0, allocated);
        Assert.NotEqual(0, checksum);
    }

    [Fact]
    public void Order_is_that_of_unsigned_octets()
    {
        var random = new Random(11);
        var macs = Enumerable.Range(0, 2000).Select(_ => new MacAddress(random.NextInt64(0x1_0000_0000_0000)))
            .Append(MacAddress.Zero).Append(MacAddress.Broadcast).ToArray();
        var expected = macs.OrderBy(m => m.ToString("n"), StringComparer.Ordinal).ToArray();

        Array.Sort(macs);

        Assert.Equal(expected, macs);
        Assert.Equal(MacAddress.Zero, macs[0]);
        Assert.Equal(MacAddress.Broadcast, macs[^1]);
    }

    [Fact]
    public void Comparison_operators_and_interfaces_agree()
    {
        var low = new MacAddress(1);
        var high = MacAddress.Parse("80:00:00:00:00:00");
        var sameLow = new MacAddress(1);

        Assert.True(low < high && low <= high && high > low && high >= low && low <= sameLow && low >= sameLow);
        Assert.False(low > high || low >= high || high < low || high <= low || low < sameLow || low > sameLow);
        Assert.True(low == sameLow && low != high && low.Equals((object)sameLow) && !low.Equals("x"));
        Assert.Equal(low.GetHashCode(), sameLow.GetHashCode());
        Assert.True(low.CompareTo((object)high) < 0);
        Assert.Equal(1, low.CompareTo(null));
        Assert.Throws<ArgumentException>(() => low.CompareTo("00:00:00:00:00:01"));
        Assert.True(IsLess(low, high));

        static bool IsLess<T>(T a, T b) where T : System.Numerics.IComparisonOperators<T, T, bool> => a < b;
    }

    [Theory]
    [InlineData("00:00:00:00:00:00", false, false, false, true, false)]
    [InlineData("ff:ff:ff:ff:ff:ff", true, true, true, false, false)]
    [InlineData("01:00:5e:00:00:fb", false, true, false, false, false)]
    [InlineData("33:33:00:00:00:01", true, true, false, false, false)]
    [InlineData("b8:27:eb:00:00:01", false, false, false, false, true)]
    [InlineData("da:a1:19:00:00:01", true, false, false, false, true)]
    [InlineData("fe:ff:ff:ff:ff:ff", true, false, false, false, true)]
    [InlineData("00:00:00:00:00:01", false, false, false, false, true)]
    public void Bits_are_read_from_the_first_octet(
        string text, bool local, bool multicast, bool broadcast, bool zero, bool device)
    {
        var mac = MacAddress.Parse(text);
        Assert.Equal(
            (local, multicast, broadcast, zero, device),
            (mac.IsLocallyAdministered, mac.IsMulticast, mac.IsBroadcast, mac.IsZero, mac.IsDevice));
        Assert.Equal(text[..8], mac.Oui);
    }

    [Fact]
    public void Numbers_and_bytes_out_of_range_are_refused()
    {
        Assert.Equal("00:00:00:00:00:ff", new MacAddress(255).ToString());
        Assert.Equal(0xFFFF_FFFF_FFFF, MacAddress.Broadcast.ToInt64());
        Assert.Throws<ArgumentOutOfRangeException>(() => new MacAddress(-1));
        Assert.Throws<ArgumentOutOfRangeException>(() => new MacAddress(0x1_0000_0000_0000));
        Assert.Throws<ArgumentException>(() => new MacAddress(new byte[5]));
        Assert.Throws<ArgumentException>(() => new MacAddress(new byte[8]));
        Assert.Throws<ArgumentException>(() => MacAddress.FromPhysicalAddress(PhysicalAddress.None));
        Assert.Throws<ArgumentNullException>(() => MacAddress.FromPhysicalAddress(null!));
        Assert.False(Sample.TryWriteBytes(new byte[5]));
        Assert.Equal("08002B0102AF", Sample.ToPhysicalAddress().ToString());
    }

    [Fact]
    public void Json_round_trips_as_value_key_and_null()
    {
        var value = new Dictionary<MacAddress, MacAddress?> { [Sample] = MacAddress.Broadcast, [default] = null };

        var json = JsonSerializer.Serialize(value);

        Assert.Equal("""{"08:00:2b:01:02:af":"ff:ff:ff:ff:ff:ff","00:00:00:00:00:00":null}""", json);
        Assert.Equal(value, JsonSerializer.Deserialize<Dictionary<MacAddress, MacAddress?>>(json));
    }

    [Theory]
    [InlineData("\"0800.2B01.02AF\"")]
    [InlineData("\" 8:0:2b:1:2:af \"")]
    [InlineData("\"08\\u003a00\\u003A2b:01:02:af\"")]
    public void Json_reads_every_notation(string json)
    {
        Assert.Equal(Sample, JsonSerializer.Deserialize<MacAddress>(json));
        Assert.Equal(Sample, JsonSerializer.Deserialize<MacAddress>(new MemoryStream(Encoding.UTF8.GetBytes(json))));
    }

    [Theory]
    [InlineData("5")]
    [InlineData("null")]
    [InlineData("{}")]
    [InlineData("\"\"")]
    [InlineData("\"aa:bb\"")]
    public void Json_of_something_else_is_a_JsonException(string json)
    {
        Assert.Throws<JsonException>(() => JsonSerializer.Deserialize<MacAddress>(json));
    }

    [Fact]
    public void Json_of_a_long_string_is_a_bounded_error()
    {
        var exception = Assert.Throws<JsonException>(
            () => JsonSerializer.Deserialize<MacAddress>($"\"{new string('a', 100_000)}\""));
        Assert.InRange(exception.Message.Length, 1, 300);
        Assert.Throws<JsonException>(
            () => JsonSerializer.Deserialize<Dictionary<MacAddress, int>>("""{"x":1}"""));
    }

    [Fact]
    public void Type_converter_serves_configuration()
    {
        var converter = TypeDescriptor.GetConverter(typeof(MacAddress));

        Assert.True(converter.CanConvertFrom(typeof(string)) && converter.CanConvertTo(typeof(string)));
        Assert.True(converter.CanConvertFrom(typeof(PhysicalAddress)) && converter.CanConvertTo(typeof(PhysicalAddress)));
        Assert.False(converter.CanConvertFrom(typeof(int)));
        Assert.Equal(Sample, converter.ConvertFromInvariantString("0800.2b01.02af"));
        Assert.Equal("08:00:2b:01:02:af", converter.ConvertToInvariantString(Sample));
        Assert.Equal(Sample.ToPhysicalAddress(), converter.ConvertTo(Sample, typeof(PhysicalAddress)));
        Assert.Equal(Sample, converter.ConvertFrom(Sample.ToPhysicalAddress()));
        Assert.Throws<FormatException>(() => converter.ConvertFromInvariantString("x"));
        Assert.Throws<NotSupportedException>(() => converter.ConvertFrom(5));
    }

    private static T Generic<T>(string text) where T : IParsable<T> => T.Parse(text, null);

    private static T GenericSpan<T>(ReadOnlySpan<char> text) where T : ISpanParsable<T>
        => T.TryParse(text, null, out var result) && T.Parse(text, null).Equals(result) ? result : throw new FormatException();

    private static T GenericUtf8<T>(ReadOnlySpan<byte> text) where T : IUtf8SpanParsable<T>
        => T.TryParse(text, null, out var result) && T.Parse(text, null).Equals(result) ? result : throw new FormatException();
}
