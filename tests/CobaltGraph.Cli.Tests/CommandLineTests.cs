using CobaltGraph.Cli.Terminal;

namespace CobaltGraph.Cli.Tests;

public class CommandLineTests
{
    public static TheoryData<string> Verbs => [.. VerbCommands().Select(verb => verb.Name)];

    [Fact]
    public async Task Version_is_the_answer()
    {
        var result = (await new CommandRunner().RunAsync("--version")).Should(ExitCode.Done);

        Assert.Matches(@"^cobaltgraph \d+\.\d+\.\d+\S*\n$", result.Output.ReplaceLineEndings("\n"));
        Assert.Empty(result.Error);
    }

    [Fact]
    public async Task Help_lists_every_verb_and_the_exit_codes()
    {
        var result = (await new CommandRunner().RunAsync("--help")).Should(ExitCode.Done);

        Assert.Empty(result.Error);
        Assert.All(VerbCommands(), verb => Assert.Contains($"\n  {verb.Name}", result.Output, StringComparison.Ordinal));
        foreach (var code in (int[])[0, 1, 2, 3, 64, 130])
            Assert.Contains($"\n  {code}  ", result.Output, StringComparison.Ordinal);
    }

    [Theory]
    [MemberData(nameof(Verbs))]
    public async Task Help_of_a_verb_has_an_example_that_is_a_correct_command_line(string verb)
    {
        var result = (await new CommandRunner().RunAsync(verb, "--help")).Should(ExitCode.Done);

        var examples = result.Output.Split("Example", 2)[1].Split('\n')
            .Select(line => line.Trim()).Where(line => line.StartsWith("cobaltgraph ", StringComparison.Ordinal)).ToList();
        Assert.NotEmpty(examples);
        Assert.All(examples, example =>
        {
            // What a shell would pass on.
            var command = example.Split(['>', '|', '&'])[0].Trim();
            var parse = CommandTree.Create(Host()).Parse(command["cobaltgraph ".Length..]);
            Assert.Empty(parse.Errors);
            Assert.Equal(verb, parse.CommandResult.Command.Name);
        });
    }

    [Theory]
    [MemberData(nameof(Verbs))]
    public async Task Help_of_a_verb_goes_to_stdout_and_needs_no_database(string verb)
    {
        var runner = new CommandRunner();
        runner.Environment["COBALTGRAPH_CONNECTION"] = "this is not a connection";

        var result = (await runner.RunAsync(verb, "-h")).Should(ExitCode.Done);

        Assert.Contains("Usage:", result.Output, StringComparison.Ordinal);
        Assert.Empty(result.Error);
    }

    [Fact]
    public async Task No_verb_is_a_usage_error_that_says_where_to_start()
    {
        var result = (await new CommandRunner().RunAsync()).Should(ExitCode.Usage);

        Assert.Contains("cobaltgraph demo", result.Error, StringComparison.Ordinal);
        Assert.Empty(result.Output);
    }

    [Theory]
    [InlineData("Did you mean devices?", "devises")]
    [InlineData("Did you mean --status?", "devices", "--statsu", "active")]
    [InlineData("--status: 'actve' is not a device status. Accepted: discovered, active, idle, offline.", "devices", "--status", "actve")]
    [InlineData("--port: '70000' is not a whole number from 1 to 65535", "up", "--port", "70000")]
    [InlineData("--port: '0' is not", "up", "--port", "0")]
    [InlineData("--port: 'x' is not", "up", "--port", "x")]
    [InlineData("not a MAC address", "device", "00:11:22")]
    [InlineData("argument 'MAC' missing", "device")]
    [InlineData("not a time", "connections", "--since", "yesterday")]
    [InlineData("--destination: 'example.org' is not an address", "connections", "--destination", "example.org")]
    [InlineData("whole number of 0 or more", "events", "--limit", "-1")]
    [InlineData("--limit: 'many' is not a whole number", "events", "--limit", "many")]
    public async Task Usage_error_is_64_on_stderr_with_a_hint(string says, params string[] arguments)
    {
        var result = (await new CommandRunner().RunAsync(arguments)).Should(ExitCode.Usage);

        Assert.Contains(says, result.Error, StringComparison.Ordinal);
        Assert.Contains("--help`", result.Error, StringComparison.Ordinal);
        Assert.Empty(result.Output);
    }

    [Fact]
    public async Task Usage_error_shows_hostile_arguments_as_text()
    {
        var result = (await new CommandRunner().RunAsync("\e[2Jdevices", "--x\u202e")).Should(ExitCode.Usage);

        Assert.DoesNotContain('\e', result.Error);
        Assert.DoesNotContain('\u202e', result.Error);
    }

    [Fact]
    public async Task Nothing_configured_fails_and_names_the_ways_out()
    {
        var result = (await new CommandRunner().RunAsync("devices")).Should(ExitCode.Failed);

        Assert.Contains("cobaltgraph up", result.Error, StringComparison.Ordinal);
        Assert.Contains("COBALTGRAPH_CONNECTION", result.Error, StringComparison.Ordinal);
        Assert.Empty(result.Output);
    }

