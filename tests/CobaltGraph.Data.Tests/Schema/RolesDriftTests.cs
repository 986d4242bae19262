using CobaltGraph.Data.Schema;
using CobaltGraph.Data.Schema.Catalog;
using CobaltGraph.Testing;
using Npgsql;

namespace CobaltGraph.Data.Tests.Schema;

// As DriftTests, of a site that has roles: schema and roles with names that need quotes.
public sealed class RolesDriftTests(PostgresServerFixture server) : IAsyncLifetime
{
    private const string Site = "site \"a\"";

    // What is done, the object that must be named, and what of it; null when the object itself is missing or too many.
    private static readonly (string Sql, string Object, string? Property)[] Mutants =
    [
        ("REVOKE SELECT ON devices FROM {reader}", "table devices", "grants to {reader}"),
        ("REVOKE SELECT ON {month} FROM {reader}", "table {month}", "grants to {reader}"),
        ("REVOKE SELECT ON active_devices FROM {reader}", "view active_devices", "grants to {reader}"),
        ("REVOKE SELECT ON \"__EFMigrationsHistory\" FROM {maintainer}", "table __EFMigrationsHistory", "grants to {maintainer}"),
        ("REVOKE UPDATE (vendor) ON devices FROM {writer}", "column devices.vendor", "grants to {writer}"),
        ("REVOKE INSERT (dst_ip) ON connections FROM {writer}", "column connections.dst_ip", "grants to {writer}"),
        ("REVOKE USAGE ON SEQUENCE connections_id_seq FROM {writer}", "sequence connections_id_seq", "grants to {writer}"),
        ("REVOKE EXECUTE ON FUNCTION sweep_device_status(timestamptz) FROM {maintainer}", "function sweep_device_status(timestamp with time zone)", "grants to {maintainer}"),
        ("REVOKE USAGE ON SCHEMA {site} FROM {reader}", "schema {site}", "grants to {reader}"),

        ("GRANT UPDATE (connection_count) ON devices TO {writer}", "column devices.connection_count", "grants to {writer}"),
        ("GRANT INSERT ON device_sightings TO {writer}", "table device_sightings", "grants to {writer}"),
        // Taken back from the table, it goes from the columns too, on which it belongs there.
        ("GRANT INSERT ON device_events TO {writer}", "table device_events", "grants to {writer}"),
        ("ALTER DEFAULT PRIVILEGES FOR ROLE {owner} GRANT EXECUTE ON FUNCTIONS TO PUBLIC", "schema {site}", "new functions"),
        ("ALTER TABLE ingest_batches FORCE ROW LEVEL SECURITY", "table ingest_batches", "row security"),
        ("GRANT DELETE ON ingest_batches TO {writer}", "table ingest_batches", "grants to {writer}"),
        ("GRANT SELECT ON devices TO {reader} WITH GRANT OPTION", "table devices", "grants to {reader}"),
        ("GRANT SELECT ON devices TO {maintainer}", "table devices", "grants to {maintainer}"),
        ("GRANT EXECUTE ON FUNCTION sweep_device_status(timestamptz) TO {writer}", "function sweep_device_status(timestamp with time zone)", "grants to {writer}"),
        ("GRANT SELECT ON devices TO PUBLIC", "table devices", "grants to PUBLIC"),
        ("GRANT SELECT (vendor) ON devices TO PUBLIC", "column devices.vendor", "grants to PUBLIC"),
        ("GRANT SELECT ON {month} TO PUBLIC", "table {month}", "grants to PUBLIC"),
        ("GRANT SELECT ON active_devices TO PUBLIC", "view active_devices", "grants to PUBLIC"),
        ("GRANT EXECUTE ON FUNCTION connections_count() TO PUBLIC", "function connections_count()", "grants to PUBLIC"),
        ("GRANT EXECUTE ON FUNCTION threat_threshold() TO PUBLIC", "function threat_threshold()", "grants to PUBLIC"),
        ("GRANT USAGE ON SEQUENCE connections_id_seq TO PUBLIC", "sequence connections_id_seq", "grants to PUBLIC"),
        ("GRANT USAGE ON SCHEMA {site} TO PUBLIC", "schema {site}", "grants to PUBLIC"),
        ("GRANT SELECT ON devices TO {stranger}", "table devices", "grants to {stranger}"),
        ("GRANT TRIGGER ON connections TO {stranger} WITH GRANT OPTION", "table connections", "grants to {stranger}"),
        ("GRANT CREATE ON SCHEMA {site} TO {stranger}", "schema {site}", "grants to {stranger}"),
        ("GRANT CREATE ON SCHEMA {site} TO {writer}", "schema {site}", "grants to {writer}"),

        ("DROP POLICY ingest_batches_claim ON ingest_batches", "policy ingest_batches.ingest_batches_claim", null),
        ("ALTER POLICY ingest_batches_claim ON ingest_batches WITH CHECK (true)", "policy ingest_batches.ingest_batches_claim", "check"),
        ("ALTER POLICY ingest_batches_claim ON ingest_batches TO PUBLIC", "policy ingest_batches.ingest_batches_claim", "to"),
        ("ALTER POLICY ingest_batches_correct ON ingest_batches USING (true)", "policy ingest_batches.ingest_batches_correct", "using"),
        ("CREATE POLICY extra ON ingest_batches FOR INSERT TO {writer} WITH CHECK (true)", "policy ingest_batches.extra", null),
        ("ALTER TABLE ingest_batches DISABLE ROW LEVEL SECURITY", "table ingest_batches", "row security"),

        ("ALTER DEFAULT PRIVILEGES FOR ROLE {owner} IN SCHEMA {site} REVOKE SELECT ON TABLES FROM {reader}", "default privileges of {owner} for tables", "grants to {reader}"),
        ("ALTER DEFAULT PRIVILEGES FOR ROLE {owner} IN SCHEMA {site} REVOKE SELECT ON TABLES FROM {reader}, {writer}", "default privileges of {owner} for tables", null),
        ("ALTER DEFAULT PRIVILEGES FOR ROLE {owner} IN SCHEMA {site} GRANT INSERT ON TABLES TO {writer}", "default privileges of {owner} for tables", "grants to {writer}"),
        ("ALTER DEFAULT PRIVILEGES FOR ROLE {owner} IN SCHEMA {site} GRANT EXECUTE ON FUNCTIONS TO PUBLIC", "default privileges of {owner} for functions", null),

        ("ALTER TABLE devices OWNER TO {stranger}", "table devices", "owner"),
        ("ALTER TABLE {month} OWNER TO {writer}", "table {month}", "owner"),
        ("ALTER FUNCTION connections_count() OWNER TO {stranger}", "function connections_count()", "owner"),
        ("ALTER VIEW active_devices OWNER TO {stranger}", "view active_devices", "owner"),
        ("ALTER SCHEMA {site} OWNER TO {stranger}", "schema {site}", "owner"),
    ];

