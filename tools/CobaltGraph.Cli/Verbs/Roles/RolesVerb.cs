using System.CommandLine;
using CobaltGraph.Cli.Terminal;
using CobaltGraph.Data.Schema;
using Npgsql;

namespace CobaltGraph.Cli.Verbs.Roles;

internal static class RolesVerb
{
    private static readonly IReadOnlyList<Column<(string Part, string Role, bool Exists)>> RoleColumns =
    [
        new("part", "Part", r => r.Part),
        new("role", "Role", r => new Escaped(r.Role)),
        new("exists", "Was there", r => r.Exists),
    ];

    private static readonly IReadOnlyList<Column<(bool Added, Right Right)>> ChangeColumns =
    [
        new("change", "Change", c => c.Added ? "granted" : "taken", c => c.Added ? "green" : "yellow"),
        new("role", "Role", c => new Escaped(c.Right.Role)),
        new("kind", "Kind", c => c.Right.Kind),
        new("object", "Object", c => new Escaped(c.Right.Object)),
        new("right", "Right", c => new Escaped(Text(c.Right))),
    ];

    private static readonly IReadOnlyList<Column<IGrouping<(string Kind, string Object, string Role), Right>>> RightColumns =
    [
        new("kind", "Kind", r => r.Key.Kind),
        new("object", "Object", r => new Escaped(r.Key.Object)),
        new("role", "Role", r => new Escaped(r.Key.Role)),
        new("rights", "Rights", r => new Escaped(string.Join(", ", r.Select(Text)))),
    ];

    private static readonly string[] Parts = ["owner", "writer", "reader", "maintainer"];

    public static VerbCommand Create(CliHost host)
    {
        var schema = Name("--schema", "The schema of the site; without it the first of the search path.");
        var owner = Name("--owner", "The role that owns the schema, and that migrations run as. Nobody logs in as it.");
        var writer = Name("--writer", "The role that stores and reads.");
        var reader = Name("--reader", "The role that reads.");
        var maintainer = Name("--maintainer", "The role that sweeps the status of devices, makes partitions and drops old ones.");
        var apply = new Option<bool>("--apply")
        {
            Description = "Do it. Without this, everything is tried, shown and taken back.",
        };

        var verb = new VerbCommand(
            "roles",
            "Make the roles of a site, owner, writer, reader and maintainer, with the rights that each needs and no others: " +
            "Migrations.Sql/roles.sql. Run it before the first migration, as a role with CREATEROLE that owns the database; it may " +
            "be repeated. Names that are left out are those of the last run, or the schema's followed by _owner and so on.",
            "cobaltgraph roles",
            "cobaltgraph roles --schema site_a --apply",
            "cobaltgraph roles --owner acme_owner --writer acme_sensors --json");
        verb.Add(schema);
        verb.Add(owner);
        verb.Add(writer);
        verb.Add(reader);
        verb.Add(maintainer);
        verb.Add(apply);
        verb.Add(CommonOptions.Json);
        verb.Add(CommonOptions.Connection);
        verb.OnRun(host, async (call, cancellationToken) =>
        {
            await using var database = await call.OpenDatabaseAsync(cancellationToken);
            await using var connection = await database.DataSource.OpenConnectionAsync(cancellationToken);
            connection.Notice += (_, e) => Warn(host, e.Notice);

            await using var transaction = await connection.BeginTransactionAsync(cancellationToken);
            var (site, names) = await RolesScript.ResolveAsync(
                connection, Wanted(schema) ?? SearchPath.First(new NpgsqlConnectionStringBuilder(connection.ConnectionString).SearchPath),
                Wanted(owner), Wanted(writer), Wanted(reader), Wanted(maintainer), cancellationToken);
            var existing = await RightsMatrix.ExistingAsync(connection, names.All, cancellationToken);
            var before = await RightsMatrix.ReadAsync(connection, site, names.All, cancellationToken);
            await RolesScript.ApplyAsync(connection, site, names, cancellationToken);
            var after = await RightsMatrix.ReadAsync(connection, site, names.All, cancellationToken);
            var applied = call.Parse.GetValue(apply);
            if (applied) await transaction.CommitAsync(cancellationToken);
            else await transaction.RollbackAsync(cancellationToken);

            using (var answer = call.BeginAnswer())
            {
                answer.Value("schema_name", "Schema", site);
                answer.Value("applied", "Applied", applied);
                answer.Table(
                    "roles", "Roles", RoleColumns, Parts.Zip(names.All, (part, role) => (part, role, existing.Contains(role))));
                answer.Table("changes", applied ? "Changed" : "Would change", ChangeColumns,
                    before.Except(after).Select(right => (false, right)).Concat(after.Except(before).Select(right => (true, right))));
                answer.Table("rights", applied ? "Rights" : "Rights then", RightColumns,
                    after.GroupBy(right => (right.Kind, right.Object, right.Role)));
                answer.End();
            }

            host.Notice(applied
                ? $"A login is a member: CREATE ROLE edge1 LOGIN IN ROLE {new NpgsqlCommandBuilder().QuoteIdentifier(names.Writer)}; then \\password edge1 in psql."
                : "Nothing was changed; --apply does it.");
            return ExitCode.Done;

            string? Wanted(Option<string?> option) => call.Parse.GetValue(option);
        });
        return verb;
    }

    private static string Text(Right right) => right.Columns is { } columns ? $"{right.Verb} ({columns})" : right.Verb;

    private static void Warn(CliHost host, PostgresNotice notice)
    {
        if (notice.InvariantSeverity is not "WARNING") return;
        host.Notice($"warning: {notice.MessageText}. {notice.Hint}".TrimEnd());
    }

    private static Option<string?> Name(string option, string description) => new(option)
    {
        HelpName = "name",
        Description = description,
        CustomParser = result =>
        {
            var name = result.Tokens[^1].Value;
            if (name.Length == 0 || name.Contains('\0', StringComparison.Ordinal))
                result.AddError($"{option}: accepted is a name of 1 to 63 bytes.");
            return name;
        },
    };
}
