using CobaltGraph.Reliability.Oracle;

namespace CobaltGraph.Reliability.Tests.Harness;

public sealed class OracleTests : IDisposable
{
    private readonly string _path = Path.GetTempFileName();

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public void Dispose() => File.Delete(_path);

    [Fact]
    public async Task Entries_are_on_disk_before_the_driver_goes_on_and_are_only_added()
    {
        await using (var first = OracleLog.Open(_path))
        {
            await first.InvokeAsync("a", ["a/0", "a/1"], Cancel);
            Assert.Equal(["a/0", "a/1"], Assert.Single(OracleLog.Read(_path)).Rows);
            await first.InfoAsync("a", "the connection broke", Cancel);
        }

        await using (var second = OracleLog.Open(_path))
            await second.OkAsync("a", cancellationToken: Cancel);

        var entries = OracleLog.Read(_path);
        Assert.Equal([OracleStep.Invoke, OracleStep.Info, OracleStep.Ok], entries.Select(e => e.Step));
        Assert.Equal("the connection broke", entries[1].Note);
    }

    [Fact]
    public async Task Line_that_a_kill_cut_off_is_left_out()
    {
        await using (var log = OracleLog.Open(_path))
            await log.InvokeAsync("a", ["a/0"], Cancel);
        await File.AppendAllTextAsync(_path, """{"Step":"ok","Ba""", Cancel);

        Assert.Equal(OracleStep.Invoke, Assert.Single(OracleLog.Read(_path)).Step);

        await File.AppendAllTextAsync(_path, "\n", Cancel);
        Assert.Throws<InvalidDataException>(() => OracleLog.Read(_path));
    }

    [Fact]
    public async Task Entries_of_many_threads_are_whole()
    {
        await using (var log = OracleLog.Open(_path))
        {
            await Task.WhenAll(Enumerable.Range(0, 200).Select(i => Task.Run(
                () => log.InvokeAsync($"b{i}", Enumerable.Range(0, 50).Select(n => $"b{i}/{n}"), Cancel), Cancel)));
        }

        var entries = OracleLog.Read(_path);
        Assert.Equal(200, entries.Select(e => e.Batch).Distinct().Count());
        Assert.All(entries, e => Assert.Equal(50, e.Rows!.Count));
    }

    // What the drivers say, how often the rows a/0 and a/1 are stored, and what must be found.
    [Theory]
    [InlineData("invoke ok", 1, 1, "")]
    [InlineData("invoke ok", 1, 0, "lost 1")]
    [InlineData("invoke ok", 0, 0, "lost 2")]
    [InlineData("invoke ok", 1, 2, "duplicate 1")]
    [InlineData("invoke ok", 0, 3, "lost 1, duplicate 2")]
    [InlineData("invoke fail", 0, 0, "")]
    [InlineData("invoke fail", 1, 0, "resurrected 1")]
    [InlineData("invoke info", 0, 0, "")]
    [InlineData("invoke info", 1, 1, "")]
    [InlineData("invoke info", 1, 0, "lost 1")]
    [InlineData("invoke info", 2, 2, "duplicate 2")]
    [InlineData("invoke", 0, 0, "")]
    [InlineData("invoke", 1, 1, "")]
    [InlineData("invoke", 0, 1, "lost 1")]
    [InlineData("invoke info invoke ok", 1, 1, "")]
    [InlineData("invoke info invoke ok", 0, 0, "lost 2")]
    [InlineData("invoke info invoke ok", 2, 2, "duplicate 2")]
    [InlineData("invoke info invoke fail", 1, 1, "")]
    [InlineData("invoke fail invoke", 1, 1, "")]
    [InlineData("invoke fail invoke ok", 1, 1, "")]
    [InlineData("invoke fail invoke ok", 0, 0, "lost 2")]
    [InlineData("invoke ok invoke", 0, 0, "lost 2")]
    [InlineData("invoke ok invoke info", 0, 0, "lost 2")]
    public void Judge_finds_what_must_not_be(string steps, long first, long second, string expected)
    {
        var entries = steps.Split(' ').Select(step => new OracleEntry(
            Enum.Parse<OracleStep>(step, ignoreCase: true), "a", step == "invoke" ? ["a/0", "a/1"] : null)).ToList();
        var stored = new Dictionary<string, long> { ["a/0"] = first, ["a/1"] = second }.Where(pair => pair.Value > 0).ToDictionary();

        var verdict = OracleJudge.Judge(entries, stored);

        var found = new (string Name, long Count)[] { ("lost", verdict.Lost), ("duplicate", verdict.Duplicate), ("resurrected", verdict.Resurrected) };
        Assert.Equal(expected, string.Join(", ", found.Where(f => f.Count > 0).Select(f => $"{f.Name} {f.Count}")));
        Assert.Equal(expected.Length == 0, verdict.IsClean);
        Assert.Equal(expected.Length == 0, verdict.Findings.Count == 0);
    }

    [Fact]
    public void Judge_finds_rows_of_nobody_and_drivers_that_contradict_themselves()
    {
        Assert.Equal(3, OracleJudge.Judge([], new Dictionary<string, long> { ["x"] = 3 }).Foreign);
        Assert.False(OracleJudge.Judge([new(OracleStep.Ok, "a")], new Dictionary<string, long>()).IsClean);
        Assert.False(OracleJudge.Judge(
            [new(OracleStep.Invoke, "a", ["r"]), new(OracleStep.Invoke, "a", ["s"])], new Dictionary<string, long>()).IsClean);
        Assert.False(OracleJudge.Judge(
            [new(OracleStep.Invoke, "a", ["r"]), new(OracleStep.Invoke, "b", ["r"])], new Dictionary<string, long> { ["r"] = 1 }).IsClean);
        Assert.False(OracleJudge.Judge(
            [new(OracleStep.Invoke, "a", ["r"]), new(OracleStep.Ok, "a"), new(OracleStep.Fail, "a")],
            new Dictionary<string, long> { ["r"] = 1 }).IsClean);
    }

    [Fact]
    public void Judge_counts_what_the_drivers_were_told()
    {
        var verdict = OracleJudge.Judge(
            [
                new(OracleStep.Invoke, "a", ["a"]), new(OracleStep.Ok, "a"),
                new(OracleStep.Invoke, "b", ["b"]), new(OracleStep.Fail, "b"),
                new(OracleStep.Invoke, "c", ["c"]), new(OracleStep.Info, "c"),
                new(OracleStep.Invoke, "d", ["d"]), new(OracleStep.Info, "d"), new(OracleStep.Invoke, "d", ["d"]), new(OracleStep.Ok, "d"),
            ],
            new Dictionary<string, long> { ["a"] = 1, ["d"] = 1 });

        Assert.True(verdict.IsClean);
        Assert.Equal((4, 2, 1, 1, 2), (verdict.Batches, verdict.Acknowledged, verdict.Failed, verdict.Unknown, verdict.OnceUnknown));
    }
}