    [Fact]
    public async Task Unreachable_server_is_named_with_where_it_was_configured()
    {
        var runner = new CommandRunner();
        runner.Environment["COBALTGRAPH_CONNECTION"] = "Host=127.0.0.1;Port=1;Database=d;Username=u;Password=Canary-9b1f";

        var result = (await runner.RunAsync("status")).Should(ExitCode.Failed);

        Assert.Contains("127.0.0.1:1", result.Error, StringComparison.Ordinal);
        Assert.Contains("COBALTGRAPH_CONNECTION", result.Error, StringComparison.Ordinal);
        Assert.DoesNotContain("Canary-9b1f", result.Error, StringComparison.Ordinal);
        Assert.DoesNotContain("   at ", result.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Verbose_shows_where_an_error_came_from()
    {
        var result = (await new CommandRunner().RunAsync(
            "status", "--verbose", "--connection", "Host=127.0.0.1;Port=1;Username=u;Password=Canary-9b1f")).Should(ExitCode.Failed);

        Assert.Contains("   at ", result.Error, StringComparison.Ordinal);
        Assert.DoesNotContain("Canary-9b1f", result.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Password_in_an_argument_is_warned_of()
    {
        var runner = new CommandRunner();

        var with = await runner.RunAsync("status", "--connection", "postgresql://u:Canary-9b1f@127.0.0.1:1/d");
        var without = await runner.RunAsync("status", "--connection", "postgresql://u@127.0.0.1:1/d");

        Assert.Contains("can see the password", with.Error, StringComparison.Ordinal);
        Assert.DoesNotContain("Canary-9b1f", with.Error, StringComparison.Ordinal);
        Assert.DoesNotContain("can see the password", without.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Interrupt_ends_with_130()
    {
        using var interrupted = new CancellationTokenSource();
        await interrupted.CancelAsync();

        (await new CommandRunner { CancellationToken = interrupted.Token }
            .RunAsync("status", "--connection", "Host=127.0.0.1;Port=1;Username=u")).Should(ExitCode.Interrupted);
    }

    [Theory]
    [InlineData("2026-01-31", "2026-01-31T00:00:00Z")]
    [InlineData("2026-01-31T12:30Z", "2026-01-31T12:30:00Z")]
    [InlineData("2026-01-31T12:30", "2026-01-31T12:30:00Z")]
    [InlineData("2026-01-31T12:30:15.5+02:00", "2026-01-31T10:30:15.5Z")]
    [InlineData("2026-01-31 12:30:15", "2026-01-31T12:30:15Z")]
    [InlineData("30s", "2026-06-01T11:59:30Z")]
    [InlineData("90m", "2026-06-01T10:30:00Z")]
    [InlineData("24h", "2026-05-31T12:00:00Z")]
    [InlineData("2w", "2026-05-18T12:00:00Z")]
    public void PointInTime_is_iso_or_an_age(string text, string expected)
    {
        Assert.True(PointInTime.TryParse(text, DateTimeOffset.Parse("2026-06-01T12:00:00Z"), out var time));
        Assert.Equal(DateTimeOffset.Parse(expected), time);
    }

    [Theory]
    [InlineData("")]
    [InlineData("h")]
    [InlineData("-1h")]
    [InlineData("1.5h")]
    [InlineData("2147483647d")]
    [InlineData("31.01.2026")]
    [InlineData("2026-02-30")]
    public void PointInTime_that_is_none_is_refused(string text)
        => Assert.False(PointInTime.TryParse(text, DateTimeOffset.Parse("2026-06-01T12:00:00Z"), out _));

    [Fact]
    public async Task Confirm_without_a_terminal_is_refused_and_names_the_option()
    {
        using var error = new StringWriter();
        var refusal = await Assert.ThrowsAsync<CliException>(
            () => Host(error).ConfirmAsync("All data goes.", "--yes", cancellationToken: TestContext.Current.CancellationToken));

        Assert.Equal(ExitCode.Refused, refusal.ExitCode);
        Assert.Contains("--yes", refusal.Next, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("y", null, true)]
    [InlineData("YES", null, true)]
    [InlineData("", null, false)]
    [InlineData("n", null, false)]
    [InlineData("production", "production", true)]
    [InlineData("y", "production", false)]
    public async Task Confirm_takes_only_a_clear_yes(string answer, string? expected, bool confirmed)
    {
        using var error = new StringWriter();
        var asked = Host(error, answer, terminal: true)
            .ConfirmAsync("All data goes.", "--yes", expected, TestContext.Current.CancellationToken);

        if (confirmed) await asked;
        else Assert.Equal(ExitCode.Refused, (await Assert.ThrowsAsync<CliException>(() => asked)).ExitCode);
        Assert.StartsWith("All data goes.", error.ToString(), StringComparison.Ordinal);
    }

    private static IEnumerable<VerbCommand> VerbCommands()
        => CommandTree.Create(Host()).Subcommands.OfType<VerbCommand>();

    private static CliHost Host(TextWriter? error = null, string input = "", bool terminal = false) => new()
    {
        Output = TextWriter.Null,
        Error = error ?? TextWriter.Null,
        Input = () => new StringReader(input),
        Environment = _ => null,
        CurrentFolder = "/",
        InputIsTerminal = terminal,
        ErrorIsTerminal = terminal,
    };
}
