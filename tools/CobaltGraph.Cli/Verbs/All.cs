using CobaltGraph.Cli.Terminal;
using CobaltGraph.Cli.Verbs.Adopt;
using CobaltGraph.Cli.Verbs.Assert;
using CobaltGraph.Cli.Verbs.Connections;
using CobaltGraph.Cli.Verbs.Demo;
using CobaltGraph.Cli.Verbs.Destinations;
using CobaltGraph.Cli.Verbs.Device;
using CobaltGraph.Cli.Verbs.Devices;
using CobaltGraph.Cli.Verbs.Down;
using CobaltGraph.Cli.Verbs.Events;
using CobaltGraph.Cli.Verbs.Explain;
using CobaltGraph.Cli.Verbs.Export;
using CobaltGraph.Cli.Verbs.Import;
using CobaltGraph.Cli.Verbs.Lint;
using CobaltGraph.Cli.Verbs.Migrate;
using CobaltGraph.Cli.Verbs.Roles;
using CobaltGraph.Cli.Verbs.Schema;
using CobaltGraph.Cli.Verbs.Script;
using CobaltGraph.Cli.Verbs.Seed;
using CobaltGraph.Cli.Verbs.Status;
using CobaltGraph.Cli.Verbs.Threats;
using CobaltGraph.Cli.Verbs.Up;
using CobaltGraph.Cli.Verbs.WhoHad;

namespace CobaltGraph.Cli.Verbs;

/// <summary>The verbs in the order in which the help lists them.</summary>
internal static class All
{
    public static IEnumerable<VerbCommand> Create(CliHost host) =>
    [
        DemoVerb.Create(host),
        UpVerb.Create(host),
        DownVerb.Create(host),
        MigrateVerb.Create(host),
        AdoptVerb.Create(host),
        StatusVerb.Create(host),
        AssertVerb.Create(host),
        SeedVerb.Create(host),
        ImportVerb.Create(host),
        DevicesVerb.Create(host),
        DeviceVerb.Create(host),
        ConnectionsVerb.Create(host),
        DestinationsVerb.Create(host),
        WhoHadVerb.Create(host),
        ThreatsVerb.Create(host),
        EventsVerb.Create(host),
        ExportVerb.Create(host),
        ExplainVerb.Create(host),
        ScriptVerb.Create(host),
        LintVerb.Create(host),
        RolesVerb.Create(host),
        SchemaVerb.Create(host),
    ];
}
