using CobaltGraph.Testing;
using Npgsql;

namespace CobaltGraph.Cli.Tests;

// A DBA's way from an empty server to a proven database, with what a DBA has: psql, the files of Migrations.Sql, the command.
public sealed class DbaWalkTests(PostgresServerFixture server) : IAsyncLifetime
{
    private const string Site = "zurich";
    private const string Csv = "timestamp,src_mac,dst_ip,dst_port,threat_score\n2026-03-01T00:00:00Z,00:1b:21:00:00:01,192.0.2.1,443,8.5\n";

    private RolesDatabase _roles = null!;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync() => _roles = await RolesDatabase.CreateAsync(server);

    public ValueTask DisposeAsync() => _roles.DisposeAsync();

    [Fact]
    public async Task From_an_empty_server_to_a_repaired_database_without_a_difference()
    {
        if (Psql.Find() is not { } psql)
        {
            Assert.Skip("psql is not on the PATH.");
            return;
        }

        var names = _roles.NamesFor(Site);
        string[] variables =
        [
            $"schema={Site}", $"owner={names.Owner}", $"writer={names.Writer}", $"reader={names.Reader}", $"maintainer={names.Maintainer}",
        ];

        // Roles, then the tables as their owner, then the rights on them.
        await PsqlAsync(psql, _roles.Dba, File("roles.sql"), variables);
        var deploy = await _roles.LoginAsync(_roles.Named("deploy"), names.Owner);
        await PsqlAsync(psql, deploy, $"SET ROLE {names.Owner};\n" + File("scripts", "cobaltgraph.idempotent.sql"), [$"schema={Site}"]);
        await PsqlAsync(psql, _roles.Dba, File("roles.sql"), [$"schema={Site}"]);

        // In by the writer, out by the reader.
        var writer = await _roles.LoginAsync(_roles.Named("edge"), names.Writer);
        var reader = await _roles.LoginAsync(_roles.Named("analyst"), names.Reader);
        (await RunAsync(writer, Csv, "import", "-")).Should(ExitCode.Done);
        var devices = (await RunAsync(reader, "", "devices", "--json")).Should(ExitCode.Done);
        Assert.Contains("00:1b:21:00:00:01", devices.Output, StringComparison.OrdinalIgnoreCase);
        Assert.Equal(ExitCode.Failed, (await RunAsync(reader, Csv, "import", "-")).ExitCode);

        // The maintainer, who reads no data, sees to the rest.
        var maintainer = await _roles.LoginAsync(_roles.Named("cron"), names.Maintainer);
        (await RunAsync(maintainer, "", "status", "--check")).Should(ExitCode.Done);
        await _roles.RunAsync(
            maintainer, Site, "SELECT sweep_device_status(); SELECT ensure_connection_partitions(now(), now()); SELECT drop_connection_partitions('2000-01-01')");

        // The proof makes a schema of its own, and takes it back.
        await _roles.RunAsync(_roles.Dba, "pg_catalog", $"GRANT CREATE ON DATABASE {_roles.Database.Name} TO {deploy}");
        (await RunAsync(deploy, "", "status", "--check")).Should(ExitCode.Done);
        (await RunAsync(deploy, "", "assert")).Should(ExitCode.Done);

        // Sabotage, by the only one who can: a member of the owner.
        await _roles.RunAsync(
            deploy, Site,
            $"""
            SET ROLE {names.Owner};
            ALTER TABLE device_events DISABLE TRIGGER device_events_refuse_change;
            DROP INDEX ix_connections_dst_port_timestamp;
            GRANT UPDATE (connection_count) ON devices TO {names.Writer};
            CREATE OR REPLACE FUNCTION threat_threshold() RETURNS real LANGUAGE sql IMMUTABLE AS 'SELECT 9.9::real';
            RESET ROLE
            """);
        var patch = Path.Combine(Path.GetTempPath(), $"{_roles.Named("mend")}.sql");
        try
        {
            var found = (await RunAsync(deploy, "", "assert", "--json", "--patch", patch)).Should(ExitCode.NotAsWanted);
            var differing = found.Json.GetProperty("differences").EnumerateArray().Select(d => d.GetProperty("object").GetString()!).ToList();
            foreach (var name in (string[])["device_events_refuse_change", "ix_connections_dst_port_timestamp", "devices", "threat_threshold"])
                Assert.Contains(differing, difference => difference.Contains(name, StringComparison.Ordinal));

            // Repair by script, as the owner.
            var mend = await System.IO.File.ReadAllTextAsync(patch, Cancel);
            await PsqlAsync(psql, deploy, $"SET ROLE {names.Owner};\nSET search_path = {Site};\n{mend}", []);
        }
        finally
        {
            System.IO.File.Delete(patch);
        }

        (await RunAsync(deploy, "", "assert")).Should(ExitCode.Done);
        await Assert.ThrowsAsync<PostgresException>(() => _roles.RunAsync(writer, Site, "UPDATE devices SET connection_count = 0"));
    }

    // The original's tables are the owner's by the roles' script, and what becomes of them too.
    [Fact]
    public async Task Original_database_with_roles_is_adopted_as_the_owner_and_proven()
    {
        var names = _roles.NamesFor(Site);
        await _roles.RunAsync(_roles.Dba, "pg_catalog", $"CREATE SCHEMA {Site}");
        await _roles.RunAsync(_roles.Dba, Site, OriginalSchema.Create + OriginalSchema.Fill(devices: 5, connections: 50));
        await _roles.ApplyAsync(Site, names);
        var deploy = await _roles.LoginAsync(_roles.Named("deploy"), names.Owner);
        await _roles.RunAsync(_roles.Dba, "pg_catalog", $"GRANT CREATE ON DATABASE {_roles.Database.Name} TO {deploy}");

        (await RunAsync(deploy, "", "adopt", "--yes")).Should(ExitCode.Done);

        (await RunAsync(deploy, "", "assert")).Should(ExitCode.Done);
        Assert.False((await RunAsync(deploy, "", "migrate", "--json")).Should(ExitCode.Done).Json.GetProperty("changed").GetBoolean());
        var writer = await _roles.LoginAsync(_roles.Named("edge"), names.Writer);
        (await RunAsync(writer, Csv, "import", "-")).Should(ExitCode.Done);
        Assert.Equal(0, (await _roles.Database.ScalarAsync<long>(
            $"SELECT count(*) FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace WHERE n.nspname = '{Site}' AND c.relowner <> n.nspowner")));
    }

    private static string File(params string[] path) => System.IO.File.ReadAllText(Repository.PathOf(["Migrations.Sql", .. path]));

    private Task PsqlAsync(string psql, string login, string script, string[] variables)
        => Psql.RunAsync(psql, _roles.ConnectionString(login, Site), script, variables, Cancel);

    private Task<CommandResult> RunAsync(string login, string input, params string[] arguments)
        => new CommandRunner
        {
            InputBytes = new MemoryStream(System.Text.Encoding.UTF8.GetBytes(input)),
            Environment = { ["COBALTGRAPH_CONNECTION"] = _roles.ConnectionString(login, Site) },
        }.RunAsync(arguments);
}
