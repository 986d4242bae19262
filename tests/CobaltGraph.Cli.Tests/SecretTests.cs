using System.Collections.Concurrent;
using System.Diagnostics;
using System.Diagnostics.Metrics;
using System.Net;
using System.Text;
using CobaltGraph.Cli.Terminal;
using CobaltGraph.Data;
using CobaltGraph.Data.Ingest;
using CobaltGraph.Model;
using CobaltGraph.Testing;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Npgsql;

namespace CobaltGraph.Cli.Tests;

// A password is in no output of a verb, of psql or of the library, in no log of a server that logs every statement, and in no
// list of processes or sessions.
public sealed class SecretTests(WatchedServer server) : IClassFixture<WatchedServer>
{
    private const string Mac = "02:00:5e:00:00:01";
    private const string Csv = $"timestamp,src_mac,src_ip,dst_ip,dst_port,threat_score\n2026-03-01T00:00:00Z,{Mac},10.0.0.7,192.0.2.1,443,8.5\n";

    private static readonly Dictionary<string, string> LeftOut = new()
    {
        ["lint"] = "Takes no connection; LintVerbTests run it where npm is.",
        ["up"] = "Takes no connection; has a test of its own below.",
        ["down"] = "Takes no connection; has a test of its own below.",
    };

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    private static (int ExitCode, string[] Arguments)[] WithOurs(string connection, string password, int port) =>
    [
        (ExitCode.Done, ["roles"]), (ExitCode.Done, ["roles", "--apply"]), (ExitCode.Done, ["roles", "--json"]),
        (ExitCode.Failed, ["roles", "--owner", "postgres"]),
        (ExitCode.Done, ["migrate", "--dry-run"]), (ExitCode.Done, ["migrate"]), (ExitCode.Usage, ["migrate", "--to", "nothing", "--verbose"]),
        (ExitCode.Done, ["status"]), (ExitCode.Done, ["status", "--check", "--json"]),
        (ExitCode.Done, ["seed", "--devices", "3", "--connections", "10"]), (ExitCode.Refused, ["seed", "--devices", "3"]),
        (ExitCode.Done, ["import", "-"]), (ExitCode.Done, ["devices"]), (ExitCode.Done, ["device", Mac]), (ExitCode.Done, ["connections"]),
        (ExitCode.Done, ["destinations", "192.0.2.1"]), (ExitCode.Done, ["who-had", "10.0.0.7", "--at", "2026-03-01T00:00Z"]), (ExitCode.Done, ["threats"]),
        (ExitCode.Done, ["events"]), (ExitCode.Done, ["export", "connections"]), (ExitCode.Done, ["explain", "--only", "country"]),
        (ExitCode.Done, ["script"]), (ExitCode.Done, ["schema"]), (ExitCode.Done, ["assert"]),
        (ExitCode.Refused, ["adopt", "--dry-run"]), (ExitCode.Refused, ["adopt", "--yes"]), (ExitCode.Done, ["adopt", "--drop-old", "--yes"]),
        (ExitCode.Refused, ["demo"]), (ExitCode.Done, ["demo", "--yes"]),
        (ExitCode.Usage, ["devices", "--limit", "x"]), (ExitCode.Done, ["devices", "--connection", connection]),
        (ExitCode.Failed, ["devices", "--verbose", "--connection", connection + ";Database=none"]),
        (ExitCode.Failed, ["devices", "--verbose", "--connection", $"Host=127.0.0.1;Port=1;Username=u;Password={password}"]),
        (ExitCode.Failed, ["devices", "--verbose", "--connection", $"postgresql://u:{password}@127.0.0.1:{port}/none"]),
        (ExitCode.Failed, ["devices", "--verbose", "--connection", $"Host=127.0.0.1;Pasword={password}"]),
        (ExitCode.Failed, ["devices", "--verbose", "--connection", $"postgresql://u:{password}@:x/none"]),
    ];

    private static readonly (int ExitCode, string[] Arguments)[] WithAnOriginal =
    [
        (ExitCode.Done, ["adopt", "--dry-run"]), (ExitCode.Refused, ["adopt"]), (ExitCode.Done, ["adopt", "--yes", "--json"]),
        (ExitCode.Refused, ["adopt", "--drop-old"]), (ExitCode.Done, ["adopt", "--drop-old", "--yes"]),
    ];

