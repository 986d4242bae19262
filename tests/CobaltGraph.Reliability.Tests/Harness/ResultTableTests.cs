using CobaltGraph.Reliability.Results;

namespace CobaltGraph.Reliability.Tests.Harness;

public sealed class ResultTableTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("cobaltgraph-results-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void Result_takes_the_place_of_the_tests_old_one_and_of_no_other()
    {
        var path = Path.Combine(_folder, "docs", "results.md");
        Put("2. second", lost: 0, seed: 1);
        Put("1. first", lost: 0, seed: 2);
        Put("2. second", lost: 3, seed: 4);

        var lines = File.ReadAllLines(path);
        Assert.Equal("# Title", lines[0]);
        Assert.Equal(
            [
                "| 1. first | big | many | 0 | 0 | 0 | 0 | 2 | 2026-11-24 | 15.18 |",
                "| 2. second | big | many | 3 | 0 | 0 | 0 | 4 | 2026-11-24 | 15.18 |",
            ],
            lines[^2..]);
        Assert.Equal(6, lines.Length);

        void Put(string what, long lost, int seed) => ResultTable.Put(
            path, "# Title\n", new(what, "big", "many", lost, 0, 0, 0) { ServerVersion = "15.18" }, seed, new DateOnly(2026, 11, 24));
    }
}
