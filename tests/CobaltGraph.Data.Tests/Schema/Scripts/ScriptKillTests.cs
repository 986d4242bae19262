using System.Globalization;
using System.Security.Cryptography;
using CobaltGraph.Testing;

namespace CobaltGraph.Data.Tests.Schema.Scripts;

// psql gets a script as far as the end of one statement. When the server is done with that, psql is killed, or loses its session.
public class ScriptKillTests(PostgresServerFixture server) : ScriptTest(server)
{
    private const int RandomPlaces = 2;

    public static TheoryData<string> Scripts => [.. AllUp, .. AllDown, Idempotent];

    [Theory]
    [MemberData(nameof(Scripts))]
    public async Task Script_ended_at_any_statement_leaves_what_it_last_committed(string name)
    {
        var seed = int.TryParse(Environment.GetEnvironmentVariable("COBALTGRAPH_SEED"), CultureInfo.InvariantCulture, out var given)
            ? given
            : RandomNumberGenerator.GetInt32(1_000_000);
        TestContext.Current.TestOutputHelper?.WriteLine($"COBALTGRAPH_SEED={seed}");
        var random = new Random(seed + name.Sum(letter => letter));
        var number = Array.FindIndex([.. Migrations], migration => name.StartsWith(migration.FileName, StringComparison.Ordinal)) + 1;
        var isDown = name.EndsWith(".down.sql", StringComparison.Ordinal);
        await Passes(Files(AllUp.Take(isDown ? number : number - 1)));

        var script = Read(name);
        var ends = EndsOfStatements(script);
        Assert.InRange(ends.Count, 15, int.MaxValue);
        // In order: a transaction that was committed is not begun again.
        var places = Enumerable.Range(0, RandomPlaces).Select(_ => random.Next(ends.Count)).Append(ends.Count - 1).Order();
        var expected = await StateOf(Database);
        foreach (var place in places)
        {
            var committed = Lines(script[..ends[place]]).Count(line => line == "COMMIT;");
            if (committed > 0)
                expected = await StateAfter(Migrations[committed - 1].Id);
            var killsClient = random.Next(2) == 0;

            await EndAsync(script, ends[place], killsClient);

            var state = await StateOf(Database);
            Assert.True(
                expected.SequenceEqual(state),
                $"{name}, {(killsClient ? "psql killed" : "session ended")} after statement {place + 1} of {ends.Count}: the state is another one. COBALTGRAPH_SEED={seed}");
        }

        await Passes(["-f", name]);
        var left = number == 0 ? Migrations.Count : isDown ? number - 1 : number;
        Assert.Equal(await StateAfter(left == 0 ? "0" : Migrations[left - 1].Id), await StateOf(Database));
    }

    private async Task EndAsync(string script, int end, bool killsClient)
    {
        var name = $"ended-{Guid.NewGuid():N}";
        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(Cancel);
        deadline.CancelAfter(TimeSpan.FromMinutes(1));
        using var process = Psql.Start(
            PsqlPath, Database.ConnectionStringWith(settings => settings.ApplicationName = name), ["-q", "-f", "-"]);
        var error = process.StandardError.ReadToEndAsync(deadline.Token);
        await process.StandardInput.WriteAsync($"{script[..end]}SELECT 'so far';\n".AsMemory(), deadline.Token);
        await process.StandardInput.FlushAsync(deadline.Token);
        while (!await Database.ScalarAsync<bool>(
            $"SELECT EXISTS (SELECT 1 FROM pg_stat_activity WHERE application_name = '{name}' AND query LIKE 'SELECT ''so far''%' AND state LIKE 'idle%')"))
        {
            if (process.HasExited)
                Assert.Fail($"psql ended with {process.ExitCode}: {await error}");
            await Task.Delay(10, deadline.Token);
        }

        if (killsClient)
        {
            process.Kill();
        }
        else
        {
            await Database.ExecuteAsync($"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = '{name}'");
            try
            {
                await process.StandardInput.WriteAsync(script.AsMemory(end), deadline.Token);
                process.StandardInput.Close();
            }
            catch (IOException)
            {
                // It has ended at once.
            }
        }

        await process.WaitForExitAsync(deadline.Token);
        if (!killsClient)
            Assert.True(process.ExitCode == 2, $"psql that lost its session ended with {process.ExitCode}: {await error}");

        while (await Database.ScalarAsync<bool>($"SELECT EXISTS (SELECT 1 FROM pg_stat_activity WHERE application_name = '{name}')"))
            await Task.Delay(10, deadline.Token);
    }

    // Up to the one before the last COMMIT. Left out are what a variable of psql decides and the texts of functions.
    private static List<int> EndsOfStatements(string script)
    {
        var ends = new List<int>();
        var (quote, skipping) = ("", false);
        var at = 0;
        foreach (var line in Lines(script))
        {
            at += line.Length + 1;
            if (quote.Length == 0 && line.StartsWith('\\'))
                skipping = line.StartsWith("\\if :{?", StringComparison.Ordinal) || (skipping && !line.StartsWith("\\endif", StringComparison.Ordinal));
            foreach (var word in line.Split(' ', ';', '('))
            {
                if (word.Length > 1 && word[0] == '$' && word[^1] == '$' && (quote.Length == 0 || word == quote))
                    quote = quote.Length == 0 ? word : "";
            }

            if (quote.Length == 0 && !skipping && line.EndsWith(';') && !line.StartsWith("--", StringComparison.Ordinal))
                ends.Add(at);
        }

        var last = script.LastIndexOf("\nCOMMIT;\n", StringComparison.Ordinal) + 1;
        return [.. ends.Where(end => end <= last)];
    }

    private static string[] Lines(string script) => script.Split('\n');
}