    [Fact]
    public void Every_verb_is_run_here_or_left_out_for_a_reason()
    {
        var verbs = CommandTree.Create(new CliHost
        {
            Output = TextWriter.Null,
            Error = TextWriter.Null,
            Input = () => TextReader.Null,
            Environment = _ => null,
            CurrentFolder = Path.GetTempPath(),
        }).Subcommands;

        Assert.Equal(
            verbs.Select(verb => verb.Name).Order(StringComparer.Ordinal),
            WithOurs("", "", 0).Select(run => run.Arguments[0]).Concat(LeftOut.Keys).Distinct().Order(StringComparer.Ordinal));
        Assert.All(LeftOut.Keys, name => Assert.DoesNotContain(CommonOptions.Connection, verbs.Single(verb => verb.Name == name).Options));
    }

    [Fact]
    public async Task Verbs_do_not_tell_it()
    {
        await RunAsync(server.ConnectionString, WithOurs(server.ConnectionString, server.Password, server.Port));

        await using var source = NpgsqlDataSource.Create(server.ConnectionString);
        await ExecuteAsync(source, "DROP INDEX ix_devices_status");
        var patch = Path.GetTempFileName();
        await RunAsync(server.ConnectionString, [(ExitCode.NotAsWanted, ["assert", "--json", "--patch", patch])]);
        var mend = await File.ReadAllTextAsync(patch, Cancel);
        File.Delete(patch);
        Assert.Contains("ix_devices_status", mend, StringComparison.Ordinal);
        server.AssertHidden(mend, "the patch");

        await ExecuteAsync(source, "CREATE DATABASE original");
        var original = server.ConnectionStringWith(c => c.Database = "original");
        await using (var into = NpgsqlDataSource.Create(original))
            await ExecuteAsync(into, OriginalSchema.Create + OriginalSchema.Fill(devices: 2, connections: 5));
        await RunAsync(original, WithAnOriginal);
        server.AssertHidden();
    }

    [Fact]
    public async Task Verb_as_a_process_does_not_show_it()
    {
        await using var source = NpgsqlDataSource.Create(server.ConnectionStringWith(c => c.SearchPath = "watched"));
        await ExecuteAsync(source, "CREATE SCHEMA watched; CREATE TABLE devices ()");
        await using var blocker = await source.OpenConnectionAsync(Cancel);
        await using var transaction = await blocker.BeginTransactionAsync(Cancel);
        await using (var hold = new NpgsqlCommand("LOCK TABLE devices IN ACCESS EXCLUSIVE MODE", blocker, transaction))
            await hold.ExecuteNonQueryAsync(Cancel);
        using var child = ChildCommand.Start(
            new Dictionary<string, string?> { ["COBALTGRAPH_CONNECTION"] = source.ConnectionString + $";Password={server.Password}" }, "devices");
        await using var look = source.CreateCommand(
            "SELECT concat_ws(' ', query, application_name) FROM pg_stat_activity WHERE wait_event_type = 'Lock'");
        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(Cancel);
        deadline.CancelAfter(TimeSpan.FromMinutes(1));
        object? activity;
        while ((activity = await look.ExecuteScalarAsync(deadline.Token)) is null)
            await Task.Delay(20, deadline.Token);
        await server.SeenAsync($"{ChildCommand.Program} devices", deadline.Token);
        await transaction.RollbackAsync(Cancel);

        // That table has no columns.
        var result = (await child.WaitAsync()).Should(ExitCode.Failed);

        server.AssertHidden($"{activity}{result.Output}{result.Error}", "the process");
        server.AssertHidden();
    }

    [Fact]
    public async Task Server_of_ones_own_does_not_tell_its_own_or_that_of_another()
    {
        var home = Directory.CreateTempSubdirectory("cobaltgraph-home-");
        var runner = new CommandRunner
        {
            Environment = { ["COBALTGRAPH_HOME"] = home.FullName, ["COBALTGRAPH_CONNECTION"] = server.ConnectionString },
        };
        try
        {
            var said = new StringBuilder();
            foreach (var arguments in (string[][])[["up"], ["up", "--json"], ["down"]])
            {
                var result = (await runner.RunAsync(arguments)).Should(ExitCode.Done);
                said.Append(result.Output).Append(result.Error);
            }

            Assert.Contains("COBALTGRAPH_CONNECTION goes before it", said.ToString(), StringComparison.Ordinal);
            server.AssertHidden(said.ToString(), "up or down");
            server.AssertHidden();
            var own = new NpgsqlConnectionStringBuilder(
                DatabaseSettings.FromFile(Path.Combine(home.FullName, "database.conf")).ConnectionString).Password!;
            Assert.True(own.Length > 10);
            Assert.DoesNotContain(own, said.ToString(), StringComparison.Ordinal);
            Assert.False(server.HasSeen(own), "A command line had the password of the server of one's own.");
        }
        finally
        {
            (await runner.RunAsync("down", "--delete", "--yes")).Should(ExitCode.Done);
            home.Delete(recursive: true);
        }
    }

