using System.CommandLine;
using CobaltGraph.Cli.Database;
using CobaltGraph.Cli.Terminal;
using CobaltGraph.Seeding;

namespace CobaltGraph.Cli.Verbs.Seed;

internal static class SeedVerb
{
    /// <summary>What is seeded when nothing else is asked for.</summary>
    public static SeedOptions Default { get; } = new()
    {
        Devices = 1000,
        Connections = 10_000,
        Days = 7,
        Recipe = SiteRecipe.Campus,
        Seed = 42,
    };

    public static VerbCommand Create(CliHost host)
    {
        var devices = CommonOptions.Number(
            "--devices", "number", Default.Devices, 1, SeedOptions.MaxDevices, "Devices of the site.");
        var connections = CommonOptions.Number(
            "--connections", "number", Default.Connections, 0, 1_000_000_000_000, "Connections, exactly.");
        var days = CommonOptions.Number(
            "--days", "number", Default.Days, 1, SeedOptions.MaxDays, "Days over which the connections spread.");
        var recipe = new Option<string>("--recipe")
        {
            HelpName = "recipe",
            Description = $"The kind of site: {string.Join("; ", SiteRecipe.All.Select(r => $"{r.Name}, {r.Description}"))}.",
            DefaultValueFactory = _ => Default.Recipe.Name,
        };
        recipe.AcceptOnlyFromAmong([.. SiteRecipe.All.Select(r => r.Name)]);
        var seed = CommonOptions.Number(
            "--seed", "number", Default.Seed, long.MinValue, long.MaxValue, "The same number gives the same site.");
        var reference = CommonOptions.Time(
            host, "--reference-time",
            "The end of the period; the present without it. The same one gives the same rows.");
        var append = new Option<bool>("--append")
        {
            Description = "Add to a database that has data.",
        };

        var verb = new VerbCommand(
            "seed",
            "Fill the database with an invented site. Refuses one that has data, unless --append.",
            "cobaltgraph seed --devices 1000 --connections 10000 --days 7 --recipe campus --seed 42",
            "cobaltgraph seed --recipe office-under-attack --devices 80 --append");
        verb.Add(devices);
        verb.Add(connections);
        verb.Add(days);
        verb.Add(recipe);
        verb.Add(seed);
        verb.Add(reference);
        verb.Add(append);
        verb.Add(CommonOptions.Json);
        verb.Add(CommonOptions.Connection);
        verb.OnRun(host, async (call, cancellationToken) =>
        {
            var parse = call.Parse;
            var options = new SeedOptions
            {
                Devices = parse.GetValue(devices),
                Connections = parse.GetValue(connections),
                Days = parse.GetValue(days),
                Recipe = SiteRecipe.Find(parse.GetValue(recipe)!)!,
                Seed = parse.GetValue(seed),
                ReferenceTime = parse.GetValue(reference),
                Append = parse.GetValue(append),
            };
            await using var database = await call.OpenDatabaseAsync(cancellationToken);
            var result = await RunAsync(call, database, options, cancellationToken);

            using var answer = call.BeginAnswer();
            answer.Value("recipe", "Recipe", options.Recipe.Name);
            answer.Value("seed", "Seed", options.Seed, $"{options.Seed}");
            answer.Value("devices_inserted", "New devices", result.DevicesInserted);
            answer.Value("devices_merged", "Known devices", result.DevicesMerged);
            answer.Value("connections", "Connections", result.Connections);
            answer.Value("from", "From (UTC)", result.From);
            answer.Value("reference_time", "To (UTC)", result.To);
            answer.Value("seconds", "Time", result.Elapsed);
            answer.End();
            return ExitCode.Done;
        });
        return verb;
    }

    /// <summary>Seeds, and shows how far it is.</summary>
    public static async Task<SeedResult> RunAsync(
        VerbCall call, DatabaseSession database, SeedOptions options, CancellationToken cancellationToken)
    {
        var stored = new SeedProgress();
        try
        {
            return await WorkProgress.RunAsync(call.Host, "seed", "connections", progress =>
                new SiteSeeder(call.Host.Clock).SeedAsync(
                    database.DataSource,
                    options,
                    new CallerProgress<SeedProgress>(state =>
                    {
                        if (state.Phase is SeedPhase.Devices or SeedPhase.Connections) stored = state;
                        progress.Report(state.Phase switch
                        {
                            SeedPhase.Connections => new(state.Done, (double)state.Done / Math.Max(1, state.Total)),
                            SeedPhase.Finishing => new(options.Connections, 1),
                            _ => new(0, null),
                        });
                    }),
                    cancellationToken));
        }
        catch (DatabaseNotEmptyException)
        {
            throw CliException.Refused(
                $"There is data already: {database.Settings.Describe()}.", "Seed an empty database, or add --append.");
        }
        catch when (stored.Phase is SeedPhase.Devices or SeedPhase.Connections && stored.Total > 0 && stored.Done > 0)
        {
            var rows = stored.Phase == SeedPhase.Devices
                ? $"{Cell.Display(stored.Done)} devices and no connections"
                : $"all devices and {Cell.Display(stored.Done)} of {Cell.Display(stored.Total)} connections";
            call.Host.Notice($"It ended early: {rows} are stored, complete and counted.");
            throw;
        }
    }
}
