using CobaltGraph.Cli.Terminal;
using Microsoft.Extensions.Time.Testing;

namespace CobaltGraph.Cli.Tests;

public sealed class WorkProgressTests : IDisposable
{
    private readonly FakeTimeProvider _clock = new();
    private readonly StringWriter _error = new() { NewLine = "\n" };

    public void Dispose() => _error.Dispose();

    [Fact]
    public async Task Without_a_terminal_there_is_a_line_every_ten_seconds()
    {
        await WorkProgress.RunAsync(Host(terminal: false), "seed", "rows", progress =>
        {
            for (var second = 1; second <= 25; second++)
            {
                _clock.Advance(TimeSpan.FromSeconds(1));
                progress.Report(new(second * 1000, second / 100.0));
            }

            return Task.FromResult(0);
        });

        Assert.Equal(
            "seed: 10% · 10,000 rows · 1,000 rows/s · 1:30 min left\n" +
            "seed: 20% · 20,000 rows · 1,000 rows/s · 1:20 min left\n",
            _error.ToString());
    }

    [Fact]
    public async Task Without_a_terminal_short_work_says_nothing()
    {
        await WorkProgress.RunAsync(Host(terminal: false), "seed", "rows", progress =>
        {
            progress.Report(new(5, 1));
            return Task.FromResult(0);
        });

        Assert.Empty(_error.ToString());
    }

    [Fact]
    public async Task At_a_terminal_there_is_a_bar_that_is_gone_afterwards()
    {
        var result = await WorkProgress.RunAsync(Host(terminal: true), "[red]seed", "rows", async progress =>
        {
            progress.Report(new(1234, 0.5));
            await Task.Delay(300, TestContext.Current.CancellationToken);
            return 7;
        });

        Assert.Equal(7, result);
        Assert.Contains("[red]seed", _error.ToString(), StringComparison.Ordinal);
        Assert.Contains("50% · 1,234 rows", _error.ToString(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("NO_COLOR", "1")]
    [InlineData("CI", "true")]
    [InlineData("TERM", "dumb")]
    public void At_a_terminal_that_wants_none_there_is_no_bar(string variable, string value)
    {
        Assert.True(Host(terminal: true).LiveProgress);
        Assert.False(Host(terminal: true, variable, value).LiveProgress);
    }

    private CliHost Host(bool terminal, string? variable = null, string? value = null) => new()
    {
        Output = TextWriter.Null,
        Error = _error,
        Input = () => TextReader.Null,
        Environment = name => name == variable ? value : null,
        CurrentFolder = "/",
        Clock = _clock,
        ErrorIsTerminal = terminal,
        OutputIsTerminal = terminal,
        Width = 120,
    };
}