    // As Migrations.Sql/README.md says: from the environment, or from a password file.
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Scripts_run_by_psql_do_not_tell_it(bool fromFile)
    {
        var psql = Psql.Find();
        Assert.SkipWhen(psql is null, "psql is not installed; the scripts are for psql.");
        var site = $"by_psql_{fromFile}";
        var passfile = Path.GetTempFileName();
        try
        {
            await File.WriteAllTextAsync(passfile, $"*:*:*:*:{server.Password}\n", Cancel);
            foreach (var (exitCode, arguments) in ((int, string[])[])
                [
                    (0, ["-f", "../roles.sql"]), (0, ["-c", $"SET ROLE \"{site}_owner\"", "-f", "cobaltgraph.idempotent.sql"]),
                    (3, ["-e", "-c", $"SET ROLE \"{site}_owner\"", "-f", "0001_DeviceInventory.down.sql"]), (2, ["-d", "none", "-f", "../roles.sql"]),
                ])
            {
                var start = Psql.StartInfo(psql!, server.ConnectionString, ["-X", "-v", $"schema={site}", .. arguments]);
                if (fromFile)
                {
                    start.Environment.Remove("PGPASSWORD");
                    start.Environment["PGPASSFILE"] = passfile;
                }

                using var process = Process.Start(start)!;
                var result = await Psql.FinishAsync(process, "", Cancel);
                var said = result.Output + result.Error;
                server.AssertHidden(said, "psql");
                Assert.True(exitCode == result.ExitCode, $"psql {string.Join(' ', arguments)} ended with {result.ExitCode}: {said}");
            }

            await server.SeenAsync($"schema={site}", Cancel);
            server.AssertHidden();
        }
        finally
        {
            File.Delete(passfile);
        }
    }

    [Fact]
    public async Task Ingest_does_not_tell_it_to_logs_traces_and_metrics()
    {
        using var said = new Telemetry();
        await using (var source = NpgsqlDataSource.Create(server.ConnectionString))
            await ExecuteAsync(source, "CREATE SCHEMA ingest");
        await StoreAsync(server.ConnectionStringWith(c => c.SearchPath = "ingest"), migrate: true);
        foreach (var connection in (string[])
            [
                server.ConnectionStringWith(c => c.Port = 1),
                server.ConnectionStringWith(c => c.Database = "none"),
                server.ConnectionStringWith(c => c.SearchPath = "nowhere"),
                server.ConnectionStringWith(c => c.Password += "-and-more"),
                server.ConnectionStringWith(c => c.Host = "no-such-host.invalid"),
            ])
        {
            var error = await Assert.ThrowsAsync<IngestException>(() => StoreAsync(connection));
            said.Add("exception", error);
        }

        said.RecordObserved();
        foreach (var name in (string[])["log: Batch", "metric cobaltgraph.ingest.rows", "metric cobaltgraph.ingest.retries", "span cobaltgraph.ingest.batch"])
            Assert.Contains(name, said.Text, StringComparison.Ordinal);
        server.AssertHidden(said.Text, "the library");
        server.AssertHidden();

        async Task StoreAsync(string connection, bool migrate = false)
        {
            await using var services = new ServiceCollection()
                .AddLogging(logging => logging.SetMinimumLevel(LogLevel.Trace).AddProvider(said))
                .AddCobaltGraph(connection)
                .BuildServiceProvider();
            if (migrate)
            {
                await using var context = await services.GetRequiredService<IDbContextFactory<CobaltGraphContext>>().CreateDbContextAsync(Cancel);
                await context.Database.MigrateAsync(Cancel);
            }

            await services.GetRequiredService<IIngestService>().StoreAsync(
                AsyncEnumerable.Repeat(new Connection { Timestamp = DateTimeOffset.UnixEpoch, DstIp = IPAddress.Loopback, DstPort = 443 }, 3),
                new IngestOptions<Connection>
                {
                    Source = "watched",
                    Retry = new() { MaxAttempts = 2, FirstDelay = TimeSpan.FromMilliseconds(1), MaxDelay = TimeSpan.FromMilliseconds(1) },
                },
                cancellationToken: Cancel);
        }
    }

