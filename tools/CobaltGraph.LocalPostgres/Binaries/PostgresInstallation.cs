namespace CobaltGraph.LocalPostgres;

/// <summary>Where an installation was found.</summary>
public enum PostgresOrigin
{
    /// <summary>Named by <c>COBALTGRAPH_POSTGRES</c> or by an option.</summary>
    Explicit,

    /// <summary>Fetched earlier, or just now.</summary>
    Fetched,

    /// <summary>On the PATH or in a folder where installers put it.</summary>
    System,
}

/// <summary>The programs of one PostgreSQL version.</summary>
/// <param name="BinDirectory">The folder that holds initdb, pg_ctl and postgres.</param>
/// <param name="Version">The version as the server states it, for example 15.18.</param>
/// <param name="Major">The major version, for example 15.</param>
/// <param name="Origin">Where it was found.</param>
public sealed record PostgresInstallation(string BinDirectory, string Version, int Major, PostgresOrigin Origin)
{
    internal string Postgres => Program("postgres");

    internal string PgCtl => Program("pg_ctl");

    internal string InitDb => Program("initdb");

    private string Program(string name) => Path.Combine(BinDirectory, PostgresBinaries.ProgramFile(name));
}
