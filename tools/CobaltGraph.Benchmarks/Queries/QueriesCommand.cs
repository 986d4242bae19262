using System.CommandLine;
using System.Text.Json;
using CobaltGraph.Benchmarks.Ingest;
using CobaltGraph.Benchmarks.Measuring;
using CobaltGraph.Data.Queries.Catalogue;
using Dapper;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;
using Spectre.Console;

namespace CobaltGraph.Benchmarks.Queries;

/// <summary>The verb <c>queries</c>.</summary>
internal static class QueriesCommand
{
    private const int Done = 0;
    private const int TargetMissed = 2;

    public static Command Create()
    {
        var connections = IngestCommand.Number("--connections", 1_000_000, 1_000, 1_000_000_000, "Connections that are stored.");
        var devices = IngestCommand.Number("--devices", 1_000, 1, 100_000, "Devices they are of.");
        var days = IngestCommand.Number("--days", 30, 2, 3_650, "Days over which they spread.");
        var seed = IngestCommand.Number("--seed", 42, int.MinValue, int.MaxValue, "The same number gives the same rows and the same values.");
        var repetitions = IngestCommand.Number("--repetitions", 200, 1, 1_000_000, "Calls of each query in each way; fewer of the original's.");
        var only = new Option<string[]>("--only")
        {
            HelpName = "texts",
            Description = "Some of the queries: those with one of the texts in their name.",
            AllowMultipleArgumentsPerToken = true,
        };
        var pairs = new Option<bool>("--pairs")
        {
            Description = "Every pair of two conditions on connections, with common, rare and absent values, and no other query; ours alone.",
        };
        var withoutOriginal = new Option<bool>("--without-original") { Description = "Leave out the original's tables, which take as long to load as ours." };
        var version = new Option<string?>("--server") { HelpName = "version", Description = "Version of the server that is started, as 16." };
        var folder = new Option<string?>("--folder") { HelpName = "folder", Description = "Folder on a disk for that server's data; without it /var/tmp." };
        var connection = new Option<string?>("--connection")
        {
            HelpName = "connection",
            Description = "A server that runs, for a role that may create databases and force a checkpoint. Without it one is started.",
        };
        var keep = new Option<bool>("--keep") { Description = "With --connection: leave the databases there, and use them again when they are." };
        var baseline = new Option<FileInfo?>("--baseline") { HelpName = "file", Description = "What --json wrote with few connections: how much slower is it with many?" };
        var json = new Option<FileInfo?>("--json") { HelpName = "file", Description = "Write everything that was measured." };
        var markdown = new Option<FileInfo?>("--markdown")
        {
            HelpName = "file",
            Description = "Write the tables into a page, between its marks <!-- begin … --> and <!-- end … -->.",
        };
        var plot = new Option<DirectoryInfo?>("--plot") { HelpName = "folder", Description = "Write a picture of the times, as SVG." };
        var check = new Option<bool>("--check") { Description = "End with 2 when a target is missed or was not measured." };

        var command = new Command("queries", "Asking questions: CobaltGraph's query layer beside SQL by hand, Dapper and the original's way.")
        {
            connections, devices, days, seed, repetitions, only, pairs, withoutOriginal, version, folder, connection, keep, baseline, json, markdown,
            plot, check,
        };
        command.Validators.Add(result =>
        {
            if (result.GetValue(keep) && result.GetValue(connection) is null)
                result.AddError("--keep: the server that is started here goes with the run. Name one with --connection.");
        });
        command.SetAction(async (parse, cancellationToken) =>
        {
            var talk = AnsiConsole.Create(new() { Out = new AnsiConsoleOutput(Console.Error) });
            void Say(string text) => talk.WriteLine(text);

            var started = TimeProvider.System.GetUtcNow();
            var setup = new QueriesSetup
            {
                Connections = parse.GetValue(connections),
                Devices = parse.GetValue(devices),
                Days = parse.GetValue(days),
                Seed = parse.GetValue(seed),
                Repetitions = parse.GetValue(repetitions),
                OnlyPairs = parse.GetValue(pairs),
                ValuesPerKind = 4,
                TimePerQuery = TimeSpan.FromSeconds(20),
                ReferenceTime = DateTimeOffset.FromUnixTimeSeconds(started.ToUnixTimeSeconds()),
            };
            var few = parse.GetValue(baseline) is { } file ? await ReadAsync(file, cancellationToken) : null;
            await using var server = await BenchmarkServer.StartAsync(
                parse.GetValue(connection), parse.GetValue(version), parse.GetValue(folder), new IngestCommand.Progress(Say), cancellationToken);
            var report = await RunAsync(
                server, setup, [.. IngestCommand.Keys(parse.GetValue(only))], !parse.GetValue(withoutOriginal) && !parse.GetValue(pairs), parse.GetValue(keep), few, started, Say,
                cancellationToken);

            if (parse.GetValue(json) is { } jsonFile)
                await File.WriteAllTextAsync(jsonFile.FullName, JsonSerializer.Serialize(report, Json.Readable) + "\n", cancellationToken);
            var picture = parse.GetValue(plot) is { } plots ? await QueryPlot.WriteAsync(report, plots, cancellationToken) : null;
            if (parse.GetValue(markdown) is { } page)
                await QueriesPage.WriteAsync(report, page, picture, cancellationToken);
            ConsoleReport.Write(QueryTables.Of(report));
            return parse.GetValue(check) && report.Targets.Any(target => !target.IsReached) ? TargetMissed : Done;
        });
        return command;
    }