    // A verb that fails before it does anything would have nothing to tell.
    private async Task RunAsync(string connection, (int ExitCode, string[] Arguments)[] runs)
    {
        var otherwise = new List<string>();
        foreach (var (exitCode, arguments) in runs)
        {
            var result = await new CommandRunner
            {
                Environment = { ["COBALTGRAPH_CONNECTION"] = connection },
                InputBytes = new MemoryStream(Encoding.UTF8.GetBytes(Csv)),
            }.RunAsync(arguments);
            server.AssertHidden(result.Output + result.Error, string.Join(' ', arguments));
            if (result.ExitCode != exitCode)
                otherwise.Add($"{arguments[0]} {arguments[^1]}: exit code {result.ExitCode}, expected {exitCode}: {result.Error}");
        }

        Assert.True(otherwise.Count == 0, string.Join('\n', otherwise).Replace(server.Password, "<here>", StringComparison.Ordinal));
    }

    private static async Task ExecuteAsync(NpgsqlDataSource source, string sql)
    {
        await using var command = source.CreateCommand(sql);
        await command.ExecuteNonQueryAsync(Cancel);
    }

    /// <summary>Everything that an application could export of the library and of Npgsql below it.</summary>
    private sealed class Telemetry : ILoggerProvider, ILogger
    {
        private static readonly string[] Names = ["CobaltGraph", "Npgsql"];

        private readonly ConcurrentQueue<string> _said = new();
        private readonly ActivityListener _spans;
        private readonly MeterListener _metrics;

        public Telemetry()
        {
            _spans = new()
            {
                ShouldListenTo = activities => Names.Contains(activities.Name),
                Sample = (ref _) => ActivitySamplingResult.AllDataAndRecorded,
                ActivityStopped = span => Add(
                    $"span {span.OperationName}", span.DisplayName, span.StatusDescription, Tags(span.TagObjects), Tags(span.Baggage.Select(
                        pair => KeyValuePair.Create(pair.Key, (object?)pair.Value))),
                    string.Join(' ', span.Events.Select(e => $"{e.Name} {Tags(e.Tags)}"))),
            };
            ActivitySource.AddActivityListener(_spans);
            _metrics = new()
            {
                InstrumentPublished = (instrument, listener) =>
                {
                    if (Names.Contains(instrument.Meter.Name)) listener.EnableMeasurementEvents(instrument);
                },
            };
            _metrics.SetMeasurementEventCallback<int>((instrument, value, tags, _) => Note(instrument, value, tags));
            _metrics.SetMeasurementEventCallback<long>((instrument, value, tags, _) => Note(instrument, value, tags));
            _metrics.SetMeasurementEventCallback<double>((instrument, value, tags, _) => Note(instrument, value, tags));
            _metrics.Start();
        }

        public string Text => string.Join('\n', _said);

        public void Add(string what, params object?[] texts) => _said.Enqueue($"{what}: {string.Join(" | ", texts)}");

        public void RecordObserved() => _metrics.RecordObservableInstruments();

        public ILogger CreateLogger(string categoryName) => this;

        public bool IsEnabled(LogLevel logLevel) => true;

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull
        {
            Add("scope", state);
            return null;
        }

        public void Log<TState>(
            LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
            => Add("log", formatter(state, exception), state is IEnumerable<KeyValuePair<string, object?>> pairs ? Tags(pairs) : state, exception);

        public void Dispose()
        {
            _spans.Dispose();
            _metrics.Dispose();
        }

        private void Note(Instrument instrument, object value, ReadOnlySpan<KeyValuePair<string, object?>> tags)
            => Add($"metric {instrument.Name}", value, Tags(tags.ToArray()), Tags(instrument.Tags ?? []), Tags(instrument.Meter.Tags ?? []));

        private static string Tags(IEnumerable<KeyValuePair<string, object?>> tags)
            => string.Join(' ', tags.Select(tag => $"{tag.Key}={tag.Value}"));
    }
}
