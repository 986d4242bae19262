using System.Globalization;
using CobaltGraph.Data;
using CobaltGraph.Data.Schema;
using Microsoft.EntityFrameworkCore;
using Npgsql;
using Xunit;

namespace CobaltGraph.Testing;

/// <summary>
/// A database as a DBA has it who is no superuser: it belongs to a role with CREATEROLE. Roles belong to the server, so all of
/// this database have names of their own, and go with it.
/// </summary>
public sealed class RolesDatabase : IAsyncDisposable
{
    /// <summary>Of every login.</summary>
    public const string Password = "correct horse";

    private readonly PostgresServerFixture _server;
    private readonly string _suffix = Guid.NewGuid().ToString("N", CultureInfo.InvariantCulture)[..8];
    private readonly Dictionary<(string, string), NpgsqlDataSource> _sources = [];

    private RolesDatabase(PostgresServerFixture server, TestDatabase database)
    {
        _server = server;
        Database = database;
    }

    /// <summary>As a superuser.</summary>
    public TestDatabase Database { get; }

    public string Dba => Named("dba");

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public static async Task<RolesDatabase> CreateAsync(PostgresServerFixture server, bool migrated = false)
    {
        var roles = new RolesDatabase(server, await server.CreateDatabaseAsync(migrated));
        await roles.Database.ExecuteAsync($"""
            CREATE ROLE {roles.Dba} LOGIN CREATEROLE PASSWORD '{Password}';
            ALTER DATABASE {roles.Database.Name} OWNER TO {roles.Dba}
            """);
        return roles;
    }

    /// <summary>A role name of this database's own.</summary>
    public string Named(string name) => $"{name}_{_suffix}";

    internal RoleNames NamesFor(string site)
        => new(Named($"{site}_owner"), Named($"{site}_writer"), Named($"{site}_reader"), Named($"{site}_maintainer"));

    /// <summary>Connections of a role to a site.</summary>
    public NpgsqlDataSource As(string login, string schema)
    {
        if (!_sources.TryGetValue((login, schema), out var source))
            _sources[(login, schema)] = source = NpgsqlDataSource.Create(ConnectionString(login, schema));
        return source;
    }

    public string ConnectionString(string login, string schema) => Database.ConnectionStringWith(c =>
    {
        c.Username = login;
        c.Password = Password;
        c.SearchPath = Quoted(schema);
        c.MaxPoolSize = 5;
    });

    /// <summary>Creates a login, as the DBA does.</summary>
    public async Task<string> LoginAsync(string login, params string[] memberOf)
    {
        await RunAsync(Dba, "pg_catalog", $"CREATE ROLE {Quoted(login)} LOGIN PASSWORD '{Password}'");
        foreach (var role in memberOf)
            await RunAsync(Dba, "pg_catalog", $"GRANT {Quoted(role)} TO {Quoted(login)}");
        return login;
    }

    /// <summary>Runs the roles' script as the DBA.</summary>
    internal async Task ApplyAsync(string schema, RoleNames names, string? login = null)
    {
        await using var connection = await As(login ?? Dba, schema).OpenConnectionAsync(Cancel);
        await RolesScript.ApplyAsync(connection, schema, names, Cancel);
    }

    public async Task MigrateAsync(string login, string schema, string? target = null)
    {
        var options = new DbContextOptionsBuilder<CobaltGraphContext>();
        options.UseCobaltGraph(ConnectionString(login, schema));
        await using var context = new CobaltGraphContext(options.Options);
        await context.Database.MigrateAsync(target, Cancel);
    }

    public async Task<int> RunAsync(string login, string schema, string sql)
    {
        await using var command = As(login, schema).CreateCommand(sql);
        return await command.ExecuteNonQueryAsync(Cancel);
    }

    /// <summary>Runs statements and takes back what they did.</summary>
    public async Task TryAsync(string login, string schema, string sql)
    {
        await using var connection = await As(login, schema).OpenConnectionAsync(Cancel);
        await using var transaction = await connection.BeginTransactionAsync(Cancel);
        await using var command = new NpgsqlCommand(sql, connection, transaction);
        await command.ExecuteNonQueryAsync(Cancel);
    }

    public async Task<T?> ScalarAsync<T>(string login, string schema, string sql)
    {
        await using var command = As(login, schema).CreateCommand(sql);
        return (T?)await command.ExecuteScalarAsync(Cancel);
    }

    /// <summary>Who may do what with a site: roles by the part that they play.</summary>
    internal async Task<string[]> RightsAsync(string schema, RoleNames names)
    {
        await using var connection = await Database.DataSource.OpenConnectionAsync(Cancel);
        var rights = await RightsMatrix.ReadAsync(connection, schema, names.All, Cancel);
        return [.. rights.Select(right =>
            $"{right.Role.Replace($"_{_suffix}", "", StringComparison.Ordinal)} {right.Kind} {right.Object} {right.Verb} {right.Columns}")];
    }

    public static string Quoted(string name) => $"\"{name.Replace("\"", "\"\"", StringComparison.Ordinal)}\"";

    public async ValueTask DisposeAsync()
    {
        foreach (var source in _sources.Values)
            await source.DisposeAsync();
        await Database.DisposeAsync();

        await using var admin = NpgsqlDataSource.Create(await _server.GetAdminConnectionStringAsync());
        await using var drop = admin.CreateCommand($"""
            DO $drop$
            DECLARE
                v_role name;
            BEGIN
                -- The DBA last, who has granted the others.
                FOR v_role IN SELECT rolname FROM pg_roles WHERE rolname LIKE '%{_suffix}%' ORDER BY rolname = '{Dba}' LOOP
                    EXECUTE format('DROP ROLE %I', v_role);
                END LOOP;
            END
            $drop$
            """);
        await drop.ExecuteNonQueryAsync();
    }
}
