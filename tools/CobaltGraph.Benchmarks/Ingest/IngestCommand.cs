using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using CobaltGraph.Benchmarks.Ingest.Methods;
using CobaltGraph.Benchmarks.Measuring;
using CobaltGraph.Data.Ingest;
using CobaltGraph.Model;
using Spectre.Console;

namespace CobaltGraph.Benchmarks.Ingest;

/// <summary>The verb <c>ingest</c>.</summary>
internal static class IngestCommand
{
    private const int Done = 0;
    private const int TargetMissed = 2;

    public static Command Create()
    {
        var rows = Number("--rows", 1_000_000, 1_000, 1_000_000_000, "Rows; slow methods are given the first of them.");
        var rounds = Number("--rounds", 3, 1, 99, "Rounds; the middle of them counts.");
        var seed = Number("--seed", 42, int.MinValue, int.MaxValue, "The same number gives the same rows.");
        var only = new Option<string[]>("--only")
        {
            HelpName = "methods",
            Description = $"Some of the methods: {string.Join(", ", IngestMethod.All.Select(method => method.Key))}; a is all of ours.",
            AllowMultipleArgumentsPerToken = true,
        };
        var table = new Option<string>("--table")
        {
            Description = "Which rows: campus, uniform (the worst case: random destinations), or both.",
            DefaultValueFactory = _ => "both",
        };
        table.AcceptOnlyFromAmong("campus", "uniform", "both");
        var parts = new Option<bool>("--parts")
        {
            Description = "Measure instead what each part of the schema costs: foreign key, trigger, indexes, checks.",
        };
        var growth = new Option<bool>("--growth")
        {
            Description = $"Measure instead whether {Figure.Count(GrowthBenchmark.Load)} rows take longer with "
                + $"{Figure.Count(GrowthBenchmark.Many)} stored than with {Figure.Count(GrowthBenchmark.Few)}.",
        };
        var stored = Number(
            "--stored", GrowthBenchmark.Many, GrowthBenchmark.Few, 1_000_000_000, "With --growth: how many are stored in the large case.");
        var memory = new Option<bool>("--memory")
        {
            Description = "Measure instead the memory of a process that makes and stores --rows rows without holding them.",
        };
        var version = new Option<string?>("--server") { HelpName = "version", Description = "Version of the server that is started, as 16." };
        var folder = new Option<string?>("--folder") { HelpName = "folder", Description = "Folder on a disk for that server's data; without it /var/tmp." };
        var connection = new Option<string?>("--connection")
        {
            HelpName = "connection",
            Description = "A server that runs, for a role that may create databases and force a checkpoint. Without it one is started.",
        };
        var json = new Option<FileInfo?>("--json") { HelpName = "file", Description = "Write everything that was measured." };
        var markdown = new Option<FileInfo?>("--markdown")
        {
            HelpName = "file",
            Description = "Write the tables into a page, between its marks <!-- begin … --> and <!-- end … -->.",
        };
        var check = new Option<bool>("--check") { Description = "End with 2 when a target is missed or was not measured." };

        var command = new Command("ingest", "Storing connections: CobaltGraph's ingest beside COPY, EF Core, linq2db and the original's way.")
        {
            rows, rounds, seed, only, table, parts, growth, stored, memory, version, folder, connection, json, markdown, check,
        };
        command.Validators.Add(result =>
        {
            foreach (var key in Keys(result.GetValue(only)).Where(key => key != "a" && IngestMethod.All.All(method => method.Key != key)))
                result.AddError($"--only: there is no method '{key}'.");
            if (new[] { parts, growth, memory }.Count(result.GetValue) > 1)
                result.AddError("--parts, --growth and --memory are measured one at a time.");
        });
        command.SetAction(async (parse, cancellationToken) =>
        {
            var keys = Keys(parse.GetValue(only)).ToList();
            var methods = IngestMethod.All
                .Where(method => keys.Count == 0 || keys.Contains(method.Key) || (keys.Contains("a") && method is OurIngest { Migration: null })).ToList();
            RowTable[] tables = parse.GetValue(table) switch
            {
                "campus" => [RowTable.Campus],
                "uniform" => [RowTable.Uniform],
                _ => [RowTable.Campus, RowTable.Uniform],
            };
            var talk = AnsiConsole.Create(new() { Out = new AnsiConsoleOutput(Console.Error) });
            void Say(string text) => talk.WriteLine(text);

            var started = TimeProvider.System.GetUtcNow();
            var setup = new IngestSetup
            {
                Rows = parse.GetValue(growth)
                    ? checked(parse.GetValue(stored) + GrowthBenchmark.Load * parse.GetValue(rounds))
                    : parse.GetValue(rows),
                Rounds = parse.GetValue(memory) ? 1 : parse.GetValue(rounds),
                Seed = parse.GetValue(seed),
                Devices = 1_000,
                Days = 7,
                BatchSize = IngestOptions<Connection>.DefaultBatchSize,
                // To the second, as sites are made.
                ReferenceTime = DateTimeOffset.FromUnixTimeSeconds(started.ToUnixTimeSeconds()),
            };
            await using var server = await BenchmarkServer.StartAsync(
                parse.GetValue(connection), parse.GetValue(version), parse.GetValue(folder), new Progress(Say), cancellationToken);
            var report = new IngestReport
            {
                StartedAt = started,
                Machine = MachineDescription.Read(),
                Server = await server.DescribeAsync(cancellationToken),
                Setup = setup,
            };
            Say($"PostgreSQL {report.Server.Version}, {report.Machine.Processors} processors");

            if (parse.GetValue(memory))
            {
                var result = await new MemoryBenchmark(server, setup, Say).RunAsync(cancellationToken);
                report = report with { Memory = result, Targets = [.. MemoryBenchmark.Targets(result)] };
            }
            else if (parse.GetValue(growth))
            {
                var benchmark = new GrowthBenchmark(server, setup, Say);
                var results = new List<GrowthResult>();
                foreach (var each in tables)
                {
                    results.Add(await benchmark.RunAsync(
                        each, GrowthBenchmark.Few, parse.GetValue(stored), GrowthBenchmark.Load, cancellationToken));
                }

                report = report with { Growth = results, Targets = [.. results.Select(GrowthBenchmark.Target)] };
            }
            else
            {
                var comparison = new Comparison(server, setup, Say);
                var results = new List<TableResult>();
                foreach (var each in tables)
                    results.Add(await comparison.RunAsync(each, parse.GetValue(parts) ? StrippedIngest.Series : methods, cancellationToken));
                report = parse.GetValue(parts)
                    ? report with { Parts = results }
                    : report with { Tables = results, Targets = [.. results.SelectMany(Comparison.Targets)] };
            }

            if (parse.GetValue(json) is { } jsonFile)
                await File.WriteAllTextAsync(jsonFile.FullName, JsonSerializer.Serialize(report, Json.Readable) + "\n", cancellationToken);
            if (parse.GetValue(markdown) is { } page)
                await MarkdownReport.WriteAsync(report, page, cancellationToken);
            ConsoleReport.Write(ReportTables.Of(report));
            return parse.GetValue(check) && report.Targets.Any(target => !target.IsReached) ? TargetMissed : Done;
        });
        return command;
    }

    internal static IEnumerable<string> Keys(string[]? given)
        => (given ?? []).SelectMany(text => text.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries));

    internal static Option<int> Number(string name, int fallback, int least, int most, string description) => new(name)
    {
        HelpName = "number",
        Description = description,
        DefaultValueFactory = _ => fallback,
        CustomParser = result =>
        {
            var text = result.Tokens[^1].Value;
            if (int.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var number)
                && number >= least && number <= most)
            {
                return number;
            }

            result.AddError($"{name}: '{text}' is not a whole number from {least} to {most}.");
            return fallback;
        },
    };

    // Progress<T> would report from other threads, out of order.
    internal sealed class Progress(Action<string> say) : IProgress<string>
    {
        public void Report(string value) => say(value);
    }
}
