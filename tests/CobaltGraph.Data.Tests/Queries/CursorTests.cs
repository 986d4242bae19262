using System.Net;
using CobaltGraph.Data.Queries;
using CobaltGraph.Model;

namespace CobaltGraph.Data.Tests.Queries;

public class CursorTests
{
    private static readonly CursorCodec Codec = new(new QueryOptions().CursorKey);

    private static QueryShape Shape(string value = "a") => new QueryShape("test").Add("value", value);

    [Fact]
    public void Every_kind_of_value_survives()
    {
        object?[] key =
        [
            null, new DateTimeOffset(2026, 1, 2, 3, 4, 5, TimeSpan.Zero).AddTicks(10), long.MaxValue, 0.1f, "ü'\\%\0", true,
            MacAddress.Parse("02:00:5e:00:00:01"), IPAddress.Parse("10.0.0.1"), IPAddress.Parse("2001:db8::1"),
        ];

        var position = Codec.Decode(Shape(), Codec.Encode(Shape(), new CursorPosition(true, false, key)));

        Assert.Equal(key, position.Key);
        Assert.True(position.Backward);
        Assert.False(position.Inclusive);
    }

    [Fact]
    public void Cursor_fits_into_an_address_as_it_is()
    {
        var text = Codec.Encode(Shape(), new CursorPosition(false, true, [new string('ü', 255)]));

        Assert.Matches("^[A-Za-z0-9_-]+$", text);
        Assert.True(Codec.Decode(Shape(), text).Inclusive);
    }

    [Fact]
    public void Any_changed_character_is_noticed()
    {
        var text = Codec.Encode(Shape(), new CursorPosition(false, false, [DateTimeOffset.UnixEpoch, 42L]));

        for (var i = 0; i < text.Length - 1; i++)
        {
            var forged = text[..i] + (text[i] == 'A' ? 'B' : 'A') + text[(i + 1)..];
            Assert.Equal("cursor", Assert.Throws<QueryFilterException>(() => Codec.Decode(Shape(), forged)).Field);
        }
    }

    [Fact]
    public void Cut_cursor_is_refused()
    {
        var text = Codec.Encode(Shape(), new CursorPosition(false, false, [42L]));

        for (var length = 0; length < text.Length; length++)
            Assert.Throws<QueryFilterException>(() => Codec.Decode(Shape(), text[..length]));
    }

    [Theory]
    [InlineData("' OR 1=1 --")]
    [InlineData("AAAA")]
    [InlineData("\u202e\n")]
    public void Text_that_is_no_cursor_is_refused_and_shown_safely(string text)
    {
        var error = Assert.Throws<QueryFilterException>(() => Codec.Decode(Shape(), text));

        Assert.StartsWith("cursor: '", error.Message, StringComparison.Ordinal);
        Assert.EndsWith(
            "is not a cursor. Accepted: Next or Previous of a page of the same query, unchanged, or none for the first page.",
            error.Message, StringComparison.Ordinal);
        Assert.DoesNotContain('\u202e', error.Message);
        Assert.Equal(text, error.Value);
    }

    [Fact]
    public void Long_text_is_refused()
        => Assert.Contains(
            "(5000 characters) is not a cursor",
            Assert.Throws<QueryFilterException>(() => Codec.Decode(Shape(), new string('A', 5000))).Message,
            StringComparison.Ordinal);

    [Fact]
    public void Cursor_of_another_query_is_refused()
    {
        var text = Codec.Encode(Shape(), new CursorPosition(false, false, [42L]));

        Assert.Contains(
            "belongs to a query with another filter or order",
            Assert.Throws<QueryFilterException>(() => Codec.Decode(Shape("b"), text)).Message,
            StringComparison.Ordinal);
    }

    [Fact]
    public void Servers_with_one_key_take_each_others_cursors_and_no_others()
    {
        var options = new QueryOptions { CursorKey = "a key of both servers"u8.ToArray() };
        var text = new CursorCodec(options.CursorKey).Encode(Shape(), new CursorPosition(false, false, [42L]));

        Assert.Equal([42L], new CursorCodec("a key of both servers"u8.ToArray()).Decode(Shape(), text).Key);
        Assert.Throws<QueryFilterException>(() => Codec.Decode(Shape(), text));
    }

    [Fact]
    public void Short_key_is_refused()
        => Assert.Throws<ArgumentException>(() => new QueryOptions { CursorKey = new byte[15] });

    [Fact]
    public void Shapes_differ_by_name_value_and_number_of_values_only()
    {
        Assert.Equal(Set("b", "a", "b"), Set("a", "b"));
        Assert.NotEqual(Set("a"), Set("a", "b"));
        Assert.NotEqual(Set(), new QueryShape("test").Hash());
        Assert.NotEqual(
            new QueryShape("test").Add("a", "1\nb=1:2").Hash(),
            new QueryShape("test").Add("a", "1").Add("b", "2").Hash());

        static byte[] Set(params string[] values) => new QueryShape("test").AddSet("values", values).Hash();
    }

    [Theory]
    [InlineData("0")]
    [InlineData("1001")]
    [InlineData("-1")]
    [InlineData("ten")]
    [InlineData("")]
    [InlineData("1e2")]
    public void Limit_out_of_bounds_is_refused(string text)
        => Assert.Equal(
            $"limit: '{text}' is not a number of rows. Accepted: a whole number from 1 to 1000.",
            Assert.Throws<QueryFilterException>(() => PageRequest.ParseLimit(text)).Message);

    [Fact]
    public void Limit_is_read() => Assert.Equal(1000, PageRequest.ParseLimit("1000"));
}
