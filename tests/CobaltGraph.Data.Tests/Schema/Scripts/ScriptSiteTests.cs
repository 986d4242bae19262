using CobaltGraph.Data.Schema.Scripts;
using CobaltGraph.Testing;
using Microsoft.EntityFrameworkCore;
using Npgsql;

namespace CobaltGraph.Data.Tests.Schema.Scripts;

public class ScriptSiteTests(PostgresServerFixture server) : ScriptTest(server)
{
    public static TheoryData<string> OddNames =>
        ["site_b", "Site A", "a\"b, it's back\\slash", "semi;colon -- x", "düne {0}", "select", ":schema"];

    [Theory]
    [MemberData(nameof(OddNames))]
    public async Task Schema_of_any_name_is_made_filled_emptied_and_filled_again(string name)
    {
        await using var other = await Server.CreateDatabaseAsync(migrated: false);
        var migrated = other.ConnectionStringWith(settings => settings.SearchPath = $"\"{name.Replace("\"", "\"\"", StringComparison.Ordinal)}\"");
        await using var inPublic = await Migrated();
        await using (var source = NpgsqlDataSource.Create(migrated))
        {
            await using var context = new CobaltGraphContext(
                new DbContextOptionsBuilder<CobaltGraphContext>().UseCobaltGraph(source).Options);
            await context.Database.MigrateAsync(Cancel);
        }

        var expected = await Catalogue.ReadAsync(migrated);
        string[] site = ["-v", $"schema={name}"];

        await Passes([.. site, .. Files(AllUp)]);
        Assert.Equal(expected, await Catalogue.ReadAsync(Site(name)));
        await AssertAlike(inPublic, name);
        await Passes([.. site, .. Files(AllDown), "-f", Idempotent]);
        Assert.Equal(expected, await Catalogue.ReadAsync(Site(name)));
        Assert.Empty(await Catalogue.ReadAsync(Database));
    }

    [Theory]
    [InlineData("it's \"odd\" \\ :schema")]
    public async Task Script_that_is_written_for_a_schema_needs_no_variable(string name)
    {
        await Passes(["-f", "-"], MigrationScripts.Idempotent(Migrations, name));

        Assert.Empty(await Catalogue.ReadAsync(Database));
        Assert.NotEmpty(await Catalogue.ReadAsync(Site(name)));
    }

    // In a search path that name means the role's own schema, quotes or not.
    [Fact]
    public async Task Schema_by_the_name_that_stands_for_the_role_is_refused()
    {
        await Refuses("The schema does not exist", ["-v", "schema=$user", "-f", Idempotent]);

        Assert.Null(await Database.ScalarAsync<string>("SELECT to_regnamespace('\"$user\"')::text"));
    }

    [Fact]
    public async Task Without_a_variable_the_search_path_names_the_site()
    {
        await Database.ExecuteAsync("CREATE SCHEMA site_c");

        await Passes(["-c", "SET search_path = site_c, public", "-f", Idempotent]);

        Assert.Empty(await Catalogue.ReadAsync(Database));
        Assert.NotEmpty(await Catalogue.ReadAsync(Site("site_c")));
    }

    [Fact]
    public async Task Site_does_not_see_the_history_of_another_further_down_the_path()
    {
        await Passes(["-f", Idempotent]);
        await Database.ExecuteAsync("CREATE SCHEMA site_d");

        await Refuses("schema \"site_d\" has no migration.", ["-c", "SET search_path = site_d, public", "-f", AllUp.Last()]);
    }

    [Fact]
    public async Task Owner_that_is_no_superuser_runs_every_script_and_others_are_refused()
    {
        var owner = $"script_owner_{Guid.NewGuid():N}";
        var other = $"script_other_{Guid.NewGuid():N}";
        await Database.ExecuteAsync($"""
            CREATE ROLE {owner} LOGIN PASSWORD 'x';
            CREATE ROLE {other} LOGIN PASSWORD 'x';
            CREATE SCHEMA site_e AUTHORIZATION {owner};
            GRANT USAGE ON SCHEMA site_e TO {other};
            """);
        try
        {
            var asOwner = As(owner);
            string[] site = ["-v", "schema=site_e"];
            await Passes([.. site, .. Files(AllUp), .. Files(AllDown), "-f", Idempotent], connection: asOwner);

            var refused = await Run([.. site, "-f", Idempotent], connection: As(other));
            Assert.Equal(3, refused.ExitCode);
            Assert.Contains("permission denied", refused.Error, StringComparison.Ordinal);

            await Passes([.. site, .. Files(AllDown)], connection: asOwner);
            await Database.ExecuteAsync($"""DROP TABLE site_e."__EFMigrationsHistory" """);
            refused = await Run([.. site, "-f", Idempotent], connection: As(other));
            Assert.Contains($"Role \"{other}\" may not create in schema \"site_e\".", refused.Error, StringComparison.Ordinal);
        }
        finally
        {
            await Database.ExecuteAsync($"DROP SCHEMA site_e CASCADE; DROP ROLE {owner}; DROP ROLE {other}");
        }

        string As(string role) => Database.ConnectionStringWith(settings => (settings.Username, settings.Password) = (role, "x"));
    }
}
