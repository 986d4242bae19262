using System.Text.Json;
using CobaltGraph.Cli.Verbs.Lint;
using CobaltGraph.LocalPostgres;

namespace CobaltGraph.Cli.Tests;

public sealed class LintVerbTests
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Migrations_have_no_finding_without_a_reason_and_no_exception_without_a_finding()
    {
        await Squawk();

        var result = await new CommandRunner
        {
            Environment = { ["COBALTGRAPH_HOME"] = UserFolders.Home(), ["PATH"] = Environment.GetEnvironmentVariable("PATH") },
        }.RunAsync("lint", "--json");

        result.Should(ExitCode.Done);
        Assert.Equal(0, result.Json.GetProperty("findings").GetArrayLength());
        Assert.Equal(0, result.Json.GetProperty("problems").GetArrayLength());
        Assert.NotEqual(0, result.Json.GetProperty("accepted").GetInt32());
    }

    [Theory]
    [InlineData("ALTER TABLE devices ALTER COLUMN metadata TYPE text;", "changing-column-type")]
    [InlineData("ALTER TABLE devices DROP COLUMN vendor;", "ban-drop-column")]
    [InlineData("CREATE INDEX ix_devices_vendor ON devices (vendor);", "require-concurrent-index-creation")]
    [InlineData("ALTER TABLE devices ADD CONSTRAINT ck CHECK (vendor <> '');", "constraint-missing-not-valid")]
    [InlineData("ALTER TABLE devices ALTER COLUMN vendor SET NOT NULL;", "adding-not-nullable-field")]
    [InlineData("ALTER TABLE devices RENAME COLUMN vendor TO maker;", "renaming-column")]
    [InlineData("DO $x$\nBEGIN\n    ALTER TABLE devices ADD room uuid DEFAULT gen_random_uuid();\nEND\n$x$;", HiddenStatements.Rule)]
    [InlineData("DO $x$\nBEGIN\n    EXECUTE format('DROP TABLE %I', 'devices');\nEND\n$x$;", HiddenStatements.Rule)]
    [InlineData("DO $x$\nBEGIN\n    EXECUTE pg_catalog.format('ALTER TABLE %I DROP COLUMN room', 'devices');\nEND\n$x$;", HiddenStatements.Rule)]
    [InlineData("DO $x$\nBEGIN\n    IF true THEN DROP TABLE devices; END IF;\nEND\n$x$;", HiddenStatements.Rule)]
    [InlineData("ALTER TABEL devices;", "syntax-error")]
    public async Task Statement_that_hurts_is_found(string sql, string rule)
    {
        var squawk = await Squawk();
        var script = $"START TRANSACTION;\nSET LOCAL lock_timeout = '5s';\nSET LOCAL statement_timeout = '5s';\n{sql}\nCOMMIT;\n";

        var findings = await LintVerb.FindAsync(squawk, new Dictionary<string, string> { ["0003_X.up"] = script }, Cancel);

        var finding = findings.First(finding => finding.Rule == rule);
        Assert.Equal("0003_X.up", finding.Script);
        Assert.EndsWith(finding.Text, script.Split('\n')[finding.Line - 1], StringComparison.Ordinal);
        Assert.NotEmpty(finding.Message);
        Assert.False(LintReport.Of(findings, []).IsClean);
    }

    [Fact]
    public async Task Harmless_statements_give_no_finding()
        => Assert.Empty(await LintVerb.FindAsync(
            await Squawk(),
            new Dictionary<string, string>
            {
                ["empty"] = "",
                ["comment"] = "-- nothing\n",
                ["do"] = "DO $x$\nBEGIN\n    PERFORM now();\nEND\n$x$;\n",
            },
            Cancel));

    [Fact]
    public void Exception_accepts_what_it_names_and_nothing_else()
    {
        var report = LintReport.Of(
            [Finding("0002_A.up", "DROP TABLE a;"), Finding("0002_A.up", "DROP TABLE b;"), Finding("0003_B.up", "DROP TABLE a;")],
            [new("ban-drop-table", "0002_A.up", "DROP TABLE a;", "It is empty.")]);

        Assert.Equal(["0002_A.up DROP TABLE b;", "0003_B.up DROP TABLE a;"], report.Findings.Select(f => $"{f.Script} {f.Text}"));
        Assert.Equal(1, report.Accepted);
        Assert.Empty(report.Problems);
    }

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("  ")]
    public void Exception_without_a_reason_accepts_nothing(string? reason)
    {
        var report = LintReport.Of([Finding("0002_A.up", "DROP TABLE a;")], [new("ban-drop-table", null, null, reason)]);

        Assert.Single(report.Findings);
        Assert.Contains("ban-drop-table: the reason is missing", Assert.Single(report.Problems), StringComparison.Ordinal);
    }

    [Fact]
    public void Exception_that_is_no_longer_needed_is_a_problem()
    {
        var report = LintReport.Of([], [new("ban-drop-table", "0002_A.up", "DROP TABLE a;", "It is empty.")]);

        Assert.Contains("ban-drop-table, 0002_A.up, 'DROP TABLE a;': nothing is found there any more", Assert.Single(report.Problems), StringComparison.Ordinal);
        Assert.False(report.IsClean);
    }

    [Theory]
    [InlineData(null)]
    [InlineData("syntax-error")]
    public void Exception_from_no_rule_or_from_reading_the_script_at_all_does_not_count(string? rule)
        => Assert.Single(LintReport.Of([], [new(rule, null, null, "A reason.")]).Problems);

    [Fact]
    public void Misspelt_key_of_an_exception_is_an_error()
        => Assert.Contains(
            "reasn",
            Assert.Throws<JsonException>(() => LintReport.ParseExceptions("""[{ "rule": "ban-drop-table", "reasn": "x" }]""")).Message,
            StringComparison.Ordinal);

    private static LintFinding Finding(string script, string text) => new(script, 1, text, "ban-drop-table", "Gone is gone.");

    private static async Task<Squawk> Squawk()
    {
        try
        {
            return await Verbs.Lint.Squawk.FetchAsync(UserFolders.Home(), searchPath: null, progress: null, Cancel);
        }
        catch (Exception failure) when (failure is LocalPostgresException or CliException)
        {
            Assert.Skip($"squawk cannot be had here: {failure.Message}");
            throw;
        }
    }
}
