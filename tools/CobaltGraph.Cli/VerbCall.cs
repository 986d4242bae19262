using System.CommandLine;
using CobaltGraph.Cli.Database;
using CobaltGraph.Cli.Terminal;
using CobaltGraph.Data;

namespace CobaltGraph.Cli;

/// <summary>One run of one verb.</summary>
internal sealed class VerbCall(CliHost host, ParseResult parse, string verb)
{
    public CliHost Host => host;

    public ParseResult Parse => parse;

    public string Verb => verb;

    public bool Json => parse.GetResult(CommonOptions.Json) is not null && parse.GetValue(CommonOptions.Json);

    public bool Verbose => parse.GetValue(CommonOptions.Verbose);

    /// <summary>The database in use, once there is one; errors name it.</summary>
    public DatabaseSettings? Settings { get; private set; }

    public Answer BeginAnswer(int version = 1) => Answer.Begin(host, $"{verb}/{version}", Json);

    /// <summary>The environment variable that names another home folder decides here too.</summary>
    public string Home
        => CobaltGraphHome.FolderFrom(host.Environment)
            ?? throw CliException.Failed(
                "This user has no folder for application data.", $"Set {CobaltGraphHome.Variable} to a folder.");

    public DatabaseSettings ResolveSettings()
    {
        var settings = new DatabaseSettingsResolver(host.Environment, host.CurrentFolder)
            .Resolve(parse.GetValue(CommonOptions.Connection));
        foreach (var warning in settings.Warnings) host.Notice($"warning: {warning}");
        if (settings is { Source: DatabaseSettingsSource.Explicit, HasPassword: true })
        {
            host.Notice(
                "warning: every user of this machine can see the password in --connection (ps). " +
                $"Give the connection in {DatabaseSettings.ConnectionVariable} or {DatabaseSettings.ConfigFile} instead.");
        }

        Settings = settings;
        return settings;
    }

    /// <summary>Resolves the connection and makes sure that the server answers.</summary>
    public Task<DatabaseSession> OpenDatabaseAsync(CancellationToken cancellationToken)
        => OpenDatabaseAsync(ResolveSettings(), cancellationToken);

    public Task<DatabaseSession> OpenDatabaseAsync(DatabaseSettings settings, CancellationToken cancellationToken)
    {
        Settings = settings;
        return DatabaseSession.OpenAsync(settings, verb, cancellationToken);
    }
}
