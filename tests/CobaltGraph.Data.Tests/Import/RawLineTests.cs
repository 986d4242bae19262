using System.Text;
using CobaltGraph.Data.Import;

namespace CobaltGraph.Data.Tests.Import;

/// <summary>The bytes of lines as they stood in the input, and the header that gives them their meaning.</summary>
public class RawLineTests
{
    private const string OtherHeader = "#separator ,\n#unset_field,NIL\n#path,conn\n#fields,ts,id.orig_h,id.orig_p,id.resp_h,id.resp_p,proto,uid\n";

    [Theory]
    [InlineData("\n")]
    [InlineData("\r\n")]
    public async Task Line_has_its_bytes_without_its_end(string lineEnd)
    {
        var reading = await Logs.ReadAsync($"{Logs.GoodJson}{lineEnd}{lineEnd}  bad\u00e9 {lineEnd}{Logs.GoodJson}");

        Assert.Equal([Logs.GoodJson, "  bad\u00e9 ", Logs.GoodJson], reading.Lines.Select(l => Encoding.UTF8.GetString(l.Raw.Span)));
        Assert.All(reading.Lines, l => Assert.Equal(l.Raw.Length, l.RawLength));
        Assert.All(reading.Lines, l => Assert.Null(l.Header));
    }

    [Fact]
    public async Task Line_that_is_too_long_has_its_start_and_its_length()
    {
        var reading = await Logs.ReadAsync(
            Encoding.UTF8.GetBytes($"{Logs.GoodJson}\n{new string('x', 300_000)}\n{Logs.GoodJson}"), new ImportOptions { MaxLineBytes = 10_000 });

        Assert.Equal(300_000, reading.Lines[1].RawLength);
        Assert.Equal(new string('x', 1024), Encoding.UTF8.GetString(reading.Lines[1].Raw.Span));
    }

    [Fact]
    public async Task Header_in_force_is_the_same_until_it_says_something_else()
    {
        var log = Logs.TsvHeader() + Logs.TsvRow() + "\n#close\tx\n";
        var reading = await Logs.ReadAsync(log + log + OtherHeader + "7,10.0.0.1,1,10.0.0.2,2,udp,NIL\nbad\n#fields,ts,id.orig_h,id.orig_p,id.resp_h,id.resp_p,proto\n7,10.0.0.1,1,10.0.0.2,2,udp\n");

        Assert.Null(reading.Error);
        Assert.Same(reading.Lines[0].Header, reading.Lines[1].Header);
        Assert.Equal(Logs.TsvHeader().Replace("#open\t2024-04-19-00-00-01\n", "", StringComparison.Ordinal), Text(reading.Lines[0]));
        Assert.Equal(OtherHeader, Text(reading.Lines[2]));
        Assert.Same(reading.Lines[2].Header, reading.Lines[3].Header);
        Assert.Equal("#separator ,\n#unset_field,NIL\n#path,conn\n#fields,ts,id.orig_h,id.orig_p,id.resp_h,id.resp_p,proto\n", Text(reading.Lines[4]));

        static string Text(ImportedLine line) => Encoding.UTF8.GetString(line.Header!.Bytes.Span);
    }

    public static TheoryData<string, string> Inputs() => new()
    {
        { "tsv", Logs.TsvHeader() + "#types\tx\n" + Logs.TsvRow() + "\n" + Logs.TsvRow(("ts", "-")) + "\nbad\n" + OtherHeader + "7,10.0.0.1,1,10.0.0.2,2,udp,NIL\n8,x,NIL,10.0.0.2,2,udp,u\n" + Logs.TsvHeader() + Logs.TsvRow(("proto", "")) + "\n" },
        { "csv", "dst_ip,dst_port,dst_org\n1.2.3.4,x,\"a\nb\"\n1.2.3.4,1,\"open\n1.2.3.4,2,y\ndst_port,dst_ip\n1,2\n3,1.2.3.4\n\"\",\"\"\n" },
        { "json", $"{{}}\n{Logs.GoodArp}\n{Logs.GoodJson}\nbad\n{Logs.GoodDhcp}\n{Logs.Change(Logs.GoodDhcp, ("90:8d", "91:8d"))}\n" },
    };

    [Theory]
    [MemberData(nameof(Inputs))]
    public async Task Rejected_lines_under_their_headers_are_an_input_of_the_same_rejections(string name, string text)
    {
        _ = name;
        var reading = await Logs.ReadAsync(text);
        Assert.InRange(reading.Rejections.Count, 3, 100);

        using var rejects = new MemoryStream();
        InputHeader? header = null;
        foreach (var line in reading.Lines.Where(l => l.Rejection is not null && !l.Rejection.Reason.Contains("among", StringComparison.Ordinal)))
        {
            if (line.Header is not null && line.Header != header)
                rejects.Write(line.Header.Bytes.Span);
            header = line.Header;
            rejects.Write(line.Raw.Span);
            rejects.WriteByte((byte)'\n');
        }

        var again = await Logs.ReadAsync(rejects.ToArray());

        Assert.Null(again.Error);
        Assert.Empty(again.Stored);
        Assert.Empty(again.Sightings);
        Assert.Equal(
            reading.Rejections.Where(r => !r.Reason.Contains("among", StringComparison.Ordinal)).Select(r => r.Excerpt), again.Rejections.Select(r => r.Excerpt));
    }
}
