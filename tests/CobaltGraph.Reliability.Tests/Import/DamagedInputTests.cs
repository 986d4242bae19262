using System.Diagnostics;
using System.Globalization;
using System.Text.RegularExpressions;
using CobaltGraph.Reliability.Results;
using CobaltGraph.Testing;

namespace CobaltGraph.Reliability.Tests.Import;

// RELIABILITY rows 19 and 20. The tests are those of the import, which run at a smaller size with every change; here they
// only get more lines, and a place in the table.
public sealed partial class DamagedInputTests(PostgresServerFixture server)
{
    private const string Program = "CobaltGraph.Data.Tests";
    private const string Lines = "1000000";

    [Fact]
    public async Task Million_damaged_lines_bad_cases_and_bombs_are_records_or_rejections()
    {
        Assert.SkipUnless(RunSize.IsFull, $"This runs the tests of {Program} once more at full size; {RunSize.Variable} is not full.");
        // Built alike: …/bin/Release/net10.0/
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        var program = Repository.PathOf("tests", Program, "bin", folder.Parent!.Name, folder.Name, Program);
        Assert.True(File.Exists(program), $"{program} is not built; tests/reliability.sh does it.");

        var start = new ProcessStartInfo(
            program, ["-noColor", "-showLiveOutput", "-class", "*.MutationTests", "-class", "*.BadLineTests", "-class", "*.BadRecordTests", "-class", "*.MemoryTests"])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        start.Environment["COBALTGRAPH_MUTATIONS"] = Lines;
        using var process = Process.Start(start)!;
        var errors = process.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken);
        var output = await process.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken);
        await process.WaitForExitAsync(TestContext.Current.CancellationToken);

        var counts = Counts().Match(output);
        Assert.True(counts.Success, output + await errors);
        var (total, failed) = (Number(counts, 1), Number(counts, 2) + Number(counts, 3));
        var formats = Formats().Matches(output);
        Report.Put(
            new(
                "7. damaged lines, bad cases and bombs", $"{total} tests, {formats.Count} formats, {formats.Sum(f => Number(f, 1) + Number(f, 2))} lines",
                $"{formats.Sum(f => Number(f, 2))} lines rejected, the others records", 0, 0, failed, 0)
            {
                ServerVersion = (await server.GetVersionAsync()).ToString(2),
            },
            formats.Count > 0 ? (int)Number(formats[0], 3) : null);
        Assert.True(failed == 0 && process.ExitCode == 0, output);
        Assert.NotEmpty(formats);
        // Each line is one, save those of a CSV record that has several.
        Assert.True(formats.Sum(f => Number(f, 1) + Number(f, 2)) > 900_000);
    }

    private static long Number(Match match, int group) => long.Parse(match.Groups[group].Value, CultureInfo.InvariantCulture);

    [GeneratedRegex(@"Total: (\d+), Errors: (\d+), Failed: (\d+)")]
    private static partial Regex Counts();

    [GeneratedRegex(@"(\d+) records, (\d+) rejections, seed (\d+)")]
    private static partial Regex Formats();
}