    private RolesDatabase _roles = null!;
    private RoleNames _names = null!;
    private NpgsqlDataSource _source = null!;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        _roles = await RolesDatabase.CreateAsync(server);
        _names = _roles.NamesFor("Odd \"site");
        await _roles.ApplyAsync(Site, _names);
        var deploy = await _roles.LoginAsync(_roles.Named("deploy"), _names.Owner);
        await _roles.MigrateAsync(deploy, Site);
        await _roles.LoginAsync(_roles.Named("stranger"));
        _source = NpgsqlDataSource.Create(_roles.Database.ConnectionStringWith(c => c.SearchPath = RolesDatabase.Quoted(Site)));
    }

    public async ValueTask DisposeAsync()
    {
        await _source.DisposeAsync();
        await _roles.DisposeAsync();
    }

    [Fact]
    public async Task Every_mutant_is_found_and_named_and_mended_by_the_suggested_patch_or_by_the_script_of_the_roles()
    {
        var fresh = await new SchemaProof(_source).RunAsync(Cancel);
        Assert.Empty(fresh.Differences.Select(Line));
        await using var connection = await _source.OpenConnectionAsync(Cancel);

        var failures = new List<string>();
        var byScript = 0;
        foreach (var (sql, name, property) in Mutants)
        {
            var mutant = Fill(sql, fresh);
            await using var transaction = await connection.BeginTransactionAsync(Cancel);
            try
            {
                await ExecuteAsync(connection, mutant);
                var found = await SchemaCatalog.ReadAsync(connection, Site, null, Cancel);
                var differences = SchemaCatalog.Compare(fresh.Expected, fresh.Respelled, found);
                if (!differences.Any(d => $"{d.Kind} {d.Name}" == Fill(name, fresh) && d.Property == (property is null ? null : Fill(property, fresh))))
                    failures.Add($"not found: {mutant}\n    {string.Join("\n    ", differences.Select(Line).DefaultIfEmpty("(no difference)"))}");

                var patch = SchemaPatch.Statements(fresh.Expected, found, differences).SelectMany(p => p.Statements).ToList();
                if (patch.Exists(line => line.StartsWith("-- No", StringComparison.Ordinal) || line.Contains('…', StringComparison.Ordinal)))
                {
                    byScript++;
                    await RolesScript.ApplyAsync(connection, Site, _names, Cancel);
                }
                else
                {
                    // Commented drops are run too: the mutant holds nothing that anyone wants to keep.
                    await ExecuteAsync(connection, "SET CONSTRAINTS ALL IMMEDIATE;\n" + string.Join(
                        '\n', patch.Select(line => line.StartsWith("-- ", StringComparison.Ordinal) && line.EndsWith(';') ? line[3..] : line)));
                }

                var left = SchemaCatalog.Compare(
                    fresh.Expected, fresh.Respelled, await SchemaCatalog.ReadAsync(connection, Site, null, Cancel));
                if (left.Count > 0)
                    failures.Add($"not mended: {mutant}\n{string.Join('\n', patch)}\n    {string.Join("\n    ", left.Select(Line))}");
            }
            catch (PostgresException e)
            {
                failures.Add($"{mutant}\n    {e.SqlState} {e.MessageText} {e.Where}");
            }
            finally
            {
                await transaction.RollbackAsync(Cancel);
            }
        }

        Assert.True(failures.Count == 0, $"{failures.Count} of {Mutants.Length}\n{string.Join('\n', failures)}");
        Assert.InRange(byScript, 0, Mutants.Length / 4);
    }

    // What is left in the database when it is proven, and mended by psql's text of the patch.
    [Fact]
    public async Task Mutants_together_are_found_by_the_proof_and_mended_by_its_patch()
    {
        string[] done =
        [
            "REVOKE SELECT ON devices FROM {reader}",
            "REVOKE UPDATE (vendor) ON devices FROM {writer}",
            "REVOKE EXECUTE ON FUNCTION sweep_device_status(timestamptz) FROM {maintainer}",
            "GRANT SELECT ON connections TO PUBLIC",
            "GRANT EXECUTE ON FUNCTION connections_count() TO PUBLIC",
            "GRANT USAGE ON SEQUENCE connections_id_seq TO {stranger}",
            "ALTER TABLE device_sightings OWNER TO {stranger}",
            "ALTER VIEW device_threats OWNER TO {stranger}",
            "GRANT CREATE ON SCHEMA {site} TO {stranger}",
        ];
        var proof = new SchemaProof(_source);
        var fresh = await proof.RunAsync(Cancel);
        await using var connection = await _source.OpenConnectionAsync(Cancel);
        await ExecuteAsync(connection, Fill(string.Join(";\n", done), fresh));

        var report = await proof.RunAsync(Cancel);
        Assert.Equal(
            [
                "column devices.vendor grants to {writer}", "function connections_count() grants to PUBLIC",
                "function sweep_device_status(timestamp with time zone) grants to {maintainer}", "schema {site} grants to {stranger}",
                "sequence connections_id_seq grants to {stranger}", "table connections grants to PUBLIC",
                "table device_sightings owner", "table devices grants to {reader}", "view device_threats owner",
            ],
            report.Differences.Select(d => Unfill($"{d.Kind} {d.Name} {d.Property}")));

        await ExecuteAsync(connection, SchemaPatch.Write(report).Replace("\\set ON_ERROR_STOP on\n", "", StringComparison.Ordinal));
        Assert.Empty((await proof.RunAsync(Cancel)).Differences.Select(Line));

        string Unfill(string text)
            => Names(fresh).Aggregate(text, (each, name) => each.Replace(name.Value, name.Key, StringComparison.Ordinal));
    }

    private string Fill(string text, SchemaProofReport report)
        => Names(report).Aggregate(text, (each, name) => each.Replace(name.Key, name.Value, StringComparison.Ordinal));

    private Dictionary<string, string> Names(SchemaProofReport report) => new()
    {
        ["{site}"] = RolesDatabase.Quoted(Site),
        ["{owner}"] = RolesDatabase.Quoted(_names.Owner),
        ["{writer}"] = RolesDatabase.Quoted(_names.Writer),
        ["{reader}"] = RolesDatabase.Quoted(_names.Reader),
        ["{maintainer}"] = RolesDatabase.Quoted(_names.Maintainer),
        ["{stranger}"] = _roles.Named("stranger"),
        ["{month}"] = report.Found.Objects.First(o => o.Partition is not null).Partition!,
    };

    private static string Line(CatalogDifference d) => $"{d.Kind} {d.Name} | {d.Property}: {d.Expected} / {d.Found}";

    private static async Task ExecuteAsync(NpgsqlConnection connection, string sql)
    {
        await using var command = new NpgsqlCommand(sql, connection);
        await command.ExecuteNonQueryAsync(Cancel);
    }
}
