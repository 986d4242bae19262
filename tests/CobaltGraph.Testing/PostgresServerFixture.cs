using System.Globalization;
using Npgsql;
using Xunit;

namespace CobaltGraph.Testing;

/// <summary>
/// One PostgreSQL server for all tests of a run, and a database of its own for whoever asks. Declare it once per test
/// project, <c>[assembly: AssemblyFixture(typeof(PostgresServerFixture))]</c>, and take it as a constructor parameter.
/// The server starts with the first database.
/// </summary>
public sealed class PostgresServerFixture : IAsyncLifetime
{
    // Held shared by every user of a server while it lives, and exclusively to make or drop the template.
    private const long TemplateLock = 0x436F_6261_6C74;

    private const string DatabasePrefix = "cobaltgraph_test_";
    private const string TemplatePrefix = "cobaltgraph_template_";

    private readonly SemaphoreSlim _gate = new(1, 1);
    private TestServer? _server;
    private NpgsqlDataSource? _admin;
    private NpgsqlConnection? _presence;
    private string? _template;
    private Version _version = new();

    /// <summary>The version of the server.</summary>
    public async Task<Version> GetVersionAsync()
    {
        await AdminAsync();
        return _version;
    }

    /// <summary>Connects as a superuser to the server's own database; for tests of roles and of the server.</summary>
    public async Task<string> GetAdminConnectionStringAsync()
    {
        await AdminAsync();
        return _server!.ConnectionString;
    }

    /// <summary>Makes a database; it is dropped when the result is disposed.</summary>
    /// <param name="migrated">Whether all migrations are applied; else it is empty.</param>
    public async Task<TestDatabase> CreateDatabaseAsync(bool migrated = true)
    {
        var admin = await AdminAsync();
        var name = $"{DatabasePrefix}{Guid.NewGuid():N}";
        var template = migrated ? await TemplateAsync(admin) : "template0";
        await ExecuteAsync(admin, $"CREATE DATABASE {name} TEMPLATE {template}{Strategy}");
        return new TestDatabase(admin, _server!.ConnectionString, name, _version);
    }

    /// <inheritdoc/>
    public ValueTask InitializeAsync() => ValueTask.CompletedTask;

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        if (_presence is not null)
        {
            await CleanUpIfLastAsync(_presence);
            await _presence.DisposeAsync();
        }

        if (_admin is not null)
            await _admin.DisposeAsync();
        if (_server is not null)
            await _server.DisposeAsync();
        _gate.Dispose();
    }

    // Copying files beats writing every page to the log; servers before 15 copy files always.
    private string Strategy => _version.Major >= 15 ? " STRATEGY file_copy" : "";

    private async Task<NpgsqlDataSource> AdminAsync()
    {
        await _gate.WaitAsync();
        try
        {
            if (_admin is not null)
                return _admin;
            _server ??= await TestServer.StartAsync(TestContext.Current.CancellationToken);
            var settings = new NpgsqlConnectionStringBuilder(_server.ConnectionString) { MaxPoolSize = 10, CommandTimeout = 120 };
            var admin = NpgsqlDataSource.Create(settings.ConnectionString);
            var connection = await admin.OpenConnectionAsync();
            _version = connection.PostgreSqlVersion;
            // tests/versions reads this line.
            await Console.Error.WriteLineAsync($"Testing on PostgreSQL {connection.PostgresParameters["server_version"]}.");
            await using (var present = new NpgsqlCommand($"SELECT pg_advisory_lock_shared({TemplateLock})", connection))
                await present.ExecuteNonQueryAsync();
            _presence = connection;
            _admin = admin;
            return admin;
        }
        finally
        {
            _gate.Release();
        }
    }

    private async Task<string> TemplateAsync(NpgsqlDataSource admin)
    {
        await _gate.WaitAsync();
        try
        {
            return _template ??= await MakeTemplateAsync(admin);
        }
        finally
        {
            _gate.Release();
        }
    }

    private async Task<string> MakeTemplateAsync(NpgsqlDataSource admin)
    {
        var name = $"{TemplatePrefix}{Schema.Fingerprint}";
        var half = name + "_new";
        await using var connection = await admin.OpenConnectionAsync();
        await ExecuteAsync(connection, $"SELECT pg_advisory_lock({TemplateLock + 1})");
        try
        {
            await using var exists = new NpgsqlCommand($"SELECT 1 FROM pg_database WHERE datname = '{name}'", connection);
            if (await exists.ExecuteScalarAsync() is not null)
                return name;

            // A run that was killed half-way leaves the half-made one.
            await ExecuteAsync(connection, $"DROP DATABASE IF EXISTS {half}");
            await ExecuteAsync(connection, $"CREATE DATABASE {half} TEMPLATE template0{Strategy}");
            var target = new NpgsqlConnectionStringBuilder(_server!.ConnectionString) { Database = half, Pooling = false };
            await using (var source = NpgsqlDataSource.Create(target.ConnectionString))
                await Schema.ApplyAsync(source, CancellationToken.None);
            await ExecuteAsync(connection, $"ALTER DATABASE {half} RENAME TO {name}");
            // A copy is refused while anyone is connected to the original.
            await ExecuteAsync(connection, $"ALTER DATABASE {name} ALLOW_CONNECTIONS false");
            return name;
        }
        finally
        {
            await ExecuteAsync(connection, $"SELECT pg_advisory_unlock({TemplateLock + 1})");
        }
    }

    /// <summary>A fixture on a server that is there already, whatever the environment says.</summary>
    internal static PostgresServerFixture On(string connectionString)
        => new() { _server = new TestServer(connectionString, owned: null) };

    /// <summary>
    /// Leaves nothing on a server that was there before us: neither templates nor the databases of tests that were killed.
    /// </summary>
    private static async Task CleanUpIfLastAsync(NpgsqlConnection connection)
    {
        try
        {
            await using var alone = new NpgsqlCommand(
                $"SELECT pg_advisory_unlock_shared({TemplateLock}), pg_try_advisory_lock({TemplateLock})", connection);
            await using (var reader = await alone.ExecuteReaderAsync())
            {
                if (!await reader.ReadAsync() || !reader.GetBoolean(1))
                    return;
            }

            var names = new List<string>();
            await using (var list = new NpgsqlCommand(
                $"SELECT datname FROM pg_database WHERE starts_with(datname, '{TemplatePrefix}') OR starts_with(datname, '{DatabasePrefix}')",
                connection))
            await using (var reader = await list.ExecuteReaderAsync())
            {
                while (await reader.ReadAsync())
                    names.Add(reader.GetString(0));
            }

            foreach (var name in names)
                await ExecuteAsync(connection, $"DROP DATABASE IF EXISTS {name}");
        }
        catch (NpgsqlException)
        {
            // The server is gone already, and all of them with it.
        }
    }

    private static async Task ExecuteAsync(NpgsqlDataSource source, string sql)
    {
        await using var command = source.CreateCommand(sql);
        await command.ExecuteNonQueryAsync();
    }

    private static async Task ExecuteAsync(NpgsqlConnection connection, FormattableString sql)
    {
        await using var command = new NpgsqlCommand(sql.ToString(CultureInfo.InvariantCulture), connection);
        await command.ExecuteNonQueryAsync();
    }
}
