using CobaltGraph.Data.Schema;
using CobaltGraph.Testing;

namespace CobaltGraph.Data.Tests.Roles;

/// <summary>Two sites of one database with roles of their own, and logins of the first: made, and migrated, without a superuser.</summary>
public sealed class TwoSites(PostgresServerFixture server) : IAsyncLifetime
{
    public const string First = "site \"a\"";
    public const string Second = "site_b";

    public RolesDatabase Roles { get; private set; } = null!;

    public string Migrator => Roles.Named("deploy");

    public string Writer => Roles.Named("edge1");

    public string OtherWriter => Roles.Named("edge2");

    public string Reader => Roles.Named("analyst");

    public string Maintainer => Roles.Named("cron");

    /// <summary>A writer of the second site.</summary>
    public string Neighbour => Roles.Named("neighbour");

    internal RoleNames FirstNames => Roles.NamesFor("a");

    internal RoleNames SecondNames => Roles.NamesFor("b");

    /// <summary>A login by the part that it plays.</summary>
    public string LoginOf(string part) => part switch
    {
        "writer" => Writer,
        "reader" => Reader,
        "maintainer" => Maintainer,
        _ => throw new ArgumentOutOfRangeException(nameof(part), part, "writer, reader or maintainer"),
    };

    public async ValueTask InitializeAsync()
    {
        Roles = await RolesDatabase.CreateAsync(server);
        await Roles.ApplyAsync(First, FirstNames);
        await Roles.ApplyAsync(Second, SecondNames);
        await Roles.LoginAsync(Migrator, FirstNames.Owner, SecondNames.Owner);
        await Roles.MigrateAsync(Migrator, First);
        await Roles.MigrateAsync(Migrator, Second);
        await Roles.LoginAsync(Writer, FirstNames.Writer);
        await Roles.LoginAsync(OtherWriter, FirstNames.Writer);
        await Roles.LoginAsync(Reader, FirstNames.Reader);
        await Roles.LoginAsync(Maintainer, FirstNames.Maintainer);
        await Roles.LoginAsync(Neighbour, SecondNames.Writer);
    }

    public ValueTask DisposeAsync() => Roles.DisposeAsync();
}
