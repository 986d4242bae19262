using CobaltGraph.Benchmarks.Ingest;

namespace CobaltGraph.Benchmarks.Tests;

public sealed class ReportTests
{
    [Theory]
    [InlineData(1.0, false, 1.0, true)]
    [InlineData(1.0, false, 0.99, false)]
    [InlineData(0.25, true, 0.25, true)]
    [InlineData(0.25, true, 0.26, false)]
    [InlineData(0.25, true, null, false)]
    [InlineData(1.0, false, null, false)]
    public void Target_is_reached_only_when_it_was_measured(double wanted, bool atMost, double? value, bool reached)
        => Assert.Equal(reached, new Target("speed", wanted, atMost, value).IsReached);

    [Theory]
    [InlineData(new[] { 3.0, 1, 2 }, 2, 1, 3)]
    [InlineData(new[] { 4.0, 1 }, 2.5, 1, 4)]
    public void Statistic_is_the_middle_and_the_ends(double[] values, double median, double min, double max)
        => Assert.Equal(new Statistic(median, min, max), Statistic.Of(values));

    [Fact]
    public void Report_replaces_its_own_part_of_a_page()
    {
        var page = MarkdownReport.Replace("Before.\n<!-- begin growth -->old<!-- end growth -->\nAfter.\n", "growth", "new\n");

        Assert.Equal("Before.\n<!-- begin growth -->\n\nnew\n\n<!-- end growth -->\nAfter.\n", page);
        Assert.Equal(page, MarkdownReport.Replace(page, "growth", "new\n"));
    }

    [Fact]
    public void Report_is_added_to_a_page_without_its_marks()
        => Assert.Equal(
            "Before.\n<!-- begin memory -->\n\nnew\n\n<!-- end memory -->\n", MarkdownReport.Replace("Before.", "memory", "new\n"));

    [Fact]
    public void Rise_is_that_of_the_line_through_the_readings_after_the_first_tenth()
    {
        var samples = Enumerable.Range(1, 100)
            .Select(i => new MemorySample(i * 1_000, new(i <= 10 ? i * 1_000_000 : 10_000_000 + i * 100, 0))).ToList();

        Assert.Equal(8_900, MemoryBenchmark.Rise(samples, memory => memory.WorkingSet), precision: 3);
        Assert.Equal(0, MemoryBenchmark.Rise(samples, memory => memory.Heap), precision: 3);
    }
}