    /// <summary>Loads the databases, asks all queries, and drops the databases.</summary>
    internal static async Task<QueriesReport> RunAsync(
        BenchmarkServer server, QueriesSetup setup, IReadOnlyList<string> only, bool withOriginal, bool keep, QueriesReport? few,
        DateTimeOffset started, Action<string> say, CancellationToken cancellationToken)
    {
        DefaultTypeMap.MatchNamesWithUnderscores = true;
        var report = new QueriesReport
        {
            StartedAt = started,
            Machine = MachineDescription.Read(),
            Server = await server.DescribeAsync(cancellationToken),
            Setup = setup,
            DatabaseBytes = new SortedDictionary<string, long>(),
        };
        say($"PostgreSQL {report.Server.Version}, {report.Machine.Processors} processors");
        var databases = new QueryDatabases(server, setup, keep, say);
        try
        {
            var sizes = new SortedDictionary<string, long>(StringComparer.Ordinal);
            var ours = await databases.CreateOursAsync(cancellationToken);
            sizes["ours"] = await databases.SizeAsync(ours, cancellationToken);
            var original = withOriginal ? await databases.CreateOriginalAsync(cancellationToken) : null;
            if (original is not null)
                sizes["original"] = await databases.SizeAsync(original, cancellationToken);

            await using var dataSource = NpgsqlDataSource.Create(server.ConnectionTo(ours));
            await using var originalSource = original is null ? null : NpgsqlDataSource.Create(server.ConnectionTo(original));
            await using var services = new ServiceCollection().AddCobaltGraph(dataSource).BuildServiceProvider();
            var results = await new QueryBenchmark(setup, QueryLayer.Of(services), dataSource, originalSource, say)
                .RunAsync(only, cancellationToken);
            return report with
            {
                DatabaseBytes = sizes,
                Queries = results,
                Targets = [.. QueryTables.Targets(results, few?.Queries)],
            };
        }
        finally
        {
            await databases.DropAsync();
        }
    }

    private static async Task<QueriesReport> ReadAsync(FileInfo file, CancellationToken cancellationToken)
    {
        try
        {
            await using var stream = file.OpenRead();
            return (await JsonSerializer.DeserializeAsync<QueriesReport>(stream, Json.Readable, cancellationToken))!;
        }
        catch (Exception failure) when (failure is JsonException or IOException or UnauthorizedAccessException)
        {
            throw new BenchmarkException($"--baseline: {file.FullName} is not a report that --json wrote: {failure.Message}");
        }
    }
}
