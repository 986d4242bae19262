using System.Net;
using System.Text.Json;
using CobaltGraph.Cli.Terminal;
using CobaltGraph.Model;

namespace CobaltGraph.Cli.Tests;

public class AnswerTests
{
    private const string Hostile = "\e[31m[red]evil[/]\n\t\0\u202e<x>";

    private static readonly IReadOnlyList<Column<Row>> Columns =
    [
        new("mac_address", "MAC", r => r.Mac),
        new("name", "Name", r => r.Name),
        new("seen", "Seen (UTC)", r => r.Seen),
        new("count", "Count", r => r.Count) { Right = true },
        new("score", "Score", r => r.Score),
        new("ip", "IP", r => r.Ip) { ProgramsOnly = true },
    ];

    private static readonly Row Plain = new(
        new MacAddress(0x02005E100001), "printer", new DateTimeOffset(2026, 1, 2, 5, 4, 5, 678, TimeSpan.FromHours(2)),
        1234567, 1.5f, IPAddress.Parse("2001:db8::1"));

    [Fact]
    public void Redirected_answer_is_tab_separated_with_a_header()
    {
        var text = Write(new(), Plain, Plain with { Name = null, Ip = null });

        Assert.Equal(
            "mac_address\tname\tseen\tcount\tscore\tip\n" +
            "02:00:5e:10:00:01\tprinter\t2026-01-02T03:04:05.678Z\t1234567\t1.5\t2001:db8::1\n" +
            "02:00:5e:10:00:01\t\t2026-01-02T03:04:05.678Z\t1234567\t1.5\t\n",
            text);
    }

    [Fact]
    public void Redirected_answer_keeps_a_row_on_its_line_whatever_it_holds()
    {
        var text = Write(new(), Plain with { Name = Hostile + new string('x', 500) });

        Assert.Equal(2, text.TrimEnd('\n').Split('\n').Length);
        Assert.Equal(6, text.Split('\n')[1].Split('\t').Length);
        Assert.DoesNotContain('\e', text);
        Assert.DoesNotContain('\u202e', text);
    }

    [Fact]
    public void Terminal_answer_is_a_table_without_the_columns_for_programs()
    {
        var text = Write(new() { Terminal = true }, Plain);

        Assert.Contains("Rows", text, StringComparison.Ordinal);
        Assert.Contains("1,234,567", text, StringComparison.Ordinal);
        Assert.Contains("2026-01-02 03:04:05", text, StringComparison.Ordinal);
        Assert.DoesNotContain("2001:db8::1", text, StringComparison.Ordinal);
    }

    [Fact]
    public void Terminal_answer_shows_hostile_text_as_text()
    {
        var text = Write(new() { Terminal = true, NoColor = true }, Plain with { Name = Hostile });

        Assert.Contains(@"\x1b[31m[red]evil[/]\n\t\x00\u202e<x>", text, StringComparison.Ordinal);
        Assert.DoesNotContain('\e', text);
        Assert.DoesNotContain('\u202e', text);
        Assert.DoesNotContain('\0', text);
    }

    [Theory]
    [InlineData("NO_COLOR", "1")]
    [InlineData("TERM", "dumb")]
    public void Terminal_answer_has_no_escape_sequences_when_they_are_not_wanted(string variable, string value)
    {
        var styled = Write(new() { Terminal = true }, Plain);
        var plain = Write(new() { Terminal = true, Variable = (variable, value) }, Plain);

        Assert.Contains('\e', styled);
        Assert.DoesNotContain('\e', plain);
        Assert.Contains("printer", plain, StringComparison.Ordinal);
    }

    [Fact]
    public void Json_answer_has_versioned_schema_typed_values_and_the_original_text()
    {
        var text = Write(new() { Json = true, Terminal = true }, Plain with { Name = Hostile }, Plain with { Score = float.NaN, Name = null });
        var json = JsonDocument.Parse(text).RootElement;
        var row = json.GetProperty("rows")[0];

        Assert.Equal("cobaltgraph.test/1", json.GetProperty("schema").GetString());
        Assert.Equal(Hostile, row.GetProperty("name").GetString());
        Assert.Equal("02:00:5e:10:00:01", row.GetProperty("mac_address").GetString());
        Assert.Equal("2026-01-02T03:04:05.678Z", row.GetProperty("seen").GetString());
        Assert.Equal(1234567, row.GetProperty("count").GetInt64());
        Assert.Equal(1.5, row.GetProperty("score").GetDouble());
        Assert.Equal("2001:db8::1", row.GetProperty("ip").GetString());
        Assert.Equal(JsonValueKind.Null, json.GetProperty("rows")[1].GetProperty("name").ValueKind);
        Assert.All(text, c => Assert.True(c is '\n' or (>= ' ' and < '\x7f'), $"U+{(int)c:x4}"));
    }

    [Fact]
    public void Json_answer_longer_than_its_buffer_is_one_document()
    {
        var json = JsonDocument.Parse(Write(new() { Json = true }, [.. Enumerable.Repeat(Plain, 5000)])).RootElement;

        Assert.Equal(5000, json.GetProperty("rows").GetArrayLength());
    }

    [Fact]
    public void Values_form_blocks_and_groups()
    {
        static void Fill(Answer answer) => answer.Group("device", "Device", () =>
        {
            answer.Value("size", "Size", 2048L, "2 KiB");
            answer.Value("names", "Names", new[] { "a", "b" });
        });

        var json = JsonDocument.Parse(Write(new() { Json = true }, Fill)).RootElement.GetProperty("device");
        Assert.Equal(2048, json.GetProperty("size").GetInt32());
        Assert.Equal("b", json.GetProperty("names")[1].GetString());
        Assert.Equal("device.size\t2048\ndevice.names\ta,b\n", Write(new(), Fill));
        Assert.Contains("2 KiB", Write(new() { Terminal = true }, Fill), StringComparison.Ordinal);
    }

    private static string Write(Target target, params Row[] rows)
        => Write(target, answer => answer.Table("rows", "Rows", Columns, rows));

    private static string Write(Target target, Action<Answer> fill)
    {
        using var output = new StringWriter { NewLine = "\n" };
        using var error = new StringWriter();
        var host = new CliHost
        {
            Output = output,
            Error = error,
            Input = () => TextReader.Null,
            CurrentFolder = "/",
            OutputIsTerminal = target.Terminal,
            Width = 200,
            Environment = name => name == "NO_COLOR" && target.NoColor ? "1"
                : name == target.Variable?.Name ? target.Variable?.Value
                : null,
        };
        using var answer = Answer.Begin(host, "test/1", target.Json);
        fill(answer);
        answer.End();
        Assert.Empty(error.ToString());
        return output.ToString();
    }

    private sealed record Row(MacAddress Mac, string? Name, DateTimeOffset Seen, long Count, float Score, IPAddress? Ip);

    private sealed record Target
    {
        public bool Terminal { get; init; }

        public bool Json { get; init; }

        public bool NoColor { get; init; }

        public (string Name, string Value)? Variable { get; init; }
    }
}
